/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool of I/O buffers: one mapping, divided into an arena for each level. An arena is a
 * buddy allocator over units of 4 KiB; a free block's list entry and a block's state are kept
 * beside the arena, so free memory is never touched. The tables of an arena are made with the
 * pool: allocation itself cannot fail for want of memory, only for want of room.
 *
 * Waiters queue per arena in FIFO order and are given their buffer by whoever frees one;
 * while somebody waits nobody overtakes. So, if holders keep to the rule in blk/loop.h, an
 * arena whose first waiter needs a large block drains until that block is whole.
 */
#include "blk/loop_internal.h"

#include "blk/task.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define UNIT          4096u
#define ORDERS        11 /* 4 KiB … 4 MiB */
#define BLOCK_MAX     ((size_t)UNIT << (ORDERS - 1))
#define LEVELS        3
#define NOT_FREE      0xff
#define DEFAULT_BYTES ((size_t)32 << 20)

struct unit {
	uint32_t prev, next; /* of the free list, by unit number; the heads come after the units */
	uint8_t order;       /* of the free block that begins here, or NOT_FREE */
};

struct arena {
	char *base;
	uint32_t units;
	struct unit *unit; /* units + ORDERS list heads */
	struct list waiters;
};

struct loop_pool {
	void *base;
	size_t bytes;
	struct arena arena[LEVELS];
};

struct waiter {
	struct list link;
	struct task *task;
	struct loop *loop;
	unsigned order;
	void *buf;
};

static unsigned order_of(size_t size)
{
	unsigned order = 0;

	assert(size > 0 && size <= BLOCK_MAX);
	while (((size_t)UNIT << order) < size)
		order++;
	return order;
}

/* ---- buddies ------------------------------------------------------------------------------- */

static void free_list_add(struct arena *a, uint32_t block, unsigned order)
{
	uint32_t head = a->units + order;

	a->unit[block].order = (uint8_t)order;
	a->unit[block].prev = head;
	a->unit[block].next = a->unit[head].next;
	a->unit[a->unit[head].next].prev = block;
	a->unit[head].next = block;
}

static void free_list_del(struct arena *a, uint32_t block)
{
	struct unit *u = &a->unit[block];

	a->unit[u->prev].next = u->next;
	a->unit[u->next].prev = u->prev;
	u->order = NOT_FREE;
}

static void *arena_take(struct arena *a, unsigned order)
{
	unsigned have = order;
	uint32_t block;

	while (have < ORDERS && a->unit[a->units + have].next == a->units + have)
		have++;
	if (have == ORDERS)
		return NULL;
	block = a->unit[a->units + have].next;
	free_list_del(a, block);
	while (have > order) {
		have--;
		free_list_add(a, block + (1u << have), have);
	}
	return a->base + (size_t)block * UNIT;
}

static void arena_give(struct arena *a, void *buf, unsigned order)
{
	uint32_t block = (uint32_t)((size_t)((char *)buf - a->base) / UNIT);

	assert(block % (1u << order) == 0 && a->unit[block].order == NOT_FREE);
	while (order < ORDERS - 1) {
		uint32_t buddy = block ^ (1u << order);

		if (a->unit[buddy].order != order)
			break;
		free_list_del(a, buddy);
		block &= ~(1u << order);
		order++;
	}
	free_list_add(a, block, order);
}

static int arena_init(struct arena *a, char *base, size_t bytes)
{
	a->base = base;
	a->units = (uint32_t)(bytes / UNIT);
	list_init(&a->waiters);
	a->unit = calloc((size_t)a->units + ORDERS, sizeof(*a->unit));
	if (!a->unit)
		return -ENOMEM;
	for (uint32_t i = 0; i < a->units + ORDERS; i++) {
		a->unit[i].prev = a->unit[i].next = i;
		a->unit[i].order = NOT_FREE;
	}
	for (uint32_t i = 0; i < a->units; i += 1u << (ORDERS - 1))
		free_list_add(a, i, ORDERS - 1);
	return 0;
}

/* ---- the pool ------------------------------------------------------------------------------ */

static size_t round_up(size_t n, size_t unit)
{
	return (n + unit - 1) / unit * unit;
}

int loop_pool_new(size_t bytes, struct loop_pool **out)
{
	struct loop_pool *pool = calloc(1, sizeof(*pool));
	size_t quarter, part[LEVELS];
	char *at;

	if (!pool)
		return -ENOMEM;
	quarter = round_up(((bytes ? bytes : DEFAULT_BYTES) + 3) / 4, BLOCK_MAX);
	part[LOOP_BUF_FRONT] = part[LOOP_BUF_INNER] = quarter;
	part[LOOP_BUF_DATA] = 2 * quarter;
	pool->bytes = 4 * quarter;
	pool->base = mmap(NULL, pool->bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pool->base == MAP_FAILED) {
		free(pool);
		return -ENOMEM;
	}
	at = pool->base;
	for (unsigned i = 0; i < LEVELS; i++) {
		if (arena_init(&pool->arena[i], at, part[i])) {
			loop_pool_free(pool);
			return -ENOMEM;
		}
		at += part[i];
	}
	*out = pool;
	return 0;
}

void loop_pool_free(struct loop_pool *pool)
{
	for (unsigned i = 0; i < LEVELS; i++)
		free(pool->arena[i].unit);
	munmap(pool->base, pool->bytes);
	free(pool);
}

void loop_pool_range(const struct loop_pool *pool, void **base, size_t *bytes)
{
	*base = pool->base;
	*bytes = pool->bytes;
}

void *loop_buf_try_at(struct loop *loop, enum loop_buf_level level, size_t size)
{
	struct arena *a = &loop->pool->arena[level];

	return list_empty(&a->waiters) ? arena_take(a, order_of(size)) : NULL;
}

void *loop_buf_alloc_at(struct loop *loop, enum loop_buf_level level, size_t size)
{
	struct waiter w = {.task = task_self(), .loop = loop, .order = order_of(size)};

	assert(w.task);
	w.buf = loop_buf_try_at(loop, level, size);
	if (!w.buf) {
		list_add_tail(&loop->pool->arena[level].waiters, &w.link);
		task_suspend(w.task);
	}
	return w.buf;
}

void loop_buf_free(struct loop *loop, void *buf, size_t size)
{
	struct arena *a = loop->pool->arena;
	struct waiter *w;

	if (!buf)
		return;
	while ((char *)buf < a->base || (char *)buf >= a->base + (size_t)a->units * UNIT) {
		a++;
		assert(a < loop->pool->arena + LEVELS);
	}
	arena_give(a, buf, order_of(size));
	while ((w = list_first(&a->waiters, struct waiter, link))) {
		w->buf = arena_take(a, w->order);
		if (!w->buf)
			break;
		list_del(&w->link);
		loop_ready(w->loop, task_event(w->task));
	}
}

void *loop_buf_alloc(struct loop *loop, size_t size)
{
	return loop_buf_alloc_at(loop, LOOP_BUF_DATA, size);
}

void *loop_buf_try(struct loop *loop, size_t size)
{
	return loop_buf_try_at(loop, LOOP_BUF_DATA, size);
}
