/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing healthy LUNs. */
#include "bench.h"

struct figure {
	const char *name, *unit;
	void (*plan)(void *area, struct bare_plan *out);
	enum blk_op op;
	bool random;
	uint64_t io_bytes; /* 0: one row */
	unsigned depth;
	double target;
};

static const struct figure figures[] = {
	{"full-row write", "MB/s", plan_row_write, BLK_WRITE, false, 0, 8, 0.80},
	{"sequential read, 1 MiB", "MB/s", plan_sequential_read, BLK_READ, false, 1 << 20, 4, 0.80},
	{"random read, 4 KiB", "IO/s", plan_random_read, BLK_READ, true, 4096, 32, 0.80},
	{"random write, 4 KiB", "IO/s", plan_small_write, BLK_WRITE, true, 4096, 32, 0.80},
};

static const struct {
	enum eng_lun_type type;
	const char *name;
	unsigned members;
} levels[] = {
	{ENG_LUN_STRIPE, "stripe", 6},
	{ENG_LUN_MIRROR, "mirror", 2},
	{ENG_LUN_RAID10, "RAID 10", 6},
	{ENG_LUN_RAID5, "RAID 5", 6},
	{ENG_LUN_RAID6, "RAID 6", 6},
};

struct turn {
	struct rig *rig;
	struct guid lun;
	struct load load;
};

static void fill(void *arg)
{
	struct turn *t = arg;

	rig_fill(t->rig, &t->lun);
}

static void load_task(void *arg)
{
	struct turn *t = arg;

	t->load.dev = eng_lun_dev(t->rig->array, &t->lun);
	t->load.seed++;
	load_run(&t->load);
}

static uint64_t row_bytes(const struct area *a)
{
	return a->size / a->rows;
}

static void measure(const struct bench *b, struct turn *t, struct area *area,
	const struct figure *f, const char *level)
{
	uint64_t io = f->io_bytes ? f->io_bytes : row_bytes(area);
	struct series ours = {0}, bound = {0};
	double scale = f->random ? 1 : (double)io / 1e6;
	struct bare bare;
	char name[100];

	t->load = (struct load){.op = f->op,
		.random = f->random,
		.io_bytes = io,
		.depth = f->depth,
		.turn_ns = b->effort.turn_ns};
	bare_open(&bare, t->rig, f->depth, 1 << 20);
	for (unsigned i = 0; i <= b->effort.turns; i++) {
		double rate;

		area->pos = 0; /* both begin at the beginning */
		rate = bare_run(&bare, f->plan, area, b->effort.turn_ns, 0);
		rig_run(t->rig, load_task, t);
		if (!i) /* the first turn warms up */
			continue;
		series_add(&bound, rate * scale);
		series_add(&ours, t->load.ops_per_s * scale);
	}
	bare_close(&bare);
	snprintf(name, sizeof(name), "%s %s", level, f->name);
	report_ratio(b, name, f->unit, &ours, &bound, f->target);
}

struct made {
	struct turn *t;
	enum eng_lun_type type;
	uint64_t extent_bytes;
	unsigned members;
};

static void make_lun(void *arg)
{
	struct made *m = arg;

	m->t->lun = rig_lun(m->t->rig, m->type, m->extent_bytes, m->members);
	fill(m->t);
}

static void delete_lun(void *arg)
{
	struct turn *t = arg;
	struct err err = {0};

	if (eng_lun_delete(t->rig->array, &t->lun, &err))
		die("%s", err.text);
}

void bench_data(const struct bench *b)
{
	struct rig rig;
	struct turn t = {.rig = &rig};

	rig_init(&rig, b->folder, BENCH_MEMBERS, 2 * b->effort.extent_bytes + (1024ull << 20));
	for (unsigned i = 0; i < ARRAY_SIZE(levels); i++) {
		struct made m = {&t, levels[i].type, b->effort.extent_bytes, levels[i].members};
		struct area area;

		if (b->level && strcmp(b->level, levels[i].name))
			continue;
		rig_run(&rig, make_lun, &m);
		area_make(&area, &rig, levels[i].type, b->effort.extent_bytes, levels[i].members);
		for (unsigned f = 0; f < ARRAY_SIZE(figures); f++)
			measure(b, &t, &area, &figures[f], levels[i].name);
		rig_run(&rig, delete_lun, &t);
	}
	rig_fini(&rig);
}
