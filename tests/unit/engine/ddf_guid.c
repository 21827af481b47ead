/* SPDX-License-Identifier: Apache-2.0 */
#include "ddf_fixture.h"

static void object_ids_are_stamped_sha1(void **state)
{
	struct ddf_guid g;
	struct guid expected, id;

	(void)state;
	memcpy(g.b, "LINUXVDSDabcdefg\x56\x27\x18\x00\x01\x02\x03\x04", 24);
	assert_true(guid_parse("4e9c2b56-8836-5e3d-8dd2-bd9448d670e1", &expected));
	id = ddf_guid_object(&g); /* SHA-1 begins 4e9c2b56 8836 de3d 4dd2 bd9448d670e1 */
	assert_memory_equal(id.b, expected.b, 16);
}

static void new_guids_are_ddf_guids(void **state)
{
	struct ddf_guid a, b;
	struct rng rng;
	char text[DDF_GUID_TEXT_SIZE];

	(void)state;
	rng_seed(&rng, 3);
	ddf_guid_new(&a, DDF_GUID_LUN, &rng, 0x01020304);
	ddf_guid_new(&b, DDF_GUID_LUN, &rng, 0x01020304);
	assert_memory_equal(a.b, "LINUXVDSL", 9);
	assert_memory_equal(a.b + 16, "\x01\x02\x03\x04", 4);
	assert_false(ddf_guid_equal(&a, &b));
	assert_false(ddf_guid_is_free(&a));
	memset(&b, 0xFF, sizeof(b));
	assert_true(ddf_guid_is_free(&b));
	assert_int_equal(strlen(ddf_guid_format(&b, text)) + 1, sizeof(text));
	assert_string_equal(text, "FFFFFFFF:FFFFFFFF:FFFFFFFF:FFFFFFFF:FFFFFFFF:FFFFFFFF");
}

static void times_count_from_1980(void **state)
{
	(void)state;
	assert_int_equal(ddf_time(315532800000), 0);
	assert_int_equal(ddf_time(315532801999), 1);
	assert_int_equal(ddf_time(0), 0);
	assert_int_equal(ddf_time(-5), 0);
	assert_int_equal(ddf_time(INT64_MAX), UINT32_MAX);
	assert_int_equal(ddf_time_ms(0), 315532800000);
	assert_int_equal(ddf_time(ddf_time_ms(FIX_TIME)), FIX_TIME);
	assert_int_equal(ddf_time(ddf_time_ms(UINT32_MAX)), UINT32_MAX);
}

static void reference_numbers_are_their_own(void **state)
{
	struct rng twin;
	struct fix f;
	uint32_t first;

	(void)state;
	fix_init(&f, 1, 96 * MIB);
	twin = f.rng;
	first = (uint32_t)rng_next(&twin);
	f.set.pds.items[0].refnum = first;
	assert_int_not_equal(ddf_refnum_new(&f.set, &f.rng), first);
	fix_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(object_ids_are_stamped_sha1),
		cmocka_unit_test(new_guids_are_ddf_guids),
		cmocka_unit_test(times_count_from_1980),
		cmocka_unit_test(reference_numbers_are_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
