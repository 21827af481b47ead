/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Row locks: a hash of rows in use, each with a FIFO of tasks that want it, shared or alone.
 *
 * A task holds at most one row lock, and whoever holds buffers never waits for a row; so
 * neither locks nor buffers can form a circle.
 */
#include "raid/raid_internal.h"

#include <assert.h>
#include <stdlib.h>

struct waiter {
	struct list link;
	bool exclusive, granted;
	struct task_queue q;
};

void raid_rows_init(struct raid_rows *rows)
{
	for (unsigned i = 0; i < RAID_ROW_BUCKETS; i++)
		list_init(&rows->bucket[i]);
}

bool raid_rows_empty(const struct raid_rows *rows)
{
	for (unsigned i = 0; i < RAID_ROW_BUCKETS; i++)
		if (!list_empty(&rows->bucket[i]))
			return false;
	return true;
}

struct raid_row *raid_row_get(struct raid_rows *rows, uint64_t number)
{
	struct list *bucket = &rows->bucket[number % RAID_ROW_BUCKETS], *pos, *tmp;
	struct raid_row *row;

	list_for_each (pos, tmp, bucket) {
		row = list_entry(pos, struct raid_row, hash);
		if (row->row == number) {
			row->refs++;
			return row;
		}
	}
	row = calloc(1, sizeof(*row));
	if (!row)
		return NULL;
	row->row = number;
	row->refs = 1;
	list_init(&row->waiters);
	list_init(&row->pieces);
	list_init(&row->work.link);
	list_add_tail(bucket, &row->hash);
	return row;
}

void raid_row_put(struct raid_row *row)
{
	assert(row->refs);
	if (--row->refs)
		return;
	assert(!row->readers && !row->writer && list_empty(&row->waiters));
	assert(list_empty(&row->pieces) && !row->queued);
	list_del(&row->hash);
	free(row);
}

static bool compatible(const struct raid_row *row, bool exclusive)
{
	return !row->writer && (!exclusive || !row->readers);
}

static void grant(struct raid_row *row, bool exclusive)
{
	if (exclusive)
		row->writer = true;
	else
		row->readers++;
}

/* Not inlined: the compiler would take the link to the waiter's stack for a dangling one, and
 * cannot see that nobody returns before raid_row_unlock has taken it off. */
__attribute__((noinline)) static void enqueue(struct raid_row *row, struct waiter *w)
{
	list_add_tail(&row->waiters, &w->link);
}

void raid_row_lock(struct raid_row *row, bool exclusive)
{
	struct waiter w = {.exclusive = exclusive};

	if (list_empty(&row->waiters) && compatible(row, exclusive)) {
		grant(row, exclusive);
		return;
	}
	task_queue_init(&w.q);
	enqueue(row, &w);
	while (!w.granted)
		task_wait(&w.q);
}

void raid_row_unlock(struct raid_row *row)
{
	struct waiter *w;

	if (row->writer) {
		row->writer = false;
	} else {
		assert(row->readers);
		row->readers--;
	}
	while ((w = list_first(&row->waiters, struct waiter, link)) &&
		compatible(row, w->exclusive)) {
		list_del(&w->link);
		grant(row, w->exclusive);
		w->granted = true;
		task_wake(&w->q);
	}
}
