/* SPDX-License-Identifier: Apache-2.0 */
/* Losing drives: what must be recorded, and where, before anything goes on without them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fixture.h"

#define KB         1024u
#define MB         (1024u * 1024u)
#define DATA_BYTES (48u * MB) /* what lies behind on a drive of 64 MB is metadata */

static struct guid lun;

static void run(unsigned drives, uint64_t seed, void (*fn)(struct fx *f))
{
	struct fx f;

	fx_init(&f, seed, drives, 64);
	f.settings.auto_recovery = false;
	eng_array_set_settings(f.array, &f.settings);
	fx_run(&f, fn);
	fx_fini(&f);
}

/* ---- a loss that nobody can record ----------------------------------------------------------- */

/* Drive 0 takes nothing any more, and drive 1 no metadata. */
static int first_dead_second_full(struct fx *f, unsigned drive, const struct blk_req *req)
{
	(void)f;
	if (req->op == BLK_READ)
		return 0;
	if (drive == 0)
		return -EIO;
	return req->op != BLK_FLUSH && req->offset >= DATA_BYTES ? -EIO : 0;
}

static struct task_group pulling;
static uint64_t yields; /* how far the pull gets before the flush */

static void pull_first(void *arg)
{
	struct fx *f = arg;
	struct guid d = fx_drive(f, 0);

	eng_drive_pull(f->array, &d, NULL);
	task_group_end(&pulling);
}

static void flush_beside_a_loss(struct fx *f)
{
	static const unsigned slots[] = { 0, 1 };

	lun = fx_lun(f, ENG_LUN_MIRROR, 8, slots, 2);
	fx_fill(f, &lun, 0, 64 * KB, 1);
	assert_int_equal(eng_lun_flush(f->array, &lun), 0);
	fx_fill(f, &lun, 0, 64 * KB, 2);
	f->tap = first_dead_second_full;
	task_group_init(&pulling);
	task_group_begin(&pulling);
	assert_int_equal(task_spawn(f->loop, "pull", pull_first, f), 0);
	for (uint64_t i = 0; i < yields; i++)
		task_yield();
	/* Drive 1 would hold what was written, but nothing says that drive 0 does not. */
	assert_int_not_equal(eng_lun_flush(f->array, &lun), 0);
	task_group_wait(&pulling);
	f->tap = NULL;
}

static void a_flush_waits_for_the_record_of_a_loss(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		yields = 1 + seed % 20;
		run(2, seed, flush_beside_a_loss);
	}
}

/* ---- losses met while the array's metadata are written --------------------------------------- */

static unsigned dead_mask;

static int dead(struct fx *f, unsigned drive, const struct blk_req *req)
{
	(void)f;
	(void)req;
	return dead_mask & 1u << drive ? -EIO : 0;
}

static void two_more_fail_on_the_way(struct fx *f)
{
	static const unsigned slots[] = { 0, 1, 2, 3, 4 };
	struct guid d = fx_drive(f, 5);

	lun = fx_lun(f, ENG_LUN_RAID6, 9, slots, 5);
	fx_fill(f, &lun, 0, 3 * MB, 3);
	f->tap = dead;
	dead_mask = 1u << 1 | 1u << 3;
	/* The commit that records the spare meets both; it is durable on those that are left. */
	assert_int_equal(eng_drive_set_spare(f->array, &d, true, NULL), 0);
	assert_int_equal(fx_drive_info(f, 1).state, ENG_DRIVE_FAILED);
	assert_int_equal(fx_drive_info(f, 3).state, ENG_DRIVE_FAILED);
	fx_fill(f, &lun, 0, 3 * MB, 4);
	assert_int_equal(eng_lun_flush(f->array, &lun), 0);
	fx_close(f);
	f->tap = NULL;
	fx_open(f);
	assert_int_equal(fx_lun_info(f, &lun).health, ENG_LUN_FAILED_REDUNDANCY);
	assert_true(fx_drive_info(f, 5).spare);
	fx_check(f, &lun, 0, 3 * MB, 4);
}

static void a_commit_goes_on_without_the_drives_it_loses(void **state)
{
	(void)state;
	run(6, 3, two_more_fail_on_the_way);
}

static void all_fail(struct fx *f)
{
	static const unsigned slots[] = { 0, 1 };
	struct guid d = fx_drive(f, 2);

	lun = fx_lun(f, ENG_LUN_MIRROR, 8, slots, 2);
	f->tap = dead;
	dead_mask = ~0u;
	assert_int_equal(eng_drive_set_spare(f->array, &d, true, NULL), -ENODEV);
	assert_int_equal(fx_lun_info(f, &lun).health, ENG_LUN_FAILED);
	f->tap = NULL;
}

static void a_commit_without_any_drive_left_fails(void **state)
{
	(void)state;
	run(3, 4, all_fail);
}

static void pull_all(struct fx *f)
{
	for (unsigned i = 0; i < f->drives; i++) {
		struct guid d = fx_drive(f, i);

		assert_int_equal(eng_drive_pull(f->array, &d, NULL), 0);
		assert_int_equal(fx_drive_info(f, i).state, ENG_DRIVE_REMOVED);
	}
	for (unsigned i = 0; i < f->drives; i++)
		assert_int_equal(eng_drive_insert(f->array, &f->bays[i], NULL), 0);
}

static void the_last_drive_may_be_pulled_too(void **state)
{
	(void)state;
	run(3, 5, pull_all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flush_waits_for_the_record_of_a_loss),
		cmocka_unit_test(a_commit_goes_on_without_the_drives_it_loses),
		cmocka_unit_test(a_commit_without_any_drive_left_fails),
		cmocka_unit_test(the_last_drive_may_be_pulled_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
