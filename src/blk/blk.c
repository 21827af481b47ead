/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all block devices share: the checks of a request, the count of what is in flight, the
 * way done is called, and the forms that wait.
 */
#include "blk/blk.h"

#include "blk/loop_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

int blk_dev_init(
	struct blk_dev *dev, const struct blk_ops *ops, struct loop *loop, const char *name)
{
	memset(dev, 0, sizeof(*dev));
	dev->name = strdup(name);
	if (!dev->name)
		return -ENOMEM;
	dev->ops = ops;
	dev->loop = loop;
	task_queue_init(&dev->idle);
	loop->devices++;
	return 0;
}

void blk_dev_fini(struct blk_dev *dev)
{
	assert(dev->in_flight == 0);
	dev->loop->devices--;
	free(dev->name);
	dev->name = NULL;
}

/* ---- requests ------------------------------------------------------------------------------ */

static void run_done(struct loop_post *post)
{
	struct blk_req *req = container_of(post, struct blk_req, ready);
	struct blk_dev *dev = req->dev;

	/* First the count: done may free the request, and whoever waits for idle runs later. */
	if (--dev->in_flight == 0)
		task_wake_all(&dev->idle);
	req->done(req);
}

void blk_complete(struct blk_req *req, int result)
{
	assert(result <= 0);
	req->result = result;
	req->ready.fn = run_done;
	loop_ready(req->dev->loop, &req->ready);
}

static bool iov_is_sum(const struct blk_req *req)
{
	uint64_t sum = 0;

	for (int i = 0; i < req->iovcnt; i++)
		sum += req->iov[i].iov_len;
	return sum == req->length;
}

static int check(const struct blk_dev *dev, const struct blk_req *req)
{
	bool writes = req->op == BLK_WRITE || req->op == BLK_ZERO;

	if (dev->closing)
		return -ENODEV;
	if (req->flags & ~(unsigned)BLK_FUA)
		return -EINVAL;
	if (req->op == BLK_FLUSH)
		return 0;
	if (!writes && req->op != BLK_READ)
		return -EINVAL;
	if (req->offset % dev->logical_block || req->length % dev->logical_block)
		return -EINVAL;
	if (req->offset > dev->size_bytes || req->length > dev->size_bytes - req->offset)
		return -ENXIO;
	if (writes && (dev->flags & BLK_DEV_READ_ONLY))
		return -EROFS;
	if (req->op != BLK_ZERO && !iov_is_sum(req))
		return -EINVAL;
	return 0;
}

void blk_submit(struct blk_dev *dev, struct blk_req *req)
{
	int r;

	req->dev = dev;
	req->started_ns = loop_now_ns(dev->loop);
	list_init(&req->link);
	dev->in_flight++;
	r = check(dev, req);
	if (r || (req->length == 0 && req->op != BLK_FLUSH))
		blk_complete(req, r);
	else
		dev->ops->submit(dev, req);
}

void blk_close(struct blk_dev *dev)
{
	if (!dev)
		return;
	assert(!dev->closing);
	dev->closing = true;
	if (dev->ops->closing)
		dev->ops->closing(dev);
	while (dev->in_flight)
		task_wait(&dev->idle);
	dev->ops->close(dev);
}

int blk_resize(struct blk_dev *dev, uint64_t size_bytes)
{
	if (dev->closing)
		return -ENODEV;
	return dev->ops->resize ? dev->ops->resize(dev, size_bytes) : -EOPNOTSUPP;
}

/* ---- forms that wait ----------------------------------------------------------------------- */

struct waiting {
	struct blk_req req;
	struct task *task;
};

static void waiting_done(struct blk_req *req)
{
	struct waiting *w = container_of(req, struct waiting, req);

	loop_ready(req->dev->loop, task_event(w->task));
}

static int submit_and_wait(struct blk_dev *dev, enum blk_op op, uint64_t offset,
	const struct iovec *iov, uint64_t length, unsigned flags)
{
	struct waiting w = {
		.req =
			{
				.op = op,
				.flags = flags,
				.offset = offset,
				.length = length,
				.iov = iov,
				.iovcnt = iov ? 1 : 0,
				.done = waiting_done,
			},
		.task = task_self(),
	};

	assert(w.task);
	blk_submit(dev, &w.req);
	task_suspend(w.task);
	return w.req.result;
}

int blk_read(struct blk_dev *dev, uint64_t offset, void *buf, size_t length)
{
	struct iovec iov = {.iov_base = buf, .iov_len = length};

	return submit_and_wait(dev, BLK_READ, offset, &iov, length, 0);
}

int blk_write(struct blk_dev *dev, uint64_t offset, const void *buf, size_t length, unsigned flags)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)buf, .iov_len = length};

	return submit_and_wait(dev, BLK_WRITE, offset, &iov, length, flags);
}

int blk_flush(struct blk_dev *dev)
{
	return submit_and_wait(dev, BLK_FLUSH, 0, NULL, 0, 0);
}

int blk_zero(struct blk_dev *dev, uint64_t offset, uint64_t length, unsigned flags)
{
	return submit_and_wait(dev, BLK_ZERO, offset, NULL, length, flags);
}

/* ---- batches ------------------------------------------------------------------------------- */

void blk_batch_init(struct blk_batch *b, struct blk_slot *slots, unsigned cap)
{
	b->slots = slots;
	b->cap = cap;
	b->used = 0;
	task_group_init(&b->group);
}

static void batch_done(struct blk_req *req)
{
	struct blk_batch *b = req->user;

	task_group_end(&b->group);
}

static struct blk_slot *batch_submit(struct blk_batch *b, struct blk_dev *dev, struct blk_req req)
{
	struct blk_slot *slot = &b->slots[b->used];

	assert(b->used < b->cap);
	b->used++;
	slot->req = req;
	slot->req.done = batch_done;
	slot->req.user = b;
	task_group_begin(&b->group);
	blk_submit(dev, &slot->req);
	return slot;
}

static struct blk_slot *batch_transfer(struct blk_batch *b, struct blk_dev *dev, enum blk_op op,
	uint64_t offset, void *buf, size_t length, unsigned flags)
{
	struct blk_slot *slot = &b->slots[b->used];

	assert(b->used < b->cap);
	slot->iov = (struct iovec){.iov_base = buf, .iov_len = length};
	return batch_submit(b, dev,
		(struct blk_req){.op = op,
			.flags = flags,
			.offset = offset,
			.length = length,
			.iov = &slot->iov,
			.iovcnt = 1});
}

struct blk_slot *blk_batch_read(
	struct blk_batch *b, struct blk_dev *dev, uint64_t offset, void *buf, size_t length)
{
	return batch_transfer(b, dev, BLK_READ, offset, buf, length, 0);
}

struct blk_slot *blk_batch_write(struct blk_batch *b, struct blk_dev *dev, uint64_t offset,
	const void *buf, size_t length, unsigned flags)
{
	return batch_transfer(b, dev, BLK_WRITE, offset, (void *)(uintptr_t)buf, length, flags);
}

struct blk_slot *blk_batch_flush(struct blk_batch *b, struct blk_dev *dev)
{
	return batch_submit(b, dev, (struct blk_req){.op = BLK_FLUSH});
}

struct blk_slot *blk_batch_zero(
	struct blk_batch *b, struct blk_dev *dev, uint64_t offset, uint64_t length, unsigned flags)
{
	return batch_submit(b, dev,
		(struct blk_req){
			.op = BLK_ZERO, .flags = flags, .offset = offset, .length = length});
}

int blk_batch_wait(struct blk_batch *b)
{
	task_group_wait(&b->group);
	for (unsigned i = 0; i < b->used; i++) {
		if (b->slots[i].req.result)
			return b->slots[i].req.result;
	}
	return 0;
}
