/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "test_base.h"

#include <time.h>

struct still {
	struct clock clock;
	uint64_t ns;
	int64_t ms;
};

static uint64_t still_ns(const struct clock *c)
{
	return container_of(c, const struct still, clock)->ns;
}

static int64_t still_ms(const struct clock *c)
{
	return container_of(c, const struct still, clock)->ms;
}

static void a_clock_is_what_its_owner_says(void **state)
{
	struct still s = {{still_ns, still_ms}, 5999999, -7};

	(void)state;
	assert_int_equal(clock_mono_ns(&s.clock), 5999999);
	assert_int_equal(clock_mono_ms(&s.clock), 5);
	assert_int_equal(clock_wall_ms(&s.clock), -7);
}

static void the_machine_does_not_go_back(void **state)
{
	uint64_t last = clock_mono_ns(&clock_system);

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint64_t now = clock_mono_ns(&clock_system);

		assert_true(now >= last);
		last = now;
	}
}

static void wall_time_is_that_of_the_machine(void **state)
{
	time_t before = time(NULL);
	int64_t ms = clock_wall_ms(&clock_system);
	time_t after = time(NULL);

	(void)state;
	/* time() may lag behind by a tick */
	assert_true(ms / 1000 >= before && ms / 1000 <= after + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_is_what_its_owner_says),
		cmocka_unit_test(the_machine_does_not_go_back),
		cmocka_unit_test(wall_time_is_that_of_the_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
