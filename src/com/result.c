/* SPDX-License-Identifier: Apache-2.0 */
/* Identities and results, from below the COM layer and back. */
#include "com/com.h"

#include "base/bytes.h"

#include <errno.h>

GUID com_guid_from(const struct guid *g)
{
	GUID out;

	out.Data1 = (DWORD)bytes_get_be(g->b, 4);
	out.Data2 = (WORD)bytes_get_be(g->b + 4, 2);
	out.Data3 = (WORD)bytes_get_be(g->b + 6, 2);
	memcpy(out.Data4, g->b + 8, sizeof(out.Data4));
	return out;
}

struct guid com_guid_to(const GUID *g)
{
	struct guid out;

	bytes_put_be(out.b, 4, g->Data1);
	bytes_put_be(out.b + 4, 2, g->Data2);
	bytes_put_be(out.b + 6, 2, g->Data3);
	memcpy(out.b + 8, g->Data4, sizeof(g->Data4));
	return out;
}

/* HRESULT_FROM_WIN32 as a constant. */
#define WIN32(code) ((HRESULT)(0x80070000u | (code)))

#define HR_GEN_FAILURE WIN32(31)

/* The first row of an errno, and of an HRESULT, is the translation. Numbers: winerror.h. */
static const struct {
	int code;
	HRESULT hr;
} rows[] = {
	{EINVAL, E_INVALIDARG}, {ENOMEM, E_OUTOFMEMORY}, {EACCES, E_ACCESSDENIED},
	{EPERM, E_ACCESSDENIED}, {EIO, WIN32(1117)}, /* ERROR_IO_DEVICE */
	{ENOSPC, WIN32(112)},                        /* ERROR_DISK_FULL */
	{EDQUOT, WIN32(1816)},                       /* ERROR_NOT_ENOUGH_QUOTA */
	{ENOENT, WIN32(2)},                          /* ERROR_FILE_NOT_FOUND */
	{ENOTDIR, WIN32(3)},                         /* ERROR_PATH_NOT_FOUND */
	{ENFILE, WIN32(4)},                          /* ERROR_TOO_MANY_OPEN_FILES */
	{EMFILE, WIN32(4)}, {EBADF, WIN32(6)},       /* ERROR_INVALID_HANDLE */
	{EXDEV, WIN32(17)},                          /* ERROR_NOT_SAME_DEVICE */
	{EROFS, WIN32(19)},                          /* ERROR_WRITE_PROTECT */
	{ENODEV, WIN32(20)},                         /* ERROR_BAD_UNIT */
	{EAGAIN, WIN32(21)},                         /* ERROR_NOT_READY */
	{EILSEQ, WIN32(23)}, /* ERROR_CRC: data that contradicts its checksum */
	{EBADMSG, WIN32(23)}, {ETXTBSY, WIN32(32)},     /* ERROR_SHARING_VIOLATION */
	{ENOTSUP, WIN32(50)},                           /* ERROR_NOT_SUPPORTED */
	{ENOSYS, WIN32(50)}, {EEXIST, WIN32(80)},       /* ERROR_FILE_EXISTS */
	{EPIPE, WIN32(109)},                            /* ERROR_BROKEN_PIPE */
	{ETIMEDOUT, WIN32(121)},                        /* ERROR_SEM_TIMEOUT */
	{ETIME, WIN32(121)}, {EISDIR, WIN32(267)},      /* ERROR_DIRECTORY */
	{ENOTEMPTY, WIN32(145)},                        /* ERROR_DIR_NOT_EMPTY */
	{EBUSY, WIN32(170)},                            /* ERROR_BUSY */
	{ENAMETOOLONG, WIN32(206)},                     /* ERROR_FILENAME_EXCED_RANGE */
	{EFBIG, WIN32(223)},                            /* ERROR_FILE_TOO_LARGE */
	{ENXIO, WIN32(433)},                            /* ERROR_NO_SUCH_DEVICE */
	{EOVERFLOW, WIN32(534)},                        /* ERROR_ARITHMETIC_OVERFLOW */
	{ERANGE, WIN32(534)}, {ECANCELED, WIN32(1223)}, /* ERROR_CANCELLED */
	{EINTR, WIN32(995)},                            /* ERROR_OPERATION_ABORTED */
	{EDEADLK, WIN32(1131)},                         /* ERROR_POSSIBLE_DEADLOCK */
	{EUCLEAN, WIN32(1393)},                         /* ERROR_DISK_CORRUPT */
	{ENOMEDIUM, WIN32(1112)},                       /* ERROR_NO_MEDIA_IN_DRIVE */
	{EMEDIUMTYPE, WIN32(1785)},                     /* ERROR_UNRECOGNIZED_MEDIA */
	{ESHUTDOWN, WIN32(1115)},                       /* ERROR_SHUTDOWN_IN_PROGRESS */
	{ELOOP, WIN32(1921)},                           /* ERROR_CANT_RESOLVE_FILENAME */
	{ECONNREFUSED, WIN32(1225)},                    /* ERROR_CONNECTION_REFUSED */
	{ECONNRESET, WIN32(1236)},                      /* ERROR_CONNECTION_ABORTED */
	{EHOSTUNREACH, WIN32(1232)},                    /* ERROR_HOST_UNREACHABLE */
	{ENETUNREACH, WIN32(1231)},                     /* ERROR_NETWORK_UNREACHABLE */
	{EADDRINUSE, WIN32(52)},                        /* ERROR_DUP_NAME */
};

HRESULT com_hr_from_errno(int code)
{
	if (!code)
		return S_OK;
	if (code < 0)
		code = -code;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].code == code)
			return rows[i].hr;
	return HR_GEN_FAILURE;
}

int com_errno_from_hr(HRESULT hr)
{
	if (SUCCEEDED(hr))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].hr == hr)
			return -rows[i].code;
	return -EIO;
}
