/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of drives. One inside the store's folder is kept relative to it, so that the folder can be
 * moved or copied as a whole; any other is kept as it was given. Whether it lies inside is asked of
 * the folder it names (symbolic links in the way are followed), never of the file itself: that may
 * be a link on purpose, such as /dev/disk/by-id/…, and it need not exist.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "store/store_internal.h"

char *sto_path_join(const char *dir, const char *name)
{
	char *out;

	if (asprintf(&out, "%s%s%s", dir, strcmp(dir, "/") ? "/" : "", name) < 0)
		return NULL;
	return out;
}

int sto_path_sync(const char *dir, struct err *err)
{
	cleanup_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_set(err, -errno, "The folder %s cannot be written to: %s.", dir,
			err_name(errno));
	return 0;
}

static int copy(char out[static STO_PATH_BYTES], const char *path, struct err *err)
{
	size_t len = strlen(path);

	if (len >= STO_PATH_BYTES)
		return err_set(err, -ENAMETOOLONG, "The path %.60s… is longer than %d bytes.", path,
			STO_PATH_BYTES - 1);
	memcpy(out, path, len + 1);
	return 0;
}

/* path with its folder's links resolved; as it is when that folder does not exist. */
static char *resolve(const char *path)
{
	cleanup_free char *parent = strdup(path), *real = NULL;
	char *slash = parent ? strrchr(parent, '/') : NULL;

	if (!slash)
		return NULL;
	*slash = '\0';
	real = realpath(slash == parent ? "/" : parent, NULL);
	return real ? sto_path_join(real, slash + 1) : strdup(path);
}

int sto_path_pack(
	const struct sto *sto, const char *path, char out[static STO_PATH_BYTES], struct err *err)
{
	cleanup_free char *full = NULL, *real = NULL;
	const char *base;
	size_t len = strlen(sto->dir);

	if (!path[0])
		return err_set(err, -EINVAL, "The path of a drive is empty.");
	full = path[0] == '/' ? strdup(path) : sto_path_join(sto->dir, path);
	real = full ? resolve(full) : NULL;
	if (!real)
		return err_set(err, -ENOMEM, "There is not enough memory for the path %s.", path);
	base = strrchr(real, '/') + 1;
	if (!base[0] || !strcmp(base, ".") || !strcmp(base, ".."))
		return err_set(err, -EINVAL, "The path %s names no file.", path);
	if (!strncmp(real, sto->dir, len) && real[len] == '/') {
		int rc = copy(out, real, err); /* it has to fit in full when it comes out */

		return rc < 0 ? rc : copy(out, real + len + 1, err);
	}
	return copy(out, full, err);
}

int sto_path_unpack(
	const struct sto *sto, const char *kept, char out[static STO_PATH_BYTES], struct err *err)
{
	cleanup_free char *full = NULL;

	if (!kept[0] || kept[0] == '/')
		return copy(out, kept, err);
	full = sto_path_join(sto->dir, kept);
	if (!full)
		return err_set(err, -ENOMEM, "There is not enough memory for the path %s.", kept);
	return copy(out, full, err);
}
