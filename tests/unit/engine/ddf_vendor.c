/* SPDX-License-Identifier: Apache-2.0 */
#include "ddf_fixture.h"

#define VENDOR 714 /* sector of the section in a copy */

static struct ddf_image decode(const struct fix *f, const uint8_t *copy)
{
	struct ddf_image image;

	assert_int_equal(
		ddf_decode_copy(copy, fix_copy_len(f), &f->layout, &f->set.container, DDF_PRIMARY, &image, NULL),
		0);
	return image;
}

/* Adds raw bytes behind the records and counts them. */
static void append(uint8_t *copy, const void *bytes, size_t len)
{
	uint8_t *section = copy + VENDOR * 512;
	uint32_t used = (uint32_t)bytes_get_be(section + 36, 4);

	memcpy(section + 40 + used, bytes, len);
	bytes_put_be(section + 36, 4, used + len);
	fix_crc(section, 512 * 512);
}

static void unknown_records_are_kept(void **state)
{
	static const uint8_t record[] = {0x70, 0x01, 0, 0, 0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o', 0xFF, 0xFE, 0,
		1, 0, 0, 0, 0};
	struct ddf_image image;
	uint8_t *copy, *again;
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	fix_fill(&f);
	copy = fix_copy(&f, 0, DDF_PRIMARY, false);
	append(copy, record, sizeof(record));
	image = decode(&f, copy);
	assert_true(fix_all_good(&image));
	assert_int_equal(image.set.unknown_len, sizeof(record));
	assert_memory_equal(image.set.unknown, record, sizeof(record));
	assert_true(fix_same(&image, &f.layout, copy, DDF_PRIMARY));
	assert_int_equal(ddf_set_copy(&f.set, &image.set), 0);
	again = fix_copy(&f, 0, DDF_PRIMARY, false);
	assert_memory_equal(copy, again, fix_copy_len(&f));
	free(copy);
	free(again);
	ddf_image_free(&image);
	fix_free(&f);
}

static void malformed_records_are_damage(void **state)
{
	static const struct {
		uint8_t bytes[12];
		size_t len;
	} cases[] = {
		{{0, 9, 0, 0, 0, 0}, 6},				  /* cut head */
		{{0, 9, 0, 0, 0, 0, 0, 2, 1}, 9},			  /* cut payload */
		{{0, 9, 0, 0, 0xFF, 0xFF, 0xFF, 0xF8}, 8},		  /* huge length */
		{{0, 2, 0, 0, 0, 0, 0, 1, 1}, 9},			  /* too short for a LUN */
		{{0, 3, 0, 0, 0, 0, 0, 1, 1}, 9}, {{0, 4, 0, 0, 0, 0, 0, 0}, 8}, /* job, drive */
		{{0, 5, 0, 0, 0, 0, 0, 0}, 8}, {{0, 6, 0, 0, 0, 0, 0, 0}, 8},	  /* what drives held */
		{{0, 7, 0, 0, 0, 0, 0, 1, 1}, 9},				  /* twin */
		{{0, 1, 0, 0, 0, 0, 0, 2, 'a', 0}, 10},			  /* NUL in a name */
	};
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	fix_fill(&f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t *copy = fix_copy(&f, 0, DDF_PRIMARY, false);
		struct ddf_image image;

		append(copy, cases[i].bytes, cases[i].len);
		image = decode(&f, copy);
		if (image.sections[DDF_SEC_VENDOR] != DDF_DAMAGED)
			fail_msg("case %zu is taken for good", i);
		assert_false(image.set.vds.items[0].ext.present); /* nothing is half read */
		assert_string_equal(image.set.name, "");
		assert_false(image.foreign_vendor);
		ddf_image_free(&image);
		free(copy);
	}
	fix_free(&f);
}

/* Counts inside a LUN's record must add up to its length. */
static void hostile_counts_are_damage(void **state)
{
	static const struct {
		unsigned at;
		uint16_t value;
	} cases[] = {{42, 256}, {42, 65535}, {76, 65}, {76, 65535}, {76, 0}, {78, 65}, {78, 2}, {78, 65535},
		{88, 0x4200} /* a NUL in the name */};
	uint8_t *copy, *record;
	struct ddf_image image;
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	fix_fill(&f);
	f.set.name[0] = 0; /* the LUN's record is the first */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		copy = fix_copy(&f, 0, DDF_PRIMARY, false);
		record = copy + VENDOR * 512 + 40 + 8;
		assert_memory_equal(record, f.set.vds.items[0].guid.b, 24);
		bytes_put_be(record + cases[i].at, 2, cases[i].value);
		fix_crc(copy + VENDOR * 512, 512 * 512);
		image = decode(&f, copy);
		assert_int_equal(image.sections[DDF_SEC_VENDOR], DDF_DAMAGED);
		ddf_image_free(&image);
		free(copy);
	}
	fix_free(&f);
}

static void records_of_what_is_gone_are_dropped(void **state)
{
	struct ddf_image image;
	uint8_t *copy;
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	fix_fill(&f);
	copy = fix_copy(&f, 0, DDF_PRIMARY, false);
	memset(copy + 130 * 512 + 64, 0xFF, 64); /* mdadm deleted the first LUN */
	fix_crc(copy + 130 * 512, 128 * 512);
	image = decode(&f, copy);
	assert_int_equal(image.sections[DDF_SEC_VENDOR], DDF_GOOD);
	assert_int_equal(image.set.vds.len, 1);
	assert_string_equal(image.set.vds.items[0].ext.name, "boot");
	ddf_image_free(&image);
	free(copy);
	fix_free(&f);
}

static void other_makers_sections_are_left_alone(void **state)
{
	struct ddf_image image;
	uint8_t *copy, *section;
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	fix_fill(&f);
	copy = fix_copy(&f, 0, DDF_PRIMARY, false);
	section = copy + VENDOR * 512;
	memcpy(section + 8, "OTHERONE", 8);
	fix_crc(section, 512 * 512);
	image = decode(&f, copy);
	assert_true(image.foreign_vendor);
	assert_int_equal(image.sections[DDF_SEC_VENDOR], DDF_GOOD);
	ddf_image_free(&image);
	memset(section, 0, 512 * 512); /* no signature, no checksum */
	image = decode(&f, copy);
	assert_true(image.foreign_vendor);
	ddf_image_free(&image);
	free(copy);
	copy = fix_copy(&f, 0, DDF_PRIMARY, false);
	section = copy + VENDOR * 512;
	bytes_put_be(section + 32, 2, 2); /* ours, of a later version */
	fix_crc(section, 512 * 512);
	image = decode(&f, copy);
	assert_true(image.foreign_vendor);
	assert_false(image.set.vds.items[0].ext.present);
	ddf_image_free(&image);
	free(copy);
	fix_free(&f);
}

static void a_full_section_is_refused_not_cut(void **state)
{
	struct raid_shape shape = fix_shape(RAID_SIMPLE, 1, 1);
	struct ddf_guid guid = {{0}};
	struct ddf_vd_ext ext;
	uint8_t *out;
	struct err err = {0};
	unsigned luns = 1;
	struct fix f;

	(void)state;
	fix_init(&f, 1, 96 * MIB);
	ext = fix_add_lun(&f, &shape, "")->ext;
	ext.plexes_len = 1;
	ext.slots_len = 12;
	memset(ext.name, 'n', 40);
	out = malloc(ddf_sections_bytes(&f.layout));
	assert_non_null(out);
	/* LUNs of twelve members with names of forty bytes: hundreds of them must fit. */
	for (; luns < 1023; luns++) {
		struct ddf_vd *vd;

		bytes_put_be(guid.b, 4, luns);
		vd = ddf_set_add_vd(&f.set, &guid);
		assert_non_null(vd);
		vd->ext = ext;
		if (luns % 50 == 0 && ddf_encode_sections(&f.set, &f.drives[0], &f.layout, out,
					      ddf_sections_bytes(&f.layout), &err))
			break;
	}
	assert_true(luns >= 550 && luns < 1023);
	assert_int_equal(err.code, -ENOSPC);
	free(out);
	fix_free(&f);
}

static void what_drives_held_reads_back(void **state)
{
	struct ddf_image image;
	uint8_t *copy;
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	fix_fill(&f);
	f.set.pds.items[1].ext.seq = 4711;
	f.set.base_seq = 4709;
	copy = fix_copy(&f, 0, DDF_PRIMARY, false);
	image = decode(&f, copy);
	assert_int_equal(image.sections[DDF_SEC_VENDOR], DDF_GOOD);
	assert_int_equal(image.set.base_seq, 4709);
	for (size_t i = 0; i < image.set.pds.len; i++)
		assert_int_equal(image.set.pds.items[i].ext.seq, i == 1 ? 4711 : 0);
	ddf_image_free(&image);
	free(copy);
	fix_free(&f);
}

static void members_that_are_moved_read_back(void **state)
{
	struct ddf_vd_twin twins[2] = {{.slot = 1, .refnum = 77, .lba = 4096, .blocks = 2048},
		{.slot = 0, .refnum = 78, .lba = 1ull << 40, .blocks = 1}};
	struct ddf_image image;
	struct ddf_vd *vd;
	uint8_t *copy, *record;
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	fix_fill(&f);
	vd = &f.set.vds.items[0];
	assert_true(vd->ext.present && vd->ext.slots_len >= 2);
	memcpy(vd->ext.twins, twins, sizeof(twins));
	vd->ext.twins_len = 2;
	copy = fix_copy(&f, 0, DDF_PRIMARY, false);
	image = decode(&f, copy);
	assert_int_equal(image.sections[DDF_SEC_VENDOR], DDF_GOOD);
	assert_int_equal(image.set.vds.items[0].ext.twins_len, 2);
	for (unsigned i = 0; i < 2; i++) {
		const struct ddf_vd_twin *t = &image.set.vds.items[0].ext.twins[i];

		assert_true(t->slot == twins[i].slot && t->refnum == twins[i].refnum);
		assert_true(t->lba == twins[i].lba && t->blocks == twins[i].blocks);
	}
	assert_int_equal(image.set.vds.items[1].ext.twins_len, 0);
	ddf_image_free(&image);
	/* two for one slot, or one for a slot that there is not */
	record = memmem(copy + VENDOR * 512, 512 * 512, "\0\7\0\0\0\0\0\60", 8);
	assert_non_null(record);
	for (unsigned slot = 0; slot < 64; slot += 32) {
		bytes_put_be(record + 8 + 24, 2, slot);
		fix_crc(copy + VENDOR * 512, 512 * 512);
		image = decode(&f, copy);
		assert_int_equal(image.sections[DDF_SEC_VENDOR], DDF_DAMAGED);
		ddf_image_free(&image);
	}
	free(copy);
	fix_free(&f);
}

/* Whatever was accepted, the loss of every drive still fits. */
static void room_is_kept_for_losses(void **state)
{
	struct raid_shape shape = fix_shape(RAID_SIMPLE, 1, 1);
	struct ddf_guid guid = {{0}};
	struct ddf_vd_ext ext;
	struct ddf_pd *pd;
	size_t len;
	uint8_t *out;
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	ext = fix_add_lun(&f, &shape, "")->ext;
	ext.plexes_len = 1;
	ext.slots_len = 60;
	len = ddf_sections_bytes(&f.layout);
	out = malloc(len);
	assert_non_null(out);
	vec_for_each(&f.set.pds, pd)
		memset(&pd->ext, 0, sizeof(pd->ext));
	for (unsigned luns = 1; !ddf_encode_shared(&f.set, &f.layout, out, len, NULL); luns++) {
		struct ddf_vd *vd;

		assert_true(luns < 1023);
		bytes_put_be(guid.b, 4, luns);
		vd = ddf_set_add_vd(&f.set, &guid);
		assert_non_null(vd);
		vd->ext = ext;
	}
	/* The next smaller set was taken; so is one that is larger by all that losses add. */
	f.set.vds.items[f.set.vds.len - 1].ext.slots_len = 0;
	while (!ddf_encode_shared(&f.set, &f.layout, out, len, NULL))
		f.set.vds.items[f.set.vds.len - 1].ext.slots_len++;
	f.set.vds.items[f.set.vds.len - 1].ext.slots_len--;
	assert_int_equal(ddf_encode_shared(&f.set, &f.layout, out, len, NULL), 0);
	vec_for_each(&f.set.pds, pd) {
		pd->ext.present = true;
		pd->ext.seq = 5;
	}
	f.set.base_seq = 9;
	assert_int_equal(ddf_encode_shared(&f.set, &f.layout, out, len, NULL), 0);
	free(out);
	fix_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_records_are_kept),
		cmocka_unit_test(malformed_records_are_damage),
		cmocka_unit_test(hostile_counts_are_damage),
		cmocka_unit_test(records_of_what_is_gone_are_dropped),
		cmocka_unit_test(other_makers_sections_are_left_alone),
		cmocka_unit_test(a_full_section_is_refused_not_cut),
		cmocka_unit_test(what_drives_held_reads_back),
		cmocka_unit_test(members_that_are_moved_read_back),
		cmocka_unit_test(room_is_kept_for_losses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
