/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's jobs as the work behind jobs and async objects (provider/base/prv_job.h). */
#include "provider/base/prv_job.h"
#include "provider/hw/hwp.h"

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

static void info(void *work, struct prv_work_info *out)
{
	static const enum prv_work_state states[] = {
		[ENG_JOB_RUNNING] = PRV_WORK_RUNNING,
		[ENG_JOB_INTERRUPTED] = PRV_WORK_INTERRUPTED,
		[ENG_JOB_DONE] = PRV_WORK_DONE,
		[ENG_JOB_FAILED] = PRV_WORK_FAILED,
		[ENG_JOB_CANCELED] = PRV_WORK_CANCELED,
	};
	struct eng_job_info job;

	eng_job_info(work, &job);
	*out = (struct prv_work_info){
		.number = job.number,
		.type = output_types[job.type],
		.state = states[job.state],
		.result = result_of(&job),
		.percent = job.percent,
		.done_bytes = job.done_bytes,
		.total_bytes = job.total_bytes,
		.automatic = job.automatic,
		.cancelable = job.cancelable,
	};
}

static int cancel(void *work)
{
	return eng_job_cancel(work);
}

static void *ref(void *work)
{
	return eng_job_ref(work);
}

static void unref(void *work)
{
	eng_job_unref(work);
}

static const struct prv_work_ops engine_jobs = {
	.info = info, .cancel = cancel, .ref = ref, .unref = unref};

uint32_t hwp_job_number(void *ctx, enum eng_job_type type, const struct guid *object, bool resumed)
{
	struct hwp_array *a = ctx;

	return prv_job_number(&a->p->core, output_types[type], HWP_LUN, object, resumed);
}

void hwp_job_changed(void *ctx, struct eng_job *job)
{
	struct hwp_array *a = ctx;

	prv_job_changed(&a->p->core, &engine_jobs, job, a);
}

void hwp_job_bind(struct hwp *p, struct eng_job *job, struct prv_inner *inner)
{
	prv_job_bind(&p->core, &engine_jobs, job, inner);
}

static HRESULT output_of(struct prv *core, const struct sto_job *job, VDS_ASYNC_OUTPUT *out)
{
	if (job->kind != VDS_ASYNCOUT_CREATELUN)
		return S_OK;
	return prv_face_get(core, HWP_LUN, &job->object, &IID_IUnknown, (void **)&out->cl.pLunUnk);
}

HRESULT hwp_job_async(struct hwp *p, uint32_t number, IVdsAsync **out)
{
	return prv_job_async(&p->core, number, output_of, out);
}
