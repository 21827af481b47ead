/* SPDX-License-Identifier: Apache-2.0 */
/* Structures as JSON; see names.h. */
#include "cli/names.h"

#include "cli/hr.h"

#include "base/cleanup.h"
#include "base/utf16.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>

/* Members whose key is not the rule's. */
static const struct exception {
	const char *member, *key;
} exceptions[] = {
	{"sInternalBusNumber", "bus"},
	{"sSlotNumber", "slot"},
	{"busType", "bus_type"},
	{"hrResult", "hresult"},
	{"ulStripeSizeFlags", "stripe_size_flags"},
	{"ulIntervalMs", "interval_ms"},
};

/* Which enum the bits of a ULONG member are. */
static const struct flag_member {
	const char *structure, *member;
	const struct idl_enum *bits;
} flag_members[] = {
	{"VDS_PROVIDER_PROP", "ulFlags", &idl_enum_VDS_PROVIDER_FLAG},
	{"VDS_SUB_SYSTEM_PROP", "ulFlags", &idl_enum_VDS_SUB_SYSTEM_FLAG},
	{"VDS_SUB_SYSTEM_PROP2", "ulFlags", &idl_enum_VDS_SUB_SYSTEM_FLAG},
	{"VDS_SUB_SYSTEM_PROP2", "ulSupportedRaidTypeFlags",
		&idl_enum_VDS_SUB_SYSTEM_SUPPORTED_RAID_TYPE_FLAG},
	{"VDS_DRIVE_PROP", "ulFlags", &idl_enum_VDS_DRIVE_FLAG},
	{"VDS_DRIVE_PROP2", "ulFlags", &idl_enum_VDS_DRIVE_FLAG},
	{"VDS_LUN_PROP", "ulFlags", &idl_enum_VDS_LUN_FLAG},
	{"VDS_LUN_PLEX_PROP", "ulFlags", &idl_enum_VDS_LUN_PLEX_FLAG},
};

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

/* The member's name after its type prefix ("ull", "pwsz", …). */
static const char *without_prefix(const char *member)
{
	static const char *const prefixes[] = {
		"pwsz", "guid", "ull", "ul", "dw", "hr", "s", "b", "l", "p"};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t len = strlen(prefixes[i]);

		if (!strncmp(member, prefixes[i], len) && isupper((unsigned char)member[len]))
			return member + len;
	}
	return member;
}

const char *cli_key(const char *member, char buf[static 64])
{
	const char *name = without_prefix(member);
	bool bytes =
		ends_with(name, "Size") || ends_with(name, "Offset") || !strcmp(name, "Rebuilt");
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++) {
		if (!strcmp(exceptions[i].member, member)) {
			snprintf(buf, 64, "%s", exceptions[i].key);
			return buf;
		}
	}
	for (size_t i = 0; name[i] && n < 50; i++) {
		if (i && isupper((unsigned char)name[i]) && !isupper((unsigned char)name[i - 1]))
			buf[n++] = '_';
		buf[n++] = (char)tolower((unsigned char)name[i]);
	}
	snprintf(buf + n, 64 - n, "%s", bytes ? "_bytes" : "");
	return buf;
}

/* ---- values ---- */

json_t *cli_string_json(const char *text)
{
	json_t *s = text && *text ? json_string(text) : json_null();

	return s ? s : json_null();
}

json_t *cli_wide_json(const WCHAR *text)
{
	cleanup_free char *utf8 = text ? utf16_to_utf8((const uint16_t *)text) : NULL;

	return cli_string_json(utf8);
}

WCHAR *cli_wide(const char *utf8)
{
	size_t units = utf16_units_for(utf8) + 1;
	uint16_t *text = malloc(units * sizeof(*text));

	if (text)
		utf16_from_utf8(utf8, text, units);
	return (WCHAR *)text;
}

json_t *cli_time_json(uint64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char text[64];
	struct tm tm;
	size_t len;

	if (!ms || !gmtime_r(&seconds, &tm))
		return json_null();
	len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + len, sizeof(text) - len, ".%03uZ", (unsigned)(ms % 1000));
	return json_string(text);
}

void cli_guid_to(const GUID *id, struct guid *out)
{
	for (int i = 0; i < 4; i++)
		out->b[i] = (uint8_t)(id->Data1 >> (24 - 8 * i));
	out->b[4] = (uint8_t)(id->Data2 >> 8);
	out->b[5] = (uint8_t)id->Data2;
	out->b[6] = (uint8_t)(id->Data3 >> 8);
	out->b[7] = (uint8_t)id->Data3;
	memcpy(out->b + 8, id->Data4, 8);
}

void cli_guid_from(const struct guid *id, GUID *out)
{
	out->Data1 =
		(DWORD)id->b[0] << 24 | (DWORD)id->b[1] << 16 | (DWORD)id->b[2] << 8 | id->b[3];
	out->Data2 = (WORD)(id->b[4] << 8 | id->b[5]);
	out->Data3 = (WORD)(id->b[6] << 8 | id->b[7]);
	memcpy(out->Data4, id->b + 8, 8);
}

const char *cli_guid_text(const GUID *id, char buf[static GUID_TEXT_SIZE])
{
	struct guid g;

	cli_guid_to(id, &g);
	return guid_format(&g, buf);
}

bool cli_guid_is_zero(const GUID *id)
{
	static const GUID zero;

	return !memcmp(id, &zero, sizeof(zero));
}

json_t *cli_guid_json(const GUID *id)
{
	char text[GUID_TEXT_SIZE];

	return cli_guid_is_zero(id) ? json_null() : json_string(cli_guid_text(id, text));
}

const char *cli_enum_word(const struct idl_enum *e, ULONG value)
{
	const char *word = idl_enum_word(e, value);

	return word ? word : "unknown";
}

static void set_raw(json_t *object, const char *key, ULONG value)
{
	char raw[80];

	snprintf(raw, sizeof(raw), "%s_raw", key);
	json_object_set_new(object, raw, json_integer(value));
}

void cli_enum_json(json_t *object, const char *key, const struct idl_enum *e, ULONG value)
{
	json_object_set_new(object, key, json_string(cli_enum_word(e, value)));
	set_raw(object, key, value);
}

void cli_flags_json(json_t *object, const char *key, const struct idl_enum *e, ULONG value)
{
	const struct idl_enum_member *m;
	json_t *words = json_array();
	ULONG bits = value;

	while ((m = idl_flags_next(e, &bits)))
		json_array_append_new(words, json_string(m->word));
	json_object_set_new(object, key, words);
	set_raw(object, key, value);
}

/* ---- structures ---- */

static const struct idl_enum *find_flags(const struct idl_struct *s, const struct idl_field *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(flag_members); i++)
		if (!strcmp(flag_members[i].structure, s->name) &&
			!strcmp(flag_members[i].member, f->name))
			return flag_members[i].bits;
	return NULL;
}

static json_int_t read_int(const struct idl_field *f, const void *at)
{
	uint64_t v = 0;
	int64_t sv;

	memcpy(&v, at, f->type.size); /* little-endian hosts only, as the build checks */
	if (!f->type.is_signed || f->type.size == 8)
		return (json_int_t)v;
	sv = (int64_t)(v << (64 - 8 * f->type.size));
	return (json_int_t)(sv >> (64 - 8 * f->type.size));
}

static void set_hresult(json_t *object, const char *key, HRESULT hr)
{
	char text[16], name[80];

	snprintf(text, sizeof(text), "0x%08x", (unsigned)hr);
	snprintf(name, sizeof(name), "%s_name", key);
	json_object_set_new(object, key, json_string(text));
	json_object_set_new(object, name, cli_string_json(cli_hr_name(hr)));
}

static void set_member(
	json_t *object, const struct idl_struct *s, const struct idl_field *f, const void *at)
{
	const struct idl_enum *flags = find_flags(s, f);
	char key[64];

	cli_key(f->name, key);
	switch (f->type.kind) {
	case IDL_KIND_INT:
		if (flags)
			cli_flags_json(object, key, flags, *(const ULONG *)at);
		else if (ends_with(f->name, "At") && f->type.size == 8)
			json_object_set_new(object, key, cli_time_json(*(const ULONGLONG *)at));
		else
			json_object_set_new(object, key, json_integer(read_int(f, at)));
		return;
	case IDL_KIND_BOOL:
		json_object_set_new(object, key, json_boolean(read_int(f, at)));
		return;
	case IDL_KIND_HRESULT:
		set_hresult(object, key, *(const HRESULT *)at);
		return;
	case IDL_KIND_GUID:
		json_object_set_new(object, key, cli_guid_json(at));
		return;
	case IDL_KIND_ENUM:
		cli_enum_json(object, key, f->type.enumeration, *(const ULONG *)at);
		return;
	case IDL_KIND_STRING:
		json_object_set_new(object, key, cli_wide_json(*(WCHAR *const *)at));
		return;
	case IDL_KIND_CSTRING:
		json_object_set_new(object, key, cli_string_json(*(char *const *)at));
		return;
	case IDL_KIND_VOID:
	case IDL_KIND_WCHAR:
	case IDL_KIND_STRUCT:
	case IDL_KIND_INTERFACE:
		return;
	}
}

int cli_struct_json(json_t *object, const struct idl_struct *s, const void *data)
{
	if (!object)
		return -ENOMEM;
	for (size_t i = 0; i < s->count; i++) {
		const struct idl_field *f = &s->fields[i];

		if (!f->bound && !f->type.pointers)
			set_member(object, s, f, (const char *)data + f->offset);
	}
	return 0;
}

void cli_struct_free(const struct idl_struct *s, void *data)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct idl_field *f = &s->fields[i];
		void **at = (void **)(void *)((char *)data + f->offset);

		if (f->type.kind == IDL_KIND_STRING || f->type.kind == IDL_KIND_CSTRING) {
			CoTaskMemFree(*at);
			*at = NULL;
		}
	}
}
