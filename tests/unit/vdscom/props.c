/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deep copies. Some structures by hand, so that the tables cannot prove themselves; then all of
 * them, filled by their tables, with every allocation failing once.
 */
#include "kit.h"

#include "vdscom/props.h"

static void drive_prop(void **state)
{
	VDS_DRIVE_PROP2 a, b;

	(void)state;
	memset(&a, 0xee, sizeof(a));
	a.id.Data1 = 5;
	a.ullSize = 1ull << 40;
	a.pwszFriendlyName = com_strdup_utf8_to_wide("Drive 5");
	a.pwszIdentification = NULL;
	a.ulFlags = VDS_DRF_UNASSIGNED;
	a.status = VDS_DRS_ONLINE;
	a.sSlotNumber = -1;
	a.ulSpindleSpeed = 7200;
	memset(&b, 0xdd, sizeof(b));
	assert_int_equal(vdc_copy(VDS_DRIVE_PROP2, &b, &a), S_OK);
	assert_int_equal(b.id.Data1, 5);
	assert_true(b.ullSize == 1ull << 40);
	assert_ptr_not_equal(b.pwszFriendlyName, a.pwszFriendlyName);
	assert_memory_equal(b.pwszFriendlyName, VDS_TEXT("Drive 5"), 16);
	assert_null(b.pwszIdentification);
	assert_int_equal(b.status, VDS_DRS_ONLINE);
	assert_int_equal(b.sSlotNumber, -1);
	assert_int_equal(b.ulSpindleSpeed, 7200);
	vdc_clear(VDS_DRIVE_PROP2, &a);
	vdc_clear(VDS_DRIVE_PROP2, &b);
	assert_null(b.pwszFriendlyName);
	assert_int_equal(b.ulSpindleSpeed, 0);
	vdc_clear(VDS_DRIVE_PROP2, &b); /* once more does no harm */
	vdc_clear(VDS_DRIVE_PROP2, NULL);
}

/* char strings, and arrays of bytes inside arrays of structures. */
static void lun_information(void **state)
{
	static BYTE naa[] = {0x60, 1, 2, 3}, port[] = {9, 8}, address[] = {7};
	VDS_STORAGE_IDENTIFIER ids[2] = {
		{VDSStorageIdCodeSetBinary, VDSStorageIdTypeFCPHName, sizeof(naa), naa}};
	VDS_INTERCONNECT ways[1] = {{VDS_IA_FCPH, sizeof(port), port, sizeof(address), address}};
	VDS_LUN_INFORMATION a = {.m_version = 1, .m_szVendorId = (char *)"acme"}, b;

	(void)state;
	a.m_deviceIdDescriptor.m_cIdentifiers = 2;
	a.m_deviceIdDescriptor.m_rgIdentifiers = ids;
	a.m_cInterconnects = 1;
	a.m_rgInterconnects = ways;
	assert_int_equal(vdc_copy(VDS_LUN_INFORMATION, &b, &a), S_OK);
	assert_string_equal(b.m_szVendorId, "acme");
	assert_null(b.m_szProductId);
	assert_ptr_not_equal(b.m_deviceIdDescriptor.m_rgIdentifiers, ids);
	assert_int_equal(b.m_deviceIdDescriptor.m_cIdentifiers, 2);
	assert_memory_equal(
		b.m_deviceIdDescriptor.m_rgIdentifiers[0].m_rgbIdentifier, naa, sizeof(naa));
	assert_ptr_not_equal(b.m_deviceIdDescriptor.m_rgIdentifiers[0].m_rgbIdentifier, naa);
	assert_null(b.m_deviceIdDescriptor.m_rgIdentifiers[1].m_rgbIdentifier);
	assert_memory_equal(b.m_rgInterconnects[0].m_pbPort, port, sizeof(port));
	assert_memory_equal(b.m_rgInterconnects[0].m_pbAddress, address, sizeof(address));
	vdc_clear(VDS_LUN_INFORMATION, &b);
}

static void only_the_live_arm_counts(void **state)
{
	IUnknown *lun = plain_new();
	VDS_ASYNC_OUTPUT a = {.type = VDS_ASYNCOUT_CREATELUN, .cl.pLunUnk = lun}, b, zero = {0};

	(void)state;
	assert_int_equal(vdc_copy(VDS_ASYNC_OUTPUT, &b, &a), S_OK);
	assert_ptr_equal(b.cl.pLunUnk, lun);
	assert_int_equal(plain_refs(lun), 2);
	vdc_clear(VDS_ASYNC_OUTPUT, &b);
	assert_int_equal(plain_refs(lun), 1);
	/* The same bytes as a number, and without a meaning: no reference, nothing kept. */
	a.type = VDS_ASYNCOUT_SHRINKVOLUME;
	assert_int_equal(vdc_copy(VDS_ASYNC_OUTPUT, &b, &a), S_OK);
	assert_true(b.sv.ullReclaimedBytes == (uintptr_t)lun);
	vdc_clear(VDS_ASYNC_OUTPUT, &b);
	a.type = VDS_ASYNCOUT_RECOVERLUN;
	assert_int_equal(vdc_copy(VDS_ASYNC_OUTPUT, &b, &a), S_OK);
	zero.type = VDS_ASYNCOUT_RECOVERLUN;
	assert_memory_equal(&b, &zero, sizeof(b));
	assert_int_equal(plain_refs(lun), 1);
	IUnknown_Release(lun);
}

static void arrays(void **state)
{
	VDS_DRIVE_PROP *list = com_task_calloc(3, sizeof(*list));

	(void)state;
	for (int i = 0; i < 3; i++)
		list[i].pwszFriendlyName = com_strdup_utf8_to_wide("x");
	vdc_free_array(VDS_DRIVE_PROP, list, 3);
	vdc_free_array(VDS_DRIVE_PROP, NULL, 3);
}

/* ---- all structures ----------------------------------------------------------------------- */

static void fill(const struct idl_struct *type, char *p, IUnknown *unk);

static void *fill_pointee(const struct idl_type *t, size_t count, IUnknown *unk)
{
	struct idl_type inner = *t;
	char *array;

	if (t->kind == IDL_KIND_INTERFACE && t->pointers == 1) {
		IUnknown_AddRef(unk);
		return unk;
	}
	if (!t->pointers) {
		if (t->kind == IDL_KIND_STRING)
			return com_strdup_utf8_to_wide("text");
		return memcpy(com_task_alloc(5), "text", 5);
	}
	inner.pointers--;
	if (inner.pointers || inner.kind == IDL_KIND_STRING || inner.kind == IDL_KIND_CSTRING) {
		void **list = com_task_calloc(count, sizeof(void *));

		for (size_t i = 0; i < count; i++)
			list[i] = fill_pointee(&inner, 1, unk);
		return list;
	}
	if (inner.kind != IDL_KIND_STRUCT)
		return memset(com_task_alloc(count * inner.size), 0x5a, count * inner.size);
	array = com_task_calloc(count, inner.structure->size);
	for (size_t i = 0; i < count; i++)
		fill(inner.structure, array + i * inner.structure->size, unk);
	return array;
}

static bool is_count(const struct idl_struct *type, size_t index)
{
	for (size_t i = 0; i < type->count; i++)
		if (type->fields[i].count == (int)index)
			return true;
	return false;
}

static void fill_field(const struct idl_struct *type, size_t index, char *at, IUnknown *unk)
{
	const struct idl_type *t = &type->fields[index].type;
	void *v;

	if (t->pointers || t->kind == IDL_KIND_STRING || t->kind == IDL_KIND_CSTRING) {
		v = fill_pointee(t, type->fields[index].count < 0 ? 1 : 2, unk);
		memcpy(at, &v, sizeof(v));
	} else if (t->kind == IDL_KIND_STRUCT) {
		fill(t->structure, at, unk);
	} else {
		memset(at, is_count(type, index) ? 0 : 0x5a, t->size);
		if (is_count(type, index))
			*at = 2; /* little endian */
	}
}

/* Arm number `arm` of unions, or the first there is. */
static LONG arm_of(const struct idl_struct *type, size_t selector)
{
	for (size_t i = 0; i < type->count; i++)
		if (type->fields[i].selector == (int)selector && type->fields[i].cases_count)
			return type->fields[i].cases[0];
	return 0x5a5a5a5a;
}

static void fill(const struct idl_struct *type, char *p, IUnknown *unk)
{
	LONG arms[64] = {0};

	for (size_t i = 0; i < type->count; i++) {
		const struct idl_field *f = &type->fields[i];
		bool live = f->selector < 0;
		bool selects = false;

		for (size_t j = 0; j < type->count; j++)
			selects = selects || type->fields[j].selector == (int)i;
		for (size_t j = 0; !live && j < f->cases_count; j++)
			live = f->cases[j] == arms[f->selector];
		if (selects) {
			assert_true(i < ARRAY_SIZE(arms));
			arms[i] = arm_of(type, i);
			memcpy(p + f->offset, &arms[i], sizeof(arms[i]));
		}
		for (size_t j = 0; live && !selects && j < (f->bound ? f->bound : 1u); j++) {
			size_t size = f->type.pointers || f->type.kind == IDL_KIND_STRING ||
						      f->type.kind == IDL_KIND_CSTRING
					      ? sizeof(void *)
				      : f->type.kind == IDL_KIND_STRUCT ? f->type.structure->size
									: f->type.size;

			fill_field(type, i, p + f->offset + j * size, unk);
		}
	}
}

/* No structure leaks or loses anything, whichever allocation fails (the sanitizer lane counts). */
static void every_structure_with_every_failure(void **state)
{
	char *a = calloc(1, 65536), *b = calloc(1, 65536), *zero = calloc(1, 65536);
	IUnknown *unk = plain_new();
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < idl_structs_count; i++) {
		const struct idl_struct *type = idl_structs[i];
		HRESULT hr = E_FAIL;
		unsigned held;

		assert_true(type->size <= 65536);
		memset(a, 0, type->size);
		fill(type, a, unk);
		held = plain_refs(unk);
		for (unsigned n = 1; FAILED(hr); n++) {
			memset(b, 0xdd, type->size);
			com_alloc_fail_after(n);
			hr = vdc_struct_copy(type, b, a);
			if (SUCCEEDED(hr))
				break;
			failures++;
			assert_int_equal(hr, E_OUTOFMEMORY);
			assert_false(com_alloc_fail_armed());
			assert_memory_equal(b, zero, type->size);
			assert_int_equal(plain_refs(unk), held);
		}
		com_alloc_fail_after(0);
		assert_int_equal(plain_refs(unk) - 1, 2 * (held - 1));
		/* Nothing is shared: the copy is whole after the original has gone. */
		vdc_struct_clear(type, a);
		assert_memory_equal(a, zero, type->size);
		assert_int_equal(vdc_struct_copy(type, a, b), S_OK);
		vdc_struct_clear(type, a);
		vdc_struct_clear(type, b);
		assert_memory_equal(b, zero, type->size);
		assert_int_equal(plain_refs(unk), 1);
	}
	assert_true(failures > 50);
	IUnknown_Release(unk);
	free(a);
	free(b);
	free(zero);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(drive_prop),
		KIT_TEST(lun_information),
		KIT_TEST(only_the_live_arm_counts),
		KIT_TEST(arrays),
		KIT_TEST(every_structure_with_every_failure),
	};

	return cmocka_run_group_tests_name("vdscom structures", tests, NULL, NULL);
}
