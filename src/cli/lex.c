/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of a command line; the rules are in lex.h. */
#include "cli/lex.h"

#include "base/strbuf.h"

#include <ctype.h>
#include <string.h>

/* One run of text up to a blank, collected with quotes removed. */
struct piece {
	struct strbuf text;
	bool quoted;
	size_t equals; /* index of the first "=" that separates, or SIZE_MAX */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Reads the quoted part that begins at line[i] (after the quote). */
static int read_quoted(
	const char *line, size_t len, size_t *i, struct strbuf *text, struct cli_diag *d)
{
	for (; *i < len; (*i)++) {
		if (line[*i] != '"') {
			strbuf_add(text, line + *i, 1);
			continue;
		}
		if (*i + 1 < len && line[*i + 1] == '"') {
			strbuf_add(text, "\"", 1);
			(*i)++;
			continue;
		}
		(*i)++;
		return CLI_OK;
	}
	return cli_diag_set(d, CLI_SYNTAX, "the line ends inside quotes",
		"close the quotes; a quote inside is written \"\"", "a closing quote is missing");
}

static int read_piece(const char *line, size_t len, size_t *i, struct piece *p, struct cli_diag *d)
{
	bool colon = false;

	*p = (struct piece){.equals = SIZE_MAX};
	while (*i < len && !is_blank(line[*i])) {
		char c = line[(*i)++];

		if (c == '"') {
			p->quoted = true;
			if (read_quoted(line, len, i, &p->text, d))
				return d->status;
			continue;
		}
		if (c == '=' && p->equals == SIZE_MAX && !colon)
			p->equals = p->text.len;
		colon = colon || c == ':';
		strbuf_add(&p->text, &c, 1);
	}
	return CLI_OK;
}

static char *copy(const char *s, size_t len)
{
	char *p = malloc(len + 1);

	if (p) {
		memcpy(p, s, len);
		p[len] = 0;
	}
	return p;
}

static int push_token(struct cli_tokens *out, struct cli_token t, struct cli_diag *d)
{
	if (out->len >= CLI_TOKEN_MAX) {
		free(t.text);
		free(t.value);
		return cli_diag_set(d, CLI_SYNTAX, NULL, "split it into several commands",
			"the command has more than %d words", CLI_TOKEN_MAX);
	}
	if (!t.text || cli_tokens_push(out, t)) {
		free(t.text);
		free(t.value);
		return cli_diag_memory(d);
	}
	return CLI_OK;
}

/* A "key=" whose value follows after a blank, or a lone "=" after a key: is the next piece its
 * value? Only when it is no key=value itself. */
static bool wants_value(const struct cli_tokens *out)
{
	const struct cli_token *last = out->len ? &out->items[out->len - 1] : NULL;

	return last && last->value && !last->value[0] && !last->value_quoted;
}

static int set_value(
	struct cli_token *t, const char *s, size_t len, bool quoted, struct cli_diag *d)
{
	char *value = copy(s, len);

	if (!value)
		return cli_diag_memory(d);
	free(t->value);
	t->value = value;
	t->value_quoted = quoted;
	return CLI_OK;
}

/* Adds one piece, joining it with what stands before where "=" was set off by blanks. */
static int add_piece(struct cli_tokens *out, const char *s, size_t len, size_t equals, bool quoted,
	struct cli_diag *d)
{
	struct cli_token t = {0};

	if (equals == SIZE_MAX && wants_value(out))
		return set_value(&out->items[out->len - 1], s, len, quoted, d);
	if (equals == 0 && out->len && !out->items[out->len - 1].value)
		return set_value(&out->items[out->len - 1], s + 1, len - 1, quoted, d);
	t.text = copy(s, equals == SIZE_MAX ? len : equals);
	t.quoted = quoted && equals == SIZE_MAX;
	if (equals != SIZE_MAX) {
		t.value = copy(s + equals + 1, len - equals - 1);
		t.value_quoted = quoted;
		if (!t.value) {
			free(t.text);
			return cli_diag_memory(d);
		}
	}
	return push_token(out, t, d);
}

int cli_lex_line(const char *line, size_t len, struct cli_tokens *out, struct cli_diag *d)
{
	size_t i = 0;

	if (len > CLI_LINE_MAX)
		return cli_diag_set(d, CLI_SYNTAX, NULL, "split it into several commands",
			"the line is longer than %d bytes", CLI_LINE_MAX);
	if (memchr(line, 0, len))
		return cli_diag_set(d, CLI_SYNTAX, "it contains a zero byte", "is it a script?",
			"the line is no text");
	while (i < len) {
		struct piece p;
		int status;

		if (is_blank(line[i])) {
			i++;
			continue;
		}
		if (line[i] == '#')
			break;
		status = read_piece(line, len, &i, &p, d);
		if (!status && p.text.failed)
			status = cli_diag_memory(d);
		if (!status)
			status = add_piece(out, p.text.text ? p.text.text : "", p.text.len,
				p.equals, p.quoted, d);
		strbuf_free(&p.text);
		if (status)
			return status;
		if (out->len == 1 && !strcasecmp(out->items[0].text, "rem"))
			break;
	}
	return CLI_OK;
}

int cli_lex_argv(int argc, char *const *argv, struct cli_tokens *out, struct cli_diag *d)
{
	for (int i = 0; i < argc; i++) {
		size_t len = strlen(argv[i]);
		const char *equals = strchr(argv[i], '='), *colon = strchr(argv[i], ':');
		bool blank = strpbrk(argv[i], " \t") != NULL;

		if (len > CLI_LINE_MAX)
			return cli_diag_set(d, CLI_SYNTAX, NULL, NULL,
				"a word is longer than %d bytes", CLI_LINE_MAX);
		if (equals && colon && colon < equals)
			equals = NULL;
		if (add_piece(out, argv[i], len, equals ? (size_t)(equals - argv[i]) : SIZE_MAX,
			    blank || !len, d))
			return d->status;
	}
	return CLI_OK;
}

void cli_tokens_release(struct cli_tokens *tokens)
{
	struct cli_token *t;

	vec_for_each (tokens, t) {
		free(t->text);
		free(t->value);
	}
	cli_tokens_free(tokens);
}

static void add_text(struct strbuf *s, const char *text, bool quoted)
{
	if (!quoted && *text && !strpbrk(text, " \t\"#")) {
		strbuf_puts(s, text);
		return;
	}
	strbuf_puts(s, "\"");
	for (; *text; text++) {
		if (*text == '"')
			strbuf_puts(s, "\"");
		strbuf_add(s, text, 1);
	}
	strbuf_puts(s, "\"");
}

char *cli_tokens_text(const struct cli_tokens *tokens)
{
	struct strbuf s = STRBUF_INIT;
	const struct cli_token *t;

	strbuf_puts(&s, "");
	vec_for_each (tokens, t) {
		if (s.len)
			strbuf_puts(&s, " ");
		add_text(&s, t->text, t->quoted);
		if (t->value) {
			strbuf_puts(&s, "=");
			if (t->value[0] || t->value_quoted)
				add_text(&s, t->value, t->value_quoted);
		}
	}
	return strbuf_take(&s);
}
