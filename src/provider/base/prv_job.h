/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs: what a provider works on, what the store records of it, and the async objects of clients.
 *
 *	work ── record (worker) ── vdc_async: result, waiting, percent
 *	                                │
 *	                       prv_async: what clients hold
 *
 * Work is the provider's: an engine's or a volume's job behind struct prv_work_ops. The record
 * lives while it runs or rests in this process. A client's prv_async holds the service, like every
 * facade; letting go of it cancels nothing. A job that has ended is answered from the store.
 *
 * Job numbers are the store's. Of the jobs of all providers one shows those whose objects are of
 *its kind: kinds up to PRV_KIND_HW are software providers', from there on hardware providers' (the
 *ranges of VDS_OBJECT_TYPE).
 */
#ifndef PROVIDER_BASE_PRV_JOB_H
#define PROVIDER_BASE_PRV_JOB_H

#include "provider/base/prv.h"
#include "vdscom/async.h"
#include "vdscom/props.h"

enum { PRV_KIND_SW = 10, PRV_KIND_HW = 30 };

VEC(VDSX_JOB_PROP, prv_props)

enum prv_work_state {
	PRV_WORK_RUNNING,
	PRV_WORK_INTERRUPTED, /* held, or waiting for a restart to continue it */
	PRV_WORK_DONE,
	PRV_WORK_FAILED,
	PRV_WORK_CANCELED,
};

struct prv_work_info {
	uint32_t number;
	VDS_ASYNC_OUTPUT_TYPE type;
	enum prv_work_state state;
	HRESULT result; /* VDS_E_OPERATION_PENDING until it has ended */
	unsigned percent;
	uint64_t done_bytes, total_bytes;
	bool automatic, cancelable;
};

/* [worker] One kind of work. */
struct prv_work_ops {
	void (*info)(void *work, struct prv_work_info *out);
	/* 0, -EALREADY (asked before), -ETIME (too late), -ENOTSUP */
	int (*cancel)(void *work);
	void *(*ref)(void *work);
	void (*unref)(void *work);
};

/* [worker] A number for work that begins now, or (resumed) the one it had. Stops the worker while
 * the store writes. 0 when it cannot be recorded. */
uint32_t prv_job_number(struct prv *core, VDS_ASYNC_OUTPUT_TYPE type, unsigned kind,
	const struct guid *object, bool resumed);
/* [worker] Progress, state or result of the work changed. group: what prv_jobs_interrupt ends. */
void prv_job_changed(
	struct prv *core, const struct prv_work_ops *ops, void *work, const void *group);
/* [worker] What belongs to the group is not worked on any more in this process. */
void prv_jobs_interrupt(struct prv *core, const void *group);

struct prv_handle;
struct prv_async;

/* What a method makes before it begins the work, so that memory cannot run short afterwards. */
struct prv_inner {
	struct vdc_async *async;   /* a reference */
	struct prv_handle *handle; /* the async's */
	uint32_t number;           /* set by prv_job_bind */
};
HRESULT prv_job_inner_new(struct prv *core, VDS_ASYNC_OUTPUT_TYPE type, struct prv_inner *out);
/* [worker, task] Ties it to the work that began; takes over the caller's reference to work. */
void prv_job_bind(
	struct prv *core, const struct prv_work_ops *ops, void *work, struct prv_inner *inner);

/* The client's object on an inner async (of which it takes a reference of its own). */
HRESULT prv_async_new(struct prv *core, struct vdc_async *inner, uint32_t number, IVdsAsync **out);
/* As above, in two steps: made before the work begins, and given its number after. NULL: *hr says
 * why, memory or a closed service. */
struct prv_async *prv_async_make(struct prv *core, struct vdc_async *inner, HRESULT *hr);
void prv_async_give(
	struct prv_async *async, struct vdc_async *inner, uint32_t number, IVdsAsync **out);
void prv_async_drop(struct prv_async *async); /* NULL is allowed */

/* What the output of an ended job holds, from its record; the pointer in it gets a reference. */
typedef HRESULT prv_output_fn(
	struct prv *core, const struct sto_job *job, VDS_ASYNC_OUTPUT *output);

/* The async object of a job of any state and of this provider's kinds. VDS_E_OBJECT_NOT_FOUND. */
HRESULT prv_job_async(struct prv *core, uint32_t number, prv_output_fn *output, IVdsAsync **out);
/* Jobs of this provider's kinds; number NULL: all. VDS_E_OBJECT_DELETED: ended long ago and
 * forgotten. */
HRESULT prv_job_props(struct prv *core, const uint32_t *number, struct prv_props *out);
/* The same as IVdsxJobs gives them. */
HRESULT prv_query_jobs(struct prv *core, VDSX_JOB_PROP **out, LONG *count);
/* Records work that is over already; *number is its job's. (any thread but the worker) */
int prv_job_record(struct prv *core, VDS_ASYNC_OUTPUT_TYPE type, unsigned kind,
	const struct guid *object, HRESULT hr, uint32_t *number, struct err *err);

#endif
