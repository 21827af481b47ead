/* SPDX-License-Identifier: Apache-2.0 */
/* Names: from the wide strings of clients to what the array keeps, and property strings back. */
#ifndef PROVIDER_HW_HWP_TEXT_H
#define PROVIDER_HW_HWP_TEXT_H

#include "com/com.h"

#include <stdbool.h>

#define HWP_NAME_UNITS 63 /* the longest friendly name, in UTF-16 units */

/* A friendly name as UTF-8 (malloc'd), cut at HWP_NAME_UNITS without splitting a pair; *cut tells.
 * NULL when memory is short. */
char *hwp_name_take(const WCHAR *name, bool *cut);

/* A string of a property structure: task memory, wide. False when memory is short. */
bool hwp_set_text(WCHAR **out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
