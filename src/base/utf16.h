/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 <-> UTF-16. VDS strings are UTF-16; everything below the COM layer is UTF-8.
 * Input that is not well formed (stray surrogates, overlong or truncated sequences) is
 * never passed on: it reads as U+FFFD.
 */
#ifndef BASE_UTF16_H
#define BASE_UTF16_H

#include <stddef.h>
#include <stdint.h>

/* Units before the NUL. */
size_t utf16_len(const uint16_t *s);

/* Units needed for the UTF-8 text, without the NUL. */
size_t utf16_units_for(const char *utf8);

/* Converts at most cap - 1 units, always ends with NUL (cap >= 1); never splits a pair.
 * Returns the units written, without the NUL. */
size_t utf16_from_utf8(const char *utf8, uint16_t *out, size_t cap);

/* A malloc'd UTF-8 copy of the NUL-terminated text, or NULL when memory is short. */
char *utf16_to_utf8(const uint16_t *s);

/* The same for exactly len units. */
char *utf16_to_utf8_n(const uint16_t *s, size_t len);

#endif
