/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The provider object: faults on purpose. Every method answers VDS_E_NOT_SUPPORTED in a store that
 * was not made for them. What they do is in hwp_fault.c and hwp_point.c.
 */
#include "provider/hw/hwp_provider.h"

#include "vdscom/check.h"

COM_UNKNOWN(hwp_provider, IVdsxFault)

struct change {
	struct hwp *p;
	struct sto_fault fault;
	int kind; /* to clear: 0 = all */
	char name[96];
	ULONG timeout_ms;
	struct sto_bay bay; /* out of which the drive is, or into which it goes */
	bool has_bay;
	struct hwp_array_setup setup;
	struct err *err;
};

static int add_in_store(void *arg)
{
	struct change *c = arg;

	return sto_fault_add(c->p->core.sto, &c->fault, c->err);
}

/* Faults that happen and are over, or must not outlive this process. */
static bool is_kept(enum sto_fault_kind kind)
{
	return kind != STO_FAULT_CORRUPT && kind != STO_FAULT_OUT_OF_MEMORY &&
	       kind != STO_FAULT_SYSTEM_ERROR;
}

static bool allowed(struct hwp_call *call)
{
	return sto_faults_allowed(call->p->core.sto);
}

/* ---- Inject -------------------------------------------------------------------------------- */

static HRESULT inject_into_provider(struct hwp_call *call, struct change *c)
{
	switch (c->fault.kind) {
	case STO_FAULT_OUT_OF_MEMORY:
		return S_OK; /* armed by the caller, when this call needs no more memory */
	case STO_FAULT_SYSTEM_ERROR:
		call->p->core.system_error = (uint32_t)c->fault.size;
		return S_OK;
	case STO_FAULT_CACHE_CORRUPT:
		return E_PENDING; /* go on as with all others */
	case STO_FAULT_UNREACHABLE:
	case STO_FAULT_FAILED:
	case STO_FAULT_PREDICT:
	case STO_FAULT_GONE:
	case STO_FAULT_READ_ERROR:
	case STO_FAULT_CORRUPT:
	case STO_FAULT_SLOW:
	case STO_FAULT_WRITE_ERROR:
	case STO_FAULT_NO_OPERATION:
		break;
	}
	return VDS_E_NOT_SUPPORTED;
}

static bool in_force(struct hwp *p, const struct sto_fault *fault)
{
	const struct sto_fault *f;

	vec_for_each (&p->faults, f)
		if (f->kind == fault->kind && guid_equal(&f->id, &fault->id) &&
			f->offset == fault->offset && f->size == fault->size)
			return true;
	return false;
}

/* Controllers and LUNs have no events of the engine for this; the rest has. */
static void tell_of_fault(struct hwp *p, const struct prv_ident *ident, struct hwp_array *a)
{
	if (ident->kind == HWP_CONTROLLER)
		hwp_notify_one(p, HWP_CONTROLLER, VDS_NF_CONTROLLER_MODIFY, &ident->id);
	if (ident->kind == HWP_LUN)
		hwp_notify_one(p, HWP_LUN, VDS_NF_LUN_MODIFY, &ident->id);
	if (!a)
		return;
	VDS_SUB_SYSTEM_STATUS now = hwp_array_status(a);
	if (now != a->last_status && !a->gone)
		hwp_notify_one(p, HWP_SUB_SYSTEM, VDS_NF_SUB_SYSTEM_MODIFY, &a->id);
	a->last_status = now;
}

static HRESULT inject_body(struct hwp_call *call)
{
	struct change *c = call->args;
	struct hwp *p = call->p;
	struct prv_ident ident;
	struct hwp_array *a;

	c->err = &call->err;
	if (!allowed(call))
		return VDS_E_NOT_SUPPORTED;
	if (hwp_ident_find(p, &c->fault.id, &ident, &a))
		return VDS_E_OBJECT_NOT_FOUND;
	if (ident.kind == HWP_PROVIDER) {
		HRESULT hr = inject_into_provider(call, c);
		if (hr != E_PENDING)
			return hr;
	}
	if (in_force(p, &c->fault))
		return S_OK;
	int rc = hwp_fault_apply(p, &c->fault, &call->err);
	if (rc)
		return hwp_fail(call, rc);
	if (is_kept(c->fault.kind)) {
		rc = prv_clerk_call(&p->core.worker->clerk, add_in_store, c);
		if (!rc)
			rc = hwp_faults_push(&p->faults, c->fault);
	}
	tell_of_fault(p, &ident, a);
	return hwp_fail(call, rc);
}

static HRESULT STDMETHODCALLTYPE hwp_provider_Inject(IVdsxFault *iface, const VDSX_FAULT *fault)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsxFault, iface);

	COM_TRACE(self);
	VDC_REQUIRE(fault && vdc_enum_known(&idl_enum_VDSX_FAULT_KIND, (ULONG)fault->kind));
	VDC_REQUIRE(fault->kind != VDSX_FAULT_OUT_OF_MEMORY ||
		    (fault->ullSize && fault->ullSize <= UINT32_MAX));
	VDC_REQUIRE(fault->kind != VDSX_FAULT_NO_OPERATION ||
		    (fault->ullOffset >= BlinkLight && fault->ullOffset <= Ping));
	cleanup_free struct change *c = calloc(1, sizeof(*c));
	if (!c)
		return E_OUTOFMEMORY;
	c->p = hwp_of(&self->face);
	c->fault = (struct sto_fault){
		.id = com_guid_to(&fault->objectId),
		.kind = (enum sto_fault_kind)fault->kind,
		.offset = fault->ullOffset,
		.size = fault->ullSize,
	};
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_X_FAULT_INJECT, HWP_PROVIDER,
		&self->face.id, inject_body, c);
	if (SUCCEEDED(hr))
		prv_clerk_drain(&hwp_of(&self->face)->core.worker->clerk);
	if (SUCCEEDED(hr) && fault->kind == VDSX_FAULT_OUT_OF_MEMORY)
		com_alloc_fail_after((unsigned)fault->ullSize);
	return hr;
}

/* ---- Clear --------------------------------------------------------------------------------- */

static int find_bay(void *arg)
{
	struct change *c = arg;

	c->has_bay = !sto_bay_find(c->p->core.sto, &c->fault.id, &c->bay, NULL);
	return 0;
}

static int read_setup(void *arg)
{
	struct change *c = arg;

	return hwp_array_read_one(c->p, &c->fault.id, &c->setup, c->err);
}

/* Back in its bay: after a pull, or after it was given up because it did not answer. */
static int put_back(struct hwp_call *call, struct change *c)
{
	struct hwp *p = call->p;

	prv_clerk_call(&p->core.worker->clerk, find_bay, c);
	struct hwp_array *a = c->has_bay ? hwp_array_find(p, &c->bay.subsystem) : NULL;
	if (!a || !a->eng)
		return 0; /* the subsystem is out as well: the drive returns with it */
	struct eng_bay bay = {
		.bus = c->bay.bus,
		.slot = c->bay.slot,
		.path = c->bay.path,
		.drive = c->fault.id,
		.lost_at = c->bay.lost_ms,
	};
	return eng_drive_insert(a->eng, &bay, &call->err);
}

static int answers_again(struct hwp_call *call, struct change *c, struct eng_array *eng)
{
	struct eng_drive_info info;
	int rc = eng_drive_fault_clear(eng, &c->fault.id, BLK_FAULT_UNREACHABLE);

	if (rc || eng_drive_info(eng, &c->fault.id, &info) || info.state != ENG_DRIVE_NOT_READY)
		return rc;
	rc = eng_drive_pull(eng, &c->fault.id, &call->err);
	return rc ? rc : put_back(call, c);
}

static int undo_drive(struct hwp_call *call, struct change *c, enum sto_fault_kind kind)
{
	struct hwp *p = call->p;
	struct prv_ident ident;
	struct hwp_array *a;
	const struct guid *id = &c->fault.id;

	if (kind == STO_FAULT_GONE)
		return put_back(call, c);
	if (hwp_ident_find(p, id, &ident, &a) || ident.kind != HWP_DRIVE)
		return 0;
	switch (kind) {
	case STO_FAULT_FAILED:
		return eng_drive_set_failed(a->eng, id, false, &call->err);
	case STO_FAULT_PREDICT:
		return eng_drive_set_predicted(a->eng, id, false, &call->err);
	case STO_FAULT_UNREACHABLE:
		return answers_again(call, c, a->eng);
	case STO_FAULT_READ_ERROR:
		return eng_drive_fault_clear(a->eng, id, BLK_FAULT_READ_ERROR);
	case STO_FAULT_WRITE_ERROR:
		return eng_drive_fault_clear(a->eng, id, BLK_FAULT_WRITE_ERROR);
	case STO_FAULT_SLOW:
		return eng_drive_fault_clear(a->eng, id, BLK_FAULT_DELAY);
	case STO_FAULT_CACHE_CORRUPT:
	case STO_FAULT_GONE:
	case STO_FAULT_CORRUPT:
	case STO_FAULT_NO_OPERATION:
	case STO_FAULT_OUT_OF_MEMORY:
	case STO_FAULT_SYSTEM_ERROR:
		return 0;
	}
	return 0;
}

static int undo_array(
	struct hwp_call *call, struct change *c, struct hwp_array *a, enum sto_fault_kind kind)
{
	int rc;

	if (kind == STO_FAULT_FAILED) {
		a->failed = false;
		hwp_apply_hold(call->p);
	} else if (kind == STO_FAULT_UNREACHABLE) {
		a->unreachable = false;
	} else if (kind == STO_FAULT_GONE && a->gone) {
		rc = prv_clerk_call(&call->p->core.worker->clerk, read_setup, c);
		if (!rc)
			rc = hwp_array_open(a, &c->setup, &call->err);
		sto_bay_vec_free(&c->setup.bays);
		if (rc)
			return rc;
		a->gone = false;
		hwp_apply_hold(call->p);
	}
	return 0;
}

/* Undoes one kind on the object. What is cured by other means (the cache) stays. */
static int undo(struct hwp_call *call, struct change *c, enum sto_fault_kind kind)
{
	struct prv_ident ident;
	struct hwp_array *a;

	if (hwp_ident_find(call->p, &c->fault.id, &ident, &a))
		return undo_drive(call, c, kind); /* departed: only a return can be meant */
	switch (ident.kind) {
	case HWP_SUB_SYSTEM:
		return undo_array(call, c, a, kind);
	case HWP_CONTROLLER:
		if (kind == STO_FAULT_FAILED)
			a->controller_failed = false;
		return 0;
	case HWP_DRIVE:
		return undo_drive(call, c, kind);
	case HWP_LUN:
		return kind == STO_FAULT_FAILED ? eng_lun_set_failed(a->eng, &c->fault.id, false)
						: 0;
	case HWP_PROVIDER:
		if (kind == STO_FAULT_SYSTEM_ERROR)
			call->p->core.system_error = 0;
		return 0;
	case HWP_PLEX:
	case HWP_PORT:
		return 0;
	}
	return 0;
}

static bool is_known(struct hwp_call *call, const struct guid *id)
{
	struct prv_ident ident;
	struct hwp_array *a;
	const struct sto_fault *f;

	vec_for_each (&call->p->faults, f)
		if (guid_equal(&f->id, id))
			return true;
	return !hwp_ident_find(call->p, id, &ident, &a);
}

static HRESULT clear_body(struct hwp_call *call)
{
	struct change *c = call->args;
	struct hwp *p = call->p;
	struct prv_ident ident = {0};
	struct hwp_array *a = NULL;
	int rc = 0;

	c->err = &call->err;
	if (!allowed(call))
		return VDS_E_NOT_SUPPORTED;
	if (!is_known(call, &c->fault.id))
		return VDS_E_OBJECT_NOT_FOUND;
	for (int kind = STO_FAULT_CACHE_CORRUPT; !rc && kind <= STO_FAULT_SYSTEM_ERROR; kind++) {
		if (c->kind && c->kind != kind)
			continue;
		bool was = hwp_fault_find(p, &c->fault.id, (enum sto_fault_kind)kind) != NULL;
		rc = hwp_fault_forget(p, &c->fault.id, kind, &call->err);
		if (!rc && (was || !is_kept((enum sto_fault_kind)kind)))
			rc = undo(call, c, (enum sto_fault_kind)kind);
	}
	if (!hwp_ident_find(p, &c->fault.id, &ident, &a))
		tell_of_fault(p, &ident, a);
	return hwp_fail(call, rc);
}

static HRESULT STDMETHODCALLTYPE hwp_provider_Clear(IVdsxFault *iface, ULONG kind, VDS_OBJECT_ID id)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsxFault, iface);

	COM_TRACE(self, "kind %u", kind);
	VDC_REQUIRE(!kind || vdc_enum_known(&idl_enum_VDSX_FAULT_KIND, kind));
	/* first of all, or it would strike here */
	if (com_guid_equal(&id, &HWP_PROVIDER_ID) && (!kind || kind == VDSX_FAULT_OUT_OF_MEMORY))
		com_alloc_fail_after(0);
	cleanup_free struct change *c = calloc(1, sizeof(*c));
	if (!c)
		return E_OUTOFMEMORY;
	c->p = hwp_of(&self->face);
	c->kind = (int)kind;
	c->fault.id = com_guid_to(&id);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_X_FAULT_CLEAR, HWP_PROVIDER,
		&self->face.id, clear_body, c);
	if (SUCCEEDED(hr))
		prv_clerk_drain(&hwp_of(&self->face)->core.worker->clerk);
	return hr;
}

/* ---- QueryFaults --------------------------------------------------------------------------- */

static HRESULT query_body(struct hwp_call *call)
{
	struct hwp_faults *out = call->args;
	const struct sto_fault *f;

	if (!allowed(call))
		return VDS_E_NOT_SUPPORTED;
	vec_for_each (&call->p->faults, f)
		if (hwp_faults_push(out, *f))
			return E_OUTOFMEMORY;
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_provider_QueryFaults(
	IVdsxFault *iface, VDSX_FAULT **out, LONG *count)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsxFault, iface);
	struct hwp_faults list = {0};

	COM_TRACE(self);
	VDC_OUT2(out, count);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_X_FAULT_QUERY, HWP_PROVIDER,
		&self->face.id, query_body, &list);
	if (SUCCEEDED(hr) && list.len) {
		*out = com_task_calloc(list.len, sizeof(**out));
		hr = *out ? S_OK : E_OUTOFMEMORY;
		for (size_t i = 0; *out && i < list.len; i++)
			(*out)[i] = (VDSX_FAULT){
				.kind = (VDSX_FAULT_KIND)list.items[i].kind,
				.objectId = com_guid_from(&list.items[i].id),
				.ullOffset = list.items[i].offset,
				.ullSize = list.items[i].size,
			};
		*count = *out ? (LONG)list.len : 0;
	}
	hwp_faults_free(&list);
	return hr;
}

/* ---- hold points --------------------------------------------------------------------------- */

static HRESULT point_body(struct hwp_call *call)
{
	struct change *c = call->args;
	int rc;

	if (!allowed(call))
		return VDS_E_NOT_SUPPORTED;
	if (call->method == HWP_M_X_FAULT_HOLD)
		rc = prv_point_hold(&call->p->core, c->name);
	else if (call->method == HWP_M_X_FAULT_RESUME)
		rc = prv_point_resume(&call->p->core, c->name);
	else
		rc = prv_point_wait(&call->p->core, c->name, c->timeout_ms);
	return rc == -ETIMEDOUT ? VDS_E_TIMEOUT : hwp_fail(call, rc);
}

static HRESULT point(IVdsxFault *iface, enum hwp_method method, LPCWSTR name, ULONG timeout_ms)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsxFault, iface);
	struct prv_face *face = &self->face;

	COM_TRACE(self, "%s", hwp_method_info(method)->name);
	VDC_REQUIRE(name && name[0]);
	cleanup_free char *text = com_utf8_from_wide(name);
	cleanup_free struct change *c = calloc(1, sizeof(*c));
	if (!text || !c)
		return E_OUTOFMEMORY;
	VDC_REQUIRE(strlen(text) < sizeof(c->name));
	memcpy(c->name, text, strlen(text) + 1);
	c->timeout_ms = timeout_ms;
	return hwp_call(hwp_of(face), method, HWP_PROVIDER, &face->id, point_body, c);
}

static HRESULT STDMETHODCALLTYPE hwp_provider_Hold(IVdsxFault *iface, LPCWSTR name)
{
	return point(iface, HWP_M_X_FAULT_HOLD, name, 0);
}

static HRESULT STDMETHODCALLTYPE hwp_provider_Resume(IVdsxFault *iface, LPCWSTR name)
{
	return point(iface, HWP_M_X_FAULT_RESUME, name, 0);
}

static HRESULT STDMETHODCALLTYPE hwp_provider_WaitHeld(
	IVdsxFault *iface, LPCWSTR name, ULONG timeout_ms)
{
	return point(iface, HWP_M_X_FAULT_WAIT_HELD, name, timeout_ms);
}

const IVdsxFaultVtbl hwp_provider_IVdsxFault_vtbl = {
	COM_UNKNOWN_METHODS(hwp_provider, IVdsxFault),
	.Inject = hwp_provider_Inject,
	.Clear = hwp_provider_Clear,
	.QueryFaults = hwp_provider_QueryFaults,
	.Hold = hwp_provider_Hold,
	.Resume = hwp_provider_Resume,
	.WaitHeld = hwp_provider_WaitHeld,
};
