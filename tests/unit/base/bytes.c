/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "test_base.h"

_Static_assert(sizeof(struct { uint8_t a; be64_t b; le16_t c; be32_t d; }) == 15, "no padding");
_Static_assert(_Alignof(le64_t) == 1, "any address will do");

static void known_bytes(void **state)
{
	static const uint8_t want_le[] = {0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
	static const uint8_t want_be[] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
	le64_t l = le64(0x1122334455667788);
	be64_t b = be64(0x1122334455667788);

	(void)state;
	assert_memory_equal(&l, want_le, 8);
	assert_memory_equal(&b, want_be, 8);
	assert_int_equal(le16(0x1234).b[0], 0x34);
	assert_int_equal(be16(0x1234).b[0], 0x12);
	assert_int_equal(le32(0x12345678).b[3], 0x12);
	assert_int_equal(be32(0x12345678).b[3], 0x78);
}

static void what_is_put_is_got(void **state)
{
	static const uint64_t values[] = {
		0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x8000, 0xFFFF, 0x80000000, 0xFFFFFFFF, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		uint64_t v = values[i];

		assert_int_equal(le16_get(le16((uint16_t)v)), (uint16_t)v);
		assert_int_equal(be16_get(be16((uint16_t)v)), (uint16_t)v);
		assert_int_equal(le32_get(le32((uint32_t)v)), (uint32_t)v);
		assert_int_equal(be32_get(be32((uint32_t)v)), (uint32_t)v);
		assert_true(le64_get(le64(v)) == v);
		assert_true(be64_get(be64(v)) == v);
	}
}

static void odd_widths_touch_only_their_bytes(void **state)
{
	uint8_t buf[8];

	(void)state;
	for (int n = 1; n <= 8; n++) {
		uint64_t v = 0x8877665544332211 & (n == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * n) - 1);

		memset(buf, 0xEE, sizeof(buf));
		bytes_put_le(buf, n, v);
		assert_true(bytes_get_le(buf, n) == v);
		for (int i = n; i < 8; i++)
			assert_int_equal(buf[i], 0xEE);
		memset(buf, 0xEE, sizeof(buf));
		bytes_put_be(buf, n, v);
		assert_true(bytes_get_be(buf, n) == v);
		for (int i = n; i < 8; i++)
			assert_int_equal(buf[i], 0xEE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_bytes),
		cmocka_unit_test(what_is_put_is_got),
		cmocka_unit_test(odd_widths_touch_only_their_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
