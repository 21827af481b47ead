/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matching tokens against the command table; see parse.h. The verb and the noun choose the
 * table entry; after them a selector may stand, and then words, options and flags in any order.
 */
#include "cli/parse.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool has_prefix(const char *name, const char *word)
{
	return *word && !strncasecmp(name, word, strlen(word));
}

static bool is_name(const char *name, const char *word)
{
	return name && !strcasecmp(name, word);
}

/* ---- verbs and nouns ---- */

const char *cli_nearest_verb(const char *word)
{
	const char *best = NULL;
	unsigned least = 3;

	for (size_t i = 0; i < cli_command_count; i++) {
		unsigned n = cli_distance(word, cli_commands[i].verb);

		if (n < least && n < strlen(cli_commands[i].verb)) {
			least = n;
			best = cli_commands[i].verb;
		}
	}
	if (best)
		return best;
	for (size_t i = 0; i < cli_command_count; i++)
		if (strlen(word) >= 2 && has_prefix(cli_commands[i].verb, word))
			return cli_commands[i].verb;
	return NULL;
}

/* The verb of the table that word stands for, or NULL with d set. */
static const char *find_verb(const char *word, bool strict, struct cli_diag *d)
{
	const char *found = NULL, *near;

	for (size_t i = 0; i < cli_command_count; i++) {
		const struct cli_command *c = &cli_commands[i];

		if (is_name(c->verb, word) || is_name(c->abbreviation, word))
			return c->verb;
		if (strict || !has_prefix(c->verb, word))
			continue;
		if (found && strcmp(found, c->verb)) {
			cli_diag_set(d, CLI_SYNTAX, NULL, "write more of it",
				"\"%s\" may be %s or %s", word, found, c->verb);
			return NULL;
		}
		found = c->verb;
	}
	if (found)
		return found;
	near = cli_nearest_verb(word);
	cli_diag_set(d, CLI_SYNTAX, "the first word must be a command", "help lists the commands",
		"\"%s\" is no command", word);
	if (near)
		cli_diag_fix(d, "%s", near);
	return NULL;
}

enum cli_noun cli_find_noun(const char *word, unsigned mask, bool strict)
{
	enum cli_noun found = CLI_NOUN_NONE;

	for (int i = 1; i < CLI_NOUN_COUNT; i++) {
		const struct cli_noun_info *n = &cli_nouns[i];

		if (!(mask & 1u << i))
			continue;
		if (is_name(n->name, word) || is_name(n->plural, word) ||
			is_name(n->abbreviation, word))
			return (enum cli_noun)i;
		if (!strict && has_prefix(n->plural, word)) {
			if (found)
				return CLI_NOUN_NONE;
			found = (enum cli_noun)i;
		}
	}
	return found;
}

/* All nouns that a verb takes, as bits; *plain is its entry without a noun. */
static unsigned verb_nouns(const char *verb, const struct cli_command **plain)
{
	unsigned mask = 0;

	*plain = NULL;
	for (size_t i = 0; i < cli_command_count; i++) {
		if (strcmp(cli_commands[i].verb, verb))
			continue;
		mask |= cli_commands[i].nouns;
		if (!cli_commands[i].nouns)
			*plain = &cli_commands[i];
	}
	return mask;
}

/* "drive, lun or job" */
static void noun_list(unsigned mask, char *out, size_t size)
{
	size_t len = 0;

	out[0] = 0;
	for (int i = 1; i < CLI_NOUN_COUNT; i++) {
		unsigned rest = mask >> (i + 1);

		if (!(mask & 1u << i) || len >= size)
			continue;
		len += (size_t)snprintf(out + len, size - len, "%s%s", cli_nouns[i].name,
			!rest                 ? ""
			: (rest & (rest - 1)) ? ", "
					      : " or ");
	}
}

static int bad_noun(const char *verb, const char *word, unsigned mask, struct cli_diag *d)
{
	char list[200];

	noun_list(mask, list, sizeof(list));
	if (!word)
		cli_diag_set(d, CLI_SYNTAX, NULL, NULL, "%s: of what?", verb);
	else if (cli_find_noun(word, ~0u, true))
		cli_diag_set(d, CLI_SYNTAX, NULL, NULL, "%s does not apply to a %s", verb,
			cli_nouns[cli_find_noun(word, ~0u, true)].name);
	else
		cli_diag_set(
			d, CLI_SYNTAX, NULL, NULL, "%s: \"%s\" is no kind of object", verb, word);
	cli_diag_cause(d, "%s is followed by %s", verb, list);
	cli_diag_fix(d, "help %s", verb);
	for (int i = 1; word && i < CLI_NOUN_COUNT; i++) {
		const char *name = cli_nouns[i].plural;

		if (mask & 1u << i &&
			(cli_distance(word, name) < 3 || cli_distance(word, cli_nouns[i].name) < 2))
			cli_diag_fix(
				d, "%s %s", verb, !strcmp(verb, "list") ? name : cli_nouns[i].name);
	}
	return d->status;
}

/* Chooses the entry by the tokens; *next is the first token after verb and noun. */
static int find_command(struct cli_line *line, bool strict, size_t *next, struct cli_diag *d)
{
	const struct cli_token *t = line->tokens.items;
	const struct cli_command *plain;
	const char *verb, *word = NULL;
	unsigned mask;

	if (t[0].value)
		return cli_diag_set(d, CLI_SYNTAX, "the first word must be a command",
			"help lists the commands", "\"%s=\" is no command", t[0].text);
	verb = find_verb(t[0].text, strict, d);
	if (!verb)
		return d->status;
	mask = verb_nouns(verb, &plain);
	if (line->tokens.len > 1 && !t[1].value && strncmp(t[1].text, "--", 2))
		word = t[1].text;
	if (word && mask && !t[1].quoted)
		line->noun = cli_find_noun(word, mask, strict);
	*next = line->noun ? 2 : 1;
	if (!line->noun) {
		if (!plain || (word && mask && !plain->word_count))
			return bad_noun(verb, word, mask, d);
		line->command = plain;
		return CLI_OK;
	}
	for (size_t i = 0; i < cli_command_count; i++)
		if (!strcmp(cli_commands[i].verb, verb) && cli_commands[i].nouns & 1u << line->noun)
			line->command = &cli_commands[i];
	return CLI_OK;
}

/* ---- options ---- */

static const struct cli_option *find_option(
	const struct cli_command *c, const char *key, bool strict)
{
	const struct cli_option *found = NULL;

	for (size_t i = 0; i < c->option_count; i++) {
		const struct cli_option *o = &c->options[i];

		if (is_name(o->name, key))
			return o;
		if (!strict && has_prefix(o->name, key)) {
			if (found)
				return NULL;
			found = o;
		}
	}
	return found;
}

static int bad_option(const struct cli_line *line, const char *key, struct cli_diag *d)
{
	const struct cli_command *c = line->command;
	const struct cli_option *near = NULL;
	unsigned least = 3;

	for (size_t i = 0; i < c->option_count; i++) {
		unsigned n = cli_distance(key, c->options[i].name);

		if (n < least) {
			least = n;
			near = &c->options[i];
		}
	}
	cli_diag_set(d, CLI_SYNTAX, NULL, NULL, "%s%s%s has no option \"%s=\"", c->verb,
		line->noun ? " " : "", cli_nouns[line->noun].name, key);
	cli_diag_cause(d, "it reads: %s", c->syntax);
	if (near)
		cli_diag_fix(d, "%s=", near->name);
	else
		cli_diag_fix(d, "help %s %s", c->verb, cli_nouns[line->noun].name);
	return d->status;
}

/* The cause "possible are …". */
static void value_list(struct cli_diag *d, const char *const *values)
{
	for (size_t i = 0, len = 0; values[i] && len < sizeof(d->cause); i++)
		len += (size_t)snprintf(d->cause + len, sizeof(d->cause) - len, "%s%s",
			i ? ", " : "possible are ", values[i]);
}

/* "MB" alone: somebody wrote 128 MB. */
static bool is_unit(const char *text)
{
	struct cli_diag ignored = {0};
	char size[16];
	uint64_t bytes;

	snprintf(size, sizeof(size), "1%s", text);
	return text[0] && strlen(text) < 4 && text[0] != '.' && !isdigit((unsigned char)text[0]) &&
	       !cli_parse_size(size, 1, &bytes, &ignored);
}

static int parse_enum(const struct cli_option *o, struct cli_value *v, struct cli_diag *d)
{
	for (size_t i = 0; o->values[i]; i++) {
		if (is_name(o->values[i], v->text)) {
			v->number = i;
			return CLI_OK;
		}
	}
	cli_diag_set(d, CLI_SYNTAX, NULL, NULL, "\"%s\" is no possible value", v->text);
	value_list(d, o->values);
	return d->status;
}

static int one_selector(const struct cli_value *v, struct cli_diag *d)
{
	const struct cli_sel *s = v->sels.items;

	if (v->sels.len == 1 && (s->kind != CLI_SEL_NUMBER || s->first == s->last))
		return CLI_OK;
	return cli_diag_set(d, CLI_SYNTAX, "it takes exactly one", NULL,
		"\"%s\" names several objects", v->text);
}

static int parse_value(struct cli_value *v, struct cli_diag *d)
{
	const struct cli_option *o = v->option;
	bool flag;

	switch (o->type) {
	case CLI_SIZE:
		return cli_parse_size(v->text, 1 << 20, &v->number, d);
	case CLI_BYTES:
		return cli_parse_size(v->text, 1, &v->number, d);
	case CLI_NUMBER:
		return cli_parse_number(v->text, UINT32_MAX, &v->number, d);
	case CLI_BOOL:
		if (cli_parse_bool(v->text, &flag, d))
			return d->status;
		v->number = flag;
		return CLI_OK;
	case CLI_TEXT:
		return CLI_OK;
	case CLI_ENUM:
		return parse_enum(o, v, d);
	case CLI_LIST:
		return cli_parse_selectors(v->text, &v->sels, d);
	case CLI_SELECTOR:
		if (cli_parse_selectors(v->text, &v->sels, d))
			return d->status;
		return one_selector(v, d);
	case CLI_DRIVES: {
		uint32_t count;

		if (cli_parse_drives(v->text, &count, &v->bytes, d))
			return d->status;
		v->number = count;
		return CLI_OK;
	}
	case CLI_SLOT:
		return cli_parse_slot(v->text, &v->bus, &v->slot, d);
	}
	return cli_diag_set(d, CLI_INTERNAL, NULL, NULL, "unknown option type");
}

static int add_option(
	struct cli_line *line, const struct cli_token *t, bool strict, struct cli_diag *d)
{
	const struct cli_option *o = find_option(line->command, t->text, strict);
	struct cli_value *v;

	if (!o || t->quoted)
		return bad_option(line, t->text, d);
	if (cli_line_value(line, o->name))
		return cli_diag_set(
			d, CLI_SYNTAX, NULL, "give it once", "%s= is given twice", o->name);
	if (!t->value[0] && !t->value_quoted && o->type != CLI_TEXT)
		return cli_diag_set(d, CLI_SYNTAX, o->about, NULL, "%s= has no value", o->name);
	v = &line->values[line->value_count++];
	v->option = o;
	v->text = t->value;
	if (parse_value(v, d)) {
		char what[500];

		snprintf(what, sizeof(what), "%.450s", d->what);
		snprintf(d->what, sizeof(d->what), "%s=: %s", o->name, what);
		return d->status;
	}
	return CLI_OK;
}

/* "--no-wait" and the like at the end of a line of a script or in the shell. */
static int add_global(struct cli_line *line, size_t *i, struct cli_diag *d)
{
	const struct cli_token *t = &line->tokens.items[*i];
	const char *name = t->text + 2, *value = t->value;
	const struct {
		const char *name;
		bool *flag;
	} known[] = {{"no-wait", &line->no_wait}, {"yes", &line->yes}, {"dry-run", &line->dry_run},
		{"nagios", &line->nagios}, {"json", &line->json}, {"verbose", &line->verbose}};
	uint64_t seconds;

	for (size_t k = 0; k < ARRAY_SIZE(known); k++) {
		if (is_name(known[k].name, name) && !value) {
			*known[k].flag = true;
			return CLI_OK;
		}
	}
	if (!is_name("timeout", name))
		return cli_diag_set(d, CLI_SYNTAX, NULL,
			"other options stand before the command, on the line that starts vds",
			"\"%s\" is no option of a command", t->text);
	if (!value && *i + 1 < line->tokens.len)
		value = line->tokens.items[++*i].text;
	if (!value || cli_parse_number(value, UINT32_MAX, &seconds, d))
		return cli_diag_set(d, CLI_SYNTAX, NULL, "for example --timeout 60",
			"--timeout needs a number of seconds");
	line->has_timeout = true;
	line->timeout = (double)seconds;
	return CLI_OK;
}

/* ---- words ---- */

/* The spelling of the table if text is one of values, else NULL. */
static const char *find_value(const char *const *values, const char *text, bool strict)
{
	const char *found = NULL;

	for (size_t i = 0; values[i]; i++) {
		if (is_name(values[i], text))
			return values[i];
		if (!strict && has_prefix(values[i], text)) {
			if (found)
				return NULL;
			found = values[i];
		}
	}
	return found;
}

static bool add_flag(struct cli_line *line, const struct cli_token *t)
{
	if (t->quoted)
		return false;
	if (is_name("noerr", t->text)) {
		line->noerr = true;
		return true;
	}
	for (size_t i = 0; i < line->command->flag_count; i++) {
		if (is_name(line->command->flags[i].name, t->text)) {
			line->flags |= 1u << i;
			return true;
		}
	}
	return false;
}

static int bad_word(
	const struct cli_line *line, const struct cli_token *t, size_t place, struct cli_diag *d)
{
	const struct cli_command *c = line->command;
	const struct cli_word *w = place < c->word_count ? &c->words[place] : NULL;
	const char *near = NULL;
	unsigned least = 3;

	for (size_t i = 0; w && w->values && w->values[i]; i++) {
		unsigned n = cli_distance(t->text, w->values[i]);

		/* Of equally near words the one as long as what was written: raid5 for raid7. */
		if (n < strlen(w->values[i]) &&
			(n < least || (n == least && near && strlen(near) != strlen(t->text) &&
					      strlen(w->values[i]) == strlen(t->text)))) {
			least = n;
			near = w->values[i];
		}
	}
	cli_diag_set(d, CLI_SYNTAX, NULL, NULL, "%s%s%s does not take \"%s\"", c->verb,
		line->noun ? " " : "", cli_nouns[line->noun].name, t->text);
	if (w && w->values)
		value_list(d, w->values);
	else
		cli_diag_cause(d, "it reads: %s", c->syntax);
	if (is_unit(t->text))
		cli_diag_fix(d, "write the unit right behind the number: 128%s", t->text);
	else if (near)
		cli_diag_fix(d, "%s", near);
	else if (find_option(c, t->text, true))
		cli_diag_fix(d, "%s=…", t->text);
	else
		cli_diag_fix(d, "help %s %s", c->verb, cli_nouns[line->noun].name);
	return d->status;
}

/* Places a bare word: the next place of the table that accepts it. */
static int add_word(struct cli_line *line, const struct cli_token *t, size_t *place, bool strict,
	struct cli_diag *d)
{
	const struct cli_command *c = line->command;

	for (size_t p = *place; p < c->word_count; p++) {
		const struct cli_word *w = &c->words[p];
		const char *word = w->values ? find_value(w->values, t->text, strict) : t->text;

		if (w->repeat && word) {
			if (line->word_count >= CLI_WORD_MAX)
				return cli_diag_set(d, CLI_SYNTAX, NULL, NULL, "too many words");
			line->words[line->word_count++] = word;
			return CLI_OK;
		}
		if (word && (!t->quoted || !w->values)) {
			line->words[p] = word;
			line->word_count = p + 1;
			*place = p + 1;
			return CLI_OK;
		}
		if (w->required)
			break;
	}
	return bad_word(line, t, *place, d);
}

/* ---- conditions ---- */

/* One condition from "key", "key!=value", "key<value", … ; *i is at its first token. */
static int add_cond(struct cli_line *line, size_t *i, struct cli_diag *d)
{
	const struct cli_token *t = &line->tokens.items[*i];
	struct cli_cond *c = &line->conds[line->cond_count];
	const char *value = t->value;
	char *op;

	if (line->cond_count >= CLI_COND_MAX)
		return cli_diag_set(d, CLI_SYNTAX, NULL, NULL, "too many conditions");
	c->key = strdup(t->text);
	if (!c->key)
		return cli_diag_memory(d);
	line->cond_count++;
	op = c->key + strcspn(c->key, "!<>");
	c->op = *op == '!' ? CLI_NE : *op == '<' ? CLI_LT : *op == '>' ? CLI_GT : CLI_EQ;
	if (value && *op && !op[1])
		c->op = *op == '<' ? CLI_LE : *op == '>' ? CLI_GE : CLI_NE;
	else if (!value && (*op == '<' || *op == '>'))
		value = op + 1;
	else if (!value || *op)
		value = NULL;
	if (!value || op == c->key || !*value)
		return cli_diag_set(d, CLI_SYNTAX,
			"a condition is a name, =, !=, <, <=, > or >= and a value",
			"for example where health!=healthy", "\"%s\" is no condition", t->text);
	c->value = strdup(value);
	*op = 0;
	return c->value ? CLI_OK : cli_diag_memory(d);
}

/* ---- the whole line ---- */

static int check_required(const struct cli_line *line, struct cli_diag *d)
{
	const struct cli_command *c = line->command;

	for (size_t i = 0; i < c->word_count; i++) {
		if (!c->words[i].required || (i < line->word_count && line->words[i]))
			continue;
		cli_diag_set(d, CLI_SYNTAX, NULL, NULL, "%s %s: the %s is missing", c->verb,
			cli_nouns[line->noun].name, c->words[i].name);
		cli_diag_cause(d, "it reads: %s", c->syntax);
		cli_diag_fix(d, "for example %s", c->examples[0].command);
		return d->status;
	}
	for (size_t i = 0; i < c->option_count; i++) {
		if (!c->options[i].required || cli_line_value(line, c->options[i].name))
			continue;
		cli_diag_set(d, CLI_SYNTAX, NULL, NULL, "%s%s%s: %s= is missing", c->verb,
			line->noun ? " " : "", cli_nouns[line->noun].name, c->options[i].name);
		cli_diag_cause(d, "%s", c->options[i].about);
		cli_diag_fix(d, "for example %s", c->examples[0].command);
		return d->status;
	}
	return CLI_OK;
}

static int parse_target(struct cli_line *line, size_t *i, struct cli_diag *d)
{
	const struct cli_token *t = &line->tokens.items[*i];

	if (*i >= line->tokens.len || t->value || t->quoted || !cli_is_selector(t->text))
		return CLI_OK;
	(*i)++;
	if (line->command->target)
		return cli_parse_selectors(t->text, &line->target, d);
	return cli_diag_set(d, CLI_SYNTAX, line->command->syntax, NULL, "%s %s takes no number",
		line->command->verb, cli_nouns[line->noun].plural);
}

static int parse_rest(struct cli_line *line, size_t i, bool strict, struct cli_diag *d)
{
	size_t place = 0;
	bool where = false;

	for (; i < line->tokens.len && !d->status; i++) {
		const struct cli_token *t = &line->tokens.items[i];

		if (!t->quoted && !strncmp(t->text, "--", 2) && t->text[2])
			add_global(line, &i, d);
		else if (where)
			add_cond(line, &i, d);
		else if (t->value)
			add_option(line, t, strict, d);
		else if (line->command->where && is_name("where", t->text) && !t->quoted)
			where = true;
		else if (!add_flag(line, t))
			add_word(line, t, &place, strict, d);
	}
	if (!d->status && where && !line->cond_count)
		cli_diag_set(d, CLI_SYNTAX, NULL, "for example where health!=healthy",
			"where needs a condition");
	return d->status;
}

int cli_parse(struct cli_tokens *tokens, bool strict, struct cli_line *line, struct cli_diag *d)
{
	size_t next;

	memset(line, 0, sizeof(*line));
	line->tokens = *tokens;
	memset(tokens, 0, sizeof(*tokens));
	if (!line->tokens.len)
		return CLI_OK;
	if (find_command(line, strict, &next, d))
		return d->status;
	if (line->noun && parse_target(line, &next, d))
		return d->status;
	if (parse_rest(line, next, strict, d))
		return d->status;
	return check_required(line, d);
}

void cli_line_release(struct cli_line *line)
{
	for (size_t i = 0; i < line->value_count; i++)
		cli_sels_release(&line->values[i].sels);
	for (size_t i = 0; i < line->cond_count; i++) {
		free(line->conds[i].key);
		free(line->conds[i].value);
	}
	cli_sels_release(&line->target);
	cli_tokens_release(&line->tokens);
	memset(line, 0, sizeof(*line));
}

const struct cli_value *cli_line_value(const struct cli_line *line, const char *name)
{
	for (size_t i = 0; i < line->value_count; i++)
		if (!strcmp(line->values[i].option->name, name))
			return &line->values[i];
	return NULL;
}

bool cli_line_word_is(const struct cli_line *line, size_t place, const char *text)
{
	return place < line->word_count && line->words[place] && !strcmp(line->words[place], text);
}

bool cli_line_flag(const struct cli_line *line, const char *name)
{
	for (size_t i = 0; i < line->command->flag_count; i++)
		if (!strcmp(line->command->flags[i].name, name))
			return line->flags & 1u << i;
	return false;
}
