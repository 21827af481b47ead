/* SPDX-License-Identifier: Apache-2.0 */
/* Rows D1 to D20: IVdsLun::Recover, what it does. */
#include "rig.h"

#include "other_process.h"

#include <stdlib.h>

static void d1(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);
	IVdsAsync *async;

	fx_inject(r.fx, VDSX_FAULT_GONE, r.ids[0], 0, 0);
	assert_int_equal(rig_health(&r), VDS_H_FAILED_REDUNDANCY);
	async = rig_recover(&r);
	assert_ok(fx_wait(async, VDS_ASYNCOUT_RECOVERLUN));
	rig_healthy(&r);
	rig_drop(&r);
}

static void d2(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);
	VDS_ASYNC_OUTPUT output;
	HRESULT hr = S_OK;
	ULONG percent = 200;

	rig_fail(&r, 0);
	rig_slow(&r);
	IVdsAsync *async = rig_recover(&r);
	assert_ok(IVdsAsync_QueryStatus(async, &hr, &percent));
	assert_hr(hr, VDS_E_OPERATION_PENDING);
	assert_true(percent < 100);
	assert_ok(IVdsAsync_Cancel(async));
	assert_ok(IVdsAsync_Wait(async, &hr, &output));
	assert_hr(hr, VDS_E_OPERATION_CANCELED);
	IVdsAsync_Release(async);
	rig_drop(&r);
}

static void d3(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);

	rig_fail(&r, 0);
	IVdsAsync *async = rig_recover(&r);
	assert_int_equal(IVdsAsync_Release(async), 0);
	rig_healthy(&r);
	rig_drop(&r);
}

static void d4(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);
	VDS_ASYNC_OUTPUT output;
	HRESULT hr = E_FAIL;

	memset(&output, 0xee, sizeof(output));
	rig_fail(&r, 0);
	IVdsAsync *async = rig_recover(&r);
	assert_ok(IVdsAsync_Wait(async, &hr, &output));
	assert_ok(hr);
	assert_int_equal(output.type, 56);
	assert_int_equal(output.type, VDS_ASYNCOUT_RECOVERLUN);
	assert_null(output.cl.pLunUnk);
	IVdsAsync_Release(async);
	rig_drop(&r);
}

static void d5(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);
	ULONG percent, last = 0, seen = 0;
	HRESULT hr;

	rig_fail(&r, 0);
	fx_set(r.fx, VDSX_SETTING_REBUILD_RATE, 32 * MIB);
	IVdsAsync *async = rig_recover(&r);
	for (uint64_t end = fx_now_ms() + 60000;;) {
		assert_ok(IVdsAsync_QueryStatus(async, &hr, &percent));
		if (hr != VDS_E_OPERATION_PENDING)
			break;
		assert_true(percent < 100);
		assert_true(percent >= last);
		seen += percent > last;
		last = percent;
		assert_true(fx_now_ms() < end);
		fx_pause();
	}
	assert_ok(hr);
	assert_true(seen >= 3);
	IVdsAsync_Release(async);
	rig_drop(&r);
}

static void d6(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);
	ULONG percent;
	HRESULT hr;

	rig_fail(&r, 0);
	IVdsAsync *async = rig_recover(&r);
	FX_UNTIL(IVdsAsync_QueryStatus(async, &hr, &percent) == S_OK &&
		 hr != VDS_E_OPERATION_PENDING);
	assert_ok(hr);
	assert_int_equal(percent, 100);
	assert_ok(fx_wait(async, VDS_ASYNCOUT_RECOVERLUN));
	rig_drop(&r);
}

static void compare_members(struct rig *r, ULONG a, ULONG b)
{
	size_t na, nb;
	BYTE *pa = fx_member_bytes(r->fx, r->lun, a, &na),
	     *pb = fx_member_bytes(r->fx, r->lun, b, &nb);

	assert_int_equal(na, nb);
	assert_memory_equal(pa, pb, RIG_MIB * MIB);
	free(pa);
	free(pb);
}

static void d7(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 0);
	IVdsAsync *async = NULL;

	assert_ok(IVdsDrive_SetStatus(r.drives[1], VDS_DRS_OFFLINE));
	fx_fill(r.lun, 4 * MIB, 8 * MIB, 2);
	rig_slow(&r);
	assert_ok(IVdsDrive_SetStatus(r.drives[1], VDS_DRS_ONLINE));
	assert_int_equal(
		rig_health(&r), VDS_H_REBUILDING); /* by itself, automatic recovery or not */
	assert_hr(IVdsLun_Recover(r.lun, &async), VDS_E_ANOTHER_CALL_IN_PROGRESS);
	assert_null(async);
	rig_fast(&r);
	FX_UNTIL(rig_health(&r) == VDS_H_HEALTHY);
	async = rig_recover(&r);
	assert_ok(fx_wait(async, VDS_ASYNCOUT_RECOVERLUN));
	fx_verify(r.lun, 4 * MIB, 8 * MIB, 2);
	compare_members(&r, 0, 1);
	rig_drop(&r);
}

/* XOR of all members' bytes is zero where a stripe is consistent. */
static unsigned odd_bytes(struct rig *r)
{
	size_t size = 0;
	BYTE *sum = fx_member_bytes(r->fx, r->lun, 0, &size);
	unsigned odd = 0;

	for (ULONG slot = 1; slot < r->count; slot++) {
		size_t n;
		BYTE *m = fx_member_bytes(r->fx, r->lun, slot, &n);
		assert_int_equal(n, size);
		for (size_t i = 0; i < size; i++)
			sum[i] ^= m[i];
		free(m);
	}
	for (size_t i = 0; i < RIG_MIB * MIB / (r->count - 1); i++)
		odd += sum[i] != 0;
	free(sum);
	return odd;
}

static ULONGLONG member_offset(struct rig *r, ULONG slot)
{
	IVdsxLun *x = NULL;
	VDSX_LUN_MEMBER *members;
	LONG count;

	assert_ok(IVdsLun_QueryInterface(r->lun, &IID_IVdsxLun, (void **)&x));
	assert_ok(IVdsxLun_QueryMembers(x, &members, &count));
	IVdsxLun_Release(x);
	ULONGLONG at = members[slot].ullDriveOffset;
	CoTaskMemFree(members);
	return at;
}

static void d8(void **state)
{
	enum { STRIPE = 65536 };
	struct rig r = rig_make(state, VDS_LT_RAID5, 3, 0);

	assert_int_equal(odd_bytes(&r), 0);
	/* left-symmetric: the parity of stripe 0 is on the last member */
	fx_inject(r.fx, VDSX_FAULT_CORRUPT, r.ids[2], member_offset(&r, 2), STRIPE);
	assert_int_equal(odd_bytes(&r), STRIPE);
	assert_ok(fx_wait(rig_recover(&r), VDS_ASYNCOUT_RECOVERLUN));
	assert_int_equal(odd_bytes(&r), 0);
	rig_healthy(&r);
	rig_drop(&r);
}

static void d9(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);

	fx_inject(r.fx, VDSX_FAULT_PREDICT, r.ids[0], 0, 0);
	assert_int_equal(fx_drive_prop(r.drives[0]).health, VDS_H_PENDING_FAILURE);
	assert_int_equal(rig_health(&r), VDS_H_FAILING_REDUNDANCY);
	assert_ok(fx_wait(rig_recover(&r), VDS_ASYNCOUT_RECOVERLUN));
	rig_healthy(&r);
	assert_true(rig_is_member(&r, 2));
	assert_false(rig_is_member(&r, 0));
	assert_true(rig_flags(&r, 0) & VDS_DRF_UNASSIGNED);
	/* the spare carries the data: the failing drive and the other one may go */
	rig_fail(&r, 0);
	rig_fail(&r, 1);
	fx_verify(r.lun, 0, RIG_MIB * MIB, 1);
	rig_drop(&r);
}

static void d10(void **state)
{
	struct rig r = rig_make(state, VDS_LT_RAID5, 3, 1);

	rig_fail(&r, 1);
	assert_int_equal(rig_health(&r), VDS_H_FAILED_REDUNDANCY);
	assert_ok(fx_wait(rig_recover(&r), VDS_ASYNCOUT_RECOVERLUN));
	rig_healthy(&r);
	rig_fail(&r, 0); /* the rebuilt member serves */
	fx_verify(r.lun, 0, RIG_MIB * MIB, 1);
	rig_drop(&r);
}

static void two_losses(void **state, VDS_LUN_TYPE type, unsigned count)
{
	struct rig r = rig_make(state, type, count, 2);

	rig_fail(&r, 0);
	rig_fail(&r, 1);
	assert_int_equal(rig_status(&r), VDS_LS_ONLINE);
	assert_ok(fx_wait(rig_recover(&r), VDS_ASYNCOUT_RECOVERLUN));
	rig_healthy(&r);
	rig_drop(&r);
}

static void d11_raid6(void **state)
{
	two_losses(state, VDS_LT_RAID6, 4);
}

static void d11_mirror(void **state)
{
	two_losses(state, VDS_LT_MIRROR, 3);
}

static void d12(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 2);

	rig_fail(&r, 0);
	for (uint64_t end = fx_now_ms() + 200; fx_now_ms() < end; fx_pause())
		assert_int_equal(rig_health(&r), VDS_H_FAILED_REDUNDANCY);
	assert_ok(fx_wait(rig_recover(&r), VDS_ASYNCOUT_RECOVERLUN));
	rig_healthy(&r);
	fx_set(r.fx, VDSX_SETTING_AUTO_RECOVERY, 1);
	rig_fail(&r, 1);
	rig_healthy(&r); /* no call */
	assert_true(rig_is_member(&r, 2) && rig_is_member(&r, 3));
	rig_drop(&r);
}

static void d13(void **state)
{
	struct rig r = rig_make(state, VDS_LT_RAID5, 3, 1);
	static struct load load; /* outlives a failing row */

	load_begin(&load, r.lun, 16 * MIB, 4 * MIB);
	rig_fail(&r, 1);
	fx_set(r.fx, VDSX_SETTING_REBUILD_RATE, 32 * MIB);
	assert_ok(fx_wait(rig_recover(&r), VDS_ASYNCOUT_RECOVERLUN));
	load_end(&load);
	FX_UNTIL(rig_health(&r) == VDS_H_HEALTHY);
	fx_verify(r.lun, 0, 16 * MIB, 1);
	fx_verify(r.lun, 20 * MIB, 12 * MIB, 1);
	rig_drop(&r);
}

static void d14(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);

	rig_fail(&r, 0);
	rig_slow(&r);
	IVdsAsync *async = rig_recover(&r);
	assert_int_equal(rig_health(&r), VDS_H_REBUILDING);
	assert_int_equal(rig_status(&r), VDS_LS_ONLINE);
	assert_int_equal(fx_lun_prop(r.lun).TransitionState, VDS_TS_STABLE);
	rig_fast(&r);
	assert_ok(fx_wait(async, VDS_ASYNCOUT_RECOVERLUN));
	assert_int_equal(rig_health(&r), VDS_H_HEALTHY);
	assert_int_equal(rig_status(&r), VDS_LS_ONLINE);
	rig_drop(&r);
}

static void d15(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);
	const struct fx_note *list;

	rig_fail(&r, 0);
	fx_notes_reset(r.fx);
	assert_ok(fx_wait(rig_recover(&r), VDS_ASYNCOUT_RECOVERLUN));
	unsigned count = fx_notes(r.fx, &list);
	assert_true(
		fx_count_notes(r.fx, VDS_NF_LUN_MODIFY, r.lun_id) >= 2); /* REBUILDING, HEALTHY */
	assert_true(fx_count_notes(r.fx, VDS_NF_DRIVE_MODIFY, r.ids[2]) >= 1);
	assert_true(
		fx_count_notes(r.fx, VDS_NF_DRIVE_MODIFY, r.ids[0]) >= 1); /* lost its extents */
	for (unsigned i = 0; i < count; i++) /* nothing of progress, nothing of other kinds */
		assert_true(list[i].n.objectType == VDS_NTT_LUN ||
			    list[i].n.objectType == VDS_NTT_DRIVE ||
			    list[i].n.objectType == VDS_NTT_SUB_SYSTEM);
	rig_drop(&r);
}

/* Killed in the middle, the next process goes on near where it was, under the same job number. */
static void d16(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);
	struct fx *fx = r.fx;
	VDS_OBJECT_ID lun_id = r.lun_id;
	IVdsxJobs *jobs;
	VDSX_JOB_PROP *list;
	LONG count;

	rig_fail(&r, 0);
	rig_drop(&r);
	fx_close(fx);
	other_process_kill(other_process_begin(fx->dir, "recover", lun_id, lun_id));
	fx_open(fx, 0);
	r.lun = fx_lun_by_id(fx, lun_id);
	r.count = r.spares = 0;
	assert_int_equal(rig_health(&r), VDS_H_REBUILDING);
	rig_fast(&r);
	rig_healthy(&r);
	assert_ok(IVdsxHwProvider_QueryInterface(fx->xhw, &IID_IVdsxJobs, (void **)&jobs));
	assert_ok(IVdsxJobs_QueryJobs(jobs, &list, &count));
	LONG recoveries = 0;
	for (LONG i = 0; i < count; i++) {
		if (list[i].type != VDS_ASYNCOUT_RECOVERLUN)
			continue;
		recoveries++;
		assert_int_equal(list[i].state, VDSX_JOB_DONE);
		assert_ok(list[i].hrResult);
	}
	assert_int_equal(recoveries, 1);
	CoTaskMemFree(list);
	IVdsxJobs_Release(jobs);
	rig_drop(&r);
}

static void d17(void **state)
{
	struct rig r = rig_make(state, VDS_LT_MIRROR, 2, 1);
	IVdsAsync *async = NULL;

	rig_fail(&r, 0);
	fx_corrupt(r.fx);
	assert_hr(IVdsLun_Recover(r.lun, &async), VDS_E_PROVIDER_CACHE_CORRUPT);
	assert_null(async);
	fx_cure(r.fx);
	assert_ok(fx_wait(rig_recover(&r), VDS_ASYNCOUT_RECOVERLUN));
	rig_healthy(&r);
	rig_drop(&r);
}

static void d18(void **state)
{
	struct rig r = rig_make(state, VDS_LT_SIMPLE, 1, 0);
	IVdsDrive *other = fx_add_drive(r.fx, 96 * MIB);
	IVdsLun *absorbed = fx_add_lun(r.fx, VDS_LT_SIMPLE, RIG_MIB * MIB, &other, 1);
	IVdsAsync *async = NULL;

	assert_ok(IVdsLun_AddPlex(r.lun, fx_lun_id(absorbed), &async));
	assert_ok(fx_wait(async, VDS_ASYNCOUT_ADDLUNPLEX));
	async = NULL;
	assert_hr(IVdsLun_Recover(absorbed, &async), VDS_E_OBJECT_DELETED);
	assert_null(async);
	rig_healthy(&r);
	assert_ok(IVdsLun_Delete(r.lun));
	assert_hr(IVdsLun_Recover(r.lun, &async), VDS_E_OBJECT_DELETED);
	assert_null(async);
	IVdsLun_Release(absorbed);
	IVdsDrive_Release(other);
	rig_drop(&r);
}

static void d19(void **state)
{
	struct rig r = rig_make(state, VDS_LT_RAID5, 3, 1);
	IVdsAsync *async = NULL;

	rig_fail(&r, 0);
	rig_fail(&r, 1);
	assert_int_equal(rig_status(&r), VDS_LS_FAILED);
	assert_int_equal(rig_health(&r), VDS_H_FAILED);
	assert_hr(IVdsLun_Recover(r.lun, &async), VDS_E_OBJECT_STATUS_FAILED);
	assert_null(async);
	rig_drop(&r);
}

static void d20(void **state)
{
	struct rig r = rig_make(state, VDS_LT_RAID5, 3, 0);
	IVdsAsync *async = NULL;

	rig_fail(&r, 0);
	assert_int_equal(rig_status(&r), VDS_LS_ONLINE);
	assert_ok(IVdsLun_Recover(r.lun, &async));
	fx_wait(async, VDS_ASYNCOUT_RECOVERLUN);
	rig_drop(&r);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		ROW(D1, "accepted_with_an_async_object", d1),
		ROW(D2, "async_object_cancels_waits_queries", d2),
		ROW(D3, "release_does_not_cancel", d3),
		ROW(D4, "async_type_is_recoverlun_without_object", d4),
		ROW(D5, "pending_while_running_percent_never_falls", d5),
		ROW(D6, "hundred_percent_at_the_end", d6),
		ROW(D7, "mirror_resynchronisation", d7),
		ROW(D8, "parity_regeneration", d8),
		ROW(D9, "spare_for_a_failing_drive", d9),
		ROW(D10, "spare_for_a_failed_drive", d10),
		ROW(D11, "two_losses_of_raid6", d11_raid6),
		ROW(D11, "two_losses_of_a_mirror_of_three", d11_mirror),
		ROW(D12, "by_hand_or_by_itself", d12),
		ROW(D13, "serves_io_all_through", d13),
		ROW(D14, "rebuilding_then_healthy_and_online", d14),
		ROW(D15, "notifications", d15),
		ROW(D16, "survives_a_killed_process", d16),
		ROW(D17, "corrupt_cache_then_cure", d17),
		ROW(D18, "object_deleted", d18),
		ROW(D19, "status_failed", d19),
		ROW(D20, "degraded_is_not_failed", d20),
	};

	return cmocka_run_group_tests_name("Recover", rows, NULL, NULL);
}
