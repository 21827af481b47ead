/* SPDX-License-Identifier: Apache-2.0 */
/* Result codes of the service in words. */
#ifndef CLI_ERROR_H
#define CLI_ERROR_H

#include "cli/ctx.h"
#include "cli/hr.h"
#include "cli/object.h"

/* The exit status that a failed operation gives: CLI_FAILED, or CLI_CANCELLED. */
int cli_hr_status(int32_t hr);

/* Reports that the service refused: the sentence, the code, the cause it gave and what to try.
 * obj may be NULL. Returns the status. */
int cli_fail(struct cli_ctx *ctx, HRESULT hr, const struct cli_object *obj, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Why opening the store failed, as the library tells; "" when it does not. One buffer. */
const char *cli_last_error_text(void);

#endif
