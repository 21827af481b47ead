/* SPDX-License-Identifier: Apache-2.0 */
/* The look-ups of idl_tables.h; that the tables are right is abi.c's matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "idl_tables.h"
#include "vdsconst.h"
#include "vdsx.h"

static void unknown_names_give_null(void **state)
{
	static const GUID none = {1, 2, 3, {4}};

	(void)state;
	assert_null(idl_enum_find("VDS_HEALT"));
	assert_null(idl_struct_find(""));
	assert_null(idl_interface_find("IVdsDrive3"));
	assert_null(idl_interface_by_iid(&none));
	assert_null(idl_error_find("VDS_E_NOT_SUPPORTE"));
	assert_null(idl_error_by_value((HRESULT)0x80070057 + 1));
	assert_null(idl_notification_symbol(0));
	assert_null(idl_guid_symbol(&none));
}

static void every_table_finds_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < idl_enums_count; i++)
		assert_ptr_equal(idl_enum_find(idl_enums[i]->name), idl_enums[i]);
	for (size_t i = 0; i < idl_structs_count; i++)
		assert_ptr_equal(idl_struct_find(idl_structs[i]->name), idl_structs[i]);
	for (size_t i = 0; i < idl_interfaces_count; i++) {
		const struct idl_interface *iface = idl_interfaces[i];

		assert_ptr_equal(idl_interface_find(iface->name), iface);
		assert_ptr_equal(idl_interface_by_iid(iface->iid), iface);
		assert_non_null(iface->doc);
	}
	for (size_t i = 0; i < idl_errors_count; i++)
		assert_ptr_equal(idl_error_find(idl_errors[i].symbol), &idl_errors[i]);
}

static void methods_are_found_by_slot(void **state)
{
	const struct idl_interface *drive = &idl_iface_IVdsDrive;

	(void)state;
	assert_string_equal(idl_method_at(drive, 0)->name, "QueryInterface");
	assert_string_equal(idl_method_at(drive, 2)->name, "Release");
	assert_string_equal(idl_method_at(drive, 3)->name, "GetProperties");
	assert_non_null(idl_method_at(drive, drive->slots - 1u));
	assert_null(idl_method_at(drive, drive->slots));
	assert_null(idl_method_at(drive, 0xffffffffu));
}

static void enum_members_have_words(void **state)
{
	const struct idl_enum *bus = &idl_enum_VDS_STORAGE_BUS_TYPE;

	(void)state;
	assert_string_equal(idl_enum_word(&idl_enum_VDS_HEALTH, VDS_H_FAILED), "failed");
	assert_null(idl_enum_word(&idl_enum_VDS_HEALTH, 99));
	/* VDSBusTypeMax has the same value and comes first. */
	assert_string_equal(idl_enum_member(bus, 14)->symbol, "VDSBusTypeVirtual");
	assert_string_equal(
		idl_enum_word(&idl_enum_VDS_MAINTENANCE_OPERATION, BlinkLight), "blink_light");
	for (size_t i = 0; i < idl_enums_count; i++) {
		for (size_t k = 0; k < idl_enums[i]->count; k++) {
			const struct idl_enum_member *m = &idl_enums[i]->members[k];

			assert_true(*m->word);
			assert_ptr_equal(idl_enum_named(idl_enums[i], m->symbol), m);
			assert_ptr_equal(idl_enum_named(idl_enums[i], m->word), m);
		}
	}
	assert_int_equal(idl_enum_named(&idl_enum_VDS_HEALTH, "Healthy")->value, VDS_H_HEALTHY);
	assert_null(idl_enum_named(&idl_enum_VDS_HEALTH, "health"));
}

static void legal_values_of_enums_and_flags(void **state)
{
	(void)state;
	assert_true(idl_enum_valid(&idl_enum_VDS_PROVIDER_TYPE, VDS_PT_VIRTUALDISK));
	assert_false(idl_enum_valid(&idl_enum_VDS_PROVIDER_TYPE, VDS_PT_MAX));
	assert_false(idl_enum_valid(&idl_enum_VDS_DRIVE_STATUS, 3));
	assert_true(idl_enum_valid(&idl_enum_VDS_STORAGE_BUS_TYPE, 14));
	assert_true(idl_enum_valid(&idl_enum_VDS_DRIVE_FLAG, 0));
	assert_true(
		idl_enum_valid(&idl_enum_VDS_DRIVE_FLAG, VDS_DRF_HOTSPARE | VDS_DRF_UNASSIGNED));
	assert_false(idl_enum_valid(&idl_enum_VDS_DRIVE_FLAG, 0x80));
}

static void flags_are_walked_and_the_rest_is_left(void **state)
{
	ULONG bits = VDS_DRF_HOTSPARE | VDS_DRF_HOTSPARE_STANDBY | 0x100;
	ULONG top = (ULONG)VDS_PF_SUPPORT_DYNAMIC;

	(void)state;
	assert_string_equal(idl_flags_next(&idl_enum_VDS_DRIVE_FLAG, &bits)->word, "hotspare");
	assert_string_equal(
		idl_flags_next(&idl_enum_VDS_DRIVE_FLAG, &bits)->word, "hotspare_standby");
	assert_null(idl_flags_next(&idl_enum_VDS_DRIVE_FLAG, &bits));
	assert_int_equal(bits, 0x100);
	assert_string_equal(
		idl_flags_next(&idl_enum_VDS_PROVIDER_FLAG, &top)->word, "support_dynamic");
	assert_int_equal(top, 0);
}

static void errors_are_told_in_full(void **state)
{
	char buf[160], tiny[8];

	(void)state;
	assert_non_null(strstr(idl_error_format(VDS_E_NOT_SUPPORTED, buf, sizeof(buf)),
		"VDS_E_NOT_SUPPORTED (0x80042400): "));
	assert_string_equal(idl_error_format((HRESULT)0x80070020, buf, sizeof(buf)), "0x80070020");
	assert_string_equal(idl_error_format(VDS_E_NOT_SUPPORTED, tiny, sizeof(tiny)), "VDS_E_N");
	assert_string_equal(idl_notification_symbol(105), "VDS_NF_DRIVE_ARRIVE");
	assert_string_equal(
		idl_guid_symbol(&PARTITION_BASIC_DATA_GUID), "PARTITION_BASIC_DATA_GUID");
}

/* What marshalling and checks rely on: links between rows stay inside their table. */
static void references_stay_inside(void **state)
{
	(void)state;
	for (size_t i = 0; i < idl_structs_count; i++) {
		const struct idl_struct *s = idl_structs[i];

		for (size_t k = 0; k < s->count; k++) {
			assert_in_range(s->fields[k].count + 1, 0, s->count);
			assert_in_range(s->fields[k].selector + 1, 0, s->count);
			assert_true(s->fields[k].offset < s->size);
		}
	}
	for (size_t i = 0; i < idl_interfaces_count; i++) {
		for (unsigned slot = 0; slot < idl_interfaces[i]->slots; slot++) {
			const struct idl_method *m = idl_method_at(idl_interfaces[i], slot);

			assert_int_equal(m->slot, slot);
			for (unsigned k = 0; k < m->count; k++) {
				assert_true(m->params[k].count < m->count);
				assert_true(m->params[k].length < m->count);
				assert_true(m->params[k].iid < m->count);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_names_give_null),
		cmocka_unit_test(every_table_finds_itself),
		cmocka_unit_test(methods_are_found_by_slot),
		cmocka_unit_test(enum_members_have_words),
		cmocka_unit_test(legal_values_of_enums_and_flags),
		cmocka_unit_test(flags_are_walked_and_the_rest_is_left),
		cmocka_unit_test(errors_are_told_in_full),
		cmocka_unit_test(references_stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
