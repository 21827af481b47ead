/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Putting a new drive in the place of an old one in every LUN: by a twin while the old one serves, else by
 * a rebuild. One job for each LUN, taken up again after a restart like any recovery.
 */
#include "engine/engine_internal.h"

static int replace_body(struct eng_job *job, struct err *err)
{
	struct eng_lun *l = job->lun;

	for (unsigned i = 0; i < l->shape.members; i++) {
		int rc;

		if (l->members[i].drive != job->source)
			continue;
		rc = eng_spare_bind(l, i, job->target, err);
		if (rc)
			return rc;
		eng_lun_apply_member(l, i);
	}
	job->body = eng_recover_body; /* what is left, if it is interrupted from here on */
	return eng_recover_body(job, err);
}

static int check_luns(const struct eng_array *a, const struct eng_drive *old, const struct eng_drive *new,
	unsigned *count, struct err *err)
{
	uint64_t need = 0, largest;
	struct list *pos, *tmp;

	*count = 0;
	list_for_each(pos, tmp, &a->luns) {
		const struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		for (unsigned i = 0; i < l->shape.members; i++) {
			if (l->members[i].drive != old)
				continue;
			if (l->job)
				return err_set(err, -EBUSY, "An operation on LUN \"%s\" has not ended.", l->name);
			if (eng_lun_health_of(l) == ENG_LUN_FAILED)
				return err_set(err, -ENOTSUP, "LUN \"%s\" has failed and needs the old drive.", l->name);
			need += l->members[i].size;
			(*count)++;
		}
	}
	eng_pool_free(new, &largest);
	if (largest < need)
		return err_set(err, -ENOTSUP, "The new drive is smaller than the old one's extents.");
	return 0;
}

int eng_drive_replace(struct eng_array *a, const struct guid *oldid, const struct guid *newid,
	struct err *err)
{
	struct eng_drive *old = eng_find_drive(a, oldid), *new = eng_find_drive(a, newid);
	struct list *pos, *tmp;
	unsigned count;
	int rc;

	if (!old || !new)
		return err_set(err, -ENOENT, "One of the ids names no drive.");
	if (old == new)
		return err_set(err, -EINVAL, "A drive cannot take its own place.");
	if (!eng_drive_online(new) || new->predicted || eng_drive_assigned(new) || new->spare_active)
		return err_set(err, -ENOTSUP, "The new drive must be online, healthy and unassigned.");
	rc = check_luns(a, old, new, &count, err);
	if (rc)
		return rc;
	list_for_each(pos, tmp, &a->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);
		struct eng_job *job;
		bool on_old = false;

		for (unsigned i = 0; i < l->shape.members; i++)
			on_old |= l->members[i].drive == old;
		if (!on_old)
			continue;
		job = eng_job_new(l, ENG_JOB_REPLACE, false, false);
		if (!job)
			return err_set(err, -ENOMEM, "Out of memory.");
		job->source = old;
		job->target = new;
		job->body = replace_body;
		rc = eng_job_start(job);
		if (rc)
			return err_set(err, rc, "Out of memory.");
	}
	return 0;
}
