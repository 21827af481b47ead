/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks. Each has one mapping: a guard page, the stack above it, and struct task at the upper
 * end. The loop switches to a task when its event runs and gets control back when the task
 * waits or ends; tasks never switch to each other directly. Some stacks are kept for reuse,
 * because a mapping costs far more than a switch.
 *
 * The sanitizers are told of every switch (enter_task, leave_task).
 */
#include "blk/task.h"

#include "blk/loop_internal.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define STACK_BYTES ((size_t)256 * 1024) /* redzones make frames several times larger */
#else
#define STACK_BYTES ((size_t)64 * 1024)
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif
#ifdef HAVE_VALGRIND
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(start, end) 0u
#define VALGRIND_STACK_DEREGISTER(id)       ((void)(id))
#endif

#define STACKS_KEPT 64

struct task {
	struct loop_post event; /* ready: resumes the task */
	struct list link;       /* a task_queue's waiters, or the loop's stacks */
	struct loop *loop;
	const char *name;
	void (*fn)(void *arg);
	void *arg;
	struct loop_timer timer; /* task_sleep_ms, task_wait_ms */
	bool timed_out;
	bool ended;
	unsigned valgrind_id;
	struct task_context context;
	struct task_sanitizer sanitizer;
};

static void *stack_base(struct task *task)
{
	return (char *)task + sizeof(*task) - STACK_BYTES;
}

static size_t stack_usable(void)
{
	/* Rounded down: the stack ends below struct task. */
	return (STACK_BYTES - sizeof(struct task)) & ~(size_t)63;
}

/* ---- stacks -------------------------------------------------------------------------------- */

static struct task *stack_new(struct loop *loop)
{
	size_t guard = (size_t)sysconf(_SC_PAGESIZE);
	struct task *task = list_first(&loop->stacks, struct task, link);
	char *base;

	if (task) {
		list_del(&task->link);
		loop->stacks_kept--;
		return task;
	}
	base = mmap(NULL, guard + STACK_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	if (mprotect(base, guard, PROT_NONE)) {
		munmap(base, guard + STACK_BYTES);
		return NULL;
	}
	base += guard;
	task = (struct task *)(void *)(base + STACK_BYTES - sizeof(struct task));
	task->valgrind_id = VALGRIND_STACK_REGISTER(base, base + stack_usable());
	return task;
}

static void stack_unmap(struct task *task)
{
	size_t guard = (size_t)sysconf(_SC_PAGESIZE);

	VALGRIND_STACK_DEREGISTER(task->valgrind_id);
	munmap((char *)stack_base(task) - guard, guard + STACK_BYTES);
}

static void stack_put(struct loop *loop, struct task *task)
{
#ifdef __SANITIZE_ADDRESS__
	/* Frames that never returned have left their redzones behind. */
	ASAN_UNPOISON_MEMORY_REGION(stack_base(task), stack_usable());
#endif
#ifdef __SANITIZE_THREAD__
	__tsan_destroy_fiber(task->sanitizer.fiber);
#endif
	if (loop->stacks_kept >= STACKS_KEPT) {
		stack_unmap(task);
		return;
	}
	/* Last used first: it is still in the cache. */
	list_add_tail(loop->stacks.next, &task->link);
	loop->stacks_kept++;
}

void task_stacks_free(struct loop *loop)
{
	struct task *task;

	while ((task = list_first(&loop->stacks, struct task, link))) {
		list_del(&task->link);
		stack_unmap(task);
	}
}

/* ---- switching ----------------------------------------------------------------------------- */

/* On the task's stack, whenever control has come to it. */
static void arrived_in_task(struct task *task)
{
#ifdef __SANITIZE_ADDRESS__
	struct task_sanitizer *back = &task->loop->sanitizer;

	__sanitizer_finish_switch_fiber(task->sanitizer.fake_stack, &back->bottom, &back->size);
#else
	(void)task;
#endif
}

static __attribute__((noinline)) void enter_task(struct loop *loop, struct task *task)
{
	loop->running = task;
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_start_switch_fiber(
		&loop->sanitizer.fake_stack, stack_base(task), stack_usable());
#endif
#ifdef __SANITIZE_THREAD__
	loop->sanitizer.fiber = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(task->sanitizer.fiber, 0);
#endif
	task_context_switch(&loop->scheduler, &task->context);
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(loop->sanitizer.fake_stack, NULL, NULL);
#endif
	loop->running = NULL;
}

static __attribute__((noinline)) void leave_task(struct task *task)
{
	struct loop *loop = task->loop;

#ifdef __SANITIZE_ADDRESS__
	__sanitizer_start_switch_fiber(task->ended ? NULL : &task->sanitizer.fake_stack,
		loop->sanitizer.bottom, loop->sanitizer.size);
#endif
#ifdef __SANITIZE_THREAD__
	__tsan_switch_to_fiber(loop->sanitizer.fiber, 0);
#endif
	task_context_switch(&task->context, &loop->scheduler);
	arrived_in_task(task);
}

static void task_main(void *arg)
{
	struct task *task = arg;

	arrived_in_task(task);
	task->fn(task->arg);
	task->ended = true;
	leave_task(task);
	__builtin_unreachable();
}

static void task_resume(struct loop_post *event)
{
	struct task *task = container_of(event, struct task, event);
	struct loop *loop = task->loop;

	enter_task(loop, task);
	if (task->ended) {
		loop->tasks--;
		stack_put(loop, task);
	}
}

void task_suspend(struct task *task)
{
	assert(task && task->loop->running == task);
	leave_task(task);
}

struct loop_post *task_event(struct task *task)
{
	return &task->event;
}

int task_spawn(struct loop *loop, const char *name, void (*fn)(void *arg), void *arg)
{
	struct task *task;

	assert(loop_is_current(loop));
	task = stack_new(loop);
	if (!task)
		return -ENOMEM;
	*task = (struct task){
		.event.fn = task_resume,
		.loop = loop,
		.name = name,
		.fn = fn,
		.arg = arg,
		.valgrind_id = task->valgrind_id,
	};
	list_init(&task->link);
#ifdef __SANITIZE_THREAD__
	task->sanitizer.fiber = __tsan_create_fiber(0);
#endif
	task_context_make(&task->context, stack_base(task), stack_usable(), task_main, task);
	loop->tasks++;
	loop_ready(loop, &task->event);
	return 0;
}

struct task *task_self(void)
{
	struct loop *loop = loop_current();

	return loop ? loop->running : NULL;
}

const char *task_name(const struct task *task)
{
	return task->name;
}

/* ---- waiting ------------------------------------------------------------------------------- */

void task_yield(void)
{
	struct task *self = task_self();

	assert(self);
	if (self->loop->kind->simulated)
		self->loop->now_ns += 1000;
	loop_ready(self->loop, &self->event);
	task_suspend(self);
}

static void task_timer_fired(struct loop_timer *timer)
{
	struct task *task = container_of(timer, struct task, timer);

	task->timed_out = true;
	list_del(&task->link); /* of the queue it waits in, if any */
	loop_ready(task->loop, &task->event);
}

static void task_timer_start(struct task *task, uint64_t ms)
{
	uint64_t now = loop_fresh_ns(task->loop);
	uint64_t due;

	if (__builtin_mul_overflow(ms, (uint64_t)1000000, &due) ||
		__builtin_add_overflow(due, now, &due))
		due = UINT64_MAX;
	task->timed_out = false;
	task->timer.fn = task_timer_fired;
	loop_timer_set(task->loop, &task->timer, due);
}

void task_sleep_ms(uint64_t ms)
{
	struct task *self = task_self();

	assert(self);
	task_timer_start(self, ms);
	task_suspend(self);
}

void task_queue_init(struct task_queue *q)
{
	list_init(&q->waiters);
}

bool task_queue_empty(const struct task_queue *q)
{
	return list_empty(&q->waiters);
}

void task_wait(struct task_queue *q)
{
	struct task *self = task_self();

	assert(self);
	list_add_tail(&q->waiters, &self->link);
	task_suspend(self);
}

int task_wait_ms(struct task_queue *q, uint64_t ms)
{
	struct task *self = task_self();

	assert(self);
	list_add_tail(&q->waiters, &self->link);
	task_timer_start(self, ms);
	task_suspend(self);
	return self->timed_out ? -ETIMEDOUT : 0;
}

/* Takes the first waiter out and makes it ready; NULL if there was none. */
static struct task *wake_first(struct task_queue *q)
{
	struct task *task = list_first(&q->waiters, struct task, link);

	if (!task)
		return NULL;
	list_del(&task->link);
	loop_timer_cancel(task->loop, &task->timer);
	loop_ready(task->loop, &task->event);
	return task;
}

void task_wake(struct task_queue *q)
{
	wake_first(q);
}

void task_wake_all(struct task_queue *q)
{
	while (wake_first(q))
		;
}

/* ---- mutex and group ----------------------------------------------------------------------- */

void task_mutex_init(struct task_mutex *m)
{
	m->owner = NULL;
	task_queue_init(&m->q);
}

void task_lock(struct task_mutex *m)
{
	struct task *self = task_self();

	assert(self && m->owner != self);
	if (!m->owner)
		m->owner = self;
	else
		task_wait(&m->q); /* task_unlock makes us the owner before it wakes us */
	assert(m->owner == self);
}

void task_unlock(struct task_mutex *m)
{
	assert(m->owner && m->owner == task_self());
	m->owner = wake_first(&m->q);
}

void task_group_init(struct task_group *g)
{
	g->busy = 0;
	task_queue_init(&g->q);
}

void task_group_begin(struct task_group *g)
{
	g->busy++;
}

void task_group_end(struct task_group *g)
{
	assert(g->busy > 0);
	if (--g->busy == 0)
		task_wake_all(&g->q);
}

void task_group_wait(struct task_group *g)
{
	while (g->busy)
		task_wait(&g->q);
}
