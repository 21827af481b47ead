/* SPDX-License-Identifier: Apache-2.0 */
/* automagic: the hints that live as long as the session. */
#include "cli/hints.h"

#include "cli/common.h"

#include "base/cleanup.h"

#include <stddef.h>
#include <string.h>

void cli_hints_narrow(const VDS_HINTS2 *from, VDS_HINTS *to)
{
	memset(to, 0, sizeof(*to));
	to->ullHintMask = from->ullHintMask & (VDS_HINT_ALLOCATEHOTSPARE - 1);
	to->ullExpectedMaximumSize = from->ullExpectedMaximumSize;
	to->ulOptimalReadSize = from->ulOptimalReadSize;
	to->ulOptimalReadAlignment = from->ulOptimalReadAlignment;
	to->ulOptimalWriteSize = from->ulOptimalWriteSize;
	to->ulOptimalWriteAlignment = from->ulOptimalWriteAlignment;
	to->ulMaximumDriveCount = from->ulMaximumDriveCount;
	to->ulStripeSize = from->ulStripeSize;
	to->bFastCrashRecoveryRequired = from->bFastCrashRecoveryRequired;
	to->bMostlyReads = from->bMostlyReads;
	to->bOptimizeForSequentialReads = from->bOptimizeForSequentialReads;
	to->bOptimizeForSequentialWrites = from->bOptimizeForSequentialWrites;
	to->bRemapEnabled = from->bRemapEnabled;
	to->bReadBackVerifyEnabled = from->bReadBackVerifyEnabled;
	to->bWriteThroughCachingEnabled = from->bWriteThroughCachingEnabled;
	to->bHardwareChecksumEnabled = from->bHardwareChecksumEnabled;
	to->bIsYankable = from->bIsYankable;
	to->sRebuildPriority = from->sRebuildPriority;
}

enum field { FIELD_BOOL, FIELD_ULONG, FIELD_ULONGLONG, FIELD_SHORT };

static const struct hint {
	const char *flag;
	enum field field;
	size_t offset;
	ULONGLONG bit; /* of the mask; 0: a number, where 0 is no wish */
	uint64_t max;
} hints[] = {
	{"fcr", FIELD_BOOL, offsetof(VDS_HINTS2, bFastCrashRecoveryRequired),
		VDS_HINT_FASTCRASHRECOVERYREQUIRED, 1},
	{"msr", FIELD_BOOL, offsetof(VDS_HINTS2, bMostlyReads), VDS_HINT_MOSTLYREADS, 1},
	{"mxd", FIELD_ULONG, offsetof(VDS_HINTS2, ulMaximumDriveCount), 0, UINT32_MAX},
	{"mxs", FIELD_ULONGLONG, offsetof(VDS_HINTS2, ullExpectedMaximumSize), 0, UINT64_MAX},
	{"ora", FIELD_ULONG, offsetof(VDS_HINTS2, ulOptimalReadAlignment), 0, UINT32_MAX},
	{"ors", FIELD_ULONG, offsetof(VDS_HINTS2, ulOptimalReadSize), 0, UINT32_MAX},
	{"osr", FIELD_BOOL, offsetof(VDS_HINTS2, bOptimizeForSequentialReads),
		VDS_HINT_OPTIMIZEFORSEQUENTIALREADS, 1},
	{"osw", FIELD_BOOL, offsetof(VDS_HINTS2, bOptimizeForSequentialWrites),
		VDS_HINT_OPTIMIZEFORSEQUENTIALWRITES, 1},
	{"owa", FIELD_ULONG, offsetof(VDS_HINTS2, ulOptimalWriteAlignment), 0, UINT32_MAX},
	{"ows", FIELD_ULONG, offsetof(VDS_HINTS2, ulOptimalWriteSize), 0, UINT32_MAX},
	{"rbp", FIELD_SHORT, offsetof(VDS_HINTS2, sRebuildPriority), 0, 15},
	{"rbv", FIELD_BOOL, offsetof(VDS_HINTS2, bReadBackVerifyEnabled),
		VDS_HINT_READBACKVERIFYENABLED, 1},
	{"rmp", FIELD_BOOL, offsetof(VDS_HINTS2, bRemapEnabled), VDS_HINT_REMAPENABLED, 1},
	{"sts", FIELD_ULONG, offsetof(VDS_HINTS2, ulStripeSize), 0, UINT32_MAX},
	{"wtc", FIELD_BOOL, offsetof(VDS_HINTS2, bWriteThroughCachingEnabled),
		VDS_HINT_WRITETHROUGHCACHINGENABLED, 1},
	{"ynk", FIELD_BOOL, offsetof(VDS_HINTS2, bIsYankable), VDS_HINT_ISYANKABLE, 1},
};

static const struct hint *find_hint(const char *flag)
{
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (!strcmp(hints[i].flag, flag))
			return &hints[i];
	return NULL;
}

static void put(VDS_HINTS2 *h, const struct hint *hint, uint64_t value, bool wish)
{
	void *at = (char *)h + hint->offset;

	if (hint->bit)
		h->ullHintMask = wish ? h->ullHintMask | hint->bit : h->ullHintMask & ~hint->bit;
	switch (hint->field) {
	case FIELD_BOOL:
		*(BOOL *)at = value != 0;
		return;
	case FIELD_ULONG:
		*(ULONG *)at = (ULONG)value;
		return;
	case FIELD_ULONGLONG:
		*(ULONGLONG *)at = value;
		return;
	case FIELD_SHORT:
		*(SHORT *)at = (SHORT)value;
		return;
	}
}

/* The value as JSON; null: no wish. */
static json_t *get(const VDS_HINTS2 *h, const struct hint *hint)
{
	const void *at = (const char *)h + hint->offset;
	uint64_t value = 0;

	if (hint->field == FIELD_BOOL)
		return h->ullHintMask & hint->bit ? json_boolean(*(const BOOL *)at) : json_null();
	if (hint->field == FIELD_ULONG)
		value = *(const ULONG *)at;
	else if (hint->field == FIELD_ULONGLONG)
		value = *(const ULONGLONG *)at;
	else
		value = (uint64_t) * (const SHORT *)at;
	return value ? json_integer((json_int_t)value) : json_null();
}

static json_t *hints_json(const struct cli_ctx *ctx)
{
	json_t *j = json_object();

	json_object_set_new(
		j, "ftl", ctx->hint_ftl < 0 ? json_null() : json_boolean(ctx->hint_ftl));
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		json_object_set_new(j, hints[i].flag, get(&ctx->hints, &hints[i]));
	return j;
}

static int set_hints(struct cli_ctx *ctx, const struct cli_line *line)
{
	for (size_t i = 0; i < line->value_count; i++) {
		const struct cli_value *v = &line->values[i];
		const struct hint *h = find_hint(v->option->name);

		if (h && v->number > h->max)
			return cli_diag_set(&ctx->outcome.diag, CLI_SYNTAX, NULL, NULL,
				"%s=%s is too large", v->option->name, v->text);
		if (h)
			put(&ctx->hints, h, v->number, true);
		else
			ctx->hint_ftl = v->number != 0;
	}
	return CLI_OK;
}

static void clear_hints(struct cli_ctx *ctx, const struct cli_line *line)
{
	if (cli_line_word_is(line, 1, "all")) {
		memset(&ctx->hints, 0, sizeof(ctx->hints));
		ctx->hint_ftl = -1;
	}
	for (size_t i = 0; i < line->value_count; i++) {
		const struct hint *h = find_hint(line->values[i].option->name);

		if (h)
			put(&ctx->hints, h, 0, false);
		else
			ctx->hint_ftl = -1;
	}
}

/* Gives the hints to the LUN in focus: all that are set, or those of the line. */
static int apply_hints(struct cli_ctx *ctx, const struct cli_line *line)
{
	struct cli_line focus = *line;
	struct cli_object lun = {0};
	VDS_HINTS narrow;
	IVdsLun2 *l2 = NULL;
	IVdsLun *l = NULL;
	HRESULT hr = E_NOINTERFACE;
	int status = set_hints(ctx, line);

	focus.noun = CLI_LUN;
	focus.target = (struct cli_sels){0};
	if (!status)
		status = cli_session_target(ctx, &focus, &lun);
	if (status || cli_plan(ctx, line, "LUN %u follows the hints", lun.number))
		goto out;
	l2 = cli_object_query(&lun, &IID_IVdsLun2);
	l = l2 ? NULL : cli_object_query(&lun, &IID_IVdsLun);
	if (l2)
		hr = IVdsLun2_ApplyHints2(l2, &ctx->hints);
	cli_hints_narrow(&ctx->hints, &narrow);
	if (l)
		hr = IVdsLun_ApplyHints(l, &narrow);
	if (FAILED(hr)) {
		status =
			cli_fail(ctx, hr, &lun, "the hints were not applied to LUN %u", lun.number);
	} else {
		ctx->outcome.changed = true;
		cli_say(ctx, "LUN %u follows the hints.", lun.number);
	}
out:
	CLI_RELEASE(l2);
	CLI_RELEASE(l);
	cli_object_release(&lun);
	return status;
}

int cli_cmd_automagic(struct cli_ctx *ctx, const struct cli_line *line)
{
	int status = CLI_OK;

	if (cli_line_word_is(line, 0, "set"))
		status = set_hints(ctx, line);
	else if (cli_line_word_is(line, 0, "clear"))
		clear_hints(ctx, line);
	else if (cli_line_word_is(line, 0, "apply"))
		status = apply_hints(ctx, line);
	else if (line->value_count)
		status = cli_diag_set(&ctx->outcome.diag, CLI_SYNTAX, line->command->syntax,
			"automagic set …", "automagic: set, clear or apply?");
	if (!status) {
		cli_result(ctx, hints_json(ctx));
		cli_properties(ctx, ctx->outcome.result);
	}
	return status;
}
