/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filling twins: a member that still serves is copied onto the device that is to take its place, row by
 * row under the row lock, so that no writer comes between reading and writing; what is written meanwhile
 * reaches both anyway (row.c). A row is to be copied when it lies above the watermark the twin came
 * with, or is in a dirty region: dirty bits are kept while there is a twin.
 *
 * Nothing is ever less redundant than without the twin. If the member is lost on the way, its owner may
 * make the twin a member: what it holds then is described by the same watermark.
 */
#include "raid/raid_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct copy {
	struct raid_walk walk;
	struct raid_op *op; /* for flushes */
	uint64_t slots;
	uint64_t base[RAID_MAX_MEMBERS]; /* watermarks at the start */
	int twin_error;
};

/* The part of a row that lies on a member. */
struct part {
	unsigned member, slot;
	uint64_t offset;     /* on the member */
	uint64_t set_offset; /* of the same bytes, where a cell is not striped over columns */
	uint32_t length;
};

/* Where a concatenation's member begins in the set. */
static uint64_t span_start(const struct raid_shape *shape, unsigned member)
{
	uint64_t at = 0;

	for (unsigned i = 0; i < member; i++)
		at += shape->span_sizes[i];
	return at;
}

static bool find_part(
	const struct raid_set *set, const struct raid_row_geo *g, unsigned member, struct part *p)
{
	uint64_t from, to, lo = g->start, hi = g->start + g->cell;

	*p = (struct part){.member = member, .slot = member - g->first};
	if (set->shape.level != RAID_SPAN) {
		p->offset = g->member_offset;
		p->length = g->cell;
		return true;
	}
	from = span_start(&set->shape, member);
	to = from + set->shape.span_sizes[member];
	lo = lo > from ? lo : from;
	hi = hi < to ? hi : to;
	if (lo >= hi)
		return false;
	p->offset = lo - from;
	p->set_offset = lo;
	p->length = (uint32_t)(hi - lo);
	return true;
}

/* ---- which rows -------------------------------------------------------------------------- */

static uint64_t slots_wanting(const struct copy *c, uint64_t row)
{
	const struct raid_set *set = c->walk.set;
	struct raid_row_geo g;
	uint64_t region, in_group, wanting = 0;
	struct part p;
	bool dirty;

	raid_row_geo(&set->geo, row, &g);
	region = raid_region_of(&set->bitmap, g.start);
	if (raid_region_unwritten(&set->bitmap, region))
		return 0;
	dirty = raid_region_dirty(&set->bitmap, region);
	for (in_group = c->slots & raid_mask(g.first, set->geo.n); in_group; in_group &= in_group - 1) {
		unsigned m = (unsigned)__builtin_ctzll(in_group);

		if (find_part(set, &g, m, &p) && (dirty || p.offset + p.length > c->base[m]))
			wanting |= raid_bit(m);
	}
	return wanting;
}

static bool row_wanted(const struct raid_walk *w, uint64_t row)
{
	return slots_wanting(container_of(w, struct copy, walk), row) != 0;
}

static int twin_gone(struct copy *c)
{
	if (!c->twin_error)
		c->twin_error = -EIO;
	return c->twin_error;
}

/* ---- reading the member ------------------------------------------------------------------ */

/* A block that nobody can give. With parity others would be told wrongly by it, so there it ends. */
static int lose(struct copy *c, struct raid_op *op, const struct part *p, uint32_t at, uint32_t length,
	void *dst)
{
	struct raid_set *set = op->set;
	uint64_t place = p->set_offset + at;
	int rc;

	if (set->geo.np)
		return -EIO;
	if (set->shape.level != RAID_SPAN)
		place = op->g.start + at +
			(uint64_t)raid_row_index(&set->geo, &op->g, p->slot) * op->g.cell;
	rc = raid_lose(set, place, length);
	if (rc)
		return rc;
	raid_tell_lost(set, place, length);
	c->walk.run->lost++;
	memset(dst, 0, length);
	return 0;
}

static int fetch_block(struct copy *c, struct raid_op *op, const struct part *p, uint32_t at,
	uint32_t length, uint8_t *dst)
{
	const struct raid_member *m = &op->set->slots[p->member].m;

	if (!m->dev)
		return -EIO;
	if (!blk_read(m->dev, m->start + p->offset + at, dst, length))
		return 0;
	if (raid_shape_redundancy(&op->set->shape) && !raid_op_rescue(op, p->slot, at, length, dst))
		return 0;
	return lose(c, op, p, at, length, dst);
}

static int fetch(struct copy *c, struct raid_op *op, const struct part *p, uint32_t at, uint32_t length)
{
	const struct raid_member *m = &op->set->slots[p->member].m;
	int rc;

	if (!m->dev || m->state != RAID_MEMBER_IN_SYNC)
		return -EIO;
	rc = blk_read(m->dev, m->start + p->offset + at, op->mem, length);
	if (rc == -ENODEV) {
		raid_member_fail(op->set, p->member, rc);
		return -EIO;
	}
	for (uint32_t b = 0; rc && b < length; b += RAID_BLOCK) {
		uint32_t n = length - b < RAID_BLOCK ? length - b : RAID_BLOCK;
		int one = fetch_block(c, op, p, at + b, n, op->mem + b);

		if (one)
			return one;
	}
	return 0;
}

/* ---- rows -------------------------------------------------------------------------------- */

static int copy_part(struct copy *c, struct raid_op *op, const struct part *p)
{
	struct raid_slot *slot = &op->set->slots[p->member];
	uint32_t n;
	int rc = 0;

	for (uint32_t at = 0; at < p->length && !rc; at += n) {
		uint32_t slice = raid_walk_slice(&c->walk);

		n = p->length - at < slice ? p->length - at : slice;
		rc = raid_op_buffers(op, n);
		if (!rc)
			rc = fetch(c, op, p, at, n);
		if (!rc)
			rc = raid_twin_put(op->set, p->member, p->offset + at, op->mem, n, 0);
		raid_op_buffers_free(op);
		if (!slot->twin.dev)
			return twin_gone(c);
	}
	return rc;
}

static int copy_row(struct raid_walk *w, struct raid_op *op)
{
	struct copy *c = container_of(w, struct copy, walk);
	int rc = 0;

	for (uint64_t left = slots_wanting(c, op->g.row); left && !rc; left &= left - 1) {
		struct part p;

		if (find_part(w->set, &op->g, (unsigned)__builtin_ctzll(left), &p))
			rc = copy_part(c, op, &p);
	}
	return rc;
}

/* ---- beginning and ending ------------------------------------------------------------------ */

static int save_progress(struct copy *c)
{
	struct raid_set *set = c->walk.set;
	struct raid_run *run = c->walk.run;
	bool span = set->shape.level == RAID_SPAN; /* rows do not tell how far a member is copied */
	uint64_t mark = span ? 0 : raid_walk_reached(&c->walk), least = UINT64_MAX;
	int rc = raid_flush_members(c->op, c->slots); /* after mark was read */

	for (uint64_t left = c->slots; left && !rc; left &= left - 1) {
		unsigned m = (unsigned)__builtin_ctzll(left);
		struct raid_member *twin = &set->slots[m].twin;

		if (!twin->dev)
			return twin_gone(c);
		twin->watermark = mark > c->base[m] ? mark : c->base[m];
		if (twin->watermark < least)
			least = twin->watermark;
	}
	return rc ? rc : run->checkpoint ? run->checkpoint(run, least) : 0;
}

static int checkpoint(struct raid_walk *w)
{
	return save_progress(container_of(w, struct copy, walk));
}

static int begin(struct copy *c)
{
	struct raid_set *set = c->walk.set;
	int rc = 0;

	raid_freeze(set);
	if (set->pass || set->copying)
		rc = -EBUSY;
	else if (set->failed)
		rc = -EIO;
	for (uint64_t left = c->slots; left && !rc; left &= left - 1) {
		unsigned m = (unsigned)__builtin_ctzll(left);
		const struct raid_slot *slot = &set->slots[m];

		if (!slot->twin.dev || slot->m.state != RAID_MEMBER_IN_SYNC)
			rc = -EINVAL;
		c->base[m] = set->bitmap.dirty_on ? slot->twin.watermark : 0;
	}
	set->copying = !rc ? true : set->copying;
	raid_thaw(set);
	return rc;
}

static void take_places(struct copy *c)
{
	struct raid_set *set = c->walk.set;

	for (uint64_t left = c->slots; left; left &= left - 1) {
		struct raid_slot *slot = &set->slots[__builtin_ctzll(left)];
		struct raid_member m = slot->twin;

		if (!m.dev) /* its owner has given it the place already */
			continue;
		m.state = RAID_MEMBER_IN_SYNC;
		m.watermark = set->shape.member_size;
		/* what was written since progress was saved waits for a flush on it as well */
		*slot = (struct raid_slot){.m = m, .write_gen = 1};
	}
}

static int end(struct copy *c, int rc)
{
	struct raid_set *set = c->walk.set;

	if (!rc || rc == -ECANCELED) {
		int saved = save_progress(c);

		rc = saved ? saved : rc;
	}
	raid_freeze(set);
	for (uint64_t left = c->slots; left && !rc; left &= left - 1) {
		const struct raid_slot *slot = &set->slots[__builtin_ctzll(left)];

		if (!slot->twin.dev)
			rc = twin_gone(c);
		else if (slot->m.state != RAID_MEMBER_IN_SYNC)
			rc = -EIO;
	}
	if (!rc && c->walk.run->complete)
		rc = c->walk.run->complete(c->walk.run);
	if (!rc)
		take_places(c);
	set->copying = false;
	raid_state_changed(set);
	raid_thaw(set);
	return c->twin_error ? c->twin_error : rc;
}

int raid_copy(struct raid_set *set, uint64_t slot_mask, struct raid_run *run)
{
	struct copy *c = calloc(1, sizeof(*c));
	int rc = -ENOMEM;

	if (!c)
		return rc;
	c->slots = slot_mask & raid_mask(0, set->shape.members);
	c->walk = (struct raid_walk){.set = set,
		.run = run,
		.row_work = set->geo.cell,
		.wanted = row_wanted,
		.step = copy_row,
		.checkpoint = checkpoint};
	c->op = raid_op_new(set);
	if (c->op)
		rc = begin(c);
	if (!rc)
		rc = end(c, raid_walk_run(&c->walk));
	raid_op_free(c->op);
	free(c);
	return rc;
}
