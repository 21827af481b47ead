/* SPDX-License-Identifier: Apache-2.0 */
/* Running commands: one, a script, or the shell. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/ctx.h"

/* Parses and runs one command from tokens (which it takes over) and prints its outcome. Returns
 * the exit status it deserves. line_noerr, if not NULL, tells whether it carried noerr. */
int cli_run(struct cli_ctx *ctx, struct cli_tokens *tokens, bool *line_noerr);

/* A line of text, as in a script. */
int cli_run_text(struct cli_ctx *ctx, const char *text, size_t len, bool *line_noerr);

/* Reads and runs the script at path ("-" is standard input). Returns the exit status. */
int cli_script(struct cli_ctx *ctx, const char *path);

/* The interactive shell. Returns the exit status. */
int cli_shell(struct cli_ctx *ctx);

/* The words of the hidden completion command: numbers and names of objects. */
int cli_complete(struct cli_ctx *ctx, int count, char *const *words);

/* The status as the personality tells it to the parent process. */
int cli_exit_status(const struct cli_ctx *ctx, int status);

void cli_ctx_init(struct cli_ctx *ctx);
void cli_ctx_release(struct cli_ctx *ctx);

#endif
