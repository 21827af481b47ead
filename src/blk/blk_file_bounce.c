/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that do not suit direct I/O: a task moves them piece by piece through an aligned
 * buffer, with read-modify-write at ragged ends. The buffer comes from the pool if it has one
 * at once, else it is the device's own, which is taken in turn; its holder waits for nothing
 * but the kernel, so this cannot deadlock with whoever holds the pool.
 */
#include "blk/blk_file.h"

#include <errno.h>
#include <string.h>

#define PIECE_BYTES ((size_t)256 * 1024)

struct bounce {
	struct file_req *fr;
	struct task *task;
	char *buf;
	size_t bytes;
	bool own; /* the device's buffer */
};

static void bounce_get(struct bounce *b)
{
	struct blk_file *f = b->fr->file;

	b->bytes = PIECE_BYTES;
	b->buf = loop_buf_try_at(f->dev.loop, LOOP_BUF_INNER, b->bytes);
	if (b->buf)
		return;
	task_lock(&f->bounce_lock);
	b->own = true;
	b->buf = f->bounce;
	b->bytes = FILE_BOUNCE_BYTES;
}

static void bounce_put(struct bounce *b)
{
	if (b->own)
		task_unlock(&b->fr->file->bounce_lock);
	else
		loop_buf_free(b->fr->file->dev.loop, b->buf, b->bytes);
}

static void io_done(struct aio_req *aio)
{
	struct file_req *fr = container_of(aio, struct file_req, aio);
	struct bounce *b = aio->user;

	loop_ready(fr->file->dev.loop, task_event(b->task));
}

/* Moves the bytes at offset from or to the buffer at `at`, completely. */
static int io(struct bounce *b, enum aio_op op, uint64_t offset, size_t at, size_t length)
{
	struct blk_file *f = b->fr->file;
	struct aio_req *aio = &b->fr->aio;
	uint32_t unit = f->direct ? f->offset_align : f->dev.logical_block;

	while (length) {
		struct iovec iov = {.iov_base = b->buf + at, .iov_len = length};
		size_t got;

		aio->op = op;
		aio->fd = f->fd;
		aio->offset = offset;
		aio->dsync = (b->fr->req->flags & BLK_FUA) != 0;
		aio->iov = &iov;
		aio->iovcnt = 1;
		aio->done = io_done;
		aio->user = b;
		f->aio->ops->submit(f->aio, aio);
		task_suspend(b->task);
		if (aio->result < 0)
			return (int)aio->result;
		got = (size_t)aio->result / unit * unit;
		if (got == 0)
			return op == AIO_READ ? file_truncated(f) : -EIO;
		offset += got;
		at += got;
		length -= got;
	}
	return 0;
}

/* Copies between the request's vectors, from its byte `at` on, and memory. BLK_ZERO: zeros. */
static void copy(const struct blk_req *req, uint64_t at, char *mem, size_t length)
{
	if (req->op == BLK_ZERO) {
		memset(mem, 0, length);
		return;
	}
	for (int i = 0; i < req->iovcnt && length; i++) {
		const struct iovec *v = &req->iov[i];
		size_t n;

		if (at >= v->iov_len) {
			at -= v->iov_len;
			continue;
		}
		n = v->iov_len - at < length ? v->iov_len - at : length;
		if (req->op == BLK_READ)
			memcpy((char *)v->iov_base + at, mem, n);
		else
			memcpy(mem, (char *)v->iov_base + at, n);
		mem += n;
		length -= n;
		at = 0;
	}
}

/* One piece of at most the buffer, beginning at byte done of the request. */
static int piece(struct bounce *b, uint64_t done, uint64_t *moved)
{
	const struct blk_req *req = b->fr->req;
	uint64_t unit = b->fr->file->offset_align;
	uint64_t from = req->offset + done;
	uint64_t end = req->offset + req->length;
	uint64_t low = from / unit * unit;
	uint64_t high;
	int r;

	if (end > low + b->bytes)
		end = low + b->bytes;
	high = (end + unit - 1) / unit * unit;
	*moved = end - from;
	if (req->op == BLK_READ) {
		r = io(b, AIO_READ, low, 0, high - low);
		if (r == 0)
			copy(req, done, b->buf + (from - low), end - from);
		return r;
	}
	if (low < from) {
		r = io(b, AIO_READ, low, 0, unit);
		if (r)
			return r;
	}
	if (end < high && !(low < from && high - low == unit)) {
		r = io(b, AIO_READ, high - unit, high - unit - low, unit);
		if (r)
			return r;
	}
	copy(req, done, b->buf + (from - low), end - from);
	return io(b, AIO_WRITE, low, 0, high - low);
}

static void bounce_task(void *arg)
{
	struct bounce b = {.fr = arg, .task = task_self()};
	uint64_t done = 0, moved;
	int r = 0;

	bounce_get(&b);
	while (r == 0 && done < b.fr->req->length) {
		r = piece(&b, done, &moved);
		done += moved;
	}
	bounce_put(&b);
	file_finish(b.fr, r);
}

void file_bounce(struct file_req *fr)
{
	int r = task_spawn(fr->file->dev.loop, "bounce", bounce_task, fr);

	if (r)
		file_finish(fr, r);
}
