/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes of a row: gathering, and the frame around the level's own work.
 *
 * Pieces wait at their row until a worker comes for it; whatever is there by then is written
 * together. So requests submitted together become full-row writes without any timer, and a row
 * under load batches by itself. Pieces that overlap are not taken into one batch: they are
 * written in order of arrival.
 *
 * When a batch fails, its pieces are tried one by one, so that one bad place does not fail
 * neighbours that merely happened to be gathered with it.
 */
#include "raid/raid_internal.h"

#include <errno.h>

static void row_write(struct raid_op *op, struct raid_work *work);

void raid_row_add_write(struct raid_set *set, struct raid_piece *p)
{
	struct raid_row *row = raid_row_get(&set->rows, p->offset / set->geo.row_bytes);

	if (!row) {
		raid_piece_done(p, -ENOMEM);
		return;
	}
	/* the reference belongs to the queued work */
	list_add_tail(&row->pieces, &p->link);
	if (row->queued) {
		raid_row_put(row);
		return;
	}
	row->queued = true;
	row->work.run = row_write;
	raid_work_queue(set, &row->work);
}

static bool overlaps(const struct raid_piece *p, struct raid_piece **batch, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (p->offset < batch[i]->offset + batch[i]->length &&
			batch[i]->offset < p->offset + p->length)
			return true;
	return false;
}

/* Takes the next batch off the row, in order, up to the first that does not fit with the rest. */
static unsigned gather(struct raid_row *row, struct raid_piece **batch)
{
	struct list *pos, *tmp;
	unsigned count = 0;

	list_for_each (pos, tmp, &row->pieces) {
		struct raid_piece *p = list_entry(pos, struct raid_piece, link);

		if (count == RAID_GATHER || overlaps(p, batch, count) ||
			(count && raid_piece_flags(p) != raid_piece_flags(batch[0])))
			break;
		list_del(&p->link);
		batch[count++] = p;
	}
	return count;
}

static int write_pieces(struct raid_op *op, struct raid_piece **batch, unsigned count)
{
	int rc = op->set->failed ? -EIO : 0;

	raid_op_row(op, op->g.row); /* members may have changed since the last batch */
	if (!rc && op->set->geo.np)
		rc = raid_write_parity(op, batch, count);
	else if (!rc)
		rc = raid_write_copies(op, batch, count);
	raid_op_buffers_free(op);
	raid_op_repair_later(op);
	return rc;
}

static void write_batch(struct raid_op *op, struct raid_piece **batch, unsigned count)
{
	int rc = write_pieces(op, batch, count);

	for (unsigned i = 0; i < count; i++) {
		int one = rc && count > 1 ? write_pieces(op, &batch[i], 1) : rc;

		if (!one)
			one = raid_rewritten(op, batch[i]->offset, batch[i]->length);
		raid_piece_done(batch[i], one);
	}
}

static void fail_all(struct raid_row *row, int error)
{
	struct raid_piece *batch[RAID_GATHER];
	unsigned count;

	while ((count = gather(row, batch)))
		for (unsigned i = 0; i < count; i++)
			raid_piece_done(batch[i], error);
}

/* Requeues when more came meanwhile: others get their turn first. */
static void leave_row(struct raid_set *set, struct raid_row *row)
{
	if (!list_empty(&row->pieces)) {
		raid_work_queue(set, &row->work);
		return;
	}
	row->queued = false;
	raid_row_put(row);
}

static void row_write(struct raid_op *op, struct raid_work *work)
{
	struct raid_row *row = container_of(work, struct raid_row, work);
	struct raid_set *set = op->set;
	uint64_t region = raid_region_of(&set->bitmap, row->row * set->geo.row_bytes);
	struct raid_piece *batch[RAID_GATHER];
	unsigned count;
	int rc = raid_region_begin(op, region);

	if (rc) {
		fail_all(row, rc);
		leave_row(set, row);
		return;
	}
	raid_row_lock(row, true);
	op->g.row = row->row;
	count = gather(row, batch);
	write_batch(op, batch, count);
	raid_row_unlock(row);
	raid_region_end(set, region);
	leave_row(set, row);
}
