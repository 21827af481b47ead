/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IEnumVdsObject over a list fixed at creation (hardware.md 12.2). Thread-safe; clones share
 * the list.
 */
#ifndef VDSCOM_ENUM_H
#define VDSCOM_ENUM_H

#include "com/com.h"

#include <vds.h>

/*
 * An enumeration of count objects, in this order; count 0 is fine. Elements are their identity
 * pointers (IUnknown got by QueryInterface or com_identity). _new takes references of its own.
 * _take takes over the caller's references, also when it fails; the array stays the caller's.
 * S_OK, E_INVALIDARG without out, or E_OUTOFMEMORY; *out is NULL on failure.
 */
HRESULT vdc_enum_new(IUnknown *const *objects, size_t count, IEnumVdsObject **out);
HRESULT vdc_enum_take(IUnknown *const *objects, size_t count, IEnumVdsObject **out);

#endif
