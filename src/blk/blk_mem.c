/* SPDX-License-Identifier: Apache-2.0 */
/* A block device in memory. Pages come into being when they are written, so a large one costs
 * no more than what it holds. */
#include "blk/blk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096u

struct blk_mem {
	struct blk_dev dev;
	char *data;
};

static void zero(struct blk_mem *m, uint64_t offset, uint64_t length)
{
	uint64_t first = (offset + PAGE - 1) / PAGE * PAGE;
	uint64_t end = (offset + length) / PAGE * PAGE;

	if (first >= end || madvise(m->data + first, end - first, MADV_DONTNEED)) {
		memset(m->data + offset, 0, length);
		return;
	}
	memset(m->data + offset, 0, first - offset);
	memset(m->data + end, 0, offset + length - end);
}

static void copy(const struct blk_req *req, char *data)
{
	for (int i = 0; i < req->iovcnt; i++) {
		const struct iovec *v = &req->iov[i];

		if (v->iov_len == 0)
			continue;
		if (req->op == BLK_READ)
			memcpy(v->iov_base, data, v->iov_len);
		else
			memcpy(data, v->iov_base, v->iov_len);
		data += v->iov_len;
	}
}

static void mem_submit(struct blk_dev *dev, struct blk_req *req)
{
	struct blk_mem *m = container_of(dev, struct blk_mem, dev);

	switch (req->op) {
	case BLK_READ:
	case BLK_WRITE:
		copy(req, m->data + req->offset);
		break;
	case BLK_FLUSH:
		break;
	case BLK_ZERO:
		zero(m, req->offset, req->length);
		break;
	}
	blk_complete(req, 0);
}

static void mem_close(struct blk_dev *dev)
{
	struct blk_mem *m = container_of(dev, struct blk_mem, dev);

	munmap(m->data, dev->size_bytes);
	blk_dev_fini(dev);
	free(m);
}

static const struct blk_ops mem_ops = {
	.kind = "mem",
	.submit = mem_submit,
	.close = mem_close,
};

int blk_mem_new(struct loop *loop, const char *name, uint64_t size_bytes, uint32_t logical_block,
	struct blk_dev **out)
{
	struct blk_mem *m;
	int r;

	*out = NULL;
	if ((logical_block != 512 && logical_block != 4096) || size_bytes == 0 ||
		size_bytes % logical_block)
		return -EINVAL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	r = blk_dev_init(&m->dev, &mem_ops, loop, name);
	if (r)
		goto fail;
	m->data = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->data == MAP_FAILED) {
		r = -ENOMEM;
		blk_dev_fini(&m->dev);
		goto fail;
	}
	m->dev.size_bytes = size_bytes;
	m->dev.logical_block = logical_block;
	m->dev.physical_block = 4096;
	m->dev.flags = BLK_DEV_ZERO_CHEAP;
	*out = &m->dev;
	return 0;
fail:
	free(m);
	return r;
}
