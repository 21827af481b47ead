/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options stand anywhere among the words; "--" ends them. The long names, letters and arguments
 * come from the command table, so that help, man page and parser cannot differ.
 */
#include "cli/options.h"

#include "base/cleanup.h"
#include "cli/value.h"

#include <getopt.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LETTERS = 96, FIRST_LONG = 1000 };

static int pick(const char *name, const char *text, const char *const *words, int *value,
	struct cli_diag *d)
{
	char list[200] = "";
	size_t len = 0;

	for (int i = 0; words[i]; i++) {
		if (!strcasecmp(words[i], text)) {
			*value = i;
			return CLI_OK;
		}
		len += (size_t)snprintf(
			list + len, sizeof(list) - len, "%s%s", i ? ", " : "", words[i]);
	}
	cli_diag_set(d, CLI_BAD_OPTIONS, NULL, NULL, "--%s does not take \"%s\"", name, text);
	cli_diag_cause(d, "possible are %s", list);
	return d->status;
}

static int parse_timeout(struct cli_options *opt, const char *text, struct cli_diag *d)
{
	char *end;

	opt->timeout = strtod(text, &end);
	if (end == text || *end || !isfinite(opt->timeout) || opt->timeout < 0)
		return cli_diag_set(d, CLI_BAD_OPTIONS, NULL, "for example --timeout 60",
			"--timeout: \"%s\" is no number of seconds", text);
	opt->has_timeout = true;
	return CLI_OK;
}

/* Options that only store something. */
static bool set_simple(struct cli_options *opt, const char *name, const char *arg)
{
	const struct {
		const char *name;
		bool *flag;
		const char **text;
	} simple[] = {{"store", NULL, &opt->store}, {"host", NULL, &opt->host},
		{"user", NULL, &opt->user}, {"password-file", NULL, &opt->password_file},
		{"script", NULL, &opt->script}, {"columns", NULL, &opt->columns},
		{"json", &opt->json, NULL}, {"dry-run", &opt->dry_run, NULL},
		{"yes", &opt->yes, NULL}, {"no-wait", &opt->no_wait, NULL},
		{"no-header", &opt->no_header, NULL}, {"keep-going", &opt->keep_going, NULL},
		{"strict", &opt->strict, NULL}, {"check-syntax", &opt->check_syntax, NULL},
		{"rebuild-database", &opt->rebuild_database, NULL},
		{"nagios", &opt->nagios, NULL}, {"quiet", &opt->quiet, NULL},
		{"verbose", &opt->verbose, NULL}, {"version", &opt->version, NULL},
		{"help", &opt->help, NULL}};

	for (size_t i = 0; i < ARRAY_SIZE(simple); i++) {
		if (strcmp(simple[i].name, name))
			continue;
		if (simple[i].flag)
			*simple[i].flag = true;
		else
			*simple[i].text = arg;
		return true;
	}
	return false;
}

static int set_option(
	struct cli_options *opt, const char *name, const char *arg, struct cli_diag *d)
{
	static const char *const progress[] = {"auto", "bar", "plain", "json", "none", NULL};
	static const char *const units[] = {"iec", "si", "bytes", NULL};
	static const char *const when[] = {"auto", "always", "never", NULL};
	int value = 0, status;

	if (set_simple(opt, name, arg))
		return CLI_OK;
	if (!strcmp(name, "jsonl")) {
		opt->json = opt->jsonl = true;
		return CLI_OK;
	}
	if (!strcmp(name, "timeout"))
		return parse_timeout(opt, arg, d);
	if (!strcmp(name, "progress")) {
		status = pick(name, arg, progress, &value, d);
		opt->progress = (enum cli_progress)value;
	} else if (!strcmp(name, "units")) {
		status = pick(name, arg, units, &value, d);
		opt->units = (enum cli_units)value;
	} else if (!strcmp(name, "color")) {
		status = pick(name, arg, when, &value, d);
		opt->color = (enum cli_when)value;
	} else {
		status = cli_diag_set(d, CLI_INTERNAL, NULL, NULL, "--%s is not implemented", name);
	}
	return status;
}

static const struct cli_global *find_global(int code)
{
	for (size_t i = 0; i < cli_global_count; i++)
		if (code == FIRST_LONG + (int)i || (code && code == cli_globals[i].letter))
			return &cli_globals[i];
	return NULL;
}

static int bad_option(const char *given, int code, struct cli_diag *d)
{
	const char *near = NULL;
	unsigned least = 4;

	if (code == ':') {
		cli_diag_set(d, CLI_BAD_OPTIONS, NULL, "vds --help", "%s needs a value", given);
		return d->status;
	}
	for (size_t i = 0; i < cli_global_count && !strncmp(given, "--", 2); i++) {
		unsigned n = cli_distance(given + 2, cli_globals[i].name);

		if (n < least) {
			least = n;
			near = cli_globals[i].name;
		}
	}
	cli_diag_set(d, CLI_BAD_OPTIONS, NULL, "vds --help", "there is no option %s", given);
	if (near)
		cli_diag_fix(d, "--%s", near);
	return d->status;
}

/* DiskPart's way to name a script: /s FILE. */
static void translate_slash(int argc, char **argv)
{
	static char script[] = "-s";

	/* Behind an option it may be that option's value. */
	for (int i = 1; i < argc - 1; i++)
		if (!strcasecmp(argv[i], "/s") && argv[i - 1][0] != '-')
			argv[i] = script;
}

static enum cli_personality find_personality(const char *argv0)
{
	const char *slash = argv0 ? strrchr(argv0, '/') : NULL;
	const char *name = slash ? slash + 1 : argv0 ? argv0 : "";

	if (!strcmp(name, "diskraid"))
		return CLI_DISKRAID;
	return strcmp(name, "diskpart") ? CLI_NATIVE : CLI_DISKPART;
}

int cli_options_parse(int argc, char **argv, struct cli_options *opt, struct cli_diag *d)
{
	struct option longs[LETTERS] = {{0}};
	char shorts[LETTERS * 2] = ":";
	int code, at = 1;

	memset(opt, 0, sizeof(*opt));
	opt->personality = find_personality(argc ? argv[0] : NULL);
	translate_slash(argc, argv);
	for (size_t i = 0; i < cli_global_count && i < LETTERS - 1; i++) {
		const struct cli_global *g = &cli_globals[i];
		size_t len = strlen(shorts);

		longs[i] = (struct option){g->name, g->arg ? required_argument : no_argument, NULL,
			FIRST_LONG + (int)i};
		if (g->letter)
			snprintf(shorts + len, sizeof(shorts) - len, "%c%s", g->letter,
				g->arg ? ":" : "");
	}
	opterr = 0;
	optind = 0;
	while ((code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct cli_global *g = find_global(code);
		char letter[3] = {'-', (char)optopt, 0};

		if (!g && optopt && optopt < FIRST_LONG)
			return bad_option(letter, code, d);
		if (!g)
			return bad_option(argv[optind - 1], code, d);
		if (set_option(opt, g->name, optarg, d))
			return d->status;
	}
	at = optind;
	opt->word_count = argc - at;
	opt->words = argv + at;
	return CLI_OK;
}
