/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A simulated disk on a medium (blk_medium.c). Every request gets a random delay of virtual
 * time, so requests in flight complete in any order; it takes effect at the moment it
 * completes. Reads see what completed. On a simulated loop the delays come from the loop's
 * seed; on a real loop (tests of threads) from a seed of its own.
 */
#include "blk/blk_medium.h"

#include "base/rng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DELAY_MIN_NS 10000u
#define DELAY_MAX_NS 2000000u

struct blk_sim {
	struct blk_dev dev;
	struct blk_medium *medium;
	struct medium_user user;
	struct list requests; /* struct sim_req, in order of submission */
	struct rng own_rng;
	bool dead;
};

struct sim_req {
	struct list link;
	struct loop_timer timer;
	struct blk_req *req;
	uint64_t mark; /* BLK_FLUSH: the state to make stable */
};

static struct blk_sim *sim_of(struct blk_dev *dev)
{
	return container_of(dev, struct blk_sim, dev);
}

static void read_into(struct blk_medium *m, const struct blk_req *req)
{
	uint64_t at = req->offset;

	for (int i = 0; i < req->iovcnt; at += req->iov[i++].iov_len)
		blk_medium_read(m, at, req->iov[i].iov_base, req->iov[i].iov_len);
}

static void take_effect(struct blk_sim *sim, const struct sim_req *r)
{
	const struct blk_req *req = r->req;
	/* BLK_ZERO is a write of zeros, which the medium knows by the missing iov. */
	const struct iovec *iov = req->op == BLK_WRITE ? req->iov : NULL;

	switch (req->op) {
	case BLK_READ:
		read_into(sim->medium, req);
		break;
	case BLK_WRITE:
	case BLK_ZERO:
		if (req->flags & BLK_FUA)
			medium_write_stable(
				sim->medium, req->offset, req->length, iov, req->iovcnt);
		else
			medium_write_cached(
				sim->medium, req->offset, req->length, iov, req->iovcnt);
		break;
	case BLK_FLUSH:
		medium_flush(sim->medium, r->mark);
		break;
	}
}

static void finish(struct sim_req *r, int result)
{
	struct blk_req *req = r->req;

	list_del(&r->link);
	free(r);
	blk_complete(req, result);
}

static void delay_over(struct loop_timer *timer)
{
	struct sim_req *r = container_of(timer, struct sim_req, timer);

	take_effect(sim_of(r->req->dev), r);
	finish(r, 0);
}

static void sim_die(struct medium_user *user)
{
	struct blk_sim *sim = container_of(user, struct blk_sim, user);
	struct sim_req *r;

	sim->dead = true;
	while ((r = list_first(&sim->requests, struct sim_req, link))) {
		const struct blk_req *req = r->req;

		if (req->op == BLK_WRITE || req->op == BLK_ZERO)
			medium_add_in_flight(sim->medium, req->offset, req->length,
				req->op == BLK_WRITE ? req->iov : NULL, req->iovcnt);
		loop_timer_cancel(sim->dev.loop, &r->timer);
		finish(r, -ENODEV);
	}
}

static void sim_submit(struct blk_dev *dev, struct blk_req *req)
{
	struct blk_sim *sim = sim_of(dev);
	struct rng *rng = loop_is_simulated(dev->loop) ? loop_rng(dev->loop) : &sim->own_rng;
	struct sim_req *r;

	if (sim->dead) {
		blk_complete(req, -ENODEV);
		return;
	}
	r = calloc(1, sizeof(*r));
	if (!r) {
		blk_complete(req, -ENOMEM);
		return;
	}
	r->req = req;
	r->mark = medium_mark(sim->medium);
	r->timer.fn = delay_over;
	list_add_tail(&sim->requests, &r->link);
	loop_timer_set(dev->loop, &r->timer,
		loop_now_ns(dev->loop) + DELAY_MIN_NS +
			rng_below(rng, DELAY_MAX_NS - DELAY_MIN_NS));
}

static void sim_close(struct blk_dev *dev)
{
	struct blk_sim *sim = sim_of(dev);

	medium_detach(sim->medium, &sim->user);
	blk_dev_fini(dev);
	free(sim);
}

static const struct blk_ops sim_ops = {
	.kind = "sim",
	.submit = sim_submit,
	.close = sim_close,
};

int blk_sim_new(struct loop *loop, const char *name, struct blk_medium *m, struct blk_dev **out)
{
	struct blk_sim *sim = calloc(1, sizeof(*sim));
	int r;

	*out = NULL;
	if (!sim)
		return -ENOMEM;
	r = blk_dev_init(&sim->dev, &sim_ops, loop, name);
	if (r) {
		free(sim);
		return r;
	}
	sim->dev.size_bytes = medium_size(m);
	sim->dev.logical_block = medium_logical_block(m);
	sim->dev.physical_block = 4096;
	sim->dev.flags = BLK_DEV_VOLATILE_CACHE | BLK_DEV_ZERO_CHEAP;
	sim->medium = m;
	sim->user.die = sim_die;
	list_init(&sim->requests);
	rng_seed(&sim->own_rng, 1);
	medium_attach(m, &sim->user);
	*out = &sim->dev;
	return 0;
}
