/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One lock guards all queues; it is held for moments only and never while anything outside is
 * called. A sink is owned by its registration and by its thread; the last of the two to go
 * releases the interface. The whole is owned by its maker and by the threads, so that one that
 * hangs in a sink may be left behind.
 *
 * Every post has a number. A sink has settled a number when nothing up to it waits, is being
 * delivered, or was lost without the sink having been told: that is what flush waits for.
 *
 * Memory for queues comes from malloc directly: failures that are injected into task memory aim at
 * the calls under test, not at this thread.
 */
#include "vdscom/events.h"

#include "vdscom/props.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define DEFAULT_LIMIT 10000
#define HANG_SECONDS  2 /* how long the end of a registration waits for a call in progress */

struct group {
	struct group *next;
	uint64_t seq;
	size_t count, sent;
	VDS_NOTIFICATION list[];
};

struct sink {
	struct vdc_events *events;
	struct list link; /* unlinked = no longer registered */
	IVdsAdviseSink *iface;
	DWORD cookie;
	pthread_t thread;
	unsigned refs;       /* registration, thread */
	pthread_cond_t work; /* something to do, or the end */
	struct group *head, **tail;
	size_t waiting;    /* notifications in the queue */
	uint64_t lost_seq; /* 0, or the last post that was lost untold */
	uint64_t calling;  /* 0, or the first post of the call in progress */
};

struct vdc_events {
	pthread_mutex_t lock;
	pthread_cond_t progress; /* a call has ended, a queue was emptied */
	unsigned refs;           /* maker, threads */
	struct list sinks;
	DWORD last_cookie;
	uint64_t seq;
	size_t limit;
};

/* ---- queues (locked) ---------------------------------------------------------------------- */

static void queue_drop(struct sink *s)
{
	while (s->head) {
		struct group *g = s->head;

		s->head = g->next;
		free(g);
	}
	s->tail = &s->head;
	s->waiting = 0;
}

static void queue_lose(struct sink *s, uint64_t seq)
{
	if (!s->lost_seq)
		log_warning("a client does not keep up with notifications: it is told to refresh");
	queue_drop(s);
	s->lost_seq = seq;
}

static void queue_add(struct sink *s, uint64_t seq, const VDS_NOTIFICATION *list, size_t count)
{
	struct group *g = NULL;

	if (list && s->waiting + count <= s->events->limit)
		g = malloc(sizeof(*g) + count * sizeof(*list));
	if (g) {
		g->next = NULL;
		g->seq = seq;
		g->count = count;
		g->sent = 0;
		memcpy(g->list, list, count * sizeof(*list));
		*s->tail = g;
		s->tail = &g->next;
		s->waiting += count;
	} else {
		queue_lose(s, seq);
	}
	pthread_cond_signal(&s->work);
}

/* The next call's content: as many whole groups as fit, or a part of one that is too large. The
 * array is the sink's to free. NULL: memory is short, nothing was taken. */
static VDS_NOTIFICATION *queue_take(struct sink *s, size_t *count)
{
	VDS_NOTIFICATION *array = malloc(VDC_EVENTS_MAX * sizeof(*array));

	*count = 0;
	if (!array)
		return NULL;
	while (s->head) {
		struct group *g = s->head;
		size_t left = g->count - g->sent, n = left;

		if (n > VDC_EVENTS_MAX - *count) {
			if (*count)
				break;
			n = VDC_EVENTS_MAX;
		}
		memcpy(array + *count, g->list + g->sent, n * sizeof(*array));
		*count += n;
		g->sent += n;
		s->waiting -= n;
		if (n < left)
			break;
		s->head = g->next;
		if (!s->head)
			s->tail = &s->head;
		free(g);
	}
	return array;
}

static VDS_NOTIFICATION *take_lost(struct sink *s, size_t *count)
{
	VDS_NOTIFICATION *n = calloc(1, sizeof(*n));

	*count = 1;
	if (!n)
		return NULL;
	n->objectType = VDS_NTT_SERVICE;
	n->Service.ulEvent = VDS_NF_SERVICE_OUT_OF_SYNC;
	n->Service.action = VDS_RA_REFRESH;
	s->lost_seq = 0;
	return n;
}

static bool settled(const struct sink *s, uint64_t seq)
{
	return (!s->calling || s->calling > seq) && (!s->lost_seq || s->lost_seq > seq) &&
	       (!s->head || s->head->seq > seq);
}

/* ---- ownership ---------------------------------------------------------------------------- */

static void events_unref(struct vdc_events *e)
{
	bool last;

	pthread_mutex_lock(&e->lock);
	last = !--e->refs;
	pthread_mutex_unlock(&e->lock);
	if (!last)
		return;
	pthread_cond_destroy(&e->progress);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

static void sink_unref(struct sink *s)
{
	bool last;

	pthread_mutex_lock(&s->events->lock);
	last = !--s->refs;
	pthread_mutex_unlock(&s->events->lock);
	if (!last)
		return;
	queue_drop(s);
	s->iface->lpVtbl->Release(s->iface);
	pthread_cond_destroy(&s->work);
	free(s);
}

static void deadline(struct timespec *t, time_t seconds)
{
	clock_gettime(CLOCK_MONOTONIC, t);
	t->tv_sec += seconds;
}

/* Takes a registration out; nothing more is delivered to it. (locked; drops the lock meanwhile) */
static void sink_remove(struct sink *s)
{
	struct vdc_events *e = s->events;
	bool own = pthread_equal(s->thread, pthread_self());
	struct timespec until;

	list_del(&s->link);
	queue_drop(s);
	pthread_cond_signal(&s->work);
	pthread_cond_broadcast(&e->progress);
	deadline(&until, HANG_SECONDS);
	while (!own && s->calling)
		if (pthread_cond_clockwait(&e->progress, &e->lock, CLOCK_MONOTONIC, &until) ==
			ETIMEDOUT)
			break;
	own = own || s->calling;
	pthread_mutex_unlock(&e->lock);
	if (own)
		pthread_detach(s->thread);
	else
		pthread_join(s->thread, NULL);
	sink_unref(s);
	pthread_mutex_lock(&e->lock);
}

/* ---- delivery ----------------------------------------------------------------------------- */

/* Results that say that the sink's channel is gone for good. */
static bool is_gone(HRESULT hr)
{
	return hr == (HRESULT)0x80010108 /* RPC_E_DISCONNECTED */ ||
	       hr == (HRESULT)0x800401fd /* CO_E_OBJNOTCONNECTED */ ||
	       hr == (HRESULT)0x800706ba /* RPC_S_SERVER_UNAVAILABLE */;
}

/* One call. (locked; drops the lock meanwhile) */
static void deliver(struct sink *s)
{
	struct vdc_events *e = s->events;
	uint64_t seq = s->lost_seq ? s->lost_seq : s->head->seq;
	size_t count;
	VDS_NOTIFICATION *array = s->lost_seq ? take_lost(s, &count) : queue_take(s, &count);
	struct timespec until;
	HRESULT hr;

	if (!array) { /* some memory may come free */
		deadline(&until, 1);
		pthread_cond_clockwait(&s->work, &e->lock, CLOCK_MONOTONIC, &until);
		return;
	}
	s->calling = seq;
	pthread_mutex_unlock(&e->lock);
	hr = s->iface->lpVtbl->OnNotify(s->iface, (LONG)count, array);
	pthread_mutex_lock(&e->lock);
	s->calling = 0;
	pthread_cond_broadcast(&e->progress);
	if (is_gone(hr) && list_linked(&s->link)) {
		log_info("a client that took notifications is gone");
		sink_remove(s);
	}
}

static void *sink_main(void *arg)
{
	struct sink *s = arg;
	struct vdc_events *e = s->events;

	pthread_mutex_lock(&e->lock);
	while (list_linked(&s->link)) {
		if (s->head || s->lost_seq)
			deliver(s);
		else
			pthread_cond_wait(&s->work, &e->lock);
	}
	pthread_mutex_unlock(&e->lock);
	sink_unref(s);
	events_unref(e);
	return NULL;
}

/* ---- the interface ------------------------------------------------------------------------ */

struct vdc_events *vdc_events_new(size_t limit)
{
	struct vdc_events *e = com_task_calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->progress, NULL);
	list_init(&e->sinks);
	e->refs = 1;
	e->limit = limit ? limit : DEFAULT_LIMIT;
	return e;
}

void vdc_events_free(struct vdc_events *e)
{
	struct sink *s;

	if (!e)
		return;
	pthread_mutex_lock(&e->lock);
	while ((s = list_first(&e->sinks, struct sink, link)))
		sink_remove(s);
	pthread_mutex_unlock(&e->lock);
	events_unref(e);
}

/* Starts the sink's thread with all signals blocked: they are the program's. (locked) */
static int start_thread(struct sink *s)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&s->thread, NULL, sink_main, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!rc)
		pthread_setname_np(s->thread, "vds-events");
	return rc;
}

HRESULT vdc_events_advise(struct vdc_events *e, IVdsAdviseSink *iface, DWORD *cookie)
{
	struct sink *s;
	int rc;

	if (cookie)
		*cookie = 0;
	if (!iface || !cookie)
		return E_INVALIDARG;
	s = com_task_calloc(1, sizeof(*s));
	if (!s)
		return E_OUTOFMEMORY;
	s->events = e;
	s->iface = iface;
	s->refs = 2;
	s->tail = &s->head;
	pthread_cond_init(&s->work, NULL);
	iface->lpVtbl->AddRef(iface);
	pthread_mutex_lock(&e->lock);
	list_add_tail(&e->sinks, &s->link);
	rc = start_thread(s);
	if (rc) {
		list_del(&s->link);
		s->refs = 1;
	} else {
		e->refs++;
		if (!++e->last_cookie)
			++e->last_cookie;
		*cookie = s->cookie = e->last_cookie;
	}
	pthread_mutex_unlock(&e->lock);
	if (rc)
		sink_unref(s);
	return rc ? E_OUTOFMEMORY : S_OK;
}

HRESULT vdc_events_unadvise(struct vdc_events *e, DWORD cookie)
{
	struct list *pos, *tmp;

	SCOPED_LOCK(&e->lock);
	list_for_each (pos, tmp, &e->sinks) {
		struct sink *s = list_entry(pos, struct sink, link);

		if (s->cookie == cookie) {
			sink_remove(s);
			return S_OK;
		}
	}
	return VDS_E_BAD_COOKIE;
}

/* ---- posting ------------------------------------------------------------------------------ */

enum event_class { CLASS_DEPART, CLASS_ARRIVE, CLASS_OTHER, CLASSES };

static enum event_class classify(const VDS_NOTIFICATION *n)
{
	/* The event is the first member of every arm. */
	switch (n->Pack.ulEvent) {
	case VDS_NF_PACK_DEPART:
	case VDS_NF_VOLUME_DEPART:
	case VDS_NF_DISK_DEPART:
	case VDS_NF_PARTITION_DEPART:
	case VDS_NF_SUB_SYSTEM_DEPART:
	case VDS_NF_CONTROLLER_DEPART:
	case VDS_NF_DRIVE_DEPART:
	case VDS_NF_LUN_DEPART:
	case VDS_NF_PORT_DEPART:
	case VDS_NF_PORTAL_DEPART:
	case VDS_NF_TARGET_DEPART:
	case VDS_NF_PORTAL_GROUP_DEPART:
	case VDS_NF_DRIVE_LETTER_FREE:
		return CLASS_DEPART;
	case VDS_NF_PACK_ARRIVE:
	case VDS_NF_VOLUME_ARRIVE:
	case VDS_NF_DISK_ARRIVE:
	case VDS_NF_PARTITION_ARRIVE:
	case VDS_NF_SUB_SYSTEM_ARRIVE:
	case VDS_NF_CONTROLLER_ARRIVE:
	case VDS_NF_DRIVE_ARRIVE:
	case VDS_NF_LUN_ARRIVE:
	case VDS_NF_PORT_ARRIVE:
	case VDS_NF_PORTAL_ARRIVE:
	case VDS_NF_TARGET_ARRIVE:
	case VDS_NF_PORTAL_GROUP_ARRIVE:
	case VDS_NF_DRIVE_LETTER_ASSIGN:
		return CLASS_ARRIVE;
	default: /* of numbers, not of an enumeration */
		return CLASS_OTHER;
	}
}

/* Appends without what has no meaning, so that equal ones are equal bytes; doubles are left out. */
static size_t append_once(VDS_NOTIFICATION *list, size_t count, const VDS_NOTIFICATION *n)
{
	/* Holds no memory, so it cannot fail. */
	vdc_copy(VDS_NOTIFICATION, &list[count], n);
	for (size_t i = 0; i < count; i++)
		if (!memcmp(&list[i], &list[count], sizeof(*n)))
			return count;
	return count + 1;
}

void vdc_events_post(struct vdc_events *e, const VDS_NOTIFICATION *list, size_t count)
{
	VDS_NOTIFICATION *sorted;
	struct list *pos, *tmp;
	size_t n = 0;

	if (!count)
		return;
	sorted = malloc(count * sizeof(*sorted));
	for (int class = 0; sorted && class < CLASSES; class ++)
		for (size_t i = 0; i < count; i++)
			if ((int)classify(&list[i]) == class)
				n = append_once(sorted, n, &list[i]);
	pthread_mutex_lock(&e->lock);
	e->seq++;
	list_for_each (pos, tmp, &e->sinks)
		queue_add(list_entry(pos, struct sink, link), e->seq, sorted, n);
	pthread_mutex_unlock(&e->lock);
	free(sorted);
}

void vdc_events_out_of_sync(struct vdc_events *e, VDS_RECOVER_ACTION action)
{
	VDS_NOTIFICATION n = {.objectType = VDS_NTT_SERVICE};

	n.Service.ulEvent = VDS_NF_SERVICE_OUT_OF_SYNC;
	n.Service.action = action;
	vdc_events_post(e, &n, 1);
}

void vdc_events_flush(struct vdc_events *e)
{
	struct list *pos, *tmp;
	uint64_t seq;
	bool all = false;

	SCOPED_LOCK(&e->lock);
	seq = e->seq;
	while (!all) {
		all = true;
		list_for_each (pos, tmp, &e->sinks)
			all = all && settled(list_entry(pos, struct sink, link), seq);
		if (!all)
			pthread_cond_wait(&e->progress, &e->lock);
	}
}

VDS_NOTIFICATION vdc_notification(VDS_NOTIFICATION_TARGET_TYPE type, ULONG event, const GUID *id)
{
	VDS_NOTIFICATION n;

	memset(&n, 0, sizeof(n));
	n.objectType = type;
	/* All of these arms are alike: {event, id}. */
	n.Pack.ulEvent = event;
	n.Pack.packId = *id;
	return n;
}
