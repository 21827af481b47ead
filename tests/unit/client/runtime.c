/* SPDX-License-Identifier: Apache-2.0 */
/* The component model's functions as libvds exports them; seen as an application sees them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <vds.h>
#include <vdsxerr.h>

static void create_wants_initialisation(void **state)
{
	void *out = state;

	assert_int_equal(
		CoCreateInstance(&CLSID_VdsLoader, NULL, CLSCTX_ALL, &IID_IVdsServiceLoader, &out),
		CO_E_NOTINITIALIZED);
	assert_int_equal((unsigned)CO_E_NOTINITIALIZED, 0x800401f0);
	assert_null(out);
	assert_int_not_equal(VdsxLastErrorText()[0], 0);
	assert_int_equal(CoInitializeEx(NULL, COINIT_MULTITHREADED), S_OK);
	assert_int_equal(
		CoCreateInstance(&CLSID_VdsLoader, NULL, CLSCTX_ALL, &IID_IVdsServiceLoader, &out),
		S_OK);
	assert_int_equal(VdsxLastErrorText()[0], 0);
	IUnknown_Release((IUnknown *)out);
	CoUninitialize();
	assert_int_equal(CoCreateInstance(&CLSID_VdsLoader, NULL, CLSCTX_ALL, &IID_IUnknown, &out),
		CO_E_NOTINITIALIZED);
}

static void *other_thread(void *arg)
{
	void *out;

	(void)arg;
	/* Initialised by another thread: that is enough. */
	assert_int_equal(
		CoCreateInstance(&CLSID_VdsLoader, NULL, CLSCTX_ALL, &IID_IUnknown, &out), S_OK);
	IUnknown_Release((IUnknown *)out);
	CoUninitialize(); /* nothing to undo here */
	assert_int_equal(CoInitializeEx(NULL, COINIT_APARTMENTTHREADED), S_OK);
	CoUninitialize();
	return NULL;
}

static void initialisation_is_counted(void **state)
{
	pthread_t thread;
	void *out;

	(void)state;
	assert_int_equal(CoInitialize(NULL), S_OK);
	assert_int_equal(CoInitializeEx(NULL, COINIT_MULTITHREADED), S_FALSE);
	assert_int_equal(CoInitializeEx(&out, 0), E_INVALIDARG);
	assert_int_equal(CoInitializeEx(NULL, 0x1000), E_INVALIDARG);
	pthread_create(&thread, NULL, other_thread, NULL);
	pthread_join(thread, NULL);
	CoUninitialize();
	assert_int_equal(
		CoCreateInstance(&CLSID_VdsLoader, NULL, CLSCTX_ALL, &IID_IUnknown, &out), S_OK);
	IUnknown_Release((IUnknown *)out);
	CoUninitialize();
	CoUninitialize(); /* one too many */
	assert_int_equal(CoCreateInstance(&CLSID_VdsLoader, NULL, CLSCTX_ALL, &IID_IUnknown, &out),
		CO_E_NOTINITIALIZED);
}

static void create_arguments(void **state)
{
	IUnknown *unk, *outer;
	void *out = state;

	CoInitializeEx(NULL, COINIT_MULTITHREADED);
	assert_int_equal(CoCreateInstance(&CLSID_VdsLoader, NULL, CLSCTX_ALL, &IID_IUnknown, NULL),
		E_POINTER);
	assert_int_equal(
		CoCreateInstance(NULL, NULL, CLSCTX_ALL, &IID_IUnknown, &out), E_INVALIDARG);
	assert_int_equal(
		CoCreateInstance(&CLSID_VdsLoader, NULL, CLSCTX_ALL, NULL, &out), E_INVALIDARG);
	assert_int_equal(
		CoCreateInstance(&CLSID_VdsLoader, NULL, 0, &IID_IUnknown, &out), E_INVALIDARG);
	out = state;
	assert_int_equal(CoCreateInstance(&IID_IUnknown, NULL, CLSCTX_ALL, &IID_IUnknown, &out),
		REGDB_E_CLASSNOTREG);
	assert_null(out);
	assert_int_equal(CoCreateInstance(&CLSID_VdsLoader, NULL, CLSCTX_ALL, &IID_IVdsLun, &out),
		E_NOINTERFACE);
	assert_int_equal(
		CoCreateInstance(&CLSID_VdsLoader, NULL, CLSCTX_ALL, &IID_IUnknown, &out), S_OK);
	outer = unk = out;
	assert_int_equal(CoCreateInstance(&CLSID_VdsLoader, outer, CLSCTX_ALL, &IID_IUnknown, &out),
		CLASS_E_NOAGGREGATION);
	assert_null(out);
	assert_int_equal(IUnknown_Release(unk), 0);
	CoUninitialize();
}

static void task_memory(void **state)
{
	char *p = CoTaskMemAlloc(4);

	(void)state;
	memcpy(p, "abc", 4);
	p = CoTaskMemRealloc(p, 100000);
	assert_string_equal(p, "abc");
	assert_null(CoTaskMemRealloc(p, 0));
	p = CoTaskMemRealloc(NULL, 10);
	assert_non_null(p);
	CoTaskMemFree(p);
	CoTaskMemFree(NULL);
}

#define LOADER_TEXT "{9C38ED61-D565-4728-AEEE-C80952F0ECDE}"

static void identities_as_text(void **state)
{
	static const WCHAR text[] = VDS_TEXT(LOADER_TEXT);
	WCHAR buf[39], *own;
	GUID g, h;

	(void)state;
	assert_int_equal(StringFromGUID2(&CLSID_VdsLoader, buf, 39), 39);
	assert_memory_equal(buf, text, sizeof(text));
	assert_int_equal(StringFromGUID2(&CLSID_VdsLoader, buf, 38), 0);
	assert_int_equal(CLSIDFromString(text, &g), S_OK);
	assert_memory_equal(&g, &CLSID_VdsLoader, sizeof(g));
	assert_int_equal(
		IIDFromString(VDS_TEXT("{0818a8ef-9ba9-40d8-a6f9-e22833cc771e}"), &g), S_OK);
	assert_memory_equal(&g, &IID_IVdsService, sizeof(g));
	assert_int_equal(CLSIDFromString(NULL, &g), S_OK);
	memset(&h, 0, sizeof(h));
	assert_memory_equal(&g, &h, sizeof(g));
	assert_int_equal(StringFromCLSID(&CLSID_VdsLoader, &own), S_OK);
	assert_memory_equal(own, text, sizeof(text));
	CoTaskMemFree(own);
	assert_int_equal(CoCreateGuid(&g), S_OK);
	assert_int_equal(CoCreateGuid(&h), S_OK);
	assert_memory_not_equal(&g, &h, sizeof(g));
	assert_int_equal(g.Data3 >> 12, 4);
}

static void text_that_is_no_identity(void **state)
{
	static const WCHAR *const bad[] = {
		VDS_TEXT(""),
		VDS_TEXT("{"),
		VDS_TEXT("9C38ED61-D565-4728-AEEE-C80952F0ECDE"),
		VDS_TEXT("{9C38ED61-D565-4728-AEEE-C80952F0ECDE"),
		VDS_TEXT("{9C38ED61-D565-4728-AEEE-C80952F0ECDE} "),
		VDS_TEXT("{9C38ED61-D565-4728-AEEE-C80952F0ECDG}"),
		VDS_TEXT("{9C38ED61D565-4728-AEEE-C80952F0ECDE-}"),
		VDS_TEXT("{9C38ED61-D565-4728-AEEE-C80952F0ECDE}{9C38ED61-D565-4728-AEEE}"),
		VDS_TEXT("{9C38ED61-D565-4728-AEEE-C80952F0EC\u0130E}"),
	};
	GUID g;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal((unsigned)CLSIDFromString(bad[i], &g), 0x800401f3);
		assert_int_equal(IIDFromString(bad[i], &g), E_INVALIDARG);
	}
	assert_int_equal(CLSIDFromString(bad[0], NULL), E_INVALIDARG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_wants_initialisation),
		cmocka_unit_test(initialisation_is_counted),
		cmocka_unit_test(create_arguments),
		cmocka_unit_test(task_memory),
		cmocka_unit_test(identities_as_text),
		cmocka_unit_test(text_that_is_no_identity),
	};

	return cmocka_run_group_tests_name("client runtime", tests, NULL, NULL);
}
