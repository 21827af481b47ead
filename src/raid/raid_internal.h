/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/raid share. */
#ifndef RAID_INTERNAL_H
#define RAID_INTERNAL_H

#include "raid/parity.h"
#include "raid/raid.h"

#include "base/cleanup.h"
#include "base/list.h"

enum {
	RAID_BLOCK = 4096, /* unit of read-modify-write, repair and counting */
	RAID_MAX_CHUNK = 64 << 20,
	RAID_FLAT_UNIT = 64 << 10, /* row of levels without chunks, as told outside */
	RAID_FLAT_ROW = 512 << 10, /* … and as locked and copied inside */
};

/* ---- geometry.c -------------------------------------------------------------------------- */

/*
 * The shape, digested. A row has k data cells; a cell is `copies` members wide on levels without
 * parity. Slots are numbered inside the row's group: member = row.first + slot.
 */
struct raid_geo {
	unsigned groups;    /* parity groups; 1 for everything else */
	unsigned n;         /* members of a group */
	unsigned k, np;     /* data cells, parities of a row */
	unsigned copies;    /* members that hold the same cell */
	uint32_t cell;      /* bytes of a cell: the chunk, or RAID_FLAT_ROW */
	uint64_t row_bytes; /* k * cell */
	uint64_t rows;      /* the last may be short where there are no chunks */
	uint64_t size;
};
void raid_geo_init(struct raid_geo *g, const struct raid_shape *shape);

struct raid_row_geo {
	uint64_t row, start;    /* number, first byte in the set */
	uint64_t member_offset; /* of its cells, the same on all members (not SPAN) */
	uint32_t cell;          /* bytes in a cell of this row */
	unsigned first;         /* member in slot 0 */
	int p, q;               /* slots */
};
void raid_row_geo(const struct raid_geo *g, uint64_t row, struct raid_row_geo *out);
/* Slot of data cell `index` (its first copy), and back. */
unsigned raid_row_slot(const struct raid_geo *g, const struct raid_row_geo *r, unsigned index);
unsigned raid_row_index(const struct raid_geo *g, const struct raid_row_geo *r, unsigned slot);

bool raid_level_has_parity(enum raid_level level);
unsigned raid_level_parities(enum raid_level level);
uint64_t raid_mask(unsigned first, unsigned count);

#endif
