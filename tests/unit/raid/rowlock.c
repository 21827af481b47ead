/* SPDX-License-Identifier: Apache-2.0 */
#include "raid/raid_internal.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { ROWS = 3, TASKS = 24, ROUNDS = 60 };

static struct {
	struct loop *loop;
	struct raid_rows rows;
	unsigned readers[ROWS], writers[ROWS], together, left;
} t;

static void locker(void *arg)
{
	struct rng *rng = loop_rng(t.loop);

	(void)arg;
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned n = (unsigned)rng_below(rng, ROWS);
		bool exclusive = rng_below(rng, 3) == 0;
		struct raid_row *row = raid_row_get(&t.rows, n * RAID_ROW_BUCKETS); /* one bucket */

		raid_row_lock(row, exclusive);
		assert_int_equal(t.writers[n], 0);
		if (exclusive)
			assert_int_equal(t.readers[n], 0);
		*(exclusive ? &t.writers[n] : &t.readers[n]) += 1;
		if (t.readers[n] > t.together)
			t.together = t.readers[n];
		task_sleep_ms(rng_below(rng, 5));
		*(exclusive ? &t.writers[n] : &t.readers[n]) -= 1;
		raid_row_unlock(row);
		raid_row_put(row);
	}
	t.left--;
}

static void locks_exclude_and_share(void **state)
{
	(void)state;
	assert_int_equal(loop_new_simulated(5, 0, &t.loop), 0);
	raid_rows_init(&t.rows);
	t.left = TASKS;
	for (unsigned i = 0; i < TASKS; i++)
		assert_int_equal(task_spawn(t.loop, "locker", locker, NULL), 0);
	loop_run_until_idle(t.loop);
	assert_int_equal(t.left, 0);
	assert_true(t.together > 1);
	assert_true(raid_rows_empty(&t.rows));
	loop_free(t.loop);
}

static char order[8];
static unsigned order_len;

static void named(void *arg)
{
	const char *name = arg;
	struct raid_row *row = raid_row_get(&t.rows, 7);

	raid_row_lock(row, *name >= 'A' && *name <= 'Z');
	order[order_len++] = *name;
	task_sleep_ms(10);
	raid_row_unlock(row);
	raid_row_put(row);
}

static int queue_up(void *arg)
{
	static const char *const names[] = {"W", "a", "X", "b"};

	(void)arg;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		task_spawn(t.loop, "named", named, (void *)names[i]);
		task_sleep_ms(1);
	}
	task_sleep_ms(100);
	return 0;
}

/* A reader that comes after a waiting writer waits behind it. */
static void nobody_overtakes(void **state)
{
	(void)state;
	assert_int_equal(loop_new_simulated(6, 0, &t.loop), 0);
	raid_rows_init(&t.rows);
	task_call(t.loop, queue_up, NULL);
	loop_run_until_idle(t.loop);
	assert_string_equal(order, "WaXb");
	loop_free(t.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(locks_exclude_and_share),
		cmocka_unit_test(nobody_overtakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
