/* SPDX-License-Identifier: Apache-2.0 */
/* Hints of automagic: wishes about a LUN whose layout the array chooses. */
#ifndef CLI_HINTS_H
#define CLI_HINTS_H

#include "vdsx.h"

/* The older, shorter structure with the same wishes. */
void cli_hints_narrow(const VDS_HINTS2 *from, VDS_HINTS *to);

#endif
