/* SPDX-License-Identifier: Apache-2.0 */
/* Faults on purpose: which there are. What they do is up to those who ask. */
#include <errno.h>
#include <string.h>

#include "store/store_internal.h"

static int allowed(struct sto *sto, struct err *err)
{
	int64_t yes = 0;
	int rc = sto_prop_get(sto, "faults", &yes, err);

	if (yes || (rc < 0 && rc != -ENOENT))
		return yes ? 0 : rc;
	return err_set(err, -EPERM, "The store %s was made without faults.", sto->dir);
}

static int kind_check(int kind, struct err *err)
{
	if (kind >= STO_FAULT_CACHE_CORRUPT && kind <= STO_FAULT_SYSTEM_ERROR)
		return 0;
	return err_set(err, -EINVAL, "There is no fault of kind %d.", kind);
}

int sto_fault_add(struct sto *sto, const struct sto_fault *fault, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc = allowed(sto, err);

	if (rc == 0)
		rc = kind_check((int)fault->kind, err);
	if (rc < 0)
		return rc;
	return db_exec(&sto->db, err,
		"INSERT INTO fault (object, kind, offset, size) VALUES (?, ?, ?, ?) "
		"ON CONFLICT DO NOTHING",
		DB_GUID(&fault->id), DB_INT(fault->kind), DB_INT(fault->offset),
		DB_INT(fault->size));
}

int sto_fault_remove(struct sto *sto, const struct sto_fault *fault, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	char text[GUID_TEXT_SIZE];
	int rc = allowed(sto, err);

	if (rc < 0)
		return rc;
	rc = db_change(&sto->db, err,
		"DELETE FROM fault WHERE object = ? AND kind = ? AND offset = ? AND size = ?",
		DB_GUID(&fault->id), DB_INT(fault->kind), DB_INT(fault->offset),
		DB_INT(fault->size));
	if (rc == -ENOENT)
		return err_set(
			err, rc, "The object %s has no such fault.", guid_format(&fault->id, text));
	return rc;
}

int sto_fault_clear(struct sto *sto, const struct guid *id, int kind, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc = allowed(sto, err);

	if (rc == 0 && kind)
		rc = kind_check(kind, err);
	if (rc < 0)
		return rc;
	return db_exec(&sto->db, err,
		"DELETE FROM fault WHERE (?1 IS NULL OR object = ?1) AND (?2 = 0 OR kind = ?2)",
		DB_BLOB(id ? id->b : NULL, sizeof(id->b)), DB_INT(kind));
}

int sto_fault_list(
	struct sto *sto, const struct guid *id, struct sto_fault_vec *out, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc;

	memset(out, 0, sizeof(*out));
	DB_QUERY(q, &sto->db, err,
		"SELECT object, kind, offset, size FROM fault "
		"WHERE ?1 IS NULL OR object = ?1 ORDER BY id",
		DB_BLOB(id ? id->b : NULL, sizeof(id->b)));
	while ((rc = db_next(&q)) > 0) {
		struct sto_fault f = {
			.id = db_guid(&q, 0),
			.kind = (enum sto_fault_kind)db_int(&q, 1),
			.offset = (uint64_t)db_int(&q, 2),
			.size = (uint64_t)db_int(&q, 3),
		};

		if (sto_fault_vec_push(out, f) < 0) {
			rc = sto_no_memory(sto, err);
			break;
		}
	}
	if (rc < 0)
		sto_fault_vec_free(out);
	return rc;
}

int sto_fault_has(struct sto *sto, const struct guid *id, enum sto_fault_kind kind, bool *has,
	struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int64_t found = 0;
	int rc = db_get_int(&sto->db, err, &found,
		"SELECT EXISTS (SELECT 1 FROM fault WHERE object = ? AND kind = ?)", DB_GUID(id),
		DB_INT(kind));

	*has = rc == 0 && found;
	return rc;
}
