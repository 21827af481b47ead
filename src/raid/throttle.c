/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast background work may go: a token bucket in bytes, looked at before each row.
 *
 * While foreground I/O was active within the last 100 ms the work gets its share (per cent) of
 * the rate it reaches when nothing holds it back; when idle all of it. A hard limit applies
 * always. The rate is measured over the time in which at least one row was in flight, so the
 * pauses of the throttle itself do not count, and the best recent measure is kept, so that
 * foreground load does not lower the share of what is already shared.
 */
#include "raid/raid_internal.h"

#define FOREGROUND_MS UINT64_C(100)
#define NS_PER_S      UINT64_C(1000000000)
#define SAMPLE_NS     (NS_PER_S / 20)
#define LEAST_SHARE   5           /* per cent: nobody starves */
#define LEAST_RATE    (64u << 10) /* bytes per second */

void raid_throttle_init(struct raid_throttle *t, struct raid_set *set, const struct raid_run *run)
{
	*t = (struct raid_throttle){.set = set, .run = run, .last_ns = loop_now_ns(set->loop)};
}

/* Bytes per second that are allowed now; 0 = as fast as it goes. */
static uint64_t limit_now(const struct raid_throttle *t)
{
	uint64_t share = t->run->foreground_share, limit = t->run->rate_limit, part;

	if (share < LEAST_SHARE)
		share = LEAST_SHARE;
	if (share >= 100 || !t->rate || raid_idle_ms(t->set) >= FOREGROUND_MS)
		return limit;
	part = t->rate / 100 * share;
	if (part < LEAST_RATE)
		part = LEAST_RATE;
	return limit && limit < part ? limit : part;
}

static void refill(struct raid_throttle *t, uint64_t limit, uint64_t bytes)
{
	uint64_t now = loop_now_ns(t->set->loop), elapsed = now - t->last_ns;
	uint64_t most = limit / 10 > bytes ? limit / 10 : bytes;

	if (elapsed > NS_PER_S)
		elapsed = NS_PER_S;
	t->last_ns = now;
	t->tokens += (uint64_t)((double)limit * (double)elapsed / (double)NS_PER_S);
	if (t->tokens > most)
		t->tokens = most;
}

void raid_throttle_wait(struct raid_throttle *t, uint64_t bytes)
{
	for (;;) {
		uint64_t limit = limit_now(t), ms;

		if (!limit || t->run->cancel) {
			t->tokens = 0;
			t->last_ns = loop_now_ns(t->set->loop);
			return;
		}
		refill(t, limit, bytes);
		if (t->tokens >= bytes) {
			t->tokens -= bytes;
			return;
		}
		ms = (bytes - t->tokens) * 1000 / limit + 1;
		task_sleep_ms(ms < FOREGROUND_MS ? ms : FOREGROUND_MS); /* limits may change */
	}
}

void raid_throttle_begin(struct raid_throttle *t)
{
	if (!t->busy++)
		t->busy_since = loop_now_ns(t->set->loop);
}

void raid_throttle_end(struct raid_throttle *t, uint64_t bytes)
{
	uint64_t now = loop_now_ns(t->set->loop), sample, total;

	t->busy_bytes += bytes;
	total = t->busy_ns + (now - t->busy_since);
	if (total >= SAMPLE_NS) {
		sample = (uint64_t)((double)t->busy_bytes * (double)NS_PER_S / (double)total);
		t->rate -= t->rate / 50;
		if (sample > t->rate)
			t->rate = sample;
		t->busy_bytes = t->busy_ns = 0;
		t->busy_since = now;
	}
	if (!--t->busy)
		t->busy_ns += now - t->busy_since;
}
