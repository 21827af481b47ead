/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went wrong with one command: the sentence, why, what to try, the exit status and, when
 * the service refused, its HRESULT. Filled at the place that knows; printed once by the caller.
 */
#ifndef CLI_DIAG_H
#define CLI_DIAG_H

#include "cli/table.h"

#include <stdbool.h>
#include <stdint.h>

enum cli_status {
	CLI_OK = 0,
	CLI_INTERNAL = 1,
	CLI_BAD_OPTIONS = 2,
	CLI_CANNOT_OPEN = 3,
	CLI_FAILED = 4,
	CLI_SYNTAX = 5,
	CLI_CANCELLED = 6,
	CLI_WAITED_TOO_LONG = 7,
	CLI_UNREACHABLE = 8,
	CLI_SUPPRESSED = 9,
	CLI_CHECK_REDUNDANCY = 20,
	CLI_CHECK_UNAVAILABLE = 21,
	CLI_CHECK_UNKNOWN = 22
};

struct cli_diag {
	int status; /* enum cli_status; CLI_OK = nothing went wrong */
	int32_t hr; /* 0 when no HRESULT belongs to it */
	char what[600], cause[600], fix[400];
	bool generic_cause,
		generic_fix; /* cause and fix are the code's own: the command may know better */
	enum cli_noun noun;  /* the object concerned; CLI_NOUN_NONE = none */
	uint32_t number;
	bool unnumbered; /* it was asked for by name, slot … */
	char id[40];
};

/* Each sets the sentence and returns the status; cause and fix may be NULL. The first report
 * stays: later ones on the same struct are ignored until cli_diag_clear. */
int cli_diag_set(struct cli_diag *d, int status, const char *cause, const char *fix,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void cli_diag_clear(struct cli_diag *d);

/* printf into d->cause or d->fix. */
void cli_diag_cause(struct cli_diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void cli_diag_fix(struct cli_diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Out of memory: CLI_INTERNAL. */
int cli_diag_memory(struct cli_diag *d);

#endif
