/* SPDX-License-Identifier: Apache-2.0 */
/* From a machine's name to a service; the service is fake_service.c (argument: its file). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include <vds.h>
#include <vdsx.h>
#include <vdsxerr.h>

static const char *fake_library;

static IVdsServiceLoader *loader_new(void)
{
	void *out;

	assert_int_equal(
		CoCreateInstance(&CLSID_VdsLoader, NULL, CLSCTX_ALL, &IID_IVdsServiceLoader, &out),
		S_OK);
	return out;
}

static HRESULT load(const WCHAR *machine, IVdsService **out)
{
	IVdsServiceLoader *loader = loader_new();
	HRESULT hr = IVdsServiceLoader_LoadService(loader, (LPWSTR)machine, out);

	IVdsServiceLoader_Release(loader);
	return hr;
}

static HRESULT open_store(const WCHAR *path, ULONG flags, IVdsService **out)
{
	IVdsServiceLoader *loader = loader_new();
	HRESULT hr;
	void *x;

	assert_int_equal(
		IVdsServiceLoader_QueryInterface(loader, &IID_IVdsxServiceLoader, &x), S_OK);
	hr = IVdsxServiceLoader_OpenStore((IVdsxServiceLoader *)x, path, flags, out);
	IVdsxServiceLoader_Release((IVdsxServiceLoader *)x);
	IVdsServiceLoader_Release(loader);
	return hr;
}

/* ASCII only. */
static bool text_is(const WCHAR *text, const char *want)
{
	while (*want && *text == (WCHAR)*want)
		text++, want++;
	return *text == (WCHAR)*want;
}

static void expect_version(IVdsService *service, const char *want, ULONG flags)
{
	VDS_SERVICE_PROP prop;

	assert_int_equal(IVdsService_GetProperties(service, &prop), S_OK);
	assert_true(text_is(prop.pwszVersion, want));
	assert_int_equal(prop.ulFlags, flags);
	CoTaskMemFree(prop.pwszVersion);
}

/* First of all: the library is loaded once. */
static void a_library_that_is_none(void **state)
{
	IVdsService *service = (IVdsService *)state;

	setenv("VDS_SERVICE_LIBRARY", "/nonexistent/libvds-service.so", 1);
	assert_int_equal((unsigned)load(VDS_TEXT("store:/a"), &service), 0x8007007e);
	assert_null(service);
	assert_false(text_is(VdsxLastErrorText(), ""));
	setenv("VDS_SERVICE_LIBRARY", "libm.so.6", 1);
	assert_int_equal((unsigned)load(VDS_TEXT("store:/a"), &service), 0x8007007f);
	assert_false(text_is(VdsxLastErrorText(), ""));
	setenv("VDS_SERVICE_LIBRARY", fake_library, 1);
	assert_int_equal(load(VDS_TEXT("store:/a"), &service), S_OK);
	assert_true(text_is(VdsxLastErrorText(), ""));
	IVdsService_Release(service);
}

static void a_store_by_name(void **state)
{
	IVdsService *a, *b, *c;

	(void)state;
	assert_int_equal(load(VDS_TEXT("store:/a"), &a), S_OK);
	assert_int_equal(load(VDS_TEXT("STORE:/a"), &b), S_OK);
	assert_int_equal(load(VDS_TEXT("store:/b \u00e9"), &c), S_OK);
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	expect_version(a, "/a", 0);
	IVdsService_Release(a);
	IVdsService_Release(b);
	IVdsService_Release(c);
	assert_int_equal(load(VDS_TEXT("store:"), &a), E_INVALIDARG);
	assert_false(text_is(VdsxLastErrorText(), ""));
}

static void no_name_is_the_environments_store(void **state)
{
	static const WCHAR *const here[] = {
		NULL, VDS_TEXT(""), VDS_TEXT("."), VDS_TEXT("LocalHost")};
	IVdsService *service;

	(void)state;
	for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++) {
		setenv("VDS_STORE", "/env", 1);
		assert_int_equal(load(here[i], &service), S_OK);
		expect_version(service, "/env", 0);
		IVdsService_Release(service);
		setenv("VDS_STORE", "", 1);
		assert_int_equal((unsigned)load(here[i], &service), 0x80070426);
		assert_null(service);
		unsetenv("VDS_STORE");
		assert_int_equal((unsigned)load(here[i], &service), 0x80070426);
		assert_false(text_is(VdsxLastErrorText(), ""));
	}
}

static void this_machines_own_name(void **state)
{
	char host[256] = "";
	WCHAR wide[256];
	IVdsService *service;

	(void)state;
	gethostname(host, sizeof(host) - 1);
	for (size_t i = 0; i <= strlen(host); i++)
		wide[i] = (WCHAR)host[i];
	setenv("VDS_STORE", "/env", 1);
	assert_int_equal(load(wide, &service), S_OK);
	IVdsService_Release(service);
	unsetenv("VDS_STORE");
}

static void another_machine(void **state)
{
	IVdsService *service = (IVdsService *)state;

	setenv("VDS_STORE", "/env", 1); /* says nothing about others */
	assert_int_equal((unsigned)load(VDS_TEXT("far.example"), &service), 0x800706ba);
	assert_null(service);
	assert_true(text_is(VdsxLastErrorText(),
		"No VDS service answers on the machine far.example. Stores on this one are named "
		"store:/path."));
	unsetenv("VDS_STORE");
}

static void the_sentence_reaches_the_program(void **state)
{
	IVdsService *service = (IVdsService *)state;

	assert_int_equal((unsigned)load(VDS_TEXT("store:/busy"), &service), 0x80070020);
	assert_null(service);
	assert_true(text_is(VdsxLastErrorText(), "The store /busy is in use by process 123."));
	assert_int_equal(load(VDS_TEXT("store:/silent"), &service), E_FAIL);
	assert_true(text_is(VdsxLastErrorText(), ""));
	assert_int_equal(load(VDS_TEXT("store:/busy"), &service), HRESULT_FROM_WIN32(32));
	assert_int_equal(load(VDS_TEXT("store:/a"), &service), S_OK);
	assert_true(text_is(VdsxLastErrorText(), "")); /* of the latest call */
	IVdsService_Release(service);
	assert_int_equal(load(VDS_TEXT("store:/liar"), &service), E_UNEXPECTED);
}

static void a_services_own_sentences_reach_it_too(void **state)
{
	IVdsService *service, *none;

	(void)state;
	assert_int_equal(load(VDS_TEXT("store:/a"), &service), S_OK);
	assert_int_equal(IVdsService_GetProperties(service, NULL), E_INVALIDARG);
	assert_true(text_is(VdsxLastErrorText(), "There is no place for the properties."));
	assert_int_equal((unsigned)load(VDS_TEXT("far.example"), &none), 0x800706ba);
	assert_false(text_is(VdsxLastErrorText(), "There is no place for the properties."));
	assert_int_equal(load(VDS_TEXT("store:/a"), &none), S_OK);
	IVdsService_Release(none);
	assert_true(text_is(VdsxLastErrorText(), ""));
	assert_int_equal(IVdsService_GetProperties(service, NULL), E_INVALIDARG);
	assert_int_equal(load(VDS_TEXT("store:/silent"), &none), E_FAIL);
	assert_true(text_is(VdsxLastErrorText(), ""));
	assert_int_equal(open_store(NULL, 0, &none), E_INVALIDARG);
	assert_true(text_is(VdsxLastErrorText(), ""));
	expect_version(service, "/a", 0);
	load(VDS_TEXT("store:/a"), &none);
	IVdsService_Release(none);
	assert_int_equal(IVdsService_GetProperties(service, NULL), E_INVALIDARG);
	expect_version(service, "/a", 0);
	assert_true(text_is(VdsxLastErrorText(), ""));
	IVdsService_Release(service);
}

static void *other_thread(void *arg)
{
	IVdsService *service;

	assert_true(text_is(VdsxLastErrorText(), ""));
	assert_int_equal((unsigned)load(VDS_TEXT("far.example"), &service), 0x800706ba);
	return arg;
}

static void each_thread_has_its_sentence(void **state)
{
	IVdsService *service;
	pthread_t thread;

	(void)state;
	load(VDS_TEXT("store:/busy"), &service);
	pthread_create(&thread, NULL, other_thread, NULL);
	pthread_join(thread, NULL);
	assert_true(text_is(VdsxLastErrorText(), "The store /busy is in use by process 123."));
}

static void open_store_takes_flags(void **state)
{
	IVdsService *service = (IVdsService *)state;

	assert_int_equal((unsigned)open_store(VDS_TEXT("/missing"), 0, &service), 0x80070002);
	assert_null(service);
	assert_int_equal(open_store(VDS_TEXT("/missing"),
				 VDSX_OPEN_CREATE | VDSX_OPEN_HOLD_RECOVERY, &service),
		S_OK);
	expect_version(service, "/missing", VDSX_OPEN_CREATE | VDSX_OPEN_HOLD_RECOVERY);
	IVdsService_Release(service);
	service = (IVdsService *)state;
	assert_int_equal(open_store(VDS_TEXT("/a"), 0x80, &service), E_INVALIDARG);
	assert_null(service);
	assert_int_equal(open_store(NULL, 0, &service), E_INVALIDARG);
	assert_int_equal(open_store(VDS_TEXT(""), 0, &service), E_INVALIDARG);
	assert_int_equal(open_store(VDS_TEXT("/a"), 0, NULL), E_INVALIDARG);
	assert_int_equal(load(VDS_TEXT("store:/a"), NULL), E_INVALIDARG);
}

static void the_service_class_can_be_made_directly(void **state)
{
	void *out = state;

	assert_int_equal((unsigned)CoCreateInstance(
				 &CLSID_VdsService, NULL, CLSCTX_ALL, &IID_IVdsService, &out),
		0x80070426);
	assert_null(out);
	setenv("VDS_STORE", "/env", 1);
	assert_int_equal(
		CoCreateInstance(&CLSID_VdsService, NULL, CLSCTX_ALL, &IID_IVdsService, &out),
		S_OK);
	expect_version(out, "/env", 0);
	IVdsService_Release((IVdsService *)out);
	assert_int_equal(CoCreateInstance(&CLSID_VdsService, NULL, CLSCTX_ALL, &IID_IVdsLun, &out),
		E_NOINTERFACE);
	unsetenv("VDS_STORE");
}

static int setup(void **state)
{
	(void)state;
	unsetenv("VDS_STORE");
	return CoInitializeEx(NULL, COINIT_MULTITHREADED) == S_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	CoUninitialize();
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_library_that_is_none),
		cmocka_unit_test(a_store_by_name),
		cmocka_unit_test(no_name_is_the_environments_store),
		cmocka_unit_test(this_machines_own_name),
		cmocka_unit_test(another_machine),
		cmocka_unit_test(the_sentence_reaches_the_program),
		cmocka_unit_test(a_services_own_sentences_reach_it_too),
		cmocka_unit_test(each_thread_has_its_sentence),
		cmocka_unit_test(open_store_takes_flags),
		cmocka_unit_test(the_service_class_can_be_made_directly),
	};

	if (argc != 2)
		return 2;
	fake_library = argv[1];
	return cmocka_run_group_tests_name("client loader", tests, setup, teardown);
}
