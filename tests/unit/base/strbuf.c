/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strbuf.h"
#include "test_base.h"

static bool memory_is_short;

void *__real_realloc(void *p, size_t n);

void *__wrap_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n)
{
	return memory_is_short ? NULL : __real_realloc(p, n);
}

static void grows_and_keeps_its_invariant(void **state)
{
	struct strbuf s = STRBUF_INIT;
	char *text;

	(void)state;
	assert_null(s.text);
	for (size_t i = 0; i < 1000; i++) {
		strbuf_add(&s, "abcdefg", i % 8);
		assert_false(s.failed);
		assert_true(!s.cap || (s.len < s.cap && s.text[s.len] == '\0'));
	}
	assert_int_equal(s.len, 125 * 28);
	text = strbuf_take(&s);
	assert_int_equal(strlen(text), 125 * 28);
	assert_null(s.text);
	assert_int_equal(s.len + s.cap, 0);
	free(text);
}

/* Lengths around each doubling, by both ways in. */
static void every_length_fits(void **state)
{
	char from[600];

	(void)state;
	memset(from, 'q', sizeof(from));
	for (size_t n = 0; n < sizeof(from); n++) {
		struct strbuf s = STRBUF_INIT;

		strbuf_add(&s, from, n);
		strbuf_printf(&s, "%.*s", (int)n, from);
		assert_false(s.failed);
		assert_int_equal(s.len, 2 * n);
		assert_true(s.len < s.cap);
		assert_int_equal(s.text[s.len], 0);
		strbuf_free(&s);
	}
}

static void adds_bytes_text_and_formats(void **state)
{
	struct strbuf s = STRBUF_INIT;

	(void)state;
	strbuf_puts(&s, "");
	strbuf_puts(&s, "a");
	strbuf_add(&s, "b\0c", 3);
	strbuf_printf(&s, "%s%03d", "d", 7);
	assert_int_equal(s.len, 8);
	assert_memory_equal(s.text, "ab\0cd007", 9);
	strbuf_free(&s);
	assert_null(s.text);
	strbuf_free(&s);
}

static void taking_nothing_gives_an_empty_text(void **state)
{
	struct strbuf s = STRBUF_INIT;
	char *text = strbuf_take(&s);

	(void)state;
	assert_string_equal(text, "");
	free(text);
}

static void one_failure_spoils_the_whole(void **state)
{
	struct strbuf s = STRBUF_INIT;
	char longer[100];

	(void)state;
	memset(longer, 'x', sizeof(longer));
	strbuf_puts(&s, "fits");
	memory_is_short = true;
	strbuf_add(&s, longer, sizeof(longer));
	memory_is_short = false;
	assert_true(s.failed);
	strbuf_puts(&s, "ignored");
	strbuf_printf(&s, "%d", 1);
	assert_string_equal(s.text, "fits");
	assert_null(strbuf_take(&s));
	assert_false(s.failed); /* and can be used again */
	strbuf_puts(&s, "new");
	assert_string_equal(s.text, "new");
	strbuf_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_keeps_its_invariant),
		cmocka_unit_test(every_length_fits),
		cmocka_unit_test(adds_bytes_text_and_formats),
		cmocka_unit_test(taking_nothing_gives_an_empty_text),
		cmocka_unit_test(one_failure_spoils_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
