/* SPDX-License-Identifier: Apache-2.0 */
/* The drive object. */
#include "provider/hw/hwp.h"

#include "provider/hw/hwp_extent.h"
#include "provider/hw/hwp_text.h"
#include "vdscom/check.h"
#include "vdscom/props.h"

struct hwp_drive {
	struct com_object com;
	IUnknown IUnknown_iface;
	IVdsDrive IVdsDrive_iface;
	IVdsDrive2 IVdsDrive2_iface;
	IVdsMaintenance IVdsMaintenance_iface;
	IVdsxMaintenance IVdsxMaintenance_iface;
	IVdsxNumber IVdsxNumber_iface;
	IVdsxDrive IVdsxDrive_iface;
	struct prv_face face;
};
COM_IDENTITY(hwp_drive)
COM_UNKNOWN(hwp_drive, IVdsDrive)
COM_UNKNOWN(hwp_drive, IVdsDrive2)
COM_UNKNOWN(hwp_drive, IVdsxDrive)
HWP_MAINTENANCE(hwp_drive)
HWP_NUMBER(hwp_drive)
PRV_DESTROY(hwp_drive)

/* ---- properties ---------------------------------------------------------------------------- */

static HRESULT info_body(struct hwp_call *call)
{
	*(struct eng_drive_info *)call->args = call->drive;
	return S_OK;
}

static HRESULT get_props(struct prv_face *face, enum hwp_method method, VDS_DRIVE_PROP2 *out)
{
	struct eng_drive_info info;
	HRESULT hr = hwp_call(hwp_of(face), method, HWP_DRIVE, &face->id, info_body, &info);

	if (FAILED(hr))
		return hr;
	if (!hwp_set_text(&out->pwszFriendlyName, "Drive in slot %d", info.slot) ||
		!hwp_set_text(
			&out->pwszIdentification, "%s", info.serial[0] ? info.serial : info.path)) {
		vdc_clear(VDS_DRIVE_PROP2, out);
		return E_OUTOFMEMORY;
	}
	out->id = com_guid_from(&face->id);
	out->ullSize = info.size_bytes;
	out->ulFlags = hwp_drive_flags(&info);
	out->status = hwp_drive_status(&info);
	out->health = hwp_drive_health(&info);
	out->sInternalBusNumber = info.bus;
	out->sSlotNumber = info.slot;
	out->ulEnclosureNumber = 0;
	out->busType = VDSBusTypeUnknown;
	out->ulSpindleSpeed = info.rotational ? 0 : 1;
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_drive_GetProperties(IVdsDrive *iface, VDS_DRIVE_PROP *prop)
{
	struct hwp_drive *self = COM_IMPL(hwp_drive, IVdsDrive, iface);
	VDS_DRIVE_PROP2 all = {0};

	COM_TRACE(self);
	VDC_OUT(prop);
	HRESULT hr = get_props(&self->face, HWP_M_DRIVE_GET_PROPERTIES, &all);
	if (FAILED(hr))
		return hr;
	prop->id = all.id;
	prop->ullSize = all.ullSize;
	prop->pwszFriendlyName = all.pwszFriendlyName;
	prop->pwszIdentification = all.pwszIdentification;
	prop->ulFlags = all.ulFlags;
	prop->status = all.status;
	prop->health = all.health;
	prop->sInternalBusNumber = all.sInternalBusNumber;
	prop->sSlotNumber = all.sSlotNumber;
	return hr;
}

static HRESULT STDMETHODCALLTYPE hwp_drive_GetProperties2(IVdsDrive2 *iface, VDS_DRIVE_PROP2 *prop)
{
	struct hwp_drive *self = COM_IMPL(hwp_drive, IVdsDrive2, iface);

	COM_TRACE(self);
	VDC_OUT(prop);
	return get_props(&self->face, HWP_M_DRIVE_GET_PROPERTIES2, prop);
}

static HRESULT STDMETHODCALLTYPE hwp_drive_GetSubSystem(IVdsDrive *iface, IVdsSubSystem **out)
{
	struct hwp_drive *self = COM_IMPL(hwp_drive, IVdsDrive, iface);

	COM_TRACE(self);
	return hwp_get_sub_system(&self->face, HWP_M_DRIVE_GET_SUB_SYSTEM, out);
}

/* ---- extents ------------------------------------------------------------------------------- */

static HRESULT extents_body(struct hwp_call *call)
{
	struct hwp_extents *e = call->args;

	return hwp_fail(call, eng_drive_extents(call->eng, &call->id, &e->list, &e->count));
}

static HRESULT STDMETHODCALLTYPE hwp_drive_QueryExtents(
	IVdsDrive *iface, VDS_DRIVE_EXTENT **out, LONG *count)
{
	struct hwp_drive *self = COM_IMPL(hwp_drive, IVdsDrive, iface);
	struct hwp_extents e = {0};

	COM_TRACE(self);
	VDC_OUT2(out, count);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_DRIVE_QUERY_EXTENTS, HWP_DRIVE,
		&self->face.id, extents_body, &e);
	if (SUCCEEDED(hr))
		hr = hwp_extents_give(&e, out, count);
	free(e.list);
	return hr;
}

HRESULT hwp_extents_give(const struct hwp_extents *e, VDS_DRIVE_EXTENT **out, LONG *count)
{
	if (!e->count)
		return S_OK;
	*out = com_task_calloc(e->count, sizeof(**out));
	if (!*out)
		return E_OUTOFMEMORY;
	for (unsigned i = 0; i < e->count; i++)
		(*out)[i] = (VDS_DRIVE_EXTENT){
			.id = com_guid_from(&e->list[i].drive),
			.LunId = com_guid_from(&e->list[i].lun),
			.ullSize = e->list[i].size,
			.bUsed = !guid_is_zero(&e->list[i].lun),
		};
	*count = (LONG)e->count;
	return S_OK;
}

/* ---- flags --------------------------------------------------------------------------------- */

static HRESULT flags_body(struct hwp_call *call)
{
	ULONG flags = *(ULONG *)call->args;
	bool spare = call->method == HWP_M_DRIVE_SET_FLAGS;

	if (flags != VDS_DRF_HOTSPARE)
		return VDS_E_NOT_SUPPORTED;
	if (call->drive.spare == spare)
		return S_OK;
	return hwp_fail(call, eng_drive_set_spare(call->eng, &call->id, spare, &call->err));
}

static HRESULT change_flags(IVdsDrive *iface, enum hwp_method method, ULONG flags)
{
	struct hwp_drive *self = COM_IMPL(hwp_drive, IVdsDrive, iface);

	COM_TRACE(self, "%s %#x", hwp_method_info(method)->name, flags);
	VDC_REQUIRE(flags);
	VDC_ENUM(VDS_DRIVE_FLAG, flags);
	return hwp_call(hwp_of(&self->face), method, HWP_DRIVE, &self->face.id, flags_body, &flags);
}

static HRESULT STDMETHODCALLTYPE hwp_drive_SetFlags(IVdsDrive *iface, ULONG flags)
{
	return change_flags(iface, HWP_M_DRIVE_SET_FLAGS, flags);
}

static HRESULT STDMETHODCALLTYPE hwp_drive_ClearFlags(IVdsDrive *iface, ULONG flags)
{
	return change_flags(iface, HWP_M_DRIVE_CLEAR_FLAGS, flags);
}

/* ---- SetStatus (hardware.md 6.4) ----------------------------------------------------------- */

static HRESULT status_body(struct hwp_call *call)
{
	VDS_DRIVE_STATUS status = *(VDS_DRIVE_STATUS *)call->args;

	if (status != VDS_DRS_ONLINE && status != VDS_DRS_OFFLINE)
		return VDS_E_NOT_SUPPORTED; /* facts, not wishes */
	if (hwp_drive_status(&call->drive) == status)
		return S_OK;
	return hwp_fail(call,
		eng_drive_set_offline(call->eng, &call->id, status == VDS_DRS_OFFLINE, &call->err));
}

static HRESULT STDMETHODCALLTYPE hwp_drive_SetStatus(IVdsDrive *iface, VDS_DRIVE_STATUS status)
{
	struct hwp_drive *self = COM_IMPL(hwp_drive, IVdsDrive, iface);

	COM_TRACE(self, "status %d", status);
	VDC_REQUIRE(vdc_enum_known(&idl_enum_VDS_DRIVE_STATUS, (ULONG)status));
	return hwp_call(hwp_of(&self->face), HWP_M_DRIVE_SET_STATUS, HWP_DRIVE, &self->face.id,
		status_body, &status);
}

/* ---- IVdsxDrive ---------------------------------------------------------------------------- */

static HRESULT STDMETHODCALLTYPE hwp_drive_GetDetail(IVdsxDrive *iface, VDSX_DRIVE_DETAIL *out)
{
	struct hwp_drive *self = COM_IMPL(hwp_drive, IVdsxDrive, iface);
	struct eng_drive_info info;

	COM_TRACE(self);
	VDC_OUT(out);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_X_DRIVE_GET_DETAIL, HWP_DRIVE,
		&self->face.id, info_body, &info);
	if (FAILED(hr))
		return hr;
	if (!hwp_set_text(&out->pwszPath, "%s", info.path) ||
		(info.note[0] && !hwp_set_text(&out->pwszNote, "%s", info.note))) {
		vdc_clear(VDSX_DRIVE_DETAIL, out);
		return E_OUTOFMEMORY;
	}
	out->ullUsableBytes = info.usable_bytes;
	out->ullFreeBytes = info.free_bytes;
	out->ullLargestFreeBytes = info.largest_free_bytes;
	out->ullReadErrors = info.read_errors;
	out->ullReadErrorsRepaired = info.read_errors_repaired;
	out->ullWriteErrors = info.write_errors;
	out->ullTimeouts = info.timeouts;
	out->ullLostAt = (ULONGLONG)info.lost_at;
	return hr;
}

/* ---- tables -------------------------------------------------------------------------------- */

static const IVdsDriveVtbl hwp_drive_IVdsDrive_vtbl = {
	COM_UNKNOWN_METHODS(hwp_drive, IVdsDrive),
	.GetProperties = hwp_drive_GetProperties,
	.GetSubSystem = hwp_drive_GetSubSystem,
	.QueryExtents = hwp_drive_QueryExtents,
	.SetFlags = hwp_drive_SetFlags,
	.ClearFlags = hwp_drive_ClearFlags,
	.SetStatus = hwp_drive_SetStatus,
};
static const IVdsDrive2Vtbl hwp_drive_IVdsDrive2_vtbl = {
	COM_UNKNOWN_METHODS(hwp_drive, IVdsDrive2),
	.GetProperties2 = hwp_drive_GetProperties2,
};
static const IVdsxDriveVtbl hwp_drive_IVdsxDrive_vtbl = {
	COM_UNKNOWN_METHODS(hwp_drive, IVdsxDrive),
	.GetDetail = hwp_drive_GetDetail,
};

static const struct com_iface hwp_drive_ifaces[] = {
	COM_IFACE(hwp_drive, IUnknown),
	COM_IFACE(hwp_drive, IVdsDrive),
	COM_IFACE(hwp_drive, IVdsDrive2),
	COM_IFACE(hwp_drive, IVdsMaintenance),
	COM_IFACE(hwp_drive, IVdsxMaintenance),
	COM_IFACE(hwp_drive, IVdsxNumber),
	COM_IFACE(hwp_drive, IVdsxDrive),
};
static const struct com_class hwp_drive_class = {
	"hwp_drive",
	sizeof(struct hwp_drive),
	COM_IFACES(hwp_drive_ifaces),
	hwp_drive_destroy,
};

struct com_object *hwp_drive_make(const struct prv_face *face)
{
	GUID id = com_guid_from(&face->id);
	struct hwp_drive *self = com_object_new(&hwp_drive_class, &id);

	if (!self)
		return NULL;
	self->face = *face;
	return &self->com;
}
