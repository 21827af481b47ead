/* SPDX-License-Identifier: Apache-2.0 */
/* Rows G: the corrupt cache and its cure, and the lists of codes. (G8, the network, is not here.)
 */
#include "methods.h"
#include "rig.h"

#include <stdlib.h>

/* ---- G1, G2 -------------------------------------------------------------------------------- */

static void g1(void **state)
{
	struct target t;
	unsigned wrong = 0;

	target_make(&t, *state);
	fx_corrupt(t.fx);
	for (unsigned i = 0; i < method_count; i++) {
		const struct method *m = &methods[i];
		bool cure = m->object == O_PROVIDER;
		HRESULT hr = cure && m->call != methods[1].call ? S_OK : m->call(&t);
		bool listed = (m->codes & L_CC) != 0;
		if (cure && m->call != methods[1].call)
			continue; /* Reenumerate and Refresh are the cure: A15 to A17 */
		if (listed == (hr == VDS_E_PROVIDER_CACHE_CORRUPT))
			continue;
		print_message("%s gives %#x\n", m->name, (unsigned)hr);
		wrong++;
	}
	assert_int_equal(wrong, 0);
	assert_int_equal(t.bad_outputs, 0);
	fx_cure(t.fx);
	for (unsigned i = 0; i < method_count; i++)
		assert_true(methods[i].call(&t) != VDS_E_PROVIDER_CACHE_CORRUPT);
	target_drop(&t);
}

static void g2(void **state)
{
	struct target t;
	VDS_OBJECT_ID ids[3];

	target_make(&t, *state);
	void *objects[] = {t.fx->sub, t.fx->controller, t.fx->port, t.drive, t.lun};
	for (unsigned i = 0; i < 5; i++) {
		IVdsMaintenance *m = fx_maint(objects[i]);
		fx_corrupt(t.fx);
		assert_hr(IVdsMaintenance_StartMaintenance(m, BlinkLight),
			VDS_E_PROVIDER_CACHE_CORRUPT);
		assert_ok(IVdsHwProvider_Reenumerate(t.fx->hw));
		assert_hr(IVdsMaintenance_StartMaintenance(m, BlinkLight),
			VDS_E_PROVIDER_CACHE_CORRUPT);
		assert_ok(IVdsHwProvider_Refresh(t.fx->hw));
		assert_ok(IVdsMaintenance_StartMaintenance(m, BlinkLight));
		IVdsMaintenance_Release(m);
	}
	ids[0] = fx_drive_id(t.drive);
	ids[1] = fx_lun_id(t.lun);
	assert_true(fx_same(ids[0], t.drive_id) && fx_same(ids[1], t.lun_id));
	target_drop(&t);
}

/* ---- G3 to G7 ------------------------------------------------------------------------------ */

static void g3(void **state)
{
	struct rig r = rig_make(state, VDS_LT_RAID5, 3, 1);
	static struct load load; /* outlives a failing row */
	char *before = fx_snapshot(r.fx);
	IVdsAsync *async = NULL;
	WCHAR name[] = VDS_TEXT("x"), mask[] = VDS_TEXT("*");
	IVdsLunNaming *naming;

	fx_corrupt(r.fx);
	load_begin(&load, r.lun, 0, 4 * MIB);
	assert_hr(IVdsLun_Delete(r.lun), VDS_E_PROVIDER_CACHE_CORRUPT);
	assert_hr(IVdsLun_Extend(r.lun, MIB, NULL, 0, &async), VDS_E_PROVIDER_CACHE_CORRUPT);
	assert_hr(IVdsLun_SetMask(r.lun, mask), VDS_E_PROVIDER_CACHE_CORRUPT);
	assert_hr(IVdsDrive_SetStatus(r.drives[0], VDS_DRS_OFFLINE), VDS_E_PROVIDER_CACHE_CORRUPT);
	assert_hr(
		IVdsDrive_ClearFlags(r.drives[3], VDS_DRF_HOTSPARE), VDS_E_PROVIDER_CACHE_CORRUPT);
	assert_ok(IVdsLun_QueryInterface(r.lun, &IID_IVdsLunNaming, (void **)&naming));
	assert_hr(IVdsLunNaming_SetFriendlyName(naming, name), VDS_E_PROVIDER_CACHE_CORRUPT);
	IVdsLunNaming_Release(naming);
	load_end(&load);
	fx_cure(r.fx);
	fx_unchanged(r.fx, before);
	fx_verify(r.lun, 4 * MIB, 28 * MIB, 1);
	rig_drop(&r);
}

static void g4(void **state)
{
	struct target t;

	target_make(&t, *state);
	fx_corrupt(t.fx);
	fx_inject(t.fx, VDSX_FAULT_UNREACHABLE, t.fx->sub_id, 0, 0);
	assert_hr(IVdsHwProvider_Reenumerate(t.fx->hw), VDS_E_PROVIDER_CACHE_CORRUPT);
	assert_hr(IVdsHwProvider_Refresh(t.fx->hw), VDS_E_PROVIDER_CACHE_CORRUPT);
	fx_clear(t.fx, VDSX_FAULT_UNREACHABLE, t.fx->sub_id);
	assert_hr(IVdsHwProvider_Refresh(t.fx->hw), VDS_E_PROVIDER_CACHE_CORRUPT);
	fx_cure(t.fx);
	assert_true(fx_same(fx_drive_id(t.drive), t.drive_id));
	/* contact lost between the two halves of the cure: from the beginning again */
	fx_corrupt(t.fx);
	assert_ok(IVdsHwProvider_Reenumerate(t.fx->hw));
	fx_inject(t.fx, VDSX_FAULT_UNREACHABLE, t.fx->sub_id, 0, 0);
	assert_hr(IVdsHwProvider_Refresh(t.fx->hw), VDS_E_PROVIDER_CACHE_CORRUPT);
	fx_clear(t.fx, VDSX_FAULT_UNREACHABLE, t.fx->sub_id);
	assert_hr(IVdsHwProvider_Refresh(t.fx->hw), VDS_E_PROVIDER_CACHE_CORRUPT);
	fx_cure(t.fx);
	target_drop(&t);
}

/* From nothing but the service, also in a process that finds the cache corrupt. */
static void g5(void **state)
{
	struct fx *fx = *state;

	fx_corrupt(fx);
	fx_reopen(fx); /* lists the providers, takes IVdsHwProvider */
	assert_null(fx->sub);
	IEnumVdsObject *list = NULL;
	assert_hr(IVdsHwProvider_QuerySubSystems(fx->hw, &list), VDS_E_PROVIDER_CACHE_CORRUPT);
	assert_null(list);
	assert_ok(IVdsHwProvider_Reenumerate(fx->hw));
	fx_reopen(fx); /* half a cure is remembered */
	assert_hr(IVdsHwProvider_QuerySubSystems(fx->hw, &list), VDS_E_PROVIDER_CACHE_CORRUPT);
	assert_ok(IVdsHwProvider_Refresh(fx->hw));
	assert_ok(IVdsHwProvider_QuerySubSystems(fx->hw, &list));
	IEnumVdsObject_Release(list);
	fx_reopen(fx);
	assert_non_null(fx->sub);
}

static void g6(void **state)
{
	struct target t;

	target_make(&t, *state);
	fx_corrupt(t.fx);
	fx_inject(t.fx, VDSX_FAULT_GONE, t.other_id, 0, 0);
	fx_cure(t.fx);
	assert_hr(IVdsDrive_SetFlags(t.other, VDS_DRF_HOTSPARE), VDS_E_OBJECT_DELETED);
	VDS_DRIVE_PROP prop;
	assert_hr(IVdsDrive_GetProperties(t.other, &prop), VDS_E_OBJECT_DELETED);
	fx_notes(t.fx, NULL);
	assert_int_equal(fx_count_notes(t.fx, VDS_NF_DRIVE_DEPART, t.other_id), 1);
	target_drop(&t);
}

static bool exists(struct fx *fx, VDS_OBJECT_ID id)
{
	IUnknown *unk = NULL;
	HRESULT hr = IVdsService_GetObject(fx->service, id, VDS_OT_DRIVE, &unk);

	if (unk)
		IUnknown_Release(unk);
	return hr == S_OK;
}

static void g7(void **state)
{
	struct target t;

	target_make(&t, *state);
	char *before = fx_snapshot(t.fx);
	assert_ok(IVdsHwProvider_Refresh(t.fx->hw));
	fx_unchanged(t.fx, before); /* no difference, nothing told */
	fx_inject(t.fx, VDSX_FAULT_GONE, t.other_id, 0, 0);
	fx_notes_reset(t.fx);
	assert_ok(IVdsHwProvider_Refresh(t.fx->hw));
	fx_notes(t.fx, NULL);
	assert_int_equal(fx_count_notes(t.fx, VDS_NF_DRIVE_DEPART, t.other_id), 1);
	assert_false(exists(t.fx, t.other_id));
	fx_clear(t.fx, VDSX_FAULT_GONE, t.other_id);
	assert_ok(IVdsHwProvider_Refresh(t.fx->hw));
	fx_notes(t.fx, NULL);
	assert_int_equal(fx_count_notes(t.fx, VDS_NF_DRIVE_ARRIVE, t.other_id), 1);
	assert_true(exists(t.fx, t.other_id)); /* with the same id */
	target_drop(&t);
}

/* ---- G9, G10 ------------------------------------------------------------------------------- */

/* The mirror was deleted: another, so that what follows meets something living. */
static void renew_lun(struct target *t)
{
	IVdsSubSystem2 *sub2;
	IVdsAsync *async = NULL;
	VDS_ASYNC_OUTPUT output;
	WCHAR none[1] = {0};
	HRESULT hr;

	assert_ok(IVdsSubSystem_QueryInterface(t->fx->sub, &IID_IVdsSubSystem2, (void **)&sub2));
	hr = IVdsSubSystem2_CreateLun2(sub2, VDS_LT_MIRROR, 8 * MIB, NULL, 0, none, NULL, &async);
	IVdsSubSystem2_Release(sub2);
	if (FAILED(hr))
		return; /* not in this state */
	assert_ok(IVdsAsync_Wait(async, &hr, &output));
	IVdsAsync_Release(async);
	IVdsLun_Release(t->lun);
	assert_ok(IUnknown_QueryInterface(output.cl.pLunUnk, &IID_IVdsLun, (void **)&t->lun));
	IUnknown_Release(output.cl.pLunUnk);
	t->lun_id = fx_lun_id(t->lun);
}

static unsigned fuzz(struct target *t, unsigned rounds)
{
	unsigned wrong = 0;

	t->mode = M_RANDOM;
	for (unsigned i = 0; i < rounds; i++) {
		const struct method *m = &methods[(t->seed >> 16) % method_count];
		HRESULT hr = m->call(t);
		t->seed = t->seed * 69069u + 12345u;
		if (hr == S_OK && !strcmp(m->name, "IVdsLun::Delete"))
			renew_lun(t);
		if (method_allows(m, hr))
			continue;
		print_message(
			"%s gives %#x, which its page does not list\n", m->name, (unsigned)hr);
		wrong++;
	}
	t->mode = M_GOOD;
	return wrong;
}

/* Whatever the arguments and the state, the code is on the method's page. */
static void fuzz_in_state(void **state, void (*prepare)(struct target *t))
{
	struct target t;

	target_make(&t, *state);
	t.seed = 20250101;
	prepare(&t);
	assert_int_equal(fuzz(&t, 1200), 0);
	assert_int_equal(t.bad_outputs, 0);
	target_drop(&t);
}

static void as_it_is(struct target *t)
{
	(void)t;
}

static void drive_failed(struct target *t)
{
	fx_inject(t->fx, VDSX_FAULT_FAILED, t->drive_id, 0, 0);
}

static void drive_pulled(struct target *t)
{
	fx_inject(t->fx, VDSX_FAULT_GONE, t->drive_id, 0, 0);
}

static void lun_failed(struct target *t)
{
	fx_inject(t->fx, VDSX_FAULT_FAILED, t->lun_id, 0, 0);
}

static void subsystem_failed(struct target *t)
{
	fx_inject(t->fx, VDSX_FAULT_FAILED, t->fx->sub_id, 0, 0);
}

static void subsystem_gone(struct target *t)
{
	fx_inject(t->fx, VDSX_FAULT_GONE, t->fx->sub_id, 0, 0);
}

static void corrupt(struct target *t)
{
	fx_corrupt(t->fx);
}

static void lun_deleted(struct target *t)
{
	assert_ok(IVdsLun_Delete(t->lun));
}

static void rebuilding(struct target *t)
{
	IVdsAsync *async;

	fx_set(t->fx, VDSX_SETTING_REBUILD_RATE, MIB);
	assert_ok(IVdsDrive_SetFlags(t->other, VDS_DRF_HOTSPARE));
	fx_inject(t->fx, VDSX_FAULT_FAILED, t->drive_id, 0, 0);
	assert_ok(IVdsLun_Recover(t->lun, &async));
	IVdsAsync_Release(async);
}

#define FUZZ(name)                                                                                 \
	static void g9_##name(void **state)                                                        \
	{                                                                                          \
		fuzz_in_state(state, name);                                                        \
	}
FUZZ(as_it_is)
FUZZ(drive_failed)
FUZZ(drive_pulled)
FUZZ(lun_failed)
FUZZ(subsystem_failed)
FUZZ(subsystem_gone)
FUZZ(corrupt)
FUZZ(lun_deleted)
FUZZ(rebuilding)

/* Every refusal leaves its outputs empty and everything as it was. */
static void g10(void **state)
{
	struct target t;

	target_make(&t, *state);
	char *before = fx_snapshot(t.fx);
	t.mode = M_NULL_OUT;
	for (unsigned i = 0; i < method_count; i++)
		if (methods[i].codes & L_OUT)
			assert_hr(methods[i].call(&t), E_INVALIDARG);
	fx_unchanged(t.fx, before);
	t.mode = M_GOOD;
	before = fx_snapshot(t.fx);
	for (unsigned i = 0; i < method_count; i++) {
		if (methods[i].object == O_PROVIDER)
			continue; /* these cure, or take no memory from the array */
		fx_inject(t.fx, VDSX_FAULT_SYSTEM_ERROR, t.fx->provider_id, 0, 5);
		HRESULT hr = methods[i].call(&t);
		if (hr != HRESULT_FROM_WIN32(5))
			fail_msg("%s gives %#x", methods[i].name, (unsigned)hr);
		fx_inject(t.fx, VDSX_FAULT_OUT_OF_MEMORY, t.fx->provider_id, 0, 1);
		hr = methods[i].call(&t);
		fx_clear(t.fx, VDSX_FAULT_OUT_OF_MEMORY, t.fx->provider_id);
		if (hr != E_OUTOFMEMORY)
			fail_msg("%s gives %#x without memory", methods[i].name, (unsigned)hr);
	}
	assert_int_equal(t.bad_outputs, 0);
	fx_unchanged(t.fx, before);
	target_drop(&t);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		ROW(G1, "every_listing_method_answers_cache_corrupt", g1),
		ROW(G2, "reenumerate_refresh_cures_each_kind", g2),
		ROW(G3, "array_unchanged_and_io_goes_on", g3),
		ROW(G4, "stays_while_the_array_does_not_answer", g4),
		ROW(G5, "provider_is_reachable_while_corrupt", g5),
		ROW(G6, "removed_meanwhile_is_deleted_with_depart", g6),
		ROW(G7, "refresh_tells_the_differences", g7),
		ROW(G9, "codes_are_documented", g9_as_it_is),
		ROW(G9, "codes_are_documented_drive_failed", g9_drive_failed),
		ROW(G9, "codes_are_documented_drive_pulled", g9_drive_pulled),
		ROW(G9, "codes_are_documented_lun_failed", g9_lun_failed),
		ROW(G9, "codes_are_documented_subsystem_failed", g9_subsystem_failed),
		ROW(G9, "codes_are_documented_subsystem_gone", g9_subsystem_gone),
		ROW(G9, "codes_are_documented_corrupt", g9_corrupt),
		ROW(G9, "codes_are_documented_lun_deleted", g9_lun_deleted),
		ROW(G9, "codes_are_documented_rebuilding", g9_rebuilding),
		ROW(G10, "failure_changes_nothing_and_empties_outputs", g10),
	};

	return cmocka_run_group_tests_name("Corrupt cache and lists of codes", rows, NULL, NULL);
}
