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
	struct err *err;
};

/* Finds the slot, makes the file if asked, and reserves the bay: file work, on the clerk. */
static int prepare(void *arg)
{
	struct addition *x = arg;
	struct sto *sto = x->p->sto;
	int rc = 0;

	if (x->bus < 0)
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

	sto_bay_remove(x->p->sto, &x->bay.subsystem, x->bus, x->slot, NULL);
	if (x->created)
		unlink(x->bay.path);
	return 0;
}

static int settle(void *arg)
{
	struct addition *x = arg;
	uint32_t number;
	int rc =
		sto_bay_set_drive(x->p->sto, &x->bay.subsystem, x->bus, x->slot, &x->drive, x->err);

	return rc ? rc : sto_number(x->p->sto, HWP_DRIVE, &x->drive, &number, x->err);
}

static HRESULT add_body(struct hwp_call *call)
{
	struct addition *x = call->args;

	x->err = &call->err;
	x->bay.subsystem = call->array->id;
	int rc = hwp_clerk_call(call->p, prepare, x);
	if (rc == -EEXIST)
		return VDS_E_NOT_SUPPORTED; /* the slot or the path is taken: the sentence says
					       which */
	if (rc)
		return hwp_fail(call, rc);
	struct eng_bay bay = {.bus = x->bus, .slot = x->slot, .path = x->bay.path};
	rc = eng_drive_add(call->eng, &bay, &x->drive, &call->err);
	if (!rc)
		rc = hwp_clerk_call(call->p, settle, x);
	else
		hwp_clerk_call(call->p, undo, x);
	return rc == -EEXIST ? VDS_E_NOT_SUPPORTED : hwp_fail(call, rc);
}

static HRESULT STDMETHODCALLTYPE hwp_subsystem_AddDrive(IVdsxSubSystem *iface, LPCWSTR path,
	SHORT bus, SHORT slot, ULONGLONG create_bytes, IVdsDrive **out)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsxSubSystem, iface);
	struct hwp *p = self->face.p;

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
		hr = hwp_face_get(p, HWP_DRIVE, &x->drive, &IID_IVdsDrive, (void **)out);
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
	int rc = sto_bay_remove(r->p->sto, &r->subsystem, r->bus, r->slot, r->err);

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
		rc = hwp_clerk_call(call->p, remove_in_store, r);
	return hwp_fail(call, rc);
}

static HRESULT STDMETHODCALLTYPE hwp_subsystem_RemoveDrive(
	IVdsxSubSystem *iface, VDS_OBJECT_ID drive)
{
	struct hwp_subsystem *self = COM_IMPL(hwp_subsystem, IVdsxSubSystem, iface);
	struct removal r = {.p = self->face.p, .drive = com_guid_to(&drive)};

	COM_TRACE(self);
	VDC_REQUIRE(!guid_is_zero(&r.drive));
	return hwp_call(self->face.p, HWP_M_X_REMOVE_DRIVE, HWP_SUB_SYSTEM, &self->face.id,
		remove_body, &r);
}

const IVdsxSubSystemVtbl hwp_subsystem_IVdsxSubSystem_vtbl = {
	COM_UNKNOWN_METHODS(hwp_subsystem, IVdsxSubSystem),
	.AddDrive = hwp_subsystem_AddDrive,
	.RemoveDrive = hwp_subsystem_RemoveDrive,
};
