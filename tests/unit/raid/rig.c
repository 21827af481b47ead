/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include "raid/raid_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

uint32_t rig_block = 512;

/* ---- the owner --------------------------------------------------------------------------- */

static int on_member_failed(void *ctx, unsigned slot, int error)
{
	struct rig *r = ctx;

	assert(task_self() && error < 0);
	r->member_failed++;
	task_sleep_ms(r->fail_ms);
	task_yield();
	if (r->refuse)
		return r->refuse;
	r->stale |= UINT64_C(1) << slot;
	return 0;
}

static int on_twin_failed(void *ctx, unsigned slot, int error)
{
	struct rig *r = ctx;

	assert(task_self() && error < 0 && slot < r->shape.members);
	r->twin_failed++;
	task_sleep_ms(1);
	return r->refuse;
}

static int on_bitmap_write(void *ctx, unsigned first, unsigned count)
{
	struct rig *r = ctx;
	const uint8_t *image = raid_bitmap_image(r->set);
	size_t at = (size_t)first * 4096, n = (size_t)count * 4096;
	uint8_t *copy = malloc(n);

	assert(task_self() && at + n <= r->image_bytes);
	r->bitmap_writes++;
	memcpy(copy, image + at, n); /* what is on its way was taken at the start */
	task_sleep_ms(rng_below(&r->rng, 3));
	if (!r->refuse)
		memcpy(r->image + at, copy, n);
	free(copy);
	return r->refuse;
}

static void on_medium_error(
	void *ctx, unsigned slot, uint64_t offset, uint64_t length, bool repaired)
{
	struct rig *r = ctx;

	assert(slot < r->shape.members && length && offset % 512 == 0);
	r->medium_errors++;
	r->medium_repaired += repaired;
}

static void on_data_lost(void *ctx, uint64_t offset, uint64_t length)
{
	struct rig *r = ctx;

	assert(offset + length <= raid_shape_size(&r->shape));
	r->data_lost += length;
}

static int on_lost_write(void *ctx, const struct raid_range *list, size_t count)
{
	struct rig *r = ctx;

	struct raid_range copy[RIG_LOST];

	assert(task_self() && count <= RIG_LOST);
	r->lost_writes++;
	memcpy(copy, list, count * sizeof(*list));
	task_sleep_ms(1);
	if (r->refuse_lost)
		return r->refuse_lost;
	memcpy(r->lost, copy, sizeof(copy));
	r->lost_count = count;
	return 0;
}

/* ---- making ------------------------------------------------------------------------------ */

static uint64_t member_size(const struct rig *r, unsigned m)
{
	return r->shape.level == RAID_SPAN ? r->shape.span_sizes[m] : r->shape.member_size;
}

void rig_members(struct rig *r, struct raid_member *out)
{
	for (unsigned m = 0; m < r->shape.members; m++)
		out[m] = (struct raid_member){
			.dev = r->member[m].dev, .start = r->start, .state = RAID_MEMBER_IN_SYNC};
}

static void check(int rc)
{
	if (rc)
		abort();
}

void rig_open(struct rig *r, const struct raid_member *members)
{
	struct raid_events events = {
		.member_failed = on_member_failed, .twin_failed = on_twin_failed,
		.bitmap_write = on_bitmap_write, .medium_error = on_medium_error,
		.data_lost = on_data_lost, .lost_write = on_lost_write, .ctx = r};
	struct err err = {0};

	r->options.bitmap_bytes = r->image_bytes;
	r->options.lost = r->lost;
	r->options.lost_count = r->lost_count;
	if (raid_open(r->loop, "rig", &r->shape, members, &r->options, &events, &r->set, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
}

static void new_device(struct rig *r, struct rig_member *m, uint64_t bytes)
{
	struct blk_dev *sim;

	check(blk_medium_new(r->start + bytes + 4096, r->block, &m->medium));
	check(blk_sim_new(r->loop, "disk", m->medium, &sim));
	check(blk_fault_new(sim, &m->faults));
	check(blk_stats_new(m->faults, &m->dev));
	m->stats = blk_stats_get(m->dev);
}

void rig_init(struct rig *r, uint64_t seed, const struct raid_shape *shape,
	const struct raid_options *options)
{
	struct raid_member members[RAID_MAX_MEMBERS];

	memset(r, 0, sizeof(*r));
	rng_seed(&r->rng, seed);
	r->shape = *shape;
	r->options = *options;
	r->start = 65536;
	r->block = rig_block;
	r->image_bytes = raid_bitmap_bytes(shape);
	r->image = calloc(1, r->image_bytes);
	check(loop_new_simulated(seed, 0, &r->loop));
	for (unsigned m = 0; m < shape->members; m++)
		new_device(r, &r->member[m], member_size(r, m));
	rig_members(r, members);
	rig_open(r, members);
	memcpy(r->image, raid_bitmap_image(r->set), r->image_bytes);
}

static int close_set(void *arg)
{
	struct rig *r = arg;

	raid_close(r->set);
	r->set = NULL;
	return 0;
}

void rig_close(struct rig *r)
{
	if (r->set)
		rig_call(r, close_set, r);
}

static int close_all(void *arg)
{
	struct rig *r = arg;

	raid_close(r->set);
	for (unsigned m = 0; m < r->shape.members; m++)
		blk_close(r->member[m].dev);
	return 0;
}

void rig_fini(struct rig *r)
{
	rig_call(r, close_all, r);
	loop_run_until_idle(r->loop);
	loop_free(r->loop);
	for (unsigned m = 0; m < r->shape.members; m++)
		blk_medium_free(r->member[m].medium);
	free(r->image);
}

/* ---- twins ------------------------------------------------------------------------------- */

static int close_dev(void *arg)
{
	blk_close(arg);
	return 0;
}

static void free_device(struct rig *r, struct rig_member *m)
{
	if (m->dev)
		rig_call(r, close_dev, m->dev);
	blk_medium_free(m->medium);
	*m = (struct rig_member){0};
}

void rig_twin_new(struct rig *r, unsigned slot)
{
	size_t n = (size_t)member_size(r, slot);
	uint8_t *junk = malloc(n);

	new_device(r, &r->twin, n);
	rng_bytes(&r->rng, junk, n);
	blk_medium_write(r->twin.medium, r->start, junk, n);
	free(junk);
}

void rig_twin_taken(struct rig *r, unsigned slot)
{
	free_device(r, &r->member[slot]);
	r->member[slot] = r->twin;
	r->twin = (struct rig_member){0};
}

void rig_twin_free(struct rig *r)
{
	free_device(r, &r->twin);
}

/* ---- using ------------------------------------------------------------------------------- */

int rig_call(struct rig *r, int (*fn)(void *arg), void *arg)
{
	return task_call(r->loop, fn, arg);
}

struct args {
	struct rig *r;
	uint64_t offset, length;
	void *buf;
	unsigned flags, slot;
	const struct raid_member *m;
	uint64_t slots;
	bool flag;
	int mode, prefer;
	struct raid_run *run;
};

static int do_read(void *arg)
{
	struct args *a = arg;

	return blk_read(raid_dev(a->r->set), a->offset, a->buf, a->length);
}

static int do_write(void *arg)
{
	struct args *a = arg;

	return blk_write(raid_dev(a->r->set), a->offset, a->buf, a->length, a->flags);
}

static int do_zero(void *arg)
{
	struct args *a = arg;

	return blk_zero(raid_dev(a->r->set), a->offset, a->length, a->flags);
}

static int do_flush(void *arg)
{
	struct args *a = arg;

	return blk_flush(raid_dev(a->r->set));
}

static int do_member(void *arg)
{
	struct args *a = arg;

	raid_member_set(a->r->set, a->slot, a->m);
	return 0;
}

static int do_rebuild(void *arg)
{
	struct args *a = arg;

	return raid_rebuild(a->r->set, a->slots, a->flag, a->run);
}

static int do_twin(void *arg)
{
	struct args *a = arg;

	return raid_twin_set(a->r->set, a->slot, a->m, NULL);
}

static int do_copy(void *arg)
{
	struct args *a = arg;

	return raid_copy(a->r->set, a->slots, a->run);
}

static int do_check(void *arg)
{
	struct args *a = arg;

	return raid_check(a->r->set, (enum raid_check_mode)a->mode, a->prefer, a->flag, a->run);
}

static int do_settle(void *arg)
{
	struct args *a = arg;

	return raid_bitmap_settle(a->r->set, a->length);
}

int rig_read(struct rig *r, uint64_t offset, void *buf, size_t length)
{
	return rig_call(
		r, do_read, &(struct args){.r = r, .offset = offset, .buf = buf, .length = length});
}

int rig_write(struct rig *r, uint64_t offset, const void *buf, size_t length, unsigned flags)
{
	return rig_call(r, do_write,
		&(struct args){.r = r,
			.offset = offset,
			.buf = (void *)buf,
			.length = length,
			.flags = flags});
}

int rig_zero(struct rig *r, uint64_t offset, uint64_t length)
{
	return rig_call(r, do_zero, &(struct args){.r = r, .offset = offset, .length = length});
}

int rig_flush(struct rig *r)
{
	return rig_call(r, do_flush, &(struct args){.r = r});
}

void rig_set_member(struct rig *r, unsigned slot, const struct raid_member *m)
{
	rig_call(r, do_member, &(struct args){.r = r, .slot = slot, .m = m});
}

int rig_rebuild(struct rig *r, uint64_t slots, bool catch_up, struct raid_run *run)
{
	return rig_call(r, do_rebuild,
		&(struct args){.r = r, .slots = slots, .flag = catch_up, .run = run});
}

int rig_set_twin(struct rig *r, unsigned slot, const struct raid_member *twin)
{
	return rig_call(r, do_twin, &(struct args){.r = r, .slot = slot, .m = twin});
}

int rig_copy(struct rig *r, uint64_t slots, struct raid_run *run)
{
	return rig_call(r, do_copy, &(struct args){.r = r, .slots = slots, .run = run});
}

int rig_check(
	struct rig *r, enum raid_check_mode mode, int prefer, bool only_dirty, struct raid_run *run)
{
	return rig_call(r, do_check,
		&(struct args){.r = r,
			.mode = (int)mode,
			.prefer = prefer,
			.flag = only_dirty,
			.run = run});
}

int rig_settle(struct rig *r, uint64_t idle_ms)
{
	return rig_call(r, do_settle, &(struct args){.r = r, .length = idle_ms});
}

/* ---- looking at the media ---------------------------------------------------------------- */

void rig_peek(struct rig *r, unsigned member, uint64_t offset, void *buf, size_t length)
{
	blk_medium_read(r->member[member].medium, r->start + offset, buf, length);
}

void rig_poke(struct rig *r, unsigned member, uint64_t offset, const void *buf, size_t length)
{
	blk_medium_write(r->member[member].medium, r->start + offset, buf, length);
}

void rig_fill_garbage(struct rig *r)
{
	for (unsigned m = 0; m < r->shape.members; m++) {
		size_t n = (size_t)member_size(r, m);
		uint8_t *junk = malloc(n);

		rng_bytes(&r->rng, junk, n);
		rig_poke(r, m, 0, junk, n);
		free(junk);
	}
}

static uint8_t gf_double(uint8_t x)
{
	return (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1D : 0));
}

/* Parity of one sector column over the members of its group, straight from the definition. */
static uint64_t bad_parity(struct rig *r, unsigned first, unsigned n, const uint8_t (*v)[512],
	int p, int q, uint64_t skip)
{
	uint64_t wrong = 0;

	for (unsigned at = 0; at < 512; at++) {
		uint8_t sp = 0, sq = 0;

		for (unsigned m = n; m--;) {
			sq = gf_double(sq);
			if ((int)(first + m) == p || (int)(first + m) == q)
				continue;
			sp ^= v[m][at];
			sq ^= v[m][at];
		}
		(void)r;
		if (p >= 0 && !(skip >> p & 1))
			wrong += v[(unsigned)p - first][at] != sp;
		if (q >= 0 && !(skip >> q & 1))
			wrong += v[(unsigned)q - first][at] != sq;
	}
	return wrong;
}

static bool unwritten_at(struct rig *r, uint64_t set_offset)
{
	uint64_t region = set_offset / raid_region_size(&r->shape);
	const uint8_t *bits = (const uint8_t *)raid_bitmap_image(r->set) + r->image_bytes / 2;

	return bits[region / 8] >> (region % 8) & 1;
}

static uint64_t bad_row_sector(struct rig *r, uint64_t set_offset, uint64_t skip)
{
	static uint8_t v[RAID_MAX_MEMBERS][512];
	struct raid_place place;
	unsigned groups = r->shape.groups ? r->shape.groups : 1, n, first;

	raid_map(&r->shape, set_offset, &place);
	if (place.parity_p < 0)
		return 0;
	n = r->shape.members / groups;
	first = place.member / n * n;
	for (unsigned m = 0; m < n; m++) {
		if (skip >> (first + m) & 1 && (int)(first + m) != place.parity_p &&
			(int)(first + m) != place.parity_q)
			return 0; /* data is missing: nothing to compare with */
		rig_peek(r, first + m, place.offset, v[m], 512);
	}
	return bad_parity(
		r, first, n, (const uint8_t(*)[512])v, place.parity_p, place.parity_q, skip);
}

static uint64_t bad_copies(struct rig *r, const struct raid_place *place, uint64_t skip)
{
	uint8_t a[512], b[512];
	bool have = false;
	uint64_t wrong = 0;

	for (unsigned m = place->member; m < place->member + place->copies; m++) {
		if (skip >> m & 1)
			continue;
		rig_peek(r, m, place->offset, have ? b : a, 512);
		for (unsigned i = 0; have && i < 512; i++)
			wrong += a[i] != b[i];
		have = true;
	}
	return wrong;
}

uint64_t rig_inconsistent(struct rig *r, uint64_t skip)
{
	uint64_t wrong = 0, row = raid_shape_row(&r->shape), size = raid_shape_size(&r->shape);

	for (uint64_t at = 0; at < size; at += 512) {
		struct raid_place place;

		if (unwritten_at(r, at))
			continue;
		raid_map(&r->shape, at, &place);
		if (place.copies > 1)
			wrong += bad_copies(r, &place, skip);
		else if (place.parity_p >= 0 && at % row < r->shape.chunk)
			wrong += bad_row_sector(r, at, skip);
	}
	return wrong;
}
