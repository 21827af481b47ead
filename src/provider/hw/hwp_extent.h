/* SPDX-License-Identifier: Apache-2.0 */
/* Drive extents on their way to a client: of a drive, and of a plex. */
#ifndef PROVIDER_HW_HWP_EXTENT_H
#define PROVIDER_HW_HWP_EXTENT_H

#include "provider/hw/hwp.h"

struct hwp_extents {
	struct eng_extent *list; /* malloc'd */
	unsigned count;
};

/* As task memory. None: NULL and 0, S_OK. */
HRESULT hwp_extents_give(const struct hwp_extents *extents, VDS_DRIVE_EXTENT **out, LONG *count);

#endif
