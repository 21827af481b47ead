/* SPDX-License-Identifier: Apache-2.0 */
/* Error reports of the command line; see diag.h. */
#include "cli/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int cli_diag_set(
	struct cli_diag *d, int status, const char *cause, const char *fix, const char *fmt, ...)
{
	va_list ap;

	if (d->status != CLI_OK)
		return d->status;
	d->status = status;
	va_start(ap, fmt);
	vsnprintf(d->what, sizeof(d->what), fmt, ap);
	va_end(ap);
	snprintf(d->cause, sizeof(d->cause), "%s", cause ? cause : "");
	snprintf(d->fix, sizeof(d->fix), "%s", fix ? fix : "");
	return status;
}

void cli_diag_clear(struct cli_diag *d)
{
	memset(d, 0, sizeof(*d));
}

void cli_diag_cause(struct cli_diag *d, const char *fmt, ...)
{
	va_list ap;

	d->generic_cause = false;
	va_start(ap, fmt);
	vsnprintf(d->cause, sizeof(d->cause), fmt, ap);
	va_end(ap);
}

void cli_diag_fix(struct cli_diag *d, const char *fmt, ...)
{
	va_list ap;

	d->generic_fix = false;
	va_start(ap, fmt);
	vsnprintf(d->fix, sizeof(d->fix), fmt, ap);
	va_end(ap);
}

int cli_diag_memory(struct cli_diag *d)
{
	return cli_diag_set(d, CLI_INTERNAL, NULL, NULL, "out of memory");
}
