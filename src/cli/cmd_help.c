/* SPDX-License-Identifier: Apache-2.0 */
/* help and --help: what the command table says, for people. */
#include "cli/help.h"

#include "cli/common.h"

#include "base/cleanup.h"
#include "cli/hr.h"

#include <string.h>

enum { WIDTH = 78 };

/* Text broken into lines of at most WIDTH columns, each indented. */
static void wrap(FILE *f, const char *text, int indent, int hang)
{
	int column = indent;

	fprintf(f, "%*s", indent, "");
	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column > hang && column + 1 + len > WIDTH) {
			fprintf(f, "\n%*s", hang, "");
			column = hang;
		} else if (column > indent) {
			fputc(' ', f);
			column++;
		}
		fprintf(f, "%.*s", len, text);
		column += len;
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', f);
}

static void put_item(FILE *f, const char *name, const char *about)
{
	if (strlen(name) > 22)
		fprintf(f, "  %s\n%*s", name, 26, "");
	else
		fprintf(f, "  %-24s", name);
	/* The first line continues after the name. */
	for (int column = 26; *about;) {
		int len = (int)strcspn(about, " ");

		if (column > 26 && column + 1 + len > WIDTH) {
			fprintf(f, "\n%*s", 26, "");
			column = 26;
		} else if (column > 26) {
			fputc(' ', f);
			column++;
		}
		fprintf(f, "%.*s", len, about);
		column += len;
		about += len;
		about += strspn(about, " ");
	}
	fputc('\n', f);
}

void cli_help_usage(FILE *f)
{
	char name[80];

	fprintf(f, "usage: vds [OPTIONS] COMMAND     one command\n"
		   "       vds [OPTIONS]             a shell\n"
		   "       vds [OPTIONS] -s FILE     a script; - is standard input\n\n"
		   "Begin with:  vds --store DIR create subsystem drives=6x96MB\n\n");
	for (size_t i = 0; i < cli_global_count; i++) {
		const struct cli_global *g = &cli_globals[i];
		char letter[5] = "    ";

		if (g->letter)
			snprintf(letter, sizeof(letter), "-%c, ", g->letter);
		snprintf(name, sizeof(name), "%s--%s%s%s", letter, g->name, g->arg ? " " : "",
			g->arg ? g->arg : "");
		put_item(f, name, g->about);
	}
	fprintf(f, "\nvds help lists the commands; vds help VERB explains one.\n");
}

/* "{provider|drive|…}" shortened to the nouns. */
static void short_name(const struct cli_command *c, char *buf, size_t size)
{
	size_t len = (size_t)snprintf(buf, size, "%s", c->verb);
	bool many = c->nouns & (c->nouns - 1);

	for (int i = 1; i < CLI_NOUN_COUNT && !many && len < size; i++)
		if (c->nouns & 1u << i)
			len += (size_t)snprintf(buf + len, size - len, " %s", cli_nouns[i].name);
	if (many)
		snprintf(buf + len, size - len, " …");
}

void cli_help_commands(FILE *f)
{
	char name[80];

	for (size_t i = 0; i < cli_command_count; i++) {
		short_name(&cli_commands[i], name, sizeof(name));
		/* The ellipsis is one column in three bytes. */
		fprintf(f, "  %-*s%s\n", strstr(name, "…") ? 30 : 28, name,
			cli_commands[i].summary);
	}
	fprintf(f, "\nhelp VERB explains a command, help error CODE an error.\n");
}

static const char *type_name(enum cli_type type)
{
	switch (type) {
	case CLI_SIZE:
		return "SIZE";
	case CLI_BYTES:
		return "BYTES";
	case CLI_NUMBER:
		return "N";
	case CLI_BOOL:
		return "on|off";
	case CLI_TEXT:
		return "TEXT";
	case CLI_ENUM:
		return "";
	case CLI_LIST:
		return "LIST";
	case CLI_SELECTOR:
		return "SELECTOR";
	case CLI_DRIVES:
		return "COUNTxSIZE";
	case CLI_SLOT:
		return "BUS.SLOT";
	}
	return "";
}

static void join(const char *const *values, const char *between, char *buf, size_t size)
{
	size_t len = strlen(buf);

	for (size_t i = 0; values && values[i] && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? between : "", values[i]);
}

/* A word: its values when they are few, else its name and the values below. */
static void put_word(FILE *f, const struct cli_word *w)
{
	char values[400] = "";

	join(w->values, "|", values, sizeof(values));
	if (strlen(values) < 50) {
		put_item(f, values[0] ? values : w->name, w->about);
		return;
	}
	put_item(f, w->name, w->about);
	values[0] = 0;
	join(w->values, ", ", values, sizeof(values));
	wrap(f, values, 26, 26);
}

static void explain(FILE *f, const struct cli_command *c)
{
	char name[300];

	wrap(f, c->syntax, 0, 6);
	fputc('\n', f);
	wrap(f, c->description, 2, 2);
	if (c->word_count + c->option_count + c->flag_count)
		fputc('\n', f);
	for (size_t i = 0; i < c->word_count; i++)
		put_word(f, &c->words[i]);
	for (size_t i = 0; i < c->option_count; i++) {
		snprintf(name, sizeof(name), "%s=%s", c->options[i].name,
			type_name(c->options[i].type));
		join(c->options[i].values, "|", name, sizeof(name));
		put_item(f, name, c->options[i].about);
	}
	for (size_t i = 0; i < c->flag_count; i++)
		put_item(f, c->flags[i].name, c->flags[i].about);
	fprintf(f, "\n");
	for (size_t i = 0; i < c->example_count; i++)
		put_item(f, c->examples[i].command, c->examples[i].about);
}

static json_t *command_json(const struct cli_command *c)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "verb", c->verb, "syntax", c->syntax, "summary",
		c->summary, "description", c->description);
}

static int help_command(struct cli_ctx *ctx, const char *verb, const char *noun)
{
	enum cli_noun n = noun ? cli_find_noun(noun, ~0u, true) : CLI_NOUN_NONE;
	json_t *found = json_array();

	for (size_t i = 0; i < cli_command_count; i++) {
		const struct cli_command *c = &cli_commands[i];

		if ((strcasecmp(c->verb, verb) &&
			    (!c->abbreviation || strcasecmp(c->abbreviation, verb))) ||
			(noun && !(c->nouns & 1u << n)))
			continue;
		if (!ctx->opt.json) {
			fprintf(ctx->out, json_array_size(found) ? "\n" : "");
			explain(ctx->out, c);
		}
		json_array_append_new(found, command_json(c));
	}
	if (!json_array_size(found)) {
		const char *near = cli_nearest_verb(verb);

		json_decref(found);
		cli_diag_set(&ctx->outcome.diag, CLI_SYNTAX, NULL, "help",
			"there is no command %s%s%s", verb, noun ? " " : "", noun ? noun : "");
		if (near)
			cli_diag_fix(&ctx->outcome.diag, "help %s", near);
		return ctx->outcome.diag.status;
	}
	cli_result(ctx, found);
	return CLI_OK;
}

static int help_error(struct cli_ctx *ctx, const char *text)
{
	struct cli_diag *d = &ctx->outcome.diag;
	char meaning[300], code[CLI_HR_TEXT], value[16];
	int32_t hr;

	if (!text)
		return cli_diag_set(
			d, CLI_SYNTAX, NULL, "help error 0x8004241f", "help error: which code?");
	if (!cli_hr_find(text, &hr))
		return cli_diag_set(d, CLI_SYNTAX, "a code is a name or a number",
			"help error 0x8004241f", "\"%s\" is no error code", text);
	cli_hr_meaning(hr, meaning, sizeof(meaning));
	cli_print(ctx, "%s: %s.", cli_hr_text(hr, code), meaning);
	snprintf(value, sizeof(value), "0x%08x", (unsigned)hr);
	cli_result_set(ctx, "name", cli_string_json(cli_hr_name(hr)));
	cli_result_set(ctx, "hresult", json_string(value));
	cli_result_set(ctx, "meaning", json_string(meaning));
	return CLI_OK;
}

int cli_cmd_help(struct cli_ctx *ctx, const struct cli_line *line)
{
	if (!line->word_count) {
		json_t *all = json_array();

		if (!ctx->opt.json)
			cli_help_commands(ctx->out);
		for (size_t i = 0; i < cli_command_count; i++)
			json_array_append_new(all, command_json(&cli_commands[i]));
		cli_result(ctx, all);
		return CLI_OK;
	}
	if (!strcasecmp(line->words[0], "error"))
		return help_error(ctx, line->word_count > 1 ? line->words[1] : NULL);
	return help_command(ctx, line->words[0], line->word_count > 1 ? line->words[1] : NULL);
}

int cli_cmd_exit(struct cli_ctx *ctx, const struct cli_line *line)
{
	(void)line;
	ctx->quit = true;
	return CLI_OK;
}

int cli_cmd_rem(struct cli_ctx *ctx, const struct cli_line *line)
{
	(void)ctx;
	(void)line;
	return CLI_OK;
}
