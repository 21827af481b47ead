/* SPDX-License-Identifier: Apache-2.0 */
/* The hidden command behind shell completion: vds … __complete VERB NOUN. Silent on any error. */
#include "cli/run.h"

#include "cli/session.h"

#include <string.h>

int cli_complete(struct cli_ctx *ctx, int count, char *const *words)
{
	enum cli_noun noun = count > 1 ? cli_find_noun(words[1], ~0u, true) : CLI_NOUN_NONE;
	struct cli_objects list = {0};
	struct cli_object *o;

	ctx->mode = CLI_ONE_SHOT;
	if (!noun || noun == CLI_JOB || noun == CLI_FAULT || noun == CLI_PLEX ||
		cli_session_open(ctx, false, true) || cli_session_list(ctx, noun, &list)) {
		cli_objects_release(&list);
		return CLI_OK;
	}
	vec_for_each (&list, o) {
		const char *name;

		fprintf(ctx->out, "%u\n", o->number);
		if (FAILED(cli_object_read(o)))
			continue;
		name = cli_object_text(o, "friendly_name");
		if (noun == CLI_DRIVE)
			fprintf(ctx->out, "slot:%d.%d\n", (int)cli_object_int(o, "bus"),
				(int)cli_object_int(o, "slot"));
		else if (name && !strpbrk(name, " \t\"'"))
			fprintf(ctx->out, "name:%s\n", name);
	}
	cli_objects_release(&list);
	return CLI_OK;
}
