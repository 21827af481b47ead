/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The private area's blocks over hostile drives. Input: flags, then blocks: superblock A, B, one
 * of the member table, of the event ring, a copy of the list of lost data; what lacks is zero. With flag 1
 * the checksums are put right first.
 */
#include "engine/label.h"
#include "engine/priv.h"

#include <stdint.h>
#include <stdlib.h>

enum { BLOCKS = 4 + PRIV_LOST_BLOCKS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void fix(uint8_t *p, size_t len, size_t at)
{
	memset(p + at, 0, 4);
	bytes_put_le(p + at, 4, priv_crc32c(p, len));
}

static void fix_all(uint8_t blocks[BLOCKS][PRIV_BLOCK])
{
	fix(blocks[0], PRIV_BLOCK, 8);
	fix(blocks[1], PRIV_BLOCK, 8);
	for (unsigned i = 0; i < 64; i++) {
		fix(blocks[2] + i * 64u, 60, 60);
		fix(blocks[3] + i * 64u, 60, 60);
	}
	for (unsigned i = 0; i < PRIV_LOST_BLOCKS; i++)
		fix(blocks[4 + i], PRIV_BLOCK, 4);
}

static void super(uint8_t blocks[BLOCKS][PRIV_BLOCK], unsigned flags)
{
	struct ddf_layout ddf;
	struct priv_layout layout;
	struct priv_super s, again;
	uint8_t out[PRIV_BLOCK];
	unsigned copy;

	check(!ddf_layout_plan(flags & 2 ? 2ull << 30 : 96ull << 20, &ddf, NULL));
	check(!priv_layout_plan(&ddf, &layout, NULL));
	if (priv_super_choose(blocks[0], blocks[1], &layout, &s, &copy, NULL))
		return;
	check(copy < 2 && s.log.len <= layout.blocks && s.bitmap.len <= layout.blocks);
	priv_super_encode(&s, out);
	check(!priv_super_decode(out, &layout, &again, NULL) && !memcmp(&s, &again, sizeof(s)));
}

static void label(const uint8_t *sector)
{
	struct label l, again;
	uint8_t out[DDF_SECTOR];

	if (!label_decode(sector, &l))
		return;
	label_encode(&l, out);
	check(label_decode(out, &again) && !memcmp(&l, &again, sizeof(l)));
}

static void tables(uint8_t blocks[BLOCKS][PRIV_BLOCK], unsigned flags)
{
	struct priv_member members[PRIV_MEMBERS_PER_BLOCK], members_again[PRIV_MEMBERS_PER_BLOCK];
	struct priv_event events[PRIV_EVENTS_PER_BLOCK], events_again[PRIV_EVENTS_PER_BLOCK];
	unsigned ring = flags >> 2 & 15;
	uint8_t out[PRIV_BLOCK];

	priv_members_decode(blocks[2], members);
	for (unsigned i = 0; i < PRIV_MEMBERS_PER_BLOCK; i++) {
		check(!members[i].used || members[i].recovered <= members[i].blocks);
		members[i].damaged = false;
	}
	priv_members_encode(members, out);
	check(!priv_members_decode(out, members_again));
	check(!memcmp(members, members_again, sizeof(members)));
	priv_events_decode(blocks[3], ring, events);
	priv_events_encode(events, out);
	check(!priv_events_decode(out, ring, events_again));
	check(!memcmp(events, events_again, sizeof(events)));
}

static void lost(uint8_t blocks[BLOCKS][PRIV_BLOCK])
{
	static struct priv_lost list[PRIV_LOST_MAX], again[PRIV_LOST_MAX];
	static uint8_t out[PRIV_LOST_BLOCKS * PRIV_BLOCK];
	unsigned count, count_again;
	uint64_t seq, seq_again;

	if (priv_lost_decode(blocks[4], list, &count, &seq) || !seq)
		return;
	check(count <= PRIV_LOST_MAX);
	priv_lost_encode(list, count, seq, out);
	check(!priv_lost_decode(out, again, &count_again, &seq_again));
	check(count == count_again && seq == seq_again);
	check(!memcmp(list, again, count * sizeof(list[0])));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t blocks[BLOCKS][PRIV_BLOCK];

	if (!size)
		return 0;
	memset(blocks, 0, sizeof(blocks));
	memcpy(blocks, data + 1, size - 1 < sizeof(blocks) ? size - 1 : sizeof(blocks));
	if (data[0] & 1)
		fix_all(blocks);
	label(blocks[0]);
	super(blocks, data[0]);
	tables(blocks, data[0]);
	lost(blocks);
	return 0;
}
