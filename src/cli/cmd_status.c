/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status and check: what is wrong, worst first, each with cause, effect and the next command.
 * Everything is derived from the properties that list shows.
 */
#include "cli/common.h"
#include "cli/lists.h"
#include "cli/relations.h"

#include "base/cleanup.h"
#include "base/strbuf.h"

#include <string.h>

enum severity { WELL, NOTE, REDUNDANCY, UNAVAILABLE };

struct health {
	json_t *drives, *luns, *subsystems, *problems;
	unsigned spares;
	enum severity worst;
};

static const char *word(json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	return s ? s : "";
}

static void add_problem(struct health *h, enum severity severity, json_t *row, const char *type,
	const char *what, char *cause, const char *effect, char *fix)
{
	static const char *const names[] = {"well", "note", "redundancy", "unavailable"};
	json_t *list = json_array(), *p;

	for (char *save = NULL, *t = fix ? strtok_r(fix, ";", &save) : NULL; t;
		t = strtok_r(NULL, ";", &save))
		json_array_append_new(list, json_string(t + strspn(t, " ")));
	p = json_pack("{s:s, s:i, s:s, s:O, s:s, s:o, s:s, s:o}", "severity", names[severity],
		"severity_raw", (int)severity, "object_type", type, "number",
		json_object_get(row, "number"), "what", what, "cause", cli_string_json(cause),
		"effect", effect, "try", list);
	json_array_append_new(h->problems, p);
	if (severity > h->worst)
		h->worst = severity;
	free(cause);
	free(fix);
}

static json_t *drive_row(const struct health *h, json_int_t number)
{
	json_t *row;
	size_t i;

	json_array_foreach(h->drives, i,
		row) if (json_integer_value(json_object_get(row, "number")) == number) return row;
	return NULL;
}

/* ---- LUNs ---- */

/* "Drive 1 is failed; a drive is missing; Drive 3 is being rebuilt". malloc'd. */
static char *lun_cause(const struct health *h, json_t *lun)
{
	struct strbuf s = STRBUF_INIT;
	json_t *m;
	size_t i;

	strbuf_puts(&s, "");
	json_array_foreach(json_object_get(lun, "members"), i, m)
	{
		json_int_t number = json_integer_value(json_object_get(m, "drive"));
		json_t *drive =
			json_is_integer(json_object_get(m, "drive")) ? drive_row(h, number) : NULL;
		const char *state = word(m, "state");
		bool predicted = drive && !strcmp(word(drive, "health"), "pending_failure");

		if (!strcmp(state, "in_sync") && !predicted)
			continue;
		strbuf_puts(&s, s.len ? "; " : "");
		if (!drive)
			strbuf_printf(&s, "the drive of member %lld is missing",
				(long long)json_integer_value(json_object_get(m, "slot")));
		else if (predicted)
			strbuf_printf(&s, "drive %lld predicts its failure", (long long)number);
		else if (!strcmp(state, "rebuilding"))
			strbuf_printf(&s, "drive %lld is being rebuilt", (long long)number);
		else if (!strcmp(word(drive, "status"), "online"))
			strbuf_printf(&s, "drive %lld holds outdated data", (long long)number);
		else
			strbuf_printf(
				&s, "drive %lld is %s", (long long)number, word(drive, "status"));
	}
	return strbuf_take(&s);
}

static char *textf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *textf(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	return text;
}

/* What to do about a LUN without redundancy: a spare, a drive that is back, or a new drive. */
static char *recover_fix(const struct health *h, json_t *lun)
{
	long long number = (long long)json_integer_value(json_object_get(lun, "number"));
	json_t *m;
	size_t i;

	json_array_foreach(json_object_get(lun, "members"), i, m)
	{
		json_t *drive = drive_row(h, json_integer_value(json_object_get(m, "drive")));

		if (drive && json_is_integer(json_object_get(m, "drive")) &&
			!strcmp(word(drive, "status"), "offline"))
			return textf("online drive %lld",
				(long long)json_integer_value(json_object_get(m, "drive")));
	}
	if (h->spares)
		return textf("recover lun %lld", number);
	return textf(
		"setflag drive N hotspare=true; add drive path=FILE size=SIZE; recover lun %lld",
		number);
}

static void check_lun(struct health *h, json_t *lun)
{
	const char *status = word(lun, "status"), *state = word(lun, "health");
	long long number = (long long)json_integer_value(json_object_get(lun, "number"));

	if (!strcmp(status, "failed") || !strcmp(state, "failed"))
		add_problem(h, UNAVAILABLE, lun, "lun", "failed", lun_cause(h, lun),
			"its data are unavailable", textf("detail lun %lld; list drives", number));
	else if (!strcmp(status, "offline"))
		add_problem(h, UNAVAILABLE, lun, "lun", "offline", textf("it was taken offline"),
			"its data are unavailable", textf("online lun %lld", number));
	else if (!strcmp(state, "rebuilding"))
		add_problem(h, REDUNDANCY, lun, "lun", "rebuilding", lun_cause(h, lun),
			"it has not its full redundancy yet", textf("list jobs; wait job"));
	else if (!strcmp(state, "failed_redundancy"))
		add_problem(h, REDUNDANCY, lun, "lun", "redundancy lost", lun_cause(h, lun),
			"it survives fewer failures than it should", recover_fix(h, lun));
	else if (!strcmp(state, "failed_redundancy_failing"))
		add_problem(h, REDUNDANCY, lun, "lun", "redundancy lost, and a member is failing",
			lun_cause(h, lun), "the next failure loses data", recover_fix(h, lun));
	else if (!strcmp(state, "failing_redundancy"))
		add_problem(h, REDUNDANCY, lun, "lun", "redundancy failing", lun_cause(h, lun),
			"it will lose redundancy", recover_fix(h, lun));
	else if (!strcmp(state, "failing"))
		add_problem(h, REDUNDANCY, lun, "lun", "failing", lun_cause(h, lun),
			"it has no redundancy and will lose data",
			textf("read lun %lld > FILE; replace drive N with drive M", number));
	else if (strcmp(state, "healthy"))
		add_problem(h, NOTE, lun, "lun", "health unknown", NULL,
			"nothing can be said about it", textf("detail lun %lld", number));
}

/* ---- drives and subsystems ---- */

static void check_drive(struct health *h, json_t *drive)
{
	const char *status = word(drive, "status");
	json_int_t flags = json_integer_value(json_object_get(drive, "flags_raw"));
	long long number = (long long)json_integer_value(json_object_get(drive, "number"));
	bool spare = flags & VDS_DRF_HOTSPARE;
	const char *effect = spare ? "this spare cannot stand in" : "it is not used";
	const char *note = word(drive, "note");

	if (!strcmp(status, "online") && strcmp(word(drive, "health"), "pending_failure")) {
		h->spares += (flags & VDS_DRF_HOTSPARE_STANDBY) != 0;
		return;
	}
	if (!strcmp(status, "online"))
		add_problem(h, NOTE, drive, "drive", "failure predicted",
			*note ? textf("%s", note) : NULL, "it may fail soon",
			textf("replace drive %lld with drive N", number));
	else if (!strcmp(status, "offline"))
		add_problem(h, NOTE, drive, "drive", "offline", textf("it was taken offline"),
			effect, textf("online drive %lld", number));
	else if (!strcmp(status, "removed"))
		add_problem(h, NOTE, drive, "drive", "removed", *note ? textf("%s", note) : NULL,
			effect, textf("maintenance drive %lld blink; reenumerate drives", number));
	else
		add_problem(h, NOTE, drive, "drive", status, *note ? textf("%s", note) : NULL,
			effect,
			textf("maintenance drive %lld blink; replace drive %lld with drive N",
				number, number));
}

static void check_subsystem(struct health *h, json_t *sub)
{
	const char *status = word(sub, "status");
	long long number = (long long)json_integer_value(json_object_get(sub, "number"));

	if (!strcmp(status, "online") || !strcmp(status, "partially_managed"))
		return; /* partially managed: the part that failed is reported itself */
	add_problem(h, UNAVAILABLE, sub, "subsystem", status, NULL, "its LUNs are unavailable",
		!strcmp(status, "offline") ? textf("online subsystem %lld", number)
					   : textf("detail subsystem %lld", number));
}

/* ---- the whole ---- */

static int read_health(struct cli_ctx *ctx, struct health *h)
{
	json_t *row;
	size_t i;
	int status;

	h->drives = json_array();
	h->luns = json_array();
	h->subsystems = json_array();
	h->problems = json_array();
	status = cli_list_rows(ctx, CLI_SUBSYSTEM, h->subsystems);
	if (!status)
		status = cli_list_rows(ctx, CLI_DRIVE, h->drives);
	if (!status)
		status = cli_list_rows(ctx, CLI_LUN, h->luns);
	if (status)
		return status;
	json_array_foreach(h->subsystems, i, row) check_subsystem(h, row);
	json_array_foreach(h->drives, i, row) check_drive(h, row);
	json_array_foreach(h->luns, i, row) check_lun(h, row);
	return CLI_OK;
}

static void free_health(struct health *h)
{
	json_decref(h->drives);
	json_decref(h->luns);
	json_decref(h->subsystems);
	json_decref(h->problems);
}

/* Worst first; LUNs, found last, before what caused it. */
static void sort_problems(struct health *h)
{
	json_t *sorted = json_array();

	for (int s = UNAVAILABLE; s >= NOTE; s--) {
		for (size_t i = json_array_size(h->problems); i--;) {
			json_t *p = json_array_get(h->problems, i);

			if (json_integer_value(json_object_get(p, "severity_raw")) == s)
				json_array_append(sorted, p);
		}
	}
	json_decref(h->problems);
	h->problems = sorted;
}

static void problem_title(json_t *p, char *buf, size_t size)
{
	const char *type = word(p, "object_type");

	snprintf(buf, size, "%s %lld",
		!strcmp(type, "lun")     ? "LUN"
		: !strcmp(type, "drive") ? "Drive"
					 : "Subsystem",
		(long long)json_integer_value(json_object_get(p, "number")));
}

static void print_problem(struct cli_ctx *ctx, json_t *p)
{
	json_t *list = json_object_get(p, "try"), *t;
	struct strbuf fix = STRBUF_INIT;
	char title[64];
	size_t i;

	problem_title(p, title, sizeof(title));
	cli_print(ctx, "%-8s  %s: %s%s%s.", title, word(p, "what"), word(p, "effect"),
		*word(p, "cause") ? "; " : "", word(p, "cause"));
	json_array_foreach(list, i, t)
		strbuf_printf(&fix, "%s%s", i ? " ; " : "", json_string_value(t));
	cli_print(ctx, "          try: %s", fix.text ? fix.text : "");
	strbuf_free(&fix);
}

static json_t *health_json(const struct health *h)
{
	static const char *const words[] = {"healthy", "healthy", "degraded", "unavailable"};

	return json_pack("{s:s, s:O, s:i, s:i, s:i}", "health",
		h->worst == NOTE ? "attention" : words[h->worst], "problems", h->problems, "luns",
		(int)json_array_size(h->luns), "drives", (int)json_array_size(h->drives), "spares",
		(int)h->spares);
}

int cli_cmd_status(struct cli_ctx *ctx, const struct cli_line *line)
{
	struct health h = {0};
	json_t *p;
	size_t i;
	int status = read_health(ctx, &h);

	(void)line;
	if (!status) {
		sort_problems(&h);
		json_array_foreach(h.problems, i, p) print_problem(ctx, p);
		if (!json_array_size(h.problems))
			cli_print(ctx, "All is well: %zu LUN%s, %zu drive%s, %u spare%s.",
				json_array_size(h.luns), json_array_size(h.luns) == 1 ? "" : "s",
				json_array_size(h.drives),
				json_array_size(h.drives) == 1 ? "" : "s", h.spares,
				h.spares == 1 ? "" : "s");
		cli_result(ctx, health_json(&h));
	}
	free_health(&h);
	return status;
}

int cli_cmd_status_object(struct cli_ctx *ctx, const struct cli_line *line)
{
	struct cli_objects list = {0};
	struct health h = {0};
	json_t *p, *found = json_array();
	size_t i;
	int status;

	if (cli_line_word_is(line, 0, "set") && line->word_count > 1) {
		json_decref(found);
		return cli_set_status_word(ctx, line, line->words[1]);
	}
	status = cli_session_targets(ctx, line, &list);
	if (!status)
		status = read_health(ctx, &h);
	for (size_t k = 0; k < list.len && !status; k++) {
		struct cli_object *o = &list.items[k];
		const char *health = cli_object_text(o, "health");
		char title[128];

		cli_print(ctx, "%s: %s%s%s.", cli_object_title(o, title),
			cli_object_text(o, "status"), health ? ", " : "", health ? health : "");
		json_array_foreach(h.problems, i, p)
		{
			if (strcmp(word(p, "object_type"), cli_nouns[o->noun].name) ||
				json_integer_value(json_object_get(p, "number")) != o->number)
				continue;
			json_array_append(found, p);
			print_problem(ctx, p);
		}
		if (list.len == 1) {
			json_object_set(o->props, "problems", found);
			cli_result(ctx, json_incref(o->props));
		} else {
			cli_result(ctx, json_incref(found));
		}
	}
	json_decref(found);
	free_health(&h);
	cli_objects_release(&list);
	return status;
}

/* ---- check ---- */

static void nagios(struct cli_ctx *ctx, struct health *h)
{
	static const char *const states[] = {"OK", "WARNING", "WARNING", "CRITICAL"};
	json_t *p = json_array_get(h->problems, 0);
	char title[64];

	if (!p) {
		cli_print(ctx, "VDS OK - %zu LUNs, %zu drives, %u spares", json_array_size(h->luns),
			json_array_size(h->drives), h->spares);
		return;
	}
	problem_title(p, title, sizeof(title));
	cli_print(ctx, "VDS %s - %s %s%s%s (%zu problem%s)", states[h->worst], title,
		word(p, "what"), *word(p, "cause") ? ": " : "", word(p, "cause"),
		json_array_size(h->problems), json_array_size(h->problems) == 1 ? "" : "s");
}

int cli_cmd_check(struct cli_ctx *ctx, const struct cli_line *line)
{
	static const int native[] = {
		0, CLI_CHECK_REDUNDANCY, CLI_CHECK_REDUNDANCY, CLI_CHECK_UNAVAILABLE};
	static const int plugin[] = {0, 1, 1, 2};
	struct health h = {0};
	bool as_plugin = ctx->opt.nagios || line->nagios;
	json_t *p;
	size_t i;

	if (read_health(ctx, &h)) {
		free_health(&h);
		return ctx->outcome.diag.status;
	}
	sort_problems(&h);
	if (as_plugin)
		nagios(ctx, &h);
	else if (cli_verbose(ctx, line))
		json_array_foreach(h.problems, i, p) print_problem(ctx, p);
	ctx->outcome.check_status = as_plugin ? plugin[h.worst] : native[h.worst];
	cli_result(ctx, health_json(&h));
	free_health(&h);
	return CLI_OK;
}
