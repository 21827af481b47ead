/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The private area's blocks over hostile drives. Input: flags, then blocks: superblock A, B, one
 * of the member table, of the event ring, of the bad-block list; what lacks is zero. With flag 1
 * the checksums are put right first.
 */
#include "engine/priv.h"

#include <stdint.h>
#include <stdlib.h>

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

static void fix_all(uint8_t blocks[5][PRIV_BLOCK])
{
	fix(blocks[0], PRIV_BLOCK, 8);
	fix(blocks[1], PRIV_BLOCK, 8);
	for (unsigned i = 0; i < 64; i++) {
		fix(blocks[2] + i * 64u, 60, 60);
		fix(blocks[3] + i * 64u, 60, 60);
	}
	fix(blocks[4], PRIV_BLOCK - 4, PRIV_BLOCK - 4);
}

static void super(uint8_t blocks[5][PRIV_BLOCK], unsigned flags)
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

static void tables(uint8_t blocks[5][PRIV_BLOCK], unsigned flags)
{
	struct priv_member members[PRIV_MEMBERS_PER_BLOCK], members_again[PRIV_MEMBERS_PER_BLOCK];
	struct priv_event events[PRIV_EVENTS_PER_BLOCK], events_again[PRIV_EVENTS_PER_BLOCK];
	struct priv_bad bads[PRIV_BADS_PER_BLOCK], bads_again[PRIV_BADS_PER_BLOCK];
	unsigned count, count_again, ring = flags >> 2 & 15;
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
	if (priv_bads_decode(blocks[4], bads, &count, NULL))
		return;
	check(!priv_bads_encode(bads, count, out));
	check(!priv_bads_decode(out, bads_again, &count_again, NULL) && count == count_again);
	for (unsigned i = 0; i < count; i++)
		check(bads[i].lba == bads_again[i].lba && bads[i].length == bads_again[i].length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t blocks[5][PRIV_BLOCK];

	if (!size)
		return 0;
	memset(blocks, 0, sizeof(blocks));
	memcpy(blocks, data + 1, size - 1 < sizeof(blocks) ? size - 1 : sizeof(blocks));
	if (data[0] & 1)
		fix_all(blocks);
	super(blocks, data[0]);
	tables(blocks, data[0]);
	return 0;
}
