/* SPDX-License-Identifier: Apache-2.0 */
/* Members that are replaced while they serve, in the simulation. */
#include "sim.h"

#include <errno.h>

static bool there_is_one(const struct sim *s)
{
	return s->rig.twin.medium != NULL;
}

/* What the set said of it is durable at once: a twin that was given up is none after a restart either. */
static bool was_given_up(const struct sim *s)
{
	return s->rig.twin_failed != 0;
}

static void forget(struct sim *s)
{
	rig_twin_free(&s->rig);
	s->rig.twin_failed = 0;
	s->twin_watermark = 0;
}

static void set_twin(struct sim *s)
{
	struct raid_member twin = {.dev = s->rig.twin.dev, .start = s->rig.start,
		.state = RAID_MEMBER_REBUILDING, .watermark = s->twin_watermark};

	REQUIRE(s, !raid_twin_set(s->rig.set, s->twin_slot, &twin, NULL), "twin");
}

static void begin(struct sim *s)
{
	unsigned m = (unsigned)below(s, s->rig.shape.members);

	if (s->out >> m & 1 || raid_lost_mask(s->rig.set) >> m & 1)
		return;
	s->twin_slot = m;
	s->twin_watermark = 0;
	rig_twin_new(&s->rig, m);
	set_twin(s);
}

static int on_checkpoint(struct raid_run *run, uint64_t watermark)
{
	struct sim *s = run->user;

	if (!s->dead)
		s->twin_watermark = watermark;
	return s->dead ? -EIO : 0;
}

static void on_step(struct raid_run *run)
{
	struct sim *s = run->user;

	if (chance(s, 20))
		task_sleep_ms(below(s, 30));
	if (chance(s, 60))
		run->cancel = true;
}

/* From here on the twin is the member, also for whoever opens the set after a crash. */
static int on_complete(struct raid_run *run)
{
	struct sim *s = run->user;

	task_sleep_ms(below(s, 3));
	if (s->dead)
		return -EIO;
	s->twin_counts = true;
	return 0;
}

static void take_place(struct sim *s)
{
	s->copies++;
	s->hurt &= ~(UINT64_C(1) << s->twin_slot);
	rig_twin_taken(&s->rig, s->twin_slot);
	s->twin_watermark = 0;
	s->twin_counts = false;
}

static void fill(struct sim *s, bool to_the_end)
{
	struct raid_run run = {.foreground_share = chance(s, 2) ? 100 : 50, .user = s,
		.checkpoint = on_checkpoint, .complete = on_complete};
	int rc;

	if (!to_the_end)
		run.step = on_step;
	rc = raid_copy(s->rig.set, UINT64_C(1) << s->twin_slot, &run);
	if (s->dead)
		return;
	s->cancels += rc == -ECANCELED;
	if (rc) {
		REQUIRE(s, rc == -ECANCELED || was_given_up(s) || s->out >> s->twin_slot & 1, "copy: %d", rc);
		return;
	}
	REQUIRE(s, !run.lost, "lost %llu", (unsigned long long)run.lost);
	take_place(s);
}

void sim_twin_closed(struct sim *s)
{
	if (s->twin_counts)
		take_place(s);
}

void sim_twin_operate(struct sim *s)
{
	if (!there_is_one(s)) {
		begin(s);
		return;
	}
	if (was_given_up(s)) {
		REQUIRE(s, !raid_twin(s->rig.set, s->twin_slot).dev, "a failed twin is no twin");
		forget(s);
		return;
	}
	if (!s->calm && chance(s, 6)) {
		s->faults++;
		blk_fault_add(s->rig.twin.faults, BLK_FAULT_IO_ERROR, 0, 0);
		task_sleep_ms(below(s, 100));
	}
	if (s->out >> s->twin_slot & 1)
		return; /* bring_back sees to it */
	fill(s, false);
}

void sim_twin_reopened(struct sim *s)
{
	struct blk_dev *old = s->rig.twin.dev;

	if (!there_is_one(s))
		return;
	if (was_given_up(s)) {
		forget(s);
		return;
	}
	if (s->dead) { /* another process opens the medium */
		struct blk_dev *sim;

		blk_close(old);
		if (blk_sim_new(s->rig.loop, "twin", s->rig.twin.medium, &sim) ||
			blk_fault_new(sim, &s->rig.twin.faults) ||
			blk_stats_new(s->rig.twin.faults, &s->rig.twin.dev))
			abort();
		s->rig.twin.stats = blk_stats_get(s->rig.twin.dev);
	}
	set_twin(s);
}

bool sim_twin_replaces(struct sim *s, unsigned m)
{
	struct raid_member member = {.start = s->rig.start, .state = RAID_MEMBER_STALE};
	uint64_t bit = UINT64_C(1) << m;

	if (!there_is_one(s) || s->twin_slot != m)
		return false;
	if (was_given_up(s) || chance(s, 3)) {
		REQUIRE(s, !raid_twin_set(s->rig.set, m, NULL, NULL), "no twin");
		forget(s);
		return false;
	}
	blk_fault_clear_all(s->rig.twin.faults);
	member.dev = s->rig.twin.dev;
	member.watermark = s->twin_watermark;
	raid_member_set(s->rig.set, m, &member);
	REQUIRE(s, !raid_twin(s->rig.set, m).dev, "it is the member now");
	s->watermark[m] = s->twin_watermark;
	s->fresh |= bit;
	s->lost_power &= ~bit;
	rig_twin_taken(&s->rig, m);
	s->twin_watermark = 0;
	return true;
}

void sim_twin_settle(struct sim *s)
{
	if (there_is_one(s) && !was_given_up(s) && chance(s, 2)) {
		blk_fault_clear_all(s->rig.twin.faults);
		fill(s, true);
	}
	if (!there_is_one(s))
		return;
	REQUIRE(s, !raid_twin_set(s->rig.set, s->twin_slot, NULL, NULL), "no twin");
	forget(s);
}
