/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct raid_shape shapes[] = {
	{.level = RAID_SIMPLE, .members = 1, .groups = 1, .member_size = 20 << 20},
	{.level = RAID_SPAN, .members = 3, .groups = 1, .span_sizes = {3 << 20, 7 << 20, 5 << 20}},
	RIG_SHAPE(RAID_STRIPE, 3, 1, 65536, 100),
	RIG_SHAPE(RAID_MIRROR, 3, 1, 0, 200),
	RIG_SHAPE(RAID_RAID10, 4, 2, 65536, 100),
	RIG_SHAPE(RAID_RAID5, 4, 1, 65536, 100),
	RIG_SHAPE(RAID_RAID6, 5, 1, 65536, 100),
	RIG_SHAPE(RAID_RAID50, 6, 2, 65536, 100),
};
static const struct raid_shape *const five = &shapes[5];
static const struct raid_options options = {.bitmap = true};

static void fill(struct rig *r, uint8_t *model)
{
	uint64_t size = raid_shape_size(&r->shape);

	rng_bytes(&r->rng, model, size);
	assert_int_equal(rig_write(r, 0, model, size, 0), 0);
}

static void verify(struct rig *r, const uint8_t *model)
{
	uint64_t size = raid_shape_size(&r->shape);
	uint8_t *back = malloc(size);

	assert_int_equal(rig_read(r, 0, back, size), 0);
	assert_memory_equal(back, model, size);
	free(back);
}

static struct raid_member twin(const struct rig *r, uint64_t watermark)
{
	return (struct raid_member){.dev = r->twin.dev, .start = r->start,
		.state = RAID_MEMBER_REBUILDING, .watermark = watermark};
}

static void begin(struct rig *r, uint64_t seed, const struct raid_shape *shape, unsigned slot,
	uint8_t **model)
{
	struct raid_member t;

	rig_init(r, seed, shape, &options);
	*model = malloc(raid_shape_size(shape));
	fill(r, *model);
	rig_twin_new(r, slot);
	t = twin(r, 0);
	assert_int_equal(rig_set_twin(r, slot, &t), 0);
}

static void end(struct rig *r, uint8_t *model)
{
	verify(r, model);
	assert_int_equal(rig_inconsistent(r, 0), 0);
	rig_fini(r);
	free(model);
}

/* ---- all levels -------------------------------------------------------------------------- */

static void a_twin_takes_its_members_place(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		for (unsigned slot = 0; slot < shapes[i].members; slot++) {
			struct raid_run run = {.foreground_share = 100};
			uint8_t *model;
			struct rig r;

			begin(&r, i, &shapes[i], slot, &model);
			rng_bytes(&r.rng, model + 70000 / 512 * 512, 8192);
			assert_int_equal(rig_write(&r, 70000 / 512 * 512,
						 model + 70000 / 512 * 512, 8192, 0), 0);
			assert_int_equal(raid_lost_mask(r.set), 0); /* nothing is degraded */
			assert_int_equal(rig_copy(&r, UINT64_C(1) << slot, &run), 0);
			assert_int_equal(run.done, run.total);
			assert_null(raid_twin(r.set, slot).dev);
			assert_ptr_equal(raid_member(r.set, slot).dev, r.twin.dev);
			rig_twin_taken(&r, slot); /* the old device is closed: nobody may use it */
			end(&r, model);
		}
	}
}

/* ---- I/O meanwhile ----------------------------------------------------------------------- */

struct writer {
	struct rig *r;
	uint8_t *model;
	bool stop;
	unsigned writes;
	struct task_group group;
};

static void write_on(void *arg)
{
	struct writer *w = arg;
	uint64_t size = raid_shape_size(&w->r->shape);

	while (!w->stop) {
		uint64_t length = 512 * (1 + rng_below(&w->r->rng, 200));
		uint64_t at = rng_below(&w->r->rng, (size - length) / 512) * 512;

		rng_bytes(&w->r->rng, w->model + at, length);
		if (blk_write(raid_dev(w->r->set), at, w->model + at, length, 0))
			abort();
		w->writes++;
	}
	task_group_end(&w->group);
}

static struct raid_run the_run;
static uint64_t the_slots;

static int copy_beside_writer(void *arg)
{
	struct writer *w = arg;
	int rc;

	task_group_init(&w->group);
	task_group_begin(&w->group);
	if (task_spawn(w->r->loop, "writer", write_on, w))
		abort();
	rc = raid_copy(w->r->set, the_slots, &the_run);
	w->stop = true;
	task_group_wait(&w->group);
	return rc;
}

static void what_is_written_meanwhile_is_on_both(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct writer w = {0};
		struct rig r;

		begin(&r, 50 + i, &shapes[i], 0, &w.model);
		w.r = &r;
		the_slots = 1;
		the_run = (struct raid_run){.foreground_share = 100, .rate_limit = 20 << 20};
		assert_int_equal(rig_call(&r, copy_beside_writer, &w), 0);
		assert_true(w.writes > 20);
		rig_twin_taken(&r, 0);
		end(&r, w.model);
	}
}

/* ---- stopping and going on ----------------------------------------------------------------- */

static void cancel_half(struct raid_run *run)
{
	run->cancel = run->done * 2 >= run->total;
}

static uint64_t saved;

static int save(struct raid_run *run, uint64_t watermark)
{
	(void)run;
	saved = watermark;
	return 0;
}

static void a_cancelled_copy_goes_on_where_it_was(void **state)
{
	struct raid_run run = {.foreground_share = 100, .step = cancel_half, .checkpoint = save};
	struct raid_member members[RAID_MAX_MEMBERS], t;
	uint8_t *model;
	uint64_t whole;
	struct rig r;

	(void)state;
	rig_init(&r, 3, five, &options);
	model = malloc(raid_shape_size(five));
	fill(&r, model);
	assert_true(rig_settle(&r, 0) > 0); /* no region is dirty: only the watermark counts */
	rig_twin_new(&r, 2);
	t = twin(&r, 0);
	assert_int_equal(rig_set_twin(&r, 2, &t), 0);
	assert_int_equal(rig_copy(&r, 4, &run), -ECANCELED);
	whole = run.total;
	assert_ptr_equal(raid_twin(r.set, 2).dev, r.twin.dev);
	assert_true(saved >= five->member_size * 4 / 10 && saved < five->member_size);
	/* written below the watermark, between two lives: the region is dirty */
	rng_bytes(&r.rng, model, 4096);
	assert_int_equal(rig_write(&r, 0, model, 4096, 0), 0);
	rig_close(&r);
	rig_members(&r, members);
	r.options.bitmap_image = r.image;
	rig_open(&r, members);
	t = twin(&r, saved);
	assert_int_equal(rig_set_twin(&r, 2, &t), 0);
	run = (struct raid_run){.foreground_share = 100};
	assert_int_equal(rig_copy(&r, 4, &run), 0);
	assert_true(run.total < whole * 8 / 10);
	rig_twin_taken(&r, 2);
	end(&r, model);
}

/* ---- failures ------------------------------------------------------------------------------ */

static void a_failing_twin_harms_nobody(void **state)
{
	struct raid_run run = {.foreground_share = 100};
	uint8_t *model;
	struct rig r;

	(void)state;
	begin(&r, 4, five, 1, &model);
	blk_fault_add(r.twin.faults, BLK_FAULT_WRITE_ERROR, r.start + (3 << 20), 4096);
	assert_int_equal(rig_copy(&r, 2, &run), -EIO);
	assert_int_equal(r.twin_failed, 1);
	assert_int_equal(r.member_failed, 0);
	assert_null(raid_twin(r.set, 1).dev);
	assert_int_equal(raid_lost_mask(r.set), 0);
	rig_twin_free(&r);
	end(&r, model);
}

/* The owner cannot yet say that the twin counts for nothing: so the write must not be acknowledged. */
static void a_write_waits_for_the_owner_to_give_up_the_twin(void **state)
{
	uint8_t *model, data[4096] = {1};
	struct rig r;

	(void)state;
	begin(&r, 5, five, 0, &model);
	blk_fault_add(r.twin.faults, BLK_FAULT_IO_ERROR, 0, 0);
	r.refuse = -EAGAIN;
	assert_int_equal(rig_write(&r, 0, data, sizeof(data), 0), -EAGAIN);
	assert_non_null(raid_twin(r.set, 0).dev);
	r.refuse = 0;
	assert_int_equal(rig_write(&r, 0, model, 4096, 0), 0);
	assert_null(raid_twin(r.set, 0).dev);
	rig_twin_free(&r);
	end(&r, model);
}

static void what_the_member_cannot_read_is_restored(void **state)
{
	(void)state;
	for (unsigned i = 3; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct raid_run run = {.foreground_share = 100};
		uint8_t *model;
		struct rig r;

		begin(&r, 10 + i, &shapes[i], 0, &model);
		blk_fault_add(r.member[0].faults, BLK_FAULT_READ_ERROR, r.start + 81920, 12288);
		assert_int_equal(rig_copy(&r, 1, &run), 0);
		assert_int_equal(run.lost, 0);
		rig_twin_taken(&r, 0);
		end(&r, model);
	}
}

static void without_redundancy_single_blocks_are_lost(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct raid_run run = {.foreground_share = 100};
		uint8_t *model, back[4096];
		uint64_t bad = 0;
		struct rig r;

		begin(&r, 20 + i, &shapes[i], 0, &model);
		blk_fault_add(r.member[0].faults, BLK_FAULT_READ_ERROR, r.start + 81920, 8192);
		assert_int_equal(rig_copy(&r, 1, &run), 0);
		assert_int_equal(run.lost, 2);
		assert_int_equal(r.data_lost, 8192);
		rig_twin_taken(&r, 0);
		for (uint64_t at = 0; at < raid_shape_size(&shapes[i]); at += 4096) {
			int rc = rig_read(&r, at, back, 4096);

			bad += rc ? 4096 : 0;
			if (!rc)
				assert_memory_equal(back, model + at, 4096);
		}
		assert_int_equal(bad, 8192);
		for (size_t l = 0; l < r.lost_count; l++)
			assert_int_equal(rig_write(&r, r.lost[l].start, model + r.lost[l].start,
						 r.lost[l].end - r.lost[l].start, 0), 0);
		end(&r, model);
	}
}

static void lose_member(struct raid_run *run)
{
	struct rig *r = run->user;

	if (run->done * 2 >= run->total)
		blk_fault_add(r->member[1].faults, BLK_FAULT_IO_ERROR, 0, 0);
}

/* The member dies on the way: what the twin holds is a start. */
static void the_twin_of_a_lost_member_becomes_the_member(void **state)
{
	struct raid_run run = {.foreground_share = 100, .step = lose_member, .checkpoint = save};
	struct raid_member t;
	uint8_t *model;
	uint64_t whole;
	struct rig r;

	(void)state;
	rig_init(&r, 6, five, &options);
	model = malloc(raid_shape_size(five));
	fill(&r, model);
	assert_true(rig_settle(&r, 0) > 0);
	rig_twin_new(&r, 1);
	t = twin(&r, 0);
	assert_int_equal(rig_set_twin(&r, 1, &t), 0);
	run.user = &r;
	/* it only reads from the member: give it something to write, so that the loss is met */
	assert_int_not_equal(rig_copy(&r, 2, &run), 0);
	whole = run.total;
	rng_bytes(&r.rng, model, 65536 * 3);
	assert_int_equal(rig_write(&r, 0, model, 65536 * 3, 0), 0);
	assert_int_equal(raid_lost_mask(r.set), 2);
	t = raid_twin(r.set, 1);
	assert_non_null(t.dev);
	assert_true(t.watermark > 0);
	t.state = RAID_MEMBER_STALE;
	rig_set_member(&r, 1, &t);
	assert_null(raid_twin(r.set, 1).dev);
	run = (struct raid_run){.foreground_share = 100};
	assert_int_equal(rig_rebuild(&r, 2, false, &run), 0);
	assert_true(run.total < whole * 8 / 10);
	rig_twin_taken(&r, 1);
	end(&r, model);
}

static int refuse(struct raid_run *run)
{
	(void)run;
	return -EIO;
}

static void a_twin_counts_only_when_the_owner_has_recorded_it(void **state)
{
	struct raid_run run = {.foreground_share = 100, .complete = refuse};
	uint8_t *model;
	struct rig r;

	(void)state;
	begin(&r, 7, five, 3, &model);
	assert_int_equal(rig_copy(&r, 8, &run), -EIO);
	assert_ptr_equal(raid_member(r.set, 3).dev, r.member[3].dev);
	assert_ptr_equal(raid_twin(r.set, 3).dev, r.twin.dev); /* and goes on getting every write */
	rng_bytes(&r.rng, model, 65536 * 3);
	assert_int_equal(rig_write(&r, 0, model, 65536 * 3, 0), 0);
	run.complete = NULL;
	assert_int_equal(rig_copy(&r, 8, &run), 0);
	rig_twin_taken(&r, 3);
	end(&r, model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_twin_takes_its_members_place),
		cmocka_unit_test(what_is_written_meanwhile_is_on_both),
		cmocka_unit_test(a_cancelled_copy_goes_on_where_it_was),
		cmocka_unit_test(a_failing_twin_harms_nobody),
		cmocka_unit_test(a_write_waits_for_the_owner_to_give_up_the_twin),
		cmocka_unit_test(what_the_member_cannot_read_is_restored),
		cmocka_unit_test(without_redundancy_single_blocks_are_lost),
		cmocka_unit_test(the_twin_of_a_lost_member_becomes_the_member),
		cmocka_unit_test(a_twin_counts_only_when_the_owner_has_recorded_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
