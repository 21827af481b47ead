/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing through a set, healthy and degraded, at every level and alignment. */
#include "rig.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct raid_shape shapes[] = {
	RIG_SHAPE(RAID_SIMPLE, 1, 1, 0, 20), RIG_SHAPE(RAID_STRIPE, 3, 1, 16384, 40),
	RIG_SHAPE(RAID_MIRROR, 2, 1, 0, 20), RIG_SHAPE(RAID_MIRROR, 3, 1, 0, 20),
	RIG_SHAPE(RAID_RAID10, 4, 2, 16384, 40), RIG_SHAPE(RAID_RAID5, 3, 1, 16384, 40),
	RIG_SHAPE(RAID_RAID5, 5, 1, 65536, 12), RIG_SHAPE(RAID_RAID6, 5, 1, 16384, 40),
	RIG_SHAPE(RAID_RAID6, 6, 1, 4096, 100), RIG_SHAPE(RAID_RAID50, 6, 2, 16384, 40),
	RIG_SHAPE(RAID_RAID60, 8, 2, 16384, 40),
	{.level = RAID_SPAN,
		.members = 3,
		.groups = 1,
		.span_sizes = {300 * 1024, 65536 - 4096, 1 << 20}},
	RIG_SHAPE(RAID_RAID5, 3, 1, 1 << 20, 3), /* wider than a slice */
};

static const struct raid_options options = {.bitmap = true};

/* Random writes, zeroes and reads one after the other against a plain array. */
static void churn(struct rig *r, uint8_t *model, uint8_t *buf, unsigned rounds)
{
	uint64_t size = raid_shape_size(&r->shape);

	for (unsigned i = 0; i < rounds; i++) {
		uint64_t sectors = size / 512, from = rng_below(&r->rng, sectors);
		uint64_t most = rng_below(&r->rng, 4) ? 40 : 800;
		uint64_t n = 1 + rng_below(&r->rng, sectors - from < most ? sectors - from : most);
		uint64_t at = from * 512, length = n * 512;

		if (rng_below(&r->rng, 3) == 0) { /* whole blocks, too */
			at &= ~UINT64_C(4095);
			length = (length + 4095) & ~UINT64_C(4095);
			if (at + length > size)
				length = size - at;
		}
		switch (rng_below(&r->rng, 8)) {
		case 0:
			assert_int_equal(rig_zero(r, at, length), 0);
			memset(model + at, 0, length);
			break;
		case 1:
		case 2:
		case 3:
		case 4:
			rng_bytes(&r->rng, model + at, length);
			assert_int_equal(rig_write(r, at, model + at, length, 0), 0);
			break;
		default:
			assert_int_equal(rig_read(r, at, buf, length), 0);
			assert_memory_equal(buf, model + at, length);
		}
	}
	assert_int_equal(rig_read(r, 0, buf, size), 0);
	assert_memory_equal(buf, model, size);
}

static void healthy_sets_keep_data(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++) {
		uint64_t size = raid_shape_size(&shapes[i]);
		uint8_t *model = calloc(1, size), *buf = malloc(size);
		struct rig r;

		rig_init(&r, 100 + i, &shapes[i], &options);
		churn(&r, model, buf, 150);
		assert_int_equal(rig_inconsistent(&r, 0), 0);
		assert_int_equal(r.member_failed + r.medium_errors, 0);
		rig_fini(&r);
		free(model);
		free(buf);
	}
}

/* Every survivable loss of one and two members, by taking the members away. */
static void degraded_sets_keep_data(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++) {
		uint64_t size = raid_shape_size(&shapes[i]);
		uint8_t *model = malloc(size), *buf = malloc(size);

		for (unsigned x = 0; x < shapes[i].members; x++) {
			for (unsigned y = 0; y <= x; y++) {
				uint64_t lost = UINT64_C(1) << x | UINT64_C(1) << y;
				struct raid_member gone = {.state = RAID_MEMBER_MISSING};
				struct rig r;

				if (!raid_shape_survives(&shapes[i], lost))
					continue;
				memset(model, 0, size);
				rig_init(&r, 1000 * i + 10 * x + y, &shapes[i], &options);
				churn(&r, model, buf, 15);
				rig_set_member(&r, x, &gone);
				rig_set_member(&r, y, &gone);
				assert_int_equal(raid_lost_mask(r.set), lost);
				churn(&r, model, buf, 60);
				assert_int_equal(rig_inconsistent(&r, lost), 0);
				rig_fini(&r);
			}
		}
		free(model);
		free(buf);
	}
}

static void failed_sets_answer_eio(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++) {
		struct raid_member gone = {.state = RAID_MEMBER_MISSING};
		uint8_t buf[4096];
		struct rig r;

		rig_init(&r, i, &shapes[i], &options);
		for (unsigned m = 0; m < shapes[i].members; m++) {
			rig_set_member(&r, m, &gone);
			assert_int_equal(raid_failed(r.set),
				!raid_shape_survives(&shapes[i], raid_lost_mask(r.set)));
		}
		assert_int_equal(rig_read(&r, 0, buf, sizeof(buf)), -EIO);
		assert_int_equal(rig_write(&r, 0, buf, sizeof(buf), 0), -EIO);
		assert_int_equal(rig_flush(&r), -EIO);
		rig_fini(&r);
	}
}

static void unwritten_regions_read_zero_over_garbage(void **state)
{
	const struct raid_options fresh = {.bitmap = true, .unwritten = true};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++) {
		uint64_t size = raid_shape_size(&shapes[i]);
		uint8_t *model = calloc(1, size), *buf = malloc(size);
		struct rig r;

		rig_init(&r, 50 + i, &shapes[i], &fresh);
		rig_fill_garbage(&r);
		assert_int_equal(rig_read(&r, 0, buf, size), 0);
		assert_memory_equal(buf, model, size);
		assert_int_equal(rig_zero(&r, 512, size - 512), 0);
		assert_int_equal(r.bitmap_writes, 0); /* zeros over nothing are nothing */
		churn(&r, model, buf, 60);
		assert_int_equal(rig_inconsistent(&r, 0), 0);
		rig_fini(&r);
		free(model);
		free(buf);
	}
}

struct burst {
	struct rig *r;
	struct blk_slot slots[16];
	uint8_t *data;
	uint64_t at, each;
	unsigned count;
};

static int write_burst(void *arg)
{
	struct burst *b = arg;
	struct blk_batch batch;

	blk_batch_init(&batch, b->slots, ARRAY_SIZE(b->slots));
	for (unsigned i = 0; i < b->count; i++)
		blk_batch_write(&batch, raid_dev(b->r->set), b->at + i * b->each,
			b->data + i * b->each, b->each, 0);
	return blk_batch_wait(&batch);
}

/* Requests that are submitted together and fill rows must not read anything. */
static void gathered_writes_fill_rows(void **state)
{
	struct raid_shape shape = RIG_SHAPE(RAID_RAID5, 5, 1, 65536, 12);
	struct burst b = {.each = 65536, .count = 8};
	struct rig r;
	uint64_t reads = 0, writes = 0;

	(void)state;
	rig_init(&r, 9, &shape, &options);
	b.r = &r;
	b.data = malloc(b.each * b.count);
	rng_bytes(&r.rng, b.data, b.each * b.count);
	assert_int_equal(rig_call(&r, write_burst, &b), 0);
	for (unsigned m = 0; m < 5; m++) {
		reads += r.member[m].stats->ops[BLK_READ];
		writes += r.member[m].stats->bytes[BLK_WRITE];
	}
	assert_int_equal(reads, 0);
	assert_int_equal(writes, 2 * 5 * 65536);
	assert_int_equal(rig_inconsistent(&r, 0), 0);
	free(b.data);
	rig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(healthy_sets_keep_data),
		cmocka_unit_test(degraded_sets_keep_data),
		cmocka_unit_test(failed_sets_answer_eio),
		cmocka_unit_test(unwritten_regions_read_zero_over_garbage),
		cmocka_unit_test(gathered_writes_fill_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
