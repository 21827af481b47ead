/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Background work over all rows in order, a window of them in flight. Each row is a task of its
 * own that locks the row, does its step and goes. The window starts at 8 and grows while that
 * makes it faster; beside foreground I/O it stays small, because every row in flight is a row
 * that somebody may have to wait for.
 *
 * pass.low and pass.ring say at any time which rows are done; whoever asks what a member that is
 * being filled holds looks there.
 */
#include "raid/raid_internal.h"

#include <errno.h>

#define CHECKPOINT_NS    (UINT64_C(5) * 1000 * 1000 * 1000)
#define CHECKPOINT_BYTES (UINT64_C(1) << 30)

enum { FIRST_WINDOW = 8, BUSY_WINDOW = 2, RING = 64, SKIP_BURST = 4096, LEAST_SLICE = 2 * RAID_BLOCK };

static void row_done(struct raid_walk *w, uint64_t row)
{
	struct raid_pass *p = &w->pass;

	p->ring |= raid_bit((unsigned)(row - p->low));
	while (p->ring & 1) {
		p->ring >>= 1;
		p->low++;
	}
}

/* ---- one row ----------------------------------------------------------------------------- */

static int step_row(struct raid_walk *w, struct raid_op *op, uint64_t number)
{
	struct raid_row *row = raid_row_get(&w->set->rows, number);
	int rc = 0;

	if (!row)
		return -ENOMEM;
	raid_row_lock(row, true);
	raid_op_row(op, number);
	if (w->set->failed)
		rc = -EIO;
	else if (w->wanted(w, number)) /* still */
		rc = w->step(w, op);
	raid_op_buffers_free(op);
	if (!rc)
		row_done(w, number); /* before the lock goes: the next writer must know */
	raid_row_unlock(row);
	raid_row_put(row);
	raid_op_repair_later(op);
	return rc;
}

static void step_task(void *arg)
{
	struct raid_step *s = arg;
	struct raid_walk *w = s->walk;
	int rc = step_row(w, s->op, s->row);

	if (rc && !w->error)
		w->error = rc;
	if (!rc && w->run->done < w->run->total) {
		w->run->done += w->row_work;
		if (w->run->done > w->run->total)
			w->run->done = w->run->total;
	}
	w->sample_rows++;
	raid_throttle_end(&w->throttle, w->row_work);
	s->busy = false;
	w->in_flight--;
	raid_leave(w->set);
	task_wake_all(&w->progress);
}

static struct raid_step *free_step(struct raid_walk *w)
{
	for (unsigned i = 0; i < RAID_WALK_WINDOW; i++)
		if (!w->steps[i].busy)
			return &w->steps[i];
	return NULL;
}

static int start_row(struct raid_walk *w)
{
	struct raid_step *s = free_step(w);

	if (!s->op)
		s->op = raid_op_new(w->set);
	if (!s->op)
		return -ENOMEM;
	s->walk = w;
	s->row = w->pass.next++;
	s->busy = true;
	w->in_flight++;
	raid_throttle_begin(&w->throttle);
	if (task_spawn(w->set->loop, "raid step", step_task, s))
		step_task(s); /* no memory for another stack: on this one */
	return 0;
}

/* ---- the window -------------------------------------------------------------------------- */

/* Every few rows: did it get faster? Then try more. */
static void adapt(struct raid_walk *w)
{
	uint64_t now = loop_now_ns(w->set->loop), elapsed = now - w->sample_ns, rate;

	if (w->sample_rows < 4 * (uint64_t)w->window || !elapsed)
		return;
	rate = w->sample_rows * UINT64_C(1000000000) / elapsed;
	if (rate > w->best_rate + w->best_rate / 20) {
		w->best_rate = rate;
		w->window = w->window + 4 < RAID_WALK_WINDOW ? w->window + 4 : RAID_WALK_WINDOW;
	}
	w->sample_ns = now;
	w->sample_rows = 0;
}

static bool foreground_active(const struct raid_walk *w)
{
	return raid_idle_ms(w->set) < 100;
}

static unsigned window_now(const struct raid_walk *w)
{
	if (!foreground_active(w))
		return w->window;
	return w->run->foreground_share < 50 ? 1 : BUSY_WINDOW;
}

/* Who comes meanwhile waits behind what is in flight at the drives, so the less this work counts the
 * smaller are the pieces it takes a row in. */
uint32_t raid_walk_slice(const struct raid_walk *w)
{
	uint64_t share = w->run->foreground_share < 100 ? w->run->foreground_share : 100;
	uint32_t slice = w->set->slice, part;

	if (!foreground_active(w))
		return slice;
	part = (uint32_t)(slice * share / 100) / RAID_BLOCK * RAID_BLOCK;
	if (part < LEAST_SLICE)
		part = LEAST_SLICE;
	return part < slice ? part : slice;
}

static void drain(struct raid_walk *w)
{
	while (w->in_flight)
		task_wait(&w->progress);
}

/* Between rows: what is due to be told. */
static int report(struct raid_walk *w)
{
	struct raid_run *run = w->run;
	uint64_t now = loop_now_ns(w->set->loop);

	if (w->checkpoint && (now - w->checkpoint_ns >= CHECKPOINT_NS ||
				     run->done - w->checkpoint_done >= CHECKPOINT_BYTES)) {
		int rc;

		w->checkpoint_ns = now;
		w->checkpoint_done = run->done;
		rc = w->checkpoint(w);
		if (rc)
			return rc;
	}
	if (run->step && run->done - w->step_done >= run->total / 100 + 1) {
		drain(w);
		w->step_done = run->done;
		run->step(run);
		w->sample_ns = loop_now_ns(w->set->loop);
		w->sample_rows = 0;
	}
	return 0;
}

static bool may_start(const struct raid_walk *w)
{
	return w->in_flight < window_now(w) && w->pass.next - w->pass.low < RING;
}

/* The next row that is wanted; rows that are not are done. False: no room to look further now. */
static bool find_next(struct raid_walk *w)
{
	struct raid_pass *p = &w->pass;

	for (unsigned i = 0; p->next < w->set->geo.rows; i++) {
		if (p->next - p->low >= RING)
			return false;
		if (w->wanted(w, p->next))
			return true;
		row_done(w, p->next++);
		if (i % SKIP_BURST == SKIP_BURST - 1)
			task_yield();
	}
	return true;
}

static int walk_rows(struct raid_walk *w)
{
	while (w->pass.next < w->set->geo.rows && !w->error) {
		int rc = report(w);

		if (rc)
			return rc;
		if (w->run->cancel)
			return -ECANCELED;
		if (!find_next(w) || !may_start(w)) {
			task_wait(&w->progress);
			continue;
		}
		if (w->pass.next == w->set->geo.rows)
			break;
		raid_throttle_wait(&w->throttle, w->row_work);
		raid_enter(w->set);
		rc = w->run->cancel ? -ECANCELED : start_row(w);
		if (rc) {
			raid_leave(w->set);
			return rc;
		}
		adapt(w);
	}
	return 0;
}

static uint64_t count_work(struct raid_walk *w)
{
	uint64_t wanted = 0;

	for (uint64_t row = 0; row < w->set->geo.rows; row++)
		wanted += w->wanted(w, row);
	return wanted * w->row_work;
}

int raid_walk_run(struct raid_walk *w)
{
	int rc;

	w->window = FIRST_WINDOW;
	task_queue_init(&w->progress);
	raid_throttle_init(&w->throttle, w->set, w->run);
	w->checkpoint_ns = w->sample_ns = loop_now_ns(w->set->loop);
	w->run->done = 0;
	w->run->total = count_work(w);
	rc = walk_rows(w);
	drain(w);
	for (unsigned i = 0; i < RAID_WALK_WINDOW; i++)
		raid_op_free(w->steps[i].op);
	if (w->error)
		rc = w->error;
	if (!rc) {
		w->run->done = w->run->total;
		if (w->run->step)
			w->run->step(w->run);
	}
	return rc;
}

uint64_t raid_walk_reached(const struct raid_walk *w)
{
	const struct raid_geo *geo = &w->set->geo;
	struct raid_row_geo g;

	if (w->pass.low >= geo->rows)
		return w->set->shape.member_size;
	raid_row_geo(geo, w->pass.low / geo->groups * geo->groups, &g);
	return g.member_offset;
}
