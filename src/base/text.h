/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed-size text fields. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>

/* Copies as much of the UTF-8 text as fits, never half a character; always ends with NUL
 * (cap >= 1). Returns 0, or 1 when it was cut. */
int text_copy(char *dst, size_t cap, const char *src);

#endif
