/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every block device must do, whatever is behind it. A back end's test opens one of at
 * least 1 MiB whose content is unknown and calls blk_conformance in a task; failures are
 * assertions. The content is garbage afterwards.
 */
#ifndef TEST_BLK_CONFORMANCE_H
#define TEST_BLK_CONFORMANCE_H

#include "blk/blk.h"

struct conformance_options {
	uint64_t seed;
	unsigned rounds; /* of random operations in batches */
};

void blk_conformance(struct blk_dev *dev, const struct conformance_options *options);

/* The same as a task of a loop run from here until it has ended. The device stays open. */
void blk_conformance_run(struct blk_dev *dev, const struct conformance_options *options);

#endif
