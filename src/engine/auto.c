/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the array does by itself: it continues interrupted recoveries, starts new ones when
 * automatic recovery is on and there is a drive to recover onto, and settles region bitmaps.
 *
 * A pulled drive gets settings.spare_delay_ms to come back before a spare is used, counted from the
 * time its loss was noticed; a drive taken offline on purpose never sets off a spare. After a
 * recovery failed or was cancelled nothing is tried again until something has changed
 * (lun->auto_paused).
 */
#include "base/log.h"
#include "engine/engine_internal.h"

#define TICK_MS        1000
#define SETTLE_IDLE_MS 5000

/* Milliseconds until a spare may take the slot's place; UINT64_MAX = never by itself. */
static uint64_t delay_left(const struct eng_array *a, const struct eng_drive *d)
{
	int64_t now = loop_wall_ms(a->loop), past;

	if (!d || d->failed || d->predicted)
		return 0;
	if (d->admin_offline)
		return UINT64_MAX;
	past = now - d->lost_at;
	if (past < 0 || !d->lost_at)
		past = 0;
	return (uint64_t)past >= a->settings.spare_delay_ms
		? 0
		: a->settings.spare_delay_ms - (uint64_t)past;
}

enum want { WANT_NOTHING, WANT_NOW, WANT_LATER };

static enum want slot_wants(const struct eng_lun *l, unsigned slot)
{
	const struct eng_member *m = &l->members[slot];
	bool serves = eng_drive_online(m->drive) && m->state == ENG_MEMBER_IN_SYNC;
	uint64_t left;
	int why;

	if (serves && l->twins[slot].drive)
		return WANT_NOW;
	if (!serves && !eng_lun_type_redundant(l->type))
		return WANT_NOTHING;
	if (eng_drive_online(m->drive) && m->state != ENG_MEMBER_IN_SYNC)
		return WANT_NOW;
	if (!eng_slot_wants_spare(l, slot))
		return WANT_NOTHING;
	if (!eng_spare_pick(l, slot, &why))
		return WANT_NOTHING;
	left = delay_left(l->array, m->drive);
	return left == 0 ? WANT_NOW : left == UINT64_MAX ? WANT_NOTHING : WANT_LATER;
}

static enum want lun_wants(const struct eng_lun *l)
{
	enum want want = WANT_NOTHING;

	if (l->auto_paused || l->offline || l->awaits || eng_lun_health_of(l) == ENG_LUN_FAILED)
		return WANT_NOTHING;
	for (unsigned i = 0; i < l->shape.members; i++) {
		enum want w = slot_wants(l, i);

		if (w == WANT_NOW)
			return w;
		if (w == WANT_LATER)
			want = w;
	}
	return want;
}

static bool interrupted(const struct eng_lun *l)
{
	return l->job && l->job->info.state == ENG_JOB_INTERRUPTED;
}

static void start(struct eng_lun *l)
{
	struct eng_job *job = l->job;

	if (!job)
		job = eng_job_new(l, ENG_JOB_RECOVER, true, false);
	if (!job)
		return;
	if (!job->body)
		job->body = eng_recover_body;
	if (eng_job_start(job))
		log_warning("LUN %s: its recovery could not be started: out of memory", l->name);
}

/* By priority, then by what is left of the redundancy. */
static bool goes_first(const struct eng_lun *x, const struct eng_lun *y)
{
	if (x->priority != y->priority)
		return x->priority > y->priority;
	return eng_lun_health_of(x) > eng_lun_health_of(y);
}

void eng_auto_kick(struct eng_array *a)
{
	bool later = false;

	if (a->closing || a->hold)
		return;
	for (;;) {
		struct eng_lun *best = NULL;
		struct list *pos, *tmp;

		list_for_each(pos, tmp, &a->luns) {
			struct eng_lun *l = list_entry(pos, struct eng_lun, link);
			enum want want = WANT_NOTHING;

			if (eng_lun_busy(l))
				continue;
			if (interrupted(l))
				want = WANT_NOW;
			else if (!l->job && a->settings.auto_recovery)
				want = lun_wants(l);
			later |= want == WANT_LATER;
			if (want == WANT_NOW && (!best || goes_first(l, best)))
				best = l;
		}
		if (!best)
			break;
		start(best);
		if (!eng_lun_busy(best))
			break;
	}
	if (later)
		eng_tick_arm(a);
}

void eng_auto_resync(struct eng_drive *d)
{
	struct eng_array *a = d->array;
	ENG_INSIDE(a);
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);
		bool stale = false;

		if (l->job || !eng_lun_type_redundant(l->type) || eng_lun_health_of(l) == ENG_LUN_FAILED)
			continue;
		for (unsigned i = 0; i < l->shape.members; i++)
			if (l->members[i].drive == d && l->members[i].state == ENG_MEMBER_STALE) {
				l->members[i].state = ENG_MEMBER_REBUILDING;
				eng_lun_apply_member(l, i);
				stale = true;
			}
		if (!stale)
			continue;
		eng_priv_members(a, l); /* a target that fails here is found by the recovery itself */
		l->auto_paused = false;
		l->job = eng_job_new(l, ENG_JOB_RECOVER, true, false);
		if (l->job)
			l->job->body = eng_recover_body;
	}
	eng_auto_kick(a);
}

void eng_auto_wake(struct eng_array *a)
{
	struct list *pos, *tmp;

	a->changes++;
	list_for_each(pos, tmp, &a->luns)
		list_entry(pos, struct eng_lun, link)->auto_paused = false;
	eng_auto_kick(a);
}

static void tick_task(void *arg)
{
	struct eng_array *a = arg;
	struct list *pos, *tmp;
	bool again = false;
	ENG_INSIDE(a);

	list_for_each(pos, tmp, &a->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		if (a->closing || !eng_lun_set(l) || eng_lun_lost_mask(l))
			continue;
		eng_lun_pin(l);
		raid_bitmap_settle(l->set, SETTLE_IDLE_MS);
		eng_lun_unpin(l);
		again |= raid_dirty_regions(l->set) != 0;
	}
	a->tick_running = false;
	eng_auto_kick(a);
	if (again)
		eng_tick_arm(a);
	task_wake_all(&a->job_queue);
	task_group_end(&a->tasks);
}

static void tick(struct loop_timer *timer)
{
	struct eng_array *a = list_entry(timer, struct eng_array, tick);

	if (a->closing || a->tick_running)
		return;
	a->tick_running = true;
	task_group_begin(&a->tasks);
	if (task_spawn(a->loop, "tick", tick_task, a)) {
		a->tick_running = false;
		task_group_end(&a->tasks);
		eng_tick_arm(a);
	}
}

void eng_tick_arm(struct eng_array *a)
{
	if (a->closing || a->tick.armed)
		return;
	a->tick.fn = tick;
	loop_timer_set(a->loop, &a->tick, loop_now_ns(a->loop) + TICK_MS * 1000000ull);
}
