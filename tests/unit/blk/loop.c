/* SPDX-License-Identifier: Apache-2.0 */
#include "test_blk.h"

#include "base/cleanup.h"

#include <pthread.h>

/* ---- posts --------------------------------------------------------------------------------- */

#define THREADS 4
#define POSTS   (TEST_SLOW ? 2000 : 20000)

struct counter {
	struct loop *loop;
	int next[THREADS]; /* expected number of each thread's next post */
	int total, wrong;
};

struct numbered {
	struct loop_post post;
	struct counter *counter;
	int thread, number;
};

struct poster {
	struct counter *counter;
	int thread;
};

static void count_post(struct loop_post *post)
{
	struct numbered *n = container_of(post, struct numbered, post);
	struct counter *c = n->counter;

	if (c->next[n->thread]++ != n->number || !loop_is_current(c->loop))
		c->wrong++;
	if (++c->total == THREADS * POSTS)
		loop_stop(c->loop);
	free(n); /* a post may free itself */
}

static void *post_many(void *arg)
{
	struct poster *p = arg;

	for (int i = 0; i < POSTS; i++) {
		struct numbered *n = malloc(sizeof(*n));

		*n = (struct numbered){{.fn = count_post}, p->counter, p->thread, i};
		loop_post(p->counter->loop, &n->post);
	}
	return NULL;
}

static void *run_loop(void *loop)
{
	assert_int_equal(loop_run(loop), 0);
	return NULL;
}

static void posts_from_threads_all_arrive_in_order(struct loop *loop)
{
	struct counter c = {.loop = loop};
	struct poster p[THREADS];
	pthread_t t[THREADS], worker;

	assert_int_equal(pthread_create(&worker, NULL, run_loop, loop), 0);
	for (int i = 0; i < THREADS; i++) {
		p[i] = (struct poster){&c, i};
		assert_int_equal(pthread_create(&t[i], NULL, post_many, &p[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	pthread_join(worker, NULL);
	assert_int_equal(c.total, THREADS * POSTS);
	assert_int_equal(c.wrong, 0);
	loop_free(loop);
}

static void posts_reach_a_real_loop(void **state)
{
	struct loop *loop;

	(void)state;
	posts_from_threads_all_arrive_in_order(test_loop(false));
	assert_int_equal(loop_new(NULL, &loop, NULL), 0); /* io_uring where there is one */
	posts_from_threads_all_arrive_in_order(loop);
}

static void posts_reach_a_simulated_loop(void **state)
{
	(void)state;
	posts_from_threads_all_arrive_in_order(test_loop(true));
}

/* Each round the loop may be asleep or just about to be: the wake-up must not be lost. */
static void count_and_chain(struct loop_post *post)
{
	struct numbered *n = container_of(post, struct numbered, post);

	n->counter->total++;
	free(n);
}

static int total_is(void *arg)
{
	return ((struct counter *)arg)->total;
}

static void no_wake_up_is_lost(void **state)
{
	int rounds = TEST_SLOW ? 500 : 5000;

	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		struct loop_options options = {.aio = kind ? LOOP_AIO_THREADS : LOOP_AIO_AUTO};
		struct counter c = {0};
		pthread_t worker;

		if (kind == 2)
			c.loop = test_loop(true);
		else
			assert_int_equal(loop_new(&options, &c.loop, NULL), 0);
		assert_int_equal(pthread_create(&worker, NULL, run_loop, c.loop), 0);
		for (int i = 0; i < rounds; i++) {
			struct numbered *n = malloc(sizeof(*n));

			*n = (struct numbered){{.fn = count_and_chain}, &c, 0, i};
			loop_post(c.loop, &n->post);
			assert_int_equal(task_call(c.loop, total_is, &c), i + 1);
		}
		loop_stop(c.loop);
		pthread_join(worker, NULL);
		loop_free(c.loop);
	}
}

struct helper {
	struct loop_post start, post;
	struct loop *loop;
};

static void *post_from_helper(void *arg)
{
	struct helper *h = arg;

	loop_post(h->loop, &h->post);
	return NULL;
}

static void wait_for_helper(struct loop_post *start)
{
	struct helper *h = container_of(start, struct helper, start);
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, post_from_helper, h), 0);
	pthread_join(t, NULL);
}

static void stop_by_post(struct loop_post *post)
{
	loop_stop(container_of(post, struct helper, post)->loop);
}

/* The post comes when the loop has looked at its inbox and is not asleep yet. */
static void a_post_just_before_sleep_counts(void **state)
{
	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		struct loop_options options = {.aio = kind ? LOOP_AIO_THREADS : LOOP_AIO_AUTO};
		struct helper h = {.start.fn = wait_for_helper, .post.fn = stop_by_post};

		if (kind == 2)
			h.loop = test_loop(true);
		else
			assert_int_equal(loop_new(&options, &h.loop, NULL), 0);
		loop_post(h.loop, &h.start);
		loop_run(h.loop);
		loop_free(h.loop);
	}
}

static void stopping_before_running_counts(void **state)
{
	(void)state;
	for (int simulated = 0; simulated < 2; simulated++) {
		struct loop *loop = test_loop(simulated);
		pthread_t worker;

		loop_stop(loop);
		assert_int_equal(loop_run(loop), 0);
		/* and is used up by that */
		assert_int_equal(pthread_create(&worker, NULL, run_loop, loop), 0);
		loop_stop(loop);
		pthread_join(worker, NULL);
		loop_free(loop);
	}
}

static void is_current_inside_only(struct loop_post *post)
{
	struct numbered *n = container_of(post, struct numbered, post);

	n->counter->total = loop_is_current(n->counter->loop);
	loop_stop(n->counter->loop);
}

static void the_running_thread_is_the_current_one(void **state)
{
	struct loop *loop = test_loop(false);
	struct counter c = {.loop = loop, .total = -1};
	struct numbered n = {{.fn = is_current_inside_only}, &c, 0, 0};

	(void)state;
	assert_true(loop_is_current(loop)); /* between runs: anybody */
	loop_post(loop, &n.post);
	loop_run(loop);
	assert_int_equal(c.total, 1);
	loop_free(loop);
}

/* ---- timers -------------------------------------------------------------------------------- */

#define TIMERS 500

struct shot {
	struct loop_timer timer;
	struct loop *loop;
	struct shot **log;
	unsigned *fired;
	bool cancelled;
	int number;
};

static void shot_fired(struct loop_timer *timer)
{
	struct shot *s = container_of(timer, struct shot, timer);

	assert_false(s->timer.armed);
	assert_false(s->cancelled);
	assert_true(loop_now_ns(s->loop) >= timer->due_ns);
	s->log[(*s->fired)++] = s;
}

struct fence {
	struct loop_timer timer;
	bool passed;
};

static void fence_fired(struct loop_timer *timer)
{
	container_of(timer, struct fence, timer)->passed = true;
}

/* Random sets, moves and cancels; the rest must fire once, by due time, equal ones in order of
 * setting (real). */
static void timers_fire_in_order(void **state)
{
	(void)state;
	for (int simulated = 0; simulated < 2; simulated++) {
		struct loop *loop = test_loop(simulated);
		static struct shot shot[TIMERS];
		struct shot *log[TIMERS];
		struct fence fence = {.timer.fn = fence_fired};
		uint64_t base = loop_now_ns(loop) + 20000000;
		unsigned fired = 0, expected = 0;
		struct rng rng;
		int order = 0;

		rng_seed(&rng, 5);
		memset(shot, 0, sizeof(shot));
		for (int i = 0; i < TIMERS; i++) {
			shot[i].timer.fn = shot_fired;
			shot[i].loop = loop;
			shot[i].log = log;
			shot[i].fired = &fired;
		}
		for (int i = 0; i < 4 * TIMERS; i++) {
			struct shot *s = &shot[rng_below(&rng, TIMERS)];

			if (rng_below(&rng, 5) == 0) {
				loop_timer_cancel(loop, &s->timer);
				s->cancelled = true;
				assert_false(s->timer.armed);
			} else {
				loop_timer_set(loop, &s->timer, base + rng_below(&rng, 40) * 50000);
				s->cancelled = false;
				s->number = order++;
				assert_true(s->timer.armed);
			}
		}
		for (int i = 0; i < TIMERS; i++)
			expected += shot[i].timer.armed;
		loop_timer_set(loop, &fence.timer, base + 50 * 50000);
		loop_run_until(loop, &fence.passed);
		assert_true(expected > TIMERS / 3);
		assert_int_equal(fired, expected);
		for (unsigned i = 1; i < fired; i++) {
			assert_true(log[i - 1]->timer.due_ns <= log[i]->timer.due_ns);
			if (!simulated && log[i - 1]->timer.due_ns == log[i]->timer.due_ns)
				assert_true(log[i - 1]->number < log[i]->number);
		}
		loop_free(loop);
	}
}

struct ticker {
	struct loop_timer timer;
	struct loop *loop;
	int left;
	bool over;
};

static void tick(struct loop_timer *timer)
{
	struct ticker *t = container_of(timer, struct ticker, timer);

	if (--t->left)
		loop_timer_set(t->loop, timer, loop_now_ns(t->loop) + 1000);
	else
		t->over = true;
}

static void a_timer_may_rearm_itself(void **state)
{
	(void)state;
	for (int simulated = 0; simulated < 2; simulated++) {
		struct ticker t = {.timer.fn = tick, .loop = test_loop(simulated), .left = 100};
		uint64_t start = loop_now_ns(t.loop);

		loop_timer_set(t.loop, &t.timer, start + 1000);
		loop_run_until(t.loop, &t.over);
		assert_true(loop_now_ns(t.loop) - start >= 100000);
		if (simulated)
			assert_int_equal(loop_now_ns(t.loop) - start, 100000);
		loop_free(t.loop);
	}
}

static void idle_means_timers_only_in_a_simulation(void **state)
{
	(void)state;
	for (int simulated = 0; simulated < 2; simulated++) {
		struct loop *loop = test_loop(simulated);
		struct fence far = {.timer.fn = fence_fired};

		loop_timer_set(loop, &far.timer, loop_now_ns(loop) + 3600000000000);
		loop_run_until_idle(loop);
		assert_int_equal(far.passed, simulated);
		loop_timer_cancel(loop, &far.timer);
		loop_free(loop);
	}
}

/* ---- time ---------------------------------------------------------------------------------- */

static int two_looks(void *arg)
{
	struct loop *loop = arg;
	uint64_t first = loop_now_ns(loop);

	for (volatile int i = 0; i < 1000000; i++)
		;
	assert_int_equal(loop_now_ns(loop), first);
	assert_int_equal(clock_mono_ns(loop_clock(loop)), first);
	task_sleep_ms(1500);
	assert_int_equal(loop_now_ns(loop), first + 1500000000);
	return 0;
}

static void simulated_time_is_virtual(void **state)
{
	struct loop *loop;

	(void)state;
	assert_int_equal(loop_new_simulated(3, 1000000, &loop), 0);
	assert_true(loop_is_simulated(loop));
	assert_int_equal(loop_wall_ms(loop), 1000000);
	task_call(loop, two_looks, loop);
	assert_int_equal(loop_wall_ms(loop), 1001500);
	assert_int_equal(clock_wall_ms(loop_clock(loop)), 1001500);
	loop_free(loop);
}

static void real_time_is_that_of_the_machine(void **state)
{
	struct loop *loop = test_loop(false);
	uint64_t before = clock_mono_ns(&clock_system), now = loop_now_ns(loop);

	(void)state;
	assert_false(loop_is_simulated(loop));
	assert_true(now >= before && now <= clock_mono_ns(&clock_system));
	assert_true(llabs(loop_wall_ms(loop) - clock_wall_ms(&clock_system)) < 60000);
	loop_free(loop);
}

/* ---- determinism --------------------------------------------------------------------------- */

struct history {
	struct loop *loop;
	struct task_mutex m;
	struct task_queue q;
	struct blk_dev *dev[3];
	uint64_t log[4000];
	unsigned n;
	int ids;
};

static void note(struct history *h, int id, int what)
{
	if (h->n < ARRAY_SIZE(h->log))
		h->log[h->n++] = loop_now_ns(h->loop) << 16 | (uint64_t)(id << 8 | what);
}

static void actor(void *arg)
{
	struct history *h = arg;
	int id = h->ids++;
	struct rng *rng = loop_rng(h->loop);
	char buf[4096] = {(char)id};

	for (int i = 0; i < 40; i++) {
		int what = (int)rng_below(rng, 6);

		note(h, id, what);
		switch (what) {
		case 0:
			task_sleep_ms(rng_below(rng, 3));
			break;
		case 1:
			task_yield();
			break;
		case 2:
			task_lock(&h->m);
			task_sleep_ms(1);
			note(h, id, 10);
			task_unlock(&h->m);
			break;
		case 3:
			task_wake(&h->q);
			task_wait_ms(&h->q, 5);
			break;
		default:
			assert_int_equal(blk_write(h->dev[rng_below(rng, 3)],
						 rng_below(rng, 100) * 4096, buf, sizeof(buf), 0),
				0);
		}
	}
	note(h, id, 11);
}

static int close_all(void *arg)
{
	struct history *h = arg;

	for (int i = 0; i < 3; i++)
		blk_close(h->dev[i]);
	return 0;
}

static void live(struct history *h, uint64_t seed)
{
	struct blk_medium *m[3];

	memset(h, 0, sizeof(*h));
	assert_int_equal(loop_new_simulated(seed, 0, &h->loop), 0);
	task_mutex_init(&h->m);
	task_queue_init(&h->q);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(blk_medium_new(1u << 20, 512, &m[i]), 0);
		assert_int_equal(blk_sim_new(h->loop, "d", m[i], &h->dev[i]), 0);
	}
	for (int i = 0; i < 8; i++)
		assert_int_equal(task_spawn(h->loop, "actor", actor, h), 0);
	loop_run_until_idle(h->loop);
	note(h, 0, 12);
	task_call(h->loop, close_all, h);
	for (int i = 0; i < 3; i++)
		blk_medium_free(m[i]);
	loop_free(h->loop);
	h->loop = NULL;
}

static void one_seed_is_one_history(void **state)
{
	static struct history a, b;
	unsigned different = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		live(&a, seed);
		live(&b, seed);
		assert_true(a.n > 300);
		assert_int_equal(a.n, b.n);
		assert_memory_equal(a.log, b.log, a.n * sizeof(a.log[0]));
		live(&b, seed + 1000);
		different += a.n != b.n || memcmp(a.log, b.log, a.n * sizeof(a.log[0]));
	}
	assert_int_equal(different, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(posts_reach_a_real_loop),
		cmocka_unit_test(posts_reach_a_simulated_loop),
		cmocka_unit_test(no_wake_up_is_lost),
		cmocka_unit_test(a_post_just_before_sleep_counts),
		cmocka_unit_test(stopping_before_running_counts),
		cmocka_unit_test(the_running_thread_is_the_current_one),
		cmocka_unit_test(timers_fire_in_order),
		cmocka_unit_test(a_timer_may_rearm_itself),
		cmocka_unit_test(idle_means_timers_only_in_a_simulation),
		cmocka_unit_test(simulated_time_is_virtual),
		cmocka_unit_test(real_time_is_that_of_the_machine),
		cmocka_unit_test(one_seed_is_one_history),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
