/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RAID levels over member devices. A raid_set turns n members into one block device; it knows
 * geometry, parity, row locks, the region bitmap in memory, degraded I/O, rebuild and check.
 * It knows nothing of drives, LUNs or metadata: what has to become durable before an answer is
 * given goes upward through struct raid_events, and the same code serves array LUNs and dynamic
 * volumes.
 *
 * Everything here runs on the loop of the members; functions marked (task) may wait.
 *
 * Invariants
 *  - A write is acknowledged only when every member that is in sync holds it (or was declared
 *    stale by events->member_failed, which returned 0, before the acknowledgement).
 *  - A member that is not in sync is never read, except below the watermark of its rebuild and,
 *    in a catch-up, outside of the regions still marked.
 *  - Two writers of the same row never overlap in time; a rebuild or check step of a row excludes
 *    writers of that row and nobody else.
 *  - A region's dirty bit is durable before the first write of the region is started.
 *  - Reads of a region marked unwritten give zeros without touching the members.
 *  - A twin holds every write that its member was given since the twin was set, or is given up
 *    (events->twin_failed) before such a write is acknowledged.
 *
 * Write path and write hole: every partial-row write passes one point (write_parity.c: the
 * "prepare" step) with old and new parity inputs at hand; a write-ahead log of partial parity
 * will be hung in there without changing callers (events->log_append is reserved for it).
 */
#ifndef RAID_RAID_H
#define RAID_RAID_H

#include "blk/blk.h"

enum raid_level {
	RAID_SIMPLE,   /* one member */
	RAID_SPAN,     /* concatenation; members may differ in size */
	RAID_STRIPE,   /* RAID 0 */
	RAID_MIRROR,   /* n copies, n >= 2 */
	RAID_RAID10,   /* stripe over pairs: members 2i and 2i+1 are leg i */
	RAID_RAID5,    /* rotating parity N with data continuation (left-symmetric) */
	RAID_RAID6,    /* the same with P and Q, DDF coefficient order */
	RAID_RAID50,   /* stripe of RAID 5 groups */
	RAID_RAID60,
};

#define RAID_MAX_MEMBERS 64

/* The shape of a set. All sizes in bytes. */
struct raid_shape {
	enum raid_level level;
	unsigned members;         /* all of them, legs and groups included */
	unsigned groups;          /* RAID 50/60: number of groups; else 1 (RAID 10: members / 2 legs) */
	uint32_t chunk;           /* striped and parity levels; multiple of 4 KiB, else 0 */
	uint64_t member_size;     /* used bytes of every member; multiple of chunk */
	uint64_t span_sizes[RAID_MAX_MEMBERS]; /* SPAN only: instead of member_size */
};

/* 0, or -EINVAL with a sentence: too few members, odd RAID 10, sizes not aligned, … */
int raid_shape_check(const struct raid_shape *shape, struct err *err);
/* Usable bytes. */
uint64_t raid_shape_size(const struct raid_shape *shape);
/* Losses in the worst place that the level survives: 0, 1, 2, copies - 1. */
unsigned raid_shape_redundancy(const struct raid_shape *shape);
/* Bytes of LUN data in one row (data members x chunk); for mirror, simple and span 64 KiB. */
uint64_t raid_shape_row(const struct raid_shape *shape);

/* Where a byte of the set lives. */
struct raid_place {
	unsigned member;     /* first (or only) member that holds it */
	uint64_t offset;     /* in the member */
	uint64_t length;     /* contiguous bytes from here on that member and in the set */
	unsigned copies;     /* mirror and RAID 10: members member … member + copies - 1 */
	uint64_t row;        /* row number, for locks */
	int parity_p, parity_q; /* member slots, -1 = none */
};
void raid_map(const struct raid_shape *shape, uint64_t offset, struct raid_place *out);

/* The inverse: what a member byte holds. */
enum raid_role { RAID_ROLE_DATA, RAID_ROLE_P, RAID_ROLE_Q, RAID_ROLE_NONE };
enum raid_role raid_unmap(const struct raid_shape *shape, unsigned member, uint64_t offset,
	uint64_t *set_offset, uint64_t *row);

/* How many of the members in the set `lost` can be missing and data still be complete? True if all
 * data can be read with these members (bit mask) absent. */
bool raid_shape_survives(const struct raid_shape *shape, uint64_t lost_mask);

enum raid_member_state {
	RAID_MEMBER_IN_SYNC,
	RAID_MEMBER_REBUILDING, /* device present; valid below the watermark (or outside dirty regions) */
	RAID_MEMBER_STALE,      /* device may be present; content must not be used; not written */
	RAID_MEMBER_MISSING,    /* no device */
};

struct raid_member {
	struct blk_dev *dev; /* not owned; NULL when missing */
	uint64_t start;      /* of the extent on the device, bytes */
	enum raid_member_state state;
	uint64_t watermark;  /* REBUILDING: member bytes already valid */
};

/* Bytes of the set; end is the first that does not belong to it. */
struct raid_range {
	uint64_t start, end;
};

/*
 * What the set tells its owner. Those marked (task) may wait, but are called from within requests:
 * they must not freeze, close or change this set (raid_freeze, raid_member_set, raid_grow), and as
 * the set may hold buffers of level LOOP_BUF_DATA meanwhile, buffers they need come from
 * LOOP_BUF_INNER (blk/loop.h). NULL callbacks count as success.
 */
struct raid_events {
	/*
	 * (task) A write to this member failed and one retry did not help, or it answered -ENODEV.
	 * The owner must make durable, on the other members, that the slot is out of date, and then
	 * return 0; the set treats the slot as STALE from then on. Negative: the request fails with
	 * that error. Called once per failure burst; concurrent failures of one slot wait for the first.
	 */
	int (*member_failed)(void *ctx, unsigned slot, int error);
	/*
	 * (task) The same for a twin (raid_twin_set): it missed a write and is none any more once this has
	 * returned 0; by then the owner must no longer count on what it holds.
	 */
	int (*twin_failed)(void *ctx, unsigned slot, int error);
	/*
	 * (task) Pages [first, first + count) of 4 KiB of the bitmap image (raid_bitmap_image) changed
	 * and must be stable on all present members before this returns 0.
	 */
	int (*bitmap_write)(void *ctx, unsigned first_page, unsigned count);
	/* A medium error on read was met at that member range; repaired tells whether rewriting it
	 * succeeded. Counting only. */
	void (*medium_error)(void *ctx, unsigned slot, uint64_t offset, uint64_t length, bool repaired);
	/*
	 * (task) Data that cannot be had any more (medium error where redundancy is already used up, met
	 * during rebuild; or a write beyond redundancy that failed half way in a degraded row): range of
	 * the set. Telling only.
	 */
	void (*data_lost)(void *ctx, uint64_t offset, uint64_t length);
	/*
	 * (task) These are the ranges whose data is lost from now on: reads of them give -EIO until they
	 * are rewritten. Must be stable on all present members before this returns 0; the list is valid
	 * until it first waits. Negative: what was about to change the list fails with that error.
	 */
	int (*lost_write)(void *ctx, const struct raid_range *list, size_t count);
	void *ctx;
};

struct raid_set;

struct raid_options {
	bool bitmap;             /* keep the region bitmap (redundant levels) */
	bool write_through;      /* acknowledge after flush */
	const void *bitmap_image;/* as raid_bitmap_image gave it before; NULL = all clean and written */
	size_t bitmap_bytes;
	const struct raid_range *lost; /* as events->lost_write gave it before, in any order */
	size_t lost_count;
	bool unwritten;          /* a new set: every region starts unwritten (zeros) */
	bool unclean;            /* the last user died: dirty regions need resync (raid_resync_needed) */
	unsigned buffers;        /* rows in flight, 0 = 32 */
};

/*
 * Makes a set over members (copied). At least the redundancy of the level must be there, else the
 * set is failed: it exists, reads and writes give -EIO. The name is for messages.
 */
int raid_open(struct loop *loop, const char *name, const struct raid_shape *shape,
	const struct raid_member *members, const struct raid_options *options,
	const struct raid_events *events, struct raid_set **out, struct err *err);

/* (task) Waits for all I/O, then frees. Members stay open. Runs must have ended and the set must
 * not be frozen; requests that come meanwhile get -ENODEV. */
void raid_close(struct raid_set *set);

/* The set as a block device (logical block 512, physical 4096). Owned by the set. */
struct blk_dev *raid_dev(struct raid_set *set);

const struct raid_shape *raid_shape(const struct raid_set *set);
struct raid_member raid_member(const struct raid_set *set, unsigned slot);
/* Mask of members that are not in sync / not readable at all. */
uint64_t raid_lost_mask(const struct raid_set *set);
bool raid_failed(const struct raid_set *set);

/*
 * (task) Changes one member: waits until no request in flight uses the slot under its old state,
 * then applies. Used for: taking a member offline (STALE or MISSING), giving a slot a new device
 * (STALE with dev), bringing back. Rebuild makes it REBUILDING and IN_SYNC itself; a rebuild that
 * is filling the slot ends with an error. The slot's old device must answer what it was asked
 * (if only with -ENODEV), or this waits for it.
 */
void raid_member_set(struct raid_set *set, unsigned slot, const struct raid_member *member);

/*
 * (task) Gives a member in sync a twin, which is to take its place: all writes reach both, and raid_copy
 * fills it. Until then nothing is read from it, and the member serves as before. NULL takes the twin
 * away; a copy that is filling it ends with an error. Its watermark says how much it holds already,
 * except for dirty regions. -EINVAL with a sentence: the device does not fit.
 */
int raid_twin_set(struct raid_set *set, unsigned slot, const struct raid_member *twin, struct err *err);
/* Its dev is NULL when there is none. */
struct raid_member raid_twin(const struct raid_set *set, unsigned slot);

/* (task) Stops new requests and waits for those in flight / lets them go on. Nests. */
void raid_freeze(struct raid_set *set);
void raid_thaw(struct raid_set *set);

/*
 * (task) Grows the set: the shape differs only in member_size, span_sizes or (SPAN) members, and
 * nothing that is there moves. New space reads as zeros. The whole bitmap image of the new shape
 * is given to events->bitmap_write before this returns: there must be room for it. members: used
 * for slots that are new. -EINVAL, -EBUSY during a rebuild or with a twin, -EIO when the set has failed; then
 * the set is as before.
 */
int raid_grow(struct raid_set *set, const struct raid_shape *shape, const struct raid_member *members);

/* ---- regions ---------------------------------------------------------------------------- */

/* Region size for a set of that shape: max(4 MiB, size / 2^20) rounded up to whole rows. */
uint64_t raid_region_size(const struct raid_shape *shape);
/* Bytes of the persistent image: header-less; first the dirty bits, then the unwritten bits, each
 * padded to 4 KiB, least significant bit first. Multiple of 4 KiB. */
size_t raid_bitmap_bytes(const struct raid_shape *shape);
const void *raid_bitmap_image(const struct raid_set *set);
/* True if regions are dirty after an unclean end, or a write failed half way, and copies or parity
 * may differ: nothing settles until a raid_check in REWRITE mode has gone through. */
bool raid_resync_needed(const struct raid_set *set);
/* (task) Flushes, then clears the dirty bits of idle regions (all members in sync); returns pages
 * written, 0 when there was nothing to do or it is not the time, or the error of the flush or write.
 * The owner calls it every few seconds and before a clean close. */
int raid_bitmap_settle(struct raid_set *set, uint64_t idle_ms);
uint64_t raid_dirty_regions(const struct raid_set *set);

/* ---- background work -------------------------------------------------------------------- */

/* Steering and progress of one run; owned by the caller, read by the run between steps. */
struct raid_run {
	bool cancel;             /* set by the owner: stop soon with -ECANCELED */
	uint64_t rate_limit;     /* bytes per second, 0 = none; may change while running */
	uint64_t foreground_share; /* 5–100 (less counts as 5): per cent of the speed reached alone that
	                              the run takes while foreground I/O is active (priority) */
	uint64_t done, total;    /* bytes of work; done never falls, total is fixed at start */
	uint64_t mismatches, repaired, lost; /* blocks of 4 KiB */
	/* (task) Called after the target was flushed up to watermark, at most every 1 GiB or 5 s of the
	 * loop's time and at the end; the owner makes it durable. */
	int (*checkpoint)(struct raid_run *run, uint64_t watermark);
	/* (task) Called between steps, about once for each percent of total and at the end, after done was
	 * brought up to date; may wait (the run stands still meanwhile, holding no locks). NULL = none. */
	void (*step)(struct raid_run *run);
	/* (task) Rebuild and copy only: the targets are complete and flushed, requests stand still, and the
	 * slots (or twins) are about to count as in sync. The owner makes that durable first; an error leaves
	 * them REBUILDING (or twins), so that writes reach them until the owner has made sure that they do not
	 * count (raid_member_set). NULL = nothing to do. Must not touch the set's own device. */
	int (*complete)(struct raid_run *run);
	void *user;
};

/*
 * (task) Fills the members in slot_mask (all STALE or REBUILDING with a device) in one pass, in row
 * order, from their lowest watermark. With catch_up only regions marked dirty are copied (the slots
 * were in sync before those writes); otherwise everything from the watermark on
 * that is not unwritten, and below the watermark what is marked dirty.
 * I/O goes on meanwhile; foreground writes always reach the targets too. At success the slots are
 * IN_SYNC. Errors: -ECANCELED (slots are STALE, the watermark is kept), -EIO (too many members
 * lost), the target's own error (slot is STALE and was reported by member_failed).
 */
int raid_rebuild(struct raid_set *set, uint64_t slot_mask, bool catch_up, struct raid_run *run);

/*
 * (task) Fills the twins of the slots in slot_mask from their members, in row order; what a member cannot
 * read is restored from redundancy, or is lost where nobody else has it (levels with parity: the copy ends
 * with -EIO). At success the twins have taken their members' places, IN_SYNC; their old devices are not
 * used any more. Errors: -ECANCELED (they stay twins), -EIO (a member is not in sync any more), the
 * twin's own error (it was reported by twin_failed). Not while a rebuild runs: -EBUSY.
 */
int raid_copy(struct raid_set *set, uint64_t slot_mask, struct raid_run *run);

enum raid_check_mode {
	RAID_CHECK_COUNT,  /* report only */
	RAID_CHECK_REPAIR, /* mend what can be located (unreadable blocks, RAID 6, >= 3 copies) */
	RAID_CHECK_REWRITE,/* and rewrite parity, or copy the first in-sync member, where it cannot */
};
/* (task) Compares copies or recomputes parity, row by row. prefer = slot whose copy wins in REWRITE
 * mode on mirrors (-1: lowest in-sync slot). Dirty regions only: only_dirty; with REWRITE that is the
 * resync after a crash: parity follows data and copies follow `prefer`, nothing is located or voted
 * on, since half-written rows are no damage. Mismatches are counted in columns of 4 KiB. Levels
 * without redundancy have nothing to check (0). -ECANCELED, -EIO when the set has failed. */
int raid_check(struct raid_set *set, enum raid_check_mode mode, int prefer, bool only_dirty,
	struct raid_run *run);

/* Ranges of the set whose data is known to be lost, in order; valid until somebody waits. */
const struct raid_range *raid_lost_ranges(const struct raid_set *set, size_t *count);

/* Milliseconds since foreground I/O was last active. */
uint64_t raid_idle_ms(const struct raid_set *set);

#endif
