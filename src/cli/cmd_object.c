/* SPDX-License-Identifier: Apache-2.0 */
/* online, offline, status … set, name: what can be done to objects of several kinds. */
#include "cli/common.h"

#include "base/cleanup.h"

#include <string.h>

/* ---- status ---- */

/* The numbers are the same in every status enumeration. */
static const struct status_word {
	const char *word;
	ULONG value;
} status_words[] = {{"unknown", 0}, {"online", 1}, {"not_ready", 2}, {"offline", 4}, {"failed", 5},
	{"removed", 8}};

static HRESULT set_status(const struct cli_object *obj, ULONG value)
{
	static const IID *const iids[CLI_NOUN_COUNT] = {[CLI_SUBSYSTEM] = &IID_IVdsSubSystem,
		[CLI_CONTROLLER] = &IID_IVdsController,
		[CLI_PORT] = &IID_IVdsControllerPort,
		[CLI_DRIVE] = &IID_IVdsDrive,
		[CLI_LUN] = &IID_IVdsLun};
	IUnknown *p = iids[obj->noun] ? cli_object_query(obj, iids[obj->noun]) : NULL;
	HRESULT hr = E_NOINTERFACE;

	if (!p)
		return hr;
	if (obj->noun == CLI_SUBSYSTEM)
		hr = IVdsSubSystem_SetStatus((IVdsSubSystem *)p, (VDS_SUB_SYSTEM_STATUS)value);
	else if (obj->noun == CLI_CONTROLLER)
		hr = IVdsController_SetStatus((IVdsController *)p, (VDS_CONTROLLER_STATUS)value);
	else if (obj->noun == CLI_PORT)
		hr = IVdsControllerPort_SetStatus((IVdsControllerPort *)p, (VDS_PORT_STATUS)value);
	else if (obj->noun == CLI_DRIVE)
		hr = IVdsDrive_SetStatus((IVdsDrive *)p, (VDS_DRIVE_STATUS)value);
	else
		hr = IVdsLun_SetStatus((IVdsLun *)p, (VDS_LUN_STATUS)value);
	CLI_RELEASE(p);
	return hr;
}

static void reread(struct cli_ctx *ctx, struct cli_object *obj)
{
	json_decref(obj->props);
	obj->props = NULL;
	(void)cli_object_props(ctx, obj);
}

static int change_status(struct cli_ctx *ctx, struct cli_object *obj, const struct status_word *s)
{
	bool same = cli_object_int(obj, "status_raw") == (json_int_t)s->value;
	struct cli_diag *d = &ctx->outcome.diag;
	char title[128];
	HRESULT hr;

	cli_object_title(obj, title);
	hr = set_status(obj, s->value);
	if (FAILED(hr)) {
		cli_fail(ctx, hr, obj, "%s was not taken %s", title, s->word);
		if (hr == VDS_E_NOT_SUPPORTED && obj->noun == CLI_DRIVE &&
			s->value == VDS_DRS_OFFLINE)
			cli_diag_fix(d, "status ; list luns where health!=healthy");
		return d->status;
	}
	ctx->outcome.changed = ctx->outcome.changed || (!same && hr == S_OK);
	cli_say(ctx, "%s %s %s.", title, same ? "was already" : "is now", s->word);
	reread(ctx, obj);
	return d->status;
}

static int change_all(struct cli_ctx *ctx, const struct cli_line *line, const struct status_word *s)
{
	struct cli_objects list = {0};
	json_t *rows = json_array();
	struct cli_object *o;
	int status = cli_session_targets(ctx, line, &list);

	vec_for_each (&list, o) {
		if (status || cli_plan(ctx, line, "%s %u is taken %s", cli_nouns[o->noun].text,
				      o->number, s->word))
			continue;
		status = change_status(ctx, o, s);
		if (o->props)
			json_array_append(rows, o->props);
	}
	if (!status && !cli_dry_run(ctx, line))
		cli_result_rows(ctx, json_incref(rows));
	json_decref(rows);
	cli_objects_release(&list);
	return status;
}

int cli_cmd_online(struct cli_ctx *ctx, const struct cli_line *line)
{
	return change_all(ctx, line, &status_words[1]);
}

int cli_cmd_offline(struct cli_ctx *ctx, const struct cli_line *line)
{
	return change_all(ctx, line, &status_words[3]);
}

int cli_set_status_word(struct cli_ctx *ctx, const struct cli_line *line, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(status_words); i++)
		if (!strcmp(status_words[i].word, word))
			return change_all(ctx, line, &status_words[i]);
	return cli_diag_set(
		&ctx->outcome.diag, CLI_INTERNAL, NULL, NULL, "unknown status %s", word);
}

/* ---- name ---- */

static HRESULT set_name(const struct cli_object *obj, const char *text)
{
	IVdsSubSystemNaming *s = NULL;
	IVdsLunNaming *l = NULL;
	cleanup_free WCHAR *wide = cli_wide(text);
	HRESULT hr = E_NOINTERFACE;

	if (!wide)
		return E_OUTOFMEMORY;
	if (obj->noun == CLI_LUN) {
		l = cli_object_query(obj, &IID_IVdsLunNaming);
		hr = l ? IVdsLunNaming_SetFriendlyName(l, wide) : hr;
	} else {
		s = cli_object_query(obj, &IID_IVdsSubSystemNaming);
		hr = s ? IVdsSubSystemNaming_SetFriendlyName(s, wide) : hr;
	}
	CLI_RELEASE(l);
	CLI_RELEASE(s);
	return hr;
}

int cli_cmd_name(struct cli_ctx *ctx, const struct cli_line *line)
{
	const char *text = line->word_count ? line->words[0] : "", *old, *new;
	struct cli_object obj = {0};
	char title[128], before[256];
	HRESULT hr;
	int status = cli_session_target(ctx, line, &obj);

	if (status || cli_plan(ctx, line, "%s %u is called \"%s\"", cli_nouns[obj.noun].text,
			      obj.number, text))
		goto out;
	old = cli_object_text(&obj, "friendly_name");
	snprintf(before, sizeof(before), "%s", old ? old : "");
	hr = set_name(&obj, text);
	if (FAILED(hr)) {
		status = cli_fail(
			ctx, hr, &obj, "%s was not renamed", cli_object_title(&obj, title));
		goto out;
	}
	if (hr == VDS_S_NAME_TRUNCATED)
		cli_warn(ctx, "the name was shortened to 63 characters");
	reread(ctx, &obj);
	new = cli_object_text(&obj, "friendly_name");
	ctx->outcome.changed = strcmp(before, new ? new : "") != 0;
	if (new)
		cli_say(ctx, "%s %u is now called %s.", obj.noun == CLI_LUN ? "LUN" : "Subsystem",
			obj.number, new);
	else
		cli_say(ctx, "%s %u has no name now.", obj.noun == CLI_LUN ? "LUN" : "Subsystem",
			obj.number);
	if (obj.props)
		cli_result(ctx, json_incref(obj.props));
	status = ctx->outcome.diag.status;
out:
	cli_object_release(&obj);
	return status;
}
