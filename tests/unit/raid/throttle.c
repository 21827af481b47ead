/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct raid_shape shape = RIG_SHAPE(RAID_RAID5, 4, 1, 65536, 150);
static const struct raid_options options = {.bitmap = true};

struct load {
	struct rig *r;
	bool stop, stopped;
};

static void reader(void *arg)
{
	struct load *l = arg;
	uint8_t buf[4096];

	while (!l->stop) {
		assert_int_equal(blk_read(raid_dev(l->r->set), 0, buf, sizeof(buf)), 0);
		task_sleep_ms(20);
	}
	l->stopped = true;
}

static struct raid_run run;
static uint64_t took_ms;

static int rebuild_under_load(void *arg)
{
	struct load *l = arg;
	uint64_t began;
	int rc;

	task_sleep_ms(200);
	if (!l->stop)
		task_spawn(l->r->loop, "reader", reader, l);
	task_sleep_ms(1);
	began = loop_now_ns(l->r->loop);
	rc = raid_rebuild(l->r->set, 1, false, &run);
	took_ms = (loop_now_ns(l->r->loop) - began) / 1000000;
	l->stop = true;
	while (!l->stopped)
		task_sleep_ms(1);
	return rc;
}

static uint64_t time_with(uint64_t share, bool busy)
{
	struct load l = {.stop = !busy, .stopped = !busy};
	struct raid_member stale;
	struct rig r;

	run = (struct raid_run){.foreground_share = share};
	rig_init(&r, 1, &shape, &options);
	stale = raid_member(r.set, 0);
	stale.state = RAID_MEMBER_STALE;
	rig_set_member(&r, 0, &stale);
	l.r = &r;
	assert_int_equal(rig_call(&r, rebuild_under_load, &l), 0);
	rig_fini(&r);
	return took_ms;
}

static void foreground_keeps_its_share(void **state)
{
	uint64_t idle = time_with(5, false), full = time_with(100, true),
		 tenth = time_with(10, true);

	(void)state;
	assert_true(idle < 2 * full);  /* a low share costs nothing while nobody else is there */
	assert_true(tenth > 4 * full); /* and a lot when somebody is */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(foreground_keeps_its_share)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
