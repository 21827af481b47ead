/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one check sequence of all methods (hardware.md, section 2.3, rule 5):
 *
 *	arguments → INC → CC → OD → SF → AC → NF → NS / INV → NES / NED
 *
 * Arguments are the method's own, before it calls; INC is answered at the door (hwp_enter). This
 * file does CC to AC, as far as the method's row lists them; what follows depends on the arguments
 *and is the body's. Checks and body are one stretch on the worker.
 *
 * AC comes from slots: an exclusive call owns one, from the end of its checks to the end of its
 *body. A job that goes on after the call is not a slot: the engine knows it (HWP_BUSY).
 */
#include "provider/hw/hwp.h"

static bool under(const struct hwp_call *call, const struct guid *id)
{
	for (unsigned i = 0; i < call->under_len; i++)
		if (guid_equal(&call->under[i], id))
			return true;
	return false;
}

static bool same_object(const struct hwp_call *call, const struct hwp_call *other)
{
	return guid_equal(&call->slot_id, &other->slot_id) || under(other, &call->slot_id);
}

bool hwp_slot_conflict(const struct hwp_call *call, const struct hwp_call *other)
{
	enum hwp_mode theirs = hwp_method_info(other->method)->mode;
	bool array = theirs == HWP_ALL || call->array == other->array;

	switch (hwp_method_info(call->method)->mode) {
	case HWP_GETTER:
		return false;
	case HWP_QUERY:
		return array && (theirs == HWP_ALL || other->method == HWP_M_SUB_REENUMERATE);
	case HWP_SHARED:
		return array &&
		       (theirs == HWP_ALL || theirs == HWP_ARRAY || same_object(call, other));
	case HWP_OBJECT:
		return array && (theirs == HWP_ALL || theirs == HWP_ARRAY ||
					same_object(call, other) || under(call, &other->slot_id));
	case HWP_ARRAY:
		return array;
	case HWP_ALL:
		return true;
	}
	return false;
}

/* Which drives a LUN's exclusive call takes with it. */
static void slot_scope(struct hwp_call *call)
{
	struct eng_member_info members[ENG_MAX_MEMBERS];
	unsigned count = 0;

	call->slot_id = call->id;
	if (call->kind == HWP_PLEX)
		call->slot_id = call->lun.id;
	if (call->kind != HWP_LUN && call->kind != HWP_PLEX)
		return;
	if (eng_lun_members(call->eng, &call->lun.id, members, ENG_MAX_MEMBERS, &count))
		return;
	for (unsigned i = 0; i < count && i < ENG_MAX_MEMBERS; i++)
		if (!guid_is_zero(&members[i].drive))
			call->under[call->under_len++] = members[i].drive;
}

static bool slot_take(struct hwp_call *call, bool always)
{
	struct list *pos, *tmp;
	enum hwp_mode mode = hwp_method_info(call->method)->mode;

	slot_scope(call);
	list_for_each (pos, tmp, &call->p->slots)
		if (hwp_slot_conflict(call, list_entry(pos, struct hwp_call, slot_link)))
			return false;
	if (always || mode == HWP_OBJECT || mode == HWP_ARRAY || mode == HWP_ALL) {
		list_add_tail(&call->p->slots, &call->slot_link);
		call->slot_held = true;
	}
	return true;
}

void hwp_slot_release(struct hwp_call *call)
{
	if (!call->slot_held)
		return;
	list_del(&call->slot_link);
	call->slot_held = false;
}

/* Finds what the call is about. OD when it is gone. */
static HRESULT resolve(struct hwp_call *call)
{
	struct list *pos, *tmp;
	struct guid lun;

	if (call->kind == HWP_PROVIDER)
		return S_OK;
	list_for_each (pos, tmp, &call->p->arrays) {
		struct hwp_array *a = list_entry(pos, struct hwp_array, link);
		bool found = false;

		switch (call->kind) {
		case HWP_PROVIDER:
			break;
		case HWP_SUB_SYSTEM:
			found = guid_equal(&a->id, &call->id);
			break;
		case HWP_CONTROLLER:
			found = guid_equal(&a->controller, &call->id);
			break;
		case HWP_PORT:
			found = guid_equal(&a->port, &call->id);
			break;
		case HWP_DRIVE:
			found = a->eng && !eng_drive_info(a->eng, &call->id, &call->drive);
			break;
		case HWP_LUN:
			found = a->eng && !eng_lun_info(a->eng, &call->id, &call->lun);
			break;
		case HWP_PLEX:
			found = a->eng &&
				!eng_plex_find(a->eng, &call->id, &lun, &call->plex_index) &&
				!eng_lun_info(a->eng, &lun, &call->lun);
			break;
		}
		if (!found)
			continue;
		if (a->gone || a->departed)
			return VDS_E_OBJECT_DELETED;
		call->array = a;
		call->eng = a->eng;
		return S_OK;
	}
	return VDS_E_OBJECT_DELETED;
}

static bool has_failed(const struct hwp_call *call)
{
	const struct hwp_array *a = call->array;

	if (!a)
		return false;
	switch (call->kind) {
	case HWP_CONTROLLER:
	case HWP_PORT:
		return a->controller_failed;
	case HWP_DRIVE:
		return call->drive.state == ENG_DRIVE_FAILED;
	case HWP_LUN:
	case HWP_PLEX:
		return call->lun.health == ENG_LUN_FAILED;
	case HWP_PROVIDER:
	case HWP_SUB_SYSTEM:
		return false;
	}
	return false;
}

/* Blink and Beep belong to the bay and work on a failed drive; the body decides by operation. */
static bool is_maintenance(enum hwp_method m)
{
	return m == HWP_M_START_MAINTENANCE || m == HWP_M_STOP_MAINTENANCE ||
	       m == HWP_M_PULSE_MAINTENANCE;
}

static bool of_the_bay(const struct hwp_call *call)
{
	const struct hwp_maint_args *args = call->args;

	return is_maintenance(call->method) && (args->op == BlinkLight || args->op == BeepAlarm);
}

static bool sf_applies(const struct hwp_call *call)
{
	if (call->array && hwp_array_status(call->array) == VDS_SSS_FAILED)
		return true;
	/* A failed LUN can still be got rid of. */
	if (of_the_bay(call) || call->method == HWP_M_LUN_DELETE)
		return false;
	return has_failed(call);
}

/* A pulled drive is there for its bay's lights and for who asks what it was. */
static bool removed(const struct hwp_call *call)
{
	if (call->kind != HWP_DRIVE || call->drive.state != ENG_DRIVE_REMOVED)
		return false;
	if (is_maintenance(call->method))
		return !of_the_bay(call);
	return !(hwp_method_info(call->method)->codes & HWP_ON_REMOVED);
}

static bool is_busy(const struct hwp_call *call)
{
	struct eng_lun_info lun;

	if (call->kind == HWP_DRIVE)
		return eng_drive_busy(call->eng, &call->id);
	return !eng_lun_info(call->eng, &call->lun.id, &lun) && lun.busy;
}

/* The LUN shows that the array's own recovery of it is over, the job only has yet to say so. */
static bool is_ending(struct hwp_array *a, const struct guid *id)
{
	struct eng_lun_info lun;
	struct eng_job_info job;

	if (eng_lun_info(a->eng, id, &lun) || !lun.busy)
		return true;
	if (!lun.job || lun.health != ENG_LUN_HEALTHY || lun.transition != ENG_TRANSITION_STABLE)
		return false;
	eng_job_info(lun.job, &job);
	return job.automatic && job.type == ENG_JOB_RECOVER;
}

static bool all_ending(const struct hwp_call *call)
{
	struct eng_extent *extents = NULL;
	unsigned count = 0;
	bool all = true;

	if (call->kind != HWP_DRIVE)
		return is_ending(call->array, &call->lun.id);
	if (eng_drive_extents(call->eng, &call->id, &extents, &count))
		return false;
	for (unsigned i = 0; i < count && all; i++)
		if (!guid_is_zero(&extents[i].lun))
			all = is_ending(call->array, &extents[i].lun);
	free(extents);
	return all;
}

/*
 * A client that saw HEALTHY must not be told that a recovery is in progress: the last steps of a
 * recovery that nobody asked for are waited for, like any short section.
 */
static void await_ending(const struct hwp_call *call)
{
	enum { STEP_MS = 2, LIMIT_MS = 2000 };

	for (unsigned ms = 0; ms < LIMIT_MS && is_busy(call); ms += STEP_MS) {
		if (!all_ending(call) || prv_point_held(&call->p->core, "job:end"))
			return;
		task_sleep_ms(STEP_MS);
	}
}

/* The method's own look at what goes on: an exclusive call, or a job of the array. */
static HRESULT check_others(struct hwp_call *call, bool held)
{
	const struct hwp_method_info *m = hwp_method_info(call->method);

	if (!slot_take(call, held && m->mode == HWP_SHARED))
		return VDS_E_ANOTHER_CALL_IN_PROGRESS;
	if (!(m->codes & HWP_BUSY) || !is_busy(call))
		return S_OK;
	await_ending(call); /* with the slot: nobody comes between */
	if (is_busy(call)) {
		hwp_slot_release(call);
		return VDS_E_ANOTHER_CALL_IN_PROGRESS;
	}
	HRESULT hr = resolve(call); /* what the body sees is of now */
	if (FAILED(hr))
		hwp_slot_release(call);
	return hr;
}

HRESULT hwp_check(struct hwp_call *call)
{
	const struct hwp_method_info *m = hwp_method_info(call->method);

	/* The cure has its own idea of a corrupt cache. */
	if ((m->codes & HWP_CC) && m->mode != HWP_ALL && call->p->cache != HWP_CACHE_VALID)
		return VDS_E_PROVIDER_CACHE_CORRUPT;
	HRESULT hr = resolve(call);
	if (FAILED(hr))
		return hr;
	if (removed(call))
		return VDS_E_OBJECT_DELETED;
	if ((m->codes & HWP_SF) && sf_applies(call))
		return VDS_E_OBJECT_STATUS_FAILED;
	/* A method without SF still cannot ask an engine that isn't there. */
	if (call->array && !call->eng && (call->kind == HWP_DRIVE || call->kind == HWP_LUN))
		return VDS_E_OBJECT_DELETED;
	bool held = prv_point_held(&call->p->core, m->name);
	return (m->codes & HWP_AC) || held ? check_others(call, held) : S_OK;
}

/* What the engine says, in the words of the method's page. */
static HRESULT pick(unsigned codes, unsigned wanted, HRESULT hr)
{
	if (codes & wanted)
		return hr;
	if (wanted == HWP_NS && (codes & HWP_INV))
		return VDS_E_INVALID_OPERATION;
	if (wanted == HWP_INV && (codes & HWP_NS))
		return VDS_E_NOT_SUPPORTED;
	if (wanted == HWP_NED && (codes & HWP_NES))
		return VDS_E_NOT_ENOUGH_SPACE;
	return hr;
}

HRESULT hwp_fail(struct hwp_call *call, int code)
{
	const struct hwp_method_info *m = hwp_method_info(call->method);

	switch (code) {
	case 0:
		return S_OK;
	case -EINVAL:
		return E_INVALIDARG;
	case -ENOMEM:
		return E_OUTOFMEMORY;
	case -ENOENT:
		return pick(m->codes, HWP_NF, VDS_E_OBJECT_NOT_FOUND);
	case -ESTALE:
		return VDS_E_OBJECT_DELETED;
	case -EHOSTDOWN:
		return VDS_E_OBJECT_STATUS_FAILED;
	case -EBUSY:
		return VDS_E_ANOTHER_CALL_IN_PROGRESS;
	case -ENOTSUP:
	case -EPERM:
	case -EMEDIUMTYPE:
		return pick(m->codes, HWP_NS, VDS_E_NOT_SUPPORTED);
	case -ENOSPC:
		return pick(m->codes, HWP_NES, VDS_E_NOT_ENOUGH_SPACE);
	case -ENOMEDIUM:
		return pick(m->codes, HWP_NED, VDS_E_NOT_ENOUGH_DRIVE);
	case -ECANCELED:
		return VDS_E_OPERATION_CANCELED;
	case -ESHUTDOWN:
		return VDS_E_LUN_OFFLINE;
	default:
		return com_hr_from_errno(code);
	}
}

/* On the worker: checks, stops at the method's point if that is held, acts. */
static HRESULT run(void *arg)
{
	struct hwp_call *call = arg;
	HRESULT hr = hwp_check(call);

	if (FAILED(hr))
		return hr;
	prv_point(&call->p->core, hwp_method_info(call->method)->name);
	hr = call->body(call);
	hwp_slot_release(call);
	return hr;
}

HRESULT hwp_call(struct hwp *p, enum hwp_method method, enum hwp_kind kind, const struct guid *id,
	HRESULT (*body)(struct hwp_call *call), void *args)
{
	const struct hwp_method_info *m = hwp_method_info(method);
	struct hwp_call *call = com_task_calloc(1, sizeof(*call));
	unsigned flags = strncmp(m->name, "IVdsxFault", 10) ? 0 : PRV_ALWAYS;

	if (!call)
		return E_OUTOFMEMORY;
	call->p = p;
	call->method = method;
	call->kind = kind;
	call->id = *id;
	call->body = body;
	call->args = args;
	list_init(&call->slot_link);
	if (m->mode != HWP_GETTER && m->mode != HWP_QUERY)
		flags |= PRV_DRAIN;
	HRESULT hr = prv_run(&p->core, run, call, &call->err, flags);
	com_task_free(call);
	return hr;
}
