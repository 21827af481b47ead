/* SPDX-License-Identifier: Apache-2.0 */
#include "client/client_internal.h"

#include "base/utf16.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <vdsxerr.h>

#define TEXT_UNITS 1024

static _Thread_local WCHAR text[TEXT_UNITS];

HRESULT client_fail(HRESULT hr, const char *format, ...)
{
	char utf8[TEXT_UNITS];
	va_list ap;

	text[0] = 0;
	if (!format)
		return hr;
	va_start(ap, format);
	vsnprintf(utf8, sizeof(utf8), format, ap);
	va_end(ap);
	utf16_from_utf8(utf8, (uint16_t *)text, TEXT_UNITS);
	return hr;
}

const WCHAR *VdsxLastErrorText(void)
{
	return text;
}
