/* SPDX-License-Identifier: Apache-2.0 */
/* The subsystem object: what changes it as a whole. */
#include "provider/hw/hwp_subsystem.h"

#include "provider/hw/hwp_controller.h"
#include "provider/hw/hwp_text.h"
#include "vdscom/check.h"

/* ---- Reenumerate --------------------------------------------------------------------------- */

static HRESULT reenumerate_body(struct hwp_call *call)
{
	return hwp_fail(call, hwp_array_rescan(call->array, &call->err));
}

HRESULT STDMETHODCALLTYPE hwp_subsystem_Reenumerate(IVdsSubSystem *iface)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsSubSystem, iface);

	COM_TRACE(self);
	return hwp_call(hwp_of(&self->face), HWP_M_SUB_REENUMERATE, HWP_SUB_SYSTEM, &self->face.id,
		reenumerate_body, NULL);
}

/* ---- SetControllerStatus ------------------------------------------------------------------- */

struct division {
	const VDS_OBJECT_ID *online, *offline;
	LONG online_count, offline_count;
};

static bool contains(const VDS_OBJECT_ID *ids, LONG count, const struct guid *id)
{
	GUID guid = com_guid_from(id);

	for (LONG i = 0; i < count; i++)
		if (com_guid_equal(&ids[i], &guid))
			return true;
	return false;
}

static bool all_are(const VDS_OBJECT_ID *ids, LONG count, const struct guid *id)
{
	GUID guid = com_guid_from(id);

	for (LONG i = 0; i < count; i++)
		if (!com_guid_equal(&ids[i], &guid))
			return false;
	return true;
}

static HRESULT division_body(struct hwp_call *call)
{
	const struct division *d = call->args;
	const struct guid *controller = &call->array->controller;
	bool on = contains(d->online, d->online_count, controller);
	bool off = contains(d->offline, d->offline_count, controller);

	if (!all_are(d->online, d->online_count, controller) ||
		!all_are(d->offline, d->offline_count, controller))
		return VDS_E_OBJECT_NOT_FOUND;
	if (on == off)
		return E_INVALIDARG;
	return hwp_controller_set_offline(call, off);
}

HRESULT STDMETHODCALLTYPE hwp_subsystem_SetControllerStatus(IVdsSubSystem *iface,
	VDS_OBJECT_ID *online, LONG online_count, VDS_OBJECT_ID *offline, LONG offline_count)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsSubSystem, iface);
	struct division d = {online, offline, online_count, offline_count};

	COM_TRACE(self, "%d online, %d offline", online_count, offline_count);
	HRESULT hr = vdc_check_ids(online, online_count);
	if (SUCCEEDED(hr))
		hr = vdc_check_ids(offline, offline_count);
	if (FAILED(hr))
		return hr;
	return hwp_call(hwp_of(&self->face), HWP_M_SUB_SET_CONTROLLER_STATUS, HWP_SUB_SYSTEM,
		&self->face.id, division_body, &d);
}

/* ---- ReplaceDrive -------------------------------------------------------------------------- */

struct replacement {
	struct guid old_id, new_id;
};

static HRESULT replace_body(struct hwp_call *call)
{
	const struct replacement *r = call->args;
	struct eng_drive_info info;

	if (eng_drive_info(call->eng, &r->old_id, &info) ||
		eng_drive_info(call->eng, &r->new_id, &info))
		return VDS_E_OBJECT_NOT_FOUND;
	int rc = eng_drive_replace(call->eng, &r->old_id, &r->new_id, &call->err);
	/* What the engine may say of either drive, the page has one code for. */
	if (rc == -EHOSTDOWN || rc == -ENOSPC || rc == -ENOMEDIUM)
		rc = -ENOTSUP;
	return hwp_fail(call, rc);
}

HRESULT STDMETHODCALLTYPE hwp_subsystem_ReplaceDrive(
	IVdsSubSystem *iface, VDS_OBJECT_ID old_id, VDS_OBJECT_ID new_id)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsSubSystem, iface);
	struct replacement r = {com_guid_to(&old_id), com_guid_to(&new_id)};

	COM_TRACE(self);
	VDC_REQUIRE(!guid_is_zero(&r.old_id) && !guid_is_zero(&r.new_id));
	VDC_REQUIRE(!guid_equal(&r.old_id, &r.new_id));
	return hwp_call(hwp_of(&self->face), HWP_M_SUB_REPLACE_DRIVE, HWP_SUB_SYSTEM,
		&self->face.id, replace_body, &r);
}

/* ---- SetStatus ----------------------------------------------------------------------------- */

static HRESULT status_body(struct hwp_call *call)
{
	VDS_SUB_SYSTEM_STATUS status = *(VDS_SUB_SYSTEM_STATUS *)call->args;
	struct hwp_array *a = call->array;
	struct eng_array_info info;

	if (status != VDS_SSS_ONLINE && status != VDS_SSS_OFFLINE)
		return VDS_E_NOT_SUPPORTED;
	bool offline = status == VDS_SSS_OFFLINE;
	eng_array_info(a->eng, &info);
	if (info.offline == offline)
		return S_OK;
	HRESULT hr = hwp_wish_keep(call, &a->id, offline);
	if (FAILED(hr))
		return hr;
	int rc = eng_array_set_offline(a->eng, offline, &call->err);
	if (rc) {
		hwp_wish_keep(call, &a->id, !offline);
		return hwp_fail(call, rc);
	}
	VDS_SUB_SYSTEM_STATUS now = hwp_array_status(a);
	if (now != a->last_status) /* unless the engine's own events told it */
		hwp_notify_one(call->p, HWP_SUB_SYSTEM, VDS_NF_SUB_SYSTEM_MODIFY, &a->id);
	a->last_status = now;
	return S_OK;
}

HRESULT STDMETHODCALLTYPE hwp_subsystem_SetStatus(
	IVdsSubSystem *iface, VDS_SUB_SYSTEM_STATUS status)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsSubSystem, iface);

	COM_TRACE(self, "status %d", status);
	VDC_REQUIRE(vdc_enum_known(&idl_enum_VDS_SUB_SYSTEM_STATUS, (ULONG)status));
	return hwp_call(hwp_of(&self->face), HWP_M_SUB_SET_STATUS, HWP_SUB_SYSTEM, &self->face.id,
		status_body, &status);
}

/* ---- name ---------------------------------------------------------------------------------- */

struct rename {
	struct hwp *p;
	struct guid id;
	const char *name;
	struct err *err;
};

static int rename_in_store(void *arg)
{
	struct rename *r = arg;

	return sto_subsystem_set_name(r->p->core.sto, &r->id, r->name, r->err);
}

static HRESULT name_body(struct hwp_call *call)
{
	struct rename r = {
		.p = call->p,
		.id = call->id,
		.name = call->args,
		.err = &call->err,
	};

	int rc = eng_array_set_name(call->eng, r.name, &call->err);
	if (!rc)
		rc = prv_clerk_call(&call->p->core.worker->clerk, rename_in_store, &r);
	if (!rc)
		snprintf(call->array->name, sizeof(call->array->name), "%s", r.name);
	return hwp_fail(call, rc);
}

HRESULT STDMETHODCALLTYPE hwp_subsystem_SetFriendlyName(IVdsSubSystemNaming *iface, LPWSTR name)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsSubSystemNaming, iface);
	bool cut;

	COM_TRACE(self);
	VDC_REQUIRE(name);
	char *text = hwp_name_take(name, &cut);
	if (!text)
		return E_OUTOFMEMORY;
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_SUB_SET_FRIENDLY_NAME, HWP_SUB_SYSTEM,
		&self->face.id, name_body, text);
	free(text);
	return hr == S_OK && cut ? VDS_S_NAME_TRUNCATED : hr;
}
