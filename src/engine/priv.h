/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The private area: what DDF has no place for, inside its workspace on every drive.
 *
 * DDF knows the state of a drive; recovery needs the state of every extent on it, how far a
 * rebuild came, which regions were being written, and what happened when. All of it is
 * little-endian, in blocks of 4 KiB counted from the workspace's first sector, each block with its
 * own CRC32C (the bitmap image excepted: it is raid's, bit for bit, and a lost bit there only
 * costs a copy). Pure functions, no allocation; every input byte may be hostile.
 *
 * Blocks: 0–1 superblock A, B · 2–17 member table · 18–33 event ring · 34–49 lost data A, B ·
 * 50… bitmap slots · log ring (reserved) · checksum table (reserved).
 *
 * A fresh area is all zero: an empty member table, ring and list; only the superblock has to be
 * written. Blocks whose CRC is wrong give -EUCLEAN and tell nothing else.
 */
#ifndef ENGINE_PRIV_H
#define ENGINE_PRIV_H

#include "engine/ddf.h"

#define PRIV_BLOCK	 4096
#define PRIV_BLOCK_SECTORS 8

#define PRIV_SUPER_BLOCKS  2
#define PRIV_MEMBER_BLOCK  2 /* first block of the member table */
#define PRIV_MEMBER_BLOCKS 16
#define PRIV_EVENT_BLOCK   18
#define PRIV_EVENT_BLOCKS  16
#define PRIV_LOST_BLOCK	   34 /* first block of copy A of the list of lost data, … */
#define PRIV_LOST_BLOCKS   8  /* … of so many blocks; B follows */
#define PRIV_BITMAP_BLOCK  50 /* first block of bitmap slot 0 */

#define PRIV_BITMAP_SLOTS		64
#define PRIV_BITMAP_SLOT_BLOCKS		64 /* standard map: 2 × 2^20 regions */
#define PRIV_BITMAP_SLOT_BLOCKS_COMPACT 8

/* ---- layout ------------------------------------------------------------------------------- */

struct priv_area {
	uint64_t start, len; /* blocks from the workspace's start */
};

struct priv_layout {
	uint64_t base_bytes; /* of block 0 on the drive */
	uint64_t blocks;     /* of the whole area */
	uint32_t bitmap_slot_blocks;
	struct priv_area bitmap, log, checksums;
};

/* Positions inside the workspace of a drive. -ENOTSUP when it is too small for a private area
 * (a foreign drive): such a drive can be read, not used. */
int priv_layout_plan(const struct ddf_layout *ddf, struct priv_layout *out, struct err *err);

/* Position on the drive, in bytes, of a block of the area. */
static inline uint64_t priv_block_offset(const struct priv_layout *layout, uint64_t block)
{
	return layout->base_bytes + block * PRIV_BLOCK;
}

/* Position on the drive, in bytes, of a bitmap slot (= index in the member table,
 * < PRIV_BITMAP_SLOTS), and the room it has. */
uint64_t priv_bitmap_offset(const struct priv_layout *layout, unsigned slot);
uint64_t priv_bitmap_bytes(const struct priv_layout *layout);

/* ---- superblock --------------------------------------------------------------------------- */

#define PRIV_SUPER_CLEAN 1u /* flags: closed cleanly: bitmaps settled, members in sync as told */

enum priv_cache { PRIV_CACHE_VOLATILE, PRIV_CACHE_WRITE_THROUGH };

struct priv_super {
	uint64_t seq;	  /* of this block; the higher of A and B is in force */
	uint32_t ddf_seq; /* DDF sequence number that goes with it: a higher one on the drive means
			     that somebody else (md) ran the array */
	uint32_t flags;
	struct ddf_guid container, drive;
	enum priv_cache cache;
	struct priv_area bitmap, log, checksums;
	uint64_t log_tail_seq;
	uint64_t epoch; /* incremented at each start of the engine */
};

void priv_super_encode(const struct priv_super *super, uint8_t out[static PRIV_BLOCK]);
/* -EMEDIUMTYPE: no superblock; -EUCLEAN: its CRC is wrong; -ENOTSUP: another version. Areas are
 * checked against layout (they must lie inside it and not overlap): -EUCLEAN. */
int priv_super_decode(const uint8_t in[static PRIV_BLOCK], const struct priv_layout *layout,
	struct priv_super *out, struct err *err);
/* From blocks 0 and 1 (NULL = could not be read): the valid one with the higher seq; *copy gets 0
 * or 1. Write the next to 1 - *copy with seq + 1. The error is that of the better copy. */
int priv_super_choose(const uint8_t *a, const uint8_t *b, const struct priv_layout *layout,
	struct priv_super *out, unsigned *copy, struct err *err);

/* ---- member table ------------------------------------------------------------------------- */

#define PRIV_MEMBERS		1024
#define PRIV_MEMBERS_PER_BLOCK	64

enum priv_member_state { PRIV_MEMBER_IN_SYNC, PRIV_MEMBER_REBUILDING, PRIV_MEMBER_STALE };

/* One extent on this drive. */
struct priv_member {
	bool used;		  /* false: a free entry, everything else is zero */
	bool damaged;		  /* decode: CRC or content wrong, everything else is zero */
	struct ddf_guid vd;
	uint8_t leg, slot;	  /* slot within the leg */
	enum priv_member_state state;
	uint8_t flags;		  /* PRIV_MEMBER_… */
	uint64_t start, blocks;	  /* sectors: extent on this drive */
	uint64_t recovered;	  /* watermark, sectors from start, ≤ blocks */
	/* Members of the same VD (bit = leg · members per leg + slot) that this drive knows to be out
	 * of date: written here, on the survivors, before a write is acknowledged without them. */
	uint64_t stale_mask;
};
#define PRIV_MEMBER_CATCH_UP 1 /* flags: REBUILDING copies only regions set in the bitmap */
#define PRIV_MEMBER_BITMAP   2 /* flags: the bitmap slot of this entry has been initialised */

/* One block of the table: entries 64·n … 64·n + 63. */
void priv_members_encode(const struct priv_member in[static PRIV_MEMBERS_PER_BLOCK],
	uint8_t out[static PRIV_BLOCK]);
/* Returns the number of damaged entries. Each entry stands for itself: a torn block costs the
 * entries torn, not their neighbours. */
unsigned priv_members_decode(const uint8_t in[static PRIV_BLOCK],
	struct priv_member out[static PRIV_MEMBERS_PER_BLOCK]);
/* The block of the area that holds entry index. */
static inline uint64_t priv_member_block(unsigned index)
{
	return PRIV_MEMBER_BLOCK + index / PRIV_MEMBERS_PER_BLOCK;
}

/* ---- event ring --------------------------------------------------------------------------- */

#define PRIV_EVENTS	      1024
#define PRIV_EVENTS_PER_BLOCK 64

struct priv_event {
	uint64_t seq;	 /* from 1, never reused; stands at place (seq - 1) % PRIV_EVENTS; 0 = none */
	int64_t wall_ms; /* Unix time */
	uint16_t kind, severity;
	int32_t code;	 /* errno or other detail */
	struct guid object;
	uint64_t arg1, arg2;
};

static inline unsigned priv_event_place(uint64_t seq)
{
	return (unsigned)((seq - 1) % PRIV_EVENTS);
}
static inline uint64_t priv_event_block(uint64_t seq)
{
	return PRIV_EVENT_BLOCK + priv_event_place(seq) / PRIV_EVENTS_PER_BLOCK;
}
/* One block of the ring; entries with seq 0 are written as free. */
void priv_events_encode(const struct priv_event in[static PRIV_EVENTS_PER_BLOCK],
	uint8_t out[static PRIV_BLOCK]);
/* block = 0 … 15 of the ring. Damaged entries, and such as stand at a place that is not theirs,
 * come out with seq 0. Returns the number of those. */
unsigned priv_events_decode(const uint8_t in[static PRIV_BLOCK], unsigned block,
	struct priv_event out[static PRIV_EVENTS_PER_BLOCK]);

/* ---- lost data ---------------------------------------------------------------------------- */

/*
 * Ranges of LUNs whose data nobody has any more: reads of them fail until they are written anew.
 * Every member of such a LUN has its list. Two copies of up to eight blocks are written in turn; a
 * copy counts when all its blocks are there and carry one sequence number, so a change takes
 * effect as a whole or not at all.
 */
#define PRIV_LOST_PER_BLOCK 169
#define PRIV_LOST_MAX	    (PRIV_LOST_PER_BLOCK * PRIV_LOST_BLOCKS)

struct priv_lost {
	uint64_t vd;		 /* whose: priv_vd_tag */
	uint64_t first, sectors; /* of the LUN; sectors > 0 */
};

/* Short for a VD among those of one array: the last eight bytes of its GUID (time and random). */
uint64_t priv_vd_tag(const struct ddf_guid *vd);

/* The list as a copy; count <= PRIV_LOST_MAX. Returns how many of the blocks are to be written. */
unsigned priv_lost_encode(const struct priv_lost *list, unsigned count, uint64_t seq,
	uint8_t out[static PRIV_LOST_BLOCKS * PRIV_BLOCK]);
/* One copy. *seq 0: none was ever written (all zero), or it is not whole (-EUCLEAN). */
int priv_lost_decode(const uint8_t in[static PRIV_LOST_BLOCKS * PRIV_BLOCK],
	struct priv_lost out[static PRIV_LOST_MAX], unsigned *count, uint64_t *seq);

/* ---- CRC ----------------------------------------------------------------------------------- */

/* CRC32C (Castagnoli) as everyone has it: of "123456789" it is E3069283. */
uint32_t priv_crc32c(const void *bytes, size_t len);
/* Continues crc over more bytes; start with 0. */
uint32_t priv_crc32c_more(uint32_t crc, const void *bytes, size_t len);

#endif
