/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripts: one command a line. A script ends at the first error, unless the line carries noerr or
 * --keep-going was given; a syntax error is never suppressed.
 */
#include "cli/run.h"

#include "cli/out.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

struct tally {
	unsigned run, failed, suppressed, changed;
	int status; /* of the first failure that counts */
};

static bool is_syntax(int status)
{
	return status == CLI_SYNTAX || status == CLI_BAD_OPTIONS || status == CLI_INTERNAL;
}

/* Says where an error is, before the error itself is printed. */
static void run_script_line(struct cli_ctx *ctx, const char *name, unsigned number,
	const char *text, size_t len, struct tally *t, bool *go_on)
{
	bool noerr = false;
	int status = cli_run_text(ctx, text, len, &noerr);

	t->changed += ctx->outcome.changed;
	if (!status)
		return;
	if (!ctx->opt.json)
		fprintf(ctx->err, "       in line %u of %s: %.*s\n", number, name,
			(int)strcspn(text, "\r\n"), text);
	if (noerr && !is_syntax(status)) {
		t->suppressed++;
		return;
	}
	t->failed++;
	if (!t->status)
		t->status = status;
	*go_on = ctx->opt.keep_going || ctx->opt.check_syntax;
}

static bool is_empty(const char *text)
{
	text += strspn(text, " \t\r\n");
	return !*text || *text == '#' ||
	       (!strncasecmp(text, "rem", 3) && (!text[3] || strchr(" \t\r\n", text[3])));
}

static void run_stream(struct cli_ctx *ctx, FILE *f, const char *name, struct tally *t)
{
	cleanup_free char *text = NULL;
	unsigned number = 0;
	size_t cap = 0;
	bool go_on = true;
	ssize_t len;

	while (go_on && !ctx->quit && (len = getline(&text, &cap, f)) >= 0) {
		number++;
		if (number == 1 && len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
			memmove(text, text + 3, (size_t)len - 2); /* a byte order mark */
			len -= 3;
		}
		if (is_empty(text) && !memchr(text, 0, (size_t)len))
			continue;
		t->run++;
		run_script_line(ctx, name, number, text, (size_t)len, t, &go_on);
	}
}

int cli_script(struct cli_ctx *ctx, const char *path)
{
	bool standard = !strcmp(path, "-");
	FILE *f = standard ? stdin : fopen(path, "re");
	struct tally t = {0};

	ctx->mode = CLI_SCRIPT;
	ctx->stdin_is_script = standard;
	if (!f) {
		cli_diag_set(&ctx->outcome.diag, CLI_CANNOT_OPEN, strerror(errno), NULL,
			"the script %s cannot be opened", path);
		cli_finish(ctx, NULL, "");
		return CLI_CANNOT_OPEN;
	}
	run_stream(ctx, f, standard ? "standard input" : path, &t);
	if (!standard)
		fclose(f);
	cli_summary(ctx, t.run, t.failed, t.suppressed, t.changed);
	if (t.status)
		return t.status;
	return t.suppressed && ctx->opt.strict ? CLI_SUPPRESSED : CLI_OK;
}
