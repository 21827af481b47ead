/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting anew when the database is damaged. The new one is made beside the old, takes over every
 * row that can still be read, and then takes its name; the old file is kept for whoever wants to
 * look at it. What is lost is at worst what is not on the drives: names of bays, lights, settings.
 *
 * A damaged page usually stops a scan in the middle, so each table is read from both ends. Rows
 * come in through the constraints of the schema; those that break them are left behind.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/strbuf.h"
#include "store/store_internal.h"

/* Parents before children. */
static const char *const tables[] = {
	"prop",
	"setting",
	"subsystem",
	"bay",
	"number",
	"attr",
	"maint",
	"fault",
	"job",
	"provider",
};

/* "a, b, c": the columns of a table as the new schema has them. The caller frees it;
 * NULL = no memory. */
static char *column_list(struct db *db, const char *table, unsigned *count)
{
	struct strbuf s = STRBUF_INIT;
	char name[64];
	int rc;

	*count = 0;
	DB_QUERY(q, db, NULL, "SELECT name FROM pragma_table_info(?)", DB_TEXT(table));
	while ((rc = db_next(&q)) > 0) {
		db_text(&q, 0, name, sizeof(name));
		strbuf_printf(&s, "%s\"%s\"", (*count)++ ? ", " : "", name);
	}
	if (rc < 0)
		s.failed = true;
	if (!s.failed)
		return strbuf_take(&s);
	strbuf_free(&s);
	return NULL;
}

/* Table and column names come from our own schema; no value is part of these texts. *stmt stays
 * NULL when the table is beyond reading. */
static int prepare_read(
	sqlite3 *from, const char *table, const char *columns, bool back, sqlite3_stmt **stmt)
{
	struct strbuf s = STRBUF_INIT;
	int code = SQLITE_NOMEM;

	*stmt = NULL;
	strbuf_printf(&s, "SELECT %s FROM \"%s\" NOT INDEXED ORDER BY rowid%s", columns, table,
		back ? " DESC" : "");
	if (!s.failed)
		code = sqlite3_prepare_v2(from, s.text, -1, stmt, NULL);
	strbuf_free(&s);
	return (code & 0xff) == SQLITE_NOMEM ? -ENOMEM : 0;
}

static int prepare_write(
	sqlite3 *to, const char *table, const char *columns, unsigned count, sqlite3_stmt **stmt)
{
	struct strbuf s = STRBUF_INIT;
	int code = SQLITE_NOMEM;

	strbuf_printf(&s, "INSERT OR %s INTO \"%s\" (%s) VALUES (?",
		strcmp(table, "prop") ? "IGNORE" : "REPLACE", table, columns);
	for (unsigned i = 1; i < count; i++)
		strbuf_puts(&s, ", ?");
	strbuf_puts(&s, ")");
	if (!s.failed)
		code = sqlite3_prepare_v2(to, s.text, -1, stmt, NULL);
	strbuf_free(&s);
	/* The schema is ours and new: nothing else can be wrong with it. */
	return code == SQLITE_OK ? 0 : -ENOMEM;
}

/* A row that breaks a constraint is left behind; that the new database can't take it is an error.
 */
static int write_row(struct db *to, sqlite3_stmt *write, sqlite3_stmt *read, unsigned *copied)
{
	int code = SQLITE_OK;

	for (int i = 0; code == SQLITE_OK && i < sqlite3_column_count(read); i++)
		code = sqlite3_bind_value(write, i + 1, sqlite3_column_value(read, i));
	if (code == SQLITE_OK)
		code = sqlite3_step(write);
	sqlite3_reset(write);
	if (code == SQLITE_DONE) {
		*copied += (unsigned)sqlite3_changes(to->sql);
		return 0;
	}
	return (code & 0xff) == SQLITE_CONSTRAINT ? 0 : db_errno(to, code);
}

static int copy_rows(struct db *to, sqlite3_stmt *write, sqlite3_stmt *read, unsigned *copied)
{
	int code, rc = 0;

	while (rc == 0 && (code = sqlite3_step(read)) == SQLITE_ROW)
		rc = write_row(to, write, read, copied);
	/* However the reading ended, it is damage, unless for lack of memory. */
	return rc == 0 && (code & 0xff) == SQLITE_NOMEM ? -ENOMEM : rc;
}

static int salvage_table(sqlite3 *from, struct db *to, const char *table, unsigned *copied)
{
	unsigned columns_len;
	cleanup_free char *columns = column_list(to, table, &columns_len);
	sqlite3_stmt *read, *write = NULL;
	int rc = columns ? prepare_write(to->sql, table, columns, columns_len, &write) : -ENOMEM;

	for (int back = 0; rc == 0 && back < 2; back++) {
		rc = prepare_read(from, table, columns, back, &read);
		if (rc == 0 && read)
			rc = copy_rows(to, write, read, copied);
		sqlite3_finalize(read);
	}
	sqlite3_finalize(write);
	return rc;
}

static int salvage_tables(sqlite3 *from, struct db *to, unsigned *copied, struct err *err)
{
	struct guid made = {0};
	int rc = 0;

	DB_QUERY(q, to, err, "SELECT value FROM prop WHERE key = 'id'");
	if ((rc = db_next(&q)) > 0)
		made = db_guid(&q, 0);
	db_query_end(&q);
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(tables); i++) {
		rc = salvage_table(from, to, tables[i], copied);
		if (rc < 0)
			return err_set(err, rc,
				"The database of the store %s cannot be copied: %s.", to->where,
				err_name(rc));
	}
	if (rc < 0)
		return rc;
	/* The old identity, should it have come over damaged, gives way to the new one. */
	return db_exec(to, err,
		"UPDATE prop SET value = ? WHERE key = 'id' "
		"AND (typeof(value) <> 'blob' OR length(value) <> 16)",
		DB_GUID(&made));
}

static int salvage(const char *old, struct db *to, struct err *err)
{
	unsigned copied = 0;
	struct db from;
	int rc;

	rc = db_open(&from, old, to->where, err);
	if (rc == -EUCLEAN) {
		err_clear(err);
		log_warning("store %s: nothing of the old database can be read", to->where);
		return 0;
	}
	if (rc < 0)
		return rc;
	/* Look, don't touch: its write-ahead log stays as it is. */
	sqlite3_db_config(from.sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	rc = db_begin(to, err);
	if (rc == 0)
		rc = db_end(to, salvage_tables(from.sql, to, &copied, err), err);
	db_close(&from);
	if (rc == 0)
		log_warning(
			"store %s: %u records taken over from the old database", to->where, copied);
	return rc;
}

/* The first unused name store.db.damaged-N, N from 1. The caller frees it. */
static char *aside_name(const char *path)
{
	struct stat st;
	char *name;

	for (unsigned n = 1;; n++) {
		if (asprintf(&name, "%s.damaged-%u", path, n) < 0)
			return NULL;
		if (lstat(name, &st) < 0)
			return name;
		free(name);
	}
}

/* Gives path + suffix another name, if there is such a file. */
static int move_aside(const char *path, const char *aside, const char *suffix)
{
	cleanup_free char *from = NULL, *to = NULL;

	if (asprintf(&from, "%s%s", path, suffix) < 0) {
		from = NULL;
		return -ENOMEM;
	}
	if (asprintf(&to, "%s%s", aside, suffix) < 0) {
		to = NULL;
		return -ENOMEM;
	}
	if (rename(from, to) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

/* The logs go first: beside the new database they would be taken for its own. The old file gets its
 * second name before the new one takes the first, so that there is a store.db at every moment. */
static int exchange(const char *path, const char *aside, const char *fresh)
{
	static const char *const logs[] = {"-wal", "-shm", "-journal"};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(logs); i++)
		rc = move_aside(path, aside, logs[i]);
	if (rc == 0 && link(path, aside) < 0)
		rc = move_aside(path, aside, ""); /* a file system without hard links */
	if (rc == 0 && rename(fresh, path) < 0)
		rc = -errno;
	return rc;
}

static int build(const char *fresh, const char *old, const char *dir, const struct clock *clock,
	struct err *err)
{
	struct db db;
	int rc = sto_schema_create_at(fresh, dir, clock, err);

	if (rc < 0)
		return rc;
	rc = db_open(&db, fresh, dir, err);
	if (rc < 0)
		return rc;
	rc = salvage(old, &db, err);
	if (rc == 0)
		rc = db_fold(&db, err);
	db_close(&db);
	return rc;
}

int sto_rebuild(const char *dir, const struct clock *clock, struct err *err)
{
	cleanup_free char *fresh = sto_path_join(dir, "store.db.new");
	cleanup_free char *path = sto_path_join(dir, "store.db");
	cleanup_free char *aside = path ? aside_name(path) : NULL;
	int rc;

	if (!fresh || !aside)
		return err_set(err, -ENOMEM, "There is not enough memory for the store %s.", dir);
	rc = build(fresh, path, dir, clock, err);
	if (rc < 0)
		return rc;
	rc = exchange(path, aside, fresh);
	if (rc < 0)
		return err_set(err, rc, "The database of the store %s cannot be set aside: %s.",
			dir, err_name(rc));
	log_warning("store %s: the damaged database is kept as %s", dir, aside);
	return sto_path_sync(dir, err);
}
