/* SPDX-License-Identifier: Apache-2.0 */
/* The subsystem object. Its class is spread over several files, by what the methods do. */
#ifndef PROVIDER_HW_HWP_SUBSYSTEM_H
#define PROVIDER_HW_HWP_SUBSYSTEM_H

#include "provider/hw/hwp.h"

struct hwp_subsystem {
	struct com_object com;
	IUnknown IUnknown_iface;
	IVdsSubSystem IVdsSubSystem_iface;
	IVdsSubSystem2 IVdsSubSystem2_iface;
	IVdsSubSystemNaming IVdsSubSystemNaming_iface;
	IVdsSubSystemInterconnect IVdsSubSystemInterconnect_iface;
	IVdsMaintenance IVdsMaintenance_iface;
	IVdsxMaintenance IVdsxMaintenance_iface;
	IVdsxNumber IVdsxNumber_iface;
	IVdsxSubSystem IVdsxSubSystem_iface;
	struct prv_face face;
};

/* hwp_subsystem_lun.c */
HRESULT hwp_subsystem_CreateLun(IVdsSubSystem *iface, VDS_LUN_TYPE type, ULONGLONG size,
	VDS_OBJECT_ID *drives, LONG count, LPWSTR mask, VDS_HINTS *hints, IVdsAsync **out);
HRESULT hwp_subsystem_QueryMaxLunCreateSize(IVdsSubSystem *iface, VDS_LUN_TYPE type,
	VDS_OBJECT_ID *drives, LONG count, VDS_HINTS *hints, ULONGLONG *size);
HRESULT hwp_subsystem_CreateLun2(IVdsSubSystem2 *iface, VDS_LUN_TYPE type, ULONGLONG size,
	VDS_OBJECT_ID *drives, LONG count, LPWSTR mask, VDS_HINTS2 *hints, IVdsAsync **out);
HRESULT hwp_subsystem_QueryMaxLunCreateSize2(IVdsSubSystem2 *iface, VDS_LUN_TYPE type,
	VDS_OBJECT_ID *drives, LONG count, VDS_HINTS2 *hints, ULONGLONG *size);

/* hwp_subsystem_act.c */
HRESULT hwp_subsystem_Reenumerate(IVdsSubSystem *iface);
HRESULT hwp_subsystem_SetControllerStatus(IVdsSubSystem *iface, VDS_OBJECT_ID *online,
	LONG online_count, VDS_OBJECT_ID *offline, LONG offline_count);
HRESULT hwp_subsystem_ReplaceDrive(
	IVdsSubSystem *iface, VDS_OBJECT_ID old_id, VDS_OBJECT_ID new_id);
HRESULT hwp_subsystem_SetStatus(IVdsSubSystem *iface, VDS_SUB_SYSTEM_STATUS status);
HRESULT hwp_subsystem_SetFriendlyName(IVdsSubSystemNaming *iface, LPWSTR name);

/* hwp_subsystem_x.c */
extern const IVdsxSubSystemVtbl hwp_subsystem_IVdsxSubSystem_vtbl;

#endif
