/* SPDX-License-Identifier: Apache-2.0 */
/* Relations between objects; see relations.h. */
#include "cli/relations.h"

#include "cli/names.h"

#include <string.h>

/* ---- numbers ---- */

int cli_index_read(struct cli_ctx *ctx, enum cli_noun noun, struct cli_index *index)
{
	struct cli_object *o;
	int status = cli_session_list(ctx, noun, &index->objects);

	vec_for_each (&index->objects, o)
		if (!status)
			(void)cli_object_read(
				o); /* one that just went away has no number to give */
	return status;
}

void cli_index_release(struct cli_index *index)
{
	cli_objects_release(&index->objects);
}

json_t *cli_index_number(const struct cli_index *index, const GUID *id)
{
	const struct cli_object *o;

	vec_for_each (&index->objects, o)
		if (o->props && !memcmp(&o->id, id, sizeof(*id)))
			return json_integer(o->number);
	return json_null();
}

/* ---- LUNs ---- */

static void add_number(json_t *list, json_t *number)
{
	json_t *item;
	size_t i;

	if (!json_is_integer(number))
		return;
	json_array_foreach(list, i, item) if (json_equal(item, number)) return;
	json_array_append(list, number);
}

void cli_add_members(json_t *json, const struct cli_object *lun, const struct cli_index *drives)
{
	IVdsxLun *l = cli_object_query(lun, &IID_IVdsxLun);
	json_t *members = json_array(), *numbers = json_array();
	VDSX_LUN_MEMBER *list = NULL;
	LONG count = 0;

	if (l && FAILED(IVdsxLun_QueryMembers(l, &list, &count)))
		count = 0;
	for (LONG i = 0; i < count; i++) {
		json_t *m = json_object();
		json_t *number = cli_index_number(drives, &list[i].driveId);

		json_object_set_new(m, "slot", json_integer(list[i].ulSlot));
		json_object_set_new(m, "drive", number);
		cli_struct_json(m, &idl_struct_VDSX_LUN_MEMBER, &list[i]);
		add_number(numbers, number);
		json_array_append_new(members, m);
	}
	CoTaskMemFree(list);
	CLI_RELEASE(l);
	json_object_set_new(json, "drives", numbers);
	json_object_set_new(json, "members", members);
}

void cli_add_plexes(struct cli_ctx *ctx, json_t *json, const struct cli_object *lun)
{
	struct cli_diag saved = ctx->outcome.diag;
	struct cli_objects plexes = {0};
	json_t *list = json_array();
	struct cli_object *p;

	(void)cli_session_plexes(ctx, lun, &plexes);
	ctx->outcome.diag = saved;
	vec_for_each (&plexes, p)
		if (SUCCEEDED(cli_object_read(p)))
			json_array_append(list, p->props);
	cli_objects_release(&plexes);
	json_object_set_new(json, "plexes", list);
}

/* ---- drives ---- */

void cli_add_extents(json_t *json, const struct cli_object *drive, const struct cli_index *luns)
{
	IVdsDrive *d = cli_object_query(drive, &IID_IVdsDrive);
	json_t *extents = json_array(), *numbers = json_array();
	VDS_DRIVE_EXTENT *list = NULL;
	LONG count = 0;

	if (d && FAILED(IVdsDrive_QueryExtents(d, &list, &count)))
		count = 0;
	for (LONG i = 0; i < count; i++) {
		json_t *e = json_object(), *number = cli_index_number(luns, &list[i].LunId);

		json_object_set_new(e, "used", json_boolean(list[i].bUsed));
		json_object_set_new(e, "lun", number);
		json_object_set_new(e, "lun_id", cli_guid_json(&list[i].LunId));
		json_object_set_new(e, "size_bytes", json_integer((json_int_t)list[i].ullSize));
		add_number(numbers, number);
		json_array_append_new(extents, e);
	}
	CoTaskMemFree(list);
	CLI_RELEASE(d);
	json_object_set_new(json, "luns", numbers);
	json_object_set_new(json, "extents", extents);
}

/* ---- lights ---- */

static const char *const operations[] = {"blink", "beep", "spindown", "spinup", "ping"};

const char *cli_operation_word(VDS_MAINTENANCE_OPERATION op)
{
	return op >= BlinkLight && op <= Ping ? operations[op - BlinkLight] : "unknown";
}

VDS_MAINTENANCE_OPERATION cli_operation_named(const char *word)
{
	for (int i = 0; i < 5; i++)
		if (!strcmp(word, operations[i]))
			return (VDS_MAINTENANCE_OPERATION)(i + BlinkLight);
	return (VDS_MAINTENANCE_OPERATION)0;
}

/* The word of the command line instead of the header's. */
static void set_operation(json_t *json, VDS_MAINTENANCE_OPERATION op)
{
	json_object_set_new(json, "operation", json_string(cli_operation_word(op)));
	json_object_set_new(json, "operation_raw", json_integer(op));
}

json_t *cli_maintenance_json(const VDSX_MAINTENANCE_STATE *state)
{
	json_t *j = json_object();

	cli_struct_json(j, &idl_struct_VDSX_MAINTENANCE_STATE, state);
	set_operation(j, state->operation);
	return j;
}

static json_t *read_log(IVdsxMaintenance *m)
{
	VDSX_MAINTENANCE_EVENT *events = NULL;
	json_t *list = json_array();
	LONG count = 0;

	if (FAILED(IVdsxMaintenance_QueryLog(m, 0, &events, &count)))
		return list;
	for (LONG i = 0; i < count; i++) {
		json_t *e = json_object();

		cli_struct_json(e, &idl_struct_VDSX_MAINTENANCE_EVENT, &events[i]);
		set_operation(e, events[i].operation);
		json_array_append_new(list, e);
	}
	CoTaskMemFree(events);
	return list;
}

void cli_add_maintenance(json_t *json, const struct cli_object *obj, bool log)
{
	IVdsxMaintenance *m = cli_object_query(obj, &IID_IVdsxMaintenance);
	VDSX_MAINTENANCE_STATE *states = NULL;
	json_t *list = json_array();
	LONG count = 0;

	if (m && FAILED(IVdsxMaintenance_QueryState(m, &states, &count)))
		count = 0;
	for (LONG i = 0; i < count; i++)
		json_array_append_new(list, cli_maintenance_json(&states[i]));
	CoTaskMemFree(states);
	json_object_set_new(json, "maintenance", list);
	if (m && log)
		json_object_set_new(json, "maintenance_log", read_log(m));
	CLI_RELEASE(m);
}
