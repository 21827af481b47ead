/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads that are not simply there: the member is not current, could not read, or wants larger
 * blocks than the caller. A worker takes the row shared, so that no writer changes data and
 * parity under it, and reads or restores just the blocks asked for.
 */
#include "raid/raid_internal.h"

#include <errno.h>

static uint32_t align_down(uint32_t v)
{
	return v & ~(uint32_t)(RAID_BLOCK - 1);
}

/* Buffers per slot of the columns; v[s] is NULL where none is needed. */
static int take_buffers(struct raid_op *op, uint64_t slots, uint32_t length, void **v)
{
	uint8_t *at;
	int rc = raid_op_buffers(op, (size_t)__builtin_popcountll(slots) * length);

	at = op->mem;
	for (unsigned s = 0; s < op->set->geo.n; s++) {
		v[s] = NULL;
		if (!rc && slots & raid_bit(s)) {
			v[s] = at;
			at += length;
		}
	}
	return rc;
}

/*
 * Columns [column, column + length) of one slot into a buffer (*out, in op->mem), from the
 * slot itself if it is current and from the others if not.
 */
static int load(struct raid_op *op, unsigned slot, uint32_t column, uint32_t length, uint8_t **out)
{
	bool restore = op->lost & raid_bit(slot);
	uint64_t from = raid_op_sources(op, raid_bit(slot));
	uint64_t buffers = from | raid_bit(slot);
	void *v[RAID_MAX_MEMBERS];
	int rc;

	if (!from)
		return -EIO;
	if (op->set->geo.np && restore)
		buffers |= op->lost & op->data;
	rc = take_buffers(op, buffers, length, v);
	if (!rc)
		rc = raid_op_reserve(op, RAID_MAX_MEMBERS);
	if (rc)
		return rc;
	for (unsigned s = 0; s < op->set->geo.n; s++)
		if (from & raid_bit(s))
			raid_op_add(op, BLK_READ, s, column, v[s], length);
	raid_op_submit(op, 0);
	rc = raid_op_settle_reads(op);
	if (rc)
		return rc;
	*out = v[slot];
	if (!restore)
		return 0;
	if (op->set->geo.np)
		parity_recover_some(&op->group, op->lost, raid_bit(slot), v, length);
	else
		*out = v[__builtin_ctzll(from)];
	return 0;
}

/* Part of a piece that lies in one cell. */
static int read_cell(struct raid_op *op, struct raid_piece *p, uint64_t at, unsigned slot,
	uint32_t column, uint32_t length)
{
	uint32_t slice = op->set->slice;

	while (length) {
		uint32_t lo = align_down(column), hi = column + length;
		uint8_t *data;
		uint32_t n;
		int rc;

		hi = align_down(hi + RAID_BLOCK - 1);
		if (hi > op->g.cell)
			hi = op->g.cell;
		if (hi - lo > slice)
			hi = lo + slice;
		n = hi - column < length ? hi - column : length;
		rc = load(op, slot, lo, hi - lo, &data);
		if (!rc)
			raid_piece_put(p, at - p->offset, data + (column - lo), n);
		raid_op_buffers_free(op);
		if (rc)
			return rc;
		at += n;
		column += n;
		length -= n;
	}
	return 0;
}

/* The part of [at, end) that lies in one cell of one row; returns its length or an error. */
static int64_t read_row(struct raid_op *op, struct raid_piece *p, uint64_t at, uint64_t end)
{
	struct raid_set *set = op->set;
	uint64_t number = at / set->geo.row_bytes, length, in_row;
	struct raid_row *row = raid_row_get(&set->rows, number);
	struct raid_place place;
	unsigned slot;
	int rc;

	if (!row)
		return -ENOMEM;
	raid_row_lock(row, false);
	raid_op_row(op, number);
	raid_map_geo(&set->shape, &set->geo, at, &place);
	in_row = at - op->g.start;
	length = op->g.cell - in_row % op->g.cell;
	if (length > end - at)
		length = end - at;
	slot = place.member - op->g.first;
	if (set->geo.copies > 1) {
		/* the one that failed again: that finds and repairs the very block */
		int copy = p->error && !(op->lost & raid_bit(p->member))
				   ? (int)p->member
				   : raid_pick_copy(set, &place);

		slot = copy < 0 ? slot : (unsigned)copy;
	}
	rc = read_cell(op, p, at, slot, (uint32_t)(in_row % op->g.cell), (uint32_t)length);
	raid_row_unlock(row);
	raid_row_put(row);
	return rc ? rc : (int64_t)length;
}

/* Concatenations have no rows to lock: plain reads in whole blocks. */
static int64_t read_span(struct raid_op *op, struct raid_piece *p, uint64_t at, uint64_t end)
{
	struct raid_set *set = op->set;
	uint64_t lo = at / RAID_BLOCK * RAID_BLOCK, hi;
	struct raid_place place;
	const struct raid_member *m;
	int rc;

	raid_map_geo(&set->shape, &set->geo, lo, &place);
	hi = (end + RAID_BLOCK - 1) / RAID_BLOCK * RAID_BLOCK;
	if (hi - lo > RAID_FLAT_UNIT)
		hi = lo + RAID_FLAT_UNIT;
	if (hi - lo > place.length)
		hi = lo + place.length;
	m = &set->slots[place.member].m;
	rc = m->dev ? raid_op_buffers(op, hi - lo) : -ENODEV;
	if (!rc)
		rc = blk_read(m->dev, m->start + place.offset, op->mem, hi - lo);
	if (hi > end)
		hi = end;
	if (!rc)
		raid_piece_put(p, at - p->offset, op->mem + (at - lo), hi - at);
	raid_op_buffers_free(op);
	return rc ? rc : (int64_t)(hi - at);
}

/* A read error on a level without redundancy can only be told. */
static bool hopeless(struct raid_set *set, const struct raid_piece *p)
{
	if (!p->error || raid_shape_redundancy(&set->shape))
		return false;
	if (p->error != -ENODEV && set->events.medium_error)
		set->events.medium_error(set->events.ctx, p->member,
			p->req.offset - set->slots[p->member].m.start, p->length, false);
	return true;
}

void raid_read_slow(struct raid_op *op, struct raid_work *work)
{
	struct raid_piece *p = container_of(work, struct raid_piece, work);
	struct raid_set *set = op->set;
	uint64_t at = p->offset, end = at + p->length;
	int rc = 0;

	if (hopeless(set, p)) {
		raid_piece_done(p, p->error == -ENODEV ? -EIO : p->error);
		return;
	}
	if (p->error == -ENODEV)
		raid_member_fail(set, p->member, -ENODEV);
	while (at < end && !rc) {
		int64_t n = set->shape.level == RAID_SPAN ? read_span(op, p, at, end)
							  : read_row(op, p, at, end);

		if (n < 0)
			rc = (int)n;
		else
			at += (uint64_t)n;
		raid_op_repair_later(op);
	}
	raid_piece_done(p, rc == -ENODEV ? -EIO : rc);
}
