/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facades: made when asked for, one living one for each id, gone when their last user lets go.
 *
 * Each holds the core's memory and the service. The hold on the service may be the last one; then
 * its release ends the service, which waits for the provider's threads. So a facade that dies on
 * one of those threads leaves that release to a thread of its own.
 */
#include "provider/base/prv.h"

#include "base/log.h"
#include "vdscom/enum.h"

static bool hold(const struct prv_face *face)
{
	if (!face->host->lpVtbl->HoldService(face->host))
		return false;
	face->host->lpVtbl->AddRef(face->host);
	prv_ref(face->core);
	return true;
}

static struct com_object *make(void *ctx, const GUID *id)
{
	struct prv_face face = *(const struct prv_face *)ctx;

	(void)id;
	if (!hold(&face))
		return NULL;
	struct com_object *com = face.core->ops->make(&face);
	if (!com)
		prv_face_fini(&face);
	return com;
}

static void *release_service(void *arg)
{
	IVdspHost *host = arg;

	host->lpVtbl->ReleaseService(host);
	host->lpVtbl->Release(host);
	return NULL;
}

void prv_face_fini(struct prv_face *face)
{
	IVdspHost *host = face->host;
	pthread_t thread;

	if (face->core)
		prv_unref(face->core);
	if (!host)
		return;
	if (!prv_thread_is_internal()) {
		release_service(host);
		return;
	}
	if (pthread_create(&thread, NULL, release_service, host))
		log_error("The service stays open: no thread could be started to end it.");
	else
		pthread_detach(thread);
}

HRESULT prv_face_hold(struct prv *core, struct prv_face *out)
{
	HRESULT hr = S_OK;

	*out = (struct prv_face){.core = core};
	if (!prv_enter(core, &hr)) {
		out->core = NULL;
		return hr;
	}
	out->host = core->host;
	if (!hold(out)) {
		memset(out, 0, sizeof(*out));
		hr = VDS_E_OBJECT_DELETED;
	}
	prv_leave(core);
	return hr;
}

HRESULT prv_face_get(
	struct prv *core, unsigned kind, const struct guid *id, REFIID riid, void **out)
{
	struct prv_face want = {.core = core, .kind = kind, .id = *id};
	struct com_object *com;
	GUID guid = com_guid_from(id);
	HRESULT hr;

	*out = NULL;
	if (!prv_enter(core, &hr))
		return hr;
	want.host = core->host;
	hr = com_registry_get(core->registry, &guid, make, &want, &com);
	if (SUCCEEDED(hr)) {
		hr = com_query(com, riid, out);
		com_release(com);
	}
	prv_leave(core);
	return hr;
}

HRESULT prv_enum_new(struct prv *core, const struct prv_idents *list, IEnumVdsObject **out)
{
	IUnknown **objects = com_task_calloc(list->len ? list->len : 1, sizeof(*objects));
	const struct prv_ident *it;
	HRESULT hr = objects ? S_OK : E_OUTOFMEMORY;
	size_t n = 0;

	*out = NULL;
	vec_for_each (list, it) {
		if (FAILED(hr))
			break;
		hr = prv_face_get(core, it->kind, &it->id, &IID_IUnknown, (void **)&objects[n]);
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

struct number_read {
	struct sto *sto;
	unsigned kind;
	struct guid id;
	uint32_t number;
};

static int number_read(void *arg)
{
	struct number_read *r = arg;

	return sto_number(r->sto, r->kind, &r->id, &r->number, NULL);
}

int prv_number(struct prv *core, unsigned kind, const struct guid *id, uint32_t *number)
{
	struct number_read r = {.sto = core->sto, .kind = kind, .id = *id};
	int rc = prv_clerk_call(&core->worker->clerk, number_read, &r);

	*number = r.number;
	return rc;
}
