/* SPDX-License-Identifier: Apache-2.0 */
/* The LUN object. Its class is spread over several files, by what the methods do. */
#ifndef PROVIDER_HW_HWP_LUN_H
#define PROVIDER_HW_HWP_LUN_H

#include "provider/hw/hwp.h"

struct hwp_lun {
	struct com_object com;
	IUnknown IUnknown_iface;
	IVdsLun IVdsLun_iface;
	IVdsLun2 IVdsLun2_iface;
	IVdsLunNaming IVdsLunNaming_iface;
	IVdsLunNumber IVdsLunNumber_iface;
	IVdsLunControllerPorts IVdsLunControllerPorts_iface;
	IVdsMaintenance IVdsMaintenance_iface;
	IVdsxMaintenance IVdsxMaintenance_iface;
	IVdsxNumber IVdsxNumber_iface;
	IVdsxLun IVdsxLun_iface;
	struct prv_face face;
};

/* Attribute of a LUN in the store: its unmasking list. */
#define HWP_KEY_MASK "hw.mask"

/* Keeps the list (normalized; "" = none). (in a task or not) */
int hwp_mask_keep(struct hwp *p, const struct guid *lun, const char *list, struct err *err);

/* hwp_lun_job.c: long work */
HRESULT hwp_lun_Extend(
	IVdsLun *iface, ULONGLONG bytes, VDS_OBJECT_ID *drives, LONG count, IVdsAsync **out);
HRESULT hwp_lun_Shrink(IVdsLun *iface, ULONGLONG bytes, IVdsAsync **out);
HRESULT hwp_lun_AddPlex(IVdsLun *iface, VDS_OBJECT_ID lun, IVdsAsync **out);
HRESULT hwp_lun_RemovePlex(IVdsLun *iface, VDS_OBJECT_ID plex, IVdsAsync **out);
HRESULT hwp_lun_Recover(IVdsLun *iface, IVdsAsync **out);
HRESULT hwp_lun_QueryMaxLunExtendSize(
	IVdsLun *iface, VDS_OBJECT_ID *drives, LONG count, ULONGLONG *bytes);

/* hwp_lun_act.c: what is done at once */
HRESULT hwp_lun_SetMask(IVdsLun *iface, LPWSTR list);
HRESULT hwp_lun_Delete(IVdsLun *iface);
HRESULT hwp_lun_SetStatus(IVdsLun *iface, VDS_LUN_STATUS status);
HRESULT hwp_lun_QueryHints(IVdsLun *iface, VDS_HINTS *hints);
HRESULT hwp_lun_ApplyHints(IVdsLun *iface, VDS_HINTS *hints);
HRESULT hwp_lun_QueryHints2(IVdsLun2 *iface, VDS_HINTS2 *hints);
HRESULT hwp_lun_ApplyHints2(IVdsLun2 *iface, VDS_HINTS2 *hints);
HRESULT hwp_lun_SetFriendlyName(IVdsLunNaming *iface, LPWSTR name);
/* hwp_plex.c uses these too */
HRESULT hwp_hints_query(struct prv_face *face, enum hwp_method method, VDS_HINTS2 *hints);
HRESULT hwp_hints_apply(struct prv_face *face, enum hwp_method method, const VDS_HINTS2 *hints);

/* hwp_lun_assoc.c: controllers and ports */
HRESULT hwp_lun_QueryActiveControllers(IVdsLun *iface, IEnumVdsObject **out);
HRESULT hwp_lun_AssociateControllers(IVdsLun *iface, VDS_OBJECT_ID *active, LONG active_count,
	VDS_OBJECT_ID *inactive, LONG inactive_count);
extern const IVdsLunControllerPortsVtbl hwp_lun_IVdsLunControllerPorts_vtbl;

/* hwp_lun_x.c */
extern const IVdsxLunVtbl hwp_lun_IVdsxLun_vtbl;

#endif
