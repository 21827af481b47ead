/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <stdio.h>

static struct cli_line line;
static struct cli_diag diag;

static void good(const char *text)
{
	cli_line_release(&line);
	if (parse_line(text, true, &line, &diag))
		fail_msg("%s: %s", text, diag.what);
}

static void bad(const char *text, const char *what)
{
	cli_line_release(&line);
	if (!parse_line(text, true, &line, &diag))
		fail_msg("\"%s\" passed", text);
	assert_int_equal(diag.status, CLI_SYNTAX);
	if (!strstr(diag.what, what))
		fail_msg("\"%s\": \"%s\" does not say \"%s\"", text, diag.what, what);
	if (!diag.cause[0] && !diag.fix[0])
		fail_msg("\"%s\": neither cause nor advice", text);
}

static int release(void **state)
{
	(void)state;
	cli_line_release(&line);
	return 0;
}

static void the_forms_of_the_manual(void **state)
{
	(void)state;
	good("create subsystem drives=6x96MB faults=on name=TEXT");
	assert_int_equal(line.noun, CLI_SUBSYSTEM);
	assert_int_equal(cli_line_value(&line, "drives")->number, 6);
	assert_int_equal(cli_line_value(&line, "drives")->bytes, 96 << 20);
	assert_int_equal(cli_line_value(&line, "faults")->number, 1);
	good("list drives");
	assert_int_equal(line.noun, CLI_DRIVE);
	good("list luns");
	good("detail lun 0");
	assert_int_equal(line.target.items[0].first, 0);
	good("detail drive 1");
	good("create lun raid5 size=128MB drives=0-3 stripesize=64KB name=data");
	assert_string_equal(line.words[0], "raid5");
	assert_int_equal(cli_line_value(&line, "stripesize")->number, 65536);
	assert_int_equal(cli_line_value(&line, "drives")->sels.items[0].last, 3);
	good("write lun 0 offset=4096");
	assert_int_equal(cli_line_value(&line, "offset")->number, 4096);
	good("read lun 0 offset=4096 size=512");
	assert_int_equal(cli_line_value(&line, "size")->number, 512);
	good("setflag drive 5 hotspare=true");
	good("set provider autorecover=off");
	assert_int_equal(cli_line_value(&line, "autorecover")->number, 0);
	good("offline drive 1");
	good("online drive 1");
	good("recover lun 0 --no-wait");
	assert_true(line.no_wait);
	good("maintenance drive 1 blink");
	good("maintenance drive 1 blink stop");
	assert_true(cli_line_word_is(&line, 1, "stop"));
	good("maintenance drive 1 blink count=3");
	good("maintenance drive 1 blink status");
	good("fault drive 1 gone");
	good("fault drive 1 failed");
	good("fault drive 1 readerror offset=1 size=2");
	good("fault drive 1 clear");
	good("fault provider cachecorrupt");
	good("reenumerate subsystems");
	good("refresh provider");
	good("wait job 17 --timeout 60");
	assert_true(line.has_timeout);
	assert_int_equal((int)line.timeout, 60);
	good("replace drive 3 with drive 7");
	assert_string_equal(line.words[2], "7");
	good("replace drive 3 with slot:0.7");
	assert_string_equal(line.words[2], "slot:0.7");
	good("replace drive=3");
	assert_int_equal(line.noun, CLI_NOUN_NONE);
	good("break plex=1 noerr");
	assert_true(line.noerr);
	good("unmask lun 0 add wwn=2100001b32000001;2100001b32000002");
	good("automagic set ftl=on mxd=4");
	good("help create lun");
	good("watch luns drives");
	assert_int_equal(line.word_count, 2);
}

static void case_and_plurals_do_not_matter(void **state)
{
	(void)state;
	good("LIST Drive");
	assert_int_equal(line.noun, CLI_DRIVE);
	good("Create LUN RAID5 SIZE=5");
	assert_string_equal(line.words[0], "raid5");
	good("detail luns 3 VERBOSE");
	assert_true(cli_line_flag(&line, "verbose"));
	good("sel ctlr 0");
	assert_int_equal(line.noun, CLI_CONTROLLER);
	good("det sub 0");
	assert_int_equal(line.noun, CLI_SUBSYSTEM);
}

static void names_are_taken_as_written(void **state)
{
	(void)state;
	good("name lun 0 Back-Up");
	assert_string_equal(line.words[0], "Back-Up");
	good("name lun \"5\"");
	assert_int_equal(line.target.len, 0);
	assert_string_equal(line.words[0], "5");
	good("name lun 0");
	assert_int_equal(line.word_count, 0);
	good("name lun 0 \"noerr\"");
	assert_false(line.noerr);
	assert_string_equal(line.words[0], "noerr");
}

static void prefixes_only_in_the_shell(void **state)
{
	struct cli_line shell = {0};

	(void)state;
	bad("lis dri", "no command");
	bad("list dri", "no kind of object");
	bad("maintenance drive 1 bli", "does not take");
	assert_int_equal(parse_line("lis dri", false, &shell, &diag), CLI_OK);
	assert_int_equal(shell.noun, CLI_DRIVE);
	cli_line_release(&shell);
	assert_int_equal(parse_line("create lun raid5 si=5", false, &shell, &diag), CLI_OK);
	assert_non_null(cli_line_value(&shell, "size"));
	cli_line_release(&shell);
	/* ambiguous: set, setflag, select, … */
	assert_int_equal(parse_line("se lun 5", false, &shell, &diag), CLI_SYNTAX);
	assert_non_null(strstr(diag.what, "may be"));
	cli_line_release(&shell);
}

static void mistakes_of_every_class(void **state)
{
	(void)state;
	bad("lits drives", "no command");
	assert_string_equal(diag.fix, "list");
	bad("size=5", "no command");
	bad("list", "of what");
	bad("list lunz", "no kind of object");
	assert_string_equal(diag.fix, "list luns");
	bad("delete drive 5", "does not apply to a drive");
	bad("create lun size=5", "TYPE is missing");
	bad("create lun raid7 size=5", "does not take \"raid7\"");
	assert_non_null(strstr(diag.fix, "raid"));
	bad("create lun raid5 sise=5", "no option \"sise=\"");
	assert_string_equal(diag.fix, "size=");
	bad("create lun raid5 size=12x", "no size");
	bad("create lun raid5 size=-5", "no size");
	bad("create lun raid5 size=", "has no value");
	bad("create lun raid5 size=5 size=6", "twice");
	bad("create lun raid5 size=128 MB", "does not take \"MB\"");
	assert_non_null(strstr(diag.fix, "128MB"));
	bad("create lun raid5 drives=a-b", "names no object");
	bad("create lun raid5 drives=3-1", "is empty");
	bad("setflag drive 5", "hotspare= is missing");
	bad("setflag drive 5 hotspare=perhaps", "neither on nor off");
	bad("setflag drive 5 hotspare", "does not take");
	assert_string_equal(diag.fix, "hotspare=…");
	bad("maintenance drive 1", "OPERATION is missing");
	bad("maintenance drive 1 blnk", "does not take \"blnk\"");
	assert_string_equal(diag.fix, "blink");
	bad("maintenance drive 1 blink count=many", "no number");
	bad("fault drive 1", "FAULT is missing");
	bad("recover lun 0 now", "does not take \"now\"");
	bad("detail lun {0f}", "names no object");
	bad("break plex=1-2", "several objects");
	bad("reenumerate drives 5", "takes no number");
	bad("list drives --jsn", "no option of a command");
	bad("wait job 1 --timeout soon", "no number");
	bad("list drives where", "needs a condition");
	bad("list drives where health", "no condition");
	bad("add drive slot=3 path=x", "no slot");
	bad("name lun 0 two words", "does not take \"words\"");
}

static void conditions(void **state)
{
	static const struct {
		const char *text;
		enum cli_op op;
	} forms[] = {{"list drives where size_bytes=5", CLI_EQ},
		{"list drives where size_bytes!=5", CLI_NE},
		{"list drives where size_bytes<5", CLI_LT},
		{"list drives where size_bytes<=5", CLI_LE},
		{"list drives where size_bytes>5", CLI_GT},
		{"list drives where size_bytes>=5", CLI_GE}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		good(forms[i].text);
		assert_int_equal(line.cond_count, 1);
		assert_int_equal(line.conds[0].op, forms[i].op);
		assert_string_equal(line.conds[0].key, "size_bytes");
		assert_string_equal(line.conds[0].value, "5");
	}
	good("list drives subsystem=0 where health!=healthy status=online");
	assert_int_equal(line.cond_count, 2);
}

static void every_example_of_the_table_parses(void **state)
{
	(void)state;
	for (size_t i = 0; i < cli_command_count; i++) {
		for (size_t k = 0; k < cli_commands[i].example_count; k++) {
			char text[200];

			/* what stands after < or > is for the shell */
			snprintf(text, sizeof(text), "%s", cli_commands[i].examples[k].command);
			text[strcspn(text, "<>")] = 0;
			if (strstr(cli_commands[i].examples[k].command, "where"))
				snprintf(text, sizeof(text), "%s",
					cli_commands[i].examples[k].command);
			good(text);
			assert_ptr_equal(line.command, &cli_commands[i]);
		}
	}
}

static void an_empty_line_is_no_command(void **state)
{
	(void)state;
	good("");
	assert_null(line.command);
	good("   # comment");
	assert_null(line.command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_forms_of_the_manual, release),
		cmocka_unit_test_teardown(case_and_plurals_do_not_matter, release),
		cmocka_unit_test_teardown(names_are_taken_as_written, release),
		cmocka_unit_test_teardown(prefixes_only_in_the_shell, release),
		cmocka_unit_test_teardown(mistakes_of_every_class, release),
		cmocka_unit_test_teardown(conditions, release),
		cmocka_unit_test_teardown(every_example_of_the_table_parses, release),
		cmocka_unit_test_teardown(an_empty_line_is_no_command, release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
