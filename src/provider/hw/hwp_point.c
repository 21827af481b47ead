/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hold points: named places where calls and jobs stop while a client of IVdsxFault wishes, so
 * that "in progress" can be observed. All of it lives on the worker; who stops waits as a task.
 */
#include "provider/hw/hwp.h"

struct point {
	struct list link;
	char name[96];
	bool held;
	unsigned waiting;
	struct task_queue go;      /* who is stopped */
	struct task_queue reached; /* who waits for somebody to be stopped */
	unsigned watching;
};

static struct point *find(struct hwp *p, const char *name)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &p->points) {
		struct point *pt = list_entry(pos, struct point, link);
		if (!strcmp(pt->name, name))
			return pt;
	}
	return NULL;
}

static struct point *find_or_make(struct hwp *p, const char *name)
{
	struct point *pt = find(p, name);

	if (pt)
		return pt;
	pt = calloc(1, sizeof(*pt));
	if (!pt)
		return NULL;
	snprintf(pt->name, sizeof(pt->name), "%s", name);
	task_queue_init(&pt->go);
	task_queue_init(&pt->reached);
	list_add_tail(&p->points, &pt->link);
	return pt;
}

static void drop_unused(struct point *pt)
{
	if (pt->held || pt->waiting || pt->watching)
		return;
	list_del(&pt->link);
	free(pt);
}

bool hwp_point_held(struct hwp *p, const char *name)
{
	const struct point *pt = find(p, name);

	return pt && pt->held;
}

void hwp_point(struct hwp *p, const char *name)
{
	struct point *pt = find(p, name);

	if (!pt || !pt->held)
		return;
	pt->waiting++;
	task_wake_all(&pt->reached);
	while (pt->held)
		task_wait(&pt->go);
	pt->waiting--;
	drop_unused(pt);
}

int hwp_point_hold(struct hwp *p, const char *name)
{
	struct point *pt;

	if (p->points_off)
		return -ESTALE;
	pt = find_or_make(p, name);
	if (!pt)
		return -ENOMEM;
	pt->held = true;
	return 0;
}

int hwp_point_resume(struct hwp *p, const char *name)
{
	struct point *pt = find(p, name);

	if (!pt || !pt->held)
		return -ENOENT;
	pt->held = false;
	task_wake_all(&pt->go);
	task_wake_all(&pt->reached);
	drop_unused(pt);
	return 0;
}

int hwp_point_wait(struct hwp *p, const char *name, ULONG timeout_ms)
{
	uint64_t end = loop_now_ns(p->loop) + (uint64_t)timeout_ms * 1000000u;
	struct point *pt = find_or_make(p, name);

	if (!pt)
		return -ENOMEM;
	pt->watching++;
	while (!(pt->held && pt->waiting) && !p->points_off) {
		uint64_t now = loop_now_ns(p->loop);
		if (now >= end)
			break;
		task_wait_ms(&pt->reached, (end - now + 999999) / 1000000);
	}
	int rc = pt->held && pt->waiting ? 0 : -ETIMEDOUT;
	pt->watching--;
	drop_unused(pt);
	return rc;
}

void hwp_points_release(struct hwp *p)
{
	struct list *pos, *tmp;

	p->points_off = true;
	list_for_each (pos, tmp, &p->points) {
		struct point *pt = list_entry(pos, struct point, link);
		pt->held = false;
		task_wake_all(&pt->go);
		task_wake_all(&pt->reached);
	}
}

void hwp_points_free(struct hwp *p)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &p->points) {
		struct point *pt = list_entry(pos, struct point, link);
		list_del(&pt->link);
		free(pt);
	}
}
