/* SPDX-License-Identifier: Apache-2.0 */
/* Help texts from the command table. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

/* vds --help */
void cli_help_usage(FILE *f);
/* help: one line for each command. */
void cli_help_commands(FILE *f);

#endif
