/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults on purpose: what each does to the arrays, and that it is done again at each open.
 *
 * The store keeps the list; struct hwp has a copy for the worker. A fault of an object is applied
 * when the object's array opens and when it is injected, and undone when it is cleared. Faults of
 * the medium that the array itself mends (a read error that was rewritten) are taken back out of
 * the store when the array closes.
 */
#include "provider/hw/hwp.h"

const struct sto_fault *hwp_fault_find(
	const struct hwp *p, const struct guid *id, enum sto_fault_kind kind)
{
	const struct sto_fault *f;

	vec_for_each (&p->faults, f)
		if (f->kind == kind && guid_equal(&f->id, id))
			return f;
	return NULL;
}

struct forget {
	struct hwp *p;
	struct guid id;
	int kind;
	struct err *err;
};

static int forget_in_store(void *arg)
{
	struct forget *f = arg;

	return sto_fault_clear(f->p->core.sto, &f->id, f->kind, f->err);
}

int hwp_fault_forget(struct hwp *p, const struct guid *id, int kind, struct err *err)
{
	struct forget f = {.p = p, .id = *id, .kind = kind, .err = err};
	int rc = prv_clerk_call(&p->core.worker->clerk, forget_in_store, &f);

	if (rc)
		return rc;
	for (size_t i = p->faults.len; i-- > 0;)
		if (guid_equal(&p->faults.items[i].id, id) &&
			(!kind || (int)p->faults.items[i].kind == kind))
			hwp_faults_remove(&p->faults, i);
	return 0;
}

static bool is_drive(struct eng_array *eng, const struct guid *id)
{
	struct eng_drive_info info;

	return eng && !eng_drive_info(eng, id, &info);
}

static bool is_lun(struct eng_array *eng, const struct guid *id)
{
	struct eng_lun_info info;

	return eng && !eng_lun_info(eng, id, &info);
}

int hwp_ident_find(
	struct hwp *p, const struct guid *id, struct prv_ident *out, struct hwp_array **array)
{
	struct guid provider = com_guid_to(&HWP_PROVIDER_ID);
	struct list *pos, *tmp;

	out->id = *id;
	*array = NULL;
	if (guid_equal(id, &provider)) {
		out->kind = HWP_PROVIDER;
		return 0;
	}
	list_for_each (pos, tmp, &p->arrays) {
		struct hwp_array *a = list_entry(pos, struct hwp_array, link);
		struct guid lun;
		unsigned index;

		*array = a;
		if (guid_equal(id, &a->id))
			out->kind = HWP_SUB_SYSTEM;
		else if (guid_equal(id, &a->controller))
			out->kind = HWP_CONTROLLER;
		else if (guid_equal(id, &a->port))
			out->kind = HWP_PORT;
		else if (is_drive(a->eng, id))
			out->kind = HWP_DRIVE;
		else if (is_lun(a->eng, id))
			out->kind = HWP_LUN;
		else if (a->eng && !eng_plex_find(a->eng, id, &lun, &index))
			out->kind = HWP_PLEX;
		else
			continue;
		return 0;
	}
	*array = NULL;
	return -ENOENT;
}

/* How long a request to a silent drive lasts before the system gives it up. */
enum { PATIENCE_MS = 3000 };

static int apply_to_drive(struct hwp_array *a, const struct sto_fault *f, struct err *err)
{
	switch (f->kind) {
	case STO_FAULT_FAILED:
		return eng_drive_set_failed(a->eng, &f->id, true, err);
	case STO_FAULT_PREDICT:
		return eng_drive_set_predicted(a->eng, &f->id, true, err);
	case STO_FAULT_GONE:
		return eng_drive_pull(a->eng, &f->id, err);
	case STO_FAULT_UNREACHABLE:
		return eng_drive_fault_add(a->eng, &f->id, BLK_FAULT_UNREACHABLE, 0, PATIENCE_MS);
	case STO_FAULT_READ_ERROR:
		return eng_drive_fault_add(
			a->eng, &f->id, BLK_FAULT_READ_ERROR, f->offset, f->size);
	case STO_FAULT_WRITE_ERROR:
		return eng_drive_fault_add(
			a->eng, &f->id, BLK_FAULT_WRITE_ERROR, f->offset, f->size);
	case STO_FAULT_SLOW:
		return eng_drive_fault_add(a->eng, &f->id, BLK_FAULT_DELAY, 0, f->size);
	case STO_FAULT_CORRUPT: /* once, not kept */
		return eng_drive_fault_corrupt(a->eng, &f->id, f->offset, f->size);
	case STO_FAULT_NO_OPERATION:
		return 0;
	case STO_FAULT_CACHE_CORRUPT:
	case STO_FAULT_OUT_OF_MEMORY:
	case STO_FAULT_SYSTEM_ERROR:
		break;
	}
	return err_set(err, -ENOTSUP, "This fault does not apply to a drive.");
}

/* The array goes out as it is: its drives are pulled with it. */
static int apply_to_array(struct hwp_array *a, const struct sto_fault *f, struct err *err)
{
	switch (f->kind) {
	case STO_FAULT_FAILED:
		a->failed = true;
		hwp_apply_hold(a->p);
		return 0;
	case STO_FAULT_UNREACHABLE:
		a->unreachable = true;
		return 0;
	case STO_FAULT_GONE:
		a->gone = true;
		hwp_array_close(a);
		return 0;
	case STO_FAULT_NO_OPERATION:
		return 0;
	case STO_FAULT_CACHE_CORRUPT:
	case STO_FAULT_PREDICT:
	case STO_FAULT_READ_ERROR:
	case STO_FAULT_CORRUPT:
	case STO_FAULT_SLOW:
	case STO_FAULT_WRITE_ERROR:
	case STO_FAULT_OUT_OF_MEMORY:
	case STO_FAULT_SYSTEM_ERROR:
		break;
	}
	return err_set(err, -ENOTSUP, "This fault does not apply to a subsystem.");
}

int hwp_fault_apply(struct hwp *p, const struct sto_fault *f, struct err *err)
{
	struct prv_ident ident;
	struct hwp_array *a;
	int rc = hwp_ident_find(p, &f->id, &ident, &a);

	if (rc)
		return err_set(err, rc, "No object has this id.");
	if (f->kind == STO_FAULT_NO_OPERATION && ident.kind != HWP_PROVIDER &&
		ident.kind != HWP_PLEX)
		return 0;
	switch (ident.kind) {
	case HWP_PROVIDER:
		if (f->kind != STO_FAULT_CACHE_CORRUPT)
			break;
		hwp_cache_set(p, HWP_CACHE_CORRUPT);
		return 0;
	case HWP_SUB_SYSTEM:
		return apply_to_array(a, f, err);
	case HWP_CONTROLLER:
		if (f->kind != STO_FAULT_FAILED)
			break;
		a->controller_failed = true;
		return 0;
	case HWP_DRIVE:
		return apply_to_drive(a, f, err);
	case HWP_LUN:
		if (f->kind != STO_FAULT_FAILED)
			break;
		return eng_lun_set_failed(a->eng, &f->id, true);
	case HWP_PLEX:
	case HWP_PORT:
		break;
	}
	return err_set(err, -ENOTSUP, "This fault does not apply to this kind of object.");
}

void hwp_fault_apply_all(struct hwp_array *a)
{
	struct hwp *p = a->p;

	for (size_t i = 0; i < p->faults.len; i++) {
		struct sto_fault f = p->faults.items[i];
		struct err err = {0};

		/* What the drives themselves remember needs no second telling. */
		if (f.kind == STO_FAULT_CORRUPT || f.kind == STO_FAULT_GONE)
			continue;
		int rc = 0;
		if (is_drive(a->eng, &f.id))
			rc = apply_to_drive(a, &f, &err);
		else if (f.kind == STO_FAULT_FAILED && is_lun(a->eng, &f.id))
			rc = eng_lun_set_failed(a->eng, &f.id, true);
		if (rc)
			log_warning("A fault could not be put into force again: %s",
				err.code ? err.text : err_name(rc));
	}
}

/* ---- read errors that were mended ---------------------------------------------------------- */

struct settle {
	struct hwp *p;
	struct guid drive;
	struct sto_fault_vec left;
	bool lost; /* memory was short: leave the store as it is */
};

static void still_bad(void *ctx, enum blk_fault_kind kind, uint64_t offset, uint64_t length)
{
	struct settle *s = ctx;
	struct sto_fault f = {
		.id = s->drive,
		.kind = STO_FAULT_READ_ERROR,
		.offset = offset,
		.size = length,
	};

	if (kind == BLK_FAULT_READ_ERROR && sto_fault_vec_push(&s->left, f))
		s->lost = true;
}

static int settle_in_store(void *arg)
{
	struct settle *s = arg;
	struct sto *sto = s->p->core.sto;
	struct sto_fault *f;
	int rc = sto_begin(sto, NULL);

	if (rc)
		return rc;
	rc = sto_fault_clear(sto, &s->drive, STO_FAULT_READ_ERROR, NULL);
	vec_for_each (&s->left, f)
		if (!rc)
			rc = sto_fault_add(sto, f, NULL);
	if (!rc)
		return sto_commit(sto, NULL);
	sto_rollback(sto);
	return rc;
}

void hwp_fault_settle(struct hwp_array *a)
{
	struct hwp *p = a->p;
	struct guid done = {0};

	for (size_t i = 0; i < p->faults.len; i++) {
		const struct sto_fault *f = &p->faults.items[i];
		if (f->kind != STO_FAULT_READ_ERROR || guid_equal(&f->id, &done) ||
			!is_drive(a->eng, &f->id))
			continue;
		struct settle s = {.p = p, .drive = f->id};
		done = f->id;
		if (!eng_drive_fault_for_each(a->eng, &f->id, still_bad, &s) && !s.lost)
			prv_clerk_call(&p->core.worker->clerk, settle_in_store, &s);
		sto_fault_vec_free(&s.left);
	}
}
