/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hardware provider in a module of its own, as a vendor would write one: one object, no store, no
 * subsystems. OnLoad fails when VDS_TEST_MODULE_FAILS is set.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <vds.h>
#include <vdserr.h>
#include <vdshwprv.h>

#include "module.h"

struct object {
	IVdsProvider provider;
	IVdsHwProvider hw;
	IVdsProviderPrivate priv;
	IClassFactory factory;
	atomic_uint refs;
	IVdsAdviseSink *sink;
};

static struct object the;

static HRESULT query(REFIID iid, void **out)
{
	*out = NULL;
	if (IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_IVdsProvider))
		*out = &the.provider;
	else if (IsEqualIID(iid, &IID_IVdsHwProvider))
		*out = &the.hw;
	else if (IsEqualIID(iid, &IID_IVdsProviderPrivate))
		*out = &the.priv;
	if (!*out)
		return E_NOINTERFACE;
	atomic_fetch_add(&the.refs, 1);
	return S_OK;
}

#define UNKNOWN(IFace)                                                                             \
	static HRESULT STDMETHODCALLTYPE IFace##_query(IFace *iface, REFIID iid, void **out)       \
	{                                                                                          \
		(void)iface;                                                                       \
		return query(iid, out);                                                            \
	}                                                                                          \
	static ULONG STDMETHODCALLTYPE IFace##_addref(IFace *iface)                                \
	{                                                                                          \
		(void)iface;                                                                       \
		return atomic_fetch_add(&the.refs, 1) + 1;                                         \
	}                                                                                          \
	static ULONG STDMETHODCALLTYPE IFace##_release(IFace *iface)                               \
	{                                                                                          \
		(void)iface;                                                                       \
		return atomic_fetch_sub(&the.refs, 1) - 1;                                         \
	}
#define UNKNOWN_METHODS(IFace) IFace##_query, IFace##_addref, IFace##_release

UNKNOWN(IVdsProvider)
UNKNOWN(IVdsHwProvider)
UNKNOWN(IVdsProviderPrivate)

static WCHAR *copy(const WCHAR *text, size_t units)
{
	WCHAR *out = CoTaskMemAlloc((units + 1) * sizeof(WCHAR));

	for (size_t i = 0; out && i <= units; i++)
		out[i] = text[i];
	return out;
}

static HRESULT STDMETHODCALLTYPE get_properties(IVdsProvider *iface, VDS_PROVIDER_PROP *prop)
{
	(void)iface;
	memset(prop, 0, sizeof(*prop));
	prop->id = MODULE_PROVIDER_ID;
	prop->type = VDS_PT_HARDWARE;
	prop->pwszName = copy(VDS_TEXT("module"), 6);
	prop->pwszVersion = copy(VDS_TEXT("1"), 1);
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE query_sub_systems(IVdsHwProvider *iface, IEnumVdsObject **out)
{
	(void)iface;
	*out = NULL;
	return VDS_E_OBJECT_STATUS_FAILED; /* must not keep the service from coming up */
}

static HRESULT STDMETHODCALLTYPE nothing(IVdsHwProvider *iface)
{
	(void)iface;
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE get_object(
	IVdsProviderPrivate *iface, VDS_OBJECT_ID id, VDS_OBJECT_TYPE type, IUnknown **out)
{
	(void)iface;
	(void)id;
	(void)type;
	*out = NULL;
	return VDS_E_OBJECT_NOT_FOUND;
}

/* Tells a subsystem's arrival at once, as a provider may. */
static HRESULT STDMETHODCALLTYPE on_load(
	IVdsProviderPrivate *iface, LPWSTR machine, IUnknown *callback)
{
	(void)iface;
	(void)machine;
	if (getenv("VDS_TEST_MODULE_FAILS"))
		return VDS_E_INITIALIZED_FAILED;
	return IUnknown_QueryInterface(callback, &IID_IVdsAdviseSink, (void **)&the.sink);
}

static HRESULT STDMETHODCALLTYPE on_unload(IVdsProviderPrivate *iface, BOOL force)
{
	(void)iface;
	(void)force;
	IVdsAdviseSink_Release(the.sink);
	the.sink = NULL;
	return S_OK;
}

static const IVdsProviderVtbl provider_vtbl = {UNKNOWN_METHODS(IVdsProvider), get_properties};
static const IVdsHwProviderVtbl hw_vtbl = {
	UNKNOWN_METHODS(IVdsHwProvider), query_sub_systems, nothing, nothing};
static const IVdsProviderPrivateVtbl priv_vtbl = {
	UNKNOWN_METHODS(IVdsProviderPrivate), get_object, on_load, on_unload};

static HRESULT STDMETHODCALLTYPE factory_query(IClassFactory *iface, REFIID iid, void **out)
{
	(void)iid;
	*out = iface;
	return S_OK;
}

static ULONG STDMETHODCALLTYPE factory_ref(IClassFactory *iface)
{
	(void)iface;
	return 2;
}

static HRESULT STDMETHODCALLTYPE create_instance(
	IClassFactory *iface, IUnknown *outer, REFIID iid, void **out)
{
	(void)iface;
	(void)outer;
	return query(iid, out);
}

static HRESULT STDMETHODCALLTYPE lock_server(IClassFactory *iface, BOOL lock)
{
	(void)iface;
	(void)lock;
	return S_OK;
}

static const IClassFactoryVtbl factory_vtbl = {
	factory_query, factory_ref, factory_ref, create_instance, lock_server};

VDS_API HRESULT DllGetClassObject(REFCLSID clsid, REFIID iid, void **out);

HRESULT DllGetClassObject(REFCLSID clsid, REFIID iid, void **out)
{
	(void)iid;
	*out = NULL;
	if (!IsEqualCLSID(clsid, &MODULE_CLSID))
		return CLASS_E_CLASSNOTAVAILABLE;
	the.provider.lpVtbl = &provider_vtbl;
	the.hw.lpVtbl = &hw_vtbl;
	the.priv.lpVtbl = &priv_vtbl;
	the.factory.lpVtbl = &factory_vtbl;
	*out = &the.factory;
	return S_OK;
}
