/* SPDX-License-Identifier: Apache-2.0 */
#include "raid/parity.h"

#include "base/rng.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MAX_N 12
#define CAP   (80 * 1024)

static uint8_t *pool; /* MAX_N * 2 + 8 blocks of CAP, 64-byte aligned */
static struct rng rng;

static uint8_t *block(unsigned i)
{
	return pool + (size_t)i * CAP;
}

static void make_table(void);

static int setup(void **state)
{
	(void)state;
	rng_seed(&rng, 7);
	make_table();
	pool = aligned_alloc(64, (size_t)(2 * MAX_N + 8) * CAP);
	return !pool;
}

static int teardown(void **state)
{
	(void)state;
	free(pool);
	return 0;
}

/* ---- the bytewise reference: written from the definition, shares nothing with the code ---- */

static uint8_t ref_mul(uint8_t a, uint8_t b)
{
	unsigned product = 0;

	for (int i = 0; i < 8; i++)
		if (b >> i & 1)
			product ^= (unsigned)a << i;
	for (int i = 15; i >= 8; i--)
		if (product >> i & 1)
			product ^= 0x11Du << (i - 8);
	return (uint8_t)product;
}

static uint8_t ref_table[64][256]; /* 2^m * x, by the definition */

static void make_table(void)
{
	uint8_t power = 1;

	for (unsigned m = 0; m < 64; m++, power = ref_mul(power, 2))
		for (unsigned x = 0; x < 256; x++)
			ref_table[m][x] = ref_mul(power, (uint8_t)x);
}

static void ref_pq(
	unsigned n, int p, int q, uint8_t *const *v, size_t at, uint8_t *p_out, uint8_t *q_out)
{
	uint8_t sum_p = 0, sum_q = 0;

	for (unsigned m = 0; m < n; m++) {
		if ((int)m == p || (int)m == q)
			continue;
		sum_p ^= v[m][at];
		sum_q ^= ref_table[m][v[m][at]];
	}
	*p_out = sum_p;
	*q_out = sum_q;
}

static void field_matches_the_definition(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 256; a++)
		for (unsigned b = 0; b < 256; b++)
			assert_int_equal(parity_mul((uint8_t)a, (uint8_t)b),
				ref_mul((uint8_t)a, (uint8_t)b));
	for (unsigned a = 1; a < 256; a++) {
		assert_int_equal(ref_mul((uint8_t)a, parity_inv((uint8_t)a)), 1);
		assert_int_equal(parity_pow2(parity_log2((uint8_t)a)), a);
	}
	assert_int_equal(parity_pow2(8), 0x1D);
	assert_int_equal(parity_pow2(255), 1);
}

static void xor_of_any_count_and_alignment(void **state)
{
	static const size_t lengths[] = {64, 512, 4096, 32768, 32768 + 64, 72 * 1024};

	(void)state;
	for (unsigned count = 0; count <= MAX_N; count++) {
		for (unsigned l = 0; l < ARRAY_SIZE(lengths); l++) {
			for (unsigned shift = 0; shift < 3; shift++) {
				const void *src[MAX_N];
				uint8_t *dst = block(count) + (shift == 2),
					*want = block(MAX_N + 1);
				size_t len = lengths[l];

				for (unsigned i = 0; i < count; i++) {
					uint8_t *b = block(i) + (shift == 1 ? 1 + i : 0);

					rng_bytes(&rng, b, len);
					src[i] = b;
				}
				dst[len] = 0xA5;
				parity_xor(dst, src, count, len);
				memset(want, 0, len);
				for (unsigned i = 0; i < count; i++)
					for (size_t at = 0; at < len; at++)
						want[at] ^= ((const uint8_t *)src[i])[at];
				assert_memory_equal(dst, want, len);
				assert_int_equal(dst[len], 0xA5);
			}
		}
	}
}

/* A consistent row in blocks 0 … n-1. */
static void fill_row(unsigned n, int p, int q, size_t len, unsigned shift, uint8_t **v)
{
	for (unsigned m = 0; m < n; m++) {
		v[m] = block(m) + shift * (m + 1);
		rng_bytes(&rng, v[m], len);
	}
	for (size_t at = 0; at < len; at++) {
		uint8_t pb, qb;

		ref_pq(n, p, q, v, at, &pb, &qb);
		if (p >= 0)
			v[p][at] = pb;
		if (q >= 0)
			v[q][at] = qb;
	}
}

static void generation_matches_the_reference(void **state)
{
	(void)state;
	for (unsigned n = 3; n <= MAX_N; n++) {
		for (unsigned row = 0; row < n; row++) {
			for (unsigned kind = 0; kind < 8; kind++) {
				unsigned shift = kind & 1, six = n >= 4 && kind & 2,
					 long_ = kind & 4;
				int p = (int)(n - 1 - row),
				    q = six ? (int)((n - 1 - row + n - 1) % n) : -1;
				struct parity_group g = {n, p, q};
				size_t len = long_ && row < 2 ? 33 * 1024 : 512;
				uint8_t *v[MAX_N], *pp = block(MAX_N), *qq = block(MAX_N + 1);

				fill_row(n, p, q, len, shift, v);
				memset(pp, 0x5A, len);
				memset(qq, 0x5A, len);
				parity_generate(
					&g, (const void *const *)v, len, pp, six ? qq : NULL);
				assert_memory_equal(pp, v[p], len);
				if (!six)
					continue;
				assert_memory_equal(qq, v[q], len);
				memset(qq, 0x5A, len);
				parity_generate(&g, (const void *const *)v, len, NULL, qq);
				assert_memory_equal(qq, v[q], len);
			}
		}
	}
}

static void updates_match_regeneration(void **state)
{
	(void)state;
	for (unsigned n = 4; n <= MAX_N; n++) {
		for (unsigned round = 0; round < 12; round++) {
			int p = (int)rng_below(&rng, n), q = (int)((unsigned)p + n - 1) % (int)n;
			struct parity_group g = {n, p, q};
			uint64_t mask = rng_next(&rng) & ((1u << n) - 1) & ~(1u << p) & ~(1u << q);
			size_t len = 1024;
			uint8_t *v[MAX_N], *fresh[MAX_N], *after[MAX_N];
			uint8_t *pn = block(2 * MAX_N), *qn = block(2 * MAX_N + 1);

			fill_row(n, p, q, len, round & 1, v);
			for (unsigned m = 0; m < n; m++) {
				fresh[m] = block(MAX_N + m);
				rng_bytes(&rng, fresh[m], len);
				after[m] = mask >> m & 1 ? fresh[m] : v[m];
			}
			parity_update(&g, mask, (const void *const *)v, (const void *const *)fresh,
				len, v[p], pn, v[q], qn);
			for (size_t at = 0; at < len; at++) {
				uint8_t pb, qb;

				ref_pq(n, p, q, after, at, &pb, &qb);
				assert_int_equal(pn[at], pb);
				assert_int_equal(qn[at], qb);
			}
		}
	}
}

static void try_erasures(const struct parity_group *g, uint64_t lost, uint64_t want, unsigned shift)
{
	uint8_t *v[MAX_N], *keep = block(2 * MAX_N);
	uint64_t sources = parity_sources(g, lost, want);
	size_t len = 512;

	fill_row(g->n, g->p, g->q, len, shift, v);
	for (unsigned m = 0; m < g->n; m++)
		memcpy(keep + m * len, v[m], len);
	assert_int_equal(sources & lost, 0);
	for (unsigned m = 0; m < g->n; m++) /* only the sources may matter */
		if (!(sources >> m & 1))
			rng_bytes(&rng, v[m], len);
	assert_true(parity_recover_some(g, lost, want, (void *const *)v, len));
	for (unsigned m = 0; m < g->n; m++)
		if ((want | sources) >> m & 1)
			assert_memory_equal(v[m], keep + m * len, len);
}

static void every_loss_of_one_and_two_is_recovered(void **state)
{
	(void)state;
	for (unsigned n = 3; n <= MAX_N; n++) {
		for (unsigned row = 0; row < n; row++) {
			int p = (int)(n - 1 - row);
			struct parity_group five = {n, p, -1};
			struct parity_group six = {n, p, (int)(((unsigned)p + n - 1) % n)};

			for (unsigned x = 0; x < n; x++) {
				try_erasures(&five, UINT64_C(1) << x, UINT64_C(1) << x, x & 1);
				for (unsigned y = 0; n >= 4 && y <= x; y++) {
					uint64_t lost = UINT64_C(1) << x | UINT64_C(1) << y;

					try_erasures(&six, lost, lost, (x + y) & 1);
					try_erasures(&six, lost, UINT64_C(1) << x, (x + y) & 1);
					try_erasures(&six, lost, UINT64_C(1) << y, 0);
				}
			}
		}
	}
}

static void too_many_losses_are_refused(void **state)
{
	struct parity_group five = {5, 4, -1}, six = {6, 5, 4};
	void *v[MAX_N] = {NULL}; /* nothing may be touched */

	(void)state;
	assert_false(parity_recover(&five, 0x3, v, 512));
	assert_false(parity_recover(&five, 0x11, v, 512));
	assert_false(parity_recover(&six, 0x7, v, 512));
	assert_false(parity_recover(&six, 0x31, v, 512));
	assert_false(parity_recover(&six, 0x13, v, 512));
	assert_int_equal(parity_sources(&six, 0x7, 0x1), 0);
}

static void single_errors_are_located(void **state)
{
	(void)state;
	for (unsigned n = 4; n <= MAX_N; n++) {
		for (unsigned bad = 0; bad < n; bad++) {
			struct parity_group g = {n, (int)(n / 2), (int)(n / 2 - 1)};
			uint8_t *v[MAX_N], *sp = block(MAX_N), *sq = block(MAX_N + 1);
			size_t len = 512, hit = rng_below(&rng, len);

			fill_row(n, g.p, g.q, len, 0, v);
			v[bad][hit] ^= (uint8_t)(1 + rng_below(&rng, 255));
			v[bad][(hit + 77) % len] ^= (uint8_t)(1 + rng_below(&rng, 255));
			for (size_t at = 0; at < len; at++) {
				ref_pq(n, g.p, g.q, v, at, &sp[at], &sq[at]);
				sp[at] ^= v[g.p][at];
				sq[at] ^= v[g.q][at];
			}
			assert_int_equal(parity_locate(&g, sp, sq, len), bad);
			memset(sp, 0, len);
			memset(sq, 0, len);
			assert_int_equal(parity_locate(&g, sp, sq, len), -1);
		}
	}
}

static void unexplained_errors_are_not_located(void **state)
{
	struct parity_group g = {6, 5, 4};
	uint8_t sp[512], sq[512];

	(void)state;
	for (unsigned x = 0; x < 4; x++) {
		for (unsigned y = 0; y < x; y++) { /* two data blocks wrong at different bytes */
			memset(sp, 0, sizeof(sp));
			memset(sq, 0, sizeof(sq));
			sp[3] = 9;
			sq[3] = ref_mul(9, parity_pow2(x));
			sp[200] = 77;
			sq[200] = ref_mul(77, parity_pow2(y));
			assert_int_equal(parity_locate(&g, sp, sq, sizeof(sp)), -2);
		}
	}
	memset(sp, 0, sizeof(sp));
	memset(sq, 0, sizeof(sq));
	sp[0] = 1;
	sq[0] = parity_pow2(200); /* no such slot */
	assert_int_equal(parity_locate(&g, sp, sq, sizeof(sp)), -2);
	sq[0] = parity_pow2(5); /* slot of P: its error would leave sq alone */
	assert_int_equal(parity_locate(&g, sp, sq, sizeof(sp)), -2);
	sq[0] = 0;
	sq[1] = 1; /* P wrong at one byte, Q at another */
	assert_int_equal(parity_locate(&g, sp, sq, sizeof(sp)), -2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(field_matches_the_definition),
		cmocka_unit_test(xor_of_any_count_and_alignment),
		cmocka_unit_test(generation_matches_the_reference),
		cmocka_unit_test(updates_match_regeneration),
		cmocka_unit_test(every_loss_of_one_and_two_is_recovered),
		cmocka_unit_test(too_many_losses_are_refused),
		cmocka_unit_test(single_errors_are_located),
		cmocka_unit_test(unexplained_errors_are_not_located),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
