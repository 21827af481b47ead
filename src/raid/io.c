/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the set. A request is cut into pieces: reads at chunk ends, writes at row ends,
 * and at the borders of unwritten regions. A piece takes one of two ways:
 *
 *  - direct: a child request straight into the caller's buffer, no task and no copy. Reads from
 *    a member that is current, and writes on levels without redundancy;
 *  - slow: a worker task. Everything else, and what the direct way could not do.
 *
 * At most RAID_IO_PIECES pieces of a request are under way at once; when they are done the next
 * ones are cut, so a request of any length needs bounded memory.
 */
#include "raid/raid_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RAID_IO_PIECES = 32 };

/* ---- pieces and their bytes -------------------------------------------------------------- */

int raid_iov_slice(
	const struct iovec *iov, int iovcnt, uint64_t offset, uint64_t length, struct iovec *out)
{
	int used = 0;

	for (int i = 0; i < iovcnt && length; i++) {
		uint64_t n = iov[i].iov_len;

		if (offset >= n) {
			offset -= n;
			continue;
		}
		n -= offset;
		if (n > length)
			n = length;
		out[used++] = (struct iovec){(char *)iov[i].iov_base + offset, n};
		length -= n;
		offset = 0;
	}
	assert(!length);
	return used;
}

bool raid_piece_is_zero(const struct raid_piece *p)
{
	return p->io->req->op == BLK_ZERO;
}

unsigned raid_piece_flags(const struct raid_piece *p)
{
	return p->io->set->write_through ? BLK_FUA : p->io->req->flags & BLK_FUA;
}

void *raid_piece_ptr(const struct raid_piece *p, uint64_t offset, size_t length)
{
	for (int i = 0; i < p->iovcnt; i++) {
		uint64_t n = p->iov[i].iov_len;

		if (offset < n)
			return offset + length <= n ? (char *)p->iov[i].iov_base + offset : NULL;
		offset -= n;
	}
	return NULL;
}

/* Walks the part of the list; one of src and dst is the flat side. */
static void copy(
	const struct raid_piece *p, uint64_t offset, const char *src, char *dst, size_t length)
{
	for (int i = 0; i < p->iovcnt && length; i++) {
		uint64_t n = p->iov[i].iov_len;
		char *at;

		if (offset >= n) {
			offset -= n;
			continue;
		}
		at = (char *)p->iov[i].iov_base + offset;
		n -= offset;
		if (n > length)
			n = length;
		offset = 0;
		length -= n;
		if (dst) {
			memcpy(dst, at, n);
			dst += n;
		} else if (src) {
			memcpy(at, src, n);
			src += n;
		} else {
			memset(at, 0, n);
		}
	}
}

void raid_piece_get(const struct raid_piece *p, uint64_t offset, void *dst, size_t length)
{
	if (raid_piece_is_zero(p))
		memset(dst, 0, length);
	else
		copy(p, offset, NULL, dst, length);
}

void raid_piece_put(const struct raid_piece *p, uint64_t offset, const void *src, size_t length)
{
	copy(p, offset, src, NULL, length);
}

/* ---- ends -------------------------------------------------------------------------------- */

static void advance(struct raid_io *io);

static void finish(struct raid_set *set, struct blk_req *req, int result)
{
	set->foreground--;
	set->foreground_ns = loop_now_ns(set->loop);
	raid_leave(set);
	blk_complete(req, result);
}

static void io_done(struct raid_io *io)
{
	struct raid_set *set = io->set;
	struct blk_req *req = io->req;
	int error = io->error;

	free(io);
	finish(set, req, error);
}

/* Everything of this batch is done: go on, or end. */
static void io_settled(struct raid_io *io)
{
	if (io->error || io->pos == io->end)
		io_done(io);
	else
		advance(io);
}

void raid_piece_done(struct raid_piece *p, int error)
{
	struct raid_io *io = p->io;

	if (error && !io->error)
		io->error = error;
	assert(io->pending);
	if (!--io->pending)
		io_settled(io);
}

/* ---- the direct way ---------------------------------------------------------------------- */

static void go_slow(struct raid_piece *p)
{
	struct raid_set *set = p->io->set;

	if (p->io->req->op != BLK_READ) {
		raid_row_add_write(set, p);
		return;
	}
	p->work.run = raid_read_slow;
	raid_work_queue(set, &p->work);
}

static void direct_done(struct blk_req *req)
{
	struct raid_piece *p = req->user;
	struct raid_slot *slot = &p->io->set->slots[p->member];

	slot->queued--;
	if (req->op != BLK_READ)
		slot->write_gen++;
	if (!req->result) {
		raid_piece_done(p, 0);
		return;
	}
	p->error = req->result;
	go_slow(p);
}

static void go_direct(struct raid_piece *p, uint64_t member_offset)
{
	struct raid_io *io = p->io;
	struct raid_slot *slot = &io->set->slots[p->member];

	p->req = (struct blk_req){.op = io->req->op,
		.flags = io->req->op == BLK_READ ? 0 : raid_piece_flags(p),
		.offset = slot->m.start + member_offset,
		.length = p->length,
		.iov = p->iov,
		.iovcnt = p->iovcnt,
		.done = direct_done,
		.user = p};
	slot->queued++;
	if (io->req->op == BLK_READ)
		slot->next_offset = member_offset + p->length;
	blk_submit(slot->m.dev, &p->req);
}

/* Which copy? One that continues its last read, unless it is much busier; else the least busy;
 * among equals the nearest. While copies may differ everybody must read the same one. */
int raid_pick_copy(const struct raid_set *set, const struct raid_place *place)
{
	uint64_t row =
		place->copies > 1 && !set->shape.chunk ? place->offset / RAID_FLAT_ROW : place->row;
	uint64_t best_cost = UINT64_MAX;
	int best = -1;

	for (unsigned m = place->member; m < place->member + place->copies; m++) {
		const struct raid_slot *slot = &set->slots[m];
		uint64_t distance = slot->next_offset > place->offset
					    ? slot->next_offset - place->offset
					    : place->offset - slot->next_offset;
		uint64_t cost = (uint64_t)slot->queued * 4 + (distance ? 2 : 0);

		if (!raid_member_valid(set, m, row))
			continue;
		if (set->resync)
			return (int)m;
		cost = cost << 48 | distance >> 16;
		if (cost < best_cost) {
			best_cost = cost;
			best = (int)m;
		}
	}
	return best;
}

/* ---- cutting ----------------------------------------------------------------------------- */

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool has_redundancy(const struct raid_set *set)
{
	return set->geo.np || set->geo.copies > 1;
}

static struct raid_piece *cut(struct raid_io *io, uint64_t length)
{
	struct raid_piece *p = &io->pieces[io->used++];
	const struct blk_req *req = io->req;
	uint64_t from = io->pos - req->offset;

	*p = (struct raid_piece){.io = io, .offset = io->pos, .length = length};
	list_init(&p->link);
	list_init(&p->work.link);
	io->pos += length;
	if (req->op == BLK_ZERO)
		return p;
	p->iov = io->iov + io->iov_used;
	p->iovcnt = raid_iov_slice(req->iov, req->iovcnt, from, length, io->iov + io->iov_used);
	io->iov_used += (unsigned)p->iovcnt;
	return p;
}

static void cut_read(struct raid_io *io, uint64_t run_end)
{
	struct raid_set *set = io->set;
	struct raid_place place;
	struct raid_piece *p;
	uint64_t length;
	int member;

	raid_map_geo(&set->shape, &set->geo, io->pos, &place);
	length = min_u64(place.length, run_end - io->pos);
	if (!set->shape.chunk && set->lost) /* what is current may change from row to row */
		length = min_u64(length, RAID_FLAT_ROW - io->pos % RAID_FLAT_ROW);
	member = raid_pick_copy(set, &place);
	p = cut(io, length);
	if (member < 0 || (p->offset | p->length) % set->align) {
		go_slow(p);
		return;
	}
	p->member = (unsigned)member;
	go_direct(p, place.offset);
}

static void cut_write(struct raid_io *io, uint64_t run_end, bool unwritten)
{
	struct raid_set *set = io->set;
	uint64_t row_end = (io->pos / set->geo.row_bytes + 1) * set->geo.row_bytes;
	struct raid_place place;
	struct raid_piece *p;

	if (has_redundancy(set) || unwritten || set->align > 512 || set->lost_data.len ||
		set->twins) {
		go_slow(cut(io, min_u64(row_end, run_end) - io->pos));
		return;
	}
	raid_map_geo(&set->shape, &set->geo, io->pos, &place);
	p = cut(io, min_u64(min_u64(place.length, run_end - io->pos), row_end - io->pos));
	p->member = place.member;
	go_direct(p, place.offset);
}

/* Cuts the next pieces. io->pending is held up by one so that nothing ends while cutting. */
static void advance(struct raid_io *io)
{
	struct raid_set *set = io->set;
	const struct blk_req *req = io->req;

	io->used = io->iov_used = 0;
	io->pending = 1;
	while (io->pos < io->end && io->used < io->cap) {
		uint64_t run = raid_region_run(&set->bitmap, io->pos, io->end);
		bool unwritten =
			raid_region_unwritten(&set->bitmap, raid_region_of(&set->bitmap, io->pos));

		if (unwritten && req->op == BLK_ZERO) {
			io->pos = run;
			continue;
		}
		if (req->op != BLK_READ) {
			io->pending++;
			cut_write(io, run, unwritten);
		} else if (unwritten) {
			struct raid_piece all = {.io = io, .iov = req->iov, .iovcnt = req->iovcnt};

			raid_piece_put(&all, io->pos - req->offset, NULL, run - io->pos);
			io->pos = run;
		} else {
			io->pending++;
			cut_read(io, run);
		}
	}
	if (!--io->pending)
		io_settled(io);
}

/* ---- requests ---------------------------------------------------------------------------- */

struct flush {
	struct raid_work work;
	struct raid_set *set;
	struct blk_req *req;
};

static void flush_run(struct raid_op *op, struct raid_work *work)
{
	struct flush *f = container_of(work, struct flush, work);
	struct blk_req *req = f->req;
	int rc = raid_flush_members(op, raid_writable_mask(op->set));

	free(f);
	finish(op->set, req, rc);
}

static int start_flush(struct raid_set *set, struct blk_req *req)
{
	struct flush *f = malloc(sizeof(*f));

	if (!f)
		return -ENOMEM;
	*f = (struct flush){.work.run = flush_run, .set = set, .req = req};
	list_init(&f->work.link);
	raid_work_queue(set, &f->work);
	return 0;
}

static int start_io(struct raid_set *set, struct blk_req *req)
{
	uint64_t unit = req->op == BLK_READ && set->geo.cell < set->geo.row_bytes
				? set->geo.cell
				: set->geo.row_bytes;
	uint64_t most = req->length / unit + 2;
	unsigned cap = (unsigned)min_u64(most, RAID_IO_PIECES);
	/* every cut adds at most one entry to those of the list */
	size_t entries = req->op == BLK_ZERO ? 0 : (size_t)req->iovcnt + cap;
	struct raid_io *io =
		malloc(sizeof(*io) + cap * sizeof(io->pieces[0]) + entries * sizeof(struct iovec));

	if (!io)
		return -ENOMEM;
	*io = (struct raid_io){.set = set,
		.req = req,
		.pos = req->offset,
		.end = req->offset + req->length,
		.cap = cap};
	io->iov = (struct iovec *)(void *)&io->pieces[cap];
	advance(io);
	return 0;
}

static void begin(struct raid_set *set, struct blk_req *req)
{
	int rc;

	set->active++;
	set->foreground++;
	set->foreground_ns = loop_now_ns(set->loop);
	if (set->failed)
		rc = -EIO;
	else if (req->op == BLK_FLUSH)
		rc = start_flush(set, req);
	else if (req->op == BLK_READ && raid_ranges_hit(&set->lost_data, req->offset, req->length))
		rc = -EIO;
	else
		rc = start_io(set, req);
	if (rc)
		finish(set, req, rc);
}

void raid_submit(struct blk_dev *dev, struct blk_req *req)
{
	struct raid_set *set = container_of(dev, struct raid_set, dev);

	if (set->frozen)
		list_add_tail(&set->held, &req->link);
	else
		begin(set, req);
}

void raid_submit_held(struct raid_set *set)
{
	struct blk_req *req;

	while (!set->frozen && (req = list_first(&set->held, struct blk_req, link))) {
		list_del(&req->link);
		begin(set, req);
	}
}
