/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fixture.h"

static void add_subsystem(struct fixture *f, unsigned n, const char *name)
{
	struct sto_subsystem s = {.id = fx_id(n)};

	strcpy(s.name, name);
	ok(sto_subsystem_add(f->sto, &s, &f->err));
}

static struct sto_bay bay_of(unsigned subsystem, int16_t bus, int16_t slot, const char *path)
{
	struct sto_bay b = {.subsystem = fx_id(subsystem), .bus = bus, .slot = slot};

	strcpy(b.path, path);
	return b;
}

static void add_bay(struct fixture *f, int16_t bus, int16_t slot, const char *path)
{
	struct sto_bay b = bay_of(1, bus, slot, path);

	ok(sto_bay_add(f->sto, &b, &f->err));
}

static struct sto_bay get_bay(struct fixture *f, int16_t bus, int16_t slot)
{
	struct sto_bay b;

	ok(sto_bay_get(f->sto, ID(1), bus, slot, &b, &f->err));
	return b;
}

/* ---- subsystems --------------------------------------------------------------------------- */

static void subsystem_facts_survive_a_restart(void **st)
{
	struct fixture *f = *st;
	struct sto_subsystem s = {.id = fx_id(1), .seq = 7, .created_ms = 55}, out;
	uint8_t container[24];

	strcpy(s.name, "Enclosure \xc3\xa4");
	strcpy(s.folder, "sub/one");
	memset(s.container, 0x11, sizeof(s.container));
	ok(sto_subsystem_add(f->sto, &s, &f->err));
	fx_reopen(f);
	ok(sto_subsystem_get(f->sto, ID(1), &out, &f->err));
	assert_memory_equal(&out.id, &s.id, sizeof(s.id));
	assert_string_equal(out.name, s.name);
	assert_string_equal(out.folder, fx_path(f, "sub/one"));
	assert_memory_equal(out.container, s.container, 24);
	assert_int_equal(out.seq, 7);
	assert_int_equal(out.created_ms, 55);

	memset(container, 0x22, sizeof(container));
	ok(sto_subsystem_set_name(f->sto, ID(1), "other", &f->err));
	ok(sto_subsystem_set_container(f->sto, ID(1), container, &f->err));
	ok(sto_subsystem_set_seq(f->sto, ID(1), UINT32_MAX, &f->err));
	ok(sto_subsystem_set_seq(f->sto, ID(1), 9, &f->err));
	fx_reopen(f);
	ok(sto_subsystem_get(f->sto, ID(1), &out, &f->err));
	assert_string_equal(out.name, "other");
	assert_memory_equal(out.container, container, 24);
	assert_int_equal(out.seq, UINT32_MAX); /* never goes back */
}

static void subsystems_are_listed_as_created_and_removed_with_their_bays(void **st)
{
	struct fixture *f = *st;
	struct sto_subsystem_vec v;
	struct sto_bay_vec bays;
	struct sto_bay b = bay_of(2, 0, 0, "x");

	add_subsystem(f, 3, "c");
	add_subsystem(f, 1, "a");
	add_subsystem(f, 2, "b");
	ok(sto_subsystem_list(f->sto, &v, &f->err));
	assert_int_equal(v.len, 3);
	assert_string_equal(v.items[0].name, "c");
	assert_string_equal(v.items[1].name, "a");
	assert_string_equal(v.items[2].name, "b");
	assert_int_equal(v.items[0].created_ms, f->now_ms);
	assert_string_equal(v.items[0].folder, "");
	sto_subsystem_vec_free(&v);

	ok(sto_bay_add(f->sto, &b, &f->err));
	ok(sto_subsystem_remove(f->sto, ID(2), &f->err));
	ok(sto_bay_list(f->sto, ID(2), &bays, &f->err));
	assert_int_equal(bays.len, 0);
	add_bay(f, 0, 0, "x"); /* the path is free again */
}

static void subsystem_errors(void **st)
{
	struct fixture *f = *st;
	struct sto_subsystem s = {.id = fx_id(1)};
	char longname[STO_NAME_BYTES + 1];
	uint8_t container[24] = {0};

	memset(longname, 'n', sizeof(longname));
	longname[STO_NAME_BYTES] = '\0';
	ok(sto_subsystem_add(f->sto, &s, &f->err));
	fails(-EEXIST, sto_subsystem_add(f->sto, &s, &f->err));
	fails(-ENOENT, sto_subsystem_get(f->sto, ID(9), &s, &f->err));
	fails(-ENOENT, sto_subsystem_remove(f->sto, ID(9), &f->err));
	fails(-ENOENT, sto_subsystem_set_name(f->sto, ID(9), "x", &f->err));
	fails(-ENOENT, sto_subsystem_set_seq(f->sto, ID(9), 1, &f->err));
	fails(-ENOENT, sto_subsystem_set_container(f->sto, ID(9), container, &f->err));
	fails(-ENAMETOOLONG, sto_subsystem_set_name(f->sto, ID(1), longname, &f->err));
	longname[STO_NAME_BYTES - 1] = '\0';
	ok(sto_subsystem_set_name(f->sto, ID(1), longname, &f->err));
}

/* ---- bays --------------------------------------------------------------------------------- */

static void bay_facts_survive_a_restart(void **st)
{
	struct fixture *f = *st;
	struct sto_bay b;

	add_subsystem(f, 1, "a");
	add_bay(f, 0, 3, "d3.img");
	b = get_bay(f, 0, 3);
	assert_true(guid_is_zero(&b.drive));
	assert_false(b.departed || b.pulled || b.lost_ms);
	ok(sto_bay_set_drive(f->sto, ID(1), 0, 3, ID(33), &f->err));
	ok(sto_bay_set_lost(f->sto, ID(1), 0, 3, 777, true, &f->err));
	fx_reopen(f);
	ok(sto_bay_find(f->sto, ID(33), &b, &f->err));
	assert_memory_equal(&b.subsystem, ID(1), 16);
	assert_int_equal(b.bus, 0);
	assert_int_equal(b.slot, 3);
	assert_string_equal(b.path, fx_path(f, "d3.img"));
	assert_int_equal(b.lost_ms, 777);
	assert_true(b.departed);
	ok(sto_bay_set_lost(f->sto, ID(1), 0, 3, 0, false, &f->err));
	b = get_bay(f, 0, 3);
	assert_false(b.departed || b.lost_ms);
	ok(sto_bay_set_path(f->sto, ID(1), 0, 3, "/dev/null", &f->err));
	assert_string_equal(get_bay(f, 0, 3).path, "/dev/null");
	ok(sto_bay_remove(f->sto, ID(1), 0, 3, &f->err));
	fails(-ENOENT, sto_bay_get(f->sto, ID(1), 0, 3, &b, &f->err));
}

static void bays_are_listed_by_place(void **st)
{
	static const int16_t places[][2] = {{1, 0}, {0, 10}, {0, 2}, {32767, 32767}, {0, 0}};
	static const int sorted[] = {4, 2, 1, 0, 3};
	struct fixture *f = *st;
	struct sto_bay_vec v;
	char path[16];

	add_subsystem(f, 1, "a");
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(path, sizeof(path), "p%zu", i);
		add_bay(f, places[i][0], places[i][1], path);
	}
	ok(sto_bay_list(f->sto, ID(1), &v, &f->err));
	assert_int_equal(v.len, ARRAY_SIZE(places));
	for (size_t i = 0; i < v.len; i++) {
		assert_int_equal(v.items[i].bus, places[sorted[i]][0]);
		assert_int_equal(v.items[i].slot, places[sorted[i]][1]);
	}
	sto_bay_vec_free(&v);
}

static void bay_errors(void **st)
{
	struct fixture *f = *st;
	struct sto_bay b = bay_of(1, 0, 0, "a"), out;

	fails(-ENOENT, sto_bay_add(f->sto, &b, &f->err)); /* no subsystem yet */
	add_subsystem(f, 1, "a");
	add_subsystem(f, 2, "b");
	ok(sto_bay_add(f->sto, &b, &f->err));
	fails(-EEXIST, sto_bay_add(f->sto, &b, &f->err));
	b = bay_of(1, 0, 1, "a");
	fails(-EEXIST, sto_bay_add(f->sto, &b, &f->err));
	assert_non_null(strstr(f->err.text, "0.0"));
	b = bay_of(2, 4, 5, "a");
	fails(-EEXIST, sto_bay_add(f->sto, &b, &f->err));
	assert_non_null(strstr(f->err.text, "another subsystem"));
	b = bay_of(1, -1, 1, "b");
	fails(-EINVAL, sto_bay_add(f->sto, &b, &f->err));
	b = bay_of(1, 0, -1, "b");
	fails(-EINVAL, sto_bay_add(f->sto, &b, &f->err));
	b = bay_of(1, 0, 1, "");
	fails(-EINVAL, sto_bay_add(f->sto, &b, &f->err));
	fails(-ENOENT, sto_bay_remove(f->sto, ID(1), 0, 1, &f->err));
	fails(-ENOENT, sto_bay_set_drive(f->sto, ID(1), 0, 1, ID(5), &f->err));
	fails(-ENOENT, sto_bay_set_lost(f->sto, ID(1), 0, 1, 1, false, &f->err));
	fails(-ENOENT, sto_bay_set_path(f->sto, ID(1), 0, 1, "zz", &f->err));
	fails(-ENOENT, sto_bay_find(f->sto, ID(5), &out, &f->err));
	b = bay_of(1, 0, 1, "b");
	ok(sto_bay_add(f->sto, &b, &f->err));
	fails(-EEXIST, sto_bay_set_path(f->sto, ID(1), 0, 1, "a", &f->err));
	ok(sto_bay_set_path(f->sto, ID(1), 0, 1, "b", &f->err)); /* its own */
}

static void same_file_by_another_way_is_noticed(void **st)
{
	struct fixture *f = *st;
	struct sto_bay b;
	char up[PATH_MAX], link_path[PATH_MAX];

	add_subsystem(f, 1, "a");
	assert_int_equal(mkdir(fx_path(f, "d"), 0700), 0);
	add_bay(f, 0, 0, "d/0.img");
	snprintf(up, sizeof(up), "d/../d/./0.img");
	b = bay_of(1, 0, 1, up);
	fails(-EEXIST, sto_bay_add(f->sto, &b, &f->err));
	snprintf(link_path, sizeof(link_path), "%s/l", f->dir);
	assert_int_equal(symlink(fx_path(f, "d"), link_path), 0);
	b = bay_of(1, 0, 1, "l/0.img");
	fails(-EEXIST, sto_bay_add(f->sto, &b, &f->err));
}

static void a_drive_is_in_one_bay(void **st)
{
	struct fixture *f = *st;
	struct sto_bay b;

	add_subsystem(f, 1, "a");
	add_bay(f, 0, 0, "a");
	add_bay(f, 0, 1, "b");
	ok(sto_bay_set_drive(f->sto, ID(1), 0, 0, ID(7), &f->err));
	ok(sto_bay_set_drive(f->sto, ID(1), 0, 1, ID(7), &f->err));
	b = get_bay(f, 0, 0);
	assert_true(guid_is_zero(&b.drive));
	ok(sto_bay_find(f->sto, ID(7), &b, &f->err));
	assert_int_equal(b.slot, 1);
	b = bay_of(1, 0, 2, "c");
	b.drive = fx_id(7);
	ok(sto_bay_add(f->sto, &b, &f->err));
	ok(sto_bay_find(f->sto, ID(7), &b, &f->err));
	assert_int_equal(b.slot, 2);
	/* several may be empty */
	ok(sto_bay_set_drive(f->sto, ID(1), 0, 2, &(struct guid){0}, &f->err));
	fails(-ENOENT, sto_bay_find(f->sto, ID(7), &b, &f->err));
	/* a refused move takes nothing out */
	ok(sto_bay_set_drive(f->sto, ID(1), 0, 0, ID(7), &f->err));
	fails(-ENOENT, sto_bay_set_drive(f->sto, ID(1), 9, 9, ID(7), &f->err));
	ok(sto_bay_find(f->sto, ID(7), &b, &f->err));
	assert_int_equal(b.slot, 0);
}

static void empty_bays_can_be_forgotten(void **st)
{
	struct fixture *f = *st;
	struct sto_bay b = bay_of(1, 0, 0, "c");
	struct sto_bay_vec v;

	add_subsystem(f, 1, "a");
	add_bay(f, 0, 0, "a");
	add_bay(f, 0, 1, "b");
	ok(sto_bay_set_drive(f->sto, ID(1), 0, 1, ID(7), &f->err));
	fails(-EEXIST, sto_bay_add(f->sto, &b, &f->err));
	ok(sto_bays_forget_empty(f->sto, &f->err));
	ok(sto_bay_add(f->sto, &b, &f->err)); /* the slot is free … */
	add_bay(f, 0, 2, "a");                /* … and so is the path */
	ok(sto_bay_list(f->sto, ID(1), &v, &f->err));
	assert_int_equal(v.len, 3);
	assert_memory_equal(&v.items[1].drive, ID(7), 16);
	sto_bay_vec_free(&v);
}

static void pulled_is_the_drives_fault(void **st)
{
	struct fixture *f = *st;
	struct sto_fault fault = {.id = fx_id(7), .kind = STO_FAULT_GONE};

	add_subsystem(f, 1, "a");
	add_bay(f, 0, 0, "a");
	add_bay(f, 0, 1, "b");
	ok(sto_bay_set_drive(f->sto, ID(1), 0, 0, ID(7), &f->err));
	assert_false(get_bay(f, 0, 0).pulled);
	ok(sto_fault_add(f->sto, &fault, &f->err));
	assert_true(get_bay(f, 0, 0).pulled);
	assert_false(get_bay(f, 0, 1).pulled);
	fault.kind = STO_FAULT_FAILED;
	ok(sto_fault_add(f->sto, &fault, &f->err));
	ok(sto_fault_clear(f->sto, ID(7), STO_FAULT_GONE, &f->err));
	assert_false(get_bay(f, 0, 0).pulled);
}

static void lowest_free_slot(void **st)
{
	struct fixture *f = *st;
	int16_t bus, slot;

	add_subsystem(f, 1, "a");
	ok(sto_bay_free_slot(f->sto, ID(1), &bus, &slot, &f->err));
	assert_int_equal(bus, 0);
	assert_int_equal(slot, 0);
	add_bay(f, 0, 0, "a");
	add_bay(f, 0, 1, "b");
	add_bay(f, 0, 3, "c");
	add_bay(f, 1, 2, "d");
	ok(sto_bay_free_slot(f->sto, ID(1), &bus, &slot, &f->err));
	assert_int_equal(slot, 2);
	add_bay(f, 0, 2, "e");
	ok(sto_bay_free_slot(f->sto, ID(1), &bus, &slot, &f->err));
	assert_int_equal(slot, 4);
	/* the next call finds the statement at rest */
	ok(sto_bay_free_slot(f->sto, ID(1), &bus, &slot, &f->err));
	assert_int_equal(slot, 4);
}

static void no_free_slot(void **st)
{
	struct fixture *f = *st;
	int16_t bus, slot;

	add_subsystem(f, 1, "a");
	ok(db_exec(&f->sto->db, &f->err,
		"WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 32767) "
		"INSERT INTO bay (subsystem, bus, slot, path) SELECT ?, 0, i, 'p' || i FROM n",
		DB_GUID(ID(1))));
	fails(-ENOSPC, sto_bay_free_slot(f->sto, ID(1), &bus, &slot, &f->err));
}

static void the_store_can_be_moved(void **st)
{
	struct fixture *f = *st;
	char moved[sizeof(f->dir) + 8], outside[] = "/nowhere/at/all.img";

	add_subsystem(f, 1, "a");
	add_bay(f, 0, 0, fx_path(f, "in/d0.img"));
	add_bay(f, 0, 1, outside);
	sto_close(f->sto);
	f->sto = NULL;
	snprintf(moved, sizeof(moved), "%s-m", f->dir);
	assert_int_equal(rename(f->dir, moved), 0);
	memcpy(f->dir, moved, strlen(moved) + 1);
	fx_open(f, 0);
	assert_string_equal(get_bay(f, 0, 0).path, fx_path(f, "in/d0.img"));
	assert_string_equal(get_bay(f, 0, 1).path, outside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(subsystem_facts_survive_a_restart),
		FX_TEST(subsystems_are_listed_as_created_and_removed_with_their_bays),
		FX_TEST(subsystem_errors),
		FX_TEST(bay_facts_survive_a_restart),
		FX_TEST(bays_are_listed_by_place),
		FX_TEST(bay_errors),
		FX_TEST(same_file_by_another_way_is_noticed),
		FX_TEST(a_drive_is_in_one_bay),
		FX_TEST(empty_bays_can_be_forgotten),
		FX_TEST(pulled_is_the_drives_fault),
		FX_TEST(lowest_free_slot),
		FX_TEST(no_free_slot),
		FX_TEST(the_store_can_be_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
