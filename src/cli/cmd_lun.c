/* SPDX-License-Identifier: Apache-2.0 */
/* create lun, delete lun, recover lun, extend and shrink lun. */
#include "cli/common.h"

#include "base/cleanup.h"
#include "cli/hints.h"
#include "cli/relations.h"

#include <string.h>

/* What create lun asks for. */
struct wish {
	VDS_LUN_TYPE type;
	uint64_t size;
	GUID *drives; /* malloc'd */
	LONG count;
	VDS_HINTS2 hints;
	bool second; /* CreateLun2: for the types that CreateLun does not know, and automagic */
};

static VDS_LUN_TYPE type_named(const struct cli_ctx *ctx, const char *word)
{
	const struct idl_enum_member *m;

	if (!strcmp(word, "raid"))
		return VDS_LT_PARITY;
	if (!strcmp(word, "automagic"))
		return ctx->hint_ftl < 0 ? VDS_LT_DEFAULT
		       : ctx->hint_ftl   ? VDS_LT_FAULT_TOLERANT
					 : VDS_LT_NON_FAULT_TOLERANT;
	m = idl_enum_named(&idl_enum_VDS_LUN_TYPE, word);
	return m ? (VDS_LUN_TYPE)m->value : VDS_LT_UNKNOWN;
}

static int read_wish(struct cli_ctx *ctx, const struct cli_line *line, struct wish *w)
{
	const struct cli_value *size = cli_line_value(line, "size"),
			       *drives = cli_line_value(line, "drives"),
			       *stripe = cli_line_value(line, "stripesize");
	bool automagic = cli_line_word_is(line, 0, "automagic");

	memset(w, 0, sizeof(*w));
	w->type = type_named(ctx, line->words[0]);
	w->second = w->type > VDS_LT_PARITY || automagic;
	if (automagic)
		w->hints = ctx->hints;
	if (stripe && stripe->number > UINT32_MAX)
		return cli_diag_set(&ctx->outcome.diag, CLI_SYNTAX, NULL,
			"for example stripesize=64KB", "the stripe size %s is too large",
			stripe->text);
	if (stripe)
		w->hints.ulStripeSize = (ULONG)stripe->number;
	if (!size && (!drives || automagic))
		return cli_diag_set(&ctx->outcome.diag, CLI_SYNTAX, "the LUN's size is not known",
			line->command->examples[0].command,
			automagic ? "size= is missing" : "size= or drives= is missing");
	if (size && !size->number)
		return cli_diag_set(&ctx->outcome.diag, CLI_SYNTAX, NULL, "for example size=128MB",
			"a LUN of no size is no LUN");
	if (drives && automagic)
		return cli_diag_set(&ctx->outcome.diag, CLI_SYNTAX,
			"with automagic the array chooses the drives", NULL,
			"create lun automagic takes no drives=");
	w->size = size ? size->number : 0;
	return drives ? cli_drive_ids(ctx, drives, &w->drives, &w->count) : CLI_OK;
}

/* The subsystem asked for, or the one that the drives named are in. */
static int find_subsystem(struct cli_ctx *ctx, const struct cli_line *line, struct cli_object *sub)
{
	const struct cli_value *drives = cli_line_value(line, "drives");
	struct cli_objects found = {0};
	int status;

	if (!drives || cli_line_value(line, "subsystem"))
		return cli_session_subsystem(ctx, line, sub);
	status = cli_session_find(ctx, CLI_DRIVE, &drives->sels, &found);
	if (!status) {
		IVdsSubSystem *s = found.items[0].subsystem;

		IVdsSubSystem_AddRef(s);
		cli_object_wrap(sub, CLI_SUBSYSTEM, s, NULL);
	}
	cli_objects_release(&found);
	return status;
}

static HRESULT max_size(const struct cli_object *sub, struct wish *w, ULONGLONG *size)
{
	IVdsSubSystem2 *s2 = w->second ? cli_object_query(sub, &IID_IVdsSubSystem2) : NULL;
	IVdsSubSystem *s = w->second ? NULL : cli_object_query(sub, &IID_IVdsSubSystem);
	VDS_HINTS hints;
	HRESULT hr = E_NOINTERFACE;

	cli_hints_narrow(&w->hints, &hints);
	if (s2)
		hr = IVdsSubSystem2_QueryMaxLunCreateSize2(
			s2, w->type, w->drives, w->count, &w->hints, size);
	else if (s)
		hr = IVdsSubSystem_QueryMaxLunCreateSize(
			s, w->type, w->drives, w->count, &hints, size);
	CLI_RELEASE(s2);
	CLI_RELEASE(s);
	return hr;
}

static HRESULT create(const struct cli_object *sub, struct wish *w, IVdsAsync **async)
{
	IVdsSubSystem2 *s2 = w->second ? cli_object_query(sub, &IID_IVdsSubSystem2) : NULL;
	IVdsSubSystem *s = w->second ? NULL : cli_object_query(sub, &IID_IVdsSubSystem);
	WCHAR nobody[1] = {0};
	VDS_HINTS hints;
	HRESULT hr = E_NOINTERFACE;

	cli_hints_narrow(&w->hints, &hints);
	if (s2)
		hr = IVdsSubSystem2_CreateLun2(
			s2, w->type, w->size, w->drives, w->count, nobody, &w->hints, async);
	else if (s)
		hr = IVdsSubSystem_CreateLun(
			s, w->type, w->size, w->drives, w->count, nobody, &hints, async);
	CLI_RELEASE(s2);
	CLI_RELEASE(s);
	return hr;
}

static int plan_lun(struct cli_ctx *ctx, const struct cli_line *line, const struct cli_object *sub,
	struct wish *w, HRESULT max_hr, ULONGLONG max)
{
	char size[32], largest[32];

	(void)sub;
	if (FAILED(max_hr))
		return cli_fail(ctx, max_hr, NULL, "a %s LUN would be refused", line->words[0]);
	cli_size(ctx, w->size ? w->size : max, size);
	cli_size(ctx, max, largest);
	if (w->size > max)
		return cli_fail(ctx, VDS_E_NOT_ENOUGH_SPACE, NULL,
			"a %s LUN of %s would be refused: the largest possible is %s",
			line->words[0], size, largest);
	cli_plan(ctx, line, "a %s LUN of %s is created; the largest possible is %s", line->words[0],
		size, largest);
	return CLI_OK;
}

/* Waits for the creation and takes the LUN from the output. */
static int take_lun(struct cli_ctx *ctx, const struct cli_line *line, const struct cli_object *sub,
	IVdsAsync *async, struct cli_object *lun)
{
	struct cli_wait w;
	int status = cli_wait_async(ctx, line, async, "creating the LUN", &w);

	if (status || !w.finished)
		return status;
	if (FAILED(w.hr))
		return cli_fail(ctx, w.hr, NULL, "the LUN was not created");
	if (w.out.type != VDS_ASYNCOUT_CREATELUN || !w.out.cl.pLunUnk)
		return cli_fail(ctx, E_UNEXPECTED, NULL,
			"the provider claims to have created a LUN but returned none");
	ctx->outcome.changed = true;
	cli_object_wrap(lun, CLI_LUN, w.out.cl.pLunUnk, sub);
	return CLI_OK;
}

static int name_lun(struct cli_ctx *ctx, const struct cli_value *name, const struct cli_object *lun)
{
	IVdsLunNaming *n = cli_object_query(lun, &IID_IVdsLunNaming);
	cleanup_free WCHAR *wide = cli_wide(name->text);
	HRESULT hr = !n      ? E_NOINTERFACE
		     : !wide ? E_OUTOFMEMORY
			     : IVdsLunNaming_SetFriendlyName(n, wide);

	CLI_RELEASE(n);
	if (FAILED(hr))
		return cli_fail(
			ctx, hr, lun, "LUN %u was created but could not be named", lun->number);
	if (hr == VDS_S_NAME_TRUNCATED)
		cli_warn(ctx, "the name was shortened to 63 characters");
	return CLI_OK;
}

/* " (rounded up from 5 MB)", or nothing when the LUN is as large as was asked for. */
static const char *rounded_from(struct cli_ctx *ctx, const struct cli_line *line,
	const struct cli_object *lun, char *buf, size_t size)
{
	const struct cli_value *asked = cli_line_value(line, "size");
	char text[32];

	buf[0] = 0;
	if (asked && (uint64_t)cli_object_int(lun, "size_bytes") > asked->number)
		snprintf(buf, size, " (rounded up from %s)", cli_size(ctx, asked->number, text));
	return buf;
}

static void check_stripe(
	struct cli_ctx *ctx, const struct cli_line *line, const struct cli_object *lun)
{
	const struct cli_value *asked = cli_line_value(line, "stripesize");
	uint64_t got = (uint64_t)cli_object_int(lun, "stripe_size_bytes");
	char text[32];

	if (!asked || !asked->number || asked->number == got)
		return;
	if (got)
		cli_warn(ctx, "stripesize=%s is not possible here, the stripe size is %s",
			asked->text, cli_size(ctx, got, text));
	else
		cli_warn(ctx, "stripesize=%s has no effect, LUN %u has no stripes", asked->text,
			lun->number);
}

static int report_lun(struct cli_ctx *ctx, const struct cli_line *line, struct cli_object *lun)
{
	struct cli_index drives = {0};
	char title[128], size[32], list[300], rounded[64];
	int status = cli_object_props(ctx, lun);

	if (!status)
		status = cli_index_read(ctx, CLI_DRIVE, &drives);
	if (!status) {
		cli_add_members(lun->props, lun, &drives);
		check_stripe(ctx, line, lun);
		cli_say(ctx, "%s, %s, %s%s, was created on drive%s %s.",
			cli_object_title(lun, title),
			cli_object_text(lun, "type") ? cli_object_text(lun, "type")
						     : line->words[0],
			cli_size(ctx, (uint64_t)cli_object_int(lun, "size_bytes"), size),
			rounded_from(ctx, line, lun, rounded, sizeof(rounded)),
			json_array_size(json_object_get(lun->props, "drives")) == 1 ? "" : "s",
			cli_number_list(json_object_get(lun->props, "drives"), list, sizeof(list)));
		cli_result(ctx, json_incref(lun->props));
	}
	cli_index_release(&drives);
	return status;
}

/* Too large: what would have been possible? */
static int refuse_lun(struct cli_ctx *ctx, const struct cli_line *line,
	const struct cli_object *sub, struct wish *w, HRESULT hr)
{
	ULONGLONG max = 0;
	char size[32];

	cli_fail(ctx, hr, NULL, "the %s LUN was not created", line->words[0]);
	if (hr == VDS_E_NOT_ENOUGH_SPACE && SUCCEEDED(max_size(sub, w, &max)) && max) {
		cli_diag_cause(&ctx->outcome.diag, "the largest possible is %s (%llu bytes)",
			cli_size(ctx, max, size), (unsigned long long)max);
		cli_diag_fix(&ctx->outcome.diag, "list drives ; add drive path=FILE size=SIZE");
	}
	return ctx->outcome.diag.status;
}

int cli_cmd_create_lun(struct cli_ctx *ctx, const struct cli_line *line)
{
	const struct cli_value *name = cli_line_value(line, "name");
	struct cli_object sub = {0}, lun = {0};
	struct wish w = {0};
	IVdsAsync *async = NULL;
	ULONGLONG max = 0;
	HRESULT hr;
	int status = read_wish(ctx, line, &w);

	if (!status)
		status = find_subsystem(ctx, line, &sub);
	if (status)
		goto out;
	if (cli_dry_run(ctx, line) || !w.size) {
		hr = max_size(&sub, &w, &max);
		if (cli_dry_run(ctx, line))
			status = plan_lun(ctx, line, &sub, &w, hr, max);
		else if (FAILED(hr))
			status = cli_fail(
				ctx, hr, NULL, "the %s LUN was not created", line->words[0]);
		w.size = max;
	}
	if (status || cli_dry_run(ctx, line))
		goto out;
	hr = create(&sub, &w, &async);
	if (FAILED(hr))
		status = refuse_lun(ctx, line, &sub, &w, hr);
	else
		status = take_lun(ctx, line, &sub, async, &lun);
	if (!status && lun.unk && name)
		status = name_lun(ctx, name, &lun);
	if (!status && lun.unk)
		status = report_lun(ctx, line, &lun);
out:
	free(w.drives);
	cli_object_release(&lun);
	cli_object_release(&sub);
	return status;
}

/* ---- delete ---- */

static int delete_one(struct cli_ctx *ctx, const struct cli_object *lun)
{
	IVdsLun *l = cli_object_query(lun, &IID_IVdsLun);
	HRESULT hr = l ? IVdsLun_Delete(l) : E_NOINTERFACE;
	char title[128];

	CLI_RELEASE(l);
	if (FAILED(hr))
		return cli_fail(ctx, hr, lun, "LUN %u was not deleted", lun->number);
	ctx->outcome.changed = true;
	if (cli_focus_is(&ctx->focus, CLI_LUN, lun->number))
		cli_focus_clear(&ctx->focus, CLI_LUN);
	cli_say(ctx, "%s was deleted.", cli_object_title(lun, title));
	return CLI_OK;
}

int cli_cmd_delete_lun(struct cli_ctx *ctx, const struct cli_line *line)
{
	struct cli_objects list = {0};
	json_t *rows = json_array();
	struct cli_object *o;
	char title[128], size[32];
	int status = cli_session_targets(ctx, line, &list);

	vec_for_each (&list, o) {
		if (status ||
			cli_plan(ctx, line, "LUN %u is deleted with all data on it", o->number))
			continue;
		status = cli_confirm(ctx, line, "%s, %s, is deleted with all data on it.",
			cli_object_title(o, title),
			cli_size(ctx, (uint64_t)cli_object_int(o, "size_bytes"), size));
		if (!status)
			status = delete_one(ctx, o);
		json_array_append(rows, o->props);
	}
	if (!status && !cli_dry_run(ctx, line))
		cli_result_rows(ctx, json_incref(rows));
	json_decref(rows);
	cli_objects_release(&list);
	return status;
}

/* ---- jobs on a LUN ---- */

/* The end of recover, extend and shrink: the LUN's new properties as result. */
static int finish_job(struct cli_ctx *ctx, const struct cli_line *line, struct cli_object *lun,
	IVdsAsync *async, const char *what)
{
	char title[64];
	struct cli_wait w;
	int status;

	snprintf(title, sizeof(title), "%s of LUN %u", what, lun->number);
	status = cli_wait_async(ctx, line, async, title, &w);
	if (status)
		return status;
	ctx->outcome.changed = true;
	if (w.finished && FAILED(w.hr))
		return cli_fail(ctx, w.hr, lun, "the %s failed", title);
	json_decref(lun->props);
	lun->props = NULL;
	status = cli_object_props(ctx, lun);
	if (!status)
		cli_result(ctx, json_incref(lun->props));
	if (!w.finished)
		cli_say(ctx, "The %s has begun as job %lld.", title,
			(long long)json_integer_value(json_object_get(ctx->outcome.job, "number")));
	return status;
}

static bool job_ended(const struct cli_ctx *ctx)
{
	const char *state = json_string_value(json_object_get(ctx->outcome.job, "state"));

	return !ctx->outcome.job || !state || !strcmp(state, "done");
}

int cli_cmd_recover_lun(struct cli_ctx *ctx, const struct cli_line *line)
{
	struct cli_object lun = {0};
	IVdsAsync *async = NULL;
	IVdsLun *l;
	HRESULT hr;
	int status = cli_session_target(ctx, line, &lun);

	if (status)
		return status;
	if (cli_plan(ctx, line, "the recovery of LUN %u is started", lun.number))
		goto out;
	l = cli_object_query(&lun, &IID_IVdsLun);
	hr = l ? IVdsLun_Recover(l, &async) : E_NOINTERFACE;
	CLI_RELEASE(l);
	if (hr == VDS_E_INVALID_OPERATION) {
		status = cli_fail(ctx, hr, &lun, "LUN %u (%s) is not fault tolerant", lun.number,
			cli_object_text(&lun, "type"));
		cli_diag_fix(&ctx->outcome.diag, "status lun %u", lun.number);
	} else if (FAILED(hr)) {
		status = cli_fail(ctx, hr, &lun, "the recovery of LUN %u cannot start", lun.number);
	} else {
		status = finish_job(ctx, line, &lun, async, "recovery");
	}
	if (!status && job_ended(ctx))
		cli_say(ctx, "The recovery of LUN %u completed.", lun.number);
out:
	cli_object_release(&lun);
	return status;
}

int cli_cmd_extend_lun(struct cli_ctx *ctx, const struct cli_line *line)
{
	const struct cli_value *size = cli_line_value(line, "size"),
			       *drives = cli_line_value(line, "drives");
	struct cli_object lun = {0};
	cleanup_free GUID *ids = NULL;
	ULONGLONG bytes = size ? size->number : 0;
	IVdsAsync *async = NULL;
	IVdsLun *l = NULL;
	char text[32];
	LONG count = 0;
	HRESULT hr = S_OK;
	int status;

	if (!size && !drives)
		return cli_diag_set(&ctx->outcome.diag, CLI_SYNTAX, NULL,
			line->command->examples[0].command, "size= or drives= is missing");
	status = cli_session_target(ctx, line, &lun);
	if (!status && drives)
		status = cli_drive_ids(ctx, drives, &ids, &count);
	if (status)
		goto out;
	l = cli_object_query(&lun, &IID_IVdsLun);
	if (l && !size)
		hr = IVdsLun_QueryMaxLunExtendSize(l, ids, count, &bytes);
	if (SUCCEEDED(hr) && cli_plan(ctx, line, "LUN %u becomes %s larger", lun.number,
				     cli_size(ctx, bytes, text)))
		goto out;
	if (SUCCEEDED(hr))
		hr = l ? IVdsLun_Extend(l, bytes, ids, count, &async) : E_NOINTERFACE;
	status = FAILED(hr) ? cli_fail(ctx, hr, &lun, "LUN %u was not extended", lun.number)
			    : finish_job(ctx, line, &lun, async, "extension");
	if (!status && job_ended(ctx))
		cli_say(ctx, "LUN %u has %s now.", lun.number,
			cli_size(ctx, (uint64_t)cli_object_int(&lun, "size_bytes"), text));
out:
	CLI_RELEASE(l);
	cli_object_release(&lun);
	return status;
}

int cli_cmd_shrink_lun(struct cli_ctx *ctx, const struct cli_line *line)
{
	uint64_t bytes = cli_line_value(line, "size")->number;
	struct cli_object lun = {0};
	IVdsAsync *async = NULL;
	IVdsLun *l = NULL;
	char text[32], title[128];
	HRESULT hr;
	int status = cli_session_target(ctx, line, &lun);

	if (status || cli_plan(ctx, line, "LUN %u loses its last %s", lun.number,
			      cli_size(ctx, bytes, text)))
		goto out;
	status = cli_confirm(ctx, line, "%s loses its last %s and what is stored there.",
		cli_object_title(&lun, title), cli_size(ctx, bytes, text));
	if (status)
		goto out;
	l = cli_object_query(&lun, &IID_IVdsLun);
	hr = l ? IVdsLun_Shrink(l, bytes, &async) : E_NOINTERFACE;
	status = FAILED(hr) ? cli_fail(ctx, hr, &lun, "LUN %u was not made smaller", lun.number)
			    : finish_job(ctx, line, &lun, async, "shrinking");
	if (!status && job_ended(ctx))
		cli_say(ctx, "LUN %u has %s now.", lun.number,
			cli_size(ctx, (uint64_t)cli_object_int(&lun, "size_bytes"), text));
out:
	CLI_RELEASE(l);
	cli_object_release(&lun);
	return status;
}
