/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our vendor section: what DDF has no field for and every drive of the array shall know. A head,
 * then records of type, length and payload; docs/design/001-ddf-vendor-section.md is their
 * specification. A record never grows fields: new facts get new types, and types unknown here are
 * kept byte for byte.
 */
#include "engine/ddf_raw.h"

#include <stdlib.h>

enum record_type {
	REC_ARRAY_NAME = 1,
	REC_VD = 2,
	REC_VD_JOB = 3,
	REC_PD = 4,
	REC_PD_SEQ = 5,
	REC_BASE_SEQ = 6,
	REC_TWIN = 7,
};

struct raw_record {
	be16_t r_type, r_flags;
	be32_t r_len; /* of the payload */
};
_Static_assert(sizeof(struct raw_record) == 8, "vendor record head");

struct raw_vd { /* name, plexes[] (16 bytes each), slots[] follow */
	uint8_t v_guid[24];
	uint8_t v_object[16];
	uint8_t v_lun_type, v_priority;
	be16_t v_name_len;
	be32_t v_flags;
	be64_t v_hints;
	be64_t v_created_at;
	be64_t v_size_bytes;
	be32_t v_chunk;
	be16_t v_plexes, v_slots;
	be32_t v_conf_seq;
	be16_t v_groups, v_reserved;
};
_Static_assert(sizeof(struct raw_vd) == 88, "vendor record of a LUN");

struct raw_slot {
	be32_t s_refnum;
	be32_t s_flags; /* 1 = current */
	be64_t s_lba, s_blocks;
};
_Static_assert(sizeof(struct raw_slot) == 24, "slot of a vendor record");

struct raw_job {
	uint8_t j_guid[24];
	be16_t j_type, j_flags;
	be32_t j_number;
	be64_t j_target, j_done, j_started_at;
};
_Static_assert(sizeof(struct raw_job) == 56, "vendor record of a job");

struct raw_pd {
	uint8_t p_guid[24];
	be32_t p_flags, p_replaces;
	be64_t p_lost_at;
};
_Static_assert(sizeof(struct raw_pd) == 40, "vendor record of a drive");

struct raw_pd_seq {
	uint8_t q_guid[24];
	be32_t q_seq, q_reserved;
};
_Static_assert(sizeof(struct raw_pd_seq) == 32, "vendor record of what a lost drive held");

struct raw_twin {
	uint8_t t_guid[24]; /* of the VD */
	be16_t t_slot, t_reserved;
	be32_t t_refnum;
	be64_t t_lba, t_blocks;
};
_Static_assert(sizeof(struct raw_twin) == 48, "vendor record of a member that is being moved");

/* ---- writing ------------------------------------------------------------------------------ */

struct out {
	uint8_t *at, *end;
	bool full;
};

static void put(struct out *o, const void *bytes, size_t len)
{
	if ((size_t)(o->end - o->at) < len)
		o->full = true;
	if (o->full || !len)
		return;
	memcpy(o->at, bytes, len);
	o->at += len;
}

static void put_head(struct out *o, enum record_type type, size_t len)
{
	struct raw_record r = {be16((uint16_t)type), be16(0), be32((uint32_t)len)};

	put(o, &r, sizeof(r));
}

static void put_vd(struct out *o, const struct ddf_vd *vd)
{
	const struct ddf_vd_ext *x = &vd->ext;
	size_t name_len = ddf_text_fit(x->name, DDF_NAME_BYTES - 1);
	struct raw_vd r = {
		.v_lun_type = x->lun_type,
		.v_priority = x->priority,
		.v_name_len = be16((uint16_t)name_len),
		.v_flags = be32(x->flags),
		.v_hints = be64(x->hints),
		.v_created_at = be64((uint64_t)x->created_at),
		.v_size_bytes = be64(x->size_bytes),
		.v_chunk = be32(x->chunk),
		.v_plexes = be16((uint16_t)x->plexes_len),
		.v_slots = be16((uint16_t)x->slots_len),
		.v_conf_seq = be32(x->conf_seq),
		.v_groups = be16(x->groups),
	};

	memcpy(r.v_guid, vd->guid.b, sizeof(r.v_guid));
	memcpy(r.v_object, x->object.b, sizeof(r.v_object));
	put_head(o, REC_VD, sizeof(r) + name_len + x->plexes_len * 16u +
		x->slots_len * sizeof(struct raw_slot));
	put(o, &r, sizeof(r));
	put(o, x->name, name_len);
	for (unsigned i = 0; i < x->plexes_len; i++)
		put(o, x->plexes[i].b, 16);
	for (unsigned i = 0; i < x->slots_len; i++) {
		struct raw_slot s = {be32(x->slots[i].refnum), be32(x->slots[i].current),
			be64(x->slots[i].lba), be64(x->slots[i].blocks)};

		put(o, &s, sizeof(s));
	}
}

static void put_job(struct out *o, const struct ddf_vd *vd)
{
	const struct ddf_vd_ext *x = &vd->ext;
	struct raw_job r = {
		.j_type = be16(x->job_type),
		.j_flags = be16(x->job_flags),
		.j_number = be32(x->job_number),
		.j_target = be64(x->job_target),
		.j_done = be64(x->job_done),
		.j_started_at = be64((uint64_t)x->job_started_at),
	};

	memcpy(r.j_guid, vd->guid.b, sizeof(r.j_guid));
	put_head(o, REC_VD_JOB, sizeof(r));
	put(o, &r, sizeof(r));
}

static void put_twins(struct out *o, const struct ddf_vd *vd)
{
	for (unsigned i = 0; i < vd->ext.twins_len; i++) {
		const struct ddf_vd_twin *t = &vd->ext.twins[i];
		struct raw_twin r = {.t_slot = be16(t->slot), .t_refnum = be32(t->refnum),
			.t_lba = be64(t->lba), .t_blocks = be64(t->blocks)};

		memcpy(r.t_guid, vd->guid.b, sizeof(r.t_guid));
		put_head(o, REC_TWIN, sizeof(r));
		put(o, &r, sizeof(r));
	}
}

static void put_pd(struct out *o, const struct ddf_pd *pd)
{
	struct raw_pd r = {
		.p_flags = be32(pd->ext.flags),
		.p_replaces = be32(pd->ext.replaces),
		.p_lost_at = be64((uint64_t)pd->ext.lost_at),
	};

	memcpy(r.p_guid, pd->guid.b, sizeof(r.p_guid));
	put_head(o, REC_PD, sizeof(r));
	put(o, &r, sizeof(r));
}

static void put_pd_seq(struct out *o, const struct ddf_pd *pd)
{
	struct raw_pd_seq r = {.q_seq = be32(pd->ext.seq)};

	memcpy(r.q_guid, pd->guid.b, sizeof(r.q_guid));
	put_head(o, REC_PD_SEQ, sizeof(r));
	put(o, &r, sizeof(r));
}

static void put_base_seq(struct out *o, uint32_t seq)
{
	be32_t r = be32(seq);

	put_head(o, REC_BASE_SEQ, sizeof(r));
	put(o, &r, sizeof(r));
}

/* Room for what is recorded when drives are lost: that must never fail for want of it. */
static void reserve(struct out *o, const struct ddf_set *set)
{
	size_t need = set->base_seq ? 0 : sizeof(struct raw_record) + sizeof(be32_t);
	const struct ddf_pd *pd;

	vec_for_each(&set->pds, pd) {
		need += pd->ext.present ? 0 : sizeof(struct raw_record) + sizeof(struct raw_pd);
		need += pd->ext.seq ? 0 : sizeof(struct raw_record) + sizeof(struct raw_pd_seq);
	}
	if ((size_t)(o->end - o->at) < need)
		o->full = true;
}

int ddf_vendor_encode(const struct ddf_set *set, uint8_t *section, size_t len, struct err *err)
{
	struct out o = {section + sizeof(struct ddf_raw_vendor), section + len, false};
	struct ddf_raw_vendor head;
	size_t name_len = ddf_text_fit(set->name, DDF_NAME_BYTES - 1);
	const struct ddf_vd *vd;
	const struct ddf_pd *pd;

	vec_for_each(&set->vds, vd)
		if (vd->ext.present &&
			(vd->ext.plexes_len > DDF_MAX_PLEXES || vd->ext.slots_len > DDF_VDX_SLOTS ||
				vd->ext.twins_len > DDF_VDX_SLOTS))
			return err_set(err, -EINVAL, "LUN record %zu has %u plexes and %u slots.", vd_i,
				vd->ext.plexes_len, vd->ext.slots_len);
	if (name_len) {
		put_head(&o, REC_ARRAY_NAME, name_len);
		put(&o, set->name, name_len);
	}
	vec_for_each(&set->vds, vd) {
		if (vd->ext.present)
			put_vd(&o, vd);
		if (vd->ext.present && vd->ext.job_type)
			put_job(&o, vd);
		if (vd->ext.present)
			put_twins(&o, vd);
	}
	vec_for_each(&set->pds, pd) {
		if (pd->ext.present)
			put_pd(&o, pd);
		if (pd->ext.seq)
			put_pd_seq(&o, pd);
	}
	if (set->base_seq)
		put_base_seq(&o, set->base_seq);
	put(&o, set->unknown, set->unknown_len);
	reserve(&o, set);
	if (o.full)
		return err_set(err, -ENOSPC, "Names and shapes of the LUNs do not fit into the %zu bytes that the "
									 "drives keep for them.",
			len - sizeof(head));
	memset(&head, 0xFF, sizeof(head));
	head.vs_magic = be32(DDF_MAGIC_VENDOR);
	memcpy(head.vs_owner, DDF_VENDOR_OWNER, sizeof(head.vs_owner));
	head.vs_version = be16(DDF_VENDOR_VERSION);
	head.vs_reserved = be16(0);
	head.vs_used = be32((uint32_t)(o.at - section - (ptrdiff_t)sizeof(head)));
	memcpy(section, &head, sizeof(head));
	bytes_put_be(section + 4, 4, ddf_crc(section, len));
	return 0;
}

/* ---- reading ------------------------------------------------------------------------------ */

static struct ddf_vd *find_vd(struct ddf_set *set, const uint8_t guid[24])
{
	struct ddf_guid g;

	memcpy(g.b, guid, sizeof(g.b));
	return ddf_set_vd(set, &g);
}

/* 0, or -EBADMSG when the payload is not what its type says. A record of something that is not in
 * the tables any more is dropped. */
static int get_vd(struct ddf_set *set, const uint8_t *p, size_t len)
{
	struct ddf_vd_ext *x;
	struct ddf_vd *vd;
	struct raw_vd r;
	size_t name_len, plexes, slots;

	if (len < sizeof(r))
		return -EBADMSG;
	memcpy(&r, p, sizeof(r));
	p += sizeof(r);
	name_len = be16_get(r.v_name_len);
	plexes = be16_get(r.v_plexes);
	slots = be16_get(r.v_slots);
	if (name_len >= DDF_NAME_BYTES || plexes > DDF_MAX_PLEXES || slots > DDF_VDX_SLOTS ||
		len != sizeof(r) + name_len + plexes * 16 + slots * sizeof(struct raw_slot) ||
		memchr(p, 0, name_len))
		return -EBADMSG;
	vd = find_vd(set, r.v_guid);
	if (!vd || vd->ext.present)
		return 0;
	x = &vd->ext;
	x->present = true;
	memcpy(x->object.b, r.v_object, sizeof(x->object.b));
	memcpy(x->name, p, name_len);
	ddf_text_clean(x->name, false);
	x->lun_type = r.v_lun_type;
	x->priority = r.v_priority;
	x->flags = be32_get(r.v_flags);
	x->hints = be64_get(r.v_hints);
	x->created_at = (int64_t)be64_get(r.v_created_at);
	x->size_bytes = be64_get(r.v_size_bytes);
	x->chunk = be32_get(r.v_chunk);
	x->conf_seq = be32_get(r.v_conf_seq);
	x->groups = be16_get(r.v_groups);
	x->plexes_len = (unsigned)plexes;
	x->slots_len = (unsigned)slots;
	p += name_len;
	for (size_t i = 0; i < plexes; i++, p += 16)
		memcpy(x->plexes[i].b, p, 16);
	for (size_t i = 0; i < slots; i++, p += sizeof(struct raw_slot)) {
		x->slots[i].refnum = (uint32_t)bytes_get_be(p, 4);
		x->slots[i].current = bytes_get_be(p + 4, 4) & 1;
		x->slots[i].lba = bytes_get_be(p + 8, 8);
		x->slots[i].blocks = bytes_get_be(p + 16, 8);
	}
	return 0;
}

static int get_job(struct ddf_set *set, const uint8_t *p, size_t len)
{
	struct raw_job r;
	struct ddf_vd *vd;

	if (len != sizeof(r))
		return -EBADMSG;
	memcpy(&r, p, sizeof(r));
	vd = find_vd(set, r.j_guid);
	if (!vd || !vd->ext.present || vd->ext.job_type)
		return 0;
	vd->ext.job_type = be16_get(r.j_type);
	vd->ext.job_flags = be16_get(r.j_flags);
	vd->ext.job_number = be32_get(r.j_number);
	vd->ext.job_target = be64_get(r.j_target);
	vd->ext.job_done = be64_get(r.j_done);
	vd->ext.job_started_at = (int64_t)be64_get(r.j_started_at);
	return 0;
}

/* After the record of its LUN. */
static int get_twin(struct ddf_set *set, const uint8_t *p, size_t len)
{
	struct raw_twin r;
	struct ddf_vd *vd;
	uint16_t slot;

	if (len != sizeof(r))
		return -EBADMSG;
	memcpy(&r, p, sizeof(r));
	vd = find_vd(set, r.t_guid);
	if (!vd || !vd->ext.present)
		return 0;
	slot = be16_get(r.t_slot);
	if (slot >= vd->ext.slots_len || vd->ext.twins_len >= DDF_VDX_SLOTS)
		return -EBADMSG;
	for (unsigned i = 0; i < vd->ext.twins_len; i++)
		if (vd->ext.twins[i].slot == slot)
			return -EBADMSG;
	vd->ext.twins[vd->ext.twins_len++] = (struct ddf_vd_twin){.slot = slot,
		.refnum = be32_get(r.t_refnum),
		.lba = be64_get(r.t_lba),
		.blocks = be64_get(r.t_blocks)};
	return 0;
}

static int get_pd(struct ddf_set *set, const uint8_t *p, size_t len)
{
	struct ddf_guid g;
	struct raw_pd r;
	struct ddf_pd *pd;

	if (len != sizeof(r))
		return -EBADMSG;
	memcpy(&r, p, sizeof(r));
	memcpy(g.b, r.p_guid, sizeof(g.b));
	pd = ddf_set_pd(set, &g);
	if (!pd || pd->ext.present)
		return 0;
	pd->ext.present = true;
	pd->ext.flags = be32_get(r.p_flags);
	pd->ext.replaces = be32_get(r.p_replaces);
	pd->ext.lost_at = (int64_t)be64_get(r.p_lost_at);
	return 0;
}

static int get_pd_seq(struct ddf_set *set, const uint8_t *p, size_t len)
{
	struct raw_pd_seq r;
	struct ddf_guid g;
	struct ddf_pd *pd;

	if (len != sizeof(r))
		return -EBADMSG;
	memcpy(&r, p, sizeof(r));
	memcpy(g.b, r.q_guid, sizeof(g.b));
	pd = ddf_set_pd(set, &g);
	if (pd)
		pd->ext.seq = be32_get(r.q_seq);
	return 0;
}

static int get_base_seq(struct ddf_set *set, const uint8_t *p, size_t len)
{
	if (len != sizeof(be32_t))
		return -EBADMSG;
	set->base_seq = (uint32_t)bytes_get_be(p, 4);
	return 0;
}

static int get_name(struct ddf_set *set, const uint8_t *p, size_t len)
{
	if (len >= DDF_NAME_BYTES || memchr(p, 0, len))
		return -EBADMSG;
	memcpy(set->name, p, len);
	set->name[len] = 0;
	ddf_text_clean(set->name, false);
	return 0;
}

static int keep_unknown(struct ddf_set *set, const uint8_t *record, size_t len)
{
	uint8_t *more = realloc(set->unknown, set->unknown_len + len);

	if (!more)
		return -ENOMEM;
	memcpy(more + set->unknown_len, record, len);
	set->unknown = more;
	set->unknown_len += len;
	return 0;
}

static int get_records(struct ddf_set *set, const uint8_t *p, size_t left)
{
	struct raw_record r;
	int rc = 0;

	for (; left && !rc; p += be32_get(r.r_len), left -= be32_get(r.r_len)) {
		const uint8_t *record = p;
		size_t len;

		if (left < sizeof(r))
			return -EBADMSG;
		memcpy(&r, p, sizeof(r));
		p += sizeof(r);
		left -= sizeof(r);
		len = be32_get(r.r_len);
		if (len > left)
			return -EBADMSG;
		switch (be16_get(r.r_type)) {
		case REC_ARRAY_NAME:
			rc = get_name(set, p, len);
			break;
		case REC_VD:
			rc = get_vd(set, p, len);
			break;
		case REC_VD_JOB:
			rc = get_job(set, p, len);
			break;
		case REC_PD:
			rc = get_pd(set, p, len);
			break;
		case REC_PD_SEQ:
			rc = get_pd_seq(set, p, len);
			break;
		case REC_BASE_SEQ:
			rc = get_base_seq(set, p, len);
			break;
		case REC_TWIN:
			rc = get_twin(set, p, len);
			break;
		default:
			rc = keep_unknown(set, record, sizeof(r) + len);
		}
	}
	return rc;
}

/* Half-read records are forgotten. */
static void forget(struct ddf_set *set)
{
	struct ddf_vd *vd;
	struct ddf_pd *pd;

	vec_for_each(&set->vds, vd)
		memset(&vd->ext, 0, sizeof(vd->ext));
	vec_for_each(&set->pds, pd)
		memset(&pd->ext, 0, sizeof(pd->ext));
	memset(set->name, 0, sizeof(set->name));
	set->base_seq = 0;
	free(set->unknown);
	set->unknown = NULL;
	set->unknown_len = 0;
}

int ddf_vendor_decode(const uint8_t *section, size_t len, struct ddf_set *set,
	enum ddf_verdict *verdict, bool *foreign)
{
	struct ddf_raw_vendor head;
	bool magic, owner, crc;
	int rc;

	memcpy(&head, section, sizeof(head));
	magic = be32_get(head.vs_magic) == DDF_MAGIC_VENDOR;
	owner = !memcmp(head.vs_owner, DDF_VENDOR_OWNER, sizeof(head.vs_owner));
	crc = be32_get(head.vs_crc) == ddf_crc(section, len);
	/* Other makers may keep anything here, checksum included. One damaged field of ours is damage. */
	*foreign = (!magic || !owner) && (crc || (!magic && !owner));
	*verdict = *foreign ? DDF_GOOD : DDF_DAMAGED;
	if (*foreign || !crc)
		return 0;
	if (be16_get(head.vs_version) != DDF_VENDOR_VERSION) {
		*foreign = true;
		*verdict = DDF_GOOD;
		return 0;
	}
	if (be32_get(head.vs_used) > len - sizeof(head))
		return 0;
	rc = get_records(set, section + sizeof(head), be32_get(head.vs_used));
	if (rc)
		forget(set);
	else
		*verdict = DDF_GOOD;
	return rc == -ENOMEM ? rc : 0;
}
