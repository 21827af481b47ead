/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DDF structures as they stand on the drive (SNIA DDF 1.2, chapter 4), big-endian. Private to
 * the ddf_*.c files. Field prefixes: h_ header, ctl_ controller data, pd_/pdh_ physical disk
 * records, vd_/vdh_ virtual disk records, cr_ configuration record, sp_ spare assignment,
 * dd_ drive data, vs_ vendor section.
 */
#ifndef ENGINE_DDF_RAW_H
#define ENGINE_DDF_RAW_H

#include "engine/ddf.h"

#include <stddef.h>

#define DDF_MAGIC_HEADER     0xDE11DE11u
#define DDF_MAGIC_CONTROLLER 0xAD111111u
#define DDF_MAGIC_PDS	     0x22222222u
#define DDF_MAGIC_VDS	     0xDDDDDDDDu
#define DDF_MAGIC_CONF	     0xEEEEEEEEu
#define DDF_MAGIC_SPARE	     0x55555555u
#define DDF_MAGIC_DRIVE	     0x33333333u
#define DDF_MAGIC_VENDOR     0x01DBEEF0u

struct ddf_raw_section {
	be32_t offset, length;
};

struct ddf_raw_header { /* DDF header: anchor, primary, secondary */
	be32_t h_magic, h_crc;
	uint8_t h_guid[24];
	uint8_t h_revision[8];
	be32_t h_seq, h_timestamp;
	uint8_t h_open, h_foreign, h_enforce_groups;
	uint8_t h_pad0[13];
	uint8_t h_pad1[32];
	be64_t h_primary, h_secondary;
	uint8_t h_type;
	uint8_t h_pad2[3];
	be32_t h_workspace_len;
	be64_t h_workspace;
	be16_t h_max_pds, h_max_vds, h_max_confs, h_conf_sectors, h_mppe;
	uint8_t h_pad3[54];
	struct ddf_raw_section h_sections[DDF_SECTIONS];
	uint8_t h_pad4[256];
};
_Static_assert(sizeof(struct ddf_raw_header) == 512, "DDF header");
_Static_assert(offsetof(struct ddf_raw_header, h_open) == 48, "DDF header: open flag");
_Static_assert(offsetof(struct ddf_raw_header, h_primary) == 96, "DDF header: primary");
_Static_assert(offsetof(struct ddf_raw_header, h_type) == 112, "DDF header: type");
_Static_assert(offsetof(struct ddf_raw_header, h_max_pds) == 128, "DDF header: counts");
_Static_assert(offsetof(struct ddf_raw_header, h_sections) == 192, "DDF header: sections");

struct ddf_raw_controller {
	be32_t ctl_magic, ctl_crc;
	uint8_t ctl_guid[24];
	be16_t ctl_ids[4];
	uint8_t ctl_product[16];
	uint8_t ctl_pad[8];
	uint8_t ctl_vendor[448];
};
_Static_assert(sizeof(struct ddf_raw_controller) == 512, "DDF controller data");

struct ddf_raw_stamp { /* the end of ctl_vendor in ours */
	uint8_t st_owner[8];
	be32_t st_version, st_seq;
};
#define STAMP_VERSION 1
_Static_assert(sizeof(struct ddf_raw_stamp) == 16, "stamp in the controller data");

struct ddf_raw_table { /* head of the physical and of the virtual disk records */
	be32_t t_magic, t_crc;
	be16_t t_used, t_max;
	uint8_t t_pad[52];
};
_Static_assert(sizeof(struct ddf_raw_table) == 64, "DDF record table");

struct ddf_raw_pd {
	uint8_t pd_guid[24];
	be32_t pd_refnum;
	be16_t pd_type, pd_state;
	be64_t pd_config_size;
	uint8_t pd_path[18];
	uint8_t pd_pad[6];
};
_Static_assert(sizeof(struct ddf_raw_pd) == 64, "DDF physical disk entry");

struct ddf_raw_vd {
	uint8_t vd_guid[24];
	be16_t vd_unit;
	uint8_t vd_pad0[2];
	be16_t vd_guid_crc, vd_type;
	uint8_t vd_state, vd_init_state;
	uint8_t vd_pad1[14];
	uint8_t vd_name[16];
};
_Static_assert(sizeof(struct ddf_raw_vd) == 64, "DDF virtual disk entry");
_Static_assert(offsetof(struct ddf_raw_vd, vd_name) == 48, "DDF virtual disk entry: name");

struct ddf_raw_conf { /* VD configuration record; be32 refnums[mppe], be64 lbas[mppe] follow */
	be32_t cr_magic, cr_crc;
	uint8_t cr_guid[24];
	be32_t cr_timestamp, cr_seq;
	uint8_t cr_pad0[24];
	be16_t cr_members;
	uint8_t cr_chunk_shift, cr_prl, cr_rlq, cr_legs, cr_leg, cr_srl;
	be64_t cr_blocks, cr_vd_blocks;
	uint8_t cr_pad1[8];
	be32_t cr_spares[8];
	uint8_t cr_cache[8];
	uint8_t cr_rate;
	uint8_t cr_pad2[55];
	uint8_t cr_pad3[192];
	uint8_t cr_v0_v3[96];
	uint8_t cr_vendor[32];
};
_Static_assert(sizeof(struct ddf_raw_conf) == 512, "DDF configuration record");
_Static_assert(offsetof(struct ddf_raw_conf, cr_members) == 64, "DDF configuration: members");
_Static_assert(offsetof(struct ddf_raw_conf, cr_blocks) == 72, "DDF configuration: blocks");
_Static_assert(offsetof(struct ddf_raw_conf, cr_spares) == 96, "DDF configuration: spares");
_Static_assert(offsetof(struct ddf_raw_conf, cr_rate) == 136, "DDF configuration: rate");
_Static_assert(offsetof(struct ddf_raw_conf, cr_v0_v3) == 384, "DDF configuration: v0");
_Static_assert(offsetof(struct ddf_raw_conf, cr_vendor) == 480, "DDF configuration: vendor");

struct ddf_raw_spare_vd {
	uint8_t sp_guid[24];
	be16_t sp_leg;
	uint8_t sp_pad[6];
};
_Static_assert(sizeof(struct ddf_raw_spare_vd) == 32, "DDF spare assignment entry");

struct ddf_raw_spare { /* spare assignment record: takes a configuration slot */
	be32_t sp_magic, sp_crc, sp_timestamp;
	uint8_t sp_pad0[7];
	uint8_t sp_type;
	be16_t sp_used, sp_max;
	uint8_t sp_pad1[8];
	struct ddf_raw_spare_vd sp_vds[];
};
_Static_assert(sizeof(struct ddf_raw_spare) == 32, "DDF spare assignment");
_Static_assert(offsetof(struct ddf_raw_spare, sp_type) == 19, "DDF spare assignment: type");

struct ddf_raw_drive { /* physical disk data */
	be32_t dd_magic, dd_crc;
	uint8_t dd_guid[24];
	be32_t dd_refnum;
	uint8_t dd_forced_refnum, dd_forced_guid;
	uint8_t dd_vendor[32];
	uint8_t dd_pad[442];
};
_Static_assert(sizeof(struct ddf_raw_drive) == 512, "DDF drive data");

/* Vendor log section with our owner; docs/design/001-ddf-vendor-section.md has its records. */
#define DDF_VENDOR_OWNER   "LINUXVDS"
#define DDF_VENDOR_VERSION 1

struct ddf_raw_vendor {
	be32_t vs_magic, vs_crc;
	uint8_t vs_owner[8];
	uint8_t vs_pad[16];
	be16_t vs_version, vs_reserved;
	be32_t vs_used; /* bytes of records behind this head */
};
_Static_assert(sizeof(struct ddf_raw_vendor) == 40, "vendor section");

/* ---- shared between the ddf_*.c files ----------------------------------------------------- */

/* How section names read in sentences. */
const char *ddf_section_name(enum ddf_section_id id);

/* Checks a header of whatever type for magic and CRC, and reads positions, counts and sections
 * into *layout (layout->sectors given), within the limits. Errors as ddf_anchor_decode. */
int ddf_header_decode(const struct ddf_raw_header *h, const char *which, uint64_t drive_sectors,
	struct ddf_layout *layout, struct err *err);

/* Text fields: space or NUL padded on the drive; NUL terminated, printable UTF-8 in memory, where
 * text has field_len + 1 bytes. */
void ddf_text_put(uint8_t *field, size_t field_len, const char *text);
void ddf_text_get(const uint8_t *field, size_t field_len, char *text);
/* Replaces bytes that are no UTF-8 (and control characters) by question marks. */
void ddf_text_clean(char *text, bool control_too);
/* Bytes of the longest prefix within room that splits no character. */
size_t ddf_text_fit(const char *text, size_t room);

/* A set of keys that stay where they are, to find duplicates; at most DDF_SEEN / 2. */
#define DDF_SEEN 8192
struct ddf_seen {
	size_t key_len, len;
	const void *keys[DDF_SEEN];
};
/* False when the key is there already (or the set is full). */
bool ddf_seen_add(struct ddf_seen *seen, const void *key);

/* What is in one slot (len bytes) of the configuration records. */
enum ddf_slot_kind {
	DDF_SLOT_FREE,
	DDF_SLOT_CONF,
	DDF_SLOT_SPARE,
	DDF_SLOT_OTHER, /* another maker's, with a good CRC */
	DDF_SLOT_DAMAGED,
};
enum ddf_slot_kind ddf_slot_judge(const uint8_t *slot, size_t len);

/* The vendor section (whole, len bytes >= 512). Encoding needs all bytes set to FF before; -ENOSPC
 * when it is full. Decoding fills the ext parts of pds and vds, set->name and set->unknown; 0 or
 * -ENOMEM. */
int ddf_vendor_encode(const struct ddf_set *set, uint8_t *section, size_t len, struct err *err);
int ddf_vendor_decode(const uint8_t *section, size_t len, struct ddf_set *set,
	enum ddf_verdict *verdict, bool *foreign);

#endif
