/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vds: the command line. Reads options, then runs one command, a script, or the shell. It holds
 * no storage logic: everything it does goes through the public interfaces.
 */
#include "cli/help.h"
#include "cli/out.h"
#include "cli/run.h"

#include <errno.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

static int one_shot(struct cli_ctx *ctx)
{
	struct cli_tokens tokens = {0};
	int status;

	ctx->mode = CLI_ONE_SHOT;
	ctx->outcome.warnings = json_array();
	status = cli_lex_argv(ctx->opt.word_count, ctx->opt.words, &tokens, &ctx->outcome.diag);
	if (status) {
		cli_tokens_release(&tokens);
		cli_finish(ctx, NULL, "");
		return status;
	}
	return cli_run(ctx, &tokens, NULL);
}

static int run(struct cli_ctx *ctx)
{
	if (ctx->opt.version) {
		printf("vds %s\n", VDS_VERSION);
		return CLI_OK;
	}
	if (ctx->opt.help) {
		cli_help_usage(stdout);
		return CLI_OK;
	}
	if (ctx->opt.word_count && !strcmp(ctx->opt.words[0], "__complete"))
		return cli_complete(ctx, ctx->opt.word_count - 1, ctx->opt.words + 1);
	if (ctx->opt.script && ctx->opt.word_count) {
		cli_diag_set(&ctx->outcome.diag, CLI_BAD_OPTIONS, NULL, "leave one of them out",
			"there is a command (%s) beside the script", ctx->opt.words[0]);
		cli_finish(ctx, NULL, "");
		return CLI_BAD_OPTIONS;
	}
	if (ctx->opt.script)
		return cli_script(ctx, ctx->opt.script);
	if (ctx->opt.word_count)
		return one_shot(ctx);
	if (!isatty(STDIN_FILENO))
		return cli_script(ctx, "-");
	return cli_shell(ctx);
}

int main(int argc, char **argv)
{
	struct cli_ctx ctx;
	int status;

	setlocale(LC_CTYPE, "");
	cli_ctx_init(&ctx);
	status = cli_options_parse(argc, argv, &ctx.opt, &ctx.outcome.diag);
	if (status)
		cli_finish(&ctx, NULL, "");
	else
		status = run(&ctx);
	cli_ctx_release(&ctx);
	if ((fflush(stdout) || ferror(stdout)) && errno != EPIPE && !status) {
		fprintf(stderr, "error: standard output cannot be written\ncause: %s\n",
			strerror(errno));
		status = CLI_CANNOT_OPEN;
	}
	return cli_exit_status(&ctx, status);
}
