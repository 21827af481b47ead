/* SPDX-License-Identifier: Apache-2.0 */
/* The checks every method begins with: hardware.md 2.3. */
#include "kit.h"

#include "vdscom/check.h"

static HRESULT two_outputs(IUnknown **a, LONG *b)
{
	VDC_OUT2(a, b);
	return S_OK;
}

static HRESULT four_outputs(LONG *a, LONG *b, LONG *c, LONG *d)
{
	VDC_OUT4(a, b, c, d);
	VDC_OUT3(a, b, c);
	VDC_OUT(a);
	return S_OK;
}

static HRESULT enumerated(ULONG type, ULONG flags)
{
	VDC_ENUM(VDS_LUN_TYPE, type);
	VDC_ENUM(VDS_DRIVE_FLAG, flags);
	return S_OK;
}

static void outputs_are_emptied_whatever_happens(void **state)
{
	IUnknown *a = (IUnknown *)state;
	LONG b = 5, c = 6, d = 7, e = 8;

	assert_int_equal(two_outputs(&a, &b), S_OK);
	assert_null(a);
	assert_int_equal(b, 0);
	a = (IUnknown *)state;
	b = 5;
	assert_int_equal(two_outputs(&a, NULL), E_INVALIDARG);
	assert_null(a);
	assert_int_equal(two_outputs(NULL, &b), E_INVALIDARG);
	assert_int_equal(b, 0);
	assert_int_equal(four_outputs(&b, &c, &d, &e), S_OK);
	assert_int_equal(c + d + e, 0);
	c = d = 1;
	assert_int_equal(four_outputs(NULL, &c, &d, &e), E_INVALIDARG);
	assert_int_equal(c + d, 0);
	assert_int_equal(four_outputs(&b, NULL, &d, &e), E_INVALIDARG);
	assert_int_equal(four_outputs(&b, &c, NULL, &e), E_INVALIDARG);
	assert_int_equal(four_outputs(&b, &c, &d, NULL), E_INVALIDARG);
}

static void enumerations_by_table(void **state)
{
	(void)state;
	assert_int_equal(enumerated(VDS_LT_SIMPLE, VDS_DRF_HOTSPARE), S_OK);
	assert_int_equal(enumerated(9999, VDS_DRF_HOTSPARE), E_INVALIDARG);
	assert_int_equal(enumerated(VDS_LT_SIMPLE, 0x40000000), E_INVALIDARG);
	assert_int_equal(enumerated(VDS_LT_SIMPLE, 0), S_OK);
	assert_true(vdc_enum_known(&idl_enum_VDS_LUN_TYPE, VDS_LT_MIRROR));
	assert_false(vdc_enum_known(&idl_enum_VDS_LUN_TYPE, VDS_LT_UNKNOWN));
	assert_false(vdc_enum_known(&idl_enum_VDS_LUN_TYPE, 9999));
}

static void id_arrays(void **state)
{
	VDS_OBJECT_ID ids[] = {{.Data1 = 1}, {.Data1 = 2}, {.Data1 = 1}, {0}};

	(void)state;
	assert_int_equal(vdc_check_ids(NULL, 0), S_OK);
	assert_int_equal(vdc_check_ids(ids, 2), S_OK);
	assert_int_equal(vdc_check_ids(NULL, 1), E_INVALIDARG);
	assert_int_equal(vdc_check_ids(ids, -1), E_INVALIDARG);
	assert_int_equal(vdc_check_ids(ids, 3), E_INVALIDARG);     /* twice */
	assert_int_equal(vdc_check_ids(ids + 3, 1), E_INVALIDARG); /* zero */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(outputs_are_emptied_whatever_happens),
		KIT_TEST(enumerations_by_table),
		KIT_TEST(id_arrays),
	};

	return cmocka_run_group_tests_name("vdscom checks", tests, NULL, NULL);
}
