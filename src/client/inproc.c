/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store opened in this process: libvds-service.so is loaded when the first one is, and then
 * stays. It is looked for in $VDS_SERVICE_LIBRARY (then nowhere else), beside libvds.so, in the
 * build folder if that is where libvds.so lies, in the folder both are installed to, and wherever
 * the dynamic linker looks.
 */
#include "client/client_internal.h"

#include "client/service_entry.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LIBRARY "libvds-service.so"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static vds_service_open_fn *open_fn;               /* guarded by lock; NULL = not loaded */
static vds_service_last_error_fn *_Atomic text_fn; /* set with it; may stay NULL */

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

/* Where the library is; path is a buffer for names that are made. Never NULL. */
static const char *find_library(char *path, size_t size)
{
	const char *named = secure_getenv("VDS_SERVICE_LIBRARY");
	char real[PATH_MAX]; /* a run path may lead here over "..": the folder itself counts */
	const char *slash;
	Dl_info self;
	int dir;

	if (named && *named)
		return named;
	if (dladdr((const void *)&lock, &self) && self.dli_fname && realpath(self.dli_fname, real) &&
		(slash = strrchr(real, '/'))) {
		dir = (int)(slash - real);
		snprintf(path, size, "%.*s/" LIBRARY, dir, real);
		if (exists(path))
			return path;
		if (dir >= 10 && !strncmp(slash - 10, "src/client", 10)) {
			snprintf(path, size, "%.*s/service/" LIBRARY, dir - 7, real);
			if (exists(path))
				return path;
		}
	}
	snprintf(path, size, "%s/" LIBRARY, VDS_LIBDIR);
	return exists(path) ? path : LIBRARY;
}

/* (locked) */
static HRESULT load_library(void)
{
	char path[PATH_MAX];
	const char *name = find_library(path, sizeof(path));
	void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	vds_service_last_error_fn *text;
	void *entry;

	if (!handle)
		return client_fail(CLIENT_E_MOD_NOT_FOUND,
			"The service library cannot be loaded: %s.", dlerror());
	entry = dlsym(handle, VDS_SERVICE_ENTRY);
	if (!entry) {
		dlclose(handle);
		return client_fail(CLIENT_E_PROC_NOT_FOUND,
			"The library %s is no VDS service: it lacks " VDS_SERVICE_ENTRY ".", name);
	}
	memcpy(&open_fn, &entry, sizeof(open_fn));
	entry = dlsym(handle, VDS_SERVICE_LAST_ERROR);
	memcpy(&text, &entry, sizeof(text));
	atomic_store(&text_fn, text);
	return S_OK;
}

const char *client_service_text(void)
{
	vds_service_last_error_fn *text = atomic_load(&text_fn);

	return text ? text() : "";
}

HRESULT client_open_store(const char *path_utf8, ULONG flags, IVdsService **out)
{
	vds_service_open_fn *fn;
	char message[800] = "";
	HRESULT hr = S_OK;

	*out = NULL;
	pthread_mutex_lock(&lock);
	if (!open_fn)
		hr = load_library();
	fn = open_fn;
	pthread_mutex_unlock(&lock);
	if (FAILED(hr))
		return hr;
	hr = fn(path_utf8, flags, out, message, sizeof(message));
	if (SUCCEEDED(hr) && *out)
		return hr;
	*out = NULL;
	return client_fail(FAILED(hr) ? hr : E_UNEXPECTED, "%s", message);
}
