/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the built-in providers have in common.
 *
 * A provider embeds struct prv, its core: the store and worker it was loaded with, the count of
 * calls under way, its living objects and its notifications. COM objects are facades: an id and a
 * counted reference to the core. A method
 *
 *	1. checks its arguments and clears its outputs, on the client's thread;
 *	2. goes to the worker with prv_run, where the provider's common checks and then the method's
 *	   body are one task, so that nothing happens between check and act;
 *	3. builds its outputs from what the body copied out, on the client's thread again.
 *
 * Fields marked [worker] are touched only by tasks and callbacks of the loop. There is one lock,
 * prv.lock, which guards the count of calls; nothing is called out while it is held.
 */
#ifndef PROVIDER_BASE_PRV_H
#define PROVIDER_BASE_PRV_H

#include "base/cleanup.h"
#include "base/err.h"
#include "base/guid.h"
#include "base/vec.h"
#include "blk/loop.h"
#include "blk/task.h"
#include "com/com.h"
#include "provider/base/prv_worker.h"
#include "provider/host.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <vds.h>
#include <vdserr.h>
#include <vdsx.h>

struct prv;
struct prv_face;
struct vdc_events;

/* An object of a provider: the kind is its VDS_OBJECT_TYPE. */
struct prv_ident {
	unsigned kind;
	struct guid id;
};
VEC(struct prv_ident, prv_idents)

struct prv_ops {
	unsigned kinds; /* of its jobs' objects: PRV_KIND_SW or PRV_KIND_HW (prv_job.h) */
	/* The facade for face->kind: takes face over (prv_face_fini in its destroy). NULL: memory.
	 */
	struct com_object *(*make)(const struct prv_face *face);
	/* The last reference to the core is gone: unloads if need be, calls prv_fini, frees what
	 * embeds it. */
	void (*free)(struct prv *core);
};

/* [worker] Hold points: see prv_point. */
struct prv_points {
	struct list list;
	bool off; /* nothing stops any more: the provider ends */
};

struct prv {
	const struct prv_ops *ops;
	atomic_uint refs;
	struct com_registry *registry;
	IVdspHost *host; /* from OnLoad; cleared when the last call has left */
	/* from OnLoad to OnUnload */
	struct sto *sto;
	struct prv_worker *worker;
	struct loop *loop; /* the worker's */
	struct vdc_events *events;

	pthread_mutex_t lock;
	pthread_cond_t left; /* calls became 0 */
	unsigned calls;      /* [lock] */
	bool loaded, closed; /* [lock] */

	struct prv_points points; /* [worker] */
	struct list jobs;         /* [worker] prv_job.c */
	struct guid asked_for;    /* [worker] object of the job a client is just asking for */
	uint32_t system_error;    /* [worker] injected: of the next call, 0 = none */
};

/* ---- core --------------------------------------------------------------------------------- */

/* One reference. -ENOMEM. */
int prv_init(struct prv *core, const struct prv_ops *ops);
void prv_fini(struct prv *core);
struct prv *prv_ref(struct prv *core);
void prv_unref(struct prv *core);

/*
 * Loading: prv_begin takes store, worker and sink; then the provider makes its own state; prv_open
 * lets calls in. Whoever fails in between calls prv_end, which undoes prv_begin.
 */
int prv_begin(struct prv *core, IVdspHost *host, IVdsAdviseSink *sink, struct err *err);
void prv_open(struct prv *core, IVdspHost *host);
/*
 * Unloading: prv_close refuses new calls, lets hold points go and waits for calls under way; false:
 * it was not open, or somebody else does it. Then the provider ends its state on the worker, and
 * prv_end waits for the clerk and sends the last notifications.
 */
bool prv_close(struct prv *core);
void prv_end(struct prv *core);

/* Counts a call in; false when closed or not loaded (*hr says which). */
bool prv_enter(struct prv *core, HRESULT *hr);
void prv_leave(struct prv *core);
/* The sentence for the caller of the failing method on this thread. */
void prv_error_text(struct prv *core, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

enum {
	PRV_DRAIN = 1,  /* return only when the store knows all of it */
	PRV_ALWAYS = 2, /* an injected system error is not for this call */
};
/*
 * One call: enters, runs fn(arg) as a task on the worker and waits; returns what fn returned. A
 * failure's sentence in *err goes to the thread's last error text.
 */
HRESULT prv_run(
	struct prv *core, HRESULT (*fn)(void *arg), void *arg, struct err *err, unsigned flags);

/* ---- facades ------------------------------------------------------------------------------ */

struct prv_face {
	struct prv *core;
	IVdspHost *host;
	unsigned kind;
	struct guid id;
};
/* The living object of an id, made if need be. */
HRESULT prv_face_get(
	struct prv *core, unsigned kind, const struct guid *id, REFIID riid, void **out);
void prv_face_fini(struct prv_face *face);
/* The core's and the service's hold for an object that is in no registry (jobs). */
HRESULT prv_face_hold(struct prv *core, struct prv_face *out);
/* Their IUnknowns as an enumeration. */
HRESULT prv_enum_new(struct prv *core, const struct prv_idents *list, IEnumVdsObject **out);
/* The number of an object, issued now if need be. (any thread but the worker, or a task) */
int prv_number(struct prv *core, unsigned kind, const struct guid *id, uint32_t *number);

#define PRV_DESTROY(class)                                                                         \
	static void class##_destroy(struct com_object *com)                                        \
	{                                                                                          \
		prv_face_fini(&container_of(com, struct class, com)->face);                        \
	}

/* ---- hold points -------------------------------------------------------------------------- */

/* [worker, task] Waits here while the point is held. */
void prv_point(struct prv *core, const char *name);
bool prv_point_held(struct prv *core, const char *name);
/* [worker, task] -ENOMEM; -ENOENT: not held; -ETIMEDOUT. */
int prv_point_hold(struct prv *core, const char *name);
int prv_point_resume(struct prv *core, const char *name);
int prv_point_wait(struct prv *core, const char *name, ULONG timeout_ms);
void prv_points_release(struct prv *core); /* [worker] lets all go on, for good */
void prv_points_free(struct prv *core);    /* [worker] nobody waits any more */

/* ---- notifications ------------------------------------------------------------------------ */

/* One group, in order. Never waits. */
void prv_notify(struct prv *core, VDS_NOTIFICATION *list, unsigned count);

#endif
