/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

static uint32_t number(struct fixture *f, int kind, unsigned id)
{
	uint32_t n = 0xdead;

	ok(sto_number(f->sto, kind, ID(id), &n, &f->err));
	return n;
}

static void numbers_count_from_zero_for_each_kind(void **st)
{
	struct fixture *f = *st;

	assert_int_equal(number(f, 1, 10), 0);
	assert_int_equal(number(f, 1, 11), 1);
	assert_int_equal(number(f, 2, 10), 0);
	assert_int_equal(number(f, 1, 10), 0);
	assert_int_equal(number(f, -5, 1), 0);
	fx_reopen(f);
	assert_int_equal(number(f, 1, 11), 1);
	assert_int_equal(number(f, 1, 12), 2);
	assert_int_equal(number(f, 2, 12), 1);
}

static void numbers_are_found_and_listed_while_in_use(void **st)
{
	struct fixture *f = *st;
	struct sto_numbered_vec v;
	struct guid id;

	number(f, 1, 10);
	number(f, 1, 11);
	number(f, 1, 12);
	ok(sto_number_find(f->sto, 1, 1, &id, &f->err));
	assert_memory_equal(&id, ID(11), 16);
	ok(sto_number_retire(f->sto, 1, ID(11), &f->err));
	fails(-ENOENT, sto_number_find(f->sto, 1, 1, &id, &f->err));
	fails(-ENOENT, sto_number_find(f->sto, 1, 3, &id, &f->err));
	fails(-ENOENT, sto_number_find(f->sto, 3, 0, &id, &f->err));
	ok(sto_number_list(f->sto, 1, &v, &f->err));
	assert_int_equal(v.len, 2);
	assert_int_equal(v.items[0].number, 0);
	assert_int_equal(v.items[1].number, 2);
	assert_memory_equal(&v.items[1].id, ID(12), 16);
	sto_numbered_vec_free(&v);
}

static void a_number_is_never_used_again(void **st)
{
	struct fixture *f = *st;

	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(number(f, 1, 100 + i), i);
		ok(sto_number_retire(f->sto, 1, ID(100 + i), &f->err));
		if (i % 5 == 0)
			fx_reopen(f);
	}
	ok(sto_number_retire(f->sto, 1, ID(9999), &f->err)); /* never had one */
	assert_int_equal(number(f, 1, 200), 20);
}

static void an_object_that_comes_back_has_its_old_number(void **st)
{
	struct fixture *f = *st;
	struct guid id;

	number(f, 1, 10);
	number(f, 1, 11);
	ok(sto_number_retire(f->sto, 1, ID(10), &f->err));
	number(f, 1, 12);
	assert_int_equal(number(f, 1, 10), 0);
	ok(sto_number_find(f->sto, 1, 0, &id, &f->err));
	assert_memory_equal(&id, ID(10), 16);
}

static void numbers_end_at_32_bits(void **st)
{
	struct fixture *f = *st;
	uint32_t n;

	ok(db_exec(&f->sto->db, &f->err, "INSERT INTO number VALUES (1, 4294967294, ?, 0)",
		DB_GUID(ID(1))));
	assert_int_equal(number(f, 1, 2), UINT32_MAX);
	fails(-EOVERFLOW, sto_number(f->sto, 1, ID(3), &n, &f->err));
	assert_int_equal(number(f, 1, 1), UINT32_MAX - 1);
}

/* ---- attributes --------------------------------------------------------------------------- */

static void attributes_of_each_type_survive_a_restart(void **st)
{
	static const uint8_t bytes[] = {0, 1, 255, 0};
	struct fixture *f = *st;
	uint64_t number_out;
	void *out;
	char *text;
	size_t len;

	ok(sto_attr_set(f->sto, ID(1), "a.bytes", bytes, sizeof(bytes), &f->err));
	ok(sto_attr_set_text(f->sto, ID(1), "a.text", "iqn.2024-01.x:y;*", &f->err));
	ok(sto_attr_set_u64(f->sto, ID(1), "a.number", UINT64_MAX, &f->err));
	ok(sto_attr_set(f->sto, ID(1), "a.empty", "", 0, &f->err));
	fx_reopen(f);
	ok(sto_attr_get(f->sto, ID(1), "a.bytes", &out, &len, &f->err));
	assert_int_equal(len, sizeof(bytes));
	assert_memory_equal(out, bytes, len);
	assert_int_equal(((char *)out)[len], 0);
	free(out);
	ok(sto_attr_get_text(f->sto, ID(1), "a.text", &text, &f->err));
	assert_string_equal(text, "iqn.2024-01.x:y;*");
	free(text);
	ok(sto_attr_get_u64(f->sto, ID(1), "a.number", &number_out, &f->err));
	assert_true(number_out == UINT64_MAX);
	ok(sto_attr_get(f->sto, ID(1), "a.empty", &out, &len, &f->err));
	assert_int_equal(len, 0);
	assert_non_null(out);
	free(out);
}

static void attributes_are_replaced_and_removed(void **st)
{
	struct fixture *f = *st;
	uint64_t n;
	char *text;

	ok(sto_attr_set_u64(f->sto, ID(1), "k", 1, &f->err));
	ok(sto_attr_set_u64(f->sto, ID(2), "k", 2, &f->err));
	ok(sto_attr_set_u64(f->sto, ID(1), "k", 3, &f->err));
	ok(sto_attr_get_u64(f->sto, ID(1), "k", &n, &f->err));
	assert_int_equal(n, 3);
	ok(sto_attr_set_text(f->sto, ID(1), "k", "3", &f->err));
	fails(-EINVAL, sto_attr_get_u64(f->sto, ID(1), "k", &n, &f->err));
	ok(sto_attr_set_text(f->sto, ID(1), "k", NULL, &f->err));
	fails(-ENOENT, sto_attr_get_text(f->sto, ID(1), "k", &text, &f->err));
	assert_null(text);
	fails(-ENOENT, sto_attr_get_u64(f->sto, ID(1), "k", &n, &f->err));
	ok(sto_attr_set(f->sto, ID(1), "k", NULL, 0, &f->err));
	ok(sto_attr_get_u64(f->sto, ID(2), "k", &n, &f->err));
	assert_int_equal(n, 2);
}

static void attribute_limits(void **st)
{
	static const size_t most = 1 << 20;
	struct fixture *f = *st;
	char key[STO_KEY_BYTES + 1];
	cleanup_free char *big = calloc(1, most + 1);
	void *out;
	size_t len;

	assert_non_null(big);
	memset(key, 'k', sizeof(key));
	key[STO_KEY_BYTES] = '\0';
	fails(-EINVAL, sto_attr_set_u64(f->sto, ID(1), key, 1, &f->err));
	fails(-EINVAL, sto_attr_set_u64(f->sto, ID(1), "", 1, &f->err));
	fails(-EINVAL, sto_attr_set(f->sto, ID(1), "", NULL, 0, &f->err));
	key[STO_KEY_BYTES - 1] = '\0';
	ok(sto_attr_set_u64(f->sto, ID(1), key, 1, &f->err));
	fails(-EFBIG, sto_attr_set(f->sto, ID(1), "big", big, most + 1, &f->err));
	ok(sto_attr_set(f->sto, ID(1), "big", big, most, &f->err));
	ok(sto_attr_get(f->sto, ID(1), "big", &out, &len, &f->err));
	assert_int_equal(len, most);
	free(out);
}

static void objects_and_keys_are_listed(void **st)
{
	struct fixture *f = *st;
	struct sto_guid_vec ids;
	struct sto_key_vec keys;

	ok(sto_attr_set_u64(f->sto, ID(9), "target", 1, &f->err));
	ok(sto_attr_set_u64(f->sto, ID(3), "target", 1, &f->err));
	ok(sto_attr_set_u64(f->sto, ID(3), "alias", 1, &f->err));
	ok(sto_attr_set_u64(f->sto, ID(5), "other", 1, &f->err));
	ok(sto_attr_set_u64(f->sto, ID(9), "target", 2, &f->err)); /* keeps its place */
	ok(sto_attr_objects(f->sto, "target", &ids, &f->err));
	assert_int_equal(ids.len, 2);
	assert_memory_equal(&ids.items[0], ID(9), 16);
	assert_memory_equal(&ids.items[1], ID(3), 16);
	sto_guid_vec_free(&ids);
	ok(sto_attr_keys(f->sto, ID(3), &keys, &f->err));
	assert_int_equal(keys.len, 2);
	assert_string_equal(keys.items[0].text, "alias");
	assert_string_equal(keys.items[1].text, "target");
	sto_key_vec_free(&keys);
	ok(sto_attr_keys(f->sto, ID(77), &keys, &f->err));
	assert_int_equal(keys.len, 0);
}

static void a_forgotten_object_leaves_only_its_number(void **st)
{
	struct fixture *f = *st;
	struct sto_fault fault = {.kind = STO_FAULT_FAILED};
	struct sto_maint_event_vec events;
	struct sto_fault_vec faults;
	struct sto_key_vec keys;
	struct guid id;

	for (unsigned i = 1; i <= 2; i++) {
		number(f, 4, i);
		fault.id = fx_id(i);
		ok(sto_fault_add(f->sto, &fault, &f->err));
		ok(sto_attr_set_u64(f->sto, ID(i), "k", 1, &f->err));
		ok(sto_maint_start(f->sto, ID(i), STO_MAINT_BLINK, &f->err));
	}
	ok(sto_object_forget(f->sto, 4, ID(1), &f->err));
	for (unsigned i = 1; i <= 2; i++) {
		ok(sto_maint_log(f->sto, ID(i), 0, 10, &events, &f->err));
		ok(sto_fault_list(f->sto, ID(i), &faults, &f->err));
		ok(sto_attr_keys(f->sto, ID(i), &keys, &f->err));
		assert_int_equal(events.len, i - 1);
		assert_int_equal(faults.len, i - 1);
		assert_int_equal(keys.len, i - 1);
		sto_maint_event_vec_free(&events);
		sto_fault_vec_free(&faults);
		sto_key_vec_free(&keys);
	}
	fails(-ENOENT, sto_number_find(f->sto, 4, 0, &id, &f->err));
	assert_int_equal(number(f, 4, 3), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(numbers_count_from_zero_for_each_kind),
		FX_TEST(numbers_are_found_and_listed_while_in_use),
		FX_TEST(a_number_is_never_used_again),
		FX_TEST(an_object_that_comes_back_has_its_old_number),
		FX_TEST(numbers_end_at_32_bits),
		FX_TEST(attributes_of_each_type_survive_a_restart),
		FX_TEST(attributes_are_replaced_and_removed),
		FX_TEST(attribute_limits),
		FX_TEST(objects_and_keys_are_listed),
		FX_TEST(a_forgotten_object_leaves_only_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
