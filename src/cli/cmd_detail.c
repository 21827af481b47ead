/* SPDX-License-Identifier: Apache-2.0 */
/* detail: one object with everything that belongs to it. */
#include "cli/common.h"
#include "cli/relations.h"

static int add_parts(struct cli_ctx *ctx, const struct cli_object *obj, bool log)
{
	struct cli_index index = {0};
	int status = CLI_OK;

	if (obj->noun == CLI_LUN) {
		status = cli_index_read(ctx, CLI_DRIVE, &index);
		cli_add_members(obj->props, obj, &index);
		cli_add_plexes(ctx, obj->props, obj);
	} else if (obj->noun == CLI_DRIVE) {
		status = cli_index_read(ctx, CLI_LUN, &index);
		cli_add_extents(obj->props, obj, &index);
	}
	if (obj->noun != CLI_PROVIDER)
		cli_add_maintenance(obj->props, obj, log);
	cli_index_release(&index);
	return status;
}

/* Text without verbose leaves out the long lists. */
static void show(struct cli_ctx *ctx, const struct cli_object *obj, bool verbose)
{
	json_t *copy = json_copy(obj->props), *lights = json_object_get(copy, "maintenance");
	json_t *busy = json_array(), *state;
	char title[128];
	size_t i;

	json_array_foreach(lights, i, state)
	{
		if (json_integer_value(json_object_get(state, "mode_raw")) !=
				VDSX_MAINTENANCE_IDLE ||
			json_is_true(json_object_get(state, "effective")))
			json_array_append(busy, state);
	}
	if (!verbose) {
		json_object_del(copy, "extents");
		json_object_del(copy, "maintenance_log");
		json_object_del(copy, "plexes");
		json_object_del(copy, "maintenance");
		if (json_array_size(busy))
			json_object_set(copy, "maintenance", busy);
	}
	json_decref(busy);
	cli_print(ctx, "%s", cli_object_title(obj, title));
	cli_properties(ctx, copy);
	json_decref(copy);
}

static int detail_jobs(struct cli_ctx *ctx, const struct cli_line *line)
{
	VDSX_JOB_PROP *jobs = NULL;
	uint32_t first = 0;
	LONG count = 0;
	int status = cli_job_number(ctx, line, &first);

	if (!status)
		status = cli_jobs_query(ctx, &jobs, &count);
	for (LONG i = 0; i < count && !status; i++) {
		if (jobs[i].ulNumber == first)
			cli_result(ctx, cli_job_json(ctx, &jobs[i]));
	}
	CoTaskMemFree(jobs);
	if (status)
		return status;
	if (!ctx->outcome.result) {
		cli_fail(ctx, VDS_E_OBJECT_NOT_FOUND, NULL, "there is no job %u", first);
		cli_diag_fix(&ctx->outcome.diag, "list jobs");
		return ctx->outcome.diag.status;
	}
	cli_print(ctx, "Job %u", first);
	cli_properties(ctx, ctx->outcome.result);
	return CLI_OK;
}

int cli_cmd_detail(struct cli_ctx *ctx, const struct cli_line *line)
{
	bool verbose = cli_verbose(ctx, line);
	struct cli_objects list = {0};
	struct cli_object *o;
	json_t *all = json_array();
	int status;

	if (line->noun == CLI_JOB) {
		json_decref(all);
		return detail_jobs(ctx, line);
	}
	status = cli_session_targets(ctx, line, &list);
	vec_for_each (&list, o) {
		if (!status)
			status = add_parts(ctx, o, verbose);
		if (status)
			continue;
		if (o_i)
			cli_print(ctx, "%s", "");
		show(ctx, o, verbose);
		json_array_append(all, o->props);
	}
	if (!status && list.len == 1)
		cli_result(ctx, json_incref(json_array_get(all, 0)));
	else if (!status)
		cli_result(ctx, json_incref(all));
	json_decref(all);
	cli_objects_release(&list);
	return status;
}
