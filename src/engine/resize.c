/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LUNs that change their shape while in use: extend, shrink, add and remove a plex.
 *
 * All four exchange the RAID set under the LUN (eng_lun_swap_begin/end): requests wait in between.
 * What must be zero is zeroed before, what must be durable is committed before the new set serves
 * its first request. They need every member in sync, so that the region bitmap is empty and may
 * change its size.
 */
#include "base/log.h"
#include "engine/engine_internal.h"

struct reshape {
	struct eng_lun *l;
	struct raid_shape shape;
	struct eng_member members[ENG_MAX_MEMBERS];
	struct guid plex_ids[ENG_MAX_MEMBERS];
	uint64_t size_bytes;
	enum eng_lun_type type;
};

static int start(struct eng_lun *l, enum eng_job_type type, struct reshape *r,
	int (*body)(struct eng_job *job, struct err *err), enum eng_transition transition,
	struct eng_job **out, struct err *err)
{
	struct eng_job *job = eng_job_new(l, type, false, false);
	int rc;

	if (!job)
		return err_set(err, -ENOMEM, "Out of memory.");
	job->body = body;
	job->reshape = r;
	l->transition = transition;
	eng_event_add(l->array, ENG_EVENT_LUN_MODIFY, &l->id);
	eng_events_flush(l->array);
	eng_job_ref(job);
	rc = eng_job_start(job);
	if (rc) {
		eng_job_unref(job);
		return err_set(err, rc, "Out of memory.");
	}
	*out = job;
	return 0;
}

/* The checks that the four have in common. */
static int ready(struct eng_array *a, const struct guid *id, struct eng_lun **out, struct err *err)
{
	struct eng_lun *l = eng_find_lun(a, id);

	if (!l)
		return err_set(err, -ESTALE, "The LUN is gone.");
	if (eng_lun_health_of(l) == ENG_LUN_FAILED)
		return err_set(err, -EHOSTDOWN, "The LUN has failed: more drives are lost than it survives.");
	if (l->job)
		return err_set(err, -EBUSY, "Another operation on the LUN has not ended.");
	if (eng_lun_lost_mask(l))
		return err_set(err, -ENOTSUP, "The LUN has lost a drive; recover it first.");
	*out = l;
	return 0;
}

static struct reshape *reshape_new(struct eng_lun *l)
{
	struct reshape *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->l = l;
	r->shape = l->shape;
	r->type = l->type;
	r->size_bytes = l->size_bytes;
	memcpy(r->members, l->members, sizeof(r->members));
	memcpy(r->plex_ids, l->plex_ids, sizeof(r->plex_ids));
	return r;
}

/* Takes a shape over into the model, writes the tables and opens the set. */
static int adopt(struct eng_lun *l, const struct reshape *to, struct err *err)
{
	int rc;

	l->shape = to->shape;
	l->type = to->type;
	l->size_bytes = to->size_bytes;
	memcpy(l->members, to->members, sizeof(l->members));
	memcpy(l->plex_ids, to->plex_ids, sizeof(l->plex_ids));
	rc = eng_priv_members(l->array, l);
	if (rc)
		return err_set(err, rc, "The drives could not take the new member table.");
	return eng_lun_open(l, false, false, err);
}

/* Moves that were begun and stopped are given up. */
static void drop_twins(struct eng_lun *l)
{
	for (unsigned i = 0; i < l->shape.members; i++) {
		if (!l->twins[i].drive)
			continue;
		eng_twin_drop(l, i);
		eng_lun_apply_member(l, i);
	}
	eng_spare_settle(l->array); /* written down with the new shape */
}

/* Makes the prepared shape the LUN's. The old one is restored if the drives will not take it. */
static int exchange(struct eng_job *job, struct err *err)
{
	struct eng_lun *l = job->reshape->l;
	struct reshape *old = reshape_new(l);
	int rc;

	if (!old)
		return err_set(err, -ENOMEM, "Out of memory.");
	drop_twins(l);
	rc = eng_lun_swap_begin(l, eng_lun_type_redundant(l->type) && !eng_lun_lost_mask(l));
	if (rc) {
		free(old);
		return err_set(err, rc, "The LUN's written regions could not be settled: %s.", err_name(rc));
	}
	rc = adopt(l, job->reshape, err);
	if (!rc) {
		rc = eng_meta_commit(l->array, err);
		if (rc) {
			eng_lun_close_set(l);
		}
	}
	if (rc && adopt(l, old, NULL)) {
		log_error("LUN \"%s\": its former shape could not be restored; it is out of service", l->name);
		l->failed_hook = true;
	}
	eng_lun_swap_end(l);
	free(old);
	return rc;
}

static void tell_drives(const struct eng_lun *l)
{
	for (unsigned i = 0; i < l->shape.members; i++)
		if (l->members[i].drive)
			eng_event_add(l->array, ENG_EVENT_DRIVE_MODIFY, &l->members[i].drive->id);
}

/* ---- extend ----------------------------------------------------------------------------------- */

static unsigned data_members(const struct raid_shape *shape)
{
	struct raid_shape one = *shape;

	one.member_size = ENG_UNIT;
	return (unsigned)(raid_shape_size(&one) / ENG_UNIT);
}

static uint64_t round_up(uint64_t v, uint64_t unit)
{
	return (v + unit - 1) / unit * unit;
}

/* How much contiguous free space stands behind every member. */
static uint64_t room_behind(const struct eng_lun *l)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < l->shape.members; i++) {
		const struct eng_member *m = &l->members[i];
		struct eng_hole_vec holes = { 0 };
		struct eng_hole *h;
		uint64_t room = 0;

		if (!eng_pool_holes(m->drive, &holes))
			vec_for_each(&holes, h)
				if (h->start == m->start + m->size)
					room = h->size;
		eng_hole_vec_free(&holes);
		least = room < least ? room : least;
	}
	return least / ENG_UNIT * ENG_UNIT;
}

static void append_span(struct reshape *r, struct eng_drive *d, uint64_t *need)
{
	uint64_t largest, take;
	int index = eng_pool_index(d);
	struct eng_member *m;

	eng_pool_free(d, &largest);
	largest = largest / ENG_UNIT * ENG_UNIT;
	if (!*need || !largest || index < 0 || r->shape.members >= ENG_MAX_MEMBERS ||
		!eng_drive_free_for_use(d))
		return;
	for (unsigned i = 0; i < r->shape.members; i++)
		if (r->members[i].drive == d)
			return; /* DDF has one extent of a VD on a drive */
	take = largest < *need ? largest : *need;
	m = &r->members[r->shape.members];
	memset(m, 0, sizeof(*m));
	if (eng_pool_alloc(d, take, &m->start))
		return;
	m->drive = d;
	m->index = (unsigned)index;
	m->size = m->watermark = take;
	m->state = ENG_MEMBER_IN_SYNC;
	r->shape.span_sizes[r->shape.members++] = take;
	*need -= take;
}

/* A span grows behind its last member, then over the listed drives, then over any others. */
static int plan_span(struct reshape *r, uint64_t bytes, const struct guid *drives, unsigned drives_len,
	uint64_t *got, struct err *err)
{
	struct eng_array *a = r->l->array;
	unsigned last = r->shape.members - 1;
	uint64_t need = round_up(bytes, ENG_UNIT), all = need;
	struct eng_hole_vec holes = { 0 };
	struct eng_hole *h;
	struct list *pos, *tmp;

	for (unsigned i = 0; i < drives_len; i++) {
		struct eng_drive *d = eng_find_drive(a, &drives[i]);

		if (!d)
			return err_set(err, -ENOENT, "One of the drive ids names no drive.");
		append_span(r, d, &need);
	}
	if (need && !eng_pool_holes(r->members[last].drive, &holes))
		vec_for_each(&holes, h)
			if (h->start == r->members[last].start + r->members[last].size) {
				uint64_t take = h->size / ENG_UNIT * ENG_UNIT;

				take = take < need ? take : need;
				r->members[last].size += take;
				r->members[last].watermark = r->members[last].size;
				r->shape.span_sizes[last] += take;
				need -= take;
			}
	eng_hole_vec_free(&holes);
	list_for_each(pos, tmp, &a->drives)
		append_span(r, list_entry(pos, struct eng_drive, link), &need);
	*got = all - need;
	return 0;
}

static int plan_extend(struct reshape *r, uint64_t bytes, const struct guid *drives, unsigned drives_len,
	uint64_t *got, struct err *err)
{
	unsigned k = data_members(&r->shape);
	uint64_t room, each;

	if (r->shape.level == RAID_SPAN)
		return plan_span(r, bytes, drives, drives_len, got, err);
	for (unsigned i = 0; i < drives_len; i++)
		if (!eng_find_drive(r->l->array, &drives[i]))
			return err_set(err, -ENOENT, "One of the drive ids names no drive.");
	room = room_behind(r->l);
	each = bytes > room * k ? room : round_up((bytes + k - 1) / k, ENG_UNIT);
	each = each < room ? each : room;
	for (unsigned i = 0; i < r->shape.members; i++) {
		r->members[i].size += each;
		r->members[i].watermark = r->members[i].size;
	}
	r->shape.member_size += each;
	*got = each * k;
	return 0;
}

/* New space must read as zeros and be consistent: zeros on every member are both. */
static int zero_new(struct reshape *r, struct err *err)
{
	const struct eng_lun *l = r->l;
	int rc = 0;

	for (unsigned i = 0; !rc && i < r->shape.members; i++) {
		const struct eng_member *m = &r->members[i];
		uint64_t had = i < l->shape.members ? l->members[i].size : 0;

		if (i >= l->shape.members)
			rc = blk_zero(m->drive->dev, priv_bitmap_offset(&m->drive->priv, m->index),
				priv_bitmap_bytes(&m->drive->priv), 0);
		if (!rc && m->size > had)
			rc = blk_zero(m->drive->dev, m->start + had, m->size - had, 0);
		if (!rc)
			rc = blk_flush(m->drive->dev);
		if (rc)
			err_set(err, rc, "The drive in slot %d.%d could not be prepared: %s.", m->drive->bus,
				m->drive->slot, err_name(rc));
	}
	return rc;
}

static int extend_body(struct eng_job *job, struct err *err)
{
	struct reshape *r = job->reshape;
	int rc = zero_new(r, err);

	if (!rc)
		rc = exchange(job, err);
	tell_drives(r->l);
	return rc;
}

int eng_lun_extend(struct eng_array *a, const struct guid *id, uint64_t bytes, const struct guid *drives,
	unsigned drives_len, struct eng_job **job, struct err *err)
{
	struct eng_lun *l;
	struct reshape *r;
	uint64_t got = 0;
	int rc = ready(a, id, &l, err);

	*job = NULL;
	if (rc)
		return rc;
	if (!bytes)
		return err_set(err, -EINVAL, "The size to extend by is 0.");
	r = reshape_new(l);
	if (!r)
		return err_set(err, -ENOMEM, "Out of memory.");
	rc = plan_extend(r, bytes, drives, drives_len, &got, err);
	if (!rc && got < bytes)
		rc = err_set(err, -ENOSPC, "Only %llu MB can be added behind the LUN's extents.",
			(unsigned long long)(got >> 20));
	if (!rc) {
		r->size_bytes = raid_shape_size(&r->shape);
		rc = start(l, ENG_JOB_EXTEND, r, extend_body, ENG_TRANSITION_EXTENDING, job, err);
	}
	if (rc)
		free(r);
	return rc;
}

int eng_lun_max_extend(const struct eng_array *a, const struct guid *id, const struct guid *drives,
	unsigned drives_len, uint64_t *bytes)
{
	struct eng_lun *l = eng_find_lun(a, id);
	struct reshape *r;
	int rc;

	*bytes = 0;
	if (!l)
		return -ESTALE;
	if (eng_lun_lost_mask(l))
		return -ENOTSUP;
	r = reshape_new(l);
	if (!r)
		return -ENOMEM;
	rc = plan_extend(r, INT64_MAX / 2, drives, drives_len, bytes, NULL);
	free(r);
	return rc;
}

/* ---- shrink ----------------------------------------------------------------------------------- */

static int shrink_body(struct eng_job *job, struct err *err)
{
	int rc = exchange(job, err);

	tell_drives(job->reshape->l);
	return rc;
}

static void shrink_span(struct reshape *r, uint64_t bytes)
{
	while (bytes) {
		unsigned last = r->shape.members - 1;
		struct eng_member *m = &r->members[last];

		if (bytes >= m->size && r->shape.members > 2) {
			bytes -= m->size;
			memset(m, 0, sizeof(*m));
			r->shape.span_sizes[last] = 0;
			r->shape.members--;
			continue;
		}
		if (bytes >= m->size)
			bytes = m->size - ENG_UNIT; /* a span keeps two members */
		m->size -= bytes;
		m->watermark = m->size;
		r->shape.span_sizes[last] = m->size;
		bytes = 0;
	}
}

int eng_lun_shrink(struct eng_array *a, const struct guid *id, uint64_t bytes, struct eng_job **job,
	struct err *err)
{
	struct eng_lun *l;
	struct reshape *r;
	uint64_t each;
	int rc = ready(a, id, &l, err);

	*job = NULL;
	if (rc)
		return rc;
	if (!bytes || bytes >= l->size_bytes)
		return err_set(err, -EINVAL, "A LUN can shrink by at least 1 byte and must keep some.");
	r = reshape_new(l);
	if (!r)
		return err_set(err, -ENOMEM, "Out of memory.");
	/* What stays is rounded up, so that never more is cut than was asked for. */
	if (r->shape.level == RAID_SPAN) {
		shrink_span(r, bytes / ENG_UNIT * ENG_UNIT);
	} else {
		each = round_up((l->size_bytes - bytes + data_members(&l->shape) - 1) / data_members(&l->shape),
			ENG_UNIT);
		r->shape.member_size = each;
		for (unsigned i = 0; i < r->shape.members; i++)
			r->members[i].size = r->members[i].watermark = each;
	}
	r->size_bytes = raid_shape_size(&r->shape);
	rc = start(l, ENG_JOB_SHRINK, r, shrink_body, ENG_TRANSITION_SHRINKING, job, err);
	if (rc)
		free(r);
	return rc;
}

/* ---- plexes ----------------------------------------------------------------------------------- */

static bool copyable(const struct eng_lun *l)
{
	return l->type == ENG_LUN_SIMPLE || l->type == ENG_LUN_MIRROR;
}

/* The source's members become further copies; its own set and record go. */
static int absorb(struct eng_job *job, struct eng_lun *source, struct err *err)
{
	struct reshape *r = job->reshape;
	unsigned had = r->shape.members, members;
	int rc;

	r->shape.level = RAID_MIRROR;
	r->type = ENG_LUN_MIRROR;
	for (unsigned i = 0; i < source->shape.members; i++) {
		struct eng_member *m = &r->members[had + i];

		*m = source->members[i];
		m->size = r->shape.member_size;
		m->watermark = 0;
		m->state = ENG_MEMBER_STALE;
		r->plex_ids[had + i] = source->plex_ids[i];
	}
	r->shape.members = had + source->shape.members;
	source->deleted = source->dead = true; /* no request and no commit knows it from here on */
	members = source->shape.members;
	source->shape.members = 0;
	r->l->array->luns_freed++;
	while (source->dev.in_flight)
		task_wait(&source->dev.idle);
	rc = exchange(job, err);
	if (rc) { /* as it was: the source is still whole */
		source->shape.members = members;
		source->deleted = source->dead = false;
		return rc;
	}
	eng_event_add(r->l->array, ENG_EVENT_LUN_DEPART, &source->id);
	eng_lun_free(source);
	return 0;
}

static int add_plex_body(struct eng_job *job, struct err *err)
{
	struct eng_lun *l = job->lun;
	struct eng_lun *source = job->other;
	int rc;

	rc = absorb(job, source, err);
	if (rc)
		return rc;
	source->job = NULL;
	job->other = NULL;
	job->body = eng_recover_body; /* what is left, if it is interrupted from here on */
	l->transition = ENG_TRANSITION_RECONFIGING;
	eng_event_add(l->array, ENG_EVENT_LUN_MODIFY, &l->id);
	tell_drives(l);
	eng_events_flush(l->array);
	return eng_recover_body(job, err);
}

int eng_lun_add_plex(struct eng_array *a, const struct guid *id, const struct guid *source_id,
	struct eng_job **job, struct err *err)
{
	struct eng_lun *l, *source;
	struct reshape *r;
	int rc = ready(a, id, &l, err);

	*job = NULL;
	if (rc)
		return rc;
	source = eng_find_lun(a, source_id);
	if (!source)
		return err_set(err, -ENOENT, "The id of the LUN to add names no LUN of this subsystem.");
	if (source == l || !copyable(l) || !copyable(source))
		return err_set(err, -ENOTSUP, "Only a simple or mirrored LUN can become, or get, another plex.");
	if (source->job)
		return err_set(err, -EBUSY, "Another operation on the LUN to add has not ended.");
	if (eng_lun_lost_mask(source) || source->shape.member_size < l->shape.member_size ||
		l->shape.members + source->shape.members > ENG_MAX_MEMBERS)
		return err_set(err, -ENOTSUP, "The LUN to add is too small, or not complete.");
	for (unsigned i = 0; i < l->shape.members; i++)
		for (unsigned j = 0; j < source->shape.members; j++)
			if (l->members[i].drive == source->members[j].drive)
				return err_set(err, -ENOTSUP,
					"Both LUNs are on the drive in slot %d.%d: two plexes there would be lost together.",
					l->members[i].drive->bus, l->members[i].drive->slot);
	r = reshape_new(l);
	if (!r)
		return err_set(err, -ENOMEM, "Out of memory.");
	rc = start(l, ENG_JOB_ADD_PLEX, r, add_plex_body, ENG_TRANSITION_RECONFIGING, job, err);
	if (rc) {
		free(r);
		return rc;
	}
	(*job)->other = source;
	source->job = *job; /* nothing else may begin there */
	return 0;
}

static int remove_plex_body(struct eng_job *job, struct err *err)
{
	struct eng_lun *l = job->lun;
	struct eng_member gone = l->members[job->slot];
	int rc = exchange(job, err);

	if (rc)
		return rc;
	if (gone.drive)
		eng_event_add(l->array, ENG_EVENT_DRIVE_MODIFY, &gone.drive->id);
	if (eng_spare_settle(l->array))
		eng_meta_commit(l->array, NULL); /* what fails here is made up for by the next one */
	return 0;
}

int eng_lun_remove_plex(struct eng_array *a, const struct guid *id, const struct guid *plex,
	struct eng_job **job, struct err *err)
{
	struct eng_lun *l = eng_find_lun(a, id);
	struct reshape *r;
	struct guid lun;
	unsigned slot;
	int rc;

	*job = NULL;
	if (!l)
		return err_set(err, -ESTALE, "The LUN is gone.");
	if (eng_lun_health_of(l) == ENG_LUN_FAILED)
		return err_set(err, -EHOSTDOWN, "The LUN has failed: more drives are lost than it survives.");
	if (l->job)
		return err_set(err, -EBUSY, "Another operation on the LUN has not ended.");
	if (eng_plex_find(a, plex, &lun, &slot) || !guid_equal(&lun, id))
		return err_set(err, -ENOENT, "The id names no plex of this LUN.");
	if (l->type != ENG_LUN_MIRROR)
		return err_set(err, -ENOTSUP, "The last plex of a LUN cannot be removed.");
	if (!raid_shape_survives(&l->shape, eng_lun_lost_mask(l) | 1ull << slot))
		return err_set(err, -ENOTSUP, "It is the last plex whose content is complete.");
	r = reshape_new(l);
	if (!r)
		return err_set(err, -ENOMEM, "Out of memory.");
	memmove(&r->members[slot], &r->members[slot + 1],
		(ENG_MAX_MEMBERS - slot - 1) * sizeof(r->members[0]));
	memmove(&r->plex_ids[slot], &r->plex_ids[slot + 1],
		(ENG_MAX_MEMBERS - slot - 1) * sizeof(r->plex_ids[0]));
	r->shape.members--;
	if (r->shape.members == 1) {
		r->shape.level = RAID_SIMPLE;
		r->type = ENG_LUN_SIMPLE;
	}
	rc = start(l, ENG_JOB_REMOVE_PLEX, r, remove_plex_body, ENG_TRANSITION_RECONFIGING, job, err);
	if (rc)
		free(r);
	else
		(*job)->slot = slot;
	return rc;
}
