/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The async object a client holds: IVdsAsync and IVdsxJob on a job. It passes calls on to the
 * vdc_async that the job's record shares, and like every facade keeps the service alive.
 */
#include "provider/hw/hwp_job.h"

struct hwp_async {
	struct com_object com;
	IUnknown IUnknown_iface;
	IVdsAsync IVdsAsync_iface;
	IVdsxJob IVdsxJob_iface;
	struct hwp_face face;
	struct vdc_async *inner;
	uint32_t number;
};
COM_IDENTITY(hwp_async)
COM_UNKNOWN(hwp_async, IVdsAsync)
COM_UNKNOWN(hwp_async, IVdsxJob)

static HRESULT STDMETHODCALLTYPE hwp_async_Cancel(IVdsAsync *iface)
{
	struct hwp_async *self = COM_IMPL(hwp_async, IVdsAsync, iface);

	COM_TRACE(self);
	return IVdsAsync_Cancel(vdc_async_iface(self->inner));
}

static HRESULT STDMETHODCALLTYPE hwp_async_Wait(
	IVdsAsync *iface, HRESULT *hr, VDS_ASYNC_OUTPUT *output)
{
	struct hwp_async *self = COM_IMPL(hwp_async, IVdsAsync, iface);

	COM_TRACE(self);
	return IVdsAsync_Wait(vdc_async_iface(self->inner), hr, output);
}

static HRESULT STDMETHODCALLTYPE hwp_async_QueryStatus(
	IVdsAsync *iface, HRESULT *hr, ULONG *percent)
{
	struct hwp_async *self = COM_IMPL(hwp_async, IVdsAsync, iface);

	COM_TRACE(self);
	return IVdsAsync_QueryStatus(vdc_async_iface(self->inner), hr, percent);
}

static const IVdsAsyncVtbl hwp_async_IVdsAsync_vtbl = {
	COM_UNKNOWN_METHODS(hwp_async, IVdsAsync),
	.Cancel = hwp_async_Cancel,
	.Wait = hwp_async_Wait,
	.QueryStatus = hwp_async_QueryStatus,
};

static HRESULT STDMETHODCALLTYPE hwp_async_GetProperties(IVdsxJob *iface, VDSX_JOB_PROP *prop)
{
	struct hwp_async *self = COM_IMPL(hwp_async, IVdsxJob, iface);
	struct hwp_props props = {0};

	COM_TRACE(self);
	if (!prop)
		return E_INVALIDARG;
	memset(prop, 0, sizeof(*prop));
	HRESULT hr = hwp_job_props(self->face.p, &self->number, &props);
	if (SUCCEEDED(hr))
		*prop = props.items[0];
	hwp_props_free(&props);
	return hr;
}

static const IVdsxJobVtbl hwp_async_IVdsxJob_vtbl = {
	COM_UNKNOWN_METHODS(hwp_async, IVdsxJob),
	.GetProperties = hwp_async_GetProperties,
};

static void hwp_async_destroy(struct com_object *com)
{
	struct hwp_async *self = container_of(com, struct hwp_async, com);

	vdc_async_unref(self->inner);
	hwp_face_fini(&self->face);
}

static const struct com_iface hwp_async_ifaces[] = {
	COM_IFACE(hwp_async, IUnknown),
	COM_IFACE(hwp_async, IVdsAsync),
	COM_IFACE(hwp_async, IVdsxJob),
};
static const struct com_class hwp_async_class = {
	"hwp_async",
	sizeof(struct hwp_async),
	COM_IFACES(hwp_async_ifaces),
	hwp_async_destroy,
};

struct hwp_async *hwp_async_make(struct hwp *p, struct vdc_async *inner, HRESULT *hr)
{
	struct hwp_async *self;

	if (!hwp_enter(p, hr))
		return NULL;
	*hr = E_OUTOFMEMORY;
	self = com_object_new(&hwp_async_class, NULL);
	if (self && !p->host->lpVtbl->HoldService(p->host)) {
		com_release(&self->com);
		self = NULL;
	}
	if (self) {
		p->host->lpVtbl->AddRef(p->host);
		self->face = (struct hwp_face){.p = hwp_ref(p), .host = p->host};
		self->inner = vdc_async_ref(inner);
	}
	hwp_leave(p);
	return self;
}

void hwp_async_give(
	struct hwp_async *self, struct vdc_async *inner, uint32_t number, IVdsAsync **out)
{
	if (self->inner != inner) {
		vdc_async_unref(self->inner);
		self->inner = vdc_async_ref(inner);
	}
	self->number = number;
	*out = COM_AS(self, IVdsAsync);
}

void hwp_async_drop(struct hwp_async *self)
{
	if (self)
		com_release(&self->com);
}

HRESULT hwp_async_new(struct hwp *p, struct vdc_async *inner, uint32_t number, IVdsAsync **out)
{
	HRESULT hr;
	struct hwp_async *self = hwp_async_make(p, inner, &hr);

	*out = NULL;
	if (!self)
		return hr;
	hwp_async_give(self, inner, number, out);
	return S_OK;
}
