/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recovery of a LUN: hardware.md 7.2. In order: find a drive for each slot that is not in sync (the
 * one that came back, else a spare), fill those slots, then, where somebody asked for it (Recover),
 * compare copies or recompute parity.
 *
 * Crash safety: a slot's reference is in the configuration records only while its content is
 * complete; a slot being filled is vacant there, and the member table on the target drive says how
 * far it has come. The order at the end is: target flushed, member table, configuration.
 */
#include "base/log.h"
#include "engine/engine_internal.h"

static unsigned share_of(int priority)
{
	return 5u + (unsigned)priority * 85u / 15u;
}

static struct eng_member *target(const struct eng_job *job, unsigned slot)
{
	return job->copying ? &job->lun->twins[slot] : &job->lun->members[slot];
}

static int checkpoint(struct raid_run *run, uint64_t watermark)
{
	struct eng_job *job = run->user;
	struct eng_lun *l = job->lun;

	for (unsigned i = 0; i < l->shape.members; i++) {
		struct eng_member *m = target(job, i);

		if (m->state == ENG_MEMBER_REBUILDING && eng_drive_online(m->drive) && m->watermark < watermark)
			m->watermark = watermark < m->size ? watermark : m->size;
	}
	return eng_priv_members(l->array, l);
}

/* The twins of the pass are filled: they take their members' places in the model. */
static void take_places(struct eng_job *job, struct eng_member old[ENG_MAX_MEMBERS])
{
	struct eng_lun *l = job->lun;

	for (unsigned i = 0; i < l->shape.members; i++) {
		if (!(job->pass & 1ull << i))
			continue;
		old[i] = l->members[i];
		l->members[i] = l->twins[i];
		memset(&l->twins[i], 0, sizeof(l->twins[i]));
	}
}

static void give_places_back(struct eng_job *job, const struct eng_member old[ENG_MAX_MEMBERS])
{
	struct eng_lun *l = job->lun;

	for (unsigned i = 0; i < l->shape.members; i++) {
		if (!(job->pass & 1ull << i))
			continue;
		l->twins[i] = l->members[i];
		l->twins[i].state = ENG_MEMBER_REBUILDING;
		l->members[i] = old[i];
		if (!eng_drive_online(l->twins[i].drive))
			eng_twin_drop(l, i);
	}
}

/* False when a drive of the pass was lost meanwhile: in the model its slots are something else then, and
 * the set is about to hear of it. */
static bool still_as_begun(const struct eng_job *job)
{
	const struct eng_lun *l = job->lun;

	for (unsigned i = 0; i < l->shape.members; i++) {
		const struct eng_member *m = &l->members[i], *t = job->copying ? &l->twins[i] : m;

		if (!(job->pass & 1ull << i))
			continue;
		if (t->state != ENG_MEMBER_REBUILDING || !eng_drive_online(t->drive))
			return false;
		if (job->copying && m->state != ENG_MEMBER_IN_SYNC)
			return false;
	}
	return true;
}

/*
 * The slots of the pass are complete. That becomes durable before the set counts on them, and with it
 * that members still away are left behind: the LUN may go on without them from here.
 */
static int complete(struct raid_run *run)
{
	struct eng_job *job = run->user;
	struct eng_lun *l = job->lun;
	struct eng_member old[ENG_MAX_MEMBERS];
	int rc;

	if (!still_as_begun(job))
		return -EIO;
	if (job->copying)
		take_places(job, old);
	for (unsigned i = 0; i < l->shape.members; i++)
		if (job->pass & 1ull << i) {
			l->members[i].state = ENG_MEMBER_IN_SYNC;
			l->members[i].watermark = l->members[i].size;
		}
	eng_lun_demote_absent(l);
	rc = eng_priv_members(l->array, l);
	if (!rc)
		rc = eng_meta_commit(l->array, NULL);
	if (rc && job->copying) /* it goes on getting every write, so it may stand on a drive that it counts */
		give_places_back(job, old);
	return rc;
}

static void step(struct raid_run *run)
{
	struct eng_job *job = run->user;

	run->rate_limit = job->array->settings.rebuild_rate;
	run->foreground_share = share_of(job->lun->priority);
	eng_job_progress(job);
	if (job->info.percent >= 50 && !job->half_told) {
		job->half_told = true;
		eng_point(job->array, "job:half", &job->info.object);
	}
}

void eng_job_begin_pass(struct eng_job *job)
{
	job->base_done += job->run.done;
	memset(&job->run, 0, sizeof(job->run));
	job->run.cancel = job->cancel || job->interrupt;
	job->run.user = job;
	job->run.checkpoint = checkpoint;
	job->run.step = step;
	job->run.complete = complete;
	job->run.rate_limit = job->array->settings.rebuild_rate;
	job->run.foreground_share = share_of(job->lun->priority);
}

/* Slots whose member is to be moved while it serves. */
static uint64_t movable(const struct eng_lun *l)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < l->shape.members; i++)
		if (eng_drive_online(l->twins[i].drive) && eng_drive_online(l->members[i].drive) &&
			l->members[i].state == ENG_MEMBER_IN_SYNC)
			mask |= 1ull << i;
	return mask;
}

/* Slots that are not in sync but have a drive to fill. */
static uint64_t fillable(const struct eng_lun *l)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < l->shape.members; i++)
		if (l->members[i].state != ENG_MEMBER_IN_SYNC && eng_drive_online(l->members[i].drive))
			mask |= 1ull << i;
	return mask;
}

/* A failing drive keeps its place until a spare beside it is filled. */
bool eng_slot_wants_spare(const struct eng_lun *l, unsigned slot)
{
	const struct eng_member *m = &l->members[slot];

	if (!eng_drive_online(m->drive))
		return m->state != ENG_MEMBER_IN_SYNC; /* else the LUN failed with it and needs it back */
	return m->drive->predicted && !l->twins[slot].drive;
}

/* Gives every lost slot a spare; *missing tells what kept the last one from getting one. */
static int bind_spares(struct eng_lun *l, uint64_t *bound, int *missing, struct err *err)
{
	for (unsigned i = 0; i < l->shape.members; i++) {
		struct eng_drive *spare;
		int why, rc;

		if (!eng_slot_wants_spare(l, i))
			continue;
		spare = eng_spare_pick(l, i, &why);
		if (!spare) {
			if (!eng_drive_online(l->members[i].drive))
				*missing = why;
			continue;
		}
		rc = eng_spare_bind(l, i, spare, err);
		if (rc)
			return rc;
		*bound |= 1ull << i;
	}
	return 0;
}

/* Makes the slots (or their twins) REBUILDING: on the drives, in the set, for everybody to see. */
static int begin_filling(struct eng_job *job, uint64_t mask, struct err *err)
{
	struct eng_lun *l = job->lun;
	int rc;

	for (unsigned i = 0; i < l->shape.members; i++)
		if (mask & 1ull << i)
			target(job, i)->state = ENG_MEMBER_REBUILDING;
	/* From here on the slots get every change of the bitmap; first they need what it holds now. */
	rc = eng_priv_bitmap_write(l, 0, (unsigned)(raid_bitmap_bytes(&l->shape) / 4096));
	if (!rc && l->lost.len)
		rc = eng_lost_write(l);
	if (!rc)
		rc = eng_priv_members(l->array, l);
	if (!rc)
		rc = eng_meta_commit(l->array, err);
	if (rc)
		return rc;
	for (unsigned i = 0; i < l->shape.members; i++)
		if (mask & 1ull << i)
			eng_lun_apply_member(l, i);
	eng_events_health(l->array);
	eng_events_flush(l->array);
	return 0;
}

static bool same_target(const struct eng_job *a, unsigned i, const struct eng_job *b, unsigned j)
{
	return target(a, i)->drive && target(a, i)->drive == target(b, j)->drive;
}

/* Target drives are worked for one LUN after another. */
static int wait_for_targets(struct eng_job *job, uint64_t mask)
{
	struct eng_array *a = job->array;
	bool free;

	do {
		struct list *pos, *tmp;

		free = true;
		list_for_each(pos, tmp, &a->jobs) {
			struct eng_job *other = list_entry(pos, struct eng_job, link);

			if (other == job || !other->filling || other->info.state != ENG_JOB_RUNNING)
				continue;
			for (unsigned i = 0; i < job->lun->shape.members; i++)
				for (unsigned j = 0; j < other->lun->shape.members; j++)
					if (mask & 1ull << i && other->filling & 1ull << j && same_target(job, i, other, j))
						free = false;
		}
		if (job->cancel || job->interrupt)
			return -ECANCELED;
		if (!free)
			task_wait(&a->job_queue);
	} while (!free);
	return 0;
}

/* What a slot is after a pass that did not end well; what was lost meanwhile is no longer our business. */
static void settle_slot(struct eng_job *job, unsigned slot, bool goes_on)
{
	struct eng_lun *l = job->lun;
	struct eng_member *m = target(job, slot);

	if (!m->drive)
		return;
	m->watermark = (job->copying ? raid_twin(l->set, slot) : raid_member(l->set, slot)).watermark;
	if (goes_on)
		eng_lun_apply_member(l, slot); /* writes go on reaching it */
	else
		m->state = ENG_MEMBER_STALE;
}

/* What a pass left behind, written down; and spares that are none any more. */
static int settle_slots(struct eng_job *job, uint64_t mask, int rc, struct err *err)
{
	bool goes_on = rc == -ECANCELED && job->interrupt && !job->cancel;
	struct eng_lun *l = job->lun;
	int rc2;

	for (unsigned i = 0; rc && i < l->shape.members; i++) /* else complete() has seen to it */
		if (mask & 1ull << i)
			settle_slot(job, i, goes_on);
	rc2 = eng_priv_members(l->array, l);
	eng_spare_settle(l->array);
	if (!rc2)
		rc2 = eng_meta_commit(l->array, rc ? NULL : err);
	for (unsigned i = 0; rc && !rc2 && i < l->shape.members; i++)
		if (mask & 1ull << i)
			eng_lun_apply_member(l, i);
	eng_events_health(l->array);
	eng_events_flush(l->array);
	return rc ? rc : rc2;
}

static int fill(struct eng_job *job, uint64_t mask, bool catch_up, struct err *err)
{
	struct eng_lun *l = job->lun;
	int rc;

	if (!mask)
		return 0;
	eng_job_begin_pass(job);
	job->pass = mask;
	rc = job->copying ? raid_copy(l->set, mask, &job->run)
					  : raid_rebuild(l->set, mask, catch_up, &job->run);
	eng_job_progress(job);
	return settle_slots(job, mask, rc, err);
}

/* Slots that were begun and not filled: stale again, or, when interrupted, to be continued. */
static int not_filled(struct eng_job *job, uint64_t mask, int rc)
{
	struct eng_lun *l = job->lun;

	settle_slots(job, mask, rc, NULL);
	for (unsigned i = 0; i < l->shape.members; i++)
		if (mask & 1ull << i)
			eng_lun_apply_member(l, i);
	return rc;
}

/* First written down, then waited for: what is interrupted here goes on after a restart. */
static int begin(struct eng_job *job, uint64_t mask, struct err *err)
{
	int rc = begin_filling(job, mask, err);

	if (!rc)
		rc = wait_for_targets(job, mask);
	if (rc)
		return not_filled(job, mask, rc);
	job->filling = mask;
	return 0;
}

/* Fills all slots of the mask: first those that missed only some writes, then the others. */
static int fill_all(struct eng_job *job, uint64_t mask, struct err *err)
{
	struct eng_lun *l = job->lun;
	uint64_t quick = 0;
	int rc;

	for (unsigned i = 0; i < l->shape.members; i++)
		if (mask & 1ull << i && l->members[i].watermark >= l->members[i].size)
			quick |= 1ull << i;
	rc = begin(job, mask, err);
	if (rc)
		return rc;
	log_info("LUN \"%s\" (%u members): filling slots %#llx, of them %#llx by catch-up of %llu regions",
		l->name, l->shape.members, (unsigned long long)mask, (unsigned long long)quick,
		(unsigned long long)raid_dirty_regions(l->set));
	rc = fill(job, quick, true, err);
	if (!rc)
		rc = fill(job, mask & ~quick, false, err);
	else if (mask & ~quick)
		not_filled(job, mask & ~quick, rc);
	job->filling = 0;
	return rc;
}

/* Moves members to the drives beside them, while they serve. */
static int move_all(struct eng_job *job, uint64_t mask, struct err *err)
{
	struct eng_lun *l = job->lun;
	struct eng_drive *old[ENG_MAX_MEMBERS];
	int rc;

	for (unsigned i = 0; i < l->shape.members; i++)
		old[i] = l->members[i].drive;
	job->copying = true;
	rc = begin(job, mask, err);
	if (!rc) {
		log_info("LUN \"%s\" (%u members): moving slots %#llx", l->name, l->shape.members,
			(unsigned long long)mask);
		rc = fill(job, mask, false, err);
		job->filling = 0;
	}
	job->copying = false;
	for (unsigned i = 0; !rc && i < l->shape.members; i++)
		if (mask & 1ull << i && old[i] && !old[i]->dead)
			eng_event_add(l->array, ENG_EVENT_DRIVE_MODIFY, &old[i]->id);
	return rc;
}

static int check_redundancy(struct eng_job *job, struct err *err)
{
	int rc;

	eng_job_begin_pass(job);
	rc = raid_check(job->lun->set, RAID_CHECK_REWRITE, -1, false, &job->run);
	eng_job_progress(job);
	if (job->run.mismatches)
		log_warning("LUN %s: %llu blocks disagreed with their redundancy, %llu put right",
			job->lun->name, (unsigned long long)job->run.mismatches,
			(unsigned long long)job->run.repaired);
	if (rc && rc != -ECANCELED)
		err_set(err, rc, "The check of the LUN's redundancy failed.");
	return rc;
}

static uint64_t expected_work(const struct eng_job *job, uint64_t fill_mask, uint64_t move_mask)
{
	const struct eng_lun *l = job->lun;
	uint64_t fill_bytes = 0, move_bytes = 0, sum;

	for (unsigned i = 0; i < l->shape.members; i++) {
		if (fill_mask & 1ull << i)
			fill_bytes = l->members[i].size > fill_bytes ? l->members[i].size : fill_bytes;
		if (move_mask & 1ull << i)
			move_bytes = l->members[i].size > move_bytes ? l->members[i].size : move_bytes;
	}
	sum = fill_bytes + move_bytes;
	if (job->explicit_request)
		sum += l->size_bytes;
	return sum;
}

static int explain(struct eng_job *job, int rc, int missing, struct err *err)
{
	const struct eng_lun *l = job->lun;

	if (rc == -ECANCELED)
		return rc;
	if (rc && eng_lun_health_of(l) == ENG_LUN_FAILED)
		return err_set(err, -EHOSTDOWN, "More drives were lost than the LUN survives.");
	if (rc)
		return err_wrap(err, -EHOSTDOWN,
			"A drive was lost during the recovery; the data are still complete.");
	if (missing == -ENOSPC)
		return err_set(err, -ENOSPC, "The spare drives are too small for the lost drive's extents.");
	if (missing)
		return err_set(err, -ENOMEDIUM, "A drive is lost and there is no spare to take its place.");
	return 0;
}

int eng_recover_body(struct eng_job *job, struct err *err)
{
	struct eng_lun *l = job->lun;
	uint64_t mask, move, bound = 0;
	int missing = 0, rc;

	if (eng_lun_health_of(l) == ENG_LUN_FAILED) /* since the job was begun */
		return explain(job, -EHOSTDOWN, 0, err);
	rc = bind_spares(l, &bound, &missing, err);
	mask = fillable(l);
	move = movable(l);
	job->info.total_bytes = job->base_done + expected_work(job, mask, move);
	for (unsigned i = 0; !rc && i < l->shape.members; i++)
		if (bound & 1ull << i)
			eng_lun_apply_member(l, i);
	if (!rc && mask)
		rc = fill_all(job, mask, err);
	if (!rc && move)
		rc = move_all(job, move & movable(l), err);
	if (!rc && !missing && job->explicit_request && !eng_lun_lost_mask(l))
		rc = check_redundancy(job, err);
	if (!rc && raid_resync_needed(l->set) && !eng_lun_lost_mask(l))
		raid_bitmap_settle(l->set, 0);
	if (rc == -ECANCELED && job->cancel)
		l->auto_paused = true;
	return explain(job, rc, missing, err);
}

void eng_recover_abandon(struct eng_lun *l)
{
	for (unsigned i = 0; i < l->shape.members; i++) {
		if (l->members[i].state == ENG_MEMBER_REBUILDING)
			l->members[i].state = ENG_MEMBER_STALE;
		if (l->twins[i].state == ENG_MEMBER_REBUILDING)
			l->twins[i].state = ENG_MEMBER_STALE;
	}
	l->auto_paused = true;
}

int eng_lun_recover(struct eng_array *a, const struct guid *id, struct eng_job **out, struct err *err)
{
	struct eng_lun *l = eng_find_lun(a, id);
	struct eng_job *job;
	int rc;

	*out = NULL;
	if (!l)
		return err_set(err, -ESTALE, "The LUN is gone.");
	if (eng_lun_health_of(l) == ENG_LUN_FAILED)
		return err_set(err, -EHOSTDOWN, "The LUN has failed: more drives are lost than it survives.");
	if (l->job && (l->job->info.state == ENG_JOB_RUNNING || l->job->info.type != ENG_JOB_RECOVER))
		return err_set(err, -EBUSY, "Another operation on the LUN has not ended.");
	if (!eng_lun_type_redundant(l->type) || raid_shape_redundancy(&l->shape) == 0)
		return err_set(err, -ENOTSUP, "The LUN is not fault tolerant.");
	job = l->job ? l->job : eng_job_new(l, ENG_JOB_RECOVER, false, false);
	if (!job)
		return err_set(err, -ENOMEM, "Out of memory.");
	job->body = eng_recover_body;
	job->explicit_request = true;
	l->auto_paused = false;
	rc = eng_job_start(job);
	if (rc)
		return err_set(err, rc, "The recovery could not be started.");
	*out = eng_job_ref(job);
	return 0;
}
