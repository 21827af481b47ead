/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File I/O by a pool of threads, for kernels without io_uring. Threads are started with the
 * first request. Finished requests come back as posts.
 */
#include "blk/aio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>

#define THREADS 8

struct aio_threads {
	struct aio_engine aio;
	int wake_fd;
	pthread_t thread[THREADS];
	unsigned started;
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct list queue;
	bool quit;
};

static int64_t perform_once(const struct aio_req *req)
{
	switch (req->op) {
	case AIO_READ:
		return preadv(req->fd, req->iov, req->iovcnt, (off_t)req->offset);
	case AIO_WRITE:
		return pwritev2(req->fd, req->iov, req->iovcnt, (off_t)req->offset,
			req->dsync ? RWF_DSYNC : 0);
	case AIO_DATASYNC:
		return fdatasync(req->fd);
	case AIO_ALLOCATE:
		return fallocate(req->fd, req->mode, (off_t)req->offset, (off_t)req->length);
	}
	errno = EINVAL;
	return -1;
}

int64_t aio_perform(const struct aio_req *req)
{
	int64_t r;

	do {
		r = perform_once(req);
	} while (r < 0 && (errno == EINTR || errno == EAGAIN));
	return r < 0 ? -errno : r;
}

void aio_wait_fd(int fd, uint64_t until_ns)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct timespec ts, *timeout = NULL;
	uint64_t count;

	if (until_ns != UINT64_MAX) {
		uint64_t now = clock_mono_ns(&clock_system);
		uint64_t ns = until_ns > now ? until_ns - now : 0;

		ts = (struct timespec){
			.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
		timeout = &ts;
	}
	if (ppoll(&p, 1, timeout, NULL) > 0) {
		ssize_t n = read(fd, &count, sizeof(count));

		(void)n; /* EAGAIN: nothing to clear */
	}
}

void aio_wake_fd(int fd)
{
	uint64_t one = 1;
	ssize_t n = write(fd, &one, sizeof(one));

	(void)n; /* fails only when the counter is full, and then it is awake */
}

static void *worker(void *arg)
{
	struct aio_threads *t = arg;
	struct aio_req *req;

	pthread_mutex_lock(&t->lock);
	for (;;) {
		while (!(req = list_first(&t->queue, struct aio_req, link)) && !t->quit)
			pthread_cond_wait(&t->work, &t->lock);
		if (!req)
			break;
		list_del(&req->link);
		pthread_mutex_unlock(&t->lock);
		req->result = aio_perform(req);
		loop_post(t->aio.loop, &req->post);
		pthread_mutex_lock(&t->lock);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

static void start_threads(struct aio_threads *t)
{
	sigset_t all, old;
	char name[16];

	/* Signals are for the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (t->started < THREADS) {
		if (pthread_create(&t->thread[t->started], NULL, worker, t))
			break;
		snprintf(name, sizeof(name), "%.10s-io%u", t->aio.loop->name, t->started);
		pthread_setname_np(t->thread[t->started], name);
		t->started++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void threads_done(struct loop_post *post)
{
	struct aio_req *req = container_of(post, struct aio_req, post);

	req->aio->in_flight--;
	req->done(req);
}

static void threads_submit(struct aio_engine *aio, struct aio_req *req)
{
	struct aio_threads *t = container_of(aio, struct aio_threads, aio);

	aio->in_flight++;
	req->aio = aio;
	req->post.fn = threads_done;
	if (t->started == 0)
		start_threads(t);
	if (t->started == 0) {
		/* No thread to be had: the loop does the work itself. */
		req->result = aio_perform(req);
		loop_ready(aio->loop, &req->post);
		return;
	}
	pthread_mutex_lock(&t->lock);
	list_add_tail(&t->queue, &req->link);
	pthread_cond_signal(&t->work);
	pthread_mutex_unlock(&t->lock);
}

static void threads_poll(struct aio_engine *aio, bool wait, uint64_t until_ns)
{
	if (wait)
		aio_wait_fd(container_of(aio, struct aio_threads, aio)->wake_fd, until_ns);
}

static void threads_wake(struct aio_engine *aio)
{
	aio_wake_fd(container_of(aio, struct aio_threads, aio)->wake_fd);
}

static void threads_nothing(struct aio_engine *aio)
{
	(void)aio;
}

static void threads_free(struct aio_engine *aio)
{
	struct aio_threads *t = container_of(aio, struct aio_threads, aio);

	pthread_mutex_lock(&t->lock);
	t->quit = true;
	pthread_cond_broadcast(&t->work);
	pthread_mutex_unlock(&t->lock);
	while (t->started)
		pthread_join(t->thread[--t->started], NULL);
	pthread_cond_destroy(&t->work);
	pthread_mutex_destroy(&t->lock);
	close(t->wake_fd);
	free(t);
}

static const struct aio_engine_ops threads_ops = {
	.name = "threads",
	.submit = threads_submit,
	.poll = threads_poll,
	.wake = threads_wake,
	.enter = threads_nothing,
	.leave = threads_nothing,
	.free = threads_free,
};

int aio_threads_new(struct loop *loop, struct aio_engine **out)
{
	struct aio_threads *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->aio.ops = &threads_ops;
	t->aio.loop = loop;
	t->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->wake_fd < 0) {
		int r = -errno;

		free(t);
		return r;
	}
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->work, NULL);
	list_init(&t->queue);
	*out = &t->aio;
	return 0;
}
