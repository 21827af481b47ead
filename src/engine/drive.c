/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives: how they come, go, fail and are withdrawn.
 *
 * Losing a drive has two halves. The first runs in whoever noticed it, often a write on its way:
 * facts change, and the loss becomes durable on the other drives before that write is acknowledged.
 * The second runs as a task of its own: the drive's members leave their RAID sets (which waits for
 * requests in flight, among them perhaps the one that noticed), the device is closed, events go out.
 *
 * A member whose drive leaves while its LUN still works is STALE from then on. If the loss itself
 * makes the LUN fail, nothing can be written any more, so the member stays current: when the drive
 * comes back unchanged, so does the LUN.
 */
#include "base/log.h"
#include "engine/engine_internal.h"

struct eng_drive *eng_drive_new(struct eng_array *a, const struct eng_bay *bay)
{
	struct eng_drive *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->array = a;
	d->bus = bay->bus;
	d->slot = bay->slot;
	d->id = d->expected = bay->drive;
	d->departed = bay->departed;
	d->lost_at = bay->lost_at;
	d->path = strdup(bay->path ? bay->path : "");
	if (!d->path) {
		free(d);
		return NULL;
	}
	task_mutex_init(&d->priv_lock);
	task_group_init(&d->loss);
	list_init(&d->link);
	return d;
}

void eng_drive_close_dev(struct eng_drive *d)
{
	struct blk_dev *dev = d->dev;

	if (!dev)
		return;
	d->dev = NULL;
	blk_close(dev);
}

static int open_lower(struct eng_drive *d, struct blk_dev **out, struct err *err)
{
	struct eng_array *a = d->array;

	if (a->host.open)
		return a->host.open(a->host.ctx, a->loop, d->path, out, err);
	return blk_file_open(a->loop, d->path, 0, out, err);
}

/*
 * A killed process holds its files until the kernel has taken its requests apart, a moment after
 * the process itself is gone. A drive that is busy is therefore asked again for a while: to begin
 * without it would make what it holds out of date.
 */
int eng_drive_open_dev(struct eng_drive *d, struct err *err)
{
	enum { STEP_MS = 20, STEPS = 100 };
	struct blk_dev *lower, *dev;
	int rc = open_lower(d, &lower, err);

	for (unsigned i = 0; rc == -EBUSY && i < STEPS; i++) {
		task_sleep_ms(STEP_MS);
		err_clear(err);
		rc = open_lower(d, &lower, err);
	}
	if (rc)
		return rc;
	rc = blk_fault_new(lower, &dev);
	if (rc) {
		blk_close(lower);
		return err_set(err, rc, "Out of memory.");
	}
	d->dev = dev;
	d->size_bytes = dev->size_bytes;
	return 0;
}

int eng_create_drive_file(const char *path, uint64_t size_bytes, struct err *err)
{
	return blk_file_create(path, size_bytes, err);
}

/* ---- losing a drive ------------------------------------------------------------------------ */

/* Every LUN whose member is on the drive: fn(lun, slot). */
static void for_members(struct eng_drive *d, void (*fn)(struct eng_lun *l, unsigned slot))
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &d->array->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		for (unsigned i = 0; i < l->shape.members; i++)
			if (l->members[i].drive == d)
				fn(l, i);
	}
}

static void member_left(struct eng_lun *l, unsigned slot)
{
	struct eng_member *m = &l->members[slot];
	uint64_t lost = eng_lun_lost_mask(l);

	if (m->state == ENG_MEMBER_IN_SYNC && !raid_shape_survives(&l->shape, lost | 1ull << slot))
		return; /* the LUN fails with it, so its content stays the current one */
	eng_member_left_behind(l, slot);
}

/* Twins on the drive are none any more. */
static void twins_left(struct eng_drive *d)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &d->array->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		for (unsigned i = 0; i < l->shape.members; i++)
			if (l->twins[i].drive == d)
				eng_twin_drop(l, i);
	}
}

static void tell_lun(struct eng_lun *l, unsigned slot)
{
	(void)slot;
	eng_event_add(l->array, ENG_EVENT_LUN_MODIFY, &l->id);
	l->told_health = eng_lun_health_of(l);
}

static void tell_lost(struct eng_drive *d)
{
	struct eng_array *a = d->array;

	eng_event_add(a, ENG_EVENT_DRIVE_REMOVED, &d->id);
	eng_event_add(a, ENG_EVENT_DRIVE_MODIFY, &d->id);
	for_members(d, tell_lun);
	eng_event_add(a, ENG_EVENT_ARRAY_MODIFY, &a->id);
	eng_events_health(a);
	eng_events_flush(a);
}

/* Every slot of an open set that uses the drive: fn(lun, slot). In the model another may be there already. */
static void for_users(struct eng_drive *d, void (*fn)(struct eng_lun *l, unsigned slot))
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &d->array->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		for (unsigned i = 0; d->dev && i < l->shape.members && eng_lun_set(l); i++)
			if (raid_member(l->set, i).dev == d->dev || raid_twin(l->set, i).dev == d->dev)
				fn(l, i);
	}
}

static void leave_sets(struct eng_drive *d)
{
	for_users(d, eng_lun_apply_member);
}

static void stop_lun(struct eng_lun *l, unsigned slot)
{
	(void)slot;
	log_error("LUN \"%s\" is stopped: the loss of a drive cannot be recorded", l->name);
	l->failed_hook = true;
}

/* Every drive is lost, and none can record it: members must not leave one after the other, or the set would
 * go on with those that have not left yet. */
static void leave_together(struct eng_lun *l, unsigned slot)
{
	(void)slot;
	if (!eng_lun_set(l))
		return;
	eng_lun_pin(l);
	raid_freeze(l->set);
	for (unsigned i = 0; i < l->shape.members; i++)
		eng_lun_apply_member(l, i);
	raid_thaw(l->set);
	eng_lun_unpin(l);
}

/*
 * No set goes on without the drive before the others know of it: a write that leaves it out would
 * be lost if the array then started with the drive and without a drive that knows.
 */
static void make_known(struct eng_drive *d)
{
	enum { RETRY_MS = 100 };
	int rc;

	while ((rc = eng_meta_commit(d->array, NULL)) == -ENOMEM)
		task_sleep_ms(RETRY_MS);
	if (rc)
		for_users(d, rc == -ENODEV ? leave_together : stop_lun);
}

static void loss_task(void *arg)
{
	struct eng_drive *d = arg;
	struct eng_array *a = d->array;

	make_known(d);
	leave_sets(d);
	if (d->out)
		eng_drive_close_dev(d);
	d->losing = false;
	tell_lost(d);
	task_group_end(&d->loss);
	eng_auto_wake(a);
	task_group_end(&a->tasks);
	eng_leave(a);
}

static void note_loss(struct eng_drive *d, int error)
{
	struct eng_array *a = d->array;

	if (error == -ENODEV)
		d->out = true;
	else if (error == -ETIMEDOUT)
		d->unreachable = true;
	else
		d->failed = true;
	d->lost_at = loop_wall_ms(a->loop);
	log_warning("the drive in slot %d.%d (%s) %s: %s", d->bus, d->slot, d->path,
		error == -ENODEV        ? "is gone"
			: error == -ETIMEDOUT ? "does not answer"
								  : "has failed",
		err_name(error));
}

void eng_drive_gone(struct eng_drive *d, int error)
{
	struct eng_array *a = d->array;

	if (d->out || d->failed || d->unreachable)
		return;
	d->losing = true;
	d->told = a->meta_wanted + 1;
	for_members(d, member_left); /* while it still counts as present */
	twins_left(d);
	note_loss(d, error);
	task_group_begin(&d->loss);
	task_group_begin(&a->tasks);
	eng_enter(a);
	if (!task_spawn(a->loop, "drive loss", loss_task, d))
		return;
	log_error("out of memory: the loss of the drive in slot %d.%d is not worked off", d->bus, d->slot);
	d->losing = false;
	eng_leave(a);
	task_group_end(&a->tasks);
	task_group_end(&d->loss);
}

int eng_drive_lost(struct eng_drive *d, int error)
{
	struct eng_array *a = d->array;

	eng_drive_gone(d, error);
	return a->meta_good >= d->told ? 0 : eng_meta_commit(a, NULL);
}

/* The same for callers that are not a request of the drive: returns when all is done. That it was the last
 * one, and nobody is left to tell, does not undo it. */
static int lose_and_wait(struct eng_drive *d, int error)
{
	int rc = eng_drive_lost(d, error);

	task_group_wait(&d->loss);
	return rc == -ENODEV ? 0 : rc;
}

int eng_drive_pull(struct eng_array *a, const struct guid *id, struct err *err)
{
	struct eng_drive *d = eng_find_drive(a, id);
	ENG_INSIDE(a);

	if (!d)
		return err_set(err, -ESTALE, "The drive is gone.");
	if (eng_drive_online(d))
		return lose_and_wait(d, -ENODEV);
	task_group_wait(&d->loss);
	if (d->out)
		return 0;
	d->out = true;
	d->lost_at = loop_wall_ms(a->loop);
	leave_sets(d);
	eng_drive_close_dev(d);
	eng_meta_commit(a, NULL);
	tell_lost(d);
	return 0;
}

/* ---- coming back --------------------------------------------------------------------------- */

/*
 * A LUN that was opened without any current member knows nothing of its written regions: once such a
 * member is here its set is opened anew, as after a crash.
 */
static void member_back(struct eng_lun *l, unsigned slot)
{
	struct err err = { 0 };

	if (l->bitmap_known || l->members[slot].state != ENG_MEMBER_IN_SYNC) {
		eng_lun_apply_member(l, slot);
		return;
	}
	eng_lun_swap_begin(l, false);
	if (eng_lun_open(l, true, false, &err))
		log_error("LUN \"%s\" stays out of service: %s", l->name, err.text);
	eng_lun_swap_end(l);
	if (l->set)
		eng_resync_after_crash(l);
}

int eng_drive_members_stale(struct eng_drive *d, struct err *err)
{
	struct eng_array *a = d->array;
	int rc = eng_priv_members(a, NULL);

	/* First the drive's own table, so that its member states are right once its records are. */
	if (!rc)
		rc = eng_meta_commit(a, err);
	if (!rc)
		for_members(d, member_back);
	return rc;
}

static void demote_others(struct eng_lun *l, unsigned slot)
{
	(void)slot;
	eng_lun_demote_absent(l);
}

/* What an older image of the drive holds counts only where nobody else has it. */
static void distrust(struct eng_lun *l, unsigned slot)
{
	struct eng_member *m = &l->members[slot];

	if (!m->drive->older || !eng_lun_type_redundant(l->type))
		return;
	m->state = ENG_MEMBER_STALE;
	m->watermark = 0;
}

static void await_end(struct eng_lun *l, unsigned slot)
{
	(void)slot;
	l->awaits &= eng_lun_lost_mask(l) != 0;
}

/* Brings a drive that is physically there again into the array. */
static int take_back(struct eng_drive *d, struct err *err)
{
	struct eng_array *a = d->array;
	int rc;

	d->ours = true;
	d->out = d->failed = d->unreachable = d->departed = false;
	d->lost_at = 0;
	d->note[0] = '\0';
	d->written_known = false;
	rc = d->adopted ? eng_priv_init(d, err) : eng_priv_load(d, err);
	if (!rc)
		eng_adopt_indexes(d);
	for_members(d, distrust);
	for_members(d, eng_outside_back);
	for_members(d, await_end);
	/* With it a failed LUN may work again while others are still away. */
	for_members(d, demote_others);
	if (!rc)
		rc = eng_drive_members_stale(d, err);
	if (rc)
		return rc;
	eng_event_add(a, ENG_EVENT_DRIVE_MODIFY, &d->id);
	for_members(d, tell_lun);
	eng_event_add(a, ENG_EVENT_ARRAY_MODIFY, &a->id);
	eng_events_health(a);
	eng_events_flush(a);
	eng_auto_wake(a);
	return 0;
}

/* What is in the bay now, compared with the drive that was there. */
static int recognise(struct eng_drive *d, struct err *err)
{
	struct eng_array *a = d->array;
	struct eng_drive probe = *d;
	struct eng_found found;
	int rc = eng_load_drive(&probe, &a->container, &found, err);

	if (rc)
		return rc;
	if (!ddf_guid_equal(&found.image.drive.guid, &d->ddf_guid))
		rc = err_set(err, -EMEDIUMTYPE, "%s is another drive than the one that was here.", d->path);
	else if (found.image.set.seq > a->seq || (probe.adopted && found.image.set.seq > d->seq))
		rc = err_set(err, -EMEDIUMTYPE,
			"%s was changed elsewhere since it left this array; it is set aside.", d->path);
	if (!rc) {
		d->layout = probe.layout;
		d->priv = probe.priv;
		d->adopted = probe.adopted;
		d->anchor_bad |= probe.anchor_bad;
		eng_outside_vacated(d, &found.image.drive.confs);
		d->older = found.image.set.seq < d->seq;
		d->outside = found.image.set.own_seq != found.image.set.seq;
		if (d->older)
			log_warning("%s is an older image of the drive (sequence number %u of %u): it is filled anew",
				d->path, found.image.set.seq, d->seq);
	}
	eng_found_free(&found);
	return rc;
}

static int reopen(struct eng_drive *d, struct err *err)
{
	int rc;

	task_group_wait(&d->loss);
	eng_drive_close_dev(d);
	rc = eng_drive_open_dev(d, err);
	if (!rc)
		rc = recognise(d, err);
	if (rc) {
		eng_drive_close_dev(d);
		text_copy(d->note, sizeof(d->note), err && err->code ? err->text : err_name(rc));
	}
	return rc;
}

int eng_drive_insert(struct eng_array *a, const struct eng_bay *bay, struct err *err)
{
	struct eng_drive *d = guid_is_zero(&bay->drive) ? eng_find_bay(a, bay->bus, bay->slot)
													: eng_find_drive_any(a, &bay->drive);
	struct eng_drive *there;
	ENG_INSIDE(a);
	bool arrives;
	int rc;

	if (d && !d->out)
		return 0;
	/* Not necessarily the drive that was here. */
	there = eng_drive_known(a, bay);
	if (there && !there->out)
		return err_set(err, -EEXIST, "%s carries the identity of the drive in slot %d.%d.", bay->path,
			there->bus, there->slot);
	d = there ? there : d;
	if (!d || !d->refnum) {
		struct guid id;

		return eng_drive_add(a, bay, &id, err);
	}
	arrives = d->departed;
	rc = eng_drive_set_bay(d, bay);
	rc = rc ? err_set(err, rc, "Out of memory.") : reopen(d, err);
	if (rc)
		return rc;
	if (arrives)
		eng_event_add(a, ENG_EVENT_DRIVE_ARRIVE, &d->id);
	return take_back(d, err);
}

int eng_drive_set_failed(struct eng_array *a, const struct guid *id, bool failed, struct err *err)
{
	struct eng_drive *d = eng_find_drive(a, id);
	ENG_INSIDE(a);

	if (!d)
		return err_set(err, -ESTALE, "The drive is gone.");
	if (d->failed == failed)
		return 0;
	if (failed && eng_drive_online(d))
		return lose_and_wait(d, -EIO);
	if (failed) {
		d->failed = true;
		eng_meta_commit(a, NULL);
		tell_lost(d);
		return 0;
	}
	task_group_wait(&d->loss);
	if (d->out) {
		d->failed = false;
		return eng_meta_commit(a, err);
	}
	d->failed = false;
	d->out = true; /* for reopen: it comes back like one that was pulled */
	if (reopen(d, err)) {
		d->out = false;
		d->failed = true;
		return -EHOSTDOWN;
	}
	return take_back(d, err);
}

int eng_drive_set_predicted(struct eng_array *a, const struct guid *id, bool predicted,
	struct err *err)
{
	struct eng_drive *d = eng_find_drive(a, id);
	ENG_INSIDE(a);
	int rc;

	if (!d)
		return err_set(err, -ESTALE, "The drive is gone.");
	if (d->predicted == predicted)
		return 0;
	d->predicted = predicted;
	rc = eng_meta_commit(a, err);
	if (rc) {
		d->predicted = !predicted;
		return rc;
	}
	eng_event_add(a, ENG_EVENT_DRIVE_MODIFY, &d->id);
	eng_events_health(a);
	eng_events_flush(a);
	eng_auto_wake(a);
	return 0;
}

/* ---- withdrawn on purpose ------------------------------------------------------------------ */

static int may_go_offline(struct eng_drive *d, struct err *err)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &d->array->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);
		uint64_t lost = eng_lun_lost_mask(l), gone = lost;

		for (unsigned i = 0; i < l->shape.members; i++)
			if (l->members[i].drive == d)
				gone |= 1ull << i;
		if (gone != lost && !raid_shape_survives(&l->shape, gone))
			return err_set(err, -EPERM, "Without this drive the data of LUN \"%s\" could not be read.",
				l->name);
	}
	return 0;
}

static void to_stale(struct eng_lun *l, unsigned slot)
{
	struct eng_member *m = &l->members[slot];

	eng_twin_drop(l, slot); /* it keeps its place, and nothing is copied from it */
	if (m->state == ENG_MEMBER_IN_SYNC)
		m->watermark = m->size;
	m->state = ENG_MEMBER_STALE;
	eng_lun_apply_member(l, slot);
}

/* With all sets frozen: writes on their way have ended; later ones leave the member out, and their
 * regions stay marked. The commit that makes "out of date" durable comes before any of them. */
static int withdraw(struct eng_drive *d, struct err *err)
{
	struct eng_array *a = d->array;
	int rc;

	if (!eng_drive_online(d)) /* lost while the sets came to rest */
		return err_set(err, -EHOSTDOWN, "The drive in slot %d.%d does not answer.", d->bus, d->slot);
	rc = may_go_offline(d, err); /* another one may have gone meanwhile */
	if (rc)
		return rc;
	d->admin_offline = true;
	for_members(d, to_stale);
	twins_left(d);
	leave_sets(d);
	eng_spare_settle(a);
	rc = eng_priv_members(a, NULL);
	if (!rc)
		rc = d->dev ? blk_flush(d->dev) : -ENODEV;
	if (rc)
		err_set(err, rc, "The drive in slot %d.%d could not be flushed: %s.", d->bus, d->slot,
			err_name(rc));
	else
		rc = eng_meta_commit(a, err);
	if (!rc)
		return 0;
	d->admin_offline = false; /* it stays, and catches up with what it missed */
	for_members(d, eng_lun_apply_member);
	eng_meta_commit(a, NULL);
	return rc;
}

static int go_offline(struct eng_drive *d, struct err *err)
{
	struct eng_array *a = d->array;
	int rc = may_go_offline(d, err);

	if (rc)
		return rc;
	eng_array_freeze(a);
	rc = withdraw(d, err);
	eng_array_thaw(a);
	if (rc)
		eng_auto_wake(a);
	else
		tell_lost(d);
	return rc;
}

static int go_online(struct eng_drive *d, struct err *err)
{
	struct eng_array *a = d->array;
	int rc = recognise(d, err);

	if (rc) {
		d->admin_offline = false;
		d->failed = true;
		d->lost_at = loop_wall_ms(a->loop);
		eng_meta_commit(a, NULL);
		tell_lost(d);
		return err_wrap(err, -EHOSTDOWN, "The drive in slot %d.%d does not answer; it has failed.",
			d->bus, d->slot);
	}
	d->admin_offline = false;
	rc = take_back(d, err);
	if (!rc)
		eng_auto_resync(d);
	return rc;
}

int eng_drive_set_offline(struct eng_array *a, const struct guid *id, bool offline, struct err *err)
{
	struct eng_drive *d = eng_find_drive(a, id);
	enum eng_drive_state state;
	ENG_INSIDE(a);

	if (!d || d->out)
		return err_set(err, -ESTALE, "The drive is gone.");
	state = eng_drive_state_of(d);
	if (state == ENG_DRIVE_FAILED)
		return err_set(err, -EHOSTDOWN, "The drive in slot %d.%d has failed.", d->bus, d->slot);
	if (state == ENG_DRIVE_FOREIGN)
		return err_set(err, -ENOTSUP, "The drive in slot %d.%d is set aside: %s", d->bus, d->slot,
			d->note);
	if (d->admin_offline == offline)
		return 0;
	if (eng_drive_busy(a, id))
		return err_set(err, -EBUSY, "A rebuild reads from or writes to the drive in slot %d.%d.",
			d->bus, d->slot);
	return offline ? go_offline(d, err) : go_online(d, err);
}

int eng_drive_set_spare(struct eng_array *a, const struct guid *id, bool spare, struct err *err)
{
	struct eng_drive *d = eng_find_drive(a, id);
	ENG_INSIDE(a);
	int rc;

	if (!d || d->out)
		return err_set(err, -ESTALE, "The drive is gone.");
	if (d->failed)
		return err_set(err, -EHOSTDOWN, "The drive in slot %d.%d has failed.", d->bus, d->slot);
	if (d->spare == spare)
		return 0;
	if (spare && (!eng_drive_online(d) || eng_drive_assigned(d)))
		return err_set(err, -ENOTSUP,
			"Only an online drive that belongs to no LUN can become a hot spare.");
	if (!spare && d->spare_active)
		return err_set(err, -ENOTSUP, "The spare stands in for a lost drive at the moment.");
	d->spare = spare;
	rc = eng_meta_commit(a, err);
	if (rc) {
		d->spare = !spare;
		return rc;
	}
	eng_event_add(a, ENG_EVENT_DRIVE_MODIFY, &d->id);
	eng_events_flush(a);
	eng_auto_wake(a);
	return 0;
}

bool eng_drive_busy(const struct eng_array *a, const struct guid *id)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->jobs) {
		const struct eng_job *job = list_entry(pos, struct eng_job, link);

		if (job->info.state != ENG_JOB_RUNNING || !job->lun)
			continue;
		for (unsigned i = 0; i < 2 * job->lun->shape.members; i++) {
			const struct eng_member *m = eng_lun_extent(job->lun, i);

			if (m && guid_equal(&m->drive->id, id))
				return true;
		}
	}
	return false;
}
