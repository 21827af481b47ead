/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole histories of a set, drawn from a seed: clients read, write, zero and flush at random
 * while members vanish, fail, lose power, come back, are replaced and rebuilt, runs are cancelled
 * and resumed, sets are closed and opened again, and the machine crashes. A model says what each
 * sector may hold; after each history copies and parity are checked on the media.
 *
 *	test_raid_sim [FIRST [COUNT]]     seeds to run; a seed that fails is named
 */
#include "sim.h"

#include "base/cleanup.h"
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* ---- clients ----------------------------------------------------------------------------- */

struct request {
	struct blk_req req;
	struct iovec iov[MAX_IOV];
	struct task_group *group;
	uint8_t *memory, *data;
	uint64_t id, began;
};

static void request_done(struct blk_req *req)
{
	struct request *r = container_of(req, struct request, req);

	task_group_end(r->group);
}

/* Cuts the buffer into up to MAX_IOV pieces anywhere. */
static void split(struct sim *s, struct request *r)
{
	uint64_t at = 0, length = r->req.length;
	int n = 0;

	while (at < length) {
		uint64_t part = length - at;

		if (n < MAX_IOV - 1 && chance(s, 4))
			part = 1 + below(s, part);
		r->iov[n++] = (struct iovec){r->data + at, part};
		at += part;
	}
	r->req.iov = r->iov;
	r->req.iovcnt = n;
}

static void pick_range(struct sim *s, uint64_t *offset, uint64_t *length)
{
	uint64_t spot = s->spot[below(s, SPOTS)], at, n;

	at = spot + below(s, s->spot_bytes / SECTOR) * SECTOR;
	switch (below(s, 8)) {
	case 0:
		n = (1 + below(s, 8)) * SECTOR;
		break;
	case 1:
		n = (1 + below(s, 600)) * SECTOR;
		break;
	case 2: /* whole rows */
		n = raid_shape_row(&s->rig.shape) * (1 + below(s, 3));
		at -= at % raid_shape_row(&s->rig.shape);
		break;
	default:
		n = (1 + below(s, 20)) * 4096;
		at &= ~UINT64_C(4095);
	}
	if (at >= s->size)
		at = 0;
	if (n > s->size - at)
		n = s->size - at;
	*offset = at;
	*length = n;
}

static void start(struct sim *s, struct request *r, enum blk_op op, uint64_t offset,
	uint64_t length, struct task_group *group)
{
	uint64_t sector = offset / SECTOR, count = length / SECTOR;

	memset(r, 0, sizeof(*r));
	r->group = group;
	r->req.op = op;
	r->req.offset = offset;
	r->req.length = length;
	r->req.done = request_done;
	if (op == BLK_READ || op == BLK_WRITE) {
		r->memory = aligned_alloc(4096, (length + 8191) / 4096 * 4096);
		r->data = r->memory + (chance(s, 4) ? below(s, 512) : 0);
		split(s, r);
	}
	if (op == BLK_READ || op == BLK_FLUSH) {
		r->began =
			op == BLK_READ ? model_read_begin(&s->model) : model_flush_begin(&s->model);
	} else {
		r->id = model_write_begin(&s->model, sector, count, op == BLK_ZERO);
		r->req.flags = chance(s, 8) ? BLK_FUA : 0;
	}
	if (op == BLK_WRITE)
		for (uint64_t i = 0; i < count; i++)
			model_fill(r->id, sector + i, r->data + i * SECTOR);
	task_group_begin(group);
	blk_submit(raid_dev(s->rig.set), &r->req);
}

static void finish(struct sim *s, struct request *r)
{
	uint64_t sector = r->req.offset / SECTOR, count = r->req.length / SECTOR;
	bool ok = !r->req.result;

	REQUIRE(s, ok || s->dead, "op %d at %llu: %s", (int)r->req.op,
		(unsigned long long)r->req.offset, err_name(r->req.result));
	if (r->req.op == BLK_FLUSH) {
		if (ok)
			model_flush_end(&s->model, r->began);
	} else if (r->req.op == BLK_READ) {
		REQUIRE(s, !ok || model_read_end(&s->model, r->began, sector, count, r->data),
			"read");
	} else {
		model_write_end(&s->model, sector, count, r->id, ok, r->req.flags & BLK_FUA);
	}
	free(r->memory);
	s->ops++;
}

static enum blk_op pick_op(struct sim *s)
{
	static const enum blk_op ops[] = {BLK_READ, BLK_READ, BLK_READ, BLK_READ, BLK_WRITE,
		BLK_WRITE, BLK_WRITE, BLK_WRITE, BLK_WRITE, BLK_WRITE, BLK_ZERO, BLK_FLUSH};

	return ops[below(s, ARRAY_SIZE(ops))];
}

/* Requests submitted together: unrelated ones, or one run cut into equal parts. */
static void burst(struct sim *s)
{
	struct request reqs[BURST];
	struct task_group group;
	unsigned n = 1 + (unsigned)below(s, BURST);
	uint64_t at, length;

	task_group_init(&group);
	if (chance(s, 3)) {
		enum blk_op op = chance(s, 3) ? BLK_READ : BLK_WRITE;

		pick_range(s, &at, &length);
		for (unsigned i = 0; i < n; i++)
			if (at + (i + 1) * length > s->size)
				n = i;
		for (unsigned i = 0; i < n; i++)
			start(s, &reqs[i], op, at + i * length, length, &group);
	} else {
		for (unsigned i = 0; i < n; i++) {
			pick_range(s, &at, &length);
			start(s, &reqs[i], pick_op(s), at, length, &group);
		}
	}
	task_group_wait(&group);
	for (unsigned i = 0; i < n; i++)
		finish(s, &reqs[i]);
}

static void client(void *arg)
{
	struct sim *s = arg;
	unsigned rounds = 5 + (unsigned)below(s, 25);

	for (unsigned i = 0; i < rounds && !s->dead; i++) {
		burst(s);
		if (chance(s, 2))
			task_sleep_ms(below(s, 50));
	}
	s->busy--;
}

/* ---- members going and coming ---------------------------------------------------------------- */

static void new_device(struct sim *s, unsigned m)
{
	struct rig_member *member = &s->rig.member[m];
	struct blk_dev *disk;

	blk_close(member->dev);
	if (blk_sim_new(s->rig.loop, "disk", member->medium, &disk) ||
		blk_fault_new(disk, &member->faults) || blk_stats_new(member->faults, &member->dev))
		abort();
}

static void take_out(struct sim *s, unsigned m, enum raid_member_state state)
{
	struct raid_member gone = raid_member(s->rig.set, m);

	gone.state = state;
	gone.watermark = 0;
	raid_member_set(s->rig.set, m, &gone);
	s->out |= UINT64_C(1) << m;
}

/* Makes a member that is in sync fail in some way, if the set can bear it. */
static void break_member(struct sim *s)
{
	unsigned m = (unsigned)below(s, s->rig.shape.members);
	uint64_t bit = UINT64_C(1) << m, gone = s->out | s->hurt | raid_lost_mask(s->rig.set) | bit;
	struct rig_member *member = &s->rig.member[m];

	if (s->out & bit || s->hurt || !raid_shape_survives(&s->rig.shape, gone))
		return;
	s->faults++;
	s->out |= bit;
	s->watermark[m] = 0;
	switch (below(s, 5)) {
	case 0:
		blk_fault_add(member->faults, BLK_FAULT_GONE, 0, 0);
		break;
	case 1:
		blk_fault_add(member->faults, BLK_FAULT_IO_ERROR, 0, 0);
		break;
	case 2:
		blk_fault_add(member->faults, BLK_FAULT_WRITE_ERROR, s->rig.start,
			s->rig.shape.member_size);
		break;
	case 3: /* pulled: what its cache held is lost */
		blk_medium_crash(member->medium, &s->rng);
		s->lost_power |= bit;
		break;
	default:
		take_out(s, m, RAID_MEMBER_STALE);
		return;
	}
	task_sleep_ms(below(s, 300)); /* noticed by some request, perhaps */
	if (!(raid_lost_mask(s->rig.set) & bit))
		take_out(s, m, RAID_MEMBER_STALE);
}

/* Unreadable blocks where clients are active. */
static void hurt_member(struct sim *s)
{
	uint64_t offset, length, at, n;
	struct raid_place place;
	unsigned m;

	pick_range(s, &offset, &length);
	raid_map(&s->rig.shape, offset, &place);
	m = place.parity_p >= 0 && chance(s, 3) ? (unsigned)place.parity_p : place.member;
	if (s->out & UINT64_C(1) << m || (s->hurt && !(s->hurt & UINT64_C(1) << m)) ||
		!raid_shape_survives(&s->rig.shape, s->out | UINT64_C(1) << m))
		return;
	s->hurt |= UINT64_C(1) << m;
	at = place.offset / 4096 * 4096;
	n = 4096 * (1 + below(s, 8));
	if (n > s->rig.shape.member_size - at)
		n = s->rig.shape.member_size - at;
	blk_fault_add(s->rig.member[m].faults, BLK_FAULT_READ_ERROR, s->rig.start + at, n);
}

static void count_read_error(void *ctx, enum blk_fault_kind kind, uint64_t offset, uint64_t length)
{
	(void)offset;
	if (kind == BLK_FAULT_READ_ERROR)
		*(uint64_t *)ctx += length;
}

/* A repairing check must get rid of all of them (where the set was ever written). */
static void mend(struct sim *s)
{
	struct raid_run run = {.foreground_share = 100};
	uint64_t left = 0;
	unsigned m;
	int rc;

	if (!s->hurt)
		return;
	m = (unsigned)__builtin_ctzll(s->hurt);
	rc = raid_check(s->rig.set, RAID_CHECK_REPAIR, -1, false, &run);
	REQUIRE(s, !rc, "check: %s", err_name(rc));
	REQUIRE(s, !run.lost, "lost %llu", (unsigned long long)run.lost);
	blk_fault_for_each(s->rig.member[m].faults, count_read_error, &left);
	REQUIRE(s, !left || s->rig.options.unwritten, "%llu bytes still unreadable",
		(unsigned long long)left);
	blk_fault_clear(s->rig.member[m].faults, BLK_FAULT_READ_ERROR);
	s->hurt = 0;
}

struct run_ctx {
	struct sim *s;
	uint64_t slots;
	unsigned checkpoints;
};

static int on_checkpoint(struct raid_run *run, uint64_t watermark)
{
	struct run_ctx *ctx = run->user;

	for (uint64_t left = ctx->slots; left; left &= left - 1)
		ctx->s->watermark[__builtin_ctzll(left)] = watermark;
	ctx->checkpoints++;
	return ctx->s->dead ? -EIO : 0;
}

static void on_step(struct raid_run *run)
{
	struct run_ctx *ctx = run->user;

	REQUIRE(ctx->s, run->done <= run->total, "progress");
	if (chance(ctx->s, 20))
		task_sleep_ms(below(ctx->s, 30));
}

struct canceller {
	struct sim *s;
	struct raid_run *run;
	bool done;
	uint64_t after_ms;
};

static void cancel_later(void *arg)
{
	struct canceller *c = arg;

	task_sleep_ms(c->after_ms);
	c->run->cancel = true;
	c->done = true;
}

/* Gives every member that is out a device again and fills it; perhaps only some of the way. */
static void bring_back(struct sim *s)
{
	struct raid_run run = {.foreground_share = chance(s, 2) ? 100 : 50,
		.checkpoint = on_checkpoint,
		.step = on_step};
	struct run_ctx ctx = {.s = s};
	struct canceller c = {.s = s, .run = &run, .after_ms = 1 + below(s, 200)};
	bool catch_up = true, cancel = chance(s, 3);
	int rc;

	for (uint64_t left = s->out; left; left &= left - 1) {
		unsigned m = (unsigned)__builtin_ctzll(left);
		uint64_t bit = UINT64_C(1) << m;
		struct raid_member back = {.start = s->rig.start, .state = RAID_MEMBER_STALE};

		if (!(raid_lost_mask(s->rig.set) & bit))
			take_out(s, m, RAID_MEMBER_STALE);
		if (sim_twin_replaces(s, m)) {
			catch_up = false;
			continue;
		}
		blk_fault_clear_all(s->rig.member[m].faults);
		if (s->lost_power & bit || chance(s, 3)) {
			struct raid_member none = {.state = RAID_MEMBER_MISSING};

			raid_member_set(s->rig.set, m, &none);
			if (chance(s, 2)) { /* another drive */
				uint8_t *junk = malloc(s->rig.shape.member_size);

				rng_bytes(&s->rng, junk, s->rig.shape.member_size);
				rig_poke(&s->rig, m, 0, junk, s->rig.shape.member_size);
				free(junk);
				s->fresh |= bit;
				s->watermark[m] = 0;
			}
			new_device(s, m);
			s->lost_power &= ~bit;
		}
		back.dev = s->rig.member[m].dev;
		back.watermark = s->fresh & bit ? s->watermark[m] : 0;
		raid_member_set(s->rig.set, m, &back);
		catch_up &= !(s->fresh & bit);
	}
	ctx.slots = s->out;
	run.user = &ctx;
	if (cancel && task_spawn(s->rig.loop, "cancel", cancel_later, &c))
		abort();
	rc = raid_rebuild(s->rig.set, s->out, catch_up, &run);
	while (cancel && !c.done)
		task_sleep_ms(1);
	if (s->dead)
		return;
	REQUIRE(s, !rc || (cancel && rc == -ECANCELED), "rebuild: %s", err_name(rc));
	REQUIRE(s, !run.lost, "lost %llu", (unsigned long long)run.lost);
	s->rebuilds += !rc;
	s->cancels += rc == -ECANCELED;
	if (rc) {
		s->fresh |= catch_up ? 0 : s->out;
		return;
	}
	REQUIRE(s, !raid_lost_mask(s->rig.set) && ctx.checkpoints, "all members in sync");
	s->out = s->fresh = s->rig.stale = 0;
}

static void check_finds_nothing(struct sim *s)
{
	struct raid_run run = {.foreground_share = 100};
	int rc;

	if (raid_resync_needed(s->rig.set))
		return;
	rc = raid_check(s->rig.set, RAID_CHECK_COUNT, -1, false, &run);
	REQUIRE(s, s->dead || (!rc && !run.lost && (s->hurt || !run.mismatches)),
		"check: %s, %llu mismatches", err_name(rc), (unsigned long long)run.mismatches);
}

static void resync(struct sim *s)
{
	struct raid_run run = {.foreground_share = 100};
	int rc;

	if (!raid_resync_needed(s->rig.set))
		return;
	rc = raid_check(s->rig.set, RAID_CHECK_REWRITE, -1, true, &run);
	REQUIRE(s, s->dead || (!rc && !raid_resync_needed(s->rig.set)), "resync: %s", err_name(rc));
}

/* Parity and copies may differ since a crash: first things first, though not at once. */
static void operate_unclean(struct sim *s)
{
	if (chance(s, 3))
		resync(s);
	else if (chance(s, 2))
		(void)raid_bitmap_settle(s->rig.set, 0);
}

static void operate(struct sim *s)
{
	if (raid_resync_needed(s->rig.set)) {
		operate_unclean(s);
		return;
	}
	if (!raid_shape_redundancy(&s->rig.shape)) {
		sim_twin_operate(s);
		return;
	}
	switch (below(s, 9)) {
	case 0:
	case 1:
		if (!s->calm)
			break_member(s);
		break;
	case 8:
		sim_twin_operate(s);
		break;
	case 2:
	case 3:
		mend(s);
		if (s->out)
			bring_back(s);
		break;
	case 4:
		if (!s->calm && !s->out)
			hurt_member(s);
		break;
	case 5:
		check_finds_nothing(s);
		break;
	case 6:
		(void)raid_bitmap_settle(s->rig.set, below(s, 200));
		break;
	default:
		raid_freeze(s->rig.set);
		task_sleep_ms(below(s, 10));
		raid_thaw(s->rig.set);
	}
}

static void operator(void *arg)
{
	struct sim *s = arg;
	unsigned rounds = 3 + (unsigned)below(s, 14);

	if (chance(s, 2))
		resync(s);
	for (unsigned i = 0; i < rounds && !s->dead; i++) {
		task_sleep_ms(below(s, 100));
		if (!s->dead)
			operate(s);
	}
	s->busy--;
}

/* The end of the machine, at some moment of a phase. */
static void crash(void *arg)
{
	struct sim *s = arg;
	bool power = chance(s, 2);

	task_sleep_ms(below(s, 400));
	if (s->busy > 1) { /* or everybody has gone home already */
		s->dead = true;
		s->rig.refuse = -EIO;
		for (unsigned m = 0; m < s->rig.shape.members; m++) {
			if (power)
				blk_medium_crash(s->rig.member[m].medium, &s->rng);
			else
				blk_medium_kill(s->rig.member[m].medium, &s->rng);
		}
		if (s->rig.twin.medium && power)
			blk_medium_crash(s->rig.twin.medium, &s->rng);
		else if (s->rig.twin.medium)
			blk_medium_kill(s->rig.twin.medium, &s->rng);
	}
	s->busy--;
}

/* ---- phases ------------------------------------------------------------------------------ */

static int run_tasks(void *arg)
{
	struct sim *s = arg;
	bool crashing =
		(s->calm || raid_resync_needed(s->rig.set)) && !s->out && !s->hurt && below(s, 3);

	s->calm |= crashing;
	s->busy = CLIENTS + 1 + crashing;
	for (unsigned i = 0; i < CLIENTS; i++)
		if (task_spawn(s->rig.loop, "client", client, s))
			abort();
	if (task_spawn(s->rig.loop, "operator", operator, s) ||
		(crashing && task_spawn(s->rig.loop, "crash", crash, s)))
		abort();
	while (s->busy)
		task_sleep_ms(1);
	return 0;
}

/* Closes the set and opens it again, as another process would. */
static int reopen(void *arg)
{
	struct sim *s = arg;
	struct raid_member members[RAID_MAX_MEMBERS];

	raid_close(s->rig.set);
	s->rig.set = NULL;
	sim_twin_closed(s);
	rig_members(&s->rig, members);
	for (unsigned m = 0; m < s->rig.shape.members; m++) {
		if (s->dead)
			new_device(s, m);
		members[m].dev = s->rig.member[m].dev;
		if (!(s->out >> m & 1))
			continue;
		members[m].watermark = s->watermark[m];
		members[m].state = s->fresh >> m & 1 && s->watermark[m] && !(s->lost_power >> m & 1)
					   ? RAID_MEMBER_REBUILDING
					   : RAID_MEMBER_STALE;
	}
	s->rig.options.unclean = s->dead;
	s->rig.options.bitmap_image = s->rig.image;
	s->rig.options.unwritten = false;
	s->rig.refuse = 0;
	rig_open(&s->rig, members);
	sim_twin_reopened(s);
	return 0;
}

static void read_everything(struct sim *s, bool crashed)
{
	uint8_t *data = malloc(s->size);
	uint64_t began = model_read_begin(&s->model);
	int rc = rig_read(&s->rig, 0, data, s->size);

	REQUIRE(s, !rc, "reading it all: %s", err_name(rc));
	if (crashed)
		REQUIRE(s, model_crashed(&s->model, 0, s->size / SECTOR, data), "after the crash");
	else
		REQUIRE(s, model_read_end(&s->model, began, 0, s->size / SECTOR, data), "at rest");
	free(data);
}

static void phase(struct sim *s)
{
	bool fresh = s->rig.options.unwritten;

	s->calm = chance(s, 2);
	rig_call(&s->rig, run_tasks, s);
	s->rig.options.unwritten = fresh;
	if (s->dead) {
		s->crashes++;
		rig_call(&s->rig, reopen, s);
		s->dead = false;
		read_everything(s, true);
	} else if (chance(s, 3)) {
		s->restarts++;
		if (rig_flush(&s->rig))
			abort();
		rig_call(&s->rig, reopen, s);
	}
	s->rig.options.unwritten = fresh;
	read_everything(s, false);
}

static int come_to_rest(void *arg)
{
	struct sim *s = arg;

	resync(s);
	mend(s);
	while (s->out)
		bring_back(s);
	sim_twin_settle(s);
	check_finds_nothing(s);
	if (blk_flush(raid_dev(s->rig.set)))
		return -EIO;
	task_sleep_ms(1000);
	return raid_bitmap_settle(s->rig.set, 500) < 0 ? -EIO : 0;
}

static const struct raid_shape shapes[] = {
	RIG_SHAPE(RAID_SIMPLE, 1, 1, 0, 100),
	RIG_SHAPE(RAID_STRIPE, 3, 1, 65536, 50),
	RIG_SHAPE(RAID_MIRROR, 2, 1, 0, 150),
	RIG_SHAPE(RAID_MIRROR, 3, 1, 0, 150),
	RIG_SHAPE(RAID_RAID10, 4, 2, 65536, 75),
	RIG_SHAPE(RAID_RAID5, 3, 1, 65536, 75),
	RIG_SHAPE(RAID_RAID5, 5, 1, 16384, 150),
	RIG_SHAPE(RAID_RAID6, 5, 1, 65536, 50),
	RIG_SHAPE(RAID_RAID6, 6, 1, 16384, 150),
	RIG_SHAPE(RAID_RAID50, 6, 2, 65536, 40),
	RIG_SHAPE(RAID_RAID60, 8, 2, 65536, 40),
	{.level = RAID_SPAN,
		.members = 3,
		.groups = 1,
		.span_sizes = {3 << 20, (2 << 20) + 4096, 4 << 20}},
};

static void history(uint64_t seed, bool loud)
{
	static struct sim sim;
	struct sim *s = &sim;
	struct raid_options options = {.bitmap = true};
	unsigned phases;
	int rc;

	memset(s, 0, sizeof(*s));
	s->seed = seed;
	rng_seed(&s->rng, seed * 1000003 + 17);
	options.bitmap = !chance(s, 8);
	options.unwritten = options.bitmap && chance(s, 2);
	rig_block = chance(s, 4) ? 4096 : 512;
	options.write_through = chance(s, 6);
	rig_init(&s->rig, seed, &shapes[seed % ARRAY_SIZE(shapes)], &options);
	s->size = raid_shape_size(&s->rig.shape);
	if (options.unwritten)
		rig_fill_garbage(&s->rig);
	model_init(&s->model, s->size / SECTOR);
	s->model.oldest_read = 0;
	s->spot_bytes = 128 << 10;
	for (unsigned i = 0; i < SPOTS; i++)
		s->spot[i] = below(s, (s->size - s->spot_bytes) / 65536) * 65536;
	phases = 1 + (unsigned)below(s, 4);
	for (unsigned i = 0; i < phases; i++)
		phase(s);
	rc = rig_call(&s->rig, come_to_rest, s);
	REQUIRE(s, !rc, "coming to rest: %s", err_name(rc));
	read_everything(s, false);
	REQUIRE(s, !rig_inconsistent(&s->rig, 0), "%llu bytes of copies or parity are wrong",
		(unsigned long long)rig_inconsistent(&s->rig, 0));
	REQUIRE(s, !raid_dirty_regions(s->rig.set), "%llu regions stay dirty",
		(unsigned long long)raid_dirty_regions(s->rig.set));
	REQUIRE(s, !memcmp(s->rig.image, raid_bitmap_image(s->rig.set), s->rig.image_bytes),
		"bitmap");
	if (loud)
		printf("seed %llu: %u ops, %u faults, %u rebuilds, %u copies, %u cancelled, %u crashes, "
		       "%u restarts, %u medium errors (%u repaired)\n",
			(unsigned long long)seed, s->ops, s->faults, s->rebuilds, s->copies, s->cancels,
			s->crashes, s->restarts, s->rig.medium_errors, s->rig.medium_repaired);
	rig_fini(&s->rig);
	model_fini(&s->model);
}

int main(int argc, char **argv)
{
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : argc > 1 ? 1 : 36;

	log_set_level(argc == 2 ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	for (uint64_t seed = first; seed < first + count; seed++)
		history(seed, argc == 2);
	printf("%llu histories\n", (unsigned long long)count);
	return 0;
}
