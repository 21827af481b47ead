/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/hr.h"

#include "base/cleanup.h"
#include "idl_tables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What the system's codes say that come up here; numbers and names as in winerror.h. */
static const struct system_code {
	uint16_t code;
	const char *name, *meaning;
} system_codes[] = {
	{2, "ERROR_FILE_NOT_FOUND", "there is no such file"},
	{3, "ERROR_PATH_NOT_FOUND", "a folder on the way to it does not exist"},
	{4, "ERROR_TOO_MANY_OPEN_FILES", "too many files are open"},
	{6, "ERROR_INVALID_HANDLE", "it is not open any more"},
	{17, "ERROR_NOT_SAME_DEVICE", "it is on another file system"},
	{19, "ERROR_WRITE_PROTECT", "it can only be read"},
	{20, "ERROR_BAD_UNIT", "the device is gone"},
	{21, "ERROR_NOT_READY", "the device is not ready"},
	{23, "ERROR_CRC", "the data contradict their checksum"},
	{31, "ERROR_GEN_FAILURE", "the system reports a failure without a code of its own"},
	{32, "ERROR_SHARING_VIOLATION", "another program uses it"},
	{50, "ERROR_NOT_SUPPORTED", "the system cannot do this here"},
	{52, "ERROR_DUP_NAME", "the address is in use"},
	{80, "ERROR_FILE_EXISTS", "there is such a file already"},
	{109, "ERROR_BROKEN_PIPE", "nobody reads at the other end"},
	{112, "ERROR_DISK_FULL", "the file system is full"},
	{121, "ERROR_SEM_TIMEOUT", "it did not answer in time"},
	{126, "ERROR_MOD_NOT_FOUND", "a library cannot be found"},
	{127, "ERROR_PROC_NOT_FOUND", "a library lacks a function"},
	{145, "ERROR_DIR_NOT_EMPTY", "the folder is not empty"},
	{170, "ERROR_BUSY", "it is in use"},
	{206, "ERROR_FILENAME_EXCED_RANGE", "the name is too long"},
	{223, "ERROR_FILE_TOO_LARGE", "the file is too large"},
	{267, "ERROR_DIRECTORY", "it is a folder"},
	{433, "ERROR_NO_SUCH_DEVICE", "there is no such device"},
	{534, "ERROR_ARITHMETIC_OVERFLOW", "a number is too large"},
	{995, "ERROR_OPERATION_ABORTED", "it was interrupted"},
	{1112, "ERROR_NO_MEDIA_IN_DRIVE", "there is no medium in it"},
	{1115, "ERROR_SHUTDOWN_IN_PROGRESS", "the service is ending"},
	{1117, "ERROR_IO_DEVICE", "reading or writing failed"},
	{1131, "ERROR_POSSIBLE_DEADLOCK", "both would wait for each other"},
	{1223, "ERROR_CANCELLED", "it was cancelled"},
	{1225, "ERROR_CONNECTION_REFUSED", "the connection was refused"},
	{1231, "ERROR_NETWORK_UNREACHABLE", "the network cannot be reached"},
	{1232, "ERROR_HOST_UNREACHABLE", "the host cannot be reached"},
	{1236, "ERROR_CONNECTION_ABORTED", "the connection was broken off"},
	{1393, "ERROR_DISK_CORRUPT", "it is damaged"},
	{1785, "ERROR_UNRECOGNIZED_MEDIA", "what is on it is not known here"},
	{1816, "ERROR_NOT_ENOUGH_QUOTA", "the quota is used up"},
	{1921, "ERROR_CANT_RESOLVE_FILENAME", "symbolic links lead in a circle"},
};

static bool of_system(int32_t hr)
{
	return ((uint32_t)hr & 0xffff0000u) == 0x80070000u;
}

static const struct system_code *find_system(int32_t hr)
{
	for (size_t i = 0; of_system(hr) && i < ARRAY_SIZE(system_codes); i++)
		if (system_codes[i].code == ((uint32_t)hr & 0xffff))
			return &system_codes[i];
	return NULL;
}

const char *cli_hr_name(int32_t hr)
{
	const struct idl_error *e = idl_error_by_value((HRESULT)hr);
	const struct system_code *s = e ? NULL : find_system(hr);

	return e ? e->symbol : s ? s->name : NULL;
}

const char *cli_hr_text(int32_t hr, char buf[static CLI_HR_TEXT])
{
	const char *name = cli_hr_name(hr);

	snprintf(buf, CLI_HR_TEXT, "%s%s0x%08x", name ? name : "", name ? " " : "", (unsigned)hr);
	return buf;
}

const char *cli_hr_meaning(int32_t hr, char *buf, size_t size)
{
	const struct idl_error *e = idl_error_by_value((HRESULT)hr);
	const struct system_code *s = find_system(hr);

	if (e)
		snprintf(buf, size, "%s", e->meaning);
	else if (s)
		snprintf(buf, size, "%s", s->meaning);
	else if (of_system(hr))
		snprintf(buf, size, "error %u of the system", (unsigned)hr & 0xffff);
	else
		snprintf(buf, size, "this code is not known here");
	return buf;
}

bool cli_hr_find(const char *text, int32_t *hr)
{
	long long v;
	char *end;

	for (size_t i = 0; i < idl_errors_count; i++)
		if (!strcasecmp(idl_errors[i].symbol, text)) {
			*hr = (int32_t)idl_errors[i].value;
			return true;
		}
	for (size_t i = 0; i < ARRAY_SIZE(system_codes); i++)
		if (!strcasecmp(system_codes[i].name, text)) {
			*hr = (int32_t)(0x80070000u | system_codes[i].code);
			return true;
		}
	errno = 0;
	v = strtoll(text, &end, 0);
	if (*end || end == text || errno || v < INT32_MIN || v > UINT32_MAX)
		return false;
	*hr = (int32_t)(uint32_t)v;
	return true;
}
