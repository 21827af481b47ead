/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database layer, and sweeps through it: fail the N-th allocation, then the N-th write or
 * flush, N = 1, 2, …, until the scenario passes. After each failure the call has given an error
 * with a sentence, and the store holds the facts from before or those from after.
 */
#include <stdlib.h>

#include "base/log.h"
#include "fixture.h"

static void quiet(enum log_level level, const char *line, void *ctx)
{
	(void)level;
	(void)line;
	(void)ctx;
}

/* ---- failing memory ----------------------------------------------------------------------- */

static sqlite3_mem_methods real_mem;
static long fail_alloc; /* counts down; the call that reaches 0 fails. 0 = never */

static bool alloc_fails(void)
{
	return fail_alloc && --fail_alloc == 0;
}

/* The store's own allocations, by the linker's --wrap (see meson.build). */
void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
char *__real_realpath(const char *path, char *buf);
char *__wrap_realpath(const char *path, char *buf);
int __wrap_asprintf(char **out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void *no_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

void *__wrap_malloc(size_t n)
{
	return alloc_fails() ? no_memory() : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return alloc_fails() ? no_memory() : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return alloc_fails() ? no_memory() : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
	return alloc_fails() ? no_memory() : __real_strdup(s);
}

char *__wrap_realpath(const char *path, char *buf)
{
	return alloc_fails() ? no_memory() : __real_realpath(path, buf);
}

int __wrap_asprintf(char **out, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (alloc_fails()) {
		no_memory();
		return -1;
	}
	va_start(ap, fmt);
	n = vasprintf(out, fmt, ap);
	va_end(ap);
	return n;
}

static void *mem_malloc(int n)
{
	return alloc_fails() ? NULL : real_mem.xMalloc(n);
}

static void *mem_realloc(void *p, int n)
{
	return alloc_fails() ? NULL : real_mem.xRealloc(p, n);
}

/* ---- failing files: the system's file methods with a count in front ------------------------ */

static sqlite3_vfs sick_vfs;
static sqlite3_io_methods sick_io[4]; /* databases and logs have different ones … */
static const sqlite3_io_methods *real_ios[4];
static const sqlite3_io_methods *real_io; /* … that write and flush in the same way */
static int (*real_open)(sqlite3_vfs *, const char *, sqlite3_file *, int, int *);
static long fail_io; /* as fail_alloc */
static int fail_code;
static bool fail_on; /* once it has failed, it goes on failing */

static bool io_fails(void)
{
	if (fail_io && --fail_io == 0)
		fail_on = true;
	return fail_on;
}

static int sick_write(sqlite3_file *file, const void *buf, int n, sqlite3_int64 at)
{
	return io_fails() ? fail_code : real_io->xWrite(file, buf, n, at);
}

static int sick_sync(sqlite3_file *file, int flags)
{
	return io_fails() ? SQLITE_IOERR_FSYNC : real_io->xSync(file, flags);
}

static int sick_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return io_fails() ? SQLITE_IOERR_TRUNCATE : real_io->xTruncate(file, size);
}

static int sick_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	int code = real_open(vfs, name, file, flags, out);
	size_t i = 0;

	if (code != SQLITE_OK || !file->pMethods)
		return code;
	while (i < ARRAY_SIZE(sick_io) && real_ios[i] && real_ios[i] != file->pMethods)
		i++;
	assert_true(i < ARRAY_SIZE(sick_io));
	if (!real_ios[i]) {
		real_ios[i] = file->pMethods;
		real_io = real_ios[0];
		assert_ptr_equal(real_io->xWrite, real_ios[i]->xWrite);
		assert_ptr_equal(real_io->xSync, real_ios[i]->xSync);
		sick_io[i] = *real_ios[i];
		sick_io[i].xWrite = sick_write;
		sick_io[i].xSync = sick_sync;
		sick_io[i].xTruncate = sick_truncate;
	}
	file->pMethods = &sick_io[i];
	return code;
}

static void instruments_install(void)
{
	sqlite3_mem_methods mem;

	sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_mem);
	mem = real_mem;
	mem.xMalloc = mem_malloc;
	mem.xRealloc = mem_realloc;
	sqlite3_config(SQLITE_CONFIG_MALLOC, &mem);
	sqlite3_initialize();
	sick_vfs = *sqlite3_vfs_find(NULL);
	sick_vfs.zName = "sick";
	real_open = sick_vfs.xOpen;
	sick_vfs.xOpen = sick_open;
	sqlite3_vfs_register(&sick_vfs, 1);
}

static void instruments_rest(void)
{
	fail_alloc = 0;
	fail_io = 0;
	fail_on = false;
}

/* ---- the scenario that is swept ------------------------------------------------------------ */

static void prepare(struct fixture *f)
{
	struct sto_subsystem s = {.id = fx_id(1)};
	struct sto_bay b = {.subsystem = fx_id(1), .path = "d0.img", .drive = fx_id(50)};

	ok(sto_subsystem_add(f->sto, &s, &f->err));
	ok(sto_bay_add(f->sto, &b, &f->err));
	ok(sto_attr_set_u64(f->sto, ID(1), "version", 1, &f->err));
	ok(sto_maint_start(f->sto, ID(1), STO_MAINT_SPIN_UP, &f->err));
}

/* One group with a call of each kind. 0, or the first error; then the group is undone. */
static int change(struct fixture *f)
{
	struct sto_bay b = {.subsystem = fx_id(1), .slot = 1, .path = "d1.img", .drive = fx_id(50)};
	struct sto_fault fault = {fx_id(1), STO_FAULT_GONE, 0, 0};
	struct sto_job job = {.kind = 1, .object = fx_id(1)};
	uint32_t n;
	int rc = sto_begin(f->sto, &f->err);

	if (rc < 0)
		return rc;
	rc = sto_bay_add(f->sto, &b, &f->err);
	if (rc == 0)
		rc = sto_number(f->sto, 1, ID(1), &n, &f->err);
	if (rc == 0)
		rc = sto_fault_add(f->sto, &fault, &f->err);
	if (rc == 0)
		rc = sto_job_create(f->sto, &job, &f->err);
	if (rc == 0)
		rc = sto_maint_start(f->sto, ID(1), STO_MAINT_SPIN_DOWN, &f->err);
	if (rc == 0)
		rc = sto_attr_set_u64(f->sto, ID(1), "version", 2, &f->err);
	if (rc == 0)
		return sto_commit(f->sto, &f->err);
	sto_rollback(f->sto);
	return rc;
}

/* The scenario again, each call on its own. */
static int change_singly(struct fixture *f)
{
	bool idle;
	int rc = sto_maint_start(f->sto, ID(1), STO_MAINT_SPIN_DOWN, &f->err);

	if (rc == 0)
		rc = sto_bay_set_drive(f->sto, ID(1), 0, 0, ID(51), &f->err);
	if (rc == 0)
		rc = sto_maint_stop(f->sto, ID(1), STO_MAINT_SPIN_DOWN, &idle, &f->err);
	return rc;
}

/* Everything as prepared (false), or everything changed (true); never mixed. */
static bool changed(struct fixture *f)
{
	struct sto_maint_state up, down;
	struct sto_bay_vec bays;
	struct sto_fault_vec faults;
	struct sto_job_vec jobs;
	struct sto_numbered_vec numbers;
	struct sto_bay bay;
	uint64_t version;
	bool yes;

	ok(sto_attr_get_u64(f->sto, ID(1), "version", &version, &f->err));
	yes = version == 2;
	ok(sto_bay_list(f->sto, ID(1), &bays, &f->err));
	ok(sto_fault_list(f->sto, NULL, &faults, &f->err));
	ok(sto_job_list(f->sto, false, &jobs, &f->err));
	ok(sto_number_list(f->sto, 1, &numbers, &f->err));
	ok(sto_bay_find(f->sto, ID(50), &bay, &f->err));
	ok(sto_maint_get(f->sto, ID(1), STO_MAINT_SPIN_UP, &up, &f->err));
	ok(sto_maint_get(f->sto, ID(1), STO_MAINT_SPIN_DOWN, &down, &f->err));
	assert_int_equal(bays.len, 1 + yes);
	assert_int_equal(bay.slot, yes);
	assert_int_equal(faults.len, yes);
	assert_int_equal(jobs.len, yes);
	assert_int_equal(numbers.len, yes);
	assert_int_equal(up.mode, yes ? STO_MAINT_IDLE : STO_MAINT_RUNNING);
	assert_int_equal(down.mode, yes ? STO_MAINT_RUNNING : STO_MAINT_IDLE);
	sto_bay_vec_free(&bays);
	sto_fault_vec_free(&faults);
	sto_job_vec_free(&jobs);
	sto_numbered_vec_free(&numbers);
	return yes;
}

static void expect_sentence(struct fixture *f, int rc)
{
	assert_int_equal(f->err.code, rc);
	assert_int_equal(f->err.text[strlen(f->err.text) - 1], '.');
}

static void failing_allocations_while_changing(void **st)
{
	struct fixture *f = *st;
	long n;
	int rc = -1;

	prepare(f);
	for (n = 1; rc < 0 && n < 5000; n++) {
		fx_reopen(f); /* statements are to be prepared anew */
		err_clear(&f->err);
		fail_alloc = n;
		rc = change(f);
		instruments_rest();
		if (rc < 0) {
			assert_int_equal(rc, -ENOMEM);
			expect_sentence(f, rc);
		}
		assert_int_equal(changed(f), rc == 0);
	}
	assert_int_equal(rc, 0);
	assert_true(n > 20); /* the sweep did meet something */
}

static void failing_allocations_while_opening(void **st)
{
	struct fixture *f = *st;
	long n;
	int rc = -1;

	prepare(f);
	sto_close(f->sto);
	f->sto = NULL;
	for (n = 1; rc < 0 && n < 5000; n++) {
		err_clear(&f->err);
		fail_alloc = n;
		rc = sto_open(f->dir, 0, &f->clock, &f->sto, &f->err);
		instruments_rest();
		if (rc < 0) {
			assert_null(f->sto);
			expect_sentence(f, rc);
			assert_int_equal(rc, -ENOMEM); /* above all it isn't called damaged */
		}
	}
	assert_int_equal(rc, 0);
	assert_true(n > 20);
	assert_false(changed(f));
}

/* Reads everything there is. 0, or the first error; then that list is empty. */
static int read_all(struct fixture *f)
{
	struct sto_subsystem_vec subsystems;
	struct sto_bay_vec bays;
	struct sto_fault_vec faults;
	struct sto_job_vec jobs;
	struct sto_numbered_vec numbers;
	struct sto_guid_vec objects;
	struct sto_key_vec keys;
	struct sto_provider_vec providers;
	struct sto_maint_event_vec events;
	void *bytes;
	int rc;

#define READ(vec, call)                                                                            \
	do {                                                                                       \
		rc = call;                                                                         \
		assert_true(rc == 0 ? vec.len > 0 : !vec.items && !vec.len);                       \
		if (rc < 0)                                                                        \
			return rc;                                                                 \
		free(vec.items);                                                                   \
	} while (0)
	READ(subsystems, sto_subsystem_list(f->sto, &subsystems, &f->err));
	READ(bays, sto_bay_list(f->sto, ID(1), &bays, &f->err));
	READ(faults, sto_fault_list(f->sto, NULL, &faults, &f->err));
	READ(jobs, sto_job_list(f->sto, false, &jobs, &f->err));
	READ(numbers, sto_number_list(f->sto, 1, &numbers, &f->err));
	READ(objects, sto_attr_objects(f->sto, "version", &objects, &f->err));
	READ(keys, sto_attr_keys(f->sto, ID(1), &keys, &f->err));
	READ(providers, sto_provider_list(f->sto, &providers, &f->err));
	READ(events, sto_maint_log(f->sto, ID(1), 0, 100, &events, &f->err));
#undef READ
	rc = sto_attr_get(f->sto, ID(1), "version", &bytes, NULL, &f->err);
	assert_int_equal(rc == 0, bytes != NULL);
	free(bytes);
	return rc;
}

static void failing_allocations_while_reading(void **st)
{
	struct fixture *f = *st;
	struct sto_provider p = {.id = fx_id(1), .name = "p"};
	long n;
	int rc = -1;

	prepare(f);
	ok(sto_provider_add(f->sto, &p, &f->err));
	assert_int_equal(change(f), 0);
	for (n = 1; rc < 0 && n < 5000; n++) {
		fx_reopen(f);
		err_clear(&f->err);
		fail_alloc = n;
		rc = read_all(f);
		instruments_rest();
		if (rc < 0) {
			assert_int_equal(rc, -ENOMEM);
			expect_sentence(f, rc);
		}
	}
	assert_int_equal(rc, 0);
	assert_true(n > 20);
}

/* Fails the N-th allocation or write of making a store: afterwards there is none, or a whole one.
 */
static void sweep_creation(struct fixture *f, long *counter)
{
	long n;
	int rc = -1;

	fail_code = SQLITE_IOERR_WRITE;
	for (n = 1; rc < 0 && n < 5000; n++) {
		err_clear(&f->err);
		*counter = n;
		rc = sto_open(f->dir, STO_OPEN_CREATE, &f->clock, &f->sto, &f->err);
		instruments_rest();
		if (rc == 0)
			break;
		expect_sentence(f, rc);
		assert_int_equal(rc, counter == &fail_alloc ? -ENOMEM : -EIO);
		rc = sto_open(f->dir, 0, &f->clock, &f->sto, &f->err);
		assert_true(rc == 0 || rc == -ENOENT);
		sto_close(f->sto);
		f->sto = NULL;
		unlink(fx_path(f, "store.db"));
		rc = -1;
	}
	assert_int_equal(rc, 0);
	assert_true(n > 5);
	fx_reopen(f);
}

static void failing_allocations_while_creating(void **st)
{
	sweep_creation(*st, &fail_alloc);
}

static void failing_writes_while_creating(void **st)
{
	sweep_creation(*st, &fail_io);
}

/* The same while a database is rebuilt: afterwards it is as damaged as before, or rebuilt with all
 * that could be read. */
static void sweep_rebuild(struct fixture *f, long *counter)
{
	char command[400];
	int64_t root;
	long n;
	int rc = -1;

	prepare(f);
	ok(db_get_int(&f->sto->db, &f->err, &root,
		"SELECT rootpage FROM sqlite_schema WHERE name = 'attr_key'"));
	sto_close(f->sto);
	f->sto = NULL;
	snprintf(command, sizeof(command),
		"cd %s && dd if=/dev/zero of=store.db bs=4096 count=1 seek=%d conv=notrunc "
		"2>/dev/null && "
		"cp store.db damaged",
		f->dir, (int)root - 1);
	assert_int_equal(system(command), 0);
	fail_code = SQLITE_FULL;
	for (n = 1; rc < 0 && n < 5000; n++) {
		err_clear(&f->err);
		*counter = n;
		rc = sto_open(f->dir, STO_OPEN_REBUILD, &f->clock, &f->sto, &f->err);
		instruments_rest();
		if (rc < 0) {
			expect_sentence(f, rc);
			assert_int_not_equal(rc, -EUCLEAN);
			rc = sto_open(f->dir, 0, &f->clock, &f->sto, &f->err);
			assert_true(rc == 0 || rc == -EUCLEAN);
			if (rc == 0) /* it had got as far as that */
				assert_false(changed(f));
			sto_close(f->sto);
			f->sto = NULL;
			snprintf(command, sizeof(command), "cd %s && cp damaged store.db", f->dir);
			assert_int_equal(system(command), 0);
			rc = -1;
		}
	}
	assert_int_equal(rc, 0);
	assert_true(n > 5);
	assert_true(sto_rebuilt(f->sto));
	assert_false(changed(f));
}

static void failing_allocations_while_rebuilding(void **st)
{
	sweep_rebuild(*st, &fail_alloc);
}

static void full_file_system_while_rebuilding(void **st)
{
	sweep_rebuild(*st, &fail_io);
}

static void sweep_io(struct fixture *f, int code, int want)
{
	long n;
	int rc = -1;

	prepare(f);
	for (n = 1; rc < 0 && n < 5000; n++) {
		fx_reopen(f);
		err_clear(&f->err);
		fail_code = code;
		fail_io = n;
		rc = change(f);
		instruments_rest();
		if (rc < 0) {
			assert_true(rc == want || rc == -EIO || rc == -ECANCELED);
			expect_sentence(f, rc);
			/* as told, in this process and in the next */
			assert_false(changed(f));
		}
		sto_close(f->sto);
		f->sto = NULL;
		fx_open(f, 0);
		assert_int_equal(changed(f), rc == 0);
	}
	assert_int_equal(rc, 0);
	assert_true(n > 3);
}

static void failing_writes(void **st)
{
	sweep_io(*st, SQLITE_IOERR_WRITE, -EIO);
}

static void full_file_system(void **st)
{
	sweep_io(*st, SQLITE_FULL, -ENOSPC);
}

static void full_file_system_has_its_sentence(void **st)
{
	struct fixture *f = *st;

	prepare(f);
	fail_code = SQLITE_FULL;
	fail_io = 1;
	fails(-ENOSPC, change_singly(f));
	instruments_rest();
	assert_non_null(strstr(f->err.text, "is full"));
	assert_false(changed(f));
	ok(change_singly(f)); /* room again: it goes on */
}

/* No hook in the file system: the database itself may not grow. */
static void full_database(void **st)
{
	struct fixture *f = *st;
	char text[2000];
	unsigned i;
	int rc = 0;

	prepare(f);
	memset(text, 't', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ok(db_script(&f->sto->db, "PRAGMA max_page_count = 60", &f->err));
	for (i = 0; rc == 0 && i < 1000; i++)
		rc = sto_attr_set_text(f->sto, ID(1000 + i), "k", text, &f->err);
	assert_int_equal(rc, -ENOSPC);
	expect_sentence(f, rc);
	fails(-ENOENT, sto_attr_get_u64(f->sto, ID(1000 + i - 1), "k", &(uint64_t){0}, &f->err));
	assert_false(changed(f));
	/* removing makes room */
	for (unsigned k = 0; k < 10; k++)
		ok(sto_attr_set_text(f->sto, ID(1000 + k), "k", NULL, &f->err));
	assert_int_equal(change(f), 0);
	assert_true(changed(f));
}

/* ---- the layer itself ---------------------------------------------------------------------- */

static void a_lost_group_keeps_nothing_of_what_follows(void **st)
{
	struct fixture *f = *st;

	prepare(f);
	ok(sto_begin(f->sto, &f->err));
	ok(sto_attr_set_u64(f->sto, ID(1), "version", 2, &f->err));
	/* what SQLite does by itself on some errors */
	ok(db_script(&f->sto->db, "ROLLBACK", &f->err));
	fails(-ECANCELED, sto_attr_set_u64(f->sto, ID(1), "version", 3, &f->err));
	fails(-ECANCELED, sto_begin(f->sto, &f->err));
	fails(-ECANCELED, sto_commit(f->sto, &f->err));
	assert_false(changed(f));
	ok(sto_attr_set_u64(f->sto, ID(1), "version", 1, &f->err));
}

static void result_codes_have_their_errno(void **st)
{
	static const struct {
		int code, want;
	} rows[] = {
		{SQLITE_NOMEM, -ENOMEM},
		{SQLITE_IOERR_NOMEM, -ENOMEM},
		{SQLITE_FULL, -ENOSPC},
		{SQLITE_CORRUPT, -EUCLEAN},
		{SQLITE_CORRUPT_INDEX, -EUCLEAN},
		{SQLITE_NOTADB, -EUCLEAN},
		{SQLITE_BUSY, -EBUSY},
		{SQLITE_LOCKED, -EBUSY},
		{SQLITE_READONLY, -EROFS},
		{SQLITE_READONLY_DIRECTORY, -EROFS},
		{SQLITE_TOOBIG, -EFBIG},
		{SQLITE_CONSTRAINT_UNIQUE, -EEXIST},
		{SQLITE_CONSTRAINT_PRIMARYKEY, -EEXIST},
		{SQLITE_CONSTRAINT_CHECK, -EINVAL},
		{SQLITE_CONSTRAINT_FOREIGNKEY, -ENOENT},
		{SQLITE_ERROR, -EIO},
	};
	struct db db = {.where = "x"};

	(void)st;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(db_errno(&db, rows[i].code), rows[i].want);
}

static void open_in_another_program(void **st)
{
	struct fixture *f = *st;
	sqlite3 *other;

	sto_close(f->sto);
	f->sto = NULL;
	assert_int_equal(sqlite3_open(fx_path(f, "store.db"), &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	fails(-EBUSY, sto_open(f->dir, STO_OPEN_REBUILD, &f->clock, &f->sto, &f->err));
	assert_non_null(strstr(f->err.text, "another program"));
	sqlite3_close(other);
	fx_open(f, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(failing_allocations_while_changing),
		FX_TEST(failing_allocations_while_opening),
		FX_TEST(failing_allocations_while_reading),
		FX_TEST_EMPTY(failing_allocations_while_creating),
		FX_TEST_EMPTY(failing_writes_while_creating),
		FX_TEST(failing_allocations_while_rebuilding),
		FX_TEST(full_file_system_while_rebuilding),
		FX_TEST(failing_writes),
		FX_TEST(full_file_system),
		FX_TEST(full_file_system_has_its_sentence),
		FX_TEST(full_database),
		FX_TEST(a_lost_group_keeps_nothing_of_what_follows),
		FX_TEST(result_codes_have_their_errno),
		FX_TEST(open_in_another_program),
	};

	instruments_install();
	log_set_sink(quiet, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
