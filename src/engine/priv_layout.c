/* SPDX-License-Identifier: Apache-2.0 */
/* Where the parts of the private area stand in a workspace. It follows from the workspace's
 * size alone, so that reader and writer agree without a superblock. */
#include "engine/priv.h"

#define LOG_BLOCKS	   (16u << 20 >> 12)
#define LOG_BLOCKS_COMPACT (1u << 20 >> 12)

int priv_layout_plan(const struct ddf_layout *ddf, struct priv_layout *out, struct err *err)
{
	uint64_t first = (ddf->workspace + PRIV_BLOCK_SECTORS - 1) / PRIV_BLOCK_SECTORS;
	uint64_t end = (ddf->workspace + ddf->workspace_len) / PRIV_BLOCK_SECTORS;
	uint64_t at = PRIV_BITMAP_BLOCK;

	memset(out, 0, sizeof(*out));
	out->base_bytes = first * PRIV_BLOCK;
	out->blocks = end > first ? end - first : 0;
	out->bitmap_slot_blocks = ddf->compact ? PRIV_BITMAP_SLOT_BLOCKS_COMPACT : PRIV_BITMAP_SLOT_BLOCKS;
	out->bitmap.start = at;
	out->bitmap.len = (uint64_t)PRIV_BITMAP_SLOTS * out->bitmap_slot_blocks;
	at += out->bitmap.len;
	out->log.start = at;
	out->log.len = ddf->compact ? LOG_BLOCKS_COMPACT : LOG_BLOCKS;
	at += out->log.len;
	out->checksums.start = at;
	if (out->blocks <= at)
		return err_set(err, -ENOTSUP,
			"The drive's workspace of %u sectors is too small for what is kept there.", ddf->workspace_len);
	out->checksums.len = out->blocks - at;
	return 0;
}

uint64_t priv_bitmap_offset(const struct priv_layout *layout, unsigned slot)
{
	return priv_block_offset(layout, layout->bitmap.start + (uint64_t)slot * layout->bitmap_slot_blocks);
}

uint64_t priv_bitmap_bytes(const struct priv_layout *layout)
{
	return (uint64_t)layout->bitmap_slot_blocks * PRIV_BLOCK;
}
