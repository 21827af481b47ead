/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time, as a thing that is handed in. Code that must replay exactly never asks the kernel:
 * it gets a struct clock from whoever starts it.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
	uint64_t (*mono_ns)(const struct clock *c); /* never goes back */
	int64_t (*wall_ms)(const struct clock *c);  /* since 1970-01-01 UTC; may jump */
};

/* The machine's clocks. */
extern const struct clock clock_system;

static inline uint64_t clock_mono_ns(const struct clock *c)
{
	return c->mono_ns(c);
}

static inline uint64_t clock_mono_ms(const struct clock *c)
{
	return c->mono_ns(c) / 1000000u;
}

static inline int64_t clock_wall_ms(const struct clock *c)
{
	return c->wall_ms(c);
}

#endif
