/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What both kinds of loop have in common: who runs it, posts from other threads, and calls
 * that wait. The kinds (loop_real.c, loop_sim.c) decide what runs next and how to wait.
 *
 * One thread at a time owns a loop. Ownership is under the lock; everything else of a loop
 * belongs to the owner, and between runs to whoever is entitled to use the loop then.
 */
#include "blk/loop_internal.h"

#include "blk/task.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static _Thread_local struct loop *current;

/* Not inlined: a task may go on in another thread than the one where it went to wait, so the
 * address of a thread's variable must not be kept across a wait. */
__attribute__((noinline)) struct loop *loop_current(void)
{
	__asm__ volatile("" ::: "memory");
	return current;
}

__attribute__((noinline)) static void set_current(struct loop *loop)
{
	__asm__ volatile("" ::: "memory");
	current = loop;
}

static uint64_t clock_mono(const struct clock *c)
{
	return loop_now_ns(container_of(c, struct loop, clock));
}

static int64_t clock_wall(const struct clock *c)
{
	return loop_wall_ms(container_of(c, struct loop, clock));
}

int loop_init(
	struct loop *loop, const struct loop_kind *kind, const char *name, size_t buffer_pool_bytes)
{
	int r = loop_pool_new(buffer_pool_bytes, &loop->pool);

	if (r)
		return r;
	loop->kind = kind;
	loop->clock = (struct clock){.mono_ns = clock_mono, .wall_ms = clock_wall};
	snprintf(loop->name, sizeof(loop->name), "%s", name ? name : "");
	list_init(&loop->ready);
	list_init(&loop->stacks);
	list_init(&loop->inbox);
	pthread_mutex_init(&loop->lock, NULL);
	pthread_cond_init(&loop->changed, NULL);
	return 0;
}

void loop_fini(struct loop *loop)
{
	task_stacks_free(loop);
	loop_pool_free(loop->pool);
	pthread_cond_destroy(&loop->changed);
	pthread_mutex_destroy(&loop->lock);
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	assert(!loop->owned);
	assert(loop->tasks == 0);
	assert(loop->devices == 0);
	assert(!loop->kind->has_ready(loop) && list_empty(&loop->inbox));
	loop->kind->free(loop);
}

/* ---- running ------------------------------------------------------------------------------- */

bool loop_try_own(struct loop *loop)
{
	if (loop->owned)
		return false;
	loop->owned = true;
	atomic_store(&loop->running_now, true);
	return true;
}

bool loop_ended(const struct loop *loop)
{
	switch (loop->mode) {
	case LOOP_RUN_STOP:
		return atomic_load_explicit(&loop->stop, memory_order_acquire);
	case LOOP_RUN_FLAG:
		return *loop->flag;
	case LOOP_RUN_IDLE:
		return false;
	}
	return false;
}

void loop_drive(struct loop *loop, enum loop_run_mode mode, const bool *flag)
{
	struct loop *outer = loop_current();

	/* A task of one loop may drive another one, but not its own. */
	assert(outer != loop);
	set_current(loop);
	loop->mode = mode;
	loop->flag = flag;
	if (loop->kind->enter)
		loop->kind->enter(loop);
	while (!loop_ended(loop)) {
		if (loop->kind->step(loop) || loop_ended(loop))
			continue;
		if (mode == LOOP_RUN_IDLE)
			break;
		assert(!(mode == LOOP_RUN_FLAG && loop->kind->simulated) &&
			"the simulation came to rest before the flag was set");
		loop->kind->wait(loop);
	}
	if (loop->kind->leave)
		loop->kind->leave(loop);
	set_current(outer);

	pthread_mutex_lock(&loop->lock);
	loop->owned = false;
	atomic_store(&loop->running_now, false);
	if (mode == LOOP_RUN_STOP)
		atomic_store(&loop->stop, false);
	pthread_cond_broadcast(&loop->changed);
	pthread_mutex_unlock(&loop->lock);
}

int loop_run(struct loop *loop)
{
	assert(loop_current() != loop);
	if (loop->name[0])
		pthread_setname_np(pthread_self(), loop->name);
	pthread_mutex_lock(&loop->lock);
	while (!loop_try_own(loop))
		pthread_cond_wait(&loop->changed, &loop->lock);
	pthread_mutex_unlock(&loop->lock);
	loop_drive(loop, LOOP_RUN_STOP, NULL);
	return 0;
}

static void own_or_assert(struct loop *loop)
{
	bool mine;

	pthread_mutex_lock(&loop->lock);
	mine = loop_try_own(loop);
	pthread_mutex_unlock(&loop->lock);
	assert(mine && "the loop is run by somebody already");
	(void)mine;
}

void loop_run_until_idle(struct loop *loop)
{
	own_or_assert(loop);
	loop_drive(loop, LOOP_RUN_IDLE, NULL);
}

void loop_run_until(struct loop *loop, const bool *flag)
{
	own_or_assert(loop);
	loop_drive(loop, LOOP_RUN_FLAG, flag);
}

void loop_stop(struct loop *loop)
{
	bool wake;

	pthread_mutex_lock(&loop->lock);
	atomic_store(&loop->stop, true);
	wake = loop->asleep;
	if (wake)
		loop->kind->wake(loop);
	pthread_mutex_unlock(&loop->lock);
}

bool loop_is_current(const struct loop *loop)
{
	return loop_current() == loop || !atomic_load(&loop->running_now);
}

bool loop_is_simulated(const struct loop *loop)
{
	return loop->kind->simulated;
}

/* ---- posts --------------------------------------------------------------------------------- */

void loop_post(struct loop *loop, struct loop_post *post)
{
	if (loop_current() == loop) {
		loop->kind->post(loop, post);
		return;
	}
	pthread_mutex_lock(&loop->lock);
	list_add_tail(&loop->inbox, &post->link);
	atomic_store_explicit(&loop->inbox_full, true, memory_order_release);
	/* Under the lock, or the loop could be freed by what the post does before it is woken. */
	if (loop->asleep)
		loop->kind->wake(loop);
	pthread_mutex_unlock(&loop->lock);
}

void loop_take_inbox(struct loop *loop)
{
	struct list taken;

	if (!atomic_load_explicit(&loop->inbox_full, memory_order_acquire))
		return;
	list_init(&taken);
	pthread_mutex_lock(&loop->lock);
	while (!list_empty(&loop->inbox)) {
		struct list *e = loop->inbox.next;

		list_del(e);
		list_add_tail(&taken, e);
	}
	atomic_store_explicit(&loop->inbox_full, false, memory_order_relaxed);
	pthread_mutex_unlock(&loop->lock);
	while (!list_empty(&taken)) {
		struct loop_post *post = list_first(&taken, struct loop_post, link);

		list_del(&post->link);
		loop->kind->post(loop, post);
	}
}

/* ---- calls that wait ----------------------------------------------------------------------- */

struct call {
	struct loop_post post;
	struct loop *loop;
	int (*fn)(void *arg);
	void *arg;
	int result;
	bool finished; /* set under the loop's lock */
};

static void call_finish(struct call *call, int result)
{
	struct loop *loop = call->loop;

	pthread_mutex_lock(&loop->lock);
	call->result = result;
	call->finished = true;
	pthread_cond_broadcast(&loop->changed);
	pthread_mutex_unlock(&loop->lock);
}

static void call_task(void *arg)
{
	struct call *call = arg;

	call_finish(call, call->fn(call->arg));
}

static void call_start(struct loop_post *post)
{
	struct call *call = container_of(post, struct call, post);
	int r = task_spawn(call->loop, "call", call_task, call);

	if (r)
		call_finish(call, r);
}

int task_call(struct loop *loop, int (*fn)(void *arg), void *arg)
{
	struct call call = {.post.fn = call_start, .loop = loop, .fn = fn, .arg = arg};

	if (loop_current() == loop) {
		assert(task_self() && "a callback of the loop cannot wait");
		return fn(arg);
	}
	loop_post(loop, &call.post);
	pthread_mutex_lock(&loop->lock);
	while (!call.finished) {
		if (loop_try_own(loop)) {
			pthread_mutex_unlock(&loop->lock);
			loop_drive(loop, LOOP_RUN_FLAG, &call.finished);
			pthread_mutex_lock(&loop->lock);
		} else {
			pthread_cond_wait(&loop->changed, &loop->lock);
		}
	}
	pthread_mutex_unlock(&loop->lock);
	return call.result;
}

/* ---- time ---------------------------------------------------------------------------------- */

uint64_t loop_now_ns(const struct loop *loop)
{
	if (loop->kind->simulated || loop_current() == loop)
		return loop->now_ns;
	return loop->kind->now_ns(loop);
}

uint64_t loop_fresh_ns(const struct loop *loop)
{
	return loop->kind->now_ns(loop);
}

int64_t loop_wall_ms(const struct loop *loop)
{
	return loop->kind->wall_ms(loop);
}

const struct clock *loop_clock(const struct loop *loop)
{
	return &loop->clock;
}
