/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model as DDF bytes. Everything that is not said is FF; every structure gets its CRC when it
 * is complete. What could not be read back the same is refused, not written.
 */
#include "engine/ddf_raw.h"

#include <isa-l/crc.h>
#include <stdlib.h>

/* ---- header ------------------------------------------------------------------------------- */

void ddf_encode_header(const struct ddf_set *set, const struct ddf_layout *layout,
	enum ddf_copy copy, bool open, uint8_t out[static DDF_SECTOR])
{
	bool anchor = copy == DDF_ANCHOR;
	struct ddf_raw_header h;

	memset(&h, 0xFF, sizeof(h));
	h.h_magic = be32(DDF_MAGIC_HEADER);
	memcpy(h.h_guid, set->container.b, sizeof(h.h_guid));
	memcpy(h.h_revision, layout->revision, sizeof(h.h_revision));
	h.h_seq = be32(anchor ? UINT32_MAX : set->seq);
	h.h_timestamp = be32(set->timestamp);
	h.h_open = anchor ? 0xFF : open;
	h.h_foreign = h.h_enforce_groups = 0;
	h.h_primary = be64(layout->primary);
	h.h_secondary = be64(layout->secondary);
	h.h_type = (uint8_t)copy;
	h.h_workspace_len = be32(layout->workspace_len);
	h.h_workspace = be64(layout->workspace);
	h.h_max_pds = be16(layout->max_pds);
	h.h_max_vds = be16(layout->max_vds);
	h.h_max_confs = be16(layout->max_confs);
	h.h_conf_sectors = be16(layout->conf_sectors);
	h.h_mppe = be16(layout->mppe);
	for (unsigned i = 0; i < DDF_SECTIONS; i++) {
		const struct ddf_section *s = &layout->sections[i];

		h.h_sections[i].offset = be32(s->length ? s->offset : UINT32_MAX);
		h.h_sections[i].length = be32(s->length);
	}
	h.h_crc = be32(ddf_crc(&h, sizeof(h)));
	memcpy(out, &h, sizeof(h));
}

/* ---- sections ----------------------------------------------------------------------------- */

static void encode_controller(const struct ddf_set *set, uint8_t *out, size_t len)
{
	struct ddf_raw_stamp stamp = {.st_version = be32(STAMP_VERSION), .st_seq = be32(set->seq)};
	struct ddf_raw_controller c;

	memset(&c, 0xFF, sizeof(c));
	c.ctl_magic = be32(DDF_MAGIC_CONTROLLER);
	memcpy(c.ctl_guid, set->controller.guid.b, sizeof(c.ctl_guid));
	for (unsigned i = 0; i < 4; i++)
		c.ctl_ids[i] = be16(set->controller.ids[i]);
	ddf_text_put(c.ctl_product, sizeof(c.ctl_product), set->controller.product);
	memcpy(c.ctl_vendor, set->controller.vendor, sizeof(c.ctl_vendor));
	memcpy(stamp.st_owner, DDF_VENDOR_OWNER, sizeof(stamp.st_owner));
	memcpy(c.ctl_vendor + sizeof(c.ctl_vendor) - sizeof(stamp), &stamp, sizeof(stamp));
	memcpy(out, &c, sizeof(c));
	bytes_put_be(out + 4, 4, ddf_crc(out, len));
}

static void encode_table_head(uint8_t *out, uint32_t magic, size_t used, unsigned max)
{
	struct ddf_raw_table t;

	memset(&t, 0xFF, sizeof(t));
	t.t_magic = be32(magic);
	t.t_used = be16((uint16_t)used);
	t.t_max = be16((uint16_t)max);
	memcpy(out, &t, sizeof(t));
}

/* Index of the entry that wants this place, or the first free one: len when there is none. */
static size_t take_place(uint8_t *table, size_t max, unsigned place)
{
	static const uint8_t ff[24] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
		0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

	if (place)
		return place <= max && !memcmp(table + (place - 1) * 64, ff, 24) ? place - 1 : max;
	for (size_t i = 0; i < max; i++)
		if (!memcmp(table + i * 64, ff, 24))
			return i;
	return max;
}

static void put_pd(const struct ddf_pd *pd, uint8_t *out)
{
	struct ddf_raw_pd r;

	memset(&r, 0xFF, sizeof(r));
	memcpy(r.pd_guid, pd->guid.b, sizeof(r.pd_guid));
	r.pd_refnum = be32(pd->refnum);
	r.pd_type = be16(pd->type);
	r.pd_state = be16(pd->state);
	r.pd_config_size = be64(pd->config_size);
	ddf_text_put(r.pd_path, sizeof(r.pd_path), pd->path);
	memcpy(out, &r, sizeof(r));
}

static void put_vd(const struct ddf_vd *vd, uint32_t guid_crc, uint8_t *out)
{
	struct ddf_raw_vd r;

	memset(&r, 0xFF, sizeof(r));
	memcpy(r.vd_guid, vd->guid.b, sizeof(r.vd_guid));
	r.vd_unit = be16(vd->unit);
	r.vd_guid_crc = be16((uint16_t)guid_crc);
	r.vd_type = be16(vd->type);
	r.vd_state = vd->state;
	r.vd_init_state = vd->init_state;
	ddf_text_put(r.vd_name, sizeof(r.vd_name), vd->name);
	memcpy(out, &r, sizeof(r));
}

/* Entries with a place of their own go first, so that the others cannot take it. */
static int encode_pds(const struct ddf_set *set, const struct ddf_layout *layout,
	struct ddf_seen *guids, struct ddf_seen *refnums, uint8_t *out, size_t len, struct err *err)
{
	const struct ddf_pd *pd;

	if (set->pds.len > layout->max_pds)
		return err_set(err, -ENOSPC, "%zu drives do not fit into the metadata, which has room for %u.",
			set->pds.len, layout->max_pds);
	encode_table_head(out, DDF_MAGIC_PDS, set->pds.len, layout->max_pds);
	vec_for_each(&set->pds, pd)
		if (pd->refnum == DDF_NONE || pd->refnum == DDF_MISSING || ddf_guid_is_free(&pd->guid) ||
			!ddf_seen_add(guids, &pd->guid) || !ddf_seen_add(refnums, &pd->refnum))
			return err_set(err, -EINVAL, "Drive record %zu (reference %08X) is not a valid identity of "
										 "its own.",
				pd_i, pd->refnum);
	for (int placed = 1; placed >= 0; placed--)
		vec_for_each(&set->pds, pd) {
			size_t at;

			if (!!pd->place != placed)
				continue;
			at = take_place(out + 64, layout->max_pds, pd->place);
			if (at == layout->max_pds)
				return err_set(err, -EINVAL, "Place %u of the drive records is taken twice or is none.",
					pd->place);
			put_pd(pd, out + 64 + at * 64);
		}
	bytes_put_be(out + 4, 4, ddf_crc(out, len));
	return 0;
}

static int encode_vds(const struct ddf_set *set, const struct ddf_layout *layout,
	struct ddf_seen *guids, uint8_t *out, size_t len, struct err *err)
{
	uint32_t guid_crc = crc32_gzip_refl(0, set->container.b, sizeof(set->container.b));
	const struct ddf_vd *vd;

	if (set->vds.len > layout->max_vds)
		return err_set(err, -ENOSPC, "%zu LUNs do not fit into the metadata, which has room for %u.",
			set->vds.len, layout->max_vds);
	encode_table_head(out, DDF_MAGIC_VDS, set->vds.len, layout->max_vds);
	vec_for_each(&set->vds, vd)
		if (ddf_guid_is_free(&vd->guid) || !ddf_seen_add(guids, &vd->guid))
			return err_set(err, -EINVAL, "LUN record %zu is not a valid identity of its own.", vd_i);
	for (int placed = 1; placed >= 0; placed--)
		vec_for_each(&set->vds, vd) {
			size_t at;

			if (!!vd->place != placed)
				continue;
			at = take_place(out + 64, layout->max_vds, vd->place);
			if (at == layout->max_vds)
				return err_set(err, -EINVAL, "Place %u of the LUN records is taken twice or is none.",
					vd->place);
			put_vd(vd, guid_crc, out + 64 + at * 64);
		}
	bytes_put_be(out + 4, 4, ddf_crc(out, len));
	return 0;
}

static void put_conf(const struct ddf_conf *conf, unsigned mppe, uint8_t *out, size_t len)
{
	struct ddf_raw_conf r;
	uint8_t *refnums = out + sizeof(r), *lbas = refnums + mppe * 4u;

	memset(&r, 0xFF, sizeof(r));
	r.cr_magic = be32(DDF_MAGIC_CONF);
	memcpy(r.cr_guid, conf->vd.b, sizeof(r.cr_guid));
	r.cr_timestamp = be32(conf->timestamp);
	r.cr_seq = be32(conf->seq);
	r.cr_members = be16(conf->members);
	r.cr_chunk_shift = conf->chunk_shift;
	r.cr_prl = conf->prl;
	r.cr_rlq = conf->rlq;
	r.cr_legs = conf->legs;
	r.cr_leg = conf->leg;
	r.cr_srl = conf->srl;
	r.cr_blocks = be64(conf->blocks);
	r.cr_vd_blocks = be64(conf->vd_blocks);
	for (unsigned i = 0; i < 8; i++)
		r.cr_spares[i] = be32(conf->spares[i]);
	memcpy(r.cr_cache, conf->cache, sizeof(r.cr_cache));
	r.cr_rate = conf->rate;
	memcpy(r.cr_v0_v3, conf->v0_v3, sizeof(r.cr_v0_v3));
	memcpy(r.cr_vendor, conf->vendor, sizeof(r.cr_vendor));
	memcpy(out, &r, sizeof(r));
	for (unsigned i = 0; i < conf->members; i++) {
		bytes_put_be(refnums + i * 4u, 4, conf->refnums[i]);
		bytes_put_be(lbas + i * 8u, 8, conf->lbas[i]);
	}
	bytes_put_be(out + 4, 4, ddf_crc(out, len));
}

static int check_conf(const struct ddf_conf *conf, unsigned mppe, struct err *err)
{
	if (ddf_guid_is_free(&conf->vd) || !conf->legs || conf->leg >= conf->legs)
		return err_set(err, -EINVAL, "A configuration record names leg %u of %u.", conf->leg, conf->legs);
	if (!conf->members || conf->members > DDF_MAX_MEMBERS)
		return err_set(err, -EINVAL, "A configuration record has %u members.", conf->members);
	if (conf->members > mppe)
		return err_set(err, -ENOSPC, "%u members do not fit into a configuration record of %u slots.",
			conf->members, mppe);
	for (unsigned i = 0; i < conf->members; i++)
		if (conf->refnums[i] == DDF_NONE)
			return err_set(err, -EINVAL, "Slot %u of a configuration record says nothing.", i);
	return 0;
}

static void put_spare(const struct ddf_spare *spare, uint8_t *out, size_t len)
{
	size_t room = (len - sizeof(struct ddf_raw_spare)) / sizeof(struct ddf_raw_spare_vd);
	struct ddf_raw_spare r;

	room = room > DDF_SPARE_MAX_VDS ? DDF_SPARE_MAX_VDS : room;
	memset(&r, 0xFF, sizeof(r));
	r.sp_magic = be32(DDF_MAGIC_SPARE);
	r.sp_timestamp = be32(spare->timestamp);
	r.sp_type = spare->type;
	r.sp_used = be16((uint16_t)spare->vds_len);
	r.sp_max = be16((uint16_t)room);
	memcpy(out, &r, sizeof(r));
	for (unsigned i = 0; i < spare->vds_len; i++) {
		struct ddf_raw_spare_vd e;

		memset(&e, 0xFF, sizeof(e));
		memcpy(e.sp_guid, spare->vds[i].vd.b, sizeof(e.sp_guid));
		e.sp_leg = be16(spare->vds[i].leg);
		memcpy(out + sizeof(r) + i * sizeof(e), &e, sizeof(e));
	}
	bytes_put_be(out + 4, 4, ddf_crc(out, len));
}

/* mdadm looks for a spare assignment behind the last record slot it counts, so it goes there. */
static int encode_confs(const struct ddf_drive *drive, const struct ddf_layout *layout, uint8_t *out,
	size_t len, struct err *err)
{
	size_t record = (size_t)layout->conf_sectors * DDF_SECTOR, slots = len / record;
	size_t room = slots < layout->max_confs ? slots : layout->max_confs;
	size_t spare_at = slots > layout->max_confs ? layout->max_confs : slots - 1;
	const struct ddf_conf *conf;

	if (drive->confs.len > room || (drive->spare.present && drive->confs.len > spare_at))
		return err_set(err, -ENOSPC, "%zu configuration records do not fit on a drive that has room "
									 "for %zu.",
			drive->confs.len, drive->spare.present && spare_at < room ? spare_at : room);
	vec_for_each(&drive->confs, conf) {
		int rc = check_conf(conf, layout->mppe, err);

		if (rc)
			return rc;
		put_conf(conf, layout->mppe, out + conf_i * record, record);
	}
	if (!drive->spare.present)
		return 0;
	if (drive->spare.vds_len > DDF_SPARE_MAX_VDS || drive->spare.vds_len * 32 + 32 > record)
		return err_set(err, -ENOSPC, "A spare assignment to %u LUNs does not fit.",
			drive->spare.vds_len);
	put_spare(&drive->spare, out + spare_at * record, record);
	return 0;
}

static int encode_drive(const struct ddf_drive *drive, uint8_t *out, size_t len, struct err *err)
{
	struct ddf_raw_drive r;

	if (drive->refnum == DDF_NONE || drive->refnum == DDF_MISSING || ddf_guid_is_free(&drive->guid))
		return err_set(err, -EINVAL, "The drive has no identity to be recorded.");
	memset(&r, 0xFF, sizeof(r));
	r.dd_magic = be32(DDF_MAGIC_DRIVE);
	memcpy(r.dd_guid, drive->guid.b, sizeof(r.dd_guid));
	r.dd_refnum = be32(drive->refnum);
	r.dd_forced_refnum = drive->forced_refnum;
	r.dd_forced_guid = drive->forced_guid;
	memcpy(r.dd_vendor, drive->vendor, sizeof(r.dd_vendor));
	memcpy(out, &r, sizeof(r));
	bytes_put_be(out + 4, 4, ddf_crc(out, len));
	return 0;
}

size_t ddf_sections_bytes(const struct ddf_layout *layout)
{
	return (size_t)(layout->copy_sectors - 1) * DDF_SECTOR;
}

bool ddf_section_is_own(enum ddf_section_id section)
{
	return section == DDF_SEC_CONFS || section == DDF_SEC_DRIVE;
}

struct places {
	uint8_t *at[DDF_SECTIONS];
	size_t len[DDF_SECTIONS];
};

/* Finds the sections in the buffer and blanks those of one half. */
static int find_sections(const struct ddf_layout *layout, void *out, size_t out_len, bool own,
	struct places *p, struct err *err)
{
	if (out_len != ddf_sections_bytes(layout))
		return err_set(err, -EINVAL, "The buffer for the sections has %zu bytes instead of %zu.", out_len,
			ddf_sections_bytes(layout));
	for (unsigned i = 0; i < DDF_SECTIONS; i++) {
		const struct ddf_section *s = &layout->sections[i];

		p->len[i] = (size_t)s->length * DDF_SECTOR;
		p->at[i] = s->length ? (uint8_t *)out + (size_t)(s->offset - 1) * DDF_SECTOR : NULL;
		if (s->length && ddf_section_is_own(i) == own)
			memset(p->at[i], 0xFF, p->len[i]);
	}
	return 0;
}

int ddf_encode_shared(const struct ddf_set *set, const struct ddf_layout *layout, void *out,
	size_t out_len, struct err *err)
{
	struct ddf_seen *seen; /* guids of drives, reference numbers, guids of LUNs */
	struct places p;
	int rc = find_sections(layout, out, out_len, false, &p, err);

	if (rc)
		return rc;
	seen = calloc(3, sizeof(*seen));
	if (!seen)
		return err_set(err, -ENOMEM, "Out of memory.");
	seen[0].key_len = seen[2].key_len = sizeof(struct ddf_guid);
	seen[1].key_len = sizeof(uint32_t);
	encode_controller(set, p.at[DDF_SEC_CONTROLLER], p.len[DDF_SEC_CONTROLLER]);
	rc = encode_pds(set, layout, &seen[0], &seen[1], p.at[DDF_SEC_PDS], p.len[DDF_SEC_PDS], err);
	if (!rc)
		rc = encode_vds(set, layout, &seen[2], p.at[DDF_SEC_VDS], p.len[DDF_SEC_VDS], err);
	if (!rc && p.len[DDF_SEC_VENDOR])
		rc = ddf_vendor_encode(set, p.at[DDF_SEC_VENDOR], p.len[DDF_SEC_VENDOR], err);
	free(seen);
	return rc;
}

int ddf_encode_own(const struct ddf_drive *drive, const struct ddf_layout *layout, void *out,
	size_t out_len, struct err *err)
{
	struct places p;
	int rc = find_sections(layout, out, out_len, true, &p, err);

	if (!rc)
		rc = encode_confs(drive, layout, p.at[DDF_SEC_CONFS], p.len[DDF_SEC_CONFS], err);
	if (!rc)
		rc = encode_drive(drive, p.at[DDF_SEC_DRIVE], p.len[DDF_SEC_DRIVE], err);
	return rc;
}

int ddf_encode_sections(const struct ddf_set *set, const struct ddf_drive *drive,
	const struct ddf_layout *layout, void *out, size_t out_len, struct err *err)
{
	int rc;

	if (out_len == ddf_sections_bytes(layout))
		memset(out, 0xFF, out_len);
	rc = ddf_encode_shared(set, layout, out, out_len, err);
	return rc ? rc : ddf_encode_own(drive, layout, out, out_len, err);
}
