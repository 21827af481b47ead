/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a store in this process. A folder that this process has open already gives the same
 * service object again; the list of open services is keyed by the folder itself (device and inode),
 * so two names of one folder meet.
 */
#include "service/svc.h"

#include "client/service_entry.h"
#include "service/service.h"

#include <stdio.h>
#include <sys/stat.h>

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list open_list = {&open_list, &open_list}; /* guarded by list_lock */

void svc_unlist(struct svc_service *svc)
{
	SCOPED_LOCK(&list_lock);
	list_del(&svc->open_link);
}

/* An open service on that folder, with a reference, or NULL. (list_lock held) */
static struct svc_service *find_open(const struct stat *st)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &open_list) {
		struct svc_service *svc = list_entry(pos, struct svc_service, open_link);
		if (svc->dev != st->st_dev || svc->ino != st->st_ino)
			continue;
		pthread_mutex_lock(&svc->lock);
		bool usable = !svc->closing;
		pthread_mutex_unlock(&svc->lock);
		if (usable && com_addref_unless_zero(&svc->com))
			return svc;
	}
	return NULL;
}

static int open_store(struct svc_service *svc, const char *path, ULONG flags, struct err *err)
{
	unsigned sto_flags = 0;
	struct stat st;

	if (flags & VDSX_OPEN_CREATE)
		sto_flags |= STO_OPEN_CREATE;
	if (flags & VDSX_OPEN_REBUILD_DATABASE)
		sto_flags |= STO_OPEN_REBUILD;
	int rc = sto_open(path, sto_flags, &clock_system, &svc->sto, err);
	if (!rc)
		rc = svc_register_builtin(svc->sto, err);
	if (!rc && stat(sto_dir(svc->sto), &st))
		rc = err_set(err, -EIO, "The folder %s cannot be looked at.", path);
	if (rc)
		return rc;
	svc->dev = st.st_dev;
	svc->ino = st.st_ino;
	return 0;
}

/* (list_lock held) On failure too *out may hold an object: to be released without the lock. */
static HRESULT make(const char *path, ULONG flags, struct svc_service **out, struct err *err)
{
	struct svc_service *svc = com_object_new(&svc_service_class, NULL);

	*out = svc;
	if (!svc)
		return E_OUTOFMEMORY;
	pthread_mutex_init(&svc->lock, NULL);
	pthread_cond_init(&svc->changed, NULL);
	list_init(&svc->open_link);
	svc->open_flags = flags;
	svc->events = vdc_events_new(0);
	svc->callback = svc_callback_new(svc);
	int rc = svc->events && svc->callback ? open_store(svc, path, flags, err) : -ENOMEM;
	if (rc)
		return com_hr_from_errno(rc);
	list_add_tail(&open_list, &svc->open_link);
	return S_OK;
}

static HRESULT find_or_make(
	const char *path, ULONG flags, struct svc_service **out, struct err *err)
{
	struct stat st;

	SCOPED_LOCK(&list_lock);
	*out = stat(path, &st) ? NULL : find_open(&st);
	return *out ? S_OK : make(path, flags, out, err);
}

HRESULT vds_service_open(
	const char *path, ULONG flags, IVdsService **out, char *message, size_t message_size)
{
	struct svc_service *svc;
	struct err err = {0};

	if (message && message_size)
		message[0] = 0;
	if (!out)
		return E_INVALIDARG;
	*out = NULL;
	if (!path || !path[0])
		return E_INVALIDARG;
	HRESULT hr = find_or_make(path, flags, &svc, &err);
	if (SUCCEEDED(hr))
		hr = svc_start(svc);
	if (SUCCEEDED(hr))
		*out = COM_AS(svc, IVdsService);
	else if (svc)
		com_release(&svc->com);
	if (FAILED(hr) && message && message_size)
		snprintf(message, message_size, "%s%s%s", err.text, err.cause[0] ? " " : "",
			err.cause);
	return hr;
}
