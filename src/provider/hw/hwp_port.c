/* SPDX-License-Identifier: Apache-2.0 */
/* The controller port object; each controller has one. */
#include "provider/hw/hwp_controller.h"

#include "provider/hw/hwp_text.h"
#include "vdscom/check.h"
#include "vdscom/props.h"

struct hwp_port {
	struct com_object com;
	IUnknown IUnknown_iface;
	IVdsControllerPort IVdsControllerPort_iface;
	IVdsMaintenance IVdsMaintenance_iface;
	IVdsxMaintenance IVdsxMaintenance_iface;
	IVdsxNumber IVdsxNumber_iface;
	struct prv_face face;
};
COM_IDENTITY(hwp_port)
COM_UNKNOWN(hwp_port, IVdsControllerPort)
HWP_MAINTENANCE(hwp_port)
HWP_NUMBER(hwp_port)
PRV_DESTROY(hwp_port)

struct props {
	struct guid id;
	VDS_PORT_STATUS status;
};

static HRESULT props_body(struct hwp_call *call)
{
	struct props *out = call->args;

	out->id = call->array->port;
	out->status = hwp_port_status(call->array);
	return S_OK;
}

HRESULT hwp_port_props(struct prv_face *face, enum hwp_method method, VDS_PORT_PROP *out)
{
	struct props props;
	char id[GUID_TEXT_SIZE];
	HRESULT hr = hwp_call(hwp_of(face), method, face->kind, &face->id, props_body, &props);

	if (FAILED(hr))
		return hr;
	guid_format(&props.id, id);
	if (!hwp_set_text(&out->pwszFriendlyName, "Port 0") ||
		!hwp_set_text(&out->pwszIdentification, "LINUXVDS port %.36s", id + 1)) {
		vdc_clear(VDS_PORT_PROP, out);
		return E_OUTOFMEMORY;
	}
	out->id = com_guid_from(&props.id);
	out->status = props.status;
	return hr;
}

static HRESULT STDMETHODCALLTYPE hwp_port_GetProperties(
	IVdsControllerPort *iface, VDS_PORT_PROP *prop)
{
	struct hwp_port *self = COM_IMPL(hwp_port, IVdsControllerPort, iface);

	COM_TRACE(self);
	VDC_OUT(prop);
	return hwp_port_props(&self->face, HWP_M_PORT_GET_PROPERTIES, prop);
}

static HRESULT controller_body(struct hwp_call *call)
{
	*(struct guid *)call->args = call->array->controller;
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_port_GetController(
	IVdsControllerPort *iface, IVdsController **out)
{
	struct hwp_port *self = COM_IMPL(hwp_port, IVdsControllerPort, iface);
	struct guid id;

	COM_TRACE(self);
	VDC_OUT(out);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_PORT_GET_CONTROLLER, HWP_PORT,
		&self->face.id, controller_body, &id);
	if (FAILED(hr))
		return hr;
	return prv_face_get(
		&hwp_of(&self->face)->core, HWP_CONTROLLER, &id, &IID_IVdsController, (void **)out);
}

static HRESULT STDMETHODCALLTYPE hwp_port_QueryAssociatedLuns(
	IVdsControllerPort *iface, IEnumVdsObject **out)
{
	struct hwp_port *self = COM_IMPL(hwp_port, IVdsControllerPort, iface);

	COM_TRACE(self);
	return hwp_query_associated(
		&self->face, HWP_M_PORT_QUERY_ASSOCIATED_LUNS, HWP_KEY_PORT_OFF, out);
}

/* The port carries nothing that could be lost: being initialised anew changes nothing. */
static HRESULT reset_body(struct hwp_call *call)
{
	(void)call;
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_port_Reset(IVdsControllerPort *iface)
{
	struct hwp_port *self = COM_IMPL(hwp_port, IVdsControllerPort, iface);

	COM_TRACE(self);
	return hwp_call(
		hwp_of(&self->face), HWP_M_PORT_RESET, HWP_PORT, &self->face.id, reset_body, NULL);
}

static HRESULT status_body(struct hwp_call *call)
{
	VDS_PORT_STATUS status = *(VDS_PORT_STATUS *)call->args;
	struct hwp_array *a = call->array;
	VDS_NOTIFICATION group[2];
	unsigned n = 0;

	if (status != VDS_PRS_ONLINE && status != VDS_PRS_OFFLINE)
		return VDS_E_NOT_SUPPORTED;
	bool offline = status == VDS_PRS_OFFLINE;
	if (a->port_offline == offline)
		return S_OK;
	HRESULT hr = hwp_wish_keep(call, &a->port, offline);
	if (FAILED(hr))
		return hr;
	a->port_offline = offline;
	if (offline)
		group[n++] = hwp_notification(HWP_PORT, VDS_NF_PORT_REMOVED, &a->port);
	group[n++] = hwp_notification(HWP_PORT, VDS_NF_PORT_MODIFY, &a->port);
	prv_notify(&call->p->core, group, n);
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_port_SetStatus(
	IVdsControllerPort *iface, VDS_PORT_STATUS status)
{
	struct hwp_port *self = COM_IMPL(hwp_port, IVdsControllerPort, iface);

	COM_TRACE(self, "status %d", status);
	VDC_REQUIRE(vdc_enum_known(&idl_enum_VDS_PORT_STATUS, (ULONG)status));
	return hwp_call(hwp_of(&self->face), HWP_M_PORT_SET_STATUS, HWP_PORT, &self->face.id,
		status_body, &status);
}

static const IVdsControllerPortVtbl hwp_port_IVdsControllerPort_vtbl = {
	COM_UNKNOWN_METHODS(hwp_port, IVdsControllerPort),
	.GetProperties = hwp_port_GetProperties,
	.GetController = hwp_port_GetController,
	.QueryAssociatedLuns = hwp_port_QueryAssociatedLuns,
	.Reset = hwp_port_Reset,
	.SetStatus = hwp_port_SetStatus,
};

static const struct com_iface hwp_port_ifaces[] = {
	COM_IFACE(hwp_port, IUnknown),
	COM_IFACE(hwp_port, IVdsControllerPort),
	COM_IFACE(hwp_port, IVdsMaintenance),
	COM_IFACE(hwp_port, IVdsxMaintenance),
	COM_IFACE(hwp_port, IVdsxNumber),
};
static const struct com_class hwp_port_class = {
	"hwp_port",
	sizeof(struct hwp_port),
	COM_IFACES(hwp_port_ifaces),
	hwp_port_destroy,
};

struct com_object *hwp_port_make(const struct prv_face *face)
{
	GUID id = com_guid_from(&face->id);
	struct hwp_port *self = com_object_new(&hwp_port_class, &id);

	if (!self)
		return NULL;
	self->face = *face;
	return &self->com;
}
