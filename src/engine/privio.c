/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing the private area of drives (priv.h): superblock, member table, bitmaps. */
#include "base/log.h"
#include "engine/engine_internal.h"

/* A drive whose private area may be written: also one withdrawn, so that it knows. */
static bool writable(const struct eng_drive *d)
{
	return d && d->ours && d->dev && !d->out && !d->failed && !d->unreachable;
}

static int write_block(struct eng_drive *d, uint64_t block, const void *bytes)
{
	if (!d->dev) /* gone meanwhile */
		return -ENODEV;
	return blk_write(d->dev, priv_block_offset(&d->priv, block), bytes, PRIV_BLOCK, BLK_FUA);
}

static int read_block(struct eng_drive *d, uint64_t block, void *bytes)
{
	if (!d->dev)
		return -ENODEV;
	return blk_read(d->dev, priv_block_offset(&d->priv, block), bytes, PRIV_BLOCK);
}

int eng_priv_super(struct eng_drive *d, bool clean)
{
	uint8_t *buf;
	int rc;

	if (!writable(d))
		return 0;
	buf = loop_buf_alloc_at(d->array->loop, LOOP_BUF_INNER, PRIV_BLOCK);
	if (!buf)
		return -ENOMEM;
	d->super.seq++;
	d->super.ddf_seq = d->array->seq_done;
	d->super.flags = clean ? PRIV_SUPER_CLEAN : 0;
	d->super.container = d->array->container;
	d->super.drive = d->ddf_guid;
	d->super.cache = d->dev->flags & BLK_DEV_VOLATILE_CACHE ? PRIV_CACHE_VOLATILE
															: PRIV_CACHE_WRITE_THROUGH;
	d->super.bitmap = d->priv.bitmap;
	d->super.log = d->priv.log;
	d->super.checksums = d->priv.checksums;
	d->super.epoch = d->array->epoch;
	priv_super_encode(&d->super, buf);
	d->super_copy = 1 - d->super_copy;
	rc = write_block(d, d->super_copy, buf);
	loop_buf_free(d->array->loop, buf, PRIV_BLOCK);
	return rc;
}

int eng_priv_load(struct eng_drive *d, struct err *err)
{
	struct priv_member *entries = NULL;
	uint8_t *buf = loop_buf_alloc_at(d->array->loop, LOOP_BUF_INNER, 2 * PRIV_BLOCK);
	int rc = -ENOMEM, rc2;

	if (!buf)
		return err_set(err, -ENOMEM, "Out of memory.");
	rc = read_block(d, 0, buf);
	rc2 = read_block(d, 1, buf + PRIV_BLOCK);
	if (rc && rc2) {
		err_set(err, rc, "%s: the private area cannot be read: %s.", d->path, err_name(rc));
		goto out;
	}
	rc = priv_super_choose(rc ? NULL : buf, rc2 ? NULL : buf + PRIV_BLOCK, &d->priv, &d->super,
		&d->super_copy, err);
	if (rc)
		goto out;
	rc = read_block(d, PRIV_MEMBER_BLOCK, buf);
	if (rc) {
		err_set(err, rc, "%s: the member table cannot be read: %s.", d->path, err_name(rc));
		goto out;
	}
	entries = calloc(PRIV_MEMBERS_PER_BLOCK, sizeof(*entries));
	if (!entries) {
		rc = err_set(err, -ENOMEM, "Out of memory.");
		goto out;
	}
	if (priv_members_decode(buf, entries))
		log_warning("%s: entries of its member table are damaged; they count as out of date", d->path);
	memcpy(d->table, entries, sizeof(d->table));
	rc = eng_lost_load(d);
	if (rc)
		err_set(err, rc, "Out of memory.");
out:
	free(entries);
	loop_buf_free(d->array->loop, buf, 2 * PRIV_BLOCK);
	return rc;
}

int eng_priv_init(struct eng_drive *d, struct err *err)
{
	int rc = blk_zero(d->dev, d->priv.base_bytes, PRIV_BITMAP_BLOCK * PRIV_BLOCK, 0);

	memset(d->table, 0, sizeof(d->table));
	memset(&d->super, 0, sizeof(d->super));
	eng_lost_vec_free(&d->lost);
	d->lost_seq = 0;
	d->super_copy = 1;
	if (!rc)
		rc = eng_priv_super(d, false);
	return rc ? err_set(err, rc, "%s: the private area cannot be written: %s.", d->path, err_name(rc))
			  : 0;
}

static void fill_entry(struct priv_member *e, const struct eng_lun *l, unsigned slot,
	const struct eng_member *m)
{
	unsigned per_leg = eng_leg_members(&l->shape);

	memset(e, 0, sizeof(*e));
	e->used = true;
	e->vd = l->ddf_guid;
	e->leg = (uint8_t)(slot / per_leg);
	e->slot = (uint8_t)(slot % per_leg);
	switch (m->state) {
	case ENG_MEMBER_IN_SYNC:
		e->state = PRIV_MEMBER_IN_SYNC;
		break;
	case ENG_MEMBER_REBUILDING:
		e->state = PRIV_MEMBER_REBUILDING;
		break;
	case ENG_MEMBER_STALE:
	case ENG_MEMBER_MISSING:
		e->state = PRIV_MEMBER_STALE;
		break;
	}
	e->start = m->start / 512;
	e->blocks = m->size / 512;
	e->recovered = m->state == ENG_MEMBER_IN_SYNC ? e->blocks : m->watermark / 512;
}

/* The drive's table as the model has it. */
static void fill_table(struct eng_drive *d)
{
	struct list *pos, *tmp;

	memset(d->table, 0, sizeof(d->table));
	list_for_each(pos, tmp, &d->array->luns) {
		const struct eng_lun *l = list_entry(pos, struct eng_lun, link);

		for (unsigned i = 0; i < 2 * l->shape.members; i++) {
			const struct eng_member *m = eng_lun_extent(l, i);

			if (m && m->drive == d && m->index != ENG_NO_INDEX)
				fill_entry(&d->table[m->index], l, i % l->shape.members, m);
		}
	}
}

static int write_table(struct eng_drive *d)
{
	uint8_t *buf = loop_buf_alloc_at(d->array->loop, LOOP_BUF_INNER, PRIV_BLOCK);
	int rc;

	if (!buf)
		return -ENOMEM;
	task_lock(&d->priv_lock);
	fill_table(d);
	priv_members_encode(d->table, buf);
	rc = writable(d) ? write_block(d, PRIV_MEMBER_BLOCK, buf) : 0;
	task_unlock(&d->priv_lock);
	loop_buf_free(d->array->loop, buf, PRIV_BLOCK);
	return rc;
}

/* A drive whose table is to be written: one with an extent of the LUN (all LUNs: NULL). */
static bool takes_table(const struct eng_drive *d, const void *ctx)
{
	const struct eng_lun *l = ctx;

	return writable(d) && (!l || eng_lun_on(l, d));
}

static int put_table(struct eng_drive *d, const void *ctx)
{
	(void)ctx;
	return write_table(d);
}

int eng_priv_members(struct eng_array *a, struct eng_lun *l)
{
	ENG_INSIDE(a);
	struct eng_result *list;
	unsigned n;
	int rc = eng_sweep(a, takes_table, put_table, l, &list, &n);

	/* A drive that cannot take its own table is lost; its state then stands on the others. */
	for (unsigned i = 0; i < n; i++) {
		int one = list[i].rc;

		if (one && one != -ENOMEM)
			one = eng_drive_lost(list[i].d, one);
		rc = rc ? rc : one;
	}
	free(list);
	return rc;
}

static bool takes_super(const struct eng_drive *d, const void *ctx)
{
	(void)ctx;
	return writable(d);
}

static int put_super(struct eng_drive *d, const void *ctx)
{
	return eng_priv_super(d, *(const bool *)ctx);
}

int eng_priv_supers(struct eng_array *a, bool clean)
{
	struct eng_result *list;
	unsigned n;
	int rc = eng_sweep(a, takes_super, put_super, &clean, &list, &n);

	for (unsigned i = 0; i < n; i++) {
		int one = list[i].rc;

		if (one && clean)
			log_warning("%s could not be marked clean; its written regions are compared at the next "
						"start",
				list[i].d->path);
		else if (one && one != -ENOMEM)
			one = eng_drive_lost(list[i].d, one);
		rc = rc || clean ? rc : one;
	}
	free(list);
	return rc;
}

/* ---- bitmaps ------------------------------------------------------------------------------- */

static uint64_t bitmap_offset(const struct eng_member *m)
{
	return priv_bitmap_offset(&m->drive->priv, m->index);
}

bool eng_keeps_bitmap(const struct eng_member *m)
{
	return writable(m->drive) && !m->drive->admin_offline && m->index != ENG_NO_INDEX &&
		(m->state == ENG_MEMBER_IN_SYNC || m->state == ENG_MEMBER_REBUILDING);
}

static int write_bitmap(struct eng_lun *l, unsigned first_page, unsigned count)
{
	ENG_INSIDE(l->array);
	const uint8_t *image = raid_bitmap_image(l->set);
	uint64_t at = (uint64_t)first_page * 4096;
	size_t len = (size_t)count * 4096;
	struct blk_slot slots[2 * ENG_MAX_MEMBERS];
	struct eng_drive *drives[2 * ENG_MAX_MEMBERS];
	struct blk_batch batch;
	void *copy = loop_buf_alloc_at(l->array->loop, LOOP_BUF_INNER, len);
	unsigned n = 0;
	int rc = 0;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, image + at, len); /* one state for all drives, whatever changes meanwhile */
	blk_batch_init(&batch, slots, ARRAY_SIZE(slots));
	for (unsigned i = 0; i < 2 * l->shape.members; i++) {
		const struct eng_member *m = eng_lun_extent(l, i);

		if (!m || !eng_keeps_bitmap(m) || at + len > priv_bitmap_bytes(&m->drive->priv))
			continue;
		drives[n++] = m->drive;
		blk_batch_write(&batch, m->drive->dev, bitmap_offset(m) + at, copy, len, BLK_FUA);
	}
	blk_batch_wait(&batch);
	for (unsigned i = 0; i < n && !rc; i++)
		if (slots[i].req.result)
			rc = eng_drive_lost(drives[i], slots[i].req.result);
	loop_buf_free(l->array->loop, copy, len);
	return n ? rc : -EIO;
}

int eng_priv_bitmap_write(struct eng_lun *l, unsigned first_page, unsigned count)
{
	int rc;

	/* One at a time: of two writes of a page the later state must be the last on every drive. */
	task_lock(&l->bitmap_lock);
	rc = write_bitmap(l, first_page, count);
	task_unlock(&l->bitmap_lock);
	return rc;
}

int eng_priv_bitmap_reset(struct eng_lun *l, unsigned slot, bool dirty)
{
	const struct eng_member *m = &l->members[slot];
	size_t len = raid_bitmap_bytes(&l->shape);
	uint8_t *image;
	int rc;

	if (len > priv_bitmap_bytes(&m->drive->priv))
		return 0;
	image = aligned_alloc(4096, len);
	if (!image)
		return -ENOMEM;
	memset(image, dirty ? 0xFF : 0, len / 2);
	memset(image + len / 2, 0, len / 2);
	rc = blk_write(m->drive->dev, bitmap_offset(m), image, len, BLK_FUA);
	free(image);
	return rc;
}

/* Dirty if any in-sync member says so; unwritten only if all do. */
static void merge(uint8_t *into, const uint8_t *from, size_t bytes, bool first)
{
	size_t half = bytes / 2;

	if (first) {
		memcpy(into, from, bytes);
		return;
	}
	for (size_t i = 0; i < half; i++)
		into[i] |= from[i];
	for (size_t i = half; i < bytes; i++)
		into[i] &= from[i];
}

static bool tells_bitmap(const struct eng_member *m, size_t len)
{
	return m->state == ENG_MEMBER_IN_SYNC && eng_drive_online(m->drive) &&
		m->index != ENG_NO_INDEX && len <= priv_bitmap_bytes(&m->drive->priv);
}

int eng_priv_bitmap_read(struct eng_lun *l, void **image, size_t *bytes)
{
	ENG_INSIDE(l->array);
	size_t len = raid_bitmap_bytes(&l->shape);
	struct blk_slot slots[ENG_MAX_MEMBERS];
	struct blk_batch batch;
	uint8_t *sum = calloc(1, len), *all = aligned_alloc(4096, len * l->shape.members);
	bool first = true;

	*image = NULL;
	*bytes = len;
	if (!sum || !all) {
		free(sum);
		free(all);
		return -ENOMEM;
	}
	blk_batch_init(&batch, slots, ARRAY_SIZE(slots));
	for (unsigned i = 0; i < l->shape.members; i++)
		if (tells_bitmap(&l->members[i], len))
			blk_batch_read(&batch, l->members[i].drive->dev, bitmap_offset(&l->members[i]),
				all + len * batch.used, len);
	blk_batch_wait(&batch);
	for (unsigned i = 0; i < batch.used; i++) {
		if (slots[i].req.result)
			continue; /* the others have it too */
		merge(sum, all + len * i, len, first);
		first = false;
	}
	free(all);
	if (first)
		free(sum);
	else
		*image = sum;
	return 0;
}
