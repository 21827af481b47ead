/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filling members: rebuild and catch-up are one loop over rows (walk.c). A row is done when its
 * region has been written at all and
 *
 *  - it lies above the watermark the member came with, or
 *  - its region is marked dirty (a write may have missed the member).
 *
 * A catch-up is the same with the watermark at the end: everything but the dirty regions is
 * good. The watermark a checkpoint reports therefore never falls below the one at the start,
 * and a run that was interrupted may always be resumed from what was reported.
 *
 * Members become REBUILDING, and at the end IN_SYNC, while nothing is in flight, so no write
 * ever misses them in between.
 *
 * A block that nobody can give any more does not end the rebuild: if the unreadable blocks can be
 * rewritten (so it is the medium, not the device), the column is zeroed, parity made for it,
 * and the data reported as lost.
 */
#include "raid/raid_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct rebuild {
	struct raid_walk walk;
	struct raid_op *op; /* for flushes */
	uint64_t slots;
	uint64_t base[RAID_MAX_MEMBERS]; /* watermarks at the start */
	int target_error;
};

/* Columns of a row being filled. */
struct part {
	struct rebuild *rb;
	struct raid_op *op;
	uint64_t targets; /* slots */
	uint64_t from;    /* slots read */
	uint32_t column, length;
	uint8_t *v[RAID_MAX_MEMBERS];
	uint64_t lost_blocks[RAID_MAX_SLICE / RAID_BLOCK / 64]; /* columns nobody can give */
};

/* ---- which rows -------------------------------------------------------------------------- */

/* Members among the targets that do not hold this row yet. */
static uint64_t members_wanting(const struct rebuild *rb, uint64_t row)
{
	const struct raid_set *set = rb->walk.set;
	struct raid_row_geo g;
	uint64_t region, wanting = 0, in_group;
	bool dirty;

	raid_row_geo(&set->geo, row, &g);
	region = raid_region_of(&set->bitmap, g.start);
	if (raid_region_unwritten(&set->bitmap, region))
		return 0;
	dirty = raid_region_dirty(&set->bitmap, region);
	in_group = rb->slots & raid_mask(g.first, set->geo.n);
	for (; in_group; in_group &= in_group - 1) {
		unsigned m = (unsigned)__builtin_ctzll(in_group);

		if (dirty || g.member_offset + g.cell > rb->base[m])
			wanting |= raid_bit(m);
	}
	return wanting;
}

static bool row_wanted(const struct raid_walk *w, uint64_t row)
{
	return members_wanting(container_of(w, struct rebuild, walk), row) != 0;
}

static bool still_filling(const struct rebuild *rb, unsigned member)
{
	return rb->walk.pass.slots & raid_bit(member) &&
	       rb->walk.set->slots[member].m.state == RAID_MEMBER_REBUILDING;
}

/* A target was given up, by us or by a foreground write. */
static int target_gone(struct rebuild *rb, unsigned member)
{
	const struct raid_slot *slot = &rb->walk.set->slots[member];

	if (!rb->target_error)
		rb->target_error = slot->error ? slot->error : -EIO;
	return rb->target_error;
}

/* ---- blocks that are lost ------------------------------------------------------------------ */

static bool block_lost(const struct part *p, uint32_t block)
{
	return p->lost_blocks[block / 64] >> (block % 64) & 1;
}

/* Where a slot's block lies in the set. */
static uint64_t place_of(const struct raid_op *op, unsigned slot, uint32_t column)
{
	return op->g.start + column +
	       (uint64_t)raid_row_index(&op->set->geo, &op->g, slot) * op->g.cell;
}

/* Blocks of one column, in these slots, are declared lost; *fresh gets those that were not already. */
static int declare_lost(
	struct part *p, uint64_t slots, uint32_t column, uint32_t length, uint64_t *fresh)
{
	struct raid_set *set = p->op->set;
	int rc = 0;

	*fresh = 0;
	for (uint64_t left = slots; left && !rc; left &= left - 1) {
		unsigned s = (unsigned)__builtin_ctzll(left);
		uint64_t at = place_of(p->op, s, column);
		bool known = raid_ranges_hit(&set->lost_data, at, length);

		rc = raid_lose(set, at, length);
		if (!rc && !known)
			*fresh |= raid_bit(s);
	}
	return rc;
}

static void take_back_lost(struct part *p, uint64_t slots, uint32_t column, uint32_t length)
{
	for (; slots; slots &= slots - 1)
		raid_unlose(p->op->set, place_of(p->op, (unsigned)__builtin_ctzll(slots), column), length);
}

static void tell_lost(struct part *p, uint64_t slots, uint32_t column, uint32_t length)
{
	for (; slots; slots &= slots - 1) {
		raid_tell_lost(p->op->set, place_of(p->op, (unsigned)__builtin_ctzll(slots), column), length);
		p->rb->walk.run->lost++;
	}
}

/* One write through to the medium, told apart from what ordinary writes do about failures. */
static int put_block(
	struct raid_op *op, unsigned slot, uint32_t column, uint32_t length, const void *data)
{
	struct raid_member *m = &op->set->slots[op->g.first + slot].m;
	int rc;

	if (!m->dev)
		return -ENODEV;
	op->set->slots[op->g.first + slot].write_gen++;
	rc = blk_write(m->dev, m->start + op->g.member_offset + column, data, length, BLK_FUA);
	return rc ? rc
		  : raid_twin_put(op->set, op->g.first + slot, op->g.member_offset + column, data, length,
			    BLK_FUA);
}

/*
 * Writes one block column: unreadable blocks first, because a device that cannot write either is
 * not a medium with bad spots, and nothing may be declared lost for it.
 */
static int put_column(
	struct part *p, uint32_t column, uint32_t length, uint64_t unreadable, uint8_t *const *v)
{
	struct raid_op *op = p->op;
	uint64_t parity = raid_mask(0, op->set->geo.n) & ~op->data;
	uint64_t write = unreadable | ((p->targets | parity) & op->writable);
	int rc = 0;

	if (op->set->geo.np)
		parity_generate(&op->group, (const void *const *)v, length,
			op->g.p >= 0 ? v[op->g.p] : NULL, op->g.q >= 0 ? v[op->g.q] : NULL);
	for (uint64_t left = unreadable; left && !rc; left &= left - 1) {
		unsigned s = (unsigned)__builtin_ctzll(left);

		rc = put_block(op, s, column, length, v[s]);
	}
	for (uint64_t left = write & ~unreadable; left && !rc; left &= left - 1) {
		unsigned s = (unsigned)__builtin_ctzll(left);

		rc = put_block(op, s, column, length, v[s]);
	}
	return rc ? -EIO : 0;
}

/* Writes a column of which these slots are lost. That is known before anything takes their place. */
static int give_up(struct part *p, uint64_t lost, uint32_t column, uint32_t length,
	uint64_t unreadable, uint8_t *const *v)
{
	uint64_t fresh;
	int rc = declare_lost(p, lost, column, length, &fresh);

	if (!rc)
		rc = put_column(p, column, length, unreadable, v);
	if (rc)
		take_back_lost(p, fresh, column, length);
	else
		tell_lost(p, lost, column, length);
	return rc;
}

/* Reads what there is of one block column, gives up the rest. */
static int lose_parity_block(struct part *p, uint32_t column, uint32_t length, uint8_t *room)
{
	struct raid_op *op = p->op;
	uint64_t unreadable = 0, lost = op->lost & op->data;
	uint8_t *v[RAID_MAX_MEMBERS];
	int rc;

	for (unsigned s = 0; s < op->set->geo.n; s++) {
		const struct raid_member *m = &op->set->slots[op->g.first + s].m;

		v[s] = room + (size_t)s * RAID_BLOCK;
		if (op->lost & raid_bit(s)) {
			memset(v[s], 0, length);
			continue;
		}
		rc = blk_read(m->dev, m->start + op->g.member_offset + column, v[s], length);
		if (rc == -ENODEV)
			return -EIO;
		if (rc) {
			unreadable |= raid_bit(s);
			memset(v[s], 0, length);
		}
	}
	if (parity_recover(&op->group, op->lost | unreadable, (void *const *)v, length))
		lost = 0; /* what failed before came back */
	else
		lost |= unreadable & op->data;
	return give_up(p, lost, column, length, unreadable, v);
}

/* The same for copies: all that were in sync have it unreadable. */
static int lose_copied_block(
	struct part *p, unsigned target, uint32_t column, uint32_t length, uint8_t *data)
{
	struct raid_op *op = p->op;
	unsigned copies = op->set->geo.copies, first = target / copies * copies;
	uint64_t unreadable = 0;
	uint8_t *v[RAID_MAX_MEMBERS];
	bool found = false;
	int rc;

	for (unsigned s = 0; s < op->set->geo.n; s++)
		v[s] = data;
	for (unsigned s = first; s < first + copies && !found; s++) {
		const struct raid_member *m = &op->set->slots[s].m;

		if (op->lost & raid_bit(s))
			continue;
		rc = blk_read(m->dev, m->start + op->g.member_offset + column, data, length);
		if (rc == -ENODEV)
			return -EIO;
		found = !rc;
		unreadable |= rc ? raid_bit(s) : 0;
	}
	if (!found)
		memset(data, 0, length);
	return give_up(p, found ? 0 : raid_bit(first), column, length, unreadable, v);
}

static int lose_block(struct part *p, uint32_t column, uint32_t length)
{
	struct raid_set *set = p->op->set;
	uint64_t region = raid_region_of(&set->bitmap, p->op->g.start);
	uint8_t *room = aligned_alloc(RAID_BLOCK, (size_t)set->geo.n * RAID_BLOCK);
	int rc = room ? raid_region_begin(p->op, region) : -ENOMEM;

	if (!rc) {
		rc = set->geo.np ? lose_parity_block(p, column, length, room)
				 : lose_copied_block(p, (unsigned)__builtin_ctzll(p->targets),
					   column, length, room);
		raid_region_end(set, region);
	}
	free(room);
	return rc;
}

/* ---- filling ----------------------------------------------------------------------------- */

static int take_buffers(struct part *p)
{
	struct raid_op *op = p->op;
	uint64_t slots = p->from | p->targets;
	uint8_t *at;
	int rc;

	if (op->set->geo.np)
		slots |= op->lost & op->data;
	rc = raid_op_buffers(op, (size_t)__builtin_popcountll(slots) * p->length);
	at = op->mem;
	for (unsigned s = 0; !rc && s < op->set->geo.n; s++) {
		p->v[s] = NULL;
		if (slots & raid_bit(s)) {
			p->v[s] = at;
			at += p->length;
		}
	}
	return rc;
}

static int read_survivors(struct part *p)
{
	struct raid_op *op = p->op;
	int rc = raid_op_reserve(op, op->set->geo.n);

	for (uint64_t left = p->from; left && !rc; left &= left - 1) {
		unsigned s = (unsigned)__builtin_ctzll(left);

		raid_op_add(op, BLK_READ, s, p->column, p->v[s], p->length);
	}
	if (rc || !op->used)
		return rc;
	raid_op_submit(op, 0);
	for (unsigned i = 0; i < op->used; i++) {
		struct raid_child *c = &op->child[i];

		if (!c->req.result)
			continue;
		if (c->req.result == -ENODEV && raid_member_fail(op->set, c->member, -ENODEV))
			return -EIO; /* needed and gone: that is no matter of single blocks */
		for (uint64_t at = 0; at < c->req.length; at += RAID_BLOCK)
			if (raid_op_settle_block(op, c, at))
				p->lost_blocks[at / RAID_BLOCK / 64] |=
					raid_bit(at / RAID_BLOCK % 64);
	}
	return 0;
}

static void restore(struct part *p, uint64_t want)
{
	struct raid_op *op = p->op;
	unsigned copies = op->set->geo.copies;

	if (op->set->geo.np) {
		parity_recover_some(&op->group, op->lost, want, (void *const *)p->v, p->length);
		return;
	}
	for (; want; want &= want - 1) {
		unsigned s = (unsigned)__builtin_ctzll(want);
		uint64_t leg = p->from & raid_mask(s / copies * copies, copies);

		memcpy(p->v[s], p->v[__builtin_ctzll(leg)], p->length);
	}
}

/* Writes runs of blocks that are known to the targets. */
static int write_targets(struct part *p)
{
	struct raid_op *op = p->op;
	uint32_t blocks = (p->length + RAID_BLOCK - 1) / RAID_BLOCK;
	int rc = raid_op_reserve(op, op->set->geo.n * (blocks / 2 + 1));

	if (rc)
		return rc;
	for (uint32_t b = 0; b < blocks; b++) {
		uint32_t at = b * RAID_BLOCK,
			 n = p->length - at < RAID_BLOCK ? p->length - at : RAID_BLOCK;

		if (block_lost(p, b))
			continue;
		for (uint64_t left = p->targets; left; left &= left - 1) {
			unsigned s = (unsigned)__builtin_ctzll(left);

			raid_op_add(op, BLK_WRITE, s, p->column + at, p->v[s] + at, n);
		}
	}
	raid_op_submit(op, 0);
	rc = raid_op_settle_writes(op, 0, NULL);
	for (unsigned i = 0; i < op->used; i++)
		if (op->child[i].req.result && !p->rb->target_error)
			p->rb->target_error = op->child[i].req.result;
	return rc ? rc : p->rb->target_error;
}

static int fill_part(struct part *p)
{
	struct raid_op *op = p->op;
	uint32_t blocks = (p->length + RAID_BLOCK - 1) / RAID_BLOCK;
	int rc;

	p->from = raid_op_sources(op, p->targets);
	if (!p->from)
		return -EIO;
	rc = take_buffers(p);
	if (!rc)
		rc = read_survivors(p);
	if (rc)
		return rc;
	restore(p, p->targets);
	rc = write_targets(p);
	for (uint32_t b = 0; b < blocks && !rc; b++) {
		uint32_t at = b * RAID_BLOCK;

		if (block_lost(p, b))
			rc = lose_block(p, p->column + at,
				p->length - at < RAID_BLOCK ? p->length - at : RAID_BLOCK);
	}
	return rc;
}

/* All columns of targets that are restored from the same slots. */
static int fill_cells(struct rebuild *rb, struct raid_op *op, uint64_t targets)
{
	uint32_t column = 0;
	int rc = 0;

	while (column < op->g.cell && !rc) {
		uint32_t left = op->g.cell - column, slice = raid_walk_slice(&rb->walk);
		struct part p = {.rb = rb,
			.op = op,
			.targets = targets,
			.column = column,
			.length = left < slice ? left : slice};

		rc = fill_part(&p);
		raid_op_buffers_free(op);
		column += p.length;
	}
	return rc;
}

static int fill_row(struct raid_walk *w, struct raid_op *op)
{
	struct rebuild *rb = container_of(w, struct rebuild, walk);
	const struct raid_geo *g = &op->set->geo;
	uint64_t targets = members_wanting(rb, op->g.row) >> op->g.first;
	uint64_t gone = targets & ~(op->writable & w->pass.slots >> op->g.first);
	int rc = 0;

	if (gone)
		return target_gone(rb, op->g.first + (unsigned)__builtin_ctzll(gone));
	if (g->np)
		return fill_cells(rb, op, targets);
	while (targets && !rc) { /* leg by leg */
		unsigned first = (unsigned)__builtin_ctzll(targets) / g->copies * g->copies;
		uint64_t leg = raid_mask(first, g->copies);

		rc = fill_cells(rb, op, targets & leg);
		targets &= ~leg;
	}
	return rc;
}

/* ---- beginning and ending -------------------------------------------------------------------- */

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static int save_progress(struct rebuild *rb)
{
	struct raid_set *set = rb->walk.set;
	struct raid_run *run = rb->walk.run;
	uint64_t mark = raid_walk_reached(&rb->walk), least = UINT64_MAX;
	int rc = raid_flush_members(rb->op, rb->slots); /* after mark was read */

	if (rc)
		return rc;
	for (uint64_t left = rb->slots; left; left &= left - 1) {
		unsigned m = (unsigned)__builtin_ctzll(left);

		if (!still_filling(rb, m))
			return target_gone(rb, m);
		set->slots[m].m.watermark = max_u64(mark, rb->base[m]);
		if (set->slots[m].m.watermark < least)
			least = set->slots[m].m.watermark;
	}
	return run->checkpoint ? run->checkpoint(run, least) : 0;
}

static int checkpoint(struct raid_walk *w)
{
	return save_progress(container_of(w, struct rebuild, walk));
}

static int begin(struct rebuild *rb, bool catch_up)
{
	struct raid_set *set = rb->walk.set;
	int rc = 0;

	raid_freeze(set);
	if (set->pass || set->copying)
		rc = -EBUSY;
	else if (set->failed || !rb->slots || !raid_shape_redundancy(&set->shape))
		rc = -EIO;
	for (uint64_t left = rb->slots; left && !rc; left &= left - 1) {
		const struct raid_member *m = &set->slots[__builtin_ctzll(left)].m;

		if (!m->dev || m->state == RAID_MEMBER_IN_SYNC || m->state == RAID_MEMBER_MISSING)
			rc = -EINVAL;
	}
	for (uint64_t left = rb->slots; left && !rc; left &= left - 1) {
		struct raid_member *m = &set->slots[__builtin_ctzll(left)].m;

		if (catch_up)
			m->watermark = set->shape.member_size;
		if (!set->bitmap.dirty_on) /* nobody knows what was missed */
			m->watermark = 0;
		m->state = RAID_MEMBER_REBUILDING;
		rb->base[__builtin_ctzll(left)] = m->watermark;
	}
	if (!rc)
		set->pass = &rb->walk.pass;
	raid_state_changed(set);
	raid_thaw(set);
	return rc;
}

/* Success, or back to STALE with the watermark of the last checkpoint. Where complete failed, what it had
 * begun may stand on some drive: the member stays one that writes reach. */
static int end(struct rebuild *rb, int rc)
{
	enum raid_member_state otherwise = RAID_MEMBER_STALE;
	struct raid_set *set = rb->walk.set;

	if (!rc || rc == -ECANCELED) {
		int saved = save_progress(rb);

		rc = saved ? saved : rc;
	}
	raid_freeze(set);
	for (uint64_t left = rb->slots; left; left &= left - 1) {
		unsigned m = (unsigned)__builtin_ctzll(left);

		if (!still_filling(rb, m))
			rc = target_gone(rb, m);
	}
	if (!rc && rb->walk.run->complete) {
		rc = rb->walk.run->complete(rb->walk.run);
		otherwise = RAID_MEMBER_REBUILDING;
	}
	for (uint64_t left = rb->walk.pass.slots; left; left &= left - 1) {
		struct raid_member *m = &set->slots[__builtin_ctzll(left)].m;

		if (m->state != RAID_MEMBER_REBUILDING)
			continue;
		m->state = rc ? otherwise : RAID_MEMBER_IN_SYNC;
		if (!rc)
			m->watermark = set->shape.member_size;
	}
	set->pass = NULL;
	raid_state_changed(set);
	raid_thaw(set);
	return rb->target_error ? rb->target_error : rc;
}

int raid_rebuild(struct raid_set *set, uint64_t slot_mask, bool catch_up, struct raid_run *run)
{
	struct rebuild *rb = calloc(1, sizeof(*rb));
	int rc = -ENOMEM;

	if (!rb)
		return rc;
	rb->slots = slot_mask & raid_mask(0, set->shape.members);
	rb->walk = (struct raid_walk){.set = set,
		.run = run,
		.row_work = set->geo.cell,
		.wanted = row_wanted,
		.step = fill_row,
		.checkpoint = checkpoint};
	rb->walk.pass.slots = rb->slots;
	rb->op = raid_op_new(set);
	if (rb->op)
		rc = begin(rb, catch_up);
	if (!rc)
		rc = end(rb, raid_walk_run(&rb->walk));
	raid_op_free(rb->op);
	free(rb);
	return rc;
}
