/* SPDX-License-Identifier: Apache-2.0 */
/* Progress of a job on standard error (or as JSON), as --progress asks. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/ctx.h"

struct cli_bar {
	enum cli_progress kind; /* never AUTO */
	const char *what;
	double started;       /* seconds, monotonic */
	double shown;         /* when something was last printed */
	double moved;         /* when the job last got further */
	ULONG percent;        /* highest seen: a job never reports less than before */
	ULONGLONG first_done; /* bytes at the first sample */
	bool sampled, drawn;
};

/* Monotonic seconds. */
double cli_now(void);
void cli_bar_begin(struct cli_ctx *ctx, struct cli_bar *bar, const char *what);
/* job may be NULL when only the percentage is known. */
void cli_bar_update(
	struct cli_ctx *ctx, struct cli_bar *bar, ULONG percent, const VDSX_JOB_PROP *job);
void cli_bar_end(struct cli_ctx *ctx, struct cli_bar *bar);

/* "43.9/107 GB  212 MB/s  5 min left" for a job seen for seconds, into buf. */
void cli_bar_figures(const struct cli_ctx *ctx, ULONGLONG done, ULONGLONG total, ULONGLONG first,
	double seconds, char *buf, size_t size);

#endif
