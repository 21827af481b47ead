/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growing a set: rows are added at the end, nothing that is there moves. The new rows start as
 * unwritten regions, except where the last region of before was only partly used and is already
 * written: there they are zeroed. Larger regions (the bitmap has a fixed number of bits at most)
 * are marked with what their parts were: dirty if any was, unwritten only if all were.
 */
#include "raid/raid_internal.h"

#include <errno.h>
#include <string.h>

static bool grows(const struct raid_shape *old, const struct raid_shape *new)
{
	if (old->level != new->level || old->chunk != new->chunk)
		return false;
	if (old->level != RAID_SPAN)
		return old->members == new->members &&
		       old->groups == new->groups &&new->member_size >= old->member_size;
	if (new->members < old->members ||
		new->span_sizes[old->members - 1] < old->span_sizes[old->members - 1])
		return false;
	if (new->members > old->members && /* what lies behind must not move */
			   new->span_sizes[old->members - 1] !=
		old->span_sizes[old->members - 1])
		return false;
	return !memcmp(
		old->span_sizes, new->span_sizes, (old->members - 1) * sizeof(old->span_sizes[0]));
}

static int check_members(const struct raid_set *set, const struct raid_shape *shape,
	const struct raid_member *members)
{
	int rc = 0;

	for (unsigned i = 0; i < shape->members && !rc; i++)
		rc = raid_member_check(
			shape, i, i < set->shape.members ? &set->slots[i].m : &members[i], NULL);
	return rc;
}

static void set_bit(uint8_t *bits, uint64_t i)
{
	bits[i / 8] = (uint8_t)(bits[i / 8] | 1u << (i % 8));
}

/* The new bits from the old ones. Parts of written regions that were unwritten or beyond the
 * old end are reported to fn, to be zeroed. */
static int translate(const struct raid_bitmap *old, struct raid_bitmap *new, uint64_t old_size,
	uint64_t new_size, int (*fn)(void *ctx, uint64_t from, uint64_t to), void *ctx)
{
	int rc = 0;

	for (uint64_t r = 0; r < new->regions && !rc; r++) {
		uint64_t from = r * new->region_bytes, to = from + new->region_bytes;
		bool all_unwritten = true;

		if (to > new_size)
			to = new_size;
		for (uint64_t at = from; at < to && at < old_size; at += old->region_bytes) {
			uint64_t part = raid_region_of(old, at);

			if (old->dirty_on && raid_region_dirty(old, part))
				set_bit(new->image, r);
			all_unwritten &= raid_region_unwritten(old, part);
		}
		if (new->unwritten_on && all_unwritten) {
			set_bit(new->image + new->unwritten_at, r);
			continue;
		}
		for (uint64_t at = from, next; at < to && !rc; at = next) {
			bool inside = at < old_size;

			next = inside ? (raid_region_of(old, at) + 1) * old->region_bytes : to;
			if (inside && next > old_size)
				next = old_size;
			if (next > to)
				next = to;
			if (!inside || raid_region_unwritten(old, raid_region_of(old, at)))
				rc = fn(ctx, at, next);
		}
	}
	memcpy(new->stable, new->image, new->unwritten_at);
	return rc;
}

struct zeroing {
	struct raid_op *op;
	struct raid_bitmap *bitmap;
};

static int zero_part(void *ctx, uint64_t from, uint64_t to)
{
	struct zeroing *z = ctx;
	struct raid_set *set = z->op->set;

	if (!raid_shape_redundancy(&set->shape) && !z->bitmap->unwritten_on)
		return 0;
	if (set->lost && z->bitmap->dirty_on) /* members that are out miss this */
		set_bit(z->bitmap->image, raid_region_of(z->bitmap, from));
	return raid_zero_rows(z->op, from, to);
}

static int grow_frozen(struct raid_set *set, struct raid_op *op, const struct raid_shape *shape,
	const struct raid_member *members)
{
	struct raid_options options = {.bitmap = set->bitmap.unwritten_on};
	struct raid_bitmap bitmap, old_bitmap;
	struct raid_shape old_shape = set->shape;
	struct raid_geo old_geo = set->geo;
	struct zeroing z = {op, &bitmap};
	int rc = raid_bitmap_init(&bitmap, shape, &options, set->bitmap.dirty_on);

	if (rc)
		return rc;
	raid_bitmap_move(&old_bitmap, &set->bitmap);
	for (unsigned i = old_shape.members; i < shape->members; i++)
		set->slots[i] = (struct raid_slot){.m = members[i]};
	set->shape = *shape;
	raid_geo_init(&set->geo, shape);
	raid_state_changed(set);
	rc = translate(&old_bitmap, &bitmap, old_geo.size, set->geo.size, zero_part, &z);
	if (!rc) {
		raid_bitmap_move(&set->bitmap, &bitmap);
		rc = raid_bitmap_write_all(set);
	}
	if (rc) { /* as before; what was zeroed lies beyond the end */
		raid_bitmap_move(&set->bitmap, &old_bitmap);
		set->shape = old_shape;
		set->geo = old_geo;
		raid_bitmap_fini(&bitmap);
		raid_state_changed(set);
		return rc;
	}
	raid_bitmap_fini(&old_bitmap);
	set->dev.size_bytes = set->geo.size;
	return 0;
}

int raid_grow(
	struct raid_set *set, const struct raid_shape *shape, const struct raid_member *members)
{
	struct raid_op *op;
	int rc = raid_shape_check(shape, NULL);

	if (!rc && !grows(&set->shape, shape))
		rc = -EINVAL;
	if (!rc)
		rc = check_members(set, shape, members);
	if (rc)
		return rc;
	if (set->pass || set->twins)
		return -EBUSY;
	op = raid_op_new(set);
	if (!op)
		return -ENOMEM;
	raid_freeze(set);
	rc = set->pass || set->twins ? -EBUSY : set->failed ? -EIO : grow_frozen(set, op, shape, members);
	raid_thaw(set);
	raid_op_free(op);
	return rc;
}
