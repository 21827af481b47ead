/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the seeds of the ddf and priv fuzz targets into a folder: metadata as the codecs make them,
 * whole, interrupted and damaged. Also many seeds spoilt at random (the same ones every time), so
 * that the plain run of a target sees more than sound drives.
 */
#include "../unit/engine/ddf_fixture.h"

#include "engine/priv.h"

#include <sys/stat.h>

#define SPOILT 40

static const char *folder;

static void save(const char *target, const char *name, const uint8_t *bytes, size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void save_spoilt(const char *target, const uint8_t *bytes, size_t len, struct rng *rng)
{
	uint8_t *copy = malloc(len);
	char name[40];

	assert_non_null(copy);
	for (unsigned i = 0; i < SPOILT; i++) {
		memcpy(copy, bytes, len);
		copy[0] = (uint8_t)(1 + 2 * rng_below(rng, 128));
		if (i % 4)
			copy[0] |= 6;
		for (uint64_t n = 1 + rng_below(rng, 30); n--;) {
			size_t at = 1 + rng_below(rng, len - 1);

			copy[at] = (uint8_t)(rng_below(rng, 3) ? rng_next(rng) : copy[at] + 1u);
		}
		snprintf(name, sizeof(name), "spoilt-%03u", i);
		save(target, name, copy, i % 10 ? len : rng_below(rng, len));
	}
	free(copy);
}

static size_t drive(const struct fix *f, uint8_t *out, bool open, uint32_t behind)
{
	size_t len = fix_copy_len(f);
	struct fix older = *f;
	uint8_t *copy;

	out[0] = 0;
	ddf_encode_header(&f->set, &f->layout, DDF_ANCHOR, false, out + 1);
	copy = fix_copy(f, 2, DDF_PRIMARY, open);
	memcpy(out + 513, copy, len);
	free(copy);
	older.set.seq -= behind;
	copy = fix_copy(&older, 2, DDF_SECONDARY, false);
	memcpy(out + 513 + len, copy, len);
	free(copy);
	return 513 + 2 * len;
}

static void ddf_seeds(struct rng *rng)
{
	struct ddf_layout layout = fix_small_layout();
	uint8_t *bytes;
	struct fix f;
	size_t len;

	fix_init_layout(&f, 3, &layout);
	fix_fill(&f);
	bytes = calloc(1, 513 + 2 * fix_copy_len(&f));
	assert_non_null(bytes);
	len = drive(&f, bytes, true, 1);
	save("ddf", "interrupted", bytes, len);
	len = drive(&f, bytes, false, 1);
	save("ddf", "behind", bytes, len);
	len = drive(&f, bytes, false, 0);
	save("ddf", "whole", bytes, len);
	save("ddf", "cut", bytes, len / 3);
	save("ddf", "anchor", bytes, 513);
	save_spoilt("ddf", bytes, len, rng);
	free(bytes);
	fix_free(&f);
}

static void priv_seeds(struct rng *rng)
{
	static uint8_t bytes[1 + (4 + PRIV_LOST_BLOCKS) * PRIV_BLOCK];
	static struct priv_member members[PRIV_MEMBERS_PER_BLOCK];
	static struct priv_event events[PRIV_EVENTS_PER_BLOCK];
	static struct priv_lost lost[400];
	struct priv_super s = {.seq = 5, .ddf_seq = 7, .epoch = 2};
	struct priv_layout layout;
	struct ddf_layout ddf;

	assert_int_equal(ddf_layout_plan(96 * MIB, &ddf, NULL), 0);
	assert_int_equal(priv_layout_plan(&ddf, &layout, NULL), 0);
	s.log = layout.log;
	s.bitmap = layout.bitmap;
	s.checksums = layout.checksums;
	priv_super_encode(&s, bytes + 1);
	s.seq++;
	priv_super_encode(&s, bytes + 1 + PRIV_BLOCK);
	for (unsigned i = 0; i < PRIV_MEMBERS_PER_BLOCK; i += 2) {
		members[i].used = true;
		members[i].state = (enum priv_member_state)(i / 2 % 3);
		members[i].start = i * 4096;
		members[i].blocks = 4096;
		members[i].recovered = i;
		events[i].seq = i + 1;
		events[i].kind = (uint16_t)i;
	}
	priv_members_encode(members, bytes + 1 + 2 * PRIV_BLOCK);
	priv_events_encode(events, bytes + 1 + 3 * PRIV_BLOCK);
	for (unsigned i = 0; i < 400; i++)
		lost[i] = (struct priv_lost){i / 100, i * 1000ull, i + 1};
	assert_int_equal(priv_lost_encode(lost, 400, 9, bytes + 1 + 4 * PRIV_BLOCK), 3);
	save("priv", "whole", bytes, sizeof(bytes));
	save("priv", "cut", bytes, 5000);
	save_spoilt("priv", bytes, sizeof(bytes), rng);
}

int main(int argc, char **argv)
{
	static const char *const targets[] = {"ddf", "priv"};
	struct rng rng;
	FILE *stamp;
	char path[4096];

	if (argc != 2)
		return 2;
	folder = argv[1];
	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, targets[i]);
		mkdir(folder, 0777);
		mkdir(path, 0777);
	}
	rng_seed(&rng, 12);
	ddf_seeds(&rng);
	priv_seeds(&rng);
	snprintf(path, sizeof(path), "%s.stamp", folder);
	stamp = fopen(path, "w");
	return !stamp || fclose(stamp);
}
