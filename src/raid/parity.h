/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parity arithmetic over GF(2^8), polynomial 0x11D, generator 2:
 *
 *	P = sum of D[m],   Q = sum of 2^m * D[m],   m = member slot in the group, 0 … n-1
 *
 * with the slots of P and Q themselves counting as zero blocks (the order of DDF). Blocks are
 * given per slot: v[m] is member m's block; entries for slots that hold no data are ignored.
 *
 * Lengths are multiples of 64 bytes; pointers need no alignment (32-byte aligned ones are
 * faster). Outputs must not overlap inputs unless said. No function allocates or fails.
 */
#ifndef RAID_PARITY_H
#define RAID_PARITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One parity group: n slots, where P and Q sit (-1: that parity does not exist). */
struct parity_group {
	unsigned n;
	int p, q;
};

uint8_t parity_mul(uint8_t a, uint8_t b);
uint8_t parity_pow2(unsigned e); /* 2^e */
uint8_t parity_inv(uint8_t a);   /* a != 0 */
unsigned parity_log2(uint8_t a); /* e < 255 with 2^e = a; a != 0 */

/* dst = src[0] ^ … ^ src[count-1]; count 0 gives zeros. */
void parity_xor(void *dst, const void *const *src, unsigned count, size_t len);

/* Computes P and/or Q from the data blocks in v; p or q may be NULL. */
void parity_generate(
	const struct parity_group *g, const void *const *v, size_t len, void *p, void *q);

/*
 * The parity after some data slots changed: p_new = p_old ^ sum(old ^ new) and the like for Q,
 * over the slots in mask. Each of the pairs (p_old, p_new), (q_old, q_new) may be NULL.
 */
void parity_update(const struct parity_group *g, uint64_t mask, const void *const *old_data,
	const void *const *new_data, size_t len, const void *p_old, void *p_new, const void *q_old,
	void *q_new);

/*
 * Restores the blocks of the slots in lost (data, P and Q alike) from the others. All v[m] are
 * buffers; those of lost slots are written. Returns false, and does nothing, when lost names
 * more slots than there are parities.
 */
bool parity_recover(const struct parity_group *g, uint64_t lost, void *const *v, size_t len);

/* Slots (bit mask) that parity_recover reads to restore what `want` names when `lost` is lost;
 * want must be part of lost, and recoverable. */
uint64_t parity_sources(const struct parity_group *g, uint64_t lost, uint64_t want);

/*
 * Restores only the slots in want (part of lost), reading only parity_sources(lost, want). The
 * lost data slots that are not wanted need buffers as well: they may be restored on the way.
 * False when that is not possible.
 */
bool parity_recover_some(
	const struct parity_group *g, uint64_t lost, uint64_t want, void *const *v, size_t len);

/*
 * RAID 6: which slot of a row is wrong, supposing at most one is? sp and sq are the syndromes
 * (stored parity ^ computed parity). Answers -1 when all is well, -2 when no single slot
 * explains it, else the slot; for a data slot, adding sp to it mends it.
 */
int parity_locate(const struct parity_group *g, const void *sp, const void *sq, size_t len);

#endif
