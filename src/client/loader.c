/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CLSID_VdsLoader: from a machine's name to its service object.
 *
 * No name, or this machine's: the store that $VDS_STORE names, in this process; without it the
 * local daemon. "store:/path": that store, in this process. Anything else: another machine. The
 * daemon and other machines cannot be reached yet: the codes are those of a machine where nobody
 * answers.
 */
#include "client/client_internal.h"

#include "com/com.h"

#include <idl_tables.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>
#include <vdsx.h>

#define STORE_PREFIX "store:"

struct client_loader {
	struct com_object com;
	IUnknown IUnknown_iface;
	IVdsServiceLoader IVdsServiceLoader_iface;
	IVdsxServiceLoader IVdsxServiceLoader_iface;
};

COM_IDENTITY(client_loader)
COM_UNKNOWN(client_loader, IVdsServiceLoader)
COM_UNKNOWN(client_loader, IVdsxServiceLoader)

static bool is_this_machine(const char *name)
{
	char host[256] = "";

	if (!*name || !strcmp(name, ".") || !strcasecmp(name, "localhost"))
		return true;
	return !gethostname(host, sizeof(host) - 1) && !strcasecmp(name, host);
}

static HRESULT load_local(IVdsService **out)
{
	const char *store = secure_getenv("VDS_STORE");

	if (store && *store)
		return client_open_store(store, 0, out);
	return client_fail(CLIENT_E_SERVICE_NOT_ACTIVE,
		"No VDS daemon answers on this machine. Set VDS_STORE, or name a store as "
		"store:/path.");
}

static HRESULT load(const char *machine, IVdsService **out)
{
	const size_t prefix = strlen(STORE_PREFIX);

	if (!strncasecmp(machine, STORE_PREFIX, prefix)) {
		if (machine[prefix])
			return client_open_store(machine + prefix, 0, out);
		return client_fail(E_INVALIDARG, "A folder must follow " STORE_PREFIX ".");
	}
	if (is_this_machine(machine))
		return load_local(out);
	return client_fail(CLIENT_E_SERVER_UNAVAILABLE,
		"No VDS service answers on the machine %s. Stores on this one are named "
		"store:/path.",
		machine);
}

HRESULT client_load(const WCHAR *machine, IVdsService **out)
{
	cleanup_free char *name = NULL;

	*out = NULL;
	if (!machine)
		return load_local(out);
	name = com_utf8_from_wide(machine);
	return name ? load(name, out) : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE client_loader_LoadService(
	IVdsServiceLoader *iface, LPWSTR machine, IVdsService **out)
{
	struct client_loader *self = COM_IMPL(client_loader, IVdsServiceLoader, iface);

	COM_TRACE(self);
	client_begin();
	if (!out)
		return client_end(E_INVALIDARG);
	return client_end(client_load(machine, out));
}

static HRESULT STDMETHODCALLTYPE client_loader_OpenStore(
	IVdsxServiceLoader *iface, LPCWSTR path, ULONG flags, IVdsService **out)
{
	struct client_loader *self = COM_IMPL(client_loader, IVdsxServiceLoader, iface);
	cleanup_free char *name = NULL;

	COM_TRACE(self, "flags %#x", flags);
	client_begin();
	if (!out)
		return client_end(E_INVALIDARG);
	*out = NULL;
	if (!path || !*path || !idl_enum_valid(&idl_enum_VDSX_OPEN_FLAG, flags))
		return client_end(E_INVALIDARG);
	name = com_utf8_from_wide(path);
	return client_end(name ? client_open_store(name, flags, out) : E_OUTOFMEMORY);
}

static const IVdsServiceLoaderVtbl client_loader_IVdsServiceLoader_vtbl = {
	COM_UNKNOWN_METHODS(client_loader, IVdsServiceLoader),
	.LoadService = client_loader_LoadService,
};

static const IVdsxServiceLoaderVtbl client_loader_IVdsxServiceLoader_vtbl = {
	COM_UNKNOWN_METHODS(client_loader, IVdsxServiceLoader),
	.OpenStore = client_loader_OpenStore,
};

static const struct com_iface client_loader_ifaces[] = {
	COM_IFACE(client_loader, IUnknown),
	COM_IFACE(client_loader, IVdsServiceLoader),
	COM_IFACE(client_loader, IVdsxServiceLoader),
};

static const struct com_class client_loader_class = {
	"client_loader",
	sizeof(struct client_loader),
	COM_IFACES(client_loader_ifaces),
	NULL,
};

HRESULT client_loader_new(REFIID riid, void **out)
{
	struct client_loader *self = com_object_new(&client_loader_class, NULL);
	HRESULT hr;

	if (!self)
		return E_OUTOFMEMORY;
	hr = com_query(&self->com, riid, out);
	com_release(&self->com);
	return hr;
}
