/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes on levels without parity: each piece goes to every copy of its cells, straight from the
 * caller's buffers. Where members want blocks larger than the caller's, the edges are read
 * first. All copies of all pieces are one round.
 */
#include "raid/raid_internal.h"

#include <errno.h>
#include <stdlib.h>

/* Where a piece goes, cell by cell. */
struct target {
	unsigned member; /* the first copy */
	uint64_t offset; /* on the members */
	uint64_t length;
};

/* The cell at offset `at` of the piece. */
static void next_target(
	const struct raid_op *op, const struct raid_piece *p, uint64_t at, struct target *t)
{
	const struct raid_set *set = op->set;
	uint64_t left = p->length - at;
	struct raid_place place;

	raid_map_geo(&set->shape, &set->geo, p->offset + at, &place);
	*t = (struct target){place.member, place.offset, place.length < left ? place.length : left};
}

/* iov NULL: zeros. */
static void add_target(
	struct raid_op *op, const struct target *t, const struct iovec *iov, int iovcnt)
{
	for (unsigned m = t->member; m < t->member + op->set->geo.copies; m++) {
		if (!raid_member_writable(op->set, m))
			continue;
		if (iov)
			raid_op_add_iov(op, BLK_WRITE, m, t->offset, iov, iovcnt, t->length);
		else
			raid_op_add_at(op, BLK_ZERO, m, t->offset, t->length);
	}
}

static void add_piece(struct raid_op *op, const struct raid_piece *p, struct iovec **room)
{
	struct target t;

	for (uint64_t at = 0; at < p->length; at += t.length) {
		next_target(op, p, at, &t);
		if (raid_piece_is_zero(p)) {
			add_target(op, &t, NULL, 0);
		} else {
			int used = raid_iov_slice(p->iov, p->iovcnt, at, t.length, *room);

			add_target(op, &t, *room, used);
			*room += used;
		}
	}
}

/* Writes that failed although they were needed leave copies that may differ. */
static int finish(struct raid_op *op, unsigned flags)
{
	bool torn;
	int rc;

	raid_op_submit(op, flags);
	rc = raid_op_settle_writes(op, flags, &torn);
	if (torn && op->set->geo.copies > 1)
		raid_torn(op->set);
	return rc;
}

/* ---- pieces that cut the members' blocks --------------------------------------------------- */

static int read_block(struct raid_op *op, uint64_t set_offset, uint8_t *dst)
{
	const struct raid_set *set = op->set;
	const struct raid_member *m;
	struct raid_place place;
	int copy, rc;

	raid_map_geo(&set->shape, &set->geo, set_offset, &place);
	copy = raid_pick_copy(set, &place);
	if (copy < 0)
		return -EIO;
	m = &set->slots[copy].m;
	if (set->geo.copies == 1)
		return m->dev ? blk_read(m->dev, m->start + place.offset, dst, RAID_BLOCK)
			      : -ENODEV;
	rc = raid_op_reserve(op, 1);
	if (rc)
		return rc;
	raid_op_add(op, BLK_READ, (unsigned)copy, (uint32_t)(place.offset - op->g.member_offset),
		dst, RAID_BLOCK);
	raid_op_submit(op, 0);
	return raid_op_settle_reads(op);
}

/* Bytes [from, to) of the set, which lie in one cell, through a buffer of whole blocks. */
static int write_edges(struct raid_op *op, const struct raid_piece *p, struct target *t,
	uint64_t from, uint64_t to)
{
	uint64_t lo = from / RAID_BLOCK * RAID_BLOCK;
	uint64_t hi = (to + RAID_BLOCK - 1) / RAID_BLOCK * RAID_BLOCK, last = hi - RAID_BLOCK;
	struct iovec iov;
	int rc = raid_op_buffers(op, hi - lo);

	if (!rc && lo < from)
		rc = read_block(op, lo, op->mem);
	if (!rc && to < hi && (last != lo || lo == from))
		rc = read_block(op, last, op->mem + (last - lo));
	if (!rc)
		rc = raid_op_reserve(op, RAID_MAX_MEMBERS);
	if (!rc) {
		raid_piece_get(p, from - p->offset, op->mem + (from - lo), to - from);
		iov = (struct iovec){op->mem, hi - lo};
		t->offset -= from - lo;
		t->length = hi - lo;
		add_target(op, t, &iov, 1);
		rc = finish(op, raid_piece_flags(p));
	}
	raid_op_buffers_free(op);
	return rc;
}

static int write_unaligned(struct raid_op *op, const struct raid_piece *p)
{
	uint64_t length;
	struct target t;
	int rc = 0;

	for (uint64_t at = 0; at < p->length && !rc; at += length) {
		next_target(op, p, at, &t);
		length = t.length;
		rc = write_edges(op, p, &t, p->offset + at, p->offset + at + length);
	}
	return rc;
}

static bool aligned(const struct raid_op *op, const struct raid_piece *p)
{
	return (p->offset | p->length) % op->set->align == 0;
}

/* ---- the usual case ---------------------------------------------------------------------- */

/* Those of the pieces that need no edges, in one round. */
static int write_aligned(struct raid_op *op, struct raid_piece **pieces, unsigned count)
{
	unsigned requests = 0, cells, entries = 0;
	struct iovec *iov, *room;
	int rc;

	for (unsigned i = 0; i < count; i++) {
		/* a concatenation may change member within a row, even several times */
		cells = op->set->shape.level == RAID_SPAN
				? op->set->shape.members
				: (unsigned)(pieces[i]->length / op->g.cell) + 2;
		requests += cells * op->set->geo.copies;
		entries += (unsigned)pieces[i]->iovcnt + cells;
	}
	rc = raid_op_reserve(op, requests);
	if (rc)
		return rc;
	iov = room = calloc(entries, sizeof(*iov));
	if (!iov)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++)
		if (aligned(op, pieces[i]))
			add_piece(op, pieces[i], &room);
	rc = finish(op, raid_piece_flags(pieces[0]));
	free(iov);
	return rc;
}

int raid_write_copies(struct raid_op *op, struct raid_piece **pieces, unsigned count)
{
	unsigned plain = 0;
	int rc = 0;

	for (unsigned i = 0; i < count && !rc; i++) {
		if (aligned(op, pieces[i]))
			plain++;
		else
			rc = write_unaligned(op, pieces[i]);
	}
	return rc || !plain ? rc : write_aligned(op, pieces, count);
}
