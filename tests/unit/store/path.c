/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "fixture.h"

static const char *pack(struct fixture *f, const char *path)
{
	static char out[STO_PATH_BYTES];

	ok(sto_path_pack(f->sto, path, out, &f->err));
	return out;
}

static const char *unpack(struct fixture *f, const char *kept)
{
	static char out[STO_PATH_BYTES];

	ok(sto_path_unpack(f->sto, kept, out, &f->err));
	return out;
}

static void inside_is_kept_relative(void **st)
{
	struct fixture *f = *st;

	mkdir(fx_path(f, "d"), 0700);
	assert_string_equal(pack(f, "a.img"), "a.img");
	assert_string_equal(pack(f, fx_path(f, "a.img")), "a.img");
	assert_string_equal(pack(f, fx_path(f, "d/a.img")), "d/a.img");
	assert_string_equal(pack(f, "./d/.././d/a.img"), "d/a.img");
	assert_string_equal(pack(f, fx_path(f, "not/there/a.img")), "not/there/a.img");
	assert_string_equal(unpack(f, "d/a.img"), fx_path(f, "d/a.img"));
}

static void outside_is_kept_as_given(void **st)
{
	struct fixture *f = *st;
	char beside[PATH_MAX];

	assert_string_equal(pack(f, "/dev/disk/by-id/x"), "/dev/disk/by-id/x");
	assert_string_equal(unpack(f, "/dev/disk/by-id/x"), "/dev/disk/by-id/x");
	/* a folder whose name only begins like the store's */
	snprintf(beside, sizeof(beside), "%s-2/a.img", f->dir);
	assert_string_equal(pack(f, beside), beside);
	/* relative paths are relative to the store, also when they lead out */
	snprintf(beside, sizeof(beside), "%s/../a.img", f->dir);
	assert_string_equal(pack(f, "../a.img"), beside);
	assert_string_equal(unpack(f, ""), "");
}

static void the_file_itself_may_be_a_link_and_is_not_followed(void **st)
{
	struct fixture *f = *st;

	assert_int_equal(symlink("/dev/null", fx_path(f, "l")), 0);
	assert_string_equal(pack(f, "l"), "l");
}

static void bad_paths(void **st)
{
	static const char *const bad[] = {"", "/", ".", "..", "a/", "a/.", "/dev/..", "a/.."};
	struct fixture *f = *st;
	char out[STO_PATH_BYTES], longpath[STO_PATH_BYTES + 10];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		fails(-EINVAL, sto_path_pack(f->sto, bad[i], out, &f->err));
	memset(longpath, 'p', sizeof(longpath));
	longpath[STO_PATH_BYTES] = '\0';
	fails(-ENAMETOOLONG, sto_path_pack(f->sto, longpath, out, &f->err));
	longpath[0] = '/';
	fails(-ENAMETOOLONG, sto_path_pack(f->sto, longpath, out, &f->err));
	longpath[STO_PATH_BYTES - 1] = '\0';
	ok(sto_path_pack(f->sto, longpath, out, &f->err));
	/* fits as kept, but not in full */
	fails(-ENAMETOOLONG, sto_path_unpack(f->sto, longpath + 1, out, &f->err));
	fails(-ENAMETOOLONG, sto_path_pack(f->sto, longpath + 1, out, &f->err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(inside_is_kept_relative),
		FX_TEST(outside_is_kept_as_given),
		FX_TEST(the_file_itself_may_be_a_link_and_is_not_followed),
		FX_TEST(bad_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
