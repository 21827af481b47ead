/* SPDX-License-Identifier: Apache-2.0 */
#include "test_blk.h"

#include "base/cleanup.h"

#define POOL ((size_t)16 << 20) /* levels of 4, 8 and 4 MiB */

static struct loop *pool_loop(void)
{
	struct loop_options options = {.aio = LOOP_AIO_THREADS, .buffer_pool_bytes = POOL};
	struct loop *loop;

	assert_int_equal(loop_new(&options, &loop, NULL), 0);
	return loop;
}

static const size_t level_bytes[] = {POOL / 4, POOL / 2, POOL / 4};

/* After everything was given back, each level is whole again. */
static void assert_whole(struct loop *loop)
{
	for (int level = 0; level < 3; level++) {
		void *large[2] = {NULL};
		size_t n = level_bytes[level] >> 22;

		for (size_t i = 0; i < n; i++) {
			large[i] = loop_buf_try_at(loop, (enum loop_buf_level)level, 4u << 20);
			assert_non_null(large[i]);
		}
		assert_null(loop_buf_try_at(loop, (enum loop_buf_level)level, 1));
		for (size_t i = 0; i < n; i++)
			loop_buf_free(loop, large[i], 4u << 20);
	}
}

struct held {
	uint8_t *buf;
	size_t size;
	uint8_t mark;
};

static void drop(struct loop *loop, struct held *h)
{
	assert_int_equal(h->buf[0], h->mark);
	assert_int_equal(h->buf[h->size - 1], h->mark);
	loop_buf_free(loop, h->buf, h->size);
	*h = (struct held){0};
}

static void buffers_are_aligned_apart_and_merge_again(void **state)
{
	struct loop *loop = pool_loop();
	static struct held held[300];
	unsigned refused = 0;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	loop_buf_free(loop, NULL, 5); /* allowed */
	for (int i = 0; i < 20000; i++) {
		struct held *h = &held[rng_below(&rng, ARRAY_SIZE(held))];
		size_t size = rng_below(&rng, (size_t)1 << (6 + rng_below(&rng, 17))) + 1;

		if (h->buf) {
			drop(loop, h);
			continue;
		}
		h->buf = loop_buf_try_at(loop, (enum loop_buf_level)rng_below(&rng, 3), size);
		if (!h->buf) {
			refused++;
			continue;
		}
		assert_int_equal((uintptr_t)h->buf % 4096, 0);
		h->size = size;
		h->mark = (uint8_t)rng_next(&rng);
		h->buf[0] = h->buf[size - 1] = h->mark;
	}
	assert_true(refused > 100);
	for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
		if (held[i].buf)
			drop(loop, &held[i]);
	}
	assert_whole(loop);
	loop_free(loop);
}

struct line {
	struct loop *loop;
	int order[16];
	int n, ids;
	size_t size[16];
};

static void wait_in_line(void *arg)
{
	struct line *l = arg;
	int id = l->ids++;
	void *buf = loop_buf_alloc(l->loop, l->size[id]);

	l->order[l->n++] = id;
	task_yield();
	loop_buf_free(l->loop, buf, l->size[id]);
}

/* The first one needs all, so nobody behind it may be served before, however little it wants. */
static void waiting_is_first_come_first_served(void **state)
{
	struct loop *loop = pool_loop();
	struct line l = {.loop = loop};
	void *small = loop_buf_try(loop, 4096), *large = loop_buf_try(loop, 4u << 20);

	(void)state;
	assert_true(small && large);
	for (int i = 0; i < 16; i++) {
		l.size[i] = i == 0 ? 4u << 20 : 4096;
		assert_int_equal(task_spawn(loop, "line", wait_in_line, &l), 0);
	}
	loop_run_until_idle(loop);
	assert_int_equal(l.n, 0);
	assert_null(loop_buf_try(loop, 4096)); /* no overtaking either */
	loop_buf_free(loop, small, 4096);
	loop_run_until_idle(loop);
	assert_int_equal(l.n, 16);
	for (int i = 0; i < 16; i++)
		assert_int_equal(l.order[i], i);
	loop_buf_free(loop, large, 4u << 20);
	assert_whole(loop);
	loop_free(loop);
}

struct load {
	struct loop *loop;
	struct rng rng;
	unsigned done;
};

/* By the rule: one buffer of each level, upward. */
static void use_levels(void *arg)
{
	struct load *load = arg;

	for (int i = 0; i < 30; i++) {
		enum loop_buf_level level = (enum loop_buf_level)rng_below(&load->rng, 3);
		void *buf[3] = {NULL};
		size_t size[3];

		for (int k = (int)level; k < 3; k++) {
			size[k] = rng_below(&load->rng,
					  (size_t)1 << (13 + rng_below(&load->rng, 10))) +
				  1;
			buf[k] = loop_buf_alloc_at(load->loop, (enum loop_buf_level)k, size[k]);
			if (rng_below(&load->rng, 2))
				task_yield();
		}
		for (int k = (int)level; k < 3; k++)
			loop_buf_free(load->loop, buf[k], size[k]);
	}
	load->done++;
}

static void taking_levels_upward_never_locks_up(void **state)
{
	struct load load = {.loop = pool_loop()};

	(void)state;
	rng_seed(&load.rng, 2);
	for (int i = 0; i < 100; i++)
		assert_int_equal(task_spawn(load.loop, "load", use_levels, &load), 0);
	loop_run_until_idle(load.loop);
	assert_int_equal(load.done, 100);
	assert_whole(load.loop);
	loop_free(load.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_are_aligned_apart_and_merge_again),
		cmocka_unit_test(waiting_is_first_come_first_served),
		cmocka_unit_test(taking_levels_upward_never_locks_up),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
