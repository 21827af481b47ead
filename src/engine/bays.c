/* SPDX-License-Identifier: Apache-2.0 */
/* Bays: drives put in and taken out by people, looking at all of them again, and the fault hooks. */
#include "base/log.h"
#include "engine/engine_internal.h"

int eng_drive_set_bay(struct eng_drive *d, const struct eng_bay *bay)
{
	char *path = strdup(bay->path ? bay->path : "");

	if (!path)
		return -ENOMEM;
	free(d->path);
	d->path = path;
	d->bus = bay->bus;
	d->slot = bay->slot;
	return 0;
}

/* A drive of this array whose record was dropped after it departed: it is taken in again, empty. */
static int readopt(struct eng_drive *d, const struct eng_found *f, struct err *err)
{
	struct eng_array *a = d->array;

	d->ddf_guid = f->image.drive.guid;
	d->refnum = f->image.drive.refnum;
	if (eng_find_refnum(a, d->refnum) != NULL)
		d->refnum = ddf_refnum_new(&a->set, a->rng);
	d->id = ddf_guid_object(&d->ddf_guid);
	d->ours = true;
	return eng_priv_init(d, err);
}

/* Opens a bay's drive for the first time; on success it belongs to the array. */
static int bring_in(struct eng_drive *d, struct err *err)
{
	struct eng_array *a = d->array;
	struct eng_found found;
	int rc = eng_drive_open_dev(d, err);

	if (rc)
		return rc;
	memset(&found, 0, sizeof(found));
	rc = eng_load_drive(d, &a->container, &found, err);
	if (rc == -ENODATA) {
		err_clear(err);
		return eng_drive_format(d, err);
	}
	if (rc)
		return rc;
	if (found.image.set.seq > a->seq)
		rc = err_set(err, -EMEDIUMTYPE,
			"%s carries newer metadata of this array than the array has; open the array with all its "
			"drives.",
			d->path);
	else
		rc = readopt(d, &found, err);
	eng_found_free(&found);
	return rc;
}

struct eng_drive *eng_drive_known(struct eng_array *a, const struct eng_bay *bay)
{
	struct eng_drive *probe = eng_drive_new(a, bay), *d = NULL;
	struct eng_found found;
	struct err err = { 0 };

	if (!probe)
		return NULL;
	memset(&found, 0, sizeof(found));
	if (!eng_drive_open_dev(probe, &err) && !eng_load_drive(probe, &a->container, &found, &err)) {
		struct guid id = ddf_guid_object(&found.image.drive.guid);

		d = eng_find_drive_any(a, &id);
		eng_found_free(&found);
	}
	eng_drive_free(probe);
	return d;
}

int eng_drive_add(struct eng_array *a, const struct eng_bay *bay, struct guid *id, struct err *err)
{
	ENG_INSIDE(a);
	struct eng_drive *there = eng_find_bay(a, bay->bus, bay->slot);
	struct eng_drive *d = eng_drive_known(a, bay);
	int rc;

	if (d && !d->refnum) { /* remembered by its bay only */
		there = there == d ? NULL : there;
		eng_drive_free(d);
		d = NULL;
	}
	if (there && there != d && !there->out && !there->departed && there->dev)
		return err_set(err, -EBUSY, "Slot %d.%d is occupied.", bay->bus, bay->slot);
	if (there && there != d && !there->dev && !there->refnum)
		eng_drive_free(there); /* what was set aside is looked at anew */
	if (d && !d->out)
		return err_set(err, -EEXIST, "%s carries the identity of the drive in slot %d.%d.", bay->path,
			d->bus, d->slot);
	if (d) {
		struct eng_bay back = *bay;

		back.drive = *id = d->id;
		return eng_drive_insert(a, &back, err);
	}
	if (a->waiting)
		return err_set(err, -EMEDIUMTYPE,
			"The subsystem takes over an array, and waits for its drives; %s is none of them.", bay->path);
	d = eng_drive_new(a, bay);
	if (!d)
		return err_set(err, -ENOMEM, "Out of memory.");
	memset(&d->id, 0, sizeof(d->id));
	d->departed = false;
	d->lost_at = 0;
	d->fresh = true;
	rc = bring_in(d, err);
	if (!rc) {
		list_add_tail(&a->drives, &d->link);
		rc = eng_meta_commit(a, err);
	}
	if (rc) {
		eng_drive_free(d);
		return rc;
	}
	*id = d->id;
	eng_event_add(a, ENG_EVENT_DRIVE_ARRIVE, &d->id);
	eng_event_add(a, ENG_EVENT_ARRAY_MODIFY, &a->id);
	eng_events_flush(a);
	eng_auto_wake(a);
	return 0;
}

static void let_go(struct eng_drive *d)
{
	if (d->departed)
		return;
	d->departed = true;
	eng_event_add(d->array, ENG_EVENT_DRIVE_DEPART, &d->id);
}

int eng_drive_forget(struct eng_array *a, const struct guid *id, struct err *err)
{
	ENG_INSIDE(a);
	struct eng_drive *d = eng_find_drive(a, id);
	int rc;

	if (!d)
		return err_set(err, -ESTALE, "The drive is gone.");
	rc = eng_drive_pull(a, id, err);
	if (rc)
		return rc;
	let_go(d);
	free(d->path);
	d->path = strdup("");
	d->bus = d->slot = -1;
	if (!eng_drive_assigned(d)) {
		eng_drive_free(d);
		d = NULL;
	}
	rc = eng_meta_commit(a, err);
	eng_events_flush(a);
	return rc == -ENODEV ? 0 : rc; /* it was the last: nobody is left who would remember it */
}

int eng_drive_ping(struct eng_array *a, const struct guid *id, struct err *err)
{
	ENG_INSIDE(a);
	struct eng_drive *d = eng_find_drive(a, id);
	uint8_t *buf;
	int rc;

	if (!d || d->out)
		return err_set(err, -ESTALE, "The drive is gone.");
	if (!d->dev)
		return err_set(err, -EHOSTDOWN, "The drive in slot %d.%d does not answer.", d->bus, d->slot);
	buf = loop_buf_alloc(a->loop, 4096);
	if (!buf)
		return err_set(err, -ENOMEM, "Out of memory.");
	rc = blk_read(d->dev, (d->size_bytes / 512 - 1) * 512, buf, 512);
	loop_buf_free(a->loop, buf, 4096);
	return rc ? err_set(err, rc, "The drive in slot %d.%d does not answer: %s.", d->bus, d->slot,
					err_name(rc))
			  : 0;
}

/* ---- looking at all bays again --------------------------------------------------------------- */

static int rescan_bay(struct eng_array *a, const struct eng_bay *bay)
{
	struct eng_drive *d = guid_is_zero(&bay->drive) ? eng_find_bay(a, bay->bus, bay->slot)
													: eng_find_drive_any(a, &bay->drive);
	struct err err = { 0 };
	int rc;

	if (d && !d->out && d->dev && !d->failed) {
		rc = bay->gone ? -ENODEV : eng_drive_ping(a, &d->id, &err);
		if (!rc || rc == -ENOMEM)
			return rc;
		eng_drive_lost(d, rc == -ENODEV ? rc : -EIO);
		task_group_wait(&d->loss);
		return 0;
	}
	if (bay->gone || !bay->path || !bay->path[0])
		return 0;
	if (d && !d->out)
		return 0;
	rc = eng_drive_insert(a, bay, &err);
	if (rc)
		log_info("slot %d.%d: %s", bay->bus, bay->slot, err.text);
	return rc == -ENOMEM ? rc : 0;
}

int eng_array_rescan(struct eng_array *a, const struct eng_bay *bays, unsigned bays_len, struct err *err)
{
	ENG_INSIDE(a);
	struct list *pos, *tmp;
	bool changed = false;
	int rc = 0;

	for (unsigned i = 0; i < bays_len && !rc; i++)
		rc = rescan_bay(a, &bays[i]);
	if (rc)
		return err_set(err, rc, "Out of memory.");
	list_for_each(pos, tmp, &a->drives) {
		struct eng_drive *d = list_entry(pos, struct eng_drive, link);

		if (!d->out || d->departed)
			continue;
		let_go(d);
		changed = true;
	}
	if (changed)
		rc = eng_meta_commit(a, err);
	if (rc == -ENODEV) /* all are gone: that is what was found */
		rc = 0;
	eng_events_health(a);
	eng_events_flush(a);
	return rc;
}

/* ---- the array as a whole --------------------------------------------------------------------- */

int eng_array_set_name(struct eng_array *a, const char *name, struct err *err)
{
	ENG_INSIDE(a);
	char old[ENG_NAME_BYTES];
	int rc;

	if (!strcmp(a->name, name ? name : ""))
		return 0;
	memcpy(old, a->name, sizeof(old));
	text_copy(a->name, sizeof(a->name), name ? name : "");
	rc = eng_meta_commit(a, err);
	if (rc) {
		memcpy(a->name, old, sizeof(old));
		return rc;
	}
	eng_event_add(a, ENG_EVENT_ARRAY_MODIFY, &a->id);
	eng_events_flush(a);
	return 0;
}

void eng_array_hold_recovery(struct eng_array *a, bool hold)
{
	ENG_INSIDE(a);
	if (a->hold == hold)
		return;
	a->hold = hold;
	if (hold)
		eng_jobs_interrupt(a);
	else
		eng_auto_kick(a);
}

int eng_array_flush(struct eng_array *a, struct err *err)
{
	ENG_INSIDE(a);
	struct list *pos, *tmp;
	int rc = 0;

	list_for_each(pos, tmp, &a->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);
		int one;

		if (l->deleted || eng_lun_health_of(l) == ENG_LUN_FAILED)
			continue;
		eng_lun_pin(l);
		one = eng_lun_set(l) ? blk_flush(raid_dev(l->set)) : 0;
		eng_lun_unpin(l);
		if (one && !rc)
			rc = err_set(err, one, "LUN \"%s\" could not be flushed: %s.", l->name, err_name(one));
	}
	task_wake_all(&a->job_queue);
	return rc;
}

int eng_array_set_offline(struct eng_array *a, bool offline, struct err *err)
{
	ENG_INSIDE(a);
	struct list *pos, *tmp;
	int rc;

	if (a->offline == offline)
		return 0;
	a->offline = offline; /* new requests are refused from here on */
	rc = offline ? eng_array_flush(a, err) : 0;
	if (rc) {
		a->offline = !offline;
		return rc;
	}
	eng_array_hold_recovery(a, offline);
	eng_event_add(a, ENG_EVENT_ARRAY_MODIFY, &a->id);
	list_for_each(pos, tmp, &a->luns)
		eng_event_add(a, ENG_EVENT_LUN_MODIFY, &list_entry(pos, struct eng_lun, link)->id);
	eng_events_flush(a);
	return 0;
}

/* ---- fault hooks ------------------------------------------------------------------------------ */

int eng_drive_fault_add(struct eng_array *a, const struct guid *id, enum blk_fault_kind kind,
	uint64_t offset, uint64_t length)
{
	struct eng_drive *d = eng_find_drive_any(a, id);

	if (!d)
		return -ENOENT;
	return d->dev ? blk_fault_add(d->dev, kind, offset, length) : 0;
}

int eng_drive_fault_clear(struct eng_array *a, const struct guid *id, enum blk_fault_kind kind)
{
	struct eng_drive *d = eng_find_drive_any(a, id);

	if (!d)
		return -ENOENT;
	if (d->dev)
		blk_fault_clear(d->dev, kind);
	return 0;
}

int eng_drive_fault_for_each(struct eng_array *a, const struct guid *id,
	void (*fn)(void *ctx, enum blk_fault_kind kind, uint64_t offset, uint64_t length), void *ctx)
{
	struct eng_drive *d = eng_find_drive_any(a, id);

	if (!d)
		return -ENOENT;
	if (d->dev)
		blk_fault_for_each(d->dev, fn, ctx);
	return 0;
}

int eng_drive_fault_corrupt(struct eng_array *a, const struct guid *id, uint64_t offset, uint64_t length)
{
	ENG_INSIDE(a);
	struct eng_drive *d = eng_find_drive_any(a, id);
	uint64_t from = offset & ~511ull, end = (offset + length + 511) & ~511ull;
	uint8_t *buf;
	int rc = 0;

	if (!d || !d->dev)
		return -ENOENT;
	if (end > d->size_bytes || length > d->size_bytes)
		return -EINVAL;
	buf = loop_buf_alloc(a->loop, 65536);
	if (!buf)
		return -ENOMEM;
	for (uint64_t at = from; at < end && !rc; at += 65536) {
		size_t n = end - at < 65536 ? (size_t)(end - at) : 65536;

		rc = blk_read(d->dev, at, buf, n);
		for (size_t i = 0; i < n; i++)
			if (at + i >= offset && at + i < offset + length)
				buf[i] = (uint8_t)~buf[i];
		if (!rc)
			rc = blk_write(d->dev, at, buf, n, 0);
	}
	loop_buf_free(a->loop, buf, 65536);
	return rc;
}
