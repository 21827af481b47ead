/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things stand on a drive.
 *
 * One section table serves drives of every size, because mdadm writes the header of one drive, table
 * included, to all drives of a container; the maps differ only in how far apart the copies are.
 * mdadm also writes the sections it knows back to back whatever the table says, so ours follow each
 * other without gaps and the vendor section, which it does not know, comes last.
 */
#include "engine/ddf_raw.h"

#define MAX_PDS	      1023
#define MAX_VDS	      1023
#define MPPE	      256
#define CONF_SECTORS  (1 + (MPPE * 12 + 511) / 512)
#define TABLE_SECTORS(n) ((64u + 64u * (n) + 511u) / 512u)

#define STANDARD_COPY	 32768 /* sectors from one copy to the next */
#define COMPACT_COPY	 2048
#define STANDARD_PRIVATE 69632 /* 34 MiB, and a checksum table */
#define COMPACT_PRIVATE	 8192
#define COMPACT_FIXED	 6544 /* of it, what is not checksum table */
#define MAX_DRIVE_SECTORS (1ull << 51)

static const struct ddf_section our_sections[DDF_SECTIONS] = {
	[DDF_SEC_CONTROLLER] = {1, 1},
	[DDF_SEC_PDS] = {2, TABLE_SECTORS(MAX_PDS)},
	[DDF_SEC_VDS] = {130, TABLE_SECTORS(MAX_VDS)},
	[DDF_SEC_CONFS] = {258, CONF_SECTORS * (DDF_MAX_CONFS + 1)},
	[DDF_SEC_DRIVE] = {713, 1},
	[DDF_SEC_VENDOR] = {714, 512},
};
_Static_assert(TABLE_SECTORS(MAX_PDS) == 128 && TABLE_SECTORS(MAX_VDS) == 128, "record tables");
_Static_assert(258 + CONF_SECTORS * (DDF_MAX_CONFS + 1) == 713, "no gap before drive data");
_Static_assert(714 + 512 < COMPACT_COPY, "a copy fits the compact map");

const char *ddf_section_name(enum ddf_section_id id)
{
	static const char *const names[DDF_SECTIONS] = {
		[DDF_SEC_CONTROLLER] = "controller data",
		[DDF_SEC_PDS] = "physical disk records",
		[DDF_SEC_VDS] = "virtual disk records",
		[DDF_SEC_CONFS] = "configuration records",
		[DDF_SEC_DRIVE] = "drive data",
		[DDF_SEC_BAD_BLOCKS] = "bad-block log",
		[DDF_SEC_DIAGNOSTIC] = "diagnostic space",
		[DDF_SEC_VENDOR] = "vendor section",
	};

	return names[id];
}

static void count_copy(struct ddf_layout *l)
{
	l->copy_sectors = 1;
	for (unsigned i = 0; i < DDF_SECTIONS; i++) {
		uint32_t end = l->sections[i].offset + l->sections[i].length;

		if (l->sections[i].length && end > l->copy_sectors)
			l->copy_sectors = end;
	}
}

int ddf_layout_plan(uint64_t drive_bytes, struct ddf_layout *out, struct err *err)
{
	uint64_t n = drive_bytes / DDF_SECTOR, copy, private;

	memset(out, 0, sizeof(*out));
	if (drive_bytes % DDF_SECTOR)
		return err_set(err, -EINVAL, "A drive of %llu bytes is not a whole number of sectors.",
			(unsigned long long)drive_bytes);
	if (drive_bytes < DDF_MIN_DRIVE_BYTES || n > MAX_DRIVE_SECTORS)
		return err_set(err, -EINVAL, "A drive of %llu bytes is too %s; the least is 64 MiB.",
			(unsigned long long)drive_bytes, n > MAX_DRIVE_SECTORS ? "large" : "small");
	if (drive_bytes < DDF_COMPACT_BELOW_BYTES) {
		copy = COMPACT_COPY;
		private = COMPACT_FIXED + n / 1024 + 8; /* the last page of the table may be partial */
		private = private < COMPACT_PRIVATE ? COMPACT_PRIVATE : private;
	} else {
		copy = STANDARD_COPY;
		private = STANDARD_PRIVATE + n / 1024;
	}
	out->sectors = n;
	out->primary = n - copy;
	out->secondary = n - 2 * copy;
	out->workspace = (out->secondary - private) / DDF_ALIGN * DDF_ALIGN;
	if (out->secondary - out->workspace > UINT32_MAX)
		return err_set(err, -EINVAL, "A drive of %llu bytes is too large.",
			(unsigned long long)drive_bytes);
	out->workspace_len = (uint32_t)(out->secondary - out->workspace);
	out->extents_end = out->workspace;
	out->compact = out->workspace_len < STANDARD_PRIVATE;
	memcpy(out->revision, "01.02.00", 9);
	out->max_pds = MAX_PDS;
	out->max_vds = MAX_VDS;
	out->max_confs = DDF_MAX_CONFS;
	out->conf_sectors = CONF_SECTORS;
	out->mppe = MPPE;
	memcpy(out->sections, our_sections, sizeof(our_sections));
	count_copy(out);
	return 0;
}

uint64_t ddf_layout_usable_bytes(const struct ddf_layout *layout)
{
	uint64_t end = layout->extents_end / DDF_ALIGN * DDF_ALIGN;

	return end > DDF_DATA_START ? (end - DDF_DATA_START) * DDF_SECTOR : 0;
}

/* ---- reading a header --------------------------------------------------------------------- */

static int bad(struct err *err, const char *which, const char *what)
{
	return err_set(err, -ENOTSUP, "The DDF %s says %s, which is outside of what can be read.", which,
		what);
}

static int check_counts(const struct ddf_layout *l, const char *which, struct err *err)
{
	const struct ddf_section *s = l->sections;

	if (!l->max_pds || l->max_pds > 4095 || !l->max_vds || l->max_vds > 4095)
		return bad(err, which, "more than 4095 disks, or none");
	if (!l->mppe || l->mppe > 4096)
		return bad(err, which, "more than 4096 members, or none");
	if (l->conf_sectors < 1 + (l->mppe * 12u + 511) / 512 ||
		l->conf_sectors > DDF_SECTION_MAX_SECTORS || !l->max_confs)
		return bad(err, which, "an impossible size of configuration records");
	if (s[DDF_SEC_CONTROLLER].length < 1 || s[DDF_SEC_DRIVE].length < 1)
		return bad(err, which, "that a section is absent that every drive has");
	if (s[DDF_SEC_PDS].length < TABLE_SECTORS(l->max_pds) ||
		s[DDF_SEC_VDS].length < TABLE_SECTORS(l->max_vds) ||
		s[DDF_SEC_CONFS].length < l->conf_sectors)
		return bad(err, which, "a section too small for its records");
	return 0;
}

static int check_sections(const struct ddf_layout *l, const char *which, struct err *err)
{
	for (unsigned i = 0; i < DDF_SECTIONS; i++) {
		const struct ddf_section *a = &l->sections[i];

		if (!a->length)
			continue;
		if (!a->offset || a->offset > DDF_COPY_MAX_SECTORS || a->length > DDF_SECTION_MAX_SECTORS ||
			a->offset + a->length > DDF_COPY_MAX_SECTORS)
			return bad(err, which, "a section far away or too long");
		for (unsigned j = 0; j < i; j++) {
			const struct ddf_section *b = &l->sections[j];

			if (b->length && a->offset < b->offset + b->length && b->offset < a->offset + a->length)
				return bad(err, which, "two sections at one place");
		}
	}
	return 0;
}

/*
 * Room for the workspace, which makers may leave out, or count a copy to: from where it begins to what
 * comes next. Where it begins in a copy, or behind everything, it counts as none.
 */
static void fit_workspace(struct ddf_layout *l, uint64_t first)
{
	const uint64_t copies[2] = {l->primary, l->secondary};
	uint64_t room = l->workspace < l->sectors - 1 ? l->sectors - 1 - l->workspace : 0;

	for (unsigned i = 0; i < 2; i++)
		if (copies[i] == UINT64_MAX || copies[i] + l->copy_sectors <= l->workspace)
			continue;
		else if (copies[i] <= l->workspace)
			room = 0;
		else if (copies[i] - l->workspace < room)
			room = copies[i] - l->workspace;
	l->extents_end = l->workspace < first ? l->workspace : first;
	if (!room)
		l->workspace = first;
	if (l->workspace_len > room)
		l->workspace_len = (uint32_t)room;
	l->compact = l->workspace_len < STANDARD_PRIVATE;
}

/* Both copies on the drive and apart. */
static int check_positions(struct ddf_layout *l, const char *which, struct err *err)
{
	uint64_t end = l->sectors - 1, first = l->primary;

	if (l->primary >= end || l->copy_sectors > end - l->primary)
		return bad(err, which, "a primary copy outside of the drive");
	if (l->secondary != UINT64_MAX) {
		uint64_t low = l->primary < l->secondary ? l->primary : l->secondary;
		uint64_t high = l->primary < l->secondary ? l->secondary : l->primary;

		if (l->secondary >= end || l->copy_sectors > end - l->secondary)
			return bad(err, which, "a secondary copy outside of the drive");
		if (high - low < l->copy_sectors)
			return bad(err, which, "two copies at one place");
		first = low;
	}
	fit_workspace(l, first);
	return 0;
}

int ddf_layout_adopt(struct ddf_layout *l, struct err *err)
{
	uint64_t low = l->primary < l->secondary ? l->primary : l->secondary;
	uint64_t high = l->primary < l->secondary ? l->secondary : l->primary;
	struct ddf_layout to = *l;
	uint32_t at = 1;

	for (unsigned i = DDF_SEC_CONTROLLER; i <= DDF_SEC_DRIVE; at += to.sections[i++].length)
		if (to.sections[i].offset != at)
			return err_set(err, -ENOTSUP,
				"The sections of its metadata do not stand as Linux md leaves them.");
	if (to.sections[DDF_SEC_BAD_BLOCKS].length || to.sections[DDF_SEC_DIAGNOSTIC].length ||
		to.sections[DDF_SEC_VENDOR].length)
		return err_set(err, -ENOTSUP, "Its metadata hold sections of another maker.");
	to.sections[DDF_SEC_VENDOR] = (struct ddf_section){at, our_sections[DDF_SEC_VENDOR].length};
	count_copy(&to);
	if (high == UINT64_MAX || high + to.copy_sectors > to.sectors - 1 || high - low < COMPACT_COPY ||
		to.copy_sectors > COMPACT_COPY || high - low - COMPACT_COPY < COMPACT_PRIVATE ||
		high - low > UINT32_MAX)
		return err_set(err, -ENOTSUP, "Between its two copies of the metadata there is no room for what "
									  "is kept there.");
	to.workspace = low + COMPACT_COPY;
	to.workspace_len = (uint32_t)(high - to.workspace);
	to.compact = to.workspace_len < STANDARD_PRIVATE;
	*l = to;
	return 0;
}

static bool known_revision(const uint8_t rev[8])
{
	return !memcmp(rev, "01.00.00", 8) || !memcmp(rev, "01.01.00", 8) || !memcmp(rev, "01.02.00", 8);
}

int ddf_header_decode(const struct ddf_raw_header *h, const char *which, uint64_t drive_sectors,
	struct ddf_layout *l, struct err *err)
{
	int rc;

	memset(l, 0, sizeof(*l));
	if (be32_get(h->h_magic) != DDF_MAGIC_HEADER)
		return err_set(err, -EMEDIUMTYPE, "There is no DDF %s.", which);
	if (be32_get(h->h_crc) != ddf_crc(h, sizeof(*h)))
		return err_set(err, -EUCLEAN, "The DDF %s is damaged: its checksum is wrong.", which);
	if (!known_revision(h->h_revision))
		return bad(err, which, "a revision other than 1.0 to 1.2");
	l->sectors = drive_sectors;
	l->primary = be64_get(h->h_primary);
	l->secondary = be64_get(h->h_secondary);
	l->workspace = be64_get(h->h_workspace);
	l->workspace_len = be32_get(h->h_workspace_len);
	memcpy(l->revision, h->h_revision, 8);
	l->max_pds = be16_get(h->h_max_pds);
	l->max_vds = be16_get(h->h_max_vds);
	l->max_confs = be16_get(h->h_max_confs);
	l->conf_sectors = be16_get(h->h_conf_sectors);
	l->mppe = be16_get(h->h_mppe);
	for (unsigned i = 0; i < DDF_SECTIONS; i++) {
		l->sections[i].offset = be32_get(h->h_sections[i].offset);
		l->sections[i].length = be32_get(h->h_sections[i].length);
		if (l->sections[i].offset == UINT32_MAX || !l->sections[i].length)
			l->sections[i] = (struct ddf_section){0};
	}
	rc = check_sections(l, which, err);
	if (!rc)
		rc = check_counts(l, which, err);
	if (rc)
		return rc;
	count_copy(l);
	return check_positions(l, which, err);
}

int ddf_anchor_decode(const uint8_t sector[static DDF_SECTOR], uint64_t drive_sectors,
	struct ddf_layout *layout, struct ddf_guid *container, struct err *err)
{
	struct ddf_raw_header h;
	int rc;

	memcpy(&h, sector, sizeof(h));
	memcpy(container->b, h.h_guid, sizeof(container->b));
	if (drive_sectors < 2 || drive_sectors > MAX_DRIVE_SECTORS)
		return err_set(err, -ENOTSUP, "A drive of %llu sectors cannot be read.",
			(unsigned long long)drive_sectors);
	rc = ddf_header_decode(&h, "anchor", drive_sectors, layout, err);
	if (!rc && h.h_type != DDF_ANCHOR)
		rc = err_set(err, -EUCLEAN, "The last sector holds a DDF header that is no anchor.");
	return rc;
}

int ddf_anchor_from_copy(const uint8_t sector[static DDF_SECTOR], uint64_t drive_sectors, uint64_t at,
	struct ddf_layout *layout, struct ddf_guid *container, struct err *err)
{
	struct ddf_raw_header h;
	int rc;

	memcpy(&h, sector, sizeof(h));
	memcpy(container->b, h.h_guid, sizeof(container->b));
	if (drive_sectors < 2 || drive_sectors > MAX_DRIVE_SECTORS)
		return err_set(err, -ENOTSUP, "A drive of %llu sectors cannot be read.",
			(unsigned long long)drive_sectors);
	rc = ddf_header_decode(&h, "copy's header", drive_sectors, layout, err);
	if (!rc && !(h.h_type == DDF_PRIMARY && layout->primary == at) &&
		!(h.h_type == DDF_SECONDARY && layout->secondary == at))
		rc = err_set(err, -EUCLEAN, "The DDF header at sector %llu belongs elsewhere.",
			(unsigned long long)at);
	return rc;
}
