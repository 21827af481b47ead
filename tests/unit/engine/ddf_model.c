/* SPDX-License-Identifier: Apache-2.0 */
#include "ddf_fixture.h"

static void names_are_cut_between_characters(void **state)
{
	struct ddf_vd vd = {.ext.present = true};
	char *longest = malloc(1001);

	(void)state;
	assert_non_null(longest);
	ddf_vd_set_name(&vd, "fifteen bytes..ü");
	assert_string_equal(vd.name, "fifteen bytes..");
	assert_string_equal(vd.ext.name, "fifteen bytes..ü");
	ddf_vd_set_name(&vd, "sixteen bytes...");
	assert_string_equal(vd.name, "sixteen bytes...");
	ddf_vd_set_name(&vd, "");
	assert_string_equal(vd.name, "");
	assert_string_equal(vd.ext.name, "");
	memset(longest, 'a', 1000);
	memcpy(longest + 254, "\xE2\x82\xAC", 3); /* would end after byte 257 */
	longest[1000] = 0;
	ddf_vd_set_name(&vd, longest);
	assert_int_equal(strlen(vd.ext.name), 254);
	free(longest);
}

static void names_are_utf8_whatever_came(void **state)
{
	static const char *const bad[] = {"a\xFF", "a\xC0\x80", "a\xED\xA0\x80", "a\xF4\x90\x80\x80", "a\xE2\x82",
		"a\xF8\x88\x80\x80\x80", "a\x80"};
	struct ddf_vd vd = {.ext.present = true};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ddf_vd_set_name(&vd, bad[i]);
		assert_int_equal(vd.ext.name[0], 'a');
		for (const char *p = vd.ext.name + 1; *p; p++)
			assert_int_equal(*p, '?');
	}
	ddf_vd_set_name(&vd, "\xF0\x9F\x92\xBE disk \xE2\x82\xAC");
	assert_string_equal(vd.ext.name, "\xF0\x9F\x92\xBE disk \xE2\x82\xAC");
	ddf_vd_set_name(&vd, "bell\x07");
	assert_string_equal(vd.name, "bell?");
}

static void drive_states_follow_the_table(void **state)
{
	static const enum ddf_pd_status all[] = {DDF_PD_IS_ONLINE, DDF_PD_IS_OFFLINE, DDF_PD_IS_FAILED,
		DDF_PD_IS_MISSING};
	struct ddf_pd pd = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		pd.state = ddf_pd_state_for(all[i], 0xFFFF);
		assert_int_equal(ddf_pd_status(&pd), all[i]);
		assert_true(pd.state & DDF_PD_PREDICTED);
		pd.state = ddf_pd_state_for(all[i], 0);
		assert_false(pd.state & DDF_PD_PREDICTED);
		assert_int_equal(ddf_pd_status(&pd), all[i]);
	}
	assert_int_equal(ddf_pd_state_for(DDF_PD_IS_OFFLINE, 0), DDF_PD_TRANSITION);
	pd.state = DDF_PD_FAILED | DDF_PD_ONLINE | DDF_PD_TRANSITION; /* failed overrides */
	assert_int_equal(ddf_pd_status(&pd), DDF_PD_IS_FAILED);
	pd.state = DDF_PD_ONLINE | DDF_PD_REBUILDING;
	assert_int_equal(ddf_pd_status(&pd), DDF_PD_IS_ONLINE);
}

static void lun_states_follow_the_table(void **state)
{
	(void)state;
	assert_int_equal(ddf_vd_state_for(0, 0), DDF_VD_OPTIMAL);
	assert_int_equal(ddf_vd_state_for(0, 2), DDF_VD_OPTIMAL);
	assert_int_equal(ddf_vd_state_for(1, 0), DDF_VD_FAILED);
	assert_int_equal(ddf_vd_state_for(1, 1), DDF_VD_DEGRADED);
	assert_int_equal(ddf_vd_state_for(1, 2), DDF_VD_PARTIALLY_OPTIMAL);
	assert_int_equal(ddf_vd_state_for(2, 2), DDF_VD_DEGRADED);
	assert_int_equal(ddf_vd_state_for(3, 2), DDF_VD_FAILED);
}

static void places_are_reused_and_stay(void **state)
{
	struct ddf_guid first, third;
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	first = f.set.pds.items[0].guid;
	third = f.set.pds.items[2].guid;
	ddf_set_remove_pd(&f.set, &first);
	assert_null(ddf_set_pd(&f.set, &first));
	assert_int_equal(ddf_set_pd(&f.set, &third)->place, 3);
	assert_int_equal(ddf_set_add_pd(&f.set, &first)->place, 1);
	ddf_set_remove_vd(&f.set, &first); /* none: nothing happens */
	assert_int_equal(ddf_set_add_vd(&f.set, &first)->place, 1);
	assert_int_equal(ddf_set_add_vd(&f.set, &third)->place, 2);
	ddf_set_remove_vd(&f.set, &first);
	assert_int_equal(ddf_set_vd(&f.set, &third)->place, 2);
	fix_free(&f);
}

static void copies_stand_for_themselves(void **state)
{
	struct ddf_set copy = {0};
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	fix_fill(&f);
	f.set.unknown = calloc(1, 12);
	assert_non_null(f.set.unknown);
	f.set.unknown_len = 12;
	assert_int_equal(ddf_set_copy(&copy, &f.set), 0);
	assert_int_equal(ddf_set_copy(&copy, &f.set), 0); /* over what it held */
	assert_int_equal(copy.pds.len, 3);
	assert_memory_equal(copy.vds.items, f.set.vds.items, copy.vds.len * sizeof(struct ddf_vd));
	assert_ptr_not_equal(copy.unknown, f.set.unknown);
	assert_int_equal(ddf_set_copy(&copy, &copy), 0);
	fix_free(&f);
	assert_int_equal(copy.seq, 7);
	assert_non_null(ddf_set_add_pd(&copy, &copy.container));
	ddf_set_free(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_cut_between_characters),
		cmocka_unit_test(names_are_utf8_whatever_came),
		cmocka_unit_test(drive_states_follow_the_table),
		cmocka_unit_test(lun_states_follow_the_table),
		cmocka_unit_test(places_are_reused_and_stay),
		cmocka_unit_test(copies_stand_for_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
