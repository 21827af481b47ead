/* SPDX-License-Identifier: Apache-2.0 */
/* The subsystem object: its properties and what it consists of. */
#include "provider/hw/hwp_subsystem.h"

#include "provider/hw/hwp_hints.h"
#include "provider/hw/hwp_text.h"
#include "vdscom/check.h"
#include "vdscom/props.h"

#define FLAGS                                                                                      \
	(VDS_SF_LUN_MASKING_CAPABLE | VDS_SF_LUN_PLEXING_CAPABLE | VDS_SF_DRIVE_EXTENT_CAPABLE |   \
		VDS_SF_READ_BACK_VERIFY_CAPABLE | VDS_SF_WRITE_THROUGH_CACHING_CAPABLE |           \
		VDS_SF_SUPPORTS_FAULT_TOLERANT_LUNS | VDS_SF_SUPPORTS_NON_FAULT_TOLERANT_LUNS |    \
		VDS_SF_SUPPORTS_SIMPLE_LUNS | VDS_SF_SUPPORTS_SPAN_LUNS |                          \
		VDS_SF_SUPPORTS_STRIPE_LUNS | VDS_SF_SUPPORTS_MIRROR_LUNS |                        \
		VDS_SF_SUPPORTS_PARITY_LUNS | VDS_SF_SUPPORTS_LUN_NUMBER)
#define RAID_TYPES                                                                                 \
	(VDS_SF_SUPPORTS_RAID5_LUNS | VDS_SF_SUPPORTS_RAID6_LUNS | VDS_SF_SUPPORTS_RAID10_LUNS |   \
		VDS_SF_SUPPORTS_RAID50_LUNS | VDS_SF_SUPPORTS_RAID60_LUNS)

enum { BUSES = 1, SLOTS = 1024, CONTROLLERS = 1, REBUILD_PRIORITY = 8 };

COM_IDENTITY(hwp_subsystem)
COM_UNKNOWN(hwp_subsystem, IVdsSubSystem)
COM_UNKNOWN(hwp_subsystem, IVdsSubSystem2)
COM_UNKNOWN(hwp_subsystem, IVdsSubSystemNaming)
COM_UNKNOWN(hwp_subsystem, IVdsSubSystemInterconnect)
HWP_MAINTENANCE(hwp_subsystem)
HWP_NUMBER(hwp_subsystem)
PRV_DESTROY(hwp_subsystem)

/* ---- properties ---------------------------------------------------------------------------- */

struct props {
	char name[ENG_NAME_BYTES];
	VDS_SUB_SYSTEM_STATUS status;
	VDS_HEALTH health;
};

static HRESULT props_body(struct hwp_call *call)
{
	struct props *out = call->args;
	const struct hwp_array *a = call->array;
	struct eng_array_info info;

	snprintf(out->name, sizeof(out->name), "%s", a->name);
	if (a->eng) {
		eng_array_info(a->eng, &info);
		memcpy(out->name, info.name, sizeof(out->name));
	} else if (a->open_error.code) {
		err_set(&call->err, -EIO, "%s", a->open_error.text);
	}
	out->status = hwp_array_status(a);
	out->health = hwp_array_health(a);
	return S_OK;
}

static HRESULT get_props(struct prv_face *face, enum hwp_method method, VDS_SUB_SYSTEM_PROP2 *out)
{
	struct props props;
	char id[GUID_TEXT_SIZE];
	HRESULT hr = hwp_call(hwp_of(face), method, HWP_SUB_SYSTEM, &face->id, props_body, &props);

	if (FAILED(hr))
		return hr;
	guid_format(&face->id, id);
	if (!hwp_set_text(&out->pwszFriendlyName, "%s", props.name) ||
		!hwp_set_text(&out->pwszIdentification, "LINUXVDS array %.36s", id + 1)) {
		vdc_clear(VDS_SUB_SYSTEM_PROP2, out);
		return E_OUTOFMEMORY;
	}
	out->id = com_guid_from(&face->id);
	out->ulFlags = FLAGS;
	out->ulStripeSizeFlags = HWP_STRIPE_SIZE_FLAGS;
	out->ulSupportedRaidTypeFlags = RAID_TYPES;
	out->status = props.status;
	out->health = props.health;
	out->sNumberOfInternalBuses = BUSES;
	out->sMaxNumberOfSlotsEachBus = SLOTS;
	out->sMaxNumberOfControllers = CONTROLLERS;
	out->sRebuildPriority = REBUILD_PRIORITY;
	out->ulNumberOfEnclosures = 1;
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_subsystem_GetProperties(
	IVdsSubSystem *iface, VDS_SUB_SYSTEM_PROP *prop)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsSubSystem, iface);
	VDS_SUB_SYSTEM_PROP2 all = {0};

	COM_TRACE(self);
	VDC_OUT(prop);
	HRESULT hr = get_props(&self->face, HWP_M_SUB_GET_PROPERTIES, &all);
	if (FAILED(hr))
		return hr;
	prop->id = all.id;
	prop->pwszFriendlyName = all.pwszFriendlyName;
	prop->pwszIdentification = all.pwszIdentification;
	prop->ulFlags = all.ulFlags;
	prop->ulStripeSizeFlags = all.ulStripeSizeFlags;
	prop->status = all.status;
	prop->health = all.health;
	prop->sNumberOfInternalBuses = all.sNumberOfInternalBuses;
	prop->sMaxNumberOfSlotsEachBus = all.sMaxNumberOfSlotsEachBus;
	prop->sMaxNumberOfControllers = all.sMaxNumberOfControllers;
	prop->sRebuildPriority = all.sRebuildPriority;
	return hr;
}

static HRESULT STDMETHODCALLTYPE hwp_subsystem_GetProperties2(
	IVdsSubSystem2 *iface, VDS_SUB_SYSTEM_PROP2 *prop)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsSubSystem2, iface);

	COM_TRACE(self);
	VDC_OUT(prop);
	return get_props(&self->face, HWP_M_SUB_GET_PROPERTIES2, prop);
}

static HRESULT exists_body(struct hwp_call *call)
{
	(void)call;
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_subsystem_GetProvider(IVdsSubSystem *iface, IVdsProvider **out)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsSubSystem, iface);
	struct guid provider = com_guid_to(&HWP_PROVIDER_ID);

	COM_TRACE(self);
	VDC_OUT(out);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_SUB_GET_PROVIDER, HWP_SUB_SYSTEM,
		&self->face.id, exists_body, NULL);
	if (FAILED(hr))
		return hr;
	return prv_face_get(&hwp_of(&self->face)->core, HWP_PROVIDER, &provider, &IID_IVdsProvider,
		(void **)out);
}

static HRESULT STDMETHODCALLTYPE hwp_subsystem_GetSupportedInterconnects(
	IVdsSubSystemInterconnect *iface, ULONG *flags)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsSubSystemInterconnect, iface);

	COM_TRACE(self);
	VDC_OUT(flags);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_SUB_GET_INTERCONNECTS, HWP_SUB_SYSTEM,
		&self->face.id, exists_body, NULL);
	if (SUCCEEDED(hr))
		*flags = VDS_ITF_PCI_RAID;
	return hr;
}

/* ---- children ------------------------------------------------------------------------------ */

static HRESULT push_all(struct hwp_call *call, enum hwp_kind kind,
	int (*read)(const struct eng_array *, struct guid **, unsigned *))
{
	struct prv_idents *list = call->args;
	struct guid *ids = NULL;
	unsigned count = 0;
	int rc = call->eng ? read(call->eng, &ids, &count) : 0;

	for (unsigned i = 0; !rc && i < count; i++)
		rc = prv_idents_push(list, (struct prv_ident){kind, ids[i]});
	free(ids);
	return hwp_fail(call, rc);
}

static HRESULT children_body(struct hwp_call *call)
{
	if (call->method == HWP_M_SUB_QUERY_LUNS)
		return push_all(call, HWP_LUN, eng_lun_list);
	if (call->method == HWP_M_SUB_QUERY_DRIVES)
		return push_all(call, HWP_DRIVE, eng_drive_list);
	struct prv_ident controller = {HWP_CONTROLLER, call->array->controller};
	return hwp_fail(call, prv_idents_push(call->args, controller));
}

static HRESULT query(IVdsSubSystem *iface, enum hwp_method method, IEnumVdsObject **out)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsSubSystem, iface);
	struct prv_idents list = {0};

	COM_TRACE(self, "%s", hwp_method_info(method)->name);
	VDC_OUT(out);
	HRESULT hr = hwp_call(
		hwp_of(&self->face), method, HWP_SUB_SYSTEM, &self->face.id, children_body, &list);
	if (SUCCEEDED(hr))
		hr = prv_enum_new(&hwp_of(&self->face)->core, &list, out);
	prv_idents_free(&list);
	return hr;
}

static HRESULT STDMETHODCALLTYPE hwp_subsystem_QueryControllers(
	IVdsSubSystem *iface, IEnumVdsObject **out)
{
	return query(iface, HWP_M_SUB_QUERY_CONTROLLERS, out);
}

static HRESULT STDMETHODCALLTYPE hwp_subsystem_QueryLuns(IVdsSubSystem *iface, IEnumVdsObject **out)
{
	return query(iface, HWP_M_SUB_QUERY_LUNS, out);
}

static HRESULT STDMETHODCALLTYPE hwp_subsystem_QueryDrives(
	IVdsSubSystem *iface, IEnumVdsObject **out)
{
	return query(iface, HWP_M_SUB_QUERY_DRIVES, out);
}

struct place {
	SHORT bus, slot;
	ULONG enclosure;
	struct guid drive;
};

static HRESULT place_body(struct hwp_call *call)
{
	struct place *place = call->args;

	if (place->enclosure)
		return VDS_E_OBJECT_NOT_FOUND;
	return hwp_fail(call, eng_drive_at(call->eng, place->bus, place->slot, &place->drive));
}

static HRESULT get_drive(
	struct prv_face *face, enum hwp_method method, struct place *place, IVdsDrive **out)
{
	VDC_OUT(out);
	HRESULT hr = hwp_call(hwp_of(face), method, HWP_SUB_SYSTEM, &face->id, place_body, place);
	if (FAILED(hr))
		return hr;
	return prv_face_get(
		&hwp_of(face)->core, HWP_DRIVE, &place->drive, &IID_IVdsDrive, (void **)out);
}

static HRESULT STDMETHODCALLTYPE hwp_subsystem_GetDrive(
	IVdsSubSystem *iface, SHORT bus, SHORT slot, IVdsDrive **out)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsSubSystem, iface);
	struct place place = {.bus = bus, .slot = slot};

	COM_TRACE(self, "bus %d slot %d", bus, slot);
	return get_drive(&self->face, HWP_M_SUB_GET_DRIVE, &place, out);
}

static HRESULT STDMETHODCALLTYPE hwp_subsystem_GetDrive2(
	IVdsSubSystem2 *iface, SHORT bus, SHORT slot, ULONG enclosure, IVdsDrive **out)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsSubSystem2, iface);
	struct place place = {.bus = bus, .slot = slot, .enclosure = enclosure};

	COM_TRACE(self, "bus %d slot %d enclosure %u", bus, slot, enclosure);
	return get_drive(&self->face, HWP_M_SUB_GET_DRIVE2, &place, out);
}

/* ---- tables -------------------------------------------------------------------------------- */

static const IVdsSubSystemVtbl hwp_subsystem_IVdsSubSystem_vtbl = {
	COM_UNKNOWN_METHODS(hwp_subsystem, IVdsSubSystem),
	.GetProperties = hwp_subsystem_GetProperties,
	.GetProvider = hwp_subsystem_GetProvider,
	.QueryControllers = hwp_subsystem_QueryControllers,
	.QueryLuns = hwp_subsystem_QueryLuns,
	.QueryDrives = hwp_subsystem_QueryDrives,
	.GetDrive = hwp_subsystem_GetDrive,
	.Reenumerate = hwp_subsystem_Reenumerate,
	.SetControllerStatus = hwp_subsystem_SetControllerStatus,
	.CreateLun = hwp_subsystem_CreateLun,
	.ReplaceDrive = hwp_subsystem_ReplaceDrive,
	.SetStatus = hwp_subsystem_SetStatus,
	.QueryMaxLunCreateSize = hwp_subsystem_QueryMaxLunCreateSize,
};
static const IVdsSubSystem2Vtbl hwp_subsystem_IVdsSubSystem2_vtbl = {
	COM_UNKNOWN_METHODS(hwp_subsystem, IVdsSubSystem2),
	.GetProperties2 = hwp_subsystem_GetProperties2,
	.GetDrive2 = hwp_subsystem_GetDrive2,
	.CreateLun2 = hwp_subsystem_CreateLun2,
	.QueryMaxLunCreateSize2 = hwp_subsystem_QueryMaxLunCreateSize2,
};
static const IVdsSubSystemNamingVtbl hwp_subsystem_IVdsSubSystemNaming_vtbl = {
	COM_UNKNOWN_METHODS(hwp_subsystem, IVdsSubSystemNaming),
	.SetFriendlyName = hwp_subsystem_SetFriendlyName,
};
static const IVdsSubSystemInterconnectVtbl hwp_subsystem_IVdsSubSystemInterconnect_vtbl = {
	COM_UNKNOWN_METHODS(hwp_subsystem, IVdsSubSystemInterconnect),
	.GetSupportedInterconnects = hwp_subsystem_GetSupportedInterconnects,
};

static const struct com_iface hwp_subsystem_ifaces[] = {
	COM_IFACE(hwp_subsystem, IUnknown),
	COM_IFACE(hwp_subsystem, IVdsSubSystem),
	COM_IFACE(hwp_subsystem, IVdsSubSystem2),
	COM_IFACE(hwp_subsystem, IVdsSubSystemNaming),
	COM_IFACE(hwp_subsystem, IVdsSubSystemInterconnect),
	COM_IFACE(hwp_subsystem, IVdsMaintenance),
	COM_IFACE(hwp_subsystem, IVdsxMaintenance),
	COM_IFACE(hwp_subsystem, IVdsxNumber),
	COM_IFACE(hwp_subsystem, IVdsxSubSystem),
};
static const struct com_class hwp_subsystem_class = {
	"hwp_subsystem",
	sizeof(struct hwp_subsystem),
	COM_IFACES(hwp_subsystem_ifaces),
	hwp_subsystem_destroy,
};

struct com_object *hwp_subsystem_make(const struct prv_face *face)
{
	GUID id = com_guid_from(&face->id);
	struct hwp_subsystem *self = com_object_new(&hwp_subsystem_class, &id);

	if (!self)
		return NULL;
	self->face = *face;
	return &self->com;
}
