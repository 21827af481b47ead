/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules that hold for every object of the array, through libvds: which interfaces it answers for,
 * identity, and what every method does with arguments and objects that cannot be.
 */
#include "methods.h"

#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- interfaces (hardware.md 2.2) ---------------------------------------------------------- */

static const IID *const all[] = {
	&IID_IVdsProvider,
	&IID_IVdsProviderSupport,
	&IID_IVdsProviderPrivate,
	&IID_IVdsHwProvider,
	&IID_IVdsHwProviderType,
	&IID_IVdsHwProviderType2,
	&IID_IVdsSubSystem,
	&IID_IVdsSubSystem2,
	&IID_IVdsSubSystemNaming,
	&IID_IVdsSubSystemInterconnect,
	&IID_IVdsController,
	&IID_IVdsControllerControllerPort,
	&IID_IVdsControllerPort,
	&IID_IVdsDrive,
	&IID_IVdsDrive2,
	&IID_IVdsLun,
	&IID_IVdsLun2,
	&IID_IVdsLunNaming,
	&IID_IVdsLunNumber,
	&IID_IVdsLunControllerPorts,
	&IID_IVdsLunPlex,
	&IID_IVdsMaintenance,
	&IID_IVdsxMaintenance,
	&IID_IVdsxNumber,
	&IID_IVdsxHwProvider,
	&IID_IVdsxJobs,
	&IID_IVdsxFault,
	&IID_IVdsxSubSystem,
	&IID_IVdsxDrive,
	&IID_IVdsxLun,
	&IID_IVdsAsync,
	&IID_IVdsxJob,
	&IID_IEnumVdsObject,
	&IID_IVdsService,
	&IID_IVdsAdmin,
};

static bool among(const IID *iid, const IID *const *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (IsEqualIID(iid, list[i]))
			return true;
	return false;
}

/* Exactly these; from each the way to each other; one IUnknown. */
static void answers_for(void *object, const IID *const *want, unsigned count)
{
	IUnknown *identity = NULL;

	assert_ok(IUnknown_QueryInterface((IUnknown *)object, &IID_IUnknown, (void **)&identity));
	for (unsigned i = 0; i < COUNT(all); i++) {
		IUnknown *a = (void *)&a;
		HRESULT hr = IUnknown_QueryInterface(identity, all[i], (void **)&a);
		if (!among(all[i], want, count)) {
			assert_hr(hr, E_NOINTERFACE);
			assert_null(a);
			continue;
		}
		assert_ok(hr);
		for (unsigned j = 0; j < count; j++) {
			IUnknown *b = NULL, *c = NULL;
			assert_ok(IUnknown_QueryInterface(a, want[j], (void **)&b));
			assert_ok(IUnknown_QueryInterface(b, &IID_IUnknown, (void **)&c));
			assert_ptr_equal(c, identity);
			IUnknown_Release(c);
			IUnknown_Release(b);
		}
		assert_hr(IUnknown_QueryInterface(a, all[i], NULL), E_POINTER);
		IUnknown_Release(a);
	}
	IUnknown_Release(identity);
}

#define ANSWERS(object, ...)                                                                       \
	do {                                                                                       \
		const IID *const want_[] = {__VA_ARGS__};                                          \
		answers_for(object, want_, COUNT(want_));                                          \
	} while (0)

static void interfaces(void **state)
{
	struct target t;
	IVdsAsync *async = NULL;

	target_make(&t, *state);
	ANSWERS(t.fx->hw, &IID_IVdsProvider, &IID_IVdsProviderSupport, &IID_IVdsHwProvider,
		&IID_IVdsHwProviderType, &IID_IVdsxNumber, &IID_IVdsxHwProvider, &IID_IVdsxJobs,
		&IID_IVdsxFault);
	ANSWERS(t.fx->sub, &IID_IVdsSubSystem, &IID_IVdsSubSystem2, &IID_IVdsSubSystemNaming,
		&IID_IVdsSubSystemInterconnect, &IID_IVdsMaintenance, &IID_IVdsxMaintenance,
		&IID_IVdsxNumber, &IID_IVdsxSubSystem);
	ANSWERS(t.fx->controller, &IID_IVdsController, &IID_IVdsControllerControllerPort,
		&IID_IVdsMaintenance, &IID_IVdsxMaintenance, &IID_IVdsxNumber);
	ANSWERS(t.fx->port, &IID_IVdsControllerPort, &IID_IVdsMaintenance, &IID_IVdsxMaintenance,
		&IID_IVdsxNumber);
	ANSWERS(t.drive, &IID_IVdsDrive, &IID_IVdsDrive2, &IID_IVdsMaintenance,
		&IID_IVdsxMaintenance, &IID_IVdsxNumber, &IID_IVdsxDrive);
	ANSWERS(t.lun, &IID_IVdsLun, &IID_IVdsLun2, &IID_IVdsLunNaming, &IID_IVdsLunNumber,
		&IID_IVdsLunControllerPorts, &IID_IVdsMaintenance, &IID_IVdsxMaintenance,
		&IID_IVdsxNumber, &IID_IVdsxLun);
	ANSWERS(t.plex, &IID_IVdsLunPlex, &IID_IVdsxNumber);
	assert_ok(IVdsLun_Recover(t.lun, &async));
	ANSWERS(async, &IID_IVdsAsync, &IID_IVdsxJob);
	assert_ok(fx_wait(async, VDS_ASYNCOUT_RECOVERLUN));
	target_drop(&t);
}

/* ---- one object for one device ------------------------------------------------------------- */

static IUnknown *identity_of(void *object)
{
	IUnknown *unk = NULL;

	assert_ok(IUnknown_QueryInterface((IUnknown *)object, &IID_IUnknown, (void **)&unk));
	IUnknown_Release(unk);
	return unk;
}

static void identity(void **state)
{
	struct target t;
	IVdsSubSystem *sub;
	IVdsController *controller;
	IVdsLun *lun;
	IVdsProvider *provider;
	IUnknown *unk;

	target_make(&t, *state);
	assert_ok(IVdsDrive_GetSubSystem(t.drive, &sub));
	assert_ptr_equal(identity_of(sub), identity_of(t.fx->sub));
	IVdsSubSystem_Release(sub);
	assert_ok(IVdsLun_GetSubSystem(t.lun, &sub));
	assert_ptr_equal(identity_of(sub), identity_of(t.fx->sub));
	IVdsSubSystem_Release(sub);
	assert_ok(IVdsControllerPort_GetController(t.fx->port, &controller));
	assert_ptr_equal(identity_of(controller), identity_of(t.fx->controller));
	IVdsController_Release(controller);
	assert_ok(IVdsLunPlex_GetLun(t.plex, &lun));
	assert_ptr_equal(identity_of(lun), identity_of(t.lun));
	IVdsLun_Release(lun);
	assert_ok(IVdsSubSystem_GetProvider(t.fx->sub, &provider));
	assert_ptr_equal(identity_of(provider), identity_of(t.fx->hw));
	IVdsProvider_Release(provider);
	assert_ok(IVdsService_GetObject(t.fx->service, t.plex_id, VDS_OT_LUN_PLEX, &unk));
	assert_ptr_equal(unk, identity_of(t.plex));
	IUnknown_Release(unk);
	target_drop(&t);
}

/* ---- dead objects -------------------------------------------------------------------------- */

static void all_deleted(struct target *t, enum object object)
{
	for (unsigned i = 0; i < method_count; i++) {
		if (methods[i].object != object ||
			!strcmp(methods[i].name, "IVdsDrive::SetFlags") ||
			!strcmp(methods[i].name, "IVdsDrive::ClearFlags"))
			continue; /* those two are called on the other drive */
		HRESULT hr = methods[i].call(t);
		if (hr != VDS_E_OBJECT_DELETED)
			fail_msg("%s gives %#x", methods[i].name, (unsigned)hr);
	}
	assert_int_equal(t->bad_outputs, 0);
}

static void deleted_objects(void **state)
{
	struct target t;

	target_make(&t, *state);
	assert_ok(IVdsLun_Delete(t.lun));
	all_deleted(&t, O_LUN);
	all_deleted(&t, O_PLEX);
	fx_inject(t.fx, VDSX_FAULT_GONE, t.drive_id, 0, 0);
	assert_ok(IVdsSubSystem_Reenumerate(t.fx->sub));
	all_deleted(&t, O_DRIVE);
	fx_inject(t.fx, VDSX_FAULT_GONE, t.fx->sub_id, 0, 0);
	assert_ok(IVdsHwProvider_Reenumerate(t.fx->hw));
	all_deleted(&t, O_SUB);
	all_deleted(&t, O_CONTROLLER);
	all_deleted(&t, O_PORT);
	target_drop(&t);
}

static void closed_service(void **state)
{
	struct target t;
	IVdsxService *x = NULL;

	target_make(&t, *state);
	assert_ok(IVdsService_QueryInterface(t.fx->service, &IID_IVdsxService, (void **)&x));
	assert_ok(IVdsxService_Close(x));
	IVdsxService_Release(x);
	for (int o = O_SUB; o <= O_PLEX; o++)
		all_deleted(&t, (enum object)o);
	target_drop(&t);
}

/* A pulled drive: what was, where, and its bay's lights; nothing else (hardware.md 6.5). */
static void pulled_drive(void **state)
{
	static const char *const works[] = {"IVdsDrive::GetProperties", "IVdsDrive::GetSubSystem",
		"IVdsDrive::QueryExtents", "IVdsDrive2::GetProperties2",
		"IVdsMaintenance::StartMaintenance", "IVdsMaintenance::StopMaintenance",
		"IVdsMaintenance::PulseMaintenance"}; /* BlinkLight */
	struct target t;

	target_make(&t, *state);
	fx_inject(t.fx, VDSX_FAULT_GONE, t.drive_id, 0, 0);
	IVdsDrive_Release(t.other);
	t.other = t.drive; /* SetFlags and ClearFlags too */
	IVdsDrive_AddRef(t.other);
	for (unsigned i = 0; i < method_count; i++) {
		bool alive = false;
		if (methods[i].object != O_DRIVE)
			continue;
		for (unsigned j = 0; j < COUNT(works); j++)
			alive = alive || !strcmp(methods[i].name, works[j]);
		HRESULT hr = methods[i].call(&t);
		if (alive == (hr == VDS_E_OBJECT_DELETED))
			fail_msg("%s gives %#x", methods[i].name, (unsigned)hr);
	}
	target_drop(&t);
}

/* ---- arguments ----------------------------------------------------------------------------- */

static void missing_outputs(void **state)
{
	struct target t;

	target_make(&t, *state);
	char *before = fx_snapshot(t.fx);
	t.mode = M_NULL_OUT;
	for (unsigned i = 0; i < method_count; i++)
		if (methods[i].codes & L_OUT)
			assert_hr(methods[i].call(&t), E_INVALIDARG);
	fx_unchanged(t.fx, before);
	/* arguments come before everything else, also before a corrupt cache and a dead object */
	assert_ok(IVdsLun_Delete(t.lun));
	fx_corrupt(t.fx);
	for (unsigned i = 0; i < method_count; i++)
		if (methods[i].codes & L_OUT)
			assert_hr(methods[i].call(&t), E_INVALIDARG);
	target_drop(&t);
}

static void outside_enumerations(void **state)
{
	static const int odd[] = {-1, 3, 6, 7, 10, 99};
	struct target t;

	target_make(&t, *state);
	char *before = fx_snapshot(t.fx);
	for (unsigned i = 0; i < COUNT(odd); i++) {
		IVdsAsync *async = (void *)&t;
		WCHAR none[1] = {0};
		assert_hr(IVdsSubSystem_SetStatus(t.fx->sub, (VDS_SUB_SYSTEM_STATUS)odd[i]),
			E_INVALIDARG);
		assert_hr(IVdsController_SetStatus(t.fx->controller, (VDS_CONTROLLER_STATUS)odd[i]),
			E_INVALIDARG);
		assert_hr(IVdsControllerPort_SetStatus(t.fx->port, (VDS_PORT_STATUS)odd[i]),
			E_INVALIDARG);
		assert_hr(IVdsDrive_SetStatus(t.drive, (VDS_DRIVE_STATUS)odd[i]), E_INVALIDARG);
		assert_hr(IVdsLun_SetStatus(t.lun, (VDS_LUN_STATUS)odd[i]), E_INVALIDARG);
		if (odd[i] != 3 && odd[i] != 10)
			assert_hr(IVdsSubSystem_CreateLun(t.fx->sub, (VDS_LUN_TYPE)odd[i], MIB,
					  NULL, 0, none, NULL, &async),
				E_INVALIDARG);
	}
	assert_hr(IVdsDrive_SetFlags(t.other, 0), E_INVALIDARG);
	assert_hr(IVdsDrive_SetFlags(t.other, 0x20), E_INVALIDARG);
	assert_hr(IVdsDrive_SetFlags(t.other, VDS_DRF_HOTSPARE | 0x40), E_INVALIDARG);
	fx_unchanged(t.fx, before);
	target_drop(&t);
}

/* Values inside the enumeration that are facts, not wishes. */
static void facts_are_not_settable(void **state)
{
	struct target t;

	target_make(&t, *state);
	char *before = fx_snapshot(t.fx);
	assert_hr(IVdsSubSystem_SetStatus(t.fx->sub, VDS_SSS_FAILED), VDS_E_NOT_SUPPORTED);
	assert_hr(
		IVdsSubSystem_SetStatus(t.fx->sub, VDS_SSS_PARTIALLY_MANAGED), VDS_E_NOT_SUPPORTED);
	assert_hr(IVdsController_SetStatus(t.fx->controller, VDS_CS_REMOVED), VDS_E_NOT_SUPPORTED);
	assert_hr(IVdsControllerPort_SetStatus(t.fx->port, VDS_PRS_NOT_READY), VDS_E_NOT_SUPPORTED);
	assert_hr(IVdsLun_SetStatus(t.lun, VDS_LS_FAILED), VDS_E_NOT_SUPPORTED);
	assert_hr(IVdsDrive_SetFlags(t.other, VDS_DRF_ASSIGNED), VDS_E_NOT_SUPPORTED);
	assert_hr(
		IVdsDrive_SetFlags(t.drive, VDS_DRF_HOTSPARE), VDS_E_NOT_SUPPORTED); /* assigned */
	fx_unchanged(t.fx, before);
	target_drop(&t);
}

/* ---- lists of controllers and ports -------------------------------------------------------- */

static void divisions(void **state)
{
	struct target t;
	VDS_OBJECT_ID unknown = {7, 7, 7, {7}};
	IVdsLunControllerPorts *ports;

	target_make(&t, *state);
	VDS_OBJECT_ID c = t.fx->controller_id, p = t.fx->port_id, twice[2] = {c, c};
	char *before = fx_snapshot(t.fx);
	assert_hr(IVdsSubSystem_SetControllerStatus(t.fx->sub, NULL, 0, NULL, 0), E_INVALIDARG);
	assert_hr(IVdsSubSystem_SetControllerStatus(t.fx->sub, &c, 1, &c, 1), E_INVALIDARG);
	assert_hr(IVdsSubSystem_SetControllerStatus(t.fx->sub, twice, 2, NULL, 0), E_INVALIDARG);
	assert_hr(IVdsSubSystem_SetControllerStatus(t.fx->sub, NULL, 1, NULL, 0), E_INVALIDARG);
	assert_hr(IVdsSubSystem_SetControllerStatus(t.fx->sub, &unknown, 1, NULL, 0),
		VDS_E_OBJECT_NOT_FOUND);
	assert_hr(IVdsLun_AssociateControllers(t.lun, NULL, 0, NULL, 0), E_INVALIDARG);
	assert_hr(IVdsLun_AssociateControllers(t.lun, &c, 1, &c, 1), E_INVALIDARG);
	assert_hr(
		IVdsLun_AssociateControllers(t.lun, &unknown, 1, NULL, 0), VDS_E_OBJECT_NOT_FOUND);
	fx_unchanged(t.fx, before);
	assert_ok(IVdsLun_AssociateControllers(t.lun, NULL, 0, &c, 1));
	fx_notes(t.fx, NULL);
	assert_int_equal(fx_count_notes(t.fx, VDS_NF_LUN_MODIFY, t.lun_id), 1);
	IEnumVdsObject *list;
	IUnknown *unk;
	ULONG got = 9;
	assert_ok(IVdsLun_QueryActiveControllers(t.lun, &list));
	assert_hr(IEnumVdsObject_Next(list, 1, &unk, &got), S_FALSE);
	assert_int_equal(got, 0);
	IEnumVdsObject_Release(list);
	assert_ok(IVdsLun_QueryInterface(t.lun, &IID_IVdsLunControllerPorts, (void **)&ports));
	assert_ok(IVdsLunControllerPorts_AssociateControllerPorts(ports, &p, 1, NULL, 0));
	assert_hr(IVdsLunControllerPorts_AssociateControllerPorts(ports, &c, 1, NULL, 0),
		VDS_E_OBJECT_NOT_FOUND);
	IVdsLunControllerPorts_Release(ports);
	assert_ok(IVdsSubSystem_SetControllerStatus(t.fx->sub, NULL, 0, &c, 1));
	fx_notes(t.fx, NULL);
	assert_int_equal(fx_count_notes(t.fx, VDS_NF_CONTROLLER_REMOVED, c), 1);
	assert_int_equal(fx_count_notes(t.fx, VDS_NF_CONTROLLER_MODIFY, c), 1);
	assert_ok(IVdsController_SetStatus(t.fx->controller, VDS_CS_ONLINE));
	target_drop(&t);
}

int main(void)
{
#define RULE(fn)                                                                                   \
	{                                                                                          \
		.name = #fn, .test_func = (fn), .setup_func = fx_setup,                            \
		.teardown_func = fx_teardown, .initial_state = NULL                                \
	}
	static const struct CMUnitTest rules[] = {
		RULE(interfaces),
		RULE(identity),
		RULE(deleted_objects),
		RULE(closed_service),
		RULE(pulled_drive),
		RULE(missing_outputs),
		RULE(outside_enumerations),
		RULE(facts_are_not_settable),
		RULE(divisions),
	};

	return cmocka_run_group_tests_name("conformance", rules, NULL, NULL);
}
