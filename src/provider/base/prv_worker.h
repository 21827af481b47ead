/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker of an open store: one thread with a loop on which everything that owns blocks lives
 * (arrays, disks, volumes), and the clerk, a thread that does the store's work for it. The service
 * starts it before it loads its providers and stops it after the last one is unloaded; the built-in
 * providers share it, so that a LUN of one can be a disk of another without leaving the thread.
 */
#ifndef PROVIDER_BASE_PRV_WORKER_H
#define PROVIDER_BASE_PRV_WORKER_H

#include "base/err.h"
#include "base/list.h"
#include "blk/loop.h"

#include <pthread.h>

/* ---- clerk -------------------------------------------------------------------------------- */

struct prv_clerk {
	struct loop *loop; /* of the tasks that wait for it */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more, idle;
	struct list queue;
	bool busy, stop, running;
};

int prv_clerk_start(struct prv_clerk *clerk, struct loop *loop);
void prv_clerk_stop(struct prv_clerk *clerk); /* does what is queued first */
/* fn(arg) on the clerk; returns what it returned. In a task the task waits, on other threads it
 * simply runs. */
int prv_clerk_call(struct prv_clerk *clerk, int (*fn)(void *arg), void *arg);
/* As above, but stops the worker meanwhile: where a task may not wait. */
int prv_clerk_call_blocking(struct prv_clerk *clerk, int (*fn)(void *arg), void *arg);
/* Soon, in order; fn frees arg. Runs at once when memory is short. */
void prv_clerk_post(struct prv_clerk *clerk, int (*fn)(void *arg), void *arg);
/* Waits until all that was posted is done. Not on the worker. */
void prv_clerk_drain(struct prv_clerk *clerk);

/* ---- worker ------------------------------------------------------------------------------- */

struct prv_worker {
	struct loop *loop;
	pthread_t thread;
	struct prv_clerk clerk;
};

int prv_worker_start(struct prv_worker **out, struct err *err);
/* Nothing may be left on the loop. NULL is allowed. */
void prv_worker_stop(struct prv_worker *worker);

/* True on the worker, the clerk and other threads that unloading waits for. */
bool prv_thread_is_internal(void);
void prv_thread_mark_internal(void);

#endif
