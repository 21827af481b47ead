/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The demo's workload, an ordinary client of the public interfaces: one thread writes tagged blocks
 * into the upper half of a LUN, one reads them back, both for as long as the main thread pulls a
 * drive and recovers. Every block read must carry what was last written there.
 *
 *   load STORE LUN DRIVE [--stop-at PERCENT]
 *
 * With --stop-at the process ends abruptly (_exit, nothing closed) when the recovery has come that
 * far, as a crash would end it. Exit status: 0 everything held, 1 something did not.
 */
#ifndef COBJMACROS
#define COBJMACROS
#endif
#include <vdsx.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK  65536u
#define BLOCKS 256u /* 16 MiB of the LUN's upper half */

struct load {
	IVdsxLun *lun;
	ULONGLONG base;              /* of the first block */
	atomic_uint version[BLOCKS]; /* acknowledged; 0 = never written */
	pthread_mutex_t busy[BLOCKS];
	atomic_bool stop;
	atomic_ulong writes, reads;
	atomic_uint failures;
};

static void die(const char *what, HRESULT hr)
{
	fprintf(stderr, "demo: %s failed: 0x%08X\n", what, (unsigned)hr);
	exit(1);
}

static void must(const char *what, HRESULT hr)
{
	if (FAILED(hr))
		die(what, hr);
}

static void fill(BYTE *buf, unsigned block, unsigned version)
{
	for (unsigned i = 0; i < BLOCK; i += 8) {
		uint32_t words[2] = { block * 65537u + i, version };

		memcpy(buf + i, words, 8);
	}
}

static void *writer(void *arg)
{
	struct load *l = arg;
	BYTE *buf = malloc(BLOCK);
	unsigned seed = 12345;

	for (unsigned version = 1; !l->stop; version++) {
		unsigned block = (seed = seed * 1103515245u + 12345u) >> 8 & (BLOCKS - 1);
		HRESULT hr;

		pthread_mutex_lock(&l->busy[block]);
		fill(buf, block, version);
		hr = IVdsxLun_Write(l->lun, l->base + (ULONGLONG)block * BLOCK, BLOCK, buf);
		if (SUCCEEDED(hr))
			l->version[block] = version;
		else
			l->failures++;
		pthread_mutex_unlock(&l->busy[block]);
		l->writes++;
	}
	free(buf);
	return NULL;
}

static void *reader(void *arg)
{
	struct load *l = arg;
	BYTE *buf = malloc(BLOCK), *want = malloc(BLOCK);
	unsigned seed = 54321;

	while (!l->stop) {
		unsigned block = (seed = seed * 1103515245u + 12345u) >> 8 & (BLOCKS - 1);
		ULONG got = 0;

		pthread_mutex_lock(&l->busy[block]);
		if (l->version[block]) {
			fill(want, block, l->version[block]);
			if (FAILED(IVdsxLun_Read(l->lun, l->base + (ULONGLONG)block * BLOCK, BLOCK, buf, &got)) ||
				got != BLOCK || memcmp(buf, want, BLOCK))
				l->failures++;
			l->reads++;
		}
		pthread_mutex_unlock(&l->busy[block]);
	}
	free(buf);
	free(want);
	return NULL;
}

/* ---- finding things --------------------------------------------------------------------------- */

static IUnknown *numbered(IEnumVdsObject *list, ULONG number)
{
	IUnknown *object;
	ULONG got;

	while (IEnumVdsObject_Next(list, 1, &object, &got) == S_OK) {
		IVdsxNumber *n;
		ULONG its = ~0u;

		if (SUCCEEDED(IUnknown_QueryInterface(object, &IID_IVdsxNumber, (void **)&n))) {
			IVdsxNumber_GetNumber(n, &its);
			IVdsxNumber_Release(n);
		}
		if (its == number)
			return object;
		IUnknown_Release(object);
	}
	return NULL;
}

static void *as(IUnknown *object, REFIID iid, const char *what)
{
	void *out = NULL;

	if (!object)
		die(what, E_INVALIDARG);
	must(what, IUnknown_QueryInterface(object, iid, &out));
	return out;
}

static IVdsHwProvider *open_store(const char *path)
{
	WCHAR wide[4096];
	IVdsxServiceLoader *loader;
	IVdsService *service;
	IEnumVdsObject *list;
	IUnknown *provider;
	ULONG got;
	unsigned i;

	for (i = 0; path[i] && i < 4095; i++)
		wide[i] = (WCHAR)(unsigned char)path[i];
	wide[i] = 0;
	must("CoInitializeEx", CoInitializeEx(NULL, COINIT_MULTITHREADED));
	must("creating the loader", CoCreateInstance(&CLSID_VdsLoader, NULL, CLSCTX_ALL,
									&IID_IVdsxServiceLoader, (void **)&loader));
	must("opening the store", IVdsxServiceLoader_OpenStore(loader, wide, 0, &service));
	must("waiting for the service", IVdsService_WaitForServiceReady(service));
	must("listing providers", IVdsService_QueryProviders(service, VDS_QUERY_HARDWARE_PROVIDERS, &list));
	if (IEnumVdsObject_Next(list, 1, &provider, &got) != S_OK)
		die("finding the array's provider", E_FAIL);
	return as(provider, &IID_IVdsHwProvider, "the provider");
}

/* ---- the story -------------------------------------------------------------------------------- */

static void recover(IVdsLun *lun, struct load *load, unsigned stop_at)
{
	IVdsAsync *async;
	HRESULT hr, result = VDS_E_OPERATION_PENDING;
	ULONG percent = 0, shown = ~0u;
	VDS_ASYNC_OUTPUT output;

	must("Recover", IVdsLun_Recover(lun, &async));
	while (result == VDS_E_OPERATION_PENDING) {
		must("asking for the progress", IVdsAsync_QueryStatus(async, &result, &percent));
		if (percent != shown && isatty(2)) {
			fprintf(stderr, "\r  recovering %3u %%   %lu writes, %lu reads meanwhile, %u wrong   ",
				(unsigned)percent, (unsigned long)load->writes, (unsigned long)load->reads,
				(unsigned)load->failures);
			shown = percent;
		}
		if (stop_at && percent >= stop_at) {
			fprintf(stderr, "%s  the process ends here, at %u %%, without closing anything\n",
				isatty(2) ? "\n" : "", (unsigned)percent);
			_exit(load->failures ? 1 : 0);
		}
		usleep(2000); /* between two looks at the progress */
	}
	must("waiting for the end", IVdsAsync_Wait(async, &hr, &output));
	if (isatty(2))
		fprintf(stderr, "\n");
	must("the recovery", hr);
	IVdsAsync_Release(async);
}

static void pull(IVdsHwProvider *provider, IVdsDrive *drive)
{
	IVdsxFault *fault = as((IUnknown *)provider, &IID_IVdsxFault, "the fault interface");
	VDS_DRIVE_PROP prop;
	VDSX_FAULT gone = { .kind = VDSX_FAULT_GONE };

	must("asking for the drive", IVdsDrive_GetProperties(drive, &prop));
	gone.objectId = prop.id;
	must("pulling the drive", IVdsxFault_Inject(fault, &gone));
	CoTaskMemFree(prop.pwszFriendlyName);
	CoTaskMemFree(prop.pwszIdentification);
	IVdsxFault_Release(fault);
}

int main(int argc, char **argv)
{
	static struct load load;
	unsigned stop_at = argc == 6 && !strcmp(argv[4], "--stop-at") ? (unsigned)atoi(argv[5]) : 0;
	IEnumVdsObject *list;
	IVdsHwProvider *provider;
	IVdsSubSystem *subsystem;
	IVdsMaintenance *light;
	IVdsDrive *drive;
	IVdsLun *lun;
	VDS_LUN_PROP prop;
	pthread_t threads[2];
	IUnknown *object;
	ULONG got;

	if (argc != 4 && !stop_at) {
		fprintf(stderr, "usage: load STORE LUN DRIVE [--stop-at PERCENT]\n");
		return 2;
	}
	provider = open_store(argv[1]);
	must("listing subsystems", IVdsHwProvider_QuerySubSystems(provider, &list));
	if (IEnumVdsObject_Next(list, 1, &object, &got) != S_OK)
		die("finding the subsystem", E_FAIL);
	subsystem = as(object, &IID_IVdsSubSystem, "the subsystem");
	must("listing LUNs", IVdsSubSystem_QueryLuns(subsystem, &list));
	object = numbered(list, (ULONG)atoi(argv[2]));
	lun = as(object, &IID_IVdsLun, "the LUN");
	load.lun = as(object, &IID_IVdsxLun, "the LUN's bytes");
	must("listing drives", IVdsSubSystem_QueryDrives(subsystem, &list));
	object = numbered(list, (ULONG)atoi(argv[3]));
	drive = as(object, &IID_IVdsDrive, "the drive");
	light = as(object, &IID_IVdsMaintenance, "the drive's light");
	must("asking for the LUN", IVdsLun_GetProperties(lun, &prop));
	load.base = prop.ullSize / 2 / BLOCK * BLOCK;
	for (unsigned i = 0; i < BLOCKS; i++)
		pthread_mutex_init(&load.busy[i], NULL);
	pthread_create(&threads[0], NULL, writer, &load);
	pthread_create(&threads[1], NULL, reader, &load);
	while (load.writes < 64 || load.reads < 16)
		usleep(1000);
	pull(provider, drive);
	must("blinking the bay", IVdsMaintenance_StartMaintenance(light, BlinkLight));
	fprintf(stderr, "  drive %s is out of its bay, the bay blinks, reader and writer go on\n", argv[3]);
	recover(lun, &load, stop_at);
	load.stop = true;
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	for (unsigned i = 0; i < BLOCKS; i++) { /* every block once more, now that it is quiet */
		BYTE have[BLOCK], want[BLOCK];

		fill(want, i, load.version[i]);
		if (load.version[i] &&
			(FAILED(IVdsxLun_Read(load.lun, load.base + (ULONGLONG)i * BLOCK, BLOCK, have, &got)) ||
				memcmp(have, want, BLOCK)))
			load.failures++;
	}
	must("stopping the light", IVdsMaintenance_StopMaintenance(light, BlinkLight));
	fprintf(stderr, "  %lu writes and %lu reads under the recovery, %u of them wrong\n",
		(unsigned long)load.writes, (unsigned long)load.reads, (unsigned)load.failures);
	return load.failures ? 1 : 0;
}
