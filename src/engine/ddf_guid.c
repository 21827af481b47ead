/* SPDX-License-Identifier: Apache-2.0 */
/* DDF identities and time stamps: how they are made and what they turn into. */
#include "engine/ddf_raw.h"

#include <nettle/sha1.h>
#include <stdio.h>

#define DDF_EPOCH 315532800 /* 1980-01-01 in Unix seconds */

bool ddf_guid_is_free(const struct ddf_guid *g)
{
	for (size_t i = 0; i < sizeof(g->b); i++)
		if (g->b[i] != 0xFF)
			return false;
	return true;
}

void ddf_guid_new(struct ddf_guid *out, enum ddf_guid_kind kind, struct rng *rng, uint32_t timestamp)
{
	memcpy(out->b, "LINUXVDS", 8);
	out->b[8] = (uint8_t)kind;
	rng_bytes(rng, out->b + 9, 7);
	bytes_put_be(out->b + 16, 4, timestamp);
	rng_bytes(rng, out->b + 20, 4);
}

uint32_t ddf_refnum_new(const struct ddf_set *set, struct rng *rng)
{
	uint32_t refnum;

	do
		refnum = (uint32_t)rng_next(rng);
	while (refnum == DDF_MISSING || refnum == DDF_NONE || ddf_set_pd_by_refnum(set, refnum));
	return refnum;
}

struct guid ddf_guid_object(const struct ddf_guid *g)
{
	uint8_t digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx ctx;
	struct guid out;

	sha1_init(&ctx);
	sha1_update(&ctx, sizeof(g->b), g->b);
	sha1_digest(&ctx, sizeof(digest), digest);
	memcpy(out.b, digest, sizeof(out.b));
	guid_stamp(&out, 5);
	return out;
}

const char *ddf_guid_format(const struct ddf_guid *g, char buf[static DDF_GUID_TEXT_SIZE])
{
	char *p = buf;

	for (size_t i = 0; i < sizeof(g->b); i++)
		p += sprintf(p, "%s%02X", i && !(i % 4) ? ":" : "", g->b[i]);
	return buf;
}

uint32_t ddf_time(int64_t wall_ms)
{
	int64_t seconds = wall_ms / 1000 - DDF_EPOCH;

	if (seconds < 0)
		return 0;
	return seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
}

int64_t ddf_time_ms(uint32_t timestamp)
{
	return ((int64_t)timestamp + DDF_EPOCH) * 1000;
}
