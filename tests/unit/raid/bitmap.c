/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)

static const struct raid_shape mirror = RIG_SHAPE(RAID_MIRROR, 2, 1, 0, 256); /* 16 MiB */
static const struct raid_shape five = RIG_SHAPE(RAID_RAID5, 5, 1, 65536, 64); /* 16 MiB */
static const struct raid_options options = {.bitmap = true};
static uint8_t data[65536];

static bool durable(struct rig *r, uint64_t region)
{
	return r->image[region / 8] >> (region % 8) & 1;
}

static void sizes(void **state)
{
	struct raid_shape s = RIG_SHAPE(RAID_RAID5, 6, 1, 65536, 1000);

	(void)state;
	assert_int_equal(raid_region_size(&mirror), 4 * MIB);
	assert_int_equal(raid_region_size(&s) % raid_shape_row(&s), 0);
	assert_true(raid_region_size(&s) >= 4 * MIB);
	s.member_size = UINT64_C(4) << 40;
	assert_true(raid_shape_size(&s) / raid_region_size(&s) <= 1 << 20);
	assert_int_equal(raid_bitmap_bytes(&s), 2 * (1 << 20) / 8);
	assert_int_equal(raid_bitmap_bytes(&mirror), 8192);
}

static void a_write_marks_its_region_before_it_ends(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, 1, &five, &options);
	assert_int_equal(rig_write(&r, 9 * MIB, data, 4096, 0), 0);
	assert_int_equal(raid_dirty_regions(r.set), 1);
	assert_true(durable(&r, 9 * MIB / raid_region_size(&five)));
	assert_false(durable(&r, 0));
	assert_int_equal(r.bitmap_writes, 1);
	assert_int_equal(rig_write(&r, 9 * MIB + 8192, data, 4096, 0), 0);
	assert_int_equal(r.bitmap_writes, 1); /* once is enough */
	rig_fini(&r);
}

static void a_mark_that_cannot_be_kept_fails_the_write(void **state)
{
	uint8_t back[4096];
	struct rig r;

	(void)state;
	memset(data, 7, sizeof(data));
	rig_init(&r, 1, &five, &options);
	r.refuse = -ENOSPC;
	assert_int_equal(rig_write(&r, 0, data, 4096, 0), -ENOSPC);
	assert_int_equal(rig_read(&r, 0, back, 4096), 0);
	assert_int_equal(back[0], 0); /* and nothing was written */
	r.refuse = 0;
	assert_int_equal(rig_write(&r, 0, data, 4096, 0), 0);
	assert_true(durable(&r, 0));
	rig_fini(&r);
}

struct burst {
	struct rig *r;
	struct blk_slot slots[16];
};

static int spread(void *arg)
{
	struct burst *b = arg;
	struct blk_batch batch;

	blk_batch_init(&batch, b->slots, ARRAY_SIZE(b->slots));
	for (unsigned i = 0; i < 4; i++)
		blk_batch_write(
			&batch, raid_dev(b->r->set), i * raid_region_size(&five), data, 4096, 0);
	return blk_batch_wait(&batch);
}

static void marks_are_committed_in_groups(void **state)
{
	struct burst b;
	struct rig r;

	(void)state;
	rig_init(&r, 3, &five, &options);
	b.r = &r;
	assert_int_equal(rig_call(&r, spread, &b), 0);
	assert_true(r.bitmap_writes <= 2); /* the first one goes alone at worst */
	for (unsigned i = 0; i < 4; i++)
		assert_true(durable(&r, i));
	rig_fini(&r);
}

static int wait_a_second(void *arg)
{
	(void)arg;
	task_sleep_ms(1000);
	return 0;
}

static void idle_regions_settle(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, 4, &mirror, &options);
	assert_int_equal(rig_write(&r, 0, data, 4096, 0), 0);
	assert_int_equal(rig_settle(&r, 5000), 0); /* not yet */
	assert_true(durable(&r, 0));
	rig_call(&r, wait_a_second, NULL);
	assert_int_equal(rig_settle(&r, 500), 1);
	assert_false(durable(&r, 0));
	assert_int_equal(raid_dirty_regions(r.set), 0);
	assert_int_equal(r.member[0].stats->ops[BLK_FLUSH], 1); /* what was written is stable */
	rig_fini(&r);
}

static void nothing_settles_while_a_member_is_out(void **state)
{
	struct raid_member gone = {.state = RAID_MEMBER_MISSING};
	struct rig r;

	(void)state;
	rig_init(&r, 5, &mirror, &options);
	rig_set_member(&r, 1, &gone);
	assert_int_equal(rig_write(&r, 0, data, 4096, 0), 0);
	rig_call(&r, wait_a_second, NULL);
	assert_int_equal(rig_settle(&r, 0), 0);
	assert_true(durable(&r, 0));
	rig_fini(&r);
}

/* Settling flushes; a write that comes and goes meanwhile keeps its mark. */
struct race {
	struct rig *r;
	bool written;
	int settled;
};

static void settler(void *arg)
{
	struct race *race = arg;

	race->settled = raid_bitmap_settle(race->r->set, 0);
}

static int write_meanwhile(void *arg)
{
	struct race *race = arg;
	int rc = blk_write(raid_dev(race->r->set), 0, data, 4096, 0);

	blk_fault_add(race->r->member[0].faults, BLK_FAULT_UNREACHABLE, 0, 0); /* the flush hangs */
	task_spawn(race->r->loop, "settler", settler, race);
	task_sleep_ms(50);
	rc = rc ? rc : -(race->r->member[0].stats->ops[BLK_FLUSH] != 1);
	/* the second copy is all that is reachable: the write cannot end before the flush, so let
	 * both go in either order */
	blk_fault_clear(race->r->member[0].faults, BLK_FAULT_UNREACHABLE);
	rc = rc ? rc : blk_write(raid_dev(race->r->set), 4096, data, 4096, 0);
	task_sleep_ms(1000);
	return rc;
}

static void a_write_during_settling_keeps_the_mark(void **state)
{
	unsigned kept = 0;

	(void)state;
	for (unsigned seed = 0; seed < 40; seed++) {
		struct race race = {0};
		struct rig r;

		rig_init(&r, seed, &mirror, &options);
		race.r = &r;
		assert_int_equal(rig_call(&r, write_meanwhile, &race), 0);
		assert_true(race.settled >= 0);
		/* either the mark was cleared before the write, who then set it again, or kept */
		assert_int_equal(raid_dirty_regions(r.set), 1);
		assert_true(durable(&r, 0));
		kept += !race.settled;
		rig_fini(&r);
	}
	assert_true(kept > 0);
}

static void first_touch_zeroes_once(void **state)
{
	const struct raid_options fresh = {.bitmap = true, .unwritten = true};
	uint64_t zeroed;
	struct rig r;

	(void)state;
	rig_init(&r, 6, &five, &fresh);
	rig_fill_garbage(&r);
	assert_int_equal(rig_write(&r, 5 * MIB, data, 4096, 0), 0);
	zeroed = r.member[0].stats->bytes[BLK_ZERO];
	assert_int_equal(zeroed, raid_region_size(&five) / 4);
	assert_int_equal(rig_write(&r, 6 * MIB, data, 4096, 0), 0);
	assert_int_equal(r.member[0].stats->bytes[BLK_ZERO], zeroed);
	assert_false(r.image[4096] & 2); /* region 1 is written, durably, the others not */
	assert_int_equal(r.image[4096] & 13, 13);
	assert_int_equal(rig_inconsistent(&r, 0), 0);
	rig_fini(&r);
}

static void an_unclean_open_asks_for_resync(void **state)
{
	struct raid_member members[8];
	struct raid_run run = {0};
	struct rig r;

	(void)state;
	rig_init(&r, 7, &mirror, &options);
	assert_int_equal(rig_write(&r, 0, data, 4096, 0), 0);
	rig_close(&r);
	rig_members(&r, members);
	r.options.bitmap_image = r.image;
	rig_open(&r, members);
	assert_false(raid_resync_needed(r.set)); /* closed in order */
	assert_int_equal(raid_dirty_regions(r.set), 1);
	rig_close(&r);
	r.options.unclean = true;
	rig_open(&r, members);
	assert_true(raid_resync_needed(r.set));
	assert_int_equal(rig_settle(&r, 0), 0);
	assert_int_equal(raid_dirty_regions(r.set), 1);
	assert_int_equal(rig_check(&r, RAID_CHECK_REWRITE, -1, true, &run), 0);
	assert_int_equal(run.total, 4 * MIB);
	assert_false(raid_resync_needed(r.set));
	rig_close(&r);
	r.options.bitmap_image = NULL; /* the image is lost: everything may differ */
	rig_open(&r, members);
	assert_int_equal(raid_dirty_regions(r.set), 4);
	rig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(a_write_marks_its_region_before_it_ends),
		cmocka_unit_test(a_mark_that_cannot_be_kept_fails_the_write),
		cmocka_unit_test(marks_are_committed_in_groups),
		cmocka_unit_test(idle_regions_settle),
		cmocka_unit_test(nothing_settles_while_a_member_is_out),
		cmocka_unit_test(a_write_during_settling_keeps_the_mark),
		cmocka_unit_test(first_touch_zeroes_once),
		cmocka_unit_test(an_unclean_open_asks_for_resync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
