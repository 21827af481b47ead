/* SPDX-License-Identifier: Apache-2.0 */
/* Registering and loading providers (hardware.md 3.4, 12.9). */
#include "kit.h"

#include "module.h"
#include "provider/hw/hw.h"

static WCHAR name[] = VDS_TEXT("module"), version[] = VDS_TEXT("1.0");
static const GUID version_id = {9, 9, 9, {9}};

static HRESULT add(IVdsAdmin *admin, VDS_PROVIDER_TYPE type)
{
	return IVdsAdmin_RegisterProvider(
		admin, MODULE_PROVIDER_ID, MODULE_CLSID, name, type, NULL, version, version_id);
}

static void registration(void **state)
{
	IVdsService *service = kit_open(VDSX_OPEN_CREATE);
	IVdsAdmin *admin = NULL;
	WCHAR large[300];

	(void)state;
	assert_hr(vds_service_admin(service, NULL), E_INVALIDARG);
	assert_ok(vds_service_admin(service, &admin));
	assert_hr(add(admin, VDS_PT_SOFTWARE), E_INVALIDARG);
	assert_hr(IVdsAdmin_RegisterProvider(admin, MODULE_PROVIDER_ID, MODULE_CLSID, NULL,
			  VDS_PT_HARDWARE, NULL, version, version_id),
		E_INVALIDARG);
	for (unsigned i = 0; i < 299; i++)
		large[i] = 'x';
	large[299] = 0;
	assert_hr(IVdsAdmin_RegisterProvider(admin, MODULE_PROVIDER_ID, MODULE_CLSID, large,
			  VDS_PT_HARDWARE, NULL, version, version_id),
		E_INVALIDARG);
	assert_ok(add(admin, VDS_PT_HARDWARE));
	assert_hr(add(admin, VDS_PT_HARDWARE), VDS_E_ALREADY_REGISTERED);
	assert_ok(IVdsAdmin_UnregisterProvider(admin, MODULE_PROVIDER_ID));
	assert_hr(IVdsAdmin_UnregisterProvider(admin, MODULE_PROVIDER_ID), VDS_E_OBJECT_NOT_FOUND);
	assert_hr(IVdsAdmin_RegisterProvider(admin, HWP_PROVIDER_ID, CLSID_HwpProvider, name,
			  VDS_PT_HARDWARE, NULL, version, version_id),
		VDS_E_ALREADY_REGISTERED); /* the built-in one is registered as any other */
	IVdsAdmin_Release(admin);
	IVdsService_Release(service);
	assert_int_equal(com_live_objects(NULL), 0);
}

static void register_and_reopen(IVdsService **service)
{
	IVdsAdmin *admin;

	assert_ok(vds_service_admin(*service, &admin));
	assert_ok(add(admin, VDS_PT_HARDWARE));
	IVdsAdmin_Release(admin);
	IVdsService_Release(*service);
	*service = kit_open(0);
}

static bool has_module(IVdsService *service)
{
	IEnumVdsObject *list;
	IUnknown *unk;
	ULONG got;
	bool found = false;

	assert_ok(IVdsService_QueryProviders(service, VDS_QUERY_HARDWARE_PROVIDERS, &list));
	while (IEnumVdsObject_Next(list, 1, &unk, &got) == S_OK) {
		IVdsProvider *p = kit_as(unk, &IID_IVdsProvider);
		VDS_PROVIDER_PROP prop;
		assert_ok(IVdsProvider_GetProperties(p, &prop));
		found = found || com_guid_equal(&prop.id, &MODULE_PROVIDER_ID);
		com_task_free(prop.pwszName);
		com_task_free(prop.pwszVersion);
		IVdsProvider_Release(p);
		IUnknown_Release(unk);
	}
	IEnumVdsObject_Release(list);
	return found;
}

static void a_module_is_loaded(void **state)
{
	IVdsService *service = kit_open(VDSX_OPEN_CREATE);

	(void)state;
	setenv("VDS_PROVIDER_DIR", getenv("VDS_TEST_MODULES"), 1);
	register_and_reopen(&service);
	assert_int_equal(kit_providers(service, VDS_QUERY_HARDWARE_PROVIDERS), 2);
	assert_true(has_module(service));
	IVdsService_Release(service);
	assert_int_equal(com_live_objects(NULL), 0);
}

/* It fails to load, or is not there: it is left out, the others work. */
static void a_failing_module_is_left_out(void **state)
{
	IVdsService *service = kit_open(VDSX_OPEN_CREATE);

	(void)state;
	setenv("VDS_PROVIDER_DIR", getenv("VDS_TEST_MODULES"), 1);
	setenv("VDS_TEST_MODULE_FAILS", "1", 1);
	register_and_reopen(&service);
	assert_int_equal(kit_providers(service, VDS_QUERY_HARDWARE_PROVIDERS), 1);
	assert_false(has_module(service));
	unsetenv("VDS_TEST_MODULE_FAILS");
	IVdsService_Release(service);
	service = kit_open(0);
	assert_true(has_module(service));
	IVdsService_Release(service);
}

static void a_missing_module_is_left_out(void **state)
{
	IVdsService *service = kit_open(VDSX_OPEN_CREATE);

	(void)state;
	setenv("VDS_PROVIDER_DIR", "/nowhere", 1);
	register_and_reopen(&service);
	assert_int_equal(kit_providers(service, VDS_QUERY_HARDWARE_PROVIDERS), 1);
	IVdsService_Release(service);
}

static void class_objects(void **state)
{
	IClassFactory *factory = NULL;
	IVdsProviderPrivate *priv = NULL;
	IEnumVdsObject *list = (void *)1;
	void *out = (void *)1;

	(void)state;
	assert_hr(DllGetClassObject(&MODULE_CLSID, &IID_IClassFactory, &out),
		CLASS_E_CLASSNOTAVAILABLE);
	assert_null(out);
	assert_ok(DllGetClassObject(&CLSID_HwpProvider, &IID_IClassFactory, (void **)&factory));
	assert_ok(IClassFactory_CreateInstance(
		factory, NULL, &IID_IVdsProviderPrivate, (void **)&priv));
	/* not loaded yet */
	IVdsHwProvider *hw = kit_as(priv, &IID_IVdsHwProvider);
	assert_hr(IVdsHwProvider_QuerySubSystems(hw, &list), VDS_E_INITIALIZE_NOT_CALLED);
	assert_null(list);
	assert_hr(IVdsHwProvider_Reenumerate(hw), VDS_E_INITIALIZE_NOT_CALLED);
	assert_hr(IVdsHwProvider_Refresh(hw), VDS_E_INITIALIZE_NOT_CALLED);
	WCHAR none[1] = {0};
	assert_hr(IVdsProviderPrivate_OnLoad(priv, none, NULL), E_INVALIDARG);
	assert_hr(IVdsProviderPrivate_OnLoad(priv, none, (IUnknown *)(void *)factory),
		VDS_E_INITIALIZED_FAILED); /* no service */
	IVdsHwProvider_Release(hw);
	IVdsProviderPrivate_Release(priv);
	IClassFactory_Release(factory);
	assert_ok(DllCanUnloadNow());
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, kit_setup, kit_teardown)
	const struct CMUnitTest tests[] = {
		TEST(registration),
		TEST(a_module_is_loaded),
		TEST(a_failing_module_is_left_out),
		TEST(a_missing_module_is_left_out),
		TEST(class_objects),
	};

	return cmocka_run_group_tests_name("svc_provider", tests, NULL, NULL);
}
