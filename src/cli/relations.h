/* SPDX-License-Identifier: Apache-2.0 */
/* What objects have to do with each other, as JSON: members, extents, plexes, lights. */
#ifndef CLI_RELATIONS_H
#define CLI_RELATIONS_H

#include "cli/session.h"

/* From identities to numbers, read once for a command that needs many. */
struct cli_index {
	struct cli_objects objects;
};

int cli_index_read(struct cli_ctx *ctx, enum cli_noun noun, struct cli_index *index);
void cli_index_release(struct cli_index *index);
/* The number as JSON, or null. */
json_t *cli_index_number(const struct cli_index *index, const GUID *id);

/* Each adds keys to the object's JSON; what the service refuses is left out with null. */
void cli_add_members(json_t *json, const struct cli_object *lun, const struct cli_index *drives);
void cli_add_extents(json_t *json, const struct cli_object *drive, const struct cli_index *luns);
void cli_add_plexes(struct cli_ctx *ctx, json_t *json, const struct cli_object *lun);
/* "maintenance" and, with log, "maintenance_log". */
void cli_add_maintenance(json_t *json, const struct cli_object *obj, bool log);

/* blink, beep, … by operation (1 to 5). */
const char *cli_operation_word(VDS_MAINTENANCE_OPERATION op);
VDS_MAINTENANCE_OPERATION cli_operation_named(const char *word);
json_t *cli_maintenance_json(const VDSX_MAINTENANCE_STATE *state);

#endif
