/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LUNs out of metadata: what the configuration records say of a LUN's shape and current members,
 * what our vendor record adds (who was in a vacated slot), and what each present drive says of its
 * own extents (rebuilding and how far, out of date).
 *
 * A slot is in sync when the newest records name its drive and the drive's own table does not
 * object. A vacated slot belongs to the drive that was last in it: out of date, with its watermark.
 */
#include "base/log.h"
#include "engine/engine_internal.h"

/* A configuration record, and whether it comes from a drive with the newest metadata. */
struct source {
	const struct ddf_conf *conf;
	bool newest;
	bool outside; /* … and those were last written by somebody else */
};

struct sources {
	struct source *list;           /* of all drives, by VD */
	size_t list_len;
	struct eng_drive **drives;     /* by reference number; those with the same in order of the array */
	size_t drives_len;
};

static int by_vd(const void *a, const void *b)
{
	const struct source *x = a, *y = b;

	return memcmp(x->conf->vd.b, y->conf->vd.b, sizeof(x->conf->vd.b));
}

static int by_refnum(const void *a, const void *b)
{
	const struct eng_drive *x = *(struct eng_drive *const *)a;
	const struct eng_drive *y = *(struct eng_drive *const *)b;

	return x->refnum < y->refnum ? -1 : x->refnum > y->refnum;
}

static void sources_free(struct sources *s)
{
	free(s->list);
	free(s->drives);
}

static int sources_init(struct sources *s, const struct eng_array *a, struct eng_found *const *found,
	unsigned count)
{
	struct list *pos, *tmp;

	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < count; i++)
		s->list_len += found[i]->image.drive.confs.len;
	list_for_each(pos, tmp, &a->drives)
		s->drives_len++;
	s->list = calloc(s->list_len + 1, sizeof(*s->list));
	s->drives = calloc(s->drives_len + 1, sizeof(*s->drives));
	if (!s->list || !s->drives) {
		sources_free(s);
		return -ENOMEM;
	}
	s->list_len = s->drives_len = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct ddf_conf *c;

		vec_for_each(&found[i]->image.drive.confs, c)
			s->list[s->list_len++] =
				(struct source) { c, found[i]->newest, found[i]->newest &&
						found[i]->image.set.own_seq != found[i]->image.set.seq };
	}
	list_for_each(pos, tmp, &a->drives)
		s->drives[s->drives_len++] = list_entry(pos, struct eng_drive, link);
	qsort(s->list, s->list_len, sizeof(*s->list), by_vd);
	qsort(s->drives, s->drives_len, sizeof(*s->drives), by_refnum);
	return 0;
}

static bool goes_before(const struct source *x, const struct source *y)
{
	return x->newest != y->newest ? x->newest : x->conf->seq > y->conf->seq;
}

/*
 * The configuration record of a leg (-1: of any), NULL when no present drive has one. Those on drives
 * with the newest metadata go before those on drives left behind, whatever numbers they have.
 */
static const struct source *find_conf(const struct sources *s, const struct ddf_guid *vd, int leg)
{
	const struct source *best = NULL;
	size_t lo = 0, hi = s->list_len;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (memcmp(s->list[mid].conf->vd.b, vd->b, sizeof(vd->b)) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < s->list_len && ddf_guid_equal(&s->list[lo].conf->vd, vd); lo++)
		if ((leg < 0 || s->list[lo].conf->leg == leg) && (!best || goes_before(&s->list[lo], best)))
			best = &s->list[lo];
	return best;
}

/*
 * Our own record of a LUN, unless somebody else has run it or changed the configuration since. It
 * stands on every drive of the array; a configuration record only on the leg's own members, of which
 * perhaps just one that was left behind is here.
 */
static const struct ddf_vd_ext *own_record(const struct eng_lun *l, const struct ddf_vd *vd,
	const struct source *c)
{
	const struct ddf_vd_ext *x = &vd->ext;

	if (!x->present || !x->slots_len ||
		(c && c->newest && (l->outside || c->conf->seq > x->conf_seq)))
		return NULL;
	return x;
}

static struct eng_drive *find_refnum(const struct sources *s, uint32_t refnum)
{
	size_t lo = 0, hi = s->drives_len;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (s->drives[mid]->refnum < refnum)
			lo = mid + 1;
		else
			hi = mid;
	}
	return refnum && lo < s->drives_len && s->drives[lo]->refnum == refnum ? s->drives[lo] : NULL;
}

/*
 * Somebody else can have run it since our last commit: the members that their metadata name suffice
 * without those that they did not have.
 */
static bool ran_outside(const struct ddf_vd *vd, const struct sources *s)
{
	const struct source *c = find_conf(s, &vd->guid, -1);
	struct raid_shape shape;
	unsigned per_leg;
	uint64_t behind = 0;

	if (!c || !c->outside || ddf_level_decode(c->conf, &shape, NULL))
		return false;
	per_leg = eng_leg_members(&shape);
	for (unsigned i = 0; i < shape.members; i++) {
		const struct eng_drive *d;

		c = find_conf(s, &vd->guid, (int)(i / per_leg));
		d = c && i % per_leg < c->conf->members ? find_refnum(s, c->conf->refnums[i % per_leg]) : NULL;
		if (d && d->dev && d->behind)
			behind |= 1ull << i;
	}
	return raid_shape_survives(&shape, behind);
}

static const struct priv_member *own_entry(const struct eng_drive *d, const struct eng_lun *l,
	unsigned slot, unsigned *index)
{
	unsigned per_leg = eng_leg_members(&l->shape);

	for (unsigned i = 0; d && d->dev && i < DDF_MAX_CONFS; i++) {
		const struct priv_member *e = &d->table[i];

		if (e->used && ddf_guid_equal(&e->vd, &l->ddf_guid) && e->leg == slot / per_leg &&
			e->slot == slot % per_leg) {
			*index = i;
			return e;
		}
	}
	return NULL;
}

/* Shape without sizes of members, from the records or, failing these, from our own. */
static int shape_from(struct eng_lun *l, const struct ddf_vd *vd, const struct source *found,
	struct err *err)
{
	const struct ddf_vd_ext *x = &vd->ext, *own = own_record(l, vd, found);
	const struct ddf_conf *conf = found ? found->conf : NULL;
	int rc;

	if (conf && !own) {
		rc = ddf_level_decode(conf, &l->shape, err);
		if (rc)
			return rc;
		if (!eng_lun_type_from(x->present ? x->lun_type : 0, l->shape.level, &l->type))
			return err_set(err, -ENOTSUP, "\"%s\" has a RAID level that is not served.", vd->name);
		l->size_bytes = conf->vd_blocks * 512;
		l->conf_seq = conf->seq > x->conf_seq ? conf->seq : x->conf_seq;
		l->priority = conf->rate / 17;
	} else if (own) {
		if (!eng_lun_type_from_number(x->lun_type, &l->type))
			return err_set(err, -ENOTSUP, "\"%s\" has a type that is not served.", vd->name);
		l->shape.level = eng_lun_level(l->type);
		l->shape.members = x->slots_len;
		l->shape.groups = x->groups;
		if (!x->groups || x->slots_len % x->groups)
			return err_set(err, -EUCLEAN, "The record of \"%s\" contradicts itself.", vd->name);
		l->shape.chunk = x->chunk;
		l->size_bytes = x->size_bytes;
		l->conf_seq = conf && conf->seq > x->conf_seq ? conf->seq : x->conf_seq;
	} else {
		return err_set(err, -ENODATA, "None of the drives that describe \"%s\" is present.", vd->name);
	}
	if (!l->shape.members || l->shape.members > ENG_MAX_MEMBERS)
		return err_set(err, -ENOTSUP, "\"%s\" has %u members.", vd->name, l->shape.members);
	return 0;
}

static void take_ext(struct eng_lun *l, const struct ddf_vd *vd)
{
	const struct ddf_vd_ext *x = &vd->ext;

	text_copy(l->name, sizeof(l->name), x->present && x->name[0] ? x->name : vd->name);
	if (!x->present) {
		l->id = ddf_guid_object(&vd->guid);
		for (unsigned i = 0; i < ENG_MAX_MEMBERS; i++) {
			l->plex_ids[i] = l->id;
			l->plex_ids[i].b[15] = (uint8_t)(l->plex_ids[i].b[15] + i + 1);
		}
		return;
	}
	l->id = x->object;
	l->priority = x->priority;
	l->offline = x->flags & DDF_VDX_ADMIN_OFFLINE;
	l->awaits = x->flags & DDF_VDX_AWAITS;
	l->policy |= x->flags & DDF_VDX_DEDICATED_SPARE ? ENG_POLICY_DEDICATED_SPARE : 0;
	l->created_at = x->created_at;
	for (unsigned i = 0; i < ENG_MAX_MEMBERS; i++)
		if (i < x->plexes_len)
			l->plex_ids[i] = x->plexes[i];
		else
			guid_random(l->array->rng, &l->plex_ids[i]);
}

/* Where a slot's extent is and whose it is. */
static uint32_t place_slot(struct eng_lun *l, const struct ddf_vd *vd, const struct sources *s,
	unsigned slot, bool *current)
{
	struct eng_member *m = &l->members[slot];
	unsigned per_leg = eng_leg_members(&l->shape), i = slot % per_leg;
	const struct source *found = find_conf(s, &vd->guid, (int)(slot / per_leg));
	const struct ddf_vd_ext *own = own_record(l, vd, found);
	const struct ddf_conf *c = found ? found->conf : NULL;

	*current = false;
	if (own && slot < own->slots_len) {
		const struct ddf_vd_slot *x = &own->slots[slot];

		m->start = x->lba * 512;
		m->size = x->blocks * 512;
		*current = x->current;
		return x->refnum;
	}
	if (!c || i >= c->members)
		return DDF_MISSING;
	m->start = c->lbas[i] * 512;
	m->size = c->blocks * 512;
	*current = c->refnums[i] != DDF_MISSING && c->refnums[i] != DDF_NONE;
	return c->refnums[i] == DDF_NONE ? DDF_MISSING : c->refnums[i];
}

static void fill_slot(struct eng_lun *l, const struct ddf_vd *vd, const struct sources *s, unsigned slot)
{
	struct eng_member *m = &l->members[slot];
	bool current;
	uint32_t refnum = place_slot(l, vd, s, slot, &current);
	const struct priv_member *e;

	m->drive = refnum == DDF_MISSING ? NULL : find_refnum(s, refnum);
	m->state = !m->drive ? ENG_MEMBER_MISSING : current ? ENG_MEMBER_IN_SYNC : ENG_MEMBER_STALE;
	m->watermark = current ? m->size : 0;
	m->index = ENG_NO_INDEX;
	if (!m->drive || !m->drive->dev)
		return; /* its table is read when it comes back: eng_adopt_indexes */
	e = own_entry(m->drive, l, slot, &m->index);
	if (l->outside || (!e && !vd->ext.present))
		return; /* somebody else has run it, or made it: we know no better */
	if (m->drive->older && eng_lun_type_redundant(l->type))
		e = NULL;
	if (!e) {
		m->state = ENG_MEMBER_STALE;
		m->watermark = 0;
		return;
	}
	m->watermark = e->recovered * 512 < m->size ? e->recovered * 512 : m->size;
	if (e->state == PRIV_MEMBER_REBUILDING)
		m->state = ENG_MEMBER_REBUILDING;
	else if (e->state == PRIV_MEMBER_STALE)
		m->state = ENG_MEMBER_STALE;
}

/* Where a member was being moved to; not when somebody else has changed the configuration since. */
static void fill_twins(struct eng_lun *l, const struct ddf_vd *vd, const struct sources *s)
{
	for (unsigned i = 0; i < vd->ext.twins_len; i++) {
		const struct ddf_vd_twin *x = &vd->ext.twins[i];
		unsigned slot = x->slot, index;
		const struct source *found =
			find_conf(s, &vd->guid, (int)(slot / eng_leg_members(&l->shape)));
		struct eng_drive *d = find_refnum(s, x->refnum);
		const struct priv_member *e;
		struct eng_member *t = &l->twins[slot];

		if (slot >= l->shape.members || !own_record(l, vd, found) || !eng_drive_online(d))
			continue;
		*t = (struct eng_member) { .drive = d, .start = x->lba * 512, .size = x->blocks * 512,
			.index = ENG_NO_INDEX, .state = ENG_MEMBER_STALE };
		e = own_entry(d, l, slot, &index);
		if (!e || d->older || e->start != x->lba)
			continue;
		t->index = index;
		t->watermark = e->recovered * 512 < t->size ? e->recovered * 512 : t->size;
		if (e->state == PRIV_MEMBER_REBUILDING)
			t->state = ENG_MEMBER_REBUILDING;
	}
}

/* The extent must lie in the drive's data area: hostile metadata end here. */
static bool extent_fits(const struct eng_member *m)
{
	const struct eng_drive *d = m->drive;

	/* Others also use the first MiB. */
	return !d || !d->dev ||
		(m->size <= d->layout.extents_end * 512 &&
			m->start <= d->layout.extents_end * 512 - m->size);
}

static int by_start(const void *a, const void *b)
{
	const struct eng_place *x = a, *y = b;
	uint64_t s = eng_place_extent(x)->start, t = eng_place_extent(y)->start;

	return s < t ? -1 : s > t;
}

/* … and touch no other LUN's. */
static int check_overlaps(struct eng_array *a, struct err *err)
{
	struct eng_place *places = eng_places(a);
	struct list *pos, *tmp;

	if (!places)
		return err_set(err, -ENOMEM, "Out of memory.");
	list_for_each(pos, tmp, &a->drives) {
		const struct eng_drive *d = list_entry(pos, struct eng_drive, link);
		struct eng_place *p = places + d->first_place;
		uint64_t end = 0;
		const struct eng_lun *last = NULL;

		if (!d->dev || !d->places)
			continue;
		qsort(p, d->places, sizeof(*p), by_start);
		for (unsigned i = 0; i < d->places; i++) {
			const struct eng_member *m = eng_place_extent(&p[i]);

			if (last && (last != p[i].lun || p[i].twin) && m->start < end && m->size) {
				err_set(err, -EUCLEAN, "extents of \"%s\" and \"%s\" overlap on the drive in slot %d.%d",
					last->name, p[i].lun->name, d->bus, d->slot);
				free(places);
				return -EUCLEAN;
			}
			if (m->start + m->size > end) {
				end = m->start + m->size;
				last = p[i].lun;
			}
		}
	}
	free(places);
	return 0;
}

static int settle_shape(struct eng_lun *l, struct err *err)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < l->shape.members; i++) {
		if (!extent_fits(&l->members[i]) || !extent_fits(&l->twins[i]) ||
			(l->twins[i].drive && l->twins[i].size != l->members[i].size))
			return err_set(err, -EUCLEAN, "an extent of \"%s\" lies outside of its drive's data area",
				l->name);
		if (!l->members[i].size)
			return err_set(err, -ENODATA,
				"None of the drives that describe the part of \"%s\" with member %u is present.", l->name,
				i);
		least = l->members[i].size < least ? l->members[i].size : least;
		if (l->shape.level == RAID_SPAN)
			l->shape.span_sizes[i] = l->members[i].size;
	}
	l->shape.member_size = l->shape.level == RAID_SPAN ? 0 : least;
	if (raid_shape_check(&l->shape, err))
		return -EUCLEAN;
	if (l->size_bytes > raid_shape_size(&l->shape))
		return err_set(err, -EUCLEAN, "\"%s\" claims to be larger than its members", l->name);
	for (unsigned i = 0; i < l->shape.members && eng_lun_type_redundant(l->type); i++) {
		const struct eng_drive *d = l->members[i].drive;

		if (d && d->dev && raid_bitmap_bytes(&l->shape) > priv_bitmap_bytes(&d->priv))
			return err_set(err, -ENOTSUP, "\"%s\" is larger than what %s has room to keep notes of",
				l->name, d->path);
	}
	return 0;
}

/* A place in the drive's table for a member that has none yet. */
static void assign_index(struct eng_member *m)
{
	int index = eng_pool_index(m->drive);

	m->index = index < 0 ? ENG_NO_INDEX : (unsigned)index;
}

void eng_adopt_indexes(struct eng_drive *d)
{
	struct list *pos, *tmp;

	for (int pass = 0; pass < 2; pass++) /* first those that have a place, then the others */
		list_for_each(pos, tmp, &d->array->luns) {
			struct eng_lun *l = list_entry(pos, struct eng_lun, link);

			for (unsigned i = 0; i < 2 * l->shape.members; i++) {
				unsigned slot = i % l->shape.members;
				struct eng_member *m = i < l->shape.members ? &l->members[slot] : &l->twins[slot];

				if (m->drive != d)
					continue;
				if (!pass) {
					m->index = ENG_NO_INDEX;
					own_entry(d, l, slot, &m->index);
				} else if (m->index == ENG_NO_INDEX) {
					assign_index(m);
				}
			}
		}
}

static int assemble_one(struct eng_array *a, const struct ddf_vd *vd, const struct sources *s,
	struct err *err)
{
	const struct source *first = find_conf(s, &vd->guid, -1);
	const struct ddf_conf *conf = first ? first->conf : NULL;
	struct eng_lun *l = eng_lun_new(a);
	struct ddf_mark mark;
	int rc;

	if (!l)
		return err_set(err, -ENOMEM, "Out of memory.");
	l->ddf_guid = vd->guid;
	l->place = vd->place;
	l->outside = ran_outside(vd, s);
	/* A clean end that left it so could not compare it, because a member was away. */
	l->inconsistent = vd->state & DDF_VD_INCONSISTENT ||
		(l->outside && (vd->init_state & DDF_VD_INIT_MASK) != DDF_VD_INIT_FULL);
	rc = shape_from(l, vd, first, err);
	if (rc) {
		eng_lun_free(l);
		return rc;
	}
	take_ext(l, vd);
	if (conf && ddf_mark_decode(conf->vendor, &mark)) {
		l->policy |= mark.policy & DDF_POLICY_WRITE_THROUGH ? ENG_POLICY_WRITE_THROUGH : 0;
		l->policy |= mark.policy & DDF_POLICY_READ_BACK ? ENG_POLICY_READ_BACK : 0;
		if (!vd->ext.present)
			l->id = mark.object;
	}
	for (unsigned i = 0; i < l->shape.members; i++)
		fill_slot(l, vd, s, i);
	fill_twins(l, vd, s);
	if (l->outside)
		eng_outside_settle(l, vd->ext.present);
	list_add_tail(&a->luns, &l->link);
	rc = settle_shape(l, err);
	if (rc)
		eng_lun_free(l);
	return rc;
}

static int assemble_all(struct eng_array *a, const struct ddf_set *newest, const struct sources *s,
	struct err *err)
{
	const struct ddf_vd *vd;

	vec_for_each(&newest->vds, vd) {
		int rc = assemble_one(a, vd, s, err);

		if (rc)
			return rc;
	}
	return check_overlaps(a, err);
}

int eng_assemble(struct eng_array *a, const struct ddf_set *newest, struct eng_found *const *found,
	struct eng_drive *const *drives, unsigned count, struct err *err)
{
	struct sources s;
	struct list *pos, *tmp;
	struct err one = { 0 };
	int rc = sources_init(&s, a, found, count);

	if (!rc) {
		rc = assemble_all(a, newest, &s, &one);
		if (!rc)
			eng_outside_remembered(a, newest);
		for (unsigned i = 0; i < count && !rc; i++)
			if (drives[i]->dev)
				eng_outside_vacated(drives[i], &found[i]->image.drive.confs);
		sources_free(&s);
	}
	if (rc == -ENOMEM)
		return err_set(err, rc, "Out of memory.");
	if (rc) {
		/* What cannot be understood must not be overwritten either. */
		log_error("a virtual disk cannot be served: %s", one.text);
		if (err)
			*err = one;
		return err_wrap(err, rc, "The array holds a virtual disk that cannot be served; it is left "
								 "untouched.");
	}
	for (unsigned i = 0; i < count; i++)
		if (drives[i]->dev)
			eng_adopt_indexes(drives[i]);
	eng_outside_await(a, newest);
	list_for_each(pos, tmp, &a->luns)
		eng_lun_demote_absent(list_entry(pos, struct eng_lun, link));
	return 0;
}
