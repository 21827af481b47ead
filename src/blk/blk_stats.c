/* SPDX-License-Identifier: Apache-2.0 */
/* A filter that counts. Operations and bytes count when they start, errors when they end. */
#include "blk/blk_filter.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct blk_counter {
	struct blk_filter filter;
	struct blk_stats stats;
};

static struct blk_counter *counter_of(struct blk_dev *dev)
{
	return container_of(dev, struct blk_counter, filter.dev);
}

static void stats_done(struct blk_req *req)
{
	struct filter_child *c = container_of(req, struct filter_child, req);

	if (req->result)
		counter_of(&c->filter->dev)->stats.errors++;
	blk_filter_answer(c, req->result);
}

static void stats_submit(struct blk_dev *dev, struct blk_req *req)
{
	struct blk_counter *counter = counter_of(dev);
	struct filter_child *c = blk_filter_child(&counter->filter, req);

	if (!c)
		return;
	counter->stats.ops[req->op]++;
	if (req->op != BLK_FLUSH)
		counter->stats.bytes[req->op] += req->length;
	blk_filter_pass(c, stats_done);
}

static void stats_close(struct blk_dev *dev)
{
	struct blk_counter *counter = counter_of(dev);

	blk_filter_fini(&counter->filter);
	free(counter);
}

static const struct blk_ops stats_ops = {
	.kind = "stats",
	.submit = stats_submit,
	.close = stats_close,
	.resize = blk_filter_resize,
};

int blk_stats_new(struct blk_dev *lower, struct blk_dev **out)
{
	struct blk_counter *counter = calloc(1, sizeof(*counter));
	int r;

	*out = NULL;
	if (!counter)
		return -ENOMEM;
	r = blk_filter_init(&counter->filter, &stats_ops, lower);
	if (r) {
		free(counter);
		return r;
	}
	*out = &counter->filter.dev;
	return 0;
}

const struct blk_stats *blk_stats_get(struct blk_dev *dev)
{
	assert(dev->ops == &stats_ops);
	return &counter_of(dev)->stats;
}
