/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and making backing files: what is behind the path, who else uses it, and which
 * alignments direct I/O asks for.
 */
#include "blk/blk_file.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* The largest unit that the bounce path is asked to handle. */
#define ALIGN_MAX 4096u

int file_size(int fd, bool is_block, uint64_t *size)
{
	struct stat st;

	if (is_block)
		return ioctl(fd, BLKGETSIZE64, size) ? -errno : 0;
	if (fstat(fd, &st))
		return -errno;
	*size = (uint64_t)st.st_size;
	return 0;
}

/* ---- opening ------------------------------------------------------------------------------- */

static int explain_open(struct err *err, const char *path, int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return err_set(err, -error, "%s does not exist.", path);
	case EACCES:
	case EPERM:
		return err_set(err, -error,
			"%s may not be opened by this user; change its owner or permissions.",
			path);
	case EROFS:
		return err_set(err, -error, "%s is on a read-only file system.", path);
	case EBUSY:
		return err_set(err, -error,
			"%s is in use (mounted, or part of another volume); release it there "
			"first.",
			path);
	case ENOMEDIUM:
		return err_set(err, -error, "%s has no medium in it.", path);
	default:
		return err_set(err, -error, "%s cannot be opened: %s.", path, err_name(error));
	}
}

static int open_fd(struct blk_file *f, const char *path, unsigned flags, struct err *err)
{
	int mode = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	struct stat st;

	if (stat(path, &st))
		return explain_open(err, path, errno);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(
			err, -ENOTBLK, "%s is neither a regular file nor a block device.", path);
	f->is_block = S_ISBLK(st.st_mode);
	mode |= flags & BLK_OPEN_READ_ONLY ? O_RDONLY : O_RDWR;
	if (f->is_block && !(flags & BLK_OPEN_NO_LOCK))
		mode |= O_EXCL;
	if (!(flags & BLK_OPEN_BUFFERED)) {
		f->fd = open(path, mode | O_DIRECT);
		f->direct = f->fd >= 0;
	}
	/* File systems without direct I/O say EINVAL. */
	if (f->fd < 0 && (flags & BLK_OPEN_BUFFERED || errno == EINVAL))
		f->fd = open(path, mode);
	if (f->fd < 0)
		return explain_open(err, path, errno);
	/* Between the look and the opening the path may have become something else. */
	if (fstat(f->fd, &st))
		return explain_open(err, path, errno);
	if (f->is_block ? !S_ISBLK(st.st_mode) : !S_ISREG(st.st_mode))
		return err_set(
			err, -EAGAIN, "%s was replaced while it was opened; try again.", path);
	/* It was there so that opening cannot hang; left there io_uring would take it as "do not
	 * wait". */
	fcntl(f->fd, F_SETFL, fcntl(f->fd, F_GETFL) & ~O_NONBLOCK);
	return 0;
}

static int lock_file(struct blk_file *f, const char *path, unsigned flags, struct err *err)
{
	struct flock whole = {
		.l_type = flags & BLK_OPEN_READ_ONLY ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};

	if (f->is_block || (flags & BLK_OPEN_NO_LOCK))
		return 0;
	if (fcntl(f->fd, F_OFD_SETLK, &whole) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return err_set(err, -EBUSY,
			"%s is in use by another program; close it there first.", path);
	return err_set(err, -errno, "%s cannot be locked: %s.", path, err_name(errno));
}

/* ---- what is behind it --------------------------------------------------------------------- */

static bool direct_read_works(int fd, uint32_t align)
{
	/* At an address that is a multiple of align and of nothing larger. */
	char *mem = aligned_alloc(ALIGN_MAX, 4 * ALIGN_MAX);
	bool works = mem && pread(fd, mem + align, align, (off_t)align) >= 0;

	free(mem);
	return works;
}

static void go_buffered(struct blk_file *f)
{
	int mode = fcntl(f->fd, F_GETFL);

	if (f->direct)
		fcntl(f->fd, F_SETFL, mode & ~O_DIRECT);
	f->direct = false;
	f->offset_align = f->memory_align = 1;
}

static void find_alignment(struct blk_file *f, unsigned flags)
{
	struct statx sx = {0};

	if (!f->direct) {
		go_buffered(f);
		return;
	}
	f->offset_align = f->memory_align = 0;
#ifdef STATX_DIOALIGN
	if (statx(f->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &sx) == 0 &&
		(sx.stx_mask & STATX_DIOALIGN)) {
		if (sx.stx_dio_offset_align == 0) {
			go_buffered(f);
			return;
		}
		f->offset_align = sx.stx_dio_offset_align;
		f->memory_align = sx.stx_dio_mem_align;
	}
#endif
	if (!f->offset_align && direct_read_works(f->fd, 512))
		f->offset_align = f->memory_align = 512;
	if (!f->offset_align && direct_read_works(f->fd, ALIGN_MAX))
		f->offset_align = f->memory_align = ALIGN_MAX;
	if (flags & BLK_OPEN_TEST_4K)
		f->offset_align = f->memory_align = ALIGN_MAX;
	/* The last unit must not reach over the end: writing it would make the file longer. */
	if (!f->offset_align || f->offset_align > ALIGN_MAX || f->memory_align > ALIGN_MAX ||
		f->dev.size_bytes % f->offset_align)
		go_buffered(f);
}

static bool read_number(const char *path, int *value)
{
	FILE *file = fopen(path, "re");
	bool ok = file && fscanf(file, "%d", value) == 1;

	if (file)
		fclose(file);
	return ok;
}

/* Asks the system about the disk that holds the file or is it. Unknown counts as not. */
static bool is_rotational(const struct blk_file *f)
{
	struct stat st;
	char path[128];
	unsigned major, minor;
	dev_t disk;
	int value = 0;

	if (fstat(f->fd, &st))
		return false;
	disk = f->is_block ? st.st_rdev : st.st_dev;
	major = major(disk);
	minor = minor(disk);
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/queue/rotational", major, minor);
	if (read_number(path, &value))
		return value == 1;
	/* A partition: its disk is the folder above. */
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../queue/rotational", major, minor);
	return read_number(path, &value) && value == 1;
}

static int find_shape(struct blk_file *f, const char *path, unsigned flags, struct err *err)
{
	unsigned physical = 4096;
	int logical = 512;
	uint64_t size, given;
	int r = file_size(f->fd, f->is_block, &size);

	if (r)
		return err_set(
			err, r, "The size of %s cannot be found out: %s.", path, err_name(r));
	if (f->is_block &&
		(ioctl(f->fd, BLKSSZGET, &logical) || ioctl(f->fd, BLKPBSZGET, &physical)))
		return err_set(err, -errno, "The block size of %s cannot be found out: %s.", path,
			err_name(errno));
	if (logical != 512 && logical != 4096)
		return err_set(err, -EINVAL,
			"%s has blocks of %d bytes; 512 and 4096 are supported.", path, logical);
	given = size;
	size -= size % (unsigned)logical;
	if (size == 0)
		return err_set(err, -ENOMEDIUM, "%s %s; give it a size first.", path,
			given ? "is smaller than a block" : "is empty");
	f->dev.size_bytes = size;
	f->dev.logical_block = (uint32_t)logical;
	f->dev.physical_block = physical;
	f->dev.flags = BLK_DEV_VOLATILE_CACHE | BLK_DEV_ZERO_CHEAP;
	if (flags & BLK_OPEN_READ_ONLY)
		f->dev.flags |= BLK_DEV_READ_ONLY;
	if (is_rotational(f))
		f->dev.flags |= BLK_DEV_ROTATIONAL;
	find_alignment(f, flags);
	return 0;
}

/* Not left to close: an I/O worker of the kernel may keep its reference to the file for a moment after
 * the last request completed, and whoever opens the file again would find it locked. */
static void unlock_file(const struct blk_file *f)
{
	struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	if (!f->is_block)
		fcntl(f->fd, F_OFD_SETLK, &whole);
}

void file_destroy(struct blk_file *f)
{
	struct file_req *fr;

	while ((fr = list_first(&f->spare, struct file_req, range))) {
		list_del(&fr->range);
		free(fr);
	}
	if (f->fd >= 0) {
		unlock_file(f);
		close(f->fd);
	}
	free(f->bounce);
	free(f);
}

int blk_file_open(
	struct loop *loop, const char *path, unsigned flags, struct blk_dev **out, struct err *err)
{
	struct blk_file *f;
	int r;

	*out = NULL;
	if (!aio_engine_of(loop))
		return err_set(err, -EOPNOTSUPP, "%s cannot be opened in a simulation.", path);
	f = calloc(1, sizeof(*f));
	if (!f || blk_dev_init(&f->dev, &blk_file_ops, loop, path)) {
		free(f);
		return err_set(err, -ENOMEM, "No memory to open %s.", path);
	}
	f->fd = -1;
	f->aio = aio_engine_of(loop);
	list_init(&f->spare);
	list_init(&f->writing);
	list_init(&f->blocked);
	task_mutex_init(&f->bounce_lock);
	f->bounce = aligned_alloc(ALIGN_MAX, FILE_BOUNCE_BYTES);
	r = f->bounce ? 0 : err_set(err, -ENOMEM, "No memory to open %s.", path);
	if (r == 0)
		r = open_fd(f, path, flags, err);
	if (r == 0)
		r = lock_file(f, path, flags, err);
	if (r == 0)
		r = find_shape(f, path, flags, err);
	if (r) {
		blk_dev_fini(&f->dev);
		file_destroy(f);
		return r;
	}
	log_debug("%s: %llu bytes, %s, alignment %u/%u", path,
		(unsigned long long)f->dev.size_bytes, f->direct ? "direct" : "buffered",
		f->offset_align, f->memory_align);
	*out = &f->dev;
	return 0;
}

/* ---- making one ---------------------------------------------------------------------------- */

static int sync_folder(const char *path, struct err *err)
{
	cleanup_free char *copy = strdup(path);
	cleanup_close int fd = -1;
	const char *folder;

	if (!copy)
		return err_set(err, -ENOMEM, "No memory to make %s.", path);
	folder = dirname(copy);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		return err_set(err, -errno, "The folder %s cannot be written to disk: %s.", folder,
			err_name(errno));
	return 0;
}

static int explain_create(struct err *err, const char *path, int error)
{
	switch (error) {
	case EEXIST:
		return err_set(err, -error, "%s exists already.", path);
	case ENOENT:
	case ENOTDIR:
		return err_set(err, -error, "The folder of %s does not exist.", path);
	case EFBIG:
		return err_set(err, -error,
			"%s would be larger than the file system or the limits of this process "
			"allow.",
			path);
	default:
		return err_set(err, -error, "%s cannot be made: %s.", path, err_name(error));
	}
}

int blk_file_create(const char *path, uint64_t size_bytes, struct err *err)
{
	cleanup_close int fd = -1;
	int r;

	if (size_bytes == 0 || size_bytes % 512 || size_bytes > INT64_MAX)
		return err_set(
			err, -EINVAL, "The size of %s must be a multiple of 512 bytes.", path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return explain_create(err, path, errno);
	if (ftruncate(fd, (off_t)size_bytes) || fsync(fd))
		r = explain_create(err, path, errno);
	else
		r = sync_folder(path, err);
	if (r)
		unlink(path);
	return r;
}
