/* SPDX-License-Identifier: Apache-2.0 */
/* An array over simulated drives, on a simulated loop: one seed, one history. */
#ifndef TEST_ENGINE_FIXTURE_H
#define TEST_ENGINE_FIXTURE_H

#include "blk/blk.h"
#include "engine/engine.h"

#define FX_DRIVES 8

struct fx {
	struct loop *loop;
	struct rng rng;
	struct blk_medium *media[FX_DRIVES];
	struct eng_bay bays[FX_DRIVES];
	char paths[FX_DRIVES][16];
	unsigned drives;
	struct eng_array *array;
	struct eng_settings settings;
	uint8_t container[24];
	uint32_t seq_known, next_job;
	bool hold;
	unsigned events[8];      /* counts by enum eng_event_kind */
	struct guid last_job_object;
	struct eng_job_info last_job;
	const char *stop_at;     /* a point where jobs stop until go */
	bool stopped;
	struct task_queue go;
	/* Sees every request to a drive before the drive does. Not 0: the answer, instead of the
	 * drive's. NULL: none. */
	int (*tap)(struct fx *f, unsigned drive, const struct blk_req *req);
	void (*on_commit)(struct fx *f); /* metadata reached the drives */
	bool slow_zero;          /* drives on which zeroing is not cheap: new LUNs begin unwritten */
	unsigned busy;           /* so many openings of a drive find it in use */
};

/* drives of mb MiB each, all in slots 0.0, 0.1, …; the array is open and empty of LUNs. */
void fx_init(struct fx *f, uint64_t seed, unsigned drives, uint64_t mb);
void fx_fini(struct fx *f);

void fx_open(struct fx *f);          /* (task) asserts success */
int fx_try_open(struct fx *f, struct err *err);
void fx_close(struct fx *f);         /* (task) */
/* Ends the process, or cuts the power: the loop and all tasks go, the media stay. */
void fx_crash(struct fx *f, bool power);
/* The moment itself, also from within the tap: from here on no drive takes or gives anything. The
 * rest is up to fx_bury, outside of tasks. */
void fx_strike(struct fx *f, bool power);
void fx_bury(struct fx *f);
/* What the media hold now, and back to it: with a loop and random numbers of that seed, closed. */
struct fx_image {
	struct blk_medium *media[FX_DRIVES];
	struct eng_bay bays[FX_DRIVES];
	uint32_t seq_known, next_job;
};
void fx_save(struct fx *f, struct fx_image *image);
void fx_restore(struct fx *f, const struct fx_image *image, uint64_t seed);
void fx_image_free(struct fx_image *image);
/* Runs fn(f) as a task. */
void fx_run(struct fx *f, void (*fn)(struct fx *f));

/* The configuration as text: what must be the same after a restart. Not the progress of work. */
char *fx_config(struct fx *f); /* malloc'd */

struct guid fx_drive(struct fx *f, unsigned slot);
struct guid fx_lun(struct fx *f, enum eng_lun_type type, uint64_t mb, const unsigned *slots, unsigned n);
struct eng_lun_info fx_lun_info(struct fx *f, const struct guid *lun);
struct eng_drive_info fx_drive_info(struct fx *f, unsigned slot);
void fx_wait_idle(struct fx *f, const struct guid *lun); /* (task) until no job runs on it */
/* (task) Writes / checks a pattern that depends on tag and offset. */
void fx_fill(struct fx *f, const struct guid *lun, uint64_t offset, uint64_t len, uint32_t tag);
void fx_check(struct fx *f, const struct guid *lun, uint64_t offset, uint64_t len, uint32_t tag);

#endif
