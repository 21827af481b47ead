/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unaligned little- and big-endian fields of on-disk and wire structures. The typed forms
 * (le32_t, be64_t, …) have alignment 1, so a struct of them has no padding.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdint.h>

typedef struct {
	uint8_t b[2];
} le16_t;
typedef struct {
	uint8_t b[2];
} be16_t;
typedef struct {
	uint8_t b[4];
} le32_t;
typedef struct {
	uint8_t b[4];
} be32_t;
typedef struct {
	uint8_t b[8];
} le64_t;
typedef struct {
	uint8_t b[8];
} be64_t;

static inline uint64_t bytes_get_le(const uint8_t *p, int n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

static inline uint64_t bytes_get_be(const uint8_t *p, int n)
{
	uint64_t v = 0;

	for (int i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static inline void bytes_put_le(uint8_t *p, int n, uint64_t v)
{
	for (int i = 0; i < n; i++, v >>= 8)
		p[i] = (uint8_t)v;
}

static inline void bytes_put_be(uint8_t *p, int n, uint64_t v)
{
	for (; n--; v >>= 8)
		p[n] = (uint8_t)v;
}

#define BYTES_ACCESSORS(endian, bits)                                                              \
	static inline uint##bits##_t endian##bits##_get(endian##bits##_t f)                        \
	{                                                                                          \
		return (uint##bits##_t)bytes_get_##endian(f.b, bits / 8);                          \
	}                                                                                          \
	static inline endian##bits##_t endian##bits(uint##bits##_t v)                              \
	{                                                                                          \
		endian##bits##_t f;                                                                \
		bytes_put_##endian(f.b, bits / 8, v);                                              \
		return f;                                                                          \
	}

BYTES_ACCESSORS(le, 16)
BYTES_ACCESSORS(le, 32)
BYTES_ACCESSORS(le, 64)
BYTES_ACCESSORS(be, 16)
BYTES_ACCESSORS(be, 32)
BYTES_ACCESSORS(be, 64)

#endif
