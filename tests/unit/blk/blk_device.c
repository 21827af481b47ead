/* SPDX-License-Identifier: Apache-2.0 */
/* Real block devices: loop devices on a file, where this user may make them (else skipped). */
#include "test_blk.h"

#include "base/cleanup.h"
#include "conformance.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#define SIZE (4u << 20)

static char image[64] = "vds-device-XXXXXX";
static char device[32];

static int close_dev(void *dev)
{
	blk_close(dev);
	return 0;
}

/* Returns an open descriptor of the device, which goes away with it, or -1. */
static int attach(uint32_t block)
{
	cleanup_close int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	cleanup_close int file = open(image, O_RDWR | O_CLOEXEC);
	int number = control >= 0 ? ioctl(control, LOOP_CTL_GET_FREE) : -1;
	struct loop_config config = {.block_size = block, .info.lo_flags = LO_FLAGS_AUTOCLEAR};
	int fd;

	if (number < 0 || file < 0)
		return -1;
	snprintf(device, sizeof(device), "/dev/loop%d", number);
	fd = open(device, O_RDWR | O_CLOEXEC);
	config.fd = (uint32_t)file;
	if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void conforms(uint32_t block, enum loop_aio aio)
{
	struct conformance_options options = {.seed = block, .rounds = 15};
	struct loop_options loop_options = {.aio = aio};
	cleanup_close int fd = attach(block);
	struct loop *loop;
	struct blk_dev *dev, *again;
	struct err err = {0};

	if (fd < 0) {
		skip();
		return;
	}
	assert_int_equal(loop_new(&loop_options, &loop, NULL), 0);
	if (blk_file_open(loop, device, 0, &dev, &err))
		fail_msg("%s", err.text);
	assert_int_equal(dev->size_bytes, SIZE);
	assert_int_equal(dev->logical_block, block);
	assert_int_equal(blk_file_open(loop, device, 0, &again, &err), -EBUSY);
	assert_non_null(strstr(err.text, "in use"));
	blk_conformance_run(dev, &options);
	task_call(loop, close_dev, dev);
	assert_int_equal(blk_file_open(loop, device, BLK_OPEN_READ_ONLY, &dev, &err), 0);
	task_call(loop, close_dev, dev);
	loop_free(loop);
}

static void blocks_of_512(void **state)
{
	(void)state;
	conforms(512, LOOP_AIO_AUTO);
	conforms(512, LOOP_AIO_THREADS);
}

static void blocks_of_4096(void **state)
{
	(void)state;
	conforms(4096, LOOP_AIO_AUTO);
	conforms(4096, LOOP_AIO_THREADS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_of_512),
		cmocka_unit_test(blocks_of_4096),
	};
	int fd = mkstemp(image), failed, attached;

	if (fd < 0 || ftruncate(fd, SIZE))
		return 77;
	close(fd);
	attached = attach(512);
	if (attached < 0) {
		printf("skipped: no loop device can be set up by this user\n");
		unlink(image);
		return 77;
	}
	close(attached);
	failed = cmocka_run_group_tests_name("blk_device", tests, NULL, NULL);
	unlink(image);
	return failed;
}
