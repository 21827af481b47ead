/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The provider object. Its class is spread over several files, by interface.
 *
 * There are two objects of this class. The one the class factory makes is the service's: it has
 * IVdsProviderPrivate and does not keep the service alive. The one clients get (GetObject of kind
 * PROVIDER) is a facade like all others and does. Both speak for the same core.
 */
#ifndef PROVIDER_HW_HWP_PROVIDER_H
#define PROVIDER_HW_HWP_PROVIDER_H

#include "provider/hw/hwp.h"

struct hwp_provider {
	struct com_object com;
	IUnknown IUnknown_iface;
	IVdsProvider IVdsProvider_iface;
	IVdsProviderSupport IVdsProviderSupport_iface;
	IVdsHwProvider IVdsHwProvider_iface;
	IVdsHwProviderType IVdsHwProviderType_iface;
	IVdsProviderPrivate IVdsProviderPrivate_iface;
	IVdsHwProviderPrivate IVdsHwProviderPrivate_iface;
	IVdsxNumber IVdsxNumber_iface;
	IVdsxHwProvider IVdsxHwProvider_iface;
	IVdsxJobs IVdsxJobs_iface;
	IVdsxFault IVdsxFault_iface;
	struct prv_face face;
};

extern const IVdsProviderPrivateVtbl hwp_provider_IVdsProviderPrivate_vtbl;
extern const IVdsHwProviderPrivateVtbl hwp_provider_IVdsHwProviderPrivate_vtbl;
extern const IVdsxHwProviderVtbl hwp_provider_IVdsxHwProvider_vtbl;
extern const IVdsxJobsVtbl hwp_provider_IVdsxJobs_vtbl;
extern const IVdsxFaultVtbl hwp_provider_IVdsxFault_vtbl;

#endif
