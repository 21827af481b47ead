/* SPDX-License-Identifier: Apache-2.0 */
/* list, select: the tables of all kinds of objects. */
#include "cli/common.h"
#include "cli/lists.h"
#include "cli/relations.h"

#include "base/cleanup.h"
#include "base/strbuf.h"

#include <math.h>
#include <string.h>

/* ---- cells ---- */

static char *title_cell(const char *title, json_t *row)
{
	struct strbuf s = STRBUF_INIT;

	strbuf_printf(&s, "%s %lld", title,
		(long long)json_integer_value(json_object_get(row, "number")));
	return strbuf_take(&s);
}

#define TITLE_CELL(noun, title)                                                                    \
	static char *noun##_cell(const struct cli_ctx *ctx, json_t *row)                           \
	{                                                                                          \
		(void)ctx;                                                                         \
		return title_cell(title, row);                                                     \
	}
TITLE_CELL(provider, "Provider")
TITLE_CELL(subsystem, "Subsystem")
TITLE_CELL(controller, "Controller")
TITLE_CELL(port, "Port")
TITLE_CELL(drive, "Drive")
TITLE_CELL(lun, "LUN")
TITLE_CELL(job, "Job")
TITLE_CELL(plex, "Plex")

/* The flags worth a word in a table: whether it is a spare. */
static char *spare_cell(const struct cli_ctx *ctx, json_t *row)
{
	json_int_t flags = json_integer_value(json_object_get(row, "flags_raw"));

	(void)ctx;
	if (flags & VDS_DRF_HOTSPARE_IN_USE)
		return strdup("Hotspare in use");
	return strdup(flags & VDS_DRF_HOTSPARE ? "Hotspare" : "");
}

/* RAID levels are written in capitals. */
static char *type_cell(const struct cli_ctx *ctx, json_t *row)
{
	const char *type = json_string_value(json_object_get(row, "type"));
	char *text = strdup(type ? type : "");
	size_t len = text && !strncmp(text, "raid", 4) ? 4 : 1;

	(void)ctx;
	for (size_t i = 0; text && text[i] && i < len; i++)
		text[i] = (char)(text[i] - ('a' - 'A'));
	return text;
}

static char *object_cell(const struct cli_ctx *ctx, json_t *row)
{
	const char *type = json_string_value(json_object_get(row, "object_type"));
	json_t *number = json_object_get(row, "object_number");
	struct strbuf s = STRBUF_INIT;

	(void)ctx;
	strbuf_puts(&s, !type ? "" : !strcmp(type, "lun") ? "LUN" : type);
	if (json_is_integer(number))
		strbuf_printf(&s, " %lld", (long long)json_integer_value(number));
	return strbuf_take(&s);
}

static char *operation_cell(const struct cli_ctx *ctx, json_t *row)
{
	json_int_t type = json_integer_value(json_object_get(row, "type_raw"));
	char *text = strdup(cli_job_word((VDS_ASYNC_OUTPUT_TYPE)type));

	(void)ctx;
	if (text)
		text[0] = (char)(text[0] - ('a' - 'A'));
	return text;
}

static char *percent_cell(const struct cli_ctx *ctx, json_t *row)
{
	struct strbuf s = STRBUF_INIT;

	(void)ctx;
	strbuf_printf(&s, "%lld%%", (long long)json_integer_value(json_object_get(row, "percent")));
	return strbuf_take(&s);
}

/* ---- tables ---- */

static const struct cli_column provider_columns[] = {
	{"Provider ###", "number", false, provider_cell}, {"Name", "name", false, NULL},
	{"Type", "type", false, NULL}, {"Version", "version", false, NULL}};
static const struct cli_column subsystem_columns[] = {
	{"Subsystem ###", "number", false, subsystem_cell}, {"Status", "status", false, NULL},
	{"Health", "health", false, NULL}, {"Name", "friendly_name", false, NULL},
	{"Identification", "identification", false, NULL}};
static const struct cli_column controller_columns[] = {
	{"Controller ###", "number", false, controller_cell}, {"Status", "status", false, NULL},
	{"Health", "health", false, NULL}, {"Ports", "number_of_ports", true, NULL},
	{"Name", "friendly_name", false, NULL}};
static const struct cli_column port_columns[] = {{"Port ###", "number", false, port_cell},
	{"Status", "status", false, NULL}, {"Name", "friendly_name", false, NULL},
	{"Identification", "identification", false, NULL}};
static const struct cli_column drive_columns[] = {{"Drive ###", "number", false, drive_cell},
	{"Status", "status", false, NULL}, {"Health", "health", false, NULL},
	{"Size", "size_bytes", true, NULL}, {"Free", "free_bytes", true, NULL},
	{"Bus", "bus", true, NULL}, {"Slot", "slot", true, NULL},
	{"Flags", "flags", false, spare_cell}, {"Subsystem", "subsystem", true, NULL}};
static const struct cli_column lun_columns[] = {{"LUN ###", "number", false, lun_cell},
	{"Status", "status", false, NULL}, {"Health", "health", false, NULL},
	{"Type", "type", false, type_cell}, {"Size", "size_bytes", true, NULL},
	{"Drives", "drives", false, NULL}, {"Name", "friendly_name", false, NULL},
	{"Subsystem", "subsystem", true, NULL}};
static const struct cli_column plex_columns[] = {{"Plex ###", "number", false, plex_cell},
	{"Status", "status", false, NULL}, {"Health", "health", false, NULL},
	{"Type", "type", false, type_cell}, {"Size", "size_bytes", true, NULL}};
static const struct cli_column job_columns[] = {{"Job ###", "number", false, job_cell},
	{"Operation", "type", false, operation_cell}, {"Object", "object_type", false, object_cell},
	{"State", "state", false, NULL}, {"Done", "percent", true, percent_cell},
	{"Bytes", "done_bytes", true, NULL}, {"Of", "total_bytes", true, NULL}};
static const struct cli_column fault_columns[] = {{"Fault", "kind", false, NULL},
	{"Object", "object_type", false, object_cell}, {"Offset", "offset_bytes", true, NULL},
	{"Size", "size_bytes", true, NULL}};

static const struct {
	const struct cli_column *columns;
	size_t count;
} tables[CLI_NOUN_COUNT] = {
	[CLI_PROVIDER] = {provider_columns, ARRAY_SIZE(provider_columns)},
	[CLI_SUBSYSTEM] = {subsystem_columns, ARRAY_SIZE(subsystem_columns)},
	[CLI_CONTROLLER] = {controller_columns, ARRAY_SIZE(controller_columns)},
	[CLI_PORT] = {port_columns, ARRAY_SIZE(port_columns)},
	[CLI_DRIVE] = {drive_columns, ARRAY_SIZE(drive_columns)},
	[CLI_LUN] = {lun_columns, ARRAY_SIZE(lun_columns)},
	[CLI_PLEX] = {plex_columns, ARRAY_SIZE(plex_columns)},
	[CLI_JOB] = {job_columns, ARRAY_SIZE(job_columns)},
	[CLI_FAULT] = {fault_columns, ARRAY_SIZE(fault_columns)},
};

/* The last column of drives and LUNs tells something only then. */
static bool several_subsystems(json_t *rows)
{
	json_t *first = json_object_get(json_array_get(rows, 0), "subsystem"), *row;
	size_t i;

	json_array_foreach(rows, i,
		row) if (!json_equal(json_object_get(row, "subsystem"), first)) return true;
	return false;
}

void cli_list_table(struct cli_ctx *ctx, enum cli_noun noun, json_t *rows)
{
	size_t count = tables[noun].count;

	if (!json_array_size(rows)) {
		cli_say(ctx, "There are no %s.", cli_nouns[noun].texts);
		return;
	}
	if ((noun == CLI_DRIVE || noun == CLI_LUN) && !several_subsystems(rows))
		count--;
	cli_table(ctx, tables[noun].columns, count, rows, noun);
}

/* ---- rows ---- */

static int job_rows(struct cli_ctx *ctx, json_t *rows)
{
	VDSX_JOB_PROP *jobs = NULL;
	LONG count = 0;
	int status = cli_jobs_query(ctx, &jobs, &count);

	for (LONG i = 0; i < count && !status; i++)
		json_array_append_new(rows, cli_job_json(ctx, &jobs[i]));
	CoTaskMemFree(jobs);
	return status;
}

/* The kind and number of the object with an identity, for faults. */
static void add_object(struct cli_ctx *ctx, json_t *row, const GUID *id)
{
	static const enum cli_noun nouns[] = {
		CLI_DRIVE, CLI_LUN, CLI_SUBSYSTEM, CLI_CONTROLLER, CLI_PROVIDER};

	for (size_t i = 0; i < ARRAY_SIZE(nouns); i++) {
		json_int_t number = cli_session_number(ctx, nouns[i], id);

		if (number < 0)
			continue;
		json_object_set_new(row, "object_type", json_string(cli_nouns[nouns[i]].name));
		json_object_set_new(row, "object_number", json_integer(number));
		return;
	}
	json_object_set_new(row, "object_type", json_null());
	json_object_set_new(row, "object_number", json_null());
}

static int fault_rows(struct cli_ctx *ctx, json_t *rows)
{
	IVdsxFault *f = NULL;
	VDSX_FAULT *faults = NULL;
	LONG count = 0;
	HRESULT hr = ctx->session->hw ? IVdsxHwProvider_QueryInterface(
						ctx->session->hw, &IID_IVdsxFault, (void **)&f)
				      : E_NOINTERFACE;

	if (SUCCEEDED(hr))
		hr = IVdsxFault_QueryFaults(f, &faults, &count);
	CLI_RELEASE(f);
	if (FAILED(hr))
		return cli_fail(ctx, hr, NULL, "the faults cannot be listed");
	for (LONG i = 0; i < count; i++) {
		json_t *row = json_object();

		json_object_set_new(row, "number", json_integer(i));
		cli_struct_json(row, &idl_struct_VDSX_FAULT, &faults[i]);
		add_object(ctx, row, &faults[i].objectId);
		json_array_append_new(rows, row);
	}
	CoTaskMemFree(faults);
	return CLI_OK;
}

static int object_rows(struct cli_ctx *ctx, enum cli_noun noun, json_t *rows)
{
	struct cli_objects list = {0};
	struct cli_index drives = {0};
	struct cli_object *o;
	int status = cli_session_list(ctx, noun, &list);

	if (!status && noun == CLI_LUN)
		status = cli_index_read(ctx, CLI_DRIVE, &drives);
	vec_for_each (&list, o) {
		HRESULT hr = status ? S_OK : cli_object_read(o);

		if (status || hr == VDS_E_OBJECT_DELETED)
			continue; /* went away while the list was made */
		if (FAILED(hr)) {
			status = cli_object_props(ctx, o);
			continue;
		}
		if (noun == CLI_LUN)
			cli_add_members(o->props, o, &drives);
		json_array_append(rows, o->props);
	}
	cli_index_release(&drives);
	cli_objects_release(&list);
	return status;
}

int cli_list_rows(struct cli_ctx *ctx, enum cli_noun noun, json_t *rows)
{
	if (noun == CLI_JOB)
		return job_rows(ctx, rows);
	if (noun == CLI_FAULT)
		return fault_rows(ctx, rows);
	return object_rows(ctx, noun, rows);
}

/* ---- where ---- */

/* <0, 0, >0 as strcmp; numbers and sizes by value, words ignoring case. NAN when not comparable. */
static double compare(json_t *value, const char *text)
{
	struct cli_diag ignored = {0};
	uint64_t n;
	bool flag;

	if (json_is_integer(value)) {
		if (cli_parse_size(text, 1, &n, &ignored))
			return NAN;
		return (double)json_integer_value(value) - (double)n;
	}
	if (json_is_boolean(value))
		return cli_parse_bool(text, &flag, &ignored) ? NAN
							     : (double)(json_is_true(value) - flag);
	if (json_is_string(value))
		return (double)strcasecmp(json_string_value(value), text);
	return NAN;
}

static bool holds(json_t *value, const struct cli_cond *c)
{
	double d;

	if (json_is_array(value)) { /* flags: = is "contains" */
		bool found = false;
		json_t *item;
		size_t i;

		json_array_foreach(value, i, item) found = found || compare(item, c->value) == 0;
		return c->op == CLI_NE ? !found : c->op == CLI_EQ && found;
	}
	d = compare(value, c->value);
	if (isnan(d))
		return c->op == CLI_NE;
	switch (c->op) {
	case CLI_EQ:
		return !(d < 0 || d > 0);
	case CLI_NE:
		return d < 0 || d > 0;
	case CLI_LT:
		return d < 0;
	case CLI_LE:
		return d <= 0;
	case CLI_GT:
		return d > 0;
	case CLI_GE:
		return d >= 0;
	}
	return false;
}

int cli_list_filter(struct cli_ctx *ctx, const struct cli_line *line, json_t *rows)
{
	for (size_t i = json_array_size(rows); i--;) {
		json_t *row = json_array_get(rows, i);
		bool keep = true;

		for (size_t k = 0; k < line->cond_count; k++) {
			json_t *value = json_object_get(row, line->conds[k].key);

			if (!value)
				return cli_diag_set(&ctx->outcome.diag, CLI_SYNTAX,
					"the names are those of the JSON output",
					"add --json to see them", "where: a %s has no \"%s\"",
					cli_nouns[line->noun].text, line->conds[k].key);
			keep = keep && holds(value, &line->conds[k]);
		}
		if (!keep)
			json_array_remove(rows, i);
	}
	return CLI_OK;
}

/* subsystem=N keeps the rows of that subsystem. */
static int filter_subsystem(struct cli_ctx *ctx, const struct cli_line *line, json_t *rows)
{
	const struct cli_value *v = cli_line_value(line, "subsystem");
	struct cli_object sub = {0};
	int status = v ? cli_session_option(ctx, v, &sub) : CLI_OK;

	for (size_t i = json_array_size(rows); v && !status && i--;) {
		json_t *value = json_object_get(json_array_get(rows, i), "subsystem");

		if (value && json_integer_value(value) != sub.number)
			json_array_remove(rows, i);
	}
	cli_object_release(&sub);
	return status;
}

int cli_cmd_list(struct cli_ctx *ctx, const struct cli_line *line)
{
	json_t *rows = json_array();
	int status = cli_list_rows(ctx, line->noun, rows);

	if (!status)
		status = filter_subsystem(ctx, line, rows);
	if (!status)
		status = cli_list_filter(ctx, line, rows);
	if (status) {
		json_decref(rows);
		return status;
	}
	cli_result(ctx, rows);
	cli_list_table(ctx, line->noun, rows);
	return ctx->outcome.diag.status;
}

/* ---- select ---- */

static int print_focus(struct cli_ctx *ctx, enum cli_noun noun)
{
	const char *name = cli_nouns[noun].text;

	if (ctx->focus.set[noun]) {
		cli_print(ctx, "%s %u is the selected %s.", name, ctx->focus.number[noun], name);
		cli_result_set(ctx, cli_nouns[noun].name, json_integer(ctx->focus.number[noun]));
	} else {
		cli_print(ctx, "No %s is selected.", name);
		cli_result_set(ctx, cli_nouns[noun].name, json_null());
	}
	return CLI_OK;
}

static int select_job(struct cli_ctx *ctx, const struct cli_line *line)
{
	uint32_t number;

	if (cli_job_number(ctx, line, &number))
		return ctx->outcome.diag.status;
	ctx->focus.set[CLI_JOB] = true;
	ctx->focus.number[CLI_JOB] = number;
	cli_say(ctx, "Job %u is now the selected job.", ctx->focus.number[CLI_JOB]);
	return CLI_OK;
}

/* The subsystem of what was selected is in focus too, and so is its provider. */
static void select_above(struct cli_ctx *ctx, const struct cli_object *obj)
{
	struct cli_objects providers = {0};

	if (obj->noun == CLI_PROVIDER)
		return;
	if (!cli_session_list(ctx, CLI_PROVIDER, &providers) && providers.len == 1)
		cli_focus_select(&ctx->focus, CLI_PROVIDER, providers.items[0].number);
	cli_objects_release(&providers);
	if (obj->subsystem && obj->noun != CLI_SUBSYSTEM)
		cli_focus_select(&ctx->focus, CLI_SUBSYSTEM, obj->subsystem_number);
}

int cli_cmd_select(struct cli_ctx *ctx, const struct cli_line *line)
{
	struct cli_object obj = {0};
	const char *name = cli_nouns[line->noun].text;
	char title[128];
	int status;

	if (!line->target.len)
		return print_focus(ctx, line->noun);
	if (line->noun == CLI_JOB)
		return select_job(ctx, line);
	status = cli_session_target(ctx, line, &obj);
	if (status) {
		cli_focus_clear(&ctx->focus, line->noun);
		return status;
	}
	select_above(ctx, &obj);
	cli_focus_select(&ctx->focus, line->noun, obj.number);
	cli_say(ctx, "%s is now the selected %s.", cli_object_title(&obj, title), name);
	cli_result(ctx, json_incref(obj.props));
	cli_object_release(&obj);
	return CLI_OK;
}
