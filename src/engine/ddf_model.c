/* SPDX-License-Identifier: Apache-2.0 */
/* The DDF model in memory: making, copying, finding, and the readings of its state fields. */
#include "engine/ddf_raw.h"

#include <stdlib.h>

/* ---- text --------------------------------------------------------------------------------- */

/* Bytes of the well-formed UTF-8 character at p (n > 0 bytes left), 0 when there is none. */
static size_t utf8_char(const uint8_t *p, size_t n)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	uint32_t c = len > 1 ? p[0] & (0x7Fu >> len) : p[0];

	if (!len || len > n || p[0] > 0xF4)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3Fu);
	}
	if ((len == 3 && c < 0x800) || (len == 4 && (c < 0x10000 || c > 0x10FFFF)))
		return 0;
	return c >= 0xD800 && c <= 0xDFFF ? 0 : len;
}

void ddf_text_clean(char *text, bool control_too)
{
	size_t left = strlen(text), len;

	for (; left; text += len, left -= len) {
		uint8_t c = (uint8_t)*text;

		len = utf8_char((const uint8_t *)text, left);
		if (!len || (control_too && (c < 0x20 || c == 0x7F))) {
			*text = '?';
			len = 1;
		}
	}
}

size_t ddf_text_fit(const char *text, size_t room)
{
	size_t have = strlen(text), done = 0;

	while (done < have) {
		size_t len = utf8_char((const uint8_t *)text + done, have - done);

		if (done + (len ? len : 1) > room)
			break;
		done += len ? len : 1;
	}
	return done;
}

void ddf_text_put(uint8_t *field, size_t field_len, const char *text)
{
	size_t len = ddf_text_fit(text, field_len);

	memset(field, ' ', field_len);
	memcpy(field, text, len);
}

void ddf_text_get(const uint8_t *field, size_t field_len, char *text)
{
	size_t len = 0;

	while (len < field_len && field[len] && field[len] != 0xFF)
		len++;
	while (len && field[len - 1] == ' ')
		len--;
	memcpy(text, field, len);
	text[len] = 0;
	ddf_text_clean(text, true);
}

/* ---- disks -------------------------------------------------------------------------------- */

enum ddf_pd_status ddf_pd_status(const struct ddf_pd *pd)
{
	if (pd->state & DDF_PD_MISSING)
		return DDF_PD_IS_MISSING;
	if (pd->state & DDF_PD_FAILED)
		return DDF_PD_IS_FAILED;
	return pd->state & DDF_PD_ONLINE ? DDF_PD_IS_ONLINE : DDF_PD_IS_OFFLINE;
}

uint16_t ddf_pd_state_for(enum ddf_pd_status status, uint16_t keep)
{
	uint16_t state = keep & (DDF_PD_PREDICTED | DDF_PD_READ_ERRORS);

	switch (status) {
	case DDF_PD_IS_ONLINE:
		return state | DDF_PD_ONLINE;
	case DDF_PD_IS_OFFLINE:
		return state | DDF_PD_TRANSITION;
	case DDF_PD_IS_FAILED:
		return state | DDF_PD_FAILED;
	case DDF_PD_IS_MISSING:
		return state | DDF_PD_MISSING;
	}
	return state;
}

uint8_t ddf_vd_state_for(unsigned lost, unsigned redundancy)
{
	if (!lost)
		return DDF_VD_OPTIMAL;
	if (lost > redundancy)
		return DDF_VD_FAILED;
	return lost < redundancy ? DDF_VD_PARTIALLY_OPTIMAL : DDF_VD_DEGRADED;
}

void ddf_vd_set_name(struct ddf_vd *vd, const char *name)
{
	size_t len = ddf_text_fit(name, sizeof(vd->name) - 1);

	memset(vd->name, 0, sizeof(vd->name));
	memcpy(vd->name, name, len);
	ddf_text_clean(vd->name, true);
	if (!vd->ext.present)
		return;
	len = ddf_text_fit(name, sizeof(vd->ext.name) - 1);
	memset(vd->ext.name, 0, sizeof(vd->ext.name));
	memcpy(vd->ext.name, name, len);
	ddf_text_clean(vd->ext.name, false);
}

void ddf_conf_init(struct ddf_conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	memset(conf->v0_v3, 0xFF, sizeof(conf->v0_v3));
	memset(conf->vendor, 0xFF, sizeof(conf->vendor));
	for (unsigned i = 0; i < 8; i++)
		conf->spares[i] = DDF_NONE;
	conf->chunk_shift = 0xFF;
	conf->srl = 0xFF;
	conf->legs = 1;
}

/* ---- sets --------------------------------------------------------------------------------- */

void ddf_set_init(struct ddf_set *set, const struct ddf_guid *container, struct rng *rng,
	uint32_t timestamp)
{
	memset(set, 0, sizeof(*set));
	set->container = *container;
	set->timestamp = timestamp;
	ddf_guid_new(&set->controller.guid, DDF_GUID_CONTROLLER, rng, timestamp);
	memset(set->controller.ids, 0xFF, sizeof(set->controller.ids));
	memcpy(set->controller.product, "LINUXVDS", 8);
	memset(set->controller.vendor, 0xFF, sizeof(set->controller.vendor));
}

void ddf_set_free(struct ddf_set *set)
{
	ddf_pds_free(&set->pds);
	ddf_vds_free(&set->vds);
	free(set->unknown);
	memset(set, 0, sizeof(*set));
}

static void *copy_of(const void *bytes, size_t len, bool *failed)
{
	void *copy = len ? malloc(len) : NULL;

	if (copy)
		memcpy(copy, bytes, len);
	else if (len)
		*failed = true;
	return copy;
}

int ddf_set_copy(struct ddf_set *dst, const struct ddf_set *src)
{
	struct ddf_set copy = *src;
	bool failed = false;

	if (dst == src)
		return 0;
	copy.pds.items = copy_of(src->pds.items, src->pds.len * sizeof(*src->pds.items), &failed);
	copy.vds.items = copy_of(src->vds.items, src->vds.len * sizeof(*src->vds.items), &failed);
	copy.unknown = copy_of(src->unknown, src->unknown_len, &failed);
	copy.pds.cap = src->pds.len;
	copy.vds.cap = src->vds.len;
	if (failed) {
		ddf_set_free(&copy);
		return -ENOMEM;
	}
	ddf_set_free(dst);
	*dst = copy;
	return 0;
}

struct ddf_pd *ddf_set_pd(const struct ddf_set *set, const struct ddf_guid *guid)
{
	struct ddf_pd *pd;

	vec_for_each(&set->pds, pd)
		if (ddf_guid_equal(&pd->guid, guid))
			return pd;
	return NULL;
}

struct ddf_pd *ddf_set_pd_by_refnum(const struct ddf_set *set, uint32_t refnum)
{
	struct ddf_pd *pd;

	vec_for_each(&set->pds, pd)
		if (pd->refnum == refnum)
			return pd;
	return NULL;
}

struct ddf_vd *ddf_set_vd(const struct ddf_set *set, const struct ddf_guid *guid)
{
	struct ddf_vd *vd;

	vec_for_each(&set->vds, vd)
		if (ddf_guid_equal(&vd->guid, guid))
			return vd;
	return NULL;
}

/* The lowest place that no entry has; 0 = none left. taken(i) reads entry i's place. */
static uint16_t free_place(const uint16_t *first, size_t stride, size_t len)
{
	for (unsigned place = 1; place < UINT16_MAX; place++) {
		size_t i = 0;

		while (i < len && *(const uint16_t *)((const char *)first + i * stride) != place)
			i++;
		if (i == len)
			return (uint16_t)place;
	}
	return 0;
}

struct ddf_pd *ddf_set_add_pd(struct ddf_set *set, const struct ddf_guid *guid)
{
	struct ddf_pd pd = {.guid = *guid};

	pd.place = set->pds.len ? free_place(&set->pds.items->place, sizeof(pd), set->pds.len) : 1;
	if (!pd.place || ddf_pds_push(&set->pds, pd))
		return NULL;
	return &set->pds.items[set->pds.len - 1];
}

struct ddf_vd *ddf_set_add_vd(struct ddf_set *set, const struct ddf_guid *guid)
{
	struct ddf_vd vd = {.guid = *guid};

	vd.place = set->vds.len ? free_place(&set->vds.items->place, sizeof(vd), set->vds.len) : 1;
	if (!vd.place || ddf_vds_push(&set->vds, vd))
		return NULL;
	return &set->vds.items[set->vds.len - 1];
}

void ddf_set_remove_pd(struct ddf_set *set, const struct ddf_guid *guid)
{
	struct ddf_pd *pd = ddf_set_pd(set, guid);

	if (pd)
		ddf_pds_remove(&set->pds, (size_t)(pd - set->pds.items));
}

void ddf_set_remove_vd(struct ddf_set *set, const struct ddf_guid *guid)
{
	struct ddf_vd *vd = ddf_set_vd(set, guid);

	if (vd)
		ddf_vds_remove(&set->vds, (size_t)(vd - set->vds.items));
}

/* ---- one drive's own ---------------------------------------------------------------------- */

void ddf_drive_init(struct ddf_drive *drive, const struct ddf_guid *guid, uint32_t refnum)
{
	memset(drive, 0, sizeof(*drive));
	drive->guid = *guid;
	drive->refnum = refnum;
	drive->forced_refnum = drive->forced_guid = 1;
	memset(drive->vendor, 0xFF, sizeof(drive->vendor));
}

void ddf_drive_free(struct ddf_drive *drive)
{
	ddf_confs_free(&drive->confs);
	memset(drive, 0, sizeof(*drive));
}

struct ddf_conf *ddf_drive_conf(const struct ddf_drive *drive, const struct ddf_guid *vd)
{
	struct ddf_conf *conf;

	vec_for_each(&drive->confs, conf)
		if (ddf_guid_equal(&conf->vd, vd))
			return conf;
	return NULL;
}

void ddf_image_free(struct ddf_image *image)
{
	ddf_set_free(&image->set);
	ddf_drive_free(&image->drive);
	memset(image, 0, sizeof(*image));
}

/* ---- duplicates --------------------------------------------------------------------------- */

bool ddf_seen_add(struct ddf_seen *seen, const void *key)
{
	const uint8_t *bytes = key;
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < seen->key_len; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	for (size_t at = hash % DDF_SEEN;; at = (at + 1) % DDF_SEEN) {
		if (!seen->keys[at]) {
			if (seen->len == DDF_SEEN / 2)
				return false;
			seen->len++;
			seen->keys[at] = key;
			return true;
		}
		if (!memcmp(seen->keys[at], key, seen->key_len))
			return false;
	}
}
