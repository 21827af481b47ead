/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "cli/run.h"

#include <jansson.h>
#include <unistd.h>

static struct cli_ctx ctx;
static char *out_text, *err_text;
static size_t out_len, err_len;

static int setup(void **state)
{
	(void)state;
	cli_ctx_init(&ctx);
	ctx.out = open_memstream(&out_text, &out_len);
	ctx.err = open_memstream(&err_text, &err_len);
	unsetenv("VDS_STORE");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cli_ctx_release(&ctx);
	fclose(ctx.out);
	fclose(ctx.err);
	free(out_text);
	free(err_text);
	return 0;
}

static int run(const char *text, size_t len)
{
	char path[] = "/tmp/cli-script-XXXXXX";
	int fd = mkstemp(path), status;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
	status = cli_script(&ctx, path);
	unlink(path);
	fflush(ctx.out);
	fflush(ctx.err);
	return status;
}

#define RUN(text) run(text, sizeof(text) - 1)

static json_t *summary(void)
{
	char *last = strrchr(out_text, '{');
	json_t *j;

	/* the summary is the last line */
	while (last > out_text && last[-1] != '\n')
		last--;
	j = json_loads(last, 0, NULL);
	assert_non_null(j);
	return j;
}

static int count(json_t *j, const char *key)
{
	return (int)json_integer_value(json_object_get(json_object_get(j, "summary"), key));
}

static void comments_and_blank_lines_do_not_count(void **state)
{
	json_t *j;

	(void)state;
	ctx.opt.json = true;
	assert_int_equal(RUN("rem hello\n\n   # x\nREM\r\nautomagic set ftl=on\n"), CLI_OK);
	j = summary();
	assert_int_equal(count(j, "run"), 1);
	assert_int_equal(count(j, "failed"), 0);
	json_decref(j);
}

static void a_script_stops_at_the_first_error(void **state)
{
	(void)state;
	assert_int_equal(RUN("nonsense\nhelp error S_OK\n"), CLI_SYNTAX);
	assert_null(strstr(out_text, "S_OK"));
	assert_non_null(strstr(err_text, "in line 1 of"));
}

static void keep_going_goes_on(void **state)
{
	(void)state;
	ctx.opt.keep_going = true;
	assert_int_equal(RUN("nonsense\nhelp error S_OK\n"), CLI_SYNTAX);
	assert_non_null(strstr(out_text, "S_OK"));
}

static void noerr_hides_failures_but_no_syntax_errors(void **state)
{
	json_t *j;

	(void)state;
	ctx.opt.json = true;
	/* without a store every command fails with status 8 */
	assert_int_equal(RUN("list drives noerr\nautomagic\n"), CLI_OK);
	j = summary();
	assert_int_equal(count(j, "suppressed"), 1);
	assert_int_equal(count(j, "run"), 2);
	json_decref(j);
	assert_int_equal(RUN("list dri noerr\nautomagic\n"), CLI_SYNTAX);
}

static void strict_reports_what_noerr_hid(void **state)
{
	(void)state;
	ctx.opt.strict = true;
	assert_int_equal(RUN("list drives noerr\n"), CLI_SUPPRESSED);
	assert_int_equal(RUN("automagic\n"), CLI_OK);
}

static void exit_ends_the_script(void **state)
{
	(void)state;
	assert_int_equal(RUN("exit\nnonsense\n"), CLI_OK);
}

static void check_syntax_runs_nothing(void **state)
{
	(void)state;
	ctx.opt.check_syntax = true;
	assert_int_equal(RUN("delete lun 0\nhelp error S_OK\n"), CLI_OK);
	assert_string_equal(out_text, "");
	assert_int_equal(RUN("delete lun 0\nlits\nlist lunz\n"), CLI_SYNTAX);
	assert_non_null(strstr(err_text, "line 2"));
	assert_non_null(strstr(err_text, "line 3"));
}

static void odd_files(void **state)
{
	(void)state;
	assert_int_equal(
		RUN("\xef\xbb\xbfhelp error S_OK"), CLI_OK); /* BOM, no newline at the end */
	assert_int_equal(RUN("list\0drives\n"), CLI_SYNTAX);
	assert_int_equal(RUN(""), CLI_OK);
	assert_int_equal(cli_script(&ctx, "/nonexistent/script"), CLI_CANNOT_OPEN);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(comments_and_blank_lines_do_not_count),
		WITH(a_script_stops_at_the_first_error),
		WITH(keep_going_goes_on),
		WITH(noerr_hides_failures_but_no_syntax_errors),
		WITH(strict_reports_what_noerr_hid),
		WITH(exit_ends_the_script),
		WITH(check_syntax_runs_nothing),
		WITH(odd_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
