/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A drive that is being taken in when the process dies, before each of the writes in turn. The array
 * is then as it was before, or has the drive in it: it never counts on a drive that knows nothing of
 * it, and never takes the word of one that has not been told everything. What is missing is made up
 * for by taking the drive in once more.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/log.h"
#include "fixture.h"

#define MEMBERS 3

static unsigned writes, die_at;
static bool power, struck;
static struct guid lun;
static char *before, *after;

static int count_and_die(struct fx *f, unsigned drive, const struct blk_req *req)
{
	(void)drive;
	if (req->op == BLK_READ || struck)
		return struck ? -ENODEV : 0;
	if (++writes != die_at)
		return 0;
	struck = true;
	fx_strike(f, power);
	return -ENODEV;
}

static void base(struct fx *f)
{
	static const unsigned slots[] = { 0, 1, 2 };

	lun = fx_lun(f, ENG_LUN_RAID5, 8, slots, MEMBERS);
	fx_close(f);
}

static void take_in(struct fx *f)
{
	struct guid id;
	int rc;

	fx_open(f);
	writes = 0;
	f->tap = count_and_die;
	rc = eng_drive_add(f->array, &f->bays[MEMBERS], &id, NULL);
	f->tap = NULL;
	if (!struck)
		assert_int_equal(rc, 0);
}

static void take_in_to_the_end(struct fx *f)
{
	take_in(f);
	after = fx_config(f);
}

static void look_before(struct fx *f)
{
	fx_open(f);
	before = fx_config(f);
}

static void look_after(struct fx *f)
{
	struct guid id;
	char *now;
	struct err err = { 0 };

	fx_open(f);
	now = fx_config(f);
	if (strcmp(now, before) != 0 && strcmp(now, after) != 0)
		fail_msg("neither old nor new after %u writes and a %s: %s", die_at - 1,
			power ? "power cut" : "kill", now);
	free(now);
	if (eng_drive_at(f->array, 0, MEMBERS, &id) &&
		eng_drive_add(f->array, &f->bays[MEMBERS], &id, &err))
		fail_msg("not taken in after %u writes: %s", die_at - 1, err.text);
	f->bays[MEMBERS].drive = id;
	assert_int_equal(fx_drive_info(f, MEMBERS).state, ENG_DRIVE_ONLINE);
	assert_int_equal(fx_lun_info(f, &lun).health, ENG_LUN_HEALTHY);
}

static void die_and_look(struct fx *f, const struct fx_image *image, bool cut)
{
	fx_restore(f, image, 1);
	power = cut;
	struck = false;
	fx_run(f, take_in);
	fx_bury(f);
	fx_run(f, look_after);
}

static void cut_short_it_is_in_or_not(void **state)
{
	struct fx_image image;
	struct fx f;
	unsigned all;

	(void)state;
	fx_init(&f, 1, MEMBERS, 64);
	snprintf(f.paths[MEMBERS], sizeof(f.paths[0]), "sim%u", MEMBERS);
	f.bays[MEMBERS] = (struct eng_bay) { .bus = 0, .slot = MEMBERS, .path = f.paths[MEMBERS] };
	assert_int_equal(blk_medium_new(64 << 20, 512, &f.media[MEMBERS]), 0);
	f.drives = MEMBERS + 1; /* its bay is known, as after a restart of the store */
	fx_run(&f, base);
	fx_save(&f, &image);
	fx_run(&f, look_before);
	fx_restore(&f, &image, 1);
	fx_run(&f, take_in_to_the_end);
	all = writes;
	for (die_at = 1; die_at <= all; die_at++) {
		die_and_look(&f, &image, false);
		die_and_look(&f, &image, true);
	}
	free(before);
	free(after);
	fx_fini(&f);
	fx_image_free(&image);
}

static void keep_quiet(enum log_level level, const char *line, void *ctx)
{
	(void)level;
	(void)line;
	(void)ctx;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(cut_short_it_is_in_or_not) };

	log_set_sink(keep_quiet, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
