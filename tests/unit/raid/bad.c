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
	struct raid_bad bad = {0};
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
		assert_int_equal(raid_bad_hits(&bad, at, n), hit);
		if (add)
			assert_int_equal(raid_bad_insert(&bad, at, n), 0);
		else
			raid_bad_remove(&bad, at, n);
		memset(map + at, add, n);
		for (size_t i = 0; i < bad.len; i++) {
			assert_true(bad.items[i].start < bad.items[i].end);
			assert_true(!i || bad.items[i - 1].end < bad.items[i].start); /* joined */
		}
		for (uint64_t i = 0; i < SPACE; i++)
			assert_int_equal(raid_bad_hits(&bad, i, 1), map[i]);
	}
	raid_bad_fini(&bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ranges_follow_a_byte_map)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
