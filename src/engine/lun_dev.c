/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate in front of a LUN's RAID set: one block device that exports and readers hold for as
 * long as the LUN lives, and that answers for its status: -ESHUTDOWN while the LUN or the array is
 * offline, -EIO when it has failed. Also the byte-wise forms: unaligned ends are read, changed and
 * written back under one lock for each LUN.
 */
#include "engine/engine_internal.h"

struct passed {
	struct blk_req req;
	struct blk_req *parent;
};

static int gate(const struct eng_lun *l)
{
	if (l->deleted)
		return -ENODEV;
	if (l->offline || l->awaits || l->array->offline)
		return -ESHUTDOWN;
	if (l->failed_hook || (!l->set && !l->swapping))
		return -EIO;
	return 0;
}

static void passed_done(struct blk_req *req)
{
	struct passed *p = container_of(req, struct passed, req);
	struct blk_req *parent = p->parent;
	int result = req->result;

	free(p);
	blk_complete(parent, result);
}

static void submit(struct blk_dev *dev, struct blk_req *req)
{
	struct eng_lun *l = container_of(dev, struct eng_lun, dev);
	int rc = gate(l);
	struct passed *p = rc ? NULL : calloc(1, sizeof(*p));

	if (!rc && l->swapping) {
		free(p);
		list_add_tail(&l->waiting, &req->link);
		return;
	}
	if (rc || !p) {
		blk_complete(req, rc ? rc : -ENOMEM);
		return;
	}
	p->parent = req;
	p->req.op = req->op;
	p->req.flags = req->flags;
	p->req.offset = req->offset;
	p->req.length = req->length;
	p->req.iov = req->iov;
	p->req.iovcnt = req->iovcnt;
	p->req.done = passed_done;
	if (req->op == BLK_WRITE || req->op == BLK_ZERO)
		eng_tick_arm(l->array);
	blk_submit(raid_dev(l->set), &p->req);
}

/* The regions' size may change with the shape, so none may be marked when the set is closed. */
static int settle_bitmap(struct eng_lun *l)
{
	struct blk_dev *dev = raid_dev(l->set);
	int rc;

	while (dev->in_flight)
		task_wait(&dev->idle);
	rc = raid_bitmap_settle(l->set, 0);
	return rc < 0 ? rc : raid_dirty_regions(l->set) ? -EBUSY : 0;
}

int eng_lun_swap_begin(struct eng_lun *l, bool settled)
{
	int rc = 0;

	l->swapping = true;
	if (settled)
		rc = settle_bitmap(l);
	if (rc)
		eng_lun_swap_end(l);
	else
		eng_lun_close_set(l);
	return rc;
}

void eng_lun_swap_end(struct eng_lun *l)
{
	struct list *pos, *tmp;

	l->swapping = false;
	list_for_each(pos, tmp, &l->waiting) {
		struct blk_req *req = list_entry(pos, struct blk_req, link);

		list_del(&req->link);
		submit(&l->dev, req);
	}
}

static void dev_close(struct blk_dev *dev)
{
	(void)dev; /* goes with its LUN */
}

static const struct blk_ops ops = { .kind = "lun", .submit = submit, .close = dev_close };

int eng_lun_dev_init(struct eng_lun *l)
{
	int rc = blk_dev_init(&l->dev, &ops, l->array->loop, "lun");

	l->dev.logical_block = 512;
	l->dev.physical_block = 4096;
	return rc;
}

struct blk_dev *eng_lun_dev(struct eng_array *a, const struct guid *id)
{
	struct eng_lun *l = eng_find_lun(a, id);

	if (!l)
		return NULL;
	l->dev.size_bytes = l->size_bytes;
	return &l->dev;
}

static bool aligned(uint64_t offset, size_t length)
{
	return !((offset | length) & 511);
}

static int enter(struct eng_array *a, const struct guid *id, uint64_t offset, size_t length,
	struct eng_lun **out)
{
	struct eng_lun *l = eng_find_lun(a, id);
	int rc;

	if (!l)
		return -ESTALE;
	rc = gate(l);
	if (rc)
		return rc;
	if (offset > l->size_bytes || length > l->size_bytes - offset)
		return -ENXIO;
	l->dev.size_bytes = l->size_bytes;
	*out = l;
	return 0;
}

/* The sectors around an unaligned range: into a buffer of their own. */
static int around(struct eng_lun *l, uint64_t offset, size_t length, uint64_t *from, size_t *len,
	uint8_t **buf)
{
	*from = offset & ~511ull;
	*len = (size_t)(((offset + length + 511) & ~511ull) - *from);
	*buf = malloc(*len);
	if (!*buf)
		return -ENOMEM;
	return blk_read(&l->dev, *from, *buf, *len);
}

int eng_lun_read(struct eng_array *a, const struct guid *id, uint64_t offset, void *buf, size_t length)
{
	ENG_INSIDE(a);
	struct eng_lun *l;
	uint8_t *whole = NULL;
	uint64_t from;
	size_t len;
	int rc = enter(a, id, offset, length, &l);

	if (rc || !length)
		return rc;
	if (aligned(offset, length))
		return blk_read(&l->dev, offset, buf, length);
	rc = around(l, offset, length, &from, &len, &whole);
	if (!rc)
		memcpy(buf, whole + (offset - from), length);
	free(whole);
	return rc;
}

int eng_lun_write(struct eng_array *a, const struct guid *id, uint64_t offset, const void *buf,
	size_t length)
{
	ENG_INSIDE(a);
	struct eng_lun *l;
	uint8_t *whole = NULL;
	uint64_t from;
	size_t len;
	int rc = enter(a, id, offset, length, &l);

	if (rc || !length)
		return rc;
	if (aligned(offset, length))
		return blk_write(&l->dev, offset, buf, length, 0);
	task_lock(&l->edge_lock);
	rc = around(l, offset, length, &from, &len, &whole);
	if (!rc) {
		memcpy(whole + (offset - from), buf, length);
		rc = blk_write(&l->dev, from, whole, len, 0);
	}
	task_unlock(&l->edge_lock);
	free(whole);
	return rc;
}

int eng_lun_flush(struct eng_array *a, const struct guid *id)
{
	ENG_INSIDE(a);
	struct eng_lun *l;
	int rc = enter(a, id, 0, 0, &l);

	return rc ? rc : blk_flush(&l->dev);
}
