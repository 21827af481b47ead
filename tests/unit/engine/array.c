/* SPDX-License-Identifier: Apache-2.0 */
/* The array end to end on simulated drives: every type, loss, spares, return, restart, resize. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fixture.h"

#define MB (1024u * 1024u)

static const unsigned first_six[] = { 0, 1, 2, 3, 4, 5 };

static struct guid the_lun;

static void make_and_fill(struct fx *f, enum eng_lun_type type, unsigned n)
{
	the_lun = fx_lun(f, type, 24, first_six, n);
	fx_fill(f, &the_lun, 0, fx_lun_info(f, &the_lun).size_bytes, 7);
}

/* ---- every type, over a clean restart --------------------------------------------------------- */

static const struct {
	enum eng_lun_type type;
	unsigned drives;
} types[] = {
	{ ENG_LUN_SIMPLE, 1 },
	{ ENG_LUN_SPAN, 2 },
	{ ENG_LUN_STRIPE, 4 },
	{ ENG_LUN_MIRROR, 2 },
	{ ENG_LUN_MIRROR, 3 },
	{ ENG_LUN_RAID10, 4 },
	{ ENG_LUN_PARITY, 3 },
	{ ENG_LUN_RAID5, 5 },
	{ ENG_LUN_RAID6, 6 },
};
static unsigned type_index;

static void types_make(struct fx *f)
{
	struct eng_lun_info info;

	make_and_fill(f, types[type_index].type, types[type_index].drives);
	info = fx_lun_info(f, &the_lun);
	assert_int_equal(info.type, types[type_index].type);
	assert_int_equal(info.members, types[type_index].drives);
	assert_int_equal(info.health, ENG_LUN_HEALTHY);
	assert_true(info.size_bytes >= 24 * MB);
	fx_close(f);
	fx_open(f);
	info = fx_lun_info(f, &the_lun);
	assert_int_equal(info.type, types[type_index].type);
	assert_int_equal(info.health, ENG_LUN_HEALTHY);
	assert_string_equal(info.name, "test");
	fx_check(f, &the_lun, 0, info.size_bytes, 7);
}

static void every_type_survives_a_restart(void **state)
{
	(void)state;
	for (type_index = 0; type_index < sizeof(types) / sizeof(types[0]); type_index++) {
		struct fx f;

		fx_init(&f, 100 + type_index, 6, 96);
		fx_run(&f, types_make);
		fx_fini(&f);
	}
}

/* ---- losing drives ------------------------------------------------------------------------------ */

static void lose_one(struct fx *f)
{
	struct guid lost = fx_drive(f, 1);
	struct err err = { 0 };

	make_and_fill(f, ENG_LUN_RAID5, 4);
	assert_int_equal(eng_drive_pull(f->array, &lost, &err), 0);
	assert_int_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_FAILED_REDUNDANCY);
	assert_int_equal(fx_drive_info(f, 1).state, ENG_DRIVE_REMOVED);
	fx_check(f, &the_lun, 0, 24 * MB, 7);
	fx_fill(f, &the_lun, 4 * MB, 4 * MB, 8);
	fx_check(f, &the_lun, 4 * MB, 4 * MB, 8);
}

static void come_back(struct fx *f)
{
	struct err err = { 0 };

	f->bays[1].lost_at = 1;
	assert_int_equal(eng_drive_insert(f->array, &f->bays[1], &err), 0);
	fx_wait_idle(f, &the_lun);
	assert_int_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_HEALTHY);
	fx_check(f, &the_lun, 4 * MB, 4 * MB, 8);
	/* Now with another member away, so that the returned one is really read. */
	assert_int_equal(eng_drive_pull(f->array, &f->bays[0].drive, &err), 0);
	fx_check(f, &the_lun, 4 * MB, 4 * MB, 8);
	fx_check(f, &the_lun, 8 * MB, 16 * MB, 7);
}

static void a_returning_drive_catches_up(void **state)
{
	struct fx f;

	(void)state;
	fx_init(&f, 1, 6, 96);
	fx_run(&f, lose_one);
	fx_run(&f, come_back);
	fx_fini(&f);
}

/* Its record is dropped when it departs, as no LUN counts on it. */
static void depart_unassigned(struct fx *f)
{
	struct guid d = fx_drive(f, 4);
	struct err err = { 0 };

	assert_int_equal(eng_drive_pull(f->array, &d, &err), 0);
	f->bays[4].gone = true;
	assert_int_equal(eng_array_rescan(f->array, f->bays, 6, &err), 0);
	assert_int_equal(eng_drive_at(f->array, 0, 4, &d), -ENOENT);
	f->bays[4].gone = false;
	d = f->bays[4].drive;
	assert_int_equal(eng_drive_insert(f->array, &f->bays[4], &err), 0);
	assert_true(guid_equal(&d, &f->bays[4].drive));
	assert_int_equal(fx_drive_info(f, 4).state, ENG_DRIVE_ONLINE);
}

static void an_unassigned_drive_departs_and_comes_back(void **state)
{
	struct fx f;

	(void)state;
	fx_init(&f, 1, 6, 96);
	fx_run(&f, depart_unassigned);
	fx_fini(&f);
}

static void restart_degraded(struct fx *f)
{
	fx_close(f);
	f->bays[1].gone = true;
	fx_open(f);
	assert_int_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_FAILED_REDUNDANCY);
	fx_check(f, &the_lun, 4 * MB, 4 * MB, 8);
	fx_fill(f, &the_lun, 12 * MB, 1 * MB, 9);
	fx_close(f);
	f->bays[1].gone = false; /* put back while nobody looked */
	fx_open(f);
	fx_wait_idle(f, &the_lun);
	assert_int_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_HEALTHY);
	assert_int_equal(eng_drive_pull(f->array, &f->bays[2].drive, NULL), 0);
	fx_check(f, &the_lun, 12 * MB, 1 * MB, 9);
	fx_check(f, &the_lun, 4 * MB, 4 * MB, 8);
	fx_check(f, &the_lun, 13 * MB, 11 * MB, 7);
}

static void a_drive_put_back_between_restarts_catches_up(void **state)
{
	struct fx f;

	(void)state;
	fx_init(&f, 2, 6, 96);
	fx_run(&f, lose_one);
	fx_run(&f, restart_degraded);
	fx_fini(&f);
}

/* ---- spares ------------------------------------------------------------------------------------- */

static void spare_takes_over(struct fx *f)
{
	struct guid lost = fx_drive(f, 1), spare = fx_drive(f, 5);
	struct err err = { 0 };

	make_and_fill(f, ENG_LUN_RAID6, 5);
	assert_int_equal(eng_drive_set_spare(f->array, &spare, true, &err), 0);
	assert_true(fx_drive_info(f, 5).spare);
	assert_int_equal(eng_drive_set_failed(f->array, &lost, true, &err), 0);
	fx_wait_idle(f, &the_lun);
	assert_int_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_HEALTHY);
	assert_true(fx_drive_info(f, 5).assigned);
	assert_false(fx_drive_info(f, 5).spare);
	assert_false(fx_drive_info(f, 1).assigned);
	assert_int_equal(fx_drive_info(f, 1).state, ENG_DRIVE_FAILED);
	fx_check(f, &the_lun, 0, 24 * MB, 7);
	assert_int_equal(eng_drive_pull(f->array, &f->bays[0].drive, NULL), 0);
	assert_int_equal(eng_drive_pull(f->array, &f->bays[2].drive, NULL), 0);
	fx_check(f, &the_lun, 0, 24 * MB, 7);
}

static void a_spare_takes_a_failed_drives_place(void **state)
{
	struct fx f;

	(void)state;
	fx_init(&f, 3, 6, 96);
	fx_run(&f, spare_takes_over);
	fx_fini(&f);
}

static void pulled_waits(struct fx *f)
{
	struct guid lost = fx_drive(f, 0), spare = fx_drive(f, 5);
	uint64_t before;
	struct err err = { 0 };

	make_and_fill(f, ENG_LUN_MIRROR, 2);
	assert_int_equal(eng_drive_set_spare(f->array, &spare, true, &err), 0);
	before = loop_now_ns(f->loop);
	assert_int_equal(eng_drive_pull(f->array, &lost, &err), 0);
	assert_false(fx_lun_info(f, &the_lun).busy);
	while (!fx_drive_info(f, 5).assigned)
		task_sleep_ms(100);
	assert_in_range((loop_now_ns(f->loop) - before) / 1000000, 9900, 12000);
	fx_wait_idle(f, &the_lun);
	assert_int_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_HEALTHY);
}

static void a_pulled_drive_gets_its_delay(void **state)
{
	struct fx f;

	(void)state;
	fx_init(&f, 4, 6, 96);
	fx_run(&f, pulled_waits);
	fx_fini(&f);
}

/* ---- interrupted rebuild -------------------------------------------------------------------------- */

static void start_rebuild(struct fx *f)
{
	struct guid lost = fx_drive(f, 1), spare = fx_drive(f, 5);
	struct err err = { 0 };

	make_and_fill(f, ENG_LUN_RAID5, 4);
	assert_int_equal(eng_drive_set_spare(f->array, &spare, true, &err), 0);
	f->stop_at = "job:half";
	assert_int_equal(eng_drive_set_failed(f->array, &lost, true, &err), 0);
	while (!f->stopped)
		task_sleep_ms(10);
	assert_int_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_REBUILDING);
	fx_fill(f, &the_lun, 0, 2 * MB, 11);
	fx_fill(f, &the_lun, 20 * MB, 2 * MB, 12);
	assert_int_equal(eng_lun_flush(f->array, &the_lun), 0);
}

static void reopen_and_finish(struct fx *f)
{
	fx_open(f);
	assert_true(fx_lun_info(f, &the_lun).health == ENG_LUN_REBUILDING ||
		fx_lun_info(f, &the_lun).health == ENG_LUN_HEALTHY);
	fx_wait_idle(f, &the_lun);
	assert_int_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_HEALTHY);
	assert_int_equal(eng_drive_pull(f->array, &f->bays[0].drive, NULL), 0);
	fx_check(f, &the_lun, 0, 2 * MB, 11);
	fx_check(f, &the_lun, 20 * MB, 2 * MB, 12);
	fx_check(f, &the_lun, 2 * MB, 18 * MB, 7);
}

static void a_killed_rebuild_goes_on(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 8; seed++) {
		struct fx f;

		fx_init(&f, 50 + seed, 6, 96);
		fx_run(&f, start_rebuild);
		fx_crash(&f, seed & 1);
		fx_run(&f, reopen_and_finish);
		fx_fini(&f);
	}
}

/* ---- offline and online ------------------------------------------------------------------------- */

static void withdraw(struct fx *f)
{
	struct guid d = fx_drive(f, 1), other = fx_drive(f, 0);
	struct err err = { 0 };

	make_and_fill(f, ENG_LUN_MIRROR, 2);
	assert_int_equal(eng_drive_set_offline(f->array, &d, true, &err), 0);
	assert_int_equal(fx_drive_info(f, 1).state, ENG_DRIVE_OFFLINE);
	assert_int_equal(eng_drive_set_offline(f->array, &other, true, &err), -EPERM);
	fx_fill(f, &the_lun, 3 * MB, 2 * MB, 21);
	fx_close(f);
	fx_open(f);
	assert_int_equal(fx_drive_info(f, 1).state, ENG_DRIVE_OFFLINE);
	assert_int_equal(eng_drive_set_offline(f->array, &d, false, &err), 0);
	fx_wait_idle(f, &the_lun);
	assert_int_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_HEALTHY);
	assert_int_equal(eng_drive_set_offline(f->array, &other, true, &err), 0);
	fx_check(f, &the_lun, 3 * MB, 2 * MB, 21);
	fx_check(f, &the_lun, 5 * MB, 19 * MB, 7);
}

static void offline_is_kept_and_online_resynchronises(void **state)
{
	struct fx f;

	(void)state;
	fx_init(&f, 5, 6, 96);
	fx_run(&f, withdraw);
	fx_fini(&f);
}

/* ---- drives that a killed process still holds ------------------------------------------------ */

static void open_while_held(struct fx *f)
{
	make_and_fill(f, ENG_LUN_RAID5, 4);
	fx_close(f);
	f->busy = 9;
	fx_open(f);
	assert_int_equal(f->busy, 0);
	assert_int_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_HEALTHY);
	fx_close(f);
	f->busy = UINT32_MAX; /* another program has them for good: that is an end, too */
	fx_open(f);
	f->busy = 0;
	assert_int_equal(fx_drive_info(f, 1).state, ENG_DRIVE_FOREIGN);
}

static void drives_held_for_a_moment_are_waited_for(void **state)
{
	struct fx f;

	(void)state;
	fx_init(&f, 9, 6, 96);
	fx_run(&f, open_while_held);
	fx_fini(&f);
}

/* ---- too many losses ------------------------------------------------------------------------------ */

static void lose_too_many(struct fx *f)
{
	uint8_t sector[512];
	struct err err = { 0 };

	make_and_fill(f, ENG_LUN_RAID5, 4);
	assert_int_equal(eng_drive_pull(f->array, &f->bays[1].drive, &err), 0);
	fx_fill(f, &the_lun, 1 * MB, 1 * MB, 31);
	assert_int_equal(eng_drive_pull(f->array, &f->bays[2].drive, &err), 0);
	assert_int_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_FAILED);
	assert_int_equal(eng_lun_read(f->array, &the_lun, 0, sector, 512), -EIO);
	/* The one that left first is out of date and must not bring the LUN back. */
	assert_int_equal(eng_drive_insert(f->array, &f->bays[1], &err), 0);
	assert_int_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_FAILED);
	assert_int_equal(eng_drive_insert(f->array, &f->bays[2], &err), 0);
	fx_wait_idle(f, &the_lun);
	assert_int_equal(fx_lun_info(f, &the_lun).health, ENG_LUN_HEALTHY);
	fx_check(f, &the_lun, 1 * MB, 1 * MB, 31);
	fx_check(f, &the_lun, 2 * MB, 22 * MB, 7);
}

static void a_failed_lun_returns_with_its_last_drive_only(void **state)
{
	struct fx f;

	(void)state;
	fx_init(&f, 6, 6, 96);
	fx_run(&f, lose_too_many);
	fx_fini(&f);
}

/* ---- resize ------------------------------------------------------------------------------------- */

static void grow_and_shrink(struct fx *f)
{
	struct eng_job *job;
	struct err err = { 0 };
	uint64_t was;

	make_and_fill(f, ENG_LUN_RAID5, 4);
	was = fx_lun_info(f, &the_lun).size_bytes;
	assert_int_equal(eng_lun_extend(f->array, &the_lun, 6 * MB, NULL, 0, &job, &err), 0);
	eng_job_wait(job);
	eng_job_unref(job);
	assert_true(fx_lun_info(f, &the_lun).size_bytes >= was + 6 * MB);
	assert_int_equal(fx_lun_info(f, &the_lun).transition, ENG_TRANSITION_STABLE);
	fx_check(f, &the_lun, 0, was, 7);
	fx_fill(f, &the_lun, was, 6 * MB, 41);
	fx_close(f);
	fx_open(f);
	fx_check(f, &the_lun, 0, was, 7);
	fx_check(f, &the_lun, was, 6 * MB, 41);
	assert_int_equal(eng_lun_shrink(f->array, &the_lun, 9 * MB, &job, &err), 0);
	eng_job_wait(job);
	eng_job_unref(job);
	assert_true(fx_lun_info(f, &the_lun).size_bytes <= was);
	fx_check(f, &the_lun, 0, fx_lun_info(f, &the_lun).size_bytes - 3 * MB, 7);
}

static void a_lun_grows_and_shrinks(void **state)
{
	struct fx f;

	(void)state;
	fx_init(&f, 7, 6, 96);
	fx_run(&f, grow_and_shrink);
	fx_fini(&f);
}

static void plexes(struct fx *f)
{
	static const unsigned a[] = { 0 }, b[] = { 1 };
	struct guid lun = fx_lun(f, ENG_LUN_SIMPLE, 16, a, 1), more = fx_lun(f, ENG_LUN_SIMPLE, 20, b, 1);
	struct eng_plex_info plex;
	struct eng_job_info ji;
	struct eng_job *job;
	struct err err = { 0 };

	fx_fill(f, &lun, 0, 16 * MB, 51);
	assert_int_equal(eng_lun_add_plex(f->array, &lun, &more, &job, &err), 0);
	eng_job_wait(job);
	eng_job_info(job, &ji);
	assert_int_equal(ji.state, ENG_JOB_DONE);
	eng_job_unref(job);
	assert_int_equal(fx_lun_info(f, &lun).type, ENG_LUN_MIRROR);
	assert_int_equal(fx_lun_info(f, &lun).health, ENG_LUN_HEALTHY);
	assert_int_equal(eng_plex_info(f->array, &lun, 0, &plex), 0);
	assert_int_equal(eng_lun_remove_plex(f->array, &lun, &plex.id, &job, &err), 0);
	eng_job_wait(job);
	eng_job_unref(job);
	assert_int_equal(fx_lun_info(f, &lun).type, ENG_LUN_SIMPLE);
	assert_false(fx_drive_info(f, 0).assigned);
	fx_check(f, &lun, 0, 16 * MB, 51);
	fx_close(f);
	fx_open(f);
	fx_check(f, &lun, 0, 16 * MB, 51);
}

static void a_plex_is_added_and_the_first_removed(void **state)
{
	struct fx f;

	(void)state;
	fx_init(&f, 8, 6, 96);
	fx_run(&f, plexes);
	fx_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_survives_a_restart),
		cmocka_unit_test(a_returning_drive_catches_up),
		cmocka_unit_test(an_unassigned_drive_departs_and_comes_back),
		cmocka_unit_test(a_drive_put_back_between_restarts_catches_up),
		cmocka_unit_test(a_spare_takes_a_failed_drives_place),
		cmocka_unit_test(a_pulled_drive_gets_its_delay),
		cmocka_unit_test(a_killed_rebuild_goes_on),
		cmocka_unit_test(offline_is_kept_and_online_resynchronises),
		cmocka_unit_test(drives_held_for_a_moment_are_waited_for),
		cmocka_unit_test(a_failed_lun_returns_with_its_last_drive_only),
		cmocka_unit_test(a_lun_grows_and_shrinks),
		cmocka_unit_test(a_plex_is_added_and_the_first_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
