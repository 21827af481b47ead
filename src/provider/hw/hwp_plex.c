/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LUN plex object: a mirror has one for each copy, every other LUN one. Policies and priority
 * belong to the LUN, so hints on a plex can only ask for what its LUN has: they are ignored.
 */
#include "provider/hw/hwp_lun.h"

#include "provider/hw/hwp_extent.h"
#include "provider/hw/hwp_hints.h"
#include "vdscom/check.h"

struct hwp_plex {
	struct com_object com;
	IUnknown IUnknown_iface;
	IVdsLunPlex IVdsLunPlex_iface;
	IVdsxNumber IVdsxNumber_iface;
	struct prv_face face;
};
COM_IDENTITY(hwp_plex)
COM_UNKNOWN(hwp_plex, IVdsLunPlex)
HWP_NUMBER(hwp_plex)
PRV_DESTROY(hwp_plex)

struct props {
	struct eng_lun_info lun;
	struct eng_plex_info plex;
};

static HRESULT props_body(struct hwp_call *call)
{
	struct props *out = call->args;

	out->lun = call->lun;
	return hwp_fail(
		call, eng_plex_info(call->eng, &call->lun.id, call->plex_index, &out->plex));
}

static HRESULT STDMETHODCALLTYPE hwp_plex_GetProperties(IVdsLunPlex *iface, VDS_LUN_PLEX_PROP *prop)
{
	struct hwp_plex *self = COM_IMPL(hwp_plex, IVdsLunPlex, iface);
	struct props props;

	COM_TRACE(self);
	VDC_OUT(prop);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_PLEX_GET_PROPERTIES, HWP_PLEX,
		&self->face.id, props_body, &props);
	if (FAILED(hr))
		return hr;
	VDS_LUN_STATUS status = hwp_lun_status(&props.lun);
	prop->id = com_guid_from(&self->face.id);
	prop->ullSize = props.plex.size_bytes;
	prop->type = hwp_plex_type_from_engine(props.plex.type);
	prop->health = hwp_lun_health(props.plex.health);
	prop->status = status == VDS_LS_OFFLINE              ? VDS_LPS_OFFLINE
		       : props.plex.health == ENG_LUN_FAILED ? VDS_LPS_FAILED
							     : VDS_LPS_ONLINE;
	prop->TransitionState = hwp_transition(props.lun.transition);
	prop->ulStripeSize = props.plex.type == ENG_LUN_SIMPLE || props.plex.type == ENG_LUN_SPAN
				     ? 0
				     : props.plex.chunk;
	prop->sRebuildPriority = (SHORT)props.lun.rebuild_priority;
	return hr;
}

static HRESULT lun_body(struct hwp_call *call)
{
	*(struct guid *)call->args = call->lun.id;
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_plex_GetLun(IVdsLunPlex *iface, IVdsLun **out)
{
	struct hwp_plex *self = COM_IMPL(hwp_plex, IVdsLunPlex, iface);
	struct guid id;

	COM_TRACE(self);
	VDC_OUT(out);
	HRESULT hr = hwp_call(
		hwp_of(&self->face), HWP_M_PLEX_GET_LUN, HWP_PLEX, &self->face.id, lun_body, &id);
	if (FAILED(hr))
		return hr;
	return prv_face_get(&hwp_of(&self->face)->core, HWP_LUN, &id, &IID_IVdsLun, (void **)out);
}

static HRESULT extents_body(struct hwp_call *call)
{
	struct hwp_extents *e = call->args;
	struct eng_member_info m[ENG_MAX_MEMBERS];
	unsigned count = 0;
	int rc = eng_lun_members(call->eng, &call->lun.id, m, ENG_MAX_MEMBERS, &count);

	e->list = rc ? NULL : calloc(count ? count : 1, sizeof(*e->list));
	if (!rc && !e->list)
		rc = -ENOMEM;
	for (unsigned i = 0; !rc && i < count && i < ENG_MAX_MEMBERS; i++)
		if (m[i].plex == call->plex_index && !guid_is_zero(&m[i].drive))
			e->list[e->count++] = (struct eng_extent){
				.drive = m[i].drive,
				.lun = call->lun.id,
				.offset = m[i].offset,
				.size = m[i].size,
			};
	return hwp_fail(call, rc);
}

static HRESULT STDMETHODCALLTYPE hwp_plex_QueryExtents(
	IVdsLunPlex *iface, VDS_DRIVE_EXTENT **out, LONG *count)
{
	struct hwp_plex *self = COM_IMPL(hwp_plex, IVdsLunPlex, iface);
	struct hwp_extents e = {0};

	COM_TRACE(self);
	VDC_OUT2(out, count);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_PLEX_QUERY_EXTENTS, HWP_PLEX,
		&self->face.id, extents_body, &e);
	if (SUCCEEDED(hr))
		hr = hwp_extents_give(&e, out, count);
	free(e.list);
	return hr;
}

static HRESULT STDMETHODCALLTYPE hwp_plex_QueryHints(IVdsLunPlex *iface, VDS_HINTS *hints)
{
	struct hwp_plex *self = COM_IMPL(hwp_plex, IVdsLunPlex, iface);
	VDS_HINTS2 all = {0};

	COM_TRACE(self);
	VDC_OUT(hints);
	HRESULT hr = hwp_hints_query(&self->face, HWP_M_PLEX_QUERY_HINTS, &all);
	if (SUCCEEDED(hr))
		hwp_hints_narrow(&all, hints);
	return hr;
}

static HRESULT nothing_of_its_own(struct hwp_call *call)
{
	(void)call;
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_plex_ApplyHints(IVdsLunPlex *iface, VDS_HINTS *hints)
{
	struct hwp_plex *self = COM_IMPL(hwp_plex, IVdsLunPlex, iface);

	COM_TRACE(self);
	VDC_REQUIRE(hints);
	return hwp_call(hwp_of(&self->face), HWP_M_PLEX_APPLY_HINTS, HWP_PLEX, &self->face.id,
		nothing_of_its_own, NULL);
}

static const IVdsLunPlexVtbl hwp_plex_IVdsLunPlex_vtbl = {
	COM_UNKNOWN_METHODS(hwp_plex, IVdsLunPlex),
	.GetProperties = hwp_plex_GetProperties,
	.GetLun = hwp_plex_GetLun,
	.QueryExtents = hwp_plex_QueryExtents,
	.QueryHints = hwp_plex_QueryHints,
	.ApplyHints = hwp_plex_ApplyHints,
};

static const struct com_iface hwp_plex_ifaces[] = {
	COM_IFACE(hwp_plex, IUnknown),
	COM_IFACE(hwp_plex, IVdsLunPlex),
	COM_IFACE(hwp_plex, IVdsxNumber),
};
static const struct com_class hwp_plex_class = {
	"hwp_plex",
	sizeof(struct hwp_plex),
	COM_IFACES(hwp_plex_ifaces),
	hwp_plex_destroy,
};

struct com_object *hwp_plex_make(const struct prv_face *face)
{
	GUID id = com_guid_from(&face->id);
	struct hwp_plex *self = com_object_new(&hwp_plex_class, &id);

	if (!self)
		return NULL;
	self->face = *face;
	return &self->com;
}
