/* SPDX-License-Identifier: Apache-2.0 */
/* maintenance: lights, alarms and spindles. Without count an operation goes on until stopped. */
#include "cli/common.h"
#include "cli/relations.h"

#include <string.h>

/* "is blinking", "was not blinking" */
static const char *doing(VDS_MAINTENANCE_OPERATION op)
{
	static const char *const words[] = {
		"blinking", "beeping", "spinning down", "spinning up", "being pinged"};

	return words[op - BlinkLight];
}

/* The state of one operation; false when the object does not tell. */
static bool find_state(
	const struct cli_object *obj, VDS_MAINTENANCE_OPERATION op, VDSX_MAINTENANCE_STATE *found)
{
	IVdsxMaintenance *m = cli_object_query(obj, &IID_IVdsxMaintenance);
	VDSX_MAINTENANCE_STATE *states = NULL;
	LONG count = 0;
	bool any = false;

	if (m && SUCCEEDED(IVdsxMaintenance_QueryState(m, &states, &count))) {
		for (LONG i = 0; i < count; i++) {
			if (states[i].operation == op) {
				*found = states[i];
				any = true;
			}
		}
		CoTaskMemFree(states);
	}
	CLI_RELEASE(m);
	return any;
}

/* The object's row of the result: what it is and its state now. */
static json_t *row(const struct cli_object *obj, VDS_MAINTENANCE_OPERATION op)
{
	VDSX_MAINTENANCE_STATE state;
	json_t *r = find_state(obj, op, &state) ? cli_maintenance_json(&state) : json_object();

	json_object_set_new(r, "object_type", json_string(cli_nouns[obj->noun].name));
	json_object_set_new(r, "number", json_integer(obj->number));
	return r;
}

static int refuse(struct cli_ctx *ctx, HRESULT hr, const struct cli_object *obj, const char *verb,
	VDS_MAINTENANCE_OPERATION op)
{
	char title[128];

	return cli_fail(
		ctx, hr, obj, "%s cannot %s %s", cli_object_title(obj, title), verb, doing(op));
}

static int start(struct cli_ctx *ctx, const struct cli_object *obj, IVdsMaintenance *m,
	VDS_MAINTENANCE_OPERATION op, const struct cli_value *count)
{
	HRESULT hr = IVdsMaintenance_StartMaintenance(m, op);
	char title[128];

	if (FAILED(hr))
		return refuse(ctx, hr, obj, "start", op);
	ctx->outcome.changed = true;
	cli_object_title(obj, title);
	if (!count) {
		cli_say(ctx, "%s is %s until stopped.", title, doing(op));
		return CLI_OK;
	}
	hr = IVdsMaintenance_PulseMaintenance(m, op, (ULONG)count->number);
	if (FAILED(hr)) {
		/* Started only to be pulsed: without the pulses it would never end. */
		(void)IVdsMaintenance_StopMaintenance(m, op);
		return refuse(ctx, hr, obj, "count pulses while", op);
	}
	cli_say(ctx, "%s is %s, %u time%s.", title, doing(op), (unsigned)count->number,
		count->number == 1 ? "" : "s");
	return CLI_OK;
}

static int stop(struct cli_ctx *ctx, const struct cli_object *obj, IVdsMaintenance *m,
	VDS_MAINTENANCE_OPERATION op)
{
	HRESULT hr = IVdsMaintenance_StopMaintenance(m, op);
	char title[128];

	if (FAILED(hr))
		return refuse(ctx, hr, obj, "stop", op);
	cli_object_title(obj, title);
	if (hr == S_FALSE) {
		cli_say(ctx, "%s was not %s.", title, doing(op));
		return CLI_OK;
	}
	ctx->outcome.changed = true;
	if (op == Ping)
		cli_say(ctx, "%s is no longer pinged.", title);
	else
		cli_say(ctx, "%s stopped %s.", title, doing(op));
	return CLI_OK;
}

static int show(struct cli_ctx *ctx, const struct cli_object *obj, VDS_MAINTENANCE_OPERATION op)
{
	VDSX_MAINTENANCE_STATE s;
	char title[128];

	cli_object_title(obj, title);
	if (!find_state(obj, op, &s))
		return cli_fail(ctx, VDS_E_NOT_SUPPORTED, obj, "%s does not offer to be %s", title,
			doing(op));
	switch (s.mode) {
	case VDSX_MAINTENANCE_RUNNING:
		cli_print(ctx, "%s is %s until stopped.", title, doing(op));
		return CLI_OK;
	case VDSX_MAINTENANCE_PULSING:
		cli_print(ctx, "%s is %s, %u pulse%s left.", title, doing(op), s.ulPulsesLeft,
			s.ulPulsesLeft == 1 ? "" : "s");
		return CLI_OK;
	case VDSX_MAINTENANCE_IDLE:
		break;
	}
	if (s.bEffective)
		cli_print(ctx, "%s is %s on behalf of another object.", title, doing(op));
	else
		cli_print(ctx, "%s is not %s.", title, doing(op));
	return CLI_OK;
}

static int one(struct cli_ctx *ctx, const struct cli_line *line, const struct cli_object *obj)
{
	VDS_MAINTENANCE_OPERATION op = cli_operation_named(line->words[0]);
	const struct cli_value *count = cli_line_value(line, "count");
	IVdsMaintenance *m;
	int status;

	if (cli_line_word_is(line, 1, "status"))
		return show(ctx, obj, op);
	if (cli_plan(ctx, line, "%s %u: %s %s", cli_nouns[obj->noun].text, obj->number,
		    line->words[0], cli_line_word_is(line, 1, "stop") ? "stops" : "starts"))
		return CLI_OK;
	m = cli_object_query(obj, &IID_IVdsMaintenance);
	if (!m)
		return refuse(ctx, E_NOINTERFACE, obj, "start", op);
	if (cli_line_word_is(line, 1, "stop"))
		status = stop(ctx, obj, m, op);
	else
		status = start(ctx, obj, m, op, count);
	CLI_RELEASE(m);
	return status;
}

int cli_cmd_maintenance(struct cli_ctx *ctx, const struct cli_line *line)
{
	VDS_MAINTENANCE_OPERATION op = cli_operation_named(line->words[0]);
	struct cli_objects list = {0};
	json_t *rows = json_array();
	struct cli_object *o;
	int status = CLI_OK;

	if (cli_line_value(line, "count") && line->word_count > 1 &&
		!cli_line_word_is(line, 1, "start"))
		status = cli_diag_set(&ctx->outcome.diag, CLI_SYNTAX,
			"count= belongs to starting an operation", NULL,
			"%s takes no count=", line->words[1]);
	if (!status)
		status = cli_session_targets(ctx, line, &list);
	vec_for_each (&list, o) {
		if (status)
			continue;
		status = one(ctx, line, o);
		json_array_append_new(rows, row(o, op));
	}
	if (!status && !cli_dry_run(ctx, line))
		cli_result_rows(ctx, json_incref(rows));
	json_decref(rows);
	cli_objects_release(&list);
	return status;
}
