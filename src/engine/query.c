/* SPDX-License-Identifier: Apache-2.0 */
/* What a provider reads from the model: snapshots by value, nothing waits. */
#include "engine/engine_internal.h"

static bool anything_wrong(const struct eng_array *a)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->drives) {
		const struct eng_drive *d = list_entry(pos, struct eng_drive, link);

		if (!d->departed && d->refnum && eng_drive_state_of(d) != ENG_DRIVE_ONLINE)
			return true;
	}
	return false;
}

void eng_array_info(const struct eng_array *a, struct eng_array_info *out)
{
	struct list *pos, *tmp;

	memset(out, 0, sizeof(*out));
	out->id = a->id;
	memcpy(out->container_guid, a->container.b, 24);
	text_copy(out->name, sizeof(out->name), a->name);
	text_copy(out->note, sizeof(out->note), a->note);
	out->seq = a->seq;
	out->offline = a->offline;
	out->waiting = a->waiting;
	list_for_each(pos, tmp, &a->drives)
		out->drives += !list_entry(pos, struct eng_drive, link)->departed;
	list_for_each(pos, tmp, &a->luns)
		out->luns += !list_entry(pos, struct eng_lun, link)->deleted;
	out->degraded = anything_wrong(a);
}

struct loop *eng_array_loop(const struct eng_array *a)
{
	return a->loop;
}

void eng_array_set_settings(struct eng_array *a, const struct eng_settings *settings)
{
	a->settings = *settings;
	eng_auto_wake(a);
}

/* ---- drives ---------------------------------------------------------------------------------- */

struct placed {
	struct guid id;
	int place;
};

static int by_place(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

int eng_drive_list(const struct eng_array *a, struct guid **ids, unsigned *count)
{
	struct list *pos, *tmp;
	struct placed *all;
	unsigned n = 0;

	*ids = NULL;
	*count = 0;
	list_for_each(pos, tmp, &a->drives)
		n++;
	all = calloc(n + 1u, sizeof(*all));
	*ids = calloc(n + 1u, sizeof(**ids));
	if (!all || !*ids) {
		free(all);
		free(*ids);
		*ids = NULL;
		return -ENOMEM;
	}
	n = 0;
	list_for_each(pos, tmp, &a->drives) {
		const struct eng_drive *d = list_entry(pos, struct eng_drive, link);

		if (!d->departed && !guid_is_zero(&d->id))
			all[n++] = (struct placed) { d->id, d->bus * 65536 + (uint16_t)d->slot };
	}
	qsort(all, n, sizeof(*all), by_place);
	for (unsigned i = 0; i < n; i++)
		(*ids)[i] = all[i].id;
	*count = n;
	free(all);
	return 0;
}

int eng_drive_info(const struct eng_array *a, const struct guid *id, struct eng_drive_info *out)
{
	const struct eng_drive *d = eng_find_drive(a, id);
	uint64_t largest = 0;

	memset(out, 0, sizeof(*out));
	if (!d)
		return -ENOENT;
	out->id = d->id;
	out->state = eng_drive_state_of(d);
	out->predicted = d->predicted;
	out->assigned = eng_drive_assigned(d);
	out->spare = d->spare;
	out->spare_in_use = d->spare_active;
	out->size_bytes = d->size_bytes;
	out->usable_bytes = eng_pool_usable(d);
	out->free_bytes = eng_pool_free(d, &largest);
	out->largest_free_bytes = largest;
	out->bus = d->bus;
	out->slot = d->slot;
	text_copy(out->path, sizeof(out->path), d->path);
	out->lost_at = d->lost_at;
	out->read_errors = d->read_errors;
	out->read_errors_repaired = d->read_errors_repaired;
	out->write_errors = d->write_errors;
	out->timeouts = d->timeouts;
	out->rotational = d->dev && d->dev->flags & BLK_DEV_ROTATIONAL;
	for (unsigned i = 0; d->refnum && i < 8; i++)
		snprintf(out->serial + 2 * i, 3, "%02x", d->ddf_guid.b[16 + i]);
	text_copy(out->note, sizeof(out->note), d->note);
	return 0;
}

int eng_drive_at(const struct eng_array *a, int16_t bus, int16_t slot, struct guid *id)
{
	const struct eng_drive *d = eng_find_bay(a, bus, slot);

	memset(id, 0, sizeof(*id));
	if (!d || d->departed || guid_is_zero(&d->id))
		return -ENOENT;
	*id = d->id;
	return 0;
}

VEC(struct eng_extent, extent_vec)

static int extent_order(const void *a, const void *b)
{
	uint64_t x = ((const struct eng_extent *)a)->offset, y = ((const struct eng_extent *)b)->offset;

	return x < y ? -1 : x > y;
}

static int used_extents(const struct eng_array *a, const struct eng_drive *d, struct extent_vec *v)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->luns) {
		const struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		for (unsigned i = 0; i < 2 * l->shape.members; i++) {
			const struct eng_member *m = eng_lun_extent(l, i);

			if (m && m->drive == d &&
				extent_vec_push(v, (struct eng_extent) { d->id, l->id, m->start, m->size }))
				return -ENOMEM;
		}
	}
	return 0;
}

int eng_drive_extents(const struct eng_array *a, const struct guid *id, struct eng_extent **out,
	unsigned *count)
{
	const struct eng_drive *d = eng_find_drive(a, id);
	struct eng_hole_vec holes = { 0 };
	struct extent_vec v = { 0 };
	struct eng_hole *h;
	int rc;

	*out = NULL;
	*count = 0;
	if (!d)
		return -ENOENT;
	rc = used_extents(a, d, &v);
	if (!rc && d->dev)
		rc = eng_pool_holes(d, &holes);
	vec_for_each(&holes, h)
		if (!rc)
			rc = extent_vec_push(&v, (struct eng_extent) { d->id, { { 0 } }, h->start, h->size });
	eng_hole_vec_free(&holes);
	if (rc) {
		extent_vec_free(&v);
		return rc;
	}
	if (v.len)
		qsort(v.items, v.len, sizeof(v.items[0]), extent_order);
	*out = v.items;
	*count = (unsigned)v.len;
	return 0;
}

/* ---- LUNs ------------------------------------------------------------------------------------ */

int eng_lun_list(const struct eng_array *a, struct guid **ids, unsigned *count)
{
	struct list *pos, *tmp;
	unsigned n = 0;

	list_for_each(pos, tmp, &a->luns)
		n++;
	*count = 0;
	*ids = calloc(n + 1u, sizeof(**ids));
	if (!*ids)
		return -ENOMEM;
	list_for_each(pos, tmp, &a->luns) {
		const struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		if (!l->deleted)
			(*ids)[(*count)++] = l->id;
	}
	return 0;
}

int eng_lun_info(const struct eng_array *a, const struct guid *id, struct eng_lun_info *out)
{
	const struct eng_lun *l = eng_find_lun(a, id);
	const struct raid_range *lost;
	size_t count;

	memset(out, 0, sizeof(*out));
	if (!l)
		return -ENOENT;
	out->id = l->id;
	memcpy(out->name, l->name, sizeof(out->name));
	out->type = l->type;
	out->health = eng_lun_health_of(l);
	out->transition = l->transition;
	out->offline = l->offline || l->awaits || a->offline;
	out->size_bytes = l->size_bytes;
	out->chunk = l->shape.chunk;
	out->members = l->shape.members;
	out->plexes = eng_lun_plexes(l);
	out->redundancy = raid_shape_redundancy(&l->shape);
	out->rebuild_priority = l->priority;
	out->policy = l->policy;
	out->created_at = l->created_at;
	out->busy = eng_lun_busy(l);
	out->job = l->job;
	if (l->set) {
		out->dirty_bytes = raid_dirty_regions(l->set) * raid_region_size(&l->shape);
		lost = raid_lost_ranges(l->set, &count);
		for (size_t i = 0; i < count; i++)
			out->lost_bytes += lost[i].end - lost[i].start;
	}
	return 0;
}

int eng_lun_members(const struct eng_array *a, const struct guid *id, struct eng_member_info *out,
	unsigned cap, unsigned *count)
{
	const struct eng_lun *l = eng_find_lun(a, id);

	*count = 0;
	if (!l)
		return -ENOENT;
	for (unsigned i = 0; i < l->shape.members && i < cap; i++) {
		const struct eng_member *m = &l->members[i];

		out[i] = (struct eng_member_info) { .slot = i, .offset = m->start, .size = m->size };
		out[i].plex = l->type == ENG_LUN_MIRROR ? i : 0;
		out[i].state = m->drive && !m->drive->out ? m->state : ENG_MEMBER_MISSING;
		if (m->drive)
			out[i].drive = m->drive->id;
		out[i].rebuilt = m->watermark;
		if (m->state == ENG_MEMBER_REBUILDING && l->set)
			out[i].rebuilt = raid_member(l->set, i).watermark;
		(*count)++;
	}
	return 0;
}

static enum eng_lun_health copy_health(const struct eng_lun *l, unsigned slot)
{
	const struct eng_member *m = &l->members[slot];

	if (m->state == ENG_MEMBER_REBUILDING && eng_drive_online(m->drive))
		return ENG_LUN_REBUILDING;
	if (m->state != ENG_MEMBER_IN_SYNC || !eng_drive_online(m->drive))
		return ENG_LUN_FAILED;
	return m->drive->predicted ? ENG_LUN_FAILING : ENG_LUN_HEALTHY;
}

int eng_plex_info(const struct eng_array *a, const struct guid *lun, unsigned index,
	struct eng_plex_info *out)
{
	const struct eng_lun *l = eng_find_lun(a, lun);

	memset(out, 0, sizeof(*out));
	if (!l || index >= eng_lun_plexes(l))
		return -ENOENT;
	out->id = l->plex_ids[index];
	out->lun = l->id;
	out->index = index;
	out->type = l->type == ENG_LUN_MIRROR ? ENG_LUN_SIMPLE : l->type;
	out->health = l->type == ENG_LUN_MIRROR ? copy_health(l, index) : eng_lun_health_of(l);
	out->size_bytes = l->size_bytes;
	out->chunk = l->shape.chunk;
	return 0;
}

int eng_plex_find(const struct eng_array *a, const struct guid *plex, struct guid *lun, unsigned *index)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->luns) {
		const struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		for (unsigned i = 0; !l->deleted && i < eng_lun_plexes(l); i++)
			if (guid_equal(&l->plex_ids[i], plex)) {
				*lun = l->id;
				*index = i;
				return 0;
			}
	}
	return -ENOENT;
}
