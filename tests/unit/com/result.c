/* SPDX-License-Identifier: Apache-2.0 */
/* Identities and results across the layer. */
#include "thing.h"

#include "base/bytes.h"

#include <errno.h>

static void guid_fields_and_bytes(void **state)
{
	static const char text[] = "{00112233-4455-6677-8899-aabbccddeeff}";
	struct guid g, back;
	char out[GUID_TEXT_SIZE];
	GUID com;

	(void)state;
	assert_true(guid_parse(text, &g));
	com = com_guid_from(&g);
	assert_int_equal(com.Data1, 0x00112233);
	assert_int_equal(com.Data2, 0x4455);
	assert_int_equal(com.Data3, 0x6677);
	assert_int_equal(com.Data4[0], 0x88);
	assert_int_equal(com.Data4[7], 0xff);
	back = com_guid_to(&com);
	assert_string_equal(guid_format(&back, out), text);
	assert_false(com_guid_is_zero(&com));
	memset(&com, 0, sizeof(com));
	assert_true(com_guid_is_zero(&com));
}

/* Numbers by hand: the table must not prove itself. */
static void errno_to_hresult(void **state)
{
	static const struct {
		int code;
		unsigned hr;
	} rows[] = {
		{0, 0}, {ENOMEM, 0x8007000e}, {EINVAL, 0x80070057}, {EACCES, 0x80070005},
		{EIO, 0x8007045d}, {ENOSPC, 0x80070070}, {ENOENT, 0x80070002}, {EBUSY, 0x800700aa},
		{ETXTBSY, 0x80070020}, {EEXIST, 0x80070050}, {EROFS, 0x80070013},
		{ENOTSUP, 0x80070032}, {ECANCELED, 0x800704c7},
		{EHWPOISON, 0x8007001f}, /* no row: ERROR_GEN_FAILURE */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal((unsigned)com_hr_from_errno(rows[i].code), rows[i].hr);
		assert_int_equal((unsigned)com_hr_from_errno(-rows[i].code), rows[i].hr);
	}
	/* No failure may turn into success. */
	for (int code = 1; code < 200; code++)
		assert_true(FAILED(com_hr_from_errno(code)));
}

static void hresult_to_errno(void **state)
{
	(void)state;
	assert_int_equal(com_errno_from_hr(S_OK), 0);
	assert_int_equal(com_errno_from_hr(S_FALSE), 0);
	assert_int_equal(com_errno_from_hr(E_ACCESSDENIED), -EACCES);
	assert_int_equal(com_errno_from_hr(E_OUTOFMEMORY), -ENOMEM);
	assert_int_equal(com_errno_from_hr(VDS_E_NOT_SUPPORTED), -EIO);
	for (int code = 1; code < 200; code++)
		assert_true(com_errno_from_hr(com_hr_from_errno(code)) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		THING_TEST(guid_fields_and_bytes),
		THING_TEST(errno_to_hresult),
		THING_TEST(hresult_to_errno),
	};

	return cmocka_run_group_tests_name("com results", tests, NULL, NULL);
}
