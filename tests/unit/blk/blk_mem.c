/* SPDX-License-Identifier: Apache-2.0 */
#include "test_blk.h"

#include "conformance.h"

static int close_dev(void *dev)
{
	blk_close(dev);
	return 0;
}

static void memory_conforms(void **state)
{
	static const uint32_t blocks[] = {512, 4096};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct conformance_options options = {.seed = 10u + (unsigned)i, .rounds = 40};
		struct loop *loop = test_loop(i & 1);
		struct blk_dev *dev;

		assert_int_equal(blk_mem_new(loop, "m", (3u << 20) + 4096, blocks[i / 2], &dev), 0);
		blk_conformance_run(dev, &options);
		assert_int_equal(task_call(loop, close_dev, dev), 0);
		loop_free(loop);
	}
}

/* The thread sanitizer leaves little of the address space. */
#define LARGE ((uint64_t)1 << (TEST_SLOW ? 34 : 40))

static int large_and_sparse(void *arg)
{
	struct blk_dev *dev;
	uint8_t buf[4096];

	assert_int_equal(blk_mem_new(arg, "big", LARGE, 512, &dev), 0);
	memset(buf, 1, sizeof(buf));
	assert_int_equal(blk_read(dev, LARGE - 4096, buf, sizeof(buf)), 0);
	for (size_t i = 0; i < sizeof(buf); i++)
		assert_int_equal(buf[i], 0);
	assert_int_equal(blk_write(dev, LARGE / 2, buf, sizeof(buf), 0), 0);
	assert_int_equal(blk_zero(dev, 0, LARGE, 0), 0);
	blk_close(dev);
	return 0;
}

static void memory_is_sparse(void **state)
{
	struct loop *loop = test_loop(true);

	(void)state;
	task_call(loop, large_and_sparse, loop);
	loop_free(loop);
}

static void bad_shapes_are_refused(void **state)
{
	struct loop *loop = test_loop(true);
	struct blk_dev *dev;

	(void)state;
	assert_int_equal(blk_mem_new(loop, "m", 0, 512, &dev), -EINVAL);
	assert_int_equal(blk_mem_new(loop, "m", 1000, 512, &dev), -EINVAL);
	assert_int_equal(blk_mem_new(loop, "m", 8192, 1024, &dev), -EINVAL);
	assert_null(dev);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_conforms),
		cmocka_unit_test(memory_is_sparse),
		cmocka_unit_test(bad_shapes_are_refused),
	};

	return cmocka_run_group_tests_name("blk_mem", tests, NULL, NULL);
}
