/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker: one thread that owns all state of an array.
 *
 * A loop runs tasks (blk/task.h), timers, I/O completions and messages posted by other
 * threads, one at a time, on the thread that calls loop_run. Code on the loop needs no
 * locks. Two kinds exist behind the same interface:
 *
 *  - real: time from the machine, completions from io_uring or a thread pool;
 *  - simulated: time is virtual and jumps to the next timer when nothing is ready, and the
 *    order in which equal events run is drawn from the seed. One seed, one history.
 *
 * Invariants: a callback or task never runs inside the call that caused it (completions,
 * wake-ups and posts are queued); timers fire in order of their due time (equal times: real,
 * in the order they were set; simulated, in random order); loop_now_ns never goes back and
 * does not change while one task runs in the simulated kind. In the real kind ready events
 * run in the order they became ready; in the simulated kind the next one is drawn from all
 * that are ready, so that a seed stands for one legal interleaving.
 *
 * A loop may be run by different threads one after the other, by one at a time. A run that
 * ends waits for the requests the kernel has at that moment (their completions run in the
 * next run), because the kernel's ring belongs to the thread that runs it.
 */
#ifndef BLK_LOOP_H
#define BLK_LOOP_H

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct rng;

enum loop_aio {
	LOOP_AIO_AUTO, /* io_uring where the kernel allows it, else threads */
	LOOP_AIO_URING,
	LOOP_AIO_THREADS,
};

struct loop_options {
	enum loop_aio aio;
	unsigned queue_depth;     /* requests in flight at the kernel; 0 = 256 */
	const char *name;         /* of the thread, for people; may be NULL */
	size_t buffer_pool_bytes; /* bound of loop_buf_alloc's pool; 0 = 32 MiB */
};

/* Makes a real loop. Not yet running. Errors: -ENOMEM, -ENOSYS (URING asked, not there). */
int loop_new(const struct loop_options *options, struct loop **out, struct err *err);

/* Makes a simulated loop; wall time starts at wall_start_ms. */
int loop_new_simulated(uint64_t seed, int64_t wall_start_ms, struct loop **out);

/* Frees a loop that is not running. All its tasks must have ended, its devices be closed and
 * its posts have run (asserted): a loop with tasks still waiting is a bug of its owner. */
void loop_free(struct loop *loop);

/* Runs until loop_stop; returns 0. Call from the one thread that is to own the loop. Waits
 * while a task_call of another thread still drives the loop. A loop_stop that came before
 * counts: then this returns at once. */
int loop_run(struct loop *loop);

/* Makes loop_run return after the current event. Any thread. */
void loop_stop(struct loop *loop);

/* Runs until nothing is ready, no I/O is in flight and (simulated) no timer is pending.
 * For tests and for owners without a thread of their own. */
void loop_run_until_idle(struct loop *loop);

/* Runs events until *flag is true; looks at it after each event. Simulated: asserts if
 * everything is idle before that. Neither this nor loop_run_until_idle obeys loop_stop. */
void loop_run_until(struct loop *loop, const bool *flag);

/* Runs fn(arg) on the loop's thread, soon. Any thread; order of posts from one thread is kept.
 * Never fails: the caller gives the memory. post->fn may free post. */
struct loop_post {
	struct list link;
	void (*fn)(struct loop_post *post);
};
void loop_post(struct loop *loop, struct loop_post *post);

/* True on the thread that runs the loop (or, between runs, on any thread). */
bool loop_is_current(const struct loop *loop);

bool loop_is_simulated(const struct loop *loop);

/* Time of this loop. The clock is valid as long as the loop. Real: inside a run the time is
 * that of the current round of events, not of the call. */
uint64_t loop_now_ns(const struct loop *loop);
int64_t loop_wall_ms(const struct loop *loop);
const struct clock *loop_clock(const struct loop *loop);

/* Simulated only: the seed's random numbers, for devices that misbehave on purpose. */
struct rng *loop_rng(struct loop *loop);

/* One-shot timers. The struct belongs to the caller, who zeroes it, sets fn and may re-arm it
 * from its own fn (which may also free it). Setting an armed timer moves it. */
struct loop_timer {
	struct loop_timer *child, *next, *prev; /* the loop's, while armed */
	uint64_t order;                         /* the loop's: among equal due times */
	uint64_t due_ns;
	bool armed;
	void (*fn)(struct loop_timer *timer);
};
void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t due_ns);
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer);

/*
 * I/O buffers: 4 KiB aligned, from a bounded pool (registered with the kernel where that
 * helps). loop_buf_alloc waits in the calling task while the pool is exhausted, so memory
 * stays bounded under any load; size up to 4 MiB, rounded up to a power of two inside.
 * loop_buf_try returns NULL instead of waiting, also when others wait already. Waiting is
 * FIFO. Contents are undefined. loop_buf_free takes the size that was asked for; it may be
 * called outside of tasks.
 *
 * Deadlock rule. The pool has levels, each with memory of its own, and they are taken upward
 * only: while a task (or the request it serves) holds a buffer of a level, nobody may wait on
 * its behalf for one of the same or a lower level; take all that is needed of one level in
 * one allocation, or use loop_buf_try for what is merely nice to have. Then every holder of
 * the highest level ends without waiting for memory, so does each level below, and because
 * newcomers queue behind the first waiter, fragmentation cannot starve it. Devices of this
 * module never wait for the pool.
 */
enum loop_buf_level {
	LOOP_BUF_FRONT, /* who brings requests in: exports, copy jobs; a quarter of the pool */
	LOOP_BUF_DATA,  /* RAID rows, rebuild, scrub; half. What loop_buf_alloc takes from */
	LOOP_BUF_INNER, /* below those: metadata, logs, bounces, nested sets; a quarter */
};
void *loop_buf_alloc(struct loop *loop, size_t size); /* (task) */
void *loop_buf_try(struct loop *loop, size_t size);
void *loop_buf_alloc_at(struct loop *loop, enum loop_buf_level level, size_t size); /* (task) */
void *loop_buf_try_at(struct loop *loop, enum loop_buf_level level, size_t size);
void loop_buf_free(struct loop *loop, void *buf, size_t size); /* NULL is allowed */

#endif
