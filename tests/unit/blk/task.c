/* SPDX-License-Identifier: Apache-2.0 */
#include "test_blk.h"

#include "base/cleanup.h"

#include <pthread.h>

/* ---- spawning and yielding ----------------------------------------------------------------- */

struct trace {
	int n;
	int who[64];
};

struct walker {
	struct trace *trace;
	int id, rounds;
};

static void walk(void *arg)
{
	struct walker *w = arg;

	for (int i = 0; i < w->rounds; i++) {
		w->trace->who[w->trace->n++] = w->id;
		task_yield();
	}
}

static void yielding_is_round_robin_in_the_real_loop(void **state)
{
	struct loop *loop = test_loop(false);
	struct trace trace = {0};
	struct walker w[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		w[i] = (struct walker){&trace, i, 5};
		assert_int_equal(task_spawn(loop, "walker", walk, &w[i]), 0);
	}
	assert_int_equal(trace.n, 0); /* nothing runs inside the call that caused it */
	loop_run_until_idle(loop);
	assert_int_equal(trace.n, 20);
	for (int i = 0; i < 20; i++)
		assert_int_equal(trace.who[i], i % 4);
	loop_free(loop);
}

static void the_simulated_loop_interleaves_by_seed(void **state)
{
	struct trace trace[4];
	bool differ = false;

	(void)state;
	memset(trace, 0, sizeof(trace));
	for (int run = 0; run < 4; run++) {
		struct walker w[4];
		struct loop *loop;

		/* Runs 0 and 1 have the same seed. */
		assert_int_equal(loop_new_simulated(run < 2 ? 7 : (uint64_t)run, 0, &loop), 0);
		for (int i = 0; i < 4; i++) {
			w[i] = (struct walker){&trace[run], i, 5};
			assert_int_equal(task_spawn(loop, "walker", walk, &w[i]), 0);
		}
		loop_run_until_idle(loop);
		assert_int_equal(trace[run].n, 20);
		loop_free(loop);
	}
	assert_memory_equal(&trace[0], &trace[1], sizeof(trace[0]));
	for (int run = 2; run < 4; run++)
		differ |= memcmp(&trace[0], &trace[run], sizeof(trace[0])) != 0;
	assert_true(differ);
}

static void spin_until(void *arg)
{
	const bool *flag = arg;

	while (!*flag)
		task_yield();
}

static void sleep_then_set(void *arg)
{
	task_sleep_ms(20);
	*(bool *)arg = true;
}

static void a_yielding_task_does_not_stop_time(void **state)
{
	(void)state;
	for (int simulated = 0; simulated < 2; simulated++) {
		struct loop *loop = test_loop(simulated);
		bool flag = false, end = false;

		assert_int_equal(task_spawn(loop, "spin", spin_until, &flag), 0);
		assert_int_equal(task_spawn(loop, "sleep", sleep_then_set, &flag), 0);
		loop_run_until(loop, &flag);
		assert_true(flag);
		(void)end;
		loop_run_until_idle(loop);
		loop_free(loop);
	}
}

static void see_self(void *arg)
{
	assert_non_null(task_self());
	assert_string_equal(task_name(task_self()), "see_self");
	*(bool *)arg = true;
}

static void task_self_is_null_outside_of_tasks(void **state)
{
	struct loop *loop = test_loop(false);
	bool seen = false;

	(void)state;
	assert_null(task_self());
	assert_int_equal(task_spawn(loop, "see_self", see_self, &seen), 0);
	loop_run_until_idle(loop);
	assert_true(seen);
	assert_null(task_self());
	loop_free(loop);
}

struct many {
	struct task_queue q;
	unsigned arrived, gone;
};

/* Uses some stack, and keeps it across the wait. */
static void wait_with_stack(void *arg)
{
	struct many *m = arg;
	volatile char room[2048];

	memset((char *)(uintptr_t)room, (int)(m->arrived % 251), sizeof(room));
	char mine = room[0];

	m->arrived++;
	task_wait(&m->q);
	for (size_t i = 0; i < sizeof(room); i += 64)
		assert_int_equal(room[i], mine);
	m->gone++;
}

static void ten_thousand_tasks_wait_at_once(void **state)
{
	unsigned n = TEST_SLOW ? 1000 : 10000;

	(void)state;
	for (int simulated = 0; simulated < 2; simulated++) {
		struct loop *loop = test_loop(simulated);
		struct many m = {0};

		task_queue_init(&m.q);
		for (unsigned i = 0; i < n; i++)
			assert_int_equal(task_spawn(loop, "many", wait_with_stack, &m), 0);
		loop_run_until_idle(loop);
		assert_int_equal(m.arrived, n);
		assert_int_equal(m.gone, 0);
		task_wake_all(&m.q);
		loop_run_until_idle(loop);
		assert_int_equal(m.gone, n);
		loop_free(loop);
	}
}

/* ---- queues -------------------------------------------------------------------------------- */

struct waiter {
	struct task_queue *q;
	struct trace *trace;
	int id;
	uint64_t ms;
	int result;
	uint64_t took_ns;
};

static void wait_once(void *arg)
{
	struct waiter *w = arg;

	task_wait(w->q);
	w->trace->who[w->trace->n++] = w->id;
}

static void wake_ups_are_fifo(void **state)
{
	struct loop *loop = test_loop(false);
	struct trace trace = {0};
	struct task_queue q;
	struct waiter w[6];

	(void)state;
	task_queue_init(&q);
	assert_true(task_queue_empty(&q));
	for (int i = 0; i < 6; i++) {
		w[i] = (struct waiter){.q = &q, .trace = &trace, .id = i};
		assert_int_equal(task_spawn(loop, "waiter", wait_once, &w[i]), 0);
	}
	loop_run_until_idle(loop);
	assert_false(task_queue_empty(&q));
	task_wake(&q);
	task_wake(&q);
	assert_int_equal(trace.n, 0);
	loop_run_until_idle(loop);
	assert_int_equal(trace.n, 2);
	task_wake_all(&q);
	assert_true(task_queue_empty(&q));
	loop_run_until_idle(loop);
	assert_int_equal(trace.n, 6);
	for (int i = 0; i < 6; i++)
		assert_int_equal(trace.who[i], i);
	task_wake(&q); /* nobody there: nothing happens, and it is not remembered */
	loop_free(loop);
}

static void wait_limited(void *arg)
{
	struct waiter *w = arg;
	struct loop *loop = *(struct loop **)w->trace; /* unused member as a carrier */
	uint64_t before = loop_now_ns(loop);

	w->result = task_wait_ms(w->q, w->ms);
	w->took_ns = loop_now_ns(loop) - before;
}

static void waiting_ends_by_time_or_by_waking(void **state)
{
	(void)state;
	for (int simulated = 0; simulated < 2; simulated++) {
		struct loop *loop = test_loop(simulated);
		struct task_queue q;
		struct waiter late, woken;
		bool over = false;

		task_queue_init(&q);
		late = (struct waiter){.q = &q, .trace = (void *)&loop, .ms = 15, .result = 1};
		woken = (struct waiter){
			.q = &q, .trace = (void *)&loop, .ms = 3600000, .result = 1};
		assert_int_equal(task_spawn(loop, "late", wait_limited, &late), 0);
		assert_int_equal(task_spawn(loop, "sleep", sleep_then_set, &over), 0);
		loop_run_until(loop, &over); /* after 20 ms */
		assert_int_equal(late.result, -ETIMEDOUT);
		assert_true(late.took_ns >= 15000000);
		assert_true(task_queue_empty(&q));

		assert_int_equal(task_spawn(loop, "woken", wait_limited, &woken), 0);
		over = false;
		assert_int_equal(task_spawn(loop, "sleep", sleep_then_set, &over), 0);
		loop_run_until(loop, &over);
		assert_int_equal(woken.result, 1);
		task_wake(&q);
		loop_run_until_idle(loop);
		assert_int_equal(woken.result, 0);
		assert_true(woken.took_ns < 3600000000000);
		loop_free(loop);
	}
}

static void sleep_and_trace(void *arg)
{
	struct waiter *w = arg;

	task_sleep_ms(w->ms);
	w->trace->who[w->trace->n++] = w->id;
}

static void sleepers_wake_in_order_of_time(void **state)
{
	static const uint64_t ms[] = {30, 10, 20, 0, 25};
	static const int order[] = {3, 1, 2, 4, 0};

	(void)state;
	for (int simulated = 0; simulated < 2; simulated++) {
		struct loop *loop = test_loop(simulated);
		uint64_t start = loop_now_ns(loop);
		struct trace trace = {0};
		struct waiter w[5];
		bool over = false;

		for (int i = 0; i < 5; i++) {
			w[i] = (struct waiter){.trace = &trace, .id = i, .ms = ms[i]};
			assert_int_equal(task_spawn(loop, "sleeper", sleep_and_trace, &w[i]), 0);
		}
		while (trace.n < 5) {
			over = false;
			assert_int_equal(task_spawn(loop, "sleep", sleep_then_set, &over), 0);
			loop_run_until(loop, &over);
		}
		assert_memory_equal(trace.who, order, sizeof(order));
		assert_true(loop_now_ns(loop) - start >= 30000000);
		loop_free(loop);
	}
}

/* ---- mutex and group ----------------------------------------------------------------------- */

struct shared {
	struct task_mutex m;
	struct task_group g;
	int inside, most, entered;
	struct trace order;
	int next_id;
};

static void lock_and_yield(void *arg)
{
	struct shared *s = arg;
	int id = s->next_id++;

	task_lock(&s->m);
	s->order.who[s->order.n++] = id;
	s->inside++;
	if (s->inside > s->most)
		s->most = s->inside;
	s->entered++;
	for (int i = 0; i < 3; i++)
		task_yield();
	s->inside--;
	task_unlock(&s->m);
	task_group_end(&s->g);
}

static void wait_for_group(void *arg)
{
	struct shared *s = arg;

	task_group_wait(&s->g);
	assert_int_equal(s->entered, 20);
}

static void a_mutex_lets_in_one_at_a_time_in_order(void **state)
{
	(void)state;
	for (int simulated = 0; simulated < 2; simulated++) {
		struct loop *loop = test_loop(simulated);
		struct shared s;

		memset(&s, 0, sizeof(s));
		task_mutex_init(&s.m);
		task_group_init(&s.g);
		assert_int_equal(task_spawn(loop, "group", wait_for_group, &s), 0);
		for (int i = 0; i < 20; i++) {
			task_group_begin(&s.g);
			assert_int_equal(task_spawn(loop, "locker", lock_and_yield, &s), 0);
		}
		loop_run_until_idle(loop);
		assert_int_equal(s.entered, 20);
		assert_int_equal(s.most, 1);
		for (int i = 0; i < 20; i++)
			assert_int_equal(s.order.who[i], i); /* as they came to the lock */
		assert_null(s.m.owner);
		loop_free(loop);
	}
}

/* ---- task_call ----------------------------------------------------------------------------- */

static int add_one_slowly(void *arg)
{
	int *n = arg;

	assert_non_null(task_self());
	task_sleep_ms(1);
	return ++*n;
}

static int call_again(void *arg)
{
	void **a = arg;

	return task_call(a[0], add_one_slowly, a[1]) + 100;
}

static void a_call_between_runs_runs_the_loop(void **state)
{
	(void)state;
	for (int simulated = 0; simulated < 2; simulated++) {
		struct loop *loop = test_loop(simulated);
		int n = 0;
		void *nested[] = {loop, &n};

		assert_int_equal(task_call(loop, add_one_slowly, &n), 1);
		assert_int_equal(task_call(loop, add_one_slowly, &n), 2);
		assert_int_equal(task_call(loop, call_again, nested), 103);
		loop_free(loop);
	}
}

#define CALLERS 4
#define CALLS   50

struct caller {
	struct loop *loop;
	int *n;
};

static void *call_many(void *arg)
{
	struct caller *c = arg;

	for (int i = 0; i < CALLS; i++)
		task_call(c->loop, add_one_slowly, c->n);
	return NULL;
}

static void *run_loop(void *arg)
{
	loop_run(arg);
	return NULL;
}

/* With a worker, and without one: then the callers take turns at running the loop. */
static void calls_from_many_threads_all_return(void **state)
{
	(void)state;
	for (int with_worker = 0; with_worker < 2; with_worker++) {
		struct loop *loop = test_loop(false);
		int n = 0;
		struct caller caller = {loop, &n};
		pthread_t worker, t[CALLERS];

		if (with_worker)
			assert_int_equal(pthread_create(&worker, NULL, run_loop, loop), 0);
		for (int i = 0; i < CALLERS; i++)
			assert_int_equal(pthread_create(&t[i], NULL, call_many, &caller), 0);
		for (int i = 0; i < CALLERS; i++)
			pthread_join(t[i], NULL);
		if (with_worker) {
			loop_stop(loop);
			pthread_join(worker, NULL);
		}
		assert_int_equal(n, CALLERS * CALLS);
		loop_free(loop);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yielding_is_round_robin_in_the_real_loop),
		cmocka_unit_test(the_simulated_loop_interleaves_by_seed),
		cmocka_unit_test(a_yielding_task_does_not_stop_time),
		cmocka_unit_test(task_self_is_null_outside_of_tasks),
		cmocka_unit_test(ten_thousand_tasks_wait_at_once),
		cmocka_unit_test(wake_ups_are_fifo),
		cmocka_unit_test(waiting_ends_by_time_or_by_waking),
		cmocka_unit_test(sleepers_wake_in_order_of_time),
		cmocka_unit_test(a_mutex_lets_in_one_at_a_time_in_order),
		cmocka_unit_test(a_call_between_runs_runs_the_loop),
		cmocka_unit_test(calls_from_many_threads_all_return),
	};

	return cmocka_run_group_tests_name("task", tests, NULL, NULL);
}
