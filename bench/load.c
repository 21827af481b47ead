/* SPDX-License-Identifier: Apache-2.0 */
/* A load on a block device: so many requests in flight, each followed by the next when it is done. */
#include "bench.h"

enum { MAX_SAMPLES = 1 << 20 };

struct running {
	struct load *l;
	struct rng rng;
	uint64_t until, next, units, started, finished;
	struct task_group g;
	uint32_t *ns; /* latencies */
	bool end;
};

struct requester {
	struct blk_req req;
	struct iovec iov;
	struct running *run;
	uint64_t began;
};

static void submit_next(struct requester *r)
{
	struct running *run = r->run;
	struct load *l = run->l;
	uint64_t unit = l->random ? rng_below(&run->rng, run->units) : run->next++ % run->units;

	run->started++;
	r->req.offset = unit * l->io_bytes;
	if (run->ns)
		r->began = now_ns();
	blk_submit(l->dev, &r->req);
}

static void look_at_the_time(struct running *run)
{
	const struct load *l = run->l;

	if (l->all_ops)
		run->end = run->started >= l->all_ops;
	else if ((run->finished & 15) == 0 || l->io_bytes > 65536)
		run->end = now_ns() >= run->until;
	if (l->stop && *l->stop)
		run->end = true;
}

static void request_done(struct blk_req *req)
{
	struct requester *r = container_of(req, struct requester, req);
	struct running *run = r->run;

	if (req->result)
		die("a request failed: %s", err_name(req->result));
	if (run->ns && run->finished < MAX_SAMPLES)
		run->ns[run->finished] = (uint32_t)(now_ns() - r->began);
	run->finished++;
	if (!run->end)
		look_at_the_time(run);
	if (run->end)
		task_group_end(&run->g);
	else
		submit_next(r);
}

static int by_ns(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void take_p99(struct load *l, struct running *run)
{
	uint64_t n = run->finished < MAX_SAMPLES ? run->finished : MAX_SAMPLES;

	qsort(run->ns, n, sizeof(run->ns[0]), by_ns);
	l->p99_us = n ? run->ns[n * 99 / 100] / 1000.0 : 0;
}

void load_run(struct load *l)
{
	struct running run = {.l = l, .units = l->dev->size_bytes / l->io_bytes};
	struct requester *all = calloc(l->depth, sizeof(*all));
	struct loop *loop = l->dev->loop;
	uint64_t start;

	run.ns = l->latencies ? malloc(MAX_SAMPLES * sizeof(run.ns[0])) : NULL;
	if (!all || !run.units || (l->latencies && !run.ns))
		die("no memory, or a device too small");
	rng_seed(&run.rng, l->seed);
	task_group_init(&run.g);
	for (unsigned i = 0; i < l->depth; i++) {
		all[i] = (struct requester){.run = &run};
		all[i].iov.iov_base = loop_buf_alloc_at(loop, LOOP_BUF_FRONT, l->io_bytes);
		all[i].iov.iov_len = l->io_bytes;
		rng_bytes(&run.rng, all[i].iov.iov_base, l->io_bytes);
		all[i].req = (struct blk_req){.op = l->op,
			.length = l->io_bytes,
			.iov = &all[i].iov,
			.iovcnt = 1,
			.done = request_done};
	}
	start = now_ns();
	run.until = start + l->turn_ns;
	for (unsigned i = 0; i < l->depth && (!l->all_ops || run.started < l->all_ops); i++) {
		task_group_begin(&run.g);
		submit_next(&all[i]);
	}
	task_group_wait(&run.g);
	l->ops = run.finished;
	l->ops_per_s = (double)run.finished * 1e9 / (double)(now_ns() - start);
	if (run.ns)
		take_p99(l, &run);
	for (unsigned i = 0; i < l->depth; i++)
		loop_buf_free(loop, all[i].iov.iov_base, l->io_bytes);
	free(run.ns);
	free(all);
}
