/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares headers and tables with tests/abi/tables, row by row (see make_checks.py). The
 * argument names the part to run; without one, all of them.
 */
#include "abi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idl_tables.h"

static unsigned checks, failures;

void abi_equal(const char *what, unsigned long long expected, unsigned long long actual)
{
	checks++;
	if (expected == actual)
		return;
	failures++;
	printf("%s: expected %llu (0x%llx), is %llu (0x%llx)\n", what, expected, expected, actual,
		actual);
}

static void guid_text(const GUID *g, char out[37])
{
	snprintf(out, 37, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", g->Data1, g->Data2,
		g->Data3, g->Data4[0], g->Data4[1], g->Data4[2], g->Data4[3], g->Data4[4],
		g->Data4[5], g->Data4[6], g->Data4[7]);
}

int abi_guid_is(const GUID *guid, const char *text)
{
	char own[37];

	guid_text(guid, own);
	return !strcmp(own, text);
}

int abi_guid_known(const char *text)
{
	for (size_t i = 0; i < idl_guids_count; i++)
		if (abi_guid_is(idl_guids[i].value, text))
			return 1;
	return 0;
}

int abi_error_known(HRESULT hr, const char *symbol)
{
	const struct idl_error *e = idl_error_find(symbol);

	return e && e->value == hr && e->meaning && *e->meaning && idl_error_by_value(hr);
}

int abi_event_known(ULONG event, const char *symbol)
{
	const char *own = idl_notification_symbol(event);

	return own && !strcmp(own, symbol);
}

int abi_base(const char *iface, const char *base)
{
	const struct idl_interface *i = idl_interface_find(iface);

	return i && !strcmp(i->base ? i->base->name : "", base) &&
	       idl_interface_by_iid(i->iid) == i;
}

int abi_method(const char *iface, unsigned slot, const char *name, unsigned params)
{
	const struct idl_interface *i = idl_interface_find(iface);
	const struct idl_method *m = i ? idl_method_at(i, slot) : NULL;

	return m && m->slot == slot && m->count == params && !strcmp(m->name, name);
}

/* Whether the comma-separated list has the attribute, alone or with arguments. */
static bool has_attribute(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = list; (p = strstr(p, name)); p += len) {
		bool begins = p == list || p[-1] == ',';
		bool ends = !p[len] || p[len] == ',' || p[len] == '(';

		if (begins && ends)
			return true;
	}
	return false;
}

/* The name in size_is(name), size_is(*name) or size_is(,*name), and which level it is for. */
static unsigned sized_by(const char *list, char name[64])
{
	const char *p = strstr(list, "size_is(");
	unsigned level = 1;

	if (!p)
		return 0;
	p += strlen("size_is(");
	if (*p == ',') {
		level++;
		p++;
	}
	p += *p == '*';
	snprintf(name, 64, "%.*s", (int)strcspn(p, ")"), p);
	return level;
}

static bool same_count(
	const struct idl_method *m, const struct idl_param *p, const char *attributes)
{
	char name[64];
	unsigned level = sized_by(attributes, name);

	if (!level)
		return p->count < 0;
	return p->count >= 0 && p->count_level == level && !strcmp(m->params[p->count].name, name);
}

int abi_param(const char *iface, unsigned slot, unsigned index, const char *name,
	const char *c_type, const char *attributes)
{
	const struct idl_interface *i = idl_interface_find(iface);
	const struct idl_method *m = i ? idl_method_at(i, slot) : NULL;
	const struct idl_param *p = m && index < m->count ? &m->params[index] : NULL;
	const char *bare = !strncmp(c_type, "const ", 6) ? c_type + 6 : c_type;
	bool is_pointer = strchr(c_type, '*') || !strncmp(bare, "LP", 2) || *bare == 'P';
	unsigned dir;

	if (!p || strcmp(p->name, name) || !same_count(m, p, attributes))
		return 0;
	dir = (has_attribute(attributes, "in") ? IDL_IN : 0u) |
	      (has_attribute(attributes, "out") ? IDL_OUT : 0u);
	if (p->dir != dir || p->required != (is_pointer && !has_attribute(attributes, "unique")))
		return 0;
	return !strcmp(bare, "IID*") ? !strcmp(p->type.name, "REFIID")
				     : !strncmp(p->type.name, bare, strcspn(bare, "*"));
}

int abi_field(const char *structure, unsigned index, const char *path, unsigned offset,
	LONG selected_by, const char *counted_by)
{
	const struct idl_struct *s = idl_struct_find(structure);
	const struct idl_field *f = s && index < s->count ? &s->fields[index] : NULL;

	if (!f || strcmp(f->name, path) || f->offset != offset)
		return 0;
	if ((f->selector >= 0) != (f->cases_count > 0))
		return 0;
	if (f->cases_count ? f->cases[0] != selected_by : selected_by != -1)
		return 0;
	return counted_by ? f->count >= 0 && !strcmp(s->fields[f->count].name, counted_by)
			  : f->count < 0;
}

unsigned abi_enum_count(const char *name)
{
	const struct idl_enum *e = idl_enum_find(name);

	return e ? (unsigned)e->count : 0;
}

unsigned abi_field_count(const char *name)
{
	const struct idl_struct *s = idl_struct_find(name);

	return s ? (unsigned)s->count : 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} parts[] = {
		{"enums", abi_enums},
		{"codes", abi_codes},
		{"guids", abi_guids},
		{"structs", abi_structs},
		{"interfaces", abi_interfaces},
		{"cross", abi_cross},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (argc < 2 || !strcmp(argv[1], parts[i].name))
			parts[i].run();
	printf("%u checks, %u failed\n", checks, failures);
	return failures || !checks ? EXIT_FAILURE : EXIT_SUCCESS;
}
