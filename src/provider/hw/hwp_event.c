/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine tells becomes groups of VDS notifications, and facts in the store: object numbers
 * in the order of arrival, which drive is in which bay and since when it is missing, and the end of
 * maintenance operations that a lost drive cannot go on with (hardware.md 10.4).
 *
 * The engine's callback runs on the worker and waits for nothing: notifications are queued, the
 * store's part is left to the clerk.
 */
#include "provider/hw/hwp_event.h"

#include "base/log.h"
#include "vdscom/events.h"

enum {
	MOVING = STO_MAINT_BIT(STO_MAINT_SPIN_DOWN) | STO_MAINT_BIT(STO_MAINT_SPIN_UP) |
		 STO_MAINT_BIT(STO_MAINT_PING)
};

VDS_NOTIFICATION hwp_notification(enum hwp_kind kind, ULONG event, const struct guid *id)
{
	GUID guid = com_guid_from(id);
	VDS_NOTIFICATION_TARGET_TYPE type = VDS_NTT_UNKNOWN;

	switch (kind) {
	case HWP_SUB_SYSTEM:
		type = VDS_NTT_SUB_SYSTEM;
		break;
	case HWP_CONTROLLER:
		type = VDS_NTT_CONTROLLER;
		break;
	case HWP_PORT:
		type = VDS_NTT_PORT;
		break;
	case HWP_DRIVE:
		type = VDS_NTT_DRIVE;
		break;
	case HWP_LUN:
		type = VDS_NTT_LUN;
		break;
	case HWP_PROVIDER:
	case HWP_PLEX:
		break; /* have no notifications */
	}
	return vdc_notification(type, event, &guid);
}

void hwp_notify_one(struct hwp *p, enum hwp_kind kind, ULONG event, const struct guid *id)
{
	VDS_NOTIFICATION n = hwp_notification(kind, event, id);

	prv_notify(&p->core, &n, 1);
}

/* ---- the store's part ---------------------------------------------------------------------- */

struct note {
	struct hwp *p;
	enum hwp_kind kind;
	bool gone;  /* the object departed */
	bool aside; /* drive: not one of the array; its bay still waits for another */
	struct guid id, subsystem;
	bool present; /* drive: it is in its bay and answers */
	bool still;   /* drive: it does not turn or answer any more */
	int16_t bus, slot;
	int64_t lost_at;
};

static int note_drive(struct note *n, struct err *err)
{
	struct sto *sto = n->p->core.sto;
	struct sto_bay bay;
	int rc;

	if (n->gone) {
		rc = sto_maint_clear_all(sto, &n->id, err);
		if (!rc && !sto_bay_find(sto, &n->id, &bay, NULL))
			rc = sto_bay_set_lost(
				sto, &bay.subsystem, bay.bus, bay.slot, bay.lost_ms, true, err);
		return rc;
	}
	rc = sto_bay_set_drive(sto, &n->subsystem, n->bus, n->slot, &n->id, err);
	if (!rc)
		rc = sto_bay_set_lost(sto, &n->subsystem, n->bus, n->slot,
			n->present ? 0 : n->lost_at, false, err);
	if (!rc && n->still)
		rc = sto_maint_clear_ops(sto, &n->id, MOVING, err);
	return rc;
}

static int note_in_store(void *arg)
{
	struct note *n = arg;
	struct err err = {0};
	uint32_t number;
	int rc = 0;

	if (n->kind == HWP_LUN && n->gone)
		rc = sto_object_forget(n->p->core.sto, n->kind, &n->id, &err);
	else
		rc = sto_number(n->p->core.sto, n->kind, &n->id, &number, &err);
	if (!rc && n->kind == HWP_DRIVE && !n->aside)
		rc = note_drive(n, &err);
	if (rc && rc != -ENOENT)
		log_warning("The store does not know of a change: %s", err.text);
	free(n);
	return rc;
}

static void note(struct hwp_array *a, enum hwp_kind kind, const struct guid *id, bool gone)
{
	struct note *n = calloc(1, sizeof(*n));
	struct eng_drive_info info;

	if (!n) {
		log_warning("The store does not know of a change: memory is short.");
		return;
	}
	*n = (struct note){.p = a->p, .kind = kind, .id = *id, .gone = gone, .subsystem = a->id};
	if (kind == HWP_DRIVE && !gone) {
		if (!a->eng || eng_drive_info(a->eng, id, &info)) {
			free(n);
			return;
		}
		n->bus = info.bus;
		n->slot = info.slot;
		n->lost_at = info.lost_at;
		n->aside = info.state == ENG_DRIVE_FOREIGN;
		n->present = info.state != ENG_DRIVE_REMOVED;
		n->still = info.state == ENG_DRIVE_REMOVED || info.state == ENG_DRIVE_FAILED ||
			   info.state == ENG_DRIVE_OFFLINE;
	}
	prv_clerk_post(&a->p->core.worker->clerk, note_in_store, n);
}

void hwp_events_settle(struct hwp_array *a)
{
	struct guid *ids = NULL;
	unsigned count = 0;

	note(a, HWP_SUB_SYSTEM, &a->id, false);
	note(a, HWP_CONTROLLER, &a->controller, false);
	note(a, HWP_PORT, &a->port, false);
	if (!a->eng)
		return;
	if (!eng_drive_list(a->eng, &ids, &count))
		for (unsigned i = 0; i < count; i++)
			note(a, HWP_DRIVE, &ids[i], false);
	free(ids);
	ids = NULL;
	if (!eng_lun_list(a->eng, &ids, &count))
		for (unsigned i = 0; i < count; i++)
			note(a, HWP_LUN, &ids[i], false);
	free(ids);
}

/* ---- events of the engine ------------------------------------------------------------------ */

struct meaning {
	enum hwp_kind kind;
	ULONG event;
	bool gone;
};

static struct meaning meaning_of(enum eng_event_kind kind)
{
	switch (kind) {
	case ENG_EVENT_ARRAY_MODIFY:
		return (struct meaning){HWP_SUB_SYSTEM, VDS_NF_SUB_SYSTEM_MODIFY, false};
	case ENG_EVENT_DRIVE_ARRIVE:
		return (struct meaning){HWP_DRIVE, VDS_NF_DRIVE_ARRIVE, false};
	case ENG_EVENT_DRIVE_DEPART:
		return (struct meaning){HWP_DRIVE, VDS_NF_DRIVE_DEPART, true};
	case ENG_EVENT_DRIVE_MODIFY:
		return (struct meaning){HWP_DRIVE, VDS_NF_DRIVE_MODIFY, false};
	case ENG_EVENT_DRIVE_REMOVED:
		return (struct meaning){HWP_DRIVE, VDS_NF_DRIVE_REMOVED, false};
	case ENG_EVENT_LUN_ARRIVE:
		return (struct meaning){HWP_LUN, VDS_NF_LUN_ARRIVE, false};
	case ENG_EVENT_LUN_DEPART:
		return (struct meaning){HWP_LUN, VDS_NF_LUN_DEPART, true};
	case ENG_EVENT_LUN_MODIFY:
		return (struct meaning){HWP_LUN, VDS_NF_LUN_MODIFY, false};
	}
	return (struct meaning){HWP_SUB_SYSTEM, VDS_NF_SUB_SYSTEM_MODIFY, false};
}

void hwp_engine_events(
	void *ctx, struct eng_array *eng, const struct eng_event *list, unsigned count)
{
	struct hwp_array *a = ctx;
	VDS_NOTIFICATION *group = calloc(count + 1, sizeof(*group));
	unsigned n = 0;

	if (!a->eng)
		a->eng = eng; /* while it opens: the drives can be asked for already */
	for (unsigned i = 0; i < count; i++) {
		struct meaning m = meaning_of(list[i].kind);
		if (m.kind != HWP_SUB_SYSTEM)
			note(a, m.kind, &list[i].id, m.gone);
		if (group)
			group[n++] = hwp_notification(m.kind, m.event, &list[i].id);
	}
	VDS_SUB_SYSTEM_STATUS now = hwp_array_status(a);
	if (group && now != a->last_status)
		group[n++] = hwp_notification(HWP_SUB_SYSTEM, VDS_NF_SUB_SYSTEM_MODIFY, &a->id);
	a->last_status = now;
	if (group)
		prv_notify(&a->p->core, group, n);
	else
		vdc_events_out_of_sync(a->p->core.events, VDS_RA_REFRESH);
	free(group);
}
