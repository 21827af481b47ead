/* SPDX-License-Identifier: Apache-2.0 */
/* Members that fail, stopping and going on, growing. */
#include "rig.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct raid_shape five = RIG_SHAPE(RAID_RAID5, 4, 1, 65536, 20);
static const struct raid_options options = {.bitmap = true};
static uint8_t data[65536 * 3], back[65536 * 3];

static void a_write_error_costs_the_member(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, 1, &five, &options);
	rng_bytes(&r.rng, data, sizeof(data));
	blk_fault_add(r.member[1].faults, BLK_FAULT_WRITE_ERROR, r.start, 65536);
	assert_int_equal(rig_write(&r, 0, data, sizeof(data), 0), 0);
	assert_int_equal(r.member_failed, 1);
	assert_int_equal(r.stale, 2);
	assert_int_equal(raid_lost_mask(r.set), 2);
	assert_int_equal(rig_read(&r, 0, back, sizeof(back)), 0);
	assert_memory_equal(back, data, sizeof(data));
	assert_int_equal(rig_inconsistent(&r, 2), 0);
	rig_fini(&r);
}

struct late {
	struct rig *r;
	unsigned row, left;
};

static void late_writer(void *arg)
{
	struct late *l = arg;

	assert_int_equal(
		blk_write(raid_dev(l->r->set), l->row++ * sizeof(data), data, sizeof(data), 0), 0);
	assert_int_equal(l->r->stale, 1);
	l->left--;
}

static int write_rows(void *arg)
{
	struct late *l = arg;

	for (l->left = 0; l->left < 4; l->left++)
		task_spawn(l->r->loop, "writer", late_writer, l);
	while (l->left)
		task_sleep_ms(1);
	return 0;
}

/* Whoever meets the failure, and whoever meets it again meanwhile, waits until it is recorded. */
static void writes_end_after_the_owner_knows(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 10; seed++) {
		struct late late = {0};
		struct rig r;

		rig_init(&r, seed, &five, &options);
		r.fail_ms = 100;
		late.r = &r;
		blk_fault_add(
			r.member[0].faults, BLK_FAULT_WRITE_ERROR, 0, r.start + five.member_size);
		rig_call(&r, write_rows, &late);
		assert_int_equal(r.member_failed, 1);
		assert_int_equal(rig_inconsistent(&r, 1), 0);
		rig_fini(&r);
	}
}

/* All members refuse writes for a moment: at most one is given up, the error is the caller's. */
static void a_bus_hiccup_does_not_kill_the_set(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 20; seed++) {
		struct rig r;

		rig_init(&r, seed, &five, &options);
		rng_bytes(&r.rng, data, sizeof(data));
		assert_int_equal(rig_write(&r, 65536 * 3, data, sizeof(data), 0), 0);
		for (unsigned m = 0; m < 4; m++)
			blk_fault_add(r.member[m].faults,
				seed & 1 ? BLK_FAULT_IO_ERROR : BLK_FAULT_GONE, 0, 0);
		assert_int_equal(rig_write(&r, 0, data, sizeof(data), 0), -EIO);
		assert_int_equal(rig_flush(&r), -EIO);
		assert_true(rig_read(&r, 0, back, 65536 * 3) < 0);
		assert_true(__builtin_popcountll(raid_lost_mask(r.set)) <= 1);
		assert_false(raid_failed(r.set));
		for (unsigned m = 0; m < 4; m++)
			blk_fault_clear_all(r.member[m].faults);
		assert_int_equal(rig_read(&r, 65536 * 3, back, sizeof(back)), 0);
		assert_memory_equal(back, data, sizeof(data));
		assert_int_equal(rig_write(&r, 0, data, sizeof(data), 0), 0);
		assert_int_equal(rig_read(&r, 0, back, sizeof(back)), 0);
		assert_memory_equal(back, data, sizeof(data));
		rig_fini(&r);
	}
}

static void the_owner_may_refuse_to_give_up_a_member(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, 1, &five, &options);
	assert_int_equal(rig_write(&r, 0, data, 4096, 0), 0);
	blk_fault_add(r.member[0].faults, BLK_FAULT_WRITE_ERROR, r.start, 65536);
	r.refuse = -EROFS;
	assert_int_equal(rig_write(&r, 0, data, 4096, 0), -EROFS);
	assert_int_equal(raid_lost_mask(r.set), 0);
	assert_true(raid_resync_needed(r.set)); /* the row may be half written */
	rig_fini(&r);
}

static void a_read_of_a_vanished_member_gives_it_up(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, 1, &five, &options);
	rng_bytes(&r.rng, data, sizeof(data));
	assert_int_equal(rig_write(&r, 0, data, sizeof(data), 0), 0);
	blk_fault_add(r.member[0].faults, BLK_FAULT_GONE, 0, 0);
	assert_int_equal(rig_read(&r, 0, back, sizeof(back)), 0);
	assert_memory_equal(back, data, sizeof(data));
	assert_int_equal(r.stale, 1);
	assert_int_equal(r.medium_errors, 0);
	rig_fini(&r);
}

static int settle_down(void *arg)
{
	(void)arg;
	task_sleep_ms(500);
	return 0;
}

static void a_medium_error_is_repaired_behind_the_read(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, 1, &five, &options);
	rng_bytes(&r.rng, data, sizeof(data));
	assert_int_equal(rig_write(&r, 0, data, sizeof(data), 0), 0);
	blk_fault_add(r.member[0].faults, BLK_FAULT_READ_ERROR, r.start + 4096, 8192);
	assert_int_equal(rig_read(&r, 0, back, sizeof(back)), 0);
	assert_memory_equal(back, data, sizeof(data));
	rig_call(&r, settle_down, NULL);
	assert_int_equal(r.medium_errors, 2);
	assert_int_equal(r.medium_repaired, 2);
	assert_int_equal(r.member_failed, 0);
	assert_int_equal(rig_inconsistent(&r, 0), 0);
	/* a block that cannot be rewritten costs the member */
	blk_fault_add(r.member[0].faults, BLK_FAULT_READ_ERROR, r.start + 4096, 4096);
	blk_fault_add(r.member[0].faults, BLK_FAULT_WRITE_ERROR, r.start + 4096, 4096);
	assert_int_equal(rig_read(&r, 0, back, sizeof(back)), 0);
	assert_memory_equal(back, data, sizeof(data));
	rig_call(&r, settle_down, NULL);
	assert_int_equal(r.stale, 1);
	rig_fini(&r);
}

struct frozen {
	struct rig *r;
	bool answered;
};

static void writer(void *arg)
{
	struct frozen *f = arg;

	assert_int_equal(blk_write(raid_dev(f->r->set), 0, data, 4096, 0), 0);
	f->answered = true;
}

static int freeze_and_thaw(void *arg)
{
	struct frozen *f = arg;

	raid_freeze(f->r->set);
	raid_freeze(f->r->set);
	task_spawn(f->r->loop, "writer", writer, f);
	task_sleep_ms(1000);
	assert_false(f->answered);
	raid_thaw(f->r->set);
	task_sleep_ms(1000);
	assert_false(f->answered);
	raid_thaw(f->r->set);
	task_sleep_ms(1000);
	assert_true(f->answered);
	return 0;
}

static void freezing_nests(void **state)
{
	struct frozen f = {0};
	struct rig r;

	(void)state;
	rig_init(&r, 1, &five, &options);
	f.r = &r;
	rig_call(&r, freeze_and_thaw, &f);
	rig_fini(&r);
}

struct growing {
	struct rig *r;
	struct raid_shape shape;
	const struct raid_member *members;
};

static int grow(void *arg)
{
	struct growing *g = arg;
	int rc;

	free(g->r->image);
	g->r->image_bytes = raid_bitmap_bytes(&g->shape);
	g->r->image = calloc(1, g->r->image_bytes);
	rc = raid_grow(g->r->set, &g->shape, g->members);
	if (!rc)
		g->r->shape = g->shape;
	return rc;
}

/* Sets on the front part of their members, over garbage, grow into the rest. */
static void sets_grow(void **state)
{
	const struct raid_shape shapes[] = {RIG_SHAPE(RAID_RAID5, 4, 1, 65536, 90),
		RIG_SHAPE(RAID_MIRROR, 2, 1, 0, 200), RIG_SHAPE(RAID_RAID10, 4, 2, 16384, 500),
		RIG_SHAPE(RAID_RAID6, 5, 1, 65536, 90), RIG_SHAPE(RAID_RAID50, 6, 2, 65536, 60),
		RIG_SHAPE(RAID_STRIPE, 2, 1, 65536, 100)};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(shapes) * 2; i++) {
		const struct raid_shape *large = &shapes[i / 2];
		struct raid_options o = {.bitmap = true, .unwritten = i & 1};
		struct raid_shape small = *large;
		struct growing g = {.shape = *large};
		uint64_t size = raid_shape_size(large), before;
		uint8_t *model = calloc(1, size), *read = malloc(size);
		struct raid_member members[8];
		struct rig r;

		rig_init(&r, i, large, &o);
		rig_fill_garbage(&r);
		rig_close(&r);
		small.member_size -= 17 * (large->chunk ? large->chunk : 4096);
		before = raid_shape_size(&small);
		rig_members(&r, members);
		r.shape = small;
		r.options.unwritten = true;
		rig_open(&r, members);
		g.r = &r;
		g.members = members;
		rng_bytes(&r.rng, model + before - 65536, 65536);
		assert_int_equal(
			rig_write(&r, before - 65536, model + before - 65536, 65536, 0), 0);
		assert_int_equal(rig_call(&r, grow, &g), 0);
		assert_int_equal(raid_dev(r.set)->size_bytes, size);
		assert_int_equal(rig_read(&r, 0, read, size), 0);
		assert_memory_equal(read, model, size);
		assert_int_equal(rig_inconsistent(&r, 0), 0);
		rng_bytes(&r.rng, model + before - 4096, size - before);
		assert_int_equal(
			rig_write(&r, before - 4096, model + before - 4096, size - before, 0), 0);
		assert_int_equal(rig_read(&r, 0, read, size), 0);
		assert_memory_equal(read, model, size);
		assert_int_equal(rig_inconsistent(&r, 0), 0);
		assert_memory_equal(r.image, raid_bitmap_image(r.set), r.image_bytes);
		g.shape.member_size -= large->chunk ? large->chunk : 4096;
		assert_int_equal(raid_grow(r.set, &g.shape, members), -EINVAL); /* never smaller */
		rig_fini(&r);
		free(model);
		free(read);
	}
}

static void members_are_checked(void **state)
{
	struct raid_member members[4];
	struct raid_events events = {0};
	struct raid_set *set;
	struct err err;
	struct rig r;

	(void)state;
	rig_init(&r, 1, &five, &options);
	rig_members(&r, members);
	members[2].start += 1 << 20; /* beyond the end */
	assert_int_equal(
		raid_open(r.loop, "x", &five, members, &options, &events, &set, &err), -EINVAL);
	rig_members(&r, members);
	members[2].start = 100;
	assert_int_equal(
		raid_open(r.loop, "x", &five, members, &options, &events, &set, &err), -EINVAL);
	rig_members(&r, members);
	members[2].dev = NULL;
	assert_int_equal(
		raid_open(r.loop, "x", &five, members, &options, &events, &set, &err), -EINVAL);
	assert_true(err.text[0]);
	rig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_error_costs_the_member),
		cmocka_unit_test(writes_end_after_the_owner_knows),
		cmocka_unit_test(a_bus_hiccup_does_not_kill_the_set),
		cmocka_unit_test(the_owner_may_refuse_to_give_up_a_member),
		cmocka_unit_test(a_read_of_a_vanished_member_gives_it_up),
		cmocka_unit_test(a_medium_error_is_repaired_behind_the_read),
		cmocka_unit_test(freezing_nests),
		cmocka_unit_test(sets_grow),
		cmocka_unit_test(members_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
