/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a script: lexed and parsed in both modes, never run. The text that --json shows for
 * a line must read as the same line again.
 */
#include "cli/parse.h"

#include "base/cleanup.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const char *text, size_t len, bool strict)
{
	struct cli_tokens tokens = {0}, again = {0};
	struct cli_diag d = {0}, d2 = {0};
	struct cli_line line;
	cleanup_free char *shown = NULL, *second = NULL;

	if (cli_lex_line(text, len, &tokens, &d)) {
		cli_tokens_release(&tokens);
		return;
	}
	shown = cli_tokens_text(&tokens);
	(void)cli_parse(&tokens, strict, &line, &d);
	if (line.command && !d.status && strcmp(line.command->verb, "rem")) {
		if (cli_lex_line(shown, strlen(shown), &again, &d2))
			abort();
		second = cli_tokens_text(&again);
		if (strcmp(shown, second))
			abort();
		cli_tokens_release(&again);
	}
	cli_line_release(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *end = text + size;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t len = newline ? (size_t)(newline - text) : (size_t)(end - text);

		parse(text, len, true);
		parse(text, len, false);
		text += len + 1;
	}
	return 0;
}
