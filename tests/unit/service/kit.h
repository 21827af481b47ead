/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a folder of its own, and its service. */
#ifndef UNIT_SERVICE_KIT_H
#define UNIT_SERVICE_KIT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "client/service_entry.h"
#include "com/com.h"
#include "service/service.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <vds.h>
#include <vdserr.h>
#include <vdsx.h>

#define assert_hr(expression, expected)                                                            \
	assert_int_equal((unsigned)(expression), (unsigned)(expected))
#define assert_ok(expression) assert_hr(expression, S_OK)

static char kit_dir[200];

static inline int kit_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline int kit_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(kit_dir, sizeof(kit_dir), "%s/vds-service-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	return mkdtemp(kit_dir) ? 0 : -1;
}

static inline int kit_teardown(void **state)
{
	(void)state;
	nftw(kit_dir, kit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

static inline IVdsService *kit_open(ULONG flags)
{
	IVdsService *service = NULL;
	char message[300];

	assert_ok(vds_service_open(kit_dir, flags, &service, message, sizeof(message)));
	assert_string_equal(message, "");
	assert_ok(IVdsService_WaitForServiceReady(service));
	return service;
}

static inline void *kit_as(void *object, REFIID iid)
{
	void *out = NULL;

	assert_ok(IUnknown_QueryInterface((IUnknown *)object, iid, &out));
	return out;
}

static inline unsigned kit_providers(IVdsService *service, DWORD masks)
{
	IEnumVdsObject *list = NULL;
	IUnknown *unk;
	ULONG got;
	unsigned n = 0;

	assert_ok(IVdsService_QueryProviders(service, masks, &list));
	for (; IEnumVdsObject_Next(list, 1, &unk, &got) == S_OK; n++)
		IUnknown_Release(unk);
	IEnumVdsObject_Release(list);
	return n;
}

#endif
