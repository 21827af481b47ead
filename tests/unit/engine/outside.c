/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody else has run the array since our last commit, as Linux md does: data on the members have
 * changed, and of the metadata just the number in the headers. What we noted before counts no more.
 * (tests/interop holds the same against md itself; here are drives that cannot zero cheaply.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine/ddf.h"
#include "fixture.h"

#define MB	(1024u * 1024u)
#define SIZE	(9 * MB)
#define WRITTEN (5 * MB) /* where they write, in a region that we never wrote to */

static struct guid lun;
static uint64_t starts[2];

static void make(struct fx *f)
{
	static const unsigned slots[] = { 0, 1 };

	lun = fx_lun(f, ENG_LUN_MIRROR, 9, slots, 2);
	fx_fill(f, &lun, 0, MB, 1);
	assert_int_equal(eng_lun_flush(f->array, &lun), 0);
	for (unsigned i = 0; i < 2; i++) {
		struct guid d = fx_drive(f, i);
		struct eng_extent *list;
		unsigned n;

		assert_int_equal(eng_drive_extents(f->array, &d, &list, &n), 0);
		for (unsigned j = 0; j < n; j++)
			if (guid_equal(&list[j].lun, &lun))
				starts[i] = list[j].offset;
		free(list);
	}
}

static void raise_header(struct blk_medium *m, uint64_t sector)
{
	uint8_t h[512];
	uint32_t seq;

	blk_medium_read(m, sector * 512, h, sizeof(h));
	seq = (uint32_t)bytes_get_be(h + 40, 4);
	bytes_put_be(h + 40, 4, seq + 2);
	bytes_put_be(h + 4, 4, ddf_crc(h, sizeof(h)));
	blk_medium_write(m, sector * 512, h, sizeof(h));
}

/* The mark of a virtual disk whose copies may differ, on every drive. */
static void mark_inconsistent(struct blk_medium *m, const struct ddf_layout *l, uint64_t copy)
{
	const struct ddf_section *s = &l->sections[DDF_SEC_VDS];
	uint8_t *p = malloc((size_t)s->length * 512);

	blk_medium_read(m, (copy + s->offset) * 512, p, (size_t)s->length * 512);
	p[64 + 32] |= DDF_VD_INCONSISTENT;
	bytes_put_be(p + 4, 4, ddf_crc(p, (size_t)s->length * 512));
	blk_medium_write(m, (copy + s->offset) * 512, p, (size_t)s->length * 512);
	free(p);
}

/* They write to the copies, and stop, or do not get that far. */
static void run_outside(struct fx *f, bool clean)
{
	uint8_t data[4096];

	for (unsigned i = 0; i < f->drives; i++) {
		struct ddf_layout l;

		assert_int_equal(ddf_layout_plan(64ull * MB, &l, NULL), 0);
		raise_header(f->media[i], l.primary);
		raise_header(f->media[i], l.secondary);
		if (!clean) {
			mark_inconsistent(f->media[i], &l, l.primary);
			mark_inconsistent(f->media[i], &l, l.secondary);
		}
		memset(data, clean ? 0x5A : 0x5A + (int)i, sizeof(data));
		if (i < 2)
			blk_medium_write(f->media[i], starts[i] + WRITTEN, data, sizeof(data));
	}
}

static void check(struct fx *f)
{
	uint8_t data[4096], first;

	fx_open(f);
	assert_int_equal(fx_lun_info(f, &lun).health, ENG_LUN_HEALTHY);
	fx_check(f, &lun, 0, MB, 1);
	assert_int_equal(eng_lun_read(f->array, &lun, WRITTEN, data, sizeof(data)), 0);
	first = data[0];
	assert_true(first == 0x5A || first == 0x5B);
	for (size_t i = 0; i < sizeof(data); i++)
		assert_int_equal(data[i], first);
	fx_close(f);
	for (unsigned i = 0; i < 2; i++) { /* both copies have it */
		blk_medium_read(f->media[i], starts[i] + WRITTEN, data, sizeof(data));
		assert_int_equal(data[0], first);
	}
}

static void begin(struct fx *f, uint64_t seed)
{
	fx_init(f, seed, 4, 64);
	f->slow_zero = true;
	fx_run(f, fx_close);
	fx_run(f, fx_open);
	fx_run(f, make);
}

static void what_others_wrote_is_read(void **state)
{
	struct fx f;

	(void)state;
	begin(&f, 1);
	fx_run(&f, fx_close);
	run_outside(&f, true);
	fx_run(&f, check);
	fx_run(&f, check); /* the notes are ours again, and right */
	fx_fini(&f);
}

static void what_others_left_inconsistent_is_compared(void **state)
{
	struct fx f;

	(void)state;
	begin(&f, 2);
	fx_run(&f, fx_close);
	run_outside(&f, false);
	fx_run(&f, check);
	fx_fini(&f);
}

static void after_a_crash_of_ours_too(void **state)
{
	struct fx f;

	(void)state;
	begin(&f, 3);
	fx_crash(&f, true);
	run_outside(&f, true);
	fx_run(&f, check);
	fx_fini(&f);
}

static void read_zeros(struct fx *f)
{
	uint8_t data[4096];

	assert_int_equal(eng_lun_read(f->array, &lun, WRITTEN, data, sizeof(data)), 0);
	for (size_t i = 0; i < sizeof(data); i++)
		assert_int_equal(data[i], 0);
}

/* Nobody was there: what was never written reads as zeros, whatever the drives hold. */
static void our_own_notes_count_otherwise(void **state)
{
	struct fx f;
	uint8_t data[4096];

	(void)state;
	begin(&f, 4);
	fx_run(&f, fx_close);
	memset(data, 0x5A, sizeof(data));
	for (unsigned i = 0; i < 2; i++)
		blk_medium_write(f.media[i], starts[i] + WRITTEN, data, sizeof(data));
	fx_run(&f, fx_open);
	fx_run(&f, read_zeros);
	fx_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_others_wrote_is_read),
		cmocka_unit_test(what_others_left_inconsistent_is_compared),
		cmocka_unit_test(after_a_crash_of_ours_too),
		cmocka_unit_test(our_own_notes_count_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
