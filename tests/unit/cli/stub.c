/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of the library that the command line calls, for tests without a service. */
#include "vdsx.h"
#include "vdsxerr.h"

#include <stdlib.h>

LPVOID CoTaskMemAlloc(SIZE_T cb)
{
	return malloc(cb);
}

void CoTaskMemFree(LPVOID pv)
{
	free(pv);
}

HRESULT CoInitializeEx(LPVOID reserved, DWORD flags)
{
	(void)reserved;
	(void)flags;
	return S_OK;
}

void CoUninitialize(void)
{
}

HRESULT CoCreateInstance(REFCLSID clsid, IUnknown *outer, DWORD context, REFIID riid, LPVOID *out)
{
	(void)clsid;
	(void)outer;
	(void)context;
	(void)riid;
	*out = NULL;
	return REGDB_E_CLASSNOTREG;
}

const WCHAR *VdsxLastErrorText(void)
{
	static const WCHAR nothing[1];

	return nothing;
}
