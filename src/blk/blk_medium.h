/* SPDX-License-Identifier: Apache-2.0 */
/* Between a simulated disk (blk_sim.c) and its medium (blk_medium.c). */
#ifndef BLK_BLK_MEDIUM_H
#define BLK_BLK_MEDIUM_H

#include "blk/blk.h"

/* A device on a medium. */
struct medium_user {
	struct list link;
	/* The power went or the process died: hand what is in flight to medium_add_in_flight, then
	 * answer -ENODEV to everything. */
	void (*die)(struct medium_user *user);
};

void medium_attach(struct blk_medium *m, struct medium_user *user);
void medium_detach(struct blk_medium *m, struct medium_user *user);

uint64_t medium_size(const struct blk_medium *m);
uint32_t medium_logical_block(const struct blk_medium *m);

/* A write completed into the volatile cache. iov NULL = zeros. */
void medium_write_cached(struct blk_medium *m, uint64_t offset, uint64_t length,
	const struct iovec *iov, int iovcnt);
/* A write completed with BLK_FUA. */
void medium_write_stable(struct blk_medium *m, uint64_t offset, uint64_t length,
	const struct iovec *iov, int iovcnt);
/* From die only: a write that has not completed. */
void medium_add_in_flight(struct blk_medium *m, uint64_t offset, uint64_t length,
	const struct iovec *iov, int iovcnt);

/* A mark in the order of completions, and: what completed up to that mark becomes stable. */
uint64_t medium_mark(const struct blk_medium *m);
void medium_flush(struct blk_medium *m, uint64_t mark);

#endif
