/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A drive's label: the last sector of its first MiB, where no extent ever lies. DDF is found from the
 * drive's end only; a file that has grown, or was cut short, no longer shows its anchor, and its first
 * and last MiB may well be zeros. The label keeps such a drive from being taken for a blank one.
 * Pure functions; every input byte may be hostile.
 */
#ifndef ENGINE_LABEL_H
#define ENGINE_LABEL_H

#include "engine/ddf.h"

#define LABEL_OFFSET ((2048u - 1) * DDF_SECTOR) /* bytes from the start of the drive */

struct label {
	struct ddf_guid container, drive;
	uint64_t size_bytes; /* of the drive when it was formatted */
};

void label_encode(const struct label *label, uint8_t out[static DDF_SECTOR]);
/* False: there is none. */
bool label_decode(const uint8_t in[static DDF_SECTOR], struct label *out);

#endif
