/* SPDX-License-Identifier: Apache-2.0 */
/* Notifications: hardware.md 12.8, software.md 1.5. */
#include "kit.h"

#include "vdscom/events.h"

#include <semaphore.h>

#define KEPT 4000

/* A client's sink: keeps what it was told and does what the test wants meanwhile. */
struct ear {
	struct com_object com;
	IUnknown IUnknown_iface;
	IVdsAdviseSink IVdsAdviseSink_iface;
	pthread_mutex_t lock;
	VDS_NOTIFICATION heard[KEPT];
	unsigned count, calls, largest;
	unsigned call_size[200];
	HRESULT answer;
	bool stops; /* every call: says so, and waits for the test */
	sem_t stopped, go_on;
	struct vdc_events *events; /* to unadvise or to post from within */
	DWORD unadvise;
	HRESULT unadvise_hr;
	bool echo;
};

COM_IDENTITY(ear)
COM_UNKNOWN(ear, IVdsAdviseSink)

static HRESULT ear_OnNotify(IVdsAdviseSink *iface, LONG count, VDS_NOTIFICATION *array)
{
	struct ear *self = COM_IMPL(ear, IVdsAdviseSink, iface);

	assert_true(count > 0 && count <= VDC_EVENTS_MAX);
	if (self->stops) {
		sem_post(&self->stopped);
		sem_wait(&self->go_on);
	}
	pthread_mutex_lock(&self->lock);
	for (LONG i = 0; i < count && self->count < KEPT; i++)
		self->heard[self->count++] = array[i];
	if (self->calls < ARRAY_SIZE(self->call_size))
		self->call_size[self->calls] = (unsigned)count;
	self->calls++;
	if ((unsigned)count > self->largest)
		self->largest = (unsigned)count;
	pthread_mutex_unlock(&self->lock);
	if (self->echo && array[0].Pack.ulEvent == VDS_NF_LUN_ARRIVE) {
		VDS_NOTIFICATION n =
			vdc_notification(VDS_NTT_LUN, VDS_NF_LUN_MODIFY, &array[0].Lun.LunId);

		vdc_events_post(self->events, &n, 1);
	}
	com_task_free(array); /* the receiver's */
	if (self->unadvise)
		self->unadvise_hr = vdc_events_unadvise(self->events, self->unadvise);
	return self->answer;
}

static const IVdsAdviseSinkVtbl ear_IVdsAdviseSink_vtbl = {
	COM_UNKNOWN_METHODS(ear, IVdsAdviseSink),
	.OnNotify = ear_OnNotify,
};

static const struct com_iface ear_list[] = {
	COM_IFACE(ear, IUnknown),
	COM_IFACE(ear, IVdsAdviseSink),
};
static const struct com_class ear_class = {"ear", sizeof(struct ear), COM_IFACES(ear_list), NULL};

static struct ear *ear_new(void)
{
	struct ear *e = com_object_new(&ear_class, NULL);

	assert_non_null(e);
	pthread_mutex_init(&e->lock, NULL);
	sem_init(&e->stopped, 0, 0);
	sem_init(&e->go_on, 0, 0);
	return e;
}

static DWORD advise(struct vdc_events *events, struct ear *e)
{
	DWORD cookie;

	e->events = events;
	assert_int_equal(vdc_events_advise(events, COM_AS(e, IVdsAdviseSink), &cookie), S_OK);
	assert_int_not_equal(cookie, 0);
	return cookie;
}

static unsigned ear_refs(struct ear *e)
{
	return atomic_load(&e->com.refs);
}

static VDS_NOTIFICATION lun(ULONG event, DWORD id)
{
	GUID g = {.Data1 = id};

	return vdc_notification(VDS_NTT_LUN, event, &g);
}

static void post_lun(struct vdc_events *events, ULONG event, DWORD id)
{
	VDS_NOTIFICATION n = lun(event, id);

	vdc_events_post(events, &n, 1);
}

static void expect_lun(const struct ear *e, unsigned i, ULONG event, DWORD id)
{
	assert_true(i < e->count);
	assert_int_equal(e->heard[i].objectType, VDS_NTT_LUN);
	assert_int_equal(e->heard[i].Lun.ulEvent, event);
	assert_int_equal(e->heard[i].Lun.LunId.Data1, id);
}

static void advise_and_unadvise(void **state)
{
	struct vdc_events *events = vdc_events_new(0);
	struct ear *e = ear_new();
	IVdsAdviseSink *sink = COM_AS(e, IVdsAdviseSink);
	DWORD a, b, c;

	(void)state;
	a = advise(events, e);
	b = advise(events, e); /* twice: two registrations */
	assert_int_not_equal(a, b);
	assert_int_equal(ear_refs(e), 3);
	post_lun(events, VDS_NF_LUN_MODIFY, 1);
	vdc_events_flush(events);
	assert_int_equal(e->count, 2);
	assert_int_equal(vdc_events_unadvise(events, a), S_OK);
	assert_int_equal(ear_refs(e), 2);
	assert_int_equal(vdc_events_unadvise(events, a), VDS_E_BAD_COOKIE);
	assert_int_equal(vdc_events_unadvise(events, 0), VDS_E_BAD_COOKIE);
	post_lun(events, VDS_NF_LUN_MODIFY, 2);
	vdc_events_flush(events);
	assert_int_equal(e->count, 3);
	assert_int_equal(vdc_events_unadvise(events, b), S_OK);
	post_lun(events, VDS_NF_LUN_MODIFY, 3);
	vdc_events_flush(events);
	assert_int_equal(e->count, 3);
	c = 5;
	assert_int_equal(vdc_events_advise(events, NULL, &c), E_INVALIDARG);
	assert_int_equal(c, 0);
	assert_int_equal(vdc_events_advise(events, sink, NULL), E_INVALIDARG);
	com_alloc_fail_after(1);
	assert_int_equal(vdc_events_advise(events, sink, &c), E_OUTOFMEMORY);
	assert_int_equal(ear_refs(e), 1);
	vdc_events_free(events);
	com_release(&e->com);
}

static void free_releases_the_sinks(void **state)
{
	struct vdc_events *events = vdc_events_new(0);
	struct ear *e = ear_new();

	(void)state;
	advise(events, e);
	advise(events, e);
	post_lun(events, VDS_NF_LUN_MODIFY, 1);
	vdc_events_free(events);
	assert_int_equal(ear_refs(e), 1);
	com_release(&e->com);
	vdc_events_free(NULL);
}

static void a_group_is_sorted_and_without_doubles(void **state)
{
	struct vdc_events *events = vdc_events_new(0);
	struct ear *e = ear_new();
	VDS_NOTIFICATION group[] = {
		lun(VDS_NF_LUN_MODIFY, 1),
		lun(VDS_NF_LUN_ARRIVE, 2),
		lun(VDS_NF_LUN_MODIFY, 1),
		lun(VDS_NF_LUN_DEPART, 3),
		lun(VDS_NF_LUN_MODIFY, 4),
		lun(VDS_NF_LUN_DEPART, 5),
		lun(VDS_NF_LUN_ARRIVE, 6),
	};

	(void)state;
	/* Bytes without meaning make no difference. */
	((char *)&group[2])[sizeof(group[2]) - 1] = 0x55;
	advise(events, e);
	vdc_events_post(events, group, ARRAY_SIZE(group));
	vdc_events_flush(events);
	assert_int_equal(e->calls, 1);
	assert_int_equal(e->count, 6);
	expect_lun(e, 0, VDS_NF_LUN_DEPART, 3);
	expect_lun(e, 1, VDS_NF_LUN_DEPART, 5);
	expect_lun(e, 2, VDS_NF_LUN_ARRIVE, 2);
	expect_lun(e, 3, VDS_NF_LUN_ARRIVE, 6);
	expect_lun(e, 4, VDS_NF_LUN_MODIFY, 1);
	expect_lun(e, 5, VDS_NF_LUN_MODIFY, 4);
	/* Groups are not mixed: a later equal one is news. */
	vdc_events_post(events, group, 1);
	vdc_events_post(events, group, 0);
	vdc_events_flush(events);
	assert_int_equal(e->count, 7);
	vdc_events_free(events);
	com_release(&e->com);
}

/* While a sink is busy, groups pile up; they come 100 at most, whole where they fit. */
static void groups_stay_together_up_to_100(void **state)
{
	struct vdc_events *events = vdc_events_new(0);
	struct ear *e = ear_new();
	VDS_NOTIFICATION group[250];
	static const unsigned sizes[] = {60, 40, 30, 71, 250, 5},
			      want[] = {1, 100, 30, 71, 100, 100, 55};
	unsigned next = 0;

	(void)state;
	e->stops = true;
	advise(events, e);
	post_lun(events, VDS_NF_LUN_MODIFY, 9999);
	sem_wait(&e->stopped);
	e->stops = false;
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (unsigned j = 0; j < sizes[i]; j++)
			group[j] = lun(VDS_NF_LUN_MODIFY, next++);
		vdc_events_post(events, group, sizes[i]);
	}
	sem_post(&e->go_on);
	vdc_events_flush(events);
	assert_int_equal(e->largest, 100);
	for (unsigned i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(e->call_size[i], want[i]);
	assert_int_equal(e->calls, ARRAY_SIZE(want));
	for (unsigned i = 0; i < next; i++)
		expect_lun(e, i + 1, VDS_NF_LUN_MODIFY, i);
	vdc_events_free(events);
	com_release(&e->com);
}

static void overflow_becomes_out_of_sync(void **state)
{
	struct vdc_events *events = vdc_events_new(10);
	struct ear *e = ear_new();

	(void)state;
	e->stops = true;
	advise(events, e);
	post_lun(events, VDS_NF_LUN_MODIFY, 1);
	sem_wait(&e->stopped);
	e->stops = false;
	for (DWORD i = 0; i < 11; i++) /* the last does not fit */
		post_lun(events, VDS_NF_LUN_MODIFY, 100 + i);
	post_lun(events, VDS_NF_LUN_MODIFY, 200);
	sem_post(&e->go_on);
	vdc_events_flush(events);
	assert_int_equal(e->count, 3);
	expect_lun(e, 0, VDS_NF_LUN_MODIFY, 1);
	assert_int_equal(e->heard[1].objectType, VDS_NTT_SERVICE);
	assert_int_equal(e->heard[1].Service.ulEvent, VDS_NF_SERVICE_OUT_OF_SYNC);
	assert_int_equal(e->heard[1].Service.action, VDS_RA_REFRESH);
	expect_lun(e, 2, VDS_NF_LUN_MODIFY, 200);
	vdc_events_out_of_sync(events, VDS_RA_RESTART);
	vdc_events_flush(events);
	assert_int_equal(e->heard[3].Service.action, VDS_RA_RESTART);
	vdc_events_free(events);
	com_release(&e->com);
}

/* One sink hangs; the producer and the other sink do not notice, and even the end comes. */
static void a_hanging_sink_holds_up_nobody(void **state)
{
	struct vdc_events *events = vdc_events_new(0);
	struct ear *dead = ear_new(), *alive = ear_new();

	(void)state;
	dead->stops = true;
	advise(events, dead);
	advise(events, alive);
	for (DWORD i = 0; i < 3000; i++)
		post_lun(events, VDS_NF_LUN_MODIFY, i);
	sem_wait(&dead->stopped);
	for (unsigned heard = 0; heard < 3000; sched_yield()) {
		pthread_mutex_lock(&alive->lock);
		heard = alive->count;
		pthread_mutex_unlock(&alive->lock);
	}
	vdc_events_free(events);
	assert_int_equal(ear_refs(alive), 1);
	assert_int_equal(ear_refs(dead), 2); /* its thread still has it */
	sem_post(&dead->go_on);
	while (ear_refs(dead) > 1)
		sched_yield();
	assert_int_equal(dead->calls, 1);
	com_release(&alive->com);
	com_release(&dead->com);
}

static void unadvise_from_within(void **state)
{
	struct vdc_events *events = vdc_events_new(0);
	struct ear *e = ear_new(), *other = ear_new();

	(void)state;
	e->unadvise = advise(events, e);
	advise(events, other);
	post_lun(events, VDS_NF_LUN_MODIFY, 1);
	post_lun(events, VDS_NF_LUN_MODIFY, 2);
	vdc_events_flush(events);
	while (ear_refs(e) > 1) /* its thread goes after the call */
		sched_yield();
	assert_int_equal(e->unadvise_hr, S_OK);
	assert_int_equal(e->calls, 1);
	assert_int_equal(other->count, 2);
	assert_int_equal(vdc_events_unadvise(events, e->unadvise), VDS_E_BAD_COOKIE);
	vdc_events_free(events);
	com_release(&e->com);
	com_release(&other->com);
}

static void *unadvise_main(void *arg)
{
	struct ear *e = arg;

	assert_int_equal(vdc_events_unadvise(e->events, 1), S_OK);
	/* The call in progress is over: the sink may be torn down. */
	assert_int_equal(e->calls, 1);
	return NULL;
}

static void unadvise_waits_for_the_call_in_progress(void **state)
{
	struct vdc_events *events = vdc_events_new(0);
	struct ear *e = ear_new();
	pthread_t thread;

	(void)state;
	e->stops = true;
	assert_int_equal(advise(events, e), 1);
	post_lun(events, VDS_NF_LUN_MODIFY, 1);
	post_lun(events, VDS_NF_LUN_MODIFY, 2);
	sem_wait(&e->stopped);
	pthread_create(&thread, NULL, unadvise_main, e);
	while (vdc_events_unadvise(events, 77) == VDS_E_BAD_COOKIE && ear_refs(e) > 2)
		sched_yield();
	sem_post(&e->go_on);
	pthread_join(thread, NULL);
	assert_int_equal(ear_refs(e), 1);
	assert_int_equal(e->calls, 1);
	vdc_events_free(events);
	com_release(&e->com);
}

static void posting_from_within(void **state)
{
	struct vdc_events *events = vdc_events_new(0);
	struct ear *e = ear_new();

	(void)state;
	e->echo = true;
	advise(events, e);
	post_lun(events, VDS_NF_LUN_ARRIVE, 7);
	vdc_events_flush(events);
	vdc_events_flush(events);
	assert_int_equal(e->count, 2);
	expect_lun(e, 1, VDS_NF_LUN_MODIFY, 7);
	vdc_events_free(events);
	com_release(&e->com);
}

static void a_failing_sink_keeps_getting_a_gone_one_does_not(void **state)
{
	struct vdc_events *events = vdc_events_new(0);
	struct ear *fails = ear_new(), *gone = ear_new();
	DWORD cookie;

	(void)state;
	fails->answer = E_FAIL;
	gone->answer = CO_E_OBJNOTCONNECTED;
	advise(events, fails);
	cookie = advise(events, gone);
	for (DWORD i = 0; i < 3; i++) {
		post_lun(events, VDS_NF_LUN_MODIFY, i);
		vdc_events_flush(events);
	}
	while (ear_refs(gone) > 1)
		sched_yield();
	assert_int_equal(fails->count, 3);
	assert_int_equal(gone->count, 1);
	assert_int_equal(vdc_events_unadvise(events, cookie), VDS_E_BAD_COOKIE);
	vdc_events_free(events);
	com_release(&fails->com);
	com_release(&gone->com);
}

/* Every kind of notification survives the way unchanged, padding aside. */
static void all_kinds_arrive(void **state)
{
	struct vdc_events *events = vdc_events_new(0);
	struct ear *e = ear_new();
	VDS_NOTIFICATION list[4] = {
		{.objectType = VDS_NTT_PARTITION,
			.Partition = {VDS_NF_PARTITION_MODIFY, {.Data1 = 1}, 4096}},
		{.objectType = VDS_NTT_DRIVE_LETTER,
			.Letter = {VDS_NF_DRIVE_LETTER_ASSIGN, 'E', {.Data1 = 2}}},
		{.objectType = VDS_NTT_VOLUME,
			.Volume = {VDS_NF_VOLUME_REBUILDING_PROGRESS, {.Data1 = 3}, {.Data1 = 4},
				55}},
		{.objectType = VDS_NTT_SERVICE,
			.Service = {VDS_NF_SERVICE_OUT_OF_SYNC, VDS_RA_RESTART}},
	};

	(void)state;
	advise(events, e);
	vdc_events_post(events, list, ARRAY_SIZE(list));
	vdc_events_flush(events);
	assert_int_equal(e->count, 4);
	assert_int_equal(e->heard[0].Letter.wcLetter, 'E'); /* an arrival */
	assert_int_equal(e->heard[0].Letter.volumeId.Data1, 2);
	assert_int_equal(e->heard[1].Partition.ullOffset, 4096);
	assert_int_equal(e->heard[2].Volume.plexId.Data1, 4);
	assert_int_equal(e->heard[2].Volume.ulPercentCompleted, 55);
	assert_int_equal(e->heard[3].Service.action, VDS_RA_RESTART);
	vdc_events_free(events);
	com_release(&e->com);
}

/* Three producers, sinks that come and go: each producer's events arrive in its order. */
struct producer {
	struct vdc_events *events;
	DWORD number;
};

enum { EACH = 1000 };

static void *produce(void *arg)
{
	struct producer *p = arg;

	for (DWORD i = 0; i < EACH; i++)
		post_lun(p->events, VDS_NF_LUN_MODIFY, p->number * EACH + i);
	return NULL;
}

static void *come_and_go(void *arg)
{
	struct vdc_events *events = arg;

	for (int i = 0; i < 30; i++) {
		struct ear *e = ear_new();

		assert_int_equal(vdc_events_unadvise(events, advise(events, e)), S_OK);
		com_release(&e->com);
	}
	return NULL;
}

static void order_holds_among_threads(void **state)
{
	struct vdc_events *events = vdc_events_new(0);
	struct producer p[3] = {{events, 0}, {events, 1}, {events, 2}};
	DWORD next[3] = {0};
	struct ear *e = ear_new();
	pthread_t threads[4];

	(void)state;
	advise(events, e);
	pthread_create(&threads[3], NULL, come_and_go, events);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, produce, &p[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	vdc_events_flush(events);
	assert_int_equal(e->count, 3 * EACH);
	for (unsigned i = 0; i < e->count; i++) {
		DWORD id = e->heard[i].Lun.LunId.Data1;

		assert_int_equal(id % EACH, next[id / EACH]);
		next[id / EACH]++;
	}
	vdc_events_free(events);
	com_release(&e->com);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(advise_and_unadvise),
		KIT_TEST(free_releases_the_sinks),
		KIT_TEST(a_group_is_sorted_and_without_doubles),
		KIT_TEST(groups_stay_together_up_to_100),
		KIT_TEST(overflow_becomes_out_of_sync),
		KIT_TEST(a_hanging_sink_holds_up_nobody),
		KIT_TEST(unadvise_from_within),
		KIT_TEST(unadvise_waits_for_the_call_in_progress),
		KIT_TEST(posting_from_within),
		KIT_TEST(a_failing_sink_keeps_getting_a_gone_one_does_not),
		KIT_TEST(all_kinds_arrive),
		KIT_TEST(order_holds_among_threads),
	};

	return cmocka_run_group_tests_name("vdscom events", tests, NULL, NULL);
}
