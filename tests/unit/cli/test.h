/* SPDX-License-Identifier: Apache-2.0 */
/* What every test file here begins with. */
#ifndef CLI_TEST_H
#define CLI_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/parse.h"

#include <string.h>

/* Parses a line as a script would (strict) or the shell; the caller releases. */
static inline int parse_line(
	const char *text, bool strict, struct cli_line *line, struct cli_diag *d)
{
	struct cli_tokens tokens = {0};
	int status;

	cli_diag_clear(d);
	memset(line, 0, sizeof(*line));
	status = cli_lex_line(text, strlen(text), &tokens, d);
	if (status) {
		cli_tokens_release(&tokens);
		return status;
	}
	return cli_parse(&tokens, strict, line, d);
}

#endif
