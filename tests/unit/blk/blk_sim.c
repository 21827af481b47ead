/* SPDX-License-Identifier: Apache-2.0 */
#include "test_blk.h"

#include "base/cleanup.h"
#include "conformance.h"

#define SIZE    (2u << 20)
#define SECTORS 64u /* that the crash tests write */

static int close_dev(void *dev)
{
	blk_close(dev);
	return 0;
}

static void a_simulated_disk_conforms(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct conformance_options options = {.seed = 30 + i, .rounds = 40};
		struct loop *loop;
		struct blk_medium *m;
		struct blk_dev *dev;

		assert_int_equal(loop_new_simulated(i, 0, &loop), 0);
		assert_int_equal(blk_medium_new(SIZE, i & 1 ? 4096 : 512, &m), 0);
		assert_int_equal(blk_sim_new(loop, "d", m, &dev), 0);
		blk_conformance_run(dev, &options);
		task_call(loop, close_dev, dev);
		blk_medium_free(m);
		loop_free(loop);
	}
}

static void it_works_on_a_real_loop_too(void **state)
{
	struct conformance_options options = {.seed = 40, .rounds = 15};
	struct loop *loop = test_loop(false);
	struct blk_medium *m;
	struct blk_dev *dev;

	(void)state;
	assert_int_equal(blk_medium_new(SIZE, 512, &m), 0);
	assert_int_equal(blk_sim_new(loop, "d", m, &dev), 0);
	blk_conformance_run(dev, &options);
	task_call(loop, close_dev, dev);
	blk_medium_free(m);
	loop_free(loop);
}

/* ---- timing -------------------------------------------------------------------------------- */

struct timed {
	struct blk_slot slot[32];
	struct blk_batch b;
	struct blk_dev *dev;
	int order[32], n;
};

static void timed_done(struct blk_req *req)
{
	struct timed *t = req->user;

	t->order[t->n++] = (int)(req->offset / 512);
	task_group_end(&t->b.group);
}

static int out_of_order(void *arg)
{
	struct timed *t = arg;
	uint64_t start = loop_now_ns(t->dev->loop), took;
	static char buf[512];
	struct iovec iov = {buf, sizeof(buf)};
	int inversions = 0;

	blk_batch_init(&t->b, t->slot, ARRAY_SIZE(t->slot));
	for (int i = 0; i < 32; i++) {
		t->slot[i].req = (struct blk_req){.op = BLK_WRITE,
			.offset = (uint64_t)i * 512,
			.length = 512,
			.iov = &iov,
			.iovcnt = 1,
			.done = timed_done,
			.user = t};
		task_group_begin(&t->b.group);
		blk_submit(t->dev, &t->slot[i].req);
	}
	task_group_wait(&t->b.group);
	took = loop_now_ns(t->dev->loop) - start;
	assert_true(took >= 10000 && took < 2000000);
	for (int i = 1; i < 32; i++)
		inversions += t->order[i] < t->order[i - 1];
	assert_in_range(inversions, 5, 27);
	return 0;
}

static void requests_end_in_any_order_after_a_delay(void **state)
{
	struct loop *loop = test_loop(true);
	struct blk_medium *m;
	struct timed t = {0};

	(void)state;
	assert_int_equal(blk_medium_new(SIZE, 512, &m), 0);
	assert_int_equal(blk_sim_new(loop, "d", m, &t.dev), 0);
	task_call(loop, out_of_order, &t);
	task_call(loop, close_dev, t.dev);
	blk_medium_free(m);
	loop_free(loop);
}

/* ---- crashes: fixed scenes ----------------------------------------------------------------- */

struct scene {
	struct loop *loop;
	struct blk_medium *m;
	struct blk_dev *dev;
};

static void open_scene(struct scene *s, uint64_t seed)
{
	assert_int_equal(loop_new_simulated(seed, 0, &s->loop), 0);
	assert_int_equal(blk_medium_new(SIZE, 512, &s->m), 0);
	assert_int_equal(blk_sim_new(s->loop, "d", s->m, &s->dev), 0);
}

static void close_scene(struct scene *s)
{
	task_call(s->loop, close_dev, s->dev);
	blk_medium_free(s->m);
	loop_free(s->loop);
}

static void fill(uint8_t *buf, int value)
{
	memset(buf, value, SECTORS * 512);
}

/* Old and flushed, then new: in one piece of 64 sectors. */
static int flushed_then_new(void *arg)
{
	static uint8_t buf[SECTORS * 512];
	struct scene *s = arg;

	fill(buf, 1);
	assert_int_equal(blk_write(s->dev, 0, buf, sizeof(buf), 0), 0);
	assert_int_equal(blk_flush(s->dev), 0);
	fill(buf, 2);
	assert_int_equal(blk_write(s->dev, 0, buf, sizeof(buf), 0), 0);
	/* a reader sees the new data long before they are stable */
	fill(buf, 0);
	assert_int_equal(blk_read(s->dev, 0, buf, sizeof(buf)), 0);
	assert_int_equal(buf[0], 2);
	return 0;
}

static void unflushed_writes_may_be_there_or_not_or_torn(void **state)
{
	unsigned none = 0, all = 0, torn = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 90; seed++) {
		uint8_t buf[SECTORS * 512];
		struct scene s;
		unsigned new = 0;

		open_scene(&s, seed);
		task_call(s.loop, flushed_then_new, &s);
		blk_medium_crash(s.m, loop_rng(s.loop));
		assert_int_equal(task_call(s.loop, close_dev, s.dev), 0);
		blk_medium_read(s.m, 0, buf, sizeof(buf));
		for (unsigned i = 0; i < SECTORS; i++) {
			assert_in_range(buf[i * 512], 1, 2); /* never what was before the flush */
			for (unsigned k = 1; k < 512; k++)
				assert_int_equal(buf[i * 512 + k], buf[i * 512]);
			new += buf[i * 512] == 2;
		}
		if (new == 0)
			none++;
		else if (new == SECTORS)
			all++;
		else
			torn++;
		/* the medium can be used again */
		assert_int_equal(blk_sim_new(s.loop, "again", s.m, &s.dev), 0);
		task_call(s.loop, flushed_then_new, &s);
		close_scene(&s);
	}
	assert_true(none > 15 && all > 15 && torn > 15);
}

static void a_killed_process_loses_nothing_that_completed(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		uint8_t buf[SECTORS * 512];
		struct scene s;

		open_scene(&s, seed);
		task_call(s.loop, flushed_then_new, &s);
		blk_medium_kill(s.m, loop_rng(s.loop));
		blk_medium_read(s.m, 0, buf, sizeof(buf));
		for (size_t i = 0; i < sizeof(buf); i++)
			assert_int_equal(buf[i], 2);
		close_scene(&s);
	}
}

static int write_new(void *arg)
{
	static uint8_t buf[SECTORS * 512];
	struct scene *s = arg;

	fill(buf, 3);
	return blk_write(s->dev, 0, buf, sizeof(buf), 0);
}

struct in_flight {
	struct scene *s;
	int result;
	bool over;
};

static void write_in_flight(void *arg)
{
	struct in_flight *w = arg;

	w->result = write_new(w->s);
	w->over = true;
}

/* As a task: when the other task's write has been submitted, but before it can have completed. */
static int kill_with_write_in_flight(void *arg)
{
	struct scene *s = arg;

	while (!s->dev->in_flight)
		task_yield();
	blk_medium_kill(s->m, loop_rng(s->loop));
	return 0;
}

static void writes_in_flight_may_be_torn_and_end(void **state)
{
	unsigned torn = 0, none = 0, all = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		uint8_t buf[SECTORS * 512];
		struct scene s;
		struct in_flight w = {.s = &s};
		unsigned new = 0;

		open_scene(&s, seed);
		task_call(s.loop, flushed_then_new, &s);
		assert_int_equal(task_spawn(s.loop, "w", write_in_flight, &w), 0);
		task_call(s.loop, kill_with_write_in_flight, &s);
		loop_run_until_idle(s.loop);
		assert_true(w.over);
		assert_int_equal(w.result, -ENODEV);
		assert_int_equal(task_call(s.loop, write_new, &s), -ENODEV);
		blk_medium_read(s.m, 0, buf, sizeof(buf));
		for (unsigned i = 0; i < SECTORS; i++) {
			assert_in_range(buf[i * 512], 2, 3);
			new += buf[i * 512] == 3;
		}
		if (new == 0)
			none++;
		else if (new == SECTORS)
			all++;
		else
			torn++;
		close_scene(&s);
	}
	assert_true(none > 8 && all > 8 && torn > 8);
}

/* ---- crashes: random histories against a model --------------------------------------------- */

#define AREA    1024u /* sectors, around a border of the medium's pages */
#define BASE    (8u * 65536 - AREA * 256)
#define WRITERS 12

struct value {
	uint64_t id;        /* what the sector is filled with */
	uint64_t completed; /* order of completion; 0 = in flight */
};

/* What a sector may hold after a crash. */
struct sector {
	struct value stable;
	struct value may[80];
	unsigned n;
};

struct model {
	struct scene s;
	struct sector sector[AREA];
	uint64_t ids, completions;
	bool crashed;
	unsigned working, old, new;
};

static void may_be(struct model *m, unsigned first, unsigned count, uint64_t id)
{
	for (unsigned i = first; i < first + count; i++) {
		struct sector *s = &m->sector[i];

		assert_true(s->n < ARRAY_SIZE(s->may));
		s->may[s->n++] = (struct value){id, 0};
	}
}

/* Forgets what completed up to mark; the last of that is stable. */
static void make_stable(struct sector *s, uint64_t mark)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < s->n; i++) {
		struct value v = s->may[i];

		if (v.completed == 0 || v.completed > mark)
			s->may[kept++] = v;
		else if (v.completed > s->stable.completed)
			s->stable = v;
	}
	s->n = kept;
}

static void completed(struct model *m, unsigned first, unsigned count, uint64_t id, bool fua)
{
	m->completions++;
	for (unsigned i = first; i < first + count; i++) {
		struct sector *s = &m->sector[i];

		for (unsigned k = 0; k < s->n; k++) {
			if (s->may[k].id == id)
				s->may[k].completed = m->completions;
		}
		if (fua)
			make_stable(s, m->completions);
	}
}

/* Writes to the same place in flight together have no order that a model could know. */
static bool busy(const struct model *m, unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count; i++) {
		const struct sector *s = &m->sector[i];

		if (s->n && s->may[s->n - 1].completed == 0)
			return true;
	}
	return false;
}

static void random_write(struct model *m, struct rng *rng)
{
	unsigned count = (unsigned)rng_below(rng, rng_below(rng, 4) ? 8 : 300) + 1;
	unsigned first = (unsigned)rng_below(rng, AREA - count + 1);
	unsigned flags = rng_below(rng, 5) == 0 ? BLK_FUA : 0;
	uint64_t *buf = malloc((size_t)count * 512);
	uint64_t id = ++m->ids;
	int r;

	if (busy(m, first, count)) {
		free(buf);
		task_yield();
		return;
	}
	for (unsigned i = 0; i < count * 64; i++)
		buf[i] = id;
	may_be(m, first, count, id);
	r = blk_write(m->s.dev, BASE + (uint64_t)first * 512, buf, (size_t)count * 512, flags);
	if (r == 0)
		completed(m, first, count, id, flags & BLK_FUA);
	else
		assert_true(r == -ENODEV && m->crashed);
	free(buf);
}

static void random_flush(struct model *m)
{
	uint64_t mark = m->completions;
	int r = blk_flush(m->s.dev);

	if (r) {
		assert_true(r == -ENODEV && m->crashed);
		return;
	}
	for (unsigned i = 0; i < AREA; i++)
		make_stable(&m->sector[i], mark);
}

static void writer(void *arg)
{
	struct model *m = arg;
	struct rng *rng = loop_rng(m->s.loop);

	while (!m->crashed) {
		if (rng_below(rng, 12) == 0)
			random_flush(m);
		else
			random_write(m, rng);
	}
	m->working--;
}

/* Completions that are decided but not yet told: the disk has it, the writer does not know. For
 * the model such a write is in flight, and both allow it to be there. */
static void check_after_crash(struct model *m)
{
	uint64_t block[64];

	for (unsigned i = 0; i < AREA; i++) {
		struct sector *s = &m->sector[i];
		bool allowed;

		blk_medium_read(m->s.m, BASE + (uint64_t)i * 512, block, sizeof(block));
		for (unsigned k = 1; k < 64; k++)
			assert_int_equal(block[k], block[0]); /* a sector is never torn */
		allowed = block[0] == s->stable.id;
		if (s->n) {
			m->old += block[0] == s->stable.id;
			m->new += block[0] != s->stable.id;
		}
		for (unsigned k = 0; k < s->n; k++)
			allowed |= block[0] == s->may[k].id;
		if (!allowed)
			fail_msg("sector %u holds %llu, stable was %llu", i,
				(unsigned long long)block[0], (unsigned long long)s->stable.id);
		s->stable = (struct value){block[0], 0};
		s->n = 0;
	}
}

static int crash_soon(void *arg)
{
	struct model *m = arg;
	struct rng *rng = loop_rng(m->s.loop);

	task_sleep_ms(rng_below(rng, 8) + 1);
	m->crashed = true;
	blk_medium_crash(m->s.m, rng);
	return 0;
}

static void any_history_keeps_what_is_stable(void **state)
{
	static struct model m;

	(void)state;
	m.old = m.new = 0;
	for (uint64_t seed = 0; seed < (TEST_SLOW ? 10 : 40); seed++) {
		unsigned old = m.old, new = m.new;

		memset(&m, 0, sizeof(m));
		m.old = old;
		m.new = new;
		open_scene(&m.s, seed);
		for (int round = 0; round < 5; round++) {
			m.crashed = false;
			m.working = WRITERS;
			for (int i = 0; i < WRITERS; i++)
				assert_int_equal(task_spawn(m.s.loop, "writer", writer, &m), 0);
			task_call(m.s.loop, crash_soon, &m);
			loop_run_until_idle(m.s.loop);
			assert_int_equal(m.working, 0);
			check_after_crash(&m);
			task_call(m.s.loop, close_dev, m.s.dev);
			assert_int_equal(blk_sim_new(m.s.loop, "d", m.s.m, &m.s.dev), 0);
		}
		close_scene(&m.s);
	}
	assert_true(m.old > 1000 && m.new > 1000);
}

/* ---- the medium itself --------------------------------------------------------------------- */

static int write_unaligned(void *arg)
{
	struct scene *s = arg;
	static uint8_t cached[8192];

	memset(cached, 7, sizeof(cached));
	assert_int_equal(blk_write(s->dev, 65536 - 4096, cached, sizeof(cached), 0), 0);
	return 0;
}

static void a_test_can_change_single_bytes(void **state)
{
	struct scene s;
	uint8_t buf[8192];

	(void)state;
	open_scene(&s, 1);
	task_call(s.loop, write_unaligned, &s);
	blk_medium_write(s.m, 65535, "\1\2", 2); /* across two pages */
	blk_medium_read(s.m, 65536 - 4096, buf, sizeof(buf));
	for (unsigned i = 0; i < sizeof(buf); i++)
		assert_int_equal(buf[i], i == 4095 ? 1 : i == 4096 ? 2 : 7);
	/* what a test has put there is stable */
	blk_medium_crash(s.m, loop_rng(s.loop));
	blk_medium_read(s.m, 65535, buf, 2);
	assert_memory_equal(buf, "\1\2", 2);
	close_scene(&s);
}

static void many_large_media_cost_little(void **state)
{
	enum { N = 1000 };
	static struct blk_medium *m[N];
	uint8_t byte = 1;

	(void)state;
	for (int i = 0; i < N; i++) {
		assert_int_equal(blk_medium_new((uint64_t)1 << 40, 512, &m[i]), 0);
		blk_medium_write(m[i], ((uint64_t)1 << 40) - 1, &byte, 1);
	}
	for (int i = 0; i < N; i++) {
		blk_medium_read(m[i], 12345, &byte, 1);
		assert_int_equal(byte, 0);
		blk_medium_free(m[i]);
	}
	blk_medium_free(NULL);
	assert_int_equal(blk_medium_new(1000, 512, &m[0]), -EINVAL);
	assert_int_equal(blk_medium_new(0, 512, &m[0]), -EINVAL);
	assert_int_equal(blk_medium_new(4096, 1024, &m[0]), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_simulated_disk_conforms),
		cmocka_unit_test(it_works_on_a_real_loop_too),
		cmocka_unit_test(requests_end_in_any_order_after_a_delay),
		cmocka_unit_test(unflushed_writes_may_be_there_or_not_or_torn),
		cmocka_unit_test(a_killed_process_loses_nothing_that_completed),
		cmocka_unit_test(writes_in_flight_may_be_torn_and_end),
		cmocka_unit_test(any_history_keeps_what_is_stable),
		cmocka_unit_test(a_test_can_change_single_bytes),
		cmocka_unit_test(many_large_media_cost_little),
	};

	return cmocka_run_group_tests_name("blk_sim", tests, NULL, NULL);
}
