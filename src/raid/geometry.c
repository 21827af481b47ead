/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where bytes live: the forward map from the set to members and its inverse.
 *
 * Everything is arithmetic on the shape; nothing here has state. A parity group of n members
 * with k data chunks per row has, for inner row r, its P in slot (n-1) - (r mod n), the Q of
 * RAID 6 in the slot before it, and the data chunks in the slots after P, wrapping round (SNIA
 * DDF 1.2, "RAID-5/6 rotating parity N with data continuation"). RAID 50 and 60 deal whole inner
 * rows to their groups in turn: row R belongs to group R mod G and is its inner row R / G.
 *
 * Rows are numbered over the whole set; a row of a grouped set is one group's row.
 */
#include "raid/raid_internal.h"

#include <errno.h>

bool raid_level_has_parity(enum raid_level level)
{
	return raid_level_parities(level) > 0;
}

unsigned raid_level_parities(enum raid_level level)
{
	switch (level) {
	case RAID_RAID5:
	case RAID_RAID50:
		return 1;
	case RAID_RAID6:
	case RAID_RAID60:
		return 2;
	case RAID_SIMPLE:
	case RAID_SPAN:
	case RAID_STRIPE:
	case RAID_MIRROR:
	case RAID_RAID10:
		break;
	}
	return 0;
}

static bool level_is_grouped(enum raid_level level)
{
	return level == RAID_RAID50 || level == RAID_RAID60;
}

static bool level_is_chunked(enum raid_level level)
{
	return level == RAID_STRIPE || level == RAID_RAID10 || raid_level_has_parity(level);
}

void raid_geo_init(struct raid_geo *g, const struct raid_shape *shape)
{
	bool chunked = level_is_chunked(shape->level);

	g->groups = level_is_grouped(shape->level) ? shape->groups : 1;
	g->n = shape->members / g->groups;
	g->np = raid_level_parities(shape->level);
	g->copies = 1;
	g->k = 1;
	if (shape->level == RAID_MIRROR) {
		g->copies = shape->members;
	} else if (shape->level == RAID_RAID10) {
		g->copies = 2;
		g->k = shape->members / 2;
	} else if (chunked) {
		g->k = g->n - g->np;
	}
	g->cell = chunked ? shape->chunk : RAID_FLAT_ROW;
	g->row_bytes = g->k * (uint64_t)g->cell;
	g->size = raid_shape_size(shape);
	g->rows = (g->size + g->row_bytes - 1) / g->row_bytes;
}

/* ---- the shape as a whole ---------------------------------------------------------------- */

static int check_counts(const struct raid_shape *s, struct err *err)
{
	unsigned least = 0;

	switch (s->level) {
	case RAID_SIMPLE:
		if (s->members != 1)
			return err_set(
				err, -EINVAL, "A simple set has one member, not %u.", s->members);
		return 0;
	case RAID_SPAN:
		least = 1;
		break;
	case RAID_STRIPE:
	case RAID_MIRROR:
	case RAID_RAID10:
		least = 2;
		break;
	case RAID_RAID5:
	case RAID_RAID50:
		least = 3;
		break;
	case RAID_RAID6:
	case RAID_RAID60:
		least = 4;
		break;
	}
	if (!least)
		return err_set(err, -EINVAL, "RAID level %d is not known.", (int)s->level);
	if (s->members > RAID_MAX_MEMBERS)
		return err_set(err, -EINVAL, "A set has at most %d members, not %u.",
			RAID_MAX_MEMBERS, s->members);
	if (s->level == RAID_RAID10 && s->members % 2)
		return err_set(err, -EINVAL, "RAID 10 needs an even number of members, not %u.",
			s->members);
	if (level_is_grouped(s->level)) {
		if (s->groups < 2 || s->members % s->groups)
			return err_set(err, -EINVAL, "%u members do not make %u equal groups.",
				s->members, s->groups);
		if (s->members / s->groups < least)
			return err_set(err, -EINVAL, "A group needs at least %u members, not %u.",
				least, s->members / s->groups);
	} else if (s->members < least) {
		return err_set(err, -EINVAL, "This level needs at least %u members, not %u.", least,
			s->members);
	}
	return 0;
}

#define SIZE_LIMIT (UINT64_C(1) << 60)

int raid_shape_check(const struct raid_shape *s, struct err *err)
{
	int rc = check_counts(s, err);
	uint64_t total = 0;

	if (rc)
		return rc;
	if (level_is_chunked(s->level)) {
		if (!s->chunk || s->chunk % RAID_BLOCK || s->chunk > RAID_MAX_CHUNK)
			return err_set(err, -EINVAL,
				"A chunk of %u bytes is not a multiple of 4 KiB up to 64 MiB.",
				s->chunk);
		if (s->member_size % s->chunk)
			return err_set(err, -EINVAL,
				"The member size %llu is not a multiple of the chunk of %u bytes.",
				(unsigned long long)s->member_size, s->chunk);
	} else if (s->chunk) {
		return err_set(
			err, -EINVAL, "This level has no chunks, but a chunk size was given.");
	}
	for (unsigned i = 0; i < s->members; i++) {
		uint64_t size = s->level == RAID_SPAN ? s->span_sizes[i] : s->member_size;

		if (!size || size % 512 || size > SIZE_LIMIT)
			return err_set(err, -EINVAL,
				"The size %llu of member %u is not a positive multiple of 512.",
				(unsigned long long)size, i);
		total += size;
	}
	if (total > SIZE_LIMIT)
		return err_set(err, -EINVAL, "The members together are too large.");
	return 0;
}

uint64_t raid_shape_size(const struct raid_shape *s)
{
	uint64_t size = s->member_size;

	switch (s->level) {
	case RAID_SIMPLE:
	case RAID_MIRROR:
		return size;
	case RAID_SPAN:
		size = 0;
		for (unsigned i = 0; i < s->members; i++)
			size += s->span_sizes[i];
		return size;
	case RAID_STRIPE:
		return size * s->members;
	case RAID_RAID10:
		return size * (s->members / 2);
	case RAID_RAID5:
	case RAID_RAID6:
		return size * (s->members - raid_level_parities(s->level));
	case RAID_RAID50:
	case RAID_RAID60:
		return size * (s->members - s->groups * raid_level_parities(s->level));
	}
	return 0;
}

unsigned raid_shape_redundancy(const struct raid_shape *s)
{
	if (s->level == RAID_MIRROR)
		return s->members - 1;
	if (s->level == RAID_RAID10)
		return 1;
	return raid_level_parities(s->level);
}

uint64_t raid_shape_row(const struct raid_shape *s)
{
	struct raid_geo g;

	if (!level_is_chunked(s->level))
		return RAID_FLAT_UNIT;
	raid_geo_init(&g, s);
	return g.row_bytes;
}

uint64_t raid_mask(unsigned first, unsigned count)
{
	uint64_t ones = count >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1;

	return count ? ones << first : 0;
}

bool raid_shape_survives(const struct raid_shape *s, uint64_t lost)
{
	struct raid_geo g;

	raid_geo_init(&g, s);
	lost &= raid_mask(0, s->members);
	if (g.np) {
		for (unsigned i = 0; i < g.groups; i++)
			if ((unsigned)__builtin_popcountll(lost & raid_mask(i * g.n, g.n)) > g.np)
				return false;
		return true;
	}
	if (g.copies == 1)
		return !lost;
	for (unsigned i = 0; i < g.k; i++) {
		uint64_t leg = raid_mask(i * g.copies, g.copies);

		if ((lost & leg) == leg)
			return false;
	}
	return true;
}

/* ---- rows -------------------------------------------------------------------------------- */

void raid_row_geo(const struct raid_geo *g, uint64_t row, struct raid_row_geo *out)
{
	uint64_t inner = row / g->groups;

	out->row = row;
	out->first = (unsigned)(row % g->groups) * g->n;
	out->start = row * g->row_bytes;
	out->member_offset = inner * g->cell;
	out->cell = g->cell;
	if (g->size - out->start < g->row_bytes) /* the short last row of a level without chunks */
		out->cell = (uint32_t)(g->size - out->start);
	out->p = out->q = -1;
	if (g->np) {
		out->p = (int)(g->n - 1 - (unsigned)(inner % g->n));
		if (g->np == 2)
			out->q = (int)(((unsigned)out->p + g->n - 1) % g->n);
	}
}

unsigned raid_row_slot(const struct raid_geo *g, const struct raid_row_geo *r, unsigned index)
{
	if (!g->np)
		return index * g->copies;
	return ((unsigned)r->p + 1 + index) % g->n;
}

unsigned raid_row_index(const struct raid_geo *g, const struct raid_row_geo *r, unsigned slot)
{
	if (!g->np)
		return slot / g->copies;
	return (slot + g->n - (unsigned)r->p - 1) % g->n;
}

/* ---- bytes ------------------------------------------------------------------------------- */

static void map_span(const struct raid_shape *s, uint64_t offset, struct raid_place *out)
{
	uint64_t at = offset;
	unsigned m = 0;

	while (m + 1 < s->members && at >= s->span_sizes[m])
		at -= s->span_sizes[m++];
	out->member = m;
	out->offset = at;
	out->length = s->span_sizes[m] - at;
}

static void map_chunked(const struct raid_geo *g, uint64_t offset, struct raid_place *out)
{
	struct raid_row_geo r;
	uint64_t in_row;
	uint32_t in_cell;

	out->row = offset / g->row_bytes;
	raid_row_geo(g, out->row, &r);
	in_row = offset - r.start;
	in_cell = (uint32_t)(in_row % g->cell);
	out->member = r.first + raid_row_slot(g, &r, (unsigned)(in_row / g->cell));
	out->offset = r.member_offset + in_cell;
	out->length = g->cell - in_cell;
	out->copies = g->copies;
	if (r.p >= 0)
		out->parity_p = (int)r.first + r.p;
	if (r.q >= 0)
		out->parity_q = (int)r.first + r.q;
}

void raid_map(const struct raid_shape *s, uint64_t offset, struct raid_place *out)
{
	struct raid_geo g;

	raid_geo_init(&g, s);
	raid_map_geo(s, &g, offset, out);
}

void raid_map_geo(const struct raid_shape *s, const struct raid_geo *g, uint64_t offset,
	struct raid_place *out)
{
	*out = (struct raid_place){.copies = 1, .parity_p = -1, .parity_q = -1};
	if (level_is_chunked(s->level)) {
		map_chunked(g, offset, out);
		return;
	}
	out->row = offset / RAID_FLAT_UNIT;
	if (s->level == RAID_SPAN) {
		map_span(s, offset, out);
		return;
	}
	out->offset = offset;
	out->length = s->member_size - offset;
	if (s->level == RAID_MIRROR)
		out->copies = s->members;
}

static enum raid_role unmap_flat(const struct raid_shape *s, unsigned member, uint64_t offset,
	uint64_t *set_offset, uint64_t *row)
{
	uint64_t size = s->level == RAID_SPAN ? s->span_sizes[member] : s->member_size;
	uint64_t base = 0;

	if (offset >= size)
		return RAID_ROLE_NONE;
	for (unsigned i = 0; s->level == RAID_SPAN && i < member; i++)
		base += s->span_sizes[i];
	*set_offset = base + offset;
	*row = *set_offset / RAID_FLAT_UNIT;
	return RAID_ROLE_DATA;
}

enum raid_role raid_unmap(const struct raid_shape *s, unsigned member, uint64_t offset,
	uint64_t *set_offset, uint64_t *row)
{
	struct raid_geo g;
	struct raid_row_geo r;
	unsigned slot;

	if (member >= s->members)
		return RAID_ROLE_NONE;
	if (!level_is_chunked(s->level))
		return unmap_flat(s, member, offset, set_offset, row);
	if (offset >= s->member_size)
		return RAID_ROLE_NONE;
	raid_geo_init(&g, s);
	*row = offset / g.cell * g.groups + member / g.n;
	raid_row_geo(&g, *row, &r);
	*set_offset = r.start;
	slot = member % g.n;
	if (r.p >= 0 && slot == (unsigned)r.p)
		return RAID_ROLE_P;
	if (r.q >= 0 && slot == (unsigned)r.q)
		return RAID_ROLE_Q;
	*set_offset += raid_row_index(&g, &r, slot) * (uint64_t)g.cell + offset % g.cell;
	return RAID_ROLE_DATA;
}
