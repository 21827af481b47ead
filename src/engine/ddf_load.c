/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a drive from its two copies.
 *
 * A copy that was being written when the power went is open, and may hold new sections beside old
 * ones, each with a good CRC: it is not taken while the other copy is closed. Sections of both
 * copies are put together only when both headers carry the same sequence number, for then they
 * once were equal; configuration records then even slot by slot.
 */
#include "engine/ddf_raw.h"

#include <stdio.h>
#include <stdlib.h>

struct source {
	const uint8_t *bytes;
	size_t len;
	enum ddf_copy copy;
	bool good;  /* the header is */
	bool whole; /* closed, and every section good */
	struct ddf_image image;
	struct err err;
};

static const char *copy_name(enum ddf_copy copy)
{
	return copy == DDF_PRIMARY ? "primary" : "secondary";
}

/* The first section that is not good; DDF_SECTIONS when there is none. */
static enum ddf_section_id first_bad(const struct ddf_image *image)
{
	unsigned i = 0;

	while (i < DDF_SECTIONS && image->sections[i] != DDF_DAMAGED)
		i++;
	return (enum ddf_section_id)i;
}

static bool usable(const struct ddf_image *image)
{
	return image->sections[DDF_SEC_PDS] == DDF_GOOD && image->sections[DDF_SEC_VDS] == DDF_GOOD &&
		image->sections[DDF_SEC_DRIVE] == DDF_GOOD;
}

static void judge(struct source *s, const struct ddf_layout *layout, const struct ddf_guid *container,
	int *oom)
{
	int rc = ddf_decode_copy(s->bytes, s->len, layout, container, s->copy, &s->image, &s->err);

	if (rc == -ENOMEM)
		*oom = rc;
	s->good = !rc;
	s->whole = s->good && !s->image.open && first_bad(&s->image) == DDF_SECTIONS;
	if (s->good && s->image.open)
		err_set(&s->err, -EUCLEAN, "An update of the %s copy was interrupted.", copy_name(s->copy));
	if (s->good && first_bad(&s->image) != DDF_SECTIONS)
		err_set(&s->err, -EUCLEAN, "The %s copy's %s %s damaged.", copy_name(s->copy),
			ddf_section_name(first_bad(&s->image)),
			first_bad(&s->image) == DDF_SEC_VENDOR || first_bad(&s->image) == DDF_SEC_BAD_BLOCKS ? "is"
																								: "are");
}

/* ---- putting two copies together ---------------------------------------------------------- */

/* Replaces damaged slots of to by good ones of from. */
static void mend_slots(uint8_t *to, const uint8_t *from, size_t len, size_t record)
{
	for (; len >= record; to += record, from += record, len -= record)
		if (ddf_slot_judge(to, record) == DDF_SLOT_DAMAGED)
			memcpy(to, from, record);
}

static int mix(const struct source *a, const struct source *b, const struct ddf_layout *layout,
	const struct ddf_guid *container, struct ddf_image *out, struct err *err)
{
	size_t len = (size_t)layout->copy_sectors * DDF_SECTOR;
	uint8_t *both = calloc(1, len);
	int rc;

	if (!both)
		return err_set(err, -ENOMEM, "Out of memory.");
	memcpy(both, a->bytes, a->len < len ? a->len : len);
	for (unsigned i = 0; i < DDF_SECTIONS; i++) {
		size_t at = (size_t)layout->sections[i].offset * DDF_SECTOR;
		size_t room = (size_t)layout->sections[i].length * DDF_SECTOR;

		if (a->image.sections[i] != DDF_DAMAGED || at + room > b->len)
			continue;
		if (b->image.sections[i] == DDF_GOOD || at + room > a->len)
			memcpy(both + at, b->bytes + at, room);
		else if (i == DDF_SEC_CONFS)
			mend_slots(both + at, b->bytes + at, room, (size_t)layout->conf_sectors * DDF_SECTOR);
	}
	rc = ddf_decode_copy(both, len, layout, container, a->copy, out, err);
	free(both);
	if (!rc)
		out->mixed = true;
	return rc;
}

/* ---- the choice --------------------------------------------------------------------------- */

/* True when a is to be taken before b; both have good headers. */
static bool better(const struct source *a, const struct source *b)
{
	if (a->whole != b->whole)
		return a->whole;
	if (!a->whole && usable(&a->image) != usable(&b->image))
		return usable(&a->image);
	if (a->image.open != b->image.open)
		return !a->image.open;
	if (a->image.set.seq != b->image.set.seq)
		return a->image.set.seq > b->image.set.seq;
	return a->copy == DDF_PRIMARY;
}

static void move_image(struct ddf_image *to, struct source *from)
{
	*to = from->image;
	memset(&from->image, 0, sizeof(from->image));
}

static int choose(struct source *p, struct source *s, const struct ddf_layout *layout,
	const struct ddf_guid *container, struct ddf_image *out, struct err *err)
{
	struct source *first, *second;

	if (!p->good && !s->good)
		return err_set(err, -EUCLEAN, "Neither copy of the metadata can be used. %s %s", p->err.text,
			s->err.text);
	if (!p->good || !s->good) {
		move_image(out, p->good ? p : s);
		return 0;
	}
	first = better(p, s) ? p : s;
	second = first == p ? s : p;
	if (first->whole || first->image.set.seq != second->image.set.seq) {
		move_image(out, first);
		return 0;
	}
	/* Equal numbers: start from the one that is closed. */
	if (first->image.open && !second->image.open) {
		struct source *t = first;

		first = second;
		second = t;
	}
	return mix(first, second, layout, container, out, err);
}

int ddf_load(const void *primary, size_t primary_len, const void *secondary, size_t secondary_len,
	const struct ddf_layout *layout, const struct ddf_guid *container, struct ddf_image *image,
	struct err *err)
{
	struct source src[2] = {
		{.bytes = primary, .len = primary ? primary_len : 0, .copy = DDF_PRIMARY},
		{.bytes = secondary, .len = secondary ? secondary_len : 0, .copy = DDF_SECONDARY},
	};
	bool two = layout->secondary != UINT64_MAX;
	char note[sizeof(image->note)] = "";
	int rc = 0;

	memset(image, 0, sizeof(*image));
	judge(&src[0], layout, container, &rc);
	if (two)
		judge(&src[1], layout, container, &rc);
	if (rc) {
		err_set(err, rc, "Out of memory.");
		goto out;
	}
	if (!src[0].whole)
		snprintf(note, sizeof(note), "%.255s", src[0].err.text);
	else if (two && !src[1].whole)
		snprintf(note, sizeof(note), "%.255s", src[1].err.text);
	else if (two && src[0].image.set.seq != src[1].image.set.seq)
		snprintf(note, sizeof(note), "The %s copy is behind.",
			src[0].image.set.seq < src[1].image.set.seq ? "primary" : "secondary");
	rc = choose(&src[0], &src[1], layout, container, image, err);
	if (!rc && !usable(image)) {
		rc = err_set(err, -EUCLEAN, "Both copies of the metadata are damaged. %s %s", src[0].err.text,
			src[1].err.text);
		ddf_image_free(image);
	}
	if (!rc) {
		memcpy(image->note, note, sizeof(note));
		image->repair = note[0] != 0;
	}
out:
	for (unsigned i = 0; i < 2; i++)
		if (src[i].good)
			ddf_image_free(&src[i].image);
	return rc;
}
