/* SPDX-License-Identifier: Apache-2.0 */
#include "ddf_fixture.h"

#include "engine/priv.h"

static struct rng rng;

static struct priv_layout plan(uint64_t drive_bytes)
{
	struct ddf_layout ddf;
	struct priv_layout layout;

	assert_int_equal(ddf_layout_plan(drive_bytes, &ddf, NULL), 0);
	assert_int_equal(priv_layout_plan(&ddf, &layout, NULL), 0);
	return layout;
}

static void crc32c_is_the_usual_one(void **state)
{
	static const uint8_t zeros[32];

	(void)state;
	assert_int_equal(priv_crc32c("123456789", 9), 0xE3069283);
	assert_int_equal(priv_crc32c(zeros, 32), 0x8A9136AA); /* RFC 3720, B.4 */
	assert_int_equal(priv_crc32c("", 0), 0);
	assert_int_equal(priv_crc32c_more(priv_crc32c("1234", 4), "56789", 5), 0xE3069283);
}

static struct priv_super some_super(const struct priv_layout *l)
{
	struct priv_super s = {.seq = 41, .ddf_seq = 7, .flags = PRIV_SUPER_CLEAN,
		.cache = PRIV_CACHE_WRITE_THROUGH, .bitmap = l->bitmap, .log = l->log,
		.checksums = l->checksums, .log_tail_seq = 99, .epoch = 3};

	ddf_guid_new(&s.container, DDF_GUID_ARRAY, &rng, 1);
	ddf_guid_new(&s.drive, DDF_GUID_DRIVE, &rng, 2);
	return s;
}

static void superblocks_read_back(void **state)
{
	struct priv_layout l = plan(2048 * MIB);
	struct priv_super s = some_super(&l), back;
	uint8_t block[PRIV_BLOCK];

	(void)state;
	priv_super_encode(&s, block);
	assert_memory_equal(block, "VDSARRY1", 8);
	assert_int_equal(bytes_get_le(block + 12, 4), 1);
	assert_int_equal(bytes_get_le(block + 16, 8), 41);
	assert_int_equal(bytes_get_le(block + 24, 4), 7);
	assert_memory_equal(block + 32, s.container.b, 24);
	assert_memory_equal(block + 56, s.drive.b, 24);
	assert_int_equal(bytes_get_le(block + 88, 8), l.log.start);
	assert_int_equal(bytes_get_le(block + 104, 8), l.bitmap.start);
	assert_int_equal(bytes_get_le(block + 120, 8), l.checksums.start);
	assert_int_equal(bytes_get_le(block + 136, 8), 99);
	assert_int_equal(bytes_get_le(block + 144, 8), 3);
	assert_int_equal(priv_super_decode(block, &l, &back, NULL), 0);
	assert_memory_equal(&back, &s, sizeof(s));
}

static void every_damaged_byte_of_a_superblock_is_noticed(void **state)
{
	struct priv_layout l = plan(96 * MIB);
	struct priv_super s = some_super(&l), back;
	uint8_t block[PRIV_BLOCK];

	(void)state;
	priv_super_encode(&s, block);
	for (unsigned i = 0; i < PRIV_BLOCK; i++) {
		block[i] ^= (uint8_t)(1u << (i % 8));
		assert_int_equal(priv_super_decode(block, &l, &back, NULL), i < 8 ? -EMEDIUMTYPE : -EUCLEAN);
		block[i] ^= (uint8_t)(1u << (i % 8));
	}
}

static void super_crc(uint8_t *block)
{
	memset(block + 8, 0, 4);
	bytes_put_le(block + 8, 4, priv_crc32c(block, PRIV_BLOCK));
}

static void hostile_superblocks_are_refused(void **state)
{
	static const struct {
		unsigned at;
		uint64_t value;
		int rc;
	} cases[] = {
		{88, 0, -EUCLEAN}, {88, 49, -EUCLEAN}, {88, UINT64_MAX, -EUCLEAN}, {96, UINT64_MAX, -EUCLEAN},
		{104, 1 << 30, -EUCLEAN}, {112, 1 << 30, -EUCLEAN}, {112, 600, -EUCLEAN}, /* over the log */
		{120, 60, -EUCLEAN}, {128, UINT64_MAX - 100, -EUCLEAN}, {128, 0, 0},
	};
	struct priv_layout l = plan(96 * MIB);
	struct priv_super s = some_super(&l), back;
	uint8_t block[PRIV_BLOCK];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		priv_super_encode(&s, block);
		bytes_put_le(block + cases[i].at, 8, cases[i].value);
		super_crc(block);
		if (priv_super_decode(block, &l, &back, NULL) != cases[i].rc)
			fail_msg("case %zu", i);
	}
	priv_super_encode(&s, block);
	bytes_put_le(block + 12, 4, 2);
	super_crc(block);
	assert_int_equal(priv_super_decode(block, &l, &back, NULL), -ENOTSUP);
	priv_super_encode(&s, block);
	bytes_put_le(block + 80, 4, 77); /* an unknown cache policy is volatile */
	super_crc(block);
	assert_int_equal(priv_super_decode(block, &l, &back, NULL), 0);
	assert_int_equal(back.cache, PRIV_CACHE_VOLATILE);
}

static void the_newer_superblock_is_chosen(void **state)
{
	struct priv_layout l = plan(96 * MIB);
	struct priv_super s = some_super(&l), out;
	uint8_t a[PRIV_BLOCK], b[PRIV_BLOCK], zero[PRIV_BLOCK] = {0};
	unsigned copy;

	(void)state;
	priv_super_encode(&s, a);
	s.seq++;
	priv_super_encode(&s, b);
	assert_int_equal(priv_super_choose(a, b, &l, &out, &copy, NULL), 0);
	assert_int_equal(copy, 1);
	assert_int_equal(out.seq, 42);
	assert_int_equal(priv_super_choose(b, a, &l, &out, &copy, NULL), 0);
	assert_int_equal(copy, 0);
	assert_int_equal(priv_super_choose(a, zero, &l, &out, &copy, NULL), 0);
	assert_int_equal(copy, 0);
	assert_int_equal(priv_super_choose(NULL, a, &l, &out, &copy, NULL), 0);
	assert_int_equal(copy, 1);
	b[2000] ^= 1; /* torn while it was written: the older counts */
	assert_int_equal(priv_super_choose(a, b, &l, &out, &copy, NULL), 0);
	assert_int_equal(out.seq, 41);
	assert_int_equal(copy, 0);
	assert_int_equal(priv_super_choose(zero, b, &l, &out, &copy, NULL), -EUCLEAN);
	assert_int_equal(priv_super_choose(b, zero, &l, &out, &copy, NULL), -EUCLEAN);
	assert_int_equal(priv_super_choose(zero, zero, &l, &out, &copy, NULL), -EMEDIUMTYPE);
	assert_int_equal(priv_super_choose(NULL, NULL, &l, &out, &copy, NULL), -EIO);
}

static void some_members(struct priv_member *m)
{
	memset(m, 0, PRIV_MEMBERS_PER_BLOCK * sizeof(*m));
	for (unsigned i = 0; i < PRIV_MEMBERS_PER_BLOCK; i += 3) {
		m[i].used = true;
		ddf_guid_new(&m[i].vd, DDF_GUID_LUN, &rng, i);
		m[i].leg = (uint8_t)(i / 7);
		m[i].slot = (uint8_t)(i % 7);
		m[i].state = (enum priv_member_state)(i % 3 ? 0 : (i / 3) % 3);
		m[i].flags = PRIV_MEMBER_CATCH_UP;
		m[i].start = 2048 + i * 4096;
		m[i].blocks = 4096;
		m[i].recovered = i * 64;
		m[i].stale_mask = 1ull << i;
	}
}

static void member_tables_read_back(void **state)
{
	struct priv_member in[PRIV_MEMBERS_PER_BLOCK], back[PRIV_MEMBERS_PER_BLOCK];
	uint8_t block[PRIV_BLOCK];

	(void)state;
	some_members(in);
	priv_members_encode(in, block);
	assert_int_equal(priv_members_decode(block, back), 0);
	assert_memory_equal(back, in, sizeof(in));
	assert_int_equal(priv_member_block(0), 2);
	assert_int_equal(priv_member_block(1023), 17);
	memset(block, 0, sizeof(block));
	assert_int_equal(priv_members_decode(block, back), 0);
	for (unsigned i = 0; i < PRIV_MEMBERS_PER_BLOCK; i++)
		assert_false(back[i].used || back[i].damaged);
}

static void a_damaged_member_entry_costs_itself_only(void **state)
{
	struct priv_member in[PRIV_MEMBERS_PER_BLOCK], back[PRIV_MEMBERS_PER_BLOCK];
	uint8_t block[PRIV_BLOCK];

	(void)state;
	some_members(in);
	priv_members_encode(in, block);
	for (unsigned i = 0; i < PRIV_BLOCK; i++) {
		unsigned entry = i / 64;

		block[i] ^= 0x20;
		assert_int_equal(priv_members_decode(block, back), 1);
		assert_true(back[entry].damaged);
		assert_false(back[entry].used);
		back[entry] = in[entry];
		assert_memory_equal(back, in, sizeof(in));
		block[i] ^= 0x20;
	}
}

static void impossible_member_entries_are_damage(void **state)
{
	struct priv_member in[PRIV_MEMBERS_PER_BLOCK], back[PRIV_MEMBERS_PER_BLOCK];
	uint8_t block[PRIV_BLOCK];

	(void)state;
	some_members(in);
	in[0].recovered = in[0].blocks + 1;
	in[3].start = UINT64_MAX;
	priv_members_encode(in, block);
	block[6 * 64 + 26] = 3; /* no such state */
	bytes_put_le(block + 6 * 64 + 60, 4, priv_crc32c(block + 6 * 64, 60));
	assert_int_equal(priv_members_decode(block, back), 3);
	assert_true(back[0].damaged && back[3].damaged && back[6].damaged);
}

static void event_rings_read_back(void **state)
{
	struct priv_event in[PRIV_EVENTS_PER_BLOCK], back[PRIV_EVENTS_PER_BLOCK];
	uint8_t block[PRIV_BLOCK];

	(void)state;
	memset(in, 0, sizeof(in));
	for (unsigned i = 0; i < PRIV_EVENTS_PER_BLOCK; i++) {
		if (i == 5)
			continue;
		in[i].seq = 1 + 3 * PRIV_EVENTS + 2 * PRIV_EVENTS_PER_BLOCK + i;
		in[i].wall_ms = -5 + (int64_t)i;
		in[i].kind = (uint16_t)i;
		in[i].severity = 2;
		in[i].code = -5;
		guid_random(&rng, &in[i].object);
		in[i].arg1 = i;
		in[i].arg2 = UINT64_MAX - i;
		assert_int_equal(priv_event_block(in[i].seq), PRIV_EVENT_BLOCK + 2);
		assert_int_equal(priv_event_place(in[i].seq), 2 * PRIV_EVENTS_PER_BLOCK + i);
	}
	priv_events_encode(in, block);
	assert_int_equal(priv_events_decode(block, 2, back), 0);
	assert_memory_equal(back, in, sizeof(in));
	assert_int_equal(priv_events_decode(block, 3, back), 63); /* not their place */
	block[100] ^= 1;
	assert_int_equal(priv_events_decode(block, 2, back), 1);
	assert_int_equal(back[1].seq, 0);
	assert_int_equal(back[2].seq, in[2].seq);
	assert_int_equal(priv_event_place(1), 0);
	assert_int_equal(priv_event_place(1024), 1023);
	assert_int_equal(priv_event_place(1025), 0);
}

static struct priv_lost some_lost[PRIV_LOST_MAX], lost_back[PRIV_LOST_MAX];
static uint8_t lost_copy[PRIV_LOST_BLOCKS * PRIV_BLOCK];

static void make_lost(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		some_lost[i] = (struct priv_lost){rng_next(&rng), rng_next(&rng) >> 12,
			1 + rng_below(&rng, 1u << 30)};
}

static void lists_of_lost_data_read_back(void **state)
{
	unsigned count;
	uint64_t seq;

	(void)state;
	for (unsigned n = 0; n <= PRIV_LOST_MAX; n += n < 400 ? 13 : 159) {
		make_lost(n);
		memset(lost_copy, 0xA5, sizeof(lost_copy)); /* what is behind is of no account */
		assert_int_equal(priv_lost_encode(some_lost, n, n + 1, lost_copy),
			n ? (n + PRIV_LOST_PER_BLOCK - 1) / PRIV_LOST_PER_BLOCK : 1);
		assert_int_equal(priv_lost_decode(lost_copy, lost_back, &count, &seq), 0);
		assert_int_equal(count, n);
		assert_int_equal(seq, n + 1);
		assert_memory_equal(lost_back, some_lost, n * sizeof(some_lost[0]));
	}
	memset(lost_copy, 0, sizeof(lost_copy));
	assert_int_equal(priv_lost_decode(lost_copy, lost_back, &count, &seq), 0);
	assert_true(!count && !seq);
}

static void a_copy_of_the_list_counts_as_a_whole_or_not_at_all(void **state)
{
	static uint8_t earlier[PRIV_LOST_BLOCKS * PRIV_BLOCK];
	unsigned blocks, count;
	uint64_t seq;

	(void)state;
	make_lost(PRIV_LOST_PER_BLOCK * 2 + 5);
	blocks = priv_lost_encode(some_lost, PRIV_LOST_PER_BLOCK * 2 + 5, 7, lost_copy);
	assert_int_equal(blocks, 3);
	for (unsigned i = 0; i < blocks * PRIV_BLOCK; i += 3) {
		lost_copy[i] ^= 4;
		assert_int_equal(priv_lost_decode(lost_copy, lost_back, &count, &seq), -EUCLEAN);
		assert_true(!count && !seq);
		lost_copy[i] ^= 4;
	}
	/* the last block is of an earlier list */
	priv_lost_encode(some_lost, 0, 6, earlier);
	memcpy(lost_copy + 2 * PRIV_BLOCK, earlier, PRIV_BLOCK);
	assert_int_equal(priv_lost_decode(lost_copy, lost_back, &count, &seq), -EUCLEAN);
}

static void impossible_lost_ranges_are_damage(void **state)
{
	static const struct priv_lost wrong[] = {{1, 5, 0}, {1, UINT64_MAX - 3, 5}, {1, 1ull << 60, 1}};
	unsigned count;
	uint64_t seq;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		priv_lost_encode(&wrong[i], 1, 3, lost_copy);
		assert_int_equal(priv_lost_decode(lost_copy, lost_back, &count, &seq), -EUCLEAN);
	}
}

static int setup(void **state)
{
	(void)state;
	rng_seed(&rng, 5);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32c_is_the_usual_one),
		cmocka_unit_test(superblocks_read_back),
		cmocka_unit_test(every_damaged_byte_of_a_superblock_is_noticed),
		cmocka_unit_test(hostile_superblocks_are_refused),
		cmocka_unit_test(the_newer_superblock_is_chosen),
		cmocka_unit_test(member_tables_read_back),
		cmocka_unit_test(a_damaged_member_entry_costs_itself_only),
		cmocka_unit_test(impossible_member_entries_are_damage),
		cmocka_unit_test(event_rings_read_back),
		cmocka_unit_test(lists_of_lost_data_read_back),
		cmocka_unit_test(a_copy_of_the_list_counts_as_a_whole_or_not_at_all),
		cmocka_unit_test(impossible_lost_ranges_are_damage),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
