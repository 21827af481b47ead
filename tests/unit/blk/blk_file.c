/* SPDX-License-Identifier: Apache-2.0 */
#include "test_blk.h"

#include "base/cleanup.h"
#include "blk/blk_file.h"
#include "conformance.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "vds-blk-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static const char *file_name(const char *name)
{
	static char path[2][128];
	static int turn;

	turn ^= 1;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
	return path[turn];
}

static int close_dev(void *dev)
{
	blk_close(dev);
	return 0;
}

/* NULL where the kernel has no io_uring. */
static struct loop *loop_with(enum loop_aio aio)
{
	struct loop_options options = {.aio = aio, .queue_depth = 8, .name = "test"};
	struct loop *loop;
	struct err err = {0};
	int r = loop_new(&options, &loop, &err);

	if (r == -ENOSYS && aio == LOOP_AIO_URING) {
		print_message("skipped: %s\n", err.text);
		return NULL;
	}
	assert_int_equal(r, 0);
	return loop;
}

#define SIZE (4u << 20)

static struct blk_dev *fresh(struct loop *loop, const char *path, unsigned flags)
{
	struct blk_dev *dev;
	struct err err = {0};

	unlink(path);
	assert_int_equal(blk_file_create(path, SIZE, &err), 0);
	if (blk_file_open(loop, path, flags, &dev, &err))
		fail_msg("%s", err.text);
	return dev;
}

/* ---- data ---------------------------------------------------------------------------------- */

static void conforms(enum loop_aio aio, unsigned flags)
{
	struct conformance_options options = {.seed = 3 + flags, .rounds = 40};
	struct loop *loop = loop_with(aio);
	const char *path = file_name("conforms");
	struct blk_dev *dev;

	if (!loop)
		return;
	dev = fresh(loop, path, flags);
	if (flags & BLK_OPEN_TEST_4K && !container_of(dev, struct blk_file, dev)->direct)
		print_message("no direct I/O here: read-modify-write was not exercised\n");
	blk_conformance_run(dev, &options);
	task_call(loop, close_dev, dev);
	loop_free(loop);
	unlink(path);
}

static void direct_io_uring_conforms(void **state)
{
	(void)state;
	conforms(LOOP_AIO_URING, 0);
}

static void direct_threads_conform(void **state)
{
	(void)state;
	conforms(LOOP_AIO_THREADS, 0);
}

static void buffered_io_uring_conforms(void **state)
{
	(void)state;
	conforms(LOOP_AIO_URING, BLK_OPEN_BUFFERED);
}

static void buffered_threads_conform(void **state)
{
	(void)state;
	conforms(LOOP_AIO_THREADS, BLK_OPEN_BUFFERED);
}

static void units_of_4k_conform(void **state)
{
	(void)state;
	conforms(LOOP_AIO_URING, BLK_OPEN_TEST_4K);
	conforms(LOOP_AIO_THREADS, BLK_OPEN_TEST_4K);
}

struct job {
	struct loop *loop;
	struct blk_dev *dev;
	const char *path;
};

/* Zeroing by writing, as on file systems that cannot punch. */
static void zeroing_by_writing_conforms(void **state)
{
	static const unsigned flags[] = {0, BLK_OPEN_BUFFERED, BLK_OPEN_TEST_4K};
	struct conformance_options options = {.seed = 99, .rounds = 25};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		struct loop *loop = loop_with(LOOP_AIO_AUTO);
		const char *path = file_name("zero");
		struct blk_dev *dev = fresh(loop, path, flags[i]);

		container_of(dev, struct blk_file, dev)->zero = FILE_ZERO_WRITE;
		blk_conformance_run(dev, &options);
		task_call(loop, close_dev, dev);
		loop_free(loop);
		unlink(path);
	}
}

static int take_whole_pool(void *arg)
{
	struct job *j = arg;
	void *held[64];
	char *buf = malloc(8193);
	int n = 0;

	while (n < 64 && (held[n] = loop_buf_try_at(j->loop, LOOP_BUF_INNER, 1u << 20)))
		n++;
	assert_true(n > 0 && n < 64);
	memset(buf, 0x5a, 8193);
	assert_int_equal(blk_write(j->dev, 512, buf + 1, 8192, 0), 0);
	memset(buf, 0, 8193);
	assert_int_equal(blk_read(j->dev, 512, buf + 1, 8192), 0);
	for (int i = 1; i <= 8192; i++)
		assert_int_equal(buf[i], 0x5a);
	while (n)
		loop_buf_free(j->loop, held[--n], 1u << 20);
	free(buf);
	return 0;
}

static void bouncing_does_not_wait_for_the_pool(void **state)
{
	struct job j = {.loop = loop_with(LOOP_AIO_AUTO), .path = file_name("pool")};
	struct conformance_options options = {.seed = 4, .rounds = 10};

	(void)state;
	j.dev = fresh(j.loop, j.path, BLK_OPEN_TEST_4K);
	task_call(j.loop, take_whole_pool, &j);
	blk_conformance_run(j.dev, &options);
	task_call(j.loop, close_dev, j.dev);
	loop_free(j.loop);
	unlink(j.path);
}

struct vector_job {
	struct blk_dev *dev;
	struct task_group g;
};

static void vector_done(struct blk_req *req)
{
	struct vector_job *v = req->user;

	assert_int_equal(req->result, 0);
	task_group_end(&v->g);
}

/* More vectors than one system call takes. */
static int many_vectors(void *arg)
{
	enum { N = 3000 };
	static struct iovec iov[N];
	static uint8_t w[N * 512], r[N * 512];
	struct vector_job v = {.dev = arg};

	task_group_init(&v.g);
	for (size_t i = 0; i < sizeof(w); i++)
		w[i] = (uint8_t)(i / 512 + i);
	for (int pass = 0; pass < 2; pass++) {
		struct blk_req req = {.op = pass ? BLK_READ : BLK_WRITE,
			.offset = 512,
			.length = sizeof(w),
			.iov = iov,
			.iovcnt = N,
			.user = &v,
			.done = vector_done};

		for (int i = 0; i < N; i++)
			iov[i] = (struct iovec){(pass ? r : w) + i * 512, 512};
		task_group_begin(&v.g);
		blk_submit(v.dev, &req);
		task_group_wait(&v.g);
	}
	assert_memory_equal(w, r, sizeof(w));
	return 0;
}

static void thousands_of_vectors_are_one_request(void **state)
{
	static const unsigned flags[] = {0, BLK_OPEN_BUFFERED, BLK_OPEN_TEST_4K};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		struct loop *loop = loop_with(LOOP_AIO_AUTO);
		const char *path = file_name("vectors");
		struct blk_dev *dev = fresh(loop, path, flags[i]);

		task_call(loop, many_vectors, dev);
		task_call(loop, close_dev, dev);
		loop_free(loop);
		unlink(path);
	}
}

static int write_tag(void *dev)
{
	char block[512] = "tag";

	return blk_write(dev, SIZE - 512, block, 512, 0);
}

static int read_tag(void *dev)
{
	char block[512] = "";
	int r = blk_read(dev, SIZE - 512, block, 512);

	return r ? r : strcmp(block, "tag");
}

static void *run_worker(void *loop)
{
	loop_run(loop);
	return NULL;
}

static void count_lines(enum log_level level, const char *line, void *ctx)
{
	assert_int_equal(level, LOG_LEVEL_WARNING);
	assert_non_null(strstr(line, "io_uring could not be set up"));
	++*(int *)ctx;
}

/* The ring belongs to a thread; runs on several threads one after the other must work. */
static void runs_on_changing_threads(void **state)
{
	struct loop *loop = loop_with(LOOP_AIO_AUTO);
	const char *path = file_name("threads");
	struct blk_dev *dev = fresh(loop, path, 0);

	(void)state;
	assert_int_equal(task_call(loop, write_tag, dev), 0);
	for (int i = 0; i < 5; i++) {
		pthread_t worker;

		assert_int_equal(pthread_create(&worker, NULL, run_worker, loop), 0);
		assert_int_equal(task_call(loop, read_tag, dev), 0);
		assert_int_equal(task_call(loop, write_tag, dev), 0);
		loop_stop(loop);
		pthread_join(worker, NULL);
		assert_int_equal(task_call(loop, read_tag, dev), 0);
	}
	task_call(loop, close_dev, dev);
	loop_free(loop);
	unlink(path);
}

/* No descriptor is left for a ring on the new thread: I/O goes on without one. */
static void a_ring_that_cannot_be_made_is_done_without(void **state)
{
	struct conformance_options options = {.seed = 60, .rounds = 5};
	struct loop *loop = loop_with(LOOP_AIO_AUTO);
	const char *path = file_name("noring");
	struct blk_dev *dev = fresh(loop, path, 0);
	struct rlimit before, none;
	pthread_t worker;
	int warnings = 0;

	(void)state;
	if (!aio_engine_of(loop)->ops->name || strcmp(aio_engine_of(loop)->ops->name, "io_uring")) {
		task_call(loop, close_dev, dev);
		loop_free(loop);
		unlink(path);
		skip();
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	log_set_sink(count_lines, &warnings);
	assert_int_equal(pthread_create(&worker, NULL, run_worker, loop), 0);
	assert_int_equal(task_call(loop, write_tag, dev), 0);
	assert_int_equal(task_call(loop, read_tag, dev), 0);
	blk_conformance_run(dev, &options);
	loop_stop(loop);
	pthread_join(worker, NULL);
	log_set_sink(NULL, NULL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(warnings, 1);
	/* and with one again */
	assert_int_equal(task_call(loop, write_tag, dev), 0);
	assert_int_equal(task_call(loop, read_tag, dev), 0);
	task_call(loop, close_dev, dev);
	loop_free(loop);
	unlink(path);
}

static int pool_io(void *arg)
{
	struct job *j = arg;
	char *buf = loop_buf_alloc(j->loop, 4096);

	for (int i = 0; i < 600; i++) {
		memset(buf, i, 4096);
		assert_int_equal(blk_write(j->dev, (uint64_t)i * 4096, buf, 4096, 0), 0);
	}
	for (int i = 0; i < 600; i++) {
		assert_int_equal(blk_read(j->dev, (uint64_t)i * 4096, buf, 4096), 0);
		for (int k = 0; k < 4096; k++)
			assert_int_equal(buf[k], (char)i);
	}
	loop_buf_free(j->loop, buf, 4096);
	return 0;
}

/* Long enough that the pool gets registered on the way. */
static void pool_buffers_carry_data(void **state)
{
	struct loop_options options = {
		.buffer_pool_bytes = 1}; /* at least one largest block per level */
	struct job j = {.path = file_name("pool")};

	(void)state;
	assert_int_equal(loop_new(&options, &j.loop, NULL), 0);
	j.dev = fresh(j.loop, j.path, 0);
	task_call(j.loop, pool_io, &j);
	task_call(j.loop, close_dev, j.dev);
	loop_free(j.loop);
	unlink(j.path);
}

/* ---- opening and making -------------------------------------------------------------------- */

static void expect_open(
	struct loop *loop, const char *path, unsigned flags, int code, const char *words)
{
	struct blk_dev *dev = (void *)1;
	struct err err = {0};

	assert_int_equal(blk_file_open(loop, path, flags, &dev, &err), code);
	assert_null(dev);
	assert_int_equal(err.code, code);
	assert_non_null(strstr(err.text, path));
	if (!strstr(err.text, words))
		fail_msg("'%s' lacks '%s'", err.text, words);
}

static void a_file_is_locked_against_others(void **state)
{
	struct loop *loop = loop_with(LOOP_AIO_AUTO);
	const char *path = file_name("lock");
	struct blk_dev *dev = fresh(loop, path, 0), *again;

	(void)state;
	expect_open(loop, path, 0, -EBUSY, "in use by another program");
	expect_open(loop, path, BLK_OPEN_READ_ONLY, -EBUSY, "in use by another program");
	assert_int_equal(blk_file_open(loop, path, BLK_OPEN_NO_LOCK, &again, NULL), 0);
	task_call(loop, close_dev, again);
	task_call(loop, close_dev, dev);
	/* closed: free again; two readers get along */
	assert_int_equal(blk_file_open(loop, path, BLK_OPEN_READ_ONLY, &dev, NULL), 0);
	assert_int_equal(blk_file_open(loop, path, BLK_OPEN_READ_ONLY, &again, NULL), 0);
	assert_int_equal(task_call(loop, write_tag, dev), -EROFS);
	task_call(loop, close_dev, dev);
	task_call(loop, close_dev, again);
	loop_free(loop);
	unlink(path);
}

static void what_cannot_be_opened_says_why(void **state)
{
	struct loop *loop = loop_with(LOOP_AIO_AUTO), *sim = test_loop(true);
	const char *path = file_name("odd");
	int fd;

	(void)state;
	expect_open(loop, path, 0, -ENOENT, "does not exist");
	expect_open(loop, folder, 0, -ENOTBLK, "neither a regular file nor a block device");
	expect_open(loop, "/dev/null", 0, -ENOTBLK, "neither");
	fd = open(path, O_CREAT | O_RDWR, 0600);
	assert_true(fd >= 0);
	expect_open(loop, path, 0, -ENOMEDIUM, "is empty");
	assert_int_equal(ftruncate(fd, 511), 0);
	expect_open(loop, path, 0, -ENOMEDIUM, "is smaller than a block");
	expect_open(sim, path, 0, -EOPNOTSUPP, "simulation");
	close(fd);
	unlink(path);
	loop_free(loop);
	loop_free(sim);
}

static void a_made_file_is_private_sparse_and_new(void **state)
{
	const char *path = file_name("made");
	struct err err = {0};
	struct stat st;

	(void)state;
	assert_int_equal(blk_file_create(path, (uint64_t)1 << 32, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, (off_t)1 << 32);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(st.st_blocks < 1000);
	assert_int_equal(blk_file_create(path, 1u << 20, &err), -EEXIST);
	assert_non_null(strstr(err.text, "exists already"));
	unlink(path);
	assert_int_equal(blk_file_create(path, 1000, &err), -EINVAL);
	assert_int_equal(blk_file_create(path, 0, &err), -EINVAL);
	assert_int_equal(blk_file_create("no/such/folder/file", 512, &err), -ENOENT);
	assert_int_equal(stat(path, &st), -1);
}

static void an_odd_size_is_rounded_down(void **state)
{
	struct loop *loop = loop_with(LOOP_AIO_AUTO);
	const char *path = file_name("size");
	struct blk_dev *dev = fresh(loop, path, 0);

	(void)state;
	task_call(loop, close_dev, dev);
	assert_int_equal(truncate(path, 8 * 512 + 100), 0);
	/* units of 4 KiB would reach over the end: buffered then */
	assert_int_equal(blk_file_open(loop, path, BLK_OPEN_TEST_4K, &dev, NULL), 0);
	assert_int_equal(dev->size_bytes, 8 * 512);
	task_call(loop, close_dev, dev);
	assert_int_equal(truncate(path, 9 * 512), 0);
	assert_int_equal(blk_file_open(loop, path, BLK_OPEN_TEST_4K, &dev, NULL), 0);
	assert_int_equal(dev->size_bytes, 9 * 512);
	assert_false(container_of(dev, struct blk_file, dev)->direct);
	task_call(loop, close_dev, dev);
	loop_free(loop);
	unlink(path);
}

/* ---- trouble ------------------------------------------------------------------------------- */

static void quiet(enum log_level level, const char *line, void *ctx)
{
	(void)level;
	assert_non_null(strstr(line, "shorter"));
	++*(int *)ctx;
}

static int flush_dev(void *dev)
{
	return blk_flush(dev);
}

static void a_truncated_file_is_gone(void **state)
{
	static const unsigned flags[] = {0, BLK_OPEN_BUFFERED, BLK_OPEN_TEST_4K};
	int lines = 0;

	(void)state;
	log_set_sink(quiet, &lines);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(flags); i++) {
		struct loop *loop = loop_with(i & 1 ? LOOP_AIO_THREADS : LOOP_AIO_AUTO);
		const char *path = file_name("cut");
		struct blk_dev *dev = fresh(loop, path, flags[i / 2]);

		assert_int_equal(truncate(path, SIZE / 2 + 100), 0);
		/* met by a read, or noticed by a flush */
		assert_int_equal(task_call(loop, i & 1 ? flush_dev : read_tag, dev), -EIO);
		assert_int_equal(task_call(loop, write_tag, dev), -ENODEV);
		task_call(loop, close_dev, dev);
		loop_free(loop);
		unlink(path);
		assert_int_equal(lines, (int)i + 1);
	}
	log_set_sink(NULL, NULL);
}

/* ---- an engine that transfers less than asked, or fails ------------------------------------ */

struct cutter {
	struct aio_engine aio;
	struct aio_engine *real;
	struct aio_engine_ops ops;
	struct rng rng;
	unsigned unit;
	int error; /* give this instead, if not 0 */
	unsigned cuts;
};

struct cut_req {
	struct aio_req inner;
	struct aio_req *outer;
	struct loop_post post;
	struct iovec iov[1024];
};

static void cut_done(struct aio_req *inner)
{
	struct cut_req *c = container_of(inner, struct cut_req, inner);
	struct aio_req *outer = c->outer;

	outer->result = inner->result;
	free(c);
	outer->done(outer);
}

static void cut_failed(struct loop_post *post)
{
	cut_done(&container_of(post, struct cut_req, post)->inner);
}

/* Leaves the first length bytes of the vectors. */
static void shorten(struct cut_req *c, size_t length)
{
	int n = 0;

	for (; length; n++) {
		if (c->iov[n].iov_len > length)
			c->iov[n].iov_len = length;
		length -= c->iov[n].iov_len;
	}
	c->inner.iovcnt = n;
}

static void cutter_submit(struct aio_engine *aio, struct aio_req *req)
{
	struct cutter *cutter = container_of(aio, struct cutter, aio);
	struct cut_req *c = malloc(sizeof(*c));
	size_t length = 0;

	assert_non_null(c);
	c->inner = *req;
	c->inner.done = cut_done;
	c->outer = req;
	if (cutter->error) {
		c->inner.result = cutter->error;
		c->post.fn = cut_failed;
		loop_post(aio->loop, &c->post);
		return;
	}
	if (req->op == AIO_READ || req->op == AIO_WRITE) {
		assert_in_range(req->iovcnt, 1, 1024);
		memcpy(c->iov, req->iov, (size_t)req->iovcnt * sizeof(struct iovec));
		c->inner.iov = c->iov;
		for (int i = 0; i < req->iovcnt; i++)
			length += req->iov[i].iov_len;
		if (length > cutter->unit) {
			shorten(c, (rng_below(&cutter->rng, length / cutter->unit) + 1) *
					   cutter->unit);
			cutter->cuts++;
		}
	}
	cutter->real->ops->submit(cutter->real, &c->inner);
}

static void put_cutter(struct cutter *cutter, struct blk_dev *dev, unsigned unit)
{
	struct blk_file *f = container_of(dev, struct blk_file, dev);

	memset(cutter, 0, sizeof(*cutter));
	cutter->ops.submit = cutter_submit;
	cutter->aio = (struct aio_engine){.ops = &cutter->ops, .loop = dev->loop};
	cutter->real = f->aio;
	cutter->unit = unit;
	rng_seed(&cutter->rng, 8);
	f->aio = &cutter->aio;
}

static void short_transfers_are_continued(void **state)
{
	static const struct {
		unsigned flags, unit;
	} way[] = {{0, 512}, {BLK_OPEN_BUFFERED, 512}, {BLK_OPEN_BUFFERED, 700},
		{BLK_OPEN_TEST_4K, 4096}};
	struct conformance_options options = {.seed = 50, .rounds = 20};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(way); i++) {
		struct loop *loop = loop_with(LOOP_AIO_AUTO);
		const char *path = file_name("short");
		struct blk_dev *dev = fresh(loop, path, way[i].flags);
		struct cutter cutter;

		put_cutter(&cutter, dev, way[i].unit);
		blk_conformance_run(dev, &options);
		assert_true(cutter.cuts > 100);
		task_call(loop, close_dev, dev);
		loop_free(loop);
		unlink(path);
	}
}

static void errors_of_the_kernel_are_narrowed(void **state)
{
	static const struct {
		int kernel, ours;
	} error[] = {{-EIO, -EIO}, {-ENODATA, -EIO}, {-EREMOTEIO, -EIO}, {-EILSEQ, -EIO},
		{-ENXIO, -ENODEV}, {-ENODEV, -ENODEV}, {-ENOSPC, -ENOSPC}, {-EDQUOT, -ENOSPC},
		{-EFBIG, -ENOSPC}, {-ETIMEDOUT, -ETIMEDOUT}, {-ENOMEM, -ENOMEM}};
	struct loop *loop = loop_with(LOOP_AIO_AUTO);
	const char *path = file_name("errors");
	struct blk_dev *dev = fresh(loop, path, 0);
	struct cutter cutter;

	(void)state;
	put_cutter(&cutter, dev, 512);
	for (size_t i = 0; i < ARRAY_SIZE(error); i++) {
		cutter.error = error[i].kernel;
		assert_int_equal(task_call(loop, read_tag, dev), error[i].ours);
		assert_int_equal(task_call(loop, write_tag, dev), error[i].ours);
		assert_int_equal(task_call(loop, flush_dev, dev), error[i].ours);
	}
	cutter.error = 0;
	assert_int_equal(task_call(loop, write_tag, dev), 0);
	task_call(loop, close_dev, dev);
	loop_free(loop);
	unlink(path);
}

/* ---- changing the size --------------------------------------------------------------------- */

static int resize_it(void *arg)
{
	struct blk_dev *dev = arg;
	char buf[512] = "x";

	assert_int_equal(blk_resize(dev, SIZE + 100), -EINVAL);
	assert_int_equal(blk_resize(dev, 2 * SIZE), 0);
	assert_int_equal(dev->size_bytes, 2 * SIZE);
	assert_int_equal(blk_write(dev, 2 * SIZE - 512, buf, 512, 0), 0);
	assert_int_equal(blk_resize(dev, SIZE), 0);
	assert_int_equal(blk_read(dev, SIZE, buf, 512), -ENXIO);
	assert_int_equal(blk_flush(dev), 0);
	return 0;
}

static void a_file_can_change_its_size(void **state)
{
	struct loop *loop = loop_with(LOOP_AIO_AUTO);
	const char *path = file_name("resize");
	struct blk_dev *dev = fresh(loop, path, 0);
	struct stat st;

	(void)state;
	task_call(loop, resize_it, dev);
	task_call(loop, close_dev, dev);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, SIZE);
	loop_free(loop);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(direct_io_uring_conforms),
		cmocka_unit_test(direct_threads_conform),
		cmocka_unit_test(buffered_io_uring_conforms),
		cmocka_unit_test(buffered_threads_conform),
		cmocka_unit_test(units_of_4k_conform),
		cmocka_unit_test(zeroing_by_writing_conforms),
		cmocka_unit_test(bouncing_does_not_wait_for_the_pool),
		cmocka_unit_test(thousands_of_vectors_are_one_request),
		cmocka_unit_test(runs_on_changing_threads),
		cmocka_unit_test(a_ring_that_cannot_be_made_is_done_without),
		cmocka_unit_test(pool_buffers_carry_data),
		cmocka_unit_test(a_file_is_locked_against_others),
		cmocka_unit_test(what_cannot_be_opened_says_why),
		cmocka_unit_test(a_made_file_is_private_sparse_and_new),
		cmocka_unit_test(an_odd_size_is_rounded_down),
		cmocka_unit_test(a_truncated_file_is_gone),
		cmocka_unit_test(short_transfers_are_continued),
		cmocka_unit_test(errors_of_the_kernel_are_narrowed),
		cmocka_unit_test(a_file_can_change_its_size),
	};

	return cmocka_run_group_tests_name("blk_file", tests, make_folder, remove_folder);
}
