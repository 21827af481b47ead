/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and closing. The order keeps every step safe against a second opener and against being
 * cut off: nothing is touched in a folder that holds no store (unless one is to be made); the lock
 * comes before the database; a new database gets its name only when it is complete, so a file
 * called store.db without our tables is a damaged one and not a young one.
 */
#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"
#include "store/store_internal.h"

/* ---- the lock ----------------------------------------------------------------------------- */

static int lock_refused(int fd, const char *dir, struct err *err)
{
	char text[32] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;

	if (pid > 0)
		return err_set(err, -EBUSY, "The store %s is in use by process %ld.", dir, pid);
	return err_set(err, -EBUSY, "The store %s is in use by another process.", dir);
}

/* Takes the lock and returns its descriptor, which holds it until closed. */
static int lock_take(const char *dir, struct err *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	cleanup_free char *path = sto_path_join(dir, "lock");
	char text[32];
	int fd, len, rc;

	if (!path)
		return err_set(err, -ENOMEM, "There is not enough memory for the store %s.", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(
			err, -errno, "The store %s cannot be locked: %s.", dir, err_name(errno));
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			rc = lock_refused(fd, dir, err);
		else
			rc = err_set(err, -errno, "The store %s cannot be locked: %s.", dir,
				err_name(errno));
		close(fd);
		return rc;
	}
	len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) != len) {
		rc = err_set(err, errno ? -errno : -EIO,
			"The lock of the store %s cannot be "
			"written: %s.",
			dir, err_name(errno));
		close(fd);
		return rc;
	}
	return fd;
}

/* ---- open and close ----------------------------------------------------------------------- */

static int folder_make(const char *dir, struct err *err)
{
	cleanup_free char *parent = NULL;
	char *slash;

	if (mkdir(dir, 0700) < 0) {
		if (errno == EEXIST)
			return 0;
		return err_set(
			err, -errno, "The folder %s cannot be made: %s.", dir, err_name(errno));
	}
	parent = realpath(dir, NULL);
	slash = parent ? strrchr(parent, '/') : NULL;
	if (!slash)
		return err_set(
			err, -errno, "The folder %s cannot be read: %s.", dir, err_name(errno));
	slash[slash == parent] = '\0';
	return sto_path_sync(parent, err);
}

/* Whether the folder has a database, 1 or 0. */
static int has_database(const char *dir, struct err *err)
{
	cleanup_free char *path = sto_path_join(dir, "store.db");
	struct stat st;

	if (!path)
		return err_set(err, -ENOMEM, "There is not enough memory for the store %s.", dir);
	if (stat(path, &st) == 0)
		return 1;
	if (errno == ENOENT)
		return 0;
	return err_set(err, -errno, "The store %s cannot be read: %s.", dir, err_name(errno));
}

static int load_identity(struct sto *sto, struct err *err)
{
	int rc;

	DB_QUERY(q, &sto->db, err, "SELECT value FROM prop WHERE key = 'id'");
	rc = db_next(&q);
	if (rc > 0)
		sto->id = db_guid(&q, 0);
	if (rc >= 0 && guid_is_zero(&sto->id))
		return db_damaged(&sto->db, "it has lost the store's identity", err);
	return rc < 0 ? rc : 0;
}

static int database_verify(struct sto *sto, struct err *err)
{
	int64_t app, version;
	int rc = db_check(&sto->db, err);

	if (rc == 0)
		rc = db_get_int(&sto->db, err, &app, "PRAGMA application_id");
	if (rc == 0 && app != STO_APPLICATION_ID)
		return db_damaged(&sto->db, "it was not made by this program", err);
	if (rc == 0)
		rc = db_get_int(&sto->db, err, &version, "PRAGMA user_version");
	if (rc == 0 && !version)
		return db_damaged(&sto->db, "it is unfinished", err);
	if (rc == 0)
		rc = sto_schema_migrate(&sto->db, sto_schema_steps, sto_schema_version, err);
	if (rc == 0)
		rc = load_identity(sto, err);
	/* Whoever ran them is gone. */
	if (rc == 0)
		rc = db_exec(&sto->db, err, "UPDATE job SET state = ?1 WHERE state = ?2",
			DB_INT(STO_JOB_INTERRUPTED), DB_INT(STO_JOB_RUNNING));
	return rc;
}

static int database_open(struct sto *sto, struct err *err)
{
	cleanup_free char *path = sto_path_join(sto->dir, "store.db");
	int rc;

	if (!path)
		return err_set(
			err, -ENOMEM, "There is not enough memory for the store %s.", sto->dir);
	rc = db_open(&sto->db, path, sto->dir, err);
	if (rc < 0)
		return rc;
	rc = database_verify(sto, err);
	if (rc < 0)
		db_close(&sto->db);
	return rc;
}

static int store_find(struct sto *sto, const char *dir, unsigned flags, struct err *err)
{
	int rc;

	if (flags & STO_OPEN_CREATE) {
		rc = folder_make(dir, err);
		if (rc < 0)
			return rc;
	}
	sto->dir = realpath(dir, NULL);
	if (!sto->dir)
		return err_set(err, -errno, "There is no store %s: %s.", dir, err_name(errno));
	rc = has_database(sto->dir, err);
	if (rc == 0 && !(flags & STO_OPEN_CREATE))
		return err_set(err, -ENOENT, "The folder %s holds no store.", dir);
	return rc < 0 ? rc : 0;
}

static int store_begin(struct sto *sto, const char *dir, unsigned flags, struct err *err)
{
	int rc = store_find(sto, dir, flags, err);

	if (rc < 0)
		return rc;
	sto->lock_fd = lock_take(sto->dir, err);
	if (sto->lock_fd < 0)
		return sto->lock_fd;
	rc = has_database(sto->dir, err); /* again: another process may have just made it */
	if (rc == 0)
		rc = sto_schema_create(sto->dir, sto->clock, err);
	if (rc < 0)
		return rc;
	rc = database_open(sto, err);
	if (rc == -EUCLEAN && flags & STO_OPEN_REBUILD) {
		log_warning("store %s: %s", sto->dir, err ? err->text : "damaged");
		err_clear(err);
		rc = sto_rebuild(sto->dir, sto->clock, err);
		sto->rebuilt = rc == 0;
		if (rc == 0)
			rc = database_open(sto, err);
	}
	return rc;
}

int sto_open(const char *dir, unsigned flags, const struct clock *clock, struct sto **out,
	struct err *err)
{
	struct sto *sto = calloc(1, sizeof(*sto));
	pthread_mutexattr_t attr;
	int rc;

	*out = NULL;
	if (!sto)
		return err_set(err, -ENOMEM, "There is not enough memory for the store %s.", dir);
	sto->clock = clock;
	sto->lock_fd = -1;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&sto->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	rc = store_begin(sto, dir, flags, err);
	if (rc < 0) {
		sto_close(sto);
		return rc;
	}
	*out = sto;
	return 0;
}

void sto_close(struct sto *sto)
{
	if (!sto)
		return;
	while (sto->db.depth)
		sto_rollback(sto);
	db_close(&sto->db);
	if (sto->lock_fd >= 0) {
		/* Our pid would only be in the way of the next holder's; not worth a failure. */
		if (ftruncate(sto->lock_fd, 0) < 0)
			log_debug("store %s: the lock keeps our pid", sto->dir);
		close(sto->lock_fd);
	}
	pthread_mutex_destroy(&sto->lock);
	free(sto->dir);
	free(sto);
}

/* ---- properties --------------------------------------------------------------------------- */

const char *sto_dir(const struct sto *sto)
{
	return sto->dir;
}

struct guid sto_id(const struct sto *sto)
{
	return sto->id;
}

bool sto_rebuilt(const struct sto *sto)
{
	return sto->rebuilt;
}

int sto_prop_get(struct sto *sto, const char *key, int64_t *value, struct err *err)
{
	return db_get_int(
		&sto->db, err, value, "SELECT value FROM prop WHERE key = ?", DB_TEXT(key));
}

int sto_prop_set(struct sto *sto, const char *key, int64_t value, struct err *err)
{
	return db_exec(&sto->db, err,
		"INSERT INTO prop VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
		DB_TEXT(key), DB_INT(value));
}

bool sto_faults_allowed(struct sto *sto)
{
	SCOPED_LOCK(&sto->lock);
	int64_t allowed = 0;

	/* What can't be read is not allowed. */
	return sto_prop_get(sto, "faults", &allowed, NULL) == 0 && allowed == 1;
}

int sto_allow_faults(struct sto *sto, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int64_t allowed = 0, subsystems;
	int rc = sto_prop_get(sto, "faults", &allowed, err);

	if (allowed || (rc < 0 && rc != -ENOENT))
		return allowed ? 0 : rc;
	rc = db_get_int(&sto->db, err, &subsystems, "SELECT count(*) FROM subsystem");
	if (rc < 0)
		return rc;
	if (subsystems)
		return err_set(err, -EPERM,
			"The store %s was made without faults, and it has a subsystem by now.",
			sto->dir);
	return sto_prop_set(sto, "faults", 1, err);
}

/* ---- transactions ------------------------------------------------------------------------- */

int sto_begin(struct sto *sto, struct err *err)
{
	int rc;

	pthread_mutex_lock(&sto->lock);
	rc = db_begin(&sto->db, err);
	if (rc < 0)
		pthread_mutex_unlock(&sto->lock);
	return rc;
}

int sto_commit(struct sto *sto, struct err *err)
{
	int rc = db_end(&sto->db, 0, err);

	pthread_mutex_unlock(&sto->lock);
	return rc;
}

void sto_rollback(struct sto *sto)
{
	(void)db_end(&sto->db, -ECANCELED, NULL); /* undoing has no result of its own */
	pthread_mutex_unlock(&sto->lock);
}
