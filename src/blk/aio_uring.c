/* SPDX-License-Identifier: Apache-2.0 */
#include "blk/aio.h"

#include <errno.h>

int aio_uring_new(struct loop *loop, unsigned queue_depth, struct aio_engine **out)
{
	(void)loop;
	(void)queue_depth;
	(void)out;
	return -ENOSYS;
}
