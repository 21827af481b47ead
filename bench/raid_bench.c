/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the RAID code costs over members in memory, as ratios to what the memory itself could do
 * in the same run: a memcpy of the same buffers is the bound. One thread.
 *
 *   raid_bench [members]       default 6
 *
 * Bounds, in bytes of memory copied per byte of result: a full-row write copies n chunks for k of
 * data; a degraded read copies k chunks for one; a rebuild copies k + 1 chunks for one; a check
 * copies n for n. Parity arithmetic is not part of the bound.
 */
#include "base/cleanup.h"
#include "base/rng.h"
#include "raid/raid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 16 };

#define CHUNK  (64u << 10)
#define MEMBER ((uint64_t)96 << 20)
#define SECOND 1e9

struct bench {
	struct loop *loop;
	struct blk_dev *dev[RAID_MAX_MEMBERS];
	struct raid_set *set;
	struct raid_shape shape;
	uint8_t *data;
	size_t data_bytes;
	double copy_rate; /* bytes per second of memcpy between cold buffers */
	struct rng rng;
};

static uint64_t now_ns(void)
{
	return clock_mono_ns(&clock_system);
}

static double since(uint64_t start)
{
	return (double)(now_ns() - start) / SECOND;
}

static double measure_copy(void)
{
	size_t bytes = (size_t)256 << 20;
	uint8_t *from = malloc(bytes), *to = malloc(bytes);
	double best = 0;

	memset(from, 1, bytes);
	memset(to, 2, bytes);
	for (unsigned i = 0; i < 5; i++) {
		uint64_t start = now_ns();

		for (size_t at = 0; at < bytes; at += CHUNK)
			memcpy(to + at, from + at, CHUNK);
		best = (double)bytes / since(start) > best ? (double)bytes / since(start) : best;
	}
	free(from);
	free(to);
	return best;
}

static void report(const struct bench *b, const char *what, double bytes, double seconds,
	double copies_per_byte)
{
	double rate = bytes / seconds, bound = b->copy_rate / copies_per_byte;

	printf("  %-34s %7.2f GB/s   bound %6.2f   ratio %.2f\n", what, rate / 1e9, bound / 1e9,
		rate / bound);
}

static unsigned data_members(const struct bench *b)
{
	return b->shape.members - raid_shape_redundancy(&b->shape);
}

/* DEPTH requests of that size at a time, in order or at random, for `total` bytes. */
static int stream(struct bench *b, enum blk_op op, uint64_t each, uint64_t total, bool random)
{
	struct blk_slot slots[DEPTH];
	struct blk_batch batch;
	uint64_t size = raid_shape_size(&b->shape), at = 0;
	int rc = 0;

	for (uint64_t done = 0; done < total && !rc; done += DEPTH * each) {
		blk_batch_init(&batch, slots, DEPTH);
		for (unsigned i = 0; i < DEPTH; i++) {
			uint8_t *buf =
				b->data + (i * each) % (b->data_bytes - each + 1) / 4096 * 4096;

			if (random)
				at = rng_below(&b->rng, size / each) * each;
			else if (at + each > size)
				at = 0;
			if (op == BLK_WRITE)
				blk_batch_write(&batch, raid_dev(b->set), at, buf, each, 0);
			else
				blk_batch_read(&batch, raid_dev(b->set), at, buf, each);
			at += each;
		}
		rc = blk_batch_wait(&batch);
	}
	return rc;
}

static int writes(struct bench *b)
{
	unsigned n = b->shape.members, k = data_members(b);
	uint64_t row = raid_shape_row(&b->shape), size = raid_shape_size(&b->shape) / row * row,
		 start;
	int rc = stream(b, BLK_WRITE, row, size, false); /* regions marked, memory touched */

	if (rc)
		return rc;
	start = now_ns();
	rc = stream(b, BLK_WRITE, row, size, false);
	report(b, "full rows, sequential", (double)size, since(start), (double)n / k);
	start = now_ns();
	rc = rc ? rc : stream(b, BLK_WRITE, CHUNK, size, false);
	report(b, "64 KiB, sequential, gathered", (double)size, since(start), (double)n / k);
	start = now_ns();
	rc = rc ? rc : stream(b, BLK_WRITE, 4096, 32 << 20, true);
	printf("  %-34s %7.0f k/s\n", "4 KiB random writes", 8192 / since(start) / 1000);
	return rc;
}

static int reads(struct bench *b)
{
	uint64_t size = raid_shape_size(&b->shape), start = now_ns(), total = size;
	struct raid_member gone = {.state = RAID_MEMBER_MISSING}, was;
	unsigned n = b->shape.members;
	double lost = 1.0 / n;
	int rc = stream(b, BLK_READ, 1 << 20, total, false);

	report(b, "1 MiB reads, healthy", (double)total, since(start), 1);
	start = now_ns();
	rc = rc ? rc : stream(b, BLK_READ, 4096, 64 << 20, true);
	printf("  %-34s %7.0f k/s\n", "4 KiB random reads, healthy", 16384 / since(start) / 1000);
	was = raid_member(b->set, 0);
	raid_member_set(b->set, 0, &gone);
	start = now_ns();
	rc = rc ? rc : stream(b, BLK_READ, CHUNK, total, true);
	report(b, "64 KiB random reads, one lost", (double)total, since(start),
		1 + lost * (data_members(b) - 1));
	start = now_ns();
	rc = rc ? rc : stream(b, BLK_READ, 4096, 64 << 20, true);
	printf("  %-34s %7.0f k/s\n", "4 KiB random reads, one lost", 16384 / since(start) / 1000);
	was.state = RAID_MEMBER_STALE;
	was.watermark = 0;
	raid_member_set(b->set, 0, &was);
	return rc;
}

static int background(struct bench *b)
{
	struct raid_run run = {.foreground_share = 100}, check = {.foreground_share = 100};
	unsigned n = b->shape.members, k = data_members(b);
	uint64_t start = now_ns();
	int rc = raid_rebuild(b->set, 1, false, &run);

	report(b, "rebuild of one member", (double)MEMBER, since(start), k + 1);
	start = now_ns();
	rc = rc ? rc : raid_check(b->set, RAID_CHECK_COUNT, -1, false, &check);
	report(b, "check, per member", (double)MEMBER, since(start), n);
	return rc ? rc : check.mismatches ? -1 : 0;
}

static int no_bitmap_write(void *ctx, unsigned first, unsigned count)
{
	(void)ctx, (void)first, (void)count;
	return 0;
}

static int run_level(void *arg)
{
	struct bench *b = arg;
	struct raid_options options = {.bitmap = true};
	struct raid_events events = {.bitmap_write = no_bitmap_write};
	struct raid_member members[RAID_MAX_MEMBERS] = {{0}};
	struct err err = {0};
	int rc;

	for (unsigned m = 0; m < b->shape.members; m++)
		members[m] = (struct raid_member){.dev = b->dev[m], .state = RAID_MEMBER_IN_SYNC};
	rc = raid_open(b->loop, "bench", &b->shape, members, &options, &events, &b->set, &err);
	if (rc) {
		fprintf(stderr, "%s\n", err.text);
		return rc;
	}
	rc = writes(b);
	if (!rc)
		rc = reads(b);
	if (!rc)
		rc = background(b);
	raid_close(b->set);
	return rc;
}

static int close_devices(void *arg)
{
	struct bench *b = arg;

	for (unsigned m = 0; m < RAID_MAX_MEMBERS && b->dev[m]; m++)
		blk_close(b->dev[m]);
	return 0;
}

int main(int argc, char **argv)
{
	static const enum raid_level levels[] = {RAID_RAID5, RAID_RAID6};
	static const char *const names[] = {"RAID 5", "RAID 6"};
	unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 6;
	struct bench b = {.data_bytes = (size_t)16 << 20};
	int rc = 0;

	if (n < 4 || n > 16) {
		fprintf(stderr, "raid_bench: 4 to 16 members\n");
		return 2;
	}
	rng_seed(&b.rng, 1);
	if (posix_memalign((void **)&b.data, 4096, b.data_bytes) || loop_new(NULL, &b.loop, NULL))
		return 1;
	rng_bytes(&b.rng, b.data, b.data_bytes);
	for (unsigned m = 0; m < n; m++)
		if (blk_mem_new(b.loop, "mem", MEMBER, 512, &b.dev[m]))
			return 1;
	b.copy_rate = measure_copy();
	printf("memcpy of 64 KiB pieces %.2f GB/s; %u members\n", b.copy_rate / 1e9, n);
	for (unsigned i = 0; i < ARRAY_SIZE(levels) && !rc; i++) {
		b.shape = (struct raid_shape){.level = levels[i],
			.members = n,
			.groups = 1,
			.chunk = CHUNK,
			.member_size = MEMBER};
		printf("%s\n", names[i]);
		rc = task_call(b.loop, run_level, &b);
	}
	task_call(b.loop, close_devices, &b);
	loop_free(b.loop);
	free(b.data);
	return rc != 0;
}
