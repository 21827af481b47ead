/* SPDX-License-Identifier: Apache-2.0 */
/* Identity, QueryInterface, references and death of one object; and of one under four threads. */
#include "thing.h"

static void query_rules(void **state)
{
	struct thing *t = thing_new(NULL, false);
	IVdsMaintenance *m = COM_AS(t, IVdsMaintenance);
	void *out = t;

	(void)state;
	assert_int_equal(m->lpVtbl->QueryInterface(m, &IID_IVdsMaintenance, NULL), E_POINTER);
	assert_int_equal(m->lpVtbl->QueryInterface(m, &IID_IVdsLun, &out), E_NOINTERFACE);
	assert_null(out);
	out = t;
	assert_int_equal(com_query(&t->com, NULL, &out), E_INVALIDARG);
	assert_null(out);
	assert_int_equal(m->lpVtbl->AddRef(m), 2);
	assert_int_equal(m->lpVtbl->Release(m), 1);
	assert_int_equal(IVdsMaintenance_Release(m), 0);
	assert_int_equal(atomic_load(&thing_destroyed), 1);
}

/* From every interface every other is reached, each has its own functions, and IUnknown is one
 * pointer whatever the way. */
static void identity_is_one_pointer(void **state)
{
	static const IID *const iids[] = {
		&IID_IUnknown, &IID_IVdsMaintenance, &IID_IVdsServiceInitialization};
	struct thing *t = thing_new(NULL, false);
	IUnknown *identity = com_identity(&t->com);

	(void)state;
	assert_ptr_equal(identity, &t->IUnknown_iface);
	for (size_t i = 0; i < ARRAY_SIZE(iids); i++) {
		IUnknown *unk;
		void *from;

		assert_int_equal(com_query(&t->com, iids[i], &from), S_OK);
		unk = from;
		for (size_t j = 0; j < ARRAY_SIZE(iids); j++) {
			IUnknown *to;
			void *out;

			assert_int_equal(unk->lpVtbl->QueryInterface(unk, iids[j], &out), S_OK);
			to = out;
			assert_true((out == (void *)identity) == (j == 0));
			assert_true((out == from) == (i == j));
			to->lpVtbl->Release(to);
		}
		unk->lpVtbl->Release(unk);
	}
	assert_int_equal(com_release(&t->com), 0);
}

static void methods_reach_their_object(void **state)
{
	struct thing *a = thing_new(NULL, false), *b = thing_new(NULL, false);
	IVdsMaintenance *m = COM_AS(a, IVdsMaintenance);
	void *out;

	(void)state;
	assert_int_equal(IVdsMaintenance_StartMaintenance(m, BlinkLight), S_OK);
	assert_int_equal(com_query(&a->com, &IID_IVdsServiceInitialization, &out), S_OK);
	IVdsServiceInitialization_Initialize((IVdsServiceInitialization *)out, NULL);
	IVdsServiceInitialization_Release((IVdsServiceInitialization *)out);
	assert_int_equal(atomic_load(&a->blinking), 1);
	assert_int_equal(atomic_load(&a->initialised), 1);
	assert_int_equal(atomic_load(&b->blinking), 0);
	com_release(&a->com);
	com_release(&b->com);
}

static void capabilities_are_decided_at_creation(void **state)
{
	struct thing *t = thing_new(NULL, true);
	void *out;

	(void)state;
	assert_int_equal(com_query(&t->com, &IID_IVdsServiceInitialization, &out), E_NOINTERFACE);
	assert_null(out);
	assert_int_equal(com_query(&t->com, &IID_IVdsMaintenance, &out), S_OK);
	com_release(&t->com);
	com_release(&t->com);
}

static void macros_take_null_and_clear(void **state)
{
	struct thing *t = thing_new(NULL, false);
	IVdsMaintenance *m = COM_AS(t, IVdsMaintenance), *none = NULL;

	(void)state;
	COM_ADDREF(none);
	COM_RELEASE(none);
	COM_ADDREF(m);
	COM_RELEASE(m);
	COM_RELEASE_CLEAR(m);
	assert_null(m);
	assert_int_equal(atomic_load(&thing_destroyed), 1);
}

static void creation_fails_when_memory_is_short(void **state)
{
	(void)state;
	com_alloc_fail_after(1);
	assert_null(thing_new(NULL, false));
	assert_false(com_alloc_fail_armed());
}

/*
 * Four threads look things up, ask for interfaces, call them and let go, 20,000 times each, while
 * each object dies whenever nobody happens to hold it and is made anew by whoever asks next.
 */
#define THREADS 4
#define ROUNDS  20000
#define IDS     3

struct stress {
	struct com_registry *registry;
	atomic_int made, calls;
};

static struct com_object *make_thing(void *ctx, const GUID *id)
{
	struct stress *s = ctx;
	struct thing *t = thing_new(id, false);

	atomic_fetch_add(&s->made, 1);
	return t ? &t->com : NULL;
}

static void *stress_main(void *arg)
{
	struct stress *s = arg;

	for (int i = 0; i < ROUNDS; i++) {
		GUID id = {.Data1 = (DWORD)(i % IDS + 1)};
		struct com_object *com;
		IVdsMaintenance *m;
		IUnknown *unk, *again;
		void *out;

		assert_int_equal(com_registry_get(s->registry, &id, make_thing, s, &com), S_OK);
		assert_true(com_guid_equal(&com->id, &id));
		assert_int_equal(com_query(com, &IID_IVdsMaintenance, &out), S_OK);
		m = out;
		com_release(com);
		assert_int_equal(IVdsMaintenance_StartMaintenance(m, BlinkLight), S_OK);
		assert_int_equal(IVdsMaintenance_QueryInterface(m, &IID_IUnknown, &out), S_OK);
		unk = out;
		assert_int_equal(IVdsMaintenance_StopMaintenance(m, BlinkLight), S_OK);
		IVdsMaintenance_Release(m);
		/* While somebody holds it, everybody gets the same one. */
		assert_int_equal(com_registry_get(s->registry, &id, make_thing, s, &com), S_OK);
		again = com_identity(com);
		assert_ptr_equal(unk, again);
		com_release(com);
		IUnknown_Release(unk);
		atomic_fetch_add(&s->calls, 1);
	}
	return NULL;
}

static void four_threads_share_objects_that_come_and_go(void **state)
{
	struct stress s = {.registry = com_registry_new()};
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, stress_main, &s), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&s.calls), THREADS * ROUNDS);
	assert_int_equal(atomic_load(&s.made), atomic_load(&thing_destroyed));
	/* They did come and go. */
	assert_true(atomic_load(&s.made) > IDS);
	assert_int_equal(com_registry_count(s.registry), 0);
	com_registry_free(s.registry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		THING_TEST(query_rules),
		THING_TEST(identity_is_one_pointer),
		THING_TEST(methods_reach_their_object),
		THING_TEST(capabilities_are_decided_at_creation),
		THING_TEST(macros_take_null_and_clear),
		THING_TEST(creation_fails_when_memory_is_short),
		THING_TEST(four_threads_share_objects_that_come_and_go),
	};

	return cmocka_run_group_tests_name("com object", tests, NULL, NULL);
}
