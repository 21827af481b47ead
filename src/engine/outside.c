/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An array that somebody else has run since our last commit, as the Linux md driver does.
 *
 * Each commit of ours notes its sequence number in the controller data, which others carry along
 * unread. Where it is not the header's, the drive was last written by somebody else. That is all there
 * is to see: a LUN that md has run with all its members and stopped has the same records as before.
 * So every LUN that can have been run with the drives of the newest metadata counts as written to:
 *
 *  - what we keep of it ourselves is void: region bitmap, unwritten regions, member states;
 *  - the configuration records decide who is current, except for drives that are behind the newest:
 *    md takes those along that it has, and leaves some records as they are when it runs without one;
 *  - the state in the virtual disk record says whether copies and parity agree.
 *
 * A LUN that needs a drive which is behind was not run; for it everything is as we left it.
 */
#include "base/log.h"
#include "engine/engine_internal.h"

void eng_outside_settle(struct eng_lun *l)
{
	uint64_t behind = 0, gone = 0;

	for (unsigned i = 0; i < l->shape.members; i++) {
		const struct eng_member *m = &l->members[i];

		if (m->drive && m->drive->dev && m->drive->behind)
			behind |= 1ull << i;
		if (!m->drive || !m->drive->dev || m->state != ENG_MEMBER_IN_SYNC)
			gone |= 1ull << i;
	}
	gone |= behind;
	/* What else is away was perhaps run, and comes back then; but not left behind. */
	if (!raid_shape_survives(&l->shape, gone))
		gone = behind;
	for (unsigned i = 0; i < l->shape.members; i++) {
		struct eng_member *m = &l->members[i];

		if (!(gone & 1ull << i))
			continue;
		m->state = m->drive ? ENG_MEMBER_STALE : ENG_MEMBER_MISSING;
		m->watermark = 0;
	}
}

static bool in_the_way(const struct eng_array *a, const struct eng_drive *d, uint64_t start,
	uint64_t size)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->luns) {
		const struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		for (unsigned i = 0; i < 2 * l->shape.members; i++) {
			const struct eng_member *m = eng_lun_extent(l, i);

			if (m && m->drive == d && m->start < start + size && start < m->start + m->size)
				return true;
		}
	}
	return false;
}

/* The drive that had a slot with us and was left out by others: it is filled again where it was. */
static void take_vacated(struct eng_lun *l, const struct ddf_vd *vd, unsigned slot)
{
	const struct ddf_vd_slot *x = &vd->ext.slots[slot];
	struct eng_member *m = &l->members[slot];
	struct eng_drive *d = x->refnum ? eng_find_refnum(l->array, x->refnum) : NULL;

	if (m->drive || !d || eng_lun_on(l, d) || x->blocks * 512 < m->size ||
		in_the_way(l->array, d, x->lba * 512, m->size))
		return;
	m->drive = d;
	m->start = x->lba * 512;
	m->state = ENG_MEMBER_STALE;
	m->watermark = 0;
	m->index = ENG_NO_INDEX;
}

void eng_outside_vacated(struct eng_array *a, const struct ddf_set *newest)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);
		const struct ddf_vd *vd = ddf_set_vd(newest, &l->ddf_guid);

		if (!l->outside || !vd || !vd->ext.present || vd->ext.slots_len != l->shape.members)
			continue;
		for (unsigned i = 0; i < l->shape.members; i++)
			take_vacated(l, vd, i);
	}
}

/* A drive that cannot even be told that its notes are void must not be read by them. */
static void reset_slot(struct eng_lun *l, unsigned slot)
{
	struct eng_drive *d = l->members[slot].drive;
	int rc;

	if (!eng_drive_online(d) || l->members[slot].index == ENG_NO_INDEX)
		return;
	rc = eng_priv_bitmap_reset(l, slot, l->inconsistent);
	if (!rc)
		return;
	snprintf(d->note, sizeof(d->note), "%s cannot be written: %s.", d->path, err_name(rc));
	log_error("%s", d->note);
	d->failed = true;
}

void eng_outside_reset(struct eng_array *a)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		if (!l->outside)
			continue;
		log_info("LUN \"%s\" may have been written to by somebody else%s", l->name,
			l->inconsistent ? "; it is compared" : "");
		for (unsigned i = 0; i < l->shape.members; i++)
			reset_slot(l, i);
		eng_lun_demote_absent(l);
	}
}

void eng_outside_back(struct eng_lun *l, unsigned slot)
{
	struct eng_member *m = &l->members[slot];

	if (!m->drive->outside || !eng_lun_type_redundant(l->type))
		return;
	l->inconsistent = true;
	reset_slot(l, slot);
	if (!raid_shape_survives(&l->shape, eng_lun_lost_mask(l) | 1ull << slot))
		return; /* nobody else has it */
	m->state = ENG_MEMBER_STALE;
	m->watermark = 0;
}
