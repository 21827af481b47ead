/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command table. commands.json is the one definition of verbs, nouns, words and options;
 * tools/gen_commands.py turns it into the constants declared here, the man page and the
 * completions at build time. Everything here is constant and lives as long as the program.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "commands_gen.h" /* enum cli_noun, handlers */

#include <stdbool.h>
#include <stddef.h>

struct cli_line;
struct cli_ctx;

/* How the text after "=" reads. */
enum cli_type {
	CLI_SIZE,   /* a bare number is megabytes */
	CLI_BYTES,  /* a bare number is bytes */
	CLI_NUMBER, /* an unsigned integer, also 0x… */
	CLI_BOOL,   /* on/off, true/false, yes/no, 1/0 */
	CLI_TEXT,
	CLI_ENUM,     /* one of values */
	CLI_LIST,     /* selectors separated by commas */
	CLI_SELECTOR, /* one selector */
	CLI_DRIVES,   /* COUNTxSIZE */
	CLI_SLOT      /* bus.slot */
};

struct cli_option {
	const char *name;
	enum cli_type type;
	const char *const *values; /* CLI_ENUM: NULL-terminated */
	enum cli_noun noun;        /* CLI_LIST, CLI_SELECTOR: of what */
	bool required;
	const char *about;
};

/* A positional word after the noun. values NULL: any text. */
struct cli_word {
	const char *name;
	const char *const *values;
	bool required, repeat;
	const char *about;
};

struct cli_flag {
	const char *name;
	const char *about;
};

struct cli_example {
	const char *command;
	const char *about;
};

struct cli_command {
	const char *verb;
	const char *abbreviation; /* accepted in scripts too, or NULL */
	unsigned nouns;           /* bit 1 << noun; 0 = a command without a noun */
	bool target;              /* a selector may follow the noun, else the focus counts */
	bool where;               /* list: conditions may follow */
	bool changes, destructive;
	const struct cli_word *words;
	size_t word_count;
	const struct cli_option *options;
	size_t option_count;
	const struct cli_flag *flags;
	size_t flag_count;
	const char *syntax, *summary, *description, *since;
	const struct cli_example *examples;
	size_t example_count;
	int (*run)(struct cli_ctx *ctx, const struct cli_line *line);
};

struct cli_noun_info {
	const char *name, *plural, *abbreviation, *about;
	const char *text, *texts; /* in sentences: "LUN", "LUNs" */
};

/* A global option: long and one-letter name, argument placeholder or NULL. */
struct cli_global {
	const char *name;
	char letter;
	const char *arg, *about;
};

extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;
extern const struct cli_noun_info cli_nouns[CLI_NOUN_COUNT];
extern const struct cli_global cli_globals[];
extern const size_t cli_global_count;

#endif
