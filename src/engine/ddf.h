/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SNIA DDF 1.2: the metadata of an array as it stands at the end of every drive.
 *
 * Pure functions between bytes and a model in memory. Nothing here reads or writes a drive, asks
 * a clock or draws randomness; every input byte may be hostile. Memory is allocated only by the
 * functions that fill a set, a drive or an image, and released by their _free.
 *
 * A drive holds an anchor (its last sector) and two copies (primary, secondary) of header and
 * sections. What is the same on all drives of an array is a struct ddf_set; what belongs to one
 * drive is a struct ddf_drive; where it stands on that drive is a struct ddf_layout.
 *
 *   writing                                       reading
 *   ddf_layout_plan    drive size → layout        ddf_anchor_decode  last sector → layout
 *   ddf_encode_header  one sector                 ddf_load           both copies → ddf_image
 *   ddf_encode_sections  everything behind it     (ddf_decode_copy   one copy, with verdicts)
 *
 * An update of one copy writes [header open] [sections] [header closed], then flushes. A caller
 * that knows what changed may write single sections between the two headers: layout->sections[]
 * has their places, relative to the copy's header.
 *
 * Units: sectors are 512 bytes whatever the device says; names end in _bytes where they are not
 * sectors. Errors: -EINVAL the model cannot be written as it is, -ENOSPC it does not fit into the
 * layout, -EMEDIUMTYPE no DDF here, -EUCLEAN DDF that is damaged, -ENOTSUP DDF outside of the
 * limits below, -ENOMEM. The thread rules are those of the memory passed in.
 */
#ifndef ENGINE_DDF_H
#define ENGINE_DDF_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/guid.h"
#include "base/rng.h"
#include "base/vec.h"
#include "raid/raid.h"

/* ---- limits ------------------------------------------------------------------------------- */

#define DDF_SECTOR		 512
#define DDF_MIN_DRIVE_BYTES	 (64ull << 20)
#define DDF_COMPACT_BELOW_BYTES	 (1ull << 30) /* smaller drives get the compact map */
#define DDF_ALIGN		 2048	      /* sectors: extents start and end on 1 MiB */
#define DDF_DATA_START		 2048	      /* first sector that may belong to an extent */
#define DDF_MAX_CONFS		 64	      /* configuration records a drive of ours has room for */
#define DDF_MAX_MEMBERS		 256	      /* of one leg; a foreign record with more is skipped */
#define DDF_COPY_MAX_SECTORS	 8192	      /* header and sections of one copy, any origin */
#define DDF_SECTION_MAX_SECTORS	 1024
#define DDF_NAME_BYTES		 256 /* full names, UTF-8 with NUL */
#define DDF_MAX_PLEXES		 64
#define DDF_VDX_SLOTS		 64
#define DDF_NONE		 0xFFFFFFFFu /* reference number: slot not used */
#define DDF_MISSING		 0u	     /* reference number: member missing */

/* ---- identities and time ------------------------------------------------------------------ */

struct ddf_guid {
	uint8_t b[24];
};

enum ddf_guid_kind { /* the ninth byte of a new GUID, for people who read dumps */
	DDF_GUID_ARRAY = 'A',
	DDF_GUID_CONTROLLER = 'C',
	DDF_GUID_DRIVE = 'D',
	DDF_GUID_LUN = 'L',
};

static inline bool ddf_guid_equal(const struct ddf_guid *a, const struct ddf_guid *b)
{
	return !memcmp(a->b, b->b, sizeof(a->b));
}

/* All FF: a free entry. */
bool ddf_guid_is_free(const struct ddf_guid *g);

/* "LINUXVDS", the kind, seven random bytes, the timestamp (ddf_time), four random bytes. */
void ddf_guid_new(struct ddf_guid *out, enum ddf_guid_kind kind, struct rng *rng, uint32_t timestamp);

/* A random reference number that is neither 0, nor DDF_NONE, nor taken in pds. */
struct ddf_set;
uint32_t ddf_refnum_new(const struct ddf_set *set, struct rng *rng);

/* The VDS object id that a DDF GUID stands for: the first 16 bytes of its SHA-1, as mdadm has
 * them, stamped as a version 5 identity. */
struct guid ddf_guid_object(const struct ddf_guid *g);

#define DDF_GUID_TEXT_SIZE 54 /* 48 digits, 5 colons, NUL */
/* Hexadecimal, six groups of four bytes. Returns buf. */
const char *ddf_guid_format(const struct ddf_guid *g, char buf[static DDF_GUID_TEXT_SIZE]);

/* Seconds since 1980-01-01 UTC, clamped to what fits; and back to Unix milliseconds. */
uint32_t ddf_time(int64_t wall_ms);
int64_t ddf_time_ms(uint32_t timestamp);

/* ---- physical disks (DDF 1.2, physical disk records) --------------------------------------- */

enum { /* ddf_pd.type */
	DDF_PD_FORCED_GUID = 0x0001,
	DDF_PD_ACTIVE = 0x0002, /* takes part in a VD */
	DDF_PD_GLOBAL_SPARE = 0x0004,
	DDF_PD_SPARE = 0x0008, /* with a spare assignment record on the drive */
	DDF_PD_FOREIGN = 0x0010,
	DDF_PD_LEGACY = 0x0020,
	DDF_PD_INTERFACE_MASK = 0x0F00,
	DDF_PD_SCSI = 0x0100,
	DDF_PD_SAS = 0x0200,
	DDF_PD_SATA = 0x0300,
	DDF_PD_FC = 0x0400,
};

enum { /* ddf_pd.state */
	DDF_PD_ONLINE = 0x0001,
	DDF_PD_FAILED = 0x0002, /* overrides ONLINE, REBUILDING and TRANSITION */
	DDF_PD_REBUILDING = 0x0004,
	DDF_PD_TRANSITION = 0x0008,
	DDF_PD_PREDICTED = 0x0010, /* SMART */
	DDF_PD_READ_ERRORS = 0x0020,
	DDF_PD_MISSING = 0x0040,
};

/* What our vendor section adds to a drive. */
struct ddf_pd_ext {
	bool present;	 /* a record exists (decode), shall be written (encode) */
	uint32_t flags;	 /* DDF_PDX_… */
	int64_t lost_at; /* Unix ms when the loss was noticed, 0 = not lost */
	uint32_t replaces; /* a spare in use: reference number of the drive it stands in for, 0 = none */
	/* For a drive that gets no metadata any more: the newest it held, 0 = not recorded. A record of its
	 * own, whatever `present` says. */
	uint32_t seq;
};
enum { /* ddf_pd_ext.flags */
	DDF_PDX_ADMIN_OFFLINE = 1,   /* withdrawn by an administrator */
	DDF_PDX_DECLARED_FAILED = 2, /* failed by declaration, not by an error */
	DDF_PDX_DEPARTED = 4,	     /* lost and let go: not enumerated until it returns */
};

struct ddf_pd {
	uint16_t place; /* 1-based place in the table; 0 = the first free one at encode */
	struct ddf_guid guid;
	uint32_t refnum;
	uint16_t type, state;
	uint64_t config_size; /* workspace start of the drive: mdadm allocates below it only */
	char path[19];	      /* informative */
	struct ddf_pd_ext ext;
};

/* Derived reading of type and state. Failed and missing is what md makes of a drive that it did not
 * have: missing. */
enum ddf_pd_status {
	DDF_PD_IS_ONLINE,
	DDF_PD_IS_OFFLINE, /* withdrawn: online clear, transition set */
	DDF_PD_IS_FAILED,
	DDF_PD_IS_MISSING,
};
enum ddf_pd_status ddf_pd_status(const struct ddf_pd *pd);
/* state bits for a status; PREDICTED and READ_ERRORS of keep are kept. */
uint16_t ddf_pd_state_for(enum ddf_pd_status status, uint16_t keep);

/* ---- virtual disks (DDF 1.2, virtual disk records) ----------------------------------------- */

enum { /* ddf_vd.type */
	DDF_VD_SHARED = 1,
	DDF_VD_ENFORCE_GROUPS = 2,
	DDF_VD_UNICODE_NAME = 4,
	DDF_VD_OWNER_VALID = 8,
};

enum { /* ddf_vd.state */
	DDF_VD_STATE_MASK = 0x07,
	DDF_VD_OPTIMAL = 0,
	DDF_VD_DEGRADED = 1,
	DDF_VD_DELETED = 2,
	DDF_VD_MISSING = 3,
	DDF_VD_FAILED = 4,
	DDF_VD_PARTIALLY_OPTIMAL = 5,
	DDF_VD_MORPHING = 0x08,
	DDF_VD_INCONSISTENT = 0x10, /* copies or parity may differ */
};

enum { /* ddf_vd.init_state */
	DDF_VD_INIT_MASK = 0x03,
	DDF_VD_INIT_NOT = 0,
	DDF_VD_INIT_QUICK = 1,
	DDF_VD_INIT_FULL = 2,
	DDF_VD_ACCESS_MASK = 0xC0,
	DDF_VD_ACCESS_RW = 0x00,
	DDF_VD_ACCESS_RO = 0x80,
	DDF_VD_ACCESS_BLOCKED = 0xC0,
};

/* The low three state bits for a VD whose worst leg has lost `lost` members of which it can lose
 * `redundancy`. */
uint8_t ddf_vd_state_for(unsigned lost, unsigned redundancy);

/* What our vendor section adds to a VD. */
struct ddf_vd_ext {
	bool present;
	struct guid object;	   /* VDS object id */
	char name[DDF_NAME_BYTES]; /* full friendly name, valid UTF-8 */
	uint8_t lun_type;	   /* number of VDS_LUN_TYPE: 10 simple … 29 RAID 60 */
	uint8_t priority;	   /* rebuild priority 0–15 */
	uint32_t flags;		   /* DDF_VDX_… */
	uint64_t hints;		   /* VDS hint bits in force */
	int64_t created_at;	   /* Unix ms */
	unsigned plexes_len;
	struct guid plexes[DDF_MAX_PLEXES]; /* object ids, by plex index */
	/* The shape once more, so that a LUN is known while all drives with its configuration records are
	 * away, and who was last in a slot that the records show as missing. slots_len is the number of
	 * members over all legs, 0 = not recorded. */
	uint32_t conf_seq;	   /* of the configuration records this goes with: newer ones are others' work */
	uint32_t chunk;		   /* bytes, 0 = none */
	uint16_t groups;	   /* as in raid_shape */
	uint64_t size_bytes;	   /* of the LUN */
	unsigned slots_len;	   /* <= DDF_VDX_SLOTS */
	struct ddf_vd_slot {
		uint32_t refnum;   /* DDF_MISSING = nobody known */
		bool current;	   /* its content is the newest there is, wherever the drive is */
		uint64_t lba, blocks; /* sectors: the extent on that drive */
	} slots[DDF_VDX_SLOTS];
	/* Members that are being moved while they serve: where to. At most one for each slot. */
	unsigned twins_len;
	struct ddf_vd_twin {
		uint16_t slot;
		uint32_t refnum;
		uint64_t lba, blocks; /* sectors: the extent on that drive */
	} twins[DDF_VDX_SLOTS];
	/* Unfinished work to be taken up again; job_type 0 = none. The codec only keeps it. */
	uint16_t job_type, job_flags;
	uint32_t job_number;
	uint64_t job_target, job_done; /* bytes */
	int64_t job_started_at;	       /* Unix ms */
};
enum { /* ddf_vd_ext.flags */
	DDF_VDX_ADMIN_OFFLINE = 1,
	DDF_VDX_DEDICATED_SPARE = 2,
	DDF_VDX_AWAITS = 4, /* taken over from somebody else, and members have not been seen yet */
};

struct ddf_vd {
	uint16_t place; /* as in ddf_pd */
	struct ddf_guid guid;
	uint16_t unit, type;
	uint8_t state, init_state;
	char name[17]; /* short form of the friendly name, NUL terminated here */
	struct ddf_vd_ext ext;
};

/* Puts the longest prefix of the UTF-8 name that fits 16 bytes into vd->name (never splits a
 * character) and, when it is present, the full name (cut at DDF_NAME_BYTES) into vd->ext. */
void ddf_vd_set_name(struct ddf_vd *vd, const char *name);

/* ---- configuration records (DDF 1.2, VD configuration record) ------------------------------ */

/* One leg (basic VD) of a virtual disk; stands on each member drive of the leg. */
struct ddf_conf {
	struct ddf_guid vd;
	uint32_t timestamp, seq;
	uint16_t members;    /* of this leg, missing ones included; ≤ DDF_MAX_MEMBERS */
	uint8_t chunk_shift; /* chunk = 512 << shift; 0xFF = none */
	uint8_t prl, rlq, srl;
	uint8_t legs, leg;   /* how many there are, which one this is */
	uint64_t blocks;     /* sectors of each member */
	uint64_t vd_blocks;  /* sectors of the whole VD */
	uint32_t spares[8];  /* reference numbers of dedicated spares, DDF_NONE = none */
	uint8_t cache[8];    /* byte 7: DDF_CACHE_… */
	uint8_t rate;	     /* background rate: 17 · rebuild priority */
	uint8_t v0_v3[96];   /* other makers' bytes 384–479, kept as they are (FF in ours) */
	uint8_t vendor[32];  /* ours: ddf_mark */
	uint32_t refnums[DDF_MAX_MEMBERS]; /* in slot order; DDF_MISSING = member missing */
	uint64_t lbas[DDF_MAX_MEMBERS];	   /* start of each member's extent on its drive */
};
enum { /* ddf_conf.cache[7] */
	DDF_CACHE_WRITE_BACK = 1,
	DDF_CACHE_ADAPTIVE = 2,
	DDF_CACHE_READ_AHEAD = 4,
	DDF_CACHE_ADAPTIVE_READ_AHEAD = 8,
	DDF_CACHE_WB_NO_BATTERY = 16,
	DDF_CACHE_WRITE = 32,
	DDF_CACHE_READ = 64,
};

/* A record with everything that is "none" set so: all FF where DDF says FF, no members. */
void ddf_conf_init(struct ddf_conf *conf);

/*
 * The level of a record in DDF terms. shape->level, members, groups, chunk are used; the conf gets
 * PRL, RLQ, SRL, legs, members per leg and chunk_shift. -EINVAL when DDF cannot express it (chunk
 * not a power of two, or members do not divide into legs).
 */
int ddf_level_encode(const struct raid_shape *shape, struct ddf_conf *conf, struct err *err);

/*
 * The reverse: fills level, members (all legs), groups, chunk, member_size (not span_sizes: each
 * drive's extent ends where the record says, blocks is the smallest one). -ENOTSUP with a sentence
 * for levels and rotations that DDF has and we do not run; -EINVAL for combinations it has not and
 * for what raid_shape_check refuses.
 */
int ddf_level_decode(const struct ddf_conf *conf, struct raid_shape *shape, struct err *err);

/* "RAID 5, rotating parity N, continue": of any record, known or not. Never NULL. */
const char *ddf_level_name(const struct ddf_conf *conf);

/* The 32 vendor bytes of a record. */
struct ddf_mark {
	uint8_t policy; /* DDF_POLICY_… */
	struct guid object; /* VDS object id of the LUN */
	uint8_t lun_type;   /* VDS_LUN_TYPE number */
};
enum { /* ddf_mark.policy */
	DDF_POLICY_WRITE_LOG = 1,
	DDF_POLICY_CHECKSUMMED = 2,
	DDF_POLICY_READ_BACK = 4,
	DDF_POLICY_WRITE_THROUGH = 8,
};
void ddf_mark_encode(const struct ddf_mark *mark, uint8_t vendor[static 32]);
/* False when the bytes are not ours (or of a version we do not know); *mark is zeroed then. */
bool ddf_mark_decode(const uint8_t vendor[static 32], struct ddf_mark *mark);

/* ---- spare assignment ---------------------------------------------------------------------- */

#define DDF_SPARE_MAX_VDS 32
enum { /* ddf_spare.type */
	DDF_SPARE_DEDICATED = 1, /* else global */
	DDF_SPARE_REVERTIBLE = 2,
	DDF_SPARE_ACTIVE = 4,
	DDF_SPARE_AFFINITY = 8,
};
struct ddf_spare {
	bool present;
	uint32_t timestamp;
	uint8_t type;
	unsigned vds_len; /* the VDs it is dedicated to; more than DDF_SPARE_MAX_VDS are dropped */
	struct {
		struct ddf_guid vd;
		uint16_t leg;
	} vds[DDF_SPARE_MAX_VDS];
};

/* ---- the model ----------------------------------------------------------------------------- */

VEC(struct ddf_pd, ddf_pds)
VEC(struct ddf_vd, ddf_vds)
VEC(struct ddf_conf, ddf_confs)

/* The same on all drives of the array. */
struct ddf_set {
	struct ddf_guid container; /* header GUID: identity of the array */
	uint32_t seq;		   /* of the headers; starts at 1 */
	/* The newest number that every drive written to held before this one; 0 = seq - 1, as it is unless
	 * an update was cut short. */
	uint32_t base_seq;
	/* Of our last commit, from the controller data: another than seq = somebody else has written the
	 * metadata since; 0 = we never did. Encoded is seq. */
	uint32_t own_seq;
	uint32_t timestamp;
	struct {
		struct ddf_guid guid;
		uint16_t ids[4];       /* vendor, device, subvendor, subdevice */
		char product[17];
		uint8_t vendor[448];
	} controller;
	struct ddf_pds pds;
	struct ddf_vds vds;
	char name[DDF_NAME_BYTES]; /* full friendly name of the array; "" = none recorded */
	/* Records of the vendor section of types we do not know, kept byte for byte. */
	uint8_t *unknown;
	size_t unknown_len;
};

/* An empty set: seq 0, controller data "LINUXVDS" with its own GUID. */
void ddf_set_init(struct ddf_set *set, const struct ddf_guid *container, struct rng *rng,
	uint32_t timestamp);
void ddf_set_free(struct ddf_set *set);
/* 0 or -ENOMEM. dst must be initialised or zero; what it held is freed. */
int ddf_set_copy(struct ddf_set *dst, const struct ddf_set *src);
/* NULL when there is none. Pointers live until the next push or remove. */
struct ddf_pd *ddf_set_pd(const struct ddf_set *set, const struct ddf_guid *guid);
struct ddf_pd *ddf_set_pd_by_refnum(const struct ddf_set *set, uint32_t refnum);
struct ddf_vd *ddf_set_vd(const struct ddf_set *set, const struct ddf_guid *guid);
/* Appends an entry (zeroed but for guid and a place of its own); NULL when memory is short or
 * 65534 places are taken. */
struct ddf_pd *ddf_set_add_pd(struct ddf_set *set, const struct ddf_guid *guid);
struct ddf_vd *ddf_set_add_vd(struct ddf_set *set, const struct ddf_guid *guid);
void ddf_set_remove_pd(struct ddf_set *set, const struct ddf_guid *guid);
void ddf_set_remove_vd(struct ddf_set *set, const struct ddf_guid *guid);

/* What belongs to one drive. */
struct ddf_drive {
	struct ddf_guid guid;
	uint32_t refnum;
	uint8_t forced_refnum, forced_guid; /* 1, 1 in ours */
	uint8_t vendor[32];
	struct ddf_confs confs; /* one for each leg with a member on this drive */
	struct ddf_spare spare;
};

void ddf_drive_init(struct ddf_drive *drive, const struct ddf_guid *guid, uint32_t refnum);
void ddf_drive_free(struct ddf_drive *drive);
struct ddf_conf *ddf_drive_conf(const struct ddf_drive *drive, const struct ddf_guid *vd);

/* ---- layout -------------------------------------------------------------------------------- */

enum ddf_section_id { /* order of the header's table and of the bytes behind the header */
	DDF_SEC_CONTROLLER,
	DDF_SEC_PDS,
	DDF_SEC_VDS,
	DDF_SEC_CONFS,
	DDF_SEC_DRIVE,
	DDF_SEC_BAD_BLOCKS, /* absent in ours; never interpreted */
	DDF_SEC_DIAGNOSTIC, /* absent in ours; never interpreted */
	DDF_SEC_VENDOR,	    /* ours is recognised by its owner; others' are left alone */
	DDF_SECTIONS
};

struct ddf_section {
	uint32_t offset; /* sectors from the copy's header */
	uint32_t length; /* sectors; 0 = absent */
};

struct ddf_layout {
	uint64_t sectors; /* of the drive */
	uint64_t primary, secondary; /* copies; secondary UINT64_MAX = none */
	uint64_t extents_end;	     /* first sector that no extent may have */
	uint64_t workspace;	     /* first sector of the private area */
	uint32_t workspace_len;
	bool compact;
	char revision[9]; /* "01.02.00" in ours */
	uint16_t max_pds, max_vds, max_confs;
	uint16_t conf_sectors; /* of one configuration record */
	uint16_t mppe;	       /* slots of one configuration record */
	struct ddf_section sections[DDF_SECTIONS];
	uint32_t copy_sectors; /* header and all sections */
};

/*
 * All positions for a drive of ours. -EINVAL below DDF_MIN_DRIVE_BYTES or not whole sectors. A
 * drive's layout is made once; afterwards it is what its anchor says.
 */
int ddf_layout_plan(uint64_t drive_bytes, struct ddf_layout *out, struct err *err);

/*
 * Makes the layout of a drive of somebody else's container into one that has what ours have: a vendor
 * section behind the drive data, and the workspace between the two copies. All other places stay as
 * they are. -ENOTSUP with a sentence when there is no room, or other makers' sections are there.
 */
int ddf_layout_adopt(struct ddf_layout *layout, struct err *err);

/* Bytes that extents can occupy: [DDF_DATA_START, extents_end) in sectors, cut to 1 MiB. */
uint64_t ddf_layout_usable_bytes(const struct ddf_layout *layout);

/* ---- writing ------------------------------------------------------------------------------- */

enum ddf_copy { DDF_ANCHOR, DDF_PRIMARY, DDF_SECONDARY };

/* One header sector. The anchor has no sequence number and no open flag. */
void ddf_encode_header(const struct ddf_set *set, const struct ddf_layout *layout,
	enum ddf_copy copy, bool open, uint8_t out[static DDF_SECTOR]);

/* Bytes of everything behind the header: (copy_sectors - 1) * 512. */
size_t ddf_sections_bytes(const struct ddf_layout *layout);

/*
 * All sections with their CRCs, as they stand behind the header of either copy: out[0] is the
 * sector after the header, so section i begins at (sections[i].offset - 1) * 512. out_len must be
 * ddf_sections_bytes(layout). Sections that are absent in the layout are skipped; bad-block and
 * diagnostic sections of a foreign layout are filled with FF.
 * -ENOSPC: more disks, records or vendor bytes than the layout has room for; -EINVAL: an entry
 * that cannot be read back (two at one place, a reference number of 0 or DDF_NONE for a disk, …).
 */
int ddf_encode_sections(const struct ddf_set *set, const struct ddf_drive *drive,
	const struct ddf_layout *layout, void *out, size_t out_len, struct err *err);

/*
 * Its two halves, for many drives of one layout: the sections that are the same on all of them, and
 * those of one drive (configuration records, drive data). Each leaves the other's bytes alone.
 */
int ddf_encode_shared(const struct ddf_set *set, const struct ddf_layout *layout, void *out,
	size_t out_len, struct err *err);
int ddf_encode_own(const struct ddf_drive *drive, const struct ddf_layout *layout, void *out,
	size_t out_len, struct err *err);
bool ddf_section_is_own(enum ddf_section_id section);

/* ---- reading ------------------------------------------------------------------------------- */

/*
 * From the last sector of a drive of that many sectors. Every position and length in *layout is
 * checked to lie on the drive, in order and within the limits above, so it can be used for
 * reading as it is. -EMEDIUMTYPE: no anchor; -EUCLEAN: its CRC is wrong; -ENOTSUP: a revision,
 * count or size outside of the limits.
 */
int ddf_anchor_decode(const uint8_t sector[static DDF_SECTOR], uint64_t drive_sectors,
	struct ddf_layout *layout, struct ddf_guid *container, struct err *err);

/*
 * The same from a copy's header, for a drive whose anchor is damaged or cannot be read: the sector
 * that stands at `at`, where ddf_layout_plan puts a copy. -EUCLEAN when the header does not say that
 * it belongs there; otherwise as ddf_anchor_decode.
 */
int ddf_anchor_from_copy(const uint8_t sector[static DDF_SECTOR], uint64_t drive_sectors, uint64_t at,
	struct ddf_layout *layout, struct ddf_guid *container, struct err *err);

enum ddf_verdict {
	DDF_GOOD,
	DDF_ABSENT,  /* not in the layout, or the copy could not be read */
	DDF_DAMAGED, /* magic, CRC or content wrong */
};

/* What was found in one copy, or taken from both. */
struct ddf_image {
	struct ddf_set set;
	struct ddf_drive drive;
	bool open;		 /* the header says an update was under way */
	enum ddf_verdict header;
	enum ddf_verdict sections[DDF_SECTIONS];
	unsigned lost_confs;	 /* configuration records with a wrong CRC or content */
	unsigned unknown_confs;  /* records of other makers, or beyond the limits; skipped */
	bool foreign_vendor;	 /* the vendor section is another maker's, or of a later version:
				    do not write it */
	enum ddf_copy source;	 /* ddf_load: the copy the header was taken from */
	bool mixed;		 /* ddf_load: some sections came from the other copy */
	bool repair;		 /* ddf_load: a copy is missing, damaged, open or behind: rewrite both */
	char note[256];		 /* ddf_load: what was wrong, one sentence; "" = nothing */
};
void ddf_image_free(struct ddf_image *image);

/*
 * One whole copy: copy_sectors * 512 bytes, header first; fewer bytes are a truncated copy, whose
 * missing sections are damaged. Returns 0 when the header is good (look at the verdicts then),
 * -EUCLEAN when it is not or contradicts the anchor, -ENOMEM. *image needs ddf_image_free after 0.
 */
int ddf_decode_copy(const void *bytes, size_t len, const struct ddf_layout *layout,
	const struct ddf_guid *container, enum ddf_copy copy, struct ddf_image *image,
	struct err *err);

/*
 * The drive's state from both copies (NULL or short = could not be read). A copy is whole when it
 * is closed and every section of it that the layout has is good.
 *  - Both whole: the primary, unless the secondary has a higher sequence number.
 *  - One whole: that one.
 *  - Neither, with equal sequence numbers: sections are taken from wherever they are good.
 *  - Otherwise the better one alone (closed before open, then higher sequence number).
 * 0: at least physical, virtual and drive sections are good; lost configuration records and a
 * damaged vendor section only show in the image. -EUCLEAN with a sentence naming copy and section
 * otherwise.
 */
int ddf_load(const void *primary, size_t primary_len, const void *secondary, size_t secondary_len,
	const struct ddf_layout *layout, const struct ddf_guid *container, struct ddf_image *image,
	struct err *err);

/* ---- CRC ----------------------------------------------------------------------------------- */

/* CRC of a structure whose 4 CRC bytes at offset 4 count as FF; len ≥ 8. */
uint32_t ddf_crc(const void *bytes, size_t len);

#endif
