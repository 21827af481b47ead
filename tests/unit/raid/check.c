/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct raid_options options = {.bitmap = true};
static uint8_t model[16 << 20], back[16 << 20];

static void fill(struct rig *r)
{
	uint64_t size = raid_shape_size(&r->shape);

	rng_bytes(&r->rng, model, size);
	assert_int_equal(rig_write(r, 0, model, size, 0), 0);
	assert_int_equal(rig_flush(r), 0);
}

static void verify(struct rig *r)
{
	uint64_t size = raid_shape_size(&r->shape);

	assert_int_equal(rig_read(r, 0, back, size), 0);
	assert_memory_equal(back, model, size);
}

static void flip(struct rig *r, unsigned m, uint64_t offset)
{
	uint8_t b;

	rig_peek(r, m, offset, &b, 1);
	b ^= (uint8_t)(1 + rng_below(&r->rng, 255));
	rig_poke(r, m, offset, &b, 1);
}

static void six_mends_any_single_member(void **state)
{
	static const enum raid_level levels[] = {RAID_RAID6, RAID_RAID60};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct raid_shape shape = RIG_SHAPE(levels[i], i ? 10 : 5, i ? 2 : 1, 16384, 20);

		for (unsigned m = 0; m < shape.members; m++) {
			struct raid_run count = {0}, mend = {0}, again = {0};
			struct rig r;

			rig_init(&r, m, &shape, &options);
			fill(&r);
			for (uint64_t at = 0; at < shape.member_size; at += 16384)
				flip(&r, m, at + rng_below(&r.rng, 16384));
			assert_int_equal(rig_check(&r, RAID_CHECK_COUNT, -1, false, &count), 0);
			assert_int_equal(count.mismatches, 20);
			assert_int_equal(count.repaired, 0);
			assert_int_equal(rig_check(&r, RAID_CHECK_REPAIR, -1, false, &mend), 0);
			assert_int_equal(mend.repaired, 20);
			assert_int_equal(rig_inconsistent(&r, 0), 0);
			verify(&r);
			assert_int_equal(rig_check(&r, RAID_CHECK_REPAIR, -1, false, &again), 0);
			assert_int_equal(again.mismatches, 0);
			rig_fini(&r);
		}
	}
}

/* Two wrong blocks at different bytes: not to be "repaired" into a third. */
static void six_does_not_guess(void **state)
{
	struct raid_shape shape = RIG_SHAPE(RAID_RAID6, 5, 1, 16384, 20);
	struct raid_run run = {0}, force = {0};
	uint8_t before[5][4096], after[4096];
	struct rig r;

	(void)state;
	rig_init(&r, 1, &shape, &options);
	fill(&r);
	flip(&r, 0, 100);
	flip(&r, 1, 200);
	for (unsigned m = 0; m < 5; m++)
		rig_peek(&r, m, 0, before[m], 4096);
	assert_int_equal(rig_check(&r, RAID_CHECK_REPAIR, -1, false, &run), 0);
	assert_int_equal(run.mismatches, 1);
	assert_int_equal(run.repaired, 0);
	for (unsigned m = 0; m < 5; m++) {
		rig_peek(&r, m, 0, after, 4096);
		assert_memory_equal(after, before[m], 4096);
	}
	assert_int_equal(rig_check(&r, RAID_CHECK_REWRITE, -1, false, &force), 0);
	assert_int_equal(force.repaired, 1);
	assert_int_equal(rig_inconsistent(&r, 0), 0);
	rig_fini(&r);
}

/* RAID 6 with one member out still compares, with two it has nothing to compare. */
static void six_degraded(void **state)
{
	struct raid_shape shape = RIG_SHAPE(RAID_RAID6, 5, 1, 16384, 20);

	(void)state;
	for (unsigned gone = 1; gone < 5; gone++) {
		struct raid_run run = {0}, force = {0}, again = {0};
		struct rig r;

		rig_init(&r, gone, &shape, &options);
		fill(&r);
		rig_set_member(&r, gone, &(struct raid_member){.state = RAID_MEMBER_MISSING});
		flip(&r, 0, 0);
		assert_int_equal(rig_check(&r, RAID_CHECK_REPAIR, -1, false, &run), 0);
		assert_int_equal(run.mismatches, 1);
		assert_int_equal(run.repaired, 0);
		assert_int_equal(rig_check(&r, RAID_CHECK_REWRITE, -1, false, &force), 0);
		assert_int_equal(rig_check(&r, RAID_CHECK_COUNT, -1, false, &again), 0);
		assert_int_equal(again.mismatches, 0);
		rig_set_member(&r, 0, &(struct raid_member){.state = RAID_MEMBER_MISSING});
		assert_int_equal(rig_check(&r, RAID_CHECK_COUNT, -1, false, &again), 0);
		rig_fini(&r);
	}
}

static void five_counts_and_rewrites_only_when_told(void **state)
{
	struct raid_shape shape = RIG_SHAPE(RAID_RAID5, 4, 1, 16384, 20);
	struct raid_run run = {0}, force = {0};
	struct rig r;

	(void)state;
	rig_init(&r, 1, &shape, &options);
	fill(&r);
	flip(&r, 3, 5000); /* P of row 0 */
	assert_int_equal(rig_check(&r, RAID_CHECK_REPAIR, -1, false, &run), 0);
	assert_int_equal(run.mismatches, 1);
	assert_int_equal(run.repaired, 0);
	assert_int_equal(rig_check(&r, RAID_CHECK_REWRITE, -1, false, &force), 0);
	assert_int_equal(force.repaired, 1);
	assert_int_equal(rig_inconsistent(&r, 0), 0);
	verify(&r);
	rig_fini(&r);
}

static void three_copies_vote(void **state)
{
	struct raid_shape shape = RIG_SHAPE(RAID_MIRROR, 3, 1, 0, 20);

	(void)state;
	for (unsigned m = 0; m < 3; m++) {
		struct raid_run run = {0};
		struct rig r;

		rig_init(&r, m, &shape, &options);
		fill(&r);
		flip(&r, m, 70000);
		assert_int_equal(rig_check(&r, RAID_CHECK_REPAIR, -1, false, &run), 0);
		assert_int_equal(run.mismatches, 1);
		assert_int_equal(run.repaired, 1);
		assert_int_equal(rig_inconsistent(&r, 0), 0);
		verify(&r);
		rig_fini(&r);
	}
}

static void two_copies_follow_the_preferred(void **state)
{
	static const enum raid_level levels[] = {RAID_MIRROR, RAID_RAID10};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bool ten = i & 1;
		struct raid_shape shape = {.level = levels[ten],
			.members = ten ? 4 : 2,
			.groups = 1,
			.chunk = ten ? 16384 : 0,
			.member_size = 20 * 16384};
		int prefer = i & 2 ? 1 : -1;
		struct raid_run run = {0}, force = {0};
		uint8_t want[4096], got[4096];
		struct rig r;

		rig_init(&r, i, &shape, &options);
		fill(&r);
		flip(&r, 0, 4096);
		rig_peek(&r, prefer < 0 ? 0 : 1, 4096, want, 4096);
		assert_int_equal(rig_check(&r, RAID_CHECK_REPAIR, prefer, false, &run), 0);
		assert_int_equal(run.mismatches, 1);
		assert_int_equal(run.repaired, 0);
		assert_int_equal(rig_check(&r, RAID_CHECK_REWRITE, prefer, false, &force), 0);
		assert_int_equal(force.repaired, 1);
		for (unsigned m = 0; m < 2; m++) {
			rig_peek(&r, m, 4096, got, 4096);
			assert_memory_equal(got, want, 4096);
		}
		rig_fini(&r);
	}
}

static void unreadable_blocks_are_rewritten(void **state)
{
	const struct raid_shape shapes[] = {RIG_SHAPE(RAID_RAID5, 4, 1, 65536, 10),
		RIG_SHAPE(RAID_RAID6, 5, 1, 65536, 10), RIG_SHAPE(RAID_MIRROR, 2, 1, 0, 20),
		RIG_SHAPE(RAID_RAID10, 4, 2, 65536, 10), RIG_SHAPE(RAID_RAID50, 6, 2, 65536, 10)};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++) {
		struct raid_run count = {0}, run = {0}, again = {0};
		struct rig r;

		rig_init(&r, i, &shapes[i], &options);
		fill(&r);
		for (unsigned m = 0; m < shapes[i].members; m++) /* a different row on each */
			blk_fault_add(r.member[m].faults, BLK_FAULT_READ_ERROR,
				r.start + m * 65536 + 8192, 8192);
		assert_int_equal(rig_check(&r, RAID_CHECK_COUNT, -1, false, &count), 0);
		assert_int_equal(count.mismatches, 2 * shapes[i].members);
		assert_int_equal(rig_check(&r, RAID_CHECK_REPAIR, -1, false, &run), 0);
		assert_int_equal(run.repaired, 2 * shapes[i].members);
		assert_int_equal(r.medium_repaired, run.repaired);
		assert_int_equal(rig_check(&r, RAID_CHECK_REPAIR, -1, false, &again), 0);
		assert_int_equal(again.mismatches, 0);
		assert_int_equal(rig_inconsistent(&r, 0), 0);
		assert_int_equal(r.member_failed, 0);
		verify(&r);
		rig_fini(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(six_mends_any_single_member),
		cmocka_unit_test(six_does_not_guess),
		cmocka_unit_test(six_degraded),
		cmocka_unit_test(five_counts_and_rewrites_only_when_told),
		cmocka_unit_test(three_copies_vote),
		cmocka_unit_test(two_copies_follow_the_preferred),
		cmocka_unit_test(unreadable_blocks_are_rewritten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
