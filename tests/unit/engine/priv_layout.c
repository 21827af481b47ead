/* SPDX-License-Identifier: Apache-2.0 */
#include "ddf_fixture.h"

#include "engine/priv.h"

static void areas_follow_each_other_inside(void **state)
{
	static const uint64_t sizes[] = {64 * MIB, 64 * MIB + 512, 96 * MIB, 823 * MIB, 824 * MIB, 1023 * MIB,
		1024 * MIB - 512, 1024 * MIB, 2048 * MIB, 100000 * MIB + 1536, 16ull << 40, 1ull << 50};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct ddf_layout ddf;
		struct priv_layout l;

		assert_int_equal(ddf_layout_plan(sizes[i], &ddf, NULL), 0);
		assert_int_equal(priv_layout_plan(&ddf, &l, NULL), 0);
		assert_int_equal(l.base_bytes, ddf.workspace * 512);
		assert_true(l.base_bytes + l.blocks * PRIV_BLOCK <= ddf.secondary * 512);
		assert_int_equal(l.bitmap.start, PRIV_BITMAP_BLOCK);
		assert_int_equal(l.bitmap.len, PRIV_BITMAP_SLOTS * l.bitmap_slot_blocks);
		assert_int_equal(l.log.start, l.bitmap.start + l.bitmap.len);
		assert_int_equal(l.checksums.start, l.log.start + l.log.len);
		assert_int_equal(l.checksums.start + l.checksums.len, l.blocks);
		/* four bytes for every 4 KiB that can hold data */
		assert_true(l.checksums.len * PRIV_BLOCK >= ddf.workspace / 8 * 4);
		if (sizes[i] < DDF_COMPACT_BELOW_BYTES) {
			assert_int_equal(l.bitmap_slot_blocks, 8);
			assert_int_equal(l.log.len, 256);
		} else {
			assert_int_equal(l.bitmap_slot_blocks, 64);
			assert_int_equal(l.log.len, 4096);
		}
		assert_int_equal(priv_bitmap_offset(&l, 0), l.base_bytes + 50 * 4096);
		assert_int_equal(priv_bitmap_offset(&l, 63) + priv_bitmap_bytes(&l),
			priv_block_offset(&l, l.log.start));
	}
}

static void what_an_anchor_says_gives_the_same_places(void **state)
{
	static const uint64_t sizes[] = {96 * MIB, 1023 * MIB, 3000 * MIB};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct priv_layout a, b;
		struct ddf_layout back;
		struct ddf_guid container;
		uint8_t sector[512];
		struct fix f;

		fix_init(&f, 1, sizes[i]);
		ddf_encode_header(&f.set, &f.layout, DDF_ANCHOR, false, sector);
		assert_int_equal(ddf_anchor_decode(sector, sizes[i] / 512, &back, &container, NULL), 0);
		assert_int_equal(priv_layout_plan(&f.layout, &a, NULL), 0);
		assert_int_equal(priv_layout_plan(&back, &b, NULL), 0);
		assert_memory_equal(&a, &b, sizeof(a));
		fix_free(&f);
	}
}

/* The bitmap of the largest LUN that a drive can be in must fit its slot. */
static void the_largest_bitmap_fits_its_slot(void **state)
{
	struct ddf_layout ddf;
	struct priv_layout l;
	struct raid_shape shape = {.level = RAID_RAID5, .members = 64, .groups = 1, .chunk = 65536};

	(void)state;
	assert_int_equal(ddf_layout_plan(1024 * MIB - 512, &ddf, NULL), 0);
	assert_int_equal(priv_layout_plan(&ddf, &l, NULL), 0);
	shape.member_size = ddf_layout_usable_bytes(&ddf);
	assert_true(raid_bitmap_bytes(&shape) <= priv_bitmap_bytes(&l));
	assert_int_equal(ddf_layout_plan(20ull << 40, &ddf, NULL), 0);
	assert_int_equal(priv_layout_plan(&ddf, &l, NULL), 0);
	shape.member_size = ddf_layout_usable_bytes(&ddf);
	assert_true(raid_bitmap_bytes(&shape) <= priv_bitmap_bytes(&l));
}

static void foreign_drives_without_room_are_refused(void **state)
{
	struct ddf_layout ddf;
	struct priv_layout l;
	struct err err = {0};

	(void)state;
	assert_int_equal(ddf_layout_plan(96 * MIB, &ddf, NULL), 0);
	ddf.workspace_len = 0;
	assert_int_equal(priv_layout_plan(&ddf, &l, &err), -ENOTSUP);
	ddf.workspace_len = 818 * 8;
	assert_int_equal(priv_layout_plan(&ddf, &l, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "too small"));
	ddf.workspace_len = 819 * 8;
	assert_int_equal(priv_layout_plan(&ddf, &l, NULL), 0);
	ddf.workspace++; /* blocks begin at a multiple of 4 KiB on the drive */
	assert_int_equal(priv_layout_plan(&ddf, &l, &err), -ENOTSUP);
	ddf.workspace_len = 32 * 2048;
	assert_int_equal(priv_layout_plan(&ddf, &l, NULL), 0);
	assert_int_equal(l.base_bytes % 4096, 0);
	assert_true(l.base_bytes >= ddf.workspace * 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(areas_follow_each_other_inside),
		cmocka_unit_test(what_an_anchor_says_gives_the_same_places),
		cmocka_unit_test(the_largest_bitmap_fits_its_slot),
		cmocka_unit_test(foreign_drives_without_room_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
