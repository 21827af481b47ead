/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes at the places the specification gives, and what is refused. */
#include "ddf_fixture.h"

static uint64_t at(const uint8_t *bytes, size_t offset, int len)
{
	return bytes_get_be(bytes + offset, len);
}

static void headers_have_their_fields(void **state)
{
	uint8_t h[512];
	struct fix f;

	(void)state;
	fix_init(&f, 1, 2048 * MIB);
	ddf_encode_header(&f.set, &f.layout, DDF_SECONDARY, true, h);
	assert_int_equal(at(h, 0, 4), 0xDE11DE11);
	assert_int_equal(at(h, 4, 4), ddf_crc(h, 512));
	assert_memory_equal(h + 8, f.set.container.b, 24);
	assert_memory_equal(h + 32, "01.02.00", 8);
	assert_int_equal(at(h, 40, 4), 7);
	assert_int_equal(at(h, 44, 4), FIX_TIME);
	assert_int_equal(h[48], 1);
	assert_int_equal(at(h, 51, 8), UINT64_MAX);
	assert_int_equal(at(h, 96, 8), f.layout.primary);
	assert_int_equal(at(h, 104, 8), f.layout.secondary);
	assert_int_equal(h[112], 2);
	assert_int_equal(at(h, 116, 4), f.layout.workspace_len);
	assert_int_equal(at(h, 120, 8), f.layout.workspace);
	assert_int_equal(at(h, 128, 8), 0x03FF03FF00400007);
	assert_int_equal(at(h, 136, 4), 0x0100FFFF);
	assert_int_equal(at(h, 192, 8), 0x0000000100000001);
	assert_int_equal(at(h, 224, 8), 0x000002C900000001);
	assert_int_equal(at(h, 232, 8), 0xFFFFFFFF00000000); /* no bad-block log */
	assert_int_equal(h[511], 0xFF);
	ddf_encode_header(&f.set, &f.layout, DDF_ANCHOR, false, h);
	assert_int_equal(at(h, 40, 4), UINT32_MAX);
	assert_int_equal(h[48], 0xFF);
	assert_int_equal(h[112], 0);
	fix_free(&f);
}

static void sections_have_their_fields(void **state)
{
	uint8_t *copy, *p;
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	fix_fill(&f);
	copy = fix_copy(&f, 0, DDF_PRIMARY, false);
	assert_int_equal(at(copy, 512, 4), 0xAD111111);
	p = copy + 2 * 512;
	assert_int_equal(at(p, 0, 4), 0x22222222);
	assert_int_equal(at(p, 4, 4), ddf_crc(p, 128 * 512));
	assert_int_equal(at(p, 8, 4), 0x000303FF);
	assert_memory_equal(p + 64, f.drives[0].guid.b, 24);
	assert_int_equal(at(p, 64 + 24, 4), f.drives[0].refnum);
	assert_int_equal(at(p, 64 + 28, 4), 0x03030001);
	assert_int_equal(at(p, 64 + 32, 8), f.layout.workspace);
	assert_int_equal(at(p, 64 * 4, 8), UINT64_MAX); /* the fourth entry is free */
	p = copy + 130 * 512;
	assert_int_equal(at(p, 0, 4), 0xDDDDDDDD);
	assert_int_equal(at(p, 8, 4), 0x000203FF);
	assert_memory_equal(p + 64 + 48, "Büro und Werkst", 16);
	assert_int_equal(p[128 + 32], DDF_VD_DEGRADED | DDF_VD_INCONSISTENT);
	assert_memory_equal(p + 128 + 48, "boot            ", 16);
	p = copy + 258 * 512;
	assert_int_equal(at(p, 0, 4), 0xEEEEEEEE);
	assert_int_equal(at(p, 4, 4), ddf_crc(p, 7 * 512));
	assert_int_equal(at(p, 64, 8), 0x00030705030100FF);
	assert_int_equal(at(p, 72, 8), 8192);
	assert_int_equal(at(p, 80, 8), 16384);
	assert_int_equal(p[136], 136);
	assert_memory_equal(p + 480, "LINUXVDS\x01\x08", 10);
	assert_int_equal(at(p, 512 + 8, 4), f.drives[2].refnum);
	assert_int_equal(at(p, 512 + 12, 4), UINT32_MAX);
	assert_int_equal(at(p, 512 + 1024 + 16, 8), 2048);
	assert_int_equal(at(p, 7 * 512 + 512 + 4, 4), 0); /* missing */
	assert_int_equal(at(copy, 713 * 512, 4), 0x33333333);
	assert_int_equal(at(copy, 713 * 512 + 36, 2), 0x0101);
	assert_int_equal(at(copy, 714 * 512, 4), 0x01DBEEF0);
	free(copy);
	copy = fix_copy(&f, 2, DDF_PRIMARY, false);
	p = copy + (258 + 64 * 7) * 512; /* behind the last record that mdadm counts */
	assert_int_equal(at(p, 0, 4), 0x55555555);
	assert_int_equal(p[19], DDF_SPARE_DEDICATED);
	assert_int_equal(at(p, 20, 2), 1);
	free(copy);
	fix_free(&f);
}

static int encode(const struct fix *f, struct err *err)
{
	uint8_t *out = malloc(ddf_sections_bytes(&f->layout));
	int rc;

	assert_non_null(out);
	memset(err, 0, sizeof(*err));
	rc = ddf_encode_sections(&f->set, &f->drives[0], &f->layout, out, ddf_sections_bytes(&f->layout),
		err);
	assert_int_equal(!rc, !err->text[0]);
	free(out);
	return rc;
}

static void drives_without_identity_are_refused(void **state)
{
	struct ddf_pd *pds;
	struct err err;
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	pds = f.set.pds.items;
	assert_int_equal(encode(&f, &err), 0);
	pds[1].refnum = pds[0].refnum;
	assert_int_equal(encode(&f, &err), -EINVAL);
	pds[1].refnum = 0;
	assert_int_equal(encode(&f, &err), -EINVAL);
	pds[1].refnum = DDF_NONE;
	assert_int_equal(encode(&f, &err), -EINVAL);
	pds[1].refnum = 99;
	pds[1].guid = pds[0].guid;
	assert_int_equal(encode(&f, &err), -EINVAL);
	memset(&pds[1].guid, 0xFF, 24);
	assert_int_equal(encode(&f, &err), -EINVAL);
	memset(&pds[1].guid, 0x11, 24);
	assert_int_equal(encode(&f, &err), 0);
	pds[1].place = pds[0].place;
	assert_int_equal(encode(&f, &err), -EINVAL);
	pds[1].place = 1024;
	assert_int_equal(encode(&f, &err), -EINVAL);
	pds[1].place = 0;
	pds[0].place = 0;
	assert_int_equal(encode(&f, &err), 0);
	f.drives[0].refnum = 0;
	assert_int_equal(encode(&f, &err), -EINVAL);
	fix_free(&f);
}

static void records_that_cannot_be_read_back_are_refused(void **state)
{
	struct ddf_conf *conf;
	struct err err;
	struct fix f;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	fix_fill(&f);
	conf = &f.drives[0].confs.items[0];
	conf->refnums[1] = DDF_NONE;
	assert_int_equal(encode(&f, &err), -EINVAL);
	conf->refnums[1] = DDF_MISSING;
	assert_int_equal(encode(&f, &err), 0);
	conf->leg = 1;
	assert_int_equal(encode(&f, &err), -EINVAL);
	conf->leg = 0;
	conf->members = 0;
	assert_int_equal(encode(&f, &err), -EINVAL);
	conf->members = DDF_MAX_MEMBERS + 1;
	assert_int_equal(encode(&f, &err), -EINVAL);
	conf->members = 3;
	f.set.vds.items[1].guid = f.set.vds.items[0].guid;
	assert_int_equal(encode(&f, &err), -EINVAL);
	f.set.vds.items[1].ext.plexes_len = DDF_MAX_PLEXES + 1;
	assert_int_equal(encode(&f, &err), -EINVAL);
	fix_free(&f);
}

static void what_does_not_fit_is_refused(void **state)
{
	struct ddf_layout small = fix_small_layout();
	struct raid_shape shape = fix_shape(RAID_SIMPLE, 1, 1);
	struct ddf_guid guid = {{1}};
	struct err err;
	struct fix f;

	(void)state;
	fix_init_layout(&f, 15, &small);
	assert_int_equal(encode(&f, &err), 0);
	assert_non_null(ddf_set_add_pd(&f.set, &guid));
	f.set.pds.items[15].refnum = 5;
	assert_int_equal(encode(&f, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "16 drives"));
	ddf_set_remove_pd(&f.set, &guid);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(encode(&f, &err), 0);
		fix_add_lun(&f, &shape, "x");
	}
	assert_int_equal(encode(&f, &err), -ENOSPC); /* five records, room for four */
	assert_non_null(strstr(err.text, "5 configuration records"));
	f.drives[0].confs.len = 4;
	f.drives[0].spare.present = true;
	assert_int_equal(encode(&f, &err), 0);
	f.drives[0].spare.vds_len = DDF_SPARE_MAX_VDS + 1;
	assert_int_equal(encode(&f, &err), -ENOSPC);
	f.drives[0].spare.vds_len = DDF_SPARE_MAX_VDS; /* 32 + 32 * 32 bytes: more than 1024 */
	assert_int_equal(encode(&f, &err), -ENOSPC);
	f.drives[0].spare.vds_len = DDF_SPARE_MAX_VDS - 1;
	assert_int_equal(encode(&f, &err), 0);
	f.drives[0].confs.items[0].members = 17;
	assert_int_equal(encode(&f, &err), -ENOSPC);
	fix_free(&f);
}

static void buffers_must_fit_exactly(void **state)
{
	uint8_t byte;
	struct fix f;

	(void)state;
	fix_init(&f, 1, 96 * MIB);
	assert_int_equal(ddf_encode_sections(&f.set, &f.drives[0], &f.layout, &byte, 1, NULL), -EINVAL);
	assert_int_equal(ddf_sections_bytes(&f.layout), (714 + 512 - 1) * 512);
	fix_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_have_their_fields),
		cmocka_unit_test(sections_have_their_fields),
		cmocka_unit_test(drives_without_identity_are_refused),
		cmocka_unit_test(records_that_cannot_be_read_back_are_refused),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(buffers_must_fit_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
