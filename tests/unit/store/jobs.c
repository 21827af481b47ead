/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

static uint32_t create(struct fixture *f, int kind, unsigned object)
{
	struct sto_job job = {.kind = kind,
		.object = fx_id(object),
		.object_kind = 14,
		.result = 0x42409,
		.total_bytes = 1000,
		.started_by = "uid 1000"};

	ok(sto_job_create(f->sto, &job, &f->err));
	assert_int_equal(job.state, STO_JOB_RUNNING);
	assert_int_equal(job.started_ms, f->now_ms);
	return job.number;
}

static struct sto_job get(struct fixture *f, uint32_t number)
{
	struct sto_job job;

	ok(sto_job_get(f->sto, number, &job, &f->err));
	return job;
}

static void a_job_from_begin_to_end(void **st)
{
	struct fixture *f = *st;
	struct sto_job j;
	uint32_t n = create(f, 50, 1);

	assert_int_equal(n, 0);
	j = get(f, n);
	assert_int_equal(j.kind, 50);
	assert_memory_equal(&j.object, ID(1), 16);
	assert_int_equal(j.object_kind, 14);
	assert_int_equal(j.state, STO_JOB_RUNNING);
	assert_int_equal(j.result, 0x42409);
	assert_int_equal(j.percent, 0);
	assert_int_equal(j.total_bytes, 1000);
	assert_false(j.automatic);
	assert_string_equal(j.started_by, "uid 1000");
	assert_int_equal(j.ended_ms, 0);

	f->now_ms += 5;
	ok(sto_job_update(f->sto, n, 30, 300, 1000, &f->err));
	j = get(f, n);
	assert_int_equal(j.percent, 30);
	assert_int_equal(j.done_bytes, 300);
	ok(sto_job_finish(f->sto, n, STO_JOB_DONE, 0, &f->err));
	fx_reopen(f);
	j = get(f, n);
	assert_int_equal(j.state, STO_JOB_DONE);
	assert_int_equal(j.percent, 100);
	assert_int_equal(j.done_bytes, 1000);
	assert_int_equal(j.result, 0);
	assert_int_equal(j.ended_ms, f->now_ms);
}

static void progress_never_falls_and_ends_at_100_only_when_done(void **st)
{
	struct fixture *f = *st;
	uint32_t n = create(f, 1, 1);

	ok(sto_job_update(f->sto, n, 60, 600, 1000, &f->err));
	ok(sto_job_update(f->sto, n, 40, 400, 1200, &f->err));
	assert_int_equal(get(f, n).percent, 60);
	assert_int_equal(get(f, n).done_bytes, 600);
	assert_int_equal(get(f, n).total_bytes, 1200);
	ok(sto_job_update(f->sto, n, 100, 1200, 1200, &f->err));
	assert_int_equal(get(f, n).percent, 99);
	ok(sto_job_finish(f->sto, n, STO_JOB_FAILED, (int32_t)0x80042405, &f->err));
	assert_int_equal(get(f, n).percent, 99);
	assert_int_equal(get(f, n).result, (int32_t)0x80042405);
}

static void an_ended_job_stays_as_it_is(void **st)
{
	static const enum sto_job_state ends[] = {STO_JOB_DONE, STO_JOB_FAILED, STO_JOB_CANCELED};
	struct fixture *f = *st;
	struct sto_job job;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		uint32_t n = create(f, 1, 1);

		fails(-EINVAL, sto_job_finish(f->sto, n, STO_JOB_RUNNING, 0, &f->err));
		fails(-EINVAL, sto_job_finish(f->sto, n, STO_JOB_INTERRUPTED, 0, &f->err));
		fails(-EINVAL, sto_job_finish(f->sto, n, (enum sto_job_state)6, 0, &f->err));
		ok(sto_job_finish(f->sto, n, ends[i], 3, &f->err));
		fails(-EALREADY, sto_job_finish(f->sto, n, STO_JOB_DONE, 4, &f->err));
		fails(-EALREADY, sto_job_update(f->sto, n, 5, 5, 5, &f->err));
		fails(-EALREADY, sto_job_interrupt(f->sto, n, true, &f->err));
		fails(-ENOENT, sto_job_resume(f->sto, 1, ID(1), &job, &f->err));
		assert_int_equal(get(f, n).state, ends[i]);
		assert_int_equal(get(f, n).result, 3);
	}
	fails(-ENOENT, sto_job_get(f->sto, 99, &job, &f->err));
	fails(-ENOENT, sto_job_update(f->sto, 99, 1, 1, 1, &f->err));
	fails(-ENOENT, sto_job_finish(f->sto, 99, STO_JOB_DONE, 1, &f->err));
	fails(-ENOENT, sto_job_interrupt(f->sto, 99, true, &f->err));
}

static void a_restart_interrupts_and_resume_keeps_the_number(void **st)
{
	struct fixture *f = *st;
	struct sto_job job;
	uint32_t a = create(f, 56, 1), b = create(f, 56, 2);

	ok(sto_job_update(f->sto, a, 25, 250, 1000, &f->err));
	ok(sto_job_finish(f->sto, b, STO_JOB_CANCELED, -1, &f->err));
	fx_reopen(f);
	assert_int_equal(get(f, a).state, STO_JOB_INTERRUPTED);
	assert_int_equal(get(f, b).state, STO_JOB_CANCELED);
	fails(-ENOENT, sto_job_resume(f->sto, 54, ID(1), &job, &f->err));
	fails(-ENOENT, sto_job_resume(f->sto, 56, ID(2), &job, &f->err));
	ok(sto_job_resume(f->sto, 56, ID(1), &job, &f->err));
	assert_int_equal(job.number, a);
	assert_int_equal(job.state, STO_JOB_RUNNING);
	assert_int_equal(job.percent, 25);
	ok(sto_job_interrupt(f->sto, a, true, &f->err));
	assert_int_equal(get(f, a).state, STO_JOB_INTERRUPTED);
	ok(sto_job_interrupt(f->sto, a, false, &f->err));
	assert_int_equal(get(f, a).state, STO_JOB_RUNNING);
}

static void listed_by_number(void **st)
{
	struct fixture *f = *st;
	struct sto_job_vec v;

	for (unsigned i = 0; i < 4; i++)
		create(f, 1, i);
	ok(sto_job_finish(f->sto, 1, STO_JOB_DONE, 0, &f->err));
	ok(sto_job_interrupt(f->sto, 2, true, &f->err));
	ok(sto_job_list(f->sto, false, &v, &f->err));
	assert_int_equal(v.len, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(v.items[i].number, i);
	sto_job_vec_free(&v);
	ok(sto_job_list(f->sto, true, &v, &f->err));
	assert_int_equal(v.len, 3);
	assert_int_equal(v.items[0].number, 0);
	assert_int_equal(v.items[1].number, 2);
	assert_int_equal(v.items[2].number, 3);
	sto_job_vec_free(&v);
}

static void the_last_thousand_ended_are_kept(void **st)
{
	struct fixture *f = *st;
	struct sto_job_vec v;
	struct sto_job job;
	uint32_t oldest = create(f, 7, 7), late = create(f, 7, 8), n = 0;

	ok(sto_begin(f->sto, &f->err)); /* one flush for all */
	for (unsigned i = 0; i < STO_JOBS_KEPT + 50; i++) {
		f->now_ms++;
		n = create(f, 1, i);
		ok(sto_job_finish(f->sto, n, STO_JOB_DONE, 0, &f->err));
	}
	ok(sto_commit(f->sto, &f->err));
	/* unended ones are no part of it, and one that ends now is young whatever its number */
	f->now_ms = 5; /* and whatever the clock says */
	ok(sto_job_finish(f->sto, late, STO_JOB_DONE, 0, &f->err));
	assert_int_equal(get(f, late).state, STO_JOB_DONE);
	ok(sto_job_list(f->sto, false, &v, &f->err));
	assert_int_equal(v.len, STO_JOBS_KEPT + 1);
	assert_int_equal(v.items[0].number, oldest);
	assert_int_equal(v.items[2].number, 2 + 51);
	sto_job_vec_free(&v);
	fails(-ENOENT, sto_job_get(f->sto, 2, &job, &f->err));
	assert_int_equal(create(f, 1, 1), n + 1);
}

static void numbers_are_not_reused_when_the_newest_were_forgotten(void **st)
{
	struct fixture *f = *st;
	uint32_t n = create(f, 1, 1);

	ok(db_exec(&f->sto->db, &f->err, "DELETE FROM job"));
	assert_int_equal(create(f, 1, 1), n + 1);
	/* nor when the counter was lost in a rebuild */
	ok(db_exec(&f->sto->db, &f->err, "DELETE FROM prop WHERE key = 'next_job'"));
	assert_int_equal(create(f, 1, 1), n + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(a_job_from_begin_to_end),
		FX_TEST(progress_never_falls_and_ends_at_100_only_when_done),
		FX_TEST(an_ended_job_stays_as_it_is),
		FX_TEST(a_restart_interrupts_and_resume_keeps_the_number),
		FX_TEST(listed_by_number),
		FX_TEST(the_last_thousand_ended_are_kept),
		FX_TEST(numbers_are_not_reused_when_the_newest_were_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
