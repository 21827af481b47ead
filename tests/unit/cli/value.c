/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static uint64_t size_of(const char *text, uint64_t bare)
{
	struct cli_diag d = {0};
	uint64_t bytes = 0;

	if (cli_parse_size(text, bare, &bytes, &d))
		fail_msg("%s: %s", text, d.what);
	return bytes;
}

static void sizes_are_binary(void **state)
{
	(void)state;
	assert_int_equal(size_of("5", 1 << 20), 5 << 20);
	assert_int_equal(size_of("5", 1), 5);
	assert_int_equal(size_of("7B", 1 << 20), 7);
	assert_int_equal(size_of("64KB", 1 << 20), 65536);
	assert_int_equal(size_of("64kib", 1 << 20), 65536);
	assert_int_equal(size_of("128MB", 1), 128 << 20);
	assert_true(size_of("2GB", 1) == (uint64_t)2 << 30);
	assert_true(size_of("3TiB", 1) == (uint64_t)3 << 40);
	assert_true(size_of("1PB", 1) == (uint64_t)1 << 50);
	assert_true(size_of("18446744073709551615", 1) == UINT64_MAX);
	assert_int_equal(size_of("0", 1), 0);
}

static void fractions_round_up(void **state)
{
	(void)state;
	assert_int_equal(size_of("1.5GB", 1), 3 << 29);
	assert_int_equal(size_of("0.5", 1 << 20), 1 << 19);
	assert_int_equal(size_of("0.1KB", 1), 103);
	assert_int_equal(size_of("1.0000000001B", 1), 2);
	assert_int_equal(size_of("1.00000000000000000000000000000000000000001B", 1), 2);
	assert_int_equal(size_of("1.00000000000000000000000000000000000000000B", 1), 1);
}

static void bad_sizes_are_refused(void **state)
{
	static const char *const bad[] = {"", "MB", "-5MB", "5XB", "5 MB", "1.MB", ".5MB", "1.5.5",
		"5MBB", "0x10", "99999999999999999999", "17179869184TB", "5M"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct cli_diag d = {0};
		uint64_t bytes;

		if (!cli_parse_size(bad[i], 1, &bytes, &d))
			fail_msg("\"%s\" passed", bad[i]);
		assert_int_equal(d.status, CLI_SYNTAX);
		assert_true(d.what[0]);
	}
}

static void numbers_and_booleans(void **state)
{
	struct cli_diag d = {0};
	uint64_t n;
	bool b;

	(void)state;
	assert_int_equal(cli_parse_number("0x1F", UINT32_MAX, &n, &d), CLI_OK);
	assert_int_equal(n, 31);
	assert_int_equal(cli_parse_number("4294967295", UINT32_MAX, &n, &d), CLI_OK);
	assert_int_equal(cli_parse_number("4294967296", UINT32_MAX, &n, &d), CLI_SYNTAX);
	cli_diag_clear(&d);
	assert_int_equal(cli_parse_number("0x", 9, &n, &d), CLI_SYNTAX);
	cli_diag_clear(&d);
	assert_int_equal(cli_parse_number("1a", 99, &n, &d), CLI_SYNTAX);
	cli_diag_clear(&d);
	assert_int_equal(cli_parse_bool("TRUE", &b, &d), CLI_OK);
	assert_true(b);
	assert_int_equal(cli_parse_bool("off", &b, &d), CLI_OK);
	assert_false(b);
	assert_int_equal(cli_parse_bool("maybe", &b, &d), CLI_SYNTAX);
}

static void slots_and_drive_counts(void **state)
{
	struct cli_diag d = {0};
	uint32_t count;
	uint64_t bytes;
	int bus, slot;

	(void)state;
	assert_int_equal(cli_parse_slot("1.23", &bus, &slot, &d), CLI_OK);
	assert_int_equal(bus, 1);
	assert_int_equal(slot, 23);
	assert_int_equal(cli_parse_slot("1.", &bus, &slot, &d), CLI_SYNTAX);
	cli_diag_clear(&d);
	assert_int_equal(cli_parse_slot("0.99999", &bus, &slot, &d), CLI_SYNTAX);
	cli_diag_clear(&d);
	assert_int_equal(cli_parse_drives("6x96MB", &count, &bytes, &d), CLI_OK);
	assert_int_equal(count, 6);
	assert_int_equal(bytes, 96 << 20);
	assert_int_equal(cli_parse_drives("6X96", &count, &bytes, &d), CLI_OK);
	assert_int_equal(bytes, 96 << 20);
	assert_int_equal(cli_parse_drives("0x96MB", &count, &bytes, &d), CLI_SYNTAX);
	cli_diag_clear(&d);
	assert_int_equal(cli_parse_drives("96MB", &count, &bytes, &d), CLI_SYNTAX);
	cli_diag_clear(&d);
	assert_int_equal(cli_parse_drives("5000x1MB", &count, &bytes, &d), CLI_SYNTAX);
	cli_diag_clear(&d);
	assert_int_equal(cli_parse_drives("2x0MB", &count, &bytes, &d), CLI_SYNTAX);
}

static void selectors_of_all_kinds(void **state)
{
	struct cli_diag d = {0};
	struct cli_sels s = {0};

	(void)state;
	assert_int_equal(cli_parse_selectors("0,2-4,slot:0.3,name:a,b", &s, &d), CLI_OK);
	assert_int_equal(s.len, 4);
	assert_int_equal(s.items[1].first, 2);
	assert_int_equal(s.items[1].last, 4);
	assert_int_equal(s.items[2].slot, 3);
	assert_string_equal(s.items[3].text, "a,b"); /* a name may hold commas */
	cli_sels_release(&s);
	assert_int_equal(
		cli_parse_selectors("{0F6F5C38-467f-4544-aaa3-bacc3ed5282a}", &s, &d), CLI_OK);
	assert_int_equal(s.items[0].kind, CLI_SEL_GUID);
	cli_sels_release(&s);
}

static void bad_selectors_are_refused(void **state)
{
	static const char *const bad[] = {"", "x", "3-", "-3", "4-2", "1,,2", "1,", "slot:3",
		"name:", "{0f6f}", "0-4294967295", "4294967296", "1-2-3"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct cli_diag d = {0};
		struct cli_sels s = {0};

		if (!cli_parse_selectors(bad[i], &s, &d))
			fail_msg("\"%s\" passed", bad[i]);
		assert_int_equal(d.status, CLI_SYNTAX);
		cli_sels_release(&s);
	}
}

static void what_looks_like_a_selector(void **state)
{
	(void)state;
	assert_true(cli_is_selector("3"));
	assert_true(cli_is_selector("1-3,7"));
	assert_true(cli_is_selector("slot:0.3"));
	assert_true(cli_is_selector("Name:x"));
	assert_true(cli_is_selector("{"));
	assert_false(cli_is_selector("blink"));
	assert_false(cli_is_selector("3x"));
	assert_false(cli_is_selector("all"));
}

static void distances(void **state)
{
	(void)state;
	assert_int_equal(cli_distance("list", "LIST"), 0);
	assert_int_equal(cli_distance("lsit", "list"), 1); /* a swap is one edit */
	assert_int_equal(cli_distance("lists", "list"), 1);
	assert_int_equal(cli_distance("", "abc"), 3);
	assert_int_equal(cli_distance("a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_binary),
		cmocka_unit_test(fractions_round_up),
		cmocka_unit_test(bad_sizes_are_refused),
		cmocka_unit_test(numbers_and_booleans),
		cmocka_unit_test(slots_and_drive_counts),
		cmocka_unit_test(selectors_of_all_kinds),
		cmocka_unit_test(bad_selectors_are_refused),
		cmocka_unit_test(what_looks_like_a_selector),
		cmocka_unit_test(distances),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
