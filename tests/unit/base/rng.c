/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"
#include "test_base.h"

/* A history is named by its seed, also in bug reports years later: these numbers must never change.
 * State from splitmix64 of the seed, then xoshiro256**, both computed independently. */
static void a_seed_stands_for_one_sequence_for_ever(void **state)
{
	static const uint64_t of_zero[] = {0x99ec5f36cb75f2b4, 0xbf6e1f784956452a, 0x1a5f849d4933e6e0,
		0x6aa594f1262d2d2c};
	static const uint64_t of_42[] = {0x15780b2e0c2ec716, 0x6104d9866d113a7e, 0xae17533239e499a1,
		0xecb8ad4703b360a1};
	struct rng r;

	(void)state;
	rng_seed(&r, 0);
	for (size_t i = 0; i < ARRAY_SIZE(of_zero); i++)
		assert_true(rng_next(&r) == of_zero[i]);
	rng_seed(&r, 42);
	for (size_t i = 0; i < ARRAY_SIZE(of_42); i++)
		assert_true(rng_next(&r) == of_42[i]);
}

static void same_seed_same_sequence_other_seed_another(void **state)
{
	struct rng a, b, c;
	unsigned same = 0;

	(void)state;
	rng_seed(&a, 7);
	rng_seed(&b, 7);
	rng_seed(&c, 8);
	for (int i = 0; i < 1000; i++) {
		uint64_t v = rng_next(&a);

		assert_true(v == rng_next(&b));
		same += v == rng_next(&c);
	}
	assert_int_equal(same, 0);
}

static void below_stays_below_and_reaches_everything(void **state)
{
	unsigned seen[7] = {0};
	struct rng r;

	(void)state;
	rng_seed(&r, 3);
	for (int i = 0; i < 7000; i++) {
		uint64_t v = rng_below(&r, 7);

		assert_true(v < 7);
		seen[v]++;
	}
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 800, 1200);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(rng_below(&r, 1), 0);
		assert_true(rng_below(&r, UINT64_MAX) < UINT64_MAX);
		assert_true(rng_below(&r, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
	}
}

static void bytes_fill_exactly_the_length(void **state)
{
	struct rng r;

	(void)state;
	for (size_t n = 0; n <= 33; n++) {
		uint8_t buf[40], again[40], changed = 0;

		memset(buf, 0, sizeof(buf));
		memset(again, 0, sizeof(again));
		for (uint64_t seed = 0; seed < 4; seed++) {
			rng_seed(&r, seed);
			rng_bytes(&r, again, n);
			for (size_t i = 0; i < n; i++)
				buf[i] |= again[i];
		}
		for (size_t i = 0; i < n; i++)
			changed |= buf[i] == 0;
		assert_int_equal(changed, 0); /* four draws leave no byte at zero, with these seeds */
		for (size_t i = n; i < sizeof(buf); i++)
			assert_int_equal(again[i], 0);
	}
}

static void the_system_gives_different_seeds(void **state)
{
	struct rng a, b;

	(void)state;
	assert_int_equal(rng_seed_system(&a), 0);
	assert_int_equal(rng_seed_system(&b), 0);
	assert_false(rng_next(&a) == rng_next(&b) && rng_next(&a) == rng_next(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_stands_for_one_sequence_for_ever),
		cmocka_unit_test(same_seed_same_sequence_other_seed_another),
		cmocka_unit_test(below_stays_below_and_reaches_everything),
		cmocka_unit_test(bytes_fill_exactly_the_length),
		cmocka_unit_test(the_system_gives_different_seeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
