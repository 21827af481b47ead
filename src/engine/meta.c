/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model written to the drives: DDF 1.2, update protocol of array-engine.md 2.8.
 *
 * A commit is one or more rounds. In a round the set is built anew from the model, then every drive
 * that can take it gets [header open] [changed sections] [header closed] flush, first in the primary
 * copy, then in the secondary; drives in parallel. A drive that fails is lost, which is a change of
 * the model, so another round tells the others. A commit is durable when a round reached every drive
 * it was meant for: stricter than the majority that DDF asks for, and what the loading side counts on
 * (a drive that took part until the end is at most one round behind). A drive that is being taken in
 * comes before the others: cut short in between, it is either nobody's yet or there with its records.
 *
 * Commits are grouped: whoever asks while one runs waits for the next, which serves all who wait.
 */
#include "base/log.h"
#include "engine/engine_internal.h"

#define PARALLEL 16 /* drives written at once: bounds the memory for encoded sections */

/* ---- building the set ----------------------------------------------------------------------- */

static bool takes_metadata(const struct eng_drive *d)
{
	return d->ours && d->dev && !d->out && !d->failed && !d->unreachable;
}

static enum ddf_pd_status pd_status(const struct eng_drive *d)
{
	if (d->failed)
		return DDF_PD_IS_FAILED;
	if (d->out)
		return DDF_PD_IS_MISSING;
	if (d->admin_offline)
		return DDF_PD_IS_OFFLINE;
	return DDF_PD_IS_ONLINE;
}

/*
 * What others may allocate from, in sectors: mdmon rebuilds onto any drive with room below it, asked or
 * not, so only spares offer all they have, and others nothing behind their last extent.
 */
static uint64_t config_size(const struct eng_drive *d, const struct eng_place *places)
{
	uint64_t end = 0;

	if (d->spare)
		return d->layout.extents_end;
	for (unsigned i = 0; i < d->places; i++) {
		const struct eng_place *p = &places[d->first_place + i];
		const struct eng_member *m = eng_place_extent(p);

		if (p->twin) /* has no configuration record, so they would take it for free */
			continue;
		end = m->start + m->size > end ? m->start + m->size : end;
	}
	return end / 512;
}

static int build_pd(struct ddf_set *set, const struct eng_drive *d, const struct eng_place *places)
{
	struct ddf_pd pd = { .place = d->place, .guid = d->ddf_guid, .refnum = d->refnum };
	bool assigned = d->places != 0; /* eng_places was just called */

	if (!d->refnum || (d->out && d->departed && !assigned))
		return 0;
	pd.type = DDF_PD_FORCED_GUID | DDF_PD_SATA;
	if (assigned)
		pd.type |= DDF_PD_ACTIVE;
	if (d->spare)
		pd.type |= DDF_PD_GLOBAL_SPARE;
	pd.state = ddf_pd_state_for(pd_status(d), d->predicted ? DDF_PD_PREDICTED : 0);
	if (d->predicted)
		pd.state |= DDF_PD_PREDICTED;
	pd.config_size = config_size(d, places);
	snprintf(pd.path, sizeof(pd.path), "slot %d.%d", d->bus, d->slot);
	pd.ext.present = d->lost_at || d->admin_offline || d->departed || d->replaces;
	pd.ext.lost_at = d->lost_at;
	pd.ext.flags = (d->admin_offline ? DDF_PDX_ADMIN_OFFLINE : 0) | (d->departed ? DDF_PDX_DEPARTED : 0);
	pd.ext.replaces = d->replaces;
	pd.ext.seq = takes_metadata(d) ? 0 : d->seq;
	return ddf_pds_push(&set->pds, pd);
}

static void build_vd_ext(struct ddf_vd_ext *x, const struct eng_lun *l)
{
	x->present = true;
	x->object = l->id;
	x->lun_type = eng_lun_type_number(l->type);
	x->priority = (uint8_t)l->priority;
	x->flags = (l->offline ? DDF_VDX_ADMIN_OFFLINE : 0) |
		(l->awaits ? DDF_VDX_AWAITS : 0) |
		(l->policy & ENG_POLICY_DEDICATED_SPARE ? DDF_VDX_DEDICATED_SPARE : 0);
	x->created_at = l->created_at;
	x->plexes_len = eng_lun_plexes(l);
	memcpy(x->plexes, l->plex_ids, x->plexes_len * sizeof(x->plexes[0]));
	x->conf_seq = l->conf_seq;
	x->chunk = l->shape.chunk;
	x->groups = (uint16_t)l->shape.groups;
	x->size_bytes = l->size_bytes;
	x->slots_len = l->shape.members;
	for (unsigned i = 0; i < l->shape.members; i++) {
		x->slots[i].refnum = l->members[i].drive ? l->members[i].drive->refnum : DDF_MISSING;
		x->slots[i].current = l->members[i].drive && l->members[i].state == ENG_MEMBER_IN_SYNC;
		x->slots[i].lba = l->members[i].start / 512;
		x->slots[i].blocks = l->members[i].size / 512;
	}
	for (unsigned i = 0; i < l->shape.members; i++) {
		const struct eng_member *t = &l->twins[i];

		if (t->drive)
			x->twins[x->twins_len++] = (struct ddf_vd_twin) { .slot = (uint16_t)i,
				.refnum = t->drive->refnum, .lba = t->start / 512, .blocks = t->size / 512 };
	}
}

static int build_vd(struct ddf_set *set, const struct eng_lun *l)
{
	struct ddf_vd *vd = calloc(1, sizeof(*vd));
	uint64_t lost = eng_lun_lost_mask(l);
	unsigned redundancy = raid_shape_redundancy(&l->shape);
	int rc;

	if (!vd)
		return -ENOMEM;
	vd->place = l->place;
	vd->guid = l->ddf_guid;
	vd->unit = (uint16_t)(l->place ? l->place - 1 : 0);
	vd->init_state = DDF_VD_INIT_FULL;
	vd->state = !lost ? DDF_VD_OPTIMAL
		: !raid_shape_survives(&l->shape, lost)
		? DDF_VD_FAILED
		: ddf_vd_state_for((unsigned)__builtin_popcountll(lost), redundancy);
	if (eng_lun_type_redundant(l->type) && !l->consistent)
		vd->state |= DDF_VD_INCONSISTENT; /* until a clean end: md then compares everything */
	build_vd_ext(&vd->ext, l);
	ddf_vd_set_name(vd, l->name);
	rc = ddf_vds_push(&set->vds, *vd);
	free(vd);
	return rc;
}

static uint32_t conf_hash(const struct eng_lun *l)
{
	uint32_t crc = priv_crc32c(&l->shape, sizeof(l->shape));
	uint64_t words[3];

	for (unsigned i = 0; i < l->shape.members; i++) {
		const struct eng_member *m = &l->members[i];

		words[0] = m->drive && m->state == ENG_MEMBER_IN_SYNC ? m->drive->refnum : 0;
		words[1] = m->start;
		words[2] = l->policy << 8 | (unsigned)l->priority;
		crc = priv_crc32c_more(crc, words, sizeof(words));
	}
	return crc;
}

static int build_set(struct eng_array *a, const struct eng_place *places)
{
	struct list *pos, *tmp;
	int rc = 0;

	a->set.pds.len = a->set.vds.len = 0;
	a->set.seq = a->seq;
	a->set.base_seq = a->seq_done + 1 == a->seq ? 0 : a->seq_done;
	a->set.timestamp = ddf_time(loop_wall_ms(a->loop));
	text_copy(a->set.name, sizeof(a->set.name), a->name);
	list_for_each(pos, tmp, &a->drives)
		if (!rc)
			rc = build_pd(&a->set, list_entry(pos, struct eng_drive, link), places);
	list_for_each(pos, tmp, &a->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);
		uint32_t hash = conf_hash(l);

		if (l->dead)
			continue;
		if (hash != l->conf_hash) {
			l->conf_hash = hash;
			l->conf_seq++;
		}
		if (!rc)
			rc = build_vd(&a->set, l);
	}
	return rc;
}

static void build_conf(struct ddf_conf *c, const struct eng_lun *l, unsigned leg)
{
	unsigned per_leg = eng_leg_members(&l->shape);
	struct ddf_mark mark = { .object = l->id, .lun_type = eng_lun_type_number(l->type) };
	uint64_t least = UINT64_MAX;

	ddf_conf_init(c);
	ddf_level_encode(&l->shape, c, NULL); /* the shape was checked when the LUN was made */
	c->vd = l->ddf_guid;
	c->leg = (uint8_t)leg;
	c->seq = l->conf_seq;
	c->timestamp = ddf_time(l->created_at);
	c->vd_blocks = l->size_bytes / 512;
	c->rate = (uint8_t)(17 * l->priority);
	if (l->policy & ENG_POLICY_WRITE_THROUGH)
		mark.policy |= DDF_POLICY_WRITE_THROUGH;
	if (l->policy & ENG_POLICY_READ_BACK)
		mark.policy |= DDF_POLICY_READ_BACK;
	ddf_mark_encode(&mark, c->vendor);
	for (unsigned i = 0; i < per_leg; i++) {
		const struct eng_member *m = &l->members[leg * per_leg + i];

		c->refnums[i] = m->drive && m->state == ENG_MEMBER_IN_SYNC ? m->drive->refnum : DDF_MISSING;
		c->lbas[i] = m->start / 512;
		least = m->size < least ? m->size : least;
	}
	c->blocks = least / 512;
}

static int build_drive(struct ddf_drive *out, const struct eng_drive *d, const struct eng_place *places)
{
	struct ddf_conf *c = malloc(sizeof(*c));
	int rc = c ? 0 : -ENOMEM;

	ddf_drive_init(out, &d->ddf_guid, d->refnum);
	for (unsigned i = 0; i < d->places; i++) {
		const struct eng_place *p = &places[d->first_place + i];

		if (rc || p->twin || p->slot >= p->lun->shape.members || p->lun->members[p->slot].drive != d)
			continue;
		build_conf(c, p->lun, p->slot / eng_leg_members(&p->lun->shape));
		rc = ddf_confs_push(&out->confs, *c);
	}
	free(c);
	return rc;
}

/* ---- writing one drive ---------------------------------------------------------------------- */

/* Sections that are the same on all drives of one layout. */
struct shared {
	struct shared *next;
	struct ddf_layout layout;
	uint32_t crcs[DDF_SECTIONS];
	uint8_t *bytes;
	int rc; /* why they cannot be written */
};

struct drive_write {
	struct eng_drive *d;
	int rc;
};

struct commit {
	struct eng_array *a;
	struct drive_write *list;
	unsigned n, first;        /* how many drives; those before first are written first */
	unsigned next, end;       /* the next that no task has taken; where this pass ends */
	struct shared *shared;
	struct eng_place *places; /* of the LUNs as they were … */
	uint64_t luns_freed;      /* … when this many had been freed */
	struct task_group writers;
};

/* What one of the tasks has in hand. */
struct writer {
	struct commit *c;
	uint8_t *own;    /* sections of the drive; the shared ones are left out */
	size_t own_bytes;
	uint8_t *sector;
	const struct shared *shared;
	uint32_t crcs[DDF_SECTIONS];
};

static const uint8_t *section_at(const struct ddf_layout *l, const uint8_t *bytes, unsigned i)
{
	return bytes + (size_t)(l->sections[i].offset - 1) * DDF_SECTOR;
}

static uint32_t section_crc(const struct ddf_layout *l, const uint8_t *bytes, unsigned i)
{
	return priv_crc32c(section_at(l, bytes, i), (size_t)l->sections[i].length * DDF_SECTOR);
}

/* Buffers of whole pages, so that direct I/O takes them as they are. */
static uint8_t *section_buffer(size_t bytes)
{
	return aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
}

static bool same_sections(const struct ddf_layout *a, const struct ddf_layout *b)
{
	return a->max_pds == b->max_pds && a->max_vds == b->max_vds && a->max_confs == b->max_confs &&
		a->conf_sectors == b->conf_sectors && a->mppe == b->mppe &&
		a->copy_sectors == b->copy_sectors &&
		!memcmp(a->sections, b->sections, sizeof(a->sections));
}

static const struct shared *shared_for(struct commit *c, const struct eng_drive *d)
{
	size_t len = ddf_sections_bytes(&d->layout);
	struct err err = { 0 };
	struct shared *s;

	for (s = c->shared; s; s = s->next)
		if (same_sections(&s->layout, &d->layout))
			return s;
	s = calloc(1, sizeof(*s));
	if (s)
		s->bytes = section_buffer(len);
	if (!s || !s->bytes) {
		free(s);
		return NULL;
	}
	s->layout = d->layout;
	s->rc = ddf_encode_shared(&c->a->set, &s->layout, s->bytes, len, &err);
	if (s->rc && s->rc != -ENOMEM) {
		log_error("%s: its metadata cannot be written: %s", d->path, err.text);
		s->rc = -E2BIG; /* the model's fault, not the drive's */
	}
	for (unsigned i = 0; i < DDF_SECTIONS && !s->rc; i++)
		if (s->layout.sections[i].length && !ddf_section_is_own(i))
			s->crcs[i] = section_crc(&s->layout, s->bytes, i);
	s->next = c->shared;
	c->shared = s;
	return s;
}

/* The drive may go while it is written to. */
static int drive_write(struct eng_drive *d, uint64_t at, const void *bytes, size_t len, unsigned flags)
{
	return d->dev ? blk_write(d->dev, at, bytes, len, flags) : -ENODEV;
}

static int write_header(struct eng_drive *d, enum ddf_copy copy, bool open, uint8_t *sector)
{
	uint64_t at = copy == DDF_PRIMARY ? d->layout.primary : d->layout.secondary;

	if (copy == DDF_ANCHOR)
		at = d->layout.sectors - 1;
	ddf_encode_header(&d->array->set, &d->layout, copy, open, sector);
	/* Stable before what follows: never new sections under a header that is closed. */
	return drive_write(d, at * 512, sector, DDF_SECTOR, BLK_FUA);
}

static int write_copy(struct eng_drive *d, enum ddf_copy copy, const struct writer *w)
{
	uint64_t base = copy == DDF_PRIMARY ? d->layout.primary : d->layout.secondary;
	int rc = write_header(d, copy, true, w->sector);

	for (unsigned i = 0; i < DDF_SECTIONS && !rc; i++) {
		const struct ddf_section *s = &d->layout.sections[i];
		const uint8_t *bytes = ddf_section_is_own(i) ? w->own : w->shared->bytes;

		if (s->length && (!d->written_known || d->written[i] != w->crcs[i]))
			rc = drive_write(d, (base + s->offset) * 512, section_at(&d->layout, bytes, i),
				(size_t)s->length * 512, 0);
	}
	if (!rc) /* nor a closed header over sections that are not there */
		rc = d->dev ? blk_flush(d->dev) : -ENODEV;
	return rc ? rc : write_header(d, copy, false, w->sector);
}

/* Where each drive's members are: anew when a LUN went since. */
static int find_places(struct commit *c)
{
	if (c->places && c->luns_freed == c->a->luns_freed)
		return 0;
	free(c->places);
	c->places = eng_places(c->a);
	c->luns_freed = c->a->luns_freed;
	return c->places ? 0 : -ENOMEM;
}

/* The drive's own sections into w->own, the CRCs of all into w->crcs. */
static int encode_drive(struct writer *w, struct eng_drive *d)
{
	struct ddf_drive mine = { 0 };
	size_t len = ddf_sections_bytes(&d->layout);
	struct err err = { 0 };
	int rc = find_places(w->c);

	if (!rc)
		rc = build_drive(&mine, d, w->c->places);
	if (w->own_bytes < len) {
		free(w->own);
		w->own = section_buffer(len);
		w->own_bytes = w->own ? len : 0;
	}
	if (!rc && !w->own)
		rc = -ENOMEM;
	if (!rc)
		rc = ddf_encode_own(&mine, &d->layout, w->own, len, &err);
	if (rc && rc != -ENOMEM) {
		log_error("%s: its metadata cannot be written: %s", d->path, err.text);
		rc = -E2BIG;
	}
	memcpy(w->crcs, w->shared->crcs, sizeof(w->crcs));
	for (unsigned i = 0; i < DDF_SECTIONS && !rc; i++)
		if (d->layout.sections[i].length && ddf_section_is_own(i))
			w->crcs[i] = section_crc(&d->layout, w->own, i);
	ddf_drive_free(&mine);
	return rc;
}

static int write_drive(struct writer *w, struct eng_drive *d)
{
	int rc;

	w->shared = shared_for(w->c, d);
	rc = w->shared && w->sector ? w->shared->rc : -ENOMEM;
	if (!rc)
		rc = encode_drive(w, d);
	if (!rc)
		rc = write_copy(d, DDF_PRIMARY, w);
	/* At any time a copy goes with the anchor: where places change, the second still tells the old
	 * ones. */
	if (!rc && d->anchor_bad) { /* a sector that stays bad is no reason to lose the drive */
		d->anchor_bad = false;
		if (write_header(d, DDF_ANCHOR, false, w->sector))
			log_warning("%s: its DDF anchor cannot be written", d->path);
	}
	if (!rc && d->layout.secondary != UINT64_MAX)
		rc = write_copy(d, DDF_SECONDARY, w);
	d->written_known = !rc;
	if (!rc)
		d->seq = d->array->seq;
	memcpy(d->written, w->crcs, sizeof(d->written));
	return rc;
}

static void writer_task(void *arg)
{
	struct commit *c = arg;
	struct writer w = { .c = c };

	w.sector = loop_buf_alloc_at(c->a->loop, LOOP_BUF_INNER, 4096);
	while (c->next < c->end) {
		struct drive_write *one = &c->list[c->next++];

		one->rc = write_drive(&w, one->d);
	}
	free(w.own);
	if (w.sector)
		loop_buf_free(c->a->loop, w.sector, 4096);
	task_group_end(&c->writers);
}

/* The drives up to end that are not written yet, PARALLEL at a time. */
static void write_up_to(struct commit *c, unsigned end)
{
	c->end = end;
	task_group_init(&c->writers);
	for (unsigned i = 0; i < PARALLEL && c->next + i < end; i++) {
		task_group_begin(&c->writers);
		if (task_spawn(c->a->loop, "metadata", writer_task, c))
			writer_task(c);
	}
	task_group_wait(&c->writers);
}

static void write_all(struct commit *c)
{
	write_up_to(c, c->first);
	write_up_to(c, c->n);
	for (unsigned i = 0; i < c->first; i++)
		c->list[i].d->fresh = c->list[i].rc != 0;
}

static void gather(struct commit *c, bool fresh)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &c->a->drives) {
		struct eng_drive *d = list_entry(pos, struct eng_drive, link);

		if (takes_metadata(d) && d->fresh == fresh)
			c->list[c->n++].d = d;
	}
}

static int gather_drives(struct commit *c)
{
	struct list *pos, *tmp;
	unsigned drives = 0;

	list_for_each(pos, tmp, &c->a->drives)
		drives++;
	c->list = calloc(drives + 1u, sizeof(*c->list));
	if (!c->list)
		return -ENOMEM;
	gather(c, true);
	c->first = c->n;
	gather(c, false);
	return 0;
}

static void commit_free(struct commit *c)
{
	struct shared *s;

	while ((s = c->shared)) {
		c->shared = s->next;
		free(s->bytes);
		free(s);
	}
	free(c->places);
	free(c->list);
}

/* Drives that did not take the round are lost, unless it was not their fault. True: there were some. */
static bool lose_failed(struct commit *c, int *rc)
{
	bool any = false;

	for (unsigned i = 0; i < c->n; i++) {
		int one = c->list[i].rc;

		if (one == -ENOMEM || one == -E2BIG) {
			*rc = one;
		} else if (one) {
			eng_drive_gone(c->list[i].d, one);
			any = true;
		}
	}
	return any;
}

/* An array that has no drives yet has nobody to tell; one that has lost all of them cannot commit. */
static int nobody_there(const struct eng_array *a, struct err *err)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->drives)
		if (list_entry(pos, struct eng_drive, link)->refnum)
			return err_set(err, -ENODEV, "None of the array's drives can be written to.");
	return 0;
}

static int one_round(struct commit *c, bool *again, struct err *err)
{
	struct eng_array *a = c->a;
	int rc = gather_drives(c);

	*again = false;
	if (!rc && !c->n)
		return nobody_there(a, err);
	if (!rc)
		rc = find_places(c);
	if (!rc) {
		a->seq++;
		rc = build_set(a, c->places);
	}
	if (rc)
		return err_set(err, rc, "Out of memory.");
	write_all(c);
	*again = lose_failed(c, &rc);
	if (rc)
		return err_set(err, rc, rc == -ENOMEM ? "Out of memory."
						      : "The drives have no room for the array's metadata.");
	if (!*again)
		a->seq_done = a->seq;
	if (!*again && a->host.seq_reached)
		a->host.seq_reached(a->host.ctx, a, a->seq);
	return 0;
}

/* Rounds until one has reached all drives. */
static void run_commit(struct eng_array *a)
{
	bool again;

	a->meta_busy = true;
	do {
		struct commit c = { .a = a };
		uint64_t gen = a->meta_wanted;

		err_clear(&a->meta_err);
		a->meta_rc = one_round(&c, &again, &a->meta_err);
		commit_free(&c);
		if (again && !a->meta_rc)
			a->meta_wanted++; /* the round that tells of the losses */
		else
			a->meta_done = gen;
	} while (again && !a->meta_rc);
	if (!a->meta_rc)
		a->meta_good = a->meta_done;
	a->meta_busy = false;
	task_wake_all(&a->meta_queue);
}

int eng_meta_commit(struct eng_array *a, struct err *err)
{
	ENG_INSIDE(a);
	uint64_t mine = ++a->meta_wanted;

	while (a->meta_done < mine) {
		if (a->meta_busy)
			task_wait(&a->meta_queue);
		else
			run_commit(a);
	}
	if (a->meta_rc && err)
		*err = a->meta_err;
	return a->meta_rc;
}
