/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "test_base.h"

static void expect(const char *src, size_t cap, const char *want, int cut)
{
	char dst[32];

	memset(dst, 0x5A, sizeof(dst));
	assert_int_equal(text_copy(dst, cap, src), cut);
	assert_string_equal(dst, want);
	for (size_t i = cap; i < sizeof(dst); i++)
		assert_int_equal(dst[i], 0x5A);
}

static void copies_what_fits(void **state)
{
	(void)state;
	expect("", 1, "", 0);
	expect("abc", 4, "abc", 0);
	expect("abc", 10, "abc", 0);
	expect("abc", 3, "ab", 1);
	expect("abc", 1, "", 1);
}

static void never_half_a_character(void **state)
{
	(void)state;
	expect("a\xC3\xA4", 4, "a\xC3\xA4", 0);
	expect("a\xC3\xA4", 3, "a", 1);
	expect("a\xE2\x82\xAC", 4, "a", 1);
	expect("a\xE2\x82\xAC", 3, "a", 1);
	expect("a\xF0\x9F\x92\xBE!", 6, "a\xF0\x9F\x92\xBE", 1);
	for (size_t cap = 2; cap <= 5; cap++)
		expect("a\xF0\x9F\x92\xBE!", cap, "a", 1);
	expect("\xF0\x9F\x92\xBE", 4, "", 1);
}

/* Continuation bytes without a beginning: cut to nothing, but never out of bounds. */
static void stray_bytes_do_no_harm(void **state)
{
	(void)state;
	expect("\x80\x80\x80\x80", 3, "", 1);
	expect("ab\x80\x80\x80", 4, "a", 1); /* counted to the last beginning */
	expect("\xFF\xFF\xFF", 3, "\xFF\xFF", 1);
}

static void may_shorten_in_place(void **state)
{
	char field[] = "abcdef";

	(void)state;
	assert_int_equal(text_copy(field, sizeof(field), field + 2), 0);
	assert_string_equal(field, "cdef");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_what_fits),
		cmocka_unit_test(never_half_a_character),
		cmocka_unit_test(stray_bytes_do_no_harm),
		cmocka_unit_test(may_shorten_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
