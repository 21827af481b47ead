/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DDF reader over hostile drives. Input: one byte of flags, the last sector of the drive, the
 * primary copy, the secondary copy (as long as the anchor says; what lacks could not be read).
 *
 * Checksums would stop almost every mutation, so the flags may ask that those of the anchor, of
 * the headers, of the sections be put right first. Whatever is accepted must then be harmless to
 * look at, and, once written by us, must read back as exactly what was written.
 */
#include "engine/ddf.h"

#include <stdint.h>
#include <stdlib.h>

#define DRIVE_SECTORS (64u << 11)

enum { FIX_ANCHOR = 1, FIX_HEADERS = 2, FIX_SECTIONS = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fix(uint8_t *p, size_t len)
{
	bytes_put_be(p + 4, 4, ddf_crc(p, len));
}

/* The copies carry their own table of sections; the anchor's is the one that is used. */
static void fix_copy(uint8_t *copy, size_t len, const struct ddf_layout *l, unsigned flags)
{
	if (flags & FIX_HEADERS && len >= 512)
		fix(copy, 512);
	for (unsigned i = 0; flags & FIX_SECTIONS && i < DDF_SECTIONS; i++) {
		size_t at = l->sections[i].offset * 512u, room = l->sections[i].length * 512u;
		size_t step = i == DDF_SEC_CONFS ? l->conf_sectors * 512u : room;

		for (; room && room >= step && at + step <= len; at += step, room -= step)
			fix(copy + at, step);
	}
}

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void look_at(const struct ddf_image *image)
{
	const struct ddf_conf *conf;
	const struct ddf_pd *pd;
	const struct ddf_vd *vd;
	char text[DDF_GUID_TEXT_SIZE];

	vec_for_each(&image->drive.confs, conf) {
		struct raid_shape shape;
		struct ddf_mark mark;

		check(conf->members && conf->members <= DDF_MAX_MEMBERS && conf->leg < conf->legs);
		check(ddf_level_name(conf));
		ddf_mark_decode(conf->vendor, &mark);
		if (!ddf_level_decode(conf, &shape, NULL)) {
			check(shape.members && shape.members <= RAID_MAX_MEMBERS && shape.groups);
			check(shape.level == RAID_SPAN || raid_shape_check(&shape, NULL) == 0);
		}
	}
	vec_for_each(&image->set.pds, pd) {
		check(pd->refnum != DDF_NONE && pd->refnum != DDF_MISSING);
		check(ddf_set_pd(&image->set, &pd->guid) == pd);
		check(ddf_set_pd_by_refnum(&image->set, pd->refnum) == pd);
		ddf_pd_status(pd);
	}
	vec_for_each(&image->set.vds, vd) {
		check(ddf_set_vd(&image->set, &vd->guid) == vd);
		check(strlen(vd->name) <= 16 && strlen(vd->ext.name) < DDF_NAME_BYTES);
		check(vd->ext.plexes_len <= DDF_MAX_PLEXES && vd->ext.slots_len <= DDF_VDX_SLOTS);
		ddf_guid_format(&vd->guid, text);
	}
}

/* Writes the image, NULL when that is refused. */
static uint8_t *write_copy(const struct ddf_image *image, const struct ddf_layout *l)
{
	uint8_t *copy = malloc((size_t)l->copy_sectors * 512);

	check(copy != NULL);
	ddf_encode_header(&image->set, l, DDF_PRIMARY, false, copy);
	if (!ddf_encode_sections(&image->set, &image->drive, l, copy + 512, ddf_sections_bytes(l), NULL))
		return copy;
	free(copy);
	return NULL;
}

static void write_and_read_back(const struct ddf_image *image, const struct ddf_layout *l)
{
	size_t len = (size_t)l->copy_sectors * 512;
	uint8_t *first = write_copy(image, l), *second;
	struct ddf_image again;

	if (!first)
		return;
	check(!ddf_load(first, len, NULL, 0, l, &image->set.container, &again, NULL));
	check(again.set.pds.len == image->set.pds.len && again.set.vds.len == image->set.vds.len);
	check(again.drive.confs.len == image->drive.confs.len && !again.lost_confs && !again.unknown_confs);
	second = write_copy(&again, l);
	check(second && !memcmp(first, second, len));
	ddf_image_free(&again);
	free(first);
	free(second);
}

static void read_drive(uint8_t *data, size_t size, unsigned flags)
{
	struct ddf_layout l;
	struct ddf_guid container;
	struct ddf_image image;
	struct err err = {0};
	size_t len, primary, secondary;

	if (size < 512)
		return;
	if (flags & FIX_ANCHOR)
		fix(data, 512);
	if (ddf_anchor_decode(data, DRIVE_SECTORS, &l, &container, &err)) {
		check(err.text[0]);
		return;
	}
	len = (size_t)l.copy_sectors * 512;
	check(l.primary * 512 + len < DRIVE_SECTORS * 512ull);
	data += 512;
	size -= 512;
	primary = size < len ? size : len;
	secondary = size - primary < len ? size - primary : len;
	fix_copy(data, primary, &l, flags);
	fix_copy(data + primary, secondary, &l, flags);
	if (ddf_load(data, primary, data + primary, secondary, &l, &container, &image, &err)) {
		check(err.text[0]);
		return;
	}
	look_at(&image);
	write_and_read_back(&image, &l);
	ddf_image_free(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (!size)
		return 0;
	copy = malloc(size);
	check(copy != NULL);
	memcpy(copy, data + 1, size - 1);
	read_drive(copy, size - 1, data[0]);
	free(copy);
	return 0;
}
