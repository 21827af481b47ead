/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

static const char *const steps[] = {
	"CREATE TABLE t1 (a INTEGER) STRICT; INSERT INTO t1 VALUES (1);",
	"ALTER TABLE t1 ADD COLUMN b INTEGER NOT NULL DEFAULT 5;",
	"CREATE TABLE t2 (a INTEGER) STRICT; INSERT INTO t2 SELECT a + b FROM t1;",
};

/* A database in which a table of another name shows what the steps did. */
static void fresh(struct fixture *f)
{
	ok(db_script(&f->sto->db, "PRAGMA user_version = 0", &f->err));
}

static int64_t number(struct fixture *f, const char *text)
{
	int64_t v = -1;

	ok(db_get_int(&f->sto->db, &f->err, &v, text));
	return v;
}

static void steps_are_taken_in_order_from_any_version(void **st)
{
	struct fixture *f = *st;

	fresh(f);
	ok(sto_schema_migrate(&f->sto->db, steps, 1, &f->err));
	assert_int_equal(number(f, "PRAGMA user_version"), 1);
	ok(sto_schema_migrate(&f->sto->db, steps, 3, &f->err));
	assert_int_equal(number(f, "PRAGMA user_version"), 3);
	assert_int_equal(number(f, "SELECT a FROM t2"), 6);
	ok(sto_schema_migrate(&f->sto->db, steps, 3, &f->err));
	assert_int_equal(number(f, "SELECT count(*) FROM t2"), 1);
}

static void a_failing_step_leaves_the_old_version(void **st)
{
	static const char *const bad[] = {"CREATE TABLE t1 (a) STRICT",
		"CREATE TABLE t9 (a ANY) "
		"STRICT; INSERT INTO nowhere VALUES (1)"};
	struct fixture *f = *st;

	fresh(f);
	ok(sto_schema_migrate(&f->sto->db, steps, 1, &f->err));
	fails(-EIO, sto_schema_migrate(&f->sto->db, bad, 2, &f->err));
	assert_int_equal(number(f, "PRAGMA user_version"), 1);
	assert_int_equal(number(f, "SELECT count(*) FROM sqlite_schema WHERE name = 't9'"), 0);
	ok(sto_schema_migrate(&f->sto->db, steps, 3, &f->err));
}

static void a_newer_store_is_refused_and_left_alone(void **st)
{
	struct fixture *f = *st;
	char pragma[64];

	snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %u", sto_schema_version + 1);
	ok(db_script(&f->sto->db, pragma, &f->err));
	sto_close(f->sto);
	f->sto = NULL;
	fails(-ENOTSUP,
		sto_open(f->dir, STO_OPEN_CREATE | STO_OPEN_REBUILD, &f->clock, &f->sto, &f->err));
	assert_non_null(strstr(f->err.text, "newer version"));
}

static void columns_hold_what_they_say(void **st)
{
	struct fixture *f = *st;
	struct db *db = &f->sto->db;

	assert_true(db_exec(db, NULL, "INSERT INTO setting VALUES ('a', 'text')") < 0);
	assert_int_equal(db_exec(db, NULL, "INSERT INTO number VALUES (1, 0, x'00', 0)"), -EINVAL);
	assert_int_equal(
		db_exec(db, NULL, "INSERT INTO number VALUES (1, -1, ?, 0)", DB_GUID(ID(1))),
		-EINVAL);
	assert_int_equal(db_exec(db, NULL, "INSERT INTO bay VALUES (?1, 0, 0, 'p', NULL, 0, 0)",
				 DB_GUID(ID(1))),
		-ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(steps_are_taken_in_order_from_any_version),
		FX_TEST(a_failing_step_leaves_the_old_version),
		FX_TEST(a_newer_store_is_refused_and_left_alone),
		FX_TEST(columns_hold_what_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
