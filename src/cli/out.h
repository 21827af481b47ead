/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything a command prints. Commands hand over results as JSON; in text mode the same JSON is
 * drawn as tables and lists, so that the two cannot tell different things.
 */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include "cli/ctx.h"

/* One column of a table. The cell is the value of key, or what render makes of the row. */
struct cli_column {
	const char *title, *key;
	bool right; /* aligned to the right */
	/* malloc'd text for the row, or NULL for an empty cell; NULL: the value of key. */
	char *(*render)(const struct cli_ctx *ctx, json_t *row);
};

/* A sentence on standard output; nothing in JSON mode or with --quiet. */
void cli_say(struct cli_ctx *ctx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A line of the result itself: also with --quiet. */
void cli_print(struct cli_ctx *ctx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A warning: standard error, or the envelope's list. */
void cli_warn(struct cli_ctx *ctx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The command's result; takes the reference. */
void cli_result(struct cli_ctx *ctx, json_t *result);
/* Adds a member to the result object, which is made when there is none; takes the reference. */
void cli_result_set(struct cli_ctx *ctx, const char *key, json_t *value);

/* Draws rows (an array of objects) in text mode. noun: whose focus gets the asterisk. */
void cli_table(struct cli_ctx *ctx, const struct cli_column *columns, size_t count, json_t *rows,
	enum cli_noun noun);
/* Draws an object as "Key: value" lines, arrays of objects as small tables. Text mode only. */
void cli_properties(struct cli_ctx *ctx, json_t *object);

/* Prints the error (text), or the envelope (JSON), of the command that ended. */
void cli_finish(struct cli_ctx *ctx, const struct cli_line *line, const char *text);
/* The last line of a script's JSON. */
void cli_summary(
	struct cli_ctx *ctx, unsigned run, unsigned failed, unsigned suppressed, unsigned changed);
/* One object on a line of its own (--jsonl, watch --json). Takes the reference. */
void cli_event(struct cli_ctx *ctx, json_t *event);

/* "96 MB" by the units asked for; malloc'd. */
char *cli_size_text(const struct cli_ctx *ctx, uint64_t bytes);
/* Into buf, for sentences. Returns buf. */
const char *cli_size(const struct cli_ctx *ctx, uint64_t bytes, char buf[static 32]);

#endif
