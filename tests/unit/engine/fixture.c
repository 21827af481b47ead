/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

static int open_sim(void *ctx, struct loop *loop, const char *path, struct blk_dev **out, struct err *err)
{
	struct fx *f = ctx;
	unsigned n;

	if (sscanf(path, "sim%u", &n) != 1 || n >= FX_DRIVES || !f->media[n])
		return err_set(err, -ENOENT, "%s does not exist.", path);
	return blk_sim_new(loop, path, f->media[n], out);
}

static void on_events(void *ctx, struct eng_array *array, const struct eng_event *list, unsigned count)
{
	struct fx *f = ctx;

	(void)array;
	for (unsigned i = 0; i < count; i++)
		f->events[list[i].kind]++;
}

static uint32_t on_job_number(void *ctx, enum eng_job_type type, const struct guid *object, bool resumed)
{
	struct fx *f = ctx;

	(void)type;
	(void)object;
	return resumed ? f->next_job : ++f->next_job;
}

static void on_job_changed(void *ctx, struct eng_job *job)
{
	struct fx *f = ctx;

	eng_job_info(job, &f->last_job);
}

static void on_seq(void *ctx, struct eng_array *array, uint32_t seq)
{
	(void)array;
	((struct fx *)ctx)->seq_known = seq;
}

static void on_point(void *ctx, const char *name, const struct guid *object)
{
	struct fx *f = ctx;

	(void)object;
	if (!f->stop_at || strcmp(f->stop_at, name))
		return;
	f->stopped = true;
	while (f->stop_at && !strcmp(f->stop_at, name))
		task_wait(&f->go);
	f->stopped = false;
}

int fx_try_open(struct fx *f, struct err *err)
{
	struct eng_array_config config = { .loop = f->loop, .rng = &f->rng, .settings = f->settings,
		.name = "array", .known_seq = f->seq_known, .hold_recovery = f->hold };

	config.host = (struct eng_host) { .ctx = f, .open = open_sim, .events = on_events,
		.job_number = on_job_number, .job_changed = on_job_changed, .seq_reached = on_seq,
		.point = on_point };
	memcpy(config.container_guid, f->container, 24);
	return eng_array_open(&config, f->bays, f->drives, &f->array, err);
}

void fx_open(struct fx *f)
{
	struct err err = { 0 };

	if (fx_try_open(f, &err))
		fail_msg("array does not open: %s (%s)", err.text, err.cause);
}

void fx_close(struct fx *f)
{
	eng_array_close(f->array);
	f->array = NULL;
}

struct call {
	struct fx *f;
	void (*fn)(struct fx *f);
};

static int trampoline(void *arg)
{
	struct call *c = arg;

	c->fn(c->f);
	return 0;
}

void fx_run(struct fx *f, void (*fn)(struct fx *f))
{
	struct call c = { f, fn };

	task_call(f->loop, trampoline, &c);
}

static void begin(struct fx *f)
{
	struct err err = { 0 };

	for (unsigned i = 0; i < f->drives; i++) {
		f->bays[i].path = NULL;
		f->bays[i].gone = true;
	}
	if (fx_try_open(f, &err))
		fail_msg("an empty array does not open: %s", err.text);
	for (unsigned i = 0; i < f->drives; i++) {
		f->bays[i].path = f->paths[i];
		f->bays[i].gone = false;
		if (eng_drive_add(f->array, &f->bays[i], &f->bays[i].drive, &err))
			fail_msg("drive %u is not taken in: %s", i, err.text);
	}
}

static void new_loop(struct fx *f, uint64_t seed)
{
	assert_int_equal(loop_new_simulated(seed, 1700000000000, &f->loop), 0);
	task_queue_init(&f->go);
}

void fx_init(struct fx *f, uint64_t seed, unsigned drives, uint64_t mb)
{
	memset(f, 0, sizeof(*f));
	rng_seed(&f->rng, seed);
	new_loop(f, seed);
	f->drives = drives;
	f->settings = (struct eng_settings) { .auto_recovery = true, .spare_delay_ms = 10000 };
	eng_container_guid(&f->rng, 1700000000000, f->container);
	for (unsigned i = 0; i < drives; i++) {
		snprintf(f->paths[i], sizeof(f->paths[i]), "sim%u", i);
		f->bays[i] = (struct eng_bay) { .bus = 0, .slot = (int16_t)i, .path = f->paths[i] };
		assert_int_equal(blk_medium_new(mb << 20, 512, &f->media[i]), 0);
	}
	fx_run(f, begin);
}

void fx_fini(struct fx *f)
{
	if (f->array)
		fx_run(f, fx_close);
	loop_run_until_idle(f->loop);
	loop_free(f->loop);
	for (unsigned i = 0; i < FX_DRIVES; i++)
		blk_medium_free(f->media[i]);
}

/* Everything in memory is torn down the slow way, but nothing it writes reaches the media. */
void fx_crash(struct fx *f, bool power)
{
	uint64_t seed = rng_next(&f->rng);

	f->stop_at = NULL;
	task_wake_all(&f->go);
	for (unsigned i = 0; i < FX_DRIVES; i++)
		if (f->media[i]) {
			if (power)
				blk_medium_crash(f->media[i], &f->rng);
			else
				blk_medium_kill(f->media[i], &f->rng);
		}
	fx_run(f, fx_close);
	loop_run_until_idle(f->loop);
	loop_free(f->loop);
	new_loop(f, seed);
}

struct guid fx_drive(struct fx *f, unsigned slot)
{
	return f->bays[slot].drive;
}

struct guid fx_lun(struct fx *f, enum eng_lun_type type, uint64_t mb, const unsigned *slots, unsigned n)
{
	struct guid ids[FX_DRIVES], id;
	struct eng_lun_params p = { .type = type, .size_bytes = mb << 20, .drives = ids, .drives_len = n,
		.name = "test", .rebuild_priority = -1 };
	struct err err = { 0 };

	for (unsigned i = 0; i < n; i++)
		ids[i] = fx_drive(f, slots[i]);
	if (eng_lun_create(f->array, &p, &id, &err))
		fail_msg("no LUN of type %d: %s", (int)type, err.text);
	return id;
}

struct eng_lun_info fx_lun_info(struct fx *f, const struct guid *lun)
{
	struct eng_lun_info info;

	assert_int_equal(eng_lun_info(f->array, lun, &info), 0);
	return info;
}

struct eng_drive_info fx_drive_info(struct fx *f, unsigned slot)
{
	struct eng_drive_info info;

	assert_int_equal(eng_drive_info(f->array, &f->bays[slot].drive, &info), 0);
	return info;
}

void fx_wait_idle(struct fx *f, const struct guid *lun)
{
	for (;;) {
		struct eng_lun_info info = fx_lun_info(f, lun);

		if (!info.busy)
			return;
		eng_job_wait(info.job);
	}
}

static void pattern(uint8_t *buf, uint64_t offset, size_t len, uint32_t tag)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t v = (offset + i) * 0x9e3779b97f4a7c15ull ^ (uint64_t)tag << 32 ^ tag;

		memcpy(buf + i, &v, 8);
	}
}

#define PIECE 262144u

void fx_fill(struct fx *f, const struct guid *lun, uint64_t offset, uint64_t len, uint32_t tag)
{
	uint8_t *buf = malloc(PIECE);

	for (uint64_t at = 0; at < len; at += PIECE) {
		size_t n = len - at < PIECE ? (size_t)(len - at) : PIECE;

		pattern(buf, offset + at, n, tag);
		assert_int_equal(eng_lun_write(f->array, lun, offset + at, buf, n), 0);
	}
	free(buf);
}

void fx_check(struct fx *f, const struct guid *lun, uint64_t offset, uint64_t len, uint32_t tag)
{
	uint8_t *buf = malloc(PIECE), *want = malloc(PIECE);

	for (uint64_t at = 0; at < len; at += PIECE) {
		size_t n = len - at < PIECE ? (size_t)(len - at) : PIECE;

		pattern(want, offset + at, n, tag);
		assert_int_equal(eng_lun_read(f->array, lun, offset + at, buf, n), 0);
		if (memcmp(buf, want, n))
			fail_msg("data differ near offset %llu", (unsigned long long)(offset + at));
	}
	free(buf);
	free(want);
}
