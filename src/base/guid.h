/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 16-byte identities below the COM layer. Bytes stand in RFC 4122 (network) order, the
 * order in which the text form reads; com/ converts to and from the GUID structure.
 */
#ifndef BASE_GUID_H
#define BASE_GUID_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct guid {
	uint8_t b[16];
};

#define GUID_TEXT_SIZE 39 /* "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}" and NUL */

struct rng;

static inline bool guid_equal(const struct guid *a, const struct guid *b)
{
	return !memcmp(a->b, b->b, sizeof(a->b));
}

static inline bool guid_is_zero(const struct guid *g)
{
	static const struct guid zero;

	return guid_equal(g, &zero);
}

/* Lower case, in braces. Returns buf. */
const char *guid_format(const struct guid *g, char buf[static GUID_TEXT_SIZE]);

/* Accepts both cases, with or without braces; nothing may follow. */
bool guid_parse(const char *text, struct guid *out);

/* A random (version 4) identity from rng. */
void guid_random(struct rng *rng, struct guid *out);

/* 16 given bytes with the version (1..8) and RFC 4122 variant bits set. */
void guid_stamp(struct guid *g, unsigned version);

#endif
