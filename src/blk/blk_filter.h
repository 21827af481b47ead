/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What filters share: a device that owns the one below, looks like it, and passes requests on
 * as requests of its own.
 */
#ifndef BLK_BLK_FILTER_H
#define BLK_BLK_FILTER_H

#include "blk/blk.h"

struct blk_filter {
	struct blk_dev dev;
	struct blk_dev *lower;
	struct list spare; /* struct filter_child, for reuse */
};

struct filter_child {
	struct blk_req req;
	struct blk_req *parent;
	struct blk_filter *filter;
	struct list link;
	struct loop_timer timer;
	int result; /* the filter's */
};

/* The name of the filter is that of lower. On failure lower stays the caller's. */
int blk_filter_init(struct blk_filter *f, const struct blk_ops *ops, struct blk_dev *lower);
/* Closes lower and frees what init made. */
void blk_filter_fini(struct blk_filter *f);

/* A copy of the request, or NULL: then the request has been answered with -ENOMEM. */
struct filter_child *blk_filter_child(struct blk_filter *f, struct blk_req *parent);
/* Passes the child on; done is called with it. */
void blk_filter_pass(struct filter_child *c, void (*done)(struct blk_req *req));
/* Answers the parent and gives the child back. */
void blk_filter_answer(struct filter_child *c, int result);

int blk_filter_resize(struct blk_dev *dev, uint64_t size_bytes);

#endif
