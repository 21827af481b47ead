/* SPDX-License-Identifier: Apache-2.0 */
#include "raid/raid_internal.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { SPACE = 200 };

/* Random insertions and removals against one flag per byte. */
static void ranges_follow_a_byte_map(void **state)
{
	struct raid_ranges r = {0};
	bool map[SPACE] = {false};
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (unsigned round = 0; round < 20000; round++) {
		uint64_t at = rng_below(&rng, SPACE), n = 1 + rng_below(&rng, SPACE - at);
		bool add = rng_below(&rng, 2), hit = false;

		if (rng_below(&rng, 4))
			n = n < 8 ? n : 8;
		for (uint64_t i = at; i < at + n; i++)
			hit |= map[i];
		assert_int_equal(raid_ranges_hit(&r, at, n), hit);
		if (add)
			assert_int_equal(raid_ranges_add(&r, at, n), 0);
		else
			raid_ranges_remove(&r, at, n);
		memset(map + at, add, n);
		for (size_t i = 0; i < r.len; i++) {
			assert_true(r.items[i].start < r.items[i].end);
			assert_true(!i || r.items[i - 1].end < r.items[i].start); /* joined */
		}
		for (uint64_t i = 0; i < SPACE; i++)
			assert_int_equal(raid_ranges_hit(&r, i, 1), map[i]);
	}
	raid_ranges_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ranges_follow_a_byte_map)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
