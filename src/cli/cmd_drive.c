/* SPDX-License-Identifier: Apache-2.0 */
/* setflag, replace, reenumerate, refresh, and the controller's cache. */
#include "cli/common.h"

#include <string.h>

/* ---- spares ---- */

static int set_spare(struct cli_ctx *ctx, struct cli_object *drive, bool spare)
{
	bool was = cli_object_int(drive, "flags_raw") & VDS_DRF_HOTSPARE;
	IVdsDrive *d = cli_object_query(drive, &IID_IVdsDrive);
	char title[128];
	HRESULT hr = E_NOINTERFACE;

	if (d)
		hr = spare ? IVdsDrive_SetFlags(d, VDS_DRF_HOTSPARE)
			   : IVdsDrive_ClearFlags(d, VDS_DRF_HOTSPARE);
	CLI_RELEASE(d);
	cli_object_title(drive, title);
	if (FAILED(hr))
		return cli_fail(ctx, hr, drive,
			spare ? "%s was not made a hot spare" : "%s remains a hot spare", title);
	ctx->outcome.changed = ctx->outcome.changed || was != spare;
	if (spare)
		cli_say(ctx, "%s %s a hot spare.", title, was ? "already was" : "is now");
	else
		cli_say(ctx, "%s %s a hot spare.", title, was ? "is no longer" : "was not");
	json_decref(drive->props);
	drive->props = NULL;
	return cli_object_props(ctx, drive);
}

int cli_cmd_setflag(struct cli_ctx *ctx, const struct cli_line *line)
{
	bool spare = cli_line_value(line, "hotspare")->number;
	struct cli_objects list = {0};
	json_t *rows = json_array();
	struct cli_object *o;
	int status = cli_session_targets(ctx, line, &list);

	vec_for_each (&list, o) {
		if (status || cli_plan(ctx, line, "drive %u %s a hot spare", o->number,
				      spare ? "becomes" : "is no longer"))
			continue;
		status = set_spare(ctx, o, spare);
		if (o->props)
			json_array_append(rows, o->props);
	}
	if (!status && !cli_dry_run(ctx, line))
		cli_result_rows(ctx, json_incref(rows));
	json_decref(rows);
	cli_objects_release(&list);
	return status;
}

/* ---- replace ---- */

/* The word after "with" as a drive. */
static int new_drive(struct cli_ctx *ctx, const struct cli_line *line, struct cli_object *out)
{
	static const struct cli_option option = {
		.name = "with", .type = CLI_SELECTOR, .noun = CLI_DRIVE};
	struct cli_value value = {.option = &option};
	int status;

	if (line->word_count < 3 || !line->words[0] || !line->words[2])
		return cli_diag_set(&ctx->outcome.diag, CLI_SYNTAX, "the new drive is missing",
			line->command->examples[0].command, "replace drive: by which?");
	value.text = line->words[2];
	status = cli_parse_selectors(value.text, &value.sels, &ctx->outcome.diag);
	if (!status)
		status = cli_session_option(ctx, &value, out);
	cli_sels_release(&value.sels);
	return status;
}

/* "replace drive 3 with drive 7", or "replace drive=3" by the drive in focus. */
static int find_pair(struct cli_ctx *ctx, const struct cli_line *line, struct cli_object *old,
	struct cli_object *new)
{
	struct cli_line focus = *line;
	int status;

	if (line->noun) {
		status = cli_session_target(ctx, line, old);
		return status ? status : new_drive(ctx, line, new);
	}
	focus.noun = CLI_DRIVE;
	focus.target = (struct cli_sels){0};
	status = cli_session_option(ctx, cli_line_value(line, "drive"), old);
	return status ? status : cli_session_target(ctx, &focus, new);
}

int cli_cmd_replace_drive(struct cli_ctx *ctx, const struct cli_line *line)
{
	struct cli_object old = {0}, new = {0};
	char a[128], b[128];
	HRESULT hr;
	int status = find_pair(ctx, line, &old, &new);

	if (status ||
		cli_plan(ctx, line, "drive %u takes the place of drive %u", new.number, old.number))
		goto out;
	cli_object_title(&old, a);
	cli_object_title(&new, b);
	status = cli_confirm(ctx, line, "%s takes the place of %s; what is on it is lost.", b, a);
	if (status)
		goto out;
	hr = IVdsSubSystem_ReplaceDrive(old.subsystem, old.id, new.id);
	if (FAILED(hr)) {
		status = cli_fail(ctx, hr, &old, "%s was not replaced", a);
		goto out;
	}
	ctx->outcome.changed = true;
	cli_say(ctx, "%s is being replaced by %s.", a, b);
	cli_result_set(ctx, "old", json_integer(old.number));
	cli_result_set(ctx, "new", json_integer(new.number));
out:
	cli_object_release(&old);
	cli_object_release(&new);
	return status;
}

/* ---- reenumerate, refresh ---- */

static int find_hw(struct cli_ctx *ctx, const struct cli_line *line, IVdsHwProvider **hw)
{
	struct cli_line any = *line;
	struct cli_object p = {0};
	int status = CLI_OK;

	*hw = NULL;
	any.noun = CLI_PROVIDER;
	if (line->noun != CLI_PROVIDER)
		any.target = (struct cli_sels){0};
	if (!any.target.len && !ctx->focus.set[CLI_PROVIDER] && ctx->session->provider)
		(void)IVdsProvider_QueryInterface(
			ctx->session->provider, &IID_IVdsHwProvider, (void **)hw);
	if (*hw)
		return CLI_OK;
	status = cli_session_target(ctx, &any, &p);
	if (!status) {
		*hw = cli_object_query(&p, &IID_IVdsHwProvider);
		if (!*hw)
			status = cli_fail(
				ctx, E_NOINTERFACE, &p, "provider %u runs no arrays", p.number);
	}
	cli_object_release(&p);
	return status;
}

static int reenumerate_drives(struct cli_ctx *ctx, const struct cli_line *line)
{
	struct cli_object sub = {0};
	IVdsSubSystem *s;
	HRESULT hr;
	int status = cli_session_subsystem(ctx, line, &sub);

	if (status || cli_plan(ctx, line, "subsystem %u looks for drives", sub.number))
		goto out;
	s = cli_object_query(&sub, &IID_IVdsSubSystem);
	hr = s ? IVdsSubSystem_Reenumerate(s) : E_NOINTERFACE;
	CLI_RELEASE(s);
	if (FAILED(hr))
		status = cli_fail(ctx, hr, &sub, "the drives of subsystem %u were not reenumerated",
			sub.number);
	else
		cli_say(ctx, "The drives of subsystem %u were reenumerated.", sub.number);
out:
	cli_object_release(&sub);
	return status;
}

int cli_cmd_reenumerate(struct cli_ctx *ctx, const struct cli_line *line)
{
	IVdsHwProvider *hw;
	HRESULT hr;
	int status;

	if (line->noun == CLI_DRIVE)
		return reenumerate_drives(ctx, line);
	status = find_hw(ctx, line, &hw);
	if (status || cli_plan(ctx, line, "the provider looks for subsystems"))
		goto out;
	hr = IVdsHwProvider_Reenumerate(hw);
	if (FAILED(hr))
		status = cli_fail(ctx, hr, NULL, "the subsystems were not reenumerated");
	else
		cli_say(ctx, "The subsystems were reenumerated.");
out:
	CLI_RELEASE(hw);
	return status;
}

int cli_cmd_refresh(struct cli_ctx *ctx, const struct cli_line *line)
{
	IVdsHwProvider *hw;
	HRESULT hr;
	int status = find_hw(ctx, line, &hw);

	if (status || cli_plan(ctx, line, "the provider reads everything again"))
		goto out;
	hr = IVdsHwProvider_Refresh(hw);
	if (FAILED(hr))
		status = cli_fail(ctx, hr, NULL, "the provider was not refreshed");
	else
		cli_say(ctx, "The provider was refreshed.");
out:
	CLI_RELEASE(hw);
	return status;
}

/* ---- controllers and ports ---- */

enum cache_act { FLUSH, INVALIDATE, RESET };

static HRESULT act_on(const struct cli_object *obj, enum cache_act act)
{
	IVdsController *c = cli_object_query(obj, &IID_IVdsController);
	IVdsControllerPort *p = c ? NULL : cli_object_query(obj, &IID_IVdsControllerPort);
	HRESULT hr = E_NOINTERFACE;

	if (c && act == FLUSH)
		hr = IVdsController_FlushCache(c);
	else if (c && act == INVALIDATE)
		hr = IVdsController_InvalidateCache(c);
	else if (c)
		hr = IVdsController_Reset(c);
	else if (p && act == RESET)
		hr = IVdsControllerPort_Reset(p);
	CLI_RELEASE(c);
	CLI_RELEASE(p);
	return hr;
}

static int act(struct cli_ctx *ctx, const struct cli_line *line, enum cache_act what)
{
	static const char *const warnings[] = {"",
		"The cache of %s is dropped; data not yet written are lost.",
		"%s is initialised again; what is cached is dropped."};
	static const char *const done[] = {
		"The cache of %s was flushed.", "The cache of %s was dropped.", "%s was reset."};
	struct cli_object obj = {0};
	char title[128], text[200];
	HRESULT hr;
	int status = cli_session_target(ctx, line, &obj);

	if (status || cli_plan(ctx, line, "%s %s %u", line->command->verb, cli_nouns[obj.noun].text,
			      obj.number))
		goto out;
	snprintf(title, sizeof(title), "%s %u",
		obj.noun == CLI_PORT ? (what == RESET ? "Port" : "port")
		: what == RESET      ? "Controller"
				     : "controller",
		obj.number);
	if (what != FLUSH) {
		const char *format = warnings[what];
		const char *at = strstr(format, "%s");

		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - format), format, title, at + 2);
		status = cli_confirm(ctx, line, "%s", text);
		if (status)
			goto out;
	}
	hr = act_on(&obj, what);
	if (FAILED(hr)) {
		status = cli_fail(ctx, hr, &obj, "%s was refused by %s %u", line->command->verb,
			cli_nouns[obj.noun].text, obj.number);
	} else {
		const char *at = strstr(done[what], "%s");

		ctx->outcome.changed = true;
		cli_say(ctx, "%.*s%s%s", (int)(at - done[what]), done[what], title, at + 2);
	}
out:
	cli_object_release(&obj);
	return status;
}

int cli_cmd_flushcache(struct cli_ctx *ctx, const struct cli_line *line)
{
	return act(ctx, line, FLUSH);
}

int cli_cmd_invalidatecache(struct cli_ctx *ctx, const struct cli_line *line)
{
	return act(ctx, line, INVALIDATE);
}

int cli_cmd_reset(struct cli_ctx *ctx, const struct cli_line *line)
{
	return act(ctx, line, RESET);
}
