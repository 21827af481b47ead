/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mdadm reads out of our metadata: images of file drives, examined in place. Needs mdadm, no
 * root and no kernel driver; exits 77 where there is no mdadm.
 */
#include "ddf_fixture.h"

#include <ctype.h>
#include <fcntl.h>
#include <unistd.h>

static char dir[] = "/tmp/vds-mdadm-XXXXXX";

static const char *drive_path(unsigned drive)
{
	static char path[sizeof(dir) + 16];

	snprintf(path, sizeof(path), "%s/drive%u", dir, drive);
	return path;
}

static void put(int fd, uint64_t sector, const void *bytes, size_t len)
{
	assert_int_equal(pwrite(fd, bytes, len, (off_t)(sector * 512)), (ssize_t)len);
}

static void write_drive(const struct fix *f, unsigned drive)
{
	uint8_t anchor[512];
	int fd = open(drive_path(drive), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)(f->layout.sectors * 512)), 0);
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *copy = fix_copy(f, drive, i ? DDF_SECONDARY : DDF_PRIMARY, false);

		put(fd, i ? f->layout.secondary : f->layout.primary, copy, fix_copy_len(f));
		free(copy);
	}
	ddf_encode_header(&f->set, &f->layout, DDF_ANCHOR, false, anchor);
	put(fd, f->layout.sectors - 1, anchor, 512);
	close(fd);
}

/* Everything mdadm prints, malloc'd. */
static char *examine(unsigned drive, const char *how)
{
	char command[200], *text = calloc(1, 1 << 16);
	size_t len;
	FILE *p;

	assert_non_null(text);
	snprintf(command, sizeof(command), "mdadm --examine %s %s 2>&1", how, drive_path(drive));
	p = popen(command, "r");
	assert_non_null(p);
	len = fread(text, 1, (1 << 16) - 1, p);
	text[len] = 0;
	if (pclose(p))
		fail_msg("%s failed: %s", command, text);
	return text;
}

/* The value mdadm prints behind a label ("Raid Level[2]"), or NULL. */
static const char *value(const char *text, const char *label, char out[static 100])
{
	const char *at = text;
	size_t len = strlen(label), n = 0;

	while ((at = strstr(at, label)) && at[len] != ' ')
		at += len;
	if (!at)
		return NULL;
	at += len;
	while (*at == ' ' || *at == ':')
		at++;
	while (at[n] && at[n] != '\n' && n < 99)
		n++;
	memcpy(out, at, n);
	while (n && out[n - 1] == ' ')
		n--;
	out[n] = 0;
	return out;
}

static void expect(const char *text, unsigned lun, const char *label, const char *expected)
{
	char full[60], got[100];

	snprintf(full, sizeof(full), "%s[%u]", label, lun);
	if (!value(text, full, got) || strcmp(got, expected))
		fail_msg("%s should be \"%s\" in:\n%s", full, expected, text);
}

static void expect_guid(const char *text, const char *label, const struct ddf_guid *guid)
{
	char hex[64], got[100];

	ddf_guid_format(guid, hex);
	if (!value(text, label, got) || strncasecmp(got, hex, strlen(hex)))
		fail_msg("%s should be %s in:\n%s", label, hex, text);
}

static const struct {
	enum raid_level level;
	unsigned members, groups;
	const char *name, *says, *state;
	uint8_t vd_state;
} luns[] = {
	{RAID_SIMPLE, 1, 1, "simple", "RAID0", "Optimal, Consistent", DDF_VD_OPTIMAL},
	{RAID_STRIPE, 3, 1, "stripe", "RAID0", "Optimal, Consistent", DDF_VD_OPTIMAL},
	{RAID_MIRROR, 2, 1, "mirror 2", "RAID1", "Optimal, Not Consistent",
		DDF_VD_OPTIMAL | DDF_VD_INCONSISTENT},
	{RAID_MIRROR, 3, 1, "mirror 3", "RAID1", "Optimal, Consistent", DDF_VD_OPTIMAL},
	{RAID_RAID10, 4, 2, "raid10", "RAID1", "Optimal, Consistent", DDF_VD_OPTIMAL},
	{RAID_RAID5, 5, 1, "raid5", "RAID5", "Degraded, Consistent", DDF_VD_DEGRADED},
	{RAID_RAID6, 5, 1, "raid6", "RAID6", "Partially Optimal, Not Consistent",
		DDF_VD_PARTIALLY_OPTIMAL | DDF_VD_INCONSISTENT},
	{RAID_RAID50, 6, 2, "raid50", "RAID5", "Failed, Consistent", DDF_VD_FAILED},
};
#define LUNS (sizeof(luns) / sizeof(luns[0]))

static void check_drive(const struct fix *f, unsigned drive)
{
	char *text = examine(drive, ""), got[100], expected[100];
	size_t i;

	assert_non_null(value(text, "Magic", got));
	assert_string_equal(got, "de11de11");
	assert_string_equal(value(text, "Version", got), "01.02.00");
	assert_string_equal(value(text, "Redundant hdr", got), "yes");
	assert_string_equal(value(text, "Seq", got), "00000007");
	expect_guid(text, "Container GUID", &f->set.container);
	expect_guid(text, "Controller GUID", &f->set.controller.guid);
	snprintf(expected, sizeof(expected), "%zu", LUNS);
	assert_string_equal(value(text, "Virtual Disks", got), expected);
	for (i = 0; i < LUNS; i++) {
		const struct ddf_vd *vd = &f->set.vds.items[i];
		const struct ddf_conf *conf = ddf_drive_conf(&f->drives[drive], &vd->guid);
		unsigned n = (unsigned)i;

		snprintf(expected, sizeof(expected), "VD GUID[%u]", n);
		expect_guid(text, expected, &vd->guid);
		expect(text, n, "Name", luns[i].name);
		expect(text, n, "state", luns[i].state);
		expect(text, n, "init state", "Fully Initialised");
		expect(text, n, "access", "Read/Write");
		if (!conf)
			continue;
		expect(text, n, "Raid Level", luns[i].says);
		snprintf(expected, sizeof(expected), "%llu", (unsigned long long)conf->blocks / 2);
		expect(text, n, "Device Size", expected);
		snprintf(expected, sizeof(expected), "%llu", (unsigned long long)conf->vd_blocks / 2);
		expect(text, n, "Array Size", expected);
		if (conf->chunk_shift != 0xFF)
			expect(text, n, "Chunk Size", "128 sectors");
		if (conf->legs > 1) {
			snprintf(expected, sizeof(expected), "%u of %u", conf->leg, conf->legs);
			expect(text, n, "Secondary Position", expected);
			expect(text, n, "Secondary Level", luns[i].level == RAID_RAID10 ? "Spanned" : "Striped");
		}
	}
	for (i = 0; i < f->drives_len; i++) {
		snprintf(expected, sizeof(expected), "%08x", f->drives[i].refnum);
		if (!strstr(text, expected))
			fail_msg("drive %s is not in:\n%s", expected, text);
	}
	if (!strstr(text, "active/Online, SMART-errors") || !strstr(text, "Global-Spare/Online") ||
		!strstr(text, "/Offline, Failed"))
		fail_msg("states of drives are wrong in:\n%s", text);
	free(text);
}

static void mdadm_reads(uint64_t drive_bytes)
{
	struct fix f;

	fix_init(&f, 8, drive_bytes);
	for (size_t i = 0; i < LUNS; i++) {
		struct raid_shape shape = fix_shape(luns[i].level, luns[i].members, luns[i].groups);

		fix_add_lun(&f, &shape, luns[i].name)->state = luns[i].vd_state;
	}
	f.set.pds.items[0].state |= DDF_PD_PREDICTED;
	f.set.pds.items[6].type |= DDF_PD_GLOBAL_SPARE;
	f.set.pds.items[7].state = ddf_pd_state_for(DDF_PD_IS_FAILED, 0);
	f.drives[6].spare.present = true;
	f.drives[6].spare.timestamp = FIX_TIME;
	for (unsigned i = 0; i < f.drives_len; i++) {
		write_drive(&f, i);
		check_drive(&f, i);
		assert_int_equal(unlink(drive_path(i)), 0);
	}
	fix_free(&f);
}

static void mdadm_reads_the_compact_map(void **state)
{
	(void)state;
	mdadm_reads(96 * MIB);
}

static void mdadm_reads_the_standard_map(void **state)
{
	(void)state;
	mdadm_reads(2048 * MIB);
}

/* mdadm's name of a LUN is the object id that we derive from its GUID, but for the stamped bits. */
static void mdadm_derives_the_same_ids(void **state)
{
	struct raid_shape shape = fix_shape(RAID_RAID5, 3, 1);
	struct guid id;
	char *text, got[100], hex[33] = "";
	const char *uuid;
	struct fix f;
	size_t n = 0;

	(void)state;
	fix_init(&f, 3, 96 * MIB);
	id = ddf_guid_object(&fix_add_lun(&f, &shape, "lun")->guid);
	write_drive(&f, 0);
	text = examine(0, "--brief --verbose");
	uuid = strstr(text, "member=0 UUID=");
	if (!uuid)
		fail_msg("no UUID of a member in:\n%s", text);
	snprintf(got, sizeof(got), "%.35s", uuid + strlen("member=0 UUID="));
	for (const char *p = got; *p; p++)
		if (isxdigit((unsigned char)*p) && n < 32)
			hex[n++] = *p;
	assert_int_equal(n, 32);
	for (unsigned i = 0; i < 16; i++) {
		unsigned at = i ^ 3; /* printed as four numbers in host order */
		char byte[3] = {hex[2 * at], hex[2 * at + 1], 0};
		uint8_t theirs = (uint8_t)strtoul(byte, NULL, 16);
		uint8_t mask = i == 6 ? 0x0F : i == 8 ? 0x3F : 0xFF;

		if ((theirs & mask) != (id.b[i] & mask))
			fail_msg("byte %u differs from mdadm's %s", i, got);
	}
	free(text);
	assert_int_equal(unlink(drive_path(0)), 0);
	fix_free(&f);
}

static int setup(void **state)
{
	(void)state;
	return !mkdtemp(dir);
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FIX_DRIVES; i++)
		unlink(drive_path(i));
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mdadm_reads_the_compact_map),
		cmocka_unit_test(mdadm_reads_the_standard_map),
		cmocka_unit_test(mdadm_derives_the_same_ids),
	};

	/* mdadm lives in sbin, which is not everybody's PATH. */
	const char *path = getenv("PATH");
	char *more = NULL;

	if (asprintf(&more, "%s:/usr/sbin:/sbin", path ? path : "/bin") < 0 || setenv("PATH", more, 1))
		return 1;
	free(more);
	if (system("command -v mdadm >/dev/null 2>&1")) {
		printf("skipped: mdadm is not installed\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
