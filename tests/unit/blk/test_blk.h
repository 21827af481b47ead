/* SPDX-License-Identifier: Apache-2.0 */
/* Small things that the tests of src/blk share. */
#ifndef TEST_BLK_H
#define TEST_BLK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rng.h"
#include "blk/blk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sanitized builds run the same tests with fewer rounds. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define TEST_SLOW 1
#else
#define TEST_SLOW 0
#endif

/* A real loop (threads) or a simulated one. */
static inline struct loop *test_loop(bool simulated)
{
	struct loop_options options = {.aio = LOOP_AIO_THREADS};
	struct loop *loop;

	if (simulated)
		assert_int_equal(loop_new_simulated(1, 1700000000000, &loop), 0);
	else
		assert_int_equal(loop_new(&options, &loop, NULL), 0);
	return loop;
}

#endif
