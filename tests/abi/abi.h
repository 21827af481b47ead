/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the generated checks call. Each counts one check and prints what differs; the program
 * fails at its end, so that one run shows all differences.
 */
#ifndef TESTS_ABI_H
#define TESTS_ABI_H

#include "vds.h"
#include "vdsconst.h"
#include "vdshwprv.h"

#ifdef __cplusplus
extern "C" {
#endif

void abi_equal(const char *what, unsigned long long expected, unsigned long long actual);

/* Each returns 1 when the tables of idl_tables.h say the same, else 0. */
int abi_guid_is(const GUID *guid, const char *text);
int abi_guid_known(const char *text);
int abi_error_known(HRESULT hr, const char *symbol);
int abi_event_known(ULONG event, const char *symbol);
int abi_base(const char *iface, const char *base);
int abi_method(const char *iface, unsigned slot, const char *name, unsigned params);
int abi_param(const char *iface, unsigned slot, unsigned index, const char *name,
	const char *c_type, const char *attributes);
int abi_field(const char *structure, unsigned index, const char *path, unsigned offset,
	LONG selected_by, const char *counted_by);
unsigned abi_enum_count(const char *name);
unsigned abi_field_count(const char *name);

/* The generated parts. */
void abi_enums(void);
void abi_codes(void);
void abi_guids(void);
void abi_structs(void);
void abi_interfaces(void);
void abi_cross(void);

#ifdef __cplusplus
}
#endif

#endif
