/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs: long work on a LUN. A job is on array->jobs and LUN->job while it runs or waits to be
 * continued; it holds references of its own until then. Percent never falls and reaches 100 only
 * with success. Work that spans several passes adds them up: base_done is what earlier passes did.
 */
#include "engine/engine_internal.h"
#include "base/log.h"

#include <assert.h>

struct eng_job *eng_job_ref(struct eng_job *job)
{
	job->refs++;
	return job;
}

void eng_job_unref(struct eng_job *job)
{
	if (!job || --job->refs)
		return;
	free(job->reshape);
	free(job);
}

struct eng_job *eng_job_new(struct eng_lun *l, enum eng_job_type type, bool automatic, bool resumed)
{
	struct eng_array *a = l->array;
	struct eng_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->refs = 1; /* the array's, dropped when the job ends */
	job->array = a;
	job->lun = l;
	job->info.type = type;
	job->info.state = ENG_JOB_INTERRUPTED;
	job->info.object = l->id;
	job->info.automatic = automatic;
	job->info.cancelable = type == ENG_JOB_RECOVER || type == ENG_JOB_ADD_PLEX;
	job->info.started_at = loop_wall_ms(a->loop);
	job->info.number =
		a->host.job_number ? a->host.job_number(a->host.ctx, type, &l->id, resumed) : 0;
	task_queue_init(&job->ended);
	list_add_tail(&a->jobs, &job->link);
	l->job = job;
	return job;
}

static void tell(struct eng_job *job)
{
	if (job->array->host.job_changed)
		job->array->host.job_changed(job->array->host.ctx, job);
}

static void detach(struct eng_job *job)
{
	if (job->lun && job->lun->job == job)
		job->lun->job = NULL;
	if (job->other)
		job->other->job = NULL;
	job->lun = job->other = NULL;
	list_del(&job->link);
}

/* Only filling of members can be continued after a restart; a check is begun anew by who wants it. */
static bool can_continue(const struct eng_lun *l)
{
	for (unsigned i = 0; l && i < 2 * l->shape.members; i++) {
		const struct eng_member *m = eng_lun_extent(l, i);

		if (m && m->state == ENG_MEMBER_REBUILDING)
			return true;
	}
	return false;
}

static void finish(struct eng_job *job, int rc, const struct err *err)
{
	struct eng_array *a = job->array;
	struct eng_lun *l = job->lun;

	if (rc == -ECANCELED && job->interrupt && !job->cancel && can_continue(l)) {
		job->info.state = ENG_JOB_INTERRUPTED;
		tell(job);
		task_wake_all(&job->ended);
		task_wake_all(&a->job_queue);
		return;
	}
	job->info.result = rc;
	job->info.state = !rc ? ENG_JOB_DONE : rc == -ECANCELED ? ENG_JOB_CANCELED : ENG_JOB_FAILED;
	if (rc && err && err->code)
		text_copy(job->info.message, sizeof(job->info.message), err->text);
	if (!rc)
		job->info.percent = 100;
	job->info.ended_at = loop_wall_ms(a->loop);
	/* What failed is not tried again until something has changed, or it would fail for ever. */
	if (rc && l && job->changes == a->changes)
		l->auto_paused = true;
	if (l && l->transition != ENG_TRANSITION_STABLE) {
		l->transition = ENG_TRANSITION_STABLE;
		eng_event_add(a, ENG_EVENT_LUN_MODIFY, &l->id);
	}
	detach(job);
	eng_events_health(a);
	eng_events_flush(a); /* before the end is told: a waiter finds its events already sent */
	tell(job);
	task_wake_all(&job->ended);
	task_wake_all(&a->job_queue);
	eng_auto_kick(a);
	eng_job_unref(job);
}

static void job_task(void *arg)
{
	struct eng_job *job = arg;
	struct eng_array *a = job->array;
	struct err err = { 0 };
	int rc;

	eng_point(a, "job:start", &job->info.object);
	rc = job->cancel ? -ECANCELED : job->body(job, &err);
	if (!rc || rc != -ECANCELED)
		eng_point(a, "job:end", &job->info.object);
	finish(job, rc, &err);
	task_group_end(&a->tasks);
	eng_leave(a);
}

int eng_job_start(struct eng_job *job)
{
	int rc;

	eng_outside_go(job->lun);
	job->info.state = ENG_JOB_RUNNING;
	job->interrupt = false;
	job->changes = job->array->changes;
	task_group_begin(&job->array->tasks);
	eng_enter(job->array);
	rc = task_spawn(job->array->loop, "job", job_task, job);
	if (rc) {
		eng_leave(job->array);
		task_group_end(&job->array->tasks);
		job->info.state = ENG_JOB_INTERRUPTED;
		return rc;
	}
	tell(job);
	return 0;
}

void eng_job_progress(struct eng_job *job)
{
	uint64_t done = job->base_done + job->run.done;
	unsigned percent;

	if (job->info.total_bytes < done)
		job->info.total_bytes = done;
	job->info.done_bytes = done;
	percent = job->info.total_bytes ? (unsigned)((double)done * 100.0 / (double)job->info.total_bytes)
									: 0;
	if (percent > 99)
		percent = 99;
	if (percent > job->info.percent) {
		job->info.percent = percent;
		tell(job);
	}
}

void eng_job_info(const struct eng_job *job, struct eng_job_info *out)
{
	*out = job->info;
}

int eng_job_cancel(struct eng_job *job)
{
	if (job->info.state == ENG_JOB_CANCELED || job->cancel)
		return -EALREADY;
	if (job->info.state == ENG_JOB_DONE || job->info.state == ENG_JOB_FAILED)
		return -ETIME;
	if (!job->info.cancelable)
		return -ENOTSUP;
	job->cancel = true;
	job->run.cancel = true;
	task_wake_all(&job->array->job_queue);
	if (job->info.state == ENG_JOB_INTERRUPTED)
		eng_job_drop(job);
	return 0;
}

void eng_job_drop(struct eng_job *job)
{
	struct err err = { 0 };

	assert(job->info.state == ENG_JOB_INTERRUPTED);
	job->cancel = true;
	eng_recover_abandon(job->lun);
	err_set(&err, -ECANCELED, "The operation was cancelled.");
	finish(job, -ECANCELED, &err);
}

void eng_job_wait(struct eng_job *job)
{
	eng_job_ref(job);
	while (job->info.state == ENG_JOB_RUNNING)
		task_wait(&job->ended);
	eng_job_unref(job);
}

void eng_job_set_user(struct eng_job *job, void *user)
{
	job->user = user;
}

void *eng_job_user(const struct eng_job *job)
{
	return job->user;
}

void eng_jobs_interrupt(struct eng_array *a)
{
	struct list *pos, *tmp;
	bool running;

	do {
		running = false;
		list_for_each(pos, tmp, &a->jobs) {
			struct eng_job *job = list_entry(pos, struct eng_job, link);

			if (job->info.state != ENG_JOB_RUNNING)
				continue;
			running = true;
			if (job->info.type == ENG_JOB_RECOVER || job->info.type == ENG_JOB_REPLACE ||
				job->info.type == ENG_JOB_ADD_PLEX) {
				job->interrupt = true;
				job->run.cancel = true;
			}
		}
		task_wake_all(&a->job_queue);
		if (running)
			task_wait_ms(&a->job_queue, 1000);
	} while (running);
}
