/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids to living objects, without owning them.
 *
 * A hash table with chains through the objects themselves, so that entering one needs no memory.
 * An object whose count has fallen to zero may still stand in its bucket for a moment: look-up
 * passes over it (com_addref_unless_zero fails), an object entered under the same id stands beside
 * it, and its own thread takes it out before its memory goes.
 */
#include "com/com_internal.h"

#include <stdlib.h>

#define BUCKETS_FIRST 64

struct com_registry {
	pthread_mutex_t lock; /* nothing is called while it is held */
	struct com_object **buckets;
	size_t size; /* a power of two */
	size_t count;
};

struct com_registry *com_registry_new(void)
{
	struct com_registry *r = com_calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->size = BUCKETS_FIRST;
	r->buckets = com_calloc(r->size, sizeof(struct com_object *));
	if (!r->buckets) {
		free(r);
		return NULL;
	}
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void com_registry_free(struct com_registry *r)
{
	if (!r)
		return;
	assert(!r->count);
	pthread_mutex_destroy(&r->lock);
	free(r->buckets);
	free(r);
}

static struct com_object **bucket(struct com_object **buckets, size_t size, const GUID *id)
{
	uint64_t half[2];

	memcpy(half, id, sizeof(half));
	/* Ids are mostly random, but some are counted: spread the low bits. */
	return &buckets[((half[0] ^ half[1]) * 0x9e3779b97f4a7c15u >> 32) & (size - 1)];
}

/* Longer chains are no failure, so neither is want of memory. */
static void grow(struct com_registry *r)
{
	size_t size = r->size * 2;
	struct com_object **wide = calloc(size, sizeof(struct com_object *));

	if (!wide)
		return;
	for (size_t i = 0; i < r->size; i++) {
		for (struct com_object *com = r->buckets[i], *next; com; com = next) {
			struct com_object **at = bucket(wide, size, &com->id);

			next = com->next;
			com->next = *at;
			*at = com;
		}
	}
	free(r->buckets);
	r->buckets = wide;
	r->size = size;
}

static struct com_object *find_locked(struct com_registry *r, const GUID *id)
{
	struct com_object *com = *bucket(r->buckets, r->size, id);

	for (; com; com = com->next)
		if (com_guid_equal(&com->id, id) && com_addref_unless_zero(com))
			return com;
	return NULL;
}

struct com_object *com_registry_find(struct com_registry *r, const GUID *id)
{
	SCOPED_LOCK(&r->lock);
	return find_locked(r, id);
}

static struct com_object *add_locked(struct com_registry *r, struct com_object *com)
{
	struct com_object *other = find_locked(r, &com->id);
	struct com_object **at;

	if (other)
		return other;
	if (r->count >= r->size)
		grow(r);
	at = bucket(r->buckets, r->size, &com->id);
	com->registry = r;
	com->next = *at;
	*at = com;
	r->count++;
	return com;
}

struct com_object *com_registry_add(struct com_registry *r, struct com_object *com)
{
	struct com_object *winner;

	assert(!com->registry);
	pthread_mutex_lock(&r->lock);
	winner = add_locked(r, com);
	pthread_mutex_unlock(&r->lock);
	if (winner != com)
		com_release(com);
	return winner;
}

HRESULT com_registry_get(struct com_registry *r, const GUID *id,
	struct com_object *(*make)(void *ctx, const GUID *id), void *ctx, struct com_object **out)
{
	*out = com_registry_find(r, id);
	if (*out)
		return S_OK;
	*out = make(ctx, id);
	if (!*out)
		return E_OUTOFMEMORY;
	*out = com_registry_add(r, *out);
	return S_OK;
}

void com_registry_remove(struct com_object *com)
{
	struct com_registry *r = com->registry;
	struct com_object **at;

	if (!r)
		return;
	SCOPED_LOCK(&r->lock);
	for (at = bucket(r->buckets, r->size, &com->id); *at != com; at = &(*at)->next)
		assert(*at);
	*at = com->next;
	r->count--;
}

size_t com_registry_count(struct com_registry *r)
{
	SCOPED_LOCK(&r->lock);
	return r->count;
}
