/* SPDX-License-Identifier: Apache-2.0 */
#include "client/client_internal.h"

#include "base/utf16.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <vdsxerr.h>

#define TEXT_UNITS 1024

static _Thread_local WCHAR text[TEXT_UNITS];         /* of the loader */
static _Thread_local BOOL failed;                    /* the loader's latest call */
static _Thread_local WCHAR service_text[TEXT_UNITS]; /* copied from the service when asked for */

void client_begin(void)
{
	text[0] = 0;
}

HRESULT client_fail(HRESULT hr, const char *format, ...)
{
	char utf8[TEXT_UNITS];
	va_list ap;

	va_start(ap, format);
	vsnprintf(utf8, sizeof(utf8), format, ap);
	va_end(ap);
	utf16_from_utf8(utf8, (uint16_t *)text, TEXT_UNITS);
	return hr;
}

HRESULT client_end(HRESULT hr)
{
	failed = FAILED(hr);
	return hr;
}

const WCHAR *VdsxLastErrorText(void)
{
	if (failed)
		return text;
	utf16_from_utf8(client_service_text(), (uint16_t *)service_text, TEXT_UNITS);
	return service_text;
}
