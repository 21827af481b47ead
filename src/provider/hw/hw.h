/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hardware provider: the array engine behind the documented interfaces of VDS.
 *
 * It enters a process by the same door as any other provider, a class object, and is registered
 * under a fixed id. Its store comes from the service (provider/host.h).
 */
#ifndef PROVIDER_HW_HW_H
#define PROVIDER_HW_HW_H

#include <vdshwprv.h>

extern const GUID HWP_PROVIDER_ID;         /* as registered */
extern const GUID HWP_PROVIDER_VERSION_ID; /* changes with each version */
extern const CLSID CLSID_HwpProvider;

#define HWP_PROVIDER_NAME "Array provider"

/* DllGetClassObject of this provider: an IClassFactory that makes objects with IVdsProvider,
 * IVdsProviderPrivate and IVdsHwProvider. CLASS_E_CLASSNOTAVAILABLE for other classes. */
HRESULT hwp_get_class_object(REFCLSID rclsid, REFIID riid, void **out);

#endif
