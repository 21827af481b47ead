/* SPDX-License-Identifier: Apache-2.0 */
/* What a LUN says of itself, and recognising it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "com/com.h"
#include "provider/hw/hwp_identity.h"
#include "provider/hw/hwp_text.h"

#include <idl_tables.h>
#include <vdscom/props.h>

static const struct guid lun = {{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa,
	0xbb, 0xcc, 0xdd, 0xee, 0xff}};

static void forms(void **state)
{
	char serial[33];
	uint8_t naa[8];

	(void)state;
	hwp_identity_serial(&lun, serial);
	assert_string_equal(serial, "00112233445566778899aabbccddeeff");
	hwp_identity_naa(&lun, naa);
	/* 3 and the first 60 bits of the digest that sha256sum gives for the sixteen bytes */
	static const uint8_t want[8] = {0x3a, 0x8f, 0xae, 0xd6, 0xab, 0xbf, 0x35, 0xc1};
	assert_memory_equal(naa, want, 8);
	struct guid other = lun;
	uint8_t naa2[8];
	other.b[15] ^= 1;
	hwp_identity_naa(&other, naa2);
	assert_memory_not_equal(naa, naa2, 8);
}

static void filled_and_recognised(void **state)
{
	VDS_LUN_INFORMATION info;
	GUID signature = {0x12345678, 0, 0, {0}};
	struct guid other = lun;

	(void)state;
	assert_true(hwp_identity_fill(&lun, &signature, &info));
	assert_int_equal(info.m_version, 1);
	assert_string_equal(info.m_szVendorId, HWP_VENDOR);
	assert_int_equal(info.m_deviceIdDescriptor.m_cIdentifiers, 3);
	assert_int_equal(info.m_deviceIdDescriptor.m_rgIdentifiers[2].m_cbIdentifier % 4, 0);
	assert_int_equal(info.m_diskSignature.Data1, 0x12345678);
	assert_true(hwp_identity_matches(&lun, &info));
	other.b[3] ^= 1;
	assert_false(hwp_identity_matches(&other, &info));
	/* by the serial number alone, and by nothing */
	ULONG n = info.m_deviceIdDescriptor.m_cIdentifiers;
	info.m_deviceIdDescriptor.m_cIdentifiers = 0;
	assert_true(hwp_identity_matches(&lun, &info));
	info.m_szSerialNumber[0] ^= 1;
	assert_false(hwp_identity_matches(&lun, &info));
	info.m_deviceIdDescriptor.m_cIdentifiers = n;
	vdc_clear(VDS_LUN_INFORMATION, &info);
}

static void without_memory_nothing_is_left(void **state)
{
	VDS_LUN_INFORMATION info, zero;
	GUID signature = {0};
	unsigned n = 1;

	(void)state;
	memset(&zero, 0, sizeof(zero));
	for (;; n++) {
		com_alloc_fail_after(n);
		bool ok = hwp_identity_fill(&lun, &signature, &info);
		bool armed = com_alloc_fail_armed();
		com_alloc_fail_after(0);
		if (ok) {
			assert_true(armed);
			break;
		}
		assert_memory_equal(&info, &zero, sizeof(info));
	}
	assert_int_equal(n, 9); /* four strings, the list, three identifiers */
	vdc_clear(VDS_LUN_INFORMATION, &info);
}

static void signatures(void **state)
{
	uint8_t s0[512] = {0}, s1[512] = {0};
	GUID zero = {0}, g;

	(void)state;
	g = hwp_identity_signature(s0, s1);
	assert_true(com_guid_equal(&g, &zero));
	s0[510] = 0x55;
	s0[511] = 0xaa;
	memcpy(s0 + 440, "\x78\x56\x34\x12", 4);
	g = hwp_identity_signature(s0, s1);
	assert_int_equal(g.Data1, 0x12345678);
	assert_int_equal(g.Data2, 0);
	memcpy(s1, "EFI PART", 8);
	for (uint8_t i = 0; i < 16; i++)
		s1[56 + i] = (uint8_t)(i + 1);
	g = hwp_identity_signature(s0, s1);
	assert_int_equal(g.Data1, 0x04030201);
	assert_int_equal(g.Data4[7], 16);
}

static void names_are_cut_at_63_units(void **state)
{
	WCHAR name[80];
	bool cut;

	(void)state;
	for (unsigned i = 0; i < 79; i++)
		name[i] = 'a';
	name[63] = 0;
	char *text = hwp_name_take(name, &cut);
	assert_false(cut);
	assert_int_equal(strlen(text), 63);
	free(text);
	name[63] = 'a';
	name[64] = 0;
	text = hwp_name_take(name, &cut);
	assert_true(cut);
	assert_int_equal(strlen(text), 63);
	free(text);
	name[62] = 0xd83d; /* a pair across the limit stays out as a whole */
	name[63] = 0xde00;
	text = hwp_name_take(name, &cut);
	assert_true(cut);
	assert_int_equal(strlen(text), 62);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(filled_and_recognised),
		cmocka_unit_test(without_memory_nothing_is_left),
		cmocka_unit_test(signatures),
		cmocka_unit_test(names_are_cut_at_63_units),
	};

	return cmocka_run_group_tests_name("hwp_identity", tests, NULL, NULL);
}
