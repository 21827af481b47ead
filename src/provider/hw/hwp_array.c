/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subsystem: what the store knows of it, the engine's array, and the states that are derived
 * from both (hardware.md 4.4, 5.4, 6.5). No state is kept twice: what clients see is computed from
 * the engine's facts, the administrator's wishes and the injected faults each time it is asked for.
 */
#include "provider/hw/hwp_event.h"

#include "base/log.h"
#include "provider/base/prv_job.h"

#include <nettle/sha1.h>

/* Name-based identity (RFC 4122, version 5): controller and port follow from their subsystem. */
static struct guid derive_id(const struct guid *of, const char *name)
{
	struct sha1_ctx sha;
	struct guid out;

	sha1_init(&sha);
	sha1_update(&sha, sizeof(of->b), of->b);
	sha1_update(&sha, strlen(name), (const uint8_t *)name);
	sha1_digest(&sha, sizeof(out.b), out.b);
	guid_stamp(&out, 5);
	return out;
}

/* ---- what the store knows ------------------------------------------------------------------ */

static bool wish(struct hwp *p, const struct guid *id, const char *key)
{
	uint64_t value = 0;

	return !sto_attr_get_u64(p->core.sto, id, key, &value, NULL) && value;
}

static int read_rest(struct hwp *p, struct hwp_array_setup *out, struct err *err)
{
	struct guid controller = derive_id(&out->row.id, "controller/0");
	struct guid port = derive_id(&out->row.id, "port/0");

	out->offline = wish(p, &out->row.id, "hw.offline");
	out->controller_offline = wish(p, &controller, "hw.offline");
	out->port_offline = wish(p, &port, "hw.offline");
	return sto_bay_list(p->core.sto, &out->row.id, &out->bays, err);
}

int hwp_array_read_one(
	struct hwp *p, const struct guid *id, struct hwp_array_setup *out, struct err *err)
{
	memset(out, 0, sizeof(*out));
	int rc = sto_subsystem_get(p->core.sto, id, &out->row, err);
	if (!rc)
		rc = read_rest(p, out, err);
	return rc;
}

int hwp_array_read(struct hwp *p, struct hwp_setups *out, struct err *err)
{
	struct sto_subsystem_vec rows = {0};
	struct sto_subsystem *row;
	int rc = sto_subsystem_list(p->core.sto, &rows, err);

	vec_for_each (&rows, row) {
		struct hwp_array_setup setup = {.row = *row};

		if (!rc)
			rc = read_rest(p, &setup, err);
		if (!rc && hwp_setups_push(out, setup))
			rc = err_set(
				err, -ENOMEM, "There is no memory for the list of subsystems.");
		if (rc)
			sto_bay_vec_free(&setup.bays);
	}
	sto_subsystem_vec_free(&rows);
	return rc;
}

void hwp_setups_release(struct hwp_setups *setups)
{
	struct hwp_array_setup *s;

	vec_for_each (setups, s)
		sto_bay_vec_free(&s->bays);
	hwp_setups_free(setups);
}

int hwp_bays(const struct sto_bay_vec *bays, struct eng_bay **out)
{
	const struct sto_bay *b;

	*out = calloc(bays->len ? bays->len : 1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	vec_for_each (bays, b) {
		(*out)[b_i] = (struct eng_bay){
			.bus = b->bus,
			.slot = b->slot,
			.path = b->path,
			.drive = b->drive,
			.gone = b->pulled,
			.departed = b->departed,
			.lost_at = b->lost_ms,
		};
	}
	return 0;
}

struct eng_settings hwp_settings(struct hwp *p)
{
	uint64_t autorecover = 1, delay = 10000, rate = 0;

	sto_setting_get(p->core.sto, "autorecover", &autorecover, NULL);
	sto_setting_get(p->core.sto, "spare_delay_ms", &delay, NULL);
	sto_setting_get(p->core.sto, "rebuild_rate", &rate, NULL);
	return (struct eng_settings){
		.auto_recovery = autorecover != 0,
		.spare_delay_ms = delay,
		.rebuild_rate = rate,
	};
}

/* ---- opening and closing ------------------------------------------------------------------- */

struct seq_note {
	struct hwp *p;
	struct guid id;
	uint32_t seq;
};

static int note_seq(void *arg)
{
	struct seq_note *n = arg;
	struct err err = {0};

	if (sto_subsystem_set_seq(n->p->core.sto, &n->id, n->seq, &err))
		log_warning("%s", err.text);
	free(n);
	return 0;
}

static void seq_reached(void *ctx, struct eng_array *eng, uint32_t seq)
{
	struct hwp_array *a = ctx;
	struct seq_note *n = malloc(sizeof(*n));

	(void)eng;
	a->seq = seq;
	if (!n)
		return; /* a later one will do */
	*n = (struct seq_note){.p = a->p, .id = a->id, .seq = seq};
	prv_clerk_post(&a->p->core.worker->clerk, note_seq, n);
}

static void engine_point(void *ctx, const char *name, const struct guid *object)
{
	struct hwp_array *a = ctx;

	(void)object;
	prv_point(&a->p->core, name);
}

struct settings_read {
	struct hwp *p;
	struct eng_settings settings;
};

static int read_settings(void *arg)
{
	struct settings_read *r = arg;

	r->settings = hwp_settings(r->p);
	return 0;
}

int hwp_array_open(struct hwp_array *a, const struct hwp_array_setup *setup, struct err *err)
{
	struct hwp *p = a->p;
	struct settings_read r = {.p = p};
	struct eng_bay *bays;

	prv_clerk_call(&p->core.worker->clerk, read_settings, &r);
	struct eng_array_config config = {
		.loop = p->core.loop,
		.rng = &p->rng,
		.host =
			{
				.ctx = a,
				.events = hwp_engine_events,
				.job_number = hwp_job_number,
				.job_changed = hwp_job_changed,
				.seq_reached = seq_reached,
				.point = engine_point,
			},
		.settings = r.settings,
		.name = setup->row.name,
		.known_seq = setup->row.seq,
		/* faults come before recovery: hwp_apply_hold lets it go */
		.hold_recovery = true,
	};
	memcpy(config.container_guid, setup->row.container, sizeof(config.container_guid));
	int rc = hwp_bays(&setup->bays, &bays);
	if (rc)
		return err_set(err, rc, "There is no memory for the list of drives.");
	rc = eng_array_open(&config, bays, (unsigned)setup->bays.len, &a->eng, err);
	free(bays);
	if (rc) {
		a->eng = NULL;
		log_error("subsystem %s: %s", a->name, err->text);
		return rc;
	}
	hwp_fault_apply_all(a);
	if (setup->offline) {
		struct err ignored = {0};
		eng_array_set_offline(a->eng, true, &ignored);
	}
	return 0;
}

int hwp_array_add(struct hwp *p, const struct hwp_array_setup *setup, struct hwp_array **out)
{
	struct hwp_array *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->p = p;
	a->id = setup->row.id;
	memcpy(a->container, setup->row.container, sizeof(a->container));
	snprintf(a->name, sizeof(a->name), "%s", setup->row.name);
	a->seq = setup->row.seq;
	a->controller = derive_id(&a->id, "controller/0");
	a->port = derive_id(&a->id, "port/0");
	a->controller_offline = setup->controller_offline;
	a->port_offline = setup->port_offline;
	a->unreachable = hwp_fault_find(p, &a->id, STO_FAULT_UNREACHABLE) != NULL;
	a->failed = hwp_fault_find(p, &a->id, STO_FAULT_FAILED) != NULL;
	a->controller_failed = hwp_fault_find(p, &a->controller, STO_FAULT_FAILED) != NULL;
	a->gone = hwp_fault_find(p, &a->id, STO_FAULT_GONE) != NULL;
	a->departed = a->gone;
	list_add_tail(&p->arrays, &a->link);
	if (!a->gone)
		hwp_array_open(a, setup, &a->open_error);
	hwp_events_settle(a);
	hwp_apply_hold(p);
	a->last_status = hwp_array_status(a);
	*out = a;
	return 0;
}

void hwp_array_close(struct hwp_array *a)
{
	if (!a->eng)
		return;
	hwp_fault_settle(a);
	struct eng_array *eng = a->eng;
	eng_array_close(eng);
	a->eng = NULL;
	prv_jobs_interrupt(&a->p->core, a);
}

void hwp_array_free(struct hwp_array *a)
{
	hwp_array_close(a);
	list_del(&a->link);
	free(a);
}

struct hwp_array *hwp_array_find(struct hwp *p, const struct guid *id)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &p->arrays) {
		struct hwp_array *a = list_entry(pos, struct hwp_array, link);
		if (guid_equal(&a->id, id))
			return a;
	}
	return NULL;
}

struct rescan {
	struct hwp_array *a;
	struct hwp_array_setup setup;
	struct err *err;
};

static int rescan_read(void *arg)
{
	struct rescan *r = arg;

	return hwp_array_read_one(r->a->p, &r->a->id, &r->setup, r->err);
}

int hwp_array_rescan(struct hwp_array *a, struct err *err)
{
	struct rescan *r = calloc(1, sizeof(*r)); /* large for a task's stack */
	struct eng_bay *bays = NULL;

	if (!r)
		return -ENOMEM;
	r->a = a;
	r->err = err;
	int rc = prv_clerk_call(&a->p->core.worker->clerk, rescan_read, r);
	if (!rc && !a->eng) {
		rc = hwp_array_open(a, &r->setup, &a->open_error);
	} else if (!rc) {
		rc = hwp_bays(&r->setup.bays, &bays);
		if (!rc)
			rc = eng_array_rescan(a->eng, bays, (unsigned)r->setup.bays.len, err);
		free(bays);
	}
	sto_bay_vec_free(&r->setup.bays);
	free(r);
	return rc;
}

void hwp_apply_hold(struct hwp *p)
{
	bool hold = p->user_hold || p->cache != HWP_CACHE_VALID;
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &p->arrays) {
		struct hwp_array *a = list_entry(pos, struct hwp_array, link);
		if (a->eng)
			eng_array_hold_recovery(a->eng, hold || a->failed);
	}
}

/* ---- states -------------------------------------------------------------------------------- */

VDS_SUB_SYSTEM_STATUS hwp_array_status(const struct hwp_array *a)
{
	struct eng_array_info info;

	if (a->failed || (!a->eng && !a->gone))
		return VDS_SSS_FAILED;
	if (a->gone || a->unreachable)
		return VDS_SSS_UNKNOWN;
	eng_array_info(a->eng, &info);
	if (info.offline)
		return VDS_SSS_OFFLINE;
	if (info.degraded || a->controller_failed)
		return VDS_SSS_PARTIALLY_MANAGED;
	return VDS_SSS_ONLINE;
}

VDS_HEALTH hwp_array_health(const struct hwp_array *a)
{
	struct eng_array_info info;

	switch (hwp_array_status(a)) {
	case VDS_SSS_UNKNOWN:
		return VDS_H_UNKNOWN;
	case VDS_SSS_FAILED:
		return VDS_H_FAILED;
	case VDS_SSS_ONLINE:
		return VDS_H_HEALTHY;
	case VDS_SSS_PARTIALLY_MANAGED:
		return VDS_H_DEGRADED;
	case VDS_SSS_OFFLINE:
	case VDS_SSS_NOT_READY:
		eng_array_info(a->eng, &info);
		return info.degraded || a->controller_failed ? VDS_H_DEGRADED : VDS_H_HEALTHY;
	}
	return VDS_H_UNKNOWN;
}

VDS_CONTROLLER_STATUS hwp_controller_status(const struct hwp_array *a)
{
	if (a->controller_failed || a->failed)
		return VDS_CS_FAILED;
	return a->controller_offline ? VDS_CS_OFFLINE : VDS_CS_ONLINE;
}

VDS_PORT_STATUS hwp_port_status(const struct hwp_array *a)
{
	if (hwp_controller_status(a) == VDS_CS_FAILED)
		return VDS_PRS_FAILED;
	return a->port_offline ? VDS_PRS_OFFLINE : VDS_PRS_ONLINE;
}

VDS_DRIVE_STATUS hwp_drive_status(const struct eng_drive_info *d)
{
	switch (d->state) {
	case ENG_DRIVE_ONLINE:
		return VDS_DRS_ONLINE;
	case ENG_DRIVE_OFFLINE:
		return VDS_DRS_OFFLINE;
	case ENG_DRIVE_NOT_READY:
		return VDS_DRS_NOT_READY;
	case ENG_DRIVE_FAILED:
		return VDS_DRS_FAILED;
	case ENG_DRIVE_REMOVED:
		return VDS_DRS_REMOVED;
	case ENG_DRIVE_FOREIGN:
		return VDS_DRS_UNKNOWN;
	}
	return VDS_DRS_UNKNOWN;
}

VDS_HEALTH hwp_drive_health(const struct eng_drive_info *d)
{
	switch (d->state) {
	case ENG_DRIVE_ONLINE:
	case ENG_DRIVE_OFFLINE:
		return d->predicted ? VDS_H_PENDING_FAILURE : VDS_H_HEALTHY;
	case ENG_DRIVE_FAILED:
		return VDS_H_FAILED;
	case ENG_DRIVE_NOT_READY:
	case ENG_DRIVE_REMOVED:
	case ENG_DRIVE_FOREIGN:
		return VDS_H_UNKNOWN;
	}
	return VDS_H_UNKNOWN;
}

ULONG hwp_drive_flags(const struct eng_drive_info *d)
{
	ULONG flags = d->assigned ? VDS_DRF_ASSIGNED : VDS_DRF_UNASSIGNED;

	if (d->spare)
		flags |= VDS_DRF_HOTSPARE |
			 (d->spare_in_use ? VDS_DRF_HOTSPARE_IN_USE : VDS_DRF_HOTSPARE_STANDBY);
	return flags;
}
