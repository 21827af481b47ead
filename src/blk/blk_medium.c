/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The medium of a simulated disk. Content lies in pages of 64 KiB, made when first written,
 * in a two-level table. A page has the stable bytes and, over them, the writes that completed
 * since the last flush, cut at page borders ("fragments"), in order of completion. A reader
 * sees the stable bytes with all fragments applied; a flush applies those that completed
 * before it was submitted.
 *
 * A power cut gives each unstable write a fate (lost, whole, torn: each sector by a coin) and
 * all of them a random order, and applies what is left in that order. So for every sector any
 * of the values that may be there can turn up, independently of other sectors.
 *
 * A stable write takes the sectors it covers out of the fragments that completed before it
 * (their mask), for none of those may show again. A page with many fragments gives its oldest
 * to the stable bytes: a disk may write back whenever it likes, and reads stay fast.
 *
 * Tests only: out of memory aborts.
 */
#include "blk/blk_medium.h"

#include "base/rng.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE          65536u
#define SECTOR        512u
#define SECTORS       (PAGE / SECTOR)
#define LEAF          512u /* pages per leaf */
#define FRAGMENTS_MAX 64u
#define IN_FLIGHT     UINT64_MAX

struct fragment {
	struct list link;
	uint64_t write;              /* all fragments of a write have the same */
	uint64_t completed;          /* position in the order of completions, or IN_FLIGHT */
	uint32_t first, count;       /* sectors of the page */
	uint64_t mask[SECTORS / 64]; /* sectors of the page that still matter */
	uint8_t *data;               /* count sectors, or NULL = zeros */
};

struct page {
	uint8_t *stable; /* NULL = zeros */
	struct list fragments;
	unsigned fragment_count;
	struct list dirty; /* in blk_medium.dirty while it has fragments */
};

struct leaf {
	struct page *page[LEAF];
};

struct blk_medium {
	uint64_t size_bytes;
	uint32_t logical_block;
	size_t leaves;
	struct leaf **leaf;
	struct list dirty;
	struct list users;
	uint64_t completions, writes;
	uint8_t *scratch; /* PAGE bytes */
};

/* The part of a request that lies in one page. */
struct piece {
	uint64_t page;
	uint32_t at, length; /* bytes in the page */
};

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static struct piece piece_at(uint64_t offset, uint64_t length)
{
	struct piece p = {.page = offset / PAGE, .at = (uint32_t)(offset % PAGE)};

	p.length = PAGE - p.at < length ? PAGE - p.at : (uint32_t)length;
	return p;
}

static struct page *page_find(const struct blk_medium *m, uint64_t number)
{
	struct leaf *leaf = m->leaf[number / LEAF];

	return leaf ? leaf->page[number % LEAF] : NULL;
}

static struct page *page_make(struct blk_medium *m, uint64_t number)
{
	struct leaf **leaf = &m->leaf[number / LEAF];
	struct page **page;

	if (!*leaf)
		*leaf = must(calloc(1, sizeof(**leaf)));
	page = &(*leaf)->page[number % LEAF];
	if (!*page) {
		*page = must(calloc(1, sizeof(**page)));
		list_init(&(*page)->fragments);
		list_init(&(*page)->dirty);
	}
	return *page;
}

/* ---- fragments ----------------------------------------------------------------------------- */

static bool masked(const struct fragment *f, uint32_t sector)
{
	return f->mask[sector / 64] >> (sector % 64) & 1;
}

static void fragment_drop(struct page *page, struct fragment *f)
{
	list_del(&f->link);
	page->fragment_count--;
	if (page->fragment_count == 0)
		list_del(&page->dirty);
	free(f->data);
	free(f);
}

/* One sector of a fragment into a buffer that begins at sector base of the page. */
static void fragment_copy(const struct fragment *f, uint32_t sector, uint8_t *buf, uint32_t base)
{
	uint8_t *to = buf + (size_t)(sector - base) * SECTOR;

	if (f->data)
		memcpy(to, f->data + (size_t)(sector - f->first) * SECTOR, SECTOR);
	else
		memset(to, 0, SECTOR);
}

/* Applies to the stable bytes; with a coin only about half of the sectors. */
static void fragment_apply(struct page *page, const struct fragment *f, struct rng *coin)
{
	if (!page->stable)
		page->stable = must(calloc(1, PAGE));
	for (uint32_t s = f->first; s < f->first + f->count; s++) {
		if (masked(f, s) && !(coin && rng_below(coin, 2)))
			fragment_copy(f, s, page->stable, 0);
	}
}

static void destage_oldest(struct page *page)
{
	struct fragment *f = list_first(&page->fragments, struct fragment, link);

	fragment_apply(page, f, NULL);
	fragment_drop(page, f);
}

/* ---- access -------------------------------------------------------------------------------- */

/* What a reader sees of some sectors of a page. */
static void page_view(const struct page *page, uint32_t first, uint32_t count, uint8_t *buf)
{
	struct list *pos, *tmp;

	if (page && page->stable)
		memcpy(buf, page->stable + (size_t)first * SECTOR, (size_t)count * SECTOR);
	else
		memset(buf, 0, (size_t)count * SECTOR);
	if (!page)
		return;
	list_for_each (pos, tmp, &page->fragments) {
		const struct fragment *f = list_entry(pos, struct fragment, link);
		uint32_t from = f->first > first ? f->first : first;
		uint32_t to =
			f->first + f->count < first + count ? f->first + f->count : first + count;

		for (uint32_t s = from; s < to; s++) {
			if (masked(f, s))
				fragment_copy(f, s, buf, first);
		}
	}
}

void blk_medium_read(struct blk_medium *m, uint64_t offset, void *buf, size_t length)
{
	uint8_t *to = buf;

	assert(offset <= m->size_bytes && length <= m->size_bytes - offset);
	while (length) {
		struct piece p = piece_at(offset, length);
		uint32_t first = p.at / SECTOR;
		uint32_t end = (p.at + p.length + SECTOR - 1) / SECTOR;

		page_view(page_find(m, p.page), first, end - first, m->scratch);
		memcpy(to, m->scratch + p.at % SECTOR, p.length);
		to += p.length;
		offset += p.length;
		length -= p.length;
	}
}

/* A position in an iovec. */
struct cursor {
	const struct iovec *iov;
	int left;
	size_t at;
};

static void cursor_copy(struct cursor *c, uint8_t *to, size_t length)
{
	while (length) {
		size_t n = c->iov->iov_len - c->at;

		assert(c->left > 0);
		if (n == 0) {
			c->iov++;
			c->left--;
			c->at = 0;
			continue;
		}
		if (n > length)
			n = length;
		memcpy(to, (uint8_t *)c->iov->iov_base + c->at, n);
		c->at += n;
		to += n;
		length -= n;
	}
}

static void add_fragments(struct blk_medium *m, uint64_t offset, uint64_t length,
	const struct iovec *iov, int iovcnt, uint64_t completed)
{
	struct cursor c = {.iov = iov, .left = iovcnt};

	m->writes++;
	while (length) {
		struct piece p = piece_at(offset, length);
		struct page *page = page_make(m, p.page);
		struct fragment *f = must(calloc(1, sizeof(*f)));

		f->write = m->writes;
		f->completed = completed;
		f->first = p.at / SECTOR;
		f->count = p.length / SECTOR;
		for (uint32_t s = f->first; s < f->first + f->count; s++)
			f->mask[s / 64] |= (uint64_t)1 << (s % 64);
		if (iov) {
			f->data = must(malloc(p.length));
			cursor_copy(&c, f->data, p.length);
		}
		if (page->fragment_count == 0)
			list_add_tail(&m->dirty, &page->dirty);
		list_add_tail(&page->fragments, &f->link);
		page->fragment_count++;
		if (page->fragment_count > FRAGMENTS_MAX && completed != IN_FLIGHT)
			destage_oldest(page);
		offset += p.length;
		length -= p.length;
	}
}

void medium_write_cached(
	struct blk_medium *m, uint64_t offset, uint64_t length, const struct iovec *iov, int iovcnt)
{
	add_fragments(m, offset, length, iov, iovcnt, ++m->completions);
}

void medium_add_in_flight(
	struct blk_medium *m, uint64_t offset, uint64_t length, const struct iovec *iov, int iovcnt)
{
	add_fragments(m, offset, length, iov, iovcnt, IN_FLIGHT);
}

static void supersede(struct page *page, uint32_t first, uint32_t count)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &page->fragments) {
		struct fragment *f = list_entry(pos, struct fragment, link);

		for (uint32_t s = first; s < first + count; s++)
			f->mask[s / 64] &= ~((uint64_t)1 << (s % 64));
		if (!f->mask[0] && !f->mask[1])
			fragment_drop(page, f);
	}
}

void medium_write_stable(
	struct blk_medium *m, uint64_t offset, uint64_t length, const struct iovec *iov, int iovcnt)
{
	struct cursor c = {.iov = iov, .left = iovcnt};

	m->completions++;
	while (length) {
		struct piece p = piece_at(offset, length);
		struct page *page = page_make(m, p.page);

		supersede(page, p.at / SECTOR, p.length / SECTOR);
		if (iov) {
			if (!page->stable)
				page->stable = must(calloc(1, PAGE));
			cursor_copy(&c, page->stable + p.at, p.length);
		} else if (p.length == PAGE) {
			free(page->stable);
			page->stable = NULL;
		} else if (page->stable) {
			memset(page->stable + p.at, 0, p.length);
		}
		offset += p.length;
		length -= p.length;
	}
}

void blk_medium_write(struct blk_medium *m, uint64_t offset, const void *buf, size_t length)
{
	const uint8_t *from = buf;

	assert(offset <= m->size_bytes && length <= m->size_bytes - offset);
	while (length) {
		struct piece p = piece_at(offset, length);
		uint32_t first = p.at / SECTOR;
		uint32_t count = (p.at + p.length + SECTOR - 1) / SECTOR - first;
		struct iovec iov = {.iov_base = m->scratch, .iov_len = (size_t)count * SECTOR};

		page_view(page_find(m, p.page), first, count, m->scratch);
		memcpy(m->scratch + p.at % SECTOR, from, p.length);
		medium_write_stable(
			m, p.page * PAGE + (uint64_t)first * SECTOR, iov.iov_len, &iov, 1);
		from += p.length;
		offset += p.length;
		length -= p.length;
	}
}

uint64_t medium_mark(const struct blk_medium *m)
{
	return m->completions;
}

void medium_flush(struct blk_medium *m, uint64_t mark)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &m->dirty) {
		struct page *page = list_entry(pos, struct page, dirty);
		struct fragment *f;

		while ((f = list_first(&page->fragments, struct fragment, link)) &&
			f->completed <= mark)
			destage_oldest(page);
	}
}

/* ---- crashes ------------------------------------------------------------------------------- */

enum fate { FATE_LOST, FATE_WHOLE, FATE_TORN };

/* The same for all fragments of a write, whatever page they are in. */
static uint64_t fate_bits(uint64_t salt, uint64_t write)
{
	struct rng r;

	rng_seed(&r, salt ^ (write * 0x9e3779b97f4a7c15u));
	return rng_next(&r);
}

struct ordered {
	uint64_t key;
	struct fragment *f;
};

static int by_key(const void *a, const void *b)
{
	uint64_t x = ((const struct ordered *)a)->key, y = ((const struct ordered *)b)->key;

	return x < y ? -1 : x > y;
}

/* Settles one page: nothing unstable is left in it. */
static void settle(struct page *page, uint64_t salt, struct rng *rng)
{
	size_t n = page->fragment_count, i = 0;
	struct ordered *order = must(calloc(n, sizeof(*order)));
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &page->fragments) {
		struct fragment *f = list_entry(pos, struct fragment, link);

		order[i++] = (struct ordered){fate_bits(salt, f->write), f};
	}
	qsort(order, n, sizeof(*order), by_key);
	for (i = 0; i < n; i++) {
		switch ((enum fate)(fate_bits(~salt, order[i].f->write) % 3)) {
		case FATE_LOST:
			break;
		case FATE_WHOLE:
			fragment_apply(page, order[i].f, NULL);
			break;
		case FATE_TORN:
			fragment_apply(page, order[i].f, rng);
			break;
		}
		fragment_drop(page, order[i].f);
	}
	free(order);
}

static void all_die(struct blk_medium *m)
{
	struct medium_user *user;

	while ((user = list_first(&m->users, struct medium_user, link))) {
		list_del(&user->link);
		user->die(user);
	}
}

static void settle_all(struct blk_medium *m, struct rng *rng)
{
	uint64_t salt = rng_next(rng);
	struct page *page;

	while ((page = list_first(&m->dirty, struct page, dirty)))
		settle(page, salt, rng);
}

void blk_medium_crash(struct blk_medium *m, struct rng *rng)
{
	all_die(m);
	settle_all(m, rng);
}

void blk_medium_kill(struct blk_medium *m, struct rng *rng)
{
	medium_flush(m, m->completions);
	all_die(m);
	settle_all(m, rng);
}

/* ---- life ---------------------------------------------------------------------------------- */

void medium_attach(struct blk_medium *m, struct medium_user *user)
{
	list_add_tail(&m->users, &user->link);
}

void medium_detach(struct blk_medium *m, struct medium_user *user)
{
	(void)m;
	list_del(&user->link);
}

uint64_t medium_size(const struct blk_medium *m)
{
	return m->size_bytes;
}

uint32_t medium_logical_block(const struct blk_medium *m)
{
	return m->logical_block;
}

int blk_medium_new(uint64_t size_bytes, uint32_t logical_block, struct blk_medium **out)
{
	struct blk_medium *m;

	*out = NULL;
	if ((logical_block != 512 && logical_block != 4096) || size_bytes == 0 ||
		size_bytes % logical_block)
		return -EINVAL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->size_bytes = size_bytes;
	m->logical_block = logical_block;
	m->leaves = (size_t)((size_bytes - 1) / PAGE / LEAF + 1);
	m->leaf = calloc(m->leaves, sizeof(struct leaf *));
	m->scratch = malloc(PAGE);
	list_init(&m->dirty);
	list_init(&m->users);
	if (!m->leaf || !m->scratch) {
		blk_medium_free(m);
		return -ENOMEM;
	}
	*out = m;
	return 0;
}

static bool page_is_zero(const struct blk_medium *m)
{
	return !m->scratch[0] && !memcmp(m->scratch, m->scratch + 1, PAGE - 1);
}

int blk_medium_clone(struct blk_medium *m, struct blk_medium **out)
{
	int rc = blk_medium_new(m->size_bytes, m->logical_block, out);

	for (uint64_t n = 0; !rc && n < m->leaves * LEAF; n++) {
		const struct page *page = m->leaf[n / LEAF] ? page_find(m, n) : NULL;

		if (!page)
			continue;
		page_view(page, 0, SECTORS, m->scratch);
		if (page_is_zero(m))
			continue;
		page_make(*out, n)->stable = must(malloc(PAGE));
		memcpy(page_find(*out, n)->stable, m->scratch, PAGE);
	}
	return rc;
}

bool blk_medium_equal(struct blk_medium *a, struct blk_medium *b)
{
	if (a->size_bytes != b->size_bytes)
		return false;
	for (uint64_t n = 0; n < a->leaves * LEAF; n++) {
		const struct page *x = a->leaf[n / LEAF] ? page_find(a, n) : NULL;
		const struct page *y = b->leaf[n / LEAF] ? page_find(b, n) : NULL;

		if (!x && !y)
			continue;
		page_view(x, 0, SECTORS, a->scratch);
		page_view(y, 0, SECTORS, b->scratch);
		if (memcmp(a->scratch, b->scratch, PAGE))
			return false;
	}
	return true;
}

static void page_free(struct page *page)
{
	while (page->fragment_count)
		fragment_drop(page, list_first(&page->fragments, struct fragment, link));
	free(page->stable);
	free(page);
}

void blk_medium_free(struct blk_medium *m)
{
	if (!m)
		return;
	assert(list_empty(&m->users));
	for (size_t i = 0; m->leaf && i < m->leaves; i++) {
		if (!m->leaf[i])
			continue;
		for (size_t k = 0; k < LEAF; k++) {
			if (m->leaf[i]->page[k])
				page_free(m->leaf[i]->page[k]);
		}
		free(m->leaf[i]);
	}
	free(m->leaf);
	free(m->scratch);
	free(m);
}
