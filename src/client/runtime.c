/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of the component model that applications call. There are no apartments: once any
 * thread has initialised the library, every thread may use it, as with Windows' multithreaded
 * apartment.
 */
#include "client/client_internal.h"

#include "base/rng.h"
#include "com/com.h"

static atomic_int initialised; /* calls not undone, of all threads */
static _Thread_local unsigned initialised_here;

HRESULT CoInitializeEx(LPVOID pvReserved, DWORD dwCoInit)
{
	const DWORD known =
		COINIT_APARTMENTTHREADED | COINIT_DISABLE_OLE1DDE | COINIT_SPEED_OVER_MEMORY;

	if (pvReserved || (dwCoInit & ~known))
		return E_INVALIDARG;
	atomic_fetch_add(&initialised, 1);
	return initialised_here++ ? S_FALSE : S_OK;
}

HRESULT CoInitialize(LPVOID pvReserved)
{
	return CoInitializeEx(pvReserved, COINIT_APARTMENTTHREADED);
}

void CoUninitialize(void)
{
	if (!initialised_here)
		return;
	initialised_here--;
	atomic_fetch_sub(&initialised, 1);
}

BOOL client_initialised(void)
{
	return atomic_load(&initialised) > 0;
}

static HRESULT create(REFCLSID clsid, IUnknown *outer, DWORD context, REFIID riid, void **out)
{
	IVdsService *service;
	HRESULT hr;

	if (!clsid || !riid || !(context & CLSCTX_ALL))
		return E_INVALIDARG;
	if (!client_initialised())
		return client_fail(CO_E_NOTINITIALIZED,
			"CoInitializeEx must be called before CoCreateInstance.");
	if (outer)
		return CLASS_E_NOAGGREGATION;
	if (IsEqualCLSID(clsid, &CLSID_VdsLoader))
		return client_loader_new(riid, out);
	if (!IsEqualCLSID(clsid, &CLSID_VdsService))
		return REGDB_E_CLASSNOTREG;
	hr = client_load(NULL, &service);
	if (FAILED(hr))
		return hr;
	hr = service->lpVtbl->QueryInterface(service, riid, out);
	service->lpVtbl->Release(service);
	return hr;
}

HRESULT CoCreateInstance(
	REFCLSID rclsid, IUnknown *pUnkOuter, DWORD dwClsContext, REFIID riid, LPVOID *ppv)
{
	client_begin();
	if (!ppv)
		return client_end(E_POINTER);
	*ppv = NULL;
	return client_end(create(rclsid, pUnkOuter, dwClsContext, riid, ppv));
}

LPVOID CoTaskMemAlloc(SIZE_T cb)
{
	return com_task_alloc(cb);
}

LPVOID CoTaskMemRealloc(LPVOID pv, SIZE_T cb)
{
	if (pv && !cb) {
		com_task_free(pv);
		return NULL;
	}
	return com_task_realloc(pv, cb);
}

void CoTaskMemFree(LPVOID pv)
{
	com_task_free(pv);
}

/* "{xxxxxxxx-…}" and nothing else; no text at all is the zero identity. */
static bool parse(const WCHAR *text, GUID *out)
{
	char ascii[GUID_TEXT_SIZE];
	struct guid g;
	size_t i;

	memset(out, 0, sizeof(*out));
	if (!text)
		return true;
	for (i = 0; i < sizeof(ascii) && text[i]; i++) {
		if (text[i] > 0x7e || i == sizeof(ascii) - 1)
			return false;
		ascii[i] = (char)text[i];
	}
	ascii[i] = 0;
	if (ascii[0] != '{' || !guid_parse(ascii, &g))
		return false;
	*out = com_guid_from(&g);
	return true;
}

HRESULT CLSIDFromString(LPCOLESTR lpsz, CLSID *pclsid)
{
	if (!pclsid)
		return E_INVALIDARG;
	return parse(lpsz, pclsid) ? S_OK : CLIENT_E_CLASSSTRING;
}

HRESULT IIDFromString(LPCOLESTR lpsz, IID *piid)
{
	if (!piid)
		return E_INVALIDARG;
	return parse(lpsz, piid) ? S_OK : E_INVALIDARG;
}

INT StringFromGUID2(REFGUID rguid, LPOLESTR lpsz, INT cchMax)
{
	char text[GUID_TEXT_SIZE];
	struct guid g;

	if (!rguid || !lpsz || cchMax < GUID_TEXT_SIZE)
		return 0;
	g = com_guid_to(rguid);
	guid_format(&g, text);
	for (int i = 0; i < GUID_TEXT_SIZE; i++)
		lpsz[i] = (WCHAR)(text[i] >= 'a' && text[i] <= 'f' ? text[i] - 'a' + 'A' : text[i]);
	return GUID_TEXT_SIZE;
}

HRESULT StringFromCLSID(REFCLSID rclsid, LPOLESTR *lplpsz)
{
	if (!rclsid || !lplpsz)
		return E_INVALIDARG;
	*lplpsz = com_task_alloc(GUID_TEXT_SIZE * sizeof(WCHAR));
	if (!*lplpsz)
		return E_OUTOFMEMORY;
	StringFromGUID2(rclsid, *lplpsz, GUID_TEXT_SIZE);
	return S_OK;
}

HRESULT CoCreateGuid(GUID *pguid)
{
	struct rng rng;
	struct guid g;
	int rc;

	if (!pguid)
		return E_INVALIDARG;
	rc = rng_seed_system(&rng);
	if (rc)
		return com_hr_from_errno(rc);
	guid_random(&rng, &g);
	*pguid = com_guid_from(&g);
	return S_OK;
}
