/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a line of text, or from the words a shell has already split, to tokens.
 *
 * A token is a bare word or key=value. In lines "…" quotes, with "" for a quote inside, and
 * # at the start of a word begins a comment; in argument vectors nothing is special but "=".
 * Spaces around "=" are accepted. A "=" after ":" belongs to the text (path:/a=b).
 */
#ifndef CLI_LEX_H
#define CLI_LEX_H

#include "cli/diag.h"
#include "base/vec.h"

#define CLI_LINE_MAX  65536 /* bytes of a line */
#define CLI_TOKEN_MAX 512   /* tokens of a line */

struct cli_token {
	char *text;  /* the word, or the key; owned */
	char *value; /* after "=", or NULL; owned */
	bool quoted; /* some of text stood in quotes */
	bool value_quoted;
};

VEC(struct cli_token, cli_tokens)

/* Both return CLI_OK or set d. *out must be empty; free it with cli_tokens_release always. */
int cli_lex_line(const char *line, size_t len, struct cli_tokens *out, struct cli_diag *d);
int cli_lex_argv(int argc, char *const *argv, struct cli_tokens *out, struct cli_diag *d);
void cli_tokens_release(struct cli_tokens *tokens);

/* The tokens as one line that reads the same; malloc'd, NULL when memory is short. */
char *cli_tokens_text(const struct cli_tokens *tokens);

#endif
