/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subsystem object: making LUNs (hardware.md 4.2).
 *
 * Creation takes no time, but everything a client gets for it is made before the array begins or
 * while the LUN can still be undone: the async object first, the LUN's facade right after. If the
 * store or memory fails then, the LUN is deleted again and nothing has happened.
 */
#include "provider/hw/hwp_subsystem.h"

#include "provider/hw/hwp_hints.h"
#include "provider/hw/hwp_ids.h"
#include "provider/base/prv_job.h"
#include "provider/hw/hwp_lun.h"
#include "provider/hw/hwp_mask.h"

struct wanted {
	VDS_LUN_TYPE type;
	bool plain;    /* through the first version of the interface */
	uint64_t size; /* out: the largest, for the query */
	struct hwp_ids drives;
	struct hwp_wishes wishes;
	char *mask;
	IUnknown *lun;   /* out */
	uint32_t number; /* of the job */
};

/* ---- arguments ----------------------------------------------------------------------------- */

static HRESULT take(struct wanted *w, VDS_LUN_TYPE type, const VDS_OBJECT_ID *drives, LONG count,
	const VDS_HINTS2 *hints)
{
	w->type = type;
	VDC_REQUIRE(hwp_type_known(type));
	VDC_REQUIRE(!hwp_type_automagic(type) || !count);
	hwp_hints_read(hints, &w->wishes);
	return hwp_ids_take(drives, count, &w->drives);
}

static HRESULT take_mask(struct wanted *w, const WCHAR *list)
{
	cleanup_free char *text = list ? com_utf8_from_wide(list) : strdup("");
	int rc = text ? hwp_mask_normalize(text, &w->mask) : -ENOMEM;

	return !rc ? S_OK : rc == -ENOMEM ? E_OUTOFMEMORY : E_INVALIDARG;
}

static void drop(struct wanted *w)
{
	hwp_ids_drop(&w->drives);
	free(w->mask);
}

/* ---- on the worker ------------------------------------------------------------------------- */

/* Fewest drives that the type takes: what a LUN to be carried away should have. */
static unsigned fewest(enum eng_lun_type type)
{
	switch (type) {
	case ENG_LUN_SIMPLE:
		return 1;
	case ENG_LUN_SPAN:
	case ENG_LUN_STRIPE:
	case ENG_LUN_MIRROR:
		return 2;
	case ENG_LUN_PARITY:
	case ENG_LUN_RAID5:
		return 3;
	case ENG_LUN_RAID6:
	case ENG_LUN_RAID10:
		return 4;
	case ENG_LUN_RAID50:
		return 6;
	case ENG_LUN_RAID60:
		return 8;
	}
	return 0;
}

static HRESULT choose(struct hwp_call *call, struct wanted *w, struct eng_lun_params *params)
{
	struct eng_drive_info info;

	for (unsigned i = 0; i < w->drives.count; i++)
		if (eng_drive_info(call->eng, &w->drives.list[i], &info))
			return VDS_E_OBJECT_NOT_FOUND;
	if (hwp_type_automagic(w->type)) {
		int ft = w->type == VDS_LT_FAULT_TOLERANT ? 1 : w->type == VDS_LT_DEFAULT ? -1 : 0;
		int rc = eng_lun_choose_type(call->eng, ft, w->wishes.mostly_reads, w->plain,
			w->wishes.max_drives, &params->type);
		if (rc)
			return hwp_fail(call, rc);
		/* not fault tolerant: SIMPLE where one drive is enough */
		if (!ft && w->size) {
			uint64_t most = 0;
			struct eng_lun_params one = {
				.type = ENG_LUN_SIMPLE, .rebuild_priority = -1};
			if (!eng_lun_max_size(call->eng, &one, &most, NULL) && most >= w->size)
				params->type = ENG_LUN_SIMPLE;
		}
	} else if ((w->plain && !hwp_type_plain(w->type)) ||
		   !hwp_type_to_engine(w->type, &params->type)) {
		err_set(&call->err, -ENOTSUP, "The array does not build LUNs of this type here.");
		return VDS_E_NOT_SUPPORTED;
	}
	params->drives = w->drives.list;
	params->drives_len = w->drives.count;
	params->max_drives = w->wishes.max_drives;
	if (w->wishes.yankable && !params->max_drives)
		params->max_drives = fewest(params->type);
	params->chunk = w->wishes.chunk;
	params->rebuild_priority = w->wishes.rebuild_priority;
	params->policy = w->wishes.policy;
	return S_OK;
}

struct kept {
	struct hwp *p;
	struct guid lun;
	struct wanted *w;
	struct err *err;
};

static int keep_in_store(void *arg)
{
	struct kept *k = arg;
	uint32_t number;
	int rc = sto_number(k->p->core.sto, HWP_LUN, &k->lun, &number, k->err);

	if (!rc && k->w->mask[0])
		rc = sto_attr_set_text(k->p->core.sto, &k->lun, HWP_KEY_MASK, k->w->mask, k->err);
	if (!rc)
		rc = prv_job_record(&k->p->core, VDS_ASYNCOUT_CREATELUN, HWP_LUN, &k->lun, S_OK,
			&k->w->number, k->err);
	return rc;
}

static HRESULT create_body(struct hwp_call *call)
{
	struct wanted *w = call->args;
	struct eng_lun_params params = {.size_bytes = w->size};
	struct kept k = {.p = call->p, .w = w, .err = &call->err};
	HRESULT hr = choose(call, w, &params);

	if (FAILED(hr))
		return hr;
	int rc = eng_lun_create(call->eng, &params, &k.lun, &call->err);
	if (rc)
		return hwp_fail(call, rc);
	rc = prv_clerk_call(&call->p->core.worker->clerk, keep_in_store, &k);
	hr = rc ? hwp_fail(call, rc)
		: prv_face_get(&call->p->core, HWP_LUN, &k.lun, &IID_IUnknown, (void **)&w->lun);
	if (FAILED(hr))
		eng_lun_delete(call->eng, &k.lun, NULL);
	return hr;
}

static HRESULT max_body(struct hwp_call *call)
{
	struct wanted *w = call->args;
	struct eng_lun_params params = {0};
	HRESULT hr = choose(call, w, &params);

	/* No room is an answer, not a failure. */
	if (hr == VDS_E_NOT_ENOUGH_DRIVE || hr == VDS_E_NOT_ENOUGH_SPACE)
		return S_OK;
	if (FAILED(hr))
		return hr;
	int rc = eng_lun_max_size(call->eng, &params, &w->size, &call->err);
	if (rc == -ENOSPC || rc == -ENOMEDIUM) {
		w->size = 0;
		rc = 0;
	}
	return hwp_fail(call, rc);
}

/* ---- the four methods ---------------------------------------------------------------------- */

static HRESULT create(
	struct prv_face *face, enum hwp_method method, struct wanted *w, IVdsAsync **out)
{
	struct prv_inner inner;
	HRESULT hr = prv_job_inner_new(&hwp_of(face)->core, VDS_ASYNCOUT_CREATELUN, &inner);

	if (FAILED(hr))
		return hr;
	struct prv_async *async = prv_async_make(&hwp_of(face)->core, inner.async, &hr);
	if (async)
		hr = hwp_call(hwp_of(face), method, HWP_SUB_SYSTEM, &face->id, create_body, w);
	if (SUCCEEDED(hr)) {
		VDS_ASYNC_OUTPUT output = {.type = VDS_ASYNCOUT_CREATELUN, .cl.pLunUnk = w->lun};
		vdc_async_finish(inner.async, S_OK, &output);
		prv_async_give(async, inner.async, w->number, out);
	} else {
		prv_async_drop(async);
	}
	COM_RELEASE(w->lun);
	vdc_async_unref(inner.async);
	return hr;
}

static HRESULT create_any(struct prv_face *face, struct wanted *w, VDS_LUN_TYPE type,
	const VDS_OBJECT_ID *drives, LONG count, const WCHAR *mask, const VDS_HINTS2 *hints,
	IVdsAsync **out)
{
	VDC_OUT(out);
	VDC_REQUIRE(w->size);
	HRESULT hr = take(w, type, drives, count, hints);
	if (SUCCEEDED(hr))
		hr = take_mask(w, mask);
	if (SUCCEEDED(hr))
		hr = create(face, w->plain ? HWP_M_SUB_CREATE_LUN : HWP_M_SUB_CREATE_LUN2, w, out);
	drop(w);
	return hr;
}

static HRESULT max_any(struct prv_face *face, struct wanted *w, VDS_LUN_TYPE type,
	const VDS_OBJECT_ID *drives, LONG count, const VDS_HINTS2 *hints, ULONGLONG *size)
{
	VDC_OUT(size);
	VDC_REQUIRE(hints);
	HRESULT hr = take(w, type, drives, count, hints);
	if (SUCCEEDED(hr))
		hr = hwp_call(hwp_of(face),
			w->plain ? HWP_M_SUB_QUERY_MAX_LUN_CREATE_SIZE
				 : HWP_M_SUB_QUERY_MAX_LUN_CREATE_SIZE2,
			HWP_SUB_SYSTEM, &face->id, max_body, w);
	if (SUCCEEDED(hr))
		*size = w->size;
	drop(w);
	return hr;
}

HRESULT STDMETHODCALLTYPE hwp_subsystem_CreateLun(IVdsSubSystem *iface, VDS_LUN_TYPE type,
	ULONGLONG size, VDS_OBJECT_ID *drives, LONG count, LPWSTR mask, VDS_HINTS *hints,
	IVdsAsync **out)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsSubSystem, iface);
	struct wanted w = {.plain = true, .size = size};
	VDS_HINTS2 wide;

	COM_TRACE(self, "type %d, %llu bytes, %d drives", type, size, count);
	if (hints)
		hwp_hints_widen(hints, &wide);
	return create_any(&self->face, &w, type, drives, count, mask, hints ? &wide : NULL, out);
}

HRESULT STDMETHODCALLTYPE hwp_subsystem_CreateLun2(IVdsSubSystem2 *iface, VDS_LUN_TYPE type,
	ULONGLONG size, VDS_OBJECT_ID *drives, LONG count, LPWSTR mask, VDS_HINTS2 *hints,
	IVdsAsync **out)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsSubSystem2, iface);
	struct wanted w = {.size = size};

	COM_TRACE(self, "type %d, %llu bytes, %d drives", type, size, count);
	return create_any(&self->face, &w, type, drives, count, mask, hints, out);
}

HRESULT STDMETHODCALLTYPE hwp_subsystem_QueryMaxLunCreateSize(IVdsSubSystem *iface,
	VDS_LUN_TYPE type, VDS_OBJECT_ID *drives, LONG count, VDS_HINTS *hints, ULONGLONG *size)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsSubSystem, iface);
	struct wanted w = {.plain = true};
	VDS_HINTS2 wide;

	COM_TRACE(self, "type %d, %d drives", type, count);
	if (hints)
		hwp_hints_widen(hints, &wide);
	return max_any(&self->face, &w, type, drives, count, hints ? &wide : NULL, size);
}

HRESULT STDMETHODCALLTYPE hwp_subsystem_QueryMaxLunCreateSize2(IVdsSubSystem2 *iface,
	VDS_LUN_TYPE type, VDS_OBJECT_ID *drives, LONG count, VDS_HINTS2 *hints, ULONGLONG *size)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsSubSystem2, iface);
	struct wanted w = {0};

	COM_TRACE(self, "type %d, %d drives", type, count);
	return max_any(&self->face, &w, type, drives, count, hints, size);
}
