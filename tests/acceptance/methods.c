/* SPDX-License-Identifier: Apache-2.0 */
#include "methods.h"

#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DIRTY    ((void *)(uintptr_t)0xdead)

/* ---- arguments ----------------------------------------------------------------------------- */

static uint32_t draw(struct target *t)
{
	t->seed = t->seed * 1664525u + 1013904223u;
	return t->seed >> 8;
}

static bool wild(struct target *t)
{
	return t->mode == M_RANDOM && draw(t) % 3 == 0;
}

/* The output, or NULL. */
static void *out(struct target *t, void *p)
{
	if (t->mode == M_NULL_OUT || (t->mode == M_RANDOM && draw(t) % 10 == 0))
		return NULL;
	return p;
}

static int number(struct target *t, int good)
{
	static const int odd[] = {0, 1, 2, 3, 4, 5, 6, 8, 9, 13, -1, 255, 0x7fffffff};

	return wild(t) ? odd[draw(t) % COUNT(odd)] : good;
}

static ULONGLONG size_of(struct target *t, ULONGLONG good)
{
	static const ULONGLONG odd[] = {0, 1, 4096, 5 * MIB, 1ull << 40, ~0ull};

	return wild(t) ? odd[draw(t) % COUNT(odd)] : good;
}

static VDS_OBJECT_ID ident(struct target *t, VDS_OBJECT_ID good)
{
	const VDS_OBJECT_ID odd[] = {{0}, {1, 2, 3, {4}}, t->drive_id, t->other_id, t->lun_id,
		t->plex_id, t->fx->sub_id, t->fx->controller_id, t->fx->port_id};

	return wild(t) ? odd[draw(t) % COUNT(odd)] : good;
}

static LPWSTR text(struct target *t, WCHAR *good)
{
	static WCHAR bad[] = VDS_TEXT("*;;nonsense"), all[] = VDS_TEXT("*"), large[201];

	for (unsigned i = 0; i < 200; i++)
		large[i] = 'x';
	switch (t->mode == M_RANDOM ? draw(t) % 6 : 0) {
	case 1:
		return NULL;
	case 2:
		return bad;
	case 3:
		return all;
	case 4:
		return large;
	default:
		return good;
	}
}

static void *given(struct target *t, void *p)
{
	return t->mode == M_RANDOM && draw(t) % 8 == 0 ? NULL : p;
}

/* ---- results ------------------------------------------------------------------------------- */

static HRESULT unknown(struct target *t, HRESULT hr, void *p)
{
	if (p == DIRTY || (FAILED(hr) && p)) {
		t->bad_outputs += t->mode != M_NULL_OUT && hr != E_INVALIDARG;
		return hr;
	}
	if (p)
		IUnknown_Release((IUnknown *)p);
	return hr;
}

/* Strings in pairs are at fixed members; what a failure leaves must be zero. */
static HRESULT structure(struct target *t, HRESULT hr, const void *p, size_t size)
{
	const unsigned char *bytes = p;
	bool clean = true;

	for (size_t i = 0; FAILED(hr) && i < size; i++)
		clean = clean && !bytes[i];
	/* without a place for it the structure here was not touched */
	if (!clean && bytes[0] != 0xee)
		t->bad_outputs++;
	return hr;
}

static HRESULT array(struct target *t, HRESULT hr, void *p, LONG count)
{
	if (FAILED(hr) && ((p && p != DIRTY) || (count && count != -77)))
		t->bad_outputs++;
	if (SUCCEEDED(hr) && p != DIRTY)
		CoTaskMemFree(p);
	return hr;
}

#define PROPS(T, v)                                                                                \
	T v;                                                                                       \
	memset(&v, 0xee, sizeof(v))

static void free2(HRESULT hr, void *a, void *b)
{
	if (SUCCEEDED(hr)) {
		CoTaskMemFree(a);
		CoTaskMemFree(b);
	}
}

static void *query(void *object, REFIID iid)
{
	void *p = NULL;

	assert_ok(IUnknown_QueryInterface((IUnknown *)object, iid, &p));
	return p;
}

/* Calls through another interface of the object. */
#define WITH(IFace, object, call)                                                                  \
	IFace *x = query(object, &IID_##IFace);                                                    \
	HRESULT hr = call;                                                                         \
	IFace##_Release(x)

/* ---- provider ------------------------------------------------------------------------------ */

static HRESULT p_properties(struct target *t)
{
	PROPS(VDS_PROVIDER_PROP, p);
	HRESULT hr = IVdsProvider_GetProperties(t->fx->provider, out(t, &p));

	free2(hr, p.pwszName, p.pwszVersion);
	return structure(t, hr, &p, sizeof(p));
}

static HRESULT p_query(struct target *t)
{
	IEnumVdsObject *e = DIRTY;
	HRESULT hr = IVdsHwProvider_QuerySubSystems(t->fx->hw, out(t, &e));

	return unknown(t, hr, e);
}

static HRESULT p_reenumerate(struct target *t)
{
	return IVdsHwProvider_Reenumerate(t->fx->hw);
}

static HRESULT p_refresh(struct target *t)
{
	return IVdsHwProvider_Refresh(t->fx->hw);
}

/* ---- subsystem ----------------------------------------------------------------------------- */

static HRESULT s_properties(struct target *t)
{
	PROPS(VDS_SUB_SYSTEM_PROP, p);
	HRESULT hr = IVdsSubSystem_GetProperties(t->fx->sub, out(t, &p));

	free2(hr, p.pwszFriendlyName, p.pwszIdentification);
	return structure(t, hr, &p, sizeof(p));
}

static HRESULT s_properties2(struct target *t)
{
	PROPS(VDS_SUB_SYSTEM_PROP2, p);
	WITH(IVdsSubSystem2, t->fx->sub, IVdsSubSystem2_GetProperties2(x, out(t, &p)));

	free2(hr, p.pwszFriendlyName, p.pwszIdentification);
	return structure(t, hr, &p, sizeof(p));
}

static HRESULT s_provider(struct target *t)
{
	IVdsProvider *p = DIRTY;
	HRESULT hr = IVdsSubSystem_GetProvider(t->fx->sub, out(t, &p));

	return unknown(t, hr, p);
}

static HRESULT s_controllers(struct target *t)
{
	IEnumVdsObject *e = DIRTY;
	HRESULT hr = IVdsSubSystem_QueryControllers(t->fx->sub, out(t, &e));

	return unknown(t, hr, e);
}

static HRESULT s_luns(struct target *t)
{
	IEnumVdsObject *e = DIRTY;
	HRESULT hr = IVdsSubSystem_QueryLuns(t->fx->sub, out(t, &e));

	return unknown(t, hr, e);
}

static HRESULT s_drives(struct target *t)
{
	IEnumVdsObject *e = DIRTY;
	HRESULT hr = IVdsSubSystem_QueryDrives(t->fx->sub, out(t, &e));

	return unknown(t, hr, e);
}

static HRESULT s_drive(struct target *t)
{
	IVdsDrive *d = DIRTY;
	SHORT bus = (SHORT)number(t, 0), slot = (SHORT)number(t, 0);
	HRESULT hr = IVdsSubSystem_GetDrive(t->fx->sub, bus, slot, out(t, &d));

	return unknown(t, hr, d);
}

static HRESULT s_drive2(struct target *t)
{
	IVdsDrive *d = DIRTY;
	SHORT bus = (SHORT)number(t, 0), slot = (SHORT)number(t, 0);
	ULONG enclosure = (ULONG)number(t, 0);
	WITH(IVdsSubSystem2, t->fx->sub,
		IVdsSubSystem2_GetDrive2(x, bus, slot, enclosure, out(t, &d)));

	return unknown(t, hr, d);
}

static HRESULT s_reenumerate(struct target *t)
{
	return IVdsSubSystem_Reenumerate(t->fx->sub);
}

static HRESULT s_controller_status(struct target *t)
{
	VDS_OBJECT_ID on = ident(t, t->fx->controller_id), off = ident(t, t->fx->controller_id);
	LONG n = wild(t) ? number(t, 0) % 2 : 1, m = wild(t) ? 1 : 0;

	return IVdsSubSystem_SetControllerStatus(t->fx->sub, given(t, &on), n, given(t, &off), m);
}

static VDS_LUN_TYPE lun_type(struct target *t)
{
	return (VDS_LUN_TYPE)(wild(t) ? (int)(draw(t) % 34) : VDS_LT_SIMPLE);
}

static HRESULT s_create(struct target *t)
{
	VDS_OBJECT_ID id = ident(t, t->other_id);
	WCHAR none[1] = {0};
	VDS_HINTS hints = {.ulStripeSize = 65536};
	IVdsAsync *a = DIRTY;
	HRESULT hr = IVdsSubSystem_CreateLun(t->fx->sub, lun_type(t), size_of(t, 2 * MIB),
		given(t, &id), wild(t) ? number(t, 1) % 2 : 1, text(t, none), given(t, &hints),
		out(t, &a));

	return unknown(t, hr, a);
}

static HRESULT s_create2(struct target *t)
{
	VDS_OBJECT_ID id = ident(t, t->other_id);
	WCHAR none[1] = {0};
	VDS_HINTS2 hints = {.ulStripeSize = 65536};
	IVdsAsync *a = DIRTY;
	VDS_LUN_TYPE type = lun_type(t);
	ULONGLONG size = size_of(t, 2 * MIB);
	LONG n = wild(t) ? number(t, 1) % 2 : 1;
	WITH(IVdsSubSystem2, t->fx->sub,
		IVdsSubSystem2_CreateLun2(x, type, size, given(t, &id), n, text(t, none),
			given(t, &hints), out(t, &a)));

	return unknown(t, hr, a);
}

static HRESULT s_replace(struct target *t)
{
	VDS_OBJECT_ID old_id = ident(t, t->drive_id), new_id = ident(t, t->other_id);

	return IVdsSubSystem_ReplaceDrive(t->fx->sub, old_id, new_id);
}

static HRESULT s_status(struct target *t)
{
	return IVdsSubSystem_SetStatus(
		t->fx->sub, (VDS_SUB_SYSTEM_STATUS)number(t, VDS_SSS_ONLINE));
}

static HRESULT s_max(struct target *t)
{
	VDS_OBJECT_ID id = ident(t, t->other_id);
	VDS_HINTS hints = {0};
	ULONGLONG size = ~0ull;
	HRESULT hr = IVdsSubSystem_QueryMaxLunCreateSize(t->fx->sub, lun_type(t), given(t, &id),
		wild(t) ? number(t, 1) % 2 : 1, given(t, &hints), out(t, &size));

	t->bad_outputs += FAILED(hr) && size && size != ~0ull;
	return hr;
}

static HRESULT s_max2(struct target *t)
{
	VDS_OBJECT_ID id = ident(t, t->other_id);
	VDS_HINTS2 hints = {0};
	ULONGLONG size = ~0ull;
	VDS_LUN_TYPE type = lun_type(t);
	LONG n = wild(t) ? number(t, 1) % 2 : 1;
	WITH(IVdsSubSystem2, t->fx->sub,
		IVdsSubSystem2_QueryMaxLunCreateSize2(
			x, type, given(t, &id), n, given(t, &hints), out(t, &size)));

	t->bad_outputs += FAILED(hr) && size && size != ~0ull;
	return hr;
}

static HRESULT s_name(struct target *t)
{
	WCHAR name[] = VDS_TEXT("tested");
	WITH(IVdsSubSystemNaming, t->fx->sub,
		IVdsSubSystemNaming_SetFriendlyName(x, text(t, name)));

	return hr;
}

static HRESULT s_interconnects(struct target *t)
{
	ULONG flags = 0;
	WITH(IVdsSubSystemInterconnect, t->fx->sub,
		IVdsSubSystemInterconnect_GetSupportedInterconnects(x, out(t, &flags)));

	return hr;
}

/* ---- controller and port ------------------------------------------------------------------- */

static HRESULT c_properties(struct target *t)
{
	PROPS(VDS_CONTROLLER_PROP, p);
	HRESULT hr = IVdsController_GetProperties(t->fx->controller, out(t, &p));

	free2(hr, p.pwszFriendlyName, p.pwszIdentification);
	return structure(t, hr, &p, sizeof(p));
}

static HRESULT c_sub(struct target *t)
{
	IVdsSubSystem *s = DIRTY;
	HRESULT hr = IVdsController_GetSubSystem(t->fx->controller, out(t, &s));

	return unknown(t, hr, s);
}

static HRESULT c_port_properties(struct target *t)
{
	PROPS(VDS_PORT_PROP, p);
	HRESULT hr = IVdsController_GetPortProperties(
		t->fx->controller, (SHORT)number(t, 0), out(t, &p));

	free2(hr, p.pwszFriendlyName, p.pwszIdentification);
	return structure(t, hr, &p, sizeof(p));
}

static HRESULT c_flush(struct target *t)
{
	return IVdsController_FlushCache(t->fx->controller);
}

static HRESULT c_invalidate(struct target *t)
{
	return IVdsController_InvalidateCache(t->fx->controller);
}

static HRESULT c_reset(struct target *t)
{
	return IVdsController_Reset(t->fx->controller);
}

static HRESULT c_luns(struct target *t)
{
	IEnumVdsObject *e = DIRTY;
	HRESULT hr = IVdsController_QueryAssociatedLuns(t->fx->controller, out(t, &e));

	return unknown(t, hr, e);
}

static HRESULT c_status(struct target *t)
{
	return IVdsController_SetStatus(
		t->fx->controller, (VDS_CONTROLLER_STATUS)number(t, VDS_CS_ONLINE));
}

static HRESULT c_ports(struct target *t)
{
	IEnumVdsObject *e = DIRTY;
	WITH(IVdsControllerControllerPort, t->fx->controller,
		IVdsControllerControllerPort_QueryControllerPorts(x, out(t, &e)));

	return unknown(t, hr, e);
}

static HRESULT o_properties(struct target *t)
{
	PROPS(VDS_PORT_PROP, p);
	HRESULT hr = IVdsControllerPort_GetProperties(t->fx->port, out(t, &p));

	free2(hr, p.pwszFriendlyName, p.pwszIdentification);
	return structure(t, hr, &p, sizeof(p));
}

static HRESULT o_controller(struct target *t)
{
	IVdsController *c = DIRTY;
	HRESULT hr = IVdsControllerPort_GetController(t->fx->port, out(t, &c));

	return unknown(t, hr, c);
}

static HRESULT o_luns(struct target *t)
{
	IEnumVdsObject *e = DIRTY;
	HRESULT hr = IVdsControllerPort_QueryAssociatedLuns(t->fx->port, out(t, &e));

	return unknown(t, hr, e);
}

static HRESULT o_reset(struct target *t)
{
	return IVdsControllerPort_Reset(t->fx->port);
}

static HRESULT o_status(struct target *t)
{
	return IVdsControllerPort_SetStatus(
		t->fx->port, (VDS_PORT_STATUS)number(t, VDS_PRS_ONLINE));
}

/* ---- drive --------------------------------------------------------------------------------- */

static HRESULT d_properties(struct target *t)
{
	PROPS(VDS_DRIVE_PROP, p);
	HRESULT hr = IVdsDrive_GetProperties(t->drive, out(t, &p));

	free2(hr, p.pwszFriendlyName, p.pwszIdentification);
	return structure(t, hr, &p, sizeof(p));
}

static HRESULT d_properties2(struct target *t)
{
	PROPS(VDS_DRIVE_PROP2, p);
	WITH(IVdsDrive2, t->drive, IVdsDrive2_GetProperties2(x, out(t, &p)));

	free2(hr, p.pwszFriendlyName, p.pwszIdentification);
	return structure(t, hr, &p, sizeof(p));
}

static HRESULT d_sub(struct target *t)
{
	IVdsSubSystem *s = DIRTY;
	HRESULT hr = IVdsDrive_GetSubSystem(t->drive, out(t, &s));

	return unknown(t, hr, s);
}

static HRESULT d_extents(struct target *t)
{
	VDS_DRIVE_EXTENT *e = DIRTY;
	LONG n = -77;
	HRESULT hr = IVdsDrive_QueryExtents(t->drive, out(t, &e), out(t, &n));

	return array(t, hr, e, n);
}

static HRESULT d_set_flags(struct target *t)
{
	return IVdsDrive_SetFlags(t->other, (ULONG)number(t, VDS_DRF_HOTSPARE));
}

static HRESULT d_clear_flags(struct target *t)
{
	return IVdsDrive_ClearFlags(t->other, (ULONG)number(t, VDS_DRF_HOTSPARE));
}

static HRESULT d_status(struct target *t)
{
	return IVdsDrive_SetStatus(t->drive, (VDS_DRIVE_STATUS)number(t, VDS_DRS_ONLINE));
}

/* ---- LUN ----------------------------------------------------------------------------------- */

static HRESULT l_properties(struct target *t)
{
	PROPS(VDS_LUN_PROP, p);
	HRESULT hr = IVdsLun_GetProperties(t->lun, out(t, &p));

	free2(hr, p.pwszFriendlyName, p.pwszIdentification);
	free2(hr, p.pwszUnmaskingList, NULL);
	return structure(t, hr, &p, sizeof(p));
}

static HRESULT l_sub(struct target *t)
{
	IVdsSubSystem *s = DIRTY;
	HRESULT hr = IVdsLun_GetSubSystem(t->lun, out(t, &s));

	return unknown(t, hr, s);
}

static HRESULT l_identification(struct target *t)
{
	PROPS(VDS_LUN_INFORMATION, p);
	HRESULT hr = IVdsLun_GetIdentificationData(t->lun, out(t, &p));

	if (SUCCEEDED(hr)) {
		free2(hr, p.m_szVendorId, p.m_szProductId);
		free2(hr, p.m_szProductRevision, p.m_szSerialNumber);
		for (ULONG i = 0; i < p.m_deviceIdDescriptor.m_cIdentifiers; i++)
			CoTaskMemFree(p.m_deviceIdDescriptor.m_rgIdentifiers[i].m_rgbIdentifier);
		CoTaskMemFree(p.m_deviceIdDescriptor.m_rgIdentifiers);
	}
	return structure(t, hr, &p, sizeof(p));
}

static HRESULT l_controllers(struct target *t)
{
	IEnumVdsObject *e = DIRTY;
	HRESULT hr = IVdsLun_QueryActiveControllers(t->lun, out(t, &e));

	return unknown(t, hr, e);
}

static HRESULT l_extend(struct target *t)
{
	VDS_OBJECT_ID id = ident(t, t->other_id);
	IVdsAsync *a = DIRTY;
	bool listed = wild(t);
	HRESULT hr = IVdsLun_Extend(t->lun, size_of(t, 2 * MIB), listed ? given(t, &id) : NULL,
		listed ? 1 : 0, out(t, &a));

	return unknown(t, hr, a);
}

static HRESULT l_shrink(struct target *t)
{
	IVdsAsync *a = DIRTY;
	HRESULT hr = IVdsLun_Shrink(t->lun, size_of(t, 2 * MIB), out(t, &a));

	return unknown(t, hr, a);
}

static HRESULT l_plexes(struct target *t)
{
	IEnumVdsObject *e = DIRTY;
	HRESULT hr = IVdsLun_QueryPlexes(t->lun, out(t, &e));

	return unknown(t, hr, e);
}

static HRESULT l_add_plex(struct target *t)
{
	IVdsAsync *a = DIRTY;
	HRESULT hr = IVdsLun_AddPlex(t->lun, ident(t, t->lun_id), out(t, &a));

	return unknown(t, hr, a);
}

static HRESULT l_remove_plex(struct target *t)
{
	IVdsAsync *a = DIRTY;
	HRESULT hr = IVdsLun_RemovePlex(t->lun, ident(t, t->plex_id), out(t, &a));

	return unknown(t, hr, a);
}

static HRESULT l_recover(struct target *t)
{
	IVdsAsync *a = DIRTY;
	HRESULT hr = IVdsLun_Recover(t->lun, out(t, &a));

	return unknown(t, hr, a);
}

static HRESULT l_mask(struct target *t)
{
	WCHAR all[] = VDS_TEXT("*");

	return IVdsLun_SetMask(t->lun, text(t, all));
}

static HRESULT l_delete(struct target *t)
{
	return IVdsLun_Delete(t->lun);
}

static HRESULT l_associate(struct target *t)
{
	VDS_OBJECT_ID on = ident(t, t->fx->controller_id), off = ident(t, t->fx->controller_id);
	LONG n = wild(t) ? number(t, 1) % 2 : 1, m = wild(t) ? 1 : 0;

	return IVdsLun_AssociateControllers(t->lun, given(t, &on), n, given(t, &off), m);
}

static HRESULT l_hints(struct target *t)
{
	PROPS(VDS_HINTS, h);
	HRESULT hr = IVdsLun_QueryHints(t->lun, out(t, &h));

	return structure(t, hr, &h, sizeof(h));
}

static HRESULT l_hints2(struct target *t)
{
	PROPS(VDS_HINTS2, h);
	WITH(IVdsLun2, t->lun, IVdsLun2_QueryHints2(x, out(t, &h)));

	return structure(t, hr, &h, sizeof(h));
}

static HRESULT l_apply(struct target *t)
{
	VDS_HINTS h = {.sRebuildPriority = (SHORT)number(t, 8)};

	return IVdsLun_ApplyHints(t->lun, given(t, &h));
}

static HRESULT l_apply2(struct target *t)
{
	VDS_HINTS2 h = {.sRebuildPriority = (SHORT)number(t, 8)};
	WITH(IVdsLun2, t->lun, IVdsLun2_ApplyHints2(x, given(t, &h)));

	return hr;
}

static HRESULT l_status(struct target *t)
{
	return IVdsLun_SetStatus(t->lun, (VDS_LUN_STATUS)number(t, VDS_LS_ONLINE));
}

static HRESULT l_max(struct target *t)
{
	ULONGLONG size = ~0ull;
	HRESULT hr = IVdsLun_QueryMaxLunExtendSize(t->lun, NULL, wild(t) ? 1 : 0, out(t, &size));

	t->bad_outputs += FAILED(hr) && size && size != ~0ull;
	return hr;
}

static HRESULT l_name(struct target *t)
{
	WCHAR name[] = VDS_TEXT("a");
	WITH(IVdsLunNaming, t->lun, IVdsLunNaming_SetFriendlyName(x, text(t, name)));

	return hr;
}

static HRESULT l_number(struct target *t)
{
	ULONG n = 0;
	WITH(IVdsLunNumber, t->lun, IVdsLunNumber_GetLunNumber(x, out(t, &n)));

	return hr;
}

static HRESULT l_associate_ports(struct target *t)
{
	VDS_OBJECT_ID on = ident(t, t->fx->port_id), off = ident(t, t->fx->port_id);
	LONG n = wild(t) ? number(t, 1) % 2 : 1, m = wild(t) ? 1 : 0;
	WITH(IVdsLunControllerPorts, t->lun,
		IVdsLunControllerPorts_AssociateControllerPorts(
			x, given(t, &on), n, given(t, &off), m));

	return hr;
}

static HRESULT l_ports(struct target *t)
{
	IEnumVdsObject *e = DIRTY;
	WITH(IVdsLunControllerPorts, t->lun,
		IVdsLunControllerPorts_QueryActiveControllerPorts(x, out(t, &e)));

	return unknown(t, hr, e);
}

/* ---- plex ---------------------------------------------------------------------------------- */

static HRESULT x_properties(struct target *t)
{
	PROPS(VDS_LUN_PLEX_PROP, p);
	HRESULT hr = IVdsLunPlex_GetProperties(t->plex, out(t, &p));

	return structure(t, hr, &p, sizeof(p));
}

static HRESULT x_lun(struct target *t)
{
	IVdsLun *l = DIRTY;
	HRESULT hr = IVdsLunPlex_GetLun(t->plex, out(t, &l));

	return unknown(t, hr, l);
}

static HRESULT x_extents(struct target *t)
{
	VDS_DRIVE_EXTENT *e = DIRTY;
	LONG n = -77;
	HRESULT hr = IVdsLunPlex_QueryExtents(t->plex, out(t, &e), out(t, &n));

	return array(t, hr, e, n);
}

static HRESULT x_hints(struct target *t)
{
	PROPS(VDS_HINTS, h);
	HRESULT hr = IVdsLunPlex_QueryHints(t->plex, out(t, &h));

	return structure(t, hr, &h, sizeof(h));
}

static HRESULT x_apply(struct target *t)
{
	VDS_HINTS h = {0};

	return IVdsLunPlex_ApplyHints(t->plex, given(t, &h));
}

/* ---- maintenance --------------------------------------------------------------------------- */

static VDS_MAINTENANCE_OPERATION op(struct target *t)
{
	return (VDS_MAINTENANCE_OPERATION)number(t, BlinkLight);
}

#define MAINTENANCE(kind, object)                                                                  \
	static HRESULT kind##_start(struct target *t)                                              \
	{                                                                                          \
		WITH(IVdsMaintenance, object, IVdsMaintenance_StartMaintenance(x, op(t)));         \
		return hr;                                                                         \
	}                                                                                          \
	static HRESULT kind##_stop(struct target *t)                                               \
	{                                                                                          \
		WITH(IVdsMaintenance, object, IVdsMaintenance_StopMaintenance(x, op(t)));          \
		return hr;                                                                         \
	}                                                                                          \
	static HRESULT kind##_pulse(struct target *t)                                              \
	{                                                                                          \
		ULONG count = (ULONG)number(t, 1);                                                 \
		WITH(IVdsMaintenance, object, IVdsMaintenance_PulseMaintenance(x, op(t), count));  \
		return hr;                                                                         \
	}

MAINTENANCE(s, t->fx->sub)
MAINTENANCE(c, t->fx->controller)
MAINTENANCE(o, t->fx->port)
MAINTENANCE(d, t->drive)
MAINTENANCE(l, t->lun)

#define MAINTENANCE_ROWS(kind, o)                                                                  \
	{"IVdsMaintenance::StartMaintenance", o, L_COSA | L_NS, kind##_start},                     \
		{"IVdsMaintenance::StopMaintenance", o, L_COSA | L_NS | L_FALSE, kind##_stop},     \
	{                                                                                          \
		"IVdsMaintenance::PulseMaintenance", o, L_COSA | L_NS | L_FALSE, kind##_pulse      \
	}

/* ---- the table: hardware.md, sections 3 to 7 and 10 ----------------------------------------- */

const struct method methods[] = {
	{"IVdsProvider::GetProperties", O_PROVIDER, L_PI | L_OUT, p_properties},
	{"IVdsHwProvider::QuerySubSystems", O_PROVIDER, L_CC | L_SF | L_AC | L_INC | L_OUT,
		p_query},
	{"IVdsHwProvider::Reenumerate", O_PROVIDER, L_CC | L_SF | L_AC | L_INC, p_reenumerate},
	{"IVdsHwProvider::Refresh", O_PROVIDER, L_CC | L_SF | L_AC | L_INC, p_refresh},
	{"IVdsSubSystem::GetProperties", O_SUB, L_PI | L_CC | L_OD | L_OUT, s_properties},
	{"IVdsSubSystem::GetProvider", O_SUB, L_CC | L_OD | L_OUT, s_provider},
	{"IVdsSubSystem::QueryControllers", O_SUB, L_COSA | L_OUT, s_controllers},
	{"IVdsSubSystem::QueryLuns", O_SUB, L_COSA | L_OUT, s_luns},
	{"IVdsSubSystem::QueryDrives", O_SUB, L_COSA | L_OUT, s_drives},
	{"IVdsSubSystem::GetDrive", O_SUB, L_COSA | L_NF | L_OUT, s_drive},
	{"IVdsSubSystem::Reenumerate", O_SUB, L_COSA, s_reenumerate},
	{"IVdsSubSystem::SetControllerStatus", O_SUB, L_COSA | L_NF, s_controller_status},
	{"IVdsSubSystem::CreateLun", O_SUB, L_COSA | L_NF | L_NS | L_NES | L_NED | L_OUT, s_create},
	{"IVdsSubSystem::ReplaceDrive", O_SUB, L_COSA | L_NF | L_NS, s_replace},
	{"IVdsSubSystem::SetStatus", O_SUB, L_COSA | L_NS, s_status},
	{"IVdsSubSystem::QueryMaxLunCreateSize", O_SUB, L_COSA | L_NF | L_NS | L_OUT, s_max},
	{"IVdsSubSystem2::GetProperties2", O_SUB, L_PI | L_CC | L_OD | L_OUT, s_properties2},
	{"IVdsSubSystem2::GetDrive2", O_SUB, L_COSA | L_NF | L_OUT, s_drive2},
	{"IVdsSubSystem2::CreateLun2", O_SUB, L_COSA | L_NF | L_NS | L_NES | L_NED | L_OUT,
		s_create2},
	{"IVdsSubSystem2::QueryMaxLunCreateSize2", O_SUB, L_COSA | L_NF | L_NS | L_OUT, s_max2},
	{"IVdsSubSystemNaming::SetFriendlyName", O_SUB, L_COSA | L_NS | L_TRUNC, s_name},
	{"IVdsSubSystemInterconnect::GetSupportedInterconnects", O_SUB, L_OD | L_OUT,
		s_interconnects},
	{"IVdsController::GetProperties", O_CONTROLLER, L_PI | L_CC | L_OD | L_OUT, c_properties},
	{"IVdsController::GetSubSystem", O_CONTROLLER, L_CC | L_OD | L_OUT, c_sub},
	{"IVdsController::GetPortProperties", O_CONTROLLER, L_CC | L_OD | L_NS | L_OUT,
		c_port_properties},
	{"IVdsController::FlushCache", O_CONTROLLER, L_COSA | L_NS, c_flush},
	{"IVdsController::InvalidateCache", O_CONTROLLER, L_CC | L_OD | L_AC | L_NS, c_invalidate},
	{"IVdsController::Reset", O_CONTROLLER, L_CC | L_OD | L_AC | L_NS, c_reset},
	{"IVdsController::QueryAssociatedLuns", O_CONTROLLER, L_CC | L_OD | L_SF | L_NS | L_OUT,
		c_luns},
	{"IVdsController::SetStatus", O_CONTROLLER, L_COSA | L_NS, c_status},
	{"IVdsControllerControllerPort::QueryControllerPorts", O_CONTROLLER, L_COSA | L_NS | L_OUT,
		c_ports},
	{"IVdsControllerPort::GetProperties", O_PORT, L_PI | L_CC | L_OD | L_OUT, o_properties},
	{"IVdsControllerPort::GetController", O_PORT, L_CC | L_OD | L_OUT, o_controller},
	{"IVdsControllerPort::QueryAssociatedLuns", O_PORT, L_COSA | L_NS | L_OUT, o_luns},
	{"IVdsControllerPort::Reset", O_PORT, L_CC | L_OD | L_AC | L_NS, o_reset},
	{"IVdsControllerPort::SetStatus", O_PORT, L_CC | L_OD | L_AC | L_NS, o_status},
	{"IVdsDrive::GetProperties", O_DRIVE, L_PI | L_CC | L_OD | L_OUT, d_properties},
	{"IVdsDrive::GetSubSystem", O_DRIVE, L_CC | L_OD | L_OUT, d_sub},
	{"IVdsDrive::QueryExtents", O_DRIVE, L_COSA | L_NS | L_OUT, d_extents},
	{"IVdsDrive::SetFlags", O_DRIVE, L_COSA | L_NS, d_set_flags},
	{"IVdsDrive::ClearFlags", O_DRIVE, L_COSA | L_NS, d_clear_flags},
	{"IVdsDrive::SetStatus", O_DRIVE, L_COSA | L_NS, d_status},
	{"IVdsDrive2::GetProperties2", O_DRIVE, L_PI | L_CC | L_OD | L_OUT, d_properties2},
	{"IVdsLun::GetProperties", O_LUN, L_PI | L_CC | L_OD | L_OUT, l_properties},
	{"IVdsLun::GetSubSystem", O_LUN, L_CC | L_OD | L_OUT, l_sub},
	{"IVdsLun::GetIdentificationData", O_LUN, L_COSA | L_OUT, l_identification},
	{"IVdsLun::QueryActiveControllers", O_LUN, L_COSA | L_OUT, l_controllers},
	{"IVdsLun::Extend", O_LUN, L_COSA | L_NF | L_NS | L_NES | L_NED | L_OUT, l_extend},
	{"IVdsLun::Shrink", O_LUN, L_COSA | L_NS | L_SHRINK | L_OUT, l_shrink},
	{"IVdsLun::QueryPlexes", O_LUN, L_COSA | L_OUT, l_plexes},
	{"IVdsLun::AddPlex", O_LUN, L_COSA | L_NF | L_INV | L_OUT, l_add_plex},
	{"IVdsLun::RemovePlex", O_LUN, L_COSA | L_NF | L_INV | L_OUT, l_remove_plex},
	{"IVdsLun::Recover", O_LUN, L_COSA | L_INV | L_OUT, l_recover},
	{"IVdsLun::SetMask", O_LUN, L_COSA, l_mask},
	{"IVdsLun::Delete", O_LUN, L_COSA, l_delete},
	{"IVdsLun::AssociateControllers", O_LUN, L_COSA | L_NF | L_NS, l_associate},
	{"IVdsLun::QueryHints", O_LUN, L_COSA | L_NS | L_OUT, l_hints},
	{"IVdsLun::ApplyHints", O_LUN, L_COSA | L_NS, l_apply},
	{"IVdsLun::SetStatus", O_LUN, L_COSA | L_NS, l_status},
	{"IVdsLun::QueryMaxLunExtendSize", O_LUN, L_COSA | L_NF | L_NS | L_OUT, l_max},
	{"IVdsLun2::QueryHints2", O_LUN, L_COSA | L_NS | L_OUT, l_hints2},
	{"IVdsLun2::ApplyHints2", O_LUN, L_COSA | L_NS, l_apply2},
	{"IVdsLunNaming::SetFriendlyName", O_LUN, L_COSA | L_NS | L_TRUNC, l_name},
	{"IVdsLunNumber::GetLunNumber", O_LUN, L_OD | L_OUT, l_number},
	{"IVdsLunControllerPorts::AssociateControllerPorts", O_LUN, L_COSA | L_NF | L_NS,
		l_associate_ports},
	{"IVdsLunControllerPorts::QueryActiveControllerPorts", O_LUN, L_COSA | L_OUT, l_ports},
	{"IVdsLunPlex::GetProperties", O_PLEX, L_PI | L_CC | L_OD | L_OUT, x_properties},
	{"IVdsLunPlex::GetLun", O_PLEX, L_CC | L_OD | L_OUT, x_lun},
	{"IVdsLunPlex::QueryExtents", O_PLEX, L_COSA | L_OUT, x_extents},
	{"IVdsLunPlex::QueryHints", O_PLEX, L_COSA | L_NS | L_OUT, x_hints},
	{"IVdsLunPlex::ApplyHints", O_PLEX, L_COSA | L_NS, x_apply},
	MAINTENANCE_ROWS(s, O_SUB),
	MAINTENANCE_ROWS(c, O_CONTROLLER),
	MAINTENANCE_ROWS(o, O_PORT),
	MAINTENANCE_ROWS(d, O_DRIVE),
	MAINTENANCE_ROWS(l, O_LUN),
};
const unsigned method_count = COUNT(methods);

bool method_allows(const struct method *m, HRESULT hr)
{
	static const struct {
		unsigned code;
		HRESULT hr;
	} map[] = {
		{L_INC, VDS_E_INITIALIZE_NOT_CALLED},
		{L_CC, VDS_E_PROVIDER_CACHE_CORRUPT},
		{L_OD, VDS_E_OBJECT_DELETED},
		{L_SF, VDS_E_OBJECT_STATUS_FAILED},
		{L_AC, VDS_E_ANOTHER_CALL_IN_PROGRESS},
		{L_NF, VDS_E_OBJECT_NOT_FOUND},
		{L_NS, VDS_E_NOT_SUPPORTED},
		{L_INV, VDS_E_INVALID_OPERATION},
		{L_NES, VDS_E_NOT_ENOUGH_SPACE},
		{L_NED, VDS_E_NOT_ENOUGH_DRIVE},
		{L_PI, VDS_S_PROPERTIES_INCOMPLETE},
		{L_FALSE, S_FALSE},
		{L_TRUNC, VDS_S_NAME_TRUNCATED},
		{L_SHRINK, VDS_E_INVALID_SHRINK_SIZE},
	};

	if (hr == S_OK || hr == E_INVALIDARG || hr == E_OUTOFMEMORY)
		return true;
	if (FAILED(hr) && HRESULT_FACILITY(hr) == FACILITY_WIN32)
		return true;
	for (unsigned i = 0; i < COUNT(map); i++)
		if ((m->codes & map[i].code) && hr == map[i].hr)
			return true;
	return false;
}

/* ---- targets ------------------------------------------------------------------------------- */

void target_make(struct target *t, struct fx *fx)
{
	IVdsDrive *drives[3];
	IEnumVdsObject *list;
	IUnknown *unk;
	VDS_LUN_PLEX_PROP prop;
	ULONG got;

	memset(t, 0, sizeof(*t));
	t->fx = fx;
	fx_add_drives(fx, drives, 3, 96);
	t->lun = fx_add_lun(fx, VDS_LT_MIRROR, 8 * MIB, drives, 2);
	t->drive = drives[0];
	t->other = drives[2];
	IVdsDrive_Release(drives[1]);
	assert_ok(IVdsLun_QueryPlexes(t->lun, &list));
	assert_ok(IEnumVdsObject_Next(list, 1, &unk, &got));
	t->plex = query(unk, &IID_IVdsLunPlex);
	IUnknown_Release(unk);
	IEnumVdsObject_Release(list);
	assert_ok(IVdsLunPlex_GetProperties(t->plex, &prop));
	t->plex_id = prop.id;
	t->lun_id = fx_lun_id(t->lun);
	t->drive_id = fx_drive_id(t->drive);
	t->other_id = fx_drive_id(t->other);
	fx_notes_reset(fx);
}

void target_drop(struct target *t)
{
	IVdsLunPlex_Release(t->plex);
	IVdsLun_Release(t->lun);
	IVdsDrive_Release(t->drive);
	IVdsDrive_Release(t->other);
}
