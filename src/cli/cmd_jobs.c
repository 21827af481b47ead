/* SPDX-License-Identifier: Apache-2.0 */
/* wait job, cancel job. */
#include "cli/common.h"

static int get_job(struct cli_ctx *ctx, uint32_t number, IVdsAsync **async)
{
	HRESULT hr = ctx->session->jobs ? IVdsxJobs_GetJob(ctx->session->jobs, number, async)
					: E_NOINTERFACE;

	if (SUCCEEDED(hr))
		return CLI_OK;
	cli_fail(ctx, hr, NULL, "there is no job %u", number);
	cli_diag_cause(&ctx->outcome.diag, "it never was, or it ended long ago");
	cli_diag_fix(&ctx->outcome.diag, "list jobs");
	ctx->outcome.diag.noun = CLI_JOB;
	ctx->outcome.diag.number = number;
	return ctx->outcome.diag.status;
}

static int wait_one(struct cli_ctx *ctx, const struct cli_line *line, uint32_t number)
{
	struct cli_line here = *line;
	IVdsAsync *async = NULL;
	IVdsxJob *job = NULL;
	VDSX_JOB_PROP prop = {0};
	struct cli_wait w;
	char title[96] = "job";
	int status = get_job(ctx, number, &async);

	if (status)
		return status;
	if (SUCCEEDED(IVdsAsync_QueryInterface(async, &IID_IVdsxJob, (void **)&job)) &&
		SUCCEEDED(IVdsxJob_GetProperties(job, &prop)))
		cli_job_title(ctx, &prop, title);
	CLI_RELEASE(job);
	here.no_wait = false;
	status = cli_wait_async(ctx, &here, async, title, &w);
	if (status || !w.finished)
		return status;
	if (FAILED(w.hr))
		return cli_fail(ctx, w.hr, NULL, "job %u, the %s, failed", number, title);
	cli_say(ctx, "Job %u, the %s, completed.", number, title);
	return CLI_OK;
}

/* All that run or wait to run, one after the other; the first failure is the result. */
static int wait_all(struct cli_ctx *ctx, const struct cli_line *line)
{
	VDSX_JOB_PROP *jobs = NULL;
	LONG count = 0;
	unsigned waited = 0;
	int status = cli_jobs_query(ctx, &jobs, &count);

	for (LONG i = 0; i < count && !status; i++) {
		if (jobs[i].state != VDSX_JOB_RUNNING && jobs[i].state != VDSX_JOB_INTERRUPTED)
			continue;
		waited++;
		status = wait_one(ctx, line, jobs[i].ulNumber);
	}
	CoTaskMemFree(jobs);
	if (!status && !waited)
		cli_say(ctx, "No job is running.");
	return status;
}

int cli_cmd_wait_job(struct cli_ctx *ctx, const struct cli_line *line)
{
	uint32_t number = 0;
	int status = CLI_OK;

	if (ctx->session->hw && ctx->session->held) {
		(void)IVdsxHwProvider_HoldRecovery(ctx->session->hw, FALSE);
		ctx->session->held = false;
	}
	if (!line->target.len && !ctx->focus.set[CLI_JOB])
		return wait_all(ctx, line);
	for (size_t i = 0; i < line->target.len && !status; i++) {
		const struct cli_sel *s = &line->target.items[i];

		if (s->kind != CLI_SEL_NUMBER)
			return cli_job_number(ctx, line, &number);
		for (uint64_t n = s->first; n <= s->last && !status; n++)
			status = wait_one(ctx, line, (uint32_t)n);
	}
	if (!line->target.len)
		status = wait_one(ctx, line, ctx->focus.number[CLI_JOB]);
	if (ctx->outcome.job)
		cli_result(ctx, json_incref(ctx->outcome.job));
	return status;
}

int cli_cmd_cancel_job(struct cli_ctx *ctx, const struct cli_line *line)
{
	IVdsAsync *async = NULL;
	uint32_t number;
	HRESULT hr;
	int status = cli_job_number(ctx, line, &number);

	if (!status)
		status = get_job(ctx, number, &async);
	if (status || cli_plan(ctx, line, "job %u is stopped", number))
		goto out;
	hr = IVdsAsync_Cancel(async);
	if (hr == VDS_E_OPERATION_CANCELED) {
		cli_say(ctx, "Job %u was already cancelled.", number);
	} else if (FAILED(hr)) {
		status = cli_fail(ctx, hr, NULL, "job %u was not cancelled", number);
	} else {
		ctx->outcome.changed = true;
		cli_say(ctx, "Job %u was cancelled.", number);
	}
out:
	CLI_RELEASE(async);
	return status;
}
