/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The maintenance state machine. Names that begin with a letter and a number quote rows of the
 * acceptance list of the maintenance pages: A = Start, B = Stop, C = Pulse.
 */
#include "fixture.h"

#define INTERVAL 1000 /* the default, ms */
#define PERIOD   (2 * INTERVAL)

static struct sto_maint_state state_of(struct fixture *f, int op)
{
	struct sto_maint_state s;

	ok(sto_maint_get(f->sto, ID(1), op, &s, &f->err));
	return s;
}

static void start(struct fixture *f, int op)
{
	ok(sto_maint_start(f->sto, ID(1), op, &f->err));
}

/* Both return whether the operation was idle. */
static bool stop(struct fixture *f, int op)
{
	bool idle;

	ok(sto_maint_stop(f->sto, ID(1), op, &idle, &f->err));
	return idle;
}

static bool pulse(struct fixture *f, int op, uint32_t count)
{
	bool idle;

	ok(sto_maint_pulse(f->sto, ID(1), op, count, &idle, &f->err));
	return idle;
}

static void expect_mode(struct fixture *f, int op, enum sto_maint_mode mode, uint32_t left)
{
	struct sto_maint_state s = state_of(f, op);

	assert_int_equal(s.mode, mode);
	assert_int_equal(s.pulses_left, left);
}

/* The log since a moment as a word of b(egin) p(ulse) e(nd), for one operation (0 = all). */
static const char *log_word(struct fixture *f, int64_t since, int op)
{
	static char word[2000];
	struct sto_maint_event_vec v;
	struct sto_maint_event *e;
	int64_t last = INT64_MIN;
	size_t len = 0;

	ok(sto_maint_log(f->sto, ID(1), since, sizeof(word) - 1, &v, &f->err));
	vec_for_each (&v, e) {
		assert_true(e->at_ms >= since && e->at_ms >= last);
		last = e->at_ms;
		if (!op || (int)e->op == op)
			word[len++] = " bpe"[e->kind];
	}
	word[len] = '\0';
	sto_maint_event_vec_free(&v);
	return word;
}

/* ---- Start -------------------------------------------------------------------------------- */

static void a1_a2_start_on_idle_runs_without_end(void **st)
{
	struct fixture *f = *st;
	struct sto_maint_state s;

	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_IDLE, 0);
	start(f, STO_MAINT_BLINK);
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_RUNNING, 0);
	f->now_ms += 10 * INTERVAL;
	s = state_of(f, STO_MAINT_BLINK);
	assert_int_equal(s.mode, STO_MAINT_RUNNING);
	assert_int_equal(s.started_ms, 1000000);
	assert_int_equal(s.interval_ms, INTERVAL);
	assert_int_equal(s.pulses_done, 0);
	f->now_ms += 1000ll * 365 * 86400 * 1000;
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_RUNNING, 0);
	assert_string_equal(log_word(f, 0, 0), "b");
}

static void a3_runs_on_when_everybody_has_gone(void **st)
{
	struct fixture *f = *st;

	start(f, STO_MAINT_BLINK);
	sto_close(f->sto);
	f->sto = NULL;
	f->now_ms += 60000;
	fx_open(f, 0);
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_RUNNING, 0);
	assert_int_equal(state_of(f, STO_MAINT_BLINK).started_ms, 1000000);
}

static void a4_b1_stop_ends_at_once(void **st)
{
	struct fixture *f = *st;

	start(f, STO_MAINT_BLINK);
	f->now_ms += 2500;
	assert_false(stop(f, STO_MAINT_BLINK));
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_IDLE, 0);
	f->now_ms += 60000;
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_IDLE, 0);
	assert_string_equal(log_word(f, 0, 0), "be");
	assert_string_equal(log_word(f, 1002500, 0), "e");
	assert_string_equal(log_word(f, 1002501, 0), "");
}

static void a5_pulse_gives_that_many_then_idle(void **st)
{
	struct fixture *f = *st;

	start(f, STO_MAINT_BLINK);
	f->now_ms += 700;
	assert_false(pulse(f, STO_MAINT_BLINK, 3));
	for (unsigned ms = 0; ms < 3 * PERIOD; ms += 100, f->now_ms += 100) {
		struct sto_maint_state s = state_of(f, STO_MAINT_BLINK);

		assert_int_equal(s.mode, STO_MAINT_PULSING);
		assert_int_equal(s.pulses_done, ms / PERIOD);
		assert_int_equal(s.pulses_left, 3 - ms / PERIOD);
		assert_int_equal(s.on, ms % PERIOD < INTERVAL);
		assert_int_equal(s.next_edge_ms, 1000700 + (ms / INTERVAL + 1) * INTERVAL);
		assert_int_equal(s.started_ms, 1000000);
	}
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_IDLE, 0);
	assert_int_equal(state_of(f, STO_MAINT_BLINK).pulses_done, 3);
	assert_int_equal(state_of(f, STO_MAINT_BLINK).next_edge_ms, 0);
	assert_string_equal(log_word(f, 0, 0), "bpppe");
	f->now_ms += 1000000;
	assert_string_equal(log_word(f, 0, 0), "bpppe");
}

static void a6_a7_start_on_pulsing_runs_until_pulsed_again(void **st)
{
	struct fixture *f = *st;
	int64_t since;

	start(f, STO_MAINT_BLINK);
	pulse(f, STO_MAINT_BLINK, 50);
	f->now_ms += 5 * PERIOD;
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_PULSING, 45);
	start(f, STO_MAINT_BLINK);
	since = f->now_ms + 1;
	f->now_ms += 60 * PERIOD;
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_RUNNING, 0);
	assert_int_equal(state_of(f, STO_MAINT_BLINK).pulses_done, 0);
	assert_string_equal(log_word(f, since, 0), "");
	assert_false(pulse(f, STO_MAINT_BLINK, 2));
	f->now_ms += 2 * PERIOD;
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_IDLE, 0);
	assert_string_equal(log_word(f, since, 0), "ppe");
	assert_string_equal(log_word(f, 0, 0), "bpppppppe");
}

static void a8_start_on_pulsing_then_stop(void **st)
{
	struct fixture *f = *st;

	start(f, STO_MAINT_BEEP);
	pulse(f, STO_MAINT_BEEP, 50);
	start(f, STO_MAINT_BEEP);
	f->now_ms += 60 * PERIOD;
	assert_false(stop(f, STO_MAINT_BEEP));
	expect_mode(f, STO_MAINT_BEEP, STO_MAINT_IDLE, 0);
	assert_string_equal(log_word(f, 0, 0), "be");
}

static void a9_start_on_running_changes_nothing(void **st)
{
	struct fixture *f = *st;
	struct sto_maint_state before, after;

	start(f, STO_MAINT_PING);
	f->now_ms += 1500;
	before = state_of(f, STO_MAINT_PING);
	start(f, STO_MAINT_PING);
	after = state_of(f, STO_MAINT_PING);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_string_equal(log_word(f, 0, 0), "b");
}

static void a10_each_operation_starts_and_stops(void **st)
{
	struct fixture *f = *st;

	for (int op = 1; op <= STO_MAINT_OPS; op++) {
		start(f, op);
		expect_mode(f, op, STO_MAINT_RUNNING, 0);
		assert_false(stop(f, op));
		expect_mode(f, op, STO_MAINT_IDLE, 0);
	}
	assert_string_equal(log_word(f, 0, 0), "bebebebebe");
}

static void a11_b12_c9_other_operations_are_invalid(void **st)
{
	static const int bad[] = {0, 6, -1, INT_MAX, INT_MIN};
	struct fixture *f = *st;
	struct sto_maint_state s;
	bool idle;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fails(-EINVAL, sto_maint_start(f->sto, ID(1), bad[i], &f->err));
		fails(-EINVAL, sto_maint_stop(f->sto, ID(1), bad[i], &idle, &f->err));
		fails(-EINVAL, sto_maint_pulse(f->sto, ID(1), bad[i], 1, &idle, &f->err));
		fails(-EINVAL, sto_maint_get(f->sto, ID(1), bad[i], &s, &f->err));
	}
	assert_string_equal(log_word(f, 0, 0), "");
}

static void a24_b4_operations_are_independent(void **st)
{
	struct fixture *f = *st;

	start(f, STO_MAINT_BLINK);
	start(f, STO_MAINT_BEEP);
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_RUNNING, 0);
	expect_mode(f, STO_MAINT_BEEP, STO_MAINT_RUNNING, 0);
	assert_true(stop(f, STO_MAINT_PING));
	assert_false(stop(f, STO_MAINT_BEEP));
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_RUNNING, 0);
}

static void objects_are_independent(void **st)
{
	struct fixture *f = *st;
	struct sto_maint_state s;
	bool idle;

	start(f, STO_MAINT_BLINK);
	ok(sto_maint_get(f->sto, ID(2), STO_MAINT_BLINK, &s, &f->err));
	assert_int_equal(s.mode, STO_MAINT_IDLE);
	ok(sto_maint_start(f->sto, ID(2), STO_MAINT_BLINK, &f->err));
	ok(sto_maint_stop(f->sto, ID(2), STO_MAINT_BLINK, &idle, &f->err));
	assert_false(idle);
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_RUNNING, 0);
}

static void a25_spin_up_and_down_replace_each_other(void **st)
{
	struct fixture *f = *st;

	start(f, STO_MAINT_SPIN_DOWN);
	f->now_ms += 10;
	start(f, STO_MAINT_SPIN_UP);
	expect_mode(f, STO_MAINT_SPIN_DOWN, STO_MAINT_IDLE, 0);
	expect_mode(f, STO_MAINT_SPIN_UP, STO_MAINT_RUNNING, 0);
	assert_string_equal(log_word(f, 0, STO_MAINT_SPIN_DOWN), "be");
	f->now_ms += 10;
	start(f, STO_MAINT_SPIN_DOWN);
	expect_mode(f, STO_MAINT_SPIN_DOWN, STO_MAINT_RUNNING, 0);
	expect_mode(f, STO_MAINT_SPIN_UP, STO_MAINT_IDLE, 0);
	/* A spindle does not blink. */
	assert_true(state_of(f, STO_MAINT_SPIN_DOWN).on);
	f->now_ms += INTERVAL;
	assert_true(state_of(f, STO_MAINT_SPIN_DOWN).on);
	assert_int_equal(state_of(f, STO_MAINT_SPIN_DOWN).next_edge_ms, 0);
}

/* ---- Stop --------------------------------------------------------------------------------- */

static void b2_b3_stop_on_idle_does_nothing(void **st)
{
	struct fixture *f = *st;

	assert_true(stop(f, STO_MAINT_BLINK));
	assert_string_equal(log_word(f, 0, 0), "");
	start(f, STO_MAINT_BLINK);
	assert_false(stop(f, STO_MAINT_BLINK));
	assert_true(stop(f, STO_MAINT_BLINK));
	assert_string_equal(log_word(f, 0, 0), "be");
}

static void b5_stop_drops_left_over_pulses(void **st)
{
	struct fixture *f = *st;

	start(f, STO_MAINT_BLINK);
	pulse(f, STO_MAINT_BLINK, 50);
	f->now_ms += 4 * PERIOD + 300;
	assert_false(stop(f, STO_MAINT_BLINK));
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_IDLE, 0);
	assert_int_equal(state_of(f, STO_MAINT_BLINK).pulses_done, 4);
	f->now_ms += 100 * PERIOD;
	assert_string_equal(log_word(f, 0, 0), "bppppe");
	assert_string_equal(log_word(f, f->now_ms - 100 * PERIOD + 1, 0), "");
}

static void b6_stop_after_the_pulses_ran_out(void **st)
{
	struct fixture *f = *st;

	start(f, STO_MAINT_BLINK);
	pulse(f, STO_MAINT_BLINK, 2);
	f->now_ms += 2 * PERIOD - 1;
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_PULSING, 1);
	f->now_ms += 1;
	assert_true(stop(f, STO_MAINT_BLINK));
	assert_true(pulse(f, STO_MAINT_BLINK, 1));
	assert_string_equal(log_word(f, 0, 0), "bppe");
}

static void started_again_after_the_pulses_ran_out(void **st)
{
	struct fixture *f = *st;

	start(f, STO_MAINT_BLINK);
	pulse(f, STO_MAINT_BLINK, 2);
	f->now_ms += 10 * PERIOD;
	start(f, STO_MAINT_BLINK);
	assert_int_equal(state_of(f, STO_MAINT_BLINK).started_ms, f->now_ms);
	assert_string_equal(log_word(f, 0, 0), "bppeb");
	/* the end is where the pulses ended, not where somebody noticed */
	assert_string_equal(log_word(f, 1000000 + 2 * PERIOD + 1, 0), "b");
}

/* ---- Pulse -------------------------------------------------------------------------------- */

static void c1_running_gives_n_pulses(void **st)
{
	static const uint32_t counts[] = {1, 2, 10};
	struct fixture *f = *st;

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		int64_t since = f->now_ms;
		const char *word;

		start(f, STO_MAINT_PING);
		assert_false(pulse(f, STO_MAINT_PING, counts[i]));
		f->now_ms += counts[i] * PERIOD;
		expect_mode(f, STO_MAINT_PING, STO_MAINT_IDLE, 0);
		word = log_word(f, since, 0);
		assert_int_equal(strlen(word), counts[i] + 2);
		assert_int_equal(strspn(word + 1, "p"), counts[i]);
		f->now_ms++;
	}
}

static void c2_idle_gives_none(void **st)
{
	struct fixture *f = *st;

	assert_true(pulse(f, STO_MAINT_BLINK, 3));
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_IDLE, 0);
	f->now_ms += 10 * PERIOD;
	assert_string_equal(log_word(f, 0, 0), "");
}

static void c3_pulse_while_pulsing_restarts_the_count(void **st)
{
	struct fixture *f = *st;

	start(f, STO_MAINT_BLINK);
	pulse(f, STO_MAINT_BLINK, 50);
	f->now_ms += PERIOD + 100;
	assert_false(pulse(f, STO_MAINT_BLINK, 2));
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_PULSING, 2);
	f->now_ms += 2 * PERIOD;
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_IDLE, 0);
	assert_string_equal(log_word(f, 0, 0), "bpppe");
}

static void c4_interval_is_a_setting(void **st)
{
	static const unsigned intervals[] = {5, 250};
	struct fixture *f = *st;

	for (size_t i = 0; i < ARRAY_SIZE(intervals); i++) {
		ok(sto_setting_set(f->sto, "pulse_interval_ms", intervals[i], &f->err));
		start(f, STO_MAINT_BLINK);
		pulse(f, STO_MAINT_BLINK, 4);
		/* a later change does not touch what is under way */
		ok(sto_setting_set(f->sto, "pulse_interval_ms", 3000, &f->err));
		assert_int_equal(state_of(f, STO_MAINT_BLINK).interval_ms, intervals[i]);
		f->now_ms += 8 * intervals[i] - 1;
		expect_mode(f, STO_MAINT_BLINK, STO_MAINT_PULSING, 1);
		f->now_ms++;
		expect_mode(f, STO_MAINT_BLINK, STO_MAINT_IDLE, 0);
	}
}

static void c5_spindle_does_not_pulse(void **st)
{
	struct fixture *f = *st;
	bool idle;

	for (int op = STO_MAINT_SPIN_DOWN; op <= STO_MAINT_SPIN_UP; op++) {
		fails(-ENOTSUP, sto_maint_pulse(f->sto, ID(1), op, 1, &idle, &f->err));
		start(f, op);
		fails(-ENOTSUP, sto_maint_pulse(f->sto, ID(1), op, 1, &idle, &f->err));
		expect_mode(f, op, STO_MAINT_RUNNING, 0);
	}
}

static void c6_count_zero_is_invalid(void **st)
{
	struct fixture *f = *st;
	bool idle;

	fails(-EINVAL, sto_maint_pulse(f->sto, ID(1), STO_MAINT_BLINK, 0, &idle, &f->err));
	start(f, STO_MAINT_BLINK);
	fails(-EINVAL, sto_maint_pulse(f->sto, ID(1), STO_MAINT_BLINK, 0, &idle, &f->err));
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_RUNNING, 0);
	/* wrong in itself comes before not offered */
	fails(-EINVAL, sto_maint_pulse(f->sto, ID(1), STO_MAINT_SPIN_UP, 0, &idle, &f->err));
}

static void c7_largest_count(void **st)
{
	struct fixture *f = *st;

	ok(sto_setting_set(f->sto, "pulse_interval_ms", 3600000, &f->err));
	start(f, STO_MAINT_BLINK);
	assert_false(pulse(f, STO_MAINT_BLINK, UINT32_MAX));
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_PULSING, UINT32_MAX);
	f->now_ms += 7200000ll * (UINT32_MAX - 1);
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_PULSING, 1);
	assert_false(stop(f, STO_MAINT_BLINK));
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_IDLE, 0);
}

/* ---- all states by all requests ----------------------------------------------------------- */

enum request { REQ_START, REQ_STOP, REQ_PULSE, REQ_WAIT };

/* The table of hardware.md 10.4, written a second time and independently of the code. */
struct model {
	enum sto_maint_mode mode;
	int64_t pulse_at;
	uint32_t count;
};

static void model_tick(struct model *m, int64_t now)
{
	if (m->mode == STO_MAINT_PULSING && now - m->pulse_at >= (int64_t)m->count * PERIOD)
		m->mode = STO_MAINT_IDLE;
}

static bool model_request(struct model *m, enum request r, int64_t now)
{
	bool idle;

	model_tick(m, now);
	idle = m->mode == STO_MAINT_IDLE;
	switch (r) {
	case REQ_START:
		m->mode = STO_MAINT_RUNNING;
		break;
	case REQ_STOP:
		m->mode = STO_MAINT_IDLE;
		break;
	case REQ_PULSE:
		if (!idle)
			*m = (struct model){STO_MAINT_PULSING, now, 2};
		break;
	case REQ_WAIT:
		break;
	}
	return idle;
}

/* Every sequence of five requests, with the store reopened in the middle of some. */
static void every_sequence_follows_the_table(void **st)
{
	struct fixture *f = *st;

	for (unsigned seq = 0; seq < 1024; seq++) {
		struct model m = {.mode = STO_MAINT_IDLE};
		struct sto_maint_state s;
		struct guid id = fx_id(100 + seq);
		bool idle = false, expected, reopens = seq % 64 == 0;

		if (!reopens) /* one flush for all */
			ok(sto_begin(f->sto, &f->err));
		for (unsigned i = 0; i < 5; i++) {
			enum request r = (enum request)(seq >> (2 * i) & 3);

			expected = model_request(&m, r, f->now_ms);
			if (r == REQ_START)
				ok(sto_maint_start(f->sto, &id, STO_MAINT_BLINK, &f->err));
			if (r == REQ_STOP)
				ok(sto_maint_stop(f->sto, &id, STO_MAINT_BLINK, &idle, &f->err));
			if (r == REQ_PULSE)
				ok(sto_maint_pulse(
					f->sto, &id, STO_MAINT_BLINK, 2, &idle, &f->err));
			if (r == REQ_STOP || r == REQ_PULSE)
				assert_int_equal(idle, expected);
			f->now_ms += r == REQ_WAIT ? PERIOD * 3 / 2 : 100;
			if (i == 2 && reopens)
				fx_reopen(f);
			model_tick(&m, f->now_ms);
			ok(sto_maint_get(f->sto, &id, STO_MAINT_BLINK, &s, &f->err));
			assert_int_equal(s.mode, m.mode);
		}
		if (!reopens)
			ok(sto_commit(f->sto, &f->err));
	}
}

/* ---- time --------------------------------------------------------------------------------- */

static void pulses_go_on_while_nobody_has_the_store_open(void **st)
{
	struct fixture *f = *st;

	start(f, STO_MAINT_BLINK);
	pulse(f, STO_MAINT_BLINK, 10);
	sto_close(f->sto);
	f->sto = NULL;
	f->now_ms += 4 * PERIOD;
	fx_open(f, 0);
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_PULSING, 6);
	sto_close(f->sto);
	f->sto = NULL;
	f->now_ms += 400 * PERIOD;
	fx_open(f, 0);
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_IDLE, 0);
	assert_string_equal(log_word(f, 0, 0), "bppppppppppe");
}

static void clock_set_back_makes_nothing_negative(void **st)
{
	struct fixture *f = *st;
	struct sto_maint_state s;

	start(f, STO_MAINT_BLINK);
	pulse(f, STO_MAINT_BLINK, 3);
	f->now_ms -= 500000;
	s = state_of(f, STO_MAINT_BLINK);
	assert_int_equal(s.mode, STO_MAINT_PULSING);
	assert_int_equal(s.pulses_left, 3);
	assert_int_equal(s.pulses_done, 0);
	assert_true(s.on);
	assert_string_equal(log_word(f, 0, 0), "b");
	assert_false(stop(f, STO_MAINT_BLINK));
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_IDLE, 0);
	/* recorded times stay in order, whatever the clock says */
	assert_string_equal(log_word(f, 0, 0), "be");
	start(f, STO_MAINT_BLINK);
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_RUNNING, 0);
	f->now_ms -= 500001;
	pulse(f, STO_MAINT_BLINK, 1);
	f->now_ms += PERIOD;
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_IDLE, 0);
}

static void clock_before_1970(void **st)
{
	struct fixture *f = *st;

	f->now_ms = -5000000;
	start(f, STO_MAINT_BLINK);
	pulse(f, STO_MAINT_BLINK, 2);
	f->now_ms += PERIOD;
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_PULSING, 1);
	f->now_ms += PERIOD;
	assert_string_equal(log_word(f, INT64_MIN, 0), "bppe");
}

static void finished_pulses_are_not_revived_by_a_clock_set_back(void **st)
{
	struct fixture *f = *st;

	start(f, STO_MAINT_BLINK);
	pulse(f, STO_MAINT_BLINK, 2);
	f->now_ms += 100 * PERIOD;
	start(f, STO_MAINT_BLINK);
	stop(f, STO_MAINT_BLINK);
	f->now_ms = 1000000 + PERIOD;
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_IDLE, 0);
	assert_string_equal(log_word(f, 0, 0), "bppebe");
}

/* ---- ends that nobody asked for ----------------------------------------------------------- */

static void failing_drive_ends_spindle_and_ping_only(void **st)
{
	struct fixture *f = *st;

	start(f, STO_MAINT_BLINK);
	start(f, STO_MAINT_BEEP);
	start(f, STO_MAINT_SPIN_DOWN);
	start(f, STO_MAINT_PING);
	ok(sto_maint_clear_ops(f->sto, ID(1),
		STO_MAINT_BIT(STO_MAINT_SPIN_DOWN) | STO_MAINT_BIT(STO_MAINT_SPIN_UP) |
			STO_MAINT_BIT(STO_MAINT_PING),
		&f->err));
	expect_mode(f, STO_MAINT_BLINK, STO_MAINT_RUNNING, 0);
	expect_mode(f, STO_MAINT_BEEP, STO_MAINT_RUNNING, 0);
	expect_mode(f, STO_MAINT_SPIN_DOWN, STO_MAINT_IDLE, 0);
	expect_mode(f, STO_MAINT_PING, STO_MAINT_IDLE, 0);
}

static void departure_ends_all_and_keeps_the_log(void **st)
{
	struct fixture *f = *st;

	start(f, STO_MAINT_BLINK);
	start(f, STO_MAINT_BEEP);
	pulse(f, STO_MAINT_BEEP, 9);
	ok(sto_maint_clear_all(f->sto, ID(1), &f->err));
	for (int op = 1; op <= STO_MAINT_OPS; op++)
		expect_mode(f, op, STO_MAINT_IDLE, 0);
	f->now_ms += 100 * PERIOD;
	assert_string_equal(log_word(f, 0, 0), "bebe");
	ok(sto_maint_clear_all(f->sto, ID(1), &f->err));
	assert_string_equal(log_word(f, 0, 0), "bebe");
}

/* ---- the log ------------------------------------------------------------------------------ */

static void log_since_any_moment_is_a_suffix(void **st)
{
	struct fixture *f = *st;
	struct sto_maint_event_vec all, part;
	int64_t first = f->now_ms;

	start(f, STO_MAINT_BLINK);
	f->now_ms += 300;
	start(f, STO_MAINT_BEEP);
	pulse(f, STO_MAINT_BLINK, 3);
	f->now_ms += 500;
	pulse(f, STO_MAINT_BEEP, 2);
	f->now_ms += 5 * PERIOD;
	ok(sto_maint_log(f->sto, ID(1), first, 1000, &all, &f->err));
	assert_int_equal(all.len, 2 + 3 + 2 + 2);
	for (int64_t since = first - 50; since < f->now_ms + 50; since += 50) {
		size_t skip = 0;

		while (skip < all.len && all.items[skip].at_ms < since)
			skip++;
		ok(sto_maint_log(f->sto, ID(1), since, 1000, &part, &f->err));
		assert_int_equal(part.len, all.len - skip);
		for (size_t i = 0; i < part.len; i++) {
			assert_int_equal(part.items[i].at_ms, all.items[skip + i].at_ms);
			assert_int_equal(part.items[i].op, all.items[skip + i].op);
			assert_int_equal(part.items[i].kind, all.items[skip + i].kind);
		}
		sto_maint_event_vec_free(&part);
	}
	sto_maint_event_vec_free(&all);
}

static void log_is_limited_from_the_oldest(void **st)
{
	struct fixture *f = *st;
	struct sto_maint_event_vec v;

	start(f, STO_MAINT_BLINK);
	pulse(f, STO_MAINT_BLINK, UINT32_MAX);
	f->now_ms += 1000000ll * PERIOD;
	ok(sto_maint_log(f->sto, ID(1), 1000000 + 500000ll * PERIOD, 1000, &v, &f->err));
	assert_int_equal(v.len, 1000);
	assert_int_equal(v.items[0].at_ms, 1000000 + 500000ll * PERIOD);
	assert_int_equal(v.items[999].at_ms, 1000000 + 500999ll * PERIOD);
	sto_maint_event_vec_free(&v);
	ok(sto_maint_log(f->sto, ID(1), INT64_MAX, 1000, &v, &f->err));
	assert_int_equal(v.len, 0);
	sto_maint_event_vec_free(&v);
	ok(sto_maint_log(f->sto, ID(1), 0, 0, &v, &f->err));
	assert_int_equal(v.len, 0);
}

static void log_goes_back_256_requests_and_state_is_not_lost(void **st)
{
	struct fixture *f = *st;
	int64_t rows;

	start(f, STO_MAINT_BEEP); /* stays open, older than all that follow */
	for (unsigned i = 0; i < 300; i++) {
		f->now_ms += 10;
		start(f, STO_MAINT_BLINK);
		f->now_ms += 10;
		stop(f, STO_MAINT_BLINK);
	}
	expect_mode(f, STO_MAINT_BEEP, STO_MAINT_RUNNING, 0);
	assert_int_equal(strlen(log_word(f, 0, STO_MAINT_BLINK)), 2 * 256);
	assert_string_equal(log_word(f, 0, STO_MAINT_BEEP), "b");
	ok(db_get_int(&f->sto->db, &f->err, &rows, "SELECT count(*) FROM maint"));
	assert_int_equal(rows, 257);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(a1_a2_start_on_idle_runs_without_end),
		FX_TEST(a3_runs_on_when_everybody_has_gone),
		FX_TEST(a4_b1_stop_ends_at_once),
		FX_TEST(a5_pulse_gives_that_many_then_idle),
		FX_TEST(a6_a7_start_on_pulsing_runs_until_pulsed_again),
		FX_TEST(a8_start_on_pulsing_then_stop),
		FX_TEST(a9_start_on_running_changes_nothing),
		FX_TEST(a10_each_operation_starts_and_stops),
		FX_TEST(a11_b12_c9_other_operations_are_invalid),
		FX_TEST(a24_b4_operations_are_independent),
		FX_TEST(objects_are_independent),
		FX_TEST(a25_spin_up_and_down_replace_each_other),
		FX_TEST(b2_b3_stop_on_idle_does_nothing),
		FX_TEST(b5_stop_drops_left_over_pulses),
		FX_TEST(b6_stop_after_the_pulses_ran_out),
		FX_TEST(started_again_after_the_pulses_ran_out),
		FX_TEST(c1_running_gives_n_pulses),
		FX_TEST(c2_idle_gives_none),
		FX_TEST(c3_pulse_while_pulsing_restarts_the_count),
		FX_TEST(c4_interval_is_a_setting),
		FX_TEST(c5_spindle_does_not_pulse),
		FX_TEST(c6_count_zero_is_invalid),
		FX_TEST(c7_largest_count),
		FX_TEST(every_sequence_follows_the_table),
		FX_TEST(pulses_go_on_while_nobody_has_the_store_open),
		FX_TEST(clock_set_back_makes_nothing_negative),
		FX_TEST(clock_before_1970),
		FX_TEST(finished_pulses_are_not_revived_by_a_clock_set_back),
		FX_TEST(failing_drive_ends_spindle_and_ping_only),
		FX_TEST(departure_ends_all_and_keeps_the_log),
		FX_TEST(log_since_any_moment_is_a_suffix),
		FX_TEST(log_is_limited_from_the_oldest),
		FX_TEST(log_goes_back_256_requests_and_state_is_not_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
