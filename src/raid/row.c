/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What row operations are made of: rounds of requests to members, buffers, and the way out when
 * a member does not answer well.
 *
 * A round is collected first (raid_op_add), then started and awaited as a whole
 * (raid_op_submit), then settled: reads that failed are restored from redundancy block by
 * block, writes that failed are tried once more and then cost the member its place.
 *
 * Buffers of an operation are one allocation, taken after the row lock and before the first
 * request; a holder waits for nothing but members and the owner's callbacks, so the bounded pool
 * cannot deadlock. Restoring (rare) uses one block per slot that the set has set aside, under a
 * mutex whose holder waits for members only.
 */
#include "raid/raid_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct raid_op *raid_op_new(struct raid_set *set)
{
	struct raid_op *op = calloc(1, sizeof(*op));

	if (!op)
		return NULL;
	op->set = set;
	op->child = op->own;
	op->cap = RAID_OP_CHILDREN;
	task_group_init(&op->flight);
	return op;
}

static void drop_children(struct raid_op *op)
{
	if (op->child != op->own)
		free(op->child);
	op->child = op->own;
	op->cap = RAID_OP_CHILDREN;
	op->used = 0;
}

void raid_op_free(struct raid_op *op)
{
	if (!op)
		return;
	raid_op_buffers_free(op);
	drop_children(op);
	free(op);
}

void raid_op_row(struct raid_op *op, uint64_t row)
{
	const struct raid_geo *g = &op->set->geo;

	raid_row_geo(g, row, &op->g);
	op->group = (struct parity_group){g->n, op->g.p, op->g.q};
	op->data = raid_mask(0, g->n);
	if (op->g.p >= 0)
		op->data &= ~raid_bit((unsigned)op->g.p);
	if (op->g.q >= 0)
		op->data &= ~raid_bit((unsigned)op->g.q);
	op->lost = op->writable = 0;
	for (unsigned s = 0; s < g->n; s++) {
		if (!raid_member_valid(op->set, op->g.first + s, row))
			op->lost |= raid_bit(s);
		if (raid_member_writable(op->set, op->g.first + s))
			op->writable |= raid_bit(s);
	}
}

/* ---- rounds ------------------------------------------------------------------------------ */

int raid_op_reserve(struct raid_op *op, unsigned requests)
{
	struct raid_child *child;

	assert(!op->flight.busy);
	op->used = 0;
	if (requests <= op->cap)
		return 0;
	child = calloc(requests, sizeof(*child));
	if (!child)
		return -ENOMEM;
	drop_children(op);
	op->child = child;
	op->cap = requests;
	return 0;
}

static struct raid_child *add(
	struct raid_op *op, enum blk_op kind, unsigned member, uint64_t offset, uint64_t length)
{
	struct raid_child *c;

	assert(op->used < op->cap);
	c = &op->child[op->used++];
	memset(c, 0, sizeof(*c));
	c->op = op;
	c->member = member;
	c->req.op = kind;
	c->req.offset = op->set->slots[member].m.start + offset;
	c->req.length = length;
	return c;
}

void raid_op_add_at(
	struct raid_op *op, enum blk_op kind, unsigned member, uint64_t offset, uint64_t length)
{
	add(op, kind, member, offset, length);
}

void raid_op_add_iov(struct raid_op *op, enum blk_op kind, unsigned member, uint64_t offset,
	const struct iovec *iov, int iovcnt, uint64_t length)
{
	struct raid_child *c = add(op, kind, member, offset, length);

	c->req.iov = iov;
	c->req.iovcnt = iovcnt;
}

/* The latest request for that member in this round. */
static struct raid_child *latest(struct raid_op *op, unsigned member)
{
	for (unsigned i = op->used; i--;)
		if (op->child[i].member == member)
			return &op->child[i];
	return NULL;
}

void raid_op_add(struct raid_op *op, enum blk_op kind, unsigned slot, uint32_t column, void *buf,
	size_t length)
{
	struct raid_child *c = latest(op, op->g.first + slot);

	if (c && c->req.op == kind && c->column + c->req.length == column &&
		c->req.iov == &c->iov && (char *)c->iov.iov_base + c->iov.iov_len == buf) {
		c->iov.iov_len += length;
		c->req.length += length;
		return;
	}
	c = add(op, kind, op->g.first + slot, op->g.member_offset + column, length);
	c->column = column;
	c->iov = (struct iovec){buf, length};
	c->req.iov = &c->iov;
	c->req.iovcnt = 1;
}

static void child_done(struct blk_req *req)
{
	struct raid_child *c = req->user;
	struct raid_slot *slot = &c->op->set->slots[c->member];

	slot->queued--;
	if (req->op != BLK_READ && req->op != BLK_FLUSH)
		slot->write_gen++; /* a failed one may have left something, too */
	task_group_end(&c->op->flight);
}

static void twin_done(struct blk_req *req)
{
	struct raid_child *c = req->user;

	task_group_end(&c->op->flight);
}

static void start_twin(struct raid_op *op, struct raid_child *c)
{
	const struct raid_slot *slot = &op->set->slots[c->member];

	c->twinned = slot->twin.dev && c->req.op != BLK_READ;
	if (!c->twinned)
		return;
	c->twin = (struct blk_req){.op = c->req.op,
		.flags = c->req.flags,
		.offset = c->req.offset - slot->m.start + slot->twin.start,
		.length = c->req.length,
		.iov = c->req.iov,
		.iovcnt = c->req.iovcnt,
		.done = twin_done,
		.user = c};
	task_group_begin(&op->flight);
	blk_submit(slot->twin.dev, &c->twin);
}

static void start(struct raid_op *op, struct raid_child *c, unsigned flags)
{
	struct raid_slot *slot = &op->set->slots[c->member];

	if (!slot->m.dev) { /* taken away meanwhile */
		c->req.result = -ENODEV;
		return;
	}
	c->req.flags = c->req.op == BLK_WRITE || c->req.op == BLK_ZERO ? flags : 0;
	c->req.done = child_done;
	c->req.user = c;
	slot->queued++;
	task_group_begin(&op->flight);
	start_twin(op, c);
	blk_submit(slot->m.dev, &c->req);
}

void raid_op_submit(struct raid_op *op, unsigned flags)
{
	for (unsigned i = 0; i < op->used; i++)
		start(op, &op->child[i], flags);
	task_group_wait(&op->flight);
}

/* ---- writes that failed ------------------------------------------------------------------ */

static bool retry_failed(struct raid_op *op, unsigned flags)
{
	bool any = false, again = false;

	for (unsigned i = 0; i < op->used; i++) {
		struct raid_child *c = &op->child[i];

		if (!c->req.result)
			continue;
		any = true;
		if (c->req.result == -ENODEV)
			continue;
		again = true;
		start(op, c, flags);
	}
	if (again)
		task_group_wait(&op->flight);
	return any;
}

/* Twins that missed a write are none any more. */
static int settle_twins(struct raid_op *op)
{
	int rc = 0;

	for (unsigned i = 0; i < op->used; i++) {
		struct raid_child *c = &op->child[i];
		int one;

		if (!c->twinned || !c->twin.result)
			continue;
		if (c->twin.result != -ENODEV) {
			start_twin(op, c);
			task_group_wait(&op->flight);
		}
		if (!c->twinned || !c->twin.result)
			continue;
		one = raid_twin_fail(op->set, c->member, c->twin.result);
		rc = rc ? rc : one;
	}
	return rc;
}

int raid_twin_put(struct raid_set *set, unsigned member, uint64_t offset, const void *data, size_t length,
	unsigned flags)
{
	struct raid_slot *slot = &set->slots[member];
	int rc = 0;

	for (unsigned i = 0; i < 2 && slot->twin.dev; i++) {
		slot->write_gen++;
		rc = blk_write(slot->twin.dev, slot->twin.start + offset, data, length, flags);
		if (!rc || rc == -ENODEV)
			break;
	}
	return rc ? raid_twin_fail(set, member, rc) : 0;
}

static int settle_members(struct raid_op *op, bool *torn)
{
	uint64_t gone = 0, needed = 0;
	bool written = false;
	int rc = 0;

	for (unsigned i = 0; i < op->used; i++) {
		struct raid_child *c = &op->child[i];
		int failed;

		if (!c->req.result) {
			written = true;
			continue;
		}
		if ((gone | needed) & raid_bit(c->member))
			continue;
		failed = raid_member_fail(op->set, c->member, c->req.result);
		if (failed) {
			needed |= raid_bit(c->member);
			rc = failed;
		} else {
			gone |= raid_bit(c->member);
		}
	}
	if (torn)
		*torn = rc && written;
	return rc;
}

int raid_op_settle_writes(struct raid_op *op, unsigned flags, bool *torn)
{
	int rc = 0, rc2;

	if (torn)
		*torn = false;
	if (retry_failed(op, flags))
		rc = settle_members(op, torn);
	rc2 = op->set->twins ? settle_twins(op) : 0;
	return rc ? rc : rc2;
}

uint64_t raid_writable_mask(const struct raid_set *set)
{
	uint64_t mask = 0;

	for (unsigned m = 0; m < set->shape.members; m++)
		if (raid_member_writable(set, m))
			mask |= raid_bit(m);
	return mask;
}

int raid_flush_members(struct raid_op *op, uint64_t mask)
{
	struct raid_set *set = op->set;
	uint64_t gen[RAID_MAX_MEMBERS];
	int rc = raid_op_reserve(op, RAID_MAX_MEMBERS);

	if (rc)
		return rc;
	for (unsigned m = 0; m < set->shape.members; m++) {
		struct raid_slot *slot = &set->slots[m];

		gen[m] = slot->write_gen;
		if (mask & raid_bit(m) && raid_member_writable(set, m) &&
			slot->stable_gen != slot->write_gen)
			raid_op_add_at(op, BLK_FLUSH, m, 0, 0);
	}
	raid_op_submit(op, 0);
	rc = raid_op_settle_writes(op, 0, NULL);
	for (unsigned i = 0; i < op->used; i++) {
		unsigned m = op->child[i].member;

		if (!op->child[i].req.result && set->slots[m].stable_gen < gen[m])
			set->slots[m].stable_gen = gen[m];
	}
	return rc;
}

/* ---- reads that failed ------------------------------------------------------------------- */

/* Sources of a slot on levels with copies: the first other copy that is good. */
static uint64_t copy_source(const struct raid_op *op, uint64_t lost, unsigned slot)
{
	unsigned copies = op->set->geo.copies, first = slot / copies * copies;

	if (!(lost & raid_bit(slot)))
		return raid_bit(slot);
	for (unsigned s = first; s < first + copies; s++)
		if (!(lost & raid_bit(s)))
			return raid_bit(s);
	return 0;
}

static uint64_t sources(const struct raid_op *op, uint64_t lost, uint64_t want)
{
	uint64_t from = want & ~lost, restored;

	if (op->set->geo.np) {
		if (!(want & lost))
			return from;
		restored = parity_sources(&op->group, lost, want & lost);
		return restored ? from | restored : 0;
	}
	for (uint64_t left = want; left; left &= left - 1) {
		restored = copy_source(op, lost, (unsigned)__builtin_ctzll(left));
		if (!restored)
			return 0;
		from |= restored;
	}
	return from;
}

uint64_t raid_op_sources(const struct raid_op *op, uint64_t want)
{
	return sources(op, op->lost, want);
}

static int read_one(struct raid_op *op, unsigned slot, uint32_t column, void *dst, uint32_t length)
{
	const struct raid_member *m = &op->set->slots[op->g.first + slot].m;

	if (!m->dev)
		return -ENODEV;
	return blk_read(m->dev, m->start + op->g.member_offset + column, dst, length);
}

/* Reads the sources; those that fail are added to *bad. */
static void read_sources(
	struct raid_op *op, uint64_t from, uint32_t column, uint32_t length, uint64_t *bad)
{
	for (uint64_t left = from; left; left &= left - 1) {
		unsigned s = (unsigned)__builtin_ctzll(left);
		int rc = read_one(op, s, column, op->set->rescue + (size_t)s * RAID_BLOCK, length);

		if (!rc)
			continue;
		*bad |= raid_bit(s);
		if (rc != -ENODEV)
			raid_op_hurt(op, op->g.first + s, op->g.member_offset + column, length);
	}
}

int raid_op_rescue(struct raid_op *op, unsigned slot, uint32_t column, uint32_t length, void *dst)
{
	struct raid_set *set = op->set;
	uint64_t lost = op->lost | raid_bit(slot), from, bad;
	void *v[RAID_MAX_MEMBERS];
	int rc = -EIO;

	assert(length <= RAID_BLOCK);
	task_lock(&set->rescue_lock);
	for (unsigned s = 0; s < set->geo.n; s++)
		v[s] = set->rescue + (size_t)s * RAID_BLOCK;
	while ((from = sources(op, lost, raid_bit(slot)))) {
		bad = 0;
		read_sources(op, from, column, length, &bad);
		if (bad) {
			lost |= bad;
			continue;
		}
		if (set->geo.np)
			parity_recover_some(&op->group, lost, raid_bit(slot), v, length);
		memcpy(dst, v[set->geo.np ? slot : (unsigned)__builtin_ctzll(from)], length);
		rc = 0;
		break;
	}
	task_unlock(&set->rescue_lock);
	return rc;
}

/* A block of a read that failed as a whole: perhaps only its neighbour is bad. */
int raid_op_settle_block(struct raid_op *op, struct raid_child *c, uint64_t at)
{
	unsigned slot = c->member - op->g.first;
	uint32_t column = c->column + (uint32_t)at;
	uint64_t left = c->req.length - at;
	uint32_t length = left < RAID_BLOCK ? (uint32_t)left : RAID_BLOCK;
	uint8_t *dst = (uint8_t *)c->iov.iov_base + at;
	int rc = read_one(op, slot, column, dst, length);

	if (!rc)
		return 0;
	if (rc != -ENODEV)
		raid_op_hurt(op, c->member, op->g.member_offset + column, length);
	return raid_op_rescue(op, slot, column, length, dst);
}

int raid_op_settle_reads(struct raid_op *op)
{
	int rc = 0;

	for (unsigned i = 0; i < op->used && !rc; i++) {
		struct raid_child *c = &op->child[i];

		if (!c->req.result)
			continue;
		if (c->req.result ==
			-ENODEV) /* what it may say is of no interest: others are read */
			raid_member_fail(op->set, c->member, -ENODEV);
		for (uint64_t at = 0; at < c->req.length && !rc; at += RAID_BLOCK)
			rc = raid_op_settle_block(op, c, at);
	}
	return rc;
}

/* ---- buffers ----------------------------------------------------------------------------- */

int raid_op_buffers(struct raid_op *op, size_t bytes)
{
	assert(!op->mem);
	if (!bytes)
		return 0;
	op->mem = loop_buf_alloc(op->set->loop, bytes);
	if (!op->mem)
		return -ENOMEM;
	op->mem_bytes = bytes;
	return 0;
}

void raid_op_buffers_free(struct raid_op *op)
{
	if (op->mem)
		loop_buf_free(op->set->loop, op->mem, op->mem_bytes);
	op->mem = NULL;
	op->mem_bytes = 0;
}
