/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LUNs that have lost a drive: reads, rebuild onto a spare, catch-up of a drive that returns, and
 * the check of redundancy; and what a rebuild costs those who read meanwhile.
 *
 * The bound of a rebuild is the same reads and writes without an engine: each row of the
 * survivors needed is read, then the target's cell is written. All members share one medium here, so
 * this is lower than the least of survivors' read rate and target's write rate.
 */
#include "bench.h"

enum {
	DEPTH = 16,
	IDLE_MS = 200,  /* after which the engine takes a LUN for idle */
	BEGUN_MS = 30,  /* in which the metadata of a beginning rebuild are written */
};

struct recovery {
	const struct bench *b;
	struct rig rig;
	struct guid lun;
	enum eng_lun_type type;
	const char *level;
	unsigned members, spare; /* spare: drive without an extent */
	struct load load;
	double seconds;
	bool stop;
	struct task_group readers;
};

static void make_lun(void *arg)
{
	struct recovery *r = arg;

	r->lun = rig_lun(&r->rig, r->type, r->b->effort.rebuild_bytes, r->members);
	rig_fill(&r->rig, &r->lun);
}

static void delete_lun(void *arg)
{
	struct recovery *r = arg;
	struct err err = {0};

	if (eng_lun_delete(r->rig.array, &r->lun, &err))
		die("%s", err.text);
}

static void wait_idle(struct recovery *r)
{
	struct eng_lun_info info;

	for (;;) {
		if (eng_lun_info(r->rig.array, &r->lun, &info))
			die("the LUN is gone");
		if (!info.busy)
			break;
		eng_job_wait(info.job);
	}
}

static void must_be_healthy(struct recovery *r)
{
	struct eng_lun_info info;

	if (eng_lun_info(r->rig.array, &r->lun, &info) || info.health != ENG_LUN_HEALTHY)
		die("the LUN was not recovered");
}

/* The drive (index) in slot 0. */
static unsigned first_drive(struct recovery *r)
{
	struct area a;

	area_init(&a, &r->rig, &r->lun);
	return a.member[0].file;
}

static void set_offline(struct recovery *r, unsigned drive, bool offline)
{
	struct err err = {0};

	if (eng_drive_set_offline(r->rig.array, &r->rig.bays[drive].drive, offline, &err))
		die("%s", err.text);
}

/* ---- degraded reads ------------------------------------------------------------------------- */

static void read_load(void *arg)
{
	struct recovery *r = arg;

	r->load = (struct load){.dev = eng_lun_dev(r->rig.array, &r->lun),
		.op = BLK_READ,
		.random = true,
		.io_bytes = 4096,
		.depth = 32,
		.seed = r->load.seed + 1,
		.turn_ns = r->b->effort.turn_ns};
	load_run(&r->load);
}

static void go_degraded(void *arg)
{
	struct recovery *r = arg;

	set_offline(r, first_drive(r), true);
}

static void go_healthy(void *arg)
{
	struct recovery *r = arg;

	set_offline(r, first_drive(r), false);
	wait_idle(r);
	must_be_healthy(r);
}

static void degraded_reads(struct recovery *r, struct area *area)
{
	const struct bench *b = r->b;
	struct series bound = {0}, ours = {0}, healthy = {0};
	double n = r->members, amplified;
	struct bare bare;
	char name[100];

	amplified = r->type == ENG_LUN_MIRROR ? 1 : n / (2 * (n - 1));
	if (r->type == ENG_LUN_RAID6)
		amplified = n / ((n - 1) + (n - 2));
	bare_open(&bare, &r->rig, 32, 8 * 4096);
	for (unsigned i = 0; i <= b->effort.turns; i++) {
		double rate = bare_run(&bare, plan_degraded_read, area, b->effort.turn_ns, 0);

		rig_run(&r->rig, read_load, r);
		if (i)
			series_add(&healthy, r->load.ops_per_s * amplified);
		rig_run(&r->rig, go_degraded, r);
		rig_run(&r->rig, read_load, r);
		if (i) {
			series_add(&ours, r->load.ops_per_s);
			series_add(&bound, rate);
		}
		rig_run(&r->rig, go_healthy, r);
	}
	bare_close(&bare);
	snprintf(name, sizeof(name), "%s degraded random read, 4 KiB", r->level);
	report_ratio(b, name, "IO/s", &ours, &bound, 0.80);
	snprintf(name, sizeof(name), "%s degraded read to %.2f of healthy", r->level, amplified);
	report_ratio(b, name, "IO/s", &ours, &healthy, 0.90);
}

/* ---- passes over the LUN --------------------------------------------------------------------- */

static void rebuild(void *arg)
{
	struct recovery *r = arg;
	unsigned victim = first_drive(r);
	struct err err = {0};
	uint64_t start;

	if (eng_drive_set_spare(r->rig.array, &r->rig.bays[r->spare].drive, true, &err))
		die("%s", err.text);
	start = now_ns();
	if (eng_drive_set_failed(r->rig.array, &r->rig.bays[victim].drive, true, &err))
		die("%s", err.text);
	wait_idle(r);
	r->seconds = (double)(now_ns() - start) / 1e9;
	must_be_healthy(r);
	if (eng_drive_set_failed(r->rig.array, &r->rig.bays[victim].drive, false, &err))
		die("%s", err.text);
	wait_idle(r);
	r->spare = victim;
}

static void catch_up(void *arg)
{
	struct recovery *r = arg;
	unsigned victim = first_drive(r);
	uint64_t start;

	set_offline(r, victim, true);
	rig_fill(&r->rig, &r->lun); /* everything is missed */
	task_sleep_ms(IDLE_MS);
	start = now_ns();
	set_offline(r, victim, false);
	wait_idle(r);
	r->seconds = (double)(now_ns() - start) / 1e9;
	must_be_healthy(r);
}

static void scrub(void *arg)
{
	struct recovery *r = arg;
	struct err err = {0};
	struct eng_job *job;
	uint64_t start = now_ns();

	if (eng_lun_recover(r->rig.array, &r->lun, &job, &err))
		die("%s", err.text);
	eng_job_wait(job);
	eng_job_unref(job);
	r->seconds = (double)(now_ns() - start) / 1e9;
	must_be_healthy(r);
}

static void pass(struct recovery *r, struct area *area, const char *what,
	void (*plan)(void *area, struct bare_plan *out), void (*ours)(void *arg))
{
	double bytes = (double)r->b->effort.rebuild_bytes / 1e6;
	struct series measured = {0}, bound = {0};
	struct bare bare;
	char name[100];

	bare_open(&bare, &r->rig, r->type == ENG_LUN_MIRROR ? 4 : DEPTH, 1 << 20);
	for (unsigned i = 0; i <= r->b->effort.turns; i++) {
		double rate = bare_run(&bare, plan, area, 0, area->rows);

		rig_run(&r->rig, ours, r);
		if (!i)
			continue;
		series_add(&bound, rate / (double)area->rows * bytes);
		series_add(&measured, bytes / r->seconds);
	}
	bare_close(&bare);
	snprintf(name, sizeof(name), "%s %s", r->level, what);
	report_ratio(r->b, name, "MB/s of a drive", &measured, &bound, 0.85);
}

/* ---- readers beside a rebuild ---------------------------------------------------------------- */

static void one_reader(struct recovery *r)
{
	r->load = (struct load){.dev = eng_lun_dev(r->rig.array, &r->lun),
		.op = BLK_READ,
		.random = true,
		.io_bytes = 4096,
		.depth = 1,
		.latencies = true,
		.stop = &r->stop,
		.seed = r->load.seed + 1,
		.turn_ns = r->b->effort.turn_ns};
	load_run(&r->load);
}

static void read_idle(void *arg)
{
	struct recovery *r = arg;

	r->stop = false;
	one_reader(arg);
}

static void reader_task(void *arg)
{
	struct recovery *r = arg;

	task_sleep_ms(BEGUN_MS);
	one_reader(r);
	task_group_end(&r->readers);
}

static void read_beside_rebuild(void *arg)
{
	struct recovery *r = arg;

	r->stop = false;
	task_group_init(&r->readers);
	task_group_begin(&r->readers);
	if (task_spawn(r->rig.loop, "reader", reader_task, r))
		die("no task could be made");
	rebuild(r);
	r->stop = true;
	task_group_wait(&r->readers);
}

static void least_priority(void *arg)
{
	struct recovery *r = arg;
	struct err err = {0};

	if (eng_lun_set_priority(r->rig.array, &r->lun, 0, &err))
		die("%s", err.text);
}

static void foreground(struct recovery *r)
{
	struct series idle = {0}, beside = {0};
	char name[100];

	rig_run(&r->rig, least_priority, r);
	for (unsigned i = 0; i <= r->b->effort.turns; i++) {
		rig_run(&r->rig, read_idle, r);
		if (i)
			series_add(&idle, r->load.p99_us);
		rig_run(&r->rig, read_beside_rebuild, r);
		if (i)
			series_add(&beside, r->load.p99_us);
	}
	snprintf(name, sizeof(name), "%s p99 of reads, idle / beside a rebuild", r->level);
	report_ratio(r->b, name, "us", &idle, &beside, 0.80);
}

/* ---- all ------------------------------------------------------------------------------------- */

static const struct {
	enum eng_lun_type type;
	const char *name;
	unsigned members;
} levels[] = {
	{ENG_LUN_MIRROR, "mirror", 2},
	{ENG_LUN_RAID5, "RAID 5", 6},
	{ENG_LUN_RAID6, "RAID 6", 6},
};

void bench_recovery(const struct bench *b)
{
	for (unsigned i = 0; i < ARRAY_SIZE(levels); i++) {
		struct recovery r = {.b = b,
			.type = levels[i].type,
			.level = levels[i].name,
			.members = levels[i].members,
			.spare = levels[i].members};
		struct area area;

		if (b->level && strcmp(b->level, levels[i].name))
			continue;
		rig_init(&r.rig, b->folder, r.members + 1,
			2 * b->effort.rebuild_bytes + (1024ull << 20));
		rig_run(&r.rig, make_lun, &r);
		area_make(&area, &r.rig, r.type, b->effort.rebuild_bytes, r.members);
		degraded_reads(&r, &area);
		pass(&r, &area, "check of redundancy", plan_scrub, scrub);
		pass(&r, &area, "catch-up", plan_rebuild, catch_up);
		pass(&r, &area, "rebuild", plan_rebuild, rebuild);
		foreground(&r);
		rig_run(&r.rig, delete_lun, &r);
		rig_fini(&r.rig);
	}
}
