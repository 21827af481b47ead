/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/base/prv_job.h"

#include "base/log.h"

struct record {
	struct list link;
	uint32_t number;
	const struct prv_work_ops *ops;
	void *work; /* a reference */
	const void *group;
	struct vdc_async *inner; /* a reference, or NULL: nobody asked yet */
	uint64_t told_ns;        /* the store, of progress */
	bool interrupted;
};

/* ---- the store's side ---------------------------------------------------------------------- */

struct number_ask {
	struct sto *sto;
	struct sto_job job;
	bool resumed;
};

static int ask_number(void *arg)
{
	struct number_ask *ask = arg;
	struct sto_job found;
	struct err err = {0};

	if (ask->resumed &&
		!sto_job_resume(ask->sto, ask->job.kind, &ask->job.object, &found, NULL)) {
		ask->job.number = found.number;
		return 0;
	}
	int rc = sto_job_create(ask->sto, &ask->job, &err);
	if (rc)
		log_warning("A job has no record: %s", err.text);
	return rc;
}

uint32_t prv_job_number(struct prv *core, VDS_ASYNC_OUTPUT_TYPE type, unsigned kind,
	const struct guid *object, bool resumed)
{
	struct number_ask ask = {
		.sto = core->sto,
		.resumed = resumed,
		.job =
			{
				.kind = type,
				.object = *object,
				.object_kind = (int)kind,
				.result = VDS_E_OPERATION_PENDING,
				.automatic = !guid_equal(&core->asked_for, object),
			},
	};

	prv_clerk_call_blocking(&core->worker->clerk, ask_number, &ask);
	return ask.job.number;
}

struct update {
	struct sto *sto;
	struct prv_work_info info;
};

static int update_store(void *arg)
{
	struct update *u = arg;
	struct err err = {0};
	enum sto_job_state state = STO_JOB_DONE;
	int rc =
		sto_job_update(u->sto, u->info.number, u->info.percent < 100 ? u->info.percent : 99,
			u->info.done_bytes, u->info.total_bytes, &err);

	switch (u->info.state) {
	case PRV_WORK_RUNNING:
	case PRV_WORK_INTERRUPTED:
		if (!rc)
			rc = sto_job_interrupt(u->sto, u->info.number,
				u->info.state == PRV_WORK_INTERRUPTED, &err);
		goto out;
	case PRV_WORK_DONE:
		break;
	case PRV_WORK_FAILED:
		state = STO_JOB_FAILED;
		break;
	case PRV_WORK_CANCELED:
		state = STO_JOB_CANCELED;
		break;
	}
	rc = sto_job_finish(u->sto, u->info.number, state, u->info.result, &err);
out:
	if (rc)
		log_warning("Job %u: %s", u->info.number, err.text);
	free(u);
	return rc;
}

static void tell_store(struct prv *core, const struct prv_work_info *info)
{
	struct update *u = malloc(sizeof(*u));

	if (!u) {
		log_warning("Job %u: memory is short, its record is behind.", info->number);
		return;
	}
	*u = (struct update){.sto = core->sto, .info = *info};
	prv_clerk_post(&core->worker->clerk, update_store, u);
}

/* ---- records ------------------------------------------------------------------------------- */

static struct record *find_record(struct prv *core, uint32_t number)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &core->jobs) {
		struct record *r = list_entry(pos, struct record, link);
		if (r->number == number)
			return r;
	}
	return NULL;
}

static void drop_record(struct record *r)
{
	list_del(&r->link);
	vdc_async_unref(r->inner);
	r->ops->unref(r->work);
	free(r);
}

static struct record *make_record(struct prv *core, const struct prv_work_ops *ops, void *work,
	const void *group, uint32_t number)
{
	struct record *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->number = number;
	r->ops = ops;
	r->work = ops->ref(work);
	r->group = group;
	list_add_tail(&core->jobs, &r->link);
	return r;
}

void prv_job_changed(
	struct prv *core, const struct prv_work_ops *ops, void *work, const void *group)
{
	struct prv_work_info info;
	uint64_t now = loop_now_ns(core->loop);

	ops->info(work, &info);
	struct record *r = find_record(core, info.number);
	if (!r)
		r = make_record(core, ops, work, group, info.number);
	bool running = info.state == PRV_WORK_RUNNING;
	bool resting = info.state == PRV_WORK_INTERRUPTED;
	/* the store wants a few of these each second at most */
	if (!running || !r || r->interrupted || now - r->told_ns > 500000000u) {
		tell_store(core, &info);
		if (r)
			r->told_ns = now;
	}
	if (!r)
		return;
	r->interrupted = resting;
	if (r->inner && running)
		vdc_async_progress(r->inner, info.percent);
	if (running || resting)
		return;
	if (r->inner)
		vdc_async_finish(r->inner, info.result, NULL);
	drop_record(r);
}

void prv_jobs_interrupt(struct prv *core, const void *group)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &core->jobs) {
		struct record *r = list_entry(pos, struct record, link);
		if (r->group != group)
			continue;
		if (r->inner)
			vdc_async_finish(r->inner, VDS_E_OBJECT_DELETED, NULL);
		drop_record(r);
	}
}

/* ---- the inner async ----------------------------------------------------------------------- */

struct prv_handle {
	struct prv *core;
	uint32_t number;
};

static int cancel_on_worker(void *arg)
{
	const struct prv_handle *h = arg;
	struct record *r = find_record(h->core, h->number);

	return r ? r->ops->cancel(r->work) : -ETIME;
}

static HRESULT cancel(void *ctx)
{
	struct prv_handle *h = ctx;
	HRESULT hr;

	if (!prv_enter(h->core, &hr))
		return hr;
	int rc = task_call(h->core->loop, cancel_on_worker, h);
	prv_leave(h->core);
	switch (rc) {
	case 0:
		return S_OK;
	case -EALREADY:
		return VDS_E_OPERATION_CANCELED;
	case -ENOTSUP:
		return VDS_E_NOT_SUPPORTED;
	default:
		return VDS_E_CANCEL_TOO_LATE;
	}
}

static void release(void *ctx)
{
	struct prv_handle *h = ctx;

	prv_unref(h->core);
	free(h);
}

static const struct vdc_async_ops inner_ops = {.cancel = cancel, .release = release};

HRESULT prv_job_inner_new(struct prv *core, VDS_ASYNC_OUTPUT_TYPE type, struct prv_inner *out)
{
	struct prv_handle *h = calloc(1, sizeof(*h));

	out->async = NULL;
	if (!h)
		return E_OUTOFMEMORY;
	h->core = prv_ref(core);
	HRESULT hr = vdc_async_new(type, &inner_ops, h, &out->async);
	if (FAILED(hr))
		release(h);
	out->handle = SUCCEEDED(hr) ? h : NULL;
	return hr;
}

void prv_job_bind(
	struct prv *core, const struct prv_work_ops *ops, void *work, struct prv_inner *inner)
{
	struct prv_work_info info;

	ops->info(work, &info);
	inner->handle->number = info.number;
	struct record *r = find_record(core, info.number);
	if (r && r->inner) {
		/* taken up again: everybody shares the one that is there */
		vdc_async_unref(inner->async);
		inner->async = vdc_async_ref(r->inner);
	} else if (r) {
		r->inner = vdc_async_ref(inner->async);
		vdc_async_progress(inner->async, info.percent);
	} else {
		vdc_async_finish(inner->async, info.result, NULL);
	}
	inner->number = info.number;
	ops->unref(work);
}

/* ---- by number ----------------------------------------------------------------------------- */

static bool is_ours(const struct prv *core, int object_kind)
{
	return (object_kind >= PRV_KIND_HW) == (core->ops->kinds == PRV_KIND_HW);
}

struct by_number {
	struct prv *core;
	uint32_t number;
	struct prv_inner inner;
	struct sto_job ended; /* when there is no record */
};

static int get_from_store(void *arg)
{
	struct by_number *by = arg;

	return sto_job_get(by->core->sto, by->number, &by->ended, NULL);
}

static HRESULT job_body(void *arg)
{
	struct by_number *by = arg;
	struct prv *core = by->core;
	struct record *r = find_record(core, by->number);
	struct prv_work_info info;

	if (r && r->inner) {
		by->inner.async = vdc_async_ref(r->inner);
		return S_OK;
	}
	if (!r) {
		int rc = prv_clerk_call(&core->worker->clerk, get_from_store, by);
		if (rc == -ENOENT || (!rc && !is_ours(core, by->ended.object_kind)))
			return VDS_E_OBJECT_NOT_FOUND;
		return rc ? com_hr_from_errno(rc) : S_OK;
	}
	r->ops->info(r->work, &info);
	HRESULT hr = prv_job_inner_new(core, info.type, &by->inner);
	if (FAILED(hr))
		return hr;
	by->inner.handle->number = by->number;
	vdc_async_progress(by->inner.async, info.percent);
	r->inner = vdc_async_ref(by->inner.async);
	return S_OK;
}

/* An object on a job that ended, perhaps in an earlier process. */
static HRESULT ended_inner(struct prv *core, struct by_number *by, prv_output_fn *make_output)
{
	VDS_ASYNC_OUTPUT output = {.type = (VDS_ASYNC_OUTPUT_TYPE)by->ended.kind};
	HRESULT result = by->ended.result;

	if (by->ended.state == STO_JOB_RUNNING || by->ended.state == STO_JOB_INTERRUPTED)
		result = VDS_E_OPERATION_PENDING;
	HRESULT hr = prv_job_inner_new(core, output.type, &by->inner);
	if (FAILED(hr))
		return hr;
	by->inner.handle->number = by->number;
	if (result == VDS_E_OPERATION_PENDING)
		return S_OK; /* its object is not there: nothing moves until it returns */
	if (make_output && SUCCEEDED(result)) {
		hr = make_output(core, &by->ended, &output);
		if (FAILED(hr)) {
			vdc_async_unref(by->inner.async);
			return hr;
		}
	}
	vdc_async_finish(by->inner.async, result, &output);
	vdc_clear(VDS_ASYNC_OUTPUT, &output);
	return S_OK;
}

HRESULT prv_job_async(struct prv *core, uint32_t number, prv_output_fn *output, IVdsAsync **out)
{
	struct by_number by = {.core = core, .number = number};
	struct err err = {0};
	HRESULT hr;

	*out = NULL;
	if (!prv_enter(core, &hr))
		return hr;
	prv_clerk_drain(&core->worker->clerk);
	hr = prv_run(core, job_body, &by, &err, 0);
	if (SUCCEEDED(hr) && !by.inner.async)
		hr = ended_inner(core, &by, output);
	if (SUCCEEDED(hr)) {
		hr = prv_async_new(core, by.inner.async, number, out);
		vdc_async_unref(by.inner.async);
	}
	prv_leave(core);
	return hr;
}

/* ---- properties ---------------------------------------------------------------------------- */

static void prop_from_store(const struct sto_job *job, VDSX_JOB_PROP *prop)
{
	bool over = job->state != STO_JOB_RUNNING && job->state != STO_JOB_INTERRUPTED;

	memset(prop, 0, sizeof(*prop));
	prop->ulNumber = job->number;
	prop->type = (VDS_ASYNC_OUTPUT_TYPE)job->kind;
	prop->state = (VDSX_JOB_STATE)job->state;
	prop->hrResult = over ? job->result : VDS_E_OPERATION_PENDING;
	prop->ulPercent = job->percent;
	prop->ullDoneBytes = job->done_bytes;
	prop->ullTotalBytes = job->total_bytes;
	prop->objectType = (VDS_OBJECT_TYPE)job->object_kind;
	prop->objectId = com_guid_from(&job->object);
	prop->bAutomatic = job->automatic;
	prop->ullStartedAt = (ULONGLONG)job->started_ms;
	prop->ullEndedAt = (ULONGLONG)job->ended_ms;
}

struct overlay {
	struct prv *core;
	struct prv_props *props;
};

/* What the worker knows better than the store. */
static HRESULT overlay_body(void *arg)
{
	struct overlay *o = arg;
	VDSX_JOB_PROP *prop;

	vec_for_each (o->props, prop) {
		struct record *r = find_record(o->core, prop->ulNumber);
		struct prv_work_info info;
		if (!r) {
			/* It ran in a process that is no more and waits to be taken up. */
			if (prop->state == VDSX_JOB_RUNNING)
				prop->state = VDSX_JOB_INTERRUPTED;
			continue;
		}
		r->ops->info(r->work, &info);
		prop->ulPercent = info.percent;
		prop->ullDoneBytes = info.done_bytes;
		prop->ullTotalBytes = info.total_bytes;
		prop->bCancelable = info.cancelable;
		prop->state = info.state == PRV_WORK_INTERRUPTED ? VDSX_JOB_INTERRUPTED
								 : VDSX_JOB_RUNNING;
	}
	return S_OK;
}

static int read_jobs(struct prv *core, const uint32_t *number, struct prv_props *out)
{
	struct sto_job_vec jobs = {0};
	struct sto_job one, *job;
	VDSX_JOB_PROP prop;
	int rc;

	if (number) {
		rc = sto_job_get(core->sto, *number, &one, NULL);
		if (!rc)
			rc = sto_job_vec_push(&jobs, one);
	} else {
		rc = sto_job_list(core->sto, false, &jobs, NULL);
	}
	vec_for_each (&jobs, job) {
		if (rc || !is_ours(core, job->object_kind))
			continue;
		prop_from_store(job, &prop);
		rc = prv_props_push(out, prop);
	}
	sto_job_vec_free(&jobs);
	return rc ? rc : number && !out->len ? -ENOENT : 0;
}

HRESULT prv_job_props(struct prv *core, const uint32_t *number, struct prv_props *out)
{
	struct overlay o = {.core = core, .props = out};
	struct err err = {0};
	HRESULT hr;

	if (!prv_enter(core, &hr))
		return hr;
	prv_clerk_drain(&core->worker->clerk);
	int rc = read_jobs(core, number, out);
	if (rc == -ENOENT)
		hr = VDS_E_OBJECT_DELETED; /* ended long ago and forgotten */
	else if (rc)
		hr = rc == -ENOMEM ? E_OUTOFMEMORY : com_hr_from_errno(rc);
	else
		hr = prv_run(core, overlay_body, &o, &err, 0);
	prv_leave(core);
	return hr;
}

HRESULT prv_query_jobs(struct prv *core, VDSX_JOB_PROP **out, LONG *count)
{
	struct prv_props props = {0};
	HRESULT hr = prv_job_props(core, NULL, &props);

	if (SUCCEEDED(hr) && props.len) {
		*out = com_task_calloc(props.len, sizeof(**out));
		if (*out) {
			memcpy(*out, props.items, props.len * sizeof(**out));
			*count = (LONG)props.len;
		} else {
			hr = E_OUTOFMEMORY;
		}
	}
	prv_props_free(&props);
	return hr;
}

int prv_job_record(struct prv *core, VDS_ASYNC_OUTPUT_TYPE type, unsigned kind,
	const struct guid *object, HRESULT hr, uint32_t *number, struct err *err)
{
	struct sto_job job = {
		.kind = type,
		.object = *object,
		.object_kind = (int)kind,
		.result = hr,
	};
	int rc = sto_job_create(core->sto, &job, err);

	if (!rc)
		rc = sto_job_finish(core->sto, job.number,
			SUCCEEDED(hr) ? STO_JOB_DONE : STO_JOB_FAILED, hr, err);
	*number = job.number;
	return rc;
}
