/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and closing the service, and walking the tree of objects: provider, subsystem, and
 * below it controllers with their ports, drives and LUNs.
 */
#include "cli/session.h"

#include "base/cleanup.h"
#include "cli/error.h"
#include "cli/names.h"
#include "cli/out.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* ---- opening ---- */

static const char *store_path(const struct cli_ctx *ctx)
{
	const char *env = getenv("VDS_STORE");

	return ctx->opt.store ? ctx->opt.store : env && *env ? env : NULL;
}

#define STORE_MISSING HRESULT_FROM_WIN32(2)    /* ERROR_FILE_NOT_FOUND */
#define STORE_DAMAGED HRESULT_FROM_WIN32(1393) /* ERROR_DISK_CORRUPT */

/* What to do about a store that does not open; path as the user gave it. */
static void advise_store(struct cli_diag *d, const char *path, HRESULT hr)
{
	char drives[PATH_MAX];
	struct stat st;

	if (hr == STORE_DAMAGED) {
		cli_diag_fix(d, "vds --store %s --rebuild-database list drives", path);
	} else if (stat(path, &st)) {
		if (errno == ENOENT)
			cli_diag_cause(d, "there is no such folder");
		cli_diag_fix(d, "vds --store %s create subsystem drives=6x96MB", path);
	} else if (hr == STORE_MISSING) {
		snprintf(drives, sizeof(drives), "%s/drives", path);
		if (stat(drives, &st))
			cli_diag_fix(d, "vds --store %s create subsystem drives=6x96MB", path);
		else /* its database is lost, the drives are there */
			cli_diag_fix(d,
				"vds --store %s create subsystem ; then for each file: vds "
				"--store %s add drive path=%s/FILE",
				path, path, drives);
	}
}

static int unreachable(struct cli_ctx *ctx, const char *path, HRESULT hr, bool create)
{
	struct cli_diag *d = &ctx->outcome.diag;

	cli_fail(ctx, hr, NULL, "the store %s cannot be opened", path);
	d->status = CLI_UNREACHABLE;
	if (!create || hr == STORE_DAMAGED)
		advise_store(d, path, hr);
	return d->status;
}

/* The array provider's interfaces; a service without one is no error here. */
static HRESULT find_provider(struct cli_session *s)
{
	IEnumVdsObject *list = NULL;
	IUnknown *unk = NULL;
	ULONG got = 0;
	HRESULT hr = IVdsService_QueryProviders(s->service, VDS_QUERY_HARDWARE_PROVIDERS, &list);

	if (FAILED(hr))
		return hr;
	while (!s->hw && IEnumVdsObject_Next(list, 1, &unk, &got) == S_OK && got == 1) {
		(void)IUnknown_QueryInterface(unk, &IID_IVdsxHwProvider, (void **)&s->hw);
		if (s->hw) {
			(void)IUnknown_QueryInterface(unk, &IID_IVdsxJobs, (void **)&s->jobs);
			(void)IUnknown_QueryInterface(
				unk, &IID_IVdsProvider, (void **)&s->provider);
		}
		IUnknown_Release(unk);
		unk = NULL;
	}
	IEnumVdsObject_Release(list);
	return S_OK;
}

static HRESULT open_store(const char *path, ULONG flags, IVdsService **service)
{
	IVdsxServiceLoader *loader = NULL;
	cleanup_free WCHAR *wide = cli_wide(path);
	HRESULT hr;

	if (!wide)
		return E_OUTOFMEMORY;
	hr = CoCreateInstance(
		&CLSID_VdsLoader, NULL, CLSCTX_ALL, &IID_IVdsxServiceLoader, (void **)&loader);
	if (FAILED(hr))
		return hr;
	hr = IVdsxServiceLoader_OpenStore(loader, wide, flags, service);
	if (SUCCEEDED(hr))
		hr = IVdsService_WaitForServiceReady(*service);
	CLI_RELEASE(loader);
	return hr;
}

static int check_options(struct cli_ctx *ctx)
{
	struct cli_diag *d = &ctx->outcome.diag;

	if (ctx->opt.host || ctx->opt.user || ctx->opt.password_file)
		return cli_diag_set(d, CLI_UNREACHABLE, "it speaks to stores on this machine only",
			"vds --store DIR …", "no remote support in this build");
	if (!store_path(ctx))
		return cli_diag_set(d, CLI_UNREACHABLE,
			"neither --store nor VDS_STORE says where the store is",
			"vds --store DIR create subsystem drives=6x96MB",
			"there is no store to work on");
	return CLI_OK;
}

int cli_session_open(struct cli_ctx *ctx, bool create, bool hold)
{
	ULONG flags = (create ? VDSX_OPEN_CREATE : 0u) | (hold ? VDSX_OPEN_HOLD_RECOVERY : 0u) |
		      (ctx->opt.rebuild_database ? VDSX_OPEN_REBUILD_DATABASE : 0u);
	const char *path = store_path(ctx);
	struct cli_session *s;
	HRESULT hr;

	if (ctx->session)
		return CLI_OK;
	if (check_options(ctx))
		return ctx->outcome.diag.status;
	/* The service runs in this process: its log belongs on the terminal only when asked for. */
	if (!ctx->opt.verbose)
		(void)setenv("VDS_LOG", "error", 0);
	s = calloc(1, sizeof(*s));
	if (!s)
		return cli_diag_memory(&ctx->outcome.diag);
	hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
	if (FAILED(hr)) {
		free(s);
		return cli_fail(ctx, hr, NULL, "the library cannot be initialised");
	}
	ctx->session = s;
	s->held = hold;
	hr = open_store(path, flags, &s->service);
	if (SUCCEEDED(hr))
		hr = find_provider(s);
	if (SUCCEEDED(hr))
		return CLI_OK;
	unreachable(ctx, path, hr, create);
	cli_session_close(ctx);
	return ctx->outcome.diag.status;
}

void cli_session_close(struct cli_ctx *ctx)
{
	struct cli_session *s = ctx->session;
	IVdsxService *closer = NULL;
	char code[CLI_HR_TEXT];
	HRESULT hr;

	if (!s)
		return;
	ctx->session = NULL;
	CLI_RELEASE(s->jobs);
	CLI_RELEASE(s->hw);
	CLI_RELEASE(s->provider);
	if (s->service && SUCCEEDED(IVdsService_QueryInterface(
				  s->service, &IID_IVdsxService, (void **)&closer))) {
		hr = IVdsxService_Close(closer);
		if (FAILED(hr))
			cli_warn(ctx, "the store was not closed cleanly (%s)",
				cli_hr_text(hr, code));
		CLI_RELEASE(closer);
	}
	CLI_RELEASE(s->service);
	CoUninitialize();
	free(s);
}

/* ---- walking ---- */

static uint32_t number_of(const struct cli_object *obj, uint32_t fallback)
{
	IVdsxNumber *n = cli_object_query(obj, &IID_IVdsxNumber);
	ULONG number = fallback;

	if (n && FAILED(IVdsxNumber_GetNumber(n, &number)))
		number = fallback;
	CLI_RELEASE(n);
	return number;
}

/* Adds everything the enumeration yields. parent: the subsystem object, or NULL. */
static int take(struct cli_ctx *ctx, IEnumVdsObject *list, enum cli_noun noun,
	const struct cli_object *parent, struct cli_objects *out)
{
	IUnknown *unk = NULL;
	ULONG got = 0;

	while (list && IEnumVdsObject_Next(list, 1, &unk, &got) == S_OK && got == 1) {
		struct cli_object obj = {.noun = noun, .unk = unk};

		obj.number = number_of(&obj, (uint32_t)out->len);
		if (parent) {
			obj.subsystem = cli_object_query(parent, &IID_IVdsSubSystem);
			obj.subsystem_number = parent->number;
		}
		if (cli_objects_push(out, obj)) {
			cli_object_release(&obj);
			CLI_RELEASE(list);
			return cli_diag_memory(&ctx->outcome.diag);
		}
	}
	CLI_RELEASE(list);
	return CLI_OK;
}

static int list_providers(struct cli_ctx *ctx, struct cli_objects *out)
{
	IEnumVdsObject *list = NULL;
	HRESULT hr = IVdsService_QueryProviders(ctx->session->service,
		VDS_QUERY_HARDWARE_PROVIDERS | VDS_QUERY_SOFTWARE_PROVIDERS |
			VDS_QUERY_VIRTUALDISK_PROVIDERS,
		&list);

	if (FAILED(hr))
		return cli_fail(ctx, hr, NULL, "the providers cannot be listed");
	return take(ctx, list, CLI_PROVIDER, NULL, out);
}

static int list_subsystems(struct cli_ctx *ctx, struct cli_objects *out)
{
	struct cli_objects providers = {0};
	struct cli_object *p;
	int status = list_providers(ctx, &providers);

	vec_for_each (&providers, p) {
		IVdsHwProvider *hw = status ? NULL : cli_object_query(p, &IID_IVdsHwProvider);
		IEnumVdsObject *list = NULL;
		HRESULT hr;

		if (!hw)
			continue;
		hr = IVdsHwProvider_QuerySubSystems(hw, &list);
		CLI_RELEASE(hw);
		status = FAILED(hr) ? cli_fail(ctx, hr, p, "the subsystems cannot be listed")
				    : take(ctx, list, CLI_SUBSYSTEM, NULL, out);
	}
	cli_objects_release(&providers);
	return status;
}

static HRESULT query_parts(IVdsSubSystem *sub, enum cli_noun noun, IEnumVdsObject **list)
{
	if (noun == CLI_DRIVE)
		return IVdsSubSystem_QueryDrives(sub, list);
	if (noun == CLI_LUN)
		return IVdsSubSystem_QueryLuns(sub, list);
	return IVdsSubSystem_QueryControllers(sub, list);
}

static int list_ports(struct cli_ctx *ctx, const struct cli_object *sub,
	const struct cli_objects *controllers, struct cli_objects *out)
{
	const struct cli_object *c;
	int status = CLI_OK;

	vec_for_each (controllers, c) {
		IVdsControllerControllerPort *ports =
			cli_object_query(c, &IID_IVdsControllerControllerPort);
		IEnumVdsObject *list = NULL;
		HRESULT hr;

		if (status || !ports) {
			CLI_RELEASE(ports);
			continue;
		}
		hr = IVdsControllerControllerPort_QueryControllerPorts(ports, &list);
		CLI_RELEASE(ports);
		status = FAILED(hr)
				 ? cli_fail(ctx, hr, c,
					   "the ports of controller %u cannot be listed", c->number)
				 : take(ctx, list, CLI_PORT, sub, out);
	}
	return status;
}

/* Drives, LUNs, controllers or ports of one subsystem. */
static int list_parts(struct cli_ctx *ctx, const struct cli_object *sub, enum cli_noun noun,
	struct cli_objects *out)
{
	IVdsSubSystem *s = cli_object_query(sub, &IID_IVdsSubSystem);
	struct cli_objects controllers = {0};
	IEnumVdsObject *list = NULL;
	HRESULT hr = s ? query_parts(s, noun, &list) : E_NOINTERFACE;
	int status;

	CLI_RELEASE(s);
	if (FAILED(hr))
		return cli_fail(ctx, hr, sub, "the %s of subsystem %u cannot be listed",
			cli_nouns[noun].texts, sub->number);
	if (noun != CLI_PORT)
		return take(ctx, list, noun, sub, out);
	status = take(ctx, list, CLI_CONTROLLER, sub, &controllers);
	if (!status)
		status = list_ports(ctx, sub, &controllers, out);
	cli_objects_release(&controllers);
	return status;
}

static int by_number(const void *a, const void *b)
{
	const struct cli_object *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

int cli_session_list(struct cli_ctx *ctx, enum cli_noun noun, struct cli_objects *list)
{
	struct cli_objects subs = {0};
	struct cli_object *s;
	int status;

	if (noun == CLI_PROVIDER) {
		status = list_providers(ctx, list);
	} else if (noun == CLI_SUBSYSTEM) {
		status = list_subsystems(ctx, list);
	} else {
		status = list_subsystems(ctx, &subs);
		vec_for_each (&subs, s) {
			if (!status)
				status = list_parts(ctx, s, noun, list);
		}
		cli_objects_release(&subs);
	}
	if (list->len)
		qsort(list->items, list->len, sizeof(list->items[0]), by_number);
	return status;
}

int cli_session_plexes(struct cli_ctx *ctx, const struct cli_object *lun, struct cli_objects *out)
{
	IVdsLun *l = cli_object_query(lun, &IID_IVdsLun);
	IEnumVdsObject *list = NULL;
	HRESULT hr = l ? IVdsLun_QueryPlexes(l, &list) : E_NOINTERFACE;

	CLI_RELEASE(l);
	if (FAILED(hr))
		return cli_fail(ctx, hr, lun, "the plexes of LUN %u cannot be listed", lun->number);
	return take(ctx, list, CLI_PLEX, NULL, out);
}
