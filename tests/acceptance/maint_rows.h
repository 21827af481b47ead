/* SPDX-License-Identifier: Apache-2.0 */
/* What the rows of Start, Stop and Pulse have in common. */
#ifndef ACCEPTANCE_MAINT_ROWS_H
#define ACCEPTANCE_MAINT_ROWS_H

#include "fixture.h"

/* A drive with its maintenance interface. */
struct bench {
	struct fx *fx;
	IVdsDrive *drive;
	IVdsMaintenance *m;
};
struct bench bench_make(void **state);
void bench_drop(struct bench *b);

static inline HRESULT start(IVdsMaintenance *m, int op)
{
	return IVdsMaintenance_StartMaintenance(m, (VDS_MAINTENANCE_OPERATION)op);
}

static inline HRESULT stop(IVdsMaintenance *m, int op)
{
	return IVdsMaintenance_StopMaintenance(m, (VDS_MAINTENANCE_OPERATION)op);
}

static inline HRESULT pulse(IVdsMaintenance *m, int op, ULONG count)
{
	return IVdsMaintenance_PulseMaintenance(m, (VDS_MAINTENANCE_OPERATION)op, count);
}

/* One of the three methods, for rows that hold for all of them. */
typedef HRESULT act_fn(IVdsMaintenance *m, int op);
HRESULT act_start(IVdsMaintenance *m, int op);
HRESULT act_stop(IVdsMaintenance *m, int op);
HRESULT act_pulse(IVdsMaintenance *m, int op);

/* CC until the cure, then what act gives a running (or for Start idle) operation: S_OK. */
void row_cache_corrupt(void **state, act_fn *act);
/* OD from a drive and the subsystem when the subsystem is gone, from a departed drive, a deleted
 * LUN. */
void row_object_deleted(void **state, act_fn *act);
/* SF from the failed subsystem and a drive in it. */
void row_status_failed(void **state, act_fn *act);
/* AC while SetStatus or ReplaceDrive holds the drive; afterwards it works. */
void row_another_call(void **state, act_fn *act);
/* The n-th allocation fails, and a system error: nothing changed, and it works afterwards. */
void row_no_memory(void **state, act_fn *act);
void row_system_error(void **state, act_fn *act);
/* NS on a controller, and where an operation was taken away. */
void row_not_supported(void **state, act_fn *act);

#endif
