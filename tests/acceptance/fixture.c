/* SPDX-License-Identifier: Apache-2.0 */
/* Store, objects and data of the acceptance tests. */
#include "fixture.h"

#include "fixture_sink.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---- store --------------------------------------------------------------------------------- */

static void to_wide(const char *text, WCHAR *out, size_t cap)
{
	size_t n = strlen(text);

	assert_true(n < cap);
	for (size_t i = 0; i <= n; i++)
		out[i] = (WCHAR)(unsigned char)text[i];
}

static IUnknown *first_of(IEnumVdsObject *list)
{
	IUnknown *unk = NULL;
	ULONG got = 0;

	assert_ok(IEnumVdsObject_Next(list, 1, &unk, &got));
	assert_int_equal(got, 1);
	IEnumVdsObject_Release(list);
	return unk;
}

static void *as(IUnknown *unk, REFIID iid)
{
	void *out = NULL;

	assert_ok(IUnknown_QueryInterface(unk, iid, &out));
	return out;
}

static void take_provider(struct fx *fx)
{
	IEnumVdsObject *list;
	VDS_PROVIDER_PROP prop;

	assert_ok(IVdsService_QueryProviders(fx->service, VDS_QUERY_HARDWARE_PROVIDERS, &list));
	IUnknown *unk = first_of(list);
	fx->provider = as(unk, &IID_IVdsProvider);
	fx->hw = as(unk, &IID_IVdsHwProvider);
	fx->xhw = as(unk, &IID_IVdsxHwProvider);
	fx->fault = as(unk, &IID_IVdsxFault);
	IUnknown_Release(unk);
	assert_ok(IVdsProvider_GetProperties(fx->provider, &prop));
	fx->provider_id = prop.id;
	CoTaskMemFree(prop.pwszName);
	CoTaskMemFree(prop.pwszVersion);
}

static void take_controller(struct fx *fx)
{
	IVdsControllerControllerPort *ports;
	IEnumVdsObject *list;
	VDS_CONTROLLER_PROP prop;
	VDS_PORT_PROP port;

	assert_ok(IVdsSubSystem_QueryControllers(fx->sub, &list));
	IUnknown *unk = first_of(list);
	fx->controller = as(unk, &IID_IVdsController);
	ports = as(unk, &IID_IVdsControllerControllerPort);
	IUnknown_Release(unk);
	assert_ok(IVdsController_GetProperties(fx->controller, &prop));
	fx->controller_id = prop.id;
	CoTaskMemFree(prop.pwszFriendlyName);
	CoTaskMemFree(prop.pwszIdentification);
	assert_ok(IVdsControllerControllerPort_QueryControllerPorts(ports, &list));
	unk = first_of(list);
	fx->port = as(unk, &IID_IVdsControllerPort);
	IUnknown_Release(unk);
	IVdsControllerControllerPort_Release(ports);
	assert_ok(IVdsControllerPort_GetProperties(fx->port, &port));
	fx->port_id = port.id;
	CoTaskMemFree(port.pwszFriendlyName);
	CoTaskMemFree(port.pwszIdentification);
}

/* The store's first subsystem is the one tested, its second the marker. Not while the cache is
 * corrupt. */
static void take_subsystems(struct fx *fx)
{
	IEnumVdsObject *list;
	IUnknown *unk[2] = {0};
	ULONG got = 0;

	HRESULT hr = IVdsHwProvider_QuerySubSystems(fx->hw, &list);
	if (hr == VDS_E_PROVIDER_CACHE_CORRUPT)
		return;
	assert_ok(hr);
	IEnumVdsObject_Next(list, 2, unk, &got);
	IEnumVdsObject_Release(list);
	if (got > 0 && !fx->sub) {
		fx->sub = as(unk[0], &IID_IVdsSubSystem);
		fx->xsub = as(unk[0], &IID_IVdsxSubSystem);
		fx->sub_id = fx_sub_prop(fx->sub).id;
		take_controller(fx);
	}
	if (got > 1)
		fx->marker = as(unk[1], &IID_IVdsSubSystemNaming);
	for (ULONG i = 0; i < got; i++)
		IUnknown_Release(unk[i]);
}

void fx_open(struct fx *fx, ULONG flags)
{
	IVdsxServiceLoader *loader;
	WCHAR path[256];

	assert_ok(CoInitializeEx(NULL, COINIT_MULTITHREADED));
	assert_ok(CoCreateInstance(
		&CLSID_VdsLoader, NULL, CLSCTX_ALL, &IID_IVdsxServiceLoader, (void **)&loader));
	to_wide(fx->dir, path, 256);
	assert_ok(IVdsxServiceLoader_OpenStore(loader, path, flags, &fx->service));
	IVdsxServiceLoader_Release(loader);
	assert_ok(IVdsService_WaitForServiceReady(fx->service));
	take_provider(fx);
	take_subsystems(fx);
	fx->sink = fx_sink_new();
	assert_ok(IVdsService_Advise(fx->service, fx_sink_iface(fx->sink), &fx->cookie));
}

#define DROP(p)                                                                                    \
	do {                                                                                       \
		if (p)                                                                             \
			(p)->lpVtbl->Release(p);                                                   \
		(p) = NULL;                                                                        \
	} while (0)

void fx_close(struct fx *fx)
{
	IVdsxService *x;

	if (!fx->service)
		return;
	IVdsService_Unadvise(fx->service, fx->cookie);
	fx_sink_free(fx->sink);
	fx->sink = NULL;
	DROP(fx->marker);
	DROP(fx->port);
	DROP(fx->controller);
	DROP(fx->xsub);
	DROP(fx->sub);
	DROP(fx->fault);
	DROP(fx->xhw);
	DROP(fx->hw);
	DROP(fx->provider);
	x = as((IUnknown *)(void *)fx->service, &IID_IVdsxService);
	assert_ok(IVdsxService_Close(x));
	IVdsxService_Release(x);
	DROP(fx->service);
	CoUninitialize();
}

void fx_reopen(struct fx *fx)
{
	fx_close(fx);
	fx_open(fx, 0);
}

struct fx *fx_new(void)
{
	struct fx *fx = calloc(1, sizeof(*fx));
	const char *tmp = getenv("TMPDIR");
	IVdsSubSystem *marker;

	assert_non_null(fx);
	snprintf(fx->dir, sizeof(fx->dir), "%s/vds-acceptance-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(fx->dir));
	fx_open(fx, VDSX_OPEN_CREATE);
	assert_ok(IVdsxHwProvider_CreateSubSystem(
		fx->xhw, VDS_TEXT("tested"), VDSX_SUBSYSTEM_ALLOW_FAULTS, &fx->sub));
	fx->xsub = as((IUnknown *)(void *)fx->sub, &IID_IVdsxSubSystem);
	fx->sub_id = fx_sub_prop(fx->sub).id;
	take_controller(fx);
	assert_ok(IVdsxHwProvider_CreateSubSystem(fx->xhw, VDS_TEXT("marker"), 0, &marker));
	fx->marker = as((IUnknown *)(void *)marker, &IID_IVdsSubSystemNaming);
	IVdsSubSystem_Release(marker);
	fx_set(fx, VDSX_SETTING_PULSE_INTERVAL_MS, 20);
	fx_set(fx, VDSX_SETTING_AUTO_RECOVERY, 0);
	fx_set(fx, VDSX_SETTING_SPARE_DELAY_MS, 0);
	return fx;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void fx_free(struct fx *fx)
{
	fx_close(fx);
	nftw(fx->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(fx);
}

int fx_setup(void **state)
{
	*state = fx_new();
	return 0;
}

int fx_teardown(void **state)
{
	fx_free(*state);
	return 0;
}

/* ---- objects ------------------------------------------------------------------------------- */

IVdsDrive *fx_add_drive(struct fx *fx, ULONGLONG bytes)
{
	static unsigned serial;
	IVdsDrive *drive = NULL;
	WCHAR path[300];
	char text[300];

	snprintf(text, sizeof(text), "%s/drive-%u.img", fx->dir, serial++);
	to_wide(text, path, 300);
	assert_ok(IVdsxSubSystem_AddDrive(fx->xsub, path, -1, -1, bytes, &drive));
	return drive;
}

void fx_add_drives(struct fx *fx, IVdsDrive **out, unsigned count, unsigned mib)
{
	for (unsigned i = 0; i < count; i++)
		out[i] = fx_add_drive(fx, mib * MIB);
}

IVdsLun *fx_add_lun(
	struct fx *fx, VDS_LUN_TYPE type, ULONGLONG bytes, IVdsDrive **drives, unsigned count)
{
	IVdsSubSystem2 *sub2 = as((IUnknown *)(void *)fx->sub, &IID_IVdsSubSystem2);
	VDS_OBJECT_ID ids[FX_DRIVES_MAX];
	WCHAR none[1] = {0};
	IVdsAsync *async = NULL;
	VDS_ASYNC_OUTPUT output;
	HRESULT hr;

	for (unsigned i = 0; i < count; i++)
		ids[i] = fx_drive_id(drives[i]);
	assert_ok(IVdsSubSystem2_CreateLun2(
		sub2, type, bytes, count ? ids : NULL, (LONG)count, none, NULL, &async));
	IVdsSubSystem2_Release(sub2);
	assert_ok(IVdsAsync_Wait(async, &hr, &output));
	assert_ok(hr);
	assert_int_equal(output.type, VDS_ASYNCOUT_CREATELUN);
	IVdsLun *lun = as(output.cl.pLunUnk, &IID_IVdsLun);
	IUnknown_Release(output.cl.pLunUnk);
	IVdsAsync_Release(async);
	return lun;
}

VDS_DRIVE_PROP fx_drive_prop(IVdsDrive *drive)
{
	VDS_DRIVE_PROP prop;

	assert_ok(IVdsDrive_GetProperties(drive, &prop));
	CoTaskMemFree(prop.pwszFriendlyName);
	CoTaskMemFree(prop.pwszIdentification);
	return prop;
}

VDS_LUN_PROP fx_lun_prop(IVdsLun *lun)
{
	VDS_LUN_PROP prop;

	assert_ok(IVdsLun_GetProperties(lun, &prop));
	CoTaskMemFree(prop.pwszFriendlyName);
	CoTaskMemFree(prop.pwszIdentification);
	CoTaskMemFree(prop.pwszUnmaskingList);
	return prop;
}

VDS_SUB_SYSTEM_PROP fx_sub_prop(IVdsSubSystem *sub)
{
	VDS_SUB_SYSTEM_PROP prop;

	assert_ok(IVdsSubSystem_GetProperties(sub, &prop));
	CoTaskMemFree(prop.pwszFriendlyName);
	CoTaskMemFree(prop.pwszIdentification);
	return prop;
}

VDS_OBJECT_ID fx_drive_id(IVdsDrive *drive)
{
	return fx_drive_prop(drive).id;
}

VDS_OBJECT_ID fx_lun_id(IVdsLun *lun)
{
	return fx_lun_prop(lun).id;
}

static void *by_id(struct fx *fx, VDS_OBJECT_ID id, VDS_OBJECT_TYPE type, REFIID iid)
{
	IUnknown *unk = NULL;

	assert_ok(IVdsService_GetObject(fx->service, id, type, &unk));
	void *out = as(unk, iid);
	IUnknown_Release(unk);
	return out;
}

IVdsDrive *fx_drive_by_id(struct fx *fx, VDS_OBJECT_ID id)
{
	return by_id(fx, id, VDS_OT_DRIVE, &IID_IVdsDrive);
}

IVdsLun *fx_lun_by_id(struct fx *fx, VDS_OBJECT_ID id)
{
	return by_id(fx, id, VDS_OT_LUN, &IID_IVdsLun);
}

IVdsMaintenance *fx_maint(void *object)
{
	return as(object, &IID_IVdsMaintenance);
}

void fx_drive_path(IVdsDrive *drive, char *out, size_t size)
{
	IVdsxDrive *x = as((IUnknown *)(void *)drive, &IID_IVdsxDrive);
	VDSX_DRIVE_DETAIL detail;
	size_t n = 0;

	assert_ok(IVdsxDrive_GetDetail(x, &detail));
	for (; detail.pwszPath[n] && n + 1 < size; n++)
		out[n] = (char)detail.pwszPath[n];
	out[n] = 0;
	CoTaskMemFree(detail.pwszPath);
	CoTaskMemFree(detail.pwszNote);
	IVdsxDrive_Release(x);
}

/* ---- data ---------------------------------------------------------------------------------- */

void fx_pattern(void *buf, size_t size, unsigned seed, ULONGLONG offset)
{
	uint32_t *w = buf;

	for (size_t i = 0; i < size / 4; i++) {
		uint64_t at = offset / 4 + i;
		w[i] = (uint32_t)(at * 2654435761u) ^ (seed * 0x9e3779b9u) ^ (uint32_t)(at >> 16);
	}
}

enum { CHUNK = 1024 * 1024 };

void fx_fill(IVdsLun *lun, ULONGLONG offset, ULONGLONG bytes, unsigned seed)
{
	IVdsxLun *x = as((IUnknown *)(void *)lun, &IID_IVdsxLun);
	BYTE *buf = malloc(CHUNK);

	for (ULONGLONG done = 0; done < bytes; done += CHUNK) {
		ULONG n = bytes - done < CHUNK ? (ULONG)(bytes - done) : CHUNK;
		fx_pattern(buf, n, seed, offset + done);
		assert_ok(IVdsxLun_Write(x, offset + done, n, buf));
	}
	free(buf);
	IVdsxLun_Release(x);
}

void fx_verify(IVdsLun *lun, ULONGLONG offset, ULONGLONG bytes, unsigned seed)
{
	IVdsxLun *x = as((IUnknown *)(void *)lun, &IID_IVdsxLun);
	BYTE *buf = malloc(CHUNK), *want = malloc(CHUNK);

	for (ULONGLONG done = 0; done < bytes; done += CHUNK) {
		ULONG n = bytes - done < CHUNK ? (ULONG)(bytes - done) : CHUNK;
		ULONG got = 0;
		fx_pattern(want, n, seed, offset + done);
		assert_ok(IVdsxLun_Read(x, offset + done, n, buf, &got));
		assert_int_equal(got, n);
		if (memcmp(buf, want, n))
			fail_msg("data differs in the MiB at %llu", offset + done);
	}
	free(buf);
	free(want);
	IVdsxLun_Release(x);
}

BYTE *fx_member_bytes(struct fx *fx, IVdsLun *lun, ULONG slot, size_t *size)
{
	IVdsxLun *x = as((IUnknown *)(void *)lun, &IID_IVdsxLun);
	VDSX_LUN_MEMBER *members;
	LONG count;
	char path[1024];
	BYTE *out = NULL;

	assert_ok(IVdsxLun_QueryMembers(x, &members, &count));
	IVdsxLun_Release(x);
	for (LONG i = 0; i < count; i++) {
		if (members[i].ulSlot != slot)
			continue;
		IVdsDrive *drive = fx_drive_by_id(fx, members[i].driveId);
		fx_drive_path(drive, path, sizeof(path));
		IVdsDrive_Release(drive);
		*size = (size_t)members[i].ullSize;
		out = malloc(*size);
		FILE *f = fopen(path, "rb");
		assert_non_null(f);
		assert_int_equal(fseeko(f, (off_t)members[i].ullDriveOffset, SEEK_SET), 0);
		assert_int_equal(fread(out, 1, *size, f), *size);
		fclose(f);
	}
	CoTaskMemFree(members);
	assert_non_null(out);
	return out;
}

/* ---- faults -------------------------------------------------------------------------------- */

HRESULT fx_try_inject(
	struct fx *fx, VDSX_FAULT_KIND kind, VDS_OBJECT_ID id, ULONGLONG offset, ULONGLONG size)
{
	VDSX_FAULT fault = {.kind = kind, .objectId = id, .ullOffset = offset, .ullSize = size};

	return IVdsxFault_Inject(fx->fault, &fault);
}

void fx_inject(
	struct fx *fx, VDSX_FAULT_KIND kind, VDS_OBJECT_ID id, ULONGLONG offset, ULONGLONG size)
{
	assert_ok(fx_try_inject(fx, kind, id, offset, size));
}

void fx_clear(struct fx *fx, VDSX_FAULT_KIND kind, VDS_OBJECT_ID id)
{
	assert_ok(IVdsxFault_Clear(fx->fault, (ULONG)kind, id));
}

void fx_set(struct fx *fx, VDSX_SETTING setting, ULONGLONG value)
{
	assert_ok(IVdsxHwProvider_SetSetting(fx->xhw, setting, value));
}

void fx_corrupt(struct fx *fx)
{
	fx_inject(fx, VDSX_FAULT_CACHE_CORRUPT, fx->provider_id, 0, 0);
}

void fx_cure(struct fx *fx)
{
	assert_ok(IVdsHwProvider_Reenumerate(fx->hw));
	assert_ok(IVdsHwProvider_Refresh(fx->hw));
}

void fx_hold(struct fx *fx, const WCHAR *point)
{
	assert_ok(IVdsxFault_Hold(fx->fault, point));
}

void fx_resume(struct fx *fx, const WCHAR *point)
{
	assert_ok(IVdsxFault_Resume(fx->fault, point));
}

void fx_wait_held(struct fx *fx, const WCHAR *point)
{
	assert_ok(IVdsxFault_WaitHeld(fx->fault, point, 20000));
}

/* ---- threads and waiting ------------------------------------------------------------------- */

static void *thread_main(void *arg)
{
	struct fx_thread *t = arg;

	t->hr = t->fn(t->arg);
	return NULL;
}

void fx_spawn(struct fx_thread *t, HRESULT (*fn)(void *arg), void *arg)
{
	t->fn = fn;
	t->arg = arg;
	assert_int_equal(pthread_create(&t->thread, NULL, thread_main, t), 0);
}

HRESULT fx_join(struct fx_thread *t)
{
	pthread_join(t->thread, NULL);
	return t->hr;
}

uint64_t fx_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

ULONGLONG fx_wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (ULONGLONG)ts.tv_sec * 1000u + (ULONGLONG)ts.tv_nsec / 1000000u;
}

void fx_pause(void)
{
	struct timespec ts = {.tv_nsec = 2000000};

	nanosleep(&ts, NULL);
}

HRESULT fx_wait(IVdsAsync *async, VDS_ASYNC_OUTPUT_TYPE type)
{
	VDS_ASYNC_OUTPUT output;
	HRESULT hr = E_FAIL;

	assert_non_null(async);
	assert_ok(IVdsAsync_Wait(async, &hr, &output));
	if (type)
		assert_int_equal(output.type, type);
	IVdsAsync_Release(async);
	return hr;
}
