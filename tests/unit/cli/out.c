/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "cli/error.h"
#include "cli/out.h"
#include "cli/run.h"

static struct cli_ctx ctx;
static char *out_text, *err_text;
static size_t out_len, err_len;

static int setup(void **state)
{
	(void)state;
	cli_ctx_init(&ctx);
	ctx.out = open_memstream(&out_text, &out_len);
	ctx.err = open_memstream(&err_text, &err_len);
	ctx.mode = CLI_SCRIPT;
	ctx.outcome.warnings = json_array();
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

static const char *output(void)
{
	fflush(ctx.out);
	return out_text;
}

static const char *errors(void)
{
	fflush(ctx.err);
	return err_text;
}

static json_t *run_json(const char *text)
{
	json_t *j;

	ctx.opt.json = true;
	(void)cli_run_text(&ctx, text, strlen(text), NULL);
	j = json_loads(output(), 0, NULL);
	assert_non_null(j);
	return j;
}

static void the_envelope_has_all_keys(void **state)
{
	static const char *const keys[] = {
		"schema", "host", "command", "ok", "changed", "result", "warnings", "job", "error"};
	json_t *j = run_json("help create lun"), *v;
	const char *key;
	size_t n = 0;

	(void)state;
	json_object_foreach(j, key, v) assert_string_equal(key, keys[n++]);
	(void)v;
	assert_int_equal(n, ARRAY_SIZE(keys));
	assert_string_equal(json_string_value(json_object_get(j, "schema")), "vds.1");
	assert_string_equal(json_string_value(json_object_get(j, "command")), "help create lun");
	assert_true(json_is_true(json_object_get(j, "ok")));
	assert_true(json_is_null(json_object_get(j, "error")));
	assert_true(json_is_array(json_object_get(j, "result")));
	json_decref(j);
}

static void a_syntax_error_has_no_hresult(void **state)
{
	json_t *j = run_json("lits drives"), *e = json_object_get(j, "error");

	(void)state;
	assert_true(json_is_false(json_object_get(j, "ok")));
	assert_true(json_is_null(json_object_get(e, "hresult")));
	assert_true(json_is_null(json_object_get(j, "result")));
	assert_true(json_is_string(json_object_get(e, "message")));
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(e, "try"), 0)), "list");
	json_decref(j);
}

static void a_refusal_names_code_and_object(void **state)
{
	struct cli_object lun = {.noun = CLI_LUN, .number = 2};
	json_t *j, *e, *o;

	(void)state;
	ctx.opt.json = true;
	assert_int_equal(
		cli_fail(&ctx, VDS_E_OBJECT_STATUS_FAILED, &lun, "LUN %u failed", 2u), CLI_FAILED);
	cli_finish(&ctx, NULL, "recover lun 2");
	j = json_loads(output(), 0, NULL);
	e = json_object_get(j, "error");
	o = json_object_get(e, "object");
	assert_string_equal(json_string_value(json_object_get(e, "hresult")), "0x80042431");
	assert_string_equal(
		json_string_value(json_object_get(e, "name")), "VDS_E_OBJECT_STATUS_FAILED");
	assert_string_equal(json_string_value(json_object_get(o, "type")), "lun");
	assert_int_equal(json_integer_value(json_object_get(o, "number")), 2);
	json_decref(j);
}

static void errors_in_text_are_three_lines(void **state)
{
	(void)state;
	cli_fail(&ctx, VDS_E_PROVIDER_CACHE_CORRUPT, NULL, "the drives cannot be listed");
	cli_finish(&ctx, NULL, "list drives");
	assert_non_null(strstr(errors(), "error: the drives cannot be listed "
					 "(VDS_E_PROVIDER_CACHE_CORRUPT 0x8004241f)\n"));
	assert_non_null(strstr(errors(), "\ncause: "));
	assert_non_null(strstr(errors(), "\ntry:   reenumerate subsystems ; refresh provider\n"));
	assert_string_equal(output(), "");
}

static void a_cancelled_operation_has_its_own_status(void **state)
{
	(void)state;
	assert_int_equal(cli_fail(&ctx, VDS_E_OPERATION_CANCELED, NULL, "x"), CLI_CANCELLED);
}

static void sizes_in_three_units(void **state)
{
	static const struct {
		enum cli_units units;
		uint64_t bytes;
		const char *text;
	} rows[] = {{CLI_UNITS_IEC, 96 << 20, "96 MB"}, {CLI_UNITS_IEC, 0, "0 B"},
		{CLI_UNITS_IEC, 1536, "1.5 KB"}, {CLI_UNITS_IEC, 1048575, "1 MB"},
		{CLI_UNITS_IEC, (uint64_t)107 << 30, "107 GB"}, {CLI_UNITS_SI, 1500000, "1.5 MB"},
		{CLI_UNITS_BYTES, 12345, "12345"}, {CLI_UNITS_IEC, UINT64_MAX, "16 EB"}};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ctx.opt.units = rows[i].units;
		assert_string_equal(cli_size(&ctx, rows[i].bytes, buf), rows[i].text);
	}
}

static json_t *rows(void)
{
	return json_loads(
		"[{\"number\":0,\"status\":\"online\",\"status_raw\":1,\"size_bytes\":1048576,"
		"\"name\":null},{\"number\":12,\"status\":\"not_ready\",\"status_raw\":2,"
		"\"size_bytes\":2048,\"name\":\"ö\"}]",
		0, NULL);
}

static const struct cli_column columns[] = {{"N", "number", true, NULL},
	{"Status", "status", false, NULL}, {"Size", "size_bytes", true, NULL},
	{"Name", "name", false, NULL}};

static void tables_are_aligned_and_mark_the_focus(void **state)
{
	json_t *r = rows();

	(void)state;
	cli_focus_select(&ctx.focus, CLI_DRIVE, 12);
	cli_table(&ctx, columns, ARRAY_SIZE(columns), r, CLI_DRIVE);
	assert_string_equal(output(), "   N  Status     Size  Name\n"
				      "  --  ---------  ----  ----\n"
				      "   0  Online     1 MB  \n"
				      "* 12  Not ready  2 KB  ö\n");
	json_decref(r);
}

static void columns_can_be_chosen(void **state)
{
	json_t *r = rows();

	(void)state;
	ctx.opt.columns = "status,number";
	ctx.opt.no_header = true;
	cli_table(&ctx, columns, ARRAY_SIZE(columns), r, CLI_NOUN_NONE);
	assert_string_equal(output(), "  Online     0\n  Not ready  12\n");
	ctx.opt.columns = "nosuch";
	cli_table(&ctx, columns, ARRAY_SIZE(columns), r, CLI_NOUN_NONE);
	assert_int_equal(ctx.outcome.diag.status, CLI_BAD_OPTIONS);
	json_decref(r);
}

static void personalities_have_their_own_statuses(void **state)
{
	(void)state;
	assert_int_equal(cli_exit_status(&ctx, CLI_WAITED_TOO_LONG), 7);
	ctx.opt.personality = CLI_DISKRAID;
	assert_int_equal(cli_exit_status(&ctx, CLI_WAITED_TOO_LONG), 4);
	assert_int_equal(cli_exit_status(&ctx, CLI_CANCELLED), 4);
	assert_int_equal(cli_exit_status(&ctx, CLI_UNREACHABLE), 4);
	assert_int_equal(cli_exit_status(&ctx, CLI_SUPPRESSED), 0);
	assert_int_equal(cli_exit_status(&ctx, CLI_SYNTAX), 5);
}

static void without_a_store_nothing_can_be_done(void **state)
{
	(void)state;
	unsetenv("VDS_STORE");
	assert_int_equal(cli_run_text(&ctx, "list drives", 11, NULL), CLI_UNREACHABLE);
	ctx.opt.host = "elsewhere";
	assert_int_equal(cli_run_text(&ctx, "list drives", 11, NULL), CLI_UNREACHABLE);
	assert_non_null(strstr(errors(), "no remote support in this build"));
	assert_int_equal(cli_run_text(&ctx, "check", 5, NULL), CLI_CHECK_UNKNOWN);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(the_envelope_has_all_keys),
		WITH(a_syntax_error_has_no_hresult),
		WITH(a_refusal_names_code_and_object),
		WITH(errors_in_text_are_three_lines),
		WITH(a_cancelled_operation_has_its_own_status),
		WITH(sizes_in_three_units),
		WITH(tables_are_aligned_and_mark_the_focus),
		WITH(columns_can_be_chosen),
		WITH(personalities_have_their_own_statuses),
		WITH(without_a_store_nothing_can_be_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
