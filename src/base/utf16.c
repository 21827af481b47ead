/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf16.h"

#include <stdlib.h>

#define REPLACEMENT 0xfffdu

size_t utf16_len(const uint16_t *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* Reads one code point and moves *p behind it; a bad sequence costs one byte. */
static uint32_t next_utf8(const char **p)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *s = (const unsigned char *)*p;
	unsigned n = s[0] < 0x80   ? 1
		     : s[0] < 0xc2 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf5 ? 4
				   : 0;
	uint32_t cp;

	if (n == 1) {
		*p += 1;
		return s[0];
	}
	cp = n ? s[0] & (0x7fu >> n) : 0;
	for (unsigned i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			n = 0;
			break;
		}
		cp = cp << 6 | (s[i] & 0x3f);
	}
	if (!n || cp < least[n] || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000)) {
		*p += 1;
		return REPLACEMENT;
	}
	*p += n;
	return cp;
}

size_t utf16_units_for(const char *utf8)
{
	size_t n = 0;

	while (*utf8)
		n += next_utf8(&utf8) >= 0x10000 ? 2 : 1;
	return n;
}

size_t utf16_from_utf8(const char *utf8, uint16_t *out, size_t cap)
{
	size_t n = 0;

	while (*utf8) {
		uint32_t cp = next_utf8(&utf8);
		size_t need = cp >= 0x10000 ? 2 : 1;

		if (n + need >= cap)
			break;
		if (need == 2) {
			out[n++] = (uint16_t)(0xd7c0 + (cp >> 10));
			out[n++] = (uint16_t)(0xdc00 + (cp & 0x3ff));
		} else {
			out[n++] = (uint16_t)cp;
		}
	}
	out[n] = 0;
	return n;
}

static uint32_t next_utf16(const uint16_t *s, size_t len, size_t *i)
{
	uint32_t u = s[(*i)++];

	if (u < 0xd800 || u >= 0xe000)
		return u;
	if (u < 0xdc00 && *i < len && s[*i] >= 0xdc00 && s[*i] < 0xe000)
		return 0x10000 + ((u - 0xd800) << 10) + (s[(*i)++] - 0xdc00u);
	return REPLACEMENT;
}

char *utf16_to_utf8_n(const uint16_t *s, size_t len)
{
	char *out = malloc(len * 3 + 1); /* a unit never needs more than three bytes */
	char *p = out;

	if (!out)
		return NULL;
	for (size_t i = 0; i < len;) {
		uint32_t cp = next_utf16(s, len, &i);

		if (cp < 0x80) {
			*p++ = (char)cp;
		} else if (cp < 0x800) {
			*p++ = (char)(0xc0 | cp >> 6);
			*p++ = (char)(0x80 | (cp & 0x3f));
		} else if (cp < 0x10000) {
			*p++ = (char)(0xe0 | cp >> 12);
			*p++ = (char)(0x80 | (cp >> 6 & 0x3f));
			*p++ = (char)(0x80 | (cp & 0x3f));
		} else {
			*p++ = (char)(0xf0 | cp >> 18);
			*p++ = (char)(0x80 | (cp >> 12 & 0x3f));
			*p++ = (char)(0x80 | (cp >> 6 & 0x3f));
			*p++ = (char)(0x80 | (cp & 0x3f));
		}
	}
	*p = '\0';
	return out;
}

char *utf16_to_utf8(const uint16_t *s)
{
	return utf16_to_utf8_n(s, utf16_len(s));
}
