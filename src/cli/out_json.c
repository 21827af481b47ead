/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a command: its error in text, or the JSON envelope. One envelope shape for every
 * command, also for errors; its keys are part of the schema "vds.1" and never change type.
 */
#include "cli/out.h"

#include "cli/error.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void cli_result(struct cli_ctx *ctx, json_t *result)
{
	json_decref(ctx->outcome.result);
	ctx->outcome.result = result;
}

void cli_result_set(struct cli_ctx *ctx, const char *key, json_t *value)
{
	if (!ctx->outcome.result)
		ctx->outcome.result = json_object();
	json_object_set_new(ctx->outcome.result, key, value);
}

static json_t *string_or_null(const char *text)
{
	json_t *s = text && *text ? json_string(text) : json_null();

	return s ? s : json_null();
}

/* "a ; b" as a list. */
static json_t *try_list(const char *fix)
{
	json_t *list = json_array();
	char copy[sizeof(((struct cli_diag *)0)->fix)], *p = copy;

	snprintf(copy, sizeof(copy), "%s", fix);
	while (*p) {
		char *next = strstr(p, " ; ");

		if (next)
			*next = 0;
		json_array_append_new(list, string_or_null(p));
		p = next ? next + 3 : p + strlen(p);
	}
	return list;
}

static json_t *error_object(const struct cli_diag *d)
{
	json_t *e = json_object(), *object = json_null();
	char value[16] = "";

	if (d->status == CLI_OK) {
		json_decref(e);
		json_decref(object);
		return json_null();
	}
	if (d->hr)
		snprintf(value, sizeof(value), "0x%08x", (unsigned)d->hr);
	if (d->noun)
		object = json_pack("{s:s, s:o, s:o}", "type", cli_nouns[d->noun].name, "id",
			string_or_null(d->id), "number",
			d->unnumbered ? json_null() : json_integer((json_int_t)d->number));
	json_object_set_new(e, "hresult", string_or_null(value));
	json_object_set_new(e, "name", string_or_null(d->hr ? cli_hr_name(d->hr) : NULL));
	json_object_set_new(e, "message", string_or_null(d->what));
	json_object_set_new(e, "object", object);
	json_object_set_new(e, "cause", string_or_null(d->cause));
	json_object_set_new(e, "try", try_list(d->fix));
	return e;
}

static void print_json(FILE *f, json_t *j)
{
	json_dumpf(j, f, JSON_COMPACT);
	fputc('\n', f);
	fflush(f);
}

/* Where JSON goes: beside the data when the command wrote data to standard output. */
static FILE *json_stream(const struct cli_ctx *ctx, const struct cli_line *line)
{
	bool data = line && line->command && !strcmp(line->command->verb, "read") &&
		    !cli_line_value(line, "file");

	return data ? ctx->err : ctx->out;
}

static const char *host_name(void)
{
	static char name[256];

	if (!name[0] && gethostname(name, sizeof(name) - 1))
		snprintf(name, sizeof(name), "localhost");
	return name;
}

static bool in_colour(const struct cli_ctx *ctx, FILE *f)
{
	const char *no = getenv("NO_COLOR");

	if (ctx->opt.color == CLI_WHEN_AUTO)
		return isatty(fileno(f)) && !(no && *no);
	return ctx->opt.color == CLI_WHEN_ALWAYS;
}

static void print_error(const struct cli_ctx *ctx, FILE *f, const struct cli_diag *d)
{
	char code[CLI_HR_TEXT];

	fprintf(f, "%s", in_colour(ctx, f) ? "\033[1;31merror:\033[0m " : "error: ");
	if (d->hr)
		fprintf(f, "%s (%s)\n", d->what, cli_hr_text(d->hr, code));
	else
		fprintf(f, "%s\n", d->what);
	if (d->cause[0])
		fprintf(f, "cause: %s\n", d->cause);
	if (d->fix[0])
		fprintf(f, "try:   %s\n", d->fix);
}

void cli_finish(struct cli_ctx *ctx, const struct cli_line *line, const char *text)
{
	struct cli_outcome *o = &ctx->outcome;
	json_t *e;

	if (!ctx->opt.json) {
		fflush(ctx->out);
		if (o->diag.status != CLI_OK)
			print_error(ctx, ctx->err, &o->diag);
		return;
	}
	e = json_object();
	json_object_set_new(e, "schema", json_string("vds.1"));
	json_object_set_new(e, "host", string_or_null(host_name()));
	json_object_set_new(e, "command", string_or_null(text));
	json_object_set_new(e, "ok", json_boolean(o->diag.status == CLI_OK));
	json_object_set_new(e, "changed", json_boolean(o->changed));
	json_object_set(e, "result", o->result ? o->result : json_null());
	if (o->warnings)
		json_object_set(e, "warnings", o->warnings);
	else
		json_object_set_new(e, "warnings", json_array());
	json_object_set(e, "job", o->job ? o->job : json_null());
	json_object_set_new(e, "error", error_object(&o->diag));
	print_json(json_stream(ctx, line), e);
	json_decref(e);
}

void cli_summary(
	struct cli_ctx *ctx, unsigned run, unsigned failed, unsigned suppressed, unsigned changed)
{
	json_t *s;

	if (!ctx->opt.json)
		return;
	s = json_pack("{s:s, s:{s:i, s:i, s:i, s:i}}", "schema", "vds.1", "summary", "run",
		(int)run, "failed", (int)failed, "suppressed", (int)suppressed, "changed",
		(int)changed);
	print_json(ctx->out, s);
	json_decref(s);
}

void cli_event(struct cli_ctx *ctx, json_t *event)
{
	print_json(ctx->out, event);
	json_decref(event);
}
