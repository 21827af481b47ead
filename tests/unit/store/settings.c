/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

static uint64_t get(struct fixture *f, const char *key)
{
	uint64_t value = 0xdead;

	ok(sto_setting_get(f->sto, key, &value, &f->err));
	return value;
}

static void initial_values(void **st)
{
	struct fixture *f = *st;

	assert_int_equal(get(f, "autorecover"), 1);
	assert_int_equal(get(f, "spare_delay_ms"), 10000);
	assert_int_equal(get(f, "pulse_interval_ms"), 1000);
	assert_int_equal(get(f, "rebuild_rate"), 0);
}

static void every_setting_takes_its_limits_and_no_more(void **st)
{
	struct fixture *f = *st;
	const struct sto_setting *s;
	size_t count;

	s = sto_setting_table(&count);
	assert_int_equal(count, 4);
	for (size_t i = 0; i < count; i++, s++) {
		assert_true(s->min <= s->initial && s->initial <= s->max && s->what[0]);
		assert_true(get(f, s->key) == s->initial);
		ok(sto_setting_set(f->sto, s->key, s->max, &f->err));
		fx_reopen(f);
		assert_true(get(f, s->key) == s->max);
		if (s->max < UINT64_MAX)
			fails(-ERANGE, sto_setting_set(f->sto, s->key, s->max + 1, &f->err));
		ok(sto_setting_set(f->sto, s->key, s->min, &f->err));
		if (s->min)
			fails(-ERANGE, sto_setting_set(f->sto, s->key, s->min - 1, &f->err));
		assert_true(get(f, s->key) == s->min);
		ok(sto_setting_reset(f->sto, s->key, &f->err));
		ok(sto_setting_reset(f->sto, s->key, &f->err));
		assert_true(get(f, s->key) == s->initial);
	}
}

static void unknown_settings(void **st)
{
	struct fixture *f = *st;
	uint64_t value;

	fails(-ENOENT, sto_setting_get(f->sto, "autorecove", &value, &f->err));
	fails(-ENOENT, sto_setting_set(f->sto, "AUTORECOVER", 1, &f->err));
	fails(-ENOENT, sto_setting_reset(f->sto, "", &f->err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(initial_values),
		FX_TEST(every_setting_takes_its_limits_and_no_more),
		FX_TEST(unknown_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
