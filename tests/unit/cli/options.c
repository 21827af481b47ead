/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <stdio.h>

#include "cli/options.h"

static struct cli_options opt;
static struct cli_diag diag;

static int parse(int count, const char *const *words)
{
	static char *argv[20];

	for (int i = 0; i < count; i++)
		argv[i] = (char *)words[i];
	argv[count] = NULL;
	cli_diag_clear(&diag);
	return cli_options_parse(count, argv, &opt, &diag);
}

#define PARSE(...)                                                                                 \
	parse((int)ARRAY_SIZE(((const char *[]){__VA_ARGS__})), (const char *[]){__VA_ARGS__})

static void options_may_stand_anywhere(void **state)
{
	(void)state;
	assert_int_equal(
		PARSE("vds", "--store", "/s", "recover", "lun", "0", "--no-wait", "-j"), CLI_OK);
	assert_string_equal(opt.store, "/s");
	assert_true(opt.no_wait);
	assert_true(opt.json);
	assert_int_equal(opt.word_count, 3);
	assert_string_equal(opt.words[0], "recover");
	assert_string_equal(opt.words[2], "0");
}

static void nothing_is_left_from_an_earlier_parse(void **state)
{
	(void)state;
	assert_int_equal(PARSE("vds", "--json", "list"), CLI_OK);
	assert_int_equal(PARSE("vds", "list", "drives"), CLI_OK);
	assert_false(opt.json);
	assert_int_equal(opt.word_count, 2);
}

static void values_are_checked(void **state)
{
	(void)state;
	assert_int_equal(
		PARSE("vds", "--progress", "plain", "--units=si", "--timeout", "2.5"), CLI_OK);
	assert_int_equal(opt.progress, CLI_PROGRESS_PLAIN);
	assert_int_equal(opt.units, CLI_UNITS_SI);
	assert_true(opt.timeout > 2.4 && opt.timeout < 2.6);
	assert_int_equal(PARSE("vds", "--progress", "loud"), CLI_BAD_OPTIONS);
	assert_int_equal(PARSE("vds", "--units", "x"), CLI_BAD_OPTIONS);
	assert_int_equal(PARSE("vds", "--timeout", "soon"), CLI_BAD_OPTIONS);
	assert_int_equal(PARSE("vds", "--timeout", "nan"), CLI_BAD_OPTIONS);
	assert_int_equal(PARSE("vds", "--timeout", "-1"), CLI_BAD_OPTIONS);
}

static void unknown_options_suggest_the_nearest(void **state)
{
	(void)state;
	assert_int_equal(PARSE("vds", "--jsn", "list"), CLI_BAD_OPTIONS);
	assert_string_equal(diag.fix, "--json");
	assert_int_equal(PARSE("vds", "-Q"), CLI_BAD_OPTIONS);
	assert_non_null(strstr(diag.what, "-Q"));
	assert_int_equal(PARSE("vds", "--store"), CLI_BAD_OPTIONS);
	assert_non_null(strstr(diag.what, "needs a value"));
}

static void jsonl_is_json(void **state)
{
	(void)state;
	assert_int_equal(PARSE("vds", "--jsonl"), CLI_OK);
	assert_true(opt.json && opt.jsonl);
}

static void scripts_in_two_spellings(void **state)
{
	(void)state;
	assert_int_equal(PARSE("vds", "/s", "a.vds"), CLI_OK);
	assert_string_equal(opt.script, "a.vds");
	assert_int_equal(PARSE("vds", "-s", "-"), CLI_OK);
	assert_string_equal(opt.script, "-");
}

static void the_name_decides_the_personality(void **state)
{
	(void)state;
	assert_int_equal(PARSE("/usr/bin/diskraid"), CLI_OK);
	assert_int_equal(opt.personality, CLI_DISKRAID);
	assert_int_equal(PARSE("diskpart"), CLI_OK);
	assert_int_equal(opt.personality, CLI_DISKPART);
	assert_int_equal(PARSE("./vds"), CLI_OK);
	assert_int_equal(opt.personality, CLI_NATIVE);
}

static void every_option_of_the_table_is_implemented(void **state)
{
	static const struct {
		const char *name, *value;
	} values[] = {{"timeout", "1"}, {"progress", "none"}, {"units", "iec"}, {"color", "never"}};

	(void)state;
	for (size_t i = 0; i < cli_global_count; i++) {
		char text[100];
		const char *value = "x";

		for (size_t k = 0; k < ARRAY_SIZE(values); k++)
			if (!strcmp(values[k].name, cli_globals[i].name))
				value = values[k].value;
		snprintf(text, sizeof(text), "--%s%s%s", cli_globals[i].name,
			cli_globals[i].arg ? "=" : "", cli_globals[i].arg ? value : "");
		if (PARSE("vds", text))
			fail_msg("%s: %s", text, diag.what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_may_stand_anywhere),
		cmocka_unit_test(nothing_is_left_from_an_earlier_parse),
		cmocka_unit_test(values_are_checked),
		cmocka_unit_test(unknown_options_suggest_the_nearest),
		cmocka_unit_test(jsonl_is_json),
		cmocka_unit_test(scripts_in_two_spellings),
		cmocka_unit_test(the_name_decides_the_personality),
		cmocka_unit_test(every_option_of_the_table_is_implemented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
