/* SPDX-License-Identifier: Apache-2.0 */
#include "ddf_fixture.h"

static const struct {
	enum raid_level level;
	unsigned members, groups;
	uint8_t prl, rlq, srl, legs, per_leg, chunk_shift;
} shapes[] = {
	{RAID_SIMPLE, 1, 1, 0x00, 0x00, 0xFF, 1, 1, 7},
	{RAID_SPAN, 3, 1, 0x1F, 0x00, 0xFF, 1, 3, 0xFF},
	{RAID_STRIPE, 4, 1, 0x00, 0x00, 0xFF, 1, 4, 7},
	{RAID_MIRROR, 2, 1, 0x01, 0x00, 0xFF, 1, 2, 0xFF},
	{RAID_MIRROR, 3, 1, 0x01, 0x01, 0xFF, 1, 3, 0xFF},
	{RAID_MIRROR, 5, 1, 0x01, 0x01, 0xFF, 1, 5, 0xFF},
	{RAID_RAID10, 4, 2, 0x01, 0x00, 0x03, 2, 2, 7},
	{RAID_RAID10, 8, 4, 0x01, 0x00, 0x03, 4, 2, 7},
	{RAID_RAID5, 3, 1, 0x05, 0x03, 0xFF, 1, 3, 7},
	{RAID_RAID6, 4, 1, 0x06, 0x03, 0xFF, 1, 4, 7},
	{RAID_RAID50, 9, 3, 0x05, 0x03, 0x00, 3, 3, 7},
	{RAID_RAID60, 8, 2, 0x06, 0x03, 0x00, 2, 4, 7},
};

static void every_shape_has_its_numbers_and_reads_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct raid_shape shape = fix_shape(shapes[i].level, shapes[i].members, shapes[i].groups);
		struct raid_shape back;
		struct ddf_conf conf;

		ddf_conf_init(&conf);
		assert_int_equal(ddf_level_encode(&shape, &conf, NULL), 0);
		assert_int_equal(conf.prl, shapes[i].prl);
		assert_int_equal(conf.rlq, shapes[i].rlq);
		assert_int_equal(conf.srl, shapes[i].srl);
		assert_int_equal(conf.legs, shapes[i].legs);
		assert_int_equal(conf.members, shapes[i].per_leg);
		assert_int_equal(conf.chunk_shift, shapes[i].chunk_shift);
		conf.blocks = shape.member_size / 512;
		conf.vd_blocks = 1;
		assert_int_equal(ddf_level_decode(&conf, &back, NULL), 0);
		assert_int_equal(back.level, shape.level);
		assert_int_equal(back.members, shape.members);
		assert_int_equal(back.groups, shapes[i].legs);
		assert_int_equal(back.chunk, shape.chunk);
		assert_int_equal(back.member_size, shape.member_size);
		memset(back.span_sizes, 0, sizeof(back.span_sizes));
		if (back.level != RAID_SPAN)
			assert_int_equal(raid_shape_check(&back, NULL), 0);
	}
}

static void every_chunk_size_reads_back(void **state)
{
	(void)state;
	for (uint32_t chunk = 4096; chunk <= 64u << 20; chunk *= 2) {
		struct raid_shape shape = fix_shape(RAID_RAID6, 6, 1), back;
		struct ddf_conf conf;

		shape.chunk = chunk;
		ddf_conf_init(&conf);
		assert_int_equal(ddf_level_encode(&shape, &conf, NULL), 0);
		assert_int_equal(512u << conf.chunk_shift, chunk);
		conf.blocks = conf.vd_blocks = 262144;
		assert_int_equal(ddf_level_decode(&conf, &back, NULL), 0);
		assert_int_equal(back.chunk, chunk);
	}
}

static void refuses_shapes_that_ddf_cannot_say(void **state)
{
	struct raid_shape shape = fix_shape(RAID_STRIPE, 4, 1);
	struct ddf_conf conf;
	struct err err = {0};

	(void)state;
	ddf_conf_init(&conf);
	shape.chunk = 3 * 65536;
	assert_int_equal(ddf_level_encode(&shape, &conf, &err), -EINVAL);
	shape.chunk = 2048;
	assert_int_equal(ddf_level_encode(&shape, &conf, &err), -EINVAL);
	shape = fix_shape(RAID_RAID10, 5, 2);
	assert_int_equal(ddf_level_encode(&shape, &conf, &err), -EINVAL);
	shape = fix_shape(RAID_RAID50, 7, 2);
	assert_int_equal(ddf_level_encode(&shape, &conf, &err), -EINVAL);
	shape = fix_shape(RAID_RAID50, 6, 0);
	assert_int_equal(ddf_level_encode(&shape, &conf, &err), -EINVAL);
	shape = fix_shape(RAID_STRIPE, 65, 1);
	assert_int_equal(ddf_level_encode(&shape, &conf, &err), -EINVAL);
	shape = fix_shape(RAID_STRIPE, 0, 1);
	assert_int_equal(ddf_level_encode(&shape, &conf, &err), -EINVAL);
}

static struct ddf_conf foreign(uint8_t prl, uint8_t rlq, uint8_t legs, uint8_t srl, uint16_t members)
{
	struct ddf_conf conf;

	ddf_conf_init(&conf);
	conf.prl = prl;
	conf.rlq = rlq;
	conf.legs = legs;
	conf.srl = srl;
	conf.members = members;
	conf.chunk_shift = 7;
	conf.blocks = conf.vd_blocks = 262144;
	return conf;
}

static void foreign_levels_are_named_and_refused(void **state)
{
	static const struct {
		uint8_t prl, rlq, legs, srl;
		uint16_t members;
		int rc;
		const char *says;
	} cases[] = {
		{0x05, 0x00, 1, 0xFF, 3, -ENOTSUP, "RAID 5, rotating parity 0, restart"},
		{0x05, 0x02, 1, 0xFF, 3, -ENOTSUP, "RAID 5, rotating parity N, restart"},
		{0x06, 0x01, 1, 0xFF, 4, -ENOTSUP, "RAID 6, rotating parity 0, restart"},
		{0x06, 0x02, 1, 0xFF, 4, -ENOTSUP, "RAID 6, rotating parity N, restart"},
		{0x11, 0x00, 1, 0xFF, 3, -ENOTSUP, "RAID 1E, adjacent"},
		{0x11, 0x01, 1, 0xFF, 3, -ENOTSUP, "RAID 1E, offset"},
		{0x04, 0x01, 1, 0xFF, 3, -ENOTSUP, "RAID 4"},
		{0x15, 0x03, 1, 0xFF, 4, -ENOTSUP, "RAID 5E,"},
		{0x25, 0x03, 1, 0xFF, 4, -ENOTSUP, "RAID 5EE"},
		{0x0F, 0x00, 1, 0xFF, 1, -ENOTSUP, "JBOD"},
		{0x00, 0x00, 2, 0x01, 2, -ENOTSUP, "secondary level 01"}, /* RAID 01 */
		{0x01, 0x01, 2, 0x03, 3, -ENOTSUP, "RAID 1, more than two copies in 2 legs"},
		{0x05, 0x03, 2, 0x01, 3, -ENOTSUP, "secondary level 01"},
		{0x05, 0x07, 1, 0xFF, 3, -EINVAL, "not defined"},
		{0x77, 0x00, 1, 0xFF, 3, -EINVAL, "not defined"},
		{0x05, 0x03, 1, 0xFF, 2, -EINVAL, "members"},
		{0x01, 0x00, 1, 0xFF, 1, -EINVAL, "members"},
		{0x00, 0x00, 1, 0xFF, 65, -ENOTSUP, "65 members"},
		{0x01, 0x00, 255, 0x03, 2, -ENOTSUP, "510 members"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ddf_conf conf = foreign(cases[i].prl, cases[i].rlq, cases[i].legs, cases[i].srl,
			cases[i].members);
		struct raid_shape shape;
		struct err err = {0};

		assert_int_equal(ddf_level_decode(&conf, &shape, &err), cases[i].rc);
		if (!strstr(err.text, cases[i].says))
			fail_msg("case %zu says: %s", i, err.text);
		assert_non_null(ddf_level_name(&conf));
	}
}

static void sizes_and_chunks_are_bounded(void **state)
{
	struct ddf_conf conf = foreign(0x05, 0x03, 1, 0xFF, 3);
	struct raid_shape shape;

	(void)state;
	for (unsigned shift = 0; shift < 256; shift++) {
		conf.chunk_shift = (uint8_t)shift;
		assert_int_equal(ddf_level_decode(&conf, &shape, NULL),
			shift >= 3 && shift <= 17 ? 0 : -ENOTSUP);
	}
	conf.chunk_shift = 7;
	conf.blocks = 1000;
	assert_int_equal(ddf_level_decode(&conf, &shape, NULL), 0);
	assert_int_equal(shape.member_size, 7 * 65536);
	conf.blocks = 100;
	assert_int_equal(ddf_level_decode(&conf, &shape, NULL), -EINVAL);
	conf.blocks = 0;
	assert_int_equal(ddf_level_decode(&conf, &shape, NULL), -EINVAL);
	conf.blocks = UINT64_MAX;
	assert_int_equal(ddf_level_decode(&conf, &shape, NULL), -EINVAL);
	conf.blocks = 8192;
	conf.vd_blocks = UINT64_MAX / 512;
	assert_int_equal(ddf_level_decode(&conf, &shape, NULL), -EINVAL);
}

static void md_takes_both_secondary_levels_for_raid_10(void **state)
{
	struct ddf_conf conf = foreign(0x01, 0x00, 3, 0x00, 2);
	struct raid_shape shape;

	(void)state;
	assert_int_equal(ddf_level_decode(&conf, &shape, NULL), 0);
	assert_int_equal(shape.level, RAID_RAID10);
	assert_int_equal(shape.members, 6);
}

static void the_mark_reads_back_and_others_are_not_ours(void **state)
{
	struct ddf_mark mark = {.policy = DDF_POLICY_CHECKSUMMED | DDF_POLICY_WRITE_LOG,
		.lun_type = 18}, back;
	struct ddf_conf conf;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 2);
	guid_random(&rng, &mark.object);
	ddf_conf_init(&conf);
	assert_false(ddf_mark_decode(conf.vendor, &back));
	ddf_mark_encode(&mark, conf.vendor);
	assert_memory_equal(conf.vendor, "LINUXVDS", 8);
	assert_int_equal(conf.vendor[9], 3);
	assert_memory_equal(conf.vendor + 10, mark.object.b, 16);
	assert_int_equal(conf.vendor[26], 18);
	assert_true(ddf_mark_decode(conf.vendor, &back));
	assert_memory_equal(&back, &mark, sizeof(mark));
	conf.vendor[8]++;
	assert_false(ddf_mark_decode(conf.vendor, &back));
	assert_true(guid_is_zero(&back.object));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape_has_its_numbers_and_reads_back),
		cmocka_unit_test(every_chunk_size_reads_back),
		cmocka_unit_test(refuses_shapes_that_ddf_cannot_say),
		cmocka_unit_test(foreign_levels_are_named_and_refused),
		cmocka_unit_test(sizes_and_chunks_are_bounded),
		cmocka_unit_test(md_takes_both_secondary_levels_for_raid_10),
		cmocka_unit_test(the_mark_reads_back_and_others_are_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
