/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controller object. A subsystem has one, and it has no cache of its own: a write that was
 * acknowledged is with the drives. So FlushCache makes the drives write, InvalidateCache and Reset
 * find nothing to drop.
 */
#include "provider/hw/hwp_controller.h"

#include "provider/hw/hwp_text.h"
#include "vdscom/check.h"
#include "vdscom/props.h"

struct hwp_controller {
	struct com_object com;
	IUnknown IUnknown_iface;
	IVdsController IVdsController_iface;
	IVdsControllerControllerPort IVdsControllerControllerPort_iface;
	IVdsMaintenance IVdsMaintenance_iface;
	IVdsxMaintenance IVdsxMaintenance_iface;
	IVdsxNumber IVdsxNumber_iface;
	struct prv_face face;
};
COM_IDENTITY(hwp_controller)
COM_UNKNOWN(hwp_controller, IVdsController)
COM_UNKNOWN(hwp_controller, IVdsControllerControllerPort)
HWP_MAINTENANCE(hwp_controller)
HWP_NUMBER(hwp_controller)
PRV_DESTROY(hwp_controller)

/* ---- wishes of the administrator ----------------------------------------------------------- */

struct keep {
	struct hwp *p;
	struct guid id;
	bool offline;
	struct err *err;
};

static int keep_wish(void *arg)
{
	struct keep *k = arg;

	return k->offline ? sto_attr_set_u64(k->p->core.sto, &k->id, "hw.offline", 1, k->err)
			  : sto_attr_set(k->p->core.sto, &k->id, "hw.offline", NULL, 0, k->err);
}

HRESULT hwp_wish_keep(struct hwp_call *call, const struct guid *id, bool offline)
{
	struct keep k = {.p = call->p, .id = *id, .offline = offline, .err = &call->err};

	return hwp_fail(call, prv_clerk_call(&call->p->core.worker->clerk, keep_wish, &k));
}

HRESULT hwp_controller_set_offline(struct hwp_call *call, bool offline)
{
	struct hwp_array *a = call->array;
	VDS_NOTIFICATION group[2];
	unsigned n = 0;

	if (a->controller_offline == offline)
		return S_OK;
	if (offline && call->eng) {
		int rc = eng_array_flush(call->eng, &call->err);
		if (rc)
			return hwp_fail(call, rc);
	}
	HRESULT hr = hwp_wish_keep(call, &a->controller, offline);
	if (FAILED(hr))
		return hr;
	a->controller_offline = offline;
	if (offline)
		group[n++] =
			hwp_notification(HWP_CONTROLLER, VDS_NF_CONTROLLER_REMOVED, &a->controller);
	group[n++] = hwp_notification(HWP_CONTROLLER, VDS_NF_CONTROLLER_MODIFY, &a->controller);
	prv_notify(&call->p->core, group, n);
	return S_OK;
}

/* ---- associated LUNs ----------------------------------------------------------------------- */

bool hwp_is_active(struct hwp *p, const struct guid *lun, const char *key)
{
	uint64_t off = 0;
	HRESULT hr;

	if (!prv_enter(&p->core, &hr))
		return false;
	sto_attr_get_u64(p->core.sto, lun, key, &off, NULL);
	prv_leave(&p->core);
	return !off;
}

HRESULT hwp_luns_body(struct hwp_call *call)
{
	struct prv_idents *list = call->args;
	struct guid *ids = NULL;
	unsigned count = 0;
	int rc = call->eng ? eng_lun_list(call->eng, &ids, &count) : 0;

	for (unsigned i = 0; !rc && i < count; i++)
		rc = prv_idents_push(list, (struct prv_ident){HWP_LUN, ids[i]});
	free(ids);
	return hwp_fail(call, rc);
}

HRESULT hwp_query_associated(
	struct prv_face *face, enum hwp_method method, const char *key, IEnumVdsObject **out)
{
	struct prv_idents list = {0};

	VDC_OUT(out);
	HRESULT hr = hwp_call(hwp_of(face), method, face->kind, &face->id, hwp_luns_body, &list);
	for (size_t i = list.len; i-- > 0;)
		if (!hwp_is_active(hwp_of(face), &list.items[i].id, key))
			prv_idents_remove(&list, i);
	if (SUCCEEDED(hr))
		hr = prv_enum_new(&hwp_of(face)->core, &list, out);
	prv_idents_free(&list);
	return hr;
}

/* ---- IVdsController ------------------------------------------------------------------------ */

static HRESULT props_body(struct hwp_call *call)
{
	*(VDS_CONTROLLER_STATUS *)call->args = hwp_controller_status(call->array);
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_controller_GetProperties(
	IVdsController *iface, VDS_CONTROLLER_PROP *prop)
{
	struct hwp_controller *self = COM_IMPL(hwp_controller, IVdsController, iface);
	VDS_CONTROLLER_STATUS status;
	char id[GUID_TEXT_SIZE];

	COM_TRACE(self);
	VDC_OUT(prop);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_CTL_GET_PROPERTIES, HWP_CONTROLLER,
		&self->face.id, props_body, &status);
	if (FAILED(hr))
		return hr;
	guid_format(&self->face.id, id);
	if (!hwp_set_text(&prop->pwszFriendlyName, "Controller 0") ||
		!hwp_set_text(&prop->pwszIdentification, "LINUXVDS controller %.36s", id + 1)) {
		vdc_clear(VDS_CONTROLLER_PROP, prop);
		return E_OUTOFMEMORY;
	}
	prop->id = com_guid_from(&self->face.id);
	prop->status = status;
	prop->health = status == VDS_CS_FAILED ? VDS_H_FAILED : VDS_H_HEALTHY;
	prop->sNumberOfPorts = 1;
	return hr;
}

static HRESULT STDMETHODCALLTYPE hwp_controller_GetSubSystem(
	IVdsController *iface, IVdsSubSystem **out)
{
	struct hwp_controller *self = COM_IMPL(hwp_controller, IVdsController, iface);

	COM_TRACE(self);
	return hwp_get_sub_system(&self->face, HWP_M_CTL_GET_SUB_SYSTEM, out);
}

static HRESULT STDMETHODCALLTYPE hwp_controller_GetPortProperties(
	IVdsController *iface, SHORT number, VDS_PORT_PROP *prop)
{
	struct hwp_controller *self = COM_IMPL(hwp_controller, IVdsController, iface);

	COM_TRACE(self, "port %d", number);
	VDC_OUT(prop);
	VDC_REQUIRE(number == 0);
	return hwp_port_props(&self->face, HWP_M_CTL_GET_PORT_PROPERTIES, prop);
}

static HRESULT flush_body(struct hwp_call *call)
{
	return hwp_fail(call, eng_array_flush(call->eng, &call->err));
}

static HRESULT nothing_to_drop(struct hwp_call *call)
{
	(void)call;
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_controller_FlushCache(IVdsController *iface)
{
	struct hwp_controller *self = COM_IMPL(hwp_controller, IVdsController, iface);

	COM_TRACE(self);
	return hwp_call(hwp_of(&self->face), HWP_M_CTL_FLUSH_CACHE, HWP_CONTROLLER, &self->face.id,
		flush_body, NULL);
}

static HRESULT STDMETHODCALLTYPE hwp_controller_InvalidateCache(IVdsController *iface)
{
	struct hwp_controller *self = COM_IMPL(hwp_controller, IVdsController, iface);

	COM_TRACE(self);
	return hwp_call(hwp_of(&self->face), HWP_M_CTL_INVALIDATE_CACHE, HWP_CONTROLLER,
		&self->face.id, nothing_to_drop, NULL);
}

static HRESULT STDMETHODCALLTYPE hwp_controller_Reset(IVdsController *iface)
{
	struct hwp_controller *self = COM_IMPL(hwp_controller, IVdsController, iface);

	COM_TRACE(self);
	return hwp_call(hwp_of(&self->face), HWP_M_CTL_RESET, HWP_CONTROLLER, &self->face.id,
		nothing_to_drop, NULL);
}

static HRESULT STDMETHODCALLTYPE hwp_controller_QueryAssociatedLuns(
	IVdsController *iface, IEnumVdsObject **out)
{
	struct hwp_controller *self = COM_IMPL(hwp_controller, IVdsController, iface);

	COM_TRACE(self);
	return hwp_query_associated(
		&self->face, HWP_M_CTL_QUERY_ASSOCIATED_LUNS, HWP_KEY_CONTROLLER_OFF, out);
}

static HRESULT status_body(struct hwp_call *call)
{
	VDS_CONTROLLER_STATUS status = *(VDS_CONTROLLER_STATUS *)call->args;

	if (status != VDS_CS_ONLINE && status != VDS_CS_OFFLINE)
		return VDS_E_NOT_SUPPORTED;
	return hwp_controller_set_offline(call, status == VDS_CS_OFFLINE);
}

static HRESULT STDMETHODCALLTYPE hwp_controller_SetStatus(
	IVdsController *iface, VDS_CONTROLLER_STATUS status)
{
	struct hwp_controller *self = COM_IMPL(hwp_controller, IVdsController, iface);

	COM_TRACE(self, "status %d", status);
	VDC_REQUIRE(vdc_enum_known(&idl_enum_VDS_CONTROLLER_STATUS, (ULONG)status));
	return hwp_call(hwp_of(&self->face), HWP_M_CTL_SET_STATUS, HWP_CONTROLLER, &self->face.id,
		status_body, &status);
}

static const IVdsControllerVtbl hwp_controller_IVdsController_vtbl = {
	COM_UNKNOWN_METHODS(hwp_controller, IVdsController),
	.GetProperties = hwp_controller_GetProperties,
	.GetSubSystem = hwp_controller_GetSubSystem,
	.GetPortProperties = hwp_controller_GetPortProperties,
	.FlushCache = hwp_controller_FlushCache,
	.InvalidateCache = hwp_controller_InvalidateCache,
	.Reset = hwp_controller_Reset,
	.QueryAssociatedLuns = hwp_controller_QueryAssociatedLuns,
	.SetStatus = hwp_controller_SetStatus,
};

/* ---- IVdsControllerControllerPort ---------------------------------------------------------- */

static HRESULT ports_body(struct hwp_call *call)
{
	struct prv_ident port = {HWP_PORT, call->array->port};

	return hwp_fail(call, prv_idents_push(call->args, port));
}

static HRESULT STDMETHODCALLTYPE hwp_controller_QueryControllerPorts(
	IVdsControllerControllerPort *iface, IEnumVdsObject **out)
{
	struct hwp_controller *self = COM_IMPL(hwp_controller, IVdsControllerControllerPort, iface);
	struct prv_idents list = {0};

	COM_TRACE(self);
	VDC_OUT(out);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_CTL_QUERY_PORTS, HWP_CONTROLLER,
		&self->face.id, ports_body, &list);
	if (SUCCEEDED(hr))
		hr = prv_enum_new(&hwp_of(&self->face)->core, &list, out);
	prv_idents_free(&list);
	return hr;
}

static const IVdsControllerControllerPortVtbl hwp_controller_IVdsControllerControllerPort_vtbl = {
	COM_UNKNOWN_METHODS(hwp_controller, IVdsControllerControllerPort),
	.QueryControllerPorts = hwp_controller_QueryControllerPorts,
};

static const struct com_iface hwp_controller_ifaces[] = {
	COM_IFACE(hwp_controller, IUnknown),
	COM_IFACE(hwp_controller, IVdsController),
	COM_IFACE(hwp_controller, IVdsControllerControllerPort),
	COM_IFACE(hwp_controller, IVdsMaintenance),
	COM_IFACE(hwp_controller, IVdsxMaintenance),
	COM_IFACE(hwp_controller, IVdsxNumber),
};
static const struct com_class hwp_controller_class = {
	"hwp_controller",
	sizeof(struct hwp_controller),
	COM_IFACES(hwp_controller_ifaces),
	hwp_controller_destroy,
};

struct com_object *hwp_controller_make(const struct prv_face *face)
{
	GUID id = com_guid_from(&face->id);
	struct hwp_controller *self = com_object_new(&hwp_controller_class, &id);

	if (!self)
		return NULL;
	self->face = *face;
	return &self->com;
}
