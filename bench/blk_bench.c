/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What our block layer costs: 4 KiB random reads at depth 32 through the file back end against
 * a bare liburing loop on the same file in the same run, turn by turn, so that both meet the
 * same machine; and the price of a task switch.
 *
 *   blk_bench [folder]     makes and removes a file of 256 MiB there (default: .)
 */
#include "base/cleanup.h"
#include "base/rng.h"
#include "blk/blk.h"
#include "blk/task_switch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_LIBURING
#include <liburing.h>
#endif

#define FILE_BYTES ((uint64_t)256 << 20)
#define DEPTH      32
#define IO_BYTES   4096u
#define TURN_NS    400000000u
#define TURNS      8

static uint64_t now_ns(void)
{
	return clock_mono_ns(&clock_system);
}

static uint64_t random_offset(struct rng *rng)
{
	return rng_below(rng, FILE_BYTES / IO_BYTES) * IO_BYTES;
}

/* ---- switching ----------------------------------------------------------------------------- */

#define SWITCHES 5000000u

static void yield_many(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < SWITCHES / 2; i++)
		task_yield();
}

static struct task_context here, there;

static void bounce(void *arg)
{
	(void)arg;
	for (;;)
		task_context_switch(&there, &here);
}

static void bench_switch(void)
{
	static char stack[65536] __attribute__((aligned(64)));
	struct loop_options options = {.aio = LOOP_AIO_THREADS};
	struct loop *loop;
	uint64_t start;

	task_context_make(&there, stack, sizeof(stack), bounce, NULL);
	start = now_ns();
	for (unsigned i = 0; i < SWITCHES / 2; i++)
		task_context_switch(&here, &there);
	printf("%-44s %8.1f ns\n", "bare switch of stacks", (double)(now_ns() - start) / SWITCHES);

	if (loop_new(&options, &loop, NULL))
		exit(1);
	task_spawn(loop, "a", yield_many, NULL);
	task_spawn(loop, "b", yield_many, NULL);
	start = now_ns();
	loop_run_until_idle(loop);
	printf("%-44s %8.1f ns\n", "task_yield to another task, by way of the loop",
		(double)(now_ns() - start) / SWITCHES);
	loop_free(loop);
}

/* ---- random reads: ours -------------------------------------------------------------------- */

struct turn {
	struct blk_dev *dev;
	struct rng rng;
	uint64_t until, reads;
	bool as_tasks;
	char *buf; /* DEPTH * IO_BYTES of the pool */
	unsigned next;
	struct task_group g;
};

struct reader {
	struct blk_req req;
	struct iovec iov;
	struct turn *t;
};

/* Looks at the clock now and then. */
static bool over(struct turn *t)
{
	if (t->until && (++t->reads & 63) == 0 && now_ns() >= t->until)
		t->until = 0;
	return t->until == 0;
}

static void read_next(struct reader *r)
{
	r->req.offset = random_offset(&r->t->rng);
	blk_submit(r->t->dev, &r->req);
}

static void read_done(struct blk_req *req)
{
	struct reader *r = container_of(req, struct reader, req);

	if (req->result)
		exit(1);
	if (over(r->t))
		task_group_end(&r->t->g);
	else
		read_next(r);
}

static void read_in_task(void *arg)
{
	struct turn *t = arg;
	char *buf = t->buf + (size_t)t->next++ * IO_BYTES;

	do {
		if (blk_read(t->dev, random_offset(&t->rng), buf, IO_BYTES))
			exit(1);
	} while (!over(t));
	task_group_end(&t->g);
}

static int ours(void *arg)
{
	struct turn *t = arg;
	struct reader r[DEPTH];
	size_t bytes = (size_t)DEPTH * IO_BYTES;

	t->buf = loop_buf_alloc(t->dev->loop, bytes);
	t->next = 0;
	t->reads = 0;
	t->until = now_ns() + TURN_NS;
	task_group_init(&t->g);
	for (unsigned i = 0; i < DEPTH; i++) {
		task_group_begin(&t->g);
		if (t->as_tasks) {
			if (task_spawn(t->dev->loop, "reader", read_in_task, t))
				exit(1);
			continue;
		}
		r[i] = (struct reader){.t = t, .iov = {t->buf + i * IO_BYTES, IO_BYTES}};
		r[i].req = (struct blk_req){.op = BLK_READ,
			.length = IO_BYTES,
			.iov = &r[i].iov,
			.iovcnt = 1,
			.done = read_done};
		read_next(&r[i]);
	}
	task_group_wait(&t->g);
	loop_buf_free(t->dev->loop, t->buf, bytes);
	return 0;
}

/* ---- random reads: a bare ring ------------------------------------------------------------- */

#ifdef HAVE_LIBURING

struct bare {
	struct io_uring ring;
	int fd;
	char *buf;
	struct rng rng;
};

static void bare_read(struct bare *b, unsigned slot)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&b->ring);

	io_uring_prep_read_fixed(
		sqe, b->fd, b->buf + slot * IO_BYTES, IO_BYTES, random_offset(&b->rng), 0);
	io_uring_sqe_set_data64(sqe, slot);
}

static uint64_t bare_turn(struct bare *b)
{
	uint64_t until = now_ns() + TURN_NS, reads = 0;
	unsigned in_flight = 0;
	bool end = false;

	for (; in_flight < DEPTH; in_flight++)
		bare_read(b, in_flight);
	while (in_flight) {
		struct io_uring_cqe *cqe;
		unsigned head, n = 0;

		io_uring_submit_and_wait(&b->ring, 1);
		io_uring_for_each_cqe(&b->ring, head, cqe)
		{
			n++;
			if (cqe->res != (int)IO_BYTES)
				exit(1);
			if ((++reads & 63) == 0 && now_ns() >= until)
				end = true;
			if (end)
				in_flight--;
			else
				bare_read(b, (unsigned)cqe->user_data);
		}
		io_uring_cq_advance(&b->ring, n);
	}
	return reads;
}

static bool bare_open(struct bare *b, const char *path)
{
	struct io_uring_params p = {.flags = IORING_SETUP_SINGLE_ISSUER |
					     IORING_SETUP_COOP_TASKRUN |
					     IORING_SETUP_DEFER_TASKRUN};
	struct iovec all;

	rng_seed(&b->rng, 1);
	b->fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	b->buf = aligned_alloc(4096, (size_t)DEPTH * IO_BYTES);
	all = (struct iovec){b->buf, (size_t)DEPTH * IO_BYTES};
	return b->fd >= 0 && b->buf && io_uring_queue_init_params(64, &b->ring, &p) == 0 &&
	       io_uring_register_ring_fd(&b->ring) == 1 &&
	       io_uring_register_buffers(&b->ring, &all, 1) == 0;
}

static void bare_close(struct bare *b)
{
	io_uring_queue_exit(&b->ring);
	close(b->fd);
	free(b->buf);
}

#else

struct bare {
	int unused;
};

static bool bare_open(struct bare *b, const char *path)
{
	(void)b;
	(void)path;
	return false;
}

static uint64_t bare_turn(struct bare *b)
{
	(void)b;
	return 0;
}

static void bare_close(struct bare *b)
{
	(void)b;
}

#endif

/* ---- both ---------------------------------------------------------------------------------- */

static int fill_file(void *arg)
{
	struct blk_dev *dev = arg;
	size_t bytes = (size_t)1 << 20;
	char *buf = loop_buf_alloc(dev->loop, bytes);
	struct rng rng;
	int r = 0;

	rng_seed(&rng, 2);
	rng_bytes(&rng, buf, bytes);
	for (uint64_t at = 0; r == 0 && at < FILE_BYTES; at += bytes)
		r = blk_write(dev, at, buf, bytes, 0);
	loop_buf_free(dev->loop, buf, bytes);
	return r ? r : blk_flush(dev);
}

static int close_dev(void *dev)
{
	blk_close(dev);
	return 0;
}

static void report(const char *what, uint64_t reads, uint64_t bare)
{
	printf("%-44s %8.0f IO/s", what, (double)reads * 1e9 / ((double)TURN_NS * TURNS));
	if (bare)
		printf("   %.2f of bare", (double)reads / (double)bare);
	printf("\n");
}

static void bench_reads(struct loop *loop, struct blk_dev *dev, const char *path)
{
	uint64_t bare_reads = 0, done_reads = 0, task_reads = 0;
	struct turn t = {.dev = dev};
	struct bare bare;
	bool have_bare = bare_open(&bare, path);

	rng_seed(&t.rng, 1);
	for (int i = 0; i < TURNS; i++) {
		if (have_bare)
			bare_reads += bare_turn(&bare);
		t.as_tasks = false;
		task_call(loop, ours, &t);
		done_reads += t.reads;
		t.as_tasks = true;
		task_call(loop, ours, &t);
		task_reads += t.reads;
	}
	if (have_bare) {
		report("4 KiB random reads, bare liburing", bare_reads, 0);
		bare_close(&bare);
	} else {
		printf("no bare ring with these options on this kernel: no ratio\n");
	}
	report("4 KiB random reads, blk_submit", done_reads, bare_reads);
	report("4 KiB random reads, blk_read in 32 tasks", task_reads, bare_reads);
}

int main(int argc, char **argv)
{
	struct loop *loop;
	struct blk_dev *dev;
	struct err err = {0};
	char path[4096];
	int r;

	bench_switch();
	snprintf(path, sizeof(path), "%s/blk_bench.%ld", argc > 1 ? argv[1] : ".", (long)getpid());
	if (loop_new(NULL, &loop, &err) || blk_file_create(path, FILE_BYTES, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	r = blk_file_open(loop, path, 0, &dev, &err);
	if (r == 0) {
		r = task_call(loop, fill_file, dev);
		if (r == 0)
			bench_reads(loop, dev, path);
		else
			err_set(&err, r, "The file could not be filled: %s.", err_name(r));
		task_call(loop, close_dev, dev);
	}
	unlink(path);
	loop_free(loop);
	if (r)
		fprintf(stderr, "%s\n", err.text);
	return r ? 1 : 0;
}
