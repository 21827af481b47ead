/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random histories of a whole array: I/O, lost, failed, withdrawn and returning drives, spares,
 * recoveries begun and cancelled, medium errors, kills and power cuts. One seed, one history.
 *
 * Oracle: for each 4 KiB block of each LUN the versions that may be read. A write that was
 * acknowledged leaves one; a write that failed, or was not flushed before a power cut, leaves the
 * old and the new. Whatever is read after a crash becomes the one version from then on.
 *
 * Without a write-hole log one thing is not asked for: a crash of a degraded parity LUN with writes
 * under way. Histories flush before they crash one.
 *
 *   test_engine_history [FIRST [COUNT]]      replays seeds
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

#define BLOCK  4096u
#define BLOCKS 2048u /* 8 MiB of each LUN are used */
#define LUNS   4
#define MAYBE  12    /* versions a block can have at most before a flush is forced */
#define STEPS  220

struct block {
	uint32_t maybe[MAYBE]; /* [0] is the oldest still possible */
	unsigned n;
	bool wild; /* may hold anything else as well, until a write to it was flushed */
};

struct lun {
	struct guid id;
	enum eng_lun_type type;
	struct block blocks[BLOCKS];
	bool crashed; /* since all of it was read last: any possible version may be there */
};

static struct lun luns[LUNS];
static struct rng dice;
static uint32_t next_version;
static bool crash_now, crash_power;

static const struct {
	enum eng_lun_type type;
	unsigned slots[6], n;
} plan[LUNS] = {
	{ ENG_LUN_MIRROR, { 0, 1 }, 2 },
	{ ENG_LUN_RAID5, { 0, 1, 2, 3 }, 4 },
	{ ENG_LUN_RAID6, { 1, 2, 3, 4, 5 }, 5 },
	{ ENG_LUN_RAID10, { 2, 3, 4, 5 }, 4 },
};

static unsigned draw(unsigned below)
{
	return (unsigned)rng_below(&dice, below);
}

static void content(uint8_t *buf, unsigned lun, unsigned block, uint32_t version)
{
	for (unsigned i = 0; i < BLOCK; i += 8) {
		uint32_t words[2] = { version ? lun << 24 | block : 0, version ? version ^ i : 0 };

		memcpy(buf + i, words, 8);
	}
}

/* ---- I/O with the oracle ------------------------------------------------------------------------- */

static void settle_all(unsigned l)
{
	for (unsigned b = 0; b < BLOCKS; b++) {
		struct block *k = &luns[l].blocks[b];

		if (!k->n)
			continue;
		k->maybe[0] = k->maybe[k->n - 1];
		k->n = 1;
		k->wild = false;
	}
}

/*
 * A write that failed, for lack of drives, may be on some of them. Until it is written again nothing
 * is asked of a block it touched, nor, where there is parity, of its row: without a write-hole log
 * what is missing from the row is lost with it.
 */
static void poison(unsigned l, unsigned b, unsigned n)
{
	unsigned row = luns[l].type == ENG_LUN_RAID5 || luns[l].type == ENG_LUN_RAID6 ? 48 : 1;
	unsigned end = (b + n + row - 1) / row * row;

	for (b = b / row * row; b < end && b < BLOCKS; b++)
		luns[l].blocks[b] = (struct block) { .wild = true };
}

/* Before a crash of a degraded array: nothing may be under way; what cannot be flushed is given up. */
static void flush_or_give_up(struct fx *f, unsigned l)
{
	if (!eng_lun_flush(f->array, &luns[l].id)) {
		settle_all(l);
		return;
	}
	for (unsigned b = 0; b < BLOCKS; b++)
		if (luns[l].blocks[b].n > 1 || luns[l].blocks[b].wild)
			poison(l, b, 1);
}

static void flush(struct fx *f, unsigned l)
{
	if (!eng_lun_flush(f->array, &luns[l].id))
		settle_all(l);
}

static void write_some(struct fx *f, unsigned l)
{
	static uint8_t buf[64 * BLOCK];
	unsigned n = 1 + draw(draw(4) ? 4 : 64), b = draw(BLOCKS - n + 1);
	int rc;

	for (unsigned i = 0; i < n; i++)
		if (luns[l].blocks[b + i].n == MAYBE) {
			flush(f, l);
			break;
		}
	for (unsigned i = 0; i < n; i++)
		if (luns[l].blocks[b + i].n == MAYBE)
			return; /* the LUN is down and has been written to in vain too often */
	next_version++;
	for (unsigned i = 0; i < n; i++) {
		struct block *k = &luns[l].blocks[b + i];

		content(buf + (size_t)i * BLOCK, l, b + i, next_version);
		k->maybe[k->n++] = next_version;
	}
	rc = eng_lun_write(f->array, &luns[l].id, (uint64_t)b * BLOCK, buf, (size_t)n * BLOCK);
	log_info("step: write %u of LUN %u blocks %u+%u: %d", next_version, l, b, n, rc);
	if (rc)
		poison(l, b, n);
}

static void show(struct fx *f, unsigned l)
{
	static const char *const states[] = { "in sync", "rebuilding", "stale", "missing" };
	struct eng_member_info m[8];
	unsigned n;

	eng_lun_members(f->array, &luns[l].id, m, 8, &n);
	for (unsigned i = 0; i < n; i++) {
		struct eng_drive_info d = { 0 };

		eng_drive_info(f->array, &m[i].drive, &d);
		log_info("LUN %u slot %u: drive 0.%d (state %d), %s, %llu of %llu", l, i, d.slot, (int)d.state,
			states[m[i].state], (unsigned long long)m[i].rebuilt, (unsigned long long)m[i].size);
		if (d.note[0])
			log_info("    %s", d.note);
	}
}

static void fail_with(struct fx *f, unsigned l, const char *what, const char *why)
{
	show(f, l);
	fail_msg("LUN %u %s%s", l, what, why);
}

/* A write that was not acknowledged, or not flushed, may be torn between sectors. */
static bool torn(const uint8_t *have, unsigned l, unsigned b, const struct block *k)
{
	uint8_t want[BLOCK];
	uint8_t explained = 0;

	for (unsigned i = 0; i < k->n; i++) {
		content(want, l, b, k->maybe[i]);
		for (unsigned s = 0; s < 8; s++)
			if (!memcmp(have + s * 512, want + s * 512, 512))
				explained |= (uint8_t)(1u << s);
	}
	return explained == 0xff;
}

/* Reads a block; it must be one of its versions. After a write without error: the newest. */
static void check_block(struct fx *f, unsigned l, unsigned b)
{
	uint8_t have[BLOCK], want[BLOCK];
	struct block *k = &luns[l].blocks[b];
	bool after_crash = luns[l].crashed;
	int rc = eng_lun_read(f->array, &luns[l].id, (uint64_t)b * BLOCK, have, BLOCK);

	if (after_crash && k->wild)
		k->n = 0;
	if (rc || !k->n)
		return; /* data out of reach are checked when they are back */
	for (unsigned i = k->n; i-- > 0;) {
		content(want, l, b, k->maybe[i]);
		if (memcmp(have, want, BLOCK))
			continue;
		if (!after_crash && i != k->n - 1)
			break;
		if (after_crash) {
			k->maybe[0] = k->maybe[i];
			k->n = 1;
		}
		return;
	}
	if (after_crash && torn(have, l, b, k)) {
		content(want, l, b, k->maybe[k->n - 1]);
		if (!eng_lun_write(f->array, &luns[l].id, (uint64_t)b * BLOCK, want, BLOCK) &&
			!eng_lun_flush(f->array, &luns[l].id)) { /* or the next cut leaves it torn again */
			k->maybe[0] = k->maybe[k->n - 1];
			k->n = 1;
		}
		return;
	}
	{
		uint32_t words[2];

		memcpy(words, have, 8);
		print_error("block %u of LUN %u holds block %u of LUN %u, version %u; possible were", b, l,
			words[0] & 0xffffff, words[0] >> 24, words[1]);
		for (unsigned i = 0; i < k->n; i++)
			print_error(" %u", k->maybe[i]);
		print_error("%s\n", after_crash ? " (after a crash)" : "");
	}
	fail_with(f, l, "does not hold what was written", "");
}

static bool reachable(struct fx *f, unsigned l)
{
	return fx_lun_info(f, &luns[l].id).health != ENG_LUN_FAILED;
}

static void check_all(struct fx *f)
{
	for (unsigned l = 0; l < LUNS; l++) {
		if (!reachable(f, l))
			continue;
		for (unsigned b = 0; b < BLOCKS; b++)
			check_block(f, l, b);
		luns[l].crashed &= !reachable(f, l);
	}
}

/* ---- what happens to drives ---------------------------------------------------------------------- */

static bool drive_is(struct fx *f, unsigned slot, enum eng_drive_state state)
{
	struct eng_drive_info info;

	return !eng_drive_info(f->array, &f->bays[slot].drive, &info) && info.state == state;
}

static bool degraded_parity(struct fx *f)
{
	for (unsigned l = 0; l < LUNS; l++)
		if (fx_lun_info(f, &luns[l].id).health != ENG_LUN_HEALTHY)
			return true;
	return false;
}

/* Losing a drive on purpose: not one that somebody's data depend on, most of the time. */
static bool may_lose(struct fx *f)
{
	unsigned out = 0;

	for (unsigned i = 0; i < f->drives; i++)
		out += !drive_is(f, i, ENG_DRIVE_ONLINE);
	return out == 0 || (out == 1 && !draw(4));
}

static void drive_event(struct fx *f)
{
	unsigned slot = draw(f->drives);
	struct guid id = f->bays[slot].drive;
	struct eng_drive_info info;

	log_info("step: drive 0.%u", slot);
	if (eng_drive_info(f->array, &id, &info) || info.state == ENG_DRIVE_REMOVED) {
		f->bays[slot].gone = false;
		eng_drive_insert(f->array, &f->bays[slot], NULL);
	} else if (info.state == ENG_DRIVE_FAILED) {
		eng_drive_set_failed(f->array, &id, false, NULL);
	} else if (info.state == ENG_DRIVE_OFFLINE) {
		eng_drive_set_offline(f->array, &id, false, NULL);
	} else if (may_lose(f)) {
		switch (draw(4)) {
		case 0:
			eng_drive_pull(f->array, &id, NULL);
			f->bays[slot].gone = true;
			break;
		case 1:
			log_info("step: fails");
			eng_drive_set_failed(f->array, &id, true, NULL);
			break;
		case 2:
			log_info("step: offline");
			eng_drive_set_offline(f->array, &id, true, NULL);
			break;
		case 3:
			log_info("step: predicted %d", !info.predicted);
			eng_drive_set_predicted(f->array, &id, !info.predicted, NULL);
			break;
		}
	}
}

static void spare_event(struct fx *f)
{
	struct guid id = f->bays[6 + draw(2)].drive;

	log_info("step: spare");
	eng_drive_set_spare(f->array, &id, draw(4) != 0, NULL);
}

static void job_event(struct fx *f)
{
	unsigned l = draw(LUNS);
	struct eng_lun_info info = fx_lun_info(f, &luns[l].id);
	struct eng_job *job;

	if (info.job && !draw(3)) {
		log_info("step: cancel on LUN %u", l);
		eng_job_cancel(info.job);
	} else if (!info.busy && !eng_lun_recover(f->array, &luns[l].id, &job, NULL)) {
		if (draw(2))
			eng_job_wait(job);
		eng_job_unref(job);
	}
}

static void medium_error(struct fx *f)
{
	unsigned slot = draw(6);
	uint64_t at = (1 + draw(8)) * 1048576ull + draw(200) * 4096ull;

	if (!degraded_parity(f))
		eng_drive_fault_add(f->array, &f->bays[slot].drive, BLK_FAULT_READ_ERROR, at, 4096);
}

static void step(struct fx *f)
{
	unsigned l = draw(LUNS);

	switch (draw(12)) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		write_some(f, l);
		break;
	case 5:
	case 6:
		for (unsigned i = 0; i < 20; i++)
			check_block(f, l, draw(BLOCKS));
		break;
	case 7:
		flush(f, l);
		break;
	case 8:
		drive_event(f);
		break;
	case 9:
		draw(3) ? spare_event(f) : medium_error(f);
		break;
	case 10:
		job_event(f);
		break;
	case 11:
		task_sleep_ms(draw(4000));
		break;
	}
}

/* ---- one history ---------------------------------------------------------------------------------- */

static void make_luns(struct fx *f)
{
	for (unsigned l = 0; l < LUNS; l++) {
		luns[l].type = plan[l].type;
		luns[l].crashed = false;
		luns[l].id = fx_lun(f, plan[l].type, 9, plan[l].slots, plan[l].n);
		for (unsigned b = 0; b < BLOCKS; b++)
			luns[l].blocks[b] = (struct block) { .n = 1 };
	}
}

static void live(struct fx *f)
{
	unsigned steps = 1 + draw(STEPS);

	crash_now = false;
	for (unsigned i = 0; i < steps; i++)
		step(f);
	if (draw(2)) {
		fx_close(f);
		return;
	}
	crash_now = true;
	crash_power = draw(2);
	for (unsigned l = 0; l < LUNS; l++)
		luns[l].crashed = true;
	if (degraded_parity(f))
		for (unsigned l = 0; l < LUNS; l++)
			flush_or_give_up(f, l);
}

static void again(struct fx *f)
{
	struct err err = { 0 };

	if (fx_try_open(f, &err))
		fail_msg("the array does not open again: %s (%s)", err.text, err.cause);
	for (unsigned l = 0; l < LUNS; l++)
		show(f, l);
	check_all(f);
}

/* All drives back and mended, everything recovered: all data must be there and redundant. */
static void heal(struct fx *f)
{
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < f->drives; i++) {
			struct guid id = f->bays[i].drive;

			f->bays[i].gone = false;
			eng_drive_insert(f->array, &f->bays[i], NULL);
			eng_drive_set_failed(f->array, &id, false, NULL);
			eng_drive_set_predicted(f->array, &id, false, NULL);
			eng_drive_set_offline(f->array, &id, false, NULL);
			for (unsigned l = 0; l < LUNS; l++)
				fx_wait_idle(f, &luns[l].id);
		}
	for (unsigned l = 0; l < LUNS; l++) {
		struct eng_job *job;
		struct eng_job_info ji;
		struct err err = { 0 };

		if (fx_lun_info(f, &luns[l].id).health == ENG_LUN_FAILED)
			fail_with(f, l, "stays failed with every drive back", "");
		if (eng_lun_recover(f->array, &luns[l].id, &job, &err))
			fail_msg("LUN %u cannot be recovered: %s", l, err.text);
		eng_job_wait(job);
		eng_job_info(job, &ji);
		eng_job_unref(job);
		if (ji.state != ENG_JOB_DONE)
			fail_with(f, l, "is not recovered: ", ji.message);
		assert_int_equal(fx_lun_info(f, &luns[l].id).health, ENG_LUN_HEALTHY);
	}
	check_all(f);
	/* Redundancy is real: everything reads without one drive. */
	if (!eng_drive_pull(f->array, &f->bays[draw(6)].drive, NULL))
		check_all(f);
}

static void history(uint64_t seed)
{
	struct fx f;

	rng_seed(&dice, seed * 7919 + 1);
	next_version = 0;
	fx_init(&f, seed, 8, 64);
	f.settings.auto_recovery = draw(3) != 0;
	eng_array_set_settings(f.array, &f.settings);
	fx_run(&f, make_luns);
	for (unsigned life = 0; life < 3; life++) {
		fx_run(&f, live);
		if (crash_now)
			fx_crash(&f, crash_power);
		fx_run(&f, again);
	}
	fx_run(&f, heal);
	fx_fini(&f);
}

static uint64_t first = 1, count = 12;

static void histories_keep_all_data(void **state)
{
	(void)state;
	for (uint64_t seed = first; seed < first + count; seed++) {
		print_message("seed %llu\n", (unsigned long long)seed);
		history(seed);
	}
}

static void keep_quiet(enum log_level level, const char *line, void *ctx)
{
	(void)ctx;
	if (getenv("VDS_LOG"))
		fprintf(stderr, "%d: %s\n", (int)level, line);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(histories_keep_all_data) };

	log_set_sink(keep_quiet, NULL);
	if (argc > 1) {
		first = strtoull(argv[1], NULL, 10);
		count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
