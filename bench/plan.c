/* SPDX-License-Identifier: Apache-2.0 */
/* The least requests that an operation of a level needs, for the bare loop. */
#include "bench.h"

#define SMALL     4096u
#define FLAT_CELL (512u << 10) /* levels without chunks: as the engine cuts them */

static enum raid_level level_of(enum eng_lun_type type)
{
	switch (type) {
	case ENG_LUN_SIMPLE:
	case ENG_LUN_SPAN:
	case ENG_LUN_RAID50:
	case ENG_LUN_RAID60:
		break;
	case ENG_LUN_STRIPE:
		return RAID_STRIPE;
	case ENG_LUN_MIRROR:
		return RAID_MIRROR;
	case ENG_LUN_PARITY:
	case ENG_LUN_RAID5:
		return RAID_RAID5;
	case ENG_LUN_RAID6:
		return RAID_RAID6;
	case ENG_LUN_RAID10:
		return RAID_RAID10;
	}
	die("no plans for LUN type %d", (int)type);
}

static uint64_t cell(const struct area *a)
{
	return a->shape.chunk ? a->shape.chunk : FLAT_CELL;
}

void area_init(struct area *a, struct rig *r, const struct guid *lun)
{
	struct eng_member_info members[ENG_MAX_MEMBERS];
	struct eng_lun_info info;
	unsigned count;

	memset(a, 0, sizeof(*a));
	if (eng_lun_info(r->array, lun, &info) ||
		eng_lun_members(r->array, lun, members, ENG_MAX_MEMBERS, &count) ||
		count > BENCH_MEMBERS)
		die("the LUN cannot be looked at");
	a->size = info.size_bytes;
	a->shape = (struct raid_shape){.level = level_of(info.type),
		.members = count,
		.groups = info.type == ENG_LUN_RAID10 ? count / 2 : 1,
		.chunk = info.chunk,
		.member_size = members[0].size};
	a->rows = a->shape.member_size / cell(a);
	for (unsigned i = 0; i < count; i++) {
		unsigned file = 0;

		while (file < r->drives && !guid_equal(&r->bays[file].drive, &members[i].drive))
			file++;
		a->member[i].file = file;
		a->member[i].start = members[i].offset;
	}
	rng_seed(&a->rng, 5);
	a->io_bytes = 1 << 20;
}

struct making {
	struct area *a;
	struct rig *r;
	enum eng_lun_type type;
	uint64_t extent_bytes;
	unsigned members;
};

static void make(void *arg)
{
	struct making *m = arg;
	struct guid lun = rig_lun(m->r, m->type, m->extent_bytes, m->members);
	struct err err = {0};

	rig_fill(m->r, &lun);
	area_init(m->a, m->r, &lun);
	if (eng_lun_delete(m->r->array, &lun, &err))
		die("%s", err.text);
}

void area_make(struct area *a, struct rig *r, enum eng_lun_type type, uint64_t extent_bytes,
	unsigned members)
{
	struct making m = {a, r, type, extent_bytes, members};
	struct bare bare;

	rig_run(r, make, &m);
	bare_open(&bare, r, 4, (size_t)members * cell(a));
	bare_run(&bare, plan_row_write, a, 0, a->rows); /* its ends were cleared */
	bare_close(&bare);
}

static void add(struct bare_plan *out, const struct area *a, unsigned member, bool write,
	uint64_t offset, uint64_t bytes)
{
	if (out->count == BARE_IOS)
		die("a plan is too long");
	out->io[out->count++] = (struct bare_io){.file = a->member[member].file,
		.write = write,
		.offset = a->member[member].start + offset,
		.bytes = (uint32_t)bytes};
}

static void one_round(struct bare_plan *out)
{
	out->first = out->count;
}

static uint64_t next_row(struct area *a)
{
	return a->pos++ % a->rows;
}

static struct raid_place random_place(struct area *a)
{
	struct raid_place place;

	raid_map(&a->shape, rng_below(&a->rng, a->size / SMALL) * SMALL, &place);
	return place;
}

void plan_row_write(void *area, struct bare_plan *out)
{
	struct area *a = area;
	uint64_t row = next_row(a);

	out->count = 0;
	for (unsigned m = 0; m < a->shape.members; m++)
		add(out, a, m, true, row * cell(a), cell(a));
	one_round(out);
}

void plan_sequential_read(void *area, struct bare_plan *out)
{
	struct area *a = area;
	uint64_t at = a->pos++ * a->io_bytes % (a->size - a->size % a->io_bytes);
	uint64_t end = at + a->io_bytes;

	out->count = 0;
	while (at < end) {
		struct raid_place place;
		uint64_t n;

		raid_map(&a->shape, at, &place);
		n = place.length < end - at ? place.length : end - at;
		add(out, a, place.member + (place.copies > 1 ? (unsigned)(a->pos % place.copies) : 0),
			false, place.offset, n);
		at += n;
	}
	one_round(out);
}

void plan_random_read(void *area, struct bare_plan *out)
{
	struct area *a = area;
	struct raid_place place = random_place(a);

	out->count = 0;
	add(out, a, place.member + (unsigned)rng_below(&a->rng, place.copies ? place.copies : 1),
		false, place.offset, SMALL);
	one_round(out);
}

/* Old data and parity, then new; copies just all. */
void plan_small_write(void *area, struct bare_plan *out)
{
	struct area *a = area;
	struct raid_place place = random_place(a);
	unsigned copies = place.copies ? place.copies : 1;

	out->count = 0;
	for (int round = place.parity_p >= 0 ? 0 : 1; round < 2; round++) {
		if (round)
			out->first = place.parity_p >= 0 ? out->count : 0;
		for (unsigned c = 0; c < copies; c++)
			add(out, a, place.member + c, round, place.offset, SMALL);
		if (place.parity_p >= 0)
			add(out, a, (unsigned)place.parity_p, round, place.offset, SMALL);
		if (place.parity_q >= 0)
			add(out, a, (unsigned)place.parity_q, round, place.offset, SMALL);
	}
	if (place.parity_p < 0)
		one_round(out);
}

/* Reads what restores a lost member's range: n-1 of RAID 5, n-2 of RAID 6, one of a mirror. */
static void add_sources(struct bare_plan *out, const struct area *a, const struct raid_place *p,
	unsigned lost, uint64_t offset, uint64_t bytes)
{
	if (p->parity_p < 0) {
		add(out, a, lost ^ 1, false, offset, bytes);
		return;
	}
	for (unsigned m = 0; m < a->shape.members; m++)
		if (m != lost && ((int)m != p->parity_q || (int)lost == p->parity_q) &&
			((int)m != p->parity_p || (int)lost != p->parity_q))
			add(out, a, m, false, offset, bytes);
}

void plan_degraded_read(void *area, struct bare_plan *out)
{
	struct area *a = area;
	struct raid_place place = random_place(a);

	out->count = 0;
	if (place.member != a->lost)
		add(out, a, place.member, false, place.offset, SMALL);
	else
		add_sources(out, a, &place, a->lost, place.offset, SMALL);
	one_round(out);
}

void plan_rebuild(void *area, struct bare_plan *out)
{
	struct area *a = area;
	uint64_t row = next_row(a);
	struct raid_place place;

	raid_map(&a->shape, row * a->size / a->rows, &place);
	out->count = 0;
	add_sources(out, a, &place, a->lost, row * cell(a), cell(a));
	one_round(out);
	add(out, a, a->lost, true, row * cell(a), cell(a));
}

void plan_scrub(void *area, struct bare_plan *out)
{
	struct area *a = area;
	uint64_t row = next_row(a);

	out->count = 0;
	for (unsigned m = 0; m < a->shape.members; m++)
		add(out, a, m, false, row * cell(a), cell(a));
	one_round(out);
}
