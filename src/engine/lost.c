/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data of LUNs that is lost for good (raid/lost.c): the lists on the drives. Every drive with a
 * member that is in sync or being filled has the ranges of its LUNs; what the members in sync say
 * is put together when a LUN is opened.
 */
#include "base/log.h"
#include "engine/engine_internal.h"

#define COPY_BYTES (PRIV_LOST_BLOCKS * PRIV_BLOCK)

static uint64_t copy_offset(const struct eng_drive *d, unsigned copy)
{
	return priv_block_offset(&d->priv, PRIV_LOST_BLOCK + copy * PRIV_LOST_BLOCKS);
}

/* ---- reading ------------------------------------------------------------------------------- */

struct copy_read {
	struct priv_lost list[PRIV_LOST_MAX];
	unsigned count;
	uint64_t seq;
	int rc;
};

static int read_copy(struct eng_drive *d, unsigned copy, uint8_t *buf, struct copy_read *out)
{
	out->rc = d->dev ? blk_read(d->dev, copy_offset(d, copy), buf, COPY_BYTES) : -ENODEV;
	if (!out->rc)
		out->rc = priv_lost_decode(buf, out->list, &out->count, &out->seq);
	return out->rc;
}

static int take_copy(struct eng_drive *d, const struct copy_read *c, unsigned copy)
{
	struct eng_lost_vec list = { 0 };

	for (unsigned i = 0; i < c->count; i++)
		if (eng_lost_vec_push(&list, c->list[i])) {
			eng_lost_vec_free(&list);
			return -ENOMEM;
		}
	eng_lost_vec_free(&d->lost);
	d->lost = list;
	d->lost_seq = c->seq;
	d->lost_copy = copy;
	return 0;
}

int eng_lost_load(struct eng_drive *d)
{
	uint8_t *buf = loop_buf_alloc_at(d->array->loop, LOOP_BUF_INNER, COPY_BYTES);
	struct copy_read *c = calloc(2, sizeof(*c));
	int rc = buf && c ? 0 : -ENOMEM;
	unsigned best;

	if (rc)
		goto out;
	for (unsigned i = 0; i < 2; i++)
		if (read_copy(d, i, buf, &c[i]))
			c[i].seq = c[i].count = 0;
	best = c[1].seq > c[0].seq;
	if (!c[best].seq && (c[0].rc || c[1].rc))
		log_warning("%s: its list of lost data is damaged; that of the other drives counts", d->path);
	rc = take_copy(d, &c[best], best);
out:
	free(c);
	if (buf)
		loop_buf_free(d->array->loop, buf, COPY_BYTES);
	return rc;
}

/* ---- writing ------------------------------------------------------------------------------- */

/* What the drive's list should be. */
static int list_for(const struct eng_drive *d, struct eng_lost_vec *out)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &d->array->luns) {
		const struct eng_lun *l = list_entry(pos, struct eng_lun, link);
		const struct raid_range *r;

		if (!l->lost.len || !eng_lun_on(l, d))
			continue;
		vec_for_each(&l->lost, r)
			if (eng_lost_vec_push(out,
					(struct priv_lost) { .vd = priv_vd_tag(&l->ddf_guid),
						.first = r->start / 512,
						.sectors = (r->end + 511) / 512 - r->start / 512 }))
				return -ENOMEM;
	}
	return out->len <= PRIV_LOST_MAX ? 0 : -ENOSPC;
}

static bool same(const struct eng_lost_vec *a, const struct eng_lost_vec *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->items, b->items, a->len * sizeof(a->items[0])));
}

static int put_list(struct eng_drive *d, const struct eng_lost_vec *list)
{
	uint8_t *buf = loop_buf_alloc_at(d->array->loop, LOOP_BUF_INNER, COPY_BYTES);
	unsigned blocks;
	int rc;

	if (!buf)
		return -ENOMEM;
	blocks = priv_lost_encode(list->items, (unsigned)list->len, d->lost_seq + 1, buf);
	rc = d->dev ? blk_write(d->dev, copy_offset(d, 1 - d->lost_copy), buf, blocks * PRIV_BLOCK, BLK_FUA)
				: -ENODEV;
	loop_buf_free(d->array->loop, buf, COPY_BYTES);
	return rc;
}

static int write_drive(struct eng_drive *d)
{
	struct eng_lost_vec list = { 0 };
	int rc;

	task_lock(&d->priv_lock);
	rc = list_for(d, &list);
	if (!rc && !same(&list, &d->lost)) {
		rc = put_list(d, &list);
		if (!rc) {
			struct eng_lost_vec old = d->lost;

			d->lost = list;
			d->lost_seq++;
			d->lost_copy = 1 - d->lost_copy;
			list = old;
		}
	}
	task_unlock(&d->priv_lock);
	eng_lost_vec_free(&list);
	return rc;
}

int eng_lost_write(struct eng_lun *l)
{
	ENG_INSIDE(l->array);
	unsigned written = 0;

	for (unsigned i = 0; i < 2 * l->shape.members; i++) {
		const struct eng_member *m = eng_lun_extent(l, i);
		struct eng_drive *d = m ? m->drive : NULL;
		int rc;

		if (!d || !eng_keeps_bitmap(m))
			continue;
		rc = write_drive(d);
		if (rc && rc != -ENOMEM && rc != -ENOSPC)
			rc = eng_drive_lost(d, rc);
		else
			written += !rc;
		if (rc)
			return rc;
	}
	return written ? 0 : -EIO;
}

/* ---- the LUN's own list ---------------------------------------------------------------------- */

int eng_lost_take(struct eng_lun *l, const struct raid_range *list, size_t count)
{
	struct eng_range_vec now = { 0 };

	for (size_t i = 0; i < count; i++)
		if (eng_range_vec_push(&now, list[i])) {
			eng_range_vec_free(&now);
			return -ENOMEM;
		}
	eng_range_vec_free(&l->lost);
	l->lost = now;
	return 0;
}

int eng_lost_gather(struct eng_lun *l)
{
	uint64_t tag = priv_vd_tag(&l->ddf_guid);

	for (unsigned i = 0; i < l->shape.members; i++) {
		const struct priv_lost *e;

		if (l->members[i].state != ENG_MEMBER_IN_SYNC || !eng_drive_online(l->members[i].drive))
			continue;
		vec_for_each(&l->members[i].drive->lost, e)
			if (e->vd == tag && eng_range_vec_push(&l->lost,
						(struct raid_range) { e->first * 512, (e->first + e->sectors) * 512 }))
				return -ENOMEM;
	}
	return 0;
}
