/* SPDX-License-Identifier: Apache-2.0 */
#include "ddf_fixture.h"

static void decode(const struct fix *f, const uint8_t *copy, size_t len, struct ddf_image *image)
{
	struct err err = {0};

	if (ddf_decode_copy(copy, len, &f->layout, &f->set.container, DDF_PRIMARY, image, &err))
		fail_msg("%s", err.text);
}

static void a_set_reads_back(void **state)
{
	struct ddf_image image;
	struct fix f;

	(void)state;
	fix_init(&f, 3, 2048 * MIB);
	fix_fill(&f);
	f.set.vds.items[1].place = 40; /* tables may have holes */
	for (unsigned i = 0; i < 3; i++) {
		uint8_t *copy = fix_copy(&f, i, DDF_PRIMARY, i == 1);

		decode(&f, copy, fix_copy_len(&f), &image);
		assert_true(fix_all_good(&image));
		assert_true(fix_same(&image, &f.layout, copy, DDF_PRIMARY));
		assert_int_equal(image.open, i == 1);
		assert_int_equal(image.set.seq, 7);
		assert_string_equal(image.set.name, f.set.name);
		assert_int_equal(image.set.pds.len, 3);
		assert_memory_equal(image.set.pds.items, f.set.pds.items, 3 * sizeof(struct ddf_pd));
		assert_int_equal(image.set.vds.len, 2);
		assert_memory_equal(ddf_set_vd(&image.set, &f.set.vds.items[0].guid), &f.set.vds.items[0],
			sizeof(struct ddf_vd));
		assert_memory_equal(ddf_set_vd(&image.set, &f.set.vds.items[1].guid), &f.set.vds.items[1],
			sizeof(struct ddf_vd));
		assert_int_equal(image.drive.refnum, f.drives[i].refnum);
		assert_true(ddf_guid_equal(&image.drive.guid, &f.drives[i].guid));
		assert_int_equal(image.drive.confs.len, f.drives[i].confs.len);
		assert_memory_equal(image.drive.confs.items, f.drives[i].confs.items,
			image.drive.confs.len * sizeof(struct ddf_conf));
		assert_memory_equal(&image.drive.spare, &f.drives[i].spare, sizeof(image.drive.spare));
		ddf_image_free(&image);
		free(copy);
	}
	fix_free(&f);
}

static void every_level_reads_back_from_every_member(void **state)
{
	static const struct {
		enum raid_level level;
		unsigned members, groups;
	} luns[] = {{RAID_SIMPLE, 1, 1}, {RAID_SPAN, 4, 1}, {RAID_STRIPE, 4, 1}, {RAID_MIRROR, 2, 1},
		{RAID_MIRROR, 3, 1}, {RAID_MIRROR, 5, 1}, {RAID_RAID10, 6, 3}, {RAID_RAID5, 12, 1},
		{RAID_RAID6, 4, 1}, {RAID_RAID50, 6, 2}, {RAID_RAID60, 8, 2}};
	struct fix f;

	(void)state;
	fix_init(&f, 12, 2048 * MIB);
	for (size_t i = 0; i < sizeof(luns) / sizeof(luns[0]); i++) {
		struct raid_shape shape = fix_shape(luns[i].level, luns[i].members, luns[i].groups);

		fix_add_lun(&f, &shape, "lun");
	}
	for (unsigned d = 0; d < 12; d++) {
		uint8_t *copy = fix_copy(&f, d, DDF_PRIMARY, false);
		struct ddf_image image;

		decode(&f, copy, fix_copy_len(&f), &image);
		for (size_t i = 0; i < sizeof(luns) / sizeof(luns[0]); i++) {
			const struct ddf_conf *conf = ddf_drive_conf(&image.drive, &f.set.vds.items[i].guid);
			struct raid_shape shape;

			assert_int_equal(!!conf, d < luns[i].members);
			if (!conf)
				continue;
			assert_int_equal(ddf_level_decode(conf, &shape, NULL), 0);
			assert_int_equal(shape.level, luns[i].level);
			assert_int_equal(shape.members, luns[i].members);
			assert_int_equal(conf->leg, d / conf->members);
			assert_int_equal(conf->refnums[d % conf->members], f.drives[d].refnum);
		}
		ddf_image_free(&image);
		free(copy);
	}
	fix_free(&f);
}

/* True when a damaged copy was noticed, or says the same as before. */
static bool noticed(const struct fix *f, const uint8_t *copy, const uint8_t *before)
{
	struct ddf_image image;
	bool ok;

	if (ddf_decode_copy(copy, fix_copy_len(f), &f->layout, &f->set.container, DDF_PRIMARY, &image, NULL))
		return true;
	ok = !fix_all_good(&image) || fix_same(&image, &f->layout, before, DDF_PRIMARY);
	ddf_image_free(&image);
	return ok;
}

static void every_damaged_byte_is_noticed(void **state)
{
	struct ddf_layout small = fix_small_layout();
	uint8_t *copy, *before;
	struct fix f;

	(void)state;
	fix_init_layout(&f, 3, &small);
	fix_fill(&f);
	copy = fix_copy(&f, 2, DDF_PRIMARY, false);
	before = fix_copy(&f, 2, DDF_PRIMARY, false);
	for (size_t i = 0; i < fix_copy_len(&f); i++) {
		uint8_t good = copy[i];

		for (unsigned k = 0; k < 3; k++) {
			copy[i] = (uint8_t)(k == 0 ? good ^ 1u << (i % 8) : k == 1 ? ~(unsigned)good : 0);
			if (copy[i] != good && !noticed(&f, copy, before))
				fail_msg("byte %zu, %02X instead of %02X, went unnoticed", i, copy[i], good);
		}
		copy[i] = good;
	}
	free(copy);
	free(before);
	fix_free(&f);
}

static void damage_is_noticed_in_the_usual_layout(void **state)
{
	uint8_t *copy, *before;
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	fix_fill(&f);
	copy = fix_copy(&f, 1, DDF_PRIMARY, false);
	before = fix_copy(&f, 1, DDF_PRIMARY, false);
	for (size_t i = 0; i < fix_copy_len(&f); i += 199) {
		copy[i] ^= 0x40;
		assert_true(noticed(&f, copy, before));
		copy[i] ^= 0x40;
	}
	free(copy);
	free(before);
	fix_free(&f);
}

static void truncated_copies_lose_their_end_only(void **state)
{
	struct ddf_image image;
	uint8_t *copy;
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	fix_fill(&f);
	copy = fix_copy(&f, 0, DDF_PRIMARY, false);
	for (size_t len = 0; len <= fix_copy_len(&f); len += 512) {
		uint8_t *cut = malloc(len ? len : 1); /* of its own, for the sanitizer */

		assert_non_null(cut);
		memcpy(cut, copy, len);
		if (len < 512) {
			assert_int_equal(ddf_decode_copy(cut, len, &f.layout, &f.set.container, DDF_PRIMARY, &image,
						 NULL),
				-EUCLEAN);
		} else {
			decode(&f, cut, len, &image);
			for (unsigned i = 0; i < DDF_SECTIONS; i++) {
				const struct ddf_section *s = &f.layout.sections[i];

				assert_int_equal(image.sections[i],
					!s->length ? DDF_ABSENT
						: (s->offset + s->length) * 512ull <= len ? DDF_GOOD
											  : DDF_DAMAGED);
			}
			ddf_image_free(&image);
		}
		free(cut);
	}
	free(copy);
	fix_free(&f);
}

/* Each position, count and section that an anchor and a header both tell. */
static void headers_must_tell_the_anchors_places(void **state)
{
	static const unsigned fields[] = {39, 103, 111, 119, 127, 129, 131, 133, 135, 137, 195, 203, 211, 219,
		227, 231, 251, 255};
	struct ddf_layout l = fix_small_layout();
	struct fix f;

	(void)state;
	for (unsigned i = 0; i < DDF_SECTIONS; i++) /* every field may change by one and still be legal */
		l.sections[i].offset += l.sections[i].length ? 4 * i + 2 : 0;
	l.copy_sectors += 4 * DDF_SEC_VENDOR + 2;
	l.max_pds = l.max_vds = l.mppe = 12;
	l.conf_sectors = 3;
	l.sections[DDF_SEC_CONFS].length = 13;
	l.workspace_len -= 100;
	fix_init_layout(&f, 1, &l);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		for (int by = -1; by <= 1; by++) {
			uint8_t *copy = fix_copy(&f, 0, DDF_PRIMARY, false);
			struct ddf_image image;
			int rc;

			copy[fields[i]] = (uint8_t)(copy[fields[i]] + by);
			fix_crc(copy, 512);
			rc = ddf_decode_copy(copy, fix_copy_len(&f), &l, &f.set.container, DDF_PRIMARY, &image, NULL);
			if (rc != (by ? -EUCLEAN : 0))
				fail_msg("byte %u of the header may change by %d", fields[i], by);
			if (!rc)
				ddf_image_free(&image);
			free(copy);
		}
	fix_free(&f);
}

static void headers_must_agree_with_the_anchor(void **state)
{
	struct ddf_guid other = {{9}};
	struct ddf_layout moved;
	struct ddf_image image;
	struct err err = {0};
	uint8_t *copy;
	struct fix f;

	(void)state;
	fix_init(&f, 1, 96 * MIB);
	copy = fix_copy(&f, 0, DDF_PRIMARY, false);
	assert_int_equal(ddf_decode_copy(copy, fix_copy_len(&f), &f.layout, &other, DDF_PRIMARY, &image, &err),
		-EUCLEAN);
	assert_string_equal(err.text, "The DDF primary header contradicts the anchor.");
	assert_int_equal(ddf_decode_copy(copy, fix_copy_len(&f), &f.layout, &f.set.container, DDF_SECONDARY,
				 &image, &err),
		-EUCLEAN);
	moved = f.layout;
	moved.secondary -= 8;
	assert_int_equal(ddf_decode_copy(copy, fix_copy_len(&f), &moved, &f.set.container, DDF_PRIMARY, &image,
				 &err),
		-EUCLEAN);
	assert_int_equal(ddf_decode_copy(NULL, 0, &f.layout, &f.set.container, DDF_PRIMARY, &image, &err),
		-EUCLEAN);
	free(copy);
	fix_free(&f);
}

/* Sets of other makers differ in counts; slots of a record may be unused in the middle. */
static void other_dimensions_read_back(void **state)
{
	static const uint16_t counts[] = {15, 63, 255, 1023, 4095}, mppes[] = {16, 64, 256, 1024, 4096};

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		for (unsigned j = 0; j < 5; j++) {
			struct ddf_layout l = fix_small_layout();
			struct ddf_layout back;
			struct ddf_guid container;
			struct ddf_image image;
			uint8_t anchor[512], *copy;
			uint32_t at = 2;
			struct fix f;

			l.max_pds = counts[i];
			l.max_vds = counts[4 - i];
			l.mppe = mppes[j];
			l.conf_sectors = (uint16_t)(1 + (12u * l.mppe + 511) / 512);
			l.max_confs = l.mppe == 4096 ? 8 : 32;
			l.sections[DDF_SEC_PDS] = (struct ddf_section){at, (64u + 64u * l.max_pds + 511) / 512};
			at += l.sections[DDF_SEC_PDS].length;
			l.sections[DDF_SEC_VDS] = (struct ddf_section){at, (64u + 64u * l.max_vds + 511) / 512};
			at += l.sections[DDF_SEC_VDS].length;
			l.sections[DDF_SEC_CONFS] = (struct ddf_section){at, l.conf_sectors * (l.max_confs + 1u)};
			at += l.sections[DDF_SEC_CONFS].length;
			l.sections[DDF_SEC_DRIVE] = (struct ddf_section){at++, 1};
			l.sections[DDF_SEC_VENDOR] = (struct ddf_section){0};
			l.copy_sectors = at;
			l.sectors = 1 << 20;
			l.primary = l.sectors - 8192;
			l.secondary = l.sectors - 16384;
			l.workspace = 1 << 19;
			l.workspace_len = 32768;
			memcpy(l.revision, "01.00.00", 9);
			fix_init_layout(&f, 3, &l);
			fix_fill(&f);
			ddf_encode_header(&f.set, &l, DDF_ANCHOR, false, anchor);
			if (l.sections[DDF_SEC_CONFS].length > DDF_SECTION_MAX_SECTORS) {
				assert_int_equal(ddf_anchor_decode(anchor, l.sectors, &back, &container, NULL), -ENOTSUP);
				fix_free(&f);
				continue;
			}
			assert_int_equal(ddf_anchor_decode(anchor, l.sectors, &back, &container, NULL), 0);
			f.layout = back;
			copy = fix_copy(&f, 2, DDF_PRIMARY, false);
			decode(&f, copy, fix_copy_len(&f), &image);
			assert_true(fix_all_good(&image));
			assert_int_equal(image.sections[DDF_SEC_VENDOR], DDF_ABSENT);
			assert_int_equal(image.set.vds.len, 2);
			assert_false(image.set.vds.items[0].ext.present);
			assert_int_equal(image.drive.confs.len, 1);
			assert_true(image.drive.spare.present);
			assert_true(fix_same(&image, &f.layout, copy, DDF_PRIMARY));
			ddf_image_free(&image);
			free(copy);
			fix_free(&f);
		}
}

static void unused_slots_between_members_are_skipped(void **state)
{
	struct ddf_image image;
	const struct ddf_conf *conf;
	uint8_t *copy, *record, *refnums, *lbas;
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	fix_fill(&f);
	copy = fix_copy(&f, 0, DDF_PRIMARY, false);
	record = copy + 258 * 512;
	refnums = record + 512;
	lbas = refnums + 1024;
	memmove(refnums + 8, refnums + 4, 8); /* slot 1 and 2 move to 2 and 3 */
	memset(refnums + 4, 0xFF, 4);
	bytes_put_be(lbas + 8, 8, 1);
	bytes_put_be(lbas + 16, 8, 5000);
	bytes_put_be(lbas + 24, 8, 6000);
	fix_crc(record, 7 * 512);
	decode(&f, copy, fix_copy_len(&f), &image);
	assert_true(fix_all_good(&image));
	conf = &image.drive.confs.items[0];
	assert_int_equal(conf->members, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(conf->refnums[i], f.drives[i].refnum);
	assert_int_equal(conf->lbas[1], 5000);
	assert_int_equal(conf->lbas[2], 6000);
	ddf_image_free(&image);
	memset(refnums + 12, 0xFF, 4); /* one too few: it is missing */
	fix_crc(record, 7 * 512);
	decode(&f, copy, fix_copy_len(&f), &image);
	assert_int_equal(image.drive.confs.items[0].refnums[2], DDF_MISSING);
	ddf_image_free(&image);
	free(copy);
	fix_free(&f);
}

static void records_beyond_the_limits_are_skipped(void **state)
{
	static const struct {
		unsigned at;
		int len;
		uint64_t value;
	} cases[] = {{64, 2, 0}, {64, 2, 257}, {64, 2, 65535}, {69, 2, 0x0202}, {69, 2, 0x0205},
		{0, 4, 0x88888888}, {0, 4, 0x12345678}};
	struct ddf_image image;
	uint8_t *copy, *record;
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	fix_fill(&f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		copy = fix_copy(&f, 0, DDF_PRIMARY, false);
		record = copy + 258 * 512;
		bytes_put_be(record + cases[i].at, cases[i].len, cases[i].value);
		fix_crc(record, 7 * 512);
		decode(&f, copy, fix_copy_len(&f), &image);
		assert_int_equal(image.unknown_confs, 1);
		assert_int_equal(image.drive.confs.len, 1);
		assert_int_equal(image.sections[DDF_SEC_CONFS], DDF_GOOD);
		ddf_image_free(&image);
		free(copy);
	}
	fix_free(&f);
}

static void entries_named_twice_count_once(void **state)
{
	struct ddf_image image;
	uint8_t *copy, *pds, *vds;
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	fix_fill(&f);
	copy = fix_copy(&f, 0, DDF_PRIMARY, false);
	pds = copy + 2 * 512;
	vds = copy + 130 * 512;
	memcpy(pds + 64 * 10, pds + 64, 64);
	memcpy(pds + 64 * 11, pds + 64, 64);
	memset(pds + 64 * 11, 7, 24); /* another drive, the same reference number */
	memcpy(vds + 64 * 10, vds + 64, 64);
	memcpy(pds + 64 * 12, pds + 64, 64);
	memset(pds + 64 * 12, 8, 24);
	bytes_put_be(pds + 64 * 12 + 24, 4, 0); /* "missing" is nobody's number */
	fix_crc(pds, 128 * 512);
	fix_crc(vds, 128 * 512);
	decode(&f, copy, fix_copy_len(&f), &image);
	assert_int_equal(image.set.pds.len, 3);
	assert_int_equal(image.set.vds.len, 2);
	ddf_image_free(&image);
	free(copy);
	fix_free(&f);
}

/* Good CRCs over random content: nothing may be believed that is not there. */
static void random_sections_do_no_harm(void **state)
{
	struct ddf_layout small = fix_small_layout();
	struct fix f;

	(void)state;
	fix_init_layout(&f, 3, &small);
	fix_fill(&f);
	for (unsigned round = 0; round < 3000; round++) {
		uint8_t *copy = fix_copy(&f, round % 3, DDF_PRIMARY, false);
		struct ddf_image image;

		for (unsigned i = 1; i < small.copy_sectors; i++) {
			uint8_t *sector = copy + i * 512u;

			for (unsigned n = (unsigned)rng_below(&f.rng, 8); n--;)
				sector[8 + rng_below(&f.rng, 504)] = (uint8_t)rng_next(&f.rng);
			if (!rng_below(&f.rng, 20))
				rng_bytes(&f.rng, sector + 8, 504);
		}
		for (unsigned i = 0; i < DDF_SECTIONS; i++)
			if (i != DDF_SEC_CONFS && small.sections[i].length)
				fix_crc(copy + small.sections[i].offset * 512u, small.sections[i].length * 512u);
		for (unsigned i = 0; i < 5; i++)
			fix_crc(copy + (6 + 2 * i) * 512u, 1024);
		decode(&f, copy, fix_copy_len(&f), &image);
		for (size_t i = 0; i < image.drive.confs.len; i++)
			assert_true(image.drive.confs.items[i].members <= small.mppe);
		ddf_image_free(&image);
		free(copy);
	}
	fix_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_reads_back),
		cmocka_unit_test(every_level_reads_back_from_every_member),
		cmocka_unit_test(every_damaged_byte_is_noticed),
		cmocka_unit_test(damage_is_noticed_in_the_usual_layout),
		cmocka_unit_test(truncated_copies_lose_their_end_only),
		cmocka_unit_test(headers_must_tell_the_anchors_places),
		cmocka_unit_test(headers_must_agree_with_the_anchor),
		cmocka_unit_test(other_dimensions_read_back),
		cmocka_unit_test(unused_slots_between_members_are_skipped),
		cmocka_unit_test(records_beyond_the_limits_are_skipped),
		cmocka_unit_test(entries_named_twice_count_once),
		cmocka_unit_test(random_sections_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
