/* SPDX-License-Identifier: Apache-2.0 */
#include "ddf_fixture.h"

#include "engine/priv.h"

static bool apart(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a + a_len <= b || b + b_len <= a;
}

/* What every layout must fulfil before anything is read or written by it. */
static void check_sane(const struct ddf_layout *l)
{
	uint64_t end = l->sectors - 1;
	uint32_t last = 1;

	assert_true(l->copy_sectors <= DDF_COPY_MAX_SECTORS);
	assert_true(l->primary < end && l->primary + l->copy_sectors <= end);
	if (l->secondary != UINT64_MAX) {
		assert_true(l->secondary < end && l->secondary + l->copy_sectors <= end);
		assert_true(l->secondary + l->copy_sectors <= l->primary ||
			l->primary + l->copy_sectors <= l->secondary);
		assert_true(apart(l->workspace, l->workspace_len, l->secondary, l->copy_sectors));
		assert_true(l->extents_end <= l->secondary);
	}
	assert_true(l->extents_end <= l->primary && l->extents_end <= l->workspace);
	assert_true(l->workspace + l->workspace_len <= end);
	assert_true(apart(l->workspace, l->workspace_len, l->primary, l->copy_sectors));
	for (unsigned i = 0; i < DDF_SECTIONS; i++) {
		const struct ddf_section *s = &l->sections[i];

		if (!s->length)
			continue;
		assert_true(s->offset >= 1 && s->offset + s->length <= l->copy_sectors);
		assert_true(s->length <= DDF_SECTION_MAX_SECTORS);
		last = s->offset + s->length > last ? s->offset + s->length : last;
	}
	assert_int_equal(last, l->copy_sectors);
	assert_true(64 + 64u * l->max_pds <= l->sections[DDF_SEC_PDS].length * 512);
	assert_true(64 + 64u * l->max_vds <= l->sections[DDF_SEC_VDS].length * 512);
	assert_true(512 + 12u * l->mppe <= l->conf_sectors * 512u);
	assert_true(l->sections[DDF_SEC_CONFS].length >= l->conf_sectors);
}

static void follows_the_maps(void **state)
{
	struct ddf_layout l;
	uint64_t n = 2 * 2097152;

	(void)state;
	assert_int_equal(ddf_layout_plan(n * 512, &l, NULL), 0); /* 2 GiB */
	assert_int_equal(l.primary, n - 32768);
	assert_int_equal(l.secondary, n - 65536);
	assert_int_equal(l.workspace, (n - 65536 - 69632 - n / 1024) / 2048 * 2048);
	assert_int_equal(l.workspace + l.workspace_len, l.secondary);
	assert_false(l.compact);
	assert_int_equal(l.sections[DDF_SEC_CONFS].offset, 258);
	assert_int_equal(l.sections[DDF_SEC_CONFS].length, 455);
	assert_int_equal(l.sections[DDF_SEC_VENDOR].offset, 714);
	n = 96 * 2048;
	assert_int_equal(ddf_layout_plan(n * 512, &l, NULL), 0);
	assert_int_equal(l.primary, n - 2048);
	assert_int_equal(l.secondary, n - 4096);
	assert_int_equal(l.workspace, n - 4096 - 8192);
	assert_true(l.compact);
	assert_int_equal(ddf_layout_usable_bytes(&l), (l.workspace - 2048) * 512);
}

/* mdadm writes one drive's section table to all drives of a container. */
static void the_section_table_is_one_for_all_sizes(void **state)
{
	struct ddf_layout a, b;

	(void)state;
	assert_int_equal(ddf_layout_plan(64 * MIB, &a, NULL), 0);
	assert_int_equal(ddf_layout_plan(16ull << 40, &b, NULL), 0);
	assert_memory_equal(a.sections, b.sections, sizeof(a.sections));
	assert_int_equal(a.copy_sectors, b.copy_sectors);
}

static void anchors_read_back(void **state)
{
	static const uint64_t sizes[] = {64 * MIB, 64 * MIB + 512, 96 * MIB, 823 * MIB, 1023 * MIB,
		1024 * MIB - 512, 1024 * MIB, 2048 * MIB + 1536, 1ull << 40, 20ull << 40, 1ull << 50};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t sector[512];
		struct ddf_layout back;
		struct ddf_guid container;
		struct err err = {0};
		struct fix f;

		fix_init(&f, 1, sizes[i]);
		check_sane(&f.layout);
		assert_true(f.layout.workspace >= DDF_DATA_START + DDF_ALIGN);
		assert_int_equal(f.layout.workspace % DDF_ALIGN, 0);
		ddf_encode_header(&f.set, &f.layout, DDF_ANCHOR, false, sector);
		assert_int_equal(ddf_anchor_decode(sector, sizes[i] / 512, &back, &container, &err), 0);
		assert_true(ddf_guid_equal(&container, &f.set.container));
		assert_memory_equal(&back, &f.layout, sizeof(back));
		fix_free(&f);
	}
}

static void refuses_impossible_drives(void **state)
{
	struct ddf_layout l;
	struct err err = {0};

	(void)state;
	assert_int_equal(ddf_layout_plan(64 * MIB - 512, &l, &err), -EINVAL);
	assert_non_null(strstr(err.text, "64 MiB"));
	assert_int_equal(ddf_layout_plan(0, &l, &err), -EINVAL);
	assert_int_equal(ddf_layout_plan(64 * MIB + 1, &l, &err), -EINVAL);
	assert_int_equal(ddf_layout_plan(UINT64_MAX / 512 * 512, &l, &err), -EINVAL);
}

static int decode_patched(unsigned at, int bytes, uint64_t value, struct err *err)
{
	struct ddf_layout l;
	struct ddf_guid container;
	uint8_t sector[512];
	struct fix f;

	fix_init(&f, 1, 96 * MIB);
	ddf_encode_header(&f.set, &f.layout, DDF_ANCHOR, false, sector);
	bytes_put_be(sector + at, bytes, value);
	fix_crc(sector, 512);
	fix_free(&f);
	return ddf_anchor_decode(sector, 96 * 2048, &l, &container, err);
}

static void refuses_hostile_anchors(void **state)
{
	static const struct {
		unsigned at;
		int bytes;
		uint64_t value;
	} cases[] = {
		{32, 8, 0x30322E30302E3030},			    /* revision 02.00.00 */
		{96, 8, 96 * 2048 - 1}, {96, 8, 96 * 2048 - 100},   /* primary at or over the end */
		{96, 8, UINT64_MAX}, {96, 8, UINT64_MAX - 1},
		{104, 8, UINT64_MAX - 1}, {104, 8, 96 * 2048 - 2048}, /* secondary over the primary */
		{104, 8, 96 * 2048 - 2049},
		{128, 2, 0}, {128, 2, 4095}, {128, 2, 65535}, {130, 2, 0}, {130, 2, 1024},
		{132, 2, 0}, {134, 2, 0}, {134, 2, 6}, {134, 2, 1025}, {134, 2, 65535},
		{136, 2, 0}, {136, 2, 1024}, {136, 2, 65535},
		{192, 4, 0}, {192, 8, UINT64_MAX}, {196, 4, 0}, /* controller */
		{200, 4, 3}, {204, 4, 127}, {204, 4, 1025}, {204, 4, UINT32_MAX}, /* physical */
		{208, 4, UINT32_MAX}, {208, 4, UINT32_MAX - 1}, {212, 4, 127},
		{216, 4, 8192}, {220, 4, 6}, {224, 4, 714}, {248, 4, 713}, {252, 4, 1025},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		int rc = decode_patched(cases[i].at, cases[i].bytes, cases[i].value, &err);

		if (rc != -ENOTSUP)
			fail_msg("case %zu: %d %s", i, rc, err.text);
		assert_non_null(strstr(err.text, "anchor"));
	}
	assert_int_equal(decode_patched(112, 1, 1, NULL), -EUCLEAN); /* a primary in the last sector */
	assert_int_equal(decode_patched(0, 4, 0xDE11DE10, NULL), -EMEDIUMTYPE);
}

static void a_copy_has_a_largest_size(void **state)
{
	struct ddf_layout l;
	struct ddf_guid container;
	uint8_t sector[512];
	struct fix f;

	(void)state;
	fix_init(&f, 1, 2048 * MIB);
	for (uint32_t last = DDF_COPY_MAX_SECTORS - 2; last <= DDF_COPY_MAX_SECTORS + 2; last++) {
		ddf_encode_header(&f.set, &f.layout, DDF_ANCHOR, false, sector);
		bytes_put_be(sector + 248, 4, last - 512); /* where the vendor section begins */
		fix_crc(sector, 512);
		assert_int_equal(ddf_anchor_decode(sector, f.layout.sectors, &l, &container, NULL),
			last <= DDF_COPY_MAX_SECTORS ? 0 : -ENOTSUP);
	}
	fix_free(&f);
}

static void damage_is_not_absence(void **state)
{
	struct ddf_layout l;
	struct ddf_guid container;
	uint8_t sector[512];
	struct fix f;

	(void)state;
	fix_init(&f, 1, 96 * MIB);
	ddf_encode_header(&f.set, &f.layout, DDF_ANCHOR, false, sector);
	for (unsigned i = 4; i < 512; i++) {
		sector[i] ^= 0x10;
		assert_int_equal(ddf_anchor_decode(sector, 96 * 2048, &l, &container, NULL), -EUCLEAN);
		sector[i] ^= 0x10;
	}
	memset(sector, 0, sizeof(sector));
	assert_int_equal(ddf_anchor_decode(sector, 96 * 2048, &l, &container, NULL), -EMEDIUMTYPE);
	fix_free(&f);
}

/* Whatever an anchor with a good CRC says: it is refused, or can be used as it is. */
static void accepted_layouts_are_sane(void **state)
{
	struct ddf_layout l;
	struct ddf_guid container;
	uint8_t sector[512];
	unsigned accepted = 0;
	struct fix f;

	(void)state;
	fix_init(&f, 1, 96 * MIB);
	for (unsigned round = 0; round < 200000; round++) {
		unsigned changes = 1 + (unsigned)rng_below(&f.rng, 4);

		ddf_encode_header(&f.set, &f.layout, DDF_ANCHOR, false, sector);
		while (changes--) {
			unsigned at = 96 + (unsigned)rng_below(&f.rng, 160);

			sector[at] = (uint8_t)(rng_below(&f.rng, 2) ? rng_next(&f.rng) : sector[at] + 1u);
		}
		fix_crc(sector, 512);
		if (ddf_anchor_decode(sector, 96 * 2048, &l, &container, NULL))
			continue;
		check_sane(&l);
		accepted++;
	}
	assert_true(accepted > 1000); /* the test does test something */
	fix_free(&f);
}

static void copies_stand_in_for_a_lost_anchor(void **state)
{
	struct ddf_layout l;
	struct ddf_guid container;
	uint8_t sector[512];
	struct err err = {0};
	uint64_t n = 96 * 2048;
	struct fix f;

	(void)state;
	fix_init(&f, 1, 96 * MIB);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t at = i ? f.layout.secondary : f.layout.primary;

		ddf_encode_header(&f.set, &f.layout, i ? DDF_SECONDARY : DDF_PRIMARY, i == 0, sector);
		assert_int_equal(ddf_anchor_from_copy(sector, n, at, &l, &container, &err), 0);
		assert_memory_equal(&l, &f.layout, sizeof(l));
		assert_true(ddf_guid_equal(&container, &f.set.container));
		/* neither the other copy, nor what the drive before a resize left behind */
		assert_int_equal(ddf_anchor_from_copy(sector, n, i ? f.layout.primary : f.layout.secondary, &l,
					 &container, &err),
			-EUCLEAN);
		assert_int_equal(ddf_anchor_from_copy(sector, n, at - 8, &l, &container, &err), -EUCLEAN);
		sector[200] ^= 1;
		assert_int_equal(ddf_anchor_from_copy(sector, n, at, &l, &container, &err), -EUCLEAN);
	}
	ddf_encode_header(&f.set, &f.layout, DDF_ANCHOR, false, sector);
	assert_int_equal(ddf_anchor_from_copy(sector, n, n - 1, &l, &container, &err), -EUCLEAN);
	memset(sector, 0, sizeof(sector));
	assert_int_equal(ddf_anchor_from_copy(sector, n, f.layout.primary, &l, &container, &err), -EMEDIUMTYPE);
	fix_free(&f);
}

/* A workspace that a foreign maker left out or put elsewhere is none. */
static void a_workspace_above_the_copies_is_none(void **state)
{
	struct ddf_layout l;
	struct ddf_guid container;
	uint8_t sector[512];
	struct fix f;

	(void)state;
	fix_init(&f, 1, 96 * MIB);
	ddf_encode_header(&f.set, &f.layout, DDF_ANCHOR, false, sector);
	memset(sector + 116, 0xFF, 12);
	fix_crc(sector, 512);
	assert_int_equal(ddf_anchor_decode(sector, 96 * 2048, &l, &container, NULL), 0);
	assert_int_equal(l.workspace, l.secondary);
	assert_int_equal(l.workspace_len, 0);
	fix_free(&f);
}

/* As mdadm 4.2 makes it: copies 16 and 32 MiB before the end, the workspace where the second copy is. */
static void make_like_mdadm(struct fix *f, uint64_t n, uint8_t sector[static 512])
{
	struct ddf_layout *l = &f->layout;

	l->primary = n - 32768;
	l->secondary = l->workspace = n - 65536;
	l->workspace_len = 32768;
	l->max_vds = 255;
	l->sections[DDF_SEC_VDS].length = 32;
	l->sections[DDF_SEC_CONFS].offset = 162;
	l->sections[DDF_SEC_DRIVE].offset = 617;
	l->sections[DDF_SEC_VENDOR] = (struct ddf_section){0, 0};
	ddf_encode_header(&f->set, l, DDF_ANCHOR, false, sector);
}

static void a_container_of_mdadm_can_be_adopted(void **state)
{
	const uint64_t n = 128 * 2048;
	struct ddf_layout l, back;
	struct ddf_guid container;
	struct priv_layout priv;
	uint8_t sector[512];
	struct fix f;

	(void)state;
	fix_init(&f, 1, 128 * MIB);
	make_like_mdadm(&f, n, sector);
	assert_int_equal(ddf_anchor_decode(sector, n, &l, &container, NULL), 0);
	assert_int_equal(l.extents_end, n - 65536);
	assert_int_equal(l.workspace_len, 0);
	assert_int_equal(priv_layout_plan(&l, &priv, NULL), -ENOTSUP);
	assert_int_equal(ddf_layout_adopt(&l, NULL), 0);
	check_sane(&l);
	assert_int_equal(l.extents_end, n - 65536);
	assert_int_equal(l.sections[DDF_SEC_VENDOR].offset, 618);
	assert_int_equal(priv_layout_plan(&l, &priv, NULL), 0);
	assert_true(priv.base_bytes / 512 >= l.secondary + l.copy_sectors);
	assert_true(priv.base_bytes / 512 + priv.blocks * 8 <= l.primary);
	ddf_encode_header(&f.set, &l, DDF_ANCHOR, false, sector); /* it says so itself from now on */
	assert_int_equal(ddf_anchor_decode(sector, n, &back, &container, NULL), 0);
	assert_memory_equal(&back, &l, sizeof(l));
	fix_free(&f);
}

static void what_cannot_be_adopted_is_left_alone(void **state)
{
	const uint64_t n = 128 * 2048;
	struct ddf_layout l, before;
	struct ddf_guid container;
	uint8_t sector[512];
	struct err err = {0};
	struct fix f;

	(void)state;
	fix_init(&f, 1, 128 * MIB);
	make_like_mdadm(&f, n, sector);
	assert_int_equal(ddf_anchor_decode(sector, n, &l, &container, NULL), 0);
	for (unsigned i = 0; i < 4; i++) {
		struct ddf_layout to = l;

		if (i == 0) /* no second copy */
			to.secondary = UINT64_MAX;
		else if (i == 1) /* too close */
			to.secondary = to.primary - 4096;
		else if (i == 2) /* a gap before the drive data */
			to.sections[DDF_SEC_DRIVE].offset++;
		else /* another maker's section */
			to.sections[DDF_SEC_BAD_BLOCKS] = (struct ddf_section){700, 1};
		before = to;
		assert_int_equal(ddf_layout_adopt(&to, &err), -ENOTSUP);
		assert_true(err.text[0]);
		assert_memory_equal(&to, &before, sizeof(to));
	}
	fix_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_maps),
		cmocka_unit_test(the_section_table_is_one_for_all_sizes),
		cmocka_unit_test(anchors_read_back),
		cmocka_unit_test(refuses_impossible_drives),
		cmocka_unit_test(refuses_hostile_anchors),
		cmocka_unit_test(a_copy_has_a_largest_size),
		cmocka_unit_test(damage_is_not_absence),
		cmocka_unit_test(accepted_layouts_are_sane),
		cmocka_unit_test(copies_stand_in_for_a_lost_anchor),
		cmocka_unit_test(a_workspace_above_the_copies_is_none),
		cmocka_unit_test(a_container_of_mdadm_can_be_adopted),
		cmocka_unit_test(what_cannot_be_adopted_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
