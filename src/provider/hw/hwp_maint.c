/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IVdsMaintenance on all kinds of objects (hardware.md, section 10).
 *
 * A request is kept in the store on the object it was made of: Stop on a LUN ends what the LUN
 * began and nothing else. What a drive's light shows is derived when asked: its own request, or
 * that of a LUN on it, or of its subsystem. Pulses are counted by the clock; nothing runs
 * meanwhile. Ping is real: it reads the metadata of the drives concerned.
 */
#include "provider/hw/hwp.h"

#include "vdscom/check.h"

#define BIT(op) (1u << (op))

static unsigned offered(enum hwp_kind kind)
{
	switch (kind) {
	case HWP_DRIVE:
		return BIT(BlinkLight) | BIT(BeepAlarm) | BIT(SpinDown) | BIT(SpinUp) | BIT(Ping);
	case HWP_SUB_SYSTEM:
	case HWP_CONTROLLER:
	case HWP_LUN:
		return BIT(BlinkLight) | BIT(BeepAlarm) | BIT(Ping);
	case HWP_PORT:
		return BIT(BlinkLight) | BIT(Ping);
	case HWP_PROVIDER:
	case HWP_PLEX:
		return 0;
	}
	return 0;
}

static bool is_offered(const struct hwp *p, enum hwp_kind kind, const struct guid *id, int op)
{
	const struct sto_fault *f;

	if (!(offered(kind) & BIT(op)))
		return false;
	vec_for_each (&p->faults, f)
		if (f->kind == STO_FAULT_NO_OPERATION && guid_equal(&f->id, id) &&
			f->offset == (uint64_t)op)
			return false;
	return true;
}

/* ---- Start, Stop, Pulse -------------------------------------------------------------------- */

struct request {
	struct hwp *p;
	enum hwp_method method;
	struct guid id;
	int op;
	ULONG count;
	bool was_idle;
	struct err *err;
};

static int in_store(void *arg)
{
	struct request *r = arg;
	struct sto *sto = r->p->core.sto;

	if (r->method == HWP_M_START_MAINTENANCE)
		return sto_maint_start(sto, &r->id, r->op, r->err);
	if (r->method == HWP_M_STOP_MAINTENANCE)
		return sto_maint_stop(sto, &r->id, r->op, &r->was_idle, r->err);
	return sto_maint_pulse(sto, &r->id, r->op, r->count, &r->was_idle, r->err);
}

static int ping(struct hwp_call *call)
{
	struct eng_member_info members[ENG_MAX_MEMBERS];
	unsigned count = 0;
	int rc = 0;

	if (call->array->unreachable)
		return err_set(&call->err, -ETIMEDOUT, "The subsystem does not answer.");
	if (call->kind == HWP_DRIVE)
		return eng_drive_ping(call->eng, &call->id, &call->err);
	if (call->kind != HWP_LUN)
		return 0;
	rc = eng_lun_members(call->eng, &call->id, members, ENG_MAX_MEMBERS, &count);
	for (unsigned i = 0; !rc && i < count && i < ENG_MAX_MEMBERS; i++)
		if (members[i].state != ENG_MEMBER_MISSING && !guid_is_zero(&members[i].drive))
			rc = eng_drive_ping(call->eng, &members[i].drive, &call->err);
	return rc;
}

static HRESULT maint_body(struct hwp_call *call)
{
	struct hwp_maint_args *args = call->args;
	struct hwp *p = call->p;
	struct request r = {
		.p = p,
		.method = call->method,
		.id = call->id,
		.op = args->op,
		.count = args->count,
		.err = &call->err,
	};
	int rc = 0;

	if (!is_offered(p, call->kind, &call->id, args->op))
		return VDS_E_NOT_SUPPORTED;
	if (call->method == HWP_M_PULSE_MAINTENANCE && (args->op == SpinDown || args->op == SpinUp))
		return VDS_E_NOT_SUPPORTED;
	if (call->method == HWP_M_START_MAINTENANCE && args->op == Ping)
		rc = ping(call);
	if (!rc) {
		task_lock(&p->admin);
		rc = prv_clerk_call(&p->core.worker->clerk, in_store, &r);
		task_unlock(&p->admin);
	}
	if (rc)
		return hwp_fail(call, rc);
	return r.was_idle ? S_FALSE : S_OK;
}

static HRESULT request(
	struct prv_face *face, enum hwp_method method, VDS_MAINTENANCE_OPERATION op, ULONG count)
{
	struct hwp_maint_args args = {.op = (int)op, .count = count};

	VDC_ENUM(VDS_MAINTENANCE_OPERATION, op);
	VDC_REQUIRE(op != 0 && count);
	return hwp_call(hwp_of(face), method, face->kind, &face->id, maint_body, &args);
}

HRESULT hwp_maint_start(struct prv_face *face, VDS_MAINTENANCE_OPERATION op)
{
	return request(face, HWP_M_START_MAINTENANCE, op, 1);
}

HRESULT hwp_maint_stop(struct prv_face *face, VDS_MAINTENANCE_OPERATION op)
{
	return request(face, HWP_M_STOP_MAINTENANCE, op, 1);
}

HRESULT hwp_maint_pulse(struct prv_face *face, VDS_MAINTENANCE_OPERATION op, ULONG count)
{
	return request(face, HWP_M_PULSE_MAINTENANCE, op, count);
}

/* ---- what the lights show ------------------------------------------------------------------ */

VEC(struct guid, ids)

struct view {
	unsigned ops;   /* offered */
	struct ids who; /* whose requests show here: the object itself first */
};

static int add_luns(struct eng_array *eng, const struct guid *drive, struct ids *who)
{
	struct eng_extent *extents = NULL;
	unsigned count = 0;
	int rc = eng_drive_extents(eng, drive, &extents, &count);

	for (unsigned i = 0; !rc && i < count; i++)
		if (!guid_is_zero(&extents[i].lun))
			rc = ids_push(who, extents[i].lun);
	free(extents);
	return rc;
}

static HRESULT view_body(struct hwp_call *call)
{
	struct view *v = call->args;
	int rc = ids_push(&v->who, call->id);

	for (int op = BlinkLight; op <= Ping; op++)
		if (is_offered(call->p, call->kind, &call->id, op))
			v->ops |= BIT(op);
	if (!rc && call->kind == HWP_DRIVE) {
		rc = ids_push(&v->who, call->array->id);
		if (!rc)
			rc = add_luns(call->eng, &call->id, &v->who);
	}
	return hwp_fail(call, rc);
}

static int fill_state(struct sto *sto, const struct view *v, int op, VDSX_MAINTENANCE_STATE *out)
{
	struct sto_maint_state st;
	const struct guid *id;
	int rc = sto_maint_get(sto, &v->who.items[0], op, &st, NULL);

	if (rc)
		return rc;
	out->operation = (VDS_MAINTENANCE_OPERATION)op;
	out->mode = (VDSX_MAINTENANCE_MODE)st.mode;
	out->ulPulsesLeft = st.pulses_left;
	out->ulPulsesDone = st.pulses_done;
	out->ulIntervalMs = st.interval_ms;
	out->ullStartedAt = (ULONGLONG)st.started_ms;
	vec_for_each (&v->who, id) {
		rc = sto_maint_get(sto, id, op, &st, NULL);
		if (rc)
			return rc;
		if (st.mode != STO_MAINT_IDLE)
			out->bEffective = TRUE;
	}
	return 0;
}

HRESULT hwp_maint_query_state(struct prv_face *face, VDSX_MAINTENANCE_STATE **out, LONG *count)
{
	struct view v = {0};
	LONG n = 0;

	VDC_OUT2(out, count);
	HRESULT hr = hwp_call(
		hwp_of(face), HWP_M_X_MAINT_QUERY_STATE, face->kind, &face->id, view_body, &v);
	if (SUCCEEDED(hr) && !prv_enter(&hwp_of(face)->core, &hr))
		hr = VDS_E_OBJECT_DELETED;
	else if (SUCCEEDED(hr)) {
		VDSX_MAINTENANCE_STATE *states = com_task_calloc(STO_MAINT_OPS, sizeof(*states));
		int rc = states ? 0 : -ENOMEM;
		for (int op = BlinkLight; !rc && op <= Ping; op++)
			if (v.ops & BIT(op))
				rc = fill_state(hwp_of(face)->core.sto, &v, op, &states[n++]);
		prv_leave(&hwp_of(face)->core);
		if (rc) {
			com_task_free(states);
			hr = com_hr_from_errno(rc);
		} else {
			*out = states;
			*count = n;
		}
	}
	ids_free(&v.who);
	return hr;
}

static HRESULT exists_body(struct hwp_call *call)
{
	(void)call;
	return S_OK;
}

HRESULT hwp_maint_query_log(
	struct prv_face *face, ULONGLONG since, VDSX_MAINTENANCE_EVENT **out, LONG *count)
{
	struct sto_maint_event_vec events = {0};
	struct sto_maint_event *e;

	VDC_OUT2(out, count);
	HRESULT hr = hwp_call(
		hwp_of(face), HWP_M_X_MAINT_QUERY_LOG, face->kind, &face->id, exists_body, NULL);
	if (FAILED(hr) || !prv_enter(&hwp_of(face)->core, &hr))
		return hr;
	int64_t from = since > INT64_MAX ? INT64_MAX : (int64_t)since;
	int rc = sto_maint_log(hwp_of(face)->core.sto, &face->id, from, 1000, &events, NULL);
	prv_leave(&hwp_of(face)->core);
	if (!rc && events.len) {
		*out = com_task_calloc(events.len, sizeof(**out));
		rc = *out ? 0 : -ENOMEM;
	}
	vec_for_each (&events, e) {
		if (rc)
			break;
		(*out)[e_i] = (VDSX_MAINTENANCE_EVENT){
			.ullAt = (ULONGLONG)e->at_ms,
			.operation = (VDS_MAINTENANCE_OPERATION)e->op,
			.kind = (VDSX_MAINTENANCE_EVENT_KIND)e->kind,
		};
	}
	*count = rc ? 0 : (LONG)events.len;
	sto_maint_event_vec_free(&events);
	return rc ? com_hr_from_errno(rc) : S_OK;
}
