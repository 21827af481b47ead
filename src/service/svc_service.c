/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service object (software.md 5.2). The hardware side is complete; of the software side there
 * are no packs, volumes or disks yet, and every method says so in the words of its page: lists are
 * empty, ids are not found.
 */
#include "service/svc.h"

#include "provider/hw/hw.h"
#include "service/service.h"
#include "vdscom/check.h"
#include "vdscom/enum.h"
#include "vdscom/props.h"

#include <ctype.h>

COM_IDENTITY(svc_service)
COM_UNKNOWN(svc_service, IVdsService)

/* ---- state --------------------------------------------------------------------------------- */

static HRESULT STDMETHODCALLTYPE svc_service_IsServiceReady(IVdsService *iface)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsService, iface);

	COM_TRACE(self);
	SCOPED_LOCK(&self->lock);
	if (self->closing)
		return VDS_E_OBJECT_DELETED;
	switch (self->state) {
	case SVC_NOT_STARTED:
	case SVC_STARTING:
		return S_FALSE;
	case SVC_READY:
		return S_OK;
	case SVC_FAILED:
		break;
	}
	return VDS_E_INITIALIZED_FAILED;
}

static HRESULT STDMETHODCALLTYPE svc_service_WaitForServiceReady(IVdsService *iface)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsService, iface);

	COM_TRACE(self);
	return svc_wait_ready(self);
}

#define FLAGS_KEY "svc.flags"

static uint64_t kept_flags(struct svc_service *self)
{
	struct guid id = sto_id(self->sto);
	uint64_t flags = 0;

	sto_attr_get_u64(self->sto, &id, FLAGS_KEY, &flags, NULL);
	return flags;
}

static HRESULT STDMETHODCALLTYPE svc_service_GetProperties(
	IVdsService *iface, VDS_SERVICE_PROP *prop)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsService, iface);

	COM_TRACE(self);
	VDC_OUT(prop);
	HRESULT hr = svc_enter_any(self);
	if (FAILED(hr))
		return hr;
	prop->pwszVersion = com_strdup_utf8_to_wide(VDS_VERSION);
	prop->ulFlags = (ULONG)kept_flags(self);
	if (!access("/sys/firmware/efi", F_OK))
		prop->ulFlags |= VDS_SVF_EFI;
	svc_leave(self);
	if (prop->pwszVersion)
		return S_OK;
	memset(prop, 0, sizeof(*prop));
	return E_OUTOFMEMORY;
}

static HRESULT change_flags(struct svc_service *self, ULONG flags, bool set)
{
	if (flags != VDS_SVF_AUTO_MOUNT_OFF)
		return VDS_E_INVALID_SERVICE_FLAG;
	HRESULT hr = svc_enter(self);
	if (FAILED(hr))
		return hr;
	struct guid id = sto_id(self->sto);
	struct err err = {0};
	int rc = sto_attr_set_u64(self->sto, &id, FLAGS_KEY, set ? flags : 0, &err);
	svc_leave(self);
	if (rc)
		svc_set_error(err.text);
	return rc ? com_hr_from_errno(rc) : S_OK;
}

static HRESULT STDMETHODCALLTYPE svc_service_SetFlags(IVdsService *iface, ULONG flags)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsService, iface);

	COM_TRACE(self, "%#x", flags);
	return change_flags(self, flags, true);
}

static HRESULT STDMETHODCALLTYPE svc_service_ClearFlags(IVdsService *iface, ULONG flags)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsService, iface);

	COM_TRACE(self, "%#x", flags);
	return change_flags(self, flags, false);
}

/* ---- lists and objects --------------------------------------------------------------------- */

static bool asked_for(DWORD masks, VDS_PROVIDER_TYPE type)
{
	switch (type) {
	case VDS_PT_SOFTWARE:
		return (masks & VDS_QUERY_SOFTWARE_PROVIDERS) != 0;
	case VDS_PT_HARDWARE:
		return (masks & VDS_QUERY_HARDWARE_PROVIDERS) != 0;
	case VDS_PT_VIRTUALDISK:
		return (masks & VDS_QUERY_VIRTUALDISK_PROVIDERS) != 0;
	case VDS_PT_UNKNOWN:
	case VDS_PT_MAX:
		break;
	}
	return false;
}

static HRESULT list_providers(struct svc_service *self, DWORD masks, IEnumVdsObject **out)
{
	size_t cap = self->providers.len + 1, n = 0;
	IUnknown **objects = com_task_calloc(cap, sizeof(IUnknown *));
	struct svc_provider *provider;
	HRESULT hr = objects ? S_OK : E_OUTOFMEMORY;

	vec_for_each (&self->providers, provider) {
		if (FAILED(hr))
			break;
		if (!asked_for(masks, provider->type))
			continue;
		hr = svc_provider_object(provider, &objects[n]);
		if (SUCCEEDED(hr))
			n++;
	}
	if (SUCCEEDED(hr)) {
		hr = vdc_enum_take(objects, n, out);
		n = 0;
	}
	while (n-- > 0)
		IUnknown_Release(objects[n]);
	com_task_free(objects);
	return hr;
}

static HRESULT STDMETHODCALLTYPE svc_service_QueryProviders(
	IVdsService *iface, DWORD masks, IEnumVdsObject **out)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsService, iface);

	COM_TRACE(self, "masks %#x", masks);
	VDC_OUT(out);
	if (!idl_enum_valid(&idl_enum_VDS_QUERY_PROVIDER_FLAG, masks))
		return VDS_E_INVALID_QUERY_PROVIDER_FLAG;
	HRESULT hr = svc_enter(self);
	if (FAILED(hr))
		return hr;
	hr = list_providers(self, masks, out);
	svc_leave(self);
	return hr;
}

static HRESULT STDMETHODCALLTYPE svc_service_QueryMaskedDisks(
	IVdsService *iface, IEnumVdsObject **out)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsService, iface);

	COM_TRACE(self);
	VDC_OUT(out);
	return E_NOTIMPL; /* reserved */
}

static HRESULT STDMETHODCALLTYPE svc_service_QueryUnallocatedDisks(
	IVdsService *iface, IEnumVdsObject **out)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsService, iface);

	COM_TRACE(self);
	VDC_OUT(out);
	HRESULT hr = svc_enter(self);
	if (FAILED(hr))
		return hr;
	hr = vdc_enum_new(NULL, 0, out);
	svc_leave(self);
	return hr;
}

/* Kinds that GetObject finds, and the provider type that has them. */
static VDS_PROVIDER_TYPE home_of(VDS_OBJECT_TYPE type)
{
	switch (type) {
	case VDS_OT_SUB_SYSTEM:
	case VDS_OT_CONTROLLER:
	case VDS_OT_DRIVE:
	case VDS_OT_LUN:
	case VDS_OT_LUN_PLEX:
	case VDS_OT_PORT:
	case VDS_OT_PORTAL:
	case VDS_OT_TARGET:
	case VDS_OT_PORTAL_GROUP:
	case VDS_OT_STORAGE_POOL:
		return VDS_PT_HARDWARE;
	case VDS_OT_PACK:
	case VDS_OT_VOLUME:
	case VDS_OT_VOLUME_PLEX:
	case VDS_OT_DISK:
		return VDS_PT_SOFTWARE;
	case VDS_OT_VDISK:
	case VDS_OT_OPEN_VDISK:
		return VDS_PT_VIRTUALDISK;
	case VDS_OT_HBAPORT:
	case VDS_OT_INIT_ADAPTER:
	case VDS_OT_INIT_PORTAL:
		return VDS_PT_MAX; /* the service's own: there are none */
	case VDS_OT_UNKNOWN:
	case VDS_OT_PROVIDER:
	case VDS_OT_ASYNC:
	case VDS_OT_ENUM:
		break;
	}
	return VDS_PT_UNKNOWN;
}

static HRESULT STDMETHODCALLTYPE svc_service_GetObject(
	IVdsService *iface, VDS_OBJECT_ID id, VDS_OBJECT_TYPE type, IUnknown **out)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsService, iface);
	VDS_PROVIDER_TYPE home = home_of(type);
	struct svc_provider *provider;

	COM_TRACE(self, "type %d", type);
	VDC_OUT(out);
	if (home == VDS_PT_UNKNOWN)
		return VDS_E_INVALID_OBJECT_TYPE;
	VDC_REQUIRE(!com_guid_is_zero(&id));
	HRESULT hr = svc_enter(self);
	if (FAILED(hr))
		return hr;
	hr = VDS_E_OBJECT_NOT_FOUND;
	vec_for_each (&self->providers, provider) {
		if (provider->type != home)
			continue;
		HRESULT one = IVdsProviderPrivate_GetObject(provider->priv, id, type, out);
		if (SUCCEEDED(one) && !*out)
			one = E_UNEXPECTED;
		if (one != VDS_E_OBJECT_NOT_FOUND) {
			hr = one;
			break;
		}
	}
	svc_leave(self);
	return hr;
}

/* ---- the host's side ----------------------------------------------------------------------- */

/* This machine has no drive letters and, without volumes, none is given out. */
static HRESULT STDMETHODCALLTYPE svc_service_QueryDriveLetters(
	IVdsService *iface, WCHAR first, DWORD count, VDS_DRIVE_LETTER_PROP *list)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsService, iface);
	int letter = first < 128 ? toupper(first) : 0;

	COM_TRACE(self, "%u from %#x", count, first);
	VDC_REQUIRE(list && count);
	if (letter < 'A' || letter > 'Z')
		return VDS_E_INVALID_DRIVE_LETTER;
	if (count > (DWORD)('Z' - letter + 1))
		return VDS_E_INVALID_DRIVE_LETTER_COUNT;
	memset(list, 0, count * sizeof(*list));
	HRESULT hr = svc_enter(self);
	if (FAILED(hr))
		return hr;
	for (DWORD i = 0; i < count; i++)
		list[i].wcLetter = (WCHAR)(letter + (int)i);
	svc_leave(self);
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE svc_service_QueryFileSystemTypes(
	IVdsService *iface, VDS_FILE_SYSTEM_TYPE_PROP **list, LONG *count)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsService, iface);

	COM_TRACE(self);
	VDC_OUT2(list, count);
	HRESULT hr = svc_enter(self);
	if (SUCCEEDED(hr))
		svc_leave(self);
	return hr; /* nothing can be formatted: no volumes */
}

/* All hardware providers look anew. */
static HRESULT for_providers(
	struct svc_service *self, HRESULT(STDMETHODCALLTYPE *fn)(IVdsHwProvider *hw))
{
	struct svc_provider *provider;
	HRESULT result = S_OK;
	HRESULT hr = svc_enter(self);

	if (FAILED(hr))
		return hr;
	vec_for_each (&self->providers, provider) {
		IUnknown *unk = NULL;
		IVdsHwProvider *hw = NULL;

		if (provider->type != VDS_PT_HARDWARE ||
			FAILED(svc_provider_object(provider, &unk)))
			continue;
		if (SUCCEEDED(IUnknown_QueryInterface(unk, &IID_IVdsHwProvider, (void **)&hw))) {
			if (FAILED(fn(hw)))
				result = VDS_E_PROVIDER_FAILURE;
			IVdsHwProvider_Release(hw);
		}
		IUnknown_Release(unk);
	}
	svc_leave(self);
	return result;
}

static HRESULT STDMETHODCALLTYPE reenumerate(IVdsHwProvider *hw)
{
	return IVdsHwProvider_Reenumerate(hw);
}

static HRESULT STDMETHODCALLTYPE refresh(IVdsHwProvider *hw)
{
	return IVdsHwProvider_Refresh(hw);
}

static HRESULT STDMETHODCALLTYPE svc_service_Reenumerate(IVdsService *iface)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsService, iface);

	COM_TRACE(self);
	HRESULT hr = for_providers(self, reenumerate);
	return hr == VDS_E_PROVIDER_FAILURE ? S_OK : hr; /* finds what can be found */
}

static HRESULT STDMETHODCALLTYPE svc_service_Refresh(IVdsService *iface)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsService, iface);

	COM_TRACE(self);
	return for_providers(self, refresh);
}

static HRESULT STDMETHODCALLTYPE svc_service_CleanupObsoleteMountPoints(IVdsService *iface)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsService, iface);

	COM_TRACE(self);
	HRESULT hr = svc_enter(self);
	if (SUCCEEDED(hr))
		svc_leave(self);
	return hr; /* none are stored */
}

static HRESULT STDMETHODCALLTYPE svc_service_Reboot(IVdsService *iface)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsService, iface);

	COM_TRACE(self);
	HRESULT hr = svc_enter(self);
	if (FAILED(hr))
		return hr;
	svc_leave(self);
	return E_ACCESSDENIED; /* a store opened in a program is no reason to restart a machine */
}

/* ---- notifications ------------------------------------------------------------------------- */

static HRESULT STDMETHODCALLTYPE svc_service_Advise(
	IVdsService *iface, IVdsAdviseSink *sink, DWORD *cookie)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsService, iface);

	COM_TRACE(self);
	VDC_OUT(cookie);
	VDC_REQUIRE(sink);
	HRESULT hr = svc_enter(self);
	if (FAILED(hr))
		return hr;
	hr = vdc_events_advise(self->events, sink, cookie);
	svc_leave(self);
	return hr;
}

static HRESULT STDMETHODCALLTYPE svc_service_Unadvise(IVdsService *iface, DWORD cookie)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsService, iface);

	COM_TRACE(self, "%u", cookie);
	HRESULT hr = svc_enter(self);
	if (FAILED(hr))
		return hr;
	hr = vdc_events_unadvise(self->events, cookie);
	svc_leave(self);
	return hr;
}

/* ---- class --------------------------------------------------------------------------------- */

static const IVdsServiceVtbl svc_service_IVdsService_vtbl = {
	COM_UNKNOWN_METHODS(svc_service, IVdsService),
	.IsServiceReady = svc_service_IsServiceReady,
	.WaitForServiceReady = svc_service_WaitForServiceReady,
	.GetProperties = svc_service_GetProperties,
	.QueryProviders = svc_service_QueryProviders,
	.QueryMaskedDisks = svc_service_QueryMaskedDisks,
	.QueryUnallocatedDisks = svc_service_QueryUnallocatedDisks,
	.GetObject = svc_service_GetObject,
	.QueryDriveLetters = svc_service_QueryDriveLetters,
	.QueryFileSystemTypes = svc_service_QueryFileSystemTypes,
	.Reenumerate = svc_service_Reenumerate,
	.Refresh = svc_service_Refresh,
	.CleanupObsoleteMountPoints = svc_service_CleanupObsoleteMountPoints,
	.Advise = svc_service_Advise,
	.Unadvise = svc_service_Unadvise,
	.Reboot = svc_service_Reboot,
	.SetFlags = svc_service_SetFlags,
	.ClearFlags = svc_service_ClearFlags,
};

static const struct com_iface svc_service_ifaces[] = {
	COM_IFACE(svc_service, IUnknown),
	COM_IFACE(svc_service, IVdsService),
	COM_IFACE(svc_service, IVdsServiceInitialization),
	COM_IFACE(svc_service, IVdsServiceUninstallDisk),
	COM_IFACE(svc_service, IVdsServiceHba),
	COM_IFACE(svc_service, IVdsServiceIscsi),
	COM_IFACE(svc_service, IVdsServiceSAN),
	COM_IFACE(svc_service, IVdsServiceSw),
	COM_IFACE(svc_service, IVdsxService),
};

/* Nobody holds the service any more. */
static void svc_service_destroy(struct com_object *com)
{
	struct svc_service *self = container_of(com, struct svc_service, com);

	svc_close(self);
	if (self->callback)
		svc_callback_detach(self->callback);
	svc_callback_release(self->callback);
	pthread_cond_destroy(&self->changed);
	pthread_mutex_destroy(&self->lock);
}

const struct com_class svc_service_class = {
	"svc_service",
	sizeof(struct svc_service),
	COM_IFACES(svc_service_ifaces),
	svc_service_destroy,
};

HRESULT DllGetClassObject(REFCLSID rclsid, REFIID riid, void **out)
{
	return hwp_get_class_object(rclsid, riid, out);
}

HRESULT DllCanUnloadNow(void)
{
	return com_module_idle() ? S_OK : S_FALSE;
}
