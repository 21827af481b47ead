/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A made-up array for the tests of the DDF codec: drives of one size, LUNs whose extents lie one
 * after the other on all of them. Drive i's metadata is what the engine would write to it.
 */
#ifndef TESTS_ENGINE_DDF_FIXTURE_H
#define TESTS_ENGINE_DDF_FIXTURE_H

#include "engine/ddf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define FIX_DRIVES 16
#define FIX_TIME   1445412480u /* 2025-10-20 */
#define MIB	   (1ull << 20)

struct fix {
	struct rng rng;
	struct ddf_layout layout;
	struct ddf_set set;
	struct ddf_drive drives[FIX_DRIVES];
	unsigned drives_len;
	uint64_t next; /* first free sector, the same on all drives */
};

static inline void fix_init_layout(struct fix *f, unsigned drives, const struct ddf_layout *layout)
{
	struct ddf_guid guid;

	memset(f, 0, sizeof(*f));
	rng_seed(&f->rng, 4711);
	f->layout = *layout;
	f->next = DDF_DATA_START;
	ddf_guid_new(&guid, DDF_GUID_ARRAY, &f->rng, FIX_TIME);
	ddf_set_init(&f->set, &guid, &f->rng, FIX_TIME);
	f->set.seq = 7;
	for (unsigned i = 0; i < drives; i++) {
		struct ddf_pd *pd;

		ddf_guid_new(&guid, DDF_GUID_DRIVE, &f->rng, FIX_TIME);
		pd = ddf_set_add_pd(&f->set, &guid);
		assert_non_null(pd);
		pd->refnum = ddf_refnum_new(&f->set, &f->rng);
		pd->type = DDF_PD_FORCED_GUID | DDF_PD_SATA;
		pd->state = DDF_PD_ONLINE;
		pd->config_size = f->layout.workspace;
		snprintf(pd->path, sizeof(pd->path), "slot 0.%u", i);
		ddf_drive_init(&f->drives[i], &guid, pd->refnum);
	}
	f->drives_len = drives;
}

static inline void fix_init(struct fix *f, unsigned drives, uint64_t drive_bytes)
{
	struct ddf_layout layout;

	assert_int_equal(ddf_layout_plan(drive_bytes, &layout, NULL), 0);
	fix_init_layout(f, drives, &layout);
}

static inline void fix_free(struct fix *f)
{
	ddf_set_free(&f->set);
	for (unsigned i = 0; i < f->drives_len; i++)
		ddf_drive_free(&f->drives[i]);
}

/* A small layout such as other makers have: 15 disks, 15 LUNs, 16 members, 4 records per drive. */
static inline struct ddf_layout fix_small_layout(void)
{
	struct ddf_layout l;

	assert_int_equal(ddf_layout_plan(64 * MIB, &l, NULL), 0);
	l.max_pds = l.max_vds = 15;
	l.max_confs = 4;
	l.mppe = 16;
	l.conf_sectors = 2;
	l.sections[DDF_SEC_CONTROLLER] = (struct ddf_section){1, 1};
	l.sections[DDF_SEC_PDS] = (struct ddf_section){2, 2};
	l.sections[DDF_SEC_VDS] = (struct ddf_section){4, 2};
	l.sections[DDF_SEC_CONFS] = (struct ddf_section){6, 10};
	l.sections[DDF_SEC_DRIVE] = (struct ddf_section){16, 1};
	l.sections[DDF_SEC_VENDOR] = (struct ddf_section){17, 6};
	l.copy_sectors = 23;
	return l;
}

/* Adds a LUN over the first shape->members drives (member_size bytes on each). */
static inline struct ddf_vd *fix_add_lun(struct fix *f, const struct raid_shape *shape, const char *name)
{
	struct ddf_conf *conf = malloc(sizeof(*conf));
	struct ddf_mark mark = {.policy = DDF_POLICY_WRITE_THROUGH, .lun_type = 14};
	unsigned per_leg;
	struct ddf_guid guid;
	struct ddf_vd *vd;

	assert_non_null(conf);
	ddf_guid_new(&guid, DDF_GUID_LUN, &f->rng, FIX_TIME);
	vd = ddf_set_add_vd(&f->set, &guid);
	assert_non_null(vd);
	vd->unit = (uint16_t)(vd->place - 1);
	vd->init_state = DDF_VD_INIT_FULL;
	vd->ext.present = true;
	vd->ext.object = ddf_guid_object(&guid);
	vd->ext.lun_type = 14;
	vd->ext.priority = 8;
	vd->ext.created_at = 1761000000123;
	vd->ext.plexes_len = 1;
	guid_random(&f->rng, &vd->ext.plexes[0]);
	vd->ext.conf_seq = 3;
	vd->ext.chunk = shape->chunk;
	vd->ext.groups = (uint16_t)shape->groups;
	vd->ext.size_bytes = shape->member_size;
	vd->ext.slots_len = shape->members;
	ddf_vd_set_name(vd, name);
	ddf_conf_init(conf);
	assert_int_equal(ddf_level_encode(shape, conf, NULL), 0);
	conf->vd = guid;
	conf->seq = 3;
	conf->timestamp = FIX_TIME;
	conf->blocks = shape->member_size / 512;
	conf->vd_blocks = raid_shape_size(shape) / 512;
	conf->rate = 17 * 8;
	mark.object = vd->ext.object;
	ddf_mark_encode(&mark, conf->vendor);
	per_leg = conf->members;
	for (unsigned i = 0; i < shape->members; i++) {
		vd->ext.slots[i].refnum = f->drives[i].refnum;
		vd->ext.slots[i].current = i != 1;
		vd->ext.slots[i].lba = f->next;
		vd->ext.slots[i].blocks = conf->blocks;
	}
	for (unsigned leg = 0; leg < conf->legs; leg++) {
		conf->leg = (uint8_t)leg;
		for (unsigned i = 0; i < per_leg; i++) {
			conf->refnums[i] = f->drives[leg * per_leg + i].refnum;
			conf->lbas[i] = f->next;
		}
		for (unsigned i = 0; i < per_leg; i++) {
			assert_int_equal(ddf_confs_push(&f->drives[leg * per_leg + i].confs, *conf), 0);
			f->set.pds.items[leg * per_leg + i].type |= DDF_PD_ACTIVE;
		}
	}
	f->next += (conf->blocks + DDF_ALIGN - 1) / DDF_ALIGN * DDF_ALIGN;
	free(conf);
	return vd;
}

static inline struct raid_shape fix_shape(enum raid_level level, unsigned members, unsigned groups)
{
	struct raid_shape shape = {.level = level, .members = members, .groups = groups,
		.chunk = 65536, .member_size = 4 * MIB};

	if (level == RAID_SIMPLE || level == RAID_SPAN || level == RAID_MIRROR)
		shape.chunk = 0;
	if (level == RAID_SPAN)
		for (unsigned i = 0; i < members; i++)
			shape.span_sizes[i] = shape.member_size;
	return shape;
}

/* Some of everything, on three drives. */
static inline void fix_fill(struct fix *f)
{
	struct raid_shape shape = fix_shape(RAID_RAID5, 3, 1);
	struct ddf_vd *vd;

	snprintf(f->set.name, sizeof(f->set.name), "Regal 3, Schrank Süd");
	vd = fix_add_lun(f, &shape, "Büro und Werkstatt, gemeinsam");
	vd->ext.job_type = 2;
	vd->ext.job_number = 9;
	vd->ext.job_target = 1 << 30;
	vd->ext.job_done = 4096;
	vd->ext.job_started_at = 1761000000999;
	shape = fix_shape(RAID_MIRROR, 2, 1);
	vd = fix_add_lun(f, &shape, "boot");
	vd->state = DDF_VD_DEGRADED | DDF_VD_INCONSISTENT;
	f->drives[0].confs.items[1].refnums[1] = DDF_MISSING;
	f->drives[1].confs.items[1].refnums[1] = DDF_MISSING;
	f->set.pds.items[2].type |= DDF_PD_SPARE;
	f->set.pds.items[2].ext.present = true;
	f->set.pds.items[2].ext.lost_at = 1761000001000;
	f->set.pds.items[2].ext.flags = DDF_PDX_ADMIN_OFFLINE;
	f->set.pds.items[2].ext.replaces = 77;
	f->drives[2].spare.present = true;
	f->drives[2].spare.type = DDF_SPARE_DEDICATED;
	f->drives[2].spare.timestamp = FIX_TIME;
	f->drives[2].spare.vds_len = 1;
	f->drives[2].spare.vds[0].vd = f->set.vds.items[1].guid;
}

static inline size_t fix_copy_len(const struct fix *f)
{
	return (size_t)f->layout.copy_sectors * DDF_SECTOR;
}

/* A whole copy, malloc'd. */
static inline uint8_t *fix_copy(const struct fix *f, unsigned drive, enum ddf_copy copy, bool open)
{
	uint8_t *bytes = malloc(fix_copy_len(f));
	struct err err = {0};

	assert_non_null(bytes);
	ddf_encode_header(&f->set, &f->layout, copy, open, bytes);
	if (ddf_encode_sections(&f->set, &f->drives[drive], &f->layout, bytes + DDF_SECTOR,
		    ddf_sections_bytes(&f->layout), &err))
		fail_msg("%s", err.text);
	return bytes;
}

/* Asserts that the image says exactly what the copy's bytes say, by writing it again. */
static inline bool fix_same(const struct ddf_image *image, const struct ddf_layout *layout,
	const uint8_t *bytes, enum ddf_copy copy)
{
	size_t len = (size_t)layout->copy_sectors * DDF_SECTOR;
	uint8_t *again = malloc(len);
	bool same;

	assert_non_null(again);
	ddf_encode_header(&image->set, layout, copy, image->open, again);
	same = !ddf_encode_sections(&image->set, &image->drive, layout, again + DDF_SECTOR,
		       len - DDF_SECTOR, NULL) &&
		!memcmp(again, bytes, len);
	free(again);
	return same;
}

static inline bool fix_all_good(const struct ddf_image *image)
{
	for (unsigned i = 0; i < DDF_SECTIONS; i++)
		if (image->sections[i] == DDF_DAMAGED)
			return false;
	return image->header == DDF_GOOD && !image->lost_confs && !image->foreign_vendor;
}

/* Puts a good CRC into a structure again. */
static inline void fix_crc(uint8_t *bytes, size_t len)
{
	bytes_put_be(bytes + 4, 4, ddf_crc(bytes, len));
}

#endif
