/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded random numbers (xoshiro256**). The engine draws all its randomness from one of
 * these, so a seed replays a history exactly. Not for secrets. Not thread-safe.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t s[4];
};

void rng_seed(struct rng *r, uint64_t seed);

/* Seeds from the kernel's entropy. Returns 0 or a negative errno. */
int rng_seed_system(struct rng *r);

uint64_t rng_next(struct rng *r);

/* Uniform in [0, bound); bound must not be 0. */
uint64_t rng_below(struct rng *r, uint64_t bound);

void rng_bytes(struct rng *r, void *buf, size_t len);

#endif
