/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects that commands act on when they name none. DiskRAID's rules: selecting an object
 * selects what it is part of and clears its siblings.
 */
#ifndef CLI_FOCUS_H
#define CLI_FOCUS_H

#include "cli/table.h"

#include <stdint.h>

struct cli_focus {
	bool set[CLI_NOUN_COUNT];
	uint32_t number[CLI_NOUN_COUNT];
};

/* noun number is the focus now. The caller sets what it is part of first (subsystem before drive).
 */
void cli_focus_select(struct cli_focus *f, enum cli_noun noun, uint32_t number);
/* An invalid number was selected: nothing of that kind is in focus, nor what is part of it. */
void cli_focus_clear(struct cli_focus *f, enum cli_noun noun);
bool cli_focus_is(const struct cli_focus *f, enum cli_noun noun, uint32_t number);

#endif
