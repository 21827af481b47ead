/* SPDX-License-Identifier: Apache-2.0 */
/* Registered providers: what RegisterProvider was told, and where the shared object is. */
#include <errno.h>
#include <string.h>

#include "store/store_internal.h"

int sto_provider_add(struct sto *sto, const struct sto_provider *p, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	char text[GUID_TEXT_SIZE];
	int rc = db_exec(&sto->db, err,
		"INSERT INTO provider (id, clsid, name, type, machine, version, version_id, path) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		DB_GUID(&p->id), DB_GUID(&p->clsid), DB_TEXT(p->name), DB_INT(p->type),
		DB_TEXT(p->machine), DB_TEXT(p->version), DB_GUID(&p->version_id),
		DB_TEXT(p->path));

	if (rc == -EEXIST)
		return err_set(err, rc, "The provider %s is registered already.",
			guid_format(&p->id, text));
	return rc;
}

static int unknown(const struct guid *id, struct err *err)
{
	char text[GUID_TEXT_SIZE];

	return err_set(err, -ENOENT, "The provider %s is not registered.", guid_format(id, text));
}

int sto_provider_remove(struct sto *sto, const struct guid *id, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc = db_change(&sto->db, err, "DELETE FROM provider WHERE id = ?", DB_GUID(id));

	return rc == -ENOENT ? unknown(id, err) : rc;
}

#define COLUMNS "id, clsid, name, type, machine, version, version_id, path"

static void provider_read(struct db_query *q, struct sto_provider *out)
{
	memset(out, 0, sizeof(*out));
	out->id = db_guid(q, 0);
	out->clsid = db_guid(q, 1);
	db_text(q, 2, out->name, sizeof(out->name));
	out->type = (int)db_int(q, 3);
	db_text(q, 4, out->machine, sizeof(out->machine));
	db_text(q, 5, out->version, sizeof(out->version));
	out->version_id = db_guid(q, 6);
	db_text(q, 7, out->path, sizeof(out->path));
}

int sto_provider_get(
	struct sto *sto, const struct guid *id, struct sto_provider *out, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc;

	DB_QUERY(q, &sto->db, err, "SELECT " COLUMNS " FROM provider WHERE id = ?", DB_GUID(id));
	rc = db_next(&q);
	if (rc <= 0)
		return rc < 0 ? rc : unknown(id, err);
	provider_read(&q, out);
	return 0;
}

int sto_provider_list(struct sto *sto, struct sto_provider_vec *out, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	struct sto_provider p;
	int rc;

	memset(out, 0, sizeof(*out));
	DB_QUERY(q, &sto->db, err, "SELECT " COLUMNS " FROM provider ORDER BY seq_no");
	while ((rc = db_next(&q)) > 0) {
		provider_read(&q, &p);
		if (sto_provider_vec_push(out, p) < 0) {
			rc = sto_no_memory(sto, err);
			break;
		}
	}
	if (rc < 0)
		sto_provider_vec_free(out);
	return rc;
}
