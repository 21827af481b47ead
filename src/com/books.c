/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which objects live, and who took and gave their references.
 *
 * Every object is on one list from birth to death: making objects is rare enough for one lock.
 * References are recorded only when asked for (com_track_refs, VDS_REFS=1), as the addresses of
 * the callers in a ring beside the object; names are looked up when they are printed.
 */
#include "com/com_internal.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define HISTORY 64

struct com_history {
	unsigned count; /* of all; the last HISTORY are kept */
	struct {
		const void *caller;
		int step;
		unsigned refs; /* about that time: not exact when threads race */
	} entry[HISTORY];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* nothing is called while it is held,
							     but the log sink by com_dump_live */
static struct list living = {&living, &living};
static atomic_bool tracking;
static atomic_int module_locks;

void com_track_refs(bool on)
{
	atomic_store(&tracking, on);
}

static void dump_at_exit(void)
{
	com_dump_live();
}

__attribute__((constructor)) static void track_from_environment(void)
{
	const char *value = getenv("VDS_REFS");

	if (value && !strcmp(value, "1")) {
		com_track_refs(true);
		atexit(dump_at_exit);
	}
}

void com_books_add(struct com_object *com)
{
	/* Not counted by injected failures: it is no part of what is observed. */
	if (atomic_load_explicit(&tracking, memory_order_relaxed))
		com->history = calloc(1, sizeof(*com->history));
	SCOPED_LOCK(&lock);
	list_add_tail(&living, &com->live);
}

void com_books_remove(struct com_object *com)
{
	pthread_mutex_lock(&lock);
	list_del(&com->live);
	pthread_mutex_unlock(&lock);
	free(com->history);
}

void com_books_ref(struct com_object *com, int step, const void *caller)
{
	struct com_history *h = com->history;

	if (!h)
		return;
	SCOPED_LOCK(&lock);
	h->entry[h->count % HISTORY].caller = caller;
	h->entry[h->count % HISTORY].step = step;
	h->entry[h->count % HISTORY].refs = atomic_load(&com->refs);
	h->count++;
}

unsigned com_live_objects(const char *class_name)
{
	struct list *pos, *tmp;
	unsigned n = 0;

	SCOPED_LOCK(&lock);
	list_for_each (pos, tmp, &living)
		n += !class_name ||
		     !strcmp(list_entry(pos, struct com_object, live)->cls->name, class_name);
	return n;
}

static void dump_history(const struct com_history *h)
{
	for (unsigned i = h->count > HISTORY ? h->count - HISTORY : 0; i < h->count; i++) {
		const void *caller = h->entry[i % HISTORY].caller;
		Dl_info info = {0};

		/* The address lies behind the call. */
		dladdr(caller, &info);
		log_error("    %s by %s+%#zx (%s+%#zx), about %u",
			h->entry[i % HISTORY].step > 0 ? "taken" : "given",
			info.dli_sname ? info.dli_sname : "?",
			info.dli_saddr ? (size_t)((const char *)caller - (char *)info.dli_saddr)
				       : 0,
			info.dli_fname ? info.dli_fname : "?",
			info.dli_fbase ? (size_t)((const char *)caller - (char *)info.dli_fbase)
				       : 0,
			h->entry[i % HISTORY].refs);
	}
}

unsigned com_dump_live(void)
{
	struct list *pos, *tmp;
	unsigned n = 0;

	SCOPED_LOCK(&lock);
	list_for_each (pos, tmp, &living) {
		struct com_object *com = list_entry(pos, struct com_object, live);
		struct guid id = com_guid_to(&com->id);
		char text[GUID_TEXT_SIZE];

		log_error("alive: %s %s, %u references, made at %s:%d", com->cls->name,
			guid_format(&id, text), atomic_load(&com->refs), com->file, com->line);
		if (com->history)
			dump_history(com->history);
		n++;
	}
	return n;
}

void com_trace(const struct com_object *com, const char *method, const char *fmt, ...)
{
	struct guid id = com_guid_to(&com->id);
	char text[GUID_TEXT_SIZE], args[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(args, sizeof(args), fmt, ap);
	va_end(ap);
	log_debug("%s %s%s)", guid_format(&id, text), method, args);
}

void com_module_lock(void)
{
	atomic_fetch_add(&module_locks, 1);
}

void com_module_unlock(void)
{
	int old = atomic_fetch_sub(&module_locks, 1);

	assert(old > 0);
	(void)old;
}

bool com_module_idle(void)
{
	return !atomic_load(&module_locks) && !com_live_objects(NULL);
}
