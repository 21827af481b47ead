/* SPDX-License-Identifier: Apache-2.0 */
/* What commits write to the drives, read back from the media. */
#include "engine/ddf.h"
#include "engine/engine.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define DRIVES 4
#define BYTES  (UINT64_C(96) << 20)

struct world {
	struct loop *loop;
	struct rng rng;
	struct blk_medium *media[DRIVES];
	const struct blk_stats *stats[DRIVES];
	struct eng_bay bays[DRIVES];
	char paths[DRIVES][16];
	struct eng_array *array;
	struct ddf_layout layout;
	struct guid lun;
	uint8_t container[24];
};

static int open_counted(void *ctx, struct loop *loop, const char *path, struct blk_dev **out,
	struct err *err)
{
	struct world *w = ctx;
	unsigned n = (unsigned)atoi(path + 3);
	struct blk_dev *lower;
	int rc = blk_sim_new(loop, path, w->media[n], &lower);

	(void)err;
	if (!rc)
		rc = blk_stats_new(lower, out);
	if (!rc)
		w->stats[n] = blk_stats_get(*out);
	return rc;
}

static uint32_t job_number(void *ctx, enum eng_job_type type, const struct guid *object, bool resumed)
{
	(void)ctx;
	(void)type;
	(void)object;
	(void)resumed;
	return 1;
}

static void open_array(struct world *w, unsigned bays)
{
	struct eng_array_config config = { .loop = w->loop, .rng = &w->rng, .name = "array",
		.host = { .ctx = w, .open = open_counted, .job_number = job_number } };
	struct err err = { 0 };

	memcpy(config.container_guid, w->container, 24);
	if (eng_array_open(&config, w->bays, bays, &w->array, &err))
		fail_msg("%s %s", err.text, err.cause);
}

/* Four drives, a RAID 5 on the first three, closed. */
static int make(void *arg)
{
	struct world *w = arg;
	struct guid drives[3];
	struct eng_lun_params p = { .type = ENG_LUN_RAID5, .size_bytes = 8 << 20, .drives = drives,
		.drives_len = 3, .name = "test", .rebuild_priority = -1 };
	struct err err = { 0 };

	open_array(w, 0);
	for (unsigned i = 0; i < DRIVES; i++) {
		snprintf(w->paths[i], sizeof(w->paths[i]), "sim%u", i);
		w->bays[i] = (struct eng_bay) { .slot = (int16_t)i, .path = w->paths[i] };
		if (eng_drive_add(w->array, &w->bays[i], &w->bays[i].drive, &err))
			fail_msg("%s", err.text);
	}
	for (unsigned i = 0; i < 3; i++)
		drives[i] = w->bays[i].drive;
	if (eng_lun_create(w->array, &p, &w->lun, &err))
		fail_msg("%s", err.text);
	eng_array_close(w->array);
	return 0;
}

static int reopen(void *arg)
{
	open_array(arg, DRIVES);
	return 0;
}

static int close_array(void *arg)
{
	eng_array_close(((struct world *)arg)->array);
	return 0;
}

static struct world *begin(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	rng_seed(&w->rng, 1);
	eng_container_guid(&w->rng, 1700000000000, w->container);
	assert_int_equal(ddf_layout_plan(BYTES, &w->layout, NULL), 0);
	assert_int_equal(loop_new_simulated(1, 1700000000000, &w->loop), 0);
	for (unsigned i = 0; i < DRIVES; i++)
		assert_int_equal(blk_medium_new(BYTES, 512, &w->media[i]), 0);
	task_call(w->loop, make, w);
	return w;
}

static void end(struct world *w)
{
	loop_run_until_idle(w->loop);
	loop_free(w->loop);
	for (unsigned i = 0; i < DRIVES; i++)
		blk_medium_free(w->media[i]);
	free(w);
}

static uint8_t *read_copy(struct world *w, unsigned drive, uint64_t lba)
{
	size_t len = (size_t)w->layout.copy_sectors * DDF_SECTOR;
	uint8_t *bytes = malloc(len);

	assert_non_null(bytes);
	blk_medium_read(w->media[drive], lba * DDF_SECTOR, bytes, len);
	return bytes;
}

static struct ddf_image load(struct world *w, unsigned drive)
{
	size_t len = (size_t)w->layout.copy_sectors * DDF_SECTOR;
	uint8_t *p = read_copy(w, drive, w->layout.primary), *s = read_copy(w, drive, w->layout.secondary);
	struct ddf_guid container;
	struct ddf_image image;
	struct err err = { 0 };

	memcpy(container.b, w->container, 24);
	if (ddf_load(p, len, s, len, &w->layout, &container, &image, &err))
		fail_msg("%s", err.text);
	free(p);
	free(s);
	return image;
}

static void every_drive_has_the_tables_and_its_own_records(void **state)
{
	struct world *w = begin();

	(void)state;
	for (unsigned i = 0; i < DRIVES; i++) {
		struct ddf_image image = load(w, i);

		assert_false(image.repair);
		assert_int_equal(image.set.pds.len, DRIVES);
		assert_int_equal(image.set.vds.len, 1);
		assert_string_equal(image.set.vds.items[0].name, "test");
		assert_int_equal(image.drive.confs.len, i < 3 ? 1 : 0);
		assert_int_equal(image.set.pds.items[i].refnum, image.drive.refnum);
		ddf_image_free(&image);
	}
	end(w);
}

/* The records of physical disks do not change; everything else may. */
static void opening_leaves_alone_what_does_not_change(void **state)
{
	struct world *w = begin();
	size_t all = ddf_sections_bytes(&w->layout);
	size_t pds = w->layout.sections[DDF_SEC_PDS].length * (size_t)DDF_SECTOR;

	(void)state;
	task_call(w->loop, reopen, w);
	for (unsigned i = 0; i < DRIVES; i++)
		assert_in_range(w->stats[i]->bytes[BLK_WRITE], 1, 2 * (all - pds) + 32768);
	task_call(w->loop, close_array, w);
	for (unsigned i = 0; i < DRIVES; i++) {
		struct ddf_image image = load(w, i);

		assert_false(image.repair);
		ddf_image_free(&image);
	}
	end(w);
}

/* Something that no commit would write by itself, in either copy. */
static void opening_repairs_a_damaged_copy(void **state)
{
	(void)state;
	for (unsigned copy = 0; copy < 2; copy++) {
		struct world *w = begin();
		uint64_t lba = copy ? w->layout.secondary : w->layout.primary;
		uint64_t at = (lba + w->layout.sections[DDF_SEC_CONFS].offset) * DDF_SECTOR + 100;
		struct ddf_image image;
		uint8_t byte;

		blk_medium_read(w->media[1], at, &byte, 1);
		byte ^= 1;
		blk_medium_write(w->media[1], at, &byte, 1);
		image = load(w, 1);
		assert_true(image.repair);
		ddf_image_free(&image);
		task_call(w->loop, reopen, w);
		image = load(w, 1);
		assert_false(image.repair);
		assert_int_equal(image.drive.confs.len, 1);
		ddf_image_free(&image);
		task_call(w->loop, close_array, w);
		end(w);
	}
}

/* What eng_array_open answers. */
static int open_refused(void *arg)
{
	struct world *w = arg;
	struct eng_array_config config = { .loop = w->loop, .rng = &w->rng, .name = "array",
		.host = { .ctx = w, .open = open_counted, .job_number = job_number } };
	struct err err = { 0 };

	memcpy(config.container_guid, w->container, 24);
	return eng_array_open(&config, w->bays, DRIVES, &w->array, &err);
}

static void write_set(struct world *w, unsigned drive, struct ddf_image *image)
{
	size_t len = ddf_sections_bytes(&w->layout);
	uint8_t *sections = malloc(len), header[DDF_SECTOR];

	assert_non_null(sections);
	assert_int_equal(
		ddf_encode_sections(&image->set, &image->drive, &w->layout, sections, len, NULL), 0);
	for (unsigned copy = 0; copy < 2; copy++) {
		uint64_t lba = copy ? w->layout.secondary : w->layout.primary;

		ddf_encode_header(&image->set, &w->layout, copy ? DDF_SECONDARY : DDF_PRIMARY, false, header);
		blk_medium_write(w->media[drive], lba * DDF_SECTOR, header, sizeof(header));
		blk_medium_write(w->media[drive], (lba + 1) * DDF_SECTOR, sections, len);
	}
	free(sections);
}

/* A second LUN like the first, moved by shift sectors. */
static void double_lun(struct world *w, int64_t shift)
{
	struct ddf_guid guid;

	ddf_guid_new(&guid, DDF_GUID_LUN, &w->rng, 1);
	for (unsigned i = 0; i < DRIVES; i++) {
		struct ddf_image image = load(w, i);
		struct ddf_vd *vd = ddf_set_add_vd(&image.set, &guid);
		uint16_t place = vd->place;

		*vd = image.set.vds.items[0];
		vd->guid = guid;
		vd->place = place;
		vd->ext.object.b[0] ^= 1;
		for (unsigned s = 0; s < vd->ext.slots_len; s++)
			vd->ext.slots[s].lba += (uint64_t)shift;
		if (image.drive.confs.len) {
			struct ddf_conf conf = image.drive.confs.items[0];

			conf.vd = guid;
			for (unsigned s = 0; s < conf.members; s++)
				conf.lbas[s] += (uint64_t)shift;
			assert_int_equal(ddf_confs_push(&image.drive.confs, conf), 0);
		}
		write_set(w, i, &image);
		ddf_image_free(&image);
	}
}

static void luns_that_overlap_are_refused(void **state)
{
	struct world *w = begin();
	uint64_t blocks;
	struct ddf_image image;

	(void)state;
	image = load(w, 0);
	blocks = image.drive.confs.items[0].blocks;
	ddf_image_free(&image);
	double_lun(w, (int64_t)blocks - 2048);
	assert_int_equal(task_call(w->loop, open_refused, w), -EUCLEAN);
	end(w);

	w = begin(); /* side by side is fine */
	double_lun(w, (int64_t)blocks);
	assert_int_equal(task_call(w->loop, open_refused, w), 0);
	task_call(w->loop, close_array, w);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_drive_has_the_tables_and_its_own_records),
		cmocka_unit_test(opening_leaves_alone_what_does_not_change),
		cmocka_unit_test(opening_repairs_a_damaged_copy),
		cmocka_unit_test(luns_that_overlap_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
