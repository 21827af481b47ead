/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Birth, identity, references and death of objects.
 *
 * The count is one atomic number. Once it has reached zero it never rises again: AddRef demands
 * a reference to start from, and weak holders use com_addref_unless_zero. So destruction, which
 * follows the decrement to zero, runs exactly once and alone.
 */
#include "com/com_internal.h"

#include <stdlib.h>

void *com_object_make(const struct com_class *cls, const struct com_ifaces *ifaces, const GUID *id,
	const char *file, int line)
{
	struct com_object *com = com_calloc(1, cls->size);

	if (!com)
		return NULL;
	com->cls = cls;
	com->ifaces = ifaces ? ifaces : &cls->ifaces;
	com->file = file;
	com->line = line;
	if (id)
		com->id = *id;
	atomic_init(&com->refs, 1);
	for (size_t i = 0; i < com->ifaces->count; i++) {
		const struct com_iface *f = &com->ifaces->list[i];

		/* lpVtbl is the first and only member of every interface structure. */
		memcpy((char *)com + f->offset, &f->vtbl, sizeof(f->vtbl));
	}
	assert(com_identity(com));
	com_books_add(com);
	return com;
}

static void *face(struct com_object *com, REFIID riid)
{
	for (size_t i = 0; i < com->ifaces->count; i++)
		if (IsEqualIID(com->ifaces->list[i].iid, riid))
			return (char *)com + com->ifaces->list[i].offset;
	return NULL;
}

IUnknown *com_identity(struct com_object *com)
{
	return face(com, &IID_IUnknown);
}

/* The books of references want to know who called, not this file. */
static void ref(struct com_object *com, const void *caller)
{
	unsigned old = atomic_fetch_add_explicit(&com->refs, 1, memory_order_relaxed);

	assert(old > 0 && "a reference was taken to an object that is gone");
	(void)old;
	com_books_ref(com, 1, caller);
}

HRESULT com_query_by(struct com_object *com, REFIID riid, void **out, const void *caller)
{
	if (!out)
		return E_POINTER;
	*out = NULL;
	if (!riid)
		return E_INVALIDARG;
	*out = face(com, riid);
	if (!*out)
		return E_NOINTERFACE;
	ref(com, caller);
	return S_OK;
}

HRESULT com_query(struct com_object *com, REFIID riid, void **out)
{
	return com_query_by(com, riid, out, __builtin_return_address(0));
}

ULONG com_addref_by(struct com_object *com, const void *caller)
{
	ref(com, caller);
	return atomic_load_explicit(&com->refs, memory_order_relaxed);
}

ULONG com_addref(struct com_object *com)
{
	return com_addref_by(com, __builtin_return_address(0));
}

bool com_addref_unless_zero(struct com_object *com)
{
	unsigned old = atomic_load_explicit(&com->refs, memory_order_relaxed);

	do {
		if (!old)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&com->refs, &old, old + 1, memory_order_relaxed, memory_order_relaxed));
	com_books_ref(com, 1, __builtin_return_address(0));
	return true;
}

ULONG com_release_by(struct com_object *com, const void *caller)
{
	unsigned old;

	com_books_ref(com, -1, caller);
	old = atomic_fetch_sub_explicit(&com->refs, 1, memory_order_acq_rel);
	assert(old > 0 && "a reference was released twice");
	if (old > 1)
		return old - 1;
	com_registry_remove(com);
	if (com->cls->destroy)
		com->cls->destroy(com);
	com_books_remove(com);
	free(com);
	return 0;
}

ULONG com_release(struct com_object *com)
{
	return com_release_by(com, __builtin_return_address(0));
}
