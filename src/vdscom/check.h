/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every method does with its arguments before anything else (hardware.md 2.3): required
 * pointers, outputs emptied, enumerated values in range. Each macro returns E_INVALIDARG from
 * the calling method when its check fails.
 */
#ifndef VDSCOM_CHECK_H
#define VDSCOM_CHECK_H

#include "com/com.h"

#include <idl_tables.h>
#include <vds.h>

/* Empties one output if there is a place for it. */
#define VDC_EMPTY(p)                                                                               \
	do {                                                                                       \
		if (p)                                                                             \
			memset((p), 0, sizeof(*(p)));                                              \
	} while (0)

/* One to four required outputs: those given are emptied, also when another is missing. */
#define VDC_OUT(a)                                                                                 \
	do {                                                                                       \
		VDC_EMPTY(a);                                                                      \
		if (!(a))                                                                          \
			return E_INVALIDARG;                                                       \
	} while (0)
#define VDC_OUT2(a, b)                                                                             \
	do {                                                                                       \
		VDC_EMPTY(a);                                                                      \
		VDC_EMPTY(b);                                                                      \
		if (!(a) || !(b))                                                                  \
			return E_INVALIDARG;                                                       \
	} while (0)
#define VDC_OUT3(a, b, c)                                                                          \
	do {                                                                                       \
		VDC_EMPTY(a);                                                                      \
		VDC_EMPTY(b);                                                                      \
		VDC_EMPTY(c);                                                                      \
		if (!(a) || !(b) || !(c))                                                          \
			return E_INVALIDARG;                                                       \
	} while (0)
#define VDC_OUT4(a, b, c, d)                                                                       \
	do {                                                                                       \
		VDC_EMPTY(a);                                                                      \
		VDC_EMPTY(b);                                                                      \
		VDC_EMPTY(c);                                                                      \
		VDC_EMPTY(d);                                                                      \
		if (!(a) || !(b) || !(c) || !(d))                                                  \
			return E_INVALIDARG;                                                       \
	} while (0)

/* A condition on arguments: a required input, a count that fits. */
#define VDC_REQUIRE(condition)                                                                     \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return E_INVALIDARG;                                                       \
	} while (0)

/* A value of the enumeration (of flags: no bit without a name), by the generated table. */
#define VDC_ENUM(Enum, value) VDC_REQUIRE(idl_enum_valid(&idl_enum_##Enum, (ULONG)(value)))

/*
 * An array of count ids: NULL only when count is 0; no zero id; none twice. S_OK or E_INVALIDARG.
 * count is a LONG as in the interfaces: a negative one is refused.
 */
HRESULT vdc_check_ids(const VDS_OBJECT_ID *ids, LONG count);

/* Whether the table has this value and it is not the enumeration's "unknown" (0). */
bool vdc_enum_known(const struct idl_enum *e, ULONG value);

#endif
