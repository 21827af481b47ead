/* SPDX-License-Identifier: Apache-2.0 */
#include "other_process.h"

#include "fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void id_text(VDS_OBJECT_ID id, char out[64])
{
	WCHAR wide[40];

	assert_int_equal(StringFromGUID2(&id, wide, 40), 39);
	for (unsigned i = 0; i < 39; i++)
		out[i] = (char)wide[i];
}

static pid_t spawn(
	const char *dir, const char *verb, VDS_OBJECT_ID id, VDS_OBJECT_ID second, int out)
{
	const char *helper = getenv("VDS_TEST_HELPER");
	char text[64] = "", text2[64] = "";

	assert_non_null(helper);
	id_text(id, text);
	id_text(second, text2);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (out >= 0)
			dup2(out, 3);
		execl(helper, helper, dir, verb, text, text2, (char *)NULL);
		_exit(127);
	}
	return pid;
}

int other_process(const char *dir, const char *verb, VDS_OBJECT_ID id)
{
	int status;
	pid_t pid = spawn(dir, verb, id, id, -1);

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

pid_t other_process_begin(const char *dir, const char *verb, VDS_OBJECT_ID id, VDS_OBJECT_ID second)
{
	int fds[2];
	char c;

	assert_int_equal(pipe(fds), 0);
	pid_t pid = spawn(dir, verb, id, second, fds[1]);
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1); /* ends without a byte if the process fails */
	close(fds[0]);
	return pid;
}

void other_process_kill(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}
