/* SPDX-License-Identifier: Apache-2.0 */
/* The LUN object: what it is and what it consists of. */
#include "provider/hw/hwp_lun.h"

#include "provider/hw/hwp_hints.h"
#include "provider/hw/hwp_identity.h"
#include "provider/hw/hwp_text.h"
#include "vdscom/check.h"
#include "vdscom/props.h"

COM_IDENTITY(hwp_lun)
COM_UNKNOWN(hwp_lun, IVdsLun)
COM_UNKNOWN(hwp_lun, IVdsLun2)
COM_UNKNOWN(hwp_lun, IVdsLunNaming)
COM_UNKNOWN(hwp_lun, IVdsLunNumber)
HWP_MAINTENANCE(hwp_lun)
HWP_NUMBER(hwp_lun)
PRV_DESTROY(hwp_lun)

/* ---- properties ---------------------------------------------------------------------------- */

static HRESULT info_body(struct hwp_call *call)
{
	*(struct eng_lun_info *)call->args = call->lun;
	return S_OK;
}

/* What the store knows of the LUN. */
static int read_kept(struct hwp *p, const struct guid *id, char **mask, uint32_t *number)
{
	HRESULT hr;

	*mask = NULL;
	if (!prv_enter(&p->core, &hr))
		return -ESTALE;
	int rc = sto_number(p->core.sto, HWP_LUN, id, number, NULL);
	if (!rc)
		rc = sto_attr_get_text(p->core.sto, id, HWP_KEY_MASK, mask, NULL);
	prv_leave(&p->core);
	return rc == -ENOENT ? 0 : rc;
}

static bool fill_texts(
	const struct eng_lun_info *info, const char *mask, uint32_t number, VDS_LUN_PROP *prop)
{
	char serial[33];

	hwp_identity_serial(&info->id, serial);
	if (info->name[0] ? !hwp_set_text(&prop->pwszFriendlyName, "%s", info->name)
			  : !hwp_set_text(&prop->pwszFriendlyName, "LUN %u", number))
		return false;
	return hwp_set_text(&prop->pwszIdentification, "%s", serial) &&
	       (prop->pwszUnmaskingList = com_strdup_utf8_to_wide(mask ? mask : "")) != NULL;
}

static HRESULT STDMETHODCALLTYPE hwp_lun_GetProperties(IVdsLun *iface, VDS_LUN_PROP *prop)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun, iface);
	struct eng_lun_info info;
	cleanup_free char *mask = NULL;
	uint32_t number = 0;

	COM_TRACE(self);
	VDC_OUT(prop);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_LUN_GET_PROPERTIES, HWP_LUN,
		&self->face.id, info_body, &info);
	if (FAILED(hr))
		return hr;
	int rc = read_kept(hwp_of(&self->face), &self->face.id, &mask, &number);
	if (rc)
		return rc == -ESTALE ? VDS_E_OBJECT_DELETED : com_hr_from_errno(rc);
	if (!fill_texts(&info, mask, number, prop)) {
		vdc_clear(VDS_LUN_PROP, prop);
		return E_OUTOFMEMORY;
	}
	prop->id = com_guid_from(&info.id);
	prop->ullSize = info.size_bytes;
	prop->ulFlags = hwp_lun_flags(&info);
	prop->type = hwp_type_from_engine(info.type);
	prop->status = hwp_lun_status(&info);
	prop->health = hwp_lun_health(info.health);
	prop->TransitionState = hwp_transition(info.transition);
	prop->sRebuildPriority = (SHORT)info.rebuild_priority;
	return hr;
}

static HRESULT STDMETHODCALLTYPE hwp_lun_GetSubSystem(IVdsLun *iface, IVdsSubSystem **out)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun, iface);

	COM_TRACE(self);
	return hwp_get_sub_system(&self->face, HWP_M_LUN_GET_SUB_SYSTEM, out);
}

/* ---- identification ------------------------------------------------------------------------ */

static HRESULT signature_body(struct hwp_call *call)
{
	uint8_t sectors[1024];

	/* A LUN that is withdrawn can't be asked: no signature. */
	if (!eng_lun_read(call->eng, &call->id, 0, sectors, sizeof(sectors)))
		*(GUID *)call->args = hwp_identity_signature(sectors, sectors + 512);
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_lun_GetIdentificationData(
	IVdsLun *iface, VDS_LUN_INFORMATION *info)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun, iface);
	GUID signature = {0};

	COM_TRACE(self);
	VDC_OUT(info);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_LUN_GET_IDENTIFICATION_DATA, HWP_LUN,
		&self->face.id, signature_body, &signature);
	if (SUCCEEDED(hr) && !hwp_identity_fill(&self->face.id, &signature, info))
		hr = E_OUTOFMEMORY;
	return hr;
}

static HRESULT number_body(struct hwp_call *call)
{
	uint32_t number;
	int rc = prv_number(&call->p->core, HWP_LUN, &call->id, &number);

	*(ULONG *)call->args = number;
	return hwp_fail(call, rc);
}

static HRESULT STDMETHODCALLTYPE hwp_lun_GetLunNumber(IVdsLunNumber *iface, ULONG *number)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLunNumber, iface);

	COM_TRACE(self);
	VDC_OUT(number);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_LUN_GET_LUN_NUMBER, HWP_LUN,
		&self->face.id, number_body, number);
	if (FAILED(hr))
		*number = 0;
	return hr;
}

/* ---- plexes -------------------------------------------------------------------------------- */

static HRESULT plexes_body(struct hwp_call *call)
{
	struct prv_idents *list = call->args;
	struct eng_plex_info plex;
	int rc = 0;

	for (unsigned i = 0; !rc && i < call->lun.plexes; i++) {
		rc = eng_plex_info(call->eng, &call->id, i, &plex);
		if (!rc)
			rc = prv_idents_push(list, (struct prv_ident){HWP_PLEX, plex.id});
	}
	return hwp_fail(call, rc);
}

static HRESULT STDMETHODCALLTYPE hwp_lun_QueryPlexes(IVdsLun *iface, IEnumVdsObject **out)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsLun, iface);
	struct prv_idents list = {0};

	COM_TRACE(self);
	VDC_OUT(out);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_LUN_QUERY_PLEXES, HWP_LUN, &self->face.id,
		plexes_body, &list);
	if (SUCCEEDED(hr))
		hr = prv_enum_new(&hwp_of(&self->face)->core, &list, out);
	prv_idents_free(&list);
	return hr;
}

/* ---- tables -------------------------------------------------------------------------------- */

static const IVdsLunVtbl hwp_lun_IVdsLun_vtbl = {
	COM_UNKNOWN_METHODS(hwp_lun, IVdsLun),
	.GetProperties = hwp_lun_GetProperties,
	.GetSubSystem = hwp_lun_GetSubSystem,
	.GetIdentificationData = hwp_lun_GetIdentificationData,
	.QueryActiveControllers = hwp_lun_QueryActiveControllers,
	.Extend = hwp_lun_Extend,
	.Shrink = hwp_lun_Shrink,
	.QueryPlexes = hwp_lun_QueryPlexes,
	.AddPlex = hwp_lun_AddPlex,
	.RemovePlex = hwp_lun_RemovePlex,
	.Recover = hwp_lun_Recover,
	.SetMask = hwp_lun_SetMask,
	.Delete = hwp_lun_Delete,
	.AssociateControllers = hwp_lun_AssociateControllers,
	.QueryHints = hwp_lun_QueryHints,
	.ApplyHints = hwp_lun_ApplyHints,
	.SetStatus = hwp_lun_SetStatus,
	.QueryMaxLunExtendSize = hwp_lun_QueryMaxLunExtendSize,
};
static const IVdsLun2Vtbl hwp_lun_IVdsLun2_vtbl = {
	COM_UNKNOWN_METHODS(hwp_lun, IVdsLun2),
	.QueryHints2 = hwp_lun_QueryHints2,
	.ApplyHints2 = hwp_lun_ApplyHints2,
};
static const IVdsLunNamingVtbl hwp_lun_IVdsLunNaming_vtbl = {
	COM_UNKNOWN_METHODS(hwp_lun, IVdsLunNaming),
	.SetFriendlyName = hwp_lun_SetFriendlyName,
};
static const IVdsLunNumberVtbl hwp_lun_IVdsLunNumber_vtbl = {
	COM_UNKNOWN_METHODS(hwp_lun, IVdsLunNumber),
	.GetLunNumber = hwp_lun_GetLunNumber,
};

static const struct com_iface hwp_lun_ifaces[] = {
	COM_IFACE(hwp_lun, IUnknown),
	COM_IFACE(hwp_lun, IVdsLun),
	COM_IFACE(hwp_lun, IVdsLun2),
	COM_IFACE(hwp_lun, IVdsLunNaming),
	COM_IFACE(hwp_lun, IVdsLunNumber),
	COM_IFACE(hwp_lun, IVdsLunControllerPorts),
	COM_IFACE(hwp_lun, IVdsMaintenance),
	COM_IFACE(hwp_lun, IVdsxMaintenance),
	COM_IFACE(hwp_lun, IVdsxNumber),
	COM_IFACE(hwp_lun, IVdsxLun),
};
static const struct com_class hwp_lun_class = {
	"hwp_lun",
	sizeof(struct hwp_lun),
	COM_IFACES(hwp_lun_ifaces),
	hwp_lun_destroy,
};

struct com_object *hwp_lun_make(const struct prv_face *face)
{
	GUID id = com_guid_from(&face->id);
	struct hwp_lun *self = com_object_new(&hwp_lun_class, &id);

	if (!self)
		return NULL;
	self->face = *face;
	return &self->com;
}
