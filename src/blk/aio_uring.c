/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File I/O by io_uring. Requests queue here until the loop polls; one system call then hands
 * over as many as the depth allows, waits if asked to, and brings back what is finished.
 *
 * The ring is made for a single issuer with deferred work where the kernel knows that (6.1),
 * so it belongs to a thread: a run on another thread makes a new one. That is possible because
 * each run ends by waiting for what the kernel has (leave). Requests not yet handed over just
 * stay queued.
 *
 * Other threads wake the loop through an eventfd, polled by the ring while the loop sleeps.
 * The buffer pool is registered once it has been used some times: registering pins its
 * memory, which short-lived and idle loops should not pay for. If the limit of locked memory
 * does not allow it, I/O works without.
 */
#include "blk/aio.h"

#include <errno.h>

#ifdef HAVE_LIBURING

#include "base/log.h"

#include <assert.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#define REGISTER_AFTER 256
#define REAP           64

enum fixed { FIXED_NOT_YET, FIXED_YES, FIXED_NO };

struct aio_uring {
	struct aio_engine aio;
	int wake_fd;
	unsigned depth;
	struct list queue; /* struct aio_req, not yet handed over */
	unsigned at_kernel;
	struct io_uring ring;
	bool have_ring;
	bool deferred;   /* IORING_SETUP_DEFER_TASKRUN */
	bool wake_armed; /* the ring polls wake_fd */
	uint64_t owner;  /* serial of the thread the ring belongs to */
	enum fixed fixed;
	unsigned pool_uses;
	char *pool;
	size_t pool_bytes;
};

/* user_data of the poll on wake_fd; requests have their address. */
#define DATA_WAKE 0

static struct aio_uring *uring_of(struct aio_engine *aio)
{
	return container_of(aio, struct aio_uring, aio);
}

/* Unlike thread ids these are never used again. */
static uint64_t thread_serial(void)
{
	static _Atomic uint64_t last;
	static _Thread_local uint64_t mine;

	if (!mine)
		mine = atomic_fetch_add(&last, 1) + 1;
	return mine;
}

/* ---- the ring ------------------------------------------------------------------------------ */

static int ring_make(struct aio_uring *u)
{
	static const unsigned tries[] = {
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_DEFER_TASKRUN,
		IORING_SETUP_COOP_TASKRUN,
		0,
	};
	int r = -ENOSYS;

	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		struct io_uring_params p = {.flags = tries[i] | IORING_SETUP_CLAMP};

		/* One more for the poll on wake_fd. */
		r = io_uring_queue_init_params(u->depth + 1, &u->ring, &p);
		if (r == -EINVAL)
			continue;
		if (r)
			return r;
		if (!(p.features & IORING_FEAT_EXT_ARG)) {
			io_uring_queue_exit(&u->ring);
			return -ENOSYS;
		}
		if (u->depth > p.sq_entries - 1)
			u->depth = p.sq_entries - 1;
		io_uring_register_ring_fd(&u->ring);
		u->have_ring = true;
		u->deferred = (tries[i] & IORING_SETUP_DEFER_TASKRUN) != 0;
		u->owner = thread_serial();
		u->wake_armed = false;
		u->fixed = FIXED_NOT_YET;
		u->pool_uses = 0;
		return 0;
	}
	return r;
}

static void ring_drop(struct aio_uring *u)
{
	assert(u->at_kernel == 0);
	if (u->have_ring)
		io_uring_queue_exit(&u->ring);
	u->have_ring = false;
}

/* ---- handing over -------------------------------------------------------------------------- */

static void register_pool(struct aio_uring *u)
{
	struct iovec all = {.iov_base = u->pool, .iov_len = u->pool_bytes};
	int r = io_uring_register_buffers(&u->ring, &all, 1);

	u->fixed = r == 0 ? FIXED_YES : FIXED_NO;
	/* Pinned memory would be copied by each fork; children only run other programs. */
	if (r == 0)
		madvise(u->pool, u->pool_bytes, MADV_DONTFORK);
	if (r)
		log_debug("the buffer pool could not be registered: %s", err_name(r));
}

/* Does the request move one piece of the registered pool? */
static bool use_fixed(struct aio_uring *u, const struct aio_req *req)
{
	const char *at = req->iov[0].iov_base;

	if (req->iovcnt != 1 || at < u->pool || at >= u->pool + u->pool_bytes)
		return false;
	if (u->fixed == FIXED_NOT_YET && ++u->pool_uses > REGISTER_AFTER)
		register_pool(u);
	return u->fixed == FIXED_YES;
}

static void prepare(struct aio_uring *u, struct io_uring_sqe *sqe, struct aio_req *req)
{
	switch (req->op) {
	case AIO_READ:
		if (use_fixed(u, req))
			io_uring_prep_read_fixed(sqe, req->fd, req->iov[0].iov_base,
				(unsigned)req->iov[0].iov_len, req->offset, 0);
		else
			io_uring_prep_readv(
				sqe, req->fd, req->iov, (unsigned)req->iovcnt, req->offset);
		break;
	case AIO_WRITE:
		if (use_fixed(u, req))
			io_uring_prep_write_fixed(sqe, req->fd, req->iov[0].iov_base,
				(unsigned)req->iov[0].iov_len, req->offset, 0);
		else
			io_uring_prep_writev(
				sqe, req->fd, req->iov, (unsigned)req->iovcnt, req->offset);
		sqe->rw_flags = req->dsync ? RWF_DSYNC : 0;
		break;
	case AIO_DATASYNC:
		io_uring_prep_fsync(sqe, req->fd, IORING_FSYNC_DATASYNC);
		break;
	case AIO_ALLOCATE:
		io_uring_prep_fallocate(
			sqe, req->fd, req->mode, (off_t)req->offset, (off_t)req->length);
		break;
	}
	io_uring_sqe_set_data(sqe, req);
}

static void fill_ring(struct aio_uring *u)
{
	struct aio_req *req;

	while (u->at_kernel < u->depth && (req = list_first(&u->queue, struct aio_req, link))) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

		if (!sqe)
			break; /* handed over first, more next time */
		list_del(&req->link);
		prepare(u, sqe, req);
		u->at_kernel++;
	}
}

static void arm_wake(struct aio_uring *u)
{
	struct io_uring_sqe *sqe;

	if (u->wake_armed)
		return;
	sqe = io_uring_get_sqe(&u->ring);
	if (!sqe) {
		io_uring_submit(&u->ring);
		sqe = io_uring_get_sqe(&u->ring);
		assert(sqe);
	}
	io_uring_prep_poll_add(sqe, u->wake_fd, POLLIN);
	io_uring_sqe_set_data64(sqe, DATA_WAKE);
	u->wake_armed = true;
}

/* ---- bringing back ------------------------------------------------------------------------- */

static void clear_wake_fd(struct aio_uring *u)
{
	uint64_t count;
	ssize_t n = read(u->wake_fd, &count, sizeof(count));

	(void)n; /* EAGAIN: nothing to clear */
}

static void finish(struct aio_uring *u, struct aio_req *req, int result)
{
	u->at_kernel--;
	if (result == -EAGAIN || result == -EINTR) {
		list_add_tail(&u->queue, &req->link);
		return;
	}
	req->result = result;
	u->aio.in_flight--;
	req->done(req);
}

static void reap(struct aio_uring *u)
{
	struct io_uring_cqe *cqes[REAP];
	struct {
		struct aio_req *req;
		int result;
	} got[REAP];
	unsigned n, requests;

	do {
		n = io_uring_peek_batch_cqe(&u->ring, cqes, REAP);
		requests = 0;
		for (unsigned i = 0; i < n; i++) {
			uint64_t data = cqes[i]->user_data;

			if (data == DATA_WAKE) {
				u->wake_armed = false;
				clear_wake_fd(u);
			} else if (data != LIBURING_UDATA_TIMEOUT) {
				got[requests].req = (struct aio_req *)(uintptr_t)data;
				got[requests++].result = cqes[i]->res;
			}
		}
		io_uring_cq_advance(&u->ring, n);
		for (unsigned i = 0; i < requests; i++)
			finish(u, got[i].req, got[i].result);
	} while (n == REAP);
}

/* Without a ring (it could not be made anew on this thread): slow, but right. */
static void poll_without_ring(struct aio_uring *u, bool wait, uint64_t until_ns)
{
	struct aio_req *req;
	bool any = false;

	while ((req = list_first(&u->queue, struct aio_req, link))) {
		list_del(&req->link);
		req->result = aio_perform(req);
		u->aio.in_flight--;
		req->done(req);
		any = true;
	}
	if (wait && !any)
		aio_wait_fd(u->wake_fd, until_ns);
}

static void wait_in_ring(struct aio_uring *u, uint64_t until_ns)
{
	struct __kernel_timespec ts, *timeout = NULL;
	struct io_uring_cqe *cqe;
	int r;

	if (until_ns != UINT64_MAX) {
		uint64_t now = clock_mono_ns(&clock_system);
		uint64_t ns = until_ns > now ? until_ns - now : 0;

		ts.tv_sec = (int64_t)(ns / 1000000000u);
		ts.tv_nsec = (long long)(ns % 1000000000u);
		timeout = &ts;
	}
	r = io_uring_submit_and_wait_timeout(&u->ring, &cqe, 1, timeout, NULL);
	assert(r >= 0 || r == -ETIME || r == -EINTR || r == -EAGAIN || r == -EBUSY || r == -ENOMEM);
	(void)r;
}

static void uring_poll(struct aio_engine *aio, bool wait, uint64_t until_ns)
{
	struct aio_uring *u = uring_of(aio);

	if (!u->have_ring) {
		poll_without_ring(u, wait, until_ns);
		return;
	}
	fill_ring(u);
	if (wait && !io_uring_cq_ready(&u->ring)) {
		arm_wake(u);
		wait_in_ring(u, until_ns);
	} else if (u->deferred) {
		io_uring_submit_and_get_events(&u->ring);
	} else {
		io_uring_submit(&u->ring);
	}
	reap(u);
}

static void uring_submit(struct aio_engine *aio, struct aio_req *req)
{
	struct aio_uring *u = uring_of(aio);

	aio->in_flight++;
	req->aio = aio;
	list_add_tail(&u->queue, &req->link);
}

static void uring_wake(struct aio_engine *aio)
{
	aio_wake_fd(uring_of(aio)->wake_fd);
}

static void uring_enter(struct aio_engine *aio)
{
	struct aio_uring *u = uring_of(aio);
	int r;

	if (u->have_ring && u->owner == thread_serial())
		return;
	ring_drop(u);
	r = ring_make(u);
	if (r)
		log_warning(
			"io_uring could not be set up (%s); file I/O will be slow.", err_name(r));
}

static void uring_leave(struct aio_engine *aio)
{
	struct aio_uring *u = uring_of(aio);

	while (u->at_kernel) {
		wait_in_ring(u, UINT64_MAX);
		reap(u);
	}
}

static void uring_free(struct aio_engine *aio)
{
	struct aio_uring *u = uring_of(aio);

	ring_drop(u);
	close(u->wake_fd);
	free(u);
}

static const struct aio_engine_ops uring_ops = {
	.name = "io_uring",
	.submit = uring_submit,
	.poll = uring_poll,
	.wake = uring_wake,
	.enter = uring_enter,
	.leave = uring_leave,
	.free = uring_free,
};

int aio_uring_new(struct loop *loop, unsigned queue_depth, struct aio_engine **out)
{
	struct aio_uring *u = calloc(1, sizeof(*u));
	void *pool;
	int r;

	if (!u)
		return -ENOMEM;
	u->aio.ops = &uring_ops;
	u->aio.loop = loop;
	u->depth = queue_depth < 4096 ? queue_depth : 4096;
	list_init(&u->queue);
	loop_pool_range(loop->pool, &pool, &u->pool_bytes);
	u->pool = pool;
	u->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = u->wake_fd < 0 ? -errno : ring_make(u);
	if (r) {
		if (u->wake_fd >= 0)
			close(u->wake_fd);
		free(u);
		/* EPERM: forbidden by sysctl or a filter; that too means not there. */
		return r == -ENOMEM || r == -EMFILE || r == -ENFILE ? r : -ENOSYS;
	}
	*out = &u->aio;
	return 0;
}

#else

int aio_uring_new(struct loop *loop, unsigned queue_depth, struct aio_engine **out)
{
	(void)loop;
	(void)queue_depth;
	(void)out;
	return -ENOSYS;
}

#endif
