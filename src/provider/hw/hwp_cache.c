/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust in the picture of the arrays, for the whole provider (hardware.md 10.6).
 *
 *                    Reenumerate                      Refresh
 *   VALID            finds subsystems anew            re-reads all; stays VALID
 *   CORRUPT          success → REDISCOVERED           VDS_E_PROVIDER_CACHE_CORRUPT
 *   REDISCOVERED     again                            success → VALID, failure → CORRUPT
 *
 * In every state but VALID the methods that list the code answer it (hwp_check.c); background
 * recovery rests, host I/O goes on. An array that does not answer makes the cache CORRUPT: what is
 * remembered of it cannot be trusted. The state is kept in the store, so that a cure can be begun
 * by one program and ended by the next.
 */
#include "provider/hw/hwp.h"

struct keep {
	struct hwp *p;
	enum hwp_cache state;
};

static int keep_state(void *arg)
{
	struct keep *k = arg;
	struct guid id = com_guid_to(&HWP_PROVIDER_ID);
	struct err err = {0};

	if (k->state == HWP_CACHE_VALID)
		sto_fault_clear(k->p->core.sto, &id, STO_FAULT_CACHE_CORRUPT, NULL);
	if (sto_attr_set_u64(k->p->core.sto, &id, "hw.cache", (uint64_t)k->state, &err))
		log_warning("%s", err.text);
	return 0;
}

void hwp_cache_set(struct hwp *p, enum hwp_cache state)
{
	struct keep k = {.p = p, .state = state};
	struct guid id = com_guid_to(&HWP_PROVIDER_ID);

	if (p->cache == state)
		return;
	p->cache = state;
	if (state == HWP_CACHE_VALID)
		hwp_fault_forget(p, &id, STO_FAULT_CACHE_CORRUPT, NULL);
	prv_clerk_call(&p->core.worker->clerk, keep_state, &k);
	hwp_apply_hold(p);
}

static bool contact_lost(struct hwp *p)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &p->arrays)
		if (list_entry(pos, struct hwp_array, link)->unreachable)
			return true;
	return false;
}

static HRESULT lose_contact(struct hwp_call *call)
{
	hwp_cache_set(call->p, HWP_CACHE_CORRUPT);
	err_set(&call->err, -EIO, "A subsystem does not answer.");
	return VDS_E_PROVIDER_CACHE_CORRUPT;
}

/* Subsystems that went away are let go, those that came back are found. */
HRESULT hwp_cache_reenumerate(struct hwp_call *call)
{
	struct hwp *p = call->p;
	struct list *pos, *tmp;

	if (contact_lost(p))
		return lose_contact(call);
	list_for_each (pos, tmp, &p->arrays) {
		struct hwp_array *a = list_entry(pos, struct hwp_array, link);
		if (a->gone && !a->departed) {
			a->departed = true;
			hwp_notify_one(p, HWP_SUB_SYSTEM, VDS_NF_SUB_SYSTEM_DEPART, &a->id);
		} else if (!a->gone && a->departed) {
			a->departed = false;
			hwp_notify_one(p, HWP_SUB_SYSTEM, VDS_NF_SUB_SYSTEM_ARRIVE, &a->id);
		}
	}
	if (p->cache == HWP_CACHE_CORRUPT)
		hwp_cache_set(p, HWP_CACHE_REDISCOVERED);
	return S_OK;
}

HRESULT hwp_cache_refresh(struct hwp_call *call)
{
	struct hwp *p = call->p;
	struct list *pos, *tmp;

	if (p->cache == HWP_CACHE_CORRUPT)
		return VDS_E_PROVIDER_CACHE_CORRUPT;
	if (contact_lost(p))
		return lose_contact(call);
	list_for_each (pos, tmp, &p->arrays) {
		struct hwp_array *a = list_entry(pos, struct hwp_array, link);
		if (a->gone || a->departed)
			continue;
		int rc = hwp_array_rescan(a, &call->err);
		if (rc == -ENOMEM)
			return E_OUTOFMEMORY;
		if (rc && p->cache == HWP_CACHE_REDISCOVERED)
			return lose_contact(call);
		if (rc)
			return VDS_E_OBJECT_STATUS_FAILED;
	}
	hwp_cache_set(p, HWP_CACHE_VALID);
	return S_OK;
}
