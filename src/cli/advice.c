/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Result codes are shared by many methods; here stands what each means for a command, after the
 * conditions the reference gives for the method behind it. First row that fits wins.
 */
#include "cli/advice.h"

#include "base/cleanup.h"
#include "vdsx.h"

#include <stdio.h>
#include <string.h>

static const struct row {
	const char *verb;   /* NULL: any */
	enum cli_noun noun; /* CLI_NOUN_NONE: any */
	HRESULT hr;
	const char *cause;
	const char *fix; /* # stands for the object's number */
} rows[] = {
	{"offline", CLI_DRIVE, VDS_E_NOT_SUPPORTED,
		"a LUN on it would lose its data: nothing else holds them",
		"status ; list luns where health!=healthy"},
	{"offline", CLI_DRIVE, VDS_E_ANOTHER_CALL_IN_PROGRESS,
		"a recovery reads from it or writes to it", "list jobs ; wait job"},
	{"online", CLI_DRIVE, VDS_E_OBJECT_STATUS_FAILED,
		"it has failed, or it does not answer any more",
		"maintenance drive # blink ; replace drive # with drive N"},
	{"offline", CLI_DRIVE, VDS_E_OBJECT_STATUS_FAILED,
		"it has failed; there is nothing to withdraw",
		"maintenance drive # blink ; replace drive # with drive N"},
	{"online", CLI_DRIVE, VDS_E_OBJECT_DELETED, "it was pulled out", "list drives"},
	{"offline", CLI_DRIVE, VDS_E_OBJECT_DELETED, "it was pulled out", "list drives"},
	{"setflag", CLI_DRIVE, VDS_E_NOT_SUPPORTED,
		"only a drive that is online and in no LUN can become a spare, and one that stands "
		"in must stay one",
		"detail drive # ; list drives where flags=unassigned"},
	{"setflag", CLI_DRIVE, VDS_E_OBJECT_STATUS_FAILED, "it has failed", "list drives"},
	{"create", CLI_LUN, VDS_E_NOT_SUPPORTED,
		"the array does not make this type, or not on these drives: each must be online, "
		"healthy, no spare, "
		"and their number must suit the type",
		"list drives ; help create lun"},
	{"create", CLI_LUN, VDS_E_NOT_ENOUGH_DRIVE,
		"it takes 1 drive for simple, 2 for span, stripe and mirror, 3 for raid5, 4 for "
		"raid6 and raid10; "
		"spares, failed and offline drives do not count",
		"list drives ; add drive path=FILE size=SIZE"},
	{"create", CLI_LUN, VDS_E_NOT_ENOUGH_SPACE, "the drives do not have that much room left",
		"list drives ; create lun TYPE drives=… without size=, for the largest possible"},
	{"create", CLI_LUN, E_INVALIDARG, "the array does not accept this combination",
		"help create lun"},
	{"create", CLI_SUBSYSTEM, E_INVALIDARG,
		"faults=on belongs to the first subsystem of a store, and a name has at most 63 "
		"characters",
		"help create subsystem"},
	{"create", CLI_SUBSYSTEM, VDS_E_NOT_SUPPORTED,
		"the drives are too small, or the store cannot hold more",
		"create subsystem drives=6x96MB"},
	{"add", CLI_DRIVE, VDS_E_NOT_SUPPORTED,
		"it holds something that is not of this subsystem, it is too small, or the slot is "
		"taken; nothing was "
		"written to it",
		"list drives ; help add drive"},
	{"extend", CLI_LUN, VDS_E_NOT_ENOUGH_SPACE,
		"there is not that much free space behind its extents",
		"list drives ; extend lun # drives=LIST"},
	{"extend", CLI_LUN, VDS_E_NOT_SUPPORTED,
		"a LUN of this type, or in this state, cannot grow on these drives",
		"detail lun #"},
	{"shrink", CLI_LUN, VDS_E_INVALID_SHRINK_SIZE, "that is more than the LUN has",
		"detail lun #"},
	{"recover", CLI_LUN, VDS_E_NOT_ENOUGH_DRIVE,
		"no spare is free and the lost drive is not back",
		"setflag drive N hotspare=true ; add drive path=FILE size=SIZE ; recover lun #"},
	{"recover", CLI_LUN, VDS_E_NOT_ENOUGH_SPACE, "no spare is large enough",
		"list drives ; add drive path=FILE size=SIZE ; recover lun #"},
	{"recover", CLI_LUN, VDS_E_OBJECT_STATUS_FAILED,
		"it has lost more drives than its type survives", "detail lun # ; list drives"},
	{"recover", CLI_LUN, VDS_E_ANOTHER_CALL_IN_PROGRESS,
		"a recovery or another change of the LUN is running", "list jobs ; wait job"},
	{"delete", CLI_LUN, VDS_E_ANOTHER_CALL_IN_PROGRESS, "a job is working on it",
		"list jobs ; cancel job N"},
	{"replace", CLI_NOUN_NONE, VDS_E_NOT_SUPPORTED,
		"the new drive must be online, healthy, in no LUN, and at least as large as what "
		"it takes over",
		"list drives where flags=unassigned"},
	{"replace", CLI_NOUN_NONE, E_INVALIDARG, "a drive cannot replace itself", "list drives"},
	{"add", CLI_PLEX, VDS_E_INVALID_OPERATION,
		"the copy must be another LUN of the same subsystem, at least as large, and both "
		"simple or mirrored",
		"list luns"},
	{"break", CLI_NOUN_NONE, VDS_E_INVALID_OPERATION,
		"the last copy of a LUN cannot be removed", "delete lun N"},
	{"maintenance", CLI_NOUN_NONE, VDS_E_NOT_SUPPORTED,
		"this kind of object does not do that, or the operation has no pulses to count",
		"detail {noun} # verbose"},
	{"maintenance", CLI_NOUN_NONE, E_INVALIDARG, "a count of 0 is no count",
		"maintenance {noun} # blink count=3"},
	{"fault", CLI_NOUN_NONE, VDS_E_NOT_SUPPORTED, NULL, NULL},
	{"status", CLI_NOUN_NONE, VDS_E_NOT_SUPPORTED,
		"a status that tells of a fact cannot be set; online and offline can",
		"online {noun} # ; offline {noun} #"},
	{"status", CLI_NOUN_NONE, E_INVALIDARG,
		"unknown is no status to set, and not every object can be removed",
		"online {noun} # ; offline {noun} #"},
	{"read", CLI_LUN, VDS_E_OBJECT_STATUS_FAILED, "its data are unavailable", "status lun #"},
	{"write", CLI_LUN, VDS_E_OBJECT_STATUS_FAILED, "its data are unavailable", "status lun #"},
	{NULL, CLI_NOUN_NONE, VDS_E_PROVIDER_CACHE_CORRUPT,
		"the provider no longer trusts its picture of the array and must read it anew",
		"reenumerate subsystems ; refresh provider"},
	{NULL, CLI_NOUN_NONE, VDS_E_OBJECT_DELETED, "it is gone, or was pulled out",
		"list {noun}s"},
	{"cancel", CLI_JOB, VDS_E_CANCEL_TOO_LATE, "it has already ended", "list jobs"},
	{"cancel", CLI_JOB, VDS_E_NOT_SUPPORTED, "this kind of job cannot be stopped",
		"wait job #"},
};

/* Copies text with {noun} and # filled in. */
static void fill(char *out, size_t size, const char *text, const struct cli_diag *d,
	const struct cli_line *line)
{
	const char *noun = cli_nouns[d->noun ? d->noun : line->noun].name;
	size_t len = 0;

	out[0] = 0;
	while (*text && len + 1 < size) {
		if (!strncmp(text, "{noun}", 6)) {
			len += (size_t)snprintf(out + len, size - len, "%s", noun);
			text += 6;
		} else if (*text == '#' && d->noun && !d->unnumbered) {
			len += (size_t)snprintf(out + len, size - len, "%u", d->number);
			text++;
		} else if (*text == '#') {
			len += (size_t)snprintf(out + len, size - len, "N");
			text++;
		} else {
			out[len++] = *text++;
			out[len] = 0;
		}
	}
}

void cli_advise(struct cli_diag *d, const struct cli_line *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];

		if ((r->verb && strcmp(r->verb, line->command->verb)) || r->hr != (HRESULT)d->hr ||
			(r->noun && r->noun != line->noun))
			continue;
		if (r->cause && d->generic_cause)
			fill(d->cause, sizeof(d->cause), r->cause, d, line);
		if (r->fix && d->generic_fix)
			fill(d->fix, sizeof(d->fix), r->fix, d, line);
		return;
	}
}
