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
 * wake-ups and posts are queued); timers fire in order of their due time; loop_now_ns never
 * goes back and does not change while one task runs in the simulated kind.
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
	LOOP_AIO_AUTO,    /* io_uring where the kernel allows it, else threads */
	LOOP_AIO_URING,
	LOOP_AIO_THREADS,
};

struct loop_options {
	enum loop_aio aio;
	unsigned queue_depth;       /* requests in flight at the kernel; 0 = 256 */
	const char *name;           /* of the thread, for people; may be NULL */
	size_t buffer_pool_bytes;   /* bound of loop_buf_alloc's pool; 0 = 32 MiB */
};

/* Makes a real loop. Not yet running. Errors: -ENOMEM, -ENOSYS (URING asked, not there). */
int loop_new(const struct loop_options *options, struct loop **out, struct err *err);

/* Makes a simulated loop; wall time starts at wall_start_ms. */
int loop_new_simulated(uint64_t seed, int64_t wall_start_ms, struct loop **out);

/* Frees a loop that is not running. All its tasks must have ended and its devices be closed
 * (asserted): a loop with tasks still waiting is a bug of its owner. */
void loop_free(struct loop *loop);

/* Runs until loop_stop; returns 0. Call from the one thread that is to own the loop. */
int loop_run(struct loop *loop);

/* Makes loop_run return after the current event. Any thread. */
void loop_stop(struct loop *loop);

/* Runs until nothing is ready, no I/O is in flight and (simulated) no timer is pending.
 * For tests and for owners without a thread of their own. */
void loop_run_until_idle(struct loop *loop);

/* Runs events until *flag is true. Simulated: asserts if everything is idle before that. */
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

/* Time of this loop. The clock is valid as long as the loop. */
uint64_t loop_now_ns(const struct loop *loop);
int64_t loop_wall_ms(const struct loop *loop);
const struct clock *loop_clock(const struct loop *loop);

/* Simulated only: the seed's random numbers, for devices that misbehave on purpose. */
struct rng *loop_rng(struct loop *loop);

/* One-shot timers. The struct belongs to the caller and may be re-armed from its own fn. */
struct loop_timer {
	struct list link; /* owned by the loop while armed */
	uint64_t due_ns;
	bool armed;
	void (*fn)(struct loop_timer *timer);
};
void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t due_ns);
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer);

/*
 * I/O buffers: 4 KiB aligned, from a bounded pool (registered with the kernel where that
 * helps). loop_buf_alloc waits in the calling task while the pool is exhausted, so memory
 * stays bounded under any load; size up to 4 MiB. loop_buf_try returns NULL instead.
 * Contents are undefined.
 */
void *loop_buf_alloc(struct loop *loop, size_t size);
void *loop_buf_try(struct loop *loop, size_t size);
void loop_buf_free(struct loop *loop, void *buf, size_t size);

#endif
