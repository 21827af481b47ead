/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers: an intrusive pairing heap, smallest (due_ns, order) at the root. Arming costs a
 * comparison, firing and cancelling O(log n) amortised, and no memory is ever allocated.
 * prev is the previous sibling, or the parent for a first child.
 */
#include "blk/loop_internal.h"

#include <assert.h>

static bool before(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

/* Joins two roots (next and prev unused in both); either may be NULL. */
static struct loop_timer *meld(struct loop_timer *a, struct loop_timer *b)
{
	if (!a || !b)
		return a ? a : b;
	if (before(b, a)) {
		struct loop_timer *t = a;

		a = b;
		b = t;
	}
	b->prev = a;
	b->next = a->child;
	if (a->child)
		a->child->prev = b;
	a->child = b;
	return a;
}

/* Makes one heap of a chain of siblings: pairs from left to right, then all from the right. */
static struct loop_timer *merge_siblings(struct loop_timer *first)
{
	struct loop_timer *pairs = NULL; /* a stack through next */
	struct loop_timer *root = NULL;

	while (first) {
		struct loop_timer *a = first;
		struct loop_timer *b = a->next;
		struct loop_timer *pair;

		first = b ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b)
			b->next = b->prev = NULL;
		pair = meld(a, b);
		pair->next = pairs;
		pairs = pair;
	}
	while (pairs) {
		struct loop_timer *pair = pairs;

		pairs = pair->next;
		pair->next = NULL;
		root = meld(root, pair);
	}
	return root;
}

static void unlink_timer(struct loop *loop, struct loop_timer *t)
{
	struct loop_timer *below = merge_siblings(t->child);

	if (t == loop->timers) {
		loop->timers = below;
	} else {
		if (t->prev->child == t)
			t->prev->child = t->next;
		else
			t->prev->next = t->next;
		if (t->next)
			t->next->prev = t->prev;
		loop->timers = meld(loop->timers, below);
	}
	t->child = t->next = t->prev = NULL;
	t->armed = false;
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t due_ns)
{
	assert(timer->fn);
	if (timer->armed)
		unlink_timer(loop, timer);
	timer->child = timer->next = timer->prev = NULL;
	timer->due_ns = due_ns;
	timer->order = loop->kind->timer_order(loop);
	timer->armed = true;
	loop->timers = meld(loop->timers, timer);
}

void loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
	if (timer->armed)
		unlink_timer(loop, timer);
}

struct loop_timer *loop_timer_first(const struct loop *loop)
{
	return loop->timers;
}

void loop_timer_fire(struct loop *loop)
{
	struct loop_timer *t = loop->timers;

	unlink_timer(loop, t);
	t->fn(t);
}
