/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated loop. Time stands still while anything is ready and then jumps to the next
 * timer. What is ready lies in a bag from which the seed draws; posts keep their order, so of
 * those only the oldest takes part; a timer that is due takes part too.
 *
 * This is for tests: where memory for the bag runs out it aborts.
 */
#include "blk/loop_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* Not 0, which callers like to use for "never". */
#define START_NS 1000000000u

struct loop_sim {
	struct loop loop;
	struct rng rng;
	int64_t wall_start_ms;
	struct loop_post **bag;
	size_t bag_len, bag_cap;
};

static struct loop_sim *sim_of(const struct loop *loop)
{
	return container_of(loop, struct loop_sim, loop);
}

static void sim_ready(struct loop *loop, struct loop_post *event)
{
	struct loop_sim *s = sim_of(loop);

	if (s->bag_len == s->bag_cap) {
		s->bag_cap = s->bag_cap ? 2 * s->bag_cap : 64;
		s->bag = realloc(s->bag, s->bag_cap * sizeof(*s->bag));
		if (!s->bag)
			abort();
	}
	s->bag[s->bag_len++] = event;
}

static void sim_post(struct loop *loop, struct loop_post *post)
{
	list_add_tail(&loop->ready, &post->link);
}

static bool sim_step(struct loop *loop)
{
	struct loop_sim *s = sim_of(loop);
	struct loop_timer *timer;
	struct loop_post *event;
	size_t posts, due, choice;

	loop_take_inbox(loop);
	timer = loop_timer_first(loop);
	posts = list_empty(&loop->ready) ? 0 : 1;
	due = timer && timer->due_ns <= loop->now_ns ? 1 : 0;
	if (s->bag_len + posts + due == 0) {
		if (!timer)
			return false;
		loop->now_ns = timer->due_ns;
		due = 1;
	}
	choice = s->bag_len + posts + due > 1 ? rng_below(&s->rng, s->bag_len + posts + due) : 0;
	if (choice < s->bag_len) {
		event = s->bag[choice];
		s->bag[choice] = s->bag[--s->bag_len];
		event->fn(event);
	} else if (choice < s->bag_len + posts) {
		event = list_first(&loop->ready, struct loop_post, link);
		list_del(&event->link);
		event->fn(event);
	} else {
		loop_timer_fire(loop);
	}
	return true;
}

static void sim_wait(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	loop->asleep = true;
	while (list_empty(&loop->inbox) && !atomic_load(&loop->stop))
		pthread_cond_wait(&loop->changed, &loop->lock);
	loop->asleep = false;
	pthread_mutex_unlock(&loop->lock);
}

static void sim_wake(struct loop *loop)
{
	pthread_cond_broadcast(&loop->changed);
}

static uint64_t sim_now_ns(const struct loop *loop)
{
	return loop->now_ns;
}

static int64_t sim_wall_ms(const struct loop *loop)
{
	return sim_of(loop)->wall_start_ms + (int64_t)((loop->now_ns - START_NS) / 1000000);
}

static uint64_t sim_timer_order(struct loop *loop)
{
	return rng_next(&sim_of(loop)->rng);
}

static bool sim_has_ready(const struct loop *loop)
{
	return sim_of(loop)->bag_len > 0 || !list_empty(&loop->ready);
}

static void sim_free(struct loop *loop)
{
	struct loop_sim *s = sim_of(loop);

	loop_fini(loop);
	free(s->bag);
	free(s);
}

static const struct loop_kind sim_kind = {
	.simulated = true,
	.ready = sim_ready,
	.post = sim_post,
	.step = sim_step,
	.wait = sim_wait,
	.wake = sim_wake,
	.now_ns = sim_now_ns,
	.wall_ms = sim_wall_ms,
	.timer_order = sim_timer_order,
	.has_ready = sim_has_ready,
	.free = sim_free,
};

int loop_new_simulated(uint64_t seed, int64_t wall_start_ms, struct loop **out)
{
	struct loop_sim *s = calloc(1, sizeof(*s));
	int r;

	*out = NULL;
	if (!s)
		return -ENOMEM;
	r = loop_init(&s->loop, &sim_kind, NULL, 0);
	if (r) {
		free(s);
		return r;
	}
	rng_seed(&s->rng, seed);
	s->wall_start_ms = wall_start_ms;
	s->loop.now_ns = START_NS;
	*out = &s->loop;
	return 0;
}

struct rng *loop_rng(struct loop *loop)
{
	assert(loop->kind->simulated);
	return &sim_of(loop)->rng;
}
