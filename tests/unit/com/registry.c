/* SPDX-License-Identifier: Apache-2.0 */
/* The weak registry: one living object for each id, and what happens around its death. */
#include "thing.h"

static const GUID ID_A = {.Data1 = 1}, ID_B = {.Data1 = 2};

static struct com_object *thing_com(const GUID *id)
{
	return &thing_new(id, false)->com;
}

static struct com_object *make(void *ctx, const GUID *id)
{
	struct thing *t = thing_new(id, false);

	(*(int *)ctx)++;
	return t ? &t->com : NULL;
}

static void it_holds_no_references(void **state)
{
	struct com_registry *r = com_registry_new();
	struct com_object *a = com_registry_add(r, thing_com(&ID_A));

	(void)state;
	assert_int_equal(com_registry_count(r), 1);
	assert_ptr_equal(com_registry_find(r, &ID_A), a);
	assert_null(com_registry_find(r, &ID_B));
	assert_int_equal(com_release(a), 1);
	assert_int_equal(com_release(a), 0);
	assert_int_equal(com_registry_count(r), 0);
	assert_null(com_registry_find(r, &ID_A));
	com_registry_free(r);
	com_registry_free(NULL);
}

static void the_living_one_wins(void **state)
{
	struct com_registry *r = com_registry_new();
	struct com_object *a = com_registry_add(r, thing_com(&ID_A));

	(void)state;
	assert_ptr_equal(com_registry_add(r, thing_com(&ID_A)), a);
	assert_int_equal(atomic_load(&thing_destroyed), 1);
	assert_int_equal(atomic_load(&a->refs), 2);
	com_release(a);
	com_release(a);
	com_registry_free(r);
}

static void get_makes_only_what_is_missing(void **state)
{
	struct com_registry *r = com_registry_new();
	struct com_object *a, *b;
	int made = 0;

	(void)state;
	assert_int_equal(com_registry_get(r, &ID_A, make, &made, &a), S_OK);
	assert_int_equal(com_registry_get(r, &ID_A, make, &made, &b), S_OK);
	assert_ptr_equal(a, b);
	assert_int_equal(made, 1);
	com_alloc_fail_after(1);
	assert_int_equal(com_registry_get(r, &ID_B, make, &made, &b), E_OUTOFMEMORY);
	assert_null(b);
	com_release(a);
	com_release(a);
	com_registry_free(r);
}

static void many_ids_are_all_found(void **state)
{
	enum { N = 5000 };
	struct com_registry *r = com_registry_new();
	struct com_object **all = calloc(N, sizeof(struct com_object *));

	(void)state;
	for (DWORD i = 0; i < N; i++) {
		GUID id = {.Data1 = i, .Data4 = {1}};

		all[i] = com_registry_add(r, thing_com(&id));
	}
	assert_int_equal(com_registry_count(r), N);
	for (DWORD i = 0; i < N; i++) {
		GUID id = {.Data1 = i, .Data4 = {1}};

		assert_ptr_equal(com_registry_find(r, &id), all[i]);
		com_release(all[i]);
		if (i % 2)
			com_release(all[i]);
	}
	assert_int_equal(com_registry_count(r), N / 2);
	for (DWORD i = 0; i < N; i += 2)
		com_release(all[i]);
	com_registry_free(r);
	free(all);
}

/*
 * The moment between "the last reference is gone" and "it is out of the registry": an object whose
 * count is zero is still in the map. It must not come back to life, and a successor may stand
 * beside it. The moment is held open by setting the count by hand.
 */
static void the_dying_do_not_come_back(void **state)
{
	struct com_registry *r = com_registry_new();
	struct com_object *old = com_registry_add(r, thing_com(&ID_A)), *new;
	int made = 0;

	(void)state;
	atomic_store(&old->refs, 0);
	assert_false(com_addref_unless_zero(old));
	assert_null(com_registry_find(r, &ID_A));
	assert_int_equal(com_registry_get(r, &ID_A, make, &made, &new), S_OK);
	assert_int_equal(made, 1);
	assert_ptr_not_equal(new, old);
	assert_int_equal(com_registry_count(r), 2);
	/* Its thread goes on: it takes out itself, not its successor. */
	atomic_store(&old->refs, 1);
	assert_int_equal(com_release(old), 0);
	assert_ptr_equal(com_registry_find(r, &ID_A), new);
	com_release(new);
	com_release(new);
	com_registry_free(r);
}

/* An owner that holds the registry, and objects that hold the owner: the last object's death ends
 * the registry too, from within destroy. */
struct owner {
	atomic_int refs;
	struct com_registry *registry;
};

struct owned {
	struct com_object com;
	IUnknown IUnknown_iface;
	struct owner *owner;
};

COM_IDENTITY(owned)

static void owner_unref(struct owner *o)
{
	if (atomic_fetch_sub(&o->refs, 1) > 1)
		return;
	com_registry_free(o->registry);
	free(o);
}

static void owned_destroy(struct com_object *com)
{
	owner_unref(container_of(com, struct owned, com)->owner);
}

static const struct com_iface owned_list[] = {COM_IFACE(owned, IUnknown)};
static const struct com_class owned_class = {
	"owned", sizeof(struct owned), COM_IFACES(owned_list), owned_destroy};

static struct com_object *make_owned(void *ctx, const GUID *id)
{
	struct owner *owner = ctx;
	struct owned *o = com_object_new(&owned_class, id);

	o->owner = owner;
	atomic_fetch_add(&owner->refs, 1);
	return &o->com;
}

static void *hammer(void *arg)
{
	struct owner *owner = arg;
	struct com_object *com;

	for (int i = 0; i < 2000; i++) {
		assert_int_equal(
			com_registry_get(owner->registry, &ID_A, make_owned, owner, &com), S_OK);
		com_release(com);
	}
	owner_unref(owner);
	return NULL;
}

static void the_last_object_ends_its_registry(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		struct owner *o = calloc(1, sizeof(*o));
		pthread_t threads[3];

		atomic_init(&o->refs, 4);
		o->registry = com_registry_new();
		for (int i = 0; i < 3; i++)
			pthread_create(&threads[i], NULL, hammer, o);
		owner_unref(o);
		for (int i = 0; i < 3; i++)
			pthread_join(threads[i], NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		THING_TEST(it_holds_no_references),
		THING_TEST(the_living_one_wins),
		THING_TEST(get_makes_only_what_is_missing),
		THING_TEST(many_ids_are_all_found),
		THING_TEST(the_dying_do_not_come_back),
		THING_TEST(the_last_object_ends_its_registry),
	};

	return cmocka_run_group_tests_name("com registry", tests, NULL, NULL);
}
