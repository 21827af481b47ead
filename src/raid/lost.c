/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data that is lost for good. Reads of it fail rather than give something else, also after a
 * restart, until it is written anew. So a range is on the owner's durable list before anything else
 * takes the place of what was lost, and leaves it when the new data is stable and before their
 * write is acknowledged.
 */
#include "raid/raid_internal.h"

static int tell_owner(struct raid_set *set)
{
	const struct raid_ranges *r = &set->lost_data;

	return set->events.lost_write ? set->events.lost_write(set->events.ctx, r->items, r->len) : 0;
}

int raid_lose(struct raid_set *set, uint64_t offset, uint64_t length)
{
	bool fresh;
	int rc;

	task_lock(&set->lost_lock);
	fresh = !raid_ranges_hit(&set->lost_data, offset, length);
	rc = raid_ranges_add(&set->lost_data, offset, length);
	if (!rc) {
		rc = tell_owner(set);
		if (rc && fresh)
			raid_ranges_remove(&set->lost_data, offset, length);
	}
	task_unlock(&set->lost_lock);
	return rc;
}

void raid_tell_lost(struct raid_set *set, uint64_t offset, uint64_t length)
{
	if (set->events.data_lost)
		set->events.data_lost(set->events.ctx, offset, length);
}

int raid_unlose(struct raid_set *set, uint64_t offset, uint64_t length)
{
	int rc;

	task_lock(&set->lost_lock);
	raid_ranges_remove(&set->lost_data, offset, length);
	rc = tell_owner(set);
	if (rc) /* as the owner has it */
		raid_ranges_add(&set->lost_data, offset, length);
	task_unlock(&set->lost_lock);
	return rc;
}

int raid_rewritten(struct raid_op *op, uint64_t offset, uint64_t length)
{
	struct raid_set *set = op->set;
	int rc;

	if (!raid_ranges_hit(&set->lost_data, offset, length))
		return 0;
	rc = raid_flush_members(op, raid_writable_mask(set));
	return rc ? rc : raid_unlose(set, offset, length);
}

const struct raid_range *raid_lost_ranges(const struct raid_set *set, size_t *count)
{
	*count = set->lost_data.len;
	return set->lost_data.items;
}
