/* SPDX-License-Identifier: Apache-2.0 */
/* The same done to many drives. */
#include "engine/engine_internal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define DRIVES 50

struct world {
	struct eng_array array;
	struct eng_drive drives[DRIVES];
	unsigned busy, most, done;
};

static struct world *w;

static void begin(uint64_t seed)
{
	w = calloc(1, sizeof(*w));
	assert_non_null(w);
	assert_int_equal(loop_new_simulated(seed, 0, &w->array.loop), 0);
	list_init(&w->array.drives);
	for (int i = 0; i < DRIVES; i++) {
		w->drives[i].slot = (int16_t)i;
		w->drives[i].array = &w->array;
		list_init(&w->drives[i].link);
		list_add_tail(&w->array.drives, &w->drives[i].link);
	}
}

static void end(void)
{
	loop_free(w->array.loop);
	free(w);
}

static bool not_third(const struct eng_drive *d, const void *ctx)
{
	assert_ptr_equal(ctx, w);
	return d->slot % 3 != 0;
}

static int work(struct eng_drive *d, const void *ctx)
{
	assert_ptr_equal(ctx, w);
	w->busy++;
	if (w->busy > w->most)
		w->most = w->busy;
	task_sleep_ms(10);
	w->busy--;
	w->done++;
	d->failed = true; /* was here */
	return d->slot == 7 ? -EIO : 0;
}

static int sweep(void *arg)
{
	struct eng_result *list;
	unsigned n;

	(void)arg;
	assert_int_equal(eng_sweep(&w->array, not_third, work, w, &list, &n), 0);
	assert_int_equal(w->busy, 0);
	assert_int_equal(n, DRIVES - (DRIVES + 2) / 3);
	assert_int_equal(w->done, n);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(list[i].rc, list[i].d->slot == 7 ? -EIO : 0);
		assert_true(!i || list[i].d->slot > list[i - 1].d->slot);
	}
	free(list);
	return 0;
}

static void each_that_matches_once_and_results_in_order(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		begin(seed);
		task_call(w->array.loop, sweep, NULL);
		for (int i = 0; i < DRIVES; i++)
			assert_int_equal(w->drives[i].failed, i % 3 != 0);
		assert_in_range(w->most, 2, 16);
		end();
	}
}

static bool none(const struct eng_drive *d, const void *ctx)
{
	(void)d;
	(void)ctx;
	return false;
}

static int sweep_none(void *arg)
{
	struct eng_result *list;
	unsigned n = 99;

	(void)arg;
	assert_int_equal(eng_sweep(&w->array, none, work, w, &list, &n), 0);
	assert_int_equal(n, 0);
	free(list);
	return 0;
}

static void no_drive_is_no_work(void **state)
{
	(void)state;
	begin(1);
	task_call(w->array.loop, sweep_none, NULL);
	assert_int_equal(w->done, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_that_matches_once_and_results_in_order),
		cmocka_unit_test(no_drive_is_no_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
