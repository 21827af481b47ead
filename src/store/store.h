/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: what is kept that is not on a drive.
 *
 * A store is a folder with a lock file ("lock"), a SQLite database ("store.db") and, usually, the
 * file drives of its simulated enclosures. The store knows no RAID, no COM and no LUNs: it keeps
 * facts by 16-byte ids and by numbers whose meaning its callers choose.
 *
 * Invariants
 *  - One process at a time, and in it one struct sto, has a store open (see sto_open).
 *  - Every function is atomic and durable: when it returns 0 the new facts survive a killed process
 *    and a cut of power; when it fails, or the process dies in it, the old ones stand. Several
 *    changes become one between sto_begin and sto_commit.
 *  - A number, once issued, names the same object for ever; it is never given to another.
 *  - What a maintenance operation does now is computed from its recorded begin and the clock by one
 *    function; no timer runs, and it goes on while nobody has the store open.
 *  - Faults exist only in a store that was made with faults allowed.
 *
 * Threads: every function may be called from any thread. All are short, but those that change
 * something wait for the disk (one flush), so they don't belong on a loop that serves I/O.
 *
 * Errors: 0 or a negative errno, and a sentence in *err (which may be NULL). Besides those named
 * at a function, every one can give
 *   -ENOMEM     no memory
 *   -ENOSPC     the file system of the store is full; nothing was changed
 *   -EIO        reading or writing the database failed (also other errnos of the file system)
 *   -EUCLEAN    the database is damaged; see STO_OPEN_REBUILD
 *   -EROFS      the store cannot be written to
 *   -ECANCELED  the open transaction was already undone by an earlier error of these kinds
 *
 * Lists come out as vectors (base/vec.h): the function empties *out first, the caller releases it
 * with NAME_free; on failure it is left empty.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/guid.h"
#include "base/vec.h"

struct sto;

#define STO_PATH_BYTES 1024 /* with NUL */
#define STO_NAME_BYTES 256  /* UTF-8 with NUL */
#define STO_KEY_BYTES  64

/* ---- the store itself --------------------------------------------------------------------- */

enum {
	STO_OPEN_CREATE = 1,  /* make the folder (mode 0700) and the store in it, if there is none */
	STO_OPEN_REBUILD = 2, /* if the database is damaged: set it aside as store.db.damaged-N and begin
			       * a new one. The identity of the store, its numbers and its bays are taken over
			       * as far as the old one can still be read. */
};

/*
 * Opens the store in dir. clock must outlive it; it dates what is recorded.
 *   -ENOENT      dir holds no store (and STO_OPEN_CREATE is not given); nothing is made or touched
 *   -EBUSY       it is in use: "The store /x is in use by process 1234."
 *   -EUCLEAN     the database is damaged (and STO_OPEN_REBUILD is not given); says what to do
 *   -ENOTSUP     a newer version of this program wrote it
 *   -EACCES, -ENOTDIR, -ENAMETOOLONG …
 * Jobs that were RUNNING when the last process ended (however) are INTERRUPTED afterwards.
 * The lock is an open-file-description lock: a child made by fork without exec shares it until it
 * exits or calls exec.
 */
int sto_open(const char *dir, unsigned flags, const struct clock *clock, struct sto **out,
	struct err *err);

/* Undoes an open transaction, releases the lock. NULL is allowed. Nobody may be using it. */
void sto_close(struct sto *sto);

/* The folder, absolute and without symbolic links; lives as long as sto. */
const char *sto_dir(const struct sto *sto);
/* The identity of the store, made with it. */
struct guid sto_id(const struct sto *sto);
/* True when an unreadable database was set aside by this sto_open. */
bool sto_rebuilt(const struct sto *sto);

bool sto_faults_allowed(struct sto *sto);
/* Makes this a store for faults on purpose. -EPERM as soon as it has a subsystem. There is no way
 * back. Repeating it where faults are allowed is fine at any time. */
int sto_allow_faults(struct sto *sto, struct err *err);

/*
 * Groups the changes that follow, by this thread, until sto_commit or sto_rollback: all are made or
 * none. Other threads wait meanwhile, so keep it short. May be nested; an inner rollback undoes
 * only the inner changes. After a failed sto_commit nothing of the group has happened (no rollback
 * is due).
 */
int sto_begin(struct sto *sto, struct err *err);
int sto_commit(struct sto *sto, struct err *err);
void sto_rollback(struct sto *sto);

/* ---- subsystems and their bays ------------------------------------------------------------ */

struct sto_subsystem {
	struct guid id;
	char name[STO_NAME_BYTES];
	char folder[STO_PATH_BYTES]; /* for its file drives; absolute when it comes out. "" = none */
	uint8_t container[24];       /* what the array calls itself on its drives; zero = unknown yet */
	uint32_t seq;                /* newest metadata sequence number seen, 0 = unknown */
	int64_t created_ms;          /* wall clock; 0 on the way in = now */
};
VEC(struct sto_subsystem, sto_subsystem_vec)

/* -EEXIST: the id is known. folder: absolute, or relative to the store. */
int sto_subsystem_add(struct sto *sto, const struct sto_subsystem *s, struct err *err);
/* Forgets it with its bays. Numbers, faults and attributes: sto_object_forget. -ENOENT. */
int sto_subsystem_remove(struct sto *sto, const struct guid *id, struct err *err);
int sto_subsystem_get(struct sto *sto, const struct guid *id, struct sto_subsystem *out,
	struct err *err);
/* In the order of creation. */
int sto_subsystem_list(struct sto *sto, struct sto_subsystem_vec *out, struct err *err);
int sto_subsystem_set_name(struct sto *sto, const struct guid *id, const char *name,
	struct err *err);
int sto_subsystem_set_container(struct sto *sto, const struct guid *id,
	const uint8_t container[24], struct err *err);
/* Keeps the greater of seq and what is known. */
int sto_subsystem_set_seq(struct sto *sto, const struct guid *id, uint32_t seq, struct err *err);

struct sto_bay {
	struct guid subsystem;
	int16_t bus, slot;
	char path[STO_PATH_BYTES]; /* of the file or device. In: absolute, or relative to the store; out:
				    * absolute. Kept relative when it lies inside the store, so that the
				    * folder can be moved. */
	struct guid drive;         /* last seen here, zero = none yet */
	bool pulled;               /* out only: fault GONE is set on that drive */
	bool departed;             /* its loss was let go: not enumerated until it returns */
	int64_t lost_ms;           /* wall clock when its loss was noticed, 0 = it is there */
};
VEC(struct sto_bay, sto_bay_vec)

/* -ENOENT: no such subsystem; -EEXIST: the slot is taken, or the path is in another bay (of any
 * subsystem), with a sentence that says where; -EINVAL: bus or slot negative, empty path. */
int sto_bay_add(struct sto *sto, const struct sto_bay *bay, struct err *err);
int sto_bay_remove(struct sto *sto, const struct guid *subsystem, int16_t bus, int16_t slot,
	struct err *err);
/* Bays of all subsystems in which no drive is: left by an addition that was cut short, or by a drive
 * that was put elsewhere. They keep slot and path until they are forgotten. */
int sto_bays_forget_empty(struct sto *sto, struct err *err);
int sto_bay_get(struct sto *sto, const struct guid *subsystem, int16_t bus, int16_t slot,
	struct sto_bay *out, struct err *err);
/* The bay where the drive was last seen. -ENOENT. */
int sto_bay_find(struct sto *sto, const struct guid *drive, struct sto_bay *out, struct err *err);
/* By bus, then slot. */
int sto_bay_list(struct sto *sto, const struct guid *subsystem, struct sto_bay_vec *out,
	struct err *err);
/* The lowest free slot of bus 0. -ENOSPC when all 32768 are taken. */
int sto_bay_free_slot(struct sto *sto, const struct guid *subsystem, int16_t *bus, int16_t *slot,
	struct err *err);
/* The drive seen in a bay. It is taken out of whatever other bay had it, since a drive is in one
 * place. Zero: none. */
int sto_bay_set_drive(struct sto *sto, const struct guid *subsystem, int16_t bus, int16_t slot,
	const struct guid *drive, struct err *err);
/* What is known of its absence: lost_ms 0 and departed false = it is there. */
int sto_bay_set_lost(struct sto *sto, const struct guid *subsystem, int16_t bus, int16_t slot,
	int64_t lost_ms, bool departed, struct err *err);
/* Another file or device in the same bay. -EEXIST as sto_bay_add. */
int sto_bay_set_path(struct sto *sto, const struct guid *subsystem, int16_t bus, int16_t slot,
	const char *path, struct err *err);

/* ---- numbers and attributes of objects ---------------------------------------------------- */

struct sto_numbered {
	uint32_t number;
	struct guid id;
};
VEC(struct sto_numbered, sto_numbered_vec)
VEC(struct guid, sto_guid_vec)

/* The number of an object: issued at the first call, from 0 up for each kind, and the same ever
 * after. An object that was retired and came back has its old number. -EOVERFLOW after 2^32. */
int sto_number(struct sto *sto, int kind, const struct guid *id, uint32_t *number, struct err *err);
/* The object behind a number. -ENOENT: never issued, or retired. */
int sto_number_find(struct sto *sto, int kind, uint32_t number, struct guid *id, struct err *err);
/* The object is gone; its number stays used. Without a number: nothing to do, 0. */
int sto_number_retire(struct sto *sto, int kind, const struct guid *id, struct err *err);
/* Those in use, by number. */
int sto_number_list(struct sto *sto, int kind, struct sto_numbered_vec *out, struct err *err);

/*
 * Attributes: bytes under (object, key), for what other modules keep by id: masks, targets,
 * secrets, mounts. Keys are plain words of 1..63 bytes, "module.noun". At most 1 MB each.
 */
/* bytes NULL removes it. -EINVAL: bad key; -EFBIG. */
int sto_attr_set(struct sto *sto, const struct guid *id, const char *key, const void *bytes,
	size_t len, struct err *err);
/* *bytes is malloc'd, with a NUL after its len bytes (len may be NULL). -ENOENT. */
int sto_attr_get(struct sto *sto, const struct guid *id, const char *key, void **bytes,
	size_t *len, struct err *err);
int sto_attr_set_text(struct sto *sto, const struct guid *id, const char *key, const char *text,
	struct err *err);
/* *text is malloc'd. -ENOENT. */
int sto_attr_get_text(struct sto *sto, const struct guid *id, const char *key, char **text,
	struct err *err);
int sto_attr_set_u64(struct sto *sto, const struct guid *id, const char *key, uint64_t value,
	struct err *err);
/* -ENOENT; -EINVAL: it was not set by sto_attr_set_u64. */
int sto_attr_get_u64(struct sto *sto, const struct guid *id, const char *key, uint64_t *value,
	struct err *err);
/* Ids of the objects that have this attribute, in the order in which they were given it first. */
int sto_attr_objects(struct sto *sto, const char *key, struct sto_guid_vec *out, struct err *err);

struct sto_key {
	char text[STO_KEY_BYTES];
};
VEC(struct sto_key, sto_key_vec)
/* The keys of an object, sorted. */
int sto_attr_keys(struct sto *sto, const struct guid *id, struct sto_key_vec *out,
	struct err *err);

/* An object is gone for good: its attributes, faults and maintenance (with its log) go, its number
 * under this kind is retired. */
int sto_object_forget(struct sto *sto, int kind, const struct guid *id, struct err *err);

/* ---- maintenance: lights, alarm, spindle (hardware.md section 10) ------------------------- */

enum sto_maint_op {
	STO_MAINT_BLINK = 1,
	STO_MAINT_BEEP = 2,
	STO_MAINT_SPIN_DOWN = 3,
	STO_MAINT_SPIN_UP = 4,
	STO_MAINT_PING = 5,
};

#define STO_MAINT_OPS 5
#define STO_MAINT_BIT(op) (1u << (op))

enum sto_maint_mode {
	STO_MAINT_IDLE = 0,
	STO_MAINT_RUNNING = 1, /* without end */
	STO_MAINT_PULSING = 2, /* pulses_left more */
};

struct sto_maint_state {
	enum sto_maint_mode mode;
	uint32_t pulses_left; /* not ended yet, the one under way included; 0 unless PULSING */
	uint32_t pulses_done; /* of the latest Pulse since the latest Start; stays when it becomes idle */
	uint32_t interval_ms; /* one half of a pulse: on, then off as long */
	bool on;              /* this half */
	int64_t started_ms;   /* when it last went from idle to running, 0 = never */
	int64_t next_edge_ms; /* wall clock of the next change of on or mode, 0 = idle */
};

/*
 * For each (object, op) the machine of hardware.md 10.4. op is an int because it comes from
 * outside: -EINVAL unless it is 1..5. Whether the object offers the operation is the caller's to check.
 *
 *            start               stop                 pulse(n >= 1)
 *  idle      -> running          was idle, no change  was idle, no change
 *  running   no change           -> idle at once      -> pulsing(n)
 *  pulsing   -> running          -> idle at once      -> pulsing(n), from the beginning
 *
 * and pulsing becomes idle when its n pulses of 2 * interval are over. Starting SPIN_UP ends
 * SPIN_DOWN and the reverse. A clock that was set back makes the current pulse last longer, no
 * more.
 */
int sto_maint_start(struct sto *sto, const struct guid *id, int op, struct err *err);
/* *was_idle: nothing was running, nothing was done (0 is returned). */
int sto_maint_stop(struct sto *sto, const struct guid *id, int op, bool *was_idle, struct err *err);
/* -EINVAL also for count 0; -ENOTSUP for SPIN_UP and SPIN_DOWN whatever the state. The interval is
 * that of the setting pulse_interval_ms now. */
int sto_maint_pulse(struct sto *sto, const struct guid *id, int op, uint32_t count, bool *was_idle,
	struct err *err);
int sto_maint_get(struct sto *sto, const struct guid *id, int op, struct sto_maint_state *out,
	struct err *err);
/* Ends the operations in mask (STO_MAINT_BIT(op)…): a drive that fails spins no longer. */
int sto_maint_clear_ops(struct sto *sto, const struct guid *id, unsigned mask, struct err *err);
/* Ends all of them: the object departs. The log stays. */
int sto_maint_clear_all(struct sto *sto, const struct guid *id, struct err *err);

enum sto_maint_event_kind {
	STO_MAINT_BEGIN = 1, /* idle -> running */
	STO_MAINT_PULSE = 2, /* a pulse was completed */
	STO_MAINT_END = 3,   /* -> idle */
};

struct sto_maint_event {
	int64_t at_ms;
	enum sto_maint_op op;
	enum sto_maint_event_kind kind;
};
VEC(struct sto_maint_event, sto_maint_event_vec)

/* What happened to the object at or after since_ms, up to now, oldest first, at most max events.
 * Pulses dropped by a Stop did not happen. The record goes back over the last 256 requests. */
int sto_maint_log(struct sto *sto, const struct guid *id, int64_t since_ms, size_t max,
	struct sto_maint_event_vec *out, struct err *err);

/* ---- faults on purpose -------------------------------------------------------------------- */

/* All but sto_fault_list and sto_fault_has answer -EPERM where faults are not allowed. */
enum sto_fault_kind {
	STO_FAULT_CACHE_CORRUPT = 1, /* the provider's picture cannot be trusted */
	STO_FAULT_UNREACHABLE = 2,
	STO_FAULT_FAILED = 3,
	STO_FAULT_PREDICT = 4,
	STO_FAULT_GONE = 5,          /* pulled out */
	STO_FAULT_READ_ERROR = 6,    /* in [offset, offset + size) */
	STO_FAULT_CORRUPT = 7,
	STO_FAULT_SLOW = 8,          /* size = ms more for each request */
	STO_FAULT_WRITE_ERROR = 9,
	STO_FAULT_NO_OPERATION = 10, /* maintenance operation number offset is not offered */
	STO_FAULT_OUT_OF_MEMORY = 11,
	STO_FAULT_SYSTEM_ERROR = 12,
};

struct sto_fault {
	struct guid id; /* of the object: drive, LUN, controller, subsystem, provider */
	enum sto_fault_kind kind;
	uint64_t offset, size; /* arguments, 0 where the kind has none */
};
VEC(struct sto_fault, sto_fault_vec)

/* The same fault again: 0, no change. -EINVAL: no such kind. */
int sto_fault_add(struct sto *sto, const struct sto_fault *fault, struct err *err);
/* Exactly this one. -ENOENT. */
int sto_fault_remove(struct sto *sto, const struct sto_fault *fault, struct err *err);
/* Those of one kind (0 = all kinds) on one object (NULL = on all). None there: 0. */
int sto_fault_clear(struct sto *sto, const struct guid *id, int kind, struct err *err);
/* Those on one object (NULL = on all), in the order of injection. */
int sto_fault_list(struct sto *sto, const struct guid *id, struct sto_fault_vec *out,
	struct err *err);
int sto_fault_has(struct sto *sto, const struct guid *id, enum sto_fault_kind kind, bool *has,
	struct err *err);

/* ---- settings ----------------------------------------------------------------------------- */

struct sto_setting {
	const char *key;
	const char *what; /* one phrase for people */
	uint64_t initial, min, max;
};

/*
 * The table of all settings:
 *   "autorecover" 1 (0, 1) · "spare_delay_ms" 10000 · "pulse_interval_ms" 1000 (1 .. 3600000) ·
 *   "rebuild_rate" 0 (bytes per second for each LUN, 0 = no ceiling)
 */
const struct sto_setting *sto_setting_table(size_t *count);
/* -ENOENT: no such setting. */
int sto_setting_get(struct sto *sto, const char *key, uint64_t *value, struct err *err);
/* -ENOENT; -ERANGE with the limits in the sentence. */
int sto_setting_set(struct sto *sto, const char *key, uint64_t value, struct err *err);
/* Back to the initial value. -ENOENT. */
int sto_setting_reset(struct sto *sto, const char *key, struct err *err);

/* ---- jobs --------------------------------------------------------------------------------- */

enum sto_job_state {
	STO_JOB_RUNNING = 1,
	STO_JOB_INTERRUPTED = 2, /* held, or waiting to be continued */
	STO_JOB_DONE = 3,
	STO_JOB_FAILED = 4,
	STO_JOB_CANCELED = 5,
};

struct sto_job {
	uint32_t number;      /* from 0, never reused */
	int kind;             /* the caller's */
	struct guid object;
	int object_kind;      /* the caller's */
	enum sto_job_state state;
	int32_t result;       /* the caller's code; kept as it is */
	uint32_t percent;     /* never falls; 100 exactly when DONE */
	uint64_t done_bytes, total_bytes;
	bool automatic;       /* begun by the array itself */
	char started_by[STO_NAME_BYTES]; /* "" = unknown */
	int64_t started_ms, ended_ms;    /* 0 = not yet */
};
VEC(struct sto_job, sto_job_vec)

#define STO_JOBS_KEPT 1000 /* ended ones; older are forgotten, their numbers stay used */

/* Records a job that begins now. In: kind, object, object_kind, result (while it runs),
 * total_bytes, automatic, started_by. Out: number, state, started_ms. */
int sto_job_create(struct sto *sto, struct sto_job *job, struct err *err);
/* The unended job of this kind on this object (the latest), RUNNING again. -ENOENT. */
int sto_job_resume(struct sto *sto, int kind, const struct guid *object, struct sto_job *out,
	struct err *err);
/* -ENOENT: no such job; -EALREADY: it has ended. One flush each: a few times a second at most. */
int sto_job_update(struct sto *sto, uint32_t number, uint32_t percent, uint64_t done_bytes,
	uint64_t total_bytes, struct err *err);
/* Held, or going on. -ENOENT, -EALREADY. */
int sto_job_interrupt(struct sto *sto, uint32_t number, bool interrupted, struct err *err);
/* state DONE, FAILED or CANCELED. -ENOENT, -EALREADY, -EINVAL. */
int sto_job_finish(struct sto *sto, uint32_t number, enum sto_job_state state, int32_t result,
	struct err *err);
int sto_job_get(struct sto *sto, uint32_t number, struct sto_job *out, struct err *err);
/* By number; only unended ones if asked. */
int sto_job_list(struct sto *sto, bool unended, struct sto_job_vec *out, struct err *err);

/* ---- registered providers (hardware.md section 12.9) -------------------------------------- */

struct sto_provider {
	struct guid id, clsid;
	char name[STO_NAME_BYTES];
	int type;                     /* VDS_PROVIDER_TYPE, kept as it is */
	char machine[STO_NAME_BYTES]; /* "" = this one */
	char version[STO_NAME_BYTES];
	struct guid version_id;
	char path[STO_PATH_BYTES];    /* of the shared object, as given */
};
VEC(struct sto_provider, sto_provider_vec)

/* -EEXIST: the id is registered. */
int sto_provider_add(struct sto *sto, const struct sto_provider *provider, struct err *err);
/* -ENOENT. */
int sto_provider_remove(struct sto *sto, const struct guid *id, struct err *err);
int sto_provider_get(struct sto *sto, const struct guid *id, struct sto_provider *out,
	struct err *err);
/* In the order of registration. */
int sto_provider_list(struct sto *sto, struct sto_provider_vec *out, struct err *err);

#endif
