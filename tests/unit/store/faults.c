/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

static void add(
	struct fixture *f, unsigned id, enum sto_fault_kind kind, uint64_t offset, uint64_t size)
{
	struct sto_fault fault = {fx_id(id), kind, offset, size};

	ok(sto_fault_add(f->sto, &fault, &f->err));
}

static size_t count(struct fixture *f, const struct guid *id)
{
	struct sto_fault_vec v;
	size_t len;

	ok(sto_fault_list(f->sto, id, &v, &f->err));
	len = v.len;
	sto_fault_vec_free(&v);
	return len;
}

static bool has(struct fixture *f, unsigned id, enum sto_fault_kind kind)
{
	bool yes;

	ok(sto_fault_has(f->sto, ID(id), kind, &yes, &f->err));
	return yes;
}

static void refused_where_not_allowed(void **st)
{
	struct fixture *f = *st;
	struct sto_fault fault = {fx_id(1), STO_FAULT_FAILED, 0, 0};

	fx_open(f, STO_OPEN_CREATE);
	assert_false(sto_faults_allowed(f->sto));
	fails(-EPERM, sto_fault_add(f->sto, &fault, &f->err));
	fails(-EPERM, sto_fault_remove(f->sto, &fault, &f->err));
	fails(-EPERM, sto_fault_clear(f->sto, NULL, 0, &f->err));
	assert_int_equal(count(f, NULL), 0);
	assert_false(has(f, 1, STO_FAULT_FAILED));
}

static void allowed_only_while_there_is_no_subsystem(void **st)
{
	struct fixture *f = *st;
	struct sto_subsystem s = {.id = fx_id(1)};

	fx_open(f, STO_OPEN_CREATE);
	ok(sto_subsystem_add(f->sto, &s, &f->err));
	fails(-EPERM, sto_allow_faults(f->sto, &f->err));
	assert_false(sto_faults_allowed(f->sto));
	fx_reopen(f);
	fails(-EPERM, sto_allow_faults(f->sto, &f->err));
	ok(sto_subsystem_remove(f->sto, ID(1), &f->err));
	ok(sto_allow_faults(f->sto, &f->err));
	ok(sto_subsystem_add(f->sto, &s, &f->err));
	fx_reopen(f);
	assert_true(sto_faults_allowed(f->sto));
	ok(sto_allow_faults(f->sto, &f->err)); /* nothing to change */
}

static void kept_in_order_with_their_arguments(void **st)
{
	struct fixture *f = *st;
	struct sto_fault_vec v;

	add(f, 1, STO_FAULT_READ_ERROR, UINT64_MAX - 511, 512);
	add(f, 2, STO_FAULT_GONE, 0, 0);
	add(f, 1, STO_FAULT_READ_ERROR, 0, 512);
	add(f, 1, STO_FAULT_PREDICT, 0, 0);
	add(f, 1, STO_FAULT_PREDICT, 0, 0); /* again: no second one */
	fx_reopen(f);
	ok(sto_fault_list(f->sto, NULL, &v, &f->err));
	assert_int_equal(v.len, 4);
	assert_memory_equal(&v.items[0].id, ID(1), 16);
	assert_int_equal(v.items[0].kind, STO_FAULT_READ_ERROR);
	assert_true(v.items[0].offset == UINT64_MAX - 511);
	assert_int_equal(v.items[0].size, 512);
	assert_memory_equal(&v.items[1].id, ID(2), 16);
	assert_int_equal(v.items[3].kind, STO_FAULT_PREDICT);
	sto_fault_vec_free(&v);
	assert_int_equal(count(f, ID(1)), 3);
	assert_int_equal(count(f, ID(3)), 0);
	assert_true(has(f, 2, STO_FAULT_GONE));
	assert_false(has(f, 2, STO_FAULT_PREDICT));
	assert_false(has(f, 3, STO_FAULT_GONE));
}

static void each_kind_is_known(void **st)
{
	struct fixture *f = *st;
	struct sto_fault bad = {fx_id(1), 0, 0, 0};

	for (int kind = STO_FAULT_CACHE_CORRUPT; kind <= STO_FAULT_SYSTEM_ERROR; kind++)
		add(f, 1, (enum sto_fault_kind)kind, 0, 0);
	assert_int_equal(count(f, ID(1)), 12);
	fails(-EINVAL, sto_fault_add(f->sto, &bad, &f->err));
	bad.kind = (enum sto_fault_kind)13;
	fails(-EINVAL, sto_fault_add(f->sto, &bad, &f->err));
	fails(-EINVAL, sto_fault_clear(f->sto, ID(1), 13, &f->err));
}

static void cleared_by_kind_by_object_or_all(void **st)
{
	struct fixture *f = *st;
	struct sto_fault one = {fx_id(1), STO_FAULT_READ_ERROR, 512, 512};

	for (unsigned id = 1; id <= 2; id++) {
		add(f, id, STO_FAULT_READ_ERROR, 0, 512);
		add(f, id, STO_FAULT_READ_ERROR, 512, 512);
		add(f, id, STO_FAULT_SLOW, 0, 20);
	}
	ok(sto_fault_remove(f->sto, &one, &f->err));
	fails(-ENOENT, sto_fault_remove(f->sto, &one, &f->err));
	assert_int_equal(count(f, ID(1)), 2);
	ok(sto_fault_clear(f->sto, ID(2), STO_FAULT_READ_ERROR, &f->err));
	assert_int_equal(count(f, ID(1)), 2);
	assert_int_equal(count(f, ID(2)), 1);
	ok(sto_fault_clear(f->sto, NULL, STO_FAULT_SLOW, &f->err));
	assert_int_equal(count(f, NULL), 1);
	add(f, 1, STO_FAULT_GONE, 0, 0);
	add(f, 2, STO_FAULT_GONE, 0, 0);
	ok(sto_fault_clear(f->sto, ID(1), 0, &f->err));
	assert_int_equal(count(f, ID(1)), 0);
	assert_int_equal(count(f, ID(2)), 1);
	ok(sto_fault_clear(f->sto, NULL, 0, &f->err));
	assert_int_equal(count(f, NULL), 0);
	ok(sto_fault_clear(f->sto, ID(1), 0, &f->err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST_EMPTY(refused_where_not_allowed),
		FX_TEST_EMPTY(allowed_only_while_there_is_no_subsystem),
		FX_TEST(kept_in_order_with_their_arguments),
		FX_TEST(each_kind_is_known),
		FX_TEST(cleared_by_kind_by_object_or_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
