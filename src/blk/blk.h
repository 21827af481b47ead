/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block devices. Everything that stores bytes, from a file to a RAID LUN, is a struct
 * blk_dev: an ops table over a loop. Devices stack (filters, RAID) by holding another one.
 *
 * Rules, checked once in blk_submit for every device:
 *  - offset and length are multiples of logical_block and inside size_bytes, else -EINVAL /
 *    -ENXIO; writes to a read-only device give -EROFS; a closed or gone device gives -ENODEV;
 *  - buffers need no alignment: a backend that wants it (O_DIRECT) bounces; aligned ones are
 *    faster (loop_buf_alloc);
 *  - done runs on the loop, never inside blk_submit, exactly once;
 *  - a write that completed is visible to later reads; it is stable after a later BLK_FLUSH
 *    (or its own BLK_FUA) completed. Requests in flight together are not ordered;
 *  - a short transfer never reaches the caller: it is continued, or becomes an error.
 *
 * Errors are negative errno: -EIO (medium or device), -ENOSPC (thin backing full), -ENODEV
 * (gone), -ETIMEDOUT (does not answer).
 */
#ifndef BLK_BLK_H
#define BLK_BLK_H

#include "base/err.h"
#include "blk/loop.h"
#include "blk/task.h"

#include <sys/uio.h>

struct blk_dev;

enum blk_op {
	BLK_READ,
	BLK_WRITE,
	BLK_FLUSH, /* offset and length ignored */
	BLK_ZERO,  /* range reads as zeros afterwards; space may be given back */
};

enum { BLK_FUA = 1 }; /* BLK_WRITE and BLK_ZERO: stable when done */

struct blk_req {
	/* set by the caller */
	enum blk_op op;
	unsigned flags;
	uint64_t offset;         /* bytes */
	uint64_t length;         /* bytes; for BLK_READ and BLK_WRITE the sum of iov */
	const struct iovec *iov; /* must stay valid until done */
	int iovcnt;
	void (*done)(struct blk_req *req);
	void *user;
	/* set by the device */
	int result; /* valid in done: 0 or negative errno */
	struct blk_dev *dev;
	struct list link;       /* the device's, while in flight */
	uint64_t started_ns;    /* the device's */
	void *priv;             /* the device's */
	struct loop_post ready; /* blk_complete's */
};

enum {
	BLK_DEV_READ_ONLY = 1,
	BLK_DEV_ROTATIONAL = 2,
	BLK_DEV_VOLATILE_CACHE = 4, /* BLK_FLUSH is needed for stability */
	BLK_DEV_ZERO_CHEAP = 8,     /* BLK_ZERO costs no data transfer */
};

struct blk_ops {
	const char *kind; /* "file", "mem", "sim", "fault", "raid", … */
	void (*submit)(struct blk_dev *dev, struct blk_req *req);
	/* Frees the device; called on the loop when nothing is in flight. */
	void (*close)(struct blk_dev *dev);
	/* The size of the backing changed or should change; NULL = fixed. (task) */
	int (*resize)(struct blk_dev *dev, uint64_t size_bytes);
	/* blk_close begins, and will wait for what is in flight: answer requests that wait for
	 * something that may never come. NULL = nothing to do. */
	void (*closing)(struct blk_dev *dev);
};

/* Embedded in every device's own struct; filled by its constructor with blk_dev_init. */
struct blk_dev {
	const struct blk_ops *ops;
	struct loop *loop;
	char *name; /* for messages; owned */
	uint64_t size_bytes;
	uint32_t logical_block;  /* least unit of I/O: 512 or 4096 */
	uint32_t physical_block; /* unit without read-modify-write */
	unsigned flags;          /* BLK_DEV_… */
	unsigned in_flight;
	struct task_queue idle; /* woken when in_flight becomes 0 */
	bool closing;
};

/* Called by constructors: zeroes *dev and counts it with its loop. The constructor then sets
 * sizes and flags. -ENOMEM. fini is for ops->close and failed constructors. */
int blk_dev_init(
	struct blk_dev *dev, const struct blk_ops *ops, struct loop *loop, const char *name);
void blk_dev_fini(struct blk_dev *dev);

/* Starts a request. Loop thread. The request and its iov stay the caller's. */
void blk_submit(struct blk_dev *dev, struct blk_req *req);

/* For devices: finish a request (queues done). Loop thread. */
void blk_complete(struct blk_req *req, int result);

/* (task) Waits for what is in flight, then closes. NULL is allowed. Outside of a task only
 * when nothing is in flight (asserted). */
void blk_close(struct blk_dev *dev);

/* (task) Changes the size of the backing. -EOPNOTSUPP where it is fixed. */
int blk_resize(struct blk_dev *dev, uint64_t size_bytes);

/* (task) Sequential forms. Return 0 or negative errno. */
int blk_read(struct blk_dev *dev, uint64_t offset, void *buf, size_t length);
int blk_write(struct blk_dev *dev, uint64_t offset, const void *buf, size_t length, unsigned flags);
int blk_flush(struct blk_dev *dev);
int blk_zero(struct blk_dev *dev, uint64_t offset, uint64_t length, unsigned flags);

/*
 * Several requests at once. Usage (task):
 *   struct blk_batch b;  blk_batch_init(&b, slots, ARRAY_SIZE(slots));
 *   blk_batch_read(&b, dev, off, buf, len); …   blk_batch_wait(&b);
 * Slots belong to the caller and hold each result until the next init. blk_batch_wait returns
 * 0 or the first error in slot order; look at slots[i].req.result for each.
 */
struct blk_slot {
	struct blk_req req;
	struct iovec iov;
};
struct blk_batch {
	struct blk_slot *slots;
	unsigned cap, used;
	struct task_group group;
};
void blk_batch_init(struct blk_batch *b, struct blk_slot *slots, unsigned cap);
/* Each returns the slot used; asserts that there is one left. */
struct blk_slot *blk_batch_read(
	struct blk_batch *b, struct blk_dev *dev, uint64_t offset, void *buf, size_t length);
struct blk_slot *blk_batch_write(struct blk_batch *b, struct blk_dev *dev, uint64_t offset,
	const void *buf, size_t length, unsigned flags);
struct blk_slot *blk_batch_flush(struct blk_batch *b, struct blk_dev *dev);
struct blk_slot *blk_batch_zero(
	struct blk_batch *b, struct blk_dev *dev, uint64_t offset, uint64_t length, unsigned flags);
int blk_batch_wait(struct blk_batch *b);

/* ---- back ends ------------------------------------------------------------------------- */

enum {
	BLK_OPEN_READ_ONLY = 1,
	BLK_OPEN_BUFFERED = 2, /* no O_DIRECT even where it works */
	BLK_OPEN_NO_LOCK = 4,  /* tests: share the file */
};

/*
 * (task or between runs) Opens a regular file or a block device. O_DIRECT where the file
 * system allows; an exclusive lock (F_OFD_SETLK, shared for READ_ONLY; O_EXCL on block
 * devices). err names the path and what to do. Errors: -EBUSY when somebody else holds it,
 * -ENOMEDIUM for an empty one, -ENOTBLK if it is neither a file nor a block device,
 * -EOPNOTSUPP on a simulated loop, and what open gives.
 *
 * Files have logical blocks of 512 bytes, block devices those of the device. A file that is
 * found to have become shorter answers that request with -EIO and all later ones with -ENODEV.
 * blk_resize changes the length of a file, and takes over a new size of a block device.
 */
int blk_file_open(
	struct loop *loop, const char *path, unsigned flags, struct blk_dev **out, struct err *err);

/* Makes (must not exist: -EEXIST) a sparse file of that size, mode 0600, and syncs its folder. */
int blk_file_create(const char *path, uint64_t size_bytes, struct err *err);

/* Memory; contents start as zeros. */
int blk_mem_new(struct loop *loop, const char *name, uint64_t size_bytes, uint32_t logical_block,
	struct blk_dev **out);

/* ---- filters and simulation -------------------------------------------------------------- */

/*
 * Faults on a device, changed while it runs. The filter owns lower and closes it.
 * Rules apply to requests that start after they were set.
 */
enum blk_fault_kind {
	BLK_FAULT_GONE,        /* every request: -ENODEV */
	BLK_FAULT_UNREACHABLE, /* requests wait until cleared (then run), or the device is
				  declared gone or closed (then -ENODEV) */
	BLK_FAULT_READ_ERROR,  /* reads touching [offset, offset+length) give -EIO until the
				  range is written; each written block is mended */
	BLK_FAULT_WRITE_ERROR, /* writes and zeros touching the range give -EIO */
	BLK_FAULT_IO_ERROR,    /* every read, write, zero and flush: -EIO */
	BLK_FAULT_DELAY,       /* length = milliseconds added to each request; several add up */
};
/* On failure lower stays the caller's. */
int blk_fault_new(struct blk_dev *lower, struct blk_dev **out);
/* offset and length matter to READ_ERROR and WRITE_ERROR (inside the device, not empty) and
 * length to DELAY, else -EINVAL. -ENOMEM. */
int blk_fault_add(struct blk_dev *dev, enum blk_fault_kind kind, uint64_t offset, uint64_t length);
void blk_fault_clear(struct blk_dev *dev, enum blk_fault_kind kind);
void blk_fault_clear_all(struct blk_dev *dev);
/* Calls fn for every rule in force (READ_ERROR ranges as they are now, after mending). */
void blk_fault_for_each(struct blk_dev *dev,
	void (*fn)(void *ctx, enum blk_fault_kind kind, uint64_t offset, uint64_t length),
	void *ctx);

/*
 * A simulated disk: a medium (what survives) and a volatile cache of writes since the last
 * flush. Requests complete after random virtual delays, in random order. The medium outlives
 * the device, so a test can crash and open it again.
 */
struct blk_medium;
int blk_medium_new(uint64_t size_bytes, uint32_t logical_block, struct blk_medium **out);
void blk_medium_free(struct blk_medium *m);
int blk_sim_new(struct loop *loop, const char *name, struct blk_medium *m, struct blk_dev **out);
/*
 * Power cut: of the writes not yet stable (cached, or in flight) any subset, torn at 512-byte
 * sectors, reaches the medium, chosen by rng. Every device on the medium answers -ENODEV from
 * now on (its waiting tasks get that error, so they can end).
 */
void blk_medium_crash(struct blk_medium *m, struct rng *rng);
/* As above but the process dies and the machine does not: completed writes stay, those in
 * flight may be torn. */
void blk_medium_kill(struct blk_medium *m, struct rng *rng);
/* Direct access for tests: flip bytes, compare. */
void blk_medium_read(struct blk_medium *m, uint64_t offset, void *buf, size_t length);
void blk_medium_write(struct blk_medium *m, uint64_t offset, const void *buf, size_t length);
/* A medium of its own with the same content, all of it stable. */
int blk_medium_clone(struct blk_medium *m, struct blk_medium **out);
bool blk_medium_equal(struct blk_medium *a, struct blk_medium *b);

/* Counts what passes; owns lower. For tests and benchmarks. */
struct blk_stats {
	uint64_t ops[4]; /* by enum blk_op */
	uint64_t bytes[4];
	uint64_t errors;
};
int blk_stats_new(struct blk_dev *lower, struct blk_dev **out);
const struct blk_stats *blk_stats_get(struct blk_dev *dev);

#endif
