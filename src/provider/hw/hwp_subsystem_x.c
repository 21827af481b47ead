/* SPDX-License-Identifier: Apache-2.0 */
/* The subsystem object: drives of its simulated enclosure. */
#include "provider/hw/hwp_subsystem.h"

#include "vdscom/check.h"

COM_UNKNOWN(hwp_subsystem, IVdsxSubSystem)

/* ---- AddDrive ------------------------------------------------------------------------------ */

struct addition {
	struct hwp *p;
	char *path; /* absolute once prepared */
	int16_t bus, slot;
	uint64_t create_bytes;
	bool created;
	struct sto_bay bay;
	struct guid drive;
	struct hwp_array_setup setup; /* to open an array that is adopted */
	struct err *err;
};

/*
 * Finds the slot, makes the file if asked, and reserves the bay: file work, on the clerk. One
 * addition at a time reserves a bay; so those without a drive now were left by additions that were
 * cut short, or by drives that were put elsewhere.
 */
static int prepare(void *arg)
{
	struct addition *x = arg;
	struct sto *sto = x->p->core.sto;
	int rc = sto_bays_forget_empty(sto, x->err);

	if (!rc && x->bus < 0)
		rc = sto_bay_free_slot(sto, &x->bay.subsystem, &x->bus, &x->slot, x->err);
	if (rc)
		return rc;
	x->bay.bus = x->bus;
	x->bay.slot = x->slot;
	rc = snprintf(x->bay.path, sizeof(x->bay.path), "%s", x->path);
	if (rc < 0 || rc >= (int)sizeof(x->bay.path))
		return err_set(x->err, -ENAMETOOLONG, "The path is too long.");
	rc = sto_bay_add(sto, &x->bay, x->err);
	if (rc)
		return rc;
	rc = sto_bay_get(sto, &x->bay.subsystem, x->bus, x->slot, &x->bay, x->err);
	if (!rc && x->create_bytes) {
		rc = eng_create_drive_file(x->bay.path, x->create_bytes, x->err);
		x->created = !rc;
	}
	if (rc)
		sto_bay_remove(sto, &x->bay.subsystem, x->bus, x->slot, NULL);
	return rc;
}

static int undo(void *arg)
{
	struct addition *x = arg;

	sto_bay_remove(x->p->core.sto, &x->bay.subsystem, x->bus, x->slot, NULL);
	if (x->created)
		unlink(x->bay.path);
	return 0;
}

static int settle(void *arg)
{
	struct addition *x = arg;
	uint32_t number;
	int rc = sto_bay_set_drive(
		x->p->core.sto, &x->bay.subsystem, x->bus, x->slot, &x->drive, x->err);

	return rc ? rc : sto_number(x->p->core.sto, HWP_DRIVE, &x->drive, &number, x->err);
}

/* ---- an array that another store, or one that is lost, knew of ------------------------------- */

static int read_setup(void *arg)
{
	struct addition *x = arg;

	return hwp_array_read_one(x->p, &x->bay.subsystem, &x->setup, x->err);
}

static int keep_identity(void *arg)
{
	struct addition *x = arg;
	const struct sto_subsystem *row = &x->setup.row;
	int rc = sto_subsystem_set_container(x->p->core.sto, &row->id, row->container, x->err);

	return rc || !row->name[0]
		       ? rc
		       : sto_subsystem_set_name(x->p->core.sto, &row->id, row->name, x->err);
}

static int reopen(struct hwp_call *call, struct addition *x)
{
	struct hwp_array *a = call->array;

	hwp_array_close(a);
	int rc = hwp_array_open(a, &x->setup, &call->err);
	call->eng = a->eng;
	return rc;
}

/* The array is open under the identity that the drive gave it: from now on it is the subsystem's.
 */
static int take_identity(struct hwp_call *call, struct addition *x)
{
	struct hwp_array *a = call->array;
	struct eng_array_info info;

	eng_array_info(a->eng, &info);
	memcpy(x->setup.row.container, info.container_guid, sizeof(x->setup.row.container));
	snprintf(x->setup.row.name, sizeof(x->setup.row.name), "%s", info.name);
	int rc = prv_clerk_call(&call->p->core.worker->clerk, keep_identity, x);
	if (rc)
		return rc;
	memcpy(a->container, info.container_guid, sizeof(a->container));
	if (info.name[0])
		snprintf(a->name, sizeof(a->name), "%s", info.name);
	hwp_apply_hold(call->p);
	hwp_notify_one(call->p, HWP_DRIVE, VDS_NF_DRIVE_ARRIVE, &x->drive);
	return 0;
}

/*
 * A subsystem without any drive takes over the array of the first one it is given: so drives whose
 * database was lost, or that come from another store, bring their LUNs back. The others of that
 * array are then known by their identity. An array of somebody else's is taken over when its drives
 * describe all of it. refused: what became of the ordinary way.
 */
static int adopt(struct hwp_call *call, struct addition *x, int refused)
{
	struct eng_array_info info;
	uint8_t own[sizeof(x->setup.row.container)];
	uint32_t seq;

	eng_array_info(call->eng, &info);
	if ((info.drives && !info.waiting) || info.luns ||
		prv_clerk_call(&call->p->core.worker->clerk, read_setup, x))
		return refused;
	struct sto_subsystem *row = &x->setup.row;
	memcpy(own, row->container, sizeof(own));
	seq = row->seq;
	memset(row->container, 0, sizeof(row->container)); /* take it from the drives */
	row->seq = 0;
	struct err why = call->err;
	err_clear(&call->err);
	unsigned waited = info.waiting;
	int rc = reopen(call, x);
	struct eng_drive_info drive;
	if (!rc && (eng_drive_at(call->eng, x->bus, x->slot, &x->drive) ||
			   eng_drive_info(call->eng, &x->drive, &drive)))
		rc = refused;
	if (!rc)
		eng_array_info(call->eng, &info);
	/* Set aside like others', but not to be refused: it waits for the rest of its array. */
	if (!rc && drive.state == ENG_DRIVE_FOREIGN && info.waiting <= waited)
		rc = refused;
	if (!rc)
		rc = take_identity(call, x);
	if (rc) { /* as it was: empty, under its own name */
		memcpy(row->container, own, sizeof(own));
		row->seq = seq;
		sto_bay_vec_free(&x->setup.bays);
		reopen(call, x);
		hwp_apply_hold(call->p);
		call->err = why;
	}
	sto_bay_vec_free(&x->setup.bays);
	return rc;
}

static int add_drive(struct hwp_call *call, struct addition *x)
{
	int rc = prv_clerk_call(&call->p->core.worker->clerk, prepare, x);

	if (rc)
		return rc;
	struct eng_bay bay = {.bus = x->bus, .slot = x->slot, .path = x->bay.path};
	rc = eng_drive_add(call->eng, &bay, &x->drive, &call->err);
	if (rc == -EMEDIUMTYPE)
		rc = adopt(call, x, rc);
	if (!rc)
		rc = prv_clerk_call(&call->p->core.worker->clerk, settle, x);
	else
		prv_clerk_call(&call->p->core.worker->clerk, undo, x);
	return rc;
}

static HRESULT add_body(struct hwp_call *call)
{
	struct addition *x = call->args;

	x->err = &call->err;
	x->bay.subsystem = call->array->id;
	task_lock(&call->p->adding);
	int rc = add_drive(call, x);
	task_unlock(&call->p->adding);
	/* -EEXIST: the slot or the path is taken, the sentence says which */
	return rc == -EEXIST ? VDS_E_NOT_SUPPORTED : hwp_fail(call, rc);
}

static HRESULT STDMETHODCALLTYPE hwp_subsystem_AddDrive(IVdsxSubSystem *iface, LPCWSTR path,
	SHORT bus, SHORT slot, ULONGLONG create_bytes, IVdsDrive **out)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsxSubSystem, iface);
	struct hwp *p = hwp_of(&self->face);

	COM_TRACE(self, "bus %d slot %d, %llu bytes", bus, slot, create_bytes);
	VDC_OUT(out);
	VDC_REQUIRE(path && path[0]);
	VDC_REQUIRE((bus < 0) == (slot < 0) && bus >= -1 && slot >= -1);
	struct addition *x = calloc(1, sizeof(*x));
	HRESULT hr = x && (x->path = com_utf8_from_wide(path)) ? S_OK : E_OUTOFMEMORY;
	if (SUCCEEDED(hr)) {
		x->p = p;
		x->bus = bus;
		x->slot = slot;
		x->create_bytes = create_bytes;
		hr = hwp_call(p, HWP_M_X_ADD_DRIVE, HWP_SUB_SYSTEM, &self->face.id, add_body, x);
	}
	if (SUCCEEDED(hr))
		hr = prv_face_get(&p->core, HWP_DRIVE, &x->drive, &IID_IVdsDrive, (void **)out);
	if (x)
		free(x->path);
	free(x);
	return hr;
}

/* ---- RemoveDrive --------------------------------------------------------------------------- */

struct removal {
	struct hwp *p;
	struct guid drive;
	struct guid subsystem;
	int16_t bus, slot;
	struct err *err;
};

static int remove_in_store(void *arg)
{
	struct removal *r = arg;
	int rc = sto_bay_remove(r->p->core.sto, &r->subsystem, r->bus, r->slot, r->err);

	return rc == -ENOENT ? 0 : rc;
}

static HRESULT remove_body(struct hwp_call *call)
{
	struct removal *r = call->args;
	struct eng_drive_info info;

	if (eng_drive_info(call->eng, &r->drive, &info))
		return VDS_E_OBJECT_NOT_FOUND;
	r->subsystem = call->array->id;
	r->bus = info.bus;
	r->slot = info.slot;
	r->err = &call->err;
	int rc = eng_drive_forget(call->eng, &r->drive, &call->err);
	if (!rc)
		rc = prv_clerk_call(&call->p->core.worker->clerk, remove_in_store, r);
	return hwp_fail(call, rc);
}

static HRESULT STDMETHODCALLTYPE hwp_subsystem_RemoveDrive(
	IVdsxSubSystem *iface, VDS_OBJECT_ID drive)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsxSubSystem, iface);
	struct removal r = {.p = hwp_of(&self->face), .drive = com_guid_to(&drive)};

	COM_TRACE(self);
	VDC_REQUIRE(!guid_is_zero(&r.drive));
	return hwp_call(hwp_of(&self->face), HWP_M_X_REMOVE_DRIVE, HWP_SUB_SYSTEM, &self->face.id,
		remove_body, &r);
}

const IVdsxSubSystemVtbl hwp_subsystem_IVdsxSubSystem_vtbl = {
	COM_UNKNOWN_METHODS(hwp_subsystem, IVdsxSubSystem),
	.AddDrive = hwp_subsystem_AddDrive,
	.RemoveDrive = hwp_subsystem_RemoveDrive,
};
