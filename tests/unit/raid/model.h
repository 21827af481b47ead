/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each sector may hold. Every write has an id and fills its sectors with a pattern made of
 * the id and the sector's number; id 0 is zeros. A sector keeps the writes whose data it may
 * still show:
 *
 *  - to a read: those that no later write has replaced before the read began. A later write is
 *    one that began after the earlier one had ended; writes that overlapped may have either
 *    outcome.
 *  - after a crash: those that no later write has replaced durably, that is, flushed.
 *
 * A write that failed may or may not have left its data, and replaces nothing.
 */
#ifndef TESTS_RAID_MODEL_H
#define TESTS_RAID_MODEL_H

#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

struct model_cand {
	uint64_t id, start, end;
	uint64_t replaced; /* when a later write ended */
	bool ok, stable;
};
VEC(struct model_cand, model_cands)

struct model {
	uint64_t sectors, now, next_id;
	struct model_cands *sector;
	uint64_t *touched; /* sectors that were ever written */
	size_t touched_len;
	uint64_t oldest_read;
};

void model_init(struct model *m, uint64_t sectors);
void model_fini(struct model *m);
/* The bytes a write puts there. */
void model_fill(uint64_t id, uint64_t sector, uint8_t *out);
/* Returns the id. zero: the write is of zeros (its id is 0 as far as content goes). */
uint64_t model_write_begin(struct model *m, uint64_t sector, uint64_t count, bool zero);
void model_write_end(
	struct model *m, uint64_t sector, uint64_t count, uint64_t id, bool ok, bool stable);
uint64_t model_flush_begin(struct model *m);
void model_flush_end(struct model *m, uint64_t began);
uint64_t model_read_begin(struct model *m);
/* True if the data is permitted for a read that began then; else says why on stderr. */
bool model_read_end(
	struct model *m, uint64_t began, uint64_t sector, uint64_t count, const uint8_t *data);
/* After a crash: is that permitted? From now on it is what the sectors hold. */
bool model_crashed(struct model *m, uint64_t sector, uint64_t count, const uint8_t *data);

#endif
