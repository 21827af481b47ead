/* SPDX-License-Identifier: Apache-2.0 */
/* The service's life: starting in the background, counting calls, closing. */
#include "service/svc.h"

#include "base/log.h"
#include "service/service.h"

#include <stdio.h>

/* ---- calls --------------------------------------------------------------------------------- */

HRESULT svc_enter_any(struct svc_service *svc)
{
	svc_set_error("");
	SCOPED_LOCK(&svc->lock);
	if (svc->closing)
		return VDS_E_OBJECT_DELETED;
	svc->calls++;
	return S_OK;
}

HRESULT svc_enter(struct svc_service *svc)
{
	svc_set_error("");
	SCOPED_LOCK(&svc->lock);
	while (svc->state == SVC_STARTING && !svc->closing)
		pthread_cond_wait(&svc->changed, &svc->lock);
	if (svc->closing)
		return VDS_E_OBJECT_DELETED;
	switch (svc->state) {
	case SVC_NOT_STARTED:
	case SVC_STARTING:
		return VDS_E_INITIALIZE_NOT_CALLED;
	case SVC_FAILED:
		return VDS_E_INITIALIZED_FAILED;
	case SVC_READY:
		break;
	}
	svc->calls++;
	return S_OK;
}

void svc_leave(struct svc_service *svc)
{
	SCOPED_LOCK(&svc->lock);
	if (!--svc->calls)
		pthread_cond_broadcast(&svc->changed);
}

/* ---- starting ------------------------------------------------------------------------------ */

static void *starter_main(void *arg)
{
	struct svc_service *svc = arg;
	struct err err = {0};
	int rc = prv_worker_start(&svc->worker, &err);

	if (rc)
		log_error("The service cannot work: %s", err.text);
	else
		svc_load_providers(svc);
	SCOPED_LOCK(&svc->lock);
	svc->state = rc ? SVC_FAILED : SVC_READY;
	pthread_cond_broadcast(&svc->changed);
	return NULL;
}

HRESULT svc_start(struct svc_service *svc)
{
	SCOPED_LOCK(&svc->lock);
	if (svc->closing)
		return VDS_E_OBJECT_DELETED;
	if (svc->state == SVC_FAILED)
		return VDS_E_INITIALIZED_FAILED;
	if (svc->state != SVC_NOT_STARTED)
		return S_OK;
	svc->state = SVC_STARTING;
	if (pthread_create(&svc->starter, NULL, starter_main, svc)) {
		svc->state = SVC_FAILED;
		pthread_cond_broadcast(&svc->changed);
		return VDS_E_INITIALIZED_FAILED;
	}
	svc->starter_made = true;
	return S_OK;
}

HRESULT svc_wait_ready(struct svc_service *svc)
{
	HRESULT hr = svc_start(svc);

	if (FAILED(hr))
		return hr;
	hr = svc_enter(svc);
	if (SUCCEEDED(hr))
		svc_leave(svc);
	return hr;
}

/* ---- closing ------------------------------------------------------------------------------- */

/* True for the one who is to close; others wait until it is done. */
static bool begin_close(struct svc_service *svc)
{
	SCOPED_LOCK(&svc->lock);
	if (svc->closing) {
		while (!svc->closed)
			pthread_cond_wait(&svc->changed, &svc->lock);
		return false;
	}
	while (svc->state == SVC_STARTING)
		pthread_cond_wait(&svc->changed, &svc->lock);
	svc->closing = true;
	pthread_cond_broadcast(&svc->changed);
	return true;
}

static void wait_calls(struct svc_service *svc)
{
	SCOPED_LOCK(&svc->lock);
	while (svc->calls)
		pthread_cond_wait(&svc->changed, &svc->lock);
}

void svc_close(struct svc_service *svc)
{
	if (!begin_close(svc))
		return;
	if (svc->starter_made)
		pthread_join(svc->starter, NULL);
	wait_calls(svc);
	svc_unload_providers(svc);
	prv_worker_stop(svc->worker);
	svc->worker = NULL;
	if (svc->events)
		vdc_events_flush(svc->events);
	vdc_events_free(svc->events);
	svc->events = NULL;
	sto_close(svc->sto);
	svc->sto = NULL;
	svc_unlist(svc);
	SCOPED_LOCK(&svc->lock);
	svc->closed = true;
	pthread_cond_broadcast(&svc->changed);
}

/* ---- failures in words --------------------------------------------------------------------- */

static _Thread_local char error_text[800];

void svc_set_error(const char *text)
{
	snprintf(error_text, sizeof(error_text), "%s", text);
}

const char *vds_service_last_error(void)
{
	return error_text;
}
