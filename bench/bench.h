/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of engine_bench share. Everything is measured as a ratio: the engine and a bare
 * liburing loop take turns on the same files, with the same requests at the same queue depth, and
 * each pair of turns gives one ratio. Absolute speeds drift on shared machines, ratios much less.
 *
 * Results are lines of tab-separated fields on stdout (bench/run.py makes the table):
 *   R  place  figure  unit  measured  bound  min  median  max  target
 *   N  place  figure  unit  value  limit         (limit "-": for information)
 * with the medians of measured and bound, and target as ratio of the two.
 */
#ifndef BENCH_H
#define BENCH_H

#include "base/cleanup.h"
#include "base/rng.h"
#include "blk/blk.h"
#include "engine/engine.h"
#include "raid/raid.h"

#include <liburing.h>
#include <stdio.h>
#include <string.h>

enum { BENCH_MEMBERS = 6, BENCH_TURNS = 16, BENCH_FILES = 16 };

/* How long and how often; --quick makes it short, for trying things out. */
struct effort {
	unsigned turns;
	uint64_t turn_ns;
	uint64_t extent_bytes;  /* of a LUN's members, where data is measured */
	uint64_t rebuild_bytes; /* … where recovery is */
	unsigned growth_max;    /* LUNs and drives */
};

struct bench {
	const char *place; /* "memory", "disk": for the table */
	const char *folder;
	const char *level; /* only this one; NULL = all */
	struct effort effort;
};

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *fmt, ...);
uint64_t now_ns(void);

/* ---- report.c ------------------------------------------------------------------------------ */

struct series {
	double v[BENCH_TURNS];
	unsigned n;
};
void series_add(struct series *s, double v);
double series_median(const struct series *s);
/* Ratios turn by turn; inverted when less is better (times). */
void report_ratio(const struct bench *b, const char *figure, const char *unit,
	const struct series *measured, const struct series *bound, double target);
void report_value(
	const struct bench *b, const char *figure, const char *unit, double value, double limit);
/* Private memory of this process in bytes. */
uint64_t memory_used(void);

/* ---- rig.c: an array on file drives -------------------------------------------------------- */

struct rig {
	struct loop *loop;
	struct rng rng;
	struct eng_array *array;
	const char *folder;
	struct eng_bay *bays;
	char (*paths)[512];
	unsigned drives, files; /* in use; for which there is room */
	uint64_t drive_bytes;
	uint8_t container[24];
	uint32_t seq, jobs;
};

/* An open array with that many empty drives, the files sparse. */
void rig_init(struct rig *r, const char *folder, unsigned drives, uint64_t drive_bytes);
void rig_adopt(struct rig *r, const char *folder, unsigned drives);
void rig_add_drives(struct rig *r, unsigned count); /* up to that many in all */
void rig_fini(struct rig *r);
/* Runs fn(arg) as a task of the array's loop. */
void rig_run(struct rig *r, void (*fn)(void *arg), void *arg);
void rig_open(struct rig *r); /* (task) the array from its drives */
void rig_close(struct rig *r); /* (task) */
/* (task) A LUN with one member on each of the first `members` drives; 0: the engine picks. */
struct guid rig_lun(struct rig *r, enum eng_lun_type type, uint64_t extent_bytes, unsigned members);
void rig_fill(struct rig *r, const struct guid *lun); /* (task) random data everywhere */

/* ---- load.c: requests to a block device ----------------------------------------------------- */

struct load {
	struct blk_dev *dev;
	enum blk_op op;
	bool random;
	uint64_t io_bytes;
	unsigned depth;
	uint64_t turn_ns;  /* how long … */
	uint64_t all_ops;  /* … or, if not 0, how many requests */
	uint64_t seed;
	bool latencies;
	const bool *stop;  /* ends it early; NULL = none */
	/* results */
	uint64_t ops;
	double ops_per_s;
	double p99_us;
};
void load_run(struct load *l); /* (task) */

/* ---- bare.c: the same by liburing alone ----------------------------------------------------- */

enum { BARE_IOS = 32 };
struct bare_io {
	unsigned file;
	bool write;
	uint64_t offset;
	uint32_t bytes;
};
/* One operation: some requests at once, and when those are done, the others. */
struct bare_plan {
	struct bare_io io[BARE_IOS];
	unsigned first, count; /* of the first round; of all */
};
struct bare {
	struct io_uring ring;
	int fd[BENCH_FILES];
	unsigned files, depth;
	size_t slot_bytes;
	char *buf;
};
void bare_open(struct bare *b, const struct rig *r, unsigned depth, size_t slot_bytes);
void bare_close(struct bare *b);
/* Operations per second; all_ops as in struct load. */
double bare_run(struct bare *b, void (*plan)(void *ctx, struct bare_plan *out), void *ctx,
	uint64_t turn_ns, uint64_t all_ops);

/* ---- plan.c: what a level has to do at least ------------------------------------------------- */

/* The extents of a LUN, as the bare loop sees them. */
struct area {
	struct raid_shape shape;
	uint64_t size, rows;
	struct {
		unsigned file;
		uint64_t start;
	} member[BENCH_MEMBERS];
	struct rng rng;
	uint64_t pos;
	uint64_t io_bytes; /* of sequential reads */
	unsigned lost;     /* degraded reads, rebuild: this member */
};
void area_init(struct area *a, struct rig *r, const struct guid *lun);
/* A second LUN of the same kind on the same drives for the bare loop, written like the first and then
 * deleted, so that nobody else touches its extents. */
void area_make(struct area *a, struct rig *r, enum eng_lun_type type, uint64_t extent_bytes,
	unsigned members);
void plan_row_write(void *area, struct bare_plan *out);
void plan_sequential_read(void *area, struct bare_plan *out);
void plan_random_read(void *area, struct bare_plan *out);
void plan_small_write(void *area, struct bare_plan *out);
void plan_degraded_read(void *area, struct bare_plan *out);
void plan_rebuild(void *area, struct bare_plan *out);
void plan_scrub(void *area, struct bare_plan *out);

/* ---- the measurements ------------------------------------------------------------------------ */

void bench_data(const struct bench *b);
void bench_recovery(const struct bench *b);
void bench_growth(const struct bench *b);

#endif
