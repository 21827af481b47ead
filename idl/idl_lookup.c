/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Look-ups in the generated tables. They are short (some hundred rows) and asked by people's
 * commands and by failures, so a walk is quick enough and needs no second, sorted copy.
 */
#include "idl_tables.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const struct idl_enum *idl_enum_find(const char *name)
{
	for (size_t i = 0; i < idl_enums_count; i++)
		if (!strcmp(idl_enums[i]->name, name))
			return idl_enums[i];
	return NULL;
}

const struct idl_struct *idl_struct_find(const char *name)
{
	for (size_t i = 0; i < idl_structs_count; i++)
		if (!strcmp(idl_structs[i]->name, name))
			return idl_structs[i];
	return NULL;
}

const struct idl_interface *idl_interface_find(const char *name)
{
	for (size_t i = 0; i < idl_interfaces_count; i++)
		if (!strcmp(idl_interfaces[i]->name, name))
			return idl_interfaces[i];
	return NULL;
}

const struct idl_interface *idl_interface_by_iid(const IID *iid)
{
	for (size_t i = 0; i < idl_interfaces_count; i++)
		if (IsEqualIID(idl_interfaces[i]->iid, iid))
			return idl_interfaces[i];
	return NULL;
}

const struct idl_error *idl_error_find(const char *symbol)
{
	for (size_t i = 0; i < idl_errors_count; i++)
		if (!strcmp(idl_errors[i].symbol, symbol))
			return &idl_errors[i];
	return NULL;
}

const struct idl_error *idl_error_by_value(HRESULT hr)
{
	for (size_t i = 0; i < idl_errors_count; i++)
		if (idl_errors[i].value == hr)
			return &idl_errors[i];
	return NULL;
}

const char *idl_notification_symbol(ULONG event)
{
	for (size_t i = 0; i < idl_notifications_count; i++)
		if (idl_notifications[i].value == event)
			return idl_notifications[i].symbol;
	return NULL;
}

const char *idl_guid_symbol(const GUID *guid)
{
	for (size_t i = 0; i < idl_guids_count; i++)
		if (IsEqualGUID(idl_guids[i].value, guid))
			return idl_guids[i].symbol;
	return NULL;
}

const struct idl_method *idl_method_at(const struct idl_interface *iface, unsigned slot)
{
	for (; iface; iface = iface->base) {
		unsigned first = (unsigned)iface->slots - iface->own;

		if (slot >= iface->slots)
			return NULL;
		if (slot >= first)
			return &iface->methods[slot - first];
	}
	return NULL;
}

const struct idl_enum_member *idl_enum_member(const struct idl_enum *e, ULONG value)
{
	const struct idl_enum_member *bound = NULL;

	for (size_t i = 0; i < e->count; i++) {
		if (e->members[i].value != value)
			continue;
		if (!e->members[i].bound)
			return &e->members[i];
		bound = &e->members[i];
	}
	return bound;
}

const struct idl_enum_member *idl_enum_named(const struct idl_enum *e, const char *text)
{
	for (size_t i = 0; i < e->count; i++)
		if (!strcmp(e->members[i].symbol, text) || !strcasecmp(e->members[i].word, text))
			return &e->members[i];
	return NULL;
}

bool idl_enum_valid(const struct idl_enum *e, ULONG value)
{
	const struct idl_enum_member *member;

	if (e->flags)
		return !(value & ~e->bits);
	member = idl_enum_member(e, value);
	return member && !member->bound;
}

const char *idl_enum_word(const struct idl_enum *e, ULONG value)
{
	const struct idl_enum_member *member = idl_enum_member(e, value);

	return member ? member->word : NULL;
}

const struct idl_enum_member *idl_flags_next(const struct idl_enum *e, ULONG *bits)
{
	for (size_t i = 0; i < e->count; i++) {
		ULONG value = e->members[i].value;

		if (value && (*bits & value) == value) {
			*bits &= ~value;
			return &e->members[i];
		}
	}
	return NULL;
}

const char *idl_error_format(HRESULT hr, char *buf, size_t cap)
{
	const struct idl_error *error = idl_error_by_value(hr);

	if (error)
		snprintf(buf, cap, "%s (0x%08x): %s", error->symbol, (unsigned)hr, error->meaning);
	else
		snprintf(buf, cap, "0x%08x", (unsigned)hr);
	return buf;
}
