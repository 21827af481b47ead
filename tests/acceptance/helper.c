/* SPDX-License-Identifier: Apache-2.0 */
/* A client in a process of its own, for the acceptance rows that need one: see other_process.h. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <vds.h>
#include <vdshwprv.h>
#include <vdsx.h>

static IVdsService *service;

static int check(HRESULT hr, const char *what)
{
	if (hr == S_OK)
		return 0;
	fprintf(stderr, "helper: %s gives %#x\n", what, (unsigned)hr);
	return 1;
}

static void to_wide(const char *text, WCHAR *out, size_t cap)
{
	size_t i = 0;

	for (; text[i] && i + 1 < cap; i++)
		out[i] = (WCHAR)(unsigned char)text[i];
	out[i] = 0;
}

static int open_store(const char *dir)
{
	IVdsxServiceLoader *loader;
	WCHAR path[300];

	if (check(CoInitializeEx(NULL, COINIT_MULTITHREADED), "CoInitializeEx") ||
		check(CoCreateInstance(&CLSID_VdsLoader, NULL, CLSCTX_ALL, &IID_IVdsxServiceLoader,
			      (void **)&loader),
			"CoCreateInstance"))
		return 1;
	to_wide(dir, path, 300);
	if (check(IVdsxServiceLoader_OpenStore(loader, path, 0, &service), "OpenStore"))
		return 1;
	IVdsxServiceLoader_Release(loader);
	return check(IVdsService_WaitForServiceReady(service), "WaitForServiceReady");
}

static void *object(const char *id_text, VDS_OBJECT_TYPE type, REFIID iid)
{
	WCHAR wide[64];
	IUnknown *unk;
	GUID id;
	void *out = NULL;

	to_wide(id_text, wide, 64);
	if (check(CLSIDFromString(wide, &id), "CLSIDFromString") ||
		check(IVdsService_GetObject(service, id, type, &unk), "GetObject"))
		exit(1);
	if (check(IUnknown_QueryInterface(unk, iid, &out), "QueryInterface"))
		exit(1);
	IUnknown_Release(unk);
	return out;
}

static IVdsxHwProvider *provider(void)
{
	IEnumVdsObject *list;
	IUnknown *unk;
	ULONG got;
	void *out = NULL;

	if (check(IVdsService_QueryProviders(service, VDS_QUERY_HARDWARE_PROVIDERS, &list),
		    "QueryProviders") ||
		check(IEnumVdsObject_Next(list, 1, &unk, &got), "Next") ||
		check(IUnknown_QueryInterface(unk, &IID_IVdsxHwProvider, &out), "QueryInterface"))
		exit(1);
	return out;
}

/* Tells the test that the point is reached, and stays. */
static int stay(void)
{
	if (write(3, "+", 1) != 1)
		return 1;
	for (;;)
		pause();
}

static int blink(const char *verb, const char *id)
{
	IVdsMaintenance *m = object(id, VDS_OT_DRIVE, &IID_IVdsMaintenance);
	int rc = !strcmp(verb, "start")
			 ? check(IVdsMaintenance_StartMaintenance(m, BlinkLight), verb)
			 : check(IVdsMaintenance_StopMaintenance(m, BlinkLight), verb);

	IVdsMaintenance_Release(m);
	return rc;
}

static int blinking(const char *id)
{
	IVdsxMaintenance *m = object(id, VDS_OT_DRIVE, &IID_IVdsxMaintenance);
	VDSX_MAINTENANCE_STATE *states;
	LONG count;
	int rc = 1;

	if (check(IVdsxMaintenance_QueryState(m, &states, &count), "QueryState"))
		return 1;
	for (LONG i = 0; i < count; i++)
		if (states[i].operation == BlinkLight && states[i].mode == VDSX_MAINTENANCE_RUNNING)
			rc = 0;
	CoTaskMemFree(states);
	return rc;
}

static int recover(const char *id)
{
	IVdsLun *lun = object(id, VDS_OT_LUN, &IID_IVdsLun);
	IVdsAsync *async;
	HRESULT hr;
	ULONG percent = 0;

	if (check(IVdsxHwProvider_SetSetting(provider(), VDSX_SETTING_REBUILD_RATE, 8u << 20),
		    "rate") ||
		check(IVdsLun_Recover(lun, &async), "Recover"))
		return 1;
	while (percent < 30) {
		struct timespec ts = {.tv_nsec = 2000000};
		nanosleep(&ts, NULL);
		IVdsAsync_QueryStatus(async, &hr, &percent);
		if (hr != VDS_E_OPERATION_PENDING)
			return check(hr, "recovery ended early") + 1;
	}
	return stay();
}

static int write_offline(const char *id, const char *drive_id)
{
	enum { CHUNK = 1 << 20, CHUNKS = 32 };
	IVdsxLun *lun = object(id, VDS_OT_LUN, &IID_IVdsxLun);
	IVdsDrive *drive = object(drive_id, VDS_OT_DRIVE, &IID_IVdsDrive);
	unsigned char *buf = malloc(CHUNK);

	for (unsigned i = 0; buf && i < CHUNKS; i++) {
		memset(buf, (int)(i + 1), CHUNK);
		if (check(IVdsxLun_Write(lun, (ULONGLONG)i * CHUNK, CHUNK, buf), "Write"))
			return 1;
	}
	if (!buf || check(IVdsDrive_SetStatus(drive, VDS_DRS_OFFLINE), "SetStatus"))
		return 1;
	return stay();
}

int main(int argc, char **argv)
{
	if (argc < 5 || open_store(argv[1]))
		return 2;
	const char *verb = argv[2], *id = argv[3];
	int rc = 2;
	if (!strcmp(verb, "start") || !strcmp(verb, "stop"))
		rc = blink(verb, id);
	else if (!strcmp(verb, "blinking"))
		rc = blinking(id);
	else if (!strcmp(verb, "offline"))
		rc = check(
			IVdsDrive_SetStatus((IVdsDrive *)object(id, VDS_OT_DRIVE, &IID_IVdsDrive),
				VDS_DRS_OFFLINE),
			"SetStatus");
	else if (!strcmp(verb, "recover"))
		rc = recover(id);
	else if (!strcmp(verb, "write-offline"))
		rc = write_offline(id, argv[4]);
	return rc;
}
