/* SPDX-License-Identifier: Apache-2.0 */
/* Drives that are replaced while they serve: nothing is less redundant on the way than it was. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fixture.h"

#define MB   (1024u * 1024u)
#define OLD  1 /* the failing drive */
#define NEW  4 /* the spare that takes its place */
#define SIZE (24 * MB)

static struct guid lun;
static struct eng_job_info ended;

static uint64_t copied; /* bytes of LUNs that were written to the new drive */

static int count_copied(struct fx *f, unsigned drive, const struct blk_req *req)
{
	(void)f;
	if (drive == NEW && req->op == BLK_WRITE && req->offset + req->length <= 64 * MB)
		copied += req->length;
	return 0;
}

static void make(struct fx *f)
{
	static const unsigned slots[] = { 0, OLD, 2, 3 };
	struct guid d = fx_drive(f, OLD), s = fx_drive(f, NEW);

	lun = fx_lun(f, ENG_LUN_RAID5, 24, slots, 4);
	fx_fill(f, &lun, 0, SIZE, 1);
	assert_int_equal(eng_lun_flush(f->array, &lun), 0);
	task_sleep_ms(20000); /* the regions settle: what counts later is the watermark */
	assert_int_equal(eng_drive_set_spare(f->array, &s, true, NULL), 0);
	f->settings.rebuild_rate = MB / 2; /* so that progress is written down before the half */
	eng_array_set_settings(f->array, &f->settings);
	f->stop_at = "job:half";
	assert_int_equal(eng_drive_set_predicted(f->array, &d, true, NULL), 0);
	while (!f->stopped)
		task_sleep_ms(10);
	assert_int_equal(fx_lun_info(f, &lun).health, ENG_LUN_REBUILDING);
	assert_true(fx_drive_info(f, NEW).spare_in_use);
	assert_true(fx_drive_info(f, NEW).assigned);
	assert_true(fx_drive_info(f, OLD).assigned);
}

static void let_go_on(struct fx *f)
{
	f->stop_at = NULL;
	task_wake_all(&f->go);
	fx_wait_idle(f, &lun);
	ended = f->last_job;
}

/* The new drive stands where the old one stood, and is no spare any more. */
static void moved(struct fx *f)
{
	struct guid d = fx_drive(f, 0);

	assert_int_equal(fx_lun_info(f, &lun).health, ENG_LUN_HEALTHY);
	assert_false(fx_drive_info(f, OLD).assigned);
	assert_true(fx_drive_info(f, NEW).assigned);
	assert_false(fx_drive_info(f, NEW).spare);
	fx_check(f, &lun, 0, SIZE, 1);
	assert_int_equal(eng_drive_pull(f->array, &d, NULL), 0);
	fx_check(f, &lun, 0, SIZE, 1); /* by what stands on the new one */
}

static void run(uint64_t seed, void (*fn)(struct fx *f))
{
	struct fx f;

	fx_init(&f, seed, 7, 96);
	fx_run(&f, make);
	fx_run(&f, fn);
	fx_fini(&f);
}

static void finish(struct fx *f)
{
	fx_fill(f, &lun, 5 * MB, MB, 1); /* reaches both */
	let_go_on(f);
	assert_int_equal(ended.state, ENG_JOB_DONE);
	moved(f);
}

static void a_failing_drive_is_copied_onto_a_spare(void **state)
{
	(void)state;
	run(1, finish);
}

/* On the way the LUN can bear as many losses as ever. */
static void lose_another(struct fx *f)
{
	struct guid d = fx_drive(f, 3);

	assert_int_equal(eng_drive_pull(f->array, &d, NULL), 0);
	fx_check(f, &lun, 0, SIZE, 1);
	fx_fill(f, &lun, 7 * MB, MB, 1);
	let_go_on(f);
	fx_check(f, &lun, 0, SIZE, 1);
	assert_int_equal(eng_drive_insert(f->array, &f->bays[3], NULL), 0);
	fx_wait_idle(f, &lun);
	fx_wait_idle(f, &lun);
	moved(f);
}

static void another_loss_on_the_way_is_borne(void **state)
{
	(void)state;
	run(2, lose_another);
}

static void lose_old(struct fx *f)
{
	struct guid d = fx_drive(f, OLD);

	assert_int_equal(eng_drive_set_failed(f->array, &d, true, NULL), 0);
	assert_int_not_equal(fx_lun_info(f, &lun).health, ENG_LUN_FAILED);
	fx_check(f, &lun, 0, SIZE, 1);
	fx_fill(f, &lun, 20 * MB, MB, 1);
	copied = 0;
	f->tap = count_copied;
	let_go_on(f); /* ends with an error; the array goes on by itself from what was copied */
	fx_wait_idle(f, &lun);
	f->tap = NULL;
	assert_in_range(copied, MB, SIZE / 3 - MB); /* of the member */
	moved(f);
}

static void the_old_drive_dies_on_the_way(void **state)
{
	(void)state;
	run(3, lose_old);
}

static void lose_new(struct fx *f)
{
	struct guid d = fx_drive(f, NEW);

	assert_int_equal(eng_drive_set_failed(f->array, &d, true, NULL), 0);
	fx_fill(f, &lun, 7 * MB, MB, 1);
	let_go_on(f);
	assert_int_equal(ended.state, ENG_JOB_FAILED);
	assert_int_equal(fx_lun_info(f, &lun).health, ENG_LUN_FAILING_REDUNDANCY);
	assert_false(fx_drive_info(f, NEW).assigned);
	fx_check(f, &lun, 0, SIZE, 1);
	d = fx_drive(f, 0); /* nothing was lost with it */
	assert_int_equal(eng_drive_pull(f->array, &d, NULL), 0);
	fx_check(f, &lun, 0, SIZE, 1);
}

static void the_new_drive_dies_on_the_way(void **state)
{
	(void)state;
	run(4, lose_new);
}

static void cancel(struct fx *f)
{
	struct eng_job *job;

	assert_int_equal(eng_job_cancel(fx_lun_info(f, &lun).job), 0);
	let_go_on(f);
	assert_int_equal(ended.state, ENG_JOB_CANCELED);
	assert_int_equal(fx_lun_info(f, &lun).health, ENG_LUN_FAILING_REDUNDANCY);
	assert_true(fx_drive_info(f, NEW).spare_in_use); /* it stays bound, and goes on getting every write */
	fx_fill(f, &lun, 7 * MB, MB, 1);
	fx_close(f);
	fx_open(f);
	fx_fill(f, &lun, 9 * MB, MB, 1);
	fx_wait_idle(f, &lun);
	if (fx_lun_info(f, &lun).health != ENG_LUN_HEALTHY) {
		assert_int_equal(eng_lun_recover(f->array, &lun, &job, NULL), 0);
		eng_job_wait(job);
		eng_job_unref(job);
	}
	moved(f);
}

static void a_cancelled_move_goes_on_later(void **state)
{
	(void)state;
	run(5, cancel);
}

static void reopen(struct fx *f)
{
	copied = 0;
	f->tap = count_copied;
	fx_open(f);
	fx_check(f, &lun, 0, SIZE, 1);
	fx_wait_idle(f, &lun);
	f->tap = NULL;
	assert_in_range(copied, MB, SIZE / 3 - MB); /* what lay below the watermark is not copied again */
	moved(f);
}

static void a_move_survives_kill_and_power_cut(void **state)
{
	(void)state;
	for (unsigned power = 0; power < 2; power++) {
		struct fx f;

		fx_init(&f, 6 + power, 7, 96);
		fx_run(&f, make);
		fx_crash(&f, power);
		fx_run(&f, reopen);
		fx_fini(&f);
	}
}

static void extend(struct fx *f)
{
	struct eng_job *job;

	assert_int_equal(eng_job_cancel(fx_lun_info(f, &lun).job), 0);
	let_go_on(f);
	f->settings.auto_recovery = false;
	eng_array_set_settings(f->array, &f->settings);
	assert_int_equal(eng_lun_extend(f->array, &lun, 6 * MB, NULL, 0, &job, NULL), 0);
	eng_job_wait(job);
	eng_job_info(job, &ended);
	eng_job_unref(job);
	assert_int_equal(ended.state, ENG_JOB_DONE);
	assert_false(fx_drive_info(f, NEW).assigned); /* given up; it waits again */
	assert_true(fx_drive_info(f, NEW).spare && !fx_drive_info(f, NEW).spare_in_use);
	fx_check(f, &lun, 0, SIZE, 1);
}

static void another_shape_ends_a_stopped_move(void **state)
{
	(void)state;
	run(8, extend);
}

static unsigned lost_drive;
static uint64_t over_us, lost_after_us;

static void begin_move(struct fx *f, struct guid *other)
{
	static const unsigned slots[] = { 0, OLD, 2, 3 }, two[] = { OLD, 0 };
	struct guid d = fx_drive(f, OLD), s = fx_drive(f, NEW);

	*other = fx_lun(f, ENG_LUN_MIRROR, 3, two, 2); /* takes what space a loss leaves free */
	lun = fx_lun(f, ENG_LUN_RAID5, 3, slots, 4);
	fx_fill(f, &lun, 0, 3 * MB, 1);
	fx_fill(f, other, 0, 3 * MB, 2);
	assert_int_equal(eng_lun_flush(f->array, &lun), 0);
	assert_int_equal(eng_drive_set_spare(f->array, &s, true, NULL), 0);
	assert_int_equal(eng_drive_set_predicted(f->array, &d, true, NULL), 0);
	over_us = loop_now_ns(f->loop) / 1000;
}

static void time_it(struct fx *f)
{
	struct guid other;

	begin_move(f, &other);
	while (fx_drive_info(f, OLD).assigned)
		task_yield();
	over_us = loop_now_ns(f->loop) / 1000 - over_us;
}

static void lose_at_a_moment(struct fx *f)
{
	struct guid l = fx_drive(f, lost_drive), other;

	begin_move(f, &other);
	for (uint64_t until = over_us + lost_after_us; loop_now_ns(f->loop) / 1000 < until;)
		task_yield();
	assert_int_equal(eng_drive_pull(f->array, &l, NULL), 0);
	fx_wait_idle(f, &lun);
	fx_wait_idle(f, &other);
	fx_check(f, &lun, 0, 3 * MB, 1);
	fx_check(f, &other, 0, 3 * MB, 2);
	fx_close(f);
	fx_open(f);
	fx_check(f, &lun, 0, 3 * MB, 1);
	fx_check(f, &other, 0, 3 * MB, 2);
}

static void at(uint64_t moment, void (*fn)(struct fx *f))
{
	struct fx f;

	lost_after_us = moment;
	fx_init(&f, 10, 7, 96);
	fx_run(&f, fn);
	fx_fini(&f);
}

/* The moment of the loss, in virtual time: above all while the end of the moves is written down. */
static void a_loss_at_any_moment_of_a_move(void **state)
{
	enum { STEP_US = 397, CLOSE_US = 30000 };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t over;

		lost_drive = i ? NEW : OLD;
		at(0, time_it);
		over = over_us;
		print_message("moves take %llu us\n", (unsigned long long)over);
		for (uint64_t t = 0; t < over + 5 * STEP_US; t += t + CLOSE_US > over ? STEP_US : 17 * STEP_US)
			at(t, lose_at_a_moment);
	}
}

/* ---- without redundancy ------------------------------------------------------------------------ */

static void simple_lun(struct fx *f)
{
	static const unsigned slots[] = { OLD }, three[] = { 0, OLD, 2 };
	struct guid d = fx_drive(f, OLD), s = fx_drive(f, NEW);
	struct guid stripe = fx_lun(f, ENG_LUN_STRIPE, 9, three, 3);

	lun = fx_lun(f, ENG_LUN_SIMPLE, 8, slots, 1);
	fx_fill(f, &lun, 0, 8 * MB, 1);
	fx_fill(f, &stripe, 0, 9 * MB, 2);
	assert_int_equal(eng_drive_replace(f->array, &d, &s, NULL), 0);
	fx_fill(f, &lun, 0, MB, 1);
	fx_wait_idle(f, &lun);
	fx_wait_idle(f, &stripe);
	assert_false(fx_drive_info(f, OLD).assigned);
	assert_int_equal(eng_drive_pull(f->array, &d, NULL), 0);
	fx_check(f, &lun, 0, 8 * MB, 1);
	fx_check(f, &stripe, 0, 9 * MB, 2);
	/* and back, by a spare that the array finds itself */
	assert_int_equal(eng_drive_insert(f->array, &f->bays[OLD], NULL), 0);
	assert_int_equal(eng_drive_set_spare(f->array, &d, true, NULL), 0);
	assert_int_equal(eng_drive_set_predicted(f->array, &s, true, NULL), 0);
	fx_wait_idle(f, &lun);
	fx_wait_idle(f, &stripe);
	assert_false(fx_drive_info(f, NEW).assigned);
	assert_false(fx_drive_info(f, OLD).spare);
	fx_close(f);
	fx_open(f);
	fx_check(f, &lun, 0, 8 * MB, 1);
	fx_check(f, &stripe, 0, 9 * MB, 2);
}

static void luns_without_redundancy_move_too(void **state)
{
	struct fx f;

	(void)state;
	fx_init(&f, 9, 7, 96);
	fx_run(&f, simple_lun);
	fx_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failing_drive_is_copied_onto_a_spare),
		cmocka_unit_test(another_loss_on_the_way_is_borne),
		cmocka_unit_test(the_old_drive_dies_on_the_way),
		cmocka_unit_test(the_new_drive_dies_on_the_way),
		cmocka_unit_test(a_cancelled_move_goes_on_later),
		cmocka_unit_test(a_move_survives_kill_and_power_cut),
		cmocka_unit_test(another_shape_ends_a_stopped_move),
		cmocka_unit_test(a_loss_at_any_moment_of_a_move),
		cmocka_unit_test(luns_without_redundancy_move_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
