/* SPDX-License-Identifier: Apache-2.0 */
/* Unmasking lists. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "provider/hw/hwp_mask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void becomes(const char *list, const char *expected)
{
	char *out = NULL;

	assert_int_equal(hwp_mask_normalize(list, &out), 0);
	assert_string_equal(out, expected);
	free(out);
}

static void refused(const char *list)
{
	char *out = (char *)"";

	assert_int_equal(hwp_mask_normalize(list, &out), -EINVAL);
	assert_null(out);
}

static void all_and_none(void **state)
{
	(void)state;
	becomes("", "");
	becomes("  ", "");
	becomes("*", "*");
	becomes(" * ", "*");
	refused("*;*");
	refused("*;0123456789abcdef");
	refused("0123456789abcdef;*");
	refused(";");
	refused("0123456789abcdef;");
	refused(";0123456789abcdef");
}

static void names(void **state)
{
	(void)state;
	becomes("0123456789ABCDEF", "0123456789abcdef");
	becomes("iqn.2024-01.com.example:a.b", "iqn.2024-01.com.example:a.b");
	becomes("IQN.2024-01.COM.Example", "iqn.2024-01.com.example");
	becomes("eui.0123456789abcdef", "eui.0123456789abcdef");
	becomes("naa.0123456789abcdef", "naa.0123456789abcdef");
	becomes("naa.0123456789abcdef0123456789abcdef", "naa.0123456789abcdef0123456789abcdef");
	refused("0123456789abcde");
	refused("0123456789abcdefg");
	refused("host");
	refused("iqn.");
	refused("iqn.2024-1.com");
	refused("iqn.2024-01.com.exa mple");
	refused("eui.123");
	refused("naa.0123456789abcdef0");
}

static void doubles_and_blanks(void **state)
{
	(void)state;
	becomes("0123456789abcdef;0123456789ABCDEF", "0123456789abcdef");
	becomes(" 0123456789abcdef ; fedcba9876543210 ;0123456789abcdef",
		"0123456789abcdef;fedcba9876543210");
	/* an entry that begins like another is another */
	becomes("iqn.2024-01.com.example:ab;iqn.2024-01.com.example:a",
		"iqn.2024-01.com.example:ab;iqn.2024-01.com.example:a");
}

static void limits(void **state)
{
	char name[300] = "iqn.2024-01.com.";

	(void)state;
	memset(name + 16, 'x', 223 - 16);
	becomes(name, name);
	name[223] = 'x';
	refused(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_and_none),
		cmocka_unit_test(names),
		cmocka_unit_test(doubles_and_blanks),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests_name("hwp_mask", tests, NULL, NULL);
}
