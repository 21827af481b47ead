/* SPDX-License-Identifier: Apache-2.0 */
/* Rows D21 to D40: IVdsLun::Recover, when it refuses, and how it ends. */
#include "rig.h"

#include <stdlib.h>

static void expect_busy(struct rig *r)
{
	IVdsAsync *async = (void *)r;

	assert_hr(IVdsLun_Recover(r->lun, &async), VDS_E_ANOTHER_CALL_IN_PROGRESS);
	assert_null(async);
}

static void d21(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);

	rig_fail(&r, 0);
	rig_slow(&r);
	IVdsAsync *async = rig_recover(&r);
	expect_busy(&r);
	rig_fast(&r);
	assert_ok(fx_wait(async, VDS_ASYNCOUT_RECOVERLUN));
	assert_ok(fx_wait(rig_recover(&r), VDS_ASYNCOUT_RECOVERLUN));
	rig_drop(&r);
}

/* ---- D22: other operations, held inside their call and while their job runs ---------------- */

struct other {
	struct rig *r;
	VDS_OBJECT_ID id, id2;
	IVdsAsync *async;
};

static HRESULT extend(void *arg)
{
	struct other *o = arg;

	return IVdsLun_Extend(o->r->lun, 8 * MIB, NULL, 0, &o->async);
}

static HRESULT shrink(void *arg)
{
	struct other *o = arg;

	return IVdsLun_Shrink(o->r->lun, 8 * MIB, &o->async);
}

static HRESULT add_plex(void *arg)
{
	struct other *o = arg;

	return IVdsLun_AddPlex(o->r->lun, o->id, &o->async);
}

static HRESULT remove_plex(void *arg)
{
	struct other *o = arg;

	return IVdsLun_RemovePlex(o->r->lun, o->id, &o->async);
}

static HRESULT replace(void *arg)
{
	struct other *o = arg;

	return IVdsSubSystem_ReplaceDrive(o->r->fx->sub, o->id, o->id2);
}

static void during(struct rig *r, HRESULT (*fn)(void *), struct other *o, const WCHAR *point)
{
	struct fx_thread t;

	o->r = r;
	fx_hold(r->fx, point);
	fx_spawn(&t, fn, o);
	fx_wait_held(r->fx, point);
	expect_busy(r);
	fx_hold(r->fx, VDS_TEXT("job:start"));
	fx_resume(r->fx, point);
	assert_ok(fx_join(&t));
	fx_wait_held(r->fx, VDS_TEXT("job:start"));
	expect_busy(r);
	fx_resume(r->fx, VDS_TEXT("job:start"));
	if (o->async)
		assert_ok(fx_wait(o->async, 0));
	o->async = NULL;
}

static VDS_OBJECT_ID first_plex(IVdsLun *lun)
{
	IEnumVdsObject *list;
	IUnknown *unk;
	IVdsLunPlex *plex;
	VDS_LUN_PLEX_PROP prop;
	ULONG got;

	assert_ok(IVdsLun_QueryPlexes(lun, &list));
	assert_ok(IEnumVdsObject_Next(list, 1, &unk, &got));
	IEnumVdsObject_Release(list);
	assert_ok(IUnknown_QueryInterface(unk, &IID_IVdsLunPlex, (void **)&plex));
	assert_ok(IVdsLunPlex_GetProperties(plex, &prop));
	IVdsLunPlex_Release(plex);
	IUnknown_Release(unk);
	return prop.id;
}

static void d22_size(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 0);
	struct other o = {0};

	during(&r, extend, &o, VDS_TEXT("IVdsLun::Extend"));
	during(&r, shrink, &o, VDS_TEXT("IVdsLun::Shrink"));
	rig_drop(&r);
}

static void d22_plexes(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 0);
	IVdsDrive *third = fx_add_drive(r.fx, 96 * MIB);
	IVdsLun *absorbed = fx_add_lun(r.fx, VDS_LT_SIMPLE, RIG_MIB * MIB, &third, 1);
	struct other o = {.id = fx_lun_id(absorbed)};

	during(&r, add_plex, &o, VDS_TEXT("IVdsLun::AddPlex"));
	o.id = first_plex(r.lun);
	during(&r, remove_plex, &o, VDS_TEXT("IVdsLun::RemovePlex"));
	IVdsLun_Release(absorbed);
	IVdsDrive_Release(third);
	rig_drop(&r);
}

static void d22_replace(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 0);
	IVdsDrive *third = fx_add_drive(r.fx, 96 * MIB);
	struct other o = {.id = r.ids[0], .id2 = fx_drive_id(third)};

	during(&r, replace, &o, VDS_TEXT("IVdsSubSystem::ReplaceDrive"));
	IVdsDrive_Release(third);
	rig_drop(&r);
}

static void d23(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);

	rig_slow(&r);
	fx_set(r.fx, VDSX_SETTING_AUTO_RECOVERY, 1);
	rig_fail(&r, 0);
	FX_UNTIL(rig_health(&r) == VDS_H_REBUILDING);
	expect_busy(&r);
	rig_fast(&r);
	rig_healthy(&r);
	rig_drop(&r);
}

/* ---- D24 to D30 ---------------------------------------------------------------------------- */

static void not_fault_tolerant(void **state, VDS_LUN_TYPE type, unsigned count)
{
	struct rig r = rig_make(state, type, count, 1);
	IVdsAsync *async = (void *)&r;
	char *before = fx_snapshot(r.fx);

	HRESULT hr = IVdsLun_Recover(r.lun, &async);
	assert_hr(hr, VDS_E_INVALID_OPERATION);
	assert_int_equal((unsigned)hr, 0x80042415u);
	assert_null(async);
	fx_unchanged(r.fx, before);
	rig_drop(&r);
}

static void d24_simple(void **state)
{
	not_fault_tolerant(state, VDS_LT_SIMPLE, 1);
}

static void d24_span(void **state)
{
	not_fault_tolerant(state, VDS_LT_SPAN, 2);
}

static void d24_stripe(void **state)
{
	not_fault_tolerant(state, VDS_LT_STRIPE, 2);
}

static void d25(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);
	IVdsAsync *async = NULL;

	assert_ok(IVdsLun_RemovePlex(r.lun, first_plex(r.lun), &async));
	assert_ok(fx_wait(async, VDS_ASYNCOUT_REMOVELUNPLEX));
	async = NULL;
	assert_hr(IVdsLun_Recover(r.lun, &async), VDS_E_INVALID_OPERATION);
	assert_null(async);
	fx_verify(r.lun, 0, RIG_MIB * MIB, 1);
	rig_drop(&r);
}

static void d26(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);

	rig_fail(&r, 0);
	fx_notes_reset(r.fx);
	char *before = fx_snapshot(r.fx);
	assert_hr(IVdsLun_Recover(r.lun, NULL), E_INVALIDARG);
	fx_unchanged(r.fx, before);
	rig_drop(&r);
}

static void d27(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);
	IVdsAsync *async = (void *)&r;

	rig_fail(&r, 0);
	fx_notes_reset(r.fx);
	/* every allocation of the call fails once, until one call gets through */
	ULONGLONG n = 1;
	for (;; n++) {
		char *before = fx_snapshot(r.fx);
		fx_inject(r.fx, VDSX_FAULT_OUT_OF_MEMORY, r.fx->provider_id, 0, n);
		HRESULT hr = IVdsLun_Recover(r.lun, &async);
		fx_clear(r.fx, VDSX_FAULT_OUT_OF_MEMORY, r.fx->provider_id);
		if (hr == S_OK) {
			free(before);
			break;
		}
		assert_hr(hr, E_OUTOFMEMORY);
		assert_null(async);
		fx_unchanged(r.fx, before);
	}
	assert_true(n > 2);
	assert_ok(fx_wait(async, VDS_ASYNCOUT_RECOVERLUN));
	char *before = fx_snapshot(r.fx);
	fx_notes_reset(r.fx);
	fx_inject(r.fx, VDSX_FAULT_SYSTEM_ERROR, r.fx->provider_id, 0, 1117);
	assert_hr(IVdsLun_Recover(r.lun, &async), HRESULT_FROM_WIN32(1117));
	assert_null(async);
	fx_unchanged(r.fx, before);
	rig_drop(&r);
}

static void d28(void **state)
{
	struct rig r = rig_make(state, VDS_LT_RAID5, 3, 1);
	ULONG percent;
	HRESULT hr;

	IVdsAsync *async = rig_recover(&r);
	do {
		assert_int_equal(rig_health(&r), VDS_H_HEALTHY);
		assert_ok(IVdsAsync_QueryStatus(async, &hr, &percent));
	} while (hr == VDS_E_OPERATION_PENDING);
	assert_ok(hr);
	assert_int_equal(percent, 100);
	assert_ok(fx_wait(async, VDS_ASYNCOUT_RECOVERLUN));
	rig_healthy(&r);
	assert_true(rig_flags(&r, 3) & VDS_DRF_HOTSPARE_STANDBY);
	rig_drop(&r);
}

static void d29(void **state)
{
	struct rig r = rig_make(state, VDS_LT_RAID5, 3, 0);

	rig_fail(&r, 0);
	assert_hr(fx_wait(rig_recover(&r), VDS_ASYNCOUT_RECOVERLUN), VDS_E_NOT_ENOUGH_DRIVE);
	assert_int_equal(rig_health(&r), VDS_H_FAILED_REDUNDANCY);
	assert_int_equal(rig_status(&r), VDS_LS_ONLINE);
	rig_drop(&r);
}

static void d30(void **state)
{
	struct fx *fx = *state;
	IVdsDrive *drives[3];

	fx_add_drives(fx, drives, 2, 256);
	drives[2] = fx_add_drive(fx, 64 * MIB);
	IVdsLun *lun = fx_add_lun(fx, VDS_LT_MIRROR, 128 * MIB, drives, 2);
	IVdsAsync *async = NULL;
	assert_ok(IVdsDrive_SetFlags(drives[2], VDS_DRF_HOTSPARE));
	fx_inject(fx, VDSX_FAULT_FAILED, fx_drive_id(drives[0]), 0, 0);
	assert_ok(IVdsLun_Recover(lun, &async));
	assert_hr(fx_wait(async, VDS_ASYNCOUT_RECOVERLUN), VDS_E_NOT_ENOUGH_SPACE);
	assert_int_equal(fx_lun_prop(lun).health, VDS_H_FAILED_REDUNDANCY);
	assert_true(fx_drive_prop(drives[2]).ulFlags & VDS_DRF_HOTSPARE_STANDBY);
	IVdsLun_Release(lun);
	for (unsigned i = 0; i < 3; i++)
		IVdsDrive_Release(drives[i]);
}

/* ---- D31 to D40 ---------------------------------------------------------------------------- */

static ULONG percent_of(IVdsAsync *async)
{
	ULONG percent = 0;
	HRESULT hr;

	assert_ok(IVdsAsync_QueryStatus(async, &hr, &percent));
	assert_hr(hr, VDS_E_OPERATION_PENDING);
	return percent;
}

/* While the lost member is being rebuilt, another is lost. */
static void d31(void **state)
{
	struct rig r = rig_make(state, VDS_LT_RAID5, 3, 1);

	rig_fail(&r, 0);
	rig_slow(&r);
	IVdsAsync *async = rig_recover(&r);
	FX_UNTIL(percent_of(async) > 0);
	assert_int_equal(rig_health(&r), VDS_H_REBUILDING);
	rig_fail(&r, 1);
	rig_fast(&r);
	assert_hr(fx_wait(async, VDS_ASYNCOUT_RECOVERLUN), VDS_E_OBJECT_STATUS_FAILED);
	assert_int_equal(rig_status(&r), VDS_LS_FAILED);
	assert_int_equal(rig_health(&r), VDS_H_FAILED);
	rig_drop(&r);
}

static void d32(void **state)
{
	struct rig r = rig_make(state, VDS_LT_RAID5, 3, 1);
	VDS_ASYNC_OUTPUT output;
	HRESULT hr;
	ULONG percent;

	rig_fail(&r, 0);
	rig_slow(&r);
	IVdsAsync *async = rig_recover(&r);
	assert_ok(IVdsAsync_Cancel(async));
	assert_ok(IVdsAsync_Wait(async, &hr, &output));
	assert_hr(hr, VDS_E_OPERATION_CANCELED);
	assert_ok(IVdsAsync_QueryStatus(async, &hr, &percent));
	assert_hr(hr, VDS_E_OPERATION_CANCELED);
	assert_int_equal(rig_health(&r), VDS_H_FAILED_REDUNDANCY);
	fx_verify(r.lun, 0, RIG_MIB * MIB, 1);
	IVdsAsync_Release(async);
	rig_drop(&r);
}

static void d33(void **state)
{
	struct rig r = rig_make(state, VDS_LT_RAID5, 3, 1);
	VDS_ASYNC_OUTPUT output;
	HRESULT hr;

	rig_fail(&r, 0);
	rig_slow(&r);
	IVdsAsync *async = rig_recover(&r);
	assert_ok(IVdsAsync_Cancel(async));
	assert_hr(IVdsAsync_Cancel(async), VDS_E_OPERATION_CANCELED);
	assert_ok(IVdsAsync_Wait(async, &hr, &output));
	assert_hr(IVdsAsync_Cancel(async), VDS_E_OPERATION_CANCELED);
	IVdsAsync_Release(async);
	rig_fast(&r);
	async = rig_recover(&r);
	assert_ok(IVdsAsync_Wait(async, &hr, &output));
	assert_ok(hr);
	assert_hr(IVdsAsync_Cancel(async), VDS_E_CANCEL_TOO_LATE);
	IVdsAsync_Release(async);
	rig_drop(&r);
}

static void d34(void **state)
{
	struct rig r = rig_make(state, VDS_LT_RAID5, 3, 1);

	rig_fail(&r, 0);
	rig_slow(&r);
	IVdsAsync *async = rig_recover(&r);
	assert_ok(IVdsAsync_Cancel(async));
	assert_hr(fx_wait(async, VDS_ASYNCOUT_RECOVERLUN), VDS_E_OPERATION_CANCELED);
	rig_fast(&r);
	assert_ok(fx_wait(rig_recover(&r), VDS_ASYNCOUT_RECOVERLUN));
	rig_healthy(&r);
	rig_drop(&r);
}

static void d35(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);

	assert_ok(IVdsLun_SetStatus(r.lun, VDS_LS_OFFLINE));
	rig_fail(&r, 0);
	rig_slow(&r);
	IVdsAsync *async = rig_recover(&r);
	assert_int_equal(rig_status(&r), VDS_LS_OFFLINE);
	assert_int_equal(rig_health(&r), VDS_H_REBUILDING);
	rig_fast(&r);
	assert_ok(fx_wait(async, VDS_ASYNCOUT_RECOVERLUN));
	assert_int_equal(rig_status(&r), VDS_LS_OFFLINE);
	assert_int_equal(rig_health(&r), VDS_H_HEALTHY);
	assert_ok(IVdsLun_SetStatus(r.lun, VDS_LS_ONLINE));
	rig_healthy(&r);
	rig_drop(&r);
}

static void d36(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);

	assert_int_equal(
		rig_flags(&r, 2), VDS_DRF_HOTSPARE | VDS_DRF_HOTSPARE_STANDBY | VDS_DRF_UNASSIGNED);
	rig_fail(&r, 0);
	rig_slow(&r);
	IVdsAsync *async = rig_recover(&r);
	FX_UNTIL(rig_flags(&r, 2) ==
		 (VDS_DRF_HOTSPARE | VDS_DRF_HOTSPARE_IN_USE | VDS_DRF_ASSIGNED));
	rig_fast(&r);
	assert_ok(fx_wait(async, VDS_ASYNCOUT_RECOVERLUN));
	assert_int_equal(rig_flags(&r, 2), VDS_DRF_ASSIGNED);
	rig_drop(&r);
}

static ULONGLONG largest(struct fx *fx, IVdsDrive *drive)
{
	VDS_OBJECT_ID id = fx_drive_id(drive);
	VDS_HINTS hints = {0};
	ULONGLONG size = 1;

	HRESULT hr =
		IVdsSubSystem_QueryMaxLunCreateSize(fx->sub, VDS_LT_SIMPLE, &id, 1, &hints, &size);
	return hr == S_OK ? size : 0;
}

/* A bigger spare with old data on it. */
static void d37(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 0);
	IVdsDrive *spare = fx_add_drive(r.fx, 256 * MIB);
	IVdsLun *old = fx_add_lun(r.fx, VDS_LT_SIMPLE, 100 * MIB, &spare, 1);

	fx_fill(old, 0, 100 * MIB, 9);
	assert_ok(IVdsLun_Delete(old));
	IVdsLun_Release(old);
	assert_true(largest(r.fx, spare) > 100 * MIB);
	assert_ok(IVdsDrive_SetFlags(spare, VDS_DRF_HOTSPARE));
	assert_int_equal(largest(r.fx, spare), 0);
	rig_fail(&r, 0);
	rig_slow(&r);
	IVdsAsync *async = rig_recover(&r);
	FX_UNTIL(fx_drive_prop(spare).ulFlags & VDS_DRF_HOTSPARE_IN_USE);
	assert_int_equal(largest(r.fx, spare), 0); /* the surplus is not offered */
	rig_fast(&r);
	assert_ok(fx_wait(async, VDS_ASYNCOUT_RECOVERLUN));
	rig_healthy(&r);
	rig_fail(&r, 1);
	fx_verify(r.lun, 0, RIG_MIB * MIB, 1); /* nothing of the old content */
	IVdsDrive_Release(spare);
	rig_drop(&r);
}

/* Two losses and one spare, big enough for two: it stands in for one of them. */
static void d38(void **state)
{
	struct rig r = rig_make(state, VDS_LT_RAID6, 4, 0);
	IVdsDrive *spare = fx_add_drive(r.fx, 256 * MIB);

	assert_ok(IVdsDrive_SetFlags(spare, VDS_DRF_HOTSPARE));
	rig_fail(&r, 0);
	rig_fail(&r, 1);
	HRESULT hr = fx_wait(rig_recover(&r), VDS_ASYNCOUT_RECOVERLUN);
	assert_hr(hr, VDS_E_NOT_ENOUGH_DRIVE); /* for the second */
	assert_int_equal(rig_health(&r), VDS_H_FAILED_REDUNDANCY);
	assert_int_equal(rig_is_member(&r, 0) + rig_is_member(&r, 1), 1);
	fx_verify(r.lun, 0, RIG_MIB * MIB, 1);
	IVdsDrive_Release(spare);
	rig_drop(&r);
}

static void d39(void **state)
{
	struct fx *fx = *state;
	IVdsDrive *drives[3];
	VDS_HINTS hints = {0};
	ULONGLONG size = 0;
	WCHAR none[1] = {0};
	IVdsAsync *async = NULL;

	fx_add_drives(fx, drives, 3, 96);
	assert_ok(IVdsDrive_SetFlags(drives[2], VDS_DRF_HOTSPARE));
	assert_ok(IVdsSubSystem_QueryMaxLunCreateSize(
		fx->sub, VDS_LT_STRIPE, NULL, 0, &hints, &size));
	IVdsLun *full = fx_add_lun(fx, VDS_LT_STRIPE, size, drives, 2);
	HRESULT hr = IVdsSubSystem_CreateLun(
		fx->sub, VDS_LT_SIMPLE, 16 * MIB, NULL, 0, none, NULL, &async);
	assert_true(hr == VDS_E_NOT_ENOUGH_DRIVE || hr == VDS_E_NOT_ENOUGH_SPACE);
	assert_null(async);
	IVdsLun_Release(full);
	for (unsigned i = 0; i < 3; i++)
		IVdsDrive_Release(drives[i]);
}

static void d40(void **state)
{
	static const struct {
		VDS_LUN_TYPE type;
		unsigned count;
	} types[] = {
		{VDS_LT_MIRROR, 2},
		{VDS_LT_PARITY, 3},
		{VDS_LT_RAID5, 3},
		{VDS_LT_RAID6, 4},
		{VDS_LT_RAID10, 4},
		{VDS_LT_RAID50, 6},
		{VDS_LT_RAID60, 8},
	};
	struct fx *fx = *state;
	IVdsDrive *drives[8];

	fx_add_drives(fx, drives, 8, 128);
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		IVdsLun *lun = fx_add_lun(fx, types[i].type, 6 * MIB, drives, types[i].count);
		IVdsAsync *async = NULL;
		assert_int_equal(fx_lun_prop(lun).type, types[i].type);
		assert_ok(IVdsLun_Recover(lun, &async));
		assert_ok(fx_wait(async, VDS_ASYNCOUT_RECOVERLUN));
		IVdsLun_Release(lun);
	}
	for (unsigned i = 0; i < 8; i++)
		IVdsDrive_Release(drives[i]);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		ROW(D21, "another_recover_is_in_progress", d21),
		ROW(D22, "busy_during_extend_and_shrink", d22_size),
		ROW(D22, "busy_during_addplex_and_removeplex", d22_plexes),
		ROW(D22, "busy_during_replacedrive", d22_replace),
		ROW(D23, "busy_during_automatic_rebuild", d23),
		ROW(D24, "invalid_operation_simple", d24_simple),
		ROW(D24, "invalid_operation_span", d24_span),
		ROW(D24, "invalid_operation_stripe", d24_stripe),
		ROW(D25, "invalid_operation_after_removeplex", d25),
		ROW(D26, "null_async_is_invalidarg_nothing_starts", d26),
		ROW(D27, "out_of_memory_and_system_error", d27),
		ROW(D28, "healthy_is_checked_and_stays_healthy", d28),
		ROW(D29, "no_spare_ends_not_enough_drive", d29),
		ROW(D30, "small_spare_ends_not_enough_space", d30),
		ROW(D31, "second_failure_ends_status_failed", d31),
		ROW(D32, "cancel", d32),
		ROW(D33, "cancel_too_late_and_cancel_again", d33),
		ROW(D34, "recover_again_after_cancel", d34),
		ROW(D35, "offline_lun_recovers_and_stays_offline", d35),
		ROW(D36, "flags_of_the_spare", d36),
		ROW(D37, "spare_is_overwritten_surplus_not_offered", d37),
		ROW(D38, "one_spare_for_one_drive", d38),
		ROW(D39, "createlun_does_not_use_a_spare", d39),
		ROW(D40, "never_not_supported", d40),
	};

	return cmocka_run_group_tests_name("Recover: refusals and ends", rows, NULL, NULL);
}
