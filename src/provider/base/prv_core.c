/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core of a provider: loading, counting calls, unloading.
 *
 * Facades may live longer than the provider is loaded: they hold the core's memory, and every
 * method of theirs answers VDS_E_OBJECT_DELETED.
 */
#include "provider/base/prv.h"

#include "vdscom/events.h"

#include <stdarg.h>
#include <stdio.h>

int prv_init(struct prv *core, const struct prv_ops *ops)
{
	core->registry = com_registry_new();
	if (!core->registry)
		return -ENOMEM;
	core->ops = ops;
	core->refs = 1;
	pthread_mutex_init(&core->lock, NULL);
	pthread_cond_init(&core->left, NULL);
	list_init(&core->points.list);
	list_init(&core->jobs);
	return 0;
}

struct prv *prv_ref(struct prv *core)
{
	atomic_fetch_add_explicit(&core->refs, 1, memory_order_relaxed);
	return core;
}

void prv_unref(struct prv *core)
{
	if (atomic_fetch_sub_explicit(&core->refs, 1, memory_order_acq_rel) != 1)
		return;
	core->ops->free(core);
}

void prv_fini(struct prv *core)
{
	com_registry_free(core->registry);
	pthread_cond_destroy(&core->left);
	pthread_mutex_destroy(&core->lock);
}

bool prv_enter(struct prv *core, HRESULT *hr)
{
	SCOPED_LOCK(&core->lock);
	if (core->closed) {
		*hr = VDS_E_OBJECT_DELETED;
		return false;
	}
	if (!core->loaded) {
		*hr = VDS_E_INITIALIZE_NOT_CALLED;
		return false;
	}
	core->calls++;
	return true;
}

void prv_leave(struct prv *core)
{
	SCOPED_LOCK(&core->lock);
	if (!--core->calls)
		pthread_cond_broadcast(&core->left);
}

void prv_error_text(struct prv *core, const char *fmt, ...)
{
	char text[800];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* host is set before the first call can enter and cleared after the last one left */
	HRESULT hr;
	if (!prv_enter(core, &hr))
		return;
	if (core->host)
		core->host->lpVtbl->SetErrorText(core->host, text);
	prv_leave(core);
}

void prv_notify(struct prv *core, VDS_NOTIFICATION *list, unsigned count)
{
	vdc_events_post(core->events, list, count);
}

/* ---- loading and unloading ----------------------------------------------------------------- */

int prv_begin(struct prv *core, IVdspHost *host, IVdsAdviseSink *sink, struct err *err)
{
	DWORD cookie;

	core->events = vdc_events_new(0);
	if (!core->events || FAILED(vdc_events_advise(core->events, sink, &cookie))) {
		vdc_events_free(core->events);
		core->events = NULL;
		return err_set(err, -ENOMEM, "There is no memory for notifications.");
	}
	core->sto = host->lpVtbl->GetStore(host);
	core->worker = host->lpVtbl->GetWorker(host);
	core->loop = core->worker->loop;
	return 0;
}

void prv_open(struct prv *core, IVdspHost *host)
{
	host->lpVtbl->AddRef(host);
	core->host = host;
	SCOPED_LOCK(&core->lock);
	core->loaded = true;
}

static int release_points(void *arg)
{
	prv_points_release(arg);
	return 0;
}

bool prv_close(struct prv *core)
{
	pthread_mutex_lock(&core->lock);
	bool running = core->loaded && !core->closed;
	core->closed = core->closed || core->loaded;
	pthread_mutex_unlock(&core->lock);
	if (!running)
		return false;
	task_call(core->loop, release_points, core);
	pthread_mutex_lock(&core->lock);
	while (core->calls)
		pthread_cond_wait(&core->left, &core->lock);
	pthread_mutex_unlock(&core->lock);
	return true;
}

static int free_points(void *arg)
{
	prv_points_free(arg);
	return 0;
}

void prv_end(struct prv *core)
{
	task_call(core->loop, free_points, core);
	prv_clerk_drain(&core->worker->clerk);
	vdc_events_flush(core->events);
	vdc_events_free(core->events);
	core->events = NULL;
	COM_RELEASE_CLEAR(core->host);
	core->sto = NULL;
	core->worker = NULL;
	core->loop = NULL;
}

/* ---- calls --------------------------------------------------------------------------------- */

struct run {
	struct prv *core;
	HRESULT (*fn)(void *arg);
	void *arg;
	struct err *err;
	unsigned flags;
	HRESULT hr;
};

static int run_on_worker(void *arg)
{
	struct run *r = arg;
	struct prv *core = r->core;

	if (core->system_error && !(r->flags & PRV_ALWAYS)) {
		r->hr = HRESULT_FROM_WIN32(core->system_error);
		core->system_error = 0;
		err_set(r->err, -EIO, "A system error was injected into this call.");
		return 0;
	}
	r->hr = r->fn(r->arg);
	return 0;
}

HRESULT prv_run(
	struct prv *core, HRESULT (*fn)(void *arg), void *arg, struct err *err, unsigned flags)
{
	struct run r = {.core = core, .fn = fn, .arg = arg, .err = err, .flags = flags};
	HRESULT hr;

	prv_error_text(core, "%s", "");
	if (!prv_enter(core, &hr))
		return hr;
	int rc = task_call(core->loop, run_on_worker, &r);
	hr = rc ? com_hr_from_errno(rc) : r.hr;
	if (FAILED(hr) && err->code)
		prv_error_text(core, "%s%s%s", err->text, err->cause[0] ? " " : "", err->cause);
	if (flags & PRV_DRAIN)
		prv_clerk_drain(&core->worker->clerk);
	prv_leave(core);
	return hr;
}
