/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct raid_shape five = RIG_SHAPE(RAID_RAID5, 4, 1, 65536, 40);
static const struct raid_shape six = RIG_SHAPE(RAID_RAID6, 6, 1, 65536, 40);
static const struct raid_shape mirror = RIG_SHAPE(RAID_MIRROR, 2, 1, 0, 100);
static const struct raid_options options = {.bitmap = true};

static void fill(struct rig *r, uint8_t *model)
{
	uint64_t size = raid_shape_size(&r->shape);

	rng_bytes(&r->rng, model, size);
	assert_int_equal(rig_write(r, 0, model, size, 0), 0);
}

static void verify(struct rig *r, const uint8_t *model)
{
	uint64_t size = raid_shape_size(&r->shape);
	uint8_t *back = malloc(size);

	assert_int_equal(rig_read(r, 0, back, size), 0);
	assert_memory_equal(back, model, size);
	free(back);
}

/* Slot m gets a device full of garbage. */
static void replace(struct rig *r, unsigned m)
{
	struct raid_member stale = {
		.dev = r->member[m].dev, .start = r->start, .state = RAID_MEMBER_STALE};
	uint8_t *junk = malloc(r->shape.member_size);

	rig_set_member(r, m, &(struct raid_member){.state = RAID_MEMBER_MISSING});
	rng_bytes(&r->rng, junk, r->shape.member_size);
	rig_poke(r, m, 0, junk, r->shape.member_size);
	rig_set_member(r, m, &stale);
	free(junk);
}

static void two_members_in_one_pass(void **state)
{
	uint64_t size = raid_shape_size(&six);
	uint8_t *model = malloc(size);

	(void)state;
	for (unsigned x = 0; x < 6; x++) {
		for (unsigned y = 0; y < x; y++) {
			struct raid_run run = {.foreground_share = 100};
			uint64_t reads = 0, slots = UINT64_C(1) << x | UINT64_C(1) << y;
			struct rig r;

			rig_init(&r, 10 * x + y, &six, &options);
			fill(&r, model);
			replace(&r, x);
			replace(&r, y);
			for (unsigned m = 0; m < 6; m++)
				reads -= r.member[m].stats->bytes[BLK_READ];
			assert_int_equal(rig_rebuild(&r, slots, false, &run), 0);
			for (unsigned m = 0; m < 6; m++)
				reads += r.member[m].stats->bytes[BLK_READ];
			assert_int_equal(reads, 4 * six.member_size); /* survivors once */
			assert_int_equal(run.done, run.total);
			assert_int_equal(raid_lost_mask(r.set), 0);
			assert_int_equal(rig_inconsistent(&r, 0), 0);
			verify(&r, model);
			rig_fini(&r);
		}
	}
	free(model);
}

static void catch_up_copies_dirty_regions_only(void **state)
{
	uint64_t size = raid_shape_size(&mirror);
	uint8_t *model = malloc(size);
	struct raid_run run = {.foreground_share = 100};
	struct raid_member back;
	struct rig r;

	(void)state;
	rig_init(&r, 1, &mirror, &options);
	fill(&r, model);
	assert_int_equal(rig_settle(&r, 0), 1);
	back = raid_member(r.set, 1);
	back.state = RAID_MEMBER_STALE;
	rig_set_member(&r, 1, &back);
	rng_bytes(&r.rng, model + 70000 / 512 * 512, 4096);
	assert_int_equal(rig_write(&r, 70000 / 512 * 512, model + 70000 / 512 * 512, 4096, 0), 0);
	assert_int_equal(rig_rebuild(&r, 2, true, &run), 0);
	assert_int_equal(run.total, 4 << 20); /* one region */
	assert_int_equal(rig_inconsistent(&r, 0), 0);
	verify(&r, model);
	rig_fini(&r);
	free(model);
}

static void unwritten_regions_are_skipped(void **state)
{
	const struct raid_options fresh = {.bitmap = true, .unwritten = true};
	struct raid_run run = {.foreground_share = 100};
	uint8_t data[4096] = {1};
	struct rig r;

	(void)state;
	rig_init(&r, 1, &five, &fresh);
	rig_fill_garbage(&r);
	assert_int_equal(rig_write(&r, 0, data, 4096, 0), 0);
	replace(&r, 2);
	assert_int_equal(rig_rebuild(&r, 4, false, &run), 0);
	assert_int_equal(run.total, raid_region_size(&five) / 3);
	assert_int_equal(rig_inconsistent(&r, 0), 0);
	rig_fini(&r);
}

static uint64_t lost_bytes(const struct rig *r)
{
	const struct raid_range *list;
	uint64_t sum = 0;
	size_t count;

	list = raid_lost_ranges(r->set, &count);
	assert_int_equal(count, r->lost_count); /* what the owner knows is what the set knows */
	assert_memory_equal(list, r->lost, count * sizeof(*list));
	for (size_t i = 0; i < count; i++)
		sum += list[i].end - list[i].start;
	return sum;
}

/* Everything reads as it was, or not at all. */
static uint64_t unreadable_bytes(struct rig *r, const uint8_t *model)
{
	uint64_t size = raid_shape_size(&r->shape), sum = 0;
	uint8_t back[4096];

	for (uint64_t at = 0; at < size; at += sizeof(back)) {
		int rc = rig_read(r, at, back, sizeof(back));

		assert_true(!rc || rc == -EIO);
		sum += rc ? sizeof(back) : 0;
		if (!rc)
			assert_memory_equal(back, model + at, sizeof(back));
	}
	return sum;
}

static void reopen(struct rig *r)
{
	struct raid_member members[RAID_MAX_MEMBERS];

	rig_close(r);
	rig_members(r, members);
	rig_open(r, members);
}

static void medium_errors_without_redundancy_lose_blocks_only(void **state)
{
	static const struct raid_shape *const shapes[] = {&five, &mirror};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *model = malloc(raid_shape_size(shapes[i])), back[4096];
		struct raid_run run = {.foreground_share = 100};
		uint64_t lost, first;
		struct rig r;

		rig_init(&r, 1, shapes[i], &options);
		fill(&r, model);
		replace(&r, 1);
		blk_fault_add(
			r.member[0].faults, BLK_FAULT_READ_ERROR, r.start + 65536 * 5 + 4096, 8192);
		assert_int_equal(rig_rebuild(&r, 2, false, &run), 0);
		assert_int_equal(raid_lost_mask(r.set), 0);
		assert_int_equal(rig_inconsistent(&r, 0), 0);
		lost = lost_bytes(&r);
		assert_true(lost >= 8192 && lost <= 2 * 8192);
		assert_int_equal(lost, r.data_lost);
		assert_int_equal(lost, run.lost * 4096);
		assert_int_equal(unreadable_bytes(&r, model), lost);
		reopen(&r); /* nor does anything else come to light later */
		assert_int_equal(unreadable_bytes(&r, model), lost);
		first = r.lost[0].start;
		r.refuse_lost = -EIO; /* "good again" must be known before the write is acknowledged */
		assert_int_equal(rig_write(&r, first, model + first, 4096, 0), -EIO);
		r.refuse_lost = 0;
		assert_int_equal(rig_write(&r, first, model + first, 4096, 0), 0);
		assert_int_equal(rig_read(&r, first, back, 4096), 0);
		assert_int_equal(lost_bytes(&r), lost - 4096);
		reopen(&r);
		assert_int_equal(unreadable_bytes(&r, model), lost - 4096);
		rig_fini(&r);
		free(model);
	}
}

/* What is lost is declared before zeros take its place: if that fails, so does the rebuild. */
static void nothing_is_given_up_that_cannot_be_declared(void **state)
{
	uint8_t *model = malloc(raid_shape_size(&five));
	struct raid_run run = {.foreground_share = 100};
	struct rig r;

	(void)state;
	rig_init(&r, 1, &five, &options);
	fill(&r, model);
	replace(&r, 1);
	blk_fault_add(r.member[0].faults, BLK_FAULT_READ_ERROR, r.start + 65536 * 5 + 4096, 8192);
	r.refuse_lost = -EIO;
	assert_int_equal(rig_rebuild(&r, 2, false, &run), -EIO);
	r.refuse_lost = 0;
	assert_int_equal(r.data_lost + run.lost + lost_bytes(&r), 0);
	blk_fault_clear(r.member[0].faults, BLK_FAULT_READ_ERROR); /* it came back */
	assert_int_equal(unreadable_bytes(&r, model), 0);
	rig_fini(&r);
	free(model);
}

/* A survivor that cannot be written either is a bad device, not a bad block. */
static void a_dead_survivor_stops_the_rebuild(void **state)
{
	uint8_t *model = malloc(raid_shape_size(&five));
	struct raid_run run = {.foreground_share = 100};
	struct rig r;

	(void)state;
	rig_init(&r, 1, &five, &options);
	fill(&r, model);
	replace(&r, 1);
	blk_fault_add(r.member[0].faults, BLK_FAULT_IO_ERROR, 0, 0);
	assert_int_equal(rig_rebuild(&r, 2, false, &run), -EIO);
	assert_int_equal(r.data_lost + run.lost, 0);
	assert_int_equal(raid_lost_mask(r.set), 2);
	assert_int_equal(raid_member(r.set, 1).state, RAID_MEMBER_STALE);
	blk_fault_clear_all(r.member[0].faults);
	assert_int_equal(rig_rebuild(&r, 2, false, &run), 0);
	verify(&r, model);
	assert_int_equal(rig_inconsistent(&r, 0), 0);
	rig_fini(&r);
	free(model);
}

static void a_failing_target_ends_the_rebuild_with_its_error(void **state)
{
	uint8_t *model = malloc(raid_shape_size(&five));
	struct raid_run run = {.foreground_share = 100};
	struct rig r;

	(void)state;
	rig_init(&r, 1, &five, &options);
	fill(&r, model);
	replace(&r, 1);
	blk_fault_add(
		r.member[1].faults, BLK_FAULT_WRITE_ERROR, r.start + five.member_size / 2, 4096);
	assert_int_equal(rig_rebuild(&r, 2, false, &run), -EIO);
	assert_int_equal(r.member_failed, 1);
	assert_int_equal(r.stale, 2);
	assert_int_equal(raid_member(r.set, 1).state, RAID_MEMBER_STALE);
	verify(&r, model);
	rig_fini(&r);
	free(model);
}

static uint64_t saved;

static int save(struct raid_run *run, uint64_t watermark)
{
	(void)run;
	assert_true(watermark >= saved);
	saved = watermark;
	return 0;
}

static void stop_on_the_way(struct raid_run *run)
{
	if (run->done * 10 > run->total * 8)
		run->cancel = true;
}

static void a_cancelled_rebuild_resumes(void **state)
{
	uint64_t size = raid_shape_size(&five);
	uint8_t *model = malloc(size);
	struct raid_run run = {
		.foreground_share = 100, .checkpoint = save, .step = stop_on_the_way};
	struct raid_run rest = {.foreground_share = 100, .checkpoint = save};
	struct rig r;

	(void)state;
	saved = 0;
	rig_init(&r, 1, &five, &options);
	fill(&r, model);
	assert_int_equal(rig_settle(&r, 0), 1);
	replace(&r, 1);
	assert_int_equal(rig_rebuild(&r, 2, false, &run), -ECANCELED);
	assert_true(saved >= five.member_size / 10 * 8 && saved < five.member_size);
	assert_int_equal(raid_member(r.set, 1).watermark, saved);
	assert_int_equal(raid_member(r.set, 1).state, RAID_MEMBER_STALE);
	rng_bytes(&r.rng, model, 4096); /* below the watermark, missed */
	assert_int_equal(rig_write(&r, 0, model, 4096, 0), 0);
	assert_int_equal(rig_rebuild(&r, 2, false, &rest), 0);
	/* what was left, and the region that was written */
	assert_true(rest.total < five.member_size);
	assert_int_equal(saved, five.member_size);
	assert_int_equal(rig_inconsistent(&r, 0), 0);
	verify(&r, model);
	rig_fini(&r);
	free(model);
}

static void a_rate_limit_is_kept(void **state)
{
	uint8_t *model = malloc(raid_shape_size(&five));
	struct raid_run run = {.foreground_share = 100, .rate_limit = 1 << 20};
	uint64_t began, seconds;
	struct rig r;

	(void)state;
	rig_init(&r, 1, &five, &options);
	fill(&r, model);
	replace(&r, 1);
	began = loop_now_ns(r.loop);
	assert_int_equal(rig_rebuild(&r, 2, false, &run), 0);
	seconds = (loop_now_ns(r.loop) - began) / 1000000000;
	assert_in_range(seconds, 2, 3); /* 2.5 MiB */
	rig_fini(&r);
	free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_members_in_one_pass),
		cmocka_unit_test(catch_up_copies_dirty_regions_only),
		cmocka_unit_test(unwritten_regions_are_skipped),
		cmocka_unit_test(medium_errors_without_redundancy_lose_blocks_only),
		cmocka_unit_test(nothing_is_given_up_that_cannot_be_declared),
		cmocka_unit_test(a_dead_survivor_stops_the_rebuild),
		cmocka_unit_test(a_failing_target_ends_the_rebuild_with_its_error),
		cmocka_unit_test(a_cancelled_rebuild_resumes),
		cmocka_unit_test(a_rate_limit_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
