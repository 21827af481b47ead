/* SPDX-License-Identifier: Apache-2.0 */
#include "ddf_fixture.h"

/* From the definition, bit by bit. */
static uint32_t reference(const uint8_t *p, size_t len)
{
	uint32_t crc = 0;

	for (size_t i = 0; i < len; i++) {
		crc ^= i >= 4 && i < 8 ? 0xFF : p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
	}
	return crc;
}

static void agrees_with_the_definition(void **state)
{
	uint8_t buf[3000];
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (unsigned i = 0; i < 200; i++) {
		size_t len = 8 + rng_below(&rng, sizeof(buf) - 8);

		rng_bytes(&rng, buf, len);
		assert_int_equal(ddf_crc(buf, len), reference(buf, len));
	}
}

static void its_own_place_does_not_count(void **state)
{
	uint8_t buf[512] = {1, 2, 3};
	uint32_t crc = ddf_crc(buf, sizeof(buf));

	(void)state;
	bytes_put_be(buf + 4, 4, crc);
	assert_int_equal(ddf_crc(buf, sizeof(buf)), crc);
	buf[8] ^= 1;
	assert_int_not_equal(ddf_crc(buf, sizeof(buf)), crc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_definition),
		cmocka_unit_test(its_own_place_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
