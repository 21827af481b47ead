/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events are gathered while a change is made and handed over as one group when its new state can
 * be queried: departures, then arrivals, then modifications; nothing twice.
 */
#include "engine/engine_internal.h"

static int event_rank(enum eng_event_kind kind)
{
	switch (kind) {
	case ENG_EVENT_DRIVE_DEPART:
	case ENG_EVENT_LUN_DEPART:
	case ENG_EVENT_DRIVE_REMOVED:
		return 0;
	case ENG_EVENT_DRIVE_ARRIVE:
	case ENG_EVENT_LUN_ARRIVE:
		return 1;
	case ENG_EVENT_DRIVE_MODIFY:
	case ENG_EVENT_LUN_MODIFY:
	case ENG_EVENT_ARRAY_MODIFY:
		return 2;
	}
	return 2;
}

void eng_event_add(struct eng_array *a, enum eng_event_kind kind, const struct guid *id)
{
	struct eng_event *e;

	vec_for_each(&a->events, e)
		if (e->kind == kind && guid_equal(&e->id, id))
			return;
	if (eng_event_vec_push(&a->events, (struct eng_event) { .kind = kind, .id = *id }))
		a->events_lost = true;
}

void eng_events_flush(struct eng_array *a)
{
	struct eng_event_vec group = a->events;
	struct eng_event_vec sorted = { 0 };
	struct eng_event *e;

	if (!group.len)
		return;
	memset(&a->events, 0, sizeof(a->events));
	for (int rank = 0; rank <= 2; rank++)
		vec_for_each(&group, e)
			if (event_rank(e->kind) == rank && eng_event_vec_push(&sorted, *e))
				a->events_lost = true;
	if (a->host.events && sorted.len)
		a->host.events(a->host.ctx, a, sorted.items, (unsigned)sorted.len);
	eng_event_vec_free(&sorted);
	eng_event_vec_free(&group);
}

void eng_events_health(struct eng_array *a)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->luns) {
		struct eng_lun *l = list_entry(pos, struct eng_lun, link);
		enum eng_lun_health now = eng_lun_health_of(l);

		if (l->dead || now == l->told_health)
			continue;
		l->told_health = now;
		eng_event_add(a, ENG_EVENT_LUN_MODIFY, &l->id);
	}
}

void eng_point(struct eng_array *a, const char *name, const struct guid *object)
{
	if (a->host.point)
		a->host.point(a->host.ctx, name, object);
}
