/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consistency check, row by row under the row lock: read all that is there, restore what cannot
 * be read, compare copies or recompute parity, and mend by these rules:
 *
 *  - an unreadable block is restored and rewritten;
 *  - RAID 6: the syndromes name one wrong block, if it is one; that block is mended;
 *  - three copies or more: the majority wins;
 *  - otherwise nobody knows which side is wrong: counted, and only in REWRITE mode parity is
 *    rewritten from the data, or the preferred copy over the others.
 *
 * After a crash (only_dirty with REWRITE) no locating and no majority: half-written rows are
 * expected there, every mixture of old and new blocks is legal, and "locating" one wrong block
 * in what are several changed ones could damage a third. So parity follows data, copies follow
 * the one that has been read since the crash.
 *
 * Counts are in columns of 4 KiB: a block and what it should agree with.
 */
#include "raid/raid_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct check {
	struct raid_walk walk;
	enum raid_check_mode mode;
	int prefer;
	bool only_dirty;
};

/* Columns of a row being checked. */
struct part {
	struct check *ck;
	struct raid_op *op;
	struct raid_run *run;
	uint32_t column, length;
	uint64_t present;             /* slots with current content */
	uint8_t *v[RAID_MAX_MEMBERS]; /* what they hold; for lost slots what they should */
	uint8_t *p, *q;               /* parity as it should be */
	uint8_t *spare;               /* two blocks */
	uint64_t skip[RAID_MAX_SLICE / RAID_BLOCK / 64]; /* blocks nobody can give */
};

static uint32_t block_length(const struct part *p, uint32_t at)
{
	return p->length - at < RAID_BLOCK ? p->length - at : RAID_BLOCK;
}

static bool skipped(const struct part *p, uint32_t at)
{
	uint32_t b = at / RAID_BLOCK;

	return p->skip[b / 64] >> (b % 64) & 1;
}

static bool resyncing(const struct check *ck)
{
	return ck->only_dirty && ck->mode == RAID_CHECK_REWRITE;
}

/* ---- reading ----------------------------------------------------------------------------- */

static int take_buffers(struct part *p, uint64_t slots)
{
	struct raid_op *op = p->op;
	unsigned np = op->set->geo.np;
	size_t count = (size_t)__builtin_popcountll(slots) + np;
	int rc = raid_op_buffers(op, count * p->length + 2 * RAID_BLOCK);
	uint8_t *at = op->mem;

	if (rc)
		return rc;
	p->spare = at;
	at += 2 * RAID_BLOCK;
	for (unsigned s = 0; s < op->set->geo.n; s++) {
		if (slots & raid_bit(s)) {
			p->v[s] = at;
			at += p->length;
		}
	}
	if (np >= 1)
		p->p = at;
	if (np >= 2)
		p->q = at + p->length;
	return 0;
}

/* An unreadable block was met; its content is restored in memory. */
static void mend_unreadable(struct part *p, const struct raid_hurt *h)
{
	struct raid_op *op = p->op;
	struct raid_set *set = op->set;
	uint64_t region = raid_region_of(&set->bitmap, op->g.start);

	for (uint64_t at = h->offset; at < h->offset + h->length; at += RAID_BLOCK) {
		uint64_t left = h->offset + h->length - at;
		uint32_t n = left < RAID_BLOCK ? (uint32_t)left : RAID_BLOCK;
		bool ok = false;

		p->run->mismatches++;
		if (p->ck->mode != RAID_CHECK_COUNT && !raid_region_begin(op, region)) {
			ok = raid_repair_block(op, h->member - op->g.first,
				(uint32_t)(at - op->g.member_offset), n, p->spare);
			raid_region_end(set, region);
		}
		p->run->repaired += ok;
		if (set->events.medium_error)
			set->events.medium_error(set->events.ctx, h->member, at, n, ok);
	}
}

static void mend_all_unreadable(struct part *p)
{
	struct raid_op *op = p->op;
	struct raid_hurt hurt[RAID_OP_HURTS];
	unsigned hurts = op->hurts;

	memcpy(hurt, op->hurt, sizeof(hurt));
	op->hurts = 0;
	for (unsigned i = 0; i < hurts; i++)
		mend_unreadable(p, &hurt[i]);
	op->hurts = 0; /* met again on the way */
}

static int read_all(struct part *p)
{
	struct raid_op *op = p->op;
	int rc = raid_op_reserve(op, op->set->geo.n);

	if (rc)
		return rc;
	for (uint64_t left = p->present; left; left &= left - 1) {
		unsigned s = (unsigned)__builtin_ctzll(left);

		raid_op_add(op, BLK_READ, s, p->column, p->v[s], p->length);
	}
	raid_op_submit(op, 0);
	for (unsigned i = 0; i < op->used; i++) {
		struct raid_child *c = &op->child[i];

		if (!c->req.result)
			continue;
		if (c->req.result == -ENODEV) {
			rc = raid_member_fail(op->set, c->member, -ENODEV);
			return rc ? rc : -EAGAIN; /* with one member less */
		}
		for (uint64_t at = 0; at < c->req.length; at += RAID_BLOCK) {
			uint32_t b = (uint32_t)at / RAID_BLOCK;

			if (!raid_op_settle_block(op, c, at))
				continue;
			p->skip[b / 64] |= raid_bit(b % 64);
			p->run->lost++;
		}
	}
	mend_all_unreadable(p);
	return 0;
}

/* ---- writing what was found wrong ---------------------------------------------------------- */

static int write_block(struct part *p, unsigned slot, uint32_t at, const uint8_t *data)
{
	struct raid_op *op = p->op;
	uint64_t region = raid_region_of(&op->set->bitmap, op->g.start);
	int rc = raid_region_begin(op, region);

	if (rc)
		return rc;
	rc = raid_op_reserve(op, 1);
	if (!rc) {
		raid_op_add(op, BLK_WRITE, slot, p->column + at, (void *)data, block_length(p, at));
		raid_op_submit(op, 0);
		rc = raid_op_settle_writes(op, 0, NULL);
	}
	raid_region_end(op->set, region);
	return rc;
}

/* ---- parity ------------------------------------------------------------------------------ */

struct verdict {
	bool p_wrong, q_wrong;
};

static void xor_block(uint8_t *dst, const uint8_t *a, const uint8_t *b, uint32_t length)
{
	parity_xor(dst, (const void *[]){a, b}, 2, length);
}

/* RAID 6 with everything there: is it one block, and which? */
static int locate(struct part *p, uint32_t at)
{
	struct raid_op *op = p->op;
	uint32_t n = block_length(p, at);
	uint8_t *sp = p->spare, *sq = p->spare + RAID_BLOCK;

	if (op->set->geo.np < 2 || op->lost || resyncing(p->ck))
		return -2;
	xor_block(sp, p->p + at, p->v[op->g.p] + at, n);
	xor_block(sq, p->q + at, p->v[op->g.q] + at, n);
	return parity_locate(&op->group, sp, sq, n);
}

static int rewrite_parity(struct part *p, uint32_t at, struct verdict verdict)
{
	int rc = 0;

	if (verdict.p_wrong)
		rc = write_block(p, (unsigned)p->op->g.p, at, p->p + at);
	if (!rc && verdict.q_wrong)
		rc = write_block(p, (unsigned)p->op->g.q, at, p->q + at);
	return rc;
}

static int mend_parity_block(struct part *p, uint32_t at, struct verdict verdict)
{
	struct raid_op *op = p->op;
	int slot, rc;

	p->run->mismatches++;
	if (p->ck->mode == RAID_CHECK_COUNT)
		return 0;
	slot = locate(p, at);
	if (slot >= 0 && op->data & raid_bit((unsigned)slot)) {
		/* spare holds the P syndrome: what the block is off by */
		xor_block(p->spare + RAID_BLOCK, p->spare, p->v[slot] + at, block_length(p, at));
		rc = write_block(p, (unsigned)slot, at, p->spare + RAID_BLOCK);
	} else if (slot >= 0 || p->ck->mode == RAID_CHECK_REWRITE) {
		rc = rewrite_parity(p, at, verdict);
	} else {
		return 0;
	}
	p->run->repaired += !rc;
	return rc;
}

/* What the parities should be, and which of them can be compared. */
static void compute_parity(struct part *p, bool *check_p, bool *check_q)
{
	struct raid_op *op = p->op;
	uint64_t lost_data = op->lost & op->data;

	*check_p = !(op->lost & raid_bit((unsigned)op->g.p)) && !lost_data;
	*check_q = op->g.q >= 0 && !(op->lost & raid_bit((unsigned)op->g.q));
	if (lost_data) /* restored by P, so that Q can be compared */
		parity_recover_some(
			&op->group, op->lost, lost_data, (void *const *)p->v, p->length);
	parity_generate(&op->group, (const void *const *)p->v, p->length, *check_p ? p->p : NULL,
		*check_q ? p->q : NULL);
}

static int check_parity(struct part *p)
{
	struct raid_op *op = p->op;
	bool check_p, check_q;
	int rc = 0;

	compute_parity(p, &check_p, &check_q);
	for (uint32_t at = 0; at < p->length && !rc; at += RAID_BLOCK) {
		uint32_t n = block_length(p, at);
		struct verdict verdict = {
			.p_wrong = check_p && memcmp(p->p + at, p->v[op->g.p] + at, n),
			.q_wrong = check_q && memcmp(p->q + at, p->v[op->g.q] + at, n)};

		if (!skipped(p, at) && (verdict.p_wrong || verdict.q_wrong))
			rc = mend_parity_block(p, at, verdict);
	}
	return rc;
}

/* ---- copies ------------------------------------------------------------------------------ */

/* The slot whose content more than half of the copies share; -1 when there is none. */
static int majority(const struct part *p, uint64_t leg, uint32_t at)
{
	unsigned all = (unsigned)__builtin_popcountll(leg);

	for (uint64_t left = leg; left && all >= 3; left &= left - 1) {
		unsigned s = (unsigned)__builtin_ctzll(left), same = 0;

		for (uint64_t other = leg; other; other &= other - 1)
			same += !memcmp(p->v[s] + at, p->v[__builtin_ctzll(other)] + at,
				block_length(p, at));
		if (2 * same > all)
			return (int)s;
	}
	return -1;
}

static int winner(const struct part *p, uint64_t leg, uint32_t at)
{
	const struct check *ck = p->ck;
	int best = resyncing(ck) ? -1 : majority(p, leg, at);

	if (best >= 0 || ck->mode != RAID_CHECK_REWRITE)
		return best;
	if (ck->prefer >= 0 && leg & raid_bit((unsigned)ck->prefer))
		return ck->prefer;
	return __builtin_ctzll(leg);
}

static int mend_copies(struct part *p, uint64_t leg, uint32_t at)
{
	int from, rc = 0;

	p->run->mismatches++;
	if (p->ck->mode == RAID_CHECK_COUNT)
		return 0;
	from = winner(p, leg, at);
	if (from < 0)
		return 0;
	for (uint64_t left = leg; left && !rc; left &= left - 1) {
		unsigned s = (unsigned)__builtin_ctzll(left);

		if (memcmp(p->v[s] + at, p->v[from] + at, block_length(p, at)))
			rc = write_block(p, s, at, p->v[from] + at);
	}
	p->run->repaired += !rc;
	return rc;
}

static int check_copies(struct part *p)
{
	const struct raid_geo *g = &p->op->set->geo;
	int rc = 0;

	for (unsigned first = 0; first < g->n; first += g->copies) {
		uint64_t leg = raid_mask(first, g->copies) & p->present;
		const uint8_t *a = leg ? p->v[__builtin_ctzll(leg)] : NULL;

		for (uint32_t at = 0; at < p->length && !rc && leg; at += RAID_BLOCK) {
			bool same = true;

			for (uint64_t left = leg; left; left &= left - 1)
				same &= !memcmp(a + at, p->v[__builtin_ctzll(left)] + at,
					block_length(p, at));
			if (!same && !skipped(p, at))
				rc = mend_copies(p, leg, at);
		}
	}
	return rc;
}

/* ---- rows -------------------------------------------------------------------------------- */

static bool row_wanted(const struct raid_walk *w, uint64_t row)
{
	const struct check *ck = container_of(w, struct check, walk);
	const struct raid_bitmap *b = &w->set->bitmap;
	uint64_t region = raid_region_of(b, row * w->set->geo.row_bytes);

	return !raid_region_unwritten(b, region) &&
	       (!ck->only_dirty || raid_region_dirty(b, region));
}

/* Is there anything to compare with, given what is missing? */
static bool comparable(const struct raid_op *op)
{
	const struct raid_geo *g = &op->set->geo;

	if (g->np)
		return (unsigned)__builtin_popcountll(op->lost) < g->np;
	return true;
}

static int check_part(struct part *p)
{
	struct raid_op *op = p->op;
	bool parity = op->set->geo.np > 0;
	int rc;

	p->present = raid_mask(0, op->set->geo.n) & ~op->lost;
	rc = take_buffers(p, parity ? raid_mask(0, op->set->geo.n) : p->present);
	if (!rc)
		rc = read_all(p);
	if (!rc)
		rc = parity ? check_parity(p) : check_copies(p);
	raid_op_buffers_free(op);
	return rc;
}

static int check_row(struct raid_walk *w, struct raid_op *op)
{
	struct check *ck = container_of(w, struct check, walk);
	uint32_t column = 0;
	int rc = 0;

	while (column < op->g.cell && !rc && comparable(op)) {
		uint32_t left = op->g.cell - column, slice = raid_walk_slice(w);
		struct part p = {.ck = ck,
			.op = op,
			.run = w->run,
			.column = column,
			.length = left < slice ? left : slice};

		rc = check_part(&p);
		if (rc == -EAGAIN) {
			raid_op_row(op, op->g.row);
			rc = 0;
			continue;
		}
		column += p.length;
	}
	return rc;
}

int raid_check(struct raid_set *set, enum raid_check_mode mode, int prefer, bool only_dirty,
	struct raid_run *run)
{
	uint64_t torn = set->torn;
	struct check *ck;
	int rc;

	if (set->failed)
		return -EIO;
	run->mismatches = run->repaired = run->lost = 0;
	if (!raid_shape_redundancy(&set->shape)) {
		run->done = run->total = 0;
		return 0;
	}
	ck = calloc(1, sizeof(*ck));
	if (!ck)
		return -ENOMEM;
	*ck = (struct check){.mode = mode, .prefer = prefer, .only_dirty = only_dirty};
	ck->walk = (struct raid_walk){.set = set,
		.run = run,
		.row_work = set->geo.row_bytes,
		.wanted = row_wanted,
		.step = check_row};
	rc = raid_walk_run(&ck->walk);
	if (!rc && mode == RAID_CHECK_REWRITE && torn == set->torn)
		set->resync = false; /* every dirty region has been put right */
	free(ck);
	return rc;
}
