/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data lost for good: a block that could not be read when its redundancy was needed. It must never
 * read as anything else, whatever happens to the array, until it is written anew; and then it must
 * not be lost again.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fixture.h"

#define KB    1024u
#define MB    (1024u * 1024u)
#define BLOCK 4096u
#define SIZE  (9 * MB)

static struct guid lun, other;
static uint64_t lost_at[8];
static unsigned lost_n;

static bool is_lost(uint64_t at)
{
	for (unsigned i = 0; i < lost_n; i++)
		if (lost_at[i] == at)
			return true;
	return false;
}

/* Reads everything: just the lost blocks fail. */
static void check(struct fx *f)
{
	uint8_t buf[BLOCK];

	for (uint64_t at = 0; at < SIZE; at += BLOCK) {
		if (is_lost(at))
			assert_int_equal(eng_lun_read(f->array, &lun, at, buf, BLOCK), -EIO);
		else
			fx_check(f, &lun, at, BLOCK, 7);
	}
	assert_int_equal(fx_lun_info(f, &lun).lost_bytes, lost_n * BLOCK);
	fx_check(f, &other, 0, MB, 8);
	assert_int_equal(fx_lun_info(f, &other).lost_bytes, 0);
}

/* A RAID 5 on 0–3 loses drive 1 and meets medium errors on drive 0 while spare 4 is filled. */
static void lose_some(struct fx *f)
{
	static const unsigned slots[] = { 0, 1, 2, 3 }, two[] = { 0, 5 };
	struct guid d = fx_drive(f, 1), s = fx_drive(f, 4);
	uint8_t buf[BLOCK];

	other = fx_lun(f, ENG_LUN_MIRROR, 4, two, 2);
	lun = fx_lun(f, ENG_LUN_RAID5, 9, slots, 4);
	fx_fill(f, &lun, 0, SIZE, 7);
	fx_fill(f, &other, 0, MB, 8);
	assert_int_equal(eng_drive_set_failed(f->array, &d, true, NULL), 0);
	d = fx_drive(f, 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(eng_drive_fault_add(f->array, &d, BLK_FAULT_READ_ERROR,
							 5 * MB + i * 64 * KB + 8 * KB, BLOCK), 0);
	assert_int_equal(eng_drive_set_spare(f->array, &s, true, NULL), 0);
	fx_wait_idle(f, &lun);
	assert_int_equal(fx_lun_info(f, &lun).health, ENG_LUN_HEALTHY);
	lost_n = 0;
	for (uint64_t at = 0; at < SIZE; at += BLOCK)
		if (eng_lun_read(f->array, &lun, at, buf, BLOCK)) {
			assert_true(lost_n < 8);
			lost_at[lost_n++] = at;
		}
	assert_true(lost_n >= 3); /* of each row the unreadable block, unless it is parity, and the lost one */
	check(f);
}

static void open_and_check(struct fx *f)
{
	fx_open(f);
	check(f);
}

static void spare_again(struct fx *f)
{
	struct guid d = fx_drive(f, 3), s = fx_drive(f, 6);

	assert_int_equal(eng_drive_set_spare(f->array, &s, true, NULL), 0);
	assert_int_equal(eng_drive_set_failed(f->array, &d, true, NULL), 0);
	fx_wait_idle(f, &lun);
	assert_int_equal(fx_lun_info(f, &lun).health, ENG_LUN_HEALTHY);
	check(f);
}

/* Only what the new member has been given can tell: the others are out. */
static void each_member_knows(struct fx *f)
{
	static const unsigned members[] = { 0, 4, 2, 6 };

	for (unsigned i = 0; i < 4; i++) {
		struct guid d = fx_drive(f, members[i]);

		assert_int_equal(eng_drive_pull(f->array, &d, NULL), 0);
		check(f);
		assert_int_equal(eng_drive_insert(f->array, &f->bays[members[i]], NULL), 0);
		fx_wait_idle(f, &lun);
		assert_int_equal(fx_lun_info(f, &lun).health, ENG_LUN_HEALTHY);
	}
}

static void extend(struct fx *f)
{
	struct eng_job *job;
	struct eng_job_info info;

	assert_int_equal(eng_lun_extend(f->array, &lun, 3 * MB, NULL, 0, &job, NULL), 0);
	eng_job_wait(job);
	eng_job_info(job, &info);
	assert_int_equal(info.state, ENG_JOB_DONE);
	eng_job_unref(job);
	check(f);
}

static void rewrite_one(struct fx *f)
{
	lost_n--;
	fx_fill(f, &lun, lost_at[lost_n], BLOCK, 7);
	check(f);
}

static void rewrite_all(struct fx *f)
{
	struct eng_job *job;

	fx_fill(f, &lun, 0, SIZE, 7);
	lost_n = 0;
	check(f);
	assert_int_equal(eng_lun_recover(f->array, &lun, &job, NULL), 0);
	eng_job_wait(job);
	eng_job_unref(job);
	check(f);
}

static void lost_data_stay_lost_until_rewritten(void **state)
{
	struct fx f;

	(void)state;
	fx_init(&f, 5, 7, 64);
	fx_run(&f, lose_some);
	fx_run(&f, fx_close);
	fx_run(&f, open_and_check);
	fx_crash(&f, true);
	fx_run(&f, open_and_check);
	fx_run(&f, spare_again);
	fx_run(&f, each_member_knows);
	fx_run(&f, rewrite_one);
	fx_crash(&f, true); /* acknowledged and, being on a lost place, stable: no flush was asked for */
	fx_run(&f, open_and_check);
	fx_run(&f, extend);
	fx_crash(&f, false);
	fx_run(&f, open_and_check);
	fx_run(&f, rewrite_all);
	fx_run(&f, fx_close);
	fx_run(&f, open_and_check);
	fx_fini(&f);
}

/* ---- the power is cut before each write ------------------------------------------------------ */

static unsigned writes, die_at;
static bool struck;

static int count_and_die(struct fx *f, unsigned drive, const struct blk_req *req)
{
	(void)drive;
	if (req->op == BLK_READ || struck)
		return struck ? -ENODEV : 0;
	if (++writes != die_at)
		return 0;
	struck = true;
	fx_strike(f, true);
	return -ENODEV;
}

static int written;

static void rewrite_under_fire(struct fx *f)
{
	uint8_t buf[BLOCK];

	memset(buf, 0x77, sizeof(buf));
	f->tap = count_and_die;
	written = eng_lun_write(f->array, &lun, lost_at[0], buf, BLOCK);
}

/* Lost, or what was written: never the zeros that lie there. */
static void lost_or_written(struct fx *f)
{
	uint8_t buf[BLOCK], want[BLOCK];
	int rc;

	memset(want, 0x77, sizeof(want));
	fx_open(f);
	rc = eng_lun_read(f->array, &lun, lost_at[0], buf, BLOCK);
	if (!written)
		assert_int_equal(rc, 0);
	assert_true(rc == 0 || rc == -EIO);
	for (unsigned s = 0; !rc && s < BLOCK; s += 512)
		assert_memory_equal(buf + s, want + s, 512);
	for (unsigned i = 1; i < lost_n; i++)
		assert_int_equal(eng_lun_read(f->array, &lun, lost_at[i], buf, BLOCK), -EIO);
}

static void a_power_cut_while_rewriting_shows_nothing_else(void **state)
{
	struct fx_image image;
	struct fx f;

	(void)state;
	fx_init(&f, 9, 7, 64);
	fx_run(&f, lose_some);
	fx_run(&f, fx_close);
	fx_save(&f, &image);
	for (die_at = 1;; die_at++) {
		fx_restore(&f, &image, die_at);
		writes = 0;
		struck = false;
		fx_run(&f, open_and_check);
		fx_run(&f, rewrite_under_fire);
		if (!struck)
			break;
		fx_bury(&f);
		struck = false;
		fx_run(&f, lost_or_written);
	}
	assert_true(die_at > 6); /* data, parity, flushes and four lists at least */
	assert_int_equal(written, 0);
	f.tap = NULL;
	fx_fini(&f);
	fx_image_free(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lost_data_stay_lost_until_rewritten),
		cmocka_unit_test(a_power_cut_while_rewriting_shows_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
