/* SPDX-License-Identifier: Apache-2.0 */
/* The door of the provider: class object, loading and unloading, objects by id. */
#include "provider/hw/hwp_provider.h"

#include "base/log.h"
#include "provider/hw/hwp_identity.h"

const IID IID_IVdspHost = {
	0x6d2f0b5c, 0x94e1, 0x4c7a, {0xa8, 0x33, 0x10, 0x5e, 0xf9, 0xd4, 0x27, 0xb6}};

COM_UNKNOWN(hwp_provider, IVdsProviderPrivate)
COM_UNKNOWN(hwp_provider, IVdsHwProviderPrivate)

/* ---- IVdsProviderPrivate ------------------------------------------------------------------- */

/* Exists, and is of that kind. */
static HRESULT find_body(struct hwp_call *call)
{
	const struct prv_ident *want = call->args;
	struct prv_ident found;
	struct hwp_array *a;

	if (hwp_ident_find(call->p, &want->id, &found, &a) || found.kind != want->kind)
		return VDS_E_OBJECT_NOT_FOUND;
	if (a && (a->gone || a->departed))
		return VDS_E_OBJECT_NOT_FOUND;
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_provider_GetObject(
	IVdsProviderPrivate *iface, VDS_OBJECT_ID id, VDS_OBJECT_TYPE type, IUnknown **out)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsProviderPrivate, iface);
	struct prv_ident want = {.kind = (enum hwp_kind)type, .id = com_guid_to(&id)};

	COM_TRACE(self, "type %d", type);
	if (!out)
		return E_INVALIDARG;
	*out = NULL;
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_PRIVATE_GET_OBJECT, HWP_PROVIDER,
		&self->face.id, find_body, &want);
	if (SUCCEEDED(hr))
		hr = prv_face_get(&hwp_of(&self->face)->core, want.kind, &want.id, &IID_IUnknown,
			(void **)out);
	return hr;
}

static HRESULT STDMETHODCALLTYPE hwp_provider_OnLoad(
	IVdsProviderPrivate *iface, LPWSTR machine, IUnknown *callback)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsProviderPrivate, iface);
	IVdsAdviseSink *sink = NULL;
	IVdspHost *host = NULL;
	struct err err = {0};

	COM_TRACE(self);
	(void)machine; /* reserved */
	if (!callback)
		return E_INVALIDARG;
	HRESULT hr = callback->lpVtbl->QueryInterface(callback, &IID_IVdspHost, (void **)&host);
	if (SUCCEEDED(hr))
		hr = callback->lpVtbl->QueryInterface(
			callback, &IID_IVdsAdviseSink, (void **)&sink);
	if (SUCCEEDED(hr)) {
		int rc = hwp_start(hwp_of(&self->face), host, sink, &err);
		hr = rc ? VDS_E_INITIALIZED_FAILED : S_OK;
		if (rc) {
			log_error("The array provider could not be loaded: %s", err.text);
			host->lpVtbl->SetErrorText(host, err.text);
		}
	} else {
		hr = VDS_E_INITIALIZED_FAILED;
	}
	COM_RELEASE(sink);
	COM_RELEASE(host);
	return hr;
}

static HRESULT STDMETHODCALLTYPE hwp_provider_OnUnload(IVdsProviderPrivate *iface, BOOL force)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsProviderPrivate, iface);

	COM_TRACE(self, "force %d", force);
	(void)force; /* calls under way are waited for, jobs are checkpointed: it can always leave
		      */
	hwp_stop(hwp_of(&self->face));
	return S_OK;
}

const IVdsProviderPrivateVtbl hwp_provider_IVdsProviderPrivate_vtbl = {
	COM_UNKNOWN_METHODS(hwp_provider, IVdsProviderPrivate),
	.GetObject = hwp_provider_GetObject,
	.OnLoad = hwp_provider_OnLoad,
	.OnUnload = hwp_provider_OnUnload,
};

/* ---- IVdsHwProviderPrivate ----------------------------------------------------------------- */

struct created {
	const VDS_LUN_INFORMATION *info;
	struct guid id;
};

static HRESULT created_body(struct hwp_call *call)
{
	struct created *c = call->args;
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &call->p->arrays) {
		struct hwp_array *a = list_entry(pos, struct hwp_array, link);
		struct guid *ids = NULL;
		unsigned count = 0;

		if (!a->eng)
			continue;
		if (eng_lun_list(a->eng, &ids, &count))
			return E_OUTOFMEMORY;
		for (unsigned i = 0; i < count; i++)
			if (hwp_identity_matches(&ids[i], c->info))
				c->id = ids[i];
		free(ids);
	}
	return guid_is_zero(&c->id) ? S_FALSE : S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_provider_QueryIfCreatedLun(
	IVdsHwProviderPrivate *iface, LPWSTR path, VDS_LUN_INFORMATION *info, VDS_OBJECT_ID *lun)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsHwProviderPrivate, iface);
	struct created c = {.info = info};

	COM_TRACE(self);
	if (lun)
		memset(lun, 0, sizeof(*lun));
	if (!path || !info || !lun)
		return E_INVALIDARG;
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_QUERY_IF_CREATED_LUN, HWP_PROVIDER,
		&self->face.id, created_body, &c);
	if (hr == S_OK)
		*lun = com_guid_from(&c.id);
	return hr;
}

const IVdsHwProviderPrivateVtbl hwp_provider_IVdsHwProviderPrivate_vtbl = {
	COM_UNKNOWN_METHODS(hwp_provider, IVdsHwProviderPrivate),
	.QueryIfCreatedLun = hwp_provider_QueryIfCreatedLun,
};

/* ---- class object -------------------------------------------------------------------------- */

struct hwp_factory {
	struct com_object com;
	IUnknown IUnknown_iface;
	IClassFactory IClassFactory_iface;
};
COM_IDENTITY(hwp_factory)
COM_UNKNOWN(hwp_factory, IClassFactory)

static HRESULT STDMETHODCALLTYPE hwp_factory_CreateInstance(
	IClassFactory *iface, IUnknown *outer, REFIID riid, void **out)
{
	(void)iface;
	if (!out)
		return E_POINTER;
	*out = NULL;
	if (outer)
		return CLASS_E_NOAGGREGATION;
	struct hwp *p = hwp_new();
	if (!p)
		return E_OUTOFMEMORY;
	HRESULT hr = hwp_provider_new(p, riid, out);
	prv_unref(&p->core);
	return hr;
}

static HRESULT STDMETHODCALLTYPE hwp_factory_LockServer(IClassFactory *iface, BOOL lock)
{
	(void)iface;
	if (lock)
		com_module_lock();
	else
		com_module_unlock();
	return S_OK;
}

static const IClassFactoryVtbl hwp_factory_IClassFactory_vtbl = {
	COM_UNKNOWN_METHODS(hwp_factory, IClassFactory),
	.CreateInstance = hwp_factory_CreateInstance,
	.LockServer = hwp_factory_LockServer,
};
static const struct com_iface hwp_factory_ifaces[] = {
	COM_IFACE(hwp_factory, IUnknown),
	COM_IFACE(hwp_factory, IClassFactory),
};
static const struct com_class hwp_factory_class = {
	"hwp_factory",
	sizeof(struct hwp_factory),
	COM_IFACES(hwp_factory_ifaces),
	NULL,
};

HRESULT hwp_get_class_object(REFCLSID rclsid, REFIID riid, void **out)
{
	if (!out)
		return E_POINTER;
	*out = NULL;
	if (!com_guid_equal(rclsid, &CLSID_HwpProvider))
		return CLASS_E_CLASSNOTAVAILABLE;
	struct hwp_factory *self = com_object_new(&hwp_factory_class, NULL);
	if (!self)
		return E_OUTOFMEMORY;
	HRESULT hr = com_query(&self->com, riid, out);
	com_release(&self->com);
	return hr;
}
