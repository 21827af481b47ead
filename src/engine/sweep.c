/* SPDX-License-Identifier: Apache-2.0 */
/* The same done to many drives, several at a time: each waits for its drive, not for the others. */
#include "engine/engine_internal.h"

#define PARALLEL 16

struct sweep {
	struct eng_result *list;
	unsigned n, next;
	int (*fn)(struct eng_drive *d, const void *ctx);
	const void *ctx;
	struct task_group group;
};

static void sweep_task(void *arg)
{
	struct sweep *s = arg;

	while (s->next < s->n) {
		struct eng_result *r = &s->list[s->next++];

		r->rc = s->fn(r->d, s->ctx);
	}
	task_group_end(&s->group);
}

int eng_sweep(struct eng_array *a, bool (*match)(const struct eng_drive *d, const void *ctx),
	int (*fn)(struct eng_drive *d, const void *ctx), const void *ctx, struct eng_result **out,
	unsigned *count)
{
	struct sweep s = { .fn = fn, .ctx = ctx };
	struct list *pos, *tmp;
	unsigned room = 0;

	*out = NULL;
	*count = 0;
	list_for_each(pos, tmp, &a->drives)
		room++;
	s.list = calloc(room + 1u, sizeof(*s.list));
	if (!s.list)
		return -ENOMEM;
	list_for_each(pos, tmp, &a->drives)
		if (match(list_entry(pos, struct eng_drive, link), ctx))
			s.list[s.n++].d = list_entry(pos, struct eng_drive, link);
	task_group_init(&s.group);
	for (unsigned i = 0; i < PARALLEL && i < s.n; i++) {
		task_group_begin(&s.group);
		if (task_spawn(a->loop, "sweep", sweep_task, &s))
			sweep_task(&s);
	}
	task_group_wait(&s.group);
	*out = s.list;
	*count = s.n;
	return 0;
}
