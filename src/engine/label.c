/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/label.h"

#include "engine/priv.h"

#include <stddef.h>

#define MAGIC	"VDSLABEL"
#define VERSION 1

struct raw_label {
	uint8_t la_magic[8];
	le32_t la_crc, la_version; /* of the sector, la_crc zero */
	uint8_t la_container[24], la_drive[24];
	le64_t la_size_bytes;
	uint8_t la_zero[DDF_SECTOR - 72];
};
_Static_assert(sizeof(struct raw_label) == DDF_SECTOR, "label");
_Static_assert(offsetof(struct raw_label, la_size_bytes) == 64, "label: size");

void label_encode(const struct label *label, uint8_t out[static DDF_SECTOR])
{
	struct raw_label r;

	memset(&r, 0, sizeof(r));
	memcpy(r.la_magic, MAGIC, sizeof(r.la_magic));
	r.la_version = le32(VERSION);
	memcpy(r.la_container, label->container.b, sizeof(r.la_container));
	memcpy(r.la_drive, label->drive.b, sizeof(r.la_drive));
	r.la_size_bytes = le64(label->size_bytes);
	r.la_crc = le32(priv_crc32c(&r, sizeof(r)));
	memcpy(out, &r, sizeof(r));
}

bool label_decode(const uint8_t in[static DDF_SECTOR], struct label *out)
{
	struct raw_label r;
	uint32_t crc;

	memset(out, 0, sizeof(*out));
	memcpy(&r, in, sizeof(r));
	crc = le32_get(r.la_crc);
	r.la_crc = le32(0);
	if (memcmp(r.la_magic, MAGIC, sizeof(r.la_magic)) || crc != priv_crc32c(&r, sizeof(r)) ||
		le32_get(r.la_version) != VERSION)
		return false;
	memcpy(out->container.b, r.la_container, sizeof(r.la_container));
	memcpy(out->drive.b, r.la_drive, sizeof(r.la_drive));
	out->size_bytes = le64_get(r.la_size_bytes);
	return true;
}
