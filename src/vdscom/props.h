/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deep copies of VDS structures, and their end. They follow the generated tables, so every
 * structure of the API is covered: strings, arrays with their counts, nested structures, the
 * live arm of unions, interface pointers (which are given a reference).
 */
#ifndef VDSCOM_PROPS_H
#define VDSCOM_PROPS_H

#include "com/com.h"

#include <idl_tables.h>

/*
 * *dst becomes a copy of *src that shares nothing with it; what was in *dst is overwritten. Padding
 * and dead arms of unions are zero, so copies of equal structures are equal byte for byte unless
 * they hold pointers. S_OK or E_OUTOFMEMORY; then *dst is all zero and nothing is left allocated.
 */
HRESULT vdc_struct_copy(const struct idl_struct *type, void *dst, const void *src);

/* Frees what the structure points to, releases its interfaces, and zeroes it. */
void vdc_struct_clear(const struct idl_struct *type, void *p);

/* The same for an array in task memory, which is freed as well. NULL is allowed. */
void vdc_array_free(const struct idl_struct *type, void *array, size_t count);

/* By the structure's name: vdc_clear(VDS_DRIVE_PROP, &prop). */
#define vdc_copy(Type, dst, src)                                                                   \
	vdc_struct_copy(                                                                           \
		&idl_struct_##Type, (1 ? (dst) : (Type *)NULL), (1 ? (src) : (const Type *)NULL))
#define vdc_clear(Type, p) vdc_struct_clear(&idl_struct_##Type, (1 ? (p) : (Type *)NULL))
#define vdc_free_array(Type, p, count)                                                             \
	vdc_array_free(&idl_struct_##Type, (1 ? (p) : (Type *)NULL), (count))

#endif
