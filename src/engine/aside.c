/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives that are in a bay but cannot be used (damaged, foreign, a copy of another): people shall see
 * them, each under an id of its own. Such a drive goes on under the id of the drive that is expected in
 * its bay, unless another claims that: then its id is that of the place.
 */
#include "engine/engine_internal.h"

static bool is_aside(const struct eng_drive *d)
{
	return !d->ours && !d->out;
}

static struct guid place_id(const struct eng_array *a, const struct eng_drive *d)
{
	struct ddf_guid g = { "VDSASIDE" };

	memcpy(g.b + 8, a->container.b + 16, 8);
	bytes_put_be(g.b + 16, 4, (uint16_t)d->bus);
	bytes_put_be(g.b + 20, 4, (uint16_t)d->slot);
	return ddf_guid_object(&g);
}

static bool claimed(const struct eng_array *a, const struct eng_drive *d)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->drives) {
		const struct eng_drive *other = list_entry(pos, struct eng_drive, link);

		if (other != d && guid_equal(&other->id, &d->id))
			return true;
	}
	return false;
}

void eng_aside_identify(struct eng_array *a)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &a->drives) {
		struct eng_drive *d = list_entry(pos, struct eng_drive, link);

		d->id_claimed = is_aside(d) && !guid_is_zero(&d->id) && claimed(a, d);
	}
	list_for_each(pos, tmp, &a->drives) {
		struct eng_drive *d = list_entry(pos, struct eng_drive, link);

		if (d->id_claimed)
			d->id = place_id(a, d);
	}
}
