/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real loop. A round reads the clock once, runs the timers that are due and then ready
 * events, new ones included, until none is left or a budget is used up; then one call hands
 * all requests of the round to the kernel, waits if there is nothing else to do, and collects
 * what is finished.
 *
 * Posts of other threads go to the inbox; the eventfd behind aio_engine_ops.wake is written
 * only when the loop has said, under the lock, that it is about to sleep.
 */
#include "blk/aio.h"

#include <errno.h>
#include <stdlib.h>

/* Events between two looks at the clock and the kernel. */
#define BUDGET 256

struct loop_real {
	struct loop loop;
	struct aio_engine *aio;
};

static struct loop_real *real_of(const struct loop *loop)
{
	return container_of(loop, struct loop_real, loop);
}

static void real_ready(struct loop *loop, struct loop_post *event)
{
	list_add_tail(&loop->ready, &event->link);
}

static uint64_t real_now_ns(const struct loop *loop)
{
	(void)loop;
	return clock_mono_ns(&clock_system);
}

static int64_t real_wall_ms(const struct loop *loop)
{
	(void)loop;
	return clock_wall_ms(&clock_system);
}

/* Runs what is due and what is ready. */
static void run_events(struct loop *loop)
{
	struct loop_timer *timer;
	struct loop_post *event;

	while ((timer = loop_timer_first(loop)) && timer->due_ns <= loop->now_ns) {
		loop_timer_fire(loop);
		if (loop_ended(loop))
			return;
	}
	for (int i = 0; i < BUDGET; i++) {
		event = list_first(&loop->ready, struct loop_post, link);
		if (!event)
			return;
		list_del(&event->link);
		event->fn(event);
		if (loop_ended(loop))
			return;
	}
}

/* Blocks in the I/O engine unless a post has come meanwhile. */
static void sleep_in_aio(struct loop *loop)
{
	struct aio_engine *aio = real_of(loop)->aio;
	struct loop_timer *timer = loop_timer_first(loop);
	bool wait;

	pthread_mutex_lock(&loop->lock);
	wait = list_empty(&loop->inbox) &&
	       !(loop->mode == LOOP_RUN_STOP && atomic_load(&loop->stop));
	loop->asleep = wait;
	pthread_mutex_unlock(&loop->lock);
	aio->ops->poll(aio, wait, timer ? timer->due_ns : UINT64_MAX);
	if (wait) {
		pthread_mutex_lock(&loop->lock);
		loop->asleep = false;
		pthread_mutex_unlock(&loop->lock);
	}
}

static bool real_step(struct loop *loop)
{
	struct aio_engine *aio = real_of(loop)->aio;

	loop->now_ns = real_now_ns(loop);
	loop_take_inbox(loop);
	run_events(loop);
	if (loop_ended(loop))
		return true;
	if (!list_empty(&loop->ready)) {
		if (aio->in_flight)
			aio->ops->poll(aio, false, 0);
		return true;
	}
	if (aio->in_flight == 0)
		return atomic_load(&loop->inbox_full);
	sleep_in_aio(loop);
	return true;
}

static void real_wait(struct loop *loop)
{
	sleep_in_aio(loop);
}

static void real_wake(struct loop *loop)
{
	struct aio_engine *aio = real_of(loop)->aio;

	aio->ops->wake(aio);
}

static void real_enter(struct loop *loop)
{
	struct aio_engine *aio = real_of(loop)->aio;

	loop->now_ns = real_now_ns(loop);
	aio->ops->enter(aio);
}

static void real_leave(struct loop *loop)
{
	struct aio_engine *aio = real_of(loop)->aio;

	aio->ops->leave(aio);
}

static uint64_t real_timer_order(struct loop *loop)
{
	return loop->timer_order++;
}

static bool real_has_ready(const struct loop *loop)
{
	return !list_empty(&loop->ready);
}

static void real_free(struct loop *loop)
{
	struct loop_real *r = real_of(loop);

	r->aio->ops->free(r->aio);
	loop_fini(loop);
	free(r);
}

static const struct loop_kind real_kind = {
	.simulated = false,
	.enter = real_enter,
	.leave = real_leave,
	.ready = real_ready,
	.post = real_ready,
	.step = real_step,
	.wait = real_wait,
	.wake = real_wake,
	.now_ns = real_now_ns,
	.wall_ms = real_wall_ms,
	.timer_order = real_timer_order,
	.has_ready = real_has_ready,
	.free = real_free,
};

struct aio_engine *aio_engine_of(struct loop *loop)
{
	return loop->kind == &real_kind ? real_of(loop)->aio : NULL;
}

static int make_aio(
	struct loop *loop, const struct loop_options *o, struct aio_engine **out, struct err *err)
{
	unsigned depth = o->queue_depth ? o->queue_depth : 256;
	int r;

	switch (o->aio) {
	case LOOP_AIO_AUTO:
	case LOOP_AIO_URING:
		r = aio_uring_new(loop, depth, out);
		if (r == 0)
			return 0;
		if (o->aio == LOOP_AIO_URING)
			return err_set(
				err, r, "This kernel does not offer io_uring (%s).", err_name(r));
		break;
	case LOOP_AIO_THREADS:
		break;
	}
	r = aio_threads_new(loop, out);
	if (r)
		return err_set(err, r, "No event descriptor could be made: %s.", err_name(r));
	return 0;
}

int loop_new(const struct loop_options *options, struct loop **out, struct err *err)
{
	struct loop_options o = options ? *options : (struct loop_options){0};
	struct loop_real *real = calloc(1, sizeof(*real));
	int r;

	*out = NULL;
	if (!real)
		return err_set(err, -ENOMEM, "No memory for a loop.");
	r = loop_init(&real->loop, &real_kind, o.name, o.buffer_pool_bytes);
	if (r) {
		free(real);
		return err_set(err, r, "No memory for the buffers of a loop.");
	}
	r = make_aio(&real->loop, &o, &real->aio, err);
	if (r) {
		loop_fini(&real->loop);
		free(real);
		return r;
	}
	*out = &real->loop;
	return 0;
}
