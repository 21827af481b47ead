/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guid.h"
#include "base/rng.h"

#include <stdio.h>

static const int hyphen_before[16] = {[4] = 1, [6] = 1, [8] = 1, [10] = 1};

const char *guid_format(const struct guid *g, char buf[static GUID_TEXT_SIZE])
{
	char *p = buf;

	*p++ = '{';
	for (int i = 0; i < 16; i++) {
		if (hyphen_before[i])
			*p++ = '-';
		*p++ = "0123456789abcdef"[g->b[i] >> 4];
		*p++ = "0123456789abcdef"[g->b[i] & 15];
	}
	*p++ = '}';
	*p = '\0';
	return buf;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool guid_parse(const char *text, struct guid *out)
{
	bool braces = *text == '{';
	struct guid g;

	if (braces)
		text++;
	for (int i = 0; i < 16; i++) {
		int hi, lo;

		if (hyphen_before[i] && *text++ != '-')
			return false;
		hi = hex_digit(text[0]);
		lo = hi < 0 ? -1 : hex_digit(text[1]);
		if (lo < 0)
			return false;
		g.b[i] = (uint8_t)(hi << 4 | lo);
		text += 2;
	}
	if (braces && *text++ != '}')
		return false;
	if (*text)
		return false;
	*out = g;
	return true;
}

void guid_stamp(struct guid *g, unsigned version)
{
	g->b[6] = (uint8_t)((g->b[6] & 0x0f) | version << 4);
	g->b[8] = (uint8_t)((g->b[8] & 0x3f) | 0x80);
}

void guid_random(struct rng *rng, struct guid *out)
{
	rng_bytes(rng, out->b, sizeof(out->b));
	guid_stamp(out, 4);
}
