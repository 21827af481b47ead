/* SPDX-License-Identifier: Apache-2.0 */
/* What a result code means for one command, where that says more than the code's own sentence. */
#ifndef CLI_ADVICE_H
#define CLI_ADVICE_H

#include "cli/parse.h"

/* Fills in cause and advice of a refusal, by command and code, where nobody did better. */
void cli_advise(struct cli_diag *d, const struct cli_line *line);

#endif
