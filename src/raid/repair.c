/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mending unreadable blocks. Whoever meets one notes it (raid_op_hurt), answers its caller from
 * redundancy, and leaves the rest to this background step: with the row locked, restore the
 * block, write it, read it back, compare, and tell the owner. A rewrite that fails costs the
 * member its place like any failed write.
 */
#include "raid/raid_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct repair {
	struct raid_work work;
	struct raid_hurt hurt;
};

void raid_op_hurt(struct raid_op *op, unsigned member, uint64_t offset, uint32_t length)
{
	for (unsigned i = 0; i < op->hurts; i++) {
		struct raid_hurt *h = &op->hurt[i];

		if (h->member != member)
			continue;
		if (offset >= h->offset && offset + length <= h->offset + h->length)
			return;
		if (h->offset + h->length == offset) {
			h->length += length;
			return;
		}
	}
	if (op->hurts < RAID_OP_HURTS) /* what does not fit is found again when it is read again */
		op->hurt[op->hurts++] = (struct raid_hurt){member, offset, length};
}

static void tell(
	struct raid_set *set, unsigned member, uint64_t offset, uint64_t length, bool repaired)
{
	if (set->events.medium_error)
		set->events.medium_error(set->events.ctx, member, offset, length, repaired);
}

/* Writes a restored block and makes sure that it reads back. */
static bool rewrite(
	struct raid_op *op, unsigned slot, uint32_t column, uint32_t length, uint8_t *good)
{
	struct raid_set *set = op->set;
	const struct raid_member *m = &set->slots[op->g.first + slot].m;
	uint8_t *back = good + RAID_BLOCK;

	if (raid_op_reserve(op, 1))
		return false;
	raid_op_add(op, BLK_WRITE, slot, column, good, length);
	raid_op_submit(op, BLK_FUA);
	if (raid_op_settle_writes(op, BLK_FUA, NULL) || op->child[0].req.result)
		return false;
	return m->dev && !blk_read(m->dev, m->start + op->g.member_offset + column, back, length) &&
	       !memcmp(back, good, length);
}

bool raid_repair_block(
	struct raid_op *op, unsigned slot, uint32_t column, uint32_t length, uint8_t *buffers)
{
	return !raid_op_rescue(op, slot, column, length, buffers) &&
	       rewrite(op, slot, column, length, buffers);
}

static void repair_range(struct raid_op *op, unsigned member, uint64_t offset, uint32_t length)
{
	struct raid_set *set = op->set;
	unsigned slot = member - op->g.first;

	for (uint64_t at = offset; at < offset + length; at += RAID_BLOCK) {
		uint32_t n = (uint32_t)(offset + length - at < RAID_BLOCK ? offset + length - at
									  : RAID_BLOCK);
		const struct raid_member *m = &set->slots[member].m;

		if (op->lost & raid_bit(slot) || !raid_member_writable(set, member))
			return;
		if (!blk_read(m->dev, m->start + at, op->mem, n)) {
			tell(set, member, at, n, true); /* it came back, or somebody wrote it */
			continue;
		}
		tell(set, member, at, n,
			raid_repair_block(
				op, slot, (uint32_t)(at - op->g.member_offset), n, op->mem));
	}
}

/* The part of the work that lies in one row. */
static int repair_row(
	struct raid_op *op, unsigned member, uint64_t offset, uint32_t length, uint64_t number)
{
	struct raid_set *set = op->set;
	uint64_t region = raid_region_of(&set->bitmap, number * set->geo.row_bytes);
	struct raid_row *row;
	int rc = raid_region_begin(op, region);

	if (rc)
		return rc;
	row = raid_row_get(&set->rows, number);
	if (row) {
		raid_row_lock(row, true);
		raid_op_row(op, number);
		rc = raid_op_buffers(op, 2 * RAID_BLOCK);
		if (!rc)
			repair_range(op, member, offset, length);
		raid_op_buffers_free(op);
		raid_row_unlock(row);
		raid_row_put(row);
	} else {
		rc = -ENOMEM;
	}
	raid_region_end(set, region);
	return rc;
}

static void repair_run(struct raid_op *op, struct raid_work *work)
{
	struct repair *r = container_of(work, struct repair, work);
	struct raid_set *set = op->set;
	uint64_t set_offset, number;
	int rc = -EIO;

	if (raid_member_writable(set, r->hurt.member) &&
		raid_unmap(&set->shape, r->hurt.member, r->hurt.offset, &set_offset, &number) !=
			RAID_ROLE_NONE) {
		if (!set->shape.chunk)
			number = set_offset / RAID_FLAT_ROW;
		rc = raid_shape_redundancy(&set->shape)
			     ? repair_row(
				       op, r->hurt.member, r->hurt.offset, r->hurt.length, number)
			     : -EIO;
	}
	if (rc)
		tell(set, r->hurt.member, r->hurt.offset, r->hurt.length, false);
	op->hurts = 0;
	free(r);
	raid_leave(set);
}

void raid_op_repair_later(struct raid_op *op)
{
	struct raid_set *set = op->set;

	for (unsigned i = 0; i < op->hurts; i++) {
		struct repair *r = malloc(sizeof(*r));

		if (!r) {
			tell(set, op->hurt[i].member, op->hurt[i].offset, op->hurt[i].length,
				false);
			continue;
		}
		*r = (struct repair){.work.run = repair_run, .hurt = op->hurt[i]};
		list_init(&r->work.link);
		set->active++; /* whoever noted it is active itself, so nothing is frozen yet */
		raid_work_queue(set, &r->work);
	}
	op->hurts = 0;
}
