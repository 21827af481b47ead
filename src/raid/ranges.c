/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sorted array of disjoint ranges of the set. It is short or the set is beyond help, so linear
 * insertion is good enough; look-up is by bisection.
 */
#include "raid/raid_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Index of the first range that ends after offset. */
static size_t first_after(const struct raid_ranges *r, uint64_t offset)
{
	size_t lo = 0, hi = r->len;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->items[mid].end <= offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int make_room(struct raid_ranges *r)
{
	size_t cap = r->cap ? r->cap * 2 : 16;
	struct raid_range *items;

	/* one spare beyond the need, so that a removal that splits a range cannot fail */
	if (r->len + 2 <= r->cap)
		return 0;
	items = realloc(r->items, cap * sizeof(*items));
	if (!items)
		return -ENOMEM;
	r->items = items;
	r->cap = cap;
	return 0;
}

static void put_at(struct raid_ranges *r, size_t at, struct raid_range range)
{
	memmove(r->items + at + 1, r->items + at, (r->len - at) * sizeof(range));
	r->items[at] = range;
	r->len++;
}

static void drop(struct raid_ranges *r, size_t at, size_t count)
{
	memmove(r->items + at, r->items + at + count,
		(r->len - at - count) * sizeof(*r->items));
	r->len -= count;
}

int raid_ranges_add(struct raid_ranges *r, uint64_t offset, uint64_t length)
{
	struct raid_range new = {offset, offset + length};
	size_t at, last;
	int rc;

	if (!length)
		return 0;
	rc = make_room(r);
	if (rc)
		return rc;
	at = first_after(r, offset ? offset - 1 : 0); /* neighbours join */
	for (last = at; last < r->len && r->items[last].start <= new.end; last++) {
		if (r->items[last].start < new.start)
			new.start = r->items[last].start;
		if (r->items[last].end > new.end)
			new.end = r->items[last].end;
	}
	drop(r, at, last - at);
	put_at(r, at, new);
	return 0;
}

void raid_ranges_remove(struct raid_ranges *r, uint64_t offset, uint64_t length)
{
	uint64_t end = offset + length;
	size_t at = first_after(r, offset);

	while (at < r->len && r->items[at].start < end) {
		struct raid_range *one = &r->items[at];

		if (one->start < offset && one->end > end) {
			struct raid_range tail = {end, one->end};

			one->end = offset;
			if (make_room(r)) /* keep more than needed rather than less */
				r->items[at].end = tail.end;
			else
				put_at(r, at + 1, tail);
			return;
		}
		if (one->start < offset) {
			one->end = offset;
			at++;
		} else if (one->end > end) {
			one->start = end;
			return;
		} else {
			drop(r, at, 1);
		}
	}
}

bool raid_ranges_hit(const struct raid_ranges *r, uint64_t offset, uint64_t length)
{
	size_t at = first_after(r, offset);

	return at < r->len && r->items[at].start < offset + length;
}

void raid_ranges_fini(struct raid_ranges *r)
{
	free(r->items);
	*r = (struct raid_ranges){0};
}
