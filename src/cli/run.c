/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a command: parse, open the store if the command needs it, run, wait for what it set
 * off, print the outcome.
 */
#include "cli/run.h"

#include "cli/advice.h"
#include "cli/jobs.h"
#include "cli/out.h"
#include "cli/session.h"

#include "base/cleanup.h"

#include <string.h>

void cli_ctx_init(struct cli_ctx *ctx)
{
	memset(ctx, 0, sizeof(*ctx));
	ctx->out = stdout;
	ctx->err = stderr;
	ctx->hint_ftl = -1;
}

static void reset_outcome(struct cli_ctx *ctx)
{
	json_decref(ctx->outcome.result);
	json_decref(ctx->outcome.warnings);
	json_decref(ctx->outcome.job);
	memset(&ctx->outcome, 0, sizeof(ctx->outcome));
	ctx->outcome.warnings = json_array();
}

void cli_ctx_release(struct cli_ctx *ctx)
{
	cli_session_close(ctx);
	json_decref(ctx->outcome.result);
	json_decref(ctx->outcome.warnings);
	json_decref(ctx->outcome.job);
	memset(&ctx->outcome, 0, sizeof(ctx->outcome));
}

int cli_exit_status(const struct cli_ctx *ctx, int status)
{
	if (ctx->opt.personality == CLI_NATIVE)
		return status;
	if (status == CLI_CANCELLED || status == CLI_WAITED_TOO_LONG || status == CLI_UNREACHABLE)
		return CLI_FAILED;
	return status == CLI_SUPPRESSED ? CLI_OK : status;
}

static bool is(const struct cli_line *line, const char *verb)
{
	return !strcmp(line->command->verb, verb);
}

/* Commands that work without a store. */
static bool needs_session(const struct cli_ctx *ctx, const struct cli_line *line)
{
	if (is(line, "help") || is(line, "exit") || is(line, "quit") || is(line, "rem"))
		return false;
	if (is(line, "automagic"))
		return cli_line_word_is(line, 0, "apply");
	/* A plan must not make the store. */
	return !(line->command->run == cli_cmd_create_subsystem && cli_dry_run(ctx, line));
}

/* check answers "cannot tell" where other commands fail. */
static int check_status(struct cli_ctx *ctx, const struct cli_line *line, int status)
{
	bool plugin = ctx->opt.nagios || line->nagios;

	if (status == CLI_OK)
		return ctx->outcome.check_status;
	if (status == CLI_SYNTAX || status == CLI_BAD_OPTIONS)
		return status;
	if (plugin)
		cli_print(ctx, "VDS UNKNOWN - %s", ctx->outcome.diag.what);
	return plugin ? 3 : CLI_CHECK_UNKNOWN;
}

static int execute(struct cli_ctx *ctx, const struct cli_line *line)
{
	bool create = line->command->run == cli_cmd_create_subsystem;
	bool hold = ctx->mode == CLI_ONE_SHOT && !is(line, "wait") && !is(line, "watch");
	struct cli_numbers known = {0};
	int status = CLI_OK;

	if (needs_session(ctx, line))
		status = cli_session_open(ctx, create, hold);
	if (!status) {
		cli_jobs_snapshot(ctx, &known);
		status = line->command->run(ctx, line);
	}
	if (status && !ctx->outcome.diag.status)
		cli_diag_set(&ctx->outcome.diag, status, NULL, NULL, "the command failed");
	status = ctx->outcome.diag.status;
	cli_advise(&ctx->outcome.diag, line);
	if (!status && !cli_dry_run(ctx, line))
		cli_jobs_settle(ctx, line, &known);
	cli_numbers_free(&known);
	return status;
}

/* Options at the end of a line hold for that line only. */
static void apply_line_options(struct cli_ctx *ctx, const struct cli_line *line)
{
	ctx->opt.json = ctx->opt.json || line->json;
}

static int run_line(struct cli_ctx *ctx, struct cli_line *line, const char *text)
{
	struct cli_options saved = ctx->opt;
	int status;

	apply_line_options(ctx, line);
	status = execute(ctx, line);
	if (is(line, "check"))
		status = check_status(ctx, line, status);
	cli_finish(ctx, line, text);
	if (!cli_dry_run(ctx, line))
		cli_jobs_linger(ctx, line);
	ctx->opt = saved;
	return status ? status : ctx->outcome.diag.status;
}

int cli_run(struct cli_ctx *ctx, struct cli_tokens *tokens, bool *line_noerr)
{
	cleanup_free char *text = cli_tokens_text(tokens);
	struct cli_line line;
	int status;

	reset_outcome(ctx);
	status = cli_parse(tokens, ctx->mode != CLI_SHELL, &line, &ctx->outcome.diag);
	if (line_noerr)
		*line_noerr = line.noerr;
	if (status)
		cli_finish(ctx, NULL, text);
	else if (line.command && !ctx->opt.check_syntax)
		status = run_line(ctx, &line, text);
	cli_line_release(&line);
	return status;
}

int cli_run_text(struct cli_ctx *ctx, const char *text, size_t len, bool *line_noerr)
{
	struct cli_tokens tokens = {0};
	int status;

	reset_outcome(ctx);
	status = cli_lex_line(text, len, &tokens, &ctx->outcome.diag);
	if (status) {
		cleanup_free char *copy = strndup(text, len);

		cli_tokens_release(&tokens);
		if (line_noerr)
			*line_noerr = false;
		cli_finish(ctx, NULL, copy ? copy : "");
		return status;
	}
	return cli_run(ctx, &tokens, line_noerr);
}
