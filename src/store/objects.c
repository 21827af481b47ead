/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and attributes of objects. A number's row stays when its object goes: the next number is
 * one more than the greatest ever issued, so there is no counter that could disagree.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/store_internal.h"

#define ATTR_MAX_BYTES (1u << 20)

/* ---- numbers ------------------------------------------------------------------------------ */

static int number_issue(
	struct sto *sto, int kind, const struct guid *id, uint32_t *number, struct err *err)
{
	int64_t next;
	int rc = db_get_int(&sto->db, err, &next,
		"SELECT coalesce(max(number) + 1, 0) FROM number WHERE kind = ?", DB_INT(kind));

	if (rc < 0)
		return rc;
	if (next > UINT32_MAX)
		return err_set(
			err, -EOVERFLOW, "All numbers for objects of kind %d are used.", kind);
	*number = (uint32_t)next;
	return db_exec(&sto->db, err, "INSERT INTO number VALUES (?, ?, ?, 0)", DB_INT(kind),
		DB_INT(next), DB_GUID(id));
}

int sto_number(struct sto *sto, int kind, const struct guid *id, uint32_t *number, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int64_t known;
	int rc = db_get_int(&sto->db, err, &known,
		"SELECT number FROM number WHERE kind = ? AND object = ?", DB_INT(kind),
		DB_GUID(id));

	if (rc == -ENOENT)
		return number_issue(sto, kind, id, number, err);
	if (rc < 0)
		return rc;
	*number = (uint32_t)known;
	return db_exec(&sto->db, err,
		"UPDATE number SET retired = 0 WHERE kind = ? AND object = ? AND retired = 1",
		DB_INT(kind), DB_GUID(id));
}

int sto_number_find(struct sto *sto, int kind, uint32_t number, struct guid *id, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc;

	DB_QUERY(q, &sto->db, err,
		"SELECT object FROM number WHERE kind = ? AND number = ? AND retired = 0",
		DB_INT(kind), DB_INT(number));
	rc = db_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, -ENOENT, "No object has the number %u.", number);
	*id = db_guid(&q, 0);
	return 0;
}

int sto_number_retire(struct sto *sto, int kind, const struct guid *id, struct err *err)
{
	SCOPED_LOCK(&sto->lock);

	return db_exec(&sto->db, err, "UPDATE number SET retired = 1 WHERE kind = ? AND object = ?",
		DB_INT(kind), DB_GUID(id));
}

int sto_number_list(struct sto *sto, int kind, struct sto_numbered_vec *out, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc;

	memset(out, 0, sizeof(*out));
	DB_QUERY(q, &sto->db, err,
		"SELECT number, object FROM number WHERE kind = ? AND retired = 0 ORDER BY number",
		DB_INT(kind));
	while ((rc = db_next(&q)) > 0) {
		struct sto_numbered n = {(uint32_t)db_int(&q, 0), db_guid(&q, 1)};

		if (sto_numbered_vec_push(out, n) < 0) {
			rc = sto_no_memory(sto, err);
			break;
		}
	}
	if (rc < 0)
		sto_numbered_vec_free(out);
	return rc;
}

/* ---- attributes --------------------------------------------------------------------------- */

static int attr_check(const char *key, size_t len, struct err *err)
{
	size_t key_len = strnlen(key, STO_KEY_BYTES);

	if (!key_len || key_len >= STO_KEY_BYTES)
		return err_set(err, -EINVAL, "The key of an attribute has 1 to %d bytes.",
			STO_KEY_BYTES - 1);
	if (len > ATTR_MAX_BYTES)
		return err_set(err, -EFBIG, "An attribute has at most %u bytes.", ATTR_MAX_BYTES);
	return 0;
}

static int attr_put(struct sto *sto, const struct guid *id, const char *key, struct db_arg value,
	struct err *err)
{
	int rc = attr_check(key, value.len, err);

	if (rc < 0)
		return rc;
	/* An upsert and not REPLACE: the row keeps its place, see sto_attr_objects. */
	return db_exec(&sto->db, err,
		"INSERT INTO attr VALUES (?1, ?2, ?3) "
		"ON CONFLICT (object, key) DO UPDATE SET value = ?3",
		DB_GUID(id), DB_TEXT(key), value);
}

static int attr_remove(struct sto *sto, const struct guid *id, const char *key, struct err *err)
{
	int rc = attr_check(key, 0, err);

	if (rc < 0)
		return rc;
	return db_exec(&sto->db, err, "DELETE FROM attr WHERE object = ? AND key = ?", DB_GUID(id),
		DB_TEXT(key));
}

int sto_attr_set(struct sto *sto, const struct guid *id, const char *key, const void *bytes,
	size_t len, struct err *err)
{
	SCOPED_LOCK(&sto->lock);

	if (!bytes)
		return attr_remove(sto, id, key, err);
	return attr_put(sto, id, key, DB_BLOB(bytes, len), err);
}

int sto_attr_set_text(
	struct sto *sto, const struct guid *id, const char *key, const char *text, struct err *err)
{
	return sto_attr_set(sto, id, key, text, text ? strlen(text) : 0, err);
}

int sto_attr_set_u64(
	struct sto *sto, const struct guid *id, const char *key, uint64_t value, struct err *err)
{
	SCOPED_LOCK(&sto->lock);

	return attr_put(sto, id, key, DB_INT(value), err);
}

static int attr_unknown(const struct guid *id, const char *key, struct err *err)
{
	char text[GUID_TEXT_SIZE];

	return err_set(
		err, -ENOENT, "The object %s has no attribute %s.", guid_format(id, text), key);
}

int sto_attr_get(struct sto *sto, const struct guid *id, const char *key, void **bytes, size_t *len,
	struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	const void *value;
	size_t size;
	int rc;

	*bytes = NULL;
	DB_QUERY(q, &sto->db, err, "SELECT value FROM attr WHERE object = ? AND key = ?",
		DB_GUID(id), DB_TEXT(key));
	rc = db_next(&q);
	if (rc <= 0)
		return rc < 0 ? rc : attr_unknown(id, key, err);
	value = sqlite3_column_blob(q.stmt, 0);
	size = (size_t)sqlite3_column_bytes(q.stmt, 0);
	*bytes = calloc(1, size + 1);
	if (!*bytes)
		return sto_no_memory(sto, err);
	if (size)
		memcpy(*bytes, value, size);
	if (len)
		*len = size;
	return 0;
}

int sto_attr_get_text(
	struct sto *sto, const struct guid *id, const char *key, char **text, struct err *err)
{
	void *bytes;
	int rc = sto_attr_get(sto, id, key, &bytes, NULL, err);

	*text = bytes;
	return rc;
}

int sto_attr_get_u64(
	struct sto *sto, const struct guid *id, const char *key, uint64_t *value, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	char text[GUID_TEXT_SIZE];
	int rc;

	DB_QUERY(q, &sto->db, err, "SELECT value FROM attr WHERE object = ? AND key = ?",
		DB_GUID(id), DB_TEXT(key));
	rc = db_next(&q);
	if (rc <= 0)
		return rc < 0 ? rc : attr_unknown(id, key, err);
	if (sqlite3_column_type(q.stmt, 0) != SQLITE_INTEGER)
		return err_set(err, -EINVAL, "The attribute %s of the object %s is no number.", key,
			guid_format(id, text));
	*value = (uint64_t)db_int(&q, 0);
	return 0;
}

int sto_attr_objects(struct sto *sto, const char *key, struct sto_guid_vec *out, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc;

	memset(out, 0, sizeof(*out));
	DB_QUERY(q, &sto->db, err, "SELECT object FROM attr WHERE key = ? ORDER BY rowid",
		DB_TEXT(key));
	while ((rc = db_next(&q)) > 0) {
		if (sto_guid_vec_push(out, db_guid(&q, 0)) < 0) {
			rc = sto_no_memory(sto, err);
			break;
		}
	}
	if (rc < 0)
		sto_guid_vec_free(out);
	return rc;
}

int sto_attr_keys(struct sto *sto, const struct guid *id, struct sto_key_vec *out, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	struct sto_key key;
	int rc;

	memset(out, 0, sizeof(*out));
	DB_QUERY(q, &sto->db, err, "SELECT key FROM attr WHERE object = ? ORDER BY key",
		DB_GUID(id));
	while ((rc = db_next(&q)) > 0) {
		db_text(&q, 0, key.text, sizeof(key.text));
		if (sto_key_vec_push(out, key) < 0) {
			rc = sto_no_memory(sto, err);
			break;
		}
	}
	if (rc < 0)
		sto_key_vec_free(out);
	return rc;
}

/* ---- the end of an object ----------------------------------------------------------------- */

int sto_object_forget(struct sto *sto, int kind, const struct guid *id, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc = db_begin(&sto->db, err);

	if (rc < 0)
		return rc;
	rc = sto_number_retire(sto, kind, id, err);
	if (rc == 0)
		rc = db_exec(&sto->db, err, "DELETE FROM attr WHERE object = ?", DB_GUID(id));
	if (rc == 0)
		rc = db_exec(&sto->db, err, "DELETE FROM fault WHERE object = ?", DB_GUID(id));
	if (rc == 0)
		rc = db_exec(&sto->db, err, "DELETE FROM maint WHERE object = ?", DB_GUID(id));
	return db_end(&sto->db, rc, err);
}
