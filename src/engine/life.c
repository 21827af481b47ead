/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long the structs of the model live. Functions here wait, and whoever waits may find a drive
 * forgotten or a LUN deleted when it goes on. So nothing is freed or taken off a list while
 * anybody is inside (ENG_INSIDE): what goes is emptied, so that no search finds it and no sum
 * counts it, and is freed when the last one has left.
 *
 * A RAID set lives shorter than its LUN. Who waits on a set pins it; who closes it waits for that.
 */
#include "engine/engine_internal.h"

#include <assert.h>

struct eng_array *eng_enter(struct eng_array *a)
{
	a->inside++;
	return a;
}

static void free_lun(struct eng_lun *l)
{
	blk_dev_fini(&l->dev);
	eng_range_vec_free(&l->lost);
	list_del(&l->link);
	free(l);
}

static void free_drive(struct eng_drive *d)
{
	list_del(&d->link);
	eng_lost_vec_free(&d->lost);
	free(d->path);
	free(d);
}

void eng_leave(struct eng_array *a)
{
	struct list *pos, *tmp;

	assert(a->inside);
	if (--a->inside || !a->dead)
		return;
	a->dead = 0;
	list_for_each(pos, tmp, &a->luns)
		if (list_entry(pos, struct eng_lun, link)->dead)
			free_lun(list_entry(pos, struct eng_lun, link));
	list_for_each(pos, tmp, &a->drives)
		if (list_entry(pos, struct eng_drive, link)->dead)
			free_drive(list_entry(pos, struct eng_drive, link));
}

static bool keep(struct eng_array *a, const struct list *link)
{
	if (!a->inside || !list_linked(link))
		return false;
	a->dead++;
	return true;
}

void eng_lun_free(struct eng_lun *l)
{
	l->deleted = true;
	blk_close(&l->dev);
	eng_lun_close_set(l);
	eng_lun_drop(l);
}

void eng_lun_drop(struct eng_lun *l)
{
	l->deleted = true;
	l->shape.members = 0;
	l->array->luns_freed++;
	l->dead = keep(l->array, &l->link);
	if (!l->dead)
		free_lun(l);
}

void eng_drive_free(struct eng_drive *d)
{
	eng_drive_close_dev(d);
	task_group_wait(&d->loss);
	memset(&d->id, 0, sizeof(d->id));
	d->refnum = 0;
	d->ours = d->spare = d->spare_active = false;
	d->departed = d->out = true;
	d->bus = d->slot = -1;
	d->dead = keep(d->array, &d->link);
	if (!d->dead)
		free_drive(d);
}

void eng_lun_pin(struct eng_lun *l)
{
	l->pins++;
}

void eng_lun_unpin(struct eng_lun *l)
{
	assert(l->pins);
	if (!--l->pins)
		task_wake_all(&l->array->unpinned);
}

struct raid_set *eng_lun_set(const struct eng_lun *l)
{
	return l->set_ends ? NULL : l->set;
}

void eng_lun_close_set(struct eng_lun *l)
{
	while (l->pins)
		task_wait(&l->array->unpinned);
	l->set_ends = true;
	raid_close(l->set); /* its last requests still ask for it */
	l->set = NULL;
	l->set_ends = false;
}
