/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which method answers which documented code: the tables of the VDS reference, as data.
 *
 * The check sequence (hwp_check.c) reads this table instead of each method having habits of its
 * own, and translates what the engine reports into a code of the method's own list. A row is
 *
 *	M(name, "Interface::Method", mode, codes)
 *
 * codes lists the VDS codes of the method's page beyond S_OK, in the order in which they are
 * checked. mode says what the method does to others:
 *
 *	GETTER   reads one object; never waits for anybody
 *	QUERY    makes a list; refused only while the lists themselves are being rebuilt
 *	SHARED   a short change; refused while an exclusive operation holds the object
 *	OBJECT   exclusive on its object and the drives under it
 *	ARRAY    exclusive on the whole subsystem
 *	ALL      exclusive on the whole provider
 */
#ifndef PROVIDER_HW_HWP_METHOD_H
#define PROVIDER_HW_HWP_METHOD_H

enum hwp_code { /* short names of hardware.md, section 2.3 */
	HWP_INC = 0x001,
	HWP_CC = 0x002,
	HWP_OD = 0x004,
	HWP_SF = 0x008,
	HWP_AC = 0x010,
	HWP_NF = 0x020,
	HWP_NS = 0x040,
	HWP_INV = 0x080,
	HWP_NES = 0x100,
	HWP_NED = 0x200,
	HWP_PI = 0x400,
	/* not a code: also works on a drive that was pulled and has not departed yet */
	HWP_ON_REMOVED = 0x1000,
	/* not a code: AC also while a job of the array works on the object */
	HWP_BUSY = 0x2000,
};

enum hwp_mode {
	HWP_GETTER,
	HWP_QUERY,
	HWP_SHARED,
	HWP_OBJECT,
	HWP_ARRAY,
	HWP_ALL,
};

#define HWP_COSA (HWP_CC | HWP_OD | HWP_SF | HWP_AC)

#define HWP_METHODS(M)                                                                             \
	M(PROVIDER_GET_PROPERTIES, "IVdsProvider::GetProperties", HWP_GETTER, HWP_PI)              \
	M(PROVIDER_QUERY_SUB_SYSTEMS, "IVdsHwProvider::QuerySubSystems", HWP_QUERY,                \
		HWP_INC | HWP_CC | HWP_SF | HWP_AC)                                                \
	M(PROVIDER_REENUMERATE, "IVdsHwProvider::Reenumerate", HWP_ALL,                            \
		HWP_INC | HWP_CC | HWP_SF | HWP_AC)                                                \
	M(PROVIDER_REFRESH, "IVdsHwProvider::Refresh", HWP_ALL,                                    \
		HWP_INC | HWP_CC | HWP_SF | HWP_AC)                                                \
	M(PRIVATE_GET_OBJECT, "IVdsProviderPrivate::GetObject", HWP_GETTER, HWP_NF)                \
	M(QUERY_IF_CREATED_LUN, "IVdsHwProviderPrivate::QueryIfCreatedLun", HWP_GETTER, 0)         \
	M(SUB_GET_PROPERTIES, "IVdsSubSystem::GetProperties", HWP_GETTER,                          \
		HWP_PI | HWP_CC | HWP_OD)                                                          \
	M(SUB_GET_PROVIDER, "IVdsSubSystem::GetProvider", HWP_GETTER, HWP_CC | HWP_OD)             \
	M(SUB_QUERY_CONTROLLERS, "IVdsSubSystem::QueryControllers", HWP_QUERY, HWP_COSA)           \
	M(SUB_QUERY_LUNS, "IVdsSubSystem::QueryLuns", HWP_QUERY, HWP_COSA)                         \
	M(SUB_QUERY_DRIVES, "IVdsSubSystem::QueryDrives", HWP_QUERY, HWP_COSA)                     \
	M(SUB_GET_DRIVE, "IVdsSubSystem::GetDrive", HWP_QUERY, HWP_COSA | HWP_NF)                  \
	M(SUB_REENUMERATE, "IVdsSubSystem::Reenumerate", HWP_ARRAY, HWP_COSA)                      \
	M(SUB_SET_CONTROLLER_STATUS, "IVdsSubSystem::SetControllerStatus", HWP_ARRAY,              \
		HWP_COSA | HWP_NF)                                                                 \
	M(SUB_CREATE_LUN, "IVdsSubSystem::CreateLun", HWP_ARRAY,                                   \
		HWP_COSA | HWP_NF | HWP_NS | HWP_NES | HWP_NED)                                    \
	M(SUB_REPLACE_DRIVE, "IVdsSubSystem::ReplaceDrive", HWP_ARRAY, HWP_COSA | HWP_NF | HWP_NS) \
	M(SUB_SET_STATUS, "IVdsSubSystem::SetStatus", HWP_ARRAY, HWP_COSA | HWP_NS)                \
	M(SUB_QUERY_MAX_LUN_CREATE_SIZE, "IVdsSubSystem::QueryMaxLunCreateSize", HWP_QUERY,        \
		HWP_COSA | HWP_NF | HWP_NS)                                                        \
	M(SUB_GET_PROPERTIES2, "IVdsSubSystem2::GetProperties2", HWP_GETTER,                       \
		HWP_PI | HWP_CC | HWP_OD)                                                          \
	M(SUB_GET_DRIVE2, "IVdsSubSystem2::GetDrive2", HWP_QUERY, HWP_COSA | HWP_NF)               \
	M(SUB_CREATE_LUN2, "IVdsSubSystem2::CreateLun2", HWP_ARRAY,                                \
		HWP_COSA | HWP_NF | HWP_NS | HWP_NES | HWP_NED)                                    \
	M(SUB_QUERY_MAX_LUN_CREATE_SIZE2, "IVdsSubSystem2::QueryMaxLunCreateSize2", HWP_QUERY,     \
		HWP_COSA | HWP_NF | HWP_NS)                                                        \
	M(SUB_SET_FRIENDLY_NAME, "IVdsSubSystemNaming::SetFriendlyName", HWP_SHARED,               \
		HWP_COSA | HWP_NS)                                                                 \
	M(SUB_GET_INTERCONNECTS, "IVdsSubSystemInterconnect::GetSupportedInterconnects",           \
		HWP_GETTER, HWP_OD)                                                                \
	M(CTL_GET_PROPERTIES, "IVdsController::GetProperties", HWP_GETTER,                         \
		HWP_PI | HWP_CC | HWP_OD)                                                          \
	M(CTL_GET_SUB_SYSTEM, "IVdsController::GetSubSystem", HWP_GETTER, HWP_CC | HWP_OD)         \
	M(CTL_GET_PORT_PROPERTIES, "IVdsController::GetPortProperties", HWP_GETTER,                \
		HWP_CC | HWP_OD | HWP_NS)                                                          \
	M(CTL_FLUSH_CACHE, "IVdsController::FlushCache", HWP_OBJECT, HWP_COSA | HWP_NS)            \
	M(CTL_INVALIDATE_CACHE, "IVdsController::InvalidateCache", HWP_OBJECT,                     \
		HWP_CC | HWP_OD | HWP_AC | HWP_NS)                                                 \
	M(CTL_RESET, "IVdsController::Reset", HWP_OBJECT, HWP_CC | HWP_OD | HWP_AC | HWP_NS)       \
	M(CTL_QUERY_ASSOCIATED_LUNS, "IVdsController::QueryAssociatedLuns", HWP_GETTER,            \
		HWP_CC | HWP_OD | HWP_SF | HWP_NS)                                                 \
	M(CTL_SET_STATUS, "IVdsController::SetStatus", HWP_OBJECT, HWP_COSA | HWP_NS)              \
	M(CTL_QUERY_PORTS, "IVdsControllerControllerPort::QueryControllerPorts", HWP_QUERY,        \
		HWP_COSA | HWP_NS)                                                                 \
	M(PORT_GET_PROPERTIES, "IVdsControllerPort::GetProperties", HWP_GETTER,                    \
		HWP_PI | HWP_CC | HWP_OD)                                                          \
	M(PORT_GET_CONTROLLER, "IVdsControllerPort::GetController", HWP_GETTER, HWP_CC | HWP_OD)   \
	M(PORT_QUERY_ASSOCIATED_LUNS, "IVdsControllerPort::QueryAssociatedLuns", HWP_QUERY,        \
		HWP_COSA | HWP_NS)                                                                 \
	M(PORT_RESET, "IVdsControllerPort::Reset", HWP_OBJECT, HWP_CC | HWP_OD | HWP_AC | HWP_NS)  \
	M(PORT_SET_STATUS, "IVdsControllerPort::SetStatus", HWP_OBJECT,                            \
		HWP_CC | HWP_OD | HWP_AC | HWP_NS)                                                 \
	M(DRIVE_GET_PROPERTIES, "IVdsDrive::GetProperties", HWP_GETTER,                            \
		HWP_PI | HWP_CC | HWP_OD | HWP_ON_REMOVED)                                         \
	M(DRIVE_GET_SUB_SYSTEM, "IVdsDrive::GetSubSystem", HWP_GETTER,                             \
		HWP_CC | HWP_OD | HWP_ON_REMOVED)                                                  \
	M(DRIVE_QUERY_EXTENTS, "IVdsDrive::QueryExtents", HWP_QUERY,                               \
		HWP_COSA | HWP_NS | HWP_ON_REMOVED)                                                \
	M(DRIVE_SET_FLAGS, "IVdsDrive::SetFlags", HWP_OBJECT, HWP_COSA | HWP_NS)                   \
	M(DRIVE_CLEAR_FLAGS, "IVdsDrive::ClearFlags", HWP_OBJECT, HWP_COSA | HWP_NS)               \
	M(DRIVE_SET_STATUS, "IVdsDrive::SetStatus", HWP_OBJECT, HWP_BUSY | HWP_COSA | HWP_NS)      \
	M(DRIVE_GET_PROPERTIES2, "IVdsDrive2::GetProperties2", HWP_GETTER,                         \
		HWP_PI | HWP_CC | HWP_OD | HWP_ON_REMOVED)                                         \
	M(LUN_GET_PROPERTIES, "IVdsLun::GetProperties", HWP_GETTER, HWP_PI | HWP_CC | HWP_OD)      \
	M(LUN_GET_SUB_SYSTEM, "IVdsLun::GetSubSystem", HWP_GETTER, HWP_CC | HWP_OD)                \
	M(LUN_GET_IDENTIFICATION_DATA, "IVdsLun::GetIdentificationData", HWP_QUERY, HWP_COSA)      \
	M(LUN_QUERY_ACTIVE_CONTROLLERS, "IVdsLun::QueryActiveControllers", HWP_QUERY, HWP_COSA)    \
	M(LUN_EXTEND, "IVdsLun::Extend", HWP_OBJECT,                                               \
		HWP_BUSY | HWP_COSA | HWP_NF | HWP_NS | HWP_NES | HWP_NED)                         \
	M(LUN_SHRINK, "IVdsLun::Shrink", HWP_OBJECT, HWP_BUSY | HWP_COSA | HWP_NS)                 \
	M(LUN_QUERY_PLEXES, "IVdsLun::QueryPlexes", HWP_QUERY, HWP_COSA)                           \
	M(LUN_ADD_PLEX, "IVdsLun::AddPlex", HWP_OBJECT, HWP_BUSY | HWP_COSA | HWP_NF | HWP_INV)    \
	M(LUN_REMOVE_PLEX, "IVdsLun::RemovePlex", HWP_OBJECT,                                      \
		HWP_BUSY | HWP_COSA | HWP_NF | HWP_INV)                                            \
	M(LUN_RECOVER, "IVdsLun::Recover", HWP_OBJECT, HWP_BUSY | HWP_COSA | HWP_INV)              \
	M(LUN_SET_MASK, "IVdsLun::SetMask", HWP_SHARED, HWP_COSA)                                  \
	M(LUN_DELETE, "IVdsLun::Delete", HWP_OBJECT, HWP_BUSY | HWP_COSA)                          \
	M(LUN_ASSOCIATE_CONTROLLERS, "IVdsLun::AssociateControllers", HWP_SHARED,                  \
		HWP_COSA | HWP_NF | HWP_NS)                                                        \
	M(LUN_QUERY_HINTS, "IVdsLun::QueryHints", HWP_QUERY, HWP_COSA | HWP_NS)                    \
	M(LUN_APPLY_HINTS, "IVdsLun::ApplyHints", HWP_OBJECT, HWP_COSA | HWP_NS)                   \
	M(LUN_SET_STATUS, "IVdsLun::SetStatus", HWP_OBJECT, HWP_COSA | HWP_NS)                     \
	M(LUN_QUERY_MAX_EXTEND_SIZE, "IVdsLun::QueryMaxLunExtendSize", HWP_QUERY,                  \
		HWP_COSA | HWP_NF | HWP_NS)                                                        \
	M(LUN_QUERY_HINTS2, "IVdsLun2::QueryHints2", HWP_QUERY, HWP_COSA | HWP_NS)                 \
	M(LUN_APPLY_HINTS2, "IVdsLun2::ApplyHints2", HWP_OBJECT, HWP_COSA | HWP_NS)                \
	M(LUN_SET_FRIENDLY_NAME, "IVdsLunNaming::SetFriendlyName", HWP_SHARED, HWP_COSA | HWP_NS)  \
	M(LUN_GET_LUN_NUMBER, "IVdsLunNumber::GetLunNumber", HWP_GETTER, HWP_OD)                   \
	M(LUN_ASSOCIATE_PORTS, "IVdsLunControllerPorts::AssociateControllerPorts", HWP_SHARED,     \
		HWP_COSA | HWP_NF | HWP_NS)                                                        \
	M(LUN_QUERY_ACTIVE_PORTS, "IVdsLunControllerPorts::QueryActiveControllerPorts", HWP_QUERY, \
		HWP_COSA)                                                                          \
	M(PLEX_GET_PROPERTIES, "IVdsLunPlex::GetProperties", HWP_GETTER, HWP_PI | HWP_CC | HWP_OD) \
	M(PLEX_GET_LUN, "IVdsLunPlex::GetLun", HWP_GETTER, HWP_CC | HWP_OD)                        \
	M(PLEX_QUERY_EXTENTS, "IVdsLunPlex::QueryExtents", HWP_QUERY, HWP_COSA)                    \
	M(PLEX_QUERY_HINTS, "IVdsLunPlex::QueryHints", HWP_QUERY, HWP_COSA | HWP_NS)               \
	M(PLEX_APPLY_HINTS, "IVdsLunPlex::ApplyHints", HWP_OBJECT, HWP_COSA | HWP_NS)              \
	M(START_MAINTENANCE, "IVdsMaintenance::StartMaintenance", HWP_SHARED,                      \
		HWP_COSA | HWP_NS | HWP_ON_REMOVED)                                                \
	M(STOP_MAINTENANCE, "IVdsMaintenance::StopMaintenance", HWP_SHARED,                        \
		HWP_COSA | HWP_NS | HWP_ON_REMOVED)                                                \
	M(PULSE_MAINTENANCE, "IVdsMaintenance::PulseMaintenance", HWP_SHARED,                      \
		HWP_COSA | HWP_NS | HWP_ON_REMOVED)                                                \
	/* Our own interfaces. What shows state has no CC: it must be readable meanwhile. */       \
	M(X_GET_NUMBER, "IVdsxNumber::GetNumber", HWP_GETTER, HWP_OD | HWP_ON_REMOVED)             \
	M(X_CREATE_SUB_SYSTEM, "IVdsxHwProvider::CreateSubSystem", HWP_SHARED,                     \
		HWP_INC | HWP_CC | HWP_AC | HWP_NS)                                                \
	M(X_GET_SETTING, "IVdsxHwProvider::GetSetting", HWP_GETTER, HWP_INC)                       \
	M(X_SET_SETTING, "IVdsxHwProvider::SetSetting", HWP_SHARED, HWP_INC | HWP_AC)              \
	M(X_HOLD_RECOVERY, "IVdsxHwProvider::HoldRecovery", HWP_SHARED, HWP_INC | HWP_AC)          \
	M(X_FIND_NUMBER, "IVdsxHwProvider::FindNumber", HWP_GETTER, HWP_INC | HWP_NF)              \
	M(X_ADD_DRIVE, "IVdsxSubSystem::AddDrive", HWP_ARRAY, HWP_COSA | HWP_NS)                   \
	M(X_REMOVE_DRIVE, "IVdsxSubSystem::RemoveDrive", HWP_ARRAY, HWP_COSA | HWP_NF | HWP_NS)    \
	M(X_DRIVE_GET_DETAIL, "IVdsxDrive::GetDetail", HWP_GETTER, HWP_OD | HWP_ON_REMOVED)        \
	M(X_LUN_READ, "IVdsxLun::Read", HWP_GETTER, HWP_OD | HWP_SF)                               \
	M(X_LUN_WRITE, "IVdsxLun::Write", HWP_GETTER, HWP_OD | HWP_SF)                             \
	M(X_LUN_FLUSH, "IVdsxLun::Flush", HWP_GETTER, HWP_OD | HWP_SF)                             \
	M(X_LUN_GET_DETAIL, "IVdsxLun::GetDetail", HWP_GETTER, HWP_OD)                             \
	M(X_LUN_QUERY_MEMBERS, "IVdsxLun::QueryMembers", HWP_GETTER, HWP_OD)                       \
	M(X_MAINT_QUERY_STATE, "IVdsxMaintenance::QueryState", HWP_GETTER,                         \
		HWP_OD | HWP_ON_REMOVED)                                                           \
	M(X_MAINT_QUERY_LOG, "IVdsxMaintenance::QueryLog", HWP_GETTER, HWP_OD | HWP_ON_REMOVED)    \
	M(X_FAULT_INJECT, "IVdsxFault::Inject", HWP_GETTER, HWP_INC | HWP_NF | HWP_NS)             \
	M(X_FAULT_CLEAR, "IVdsxFault::Clear", HWP_GETTER, HWP_INC | HWP_NF | HWP_NS)               \
	M(X_FAULT_QUERY, "IVdsxFault::QueryFaults", HWP_GETTER, HWP_INC | HWP_NS)                  \
	M(X_FAULT_HOLD, "IVdsxFault::Hold", HWP_GETTER, HWP_INC | HWP_NS)                          \
	M(X_FAULT_RESUME, "IVdsxFault::Resume", HWP_GETTER, HWP_INC | HWP_NF | HWP_NS)             \
	M(X_FAULT_WAIT_HELD, "IVdsxFault::WaitHeld", HWP_GETTER, HWP_INC | HWP_NS)

enum hwp_method {
#define HWP_METHOD_ENUM(id, name, mode, codes) HWP_M_##id,
	HWP_METHODS(HWP_METHOD_ENUM)
#undef HWP_METHOD_ENUM
		HWP_METHOD_COUNT,
};

struct hwp_method_info {
	const char *name;
	enum hwp_mode mode;
	unsigned codes; /* enum hwp_code */
};

/* The row of a method. */
const struct hwp_method_info *hwp_method_info(enum hwp_method method);

#endif
