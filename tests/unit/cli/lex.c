/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static void lex(const char *text, struct cli_tokens *t)
{
	struct cli_diag d = {0};

	memset(t, 0, sizeof(*t));
	assert_int_equal(cli_lex_line(text, strlen(text), t, &d), CLI_OK);
}

static void words_are_split_at_blanks(void **state)
{
	struct cli_tokens t;

	(void)state;
	lex("  create\tlun  raid5\r\n", &t);
	assert_int_equal(t.len, 3);
	assert_string_equal(t.items[0].text, "create");
	assert_string_equal(t.items[2].text, "raid5");
	assert_null(t.items[2].value);
	cli_tokens_release(&t);
}

static void equals_separates_key_and_value(void **state)
{
	static const char *const forms[] = {"size=5MB", "size =5MB", "size= 5MB", "size = 5MB"};
	struct cli_tokens t;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		lex(forms[i], &t);
		assert_int_equal(t.len, 1);
		assert_string_equal(t.items[0].text, "size");
		assert_string_equal(t.items[0].value, "5MB");
		cli_tokens_release(&t);
	}
}

static void an_empty_value_does_not_swallow_the_next_option(void **state)
{
	struct cli_tokens t;

	(void)state;
	lex("secret= target=3", &t);
	assert_int_equal(t.len, 2);
	assert_string_equal(t.items[0].value, "");
	assert_string_equal(t.items[1].text, "target");
	cli_tokens_release(&t);
	lex("name=\"\" noerr", &t);
	assert_int_equal(t.len, 2);
	assert_true(t.items[0].value_quoted);
	cli_tokens_release(&t);
}

static void quotes_keep_blanks_and_double_quotes(void **state)
{
	struct cli_tokens t;

	(void)state;
	lex("name lun 0 \"my \"\"old\"\" data # =\"", &t);
	assert_int_equal(t.len, 4);
	assert_string_equal(t.items[3].text, "my \"old\" data # =");
	assert_true(t.items[3].quoted);
	assert_null(t.items[3].value);
	cli_tokens_release(&t);
	lex("name=\"a b\"", &t);
	assert_string_equal(t.items[0].value, "a b");
	cli_tokens_release(&t);
}

static void comments_end_the_line(void **state)
{
	struct cli_tokens t;

	(void)state;
	lex("list drives # all of them", &t);
	assert_int_equal(t.len, 2);
	cli_tokens_release(&t);
	lex("# nothing", &t);
	assert_int_equal(t.len, 0);
	cli_tokens_release(&t);
	lex("REM \"an open quote", &t);
	assert_int_equal(t.len, 1);
	cli_tokens_release(&t);
	lex("name lun 0 a#b", &t);
	assert_string_equal(t.items[3].text, "a#b");
	cli_tokens_release(&t);
}

static void equals_after_a_colon_is_text(void **state)
{
	struct cli_tokens t;

	(void)state;
	lex("detail drive path:/srv/a=b", &t);
	assert_string_equal(t.items[2].text, "path:/srv/a=b");
	assert_null(t.items[2].value);
	cli_tokens_release(&t);
	lex("unmask lun 0 initiator=iqn.2001-04.com:a", &t);
	assert_string_equal(t.items[3].value, "iqn.2001-04.com:a");
	cli_tokens_release(&t);
}

static void bad_lines_are_syntax_errors(void **state)
{
	struct cli_tokens t = {0};
	struct cli_diag d = {0};
	char *big = malloc(CLI_LINE_MAX + 2);

	(void)state;
	assert_int_equal(cli_lex_line("name \"open", 10, &t, &d), CLI_SYNTAX);
	cli_tokens_release(&t);
	cli_diag_clear(&d);
	assert_int_equal(cli_lex_line("list\0drives", 11, &t, &d), CLI_SYNTAX);
	cli_tokens_release(&t);
	cli_diag_clear(&d);
	memset(big, 'a', CLI_LINE_MAX + 1);
	assert_int_equal(cli_lex_line(big, CLI_LINE_MAX + 1, &t, &d), CLI_SYNTAX);
	cli_tokens_release(&t);
	cli_diag_clear(&d);
	for (size_t i = 0; i < CLI_LINE_MAX; i += 2)
		memcpy(big + i, "a ", 2);
	assert_int_equal(cli_lex_line(big, CLI_LINE_MAX, &t, &d), CLI_SYNTAX);
	cli_tokens_release(&t);
	free(big);
}

static void arguments_are_split_by_the_shell_already(void **state)
{
	char *argv[] = {(char *)"name", (char *)"lun", (char *)"0", (char *)"my \"data\" # x",
		(char *)"size", (char *)"=", (char *)"5MB"};
	struct cli_tokens t = {0};
	struct cli_diag d = {0};

	(void)state;
	assert_int_equal(cli_lex_argv(7, argv, &t, &d), CLI_OK);
	assert_int_equal(t.len, 5);
	assert_string_equal(t.items[3].text, "my \"data\" # x");
	assert_true(t.items[3].quoted);
	assert_string_equal(t.items[4].value, "5MB");
	cli_tokens_release(&t);
}

static void the_text_of_tokens_reads_the_same(void **state)
{
	static const char *const lines[] = {"list drives", "name lun 0 \"a \"\"b\"\" c\"",
		"create lun raid5 size=128MB drives=0-3", "name lun 0 \"\"",
		"add drive path=\"/a b\"", "automagic set ftl="};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct cli_tokens a;
		cleanup_free char *text = NULL;

		lex(lines[i], &a);
		text = cli_tokens_text(&a);
		assert_string_equal(text, lines[i]);
		cli_tokens_release(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_split_at_blanks),
		cmocka_unit_test(equals_separates_key_and_value),
		cmocka_unit_test(an_empty_value_does_not_swallow_the_next_option),
		cmocka_unit_test(quotes_keep_blanks_and_double_quotes),
		cmocka_unit_test(comments_end_the_line),
		cmocka_unit_test(equals_after_a_colon_is_text),
		cmocka_unit_test(bad_lines_are_syntax_errors),
		cmocka_unit_test(arguments_are_split_by_the_shell_already),
		cmocka_unit_test(the_text_of_tokens_reads_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
