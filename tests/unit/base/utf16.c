/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf16.h"
#include "test_base.h"

#define ROOM 64

static void expect(const char *utf8, const uint16_t *want, size_t units)
{
	/* exactly as large as announced, so that a sanitizer sees each step too far */
	uint16_t *out = malloc((units + 1) * sizeof(*out));

	assert_non_null(out);
	assert_int_equal(utf16_units_for(utf8), units);
	assert_int_equal(utf16_from_utf8(utf8, out, units + 1), units);
	assert_memory_equal(out, want, units * sizeof(*out));
	assert_int_equal(out[units], 0);
	assert_int_equal(utf16_len(out), units);
	free(out);
}

#define EXPECT(utf8, ...)                                                                          \
	do {                                                                                       \
		static const uint16_t want_[] = {__VA_ARGS__, 0};                                  \
		expect(utf8, want_, ARRAY_SIZE(want_) - 1);                                        \
	} while (0)

static void well_formed_text_of_each_length(void **state)
{
	static const uint16_t none[1];

	(void)state;
	expect("", none, 0);
	EXPECT("A\x7F", 'A', 0x7F);
	EXPECT("\xC2\x80\xDF\xBF", 0x80, 0x7FF);
	EXPECT("\xE0\xA0\x80\xEF\xBF\xBF", 0x800, 0xFFFF);
	EXPECT("\xED\x9F\xBF\xEE\x80\x80", 0xD7FF, 0xE000);
	EXPECT("\xF0\x90\x80\x80", 0xD800, 0xDC00);
	EXPECT("\xF4\x8F\xBF\xBF", 0xDBFF, 0xDFFF);
	EXPECT("\xF0\x9F\x92\xBE!", 0xD83D, 0xDCBE, '!');
}

static void overlong_forms_are_replaced(void **state)
{
	(void)state;
	EXPECT("\xC0\x80", 0xFFFD, 0xFFFD); /* the NUL that is none */
	EXPECT("\xC1\xBF", 0xFFFD, 0xFFFD);
	EXPECT("\xE0\x80\xAF", 0xFFFD, 0xFFFD, 0xFFFD);
	EXPECT("\xE0\x9F\xBF", 0xFFFD, 0xFFFD, 0xFFFD);
	EXPECT("\xF0\x80\x80\x80", 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD);
	EXPECT("\xF0\x8F\xBF\xBF", 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD);
	EXPECT("\xF8\x88\x80\x80\x80", 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD);
}

static void surrogates_and_what_lies_beyond_unicode_are_replaced(void **state)
{
	(void)state;
	EXPECT("\xED\xA0\x80", 0xFFFD, 0xFFFD, 0xFFFD);
	EXPECT("\xED\xBF\xBF", 0xFFFD, 0xFFFD, 0xFFFD);
	EXPECT("\xF4\x90\x80\x80", 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD);
	EXPECT("\xF5\x80\x80\x80", 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD);
	EXPECT("\xFE\xFF", 0xFFFD, 0xFFFD);
}

static void truncated_and_stray_bytes_cost_one_byte_each(void **state)
{
	(void)state;
	EXPECT("\x80", 0xFFFD);
	EXPECT("\xC3", 0xFFFD);
	EXPECT("\xC3\x28", 0xFFFD, '(');
	EXPECT("\xE2\x82", 0xFFFD, 0xFFFD);
	EXPECT("\xE2\x28\xA1", 0xFFFD, '(', 0xFFFD);
	EXPECT("\xF0\x9F\x92", 0xFFFD, 0xFFFD, 0xFFFD);
	EXPECT("\xF0\x9F\x92z", 0xFFFD, 0xFFFD, 0xFFFD, 'z');
	EXPECT("a\xE2\x82\xAC\xE2\x82", 'a', 0x20AC, 0xFFFD, 0xFFFD);
}

static void little_room_cuts_between_characters(void **state)
{
	uint16_t out[8];

	(void)state;
	memset(out, 0xAA, sizeof(out));
	assert_int_equal(utf16_from_utf8("abc", out, 1), 0);
	assert_int_equal(out[0], 0);
	assert_int_equal(utf16_from_utf8("abc", out, 3), 2);
	assert_int_equal(out[2], 0);
	assert_int_equal(out[3], 0xAAAA);
	/* a pair needs two units and the end one more */
	assert_int_equal(utf16_from_utf8("a\xF0\x9F\x92\xBE", out, 3), 1);
	assert_int_equal(out[0], 'a');
	assert_int_equal(out[1], 0);
	assert_int_equal(utf16_from_utf8("a\xF0\x9F\x92\xBE", out, 4), 3);
}

static void expect_back(const uint16_t *in, size_t len, const char *want)
{
	uint16_t *exact = malloc(len * sizeof(*exact) + 1);
	char *utf8;

	assert_non_null(exact);
	memcpy(exact, in, len * sizeof(*exact));
	utf8 = utf16_to_utf8_n(exact, len);
	assert_non_null(utf8);
	assert_string_equal(utf8, want);
	free(utf8);
	free(exact);
}

#define BACK(want, ...)                                                                            \
	do {                                                                                       \
		static const uint16_t in_[] = {__VA_ARGS__};                                       \
		expect_back(in_, ARRAY_SIZE(in_), want);                                           \
	} while (0)

static void back_to_utf8(void **state)
{
	static const uint16_t text[] = {'v', 'd', 's', 0, 'x'};
	char *utf8 = utf16_to_utf8(text);

	(void)state;
	assert_string_equal(utf8, "vds");
	free(utf8);
	expect_back(text, 0, "");
	BACK("A\x7F", 'A', 0x7F);
	BACK("\xC2\x80\xDF\xBF", 0x80, 0x7FF);
	BACK("\xE0\xA0\x80\xEF\xBF\xBF", 0x800, 0xFFFF);
	BACK("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 0xD800, 0xDC00, 0xDBFF, 0xDFFF);
}

static void unpaired_surrogates_are_replaced(void **state)
{
	(void)state;
	BACK("\xEF\xBF\xBD", 0xD800);
	BACK("\xEF\xBF\xBD", 0xDFFF);
	BACK("\xEF\xBF\xBD" "a", 0xDBFF, 'a');
	BACK("\xEF\xBF\xBD\xEF\xBF\xBD", 0xDC00, 0xD800);
	BACK("\xEF\xBF\xBD\xF0\x90\x80\x80", 0xD800, 0xD800, 0xDC00);
	BACK("\xF0\x90\x80\x80\xEF\xBF\xBD", 0xD800, 0xDC00, 0xDC00);
}

/* Every code point there is, and back. */
static void all_code_points_survive_the_round_trip(void **state)
{
	(void)state;
	for (uint32_t cp = 1; cp <= 0x10FFFF; cp++) {
		uint16_t in[2], out[3];
		size_t n = cp >= 0x10000 ? 2 : 1;
		char *utf8;

		if (cp >= 0xD800 && cp < 0xE000)
			continue;
		in[0] = (uint16_t)(n == 1 ? cp : 0xD800 + ((cp - 0x10000) >> 10));
		in[1] = (uint16_t)(0xDC00 + ((cp - 0x10000) & 0x3FF));
		utf8 = utf16_to_utf8_n(in, n);
		if (utf16_from_utf8(utf8, out, 3) != n || memcmp(in, out, n * 2))
			fail_msg("U+%X does not come back", (unsigned)cp);
		free(utf8);
	}
}

/* Whatever bytes come: the announced size fits, and what comes out is well formed. */
static void any_two_bytes_are_safe(void **state)
{
	(void)state;
	for (unsigned v = 0; v < 65536; v++) {
		char in[3] = {(char)(v >> 8), (char)v, 0};
		uint16_t out[ROOM];
		size_t n = utf16_units_for(in);
		char *back;

		assert_int_equal(utf16_from_utf8(in, out, ROOM), n);
		back = utf16_to_utf8(out);
		assert_int_equal(utf16_units_for(back), n);
		free(back);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_formed_text_of_each_length),
		cmocka_unit_test(overlong_forms_are_replaced),
		cmocka_unit_test(surrogates_and_what_lies_beyond_unicode_are_replaced),
		cmocka_unit_test(truncated_and_stray_bytes_cost_one_byte_each),
		cmocka_unit_test(little_room_cuts_between_characters),
		cmocka_unit_test(back_to_utf8),
		cmocka_unit_test(unpaired_surrogates_are_replaced),
		cmocka_unit_test(all_code_points_survive_the_round_trip),
		cmocka_unit_test(any_two_bytes_are_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
