/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, locking, groups of changes, and what a killed process leaves behind. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/rng.h"
#include "fixture.h"

static mode_t mode_of(struct fixture *f, const char *name)
{
	struct stat s;

	assert_int_equal(lstat(name[0] ? fx_path(f, name) : f->dir, &s), 0);
	return s.st_mode & 0777;
}

static int open_fails(struct fixture *f, const char *dir, unsigned flags)
{
	struct sto *sto = (struct sto *)f;
	int rc;

	err_clear(&f->err);
	rc = sto_open(dir, flags, &f->clock, &sto, &f->err);
	assert_null(sto);
	assert_int_equal(f->err.code, rc);
	return rc;
}

/* ---- open and close ----------------------------------------------------------------------- */

static void without_create_a_folder_that_is_no_store_is_left_alone(void **st)
{
	struct fixture *f = *st;

	assert_int_equal(open_fails(f, f->dir, 0), -ENOENT);
	assert_non_null(strstr(f->err.text, "holds no store"));
	assert_int_equal(open_fails(f, f->dir, STO_OPEN_REBUILD), -ENOENT);
	assert_int_equal(rmdir(f->dir), 0); /* nothing was put in */
	assert_int_equal(open_fails(f, f->dir, 0), -ENOENT);
	assert_non_null(strstr(f->err.text, f->dir));
	assert_int_equal(access(f->dir, F_OK), -1);
}

static void create_makes_a_private_folder(void **st)
{
	struct fixture *f = *st;
	struct guid id;

	assert_int_equal(rmdir(f->dir), 0);
	umask(0);
	fx_open(f, STO_OPEN_CREATE);
	assert_int_equal(mode_of(f, ""), 0700);
	assert_int_equal(mode_of(f, "store.db"), 0600);
	assert_int_equal(mode_of(f, "lock"), 0600);
	assert_string_equal(sto_dir(f->sto), f->dir);
	assert_false(sto_rebuilt(f->sto));
	id = sto_id(f->sto);
	assert_false(guid_is_zero(&id));
	sto_close(f->sto);
	fx_open(f, STO_OPEN_CREATE); /* there is one: it is opened */
	assert_memory_equal(&id, &(struct guid[]){sto_id(f->sto)}[0], sizeof(id));
	sto_close(f->sto);
	fx_open(f, 0);
	assert_memory_equal(&id, &(struct guid[]){sto_id(f->sto)}[0], sizeof(id));
	assert_false(sto_faults_allowed(f->sto));
}

static void two_stores_have_two_identities(void **st)
{
	struct fixture *f = *st;
	struct sto *other;
	char dir[128];
	struct guid a, b;

	fx_open(f, STO_OPEN_CREATE);
	snprintf(dir, sizeof(dir), "%s/sub", f->dir);
	ok(sto_open(dir, STO_OPEN_CREATE, &f->clock, &other, &f->err));
	a = sto_id(f->sto);
	b = sto_id(other);
	assert_false(guid_equal(&a, &b));
	sto_close(other);
}

static void creation_is_not_confused_by_one_that_was_cut_off(void **st)
{
	struct fixture *f = *st;
	FILE *file = fopen(fx_path(f, "store.db.new"), "w");

	fputs("half a database", file);
	fclose(file);
	file = fopen(fx_path(f, "store.db.new-journal"), "w");
	fputs("and its journal", file);
	fclose(file);
	assert_int_equal(open_fails(f, f->dir, 0), -ENOENT);
	fx_open(f, STO_OPEN_CREATE);
	fx_reopen(f);
	assert_int_equal(access(fx_path(f, "store.db.new"), F_OK), -1);
}

static void wrong_places(void **st)
{
	struct fixture *f = *st;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/file", f->dir);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(open_fails(f, path, STO_OPEN_CREATE), -ENOTDIR);
	assert_int_equal(open_fails(f, path, 0), -ENOTDIR);
	snprintf(path, sizeof(path), "%s/no/such", f->dir);
	assert_int_equal(open_fails(f, path, STO_OPEN_CREATE), -ENOENT);
	assert_int_equal(open_fails(f, "", STO_OPEN_CREATE), -ENOENT);
	snprintf(path, sizeof(path), "%s/loop", f->dir);
	assert_int_equal(symlink(path, path), 0);
	assert_int_equal(open_fails(f, path, 0), -ELOOP);
}

static void close_of_nothing(void **st)
{
	(void)st;
	sto_close(NULL);
}

/* ---- the lock ----------------------------------------------------------------------------- */

static void a_second_opener_in_this_process_is_refused(void **st)
{
	struct fixture *f = *st;
	char want[200];

	fx_open(f, STO_OPEN_CREATE);
	snprintf(want, sizeof(want), "The store %s is in use by process %ld.", f->dir,
		(long)getpid());
	assert_int_equal(open_fails(f, f->dir, STO_OPEN_CREATE | STO_OPEN_REBUILD), -EBUSY);
	assert_string_equal(f->err.text, want);
	ok(sto_allow_faults(f->sto, &f->err)); /* the first is none the worse */
	fx_reopen(f);
}

struct child {
	pid_t pid;
	int to, from; /* pipes: a byte each way */
};

static struct child child_start(void (*run)(struct fixture *f, int in, int out), struct fixture *f)
{
	int down[2], up[2];
	struct child c;

	assert_int_equal(pipe(down) | pipe(up), 0);
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (!c.pid) {
		close(down[1]);
		close(up[0]);
		run(f, down[0], up[1]);
		_exit(0);
	}
	close(down[0]);
	close(up[1]);
	c.to = down[1];
	c.from = up[0];
	return c;
}

static void child_end(struct child *c)
{
	close(c->to);
	close(c->from);
	waitpid(c->pid, NULL, 0);
}

static void hold_open(struct fixture *f, int in, int out)
{
	char byte = 'x';

	if (sto_open(f->dir, STO_OPEN_CREATE, &f->clock, &f->sto, NULL) < 0)
		_exit(1);
	if (write(out, &byte, 1) == 1 && read(in, &byte, 1) >= 0)
		sto_close(f->sto);
}

static void another_process_is_refused_by_name_until_the_holder_closes(void **st)
{
	struct fixture *f = *st;
	struct child c = child_start(hold_open, f);
	char byte, want[200];

	assert_int_equal(read(c.from, &byte, 1), 1);
	snprintf(want, sizeof(want), "The store %s is in use by process %ld.", f->dir, (long)c.pid);
	assert_int_equal(open_fails(f, f->dir, 0), -EBUSY);
	assert_string_equal(f->err.text, want);
	child_end(&c); /* its pipe ends, it closes */
	fx_open(f, 0);
}

static void a_killed_holder_holds_nothing(void **st)
{
	struct fixture *f = *st;
	struct child c = child_start(hold_open, f);
	char byte;

	assert_int_equal(read(c.from, &byte, 1), 1);
	kill(c.pid, SIGKILL);
	child_end(&c);
	fx_open(f, 0);
}

static void a_lock_without_a_pid_is_still_a_lock(void **st)
{
	struct fixture *f = *st;

	fx_open(f, STO_OPEN_CREATE);
	assert_int_equal(truncate(fx_path(f, "lock"), 0), 0);
	assert_int_equal(open_fails(f, f->dir, 0), -EBUSY);
	assert_non_null(strstr(f->err.text, "in use by another process."));
}

static void a_lock_that_is_a_link_is_not_followed(void **st)
{
	struct fixture *f = *st;

	fx_open(f, STO_OPEN_CREATE);
	sto_close(f->sto);
	f->sto = NULL;
	unlink(fx_path(f, "lock"));
	assert_int_equal(symlink("elsewhere", fx_path(f, "lock")), 0);
	assert_int_equal(open_fails(f, f->dir, 0), -ELOOP);
	assert_int_equal(access(fx_path(f, "elsewhere"), F_OK), -1);
}

/* ---- groups of changes -------------------------------------------------------------------- */

static uint64_t value(struct fixture *f, const char *key)
{
	uint64_t v = 0;
	int rc = sto_attr_get_u64(f->sto, ID(1), key, &v, &f->err);

	if (rc != -ENOENT)
		fx_ok(f, rc, __FILE__, __LINE__);
	return v;
}

static void set(struct fixture *f, const char *key, uint64_t v)
{
	ok(sto_attr_set_u64(f->sto, ID(1), key, v, &f->err));
}

static void a_group_is_kept_or_undone_as_a_whole(void **st)
{
	struct fixture *f = *st;

	ok(sto_begin(f->sto, &f->err));
	set(f, "a", 1);
	set(f, "b", 1);
	ok(sto_commit(f->sto, &f->err));
	ok(sto_begin(f->sto, &f->err));
	set(f, "a", 2);
	set(f, "c", 2);
	assert_int_equal(value(f, "a"), 2);
	sto_rollback(f->sto);
	fx_reopen(f);
	assert_int_equal(value(f, "a"), 1);
	assert_int_equal(value(f, "b"), 1);
	assert_int_equal(value(f, "c"), 0);
}

static void groups_nest(void **st)
{
	struct fixture *f = *st;

	ok(sto_begin(f->sto, &f->err));
	set(f, "a", 1);
	ok(sto_begin(f->sto, &f->err));
	set(f, "a", 2);
	set(f, "b", 2);
	sto_rollback(f->sto);
	assert_int_equal(value(f, "a"), 1);
	ok(sto_begin(f->sto, &f->err));
	set(f, "c", 3);
	ok(sto_commit(f->sto, &f->err));
	ok(sto_commit(f->sto, &f->err));
	fx_reopen(f);
	assert_int_equal(value(f, "a"), 1);
	assert_int_equal(value(f, "b"), 0);
	assert_int_equal(value(f, "c"), 3);
	ok(sto_begin(f->sto, &f->err));
	ok(sto_begin(f->sto, &f->err));
	set(f, "c", 4);
	ok(sto_commit(f->sto, &f->err));
	sto_rollback(f->sto);
	assert_int_equal(value(f, "c"), 3);
}

static void a_refused_call_does_not_spoil_the_group(void **st)
{
	struct fixture *f = *st;

	ok(sto_begin(f->sto, &f->err));
	set(f, "a", 1);
	fails(-ENOENT, sto_setting_set(f->sto, "nonsense", 1, &f->err));
	fails(-ENOENT, sto_bay_set_drive(f->sto, ID(1), 0, 0, ID(2), &f->err));
	fails(-EEXIST, db_exec(&f->sto->db, &f->err, "INSERT INTO prop VALUES ('id', 1)"));
	set(f, "b", 1);
	ok(sto_commit(f->sto, &f->err));
	fx_reopen(f);
	assert_int_equal(value(f, "a"), 1);
	assert_int_equal(value(f, "b"), 1);
}

static void close_undoes_an_open_group(void **st)
{
	struct fixture *f = *st;

	ok(sto_begin(f->sto, &f->err));
	set(f, "a", 1);
	ok(sto_begin(f->sto, &f->err));
	fx_reopen(f);
	assert_int_equal(value(f, "a"), 0);
}

/* ---- threads ------------------------------------------------------------------------------ */

#define THREADS 4
#define ROUNDS  25

/* Adds one to two counters in a group, and issues a number, over and over. */
static void *counting(void *arg)
{
	struct fixture *f = arg;
	struct rng rng;
	struct guid id;
	uint32_t number;
	uint64_t v;

	rng_seed_system(&rng);
	for (unsigned i = 0; i < ROUNDS; i++) {
		guid_random(&rng, &id);
		if (sto_begin(f->sto, NULL) < 0)
			return f;
		for (const char *key = "a"; key; key = *key == 'a' ? "b" : NULL) {
			v = 0;
			(void)sto_attr_get_u64(f->sto, ID(1), key, &v, NULL); /* 0 at first */
			if (sto_attr_set_u64(f->sto, ID(1), key, v + 1, NULL) < 0)
				return f;
		}
		if (sto_commit(f->sto, NULL) < 0)
			return f;
		if (sto_number(f->sto, 1, &id, &number, NULL) < 0)
			return f;
	}
	return NULL;
}

static void threads_do_not_mix_their_groups(void **st)
{
	struct fixture *f = *st;
	pthread_t threads[THREADS];
	struct sto_numbered_vec v;
	void *failed;

	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, counting, f), 0);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(value(f, "a"), THREADS * ROUNDS);
	assert_int_equal(value(f, "b"), THREADS * ROUNDS);
	ok(sto_number_list(f->sto, 1, &v, &f->err));
	assert_int_equal(v.len, THREADS * ROUNDS);
	for (size_t i = 0; i < v.len; i++)
		assert_int_equal(v.items[i].number, i);
	sto_numbered_vec_free(&v);
}

/* ---- a killed process --------------------------------------------------------------------- */

/* Round after round: all facts of a round are written in one group, and told upwards after it. */
static void write_rounds(struct fixture *f, int in, int out)
{
	static const char *const keys[] = {"a", "b", "c"};
	uint64_t round = 0;

	(void)in;
	if (sto_open(f->dir, STO_OPEN_CREATE, &f->clock, &f->sto, NULL) < 0)
		_exit(1);
	(void)sto_attr_get_u64(f->sto, ID(1), "a", &round, NULL);
	for (;;) {
		struct sto_subsystem s = {.id = fx_id((unsigned)++round)};
		struct sto_job job = {.kind = 1, .object = s.id};
		int rc = sto_begin(f->sto, NULL);

		for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(keys); i++)
			rc = sto_attr_set_u64(f->sto, ID(1), keys[i], round, NULL);
		if (rc == 0)
			rc = sto_subsystem_add(f->sto, &s, NULL);
		if (rc == 0)
			rc = sto_job_create(f->sto, &job, NULL);
		if (rc < 0 || sto_commit(f->sto, NULL) < 0 ||
			write(out, &round, sizeof(round)) != sizeof(round))
			_exit(1);
	}
}

static void a_killed_process_leaves_each_round_old_or_new(void **st)
{
	struct fixture *f = *st;
	struct rng rng;

	rng_seed(&rng, 7);
	for (unsigned kills = 0; kills < 25; kills++) {
		struct child c = child_start(write_rounds, f);
		uint64_t told = 0, got, spins = rng_below(&rng, 3000000);
		struct sto_subsystem_vec v;
		struct sto_job_vec jobs;

		/* a few rounds, then somewhere inside one */
		for (uint64_t n = rng_below(&rng, 4) + 1; n; n--)
			assert_int_equal(read(c.from, &told, sizeof(told)), sizeof(told));
		for (volatile uint64_t i = 0; i < spins; i++)
			;
		kill(c.pid, SIGKILL);
		while (read(c.from, &got, sizeof(got)) == (ssize_t)sizeof(got))
			told = got;
		child_end(&c);
		fx_open(f, 0);
		got = value(f, "a");
		assert_true(got == told || got == told + 1); /* what was told is there */
		assert_int_equal(value(f, "b"), got);
		assert_int_equal(value(f, "c"), got);
		ok(sto_subsystem_list(f->sto, &v, &f->err));
		assert_int_equal(v.len, got);
		sto_subsystem_vec_free(&v);
		ok(sto_job_list(f->sto, false, &jobs, &f->err));
		assert_int_equal(jobs.len, got);
		for (size_t i = 0; i < jobs.len; i++)
			assert_int_equal(jobs.items[i].state, STO_JOB_INTERRUPTED);
		sto_job_vec_free(&jobs);
		sto_close(f->sto);
		f->sto = NULL;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST_EMPTY(without_create_a_folder_that_is_no_store_is_left_alone),
		FX_TEST_EMPTY(create_makes_a_private_folder),
		FX_TEST_EMPTY(two_stores_have_two_identities),
		FX_TEST_EMPTY(creation_is_not_confused_by_one_that_was_cut_off),
		FX_TEST_EMPTY(wrong_places),
		FX_TEST_EMPTY(close_of_nothing),
		FX_TEST_EMPTY(a_second_opener_in_this_process_is_refused),
		FX_TEST_EMPTY(another_process_is_refused_by_name_until_the_holder_closes),
		FX_TEST_EMPTY(a_killed_holder_holds_nothing),
		FX_TEST_EMPTY(a_lock_without_a_pid_is_still_a_lock),
		FX_TEST_EMPTY(a_lock_that_is_a_link_is_not_followed),
		FX_TEST(a_group_is_kept_or_undone_as_a_whole),
		FX_TEST(groups_nest),
		FX_TEST(a_refused_call_does_not_spoil_the_group),
		FX_TEST(close_undoes_an_open_group),
		FX_TEST(threads_do_not_mix_their_groups),
		FX_TEST_EMPTY(a_killed_process_leaves_each_round_old_or_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
