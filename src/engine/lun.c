/* SPDX-License-Identifier: Apache-2.0 */
/* LUNs: made, opened, changed, deleted. What moves data for a long time is in recover.c and resize.c. */
#include "base/log.h"
#include "engine/engine_internal.h"

#define DEFAULT_PRIORITY 8
#define CLEAR_BYTES      (1024 * 1024) /* at both ends, before a LUN goes */

struct eng_lun *eng_lun_new(struct eng_array *a)
{
	struct eng_lun *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->array = a;
	l->transition = ENG_TRANSITION_STABLE;
	l->priority = DEFAULT_PRIORITY;
	task_mutex_init(&l->edge_lock);
	task_mutex_init(&l->bitmap_lock);
	list_init(&l->waiting);
	list_init(&l->link);
	if (eng_lun_dev_init(l)) {
		free(l);
		return NULL;
	}
	return l;
}

unsigned eng_lun_plexes(const struct eng_lun *l)
{
	return l->type == ENG_LUN_MIRROR ? l->shape.members : 1;
}

/* ---- the set behind it ---------------------------------------------------------------------- */

static struct raid_member to_raid(const struct eng_member *m)
{
	struct raid_member r = { .start = m->start, .watermark = m->watermark,
		.state = RAID_MEMBER_MISSING };

	if (!eng_drive_online(m->drive))
		return r;
	r.dev = m->drive->dev;
	switch (m->state) {
	case ENG_MEMBER_IN_SYNC:
		r.state = RAID_MEMBER_IN_SYNC;
		break;
	case ENG_MEMBER_REBUILDING:
		r.state = RAID_MEMBER_REBUILDING;
		break;
	case ENG_MEMBER_STALE:
		r.state = RAID_MEMBER_STALE;
		break;
	case ENG_MEMBER_MISSING:
		r.state = RAID_MEMBER_MISSING;
		break;
	}
	return r;
}

static void apply_twin(struct eng_lun *l, unsigned slot)
{
	struct raid_member now = raid_twin(l->set, slot), r = to_raid(&l->twins[slot]);
	struct err err = { 0 };

	if (r.dev == now.dev && r.start == now.start)
		return; /* how far it is filled the set knows best */
	if (raid_twin_set(l->set, slot, r.dev ? &r : NULL, &err))
		log_error("LUN \"%s\": the new drive of slot %u cannot be used: %s", l->name, slot, err.text);
}

void eng_lun_apply_member(struct eng_lun *l, unsigned slot)
{
	struct raid_member r;

	if (!eng_lun_set(l))
		return;
	eng_lun_pin(l);
	r = to_raid(&l->members[slot]);
	raid_member_set(l->set, slot, &r);
	apply_twin(l, slot);
	eng_lun_unpin(l);
}

static int on_member_failed(void *ctx, unsigned slot, int error)
{
	struct eng_lun *l = ctx;
	struct eng_drive *d = l->members[slot].drive;

	if (!d)
		return 0;
	d->write_errors++;
	return eng_drive_lost(d, error);
}

static int on_twin_failed(void *ctx, unsigned slot, int error)
{
	struct eng_lun *l = ctx;
	struct eng_drive *d = l->twins[slot].drive;

	if (!d)
		return 0;
	d->write_errors++;
	return eng_drive_lost(d, error);
}

static int on_bitmap_write(void *ctx, unsigned first_page, unsigned count)
{
	return eng_priv_bitmap_write(ctx, first_page, count);
}

static void on_medium_error(void *ctx, unsigned slot, uint64_t offset, uint64_t length, bool repaired)
{
	struct eng_lun *l = ctx;
	struct eng_drive *d = l->members[slot].drive;

	if (!d)
		return;
	d->read_errors++;
	d->read_errors_repaired += repaired;
	log_warning("LUN \"%s\": the drive in slot %d.%d could not read %llu bytes at %llu; %s", l->name,
		d->bus, d->slot, (unsigned long long)length,
		(unsigned long long)(l->members[slot].start + offset),
		repaired ? "rewritten from the redundancy" : "not repaired");
}

static int on_lost_write(void *ctx, const struct raid_range *list, size_t count)
{
	struct eng_lun *l = ctx;
	int rc = eng_lost_take(l, list, count);

	return rc ? rc : eng_lost_write(l);
}

static void on_data_lost(void *ctx, uint64_t offset, uint64_t length)
{
	struct eng_lun *l = ctx;

	log_error("LUN \"%s\": %llu bytes at %llu are lost: no redundancy was left for an unreadable block",
		l->name, (unsigned long long)length, (unsigned long long)offset);
	eng_event_add(l->array, ENG_EVENT_LUN_MODIFY, &l->id);
}

int eng_lun_open(struct eng_lun *l, bool unclean, bool unwritten, struct err *err)
{
	struct raid_member members[ENG_MAX_MEMBERS];
	struct raid_events events = { .member_failed = on_member_failed, .twin_failed = on_twin_failed,
		.bitmap_write = on_bitmap_write,
		.medium_error = on_medium_error, .data_lost = on_data_lost,
		.lost_write = on_lost_write, .ctx = l };
	struct raid_options options = { .bitmap = eng_lun_type_redundant(l->type) || unwritten,
		.write_through = l->policy & ENG_POLICY_WRITE_THROUGH, .unwritten = unwritten,
		.unclean = unclean };
	const struct raid_range *list;
	void *image = NULL;
	size_t bytes = 0, count;
	int rc = 0;

	if (options.bitmap && !unwritten)
		rc = eng_priv_bitmap_read(l, &image, &bytes);
	if (!rc)
		rc = eng_lost_gather(l);
	if (rc)
		return err_set(err, rc, "Out of memory.");
	l->bitmap_known = image || !options.bitmap || unwritten;
	options.bitmap_image = image;
	options.bitmap_bytes = bytes;
	options.lost = l->lost.items;
	options.lost_count = l->lost.len;
	memset(members, 0, sizeof(members)); /* as they are now: nothing waits from here on */
	for (unsigned i = 0; i < l->shape.members; i++)
		members[i] = to_raid(&l->members[i]);
	rc = raid_open(l->array->loop, l->name, &l->shape, members, &options, &events, &l->set, err);
	free(image);
	for (unsigned i = 0; !rc && i < l->shape.members; i++)
		apply_twin(l, i);
	if (!rc) { /* merged; short of memory it stays as it was gathered, which says the same */
		list = raid_lost_ranges(l->set, &count);
		eng_lost_take(l, list, count);
	}
	l->told_health = eng_lun_health_of(l);
	return rc;
}

void eng_array_freeze(struct eng_array *a)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		if (!eng_lun_set(l))
			continue;
		eng_lun_pin(l);
		l->frozen++;
		raid_freeze(l->set);
	}
}

void eng_array_thaw(struct eng_array *a)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		if (!l->frozen) /* it came while the others were frozen */
			continue;
		raid_thaw(l->set);
		l->frozen--;
		eng_lun_unpin(l);
	}
}

/* ---- making one ------------------------------------------------------------------------------ */

static void set_name(struct eng_lun *l, const char *name)
{
	text_copy(l->name, sizeof(l->name), name ? name : "");
}

static uint64_t member_bytes(const struct raid_shape *s, unsigned slot)
{
	return s->level == RAID_SPAN ? s->span_sizes[slot] : s->member_size;
}

static int take_extents(struct eng_lun *l, const struct eng_plan *plan, struct err *err)
{
	l->shape = plan->shape;
	l->size_bytes = plan->size_bytes;
	l->shape.members = 0; /* grows with the extents, so that none overlaps the ones before */
	for (unsigned i = 0; i < plan->members; i++) {
		struct eng_member *m = &l->members[i];
		int index = eng_pool_index(plan->drives[i]);
		int rc = index < 0 ? index
						   : eng_pool_alloc(plan->drives[i], member_bytes(&plan->shape, i), &m->start);

		if (rc)
			return err_set(err, rc, "The drive in slot %d.%d has no room for another LUN.",
				plan->drives[i]->bus, plan->drives[i]->slot);
		m->drive = plan->drives[i];
		m->index = (unsigned)index;
		m->size = member_bytes(&plan->shape, i);
		m->watermark = m->size;
		m->state = ENG_MEMBER_IN_SYNC;
		l->shape.members = i + 1;
	}
	return 0;
}

/* Zeros on the medium where that is cheap (*unwritten = false), and a fresh bitmap slot. */
static int prepare_extents(struct eng_lun *l, bool *unwritten, struct err *err)
{
	int rc = 0;

	*unwritten = false;
	for (unsigned i = 0; i < l->shape.members; i++)
		*unwritten |= !(l->members[i].drive->dev->flags & BLK_DEV_ZERO_CHEAP);
	for (unsigned i = 0; !rc && i < l->shape.members; i++) {
		const struct eng_member *m = &l->members[i];

		rc = blk_zero(m->drive->dev, priv_bitmap_offset(&m->drive->priv, m->index),
			priv_bitmap_bytes(&m->drive->priv), 0);
		if (!rc && !*unwritten)
			rc = blk_zero(m->drive->dev, m->start, m->size, 0);
		if (!rc)
			rc = blk_flush(m->drive->dev);
		if (rc)
			err_set(err, rc, "The drive in slot %d.%d could not be prepared: %s.", m->drive->bus,
				m->drive->slot, err_name(rc));
	}
	return rc;
}

static void identify(struct eng_lun *l)
{
	struct eng_array *a = l->array;

	ddf_guid_new(&l->ddf_guid, DDF_GUID_LUN, a->rng, ddf_time(loop_wall_ms(a->loop)));
	guid_random(a->rng, &l->id);
	for (unsigned i = 0; i < ENG_MAX_MEMBERS; i++)
		guid_random(a->rng, &l->plex_ids[i]);
	l->created_at = loop_wall_ms(a->loop);
}

static void tell_created(struct eng_lun *l)
{
	eng_event_add(l->array, ENG_EVENT_LUN_ARRIVE, &l->id);
	for (unsigned i = 0; i < l->shape.members; i++)
		eng_event_add(l->array, ENG_EVENT_DRIVE_MODIFY, &l->members[i].drive->id);
	eng_events_flush(l->array);
}

int eng_lun_create(struct eng_array *a, const struct eng_lun_params *p, struct guid *id, struct err *err)
{
	ENG_INSIDE(a);
	struct eng_plan *plan = calloc(1, sizeof(*plan));
	struct eng_lun *l = eng_lun_new(a);
	bool unwritten;
	int rc = plan && l ? 0 : err_set(err, -ENOMEM, "Out of memory.");

	if (!rc)
		rc = eng_plan_lun(a, p, plan, err);
	if (rc)
		goto fail;
	l->type = p->type;
	l->policy = p->policy;
	if (p->rebuild_priority >= 0)
		l->priority = p->rebuild_priority < 16 ? p->rebuild_priority : 15;
	set_name(l, p->name);
	identify(l);
	list_add_tail(&a->luns, &l->link); /* its extents are taken from here on */
	rc = take_extents(l, plan, err);
	if (!rc)
		rc = prepare_extents(l, &unwritten, err);
	if (!rc)
		rc = eng_priv_members(a, l);
	if (!rc)
		rc = eng_lun_open(l, false, unwritten, err);
	if (!rc)
		rc = eng_meta_commit(a, err);
	if (rc)
		goto fail;
	*id = l->id;
	tell_created(l);
	free(plan);
	return 0;
fail:
	free(plan);
	if (l)
		eng_lun_free(l);
	return rc;
}

/* ---- deleting -------------------------------------------------------------------------------- */

static void clear_ends(struct eng_lun *l)
{
	uint64_t tail = l->size_bytes > CLEAR_BYTES ? l->size_bytes - CLEAR_BYTES : 0;
	uint64_t len = l->size_bytes < CLEAR_BYTES ? l->size_bytes : CLEAR_BYTES;

	if (!l->set || eng_lun_health_of(l) == ENG_LUN_FAILED)
		return; /* nothing can be written; the extents are zeroed when they are used again */
	if (blk_zero(raid_dev(l->set), 0, len, 0) || blk_zero(raid_dev(l->set), tail, len, 0) ||
		blk_flush(raid_dev(l->set)))
		log_warning("LUN \"%s\": its partition data could not be cleared before it was deleted",
			l->name);
}

int eng_lun_delete(struct eng_array *a, const struct guid *id, struct err *err)
{
	ENG_INSIDE(a);
	struct eng_lun *l = eng_find_lun(a, id);

	if (!l)
		return err_set(err, -ESTALE, "The LUN is gone.");
	if (l->job && l->job->info.state == ENG_JOB_RUNNING)
		return err_set(err, -EBUSY, "An operation on the LUN has not ended.");
	l->deleted = true; /* no I/O and no look-up finds it from here on */
	if (l->job)
		eng_job_drop(l->job);
	clear_ends(l);
	eng_event_add(a, ENG_EVENT_LUN_DEPART, &l->id);
	for (unsigned i = 0; i < l->shape.members; i++)
		if (l->members[i].drive)
			eng_event_add(a, ENG_EVENT_DRIVE_MODIFY, &l->members[i].drive->id);
	eng_lun_free(l);
	eng_spare_settle(a);
	/* The model has let go of it: a commit that fails now is made up for by the next one. */
	eng_meta_commit(a, NULL);
	eng_priv_members(a, NULL);
	eng_events_flush(a);
	return 0;
}

/* ---- properties ------------------------------------------------------------------------------ */

/* Commits a changed property; undo puts it back if the drives would not take it. */
static int commit_property(struct eng_lun *l, struct err *err)
{
	int rc = eng_meta_commit(l->array, err);

	if (rc)
		return rc;
	eng_event_add(l->array, ENG_EVENT_LUN_MODIFY, &l->id);
	eng_events_flush(l->array);
	return 0;
}

int eng_lun_set_name(struct eng_array *a, const struct guid *id, const char *name, struct err *err)
{
	ENG_INSIDE(a);
	struct eng_lun *l = eng_find_lun(a, id);
	char old[ENG_NAME_BYTES];
	int rc;

	if (!l)
		return err_set(err, -ESTALE, "The LUN is gone.");
	if (!strcmp(l->name, name ? name : ""))
		return 0;
	memcpy(old, l->name, sizeof(old));
	set_name(l, name);
	rc = commit_property(l, err);
	if (rc)
		memcpy(l->name, old, sizeof(old));
	return rc;
}

int eng_lun_set_priority(struct eng_array *a, const struct guid *id, int priority, struct err *err)
{
	ENG_INSIDE(a);
	struct eng_lun *l = eng_find_lun(a, id);
	int old, rc;

	if (!l)
		return err_set(err, -ESTALE, "The LUN is gone.");
	if (priority < 0)
		return err_set(err, -EINVAL, "A rebuild priority is a number from 0 to 15.");
	priority = priority > 15 ? 15 : priority;
	if (l->priority == priority)
		return 0;
	old = l->priority;
	l->priority = priority;
	rc = commit_property(l, err);
	if (rc)
		l->priority = old;
	return rc;
}

int eng_lun_set_policy(struct eng_array *a, const struct guid *id, unsigned policy, struct err *err)
{
	ENG_INSIDE(a);
	struct eng_lun *l = eng_find_lun(a, id);
	unsigned old;
	int rc;

	if (!l)
		return err_set(err, -ESTALE, "The LUN is gone.");
	if (l->policy == policy)
		return 0;
	old = l->policy;
	l->policy = policy;
	rc = commit_property(l, err);
	if (rc)
		l->policy = old;
	return rc;
}

int eng_lun_set_offline(struct eng_array *a, const struct guid *id, bool offline, struct err *err)
{
	ENG_INSIDE(a);
	struct eng_lun *l = eng_find_lun(a, id);
	int rc;

	if (!l)
		return err_set(err, -ESTALE, "The LUN is gone.");
	if (l->offline == offline && !(l->awaits && !offline))
		return 0;
	if (eng_lun_health_of(l) == ENG_LUN_FAILED)
		return err_set(err, -EHOSTDOWN, "The LUN has failed: more drives are lost than it survives.");
	if (!offline)
		eng_outside_go(l);
	l->offline = offline; /* new requests are refused from here on */
	eng_lun_pin(l);
	rc = offline && eng_lun_set(l) ? blk_flush(raid_dev(l->set)) : 0;
	eng_lun_unpin(l);
	if (rc)
		err_set(err, rc, "The LUN's data could not be flushed: %s.", err_name(rc));
	else
		rc = commit_property(l, err);
	if (rc)
		l->offline = !offline;
	return rc;
}

int eng_lun_set_failed(struct eng_array *a, const struct guid *id, bool failed)
{
	struct eng_lun *l = eng_find_lun(a, id);

	if (!l)
		return -ESTALE;
	l->failed_hook = failed;
	eng_events_health(a);
	eng_events_flush(a);
	return 0;
}
