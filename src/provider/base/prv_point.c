/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hold points: named places where calls and jobs stop while a client of IVdsxFault wishes, so
 * that "in progress" can be observed. All of it lives on the worker; who stops waits as a task.
 */
#include "provider/base/prv.h"

#include <stdio.h>

struct point {
	struct list link;
	char name[96];
	bool held;
	unsigned waiting;
	struct task_queue go;      /* who is stopped */
	struct task_queue reached; /* who waits for somebody to be stopped */
	unsigned watching;
};

static struct point *find(struct prv *core, const char *name)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &core->points.list) {
		struct point *pt = list_entry(pos, struct point, link);
		if (!strcmp(pt->name, name))
			return pt;
	}
	return NULL;
}

static struct point *find_or_make(struct prv *core, const char *name)
{
	struct point *pt = find(core, name);

	if (pt)
		return pt;
	pt = calloc(1, sizeof(*pt));
	if (!pt)
		return NULL;
	snprintf(pt->name, sizeof(pt->name), "%s", name);
	task_queue_init(&pt->go);
	task_queue_init(&pt->reached);
	list_add_tail(&core->points.list, &pt->link);
	return pt;
}

static void drop_unused(struct point *pt)
{
	if (pt->held || pt->waiting || pt->watching)
		return;
	list_del(&pt->link);
	free(pt);
}

bool prv_point_held(struct prv *core, const char *name)
{
	const struct point *pt = find(core, name);

	return pt && pt->held;
}

void prv_point(struct prv *core, const char *name)
{
	struct point *pt = find(core, name);

	if (!pt || !pt->held)
		return;
	pt->waiting++;
	task_wake_all(&pt->reached);
	while (pt->held)
		task_wait(&pt->go);
	pt->waiting--;
	drop_unused(pt);
}

int prv_point_hold(struct prv *core, const char *name)
{
	struct point *pt;

	if (core->points.off)
		return -ESTALE;
	pt = find_or_make(core, name);
	if (!pt)
		return -ENOMEM;
	pt->held = true;
	return 0;
}

int prv_point_resume(struct prv *core, const char *name)
{
	struct point *pt = find(core, name);

	if (!pt || !pt->held)
		return -ENOENT;
	pt->held = false;
	task_wake_all(&pt->go);
	task_wake_all(&pt->reached);
	drop_unused(pt);
	return 0;
}

int prv_point_wait(struct prv *core, const char *name, ULONG timeout_ms)
{
	uint64_t end = loop_now_ns(core->loop) + (uint64_t)timeout_ms * 1000000u;
	struct point *pt = find_or_make(core, name);

	if (!pt)
		return -ENOMEM;
	pt->watching++;
	while (!(pt->held && pt->waiting) && !core->points.off) {
		uint64_t now = loop_now_ns(core->loop);
		if (now >= end)
			break;
		task_wait_ms(&pt->reached, (end - now + 999999) / 1000000);
	}
	int rc = pt->held && pt->waiting ? 0 : -ETIMEDOUT;
	pt->watching--;
	drop_unused(pt);
	return rc;
}

void prv_points_release(struct prv *core)
{
	struct list *pos, *tmp;

	core->points.off = true;
	list_for_each (pos, tmp, &core->points.list) {
		struct point *pt = list_entry(pos, struct point, link);
		pt->held = false;
		task_wake_all(&pt->go);
		task_wake_all(&pt->reached);
	}
}

void prv_points_free(struct prv *core)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &core->points.list) {
		struct point *pt = list_entry(pos, struct point, link);
		list_del(&pt->link);
		free(pt);
	}
}
