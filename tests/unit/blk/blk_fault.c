/* SPDX-License-Identifier: Apache-2.0 */
#include "test_blk.h"

#include "base/cleanup.h"
#include "conformance.h"

#define SIZE (2u << 20)

static int in_task(struct loop *loop, int (*fn)(void *), void *arg)
{
	return task_call(loop, fn, arg);
}

static int close_dev(void *dev)
{
	blk_close(dev);
	return 0;
}

static struct blk_dev *faulty(struct loop *loop)
{
	struct blk_dev *mem, *dev;

	assert_int_equal(blk_mem_new(loop, "m", SIZE, 512, &mem), 0);
	assert_int_equal(blk_fault_new(mem, &dev), 0);
	return dev;
}

static void run(int (*fn)(void *dev))
{
	for (int simulated = 0; simulated < 2; simulated++) {
		struct loop *loop = test_loop(simulated);
		struct blk_dev *dev = faulty(loop);

		in_task(loop, fn, dev);
		in_task(loop, close_dev, dev);
		loop_free(loop);
	}
}

static void filters_without_rules_conform(void **state)
{
	struct conformance_options options = {.seed = 21, .rounds = 30};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct loop *loop = test_loop(i & 1);
		struct blk_dev *lower, *dev;

		assert_int_equal(blk_mem_new(loop, "m", SIZE, i < 2 ? 512 : 4096, &lower), 0);
		assert_int_equal(blk_fault_new(lower, &dev), 0);
		lower = dev;
		assert_int_equal(blk_stats_new(lower, &dev), 0);
		assert_string_equal(dev->name, "m");
		blk_conformance_run(dev, &options);
		in_task(loop, close_dev, dev);
		loop_free(loop);
	}
}

static int delayed_conformance(void *dev)
{
	struct conformance_options options = {.seed = 22, .rounds = 10};
	uint64_t start = loop_now_ns(((struct blk_dev *)dev)->loop);

	assert_int_equal(blk_fault_add(dev, BLK_FAULT_DELAY, 0, 1), 0);
	assert_int_equal(blk_fault_add(dev, BLK_FAULT_DELAY, 0, 2), 0);
	blk_conformance(dev, &options);
	assert_true(loop_now_ns(((struct blk_dev *)dev)->loop) - start >= 10 * 3000000);
	return 0;
}

static void a_slow_device_conforms(void **state)
{
	(void)state;
	run(delayed_conformance);
}

static int all_ops(struct blk_dev *dev, int result)
{
	char buf[512] = {0};

	assert_int_equal(blk_read(dev, 0, buf, 512), result);
	assert_int_equal(blk_write(dev, 0, buf, 512, 0), result);
	assert_int_equal(blk_zero(dev, 0, 512, 0), result);
	assert_int_equal(blk_flush(dev), result);
	return 0;
}

static int gone_and_back(void *dev)
{
	all_ops(dev, 0);
	assert_int_equal(blk_fault_add(dev, BLK_FAULT_GONE, 0, 0), 0);
	all_ops(dev, -ENODEV);
	/* the stronger rule wins, whatever the order */
	assert_int_equal(blk_fault_add(dev, BLK_FAULT_IO_ERROR, 0, 0), 0);
	all_ops(dev, -ENODEV);
	blk_fault_clear(dev, BLK_FAULT_GONE);
	all_ops(dev, -EIO);
	blk_fault_clear_all(dev);
	all_ops(dev, 0);
	return 0;
}

static void gone_and_io_error_hit_everything(void **state)
{
	(void)state;
	run(gone_and_back);
}

struct seen {
	unsigned n;
	struct {
		enum blk_fault_kind kind;
		uint64_t offset, length;
	} rule[8];
};

static void see(void *ctx, enum blk_fault_kind kind, uint64_t offset, uint64_t length)
{
	struct seen *s = ctx;

	assert_true(s->n < ARRAY_SIZE(s->rule));
	s->rule[s->n].kind = kind;
	s->rule[s->n].offset = offset;
	s->rule[s->n++].length = length;
}

static uint64_t bad_bytes(struct blk_dev *dev)
{
	struct seen s = {0};
	uint64_t sum = 0;

	blk_fault_for_each(dev, see, &s);
	for (unsigned i = 0; i < s.n; i++)
		sum += s.rule[i].length;
	return sum;
}

static int read_errors(void *arg)
{
	struct blk_dev *dev = arg;
	char buf[4096] = {0};
	struct seen s = {0};

	assert_int_equal(blk_fault_add(dev, BLK_FAULT_READ_ERROR, 8192, 4096), 0);
	blk_fault_for_each(dev, see, &s);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.rule[0].kind, BLK_FAULT_READ_ERROR);
	assert_int_equal(s.rule[0].offset, 8192);
	assert_int_equal(s.rule[0].length, 4096);
	/* touching is enough; next to it is not */
	assert_int_equal(blk_read(dev, 4096, buf, 4096), 0);
	assert_int_equal(blk_read(dev, 12288, buf, 4096), 0);
	assert_int_equal(blk_read(dev, 4608, buf, 4096), -EIO);
	assert_int_equal(blk_read(dev, 12288 - 512, buf, 4096), -EIO);
	/* in the middle: two parts stay bad */
	assert_int_equal(blk_write(dev, 8192 + 1024, buf, 512, 0), 0);
	assert_int_equal(bad_bytes(dev), 4096 - 512);
	assert_int_equal(blk_read(dev, 8192 + 1024, buf, 512), 0);
	assert_int_equal(blk_read(dev, 8192 + 512, buf, 512), -EIO);
	assert_int_equal(blk_read(dev, 8192 + 1536, buf, 512), -EIO);
	/* the ends, then more than the rest, by zeroing */
	assert_int_equal(blk_write(dev, 8192 - 512, buf, 1024, 0), 0);
	assert_int_equal(bad_bytes(dev), 4096 - 1024);
	assert_int_equal(blk_write(dev, 12288 - 512, buf, 1024, 0), 0);
	assert_int_equal(bad_bytes(dev), 4096 - 1536);
	assert_int_equal(blk_zero(dev, 0, 65536, 0), 0);
	assert_int_equal(bad_bytes(dev), 0);
	assert_int_equal(blk_read(dev, 8192, buf, 4096), 0);
	return 0;
}

static void a_write_mends_what_could_not_be_read(void **state)
{
	(void)state;
	run(read_errors);
}

static int write_errors(void *arg)
{
	struct blk_dev *dev = arg;
	char buf[4096] = {0};

	assert_int_equal(blk_fault_add(dev, BLK_FAULT_READ_ERROR, 4096, 512), 0);
	assert_int_equal(blk_fault_add(dev, BLK_FAULT_WRITE_ERROR, 4096, 512), 0);
	assert_int_equal(blk_write(dev, 4096, buf, 4096, 0), -EIO);
	assert_int_equal(blk_zero(dev, 0, 8192, 0), -EIO);
	/* what failed mends nothing */
	assert_int_equal(blk_read(dev, 4096, buf, 512), -EIO);
	assert_int_equal(blk_write(dev, 4608, buf, 512, 0), 0);
	blk_fault_clear(dev, BLK_FAULT_WRITE_ERROR);
	assert_int_equal(blk_write(dev, 4096, buf, 512, 0), 0);
	assert_int_equal(blk_read(dev, 4096, buf, 512), 0);
	return 0;
}

static void a_write_error_stays(void **state)
{
	(void)state;
	run(write_errors);
}

static int bad_rules(void *dev)
{
	assert_int_equal(blk_fault_add(dev, BLK_FAULT_READ_ERROR, 0, 0), -EINVAL);
	assert_int_equal(blk_fault_add(dev, BLK_FAULT_WRITE_ERROR, SIZE, 512), -EINVAL);
	assert_int_equal(blk_fault_add(dev, BLK_FAULT_READ_ERROR, 512, UINT64_MAX), -EINVAL);
	assert_int_equal(blk_fault_add(dev, BLK_FAULT_DELAY, 0, UINT64_MAX), -EINVAL);
	assert_int_equal(bad_bytes(dev), 0);
	return 0;
}

static void rules_are_checked(void **state)
{
	(void)state;
	run(bad_rules);
}

/* ---- out of reach -------------------------------------------------------------------------- */

struct reader {
	struct blk_dev *dev;
	int result;
	bool over;
};

static void read_one(void *arg)
{
	struct reader *r = arg;
	char buf[512];

	r->result = blk_read(r->dev, 0, buf, 512);
	r->over = true;
}

enum release { BY_CLEAR, BY_CLEAR_ALL, BY_GONE, BY_CLOSE };

static void unreachable_then(enum release how, int result)
{
	for (int simulated = 0; simulated < 2; simulated++) {
		struct loop *loop = test_loop(simulated);
		struct blk_dev *dev = faulty(loop);
		struct reader r[3];

		assert_int_equal(blk_fault_add(dev, BLK_FAULT_UNREACHABLE, 0, 0), 0);
		for (int i = 0; i < 3; i++) {
			r[i] = (struct reader){.dev = dev, .result = 1};
			assert_int_equal(task_spawn(loop, "reader", read_one, &r[i]), 0);
		}
		loop_run_until_idle(loop);
		for (int i = 0; i < 3; i++)
			assert_false(r[i].over);
		switch (how) {
		case BY_CLEAR:
			blk_fault_clear(
				dev, BLK_FAULT_DELAY); /* another kind: still out of reach */
			loop_run_until_idle(loop);
			assert_false(r[0].over);
			blk_fault_clear(dev, BLK_FAULT_UNREACHABLE);
			break;
		case BY_CLEAR_ALL:
			blk_fault_clear_all(dev);
			break;
		case BY_GONE:
			assert_int_equal(blk_fault_add(dev, BLK_FAULT_GONE, 0, 0), 0);
			break;
		case BY_CLOSE:
			in_task(loop, close_dev, dev);
			break;
		}
		loop_run_until_idle(loop);
		for (int i = 0; i < 3; i++) {
			assert_true(r[i].over);
			assert_int_equal(r[i].result, result);
		}
		if (how != BY_CLOSE)
			in_task(loop, close_dev, dev);
		loop_free(loop);
	}
}

static void unreachable_requests_wait(void **state)
{
	(void)state;
	unreachable_then(BY_CLEAR, 0);
	unreachable_then(BY_CLEAR_ALL, 0);
	unreachable_then(BY_GONE, -ENODEV);
	unreachable_then(BY_CLOSE, -ENODEV);
}

/* A silent device is given up after the patience of its rule; what came later waits its own time. */
static int patience(void *arg)
{
	struct loop *loop = arg;
	struct blk_dev *dev = faulty(loop);
	struct reader first = {.dev = dev, .result = 1}, second = first;

	assert_int_equal(blk_fault_add(dev, BLK_FAULT_UNREACHABLE, 0, 100), 0);
	assert_int_equal(task_spawn(loop, "first", read_one, &first), 0);
	task_sleep_ms(60);
	assert_int_equal(task_spawn(loop, "second", read_one, &second), 0);
	task_sleep_ms(60);
	assert_int_equal(first.result, -ETIMEDOUT);
	assert_false(second.over);
	task_sleep_ms(60);
	assert_int_equal(second.result, -ETIMEDOUT);
	blk_fault_clear(dev, BLK_FAULT_UNREACHABLE);
	read_one(&first);
	assert_int_equal(first.result, 0);
	blk_close(dev);
	return 0;
}

static void unreachable_with_patience_times_out(void **state)
{
	struct loop *loop = test_loop(true);

	(void)state;
	in_task(loop, patience, loop);
	loop_free(loop);
}

/* ---- counting ------------------------------------------------------------------------------ */

static int count(void *arg)
{
	struct blk_dev *fault = faulty(arg), *dev;
	const struct blk_stats *s;
	char buf[8192] = {0};

	assert_int_equal(blk_fault_add(fault, BLK_FAULT_READ_ERROR, 0, 512), 0);
	assert_int_equal(blk_stats_new(fault, &dev), 0);
	s = blk_stats_get(dev);
	assert_int_equal(blk_read(dev, 0, buf, 8192), -EIO);
	assert_int_equal(blk_read(dev, 4096, buf, 4096), 0);
	assert_int_equal(blk_write(dev, 0, buf, 512, 0), 0);
	assert_int_equal(blk_flush(dev), 0);
	assert_int_equal(blk_zero(dev, 0, 65536, 0), 0);
	assert_int_equal(blk_read(dev, 1, buf, 1), -EINVAL); /* never got through */
	assert_int_equal(s->ops[BLK_READ], 2);
	assert_int_equal(s->bytes[BLK_READ], 8192 + 4096);
	assert_int_equal(s->ops[BLK_WRITE], 1);
	assert_int_equal(s->bytes[BLK_WRITE], 512);
	assert_int_equal(s->ops[BLK_FLUSH], 1);
	assert_int_equal(s->bytes[BLK_FLUSH], 0);
	assert_int_equal(s->ops[BLK_ZERO], 1);
	assert_int_equal(s->bytes[BLK_ZERO], 65536);
	assert_int_equal(s->errors, 1);
	assert_int_equal(blk_resize(dev, 2 * SIZE), -EOPNOTSUPP);
	assert_int_equal(dev->size_bytes, SIZE);
	blk_close(dev);
	return 0;
}

static void the_counter_counts(void **state)
{
	struct loop *loop = test_loop(true);

	(void)state;
	in_task(loop, count, loop);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_without_rules_conform),
		cmocka_unit_test(a_slow_device_conforms),
		cmocka_unit_test(gone_and_io_error_hit_everything),
		cmocka_unit_test(a_write_mends_what_could_not_be_read),
		cmocka_unit_test(a_write_error_stays),
		cmocka_unit_test(rules_are_checked),
		cmocka_unit_test(unreachable_requests_wait),
		cmocka_unit_test(unreachable_with_patience_times_out),
		cmocka_unit_test(the_counter_counts),
	};

	return cmocka_run_group_tests_name("blk_fault", tests, NULL, NULL);
}
