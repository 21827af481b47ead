/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facades: made when asked for, one living one for each id, gone when their last user lets go.
 *
 * Each holds the core's memory and the service. The hold on the service may be the last one; then
 * its release ends the service, which waits for the provider's threads. So a facade that dies on
 * one of those threads leaves that release to a thread of its own.
 */
#include "provider/hw/hwp.h"

#include "base/log.h"

static struct com_object *make(void *ctx, const GUID *id)
{
	const struct hwp_face *want = ctx;
	struct hwp_face face = *want;
	struct com_object *com = NULL;

	(void)id;
	if (!face.host->lpVtbl->HoldService(face.host))
		return NULL;
	face.host->lpVtbl->AddRef(face.host);
	hwp_ref(face.p);
	switch (face.kind) {
	case HWP_PROVIDER:
		com = hwp_provider_make(&face);
		break;
	case HWP_SUB_SYSTEM:
		com = hwp_subsystem_make(&face);
		break;
	case HWP_CONTROLLER:
		com = hwp_controller_make(&face);
		break;
	case HWP_PORT:
		com = hwp_port_make(&face);
		break;
	case HWP_DRIVE:
		com = hwp_drive_make(&face);
		break;
	case HWP_LUN:
		com = hwp_lun_make(&face);
		break;
	case HWP_PLEX:
		com = hwp_plex_make(&face);
		break;
	}
	if (!com)
		hwp_face_fini(&face);
	return com;
}

static void *release_service(void *arg)
{
	IVdspHost *host = arg;

	host->lpVtbl->ReleaseService(host);
	host->lpVtbl->Release(host);
	return NULL;
}

void hwp_face_fini(struct hwp_face *face)
{
	IVdspHost *host = face->host;
	pthread_t thread;

	if (face->p)
		hwp_unref(face->p);
	if (!host)
		return;
	if (!hwp_thread_is_internal()) {
		release_service(host);
		return;
	}
	if (pthread_create(&thread, NULL, release_service, host))
		log_error("The service stays open: no thread could be started to end it.");
	else
		pthread_detach(thread);
}

HRESULT hwp_face_get(
	struct hwp *p, enum hwp_kind kind, const struct guid *id, REFIID riid, void **out)
{
	struct hwp_face want = {.p = p, .kind = kind, .id = *id};
	struct com_object *com;
	GUID guid = com_guid_from(id);
	HRESULT hr;

	*out = NULL;
	if (!hwp_enter(p, &hr))
		return hr;
	want.host = p->host;
	hr = com_registry_get(p->registry, &guid, make, &want, &com);
	if (SUCCEEDED(hr)) {
		hr = com_query(com, riid, out);
		com_release(com);
	}
	hwp_leave(p);
	return hr;
}
