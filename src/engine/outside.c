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

void eng_outside_settle(struct eng_lun *l, bool known)
{
	uint64_t behind = 0, gone = 0;

	for (unsigned i = 0; i < l->shape.members; i++) {
		const struct eng_member *m = &l->members[i];
		bool here = m->drive && m->drive->dev, old = here && m->drive->behind;
		bool lacks = !here || old || m->state != ENG_MEMBER_IN_SYNC;

		behind |= (uint64_t)old << i;
		gone |= (uint64_t)lacks << i;
	}
	/* What is away may come back, as it was left, to a LUN that could not be run without it, or that we
	 * see for the first time. */
	if (!known || !raid_shape_survives(&l->shape, gone))
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

static struct eng_lun *lun_of(const struct eng_array *a, const struct ddf_guid *vd)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->luns)
		if (ddf_guid_equal(&list_entry(pos, struct eng_lun, link)->ddf_guid, vd))
			return list_entry(pos, struct eng_lun, link);
	return NULL;
}

static void take_vacated(struct eng_lun *l, unsigned slot, struct eng_drive *d, uint64_t start)
{
	struct eng_member *m = slot < l->shape.members ? &l->members[slot] : NULL;

	if (!m || m->drive || eng_lun_on(l, d) ||
		(d->dev && start + m->size > d->layout.extents_end * 512) || in_the_way(l->array, d, start, m->size))
		return;
	m->drive = d;
	m->start = start;
	m->state = ENG_MEMBER_STALE;
	m->watermark = 0;
	m->index = ENG_NO_INDEX;
}

void eng_outside_vacated(struct eng_drive *d, const struct ddf_confs *confs)
{
	const struct ddf_conf *c;

	vec_for_each(confs, c) {
		struct eng_lun *l = lun_of(d->array, &c->vd);

		for (unsigned i = 0; l && i < c->members; i++)
			if (c->refnums[i] == d->refnum)
				take_vacated(l, c->leg * eng_leg_members(&l->shape) + i, d, c->lbas[i] * 512);
	}
}

void eng_outside_remembered(struct eng_array *a, const struct ddf_set *newest)
{
	const struct ddf_vd *vd;

	vec_for_each(&newest->vds, vd) {
		struct eng_lun *l = lun_of(a, &vd->guid);

		for (unsigned i = 0; l && l->outside && vd->ext.present && i < vd->ext.slots_len; i++) {
			const struct ddf_vd_slot *x = &vd->ext.slots[i];
			struct eng_drive *d = x->refnum ? eng_find_refnum(a, x->refnum) : NULL;

			if (d)
				take_vacated(l, i, d, x->lba * 512);
		}
	}
}

void eng_outside_expect(struct eng_array *a)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->drives) {
		struct eng_drive *d = list_entry(pos, struct eng_drive, link);

		if (d->refnum && !d->dev)
			d->seq = a->seq;
	}
}

void eng_outside_await(struct eng_array *a, const struct ddf_set *newest)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);
		bool lacks = false;

		for (unsigned i = 0; i < l->shape.members; i++)
			lacks |= l->members[i].state == ENG_MEMBER_IN_SYNC && !l->members[i].drive->dev;
		l->awaits = lacks && (l->awaits || !newest->own_seq);
	}
}

void eng_outside_go(struct eng_lun *l)
{
	l->awaits = false;
	eng_lun_demote_absent(l);
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
	if (l->awaits && !m->drive->older) {
		reset_slot(l, slot);
		return; /* nobody has written since */
	}
	l->inconsistent = true;
	reset_slot(l, slot);
	if (!raid_shape_survives(&l->shape, eng_lun_lost_mask(l) | 1ull << slot))
		return; /* nobody else has it */
	m->state = ENG_MEMBER_STALE;
	m->watermark = 0;
}
