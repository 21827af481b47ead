/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "cli/focus.h"

static void selecting_clears_the_siblings(void **state)
{
	struct cli_focus f = {0};

	(void)state;
	cli_focus_select(&f, CLI_SUBSYSTEM, 0);
	cli_focus_select(&f, CLI_DRIVE, 3);
	assert_true(cli_focus_is(&f, CLI_DRIVE, 3));
	cli_focus_select(&f, CLI_LUN, 1);
	assert_false(f.set[CLI_DRIVE]);
	assert_true(cli_focus_is(&f, CLI_LUN, 1));
	assert_true(cli_focus_is(&f, CLI_SUBSYSTEM, 0));
}

static void another_subsystem_clears_what_is_in_the_old_one(void **state)
{
	struct cli_focus f = {0};

	(void)state;
	cli_focus_select(&f, CLI_SUBSYSTEM, 0);
	cli_focus_select(&f, CLI_LUN, 1);
	cli_focus_select(&f, CLI_SUBSYSTEM, 0);
	assert_true(f.set[CLI_LUN]); /* the same one: nothing changes */
	cli_focus_select(&f, CLI_SUBSYSTEM, 1);
	assert_false(f.set[CLI_LUN]);
}

static void a_port_keeps_its_controller(void **state)
{
	struct cli_focus f = {0};

	(void)state;
	cli_focus_select(&f, CLI_CONTROLLER, 0);
	cli_focus_select(&f, CLI_PORT, 2);
	assert_true(cli_focus_is(&f, CLI_CONTROLLER, 0));
	cli_focus_select(&f, CLI_DRIVE, 2);
	assert_false(f.set[CLI_CONTROLLER]);
	assert_false(f.set[CLI_PORT]);
}

static void clearing_takes_the_parts_too(void **state)
{
	struct cli_focus f = {0};

	(void)state;
	cli_focus_select(&f, CLI_PROVIDER, 0);
	cli_focus_select(&f, CLI_SUBSYSTEM, 0);
	cli_focus_select(&f, CLI_DRIVE, 1);
	cli_focus_clear(&f, CLI_SUBSYSTEM);
	assert_false(f.set[CLI_SUBSYSTEM]);
	assert_false(f.set[CLI_DRIVE]);
	assert_true(f.set[CLI_PROVIDER]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selecting_clears_the_siblings),
		cmocka_unit_test(another_subsystem_clears_what_is_in_the_old_one),
		cmocka_unit_test(a_port_keeps_its_controller),
		cmocka_unit_test(clearing_takes_the_parts_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
