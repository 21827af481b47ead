/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a LUN says of itself to a host: standard INQUIRY, serial number (80h) and device
 * identification (83h), as VDS_LUN_INFORMATION. Everything follows from the LUN's id alone, so it
 * is the same after restart, extension, renaming, masking and on another machine.
 */
#ifndef PROVIDER_HW_HWP_IDENTITY_H
#define PROVIDER_HW_HWP_IDENTITY_H

#include "base/guid.h"

#include <stdbool.h>
#include <vdslun.h>

#define HWP_VENDOR   "LINUXVDS" /* 8 characters */
#define HWP_PRODUCT  "Array LUN"
#define HWP_REVISION "0001"

/* The serial number: 32 lower-case hexadecimal digits of the id. */
void hwp_identity_serial(const struct guid *lun, char out[static 33]);

/* The binary NAA designator: 3 (locally assigned) and 60 bits of SHA-256 of the id. */
void hwp_identity_naa(const struct guid *lun, uint8_t out[static 8]);

/* Fills *out with task memory; the signature is as given. False: memory is short, *out is zero. */
bool hwp_identity_fill(const struct guid *lun, const GUID *signature, VDS_LUN_INFORMATION *out);

/* Does this information, found on a host, name the LUN? By any globally unique designator, or by
 * vendor, product and serial number. */
bool hwp_identity_matches(const struct guid *lun, const VDS_LUN_INFORMATION *info);

/* The signature of a LUN from its first sector and, for GPT, the header sector after it. */
GUID hwp_identity_signature(const uint8_t *sector0, const uint8_t *sector1);

#endif
