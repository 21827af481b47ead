/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance.h"

#include "test_blk.h"

#define AREA   (1024u * 1024)
#define BATCH  16
#define IO_MAX (96u * 1024)
#define CANARY 0xa5

/* ---- checks of arguments ------------------------------------------------------------------- */

struct one {
	struct blk_req req;
	struct task_group g;
	bool submitted;
};

static void one_done(struct blk_req *req)
{
	struct one *o = container_of(req, struct one, req);

	assert_true(o->submitted); /* never inside blk_submit */
	task_group_end(&o->g);
}

static int one(struct blk_dev *dev, struct blk_req req)
{
	struct one o = {.req = req};

	o.req.done = one_done;
	task_group_init(&o.g);
	task_group_begin(&o.g);
	blk_submit(dev, &o.req);
	o.submitted = true;
	task_group_wait(&o.g);
	return o.req.result;
}

static void bad_requests(struct blk_dev *dev)
{
	uint32_t b = dev->logical_block;
	char *buf = calloc(1, 2 * b);
	struct iovec iov = {buf, b};

	assert_non_null(buf);
	assert_int_equal(blk_read(dev, 1, buf, b), -EINVAL);
	assert_int_equal(blk_read(dev, 0, buf, b - 1), -EINVAL);
	assert_int_equal(blk_write(dev, b / 2, buf, b, 0), -EINVAL);
	assert_int_equal(blk_zero(dev, 0, b / 2, 0), -EINVAL);
	assert_int_equal(blk_read(dev, dev->size_bytes, buf, b), -ENXIO);
	assert_int_equal(blk_write(dev, dev->size_bytes - b, buf, 2 * b, 0), -ENXIO);
	assert_int_equal(blk_zero(dev, UINT64_MAX / b * b, b, 0), -ENXIO);
	assert_int_equal(blk_write(dev, 0, buf, b, 0x100), -EINVAL);
	/* length must be the sum of iov */
	assert_int_equal(
		one(dev,
			(struct blk_req){
				.op = BLK_READ, .length = 2 * b, .iov = &iov, .iovcnt = 1}),
		-EINVAL);
	assert_int_equal(one(dev, (struct blk_req){.op = (enum blk_op)17}), -EINVAL);
	/* nothing to do is done */
	assert_int_equal(blk_read(dev, 0, buf, 0), 0);
	assert_int_equal(blk_write(dev, dev->size_bytes, buf, 0, 0), 0);
	assert_int_equal(blk_flush(dev), 0);
	assert_int_equal(dev->in_flight, 0);
	free(buf);
}

static void edges(struct blk_dev *dev)
{
	uint32_t b = dev->logical_block;
	uint8_t *w = malloc(b), *r = malloc(b);

	assert_true(w && r);
	for (int i = 0; i < 2; i++) {
		uint64_t at = i ? dev->size_bytes - b : 0;

		memset(w, 0x11 + i, b);
		assert_int_equal(blk_write(dev, at, w, b, BLK_FUA), 0);
		assert_int_equal(blk_read(dev, at, r, b), 0);
		assert_memory_equal(w, r, b);
	}
	free(w);
	free(r);
}

/* ---- random operations against a model ----------------------------------------------------- */

struct op {
	struct blk_req req;
	struct iovec iov[4];
	uint8_t *mem; /* IO_MAX plus room to be misaligned */
	uint8_t *at[4];
	bool busy;
};

struct state {
	struct blk_dev *dev;
	struct rng rng;
	uint64_t base; /* of the area on the device */
	uint8_t *model;
	struct op op[BATCH];
	struct task_group g;
};

static void op_done(struct blk_req *req)
{
	struct state *s = req->user;

	assert_int_equal(req->result, 0);
	task_group_end(&s->g);
}

static bool overlaps(const struct state *s, unsigned upto, uint64_t offset, uint64_t length)
{
	for (unsigned i = 0; i < upto; i++) {
		const struct blk_req *r = &s->op[i].req;

		if (r->op != BLK_FLUSH && r->offset < offset + length &&
			offset < r->offset + r->length)
			return true;
	}
	return false;
}

/* Cuts length into one to four vectors at any byte, at addresses aligned or not. */
static void cut(struct state *s, struct op *op, size_t length)
{
	size_t at = rng_below(&s->rng, 2) ? 0 : rng_below(&s->rng, 600);
	int n = (int)rng_below(&s->rng, 4) + 1;
	int i = 0;

	memset(op->mem, CANARY, IO_MAX + 8192);
	while (length) {
		size_t part = i == n - 1 ? length : rng_below(&s->rng, length) + 1;

		op->iov[i].iov_base = op->at[i] = op->mem + at;
		op->iov[i].iov_len = part;
		at += part + rng_below(&s->rng, 100);
		length -= part;
		i++;
	}
	op->req.iovcnt = i;
	op->req.iov = op->iov;
}

static void fill(struct state *s, const struct op *op, uint8_t *model)
{
	for (int i = 0; i < op->req.iovcnt; i++) {
		rng_bytes(&s->rng, op->iov[i].iov_base, op->iov[i].iov_len);
		memcpy(model, op->iov[i].iov_base, op->iov[i].iov_len);
		model += op->iov[i].iov_len;
	}
}

static void choose(struct state *s, unsigned slot)
{
	struct op *op = &s->op[slot];
	uint32_t b = s->dev->logical_block;
	uint64_t kind = rng_below(&s->rng, 100);
	uint64_t length =
		(rng_below(&s->rng, rng_below(&s->rng, 3) ? 8192 / b : IO_MAX / b) + 1) * b;
	uint64_t offset;

	op->req = (struct blk_req){.user = s, .done = op_done};
	if (kind < 5) {
		op->req.op = BLK_FLUSH;
		return;
	}
	do {
		offset = s->base + rng_below(&s->rng, (AREA - length) / b + 1) * b;
	} while (overlaps(s, slot, offset, length));
	op->req.offset = offset;
	op->req.length = length;
	op->req.op = kind < 50 ? BLK_WRITE : kind < 60 ? BLK_ZERO : BLK_READ;
	if (op->req.op != BLK_READ && rng_below(&s->rng, 4) == 0)
		op->req.flags = BLK_FUA;
	if (op->req.op == BLK_ZERO) {
		memset(s->model + (offset - s->base), 0, length);
		return;
	}
	cut(s, op, length);
	if (op->req.op == BLK_WRITE)
		fill(s, op, s->model + (offset - s->base));
}

static void check_read(const struct state *s, const struct op *op)
{
	const uint8_t *model = s->model + (op->req.offset - s->base);

	for (int i = 0; i < op->req.iovcnt; i++) {
		const uint8_t *end = (uint8_t *)op->iov[i].iov_base + op->iov[i].iov_len;
		const uint8_t *next =
			i + 1 < op->req.iovcnt ? op->iov[i + 1].iov_base : op->mem + IO_MAX + 8192;

		/* The device must leave the caller's vectors as they were. */
		assert_ptr_equal(op->iov[i].iov_base, op->at[i]);
		assert_memory_equal(op->iov[i].iov_base, model, op->iov[i].iov_len);
		model += op->iov[i].iov_len;
		for (const uint8_t *p = end; p < next; p++)
			assert_int_equal(*p, CANARY);
	}
}

static void one_batch(struct state *s)
{
	unsigned n = (unsigned)rng_below(&s->rng, BATCH) + 1;

	for (unsigned i = 0; i < n; i++)
		choose(s, i);
	for (unsigned i = 0; i < n; i++) {
		task_group_begin(&s->g);
		blk_submit(s->dev, &s->op[i].req);
	}
	task_group_wait(&s->g);
	for (unsigned i = 0; i < n; i++) {
		if (s->op[i].req.op == BLK_READ)
			check_read(s, &s->op[i]);
	}
}

static void check_all(struct state *s)
{
	uint8_t *all = malloc(AREA);

	assert_non_null(all);
	assert_int_equal(blk_read(s->dev, s->base, all, AREA), 0);
	assert_memory_equal(all, s->model, AREA);
	free(all);
}

static void random_operations(struct blk_dev *dev, const struct conformance_options *options)
{
	struct state *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->dev = dev;
	rng_seed(&s->rng, options->seed);
	s->base = (dev->size_bytes - AREA) / 4096 / 2 * 4096;
	s->model = malloc(AREA);
	assert_non_null(s->model);
	task_group_init(&s->g);
	for (int i = 0; i < BATCH; i++) {
		s->op[i].mem = malloc(IO_MAX + 8192);
		assert_non_null(s->op[i].mem);
	}
	rng_bytes(&s->rng, s->model, AREA);
	assert_int_equal(blk_write(dev, s->base, s->model, AREA, 0), 0);
	for (unsigned i = 0; i < options->rounds; i++)
		one_batch(s);
	check_all(s);
	assert_int_equal(blk_zero(dev, s->base, AREA, 0), 0);
	memset(s->model, 0, AREA);
	check_all(s);
	for (int i = 0; i < BATCH; i++)
		free(s->op[i].mem);
	free(s->model);
	free(s);
}

/* Neighbours inside of one 4 KiB block, all in flight together, must not disturb each other. */
static void neighbours(struct blk_dev *dev)
{
	uint32_t b = dev->logical_block;
	enum { N = 64 };
	struct blk_slot slots[N];
	struct blk_batch batch;
	uint8_t *w = malloc((size_t)N * b), *r = malloc((size_t)N * b);

	assert_true(w && r);
	for (int round = 0; round < 8; round++) {
		for (uint32_t i = 0; i < N * b; i++)
			w[i] = (uint8_t)(i / b * 7 + i + (unsigned)round);
		blk_batch_init(&batch, slots, N);
		for (unsigned i = 0; i < N; i++)
			blk_batch_write(&batch, dev, (uint64_t)i * b, w + (size_t)i * b, b, 0);
		assert_int_equal(blk_batch_wait(&batch), 0);
		assert_int_equal(blk_read(dev, 0, r, (size_t)N * b), 0);
		assert_memory_equal(w, r, (size_t)N * b);
	}
	free(w);
	free(r);
}

void blk_conformance(struct blk_dev *dev, const struct conformance_options *options)
{
	assert_true(dev->size_bytes >= AREA);
	bad_requests(dev);
	edges(dev);
	neighbours(dev);
	random_operations(dev, options);
	assert_int_equal(dev->in_flight, 0);
}

struct run {
	struct blk_dev *dev;
	const struct conformance_options *options;
};

static int run_it(void *arg)
{
	struct run *r = arg;

	blk_conformance(r->dev, r->options);
	return 0;
}

void blk_conformance_run(struct blk_dev *dev, const struct conformance_options *options)
{
	struct run r = {dev, options};

	assert_int_equal(task_call(dev->loop, run_it, &r), 0);
}
