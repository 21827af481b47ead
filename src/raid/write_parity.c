/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes of a parity row. Columns (byte positions inside the cells) are independent of each
 * other, so the row is treated as a sequence of segments: runs of columns in which the same data
 * slots change. For each segment the cheapest way to new parity is chosen:
 *
 *   full    every data slot changes: parity from the new data, nothing is read
 *   rcw     read the data that stays, compute parity afresh (reconstruct-write)
 *   rmw     read what changes and the old parity, apply the difference (read-modify-write)
 *   plain   no parity of the row can be kept: just write the data
 *
 * Fewer reads win, rcw on ties. A slot that is lost and written needs rcw; one that is lost and
 * not written needs rmw (or, if another lost one is written, everything that is left, to
 * restore it first). Where parity may be wrong since a crash, rcw, which makes it right.
 *
 * All segments share three rounds: reads, computing, writes. Between computing and writing
 * (`prepare`) old and new parity inputs are at hand: the place for a write-ahead log of partial
 * parity. Nothing is written before everything needed has been read and computed.
 *
 * A row wider than set->slice columns is done slice by slice under the same lock.
 */
#include "raid/raid_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { MAX_BLOCKS = 128 }; /* in a slice */
_Static_assert(MAX_BLOCKS *RAID_BLOCK >= RAID_MAX_SLICE, "a slice must fit the tables below");

enum way { WAY_PLAIN, WAY_FULL, WAY_RCW, WAY_RMW };

struct segment {
	uint32_t lo, hi;  /* columns, relative to the slice */
	uint64_t changed; /* data slots */
	enum way way;
	uint64_t want; /* slots whose old content is needed */
	uint64_t from; /* slots that are read for that */
};

struct slice {
	struct raid_op *op;
	struct raid_piece **pieces;
	unsigned count;
	uint32_t column, length;            /* in the cells */
	uint64_t changed[MAX_BLOCKS];       /* per block: data slots that change */
	uint64_t partial[MAX_BLOCKS];       /* … of them, those that change only in part */
	uint16_t touches[RAID_MAX_MEMBERS]; /* pieces that reach a slot's columns */
	struct segment seg[MAX_BLOCKS];
	unsigned segs;
	uint8_t *old[RAID_MAX_MEMBERS]; /* content before, where read or restored */
	uint8_t *new[RAID_MAX_MEMBERS]; /* data to write; may be the caller's memory */
	uint64_t copied;                /* slots whose new data is in our buffers */
	uint8_t *new_p, *new_q;
	bool has_p, has_q; /* parity that will be written */
};

/* ---- what changes ------------------------------------------------------------------------ */

/* A piece's part in one cell, clipped to the slice. */
struct part {
	unsigned slot;
	uint32_t lo, hi; /* columns, relative to the slice */
	uint64_t at;     /* in the piece */
};

/* Calls fn for every part of every piece. */
static void for_each_part(
	struct slice *s, void (*fn)(struct slice *s, struct raid_piece *p, const struct part *part))
{
	const struct raid_op *op = s->op;
	uint32_t cell = op->g.cell, end = s->column + s->length;

	for (unsigned i = 0; i < s->count; i++) {
		struct raid_piece *p = s->pieces[i];
		uint64_t in_row = p->offset - op->g.start, stop = in_row + p->length, next;

		for (uint64_t pos = in_row; pos < stop; pos = next) {
			unsigned index = (unsigned)(pos / cell);
			uint32_t lo = (uint32_t)(pos % cell), hi, from;

			next = (index + 1) * (uint64_t)cell;
			if (next > stop)
				next = stop;
			hi = lo + (uint32_t)(next - pos);
			from = lo < s->column ? s->column : lo;
			if (hi > end)
				hi = end;
			if (from >= hi)
				continue;
			fn(s, p,
				&(struct part){.slot = raid_row_slot(&op->set->geo, &op->g, index),
					.lo = from - s->column,
					.hi = hi - s->column,
					.at = pos - in_row + (from - lo)});
		}
	}
}

static void note_part(struct slice *s, struct raid_piece *p, const struct part *part)
{
	uint32_t first = part->lo / RAID_BLOCK, last = (part->hi - 1) / RAID_BLOCK;
	uint64_t bit = raid_bit(part->slot);

	(void)p;
	s->touches[part->slot]++;
	for (uint32_t b = first; b <= last; b++)
		s->changed[b] |= bit;
	if (part->lo % RAID_BLOCK)
		s->partial[first] |= bit;
	if (part->hi % RAID_BLOCK)
		s->partial[last] |= bit;
}

/* Takes the caller's memory as it is where one buffer holds all of a slot's new data. */
static void borrow_part(struct slice *s, struct raid_piece *p, const struct part *part)
{
	uint8_t *ptr;

	if (s->touches[part->slot] != 1 || (part->lo | part->hi) % RAID_BLOCK)
		return;
	ptr = raid_piece_ptr(p, part->at, part->hi - part->lo);
	if (!ptr)
		return;
	s->new[part->slot] = (uint8_t *)((uintptr_t)ptr - part->lo);
	s->copied &= ~raid_bit(part->slot);
}

static void copy_part(struct slice *s, struct raid_piece *p, const struct part *part)
{
	if (s->copied & raid_bit(part->slot))
		raid_piece_get(p, part->at, s->new[part->slot] + part->lo, part->hi - part->lo);
}

static void find_segments(struct slice *s)
{
	uint64_t all = 0;

	for_each_part(s, note_part);
	for (uint32_t b = 0; b * RAID_BLOCK < s->length; b++) {
		struct segment *last = s->segs ? &s->seg[s->segs - 1] : NULL;
		uint32_t lo = b * RAID_BLOCK;

		all |= s->changed[b];
		if (!s->changed[b])
			continue;
		if (last && last->hi == lo && last->changed == s->changed[b])
			last->hi += RAID_BLOCK;
		else
			s->seg[s->segs++] = (struct segment){
				.lo = lo, .hi = lo + RAID_BLOCK, .changed = s->changed[b]};
	}
	s->copied = all;
	for_each_part(s, borrow_part);
}

/* ---- the way to new parity ----------------------------------------------------------------- */

static uint64_t parity_bits(const struct raid_op *op)
{
	return raid_mask(0, op->set->geo.n) & ~op->data;
}

static bool must_mend(const struct raid_op *op)
{
	const struct raid_set *set = op->set;

	return set->resync &&
	       raid_region_dirty(&set->bitmap, raid_region_of(&set->bitmap, op->g.start));
}

static int plan_segment(const struct raid_op *op, struct segment *seg)
{
	uint64_t stays = op->data & ~seg->changed;
	uint64_t kept = parity_bits(op) & op->writable & ~op->lost; /* parity that has a past */
	uint64_t fresh = parity_bits(op) & op->writable;
	bool rmw = !(seg->changed & op->lost) && kept;
	bool rcw = !(stays & op->lost);

	if (!fresh || (!kept && !rcw))
		seg->way = WAY_PLAIN; /* parity that is still being rebuilt comes later */
	else if (!stays)
		seg->way = WAY_FULL;
	else if (rmw && !(rcw && must_mend(op)) &&
		 (!rcw || __builtin_popcountll(seg->changed | kept) < __builtin_popcountll(stays)))
		seg->way = WAY_RMW;
	else
		seg->way = WAY_RCW;
	if (seg->way == WAY_RMW)
		seg->want = seg->changed | kept;
	else if (seg->way == WAY_RCW)
		seg->want = stays;
	seg->from = raid_op_sources(op, seg->want);
	return seg->want && !seg->from ? -EIO : 0;
}

static int plan(struct slice *s, uint64_t *need_old)
{
	const struct raid_op *op = s->op;

	*need_old = 0;
	for (unsigned i = 0; i < s->segs; i++) {
		struct segment *seg = &s->seg[i];
		uint64_t parity;
		int rc = plan_segment(op, seg);

		if (rc)
			return rc;
		*need_old |= seg->want | seg->from;
		if (seg->want & op->lost)
			*need_old |= op->lost & op->data;
		parity = seg->way == WAY_PLAIN ? 0 : parity_bits(op) & op->writable;
		if (seg->way == WAY_RMW)
			parity &= ~op->lost;
		s->has_p |= op->g.p >= 0 && parity & raid_bit((unsigned)op->g.p);
		s->has_q |= op->g.q >= 0 && parity & raid_bit((unsigned)op->g.q);
	}
	return 0;
}

static int take_buffers(struct slice *s, uint64_t need_old)
{
	unsigned count =
		(unsigned)(__builtin_popcountll(need_old) + __builtin_popcountll(s->copied)) +
		s->has_p + s->has_q;
	int rc = raid_op_buffers(s->op, (size_t)count * s->length);
	uint8_t *at = s->op->mem;

	if (rc)
		return rc;
	for (unsigned m = 0; m < s->op->set->geo.n; m++) {
		if (need_old & raid_bit(m)) {
			s->old[m] = at;
			at += s->length;
		}
		if (s->copied & raid_bit(m)) {
			s->new[m] = at;
			at += s->length;
		}
	}
	if (s->has_p) {
		s->new_p = at;
		at += s->length;
	}
	if (s->has_q)
		s->new_q = at;
	return 0;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* Blocks that change only in part: their old content goes under the new data. */
static int read_partial(struct slice *s)
{
	struct raid_op *op = s->op;
	unsigned count = 0;
	int rc;

	for (uint32_t b = 0; b * RAID_BLOCK < s->length; b++)
		count += (unsigned)__builtin_popcountll(s->partial[b]);
	rc = raid_op_reserve(op, count);
	for (uint32_t b = 0; b * RAID_BLOCK < s->length && !rc; b++) {
		for (uint64_t left = s->partial[b]; left && !rc; left &= left - 1) {
			unsigned m = (unsigned)__builtin_ctzll(left);
			uint32_t column = s->column + b * RAID_BLOCK;
			uint8_t *dst = s->new[m] + b *RAID_BLOCK;

			if (op->lost & raid_bit(m))
				rc = raid_op_rescue(op, m, column, RAID_BLOCK, dst);
			else
				raid_op_add(op, BLK_READ, m, column, dst, RAID_BLOCK);
		}
	}
	if (rc || !op->used)
		return rc;
	raid_op_submit(op, 0);
	return raid_op_settle_reads(op);
}

static void offset_all(void **out, uint8_t *const *in, unsigned n, uint32_t by)
{
	for (unsigned m = 0; m < n; m++)
		out[m] = in[m] ? in[m] + by : NULL;
}

static int read_old(struct slice *s)
{
	struct raid_op *op = s->op;
	void *v[RAID_MAX_MEMBERS];
	int rc = raid_op_reserve(op, s->segs * op->set->geo.n);

	if (rc)
		return rc;
	for (unsigned i = 0; i < s->segs; i++) {
		struct segment *seg = &s->seg[i];

		for (uint64_t left = seg->from; left; left &= left - 1) {
			unsigned m = (unsigned)__builtin_ctzll(left);

			raid_op_add(op, BLK_READ, m, s->column + seg->lo, s->old[m] + seg->lo,
				seg->hi - seg->lo);
		}
	}
	raid_op_submit(op, 0);
	rc = raid_op_settle_reads(op);
	for (unsigned i = 0; i < s->segs && !rc; i++) {
		struct segment *seg = &s->seg[i];

		if (!(seg->want & op->lost))
			continue;
		offset_all(v, s->old, op->set->geo.n, seg->lo);
		if (!parity_recover_some(
			    &op->group, op->lost, seg->want & op->lost, v, seg->hi - seg->lo))
			rc = -EIO;
	}
	return rc;
}

/* ---- computing and writing --------------------------------------------------------------- */

static void compute_segment(struct slice *s, const struct segment *seg)
{
	struct raid_op *op = s->op;
	unsigned n = op->set->geo.n;
	uint64_t lost = seg->way == WAY_RMW ? op->lost : 0;
	bool p = s->has_p && !(lost & raid_bit((unsigned)op->g.p));
	bool q = s->has_q && !(lost & raid_bit((unsigned)op->g.q));
	void *old[RAID_MAX_MEMBERS], *new[RAID_MAX_MEMBERS];
	size_t length = seg->hi - seg->lo;
	uint8_t *new_p = p ? s->new_p + seg->lo : NULL, *new_q = q ? s->new_q + seg->lo : NULL;

	offset_all(old, s->old, n, seg->lo);
	offset_all(new, s->new, n, seg->lo);
	if (seg->way == WAY_RMW) {
		parity_update(&op->group, seg->changed, (const void *const *)old,
			(const void *const *)new, length, p ? old[op->g.p] : NULL, new_p,
			q ? old[op->g.q] : NULL, new_q);
		return;
	}
	for (unsigned m = 0; m < n; m++)
		if (!(seg->changed & raid_bit(m)))
			new[m] = old[m];
	parity_generate(&op->group, (const void *const *)new, length, new_p, new_q);
}

/*
 * Everything is known and nothing is written: a write-ahead log of partial parity belongs
 * here. Until there is one, the dirty bit of the region is what a crash leaves behind.
 */
static int prepare(struct slice *s)
{
	(void)s;
	return 0;
}

static void add_parity(struct slice *s, const struct segment *seg, int slot, uint8_t *data)
{
	const struct raid_op *op = s->op;

	if (!data || seg->way == WAY_PLAIN)
		return;
	if (seg->way == WAY_RMW && op->lost & raid_bit((unsigned)slot))
		return;
	raid_op_add(s->op, BLK_WRITE, (unsigned)slot, s->column + seg->lo, data + seg->lo,
		seg->hi - seg->lo);
}

/*
 * Some members have the new row and one that was needed has not: what a lost slot held can no
 * longer be told in these columns. Say so, rather than give something wrong later.
 */
static void give_up_lost(struct slice *s)
{
	struct raid_op *op = s->op;
	struct raid_set *set = op->set;

	raid_torn(set);
	raid_op_row(op, op->g.row); /* including those that were lost just now */
	for (unsigned i = 0; i < s->segs; i++) {
		for (uint64_t left = op->lost & op->data; left; left &= left - 1) {
			unsigned m = (unsigned)__builtin_ctzll(left);
			uint64_t at = op->g.start + s->column + s->seg[i].lo +
				      (uint64_t)raid_row_index(&set->geo, &op->g, m) * op->g.cell;
			uint64_t length = s->seg[i].hi - s->seg[i].lo;

			raid_lose(set, at, length); /* the request fails in any case */
			raid_tell_lost(set, at, length);
		}
	}
}

static int write_new(struct slice *s, unsigned flags)
{
	struct raid_op *op = s->op;
	bool torn;
	int rc = raid_op_reserve(op, s->segs * op->set->geo.n);

	if (rc)
		return rc;
	for (unsigned i = 0; i < s->segs; i++) {
		const struct segment *seg = &s->seg[i];

		for (uint64_t left = seg->changed & op->writable; left; left &= left - 1) {
			unsigned m = (unsigned)__builtin_ctzll(left);

			raid_op_add(op, BLK_WRITE, m, s->column + seg->lo, s->new[m] + seg->lo,
				seg->hi - seg->lo);
		}
		add_parity(s, seg, op->g.p, s->new_p);
		add_parity(s, seg, op->g.q, s->new_q);
	}
	raid_op_submit(op, flags);
	rc = raid_op_settle_writes(op, flags, &torn);
	if (torn)
		give_up_lost(s);
	return rc;
}

static int write_slice(struct slice *s, unsigned flags)
{
	uint64_t need_old;
	int rc;

	find_segments(s);
	if (!s->segs)
		return 0;
	rc = plan(s, &need_old);
	if (!rc)
		rc = take_buffers(s, need_old);
	if (!rc)
		rc = read_partial(s);
	if (!rc) {
		for_each_part(s, copy_part);
		rc = read_old(s);
	}
	for (unsigned i = 0; i < s->segs && !rc; i++)
		if (s->seg[i].way != WAY_PLAIN)
			compute_segment(s, &s->seg[i]);
	if (!rc)
		rc = prepare(s);
	if (!rc)
		rc = write_new(s, flags);
	raid_op_buffers_free(s->op);
	return rc;
}

/* ---- the row ----------------------------------------------------------------------------- */

/* Zeroes over the whole row need no parity arithmetic: zero data has zero parity. */
static bool is_zero_row(const struct raid_op *op, struct raid_piece **pieces, unsigned count)
{
	return count == 1 && raid_piece_is_zero(pieces[0]) &&
	       pieces[0]->length == op->set->geo.row_bytes;
}

static int zero_row(struct raid_op *op, unsigned flags)
{
	bool torn;
	int rc = raid_op_reserve(op, op->set->geo.n);

	if (rc)
		return rc;
	for (unsigned m = 0; m < op->set->geo.n; m++)
		if (op->writable & raid_bit(m))
			raid_op_add_at(
				op, BLK_ZERO, op->g.first + m, op->g.member_offset, op->g.cell);
	raid_op_submit(op, flags);
	rc = raid_op_settle_writes(op, flags, &torn);
	if (torn)
		raid_torn(op->set); /* the whole row was to change: nothing else is lost */
	return rc;
}

/* The columns that any piece touches, in whole blocks. */
static void find_hull(const struct raid_op *op, struct raid_piece **pieces, unsigned count,
	uint32_t *lo, uint32_t *hi)
{
	uint32_t cell = op->g.cell;

	*lo = cell;
	*hi = 0;
	for (unsigned i = 0; i < count; i++) {
		uint64_t from = pieces[i]->offset - op->g.start, to = from + pieces[i]->length;
		bool one_cell = from / cell == (to - 1) / cell;
		uint32_t a = one_cell ? (uint32_t)(from % cell) : 0;
		uint32_t b = one_cell ? (uint32_t)((to - 1) % cell) + 1 : cell;

		if (a < *lo)
			*lo = a;
		if (b > *hi)
			*hi = b;
	}
	*lo -= *lo % RAID_BLOCK;
	*hi = (*hi + RAID_BLOCK - 1) / RAID_BLOCK * RAID_BLOCK;
}

int raid_write_parity(struct raid_op *op, struct raid_piece **pieces, unsigned count)
{
	unsigned flags = raid_piece_flags(pieces[0]);
	uint32_t lo, hi;
	int rc = 0;

	if (is_zero_row(op, pieces, count))
		return zero_row(op, flags);
	find_hull(op, pieces, count, &lo, &hi);
	while (lo < hi && !rc) {
		uint32_t n = hi - lo < op->set->slice ? hi - lo : op->set->slice;
		struct slice s = {
			.op = op, .pieces = pieces, .count = count, .column = lo, .length = n};

		rc = write_slice(&s, flags);
		lo += n;
	}
	return rc;
}
