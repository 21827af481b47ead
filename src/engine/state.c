/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where states are derived from facts: hardware.md 6.5 and 7.3 as code. */
#include "engine/engine_internal.h"

enum eng_drive_state eng_drive_state_of(const struct eng_drive *d)
{
	if (d->failed)
		return ENG_DRIVE_FAILED;
	if (d->out)
		return ENG_DRIVE_REMOVED;
	if (!d->ours || !d->dev)
		return ENG_DRIVE_FOREIGN;
	if (d->unreachable)
		return ENG_DRIVE_NOT_READY;
	if (d->admin_offline)
		return ENG_DRIVE_OFFLINE;
	return ENG_DRIVE_ONLINE;
}

bool eng_drive_online(const struct eng_drive *d)
{
	return d && eng_drive_state_of(d) == ENG_DRIVE_ONLINE;
}

bool eng_drive_free_for_use(const struct eng_drive *d)
{
	return eng_drive_online(d) && !d->predicted && !d->spare && !d->departed;
}

bool eng_drive_assigned(const struct eng_drive *d)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &d->array->luns)
		if (eng_lun_on(list_entry(pos, struct eng_lun, link), d))
			return true;
	return false;
}

bool eng_lun_on(const struct eng_lun *l, const struct eng_drive *d)
{
	for (unsigned i = 0; i < 2 * l->shape.members; i++) {
		const struct eng_member *m = eng_lun_extent(l, i);

		if (m && m->drive == d)
			return true;
	}
	return false;
}

enum raid_level eng_lun_level(enum eng_lun_type type)
{
	switch (type) {
	case ENG_LUN_SIMPLE:
		return RAID_SIMPLE;
	case ENG_LUN_SPAN:
		return RAID_SPAN;
	case ENG_LUN_STRIPE:
		return RAID_STRIPE;
	case ENG_LUN_MIRROR:
		return RAID_MIRROR;
	case ENG_LUN_PARITY:
	case ENG_LUN_RAID5:
		return RAID_RAID5;
	case ENG_LUN_RAID6:
		return RAID_RAID6;
	case ENG_LUN_RAID10:
		return RAID_RAID10;
	case ENG_LUN_RAID50:
		return RAID_RAID50;
	case ENG_LUN_RAID60:
		return RAID_RAID60;
	}
	return RAID_SIMPLE;
}

/* VDS_LUN_TYPE numbers, hardware.md 7.4. */
static const struct {
	enum eng_lun_type type;
	uint8_t number;
} type_numbers[] = {
	{ ENG_LUN_SIMPLE, 10 },
	{ ENG_LUN_SPAN, 11 },
	{ ENG_LUN_STRIPE, 12 },
	{ ENG_LUN_MIRROR, 13 },
	{ ENG_LUN_PARITY, 14 },
	{ ENG_LUN_RAID5, 18 },
	{ ENG_LUN_RAID6, 19 },
	{ ENG_LUN_RAID10, 23 },
	{ ENG_LUN_RAID50, 26 },
	{ ENG_LUN_RAID60, 29 },
};

uint8_t eng_lun_type_number(enum eng_lun_type type)
{
	for (unsigned i = 0; i < ARRAY_SIZE(type_numbers); i++)
		if (type_numbers[i].type == type)
			return type_numbers[i].number;
	return 0;
}

bool eng_lun_type_from(uint8_t number, enum raid_level level, enum eng_lun_type *type)
{
	for (unsigned i = 0; i < ARRAY_SIZE(type_numbers); i++)
		if (type_numbers[i].number == number && eng_lun_level(type_numbers[i].type) == level) {
			*type = type_numbers[i].type;
			return true;
		}
	/* Made by others: the level decides. */
	for (unsigned i = ARRAY_SIZE(type_numbers); i-- > 0;)
		if (eng_lun_level(type_numbers[i].type) == level) {
			*type = type_numbers[i].type;
			return true;
		}
	return false;
}

bool eng_lun_type_from_number(uint8_t number, enum eng_lun_type *type)
{
	for (unsigned i = 0; i < ARRAY_SIZE(type_numbers); i++)
		if (type_numbers[i].number == number) {
			*type = type_numbers[i].type;
			return true;
		}
	return false;
}

unsigned eng_leg_members(const struct raid_shape *shape)
{
	switch (shape->level) {
	case RAID_RAID10:
		return 2;
	case RAID_RAID50:
	case RAID_RAID60:
		return shape->members / shape->groups;
	case RAID_SIMPLE:
	case RAID_SPAN:
	case RAID_STRIPE:
	case RAID_MIRROR:
	case RAID_RAID5:
	case RAID_RAID6:
		return shape->members;
	}
	return shape->members;
}

bool eng_lun_type_redundant(enum eng_lun_type type)
{
	switch (type) {
	case ENG_LUN_SIMPLE:
	case ENG_LUN_SPAN:
	case ENG_LUN_STRIPE:
		return false;
	case ENG_LUN_MIRROR:
	case ENG_LUN_PARITY:
	case ENG_LUN_RAID5:
	case ENG_LUN_RAID6:
	case ENG_LUN_RAID10:
	case ENG_LUN_RAID50:
	case ENG_LUN_RAID60:
		return true;
	}
	return false;
}

uint64_t eng_lun_lost_mask(const struct eng_lun *l)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < l->shape.members; i++)
		if (l->members[i].state != ENG_MEMBER_IN_SYNC || !eng_drive_online(l->members[i].drive))
			mask |= 1ull << i;
	return mask;
}

/* Members whose loss, on top of those lost already, would lose data. */
static uint64_t critical_mask(const struct eng_lun *l, uint64_t lost)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < l->shape.members; i++)
		if (!(lost & 1ull << i) && !raid_shape_survives(&l->shape, lost | 1ull << i))
			mask |= 1ull << i;
	return mask;
}

static uint64_t predicted_mask(const struct eng_lun *l)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < l->shape.members; i++)
		if (l->members[i].drive && l->members[i].drive->predicted)
			mask |= 1ull << i;
	return mask;
}

static bool all_rebuilding(const struct eng_lun *l, uint64_t lost)
{
	for (unsigned i = 0; i < l->shape.members; i++)
		if (lost & 1ull << i && (l->members[i].state != ENG_MEMBER_REBUILDING ||
									!eng_drive_online(l->members[i].drive)))
			return false;
	return true;
}

/* A member is being moved while it serves: nothing is lost, but not everything is as it will be. */
static bool any_twin_filling(const struct eng_lun *l)
{
	for (unsigned i = 0; i < l->shape.members; i++)
		if (l->twins[i].state == ENG_MEMBER_REBUILDING && eng_drive_online(l->twins[i].drive))
			return true;
	return false;
}

enum eng_lun_health eng_lun_health_of(const struct eng_lun *l)
{
	uint64_t lost = eng_lun_lost_mask(l);
	uint64_t predicted = predicted_mask(l);

	if (l->failed_hook || (lost && !raid_shape_survives(&l->shape, lost)))
		return ENG_LUN_FAILED;
	if (lost && predicted & critical_mask(l, lost))
		return ENG_LUN_FAILED_REDUNDANCY_FAILING;
	if (lost)
		return all_rebuilding(l, lost) ? ENG_LUN_REBUILDING : ENG_LUN_FAILED_REDUNDANCY;
	if (any_twin_filling(l))
		return ENG_LUN_REBUILDING;
	if (predicted)
		return eng_lun_type_redundant(l->type) ? ENG_LUN_FAILING_REDUNDANCY : ENG_LUN_FAILING;
	return ENG_LUN_HEALTHY;
}

void eng_member_left_behind(struct eng_lun *l, unsigned slot)
{
	struct eng_member *m = &l->members[slot];

	if (l->twins[slot].drive) {
		*m = l->twins[slot];
		memset(&l->twins[slot], 0, sizeof(l->twins[slot]));
	} else if (m->state == ENG_MEMBER_IN_SYNC) {
		m->watermark = m->size;
	}
	m->state = ENG_MEMBER_STALE;
}

/* Members on drives that are not here: out of date from now on where the LUN works without them. */
void eng_lun_demote_absent(struct eng_lun *l)
{
	uint64_t lost = eng_lun_lost_mask(l);

	if (l->awaits || !raid_shape_survives(&l->shape, lost))
		return;
	for (unsigned i = 0; i < l->shape.members; i++) {
		struct eng_member *m = &l->members[i];

		if (m->drive && m->state != ENG_MEMBER_STALE && !eng_drive_online(m->drive))
			eng_member_left_behind(l, i);
	}
}

bool eng_lun_busy(const struct eng_lun *l)
{
	return l->job && l->job->info.state == ENG_JOB_RUNNING;
}
