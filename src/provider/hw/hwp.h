/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the hardware provider.
 *
 * struct hwp is the core (provider/base/prv.h) with the arrays of an open store. Its methods go
 * through hwp_call: the common check sequence and then the method's body as one task on the worker.
 * Fields marked [worker] are owned by the worker: only tasks and callbacks of the loop touch them.
 */
#ifndef PROVIDER_HW_HWP_H
#define PROVIDER_HW_HWP_H

#include "base/rng.h"
#include "engine/engine.h"
#include "provider/base/prv.h"
#include "provider/hw/hw.h"
#include "provider/hw/hwp_method.h"

#include <stdio.h>
#include <vds.h>
#include <vdserr.h>
#include <vdshwprv.h>
#include <vdsx.h>

struct hwp;
struct hwp_array;

/* Objects, as the store numbers them. */
enum hwp_kind {
	HWP_PROVIDER = VDS_OT_PROVIDER,
	HWP_SUB_SYSTEM = VDS_OT_SUB_SYSTEM,
	HWP_CONTROLLER = VDS_OT_CONTROLLER,
	HWP_DRIVE = VDS_OT_DRIVE,
	HWP_LUN = VDS_OT_LUN,
	HWP_PLEX = VDS_OT_LUN_PLEX,
	HWP_PORT = VDS_OT_PORT,
};

VEC(struct sto_fault, hwp_faults)

/* Trust in the picture of the arrays (hardware.md 10.6); the values are kept in the store. */
enum hwp_cache {
	HWP_CACHE_VALID = 0,
	HWP_CACHE_CORRUPT = 1,
	HWP_CACHE_REDISCOVERED = 2,
};

/* [worker] One subsystem. */
struct hwp_array {
	struct list link;
	struct hwp *p;
	struct guid id, controller, port;
	uint8_t container[24];
	char name[STO_NAME_BYTES];
	uint32_t seq;
	struct eng_array *eng;    /* NULL: removed by fault, or it could not be opened */
	struct err open_error;    /* why it could not be opened */
	bool gone;                /* fault GONE: nothing of it is present */
	bool departed;            /* and its loss was told: not enumerated */
	bool failed, unreachable; /* faults */
	bool controller_failed;
	bool controller_offline, port_offline;
	VDS_SUB_SYSTEM_STATUS last_status; /* as told to clients */
};

struct hwp {
	struct prv core;
	struct rng rng;           /* [worker] */
	struct list arrays;       /* [worker] */
	struct list slots;        /* [worker] struct hwp_call.slot_link */
	enum hwp_cache cache;     /* [worker] */
	bool user_hold;           /* [worker] HoldRecovery */
	struct hwp_faults faults; /* [worker] those in force, as in the store */
	struct task_mutex admin;  /* [worker] short changes wait for each other */
	struct task_mutex adding; /* [worker] one drive is taken in at a time */
};

static inline struct hwp *hwp_core(struct prv *core)
{
	return container_of(core, struct hwp, core);
}

static inline struct hwp *hwp_of(const struct prv_face *face)
{
	return hwp_core(face->core);
}

/* ---- one call ----------------------------------------------------------------------------- */

struct hwp_call {
	struct hwp *p;
	enum hwp_method method;
	enum hwp_kind kind;
	struct guid id; /* of the object addressed */
	void *args;
	HRESULT (*body)(struct hwp_call *call);
	/* [worker] found by the check sequence; as of when the body begins. For a drive drive is
	 * set, for a LUN or plex lun, and array for all but the provider. */
	struct hwp_array *array;
	struct eng_array *eng;
	struct eng_drive_info drive;
	struct eng_lun_info lun;
	unsigned plex_index;
	/* [worker] the slot it holds */
	struct list slot_link;
	bool slot_held;
	struct guid slot_id;
	struct guid under[ENG_MAX_MEMBERS]; /* drives under a LUN */
	unsigned under_len;
	/* result */
	struct err err;
};

/*
 * Runs the check sequence and then body on the worker; returns the first failing check's code or
 * what body returned. body may wait; it translates engine codes with hwp_fail. When it fails, the
 * sentence in call->err goes to the thread's last error text.
 */
HRESULT hwp_call(struct hwp *p, enum hwp_method method, enum hwp_kind kind, const struct guid *id,
	HRESULT (*body)(struct hwp_call *call), void *args);

/* The code for an engine error, out of the list of the call's method. 0 gives S_OK. */
HRESULT hwp_fail(struct hwp_call *call, int code);

/* [worker] The common checks, in order; takes the slot if the method is exclusive. */
HRESULT hwp_check(struct hwp_call *call);
void hwp_slot_release(struct hwp_call *call);
/* [worker] Whether this call may not run while the other holds its slot. */
bool hwp_slot_conflict(const struct hwp_call *call, const struct hwp_call *other);

/* ---- core --------------------------------------------------------------------------------- */

struct hwp *hwp_new(void); /* one reference; NULL: memory */
/* Starts on the host's store. Negative errno with a sentence; then nothing is left running. */
int hwp_start(struct hwp *p, IVdspHost *host, IVdsAdviseSink *sink, struct err *err);
/* Ends: waits for calls under way, checkpoints, closes. Idempotent. */
void hwp_stop(struct hwp *p);

/* ---- arrays ------------------------------------------------------------------------------- */

struct hwp_array_setup {
	struct sto_subsystem row;
	struct sto_bay_vec bays;
	bool offline, controller_offline, port_offline;
};
VEC(struct hwp_array_setup, hwp_setups)

/* Reads what the store knows of the subsystems (any thread but the worker). */
int hwp_array_read(struct hwp *p, struct hwp_setups *out, struct err *err);
int hwp_array_read_one(
	struct hwp *p, const struct guid *id, struct hwp_array_setup *out, struct err *err);
void hwp_setups_release(struct hwp_setups *setups);
/* [worker, task] Makes the array of a setup; opens it unless it is removed by fault. Its failure to
 * open is kept in open_error and is no failure of this. -ENOMEM. */
int hwp_array_add(struct hwp *p, const struct hwp_array_setup *setup, struct hwp_array **out);
/* [worker, task] (Re)opens the engine's array. */
int hwp_array_open(struct hwp_array *a, const struct hwp_array_setup *setup, struct err *err);
void hwp_array_close(struct hwp_array *a); /* [worker, task] the engine's part only */
void hwp_array_free(struct hwp_array *a);  /* [worker, task] all of it */
struct hwp_array *hwp_array_find(struct hwp *p, const struct guid *id); /* [worker] or NULL */
VDS_SUB_SYSTEM_STATUS hwp_array_status(const struct hwp_array *a);      /* [worker] */
VDS_HEALTH hwp_array_health(const struct hwp_array *a);                 /* [worker] */
VDS_CONTROLLER_STATUS hwp_controller_status(const struct hwp_array *a); /* [worker] */
VDS_PORT_STATUS hwp_port_status(const struct hwp_array *a);             /* [worker] */
VDS_DRIVE_STATUS hwp_drive_status(const struct eng_drive_info *d);
VDS_HEALTH hwp_drive_health(const struct eng_drive_info *d);
ULONG hwp_drive_flags(const struct eng_drive_info *d);
/* [worker] Hands the settings of the store to an array (values read by the caller). */
struct eng_settings hwp_settings(struct hwp *p); /* any thread but the worker, or via the clerk */
/* [worker, task] Probes and lets go, with the store's bays. */
int hwp_array_rescan(struct hwp_array *a, struct err *err);
/* Bays as the engine wants them; *out is malloc'd and points into bays. */
int hwp_bays(const struct sto_bay_vec *bays, struct eng_bay **out);
/* [worker, task] Holds or releases recovery on all arrays, by the user's wish and the cache's
 * state. */
void hwp_apply_hold(struct hwp *p);

/* ---- cache (10.6) ------------------------------------------------------------------------- */

/* [worker, task] */
void hwp_cache_set(struct hwp *p, enum hwp_cache state);
HRESULT hwp_cache_reenumerate(struct hwp_call *call);
HRESULT hwp_cache_refresh(struct hwp_call *call);

/* ---- faults ------------------------------------------------------------------------------- */

/* [worker] Is this fault in force on the object? NULL or the fault. */
const struct sto_fault *hwp_fault_find(
	const struct hwp *p, const struct guid *id, enum sto_fault_kind kind);
/* [worker, task] Makes a fault of the store true (at open, and when injected). */
int hwp_fault_apply(struct hwp *p, const struct sto_fault *fault, struct err *err);
/* [worker, task] Brings into force what the store holds on this array, its drives and LUNs. */
void hwp_fault_apply_all(struct hwp_array *a);
/* [worker, task] Takes mended read errors out of the store before an array closes. */
void hwp_fault_settle(struct hwp_array *a);
/* [worker, task] The object of a fault. -ENOENT. */
int hwp_ident_find(
	struct hwp *p, const struct guid *id, struct prv_ident *out, struct hwp_array **array);
/* [worker, task] Takes a fault out of the list and the store without undoing it. */
int hwp_fault_forget(struct hwp *p, const struct guid *id, int kind, struct err *err);

/* ---- notifications ------------------------------------------------------------------------ */

VDS_NOTIFICATION hwp_notification(enum hwp_kind kind, ULONG event, const struct guid *id);
void hwp_notify_one(struct hwp *p, enum hwp_kind kind, ULONG event, const struct guid *id);
/* eng_host.events */
void hwp_engine_events(
	void *ctx, struct eng_array *eng, const struct eng_event *list, unsigned count);

/* ---- jobs --------------------------------------------------------------------------------- */

/* eng_host.job_number, eng_host.job_changed */
uint32_t hwp_job_number(void *ctx, enum eng_job_type type, const struct guid *object, bool resumed);
void hwp_job_changed(void *ctx, struct eng_job *job);
/* [worker] Ties an async object to the job the engine began; takes over the reference to job. */
struct prv_inner;
void hwp_job_bind(struct hwp *p, struct eng_job *job, struct prv_inner *inner);
/* The async object of a job of any state. NF for an unknown number. */
HRESULT hwp_job_async(struct hwp *p, uint32_t number, IVdsAsync **out);

/* ---- facades ------------------------------------------------------------------------------ */

/* Makers, one for each kind; NULL: memory. */
struct com_object *hwp_provider_make(const struct prv_face *face);
struct com_object *hwp_subsystem_make(const struct prv_face *face);
struct com_object *hwp_controller_make(const struct prv_face *face);
struct com_object *hwp_port_make(const struct prv_face *face);
struct com_object *hwp_drive_make(const struct prv_face *face);
struct com_object *hwp_lun_make(const struct prv_face *face);
struct com_object *hwp_plex_make(const struct prv_face *face);
/* The object that the class factory makes: with IVdsProviderPrivate, without a hold on the service.
 */
HRESULT hwp_provider_new(struct hwp *p, REFIID riid, void **out);

/* Arguments of the three methods of IVdsMaintenance: the check sequence looks at op. */
struct hwp_maint_args {
	int op;
	ULONG count;
};

/* ---- shared methods ----------------------------------------------------------------------- */

HRESULT hwp_maint_start(struct prv_face *face, VDS_MAINTENANCE_OPERATION op);
HRESULT hwp_maint_stop(struct prv_face *face, VDS_MAINTENANCE_OPERATION op);
HRESULT hwp_maint_pulse(struct prv_face *face, VDS_MAINTENANCE_OPERATION op, ULONG count);
HRESULT hwp_maint_query_state(struct prv_face *face, VDSX_MAINTENANCE_STATE **out, LONG *count);
HRESULT hwp_maint_query_log(
	struct prv_face *face, ULONGLONG since, VDSX_MAINTENANCE_EVENT **out, LONG *count);
HRESULT hwp_get_number(struct prv_face *face, ULONG *number);
HRESULT hwp_get_sub_system(struct prv_face *face, enum hwp_method method, IVdsSubSystem **out);

/* Typed methods of IVdsMaintenance, IVdsxMaintenance and IVdsxNumber of a facade class. */
#define HWP_MAINTENANCE(class)                                                                     \
	COM_UNKNOWN(class, IVdsMaintenance)                                                        \
	COM_UNKNOWN(class, IVdsxMaintenance)                                                       \
	static HRESULT STDMETHODCALLTYPE class##_StartMaintenance(                                 \
		IVdsMaintenance *iface, VDS_MAINTENANCE_OPERATION op)                              \
	{                                                                                          \
		return hwp_maint_start(&COM_IMPL(class, IVdsMaintenance, iface)->face, op);        \
	}                                                                                          \
	static HRESULT STDMETHODCALLTYPE class##_StopMaintenance(                                  \
		IVdsMaintenance *iface, VDS_MAINTENANCE_OPERATION op)                              \
	{                                                                                          \
		return hwp_maint_stop(&COM_IMPL(class, IVdsMaintenance, iface)->face, op);         \
	}                                                                                          \
	static HRESULT STDMETHODCALLTYPE class##_PulseMaintenance(                                 \
		IVdsMaintenance *iface, VDS_MAINTENANCE_OPERATION op, ULONG count)                 \
	{                                                                                          \
		return hwp_maint_pulse(&COM_IMPL(class, IVdsMaintenance, iface)->face, op, count); \
	}                                                                                          \
	static HRESULT STDMETHODCALLTYPE class##_QueryState(                                       \
		IVdsxMaintenance *iface, VDSX_MAINTENANCE_STATE **states, LONG *count)             \
	{                                                                                          \
		return hwp_maint_query_state(                                                      \
			&COM_IMPL(class, IVdsxMaintenance, iface)->face, states, count);           \
	}                                                                                          \
	static HRESULT STDMETHODCALLTYPE class##_QueryLog(IVdsxMaintenance *iface,                 \
		ULONGLONG since, VDSX_MAINTENANCE_EVENT **events, LONG *count)                     \
	{                                                                                          \
		return hwp_maint_query_log(                                                        \
			&COM_IMPL(class, IVdsxMaintenance, iface)->face, since, events, count);    \
	}                                                                                          \
	static const IVdsMaintenanceVtbl class##_IVdsMaintenance_vtbl = {                          \
		COM_UNKNOWN_METHODS(class, IVdsMaintenance),                                       \
		.StartMaintenance = class##_StartMaintenance,                                      \
		.StopMaintenance = class##_StopMaintenance,                                        \
		.PulseMaintenance = class##_PulseMaintenance,                                      \
	};                                                                                         \
	static const IVdsxMaintenanceVtbl class##_IVdsxMaintenance_vtbl = {                        \
		COM_UNKNOWN_METHODS(class, IVdsxMaintenance),                                      \
		.QueryState = class##_QueryState,                                                  \
		.QueryLog = class##_QueryLog,                                                      \
	};

#define HWP_NUMBER(class)                                                                          \
	COM_UNKNOWN(class, IVdsxNumber)                                                            \
	static HRESULT STDMETHODCALLTYPE class##_GetNumber(IVdsxNumber *iface, ULONG *number)      \
	{                                                                                          \
		return hwp_get_number(&COM_IMPL(class, IVdsxNumber, iface)->face, number);         \
	}                                                                                          \
	static const IVdsxNumberVtbl class##_IVdsxNumber_vtbl = {                                  \
		COM_UNKNOWN_METHODS(class, IVdsxNumber),                                           \
		.GetNumber = class##_GetNumber,                                                    \
	};

#endif
