/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which drives a new LUN takes, and how large it gets. Pure: reads the model, changes nothing, so
 * that the same code answers "how large could it be?" and "make it".
 *
 * Named drives become the members in the order given (SPAN fills one before the next). Unnamed:
 * the drives with the most contiguous space, ties in slot order, two for a mirror, as few as needed
 * for a span, else all free ones up to 8 or the caller's wish.
 */
#include "engine/engine_internal.h"

#define DEFAULT_MAX_DRIVES 8

struct candidate {
	struct eng_drive *drive;
	uint64_t largest;
};

struct level_rule {
	unsigned least, step; /* members: at least, and a multiple of */
	const char *name;
};

static struct level_rule rule_of(enum eng_lun_type type)
{
	switch (type) {
	case ENG_LUN_SIMPLE:
		return (struct level_rule) { 1, 1, "simple" };
	case ENG_LUN_SPAN:
		return (struct level_rule) { 2, 1, "span" };
	case ENG_LUN_STRIPE:
		return (struct level_rule) { 2, 1, "stripe" };
	case ENG_LUN_MIRROR:
		return (struct level_rule) { 2, 1, "mirror" };
	case ENG_LUN_PARITY:
		return (struct level_rule) { 3, 1, "parity" };
	case ENG_LUN_RAID5:
		return (struct level_rule) { 3, 1, "RAID 5" };
	case ENG_LUN_RAID6:
		return (struct level_rule) { 4, 1, "RAID 6" };
	case ENG_LUN_RAID10:
		return (struct level_rule) { 4, 2, "RAID 10" };
	case ENG_LUN_RAID50:
		return (struct level_rule) { 6, 2, "RAID 50" };
	case ENG_LUN_RAID60:
		return (struct level_rule) { 8, 2, "RAID 60" };
	}
	return (struct level_rule) { 1, 1, "unknown" };
}

static bool striped(enum eng_lun_type type)
{
	return type != ENG_LUN_SIMPLE && type != ENG_LUN_SPAN && type != ENG_LUN_MIRROR;
}

static bool has_room(const struct eng_drive *d, uint64_t *largest)
{
	eng_pool_free(d, largest);
	return *largest >= ENG_UNIT && eng_pool_index(d) >= 0;
}

static int by_room(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->largest != y->largest)
		return x->largest > y->largest ? -1 : 1;
	if (x->drive->bus != y->drive->bus)
		return x->drive->bus < y->drive->bus ? -1 : 1;
	return x->drive->slot < y->drive->slot ? -1 : x->drive->slot > y->drive->slot;
}

/* All free drives with room, largest first; returns how many, negative on error. */
static int gather(const struct eng_array *a, struct candidate **out)
{
	struct list *pos, *tmp;
	unsigned n = 0, cap = 0;

	list_for_each(pos, tmp, &a->drives)
		cap++;
	*out = calloc(cap ? cap : 1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	list_for_each(pos, tmp, &a->drives) {
		struct eng_drive *d = list_entry(pos, struct eng_drive, link);
		uint64_t largest;

		if (eng_drive_free_for_use(d) && has_room(d, &largest))
			(*out)[n++] = (struct candidate) { d, largest };
	}
	qsort(*out, n, sizeof(**out), by_room);
	return (int)n;
}

static int named_drives(const struct eng_array *a, const struct eng_lun_params *p,
	struct candidate *out, struct err *err)
{
	for (unsigned i = 0; i < p->drives_len; i++) {
		struct eng_drive *d = eng_find_drive(a, &p->drives[i]);
		char text[GUID_TEXT_SIZE];

		if (!d)
			return err_set(err, -ENOENT, "No drive has the id %s.",
				guid_format(&p->drives[i], text));
		for (unsigned j = 0; j < i; j++)
			if (out[j].drive == d)
				return err_set(err, -EINVAL, "The drive in slot %d.%d is named twice.", d->bus,
					d->slot);
		if (!eng_drive_free_for_use(d))
			return err_set(err, -ENOTSUP,
				"The drive in slot %d.%d is not free: it must be online, healthy and no spare.",
				d->bus, d->slot);
		out[i].drive = d;
		if (!has_room(d, &out[i].largest))
			return err_set(err, -ENOSPC, "The drive in slot %d.%d has no free space.", d->bus,
				d->slot);
	}
	return 0;
}

/* Sets the shape for `members` members of `each` bytes. */
static void shape_of(const struct eng_lun_params *p, unsigned members, uint64_t each,
	struct raid_shape *s)
{
	memset(s, 0, sizeof(*s));
	s->level = eng_lun_level(p->type);
	s->members = members;
	s->groups = 1;
	if (p->type == ENG_LUN_RAID10)
		s->groups = members / 2;
	if (p->type == ENG_LUN_RAID50 || p->type == ENG_LUN_RAID60)
		s->groups = 2;
	s->chunk = striped(p->type) ? (p->chunk ? p->chunk : ENG_DEFAULT_CHUNK) : 0;
	s->member_size = each;
}

static uint64_t data_members(const struct raid_shape *s)
{
	struct raid_shape one = *s;

	one.member_size = ENG_UNIT;
	return raid_shape_size(&one) / ENG_UNIT;
}

static uint64_t round_up(uint64_t v, uint64_t unit)
{
	return v > UINT64_MAX - unit ? UINT64_MAX / unit * unit : (v + unit - 1) / unit * unit;
}

static int plan_span(const struct eng_lun_params *p, const struct candidate *c, unsigned n,
	struct eng_plan *plan, struct err *err)
{
	uint64_t want = round_up(p->size_bytes, ENG_UNIT), sum = 0;
	unsigned used = 0;

	shape_of(p, n, 0, &plan->shape);
	for (unsigned i = 0; i < n && used < ENG_MAX_MEMBERS; i++) {
		uint64_t take = c[i].largest / ENG_UNIT * ENG_UNIT;

		if (want && take > want - sum)
			take = want - sum;
		if (want && n - i == 1 && used == 0)
			break; /* a span needs two drives: see below */
		if (want && used == 0 && take == want)
			take = take > ENG_UNIT ? round_up(take / 2, ENG_UNIT) : take;
		plan->drives[used] = c[i].drive;
		plan->shape.span_sizes[used++] = take;
		sum += take;
		if (want && sum >= want)
			break;
	}
	if (used < 2 && (!want || n < 2))
		return err_set(err, -ENOMEDIUM, "A span needs at least 2 drives with free space.");
	if (want && sum < want)
		return err_set(err, -ENOSPC, "The drives have %llu MB free in all; the LUN needs %llu MB.",
			(unsigned long long)(sum >> 20), (unsigned long long)(want >> 20));
	plan->shape.members = plan->members = used;
	plan->size_bytes = sum;
	return 0;
}

/* Equal members on exactly the n given candidates. */
static int plan_equal(const struct eng_lun_params *p, const struct candidate *c, unsigned n,
	struct eng_plan *plan, struct err *err)
{
	uint64_t room = UINT64_MAX, each;

	for (unsigned i = 0; i < n; i++)
		room = c[i].largest < room ? c[i].largest : room;
	shape_of(p, n, 0, &plan->shape);
	room = room / ENG_UNIT * ENG_UNIT;
	each = p->size_bytes ? round_up(p->size_bytes, data_members(&plan->shape)) /
							  data_members(&plan->shape)
						 : room;
	each = round_up(each, ENG_UNIT);
	if (each > room)
		return err_set(err, -ENOSPC,
			"Each of the %u drives must give %llu MB; the smallest has %llu MB free in one piece.", n,
			(unsigned long long)(each >> 20), (unsigned long long)(room >> 20));
	shape_of(p, n, each, &plan->shape);
	for (unsigned i = 0; i < n; i++)
		plan->drives[i] = c[i].drive;
	plan->members = n;
	plan->size_bytes = raid_shape_size(&plan->shape);
	return raid_shape_check(&plan->shape, err);
}

/* Unnamed drives: the fewest or most that the type wants, less when the smallest are too small. */
static int plan_picked(const struct eng_lun_params *p, const struct candidate *c, unsigned n,
	struct eng_plan *plan, struct err *err)
{
	struct level_rule rule = rule_of(p->type);
	unsigned most = p->max_drives ? p->max_drives : DEFAULT_MAX_DRIVES;
	struct eng_plan best = { 0 };
	int rc = -ENOSPC;

	if (p->type == ENG_LUN_SIMPLE)
		most = 1;
	if (p->type == ENG_LUN_MIRROR)
		most = 2;
	most = most < n ? most : n;
	for (unsigned k = most; k >= rule.least; k--) {
		struct eng_plan trial = { 0 };

		if (k % rule.step)
			continue;
		rc = plan_equal(p, c, k, &trial, err);
		if (!rc && (!best.members || trial.size_bytes > best.size_bytes))
			best = trial;
		if (!rc && p->size_bytes)
			break;
	}
	if (!best.members)
		return rc;
	*plan = best;
	err_clear(err);
	return 0;
}

static int check_counts(const struct eng_lun_params *p, unsigned n, struct err *err)
{
	struct level_rule rule = rule_of(p->type);

	if (n < rule.least)
		return err_set(err, -ENOMEDIUM, "A %s LUN needs at least %u drives; %u %s.", rule.name,
			rule.least, n, p->drives_len ? "given" : "free");
	if (!p->drives_len)
		return 0;
	if (n % rule.step || (p->type == ENG_LUN_SIMPLE && n != 1) || n > ENG_MAX_MEMBERS)
		return err_set(err, -ENOTSUP, "A %s LUN cannot be made of %u drives.", rule.name, n);
	return 0;
}

static int check_chunk(const struct eng_lun_params *p, struct err *err)
{
	if (p->chunk &&
		(p->chunk < 4096 || p->chunk > ENG_UNIT || (p->chunk & (p->chunk - 1))))
		return err_set(err, -EINVAL, "A stripe size is a power of two from 4 KB to 1 MB.");
	return 0;
}

int eng_plan_lun(const struct eng_array *a, const struct eng_lun_params *p, struct eng_plan *plan,
	struct err *err)
{
	struct candidate *c = NULL;
	int n, rc = check_chunk(p, err);

	memset(plan, 0, sizeof(*plan));
	if (rc)
		return rc;
	if (p->drives_len) {
		c = calloc(p->drives_len, sizeof(*c));
		n = (int)p->drives_len;
		rc = c ? named_drives(a, p, c, err) : -ENOMEM;
	} else {
		n = gather(a, &c);
		rc = n < 0 ? n : 0;
	}
	if (!rc)
		rc = check_counts(p, (unsigned)n, err);
	if (!rc && p->type == ENG_LUN_SPAN)
		rc = plan_span(p, c, (unsigned)n, plan, err);
	else if (!rc && p->drives_len)
		rc = plan_equal(p, c, (unsigned)n, plan, err);
	else if (!rc)
		rc = plan_picked(p, c, (unsigned)n, plan, err);
	free(c);
	return rc;
}

int eng_lun_max_size(const struct eng_array *a, const struct eng_lun_params *p, uint64_t *size_bytes,
	struct err *err)
{
	struct eng_lun_params largest = *p;
	struct eng_plan plan;
	int rc;

	*size_bytes = 0;
	largest.size_bytes = 0;
	rc = eng_plan_lun(a, &largest, &plan, err);
	if (!rc)
		*size_bytes = plan.size_bytes;
	return rc;
}

int eng_lun_choose_type(const struct eng_array *a, int fault_tolerant, bool mostly_reads, bool plain,
	unsigned max_drives, enum eng_lun_type *type)
{
	struct candidate *c;
	int n = gather(a, &c);

	if (n < 0)
		return n;
	free(c);
	if (max_drives && (unsigned)n > max_drives)
		n = (int)max_drives;
	if (fault_tolerant != 0 && n >= 2) {
		if (mostly_reads || n < 3)
			*type = !plain && n >= 4 ? ENG_LUN_RAID10 : ENG_LUN_MIRROR;
		else if (plain)
			*type = ENG_LUN_PARITY;
		else
			*type = n >= 6 ? ENG_LUN_RAID6 : ENG_LUN_RAID5;
		return 0;
	}
	if (fault_tolerant == 1)
		return -ENOMEDIUM;
	*type = n >= 2 ? ENG_LUN_STRIPE : ENG_LUN_SIMPLE;
	return n ? 0 : -ENOMEDIUM;
}
