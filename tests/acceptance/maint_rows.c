/* SPDX-License-Identifier: Apache-2.0 */
#include "maint_rows.h"

#include <stdlib.h>

struct bench bench_make(void **state)
{
	struct bench b = {.fx = *state};

	b.drive = fx_add_drive(b.fx, 96 * MIB);
	b.m = fx_maint(b.drive);
	fx_notes_reset(b.fx);
	return b;
}

void bench_drop(struct bench *b)
{
	IVdsMaintenance_Release(b->m);
	IVdsDrive_Release(b->drive);
}

HRESULT act_start(IVdsMaintenance *m, int op)
{
	return start(m, op);
}

HRESULT act_stop(IVdsMaintenance *m, int op)
{
	return stop(m, op);
}

HRESULT act_pulse(IVdsMaintenance *m, int op)
{
	return pulse(m, op, 2);
}

void row_cache_corrupt(void **state, act_fn *act)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	fx_corrupt(b.fx);
	assert_hr(act(b.m, BlinkLight), VDS_E_PROVIDER_CACHE_CORRUPT);
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_RUNNING);
	fx_cure(b.fx);
	assert_ok(act(b.m, BlinkLight));
	bench_drop(&b);
}

static void gone_subsystem(struct bench *b, act_fn *act)
{
	IVdsMaintenance *sub = fx_maint(b->fx->sub);

	fx_inject(b->fx, VDSX_FAULT_GONE, b->fx->sub_id, 0, 0);
	assert_ok(IVdsHwProvider_Reenumerate(b->fx->hw));
	assert_hr(act(b->m, BlinkLight), VDS_E_OBJECT_DELETED);
	assert_hr(act(sub, BlinkLight), VDS_E_OBJECT_DELETED);
	IVdsMaintenance_Release(sub);
	fx_clear(b->fx, VDSX_FAULT_GONE, b->fx->sub_id);
	assert_ok(IVdsHwProvider_Reenumerate(b->fx->hw));
}

static void gone_objects(struct bench *b, act_fn *act)
{
	IVdsLun *lun = fx_add_lun(b->fx, VDS_LT_SIMPLE, 8 * MIB, &b->drive, 1);
	IVdsMaintenance *m = fx_maint(lun);

	assert_ok(IVdsLun_Delete(lun));
	assert_hr(act(m, BlinkLight), VDS_E_OBJECT_DELETED);
	IVdsMaintenance_Release(m);
	IVdsLun_Release(lun);
	fx_inject(b->fx, VDSX_FAULT_GONE, fx_drive_id(b->drive), 0, 0);
	assert_hr(act(b->m, Ping), VDS_E_OBJECT_DELETED); /* pulled: only its bay is left */
	assert_ok(IVdsSubSystem_Reenumerate(b->fx->sub));
	assert_hr(act(b->m, BlinkLight), VDS_E_OBJECT_DELETED);
}

void row_object_deleted(void **state, act_fn *act)
{
	struct bench b = bench_make(state);

	gone_subsystem(&b, act);
	gone_objects(&b, act);
	bench_drop(&b);
}

void row_status_failed(void **state, act_fn *act)
{
	struct bench b = bench_make(state);
	IVdsMaintenance *sub = fx_maint(b.fx->sub);

	assert_ok(start(b.m, BlinkLight));
	assert_ok(start(sub, BlinkLight));
	fx_inject(b.fx, VDSX_FAULT_FAILED, b.fx->sub_id, 0, 0);
	assert_hr(act(sub, BlinkLight), VDS_E_OBJECT_STATUS_FAILED);
	assert_hr(act(b.m, BlinkLight), VDS_E_OBJECT_STATUS_FAILED);
	assert_int_equal(fx_sub_prop(b.fx->sub).status, VDS_SSS_FAILED);
	assert_int_equal(fx_sub_prop(b.fx->sub).health, VDS_H_FAILED);
	fx_clear(b.fx, VDSX_FAULT_FAILED, b.fx->sub_id);
	assert_ok(act(sub, BlinkLight));
	assert_ok(act(b.m, BlinkLight));
	IVdsMaintenance_Release(sub);
	bench_drop(&b);
}

static HRESULT offline(void *arg)
{
	return IVdsDrive_SetStatus((IVdsDrive *)arg, VDS_DRS_OFFLINE);
}

struct replacement {
	struct fx *fx;
	VDS_OBJECT_ID old_id, new_id;
};

static HRESULT replace(void *arg)
{
	struct replacement *r = arg;

	return IVdsSubSystem_ReplaceDrive(r->fx->sub, r->old_id, r->new_id);
}

void row_another_call(void **state, act_fn *act)
{
	struct bench b = bench_make(state);
	IVdsDrive *other = fx_add_drive(b.fx, 96 * MIB);
	struct replacement r = {b.fx, fx_drive_id(b.drive), fx_drive_id(other)};
	struct fx_thread t;

	assert_ok(start(b.m, BlinkLight));
	fx_hold(b.fx, VDS_TEXT("IVdsDrive::SetStatus"));
	fx_spawn(&t, offline, b.drive);
	fx_wait_held(b.fx, VDS_TEXT("IVdsDrive::SetStatus"));
	assert_hr(act(b.m, BlinkLight), VDS_E_ANOTHER_CALL_IN_PROGRESS);
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_RUNNING);
	assert_int_equal(fx_drive_prop(b.drive).status, VDS_DRS_ONLINE); /* A32 */
	fx_resume(b.fx, VDS_TEXT("IVdsDrive::SetStatus"));
	assert_ok(fx_join(&t));
	assert_int_equal(fx_drive_prop(b.drive).status, VDS_DRS_OFFLINE);
	assert_ok(IVdsDrive_SetStatus(b.drive, VDS_DRS_ONLINE));
	fx_hold(b.fx, VDS_TEXT("IVdsSubSystem::ReplaceDrive"));
	fx_spawn(&t, replace, &r);
	fx_wait_held(b.fx, VDS_TEXT("IVdsSubSystem::ReplaceDrive"));
	assert_hr(act(b.m, BlinkLight), VDS_E_ANOTHER_CALL_IN_PROGRESS);
	fx_resume(b.fx, VDS_TEXT("IVdsSubSystem::ReplaceDrive"));
	fx_join(&t);
	assert_ok(act(b.m, BlinkLight));
	IVdsDrive_Release(other);
	bench_drop(&b);
}

void row_no_memory(void **state, act_fn *act)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	char *before = fx_snapshot(b.fx);
	fx_inject(b.fx, VDSX_FAULT_OUT_OF_MEMORY, b.fx->provider_id, 0, 1);
	assert_hr(act(b.m, BlinkLight), E_OUTOFMEMORY);
	fx_unchanged(b.fx, before);
	assert_ok(act(b.m, BlinkLight));
	bench_drop(&b);
}

void row_system_error(void **state, act_fn *act)
{
	enum { IO_DEVICE = 1117 }; /* ERROR_IO_DEVICE */
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	char *before = fx_snapshot(b.fx);
	fx_inject(b.fx, VDSX_FAULT_SYSTEM_ERROR, b.fx->provider_id, 0, IO_DEVICE);
	HRESULT hr = act(b.m, BlinkLight);
	assert_hr(hr, HRESULT_FROM_WIN32(IO_DEVICE));
	assert_int_equal(HRESULT_FACILITY(hr), FACILITY_WIN32);
	fx_unchanged(b.fx, before);
	assert_ok(act(b.m, BlinkLight));
	bench_drop(&b);
}

void row_not_supported(void **state, act_fn *act)
{
	struct bench b = bench_make(state);
	IVdsMaintenance *c = fx_maint(b.fx->controller);
	char *before = fx_snapshot(b.fx);

	assert_hr(act(c, SpinDown), VDS_E_NOT_SUPPORTED);
	assert_hr(act(c, SpinUp), VDS_E_NOT_SUPPORTED);
	fx_unchanged(b.fx, before);
	fx_inject(b.fx, VDSX_FAULT_NO_OPERATION, fx_drive_id(b.drive), BeepAlarm, 0);
	assert_hr(act(b.m, BeepAlarm), VDS_E_NOT_SUPPORTED);
	fx_clear(b.fx, VDSX_FAULT_NO_OPERATION, fx_drive_id(b.drive));
	assert_ok(start(b.m, BeepAlarm));
	IVdsMaintenance_Release(c);
	bench_drop(&b);
}
