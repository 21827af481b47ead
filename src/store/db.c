/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The system's errno says more, but it is the last one SQLite met and may be old; only those are
 * believed that call for different action. */
static int io_errno(struct db *db, int code)
{
	int sys = db->sql ? sqlite3_system_errno(db->sql) : 0;

	if (code == SQLITE_IOERR_NOMEM)
		return -ENOMEM;
	if (sys == ENOSPC || sys == EDQUOT)
		return -ENOSPC;
	return sys == EACCES || sys == EROFS ? -sys : -EIO;
}

int db_errno(struct db *db, int code)
{
	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_TOOBIG:
		return -EFBIG;
	case SQLITE_CONSTRAINT:
		if (code == SQLITE_CONSTRAINT_FOREIGNKEY)
			return -ENOENT;
		return code == SQLITE_CONSTRAINT_CHECK ? -EINVAL : -EEXIST;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return io_errno(db, code);
	default: /* SQLite's codes are plain ints */
		return -EIO;
	}
}

int db_damaged(struct db *db, const char *what, struct err *err)
{
	return err_set(err, -EUCLEAN,
		"The database of the store %s is damaged (%s). Open the store with the option to "
		"rebuild it: the database is set aside, and the drives bring their LUNs back.",
		db->where, what);
}

static int db_fail(struct db *db, int code, struct err *err)
{
	int rc = db_errno(db, code);

	switch (rc) {
	case -ENOSPC:
		return err_set(err, rc, "The file system of the store %s is full.", db->where);
	case -ENOMEM:
		return err_set(err, rc, "There is not enough memory for the store %s.", db->where);
	case -EUCLEAN:
		return db_damaged(
			db, db->sql ? sqlite3_errmsg(db->sql) : sqlite3_errstr(code), err);
	case -EBUSY:
		return err_set(err, rc, "The database of the store %s is open in another program.",
			db->where);
	default:
		return err_set(err, rc, "The database of the store %s failed: %s.", db->where,
			db->sql ? sqlite3_errmsg(db->sql) : sqlite3_errstr(code));
	}
}

/* Takes an error that means a header which SQLite does not accept for damage. It calls that a plain
 * error, or the file read-only, although it isn't. */
static int header_check(struct db *db, const char *path, int rc, struct err *err)
{
	bool readonly = sqlite3_db_readonly(db->sql, "main") == 1;

	if (!(rc == 0 && readonly) && rc != -EROFS && rc != -EIO)
		return rc;
	if (access(path, W_OK) < 0)
		return err_set(err, -EROFS, "The database of the store %s cannot be written to.",
			db->where);
	if (readonly || rc == -EROFS)
		return db_damaged(db, "its header has an unknown version", err);
	if ((sqlite3_errcode(db->sql) & 0xff) == SQLITE_ERROR)
		return db_damaged(db, sqlite3_errmsg(db->sql), err);
	return rc;
}

int db_open(struct db *db, const char *path, const char *where, struct err *err)
{
	int code, rc;

	memset(db, 0, sizeof(*db));
	db->where = where;
	code = sqlite3_open_v2(path, &db->sql,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (code != SQLITE_OK) {
		rc = db_fail(db, code, err);
		db_close(db);
		return rc;
	}
	/* Exclusive: the store's lock already keeps others out, and it spares the shared memory
	 * file. Deleted bytes are overwritten because some of them are secrets. */
	rc = db_script(db,
		"PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
		"PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;"
		"PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
		"PRAGMA journal_size_limit = 4194304;",
		err);
	rc = header_check(db, path, rc, err);
	if (rc < 0)
		db_close(db);
	return rc;
}

void db_close(struct db *db)
{
	struct db_stmt *s;

	vec_for_each (&db->stmts, s)
		sqlite3_finalize(s->stmt);
	db_stmt_vec_free(&db->stmts);
	if (db->sql) {
		int code = sqlite3_close(db->sql);

		assert(code == SQLITE_OK);
		(void)code;
	}
	db->sql = NULL;
	db->depth = 0;
}

int db_script(struct db *db, const char *text, struct err *err)
{
	int code = sqlite3_exec(db->sql, text, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : db_fail(db, code, err);
}

int db_fold(struct db *db, struct err *err)
{
	/* Closing would do it as well, but say nothing when it fails. */
	return db_exec(db, err, "PRAGMA wal_checkpoint(TRUNCATE)");
}

int db_check(struct db *db, struct err *err)
{
	char said[200] = "it cannot be read";
	int rc;

	DB_QUERY(q, db, err, "PRAGMA quick_check(1)");
	rc = db_next(&q);
	if (rc < 0)
		return rc;
	if (rc > 0)
		db_text(&q, 0, said, sizeof(said));
	if (rc > 0 && !strcmp(said, "ok"))
		return 0;
	return db_damaged(db, said, err);
}

/* The prepared statement for a literal; NULL and *code on failure. */
static sqlite3_stmt *db_prepare(struct db *db, const char *text, int *code)
{
	struct db_stmt *s, fresh = {.text = text};

	vec_for_each (&db->stmts, s)
		if (s->text == text)
			return s->stmt;
	*code = sqlite3_prepare_v3(db->sql, text, -1, SQLITE_PREPARE_PERSISTENT, &fresh.stmt, NULL);
	if (*code != SQLITE_OK)
		return NULL;
	if (db_stmt_vec_push(&db->stmts, fresh) < 0) {
		sqlite3_finalize(fresh.stmt);
		*code = SQLITE_NOMEM;
		return NULL;
	}
	return fresh.stmt;
}

static int db_bind(sqlite3_stmt *stmt, int i, const struct db_arg *a)
{
	switch (a->kind) {
	case DB_ARG_INT:
		return sqlite3_bind_int64(stmt, i, a->value);
	case DB_ARG_TEXT:
		return sqlite3_bind_text64(
			stmt, i, a->bytes, a->len, SQLITE_TRANSIENT, SQLITE_UTF8);
	case DB_ARG_BLOB:
		if (a->bytes && !a->len)
			return sqlite3_bind_zeroblob(stmt, i, 0);
		return sqlite3_bind_blob64(stmt, i, a->bytes, a->len, SQLITE_TRANSIENT);
	case DB_ARG_END:
		break;
	}
	return SQLITE_MISUSE;
}

/* True when an error made SQLite undo the transaction that we still count as open. Without this
 * check later changes of the group would be kept one by one. */
static bool db_lost(const struct db *db)
{
	return db->depth > 0 && sqlite3_get_autocommit(db->sql);
}

static int db_lost_fail(struct db *db, struct err *err)
{
	return err_set(err, -ECANCELED,
		"An earlier error has undone this group of changes to the store %s.", db->where);
}

struct db_query db_query_args(
	struct db *db, struct err *err, const char *text, const struct db_arg *args)
{
	struct db_query q = {.db = db, .err = err};
	int code = SQLITE_OK;

	if (db_lost(db)) {
		q.rc = db_lost_fail(db, err);
		return q;
	}
	q.stmt = db_prepare(db, text, &code);
	if (!q.stmt) {
		q.rc = db_fail(db, code, err);
		return q;
	}
	assert(!sqlite3_stmt_busy(q.stmt));
	for (int i = 0; args[i].kind != DB_ARG_END && code == SQLITE_OK; i++)
		code = db_bind(q.stmt, i + 1, &args[i]);
	if (code != SQLITE_OK) {
		q.rc = db_fail(db, code, err);
		db_query_end(&q);
	}
	return q;
}

int db_next(struct db_query *q)
{
	int code;

	if (q->rc < 0 || !q->stmt)
		return q->rc;
	code = sqlite3_step(q->stmt);
	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		q->rc = db_fail(q->db, code, q->err);
	db_query_end(q);
	return q->rc;
}

void db_query_end(struct db_query *q)
{
	if (!q->stmt)
		return;
	sqlite3_reset(q->stmt);
	sqlite3_clear_bindings(q->stmt);
	q->stmt = NULL;
}

int db_exec_args(struct db *db, struct err *err, const char *text, const struct db_arg *args)
{
	struct db_query q = db_query_args(db, err, text, args);
	int rc;

	do
		rc = db_next(&q);
	while (rc > 0);
	return rc;
}

int db_change_args(struct db *db, struct err *err, const char *text, const struct db_arg *args)
{
	int rc = db_exec_args(db, err, text, args);

	if (rc < 0)
		return rc;
	return sqlite3_changes(db->sql) ? 0 : -ENOENT;
}

int64_t db_int(struct db_query *q, int column)
{
	return sqlite3_column_int64(q->stmt, column);
}

bool db_is_null(struct db_query *q, int column)
{
	return sqlite3_column_type(q->stmt, column) == SQLITE_NULL;
}

struct guid db_guid(struct db_query *q, int column)
{
	const void *bytes = sqlite3_column_blob(q->stmt, column);
	struct guid g = {0};

	if (bytes && sqlite3_column_bytes(q->stmt, column) == (int)sizeof(g.b))
		memcpy(g.b, bytes, sizeof(g.b));
	return g;
}

void db_text(struct db_query *q, int column, char *buf, size_t size)
{
	const unsigned char *text = sqlite3_column_text(q->stmt, column);

	snprintf(buf, size, "%s", text ? (const char *)text : "");
}

int db_get_int_args(
	struct db *db, struct err *err, int64_t *out, const char *text, const struct db_arg *args)
{
	struct db_query q = db_query_args(db, err, text, args);
	int rc = db_next(&q);

	if (rc > 0)
		*out = db_int(&q, 0);
	db_query_end(&q);
	return rc > 0 ? 0 : rc < 0 ? rc : -ENOENT;
}

int db_begin(struct db *db, struct err *err)
{
	int rc = db_exec(db, err, "SAVEPOINT change");

	if (rc == 0)
		db->depth++;
	return rc;
}

static void db_undo(struct db *db)
{
	/* Both fail only when SQLite has already undone everything: nothing is left to undo. */
	(void)db_exec(db, NULL, "ROLLBACK TO change");
	(void)db_exec(db, NULL, "RELEASE change");
}

int db_end(struct db *db, int rc, struct err *err)
{
	assert(db->depth > 0);
	if (db_lost(db)) {
		if (rc >= 0)
			rc = db_lost_fail(db, err);
	} else if (rc < 0) {
		db_undo(db);
	} else {
		rc = db_exec(db, err, "RELEASE change");
		if (rc < 0 && !db_lost(db))
			db_undo(db);
	}
	db->depth--;
	return rc;
}
