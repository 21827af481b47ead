/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walk over the leaves of a structure, driven by its table, serves copying and clearing.
 *
 * Every pointer member of the API is one of: a string, an interface, an array of things with a
 * count elsewhere in the structure, or a single structure. While a copy is made, a failed
 * allocation leaves a NULL pointer, which is what clearing passes over: so a failed copy is undone
 * by clearing it. Structures are not trusted to be consistent: an array without elements is freed,
 * not walked.
 */
#include "vdscom/props.h"

static LONGLONG read_int(const void *p, size_t size, bool is_signed)
{
	switch (size) {
	case 1:
		return is_signed ? *(const signed char *)p : *(const unsigned char *)p;
	case 2: {
		uint16_t v;

		memcpy(&v, p, sizeof(v));
		return is_signed ? (int16_t)v : v;
	}
	case 4: {
		uint32_t v;

		memcpy(&v, p, sizeof(v));
		return is_signed ? (int32_t)v : (LONGLONG)v;
	}
	default: {
		int64_t v;

		memcpy(&v, p, sizeof(v));
		return v;
	}
	}
}

static LONGLONG field_int(const struct idl_struct *type, int index, const char *base)
{
	const struct idl_field *f = &type->fields[index];

	return read_int(base + f->offset, f->type.size, f->type.is_signed);
}

/* Leaves of dead arms share memory with the live one: they must not be touched. */
static bool is_live(const struct idl_struct *type, const struct idl_field *f, const char *base)
{
	LONGLONG arm;

	if (f->selector < 0)
		return true;
	if (!is_live(type, &type->fields[f->selector], base))
		return false;
	arm = field_int(type, f->selector, base);
	for (size_t i = 0; i < f->cases_count; i++)
		if ((ULONG)f->cases[i] == (ULONG)arm)
			return true;
	return false;
}

/* Elements behind a counted pointer (1 for a single one); nothing below 0 is believed. */
static size_t element_count(
	const struct idl_struct *type, const struct idl_field *f, const char *base)
{
	LONGLONG n;

	if (f->count < 0)
		return 1;
	n = field_int(type, f->count, base);
	return n > 0 ? (size_t)n : 0;
}

static size_t type_size(const struct idl_type *t)
{
	if (t->pointers || t->kind == IDL_KIND_STRING || t->kind == IDL_KIND_CSTRING)
		return sizeof(void *);
	return t->kind == IDL_KIND_STRUCT ? t->structure->size : t->size;
}

static void *load(const char *p)
{
	void *v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void store(char *p, const void *v)
{
	memcpy(p, &v, sizeof(v));
}

static bool is_string(const struct idl_type *t)
{
	return t->kind == IDL_KIND_STRING || t->kind == IDL_KIND_CSTRING;
}

/* What one star less points at. */
static struct idl_type pointee(const struct idl_type *t)
{
	struct idl_type inner = *t;

	inner.pointers--;
	return inner;
}

/* ---- clearing ----------------------------------------------------------------------------- */

static void clear_value(const struct idl_type *t, size_t count, char *p);

static void clear_pointer(const struct idl_type *t, size_t count, char *p)
{
	void *target = load(p);

	if (!target)
		return;
	if (t->kind == IDL_KIND_INTERFACE && t->pointers == 1) {
		IUnknown *unk = target;

		unk->lpVtbl->Release(unk);
	} else {
		if (t->pointers) {
			struct idl_type inner = pointee(t);
			size_t size = type_size(&inner);

			for (size_t i = 0; size && i < count; i++)
				clear_value(&inner, 1, (char *)target + i * size);
		}
		com_task_free(target);
	}
	store(p, NULL);
}

static void clear_value(const struct idl_type *t, size_t count, char *p)
{
	if (t->pointers || is_string(t))
		clear_pointer(t, count, p);
	else if (t->kind == IDL_KIND_STRUCT)
		vdc_struct_clear(t->structure, p);
}

void vdc_struct_clear(const struct idl_struct *type, void *p)
{
	char *base = p;

	if (!p)
		return;
	/* Counts and discriminants stay in place until everything that depends on them is gone. */
	for (size_t i = 0; i < type->count; i++) {
		const struct idl_field *f = &type->fields[i];
		size_t bound = f->bound ? f->bound : 1, size = type_size(&f->type);

		if (!is_live(type, f, base))
			continue;
		for (size_t j = 0; j < bound; j++) {
			char *at = base + f->offset + j * size;

			if (f->type.pointers || is_string(&f->type))
				clear_pointer(&f->type, element_count(type, f, base), at);
			else if (f->type.kind == IDL_KIND_STRUCT)
				vdc_struct_clear(f->type.structure, at);
		}
	}
	memset(p, 0, type->size);
}

void vdc_array_free(const struct idl_struct *type, void *array, size_t count)
{
	for (size_t i = 0; array && i < count; i++)
		vdc_struct_clear(type, (char *)array + i * type->size);
	com_task_free(array);
}

/* ---- copying ------------------------------------------------------------------------------ */

static HRESULT copy_fields(const struct idl_struct *type, char *dst, const char *src);

/* *dst (zero so far) becomes a copy of one value. */
static HRESULT copy_value(const struct idl_type *t, size_t count, char *dst, const char *src);

static HRESULT copy_elements(const struct idl_type *t, size_t count, char *dst, const void *from)
{
	struct idl_type inner = pointee(t);
	size_t size = type_size(&inner);
	char *to = com_task_calloc(count, size);
	HRESULT hr = S_OK;

	if (!to)
		return E_OUTOFMEMORY;
	store(dst, to);
	for (size_t i = 0; i < count && SUCCEEDED(hr); i++)
		hr = copy_value(&inner, 1, to + i * size, (const char *)from + i * size);
	return hr;
}

static HRESULT copy_value(const struct idl_type *t, size_t count, char *dst, const char *src)
{
	void *from;

	if (!t->pointers && !is_string(t)) {
		if (t->kind == IDL_KIND_STRUCT)
			return copy_fields(t->structure, dst, src);
		memcpy(dst, src, t->size);
		return S_OK;
	}
	from = load(src);
	if (!from)
		return S_OK;
	if (t->pointers && !(t->kind == IDL_KIND_INTERFACE && t->pointers == 1))
		return copy_elements(t, count, dst, from);
	if (t->kind == IDL_KIND_INTERFACE) {
		IUnknown *unk = from;

		unk->lpVtbl->AddRef(unk);
		store(dst, from);
		return S_OK;
	}
	if (t->kind == IDL_KIND_STRING) {
		from = com_strdup_wide(from);
	} else {
		size_t size = strlen(from) + 1;
		void *copy = com_task_alloc(size);

		from = copy ? memcpy(copy, from, size) : NULL;
	}
	store(dst, from);
	return from ? S_OK : E_OUTOFMEMORY;
}

static HRESULT copy_fields(const struct idl_struct *type, char *dst, const char *src)
{
	HRESULT hr = S_OK;

	/* Numbers first: they say how much of the rest there is, also when the copy is cleared. */
	for (int pointers = 0; pointers < 2; pointers++) {
		for (size_t i = 0; i < type->count && SUCCEEDED(hr); i++) {
			const struct idl_field *f = &type->fields[i];
			size_t bound = f->bound ? f->bound : 1, size = type_size(&f->type);
			bool number = !f->type.pointers && !is_string(&f->type) &&
				      f->type.kind != IDL_KIND_STRUCT;

			if (number == (pointers == 1) || !is_live(type, f, src))
				continue;
			for (size_t j = 0; j < bound && SUCCEEDED(hr); j++)
				hr = copy_value(&f->type, element_count(type, f, src),
					dst + f->offset + j * size, src + f->offset + j * size);
		}
	}
	return hr;
}

HRESULT vdc_struct_copy(const struct idl_struct *type, void *dst, const void *src)
{
	HRESULT hr;

	memset(dst, 0, type->size);
	hr = copy_fields(type, dst, src);
	if (FAILED(hr))
		vdc_struct_clear(type, dst);
	return hr;
}
