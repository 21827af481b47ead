/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File I/O of a real loop. Two engines behind one table: io_uring and a pool of threads. A
 * request is one system call: results are what it returned, short transfers included; only
 * EINTR and EAGAIN are repeated by the engine. done runs on the loop, outside of any task,
 * never inside the submit.
 */
#ifndef BLK_AIO_H
#define BLK_AIO_H

#include "blk/loop_internal.h"

#include <sys/uio.h>

enum aio_op {
	AIO_READ,     /* preadv */
	AIO_WRITE,    /* pwritev2 */
	AIO_DATASYNC, /* fdatasync */
	AIO_ALLOCATE, /* fallocate(mode, offset, length) */
};

struct aio_req {
	enum aio_op op;
	int fd;
	int mode;   /* AIO_ALLOCATE */
	bool dsync; /* AIO_WRITE: stable when done */
	uint64_t offset;
	uint64_t length;         /* AIO_ALLOCATE */
	const struct iovec *iov; /* valid until done */
	int iovcnt;
	void (*done)(struct aio_req *req);
	int64_t result; /* bytes or negative errno */
	void *user;
	/* the engine's */
	struct aio_engine *aio;
	struct list link;
	struct loop_post post;
};

struct aio_engine_ops {
	const char *name;
	void (*submit)(struct aio_engine *aio, struct aio_req *req);
	/*
	 * Hands what was submitted to the kernel and runs done of what is finished. With wait,
	 * first blocks until something is finished, aio_engine_ops.wake is called, or until_ns
	 * (CLOCK_MONOTONIC, UINT64_MAX = for ever); the loop has set asleep then.
	 */
	void (*poll)(struct aio_engine *aio, bool wait, uint64_t until_ns);
	/* Any thread: makes a waiting poll return. */
	void (*wake)(struct aio_engine *aio);
	/* A run begins on this thread. */
	void (*enter)(struct aio_engine *aio);
	/* It ends: waits for all that the kernel has if that is bound to the thread. */
	void (*leave)(struct aio_engine *aio);
	void (*free)(struct aio_engine *aio);
};

/* Embedded in each engine. */
struct aio_engine {
	const struct aio_engine_ops *ops;
	struct loop *loop;
	unsigned in_flight; /* submitted, done has not run */
};

int aio_threads_new(struct loop *loop, struct aio_engine **out);
/* -ENOSYS where the kernel has no io_uring or does not allow it. */
int aio_uring_new(struct loop *loop, unsigned queue_depth, struct aio_engine **out);

/* What a pool thread does for one request; also the last resort of the io_uring engine. */
int64_t aio_perform(const struct aio_req *req);

/* An eventfd: blocks until it is written or the time has come, and clears it; writes it. */
void aio_wait_fd(int fd, uint64_t until_ns);
void aio_wake_fd(int fd);

#endif
