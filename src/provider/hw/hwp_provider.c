/* SPDX-License-Identifier: Apache-2.0 */
/* The provider object: what it is, its subsystems, and the cure of its cache. */
#include "provider/hw/hwp_provider.h"

const GUID HWP_PROVIDER_ID = {
	0x5f4c2a1e, 0x3d0b, 0x4b6e, {0x9a, 0x57, 0x21, 0xc8, 0x0e, 0x64, 0xb1, 0x90}};
const GUID HWP_PROVIDER_VERSION_ID = {
	0xb7a6d0f2, 0x8c15, 0x4a39, {0x8e, 0x02, 0x6d, 0x93, 0xf7, 0x1c, 0x45, 0xaa}};
const CLSID CLSID_HwpProvider = {
	0x0c9a4d7b, 0x61e2, 0x4f58, {0xb3, 0x1d, 0x7e, 0x05, 0x92, 0xac, 0xd8, 0x36}};

COM_IDENTITY(hwp_provider)
COM_UNKNOWN(hwp_provider, IVdsProvider)
COM_UNKNOWN(hwp_provider, IVdsProviderSupport)
COM_UNKNOWN(hwp_provider, IVdsHwProvider)
COM_UNKNOWN(hwp_provider, IVdsHwProviderType)
HWP_NUMBER(hwp_provider)
PRV_DESTROY(hwp_provider)

/* ---- IVdsProvider -------------------------------------------------------------------------- */

static HRESULT STDMETHODCALLTYPE hwp_provider_GetProperties(
	IVdsProvider *iface, VDS_PROVIDER_PROP *prop)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsProvider, iface);

	COM_TRACE(self);
	if (!prop)
		return E_INVALIDARG;
	memset(prop, 0, sizeof(*prop));
	prop->pwszName = com_strdup_utf8_to_wide(HWP_PROVIDER_NAME);
	prop->pwszVersion = com_strdup_utf8_to_wide(VDS_VERSION);
	if (!prop->pwszName || !prop->pwszVersion) {
		com_task_free(prop->pwszName);
		com_task_free(prop->pwszVersion);
		memset(prop, 0, sizeof(*prop));
		return E_OUTOFMEMORY;
	}
	prop->id = HWP_PROVIDER_ID;
	prop->guidVersionId = HWP_PROVIDER_VERSION_ID;
	prop->type = VDS_PT_HARDWARE;
	prop->ulFlags = VDS_PF_INTERNAL_HARDWARE_PROVIDER;
	return S_OK;
}

static const IVdsProviderVtbl hwp_provider_IVdsProvider_vtbl = {
	COM_UNKNOWN_METHODS(hwp_provider, IVdsProvider),
	.GetProperties = hwp_provider_GetProperties,
};

static HRESULT STDMETHODCALLTYPE hwp_provider_GetVersionSupport(
	IVdsProviderSupport *iface, ULONG *flags)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsProviderSupport, iface);

	COM_TRACE(self);
	if (!flags)
		return E_INVALIDARG;
	*flags = VDS_VSF_1_0 | VDS_VSF_1_1 | VDS_VSF_2_0 | VDS_VSF_2_1 | VDS_VSF_3_0;
	return S_OK;
}

static const IVdsProviderSupportVtbl hwp_provider_IVdsProviderSupport_vtbl = {
	COM_UNKNOWN_METHODS(hwp_provider, IVdsProviderSupport),
	.GetVersionSupport = hwp_provider_GetVersionSupport,
};

static HRESULT STDMETHODCALLTYPE hwp_provider_GetProviderType(
	IVdsHwProviderType *iface, VDS_HWPROVIDER_TYPE *type)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsHwProviderType, iface);

	COM_TRACE(self);
	if (!type)
		return E_INVALIDARG;
	*type = VDS_HWT_PCI_RAID; /* an array inside the machine */
	return S_OK;
}

static const IVdsHwProviderTypeVtbl hwp_provider_IVdsHwProviderType_vtbl = {
	COM_UNKNOWN_METHODS(hwp_provider, IVdsHwProviderType),
	.GetProviderType = hwp_provider_GetProviderType,
};

/* ---- IVdsHwProvider ------------------------------------------------------------------------ */

static HRESULT query_sub_systems(struct hwp_call *call)
{
	struct prv_idents *list = call->args;
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &call->p->arrays) {
		const struct hwp_array *a = list_entry(pos, struct hwp_array, link);
		if (!a->departed &&
			prv_idents_push(list, (struct prv_ident){HWP_SUB_SYSTEM, a->id}))
			return E_OUTOFMEMORY;
	}
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_provider_QuerySubSystems(
	IVdsHwProvider *iface, IEnumVdsObject **out)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsHwProvider, iface);
	struct prv_idents list = {0};

	COM_TRACE(self);
	if (!out)
		return E_INVALIDARG;
	*out = NULL;
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_PROVIDER_QUERY_SUB_SYSTEMS, HWP_PROVIDER,
		&self->face.id, query_sub_systems, &list);
	if (SUCCEEDED(hr))
		hr = prv_enum_new(&hwp_of(&self->face)->core, &list, out);
	prv_idents_free(&list);
	return hr;
}

static HRESULT STDMETHODCALLTYPE hwp_provider_Reenumerate(IVdsHwProvider *iface)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsHwProvider, iface);

	COM_TRACE(self);
	return hwp_call(hwp_of(&self->face), HWP_M_PROVIDER_REENUMERATE, HWP_PROVIDER,
		&self->face.id, hwp_cache_reenumerate, NULL);
}

static HRESULT STDMETHODCALLTYPE hwp_provider_Refresh(IVdsHwProvider *iface)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsHwProvider, iface);

	COM_TRACE(self);
	return hwp_call(hwp_of(&self->face), HWP_M_PROVIDER_REFRESH, HWP_PROVIDER, &self->face.id,
		hwp_cache_refresh, NULL);
}

static const IVdsHwProviderVtbl hwp_provider_IVdsHwProvider_vtbl = {
	COM_UNKNOWN_METHODS(hwp_provider, IVdsHwProvider),
	.QuerySubSystems = hwp_provider_QuerySubSystems,
	.Reenumerate = hwp_provider_Reenumerate,
	.Refresh = hwp_provider_Refresh,
};

/* ---- the two objects ----------------------------------------------------------------------- */

#define PUBLIC_IFACES                                                                              \
	COM_IFACE(hwp_provider, IUnknown), COM_IFACE(hwp_provider, IVdsProvider),                  \
		COM_IFACE(hwp_provider, IVdsProviderSupport),                                      \
		COM_IFACE(hwp_provider, IVdsHwProvider),                                           \
		COM_IFACE(hwp_provider, IVdsHwProviderType), COM_IFACE(hwp_provider, IVdsxNumber), \
		COM_IFACE(hwp_provider, IVdsxHwProvider), COM_IFACE(hwp_provider, IVdsxJobs),      \
		COM_IFACE(hwp_provider, IVdsxFault)

/* All that the structure has: com_object_new sets the function tables from the class's. */
static const struct com_iface hwp_provider_ifaces[] = {
	PUBLIC_IFACES,
	COM_IFACE(hwp_provider, IVdsProviderPrivate),
	COM_IFACE(hwp_provider, IVdsHwProviderPrivate),
};
static const struct com_iface hwp_provider_public_ifaces[] = {PUBLIC_IFACES};
static const struct com_ifaces hwp_provider_public = COM_IFACES(hwp_provider_public_ifaces);

static const struct com_class hwp_provider_class = {
	"hwp_provider",
	sizeof(struct hwp_provider),
	COM_IFACES(hwp_provider_ifaces),
	hwp_provider_destroy,
};

struct com_object *hwp_provider_make(const struct prv_face *face)
{
	struct hwp_provider *self =
		com_object_new_with(&hwp_provider_class, &hwp_provider_public, &HWP_PROVIDER_ID);

	if (!self)
		return NULL;
	self->face = *face;
	return &self->com;
}

HRESULT hwp_provider_new(struct hwp *p, REFIID riid, void **out)
{
	struct hwp_provider *self = com_object_new(&hwp_provider_class, &HWP_PROVIDER_ID);

	*out = NULL;
	if (!self)
		return E_OUTOFMEMORY;
	self->face = (struct prv_face){
		.core = prv_ref(&p->core),
		.kind = HWP_PROVIDER,
		.id = com_guid_to(&HWP_PROVIDER_ID),
	};
	HRESULT hr = com_query(&self->com, riid, out);
	com_release(&self->com);
	return hr;
}
