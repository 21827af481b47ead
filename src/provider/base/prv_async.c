/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The async object a client holds: IVdsAsync and IVdsxJob on a job. It passes calls on to the
 * vdc_async that the job's record shares, and like every facade keeps the service alive.
 */
#include "provider/base/prv_job.h"

struct prv_async {
	struct com_object com;
	IUnknown IUnknown_iface;
	IVdsAsync IVdsAsync_iface;
	IVdsxJob IVdsxJob_iface;
	struct prv_face face;
	struct vdc_async *inner;
	uint32_t number;
};
COM_IDENTITY(prv_async)
COM_UNKNOWN(prv_async, IVdsAsync)
COM_UNKNOWN(prv_async, IVdsxJob)

static HRESULT STDMETHODCALLTYPE prv_async_Cancel(IVdsAsync *iface)
{
	struct prv_async *self = COM_IMPL(prv_async, IVdsAsync, iface);

	COM_TRACE(self);
	return IVdsAsync_Cancel(vdc_async_iface(self->inner));
}

static HRESULT STDMETHODCALLTYPE prv_async_Wait(
	IVdsAsync *iface, HRESULT *hr, VDS_ASYNC_OUTPUT *output)
{
	struct prv_async *self = COM_IMPL(prv_async, IVdsAsync, iface);

	COM_TRACE(self);
	return IVdsAsync_Wait(vdc_async_iface(self->inner), hr, output);
}

static HRESULT STDMETHODCALLTYPE prv_async_QueryStatus(
	IVdsAsync *iface, HRESULT *hr, ULONG *percent)
{
	struct prv_async *self = COM_IMPL(prv_async, IVdsAsync, iface);

	COM_TRACE(self);
	return IVdsAsync_QueryStatus(vdc_async_iface(self->inner), hr, percent);
}

static const IVdsAsyncVtbl prv_async_IVdsAsync_vtbl = {
	COM_UNKNOWN_METHODS(prv_async, IVdsAsync),
	.Cancel = prv_async_Cancel,
	.Wait = prv_async_Wait,
	.QueryStatus = prv_async_QueryStatus,
};

static HRESULT STDMETHODCALLTYPE prv_async_GetProperties(IVdsxJob *iface, VDSX_JOB_PROP *prop)
{
	struct prv_async *self = COM_IMPL(prv_async, IVdsxJob, iface);
	struct prv_props props = {0};

	COM_TRACE(self);
	if (!prop)
		return E_INVALIDARG;
	memset(prop, 0, sizeof(*prop));
	HRESULT hr = prv_job_props(self->face.core, &self->number, &props);
	if (SUCCEEDED(hr))
		*prop = props.items[0];
	prv_props_free(&props);
	return hr;
}

static const IVdsxJobVtbl prv_async_IVdsxJob_vtbl = {
	COM_UNKNOWN_METHODS(prv_async, IVdsxJob),
	.GetProperties = prv_async_GetProperties,
};

static void prv_async_destroy(struct com_object *com)
{
	struct prv_async *self = container_of(com, struct prv_async, com);

	vdc_async_unref(self->inner);
	prv_face_fini(&self->face);
}

static const struct com_iface prv_async_ifaces[] = {
	COM_IFACE(prv_async, IUnknown),
	COM_IFACE(prv_async, IVdsAsync),
	COM_IFACE(prv_async, IVdsxJob),
};
static const struct com_class prv_async_class = {
	"prv_async",
	sizeof(struct prv_async),
	COM_IFACES(prv_async_ifaces),
	prv_async_destroy,
};

struct prv_async *prv_async_make(struct prv *core, struct vdc_async *inner, HRESULT *hr)
{
	struct prv_face face;
	struct prv_async *self;

	*hr = prv_face_hold(core, &face);
	if (FAILED(*hr))
		return NULL;
	self = com_object_new(&prv_async_class, NULL);
	if (!self) {
		prv_face_fini(&face);
		*hr = E_OUTOFMEMORY;
		return NULL;
	}
	self->face = face;
	self->inner = vdc_async_ref(inner);
	return self;
}

void prv_async_give(
	struct prv_async *self, struct vdc_async *inner, uint32_t number, IVdsAsync **out)
{
	if (self->inner != inner) {
		vdc_async_unref(self->inner);
		self->inner = vdc_async_ref(inner);
	}
	self->number = number;
	*out = COM_AS(self, IVdsAsync);
}

void prv_async_drop(struct prv_async *self)
{
	if (self)
		com_release(&self->com);
}

HRESULT prv_async_new(struct prv *core, struct vdc_async *inner, uint32_t number, IVdsAsync **out)
{
	HRESULT hr;
	struct prv_async *self = prv_async_make(core, inner, &hr);

	*out = NULL;
	if (!self)
		return hr;
	prv_async_give(self, inner, number, out);
	return S_OK;
}
