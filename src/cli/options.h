/* SPDX-License-Identifier: Apache-2.0 */
/* The options before the command, as the table's "globals" define them. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/diag.h"

enum cli_progress {
	CLI_PROGRESS_AUTO,
	CLI_PROGRESS_BAR,
	CLI_PROGRESS_PLAIN,
	CLI_PROGRESS_JSON,
	CLI_PROGRESS_NONE
};
enum cli_units { CLI_UNITS_IEC, CLI_UNITS_SI, CLI_UNITS_BYTES };
enum cli_when { CLI_WHEN_AUTO, CLI_WHEN_ALWAYS, CLI_WHEN_NEVER };

/* The tool whose prompt and exit statuses are imitated. */
enum cli_personality { CLI_NATIVE, CLI_DISKRAID, CLI_DISKPART };

struct cli_options {
	enum cli_personality personality;
	const char *store, *host, *user, *password_file, *script, *columns;
	bool json, jsonl, dry_run, yes, no_wait, keep_going, strict, check_syntax, nagios;
	bool rebuild_database;
	bool no_header, quiet, verbose, version, help, has_timeout;
	double timeout; /* seconds */
	enum cli_progress progress;
	enum cli_units units;
	enum cli_when color;
	int word_count; /* the command and what belongs to it */
	char **words;
};

/* Reads argv (its elements are permuted: options first). The strings stay argv's. */
int cli_options_parse(int argc, char **argv, struct cli_options *opt, struct cli_diag *d);

#endif
