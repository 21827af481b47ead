/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Space on drives. A drive's data area reaches from ENG_DATA_START to the workspace, in units of
 * 1 MiB; what no LUN extent covers is free. Nothing is stored: holes follow from the LUNs.
 */
#include "engine/engine_internal.h"

static uint64_t data_end(const struct eng_drive *d)
{
	return d->layout.extents_end * 512 / ENG_UNIT * ENG_UNIT;
}

uint64_t eng_pool_usable(const struct eng_drive *d)
{
	return d->ours && data_end(d) > ENG_DATA_START ? data_end(d) - ENG_DATA_START : 0;
}

static int by_start(const void *a, const void *b)
{
	uint64_t x = ((const struct eng_hole *)a)->start, y = ((const struct eng_hole *)b)->start;

	return x < y ? -1 : x > y;
}

/* The used ranges of a drive in order. */
static int used_ranges(const struct eng_drive *d, struct eng_hole_vec *used)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &d->array->luns) {
		const struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		for (unsigned i = 0; i < 2 * l->shape.members; i++) {
			const struct eng_member *m = eng_lun_extent(l, i);

			if (m && m->drive == d && eng_hole_vec_push(used, (struct eng_hole) { m->start, m->size }))
				return -ENOMEM;
		}
	}
	if (used->len)
		qsort(used->items, used->len, sizeof(used->items[0]), by_start);
	return 0;
}

int eng_pool_holes(const struct eng_drive *d, struct eng_hole_vec *out)
{
	struct eng_hole_vec used = { 0 };
	uint64_t at = ENG_DATA_START, end = data_end(d);
	struct eng_hole *h;
	int rc = used_ranges(d, &used);

	if (!d->ours)
		end = 0;
	vec_for_each(&used, h) {
		if (!rc && h->start > at)
			rc = eng_hole_vec_push(out, (struct eng_hole) { at, h->start - at });
		if (h->start + h->size > at)
			at = (h->start + h->size + ENG_UNIT - 1) / ENG_UNIT * ENG_UNIT;
	}
	if (!rc && end > at)
		rc = eng_hole_vec_push(out, (struct eng_hole) { at, end - at });
	eng_hole_vec_free(&used);
	return rc;
}

uint64_t eng_pool_free(const struct eng_drive *d, uint64_t *largest)
{
	struct eng_hole_vec holes = { 0 };
	struct eng_hole *h;
	uint64_t sum = 0, max = 0;

	if (!eng_pool_holes(d, &holes))
		vec_for_each(&holes, h) {
			sum += h->size;
			max = h->size > max ? h->size : max;
		}
	eng_hole_vec_free(&holes);
	if (largest)
		*largest = max;
	return sum;
}

int eng_pool_alloc(const struct eng_drive *d, uint64_t size, uint64_t *start)
{
	struct eng_hole_vec holes = { 0 };
	struct eng_hole *h;
	int rc = eng_pool_holes(d, &holes);

	if (!rc)
		rc = -ENOSPC;
	else
		return rc;
	vec_for_each(&holes, h)
		if (rc && h->size >= size) {
			*start = h->start;
			rc = 0;
		}
	eng_hole_vec_free(&holes);
	return rc;
}

int eng_pool_index(const struct eng_drive *d)
{
	uint64_t used = 0;
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &d->array->luns) {
		const struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		for (unsigned i = 0; i < 2 * l->shape.members; i++) {
			const struct eng_member *m = eng_lun_extent(l, i);

			if (m && m->drive == d && m->index < 64)
				used |= 1ull << m->index;
		}
	}
	for (int i = 0; i < ENG_MAX_EXTENTS; i++)
		if (!(used & 1ull << i))
			return i;
	return -ENOSPC;
}

bool eng_pool_can_grow(const struct eng_drive *d, uint64_t end, uint64_t more)
{
	struct eng_hole_vec holes = { 0 };
	struct eng_hole *h;
	bool fits = false;

	if (!eng_pool_holes(d, &holes))
		vec_for_each(&holes, h)
			if (h->start == end && h->size >= more)
				fits = true;
	eng_hole_vec_free(&holes);
	return fits;
}

static bool counts(const struct eng_drive *d)
{
	return d && list_linked(&d->link);
}

struct eng_place *eng_places(struct eng_array *a)
{
	struct eng_place *items;
	struct list *pos, *tmp;
	unsigned total = 0;

	list_for_each(pos, tmp, &a->drives)
		list_entry(pos, struct eng_drive, link)->places = 0;
	list_for_each(pos, tmp, &a->luns) {
		const struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		for (unsigned i = 0; i < 2 * l->shape.members; i++) {
			const struct eng_member *m = eng_lun_extent(l, i);

			if (m && counts(m->drive))
				m->drive->places++;
		}
	}
	list_for_each(pos, tmp, &a->drives) {
		struct eng_drive *d = list_entry(pos, struct eng_drive, link);

		d->first_place = total;
		total += d->places;
		d->places = 0;
	}
	items = malloc((total + 1u) * sizeof(*items));
	list_for_each(pos, tmp, &a->luns) {
		const struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		for (unsigned i = 0; items && i < 2 * l->shape.members; i++) {
			const struct eng_member *m = eng_lun_extent(l, i);
			bool twin = i >= l->shape.members;

			if (m && counts(m->drive))
				items[m->drive->first_place + m->drive->places++] = (struct eng_place) { l,
					twin ? i - l->shape.members : i, twin };
		}
	}
	return items;
}
