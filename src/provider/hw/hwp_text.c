/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/hw/hwp_text.h"

#include "base/utf16.h"

#include <stdarg.h>
#include <stdio.h>

char *hwp_name_take(const WCHAR *name, bool *cut)
{
	const uint16_t *units = (const uint16_t *)(const void *)name;
	size_t len = utf16_len(units);

	*cut = len > HWP_NAME_UNITS;
	if (*cut) {
		len = HWP_NAME_UNITS;
		if ((units[len - 1] & 0xfc00) == 0xd800)
			len--; /* the first half of a pair */
	}
	return utf16_to_utf8_n(units, len);
}

bool hwp_set_text(WCHAR **out, const char *fmt, ...)
{
	char text[1200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	*out = com_strdup_utf8_to_wide(text);
	return *out != NULL;
}
