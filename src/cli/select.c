/* SPDX-License-Identifier: Apache-2.0 */
/* Which objects a command means: selectors, focus, and the only one there is. */
#include "cli/session.h"

#include "base/cleanup.h"
#include "cli/error.h"
#include "cli/names.h"

#include <limits.h>
#include <string.h>

/* A serial number, path or name given as selector, against the object's properties. */
static bool text_matches(const struct cli_object *obj, const struct cli_sel *sel)
{
	static const char *const keys[] = {[CLI_TAG_NAME] = "friendly_name",
		[CLI_TAG_SERIAL] = "identification",
		[CLI_TAG_PATH] = "path",
		[CLI_TAG_IQN] = "iscsi_name",
		[CLI_TAG_WWN] = "wwn"};
	const char *value = cli_object_text(obj, keys[sel->tag]);
	char real[PATH_MAX];

	if (!value)
		return false;
	if (!strcmp(value, sel->text))
		return true;
	return sel->tag == CLI_TAG_PATH && realpath(sel->text, real) && !strcmp(value, real);
}

static bool matches(const struct cli_object *obj, const struct cli_sel *sel)
{
	struct guid id;

	switch (sel->kind) {
	case CLI_SEL_NUMBER:
		return obj->number >= sel->first && obj->number <= sel->last;
	case CLI_SEL_GUID:
		cli_guid_to(&obj->id, &id);
		return guid_equal(&id, &sel->id);
	case CLI_SEL_SLOT:
		return obj->noun == CLI_DRIVE && cli_object_int(obj, "bus") == sel->bus &&
		       cli_object_int(obj, "slot") == sel->slot;
	case CLI_SEL_TEXT:
		return text_matches(obj, sel);
	}
	return false;
}

/* Slots repeat in every subsystem: the one in focus is meant. */
static bool in_focus(const struct cli_ctx *ctx, const struct cli_object *obj)
{
	return !ctx->focus.set[CLI_SUBSYSTEM] || !obj->subsystem ||
	       obj->subsystem_number == ctx->focus.number[CLI_SUBSYSTEM];
}

static void describe(const struct cli_sel *sel, uint32_t number, char *buf, size_t size)
{
	static const char *const tags[] = {[CLI_TAG_NAME] = "named",
		[CLI_TAG_SERIAL] = "with serial",
		[CLI_TAG_PATH] = "with path",
		[CLI_TAG_IQN] = "with name",
		[CLI_TAG_WWN] = "with WWN"};
	char id[GUID_TEXT_SIZE];

	switch (sel->kind) {
	case CLI_SEL_NUMBER:
		snprintf(buf, size, "%u", number);
		return;
	case CLI_SEL_GUID:
		snprintf(buf, size, "%s", guid_format(&sel->id, id));
		return;
	case CLI_SEL_SLOT:
		snprintf(buf, size, "in slot %d.%d", sel->bus, sel->slot);
		return;
	case CLI_SEL_TEXT:
		snprintf(buf, size, "%s %s", tags[sel->tag], sel->text);
		return;
	}
}

static int not_found(
	struct cli_ctx *ctx, enum cli_noun noun, const struct cli_sel *sel, uint32_t number)
{
	struct cli_diag *d = &ctx->outcome.diag;
	char text[400];

	describe(sel, number, text, sizeof(text));
	cli_fail(
		ctx, VDS_E_OBJECT_NOT_FOUND, NULL, "there is no %s %s", cli_nouns[noun].text, text);
	cli_diag_cause(d, "no such object is in the store, or no longer");
	cli_diag_fix(d, "list %s", cli_nouns[noun].plural);
	d->noun = noun;
	d->number = number;
	d->unnumbered = sel->kind != CLI_SEL_NUMBER;
	return d->status;
}

static bool listed(const struct cli_objects *list, uint32_t number)
{
	const struct cli_object *o;

	vec_for_each (list, o)
		if (o->noun && o->number == number)
			return true;
	return false;
}

static int ambiguous(struct cli_ctx *ctx, enum cli_noun noun, const struct cli_sel *sel)
{
	char text[400];

	describe(sel, 0, text, sizeof(text));
	return cli_diag_set(&ctx->outcome.diag, CLI_SYNTAX, NULL, "use the number",
		"there is more than one %s %s", cli_nouns[noun].text, text);
}

/* Moves what one selector names from all to out. */
static int find_one(struct cli_ctx *ctx, enum cli_noun noun, const struct cli_sel *sel,
	struct cli_objects *all, struct cli_objects *out)
{
	struct cli_object *o;
	size_t found = 0;

	for (uint32_t n = sel->first; sel->kind == CLI_SEL_NUMBER && n <= sel->last; n++) {
		if (!listed(all, n) && !listed(out, n))
			return not_found(ctx, noun, sel, n);
		if (n == UINT32_MAX)
			break;
	}
	vec_for_each (all, o) {
		struct cli_object copy;

		if (!o->noun || !matches(o, sel) ||
			(sel->kind == CLI_SEL_SLOT && !in_focus(ctx, o)))
			continue;
		if (found++ && sel->kind != CLI_SEL_NUMBER)
			return ambiguous(ctx, noun, sel);
		cli_object_move(&copy, o);
		if (cli_objects_push(out, copy)) {
			cli_object_release(&copy);
			return cli_diag_memory(&ctx->outcome.diag);
		}
	}
	return found || sel->kind == CLI_SEL_NUMBER ? CLI_OK : not_found(ctx, noun, sel, 0);
}

int cli_session_find(struct cli_ctx *ctx, enum cli_noun noun, const struct cli_sels *sels,
	struct cli_objects *out)
{
	struct cli_objects all = {0};
	const struct cli_sel *sel;
	struct cli_object *o;
	bool props = false;
	int status = cli_session_list(ctx, noun, &all);

	vec_for_each (sels, sel)
		props = props || sel->kind != CLI_SEL_NUMBER;
	vec_for_each (&all, o)
		if (!status && props && FAILED(cli_object_read(o)))
			o->props = json_object(); /* matches nothing; its number still does */
	vec_for_each (sels, sel)
		if (!status)
			status = find_one(ctx, noun, sel, &all, out);
	cli_objects_release(&all);
	vec_for_each (out, o)
		if (!status && !json_object_size(o->props)) {
			json_decref(o->props);
			o->props = NULL;
		}
	return status;
}

/* ---- targets ---- */

static int nothing_selected(struct cli_ctx *ctx, enum cli_noun noun, size_t count)
{
	struct cli_diag *d = &ctx->outcome.diag;

	if (!count && (noun == CLI_SUBSYSTEM || noun == CLI_PROVIDER))
		cli_diag_set(d, CLI_SYNTAX, "the store is empty", "create subsystem drives=6x96MB",
			"there is no %s", cli_nouns[noun].text);
	cli_diag_set(d, CLI_SYNTAX, "the command names none, and none is selected", NULL,
		"which %s?", cli_nouns[noun].text);
	if (!d->fix[0])
		cli_diag_fix(
			d, "list %s ; select %s N", cli_nouns[noun].plural, cli_nouns[noun].name);
	return d->status;
}

static int find_number(
	struct cli_ctx *ctx, enum cli_noun noun, uint32_t number, struct cli_objects *out)
{
	struct cli_sel sel = {.kind = CLI_SEL_NUMBER, .first = number, .last = number};
	struct cli_sels sels = {.items = &sel, .len = 1};

	return cli_session_find(ctx, noun, &sels, out);
}

/* The object in focus, or the only one. */
static int find_default(struct cli_ctx *ctx, enum cli_noun noun, struct cli_objects *out)
{
	int status;

	if (ctx->focus.set[noun])
		return find_number(ctx, noun, ctx->focus.number[noun], out);
	if (noun != CLI_PROVIDER && noun != CLI_SUBSYSTEM && noun != CLI_CONTROLLER &&
		noun != CLI_PORT)
		return nothing_selected(ctx, noun, 1);
	status = cli_session_list(ctx, noun, out);
	if (!status && out->len != 1) {
		status = nothing_selected(ctx, noun, out->len);
		cli_objects_release(out);
	}
	return status;
}

int cli_session_targets(struct cli_ctx *ctx, const struct cli_line *line, struct cli_objects *out)
{
	struct cli_object *o;
	int status = line->target.len ? cli_session_find(ctx, line->noun, &line->target, out)
				      : find_default(ctx, line->noun, out);

	vec_for_each (out, o)
		if (!status)
			status = cli_object_props(ctx, o);
	return status;
}

/* The only object of the list, into out. The list is released. */
static int only(struct cli_ctx *ctx, enum cli_noun noun, struct cli_objects *list, int status,
	struct cli_object *out)
{
	if (!status && list->len != 1)
		status = cli_diag_set(&ctx->outcome.diag, CLI_SYNTAX, NULL, "name exactly one",
			"this works on one %s at a time", cli_nouns[noun].text);
	if (!status)
		status = cli_object_props(ctx, &list->items[0]);
	if (!status)
		cli_object_move(out, &list->items[0]);
	cli_objects_release(list);
	return status;
}

int cli_session_target(struct cli_ctx *ctx, const struct cli_line *line, struct cli_object *out)
{
	struct cli_objects list = {0};
	int status = line->target.len ? cli_session_find(ctx, line->noun, &line->target, &list)
				      : find_default(ctx, line->noun, &list);

	return only(ctx, line->noun, &list, status, out);
}

int cli_session_option(struct cli_ctx *ctx, const struct cli_value *value, struct cli_object *out)
{
	struct cli_objects list = {0};
	int status = cli_session_find(ctx, value->option->noun, &value->sels, &list);

	return only(ctx, value->option->noun, &list, status, out);
}

int cli_session_subsystem(struct cli_ctx *ctx, const struct cli_line *line, struct cli_object *out)
{
	const struct cli_value *v = cli_line_value(line, "subsystem");
	struct cli_objects list = {0};
	int status;

	if (v)
		return cli_session_option(ctx, v, out);
	status = find_default(ctx, CLI_SUBSYSTEM, &list);
	if (status == CLI_SYNTAX && !ctx->outcome.diag.hr && list.len != 1 &&
		ctx->mode == CLI_ONE_SHOT && strncmp(ctx->outcome.diag.what, "there is no", 11))
		cli_diag_fix(
			&ctx->outcome.diag, "list subsystems ; the same command with subsystem=N");
	return only(ctx, CLI_SUBSYSTEM, &list, status, out);
}

json_int_t cli_session_number(struct cli_ctx *ctx, enum cli_noun noun, const GUID *id)
{
	struct cli_diag saved = ctx->outcome.diag;
	struct cli_objects all = {0};
	struct cli_object *o;
	json_int_t number = -1;

	if (cli_guid_is_zero(id) || cli_session_list(ctx, noun, &all)) {
		cli_objects_release(&all);
		ctx->outcome.diag = saved;
		return -1;
	}
	vec_for_each (&all, o)
		if (number < 0 && SUCCEEDED(cli_object_read(o)) && !memcmp(&o->id, id, sizeof(*id)))
			number = o->number;
	cli_objects_release(&all);
	return number;
}
