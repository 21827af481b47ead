/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lights, alarm and spindle of the simulated enclosure.
 *
 * What is recorded is a sequence of stretches. In one stretch an operation on an object did one
 * thing: it ran (pulses = 0) or pulsed (pulses = n), from `at` on, until a request ended the
 *stretch
 * (`until`), or, when it pulsed, until its pulses were over. So the newest stretch of an (object,
 * operation) and the clock say what it does now, and all stretches of an object are its log: there
 * is no state besides.
 *
 *	Start        Pulse(2)        Stop
 *	|-- running --|-- pulsing --- |          begins = 1 on the first: it was idle before
 *	begin         . pulse . pulse end        ends = 1 on the last: it is idle afterwards
 *
 * A pulse is one interval on and one off, and counts when both are over, so that at every moment
 * done + left = asked for. The clock is the wall clock, because no other one outlives a restart of
 * the machine. Set back before `at`, it stands for `at`: counts don't go below zero, and nothing
 * ends earlier than it began.
 */
#include <errno.h>
#include <string.h>

#include "store/store_internal.h"

#define KEPT_STRETCHES 256

struct stretch {
	enum sto_maint_op op;
	uint32_t pulses; /* asked for; 0 = it ran */
	uint32_t interval;
	int64_t began; /* when the operation last left idle */
	int64_t at;
	int64_t until;     /* valid if closed */
	bool closed;       /* a request ended it */
	bool begins, ends; /* it was idle before; is idle afterwards */
};

/* ---- the one place that computes ---------------------------------------------------------- */

static int64_t period(const struct stretch *s)
{
	return 2 * (int64_t)s->interval;
}

/* How long it lasted, up to now. */
static int64_t elapsed(const struct stretch *s, int64_t now)
{
	int64_t end = s->closed ? s->until : now;

	return end > s->at ? end - s->at : 0;
}

static uint32_t completed(const struct stretch *s, int64_t now)
{
	int64_t done = elapsed(s, now) / period(s);

	return done < s->pulses ? (uint32_t)done : s->pulses;
}

/* True while its operation is not idle. */
static bool active(const struct stretch *s, int64_t now)
{
	return !s->closed && (!s->pulses || completed(s, now) < s->pulses);
}

/* When it became idle. Valid if it did. */
static int64_t idle_since(const struct stretch *s)
{
	return s->closed ? s->until : s->at + (int64_t)s->pulses * period(s);
}

static bool spins(int op)
{
	return op == STO_MAINT_SPIN_DOWN || op == STO_MAINT_SPIN_UP;
}

static void derive(const struct stretch *s, int64_t now, struct sto_maint_state *out)
{
	int64_t halves = elapsed(s, now) / s->interval;

	memset(out, 0, sizeof(*out));
	out->interval_ms = s->interval;
	out->started_ms = s->began;
	out->pulses_done = completed(s, now);
	if (!active(s, now))
		return;
	out->mode = s->pulses ? STO_MAINT_PULSING : STO_MAINT_RUNNING;
	out->pulses_left = s->pulses - out->pulses_done;
	out->on = spins(s->op) || halves % 2 == 0;
	if (!spins(s->op))
		out->next_edge_ms = s->at + (halves + 1) * s->interval;
}

/* ---- stretches in the database ------------------------------------------------------------ */

#define COLUMNS "op, pulses, interval, began, at, until, begins, ends"

static void stretch_read(struct db_query *q, struct stretch *s)
{
	memset(s, 0, sizeof(*s));
	s->op = (enum sto_maint_op)db_int(q, 0);
	s->pulses = (uint32_t)db_int(q, 1);
	s->interval = (uint32_t)db_int(q, 2);
	s->began = db_int(q, 3);
	s->at = db_int(q, 4);
	s->closed = !db_is_null(q, 5);
	s->until = db_int(q, 5);
	s->begins = db_int(q, 6);
	s->ends = db_int(q, 7);
}

/* 1 = *s is the newest stretch, 0 = there never was one. */
static int newest(
	struct sto *sto, const struct guid *id, int op, struct stretch *s, struct err *err)
{
	int rc;

	DB_QUERY(q, &sto->db, err,
		"SELECT " COLUMNS
		" FROM maint WHERE object = ? AND op = ? ORDER BY id DESC LIMIT 1",
		DB_GUID(id), DB_INT(op));
	rc = db_next(&q);
	if (rc > 0)
		stretch_read(&q, s);
	return rc;
}

/* Ends whatever stretch of the operation is open. */
static int close_open(struct sto *sto, const struct guid *id, const struct stretch *s, int64_t now,
	bool ends, struct err *err)
{
	int64_t until;

	if (s->closed)
		return 0;
	if (active(s, now)) {
		until = s->at + elapsed(s, now);
	} else {
		until = idle_since(s);
		ends = true;
	}
	return db_exec(&sto->db, err,
		"UPDATE maint SET until = ?3, ends = ?4 "
		"WHERE object = ?1 AND op = ?2 AND until IS NULL",
		DB_GUID(id), DB_INT(s->op), DB_INT(until), DB_INT(ends));
}

static int open_new(
	struct sto *sto, const struct guid *id, const struct stretch *s, struct err *err)
{
	int rc = db_exec(&sto->db, err,
		"INSERT INTO maint (object, op, pulses, interval, began, at, begins) "
		"VALUES (?, ?, ?, ?, ?, ?, ?)",
		DB_GUID(id), DB_INT(s->op), DB_INT(s->pulses), DB_INT(s->interval),
		DB_INT(s->began), DB_INT(s->at), DB_INT(s->begins));

	if (rc < 0)
		return rc;
	return db_exec(&sto->db, err,
		"DELETE FROM maint WHERE object = ?1 AND until IS NOT NULL AND id <= "
		"(SELECT id FROM maint WHERE object = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
		DB_GUID(id), DB_INT(KEPT_STRETCHES));
}

/* ---- requests ----------------------------------------------------------------------------- */

static int op_check(int op, struct err *err)
{
	if (op >= STO_MAINT_BLINK && op <= STO_MAINT_PING)
		return 0;
	return err_set(err, -EINVAL, "There is no maintenance operation %d.", op);
}

/* Makes one operation idle. *was_idle (if not NULL): it was. Here and below, one request reads the
 * clock once. */
static int end_op(struct sto *sto, const struct guid *id, int op, int64_t now, bool *was_idle,
	struct err *err)
{
	struct stretch s;
	int rc = newest(sto, id, op, &s, err);
	bool idle = rc == 0 || (rc > 0 && !active(&s, now));

	if (was_idle)
		*was_idle = idle;
	if (rc < 0 || idle)
		return rc < 0 ? rc : 0;
	return close_open(sto, id, &s, now, true, err);
}

/* The next stretch of an operation after its newest one. */
static int go_on(struct sto *sto, const struct guid *id, const struct stretch *last, int op,
	uint32_t pulses, int64_t now, struct err *err)
{
	bool was_active = last && active(last, now);
	struct stretch next = {
		.op = (enum sto_maint_op)op,
		.pulses = pulses,
		.began = was_active ? last->began : now,
		.at = now,
		.begins = !was_active,
	};
	uint64_t interval;
	int rc = sto_setting_get(sto, "pulse_interval_ms", &interval, err);

	if (rc < 0)
		return rc;
	next.interval = (uint32_t)interval;
	if (last)
		rc = close_open(sto, id, last, now, false, err);
	return rc < 0 ? rc : open_new(sto, id, &next, err);
}

static int start(struct sto *sto, const struct guid *id, int op, struct err *err)
{
	int64_t now = sto_now(sto);
	struct stretch s;
	int rc = newest(sto, id, op, &s, err);

	if (rc < 0)
		return rc;
	if (rc > 0 && !s.pulses && active(&s, now))
		return 0;
	rc = go_on(sto, id, rc ? &s : NULL, op, 0, now, err);
	if (rc == 0 && op == STO_MAINT_SPIN_UP)
		rc = end_op(sto, id, STO_MAINT_SPIN_DOWN, now, NULL, err);
	if (rc == 0 && op == STO_MAINT_SPIN_DOWN)
		rc = end_op(sto, id, STO_MAINT_SPIN_UP, now, NULL, err);
	return rc;
}

int sto_maint_start(struct sto *sto, const struct guid *id, int op, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc = op_check(op, err);

	if (rc == 0)
		rc = db_begin(&sto->db, err);
	if (rc < 0)
		return rc;
	return db_end(&sto->db, start(sto, id, op, err), err);
}

int sto_maint_stop(struct sto *sto, const struct guid *id, int op, bool *was_idle, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int rc = op_check(op, err);

	*was_idle = false;
	return rc < 0 ? rc : end_op(sto, id, op, sto_now(sto), was_idle, err);
}

int sto_maint_pulse(struct sto *sto, const struct guid *id, int op, uint32_t count, bool *was_idle,
	struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int64_t now = sto_now(sto);
	struct stretch s;
	int rc = op_check(op, err);

	*was_idle = false;
	if (rc < 0)
		return rc;
	if (!count)
		return err_set(err, -EINVAL, "Zero pulses cannot be asked for.");
	if (spins(op))
		return err_set(err, -ENOTSUP, "A spindle does not pulse.");
	rc = newest(sto, id, op, &s, err);
	if (rc < 0)
		return rc;
	*was_idle = !rc || !active(&s, now);
	if (*was_idle)
		return 0;
	rc = db_begin(&sto->db, err);
	if (rc < 0)
		return rc;
	return db_end(&sto->db, go_on(sto, id, &s, op, count, now, err), err);
}

int sto_maint_get(struct sto *sto, const struct guid *id, int op, struct sto_maint_state *out,
	struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	struct stretch s;
	uint64_t interval;
	int rc = op_check(op, err);

	memset(out, 0, sizeof(*out));
	if (rc == 0)
		rc = newest(sto, id, op, &s, err);
	if (rc > 0) {
		derive(&s, sto_now(sto), out);
		return 0;
	}
	if (rc == 0)
		rc = sto_setting_get(sto, "pulse_interval_ms", &interval, err);
	if (rc == 0)
		out->interval_ms = (uint32_t)interval;
	return rc;
}

int sto_maint_clear_ops(struct sto *sto, const struct guid *id, unsigned mask, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	int64_t now = sto_now(sto);
	int rc = db_begin(&sto->db, err);

	if (rc < 0)
		return rc;
	for (int op = STO_MAINT_BLINK; rc == 0 && op <= STO_MAINT_PING; op++)
		if (mask & STO_MAINT_BIT(op))
			rc = end_op(sto, id, op, now, NULL, err);
	return db_end(&sto->db, rc, err);
}

int sto_maint_clear_all(struct sto *sto, const struct guid *id, struct err *err)
{
	return sto_maint_clear_ops(sto, id, ~0u, err);
}

/* ---- the log ------------------------------------------------------------------------------ */

/* The events of one stretch, numbered: 0 = begin, 1..pulses = pulses, then end. */
struct cursor {
	struct stretch s;
	uint32_t pulses; /* that happened */
	bool ends;
	int64_t end_at;
	uint64_t next; /* number of the event that comes next */
};
VEC(struct cursor, cursor_vec)

static bool cursor_event(const struct cursor *c, struct sto_maint_event *e)
{
	e->op = c->s.op;
	if (c->next == 0) {
		e->kind = STO_MAINT_BEGIN;
		e->at_ms = c->s.at;
	} else if (c->next <= c->pulses) {
		e->kind = STO_MAINT_PULSE;
		e->at_ms = c->s.at + (int64_t)c->next * period(&c->s);
	} else if (c->next == c->pulses + 1ull && c->ends) {
		e->kind = STO_MAINT_END;
		e->at_ms = c->end_at;
	} else {
		return false;
	}
	return true;
}

/* A cursor on the first event at or after since. */
static struct cursor cursor_at(const struct stretch *s, int64_t now, int64_t since)
{
	struct cursor c = {.s = *s, .pulses = completed(s, now)};
	struct sto_maint_event e;
	int64_t skip;

	c.ends = s->closed ? s->ends : !active(s, now);
	c.end_at = c.ends ? idle_since(s) : 0;
	c.next = !s->begins;
	if (since <= s->at)
		return c;
	/* Unsigned, because since may be anything; then all pulses before it at once. */
	skip = (int64_t)(((uint64_t)since - (uint64_t)s->at - 1) / (uint64_t)period(s));
	c.next = 1 + (skip < c.pulses ? (uint64_t)skip : c.pulses);
	if (cursor_event(&c, &e) && e.at_ms < since)
		c.next++;
	return c;
}

static int cursors_load(struct sto *sto, const struct guid *id, int64_t since,
	struct cursor_vec *cursors, struct err *err)
{
	int64_t now = sto_now(sto);
	struct stretch s;
	int rc;

	DB_QUERY(q, &sto->db, err, "SELECT " COLUMNS " FROM maint WHERE object = ? ORDER BY id",
		DB_GUID(id));
	while ((rc = db_next(&q)) > 0) {
		stretch_read(&q, &s);
		if (cursor_vec_push(cursors, cursor_at(&s, now, since)) < 0)
			return sto_no_memory(sto, err);
	}
	return rc;
}

/* The cursor with the earliest event (of several, the one recorded first); NULL = all are done. */
static struct cursor *earliest(struct cursor_vec *cursors, struct sto_maint_event *out)
{
	struct cursor *c, *best = NULL;
	struct sto_maint_event e;

	vec_for_each (cursors, c) {
		if (cursor_event(c, &e) && (!best || e.at_ms < out->at_ms)) {
			best = c;
			*out = e;
		}
	}
	return best;
}

int sto_maint_log(struct sto *sto, const struct guid *id, int64_t since_ms, size_t max,
	struct sto_maint_event_vec *out, struct err *err)
{
	SCOPED_LOCK(&sto->lock);
	struct cursor_vec cursors = {0};
	struct sto_maint_event e;
	struct cursor *c;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = cursors_load(sto, id, since_ms, &cursors, err);
	while (rc == 0 && out->len < max && (c = earliest(&cursors, &e))) {
		c->next++;
		if (sto_maint_event_vec_push(out, e) < 0)
			rc = sto_no_memory(sto, err);
	}
	cursor_vec_free(&cursors);
	if (rc < 0)
		sto_maint_event_vec_free(out);
	return rc;
}
