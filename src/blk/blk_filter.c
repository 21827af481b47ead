/* SPDX-License-Identifier: Apache-2.0 */
#include "blk/blk_filter.h"

#include <errno.h>
#include <stdlib.h>

int blk_filter_init(struct blk_filter *f, const struct blk_ops *ops, struct blk_dev *lower)
{
	int r = blk_dev_init(&f->dev, ops, lower->loop, lower->name);

	if (r)
		return r;
	f->dev.size_bytes = lower->size_bytes;
	f->dev.logical_block = lower->logical_block;
	f->dev.physical_block = lower->physical_block;
	f->dev.flags = lower->flags;
	f->lower = lower;
	list_init(&f->spare);
	return 0;
}

void blk_filter_fini(struct blk_filter *f)
{
	struct filter_child *c;

	blk_close(f->lower);
	while ((c = list_first(&f->spare, struct filter_child, link))) {
		list_del(&c->link);
		free(c);
	}
	blk_dev_fini(&f->dev);
}

struct filter_child *blk_filter_child(struct blk_filter *f, struct blk_req *parent)
{
	struct filter_child *c = list_first(&f->spare, struct filter_child, link);

	if (c)
		list_del(&c->link);
	else
		c = malloc(sizeof(*c));
	if (!c) {
		blk_complete(parent, -ENOMEM);
		return NULL;
	}
	*c = (struct filter_child){
		.req =
			{
				.op = parent->op,
				.flags = parent->flags,
				.offset = parent->offset,
				.length = parent->length,
				.iov = parent->iov,
				.iovcnt = parent->iovcnt,
			},
		.parent = parent,
		.filter = f,
	};
	list_init(&c->link);
	return c;
}

void blk_filter_pass(struct filter_child *c, void (*done)(struct blk_req *req))
{
	c->req.done = done;
	blk_submit(c->filter->lower, &c->req);
}

void blk_filter_answer(struct filter_child *c, int result)
{
	struct blk_req *parent = c->parent;

	list_add_tail(&c->filter->spare, &c->link);
	blk_complete(parent, result);
}

int blk_filter_resize(struct blk_dev *dev, uint64_t size_bytes)
{
	struct blk_filter *f = container_of(dev, struct blk_filter, dev);
	int r = blk_resize(f->lower, size_bytes);

	dev->size_bytes = f->lower->size_bytes;
	return r;
}
