/* SPDX-License-Identifier: Apache-2.0 */
/* What several commands need: plans, confirmations, new objects, numbers of jobs. */
#ifndef CLI_COMMON_H
#define CLI_COMMON_H

#include "cli/error.h"
#include "cli/jobs.h"
#include "cli/names.h"
#include "cli/out.h"
#include "cli/session.h"

/* With --dry-run: prints "Plan: ….", notes it in the result and returns true. */
bool cli_plan(struct cli_ctx *ctx, const struct cli_line *line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Asks before data are lost: CLI_OK, or a status when the answer is no or nobody can be asked.
 * The text is the question's first sentence: what happens to what. */
int cli_confirm(struct cli_ctx *ctx, const struct cli_line *line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* An object around a pointer that a call returned; takes the reference. */
void cli_object_wrap(
	struct cli_object *obj, enum cli_noun noun, void *unk, const struct cli_object *subsystem);

/* The identities of the drives an option lists. *ids is malloc'd. */
int cli_drive_ids(struct cli_ctx *ctx, const struct cli_value *list, GUID **ids, LONG *count);

/* The job the line names or the one in focus. */
int cli_job_number(struct cli_ctx *ctx, const struct cli_line *line, uint32_t *number);

/* "0, 1 and 3" or "0 to 3" from an array of numbers, into buf. */
const char *cli_number_list(json_t *numbers, char *buf, size_t size);

/* status NOUN … set WORD: asks for a status by its word. */
int cli_set_status_word(struct cli_ctx *ctx, const struct cli_line *line, const char *word);

/* Keeps --json results uniform: one object as itself, several as an array. Steals rows. */
void cli_result_rows(struct cli_ctx *ctx, json_t *rows);

#endif
