/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core of the provider: loads the arrays of a store onto its worker, and ends them.
 *
 * Ending: new calls are refused and those under way waited for (prv_close); then the worker
 * checkpoints and closes the arrays, the clerk does what is left, and the last notifications go
 * out.
 */
#include "provider/base/prv_job.h"
#include "provider/hw/hwp.h"

static struct com_object *make(const struct prv_face *face)
{
	switch ((enum hwp_kind)face->kind) {
	case HWP_PROVIDER:
		return hwp_provider_make(face);
	case HWP_SUB_SYSTEM:
		return hwp_subsystem_make(face);
	case HWP_CONTROLLER:
		return hwp_controller_make(face);
	case HWP_PORT:
		return hwp_port_make(face);
	case HWP_DRIVE:
		return hwp_drive_make(face);
	case HWP_LUN:
		return hwp_lun_make(face);
	case HWP_PLEX:
		return hwp_plex_make(face);
	}
	return NULL;
}

static void free_core(struct prv *core)
{
	struct hwp *p = hwp_core(core);

	hwp_stop(p);
	prv_fini(core);
	free(p);
}

static const struct prv_ops ops = {.kinds = PRV_KIND_HW, .make = make, .free = free_core};

struct hwp *hwp_new(void)
{
	struct hwp *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	if (prv_init(&p->core, &ops)) {
		free(p);
		return NULL;
	}
	list_init(&p->arrays);
	list_init(&p->slots);
	return p;
}

/* ---- starting ------------------------------------------------------------------------------ */

struct start {
	struct hwp *p;
	struct hwp_setups setups;
	struct sto_fault_vec faults;
	uint64_t cache;
	struct err *err;
};

static int start_on_worker(void *arg)
{
	struct start *s = arg;
	struct hwp *p = s->p;
	struct hwp_array_setup *setup;
	struct sto_fault *fault;

	task_mutex_init(&p->admin);
	task_mutex_init(&p->adding);
	p->cache = (enum hwp_cache)s->cache;
	vec_for_each (&s->faults, fault) {
		if (hwp_faults_push(&p->faults, *fault))
			return -ENOMEM;
		if (fault->kind == STO_FAULT_CACHE_CORRUPT && p->cache == HWP_CACHE_VALID)
			p->cache = HWP_CACHE_CORRUPT;
	}
	vec_for_each (&s->setups, setup) {
		struct hwp_array *a;
		int rc = hwp_array_add(p, setup, &a);
		if (rc)
			return err_set(s->err, rc, "There is no memory for the subsystem %s.",
				setup->row.name);
	}
	return 0;
}

static int stop_on_worker(void *arg)
{
	struct hwp *p = arg;
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &p->arrays)
		hwp_array_free(list_entry(pos, struct hwp_array, link));
	hwp_faults_free(&p->faults);
	return 0;
}

static int read_store(struct start *s)
{
	struct hwp *p = s->p;
	struct guid id = com_guid_to(&HWP_PROVIDER_ID);

	int rc = hwp_array_read(p, &s->setups, s->err);
	if (!rc)
		rc = sto_fault_list(p->core.sto, NULL, &s->faults, s->err);
	if (rc)
		return rc;
	if (sto_attr_get_u64(p->core.sto, &id, "hw.cache", &s->cache, NULL) || s->cache > 2)
		s->cache = HWP_CACHE_VALID;
	return 0;
}

int hwp_start(struct hwp *p, IVdspHost *host, IVdsAdviseSink *sink, struct err *err)
{
	struct start s = {.p = p, .err = err};
	int rc = rng_seed_system(&p->rng);

	if (rc)
		return err_set(err, rc, "The system gives no random numbers.");
	rc = prv_begin(&p->core, host, sink, err);
	if (rc)
		return rc;
	p->user_hold = (host->lpVtbl->GetOpenFlags(host) & VDSX_OPEN_HOLD_RECOVERY) != 0;
	rc = read_store(&s);
	if (!rc) {
		rc = task_call(p->core.loop, start_on_worker, &s);
		if (rc)
			task_call(p->core.loop, stop_on_worker, p);
	}
	hwp_setups_release(&s.setups);
	sto_fault_vec_free(&s.faults);
	if (rc) {
		prv_end(&p->core);
		return rc;
	}
	prv_open(&p->core, host);
	return 0;
}

void hwp_stop(struct hwp *p)
{
	if (!prv_close(&p->core))
		return;
	task_call(p->core.loop, stop_on_worker, p);
	prv_end(&p->core);
}
