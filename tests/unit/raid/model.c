/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include <stdio.h>

#define ZERO_BIT (UINT64_C(1) << 63) /* of ids whose content is zeros */

void model_init(struct model *m, uint64_t sectors)
{
	memset(m, 0, sizeof(*m));
	m->sectors = sectors;
	m->now = 1;
	m->next_id = 1;
	m->sector = calloc(sectors, sizeof(*m->sector));
	m->touched = calloc(sectors, sizeof(*m->touched));
}

void model_fini(struct model *m)
{
	for (uint64_t s = 0; s < m->sectors; s++)
		model_cands_free(&m->sector[s]);
	free(m->sector);
	free(m->touched);
}

void model_fill(uint64_t id, uint64_t sector, uint8_t *out)
{
	uint64_t x = id * UINT64_C(0x9E3779B97F4A7C15) ^ sector * UINT64_C(0xC2B2AE3D27D4EB4F);

	if (!id || id & ZERO_BIT) {
		memset(out, 0, 512);
		return;
	}
	memcpy(out, &id, 8);
	memcpy(out + 8, &sector, 8);
	for (unsigned i = 2; i < 64; i++) {
		x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
		memcpy(out + i * 8, &x, 8);
	}
}

static struct model_cands *touch(struct model *m, uint64_t sector)
{
	struct model_cands *c = &m->sector[sector];

	if (!c->len) {
		m->touched[m->touched_len++] = sector;
		model_cands_push(
			c, (struct model_cand){.replaced = UINT64_MAX, .ok = true, .stable = true});
	}
	return c;
}

static bool replaced_durably(const struct model_cands *c, const struct model_cand *old)
{
	for (size_t i = 0; i < c->len; i++)
		if (c->items[i].stable && c->items[i].ok && c->items[i].start > old->end)
			return true;
	return false;
}

static void prune(struct model *m, struct model_cands *c)
{
	for (size_t i = 0; c->len > 6 && i < c->len;) {
		if (c->items[i].replaced < m->oldest_read && replaced_durably(c, &c->items[i]))
			model_cands_remove(c, i);
		else
			i++;
	}
}

uint64_t model_write_begin(struct model *m, uint64_t sector, uint64_t count, bool zero)
{
	uint64_t id = m->next_id++ | (zero ? ZERO_BIT : 0), start = ++m->now;

	for (uint64_t s = sector; s < sector + count; s++) {
		struct model_cands *c = touch(m, s);

		prune(m, c);
		model_cands_push(c, (struct model_cand){.id = id,
					    .start = start,
					    .end = UINT64_MAX,
					    .replaced = UINT64_MAX});
	}
	return id;
}

void model_write_end(
	struct model *m, uint64_t sector, uint64_t count, uint64_t id, bool ok, bool stable)
{
	uint64_t end = ++m->now;

	for (uint64_t s = sector; s < sector + count; s++) {
		struct model_cands *c = &m->sector[s];
		struct model_cand *self = NULL;

		for (size_t i = 0; i < c->len; i++)
			if (c->items[i].id == id)
				self = &c->items[i];
		self->end = end;
		self->ok = ok;
		self->stable = ok && stable;
		for (size_t i = 0; ok && i < c->len; i++)
			if (c->items[i].end < self->start && c->items[i].replaced > end)
				c->items[i].replaced = end;
	}
}

uint64_t model_flush_begin(struct model *m)
{
	return ++m->now;
}

void model_flush_end(struct model *m, uint64_t began)
{
	for (size_t t = 0; t < m->touched_len; t++) {
		struct model_cands *c = &m->sector[m->touched[t]];

		for (size_t i = 0; i < c->len; i++)
			if (c->items[i].ok && c->items[i].end < began)
				c->items[i].stable = true;
	}
}

uint64_t model_read_begin(struct model *m)
{
	return ++m->now;
}

static bool same(const struct model_cand *c, uint64_t sector, const uint8_t *data)
{
	uint8_t want[512];

	model_fill(c->id, sector, want);
	return !memcmp(want, data, 512);
}

static void complain(
	const struct model_cands *c, const char *what, uint64_t sector, const uint8_t *data)
{
	uint64_t id, at;

	memcpy(&id, data, 8);
	memcpy(&at, data + 8, 8);
	fprintf(stderr, "%s: sector %llu holds id %llu of sector %llu; permitted:", what,
		(unsigned long long)sector, (unsigned long long)id, (unsigned long long)at);
	for (size_t i = 0; i < c->len; i++)
		fprintf(stderr, " %llu[%llu,%llu)%s%s", (unsigned long long)c->items[i].id,
			(unsigned long long)c->items[i].start, (unsigned long long)c->items[i].end,
			c->items[i].stable ? "S" : "",
			c->items[i].replaced == UINT64_MAX ? "" : "R");
	fprintf(stderr, "\n");
}

static const struct model_cands *cands_at(struct model *m, uint64_t sector)
{
	static struct model_cand zero = {.replaced = UINT64_MAX, .ok = true, .stable = true};
	static struct model_cands untouched = {&zero, 1, 1};

	return m->sector[sector].len ? &m->sector[sector] : &untouched;
}

bool model_read_end(
	struct model *m, uint64_t began, uint64_t sector, uint64_t count, const uint8_t *data)
{
	for (uint64_t s = sector; s < sector + count; s++, data += 512) {
		const struct model_cands *c = cands_at(m, s);
		bool found = false;

		for (size_t i = 0; i < c->len && !found; i++)
			found = c->items[i].replaced > began && same(&c->items[i], s, data);
		if (!found) {
			complain(c, "read", s, data);
			return false;
		}
	}
	return true;
}

bool model_crashed(struct model *m, uint64_t sector, uint64_t count, const uint8_t *data)
{
	for (uint64_t s = sector; s < sector + count; s++, data += 512) {
		const struct model_cands *c = cands_at(m, s);
		struct model_cand now = {0};
		bool found = false;

		for (size_t i = 0; i < c->len && !found; i++) {
			if (replaced_durably(c, &c->items[i]) || !same(&c->items[i], s, data))
				continue;
			now.id = c->items[i].id;
			found = true;
		}
		if (!found) {
			complain(c, "after a crash", s, data);
			return false;
		}
		if (!m->sector[s].len)
			continue;
		now.end = now.start = m->now;
		now.replaced = UINT64_MAX;
		now.ok = now.stable = true;
		m->sector[s].items[0] = now;
		m->sector[s].len = 1;
	}
	return true;
}
