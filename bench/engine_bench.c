/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the array engine costs, as ratios to what liburing alone does with the same files.
 *
 *   engine_bench [--quick] [--only data|recovery|growth] [--level NAME] PLACE=FOLDER …
 *
 * PLACE is a name for the table; a working folder is made in FOLDER and removed afterwards. See
 * bench.h for the output and bench/README.md for how to read it.
 */
#include "bench.h"

#include <sys/resource.h>

static const struct effort full = {.turns = 5,
	.turn_ns = 300000000,
	.extent_bytes = 128 << 20,
	.rebuild_bytes = 256 << 20,
	.growth_max = 1000};
static const struct effort quick = {.turns = 3,
	.turn_ns = 150000000,
	.extent_bytes = 64 << 20,
	.rebuild_bytes = 64 << 20,
	.growth_max = 100};

static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void run_place(const char *argument, const struct effort *effort, const char *only,
	const char *level)
{
	char place[64], folder[300];
	struct bench b = {.place = place, .folder = folder, .level = level, .effort = *effort};
	const char *equals = strchr(argument, '=');

	if (!equals || (size_t)(equals - argument) >= sizeof(place))
		die("PLACE=FOLDER was expected, not %s", argument);
	snprintf(place, sizeof(place), "%.*s", (int)(equals - argument), argument);
	snprintf(folder, sizeof(folder), "%.200s/engine_bench.%ld", equals + 1, (long)getpid());
	if (!only || !strcmp(only, "data"))
		bench_data(&b);
	if (!only || !strcmp(only, "recovery"))
		bench_recovery(&b);
	if (!only || !strcmp(only, "growth"))
		bench_growth(&b);
}

int main(int argc, char **argv)
{
	const struct effort *effort = &full;
	const char *only = NULL, *level = NULL;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--quick"))
			effort = &quick;
		else if (!strcmp(argv[i], "--only") && i + 1 < argc)
			only = argv[++i];
		else if (!strcmp(argv[i], "--level") && i + 1 < argc)
			level = argv[++i];
		else
			die("unknown option %s", argv[i]);
	}
	if (i == argc)
		die("PLACE=FOLDER is missing");
	raise_file_limit();
	for (; i < argc; i++)
		run_place(argv[i], effort, only, level);
	return 0;
}
