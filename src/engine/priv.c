/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of the private area: superblock, member table, event ring, lost data. The
 * superblock's CRC covers its block, an entry's the entry, a list's its block.
 */
#include "engine/priv.h"

#include "base/bytes.h"

#include <isa-l/crc.h>
#include <limits.h>
#include <stddef.h>

/* ISA-L starts from what it is given and does not invert; the usual CRC32C does both ends. */
uint32_t priv_crc32c_more(uint32_t crc, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint32_t state = ~crc;

	while (len) {
		int part = len > INT_MAX / 2 ? INT_MAX / 2 : (int)len;

		state = crc32_iscsi((unsigned char *)(uintptr_t)p, part, state);
		p += part;
		len -= (size_t)part;
	}
	return ~state;
}

uint32_t priv_crc32c(const void *bytes, size_t len)
{
	return priv_crc32c_more(0, bytes, len);
}

/* ---- superblock --------------------------------------------------------------------------- */

#define SUPER_MAGIC   "VDSARRY1"
#define SUPER_VERSION 1

struct raw_area {
	le64_t a_start, a_len;
};

struct raw_super {
	uint8_t sb_magic[8];
	le32_t sb_crc, sb_version;
	le64_t sb_seq;
	le32_t sb_ddf_seq, sb_flags;
	uint8_t sb_container[24], sb_drive[24];
	le32_t sb_cache, sb_pad;
	struct raw_area sb_log, sb_bitmap, sb_checksums;
	le64_t sb_log_tail_seq, sb_epoch;
	uint8_t sb_zero[PRIV_BLOCK - 152];
};
_Static_assert(sizeof(struct raw_super) == PRIV_BLOCK, "private superblock");
_Static_assert(offsetof(struct raw_super, sb_seq) == 16, "private superblock: seq");
_Static_assert(offsetof(struct raw_super, sb_container) == 32, "private superblock: container");
_Static_assert(offsetof(struct raw_super, sb_cache) == 80, "private superblock: cache");
_Static_assert(offsetof(struct raw_super, sb_log) == 88, "private superblock: log");
_Static_assert(offsetof(struct raw_super, sb_log_tail_seq) == 136, "private superblock: log tail");
_Static_assert(offsetof(struct raw_super, sb_epoch) == 144, "private superblock: epoch");

static struct raw_area area_put(const struct priv_area *a)
{
	return (struct raw_area){le64(a->start), le64(a->len)};
}

static struct priv_area area_get(const struct raw_area *a)
{
	return (struct priv_area){le64_get(a->a_start), le64_get(a->a_len)};
}

void priv_super_encode(const struct priv_super *super, uint8_t out[static PRIV_BLOCK])
{
	struct raw_super r;

	memset(&r, 0, sizeof(r));
	memcpy(r.sb_magic, SUPER_MAGIC, sizeof(r.sb_magic));
	r.sb_version = le32(SUPER_VERSION);
	r.sb_seq = le64(super->seq);
	r.sb_ddf_seq = le32(super->ddf_seq);
	r.sb_flags = le32(super->flags);
	memcpy(r.sb_container, super->container.b, sizeof(r.sb_container));
	memcpy(r.sb_drive, super->drive.b, sizeof(r.sb_drive));
	r.sb_cache = le32(super->cache);
	r.sb_log = area_put(&super->log);
	r.sb_bitmap = area_put(&super->bitmap);
	r.sb_checksums = area_put(&super->checksums);
	r.sb_log_tail_seq = le64(super->log_tail_seq);
	r.sb_epoch = le64(super->epoch);
	r.sb_crc = le32(priv_crc32c(&r, sizeof(r)));
	memcpy(out, &r, sizeof(r));
}

static bool area_inside(const struct priv_area *a, const struct priv_layout *layout)
{
	return !a->len || (a->start >= PRIV_BITMAP_BLOCK && a->start < layout->blocks &&
				a->len <= layout->blocks - a->start);
}

static bool areas_apart(const struct priv_area *a, const struct priv_area *b)
{
	return !a->len || !b->len || a->start + a->len <= b->start || b->start + b->len <= a->start;
}

int priv_super_decode(const uint8_t in[static PRIV_BLOCK], const struct priv_layout *layout,
	struct priv_super *out, struct err *err)
{
	struct raw_super r;
	uint32_t crc;

	memset(out, 0, sizeof(*out));
	memcpy(&r, in, sizeof(r));
	if (memcmp(r.sb_magic, SUPER_MAGIC, sizeof(r.sb_magic)))
		return err_set(err, -EMEDIUMTYPE, "There is no private superblock.");
	crc = le32_get(r.sb_crc);
	r.sb_crc = le32(0);
	if (crc != priv_crc32c(&r, sizeof(r)))
		return err_set(err, -EUCLEAN, "The private superblock is damaged: its checksum is wrong.");
	if (le32_get(r.sb_version) != SUPER_VERSION)
		return err_set(err, -ENOTSUP, "The private area has version %u; this program knows version %d.",
			le32_get(r.sb_version), SUPER_VERSION);
	out->seq = le64_get(r.sb_seq);
	out->ddf_seq = le32_get(r.sb_ddf_seq);
	out->flags = le32_get(r.sb_flags);
	memcpy(out->container.b, r.sb_container, sizeof(r.sb_container));
	memcpy(out->drive.b, r.sb_drive, sizeof(r.sb_drive));
	/* What is unknown is treated as volatile: that only costs flushes. */
	out->cache = le32_get(r.sb_cache) == PRIV_CACHE_WRITE_THROUGH ? PRIV_CACHE_WRITE_THROUGH
								       : PRIV_CACHE_VOLATILE;
	out->log = area_get(&r.sb_log);
	out->bitmap = area_get(&r.sb_bitmap);
	out->checksums = area_get(&r.sb_checksums);
	out->log_tail_seq = le64_get(r.sb_log_tail_seq);
	out->epoch = le64_get(r.sb_epoch);
	if (!area_inside(&out->log, layout) || !area_inside(&out->bitmap, layout) ||
		!area_inside(&out->checksums, layout) || !areas_apart(&out->log, &out->bitmap) ||
		!areas_apart(&out->log, &out->checksums) || !areas_apart(&out->bitmap, &out->checksums)) {
		memset(out, 0, sizeof(*out));
		return err_set(err, -EUCLEAN, "The private superblock places its areas outside of the workspace "
									  "or over each other.");
	}
	return 0;
}

int priv_super_choose(const uint8_t *a, const uint8_t *b, const struct priv_layout *layout,
	struct priv_super *out, unsigned *copy, struct err *err)
{
	const uint8_t *in[2] = {a, b};
	struct priv_super found[2];
	struct err errs[2] = {{0}, {0}};
	int rc[2], best;

	memset(out, 0, sizeof(*out));
	*copy = 0;
	for (unsigned i = 0; i < 2; i++)
		rc[i] = in[i] ? priv_super_decode(in[i], layout, &found[i], &errs[i])
			      : err_set(&errs[i], -EIO, "The private superblock could not be read.");
	if (rc[0] && rc[1]) {
		/* "None here" says less than any other complaint. */
		best = rc[0] == -EMEDIUMTYPE;
		return err_set(err, rc[best], "%s", errs[best].text);
	}
	best = rc[0] || (!rc[1] && found[1].seq > found[0].seq);
	*out = found[best];
	*copy = (unsigned)best;
	return 0;
}

/* ---- member table ------------------------------------------------------------------------- */

struct raw_member {
	uint8_t m_vd[24];
	uint8_t m_leg, m_slot, m_state, m_flags;
	le64_t m_start, m_blocks, m_recovered, m_stale_mask;
	le32_t m_crc; /* of what is before */
};
_Static_assert(sizeof(struct raw_member) == 64, "member table entry");
_Static_assert(offsetof(struct raw_member, m_crc) == 60, "member table entry: CRC");
_Static_assert(PRIV_MEMBERS == PRIV_MEMBER_BLOCKS * PRIV_MEMBERS_PER_BLOCK, "member table");

static bool is_zero(const uint8_t *p, size_t len)
{
	return !p[0] && !memcmp(p, p + 1, len - 1);
}

void priv_members_encode(const struct priv_member in[static PRIV_MEMBERS_PER_BLOCK],
	uint8_t out[static PRIV_BLOCK])
{
	memset(out, 0, PRIV_BLOCK);
	for (unsigned i = 0; i < PRIV_MEMBERS_PER_BLOCK; i++) {
		const struct priv_member *m = &in[i];
		struct raw_member r = {
			.m_leg = m->leg,
			.m_slot = m->slot,
			.m_state = (uint8_t)m->state,
			.m_flags = m->flags,
			.m_start = le64(m->start),
			.m_blocks = le64(m->blocks),
			.m_recovered = le64(m->recovered),
			.m_stale_mask = le64(m->stale_mask),
		};

		if (!m->used)
			continue;
		memcpy(r.m_vd, m->vd.b, sizeof(r.m_vd));
		r.m_crc = le32(priv_crc32c(&r, offsetof(struct raw_member, m_crc)));
		memcpy(out + i * sizeof(r), &r, sizeof(r));
	}
}

static bool decode_member(const uint8_t *in, struct priv_member *m)
{
	struct raw_member r;

	memset(m, 0, sizeof(*m));
	memcpy(&r, in, sizeof(r));
	if (le32_get(r.m_crc) != priv_crc32c(in, offsetof(struct raw_member, m_crc)))
		return false;
	switch (r.m_state) {
	case PRIV_MEMBER_IN_SYNC:
	case PRIV_MEMBER_REBUILDING:
	case PRIV_MEMBER_STALE:
		break;
	default:
		return false;
	}
	if (le64_get(r.m_recovered) > le64_get(r.m_blocks) ||
		le64_get(r.m_start) + le64_get(r.m_blocks) < le64_get(r.m_start))
		return false;
	m->used = true;
	memcpy(m->vd.b, r.m_vd, sizeof(m->vd.b));
	m->leg = r.m_leg;
	m->slot = r.m_slot;
	m->state = (enum priv_member_state)r.m_state;
	m->flags = r.m_flags;
	m->start = le64_get(r.m_start);
	m->blocks = le64_get(r.m_blocks);
	m->recovered = le64_get(r.m_recovered);
	m->stale_mask = le64_get(r.m_stale_mask);
	return true;
}

unsigned priv_members_decode(const uint8_t in[static PRIV_BLOCK],
	struct priv_member out[static PRIV_MEMBERS_PER_BLOCK])
{
	unsigned damaged = 0;

	for (unsigned i = 0; i < PRIV_MEMBERS_PER_BLOCK; i++) {
		const uint8_t *p = in + i * sizeof(struct raw_member);

		memset(&out[i], 0, sizeof(out[i]));
		if (is_zero(p, sizeof(struct raw_member)) || decode_member(p, &out[i]))
			continue;
		out[i].damaged = true;
		damaged++;
	}
	return damaged;
}

/* ---- event ring --------------------------------------------------------------------------- */

struct raw_event {
	le64_t e_seq, e_wall_ms;
	le16_t e_kind, e_severity;
	le32_t e_code;
	uint8_t e_object[16];
	le64_t e_arg1, e_arg2;
	le32_t e_pad, e_crc; /* of what is before */
};
_Static_assert(sizeof(struct raw_event) == 64, "event ring entry");
_Static_assert(offsetof(struct raw_event, e_crc) == 60, "event ring entry: CRC");
_Static_assert(PRIV_EVENTS == PRIV_EVENT_BLOCKS * PRIV_EVENTS_PER_BLOCK, "event ring");

void priv_events_encode(const struct priv_event in[static PRIV_EVENTS_PER_BLOCK],
	uint8_t out[static PRIV_BLOCK])
{
	memset(out, 0, PRIV_BLOCK);
	for (unsigned i = 0; i < PRIV_EVENTS_PER_BLOCK; i++) {
		const struct priv_event *e = &in[i];
		struct raw_event r = {
			.e_seq = le64(e->seq),
			.e_wall_ms = le64((uint64_t)e->wall_ms),
			.e_kind = le16(e->kind),
			.e_severity = le16(e->severity),
			.e_code = le32((uint32_t)e->code),
			.e_arg1 = le64(e->arg1),
			.e_arg2 = le64(e->arg2),
		};

		if (!e->seq)
			continue;
		memcpy(r.e_object, e->object.b, sizeof(r.e_object));
		r.e_crc = le32(priv_crc32c(&r, offsetof(struct raw_event, e_crc)));
		memcpy(out + i * sizeof(r), &r, sizeof(r));
	}
}

static bool decode_event(const uint8_t *in, unsigned place, struct priv_event *e)
{
	struct raw_event r;
	uint64_t seq;

	memcpy(&r, in, sizeof(r));
	seq = le64_get(r.e_seq);
	if (!seq || priv_event_place(seq) != place ||
		le32_get(r.e_crc) != priv_crc32c(in, offsetof(struct raw_event, e_crc)))
		return false;
	e->seq = seq;
	e->wall_ms = (int64_t)le64_get(r.e_wall_ms);
	e->kind = le16_get(r.e_kind);
	e->severity = le16_get(r.e_severity);
	e->code = (int32_t)le32_get(r.e_code);
	memcpy(e->object.b, r.e_object, sizeof(e->object.b));
	e->arg1 = le64_get(r.e_arg1);
	e->arg2 = le64_get(r.e_arg2);
	return true;
}

unsigned priv_events_decode(const uint8_t in[static PRIV_BLOCK], unsigned block,
	struct priv_event out[static PRIV_EVENTS_PER_BLOCK])
{
	unsigned damaged = 0;

	for (unsigned i = 0; i < PRIV_EVENTS_PER_BLOCK; i++) {
		const uint8_t *p = in + i * sizeof(struct raw_event);

		memset(&out[i], 0, sizeof(out[i]));
		if (!is_zero(p, sizeof(struct raw_event)) &&
			!decode_event(p, block * PRIV_EVENTS_PER_BLOCK + i, &out[i]))
			damaged++;
	}
	return damaged;
}

/* ---- lost data ---------------------------------------------------------------------------- */

#define LOST_MAGIC 0x4C534456u /* "VDSL" */

struct raw_lost {
	le64_t l_vd, l_first, l_sectors;
};

struct raw_lost_block {
	le32_t lb_magic, lb_crc; /* of the whole block, this field zero */
	le64_t lb_seq;
	le16_t lb_blocks, lb_entries; /* blocks of the copy; entries of this one */
	le32_t lb_zero;
	struct raw_lost lb_list[PRIV_LOST_PER_BLOCK];
	uint8_t lb_pad[16];
};
_Static_assert(sizeof(struct raw_lost_block) == PRIV_BLOCK, "block of lost data");
_Static_assert(offsetof(struct raw_lost_block, lb_list) == 24, "block of lost data: entries");

uint64_t priv_vd_tag(const struct ddf_guid *vd)
{
	return bytes_get_be(vd->b + 16, 8);
}

unsigned priv_lost_encode(const struct priv_lost *list, unsigned count, uint64_t seq,
	uint8_t out[static PRIV_LOST_BLOCKS * PRIV_BLOCK])
{
	unsigned blocks = count ? (count + PRIV_LOST_PER_BLOCK - 1) / PRIV_LOST_PER_BLOCK : 1;
	struct raw_lost_block r;

	for (unsigned b = 0; b < blocks; b++) {
		unsigned first = b * PRIV_LOST_PER_BLOCK, left = count - first;
		unsigned n = left < PRIV_LOST_PER_BLOCK ? left : PRIV_LOST_PER_BLOCK;

		memset(&r, 0, sizeof(r));
		r.lb_magic = le32(LOST_MAGIC);
		r.lb_seq = le64(seq);
		r.lb_blocks = le16((uint16_t)blocks);
		r.lb_entries = le16((uint16_t)n);
		for (unsigned i = 0; i < n; i++)
			r.lb_list[i] = (struct raw_lost){le64(list[first + i].vd),
				le64(list[first + i].first), le64(list[first + i].sectors)};
		r.lb_crc = le32(priv_crc32c(&r, sizeof(r)));
		memcpy(out + (size_t)b * PRIV_BLOCK, &r, sizeof(r));
	}
	return blocks;
}

/* One block of a copy; the first says how many there are and of which number. */
static bool decode_lost_block(struct raw_lost_block *r, unsigned b, unsigned *blocks, uint64_t *seq)
{
	uint32_t crc = le32_get(r->lb_crc);

	r->lb_crc = le32(0);
	if (le32_get(r->lb_magic) != LOST_MAGIC || crc != priv_crc32c(r, sizeof(*r)) ||
		le16_get(r->lb_entries) > PRIV_LOST_PER_BLOCK || !le64_get(r->lb_seq))
		return false;
	if (!b) {
		*blocks = le16_get(r->lb_blocks);
		*seq = le64_get(r->lb_seq);
	}
	return *blocks && *blocks <= PRIV_LOST_BLOCKS && *blocks == le16_get(r->lb_blocks) &&
		*seq == le64_get(r->lb_seq);
}

int priv_lost_decode(const uint8_t in[static PRIV_LOST_BLOCKS * PRIV_BLOCK],
	struct priv_lost out[static PRIV_LOST_MAX], unsigned *count, uint64_t *seq)
{
	struct raw_lost_block r;
	unsigned blocks = 1;

	*count = 0;
	*seq = 0;
	if (is_zero(in, PRIV_BLOCK))
		return 0;
	for (unsigned b = 0; b < blocks; b++) {
		memcpy(&r, in + (size_t)b * PRIV_BLOCK, sizeof(r));
		if (!decode_lost_block(&r, b, &blocks, seq))
			goto damaged;
		for (unsigned i = 0; i < le16_get(r.lb_entries); i++) {
			struct priv_lost *l = &out[(*count)++];

			*l = (struct priv_lost){le64_get(r.lb_list[i].l_vd),
				le64_get(r.lb_list[i].l_first), le64_get(r.lb_list[i].l_sectors)};
			if (!l->sectors || l->first + l->sectors < l->first ||
				l->first + l->sectors > UINT64_MAX / 512)
				goto damaged;
		}
	}
	return 0;
damaged:
	*count = 0;
	*seq = 0;
	return -EUCLEAN;
}
