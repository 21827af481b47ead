/* SPDX-License-Identifier: Apache-2.0 */
/* Rows A: IVdsMaintenance::StartMaintenance. */
#include "maint_rows.h"

#include "other_process.h"

#include <stdlib.h>

enum { INTERVAL = 40 }; /* ms of one pulse: twice the setting of the fixture */

static void wait_intervals(unsigned n)
{
	uint64_t end = fx_now_ms() + n * INTERVAL;

	while (fx_now_ms() < end)
		fx_pause();
}

static void a1(void **state)
{
	struct bench b = bench_make(state);

	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_IDLE);
	assert_ok(start(b.m, BlinkLight));
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_RUNNING);
	bench_drop(&b);
}

static void a2(void **state)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	wait_intervals(10);
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_RUNNING);
	bench_drop(&b);
}

/* Another process starts it and ends; this one finds it running. */
static void a3(void **state)
{
	struct bench b = bench_make(state);
	VDS_OBJECT_ID id = fx_drive_id(b.drive);

	bench_drop(&b);
	fx_close(b.fx);
	assert_int_equal(other_process(b.fx->dir, "start", id), 0);
	fx_open(b.fx, 0);
	IVdsDrive *drive = fx_drive_by_id(b.fx, id);
	assert_int_equal(fx_maint_mode(drive, BlinkLight), VDSX_MAINTENANCE_RUNNING);
	IVdsDrive_Release(drive);
}

static void a4(void **state)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	assert_ok(stop(b.m, BlinkLight));
	ULONGLONG since = fx_wall_ms();
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_IDLE);
	wait_intervals(3);
	assert_int_equal(fx_pulses(b.drive, BlinkLight, since), 0);
	bench_drop(&b);
}

static void a5(void **state)
{
	struct bench b = bench_make(state);
	ULONGLONG since = fx_wall_ms();

	assert_ok(start(b.m, BlinkLight));
	assert_ok(pulse(b.m, BlinkLight, 3));
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_PULSING);
	FX_UNTIL(fx_maint_mode(b.drive, BlinkLight) == VDSX_MAINTENANCE_IDLE);
	assert_int_equal(fx_pulses(b.drive, BlinkLight, since), 3);
	bench_drop(&b);
}

static void a6(void **state)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	assert_ok(pulse(b.m, BlinkLight, 50));
	assert_ok(start(b.m, BlinkLight));
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_RUNNING);
	wait_intervals(60);
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_RUNNING);
	bench_drop(&b);
}

static void a7(void **state)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	assert_ok(pulse(b.m, BlinkLight, 50));
	assert_ok(start(b.m, BlinkLight));
	ULONGLONG since = fx_wall_ms();
	assert_ok(pulse(b.m, BlinkLight, 2));
	FX_UNTIL(fx_maint_mode(b.drive, BlinkLight) == VDSX_MAINTENANCE_IDLE);
	assert_int_equal(fx_pulses(b.drive, BlinkLight, since), 2);
	bench_drop(&b);
}

static void a8(void **state)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	assert_ok(pulse(b.m, BlinkLight, 50));
	assert_ok(start(b.m, BlinkLight));
	assert_ok(stop(b.m, BlinkLight));
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_IDLE);
	bench_drop(&b);
}

static void a9(void **state)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	ULONGLONG at = fx_maint_state(b.drive, BlinkLight).ullStartedAt;
	assert_ok(start(b.m, BlinkLight));
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_RUNNING);
	assert_true(fx_maint_state(b.drive, BlinkLight).ullStartedAt == at);
	bench_drop(&b);
}

static void a10(void **state)
{
	struct bench b = bench_make(state);

	for (int op = BlinkLight; op <= Ping; op++) {
		assert_ok(start(b.m, op));
		assert_int_equal(fx_maint_mode(b.drive, (VDS_MAINTENANCE_OPERATION)op),
			VDSX_MAINTENANCE_RUNNING);
		assert_ok(stop(b.m, op));
	}
	bench_drop(&b);
}

static void a11(void **state)
{
	struct bench b = bench_make(state);
	char *before = fx_snapshot(b.fx);

	assert_hr(start(b.m, 0), E_INVALIDARG);
	assert_hr(start(b.m, 6), E_INVALIDARG);
	assert_hr(start(b.m, -1), E_INVALIDARG); /* 0xFFFFFFFF */
	fx_unchanged(b.fx, before);
	bench_drop(&b);
}

static void a12(void **state)
{
	row_no_memory(state, act_start);
}

static void a13(void **state)
{
	row_system_error(state, act_start);
}

static void a14(void **state)
{
	struct bench b = bench_make(state);

	fx_corrupt(b.fx);
	HRESULT hr = start(b.m, BlinkLight);
	assert_hr(hr, VDS_E_PROVIDER_CACHE_CORRUPT);
	assert_int_equal((unsigned)hr, 0x8004241Fu);
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_IDLE);
	bench_drop(&b);
}

static void a15(void **state)
{
	struct bench b = bench_make(state);

	fx_corrupt(b.fx);
	assert_hr(start(b.m, BlinkLight), VDS_E_PROVIDER_CACHE_CORRUPT);
	assert_ok(IVdsHwProvider_Reenumerate(b.fx->hw));
	assert_ok(IVdsHwProvider_Refresh(b.fx->hw));
	assert_ok(start(b.m, BlinkLight));
	bench_drop(&b);
}

static void a16(void **state)
{
	struct bench b = bench_make(state);

	fx_corrupt(b.fx);
	assert_ok(IVdsHwProvider_Reenumerate(b.fx->hw));
	assert_hr(start(b.m, BlinkLight), VDS_E_PROVIDER_CACHE_CORRUPT);
	bench_drop(&b);
}

static void a17(void **state)
{
	struct bench b = bench_make(state);

	fx_corrupt(b.fx);
	assert_hr(IVdsHwProvider_Refresh(b.fx->hw), VDS_E_PROVIDER_CACHE_CORRUPT);
	assert_hr(start(b.m, BlinkLight), VDS_E_PROVIDER_CACHE_CORRUPT);
	bench_drop(&b);
}

static void a18(void **state)
{
	struct bench b = bench_make(state);
	VDS_OBJECT_ID id = fx_drive_id(b.drive);

	fx_corrupt(b.fx);
	fx_cure(b.fx);
	assert_ok(start(b.m, BlinkLight));
	assert_true(fx_same(fx_drive_id(b.drive), id));
	IVdsDrive *again = fx_drive_by_id(b.fx, id);
	assert_ptr_equal(again, b.drive);
	IVdsDrive_Release(again);
	assert_true(fx_same(fx_sub_prop(b.fx->sub).id, b.fx->sub_id));
	bench_drop(&b);
}

static void a19(void **state)
{
	struct bench b = bench_make(state);
	IVdsMaintenance *sub = fx_maint(b.fx->sub);

	fx_inject(b.fx, VDSX_FAULT_GONE, b.fx->sub_id, 0, 0);
	assert_ok(IVdsHwProvider_Reenumerate(b.fx->hw));
	assert_hr(start(b.m, BlinkLight), VDS_E_OBJECT_DELETED);
	assert_hr(start(sub, BlinkLight), VDS_E_OBJECT_DELETED);
	IVdsMaintenance_Release(sub);
	bench_drop(&b);
}

static void a20(void **state)
{
	row_object_deleted(state, act_start);
}

static void a21(void **state)
{
	row_status_failed(state, act_start);
}

static void a22(void **state)
{
	struct bench b = bench_make(state);

	fx_inject(b.fx, VDSX_FAULT_FAILED, fx_drive_id(b.drive), 0, 0);
	assert_int_equal(fx_drive_prop(b.drive).status, VDS_DRS_FAILED);
	assert_hr(start(b.m, SpinUp), VDS_E_OBJECT_STATUS_FAILED);
	assert_hr(start(b.m, SpinDown), VDS_E_OBJECT_STATUS_FAILED);
	assert_hr(start(b.m, Ping), VDS_E_OBJECT_STATUS_FAILED);
	assert_ok(start(b.m, BlinkLight));
	assert_ok(start(b.m, BeepAlarm));
	bench_drop(&b);
}

static void a23(void **state)
{
	row_another_call(state, act_start);
}

static void a24(void **state)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	assert_ok(start(b.m, Ping));
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_RUNNING);
	assert_int_equal(fx_maint_mode(b.drive, Ping), VDSX_MAINTENANCE_RUNNING);
	bench_drop(&b);
}

static void a25(void **state)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, SpinDown));
	assert_ok(start(b.m, SpinUp));
	assert_int_equal(fx_maint_mode(b.drive, SpinDown), VDSX_MAINTENANCE_IDLE);
	assert_int_equal(fx_maint_mode(b.drive, SpinUp), VDSX_MAINTENANCE_RUNNING);
	bench_drop(&b);
}

static void a26(void **state)
{
	row_not_supported(state, act_start);
}

/* Objects that have no lights: the plex of a LUN, and the provider. (Targets come with iSCSI.) */
static void a27(void **state)
{
	struct bench b = bench_make(state);
	IVdsLun *lun = fx_add_lun(b.fx, VDS_LT_SIMPLE, 8 * MIB, &b.drive, 1);
	IEnumVdsObject *list;
	IUnknown *plex;
	ULONG got;
	void *out = &out;

	assert_ok(IVdsLun_QueryPlexes(lun, &list));
	assert_ok(IEnumVdsObject_Next(list, 1, &plex, &got));
	assert_hr(IUnknown_QueryInterface(plex, &IID_IVdsMaintenance, &out), E_NOINTERFACE);
	assert_null(out);
	out = &out;
	assert_hr(
		IVdsHwProvider_QueryInterface(b.fx->hw, &IID_IVdsMaintenance, &out), E_NOINTERFACE);
	assert_null(out);
	IUnknown_Release(plex);
	IEnumVdsObject_Release(list);
	IVdsLun_Release(lun);
	bench_drop(&b);
}

static void a28(void **state)
{
	struct bench b = bench_make(state);
	IVdsLun *lun = fx_add_lun(b.fx, VDS_LT_SIMPLE, 8 * MIB, &b.drive, 1);
	void *objects[] = {b.fx->sub, b.fx->controller, lun, b.drive, b.fx->port};

	for (unsigned i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		IVdsMaintenance *m = fx_maint(objects[i]);
		assert_ok(start(m, BlinkLight));
		assert_ok(stop(m, BlinkLight));
		IVdsMaintenance_Release(m);
	}
	IVdsLun_Release(lun);
	bench_drop(&b);
}

static void a29(void **state)
{
	struct fx *fx = *state;
	IVdsDrive *drives[3];

	fx_add_drives(fx, drives, 3, 96);
	IVdsLun *lun = fx_add_lun(fx, VDS_LT_MIRROR, 8 * MIB, drives, 2);
	IVdsMaintenance *ml = fx_maint(lun), *md = fx_maint(drives[0]);
	assert_ok(start(ml, BlinkLight));
	assert_true(fx_maint_state(drives[0], BlinkLight).bEffective);
	assert_true(fx_maint_state(drives[1], BlinkLight).bEffective);
	assert_false(fx_maint_state(drives[2], BlinkLight).bEffective);
	assert_int_equal(fx_maint_mode(drives[0], BlinkLight), VDSX_MAINTENANCE_IDLE);
	assert_ok(start(md, BlinkLight));
	assert_ok(stop(ml, BlinkLight));
	assert_true(fx_maint_state(drives[0], BlinkLight).bEffective);
	assert_false(fx_maint_state(drives[1], BlinkLight).bEffective);
	IVdsMaintenance_Release(ml);
	IVdsMaintenance_Release(md);
	IVdsLun_Release(lun);
	for (unsigned i = 0; i < 3; i++)
		IVdsDrive_Release(drives[i]);
}

static void a30(void **state)
{
	struct bench b = bench_make(state);

	for (int op = BlinkLight; op <= Ping; op++)
		assert_ok(start(b.m, op));
	assert_ok(pulse(b.m, BlinkLight, 2));
	assert_ok(stop(b.m, BeepAlarm));
	FX_UNTIL(fx_maint_mode(b.drive, BlinkLight) == VDSX_MAINTENANCE_IDLE);
	assert_int_equal(fx_notes(b.fx, NULL), 0);
	bench_drop(&b);
}

/* The service hands out the provider's own objects, so both ways are asked on one drive: found
 * through the service, and through the provider's subsystem. */
static void a31(void **state)
{
	struct bench b = bench_make(state);
	VDS_DRIVE_PROP p = fx_drive_prop(b.drive);
	IVdsDrive *by_service = fx_drive_by_id(b.fx, p.id), *by_provider = NULL;

	assert_ok(IVdsSubSystem_GetDrive(
		b.fx->sub, p.sInternalBusNumber, p.sSlotNumber, &by_provider));
	IVdsMaintenance *m1 = fx_maint(by_service), *m2 = fx_maint(by_provider);
	fx_corrupt(b.fx);
	assert_hr(start(m1, BlinkLight), VDS_E_PROVIDER_CACHE_CORRUPT);
	assert_hr(start(m2, BlinkLight), VDS_E_PROVIDER_CACHE_CORRUPT);
	fx_cure(b.fx);
	fx_inject(b.fx, VDSX_FAULT_FAILED, p.id, 0, 0);
	assert_hr(start(m1, Ping), VDS_E_OBJECT_STATUS_FAILED);
	assert_hr(start(m2, Ping), VDS_E_OBJECT_STATUS_FAILED);
	IVdsMaintenance_Release(m1);
	IVdsMaintenance_Release(m2);
	IVdsDrive_Release(by_service);
	IVdsDrive_Release(by_provider);
	bench_drop(&b);
}

static HRESULT set_offline(void *arg)
{
	return IVdsDrive_SetStatus((IVdsDrive *)arg, VDS_DRS_OFFLINE);
}

static void a32(void **state)
{
	struct bench b = bench_make(state);
	struct fx_thread t;

	fx_hold(b.fx, VDS_TEXT("IVdsDrive::SetStatus"));
	fx_spawn(&t, set_offline, b.drive);
	fx_wait_held(b.fx, VDS_TEXT("IVdsDrive::SetStatus"));
	assert_int_equal(fx_drive_prop(b.drive).status, VDS_DRS_ONLINE);
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_IDLE);
	assert_int_equal(fx_sub_prop(b.fx->sub).status, VDS_SSS_ONLINE);
	fx_resume(b.fx, VDS_TEXT("IVdsDrive::SetStatus"));
	assert_ok(fx_join(&t));
	bench_drop(&b);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		ROW(A1, "start_on_idle_runs", a1),
		ROW(A2, "running_has_no_end", a2),
		ROW(A3, "outlives_client_and_process", a3),
		ROW(A4, "stop_ends_running_at_once", a4),
		ROW(A5, "pulse_on_running_counts_then_stops", a5),
		ROW(A6, "start_on_pulsing_runs_on", a6),
		ROW(A7, "pulse_after_that_pulses", a7),
		ROW(A8, "stop_after_that_stops", a8),
		ROW(A9, "start_on_running_is_unchanged", a9),
		ROW(A10, "all_five_operations_start_on_a_drive", a10),
		ROW(A11, "bad_operation_is_invalidarg", a11),
		ROW(A12, "out_of_memory_changes_nothing", a12),
		ROW(A13, "system_error_as_hresult", a13),
		ROW(A14, "corrupt_cache", a14),
		ROW(A15, "reenumerate_then_refresh_cures", a15),
		ROW(A16, "reenumerate_alone_does_not", a16),
		ROW(A17, "refresh_alone_does_not", a17),
		ROW(A18, "held_pointers_work_after_the_cure", a18),
		ROW(A19, "object_deleted_subsystem_gone", a19),
		ROW(A20, "object_deleted_object_gone", a20),
		ROW(A21, "status_failed_subsystem", a21),
		ROW(A22, "failed_drive_blinks_but_does_not_spin", a22),
		ROW(A23, "another_call_in_progress", a23),
		ROW(A24, "running_operation_of_another_kind_is_no_call", a24),
		ROW(A25, "spin_up_and_down_replace_each_other", a25),
		ROW(A26, "not_supported", a26),
		ROW(A27, "interface_absent", a27),
		ROW(A28, "kinds_that_offer_it", a28),
		ROW(A29, "lun_fans_out_to_its_drives", a29),
		ROW(A30, "nothing_is_notified", a30),
		ROW(A31, "errors_reach_the_client_unchanged", a31),
		ROW(A32, "state_is_readable_meanwhile", a32),
	};

	return cmocka_run_group_tests_name("StartMaintenance", rows, NULL, NULL);
}
