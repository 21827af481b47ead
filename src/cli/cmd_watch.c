/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch: notifications as they happen. The service calls the sink on a thread of its own, which
 * only queues; this thread looks up numbers and prints, so no call goes back from the callback.
 */
#include "cli/common.h"
#include "cli/progress.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

struct notice {
	ULONG event;
	VDS_NOTIFICATION_TARGET_TYPE type;
	GUID id;
	uint64_t at; /* ms since 1970 */
};

VEC(struct notice, notices)

struct sink {
	IVdsAdviseSink IVdsAdviseSink_iface;
	IUnknown IUnknown_iface; /* identity */
	atomic_uint refs;
	pthread_mutex_t lock;
	pthread_cond_t arrived;
	struct notices queue; /* under lock */
	bool lost;            /* under lock: memory was short */
};

static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
	(void)number;
	stopped = 1;
}

/* ---- the sink ---- */

static ULONG sink_addref(struct sink *s)
{
	return atomic_fetch_add(&s->refs, 1) + 1;
}

static ULONG sink_release(struct sink *s)
{
	ULONG refs = atomic_fetch_sub(&s->refs, 1) - 1;

	if (!refs) {
		notices_free(&s->queue);
		pthread_cond_destroy(&s->arrived);
		pthread_mutex_destroy(&s->lock);
		free(s);
	}
	return refs;
}

static HRESULT sink_query(struct sink *s, REFIID riid, void **out)
{
	if (!out)
		return E_POINTER;
	*out = NULL;
	if (IsEqualIID(riid, &IID_IUnknown))
		*out = &s->IUnknown_iface;
	else if (IsEqualIID(riid, &IID_IVdsAdviseSink))
		*out = &s->IVdsAdviseSink_iface;
	else
		return E_NOINTERFACE;
	sink_addref(s);
	return S_OK;
}

#define FROM(iface, p) container_of(p, struct sink, iface##_iface)

static HRESULT STDMETHODCALLTYPE unk_QueryInterface(IUnknown *p, REFIID riid, void **out)
{
	return sink_query(FROM(IUnknown, p), riid, out);
}

static ULONG STDMETHODCALLTYPE unk_AddRef(IUnknown *p)
{
	return sink_addref(FROM(IUnknown, p));
}

static ULONG STDMETHODCALLTYPE unk_Release(IUnknown *p)
{
	return sink_release(FROM(IUnknown, p));
}

static HRESULT STDMETHODCALLTYPE adv_QueryInterface(IVdsAdviseSink *p, REFIID riid, void **out)
{
	return sink_query(FROM(IVdsAdviseSink, p), riid, out);
}

static ULONG STDMETHODCALLTYPE adv_AddRef(IVdsAdviseSink *p)
{
	return sink_addref(FROM(IVdsAdviseSink, p));
}

static ULONG STDMETHODCALLTYPE adv_Release(IVdsAdviseSink *p)
{
	return sink_release(FROM(IVdsAdviseSink, p));
}

static uint64_t wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static HRESULT STDMETHODCALLTYPE adv_OnNotify(IVdsAdviseSink *p, LONG count, VDS_NOTIFICATION *list)
{
	struct sink *s = FROM(IVdsAdviseSink, p);
	SCOPED_LOCK(&s->lock);

	for (LONG i = 0; i < count; i++) {
		/* Event and identity stand first in the structures of all hardware objects. */
		struct notice n = {.event = list[i].Drive.ulEvent,
			.type = list[i].objectType,
			.at = wall_ms()};

		if (n.type != VDS_NTT_SERVICE)
			n.id = list[i].Drive.driveId;
		if (notices_push(&s->queue, n))
			s->lost = true;
	}
	CoTaskMemFree(list);
	pthread_cond_signal(&s->arrived);
	return S_OK;
}

static const IUnknownVtbl unk_vtbl = {unk_QueryInterface, unk_AddRef, unk_Release};
static const IVdsAdviseSinkVtbl adv_vtbl = {
	adv_QueryInterface, adv_AddRef, adv_Release, adv_OnNotify};

static struct sink *sink_new(void)
{
	struct sink *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;

	if (!s)
		return NULL;
	s->IUnknown_iface.lpVtbl = &unk_vtbl;
	s->IVdsAdviseSink_iface.lpVtbl = &adv_vtbl;
	atomic_init(&s->refs, 1);
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->arrived, &attr);
	pthread_condattr_destroy(&attr);
	return s;
}

/* ---- printing ---- */

static enum cli_noun noun_of(VDS_NOTIFICATION_TARGET_TYPE type)
{
	static const struct {
		VDS_NOTIFICATION_TARGET_TYPE type;
		enum cli_noun noun;
	} map[] = {{VDS_NTT_SUB_SYSTEM, CLI_SUBSYSTEM}, {VDS_NTT_CONTROLLER, CLI_CONTROLLER},
		{VDS_NTT_DRIVE, CLI_DRIVE}, {VDS_NTT_LUN, CLI_LUN}, {VDS_NTT_PORT, CLI_PORT}};

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (map[i].type == type)
			return map[i].noun;
	return CLI_NOUN_NONE;
}

/* "drive_modify" */
static const char *event_word(ULONG event, char buf[static 64])
{
	const char *symbol = idl_notification_symbol(event);

	snprintf(buf, 64, "%s", symbol ? symbol + strlen("VDS_NF_") : "unknown");
	for (char *c = buf; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return buf;
}

static void print_notice(struct cli_ctx *ctx, const struct notice *n, unsigned nouns)
{
	enum cli_noun noun = noun_of(n->type);
	json_int_t number = noun ? cli_session_number(ctx, noun, &n->id) : -1;
	char word[64], id[GUID_TEXT_SIZE];
	json_t *at, *e;

	if (nouns && !(nouns & 1u << noun))
		return;
	event_word(n->event, word);
	at = cli_time_json(n->at);
	if (!ctx->opt.json) {
		if (number >= 0)
			cli_print(ctx, "%s  %-20s  %s %lld", json_string_value(at), word,
				cli_nouns[noun].text, (long long)number);
		else
			cli_print(ctx, "%s  %-20s  %s %s", json_string_value(at), word,
				noun ? cli_nouns[noun].text : "", cli_guid_text(&n->id, id));
		fflush(ctx->out);
		json_decref(at);
		return;
	}
	e = json_pack("{s:s, s:s, s:I, s:o, s:{s:o, s:o, s:o}}", "schema", "vds.1", "event", word,
		"event_raw", (json_int_t)n->event, "at", at, "object", "type",
		cli_string_json(noun ? cli_nouns[noun].name : NULL), "id", cli_guid_json(&n->id),
		"number", number < 0 ? json_null() : json_integer(number));
	cli_event(ctx, e);
}

/* Waits for notices until the deadline (0 = none) or a signal; takes them. */
static void take(struct sink *s, double deadline, struct notices *out)
{
	struct timespec until;
	double when = cli_now() + 0.2;

	if (deadline > 0 && deadline < when)
		when = deadline;
	until.tv_sec = (time_t)when;
	until.tv_nsec = (long)((when - (double)until.tv_sec) * 1e9);
	SCOPED_LOCK(&s->lock);
	if (!s->queue.len)
		pthread_cond_timedwait(&s->arrived, &s->lock, &until);
	*out = s->queue;
	memset(&s->queue, 0, sizeof(s->queue));
}

static void watch(struct cli_ctx *ctx, const struct cli_line *line, struct sink *s, unsigned nouns)
{
	double deadline = line->has_timeout      ? cli_now() + line->timeout
			  : ctx->opt.has_timeout ? cli_now() + ctx->opt.timeout
						 : 0;
	struct sigaction action = {.sa_handler = on_stop}, old_int, old_term;
	json_int_t seen = 0;

	stopped = 0;
	sigaction(SIGINT, &action, &old_int);
	sigaction(SIGTERM, &action, &old_term);
	while (!stopped && (deadline <= 0 || cli_now() < deadline)) {
		struct notices list = {0};
		struct notice *n;

		take(s, deadline, &list);
		vec_for_each (&list, n)
			print_notice(ctx, n, nouns);
		seen += (json_int_t)list.len;
		notices_free(&list);
	}
	sigaction(SIGINT, &old_int, NULL);
	sigaction(SIGTERM, &old_term, NULL);
	cli_result_set(ctx, "notifications", json_integer(seen));
}

int cli_cmd_watch(struct cli_ctx *ctx, const struct cli_line *line)
{
	unsigned nouns = 0;
	struct sink *s;
	DWORD cookie = 0;
	HRESULT hr;
	int status = CLI_OK;

	for (size_t i = 0; i < line->word_count; i++) {
		enum cli_noun noun = cli_find_noun(line->words[i], ~0u, true);

		if (!noun)
			return cli_diag_set(&ctx->outcome.diag, CLI_SYNTAX, NULL,
				"watch drives luns", "watch: \"%s\" is no kind of object",
				line->words[i]);
		nouns |= 1u << noun;
	}
	s = sink_new();
	if (!s)
		return cli_diag_memory(&ctx->outcome.diag);
	hr = IVdsService_Advise(ctx->session->service, &s->IVdsAdviseSink_iface, &cookie);
	if (FAILED(hr)) {
		status = cli_fail(ctx, hr, NULL, "the service sends no notifications");
	} else {
		watch(ctx, line, s, nouns);
		(void)IVdsService_Unadvise(ctx->session->service, cookie);
	}
	if (s->lost)
		cli_warn(ctx, "notifications were lost: out of memory");
	sink_release(s);
	return status;
}
