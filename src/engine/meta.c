/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model written to the drives: DDF 1.2, update protocol of array-engine.md 2.8.
 *
 * One commit at a time. The set is built anew from the model, then every drive that can take it gets
 * [header open] [changed sections] [header closed] flush, first in the primary copy, then in the
 * secondary; drives in parallel. Durable when a majority of them has finished the primary copy.
 * A drive that fails meanwhile is lost, which is a change and makes another commit.
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

static int build_pd(struct ddf_set *set, const struct eng_drive *d)
{
	struct ddf_pd pd = { .place = d->place, .guid = d->ddf_guid, .refnum = d->refnum };
	bool assigned = eng_drive_assigned(d);

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
	pd.config_size = d->layout.workspace;
	snprintf(pd.path, sizeof(pd.path), "slot %d.%d", d->bus, d->slot);
	pd.ext.present = d->lost_at || d->admin_offline || d->departed || d->replaces;
	pd.ext.lost_at = d->lost_at;
	pd.ext.flags = (d->admin_offline ? DDF_PDX_ADMIN_OFFLINE : 0) | (d->departed ? DDF_PDX_DEPARTED : 0);
	pd.ext.replaces = d->replaces;
	return ddf_pds_push(&set->pds, pd);
}

static void build_vd_ext(struct ddf_vd_ext *x, const struct eng_lun *l)
{
	x->present = true;
	x->object = l->id;
	x->lun_type = eng_lun_type_number(l->type);
	x->priority = (uint8_t)l->priority;
	x->flags = (l->offline ? DDF_VDX_ADMIN_OFFLINE : 0) |
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
	if (eng_lun_type_redundant(l->type) && (!l->array->closing || raid_dirty_regions(l->set)))
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

static int build_set(struct eng_array *a)
{
	struct list *pos, *tmp;
	int rc = 0;

	a->set.pds.len = a->set.vds.len = 0;
	a->set.seq = a->seq;
	a->set.timestamp = ddf_time(loop_wall_ms(a->loop));
	text_copy(a->set.name, sizeof(a->set.name), a->name);
	list_for_each(pos, tmp, &a->drives)
		if (!rc)
			rc = build_pd(&a->set, list_entry(pos, struct eng_drive, link));
	list_for_each(pos, tmp, &a->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);
		uint32_t hash = conf_hash(l);

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

static int build_drive(struct ddf_drive *out, const struct eng_drive *d)
{
	struct list *pos, *tmp;
	struct ddf_conf *c = malloc(sizeof(*c));
	int rc = c ? 0 : -ENOMEM;

	ddf_drive_init(out, &d->ddf_guid, d->refnum);
	list_for_each(pos, tmp, &d->array->luns) {
		const struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		for (unsigned i = 0; !rc && i < l->shape.members; i++)
			if (l->members[i].drive == d) {
				build_conf(c, l, i / eng_leg_members(&l->shape));
				rc = ddf_confs_push(&out->confs, *c);
			}
	}
	free(c);
	return rc;
}

/* ---- writing one drive ---------------------------------------------------------------------- */

struct drive_write {
	struct eng_drive *d;
	struct task_group *group;
	bool started;
	int rc;
};

static int write_header(struct eng_drive *d, enum ddf_copy copy, bool open, uint8_t *sector)
{
	uint64_t at = copy == DDF_PRIMARY ? d->layout.primary : d->layout.secondary;

	if (copy == DDF_ANCHOR)
		at = d->layout.sectors - 1;
	ddf_encode_header(&d->array->set, &d->layout, copy, open, sector);
	return blk_write(d->dev, at * 512, sector, DDF_SECTOR, 0);
}

static int write_copy(struct eng_drive *d, enum ddf_copy copy, const uint8_t *sections,
	const uint32_t *crcs, uint8_t *sector)
{
	uint64_t base = copy == DDF_PRIMARY ? d->layout.primary : d->layout.secondary;
	int rc = write_header(d, copy, true, sector);

	for (unsigned i = 0; i < DDF_SECTIONS && !rc; i++) {
		const struct ddf_section *s = &d->layout.sections[i];

		if (s->length && (!d->written_known || d->written[i] != crcs[i]))
			rc = blk_write(d->dev, (base + s->offset) * 512,
				sections + (size_t)(s->offset - 1) * 512, (size_t)s->length * 512, 0);
	}
	if (!rc)
		rc = blk_flush(d->dev); /* never a closed header over sections that are not there */
	if (!rc)
		rc = write_header(d, copy, false, sector);
	return rc ? rc : blk_flush(d->dev);
}

static int write_drive(struct eng_drive *d)
{
	struct ddf_drive mine = { 0 };
	size_t len = ddf_sections_bytes(&d->layout);
	uint8_t *sections = malloc(len), *sector = loop_buf_alloc_at(d->array->loop, LOOP_BUF_INNER, 4096);
	uint32_t crcs[DDF_SECTIONS] = { 0 };
	struct err err = { 0 };
	int rc = sections && sector ? build_drive(&mine, d) : -ENOMEM;

	if (!rc)
		rc = ddf_encode_sections(&d->array->set, &mine, &d->layout, sections, len, &err);
	if (rc && rc != -ENOMEM) {
		log_error("%s: its metadata cannot be written: %s", d->path, err.text);
		rc = -E2BIG; /* the model's fault, not the drive's */
	}
	for (unsigned i = 0; i < DDF_SECTIONS && !rc; i++)
		if (d->layout.sections[i].length)
			crcs[i] = priv_crc32c(sections + (size_t)(d->layout.sections[i].offset - 1) * 512,
				(size_t)d->layout.sections[i].length * 512);
	if (!rc)
		rc = write_copy(d, DDF_PRIMARY, sections, crcs, sector);
	if (!rc && d->layout.secondary != UINT64_MAX)
		rc = write_copy(d, DDF_SECONDARY, sections, crcs, sector);
	d->written_known = !rc;
	memcpy(d->written, crcs, sizeof(crcs));
	ddf_drive_free(&mine);
	free(sections);
	if (sector)
		loop_buf_free(d->array->loop, sector, 4096);
	return rc;
}

static void write_task(void *arg)
{
	struct drive_write *w = arg;

	w->rc = write_drive(w->d);
	task_group_end(w->group);
}

/* Writes all drives of the list, PARALLEL at a time. */
static void write_all(struct eng_array *a, struct drive_write *list, unsigned n)
{
	struct task_group group;

	task_group_init(&group);
	for (unsigned i = 0; i < n; i++) {
		list[i].group = &group;
		task_group_begin(&group);
		if (task_spawn(a->loop, "metadata", write_task, &list[i])) {
			list[i].rc = write_drive(list[i].d);
			task_group_end(&group);
		}
		if (i % PARALLEL == PARALLEL - 1)
			task_group_wait(&group);
	}
	task_group_wait(&group);
}

static int one_commit(struct eng_array *a, struct drive_write **list, unsigned *n, struct err *err)
{
	struct list *pos, *tmp;
	unsigned good = 0;
	int rc;

	*n = 0;
	list_for_each(pos, tmp, &a->drives)
		*n += takes_metadata(list_entry(pos, struct eng_drive, link));
	*list = calloc(*n ? *n : 1, sizeof(**list));
	if (!*list)
		return err_set(err, -ENOMEM, "Out of memory.");
	*n = 0;
	list_for_each(pos, tmp, &a->drives)
		if (takes_metadata(list_entry(pos, struct eng_drive, link)))
			(*list)[(*n)++].d = list_entry(pos, struct eng_drive, link);
	a->seq++;
	rc = build_set(a);
	if (rc)
		return err_set(err, rc, "Out of memory.");
	write_all(a, *list, *n);
	for (unsigned i = 0; i < *n; i++)
		good += !(*list)[i].rc;
	if (*n && good * 2 <= *n)
		return err_set(err, -EIO, "Only %u of %u drives could take the array's new metadata.", good,
			*n);
	if (good && a->host.seq_reached)
		a->host.seq_reached(a->host.ctx, a, a->seq);
	return 0;
}

int eng_meta_commit(struct eng_array *a, struct err *err)
{
	struct drive_write *list = NULL;
	unsigned n = 0;
	int rc;

	task_lock(&a->meta_lock);
	rc = one_commit(a, &list, &n, err);
	task_unlock(&a->meta_lock);
	for (unsigned i = 0; list && i < n; i++)
		if (list[i].rc && list[i].rc != -ENOMEM && list[i].rc != -E2BIG)
			eng_drive_lost(list[i].d, list[i].rc);
	free(list);
	return rc;
}
