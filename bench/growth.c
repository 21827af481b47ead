/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How cost grows: with 10, 100, 1000 drives, then on all of these with 10, 100, 1000 LUNs of six
 * members. Time to open, to list with all properties, of a single look, of a change that must reach
 * the drives; memory for each. On anything but a file system in memory it ends at 100: there it would
 * be a benchmark of the disk's flushes.
 */
#include "bench.h"

#include <linux/magic.h>
#include <malloc.h>
#include <signal.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define GIB (UINT64_C(1) << 30)

struct growth {
	const struct bench *b;
	struct rig rig;
	unsigned luns, of_luns;
	double ms;
	struct series each;
	unsigned max;
};

static double ms_since(uint64_t start)
{
	return (double)(now_ns() - start) / 1e6;
}

static void open_task(void *arg)
{
	struct growth *g = arg;
	uint64_t start = now_ns();

	rig_open(&g->rig);
	g->ms = ms_since(start);
}

static void close_task(void *arg)
{
	struct growth *g = arg;
	uint64_t start = now_ns();

	rig_close(&g->rig);
	g->ms = ms_since(start);
}

static void list_drives(void *arg)
{
	struct growth *g = arg;
	struct eng_drive_info info;
	struct guid *ids;
	unsigned count;
	uint64_t start = now_ns();

	if (eng_drive_list(g->rig.array, &ids, &count))
		die("drives cannot be listed");
	for (unsigned i = 0; i < count; i++)
		if (eng_drive_info(g->rig.array, &ids[i], &info))
			die("a drive is missing");
	g->ms = ms_since(start);
	free(ids);
}

static void list_luns(void *arg)
{
	struct growth *g = arg;
	struct eng_lun_info info;
	struct guid *ids;
	unsigned count;
	uint64_t start = now_ns();

	if (eng_lun_list(g->rig.array, &ids, &count))
		die("LUNs cannot be listed");
	for (unsigned i = 0; i < count; i++)
		if (eng_lun_info(g->rig.array, &ids[i], &info))
			die("a LUN is missing");
	g->ms = ms_since(start);
	free(ids);
}

static void rename_task(void *arg)
{
	struct growth *g = arg;
	char name[32];
	struct err err = {0};
	uint64_t start = now_ns();

	snprintf(name, sizeof(name), "bench %u", g->of_luns++);
	if (eng_array_set_name(g->rig.array, name, &err))
		die("%s", err.text);
	g->ms = ms_since(start);
}

/* The next six drives in turn. */
static void create_task(void *arg)
{
	struct growth *g = arg;
	struct guid drives[BENCH_MEMBERS], id;
	struct eng_lun_params p = {.type = ENG_LUN_RAID5,
		.size_bytes = (BENCH_MEMBERS - 1) * (UINT64_C(1) << 20),
		.drives = drives,
		.drives_len = BENCH_MEMBERS,
		.rebuild_priority = -1,
		.name = "bench"};
	struct err err = {0};
	uint64_t start;

	for (unsigned i = 0; i < BENCH_MEMBERS; i++)
		drives[i] = g->rig.bays[(g->luns * BENCH_MEMBERS + i) % g->rig.drives].drive;
	start = now_ns();
	if (eng_lun_create(g->rig.array, &p, &id, &err))
		die("%s %s", err.text, err.cause);
	g->ms = ms_since(start);
	series_add(&g->each, g->ms);
	g->luns++;
}

static double timed(struct growth *g, void (*fn)(void *arg))
{
	struct series s = {0};

	for (unsigned i = 0; i < 3; i++) {
		rig_run(&g->rig, fn, g);
		series_add(&s, g->ms);
	}
	return series_median(&s);
}

static void report(const struct growth *g, const char *what, const char *unit, unsigned count,
	const char *of, double value, double limit)
{
	char name[100];

	snprintf(name, sizeof(name), "%u %s: %s", count, of, what);
	report_value(g->b, name, unit, value, limit);
}

/* Closes and opens again; returns the memory the open array takes. */
static uint64_t reopen(struct growth *g, unsigned count, const char *of)
{
	uint64_t before;

	rig_run(&g->rig, close_task, g);
	report(g, "close", "ms", count, of, g->ms, 0);
	malloc_trim(0);
	before = memory_used();
	rig_run(&g->rig, open_task, g);
	report(g, "open", "ms", count, of, g->ms, 0);
	malloc_trim(0);
	return memory_used() - before;
}

static uint64_t drives_growth(struct growth *g)
{
	uint64_t memory = 0;

	for (unsigned n = 10; n <= g->max; n *= 10) {
		uint64_t start = now_ns();

		if (n == 10)
			rig_init(&g->rig, g->b->folder, n, GIB);
		else
			rig_add_drives(&g->rig, n);
		report(g, "adding one", "ms", n, "drives", ms_since(start) / (n == 10 ? 10 : 0.9 * n),
			0);
		memory = reopen(g, n, "drives");
		report(g, "list with properties", "ms", n, "drives", timed(g, list_drives), 0);
		report(g, "properties of one", "us", n, "drives", timed(g, list_drives) * 1e3 / n, 0);
		report(g, "a changed property", "ms", n, "drives", timed(g, rename_task), 0);
	}
	report_value(
		g->b, "memory for a drive", "KiB", (double)memory / 1024 / g->max, 1024);
	return memory;
}

static void luns_growth(struct growth *g, uint64_t without)
{
	uint64_t memory = 0;

	for (unsigned n = 10; n <= g->max; n *= 10) {
		while (g->luns < n) {
			if (n - g->luns == 5)
				g->each.n = 0;
			rig_run(&g->rig, create_task, g);
		}
		report(g, "creating one", "ms", n, "LUNs", series_median(&g->each), 0);
		memory = reopen(g, n, "LUNs");
		report(g, "list with properties", "ms", n, "LUNs", timed(g, list_luns), 0);
		report(g, "properties of one", "us", n, "LUNs", timed(g, list_luns) * 1e3 / n, 0);
		report(g, "a changed property", "ms", n, "LUNs", timed(g, rename_task), 0);
	}
	report_value(g->b, "memory for a LUN", "KiB",
		((double)memory - (double)without) / 1024 / g->max, 1024);
}

/* ---- creation at any size --------------------------------------------------------------------- */

static void create_large(void *arg)
{
	struct growth *g = arg;
	uint64_t start = now_ns();

	rig_lun(&g->rig, ENG_LUN_RAID5, g->rig.drive_bytes / 10 >> 20 << 20, BENCH_MEMBERS);
	g->ms = ms_since(start);
}

static void creation(struct growth *g, uint64_t drive_bytes, const char *name)
{
	struct series s = {0};

	rig_init(&g->rig, g->b->folder, BENCH_MEMBERS, drive_bytes);
	for (unsigned i = 0; i < 7; i++) {
		rig_run(&g->rig, create_large, g);
		series_add(&s, g->ms);
	}
	report_value(g->b, name, "ms", series_median(&s), 100);
	rig_fini(&g->rig);
}

/* ---- restart ----------------------------------------------------------------------------------- */

static void write_and_die(void *arg)
{
	struct growth *g = arg;
	struct guid lun = rig_lun(&g->rig, ENG_LUN_RAID5, 128 << 20, BENCH_MEMBERS);
	struct load l = {.dev = eng_lun_dev(g->rig.array, &lun),
		.op = BLK_WRITE,
		.random = true,
		.io_bytes = 4096,
		.depth = 32,
		.turn_ns = 200000000};

	rig_fill(&g->rig, &lun);
	load_run(&l);
	kill(getpid(), SIGKILL);
}

/* A child makes the array and is killed while writing; the parent opens it. */
static void restart(struct growth *g)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		die("no child process could be made");
	if (child == 0) {
		rig_init(&g->rig, g->b->folder, BENCH_MEMBERS, 2 * GIB);
		rig_run(&g->rig, write_and_die, g);
		_exit(1);
	}
	if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status))
		die("the child that was to be killed ended by itself");
	rig_adopt(&g->rig, g->b->folder, BENCH_MEMBERS);
	rig_run(&g->rig, open_task, g);
	report_value(g->b, "RAID 5 of 640 MiB: open after a kill", "ms", g->ms, 1000);
	rig_fini(&g->rig);
}

void bench_growth(const struct bench *b)
{
	struct growth g = {.b = b, .max = b->effort.growth_max};
	char parent[300];
	struct statfs fs;

	snprintf(parent, sizeof(parent), "%.*s", (int)(strrchr(b->folder, '/') - b->folder), b->folder);
	if (g.max > 100 && (statfs(parent, &fs) || fs.f_type != TMPFS_MAGIC))
		g.max = 100;
	restart(&g);
	creation(&g, 2 * GIB, "creating a LUN of 1 GiB");
	creation(&g, 2048 * GIB, "creating a LUN of 1 TiB");
	luns_growth(&g, drives_growth(&g));
	rig_fini(&g.rig);
}
