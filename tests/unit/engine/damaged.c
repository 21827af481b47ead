/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An array whose metadata has been damaged while it was closed: any place in one copy, an anchor,
 * a private superblock. It must open with every LUN healthy, and mend what was damaged.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine/priv.h"
#include "fixture.h"

#define MB    (1024u * 1024u)
#define DRIVE 1

static const unsigned slots[] = {0, 1, 2, 3};
static struct ddf_layout layout;
static struct guid the_lun;

static void make(struct fx *f)
{
	the_lun = fx_lun(f, ENG_LUN_RAID5, 16, slots, 4);
	fx_fill(f, &the_lun, 0, 4 * MB, 3);
	fx_close(f);
}

static void spoil(struct fx *f, uint64_t at, size_t len)
{
	uint8_t *bytes = malloc(len);

	assert_non_null(bytes);
	blk_medium_read(f->media[DRIVE], at, bytes, len);
	for (size_t i = 0; i < len; i++)
		bytes[i] ^= 0x55;
	blk_medium_write(f->media[DRIVE], at, bytes, len);
	free(bytes);
}

/* The drive's metadata is whole again: anchor and both copies. */
static void check_mended(struct fx *f)
{
	size_t len = (size_t)layout.copy_sectors * 512;
	uint8_t *copies = malloc(2 * len), anchor[512];
	struct ddf_layout found;
	struct ddf_guid container;
	struct ddf_image image;

	assert_non_null(copies);
	blk_medium_read(f->media[DRIVE], (layout.sectors - 1) * 512, anchor, sizeof(anchor));
	assert_int_equal(ddf_anchor_decode(anchor, layout.sectors, &found, &container, NULL), 0);
	blk_medium_read(f->media[DRIVE], layout.primary * 512, copies, len);
	blk_medium_read(f->media[DRIVE], layout.secondary * 512, copies + len, len);
	assert_int_equal(ddf_load(copies, len, copies + len, len, &found, &container, &image, NULL), 0);
	assert_string_equal(image.note, "");
	assert_false(image.repair);
	ddf_image_free(&image);
	free(copies);
}

static void open_and_check(struct fx *f)
{
	struct eng_drive_info drive;

	fx_open(f);
	drive = fx_drive_info(f, DRIVE);
	if (drive.state != ENG_DRIVE_ONLINE)
		fail_msg("%s", drive.note);
	assert_int_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_HEALTHY);
	fx_check(f, &the_lun, 0, 4 * MB, 3);
	fx_close(f);
	check_mended(f);
}

static void every_section(struct fx *f)
{
	make(f);
	for (unsigned copy = 0; copy < 2; copy++) {
		uint64_t base = (copy ? layout.secondary : layout.primary) * 512;

		spoil(f, base + 60, 8); /* the header */
		open_and_check(f);
		for (unsigned i = 0; i < DDF_SECTIONS; i++) {
			if (!layout.sections[i].length)
				continue;
			spoil(f, base + layout.sections[i].offset * 512ull + 100, 8);
			open_and_check(f);
		}
		spoil(f, base, layout.copy_sectors * 512ull);
		open_and_check(f);
	}
}

static void different_sections(struct fx *f)
{
	make(f);
	spoil(f, (layout.primary + layout.sections[DDF_SEC_PDS].offset) * 512, 512);
	spoil(f, (layout.primary + layout.sections[DDF_SEC_VENDOR].offset) * 512, 512);
	spoil(f, (layout.secondary + layout.sections[DDF_SEC_CONFS].offset) * 512, 512);
	open_and_check(f);
}

static void an_anchor(struct fx *f)
{
	uint64_t at = (layout.sectors - 1) * 512;

	make(f);
	spoil(f, at + 200, 1);
	open_and_check(f);
	spoil(f, at + 4, 400); /* and the primary header with it */
	spoil(f, layout.primary * 512, 512);
	open_and_check(f);
}

/* Without magic nothing tells of an array: the drive has been cleared, or is somebody else's. */
static void a_cleared_anchor(struct fx *f)
{
	uint8_t zero[512] = {0};

	make(f);
	blk_medium_write(f->media[DRIVE], (layout.sectors - 1) * 512, zero, sizeof(zero));
	fx_open(f);
	assert_int_not_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_HEALTHY);
	fx_check(f, &the_lun, 0, 4 * MB, 3);
	fx_close(f);
}

/* The content of a drive on a medium of another size. */
static void resize(struct fx *f, uint64_t bytes)
{
	struct blk_medium *other;
	uint8_t *buf = malloc(MB);

	assert_non_null(buf);
	assert_int_equal(blk_medium_new(bytes, 512, &other), 0);
	for (uint64_t at = 0; at < bytes && at < 96 * MB; at += MB) {
		blk_medium_read(f->media[DRIVE], at, buf, MB);
		blk_medium_write(other, at, buf, MB);
	}
	free(buf);
	blk_medium_free(f->media[DRIVE]);
	f->media[DRIVE] = other;
}

/* Neither a grown nor a shortened drive may be taken for a blank one and be formatted. */
static void another_size(struct fx *f)
{
	static const uint64_t sizes[] = {200 * MB, 80 * MB};

	make(f);
	for (unsigned i = 0; i < 2; i++) {
		struct blk_medium *whole;
		struct err err = {0};
		struct guid id;

		assert_int_equal(blk_medium_clone(f->media[DRIVE], &whole), 0);
		resize(f, sizes[i]);
		fx_open(f);
		assert_int_not_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_HEALTHY);
		fx_check(f, &the_lun, 0, 4 * MB, 3);
		assert_int_equal(eng_drive_add(f->array, &f->bays[DRIVE], &id, &err), -EMEDIUMTYPE);
		assert_non_null(strstr(err.text, i ? "cut short" : "has grown"));
		fx_close(f);
		blk_medium_free(f->media[DRIVE]);
		f->media[DRIVE] = whole;
		fx_open(f);
		fx_wait_idle(f, &the_lun);
		assert_int_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_HEALTHY);
		fx_close(f);
	}
}

/* Two drives of one identity: neither is used, and both are to be seen, each for itself. */
static void a_clone(struct fx *f)
{
	struct guid *ids;
	unsigned n, foreign = 0;

	make(f);
	blk_medium_free(f->media[4]);
	assert_int_equal(blk_medium_clone(f->media[DRIVE], &f->media[4]), 0);
	fx_open(f);
	fx_check(f, &the_lun, 0, 4 * MB, 3);
	assert_int_equal(eng_drive_list(f->array, &ids, &n), 0);
	assert_int_equal(n, 7); /* the five, of which two are away, and two that are set aside */
	for (unsigned i = 0; i < n; i++) {
		struct eng_drive_info info;

		assert_int_equal(eng_drive_info(f->array, &ids[i], &info), 0);
		foreign += info.state == ENG_DRIVE_FOREIGN;
		if (info.state == ENG_DRIVE_FOREIGN)
			assert_non_null(strstr(info.note, "same identity"));
		for (unsigned j = 0; j < i; j++)
			assert_false(guid_equal(&ids[i], &ids[j]));
	}
	assert_int_equal(foreign, 2);
	free(ids);
	fx_close(f);
}

static void a_private_superblock(struct fx *f)
{
	struct priv_layout priv;

	assert_int_equal(priv_layout_plan(&layout, &priv, NULL), 0);
	make(f);
	for (unsigned copy = 0; copy < 2; copy++) {
		spoil(f, priv_block_offset(&priv, copy) + 20, 8);
		fx_open(f);
		fx_wait_idle(f, &the_lun); /* the older superblock may be that of an open array */
		assert_int_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_HEALTHY);
		fx_check(f, &the_lun, 0, 4 * MB, 3);
		fx_close(f);
	}
}

static void run(void (*fn)(struct fx *f), uint64_t seed)
{
	struct fx f;

	assert_int_equal(ddf_layout_plan(96 * MB, &layout, NULL), 0);
	fx_init(&f, seed, 5, 96);
	fx_run(&f, fn);
	fx_fini(&f);
}

static void any_section_of_one_copy_may_be_damaged(void **state)
{
	(void)state;
	run(every_section, 1);
}

static void different_sections_of_both_may_be_damaged(void **state)
{
	(void)state;
	run(different_sections, 2);
}

static void a_damaged_anchor_is_written_anew(void **state)
{
	(void)state;
	run(an_anchor, 3);
}

static void a_cleared_anchor_is_respected(void **state)
{
	(void)state;
	run(a_cleared_anchor, 4);
}

static void one_private_superblock_may_be_damaged(void **state)
{
	(void)state;
	run(a_private_superblock, 5);
}

static void clones_are_seen_each_for_itself(void **state)
{
	(void)state;
	run(a_clone, 7);
}

static void a_drive_of_another_size_is_not_blank(void **state)
{
	(void)state;
	run(another_size, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_section_of_one_copy_may_be_damaged),
		cmocka_unit_test(different_sections_of_both_may_be_damaged),
		cmocka_unit_test(a_damaged_anchor_is_written_anew),
		cmocka_unit_test(a_cleared_anchor_is_respected),
		cmocka_unit_test(one_private_superblock_may_be_damaged),
		cmocka_unit_test(a_drive_of_another_size_is_not_blank),
		cmocka_unit_test(clones_are_seen_each_for_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
