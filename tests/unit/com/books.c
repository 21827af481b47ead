/* SPDX-License-Identifier: Apache-2.0 */
/* Books of living objects, traces, and the module's lock. */
#include "thing.h"

static char lines[20][1024];
static unsigned lines_count;

static void collect(enum log_level level, const char *line, void *ctx)
{
	(void)level, (void)ctx;
	if (lines_count < ARRAY_SIZE(lines))
		strncpy(lines[lines_count++], line, sizeof(lines[0]) - 1);
}

static bool some_line_has(const char *text)
{
	for (unsigned i = 0; i < lines_count; i++)
		if (strstr(lines[i], text))
			return true;
	return false;
}

static int setup(void **state)
{
	lines_count = 0;
	memset(lines, 0, sizeof(lines));
	log_set_sink(collect, NULL);
	return thing_setup(state);
}

static int teardown(void **state)
{
	log_set_level(LOG_LEVEL_WARNING);
	log_set_sink(NULL, NULL);
	return thing_teardown(state);
}

static void the_living_are_counted_and_named(void **state)
{
	static const GUID id = {.Data1 = 0xabcdef01};
	struct thing *t = thing_new(&id, false);

	(void)state;
	assert_int_equal(com_live_objects(NULL), 1);
	assert_int_equal(com_live_objects("thing"), 1);
	assert_int_equal(com_live_objects("other"), 0);
	assert_int_equal(com_dump_live(), 1);
	assert_int_equal(lines_count, 1);
	assert_true(some_line_has("thing {abcdef01-0000-0000-0000-000000000000}, 1 references"));
	assert_true(some_line_has("thing.h:"));
	com_release(&t->com);
	assert_int_equal(com_live_objects(NULL), 0);
}

static void tracked_references_name_their_holders(void **state)
{
	struct thing *t;
	IVdsMaintenance *m;

	(void)state;
	com_track_refs(true);
	t = thing_new(NULL, false);
	com_track_refs(false);
	m = COM_AS(t, IVdsMaintenance);
	for (int i = 0; i < 100; i++) /* more than is kept */
		IVdsMaintenance_AddRef(m);
	for (int i = 0; i < 100; i++)
		IVdsMaintenance_Release(m);
	com_dump_live();
	assert_true(some_line_has("given by "));
	assert_true(some_line_has("test_com_books"));
	IVdsMaintenance_Release(m);
}

static void methods_are_traced_at_debug_only(void **state)
{
	static const GUID id = {.Data1 = 0x11223344};
	struct thing *t = thing_new(&id, false);
	IVdsMaintenance *m = COM_AS(t, IVdsMaintenance);
	IVdsServiceInitialization *init = COM_AS(t, IVdsServiceInitialization);

	(void)state;
	IVdsMaintenance_StartMaintenance(m, BlinkLight);
	assert_int_equal(lines_count, 0);
	log_set_level(LOG_LEVEL_DEBUG);
	IVdsMaintenance_StartMaintenance(m, BeepAlarm);
	IVdsServiceInitialization_Initialize(init, NULL);
	assert_int_equal(lines_count, 2);
	assert_string_equal(
		lines[0], "{11223344-0000-0000-0000-000000000000} thing_StartMaintenance(op 2)");
	assert_string_equal(lines[1], "{11223344-0000-0000-0000-000000000000} thing_Initialize()");
	com_release(&t->com);
}

static void a_module_is_idle_without_locks_and_objects(void **state)
{
	struct thing *t;

	(void)state;
	assert_true(com_module_idle());
	com_module_lock();
	assert_false(com_module_idle());
	com_module_unlock();
	t = thing_new(NULL, false);
	assert_false(com_module_idle());
	com_release(&t->com);
	assert_true(com_module_idle());
}

#define BOOKS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOOKS_TEST(the_living_are_counted_and_named),
		BOOKS_TEST(tracked_references_name_their_holders),
		BOOKS_TEST(methods_are_traced_at_debug_only),
		BOOKS_TEST(a_module_is_idle_without_locks_and_objects),
	};

	return cmocka_run_group_tests_name("com books", tests, NULL, NULL);
}
