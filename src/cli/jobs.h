/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long operations: waiting for them with progress and Ctrl-C, and what a one-shot command on an
 * embedded store waits for besides its own (cli.md, section 9).
 */
#ifndef CLI_JOBS_H
#define CLI_JOBS_H

#include "cli/session.h"

/* How a wait ended. */
struct cli_wait {
	bool finished; /* hr and out are the operation's; else it goes on without us */
	HRESULT hr;
	VDS_ASYNC_OUTPUT out; /* its pointers are the caller's */
};

/*
 * Waits for the operation unless --no-wait was given, and takes the reference to async. Sets the
 * outcome's job. Returns CLI_OK when it finished, well or not, or was left alone as asked; else a
 * status with the diagnosis set (timeout, left by Ctrl-C, a broken provider).
 * what: "rebuilding LUN 0", for the bar.
 */
int cli_wait_async(struct cli_ctx *ctx, const struct cli_line *line, IVdsAsync *async,
	const char *what, struct cli_wait *w);

/* All jobs; free with CoTaskMemFree. */
int cli_jobs_query(struct cli_ctx *ctx, VDSX_JOB_PROP **jobs, LONG *count);
json_t *cli_job_json(struct cli_ctx *ctx, const VDSX_JOB_PROP *job);
/* "recovery", "extension", … */
const char *cli_job_word(VDS_ASYNC_OUTPUT_TYPE type);
/* "recovery of LUN 0" into buf. */
const char *cli_job_title(struct cli_ctx *ctx, const VDSX_JOB_PROP *job, char buf[static 96]);

VEC(uint32_t, cli_numbers)

/* The jobs there are before the command runs. */
void cli_jobs_snapshot(struct cli_ctx *ctx, struct cli_numbers *known);
/* Lets held recovery start and waits for the jobs the command set off: those not in known. */
void cli_jobs_settle(
	struct cli_ctx *ctx, const struct cli_line *line, const struct cli_numbers *known);
/* Gives recoveries that were found interrupted up to one second. */
void cli_jobs_linger(struct cli_ctx *ctx, const struct cli_line *line);

#endif
