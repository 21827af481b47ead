/* SPDX-License-Identifier: Apache-2.0 */
/* The bound: one ring, registered buffers, direct I/O, no other work. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void bare_open(struct bare *b, const struct rig *r, unsigned depth, size_t slot_bytes)
{
	struct io_uring_params p = {.flags = IORING_SETUP_SINGLE_ISSUER |
					     IORING_SETUP_COOP_TASKRUN |
					     IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CLAMP};
	struct iovec all;
	struct rng rng;

	memset(b, 0, sizeof(*b));
	b->depth = depth;
	b->slot_bytes = slot_bytes;
	all = (struct iovec){aligned_alloc(4096, depth * slot_bytes), depth * slot_bytes};
	b->buf = all.iov_base;
	if (!b->buf)
		die("out of memory");
	rng_seed(&rng, 3);
	rng_bytes(&rng, b->buf, all.iov_len);
	for (b->files = 0; b->files < r->drives && b->files < BENCH_FILES; b->files++) {
		b->fd[b->files] = open(r->paths[b->files], O_RDWR | O_DIRECT | O_CLOEXEC);
		if (b->fd[b->files] < 0 && errno == EINVAL)
			b->fd[b->files] = open(r->paths[b->files], O_RDWR | O_CLOEXEC);
		if (b->fd[b->files] < 0)
			die("%s cannot be opened", r->paths[b->files]);
	}
	if (io_uring_queue_init_params(depth * BARE_IOS, &b->ring, &p))
		die("this kernel has no io_uring with deferred work: nothing to compare with");
	io_uring_register_ring_fd(&b->ring);
	io_uring_register_buffers(&b->ring, &all, 1);
}

void bare_close(struct bare *b)
{
	io_uring_queue_exit(&b->ring);
	for (unsigned i = 0; i < b->files; i++)
		close(b->fd[i]);
	free(b->buf);
}

struct slot {
	struct bare_plan plan;
	unsigned pending;
	bool second; /* the second round is under way */
};

static void submit_round(struct bare *b, struct slot *s, unsigned number)
{
	unsigned from = s->second ? s->plan.first : 0;
	unsigned to = s->second ? s->plan.count : s->plan.first;
	size_t at = 0;

	for (unsigned i = 0; i < to; i++) {
		const struct bare_io *io = &s->plan.io[i];
		char *buf = b->buf + number * b->slot_bytes + at;
		struct io_uring_sqe *sqe;

		at += io->bytes;
		if (at == b->slot_bytes)
			at = 0; /* what is written may as well be what was read */
		if (i < from)
			continue;
		sqe = io_uring_get_sqe(&b->ring);
		if (!sqe)
			die("the ring is too small");
		if (io->write)
			io_uring_prep_write_fixed(
				sqe, b->fd[io->file], buf, io->bytes, io->offset, 0);
		else
			io_uring_prep_read_fixed(
				sqe, b->fd[io->file], buf, io->bytes, io->offset, 0);
		io_uring_sqe_set_data64(sqe, (uint64_t)number << 32 | io->bytes);
		s->pending++;
	}
}

/* True when the operation is over. */
static bool round_done(struct bare *b, struct slot *s, unsigned number)
{
	if (--s->pending)
		return false;
	if (s->second || s->plan.first == s->plan.count)
		return true;
	s->second = true;
	submit_round(b, s, number);
	return false;
}

double bare_run(struct bare *b, void (*plan)(void *ctx, struct bare_plan *out), void *ctx,
	uint64_t turn_ns, uint64_t all_ops)
{
	struct slot *slots = calloc(b->depth, sizeof(*slots));
	uint64_t start = now_ns(), ops = 0, started = 0;
	unsigned busy = 0;
	bool end = false;

	if (!slots)
		die("out of memory");
	for (; busy < b->depth && (!all_ops || started < all_ops); busy++, started++) {
		plan(ctx, &slots[busy].plan);
		submit_round(b, &slots[busy], busy);
	}
	while (busy) {
		struct io_uring_cqe *cqe;
		unsigned head, n = 0;

		io_uring_submit_and_wait(&b->ring, 1);
		io_uring_for_each_cqe(&b->ring, head, cqe)
		{
			unsigned number = (unsigned)(cqe->user_data >> 32);
			struct slot *s = &slots[number];

			n++;
			if (cqe->res < 0 || (uint32_t)cqe->res != (uint32_t)cqe->user_data)
				die("bare I/O failed: %s", err_name(cqe->res));
			if (!round_done(b, s, number))
				continue;
			ops++;
			end |= all_ops ? started >= all_ops
				       : (ops & 15) == 0 && now_ns() - start >= turn_ns;
			if (end) {
				busy--;
				continue;
			}
			started++;
			s->second = false;
			plan(ctx, &s->plan);
			submit_round(b, s, number);
		}
		io_uring_cq_advance(&b->ring, n);
	}
	free(slots);
	return (double)ops * 1e9 / (double)(now_ns() - start);
}
