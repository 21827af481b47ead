/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a drive's DDF metadata, telling blank drives from others', and formatting blank ones. */
#include "base/log.h"
#include "engine/ddf_raw.h"
#include "engine/engine_internal.h"
#include "engine/label.h"

#define BLANK_PROBE (1024 * 1024) /* at both ends: partition tables, superblocks, file systems */

static bool all_zero(const uint8_t *p, size_t len)
{
	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

/* What became of a drive that has no anchor at its end, but a label at its start. */
static int explain_label(const struct eng_drive *d, const struct label *l, struct err *err)
{
	unsigned long long was = l->size_bytes, is = d->size_bytes;

	if (is > was)
		return err_set(err, -EMEDIUMTYPE,
			"%s has grown from %llu to %llu bytes, so the array's metadata are not at its end. Make it "
			"%llu bytes again, and it is the array's drive as before.",
			d->path, was, is, was);
	if (is < was)
		return err_set(err, -EMEDIUMTYPE,
			"%s is cut short: it had %llu bytes and has %llu. The array's metadata were behind that; it is "
			"left untouched.",
			d->path, was, is);
	return err_set(err, -EMEDIUMTYPE,
		"%s was a drive of an array, and its metadata have been cleared. It is left untouched; clear its "
		"first MB too if it may be used.",
		d->path);
}

/* 0: both ends are zero. -EMEDIUMTYPE: something is there. */
static int probe_blank(struct eng_drive *d, struct err *err)
{
	uint64_t tail = d->size_bytes > BLANK_PROBE ? d->size_bytes - BLANK_PROBE : 0;
	uint8_t *buf = loop_buf_alloc(d->array->loop, BLANK_PROBE);
	size_t len = d->size_bytes < BLANK_PROBE ? (size_t)d->size_bytes : BLANK_PROBE;
	struct label label = { .size_bytes = 0 };
	bool labelled = false;
	int rc;

	if (!buf)
		return err_set(err, -ENOMEM, "Out of memory.");
	rc = blk_read(d->dev, 0, buf, len);
	if (!rc && !all_zero(buf, len)) {
		labelled = len >= LABEL_OFFSET + DDF_SECTOR && label_decode(buf + LABEL_OFFSET, &label);
		rc = -EMEDIUMTYPE;
	}
	if (!rc)
		rc = blk_read(d->dev, tail, buf, len);
	if (!rc && !all_zero(buf, len))
		rc = -EMEDIUMTYPE;
	loop_buf_free(d->array->loop, buf, BLANK_PROBE);
	if (labelled)
		return explain_label(d, &label, err);
	if (rc == -EMEDIUMTYPE)
		return err_set(err, rc,
			"%s is not blank: it holds other data and is left untouched. Clear its first and last MB "
			"if it may be used.",
			d->path);
	return rc ? err_set(err, rc, "%s cannot be read: %s.", d->path, err_name(rc)) : 0;
}

/* Where the anchor would lead, from the header of the copy that stands where ours stand. */
static int without_anchor(struct eng_drive *d, uint8_t *buf, struct ddf_guid *container)
{
	struct ddf_layout plan;
	int rc = ddf_layout_plan(d->size_bytes, &plan, NULL);
	uint64_t at[2] = { plan.primary, plan.secondary };

	if (rc)
		return rc;
	for (unsigned i = 0; i < 2; i++) {
		rc = blk_read(d->dev, at[i] * 512, buf, 512);
		if (!rc)
			rc = ddf_anchor_from_copy(buf, plan.sectors, at[i], &d->layout, container, NULL);
		if (!rc)
			break;
	}
	return rc;
}

/*
 * An anchor that is damaged, or in a sector that has gone bad, costs nothing: both copies know where
 * they stand, and the next commit writes it anew. Where there is none, somebody has cleared it.
 */
static int read_anchor(struct eng_drive *d, struct ddf_guid *container, struct err *err)
{
	uint64_t sectors = d->size_bytes / 512;
	uint8_t *buf = loop_buf_alloc(d->array->loop, 4096);
	int rc;

	d->anchor_bad = false;
	if (!buf)
		return err_set(err, -ENOMEM, "Out of memory.");
	rc = blk_read(d->dev, (sectors - 1) * 512, buf, 512);
	if (rc)
		err_set(err, rc, "%s cannot be read: %s.", d->path, err_name(rc));
	else
		rc = ddf_anchor_decode(buf, sectors, &d->layout, container, err);
	if ((rc == -EUCLEAN || rc == -EIO) && !without_anchor(d, buf, container)) {
		log_warning("%s: its DDF anchor is damaged; the copies lead on", d->path);
		err_clear(err);
		d->anchor_bad = true;
		rc = 0;
	}
	loop_buf_free(d->array->loop, buf, 4096);
	return rc;
}

static void *read_copy(struct eng_drive *d, uint64_t lba, size_t *len)
{
	void *buf = NULL;

	*len = (size_t)d->layout.copy_sectors * 512;
	if (lba == UINT64_MAX)
		return NULL;
	buf = aligned_alloc(4096, (*len + 4095) / 4096 * 4096); /* for direct I/O */
	if (buf && blk_read(d->dev, lba * 512, buf, *len)) {
		free(buf);
		buf = NULL;
	}
	return buf;
}

/* Of the tables that all drives share, as they stand in the copy that was taken. */
static uint32_t table_hash(const struct eng_drive *d, const struct eng_found *f, const uint8_t *primary,
	const uint8_t *secondary)
{
	const uint8_t *copy = f->image.source == DDF_PRIMARY ? primary : secondary;
	const struct ddf_section *pds = &d->layout.sections[DDF_SEC_PDS];
	const struct ddf_section *vds = &d->layout.sections[DDF_SEC_VDS];
	uint32_t crc = 0;

	if (!copy)
		return 0;
	crc = priv_crc32c(copy + (size_t)pds->offset * 512, (size_t)pds->length * 512);
	return priv_crc32c_more(crc, copy + (size_t)vds->offset * 512, (size_t)vds->length * 512);
}

/* Both copies whole and the same: the next commit writes only what has changed since. */
static void know_written(struct eng_drive *d, const struct eng_found *f, const uint8_t *primary,
	const uint8_t *secondary, size_t len)
{
	if (f->image.repair || !primary || !secondary ||
		memcmp(primary + DDF_SECTOR, secondary + DDF_SECTOR, len - DDF_SECTOR) != 0)
		return;
	for (unsigned i = 0; i < DDF_SECTIONS; i++) {
		const struct ddf_section *s = &d->layout.sections[i];

		if (s->length)
			d->written[i] = priv_crc32c(primary + (size_t)s->offset * DDF_SECTOR,
				(size_t)s->length * DDF_SECTOR);
	}
	d->written_known = true;
}

/*
 * A drive that was being taken in when that was cut short: its headers were cleared before it got
 * its anchor, and the second copy is not begun before the first is complete. It was never in use, and
 * what it says of the array may lack sections that were never written.
 */
static bool half_made(const struct eng_drive *d, const uint8_t *primary, const uint8_t *secondary)
{
	struct ddf_raw_header h;

	if (d->layout.secondary == UINT64_MAX || !primary || !secondary || !all_zero(secondary, sizeof(h)))
		return false;
	memcpy(&h, primary, sizeof(h));
	return all_zero(primary, sizeof(h)) || (be32_get(h.h_magic) == DDF_MAGIC_HEADER && h.h_open == 1);
}

/*
 * Where the private area is. A drive of somebody else's container has none: it gets one, in places that
 * are nobody's, with the first commit; until then it is as it was.
 */
static int plan_private(struct eng_drive *d, struct err *err)
{
	int rc = 0;

	d->adopted = !d->layout.sections[DDF_SEC_VENDOR].length;
	if (d->adopted)
		rc = ddf_layout_adopt(&d->layout, err);
	if (!rc)
		rc = priv_layout_plan(&d->layout, &d->priv, err);
	if (rc)
		return err_wrap(err, rc, "%s cannot be taken over; it is left untouched.", d->path);
	d->anchor_bad |= d->adopted;
	d->written_known &= !d->adopted;
	return 0;
}

int eng_load_drive(struct eng_drive *d, const struct ddf_guid *container, struct eng_found *found,
	struct err *err)
{
	struct ddf_guid theirs;
	uint8_t *primary, *secondary;
	size_t len;
	int rc = read_anchor(d, &theirs, err);

	d->written_known = false;
	if (rc == -EMEDIUMTYPE) {
		rc = probe_blank(d, err);
		return rc ? rc : -ENODATA;
	}
	if (rc)
		return rc;
	if (container && !ddf_guid_equal(container, &theirs))
		return err_set(err, -EMEDIUMTYPE,
			"%s belongs to another array; it is left untouched. Open that array, or clear the drive.",
			d->path);
	primary = read_copy(d, d->layout.primary, &len);
	secondary = read_copy(d, d->layout.secondary, &len);
	rc = ddf_load(primary, primary ? len : 0, secondary, secondary ? len : 0, &d->layout, &theirs,
		&found->image, err);
	if ((!rc || rc == -EUCLEAN) && half_made(d, primary, secondary)) {
		eng_found_free(found);
		rc = -ENODATA;
	} else if (!rc) {
		found->hash = table_hash(d, found, primary, secondary);
		know_written(d, found, primary, secondary, len);
	} else {
		err_wrap(err, rc, "%s: its metadata cannot be used.", d->path);
	}
	free(primary);
	free(secondary);
	if (rc)
		return rc;
	rc = plan_private(d, err);
	if (rc)
		eng_found_free(found);
	return rc;
}

void eng_found_free(struct eng_found *found)
{
	ddf_image_free(&found->image);
}

/* Clears both headers, then writes anchor and label: until the first commit the drive still counts as
 * blank. */
static int write_anchor(struct eng_drive *d)
{
	uint8_t *sector = loop_buf_alloc(d->array->loop, 4096);
	int rc;

	if (!sector)
		return -ENOMEM;
	memset(sector, 0, DDF_SECTOR);
	rc = blk_write(d->dev, d->layout.primary * 512, sector, DDF_SECTOR, BLK_FUA);
	if (!rc)
		rc = blk_write(d->dev, d->layout.secondary * 512, sector, DDF_SECTOR, BLK_FUA);
	if (rc)
		goto out;
	ddf_encode_header(&d->array->set, &d->layout, DDF_ANCHOR, false, sector);
	rc = blk_write(d->dev, (d->layout.sectors - 1) * 512, sector, DDF_SECTOR, BLK_FUA);
	if (!rc) {
		label_encode(&(struct label) { .container = d->array->container, .drive = d->ddf_guid,
						 .size_bytes = d->size_bytes }, sector);
		rc = blk_write(d->dev, LABEL_OFFSET, sector, DDF_SECTOR, BLK_FUA);
	}
out:
	loop_buf_free(d->array->loop, sector, 4096);
	return rc;
}

int eng_drive_format(struct eng_drive *d, struct err *err)
{
	struct eng_array *a = d->array;
	int rc = ddf_layout_plan(d->size_bytes, &d->layout, err);

	if (!rc)
		rc = priv_layout_plan(&d->layout, &d->priv, err);
	if (rc)
		return rc;
	ddf_guid_new(&d->ddf_guid, DDF_GUID_DRIVE, a->rng, ddf_time(loop_wall_ms(a->loop)));
	d->id = ddf_guid_object(&d->ddf_guid);
	d->refnum = ddf_refnum_new(&a->set, a->rng);
	d->ours = true;
	d->written_known = false;
	rc = eng_priv_init(d, err);
	if (!rc) {
		rc = write_anchor(d);
		if (rc)
			err_set(err, rc, "%s cannot be written: %s.", d->path, err_name(rc));
	}
	if (rc)
		d->ours = false;
	return rc;
}
