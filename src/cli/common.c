/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers shared by commands; see common.h. */
#include "cli/common.h"

#include "base/strbuf.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

bool cli_plan(struct cli_ctx *ctx, const struct cli_line *line, const char *fmt, ...)
{
	char text[500];
	va_list ap;

	if (!cli_dry_run(ctx, line))
		return false;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cli_print(ctx, "Plan: %s. Nothing was changed.", text);
	json_decref(ctx->outcome.result);
	ctx->outcome.result = NULL;
	cli_result_set(ctx, "plan", json_string(text));
	return true;
}

static bool ask(struct cli_ctx *ctx, const char *text)
{
	char answer[16];

	fflush(ctx->out);
	fprintf(ctx->err, "%s Go on? [y/N] ", text);
	fflush(ctx->err);
	return fgets(answer, sizeof(answer), stdin) && tolower((unsigned char)answer[0]) == 'y';
}

int cli_confirm(struct cli_ctx *ctx, const struct cli_line *line, const char *fmt, ...)
{
	struct cli_diag *d = &ctx->outcome.diag;
	char text[600];
	va_list ap;

	if (ctx->opt.yes || line->yes || ctx->opt.personality != CLI_NATIVE)
		return CLI_OK;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (ctx->stdin_is_script || !isatty(STDIN_FILENO)) {
		cli_diag_set(d, CLI_SYNTAX, text, "the same command with -y (--yes)",
			"%s %s needs a confirmation and nobody can be asked", line->command->verb,
			cli_nouns[line->noun].name);
		return d->status;
	}
	if (ask(ctx, text))
		return CLI_OK;
	return cli_diag_set(d, CLI_CANCELLED, "the answer was no", NULL, "nothing was changed");
}

void cli_object_wrap(
	struct cli_object *obj, enum cli_noun noun, void *unk, const struct cli_object *subsystem)
{
	IVdsxNumber *n;

	memset(obj, 0, sizeof(*obj));
	obj->noun = noun;
	obj->unk = unk;
	n = cli_object_query(obj, &IID_IVdsxNumber);
	if (n)
		(void)IVdsxNumber_GetNumber(n, &obj->number);
	CLI_RELEASE(n);
	if (subsystem) {
		obj->subsystem = cli_object_query(subsystem, &IID_IVdsSubSystem);
		obj->subsystem_number = subsystem->number;
	}
}

int cli_drive_ids(struct cli_ctx *ctx, const struct cli_value *list, GUID **ids, LONG *count)
{
	struct cli_objects drives = {0};
	int status = cli_session_find(ctx, CLI_DRIVE, &list->sels, &drives);

	*count = 0;
	*ids = calloc(drives.len + 1, sizeof(GUID));
	if (!*ids)
		status = cli_diag_memory(&ctx->outcome.diag);
	for (size_t i = 0; i < drives.len && !status; i++) {
		status = cli_object_props(ctx, &drives.items[i]);
		(*ids)[(*count)++] = drives.items[i].id;
	}
	cli_objects_release(&drives);
	return status;
}

int cli_job_number(struct cli_ctx *ctx, const struct cli_line *line, uint32_t *number)
{
	const struct cli_sel *s = line->target.items;
	struct cli_diag *d = &ctx->outcome.diag;

	if (!line->target.len && ctx->focus.set[CLI_JOB]) {
		*number = ctx->focus.number[CLI_JOB];
		return CLI_OK;
	}
	if (!line->target.len)
		return cli_diag_set(d, CLI_SYNTAX, "the command names none, and none is selected",
			"list jobs", "which job?");
	if (line->target.len != 1 || s->kind != CLI_SEL_NUMBER || s->first != s->last)
		return cli_diag_set(d, CLI_SYNTAX, "a job is named by its number", "list jobs",
			"this works on one job at a time");
	*number = s->first;
	return CLI_OK;
}

const char *cli_number_list(json_t *numbers, char *buf, size_t size)
{
	size_t n = json_array_size(numbers), len = 0;
	bool run = n > 2;

	buf[0] = 0;
	for (size_t i = 1; i < n; i++)
		run = run && json_integer_value(json_array_get(numbers, i)) ==
				     json_integer_value(json_array_get(numbers, i - 1)) + 1;
	if (run) {
		snprintf(buf, size, "%lld to %lld",
			(long long)json_integer_value(json_array_get(numbers, 0)),
			(long long)json_integer_value(json_array_get(numbers, n - 1)));
		return buf;
	}
	for (size_t i = 0; i < n && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%lld",
			!i           ? ""
			: i + 1 == n ? " and "
				     : ", ",
			(long long)json_integer_value(json_array_get(numbers, i)));
	return buf;
}

void cli_result_rows(struct cli_ctx *ctx, json_t *rows)
{
	if (json_array_size(rows) == 1) {
		cli_result(ctx, json_incref(json_array_get(rows, 0)));
		json_decref(rows);
	} else {
		cli_result(ctx, rows);
	}
}
