/* SPDX-License-Identifier: Apache-2.0 */
/* Another client, in a process of its own: runs the helper program on the same store. */
#ifndef ACCEPTANCE_OTHER_PROCESS_H
#define ACCEPTANCE_OTHER_PROCESS_H

#include <sys/types.h>
#include <vds.h>

/*
 * Runs `verb` on the object in a new process and waits for it; its exit status, 0 = done.
 *   start, stop   BlinkLight on the drive
 *   offline       SetStatus(OFFLINE) of the drive, then the process ends by itself
 *   blinking      0 if BlinkLight of the drive runs
 */
int other_process(const char *dir, const char *verb, VDS_OBJECT_ID id);

/*
 * Begins `verb` and returns when the process says that it has come to its point; it then stays
 * there. recover       slow Recover of the LUN, a good way into it write-offline writes 32 MiB of
 * pattern to the LUN (id), takes the drive (second id) offline
 */
pid_t other_process_begin(
	const char *dir, const char *verb, VDS_OBJECT_ID id, VDS_OBJECT_ID second);
/* Kills it as a crash would, and waits until it is gone. */
void other_process_kill(pid_t pid);

#endif
