/* SPDX-License-Identifier: Apache-2.0 */
/* Space on drives, on a model made by hand: two LUNs on three drives. */
#include "engine/engine_internal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)

struct world {
	struct eng_array array;
	struct eng_drive drive[3];
	struct eng_lun lun[2];
};

static void place(struct eng_lun *l, unsigned slot, struct eng_drive *d, uint64_t start, uint64_t size,
	unsigned index)
{
	l->members[slot] = (struct eng_member) {
		.drive = d, .start = start * MIB, .size = size * MIB, .index = index };
	if (l->shape.members <= slot)
		l->shape.members = slot + 1;
}

static struct world *make(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	list_init(&w->array.drives);
	list_init(&w->array.luns);
	for (int i = 0; i < 3; i++) {
		w->drive[i].array = &w->array;
		w->drive[i].ours = true;
		w->drive[i].layout.extents_end = 100 * MIB / 512;
		list_init(&w->drive[i].link);
		list_add_tail(&w->array.drives, &w->drive[i].link);
	}
	for (int i = 0; i < 2; i++) {
		w->lun[i].array = &w->array;
		list_add_tail(&w->array.luns, &w->lun[i].link);
	}
	place(&w->lun[0], 0, &w->drive[0], 20, 10, 1);
	place(&w->lun[0], 1, &w->drive[1], 1, 10, 0);
	place(&w->lun[1], 0, &w->drive[0], 1, 5, 0);
	place(&w->lun[1], 1, NULL, 0, 5, 0);
	return w;
}

static void holes_are_what_no_member_covers(void **state)
{
	struct world *w = make();
	struct eng_hole_vec holes = { 0 };
	uint64_t largest, start;

	(void)state;
	assert_int_equal(eng_pool_holes(&w->drive[0], &holes), 0);
	assert_int_equal(holes.len, 2);
	assert_int_equal(holes.items[0].start, 6 * MIB);
	assert_int_equal(holes.items[0].size, 14 * MIB);
	assert_int_equal(holes.items[1].start, 30 * MIB);
	assert_int_equal(holes.items[1].size, 70 * MIB);
	eng_hole_vec_free(&holes);
	assert_int_equal(eng_pool_usable(&w->drive[0]), 99 * MIB);
	assert_int_equal(eng_pool_free(&w->drive[0], &largest), 84 * MIB);
	assert_int_equal(largest, 70 * MIB);
	assert_int_equal(eng_pool_alloc(&w->drive[0], 14 * MIB, &start), 0);
	assert_int_equal(start, 6 * MIB);
	assert_int_equal(eng_pool_alloc(&w->drive[0], 15 * MIB, &start), 0);
	assert_int_equal(start, 30 * MIB);
	assert_int_equal(eng_pool_alloc(&w->drive[0], 71 * MIB, &start), -ENOSPC);
	assert_int_equal(eng_pool_index(&w->drive[0]), 2);
	assert_int_equal(eng_pool_index(&w->drive[1]), 1);
	assert_true(eng_pool_can_grow(&w->drive[0], 6 * MIB, 14 * MIB));
	assert_false(eng_pool_can_grow(&w->drive[0], 6 * MIB, 15 * MIB));
	free(w);
}

static void a_drive_that_is_not_ours_has_no_space(void **state)
{
	struct world *w = make();
	uint64_t start;

	(void)state;
	w->drive[2].ours = false;
	assert_int_equal(eng_pool_usable(&w->drive[2]), 0);
	assert_int_equal(eng_pool_free(&w->drive[2], NULL), 0);
	assert_int_equal(eng_pool_alloc(&w->drive[2], MIB, &start), -ENOSPC);
	free(w);
}

static void places_are_all_members_drive_by_drive(void **state)
{
	struct world *w = make();
	struct eng_place *p = eng_places(&w->array);

	(void)state;
	assert_non_null(p);
	assert_int_equal(w->drive[0].places, 2);
	assert_int_equal(w->drive[1].places, 1);
	assert_int_equal(w->drive[2].places, 0);
	assert_ptr_equal(p[w->drive[0].first_place].lun, &w->lun[0]);
	assert_int_equal(p[w->drive[0].first_place].slot, 0);
	assert_ptr_equal(p[w->drive[0].first_place + 1].lun, &w->lun[1]);
	assert_ptr_equal(p[w->drive[1].first_place].lun, &w->lun[0]);
	assert_int_equal(p[w->drive[1].first_place].slot, 1);
	free(p);
	/* what was found before does not add up */
	p = eng_places(&w->array);
	assert_int_equal(w->drive[0].places, 2);
	free(p);
	free(w);
}

/* A member's drive may be on its way in or out: not in the list. */
static void places_leave_out_drives_that_are_not_listed(void **state)
{
	struct world *w = make();
	struct eng_place *p;

	(void)state;
	list_del(&w->drive[0].link);
	p = eng_places(&w->array);
	assert_int_equal(w->drive[0].places, 0);
	assert_int_equal(w->drive[1].places, 1);
	assert_ptr_equal(p[w->drive[1].first_place].lun, &w->lun[0]);
	free(p);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holes_are_what_no_member_covers),
		cmocka_unit_test(a_drive_that_is_not_ours_has_no_space),
		cmocka_unit_test(places_are_all_members_drive_by_drive),
		cmocka_unit_test(places_leave_out_drives_that_are_not_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
