/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RAID levels in DDF terms: primary level (PRL), its qualifier (RLQ), and the secondary level
 * (SRL) that binds several legs together. One table says what DDF knows; a row with a level of
 * raid.h is what we run. Also the 32 bytes that mark a configuration record as ours.
 */
#include "engine/ddf_raw.h"

#include <stdio.h>

#define SRL_STRIPED 0x00
#define SRL_SPANNED 0x03
#define SRL_NONE    0xFF

#define NOT_RUN	  -1
#define CHUNK_MIN 4096u
#define CHUNK_MAX (64u << 20)
/* md wants a chunk size even for a stripe of one. */
#define SIMPLE_CHUNK_SHIFT 7

static const struct level {
	uint8_t prl, rlq;
	int level; /* enum raid_level of one leg, or NOT_RUN */
	const char *name;
} levels[] = {
	{0x00, 0x00, RAID_STRIPE, "RAID 0"},
	{0x01, 0x00, RAID_MIRROR, "RAID 1"},
	{0x01, 0x01, RAID_MIRROR, "RAID 1, more than two copies"},
	{0x03, 0x00, NOT_RUN, "RAID 3, parity on the first member"},
	{0x03, 0x01, NOT_RUN, "RAID 3, parity on the last member"},
	{0x04, 0x00, NOT_RUN, "RAID 4, parity on the first member"},
	{0x04, 0x01, NOT_RUN, "RAID 4, parity on the last member"},
	{0x05, 0x00, NOT_RUN, "RAID 5, rotating parity 0, restart"},
	{0x05, 0x02, NOT_RUN, "RAID 5, rotating parity N, restart"},
	{0x05, 0x03, RAID_RAID5, "RAID 5, rotating parity N, continue"},
	{0x06, 0x01, NOT_RUN, "RAID 6, rotating parity 0, restart"},
	{0x06, 0x02, NOT_RUN, "RAID 6, rotating parity N, restart"},
	{0x06, 0x03, RAID_RAID6, "RAID 6, rotating parity N, continue"},
	{0x11, 0x00, NOT_RUN, "RAID 1E, adjacent copies"},
	{0x11, 0x01, NOT_RUN, "RAID 1E, offset copies"},
	{0x15, 0x00, NOT_RUN, "RAID 5E, rotating parity 0, restart"},
	{0x15, 0x02, NOT_RUN, "RAID 5E, rotating parity N, restart"},
	{0x15, 0x03, NOT_RUN, "RAID 5E, rotating parity N, continue"},
	{0x25, 0x00, NOT_RUN, "RAID 5EE, rotating parity 0, restart"},
	{0x25, 0x02, NOT_RUN, "RAID 5EE, rotating parity N, restart"},
	{0x25, 0x03, NOT_RUN, "RAID 5EE, rotating parity N, continue"},
	{0x35, 0x00, NOT_RUN, "RAID 5R"},
	{0x0F, 0x00, NOT_RUN, "JBOD"},
	{0x1F, 0x00, RAID_SPAN, "concatenation"},
};

static const struct level *find_level(uint8_t prl, uint8_t rlq)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (levels[i].prl == prl && levels[i].rlq == rlq)
			return &levels[i];
	return NULL;
}

const char *ddf_level_name(const struct ddf_conf *conf)
{
	const struct level *l = find_level(conf->prl, conf->rlq);

	return l ? l->name : "a RAID level that DDF 1.2 does not list";
}

/* Log2 of sectors, or -1. */
static int chunk_shift(uint32_t chunk)
{
	if (chunk < CHUNK_MIN || chunk > CHUNK_MAX || chunk & (chunk - 1))
		return -1;
	return __builtin_ctz(chunk) - 9;
}

int ddf_level_encode(const struct raid_shape *shape, struct ddf_conf *conf, struct err *err)
{
	unsigned legs = 1;
	bool chunked = false;

	conf->rlq = 0;
	switch (shape->level) {
	case RAID_SIMPLE:
		conf->prl = 0x00;
		break;
	case RAID_SPAN:
		conf->prl = 0x1F;
		break;
	case RAID_STRIPE:
		conf->prl = 0x00;
		chunked = true;
		break;
	case RAID_MIRROR:
		conf->prl = 0x01;
		conf->rlq = shape->members > 2;
		break;
	case RAID_RAID10:
		conf->prl = 0x01;
		legs = shape->members / 2;
		chunked = true;
		break;
	case RAID_RAID50:
	case RAID_RAID60:
		legs = shape->groups;
		/* fallthrough */
	case RAID_RAID5:
	case RAID_RAID6:
		conf->prl = shape->level == RAID_RAID5 || shape->level == RAID_RAID50 ? 0x05 : 0x06;
		conf->rlq = 0x03;
		chunked = true;
		break;
	}
	if (!shape->members || shape->members > RAID_MAX_MEMBERS || !legs || shape->members % legs)
		return err_set(err, -EINVAL, "%u members in %u legs cannot be recorded.", shape->members, legs);
	if (shape->level == RAID_RAID10 && shape->members % 2)
		return err_set(err, -EINVAL, "A RAID 10 of %u members cannot be recorded.", shape->members);
	if (chunked && chunk_shift(shape->chunk) < 0)
		return err_set(err, -EINVAL, "A chunk of %u bytes cannot be recorded.", shape->chunk);
	conf->members = (uint16_t)(shape->members / legs);
	conf->legs = (uint8_t)legs;
	conf->srl = legs == 1 ? SRL_NONE : conf->prl == 0x01 ? SRL_SPANNED : SRL_STRIPED;
	conf->chunk_shift = 0xFF;
	if (chunked)
		conf->chunk_shift = (uint8_t)chunk_shift(shape->chunk);
	else if (shape->level == RAID_SIMPLE)
		conf->chunk_shift = SIMPLE_CHUNK_SHIFT;
	return 0;
}

/* The level of all legs together, or NOT_RUN. */
static int bind_legs(const struct ddf_conf *conf, int level)
{
	if (level == RAID_STRIPE && conf->members == 1 && conf->legs <= 1)
		return RAID_SIMPLE;
	if (conf->legs <= 1)
		return level;
	/* md takes both for its RAID 10; they differ in nothing for legs of equal size. */
	if (level == RAID_MIRROR && conf->members == 2 &&
		(conf->srl == SRL_SPANNED || conf->srl == SRL_STRIPED))
		return RAID_RAID10;
	if (conf->srl == SRL_STRIPED && level == RAID_RAID5)
		return RAID_RAID50;
	if (conf->srl == SRL_STRIPED && level == RAID_RAID6)
		return RAID_RAID60;
	return NOT_RUN;
}

int ddf_level_decode(const struct ddf_conf *conf, struct raid_shape *shape, struct err *err)
{
	const struct level *l = find_level(conf->prl, conf->rlq);
	unsigned legs = conf->legs ? conf->legs : 1;
	int level = l ? bind_legs(conf, l->level) : NOT_RUN;

	memset(shape, 0, sizeof(*shape));
	if (!l)
		return err_set(err, -EINVAL, "Level %02X with qualifier %02X is not defined by DDF 1.2.",
			conf->prl, conf->rlq);
	if (level == NOT_RUN && legs > 1)
		return err_set(err, -ENOTSUP,
			"%s in %u legs of %u members (secondary level %02X) is recognised, but not served.", l->name,
			legs, conf->members, conf->srl);
	if (level == NOT_RUN)
		return err_set(err, -ENOTSUP, "%s is recognised, but not served.", l->name);
	if (!conf->members || conf->members * legs > RAID_MAX_MEMBERS)
		return err_set(err, -ENOTSUP, "%s over %u members is outside of 1 to %u.", l->name,
			conf->members * legs, RAID_MAX_MEMBERS);
	if (!conf->blocks || conf->blocks >= 1ull << 53 || conf->vd_blocks >= 1ull << 53)
		return err_set(err, -EINVAL, "The recorded size of %llu sectors cannot be.",
			(unsigned long long)(conf->blocks ? conf->vd_blocks : 0));
	shape->level = (enum raid_level)level;
	shape->members = conf->members * legs;
	shape->groups = legs;
	shape->member_size = conf->blocks * 512;
	if (level == RAID_SPAN)
		return 0;
	if (level == RAID_SIMPLE || level == RAID_MIRROR)
		return raid_shape_check(shape, err);
	if (conf->chunk_shift > 17 || chunk_shift(512u << conf->chunk_shift) < 0)
		return err_set(err, -ENOTSUP, "Its chunk size (2^%u sectors) is outside of 4 KiB to 64 MiB.",
			conf->chunk_shift);
	shape->chunk = 512u << conf->chunk_shift;
	shape->member_size -= shape->member_size % shape->chunk; /* others leave a rest unused */
	if (!shape->member_size)
		return err_set(err, -EINVAL, "Its members are smaller than one chunk.");
	return raid_shape_check(shape, err);
}

/* ---- our mark ----------------------------------------------------------------------------- */

#define MARK_VERSION 1

struct raw_mark { /* configuration record, bytes 480–511 */
	uint8_t m_owner[8];
	uint8_t m_version, m_policy;
	uint8_t m_object[16];
	uint8_t m_lun_type;
	uint8_t m_zero[5];
};
_Static_assert(sizeof(struct raw_mark) == 32, "mark of a configuration record");
_Static_assert(offsetof(struct raw_mark, m_object) == 10, "mark: object id");
_Static_assert(offsetof(struct raw_mark, m_lun_type) == 26, "mark: LUN type");

void ddf_mark_encode(const struct ddf_mark *mark, uint8_t vendor[static 32])
{
	struct raw_mark m = {.m_version = MARK_VERSION, .m_policy = mark->policy,
		.m_lun_type = mark->lun_type};

	memcpy(m.m_owner, DDF_VENDOR_OWNER, sizeof(m.m_owner));
	memcpy(m.m_object, mark->object.b, sizeof(m.m_object));
	memcpy(vendor, &m, sizeof(m));
}

bool ddf_mark_decode(const uint8_t vendor[static 32], struct ddf_mark *mark)
{
	struct raw_mark m;

	memcpy(&m, vendor, sizeof(m));
	memset(mark, 0, sizeof(*mark));
	if (memcmp(m.m_owner, DDF_VENDOR_OWNER, sizeof(m.m_owner)) || m.m_version != MARK_VERSION)
		return false;
	mark->policy = m.m_policy;
	mark->lun_type = m.m_lun_type;
	memcpy(mark->object.b, m.m_object, sizeof(m.m_object));
	return true;
}
