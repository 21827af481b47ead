/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A drive put back as an older image of itself: restored from a backup, or a copy that somebody kept.
 * It carries this array's metadata and its own identity, but not what was written since. It must never
 * count as current, nor be caught up by the bitmap, which only knows what the drive missed since it left.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fixture.h"

#define MB   (1024u * 1024u)
#define X    1 /* the drive that is put back older */
#define SIZE (9 * MB)

static struct guid lun, plain;
static struct blk_medium *old_x;

static void keep_x(struct fx *f)
{
	blk_medium_free(old_x);
	assert_int_equal(blk_medium_clone(f->media[X], &old_x), 0);
}

static void put_old_x(struct fx *f)
{
	blk_medium_free(f->media[X]);
	f->media[X] = old_x;
	old_x = NULL;
}

static void make(struct fx *f)
{
	static const unsigned slots[] = { 0, X, 2, 3 }, on_x[] = { X };

	lun = fx_lun(f, ENG_LUN_RAID5, 9, slots, 4);
	plain = fx_lun(f, ENG_LUN_SIMPLE, 2, on_x, 1);
	fx_fill(f, &lun, 0, SIZE, 1);
	fx_fill(f, &plain, 0, 2 * MB, 1);
	assert_int_equal(eng_lun_flush(f->array, &lun), 0);
	assert_int_equal(eng_lun_flush(f->array, &plain), 0);
}

static void write_more(struct fx *f)
{
	fx_fill(f, &lun, 0, SIZE, 2);
	assert_int_equal(eng_lun_flush(f->array, &lun), 0);
	task_sleep_ms(20000); /* the regions settle: the bitmap knows nothing of these writes */
}

/* It is filled from its first byte, and then real redundancy. */
static void check(struct fx *f)
{
	struct guid d = fx_drive(f, 0);

	fx_wait_idle(f, &lun);
	assert_int_equal(fx_lun_info(f, &lun).health, ENG_LUN_HEALTHY);
	fx_check(f, &lun, 0, SIZE, 2);
	assert_int_equal(eng_drive_pull(f->array, &d, NULL), 0);
	fx_check(f, &lun, 0, SIZE, 2); /* by what stands on X */
}

static void open_with_old(struct fx *f)
{
	fx_open(f);
	assert_int_not_equal(fx_lun_info(f, &lun).health, ENG_LUN_HEALTHY);
	fx_check(f, &lun, 0, SIZE, 2);
	fx_check(f, &plain, 0, 2 * MB, 1); /* nobody else has it: what is there is served */
	check(f);
}

static void begin(struct fx *f, uint64_t seed)
{
	fx_init(f, seed, 6, 64);
	fx_run(f, make);
}

static void end(struct fx *f)
{
	fx_fini(f);
	blk_medium_free(old_x);
	old_x = NULL;
}

static void an_image_of_an_earlier_life_is_filled_anew(void **state)
{
	struct fx f;

	(void)state;
	begin(&f, 1);
	fx_run(&f, fx_close);
	keep_x(&f);
	fx_run(&f, fx_open);
	fx_run(&f, write_more);
	fx_run(&f, fx_close);
	put_old_x(&f);
	fx_run(&f, open_with_old);
	end(&f);
}

static void an_image_taken_while_open_is_noticed_after_a_clean_end(void **state)
{
	struct fx f;

	(void)state;
	begin(&f, 2);
	keep_x(&f);
	fx_run(&f, write_more);
	fx_run(&f, fx_close);
	put_old_x(&f);
	fx_run(&f, open_with_old);
	end(&f);
}

static void pull_x(struct fx *f)
{
	struct guid d = fx_drive(f, X);

	assert_int_equal(eng_drive_pull(f->array, &d, NULL), 0);
	f->bays[X].gone = true;
}

static void insert_x(struct fx *f)
{
	f->bays[X].gone = false;
	assert_int_equal(eng_drive_insert(f->array, &f->bays[X], NULL), 0);
	check(f);
}

static void an_older_image_that_returns_to_a_running_array(void **state)
{
	struct fx f;

	(void)state;
	begin(&f, 3);
	keep_x(&f);
	fx_run(&f, write_more);
	/* something that is committed before it leaves, or it is not older */
	fx_run(&f, fx_close);
	fx_run(&f, fx_open);
	fx_run(&f, pull_x);
	put_old_x(&f);
	fx_run(&f, insert_x);
	end(&f);
}

static void an_older_image_that_returns_between_two_lives(void **state)
{
	struct fx f;

	(void)state;
	begin(&f, 4);
	fx_run(&f, fx_close);
	keep_x(&f);
	fx_run(&f, fx_open);
	fx_run(&f, write_more);
	fx_run(&f, pull_x);
	fx_run(&f, fx_close);
	put_old_x(&f);
	f.bays[X].gone = false;
	fx_run(&f, open_with_old);
	end(&f);
}

/* The same drive, unchanged, is no older image: it catches up by the bitmap. */
static void pull_write_insert(struct fx *f)
{
	struct guid d = fx_drive(f, X);

	f->settings.auto_recovery = false;
	eng_array_set_settings(f->array, &f->settings);
	fx_fill(f, &lun, 0, SIZE, 2);
	task_sleep_ms(20000);
	assert_int_equal(eng_drive_pull(f->array, &d, NULL), 0);
	fx_fill(f, &lun, 0, 65536, 2);
	assert_int_equal(eng_drive_insert(f->array, &f->bays[X], NULL), 0);
}

static void is_caught_up(struct fx *f)
{
	struct eng_member_info m[4];
	unsigned n;

	fx_open(f);
	assert_int_equal(eng_lun_members(f->array, &lun, m, 4, &n), 0);
	assert_int_equal(m[1].state, ENG_MEMBER_STALE);
	assert_int_equal(m[1].rebuilt, m[1].size); /* all of it, but for what the bitmap names */
}

static void an_unchanged_drive_is_not_taken_for_an_older_one(void **state)
{
	struct fx f;

	(void)state;
	begin(&f, 5);
	fx_run(&f, pull_write_insert);
	fx_run(&f, fx_close);
	fx_run(&f, is_caught_up);
	fx_crash(&f, true);
	fx_run(&f, is_caught_up);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_of_an_earlier_life_is_filled_anew),
		cmocka_unit_test(an_image_taken_while_open_is_noticed_after_a_clean_end),
		cmocka_unit_test(an_older_image_that_returns_to_a_running_array),
		cmocka_unit_test(an_older_image_that_returns_between_two_lives),
		cmocka_unit_test(an_unchanged_drive_is_not_taken_for_an_older_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
