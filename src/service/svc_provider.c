/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Providers: registered in the store, made by their class objects, loaded, asked for their
 * subsystems, unloaded (hardware.md 3.3, 12.9).
 *
 * The built-in provider uses the same door as any other; only its class object is found without a
 * module. A module is a shared object that exports DllGetClassObject. RegisterProvider has no
 * argument for where it is, so it is found by its class: <class id>.so in $VDS_PROVIDER_DIR, or in
 * the folder that the build names; the registration keeps the path it was found under.
 */
#include "service/svc.h"

#include "base/log.h"
#include "base/utf16.h"
#include "provider/hw/hw.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>

enum { NAME_UNITS = 200, VERSION_UNITS = 16 }; /* the limits of IVdsAdmin's strings */

typedef HRESULT get_class_object_fn(REFCLSID rclsid, REFIID riid, void **out);

/* ---- registration -------------------------------------------------------------------------- */

static bool copy_text(char *out, size_t size, const WCHAR *text)
{
	cleanup_free char *utf8 = com_utf8_from_wide(text);

	return utf8 && snprintf(out, size, "%s", utf8) < (int)size;
}

static void module_path(const struct guid *clsid, char *out, size_t size)
{
	const char *dir = secure_getenv("VDS_PROVIDER_DIR");
	char id[GUID_TEXT_SIZE];

	guid_format(clsid, id);
	snprintf(out, size, "%s/%.36s.so", dir && *dir ? dir : VDS_PROVIDER_DIR, id + 1);
}

HRESULT svc_register_provider(struct sto *sto, const GUID *id, const CLSID *clsid,
	const WCHAR *name, VDS_PROVIDER_TYPE type, const WCHAR *machine, const WCHAR *version,
	const GUID *version_id)
{
	struct sto_provider row = {
		.id = com_guid_to(id),
		.clsid = com_guid_to(clsid),
		.type = type,
		.version_id = com_guid_to(version_id),
	};
	struct err err = {0};

	if (!name || !version || com_guid_is_zero(id) || com_guid_is_zero(clsid) ||
		type != VDS_PT_HARDWARE)
		return E_INVALIDARG;
	if (utf16_len((const uint16_t *)(const void *)name) > NAME_UNITS ||
		utf16_len((const uint16_t *)(const void *)version) > VERSION_UNITS)
		return E_INVALIDARG;
	if (!copy_text(row.name, sizeof(row.name), name) ||
		!copy_text(row.version, sizeof(row.version), version) ||
		(machine && !copy_text(row.machine, sizeof(row.machine), machine)))
		return E_OUTOFMEMORY;
	if (!com_guid_equal(clsid, &CLSID_HwpProvider))
		module_path(&row.clsid, row.path, sizeof(row.path));
	int rc = sto_provider_add(sto, &row, &err);
	if (rc)
		svc_set_error(err.text);
	return rc == -EEXIST ? VDS_E_ALREADY_REGISTERED : rc ? com_hr_from_errno(rc) : S_OK;
}

HRESULT svc_unregister_provider(struct sto *sto, const GUID *id)
{
	struct guid guid = com_guid_to(id);
	int rc = sto_provider_remove(sto, &guid, NULL);

	return rc == -ENOENT ? VDS_E_OBJECT_NOT_FOUND : rc ? com_hr_from_errno(rc) : S_OK;
}

int svc_register_builtin(struct sto *sto, struct err *err)
{
	struct sto_provider row = {
		.id = com_guid_to(&HWP_PROVIDER_ID),
		.clsid = com_guid_to(&CLSID_HwpProvider),
		.name = HWP_PROVIDER_NAME,
		.type = VDS_PT_HARDWARE,
		.version = VDS_VERSION,
		.version_id = com_guid_to(&HWP_PROVIDER_VERSION_ID),
	};
	struct sto_provider known;
	uint32_t number;
	int rc = sto_provider_get(sto, &row.id, &known, NULL);

	/* one version at a time: a new one takes the place of the old */
	if (!rc && !guid_equal(&known.version_id, &row.version_id)) {
		rc = sto_provider_remove(sto, &row.id, err);
		if (!rc)
			rc = -ENOENT;
	}
	if (rc == -ENOENT)
		rc = sto_provider_add(sto, &row, err);
	return rc ? rc : sto_number(sto, VDS_OT_PROVIDER, &row.id, &number, err);
}

/* ---- loading ------------------------------------------------------------------------------- */

static get_class_object_fn *find_class(
	const struct sto_provider *row, void **module, char *why, size_t size)
{
	GUID clsid = com_guid_from(&row->clsid);
	get_class_object_fn *fn = NULL;

	if (com_guid_equal(&clsid, &CLSID_HwpProvider))
		return hwp_get_class_object;
	*module = dlopen(row->path, RTLD_NOW | RTLD_LOCAL);
	void *entry = *module ? dlsym(*module, "DllGetClassObject") : NULL;
	if (!entry)
		snprintf(why, size, "%s", dlerror());
	else
		memcpy(&fn, &entry, sizeof(fn));
	return fn;
}

static HRESULT create(const struct sto_provider *row, get_class_object_fn *fn, IUnknown **out)
{
	GUID clsid = com_guid_from(&row->clsid);
	IClassFactory *factory = NULL;
	HRESULT hr = fn(&clsid, &IID_IClassFactory, (void **)&factory);

	if (SUCCEEDED(hr) && !factory)
		hr = E_UNEXPECTED;
	if (FAILED(hr))
		return hr;
	hr = IClassFactory_CreateInstance(factory, NULL, &IID_IUnknown, (void **)out);
	IClassFactory_Release(factory);
	return SUCCEEDED(hr) && !*out ? E_UNEXPECTED : hr;
}

/* The first question to a loaded provider; what it holds is asked for again when a client asks. */
static void first_query(struct svc_provider *provider)
{
	IVdsHwProvider *hw = NULL;
	IEnumVdsObject *list = NULL;

	if (FAILED(IUnknown_QueryInterface(provider->unk, &IID_IVdsHwProvider, (void **)&hw)))
		return;
	HRESULT hr = IVdsHwProvider_QuerySubSystems(hw, &list);
	if (FAILED(hr))
		log_warning("A provider has no subsystems to show: result %#x.", (unsigned)hr);
	COM_RELEASE(list);
	IVdsHwProvider_Release(hw);
}

static HRESULT load(struct svc_service *svc, const struct sto_provider *row,
	struct svc_provider *provider, char *why, size_t size)
{
	get_class_object_fn *fn = find_class(row, &provider->module, why, size);

	if (!fn)
		return E_FAIL;
	HRESULT hr = create(row, fn, &provider->unk);
	if (SUCCEEDED(hr))
		hr = IUnknown_QueryInterface(
			provider->unk, &IID_IVdsProviderPrivate, (void **)&provider->priv);
	WCHAR none[1] = {0};
	if (SUCCEEDED(hr))
		hr = IVdsProviderPrivate_OnLoad(
			provider->priv, none, svc_callback_unknown(svc->callback));
	if (FAILED(hr)) {
		COM_RELEASE(provider->priv);
		COM_RELEASE(provider->unk);
		if (provider->module)
			dlclose(provider->module);
	}
	return hr;
}

void svc_load_providers(struct svc_service *svc)
{
	struct sto_provider_vec rows = {0};
	struct sto_provider *row;
	struct err err = {0};

	if (sto_provider_list(svc->sto, &rows, &err))
		log_error("The providers are not known: %s", err.text);
	vec_for_each (&rows, row) {
		struct svc_provider provider = {
			.id = com_guid_from(&row->id),
			.type = (VDS_PROVIDER_TYPE)row->type,
		};
		char why[300] = "";
		HRESULT hr = load(svc, row, &provider, why, sizeof(why));
		if (FAILED(hr)) {
			log_error("The provider \"%s\" is left out: result %#x. %s", row->name,
				(unsigned)hr, why);
			continue;
		}
		if (svc_providers_push(&svc->providers, provider)) {
			log_error("The provider \"%s\" is left out: memory is short.", row->name);
			IVdsProviderPrivate_OnUnload(provider.priv, TRUE);
			COM_RELEASE(provider.priv);
			COM_RELEASE(provider.unk);
			continue;
		}
		first_query(&provider);
	}
	sto_provider_vec_free(&rows);
}

void svc_unload_providers(struct svc_service *svc)
{
	struct svc_provider *provider;

	vec_for_each (&svc->providers, provider) {
		IVdsProviderPrivate_OnUnload(provider->priv, TRUE);
		COM_RELEASE(provider->priv);
		COM_RELEASE(provider->unk);
		/* its code stays: objects of it may still be held by clients */
	}
	svc_providers_free(&svc->providers);
}

HRESULT svc_provider_object(const struct svc_provider *provider, IUnknown **out)
{
	HRESULT hr =
		IVdsProviderPrivate_GetObject(provider->priv, provider->id, VDS_OT_PROVIDER, out);

	if (SUCCEEDED(hr) && *out)
		return S_OK;
	*out = NULL;
	if (hr == E_OUTOFMEMORY)
		return hr;
	/* a provider that knows itself only as the object its class made */
	return IUnknown_QueryInterface(provider->unk, &IID_IUnknown, (void **)out);
}
