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

/* "a, b, c": the columns of a table as the new schema has them. The caller frees it. */
static char *column_list(struct db *db, const char *table, unsigned *count)
{
	struct strbuf s = STRBUF_INIT;
	char name[64];

	*count = 0;
	DB_QUERY(q, db, NULL, "SELECT name FROM pragma_table_info(?)", DB_TEXT(table));
	while (db_next(&q) > 0) {
		db_text(&q, 0, name, sizeof(name));
		strbuf_printf(&s, "%s\"%s\"", (*count)++ ? ", " : "", name);
	}
	return strbuf_take(&s);
}

/* Table and column names come from our own schema; no value is part of these texts. */
static sqlite3_stmt *prepare_read(sqlite3 *from, const char *table, const char *columns, bool back)
{
	struct strbuf s = STRBUF_INIT;
	sqlite3_stmt *stmt = NULL;

	strbuf_printf(&s, "SELECT %s FROM \"%s\" NOT INDEXED ORDER BY rowid%s", columns, table,
		back ? " DESC" : "");
	if (!s.failed && sqlite3_prepare_v2(from, s.text, -1, &stmt, NULL) != SQLITE_OK)
		stmt = NULL; /* this table is beyond reading */
	strbuf_free(&s);
	return stmt;
}

static sqlite3_stmt *prepare_write(
	sqlite3 *to, const char *table, const char *columns, unsigned count)
{
	struct strbuf s = STRBUF_INIT;
	sqlite3_stmt *stmt = NULL;

	strbuf_printf(&s, "INSERT OR %s INTO \"%s\" (%s) VALUES (?",
		strcmp(table, "prop") ? "IGNORE" : "REPLACE", table, columns);
	for (unsigned i = 1; i < count; i++)
		strbuf_puts(&s, ", ?");
	strbuf_puts(&s, ")");
	if (!s.failed && sqlite3_prepare_v2(to, s.text, -1, &stmt, NULL) != SQLITE_OK)
		stmt = NULL;
	strbuf_free(&s);
	return stmt;
}

static unsigned copy_rows(sqlite3_stmt *read, sqlite3_stmt *write)
{
	unsigned copied = 0;

	while (sqlite3_step(read) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(read); i++)
			sqlite3_bind_value(write, i + 1, sqlite3_column_value(read, i));
		if (sqlite3_step(write) == SQLITE_DONE)
			copied += (unsigned)sqlite3_changes(sqlite3_db_handle(write));
		sqlite3_reset(write);
	}
	return copied;
}

static unsigned salvage_table(sqlite3 *from, struct db *to, const char *table)
{
	unsigned columns_len, copied = 0;
	cleanup_free char *columns = column_list(to, table, &columns_len);
	sqlite3_stmt *write = columns ? prepare_write(to->sql, table, columns, columns_len) : NULL;

	if (!write)
		return 0;
	for (int back = 0; back < 2; back++) {
		sqlite3_stmt *read = prepare_read(from, table, columns, back);

		if (read)
			copied += copy_rows(read, write);
		sqlite3_finalize(read);
	}
	sqlite3_finalize(write);
	return copied;
}

/* The identity may come over damaged or not at all; then the one just made stands. */
static int salvage(const char *old, struct db *to, struct err *err)
{
	unsigned copied = 0;
	struct db from;
	int rc;

	rc = db_open(&from, old, to->where, NULL);
	if (rc < 0) {
		log_warning("store %s: nothing of the old database can be read", to->where);
		return 0;
	}
	/* Look, don't touch: its write-ahead log stays as it is. */
	sqlite3_db_config(from.sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	rc = db_begin(to, err);
	if (rc == 0) {
		rc = db_exec(to, err,
			"CREATE TEMP TABLE made AS SELECT value FROM prop "
			"WHERE key = 'id'");
		for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(tables); i++)
			copied += salvage_table(from.sql, to, tables[i]);
		if (rc == 0)
			rc = db_exec(to, err,
				"UPDATE prop SET value = (SELECT value FROM made) WHERE key = 'id' "
				"AND (typeof(value) <> 'blob' OR length(value) <> 16)");
		rc = db_end(to, rc, err);
	}
	db_close(&from);
	log_warning("store %s: %u records taken over from the old database", to->where, copied);
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
