/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The array engine: drives hold extents, extents form LUNs.
 *
 * One eng_array is one subsystem. All of it lives on one loop (its worker): every function here
 * is called on that loop, and those marked (task) inside a task, because they wait for drives.
 * Other threads enter through task_call. Between two waits a caller sees one consistent state, so
 * a check and the act that depends on it belong into the same stretch.
 *
 * The truth is on the drives (DDF 1.2 metadata plus a private area in its workspace); what is kept
 * in memory is a model of it that is changed only together with the drives (eng_meta_commit). A
 * state is never stored: eng_drive_state and eng_lun_health derive it from facts.
 *
 * Errors: negative errno with one meaning each, so that a provider can translate by table:
 *   -EINVAL      an argument is wrong in itself
 *   -ENOENT      an id names no object (of this array)
 *   -ESTALE      the object addressed is gone
 *   -EHOSTDOWN   the object has failed and cannot do this
 *   -EBUSY       an unfinished operation on it excludes this one
 *   -ENOTSUP     the array does not offer it, or not in this combination
 *   -EPERM       it would make data inaccessible
 *   -ENOSPC      not enough free space
 *   -ENOMEDIUM   not enough free drives (or spares)
 *   -ECANCELED   cancelled
 *   -EIO and others: what the drives said
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/guid.h"
#include "base/rng.h"
#include "blk/blk.h"

struct eng_array;
struct eng_job;

#define ENG_MAX_MEMBERS 64
#define ENG_NAME_BYTES  256 /* UTF-8 with NUL: 63 UTF-16 units always fit */

/* ---- what the engine asks of its owner ---------------------------------------------------- */

enum eng_event_kind {
	ENG_EVENT_ARRAY_MODIFY,
	ENG_EVENT_DRIVE_ARRIVE,
	ENG_EVENT_DRIVE_DEPART,
	ENG_EVENT_DRIVE_MODIFY,
	ENG_EVENT_DRIVE_REMOVED, /* left its RAID groups: offline, failed, or pulled */
	ENG_EVENT_LUN_ARRIVE,
	ENG_EVENT_LUN_DEPART,
	ENG_EVENT_LUN_MODIFY,
};

struct eng_event {
	enum eng_event_kind kind;
	struct guid id; /* of the drive, LUN or array */
};

enum eng_job_type {
	ENG_JOB_RECOVER, /* also what the array begins by itself */
	ENG_JOB_EXTEND,
	ENG_JOB_SHRINK,
	ENG_JOB_ADD_PLEX,
	ENG_JOB_REMOVE_PLEX,
	ENG_JOB_REPLACE, /* a drive by another; no async object of its own in VDS */
};

struct eng_host {
	void *ctx;
	/* Opens the drive behind a bay's path. NULL: files and block devices (blk_file_open). (task) */
	int (*open)(void *ctx, struct loop *loop, const char *path, struct blk_dev **out,
		struct err *err);
	/* One group of events, after the state they tell of can be queried. Must not wait. */
	void (*events)(void *ctx, struct eng_array *array, const struct eng_event *list, unsigned count);
	/* A number for a new job; for one taken up after a restart (resumed) the one it had. */
	uint32_t (*job_number)(void *ctx, enum eng_job_type type, const struct guid *object, bool resumed);
	/* The job's progress, state or result changed (eng_job_info tells). Must not wait. */
	void (*job_changed)(void *ctx, struct eng_job *job);
	/* The metadata on the drives has reached this sequence number; keep it, so that drives left
	 * behind are recognised even when they come alone. Must not wait. */
	void (*seq_reached)(void *ctx, struct eng_array *array, uint32_t seq);
	/* (task) A named point was reached; may wait there. NULL: none ever does. */
	void (*point)(void *ctx, const char *name, const struct guid *object);
};

/* ---- arrays ------------------------------------------------------------------------------- */

struct eng_settings {
	bool auto_recovery;        /* default true */
	uint64_t spare_delay_ms;   /* for pulled drives; default 10000 */
	uint64_t rebuild_rate;     /* bytes per second for each LUN, 0 = no ceiling */
};

/* A place in the enclosure and what is in it. */
struct eng_bay {
	int16_t bus, slot;
	const char *path;       /* NULL or "": the bay is known, its drive is out */
	struct guid drive;      /* the drive last seen here, zero = none */
	bool gone;              /* held out on purpose (fault GONE): do not open the path */
	bool departed;          /* its loss was already let go: not enumerated until it returns */
	int64_t lost_at;        /* wall clock ms when the loss was noticed, 0 = unknown */
};

struct eng_array_config {
	struct loop *loop;
	struct rng *rng;            /* for new identities */
	struct eng_host host;
	struct eng_settings settings;
	uint8_t container_guid[24]; /* DDF identity; all zero: take it from the drives */
	const char *name;           /* used when the drives have none */
	uint32_t known_seq;         /* what seq_reached last told, 0 = unknown */
	bool hold_recovery;
};

/*
 * (task) Makes the model of an array from the drives in its bays and takes it into service:
 * picks the newest metadata, opens LUNs, resynchronises what an unclean end left open, and (unless
 * held) continues interrupted recoveries. No drive at all is fine: an empty array.
 * A drive that cannot be used (foreign, damaged, a clone, cut short) is listed with a note and never
 * written to. Fails only when nothing can be decided: -ENOMEM, or -EUCLEAN with a sentence when
 * drives contradict each other at the same sequence number.
 */
int eng_array_open(const struct eng_array_config *config, const struct eng_bay *bays, unsigned bays_len,
	struct eng_array **out, struct err *err);

/* A new container GUID (24 bytes, DDF 1.2 form) for a new array. */
void eng_container_guid(struct rng *rng, int64_t wall_ms, uint8_t out[24]);

/* The VDS object id that a DDF GUID stands for. */
struct guid eng_id_from_ddf(const uint8_t ddf_guid[24]);

/* (task) Checkpoints recoveries, settles bitmaps, marks the drives clean, closes them, frees. */
void eng_array_close(struct eng_array *array);

struct eng_array_info {
	struct guid id;
	uint8_t container_guid[24];
	char name[ENG_NAME_BYTES];
	uint32_t seq;
	unsigned drives, luns;
	unsigned waiting;  /* drives of somebody else's array that wait for others of it: nothing is written */
	bool degraded;     /* a drive that should be there is failed, offline or out */
	bool offline;      /* eng_array_set_offline */
	char note[320];    /* why something is wrong with the whole array, "" = nothing */
};
void eng_array_info(const struct eng_array *array, struct eng_array_info *out);
struct loop *eng_array_loop(const struct eng_array *array);

int eng_array_set_name(struct eng_array *array, const char *name, struct err *err); /* (task) */
void eng_array_set_settings(struct eng_array *array, const struct eng_settings *settings);
/* Holds or releases background recovery. Running jobs are checkpointed and become interrupted. (task) */
void eng_array_hold_recovery(struct eng_array *array, bool hold);
/* (task) Flushes everything; then LUNs answer -ESHUTDOWN until taken online again. Not kept. */
int eng_array_set_offline(struct eng_array *array, bool offline, struct err *err);
/* (task) Every acknowledged write is stable on every live member afterwards. */
int eng_array_flush(struct eng_array *array, struct err *err);

/*
 * (task) Looks at all bays again: probes every drive (a real read of its metadata), notices losses,
 * opens drives that came back or are new (bays not known yet are added), and lets go those still
 * out: DRIVE_DEPART. Events for every difference.
 */
int eng_array_rescan(struct eng_array *array, const struct eng_bay *bays, unsigned bays_len,
	struct err *err);

/* ---- drives ------------------------------------------------------------------------------- */

enum eng_drive_state {
	ENG_DRIVE_ONLINE,
	ENG_DRIVE_OFFLINE,   /* withdrawn by eng_drive_set_offline */
	ENG_DRIVE_NOT_READY, /* does not answer at the moment */
	ENG_DRIVE_FAILED,
	ENG_DRIVE_REMOVED,   /* out of its bay, not let go yet */
	ENG_DRIVE_FOREIGN,   /* present, but not ours to use: see note */
};

struct eng_drive_info {
	struct guid id;
	enum eng_drive_state state;
	bool predicted;          /* failure predicted */
	bool assigned;           /* an extent belongs to a LUN */
	bool spare;              /* waiting, or standing in */
	bool spare_in_use;
	uint64_t size_bytes;     /* of the whole drive */
	uint64_t usable_bytes, free_bytes, largest_free_bytes;
	int16_t bus, slot;
	char path[1024];
	int64_t lost_at;
	uint64_t read_errors, read_errors_repaired, write_errors, timeouts;
	bool rotational;
	char serial[40];
	char note[320];
};

/* Makes a sparse file of that size for a drive to live in; it must not exist (-EEXIST). Any thread. */
int eng_create_drive_file(const char *path, uint64_t size_bytes, struct err *err);

/* Ids of all enumerated drives in slot order; *ids is malloc'd. */
int eng_drive_list(const struct eng_array *array, struct guid **ids, unsigned *count);
/* -ENOENT for an unknown (or departed) drive. */
int eng_drive_info(const struct eng_array *array, const struct guid *id, struct eng_drive_info *out);
/* Zero id when the place is empty: -ENOENT. */
int eng_drive_at(const struct eng_array *array, int16_t bus, int16_t slot, struct guid *id);

struct eng_extent {
	struct guid drive, lun;  /* lun zero: free */
	uint64_t offset, size;   /* bytes on the drive */
};
/* All extents of a drive, used and free, in order; neighbouring free ones are merged. malloc'd. */
int eng_drive_extents(const struct eng_array *array, const struct guid *id, struct eng_extent **out,
	unsigned *count);

/*
 * (task) A drive was put into a bay. Blank: it is given metadata. Ours: it returns as what it was
 * (stale members catch up). Anything else: -EMEDIUMTYPE with a sentence, nothing written.
 */
int eng_drive_add(struct eng_array *array, const struct eng_bay *bay, struct guid *id, struct err *err);
/* (task) Takes the drive and its bay out of the model: as pulled and departed at once. */
int eng_drive_forget(struct eng_array *array, const struct guid *id, struct err *err);
/* (task) The drive was pulled: its loss is noticed now. Idempotent. */
int eng_drive_pull(struct eng_array *array, const struct guid *id, struct err *err);
/* (task) A pulled or departed drive is back in its bay: opens it and brings it in. */
int eng_drive_insert(struct eng_array *array, const struct eng_bay *bay, struct err *err);
/* (task) Declares it broken, or mended: a mended one returns with stale members. */
int eng_drive_set_failed(struct eng_array *array, const struct guid *id, bool failed, struct err *err);
int eng_drive_set_predicted(struct eng_array *array, const struct guid *id, bool predicted,
	struct err *err); /* (task) */
/* (task) hardware.md 6.4. -EPERM: data would become inaccessible; -EBUSY: a rebuild reads from or
 * writes to it; -EHOSTDOWN: failed (or, going online, it does not answer: then it is FAILED). */
int eng_drive_set_offline(struct eng_array *array, const struct guid *id, bool offline,
	struct err *err);
/* (task) -ENOTSUP: assigned, or not online; -EHOSTDOWN: failed. Taking the mark from a spare in use:
 * -ENOTSUP. */
int eng_drive_set_spare(struct eng_array *array, const struct guid *id, bool spare, struct err *err);
/* (task) Really reads the drive's metadata. */
int eng_drive_ping(struct eng_array *array, const struct guid *id, struct err *err);
/* (task) Puts newid in the place of oldid in every LUN; returns when that has been started. */
int eng_drive_replace(struct eng_array *array, const struct guid *oldid, const struct guid *newid,
	struct err *err);
/* True while a rebuild, replacement or resize reads from or writes to the drive. */
bool eng_drive_busy(const struct eng_array *array, const struct guid *id);

/* Fault hooks on the drive's device: see blk_fault_add. They last until cleared or closed. */
int eng_drive_fault_add(struct eng_array *array, const struct guid *id, enum blk_fault_kind kind,
	uint64_t offset, uint64_t length);
int eng_drive_fault_clear(struct eng_array *array, const struct guid *id, enum blk_fault_kind kind);
/* Calls fn for the read-error ranges still in force (they mend by being rewritten). */
int eng_drive_fault_for_each(struct eng_array *array, const struct guid *id,
	void (*fn)(void *ctx, enum blk_fault_kind kind, uint64_t offset, uint64_t length), void *ctx);
/* (task) Flips every bit of a byte range on the medium, behind the array's back. */
int eng_drive_fault_corrupt(struct eng_array *array, const struct guid *id, uint64_t offset,
	uint64_t length);

/* ---- LUNs --------------------------------------------------------------------------------- */

enum eng_lun_type { /* raid.h has the layouts; PARITY is RAID 5 under its old name */
	ENG_LUN_SIMPLE,
	ENG_LUN_SPAN,
	ENG_LUN_STRIPE,
	ENG_LUN_MIRROR,
	ENG_LUN_PARITY,
	ENG_LUN_RAID5,
	ENG_LUN_RAID6,
	ENG_LUN_RAID10,
	ENG_LUN_RAID50,
	ENG_LUN_RAID60,
};

enum eng_lun_health {
	ENG_LUN_HEALTHY,
	ENG_LUN_REBUILDING,
	ENG_LUN_FAILING,                   /* predicted failure, no redundancy by type */
	ENG_LUN_FAILING_REDUNDANCY,
	ENG_LUN_FAILED_REDUNDANCY,
	ENG_LUN_FAILED_REDUNDANCY_FAILING,
	ENG_LUN_FAILED,                    /* status FAILED as well */
};

enum eng_transition {
	ENG_TRANSITION_STABLE,
	ENG_TRANSITION_EXTENDING,
	ENG_TRANSITION_SHRINKING,
	ENG_TRANSITION_RECONFIGING,
	ENG_TRANSITION_RESTRIPING,
};

enum { /* eng_lun_params.policy, kept on the drives */
	ENG_POLICY_WRITE_THROUGH = 1,
	ENG_POLICY_READ_BACK = 2,
	ENG_POLICY_DEDICATED_SPARE = 4,
};

struct eng_lun_params {
	enum eng_lun_type type;
	uint64_t size_bytes;      /* 0 = as large as possible */
	const struct guid *drives;/* one member each, in order (SPAN: filled one after the other) */
	unsigned drives_len;      /* 0 = the engine picks */
	unsigned max_drives;      /* when it picks; 0 = no wish */
	uint32_t chunk;           /* 0 = default */
	const char *name;         /* NULL = none */
	int rebuild_priority;     /* 0–15, -1 = default (8) */
	unsigned policy;
};

/* (task) Instant at any size. The LUN reads as zeros. */
int eng_lun_create(struct eng_array *array, const struct eng_lun_params *params, struct guid *id,
	struct err *err);
/* The largest size that the same arguments would give (size_bytes is ignored). */
int eng_lun_max_size(const struct eng_array *array, const struct eng_lun_params *params,
	uint64_t *size_bytes, struct err *err);
/* The type an automatic choice comes to: fault_tolerant 1, 0, or -1 = default; mostly_reads and
 * plain (only the types of plain CreateLun) as hints. -ENOTSUP when no type fits the free drives. */
int eng_lun_choose_type(const struct eng_array *array, int fault_tolerant, bool mostly_reads,
	bool plain, unsigned max_drives, enum eng_lun_type *type);
/* (task) Clears 1 MB at both ends, then frees the extents. -EBUSY while a job runs on it. */
int eng_lun_delete(struct eng_array *array, const struct guid *id, struct err *err);

struct eng_lun_info {
	struct guid id;
	char name[ENG_NAME_BYTES];
	enum eng_lun_type type;
	enum eng_lun_health health;
	enum eng_transition transition;
	bool offline;             /* withdrawn by eng_lun_set_offline (kept) or with the array */
	uint64_t size_bytes;
	uint32_t chunk;
	unsigned members, plexes, redundancy;
	int rebuild_priority;
	unsigned policy;
	uint64_t dirty_bytes, lost_bytes;
	int64_t created_at;
	bool busy;                /* a job other than an interrupted, held one is on it */
	struct eng_job *job;      /* that job, or the held one; NULL = none. No reference */
};
int eng_lun_list(const struct eng_array *array, struct guid **ids, unsigned *count);
int eng_lun_info(const struct eng_array *array, const struct guid *id, struct eng_lun_info *out);

enum eng_member_state { ENG_MEMBER_IN_SYNC, ENG_MEMBER_REBUILDING, ENG_MEMBER_STALE, ENG_MEMBER_MISSING };

struct eng_member_info {
	unsigned slot;
	unsigned plex;            /* index of the plex it belongs to */
	struct guid drive;        /* zero = none */
	enum eng_member_state state;
	uint64_t offset, size, rebuilt;
};
int eng_lun_members(const struct eng_array *array, const struct guid *id, struct eng_member_info *out,
	unsigned cap, unsigned *count);

/* Plexes: n for MIRROR (each SIMPLE), else one. */
struct eng_plex_info {
	struct guid id, lun;
	unsigned index;
	enum eng_lun_type type;   /* never MIRROR */
	enum eng_lun_health health;
	uint64_t size_bytes;
	uint32_t chunk;
};
int eng_plex_info(const struct eng_array *array, const struct guid *lun, unsigned index,
	struct eng_plex_info *out);
int eng_plex_find(const struct eng_array *array, const struct guid *plex, struct guid *lun,
	unsigned *index);

int eng_lun_set_name(struct eng_array *array, const struct guid *id, const char *name,
	struct err *err); /* (task) */
int eng_lun_set_priority(struct eng_array *array, const struct guid *id, int priority,
	struct err *err); /* (task) */
int eng_lun_set_policy(struct eng_array *array, const struct guid *id, unsigned policy,
	struct err *err); /* (task) */
/* (task) Flushes, then refuses I/O with -ESHUTDOWN; kept on the drives. */
int eng_lun_set_offline(struct eng_array *array, const struct guid *id, bool offline,
	struct err *err);
/* Declares the LUN failed until cleared (fault hook; not kept). */
int eng_lun_set_failed(struct eng_array *array, const struct guid *id, bool failed);

/* (task) Any alignment. -ENXIO beyond the end, -ESHUTDOWN offline, -EIO failed or lost. */
int eng_lun_read(struct eng_array *array, const struct guid *id, uint64_t offset, void *buf,
	size_t length);
int eng_lun_write(struct eng_array *array, const struct guid *id, uint64_t offset, const void *buf,
	size_t length);
int eng_lun_flush(struct eng_array *array, const struct guid *id);
/* The LUN as a block device for exports; lives as long as the LUN. NULL when unknown. */
struct blk_dev *eng_lun_dev(struct eng_array *array, const struct guid *id);

/* Long work: each returns at once with a running job (one reference is the caller's). (task) */
int eng_lun_recover(struct eng_array *array, const struct guid *id, struct eng_job **job,
	struct err *err);
int eng_lun_extend(struct eng_array *array, const struct guid *id, uint64_t bytes,
	const struct guid *drives, unsigned drives_len, struct eng_job **job, struct err *err);
int eng_lun_max_extend(const struct eng_array *array, const struct guid *id, const struct guid *drives,
	unsigned drives_len, uint64_t *bytes);
int eng_lun_shrink(struct eng_array *array, const struct guid *id, uint64_t bytes,
	struct eng_job **job, struct err *err);
/* source stops being a LUN. -ENOTSUP (INV): too small, the same, not SIMPLE or MIRROR, … */
int eng_lun_add_plex(struct eng_array *array, const struct guid *id, const struct guid *source,
	struct eng_job **job, struct err *err);
int eng_lun_remove_plex(struct eng_array *array, const struct guid *id, const struct guid *plex,
	struct eng_job **job, struct err *err);

/* ---- jobs --------------------------------------------------------------------------------- */

enum eng_job_state {
	ENG_JOB_RUNNING,
	ENG_JOB_INTERRUPTED, /* held, or waiting for a restart to continue it */
	ENG_JOB_DONE,
	ENG_JOB_FAILED,
	ENG_JOB_CANCELED,
};

struct eng_job_info {
	uint32_t number;
	enum eng_job_type type;
	enum eng_job_state state;
	struct guid object;      /* LUN (or drive for REPLACE) */
	int result;              /* negative errno when failed or cancelled */
	char message[400];       /* the sentence that goes with result */
	unsigned percent;        /* never falls; 100 only when DONE */
	uint64_t done_bytes, total_bytes;
	bool automatic, cancelable;
	int64_t started_at, ended_at;
};
void eng_job_info(const struct eng_job *job, struct eng_job_info *out);
struct eng_job *eng_job_ref(struct eng_job *job);
void eng_job_unref(struct eng_job *job);
/* Asks the job to stop. 0, -EALREADY (asked before), -ETIME (it has ended), -ENOTSUP. */
int eng_job_cancel(struct eng_job *job);
/* (task) Until it is DONE, FAILED or CANCELED (or INTERRUPTED, when held). */
void eng_job_wait(struct eng_job *job);
/* The owner's pointer; the engine only keeps it. */
void eng_job_set_user(struct eng_job *job, void *user);
void *eng_job_user(const struct eng_job *job);

#endif
