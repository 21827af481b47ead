/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

static struct sto_provider provider(unsigned n)
{
	struct sto_provider p = {.id = fx_id(n),
		.clsid = fx_id(1000 + n),
		.type = 3,
		.version_id = fx_id(2000 + n),
		.version = "1.0",
		.machine = "",
		.path = "/usr/lib/vds/p.so"};

	snprintf(p.name, sizeof(p.name), "Provider %u", n);
	return p;
}

static void registered_providers_survive_a_restart(void **st)
{
	struct fixture *f = *st;
	struct sto_provider p = provider(2), out;
	struct sto_provider_vec v;

	ok(sto_provider_add(f->sto, &p, &f->err));
	p = provider(1);
	ok(sto_provider_add(f->sto, &p, &f->err));
	fx_reopen(f);
	ok(sto_provider_get(f->sto, ID(1), &out, &f->err));
	assert_memory_equal(&out, &p, sizeof(p));
	ok(sto_provider_list(f->sto, &v, &f->err));
	assert_int_equal(v.len, 2);
	assert_string_equal(v.items[0].name, "Provider 2");
	assert_memory_equal(&v.items[1], &p, sizeof(p));
	sto_provider_vec_free(&v);
}

static void a_second_registration_is_refused_and_changes_nothing(void **st)
{
	struct fixture *f = *st;
	struct sto_provider p = provider(1), out;

	ok(sto_provider_add(f->sto, &p, &f->err));
	strcpy(p.name, "Impostor");
	fails(-EEXIST, sto_provider_add(f->sto, &p, &f->err));
	ok(sto_provider_get(f->sto, ID(1), &out, &f->err));
	assert_string_equal(out.name, "Provider 1");
}

static void removed_providers_are_gone(void **st)
{
	struct fixture *f = *st;
	struct sto_provider p = provider(1), out;

	fails(-ENOENT, sto_provider_remove(f->sto, ID(1), &f->err));
	ok(sto_provider_add(f->sto, &p, &f->err));
	ok(sto_provider_remove(f->sto, ID(1), &f->err));
	fails(-ENOENT, sto_provider_get(f->sto, ID(1), &out, &f->err));
	fails(-ENOENT, sto_provider_remove(f->sto, ID(1), &f->err));
	ok(sto_provider_add(f->sto, &p, &f->err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(registered_providers_survive_a_restart),
		FX_TEST(a_second_registration_is_refused_and_changes_nothing),
		FX_TEST(removed_providers_are_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
