/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guid.h"
#include "base/rng.h"
#include "test_base.h"

static const struct guid sample = {
	{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}};

static void formats_in_network_order(void **state)
{
	char text[GUID_TEXT_SIZE];

	(void)state;
	assert_ptr_equal(guid_format(&sample, text), text);
	assert_string_equal(text, "{00112233-4455-6677-8899-aabbccddeeff}");
	assert_int_equal(strlen(text) + 1, GUID_TEXT_SIZE);
}

static void parses_both_cases_with_and_without_braces(void **state)
{
	static const char *const good[] = {
		"{00112233-4455-6677-8899-aabbccddeeff}",
		"00112233-4455-6677-8899-aabbccddeeff",
		"{00112233-4455-6677-8899-AABBCCDDEEFF}",
		"00112233-4455-6677-8899-AaBbCcDdEeFf",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct guid g = {{0}};

		assert_true(guid_parse(good[i], &g));
		assert_true(guid_equal(&g, &sample));
	}
}

static void refuses_everything_else_and_leaves_the_result(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"{}",
		"-",
		"00112233-4455-6677-8899-aabbccddeef",
		"00112233-4455-6677-8899-aabbccddeeff0",
		"00112233-4455-6677-8899-aabbccddeeff}",
		"{00112233-4455-6677-8899-aabbccddeeff",
		"{00112233-4455-6677-8899-aabbccddeeff}}",
		" 00112233-4455-6677-8899-aabbccddeeff",
		"00112233-4455-6677-8899-aabbccddeeff ",
		"00112233445566778899aabbccddeeff",
		"0011223-34455-6677-8899-aabbccddeeff",
		"00112233-4455-6677-8899_aabbccddeeff",
		"g0112233-4455-6677-8899-aabbccddeeff",
		"0x112233-4455-6677-8899-aabbccddeeff",
		"00112233-4455-6677-8899-aabbccddee\xC3\xBF",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct guid g = sample;

		if (guid_parse(bad[i], &g))
			fail_msg("\"%s\" was taken", bad[i]);
		assert_true(guid_equal(&g, &sample));
	}
}

/* Under a sanitizer this also shows that nothing behind the end is looked at. */
static void every_prefix_is_refused(void **state)
{
	const char *whole = "{00112233-4455-6677-8899-aabbccddeeff}";

	(void)state;
	for (size_t n = 0; n < strlen(whole); n++) {
		char *part = strndup(whole, n);
		struct guid g;

		assert_non_null(part);
		assert_false(guid_parse(part, &g));
		free(part);
	}
}

static void random_ones_are_version_4_and_differ(void **state)
{
	struct guid a, b;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (int i = 0; i < 1000; i++) {
		guid_random(&rng, &a);
		guid_random(&rng, &b);
		assert_int_equal(a.b[6] >> 4, 4);
		assert_int_equal(a.b[8] >> 6, 2);
		assert_false(guid_equal(&a, &b));
	}
}

static void stamp_touches_only_its_bits(void **state)
{
	struct guid ones, zeros = {{0}};

	(void)state;
	memset(&ones, 0xFF, sizeof(ones));
	guid_stamp(&ones, 5);
	guid_stamp(&zeros, 8);
	assert_int_equal(ones.b[6], 0x5F);
	assert_int_equal(ones.b[8], 0xBF);
	assert_int_equal(zeros.b[6], 0x80);
	assert_int_equal(zeros.b[8], 0x80);
	for (int i = 0; i < 16; i++) {
		if (i == 6 || i == 8)
			continue;
		assert_int_equal(ones.b[i], 0xFF);
		assert_int_equal(zeros.b[i], 0);
	}
}

static void zero_is_zero_only_when_all_bytes_are(void **state)
{
	struct guid g = {{0}};

	(void)state;
	assert_true(guid_is_zero(&g));
	for (int i = 0; i < 16; i++) {
		g.b[i] = 1;
		assert_false(guid_is_zero(&g));
		g.b[i] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_in_network_order),
		cmocka_unit_test(parses_both_cases_with_and_without_braces),
		cmocka_unit_test(refuses_everything_else_and_leaves_the_result),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(random_ones_are_version_4_and_differ),
		cmocka_unit_test(stamp_touches_only_its_bits),
		cmocka_unit_test(zero_is_zero_only_when_all_bytes_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
