/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of list, for other commands that show objects. */
#ifndef CLI_LISTS_H
#define CLI_LISTS_H

#include "cli/ctx.h"

/* Appends the properties of every object of the kind to rows (an array). */
int cli_list_rows(struct cli_ctx *ctx, enum cli_noun noun, json_t *rows);
/* Removes the rows that do not meet the conditions of the line. */
int cli_list_filter(struct cli_ctx *ctx, const struct cli_line *line, json_t *rows);
/* Draws them as that kind's table. */
void cli_list_table(struct cli_ctx *ctx, enum cli_noun noun, json_t *rows);

#endif
