/* SPDX-License-Identifier: Apache-2.0 */
/* Methods that several classes have: the number and the parent. */
#include "provider/hw/hwp.h"

static HRESULT number_body(struct hwp_call *call)
{
	ULONG *number = call->args;
	uint32_t n = 0;
	int rc = prv_number(&call->p->core, call->kind, &call->id, &n);

	*number = n;
	return hwp_fail(call, rc);
}

HRESULT hwp_get_number(struct prv_face *face, ULONG *number)
{
	if (!number)
		return E_INVALIDARG;
	*number = 0;
	HRESULT hr = hwp_call(
		hwp_of(face), HWP_M_X_GET_NUMBER, face->kind, &face->id, number_body, number);
	if (FAILED(hr))
		*number = 0;
	return hr;
}

static HRESULT parent_body(struct hwp_call *call)
{
	*(struct guid *)call->args = call->array->id;
	return S_OK;
}

HRESULT hwp_get_sub_system(struct prv_face *face, enum hwp_method method, IVdsSubSystem **out)
{
	struct guid id;

	if (!out)
		return E_INVALIDARG;
	*out = NULL;
	HRESULT hr = hwp_call(hwp_of(face), method, face->kind, &face->id, parent_body, &id);
	if (FAILED(hr))
		return hr;
	return prv_face_get(
		&hwp_of(face)->core, HWP_SUB_SYSTEM, &id, &IID_IVdsSubSystem, (void **)out);
}
