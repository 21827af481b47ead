/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a store, sharing it, letting it go. */
#include "kit.h"

static void a_missing_store_says_so(void **state)
{
	IVdsService *service = (void *)1;
	char message[300] = "";

	(void)state;
	assert_true(FAILED(vds_service_open(kit_dir, 0, &service, message, sizeof(message))));
	assert_null(service);
	assert_true(strlen(message) > 10);
	assert_hr(vds_service_open(NULL, 0, &service, message, sizeof(message)), E_INVALIDARG);
	assert_hr(vds_service_open(kit_dir, 0, NULL, NULL, 0), E_INVALIDARG);
}

static void one_folder_is_one_service(void **state)
{
	char other[300];
	IVdsService *a, *b;

	(void)state;
	a = kit_open(VDSX_OPEN_CREATE);
	b = kit_open(0);
	assert_ptr_equal(a, b);
	IVdsService_Release(b);
	snprintf(other, sizeof(other), "%s/../%s", kit_dir, strrchr(kit_dir, '/') + 1);
	assert_ok(vds_service_open(other, 0, &b, NULL, 0));
	assert_ptr_equal(a, b);
	IVdsService_Release(a);
	assert_ok(IVdsService_IsServiceReady(b)); /* the last reference ends it, not the first */
	IVdsService_Release(b);
	assert_int_equal(com_live_objects(NULL), 0);
	a = kit_open(0);
	IVdsService_Release(a);
}

/* A client that only kept an object of the array keeps the store open with it. */
static void any_object_holds_the_service(void **state)
{
	IVdsService *service = kit_open(VDSX_OPEN_CREATE), *again;
	IEnumVdsObject *list;
	IUnknown *unk;
	ULONG got;

	(void)state;
	assert_ok(IVdsService_QueryProviders(service, VDS_QUERY_HARDWARE_PROVIDERS, &list));
	assert_ok(IEnumVdsObject_Next(list, 1, &unk, &got));
	IEnumVdsObject_Release(list);
	IVdsService_Release(service);
	IVdsHwProvider *hw = kit_as(unk, &IID_IVdsHwProvider);
	IUnknown_Release(unk);
	assert_ok(IVdsHwProvider_QuerySubSystems(hw, &list));
	IEnumVdsObject_Release(list);
	again = kit_open(0);
	assert_ptr_equal(again, service);
	IVdsService_Release(again);
	IVdsHwProvider_Release(hw);
	assert_int_equal(com_live_objects(NULL), 0);
}

static void closed_is_deleted(void **state)
{
	IVdsService *service = kit_open(VDSX_OPEN_CREATE), *next;
	IVdsxService *x = kit_as(service, &IID_IVdsxService);
	IEnumVdsObject *list;
	IUnknown *unk;
	ULONG got;

	(void)state;
	assert_ok(IVdsService_QueryProviders(service, VDS_QUERY_HARDWARE_PROVIDERS, &list));
	assert_ok(IEnumVdsObject_Next(list, 1, &unk, &got));
	IEnumVdsObject_Release(list);
	IVdsHwProvider *hw = kit_as(unk, &IID_IVdsHwProvider);
	IUnknown_Release(unk);
	assert_ok(IVdsxService_Close(x));
	assert_ok(IVdsxService_Close(x)); /* again is fine */
	list = (void *)1;
	assert_hr(IVdsHwProvider_QuerySubSystems(hw, &list), VDS_E_OBJECT_DELETED);
	assert_null(list);
	assert_hr(IVdsHwProvider_Refresh(hw), VDS_E_OBJECT_DELETED);
	assert_hr(IVdsService_IsServiceReady(service), VDS_E_OBJECT_DELETED);
	assert_hr(IVdsService_Refresh(service), VDS_E_OBJECT_DELETED);
	assert_hr(IVdsService_WaitForServiceReady(service), VDS_E_OBJECT_DELETED);
	VDS_SERVICE_PROP prop;
	assert_hr(IVdsService_GetProperties(service, &prop), VDS_E_OBJECT_DELETED);
	next = kit_open(0); /* the lock is free */
	assert_ptr_not_equal(next, service);
	IVdsService_Release(next);
	IVdsHwProvider_Release(hw);
	IVdsxService_Release(x);
	IVdsService_Release(service);
	assert_int_equal(com_live_objects(NULL), 0);
}

static void without_memory_nothing_is_left(void **state)
{
	IVdsService *service = kit_open(VDSX_OPEN_CREATE);
	unsigned n;

	(void)state;
	IVdsService_Release(service);
	for (n = 1;; n++) {
		com_alloc_fail_after(n);
		HRESULT hr = vds_service_open(kit_dir, 0, &service, NULL, 0);
		if (SUCCEEDED(hr))
			IVdsService_WaitForServiceReady(service);
		bool struck = !com_alloc_fail_armed();
		com_alloc_fail_after(0);
		if (SUCCEEDED(hr))
			IVdsService_Release(service);
		else
			assert_hr(hr, E_OUTOFMEMORY);
		assert_int_equal(com_live_objects(NULL), 0);
		if (!struck)
			break;
	}
	assert_true(n > 3);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, kit_setup, kit_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_missing_store_says_so),
		TEST(one_folder_is_one_service),
		TEST(any_object_holds_the_service),
		TEST(closed_is_deleted),
		TEST(without_memory_nothing_is_left),
	};

	return cmocka_run_group_tests_name("svc_open", tests, NULL, NULL);
}
