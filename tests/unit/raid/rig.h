/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of src/raid stand on: a simulated loop, members that are simulated disks
 * behind fault filters, an owner that records what the set tells it, and a bytewise reference
 * that checks copies and parity directly on the media.
 */
#ifndef TESTS_RAID_RIG_H
#define TESTS_RAID_RIG_H

#include "raid/raid.h"
#include "base/rng.h"

#include <stdlib.h>

struct rig_member {
	struct blk_medium *medium;
	struct blk_dev *dev; /* counts, over faults, over the simulated disk */
	struct blk_dev *faults; /* the fault filter itself */
	const struct blk_stats *stats;
};

enum { RIG_LOST = 256 };

struct rig {
	struct loop *loop;
	struct rng rng;
	struct raid_shape shape;
	struct raid_options options;
	struct rig_member member[RAID_MAX_MEMBERS];
	struct rig_member twin;
	uint64_t start;       /* of the members on their media */
	uint32_t block;       /* logical block of the media */
	struct raid_set *set;
	uint8_t *image;       /* the bitmap as it is durable */
	size_t image_bytes;
	/* what the owner knows durably */
	uint64_t stale;       /* slots reported out of date */
	struct raid_range lost[RIG_LOST];
	size_t lost_count;
	int refuse;           /* answer of member_failed and bitmap_write, when not 0 */
	int refuse_lost;      /* … of lost_write */
	unsigned fail_ms;     /* how long member_failed takes */
	/* counts */
	unsigned member_failed, twin_failed, bitmap_writes, lost_writes, medium_errors, medium_repaired;
	uint64_t data_lost;
};

extern uint32_t rig_block; /* of the media that are made next */

/* Makes loop and media and opens a set over them, all members in sync. */
void rig_init(struct rig *r, uint64_t seed, const struct raid_shape *shape,
	const struct raid_options *options);
void rig_fini(struct rig *r);
void rig_open(struct rig *r, const struct raid_member *members);
void rig_close(struct rig *r); /* the set only */
/* The members as they are at the start: in sync, on their devices. */
void rig_members(struct rig *r, struct raid_member *out);
void rig_fill_garbage(struct rig *r); /* on all media */

/* Runs fn in a task and waits for it. */
int rig_call(struct rig *r, int (*fn)(void *arg), void *arg);
int rig_read(struct rig *r, uint64_t offset, void *buf, size_t length);
int rig_write(struct rig *r, uint64_t offset, const void *buf, size_t length, unsigned flags);
int rig_zero(struct rig *r, uint64_t offset, uint64_t length);
int rig_flush(struct rig *r);
void rig_set_member(struct rig *r, unsigned slot, const struct raid_member *m);
int rig_rebuild(struct rig *r, uint64_t slots, bool catch_up, struct raid_run *run);
int rig_set_twin(struct rig *r, unsigned slot, const struct raid_member *twin);
int rig_copy(struct rig *r, uint64_t slots, struct raid_run *run);
/* A device of its own, full of garbage, in r->twin; and after it took the member's place, in r->member. */
void rig_twin_new(struct rig *r, unsigned slot);
void rig_twin_taken(struct rig *r, unsigned slot);
void rig_twin_free(struct rig *r);
int rig_check(struct rig *r, enum raid_check_mode mode, int prefer, bool only_dirty,
	struct raid_run *run);
int rig_settle(struct rig *r, uint64_t idle_ms);

/* Byte of a member, from its medium. */
void rig_peek(struct rig *r, unsigned member, uint64_t offset, void *buf, size_t length);
void rig_poke(struct rig *r, unsigned member, uint64_t offset, const void *buf, size_t length);
/* Checks on the media, by the definition: every row's parity or copies agree (rows of unwritten
 * regions and members in skip excepted). Returns the number of bytes that do not. */
uint64_t rig_inconsistent(struct rig *r, uint64_t skip);

#define RIG_SHAPE(lvl, n, g, c, rows)                                                              \
	{                                                                                          \
		.level = (lvl), .members = (n), .groups = (g), .chunk = (c),                       \
		.member_size = (uint64_t)((c) ? (c) : 65536) * (rows)                              \
	}

#endif
