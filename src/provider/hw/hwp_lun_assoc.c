/* SPDX-License-Identifier: Apache-2.0 */
/* The LUN object: which controller and port serve it. There is one of each. */
#include "provider/hw/hwp_lun.h"

#include "provider/hw/hwp_controller.h"
#include "vdscom/check.h"

COM_UNKNOWN(hwp_lun, IVdsLunControllerPorts)

/* ---- queries ------------------------------------------------------------------------------- */

static HRESULT servers_body(struct hwp_call *call)
{
	struct prv_ident server = {HWP_CONTROLLER, call->array->controller};

	if (call->method == HWP_M_LUN_QUERY_ACTIVE_PORTS)
		server = (struct prv_ident){HWP_PORT, call->array->port};
	return hwp_fail(call, prv_idents_push(call->args, server));
}

static HRESULT query_active(
	struct prv_face *face, enum hwp_method method, const char *key, IEnumVdsObject **out)
{
	struct prv_idents list = {0};

	VDC_OUT(out);
	HRESULT hr = hwp_call(hwp_of(face), method, HWP_LUN, &face->id, servers_body, &list);
	if (SUCCEEDED(hr) && !hwp_is_active(hwp_of(face), &face->id, key))
		list.len = 0;
	if (SUCCEEDED(hr))
		hr = prv_enum_new(&hwp_of(face)->core, &list, out);
	prv_idents_free(&list);
	return hr;
}

HRESULT STDMETHODCALLTYPE hwp_lun_QueryActiveControllers(IVdsLun *iface, IEnumVdsObject **out)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun, iface);

	COM_TRACE(self);
	return query_active(
		&self->face, HWP_M_LUN_QUERY_ACTIVE_CONTROLLERS, HWP_KEY_CONTROLLER_OFF, out);
}

static HRESULT STDMETHODCALLTYPE hwp_lun_QueryActiveControllerPorts(
	IVdsLunControllerPorts *iface, IEnumVdsObject **out)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLunControllerPorts, iface);

	COM_TRACE(self);
	return query_active(&self->face, HWP_M_LUN_QUERY_ACTIVE_PORTS, HWP_KEY_PORT_OFF, out);
}

/* ---- association --------------------------------------------------------------------------- */

struct division {
	const VDS_OBJECT_ID *active, *inactive;
	LONG active_count, inactive_count;
	const char *key;
};

struct keep {
	struct hwp *p;
	struct guid lun;
	const char *key;
	bool off;
	struct err *err;
};

static int keep_in_store(void *arg)
{
	struct keep *k = arg;

	return k->off ? sto_attr_set_u64(k->p->core.sto, &k->lun, k->key, 1, k->err)
		      : sto_attr_set(k->p->core.sto, &k->lun, k->key, NULL, 0, k->err);
}

static unsigned count_of(const VDS_OBJECT_ID *ids, LONG count, const GUID *id)
{
	unsigned n = 0;

	for (LONG i = 0; i < count; i++)
		n += com_guid_equal(&ids[i], id);
	return n;
}

static HRESULT associate_body(struct hwp_call *call)
{
	const struct division *d = call->args;
	bool ports = call->method == HWP_M_LUN_ASSOCIATE_PORTS;
	GUID server = com_guid_from(ports ? &call->array->port : &call->array->controller);
	unsigned on = count_of(d->active, d->active_count, &server);
	unsigned off = count_of(d->inactive, d->inactive_count, &server);

	if (on != (unsigned)d->active_count || off != (unsigned)d->inactive_count)
		return VDS_E_OBJECT_NOT_FOUND;
	if (on + off != 1)
		return E_INVALIDARG; /* in neither list, or in both */
	struct keep k = {
		.p = call->p,
		.lun = call->id,
		.key = d->key,
		.off = off != 0,
		.err = &call->err,
	};
	task_lock(&call->p->admin);
	int rc = prv_clerk_call(&call->p->core.worker->clerk, keep_in_store, &k);
	task_unlock(&call->p->admin);
	if (rc)
		return hwp_fail(call, rc);
	hwp_notify_one(call->p, HWP_LUN, VDS_NF_LUN_MODIFY, &call->id);
	return S_OK;
}

static HRESULT associate(struct prv_face *face, enum hwp_method method, struct division *d)
{
	HRESULT hr = vdc_check_ids(d->active, d->active_count);

	if (SUCCEEDED(hr))
		hr = vdc_check_ids(d->inactive, d->inactive_count);
	if (FAILED(hr))
		return hr;
	return hwp_call(hwp_of(face), method, HWP_LUN, &face->id, associate_body, d);
}

HRESULT STDMETHODCALLTYPE hwp_lun_AssociateControllers(IVdsLun *iface, VDS_OBJECT_ID *active,
	LONG active_count, VDS_OBJECT_ID *inactive, LONG inactive_count)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun, iface);
	struct division d = {
		active, inactive, active_count, inactive_count, HWP_KEY_CONTROLLER_OFF};

	COM_TRACE(self, "%d active, %d inactive", active_count, inactive_count);
	return associate(&self->face, HWP_M_LUN_ASSOCIATE_CONTROLLERS, &d);
}

static HRESULT STDMETHODCALLTYPE hwp_lun_AssociateControllerPorts(IVdsLunControllerPorts *iface,
	VDS_OBJECT_ID *active, LONG active_count, VDS_OBJECT_ID *inactive, LONG inactive_count)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLunControllerPorts, iface);
	struct division d = {active, inactive, active_count, inactive_count, HWP_KEY_PORT_OFF};

	COM_TRACE(self, "%d active, %d inactive", active_count, inactive_count);
	return associate(&self->face, HWP_M_LUN_ASSOCIATE_PORTS, &d);
}

const IVdsLunControllerPortsVtbl hwp_lun_IVdsLunControllerPorts_vtbl = {
	COM_UNKNOWN_METHODS(hwp_lun, IVdsLunControllerPorts),
	.AssociateControllerPorts = hwp_lun_AssociateControllerPorts,
	.QueryActiveControllerPorts = hwp_lun_QueryActiveControllerPorts,
};
