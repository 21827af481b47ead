/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the store share. */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include <errno.h>
#include <pthread.h>

#include "base/cleanup.h"
#include "store/db.h"
#include "store/store.h"

struct sto {
	pthread_mutex_t lock; /* recursive, so that a thread in sto_begin can go on; guards db */
	struct db db;
	const struct clock *clock;
	char *dir;
	int lock_fd;
	struct guid id;
	bool rebuilt;
};

/* ---- schema.c: the tables and how they came to be ---- */

#define STO_APPLICATION_ID 0x76647331 /* "vds1", in the header of the database file */

/* Each step takes the schema from its index to the next version. */
extern const char *const sto_schema_steps[];
extern const unsigned sto_schema_version;

/* Brings the database from whatever version it has to `version`, in one transaction. -ENOTSUP: it
 * is newer. Exposed with its steps for the test of upgrades. */
int sto_schema_migrate(struct db *db, const char *const *steps, unsigned version, struct err *err);
/* Makes dir/store.db, complete, or nothing. */
int sto_schema_create(const char *dir, const struct clock *clock, struct err *err);
/* Makes the database file `path` with an empty schema and identity. */
int sto_schema_create_at(
	const char *path, const char *where, const struct clock *clock, struct err *err);

/* ---- rebuild.c ---- */

/* Sets dir/store.db aside and puts a new one in its place, with what could be read of the old. */
int sto_rebuild(const char *dir, const struct clock *clock, struct err *err);

/* ---- path.c ---- */

/* The form in which a path is kept, and back. -EINVAL, -ENAMETOOLONG. */
int sto_path_pack(
	const struct sto *sto, const char *path, char out[static STO_PATH_BYTES], struct err *err);
int sto_path_unpack(
	const struct sto *sto, const char *kept, char out[static STO_PATH_BYTES], struct err *err);
/* dir/name with suffix into a new string; NULL = no memory. */
char *sto_path_join(const char *dir, const char *name);
/* Makes the names in a folder durable. */
int sto_path_sync(const char *dir, struct err *err);

/* ---- store.c ---- */

/* A property of the store as a number; -ENOENT. */
int sto_prop_get(struct sto *sto, const char *key, int64_t *value, struct err *err);
int sto_prop_set(struct sto *sto, const char *key, int64_t value, struct err *err);

static inline int sto_no_memory(const struct sto *sto, struct err *err)
{
	return err_set(err, -ENOMEM, "There is not enough memory for the store %s.", sto->dir);
}

static inline int64_t sto_now(const struct sto *sto)
{
	return clock_wall_ms(sto->clock);
}

#endif
