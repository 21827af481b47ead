/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs of all clients, so that they can be listed and keep their number over restarts. The store
 * does not run them: it keeps what whoever runs them reports.
 */
#include <errno.h>
#include <string.h>

#include "store/store_internal.h"

#define COLUMNS                                                                                    \
	"number, kind, object, object_kind, state, result, percent, done, total, automatic, "      \
	"started_by, started, ended"

static void job_read(struct db_query *q, struct sto_job *out)
{
	memset(out, 0, sizeof(*out));
	out->number = (uint32_t)db_int(q, 0);
	out->kind = (int)db_int(q, 1);
	out->object = db_guid(q, 2);
	out->object_kind = (int)db_int(q, 3);
	out->state = (enum sto_job_state)db_int(q, 4);
	out->result = (int32_t)db_int(q, 5);
	out->percent = (uint32_t)db_int(q, 6);
	out->done_bytes = (uint64_t)db_int(q, 7);
	out->total_bytes = (uint64_t)db_int(q, 8);
	out->automatic = db_int(q, 9);
	db_text(q, 10, out->started_by, sizeof(out->started_by));
	out->started_ms = db_int(q, 11);
	out->ended_ms = db_int(q, 12);
}

static int job_insert(struct sto *sto, const struct sto_job *job, struct err *err)
{
	return db_exec(&sto->db, err,
		"INSERT INTO job VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, 0)",
		DB_INT(job->number), DB_INT(job->kind), DB_GUID(&job->object),
		DB_INT(job->object_kind), DB_INT(job->state), DB_INT(job->result),
		DB_INT(job->total_bytes), DB_INT(job->automatic), DB_TEXT(job->started_by),
		DB_INT(job->started_ms));
}

/* The next number. Besides the kept counter the table has a say, should a rebuild of the database
 * have lost the counter. */
static int next_number(struct sto *sto, int64_t *next, struct err *err)
{
	return db_get_int(&sto->db, err, next,
		"SELECT max(coalesce((SELECT value FROM prop WHERE key = 'next_job'), 0), "
		"coalesce((SELECT max(number) + 1 FROM job), 0))");
}

int sto_job_create(struct sto *sto, struct sto_job *job, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int64_t next = 0;
	int rc = db_begin(&sto->db, err);

	if (rc < 0)
		return rc;
	rc = next_number(sto, &next, err);
	if (rc == 0 && next > UINT32_MAX)
		rc = err_set(err, -EOVERFLOW, "All numbers for jobs are used.");
	if (rc == 0)
		rc = sto_prop_set(sto, "next_job", next + 1, err);
	if (rc == 0) {
		job->number = (uint32_t)next;
		job->state = STO_JOB_RUNNING;
		job->percent = 0;
		job->done_bytes = 0;
		job->started_ms = sto_now(sto);
		job->ended_ms = 0;
		rc = job_insert(sto, job, err);
	}
	return db_end(&sto->db, rc, err);
}

int sto_job_get(struct sto *sto, uint32_t number, struct sto_job *out, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc;

	DB_QUERY(q, &sto->db, err, "SELECT " COLUMNS " FROM job WHERE number = ?", DB_INT(number));
	rc = db_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, -ENOENT, "There is no job %u.", number);
	job_read(&q, out);
	return 0;
}

static bool ended(enum sto_job_state state)
{
	return state >= STO_JOB_DONE;
}

/* The job, provided that it has not ended. */
static int get_unended(struct sto *sto, uint32_t number, struct err *err)
{
	struct sto_job job;
	int rc = sto_job_get(sto, number, &job, err);

	if (rc == 0 && ended(job.state))
		return err_set(err, -EALREADY, "The job %u has ended.", number);
	return rc;
}

int sto_job_resume(
	struct sto *sto, int kind, const struct guid *object, struct sto_job *out, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	char text[GUID_TEXT_SIZE];
	int64_t number;
	int rc = db_get_int(&sto->db, err, &number,
		"SELECT number FROM job WHERE kind = ? AND object = ? AND state < 3 "
		"ORDER BY number DESC LIMIT 1",
		DB_INT(kind), DB_GUID(object));

	if (rc == -ENOENT)
		return err_set(err, rc, "The object %s has no job to go on with.",
			guid_format(object, text));
	if (rc == 0)
		rc = sto_job_interrupt(sto, (uint32_t)number, false, err);
	return rc < 0 ? rc : sto_job_get(sto, (uint32_t)number, out, err);
}

int sto_job_update(struct sto *sto, uint32_t number, uint32_t percent, uint64_t done_bytes,
	uint64_t total_bytes, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc = get_unended(sto, number, err);

	if (rc < 0)
		return rc;
	return db_exec(&sto->db, err,
		"UPDATE job SET percent = max(percent, min(?2, 99)), done = max(done, ?3), "
		"total = ?4 WHERE number = ?1",
		DB_INT(number), DB_INT(percent), DB_INT(done_bytes), DB_INT(total_bytes));
}

int sto_job_interrupt(struct sto *sto, uint32_t number, bool interrupted, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc = get_unended(sto, number, err);

	if (rc < 0)
		return rc;
	return db_exec(&sto->db, err, "UPDATE job SET state = ?2 WHERE number = ?1", DB_INT(number),
		DB_INT(interrupted ? STO_JOB_INTERRUPTED : STO_JOB_RUNNING));
}

/* Forgets the ended jobs beyond the kept ones, except the one that ends right now (a clock that was
 * set back may make it look old). */
static int prune(struct sto *sto, uint32_t except, struct err *err)
{
	return db_exec(&sto->db, err,
		"DELETE FROM job WHERE state >= 3 AND number <> ?1 AND number NOT IN ("
		"SELECT number FROM job WHERE state >= 3 ORDER BY number = ?1 DESC, ended DESC, "
		"number DESC LIMIT ?2)",
		DB_INT(except), DB_INT(STO_JOBS_KEPT));
}

int sto_job_finish(
	struct sto *sto, uint32_t number, enum sto_job_state state, int32_t result, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc;

	if (!ended(state) || state > STO_JOB_CANCELED)
		return err_set(err, -EINVAL, "A job does not end in state %d.", (int)state);
	rc = get_unended(sto, number, err);
	if (rc == 0)
		rc = db_begin(&sto->db, err);
	if (rc < 0)
		return rc;
	rc = db_exec(&sto->db, err,
		"UPDATE job SET state = ?2, result = ?3, ended = ?4, "
		"percent = iif(?2 = 3, 100, percent), done = iif(?2 = 3, total, done) "
		"WHERE number = ?1",
		DB_INT(number), DB_INT(state), DB_INT(result), DB_INT(sto_now(sto)));
	if (rc == 0)
		rc = prune(sto, number, err);
	return db_end(&sto->db, rc, err);
}

int sto_job_list(struct sto *sto, bool unended, struct sto_job_vec *out, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	struct sto_job job;
	int rc;

	memset(out, 0, sizeof(*out));
	DB_QUERY(q, &sto->db, err,
		"SELECT " COLUMNS " FROM job WHERE ?1 = 0 OR state < 3 ORDER BY number",
		DB_INT(unended));
	while ((rc = db_next(&q)) > 0) {
		job_read(&q, &job);
		if (sto_job_vec_push(out, job) < 0) {
			rc = sto_no_memory(sto, err);
			break;
		}
	}
	if (rc < 0)
		sto_job_vec_free(out);
	return rc;
}
