/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LUN object: long work. The async object is made first, so that memory cannot run short once
 * the array has begun; then the engine is asked; then the two are tied together.
 */
#include "provider/hw/hwp_lun.h"

#include "provider/hw/hwp_hints.h"
#include "provider/hw/hwp_ids.h"
#include "provider/base/prv_job.h"
#include "vdscom/check.h"

struct work {
	uint64_t bytes;
	struct guid other; /* LUN to absorb, plex to remove */
	struct hwp_ids drives;
	struct prv_inner inner;
};

static HRESULT start(struct prv_face *face, enum hwp_method method, VDS_ASYNC_OUTPUT_TYPE type,
	HRESULT (*body)(struct hwp_call *), struct work *w, IVdsAsync **out)
{
	HRESULT hr = prv_job_inner_new(&hwp_of(face)->core, type, &w->inner);

	if (FAILED(hr))
		return hr;
	struct prv_async *async = prv_async_make(&hwp_of(face)->core, w->inner.async, &hr);
	if (async)
		hr = hwp_call(hwp_of(face), method, HWP_LUN, &face->id, body, w);
	if (SUCCEEDED(hr)) {
		prv_async_give(async, w->inner.async, w->inner.number, out);
		hr = S_OK;
	} else {
		prv_async_drop(async);
	}
	vdc_async_unref(w->inner.async);
	return hr;
}

/* While the engine is asked: the job it makes is not its own idea. */
static HRESULT finish(struct hwp_call *call, int rc, struct eng_job *job)
{
	struct work *w = call->args;

	memset(&call->p->core.asked_for, 0, sizeof(call->p->core.asked_for));
	if (rc)
		return hwp_fail(call, rc);
	hwp_job_bind(call->p, job, &w->inner);
	return S_OK;
}

/* ---- Extend, Shrink ------------------------------------------------------------------------ */

static HRESULT check_drives(struct hwp_call *call, const struct hwp_ids *drives)
{
	struct eng_drive_info info;

	for (unsigned i = 0; i < drives->count; i++)
		if (eng_drive_info(call->eng, &drives->list[i], &info))
			return VDS_E_OBJECT_NOT_FOUND;
	return S_OK;
}

static HRESULT extend_body(struct hwp_call *call)
{
	struct work *w = call->args;
	struct eng_job *job = NULL;
	HRESULT hr = check_drives(call, &w->drives);

	if (FAILED(hr))
		return hr;
	call->p->core.asked_for = call->id;
	int rc = eng_lun_extend(
		call->eng, &call->id, w->bytes, w->drives.list, w->drives.count, &job, &call->err);
	return finish(call, rc, job);
}

HRESULT STDMETHODCALLTYPE hwp_lun_Extend(
	IVdsLun *iface, ULONGLONG bytes, VDS_OBJECT_ID *drives, LONG count, IVdsAsync **out)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun, iface);
	struct work w = {.bytes = bytes};

	COM_TRACE(self, "%llu bytes, %d drives", bytes, count);
	VDC_OUT(out);
	VDC_REQUIRE(bytes);
	HRESULT hr = hwp_ids_take(drives, count, &w.drives);
	if (SUCCEEDED(hr))
		hr = start(&self->face, HWP_M_LUN_EXTEND, VDS_ASYNCOUT_EXTENDLUN, extend_body, &w,
			out);
	hwp_ids_drop(&w.drives);
	return hr;
}

static HRESULT max_extend_body(struct hwp_call *call)
{
	struct work *w = call->args;
	HRESULT hr = check_drives(call, &w->drives);

	if (FAILED(hr))
		return hr;
	int rc = eng_lun_max_extend(
		call->eng, &call->id, w->drives.list, w->drives.count, &w->bytes);
	/* No room is an answer, not a failure. */
	if (rc == -ENOSPC || rc == -ENOMEDIUM) {
		w->bytes = 0;
		rc = 0;
	}
	return hwp_fail(call, rc);
}

HRESULT STDMETHODCALLTYPE hwp_lun_QueryMaxLunExtendSize(
	IVdsLun *iface, VDS_OBJECT_ID *drives, LONG count, ULONGLONG *bytes)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun, iface);
	struct work w = {0};

	COM_TRACE(self, "%d drives", count);
	VDC_OUT(bytes);
	HRESULT hr = hwp_ids_take(drives, count, &w.drives);
	if (SUCCEEDED(hr))
		hr = hwp_call(hwp_of(&self->face), HWP_M_LUN_QUERY_MAX_EXTEND_SIZE, HWP_LUN,
			&self->face.id, max_extend_body, &w);
	if (SUCCEEDED(hr))
		*bytes = w.bytes;
	hwp_ids_drop(&w.drives);
	return hr;
}

static HRESULT shrink_body(struct hwp_call *call)
{
	struct work *w = call->args;
	struct eng_job *job = NULL;

	if (w->bytes >= call->lun.size_bytes)
		return VDS_E_INVALID_SHRINK_SIZE;
	call->p->core.asked_for = call->id;
	int rc = eng_lun_shrink(call->eng, &call->id, w->bytes, &job, &call->err);
	return finish(call, rc, job);
}

HRESULT STDMETHODCALLTYPE hwp_lun_Shrink(IVdsLun *iface, ULONGLONG bytes, IVdsAsync **out)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun, iface);
	struct work w = {.bytes = bytes};

	COM_TRACE(self, "%llu bytes", bytes);
	VDC_OUT(out);
	VDC_REQUIRE(bytes);
	return start(&self->face, HWP_M_LUN_SHRINK, VDS_ASYNCOUT_SHRINKLUN, shrink_body, &w, out);
}

/* ---- plexes -------------------------------------------------------------------------------- */

static HRESULT add_plex_body(struct hwp_call *call)
{
	struct work *w = call->args;
	struct eng_job *job = NULL;
	struct prv_ident found;
	struct hwp_array *a;

	if (hwp_ident_find(call->p, &w->other, &found, &a) || found.kind != HWP_LUN)
		return VDS_E_OBJECT_NOT_FOUND;
	if (a != call->array || guid_equal(&w->other, &call->id))
		return VDS_E_INVALID_OPERATION;
	call->p->core.asked_for = call->id;
	int rc = eng_lun_add_plex(call->eng, &call->id, &w->other, &job, &call->err);
	/* What the source lacks, the page has one code for. */
	if (rc == -EINVAL || rc == -ENOSPC || rc == -ENOMEDIUM)
		rc = -ENOTSUP;
	return finish(call, rc, job);
}

HRESULT STDMETHODCALLTYPE hwp_lun_AddPlex(IVdsLun *iface, VDS_OBJECT_ID lun, IVdsAsync **out)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun, iface);
	struct work w = {.other = com_guid_to(&lun)};

	COM_TRACE(self);
	VDC_OUT(out);
	VDC_REQUIRE(!guid_is_zero(&w.other));
	return start(
		&self->face, HWP_M_LUN_ADD_PLEX, VDS_ASYNCOUT_ADDLUNPLEX, add_plex_body, &w, out);
}

static HRESULT remove_plex_body(struct hwp_call *call)
{
	struct work *w = call->args;
	struct eng_job *job = NULL;
	struct guid lun;
	unsigned index;

	if (eng_plex_find(call->eng, &w->other, &lun, &index) || !guid_equal(&lun, &call->id))
		return VDS_E_OBJECT_NOT_FOUND;
	if (call->lun.plexes < 2)
		return VDS_E_INVALID_OPERATION;
	call->p->core.asked_for = call->id;
	int rc = eng_lun_remove_plex(call->eng, &call->id, &w->other, &job, &call->err);
	return finish(call, rc, job);
}

HRESULT STDMETHODCALLTYPE hwp_lun_RemovePlex(IVdsLun *iface, VDS_OBJECT_ID plex, IVdsAsync **out)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun, iface);
	struct work w = {.other = com_guid_to(&plex)};

	COM_TRACE(self);
	VDC_OUT(out);
	VDC_REQUIRE(!guid_is_zero(&w.other));
	return start(&self->face, HWP_M_LUN_REMOVE_PLEX, VDS_ASYNCOUT_REMOVELUNPLEX,
		remove_plex_body, &w, out);
}

/* ---- Recover (hardware.md 7.2) ------------------------------------------------------------- */

static HRESULT recover_body(struct hwp_call *call)
{
	struct eng_job *job = NULL;

	if (!hwp_type_redundant(call->lun.type))
		return VDS_E_INVALID_OPERATION;
	call->p->core.asked_for = call->id;
	int rc = eng_lun_recover(call->eng, &call->id, &job, &call->err);
	return finish(call, rc, job);
}

HRESULT STDMETHODCALLTYPE hwp_lun_Recover(IVdsLun *iface, IVdsAsync **out)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun, iface);
	struct work w = {0};

	COM_TRACE(self);
	VDC_OUT(out);
	return start(
		&self->face, HWP_M_LUN_RECOVER, VDS_ASYNCOUT_RECOVERLUN, recover_body, &w, out);
}
