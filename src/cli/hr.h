/* SPDX-License-Identifier: Apache-2.0 */
/* Result codes by name and in words: those of VDS and COM, and the system's (facility 7). */
#ifndef CLI_HR_H
#define CLI_HR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_HR_TEXT 80

/* "VDS_E_NOT_SUPPORTED", "ERROR_DISK_FULL"; NULL for a code without a name. */
const char *cli_hr_name(int32_t hr);
/* "VDS_E_NOT_SUPPORTED 0x80042400", or the number alone. Returns buf. */
const char *cli_hr_text(int32_t hr, char buf[static CLI_HR_TEXT]);
/* What the code means, a phrase. Returns buf. */
const char *cli_hr_meaning(int32_t hr, char *buf, size_t size);
/* A code by its name, or as a number (hexadecimal with 0x, or decimal). */
bool cli_hr_find(const char *text, int32_t *hr);

#endif
