/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process is killed, or the power cut, before each write and flush of each operation that
 * changes the configuration. Afterwards the array must open; its configuration must be one that
 * the operation had committed or was about to commit, never a mixture; what was flushed must be
 * there; and the array must work: everything recovers, and reads with one drive pulled.
 *
 * Each operation runs once to the end, to learn the configurations it goes through and the number
 * of its writes, then again from the same media for each point of death. While it runs a writer
 * flushes versions into blocks of one LUN; after the death no flushed version may be missing.
 *
 *   test_engine_killed [POINTS [SEED [NAME]]]    points per operation (0: all), and which
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/log.h"
#include "fixture.h"

#define MB     (1024u * 1024u)
#define BLOCK  4096u
#define BLOCKS 16u

static unsigned points = 5;
static uint64_t seed = 1;
static const char *only;

/* ---- the point of death ---------------------------------------------------------------------- */

static unsigned writes, die_at; /* die_at 0: never */
static bool power, struck;
static unsigned at_point; /* for messages */

static int count_and_die(struct fx *f, unsigned drive, const struct blk_req *req)
{
	(void)drive;
	if (req->op == BLK_READ || struck)
		return struck ? -ENODEV : 0;
	if (++writes != die_at)
		return 0;
	struck = true;
	f->on_commit = NULL;
	fx_strike(f, power);
	return -ENODEV;
}

/* For what an operation must do well unless it died. */
static void good(int rc)
{
	if (!struck)
		assert_int_equal(rc, 0);
}

/* ---- what may be found -------------------------------------------------------------------------- */

static char *allowed[64];
static unsigned allowed_len;

static void allow(struct fx *f)
{
	char *now = fx_config(f);

	for (unsigned i = 0; i < allowed_len; i++)
		if (!strcmp(allowed[i], now)) {
			free(now);
			return;
		}
	assert_true(allowed_len < 64);
	allowed[allowed_len++] = now;
}

static void forget_allowed(void)
{
	while (allowed_len)
		free(allowed[--allowed_len]);
}

/* ---- the writer --------------------------------------------------------------------------------- */

static struct guid lun_a, lun_b;
static struct {
	uint32_t tried[BLOCKS], flushed[BLOCKS];
	bool stop;
	struct task_group group;
	struct fx *f;
} writer;

static void put_version(uint8_t *buf, unsigned block, uint32_t version)
{
	for (unsigned i = 0; i < BLOCK; i += 8) {
		uint32_t words[2] = { version, block ^ i / 512 };

		memcpy(buf + i, words, 8);
	}
}

static void write_on(void *arg)
{
	uint8_t buf[BLOCK];

	(void)arg;
	for (uint32_t v = 1; !writer.stop; v++) {
		unsigned b = v % BLOCKS;

		writer.tried[b] = v;
		put_version(buf, b, v);
		if (eng_lun_write(writer.f->array, &lun_b, (uint64_t)b * BLOCK, buf, BLOCK))
			break;
		if (v % 3 == 0 && eng_lun_flush(writer.f->array, &lun_b))
			break;
		if (v % 3 == 0)
			memcpy(writer.flushed, writer.tried, sizeof(writer.flushed));
	}
	task_group_end(&writer.group);
}

static void writer_start(struct fx *f)
{
	memset(&writer, 0, sizeof(writer));
	writer.f = f;
	task_group_init(&writer.group);
	task_group_begin(&writer.group);
	assert_int_equal(task_spawn(f->loop, "writer", write_on, NULL), 0);
}

static void writer_end(void)
{
	writer.stop = true;
	task_group_wait(&writer.group);
}

static void check_versions(struct fx *f)
{
	uint8_t buf[BLOCK], want[BLOCK];

	for (unsigned b = 0; b < BLOCKS; b++) {
		assert_int_equal(eng_lun_read(f->array, &lun_b, (uint64_t)b * BLOCK, buf, BLOCK), 0);
		for (unsigned s = 0; s < BLOCK; s += 512) {
			uint32_t v;

			memcpy(&v, buf + s, 4);
			if (v < writer.flushed[b] || v > writer.tried[b])
				fail_msg("block %u holds version %u, flushed was %u, tried %u", b, v,
					writer.flushed[b], writer.tried[b]);
			put_version(want, b, v);
			if (v)
				assert_memory_equal(buf + s, want + s, 512);
		}
	}
}

/* ---- the array that everything happens to ------------------------------------------------------ */

#define A_SIZE (8 * MB)
#define B_SIZE (4 * MB)

static struct guid named(struct fx *f, enum eng_lun_type type, uint64_t bytes, const char *name,
	const unsigned *slots, unsigned n)
{
	struct guid ids[FX_DRIVES], id;
	struct eng_lun_params p = { .type = type, .size_bytes = bytes, .drives = ids, .drives_len = n,
		.name = name, .rebuild_priority = -1 };

	memset(&id, 0, sizeof(id));
	for (unsigned i = 0; i < n; i++)
		ids[i] = fx_drive(f, slots[i]);
	good(eng_lun_create(f->array, &p, &id, NULL));
	return id;
}

static void base(struct fx *f)
{
	static const unsigned a[] = { 0, 1, 2 }, b[] = { 3, 4 };

	lun_a = named(f, ENG_LUN_RAID5, A_SIZE, "a", a, 3);
	lun_b = named(f, ENG_LUN_MIRROR, B_SIZE, "b", b, 2);
	fx_fill(f, &lun_a, 0, A_SIZE, 7);
	fx_fill(f, &lun_b, MB, B_SIZE - MB, 8);
}

static bool lun_there(struct fx *f, const struct guid *id)
{
	struct eng_lun_info info;

	return !eng_lun_info(f->array, id, &info);
}

static void wait_for(struct eng_job *job)
{
	struct eng_job_info info;

	eng_job_wait(job);
	eng_job_info(job, &info);
	if (!struck && info.state != ENG_JOB_DONE)
		fail_msg("the job ends in state %d: %s", (int)info.state, info.message);
	eng_job_unref(job);
}

static void quiet(struct fx *f)
{
	struct guid *ids;
	unsigned n;

	assert_int_equal(eng_lun_list(f->array, &ids, &n), 0);
	for (unsigned i = 0; i < n; i++)
		fx_wait_idle(f, &ids[i]);
	free(ids);
}

/* ---- operations ----------------------------------------------------------------------------------- */

static void op_create(struct fx *f)
{
	static const unsigned some[] = { 3, 4, 5 };

	named(f, ENG_LUN_RAID5, 6 * MB, "new", some, 3);
}

static void op_delete(struct fx *f)
{
	good(eng_lun_delete(f->array, &lun_a, NULL));
}

static void op_rename(struct fx *f)
{
	good(eng_lun_set_name(f->array, &lun_a, "another", NULL));
	good(eng_array_set_name(f->array, "another array", NULL));
}

static void op_properties(struct fx *f)
{
	good(eng_lun_set_priority(f->array, &lun_a, 3, NULL));
	good(eng_lun_set_policy(f->array, &lun_b, ENG_POLICY_WRITE_THROUGH, NULL));
}

static void op_lun_offline(struct fx *f)
{
	good(eng_lun_set_offline(f->array, &lun_a, true, NULL));
	good(eng_lun_set_offline(f->array, &lun_a, false, NULL));
}

static void op_spare(struct fx *f)
{
	struct guid d = fx_drive(f, 5);

	good(eng_drive_set_spare(f->array, &d, true, NULL));
	good(eng_drive_set_spare(f->array, &d, false, NULL));
}

static void op_offline(struct fx *f)
{
	struct guid a = fx_drive(f, 1), b = fx_drive(f, 4);

	good(eng_drive_set_offline(f->array, &a, true, NULL));
	good(eng_drive_set_offline(f->array, &b, true, NULL));
}

static void pre_online(struct fx *f)
{
	op_offline(f);
	fx_fill(f, &lun_a, 2 * MB, MB, 9);
	good(eng_lun_flush(f->array, &lun_a));
}

static void op_online(struct fx *f)
{
	struct guid a = fx_drive(f, 1), b = fx_drive(f, 4);

	good(eng_drive_set_offline(f->array, &a, false, NULL));
	good(eng_drive_set_offline(f->array, &b, false, NULL));
	quiet(f);
}

static void op_extend(struct fx *f)
{
	struct eng_job *job = NULL;
	int rc = eng_lun_extend(f->array, &lun_a, 4 * MB, NULL, 0, &job, NULL);

	good(rc);
	if (!rc)
		wait_for(job);
	rc = eng_lun_extend(f->array, &lun_b, 2 * MB, NULL, 0, &job, NULL);
	good(rc);
	if (!rc)
		wait_for(job);
}

static void op_shrink(struct fx *f)
{
	struct eng_job *job = NULL;
	int rc = eng_lun_shrink(f->array, &lun_a, 4 * MB, &job, NULL);

	good(rc);
	if (!rc)
		wait_for(job);
}

static struct guid third;

static void pre_add_plex(struct fx *f)
{
	static const unsigned s[] = { 5 };

	third = named(f, ENG_LUN_SIMPLE, B_SIZE, "third", s, 1);
}

static void op_add_plex(struct fx *f)
{
	struct eng_job *job = NULL;
	int rc = eng_lun_add_plex(f->array, &lun_b, &third, &job, NULL);

	good(rc);
	if (!rc)
		wait_for(job);
}

static void op_remove_plex(struct fx *f)
{
	struct eng_plex_info plex;
	struct eng_job *job = NULL;
	int rc;

	assert_int_equal(eng_plex_info(f->array, &lun_b, 0, &plex), 0);
	rc = eng_lun_remove_plex(f->array, &lun_b, &plex.id, &job, NULL);
	good(rc);
	if (!rc)
		wait_for(job);
}

static void op_replace(struct fx *f)
{
	struct guid old = fx_drive(f, 0), new = fx_drive(f, 5);

	good(eng_drive_replace(f->array, &old, &new, NULL));
	quiet(f);
}

static void pre_spare(struct fx *f)
{
	struct guid d = fx_drive(f, 5);

	good(eng_drive_set_spare(f->array, &d, true, NULL));
}

static void op_fail(struct fx *f)
{
	struct guid d = fx_drive(f, 1);

	good(eng_drive_set_failed(f->array, &d, true, NULL));
	quiet(f);
}

static void pre_predicted(struct fx *f)
{
	struct guid d = fx_drive(f, 4);

	good(eng_drive_set_predicted(f->array, &d, true, NULL));
}

static void op_rescue(struct fx *f)
{
	struct guid d = fx_drive(f, 5);

	good(eng_drive_set_spare(f->array, &d, true, NULL));
	quiet(f);
}

static void pre_rebuild(struct fx *f)
{
	struct guid d = fx_drive(f, 1);

	pre_spare(f);
	f->stop_at = "job:half";
	good(eng_drive_set_failed(f->array, &d, true, NULL));
	while (!f->stopped)
		task_sleep_ms(10);
}

static void op_end_of_rebuild(struct fx *f)
{
	f->stop_at = NULL;
	task_wake_all(&f->go);
	quiet(f);
}

static void op_add(struct fx *f)
{
	f->drives = 7;
	good(eng_drive_add(f->array, &f->bays[6], &f->bays[6].drive, NULL));
}

static void op_forget_free(struct fx *f)
{
	struct guid d = fx_drive(f, 5);

	good(eng_drive_forget(f->array, &d, NULL));
	f->bays[5].gone = true;
}

static void op_forget_member(struct fx *f)
{
	struct guid d = fx_drive(f, 1);

	good(eng_drive_forget(f->array, &d, NULL));
	f->bays[1].gone = true;
}

static void op_pull(struct fx *f)
{
	struct guid a = fx_drive(f, 0), b = fx_drive(f, 3);

	good(eng_drive_pull(f->array, &a, NULL));
	good(eng_drive_pull(f->array, &b, NULL));
}

static void op_insert(struct fx *f)
{
	good(eng_drive_insert(f->array, &f->bays[0], NULL));
	good(eng_drive_insert(f->array, &f->bays[3], NULL));
	quiet(f);
}

static void op_open(struct fx *f)
{
	fx_close(f);
	good(fx_try_open(f, NULL));
}

static void pre_crash_open(struct fx *f)
{
	fx_fill(f, &lun_b, 2 * MB, 65536, 8); /* written regions, so that there is something to compare */
}

enum { NO_WRITER = 1, NO_A = 2, A_CHANGED = 4, SHORT_A = 8, NEW_DRIVE = 16 };

static const struct scenario {
	const char *name;
	void (*pre)(struct fx *f);
	void (*op)(struct fx *f);
	unsigned flags;
} scenarios[] = {
	{ "create", NULL, op_create, 0 },
	{ "delete", NULL, op_delete, NO_A },
	{ "rename", NULL, op_rename, 0 },
	{ "properties", NULL, op_properties, 0 },
	{ "lun offline", NULL, op_lun_offline, 0 },
	{ "spare", NULL, op_spare, 0 },
	{ "offline", NULL, op_offline, 0 },
	{ "online", pre_online, op_online, A_CHANGED },
	{ "extend", NULL, op_extend, 0 },
	{ "shrink", NULL, op_shrink, SHORT_A },
	{ "add plex", pre_add_plex, op_add_plex, 0 },
	{ "remove plex", NULL, op_remove_plex, 0 },
	{ "replace", NULL, op_replace, 0 },
	{ "failure and spare", pre_spare, op_fail, 0 },
	{ "predicted", pre_predicted, op_rescue, 0 },
	{ "end of rebuild", pre_rebuild, op_end_of_rebuild, 0 },
	{ "add drive", NULL, op_add, NEW_DRIVE },
	{ "forget a free drive", NULL, op_forget_free, 0 },
	{ "forget a member", NULL, op_forget_member, 0 },
	{ "pull", NULL, op_pull, 0 },
	{ "insert", op_pull, op_insert, 0 },
	{ "close and open", pre_crash_open, op_open, NO_WRITER },
};

/* ---- one death -------------------------------------------------------------------------------------- */

static const struct scenario *sc;
static bool dry;

static void prepare(struct fx *f)
{
	fx_open(f);
	if (sc->pre)
		sc->pre(f);
	if (dry)
		allow(f);
}

static void operate(struct fx *f)
{
	if (dry)
		f->on_commit = allow;
	f->tap = count_and_die;
	if (!(sc->flags & NO_WRITER))
		writer_start(f);
	sc->op(f);
	if (!(sc->flags & NO_WRITER))
		writer_end();
	if (dry && f->array)
		allow(f);
	f->on_commit = NULL;
}

static void check_a(struct fx *f)
{
	uint64_t size = sc->flags & SHORT_A ? 4 * MB : A_SIZE;

	if (sc->flags & NO_A)
		return;
	assert_true(lun_there(f, &lun_a));
	if (!(sc->flags & A_CHANGED)) {
		fx_check(f, &lun_a, 0, size, 7);
		return;
	}
	fx_check(f, &lun_a, 0, 2 * MB, 7);
	fx_check(f, &lun_a, 2 * MB, MB, 9);
	fx_check(f, &lun_a, 3 * MB, size - 3 * MB, 7);
}

static void check_data(struct fx *f)
{
	check_a(f);
	fx_check(f, &lun_b, MB, B_SIZE - MB, 8);
	if (!(sc->flags & NO_WRITER))
		check_versions(f);
}

static void is_allowed(struct fx *f)
{
	char *now = fx_config(f);
	bool found = false;

	for (unsigned i = 0; i < allowed_len; i++)
		found |= !strcmp(allowed[i], now);
	if (!found) {
		fprintf(stderr, "found:\n%s", now);
		for (unsigned i = 0; i < allowed_len; i++)
			fprintf(stderr, "allowed:\n%s", allowed[i]);
		fail_msg("the configuration is neither old nor new");
	}
	free(now);
}

static void recover(struct fx *f, const struct guid *id)
{
	struct eng_job *job;
	struct err err = { 0 };

	if (!lun_there(f, id) || fx_lun_info(f, id).type == ENG_LUN_SIMPLE)
		return;
	if (fx_lun_info(f, id).health == ENG_LUN_FAILED)
		fail_msg("LUN \"%s\" has failed", fx_lun_info(f, id).name);
	if (eng_lun_recover(f->array, id, &job, &err))
		fail_msg("no recovery: %s", err.text);
	wait_for(job);
	assert_int_equal(fx_lun_info(f, id).health, ENG_LUN_HEALTHY);
}

/* Every drive back in its bay, no state that a scenario put it into. */
static void heal(struct fx *f)
{
	struct guid id;
	struct err err = { 0 };

	if (sc->flags & NEW_DRIVE && eng_drive_at(f->array, 0, 6, &id) &&
		eng_drive_add(f->array, &f->bays[6], &id, &err))
		fail_msg("the new drive is not taken in again: %s", err.text);
	if (sc->flags & NEW_DRIVE)
		f->bays[6].drive = id;
	for (unsigned i = 0; i < f->drives; i++) {
		id = f->bays[i].drive;
		f->bays[i].gone = false;
		eng_drive_insert(f->array, &f->bays[i], NULL);
		eng_drive_set_failed(f->array, &id, false, NULL);
		eng_drive_set_offline(f->array, &id, false, NULL);
		eng_drive_set_predicted(f->array, &id, false, NULL);
		quiet(f);
	}
}

static void afterwards(struct fx *f)
{
	struct err err = { 0 };

	if (fx_try_open(f, &err))
		fail_msg("the array does not open: %s (%s)", err.text, err.cause);
	is_allowed(f);
	if (lun_there(f, &lun_a))
		assert_int_equal(eng_lun_set_offline(f->array, &lun_a, false, NULL), 0);
	check_data(f);
	heal(f);
	recover(f, &lun_a);
	recover(f, &lun_b);
	check_data(f);
	/* and redundancy is real */
	assert_int_equal(eng_drive_pull(f->array, &f->bays[0].drive, NULL), 0);
	if (fx_lun_info(f, &lun_b).type == ENG_LUN_MIRROR)
		assert_int_equal(eng_drive_pull(f->array, &f->bays[3].drive, NULL), 0);
	check_data(f);
	if (lun_there(f, &lun_a))
		fx_fill(f, &lun_a, 3 * MB, 65536, 7);
	fx_fill(f, &lun_b, 3 * MB, 65536, 8);
	fx_close(f);
	fx_open(f);
	check_data(f);
}

static void live_and_die(struct fx *f, const struct fx_image *image, unsigned at, bool cut)
{
	fx_restore(f, image, seed);
	f->drives = 6;
	writes = 0;
	die_at = at;
	power = cut;
	struck = false;
	fx_run(f, prepare);
	fx_run(f, operate);
	if (at && !struck) /* the last point may come too late by chance of order */
		fx_strike(f, power);
	fx_bury(f);
	struck = false;
	at_point = at;
	fx_run(f, afterwards);
}

static void run_scenario(const struct scenario *s)
{
	struct fx_image image;
	unsigned all, step;
	struct fx f;

	sc = s;
	struck = dry = false;
	die_at = 0;
	fx_init(&f, seed, 6, 64);
	snprintf(f.paths[6], sizeof(f.paths[6]), "sim6");
	f.bays[6] = (struct eng_bay) { .bus = 0, .slot = 6, .path = f.paths[6] };
	assert_int_equal(blk_medium_new(64 << 20, 512, &f.media[6]), 0);
	fx_run(&f, base);
	fx_run(&f, fx_close);
	fx_save(&f, &image);

	fx_restore(&f, &image, seed);
	writes = 0;
	dry = true;
	fx_run(&f, prepare);
	fx_run(&f, operate);
	dry = false;
	all = writes;
	step = points && all > points ? all / points : 1;
	print_message("%s: %u writes and flushes, %u configurations\n", s->name, all, allowed_len);
	for (unsigned n = 1 + (unsigned)(seed % step); n <= all; n += step) {
		live_and_die(&f, &image, n, false);
		live_and_die(&f, &image, n, true);
	}
	forget_allowed();
	fx_fini(&f);
	fx_image_free(&image);
}

static int say_where(void **state)
{
	(void)state;
	print_message("last: %s, before write %u, %s\n", sc ? sc->name : "", at_point,
		power ? "power cut" : "kill");
	return 0;
}

static void no_point_of_death_harms(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		if (!only || !strcmp(only, scenarios[i].name))
			run_scenario(&scenarios[i]);
}

static void keep_quiet(enum log_level level, const char *line, void *ctx)
{
	(void)ctx;
	if (getenv("VDS_LOG"))
		fprintf(stderr, "%d: %s\n", (int)level, line);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_teardown(no_point_of_death_harms, say_where) };

	log_set_sink(keep_quiet, NULL);
	if (argc > 1)
		points = (unsigned)strtoul(argv[1], NULL, 10);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10);
	if (argc > 3)
		only = argv[3];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
