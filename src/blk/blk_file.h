/* SPDX-License-Identifier: Apache-2.0 */
/* Between the parts of the file back end: opening (blk_file_open.c), requests (blk_file.c) and
 * those that need a bounce buffer (blk_file_bounce.c). */
#ifndef BLK_BLK_FILE_H
#define BLK_BLK_FILE_H

#include "blk/aio.h"
#include "blk/blk.h"

/* For tests, in the flags of blk_file_open: treat the file as if direct I/O needed 4 KiB. */
enum { BLK_OPEN_TEST_4K = 1 << 16 };

/* How a range is made zero, best first; each that the kernel refuses is never tried again. */
enum file_zero { FILE_ZERO_PUNCH, FILE_ZERO_RANGE, FILE_ZERO_WRITE };

struct blk_file {
	struct blk_dev dev;
	struct aio_engine *aio;
	int fd;
	bool is_block;
	bool direct;
	bool gone; /* the file was truncated under us */
	enum file_zero zero;
	uint32_t memory_align; /* of direct I/O: addresses */
	uint32_t offset_align; /* offsets and lengths; 1 when not direct */
	struct list spare;     /* struct file_req */

	/* Writes admitted and writes that wait for one of them, in order; used only while
	 * offset_align is larger than the logical block (see blk_file.c). */
	struct list writing, blocked;

	/* The bounce buffer of last resort, so that no request ever waits for the pool. */
	struct task_mutex bounce_lock;
	void *bounce;
};

#define FILE_BOUNCE_BYTES ((size_t)64 * 1024)

/* A request on its way. */
struct file_req {
	struct aio_req aio;
	struct blk_file *file;
	struct blk_req *req;
	uint64_t done;      /* bytes transferred */
	struct iovec *rest; /* made when a transfer has to be continued */
	struct list range;  /* in writing or blocked */
	uint64_t from, to;  /* the range, rounded to offset_align */
};

extern const struct blk_ops blk_file_ops;

/* Answers the request. result 0 or whatever errno the kernel gave, negative. */
void file_finish(struct file_req *fr, int result);

/* The kernel gave no bytes where the file should have some. Returns the error to report. */
int file_truncated(struct blk_file *f);

/* Runs the request in a task, through a bounce buffer; BLK_ZERO writes zeros. */
void file_bounce(struct file_req *fr);

/* Frees what open made. */
void file_destroy(struct blk_file *f);

/* The size of what is behind fd now, in bytes; negative errno. */
int file_size(int fd, bool is_block, uint64_t *size);

#endif
