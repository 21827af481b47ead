/* SPDX-License-Identifier: Apache-2.0 */
/* Damaged databases: noticed, refused with what to do, set aside on request. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/rng.h"
#include "fixture.h"

static void quiet(enum log_level level, const char *line, void *ctx)
{
	(void)level;
	(void)line;
	(void)ctx;
}

static void fill(struct fixture *f)
{
	struct sto_subsystem s = {.id = fx_id(1), .name = "sub"};
	struct sto_job job = {.kind = 1, .object = fx_id(1)};
	uint32_t n;

	ok(sto_begin(f->sto, &f->err));
	ok(sto_subsystem_add(f->sto, &s, &f->err));
	for (unsigned i = 0; i < 100; i++) {
		struct sto_bay b = {.subsystem = fx_id(1), .slot = (int16_t)i};

		snprintf(b.path, sizeof(b.path), "d%u.img", i);
		ok(sto_bay_add(f->sto, &b, &f->err));
		ok(sto_number(f->sto, 1, ID(i), &n, &f->err));
		ok(sto_attr_set_text(f->sto, ID(i), "k", b.path, &f->err));
		ok(sto_maint_start(f->sto, ID(i), STO_MAINT_BLINK, &f->err));
		ok(sto_job_create(f->sto, &job, &f->err));
	}
	ok(sto_setting_set(f->sto, "autorecover", 0, &f->err));
	ok(sto_commit(f->sto, &f->err));
}

static void close_store(struct fixture *f)
{
	sto_close(f->sto);
	f->sto = NULL;
}

static off_t size_of(struct fixture *f)
{
	struct stat s;

	assert_int_equal(stat(fx_path(f, "store.db"), &s), 0);
	return s.st_size;
}

static void overwrite(struct fixture *f, off_t at, size_t len, int byte)
{
	int fd = open(fx_path(f, "store.db"), O_WRONLY | O_CLOEXEC);
	cleanup_free char *buf = malloc(len);

	memset(buf, byte, len);
	assert_int_equal(pwrite(fd, buf, len, at), len);
	close(fd);
}

static void refused_then_rebuilt(struct fixture *f)
{
	fails(-EUCLEAN, sto_open(f->dir, STO_OPEN_CREATE, &f->clock, &f->sto, &f->err));
	assert_non_null(strstr(f->err.text, "rebuild"));
	assert_null(f->sto);
	ok(sto_open(f->dir, STO_OPEN_REBUILD, &f->clock, &f->sto, &f->err));
	assert_true(sto_rebuilt(f->sto));
	assert_int_equal(access(fx_path(f, "store.db.damaged-1"), F_OK), 0);
	fx_reopen(f);
	assert_false(sto_rebuilt(f->sto));
}

static void not_a_database(void **st)
{
	struct fixture *f = *st;
	struct sto_subsystem_vec v;

	fill(f);
	close_store(f);
	overwrite(f, 0, 4096, 'x');
	refused_then_rebuilt(f);
	ok(sto_subsystem_list(f->sto, &v, &f->err));
	assert_int_equal(v.len, 0);
	assert_false(sto_faults_allowed(f->sto));
	ok(sto_allow_faults(f->sto, &f->err));
	fill(f); /* fully usable */
}

static void empty_file(void **st)
{
	struct fixture *f = *st;

	close_store(f);
	assert_int_equal(truncate(fx_path(f, "store.db"), 0), 0);
	refused_then_rebuilt(f);
}

static void cut_short(void **st)
{
	struct fixture *f = *st;

	fill(f);
	close_store(f);
	assert_int_equal(truncate(fx_path(f, "store.db"), size_of(f) / 2), 0);
	refused_then_rebuilt(f);
}

static void somebody_elses_database(void **st)
{
	struct fixture *f = *st;

	ok(db_script(&f->sto->db, "PRAGMA application_id = 1", &f->err));
	close_store(f);
	refused_then_rebuilt(f);
}

static void lost_identity(void **st)
{
	struct fixture *f = *st;
	struct guid id;

	ok(db_exec(&f->sto->db, &f->err, "UPDATE prop SET value = 'gone' WHERE key = 'id'"));
	close_store(f);
	refused_then_rebuilt(f);
	id = sto_id(f->sto);
	assert_false(guid_is_zero(&id)); /* a new one */
}

static void aside_names_do_not_clash(void **st)
{
	struct fixture *f = *st;

	for (unsigned i = 1; i <= 3; i++) {
		char name[32];

		close_store(f);
		overwrite(f, 0, 4096, 'x');
		snprintf(name, sizeof(name), "store.db.damaged-%u", i);
		fx_open(f, STO_OPEN_REBUILD);
		assert_int_equal(access(fx_path(f, name), F_OK), 0);
	}
}

static void a_sound_store_is_not_rebuilt(void **st)
{
	struct fixture *f = *st;
	struct guid id = sto_id(f->sto);

	close_store(f);
	fx_open(f, STO_OPEN_REBUILD);
	assert_false(sto_rebuilt(f->sto));
	assert_memory_equal(&id, &(struct guid[]){sto_id(f->sto)}[0], sizeof(id));
	assert_int_equal(access(fx_path(f, "store.db.damaged-1"), F_OK), -1);
}

/* An index that disagrees with its table is damage by which no record is lost. */
static void what_can_be_read_is_taken_over(void **st)
{
	struct fixture *f = *st;
	struct guid id = sto_id(f->sto);
	struct sto_bay_vec bays;
	struct sto_job job = {.kind = 1};
	struct sto_maint_state s;
	uint64_t setting;
	uint32_t n;
	int64_t root;

	fill(f);
	ok(db_get_int(&f->sto->db, &f->err, &root,
		"SELECT rootpage FROM sqlite_schema WHERE name = 'attr_key'"));
	close_store(f);
	overwrite(f, (root - 1) * 4096, 4096, 0);
	refused_then_rebuilt(f);
	assert_memory_equal(&id, &(struct guid[]){sto_id(f->sto)}[0], sizeof(id));
	assert_true(sto_faults_allowed(f->sto));
	ok(sto_bay_list(f->sto, ID(1), &bays, &f->err));
	assert_int_equal(bays.len, 100);
	assert_string_equal(bays.items[99].path, fx_path(f, "d99.img"));
	sto_bay_vec_free(&bays);
	ok(sto_number(f->sto, 1, ID(5), &n, &f->err));
	assert_int_equal(n, 5);
	ok(sto_number(f->sto, 1, ID(500), &n, &f->err));
	assert_int_equal(n, 100);
	ok(sto_job_create(f->sto, &job, &f->err));
	assert_int_equal(job.number, 100);
	ok(sto_setting_get(f->sto, "autorecover", &setting, &f->err));
	assert_int_equal(setting, 0);
	ok(sto_maint_get(f->sto, ID(7), STO_MAINT_BLINK, &s, &f->err));
	assert_int_equal(s.mode, STO_MAINT_RUNNING);
}

/* A table page in the middle: rows before and after it come over. */
static void tables_are_read_from_both_ends(void **st)
{
	struct fixture *f = *st;
	struct guid first, last;
	int64_t page;

	ok(sto_begin(f->sto, &f->err));
	for (unsigned i = 0; i < 3000; i++)
		ok(sto_attr_set_text(f->sto, ID(i), "k", "some text to fill pages with", &f->err));
	ok(sto_commit(f->sto, &f->err));
	/* a leaf of the table from about the middle of the file */
	close_store(f);
	page = size_of(f) / 4096 / 2;
	for (unsigned tried = 0;; tried++, page++) {
		unsigned char type = 0;
		int fd = open(fx_path(f, "store.db"), O_RDONLY | O_CLOEXEC);

		assert_int_equal(pread(fd, &type, 1, page * 4096), 1);
		close(fd);
		if (type == 0x0d)
			break;
		assert_true(tried < 1000);
	}
	overwrite(f, page * 4096, 4096, 0xff);
	refused_then_rebuilt(f);
	{
		struct sto_guid_vec v;

		ok(sto_attr_objects(f->sto, "k", &v, &f->err));
		assert_in_range(v.len, 2800, 2999);
		first = v.items[0];
		last = v.items[v.len - 1];
		sto_guid_vec_free(&v);
	}
	/* inserted in two passes, so the last in order is the one next to the damage */
	assert_memory_equal(&first, ID(0), 16);
	assert_false(guid_is_zero(&last));
	{
		char *text;

		ok(sto_attr_get_text(f->sto, ID(2999), "k", &text, &f->err));
		free(text);
	}
}

static char *read_all(struct fixture *f, off_t *size)
{
	int fd = open(fx_path(f, "store.db"), O_RDONLY | O_CLOEXEC);
	char *bytes;

	*size = size_of(f);
	bytes = malloc((size_t)*size);
	assert_int_equal(read(fd, bytes, (size_t)*size), *size);
	close(fd);
	return bytes;
}

static void write_all(struct fixture *f, const char *bytes, off_t size)
{
	int fd = open(fx_path(f, "store.db"), O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(fd, bytes, (size_t)size), size);
	close(fd);
}

static void a_read_only_file_is_no_damage(void **st)
{
	struct fixture *f = *st;

	if (geteuid() == 0)
		skip(); /* the administrator may write to it all the same */
	close_store(f);
	assert_int_equal(chmod(fx_path(f, "store.db"), 0400), 0);
	fails(-EROFS, sto_open(f->dir, STO_OPEN_REBUILD, &f->clock, &f->sto, &f->err));
	assert_int_equal(chmod(fx_path(f, "store.db"), 0600), 0);
	fx_open(f, 0);
}

/* Each byte of the header, then bytes anywhere: never anything but "damaged", unless the byte does
 * not matter or is the version's. */
static void single_bytes_damaged(void **st)
{
	static const int rubbish[] = {0x00, 0xff};
	struct fixture *f = *st;
	cleanup_free char *sound = NULL;
	struct rng rng;
	off_t size;

	fill(f);
	close_store(f);
	sound = read_all(f, &size);
	rng_seed(&rng, 99);
	for (unsigned i = 0; i < 100 * ARRAY_SIZE(rubbish) + 60; i++) {
		off_t at = i / 2 < 100 ? i / 2 : (off_t)rng_below(&rng, (uint64_t)size);
		bool version = at >= 60 && at < 64;
		uint32_t n;
		int rc;

		write_all(f, sound, size);
		overwrite(f, at, 1, rubbish[i % 2]);
		rc = sto_open(f->dir, 0, &f->clock, &f->sto, &f->err);
		if (rc == -ENOTSUP && version)
			continue;
		if (rc && rc != -EUCLEAN)
			print_error("byte %ld: %s\n", (long)at, f->err.text);
		assert_true(rc == 0 || rc == -EUCLEAN);
		if (rc < 0)
			fx_open(f, STO_OPEN_REBUILD);
		ok(sto_number(f->sto, 1, ID(4242), &n, &f->err));
		close_store(f);
		unlink(fx_path(f, "store.db-wal"));
	}
}

/* Each page in turn, with each of three kinds of rubbish: the store opens, or it is refused and can
 * be rebuilt; in every case it works afterwards. */
static void every_page_damaged_in_turn(void **st)
{
	static const int rubbish[] = {0x00, 0xff, 0x0d};
	struct fixture *f = *st;
	cleanup_free char *sound = NULL;
	off_t size;
	unsigned refused = 0;

	fill(f);
	close_store(f);
	sound = read_all(f, &size);
	for (off_t page = 0; page < size; page += 4096) {
		uint32_t n;
		int rc;

		write_all(f, sound, size);
		overwrite(f, page, 4096, rubbish[page / 4096 % 3]);
		rc = sto_open(f->dir, 0, &f->clock, &f->sto, &f->err);
		assert_true(rc == 0 || rc == -EUCLEAN);
		refused += rc < 0;
		if (rc < 0)
			fx_open(f, STO_OPEN_REBUILD);
		ok(sto_number(f->sto, 1, ID(4242), &n, &f->err));
		close_store(f);
	}
	assert_true(refused >= size / 4096 - 1); /* sqlite_sequence may be empty enough */
}

/* The write-ahead log of the damaged database must not be taken for the new one's. */
static void logs_go_with_their_database(void **st)
{
	struct fixture *f = *st;
	FILE *file;

	close_store(f);
	overwrite(f, 0, 4096, 'x');
	file = fopen(fx_path(f, "store.db-journal"), "w");
	fputs("rubbish", file);
	fclose(file);
	fx_open(f, STO_OPEN_REBUILD);
	fx_reopen(f);
	assert_int_equal(access(fx_path(f, "store.db-journal"), F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(not_a_database),
		FX_TEST(empty_file),
		FX_TEST(cut_short),
		FX_TEST(somebody_elses_database),
		FX_TEST(lost_identity),
		FX_TEST(aside_names_do_not_clash),
		FX_TEST(a_sound_store_is_not_rebuilt),
		FX_TEST(what_can_be_read_is_taken_over),
		FX_TEST(tables_are_read_from_both_ends),
		FX_TEST(a_read_only_file_is_no_damage),
		FX_TEST(single_bytes_damaged),
		FX_TEST(every_page_damaged_in_turn),
		FX_TEST(logs_go_with_their_database),
	};

	log_set_sink(quiet, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
