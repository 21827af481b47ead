/* SPDX-License-Identifier: Apache-2.0 */
/* Rows B and C: IVdsMaintenance::StopMaintenance and PulseMaintenance. */
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

static void b1(void **state)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	assert_ok(stop(b.m, BlinkLight));
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_IDLE);
	bench_drop(&b);
}

static void b2(void **state)
{
	struct bench b = bench_make(state);
	char *before = fx_snapshot(b.fx);

	assert_hr(stop(b.m, BlinkLight), S_FALSE);
	fx_unchanged(b.fx, before);
	bench_drop(&b);
}

static void b3(void **state)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	assert_ok(stop(b.m, BlinkLight));
	assert_hr(stop(b.m, BlinkLight), S_FALSE);
	bench_drop(&b);
}

static void b4(void **state)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	assert_hr(stop(b.m, Ping), S_FALSE);
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_RUNNING);
	bench_drop(&b);
}

static void b5(void **state)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	assert_ok(pulse(b.m, BlinkLight, 50));
	assert_ok(stop(b.m, BlinkLight));
	ULONGLONG since = fx_wall_ms();
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_IDLE);
	assert_int_equal(fx_maint_state(b.drive, BlinkLight).ulPulsesLeft, 0);
	wait_intervals(3);
	assert_int_equal(fx_pulses(b.drive, BlinkLight, since), 0);
	bench_drop(&b);
}

static void b6(void **state)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	assert_ok(pulse(b.m, BlinkLight, 2));
	FX_UNTIL(fx_maint_mode(b.drive, BlinkLight) == VDSX_MAINTENANCE_IDLE);
	assert_hr(stop(b.m, BlinkLight), S_FALSE);
	bench_drop(&b);
}

static void b7(void **state)
{
	row_cache_corrupt(state, act_stop);
}

static void b8(void **state)
{
	row_object_deleted(state, act_stop);
}

static void b9(void **state)
{
	struct bench b = bench_make(state);
	VDS_OBJECT_ID id = fx_drive_id(b.drive);

	row_status_failed(state, act_stop);
	assert_ok(start(b.m, BlinkLight));
	assert_ok(start(b.m, SpinDown));
	fx_inject(b.fx, VDSX_FAULT_FAILED, id, 0, 0);
	/* its light goes on, its spindle does not */
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_RUNNING);
	assert_int_equal(fx_maint_mode(b.drive, SpinDown), VDSX_MAINTENANCE_IDLE);
	assert_hr(stop(b.m, SpinDown), VDS_E_OBJECT_STATUS_FAILED);
	assert_ok(stop(b.m, BlinkLight));
	bench_drop(&b);
}

static void b10(void **state)
{
	row_another_call(state, act_stop);
}

static void b11(void **state)
{
	row_not_supported(state, act_stop);
}

static void b12(void **state)
{
	struct bench b = bench_make(state);
	char *before = fx_snapshot(b.fx);

	assert_hr(stop(b.m, 0), E_INVALIDARG);
	assert_hr(stop(b.m, 6), E_INVALIDARG);
	fx_unchanged(b.fx, before);
	bench_drop(&b);
}

static void b13(void **state)
{
	row_no_memory(state, act_stop);
	row_system_error(state, act_stop);
}

/* One process starts, another stops. */
static void b14(void **state)
{
	struct bench b = bench_make(state);
	VDS_OBJECT_ID id = fx_drive_id(b.drive);

	bench_drop(&b);
	fx_close(b.fx);
	assert_int_equal(other_process(b.fx->dir, "start", id), 0);
	assert_int_equal(other_process(b.fx->dir, "blinking", id), 0);
	assert_int_equal(other_process(b.fx->dir, "stop", id), 0);
	assert_int_equal(other_process(b.fx->dir, "blinking", id), 1);
	fx_open(b.fx, 0);
}

/* ---- C ------------------------------------------------------------------------------------- */

static void c1(void **state)
{
	static const ULONG counts[] = {1, 2, 10};
	struct bench b = bench_make(state);

	for (unsigned i = 0; i < 3; i++) {
		ULONGLONG since = fx_wall_ms();
		assert_ok(start(b.m, BlinkLight));
		assert_ok(pulse(b.m, BlinkLight, counts[i]));
		FX_UNTIL(fx_maint_mode(b.drive, BlinkLight) == VDSX_MAINTENANCE_IDLE);
		assert_int_equal(fx_pulses(b.drive, BlinkLight, since), counts[i]);
		assert_int_equal(fx_maint_state(b.drive, BlinkLight).ulPulsesDone, counts[i]);
		wait_intervals(1); /* so that the next moment is a later one */
	}
	bench_drop(&b);
}

static void c2(void **state)
{
	struct bench b = bench_make(state);
	char *before = fx_snapshot(b.fx);
	ULONGLONG since = fx_wall_ms();

	assert_hr(pulse(b.m, BlinkLight, 3), S_FALSE);
	fx_unchanged(b.fx, before);
	wait_intervals(4);
	assert_int_equal(fx_pulses(b.drive, BlinkLight, since), 0);
	bench_drop(&b);
}

static void c3(void **state)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	assert_ok(pulse(b.m, BlinkLight, 50));
	ULONGLONG since = fx_wall_ms();
	assert_ok(pulse(b.m, BlinkLight, 2));
	assert_int_equal(fx_maint_state(b.drive, BlinkLight).ulPulsesDone, 0);
	FX_UNTIL(fx_maint_mode(b.drive, BlinkLight) == VDSX_MAINTENANCE_IDLE);
	assert_int_equal(fx_pulses(b.drive, BlinkLight, since), 2);
	bench_drop(&b);
}

static uint64_t time_of_pulses(struct bench *b, ULONG count)
{
	assert_ok(start(b->m, BlinkLight));
	uint64_t begin = fx_now_ms();
	assert_ok(pulse(b->m, BlinkLight, count));
	FX_UNTIL(fx_maint_mode(b->drive, BlinkLight) == VDSX_MAINTENANCE_IDLE);
	return fx_now_ms() - begin;
}

static void c4(void **state)
{
	struct bench b = bench_make(state);

	fx_set(b.fx, VDSX_SETTING_PULSE_INTERVAL_MS, 10);
	uint64_t shorter = time_of_pulses(&b, 4); /* 80 ms */
	assert_int_equal(fx_maint_state(b.drive, BlinkLight).ulIntervalMs, 10);
	fx_set(b.fx, VDSX_SETTING_PULSE_INTERVAL_MS, 60);
	uint64_t longer = time_of_pulses(&b, 4); /* 480 ms */
	assert_int_equal(fx_maint_state(b.drive, BlinkLight).ulIntervalMs, 60);
	assert_true(shorter >= 79);
	assert_true(longer >= 479);
	bench_drop(&b);
}

static void c5(void **state)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, SpinDown));
	assert_hr(pulse(b.m, SpinDown, 1), VDS_E_NOT_SUPPORTED);
	assert_int_equal(fx_maint_mode(b.drive, SpinDown), VDSX_MAINTENANCE_RUNNING);
	assert_hr(pulse(b.m, SpinUp, 1), VDS_E_NOT_SUPPORTED); /* idle: NS before S_FALSE */
	bench_drop(&b);
}

static void c6(void **state)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	assert_hr(pulse(b.m, BlinkLight, 0), E_INVALIDARG);
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_RUNNING);
	bench_drop(&b);
}

static void c7(void **state)
{
	struct bench b = bench_make(state);

	assert_ok(start(b.m, BlinkLight));
	assert_ok(pulse(b.m, BlinkLight, 0xFFFFFFFFu));
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_PULSING);
	assert_ok(stop(b.m, BlinkLight));
	assert_int_equal(fx_maint_mode(b.drive, BlinkLight), VDSX_MAINTENANCE_IDLE);
	bench_drop(&b);
}

static void c8_corrupt(void **state)
{
	row_cache_corrupt(state, act_pulse);
}

static void c8_deleted(void **state)
{
	row_object_deleted(state, act_pulse);
}

static void c8_failed(void **state)
{
	row_status_failed(state, act_pulse);
}

static void c8_busy(void **state)
{
	row_another_call(state, act_pulse);
}

static void c8_unsupported(void **state)
{
	row_not_supported(state, act_pulse);
}

static void c9(void **state)
{
	struct bench b = bench_make(state);
	char *before = fx_snapshot(b.fx);

	assert_hr(pulse(b.m, 0, 1), E_INVALIDARG);
	assert_hr(pulse(b.m, 6, 1), E_INVALIDARG);
	fx_unchanged(b.fx, before);
	bench_drop(&b);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		ROW(B1, "running_stops_at_once", b1),
		ROW(B2, "not_running_is_s_false", b2),
		ROW(B3, "twice_is_s_ok_then_s_false", b3),
		ROW(B4, "another_running_operation_goes_on", b4),
		ROW(B5, "pulsing_stops_and_drops_the_rest", b5),
		ROW(B6, "after_the_pulses_it_is_s_false", b6),
		ROW(B7, "corrupt_cache_then_cure", b7),
		ROW(B8, "object_deleted", b8),
		ROW(B9, "status_failed_but_blink_can_be_stopped", b9),
		ROW(B10, "another_call_in_progress", b10),
		ROW(B11, "not_supported_before_s_false", b11),
		ROW(B12, "bad_operation_is_invalidarg", b12),
		ROW(B13, "out_of_memory_and_system_error", b13),
		ROW(B14, "another_client_stops_it", b14),
		ROW(C1, "running_pulses_n_times", c1),
		ROW(C2, "idle_is_s_false", c2),
		ROW(C3, "pulsing_counts_anew", c3),
		ROW(C4, "the_provider_sets_the_interval", c4),
		ROW(C5, "spindle_operations_do_not_pulse", c5),
		ROW(C6, "count_zero_is_invalidarg", c6),
		ROW(C7, "largest_count_is_accepted_and_stops", c7),
		ROW(C8, "corrupt_cache_then_cure", c8_corrupt),
		ROW(C8, "object_deleted", c8_deleted),
		ROW(C8, "status_failed", c8_failed),
		ROW(C8, "another_call_in_progress", c8_busy),
		ROW(C8, "not_supported", c8_unsupported),
		ROW(C9, "bad_operation_is_invalidarg", c9),
	};

	return cmocka_run_group_tests_name("StopMaintenance, PulseMaintenance", rows, NULL, NULL);
}
