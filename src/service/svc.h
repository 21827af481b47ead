/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the service.
 *
 * A service is one open store, the providers loaded for it and the sinks of its clients. The
 * service object is what clients hold; the callback object is what providers hold. The callback
 * outlives nothing: it points to the service without a reference, and every object a provider hands
 * out holds the service object itself (provider/host.h). So the service ends when its last client
 * has let go of everything, or when IVdsxService::Close is called.
 *
 * Lock order: the list of open services (svc_open.c), then svc.lock. No lock is held while a
 * provider or a sink is called.
 */
#ifndef SERVICE_SVC_H
#define SERVICE_SVC_H

#include "base/cleanup.h"
#include "base/err.h"
#include "base/vec.h"
#include "com/com.h"
#include "provider/base/prv_worker.h"
#include "provider/host.h"
#include "store/store.h"
#include "vdscom/events.h"

#include <pthread.h>
#include <vds.h>
#include <vdserr.h>
#include <vdshwprv.h>
#include <vdsx.h>

enum svc_state {
	SVC_NOT_STARTED,
	SVC_STARTING,
	SVC_READY,
	SVC_FAILED,
};

/* A loaded provider. */
struct svc_provider {
	GUID id;
	VDS_PROVIDER_TYPE type;
	IUnknown *unk; /* as its class object made it */
	IVdsProviderPrivate *priv;
	void *module; /* dlopen handle; NULL: built in */
};
VEC(struct svc_provider, svc_providers)

struct svc_callback;

struct svc_service {
	struct com_object com;
	IUnknown IUnknown_iface;
	IVdsService IVdsService_iface;
	IVdsServiceInitialization IVdsServiceInitialization_iface;
	IVdsServiceUninstallDisk IVdsServiceUninstallDisk_iface;
	IVdsServiceHba IVdsServiceHba_iface;
	IVdsServiceIscsi IVdsServiceIscsi_iface;
	IVdsServiceSAN IVdsServiceSAN_iface;
	IVdsServiceSw IVdsServiceSw_iface;
	IVdsxService IVdsxService_iface;

	struct sto *sto;           /* until closed */
	struct prv_worker *worker; /* while providers are loaded */
	ULONG open_flags;
	struct vdc_events *events; /* to clients; until closed */
	struct svc_callback *callback;
	struct svc_providers providers; /* constant from READY to closing */

	pthread_mutex_t lock;
	pthread_cond_t changed; /* state or calls */
	enum svc_state state;   /* [lock] */
	unsigned calls;         /* [lock] under way */
	bool closing, closed;   /* [lock] */
	pthread_t starter;      /* [lock] runs while STARTING */
	bool starter_made;      /* [lock] */

	struct list open_link; /* in the list of open services */
	dev_t dev;             /* of the store's folder */
	ino_t ino;
};

/* ---- calls --------------------------------------------------------------------------------- */

/* Counts a call in after the state's check (software.md 2.1): waits while the service starts.
 * Otherwise the code to answer with. */
HRESULT svc_enter(struct svc_service *svc);
/* As above for calls allowed in any state: only a closed service refuses. */
HRESULT svc_enter_any(struct svc_service *svc);
void svc_leave(struct svc_service *svc);

/* ---- life ---------------------------------------------------------------------------------- */

/* Begins to initialise, in a thread of its own. S_OK, or VDS_E_INITIALIZED_FAILED. */
HRESULT svc_start(struct svc_service *svc);
HRESULT svc_wait_ready(struct svc_service *svc);
/* Unloads the providers, closes the store. Idempotent; waits for calls under way. */
void svc_close(struct svc_service *svc);
/* Out of the list of open services. */
void svc_unlist(struct svc_service *svc);
extern const struct com_class svc_service_class;

/* ---- providers ----------------------------------------------------------------------------- */

/* Loads all that are registered; one that fails is left out and logged. */
void svc_load_providers(struct svc_service *svc);
void svc_unload_providers(struct svc_service *svc);
/* The object of a provider to give to clients, with a reference. */
HRESULT svc_provider_object(const struct svc_provider *provider, IUnknown **out);
/* Registers what is built in, unless it is there. */
int svc_register_builtin(struct sto *sto, struct err *err);

/* ---- callback ------------------------------------------------------------------------------ */

struct svc_callback *svc_callback_new(struct svc_service *svc); /* NULL: memory */
IUnknown *svc_callback_unknown(struct svc_callback *callback);  /* without a reference */
IVdsAdmin *svc_callback_admin(struct svc_callback *callback);   /* without a reference */
/* The service is gone: the callback answers nobody any more. */
void svc_callback_detach(struct svc_callback *callback);
void svc_callback_release(struct svc_callback *callback);

/* IVdsAdmin, on the store. */
HRESULT svc_register_provider(struct sto *sto, const GUID *id, const CLSID *clsid,
	const WCHAR *name, VDS_PROVIDER_TYPE type, const WCHAR *machine, const WCHAR *version,
	const GUID *version_id);
HRESULT svc_unregister_provider(struct sto *sto, const GUID *id);

/* ---- failures in words --------------------------------------------------------------------- */

/* Keeps the sentence for this thread; "" forgets. */
void svc_set_error(const char *text);

/* ---- function tables spread over files ----------------------------------------------------- */

extern const IVdsServiceInitializationVtbl svc_service_IVdsServiceInitialization_vtbl;
extern const IVdsServiceUninstallDiskVtbl svc_service_IVdsServiceUninstallDisk_vtbl;
extern const IVdsServiceHbaVtbl svc_service_IVdsServiceHba_vtbl;
extern const IVdsServiceIscsiVtbl svc_service_IVdsServiceIscsi_vtbl;
extern const IVdsServiceSANVtbl svc_service_IVdsServiceSAN_vtbl;
extern const IVdsServiceSwVtbl svc_service_IVdsServiceSw_vtbl;
extern const IVdsxServiceVtbl svc_service_IVdsxService_vtbl;

#endif
