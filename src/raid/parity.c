/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parity arithmetic (see parity.h), on ISA-L where its rules allow.
 *
 * xor_gen and pq_gen want pointers aligned to 32 bytes and are the fastest; blocks that come
 * straight from a caller may lie anywhere, and then ec_encode_data, which has no such rule,
 * does the same with a matrix. Two-erasure recovery is one pass of ec_encode_data over all
 * survivors. Work goes through in pieces that stay in the cache.
 */
#include "raid/parity.h"

#include <assert.h>
#include <isa-l/erasure_code.h>
#include <isa-l/raid.h>
#include <string.h>

#define PIECE     (32u * 1024)
#define MAX_SLOTS 64
#define MAX_SRC   (2 * MAX_SLOTS + 2)

static const _Alignas(64) uint8_t zeros[PIECE];

/* ---- the field --------------------------------------------------------------------------- */

static const uint8_t inverse_exponent = 254; /* a^254 = 1/a */

uint8_t parity_mul(uint8_t a, uint8_t b)
{
	unsigned x = a, sum = 0;

	for (; b; b >>= 1) {
		if (b & 1)
			sum ^= x;
		x = (x << 1) ^ (x & 0x80 ? 0x11D : 0);
	}
	return (uint8_t)sum;
}

uint8_t parity_pow2(unsigned e)
{
	uint8_t x = 1;

	for (e %= 255; e; e--)
		x = (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1D : 0));
	return x;
}

uint8_t parity_inv(uint8_t a)
{
	uint8_t result = 1, square = a;

	assert(a);
	for (unsigned e = inverse_exponent; e; e >>= 1) {
		if (e & 1)
			result = parity_mul(result, square);
		square = parity_mul(square, square);
	}
	return result;
}

unsigned parity_log2(uint8_t a)
{
	uint8_t x = 1;
	unsigned e = 0;

	assert(a);
	while (x != a) {
		x = (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1D : 0));
		e++;
	}
	return e;
}

/* ---- sums -------------------------------------------------------------------------------- */

static bool aligned(const void *p)
{
	return !((uintptr_t)p & 31);
}

static bool all_aligned(const void *const *v, unsigned count)
{
	uintptr_t bits = 0;

	for (unsigned i = 0; i < count; i++)
		bits |= (uintptr_t)v[i];
	return !(bits & 31);
}

/* One linear combination per row of coefficients, one pass over the sources. */
static void combine(unsigned count, unsigned rows, uint8_t *coef, const void *const *src,
	void *const *dst, size_t len)
{
	uint8_t tables[32 * MAX_SRC * 2];
	unsigned char *s[MAX_SRC], *d[2];

	ec_init_tables((int)count, (int)rows, coef, tables);
	for (size_t at = 0; at < len; at += PIECE) {
		size_t n = len - at < PIECE ? len - at : PIECE;

		for (unsigned i = 0; i < count; i++)
			s[i] = (unsigned char *)src[i] + at;
		for (unsigned i = 0; i < rows; i++)
			d[i] = (unsigned char *)dst[i] + at;
		ec_encode_data((int)n, (int)count, (int)rows, tables, s, d);
	}
}

static void xor_aligned(void *dst, const void *const *src, unsigned count, size_t len)
{
	void *v[MAX_SRC + 1];

	for (size_t at = 0; at < len; at += PIECE) {
		size_t n = len - at < PIECE ? len - at : PIECE;

		for (unsigned i = 0; i < count; i++)
			v[i] = (char *)src[i] + at;
		v[count] = (char *)dst + at;
		xor_gen((int)count + 1, (int)n, v);
	}
}

void parity_xor(void *dst, const void *const *src, unsigned count, size_t len)
{
	uint8_t ones[MAX_SRC];

	assert(count <= MAX_SRC && len % 64 == 0);
	if (!count) {
		memset(dst, 0, len);
	} else if (count == 1) {
		memcpy(dst, src[0], len);
	} else if (aligned(dst) && all_aligned(src, count)) {
		xor_aligned(dst, src, count, len);
	} else {
		memset(ones, 1, count);
		combine(count, 1, ones, src, &dst, len);
	}
}

/* ---- generating -------------------------------------------------------------------------- */

static bool is_data(const struct parity_group *g, unsigned m)
{
	return (int)m != g->p && (int)m != g->q;
}

static void generate_pq_aligned(
	const struct parity_group *g, const void *const *v, size_t len, void *p, void *q)
{
	void *a[MAX_SLOTS + 2];

	for (size_t at = 0; at < len; at += PIECE) {
		size_t n = len - at < PIECE ? len - at : PIECE;

		for (unsigned m = 0; m < g->n; m++)
			a[m] = is_data(g, m) ? (char *)v[m] + at : (char *)zeros;
		a[g->n] = (char *)p + at;
		a[g->n + 1] = (char *)q + at;
		pq_gen((int)g->n + 2, (int)n, a);
	}
}

void parity_generate(
	const struct parity_group *g, const void *const *v, size_t len, void *p, void *q)
{
	const void *src[MAX_SLOTS];
	uint8_t coef[2 * MAX_SLOTS], *pc = coef, *qc;
	void *dst[2];
	unsigned count = 0, rows = 0;

	assert(len % 64 == 0);
	for (unsigned m = 0; m < g->n; m++)
		if (is_data(g, m))
			src[count++] = v[m];
	if (!q) {
		if (p)
			parity_xor(p, src, count, len);
		return;
	}
	if (p && aligned(p) && aligned(q) && all_aligned(src, count)) {
		generate_pq_aligned(g, v, len, p, q);
		return;
	}
	if (p) {
		memset(pc, 1, count);
		dst[rows++] = p;
	}
	qc = coef + rows * count;
	dst[rows++] = q;
	for (unsigned m = 0; m < g->n; m++)
		if (is_data(g, m))
			*qc++ = parity_pow2(m);
	combine(count, rows, coef, src, dst, len);
}

void parity_update(const struct parity_group *g, uint64_t mask, const void *const *old_data,
	const void *const *new_data, size_t len, const void *p_old, void *p_new, const void *q_old,
	void *q_new)
{
	const void *src[MAX_SRC];
	uint8_t coef[MAX_SRC];
	unsigned count = 1;

	assert(len % 64 == 0);
	coef[0] = 1;
	for (unsigned m = 0; m < g->n; m++) {
		if (!(mask >> m & 1) || !is_data(g, m))
			continue;
		coef[count] = coef[count + 1] = parity_pow2(m);
		src[count++] = old_data[m];
		src[count++] = new_data[m];
	}
	if (p_new) {
		src[0] = p_old;
		parity_xor(p_new, src, count, len);
	}
	if (q_new) {
		src[0] = q_old;
		combine(count, 1, coef, src, &q_new, len);
	}
}

/* ---- recovering -------------------------------------------------------------------------- */

struct plan {
	uint64_t data_lost; /* data slots that are lost */
	bool use_p, use_q;  /* parities read to restore data */
};

static bool make_plan(const struct parity_group *g, uint64_t lost, struct plan *plan)
{
	uint64_t parity =
		(g->p >= 0 ? UINT64_C(1) << g->p : 0) | (g->q >= 0 ? UINT64_C(1) << g->q : 0);
	bool have_p = g->p >= 0 && !(lost >> g->p & 1);
	bool have_q = g->q >= 0 && !(lost >> g->q & 1);

	*plan = (struct plan){.data_lost = lost & ~parity};
	switch (__builtin_popcountll(plan->data_lost)) {
	case 0:
		return true;
	case 1:
		plan->use_p = have_p;
		plan->use_q = !have_p && have_q;
		return have_p || have_q;
	case 2:
		plan->use_p = plan->use_q = true;
		return have_p && have_q;
	default:
		return false;
	}
}

uint64_t parity_sources(const struct parity_group *g, uint64_t lost, uint64_t want)
{
	uint64_t sources = 0;
	struct plan plan;

	if (!want || !make_plan(g, lost, &plan))
		return 0;
	for (unsigned m = 0; m < g->n; m++)
		if (is_data(g, m) && !(lost >> m & 1))
			sources |= UINT64_C(1) << m;
	if (plan.use_p)
		sources |= UINT64_C(1) << g->p;
	if (plan.use_q)
		sources |= UINT64_C(1) << g->q;
	return sources;
}

/* Lost data x from P: the sum of everything else. */
static void recover_by_p(const struct parity_group *g, unsigned x, void *const *v, size_t len)
{
	const void *src[MAX_SLOTS];
	unsigned count = 0;

	for (unsigned m = 0; m < g->n; m++)
		if (is_data(g, m) && m != x)
			src[count++] = v[m];
	src[count++] = v[g->p];
	parity_xor(v[x], src, count, len);
}

/* Lost data x from Q: (Q + sum of 2^m D[m]) / 2^x. */
static void recover_by_q(const struct parity_group *g, unsigned x, void *const *v, size_t len)
{
	const void *src[MAX_SLOTS];
	uint8_t coef[MAX_SLOTS], scale = parity_inv(parity_pow2(x));
	unsigned count = 0;

	for (unsigned m = 0; m < g->n; m++) {
		if (is_data(g, m) && m != x) {
			coef[count] = parity_mul(parity_pow2(m), scale);
			src[count++] = v[m];
		}
	}
	coef[count] = scale;
	src[count++] = v[g->q];
	combine(count, 1, coef, src, &v[x], len);
}

/*
 * Lost data x and y. With A = P + sum D and B = Q + sum 2^m D over the survivors:
 * D[x] = (2^y A + B) / (2^x + 2^y) and D[y] = (2^x A + B) / (2^x + 2^y), so the factors of
 * survivor m are (2^y + 2^m) / (2^x + 2^y) and (2^x + 2^m) / (2^x + 2^y).
 */
static void recover_two(
	const struct parity_group *g, unsigned x, unsigned y, void *const *v, size_t len)
{
	const void *src[MAX_SLOTS];
	uint8_t cx[MAX_SLOTS], cy[MAX_SLOTS], coef[2 * MAX_SLOTS];
	uint8_t gx = parity_pow2(x), gy = parity_pow2(y), scale = parity_inv(gx ^ gy);
	unsigned count = 0;
	void *dst[2] = {v[x], v[y]};

	for (unsigned m = 0; m < g->n; m++) {
		if (!is_data(g, m) || m == x || m == y)
			continue;
		cx[count] = parity_mul(gy ^ parity_pow2(m), scale);
		cy[count] = parity_mul(gx ^ parity_pow2(m), scale);
		src[count++] = v[m];
	}
	cx[count] = parity_mul(gy, scale);
	cy[count] = parity_mul(gx, scale);
	src[count++] = v[g->p];
	cx[count] = cy[count] = scale;
	src[count++] = v[g->q];
	memcpy(coef, cx, count);
	memcpy(coef + count, cy, count);
	combine(count, 2, coef, src, dst, len);
}

bool parity_recover_some(
	const struct parity_group *g, uint64_t lost, uint64_t want, void *const *v, size_t len)
{
	struct plan plan;
	bool want_p = g->p >= 0 && want >> g->p & 1;
	bool want_q = g->q >= 0 && want >> g->q & 1;
	unsigned x;

	assert(len % 64 == 0);
	if (!want)
		return true;
	if (!make_plan(g, lost, &plan))
		return false;
	if (plan.data_lost) {
		x = (unsigned)__builtin_ctzll(plan.data_lost);
		if (plan.use_p && plan.use_q)
			recover_two(g, x, 63u - (unsigned)__builtin_clzll(plan.data_lost), v, len);
		else if (plan.use_p)
			recover_by_p(g, x, v, len);
		else
			recover_by_q(g, x, v, len);
	}
	if (want_p || want_q)
		parity_generate(g, (const void *const *)v, len, want_p ? v[g->p] : NULL,
			want_q ? v[g->q] : NULL);
	return true;
}

bool parity_recover(const struct parity_group *g, uint64_t lost, void *const *v, size_t len)
{
	return parity_recover_some(g, lost, lost, v, len);
}

/* ---- locating ---------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *p, size_t len)
{
	for (; len; len--)
		if (*p++)
			return false;
	return true;
}

int parity_locate(const struct parity_group *g, const void *sp, const void *sq, size_t len)
{
	const uint8_t *p = sp, *q = sq;
	bool p_clean = is_zero(p, len), q_clean = is_zero(q, len);
	unsigned z;
	uint8_t factor;
	size_t i = 0;

	if (p_clean && q_clean)
		return -1;
	if (q_clean)
		return g->p;
	if (p_clean)
		return g->q;
	while (!p[i])
		i++;
	if (!q[i])
		return -2;
	z = (parity_log2(q[i]) + 255 - parity_log2(p[i])) % 255;
	if (z >= g->n || !is_data(g, z))
		return -2;
	factor = parity_pow2(z);
	for (i = 0; i < len; i++)
		if (q[i] != parity_mul(p[i], factor))
			return -2;
	return (int)z;
}
