/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the provider: async objects of jobs. */
#ifndef PROVIDER_HW_HWP_JOB_H
#define PROVIDER_HW_HWP_JOB_H

#include "provider/hw/hwp.h"
#include "vdscom/async.h"

VEC(VDSX_JOB_PROP, hwp_props)

struct handle;

/* What a method makes before it asks the engine, so that memory cannot run short afterwards. */
struct hwp_inner {
	struct vdc_async *async; /* a reference */
	struct handle *handle;   /* the async's */
	uint32_t number;         /* set by hwp_job_bind */
};
HRESULT hwp_job_inner_new(struct hwp *p, VDS_ASYNC_OUTPUT_TYPE type, struct hwp_inner *out);
/* [worker, task] Ties it to the job the engine began; takes over the caller's reference to job. */
void hwp_job_bind(struct hwp *p, struct eng_job *job, struct hwp_inner *inner);

/* The client's object on an inner async (of which it takes a reference of its own). */
HRESULT hwp_async_new(struct hwp *p, struct vdc_async *inner, uint32_t number, IVdsAsync **out);
/* As above, in two steps: made before the work begins, and given its number after. */
struct hwp_async;
/* NULL: *hr says why, memory or a closed service. */
struct hwp_async *hwp_async_make(struct hwp *p, struct vdc_async *inner, HRESULT *hr);
void hwp_async_give(
	struct hwp_async *async, struct vdc_async *inner, uint32_t number, IVdsAsync **out);
void hwp_async_drop(struct hwp_async *async); /* NULL is allowed */

/* Properties of one job, or with number NULL of all. */
HRESULT hwp_job_props(struct hwp *p, const uint32_t *number, struct hwp_props *out);

#endif
