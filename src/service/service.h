/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libvds-service.so exports beside vds_service_open (client/service_entry.h). For libvds, the
 * daemon and installation tools; not for applications.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include <vds.h>
#include <vdshwprv.h>

/* One sentence about the latest failure of a method on this thread, UTF-8, "" when there is none;
 * stays until the next call into the service on the thread. */
VDS_API const char *vds_service_last_error(void);

/* The registration of providers (hardware.md 3.4). A door of its own, because QueryInterface on
 * the service object must not hand it to applications. */
VDS_API HRESULT vds_service_admin(IVdsService *service, IVdsAdmin **out);

/* Class objects: that of the built-in provider. */
VDS_API HRESULT DllGetClassObject(REFCLSID rclsid, REFIID riid, void **out);
VDS_API HRESULT DllCanUnloadNow(void);

#endif
