/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands where libvds-service.so stands, for the tests of libvds alone. The path decides what
 * happens: "/busy" fails with a sentence, "/silent" without, "/liar" succeeds with nothing,
 * "/missing" is missing unless it may be created. Every other path is a service whose version is
 * that path; the same path gives the same object while it lives.
 */
#include "client/service_entry.h"
#include "com/com.h"

#include <stdio.h>
#include <vdsx.h>

struct fake {
	struct com_object com;
	IUnknown IUnknown_iface;
	IVdsService IVdsService_iface;
	char path[256];
	ULONG flags;
};

COM_IDENTITY(fake)
COM_UNKNOWN(fake, IVdsService)

static HRESULT fake_IsServiceReady(IVdsService *iface)
{
	(void)iface;
	return S_OK;
}

static _Thread_local const char *said = "";

VDS_API vds_service_last_error_fn vds_service_last_error;

const char *vds_service_last_error(void)
{
	return said;
}

static HRESULT fake_GetProperties(IVdsService *iface, VDS_SERVICE_PROP *prop)
{
	struct fake *self = COM_IMPL(fake, IVdsService, iface);

	said = prop ? "" : "There is no place for the properties.";
	if (!prop)
		return E_INVALIDARG;
	prop->pwszVersion = com_strdup_utf8_to_wide(self->path);
	prop->ulFlags = self->flags;
	return prop->pwszVersion ? S_OK : E_OUTOFMEMORY;
}

/* The tests call no others. */
static const IVdsServiceVtbl fake_IVdsService_vtbl = {
	COM_UNKNOWN_METHODS(fake, IVdsService),
	.IsServiceReady = fake_IsServiceReady,
	.WaitForServiceReady = fake_IsServiceReady,
	.GetProperties = fake_GetProperties,
};

static const struct com_iface fake_list[] = {
	COM_IFACE(fake, IUnknown),
	COM_IFACE(fake, IVdsService),
};
static const struct com_class fake_class = {
	"fake", sizeof(struct fake), COM_IFACES(fake_list), NULL};

static struct com_object *make(void *ctx, const GUID *id)
{
	struct fake *f = com_object_new(&fake_class, id);

	if (f)
		snprintf(f->path, sizeof(f->path), "%s", (const char *)ctx);
	return f ? &f->com : NULL;
}

HRESULT vds_service_open(
	const char *path, ULONG flags, IVdsService **out, char *message, size_t message_size)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct com_registry *registry;
	struct com_object *com;
	GUID id = {0};
	HRESULT hr;

	*out = NULL;
	said = "";
	if (!strcmp(path, "/busy")) {
		snprintf(message, message_size, "The store %s is in use by process 123.", path);
		return HRESULT_FROM_WIN32(32);
	}
	if (!strcmp(path, "/silent"))
		return E_FAIL;
	if (!strcmp(path, "/liar"))
		return S_OK;
	if (!strcmp(path, "/missing") && !(flags & VDSX_OPEN_CREATE))
		return HRESULT_FROM_WIN32(2);
	for (size_t i = 0; path[i]; i++)
		((char *)&id)[i % sizeof(id)] =
			(char)(((char *)&id)[i % sizeof(id)] * 31 + path[i]);
	pthread_mutex_lock(&lock);
	if (!registry)
		registry = com_registry_new();
	hr = com_registry_get(registry, &id, make, (void *)path, &com);
	pthread_mutex_unlock(&lock);
	if (FAILED(hr))
		return hr;
	container_of(com, struct fake, com)->flags = flags;
	*out = COM_AS(container_of(com, struct fake, com), IVdsService);
	return S_OK;
}
