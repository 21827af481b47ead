/* SPDX-License-Identifier: Apache-2.0 */
/* Which copy is believed: damage in either, in both, interrupted updates, sequence numbers. */
#include "ddf_fixture.h"

struct pair {
	struct fix f;
	uint8_t *copies[2]; /* primary, secondary */
};

static void pair_init(struct pair *p)
{
	fix_init(&p->f, 3, 96 * MIB);
	fix_fill(&p->f);
	p->copies[0] = fix_copy(&p->f, 0, DDF_PRIMARY, false);
	p->copies[1] = fix_copy(&p->f, 0, DDF_SECONDARY, false);
}

static void pair_free(struct pair *p)
{
	free(p->copies[0]);
	free(p->copies[1]);
	fix_free(&p->f);
}

/* Writes copy i anew with the fixture's state, another sequence number and open flag. */
static void pair_write(struct pair *p, unsigned i, uint32_t seq, bool open)
{
	p->f.set.seq = seq;
	free(p->copies[i]);
	p->copies[i] = fix_copy(&p->f, 0, i ? DDF_SECONDARY : DDF_PRIMARY, open);
}

static int load(const struct pair *p, struct ddf_image *image, struct err *err)
{
	size_t len = fix_copy_len(&p->f);

	memset(err, 0, sizeof(*err));
	return ddf_load(p->copies[0], len, p->copies[1], len, &p->f.layout, &p->f.set.container, image, err);
}

static void flip(struct pair *p, unsigned copy, enum ddf_section_id section)
{
	p->copies[copy][p->f.layout.sections[section].offset * 512u + 20] ^= 1;
}

/* Both copies undamaged say the same as the image. */
static void check_whole(const struct ddf_image *image, const struct pair *p)
{
	uint8_t *good = fix_copy(&p->f, 0, image->source, image->open);

	assert_true(fix_all_good(image));
	assert_true(fix_same(image, &p->f.layout, good, image->source));
	free(good);
}

static void the_primary_is_preferred(void **state)
{
	struct ddf_image image;
	struct err err;
	struct pair p;

	(void)state;
	pair_init(&p);
	assert_int_equal(load(&p, &image, &err), 0);
	assert_int_equal(image.source, DDF_PRIMARY);
	assert_false(image.repair);
	assert_false(image.mixed);
	assert_string_equal(image.note, "");
	check_whole(&image, &p);
	ddf_image_free(&image);
	pair_free(&p);
}

static void a_damaged_section_comes_from_the_other_copy(void **state)
{
	static const enum ddf_section_id all[] = {DDF_SEC_CONTROLLER, DDF_SEC_PDS, DDF_SEC_VDS, DDF_SEC_CONFS,
		DDF_SEC_DRIVE, DDF_SEC_VENDOR};

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		for (unsigned copy = 0; copy < 2; copy++) {
			struct ddf_image image;
			struct err err;
			struct pair p;

			pair_init(&p);
			flip(&p, copy, all[i]);
			assert_int_equal(load(&p, &image, &err), 0);
			assert_int_equal(image.source, copy ? DDF_PRIMARY : DDF_SECONDARY);
			assert_true(image.repair);
			assert_non_null(strstr(image.note, copy ? "secondary" : "primary"));
			check_whole(&image, &p);
			ddf_image_free(&image);
			/* and any other section damaged in the other copy: put together */
			for (unsigned j = 0; j < 6; j++) {
				if (j == i)
					continue;
				flip(&p, 1 - copy, all[j]);
				assert_int_equal(load(&p, &image, &err), 0);
				assert_true(image.mixed && image.repair);
				check_whole(&image, &p);
				ddf_image_free(&image);
				flip(&p, 1 - copy, all[j]);
			}
			pair_free(&p);
		}
}

static void one_header_is_enough(void **state)
{
	(void)state;
	for (unsigned copy = 0; copy < 2; copy++) {
		struct ddf_image image;
		struct err err;
		struct pair p;

		pair_init(&p);
		p.copies[copy][100] ^= 1;
		assert_int_equal(load(&p, &image, &err), 0);
		assert_true(image.repair);
		check_whole(&image, &p);
		ddf_image_free(&image);
		free(p.copies[copy]);
		p.copies[copy] = NULL; /* could not be read */
		assert_int_equal(load(&p, &image, &err), 0);
		assert_true(image.repair);
		check_whole(&image, &p);
		ddf_image_free(&image);
		pair_free(&p);
	}
}

static void nothing_left_is_said_in_words(void **state)
{
	struct ddf_image image;
	struct err err;
	struct pair p;

	(void)state;
	pair_init(&p);
	flip(&p, 0, DDF_SEC_VDS);
	flip(&p, 1, DDF_SEC_VDS);
	assert_int_equal(load(&p, &image, &err), -EUCLEAN);
	assert_non_null(strstr(err.text, "primary copy's virtual disk records are damaged"));
	assert_non_null(strstr(err.text, "secondary copy's virtual disk records are damaged"));
	p.copies[0][9] ^= 1;
	p.copies[1][9] ^= 1;
	assert_int_equal(load(&p, &image, &err), -EUCLEAN);
	assert_non_null(strstr(err.text, "Neither copy"));
	assert_int_equal(ddf_load(NULL, 0, NULL, 0, &p.f.layout, &p.f.set.container, &image, &err), -EUCLEAN);
	pair_free(&p);
}

/* Names and single records are worth less than the array. */
static void what_can_be_missed_does_not_stop_the_rest(void **state)
{
	struct ddf_image image;
	struct err err;
	struct pair p;

	(void)state;
	pair_init(&p);
	for (unsigned i = 0; i < 2; i++) {
		flip(&p, i, DDF_SEC_VENDOR);
		flip(&p, i, DDF_SEC_CONFS);
		flip(&p, i, DDF_SEC_CONTROLLER);
	}
	assert_int_equal(load(&p, &image, &err), 0);
	assert_int_equal(image.lost_confs, 1);
	assert_int_equal(image.drive.confs.len, 1);
	assert_int_equal(image.sections[DDF_SEC_VENDOR], DDF_DAMAGED);
	assert_false(image.set.vds.items[0].ext.present);
	ddf_image_free(&image);
	pair_free(&p);
}

static void records_are_mended_one_by_one(void **state)
{
	struct ddf_image image;
	struct err err;
	struct pair p;

	(void)state;
	pair_init(&p);
	p.copies[0][258 * 512 + 70] ^= 1;	  /* the first record here */
	p.copies[1][(258 + 7) * 512 + 70] ^= 1; /* the second there */
	assert_int_equal(load(&p, &image, &err), 0);
	assert_true(image.mixed);
	check_whole(&image, &p);
	ddf_image_free(&image);
	pair_free(&p);
}

static void the_higher_closed_number_wins(void **state)
{
	static const struct {
		uint32_t seq[2];
		bool open[2];
		enum ddf_copy takes;
	} cases[] = {
		{{8, 7}, {false, false}, DDF_PRIMARY},	 /* died between the copies */
		{{7, 8}, {false, false}, DDF_SECONDARY},
		{{8, 7}, {true, false}, DDF_SECONDARY},	 /* died in the primary */
		{{8, 7}, {false, true}, DDF_PRIMARY},	 /* died in the secondary */
		{{8, 8}, {true, false}, DDF_SECONDARY},
		{{8, 8}, {false, true}, DDF_PRIMARY},
		{{7, 8}, {false, true}, DDF_PRIMARY},
		{{7, 8}, {true, false}, DDF_SECONDARY},
		{{8, 7}, {true, true}, DDF_PRIMARY},
		{{7, 8}, {true, true}, DDF_SECONDARY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ddf_image image;
		struct err err;
		struct pair p;

		pair_init(&p);
		for (unsigned k = 0; k < 2; k++)
			pair_write(&p, k, cases[i].seq[k], cases[i].open[k]);
		assert_int_equal(load(&p, &image, &err), 0);
		if (image.source != cases[i].takes)
			fail_msg("case %zu takes the wrong copy", i);
		assert_int_equal(image.set.seq, cases[i].seq[image.source == DDF_SECONDARY]);
		assert_int_equal(image.open, cases[i].open[image.source == DDF_SECONDARY]);
		assert_true(image.repair);
		assert_true(image.note[0]);
		assert_false(image.mixed);
		ddf_image_free(&image);
		pair_free(&p);
	}
}

/* Even a damaged closed copy is worth more than one that may hold two states at once. */
static void a_torn_copy_is_the_last_resort(void **state)
{
	struct ddf_image image;
	struct err err;
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_write(&p, 0, 8, true);
	flip(&p, 1, DDF_SEC_VENDOR);
	assert_int_equal(load(&p, &image, &err), 0);
	assert_int_equal(image.source, DDF_SECONDARY);
	assert_int_equal(image.set.seq, 7);
	ddf_image_free(&image);
	flip(&p, 1, DDF_SEC_PDS); /* now it cannot be used at all */
	assert_int_equal(load(&p, &image, &err), 0);
	assert_int_equal(image.source, DDF_PRIMARY);
	assert_true(image.open);
	ddf_image_free(&image);
	pair_free(&p);
}

/* Sections of different states never meet. */
static void different_numbers_are_not_mixed(void **state)
{
	struct ddf_image image;
	struct err err;
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_write(&p, 0, 8, false);
	flip(&p, 0, DDF_SEC_PDS);
	flip(&p, 1, DDF_SEC_VDS);
	assert_int_equal(load(&p, &image, &err), -EUCLEAN);
	flip(&p, 1, DDF_SEC_VDS); /* the older is whole */
	assert_int_equal(load(&p, &image, &err), 0);
	assert_int_equal(image.set.seq, 7);
	assert_int_equal(image.source, DDF_SECONDARY);
	ddf_image_free(&image);
	flip(&p, 1, DDF_SEC_VENDOR); /* neither is; the older can be used */
	assert_int_equal(load(&p, &image, &err), 0);
	assert_int_equal(image.set.seq, 7);
	ddf_image_free(&image);
	pair_free(&p);
}

/* A crash at any sector of an update leaves the old or the new state, whole. */
static void a_crash_at_any_point_leaves_one_state(void **state)
{
	size_t len, step;
	struct pair old, new;

	(void)state;
	pair_init(&old);
	pair_init(&new);
	new.f.set.vds.items[0].state = DDF_VD_FAILED;
	new.f.set.pds.items[1].state = DDF_PD_FAILED;
	new.f.drives[0].confs.items[0].seq++;
	ddf_vd_set_name(&new.f.set.vds.items[0], "new name");
	len = fix_copy_len(&old.f);
	for (unsigned copy = 0; copy < 2; copy++) {
		uint8_t *open, *closed;

		pair_write(&new, copy, 8, false);
		closed = new.copies[copy];
		open = fix_copy(&new.f, 0, copy ? DDF_SECONDARY : DDF_PRIMARY, true);
		for (step = 0; step <= len / 512 + 1; step += step < 4 || step > len / 512 - 4 ? 1 : 61) {
			struct ddf_image image;
			struct err err;

			/* [header open] [sections, sector by sector] [header closed] */
			memcpy(old.copies[copy], open, step > len / 512 ? len : step * 512);
			if (step > len / 512)
				memcpy(old.copies[copy], closed, 512);
			assert_int_equal(load(&old, &image, &err), 0);
			assert_true(fix_all_good(&image));
			assert_false(image.open);
			assert_int_equal(image.set.seq == 8,
				image.set.vds.items[0].state == DDF_VD_FAILED &&
					!strcmp(image.set.vds.items[0].ext.name, "new name") &&
					image.set.pds.items[1].state == DDF_PD_FAILED);
			assert_int_equal(image.set.seq, copy || step > len / 512 ? 8 : 7);
			ddf_image_free(&image);
		}
		free(open);
	}
	pair_free(&old);
	pair_free(&new);
}

static void one_copy_only_is_legal(void **state)
{
	struct ddf_layout l = fix_small_layout();
	struct ddf_image image;
	struct err err = {0};
	uint8_t *copy;
	struct fix f;

	(void)state;
	l.secondary = UINT64_MAX;
	fix_init_layout(&f, 2, &l);
	copy = fix_copy(&f, 1, DDF_PRIMARY, false);
	assert_int_equal(ddf_load(copy, fix_copy_len(&f), NULL, 0, &l, &f.set.container, &image, &err), 0);
	assert_false(image.repair);
	ddf_image_free(&image);
	free(copy);
	fix_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_primary_is_preferred),
		cmocka_unit_test(a_damaged_section_comes_from_the_other_copy),
		cmocka_unit_test(one_header_is_enough),
		cmocka_unit_test(nothing_left_is_said_in_words),
		cmocka_unit_test(what_can_be_missed_does_not_stop_the_rest),
		cmocka_unit_test(records_are_mended_one_by_one),
		cmocka_unit_test(the_higher_closed_number_wins),
		cmocka_unit_test(a_torn_copy_is_the_last_resort),
		cmocka_unit_test(different_numbers_are_not_mixed),
		cmocka_unit_test(a_crash_at_any_point_leaves_one_state),
		cmocka_unit_test(one_copy_only_is_legal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
