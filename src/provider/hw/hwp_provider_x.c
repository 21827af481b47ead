/* SPDX-License-Identifier: Apache-2.0 */
/* The provider object: new subsystems, settings, jobs. */
#include "provider/base/prv_job.h"
#include "provider/hw/hwp_provider.h"

#include "provider/hw/hwp_event.h"
#include "provider/hw/hwp_text.h"
#include "vdscom/check.h"

COM_UNKNOWN(hwp_provider, IVdsxHwProvider)
COM_UNKNOWN(hwp_provider, IVdsxJobs)

/* ---- CreateSubSystem ----------------------------------------------------------------------- */

struct creation {
	struct hwp *p;
	const char *name;
	bool allow_faults;
	struct hwp_array_setup setup;
	struct err *err;
};

static int create_in_store(void *arg)
{
	struct creation *c = arg;
	struct sto *sto = c->p->core.sto;
	uint32_t number;

	if (c->allow_faults) {
		int rc = sto_allow_faults(sto, c->err);
		if (rc)
			return rc;
	}
	int rc = sto_subsystem_add(sto, &c->setup.row, c->err);
	return rc ? rc : sto_number(sto, HWP_SUB_SYSTEM, &c->setup.row.id, &number, c->err);
}

static int forget_in_store(void *arg)
{
	struct creation *c = arg;

	sto_object_forget(c->p->core.sto, HWP_SUB_SYSTEM, &c->setup.row.id, NULL);
	return sto_subsystem_remove(c->p->core.sto, &c->setup.row.id, NULL);
}

static HRESULT create_body(struct hwp_call *call)
{
	struct creation *c = call->args;
	struct hwp *p = call->p;
	struct sto_subsystem *row = &c->setup.row;
	char id[GUID_TEXT_SIZE];
	struct hwp_array *a;

	c->err = &call->err;
	eng_container_guid(&p->rng, loop_wall_ms(p->core.loop), row->container);
	row->id = eng_id_from_ddf(row->container);
	snprintf(row->name, sizeof(row->name), "%s", c->name);
	guid_format(&row->id, id);
	snprintf(row->folder, sizeof(row->folder), "subsystem-%.8s", id + 1);
	int rc = prv_clerk_call(&p->core.worker->clerk, create_in_store, c);
	if (rc)
		return hwp_fail(call, rc);
	rc = hwp_array_add(p, &c->setup, &a);
	if (!rc && !a->eng) {
		rc = a->open_error.code ? a->open_error.code : -EIO;
		call->err = a->open_error;
		hwp_array_free(a);
	}
	if (rc) {
		prv_clerk_call(&p->core.worker->clerk, forget_in_store, c);
		return hwp_fail(call, rc);
	}
	hwp_notify_one(p, HWP_SUB_SYSTEM, VDS_NF_SUB_SYSTEM_ARRIVE, &a->id);
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_provider_CreateSubSystem(
	IVdsxHwProvider *iface, LPCWSTR name, ULONG flags, IVdsSubSystem **out)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsxHwProvider, iface);
	cleanup_free char *text = NULL;
	bool cut;

	COM_TRACE(self, "flags %#x", flags);
	VDC_OUT(out);
	VDC_ENUM(VDSX_SUBSYSTEM_FLAG, flags);
	text = name ? hwp_name_take(name, &cut) : strdup("");
	cleanup_free struct creation *c = calloc(1, sizeof(*c));
	if (!text || !c)
		return E_OUTOFMEMORY;
	c->p = hwp_of(&self->face);
	c->name = text;
	c->allow_faults = (flags & VDSX_SUBSYSTEM_ALLOW_FAULTS) != 0;
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_X_CREATE_SUB_SYSTEM, HWP_PROVIDER,
		&self->face.id, create_body, c);
	if (FAILED(hr))
		return hr;
	return prv_face_get(&hwp_of(&self->face)->core, HWP_SUB_SYSTEM, &c->setup.row.id,
		&IID_IVdsSubSystem, (void **)out);
}

/* ---- settings ------------------------------------------------------------------------------ */

static const char *setting_key(VDSX_SETTING setting)
{
	switch (setting) {
	case VDSX_SETTING_AUTO_RECOVERY:
		return "autorecover";
	case VDSX_SETTING_SPARE_DELAY_MS:
		return "spare_delay_ms";
	case VDSX_SETTING_PULSE_INTERVAL_MS:
		return "pulse_interval_ms";
	case VDSX_SETTING_REBUILD_RATE:
		return "rebuild_rate";
	}
	return NULL;
}

struct setting {
	struct hwp *p;
	const char *key;
	uint64_t value;
	struct eng_settings all;
	struct err *err;
};

static int get_in_store(void *arg)
{
	struct setting *s = arg;

	return sto_setting_get(s->p->core.sto, s->key, &s->value, s->err);
}

static int set_in_store(void *arg)
{
	struct setting *s = arg;
	int rc = sto_setting_set(s->p->core.sto, s->key, s->value, s->err);

	s->all = hwp_settings(s->p);
	return rc;
}

static HRESULT get_body(struct hwp_call *call)
{
	struct setting *s = call->args;

	s->err = &call->err;
	return hwp_fail(call, prv_clerk_call(&call->p->core.worker->clerk, get_in_store, s));
}

static HRESULT STDMETHODCALLTYPE hwp_provider_GetSetting(
	IVdsxHwProvider *iface, VDSX_SETTING setting, ULONGLONG *value)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsxHwProvider, iface);
	struct setting s = {.p = hwp_of(&self->face), .key = setting_key(setting)};

	COM_TRACE(self, "setting %d", setting);
	VDC_OUT(value);
	VDC_REQUIRE(s.key);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_X_GET_SETTING, HWP_PROVIDER,
		&self->face.id, get_body, &s);
	if (SUCCEEDED(hr))
		*value = s.value;
	return hr;
}

static HRESULT set_body(struct hwp_call *call)
{
	struct setting *s = call->args;
	struct list *pos, *tmp;

	s->err = &call->err;
	int rc = prv_clerk_call(&call->p->core.worker->clerk, set_in_store, s);
	if (rc)
		return rc == -ERANGE ? E_INVALIDARG : hwp_fail(call, rc);
	list_for_each (pos, tmp, &call->p->arrays) {
		struct hwp_array *a = list_entry(pos, struct hwp_array, link);
		if (a->eng)
			eng_array_set_settings(a->eng, &s->all);
	}
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_provider_SetSetting(
	IVdsxHwProvider *iface, VDSX_SETTING setting, ULONGLONG value)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsxHwProvider, iface);
	struct setting s = {.p = hwp_of(&self->face), .key = setting_key(setting), .value = value};

	COM_TRACE(self, "setting %d = %llu", setting, value);
	VDC_REQUIRE(s.key);
	return hwp_call(hwp_of(&self->face), HWP_M_X_SET_SETTING, HWP_PROVIDER, &self->face.id,
		set_body, &s);
}

static HRESULT hold_body(struct hwp_call *call)
{
	call->p->user_hold = *(BOOL *)call->args;
	hwp_apply_hold(call->p);
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_provider_HoldRecovery(IVdsxHwProvider *iface, BOOL hold)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsxHwProvider, iface);

	COM_TRACE(self, "%d", hold);
	return hwp_call(hwp_of(&self->face), HWP_M_X_HOLD_RECOVERY, HWP_PROVIDER, &self->face.id,
		hold_body, &hold);
}

struct finding {
	struct hwp *p;
	int kind;
	uint32_t number;
	struct guid id;
	struct err *err;
};

static int find_in_store(void *arg)
{
	struct finding *f = arg;

	return sto_number_find(f->p->core.sto, f->kind, f->number, &f->id, f->err);
}

static HRESULT find_body(struct hwp_call *call)
{
	struct finding *f = call->args;

	f->err = &call->err;
	int rc = prv_clerk_call(&call->p->core.worker->clerk, find_in_store, f);
	return rc == -ENOENT ? VDS_E_OBJECT_NOT_FOUND : hwp_fail(call, rc);
}

/* Drives keep their number in the store when they depart, so this finds them too. */
static HRESULT STDMETHODCALLTYPE hwp_provider_FindNumber(
	IVdsxHwProvider *iface, VDS_OBJECT_TYPE type, ULONG number, VDS_OBJECT_ID *id)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsxHwProvider, iface);
	struct finding f = {.p = hwp_of(&self->face), .kind = (int)type, .number = number};

	COM_TRACE(self, "type %d number %u", type, number);
	VDC_REQUIRE(id);
	memset(id, 0, sizeof(*id));
	VDC_REQUIRE(type == VDS_OT_SUB_SYSTEM || type == VDS_OT_DRIVE || type == VDS_OT_LUN);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_X_FIND_NUMBER, HWP_PROVIDER,
		&self->face.id, find_body, &f);
	if (SUCCEEDED(hr))
		*id = com_guid_from(&f.id);
	return hr;
}

const IVdsxHwProviderVtbl hwp_provider_IVdsxHwProvider_vtbl = {
	COM_UNKNOWN_METHODS(hwp_provider, IVdsxHwProvider),
	.CreateSubSystem = hwp_provider_CreateSubSystem,
	.GetSetting = hwp_provider_GetSetting,
	.SetSetting = hwp_provider_SetSetting,
	.HoldRecovery = hwp_provider_HoldRecovery,
	.FindNumber = hwp_provider_FindNumber,
};

/* ---- jobs ---------------------------------------------------------------------------------- */

static HRESULT STDMETHODCALLTYPE hwp_provider_QueryJobs(
	IVdsxJobs *iface, VDSX_JOB_PROP **jobs, LONG *count)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsxJobs, iface);

	COM_TRACE(self);
	VDC_OUT2(jobs, count);
	return prv_query_jobs(self->face.core, jobs, count);
}

static HRESULT STDMETHODCALLTYPE hwp_provider_GetJob(
	IVdsxJobs *iface, ULONG number, IVdsAsync **out)
{
	struct hwp_provider *self = COM_IMPL(hwp_provider, IVdsxJobs, iface);

	COM_TRACE(self, "job %u", number);
	VDC_OUT(out);
	return hwp_job_async(hwp_of(&self->face), number, out);
}

const IVdsxJobsVtbl hwp_provider_IVdsxJobs_vtbl = {
	COM_UNKNOWN_METHODS(hwp_provider, IVdsxJobs),
	.QueryJobs = hwp_provider_QueryJobs,
	.GetJob = hwp_provider_GetJob,
};
