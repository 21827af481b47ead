/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs: what the engine works on, what the store records of it, and the async objects of clients.
 *
 *	engine job ── record (worker) ── vdc_async: result, waiting, percent
 *	                                     │
 *	                          hwp_async: what clients hold
 *
 * The record lives while the job runs or rests in this process. It may hold the inner vdc_async,
 *which holds nothing; a client's hwp_async holds the service as well, like every facade. Letting go
 *of it cancels nothing. A job that has ended is answered from the store.
 */
#include "provider/hw/hwp_job.h"

#include "base/log.h"

struct record {
	struct list link;
	struct hwp *p;
	uint32_t number;
	struct eng_job *eng; /* a reference */
	struct eng_array *array;
	struct vdc_async *inner; /* a reference, or NULL: nobody asked yet */
	uint64_t told_ns;        /* the store, of progress */
	bool interrupted;
};

static const VDS_ASYNC_OUTPUT_TYPE output_types[] = {
	[ENG_JOB_RECOVER] = VDS_ASYNCOUT_RECOVERLUN,
	[ENG_JOB_EXTEND] = VDS_ASYNCOUT_EXTENDLUN,
	[ENG_JOB_SHRINK] = VDS_ASYNCOUT_SHRINKLUN,
	[ENG_JOB_ADD_PLEX] = VDS_ASYNCOUT_ADDLUNPLEX,
	[ENG_JOB_REMOVE_PLEX] = VDS_ASYNCOUT_REMOVELUNPLEX,
	[ENG_JOB_REPLACE] = VDS_ASYNCOUT_UNKNOWN,
};

static HRESULT result_of(const struct eng_job_info *info)
{
	switch (info->state) {
	case ENG_JOB_RUNNING:
	case ENG_JOB_INTERRUPTED:
		return VDS_E_OPERATION_PENDING;
	case ENG_JOB_DONE:
		return S_OK;
	case ENG_JOB_CANCELED:
		return VDS_E_OPERATION_CANCELED;
	case ENG_JOB_FAILED:
		break;
	}
	switch (info->result) {
	case -EHOSTDOWN:
		return VDS_E_OBJECT_STATUS_FAILED;
	case -ENOMEDIUM:
		return VDS_E_NOT_ENOUGH_DRIVE;
	case -ENOSPC:
		return VDS_E_NOT_ENOUGH_SPACE;
	case -ESTALE:
		return VDS_E_OBJECT_DELETED;
	case -ENOMEM:
		return E_OUTOFMEMORY;
	default:
		return com_hr_from_errno(info->result);
	}
}

/* ---- the store's side ---------------------------------------------------------------------- */

struct number_ask {
	struct hwp *p;
	struct sto_job job;
	bool resumed;
};

static int ask_number(void *arg)
{
	struct number_ask *ask = arg;
	struct sto_job found;
	struct err err = {0};

	if (ask->resumed &&
		!sto_job_resume(ask->p->sto, ask->job.kind, &ask->job.object, &found, NULL)) {
		ask->job.number = found.number;
		return 0;
	}
	int rc = sto_job_create(ask->p->sto, &ask->job, &err);
	if (rc)
		log_warning("A job has no record: %s", err.text);
	return rc;
}

uint32_t hwp_job_number(void *ctx, enum eng_job_type type, const struct guid *object, bool resumed)
{
	struct hwp_array *a = ctx;
	struct hwp *p = a->p;
	struct number_ask ask = {
		.p = p,
		.resumed = resumed,
		.job =
			{
				.kind = output_types[type],
				.object = *object,
				.object_kind = HWP_LUN,
				.result = VDS_E_OPERATION_PENDING,
				.automatic = !guid_equal(&p->asked_for, object),
			},
	};

	hwp_clerk_call_blocking(p, ask_number, &ask);
	return ask.job.number;
}

struct update {
	struct hwp *p;
	struct eng_job_info info;
	HRESULT hr;
};

static int update_store(void *arg)
{
	struct update *u = arg;
	struct sto *sto = u->p->sto;
	struct err err = {0};
	enum sto_job_state state = STO_JOB_DONE;
	int rc = sto_job_update(sto, u->info.number, u->info.percent < 100 ? u->info.percent : 99,
		u->info.done_bytes, u->info.total_bytes, &err);

	switch (u->info.state) {
	case ENG_JOB_RUNNING:
	case ENG_JOB_INTERRUPTED:
		if (!rc)
			rc = sto_job_interrupt(
				sto, u->info.number, u->info.state == ENG_JOB_INTERRUPTED, &err);
		goto out;
	case ENG_JOB_DONE:
		break;
	case ENG_JOB_FAILED:
		state = STO_JOB_FAILED;
		break;
	case ENG_JOB_CANCELED:
		state = STO_JOB_CANCELED;
		break;
	}
	rc = sto_job_finish(sto, u->info.number, state, u->hr, &err);
out:
	if (rc)
		log_warning("Job %u: %s", u->info.number, err.text);
	free(u);
	return rc;
}

static void tell_store(struct hwp *p, const struct eng_job_info *info)
{
	struct update *u = malloc(sizeof(*u));

	if (!u) {
		log_warning("Job %u: memory is short, its record is behind.", info->number);
		return;
	}
	*u = (struct update){.p = p, .info = *info, .hr = result_of(info)};
	hwp_clerk_post(p, update_store, u);
}

/* ---- records ------------------------------------------------------------------------------- */

static struct record *find_record(struct hwp *p, uint32_t number)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &p->jobs) {
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
	eng_job_unref(r->eng);
	free(r);
}

static struct record *make_record(struct hwp_array *a, struct eng_job *job, uint32_t number)
{
	struct record *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->p = a->p;
	r->number = number;
	r->eng = eng_job_ref(job);
	r->array = a->eng;
	list_add_tail(&a->p->jobs, &r->link);
	return r;
}

void hwp_job_changed(void *ctx, struct eng_job *job)
{
	struct hwp_array *a = ctx;
	struct hwp *p = a->p;
	struct eng_job_info info;
	uint64_t now = loop_now_ns(p->loop);

	eng_job_info(job, &info);
	struct record *r = find_record(p, info.number);
	if (!r)
		r = make_record(a, job, info.number);
	bool running = info.state == ENG_JOB_RUNNING;
	bool resting = info.state == ENG_JOB_INTERRUPTED;
	/* the store wants a few of these each second at most */
	if (!running || !r || r->interrupted || now - r->told_ns > 500000000u) {
		tell_store(p, &info);
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
		vdc_async_finish(r->inner, result_of(&info), NULL);
	drop_record(r);
}

void hwp_jobs_interrupt(struct hwp *p, struct eng_array *eng)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &p->jobs) {
		struct record *r = list_entry(pos, struct record, link);
		if (r->array != eng)
			continue;
		if (r->inner)
			vdc_async_finish(r->inner, VDS_E_OBJECT_DELETED, NULL);
		drop_record(r);
	}
}

/* ---- the inner async ----------------------------------------------------------------------- */

struct handle {
	struct hwp *p;
	uint32_t number;
};

static int cancel_on_worker(void *arg)
{
	const struct handle *h = arg;
	struct record *r = find_record(h->p, h->number);

	return r ? eng_job_cancel(r->eng) : -ETIME;
}

static HRESULT cancel(void *ctx)
{
	struct handle *h = ctx;
	HRESULT hr;

	if (!hwp_enter(h->p, &hr))
		return hr;
	int rc = task_call(h->p->loop, cancel_on_worker, h);
	hwp_leave(h->p);
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
	struct handle *h = ctx;

	hwp_unref(h->p);
	free(h);
}

static const struct vdc_async_ops inner_ops = {.cancel = cancel, .release = release};

HRESULT hwp_job_inner_new(struct hwp *p, VDS_ASYNC_OUTPUT_TYPE type, struct hwp_inner *out)
{
	struct handle *h = calloc(1, sizeof(*h));

	out->async = NULL;
	if (!h)
		return E_OUTOFMEMORY;
	h->p = hwp_ref(p);
	HRESULT hr = vdc_async_new(type, &inner_ops, h, &out->async);
	if (FAILED(hr))
		release(h);
	out->handle = SUCCEEDED(hr) ? h : NULL;
	return hr;
}

void hwp_job_bind(struct hwp *p, struct eng_job *job, struct hwp_inner *inner)
{
	struct eng_job_info info;

	eng_job_info(job, &info);
	inner->handle->number = info.number;
	struct record *r = find_record(p, info.number);
	if (r && r->inner) {
		/* taken up again: everybody shares the one that is there */
		vdc_async_unref(inner->async);
		inner->async = vdc_async_ref(r->inner);
	} else if (r) {
		r->inner = vdc_async_ref(inner->async);
		vdc_async_progress(inner->async, info.percent);
	} else {
		vdc_async_finish(inner->async, result_of(&info), NULL);
	}
	inner->number = info.number;
	eng_job_unref(job);
}

/* ---- by number ----------------------------------------------------------------------------- */

struct by_number {
	uint32_t number;
	struct hwp_inner inner;
	struct sto_job ended; /* when there is no record */
};

struct store_get {
	struct hwp *p;
	struct by_number *by;
};

static int get_from_store(void *arg)
{
	struct store_get *g = arg;

	return sto_job_get(g->p->sto, g->by->number, &g->by->ended, NULL);
}

static HRESULT job_body(struct hwp_call *call)
{
	struct by_number *by = call->args;
	struct store_get get = {.p = call->p, .by = by};
	struct record *r = find_record(call->p, by->number);

	if (r && !r->inner) {
		struct eng_job_info info;
		eng_job_info(r->eng, &info);
		HRESULT hr = hwp_job_inner_new(call->p, output_types[info.type], &by->inner);
		if (FAILED(hr))
			return hr;
		by->inner.handle->number = by->number;
		vdc_async_progress(by->inner.async, info.percent);
		r->inner = vdc_async_ref(by->inner.async);
		return S_OK;
	}
	if (r) {
		by->inner.async = vdc_async_ref(r->inner);
		return S_OK;
	}
	return hwp_fail(call, hwp_clerk_call(call->p, get_from_store, &get));
}

/* An object on a job that ended, perhaps in an earlier process. */
static HRESULT ended_inner(struct hwp *p, struct by_number *by)
{
	VDS_ASYNC_OUTPUT output = {.type = (VDS_ASYNC_OUTPUT_TYPE)by->ended.kind};
	IUnknown *lun = NULL;
	HRESULT result = by->ended.result;

	if (by->ended.state == STO_JOB_RUNNING || by->ended.state == STO_JOB_INTERRUPTED)
		result = VDS_E_OPERATION_PENDING;
	HRESULT hr = hwp_job_inner_new(p, output.type, &by->inner);
	if (FAILED(hr))
		return hr;
	by->inner.handle->number = by->number;
	if (result == VDS_E_OPERATION_PENDING)
		return S_OK; /* its subsystem is not there: nothing moves until it returns */
	if (output.type == VDS_ASYNCOUT_CREATELUN && SUCCEEDED(result)) {
		hr = hwp_face_get(p, HWP_LUN, &by->ended.object, &IID_IUnknown, (void **)&lun);
		if (FAILED(hr)) {
			vdc_async_unref(by->inner.async);
			return hr;
		}
		output.cl.pLunUnk = lun;
	}
	vdc_async_finish(by->inner.async, result, &output);
	COM_RELEASE(lun);
	return S_OK;
}

HRESULT hwp_job_async(struct hwp *p, uint32_t number, IVdsAsync **out)
{
	struct by_number by = {.number = number};
	struct guid provider = com_guid_to(&HWP_PROVIDER_ID);

	*out = NULL;
	hwp_clerk_drain(p);
	HRESULT hr = hwp_call(p, HWP_M_X_GET_JOB, HWP_PROVIDER, &provider, job_body, &by);
	if (SUCCEEDED(hr) && !by.inner.async)
		hr = ended_inner(p, &by);
	if (FAILED(hr))
		return hr;
	hr = hwp_async_new(p, by.inner.async, number, out);
	vdc_async_unref(by.inner.async);
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

/* What the worker knows better than the store. */
static HRESULT overlay_body(struct hwp_call *call)
{
	struct hwp_props *props = call->args;
	VDSX_JOB_PROP *prop;

	vec_for_each (props, prop) {
		struct record *r = find_record(call->p, prop->ulNumber);
		struct eng_job_info info;
		if (!r) {
			/* It ran in a process that is no more and waits to be taken up. */
			if (prop->state == VDSX_JOB_RUNNING)
				prop->state = VDSX_JOB_INTERRUPTED;
			continue;
		}
		eng_job_info(r->eng, &info);
		prop->ulPercent = info.percent;
		prop->ullDoneBytes = info.done_bytes;
		prop->ullTotalBytes = info.total_bytes;
		prop->bCancelable = info.cancelable;
		prop->state =
			info.state == ENG_JOB_INTERRUPTED ? VDSX_JOB_INTERRUPTED : VDSX_JOB_RUNNING;
	}
	return S_OK;
}

static int read_jobs(struct hwp *p, const uint32_t *number, struct hwp_props *out)
{
	struct sto_job_vec jobs = {0};
	struct sto_job one, *job;
	VDSX_JOB_PROP prop;
	int rc;

	if (number) {
		rc = sto_job_get(p->sto, *number, &one, NULL);
		if (!rc)
			rc = sto_job_vec_push(&jobs, one);
	} else {
		rc = sto_job_list(p->sto, false, &jobs, NULL);
	}
	vec_for_each (&jobs, job) {
		prop_from_store(job, &prop);
		if (!rc)
			rc = hwp_props_push(out, prop);
	}
	sto_job_vec_free(&jobs);
	return rc;
}

HRESULT hwp_job_props(struct hwp *p, const uint32_t *number, struct hwp_props *out)
{
	struct guid provider = com_guid_to(&HWP_PROVIDER_ID);
	enum hwp_method method = number ? HWP_M_X_JOB_GET_PROPERTIES : HWP_M_X_QUERY_JOBS;
	HRESULT hr;

	if (!hwp_enter(p, &hr))
		return hr;
	hwp_clerk_drain(p);
	int rc = read_jobs(p, number, out);
	hwp_leave(p);
	if (rc == -ENOENT)
		return VDS_E_OBJECT_DELETED; /* ended long ago and forgotten */
	if (rc)
		return rc == -ENOMEM ? E_OUTOFMEMORY : com_hr_from_errno(rc);
	return hwp_call(p, method, HWP_PROVIDER, &provider, overlay_body, out);
}

HRESULT hwp_query_jobs(struct hwp *p, VDSX_JOB_PROP **out, LONG *count)
{
	struct hwp_props props = {0};
	HRESULT hr = hwp_job_props(p, NULL, &props);

	if (SUCCEEDED(hr) && props.len) {
		*out = com_task_calloc(props.len, sizeof(**out));
		if (*out) {
			memcpy(*out, props.items, props.len * sizeof(**out));
			*count = (LONG)props.len;
		} else {
			hr = E_OUTOFMEMORY;
		}
	}
	hwp_props_free(&props);
	return hr;
}

int hwp_job_record(struct hwp *p, VDS_ASYNC_OUTPUT_TYPE type, enum hwp_kind kind,
	const struct guid *object, HRESULT hr, uint32_t *number, struct err *err)
{
	struct sto_job job = {
		.kind = type,
		.object = *object,
		.object_kind = kind,
		.result = hr,
	};
	int rc = sto_job_create(p->sto, &job, err);

	if (!rc)
		rc = sto_job_finish(
			p->sto, job.number, SUCCEEDED(hr) ? STO_JOB_DONE : STO_JOB_FAILED, hr, err);
	*number = job.number;
	return rc;
}
