/* SPDX-License-Identifier: Apache-2.0 */
/* Rows E: IVdsDrive::SetStatus. */
#include "rig.h"

#include "other_process.h"

#include <stdio.h>
#include <stdlib.h>

/* One free drive. */
static IVdsDrive *free_drive(struct fx *fx)
{
	IVdsDrive *drive = fx_add_drive(fx, 96 * MIB);

	fx_notes_reset(fx);
	return drive;
}

static HRESULT set(IVdsDrive *drive, int status)
{
	return IVdsDrive_SetStatus(drive, (VDS_DRIVE_STATUS)status);
}

static void refused(void **state, const int *values, unsigned count, HRESULT expected)
{
	struct fx *fx = *state;
	IVdsDrive *drive = free_drive(fx);

	for (unsigned i = 0; i < count; i++) {
		char *before = fx_snapshot(fx);
		assert_hr(set(drive, values[i]), expected);
		fx_unchanged(fx, before);
	}
	IVdsDrive_Release(drive);
}

static void e1(void **state)
{
	static const int values[] = {VDS_DRS_UNKNOWN};

	refused(state, values, 1, E_INVALIDARG);
}

static void e2(void **state)
{
	static const int values[] = {3, 6, 7, 9, 100, -1};

	refused(state, values, 6, E_INVALIDARG);
}

static void e3(void **state)
{
	IVdsDrive *drive = free_drive(*state);

	assert_ok(set(drive, VDS_DRS_OFFLINE));
	assert_int_equal(fx_drive_prop(drive).status, VDS_DRS_OFFLINE);
	assert_int_equal(fx_drive_prop(drive).health, VDS_H_HEALTHY);
	IVdsDrive_Release(drive);
}

static void e4(void **state)
{
	IVdsDrive *drive = free_drive(*state);

	assert_ok(set(drive, VDS_DRS_OFFLINE));
	assert_ok(set(drive, VDS_DRS_ONLINE));
	assert_int_equal(fx_drive_prop(drive).status, VDS_DRS_ONLINE);
	IVdsDrive_Release(drive);
}

static void e5(void **state)
{
	static const int values[] = {VDS_DRS_NOT_READY, VDS_DRS_FAILED, VDS_DRS_REMOVED};

	refused(state, values, 3, VDS_E_NOT_SUPPORTED);
}

static void e6(void **state)
{
	struct fx *fx = *state;
	IVdsDrive *drive = free_drive(fx);
	char *before = fx_snapshot(fx);

	assert_ok(set(drive, VDS_DRS_ONLINE));
	fx_unchanged(fx, before);
	assert_ok(set(drive, VDS_DRS_OFFLINE));
	fx_notes_reset(fx);
	before = fx_snapshot(fx);
	assert_ok(set(drive, VDS_DRS_OFFLINE));
	fx_unchanged(fx, before);
	IVdsDrive_Release(drive);
}

static void e7(void **state)
{
	struct fx *fx = *state;
	IVdsDrive *drives[2];
	size_t size;

	fx_add_drives(fx, drives, 2, 160);
	IVdsLun *lun = fx_add_lun(fx, VDS_LT_MIRROR, 64 * MIB, drives, 2);
	fx_fill(lun, 0, 64 * MIB, 5);
	assert_ok(set(drives[1], VDS_DRS_OFFLINE));
	BYTE *medium = fx_member_bytes(fx, lun, 1, &size), *want = malloc(64 * MIB);
	fx_pattern(want, 64 * MIB, 5, 0);
	assert_true(size >= 64 * MIB);
	assert_memory_equal(medium, want, 64 * MIB);
	free(medium);
	free(want);
	IVdsLun_Release(lun);
	IVdsDrive_Release(drives[0]);
	IVdsDrive_Release(drives[1]);
}

/* Another process writes, takes the member offline and is killed right after the return. */
static void e8(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 0);
	struct fx *fx = r.fx;
	char path[1024];
	IVdsxLun *x;
	VDSX_LUN_MEMBER *members;
	LONG count;

	assert_ok(IVdsLun_QueryInterface(r.lun, &IID_IVdsxLun, (void **)&x));
	assert_ok(IVdsxLun_QueryMembers(x, &members, &count));
	ULONGLONG at = members[1].ullDriveOffset;
	CoTaskMemFree(members);
	IVdsxLun_Release(x);
	fx_drive_path(r.drives[1], path, sizeof(path));
	rig_drop(&r);
	fx_close(fx);
	other_process_kill(other_process_begin(fx->dir, "write-offline", r.lun_id, r.ids[1]));
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	BYTE *buf = malloc(MIB);
	fseeko(f, (off_t)at, SEEK_SET);
	for (unsigned i = 0; i < RIG_MIB; i++) {
		assert_int_equal(fread(buf, 1, MIB, f), MIB);
		for (size_t b = 0; b < MIB; b++)
			if (buf[b] != i + 1)
				fail_msg("MiB %u lacks an acknowledged write", i);
	}
	free(buf);
	fclose(f);
	fx_open(fx, 0);
	IVdsDrive *drive = fx_drive_by_id(fx, r.ids[1]);
	assert_int_equal(fx_drive_prop(drive).status, VDS_DRS_OFFLINE);
	IVdsDrive_Release(drive);
}

static void keeps_online(void **state, VDS_LUN_TYPE type, unsigned count)
{
	struct rig r = rig_make(state, type, count, 0);

	assert_ok(set(r.drives[0], VDS_DRS_OFFLINE));
	assert_int_equal(rig_status(&r), VDS_LS_ONLINE);
	assert_int_equal(rig_health(&r), VDS_H_FAILED_REDUNDANCY);
	fx_verify(r.lun, 0, RIG_MIB * MIB, 1);
	rig_drop(&r);
}

static void e9_mirror(void **state)
{
	keeps_online(state, VDS_LT_MIRROR, 2);
}

static void e9_raid5(void **state)
{
	keeps_online(state, VDS_LT_RAID5, 3);
}

static void e9_raid6(void **state)
{
	keeps_online(state, VDS_LT_RAID6, 4);
}

static void e10_simple(void **state)
{
	struct rig r = rig_make(state, VDS_LT_SIMPLE, 1, 0);
	char *before = fx_snapshot(r.fx);

	assert_hr(set(r.drives[0], VDS_DRS_OFFLINE), VDS_E_NOT_SUPPORTED);
	fx_unchanged(r.fx, before);
	fx_verify(r.lun, 0, RIG_MIB * MIB, 1);
	rig_drop(&r);
}

static void e10_degraded(void **state)
{
	struct rig r = rig_make(state, VDS_LT_RAID5, 3, 0);

	rig_fail(&r, 0);
	fx_notes_reset(r.fx);
	char *before = fx_snapshot(r.fx);
	assert_hr(set(r.drives[1], VDS_DRS_OFFLINE), VDS_E_NOT_SUPPORTED);
	fx_unchanged(r.fx, before);
	fx_verify(r.lun, 0, RIG_MIB * MIB, 1);
	rig_drop(&r);
}

static void e11(void **state)
{
	struct rig r = rig_make(state, VDS_LT_RAID5, 3, 0);
	static struct load load; /* outlives a failing row */

	load_begin(&load, r.lun, 8 * MIB, 4 * MIB);
	for (unsigned i = 0; i < 3; i++) {
		assert_ok(set(r.drives[i], VDS_DRS_OFFLINE));
		assert_ok(set(r.drives[i], VDS_DRS_ONLINE));
		FX_UNTIL(rig_health(&r) == VDS_H_HEALTHY);
	}
	load_end(&load);
	fx_verify(r.lun, 0, 8 * MIB, 1);
	fx_verify(r.lun, 12 * MIB, 20 * MIB, 1);
	rig_drop(&r);
}

static void e12(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 0);

	assert_ok(set(r.drives[1], VDS_DRS_OFFLINE));
	fx_fill(r.lun, 8 * MIB, 8 * MIB, 7);
	assert_ok(set(r.drives[1], VDS_DRS_ONLINE));
	FX_UNTIL(rig_health(&r) == VDS_H_HEALTHY);
	rig_fail(&r, 0); /* only the returned member is left to read from */
	fx_verify(r.lun, 0, 8 * MIB, 1);
	fx_verify(r.lun, 8 * MIB, 8 * MIB, 7);
	fx_verify(r.lun, 16 * MIB, 16 * MIB, 1);
	rig_drop(&r);
}

static void e13(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 0);
	const struct fx_note *list;

	assert_ok(set(r.drives[0], VDS_DRS_OFFLINE));
	assert_true(fx_notes(r.fx, &list) >= 3);
	int group = fx_note_group(r.fx, VDS_NF_DRIVE_REMOVED, r.ids[0]);
	assert_true(group >= 0);
	assert_int_equal(fx_note_group(r.fx, VDS_NF_DRIVE_MODIFY, r.ids[0]), group);
	assert_int_equal(fx_note_group(r.fx, VDS_NF_LUN_MODIFY, r.lun_id), group);
	assert_int_equal(fx_note_group(r.fx, VDS_NF_SUB_SYSTEM_MODIFY, r.fx->sub_id), group);
	assert_int_equal(
		fx_note_event(&list[0].n), VDS_NF_DRIVE_REMOVED); /* what leaves comes first */
	assert_int_equal(fx_count_notes(r.fx, VDS_NF_DRIVE_DEPART, r.ids[0]), 0);
	rig_drop(&r);
}

static void e14(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);

	fx_set(r.fx, VDSX_SETTING_AUTO_RECOVERY, 1);
	assert_ok(set(r.drives[0], VDS_DRS_OFFLINE));
	for (uint64_t end = fx_now_ms() + 200; fx_now_ms() < end; fx_pause())
		assert_true(rig_flags(&r, 2) & VDS_DRF_HOTSPARE_STANDBY);
	assert_ok(fx_wait(rig_recover(&r), VDS_ASYNCOUT_RECOVERLUN));
	assert_true(rig_is_member(&r, 2));
	rig_healthy(&r);
	rig_drop(&r);
}

static void e15(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);

	assert_ok(set(r.drives[0], VDS_DRS_OFFLINE));
	assert_ok(fx_wait(rig_recover(&r), VDS_ASYNCOUT_RECOVERLUN));
	assert_ok(set(r.drives[0], VDS_DRS_ONLINE));
	assert_int_equal(fx_drive_prop(r.drives[0]).status, VDS_DRS_ONLINE);
	assert_int_equal(rig_flags(&r, 0), VDS_DRF_UNASSIGNED);
	rig_healthy(&r);
	rig_drop(&r);
}

static void e16(void **state)
{
	struct fx *fx = *state;
	IVdsDrive *drive = free_drive(fx);

	fx_corrupt(fx);
	assert_hr(set(drive, VDS_DRS_OFFLINE), VDS_E_PROVIDER_CACHE_CORRUPT);
	fx_cure(fx);
	assert_int_equal(fx_drive_prop(drive).status, VDS_DRS_ONLINE);
	assert_ok(set(drive, VDS_DRS_OFFLINE));
	IVdsDrive_Release(drive);
}

static void e17(void **state)
{
	struct fx *fx = *state;
	IVdsDrive *drive = free_drive(fx);

	fx_inject(fx, VDSX_FAULT_GONE, fx_drive_id(drive), 0, 0);
	assert_int_equal(fx_drive_prop(drive).status, VDS_DRS_REMOVED);
	assert_hr(set(drive, VDS_DRS_OFFLINE), VDS_E_OBJECT_DELETED); /* pulled already counts */
	assert_ok(IVdsSubSystem_Reenumerate(fx->sub));
	assert_hr(set(drive, VDS_DRS_OFFLINE), VDS_E_OBJECT_DELETED);
	assert_hr(set(drive, VDS_DRS_ONLINE), VDS_E_OBJECT_DELETED);
	IVdsDrive_Release(drive);
}

static void e18(void **state)
{
	struct fx *fx = *state;
	IVdsDrive *drive = free_drive(fx);

	fx_inject(fx, VDSX_FAULT_FAILED, fx_drive_id(drive), 0, 0);
	fx_notes_reset(fx);
	char *before = fx_snapshot(fx);
	assert_hr(set(drive, VDS_DRS_ONLINE), VDS_E_OBJECT_STATUS_FAILED);
	assert_hr(set(drive, VDS_DRS_OFFLINE), VDS_E_OBJECT_STATUS_FAILED);
	fx_unchanged(fx, before);
	IVdsDrive_Release(drive);
}

static void e19(void **state)
{
	struct fx *fx = *state;
	IVdsDrive *drive = free_drive(fx);

	assert_ok(set(drive, VDS_DRS_OFFLINE));
	fx_inject(fx, VDSX_FAULT_UNREACHABLE, fx_drive_id(drive), 0, 0);
	assert_hr(set(drive, VDS_DRS_ONLINE), VDS_E_OBJECT_STATUS_FAILED);
	assert_int_equal(fx_drive_prop(drive).status, VDS_DRS_FAILED);
	assert_int_equal(fx_drive_prop(drive).health, VDS_H_FAILED);
	fx_clear(fx, VDSX_FAULT_UNREACHABLE, fx_drive_prop(drive).id);
	IVdsDrive_Release(drive);
}

static HRESULT set_hotspare(void *arg)
{
	return IVdsDrive_SetFlags((IVdsDrive *)arg, VDS_DRF_HOTSPARE);
}

static void e20(void **state)
{
	struct fx *fx = *state;
	IVdsDrive *drive = free_drive(fx);
	struct fx_thread t;

	fx_hold(fx, VDS_TEXT("IVdsDrive::SetFlags"));
	fx_spawn(&t, set_hotspare, drive);
	fx_wait_held(fx, VDS_TEXT("IVdsDrive::SetFlags"));
	assert_hr(set(drive, VDS_DRS_OFFLINE), VDS_E_ANOTHER_CALL_IN_PROGRESS);
	assert_hr(IVdsDrive_ClearFlags(drive, VDS_DRF_HOTSPARE), VDS_E_ANOTHER_CALL_IN_PROGRESS);
	fx_resume(fx, VDS_TEXT("IVdsDrive::SetFlags"));
	assert_ok(fx_join(&t));
	assert_ok(set(drive, VDS_DRS_OFFLINE));
	IVdsDrive_Release(drive);
}

static void e21(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 3, 1);

	rig_fail(&r, 0);
	rig_slow(&r);
	IVdsAsync *async = rig_recover(&r);
	FX_UNTIL(rig_flags(&r, 3) & VDS_DRF_HOTSPARE_IN_USE);
	assert_hr(set(r.drives[1], VDS_DRS_OFFLINE), VDS_E_ANOTHER_CALL_IN_PROGRESS); /* source */
	assert_hr(set(r.drives[3], VDS_DRS_OFFLINE), VDS_E_ANOTHER_CALL_IN_PROGRESS); /* target */
	rig_fast(&r);
	assert_ok(fx_wait(async, VDS_ASYNCOUT_RECOVERLUN));
	assert_ok(set(r.drives[1], VDS_DRS_OFFLINE));
	rig_drop(&r);
}

/* NS is a code with two sources: a value that is a fact (E5), and data that would be lost (E10). */
static void e22(void **state)
{
	struct rig r = rig_make(state, VDS_LT_STRIPE, 2, 0);
	char *before = fx_snapshot(r.fx);

	assert_hr(set(r.drives[0], VDS_DRS_FAILED), VDS_E_NOT_SUPPORTED);
	assert_hr(set(r.drives[0], VDS_DRS_OFFLINE), VDS_E_NOT_SUPPORTED);
	assert_int_equal((unsigned)VDS_E_NOT_SUPPORTED, 0x80042400u);
	fx_unchanged(r.fx, before);
	rig_drop(&r);
}

static void e23(void **state)
{
	struct fx *fx = *state;
	IVdsDrive *drive = free_drive(fx);
	char *before = fx_snapshot(fx);

	fx_inject(fx, VDSX_FAULT_OUT_OF_MEMORY, fx->provider_id, 0, 1);
	assert_hr(set(drive, VDS_DRS_OFFLINE), E_OUTOFMEMORY);
	fx_inject(fx, VDSX_FAULT_SYSTEM_ERROR, fx->provider_id, 0, 1117);
	assert_hr(set(drive, VDS_DRS_OFFLINE), HRESULT_FROM_WIN32(1117));
	fx_unchanged(fx, before);
	assert_ok(set(drive, VDS_DRS_OFFLINE));
	IVdsDrive_Release(drive);
}

static void e24(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);

	assert_ok(set(r.drives[2], VDS_DRS_OFFLINE));
	assert_true(rig_flags(&r, 2) & VDS_DRF_HOTSPARE);
	fx_set(r.fx, VDSX_SETTING_AUTO_RECOVERY, 1);
	rig_fail(&r, 0);
	assert_hr(fx_wait(rig_recover(&r), VDS_ASYNCOUT_RECOVERLUN), VDS_E_NOT_ENOUGH_DRIVE);
	assert_false(rig_is_member(&r, 2));
	assert_int_equal(rig_health(&r), VDS_H_FAILED_REDUNDANCY);
	rig_drop(&r);
}

static void e25(void **state)
{
	struct fx *fx = *state;
	IVdsDrive *drive = free_drive(fx);
	VDS_OBJECT_ID id = fx_drive_id(drive);

	IVdsDrive_Release(drive);
	fx_close(fx);
	assert_int_equal(other_process(fx->dir, "offline", id), 0);
	fx_open(fx, 0);
	drive = fx_drive_by_id(fx, id);
	assert_int_equal(fx_drive_prop(drive).status, VDS_DRS_OFFLINE);
	assert_ok(set(drive, VDS_DRS_ONLINE));
	IVdsDrive_Release(drive);
}

/* One input, no object: when it returns the drive is in the state. */
static void e26(void **state)
{
	HRESULT (*method)(IVdsDrive *, VDS_DRIVE_STATUS);
	IVdsDrive *drive = free_drive(*state);

	method = drive->lpVtbl->SetStatus; /* does not compile with another signature */
	assert_ok(method(drive, VDS_DRS_OFFLINE));
	assert_int_equal(fx_drive_prop(drive).status, VDS_DRS_OFFLINE);
	IVdsDrive_Release(drive);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		ROW(E1, "unknown_is_invalidarg", e1),
		ROW(E2, "outside_the_enumeration_is_invalidarg", e2),
		ROW(E3, "offline", e3),
		ROW(E4, "online", e4),
		ROW(E5, "facts_are_not_supported", e5),
		ROW(E6, "same_status_again_is_silent", e6),
		ROW(E7, "cache_is_cleared_before_offline", e7),
		ROW(E8, "also_when_killed_right_after", e8),
		ROW(E9, "mirror_stays_online", e9_mirror),
		ROW(E9, "raid5_stays_online", e9_raid5),
		ROW(E9, "raid6_stays_online", e9_raid6),
		ROW(E10, "sole_data_is_not_supported", e10_simple),
		ROW(E10, "degraded_is_not_supported", e10_degraded),
		ROW(E11, "io_goes_on", e11),
		ROW(E12, "online_resynchronises", e12),
		ROW(E13, "notifications_of_offline_are_one_group", e13),
		ROW(E14, "offline_uses_no_spare_recover_does", e14),
		ROW(E15, "returning_drive_is_unassigned", e15),
		ROW(E16, "corrupt_cache_then_cure", e16),
		ROW(E17, "object_deleted", e17),
		ROW(E18, "status_failed", e18),
		ROW(E19, "no_answer_is_failed", e19),
		ROW(E20, "another_call_in_progress", e20),
		ROW(E21, "busy_while_a_rebuild_uses_it", e21),
		ROW(E22, "not_supported", e22),
		ROW(E23, "out_of_memory_and_system_error", e23),
		ROW(E24, "offline_spare_is_not_chosen", e24),
		ROW(E25, "survives_restart", e25),
		ROW(E26, "synchronous", e26),
	};

	return cmocka_run_group_tests_name("SetStatus", rows, NULL, NULL);
}
