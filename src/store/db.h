/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thin layer over SQLite that makes a store function a few lines: statements are prepared once
 * and kept, values are bound with their type, errors become errno and a sentence.
 *
 *	rc = db_exec(db, err, "DELETE FROM fault WHERE object = ?", DB_GUID(id));
 *
 *	DB_QUERY(q, db, err, "SELECT kind FROM fault WHERE object = ?", DB_GUID(id));
 *	while ((rc = db_next(&q)) > 0)
 *		use(db_int(&q, 0));
 *
 * The text of a statement is a literal: it is known by its address, and no value is ever part of
 *it. One statement is run by one caller at a time (the store's mutex sees to it), and not nested in
 * itself. Transactions are savepoints, so they nest.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/guid.h"
#include "base/vec.h"

struct db_stmt {
	const char *text;
	sqlite3_stmt *stmt;
};
VEC(struct db_stmt, db_stmt_vec)

struct db {
	sqlite3 *sql;
	const char *where; /* the store's folder, for sentences; not owned */
	struct db_stmt_vec stmts;
	unsigned depth; /* of open transactions */
};

enum db_arg_kind { DB_ARG_END, DB_ARG_INT, DB_ARG_TEXT, DB_ARG_BLOB };

struct db_arg {
	enum db_arg_kind kind;
	int64_t value;
	const void *bytes; /* NULL = SQL NULL */
	size_t len;
};

#define DB_INT(v)     ((struct db_arg){.kind = DB_ARG_INT, .value = (int64_t)(v)})
#define DB_TEXT(s)    ((struct db_arg){.kind = DB_ARG_TEXT, .bytes = (s), .len = strlen(s)})
#define DB_BLOB(p, n) ((struct db_arg){.kind = DB_ARG_BLOB, .bytes = (p), .len = (n)})
#define DB_GUID(g)    DB_BLOB((g)->b, sizeof((g)->b))
#define DB_ARGS_(...) ((const struct db_arg[]){__VA_ARGS__ __VA_OPT__(, ){.kind = DB_ARG_END}})

struct db_query {
	struct db *db;
	struct err *err;
	sqlite3_stmt *stmt;
	int rc; /* why it could not begin */
};

/* Opens an existing database file for this process alone. -EUCLEAN: it is none, or damaged in a way
 * that shows at once. */
int db_open(struct db *db, const char *path, const char *where, struct err *err);
void db_close(struct db *db);

/* Brings everything from the write-ahead log into the database file, stable. A file that is to get
 * another name needs it: its log would stay behind. */
int db_fold(struct db *db, struct err *err);

/* -EUCLEAN with what is wrong, and what to do. */
int db_damaged(struct db *db, const char *what, struct err *err);

/* Looks through the whole database. -EUCLEAN with what is wrong. */
int db_check(struct db *db, struct err *err);

/* Runs statements without values, for schema and pragmas; not kept. */
int db_script(struct db *db, const char *text, struct err *err);

/* Runs a statement that returns no rows. */
#define db_exec(db, err, text, ...) db_exec_args(db, err, text, DB_ARGS_(__VA_ARGS__))
int db_exec_args(struct db *db, struct err *err, const char *text, const struct db_arg *args);

/* The same, and -ENOENT without a sentence when it changed no row. */
#define db_change(db, err, text, ...) db_change_args(db, err, text, DB_ARGS_(__VA_ARGS__))
int db_change_args(struct db *db, struct err *err, const char *text, const struct db_arg *args);

/* Declares q, a running query that ends with its scope. */
#define DB_QUERY(q, db, err, text, ...)                                                            \
	__attribute__((cleanup(db_query_end))) struct db_query q =                                 \
		db_query_args(db, err, text, DB_ARGS_(__VA_ARGS__))
struct db_query db_query_args(
	struct db *db, struct err *err, const char *text, const struct db_arg *args);
/* 1 = a row, 0 = no more, or a negative errno. */
int db_next(struct db_query *q);
/* Ends it early or once more; harmless. */
void db_query_end(struct db_query *q);

int64_t db_int(struct db_query *q, int column);
bool db_is_null(struct db_query *q, int column);
struct guid db_guid(struct db_query *q, int column); /* zero when it isn't 16 bytes */
/* Copies text, cut to size - 1 bytes. */
void db_text(struct db_query *q, int column, char *buf, size_t size);

/* One number from a query of one row; -ENOENT without a sentence when there is none. */
#define db_get_int(db, err, out, text, ...)                                                        \
	db_get_int_args(db, err, out, text, DB_ARGS_(__VA_ARGS__))
int db_get_int_args(
	struct db *db, struct err *err, int64_t *out, const char *text, const struct db_arg *args);

int db_begin(struct db *db, struct err *err);
/* Ends what db_begin began: keeps the changes when rc is 0, undoes them when it is negative.
 * Returns rc, or why they could not be kept (then they are undone). */
int db_end(struct db *db, int rc, struct err *err);

/* The errno for a SQLite result code. */
int db_errno(struct db *db, int code);

#endif
