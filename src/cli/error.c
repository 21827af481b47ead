/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A failed call becomes three lines: what was not done (the command knows), why (the service's
 * own sentence, or else the meaning of the code), and what to try (by code, below).
 */
#include "cli/error.h"

#include "base/cleanup.h"

#include "base/utf16.h"
#include "vdsxerr.h"

#include <stdarg.h>
#include <string.h>

int cli_hr_status(int32_t hr)
{
	return (HRESULT)hr == VDS_E_OPERATION_CANCELED ? CLI_CANCELLED : CLI_FAILED;
}

/* What to try; %s is "lun 5" (or the noun alone). */
static const struct advice {
	HRESULT hr;
	const char *fix;
} advices[] = {
	{VDS_E_PROVIDER_CACHE_CORRUPT, "reenumerate subsystems ; refresh provider"},
	{VDS_E_OBJECT_STATUS_FAILED, "status"},
	{VDS_E_ANOTHER_CALL_IN_PROGRESS, "list jobs ; wait job"},
	{VDS_E_NOT_ENOUGH_SPACE, "list drives ; add drive path=FILE size=SIZE"},
	{VDS_E_NOT_ENOUGH_DRIVE, "list drives ; add drive path=FILE size=SIZE"},
	{VDS_E_OBJECT_DELETED, "reenumerate drives ; list drives"},
	{VDS_E_INVALID_OPERATION, "status"},
	{VDS_E_NOT_SUPPORTED, "status"},
};

int cli_fail(struct cli_ctx *ctx, HRESULT hr, const struct cli_object *obj, const char *fmt, ...)
{
	struct cli_diag *d = &ctx->outcome.diag;
	char what[sizeof(d->what)], cause[sizeof(d->cause)];
	const char *text = cli_last_error_text(); /* of opening; "" afterwards */
	const char *name = cli_hr_name(hr);
	char code[CLI_HR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (d->status != CLI_OK)
		return d->status;
	if (*text)
		snprintf(cause, sizeof(cause), "%.599s", text);
	else
		cli_hr_meaning(hr, cause, sizeof(cause));
	cli_diag_set(d, cli_hr_status(hr), cause, NULL, "%s", what);
	d->hr = hr;
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++)
		if (advices[i].hr == hr)
			cli_diag_fix(d, "%s", advices[i].fix);
	if (!d->fix[0] && !*text)
		cli_diag_fix(d, "help error %s", name ? name : cli_hr_text(hr, code));
	d->generic_cause = !*text;
	d->generic_fix = true;
	if (obj) {
		d->noun = obj->noun;
		d->number = obj->number;
		snprintf(d->id, sizeof(d->id), "%s", obj->id_text);
	}
	return d->status;
}

const char *cli_last_error_text(void)
{
	static char text[1024];
	char *utf8 = utf16_to_utf8((const uint16_t *)VdsxLastErrorText());

	snprintf(text, sizeof(text), "%s", utf8 ? utf8 : "");
	free(utf8);
	return text;
}
