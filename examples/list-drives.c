/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists what arrays hold: subsystems, their drives and their LUNs. Build it and run it:
 *
 *	cc list-drives.c -o list-drives $(pkg-config --cflags --libs vds)
 *	VDS_STORE=/path/of/a/store ./list-drives
 */
#define COBJMACROS
#include <vds.h>
#include <vdsxerr.h>
#include <locale.h>
#include <stdio.h>
#include <uchar.h>

/* Strings of VDS are UTF-16. */
static void print_text(FILE *to, const WCHAR *text)
{
	char bytes[16];
	mbstate_t state = {0};

	for (size_t n; text && *text; text++) {
		n = c16rtomb(bytes, *text, &state);
		fwrite(bytes, 1, n > sizeof(bytes) ? 0 : n, to);
	}
}

/* Calls show for every object of a list, if asking for it went well, that has the interface. */
static void for_each(HRESULT hr, IEnumVdsObject **list, REFIID iid, void (*show)(void *object))
{
	IUnknown *unknown;
	ULONG got;
	void *object;

	if (FAILED(hr))
		return;
	while (IEnumVdsObject_Next(*list, 1, &unknown, &got) == S_OK) {
		if (SUCCEEDED(IUnknown_QueryInterface(unknown, iid, &object))) {
			show(object);
			IUnknown_Release((IUnknown *)object);
		}
		IUnknown_Release(unknown);
	}
	IEnumVdsObject_Release(*list);
}

/* Gives back the strings that came with the properties. */
static void print_one(const char *kind, LPWSTR name, LPWSTR other, int status, ULONGLONG bytes)
{
	static const char *const word[] = {
		"unknown", "online", "not ready", "", "offline", "failed"};

	printf("  %s  ", kind);
	print_text(stdout, name);
	printf("  %s", status >= 0 && status <= 5 ? word[status] : "gone");
	printf(bytes ? "  %llu bytes\n" : "\n", bytes);
	CoTaskMemFree(name);
	CoTaskMemFree(other);
}

static void show_drive(void *object)
{
	VDS_DRIVE_PROP p;

	if (SUCCEEDED(IVdsDrive_GetProperties((IVdsDrive *)object, &p)))
		print_one("drive", p.pwszFriendlyName, p.pwszIdentification, p.status, p.ullSize);
}

static void show_lun(void *object)
{
	VDS_LUN_PROP p = {.pwszUnmaskingList = NULL};

	if (SUCCEEDED(IVdsLun_GetProperties((IVdsLun *)object, &p)))
		print_one("LUN", p.pwszFriendlyName, p.pwszIdentification, p.status, p.ullSize);
	CoTaskMemFree(p.pwszUnmaskingList);
}

static void show_subsystem(void *object)
{
	IVdsSubSystem *subsystem = object;
	VDS_SUB_SYSTEM_PROP p;
	IEnumVdsObject *list;

	if (SUCCEEDED(IVdsSubSystem_GetProperties(subsystem, &p)))
		print_one("subsystem", p.pwszFriendlyName, p.pwszIdentification, p.status, 0);
	for_each(IVdsSubSystem_QueryDrives(subsystem, &list), &list, &IID_IVdsDrive, show_drive);
	for_each(IVdsSubSystem_QueryLuns(subsystem, &list), &list, &IID_IVdsLun, show_lun);
}

static void show_provider(void *object)
{
	IEnumVdsObject *list;

	for_each(IVdsHwProvider_QuerySubSystems((IVdsHwProvider *)object, &list), &list,
		&IID_IVdsSubSystem, show_subsystem);
}

int main(void)
{
	IVdsService *service = NULL;
	IEnumVdsObject *list;
	void *loader;
	HRESULT hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);

	setlocale(LC_ALL, ""); /* for c16rtomb */
	hr = CoCreateInstance(&CLSID_VdsLoader, NULL, CLSCTX_ALL, &IID_IVdsServiceLoader, &loader);
	if (SUCCEEDED(hr)) {
		hr = IVdsServiceLoader_LoadService((IVdsServiceLoader *)loader, NULL, &service);
		IVdsServiceLoader_Release((IVdsServiceLoader *)loader);
	}
	if (SUCCEEDED(hr) && SUCCEEDED(hr = IVdsService_WaitForServiceReady(service)))
		for_each(IVdsService_QueryProviders(service, VDS_QUERY_HARDWARE_PROVIDERS, &list),
			&list, &IID_IVdsHwProvider, show_provider);
	if (FAILED(hr)) {
		print_text(stderr, VdsxLastErrorText());
		fprintf(stderr, " (0x%08x)\n", (unsigned)hr);
	}
	if (service)
		IVdsService_Release(service);
	CoUninitialize();
	return FAILED(hr);
}
