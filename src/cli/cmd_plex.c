/* SPDX-License-Identifier: Apache-2.0 */
/* add plex, break plex: the copies of a mirrored LUN. */
#include "cli/common.h"

/* The LUN an option names, or the one in focus. */
static int find_lun(struct cli_ctx *ctx, const struct cli_line *line, const char *option,
	struct cli_object *lun)
{
	const struct cli_value *v = cli_line_value(line, option);
	struct cli_line focus = *line;

	if (v)
		return cli_session_option(ctx, v, lun);
	focus.noun = CLI_LUN;
	focus.target = (struct cli_sels){0};
	return cli_session_target(ctx, &focus, lun);
}

/* Waits for the operation and makes the LUN's new properties the result. */
static int finish(struct cli_ctx *ctx, const struct cli_line *line, struct cli_object *lun,
	IVdsAsync *async, const char *what)
{
	struct cli_wait w;
	char title[64];
	int status;

	snprintf(title, sizeof(title), "%s LUN %u", what, lun->number);
	status = cli_wait_async(ctx, line, async, title, &w);
	if (status)
		return status;
	ctx->outcome.changed = true;
	if (w.finished && FAILED(w.hr))
		return cli_fail(ctx, w.hr, lun, "%s failed", title);
	json_decref(lun->props);
	lun->props = NULL;
	status = cli_object_props(ctx, lun);
	if (!status)
		cli_result(ctx, json_incref(lun->props));
	return status;
}

int cli_cmd_add_plex(struct cli_ctx *ctx, const struct cli_line *line)
{
	struct cli_object lun = {0}, source = {0};
	char a[128], b[128];
	IVdsAsync *async = NULL;
	IVdsLun *l = NULL;
	uint32_t number;
	HRESULT hr;
	int status = cli_session_option(ctx, cli_line_value(line, "lun"), &source);

	if (!status)
		status = find_lun(ctx, line, "to", &lun);
	if (status ||
		cli_plan(ctx, line, "LUN %u becomes a copy of LUN %u", source.number, lun.number))
		goto out;
	cli_object_title(&source, a);
	cli_object_title(&lun, b);
	number = source.number;
	status = cli_confirm(ctx, line, "%s becomes a copy of %s; what is on it is lost.", a, b);
	if (status)
		goto out;
	l = cli_object_query(&lun, &IID_IVdsLun);
	hr = l ? IVdsLun_AddPlex(l, source.id, &async) : E_NOINTERFACE;
	if (FAILED(hr))
		status = cli_fail(
			ctx, hr, &lun, "LUN %u was not made a copy of LUN %u", number, lun.number);
	else
		status = finish(ctx, line, &lun, async, "mirroring");
	if (!status)
		cli_say(ctx, "LUN %u is a copy of LUN %u now.", number, lun.number);
out:
	CLI_RELEASE(l);
	cli_object_release(&source);
	cli_object_release(&lun);
	return status;
}

/* The plex of the LUN with that number. */
static int find_plex(struct cli_ctx *ctx, const struct cli_object *lun, const struct cli_value *v,
	struct cli_object *out)
{
	const struct cli_sel *s = v->sels.items;
	struct cli_objects list = {0};
	struct cli_object *p;
	int status = cli_session_plexes(ctx, lun, &list);

	vec_for_each (&list, p) {
		struct guid id;

		if (status || out->noun || cli_object_props(ctx, p))
			continue;
		cli_guid_to(&p->id, &id);
		if (s->kind == CLI_SEL_NUMBER ? p->number == s->first
					      : s->kind == CLI_SEL_GUID && guid_equal(&id, &s->id))
			cli_object_move(out, p);
	}
	cli_objects_release(&list);
	if (!status && !out->noun) {
		status = cli_fail(ctx, VDS_E_OBJECT_NOT_FOUND, lun, "LUN %u has no plex %s",
			lun->number, v->text);
		cli_diag_cause(&ctx->outcome.diag, "plexes are numbered from 0");
		cli_diag_fix(&ctx->outcome.diag, "detail lun %u verbose", lun->number);
	}
	return status;
}

int cli_cmd_break_plex(struct cli_ctx *ctx, const struct cli_line *line)
{
	struct cli_object lun = {0}, plex = {0};
	IVdsAsync *async = NULL;
	IVdsLun *l = NULL;
	char title[128];
	HRESULT hr;
	int status = find_lun(ctx, line, "lun", &lun);

	if (!status)
		status = find_plex(ctx, &lun, cli_line_value(line, "plex"), &plex);
	if (status || cli_plan(ctx, line, "plex %u of LUN %u is removed", plex.number, lun.number))
		goto out;
	status = cli_confirm(ctx, line,
		"Plex %u of %s is removed; the LUN keeps its data and loses "
		"a copy.",
		plex.number, cli_object_title(&lun, title));
	if (status)
		goto out;
	l = cli_object_query(&lun, &IID_IVdsLun);
	hr = l ? IVdsLun_RemovePlex(l, plex.id, &async) : E_NOINTERFACE;
	if (FAILED(hr))
		status = cli_fail(ctx, hr, &lun, "plex %u of LUN %u was not removed", plex.number,
			lun.number);
	else
		status = finish(ctx, line, &lun, async, "removing a plex of");
	if (!status)
		cli_say(ctx, "Plex %u of LUN %u was removed.", plex.number, lun.number);
out:
	CLI_RELEASE(l);
	cli_object_release(&plex);
	cli_object_release(&lun);
	return status;
}
