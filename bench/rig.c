/* SPDX-License-Identifier: Apache-2.0 */
/* An array on sparse files, run by the calling thread. */
#include "bench.h"

#include <sys/stat.h>
#include <unistd.h>

static uint32_t job_number(
	void *ctx, enum eng_job_type type, const struct guid *object, bool resumed)
{
	(void)type;
	(void)object;
	(void)resumed;
	return ++((struct rig *)ctx)->jobs;
}

static void seq_reached(void *ctx, struct eng_array *array, uint32_t seq)
{
	(void)array;
	((struct rig *)ctx)->seq = seq;
}

static void open_with(struct rig *r, const struct eng_bay *bays, unsigned count)
{
	struct eng_array_config config = {.loop = r->loop,
		.rng = &r->rng,
		.host = {.ctx = r, .job_number = job_number, .seq_reached = seq_reached},
		.settings = {.auto_recovery = true, .spare_delay_ms = 10000},
		.name = "bench",
		.known_seq = r->seq};
	struct err err = {0};

	memcpy(config.container_guid, r->container, sizeof(r->container));
	if (eng_array_open(&config, bays, count, &r->array, &err))
		die("the array does not open: %s %s", err.text, err.cause);
}

void rig_open(struct rig *r)
{
	open_with(r, r->bays, r->drives);
}

void rig_close(struct rig *r)
{
	eng_array_close(r->array);
	r->array = NULL;
}

struct call {
	void (*fn)(void *arg);
	void *arg;
};

static int run_call(void *arg)
{
	struct call *c = arg;

	c->fn(c->arg);
	return 0;
}

void rig_run(struct rig *r, void (*fn)(void *arg), void *arg)
{
	struct call c = {fn, arg};

	if (task_call(r->loop, run_call, &c))
		die("no task could be made");
}

static void open_empty(void *arg)
{
	open_with(arg, NULL, 0);
}

static void name_drive(struct rig *r, unsigned i)
{
	snprintf(r->paths[i], sizeof(r->paths[i]), "%s/drive%u", r->folder, i);
	r->bays[i] = (struct eng_bay){
		.bus = (int16_t)(i / 100), .slot = (int16_t)(i % 100), .path = r->paths[i]};
}

static void add_one(struct rig *r)
{
	unsigned i = r->drives;
	struct err err = {0};

	name_drive(r, i);
	if (eng_create_drive_file(r->paths[i], r->drive_bytes, &err))
		die("%s", err.text);
	r->drives++;
	if (eng_drive_add(r->array, &r->bays[i], &r->bays[i].drive, &err))
		die("%s is not taken in: %s %s", r->paths[i], err.text, err.cause);
}

static void add_wanted(void *arg)
{
	struct rig *r = arg;

	while (r->drives < r->files)
		add_one(r);
}

void rig_add_drives(struct rig *r, unsigned count)
{
	r->bays = realloc(r->bays, count * sizeof(r->bays[0]));
	r->paths = realloc(r->paths, count * sizeof(r->paths[0]));
	if (!r->bays || !r->paths)
		die("out of memory");
	for (unsigned i = 0; i < r->drives; i++) /* they have moved */
		r->bays[i].path = r->paths[i];
	r->files = count;
	rig_run(r, add_wanted, r);
}

void rig_init(struct rig *r, const char *folder, unsigned drives, uint64_t drive_bytes)
{
	struct err err = {0};

	memset(r, 0, sizeof(*r));
	r->folder = folder;
	r->drive_bytes = drive_bytes;
	rng_seed(&r->rng, 1);
	eng_container_guid(&r->rng, clock_wall_ms(&clock_system), r->container);
	if (mkdir(folder, 0700))
		die("%s cannot be made", folder);
	if (loop_new(NULL, &r->loop, &err))
		die("%s", err.text);
	rig_run(r, open_empty, r);
	rig_add_drives(r, drives);
}

/* Files that another process has made; not opened yet. */
void rig_adopt(struct rig *r, const char *folder, unsigned drives)
{
	struct err err = {0};

	memset(r, 0, sizeof(*r));
	r->folder = folder;
	r->drives = r->files = drives;
	rng_seed(&r->rng, 2);
	r->bays = calloc(drives, sizeof(r->bays[0]));
	r->paths = calloc(drives, sizeof(r->paths[0]));
	if (!r->bays || !r->paths || loop_new(NULL, &r->loop, &err))
		die("out of memory");
	for (unsigned i = 0; i < drives; i++)
		name_drive(r, i);
}

static void close_if_open(void *arg)
{
	struct rig *r = arg;

	if (r->array)
		rig_close(r);
}

void rig_fini(struct rig *r)
{
	rig_run(r, close_if_open, r);
	loop_run_until_idle(r->loop);
	loop_free(r->loop);
	for (unsigned i = 0; i < r->drives; i++)
		unlink(r->paths[i]);
	rmdir(r->folder);
	free(r->bays);
	free(r->paths);
	memset(r, 0, sizeof(*r));
}

struct guid rig_lun(struct rig *r, enum eng_lun_type type, uint64_t extent_bytes, unsigned members)
{
	struct guid drives[BENCH_MEMBERS], id;
	struct eng_lun_params p = {.type = type,
		.size_bytes = extent_bytes,
		.drives = members ? drives : NULL,
		.drives_len = members,
		.rebuild_priority = -1,
		.name = "bench"};
	struct err err = {0};

	for (unsigned i = 0; i < members; i++)
		drives[i] = r->bays[i].drive;
	switch (type) {
	case ENG_LUN_STRIPE:
	case ENG_LUN_SPAN:
		p.size_bytes *= members;
		break;
	case ENG_LUN_PARITY:
	case ENG_LUN_RAID5:
		p.size_bytes *= members - 1;
		break;
	case ENG_LUN_RAID6:
		p.size_bytes *= members - 2;
		break;
	case ENG_LUN_RAID10:
		p.size_bytes *= members / 2;
		break;
	case ENG_LUN_SIMPLE:
	case ENG_LUN_MIRROR:
	case ENG_LUN_RAID50:
	case ENG_LUN_RAID60:
		break;
	}
	if (eng_lun_create(r->array, &p, &id, &err))
		die("no LUN of type %d: %s %s", (int)type, err.text, err.cause);
	return id;
}

void rig_fill(struct rig *r, const struct guid *lun)
{
	struct load l = {.dev = eng_lun_dev(r->array, lun),
		.op = BLK_WRITE,
		.io_bytes = 1 << 20,
		.depth = 4,
		.seed = 7};

	l.all_ops = l.dev->size_bytes / l.io_bytes;
	load_run(&l);
	if (blk_flush(l.dev))
		die("the LUN cannot be flushed");
}
