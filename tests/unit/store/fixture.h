/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the store share: a store in a folder of its own, under a clock that stands
 * still until it is moved. fx_setup and fx_teardown are cmocka's per-test functions; the store
 * opened allows faults, and has no subsystem.
 */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "store/store_internal.h"

struct fixture {
	struct clock clock; /* first: fx_wall finds the rest */
	int64_t now_ms;
	char dir[64];
	struct sto *sto;
	struct err err;
};

static inline int64_t fx_wall(const struct clock *c)
{
	return container_of(c, struct fixture, clock)->now_ms;
}

static inline uint64_t fx_mono(const struct clock *c)
{
	return (uint64_t)fx_wall(c) * 1000000u;
}

/* ok(call): the call gives 0, and its sentence is shown when not. */
#define ok(call) fx_ok(f, (call), __FILE__, __LINE__)

static inline void fx_ok(struct fixture *f, int rc, const char *file, int line)
{
	if (rc)
		print_error("%s (%s)\n", f->err.text, f->err.cause);
	_assert_int_equal((uintmax_t)(intmax_t)rc, 0, file, line);
}

/* fails(code, call): the call gives this code, with a sentence. */
#define fails(code, call) fx_fails(f, code, (err_clear(&f->err), (call)), __FILE__, __LINE__)

static inline void fx_fails(struct fixture *f, int code, int rc, const char *file, int line)
{
	size_t len = strlen(f->err.text);

	_assert_int_equal((uintmax_t)(intmax_t)rc, (uintmax_t)(intmax_t)code, file, line);
	_assert_int_equal((uintmax_t)(intmax_t)f->err.code, (uintmax_t)(intmax_t)code, file, line);
	_assert_true(len > 0 && f->err.text[len - 1] == '.', "a whole sentence", file, line);
}

static inline void fx_open(struct fixture *f, unsigned flags)
{
	ok(sto_open(f->dir, flags, &f->clock, &f->sto, &f->err));
}

static inline void fx_reopen(struct fixture *f)
{
	sto_close(f->sto);
	f->sto = NULL;
	fx_open(f, 0);
}

static inline const char *fx_path(const struct fixture *f, const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	return path;
}

/* A recognisable id. */
static inline struct guid fx_id(unsigned n)
{
	struct guid g = {.b = {0xab, [12] = (uint8_t)(n >> 24), (uint8_t)(n >> 16),
				 (uint8_t)(n >> 8), (uint8_t)n}};
	return g;
}

#define ID(n) (&(struct guid[]){fx_id(n)}[0])

static inline int fx_setup_empty(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->clock = (struct clock){.mono_ns = fx_mono, .wall_ms = fx_wall};
	f->now_ms = 1000000;
	strcpy(f->dir, "/tmp/vds-store-XXXXXX");
	*state = f;
	return mkdtemp(f->dir) ? 0 : -1;
}

static inline int fx_setup(void **state)
{
	struct fixture *f;

	if (fx_setup_empty(state) < 0)
		return -1;
	f = *state;
	if (sto_open(f->dir, STO_OPEN_CREATE, &f->clock, &f->sto, &f->err) < 0)
		return -1;
	return sto_allow_faults(f->sto, &f->err);
}

static inline int fx_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int fx_teardown(void **state)
{
	struct fixture *f = *state;

	sto_close(f->sto);
	nftw(f->dir, fx_remove, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

#define FX_TEST(name)       cmocka_unit_test_setup_teardown(name, fx_setup, fx_teardown)
#define FX_TEST_EMPTY(name) cmocka_unit_test_setup_teardown(name, fx_setup_empty, fx_teardown)

#endif
