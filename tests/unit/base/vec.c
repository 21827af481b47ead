/* SPDX-License-Identifier: Apache-2.0 */
#include "test_base.h"

static bool memory_is_short;

void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n)
{
	return memory_is_short ? NULL : __real_realloc(p, n);
}

#include "base/vec.h"

struct pair {
	int a;
	char b[9];
};
VEC(struct pair, pair_vec)

static void fill(struct pair_vec *v, int n)
{
	for (int i = 0; i < n; i++)
		assert_int_equal(pair_vec_push(v, (struct pair){.a = i}), 0);
}

static void push_keeps_everything(void **state)
{
	struct pair_vec v = {0};

	(void)state;
	fill(&v, 1000);
	assert_int_equal(v.len, 1000);
	assert_true(v.cap >= v.len);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v.items[i].a, i);
	pair_vec_free(&v);
	assert_null(v.items);
	assert_int_equal(v.len + v.cap, 0);
}

static void remove_keeps_the_order(void **state)
{
	struct pair_vec v = {0};

	(void)state;
	fill(&v, 5);
	pair_vec_remove(&v, 4);
	pair_vec_remove(&v, 0);
	pair_vec_remove(&v, 1);
	assert_int_equal(v.len, 2);
	assert_int_equal(v.items[0].a, 1);
	assert_int_equal(v.items[1].a, 3);
	pair_vec_remove(&v, 0);
	pair_vec_remove(&v, 0);
	assert_int_equal(v.len, 0);
	pair_vec_free(&v);
}

static void for_each_visits_all_once(void **state)
{
	struct pair_vec v = {0};
	struct pair *p;
	int n = 0;

	(void)state;
	vec_for_each(&v, p)
		fail();
	fill(&v, 9);
	vec_for_each(&v, p) {
		if (p->a == 3)
			continue;
		n += p->a;
	}
	assert_int_equal(n, 36 - 3);
	n = 0;
	vec_for_each(&v, p) {
		n++;
		if (p->a == 4)
			break;
	}
	assert_int_equal(n, 5);
	pair_vec_free(&v);
}

static void a_failed_push_changes_nothing(void **state)
{
	struct pair_vec v = {0};

	(void)state;
	fill(&v, 8);
	assert_int_equal(v.cap, 8);
	memory_is_short = true;
	assert_int_equal(pair_vec_push(&v, (struct pair){.a = 99}), -ENOMEM);
	memory_is_short = false;
	assert_int_equal(v.len, 8);
	assert_int_equal(v.items[7].a, 7);
	assert_int_equal(pair_vec_push(&v, (struct pair){.a = 8}), 0);
	assert_int_equal(v.items[8].a, 8);
	pair_vec_free(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(push_keeps_everything),
		cmocka_unit_test(remove_keeps_the_order),
		cmocka_unit_test(for_each_visits_all_once),
		cmocka_unit_test(a_failed_push_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
