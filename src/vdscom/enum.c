/* SPDX-License-Identifier: Apache-2.0 */
#include "vdscom/enum.h"

#include <stdlib.h>

/* The list, shared by an enumeration and its clones; constant once made. */
struct list_shared {
	atomic_uint refs;
	size_t count;
	IUnknown *objects[];
};

struct vdc_enum {
	struct com_object com;
	IUnknown IUnknown_iface;
	IEnumVdsObject IEnumVdsObject_iface;
	struct list_shared *list;
	pthread_mutex_t lock; /* guards next; only AddRef of elements is called while it is held */
	size_t next;
};

static void list_unref(struct list_shared *list)
{
	if (atomic_fetch_sub_explicit(&list->refs, 1, memory_order_acq_rel) > 1)
		return;
	for (size_t i = 0; i < list->count; i++)
		list->objects[i]->lpVtbl->Release(list->objects[i]);
	com_task_free(list);
}

COM_IDENTITY(vdc_enum)
COM_UNKNOWN(vdc_enum, IEnumVdsObject)

static HRESULT vdc_enum_make(struct list_shared *list, size_t next, IEnumVdsObject **out);

static HRESULT STDMETHODCALLTYPE vdc_enum_Next(
	IEnumVdsObject *iface, ULONG celt, IUnknown **objects, ULONG *fetched)
{
	struct vdc_enum *self = COM_IMPL(vdc_enum, IEnumVdsObject, iface);
	ULONG n = 0;

	COM_TRACE(self, "%u", celt);
	if (fetched)
		*fetched = 0;
	if (!objects || !fetched)
		return E_INVALIDARG;
	SCOPED_LOCK(&self->lock);
	while (n < celt && self->next < self->list->count) {
		objects[n] = self->list->objects[self->next++];
		objects[n]->lpVtbl->AddRef(objects[n]);
		n++;
	}
	*fetched = n;
	return n == celt ? S_OK : S_FALSE;
}

static HRESULT STDMETHODCALLTYPE vdc_enum_Skip(IEnumVdsObject *iface, ULONG celt)
{
	struct vdc_enum *self = COM_IMPL(vdc_enum, IEnumVdsObject, iface);
	size_t left;

	COM_TRACE(self, "%u", celt);
	SCOPED_LOCK(&self->lock);
	left = self->list->count - self->next;
	self->next += celt < left ? celt : left;
	return celt <= left ? S_OK : S_FALSE;
}

static HRESULT STDMETHODCALLTYPE vdc_enum_Reset(IEnumVdsObject *iface)
{
	struct vdc_enum *self = COM_IMPL(vdc_enum, IEnumVdsObject, iface);

	COM_TRACE(self);
	SCOPED_LOCK(&self->lock);
	self->next = 0;
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE vdc_enum_Clone(IEnumVdsObject *iface, IEnumVdsObject **out)
{
	struct vdc_enum *self = COM_IMPL(vdc_enum, IEnumVdsObject, iface);
	size_t next;

	COM_TRACE(self);
	if (!out)
		return E_INVALIDARG;
	pthread_mutex_lock(&self->lock);
	next = self->next;
	pthread_mutex_unlock(&self->lock);
	atomic_fetch_add_explicit(&self->list->refs, 1, memory_order_relaxed);
	return vdc_enum_make(self->list, next, out);
}

static const IEnumVdsObjectVtbl vdc_enum_IEnumVdsObject_vtbl = {
	COM_UNKNOWN_METHODS(vdc_enum, IEnumVdsObject),
	.Next = vdc_enum_Next,
	.Skip = vdc_enum_Skip,
	.Reset = vdc_enum_Reset,
	.Clone = vdc_enum_Clone,
};

static void vdc_enum_destroy(struct com_object *com)
{
	struct vdc_enum *self = container_of(com, struct vdc_enum, com);

	pthread_mutex_destroy(&self->lock);
	list_unref(self->list);
}

static const struct com_iface vdc_enum_ifaces[] = {
	COM_IFACE(vdc_enum, IUnknown),
	COM_IFACE(vdc_enum, IEnumVdsObject),
};

static const struct com_class vdc_enum_class = {
	"vdc_enum",
	sizeof(struct vdc_enum),
	COM_IFACES(vdc_enum_ifaces),
	vdc_enum_destroy,
};

/* Takes over one reference to the list, also when it fails. */
static HRESULT vdc_enum_make(struct list_shared *list, size_t next, IEnumVdsObject **out)
{
	struct vdc_enum *self = com_object_new(&vdc_enum_class, NULL);

	*out = NULL;
	if (!self) {
		list_unref(list);
		return E_OUTOFMEMORY;
	}
	pthread_mutex_init(&self->lock, NULL);
	self->list = list;
	self->next = next;
	*out = COM_AS(self, IEnumVdsObject);
	return S_OK;
}

HRESULT vdc_enum_take(IUnknown *const *objects, size_t count, IEnumVdsObject **out)
{
	struct list_shared *list = NULL;

	if (out)
		*out = NULL;
	if (out && count <= (SIZE_MAX - sizeof(*list)) / sizeof(objects[0]))
		list = com_task_alloc(sizeof(*list) + count * sizeof(objects[0]));
	if (!list) {
		for (size_t i = 0; i < count; i++)
			objects[i]->lpVtbl->Release(objects[i]);
		return out ? E_OUTOFMEMORY : E_INVALIDARG;
	}
	atomic_init(&list->refs, 1);
	list->count = count;
	if (count)
		memcpy(list->objects, objects, count * sizeof(objects[0]));
	return vdc_enum_make(list, 0, out);
}

HRESULT vdc_enum_new(IUnknown *const *objects, size_t count, IEnumVdsObject **out)
{
	for (size_t i = 0; i < count; i++)
		objects[i]->lpVtbl->AddRef(objects[i]);
	return vdc_enum_take(objects, count, out);
}
