/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/raid share. */
#ifndef RAID_INTERNAL_H
#define RAID_INTERNAL_H

#include "raid/parity.h"
#include "raid/raid.h"

#include "base/cleanup.h"
#include "base/list.h"

enum {
	RAID_BLOCK = 4096, /* unit of read-modify-write, repair and counting */
	RAID_MAX_CHUNK = 64 << 20,
	RAID_FLAT_UNIT = 64 << 10,  /* row of levels without chunks, as told outside */
	RAID_FLAT_ROW = 512 << 10,  /* … and as locked and copied inside */
	RAID_MAX_SLICE = 512 << 10, /* columns of a row operation */
};

/* ---- geometry.c -------------------------------------------------------------------------- */

/*
 * The shape, digested. A row has k data cells; a cell is `copies` members wide on levels without
 * parity. Slots are numbered inside the row's group: member = row.first + slot.
 */
struct raid_geo {
	unsigned groups;    /* parity groups; 1 for everything else */
	unsigned n;         /* members of a group */
	unsigned k, np;     /* data cells, parities of a row */
	unsigned copies;    /* members that hold the same cell */
	uint32_t cell;      /* bytes of a cell: the chunk, or RAID_FLAT_ROW */
	uint64_t row_bytes; /* k * cell */
	uint64_t rows;      /* the last may be short where there are no chunks */
	uint64_t size;
};
void raid_geo_init(struct raid_geo *g, const struct raid_shape *shape);

struct raid_row_geo {
	uint64_t row, start;    /* number, first byte in the set */
	uint64_t member_offset; /* of its cells, the same on all members (not SPAN) */
	uint32_t cell;          /* bytes in a cell of this row */
	unsigned first;         /* member in slot 0 */
	int p, q;               /* slots */
};
void raid_row_geo(const struct raid_geo *g, uint64_t row, struct raid_row_geo *out);
/* Slot of data cell `index` (its first copy), and back. */
unsigned raid_row_slot(const struct raid_geo *g, const struct raid_row_geo *r, unsigned index);
unsigned raid_row_index(const struct raid_geo *g, const struct raid_row_geo *r, unsigned slot);

bool raid_level_has_parity(enum raid_level level);
unsigned raid_level_parities(enum raid_level level);
uint64_t raid_mask(unsigned first, unsigned count);
/* raid_map with the digest at hand. */
void raid_map_geo(const struct raid_shape *shape, const struct raid_geo *g, uint64_t offset,
	struct raid_place *out);

/* ---- rowlock.c --------------------------------------------------------------------------- */

struct raid_set;
struct raid_op;

/* Something for a worker of the set to do. run may wait; it owns the work from then on. */
struct raid_work {
	struct list link;
	void (*run)(struct raid_op *op, struct raid_work *work);
};

/*
 * A row in use. Exists while somebody holds, wants or has writes for it. The lock is a FIFO:
 * nobody overtakes, so neither readers nor writers starve.
 */
struct raid_row {
	struct list hash;
	uint64_t row;
	unsigned refs;
	unsigned readers;
	bool writer;
	struct list waiters;
	struct list pieces;    /* writes that wait for the next writer of this row */
	struct raid_work work; /* the next writer, while queued */
	bool queued;
};

enum { RAID_ROW_BUCKETS = 256 };
struct raid_rows {
	struct list bucket[RAID_ROW_BUCKETS];
};
void raid_rows_init(struct raid_rows *rows);
bool raid_rows_empty(const struct raid_rows *rows);
/* Takes a reference; NULL when memory is short. Does not wait. */
struct raid_row *raid_row_get(struct raid_rows *rows, uint64_t row);
void raid_row_put(struct raid_row *row);
void raid_row_lock(struct raid_row *row, bool exclusive); /* (task) */
void raid_row_unlock(struct raid_row *row);

/* ---- bitmap.c ---------------------------------------------------------------------------- */

struct raid_bitmap {
	bool dirty_on;     /* dirty bits are kept */
	bool unwritten_on; /* unwritten bits are kept */
	uint64_t region_bytes, regions;
	uint8_t *image; /* dirty bits, then unwritten bits; least significant bit first */
	size_t image_bytes, unwritten_at;
	uint8_t *stable;     /* dirty bits known to be durable */
	uint8_t *touched;    /* written since settle last looked */
	uint16_t *writers;   /* in flight, per region */
	uint16_t *last_tick; /* when the last writer left, in ticks */
	/* group commit */
	uint64_t pages;        /* changed since the last commit began, one bit per 4 KiB */
	uint64_t wanted, done; /* commit generations */
	bool busy;
	int last_error; /* of generation `done` */
	struct task_queue committed;
	struct list inits; /* regions being initialised */
	struct task_queue init_done;
};
int raid_bitmap_init(struct raid_bitmap *b, const struct raid_shape *shape,
	const struct raid_options *options, bool redundant);
void raid_bitmap_fini(struct raid_bitmap *b);
/* *to = *from, while nobody waits at either. */
void raid_bitmap_move(struct raid_bitmap *to, const struct raid_bitmap *from);
uint64_t raid_region_of(const struct raid_bitmap *b, uint64_t offset);
bool raid_region_dirty(const struct raid_bitmap *b, uint64_t region);
bool raid_region_unwritten(const struct raid_bitmap *b, uint64_t region);
/* End of the run of bytes from offset on whose regions are all unwritten / all written. */
uint64_t raid_region_run(const struct raid_bitmap *b, uint64_t offset, uint64_t end);
/*
 * (task) Brackets a write: begin returns when the region is marked, durably, and initialised;
 * then writes may start. Negative: nothing may be written and there is no end.
 */
int raid_region_begin(struct raid_op *op, uint64_t region);
void raid_region_end(struct raid_set *set, uint64_t region);
/* (task) Zeroes the rows of a range of the set on all members that take writes, and flushes. */
int raid_zero_rows(struct raid_op *op, uint64_t from, uint64_t to);
/* (task) Makes the whole image durable. */
int raid_bitmap_write_all(struct raid_set *set);

/* ---- ranges.c, lost.c -------------------------------------------------------------------- */

struct raid_ranges { /* sorted, disjoint */
	struct raid_range *items;
	size_t len, cap;
};
int raid_ranges_add(struct raid_ranges *r, uint64_t offset, uint64_t length);
void raid_ranges_remove(struct raid_ranges *r, uint64_t offset, uint64_t length);
bool raid_ranges_hit(const struct raid_ranges *r, uint64_t offset, uint64_t length);
void raid_ranges_fini(struct raid_ranges *r);

/* (task) The range's data is lost. 0 when that is durable; negative: the list is as it was. */
int raid_lose(struct raid_set *set, uint64_t offset, uint64_t length);
void raid_tell_lost(struct raid_set *set, uint64_t offset, uint64_t length);
/* (task) … or was not lost after all. */
int raid_unlose(struct raid_set *set, uint64_t offset, uint64_t length);
/* (task) The range was written anew: if some of it was lost, makes the write stable and then forgets
 * that. Negative: it is not, or reads may fail after a restart. */
int raid_rewritten(struct raid_op *op, uint64_t offset, uint64_t length);

/* ---- set.c ------------------------------------------------------------------------------- */

struct raid_slot {
	struct raid_member m;
	struct raid_member twin; /* dev NULL: none */
	bool twin_failing;       /* events->twin_failed is running */
	unsigned queued;      /* requests in flight, for choosing among copies */
	uint64_t next_offset; /* where the last read ended */
	uint64_t write_gen;   /* counts completed writes … */
	uint64_t stable_gen;  /* … and how many of them a flush has covered */
	bool failing;         /* events->member_failed is running */
	int error;            /* why it was given up last */
};

/* What a running rebuild has done so far; rows are counted over the whole set. */
struct raid_pass {
	uint64_t slots;     /* members being filled */
	uint64_t low, next; /* all rows below low are done; none from next on is begun */
	uint64_t ring;      /* bit i: row low + i is done */
};

struct raid_set {
	struct blk_dev dev;
	struct loop *loop;
	struct raid_shape shape;
	struct raid_geo geo;
	struct raid_events events;
	struct raid_slot slots[RAID_MAX_MEMBERS];
	uint64_t lost; /* members that are not in sync */
	uint64_t twins; /* members that have one */
	bool copying;   /* raid_copy is running */
	bool failed;   /* more lost than the level survives */
	bool resync;   /* parity or copies of dirty regions may differ */
	uint64_t torn; /* counts what made that so while running */
	bool write_through;
	uint32_t align; /* largest logical block of the members */
	uint32_t slice; /* columns a row operation holds in buffers at once */

	unsigned frozen;
	struct task_queue thawed;
	struct list held; /* requests that came while frozen */
	unsigned active;  /* requests and steps in flight */
	struct task_queue drained;

	unsigned foreground;    /* requests in flight */
	uint64_t foreground_ns; /* when one last came or went */

	struct raid_rows rows;
	struct raid_bitmap bitmap;
	struct raid_ranges lost_data;
	struct task_mutex lost_lock; /* changes of lost_data become durable one after the other */
	struct raid_pass *pass;
	struct task_queue failed_q; /* waits for events->member_failed */
	struct task_mutex rescue_lock;
	uint8_t *rescue; /* one block for each slot of a group, see row.c */

	struct list work;
	struct task_queue work_q;
	unsigned workers, idle_workers, max_workers;
	struct task_queue worker_gone;
	bool closing;
};

static inline uint64_t raid_bit(unsigned i)
{
	return UINT64_C(1) << i;
}

/* Is the member's content of that row current? / Must writes reach it? */
bool raid_member_valid(const struct raid_set *set, unsigned member, uint64_t row);
bool raid_member_writable(const struct raid_set *set, unsigned member);
int raid_member_check(const struct raid_shape *shape, unsigned slot, const struct raid_member *m,
	struct err *err);
uint32_t raid_slice_of(const struct raid_geo *g);
/* (task) A write to the member failed: makes it STALE, through the owner. 0, or why it must stay:
 * the error for the request. */
int raid_member_fail(struct raid_set *set, unsigned member, int error);
int raid_twin_fail(struct raid_set *set, unsigned member, int error);
void raid_state_changed(struct raid_set *set);
/* A write left its row half done: its region needs a resync. */
void raid_torn(struct raid_set *set);
void raid_work_queue(struct raid_set *set, struct raid_work *work);
/* (task) Waits while frozen, then counts as active. Background steps only. */
void raid_enter(struct raid_set *set);
void raid_leave(struct raid_set *set);
/* (task) Flushes the members in mask that have writes a flush has not covered. */
int raid_flush_members(struct raid_op *op, uint64_t mask);
uint64_t raid_writable_mask(const struct raid_set *set);

/* ---- row.c: what every row operation is made of -------------------------------------------- */

struct raid_child {
	struct blk_req req;
	struct blk_req twin; /* the same for the member's twin */
	bool twinned;
	struct iovec iov;
	struct raid_op *op;
	unsigned member;
	uint32_t column;
};

struct raid_hurt { /* a range of a member that could not be read */
	unsigned member;
	uint64_t offset;
	uint32_t length;
};

enum { RAID_OP_CHILDREN = 64, RAID_OP_HURTS = 32 };

/*
 * One row operation at a time: the requests to members that are in flight for it, its buffers
 * and what it found. Every worker has one, so an operation never has to allocate it.
 */
struct raid_op {
	struct raid_set *set;
	struct raid_row_geo g;
	struct parity_group group;
	uint64_t data;     /* data slots of the row */
	uint64_t lost;     /* slots whose content is not current */
	uint64_t writable; /* slots that writes must reach */
	struct task_group flight;
	struct raid_child *child;
	unsigned used, cap;
	struct raid_child own[RAID_OP_CHILDREN];
	uint8_t *mem; /* buffers */
	size_t mem_bytes;
	struct raid_hurt hurt[RAID_OP_HURTS];
	unsigned hurts;
};

struct raid_op *raid_op_new(struct raid_set *set);
void raid_op_free(struct raid_op *op);
/* Points op at a row; looks up which members count. */
void raid_op_row(struct raid_op *op, uint64_t row);
/* Room for that many requests in the next round. -ENOMEM. */
int raid_op_reserve(struct raid_op *op, unsigned requests);
/*
 * Adds a request to the round: `column` bytes into the cell of that slot. Neighbours of the same
 * kind are joined where member and memory allow. raid_op_submit starts all and waits for them;
 * results are in op->child[0 … used).
 */
void raid_op_add(struct raid_op *op, enum blk_op kind, unsigned slot, uint32_t column, void *buf,
	size_t length);
/* The same by address on the member, and with the caller's list, which must stay until the round
 * is over; without one for BLK_ZERO and BLK_FLUSH. */
void raid_op_add_iov(struct raid_op *op, enum blk_op kind, unsigned member, uint64_t offset,
	const struct iovec *iov, int iovcnt, uint64_t length);
void raid_op_add_at(
	struct raid_op *op, enum blk_op kind, unsigned member, uint64_t offset, uint64_t length);
void raid_op_submit(struct raid_op *op, unsigned flags);
/* (task) After a round of writes: tries failed ones once more, then gives members up. Returns 0
 * when what remains is enough. *torn: some were written although others were needed and failed. */
int raid_op_settle_writes(struct raid_op *op, unsigned flags, bool *torn);
/* (task) After a round of reads: restores from redundancy what could not be read. */
int raid_op_settle_reads(struct raid_op *op);
/* (task) Writes to the twin of a member, if it has one, and tries once more before it gives it up. 0, or why
 * what depends on it must not be acknowledged. */
int raid_twin_put(struct raid_set *set, unsigned member, uint64_t offset, const void *data, size_t length,
	unsigned flags);
/* (task) Reads one block of a slot that is lost or unreadable, by means of the others. */
int raid_op_rescue(struct raid_op *op, unsigned slot, uint32_t column, uint32_t length, void *dst);
/* (task) The same for one request of the round and one of its blocks; at is relative to its start.
 */
int raid_op_settle_block(struct raid_op *op, struct raid_child *child, uint64_t at);
/* (task) One allocation for all buffers of an operation; free with raid_op_buffers_free. */
int raid_op_buffers(struct raid_op *op, size_t bytes);
void raid_op_buffers_free(struct raid_op *op);
/* Notes an unreadable range, and later has all that were noted repaired in the background. */
void raid_op_hurt(struct raid_op *op, unsigned member, uint64_t offset, uint32_t length);
void raid_op_repair_later(struct raid_op *op);

/* (task) With the row locked: restores one block, writes it to the slot and reads it back.
 * buffers: two blocks. repair.c */
bool raid_repair_block(
	struct raid_op *op, unsigned slot, uint32_t column, uint32_t length, uint8_t *buffers);

/* Slots to read so that the content of `want` is known, given op->lost; 0 with want != 0: it
 * cannot be had. */
uint64_t raid_op_sources(const struct raid_op *op, uint64_t want);

/* ---- io.c: requests, cut into pieces --------------------------------------------------------- */

struct raid_io;

struct raid_piece {
	struct raid_io *io;
	uint64_t offset, length; /* in the set */
	const struct iovec *iov;
	int iovcnt;
	struct iovec one;
	struct list link;      /* in raid_row.pieces */
	struct raid_work work; /* the slow path */
	struct blk_req req;    /* the direct path */
	unsigned member;       /* where it went */
	int error;             /* of the direct try */
};

struct raid_io {
	struct raid_set *set;
	struct blk_req *req;
	uint64_t pos, end;
	unsigned pending;
	int error;
	unsigned cap, used; /* pieces */
	struct iovec *iov;  /* room for the lists of pieces that cross buffers */
	unsigned iov_used;
	struct raid_piece pieces[];
};
void raid_submit(struct blk_dev *dev, struct blk_req *req);
void raid_submit_held(struct raid_set *set); /* what came while frozen */
void raid_piece_done(struct raid_piece *piece, int error);
/* Copies between a piece and a flat buffer; offset is relative to the piece. */
void raid_piece_get(const struct raid_piece *piece, uint64_t offset, void *dst, size_t length);
void raid_piece_put(
	const struct raid_piece *piece, uint64_t offset, const void *src, size_t length);
/* Points *out at the bytes in place when they lie in one buffer; NULL when not. */
void *raid_piece_ptr(const struct raid_piece *piece, uint64_t offset, size_t length);
/* Fills out with the part of a list; returns the number of entries used. */
int raid_iov_slice(
	const struct iovec *iov, int iovcnt, uint64_t offset, uint64_t length, struct iovec *out);
bool raid_piece_is_zero(const struct raid_piece *piece);
unsigned raid_piece_flags(const struct raid_piece *piece);

/* ---- read.c, write.c, write_parity.c, write_copies.c -------------------------------------------
 */

void raid_read_slow(struct raid_op *op, struct raid_work *work);
/* Index of the copy to read (member), or -1: none is readable. */
int raid_pick_copy(const struct raid_set *set, const struct raid_place *place);

void raid_row_add_write(struct raid_set *set, struct raid_piece *piece);
enum { RAID_GATHER = 64 }; /* pieces of one row that are written together */
/* (task) Write pieces (in one row, not overlapping) with the row locked. */
int raid_write_copies(struct raid_op *op, struct raid_piece **pieces, unsigned count);
int raid_write_parity(struct raid_op *op, struct raid_piece **pieces, unsigned count);

/* ---- walk.c, throttle.c: background work row by row ---------------------------------------- */

/* A token bucket in bytes, and the measure that the foreground's share is taken of. */
struct raid_throttle {
	struct raid_set *set;
	const struct raid_run *run;
	uint64_t tokens, last_ns;
	unsigned busy; /* steps in flight */
	uint64_t busy_since, busy_ns, busy_bytes;
	uint64_t rate; /* bytes per second when nothing holds it back; 0 = not known yet */
};
void raid_throttle_init(struct raid_throttle *t, struct raid_set *set, const struct raid_run *run);
void raid_throttle_wait(struct raid_throttle *t, uint64_t bytes); /* (task) */
void raid_throttle_begin(struct raid_throttle *t);
void raid_throttle_end(struct raid_throttle *t, uint64_t bytes);

enum { RAID_WALK_WINDOW = 32 };

struct raid_walk;
struct raid_step {
	struct raid_walk *walk;
	struct raid_op *op;
	uint64_t row;
	bool busy;
};

struct raid_walk {
	struct raid_set *set;
	struct raid_run *run;
	struct raid_pass pass;
	uint64_t row_work; /* bytes of work in a row, for progress and throttle */
	/* Is there something to do in that row? */
	bool (*wanted)(const struct raid_walk *walk, uint64_t row);
	/* (task) Does it, with the row locked exclusively and op pointing at it. */
	int (*step)(struct raid_walk *walk, struct raid_op *op);
	/* (task) Makes progress durable; NULL = none. */
	int (*checkpoint)(struct raid_walk *walk);
	/* the walk's own */
	unsigned window, in_flight;
	int error;
	struct task_queue progress;
	struct raid_step steps[RAID_WALK_WINDOW];
	struct raid_throttle throttle;
	uint64_t checkpoint_ns, checkpoint_done, step_done;
	uint64_t best_rate, sample_ns, sample_rows;
};
/* Columns of a row to hold in buffers at once: beside foreground I/O only the work's share of them. */
uint32_t raid_walk_slice(const struct raid_walk *walk);
/* (task) Runs over all rows. 0, -ECANCELED, or the first error. */
int raid_walk_run(struct raid_walk *walk);
/* Bytes from the start of every member that lie in rows which are done. */
uint64_t raid_walk_reached(const struct raid_walk *walk);

#endif
