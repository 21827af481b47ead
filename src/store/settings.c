/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: the table says which there are; the database keeps only those that were changed. */
#include <errno.h>
#include <string.h>

#include "store/store_internal.h"

static const struct sto_setting settings[] = {
	{"autorecover", "restore lost redundancy without being asked", 1, 0, 1},
	{"spare_delay_ms", "time for a pulled drive to come back before a spare is used", 10000, 0,
		UINT32_MAX},
	{"pulse_interval_ms", "one half of a light pulse", 1000, 1, 3600000},
	{"rebuild_rate", "ceiling of recovery in bytes per second for each LUN, 0 = none", 0, 0,
		UINT64_MAX},
};

const struct sto_setting *sto_setting_table(size_t *count)
{
	*count = ARRAY_SIZE(settings);
	return settings;
}

static const struct sto_setting *find(const char *key, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (!strcmp(settings[i].key, key))
			return &settings[i];
	err_set(err, -ENOENT, "There is no setting %.64s.", key);
	return NULL;
}

int sto_setting_get(struct sto *sto, const char *key, uint64_t *value, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	const struct sto_setting *s = find(key, err);
	int64_t kept;
	int rc;

	if (!s)
		return -ENOENT;
	rc = db_get_int(
		&sto->db, err, &kept, "SELECT value FROM setting WHERE key = ?", DB_TEXT(key));
	if (rc == -ENOENT) {
		*value = s->initial;
		return 0;
	}
	if (rc == 0)
		*value = (uint64_t)kept;
	return rc;
}

int sto_setting_set(struct sto *sto, const char *key, uint64_t value, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	const struct sto_setting *s = find(key, err);

	if (!s)
		return -ENOENT;
	if (value < s->min || value > s->max)
		return err_set(err, -ERANGE, "The setting %s goes from %llu to %llu.", key,
			(unsigned long long)s->min, (unsigned long long)s->max);
	return db_exec(&sto->db, err,
		"INSERT INTO setting VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
		DB_TEXT(key), DB_INT(value));
}

int sto_setting_reset(struct sto *sto, const char *key, struct err *err)
{
	SCOPED_LOCK(&sto->lock);

	if (!find(key, err))
		return -ENOENT;
	return db_exec(&sto->db, err, "DELETE FROM setting WHERE key = ?", DB_TEXT(key));
}
