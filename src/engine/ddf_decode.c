/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One copy of DDF metadata as a model. Each section is judged by itself (magic, CRC, content), so
 * that a damaged one can be taken from the other copy. Every count and offset is held against the
 * bytes that are really there.
 */
#include "engine/ddf_raw.h"

#include <stdlib.h>

static bool crc_good(const uint8_t *p, size_t len)
{
	return (uint32_t)bytes_get_be(p + 4, 4) == ddf_crc(p, len);
}

static uint32_t magic_of(const uint8_t *p)
{
	return (uint32_t)bytes_get_be(p, 4);
}

static enum ddf_verdict decode_controller(const uint8_t *p, size_t len, struct ddf_set *set)
{
	struct ddf_raw_controller c;
	struct ddf_raw_stamp stamp;

	if (magic_of(p) != DDF_MAGIC_CONTROLLER || !crc_good(p, len))
		return DDF_DAMAGED;
	memcpy(&c, p, sizeof(c));
	memcpy(set->controller.guid.b, c.ctl_guid, sizeof(c.ctl_guid));
	for (unsigned i = 0; i < 4; i++)
		set->controller.ids[i] = be16_get(c.ctl_ids[i]);
	ddf_text_get(c.ctl_product, sizeof(c.ctl_product), set->controller.product);
	memcpy(set->controller.vendor, c.ctl_vendor, sizeof(c.ctl_vendor));
	memcpy(&stamp, c.ctl_vendor + sizeof(c.ctl_vendor) - sizeof(stamp), sizeof(stamp));
	if (!memcmp(stamp.st_owner, DDF_VENDOR_OWNER, sizeof(stamp.st_owner)) &&
		be32_get(stamp.st_version) == STAMP_VERSION)
		set->own_seq = be32_get(stamp.st_seq);
	return DDF_GOOD;
}

/* Entries that name a disk twice are dropped: other makers leave such behind. */
static int decode_pds(const uint8_t *p, size_t len, unsigned max, struct ddf_seen seen[static 2],
	struct ddf_set *set, enum ddf_verdict *verdict)
{
	*verdict = DDF_DAMAGED;
	if (magic_of(p) != DDF_MAGIC_PDS || !crc_good(p, len))
		return 0;
	for (unsigned i = 0; i < max; i++) {
		const uint8_t *entry = p + 64 + i * 64u;
		struct ddf_pd pd = {.place = (uint16_t)(i + 1)};
		struct ddf_raw_pd r;

		memcpy(&r, entry, sizeof(r));
		memcpy(pd.guid.b, r.pd_guid, sizeof(pd.guid.b));
		pd.refnum = be32_get(r.pd_refnum);
		if (ddf_guid_is_free(&pd.guid) || pd.refnum == DDF_NONE || pd.refnum == DDF_MISSING ||
			!ddf_seen_add(&seen[0], entry) ||
			!ddf_seen_add(&seen[1], entry + offsetof(struct ddf_raw_pd, pd_refnum)))
			continue;
		pd.type = be16_get(r.pd_type);
		pd.state = be16_get(r.pd_state);
		pd.config_size = be64_get(r.pd_config_size);
		ddf_text_get(r.pd_path, sizeof(r.pd_path), pd.path);
		if (ddf_pds_push(&set->pds, pd))
			return -ENOMEM;
	}
	*verdict = DDF_GOOD;
	return 0;
}

static int decode_vds(const uint8_t *p, size_t len, unsigned max, struct ddf_seen *seen,
	struct ddf_set *set, enum ddf_verdict *verdict)
{
	*verdict = DDF_DAMAGED;
	if (magic_of(p) != DDF_MAGIC_VDS || !crc_good(p, len))
		return 0;
	for (unsigned i = 0; i < max; i++) {
		const uint8_t *entry = p + 64 + i * 64u;
		struct ddf_vd vd;
		struct ddf_raw_vd r;

		memcpy(&r, entry, sizeof(r));
		memset(&vd, 0, sizeof(vd));
		vd.place = (uint16_t)(i + 1);
		memcpy(vd.guid.b, r.vd_guid, sizeof(vd.guid.b));
		if (ddf_guid_is_free(&vd.guid) || !ddf_seen_add(seen, entry))
			continue;
		vd.unit = be16_get(r.vd_unit);
		vd.type = be16_get(r.vd_type);
		vd.state = r.vd_state;
		vd.init_state = r.vd_init_state;
		ddf_text_get(r.vd_name, sizeof(r.vd_name), vd.name);
		if (ddf_vds_push(&set->vds, vd))
			return -ENOMEM;
	}
	*verdict = DDF_GOOD;
	return 0;
}

/* False: beyond our limits, or nonsense under a good CRC. */
static bool decode_conf(const uint8_t *p, unsigned mppe, struct ddf_conf *conf)
{
	const uint8_t *refnums = p + sizeof(struct ddf_raw_conf), *lbas = refnums + mppe * 4u;
	struct ddf_raw_conf r;
	unsigned n = 0;

	memcpy(&r, p, sizeof(r));
	memset(conf, 0, sizeof(*conf));
	memcpy(conf->vd.b, r.cr_guid, sizeof(conf->vd.b));
	conf->timestamp = be32_get(r.cr_timestamp);
	conf->seq = be32_get(r.cr_seq);
	conf->members = be16_get(r.cr_members);
	conf->chunk_shift = r.cr_chunk_shift;
	conf->prl = r.cr_prl;
	conf->rlq = r.cr_rlq;
	conf->srl = r.cr_srl;
	conf->legs = r.cr_legs ? r.cr_legs : 1;
	/* With one leg its index says nothing; makers leave FF there. */
	conf->leg = conf->legs == 1 ? 0 : r.cr_leg;
	if (ddf_guid_is_free(&conf->vd) || !conf->members || conf->members > mppe ||
		conf->members > DDF_MAX_MEMBERS || conf->leg >= conf->legs)
		return false;
	conf->blocks = be64_get(r.cr_blocks);
	conf->vd_blocks = be64_get(r.cr_vd_blocks);
	for (unsigned i = 0; i < 8; i++)
		conf->spares[i] = be32_get(r.cr_spares[i]);
	memcpy(conf->cache, r.cr_cache, sizeof(conf->cache));
	conf->rate = r.cr_rate;
	memcpy(conf->v0_v3, r.cr_v0_v3, sizeof(conf->v0_v3));
	memcpy(conf->vendor, r.cr_vendor, sizeof(conf->vendor));
	/* Slots not used may stand between the others; what then lacks is missing (DDF_MISSING = 0). */
	for (unsigned i = 0; i < mppe && n < conf->members; i++) {
		uint32_t refnum = (uint32_t)bytes_get_be(refnums + i * 4u, 4);

		if (refnum == DDF_NONE)
			continue;
		conf->refnums[n] = refnum;
		conf->lbas[n++] = bytes_get_be(lbas + i * 8u, 8);
	}
	return true;
}

static void decode_spare(const uint8_t *p, size_t len, struct ddf_spare *spare)
{
	size_t room = (len - sizeof(struct ddf_raw_spare)) / sizeof(struct ddf_raw_spare_vd);
	struct ddf_raw_spare r;
	struct ddf_raw_spare_vd e;
	size_t used;

	memcpy(&r, p, sizeof(r));
	memset(spare, 0, sizeof(*spare));
	used = be16_get(r.sp_used);
	used = used < room ? used : room;
	spare->present = true;
	spare->timestamp = be32_get(r.sp_timestamp);
	spare->type = r.sp_type;
	spare->vds_len = used < DDF_SPARE_MAX_VDS ? (unsigned)used : DDF_SPARE_MAX_VDS;
	for (unsigned i = 0; i < spare->vds_len; i++) {
		memcpy(&e, p + sizeof(r) + i * sizeof(e), sizeof(e));
		memcpy(spare->vds[i].vd.b, e.sp_guid, sizeof(e.sp_guid));
		spare->vds[i].leg = be16_get(e.sp_leg);
	}
}

enum ddf_slot_kind ddf_slot_judge(const uint8_t *p, size_t len)
{
	uint32_t magic = magic_of(p);

	if (magic == 0xFFFFFFFFu || (!magic && !memcmp(p, p + 1, len - 1)))
		return DDF_SLOT_FREE;
	if (!crc_good(p, len))
		return DDF_SLOT_DAMAGED;
	if (magic == DDF_MAGIC_CONF)
		return DDF_SLOT_CONF;
	return magic == DDF_MAGIC_SPARE ? DDF_SLOT_SPARE : DDF_SLOT_OTHER;
}

static int decode_confs(const uint8_t *p, size_t len, const struct ddf_layout *layout,
	struct ddf_image *image)
{
	size_t record = (size_t)layout->conf_sectors * DDF_SECTOR;
	struct ddf_conf conf;

	for (; len >= record; p += record, len -= record)
		switch (ddf_slot_judge(p, record)) {
		case DDF_SLOT_FREE:
			break;
		case DDF_SLOT_DAMAGED:
			image->lost_confs++;
			break;
		case DDF_SLOT_OTHER:
			image->unknown_confs++;
			break;
		case DDF_SLOT_SPARE:
			if (!image->drive.spare.present)
				decode_spare(p, record, &image->drive.spare);
			break;
		case DDF_SLOT_CONF:
			if (!decode_conf(p, layout->mppe, &conf))
				image->unknown_confs++;
			else if (ddf_confs_push(&image->drive.confs, conf))
				return -ENOMEM;
			break;
		}
	image->sections[DDF_SEC_CONFS] = image->lost_confs ? DDF_DAMAGED : DDF_GOOD;
	return 0;
}

static enum ddf_verdict decode_drive(const uint8_t *p, size_t len, struct ddf_drive *drive)
{
	struct ddf_raw_drive r;

	if (magic_of(p) != DDF_MAGIC_DRIVE || !crc_good(p, len))
		return DDF_DAMAGED;
	memcpy(&r, p, sizeof(r));
	memcpy(drive->guid.b, r.dd_guid, sizeof(drive->guid.b));
	drive->refnum = be32_get(r.dd_refnum);
	drive->forced_refnum = r.dd_forced_refnum;
	drive->forced_guid = r.dd_forced_guid;
	memcpy(drive->vendor, r.dd_vendor, sizeof(drive->vendor));
	if (drive->refnum == DDF_NONE || drive->refnum == DDF_MISSING || ddf_guid_is_free(&drive->guid))
		return DDF_DAMAGED;
	return DDF_GOOD;
}

/* ---- a copy ------------------------------------------------------------------------------- */

/* What mdadm compares, and the places; the two headers of a drive differ in type, sequence number
 * and open flag only. */
static bool same_layout(const struct ddf_layout *a, const struct ddf_layout *b)
{
	for (unsigned i = 0; i < DDF_SECTIONS; i++)
		if (a->sections[i].offset != b->sections[i].offset ||
			a->sections[i].length != b->sections[i].length)
			return false;
	return a->primary == b->primary && a->secondary == b->secondary &&
		a->workspace == b->workspace && a->workspace_len == b->workspace_len &&
		a->max_pds == b->max_pds && a->max_vds == b->max_vds && a->max_confs == b->max_confs &&
		a->conf_sectors == b->conf_sectors && a->mppe == b->mppe &&
		!memcmp(a->revision, b->revision, sizeof(a->revision));
}

static int decode_header(const uint8_t *p, size_t len, const struct ddf_layout *layout,
	const struct ddf_guid *container, enum ddf_copy copy, struct ddf_image *image, struct err *err)
{
	const char *which = copy == DDF_PRIMARY ? "primary header" : "secondary header";
	struct ddf_layout theirs;
	struct ddf_raw_header h;
	int rc;

	if (len < sizeof(h))
		return err_set(err, -EUCLEAN, "The DDF %s could not be read.", which);
	memcpy(&h, p, sizeof(h));
	rc = ddf_header_decode(&h, which, layout->sectors, &theirs, err);
	if (rc)
		return rc == -EMEDIUMTYPE || rc == -ENOTSUP ? -EUCLEAN : rc;
	if (h.h_type != copy || memcmp(h.h_guid, container->b, sizeof(h.h_guid)) ||
		!same_layout(&theirs, layout))
		return err_set(err, -EUCLEAN, "The DDF %s contradicts the anchor.", which);
	memcpy(image->set.container.b, h.h_guid, sizeof(h.h_guid));
	image->set.seq = be32_get(h.h_seq);
	image->set.timestamp = be32_get(h.h_timestamp);
	image->open = h.h_open != 0;
	image->header = DDF_GOOD;
	image->source = copy;
	return 0;
}

/* Virtual and physical records come before the vendor section, which adds to them. */
static int decode_sections(const uint8_t *bytes, size_t len, const struct ddf_layout *layout,
	struct ddf_seen seen[static 3], struct ddf_image *image)
{
	enum ddf_verdict *verdicts = image->sections;
	int rc = 0;

	for (unsigned i = 0; i < DDF_SECTIONS && !rc; i++) {
		const struct ddf_section *s = &layout->sections[i];
		size_t at = (size_t)s->offset * DDF_SECTOR, room = (size_t)s->length * DDF_SECTOR;
		const uint8_t *p = bytes + at;

		verdicts[i] = s->length ? DDF_DAMAGED : DDF_ABSENT;
		if (!s->length || at + room > len)
			continue;
		switch ((enum ddf_section_id)i) {
		case DDF_SEC_CONTROLLER:
			verdicts[i] = decode_controller(p, room, &image->set);
			break;
		case DDF_SEC_PDS:
			rc = decode_pds(p, room, layout->max_pds, seen, &image->set, &verdicts[i]);
			break;
		case DDF_SEC_VDS:
			rc = decode_vds(p, room, layout->max_vds, &seen[2], &image->set, &verdicts[i]);
			break;
		case DDF_SEC_CONFS:
			rc = decode_confs(p, room, layout, image);
			break;
		case DDF_SEC_DRIVE:
			verdicts[i] = decode_drive(p, room, &image->drive);
			break;
		case DDF_SEC_VENDOR:
			rc = ddf_vendor_decode(p, room, &image->set, &verdicts[i], &image->foreign_vendor);
			break;
		case DDF_SEC_BAD_BLOCKS:
		case DDF_SEC_DIAGNOSTIC:
			verdicts[i] = DDF_GOOD; /* there; not ours to judge */
			break;
		case DDF_SECTIONS:
			break;
		}
	}
	return rc;
}

int ddf_decode_copy(const void *bytes, size_t len, const struct ddf_layout *layout,
	const struct ddf_guid *container, enum ddf_copy copy, struct ddf_image *image, struct err *err)
{
	struct ddf_seen *seen; /* guids of drives, reference numbers, guids of LUNs */
	int rc;

	memset(image, 0, sizeof(*image));
	image->header = DDF_DAMAGED;
	rc = decode_header(bytes, bytes ? len : 0, layout, container, copy, image, err);
	if (rc)
		return rc;
	seen = calloc(3, sizeof(*seen));
	if (!seen)
		return err_set(err, -ENOMEM, "Out of memory.");
	seen[0].key_len = seen[2].key_len = sizeof(struct ddf_guid);
	seen[1].key_len = sizeof(uint32_t);
	rc = decode_sections(bytes, len, layout, seen, image);
	free(seen);
	if (rc) {
		ddf_image_free(image);
		return err_set(err, rc, "Out of memory.");
	}
	return 0;
}
