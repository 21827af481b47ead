/* SPDX-License-Identifier: Apache-2.0 */
#include "raid/raid_internal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define CHUNK 4096u

static struct raid_shape shape_of(
	enum raid_level level, unsigned members, unsigned groups, uint64_t chunks)
{
	struct raid_shape s = {.level = level,
		.members = members,
		.groups = groups,
		.chunk = CHUNK,
		.member_size = chunks * CHUNK};

	if (level == RAID_SIMPLE || level == RAID_SPAN || level == RAID_MIRROR)
		s.chunk = 0;
	for (unsigned i = 0; i < members && i < RAID_MAX_MEMBERS; i++)
		s.span_sizes[i] = (i + 1) * 2048;
	return s;
}

/* Counts the sectors of all members by what they hold; data must map back to where it lies. */
static void count_roles(const struct raid_shape *s, uint64_t *data, uint64_t *p, uint64_t *q)
{
	uint64_t back, row;

	for (unsigned m = 0; m < s->members; m++) {
		uint64_t msize = s->level == RAID_SPAN ? s->span_sizes[m] : s->member_size;

		for (uint64_t at = 0; at < msize; at += 512) {
			struct raid_place place;

			switch (raid_unmap(s, m, at, &back, &row)) {
			case RAID_ROLE_DATA:
				(*data)++;
				raid_map(s, back, &place);
				assert_true(m >= place.member && m < place.member + place.copies);
				assert_int_equal(place.offset, at);
				break;
			case RAID_ROLE_P:
				(*p)++;
				break;
			case RAID_ROLE_Q:
				(*q)++;
				break;
			case RAID_ROLE_NONE:
				fail();
			}
		}
		assert_int_equal(raid_unmap(s, m, msize, &back, &row), RAID_ROLE_NONE);
	}
}

/* Every data byte is mapped, to distinct places, and unmaps to itself; what is left on the
 * members is parity, once per row and kind. Steps of 512 bytes stand for all bytes. */
static void check_bijection(const struct raid_shape *s)
{
	uint64_t size = raid_shape_size(s), data = 0, p = 0, q = 0, back, row;
	struct raid_geo g;

	assert_int_equal(raid_shape_check(s, NULL), 0);
	raid_geo_init(&g, s);
	for (uint64_t at = 0; at < size; at += 512) {
		struct raid_place place;

		raid_map(s, at, &place);
		assert_true(place.length >= 512 && at + place.length <= size);
		for (unsigned c = 0; c < place.copies; c++) {
			assert_int_equal(raid_unmap(s, place.member + c, place.offset, &back, &row),
				RAID_ROLE_DATA);
			assert_int_equal(back, at);
			assert_int_equal(row, place.row);
		}
		/* the run is contiguous on both sides */
		assert_int_equal(
			raid_unmap(s, place.member, place.offset + place.length - 512, &back, &row),
			RAID_ROLE_DATA);
		assert_int_equal(back, at + place.length - 512);
		if (place.parity_p >= 0)
			assert_int_equal(
				raid_unmap(s, (unsigned)place.parity_p, place.offset, &back, &row),
				RAID_ROLE_P);
		if (place.parity_q >= 0)
			assert_int_equal(
				raid_unmap(s, (unsigned)place.parity_q, place.offset, &back, &row),
				RAID_ROLE_Q);
		assert_int_equal(place.parity_p >= 0, g.np >= 1);
		assert_int_equal(place.parity_q >= 0, g.np >= 2);
	}
	count_roles(s, &data, &p, &q);
	assert_int_equal(data, size / 512 * g.copies);
	assert_int_equal(p, g.np >= 1 ? g.rows * CHUNK / 512 : 0);
	assert_int_equal(q, g.np >= 2 ? g.rows * CHUNK / 512 : 0);
}

static void forward_and_inverse_agree(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 12; n++) {
		uint64_t chunks = 2 * n + 3;
		struct raid_shape s;

		if (n == 1) {
			s = shape_of(RAID_SIMPLE, n, 1, chunks);
			check_bijection(&s);
		}
		s = shape_of(RAID_SPAN, n, 1, chunks);
		check_bijection(&s);
		if (n >= 2) {
			s = shape_of(RAID_STRIPE, n, 1, chunks);
			check_bijection(&s);
			s = shape_of(RAID_MIRROR, n, 1, chunks);
			check_bijection(&s);
		}
		if (n >= 2 && n % 2 == 0) {
			s = shape_of(RAID_RAID10, n, n / 2, chunks);
			check_bijection(&s);
		}
		if (n >= 3) {
			s = shape_of(RAID_RAID5, n, 1, chunks);
			check_bijection(&s);
		}
		if (n >= 4) {
			s = shape_of(RAID_RAID6, n, 1, chunks);
			check_bijection(&s);
		}
		for (unsigned groups = 2; groups <= n / 3; groups++) {
			if (n % groups)
				continue;
			s = shape_of(RAID_RAID50, n, groups, chunks);
			check_bijection(&s);
			if (n / groups >= 4) {
				s = shape_of(RAID_RAID60, n, groups, chunks);
				check_bijection(&s);
			}
		}
	}
}

/* The formulas of the on-disk layout, spelled out chunk by chunk, independent of the code. */
static void parity_layouts_are_left_symmetric(void **state)
{
	(void)state;
	for (unsigned n = 3; n <= 12; n++) {
		for (unsigned np = 1; np <= 2 && n > np + 1; np++) {
			struct raid_shape s =
				shape_of(np == 1 ? RAID_RAID5 : RAID_RAID6, n, 1, 3 * n);
			unsigned k = n - np;

			for (uint64_t c = 0; c < 3 * n * k; c++) {
				uint64_t r = c / k;
				unsigned p = (unsigned)(n - 1 - r % n), q = (p + n - 1) % n;
				unsigned m = (unsigned)((p + 1 + c % k) % n);
				struct raid_place place;

				raid_map(&s, c * CHUNK + 512, &place);
				assert_int_equal(place.member, m);
				assert_int_equal(place.offset, r * CHUNK + 512);
				assert_int_equal(place.length, CHUNK - 512);
				assert_int_equal(place.parity_p, p);
				if (np == 2)
					assert_int_equal(place.parity_q, q);
			}
		}
	}
}

static void groups_take_rows_in_turn(void **state)
{
	struct raid_shape s = shape_of(RAID_RAID50, 6, 2, 8);
	struct raid_place place;

	(void)state;
	/* two data chunks per inner row: chunks 0,1 in group 0, chunks 2,3 in group 1 */
	raid_map(&s, 0, &place);
	assert_int_equal(place.member, 0);
	assert_int_equal(place.parity_p, 2);
	raid_map(&s, 2 * CHUNK, &place);
	assert_int_equal(place.member, 3);
	assert_int_equal(place.parity_p, 5);
	assert_int_equal(place.offset, 0);
	assert_int_equal(place.row, 1);
	raid_map(&s, 4 * CHUNK, &place);
	assert_int_equal(place.member, 2);
	assert_int_equal(place.parity_p, 1);
	assert_int_equal(place.offset, CHUNK);
	assert_int_equal(raid_shape_size(&s), 4 * 8 * CHUNK);
}

static void shapes_are_checked(void **state)
{
	struct err err;
	struct raid_shape s;

	(void)state;
#define REFUSED(...)                                                                               \
	do {                                                                                       \
		s = shape_of(__VA_ARGS__);                                                         \
		err_clear(&err);                                                                   \
		assert_int_equal(raid_shape_check(&s, &err), -EINVAL);                             \
		assert_true(err.text[0]);                                                          \
	} while (0)
	REFUSED(RAID_SIMPLE, 2, 1, 4);
	REFUSED(RAID_MIRROR, 1, 1, 4);
	REFUSED(RAID_STRIPE, 1, 1, 4);
	REFUSED(RAID_RAID10, 3, 1, 4);
	REFUSED(RAID_RAID5, 2, 1, 4);
	REFUSED(RAID_RAID6, 3, 1, 4);
	REFUSED(RAID_RAID50, 6, 1, 4);
	REFUSED(RAID_RAID50, 7, 2, 4);
	REFUSED(RAID_RAID60, 6, 2, 4);
	REFUSED(RAID_STRIPE, 65, 1, 4);
	REFUSED(RAID_STRIPE, 4, 1, 0);
	REFUSED((enum raid_level)99, 4, 1, 4);
	s = shape_of(RAID_RAID5, 3, 1, 4);
	s.member_size += 512;
	assert_int_equal(raid_shape_check(&s, &err), -EINVAL);
	s = shape_of(RAID_RAID5, 3, 1, 4);
	s.chunk = 512;
	assert_int_equal(raid_shape_check(&s, &err), -EINVAL);
	s = shape_of(RAID_MIRROR, 2, 1, 4);
	s.chunk = 65536;
	assert_int_equal(raid_shape_check(&s, NULL), -EINVAL);
	s = shape_of(RAID_SPAN, 2, 1, 4);
	s.span_sizes[1] = 0;
	assert_int_equal(raid_shape_check(&s, NULL), -EINVAL);
	s = shape_of(RAID_SIMPLE, 1, 1, 4);
	s.member_size = UINT64_MAX - 511;
	assert_int_equal(raid_shape_check(&s, NULL), -EINVAL);
}

/* Survival by the definition: every row must keep enough of its blocks. */
static bool survives_by_rows(const struct raid_shape *s, uint64_t lost)
{
	for (uint64_t at = 0; at < raid_shape_size(s); at += 512) {
		struct raid_place place;
		unsigned alive = 0, missing = 0;
		uint64_t back, row;

		raid_map(s, at, &place);
		for (unsigned c = 0; c < place.copies; c++)
			alive += !(lost >> (place.member + c) & 1);
		if (alive)
			continue;
		for (unsigned m = 0; m < s->members; m++)
			missing += lost >> m & 1 &&
				   raid_unmap(s, m, place.offset, &back, &row) != RAID_ROLE_NONE &&
				   row == place.row;
		if (missing > (unsigned)(place.parity_p >= 0) + (place.parity_q >= 0))
			return false;
	}
	return true;
}

static void survival_matches_the_rows(void **state)
{
	const struct raid_shape shapes[] = {shape_of(RAID_SIMPLE, 1, 1, 2),
		shape_of(RAID_SPAN, 3, 1, 2), shape_of(RAID_STRIPE, 3, 1, 2),
		shape_of(RAID_MIRROR, 3, 1, 2), shape_of(RAID_RAID10, 6, 3, 2),
		shape_of(RAID_RAID5, 5, 1, 6), shape_of(RAID_RAID6, 6, 1, 7),
		shape_of(RAID_RAID50, 6, 2, 4), shape_of(RAID_RAID60, 8, 2, 5)};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++) {
		unsigned worst = shapes[i].members + 1;

		for (uint64_t lost = 0; lost < UINT64_C(1) << shapes[i].members; lost++) {
			bool alive = raid_shape_survives(&shapes[i], lost);

			/* two losses in a RAID 5 group leave rows where P was one of them and
			 * data can be had; over all rows both definitions agree */
			assert_int_equal(alive, survives_by_rows(&shapes[i], lost));
			if (!alive && (unsigned)__builtin_popcountll(lost) < worst)
				worst = (unsigned)__builtin_popcountll(lost);
		}
		assert_int_equal(raid_shape_redundancy(&shapes[i]), worst - 1);
	}
}

static void row_sizes(void **state)
{
	struct raid_shape s = shape_of(RAID_RAID6, 6, 1, 4);

	(void)state;
	assert_int_equal(raid_shape_row(&s), 4 * CHUNK);
	s = shape_of(RAID_RAID60, 12, 2, 4);
	assert_int_equal(raid_shape_row(&s), 4 * CHUNK);
	s = shape_of(RAID_STRIPE, 6, 1, 4);
	assert_int_equal(raid_shape_row(&s), 6 * CHUNK);
	s = shape_of(RAID_RAID10, 6, 3, 4);
	assert_int_equal(raid_shape_row(&s), 3 * CHUNK);
	s = shape_of(RAID_MIRROR, 2, 1, 4);
	assert_int_equal(raid_shape_row(&s), 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forward_and_inverse_agree),
		cmocka_unit_test(parity_layouts_are_left_symmetric),
		cmocka_unit_test(groups_take_rows_in_turn),
		cmocka_unit_test(shapes_are_checked),
		cmocka_unit_test(survival_matches_the_rows),
		cmocka_unit_test(row_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
