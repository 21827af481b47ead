/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting is polling with QueryStatus, which never blocks: so Ctrl-C, the timeout and the bar all
 * have their turn. Ctrl-C once asks the job to stop; twice leaves it running.
 */
#include "cli/jobs.h"

#include "base/cleanup.h"
#include "cli/error.h"
#include "cli/names.h"
#include "cli/out.h"
#include "cli/progress.h"

#include <signal.h>
#include <string.h>
#include <time.h>

static volatile sig_atomic_t interrupts;

static void on_interrupt(int number)
{
	(void)number;
	interrupts++;
}

/* ---- jobs as text and JSON ---- */

static enum cli_noun noun_of(VDS_OBJECT_TYPE type)
{
	if (type == VDS_OT_LUN)
		return CLI_LUN;
	if (type == VDS_OT_DRIVE)
		return CLI_DRIVE;
	return type == VDS_OT_SUB_SYSTEM ? CLI_SUBSYSTEM : CLI_NOUN_NONE;
}

static json_int_t object_number(struct cli_ctx *ctx, const VDSX_JOB_PROP *job)
{
	enum cli_noun noun = noun_of(job->objectType);

	return noun ? cli_session_number(ctx, noun, &job->objectId) : -1;
}

json_t *cli_job_json(struct cli_ctx *ctx, const VDSX_JOB_PROP *job)
{
	json_t *j = json_object();
	json_int_t number = object_number(ctx, job);

	cli_struct_json(j, &idl_struct_VDSX_JOB_PROP, job);
	json_object_set_new(j, "object_number", number < 0 ? json_null() : json_integer(number));
	return j;
}

const char *cli_job_word(VDS_ASYNC_OUTPUT_TYPE type)
{
	static const struct {
		VDS_ASYNC_OUTPUT_TYPE type;
		const char *text;
	} nouns[] = {{VDS_ASYNCOUT_CREATELUN, "creation"}, {VDS_ASYNCOUT_ADDLUNPLEX, "mirroring"},
		{VDS_ASYNCOUT_REMOVELUNPLEX, "removal of a plex"},
		{VDS_ASYNCOUT_EXTENDLUN, "extension"}, {VDS_ASYNCOUT_SHRINKLUN, "shrinking"},
		{VDS_ASYNCOUT_RECOVERLUN, "recovery"}};

	for (size_t i = 0; i < ARRAY_SIZE(nouns); i++)
		if (nouns[i].type == type)
			return nouns[i].text;
	return "operation";
}

const char *cli_job_title(struct cli_ctx *ctx, const VDSX_JOB_PROP *job, char buf[static 96])
{
	enum cli_noun noun = noun_of(job->objectType);
	json_int_t number = object_number(ctx, job);
	const char *name = cli_nouns[noun].text;

	if (number >= 0)
		snprintf(
			buf, 96, "%s of %s %lld", cli_job_word(job->type), name, (long long)number);
	else
		snprintf(buf, 96, "%s", cli_job_word(job->type));
	return buf;
}

/* ---- waiting ---- */

struct waiting {
	struct cli_ctx *ctx;
	IVdsAsync *async;
	IVdsxJob *job; /* NULL when the operation has no number */
	VDSX_JOB_PROP prop;
	struct cli_bar bar;
	double deadline; /* 0 = none */
	bool asked;      /* Cancel was called */
	struct sigaction old;
};

static void sample(struct waiting *w)
{
	if (w->job && FAILED(IVdsxJob_GetProperties(w->job, &w->prop)))
		CLI_RELEASE(w->job);
}

static void keep_job(struct waiting *w)
{
	sample(w);
	if (!w->job)
		return;
	json_decref(w->ctx->outcome.job);
	w->ctx->outcome.job = cli_job_json(w->ctx, &w->prop);
}

static const char *continues(const struct cli_ctx *ctx)
{
	return ctx->mode == CLI_ONE_SHOT ? "it is kept and goes on with the next command"
					 : "it continues";
}

/* The wait ends before the job. */
static int leave(struct waiting *w, int status, const char *why)
{
	struct cli_diag *d = &w->ctx->outcome.diag;

	keep_job(w);
	if (w->job)
		cli_diag_set(d, status, continues(w->ctx), NULL, "%s: job %u has not ended", why,
			w->prop.ulNumber);
	else
		cli_diag_set(d, status, continues(w->ctx), NULL, "%s: it has not ended", why);
	if (w->job)
		cli_diag_fix(d, "wait job %u", w->prop.ulNumber);
	return d->status;
}

/* Ctrl-C was pressed since the last look. */
static void ask_cancel(struct waiting *w)
{
	HRESULT hr = IVdsAsync_Cancel(w->async);
	char code[CLI_HR_TEXT];

	w->asked = true;
	cli_bar_end(w->ctx, &w->bar);
	if (hr == VDS_E_CANCEL_TOO_LATE)
		fprintf(w->ctx->err,
			"Too late to cancel; waiting for the end. Ctrl-C again leaves it.\n");
	else if (FAILED(hr))
		fprintf(w->ctx->err,
			"It cannot be cancelled (%s). Ctrl-C again leaves it running.\n",
			cli_hr_text(hr, code));
	else
		fprintf(w->ctx->err, "Cancelling. Ctrl-C again leaves it running.\n");
}

static int poll_until_end(struct waiting *w, HRESULT *hr)
{
	struct timespec pause = {0, 500000};
	ULONG percent = 0;

	for (;;) {
		HRESULT call = IVdsAsync_QueryStatus(w->async, hr, &percent);

		if (FAILED(call))
			return cli_fail(
				w->ctx, call, NULL, "the job cannot be asked for its progress");
		if (*hr != VDS_E_OPERATION_PENDING)
			return CLI_OK;
		sample(w);
		cli_bar_update(w->ctx, &w->bar, percent, w->job ? &w->prop : NULL);
		if (interrupts >= 2)
			return leave(w, 128 + SIGINT, "interrupted");
		if (interrupts && !w->asked)
			ask_cancel(w);
		if (w->deadline > 0 && cli_now() >= w->deadline)
			return leave(w, CLI_WAITED_TOO_LONG, "waited too long");
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 50000000)
			pause.tv_nsec *= 2;
	}
}

static void begin(struct waiting *w, struct cli_ctx *ctx, const struct cli_line *line,
	IVdsAsync *async, const char *what)
{
	struct sigaction action = {.sa_handler = on_interrupt};

	memset(w, 0, sizeof(*w));
	w->ctx = ctx;
	w->async = async;
	(void)IVdsAsync_QueryInterface(async, &IID_IVdsxJob, (void **)&w->job);
	if (line && line->has_timeout)
		w->deadline = cli_now() + line->timeout;
	else if (ctx->opt.has_timeout)
		w->deadline = cli_now() + ctx->opt.timeout;
	interrupts = 0;
	cli_bar_begin(ctx, &w->bar, what);
	sigaction(SIGINT, &action, &w->old);
}

static void end(struct waiting *w)
{
	cli_bar_end(w->ctx, &w->bar);
	sigaction(SIGINT, &w->old, NULL);
	CLI_RELEASE(w->job);
	CLI_RELEASE(w->async);
}

/* The operation ended: its result and output. */
static int take_result(struct waiting *w, struct cli_wait *out)
{
	HRESULT hr = IVdsAsync_Wait(w->async, &out->hr, &out->out);

	if (FAILED(hr))
		return cli_fail(w->ctx, hr, NULL, "the result of the job cannot be read");
	out->finished = true;
	return CLI_OK;
}

int cli_wait_async(struct cli_ctx *ctx, const struct cli_line *line, IVdsAsync *async,
	const char *what, struct cli_wait *out)
{
	bool no_wait = line && cli_no_wait(ctx, line);
	struct waiting w;
	HRESULT hr = S_OK;
	ULONG percent;
	int status = CLI_OK;

	memset(out, 0, sizeof(*out));
	if (!async)
		return cli_fail(
			ctx, E_UNEXPECTED, NULL, "the provider claims success but returned no job");
	begin(&w, ctx, line, async, what);
	if (no_wait && SUCCEEDED(IVdsAsync_QueryStatus(async, &hr, &percent)) &&
		hr == VDS_E_OPERATION_PENDING) {
		keep_job(&w);
		end(&w);
		return CLI_OK;
	}
	status = poll_until_end(&w, &hr);
	if (!status)
		status = take_result(&w, out);
	if (!status)
		keep_job(&w);
	end(&w);
	return status;
}

/* ---- what a one-shot command waits for besides ---- */

int cli_jobs_query(struct cli_ctx *ctx, VDSX_JOB_PROP **jobs, LONG *count)
{
	HRESULT hr;

	*jobs = NULL;
	*count = 0;
	if (!ctx->session->jobs)
		return cli_fail(ctx, E_NOINTERFACE, NULL, "the service keeps no list of jobs");
	hr = IVdsxJobs_QueryJobs(ctx->session->jobs, jobs, count);
	if (FAILED(hr))
		return cli_fail(ctx, hr, NULL, "the jobs cannot be listed");
	return CLI_OK;
}

void cli_jobs_snapshot(struct cli_ctx *ctx, struct cli_numbers *known)
{
	VDSX_JOB_PROP *jobs = NULL;
	LONG count = 0;

	if (!ctx->session || !ctx->session->jobs ||
		FAILED(IVdsxJobs_QueryJobs(ctx->session->jobs, &jobs, &count)))
		return;
	for (LONG i = 0; i < count; i++)
		(void)cli_numbers_push(known, jobs[i].ulNumber);
	CoTaskMemFree(jobs);
}

static bool is_known(const struct cli_numbers *known, uint32_t number)
{
	for (size_t i = 0; known && i < known->len; i++)
		if (known->items[i] == number)
			return true;
	return false;
}

/* A running job that is not among known; false when there is none. */
static bool find_running(struct cli_ctx *ctx, const struct cli_numbers *known, VDSX_JOB_PROP *found)
{
	VDSX_JOB_PROP *jobs = NULL;
	LONG count = 0;
	bool any = false;

	if (FAILED(IVdsxJobs_QueryJobs(ctx->session->jobs, &jobs, &count)))
		return false;
	for (LONG i = 0; i < count && !any; i++) {
		if (jobs[i].state == VDSX_JOB_RUNNING && !is_known(known, jobs[i].ulNumber)) {
			*found = jobs[i];
			any = true;
		}
	}
	CoTaskMemFree(jobs);
	return any;
}

static void release_recovery(struct cli_ctx *ctx)
{
	if (ctx->session->held && ctx->session->hw)
		(void)IVdsxHwProvider_HoldRecovery(ctx->session->hw, FALSE);
	ctx->session->held = false;
}

void cli_jobs_settle(
	struct cli_ctx *ctx, const struct cli_line *line, const struct cli_numbers *known)
{
	VDSX_JOB_PROP prop;
	char title[96], meaning[200], code[CLI_HR_TEXT];

	if (!ctx->session || !ctx->session->jobs || ctx->mode != CLI_ONE_SHOT ||
		cli_no_wait(ctx, line))
		return;
	release_recovery(ctx);
	while (line->command->changes && !ctx->outcome.diag.status &&
		find_running(ctx, known, &prop)) {
		IVdsAsync *async = NULL;
		struct cli_wait w;

		if (FAILED(IVdsxJobs_GetJob(ctx->session->jobs, prop.ulNumber, &async)))
			return;
		cli_job_title(ctx, &prop, title);
		if (cli_wait_async(ctx, line, async, title, &w))
			return;
		if (SUCCEEDED(w.hr))
			cli_say(ctx, "The %s completed.", title);
		else
			cli_warn(ctx, "the %s failed: %s (%s)", title,
				cli_hr_meaning(w.hr, meaning, sizeof(meaning)),
				cli_hr_text(w.hr, code));
	}
}

void cli_jobs_linger(struct cli_ctx *ctx, const struct cli_line *line)
{
	double deadline = cli_now() + 1;
	struct timespec pause = {0, 10000000};
	VDSX_JOB_PROP prop;

	if (!ctx->session || !ctx->session->jobs || ctx->mode != CLI_ONE_SHOT ||
		cli_no_wait(ctx, line))
		return;
	release_recovery(ctx);
	while (cli_now() < deadline && find_running(ctx, NULL, &prop))
		nanosleep(&pause, NULL);
}
