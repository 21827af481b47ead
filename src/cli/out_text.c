/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text output: sentences, tables and property lists. A value is drawn by what its name and its
 * neighbours say: *_bytes is a size, a word with a *_raw number beside it is an enum value.
 */
#include "cli/out.h"

#include "base/cleanup.h"
#include "base/strbuf.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

static void say(struct cli_ctx *ctx, const char *fmt, va_list ap)
{
	ctx->outcome.spoke = true;
	vfprintf(ctx->out, fmt, ap);
	fputc('\n', ctx->out);
}

void cli_say(struct cli_ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	if (ctx->opt.json || ctx->opt.quiet)
		return;
	va_start(ap, fmt);
	say(ctx, fmt, ap);
	va_end(ap);
}

void cli_print(struct cli_ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	if (ctx->opt.json)
		return;
	va_start(ap, fmt);
	say(ctx, fmt, ap);
	va_end(ap);
}

void cli_warn(struct cli_ctx *ctx, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (ctx->opt.json)
		json_array_append_new(ctx->outcome.warnings, json_string(text));
	else
		fprintf(ctx->err, "warning: %s\n", text);
}

/* ---- values ---- */

char *cli_size_text(const struct cli_ctx *ctx, uint64_t bytes)
{
	static const char *const names[] = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
	double base = ctx->opt.units == CLI_UNITS_SI ? 1000 : 1024, v = (double)bytes;
	struct strbuf s = STRBUF_INIT;
	int unit = 0;

	if (ctx->opt.units == CLI_UNITS_BYTES) {
		strbuf_printf(&s, "%llu", (unsigned long long)bytes);
		return strbuf_take(&s);
	}
	/* 1023.9 KB reads as 1024 KB: go on to the next unit before that. */
	for (; v >= base - 0.5 && unit < 6; unit++)
		v /= base;
	strbuf_printf(&s, v >= 99.95 ? "%.0f" : "%.1f", v);
	if (!s.failed && s.len > 2 && !strcmp(s.text + s.len - 2, ".0"))
		s.len -= 2;
	strbuf_printf(&s, " %s", names[unit]);
	return strbuf_take(&s);
}

const char *cli_size(const struct cli_ctx *ctx, uint64_t bytes, char buf[static 32])
{
	cleanup_free char *text = cli_size_text(ctx, bytes);

	snprintf(buf, 32, "%s", text ? text : "?");
	return buf;
}

static void add_word(struct strbuf *s, const char *word)
{
	char c = (char)toupper((unsigned char)*word);

	if (!*word)
		return;
	strbuf_add(s, &c, 1);
	for (word++; *word; word++)
		strbuf_add(s, *word == '_' ? " " : word, 1);
}

static bool is_enum(json_t *row, const char *key)
{
	char raw[80];

	snprintf(raw, sizeof(raw), "%s_raw", key);
	return json_object_get(row, raw) != NULL;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static void add_value(
	const struct cli_ctx *ctx, struct strbuf *s, const char *key, json_t *v, bool enumeration)
{
	cleanup_free char *size = NULL;
	json_t *item;
	size_t i;

	switch (json_typeof(v)) {
	case JSON_STRING:
		if (enumeration)
			add_word(s, json_string_value(v));
		else
			strbuf_puts(s, json_string_value(v));
		return;
	case JSON_INTEGER:
		size = ends_with(key, "_bytes")
			       ? cli_size_text(ctx, (uint64_t)json_integer_value(v))
			       : NULL;
		if (size)
			strbuf_puts(s, size);
		else
			strbuf_printf(s, "%lld", (long long)json_integer_value(v));
		return;
	case JSON_REAL:
		strbuf_printf(s, "%g", json_real_value(v));
		return;
	case JSON_TRUE:
		strbuf_puts(s, "Yes");
		return;
	case JSON_FALSE:
		strbuf_puts(s, "No");
		return;
	case JSON_ARRAY:
		json_array_foreach(v, i, item)
		{
			if (i)
				strbuf_puts(s, ", ");
			add_value(ctx, s, key, item, enumeration);
		}
		return;
	case JSON_NULL:
	case JSON_OBJECT:
		return;
	}
}

static char *cell(const struct cli_ctx *ctx, json_t *row, const struct cli_column *c)
{
	struct strbuf s = STRBUF_INIT;
	json_t *v;

	if (c->render)
		return c->render(ctx, row);
	v = json_object_get(row, c->key);
	if (v)
		add_value(ctx, &s, c->key, v, is_enum(row, c->key));
	return strbuf_take(&s);
}

/* ---- tables ---- */

/* Characters, not bytes: names may hold UTF-8. */
static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void put_padded(FILE *f, const char *text, size_t width, bool right, bool last)
{
	size_t n = width_of(text), pad = n < width ? width - n : 0;

	if (right)
		fprintf(f, "%*s%s", (int)pad, "", text);
	else
		fprintf(f, "%s%*s", text, last ? 0 : (int)pad, "");
}

struct drawn {
	const struct cli_column *columns;
	size_t count, rows;
	char **cells; /* rows * count */
	size_t *widths;
};

static bool draw(const struct cli_ctx *ctx, struct drawn *t, json_t *rows)
{
	json_t *row;
	size_t i;

	t->rows = json_array_size(rows);
	t->cells = calloc(t->rows * t->count + 1, sizeof(char *));
	t->widths = calloc(t->count + 1, sizeof(size_t));
	if (!t->cells || !t->widths)
		return false;
	for (size_t k = 0; k < t->count; k++)
		t->widths[k] = ctx->opt.no_header ? 0 : width_of(t->columns[k].title);
	json_array_foreach(rows, i, row)
	{
		for (size_t k = 0; k < t->count; k++) {
			char *text = cell(ctx, row, &t->columns[k]);

			t->cells[i * t->count + k] = text;
			if (text && width_of(text) > t->widths[k])
				t->widths[k] = width_of(text);
		}
	}
	return true;
}

static void put_header(FILE *f, const struct drawn *t, const char *indent)
{
	fprintf(f, "%s", indent);
	for (size_t k = 0; k < t->count; k++) {
		fprintf(f, k ? "  " : "");
		put_padded(f, t->columns[k].title, t->widths[k], t->columns[k].right,
			k + 1 == t->count);
	}
	fprintf(f, "\n%s", indent);
	for (size_t k = 0; k < t->count; k++) {
		fprintf(f, k ? "  " : "");
		for (size_t n = 0; n < t->widths[k]; n++)
			fputc('-', f);
	}
	fputc('\n', f);
}

static void put_table(struct cli_ctx *ctx, const struct cli_column *columns, size_t count,
	json_t *rows, enum cli_noun noun, const char *indent)
{
	struct drawn t = {.columns = columns, .count = count};
	json_t *row;
	size_t i;

	if (!draw(ctx, &t, rows)) {
		cli_diag_memory(&ctx->outcome.diag);
		goto out;
	}
	ctx->outcome.spoke = true;
	if (!ctx->opt.no_header)
		put_header(ctx->out, &t, indent);
	json_array_foreach(rows, i, row)
	{
		json_t *number = json_object_get(row, "number");
		bool mark = noun && number &&
			    cli_focus_is(&ctx->focus, noun, (uint32_t)json_integer_value(number));

		fprintf(ctx->out, "%s", mark ? "* " : indent);
		for (size_t k = 0; k < count; k++) {
			char *text = t.cells[i * count + k];

			fprintf(ctx->out, k ? "  " : "");
			put_padded(ctx->out, text ? text : "", t.widths[k], columns[k].right,
				k + 1 == count);
		}
		fputc('\n', ctx->out);
	}
out:
	for (size_t k = 0; t.cells && k < t.rows * count; k++)
		free(t.cells[k]);
	free(t.cells);
	free(t.widths);
}

/* --columns: the keys asked for, in that order. keys is cut up; returns how many. */
static size_t asked_columns(char *keys, struct cli_column *out, size_t cap)
{
	size_t n = 0;

	for (char *save = NULL, *key = strtok_r(keys, ",", &save); key && n < cap;
		key = strtok_r(NULL, ",", &save))
		out[n++] = (struct cli_column){.title = key, .key = key};
	return n;
}

void cli_table(struct cli_ctx *ctx, const struct cli_column *columns, size_t count, json_t *rows,
	enum cli_noun noun)
{
	struct cli_column asked[64];
	cleanup_free char *keys = NULL;
	json_t *first = json_array_get(rows, 0);

	if (ctx->opt.json)
		return;
	if (ctx->opt.columns) {
		keys = strdup(ctx->opt.columns);
		if (!keys) {
			cli_diag_memory(&ctx->outcome.diag);
			return;
		}
		count = asked_columns(keys, asked, ARRAY_SIZE(asked));
		columns = asked;
		for (size_t k = 0; first && k < count; k++) {
			if (json_object_get(first, asked[k].key))
				continue;
			cli_diag_set(&ctx->outcome.diag, CLI_BAD_OPTIONS,
				"the names are those of the JSON output", "add --json to see them",
				"--columns: there is no column \"%s\"", asked[k].key);
			return;
		}
	}
	put_table(ctx, columns, count, rows, noun, "  ");
}

/* ---- properties ---- */

static void add_label(struct strbuf *s, const char *key)
{
	size_t len = strlen(key);

	if (ends_with(key, "_bytes"))
		len -= 6;
	for (size_t i = 0; i < len; i++) {
		char c = key[i] == '_' ? ' ' : i ? key[i] : (char)toupper((unsigned char)key[0]);

		strbuf_add(s, &c, 1);
	}
}

static bool is_table(json_t *v)
{
	return json_is_array(v) && json_is_object(json_array_get(v, 0));
}

/* An array of objects, with a column for each key of the first. */
static void put_subtable(struct cli_ctx *ctx, const char *key, json_t *rows)
{
	struct cli_column columns[24] = {{0}};
	struct strbuf titles[24] = {{0}};
	const char *name;
	json_t *v;
	size_t n = 0;

	json_object_foreach(json_array_get(rows, 0), name, v)
	{
		if (n == ARRAY_SIZE(columns) || ends_with(name, "_raw") || is_table(v) ||
			json_is_object(v))
			continue;
		add_label(&titles[n], name);
		columns[n] = (struct cli_column){.key = name, .right = json_is_integer(v)};
		columns[n].title = titles[n].text ? titles[n].text : name;
		n++;
	}
	(void)v;
	fprintf(ctx->out, "\n");
	struct strbuf label = STRBUF_INIT;
	add_label(&label, key);
	fprintf(ctx->out, "  %s:\n", label.text ? label.text : key);
	strbuf_free(&label);
	put_table(ctx, columns, n, rows, CLI_NOUN_NONE, "    ");
	for (size_t i = 0; i < n; i++)
		strbuf_free(&titles[i]);
}

void cli_properties(struct cli_ctx *ctx, json_t *object)
{
	const char *key;
	json_t *v;

	if (ctx->opt.json)
		return;
	ctx->outcome.spoke = true;
	json_object_foreach(object, key, v)
	{
		struct strbuf label = STRBUF_INIT, text = STRBUF_INIT;

		if (ends_with(key, "_raw") || is_table(v) || json_is_object(v))
			continue;
		add_label(&label, key);
		add_value(ctx, &text, key, v, is_enum(object, key));
		if (ends_with(key, "_bytes") && json_is_integer(v) &&
			ctx->opt.units != CLI_UNITS_BYTES)
			strbuf_printf(&text, " (%lld bytes)", (long long)json_integer_value(v));
		fprintf(ctx->out, "  %-20s: %s\n", label.text ? label.text : key,
			text.text && text.text[0] ? text.text : "-");
		strbuf_free(&label);
		strbuf_free(&text);
	}
	json_object_foreach(object, key, v) if (is_table(v)) put_subtable(ctx, key, v);
}
