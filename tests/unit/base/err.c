/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "test_base.h"

static void set_fills_and_returns_the_code(void **state)
{
	struct err e;

	(void)state;
	memset(&e, 0xAA, sizeof(e));
	assert_int_equal(err_set(&e, -ENOENT, "Drive %s is not %d.", "a", 5), -ENOENT);
	assert_int_equal(e.code, -ENOENT);
	assert_string_equal(e.text, "Drive a is not 5.");
	assert_string_equal(e.cause, "");
}

static void wrap_keeps_the_sentence_below_as_cause(void **state)
{
	struct err e = {0};

	(void)state;
	err_set(&e, -EIO, "The medium is bad.");
	assert_int_equal(err_wrap(&e, -EHOSTDOWN, "LUN %d has failed.", 3), -EHOSTDOWN);
	assert_int_equal(e.code, -EHOSTDOWN);
	assert_string_equal(e.text, "LUN 3 has failed.");
	assert_string_equal(e.cause, "The medium is bad.");
	err_wrap(&e, -EINVAL, "Outer.");
	assert_string_equal(e.cause, "LUN 3 has failed.");
}

static void wrap_of_nothing_names_the_code(void **state)
{
	struct err e = {0};

	(void)state;
	err_wrap(&e, -ENOSPC, "It does not fit.");
	assert_string_equal(e.text, "It does not fit.");
	assert_string_equal(e.cause, strerror(ENOSPC));
}

static void set_forgets_an_older_cause(void **state)
{
	struct err e = {0};

	(void)state;
	err_set(&e, -EIO, "First.");
	err_wrap(&e, -EIO, "Second.");
	err_set(&e, -EBUSY, "Third.");
	assert_string_equal(e.cause, "");
	err_clear(&e);
	assert_int_equal(e.code, 0);
	assert_string_equal(e.text, "");
	err_clear(NULL);
}

static void without_a_report_only_the_code_travels(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, -EPERM, "Nobody listens to %s.", "this"), -EPERM);
	assert_int_equal(err_wrap(NULL, -EIO, "Nor to that."), -EIO);
}

static void long_sentences_are_cut_at_the_field(void **state)
{
	char longer[2000];
	struct err e = {0};

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	err_set(&e, -EIO, "%s", longer);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	err_wrap(&e, -EIO, "%s", longer);
	assert_int_equal(strlen(e.cause), sizeof(e.cause) - 1);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
}

static void names_never_fail(void **state)
{
	(void)state;
	assert_string_equal(err_name(-ENOENT), err_name(ENOENT));
	assert_string_equal(err_name(-ENOENT), strerror(ENOENT));
	assert_string_equal(err_name(-99999), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_fills_and_returns_the_code),
		cmocka_unit_test(wrap_keeps_the_sentence_below_as_cause),
		cmocka_unit_test(wrap_of_nothing_names_the_code),
		cmocka_unit_test(set_forgets_an_older_cause),
		cmocka_unit_test(without_a_report_only_the_code_travels),
		cmocka_unit_test(long_sentences_are_cut_at_the_field),
		cmocka_unit_test(names_never_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
