/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection to the service, and finding objects in it. Objects are looked up anew for each
 * command: nothing is cached that another client could change.
 *
 * Functions return CLI_OK or a status with the outcome's diagnosis set.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/object.h"

struct cli_session {
	IVdsService *service;
	IVdsxHwProvider *hw; /* of the array provider; NULL when it is not there */
	IVdsxJobs *jobs;
	IVdsProvider *provider;
	bool held; /* background recovery waits until the first command has run */
};

/* Opens the store of the options when none is open. create: make the store if there is none. */
int cli_session_open(struct cli_ctx *ctx, bool create, bool hold);
void cli_session_close(struct cli_ctx *ctx);

/* All objects of a kind, by number. List is empty before, and released by the caller always. */
int cli_session_list(struct cli_ctx *ctx, enum cli_noun noun, struct cli_objects *list);

/* Those the selectors name, in the order named, none twice. An unknown one is an error. */
int cli_session_find(struct cli_ctx *ctx, enum cli_noun noun, const struct cli_sels *sels,
	struct cli_objects *out);

/* The one object a command acts on: named after the noun, or in focus, or, for a provider or
 * subsystem, the only one there is. */
int cli_session_target(struct cli_ctx *ctx, const struct cli_line *line, struct cli_object *out);
/* The same for all objects named; at least one. */
int cli_session_targets(struct cli_ctx *ctx, const struct cli_line *line, struct cli_objects *out);

/* The one object an option names. */
int cli_session_option(struct cli_ctx *ctx, const struct cli_value *value, struct cli_object *out);

/* The subsystem: by the option subsystem=, the focus, or the only one. */
int cli_session_subsystem(struct cli_ctx *ctx, const struct cli_line *line, struct cli_object *out);

/* The number of the object with this identity, or -1. noun: drive or LUN, for instance. */
json_int_t cli_session_number(struct cli_ctx *ctx, enum cli_noun noun, const GUID *id);

/* The plexes of a LUN, numbered from 0. */
int cli_session_plexes(struct cli_ctx *ctx, const struct cli_object *lun, struct cli_objects *out);

#endif
