/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <stdlib.h>

struct rig rig_make(void **state, VDS_LUN_TYPE type, unsigned count, unsigned spares)
{
	struct rig r = {.fx = *state, .count = count, .spares = spares};

	for (unsigned i = 0; i < count + spares; i++) {
		r.drives[i] = fx_add_drive(r.fx, 96 * MIB);
		r.ids[i] = fx_drive_id(r.drives[i]);
	}
	r.lun = fx_add_lun(r.fx, type, RIG_MIB * MIB, r.drives, count);
	r.lun_id = fx_lun_id(r.lun);
	for (unsigned i = count; i < count + spares; i++)
		assert_ok(IVdsDrive_SetFlags(r.drives[i], VDS_DRF_HOTSPARE));
	fx_fill(r.lun, 0, RIG_MIB * MIB, 1);
	fx_notes_reset(r.fx);
	return r;
}

void rig_drop(struct rig *r)
{
	IVdsLun_Release(r->lun);
	for (unsigned i = 0; i < r->count + r->spares; i++)
		IVdsDrive_Release(r->drives[i]);
}

IVdsAsync *rig_recover(struct rig *r)
{
	IVdsAsync *async = NULL;

	assert_ok(IVdsLun_Recover(r->lun, &async));
	assert_non_null(async);
	return async;
}

VDS_HEALTH rig_health(struct rig *r)
{
	return fx_lun_prop(r->lun).health;
}

VDS_LUN_STATUS rig_status(struct rig *r)
{
	return fx_lun_prop(r->lun).status;
}

void rig_healthy(struct rig *r)
{
	FX_UNTIL(rig_health(r) == VDS_H_HEALTHY);
	fx_verify(r->lun, 0, RIG_MIB * MIB, 1);
}

void rig_fail(struct rig *r, unsigned n)
{
	fx_inject(r->fx, VDSX_FAULT_FAILED, r->ids[n], 0, 0);
}

void rig_slow(struct rig *r)
{
	fx_set(r->fx, VDSX_SETTING_REBUILD_RATE, 2 * MIB);
}

void rig_fast(struct rig *r)
{
	fx_set(r->fx, VDSX_SETTING_REBUILD_RATE, 0);
}

ULONG rig_flags(struct rig *r, unsigned n)
{
	return fx_drive_prop(r->drives[n]).ulFlags;
}

bool rig_is_member(struct rig *r, unsigned n)
{
	IVdsxLun *x = NULL;
	VDSX_LUN_MEMBER *members;
	LONG count;
	bool found = false;

	assert_ok(IVdsLun_QueryInterface(r->lun, &IID_IVdsxLun, (void **)&x));
	assert_ok(IVdsxLun_QueryMembers(x, &members, &count));
	IVdsxLun_Release(x);
	for (LONG i = 0; i < count; i++)
		found = found || fx_same(members[i].driveId, r->ids[n]);
	CoTaskMemFree(members);
	return found;
}

/* ---- load ---------------------------------------------------------------------------------- */

enum { BLOCK = 64 * 1024 };

static HRESULT one_round(struct load *l, BYTE *buf, BYTE *back)
{
	for (ULONGLONG at = 0; at < l->bytes; at += BLOCK) {
		ULONG got = 0;
		fx_pattern(buf, BLOCK, 1000 + l->rounds, l->offset + at);
		HRESULT hr = IVdsxLun_Write(l->lun, l->offset + at, BLOCK, buf);
		if (SUCCEEDED(hr))
			hr = IVdsxLun_Read(l->lun, l->offset + at, BLOCK, back, &got);
		if (FAILED(hr))
			return hr;
		if (got != BLOCK || memcmp(buf, back, BLOCK))
			return E_UNEXPECTED;
	}
	return S_OK;
}

static void *load_main(void *arg)
{
	struct load *l = arg;
	BYTE *buf = malloc(BLOCK), *back = malloc(BLOCK);

	do {
		l->hr = one_round(l, buf, back);
		l->rounds++;
	} while (SUCCEEDED(l->hr) && !l->stop);
	free(buf);
	free(back);
	return NULL;
}

void load_begin(struct load *l, IVdsLun *lun, ULONGLONG offset, ULONGLONG bytes)
{
	memset(l, 0, sizeof(*l));
	assert_ok(IVdsLun_QueryInterface(lun, &IID_IVdsxLun, (void **)&l->lun));
	l->offset = offset;
	l->bytes = bytes;
	assert_int_equal(pthread_create(&l->thread, NULL, load_main, l), 0);
}

void load_end(struct load *l)
{
	l->stop = 1;
	pthread_join(l->thread, NULL);
	IVdsxLun_Release(l->lun);
	assert_ok(l->hr);
	assert_true(l->rounds > 0);
}
