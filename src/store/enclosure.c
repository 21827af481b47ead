/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subsystems and the bays of their simulated enclosures: which path is in which slot, which drive
 * was last seen there, and what is known of its absence. Whether a drive is held out on purpose is
 * not a second fact here: it is its fault GONE.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/store_internal.h"

static int subsystem_unknown(const struct guid *id, struct err *err)
{
	char text[GUID_TEXT_SIZE];

	return err_set(err, -ENOENT, "The store has no subsystem %s.", guid_format(id, text));
}

static int name_check(const char *name, struct err *err)
{
	if (strnlen(name, STO_NAME_BYTES) >= STO_NAME_BYTES)
		return err_set(err, -ENAMETOOLONG, "The name of a subsystem has at most %d bytes.",
			STO_NAME_BYTES - 1);
	return 0;
}

int sto_subsystem_add(struct sto *sto, const struct sto_subsystem *s, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	char folder[STO_PATH_BYTES] = "", text[GUID_TEXT_SIZE];
	int rc = name_check(s->name, err);

	if (rc == 0 && s->folder[0])
		rc = sto_path_pack(sto, s->folder, folder, err);
	if (rc < 0)
		return rc;
	rc = db_exec(&sto->db, err,
		"INSERT INTO subsystem (id, name, folder, container, seq, created) "
		"VALUES (?, ?, ?, ?, ?, ?)",
		DB_GUID(&s->id), DB_TEXT(s->name), DB_TEXT(folder),
		DB_BLOB(s->container, sizeof(s->container)), DB_INT(s->seq),
		DB_INT(s->created_ms ? s->created_ms : sto_now(sto)));
	if (rc == -EEXIST)
		return err_set(err, rc, "The store has the subsystem %s already.",
			guid_format(&s->id, text));
	return rc;
}

int sto_subsystem_remove(struct sto *sto, const struct guid *id, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc = db_change(&sto->db, err, "DELETE FROM subsystem WHERE id = ?", DB_GUID(id));

	return rc == -ENOENT ? subsystem_unknown(id, err) : rc;
}

#define SUBSYSTEM_COLUMNS "id, name, folder, container, seq, created"

static int subsystem_read(
	struct sto *sto, struct db_query *q, struct sto_subsystem *out, struct err *err)
{
	char folder[STO_PATH_BYTES];
	const void *container = sqlite3_column_blob(q->stmt, 3);

	memset(out, 0, sizeof(*out));
	out->id = db_guid(q, 0);
	db_text(q, 1, out->name, sizeof(out->name));
	db_text(q, 2, folder, sizeof(folder));
	if (container)
		memcpy(out->container, container, sizeof(out->container));
	out->seq = (uint32_t)db_int(q, 4);
	out->created_ms = db_int(q, 5);
	return sto_path_unpack(sto, folder, out->folder, err);
}

int sto_subsystem_get(
	struct sto *sto, const struct guid *id, struct sto_subsystem *out, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc;

	DB_QUERY(q, &sto->db, err, "SELECT " SUBSYSTEM_COLUMNS " FROM subsystem WHERE id = ?",
		DB_GUID(id));
	rc = db_next(&q);
	if (rc > 0)
		return subsystem_read(sto, &q, out, err);
	return rc < 0 ? rc : subsystem_unknown(id, err);
}

int sto_subsystem_list(struct sto *sto, struct sto_subsystem_vec *out, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	struct sto_subsystem s;
	int rc;

	memset(out, 0, sizeof(*out));
	DB_QUERY(q, &sto->db, err, "SELECT " SUBSYSTEM_COLUMNS " FROM subsystem ORDER BY seq_no");
	while ((rc = db_next(&q)) > 0) {
		rc = subsystem_read(sto, &q, &s, err);
		if (rc == 0 && (rc = sto_subsystem_vec_push(out, s)) < 0)
			rc = sto_no_memory(sto, err);
		if (rc < 0)
			break;
	}
	if (rc < 0)
		sto_subsystem_vec_free(out);
	return rc;
}

int sto_subsystem_set_name(
	struct sto *sto, const struct guid *id, const char *name, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc = name_check(name, err);

	if (rc == 0)
		rc = db_change(&sto->db, err, "UPDATE subsystem SET name = ? WHERE id = ?",
			DB_TEXT(name), DB_GUID(id));
	return rc == -ENOENT ? subsystem_unknown(id, err) : rc;
}

int sto_subsystem_set_container(
	struct sto *sto, const struct guid *id, const uint8_t container[24], struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc = db_change(&sto->db, err, "UPDATE subsystem SET container = ? WHERE id = ?",
		DB_BLOB(container, 24), DB_GUID(id));

	return rc == -ENOENT ? subsystem_unknown(id, err) : rc;
}

int sto_subsystem_set_seq(struct sto *sto, const struct guid *id, uint32_t seq, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc = db_change(&sto->db, err, "UPDATE subsystem SET seq = max(seq, ?) WHERE id = ?",
		DB_INT(seq), DB_GUID(id));

	return rc == -ENOENT ? subsystem_unknown(id, err) : rc;
}

/* ---- bays --------------------------------------------------------------------------------- */

#define BAY_COLUMNS                                                                                \
	"subsystem, bus, slot, path, drive, departed, lost, "                                      \
	"EXISTS (SELECT 1 FROM fault WHERE object = drive AND kind = 5)"

_Static_assert(STO_FAULT_GONE == 5, "stands in BAY_COLUMNS");

static int bay_read(struct sto *sto, struct db_query *q, struct sto_bay *out, struct err *err)
{
	char path[STO_PATH_BYTES];

	memset(out, 0, sizeof(*out));
	out->subsystem = db_guid(q, 0);
	out->bus = (int16_t)db_int(q, 1);
	out->slot = (int16_t)db_int(q, 2);
	db_text(q, 3, path, sizeof(path));
	out->drive = db_guid(q, 4);
	out->departed = db_int(q, 5);
	out->lost_ms = db_int(q, 6);
	out->pulled = db_int(q, 7);
	return sto_path_unpack(sto, path, out->path, err);
}

static int bay_unknown(int16_t bus, int16_t slot, struct err *err)
{
	return err_set(err, -ENOENT, "The subsystem has no bay %d.%d.", bus, slot);
}

/* -EEXIST with a sentence when a bay other than (subsystem, bus, slot) has this kept path. */
static int path_free(struct sto *sto, const char *kept, const struct guid *subsystem, int16_t bus,
	int16_t slot, struct err *err)
{
	int rc;

	DB_QUERY(q, &sto->db, err,
		"SELECT bus, slot, path, subsystem = ?2 FROM bay "
		"WHERE path = ?1 AND NOT (subsystem = ?2 AND bus = ?3 AND slot = ?4)",
		DB_TEXT(kept), DB_GUID(subsystem), DB_INT(bus), DB_INT(slot));
	rc = db_next(&q);
	if (rc <= 0)
		return rc;
	return err_set(err, -EEXIST, "The path %s is in bay %d.%d%s already.", kept,
		(int)db_int(&q, 0), (int)db_int(&q, 1),
		db_int(&q, 3) ? "" : " of another subsystem");
}

static int bay_free(struct sto *sto, const struct sto_bay *bay, struct err *err)
{
	int64_t subsystems, taken;
	int rc;

	if (bay->bus < 0 || bay->slot < 0)
		return err_set(err, -EINVAL, "There is no bay %d.%d.", bay->bus, bay->slot);
	rc = db_get_int(&sto->db, err, &subsystems, "SELECT count(*) FROM subsystem WHERE id = ?",
		DB_GUID(&bay->subsystem));
	if (rc == 0 && !subsystems)
		return subsystem_unknown(&bay->subsystem, err);
	if (rc == 0)
		rc = db_get_int(&sto->db, err, &taken,
			"SELECT count(*) FROM bay WHERE subsystem = ? AND bus = ? AND slot = ?",
			DB_GUID(&bay->subsystem), DB_INT(bay->bus), DB_INT(bay->slot));
	if (rc == 0 && taken)
		return err_set(err, -EEXIST, "The bay %d.%d is taken.", bay->bus, bay->slot);
	return rc;
}

/* A drive is in one place: whatever bay has it, forgets it. */
static int drive_take_out(struct sto *sto, const struct guid *drive, struct err *err)
{
	return db_exec(
		&sto->db, err, "UPDATE bay SET drive = NULL WHERE drive = ?", DB_GUID(drive));
}

int sto_bay_add(struct sto *sto, const struct sto_bay *bay, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	const struct guid *drive = guid_is_zero(&bay->drive) ? NULL : &bay->drive;
	char path[STO_PATH_BYTES];
	int rc = bay_free(sto, bay, err);

	if (rc == 0)
		rc = sto_path_pack(sto, bay->path, path, err);
	if (rc == 0)
		rc = path_free(sto, path, &bay->subsystem, bay->bus, bay->slot, err);
	if (rc == 0)
		rc = db_begin(&sto->db, err);
	if (rc < 0)
		return rc;
	if (drive)
		rc = drive_take_out(sto, drive, err);
	if (rc == 0)
		rc = db_exec(&sto->db, err, "INSERT INTO bay VALUES (?, ?, ?, ?, ?, ?, ?)",
			DB_GUID(&bay->subsystem), DB_INT(bay->bus), DB_INT(bay->slot),
			DB_TEXT(path), DB_BLOB(drive ? drive->b : NULL, sizeof(drive->b)),
			DB_INT(bay->departed), DB_INT(bay->lost_ms));
	return db_end(&sto->db, rc, err);
}

int sto_bay_remove(
	struct sto *sto, const struct guid *subsystem, int16_t bus, int16_t slot, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc = db_change(&sto->db, err,
		"DELETE FROM bay WHERE subsystem = ? AND bus = ? AND slot = ?", DB_GUID(subsystem),
		DB_INT(bus), DB_INT(slot));

	return rc == -ENOENT ? bay_unknown(bus, slot, err) : rc;
}

int sto_bays_forget_empty(struct sto *sto, struct err *err)
{
	SCOPED_LOCK(&sto->lock);

	return db_exec(&sto->db, err, "DELETE FROM bay WHERE drive IS NULL");
}

int sto_bay_get(struct sto *sto, const struct guid *subsystem, int16_t bus, int16_t slot,
	struct sto_bay *out, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc;

	DB_QUERY(q, &sto->db, err,
		"SELECT " BAY_COLUMNS " FROM bay WHERE subsystem = ? AND bus = ? AND slot = ?",
		DB_GUID(subsystem), DB_INT(bus), DB_INT(slot));
	rc = db_next(&q);
	if (rc > 0)
		return bay_read(sto, &q, out, err);
	return rc < 0 ? rc : bay_unknown(bus, slot, err);
}

int sto_bay_find(struct sto *sto, const struct guid *drive, struct sto_bay *out, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	char text[GUID_TEXT_SIZE];
	int rc;

	DB_QUERY(q, &sto->db, err, "SELECT " BAY_COLUMNS " FROM bay WHERE drive = ?",
		DB_GUID(drive));
	rc = db_next(&q);
	if (rc > 0)
		return bay_read(sto, &q, out, err);
	if (rc < 0)
		return rc;
	return err_set(err, -ENOENT, "The drive %s is in no bay.", guid_format(drive, text));
}

int sto_bay_list(
	struct sto *sto, const struct guid *subsystem, struct sto_bay_vec *out, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	struct sto_bay bay;
	int rc;

	memset(out, 0, sizeof(*out));
	DB_QUERY(q, &sto->db, err,
		"SELECT " BAY_COLUMNS " FROM bay WHERE subsystem = ? ORDER BY bus, slot",
		DB_GUID(subsystem));
	while ((rc = db_next(&q)) > 0) {
		rc = bay_read(sto, &q, &bay, err);
		if (rc == 0 && (rc = sto_bay_vec_push(out, bay)) < 0)
			rc = sto_no_memory(sto, err);
		if (rc < 0)
			break;
	}
	if (rc < 0)
		sto_bay_vec_free(out);
	return rc;
}

int sto_bay_free_slot(
	struct sto *sto, const struct guid *subsystem, int16_t *bus, int16_t *slot, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int next = 0, rc;

	DB_QUERY(q, &sto->db, err,
		"SELECT slot FROM bay WHERE subsystem = ? AND bus = 0 ORDER BY slot",
		DB_GUID(subsystem));
	while ((rc = db_next(&q)) > 0 && db_int(&q, 0) == next)
		next++;
	if (rc < 0)
		return rc;
	if (next > INT16_MAX)
		return err_set(err, -ENOSPC, "Bus 0 of the subsystem has no free slot.");
	*bus = 0;
	*slot = (int16_t)next;
	return 0;
}

int sto_bay_set_drive(struct sto *sto, const struct guid *subsystem, int16_t bus, int16_t slot,
	const struct guid *drive, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	bool none = guid_is_zero(drive);
	int rc = db_begin(&sto->db, err);

	if (rc < 0)
		return rc;
	if (!none)
		rc = drive_take_out(sto, drive, err);
	if (rc == 0)
		rc = db_change(&sto->db, err,
			"UPDATE bay SET drive = ? WHERE subsystem = ? AND bus = ? AND slot = ?",
			DB_BLOB(none ? NULL : drive->b, sizeof(drive->b)), DB_GUID(subsystem),
			DB_INT(bus), DB_INT(slot));
	if (rc == -ENOENT)
		rc = bay_unknown(bus, slot, err);
	return db_end(&sto->db, rc, err);
}

int sto_bay_set_lost(struct sto *sto, const struct guid *subsystem, int16_t bus, int16_t slot,
	int64_t lost_ms, bool departed, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc = db_change(&sto->db, err,
		"UPDATE bay SET lost = ?, departed = ? WHERE subsystem = ? AND bus = ? AND slot = "
		"?",
		DB_INT(lost_ms), DB_INT(departed), DB_GUID(subsystem), DB_INT(bus), DB_INT(slot));

	return rc == -ENOENT ? bay_unknown(bus, slot, err) : rc;
}

int sto_bay_set_path(struct sto *sto, const struct guid *subsystem, int16_t bus, int16_t slot,
	const char *path, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	char kept[STO_PATH_BYTES];
	int rc = sto_path_pack(sto, path, kept, err);

	if (rc == 0)
		rc = path_free(sto, kept, subsystem, bus, slot, err);
	if (rc == 0)
		rc = db_change(&sto->db, err,
			"UPDATE bay SET path = ? WHERE subsystem = ? AND bus = ? AND slot = ?",
			DB_TEXT(kept), DB_GUID(subsystem), DB_INT(bus), DB_INT(slot));
	return rc == -ENOENT ? bay_unknown(bus, slot, err) : rc;
}
