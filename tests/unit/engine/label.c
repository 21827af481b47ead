/* SPDX-License-Identifier: Apache-2.0 */
#include "ddf_fixture.h"

#include "engine/label.h"

static void labels_read_back_and_damage_is_noticed(void **state)
{
	struct label in = {.size_bytes = 123456789012345}, back;
	uint8_t sector[DDF_SECTOR], zero[DDF_SECTOR] = {0};

	(void)state;
	memset(in.container.b, 7, sizeof(in.container.b));
	memset(in.drive.b, 9, sizeof(in.drive.b));
	label_encode(&in, sector);
	assert_true(label_decode(sector, &back));
	assert_memory_equal(&in, &back, sizeof(in));
	for (unsigned i = 0; i < DDF_SECTOR; i++) {
		sector[i] ^= 0x10;
		assert_false(label_decode(sector, &back));
		sector[i] ^= 0x10;
	}
	assert_false(label_decode(zero, &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(labels_read_back_and_damage_is_noticed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
