/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LUN object: its bytes and members. A call blocks its client until the worker is done with it,
 * so data moves straight from and to the client's memory.
 */
#include "provider/hw/hwp_lun.h"

#include "vdscom/check.h"

COM_UNKNOWN(hwp_lun, IVdsxLun)

struct transfer {
	uint64_t offset;
	size_t length;
	size_t done;
	void *buf;
};

enum { STEP = 4 * 1024 * 1024 };

static HRESULT read_body(struct hwp_call *call)
{
	struct transfer *t = call->args;
	uint64_t size = call->lun.size_bytes;

	if (t->offset >= size)
		return S_OK;
	if (t->length > size - t->offset)
		t->length = (size_t)(size - t->offset);
	while (t->done < t->length) {
		size_t n = t->length - t->done < STEP ? t->length - t->done : STEP;
		int rc = eng_lun_read(
			call->eng, &call->id, t->offset + t->done, (char *)t->buf + t->done, n);
		if (rc)
			return hwp_fail(call, rc);
		t->done += n;
	}
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_lun_Read(
	IVdsxLun *iface, ULONGLONG offset, ULONG cb, BYTE *data, ULONG *read)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsxLun, iface);
	struct transfer t = {.offset = offset, .length = cb, .buf = data};

	COM_TRACE(self, "%llu + %u", offset, cb);
	VDC_OUT(read);
	VDC_REQUIRE(data || !cb);
	HRESULT hr = hwp_call(
		hwp_of(&self->face), HWP_M_X_LUN_READ, HWP_LUN, &self->face.id, read_body, &t);
	if (SUCCEEDED(hr))
		*read = (ULONG)t.done;
	return hr;
}

static HRESULT write_body(struct hwp_call *call)
{
	struct transfer *t = call->args;
	uint64_t size = call->lun.size_bytes;

	if (t->offset > size || t->length > size - t->offset)
		return E_INVALIDARG;
	while (t->done < t->length) {
		size_t n = t->length - t->done < STEP ? t->length - t->done : STEP;
		int rc = eng_lun_write(call->eng, &call->id, t->offset + t->done,
			(const char *)t->buf + t->done, n);
		if (rc)
			return hwp_fail(call, rc);
		t->done += n;
	}
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_lun_Write(
	IVdsxLun *iface, ULONGLONG offset, ULONG cb, const BYTE *data)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsxLun, iface);
	struct transfer t = {.offset = offset, .length = cb, .buf = (void *)(uintptr_t)data};

	COM_TRACE(self, "%llu + %u", offset, cb);
	VDC_REQUIRE(data || !cb);
	return hwp_call(
		hwp_of(&self->face), HWP_M_X_LUN_WRITE, HWP_LUN, &self->face.id, write_body, &t);
}

static HRESULT flush_body(struct hwp_call *call)
{
	return hwp_fail(call, eng_lun_flush(call->eng, &call->id));
}

static HRESULT STDMETHODCALLTYPE hwp_lun_Flush(IVdsxLun *iface)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsxLun, iface);

	COM_TRACE(self);
	return hwp_call(
		hwp_of(&self->face), HWP_M_X_LUN_FLUSH, HWP_LUN, &self->face.id, flush_body, NULL);
}

static HRESULT detail_body(struct hwp_call *call)
{
	VDSX_LUN_DETAIL *out = call->args;

	out->ulStripeSize = call->lun.chunk;
	out->ulMemberCount = call->lun.members;
	out->ulRedundancy = call->lun.redundancy;
	out->ullDirtyBytes = call->lun.dirty_bytes;
	out->ullLostBytes = call->lun.lost_bytes;
	out->ullCreatedAt = (ULONGLONG)call->lun.created_at;
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE hwp_lun_GetDetail(IVdsxLun *iface, VDSX_LUN_DETAIL *detail)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsxLun, iface);

	COM_TRACE(self);
	VDC_OUT(detail);
	return hwp_call(hwp_of(&self->face), HWP_M_X_LUN_GET_DETAIL, HWP_LUN, &self->face.id,
		detail_body, detail);
}

struct members {
	struct eng_member_info list[ENG_MAX_MEMBERS];
	unsigned count;
};

static HRESULT members_body(struct hwp_call *call)
{
	struct members *m = call->args;

	return hwp_fail(
		call, eng_lun_members(call->eng, &call->id, m->list, ENG_MAX_MEMBERS, &m->count));
}

static VDSX_MEMBER_STATE member_state(enum eng_member_state state)
{
	switch (state) {
	case ENG_MEMBER_IN_SYNC:
		return VDSX_MEMBER_IN_SYNC;
	case ENG_MEMBER_REBUILDING:
		return VDSX_MEMBER_REBUILDING;
	case ENG_MEMBER_STALE:
		return VDSX_MEMBER_STALE;
	case ENG_MEMBER_MISSING:
		return VDSX_MEMBER_MISSING;
	}
	return VDSX_MEMBER_MISSING;
}

static HRESULT STDMETHODCALLTYPE hwp_lun_QueryMembers(
	IVdsxLun *iface, VDSX_LUN_MEMBER **out, LONG *count)
{
	struct hwp_lun *self = COM_IMPL(hwp_lun, IVdsxLun, iface);
	struct members m = {.count = 0};

	COM_TRACE(self);
	VDC_OUT2(out, count);
	HRESULT hr = hwp_call(hwp_of(&self->face), HWP_M_X_LUN_QUERY_MEMBERS, HWP_LUN,
		&self->face.id, members_body, &m);
	if (FAILED(hr) || !m.count)
		return hr;
	*out = com_task_calloc(m.count, sizeof(**out));
	if (!*out)
		return E_OUTOFMEMORY;
	for (unsigned i = 0; i < m.count; i++)
		(*out)[i] = (VDSX_LUN_MEMBER){
			.ulSlot = m.list[i].slot,
			.driveId = com_guid_from(&m.list[i].drive),
			.state = member_state(m.list[i].state),
			.ullDriveOffset = m.list[i].offset,
			.ullSize = m.list[i].size,
			.ullRebuilt = m.list[i].rebuilt,
		};
	*count = (LONG)m.count;
	return hr;
}

const IVdsxLunVtbl hwp_lun_IVdsxLun_vtbl = {
	COM_UNKNOWN_METHODS(hwp_lun, IVdsxLun),
	.Read = hwp_lun_Read,
	.Write = hwp_lun_Write,
	.Flush = hwp_lun_Flush,
	.GetDetail = hwp_lun_GetDetail,
	.QueryMembers = hwp_lun_QueryMembers,
};
