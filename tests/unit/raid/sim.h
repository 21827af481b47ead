/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the simulation share: sim.c has the histories, sim_twin.c what happens to twins. */
#ifndef TESTS_RAID_SIM_H
#define TESTS_RAID_SIM_H

#include "rig.h"
#include "model.h"

#include <stdio.h>

enum { SPOTS = 6, CLIENTS = 4, MAX_IOV = 4, BURST = 8, SECTOR = 512 };

struct sim {
	struct rig rig;
	struct model model;
	struct rng rng;
	uint64_t seed, size;
	uint64_t spot[SPOTS], spot_bytes;
	bool dead;           /* the machine has crashed */
	bool calm;           /* no faults in this phase */
	unsigned busy;       /* tasks of the phase */
	uint64_t out;        /* members not in sync */
	uint64_t lost_power; /* of those: their device must be made anew */
	uint64_t fresh;      /* of those: the medium is new, all must be rebuilt */
	uint64_t hurt;       /* members with unreadable blocks */
	uint64_t watermark[RAID_MAX_MEMBERS];
	uint64_t reads_since; /* start of the oldest read that may be in flight */
	/* the twin, when rig.twin.medium is there */
	unsigned twin_slot;
	uint64_t twin_watermark; /* durable */
	bool twin_counts;        /* … as is this: it has taken the member's place */
	unsigned ops, faults, rebuilds, copies, cancels, crashes, restarts;
};

#define REQUIRE(s, cond, ...)                                                                      \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "seed %llu: %s: ", (unsigned long long)(s)->seed, #cond);  \
			fprintf(stderr, __VA_ARGS__);                                              \
			fprintf(stderr, "\n");                                                     \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static inline uint64_t below(struct sim *s, uint64_t n)
{
	return rng_below(&s->rng, n);
}

static inline bool chance(struct sim *s, unsigned one_in)
{
	return !below(s, one_in);
}

/* All (task). */
void sim_twin_operate(struct sim *s); /* begins one, fills it, breaks it */
void sim_twin_closed(struct sim *s);   /* before the set is opened again, perhaps after a crash */
void sim_twin_reopened(struct sim *s); /* … and afterwards */
/* The member of the twin is out. True: the twin takes its place, as a member to be filled. */
bool sim_twin_replaces(struct sim *s, unsigned m);
void sim_twin_settle(struct sim *s); /* none any more */

#endif
