/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core of the provider: starts the worker and the clerk on a store, counts calls, stops.
 *
 * Stopping: new calls are refused, hold points let go, calls under way are waited for; then the
 * worker checkpoints and closes the arrays, its loop ends, the clerk does what is left, and the
 * last notifications go out. Facades may live longer: they hold the core's memory, and every method
 * of theirs answers VDS_E_OBJECT_DELETED.
 */
#include "provider/hw/hwp.h"
#include "provider/hw/hwp_event.h"

#include "base/log.h"

static _Thread_local bool internal_thread;

bool hwp_thread_is_internal(void)
{
	return internal_thread;
}

void hwp_thread_mark_internal(void)
{
	internal_thread = true;
}

struct hwp *hwp_new(void)
{
	struct hwp *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->registry = com_registry_new();
	if (!p->registry) {
		free(p);
		return NULL;
	}
	p->refs = 1;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->left, NULL);
	list_init(&p->arrays);
	list_init(&p->slots);
	list_init(&p->jobs);
	list_init(&p->points);
	return p;
}

struct hwp *hwp_ref(struct hwp *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void hwp_unref(struct hwp *p)
{
	if (atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
		return;
	hwp_stop(p);
	com_registry_free(p->registry);
	pthread_cond_destroy(&p->left);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

bool hwp_enter(struct hwp *p, HRESULT *hr)
{
	SCOPED_LOCK(&p->lock);
	if (p->closed) {
		*hr = VDS_E_OBJECT_DELETED;
		return false;
	}
	if (!p->loaded) {
		*hr = VDS_E_INITIALIZE_NOT_CALLED;
		return false;
	}
	p->calls++;
	return true;
}

void hwp_leave(struct hwp *p)
{
	SCOPED_LOCK(&p->lock);
	if (!--p->calls)
		pthread_cond_broadcast(&p->left);
}

void hwp_error_text(struct hwp *p, const char *fmt, ...)
{
	char text[800];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* host is set before the first call can enter and cleared after the last one left */
	HRESULT hr;
	if (!hwp_enter(p, &hr))
		return;
	if (p->host)
		p->host->lpVtbl->SetErrorText(p->host, text);
	hwp_leave(p);
}

/* ---- starting ------------------------------------------------------------------------------ */

struct start {
	struct hwp *p;
	struct hwp_setups setups;
	struct sto_fault_vec faults;
	uint64_t cache;
	struct err *err;
};

static void *worker_main(void *arg)
{
	struct hwp *p = arg;

	hwp_thread_mark_internal();
	loop_run(p->loop);
	return NULL;
}

static int start_on_worker(void *arg)
{
	struct start *s = arg;
	struct hwp *p = s->p;
	struct hwp_array_setup *setup;
	struct sto_fault *fault;

	task_mutex_init(&p->admin);
	task_mutex_init(&p->adding);
	p->cache = (enum hwp_cache)s->cache;
	vec_for_each (&s->faults, fault) {
		if (hwp_faults_push(&p->faults, *fault))
			return -ENOMEM;
		if (fault->kind == STO_FAULT_CACHE_CORRUPT && p->cache == HWP_CACHE_VALID)
			p->cache = HWP_CACHE_CORRUPT;
	}
	vec_for_each (&s->setups, setup) {
		struct hwp_array *a;
		int rc = hwp_array_add(p, setup, &a);
		if (rc)
			return err_set(s->err, rc, "There is no memory for the subsystem %s.",
				setup->row.name);
	}
	return 0;
}

static int stop_on_worker(void *arg)
{
	struct hwp *p = arg;
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &p->arrays)
		hwp_array_free(list_entry(pos, struct hwp_array, link));
	hwp_faults_free(&p->faults);
	hwp_points_free(p);
	return 0;
}

static int release_points(void *arg)
{
	hwp_points_release(arg);
	return 0;
}

static int read_store(struct start *s)
{
	struct hwp *p = s->p;
	struct guid id = com_guid_to(&HWP_PROVIDER_ID);

	int rc = hwp_array_read(p, &s->setups, s->err);
	if (!rc)
		rc = sto_fault_list(p->sto, NULL, &s->faults, s->err);
	if (rc)
		return rc;
	if (sto_attr_get_u64(p->sto, &id, "hw.cache", &s->cache, NULL) || s->cache > 2)
		s->cache = HWP_CACHE_VALID;
	return 0;
}

static int start_threads(struct hwp *p, struct err *err)
{
	struct loop_options options = {.name = "array"};
	int rc = rng_seed_system(&p->rng);

	if (rc)
		return err_set(err, rc, "The system gives no random numbers.");
	rc = hwp_clerk_start(&p->clerk);
	if (rc)
		return err_set(err, rc, "No thread could be started.");
	rc = loop_new(&options, &p->loop, err);
	if (!rc) {
		rc = -pthread_create(&p->thread, NULL, worker_main, p);
		if (!rc)
			return 0;
		err_set(err, rc, "No thread could be started.");
		loop_free(p->loop);
		p->loop = NULL;
	}
	hwp_clerk_stop(&p->clerk);
	return rc;
}

static void stop_threads(struct hwp *p)
{
	loop_stop(p->loop);
	pthread_join(p->thread, NULL);
	hwp_clerk_stop(&p->clerk);
	loop_free(p->loop);
	p->loop = NULL;
	hwp_events_stop(p);
}

int hwp_start(struct hwp *p, IVdspHost *host, IVdsAdviseSink *sink, struct err *err)
{
	struct start s = {.p = p, .err = err};

	p->sto = host->lpVtbl->GetStore(host);
	p->user_hold = (host->lpVtbl->GetOpenFlags(host) & VDSX_OPEN_HOLD_RECOVERY) != 0;
	int rc = read_store(&s);
	if (!rc)
		rc = hwp_events_start(p, sink, err);
	if (!rc) {
		rc = start_threads(p, err);
		if (rc)
			hwp_events_stop(p);
	}
	if (!rc) {
		rc = task_call(p->loop, start_on_worker, &s);
		if (rc) {
			task_call(p->loop, stop_on_worker, p);
			stop_threads(p);
		}
	}
	hwp_setups_release(&s.setups);
	sto_fault_vec_free(&s.faults);
	if (rc)
		return rc;
	host->lpVtbl->AddRef(host);
	p->host = host;
	SCOPED_LOCK(&p->lock);
	p->loaded = true;
	return 0;
}

void hwp_stop(struct hwp *p)
{
	pthread_mutex_lock(&p->lock);
	bool running = p->loaded && !p->closed;
	p->closed = p->closed || p->loaded;
	pthread_mutex_unlock(&p->lock);
	if (!running)
		return;
	task_call(p->loop, release_points, p);
	pthread_mutex_lock(&p->lock);
	while (p->calls)
		pthread_cond_wait(&p->left, &p->lock);
	pthread_mutex_unlock(&p->lock);
	task_call(p->loop, stop_on_worker, p);
	stop_threads(p);
	COM_RELEASE_CLEAR(p->host);
	p->sto = NULL;
}
