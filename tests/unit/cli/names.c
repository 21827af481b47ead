/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "cli/names.h"

static void keys_are_members_in_snake_case(void **state)
{
	static const char *const pairs[][2] = {{"ullSize", "size_bytes"},
		{"pwszFriendlyName", "friendly_name"}, {"TransitionState", "transition_state"},
		{"sInternalBusNumber", "bus"}, {"sSlotNumber", "slot"}, {"ulFlags", "flags"},
		{"sRebuildPriority", "rebuild_priority"}, {"status", "status"}, {"id", "id"},
		{"busType", "bus_type"}, {"pwszPath", "path"}, {"ullUsableBytes", "usable_bytes"},
		{"ullDriveOffset", "drive_offset_bytes"}, {"driveId", "drive_id"},
		{"bCancelable", "cancelable"}, {"ulPercent", "percent"}, {"hrResult", "hresult"},
		{"sNumberOfPorts", "number_of_ports"}, {"pwszUnmaskingList", "unmasking_list"},
		{"guidVersionId", "version_id"}, {"ullRebuilt", "rebuilt_bytes"},
		{"ulStripeSize", "stripe_size_bytes"}, {"LunId", "lun_id"},
		{"bEffective", "effective"}};
	char key[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		assert_string_equal(cli_key(pairs[i][0], key), pairs[i][1]);
}

static void drive_properties(void **state)
{
	VDS_DRIVE_PROP p = {.ullSize = 5000000000ull,
		.ulFlags = VDS_DRF_HOTSPARE | VDS_DRF_UNASSIGNED,
		.status = VDS_DRS_ONLINE,
		.health = VDS_H_PENDING_FAILURE,
		.sInternalBusNumber = 0,
		.sSlotNumber = -1};
	json_t *j = json_object();
	json_t *flags;

	(void)state;
	p.id = (GUID){0x0F6F5C38, 0x467f, 0x4544, {0xaa, 0xa3, 0xba, 0xcc, 0x3e, 0xd5, 0x28, 0x2a}};
	p.pwszFriendlyName = cli_wide("Döner");
	assert_int_equal(cli_struct_json(j, &idl_struct_VDS_DRIVE_PROP, &p), 0);
	assert_true(json_integer_value(json_object_get(j, "size_bytes")) == 5000000000ll);
	assert_string_equal(json_string_value(json_object_get(j, "status")), "online");
	assert_int_equal(json_integer_value(json_object_get(j, "status_raw")), 1);
	assert_string_equal(json_string_value(json_object_get(j, "health")), "pending_failure");
	assert_string_equal(json_string_value(json_object_get(j, "friendly_name")), "Döner");
	assert_true(json_is_null(json_object_get(j, "identification")));
	assert_int_equal(json_integer_value(json_object_get(j, "slot")), -1);
	assert_string_equal(json_string_value(json_object_get(j, "id")),
		"{0f6f5c38-467f-4544-aaa3-bacc3ed5282a}");
	flags = json_object_get(j, "flags");
	assert_int_equal(json_array_size(flags), 2);
	assert_string_equal(json_string_value(json_array_get(flags, 0)), "hotspare");
	assert_string_equal(json_string_value(json_array_get(flags, 1)), "unassigned");
	assert_int_equal(json_integer_value(json_object_get(j, "flags_raw")), 5);
	cli_struct_free(&idl_struct_VDS_DRIVE_PROP, &p);
	assert_null(p.pwszFriendlyName);
	json_decref(j);
}

static void a_job_with_times_and_result(void **state)
{
	VDSX_JOB_PROP p = {.ulNumber = 7,
		.type = VDS_ASYNCOUT_RECOVERLUN,
		.state = VDSX_JOB_FAILED,
		.hrResult = VDS_E_NOT_ENOUGH_DRIVE,
		.bAutomatic = TRUE,
		.ullStartedAt = 1700000000123ull};
	json_t *j = json_object();

	(void)state;
	cli_struct_json(j, &idl_struct_VDSX_JOB_PROP, &p);
	assert_int_equal(json_integer_value(json_object_get(j, "number")), 7);
	assert_string_equal(json_string_value(json_object_get(j, "type")), "recoverlun");
	assert_string_equal(json_string_value(json_object_get(j, "hresult")), "0x80042410");
	assert_string_equal(
		json_string_value(json_object_get(j, "hresult_name")), "VDS_E_NOT_ENOUGH_DRIVE");
	assert_string_equal(
		json_string_value(json_object_get(j, "started_at")), "2023-11-14T22:13:20.123Z");
	assert_true(json_is_null(json_object_get(j, "ended_at")));
	assert_true(json_is_null(json_object_get(j, "object_id")));
	assert_true(json_is_true(json_object_get(j, "automatic")));
	json_decref(j);
}

static void a_value_without_a_name_is_unknown(void **state)
{
	json_t *j = json_object();

	(void)state;
	cli_enum_json(j, "type", &idl_enum_VDS_LUN_TYPE, 99);
	assert_string_equal(json_string_value(json_object_get(j, "type")), "unknown");
	assert_int_equal(json_integer_value(json_object_get(j, "type_raw")), 99);
	json_decref(j);
}

static void identities_survive_both_forms(void **state)
{
	const GUID id = {0x01020304, 0x0506, 0x0708, {9, 10, 11, 12, 13, 14, 15, 16}};
	char text[GUID_TEXT_SIZE];
	struct guid g;
	GUID back;

	(void)state;
	assert_string_equal(cli_guid_text(&id, text), "{01020304-0506-0708-090a-0b0c0d0e0f10}");
	cli_guid_to(&id, &g);
	cli_guid_from(&g, &back);
	assert_memory_equal(&id, &back, sizeof(id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_members_in_snake_case),
		cmocka_unit_test(drive_properties),
		cmocka_unit_test(a_job_with_times_and_result),
		cmocka_unit_test(a_value_without_a_name_is_unknown),
		cmocka_unit_test(identities_survive_both_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
