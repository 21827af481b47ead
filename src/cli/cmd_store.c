/* SPDX-License-Identifier: Apache-2.0 */
/* create subsystem, add drive, remove drive: what a store consists of. */
#include "cli/common.h"

#include "base/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* ---- paths ---- */

/* A path from the root, also of a file that does not exist yet. */
static bool absolute_path(const char *path, char *out, size_t size)
{
	char cwd[PATH_MAX];
	int n;

	if (path[0] == '/')
		n = snprintf(out, size, "%s", path);
	else if (getcwd(cwd, sizeof(cwd)))
		n = snprintf(out, size, "%s/%s", cwd, path);
	else
		return false;
	return n >= 0 && (size_t)n < size;
}

/* The folder drives of the store, which is made when it is not there. */
static int drives_folder(struct cli_ctx *ctx, char *out, size_t size)
{
	const char *store = ctx->opt.store ? ctx->opt.store : getenv("VDS_STORE");
	char path[PATH_MAX];

	if (!store || !absolute_path(store, path, sizeof(path) - 8) ||
		snprintf(out, size, "%s/drives", path) >= (int)size)
		return cli_diag_set(&ctx->outcome.diag, CLI_FAILED, NULL, NULL,
			"the path of the store is too long");
	if (!mkdir(out, 0700) || errno == EEXIST)
		return CLI_OK;
	return cli_diag_set(&ctx->outcome.diag, CLI_FAILED, strerror(errno), NULL,
		"the folder %s cannot be made", out);
}

/* ---- drives ---- */

/* AddDrive, with the new drive's properties appended to rows. size 0: the file exists. */
static int add_drive(struct cli_ctx *ctx, const struct cli_object *sub, const char *path, int bus,
	int slot, uint64_t size, struct cli_object *drive)
{
	IVdsxSubSystem *s = cli_object_query(sub, &IID_IVdsxSubSystem);
	cleanup_free WCHAR *wide = cli_wide(path);
	IVdsDrive *d = NULL;
	HRESULT hr = !wide ? E_OUTOFMEMORY : !s ? E_NOINTERFACE : S_OK;

	if (SUCCEEDED(hr))
		hr = IVdsxSubSystem_AddDrive(s, wide, (SHORT)bus, (SHORT)slot, size, &d);
	CLI_RELEASE(s);
	if (FAILED(hr)) {
		if (bus >= 0)
			return cli_fail(
				ctx, hr, NULL, "%s cannot be put into slot %d.%d", path, bus, slot);
		return cli_fail(ctx, hr, NULL, "%s cannot be added as a drive", path);
	}
	ctx->outcome.changed = true;
	cli_object_wrap(drive, CLI_DRIVE, d, sub);
	return cli_object_props(ctx, drive);
}

int cli_cmd_add_drive(struct cli_ctx *ctx, const struct cli_line *line)
{
	const struct cli_value *slot = cli_line_value(line, "slot"),
			       *size = cli_line_value(line, "size");
	struct cli_object sub = {0}, drive = {0};
	char path[PATH_MAX], title[128], text[32];
	int status = cli_session_subsystem(ctx, line, &sub);

	if (!status && !absolute_path(cli_line_value(line, "path")->text, path, sizeof(path)))
		status = cli_diag_set(
			&ctx->outcome.diag, CLI_FAILED, NULL, NULL, "the path is too long");
	if (status || cli_plan(ctx, line, "%s becomes a drive of subsystem %u", path, sub.number))
		goto out;
	status = add_drive(ctx, &sub, path, slot ? slot->bus : -1, slot ? slot->slot : -1,
		size ? size->number : 0, &drive);
	if (status)
		goto out;
	cli_say(ctx, "%s, %s, was added.", cli_object_title(&drive, title),
		cli_size(ctx, (uint64_t)cli_object_int(&drive, "size_bytes"), text));
	cli_result(ctx, json_incref(drive.props));
out:
	cli_object_release(&drive);
	cli_object_release(&sub);
	return status;
}

static int remove_one(struct cli_ctx *ctx, const struct cli_object *drive)
{
	struct cli_object sub = {.noun = CLI_SUBSYSTEM, .unk = (IUnknown *)drive->subsystem};
	IVdsxSubSystem *s = cli_object_query(&sub, &IID_IVdsxSubSystem);
	HRESULT hr = s ? IVdsxSubSystem_RemoveDrive(s, drive->id) : E_NOINTERFACE;
	char title[128];

	CLI_RELEASE(s);
	if (FAILED(hr))
		return cli_fail(ctx, hr, drive, "drive %u was not taken out", drive->number);
	ctx->outcome.changed = true;
	cli_say(ctx, "%s was taken out. Its file %s is unchanged.", cli_object_title(drive, title),
		cli_object_text(drive, "path") ? cli_object_text(drive, "path") : "");
	return CLI_OK;
}

int cli_cmd_remove_drive(struct cli_ctx *ctx, const struct cli_line *line)
{
	struct cli_objects list = {0};
	json_t *rows = json_array();
	struct cli_object *o;
	int status = cli_session_targets(ctx, line, &list);

	vec_for_each (&list, o) {
		if (status || cli_plan(ctx, line, "drive %u is taken out of its slot", o->number))
			continue;
		status = remove_one(ctx, o);
		json_array_append(rows, o->props);
	}
	if (!status && !cli_dry_run(ctx, line))
		cli_result_rows(ctx, json_incref(rows));
	json_decref(rows);
	cli_objects_release(&list);
	return status;
}

/* ---- subsystems ---- */

static int make_subsystem(struct cli_ctx *ctx, const struct cli_line *line, struct cli_object *sub)
{
	const struct cli_value *name = cli_line_value(line, "name"),
			       *faults = cli_line_value(line, "faults");
	cleanup_free WCHAR *wide = name ? cli_wide(name->text) : NULL;
	ULONG flags = faults && faults->number ? VDSX_SUBSYSTEM_ALLOW_FAULTS : 0;
	IVdsSubSystem *s = NULL;
	HRESULT hr = name && !wide ? E_OUTOFMEMORY : ctx->session->hw ? S_OK : E_NOINTERFACE;

	if (SUCCEEDED(hr))
		hr = IVdsxHwProvider_CreateSubSystem(ctx->session->hw, wide, flags, &s);
	if (FAILED(hr))
		return cli_fail(ctx, hr, NULL, "the subsystem was not created");
	ctx->outcome.changed = true;
	cli_object_wrap(sub, CLI_SUBSYSTEM, s, NULL);
	return cli_object_props(ctx, sub);
}

/* The file drives of a new subsystem, in slots 0.0, 0.1, … */
static int make_drives(struct cli_ctx *ctx, const struct cli_object *sub,
	const struct cli_value *drives, json_t *rows)
{
	char folder[PATH_MAX - 64], path[PATH_MAX];
	struct cli_diag *d = &ctx->outcome.diag;

	if (drives_folder(ctx, folder, sizeof(folder)))
		return d->status;
	for (unsigned i = 0; i < drives->number; i++) {
		struct cli_object drive = {0};

		if (sub->number)
			snprintf(path, sizeof(path), "%s/%u-0.%u.img", folder, sub->number, i);
		else
			snprintf(path, sizeof(path), "%s/0.%u.img", folder, i);
		if (add_drive(ctx, sub, path, 0, (int)i, drives->bytes, &drive)) {
			size_t len = strlen(d->cause);

			snprintf(d->cause + len, sizeof(d->cause) - len,
				"%ssubsystem %u is there with %u of %u drives", len ? "; " : "",
				sub->number, i, (unsigned)drives->number);
			return d->status;
		}
		json_array_append(rows, drive.props);
		cli_object_release(&drive);
	}
	return CLI_OK;
}

int cli_cmd_create_subsystem(struct cli_ctx *ctx, const struct cli_line *line)
{
	const struct cli_value *drives = cli_line_value(line, "drives");
	struct cli_object sub = {0};
	json_t *rows = json_array();
	char size[32];
	int status;

	if (cli_plan(ctx, line, "a subsystem is made in the store")) {
		json_decref(rows);
		return CLI_OK;
	}
	status = make_subsystem(ctx, line, &sub);
	if (!status && drives)
		status = make_drives(ctx, &sub, drives, rows);
	if (!status) {
		if (drives && drives->number == 1)
			cli_say(ctx, "Subsystem %u was created with 1 drive of %s in slot 0.0.",
				sub.number, cli_size(ctx, drives->bytes, size));
		else if (drives)
			cli_say(ctx,
				"Subsystem %u was created with %u drives of %s in slots 0.0 to "
				"0.%u.",
				sub.number, (unsigned)drives->number,
				cli_size(ctx, drives->bytes, size), (unsigned)drives->number - 1);
		else
			cli_say(ctx, "Subsystem %u was created. add drive puts drives into it.",
				sub.number);
		json_object_set(sub.props, "drives", rows);
		cli_result(ctx, json_incref(sub.props));
	}
	json_decref(rows);
	cli_object_release(&sub);
	return status;
}
