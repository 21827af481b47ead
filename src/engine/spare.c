/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hot spares. One spare stands in for one drive, with all of that drive's extents, and for no
 * other; which one is a fact on the spare (replaces), so that several LUNs of a lost drive find the
 * same spare, also after a restart. Choice: hardware.md 12.4.
 */
#include "engine/engine_internal.h"

/* Can a stand-in be filled with what the LUN has on that drive? */
static bool movable(const struct eng_lun *l, const struct eng_drive *from)
{
	return eng_lun_type_redundant(l->type) || eng_drive_online(from);
}

/* Bytes that a stand-in for `lost` must have: every extent that LUNs still count on it for. */
static uint64_t bytes_on(const struct eng_array *a, const struct eng_drive *lost)
{
	uint64_t sum = 0;
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->luns) {
		const struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		for (unsigned i = 0; i < l->shape.members; i++)
			if (l->members[i].drive == lost && movable(l, lost))
				sum += l->members[i].size;
	}
	return sum;
}

static bool same_kind(const struct eng_drive *a, const struct eng_drive *b)
{
	return a && b && a->dev && b->dev &&
		(a->dev->flags & BLK_DEV_ROTATIONAL) == (b->dev->flags & BLK_DEV_ROTATIONAL);
}

/* True if x is the better choice for replacing lost. */
static bool better(const struct eng_drive *x, const struct eng_drive *y, const struct eng_drive *lost)
{
	if (same_kind(x, lost) != same_kind(y, lost))
		return same_kind(x, lost);
	if (x->size_bytes != y->size_bytes)
		return x->size_bytes < y->size_bytes;
	if (x->bus != y->bus)
		return x->bus < y->bus;
	return x->slot < y->slot;
}

struct eng_drive *eng_spare_pick(const struct eng_lun *l, unsigned slot, int *why)
{
	const struct eng_member *m = &l->members[slot];
	uint64_t need = m->drive ? bytes_on(l->array, m->drive) : m->size;
	struct eng_drive *best = NULL;
	struct list *pos, *tmp;

	*why = -ENOMEDIUM;
	list_for_each(pos, tmp, &l->array->drives) {
		struct eng_drive *d = list_entry(pos, struct eng_drive, link);
		uint64_t largest;

		if (!d->spare || !eng_drive_online(d) || d->predicted || eng_lun_on(l, d))
			continue;
		eng_pool_free(d, &largest);
		if (d->spare_active) {
			if (m->drive && d->replaces == m->drive->refnum && largest >= m->size)
				return d;
			continue;
		}
		if (largest < need || eng_pool_index(d) < 0) {
			if (!best)
				*why = -ENOSPC;
			continue;
		}
		if (!best || better(d, best, m->drive))
			best = d;
	}
	return best;
}

/* The member that still serves keeps its place until its twin is filled. */
static struct eng_member *extent_for(struct eng_lun *l, unsigned slot)
{
	struct eng_member *m = &l->members[slot];

	return eng_drive_online(m->drive) && m->state == ENG_MEMBER_IN_SYNC ? &l->twins[slot] : m;
}

int eng_spare_bind(struct eng_lun *l, unsigned slot, struct eng_drive *drive, struct err *err)
{
	struct eng_member *to = extent_for(l, slot);
	struct eng_drive *old = l->members[slot].drive;
	uint64_t start, size = l->members[slot].size;
	int index = eng_pool_index(drive);
	int rc = eng_pool_alloc(drive, size, &start);

	if (rc || index < 0)
		return err_set(err, -ENOSPC, "The drive in slot %d.%d has too little free space.",
			drive->bus, drive->slot);
	*to = (struct eng_member) { .drive = drive, .start = start, .size = size,
		.index = (unsigned)index, .state = ENG_MEMBER_STALE };
	if (drive->spare) {
		drive->spare_active = true;
		drive->replaces = old ? old->refnum : 0;
	}
	eng_event_add(l->array, ENG_EVENT_DRIVE_MODIFY, &drive->id);
	if (old)
		eng_event_add(l->array, ENG_EVENT_DRIVE_MODIFY, &old->id);
	return 0;
}

void eng_twin_drop(struct eng_lun *l, unsigned slot)
{
	struct eng_drive *d = l->twins[slot].drive;

	if (!d)
		return;
	memset(&l->twins[slot], 0, sizeof(l->twins[slot]));
	eng_event_add(l->array, ENG_EVENT_DRIVE_MODIFY, &d->id);
}

/* True while the spare still has work to do for the drive it replaces. */
static bool still_needed(const struct eng_drive *spare)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &spare->array->luns) {
		const struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		for (unsigned i = 0; i < l->shape.members; i++) {
			const struct eng_member *m = &l->members[i];

			if (m->drive == spare && m->state != ENG_MEMBER_IN_SYNC)
				return true;
			if (l->twins[i].drive == spare)
				return true;
			if (m->drive && m->drive != spare && spare->replaces &&
				m->drive->refnum == spare->replaces && movable(l, m->drive))
				return true;
		}
	}
	return false;
}

bool eng_spare_settle(struct eng_array *a)
{
	bool changed = false;
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->drives) {
		struct eng_drive *d = list_entry(pos, struct eng_drive, link);

		if (!d->spare_active || (eng_drive_assigned(d) && still_needed(d)))
			continue;
		/* A spare whose LUN was deleted under it, or that was given up, goes back to waiting. */
		d->spare = !eng_drive_assigned(d);
		d->spare_active = false;
		d->replaces = 0;
		changed = true;
		eng_event_add(a, ENG_EVENT_DRIVE_MODIFY, &d->id);
	}
	return changed;
}
