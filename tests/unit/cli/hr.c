/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "cli/hr.h"
#include "com/com.h"

static void codes_have_the_names_of_the_headers(void **state)
{
	static const struct {
		HRESULT hr;
		const char *text;
	} rows[] = {
		{VDS_E_NOT_SUPPORTED, "VDS_E_NOT_SUPPORTED 0x80042400"},
		{E_INVALIDARG, "E_INVALIDARG 0x80070057"},
		{E_OUTOFMEMORY, "E_OUTOFMEMORY 0x8007000e"},
		{E_ACCESSDENIED, "E_ACCESSDENIED 0x80070005"},
		{(HRESULT)0x80070070, "ERROR_DISK_FULL 0x80070070"},
		{(HRESULT)0x8007270f, "0x8007270f"},
		{(HRESULT)0xdeadbeef, "0xdeadbeef"},
		{S_OK, "S_OK 0x00000000"},
	};
	char buf[CLI_HR_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(cli_hr_text(rows[i].hr, buf), rows[i].text);
	assert_null(cli_hr_name(HRESULT_FROM_WIN32(9999)));
}

/* Whatever the system reports to the service, people get a name and a phrase. */
static void every_error_of_the_system_is_explained(void **state)
{
	char meaning[200];

	(void)state;
	for (int code = 1; code < 134; code++) {
		HRESULT hr = com_hr_from_errno(-code);

		if (!cli_hr_name(hr))
			fail_msg("errno %d: 0x%08x has no name", code, (unsigned)hr);
		cli_hr_meaning(hr, meaning, sizeof(meaning));
		assert_null(strstr(meaning, "error"));
		assert_true(strlen(meaning) > 4);
	}
	cli_hr_meaning(HRESULT_FROM_WIN32(9999), meaning, sizeof(meaning));
	assert_string_equal(meaning, "error 9999 of the system");
	cli_hr_meaning((HRESULT)0xdeadbeef, meaning, sizeof(meaning));
	assert_string_equal(meaning, "this code is not known here");
}

static void codes_are_found_by_name_and_number(void **state)
{
	int32_t hr = 1;

	(void)state;
	assert_true(cli_hr_find("vds_e_not_supported", &hr) && hr == VDS_E_NOT_SUPPORTED);
	assert_true(cli_hr_find("ERROR_DISK_FULL", &hr) && hr == HRESULT_FROM_WIN32(112));
	assert_true(cli_hr_find("0x80042400", &hr) && hr == VDS_E_NOT_SUPPORTED);
	assert_true(cli_hr_find("-2147212288", &hr) && hr == VDS_E_NOT_SUPPORTED);
	assert_true(cli_hr_find("0", &hr) && hr == S_OK);
	assert_false(cli_hr_find("0x80042400x", &hr));
	assert_false(cli_hr_find("0x180042400", &hr));
	assert_false(cli_hr_find("999999999999999999999999", &hr));
	assert_false(cli_hr_find("", &hr));
	assert_false(cli_hr_find("HRESULT", &hr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_have_the_names_of_the_headers),
		cmocka_unit_test(every_error_of_the_system_is_explained),
		cmocka_unit_test(codes_are_found_by_name_and_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
