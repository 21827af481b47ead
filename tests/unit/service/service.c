/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of the service object (software.md 5.2). */
#include "kit.h"

#include "provider/hw/hw.h"

#include <stdatomic.h>

static IVdsService *service;

static int setup(void **state)
{
	int rc = kit_setup(state);

	service = kit_open(VDSX_OPEN_CREATE);
	return rc;
}

static int teardown(void **state)
{
	IVdsService_Release(service);
	assert_int_equal(com_live_objects(NULL), 0);
	return kit_teardown(state);
}

static void properties_and_flags(void **state)
{
	VDS_SERVICE_PROP prop;

	(void)state;
	assert_hr(IVdsService_GetProperties(service, NULL), E_INVALIDARG);
	assert_ok(IVdsService_GetProperties(service, &prop));
	assert_non_null(prop.pwszVersion);
	assert_false(prop.ulFlags & VDS_SVF_AUTO_MOUNT_OFF);
	com_task_free(prop.pwszVersion);
	assert_hr(IVdsService_SetFlags(service, VDS_SVF_EFI), VDS_E_INVALID_SERVICE_FLAG);
	assert_hr(IVdsService_SetFlags(service, 0), VDS_E_INVALID_SERVICE_FLAG);
	assert_ok(IVdsService_SetFlags(service, VDS_SVF_AUTO_MOUNT_OFF));
	assert_ok(IVdsService_SetFlags(service, VDS_SVF_AUTO_MOUNT_OFF));
	IVdsService_Release(service);
	service = kit_open(0);
	assert_ok(IVdsService_GetProperties(service, &prop));
	assert_true(prop.ulFlags & VDS_SVF_AUTO_MOUNT_OFF);
	com_task_free(prop.pwszVersion);
	assert_ok(IVdsService_ClearFlags(service, VDS_SVF_AUTO_MOUNT_OFF));
	assert_ok(IVdsService_GetProperties(service, &prop));
	assert_false(prop.ulFlags & VDS_SVF_AUTO_MOUNT_OFF);
	com_task_free(prop.pwszVersion);
}

static void providers_by_mask(void **state)
{
	IEnumVdsObject *list = (void *)1;

	(void)state;
	assert_int_equal(kit_providers(service, VDS_QUERY_HARDWARE_PROVIDERS), 1);
	assert_int_equal(kit_providers(service, VDS_QUERY_SOFTWARE_PROVIDERS), 0);
	assert_int_equal(kit_providers(service, VDS_QUERY_VIRTUALDISK_PROVIDERS), 0);
	assert_int_equal(kit_providers(service, 7), 1);
	assert_int_equal(kit_providers(service, 0), 0);
	assert_hr(IVdsService_QueryProviders(service, 8, &list), VDS_E_INVALID_QUERY_PROVIDER_FLAG);
	assert_null(list);
	assert_hr(IVdsService_QueryProviders(service, 2, NULL), E_INVALIDARG);
}

static void objects_by_id(void **state)
{
	static const VDS_OBJECT_TYPE refused[] = {
		VDS_OT_UNKNOWN, VDS_OT_PROVIDER, VDS_OT_ASYNC, VDS_OT_ENUM, (VDS_OBJECT_TYPE)77};
	static const VDS_OBJECT_TYPE known[] = {VDS_OT_SUB_SYSTEM, VDS_OT_DRIVE, VDS_OT_LUN,
		VDS_OT_PACK, VDS_OT_DISK, VDS_OT_VOLUME, VDS_OT_VDISK, VDS_OT_HBAPORT,
		VDS_OT_TARGET};
	VDS_OBJECT_ID id = {1, 2, 3, {4}}, zero = {0};
	IUnknown *unk;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
		unk = (void *)1;
		assert_hr(IVdsService_GetObject(service, id, refused[i], &unk),
			VDS_E_INVALID_OBJECT_TYPE);
		assert_null(unk);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
		assert_hr(
			IVdsService_GetObject(service, id, known[i], &unk), VDS_E_OBJECT_NOT_FOUND);
		assert_hr(IVdsService_GetObject(service, zero, known[i], &unk), E_INVALIDARG);
	}
	assert_hr(IVdsService_GetObject(service, id, VDS_OT_LUN, NULL), E_INVALIDARG);
}

/* An id with another type than its own names nothing. */
static void objects_have_one_type(void **state)
{
	IEnumVdsObject *list;
	IUnknown *unk, *again;
	ULONG got;
	IVdsSubSystem *sub;
	VDS_SUB_SYSTEM_PROP prop;

	(void)state;
	assert_ok(IVdsService_QueryProviders(service, VDS_QUERY_HARDWARE_PROVIDERS, &list));
	assert_ok(IEnumVdsObject_Next(list, 1, &unk, &got));
	IEnumVdsObject_Release(list);
	IVdsxHwProvider *hw = kit_as(unk, &IID_IVdsxHwProvider);
	assert_ok(IVdsxHwProvider_CreateSubSystem(hw, NULL, 0, &sub));
	assert_ok(IVdsSubSystem_GetProperties(sub, &prop));
	com_task_free(prop.pwszFriendlyName);
	com_task_free(prop.pwszIdentification);
	assert_ok(IVdsService_GetObject(service, prop.id, VDS_OT_SUB_SYSTEM, &again));
	IUnknown *identity = kit_as(sub, &IID_IUnknown);
	assert_ptr_equal(again, identity);
	IUnknown_Release(identity);
	IUnknown_Release(again);
	assert_hr(IVdsService_GetObject(service, prop.id, VDS_OT_LUN, &again),
		VDS_E_OBJECT_NOT_FOUND);
	assert_null(again);
	IVdsSubSystem_Release(sub);
	IVdsxHwProvider_Release(hw);
	IUnknown_Release(unk);
}

static void absent_software_side(void **state)
{
	IEnumVdsObject *list = NULL;
	VDS_FILE_SYSTEM_TYPE_PROP *types = (void *)1;
	VDS_DRIVE_LETTER_PROP letters[26];
	LONG count = -1;
	IUnknown *unk;
	ULONG got;

	(void)state;
	assert_hr(IVdsService_QueryMaskedDisks(service, &list), E_NOTIMPL);
	assert_ok(IVdsService_QueryUnallocatedDisks(service, &list));
	assert_hr(IEnumVdsObject_Next(list, 1, &unk, &got), S_FALSE);
	assert_int_equal(got, 0);
	IEnumVdsObject_Release(list);
	assert_ok(IVdsService_QueryFileSystemTypes(service, &types, &count));
	assert_null(types);
	assert_int_equal(count, 0);
	assert_ok(IVdsService_QueryDriveLetters(service, 'c', 24, letters));
	assert_int_equal(letters[0].wcLetter, 'C');
	assert_int_equal(letters[23].wcLetter, 'Z');
	assert_false(letters[5].bUsed);
	assert_hr(IVdsService_QueryDriveLetters(service, 'c', 25, letters),
		VDS_E_INVALID_DRIVE_LETTER_COUNT);
	assert_hr(IVdsService_QueryDriveLetters(service, '1', 1, letters),
		VDS_E_INVALID_DRIVE_LETTER);
	assert_hr(IVdsService_QueryDriveLetters(service, 'c', 0, letters), E_INVALIDARG);
	assert_ok(IVdsService_CleanupObsoleteMountPoints(service));
	assert_hr(IVdsService_Reboot(service), E_ACCESSDENIED);
	assert_ok(IVdsService_Reenumerate(service));
	assert_ok(IVdsService_Refresh(service));
}

static void other_interfaces(void **state)
{
	IVdsServiceSAN *san = kit_as(service, &IID_IVdsServiceSAN);
	IVdsServiceIscsi *iscsi = kit_as(service, &IID_IVdsServiceIscsi);
	IVdsServiceHba *hba = kit_as(service, &IID_IVdsServiceHba);
	IVdsServiceInitialization *init = kit_as(service, &IID_IVdsServiceInitialization);
	VDS_SAN_POLICY policy = VDS_SP_UNKNOWN;
	IEnumVdsObject *list;
	LPWSTR name = NULL;
	void *out;

	(void)state;
	assert_ok(IVdsServiceSAN_GetSANPolicy(san, &policy));
	assert_int_equal(policy, VDS_SP_OFFLINE_SHARED);
	assert_hr(IVdsServiceSAN_SetSANPolicy(san, VDS_SP_UNKNOWN), E_INVALIDARG);
	assert_hr(IVdsServiceSAN_SetSANPolicy(san, VDS_SP_MAX), E_INVALIDARG);
	assert_ok(IVdsServiceSAN_SetSANPolicy(san, VDS_SP_OFFLINE));
	assert_ok(IVdsServiceSAN_GetSANPolicy(san, &policy));
	assert_int_equal(policy, VDS_SP_OFFLINE);
	assert_ok(IVdsServiceIscsi_GetInitiatorName(iscsi, &name));
	assert_int_equal(name[0], 'i');
	com_task_free(name);
	assert_ok(IVdsServiceIscsi_QueryInitiatorAdapters(iscsi, &list));
	IEnumVdsObject_Release(list);
	assert_ok(IVdsServiceHba_QueryHbaPorts(hba, &list));
	IEnumVdsObject_Release(list);
	assert_ok(IVdsServiceInitialization_Initialize(init, NULL));
	assert_hr(IVdsService_QueryInterface(service, &IID_IVdsAdmin, &out), E_NOINTERFACE);
	IVdsServiceSAN_Release(san);
	IVdsServiceIscsi_Release(iscsi);
	IVdsServiceHba_Release(hba);
	IVdsServiceInitialization_Release(init);
}

static void secrets(void **state)
{
	IVdsServiceIscsi *iscsi = kit_as(service, &IID_IVdsServiceIscsi);
	UCHAR bytes[17] = {1};
	VDS_ISCSI_SHARED_SECRET secret = {bytes, 11};
	VDS_OBJECT_ID zero = {0}, other = {1, 0, 0, {0}};

	(void)state;
	assert_hr(IVdsServiceIscsi_SetInitiatorSharedSecret(iscsi, NULL, zero), E_INVALIDARG);
	assert_hr(IVdsServiceIscsi_SetInitiatorSharedSecret(iscsi, &secret, other), E_INVALIDARG);
	assert_hr(IVdsServiceIscsi_SetInitiatorSharedSecret(iscsi, &secret, zero),
		VDS_E_ISCSI_CHAP_SECRET);
	secret.ulSharedSecretSize = 17;
	assert_hr(IVdsServiceIscsi_SetInitiatorSharedSecret(iscsi, &secret, zero),
		VDS_E_ISCSI_CHAP_SECRET);
	secret.ulSharedSecretSize = 12;
	assert_hr(IVdsServiceIscsi_SetInitiatorSharedSecret(iscsi, &secret, zero),
		VDS_E_NOT_SUPPORTED);
	IVdsServiceIscsi_Release(iscsi);
}

static void uninstalling(void **state)
{
	IVdsServiceUninstallDisk *u = kit_as(service, &IID_IVdsServiceUninstallDisk);
	VDS_LUN_INFORMATION info = {0};
	VDS_OBJECT_ID ids[2] = {{1, 0, 0, {0}}, {2, 0, 0, {0}}}, disk = ids[0];
	HRESULT results[2] = {S_OK, S_OK};
	BOOLEAN reboot = TRUE;

	(void)state;
	assert_hr(IVdsServiceUninstallDisk_GetDiskIdFromLunInfo(u, &info, &disk),
		VDS_E_OBJECT_NOT_FOUND);
	assert_true(com_guid_is_zero(&disk));
	assert_hr(IVdsServiceUninstallDisk_GetDiskIdFromLunInfo(u, NULL, &disk), E_INVALIDARG);
	assert_hr(IVdsServiceUninstallDisk_UninstallDisks(u, ids, 2, FALSE, &reboot, results),
		S_FALSE);
	assert_int_equal(reboot, FALSE);
	assert_hr(results[0], VDS_E_OBJECT_NOT_FOUND);
	assert_hr(results[1], VDS_E_OBJECT_NOT_FOUND);
	assert_hr(IVdsServiceUninstallDisk_UninstallDisks(u, NULL, 0, FALSE, &reboot, results),
		E_INVALIDARG);
	IVdsServiceUninstallDisk_Release(u);
}

/* ---- sinks --------------------------------------------------------------------------------- */

static atomic_uint heard;
static atomic_int sink_refs;

static HRESULT STDMETHODCALLTYPE sink_query(IVdsAdviseSink *iface, REFIID iid, void **out)
{
	(void)iid;
	*out = iface;
	sink_refs++;
	return S_OK;
}

static ULONG STDMETHODCALLTYPE sink_addref(IVdsAdviseSink *iface)
{
	(void)iface;
	return (ULONG)++sink_refs;
}

static ULONG STDMETHODCALLTYPE sink_release(IVdsAdviseSink *iface)
{
	(void)iface;
	return (ULONG)--sink_refs;
}

static HRESULT STDMETHODCALLTYPE sink_notify(
	IVdsAdviseSink *iface, LONG count, VDS_NOTIFICATION *list)
{
	(void)iface;
	heard += (unsigned)count;
	com_task_free(list);
	return S_OK;
}

static const IVdsAdviseSinkVtbl sink_vtbl = {sink_query, sink_addref, sink_release, sink_notify};

static void advise(void **state)
{
	IVdsAdviseSink sink = {&sink_vtbl};
	DWORD first = 0, second = 0;

	(void)state;
	assert_hr(IVdsService_Advise(service, NULL, &first), E_INVALIDARG);
	assert_hr(IVdsService_Advise(service, &sink, NULL), E_INVALIDARG);
	assert_ok(IVdsService_Advise(service, &sink, &first));
	assert_ok(IVdsService_Advise(service, &sink, &second));
	assert_true(first && second && first != second);
	assert_hr(IVdsService_Unadvise(service, first + second + 1), VDS_E_BAD_COOKIE);
	assert_ok(IVdsService_Unadvise(service, first));
	assert_hr(IVdsService_Unadvise(service, first), VDS_E_BAD_COOKIE);
	assert_ok(IVdsService_Unadvise(service, second));
	assert_int_equal(sink_refs, 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(properties_and_flags),
		TEST(providers_by_mask),
		TEST(objects_by_id),
		TEST(objects_have_one_type),
		TEST(absent_software_side),
		TEST(other_interfaces),
		TEST(secrets),
		TEST(uninstalling),
		TEST(advise),
	};

	return cmocka_run_group_tests_name("svc_service", tests, NULL, NULL);
}
