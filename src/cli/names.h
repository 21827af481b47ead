/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From structures of the interfaces to JSON, by their tables: keys are the members in snake case
 * without type prefix, enum values are words with *_raw numbers beside them, flag sets are lists
 * of words, times are RFC 3339, identities lower case in braces, absent is null.
 */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include "base/guid.h"

#include <jansson.h>

#include "idl_tables.h"
#include "vdsx.h"

/* Adds every member of the structure at data to the object. 0 or -ENOMEM. */
int cli_struct_json(json_t *object, const struct idl_struct *s, const void *data);
/* Frees the strings the structure owns. */
void cli_struct_free(const struct idl_struct *s, void *data);

/* "ullSize" -> "size_bytes". buf is large enough for any member. Returns buf. */
const char *cli_key(const char *member, char buf[static 64]);

/* key and key_raw. A value without a name reads "unknown". */
void cli_enum_json(json_t *object, const char *key, const struct idl_enum *e, ULONG value);
const char *cli_enum_word(const struct idl_enum *e, ULONG value);
/* key (words) and key_raw. */
void cli_flags_json(json_t *object, const char *key, const struct idl_enum *e, ULONG value);

/* Lower case, in braces. Returns buf. */
const char *cli_guid_text(const GUID *id, char buf[static GUID_TEXT_SIZE]);
void cli_guid_to(const GUID *id, struct guid *out);
void cli_guid_from(const struct guid *id, GUID *out);
bool cli_guid_is_zero(const GUID *id);
json_t *cli_guid_json(const GUID *id);

/* Milliseconds since 1970 as RFC 3339 in UTC; 0 is null. */
json_t *cli_time_json(uint64_t ms);
/* A string, or null for NULL and "". */
json_t *cli_string_json(const char *text);
json_t *cli_wide_json(const WCHAR *text);

/* A malloc'd UTF-16 copy for an [in] string; NULL when memory is short. */
WCHAR *cli_wide(const char *utf8);

#endif
