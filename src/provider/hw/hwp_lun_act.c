/* SPDX-License-Identifier: Apache-2.0 */
/* The LUN object: what is done at once. */
#include "provider/hw/hwp_lun.h"

#include "provider/hw/hwp_hints.h"
#include "provider/hw/hwp_mask.h"
#include "provider/hw/hwp_text.h"
#include "vdscom/check.h"

/* ---- SetMask ------------------------------------------------------------------------------- */

struct keep {
	struct hwp *p;
	struct guid lun;
	const char *list;
	struct err *err;
};

static int keep_in_store(void *arg)
{
	struct keep *k = arg;

	return sto_attr_set_text(k->p->core.sto, &k->lun, HWP_KEY_MASK, k->list, k->err);
}

int hwp_mask_keep(struct hwp *p, const struct guid *lun, const char *list, struct err *err)
{
	struct keep k = {.p = p, .lun = *lun, .list = list, .err = err};

	return prv_clerk_call(&p->core.worker->clerk, keep_in_store, &k);
}

static HRESULT mask_body(struct hwp_call *call)
{
	struct hwp *p = call->p;

	task_lock(&p->admin);
	int rc = hwp_mask_keep(p, &call->id, call->args, &call->err);
	task_unlock(&p->admin);
	if (rc)
		return hwp_fail(call, rc);
	hwp_notify_one(p, HWP_LUN, VDS_NF_LUN_MODIFY, &call->id);
	return S_OK;
}

HRESULT STDMETHODCALLTYPE hwp_lun_SetMask(IVdsLun *iface, LPWSTR list)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun, iface);
	cleanup_free char *normal = NULL;

	COM_TRACE(self);
	VDC_REQUIRE(list);
	cleanup_free char *text = com_utf8_from_wide(list);
	int rc = text ? hwp_mask_normalize(text, &normal) : -ENOMEM;
	if (rc)
		return rc == -ENOMEM ? E_OUTOFMEMORY : E_INVALIDARG;
	return hwp_call(hwp_of(&self->face), HWP_M_LUN_SET_MASK, HWP_LUN, &self->face.id, mask_body,
		normal);
}

/* ---- Delete, SetStatus, name --------------------------------------------------------------- */

static HRESULT delete_body(struct hwp_call *call)
{
	return hwp_fail(call, eng_lun_delete(call->eng, &call->id, &call->err));
}

HRESULT STDMETHODCALLTYPE hwp_lun_Delete(IVdsLun *iface)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun, iface);

	COM_TRACE(self);
	return hwp_call(
		hwp_of(&self->face), HWP_M_LUN_DELETE, HWP_LUN, &self->face.id, delete_body, NULL);
}

static HRESULT status_body(struct hwp_call *call)
{
	VDS_LUN_STATUS status = *(VDS_LUN_STATUS *)call->args;

	if (status != VDS_LS_ONLINE && status != VDS_LS_OFFLINE)
		return VDS_E_NOT_SUPPORTED;
	if (hwp_lun_status(&call->lun) == status)
		return S_OK;
	return hwp_fail(call,
		eng_lun_set_offline(call->eng, &call->id, status == VDS_LS_OFFLINE, &call->err));
}

HRESULT STDMETHODCALLTYPE hwp_lun_SetStatus(IVdsLun *iface, VDS_LUN_STATUS status)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun, iface);

	COM_TRACE(self, "status %d", status);
	VDC_REQUIRE(vdc_enum_known(&idl_enum_VDS_LUN_STATUS, (ULONG)status));
	return hwp_call(hwp_of(&self->face), HWP_M_LUN_SET_STATUS, HWP_LUN, &self->face.id,
		status_body, &status);
}

static HRESULT name_body(struct hwp_call *call)
{
	return hwp_fail(call, eng_lun_set_name(call->eng, &call->id, call->args, &call->err));
}

HRESULT STDMETHODCALLTYPE hwp_lun_SetFriendlyName(IVdsLunNaming *iface, LPWSTR name)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLunNaming, iface);
	bool cut;

	COM_TRACE(self);
	VDC_REQUIRE(name);
	cleanup_free char *text = hwp_name_take(name, &cut);
	if (!text)
		return E_OUTOFMEMORY;
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_LUN_SET_FRIENDLY_NAME, HWP_LUN,
		&self->face.id, name_body, text);
	return hr == S_OK && cut ? VDS_S_NAME_TRUNCATED : hr;
}

/* ---- hints --------------------------------------------------------------------------------- */

static HRESULT query_hints_body(struct hwp_call *call)
{
	hwp_hints_write(&call->lun, call->args);
	return S_OK;
}

HRESULT hwp_hints_query(struct prv_face *face, enum hwp_method method, VDS_HINTS2 *hints)
{
	return hwp_call(hwp_of(face), method, face->kind, &face->id, query_hints_body, hints);
}

static HRESULT apply_hints_body(struct hwp_call *call)
{
	struct hwp_wishes w;
	unsigned policy;
	int rc = 0;

	hwp_hints_read(call->args, &w);
	policy = (call->lun.policy & ~w.policy_mask) | w.policy;
	if (policy != call->lun.policy)
		rc = eng_lun_set_policy(call->eng, &call->lun.id, policy, &call->err);
	if (!rc && w.rebuild_priority >= 0 && w.rebuild_priority != call->lun.rebuild_priority)
		rc = eng_lun_set_priority(call->eng, &call->lun.id, w.rebuild_priority, &call->err);
	return hwp_fail(call, rc);
}

HRESULT hwp_hints_apply(struct prv_face *face, enum hwp_method method, const VDS_HINTS2 *hints)
{
	VDS_HINTS2 copy;

	VDC_REQUIRE(hints);
	copy = *hints;
	return hwp_call(hwp_of(face), method, face->kind, &face->id, apply_hints_body, &copy);
}

HRESULT STDMETHODCALLTYPE hwp_lun_QueryHints(IVdsLun *iface, VDS_HINTS *hints)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun, iface);
	VDS_HINTS2 all = {0};

	COM_TRACE(self);
	VDC_OUT(hints);
	HRESULT hr = hwp_hints_query(&self->face, HWP_M_LUN_QUERY_HINTS, &all);
	if (SUCCEEDED(hr))
		hwp_hints_narrow(&all, hints);
	return hr;
}

HRESULT STDMETHODCALLTYPE hwp_lun_ApplyHints(IVdsLun *iface, VDS_HINTS *hints)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun, iface);
	VDS_HINTS2 all;

	COM_TRACE(self);
	VDC_REQUIRE(hints);
	hwp_hints_widen(hints, &all);
	return hwp_hints_apply(&self->face, HWP_M_LUN_APPLY_HINTS, &all);
}

HRESULT STDMETHODCALLTYPE hwp_lun_QueryHints2(IVdsLun2 *iface, VDS_HINTS2 *hints)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun2, iface);

	COM_TRACE(self);
	VDC_OUT(hints);
	return hwp_hints_query(&self->face, HWP_M_LUN_QUERY_HINTS2, hints);
}

HRESULT STDMETHODCALLTYPE hwp_lun_ApplyHints2(IVdsLun2 *iface, VDS_HINTS2 *hints)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun2, iface);

	COM_TRACE(self);
	return hwp_hints_apply(&self->face, HWP_M_LUN_APPLY_HINTS2, hints);
}
