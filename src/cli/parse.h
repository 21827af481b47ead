/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From tokens to a command of the table with its noun, target, words, options and flags, all
 * checked against the table; nothing is looked up in the store. Strict parsing (scripts and
 * one-shot commands) wants verbs, nouns and keys written out; the shell accepts unique prefixes.
 */
#ifndef CLI_PARSE_H
#define CLI_PARSE_H

#include "cli/lex.h"
#include "cli/value.h"

#define CLI_OPTION_MAX 24
#define CLI_WORD_MAX   64
#define CLI_COND_MAX   16

/* The value of one option that was given. */
struct cli_value {
	const struct cli_option *option;
	const char *text;
	uint64_t number; /* sizes in bytes, numbers, 0/1 of a bool, index of an enum, count of
			    drives */
	uint64_t bytes;  /* CLI_DRIVES: the size */
	int bus, slot;   /* CLI_SLOT */
	struct cli_sels sels;
};

enum cli_op { CLI_EQ, CLI_NE, CLI_LT, CLI_LE, CLI_GT, CLI_GE };

/* list … where key op value */
struct cli_cond {
	char *key, *value;
	enum cli_op op;
};

struct cli_line {
	struct cli_tokens tokens;          /* owns every text below */
	const struct cli_command *command; /* NULL: an empty line or a comment */
	enum cli_noun noun;
	struct cli_sels target;          /* len 0: none given */
	const char *words[CLI_WORD_MAX]; /* by position in the table; the last may repeat */
	size_t word_count;
	struct cli_value values[CLI_OPTION_MAX];
	size_t value_count;
	unsigned flags; /* bit = index in command->flags */
	struct cli_cond conds[CLI_COND_MAX];
	size_t cond_count;
	bool noerr, no_wait, yes, dry_run, nagios, json, verbose, has_timeout;
	double timeout;
};

/* Parses the tokens into *line, which takes them over, also on failure; cli_line_release always.
 * Returns CLI_OK, CLI_SYNTAX or CLI_INTERNAL with d set. */
int cli_parse(struct cli_tokens *tokens, bool strict, struct cli_line *line, struct cli_diag *d);
void cli_line_release(struct cli_line *line);

/* The value of an option that was given, or NULL. */
const struct cli_value *cli_line_value(const struct cli_line *line, const char *name);
/* Is the word at that place given and equal to text? */
bool cli_line_word_is(const struct cli_line *line, size_t place, const char *text);
bool cli_line_flag(const struct cli_line *line, const char *name);

/* The noun a word stands for (name, plural, abbreviation; unique prefix unless strict), among
 * the nouns in mask; CLI_NOUN_NONE if none. */
enum cli_noun cli_find_noun(const char *word, unsigned mask, bool strict);

/* The verb of the table nearest to word, or NULL when none is near. */
const char *cli_nearest_verb(const char *word);

#endif
