/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A full file system under a sparse file: a tmpfs of 1 MiB in a user and mount namespace of
 * our own, so no privilege is needed where the system allows such namespaces (else skipped).
 */
#include "test_blk.h"

#include "base/cleanup.h"
#include "blk/blk_file.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#define SIZE (8u << 20)
#define ROOM "size=1m"

static char folder[64] = "/tmp/vds-nospace-XXXXXX";

static int close_dev(void *dev)
{
	blk_close(dev);
	return 0;
}

/* Fills the file system, then: full writes say so, what is there stays, zeroing makes room. */
static int fill_up(void *arg)
{
	struct blk_dev *dev = arg;
	static char buf[65536 + 1], back[65536];
	uint64_t at = 0;
	int r = 0;

	memset(buf, 1, sizeof(buf));
	/* buf + 1: through the bounce buffer as well */
	for (int i = 0; r == 0 && at < SIZE; at += r ? 0 : 65536, i++)
		r = blk_write(dev, at, buf + i % 2, 65536, i % 3 ? 0 : BLK_FUA);
	assert_int_equal(r, -ENOSPC);
	assert_in_range(at, 65536, 1u << 20);
	assert_int_equal(blk_write(dev, SIZE - 65536, buf + 1, 65536, 0), -ENOSPC);
	assert_int_equal(blk_flush(dev), 0);
	for (uint64_t i = 0; i < at; i += 65536) {
		assert_int_equal(blk_read(dev, i, back, 65536), 0);
		assert_memory_equal(back, buf, 65536);
	}
	assert_int_equal(blk_zero(dev, 0, 4 * 65536, 0), 0);
	assert_int_equal(blk_write(dev, SIZE - 65536, buf, 65536, 0), 0);
	return 0;
}

static void a_full_file_system_says_enospc(void **state)
{
	static const unsigned flags[] = {0, BLK_OPEN_BUFFERED};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct loop_options options = {.aio = i / 2 ? LOOP_AIO_THREADS : LOOP_AIO_AUTO};
		struct loop *loop;
		struct blk_dev *dev;
		struct err err = {0};

		assert_int_equal(loop_new(&options, &loop, NULL), 0);
		assert_int_equal(blk_file_create("thin", SIZE, &err), 0);
		if (blk_file_open(loop, "thin", flags[i & 1], &dev, &err))
			fail_msg("%s", err.text);
		assert_int_equal(task_call(loop, fill_up, dev), 0);
		task_call(loop, close_dev, dev);
		loop_free(loop);
		unlink("thin");
	}
}

static bool write_file(const char *path, const char *text)
{
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t n = strlen(text);

	return fd >= 0 && write(fd, text, n) == (ssize_t)n;
}

/* Returns why not, or NULL. */
static const char *enter_small_file_system(void)
{
	char map[64];
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return "no user namespaces here";
	snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
	if (!write_file("/proc/self/uid_map", map))
		return "the user could not be mapped";
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", (unsigned)gid);
	if (!write_file("/proc/self/gid_map", map))
		return "the group could not be mapped";
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		mount("tmpfs", folder, "tmpfs", 0, ROOM) || chdir(folder))
		return "no tmpfs could be mounted";
	return NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_file_system_says_enospc),
	};
	const char *why;
	int failed;

	if (!mkdtemp(folder))
		return 77;
	why = enter_small_file_system();
	if (why) {
		printf("skipped: %s\n", why);
		rmdir(folder);
		return 77;
	}
	failed = cmocka_run_group_tests_name("blk_nospace", tests, NULL, NULL);
	if (chdir("/") == 0 && umount(folder) == 0)
		rmdir(folder);
	return failed;
}
