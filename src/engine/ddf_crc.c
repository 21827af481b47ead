/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checksum of every DDF structure: CRC-32 with the reflected polynomial EDB88320, starting
 * from zero and not inverted at the end. ISA-L's function inverts on entry and exit, as zlib's
 * does, so both ends are turned around here. The four CRC bytes at offset 4 count as FF.
 */
#include "engine/ddf.h"

#include <isa-l/crc.h>

uint32_t ddf_crc(const void *bytes, size_t len)
{
	static const uint8_t ff[4] = {0xFF, 0xFF, 0xFF, 0xFF};
	const uint8_t *p = bytes;
	uint32_t crc = crc32_gzip_refl(~0u, p, 4);

	crc = crc32_gzip_refl(crc, ff, sizeof(ff));
	crc = crc32_gzip_refl(crc, p + 8, len - 8);
	return ~crc;
}
