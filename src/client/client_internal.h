/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of client/ only. */
#ifndef CLIENT_CLIENT_INTERNAL_H
#define CLIENT_CLIENT_INTERNAL_H

#include <vds.h>

/* Codes of Windows that the headers of VDS do not have. */
#define CLIENT_E_CLASSSTRING        ((HRESULT)0x800401f3u)   /* CO_E_CLASSSTRING */
#define CLIENT_E_MOD_NOT_FOUND      HRESULT_FROM_WIN32(126)  /* ERROR_MOD_NOT_FOUND */
#define CLIENT_E_PROC_NOT_FOUND     HRESULT_FROM_WIN32(127)  /* ERROR_PROC_NOT_FOUND */
#define CLIENT_E_SERVICE_NOT_ACTIVE HRESULT_FROM_WIN32(1062) /* ERROR_SERVICE_NOT_ACTIVE */
#define CLIENT_E_SERVER_UNAVAILABLE HRESULT_FROM_WIN32(1722) /* RPC_S_SERVER_UNAVAILABLE */

/*
 * error.c: the outcome of the loader's latest call on this thread, in words. Such a call begins
 * with client_begin and returns through client_end; where it fails, client_fail may say why. Both
 * return hr.
 */
void client_begin(void);
HRESULT client_fail(HRESULT hr, const char *format, ...) __attribute__((format(printf, 2, 3)));
HRESULT client_end(HRESULT hr);

/* runtime.c: whether some thread has called CoInitialize(Ex) and not undone it. */
BOOL client_initialised(void);

/* loader.c */
HRESULT client_loader_new(REFIID riid, void **out);
HRESULT client_load(const WCHAR *machine, IVdsService **out);

/* inproc.c: opens a store in this process. *out is NULL on failure, and the text is set. */
HRESULT client_open_store(const char *path_utf8, ULONG flags, IVdsService **out);

/* What the service in this process says about the latest call into it on this thread; "" if
 * nothing. */
const char *client_service_text(void);

#endif
