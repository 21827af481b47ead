/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The region bitmap. Per region two bits:
 *
 *  dirty      copies or parity may differ, or a member that is not in sync missed a write. Set,
 *             durably, before the first write of the region; cleared when the region has been
 *             idle for a while, everything is flushed and all members are in sync.
 *  unwritten  never written: reads as zeros whatever the members hold. The first write zeroes the
 *             region on all members (zero data has zero parity), flushes, and only then clears
 *             the bit, durably, before it goes on. A crash in between leaves the bit set.
 *
 * Changes become durable in groups: while the owner persists pages, further changes gather for
 * the next round, and everybody waits for the round that began after his own change.
 *
 * Bits are kept in the image that the owner persists; a bit that is set early there is harmless,
 * one that is cleared early would not be, so bits are only cleared when that is already safe.
 */
#include "raid/raid_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BITS (UINT64_C(4096) * 8)
#define TICK_NS   (UINT64_C(64) * 1000 * 1000)

struct init {
	struct list link;
	uint64_t region;
};

static bool get_bit(const uint8_t *bits, uint64_t i)
{
	return bits[i / 8] >> (i % 8) & 1;
}

static void set_bit(uint8_t *bits, uint64_t i, bool on)
{
	uint8_t mask = (uint8_t)(1u << (i % 8));

	bits[i / 8] = (uint8_t)(on ? bits[i / 8] | mask : bits[i / 8] & ~mask);
}

static uint64_t round_up(uint64_t v, uint64_t unit)
{
	return (v + unit - 1) / unit * unit;
}

uint64_t raid_region_size(const struct raid_shape *shape)
{
	uint64_t least = UINT64_C(4) << 20, share;
	struct raid_geo g;

	raid_geo_init(&g, shape);
	share = (g.size + (1u << 20) - 1) >> 20;
	return round_up(share > least ? share : least, g.row_bytes);
}

static uint64_t region_count(const struct raid_shape *shape)
{
	uint64_t region = raid_region_size(shape);

	return (raid_shape_size(shape) + region - 1) / region;
}

size_t raid_bitmap_bytes(const struct raid_shape *shape)
{
	return 2 * round_up(region_count(shape), PAGE_BITS) / 8;
}

static bool image_usable(const struct raid_options *o, size_t bytes)
{
	return o->bitmap_image && o->bitmap_bytes >= bytes;
}

/* What the bits are before anything happens. */
static void first_image(struct raid_bitmap *b, const struct raid_options *o)
{
	if (image_usable(o, b->image_bytes))
		memcpy(b->image, o->bitmap_image, b->image_bytes);
	else if (o->unclean && b->dirty_on) /* the bits are lost: nothing is known to be clean */
		memset(b->image, 0xFF, b->unwritten_at);
	if (o->unwritten)
		memset(b->image + b->unwritten_at, 0xFF, b->image_bytes - b->unwritten_at);
	/* no bits beyond the last region, so that counting is counting */
	for (uint64_t i = b->regions; i < b->unwritten_at * 8; i++) {
		set_bit(b->image, i, false);
		set_bit(b->image + b->unwritten_at, i, false);
	}
	if (!b->dirty_on)
		memset(b->image, 0, b->unwritten_at);
	memcpy(b->stable, b->image, b->unwritten_at);
}

int raid_bitmap_init(struct raid_bitmap *b, const struct raid_shape *shape,
	const struct raid_options *options, bool redundant)
{
	*b = (struct raid_bitmap){.dirty_on = options->bitmap && redundant};
	b->region_bytes = raid_region_size(shape);
	b->regions = region_count(shape);
	b->image_bytes = raid_bitmap_bytes(shape);
	b->unwritten_at = b->image_bytes / 2;
	b->unwritten_on = options->bitmap || options->unwritten;
	task_queue_init(&b->committed);
	task_queue_init(&b->init_done);
	list_init(&b->inits);
	b->image = calloc(1, b->image_bytes);
	b->stable = calloc(1, b->unwritten_at);
	b->touched = calloc(1, b->unwritten_at);
	b->writers = calloc(b->regions, sizeof(*b->writers));
	b->last_tick = calloc(b->regions, sizeof(*b->last_tick));
	if (!b->image || !b->stable || !b->touched || !b->writers || !b->last_tick) {
		raid_bitmap_fini(b);
		return -ENOMEM;
	}
	first_image(b, options);
	return 0;
}

void raid_bitmap_fini(struct raid_bitmap *b)
{
	free(b->image);
	free(b->stable);
	free(b->touched);
	free(b->writers);
	free(b->last_tick);
	*b = (struct raid_bitmap){0};
}

void raid_bitmap_move(struct raid_bitmap *to, const struct raid_bitmap *from)
{
	*to = *from;
	task_queue_init(&to->committed);
	task_queue_init(&to->init_done);
	list_init(&to->inits);
}

uint64_t raid_region_of(const struct raid_bitmap *b, uint64_t offset)
{
	return offset / b->region_bytes;
}

bool raid_region_dirty(const struct raid_bitmap *b, uint64_t region)
{
	return !b->dirty_on || get_bit(b->image, region);
}

static struct init *find_init(const struct raid_bitmap *b, uint64_t region)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &b->inits) {
		struct init *i = list_entry(pos, struct init, link);

		if (i->region == region)
			return i;
	}
	return NULL;
}

/* Until the clearing of the bit is durable the region counts as unwritten: if that fails, it is. */
bool raid_region_unwritten(const struct raid_bitmap *b, uint64_t region)
{
	return b->unwritten_on &&
	       (get_bit(b->image + b->unwritten_at, region) || find_init(b, region));
}

uint64_t raid_region_run(const struct raid_bitmap *b, uint64_t offset, uint64_t end)
{
	uint64_t region = raid_region_of(b, offset);
	bool unwritten;

	if (!b->unwritten_on)
		return end;
	unwritten = raid_region_unwritten(b, region);
	while (++region < b->regions && region * b->region_bytes < end)
		if (raid_region_unwritten(b, region) != unwritten)
			return region * b->region_bytes;
	return end;
}

/* ---- durability -------------------------------------------------------------------------- */

static void mark_page(struct raid_bitmap *b, size_t byte)
{
	b->pages |= raid_bit((unsigned)(byte / 4096));
}

static int write_pages(struct raid_set *set, uint64_t pages)
{
	while (pages) {
		unsigned first = (unsigned)__builtin_ctzll(pages), count = 0;
		int rc;

		while (first + count < 64 && pages >> (first + count) & 1)
			count++;
		rc = set->events.bitmap_write(set->events.ctx, first, count);
		if (rc)
			return rc;
		pages &= ~raid_mask(first, count);
	}
	return 0;
}

/* One round, by the task that found nobody else doing it. */
static void commit_round(struct raid_set *set)
{
	struct raid_bitmap *b = &set->bitmap;
	uint64_t round = b->wanted, pages = b->pages;
	int rc;

	b->busy = true;
	b->pages = 0;
	rc = set->events.bitmap_write ? write_pages(set, pages) : 0;
	if (rc)
		b->pages |= pages;
	b->busy = false;
	b->done = round;
	b->last_error = rc;
	task_wake_all(&b->committed);
}

/* Waits for a round that begins from now on. */
static int commit(struct raid_set *set)
{
	struct raid_bitmap *b = &set->bitmap;
	uint64_t mine = ++b->wanted;

	while (b->done < mine) {
		if (b->busy)
			task_wait(&b->committed);
		else
			commit_round(set);
		if (b->done >= mine)
			return b->last_error;
	}
	return b->last_error;
}

int raid_bitmap_write_all(struct raid_set *set)
{
	struct raid_bitmap *b = &set->bitmap;

	if (!b->dirty_on && !b->unwritten_on)
		return 0;
	b->pages = raid_mask(0, (unsigned)(b->image_bytes / 4096));
	return commit(set);
}

static int mark_dirty(struct raid_set *set, uint64_t region)
{
	struct raid_bitmap *b = &set->bitmap;
	int rc;

	while (!get_bit(b->stable, region)) {
		if (!get_bit(b->image, region)) {
			set_bit(b->image, region, true);
			mark_page(b, region / 8);
		}
		rc = commit(set);
		if (rc)
			return rc;
		if (get_bit(b->image, region)) /* nobody cleared it meanwhile */
			set_bit(b->stable, region, true);
	}
	return 0;
}

/* ---- first touch ------------------------------------------------------------------------- */

static void add_zero(struct raid_op *op, unsigned member, uint64_t from, uint64_t to)
{
	if (from < to && raid_member_writable(op->set, member))
		raid_op_add_at(op, BLK_ZERO, member, from, to - from);
}

/* Zeroes what the region's rows occupy on all members that take writes. */
static void add_region_zeros(struct raid_op *op, uint64_t from, uint64_t to)
{
	struct raid_set *set = op->set;
	const struct raid_geo *g = &set->geo;
	uint64_t r0 = from / g->row_bytes, r1 = (to + g->row_bytes - 1) / g->row_bytes;

	if (set->shape.level == RAID_SPAN) {
		while (from < to) {
			struct raid_place place;

			raid_map_geo(&set->shape, g, from, &place);
			if (place.length > to - from)
				place.length = to - from;
			add_zero(op, place.member, place.offset, place.offset + place.length);
			from += place.length;
		}
		return;
	}
	if (!set->shape.chunk) {
		for (unsigned m = 0; m < set->shape.members; m++)
			add_zero(op, m, from, to);
		return;
	}
	for (unsigned m = 0; m < set->shape.members; m++) {
		unsigned group = g->groups > 1 ? m / g->n : 0;
		/* inner rows i of the group with r0 <= i * groups + group < r1 */
		uint64_t i0 = r0 > group ? (r0 - group + g->groups - 1) / g->groups : 0;
		uint64_t i1 = r1 > group ? (r1 - group + g->groups - 1) / g->groups : 0;
		uint64_t end = i1 * g->cell;

		add_zero(op, m, i0 * g->cell,
			end < set->shape.member_size ? end : set->shape.member_size);
	}
}

int raid_zero_rows(struct raid_op *op, uint64_t from, uint64_t to)
{
	uint64_t mask = 0;
	int rc = raid_op_reserve(op, RAID_MAX_MEMBERS);

	if (rc)
		return rc;
	add_region_zeros(op, from, to);
	for (unsigned i = 0; i < op->used; i++)
		mask |= raid_bit(op->child[i].member);
	raid_op_submit(op, 0);
	rc = raid_op_settle_writes(op, 0, NULL);
	return rc ? rc : raid_flush_members(op, mask);
}

static int initialise(struct raid_op *op, uint64_t region)
{
	struct raid_set *set = op->set;
	struct raid_bitmap *b = &set->bitmap;
	uint64_t from = region * b->region_bytes, to = from + b->region_bytes;
	struct init self = {.region = region};
	int rc;

	list_add_tail(&b->inits, &self.link);
	rc = raid_zero_rows(op, from, to < set->geo.size ? to : set->geo.size);
	if (!rc) {
		set_bit(b->image + b->unwritten_at, region, false);
		mark_page(b, b->unwritten_at + region / 8);
		rc = commit(set);
		if (rc) /* the members are zero, but the bit may come back: so keep it */
			set_bit(b->image + b->unwritten_at, region, true);
	}
	list_del(&self.link);
	task_wake_all(&b->init_done);
	return rc;
}

int raid_region_begin(struct raid_op *op, uint64_t region)
{
	struct raid_set *set = op->set;
	struct raid_bitmap *b = &set->bitmap;
	int rc = 0;

	if (!b->dirty_on && !b->unwritten_on)
		return 0;
	b->writers[region]++;
	set_bit(b->touched, region, true);
	if (b->dirty_on)
		rc = mark_dirty(set, region);
	while (!rc && raid_region_unwritten(b, region)) {
		if (find_init(b, region))
			task_wait(&b->init_done);
		else
			rc = initialise(op, region);
	}
	if (rc)
		raid_region_end(set, region);
	return rc;
}

void raid_region_end(struct raid_set *set, uint64_t region)
{
	struct raid_bitmap *b = &set->bitmap;

	if (!b->dirty_on && !b->unwritten_on)
		return;
	assert(b->writers[region]);
	b->writers[region]--;
	b->last_tick[region] = (uint16_t)(loop_now_ns(set->loop) / TICK_NS);
}

/* ---- for the owner ----------------------------------------------------------------------- */

const void *raid_bitmap_image(const struct raid_set *set)
{
	return set->bitmap.image;
}

bool raid_resync_needed(const struct raid_set *set)
{
	return set->resync;
}

uint64_t raid_dirty_regions(const struct raid_set *set)
{
	const struct raid_bitmap *b = &set->bitmap;
	uint64_t count = 0;

	for (size_t i = 0; b->dirty_on && i < b->unwritten_at; i += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, b->image + i, sizeof(word)); /* the image is whole pages */
		count += (unsigned)__builtin_popcountll(word);
	}
	return count;
}

static bool settled(const struct raid_bitmap *b, uint64_t region, uint16_t now, uint64_t idle_ticks)
{
	return get_bit(b->image, region) && !b->writers[region] &&
	       (uint16_t)(now - b->last_tick[region]) >= idle_ticks;
}

/* May dirty bits be cleared at all? */
static bool may_settle(const struct raid_set *set)
{
	return set->bitmap.dirty_on && !set->lost && !set->twins && !set->resync;
}

static uint64_t clear_settled(struct raid_bitmap *b, uint16_t now, uint64_t idle_ticks)
{
	uint64_t cleared = 0;

	for (uint64_t r = 0; r < b->regions; r++) {
		if (!(r & 7) && !b->image[r / 8]) {
			r += 7;
			continue;
		}
		if (get_bit(b->touched, r) || !settled(b, r, now, idle_ticks))
			continue;
		set_bit(b->image, r, false);
		set_bit(b->stable, r, false);
		mark_page(b, r / 8);
		cleared++;
	}
	return cleared;
}

static int settle(struct raid_op *op, uint64_t idle_ms)
{
	struct raid_set *set = op->set;
	struct raid_bitmap *b = &set->bitmap;
	uint64_t idle_ticks = (idle_ms * 1000000 + TICK_NS - 1) / TICK_NS, candidates = 0;
	uint16_t now = (uint16_t)(loop_now_ns(set->loop) / TICK_NS);
	int rc;

	/* Who is idle now, and is not touched again while the members flush, is stable after it. */
	for (uint64_t r = 0; r < b->regions; r++) {
		if (settled(b, r, now, idle_ticks)) {
			set_bit(b->touched, r, false);
			candidates++;
		}
	}
	if (!candidates)
		return 0;
	rc = raid_flush_members(op, raid_writable_mask(set));
	if (rc)
		return rc;
	if (!may_settle(set) || !clear_settled(b, now, idle_ticks))
		return 0;
	return __builtin_popcountll(b->pages);
}

int raid_bitmap_settle(struct raid_set *set, uint64_t idle_ms)
{
	struct raid_op *op;
	int pages, rc;

	if (!may_settle(set))
		return 0;
	op = raid_op_new(set);
	if (!op)
		return -ENOMEM;
	raid_enter(set);
	pages = may_settle(set) ? settle(op, idle_ms) : 0;
	rc = pages > 0 ? commit(set) : 0;
	raid_leave(set);
	raid_op_free(op);
	return rc ? rc : pages;
}
