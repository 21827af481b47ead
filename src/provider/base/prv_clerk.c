/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clerk: one thread that does the store's work for the worker.
 *
 * A store function waits for a disk flush and needs more stack than a task has; the worker may do
 * neither. A task hands such work over and waits as a task, so that the loop goes on serving I/O;
 * an event hands it over and does not wait. Items are done in the order in which they came.
 */
#include "provider/base/prv_worker.h"

#include "base/cleanup.h"
#include "blk/task.h"

#include <stdlib.h>

struct item {
	struct list link;
	int (*fn)(void *arg);
	void *arg;
	/* one of: nobody waits (the item is malloc'd), a task waits, a thread waits */
	enum { ITEM_POSTED, ITEM_TASK, ITEM_THREAD } who;
	int result;
	bool done;
	struct loop *loop;
	struct loop_post post;
	struct task_queue q;
	pthread_cond_t cond;
};

static void wake_task(struct loop_post *post)
{
	struct item *it = container_of(post, struct item, post);

	it->done = true;
	task_wake(&it->q);
}

static void finish(struct prv_clerk *clerk, struct item *it)
{
	switch (it->who) {
	case ITEM_POSTED:
		free(it);
		return;
	case ITEM_TASK:
		loop_post(it->loop, &it->post);
		return;
	case ITEM_THREAD:
		pthread_mutex_lock(&clerk->lock);
		it->done = true;
		pthread_cond_signal(&it->cond);
		pthread_mutex_unlock(&clerk->lock);
		return;
	}
}

static void *clerk_main(void *arg)
{
	struct prv_clerk *clerk = arg;

	prv_thread_mark_internal();
	pthread_mutex_lock(&clerk->lock);
	for (;;) {
		while (list_empty(&clerk->queue) && !clerk->stop)
			pthread_cond_wait(&clerk->more, &clerk->lock);
		struct item *it = list_first(&clerk->queue, struct item, link);
		if (!it)
			break;
		list_del(&it->link);
		clerk->busy = true;
		pthread_mutex_unlock(&clerk->lock);
		it->result = it->fn(it->arg);
		finish(clerk, it);
		pthread_mutex_lock(&clerk->lock);
		clerk->busy = false;
		if (list_empty(&clerk->queue))
			pthread_cond_broadcast(&clerk->idle);
	}
	pthread_mutex_unlock(&clerk->lock);
	return NULL;
}

int prv_clerk_start(struct prv_clerk *clerk, struct loop *loop)
{
	clerk->loop = loop;
	pthread_mutex_init(&clerk->lock, NULL);
	pthread_cond_init(&clerk->more, NULL);
	pthread_cond_init(&clerk->idle, NULL);
	list_init(&clerk->queue);
	clerk->stop = clerk->busy = false;
	int rc = pthread_create(&clerk->thread, NULL, clerk_main, clerk);
	clerk->running = !rc;
	return -rc;
}

void prv_clerk_stop(struct prv_clerk *clerk)
{
	if (!clerk->running)
		return;
	pthread_mutex_lock(&clerk->lock);
	clerk->stop = true;
	pthread_cond_signal(&clerk->more);
	pthread_mutex_unlock(&clerk->lock);
	pthread_join(clerk->thread, NULL);
	clerk->running = false;
	pthread_cond_destroy(&clerk->more);
	pthread_cond_destroy(&clerk->idle);
	pthread_mutex_destroy(&clerk->lock);
}

static void push(struct prv_clerk *clerk, struct item *it)
{
	SCOPED_LOCK(&clerk->lock);
	list_add_tail(&clerk->queue, &it->link);
	pthread_cond_signal(&clerk->more);
}

int prv_clerk_call(struct prv_clerk *clerk, int (*fn)(void *arg), void *arg)
{
	if (!task_self())
		return fn(arg);
	struct item it = {.fn = fn, .arg = arg, .who = ITEM_TASK, .loop = clerk->loop};
	it.post.fn = wake_task;
	task_queue_init(&it.q);
	push(clerk, &it);
	while (!it.done)
		task_wait(&it.q);
	return it.result;
}

int prv_clerk_call_blocking(struct prv_clerk *clerk, int (*fn)(void *arg), void *arg)
{
	struct item it = {.fn = fn, .arg = arg, .who = ITEM_THREAD};

	pthread_cond_init(&it.cond, NULL);
	push(clerk, &it);
	pthread_mutex_lock(&clerk->lock);
	while (!it.done)
		pthread_cond_wait(&it.cond, &clerk->lock);
	pthread_mutex_unlock(&clerk->lock);
	pthread_cond_destroy(&it.cond);
	return it.result;
}

void prv_clerk_post(struct prv_clerk *clerk, int (*fn)(void *arg), void *arg)
{
	struct item *it = calloc(1, sizeof(*it));

	if (!it) {
		prv_clerk_call_blocking(clerk, fn, arg);
		return;
	}
	it->fn = fn;
	it->arg = arg;
	it->who = ITEM_POSTED;
	push(clerk, it);
}

void prv_clerk_drain(struct prv_clerk *clerk)
{
	pthread_mutex_lock(&clerk->lock);
	while (clerk->busy || !list_empty(&clerk->queue))
		pthread_cond_wait(&clerk->idle, &clerk->lock);
	pthread_mutex_unlock(&clerk->lock);
}
