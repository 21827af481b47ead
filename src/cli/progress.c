/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bar on a terminal, a line now and then elsewhere, or JSON events. The rate is the mean since
 * the wait began; before there is one it says "estimating".
 */
#include "cli/progress.h"

#include "cli/out.h"

#include <time.h>
#include <unistd.h>

enum { BAR_CELLS = 20, STUCK_SECONDS = 60 };

double cli_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void cli_bar_begin(struct cli_ctx *ctx, struct cli_bar *bar, const char *what)
{
	*bar = (struct cli_bar){.kind = ctx->opt.progress, .what = what};
	if (bar->kind == CLI_PROGRESS_AUTO && ctx->opt.jsonl)
		bar->kind = CLI_PROGRESS_JSON;
	if (bar->kind == CLI_PROGRESS_AUTO)
		bar->kind = isatty(fileno(ctx->err)) && !ctx->opt.quiet ? CLI_PROGRESS_BAR
									: CLI_PROGRESS_NONE;
	bar->started = bar->moved = cli_now();
}

static void duration(double seconds, char *buf, size_t size)
{
	if (seconds < 90)
		snprintf(buf, size, "%.0f s", seconds < 1 ? 1 : seconds);
	else if (seconds < 5400)
		snprintf(buf, size, "%.0f min", seconds / 60);
	else
		snprintf(buf, size, "%.1f h", seconds / 3600);
}

void cli_bar_figures(const struct cli_ctx *ctx, ULONGLONG done, ULONGLONG total, ULONGLONG first,
	double seconds, char *buf, size_t size)
{
	char a[32], b[32], r[32], left[32];
	double rate = seconds > 0.5 && done > first ? (double)(done - first) / seconds : 0;

	cli_size(ctx, done, a);
	cli_size(ctx, total, b);
	if (rate <= 0) {
		snprintf(buf, size, "%s of %s  estimating", a, b);
		return;
	}
	cli_size(ctx, (uint64_t)rate, r);
	duration((double)(total > done ? total - done : 0) / rate, left, sizeof(left));
	snprintf(buf, size, "%s of %s  %s/s  %s left", a, b, r, left);
}

static void draw(struct cli_ctx *ctx, struct cli_bar *bar, const char *figures)
{
	char cells[BAR_CELLS + 1];
	ULONG full = bar->percent * BAR_CELLS / 100;

	for (ULONG i = 0; i < BAR_CELLS; i++)
		cells[i] = i < full ? '#' : '.';
	cells[BAR_CELLS] = 0;
	fprintf(ctx->err, "\r\033[K  [%s] %3u%%  %s   %s", cells, bar->percent, figures, bar->what);
	fflush(ctx->err);
	bar->drawn = true;
}

static void event(struct cli_ctx *ctx, const struct cli_bar *bar, const VDSX_JOB_PROP *job)
{
	json_t *e = json_pack("{s:s, s:s, s:s, s:i}", "schema", "vds.1", "event", "progress",
		"what", bar->what, "percent", (int)bar->percent);

	if (job)
		json_object_set_new(e, "job",
			json_pack("{s:I, s:I, s:I}", "number", (json_int_t)job->ulNumber,
				"done_bytes", (json_int_t)job->ullDoneBytes, "total_bytes",
				(json_int_t)job->ullTotalBytes));
	cli_event(ctx, e);
}

void cli_bar_update(
	struct cli_ctx *ctx, struct cli_bar *bar, ULONG percent, const VDSX_JOB_PROP *job)
{
	double now = cli_now(), every = bar->kind == CLI_PROGRESS_BAR ? 0.1 : 1;
	char figures[128] = "";

	if (percent > bar->percent) {
		bar->percent = percent > 100 ? 100 : percent;
		bar->moved = now;
	}
	if (job && !bar->sampled) {
		bar->sampled = true;
		bar->first_done = job->ullDoneBytes;
	}
	if (bar->kind == CLI_PROGRESS_NONE || now - bar->started < 0.2 || now - bar->shown < every)
		return;
	bar->shown = now;
	if (now - bar->moved > STUCK_SECONDS)
		snprintf(figures, sizeof(figures), "no progress for %.0f s", now - bar->moved);
	else if (job && job->ullTotalBytes)
		cli_bar_figures(ctx, job->ullDoneBytes, job->ullTotalBytes, bar->first_done,
			now - bar->started, figures, sizeof(figures));
	if (bar->kind == CLI_PROGRESS_JSON)
		event(ctx, bar, job);
	else if (bar->kind == CLI_PROGRESS_BAR)
		draw(ctx, bar, figures);
	else
		fprintf(ctx->err, "%s: %u%%  %s\n", bar->what, bar->percent, figures);
}

void cli_bar_end(struct cli_ctx *ctx, struct cli_bar *bar)
{
	if (bar->drawn)
		fprintf(ctx->err, "\r\033[K");
	fflush(ctx->err);
}
