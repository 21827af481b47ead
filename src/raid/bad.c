/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of the set whose data is lost: a sorted array of disjoint ranges. Reads that touch one
 * fail; a completed write takes its range out again. The array is short or the set is beyond
 * help, so linear insertion is good enough; look-up is by bisection.
 */
#include "raid/raid_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Index of the first range that ends after offset. */
static size_t first_after(const struct raid_bad *bad, uint64_t offset)
{
	size_t lo = 0, hi = bad->len;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (bad->items[mid].end <= offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int make_room(struct raid_bad *bad)
{
	size_t cap = bad->cap ? bad->cap * 2 : 16;
	struct raid_range *items;

	/* one spare beyond the need, so that a removal that splits a range cannot fail */
	if (bad->len + 2 <= bad->cap)
		return 0;
	items = realloc(bad->items, cap * sizeof(*items));
	if (!items)
		return -ENOMEM;
	bad->items = items;
	bad->cap = cap;
	return 0;
}

static void put_at(struct raid_bad *bad, size_t at, struct raid_range range)
{
	memmove(bad->items + at + 1, bad->items + at, (bad->len - at) * sizeof(range));
	bad->items[at] = range;
	bad->len++;
}

static void drop(struct raid_bad *bad, size_t at, size_t count)
{
	memmove(bad->items + at, bad->items + at + count,
		(bad->len - at - count) * sizeof(*bad->items));
	bad->len -= count;
}

int raid_bad_insert(struct raid_bad *bad, uint64_t offset, uint64_t length)
{
	struct raid_range new = {offset, offset + length};
	size_t at, last;
	int rc;

	if (!length)
		return 0;
	rc = make_room(bad);
	if (rc)
		return rc;
	at = first_after(bad, offset ? offset - 1 : 0); /* neighbours join */
	for (last = at; last < bad->len && bad->items[last].start <= new.end; last++) {
		if (bad->items[last].start < new.start)
			new.start = bad->items[last].start;
		if (bad->items[last].end > new.end)
			new.end = bad->items[last].end;
	}
	drop(bad, at, last - at);
	put_at(bad, at, new);
	return 0;
}

void raid_bad_remove(struct raid_bad *bad, uint64_t offset, uint64_t length)
{
	uint64_t end = offset + length;
	size_t at = first_after(bad, offset);

	while (at < bad->len && bad->items[at].start < end) {
		struct raid_range *r = &bad->items[at];

		if (r->start < offset && r->end > end) {
			struct raid_range tail = {end, r->end};

			r->end = offset;
			if (make_room(bad)) /* keep more than needed rather than less */
				bad->items[at].end = tail.end;
			else
				put_at(bad, at + 1, tail);
			return;
		}
		if (r->start < offset) {
			r->end = offset;
			at++;
		} else if (r->end > end) {
			r->start = end;
			return;
		} else {
			drop(bad, at, 1);
		}
	}
}

bool raid_bad_hits(const struct raid_bad *bad, uint64_t offset, uint64_t length)
{
	size_t at = first_after(bad, offset);

	return at < bad->len && bad->items[at].start < offset + length;
}

void raid_bad_fini(struct raid_bad *bad)
{
	free(bad->items);
	*bad = (struct raid_bad){0};
}

int raid_bad_add(struct raid_set *set, uint64_t offset, uint64_t length)
{
	if (offset >= set->geo.size || length > set->geo.size - offset)
		return -EINVAL;
	return raid_bad_insert(&set->bad, offset, length);
}

void raid_bad_for_each(
	struct raid_set *set, void (*fn)(void *ctx, uint64_t offset, uint64_t length), void *ctx)
{
	for (size_t i = 0; i < set->bad.len; i++)
		fn(ctx, set->bad.items[i].start, set->bad.items[i].end - set->bad.items[i].start);
}
