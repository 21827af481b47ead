/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter that misbehaves by rules. A request meets the rules in force when it starts:
 *
 *   gone          -ENODEV at once
 *   unreachable   waits; when the last such rule is cleared it starts again, and when the
 *                 device is declared gone or closed it gets -ENODEV. A rule with a length is
 *                 what the system below does with a silent device: after that many
 *                 milliseconds the request gets -ETIMEDOUT
 *   delay         the sum of all delays passes first
 *   I/O error, read error, write error: -EIO instead of reaching the device
 *
 * A write or zero that succeeds mends the read errors in its range.
 */
#include "base/vec.h"
#include "blk/blk_filter.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct rule {
	enum blk_fault_kind kind;
	uint64_t offset, length;
};

VEC(struct rule, rule_vec)

struct blk_fault {
	struct blk_filter filter;
	struct rule_vec rules;
	struct list unreachable;    /* struct blk_req through link, oldest first */
	struct loop_timer patience; /* for the oldest of them */
};

static const struct blk_ops fault_ops;

static struct blk_fault *fault_of(struct blk_dev *dev)
{
	assert(dev->ops == &fault_ops);
	return container_of(dev, struct blk_fault, filter.dev);
}

/* ---- rules --------------------------------------------------------------------------------- */

static bool have(const struct blk_fault *f, enum blk_fault_kind kind)
{
	for (size_t i = 0; i < f->rules.len; i++) {
		if (f->rules.items[i].kind == kind)
			return true;
	}
	return false;
}

static bool touches(const struct rule *r, const struct blk_req *req)
{
	return req->offset < r->offset + r->length && r->offset < req->offset + req->length;
}

/* What the rules make of a request: 0 or a negative errno. */
static int verdict(const struct blk_fault *f, const struct blk_req *req)
{
	bool writes = req->op == BLK_WRITE || req->op == BLK_ZERO;

	for (size_t i = 0; i < f->rules.len; i++) {
		const struct rule *r = &f->rules.items[i];

		switch (r->kind) {
		case BLK_FAULT_IO_ERROR:
			return -EIO;
		case BLK_FAULT_READ_ERROR:
			if (req->op == BLK_READ && touches(r, req))
				return -EIO;
			break;
		case BLK_FAULT_WRITE_ERROR:
			if (writes && touches(r, req))
				return -EIO;
			break;
		case BLK_FAULT_GONE:
		case BLK_FAULT_UNREACHABLE:
		case BLK_FAULT_DELAY:
			break;
		}
	}
	return 0;
}

static uint64_t delay_ms(const struct blk_fault *f)
{
	uint64_t ms = 0;

	for (size_t i = 0; i < f->rules.len; i++) {
		if (f->rules.items[i].kind == BLK_FAULT_DELAY)
			ms += f->rules.items[i].length;
	}
	return ms;
}

/* Takes [offset, end) out of one read error; may append its upper part as a new rule. */
static void mend_rule(struct blk_fault *f, size_t i, uint64_t offset, uint64_t end)
{
	struct rule r = f->rules.items[i];
	uint64_t r_end = r.offset + r.length;

	if (offset <= r.offset && end >= r_end) {
		rule_vec_remove(&f->rules, i);
		return;
	}
	if (offset > r.offset && end < r_end) {
		/* Without memory for the second half the whole stays bad: that is the safe side. */
		if (rule_vec_push(&f->rules, (struct rule){r.kind, end, r_end - end}))
			return;
		f->rules.items[i].length = offset - r.offset;
		return;
	}
	if (offset > r.offset) {
		f->rules.items[i].length = offset - r.offset;
	} else {
		f->rules.items[i].offset = end;
		f->rules.items[i].length = r_end - end;
	}
}

static void mend(struct blk_fault *f, const struct blk_req *req)
{
	for (size_t i = f->rules.len; i-- > 0;) {
		if (f->rules.items[i].kind == BLK_FAULT_READ_ERROR &&
			touches(&f->rules.items[i], req))
			mend_rule(f, i, req->offset, req->offset + req->length);
	}
}

/* ---- requests ------------------------------------------------------------------------------ */

static void fault_done(struct blk_req *req)
{
	struct filter_child *c = container_of(req, struct filter_child, req);

	if (req->result == 0 && (req->op == BLK_WRITE || req->op == BLK_ZERO))
		mend(fault_of(&c->filter->dev), req);
	blk_filter_answer(c, req->result);
}

static void go_on(struct filter_child *c)
{
	if (c->result)
		blk_filter_answer(c, c->result);
	else
		blk_filter_pass(c, fault_done);
}

static void delay_over(struct loop_timer *timer)
{
	go_on(container_of(timer, struct filter_child, timer));
}

/* ---- out of reach -------------------------------------------------------------------------- */

/* The shortest patience in force, 0 = without end. */
static uint64_t patience_ns(const struct blk_fault *f)
{
	uint64_t ms = 0;

	for (size_t i = 0; i < f->rules.len; i++) {
		const struct rule *r = &f->rules.items[i];
		if (r->kind == BLK_FAULT_UNREACHABLE && r->length && (!ms || r->length < ms))
			ms = r->length;
	}
	return ms * 1000000;
}

static void watch_oldest(struct blk_fault *f)
{
	struct blk_req *req = list_first(&f->unreachable, struct blk_req, link);
	uint64_t patience = patience_ns(f);

	if (req && patience)
		loop_timer_set(f->filter.dev.loop, &f->patience, req->started_ns + patience);
}

static void patience_over(struct loop_timer *timer)
{
	struct blk_fault *f = container_of(timer, struct blk_fault, patience);
	uint64_t now = loop_now_ns(f->filter.dev.loop);
	struct blk_req *req;

	while ((req = list_first(&f->unreachable, struct blk_req, link)) &&
		req->started_ns + patience_ns(f) <= now) {
		list_del(&req->link);
		blk_complete(req, -ETIMEDOUT);
	}
	watch_oldest(f);
}

static void fault_submit(struct blk_dev *dev, struct blk_req *req)
{
	struct blk_fault *f = fault_of(dev);
	struct filter_child *c;
	uint64_t ms;

	if (have(f, BLK_FAULT_GONE)) {
		blk_complete(req, -ENODEV);
		return;
	}
	if (have(f, BLK_FAULT_UNREACHABLE)) {
		list_add_tail(&f->unreachable, &req->link);
		if (!f->patience.armed)
			watch_oldest(f);
		return;
	}
	c = blk_filter_child(&f->filter, req);
	if (!c)
		return;
	c->result = verdict(f, req);
	ms = delay_ms(f);
	if (ms) {
		c->timer.fn = delay_over;
		loop_timer_set(dev->loop, &c->timer, loop_now_ns(dev->loop) + ms * 1000000);
	} else {
		go_on(c);
	}
}

/* Those that waited while the device was out of reach start again, or end. */
static void release(struct blk_fault *f, bool end)
{
	struct blk_req *req;

	if (have(f, BLK_FAULT_UNREACHABLE) && !end)
		return;
	loop_timer_cancel(f->filter.dev.loop, &f->patience);
	while ((req = list_first(&f->unreachable, struct blk_req, link))) {
		list_del(&req->link);
		if (end)
			blk_complete(req, -ENODEV);
		else
			fault_submit(&f->filter.dev, req);
	}
}

static void fault_closing(struct blk_dev *dev)
{
	release(fault_of(dev), true);
}

static void fault_close(struct blk_dev *dev)
{
	struct blk_fault *f = fault_of(dev);

	blk_filter_fini(&f->filter);
	rule_vec_free(&f->rules);
	free(f);
}

static const struct blk_ops fault_ops = {
	.kind = "fault",
	.submit = fault_submit,
	.close = fault_close,
	.resize = blk_filter_resize,
	.closing = fault_closing,
};

int blk_fault_new(struct blk_dev *lower, struct blk_dev **out)
{
	struct blk_fault *f = calloc(1, sizeof(*f));
	int r;

	*out = NULL;
	if (!f)
		return -ENOMEM;
	r = blk_filter_init(&f->filter, &fault_ops, lower);
	if (r) {
		free(f);
		return r;
	}
	list_init(&f->unreachable);
	f->patience.fn = patience_over;
	*out = &f->filter.dev;
	return 0;
}

/* ---- changing the rules -------------------------------------------------------------------- */

int blk_fault_add(struct blk_dev *dev, enum blk_fault_kind kind, uint64_t offset, uint64_t length)
{
	struct blk_fault *f = fault_of(dev);
	int r;

	switch (kind) {
	case BLK_FAULT_READ_ERROR:
	case BLK_FAULT_WRITE_ERROR:
		if (length == 0 || offset > dev->size_bytes || length > dev->size_bytes - offset)
			return -EINVAL;
		break;
	case BLK_FAULT_DELAY:
		if (length > 24u * 3600 * 1000)
			return -EINVAL;
		break;
	case BLK_FAULT_GONE:
	case BLK_FAULT_UNREACHABLE:
	case BLK_FAULT_IO_ERROR:
		break;
	}
	r = rule_vec_push(&f->rules, (struct rule){kind, offset, length});
	if (r == 0 && kind == BLK_FAULT_GONE)
		release(f, true);
	if (r == 0 && kind == BLK_FAULT_UNREACHABLE)
		watch_oldest(f);
	return r;
}

void blk_fault_clear(struct blk_dev *dev, enum blk_fault_kind kind)
{
	struct blk_fault *f = fault_of(dev);

	for (size_t i = f->rules.len; i-- > 0;) {
		if (f->rules.items[i].kind == kind)
			rule_vec_remove(&f->rules, i);
	}
	release(f, false);
}

void blk_fault_clear_all(struct blk_dev *dev)
{
	struct blk_fault *f = fault_of(dev);

	f->rules.len = 0;
	release(f, false);
}

void blk_fault_for_each(struct blk_dev *dev,
	void (*fn)(void *ctx, enum blk_fault_kind kind, uint64_t offset, uint64_t length),
	void *ctx)
{
	const struct blk_fault *f = fault_of(dev);

	for (size_t i = 0; i < f->rules.len; i++)
		fn(ctx, f->rules.items[i].kind, f->rules.items[i].offset, f->rules.items[i].length);
}
