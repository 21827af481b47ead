/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The callback object that providers get with OnLoad: their notifications come in here, and what a
 * built-in provider needs of the service goes out (provider/host.h). IVdsAdmin lives here as well,
 * for providers that register themselves; the service object does not hand it out.
 */
#include "service/svc.h"

#include "service/service.h"

struct svc_callback {
	struct com_object com;
	IUnknown IUnknown_iface;
	IVdsAdviseSink IVdsAdviseSink_iface;
	IVdspHost IVdspHost_iface;
	IVdsAdmin IVdsAdmin_iface;
	struct svc_service
		*svc; /* no reference: the service unloads its providers before it goes */
};
COM_IDENTITY(svc_callback)
COM_UNKNOWN(svc_callback, IVdsAdviseSink)
COM_UNKNOWN(svc_callback, IVdspHost)
COM_UNKNOWN(svc_callback, IVdsAdmin)

/* The array is ours to free; what cannot be kept makes the sinks hear that they are out of sync. */
static HRESULT STDMETHODCALLTYPE svc_callback_OnNotify(
	IVdsAdviseSink *iface, LONG count, VDS_NOTIFICATION *list)
{
	struct svc_callback *self = COM_IMPL(svc_callback, IVdsAdviseSink, iface);

	if (count < 1 || count > VDC_EVENTS_MAX || !list)
		return E_INVALIDARG;
	if (self->svc && self->svc->events)
		vdc_events_post(self->svc->events, list, (size_t)count);
	com_task_free(list);
	return S_OK;
}

static const IVdsAdviseSinkVtbl svc_callback_IVdsAdviseSink_vtbl = {
	COM_UNKNOWN_METHODS(svc_callback, IVdsAdviseSink),
	.OnNotify = svc_callback_OnNotify,
};

static struct sto *STDMETHODCALLTYPE svc_callback_GetStore(IVdspHost *iface)
{
	return COM_IMPL(svc_callback, IVdspHost, iface)->svc->sto;
}

static struct prv_worker *STDMETHODCALLTYPE svc_callback_GetWorker(IVdspHost *iface)
{
	return COM_IMPL(svc_callback, IVdspHost, iface)->svc->worker;
}

static ULONG STDMETHODCALLTYPE svc_callback_GetOpenFlags(IVdspHost *iface)
{
	return COM_IMPL(svc_callback, IVdspHost, iface)->svc->open_flags;
}

static void STDMETHODCALLTYPE svc_callback_SetErrorText(IVdspHost *iface, const char *text)
{
	(void)iface;
	svc_set_error(text);
}

static BOOL STDMETHODCALLTYPE svc_callback_HoldService(IVdspHost *iface)
{
	return com_addref_unless_zero(&COM_IMPL(svc_callback, IVdspHost, iface)->svc->com);
}

static void STDMETHODCALLTYPE svc_callback_ReleaseService(IVdspHost *iface)
{
	com_release(&COM_IMPL(svc_callback, IVdspHost, iface)->svc->com);
}

static const IVdspHostVtbl svc_callback_IVdspHost_vtbl = {
	COM_UNKNOWN_METHODS(svc_callback, IVdspHost),
	.GetStore = svc_callback_GetStore,
	.GetWorker = svc_callback_GetWorker,
	.GetOpenFlags = svc_callback_GetOpenFlags,
	.SetErrorText = svc_callback_SetErrorText,
	.HoldService = svc_callback_HoldService,
	.ReleaseService = svc_callback_ReleaseService,
};

/* ---- IVdsAdmin ----------------------------------------------------------------------------- */

static HRESULT STDMETHODCALLTYPE svc_callback_RegisterProvider(IVdsAdmin *iface, VDS_OBJECT_ID id,
	CLSID clsid, LPWSTR name, VDS_PROVIDER_TYPE type, LPWSTR machine, LPWSTR version,
	GUID version_id)
{
	struct svc_callback *self = COM_IMPL(svc_callback, IVdsAdmin, iface);

	COM_TRACE(self);
	if (!self->svc)
		return VDS_E_OBJECT_DELETED;
	HRESULT hr = svc_enter_any(self->svc);
	if (FAILED(hr))
		return hr;
	hr = svc_register_provider(
		self->svc->sto, &id, &clsid, name, type, machine, version, &version_id);
	svc_leave(self->svc);
	return hr;
}

static HRESULT STDMETHODCALLTYPE svc_callback_UnregisterProvider(IVdsAdmin *iface, VDS_OBJECT_ID id)
{
	struct svc_callback *self = COM_IMPL(svc_callback, IVdsAdmin, iface);

	COM_TRACE(self);
	if (!self->svc)
		return VDS_E_OBJECT_DELETED;
	HRESULT hr = svc_enter_any(self->svc);
	if (FAILED(hr))
		return hr;
	hr = svc_unregister_provider(self->svc->sto, &id);
	svc_leave(self->svc);
	return hr;
}

static const IVdsAdminVtbl svc_callback_IVdsAdmin_vtbl = {
	COM_UNKNOWN_METHODS(svc_callback, IVdsAdmin),
	.RegisterProvider = svc_callback_RegisterProvider,
	.UnregisterProvider = svc_callback_UnregisterProvider,
};

static const struct com_iface svc_callback_ifaces[] = {
	COM_IFACE(svc_callback, IUnknown),
	COM_IFACE(svc_callback, IVdsAdviseSink),
	COM_IFACE(svc_callback, IVdspHost),
	COM_IFACE(svc_callback, IVdsAdmin),
};
static const struct com_class svc_callback_class = {
	"svc_callback",
	sizeof(struct svc_callback),
	COM_IFACES(svc_callback_ifaces),
	NULL,
};

struct svc_callback *svc_callback_new(struct svc_service *svc)
{
	struct svc_callback *self = com_object_new(&svc_callback_class, NULL);

	if (self)
		self->svc = svc;
	return self;
}

IUnknown *svc_callback_unknown(struct svc_callback *self)
{
	return COM_AS(self, IUnknown);
}

IVdsAdmin *svc_callback_admin(struct svc_callback *self)
{
	return COM_AS(self, IVdsAdmin);
}

void svc_callback_detach(struct svc_callback *self)
{
	self->svc = NULL;
}

void svc_callback_release(struct svc_callback *self)
{
	if (self)
		com_release(&self->com);
}

HRESULT vds_service_admin(IVdsService *service, IVdsAdmin **out)
{
	IVdsxService *ours = NULL;

	if (!out)
		return E_INVALIDARG;
	*out = NULL;
	if (!service)
		return E_INVALIDARG;
	HRESULT hr = IVdsService_QueryInterface(service, &IID_IVdsxService, (void **)&ours);
	if (FAILED(hr))
		return hr;
	struct svc_service *svc = COM_IMPL(svc_service, IVdsxService, ours);
	*out = svc_callback_admin(svc->callback);
	IVdsAdmin_AddRef(*out);
	IVdsxService_Release(ours);
	return S_OK;
}
