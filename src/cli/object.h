/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One object of the service as the command line sees it: its kind, number, interface pointer and
 * properties. Holds references; cli_object_release drops them.
 */
#ifndef CLI_OBJECT_H
#define CLI_OBJECT_H

#include "base/guid.h"
#include "base/vec.h"
#include "cli/ctx.h"

struct cli_object {
	enum cli_noun noun;
	uint32_t number;
	IUnknown *unk;            /* NULL for jobs and faults */
	IVdsSubSystem *subsystem; /* that it belongs to, or NULL */
	uint32_t subsystem_number;
	GUID id; /* valid once props is */
	char id_text[GUID_TEXT_SIZE];
	json_t *props; /* NULL until cli_object_props */
};

VEC(struct cli_object, cli_objects)

#define CLI_RELEASE(p)                                                                             \
	do {                                                                                       \
		if (p)                                                                             \
			(p)->lpVtbl->Release(p);                                                   \
		(p) = NULL;                                                                        \
	} while (0)

/* QueryInterface of obj->unk; NULL when it has no such interface. The caller releases. */
void *cli_object_query(const struct cli_object *obj, REFIID iid);

/* Reads the properties, once. Returns CLI_OK or a status with the outcome's diagnosis set. */
int cli_object_props(struct cli_ctx *ctx, struct cli_object *obj);
/* The same without reporting: for lists, where an object may go while they are made. */
HRESULT cli_object_read(struct cli_object *obj);

/* Members of the properties; NULL / 0 when absent. */
const char *cli_object_text(const struct cli_object *obj, const char *key);
json_int_t cli_object_int(const struct cli_object *obj, const char *key);

/* "LUN 5 (backup)", "Drive 1 (bus 0 slot 1)": the beginning of a sentence. Into buf. */
const char *cli_object_title(const struct cli_object *obj, char buf[static 128]);

void cli_object_release(struct cli_object *obj);
void cli_objects_release(struct cli_objects *list);

/* Moves obj's references into *copy and leaves obj empty. */
void cli_object_move(struct cli_object *copy, struct cli_object *obj);

#endif
