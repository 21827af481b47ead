/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set: its members and their states, its workers, stopping and going on.
 *
 * Which members count is asked per row (raid_member_valid): a member that is being rebuilt is
 * current in the rows its rebuild has passed. A member becomes STALE in the middle of operation
 * (raid_member_fail), which harms nobody in flight: what they read from it is still right for
 * the rows they have locked, and what they write to it does no harm. All other changes of state
 * wait until nothing is in flight.
 *
 * Workers are tasks that take work from one list. One is always there, so queueing never fails;
 * more come with the load, up to max_workers, and go again.
 */
#include "raid/raid_internal.h"

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_WORKERS = 32, IDLE_WORKERS = 4 };

/* ---- members ----------------------------------------------------------------------------- */

bool raid_member_writable(const struct raid_set *set, unsigned member)
{
	const struct raid_member *m = &set->slots[member].m;

	return m->dev && (m->state == RAID_MEMBER_IN_SYNC || m->state == RAID_MEMBER_REBUILDING);
}

/* Has the running rebuild done that row? */
static bool pass_done(const struct raid_pass *pass, uint64_t row)
{
	if (row < pass->low)
		return true;
	return row < pass->next && row - pass->low < 64 && pass->ring >> (row - pass->low) & 1;
}

bool raid_member_valid(const struct raid_set *set, unsigned member, uint64_t row)
{
	const struct raid_member *m = &set->slots[member].m;
	const struct raid_pass *pass = set->pass;
	struct raid_row_geo g;
	uint64_t region;

	if (m->state == RAID_MEMBER_IN_SYNC)
		return true;
	if (m->state != RAID_MEMBER_REBUILDING)
		return false;
	if (pass && pass->slots & raid_bit(member) && pass_done(pass, row))
		return true;
	raid_row_geo(&set->geo, row, &g);
	region = raid_region_of(&set->bitmap, g.start);
	return !raid_region_dirty(&set->bitmap, region) && g.member_offset + g.cell <= m->watermark;
}

void raid_torn(struct raid_set *set)
{
	set->resync = true;
	set->torn++;
}

static uint32_t dev_align(const struct blk_dev *dev)
{
	return dev && dev->logical_block > 512 ? dev->logical_block : 512;
}

void raid_state_changed(struct raid_set *set)
{
	bool failed = set->failed;

	set->lost = set->twins = 0;
	set->align = 512;
	set->dev.flags = BLK_DEV_ZERO_CHEAP;
	for (unsigned i = 0; i < set->shape.members; i++) {
		const struct raid_member *m = &set->slots[i].m;
		uint32_t align = dev_align(m->dev);

		if (m->state != RAID_MEMBER_IN_SYNC)
			set->lost |= raid_bit(i);
		if (set->slots[i].twin.dev) {
			set->twins |= raid_bit(i);
			if (dev_align(set->slots[i].twin.dev) > set->align)
				set->align = dev_align(set->slots[i].twin.dev);
		}
		if (!m->dev)
			continue;
		if (align > set->align)
			set->align = align;
		set->dev.flags |= m->dev->flags & (BLK_DEV_ROTATIONAL | BLK_DEV_VOLATILE_CACHE);
		if (!(m->dev->flags & BLK_DEV_ZERO_CHEAP))
			set->dev.flags &= ~(unsigned)BLK_DEV_ZERO_CHEAP;
	}
	set->failed = !raid_shape_survives(&set->shape, set->lost);
	if (set->failed != failed)
		log_warning("Set %s %s.", set->dev.name,
			set->failed ? "has failed" : "is complete enough");
}

int raid_member_fail(struct raid_set *set, unsigned member, int error)
{
	struct raid_slot *slot = &set->slots[member];
	uint64_t lost;
	int rc = 0;

	while (slot->failing)
		task_wait(&set->failed_q);
	if (!raid_member_writable(set, member))
		return 0;
	lost = set->lost | raid_bit(member);
	for (unsigned i = 0; i < set->shape.members; i++)
		if (set->slots[i].failing)
			lost |= raid_bit(i);
	if (!raid_shape_survives(&set->shape, lost))
		return -EIO; /* needed: the error goes to whoever asked */
	slot->failing = true;
	if (set->events.member_failed)
		rc = set->events.member_failed(set->events.ctx, member, error);
	slot->failing = false;
	if (!rc && raid_member_writable(set, member)) {
		log_warning(
			"Member %u of set %s failed: %s.", member, set->dev.name, err_name(error));
		slot->m.state = RAID_MEMBER_STALE;
		slot->error = error;
		raid_state_changed(set);
	}
	task_wake_all(&set->failed_q);
	return rc > 0 ? -EIO : rc;
}

int raid_twin_fail(struct raid_set *set, unsigned member, int error)
{
	struct raid_slot *slot = &set->slots[member];
	struct blk_dev *dev = slot->twin.dev;
	int rc = 0;

	while (slot->twin_failing)
		task_wait(&set->failed_q);
	if (!dev || slot->twin.dev != dev)
		return 0;
	slot->twin_failing = true;
	if (set->events.twin_failed)
		rc = set->events.twin_failed(set->events.ctx, member, error);
	slot->twin_failing = false;
	if (!rc && slot->twin.dev == dev) {
		log_warning("The twin of member %u of set %s failed: %s.", member, set->dev.name,
			err_name(error));
		slot->twin = (struct raid_member){0};
		raid_state_changed(set);
	}
	task_wake_all(&set->failed_q);
	return rc > 0 ? -EIO : rc;
}

/* ---- workers ----------------------------------------------------------------------------- */

static void worker(void *arg)
{
	struct raid_op *op = arg;
	struct raid_set *set = op->set;

	for (;;) {
		struct raid_work *work = list_first(&set->work, struct raid_work, link);

		if (work) {
			list_del(&work->link);
			work->run(op, work);
			continue;
		}
		if (set->closing || set->idle_workers >= IDLE_WORKERS)
			break;
		set->idle_workers++;
		task_wait(&set->work_q);
	}
	raid_op_free(op);
	set->workers--;
	task_wake_all(&set->worker_gone);
}

static int add_worker(struct raid_set *set)
{
	struct raid_op *op = raid_op_new(set);
	int rc;

	if (!op)
		return -ENOMEM;
	rc = task_spawn(set->loop, "raid worker", worker, op);
	if (rc)
		raid_op_free(op);
	else
		set->workers++;
	return rc;
}

void raid_work_queue(struct raid_set *set, struct raid_work *work)
{
	list_add_tail(&set->work, &work->link);
	if (set->idle_workers) {
		set->idle_workers--;
		task_wake(&set->work_q);
	} else if (set->workers < set->max_workers) {
		(void)add_worker(set); /* if not, one of those that are there comes round */
	}
}

/* ---- stopping ---------------------------------------------------------------------------- */

void raid_enter(struct raid_set *set)
{
	while (set->frozen)
		task_wait(&set->thawed);
	set->active++;
}

void raid_leave(struct raid_set *set)
{
	assert(set->active);
	if (!--set->active)
		task_wake_all(&set->drained);
}

void raid_freeze(struct raid_set *set)
{
	set->frozen++;
	while (set->active)
		task_wait(&set->drained);
}

void raid_thaw(struct raid_set *set)
{
	assert(set->frozen);
	if (--set->frozen)
		return;
	task_wake_all(&set->thawed);
	raid_submit_held(set);
}

uint64_t raid_idle_ms(const struct raid_set *set)
{
	return set->foreground ? 0 : (loop_now_ns(set->loop) - set->foreground_ns) / 1000000;
}

/* ---- opening and closing ----------------------------------------------------------------- */

static void raid_dev_close(struct blk_dev *dev)
{
	(void)dev; /* the set owns it: raid_close */
}

static const struct blk_ops raid_ops = {
	.kind = "raid", .submit = raid_submit, .close = raid_dev_close};

static uint64_t used_bytes(const struct raid_shape *shape, unsigned member)
{
	return shape->level == RAID_SPAN ? shape->span_sizes[member] : shape->member_size;
}

int raid_member_check(
	const struct raid_shape *shape, unsigned slot, const struct raid_member *m, struct err *err)
{
	uint64_t used = used_bytes(shape, slot);
	uint32_t align = dev_align(m->dev);

	if (!m->dev) {
		if (m->state == RAID_MEMBER_IN_SYNC || m->state == RAID_MEMBER_REBUILDING)
			return err_set(err, -EINVAL, "Member %u has no device.", slot);
		return 0;
	}
	if (align > RAID_BLOCK || m->start % align || used % align)
		return err_set(err, -EINVAL,
			"Member %u does not lie on blocks of its device (%u bytes).", slot, align);
	if (m->start > m->dev->size_bytes || used > m->dev->size_bytes - m->start)
		return err_set(err, -EINVAL, "Member %u reaches beyond the end of device %s.", slot,
			m->dev->name);
	return 0;
}

/* Columns that fit into 4 MiB of buffers, whatever a row operation needs at worst. */
uint32_t raid_slice_of(const struct raid_geo *g)
{
	uint32_t most = (4u << 20) / (2 * g->n + 2) / RAID_BLOCK * RAID_BLOCK;

	if (most > RAID_MAX_SLICE)
		most = RAID_MAX_SLICE;
	return g->cell < most ? g->cell : most;
}

static void init_lists(struct raid_set *set)
{
	task_queue_init(&set->thawed);
	task_queue_init(&set->drained);
	task_queue_init(&set->failed_q);
	task_queue_init(&set->work_q);
	task_queue_init(&set->worker_gone);
	task_mutex_init(&set->rescue_lock);
	task_mutex_init(&set->lost_lock);
	list_init(&set->held);
	list_init(&set->work);
	raid_rows_init(&set->rows);
}

static void free_set(struct raid_set *set)
{
	raid_bitmap_fini(&set->bitmap);
	raid_ranges_fini(&set->lost_data);
	free(set->rescue);
	free(set);
}

/* What was lost before, as far as the set reaches. */
static int take_lost(struct raid_set *set, const struct raid_options *o)
{
	int rc = 0;

	for (size_t i = 0; i < o->lost_count && !rc; i++) {
		uint64_t start = o->lost[i].start, end = o->lost[i].end;

		if (end > set->geo.size)
			end = set->geo.size;
		if (start < end)
			rc = raid_ranges_add(&set->lost_data, start, end - start);
	}
	return rc;
}

static int open_parts(struct raid_set *set, const char *name, const struct raid_options *o)
{
	bool redundant = raid_shape_redundancy(&set->shape) > 0;
	int rc;

	set->rescue = aligned_alloc(RAID_BLOCK, (size_t)set->geo.n * RAID_BLOCK);
	if (!set->rescue)
		return -ENOMEM;
	rc = take_lost(set, o);
	if (!rc)
		rc = raid_bitmap_init(&set->bitmap, &set->shape, o, redundant);
	if (rc)
		return rc;
	rc = blk_dev_init(&set->dev, &raid_ops, set->loop, name);
	if (rc)
		return rc;
	set->dev.size_bytes = set->geo.size;
	set->dev.logical_block = 512;
	set->dev.physical_block = RAID_BLOCK;
	set->resync = redundant && o->unclean && (!set->bitmap.dirty_on || raid_dirty_regions(set));
	rc = add_worker(set);
	if (rc)
		blk_dev_fini(&set->dev);
	return rc;
}

int raid_open(struct loop *loop, const char *name, const struct raid_shape *shape,
	const struct raid_member *members, const struct raid_options *options,
	const struct raid_events *events, struct raid_set **out, struct err *err)
{
	struct raid_set *set;
	int rc = raid_shape_check(shape, err);

	for (unsigned i = 0; !rc && i < shape->members; i++)
		rc = raid_member_check(shape, i, &members[i], err);
	if (rc)
		return rc;
	set = calloc(1, sizeof(*set));
	if (!set)
		return err_set(err, -ENOMEM, "There is no memory for set %s.", name);
	set->loop = loop;
	set->shape = *shape;
	set->events = *events;
	set->write_through = options->write_through;
	set->max_workers = options->buffers ? options->buffers : DEFAULT_WORKERS;
	set->foreground_ns = loop_now_ns(loop);
	raid_geo_init(&set->geo, shape);
	set->slice = raid_slice_of(&set->geo);
	init_lists(set);
	for (unsigned i = 0; i < shape->members; i++)
		set->slots[i].m = members[i];
	rc = open_parts(set, name, options);
	if (rc) {
		free_set(set);
		return err_set(err, rc, "Set %s cannot be made: %s.", name, err_name(rc));
	}
	raid_state_changed(set);
	*out = set;
	return 0;
}

void raid_close(struct raid_set *set)
{
	if (!set)
		return;
	assert(!set->frozen && !set->pass && !set->copying);
	blk_close(&set->dev);
	raid_freeze(set); /* repairs in the background */
	set->closing = true;
	task_wake_all(&set->work_q);
	while (set->workers)
		task_wait(&set->worker_gone);
	assert(raid_rows_empty(&set->rows));
	blk_dev_fini(&set->dev);
	free_set(set);
}

/* ---- looking in -------------------------------------------------------------------------- */

struct blk_dev *raid_dev(struct raid_set *set)
{
	return &set->dev;
}

const struct raid_shape *raid_shape(const struct raid_set *set)
{
	return &set->shape;
}

struct raid_member raid_member(const struct raid_set *set, unsigned slot)
{
	return set->slots[slot].m;
}

uint64_t raid_lost_mask(const struct raid_set *set)
{
	return set->lost;
}

bool raid_failed(const struct raid_set *set)
{
	return set->failed;
}

struct raid_member raid_twin(const struct raid_set *set, unsigned slot)
{
	return set->slots[slot].twin;
}

/* ---- changing ---------------------------------------------------------------------------- */

void raid_member_set(struct raid_set *set, unsigned slot, const struct raid_member *member)
{
	struct raid_slot *s = &set->slots[slot];

	raid_freeze(set);
	if (set->pass) /* a rebuild that was filling it is told so */
		set->pass->slots &= ~raid_bit(slot);
	if (s->m.dev != member->dev || s->m.start != member->start)
		*s = (struct raid_slot){.twin = s->twin, .write_gen = 1}; /* it may have been a twin: to be flushed */
	if (s->twin.dev && s->twin.dev == member->dev) /* it is the member now */
		s->twin = (struct raid_member){0};
	s->m = *member;
	if (!member->dev)
		s->m.state = RAID_MEMBER_MISSING;
	raid_state_changed(set);
	raid_thaw(set);
}

int raid_twin_set(struct raid_set *set, unsigned slot, const struct raid_member *twin, struct err *err)
{
	struct raid_slot *s = &set->slots[slot];
	int rc = twin ? raid_member_check(&set->shape, slot, twin, err) : 0;

	if (rc)
		return rc;
	raid_freeze(set);
	s->twin = twin ? *twin : (struct raid_member){0};
	raid_state_changed(set);
	raid_thaw(set);
	return 0;
}
