/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block devices on files and on the system's block devices: the way of a request.
 *
 * A request whose offset, length and buffers suit the kernel goes to the I/O engine as it is
 * and is continued after short transfers. Others (direct I/O has its alignments) run as a
 * task through a bounce buffer (blk_file_bounce.c).
 *
 * Files have logical blocks of 512 bytes always. Where direct I/O needs 4 KiB, a smaller
 * write is a read-modify-write of whole units, and then no two writes may overlap in a unit:
 * a neighbour's new data would be put back to the old. So in that case every write holds its
 * range, rounded to units, and later ones that touch it wait, in order.
 *
 * A file that has become shorter is noticed by a read that meets the end and by the size at
 * each flush; from then on the device is gone, since writing would silently make a new file
 * with holes of what is left.
 */
#include "blk/blk_file.h"

#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>

static void launch(struct file_req *fr);
static void transfer(struct file_req *fr);

static struct blk_file *file_of(struct blk_dev *dev)
{
	return container_of(dev, struct blk_file, dev);
}

int file_truncated(struct blk_file *f)
{
	if (!f->gone)
		log_error(
			"%s has become shorter while in use; nothing is read from or written to it "
			"any more.",
			f->dev.name);
	f->gone = true;
	return -EIO;
}

/* ---- ranges -------------------------------------------------------------------------------- */

static bool needs_range(const struct file_req *fr)
{
	return fr->file->offset_align > fr->file->dev.logical_block &&
	       (fr->req->op == BLK_WRITE || fr->req->op == BLK_ZERO);
}

static bool touches_any(const struct list *ranges, const struct file_req *fr)
{
	const struct list *pos;

	for (pos = ranges->next; pos != ranges; pos = pos->next) {
		const struct file_req *other = list_entry(pos, struct file_req, range);

		if (other == fr)
			break;
		if (other->from < fr->to && fr->from < other->to)
			return true;
	}
	return false;
}

/* The oldest of those that wait whose range has become free. */
static struct file_req *admissible(const struct blk_file *f)
{
	const struct list *pos;

	for (pos = f->blocked.next; pos != &f->blocked; pos = pos->next) {
		struct file_req *fr = list_entry(pos, struct file_req, range);

		/* The second look ends at fr itself: only older waiters count. */
		if (!touches_any(&f->writing, fr) && !touches_any(&f->blocked, fr))
			return fr;
	}
	return NULL;
}

static void admit(struct blk_file *f)
{
	struct file_req *fr;

	while ((fr = admissible(f))) {
		list_del(&fr->range);
		list_add_tail(&f->writing, &fr->range);
		launch(fr);
	}
}

static void start(struct file_req *fr)
{
	struct blk_file *f = fr->file;
	uint64_t unit = f->offset_align;

	if (!needs_range(fr)) {
		launch(fr);
		return;
	}
	fr->from = fr->req->offset / unit * unit;
	fr->to = (fr->req->offset + fr->req->length + unit - 1) / unit * unit;
	if (touches_any(&f->writing, fr) || touches_any(&f->blocked, fr)) {
		list_add_tail(&f->blocked, &fr->range);
	} else {
		list_add_tail(&f->writing, &fr->range);
		launch(fr);
	}
}

/* ---- life of a request --------------------------------------------------------------------- */

static struct file_req *file_req_new(struct blk_file *f, struct blk_req *req)
{
	struct file_req *fr = list_first(&f->spare, struct file_req, range);

	if (fr)
		list_del(&fr->range);
	else
		fr = malloc(sizeof(*fr));
	if (!fr)
		return NULL;
	fr->file = f;
	fr->req = req;
	fr->done = 0;
	fr->rest = NULL;
	list_init(&fr->range);
	return fr;
}

/* The few errors that users of a block device tell apart. A kernel has more names for a bad
 * medium, a broken path, a full quota, a disk pulled out. */
static int plain_error(int error)
{
	switch (error) {
	case 0:
	case -ENOSPC:
	case -ENODEV:
	case -ETIMEDOUT:
	case -ENOMEM:
	case -EROFS:
		return error;
	case -EDQUOT:
	case -EFBIG:
		return -ENOSPC;
	case -ENXIO:
		return -ENODEV;
	default:
		return -EIO;
	}
}

void file_finish(struct file_req *fr, int result)
{
	struct blk_file *f = fr->file;
	struct blk_req *req = fr->req;
	bool held = list_linked(&fr->range);

	list_del(&fr->range);
	free(fr->rest);
	list_add_tail(f->spare.next, &fr->range);
	if (held && !list_empty(&f->blocked))
		admit(f);
	blk_complete(req, plain_error(result));
}

static void submit_aio(struct file_req *fr, enum aio_op op, void (*done)(struct aio_req *aio))
{
	fr->aio.op = op;
	fr->aio.fd = fr->file->fd;
	fr->aio.done = done;
	fr->file->aio->ops->submit(fr->file->aio, &fr->aio);
}

/* ---- reads and writes ---------------------------------------------------------------------- */

static bool suits(const struct blk_file *f, const struct blk_req *req)
{
	if (!f->direct)
		return true;
	if (req->offset % f->offset_align || req->length % f->offset_align)
		return false;
	for (int i = 0; i < req->iovcnt; i++) {
		if ((uintptr_t)req->iov[i].iov_base % f->memory_align ||
			req->iov[i].iov_len % f->offset_align)
			return false;
	}
	return true;
}

static void transfer_done(struct aio_req *aio)
{
	struct file_req *fr = container_of(aio, struct file_req, aio);
	uint64_t got = aio->result > 0 ? (uint64_t)aio->result : 0;

	if (aio->result < 0) {
		file_finish(fr, (int)aio->result);
		return;
	}
	/* A transfer that ended inside of a unit met the end of the file; going on from the unit's
	 * start makes sure. */
	got -= got % (fr->file->direct ? fr->file->offset_align : fr->file->dev.logical_block);
	fr->done += got;
	if (fr->done == fr->req->length)
		file_finish(fr, 0);
	else if (got == 0)
		file_finish(fr, fr->req->op == BLK_READ ? file_truncated(fr->file) : -EIO);
	else
		transfer(fr);
}

/* The vectors that are still to do, at most IOV_MAX of them. */
static int remaining(struct file_req *fr)
{
	const struct blk_req *req = fr->req;
	uint64_t skip = fr->done;
	int first = 0, n;

	while (first < req->iovcnt && skip >= req->iov[first].iov_len)
		skip -= req->iov[first++].iov_len;
	n = req->iovcnt - first < IOV_MAX ? req->iovcnt - first : IOV_MAX;
	if (!fr->rest)
		fr->rest = malloc((size_t)n * sizeof(*fr->rest));
	if (!fr->rest)
		return -ENOMEM;
	memcpy(fr->rest, req->iov + first, (size_t)n * sizeof(*fr->rest));
	fr->rest[0].iov_base = (char *)fr->rest[0].iov_base + skip;
	fr->rest[0].iov_len -= skip;
	fr->aio.iov = fr->rest;
	fr->aio.iovcnt = n;
	return 0;
}

static void transfer(struct file_req *fr)
{
	const struct blk_req *req = fr->req;

	fr->aio.offset = req->offset + fr->done;
	fr->aio.dsync = (req->flags & BLK_FUA) != 0;
	fr->aio.iov = req->iov;
	fr->aio.iovcnt = req->iovcnt;
	if (fr->done || req->iovcnt > IOV_MAX) {
		int r = remaining(fr);

		if (r) {
			file_finish(fr, r);
			return;
		}
	}
	submit_aio(fr, req->op == BLK_READ ? AIO_READ : AIO_WRITE, transfer_done);
}

/* ---- flush and zero ------------------------------------------------------------------------ */

static void sync_done(struct aio_req *aio)
{
	struct file_req *fr = container_of(aio, struct file_req, aio);

	file_finish(fr, aio->result < 0 ? (int)aio->result : 0);
}

static void flush(struct file_req *fr)
{
	struct blk_file *f = fr->file;
	uint64_t size;

	if (!f->is_block && file_size(f->fd, false, &size) == 0 && size < f->dev.size_bytes) {
		file_finish(fr, file_truncated(f));
		return;
	}
	submit_aio(fr, AIO_DATASYNC, sync_done);
}

static void zero(struct file_req *fr);

static void zero_done(struct aio_req *aio)
{
	struct file_req *fr = container_of(aio, struct file_req, aio);
	struct blk_file *f = fr->file;

	switch ((int)aio->result) {
	case -EOPNOTSUPP:
	case -ENOSYS:
	case -EINVAL:
		/* Others may have met the same refusal meanwhile. */
		if (f->zero == FILE_ZERO_PUNCH && (aio->mode & FALLOC_FL_PUNCH_HOLE))
			f->zero = FILE_ZERO_RANGE;
		else if (f->zero == FILE_ZERO_RANGE && (aio->mode & FALLOC_FL_ZERO_RANGE))
			f->zero = FILE_ZERO_WRITE;
		if (f->zero == FILE_ZERO_WRITE)
			f->dev.flags &= ~(unsigned)BLK_DEV_ZERO_CHEAP;
		zero(fr);
		return;
	case 0:
		if (fr->req->flags & BLK_FUA)
			submit_aio(fr, AIO_DATASYNC, sync_done);
		else
			file_finish(fr, 0);
		return;
	default:
		file_finish(fr, (int)aio->result);
	}
}

static void zero(struct file_req *fr)
{
	switch (fr->file->zero) {
	case FILE_ZERO_PUNCH:
		fr->aio.mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
		break;
	case FILE_ZERO_RANGE:
		fr->aio.mode = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
		break;
	case FILE_ZERO_WRITE:
		file_bounce(fr);
		return;
	}
	fr->aio.offset = fr->req->offset;
	fr->aio.length = fr->req->length;
	submit_aio(fr, AIO_ALLOCATE, zero_done);
}

/* ---- the device ---------------------------------------------------------------------------- */

static void launch(struct file_req *fr)
{
	switch (fr->req->op) {
	case BLK_READ:
	case BLK_WRITE:
		if (suits(fr->file, fr->req))
			transfer(fr);
		else
			file_bounce(fr);
		break;
	case BLK_FLUSH:
		flush(fr);
		break;
	case BLK_ZERO:
		zero(fr);
		break;
	}
}

static void file_submit(struct blk_dev *dev, struct blk_req *req)
{
	struct blk_file *f = file_of(dev);
	struct file_req *fr;

	if (f->gone) {
		blk_complete(req, -ENODEV);
		return;
	}
	fr = file_req_new(f, req);
	if (!fr) {
		blk_complete(req, -ENOMEM);
		return;
	}
	start(fr);
}

static int file_resize(struct blk_dev *dev, uint64_t size_bytes)
{
	struct blk_file *f = file_of(dev);
	uint64_t size;
	int r;

	if (size_bytes == 0 || size_bytes % dev->logical_block || size_bytes % f->offset_align)
		return -EINVAL;
	if (dev->flags & BLK_DEV_READ_ONLY)
		return -EROFS;
	while (dev->in_flight)
		task_wait(&dev->idle);
	r = file_size(f->fd, f->is_block, &size);
	if (r)
		return r;
	if (f->is_block && size_bytes > size)
		return -ENOSPC;
	if (!f->is_block && (ftruncate(f->fd, (off_t)size_bytes) || fsync(f->fd)))
		return -errno;
	dev->size_bytes = size_bytes;
	return 0;
}

static void file_close(struct blk_dev *dev)
{
	struct blk_file *f = file_of(dev);

	blk_dev_fini(dev);
	file_destroy(f);
}

const struct blk_ops blk_file_ops = {
	.kind = "file",
	.submit = file_submit,
	.close = file_close,
	.resize = file_resize,
};
