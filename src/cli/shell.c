/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interactive shell on libedit: history, and completion of verbs, nouns, words and options
 * from the command table. Here unique prefixes are accepted.
 */
#include "cli/run.h"

#include "cli/out.h"

#include "base/cleanup.h"
#include "base/strbuf.h"

#include <histedit.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

enum { HISTORY_LINES = 500 };

static enum cli_personality personality;
static volatile sig_atomic_t interrupted;

/* Ctrl-C drops the line that is being typed. */
static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static char *prompt(EditLine *el)
{
	static char native[] = "VDS> ", diskraid[] = "DISKRAID> ", diskpart[] = "DISKPART> ";

	(void)el;
	if (personality == CLI_DISKRAID)
		return diskraid;
	return personality == CLI_DISKPART ? diskpart : native;
}

/* ---- completion ---- */

struct candidates {
	const char *prefix;
	size_t prefix_len, count;
	char common[128]; /* the longest beginning all candidates share */
	char list[2000];
};

static void offer(struct candidates *c, const char *word)
{
	size_t n = 0, used = strlen(c->list);

	if (strncasecmp(word, c->prefix, c->prefix_len))
		return;
	if (!c->count) {
		snprintf(c->common, sizeof(c->common), "%s", word);
	} else {
		while (c->common[n] && c->common[n] == word[n])
			n++;
		c->common[n] = 0;
	}
	if (c->count && !strcmp(c->common, word) && strstr(c->list, word))
		return; /* a verb with several table entries */
	c->count++;
	snprintf(c->list + used, sizeof(c->list) - used, "%s%s", used ? "  " : "", word);
}

/* What may stand after verb, when it is its noun or something later. */
static void offer_rest(struct candidates *c, const char *verb, bool noun_given)
{
	for (size_t i = 0; i < cli_command_count; i++) {
		const struct cli_command *cmd = &cli_commands[i];

		if (strcasecmp(cmd->verb, verb) &&
			(!cmd->abbreviation || strcasecmp(cmd->abbreviation, verb)))
			continue;
		for (int n = 1; n < CLI_NOUN_COUNT && !noun_given; n++)
			if (cmd->nouns & 1u << n)
				offer(c, cmd->target ? cli_nouns[n].name : cli_nouns[n].plural);
		if (!noun_given && cmd->nouns)
			continue;
		for (size_t k = 0; k < cmd->word_count; k++)
			for (size_t v = 0; cmd->words[k].values && cmd->words[k].values[v]; v++)
				offer(c, cmd->words[k].values[v]);
		for (size_t k = 0; k < cmd->option_count; k++) {
			char key[64];

			snprintf(key, sizeof(key), "%s=", cmd->options[k].name);
			offer(c, key);
		}
		for (size_t k = 0; k < cmd->flag_count; k++)
			offer(c, cmd->flags[k].name);
	}
}

static unsigned char complete(EditLine *el, wint_t ch)
{
	const LineInfo *info = el_line(el);
	cleanup_free char *line = strndup(info->buffer, (size_t)(info->cursor - info->buffer));
	struct candidates c = {0};
	char *verb, *noun, *save = NULL;
	size_t len = line ? strlen(line) : 0, start = len;

	(void)ch;
	if (!line)
		return CC_ERROR;
	while (start && line[start - 1] != ' ')
		start--;
	cleanup_free char *word = strdup(line + start);
	if (!word)
		return CC_ERROR;
	c.prefix = word;
	c.prefix_len = strlen(word);
	line[start] = 0;
	verb = strtok_r(line, " ", &save);
	noun = verb ? strtok_r(NULL, " ", &save) : NULL;
	if (!verb)
		for (size_t i = 0; i < cli_command_count; i++)
			offer(&c, cli_commands[i].verb);
	else
		offer_rest(&c, verb, noun != NULL);
	if (!c.count)
		return CC_ERROR;
	el_insertstr(el, c.common + c.prefix_len);
	if (c.count == 1) {
		size_t n = strlen(c.common);

		if (n && c.common[n - 1] != '=')
			el_insertstr(el, " ");
		return CC_REFRESH;
	}
	if (strlen(c.common) == c.prefix_len) {
		printf("\n%s\n", c.list);
		return CC_REDISPLAY;
	}
	return CC_REFRESH;
}

/* ---- the loop ---- */

/* Below $XDG_STATE_HOME or ~/.local/state; empty when there is no home. */
static void history_path(char *buf, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	buf[0] = 0;
	if (state && *state)
		snprintf(buf, size, "%s/vds_history", state);
	else if (home && *home)
		snprintf(buf, size, "%s/.vds_history", home);
}

static void greet(struct cli_ctx *ctx)
{
	if (ctx->opt.quiet || ctx->opt.json)
		return;
	if (personality == CLI_NATIVE)
		fprintf(ctx->out, "vds %s. help lists the commands, exit leaves.\n", VDS_VERSION);
	else
		fprintf(ctx->out, "VDS %s personality\n",
			personality == CLI_DISKRAID ? "DiskRAID" : "DiskPart");
	fflush(ctx->out);
}

static int loop(struct cli_ctx *ctx, EditLine *el, History *lines)
{
	HistEvent event;
	int status = CLI_OK;

	while (!ctx->quit) {
		const char *line;
		int count;

		interrupted = 0;
		line = el_gets(el, &count);
		if (interrupted) {
			fputc('\n', ctx->out);
			el_reset(el);
			continue;
		}
		if (!line || count <= 0) {
			fputc('\n', ctx->out);
			break;
		}
		if (count > 1)
			history(lines, &event, H_ENTER, line);
		status = cli_run_text(ctx, line, (size_t)count, NULL);
	}
	return ctx->quit ? CLI_OK : status;
}

int cli_shell(struct cli_ctx *ctx)
{
	struct sigaction action = {.sa_handler = on_interrupt};
	char path[PATH_MAX];
	HistEvent event;
	History *lines;
	EditLine *el;
	int status;

	ctx->mode = CLI_SHELL;
	personality = ctx->opt.personality;
	el = el_init("vds", stdin, ctx->out, ctx->err);
	lines = history_init();
	if (!el || !lines) {
		if (el)
			el_end(el);
		cli_diag_memory(&ctx->outcome.diag);
		cli_finish(ctx, NULL, "");
		return CLI_INTERNAL;
	}
	history_path(path, sizeof(path));
	history(lines, &event, H_SETSIZE, HISTORY_LINES);
	if (path[0])
		history(lines, &event, H_LOAD, path);
	el_set(el, EL_PROMPT, prompt);
	el_set(el, EL_EDITOR, "emacs");
	el_set(el, EL_HIST, history, lines);
	/* The wide form keeps these texts; the other one makes copies that nobody frees. */
	el_wset(el, EL_ADDFN, L"vds-complete", L"complete the word", complete);
	el_set(el, EL_BIND, "^I", "vds-complete", NULL);
	el_source(el, NULL);
	sigaction(SIGINT, &action, NULL);
	greet(ctx);
	status = loop(ctx, el, lines);
	if (path[0])
		history(lines, &event, H_SAVE, path);
	history_end(lines);
	el_end(el);
	return status;
}
