/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An array from its drives, and back: open, close, look-ups.
 *
 * Opening: every bay's drive is read; of the usable ones the newest metadata win; drives and LUNs are
 * modelled from it, drives that should be there and are not count as lost from now on; then the
 * new epoch is written to all drives before any LUN serves its first request.
 */
#include "base/log.h"
#include "engine/engine_internal.h"

#define PARALLEL 16 /* drives read at once: bounds the memory for their metadata */

/* ---- look-ups -------------------------------------------------------------------------------- */

struct eng_drive *eng_find_drive_any(const struct eng_array *a, const struct guid *id)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->drives) {
		struct eng_drive *d = list_entry(pos, struct eng_drive, link);

		if (guid_equal(&d->id, id))
			return d;
	}
	return NULL;
}

struct eng_drive *eng_find_drive(const struct eng_array *a, const struct guid *id)
{
	struct eng_drive *d = eng_find_drive_any(a, id);

	return d && !d->departed ? d : NULL;
}

struct eng_drive *eng_find_refnum(const struct eng_array *a, uint32_t refnum)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->drives) {
		struct eng_drive *d = list_entry(pos, struct eng_drive, link);

		if (refnum && d->refnum == refnum)
			return d;
	}
	return NULL;
}

struct eng_drive *eng_find_bay(const struct eng_array *a, int16_t bus, int16_t slot)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->drives) {
		struct eng_drive *d = list_entry(pos, struct eng_drive, link);

		if (d->bus == bus && d->slot == slot)
			return d;
	}
	return NULL;
}

struct eng_lun *eng_find_lun(const struct eng_array *a, const struct guid *id)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		if (guid_equal(&l->id, id) && !l->deleted)
			return l;
	}
	return NULL;
}

/* ---- identities ------------------------------------------------------------------------------ */

void eng_container_guid(struct rng *rng, int64_t wall_ms, uint8_t out[24])
{
	struct ddf_guid g;

	ddf_guid_new(&g, DDF_GUID_ARRAY, rng, ddf_time(wall_ms));
	memcpy(out, g.b, 24);
}

struct guid eng_id_from_ddf(const uint8_t ddf_guid[24])
{
	struct ddf_guid g;

	memcpy(g.b, ddf_guid, 24);
	return ddf_guid_object(&g);
}

/* ---- reading the drives ---------------------------------------------------------------------- */

struct opening {
	struct eng_array *a;
	struct eng_drive **drives; /* those with usable metadata … */
	struct eng_found **found;  /* … and what was read from each */
	unsigned count, cap;
	struct ddf_guid container;
	bool container_known;
	bool unclean;
	bool stranger; /* the array was never ours */
};

static void set_note(struct eng_drive *d, const struct err *err, const char *otherwise)
{
	text_copy(d->note, sizeof(d->note), err->code ? err->text : otherwise);
}

/* A drive that cannot be used: kept for people to see, its device let go. */
static void set_aside(struct eng_drive *d)
{
	struct blk_dev *dev = d->dev;

	d->ours = false;
	d->dev = NULL;
	if (dev)
		blk_close(dev);
}

static bool means_gone(int rc)
{
	return rc == -ENOENT || rc == -ENODEV || rc == -ENXIO || rc == -ENOMEDIUM;
}

/* What a bay gave. */
struct bay_read {
	struct opening *o;
	struct eng_drive *d;
	struct eng_found *f;
	bool open;
	int rc;
	struct err err;
};

struct readers {
	struct bay_read *list;
	unsigned n, next;
	struct task_group group;
};

static int begin_bay(struct bay_read *b, const struct eng_bay *bay)
{
	b->d = eng_drive_new(b->o->a, bay);
	if (!b->d)
		return -ENOMEM;
	list_add_tail(&b->o->a->drives, &b->d->link);
	if (bay->gone || !b->d->path[0]) {
		b->d->out = true;
		return 0;
	}
	b->f = calloc(1, sizeof(*b->f));
	if (!b->f)
		return -ENOMEM;
	b->rc = eng_drive_open_dev(b->d, &b->err);
	b->open = !b->rc;
	return 0;
}

/* Of the tables that are the same everywhere one is enough, see model(): those of a thousand drives would
 * not fit into memory. */
static void drop_tables(struct eng_found *f)
{
	ddf_pds_free(&f->image.set.pds);
	ddf_vds_free(&f->image.set.vds);
}

static void reader_task(void *arg)
{
	struct readers *r = arg;

	while (r->next < r->n) {
		struct bay_read *b = &r->list[r->next++];

		if (!b->open)
			continue;
		b->rc = eng_load_drive(b->d, b->o->container_known ? &b->o->container : NULL, b->f, &b->err);
		if (!b->rc)
			drop_tables(b->f);
	}
	task_group_end(&r->group);
}

static int end_bay(struct bay_read *b)
{
	struct opening *o = b->o;
	struct eng_drive *d = b->d;

	if (!b->f || !d)
		return d ? 0 : -ENOMEM;
	if (!b->rc) {
		d->ours = true;
		d->ddf_guid = b->f->image.drive.guid;
		d->refnum = b->f->image.drive.refnum;
		d->seq = b->f->image.set.seq;
		d->outside = b->f->image.set.own_seq != d->seq;
		d->id = ddf_guid_object(&d->ddf_guid);
		o->drives[o->count] = d;
		o->found[o->count++] = b->f;
		return 0;
	}
	free(b->f);
	if (b->rc == -ENOMEM)
		return b->rc;
	set_note(d, &b->err, b->rc == -ENODATA ? "The drive is blank; it is not part of the array." : "");
	d->out = means_gone(b->rc);
	set_aside(d);
	return 0;
}

/* Reads all bays, PARALLEL at a time; results are taken in their order. */
static int read_bays(struct opening *o, const struct eng_bay *bays, unsigned n)
{
	struct readers r = { .list = calloc(n + 1u, sizeof(*r.list)), .n = n };
	int rc = r.list ? 0 : -ENOMEM;

	for (unsigned i = 0; i < n && !rc; i++) {
		r.list[i].o = o;
		rc = begin_bay(&r.list[i], &bays[i]);
	}
	task_group_init(&r.group);
	for (unsigned i = 0; i < PARALLEL && i < n && !rc; i++) {
		task_group_begin(&r.group);
		if (task_spawn(o->a->loop, "reader", reader_task, &r))
			reader_task(&r);
	}
	task_group_wait(&r.group);
	for (unsigned i = 0; r.list && i < n; i++) {
		int one = r.list[i].d ? end_bay(&r.list[i]) : 0;

		rc = rc ? rc : one;
	}
	free(r.list);
	return rc;
}

static void drop_candidate(struct opening *o, unsigned i, const char *why)
{
	text_copy(o->drives[i]->note, sizeof(o->drives[i]->note), why);
	log_warning("%s is set aside: %s", o->drives[i]->path, why);
	set_aside(o->drives[i]);
	o->drives[i]->refnum = 0;
	eng_found_free(o->found[i]);
	free(o->found[i]);
	o->count--;
	memmove(&o->drives[i], &o->drives[i + 1], (o->count - i) * sizeof(o->drives[0]));
	memmove(&o->found[i], &o->found[i + 1], (o->count - i) * sizeof(o->found[0]));
}

/* Two drives with one identity: nobody can tell which is right, so neither is used. */
static void refuse_clones(struct opening *o)
{
	for (unsigned i = 0; i < o->count; i++) {
		bool clone = false;

		for (unsigned j = o->count; j-- > i + 1;)
			if (ddf_guid_equal(&o->found[i]->image.drive.guid, &o->found[j]->image.drive.guid)) {
				drop_candidate(o, j, "Another drive carries the same identity; one is a copy. Take "
									 "the copy out.");
				clone = true;
			}
		if (clone)
			drop_candidate(o, i--, "Another drive carries the same identity; one is a copy. Take the "
								   "copy out.");
	}
}

/* Whose array this is, when nobody said so: the one most drives belong to. */
static void choose_container(struct opening *o)
{
	unsigned best = 0;

	if (o->container_known)
		return;
	for (unsigned i = 0; i < o->count; i++) {
		unsigned votes = 0;

		for (unsigned j = 0; j < o->count; j++)
			votes += ddf_guid_equal(&o->found[i]->image.set.container,
				&o->found[j]->image.set.container);
		if (votes > best) {
			best = votes;
			o->container = o->found[i]->image.set.container;
			o->container_known = true;
		}
	}
	for (unsigned i = o->count; i-- > 0;)
		if (!ddf_guid_equal(&o->found[i]->image.set.container, &o->container))
			drop_candidate(o, i, "The drive belongs to another array.");
}

static unsigned votes_for(const struct opening *o, uint32_t seq, uint32_t hash)
{
	unsigned votes = 0;

	for (unsigned i = 0; i < o->count; i++)
		votes += o->found[i]->image.set.seq == seq && o->found[i]->hash == hash;
	return votes;
}

/*
 * The newest metadata. Drives of one age can tell different stories: one took part in a commit that
 * was cut short, was away for the next start, and the others used the number again. Then most drives
 * decide, as they do for a commit, and the others count as left behind. Without a majority nobody can
 * tell: -EUCLEAN.
 */
static int choose_newest(struct opening *o, unsigned *index, struct err *err)
{
	unsigned best = 0, other = 0, votes;
	uint32_t seq;

	for (unsigned i = 1; i < o->count; i++)
		if (o->found[i]->image.set.seq > o->found[best]->image.set.seq)
			best = i;
	seq = o->found[best]->image.set.seq;
	votes = votes_for(o, seq, o->found[best]->hash);
	for (unsigned i = 0; i < o->count; i++) {
		unsigned n = votes_for(o, seq, o->found[i]->hash);

		if (o->found[i]->image.set.seq != seq || o->found[i]->hash == o->found[best]->hash)
			continue;
		other = i;
		if (n > votes) {
			other = best;
			best = i;
			votes = n;
		}
	}
	if (other != best && o->found[other]->image.set.seq == seq &&
		o->found[other]->hash != o->found[best]->hash && votes * 2 <= o->count)
		return err_set(err, -EUCLEAN,
			"%s and %s describe the array differently at the same age (sequence number %u): it was "
			"used in two places apart. Take out the drives of one of them.",
			o->drives[other]->path, o->drives[best]->path, seq);
	for (unsigned i = 0; i < o->count; i++)
		o->found[i]->newest = o->found[i]->image.set.seq == seq &&
			o->found[i]->hash == o->found[best]->hash;
	*index = best;
	return 0;
}

/* ---- modelling ------------------------------------------------------------------------------- */

static struct eng_drive *absent_drive(struct eng_array *a, const struct ddf_pd *pd)
{
	struct guid id = ddf_guid_object(&pd->guid);
	struct eng_drive *d = eng_find_drive_any(a, &id);
	struct eng_bay bay = { .bus = -1, .slot = -1, .drive = id };
	struct list *pos, *tmp;

	if (d)
		return d;
	list_for_each(pos, tmp, &a->drives) { /* its bay, though something else is in it */
		d = list_entry(pos, struct eng_drive, link);
		if (!d->ours && guid_equal(&d->expected, &id)) {
			bay.bus = d->bus;
			bay.slot = d->slot;
		}
	}
	d = eng_drive_new(a, &bay);
	if (!d)
		return NULL;
	list_add_tail(&a->drives, &d->link);
	return d;
}

static int model_drive(struct eng_array *a, const struct ddf_pd *pd)
{
	struct eng_drive *d = eng_find_refnum(a, pd->refnum);

	if (!d) {
		d = absent_drive(a, pd);
		if (!d)
			return -ENOMEM;
		d->out = !d->dev && (d->out || !d->note[0]);
		if (!d->lost_at)
			d->lost_at = pd->ext.lost_at ? pd->ext.lost_at : loop_wall_ms(a->loop);
		d->departed |= pd->ext.flags & DDF_PDX_DEPARTED;
		d->seq = pd->ext.seq;
	} else if (d->dev) {
		d->departed = false;
		d->lost_at = 0;
	}
	d->ddf_guid = pd->guid;
	d->refnum = pd->refnum;
	d->place = pd->place;
	d->failed = ddf_pd_status(pd) == DDF_PD_IS_FAILED;
	d->admin_offline = ddf_pd_status(pd) == DDF_PD_IS_OFFLINE ||
		(pd->ext.present && pd->ext.flags & DDF_PDX_ADMIN_OFFLINE);
	d->predicted = pd->state & DDF_PD_PREDICTED;
	d->spare = pd->type & (DDF_PD_GLOBAL_SPARE | DDF_PD_SPARE);
	d->spare_active = d->spare && pd->type & DDF_PD_ACTIVE;
	d->replaces = pd->ext.present ? pd->ext.replaces : 0;
	return 0;
}

/*
 * Private areas of the drives that are here, or, once all is known, made on those taken over; one that
 * cannot be had costs its drive.
 */
static void load_private(struct opening *o, bool make)
{
	for (unsigned i = o->count; i-- > 0;) {
		struct eng_drive *d = o->drives[i];
		struct err err = { 0 };

		if (d->adopted != make)
			continue;
		if (make ? eng_priv_init(d, &err) : eng_priv_load(d, &err)) {
			log_error("%s", err.text);
			text_copy(d->note, sizeof(d->note), err.text);
			d->failed = true;
			continue;
		}
		o->unclean |= !make && !(d->super.flags & PRIV_SUPER_CLEAN);
		if (d->super.epoch > o->a->epoch)
			o->a->epoch = d->super.epoch;
	}
}

/* The newest number that all drives hold which took part until the end: every update before our newest, and
 * that too if some drive was told that all have it. */
static uint32_t complete_seq(const struct opening *o, const struct ddf_set *newest)
{
	uint32_t seq = newest->base_seq ? newest->base_seq : newest->own_seq ? newest->own_seq - 1 : 0;

	for (unsigned i = 0; i < o->count; i++) {
		uint32_t told = o->drives[i]->super.ddf_seq;

		if (told > seq && told <= newest->seq)
			seq = told;
	}
	return seq;
}

/* What the drive must hold at least, by what the newest metadata say of it. */
static uint32_t least_seq(const struct ddf_set *newest, const struct eng_drive *d, uint32_t complete)
{
	const struct ddf_pd *pd = ddf_set_pd_by_refnum(newest, d->refnum);

	if (!pd || pd->ext.seq)
		return pd ? pd->ext.seq : 0;
	switch (ddf_pd_status(pd)) {
	case DDF_PD_IS_ONLINE:
	case DDF_PD_IS_OFFLINE:
		return complete;
	case DDF_PD_IS_FAILED:
	case DDF_PD_IS_MISSING:
		break;
	}
	return 0;
}

/*
 * Drives that hold less than the others know they did: older images of themselves, put back while the
 * array was closed. Nothing tells what they lack, so their members are filled from the first byte.
 */
static void find_older(struct opening *o, const struct ddf_set *newest)
{
	for (unsigned i = 0; i < o->count; i++) {
		struct eng_drive *d = o->drives[i];
		uint32_t least = least_seq(newest, d, o->a->seq_done);

		d->behind = newest->own_seq != newest->seq && d->seq < newest->seq;
		d->older = d->seq < least;
		if (d->older)
			log_warning("%s is an older image of the drive (sequence number %u of at least %u): it is "
						"filled anew",
				d->path, d->seq, least);
	}
}

/* Drives were seen with newer metadata than any of these have, and some drive is missing. */
static bool left_behind(const struct eng_array *a, uint32_t known_seq)
{
	struct list *pos, *tmp;

	if (a->seq >= known_seq)
		return false;
	list_for_each(pos, tmp, &a->drives)
		if (!list_entry(pos, struct eng_drive, link)->dev)
			return true;
	return false;
}

/* The tables of a drive of the newest age, read once more: the first that still can. */
static int read_tables(struct opening *o, unsigned *best, struct err *err)
{
	int rc = -EIO;

	for (unsigned i = *best; i < o->count && rc; i++) {
		struct eng_found fresh = { 0 };

		if (!o->found[i]->newest)
			continue;
		rc = eng_load_drive(o->drives[i], &o->container, &fresh, err);
		if (rc)
			continue;
		eng_found_free(o->found[i]);
		fresh.newest = true;
		*o->found[i] = fresh;
		*best = i;
	}
	return rc;
}

static int model(struct opening *o, const struct eng_array_config *config, struct err *err)
{
	struct eng_array *a = o->a;
	const struct ddf_set *newest;
	const struct ddf_pd *pd;
	unsigned best = 0;
	int rc = choose_newest(o, &best, err);

	if (!rc)
		rc = read_tables(o, &best, err);
	if (rc)
		return rc;
	newest = &o->found[best]->image.set;
	rc = ddf_set_copy(&a->set, newest);
	if (rc)
		return err_set(err, rc, "Out of memory.");
	a->seq = newest->seq;
	if (newest->name[0])
		text_copy(a->name, sizeof(a->name), newest->name);
	vec_for_each(&newest->pds, pd)
		if (!rc)
			rc = model_drive(a, pd);
	if (rc)
		return err_set(err, rc, "Out of memory.");
	o->stranger = !newest->own_seq;
	if (o->stranger)
		eng_outside_expect(a);
	load_private(o, false);
	a->seq_done = complete_seq(o, newest);
	find_older(o, newest);
	rc = eng_assemble(a, newest, o->found, o->drives, o->count, err);
	if (!rc && left_behind(a, config->known_seq)) {
		struct list *pos, *tmp;

		snprintf(a->note, sizeof(a->note),
			"Drives of this array were seen with newer data (%u, here %u). Put the missing drives back.",
			config->known_seq, a->seq);
		list_for_each(pos, tmp, &a->luns)
			list_entry(pos, struct eng_lun, link)->failed_hook = true;
	}
	return rc;
}

/* ---- into service ---------------------------------------------------------------------------- */

void eng_resync_after_crash(struct eng_lun *l)
{
	struct raid_run run = { 0 };

	if (!eng_lun_set(l) || !raid_resync_needed(l->set) || eng_lun_lost_mask(l))
		return;
	eng_lun_pin(l);
	log_info("LUN \"%s\": comparing the regions that were being written when the last user died",
		l->name);
	if (raid_check(l->set, RAID_CHECK_REWRITE, -1, true, &run))
		log_warning("LUN \"%s\": its written regions could not be compared", l->name);
	else
		raid_bitmap_settle(l->set, 0);
	eng_lun_unpin(l);
}

static bool any_rebuilding(const struct eng_lun *l)
{
	for (unsigned i = 0; i < 2 * l->shape.members; i++) {
		const struct eng_member *m = eng_lun_extent(l, i);

		if (m && m->state == ENG_MEMBER_REBUILDING && eng_drive_online(m->drive))
			return true;
	}
	return false;
}

static int serve(struct opening *o, struct err *err)
{
	struct eng_array *a = o->a;
	struct list *pos, *tmp;
	int rc = 0;

	load_private(o, true);
	eng_outside_reset(a);
	list_for_each(pos, tmp, &a->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		if (!rc)
			rc = eng_lun_open(l, o->unclean || l->inconsistent, false, err);
	}
	a->epoch++;
	if (!rc)
		rc = eng_priv_members(a, NULL);
	if (!rc)
		rc = eng_meta_commit(a, err);
	if (!rc)
		rc = eng_priv_supers(a, false);
	if (rc == -ENODEV) { /* shown as it is: every LUN has failed */
		err_clear(err);
		rc = 0;
	} else if (rc && err && !err->code) {
		err_set(err, rc, "The array cannot be taken into service: %s.", err_name(rc));
	}
	list_for_each(pos, tmp, &a->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		if (rc)
			continue;
		eng_resync_after_crash(l);
		if (any_rebuilding(l)) {
			struct eng_job *job = eng_job_new(l, ENG_JOB_RECOVER, true, true);

			if (!job)
				return err_set(err, -ENOMEM, "Out of memory.");
			job->body = eng_recover_body;
		}
	}
	return rc;
}

static struct eng_array *new_array(const struct eng_array_config *config)
{
	struct eng_array *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->loop = config->loop;
	a->rng = config->rng;
	a->host = config->host;
	a->settings = config->settings;
	a->hold = config->hold_recovery;
	text_copy(a->name, sizeof(a->name), config->name ? config->name : "");
	list_init(&a->drives);
	list_init(&a->luns);
	list_init(&a->jobs);
	task_queue_init(&a->meta_queue);
	task_queue_init(&a->job_queue);
	task_queue_init(&a->unpinned);
	task_group_init(&a->tasks);
	return a;
}

static void free_array(struct eng_array *a)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->jobs) {
		struct eng_job *job = list_entry(pos, struct eng_job, link);

		list_del(&job->link);
		job->lun = NULL;
		eng_job_unref(job);
	}
	list_for_each(pos, tmp, &a->luns)
		eng_lun_free(list_entry(pos, struct eng_lun, link));
	list_for_each(pos, tmp, &a->drives)
		eng_drive_free(list_entry(pos, struct eng_drive, link));
	eng_event_vec_free(&a->events);
	ddf_set_free(&a->set);
	free(a);
}

/*
 * Drives of somebody else's array that do not describe all of it: they are shown, and nothing is written
 * until others have come.
 */
static void only_show(struct opening *o)
{
	o->a->waiting = o->count;
	while (o->count)
		drop_candidate(o, o->count - 1, "The drive waits for others of its array: LUNs are described on "
										"drives that are not here. Add them.");
}

static int open_all(struct opening *o, const struct eng_array_config *config, const struct eng_bay *bays,
	unsigned bays_len, bool show, struct err *err)
{
	struct eng_array *a = o->a;
	static const uint8_t zero[24];
	int rc = 0;

	memcpy(o->container.b, config->container_guid, 24);
	o->container_known = memcmp(config->container_guid, zero, 24) != 0;
	rc = read_bays(o, bays, bays_len);
	if (rc)
		return err_set(err, rc, "Out of memory.");
	refuse_clones(o);
	choose_container(o);
	if (!o->container_known)
		return err_set(err, -ENODATA, "None of the drives carries metadata of an array.");
	a->container = o->container;
	a->id = ddf_guid_object(&a->container);
	if (show)
		only_show(o);
	eng_aside_identify(a);
	if (o->count)
		rc = model(o, config, err);
	else
		ddf_set_init(&a->set, &a->container, a->rng, ddf_time(loop_wall_ms(a->loop)));
	if (!rc)
		rc = serve(o, err);
	return rc;
}

/* show: only to show them; becomes true where that is all that can be done. */
static int try_open(const struct eng_array_config *config, const struct eng_bay *bays, unsigned bays_len,
	bool *show, struct eng_array **out, struct err *err)
{
	struct opening o = { .a = new_array(config), .cap = bays_len };
	int rc = -ENOMEM;

	*out = NULL;
	o.drives = calloc(bays_len + 1u, sizeof(struct eng_drive *));
	o.found = calloc(bays_len + 1u, sizeof(struct eng_found *));
	if (o.a && o.drives && o.found)
		rc = open_all(&o, config, bays, bays_len, *show, err);
	else
		err_set(err, rc, "Out of memory.");
	for (unsigned i = 0; i < o.count; i++) {
		eng_found_free(o.found[i]);
		free(o.found[i]);
	}
	free(o.drives);
	free(o.found);
	*show = o.stranger && rc == -ENODATA;
	if (rc && o.a) {
		o.a->closing = true;
		task_group_wait(&o.a->tasks);
		loop_timer_cancel(o.a->loop, &o.a->tick);
		free_array(o.a);
		return rc;
	}
	if (rc)
		return rc;
	eng_events_flush(o.a);
	eng_auto_kick(o.a);
	*out = o.a;
	return 0;
}

int eng_array_open(const struct eng_array_config *config, const struct eng_bay *bays, unsigned bays_len,
	struct eng_array **out, struct err *err)
{
	bool show = false;
	int rc = try_open(config, bays, bays_len, &show, out, err);

	if (rc && show) {
		err_clear(err);
		rc = try_open(config, bays, bays_len, &show, out, err);
	}
	return rc;
}

/*
 * Brings a LUN to rest for good; false when its last writes may not be stable. At rest its members in
 * sync agree, also while others are lost: the regions still marked are then what those have missed.
 */
static bool rest(struct eng_lun *l)
{
	bool stable;

	l->deleted = true; /* no new I/O */
	if (!l->set)
		return true;
	if (eng_lun_health_of(l) == ENG_LUN_FAILED) {
		l->consistent = !raid_dirty_regions(l->set);
		return true;
	}
	raid_freeze(l->set); /* the last requests have ended */
	raid_thaw(l->set);
	stable = !blk_flush(raid_dev(l->set));
	if (!eng_lun_lost_mask(l))
		raid_bitmap_settle(l->set, 0);
	l->consistent = stable && !raid_resync_needed(l->set) &&
		(eng_lun_lost_mask(l) || !raid_dirty_regions(l->set));
	return stable;
}

void eng_array_close(struct eng_array *a)
{
	struct list *pos, *tmp;
	bool clean = true;

	a->hold = true;
	eng_jobs_interrupt(a);
	a->closing = true;
	loop_timer_cancel(a->loop, &a->tick);
	task_group_wait(&a->tasks);
	list_for_each(pos, tmp, &a->luns)
		clean &= rest(list_entry(pos, struct eng_lun, link));
	clean &= !eng_priv_members(a, NULL);
	clean &= !eng_meta_commit(a, NULL);
	task_group_wait(&a->tasks);
	if (clean)
		eng_priv_supers(a, true);
	a->host.events = NULL;
	free_array(a);
}
