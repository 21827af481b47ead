/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command works with: options, the connection to the service, the focus, and the outcome
 * it fills in. One context lives for one run of the program; the outcome is reset before each
 * command. Single-threaded.
 */
#ifndef CLI_CTX_H
#define CLI_CTX_H

#include "cli/diag.h"
#include "cli/focus.h"
#include "cli/options.h"
#include "cli/parse.h"

#include <jansson.h>
#include <stdio.h>

#include "vdsx.h"

enum cli_mode { CLI_ONE_SHOT, CLI_SCRIPT, CLI_SHELL };

struct cli_session;

/* The outcome of one command. */
struct cli_outcome {
	struct cli_diag diag;
	json_t *result;   /* NULL = null */
	json_t *warnings; /* array */
	json_t *job;      /* the job of the command, or NULL */
	bool changed;
	int check_status; /* check: its exit status */
	bool spoke;       /* something went to standard output as text */
};

struct cli_ctx {
	struct cli_options opt;
	enum cli_mode mode;
	FILE *out, *err;
	struct cli_session *session; /* NULL until a command needs it; session.h */
	struct cli_focus focus;
	VDS_HINTS2 hints; /* automagic */
	int hint_ftl;     /* 1, 0, or -1: no wish about fault tolerance */
	struct cli_outcome outcome;
	bool quit;            /* exit was given */
	bool stdin_is_script; /* so write lun cannot read data there */
};

/* Options of the line or of the program. */
static inline bool cli_no_wait(const struct cli_ctx *ctx, const struct cli_line *line)
{
	return ctx->opt.no_wait || line->no_wait;
}

static inline bool cli_dry_run(const struct cli_ctx *ctx, const struct cli_line *line)
{
	return ctx->opt.dry_run || line->dry_run;
}

static inline bool cli_verbose(const struct cli_ctx *ctx, const struct cli_line *line)
{
	return ctx->opt.verbose || line->verbose ||
	       (line->command && cli_line_flag(line, "verbose"));
}

#endif
