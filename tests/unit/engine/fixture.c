/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "base/strbuf.h"
#include "blk/blk_filter.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

/* ---- the tap ------------------------------------------------------------------------------------ */

struct tap {
	struct blk_filter filter;
	struct fx *f;
	unsigned drive;
};

static void tap_done(struct blk_req *req)
{
	blk_filter_answer(container_of(req, struct filter_child, req), req->result);
}

static void tap_submit(struct blk_dev *dev, struct blk_req *req)
{
	struct tap *t = container_of(dev, struct tap, filter.dev);
	int rc = t->f->tap ? t->f->tap(t->f, t->drive, req) : 0;
	struct filter_child *c = rc ? NULL : blk_filter_child(&t->filter, req);

	if (rc)
		blk_complete(req, rc);
	else if (c)
		blk_filter_pass(c, tap_done);
}

static void tap_close(struct blk_dev *dev)
{
	struct tap *t = container_of(dev, struct tap, filter.dev);

	blk_filter_fini(&t->filter);
	free(t);
}

static const struct blk_ops tap_ops = { .kind = "tap", .submit = tap_submit, .close = tap_close };

static int tap_new(struct fx *f, unsigned drive, struct blk_dev *lower, struct blk_dev **out)
{
	struct tap *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	if (blk_filter_init(&t->filter, &tap_ops, lower)) {
		free(t);
		return -ENOMEM;
	}
	t->f = f;
	t->drive = drive;
	*out = &t->filter.dev;
	return 0;
}

static int open_sim(void *ctx, struct loop *loop, const char *path, struct blk_dev **out, struct err *err)
{
	struct fx *f = ctx;
	struct blk_dev *sim;
	unsigned n;
	int rc;

	if (sscanf(path, "sim%u", &n) != 1 || n >= FX_DRIVES || !f->media[n])
		return err_set(err, -ENOENT, "%s does not exist.", path);
	if (f->busy) {
		f->busy--;
		return err_set(err, -EBUSY, "%s is in use.", path);
	}
	rc = blk_sim_new(loop, path, f->media[n], &sim);
	if (rc)
		return err_set(err, rc, "Out of memory.");
	if (f->slow_zero)
		sim->flags &= ~(unsigned)BLK_DEV_ZERO_CHEAP;
	rc = tap_new(f, n, sim, out);
	if (rc) {
		blk_close(sim);
		return err_set(err, rc, "Out of memory.");
	}
	return 0;
}

/* ---- the host ----------------------------------------------------------------------------------- */

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
	struct fx *f = ctx;

	f->seq_known = seq;
	/* The first commit of all comes before its owner has the array. */
	if (f->on_commit && f->array == array)
		f->on_commit(f);
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

void fx_strike(struct fx *f, bool power)
{
	for (unsigned i = 0; i < FX_DRIVES; i++)
		if (f->media[i]) {
			if (power)
				blk_medium_crash(f->media[i], &f->rng);
			else
				blk_medium_kill(f->media[i], &f->rng);
		}
}

static void wake_stopped(struct fx *f)
{
	f->stop_at = NULL;
	task_wake_all(&f->go);
}

/* Everything in memory is torn down the slow way, but nothing it writes reaches the media. */
void fx_bury(struct fx *f)
{
	uint64_t seed = rng_next(&f->rng);
	uint32_t known = f->seq_known;

	wake_stopped(f);
	f->tap = NULL;
	f->on_commit = NULL;
	if (f->array)
		fx_run(f, fx_close);
	loop_run_until_idle(f->loop);
	loop_free(f->loop);
	f->seq_known = known;
	new_loop(f, seed);
}

void fx_crash(struct fx *f, bool power)
{
	wake_stopped(f);
	fx_strike(f, power);
	fx_bury(f);
}

void fx_save(struct fx *f, struct fx_image *image)
{
	memset(image, 0, sizeof(*image));
	for (unsigned i = 0; i < FX_DRIVES; i++)
		if (f->media[i])
			assert_int_equal(blk_medium_clone(f->media[i], &image->media[i]), 0);
	memcpy(image->bays, f->bays, sizeof(image->bays));
	image->seq_known = f->seq_known;
	image->next_job = f->next_job;
}

void fx_restore(struct fx *f, const struct fx_image *image, uint64_t seed)
{
	if (f->array)
		fx_run(f, fx_close);
	loop_run_until_idle(f->loop);
	loop_free(f->loop);
	rng_seed(&f->rng, seed);
	new_loop(f, seed);
	for (unsigned i = 0; i < FX_DRIVES; i++) {
		blk_medium_free(f->media[i]);
		f->media[i] = NULL;
		if (image->media[i])
			assert_int_equal(blk_medium_clone(image->media[i], &f->media[i]), 0);
	}
	memcpy(f->bays, image->bays, sizeof(image->bays));
	f->seq_known = image->seq_known;
	f->next_job = image->next_job;
	f->stop_at = NULL;
	f->stopped = false;
	f->tap = NULL;
	f->on_commit = NULL;
	f->hold = false;
}

void fx_image_free(struct fx_image *image)
{
	for (unsigned i = 0; i < FX_DRIVES; i++)
		blk_medium_free(image->media[i]);
}

/* ---- the configuration as text -------------------------------------------------------------------- */

static void put_guid(struct strbuf *sb, const struct guid *id)
{
	char text[GUID_TEXT_SIZE];

	strbuf_printf(sb, "%s", guid_format(id, text));
}

static void put_drive(struct fx *f, struct strbuf *sb, const struct guid *id)
{
	struct eng_drive_info d;

	assert_int_equal(eng_drive_info(f->array, id, &d), 0);
	put_guid(sb, id);
	strbuf_printf(sb, " state %d%s%s%s%s\n", (int)d.state, d.spare ? " spare" : "",
		d.spare_in_use ? " in use" : "", d.assigned ? " assigned" : "",
		d.predicted ? " predicted" : "");
}

static void put_lun(struct fx *f, struct strbuf *sb, const struct guid *id)
{
	struct eng_member_info m[ENG_MAX_MEMBERS];
	struct eng_lun_info l = fx_lun_info(f, id);
	struct eng_plex_info plex;
	unsigned n;

	put_guid(sb, id);
	strbuf_printf(sb, " \"%s\" type %d size %llu chunk %u priority %d policy %u%s\n", l.name,
		(int)l.type, (unsigned long long)l.size_bytes, l.chunk, l.rebuild_priority, l.policy,
		l.offline ? " offline" : "");
	for (unsigned i = 0; i < l.plexes; i++) {
		assert_int_equal(eng_plex_info(f->array, id, i, &plex), 0);
		strbuf_printf(sb, "  plex ");
		put_guid(sb, &plex.id);
		strbuf_printf(sb, "\n");
	}
	assert_int_equal(eng_lun_members(f->array, id, m, ENG_MAX_MEMBERS, &n), 0);
	for (unsigned i = 0; i < n; i++) {
		strbuf_printf(sb, "  slot %u ", i);
		put_guid(sb, &m[i].drive);
		strbuf_printf(sb, " at %llu size %llu\n", (unsigned long long)m[i].offset,
			(unsigned long long)m[i].size);
	}
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct guid));
}

char *fx_config(struct fx *f)
{
	struct strbuf sb = { 0 };
	struct eng_array_info info;
	struct guid *ids;
	unsigned n;

	eng_array_info(f->array, &info);
	strbuf_printf(&sb, "array \"%s\"\n", info.name);
	assert_int_equal(eng_drive_list(f->array, &ids, &n), 0);
	qsort(ids, n, sizeof(*ids), by_bytes);
	for (unsigned i = 0; i < n; i++)
		put_drive(f, &sb, &ids[i]);
	free(ids);
	assert_int_equal(eng_lun_list(f->array, &ids, &n), 0);
	qsort(ids, n, sizeof(*ids), by_bytes);
	for (unsigned i = 0; i < n; i++)
		put_lun(f, &sb, &ids[i]);
	free(ids);
	return strbuf_take(&sb);
}

/* ---- look-ups and data ------------------------------------------------------------------------------ */

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
