/* SPDX-License-Identifier: Apache-2.0 */
/* set provider, set lun, unmask lun. */
#include "cli/common.h"

#include "base/cleanup.h"
#include "base/strbuf.h"

#include <string.h>

/* ---- provider ---- */

static const struct setting {
	const char *option;
	VDSX_SETTING setting;
	const char *about;
} settings[] = {{"autorecover", VDSX_SETTING_AUTO_RECOVERY, "Automatic recovery"},
	{"sparedelay", VDSX_SETTING_SPARE_DELAY_MS, "The spare delay"},
	{"pulseinterval", VDSX_SETTING_PULSE_INTERVAL_MS, "The pulse interval"},
	{"rebuildrate", VDSX_SETTING_REBUILD_RATE, "The ceiling of the rebuild rate"}};

static int set_one(
	struct cli_ctx *ctx, IVdsxHwProvider *p, const struct setting *s, const struct cli_value *v)
{
	ULONGLONG old = 0;
	bool known = SUCCEEDED(IVdsxHwProvider_GetSetting(p, s->setting, &old));
	bool same = known && old == v->number;
	HRESULT hr = IVdsxHwProvider_SetSetting(p, s->setting, v->number);

	if (FAILED(hr))
		return cli_fail(ctx, hr, NULL, "%s= was not set to %s", s->option, v->text);
	ctx->outcome.changed = ctx->outcome.changed || !same;
	if (s->setting == VDSX_SETTING_AUTO_RECOVERY)
		cli_say(ctx, "%s %s %s.", s->about, same ? "was already" : "is now",
			v->number ? "on" : "off");
	else
		cli_say(ctx, "%s %s %llu%s.", s->about, same ? "was already" : "is now",
			(unsigned long long)v->number,
			s->setting == VDSX_SETTING_REBUILD_RATE ? " bytes a second" : " ms");
	return CLI_OK;
}

static int show_settings(struct cli_ctx *ctx, const struct cli_object *p)
{
	static const char *const keys[] = {
		"autorecover", "spare_delay_ms", "pulse_interval_ms", "rebuild_rate_bytes"};
	json_t *shown = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		json_object_set(shown, keys[i], json_object_get(p->props, keys[i]));
	cli_properties(ctx, shown);
	json_decref(shown);
	return CLI_OK;
}

int cli_cmd_set_provider(struct cli_ctx *ctx, const struct cli_line *line)
{
	struct cli_object p = {0};
	IVdsxHwProvider *hw = NULL;
	int status = CLI_OK;

	if (line->target.len || ctx->focus.set[CLI_PROVIDER] || !ctx->session->provider) {
		status = cli_session_target(ctx, line, &p);
	} else {
		IVdsProvider_AddRef(ctx->session->provider);
		cli_object_wrap(&p, CLI_PROVIDER, ctx->session->provider, NULL);
		status = cli_object_props(ctx, &p);
	}
	if (status || cli_plan(ctx, line, "settings of provider %u are changed", p.number))
		goto out;
	hw = cli_object_query(&p, &IID_IVdsxHwProvider);
	if (!hw)
		status = cli_fail(ctx, E_NOINTERFACE, &p, "provider %u has no settings", p.number);
	for (size_t i = 0; i < ARRAY_SIZE(settings) && !status; i++) {
		const struct cli_value *v = cli_line_value(line, settings[i].option);

		if (v)
			status = set_one(ctx, hw, &settings[i], v);
	}
	if (status)
		goto out;
	json_decref(p.props);
	p.props = NULL;
	status = cli_object_props(ctx, &p);
	if (!status && !line->value_count)
		show_settings(ctx, &p);
	if (p.props)
		cli_result(ctx, json_incref(p.props));
out:
	CLI_RELEASE(hw);
	cli_object_release(&p);
	return status;
}

/* ---- LUN ---- */

int cli_cmd_set_lun(struct cli_ctx *ctx, const struct cli_line *line)
{
	const struct cli_value *v = cli_line_value(line, "rebuildpriority");
	struct cli_object lun = {0};
	VDS_HINTS hints = {0};
	IVdsLun *l = NULL;
	HRESULT hr;
	int status;

	if (v->number < 1 || v->number > 15)
		return cli_diag_set(&ctx->outcome.diag, CLI_SYNTAX, "0 means no wish",
			"1 (last) to 15 (first)", "rebuildpriority=%s is no priority", v->text);
	status = cli_session_target(ctx, line, &lun);
	if (status || cli_plan(ctx, line, "LUN %u gets rebuild priority %u", lun.number,
			      (unsigned)v->number))
		goto out;
	l = cli_object_query(&lun, &IID_IVdsLun);
	hr = l ? IVdsLun_QueryHints(l, &hints) : E_NOINTERFACE;
	if (SUCCEEDED(hr)) {
		ctx->outcome.changed = hints.sRebuildPriority != (SHORT)v->number;
		hints.ullHintMask = 0; /* only the number counts: nothing else changes */
		hints.sRebuildPriority = (SHORT)v->number;
		hr = IVdsLun_ApplyHints(l, &hints);
	}
	if (FAILED(hr)) {
		ctx->outcome.changed = false;
		status = cli_fail(ctx, hr, &lun, "LUN %u was not changed", lun.number);
		goto out;
	}
	cli_say(ctx, "LUN %u has rebuild priority %u.", lun.number, (unsigned)v->number);
	json_decref(lun.props);
	lun.props = NULL;
	status = cli_object_props(ctx, &lun);
	if (!status)
		cli_result(ctx, json_incref(lun.props));
out:
	CLI_RELEASE(l);
	cli_object_release(&lun);
	return status;
}

/* ---- masks ---- */

/* The list SetMask takes: entries separated by semicolons, "*" or nothing. malloc'd. */
static char *mask_text(const struct cli_line *line, const char *old)
{
	const struct cli_value *wwn = cli_line_value(line, "wwn"),
			       *initiator = cli_line_value(line, "initiator");
	struct strbuf s = STRBUF_INIT;

	strbuf_puts(&s, "");
	if (cli_line_word_is(line, 0, "all"))
		strbuf_puts(&s, "*");
	else if (cli_line_word_is(line, 0, "add") && old && strcmp(old, "*"))
		strbuf_puts(&s, old);
	if (wwn)
		strbuf_printf(&s, "%s%s", s.len ? ";" : "", wwn->text);
	if (initiator)
		strbuf_printf(&s, "%s%s", s.len ? ";" : "", initiator->text);
	return strbuf_take(&s);
}

static int check_mask(struct cli_ctx *ctx, const struct cli_line *line)
{
	bool list = cli_line_value(line, "wwn") || cli_line_value(line, "initiator");
	bool whole = cli_line_word_is(line, 0, "all") || cli_line_word_is(line, 0, "none");

	if (whole == !list)
		return CLI_OK;
	return cli_diag_set(&ctx->outcome.diag, CLI_SYNTAX, line->command->syntax,
		line->command->examples[0].command,
		whole ? "unmask: all and none take no list" : "unmask: for whom?");
}

int cli_cmd_unmask_lun(struct cli_ctx *ctx, const struct cli_line *line)
{
	struct cli_object lun = {0};
	cleanup_free char *text = NULL;
	cleanup_free WCHAR *wide = NULL;
	const char *old;
	IVdsLun *l = NULL;
	HRESULT hr;
	int status = check_mask(ctx, line);

	if (!status)
		status = cli_session_target(ctx, line, &lun);
	if (status)
		goto out;
	old = cli_object_text(&lun, "unmasking_list");
	text = mask_text(line, old);
	wide = text ? cli_wide(text) : NULL;
	if (!wide) {
		status = cli_diag_memory(&ctx->outcome.diag);
		goto out;
	}
	if (cli_plan(ctx, line, "LUN %u is unmasked to \"%s\"", lun.number, text))
		goto out;
	if (old && strcmp(old, text) && !cli_line_word_is(line, 0, "all") &&
		!cli_line_word_is(line, 0, "add"))
		status = cli_confirm(ctx, line,
			"LUN %u is unmasked to \"%s\" now; hosts not in the new "
			"list lose it.",
			lun.number, old);
	if (status)
		goto out;
	l = cli_object_query(&lun, &IID_IVdsLun);
	hr = l ? IVdsLun_SetMask(l, wide) : E_NOINTERFACE;
	if (FAILED(hr)) {
		status = cli_fail(ctx, hr, &lun, "LUN %u was not unmasked", lun.number);
		goto out;
	}
	ctx->outcome.changed = strcmp(old ? old : "", text) != 0;
	cli_say(ctx, "LUN %u is unmasked to %s.", lun.number,
		!*text               ? "nobody"
		: !strcmp(text, "*") ? "all hosts"
				     : text);
	json_decref(lun.props);
	lun.props = NULL;
	status = cli_object_props(ctx, &lun);
	if (!status)
		cli_result(ctx, json_incref(lun.props));
out:
	CLI_RELEASE(l);
	cli_object_release(&lun);
	return status;
}
