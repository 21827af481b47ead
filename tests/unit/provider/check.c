/* SPDX-License-Identifier: Apache-2.0 */
/* Who may run while whom: the slots of exclusive calls (hardware.md 12.3), and codes for engine
 * errors. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "provider/hw/hwp.h"

#include <errno.h>

static struct hwp_array array_a, array_b;
static const struct guid drive1 = {{1}}, drive2 = {{2}}, lun1 = {{3}}, lun2 = {{4}};

static struct hwp_call call(enum hwp_method m, struct hwp_array *a, const struct guid *id)
{
	struct hwp_call c = {.method = m, .array = a, .slot_id = *id};

	return c;
}

static struct hwp_call over(enum hwp_method m, const struct guid *lun, const struct guid *drive)
{
	struct hwp_call c = call(m, &array_a, lun);

	c.under[0] = *drive;
	c.under_len = 1;
	return c;
}

static bool conflict(struct hwp_call c, struct hwp_call other)
{
	return hwp_slot_conflict(&c, &other);
}

static void getters_never_wait(void **state)
{
	struct hwp_call c = call(HWP_M_DRIVE_GET_PROPERTIES, &array_a, &drive1);

	(void)state;
	assert_false(conflict(c, call(HWP_M_PROVIDER_REFRESH, NULL, &drive1)));
	assert_false(conflict(c, call(HWP_M_SUB_REENUMERATE, &array_a, &drive1)));
	assert_false(conflict(c, call(HWP_M_DRIVE_SET_STATUS, &array_a, &drive1)));
}

static void queries_wait_for_lists_only(void **state)
{
	struct hwp_call c = call(HWP_M_SUB_QUERY_DRIVES, &array_a, &lun1);

	(void)state;
	assert_true(conflict(c, call(HWP_M_PROVIDER_REENUMERATE, NULL, &drive1)));
	assert_true(conflict(c, call(HWP_M_SUB_REENUMERATE, &array_a, &drive1)));
	assert_false(conflict(c, call(HWP_M_SUB_REENUMERATE, &array_b, &drive1)));
	assert_false(conflict(c, call(HWP_M_SUB_REPLACE_DRIVE, &array_a, &drive1)));
	assert_false(conflict(c, call(HWP_M_DRIVE_SET_STATUS, &array_a, &drive1)));
}

static void short_changes_wait_for_their_object(void **state)
{
	struct hwp_call c = call(HWP_M_START_MAINTENANCE, &array_a, &drive1);

	(void)state;
	assert_true(conflict(c, call(HWP_M_DRIVE_SET_STATUS, &array_a, &drive1)));
	assert_false(conflict(c, call(HWP_M_DRIVE_SET_STATUS, &array_a, &drive2)));
	assert_true(conflict(c, call(HWP_M_SUB_REPLACE_DRIVE, &array_a, &lun1)));
	assert_false(conflict(c, call(HWP_M_SUB_REPLACE_DRIVE, &array_b, &lun1)));
	assert_true(conflict(c, call(HWP_M_PROVIDER_REFRESH, NULL, &lun1)));
	assert_true(conflict(c, over(HWP_M_LUN_EXTEND, &lun1, &drive1)));
	assert_false(conflict(c, over(HWP_M_LUN_EXTEND, &lun1, &drive2)));
}

static void exclusive_calls_take_what_is_under_them(void **state)
{
	(void)state;
	assert_true(conflict(over(HWP_M_LUN_RECOVER, &lun1, &drive1),
		call(HWP_M_DRIVE_SET_STATUS, &array_a, &drive1)));
	assert_false(conflict(over(HWP_M_LUN_RECOVER, &lun1, &drive1),
		call(HWP_M_DRIVE_SET_STATUS, &array_a, &drive2)));
	assert_true(conflict(
		over(HWP_M_LUN_RECOVER, &lun1, &drive1), over(HWP_M_LUN_EXTEND, &lun1, &drive1)));
	assert_false(conflict(
		over(HWP_M_LUN_RECOVER, &lun1, &drive1), over(HWP_M_LUN_EXTEND, &lun2, &drive1)));
	assert_true(conflict(call(HWP_M_DRIVE_SET_FLAGS, &array_a, &drive1),
		over(HWP_M_LUN_EXTEND, &lun1, &drive1)));
}

static void whole_arrays_and_providers(void **state)
{
	(void)state;
	assert_true(conflict(call(HWP_M_SUB_CREATE_LUN, &array_a, &lun1),
		call(HWP_M_DRIVE_SET_STATUS, &array_a, &drive1)));
	assert_false(conflict(call(HWP_M_SUB_CREATE_LUN, &array_a, &lun1),
		call(HWP_M_DRIVE_SET_STATUS, &array_b, &drive1)));
	assert_true(conflict(call(HWP_M_PROVIDER_REFRESH, NULL, &lun1),
		call(HWP_M_DRIVE_SET_STATUS, &array_b, &drive1)));
	assert_true(conflict(call(HWP_M_PROVIDER_REFRESH, NULL, &lun1),
		call(HWP_M_PROVIDER_REENUMERATE, NULL, &lun1)));
}

/* Whatever the engine says becomes a code that the page of the method lists. */
static void codes_stay_on_the_page(void **state)
{
	static const struct {
		enum hwp_method method;
		int code;
		HRESULT hr;
	} rows[] = {
		{HWP_M_LUN_RECOVER, 0, S_OK},
		{HWP_M_LUN_RECOVER, -ENOTSUP, VDS_E_INVALID_OPERATION},
		{HWP_M_LUN_ADD_PLEX, -ENOTSUP, VDS_E_INVALID_OPERATION},
		{HWP_M_DRIVE_SET_STATUS, -ENOTSUP, VDS_E_NOT_SUPPORTED},
		{HWP_M_DRIVE_SET_STATUS, -EPERM, VDS_E_NOT_SUPPORTED},
		{HWP_M_DRIVE_SET_STATUS, -EHOSTDOWN, VDS_E_OBJECT_STATUS_FAILED},
		{HWP_M_DRIVE_SET_STATUS, -EBUSY, VDS_E_ANOTHER_CALL_IN_PROGRESS},
		{HWP_M_DRIVE_SET_STATUS, -ESTALE, VDS_E_OBJECT_DELETED},
		{HWP_M_SUB_CREATE_LUN, -ENOSPC, VDS_E_NOT_ENOUGH_SPACE},
		{HWP_M_SUB_CREATE_LUN, -ENOMEDIUM, VDS_E_NOT_ENOUGH_DRIVE},
		{HWP_M_SUB_GET_DRIVE, -ENOENT, VDS_E_OBJECT_NOT_FOUND},
		{HWP_M_SUB_CREATE_LUN, -EINVAL, E_INVALIDARG},
		{HWP_M_SUB_CREATE_LUN, -ENOMEM, E_OUTOFMEMORY},
		{HWP_M_X_LUN_READ, -ESHUTDOWN, VDS_E_LUN_OFFLINE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hwp_call c = call(rows[i].method, &array_a, &lun1);
		assert_int_equal(hwp_fail(&c, rows[i].code), rows[i].hr);
	}
	struct hwp_call c = call(HWP_M_LUN_RECOVER, &array_a, &lun1);
	assert_int_equal(HRESULT_FACILITY(hwp_fail(&c, -EIO)), FACILITY_WIN32);
}

/* Names are unique and look like Interface::Method; modes and codes fit each other. */
static void the_table_is_well_formed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HWP_METHOD_COUNT; i++) {
		const struct hwp_method_info *m = hwp_method_info((enum hwp_method)i);
		assert_int_equal(strncmp(m->name, "IVds", 4), 0);
		assert_non_null(strstr(m->name, "::"));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(m->name, hwp_method_info((enum hwp_method)j)->name);
		if (m->mode != HWP_GETTER)
			assert_true(m->codes & HWP_AC);
		if (m->codes & HWP_BUSY)
			assert_int_equal(m->mode, HWP_OBJECT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(getters_never_wait),
		cmocka_unit_test(queries_wait_for_lists_only),
		cmocka_unit_test(short_changes_wait_for_their_object),
		cmocka_unit_test(exclusive_calls_take_what_is_under_them),
		cmocka_unit_test(whole_arrays_and_providers),
		cmocka_unit_test(codes_stay_on_the_page),
		cmocka_unit_test(the_table_is_well_formed),
	};

	return cmocka_run_group_tests_name("hwp_check", tests, NULL, NULL);
}
