/* SPDX-License-Identifier: Apache-2.0 */
/* IEnumVdsObject: hardware.md 12.2, software.md 1.7. */
#include "kit.h"

#include "vdscom/enum.h"

enum { N = 5 };

static IUnknown *objects[N];

static IEnumVdsObject *five(void)
{
	IEnumVdsObject *e;

	for (int i = 0; i < N; i++)
		objects[i] = plain_new();
	assert_int_equal(vdc_enum_take(objects, N, &e), S_OK);
	return e;
}

/* Takes n elements and checks that they are those from `at` on, each with a reference. */
static void expect_next(IEnumVdsObject *e, ULONG celt, HRESULT hr, unsigned at, ULONG n)
{
	IUnknown *got[N + 3] = {0};
	ULONG fetched = 99;

	assert_int_equal(IEnumVdsObject_Next(e, celt, got, &fetched), hr);
	assert_int_equal(fetched, n);
	for (unsigned i = 0; i < n; i++) {
		assert_ptr_equal(got[i], objects[at + i]);
		assert_int_equal(plain_refs(got[i]), 2);
		IUnknown_Release(got[i]);
	}
	assert_null(got[n]);
}

static void next_gives_all_in_order(void **state)
{
	IEnumVdsObject *e = five();

	(void)state;
	expect_next(e, 0, S_OK, 0, 0);
	expect_next(e, 2, S_OK, 0, 2);
	expect_next(e, 1, S_OK, 2, 1);
	expect_next(e, 3, S_FALSE, 3, 2);
	expect_next(e, 1, S_FALSE, 5, 0);
	expect_next(e, 0, S_OK, 5, 0);
	IEnumVdsObject_Reset(e);
	expect_next(e, 5, S_OK, 0, 5);
	IEnumVdsObject_Release(e);
}

static void next_with_a_huge_celt(void **state)
{
	IUnknown **got = calloc(0xffff, sizeof(IUnknown *));
	IEnumVdsObject *e = five();
	ULONG fetched;

	(void)state;
	assert_int_equal(IEnumVdsObject_Next(e, 0xffff, got, &fetched), S_FALSE);
	assert_int_equal(fetched, N);
	for (int i = 0; i < N; i++)
		IUnknown_Release(got[i]);
	IEnumVdsObject_Release(e);
	free(got);
}

static void null_pointers_are_invalid(void **state)
{
	IEnumVdsObject *e = five();
	IUnknown *got[1];
	ULONG fetched = 99;

	(void)state;
	assert_int_equal(IEnumVdsObject_Next(e, 1, NULL, &fetched), E_INVALIDARG);
	assert_int_equal(fetched, 0);
	assert_int_equal(IEnumVdsObject_Next(e, 1, got, NULL), E_INVALIDARG);
	assert_int_equal(IEnumVdsObject_Clone(e, NULL), E_INVALIDARG);
	expect_next(e, 1, S_OK, 0, 1); /* nothing was consumed */
	IEnumVdsObject_Release(e);
}

static void skip_elements(void **state)
{
	IEnumVdsObject *e = five();

	(void)state;
	assert_int_equal(IEnumVdsObject_Skip(e, 0), S_OK);
	assert_int_equal(IEnumVdsObject_Skip(e, 2), S_OK);
	expect_next(e, 1, S_OK, 2, 1);
	assert_int_equal(IEnumVdsObject_Skip(e, 2), S_OK);
	assert_int_equal(IEnumVdsObject_Skip(e, 1), S_FALSE);
	assert_int_equal(IEnumVdsObject_Reset(e), S_OK);
	assert_int_equal(IEnumVdsObject_Skip(e, 0xffffffff), S_FALSE);
	expect_next(e, 1, S_FALSE, 5, 0);
	IEnumVdsObject_Release(e);
}

static void clone_keeps_list_and_place(void **state)
{
	IEnumVdsObject *e = five(), *c;

	(void)state;
	IEnumVdsObject_Skip(e, 2);
	assert_int_equal(IEnumVdsObject_Clone(e, &c), S_OK);
	expect_next(e, 3, S_OK, 2, 3);
	expect_next(c, 1, S_OK, 2, 1);
	IEnumVdsObject_Reset(e);
	expect_next(c, 1, S_OK, 3, 1);
	/* The clone lives on alone. */
	IEnumVdsObject_Release(e);
	expect_next(c, 2, S_FALSE, 4, 1);
	IEnumVdsObject_Reset(c);
	expect_next(c, 5, S_OK, 0, 5);
	IEnumVdsObject_Release(c);
}

static void empty_is_a_success(void **state)
{
	IEnumVdsObject *e;

	(void)state;
	assert_int_equal(vdc_enum_new(NULL, 0, &e), S_OK);
	expect_next(e, 1, S_FALSE, 0, 0);
	assert_int_equal(IEnumVdsObject_Skip(e, 1), S_FALSE);
	IEnumVdsObject_Release(e);
}

static void new_takes_references_of_its_own(void **state)
{
	IUnknown *one = plain_new();
	IEnumVdsObject *e;

	(void)state;
	assert_int_equal(vdc_enum_new(&one, 1, &e), S_OK);
	assert_int_equal(plain_refs(one), 2);
	IEnumVdsObject_Release(e);
	assert_int_equal(plain_refs(one), 1);
	assert_int_equal(vdc_enum_new(&one, 1, NULL), E_INVALIDARG);
	assert_int_equal(plain_refs(one), 1);
	IUnknown_Release(one);
}

static void failing_allocations_leave_nothing(void **state)
{
	IEnumVdsObject *e, *c;
	unsigned n;
	HRESULT hr;

	(void)state;
	for (n = 1;; n++) {
		IUnknown *one = plain_new();

		com_alloc_fail_after(n);
		hr = vdc_enum_take(&one, 1, &e);
		if (com_alloc_fail_armed())
			break;
		assert_int_equal(hr, E_OUTOFMEMORY);
		assert_null(e);
		assert_int_equal(com_live_objects(NULL), 0);
	}
	com_alloc_fail_after(0);
	assert_int_equal(hr, S_OK);
	assert_int_equal(n, 3);
	com_alloc_fail_after(1);
	assert_int_equal(IEnumVdsObject_Clone(e, &c), E_OUTOFMEMORY);
	assert_null(c);
	IEnumVdsObject_Release(e);
}

static void *drain(void *arg)
{
	IEnumVdsObject *e = arg;
	uintptr_t n = 0;
	IUnknown *got;
	ULONG fetched;

	while (IEnumVdsObject_Next(e, 1, &got, &fetched) == S_OK) {
		IUnknown_Release(got);
		n++;
	}
	return (void *)n;
}

static void two_threads_share_the_elements(void **state)
{
	enum { MANY = 2000 };
	IUnknown *one = plain_new(), *list[MANY];
	pthread_t threads[2];
	uintptr_t sum = 0;
	IEnumVdsObject *e;
	void *n;

	(void)state;
	for (int i = 0; i < MANY; i++)
		list[i] = one;
	assert_int_equal(vdc_enum_new(list, MANY, &e), S_OK);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, drain, e);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], &n);
		sum += (uintptr_t)n;
	}
	assert_int_equal(sum, MANY);
	IEnumVdsObject_Release(e);
	IUnknown_Release(one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(next_gives_all_in_order),
		KIT_TEST(next_with_a_huge_celt),
		KIT_TEST(null_pointers_are_invalid),
		KIT_TEST(skip_elements),
		KIT_TEST(clone_keeps_list_and_place),
		KIT_TEST(empty_is_a_success),
		KIT_TEST(new_takes_references_of_its_own),
		KIT_TEST(failing_allocations_leave_nothing),
		KIT_TEST(two_threads_share_the_elements),
	};

	return cmocka_run_group_tests_name("vdscom enum", tests, NULL, NULL);
}
