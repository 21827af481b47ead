/* SPDX-License-Identifier: Apache-2.0 */
/* Objects and their properties; see object.h. */
#include "cli/object.h"

#include "cli/error.h"
#include "cli/names.h"

#include <string.h>

void *cli_object_query(const struct cli_object *obj, REFIID iid)
{
	void *p = NULL;

	if (!obj->unk || FAILED(IUnknown_QueryInterface(obj->unk, iid, &p)))
		return NULL;
	return p;
}

/* GetProperties of an interface into a JSON object: the call, the text, the release. */
#define READ_PROPS(obj, json, iface, method, type)                                                 \
	({                                                                                         \
		iface *self_ = cli_object_query(obj, &IID_##iface);                                \
		type prop_;                                                                        \
		HRESULT hr_ = E_NOINTERFACE;                                                       \
		memset(&prop_, 0, sizeof(prop_));                                                  \
		if (self_) {                                                                       \
			hr_ = iface##_##method(self_, &prop_);                                     \
			if (SUCCEEDED(hr_) && cli_struct_json(json, &idl_struct_##type, &prop_))   \
				hr_ = E_OUTOFMEMORY;                                               \
			cli_struct_free(&idl_struct_##type, &prop_);                               \
			CLI_RELEASE(self_);                                                        \
		}                                                                                  \
		hr_;                                                                               \
	})

/* Keys that are always there, also when the call that knows them is refused. */
static void add_absent(json_t *json, const struct idl_struct *s)
{
	char key[64];

	for (size_t i = 0; i < s->count; i++) {
		cli_key(s->fields[i].name, key);
		if (!json_object_get(json, key))
			json_object_set_new(json, key, json_null());
	}
}

static HRESULT read_settings(const struct cli_object *obj, json_t *json)
{
	static const struct {
		VDSX_SETTING setting;
		const char *key;
	} settings[] = {{VDSX_SETTING_AUTO_RECOVERY, "autorecover"},
		{VDSX_SETTING_SPARE_DELAY_MS, "spare_delay_ms"},
		{VDSX_SETTING_PULSE_INTERVAL_MS, "pulse_interval_ms"},
		{VDSX_SETTING_REBUILD_RATE, "rebuild_rate_bytes"}};
	IVdsxHwProvider *p = cli_object_query(obj, &IID_IVdsxHwProvider);

	for (size_t i = 0; p && i < sizeof(settings) / sizeof(settings[0]); i++) {
		ULONGLONG value = 0;

		if (FAILED(IVdsxHwProvider_GetSetting(p, settings[i].setting, &value)))
			json_object_set_new(json, settings[i].key, json_null());
		else if (settings[i].setting == VDSX_SETTING_AUTO_RECOVERY)
			json_object_set_new(json, settings[i].key, json_boolean(value != 0));
		else
			json_object_set_new(json, settings[i].key, json_integer((json_int_t)value));
	}
	CLI_RELEASE(p);
	return S_OK;
}

static HRESULT read_drive(const struct cli_object *obj, json_t *json)
{
	HRESULT hr = READ_PROPS(obj, json, IVdsDrive2, GetProperties2, VDS_DRIVE_PROP2);

	if (hr == E_NOINTERFACE)
		hr = READ_PROPS(obj, json, IVdsDrive, GetProperties, VDS_DRIVE_PROP);
	if (FAILED(hr))
		return hr;
	(void)READ_PROPS(obj, json, IVdsxDrive, GetDetail, VDSX_DRIVE_DETAIL);
	add_absent(json, &idl_struct_VDSX_DRIVE_DETAIL);
	return hr;
}

static HRESULT read_lun(const struct cli_object *obj, json_t *json)
{
	HRESULT hr = READ_PROPS(obj, json, IVdsLun, GetProperties, VDS_LUN_PROP);

	if (FAILED(hr))
		return hr;
	(void)READ_PROPS(obj, json, IVdsxLun, GetDetail, VDSX_LUN_DETAIL);
	add_absent(json, &idl_struct_VDSX_LUN_DETAIL);
	return hr;
}

static HRESULT read_subsystem(const struct cli_object *obj, json_t *json)
{
	HRESULT hr = READ_PROPS(obj, json, IVdsSubSystem2, GetProperties2, VDS_SUB_SYSTEM_PROP2);

	if (hr == E_NOINTERFACE)
		hr = READ_PROPS(obj, json, IVdsSubSystem, GetProperties, VDS_SUB_SYSTEM_PROP);
	return hr;
}

static HRESULT read_props(const struct cli_object *obj, json_t *json)
{
	HRESULT hr;

	switch (obj->noun) {
	case CLI_PROVIDER:
		hr = READ_PROPS(obj, json, IVdsProvider, GetProperties, VDS_PROVIDER_PROP);
		return FAILED(hr) ? hr : read_settings(obj, json);
	case CLI_SUBSYSTEM:
		return read_subsystem(obj, json);
	case CLI_CONTROLLER:
		return READ_PROPS(obj, json, IVdsController, GetProperties, VDS_CONTROLLER_PROP);
	case CLI_PORT:
		return READ_PROPS(obj, json, IVdsControllerPort, GetProperties, VDS_PORT_PROP);
	case CLI_DRIVE:
		return read_drive(obj, json);
	case CLI_LUN:
		return read_lun(obj, json);
	case CLI_PLEX:
		return READ_PROPS(obj, json, IVdsLunPlex, GetProperties, VDS_LUN_PLEX_PROP);
	case CLI_JOB:
	case CLI_FAULT:
	case CLI_NOUN_NONE:
	case CLI_NOUN_COUNT:
		break;
	}
	return E_UNEXPECTED;
}

HRESULT cli_object_read(struct cli_object *obj)
{
	json_t *json;
	const char *id;
	struct guid g;
	HRESULT hr;

	if (obj->props)
		return S_OK;
	json = json_object();
	if (!json)
		return E_OUTOFMEMORY;
	json_object_set_new(json, "number", json_integer(obj->number));
	if (obj->subsystem && obj->noun != CLI_SUBSYSTEM)
		json_object_set_new(json, "subsystem", json_integer(obj->subsystem_number));
	hr = read_props(obj, json);
	if (FAILED(hr)) {
		json_decref(json);
		return hr;
	}
	obj->props = json;
	id = cli_object_text(obj, "id");
	if (id && guid_parse(id, &g)) {
		cli_guid_from(&g, &obj->id);
		guid_format(&g, obj->id_text);
	}
	return hr;
}

int cli_object_props(struct cli_ctx *ctx, struct cli_object *obj)
{
	HRESULT hr = cli_object_read(obj);

	if (SUCCEEDED(hr))
		return CLI_OK;
	return cli_fail(ctx, hr, obj, "the properties of %s %u cannot be read",
		cli_nouns[obj->noun].text, obj->number);
}

const char *cli_object_text(const struct cli_object *obj, const char *key)
{
	return json_string_value(json_object_get(obj->props, key));
}

json_int_t cli_object_int(const struct cli_object *obj, const char *key)
{
	return json_integer_value(json_object_get(obj->props, key));
}

const char *cli_object_title(const struct cli_object *obj, char buf[static 128])
{
	static const char *const titles[CLI_NOUN_COUNT] = {[CLI_PROVIDER] = "Provider",
		[CLI_SUBSYSTEM] = "Subsystem",
		[CLI_CONTROLLER] = "Controller",
		[CLI_PORT] = "Port",
		[CLI_DRIVE] = "Drive",
		[CLI_LUN] = "LUN",
		[CLI_PLEX] = "Plex",
		[CLI_JOB] = "Job",
		[CLI_FAULT] = "Fault"};
	const char *title = titles[obj->noun] ? titles[obj->noun] : "Object";
	const char *name = cli_object_text(obj, "friendly_name");
	char plain[32];

	snprintf(plain, sizeof(plain), "%s %u", title, obj->number);
	if (name && !strcasecmp(name, plain))
		name = NULL; /* the name a LUN has by default says no more */

	if (obj->noun == CLI_DRIVE && obj->props)
		snprintf(buf, 128, "%s %u (bus %d slot %d)", title, obj->number,
			(int)cli_object_int(obj, "bus"), (int)cli_object_int(obj, "slot"));
	else if (obj->noun == CLI_LUN && name)
		snprintf(buf, 128, "%s %u (%.90s)", title, obj->number, name);
	else
		snprintf(buf, 128, "%s %u", title, obj->number);
	return buf;
}

void cli_object_release(struct cli_object *obj)
{
	CLI_RELEASE(obj->unk);
	CLI_RELEASE(obj->subsystem);
	json_decref(obj->props);
	memset(obj, 0, sizeof(*obj));
}

void cli_objects_release(struct cli_objects *list)
{
	struct cli_object *o;

	vec_for_each (list, o)
		cli_object_release(o);
	cli_objects_free(list);
}

void cli_object_move(struct cli_object *copy, struct cli_object *obj)
{
	*copy = *obj;
	memset(obj, 0, sizeof(*obj));
}
