/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "test_base.h"

#include <pthread.h>

struct seen {
	unsigned lines[4];
	char last[2000];
};

static void sink(enum log_level level, const char *line, void *ctx)
{
	struct seen *s = ctx;

	s->lines[level]++;
	snprintf(s->last, sizeof(s->last), "%s", line);
}

static int calls;

static int counted(void)
{
	return ++calls;
}

static void the_environment_sets_the_first_level(void **state)
{
	(void)state;
	/* before anything else was logged in this process */
	setenv("VDS_LOG", "info", 1);
	assert_true(log_enabled(LOG_LEVEL_INFO));
	assert_false(log_enabled(LOG_LEVEL_DEBUG));
}

static void lines_above_the_level_are_dropped(void **state)
{
	struct seen s = {0};

	(void)state;
	log_set_sink(sink, &s);
	log_set_level(LOG_LEVEL_WARNING);
	log_error("drive %d", 1);
	assert_string_equal(s.last, "drive 1");
	log_warning("w");
	log_info("i");
	log_debug("%d", counted());
	assert_int_equal(s.lines[LOG_LEVEL_ERROR], 1);
	assert_int_equal(s.lines[LOG_LEVEL_WARNING], 1);
	assert_int_equal(s.lines[LOG_LEVEL_INFO], 0);
	assert_int_equal(calls, 0); /* arguments of dropped debug lines cost nothing */
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("%d", counted());
	assert_int_equal(s.lines[LOG_LEVEL_DEBUG], 1);
	assert_int_equal(calls, 1);
	log_set_sink(NULL, NULL);
}

static void long_lines_are_cut(void **state)
{
	struct seen s = {0};
	char longer[3000];

	(void)state;
	memset(longer, 'y', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	log_set_sink(sink, &s);
	log_error("%s", longer);
	assert_in_range(strlen(s.last), 500, 1500);
	log_set_sink(NULL, NULL);
}

static void *many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 1000; i++)
		log_error("line %d", i);
	return NULL;
}

static void threads_do_not_mix(void **state)
{
	struct seen s = {0};
	pthread_t threads[4];

	(void)state;
	log_set_sink(sink, &s);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, many, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(s.lines[LOG_LEVEL_ERROR], 4000);
	log_set_sink(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment_sets_the_first_level),
		cmocka_unit_test(lines_above_the_level_are_dropped),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(threads_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
