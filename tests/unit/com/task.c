/* SPDX-License-Identifier: Apache-2.0 */
/* Task memory, strings in it, and injected failures. */
#include "thing.h"

static void the_nth_allocation_fails_once(void **state)
{
	void *p[5];

	(void)state;
	com_alloc_fail_after(3);
	for (int i = 0; i < 5; i++) {
		p[i] = com_task_alloc(10);
		assert_true(!p[i] == (i == 2));
		assert_true(com_alloc_fail_armed() == (i < 2));
	}
	for (int i = 0; i < 5; i++)
		com_task_free(p[i]);
	com_alloc_fail_after(1);
	com_alloc_fail_after(0);
	assert_false(com_alloc_fail_armed());
	p[0] = com_task_alloc(0);
	assert_non_null(p[0]);
	com_task_free(p[0]);
}

/* Each way to get memory counts. */
static void all_allocations_can_fail(void **state)
{
	void *p = com_task_alloc(1);

	(void)state;
	com_alloc_fail_after(1);
	assert_null(com_task_alloc(1));
	com_alloc_fail_after(1);
	assert_null(com_task_calloc(1, 1));
	com_alloc_fail_after(1);
	assert_null(com_task_realloc(p, 2));
	com_alloc_fail_after(1);
	assert_null(com_strdup_utf8_to_wide("a"));
	com_alloc_fail_after(1);
	assert_null(com_strdup_wide(VDS_TEXT("a")));
	com_alloc_fail_after(1);
	assert_null(com_utf8_from_wide(VDS_TEXT("a")));
	com_alloc_fail_after(1);
	assert_null(com_registry_new());
	com_alloc_fail_after(2);
	assert_null(com_registry_new());
	com_task_free(p);
}

static void *take_some(void *arg)
{
	atomic_int *failed = arg;

	for (int i = 0; i < 5000; i++) {
		void *p = com_task_alloc(1);

		if (!p)
			atomic_fetch_add(failed, 1);
		com_task_free(p);
	}
	return NULL;
}

static void of_many_threads_exactly_one_fails(void **state)
{
	atomic_int failed = 0;
	pthread_t threads[3];

	(void)state;
	com_alloc_fail_after(7000);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, take_some, &failed);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(failed, 1);
}

static void sizes_do_not_wrap(void **state)
{
	unsigned char *p;

	(void)state;
	assert_null(com_task_calloc(SIZE_MAX / 2, 4));
	p = com_task_calloc(3, 5);
	for (int i = 0; i < 15; i++)
		assert_int_equal(p[i], 0);
	com_task_free(p);
}

static void strings(void **state)
{
	/* One of each length: ASCII, two, three and four bytes (a surrogate pair). */
	static const char utf8[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xbe";
	static const WCHAR wide[] = {'a', 0xe9, 0x20ac, 0xd83d, 0xdcbe, 0};
	WCHAR *w = com_strdup_utf8_to_wide(utf8), *copy = com_strdup_wide(w);
	char *back = com_utf8_from_wide(copy);

	(void)state;
	assert_memory_equal(w, wide, sizeof(wide));
	assert_memory_equal(copy, wide, sizeof(wide));
	assert_ptr_not_equal(copy, w);
	assert_string_equal(back, utf8);
	assert_null(com_strdup_utf8_to_wide(NULL));
	assert_null(com_strdup_wide(NULL));
	assert_null(com_utf8_from_wide(NULL));
	com_task_free(w);
	com_task_free(copy);
	free(back);
	w = com_strdup_utf8_to_wide("");
	assert_int_equal(w[0], 0);
	com_task_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		THING_TEST(the_nth_allocation_fails_once),
		THING_TEST(all_allocations_can_fail),
		THING_TEST(of_many_threads_exactly_one_fails),
		THING_TEST(sizes_do_not_wrap),
		THING_TEST(strings),
	};

	return cmocka_run_group_tests_name("com task memory", tests, NULL, NULL);
}
