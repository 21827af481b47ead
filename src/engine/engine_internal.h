/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model of one array, shared by the files of this module only.
 *
 * Facts versus states: the structs hold facts (a device is open, a failure was recorded, a member's
 * content is complete up to here). States are derived in state.c and nowhere stored.
 *
 * Who changes what: facts about drives change in drive.c, about LUNs in lun.c and recover.c; each
 * change that must outlive the process is followed by eng_meta_commit before it has effects that
 * others can see (an acknowledged write, a returned call, an event).
 */
#ifndef ENGINE_INTERNAL_H
#define ENGINE_INTERNAL_H

#include "base/list.h"
#include "base/text.h"
#include "base/vec.h"
#include "engine/ddf.h"
#include "engine/engine.h"
#include "engine/priv.h"
#include "raid/raid.h"

#include <stdio.h>

#define ENG_UNIT          (1024u * 1024u) /* allocation unit */
#define ENG_DATA_START    ENG_UNIT        /* sectors 0-2047 stay zero */
#define ENG_DEFAULT_CHUNK (64u * 1024u)
#define ENG_NO_INDEX      UINT32_MAX
#define ENG_MAX_EXTENTS   63              /* LUNs with an extent on one drive; one record is for spares */

VEC(struct priv_lost, eng_lost_vec)
VEC(struct raid_range, eng_range_vec)

struct eng_drive {
	struct list link;
	struct eng_array *array;
	struct guid id;
	struct ddf_guid ddf_guid;
	uint32_t refnum;         /* 0: no record of ours (foreign, damaged) */
	int16_t bus, slot;
	char *path;
	struct blk_dev *dev;     /* fault filter over the drive; NULL: out of its bay, or unusable */
	uint64_t size_bytes;
	struct ddf_layout layout;
	struct priv_layout priv;
	struct priv_super super;
	struct priv_member table[DDF_MAX_CONFS]; /* by member table index */
	struct eng_lost_vec lost; /* its list of lost data, as it stands there; … */
	uint64_t lost_seq;        /* … the number of that copy … */
	unsigned lost_copy;       /* … and which one it is */
	/* facts */
	bool ours;               /* carries metadata of this array: may be written */
	bool fresh;              /* being taken in: no other drive knows it */
	bool failed, admin_offline, predicted, departed, unreachable;
	bool spare, spare_active;
	uint32_t replaces;       /* refnum of the drive this spare stands in for, 0 = none */
	bool out;                /* not in its bay */
	bool losing;             /* its loss is being worked on */
	uint64_t told;           /* the commit that tells the others of its loss, or a later one */
	struct task_group loss;  /* … until this is idle */
	int64_t lost_at;
	uint64_t read_errors, read_errors_repaired, write_errors, timeouts;
	char note[320];
	struct guid expected;    /* the drive that was last seen in its bay */
	bool id_claimed;         /* aside.c: not to be shown under the id it has */
	uint16_t place;          /* in the table of physical disks */
	uint32_t seq;            /* of the newest metadata that it holds */
	bool outside;            /* its metadata were last written by somebody else: outside.c */
	bool behind;             /* … and those of other drives since */
	bool older;              /* an older image of itself: its content counts for nothing that others have */
	uint32_t written[DDF_SECTIONS]; /* CRC32C of each section as both copies hold it */
	bool written_known;
	bool adopted;            /* comes from somebody else's container: no private area yet */
	bool anchor_bad;         /* its anchor is damaged: the next commit writes it anew */
	unsigned super_copy;     /* which superblock copy is in force */
	unsigned first_place, places; /* in what eng_places gave last */
	struct task_mutex priv_lock;
	bool dead;               /* not part of the model any more: life.c */
};

struct eng_member {
	struct eng_drive *drive; /* NULL: slot without a drive */
	uint64_t start;          /* bytes on the drive */
	uint64_t size;
	enum eng_member_state state;
	uint64_t watermark;      /* bytes from the start whose content is complete, except for regions
	                            dirty in the LUN's bitmap */
	unsigned index;          /* in the drive's member table; ENG_NO_INDEX while the drive is away */
};

struct eng_lun {
	struct list link;
	struct eng_array *array;
	struct guid id;
	struct ddf_guid ddf_guid;
	char name[ENG_NAME_BYTES];
	enum eng_lun_type type;
	struct raid_shape shape;
	uint64_t size_bytes;     /* <= raid_shape_size */
	struct eng_member members[ENG_MAX_MEMBERS];
	/* By slot: the extent that a member in sync is being moved to (raid_twin_set), drive NULL where there is
	 * none. REBUILDING while a job fills it, or is to go on; STALE when that was cancelled. */
	struct eng_member twins[ENG_MAX_MEMBERS];
	struct guid plex_ids[ENG_MAX_MEMBERS];
	int priority;
	unsigned policy;
	bool outside;            /* somebody else may have written to it since our last commit */
	bool inconsistent;       /* … and copies or parity may differ everywhere */
	bool consistent;         /* at rest for good: its members in sync agree */
	bool bitmap_known;       /* the open set's bitmap came from a member in sync */
	struct eng_range_vec lost; /* data lost for good, as the set told it last */
	bool offline;            /* administrative, kept */
	bool awaits;             /* taken over from somebody else, members not seen yet: not served, so that
				    they stay current; kept */
	bool failed_hook, deleted;
	enum eng_transition transition;
	int64_t created_at;
	uint32_t conf_seq;       /* of its configuration records */
	uint32_t conf_hash;      /* of their content, to see a change */
	uint16_t place;          /* in the table of virtual disks */
	struct raid_set *set;
	bool set_ends;           /* it is being closed: for its own requests only */
	struct blk_dev dev;      /* the gate in front of the set; see lun_dev.c */
	struct eng_job *job;     /* running, or interrupted */
	bool swapping;           /* its set is being exchanged: requests wait in waiting */
	struct list waiting;
	bool auto_paused;        /* nothing by itself until something has changed */
	bool dead;               /* not part of the model any more: life.c */
	unsigned pins, frozen;   /* who waits on the set: do not close it; freezes to be undone */
	struct task_mutex edge_lock; /* unaligned writes */
	struct task_mutex bitmap_lock; /* writes of the region bitmap */
	enum eng_lun_health told_health; /* as the last LUN_MODIFY showed it */
};

struct reshape;

struct eng_job {
	struct list link;        /* array->jobs while running or interrupted */
	unsigned refs;
	struct eng_array *array;
	struct eng_lun *lun;     /* valid while the job is on array->jobs */
	struct eng_job_info info;
	bool cancel, interrupt;  /* asked to stop for good / to be continued later */
	bool explicit_request;   /* check redundancy at the end, as Recover does */
	struct raid_run run;
	uint64_t base_done;      /* bytes of the passes before the running one */
	struct eng_drive *target; /* REPLACE: the new drive */
	struct eng_drive *source; /* REPLACE: the old one */
	int (*body)(struct eng_job *job, struct err *err); /* (task) what it does */
	struct reshape *reshape; /* resize.c: what the LUN is to become; freed with the job */
	struct eng_lun *other;   /* ADD_PLEX: the LUN to absorb */
	unsigned slot;           /* REMOVE_PLEX */
	uint64_t filling;        /* slots being filled right now */
	uint64_t pass;           /* … by the running pass, … */
	bool copying;            /* … which fills their twins */
	unsigned changes;        /* array->changes at its start */
	bool half_told;          /* the point "job:half" was passed */
	struct task_queue ended;
	void *user;
};

VEC(struct eng_event, eng_event_vec)

struct eng_array {
	struct loop *loop;
	struct rng *rng;
	struct eng_host host;
	struct eng_settings settings;
	struct guid id;
	struct ddf_guid container;
	char name[ENG_NAME_BYTES];
	char note[320];
	uint32_t seq;            /* of the newest metadata; … */
	uint32_t seq_done;       /* … and of the last that every drive written to holds */
	uint64_t epoch;
	unsigned waiting;        /* drives of an array that is not complete enough to be taken over */
	bool offline, closing, hold;
	unsigned inside, dead;   /* life.c */
	struct task_queue unpinned;
	unsigned changes;        /* counts what may let a failed recovery succeed */
	struct list drives, luns, jobs;
	bool events_lost;            /* memory ran out while gathering: owner should refresh */
	struct eng_event_vec events; /* gathered for the next group */
	/* Commits, see meta.c: generations asked for, finished, and the last that succeeded. */
	uint64_t meta_wanted, meta_done, meta_good;
	bool meta_busy;
	int meta_rc;                 /* of generation meta_done, with its sentence */
	struct err meta_err;
	struct task_queue meta_queue;
	struct task_queue job_queue; /* woken when a job ends or a hold is released */
	struct task_group tasks;     /* background tasks of this array */
	struct loop_timer tick;      /* housekeeping, armed only while there is something to do */
	bool tick_running;
	struct ddf_set set;          /* as last built or loaded; see meta.c */
	uint64_t luns_freed;         /* counts; see eng_places */
};

/* life.c */
struct eng_array *eng_enter(struct eng_array *a);
void eng_leave(struct eng_array *a);
static inline void eng_leave_scope(struct eng_array **a)
{
	eng_leave(*a);
}
/* No drive or LUN is freed until the end of the scope. For everything that waits. */
#define ENG_INSIDE(a)                                                                                    \
	__attribute__((cleanup(eng_leave_scope), unused)) struct eng_array *eng_inside_ = eng_enter(a)
/* (task) Takes it out of the model and closes what is open. */
void eng_lun_free(struct eng_lun *l);
void eng_drive_free(struct eng_drive *d);
/* The same without a set or requests: those are closed. */
void eng_lun_drop(struct eng_lun *l);
/* Its set, NULL when there is none or it is about to go. */
struct raid_set *eng_lun_set(const struct eng_lun *l);
/* A pinned LUN's set is not closed; eng_lun_close_set (task) waits for that. */
void eng_lun_pin(struct eng_lun *l);
void eng_lun_unpin(struct eng_lun *l);
void eng_lun_close_set(struct eng_lun *l);

/* state.c */
enum eng_drive_state eng_drive_state_of(const struct eng_drive *d);
bool eng_drive_online(const struct eng_drive *d); /* usable for I/O of members */
bool eng_drive_free_for_use(const struct eng_drive *d); /* ONLINE, healthy, no spare */
bool eng_drive_assigned(const struct eng_drive *d);
uint64_t eng_lun_lost_mask(const struct eng_lun *l);
enum eng_lun_health eng_lun_health_of(const struct eng_lun *l);
bool eng_lun_busy(const struct eng_lun *l);
/* A member that the LUN goes on without is out of date from now on; if it was being moved, its twin takes its
 * place as it is. */
void eng_member_left_behind(struct eng_lun *l, unsigned slot);
/* A LUN that works without drives that are away takes their members for out of date from now on: a member
 * stays current only as long as nothing can be written without it. */
void eng_lun_demote_absent(struct eng_lun *l);
bool eng_lun_type_redundant(enum eng_lun_type type);
uint8_t eng_lun_type_number(enum eng_lun_type type); /* VDS_LUN_TYPE */
bool eng_lun_type_from(uint8_t number, enum raid_level level, enum eng_lun_type *type);
bool eng_lun_type_from_number(uint8_t number, enum eng_lun_type *type);
/* Members of one leg, and which leg and place in it a slot is (DDF 1.2). */
unsigned eng_leg_members(const struct raid_shape *shape);
enum raid_level eng_lun_level(enum eng_lun_type type);

/* (task) All LUNs stop / go on. */
void eng_array_freeze(struct eng_array *a);
void eng_array_thaw(struct eng_array *a);

/* Does one of the LUN's extents lie on the drive? The i-th of all extents, i < 2 * members; NULL: none. */
bool eng_lun_on(const struct eng_lun *l, const struct eng_drive *d);
static inline const struct eng_member *eng_lun_extent(const struct eng_lun *l, unsigned i)
{
	const struct eng_member *m = i < l->shape.members ? &l->members[i] : &l->twins[i - l->shape.members];

	return m->drive ? m : NULL;
}

/* look-ups (array.c) */
struct eng_drive *eng_find_drive(const struct eng_array *a, const struct guid *id); /* enumerated */
struct eng_drive *eng_find_drive_any(const struct eng_array *a, const struct guid *id);
struct eng_drive *eng_find_refnum(const struct eng_array *a, uint32_t refnum);
struct eng_drive *eng_find_bay(const struct eng_array *a, int16_t bus, int16_t slot);
struct eng_lun *eng_find_lun(const struct eng_array *a, const struct guid *id);

/* events (event.c) */
void eng_event_add(struct eng_array *a, enum eng_event_kind kind, const struct guid *id);
void eng_events_flush(struct eng_array *a);
/* LUN_MODIFY for every LUN whose health is no longer what was told. */
void eng_events_health(struct eng_array *a);
void eng_point(struct eng_array *a, const char *name, const struct guid *object); /* (task) */

/* drive.c */
struct eng_drive *eng_drive_new(struct eng_array *a, const struct eng_bay *bay);
void eng_drive_close_dev(struct eng_drive *d); /* (task) */
int eng_drive_open_dev(struct eng_drive *d, struct err *err); /* (task) */
int eng_drive_set_bay(struct eng_drive *d, const struct eng_bay *bay);
/* (task) The drive of the array, out or not, whose identity stands on what is in that bay; NULL: none. */
struct eng_drive *eng_drive_known(struct eng_array *a, const struct eng_bay *bay);
/* The drive left: failed, pulled or unreachable, as the error that it answered says. Its members are out of
 * date in the model at once; by a task of its own that becomes durable, then they leave their sets. */
void eng_drive_gone(struct eng_drive *d, int error);
/* (task) The same, and returns when the loss is durable on the other drives. Negative: it is not, and
 * nothing may be acknowledged that the drive was needed for. */
int eng_drive_lost(struct eng_drive *d, int error);
/* (task) Brings a drive's members back into their sets as STALE and marks them so on the drive. */
int eng_drive_members_stale(struct eng_drive *d, struct err *err);

/* load.c */
/* What was read from one drive. */
struct eng_found {
	struct ddf_image image;
	uint32_t hash; /* of the tables that must agree on all drives of one sequence number */
	bool newest;   /* tells the story that was chosen (choose_newest) */
};
/*
 * (task) Reads a drive's metadata: layout, both copies. 0: DDF with the container's GUID (any, when
 * container is NULL). -ENODATA: blank. -EMEDIUMTYPE, -EUCLEAN, -ENOTSUP: other content or damaged, with
 * a sentence. d->layout and d->priv are set; found needs eng_found_free after 0.
 */
int eng_load_drive(struct eng_drive *d, const struct ddf_guid *container, struct eng_found *found,
	struct err *err);
void eng_found_free(struct eng_found *found);
/* (task) Makes a blank drive one of this array's: layout, identity, private area, anchor; the next
 * commit writes its records. */
int eng_drive_format(struct eng_drive *d, struct err *err);

/* aside.c */
/* Drives that were set aside get ids that nobody else has. */
void eng_aside_identify(struct eng_array *a);

/* assemble.c */
/* Builds LUNs from the newest metadata and what every drive says of its own extents. */
int eng_assemble(struct eng_array *a, const struct ddf_set *newest, struct eng_found *const *found,
	struct eng_drive *const *drives, unsigned count, struct err *err);

/* outside.c: what follows from l->outside */
/* Members that others did not take along, or need not have. known: the LUN has a record of ours. */
void eng_outside_settle(struct eng_lun *l, bool known);
/* Slots that others have vacated go back to the drive that, by its own records, had them, where the space
 * is free: to be filled anew. */
void eng_outside_vacated(struct eng_drive *d, const struct ddf_confs *confs);
/* The same by our own records of who had them. */
void eng_outside_remembered(struct eng_array *a, const struct ddf_set *newest);
/* Of an array that was never ours: what its absent drives hold as far as those that are here can tell. */
void eng_outside_expect(struct eng_array *a);
/* LUNs that are taken over and work without members that may still come wait for them … */
void eng_outside_await(struct eng_array *a, const struct ddf_set *newest);
/* … until somebody wants to go on without. */
void eng_outside_go(struct eng_lun *l);
/* (task) Voids the bitmaps that are on the drives, before any commit says that all is ours again. */
void eng_outside_reset(struct eng_array *a);
/* (task) The same for a member whose drive comes back having been elsewhere. */
void eng_outside_back(struct eng_lun *l, unsigned slot);

/* Places in the member table of a drive whose table was just read. */
void eng_adopt_indexes(struct eng_drive *d);

/* meta.c */
/* (task) Writes the model to every drive that can take it; at return all of them hold it, except those
 * lost meanwhile, of whose loss the others then know. -ENODEV: there is no such drive left. */
int eng_meta_commit(struct eng_array *a, struct err *err);

/* sweep.c */
struct eng_result {
	struct eng_drive *d;
	int rc;
};
/* (task) fn on every drive that matches, several at a time. *out is malloc'd. 0, or -ENOMEM and nothing
 * was done. */
int eng_sweep(struct eng_array *a, bool (*match)(const struct eng_drive *d, const void *ctx),
	int (*fn)(struct eng_drive *d, const void *ctx), const void *ctx, struct eng_result **out,
	unsigned *count);

/* private area (privio.c), all (task) */
int eng_priv_load(struct eng_drive *d, struct err *err);
int eng_priv_init(struct eng_drive *d, struct err *err);
int eng_priv_super(struct eng_drive *d, bool clean);
/* On all drives: not clean = they are in use from now on, and one that cannot be told is lost (the error is
 * that this could not be made durable). */
int eng_priv_supers(struct eng_array *a, bool clean);
/* Writes the member table entries of one LUN to its present drives (all LUNs: NULL) and waits until stable. */
int eng_priv_members(struct eng_array *a, struct eng_lun *l);
int eng_priv_bitmap_write(struct eng_lun *l, unsigned first_page, unsigned count);
/* Does the drive get every change of the bitmap (and of the list of lost data)? */
bool eng_keeps_bitmap(const struct eng_member *m);
/* A slot's bitmap as it is when nothing is known: nothing unwritten, everything dirty or nothing. */
int eng_priv_bitmap_reset(struct eng_lun *l, unsigned slot, bool dirty);
/* Reads and merges the LUN's bitmap from its in-sync members; NULL image when none could be read. */
int eng_priv_bitmap_read(struct eng_lun *l, void **image, size_t *bytes);

/* lost.c */
int eng_lost_load(struct eng_drive *d); /* (task) -ENOMEM */
/* (task) Makes l->lost stable on every drive that keeps its bitmap. -ENOSPC: it is more than fits. */
int eng_lost_write(struct eng_lun *l);
/* l->lost as the set tells it / and what the members in sync know of it. -ENOMEM. */
int eng_lost_take(struct eng_lun *l, const struct raid_range *list, size_t count);
int eng_lost_gather(struct eng_lun *l);

/* pool.c */
struct eng_hole {
	uint64_t start, size;
};
VEC(struct eng_hole, eng_hole_vec)
int eng_pool_holes(const struct eng_drive *d, struct eng_hole_vec *out);
uint64_t eng_pool_usable(const struct eng_drive *d);
uint64_t eng_pool_free(const struct eng_drive *d, uint64_t *largest);
/* First fit; -ENOSPC. */
int eng_pool_alloc(const struct eng_drive *d, uint64_t size, uint64_t *start);
/* A free member-table index, -ENOSPC when the drive is full of extents. */
int eng_pool_index(const struct eng_drive *d);
/* True if bytes behind an extent are free. */
bool eng_pool_can_grow(const struct eng_drive *d, uint64_t end, uint64_t more);

/*
 * All members and twins of all LUNs, drive by drive: those of d are items[d->first_place … + d->places). For
 * work on the whole array, where asking each drive would look at all LUNs for each. Free it; what it
 * says is as old as the call, and its LUNs may go at the next wait (a->luns_freed tells). NULL: no
 * memory.
 */
struct eng_place {
	const struct eng_lun *lun;
	unsigned slot;
	bool twin;
};
struct eng_place *eng_places(struct eng_array *a);
static inline const struct eng_member *eng_place_extent(const struct eng_place *p)
{
	return p->twin ? &p->lun->twins[p->slot] : &p->lun->members[p->slot];
}

/* plan.c: which drives a new LUN takes */
struct eng_plan {
	struct raid_shape shape;
	uint64_t size_bytes;
	unsigned members;
	struct eng_drive *drives[ENG_MAX_MEMBERS];
};
int eng_plan_lun(const struct eng_array *a, const struct eng_lun_params *p, struct eng_plan *plan,
	struct err *err);

/* lun.c */
struct eng_lun *eng_lun_new(struct eng_array *a);
/* (task) Opens the RAID set over the members as they are. */
int eng_lun_open(struct eng_lun *l, bool unclean, bool unwritten, struct err *err);
/* (task) Makes copies and parity agree in the regions that were being written at an unclean end. */
void eng_resync_after_crash(struct eng_lun *l);
/* (task) Applies a member's facts, and its twin's, to the open set. */
void eng_lun_apply_member(struct eng_lun *l, unsigned slot);
unsigned eng_lun_plexes(const struct eng_lun *l);

/* lun_dev.c */
int eng_lun_dev_init(struct eng_lun *l);
/* (task) Exchanging the RAID set under a LUN in use: requests wait in between, nobody sees an error.
 * begin closes the set; then eng_lun_open with the new shape; then end. settled: no region may be marked
 * (all members are in sync); an error leaves the set as it was, in use. */
int eng_lun_swap_begin(struct eng_lun *l, bool settled);
void eng_lun_swap_end(struct eng_lun *l);

/* job.c */
struct eng_job *eng_job_new(struct eng_lun *l, enum eng_job_type type, bool automatic, bool resumed);
/* Starts job->body as a task; the job finishes itself. */
int eng_job_start(struct eng_job *job);
void eng_job_progress(struct eng_job *job);
/* (task) Runs one raid pass under the job: priority, rate, hold points, progress. */
void eng_job_begin_pass(struct eng_job *job);
/* Ends an interrupted job as cancelled. */
void eng_job_drop(struct eng_job *job);
/* Stops all recoveries so that they can be continued later. (task) */
void eng_jobs_interrupt(struct eng_array *a);

/* recover.c */
int eng_recover_body(struct eng_job *job, struct err *err);
bool eng_slot_wants_spare(const struct eng_lun *l, unsigned slot);
/* Gives up an interrupted recovery: what was being filled is stale again. */
void eng_recover_abandon(struct eng_lun *l);
/* spare.c: a spare for that slot; *why -ENOMEDIUM or -ENOSPC when NULL */
struct eng_drive *eng_spare_pick(const struct eng_lun *l, unsigned slot, int *why);
/* Puts drive into the slot, or beside the member that still serves there: extent, member entry, spare flags;
 * not yet committed. */
int eng_spare_bind(struct eng_lun *l, unsigned slot, struct eng_drive *drive, struct err *err);
/* Takes the twin away; its drive is free again. */
void eng_twin_drop(struct eng_lun *l, unsigned slot);
/* Ends the spare state of drives whose replaced drive no LUN names any more; true if there was one. */
bool eng_spare_settle(struct eng_array *a);

/* auto.c */
/* Starts what can be started by itself now, and arms the tick for what must wait. */
void eng_auto_kick(struct eng_array *a);
/* (task) Resynchronises members of a drive that came back by request, whatever the setting. */
void eng_auto_resync(struct eng_drive *d);
/* Something changed for the better: paused LUNs may try again. */
void eng_auto_wake(struct eng_array *a);
void eng_tick_arm(struct eng_array *a);

#endif
