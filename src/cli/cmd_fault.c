/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault: failures on purpose. An object that has departed is still known by its number, so that
 * its faults can be cleared.
 */
#include "cli/common.h"

#include "base/cleanup.h"
#include "cli/relations.h"

#include <string.h>

static const struct fault_word {
	const char *word;
	VDSX_FAULT_KIND kind;
	bool range; /* needs offset= and size= */
} fault_words[] = {{"gone", VDSX_FAULT_GONE, false}, {"failed", VDSX_FAULT_FAILED, false},
	{"predict", VDSX_FAULT_PREDICT, false}, {"unreachable", VDSX_FAULT_UNREACHABLE, false},
	{"slow", VDSX_FAULT_SLOW, false}, {"readerror", VDSX_FAULT_READ_ERROR, true},
	{"writeerror", VDSX_FAULT_WRITE_ERROR, true}, {"corrupt", VDSX_FAULT_CORRUPT, true},
	{"nooperation", VDSX_FAULT_NO_OPERATION, false},
	{"cachecorrupt", VDSX_FAULT_CACHE_CORRUPT, false},
	{"outofmemory", VDSX_FAULT_OUT_OF_MEMORY, false},
	{"systemerror", VDSX_FAULT_SYSTEM_ERROR, false}};

static const struct fault_word *find_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(fault_words); i++)
		if (!strcmp(fault_words[i].word, word))
			return &fault_words[i];
	return NULL;
}

static VDS_OBJECT_TYPE object_type(enum cli_noun noun)
{
	if (noun == CLI_SUBSYSTEM)
		return VDS_OT_SUB_SYSTEM;
	if (noun == CLI_LUN)
		return VDS_OT_LUN;
	return noun == CLI_CONTROLLER ? VDS_OT_CONTROLLER : VDS_OT_DRIVE;
}

/* The object by its number alone: it has departed, or the cache is corrupt. */
static bool find_departed(struct cli_ctx *ctx, const struct cli_line *line, struct cli_object *obj)
{
	const struct cli_sel *s = line->target.items;
	HRESULT hr;

	if (line->target.len != 1 || s->kind != CLI_SEL_NUMBER || s->first != s->last ||
		!ctx->session->hw)
		return false;
	hr = IVdsxHwProvider_FindNumber(
		ctx->session->hw, object_type(line->noun), s->first, &obj->id);
	if (FAILED(hr))
		return false;
	obj->noun = line->noun;
	obj->number = s->first;
	cli_guid_text(&obj->id, obj->id_text);
	cli_diag_clear(&ctx->outcome.diag);
	return true;
}

static int find_targets(struct cli_ctx *ctx, const struct cli_line *line, struct cli_objects *list)
{
	struct cli_object obj = {0};
	int status = cli_session_targets(ctx, line, list);

	if (!status || !find_departed(ctx, line, &obj))
		return status;
	cli_objects_release(list);
	return cli_objects_push(list, obj) ? cli_diag_memory(&ctx->outcome.diag) : CLI_OK;
}

/* ---- one fault ---- */

static int fill(struct cli_ctx *ctx, const struct cli_line *line, const struct fault_word *w,
	VDSX_FAULT *fault)
{
	const struct cli_value *offset = cli_line_value(line, "offset"),
			       *size = cli_line_value(line, "size"),
			       *delay = cli_line_value(line, "delay"),
			       *op = cli_line_value(line, "operation");
	struct cli_diag *d = &ctx->outcome.diag;

	fault->kind = w->kind;
	if (w->range && (!offset || !size))
		return cli_diag_set(d, CLI_SYNTAX, "the fault hits a range of the drive, in bytes",
			"fault drive 1 readerror offset=65536 size=4096", "fault %s: %s is missing",
			w->word, offset ? "size=" : "offset=");
	if (w->range && !size->number)
		return cli_diag_set(
			d, CLI_SYNTAX, NULL, NULL, "fault %s: the range is empty", w->word);
	if (!w->range && (offset || size))
		return cli_diag_set(d, CLI_SYNTAX, "it hits the whole object", NULL,
			"fault %s takes no %s=", w->word, offset ? "offset" : "size");
	if (w->kind == VDSX_FAULT_SLOW && !delay)
		return cli_diag_set(d, CLI_SYNTAX, NULL, "fault drive 1 slow delay=200",
			"fault slow: delay= is missing");
	if (w->kind == VDSX_FAULT_NO_OPERATION && !op)
		return cli_diag_set(d, CLI_SYNTAX, NULL, "fault drive 1 nooperation operation=beep",
			"fault nooperation: operation= is missing");
	fault->ullOffset = w->range ? offset->number : op ? op->number + BlinkLight : 0;
	fault->ullSize = w->range ? size->number : delay ? delay->number : 0;
	return CLI_OK;
}

static void tell(struct cli_ctx *ctx, const struct cli_object *obj, const VDSX_FAULT *f)
{
	unsigned long long offset = f->ullOffset, size = f->ullSize;
	char t[128];

	cli_object_title(obj, t);
	switch (f->kind) {
	case VDSX_FAULT_GONE:
		cli_say(ctx, "%s is %s.", t, obj->noun == CLI_DRIVE ? "pulled out" : "gone");
		return;
	case VDSX_FAULT_FAILED:
		cli_say(ctx, "%s has failed.", t);
		return;
	case VDSX_FAULT_PREDICT:
		cli_say(ctx, "%s predicts its failure.", t);
		return;
	case VDSX_FAULT_UNREACHABLE:
		cli_say(ctx, "%s does not answer.", t);
		return;
	case VDSX_FAULT_SLOW:
		cli_say(ctx, "%s takes %llu ms more for each request.", t, size);
		return;
	case VDSX_FAULT_READ_ERROR:
		cli_say(ctx, "%s cannot read %llu bytes at offset %llu until they are rewritten.",
			t, size, offset);
		return;
	case VDSX_FAULT_WRITE_ERROR:
		cli_say(ctx, "%s cannot write %llu bytes at offset %llu.", t, size, offset);
		return;
	case VDSX_FAULT_CORRUPT:
		cli_say(ctx, "%llu bytes at offset %llu of %s were changed silently.", size, offset,
			t);
		return;
	case VDSX_FAULT_NO_OPERATION:
		cli_say(ctx, "%s does not offer %s.", t,
			cli_operation_word((VDS_MAINTENANCE_OPERATION)offset));
		return;
	case VDSX_FAULT_CACHE_CORRUPT:
		cli_say(ctx, "The provider's cache is corrupt. Cure: reenumerate subsystems, then "
			     "refresh provider.");
		return;
	case VDSX_FAULT_OUT_OF_MEMORY:
		cli_say(ctx, "Allocation %llu from now will fail.", size);
		return;
	case VDSX_FAULT_SYSTEM_ERROR:
		cli_say(ctx, "The next call will fail with system error %llu.", size);
		return;
	}
}

static int refused(struct cli_ctx *ctx, HRESULT hr, const struct cli_object *obj, const char *word)
{
	char title[128];

	cli_fail(ctx, hr, obj, "the fault \"%s\" was refused for %s", word,
		cli_object_title(obj, title));
	if (hr == VDS_E_NOT_SUPPORTED)
		cli_diag_fix(&ctx->outcome.diag, "a new store, with create subsystem faults=on, if "
						 "this one was made without it");
	return ctx->outcome.diag.status;
}

static int inject(struct cli_ctx *ctx, const struct cli_object *obj, const char *word,
	VDSX_FAULT *fault, IVdsxFault *f)
{
	HRESULT hr;
	char title[128];

	fault->objectId = obj->id;
	if (!strcmp(word, "clear"))
		hr = IVdsxFault_Clear(f, 0, obj->id);
	else
		hr = IVdsxFault_Inject(f, fault);
	if (FAILED(hr))
		return refused(ctx, hr, obj, word);
	ctx->outcome.changed = ctx->outcome.changed || hr == S_OK;
	if (!strcmp(word, "clear"))
		cli_say(ctx, "%s: all faults are cleared.", cli_object_title(obj, title));
	else
		tell(ctx, obj, fault);
	return CLI_OK;
}

static IVdsxFault *fault_interface(struct cli_ctx *ctx)
{
	IVdsxFault *f = NULL;

	if (!ctx->session->hw || FAILED(IVdsxHwProvider_QueryInterface(
					 ctx->session->hw, &IID_IVdsxFault, (void **)&f)))
		cli_fail(ctx, E_NOINTERFACE, NULL, "the service injects no faults");
	return f;
}

static json_t *row(const struct cli_object *obj, const char *word)
{
	return json_pack("{s:s, s:I, s:s, s:s}", "object_type", cli_nouns[obj->noun].name, "number",
		(json_int_t)obj->number, "id", obj->id_text, "fault", word);
}

int cli_cmd_fault_object(struct cli_ctx *ctx, const struct cli_line *line)
{
	const char *word = line->words[0];
	const struct fault_word *w = find_word(word);
	VDSX_FAULT fault = {0};
	struct cli_objects list = {0};
	json_t *rows = json_array();
	struct cli_object *o;
	IVdsxFault *f = NULL;
	int status = w ? fill(ctx, line, w, &fault) : CLI_OK;

	if (!status)
		status = find_targets(ctx, line, &list);
	if (!status) {
		f = fault_interface(ctx);
		status = ctx->outcome.diag.status;
	}
	vec_for_each (&list, o) {
		if (status ||
			cli_plan(ctx, line, "%s %u: %s", cli_nouns[o->noun].text, o->number, word))
			continue;
		status = inject(ctx, o, word, &fault, f);
		json_array_append_new(rows, row(o, word));
	}
	if (!status && !cli_dry_run(ctx, line))
		cli_result_rows(ctx, json_incref(rows));
	json_decref(rows);
	CLI_RELEASE(f);
	cli_objects_release(&list);
	return status;
}

/* The provider the faults belong to, by number or the array's own. */
static int find_provider(struct cli_ctx *ctx, const struct cli_line *line, struct cli_object *p)
{
	if (line->target.len || !ctx->session->provider)
		return cli_session_target(ctx, line, p);
	IVdsProvider_AddRef(ctx->session->provider);
	cli_object_wrap(p, CLI_PROVIDER, ctx->session->provider, NULL);
	return cli_object_props(ctx, p);
}

int cli_cmd_fault_provider(struct cli_ctx *ctx, const struct cli_line *line)
{
	const struct cli_value *count = cli_line_value(line, "count"),
			       *code = cli_line_value(line, "code");
	const char *word = line->words[0];
	const struct fault_word *w = find_word(word);
	VDSX_FAULT fault = {.ullSize = count ? count->number : code ? code->number : 1};
	struct cli_object p = {0};
	IVdsxFault *f;
	int status = find_provider(ctx, line, &p);

	if (status || cli_plan(ctx, line, "provider: %s", word))
		goto out;
	fault.kind = w ? w->kind : VDSX_FAULT_CACHE_CORRUPT;
	if (fault.kind == VDSX_FAULT_CACHE_CORRUPT)
		fault.ullSize = 0;
	f = fault_interface(ctx);
	status = f ? inject(ctx, &p, word, &fault, f) : ctx->outcome.diag.status;
	if (!status)
		cli_result(ctx, row(&p, word));
	CLI_RELEASE(f);
out:
	cli_object_release(&p);
	return status;
}
