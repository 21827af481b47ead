/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables. Ids are blobs of 16 bytes in text order; times are wall clock milliseconds; unsigned
 * 64-bit values stand in signed columns bit for bit. Tables are STRICT, so a column holds what it
 * says and nothing else, and rows salvaged from a damaged database are checked again on the way in.
 *
 * A released step is never edited: a change of the schema is a further step.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/rng.h"
#include "store/store_internal.h"

const char *const sto_schema_steps[] = {
	/* 0 -> 1 */
	/* Of the store as a whole: id (blob), faults (0, 1), created, next_job. */
	"CREATE TABLE prop ("
	"	key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT;"

	"CREATE TABLE setting ("
	"	key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;"

	"CREATE TABLE subsystem ("
	"	seq_no INTEGER PRIMARY KEY,"
	"	id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),"
	"	name TEXT NOT NULL, folder TEXT NOT NULL,"
	"	container BLOB NOT NULL CHECK (length(container) = 24),"
	"	seq INTEGER NOT NULL, created INTEGER NOT NULL) STRICT;"

	/* drive is NULL until one was seen, so that UNIQUE holds for drives only. */
	"CREATE TABLE bay ("
	"	subsystem BLOB NOT NULL REFERENCES subsystem (id) ON DELETE CASCADE,"
	"	bus INTEGER NOT NULL CHECK (bus BETWEEN 0 AND 32767),"
	"	slot INTEGER NOT NULL CHECK (slot BETWEEN 0 AND 32767),"
	"	path TEXT NOT NULL UNIQUE CHECK (path <> ''),"
	"	drive BLOB UNIQUE CHECK (length(drive) = 16),"
	"	departed INTEGER NOT NULL DEFAULT 0 CHECK (departed IN (0, 1)),"
	"	lost INTEGER NOT NULL DEFAULT 0,"
	"	PRIMARY KEY (subsystem, bus, slot)) STRICT;"

	/* Rows are never deleted: they are what keeps a number from being issued again. */
	"CREATE TABLE number ("
	"	kind INTEGER NOT NULL,"
	"	number INTEGER NOT NULL CHECK (number BETWEEN 0 AND 4294967295),"
	"	object BLOB NOT NULL CHECK (length(object) = 16),"
	"	retired INTEGER NOT NULL DEFAULT 0 CHECK (retired IN (0, 1)),"
	"	PRIMARY KEY (kind, number), UNIQUE (kind, object)) STRICT;"

	"CREATE TABLE attr ("
	"	object BLOB NOT NULL CHECK (length(object) = 16),"
	"	key TEXT NOT NULL, value ANY NOT NULL,"
	"	PRIMARY KEY (object, key)) STRICT;"
	"CREATE INDEX attr_key ON attr (key);"

	/* One row for each stretch in which an operation did one thing: ran (pulses = 0) or pulsed.
	 * maint.c explains. */
	"CREATE TABLE maint ("
	"	id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"	object BLOB NOT NULL CHECK (length(object) = 16),"
	"	op INTEGER NOT NULL CHECK (op BETWEEN 1 AND 5),"
	"	pulses INTEGER NOT NULL CHECK (pulses BETWEEN 0 AND 4294967295),"
	"	interval INTEGER NOT NULL CHECK (interval BETWEEN 1 AND 3600000),"
	"	began INTEGER NOT NULL, at INTEGER NOT NULL,"
	"	until INTEGER CHECK (until >= at),"
	"	begins INTEGER NOT NULL CHECK (begins IN (0, 1)),"
	"	ends INTEGER NOT NULL DEFAULT 0 CHECK (ends IN (0, 1))) STRICT;"
	"CREATE INDEX maint_object ON maint (object, op, id);"

	"CREATE TABLE fault ("
	"	id INTEGER PRIMARY KEY,"
	"	object BLOB NOT NULL CHECK (length(object) = 16),"
	"	kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 12),"
	"	offset INTEGER NOT NULL, size INTEGER NOT NULL,"
	"	UNIQUE (object, kind, offset, size)) STRICT;"

	"CREATE TABLE job ("
	"	number INTEGER PRIMARY KEY CHECK (number BETWEEN 0 AND 4294967295),"
	"	kind INTEGER NOT NULL,"
	"	object BLOB NOT NULL CHECK (length(object) = 16),"
	"	object_kind INTEGER NOT NULL,"
	"	state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),"
	"	result INTEGER NOT NULL,"
	"	percent INTEGER NOT NULL CHECK (percent BETWEEN 0 AND 100),"
	"	done INTEGER NOT NULL, total INTEGER NOT NULL,"
	"	automatic INTEGER NOT NULL CHECK (automatic IN (0, 1)),"
	"	started_by TEXT NOT NULL,"
	"	started INTEGER NOT NULL, ended INTEGER NOT NULL) STRICT;"

	"CREATE TABLE provider ("
	"	seq_no INTEGER PRIMARY KEY,"
	"	id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),"
	"	clsid BLOB NOT NULL CHECK (length(clsid) = 16),"
	"	name TEXT NOT NULL, type INTEGER NOT NULL, machine TEXT NOT NULL,"
	"	version TEXT NOT NULL,"
	"	version_id BLOB NOT NULL CHECK (length(version_id) = 16),"
	"	path TEXT NOT NULL) STRICT;",
};
const unsigned sto_schema_version = ARRAY_SIZE(sto_schema_steps);

int sto_schema_migrate(struct db *db, const char *const *steps, unsigned version, struct err *err)
{
	char pragma[64];
	int64_t have;
	int rc = db_get_int(db, err, &have, "PRAGMA user_version");

	if (rc < 0)
		return rc;
	if (have < 0)
		return db_damaged(db, "its version is negative", err);
	if (have > version)
		return err_set(err, -ENOTSUP,
			"The store %s was written by a newer version of this program (schema %lld; "
			"this one knows up to %u).",
			db->where, (long long)have, version);
	if (have == version)
		return 0;
	rc = db_begin(db, err);
	if (rc < 0)
		return rc;
	for (int64_t v = have; rc == 0 && v < version; v++)
		rc = db_script(db, steps[v], err);
	/* A pragma takes no bound values. */
	snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %u", version);
	if (rc == 0)
		rc = db_script(db, pragma, err);
	return db_end(db, rc, err);
}

static int schema_fill(struct db *db, const struct clock *clock, struct err *err)
{
	char pragma[64];
	struct rng rng;
	struct guid id;
	int rc;

	rc = rng_seed_system(&rng);
	if (rc < 0)
		return err_set(err, rc, "No random identity for the store %s can be made: %s.",
			db->where, err_name(rc));
	guid_random(&rng, &id);
	rc = sto_schema_migrate(db, sto_schema_steps, sto_schema_version, err);
	if (rc < 0)
		return rc;
	snprintf(pragma, sizeof(pragma), "PRAGMA application_id = %d", STO_APPLICATION_ID);
	rc = db_script(db, pragma, err);
	if (rc < 0)
		return rc;
	return db_exec(db, err,
		"INSERT INTO prop VALUES ('id', ?1), ('faults', 0), ('created', ?2), ('next_job', "
		"0)",
		DB_GUID(&id), DB_INT(clock_wall_ms(clock)));
}

int sto_schema_create_at(
	const char *path, const char *where, const struct clock *clock, struct err *err)
{
	static const char *const leftovers[] = {"", "-wal", "-shm", "-journal"};
	char old[PATH_MAX];
	struct db db;
	int fd, rc;

	for (size_t i = 0; i < ARRAY_SIZE(leftovers); i++)
		if ((size_t)snprintf(old, sizeof(old), "%s%s", path, leftovers[i]) < sizeof(old))
			(void)unlink(old); /* of a creation that was cut off; usually not there */
	/* Only the owner may read it: it holds secrets. SQLite gives its other files the same mode.
	 */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(
			err, -errno, "The store %s cannot be made: %s.", where, err_name(errno));
	close(fd);
	rc = db_open(&db, path, where, err);
	if (rc < 0)
		return rc;
	rc = schema_fill(&db, clock, err);
	if (rc == 0)
		rc = db_fold(&db, err);
	db_close(&db);
	return rc;
}

int sto_schema_create(const char *dir, const struct clock *clock, struct err *err)
{
	cleanup_free char *fresh = sto_path_join(dir, "store.db.new");
	cleanup_free char *path = sto_path_join(dir, "store.db");
	int rc;

	if (!fresh || !path)
		return err_set(err, -ENOMEM, "There is not enough memory for the store %s.", dir);
	rc = sto_schema_create_at(fresh, dir, clock, err);
	if (rc < 0)
		return rc;
	if (rename(fresh, path) < 0)
		return err_set(
			err, -errno, "The store %s cannot be made: %s.", dir, err_name(errno));
	return sto_path_sync(dir, err);
}
