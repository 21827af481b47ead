/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a loop share. Nothing outside of src/blk includes this. */
#ifndef BLK_LOOP_INTERNAL_H
#define BLK_LOOP_INTERNAL_H

#include "base/clock.h"
#include "base/rng.h"
#include "blk/loop.h"
#include "blk/task_switch.h"

#include <pthread.h>
#include <stdatomic.h>

struct task;
struct loop_pool;
struct aio_engine;

/* Why a run ends. */
enum loop_run_mode { LOOP_RUN_STOP, LOOP_RUN_FLAG, LOOP_RUN_IDLE };

/* What differs between the real and the simulated kind. */
struct loop_kind {
	bool simulated;
	void (*enter)(struct loop *loop); /* a run begins on this thread; may be NULL */
	void (*leave)(struct loop *loop); /* and ends; may be NULL */
	void (*ready)(struct loop *loop, struct loop_post *event);
	/* A post made on the loop's own thread: kept in order. */
	void (*post)(struct loop *loop, struct loop_post *post);
	/*
	 * Runs some events, ends early when loop_ended. Returns false when the loop is idle:
	 * nothing ready, no I/O, simulated: no timer.
	 */
	bool (*step)(struct loop *loop);
	/* Idle: blocks until a post, a timer or loop_stop. */
	void (*wait)(struct loop *loop);
	/* Another thread posted while asleep was set. */
	void (*wake)(struct loop *loop);
	uint64_t (*now_ns)(const struct loop *loop);
	int64_t (*wall_ms)(const struct loop *loop);
	/* The key that orders timers of equal due time. */
	uint64_t (*timer_order)(struct loop *loop);
	bool (*has_ready)(const struct loop *loop);
	void (*free)(struct loop *loop);
};

struct loop {
	const struct loop_kind *kind;
	struct clock clock;
	char name[16];

	/* ---- of the running thread ---- */
	uint64_t now_ns;
	struct list ready; /* struct loop_post; the simulated kind keeps only posts here */
	struct loop_timer *timers;
	uint64_t timer_order;
	enum loop_run_mode mode;
	const bool *flag;
	unsigned devices; /* open on this loop */

	/* tasks */
	struct task *running;
	unsigned tasks;
	struct list stacks; /* struct task, ended, kept for reuse */
	unsigned stacks_kept;
	struct task_context scheduler;
	struct task_sanitizer sanitizer; /* of the scheduler's stack */

	struct loop_pool *pool;

	/* ---- shared with other threads, under lock ---- */
	pthread_mutex_t lock;
	pthread_cond_t changed;  /* a run began or ended, a task_call finished, simulated: a post */
	bool owned;              /* somebody runs the loop */
	struct list inbox;       /* struct loop_post */
	bool asleep;             /* blocked in the kernel: posts must wake it */
	atomic_bool inbox_full;  /* hint to look at the inbox */
	atomic_bool running_now; /* owned, readable without the lock */
	atomic_bool stop;
};

/* The loop that this thread runs, or NULL. */
struct loop *loop_current(void);

/* Makes an event ready. Loop thread, or between runs. */
static inline void loop_ready(struct loop *loop, struct loop_post *event)
{
	loop->kind->ready(loop, event);
}

bool loop_ended(const struct loop *loop);

/* Common parts of construction. */
int loop_init(struct loop *loop, const struct loop_kind *kind, const char *name,
	size_t buffer_pool_bytes);
void loop_fini(struct loop *loop);

/* Moves what others posted to the kind's queue. */
void loop_take_inbox(struct loop *loop);

/* Becomes the runner if nobody is; with the lock held. */
bool loop_try_own(struct loop *loop);
/* Runs as the owner, then gives the loop up. Without the lock. */
void loop_drive(struct loop *loop, enum loop_run_mode mode, const bool *flag);

/* The time now, not that of the round: for deadlines that must not come early. */
uint64_t loop_fresh_ns(const struct loop *loop);

/* timer.c: a pairing heap by (due_ns, order). */
struct loop_timer *loop_timer_first(const struct loop *loop);
/* Removes the first timer and calls it. */
void loop_timer_fire(struct loop *loop);

/* buf.c */
int loop_pool_new(size_t bytes, struct loop_pool **out);
void loop_pool_free(struct loop_pool *pool);
/* The whole mapping, for registration with the kernel. */
void loop_pool_range(const struct loop_pool *pool, void **base, size_t *bytes);

/* task.c: the stacks kept. */
void task_stacks_free(struct loop *loop);
/* The running task gives up the loop until something makes task_event ready. */
void task_suspend(struct task *task);
struct loop_post *task_event(struct task *task);

/* loop_real.c: the I/O engine of a loop; NULL for a simulated one. */
struct aio_engine *aio_engine_of(struct loop *loop);

#endif
