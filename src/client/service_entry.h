/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one door between libvds.so and libvds-service.so, which it loads when a program opens a store
 * in its own process. Both come from the same build; this is no public interface.
 */
#ifndef CLIENT_SERVICE_ENTRY_H
#define CLIENT_SERVICE_ENTRY_H

#include <stddef.h>
#include <vds.h>

#define VDS_SERVICE_ENTRY "vds_service_open"

/*
 * Opens the store in the folder path (UTF-8) and starts its service, which initialises itself: the
 * client waits with WaitForServiceReady. flags: VDSX_OPEN_... . A store that this process has open
 * already gives the same service object again, with a new reference. On failure *out is NULL and
 * message holds one complete sentence (UTF-8, cut to message_size with the NUL), or "" when there
 * is nothing to add to the code. Any thread.
 */
typedef HRESULT vds_service_open_fn(
	const char *path_utf8, ULONG flags, IVdsService **out, char *message, size_t message_size);

/* What libvds-service.so exports under VDS_SERVICE_ENTRY. */
VDS_API HRESULT vds_service_open(
	const char *path_utf8, ULONG flags, IVdsService **out, char *message, size_t message_size);

/*
 * Optional, exported under VDS_SERVICE_LAST_ERROR: one sentence (UTF-8) about the latest call into
 * the service on this thread, "" when it succeeded or there is nothing to add. Stays until the next
 * call.
 */
#define VDS_SERVICE_LAST_ERROR "vds_service_last_error"
typedef const char *vds_service_last_error_fn(void);

#endif
