/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks: sequential code on a loop. A task has its own stack and gives up the loop only
 * where it waits: in blk_read and friends, task_sleep_ms, task_wait, task_lock. Between two
 * waits it runs alone, so plain variables need no lock, and every state that must hold for
 * others has to hold at each wait. Cancellation is by agreement: a flag that the task looks
 * at between steps; nothing is ever torn down under a waiting task.
 *
 * Stacks are 64 KiB with a guard page, pooled by the loop. Functions here must be called on
 * the loop's thread; those marked (task) only inside a task.
 */
#ifndef BLK_TASK_H
#define BLK_TASK_H

#include "blk/loop.h"

struct task;

/* Starts fn(arg) as a new task, soon. name must be a literal. 0 or -ENOMEM. */
int task_spawn(struct loop *loop, const char *name, void (*fn)(void *arg), void *arg);

/* The running task, NULL outside of one. */
struct task *task_self(void);
const char *task_name(const struct task *task);

/* (task) Lets others run; returns when its turn comes again. Simulated: takes a microsecond of
 * virtual time, so that a loop around it comes to an end. */
void task_yield(void);

/* (task) Waits for at least ms milliseconds of the loop's time. */
void task_sleep_ms(uint64_t ms);

/* A place to wait. Zero is not a valid value: task_queue_init. Waiters become ready in FIFO
 * order (see blk/loop.h for the order in which ready tasks run). */
struct task_queue {
	struct list waiters;
};
void task_queue_init(struct task_queue *q);
bool task_queue_empty(const struct task_queue *q);

/* (task) Waits until woken. There are no spurious wake-ups, but the state waited for may have
 * changed again by the time this returns: use in a loop. */
void task_wait(struct task_queue *q);

/* (task) As task_wait, at most ms. Returns 0, or -ETIMEDOUT. */
int task_wait_ms(struct task_queue *q, uint64_t ms);

/* Makes the first / all waiters ready; they run later. */
void task_wake(struct task_queue *q);
void task_wake_all(struct task_queue *q);

/* A lock that is held across waits. FIFO (unlocking hands it to the first waiter), not
 * recursive. */
struct task_mutex {
	struct task *owner;
	struct task_queue q;
};
void task_mutex_init(struct task_mutex *m);
void task_lock(struct task_mutex *m); /* (task) */
void task_unlock(struct task_mutex *m);

/* Counts work in flight; task_group_wait (task) returns when the count is zero. */
struct task_group {
	unsigned busy;
	struct task_queue q;
};
void task_group_init(struct task_group *g);
void task_group_begin(struct task_group *g);
void task_group_end(struct task_group *g);
void task_group_wait(struct task_group *g);

/*
 * Runs fn(arg) as a task of the loop and waits for it; returns what fn returned.
 * From another thread: posts and blocks the thread. From a task of the same loop: simply
 * calls fn. Between runs of a loop nobody runs (tests, programs without a worker): runs the
 * loop on the calling thread until fn has returned. A run that ends meanwhile is taken over
 * by a caller still waiting. -ENOMEM if no task could be made. Not from a callback (timer,
 * done, post) of the same loop: those cannot wait.
 */
int task_call(struct loop *loop, int (*fn)(void *arg), void *arg);

#endif
