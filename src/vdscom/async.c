/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State: running until vdc_async_finish, then ended for good. `asked` stands between: a request to
 * stop has been accepted, or is being made. The end decides what a request was worth, so Cancel
 * waits for it, within reason.
 */
#include "vdscom/async.h"

#include "vdscom/check.h"
#include "vdscom/props.h"

#include <errno.h>
#include <time.h>

/* An accepted cancellation normally takes effect in milliseconds; a client is not held up for
 * longer than this by a slow drive, and then told S_OK: it has been asked. */
#define CANCEL_WAIT_SECONDS 2

struct vdc_async {
	struct com_object com;
	IUnknown IUnknown_iface;
	IVdsAsync IVdsAsync_iface;
	IVdsxJob IVdsxJob_iface; /* offered only with ops->properties */

	const struct vdc_async_ops *ops;
	void *ctx;
	VDS_ASYNC_OUTPUT_TYPE type;

	pthread_mutex_t lock; /* guards the rest; nothing is called while it is held but AddRef */
	pthread_cond_t ended_cond;
	bool ended;
	bool asked;
	HRESULT hr;
	ULONG percent;
	VDS_ASYNC_OUTPUT output; /* a pointer in it is a reference of ours */
};

static const struct vdc_async_ops no_ops;

COM_IDENTITY(vdc_async)
COM_UNKNOWN(vdc_async, IVdsAsync)
COM_UNKNOWN(vdc_async, IVdsxJob)

/* Waits for the end, at most until the time given; returns whether it has come. (locked) */
static bool wait_until(struct vdc_async *self, const struct timespec *until)
{
	while (!self->ended)
		if (pthread_cond_clockwait(
			    &self->ended_cond, &self->lock, CLOCK_MONOTONIC, until) == ETIMEDOUT)
			break;
	return self->ended;
}

static HRESULT ask(struct vdc_async *self)
{
	HRESULT hr;

	self->asked = true;
	pthread_mutex_unlock(&self->lock);
	hr = self->ops->cancel(self->ctx);
	pthread_mutex_lock(&self->lock);
	if (FAILED(hr))
		self->asked = false;
	return hr;
}

static HRESULT STDMETHODCALLTYPE vdc_async_Cancel(IVdsAsync *iface)
{
	struct vdc_async *self = COM_IMPL(vdc_async, IVdsAsync, iface);
	HRESULT hr = VDS_E_OPERATION_CANCELED; /* what all but the first successful caller hear */
	struct timespec until;

	COM_TRACE(self);
	if (!self->ops->cancel)
		return VDS_E_NOT_SUPPORTED;
	SCOPED_LOCK(&self->lock);
	if (!self->ended && !self->asked) {
		hr = ask(self);
		if (FAILED(hr))
			return self->ended ? VDS_E_CANCEL_TOO_LATE : hr;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += CANCEL_WAIT_SECONDS;
	if (wait_until(self, &until))
		return self->hr == VDS_E_OPERATION_CANCELED ? hr : VDS_E_CANCEL_TOO_LATE;
	/* Without an end: what another caller asked may have been refused in the meantime. */
	return self->asked ? hr : VDS_E_CANCEL_TOO_LATE;
}

static HRESULT STDMETHODCALLTYPE vdc_async_Wait(
	IVdsAsync *iface, HRESULT *result, VDS_ASYNC_OUTPUT *output)
{
	struct vdc_async *self = COM_IMPL(vdc_async, IVdsAsync, iface);

	COM_TRACE(self);
	VDC_OUT2(result, output);
	SCOPED_LOCK(&self->lock);
	while (!self->ended)
		pthread_cond_wait(&self->ended_cond, &self->lock);
	*result = self->hr;
	return vdc_copy(VDS_ASYNC_OUTPUT, output, &self->output);
}

static HRESULT STDMETHODCALLTYPE vdc_async_QueryStatus(
	IVdsAsync *iface, HRESULT *result, ULONG *percent)
{
	struct vdc_async *self = COM_IMPL(vdc_async, IVdsAsync, iface);

	COM_TRACE(self);
	VDC_OUT2(result, percent);
	SCOPED_LOCK(&self->lock);
	*result = self->hr;
	*percent = self->percent;
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE vdc_async_GetProperties(IVdsxJob *iface, VDSX_JOB_PROP *prop)
{
	struct vdc_async *self = COM_IMPL(vdc_async, IVdsxJob, iface);

	COM_TRACE(self);
	VDC_OUT(prop);
	return self->ops->properties(self->ctx, prop);
}

static const IVdsAsyncVtbl vdc_async_IVdsAsync_vtbl = {
	COM_UNKNOWN_METHODS(vdc_async, IVdsAsync),
	.Cancel = vdc_async_Cancel,
	.Wait = vdc_async_Wait,
	.QueryStatus = vdc_async_QueryStatus,
};

static const IVdsxJobVtbl vdc_async_IVdsxJob_vtbl = {
	COM_UNKNOWN_METHODS(vdc_async, IVdsxJob),
	.GetProperties = vdc_async_GetProperties,
};

static void vdc_async_destroy(struct com_object *com)
{
	struct vdc_async *self = container_of(com, struct vdc_async, com);

	vdc_clear(VDS_ASYNC_OUTPUT, &self->output);
	if (self->ops->release)
		self->ops->release(self->ctx);
	pthread_cond_destroy(&self->ended_cond);
	pthread_mutex_destroy(&self->lock);
}

static const struct com_iface vdc_async_ifaces[] = {
	COM_IFACE(vdc_async, IUnknown),
	COM_IFACE(vdc_async, IVdsAsync),
	COM_IFACE(vdc_async, IVdsxJob),
};

/* Without properties the last is not offered. */
static const struct com_ifaces plain_ifaces = {vdc_async_ifaces, 2};

static const struct com_class vdc_async_class = {
	"vdc_async",
	sizeof(struct vdc_async),
	COM_IFACES(vdc_async_ifaces),
	vdc_async_destroy,
};

HRESULT vdc_async_new(VDS_ASYNC_OUTPUT_TYPE type, const struct vdc_async_ops *ops, void *ctx,
	struct vdc_async **out)
{
	const struct com_ifaces *ifaces = ops && ops->properties ? NULL : &plain_ifaces;
	struct vdc_async *self = com_object_new_with(&vdc_async_class, ifaces, NULL);

	*out = self;
	if (!self)
		return E_OUTOFMEMORY;
	self->ops = ops ? ops : &no_ops;
	self->ctx = ctx;
	self->type = type;
	self->hr = VDS_E_OPERATION_PENDING;
	self->output.type = type;
	pthread_mutex_init(&self->lock, NULL);
	pthread_cond_init(&self->ended_cond, NULL);
	return S_OK;
}

HRESULT vdc_async_new_finished(
	VDS_ASYNC_OUTPUT_TYPE type, HRESULT hr, const VDS_ASYNC_OUTPUT *output, IVdsAsync **out)
{
	struct vdc_async *async;
	HRESULT made = vdc_async_new(type, NULL, NULL, &async);

	*out = NULL;
	if (FAILED(made))
		return made;
	vdc_async_finish(async, hr, output);
	*out = vdc_async_iface(async);
	return S_OK;
}

struct vdc_async *vdc_async_ref(struct vdc_async *async)
{
	com_addref(&async->com);
	return async;
}

void vdc_async_unref(struct vdc_async *async)
{
	if (async)
		com_release(&async->com);
}

IVdsAsync *vdc_async_iface(struct vdc_async *async)
{
	return COM_AS(async, IVdsAsync);
}

IVdsAsync *vdc_async_get(struct vdc_async *async)
{
	return vdc_async_iface(vdc_async_ref(async));
}

void vdc_async_progress(struct vdc_async *async, ULONG percent)
{
	SCOPED_LOCK(&async->lock);
	if (percent > 99)
		percent = 99;
	if (!async->ended && percent > async->percent)
		async->percent = percent;
}

void vdc_async_finish(struct vdc_async *async, HRESULT hr, const VDS_ASYNC_OUTPUT *output)
{
	assert(hr != VDS_E_OPERATION_PENDING);
	SCOPED_LOCK(&async->lock);
	if (async->ended)
		return;
	if (SUCCEEDED(hr) && output) {
		VDS_ASYNC_OUTPUT typed = *output;

		/* Holds no memory, so it cannot fail. */
		typed.type = async->type;
		vdc_copy(VDS_ASYNC_OUTPUT, &async->output, &typed);
	}
	async->hr = hr;
	if (SUCCEEDED(hr))
		async->percent = 100;
	else if (hr == VDS_E_OPERATION_CANCELED)
		async->percent = 0;
	async->ended = true;
	pthread_cond_broadcast(&async->ended_cond);
}

HRESULT vdc_async_result(struct vdc_async *async)
{
	SCOPED_LOCK(&async->lock);
	return async->hr;
}
