/* SPDX-License-Identifier: Apache-2.0 */
#include "base/list.h"
#include "test_base.h"

struct item {
	int n;
	struct list link;
};

static void make(struct list *head, struct item *items, int n)
{
	list_init(head);
	for (int i = 0; i < n; i++) {
		items[i].n = i;
		list_init(&items[i].link);
		list_add_tail(head, &items[i].link);
	}
}

static void expect(struct list *head, const char *digits)
{
	struct list *pos, *tmp, *back = head;
	char seen[16];
	size_t n = 0;

	list_for_each (pos, tmp, head) {
		assert_ptr_equal(pos->prev, back);
		back = pos;
		seen[n++] = (char)('0' + list_entry(pos, struct item, link)->n);
	}
	assert_ptr_equal(head->prev, back);
	seen[n] = '\0';
	assert_string_equal(seen, digits);
}

static void empty_lists_know_it(void **state)
{
	struct list head;

	(void)state;
	list_init(&head);
	assert_true(list_empty(&head));
	assert_false(list_linked(&head));
	assert_null(list_first(&head, struct item, link));
	expect(&head, "");
}

static void keeps_order_and_forgets_what_is_removed(void **state)
{
	struct item items[5];
	struct list head;

	(void)state;
	make(&head, items, 5);
	expect(&head, "01234");
	assert_ptr_equal(list_first(&head, struct item, link), &items[0]);
	list_del(&items[2].link);
	assert_false(list_linked(&items[2].link));
	list_del(&items[2].link); /* twice does no harm */
	expect(&head, "0134");
	list_del(&items[0].link);
	list_del(&items[4].link);
	expect(&head, "13");
	list_add_tail(&head, &items[0].link);
	expect(&head, "130");
	/* in front: before the one that is first */
	list_add_tail(head.next, &items[4].link);
	expect(&head, "4130");
}

static void the_current_one_may_go_while_walking(void **state)
{
	struct item items[6];
	struct list head, *pos, *tmp;

	(void)state;
	make(&head, items, 6);
	list_for_each (pos, tmp, &head) {
		struct item *item = list_entry(pos, struct item, link);

		if (item->n % 2)
			continue;
		list_del(pos);
		memset(item, 0xEE, sizeof(*item));
	}
	expect(&head, "135");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_lists_know_it),
		cmocka_unit_test(keeps_order_and_forgets_what_is_removed),
		cmocka_unit_test(the_current_one_may_go_while_walking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
