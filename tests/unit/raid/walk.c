/* SPDX-License-Identifier: Apache-2.0 */
/* How large a piece of a row background work takes at once. */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ROWS  40
#define CHUNK 65536

static const struct raid_shape shape = RIG_SHAPE(RAID_RAID5, 4, 1, CHUNK, ROWS);
static const struct raid_options options = {.bitmap = true};

struct world {
	struct rig r;
	struct raid_run run;
	bool busy, stop, stopped;
	uint64_t writes;
};

static void reader(void *arg)
{
	struct world *w = arg;
	uint8_t buf[4096];

	while (!w->stop) {
		assert_int_equal(blk_read(raid_dev(w->r.set), 0, buf, sizeof(buf)), 0);
		task_sleep_ms(20);
	}
	w->stopped = true;
}

static int rebuild(void *arg)
{
	struct world *w = arg;
	uint64_t before;
	int rc;

	task_sleep_ms(200);
	w->stopped = !w->busy;
	if (w->busy)
		assert_int_equal(task_spawn(w->r.loop, "reader", reader, w), 0);
	task_sleep_ms(5);
	before = w->r.member[0].stats->ops[BLK_WRITE];
	rc = raid_rebuild(w->r.set, 1, false, &w->run);
	w->writes = w->r.member[0].stats->ops[BLK_WRITE] - before;
	w->stop = true;
	while (!w->stopped)
		task_sleep_ms(1);
	return rc;
}

/* Writes to the member that is filled. */
static uint64_t writes_with(uint64_t share, bool busy)
{
	struct world w = {.run = {.foreground_share = share}, .busy = busy};
	struct raid_member stale;

	rig_init(&w.r, 1, &shape, &options);
	stale = raid_member(w.r.set, 0);
	stale.state = RAID_MEMBER_STALE;
	rig_set_member(&w.r, 0, &stale);
	assert_int_equal(rig_call(&w.r, rebuild, &w), 0);
	assert_int_equal(rig_inconsistent(&w.r, 0), 0);
	rig_fini(&w.r);
	return w.writes;
}

static void rows_are_whole_while_nobody_waits(void **state)
{
	(void)state;
	assert_int_equal(writes_with(5, false), ROWS);
	assert_int_equal(writes_with(100, true), ROWS);
}

static void pieces_are_the_share_of_a_row_but_8_kib_at_least(void **state)
{
	(void)state;
	assert_int_equal(writes_with(5, true), ROWS * (CHUNK / 8192));
	assert_int_equal(writes_with(0, true), ROWS * (CHUNK / 8192));
	assert_int_equal(writes_with(25, true), ROWS * 4);
	assert_int_equal(writes_with(50, true), ROWS * 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_whole_while_nobody_waits),
		cmocka_unit_test(pieces_are_the_share_of_a_row_but_8_kib_at_least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
