/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of options and the selectors of objects: sizes, numbers, lists.
 * Parsers return CLI_OK or set a diagnosis that quotes the text and says what would be right.
 */
#ifndef CLI_VALUE_H
#define CLI_VALUE_H

#include "base/guid.h"
#include "base/vec.h"
#include "cli/diag.h"

enum cli_sel_kind { CLI_SEL_NUMBER, CLI_SEL_GUID, CLI_SEL_SLOT, CLI_SEL_TEXT };

/* Which property a CLI_SEL_TEXT selector compares. */
enum cli_sel_tag { CLI_TAG_NAME, CLI_TAG_SERIAL, CLI_TAG_PATH, CLI_TAG_IQN, CLI_TAG_WWN };

struct cli_sel {
	enum cli_sel_kind kind;
	uint32_t first, last; /* CLI_SEL_NUMBER; inclusive */
	struct guid id;       /* CLI_SEL_GUID */
	int bus, slot;        /* CLI_SEL_SLOT */
	enum cli_sel_tag tag; /* CLI_SEL_TEXT */
	char *text;           /* CLI_SEL_TEXT; owned */
};

VEC(struct cli_sel, cli_sels)

#define CLI_LIST_MAX 4096 /* objects one list may name */

/* A bare number is units of bare bytes (1 for offsets, 1 MiB for sizes). Fractions round up. */
int cli_parse_size(const char *text, uint64_t bare, uint64_t *bytes, struct cli_diag *d);
int cli_parse_number(const char *text, uint64_t max, uint64_t *n, struct cli_diag *d);
int cli_parse_bool(const char *text, bool *value, struct cli_diag *d);

/* "b.s" */
int cli_parse_slot(const char *text, int *bus, int *slot, struct cli_diag *d);

/* "COUNTxSIZE" */
int cli_parse_drives(const char *text, uint32_t *count, uint64_t *bytes, struct cli_diag *d);

/* Does the text have the form of a selector (number, range, list, guid or tagged)? */
bool cli_is_selector(const char *text);

/* A list of selectors separated by commas. *out must be empty; release it always. */
int cli_parse_selectors(const char *text, struct cli_sels *out, struct cli_diag *d);
void cli_sels_release(struct cli_sels *sels);

/* How many edits turn a into b (insert, delete, replace, swap), ignoring case; at most 99. */
unsigned cli_distance(const char *a, const char *b);

#endif
