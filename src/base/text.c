/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <string.h>

int text_copy(char *dst, size_t cap, const char *src)
{
	size_t len = strlen(src), n = len < cap ? len : cap - 1;

	if (n < len)
		while (n && ((unsigned char)src[n] & 0xc0) == 0x80)
			n--;
	memmove(dst, src, n);
	dst[n] = '\0';
	return n < len;
}
