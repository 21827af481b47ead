/* SPDX-License-Identifier: Apache-2.0 */
/* Methods that several classes have: the number, the parent, and the list of results. */
#include "provider/hw/hwp.h"

#include "vdscom/enum.h"

struct number_read {
	struct hwp *p;
	enum hwp_kind kind;
	struct guid id;
	uint32_t number;
};

static int number_read(void *arg)
{
	struct number_read *r = arg;

	return sto_number(r->p->sto, r->kind, &r->id, &r->number, NULL);
}

int hwp_number(struct hwp *p, enum hwp_kind kind, const struct guid *id, uint32_t *number)
{
	struct number_read r = {.p = p, .kind = kind, .id = *id};
	int rc = hwp_clerk_call(p, number_read, &r);

	*number = r.number;
	return rc;
}

static HRESULT number_body(struct hwp_call *call)
{
	ULONG *number = call->args;
	uint32_t n = 0;
	int rc = hwp_number(call->p, call->kind, &call->id, &n);

	*number = n;
	return hwp_fail(call, rc);
}

HRESULT hwp_get_number(struct hwp_face *face, ULONG *number)
{
	if (!number)
		return E_INVALIDARG;
	*number = 0;
	HRESULT hr =
		hwp_call(face->p, HWP_M_X_GET_NUMBER, face->kind, &face->id, number_body, number);
	if (FAILED(hr))
		*number = 0;
	return hr;
}

static HRESULT parent_body(struct hwp_call *call)
{
	*(struct guid *)call->args = call->array->id;
	return S_OK;
}

HRESULT hwp_get_sub_system(struct hwp_face *face, enum hwp_method method, IVdsSubSystem **out)
{
	struct guid id;

	if (!out)
		return E_INVALIDARG;
	*out = NULL;
	HRESULT hr = hwp_call(face->p, method, face->kind, &face->id, parent_body, &id);
	if (FAILED(hr))
		return hr;
	return hwp_face_get(face->p, HWP_SUB_SYSTEM, &id, &IID_IVdsSubSystem, (void **)out);
}

HRESULT hwp_enum_new(struct hwp *p, const struct hwp_idents *list, IEnumVdsObject **out)
{
	IUnknown **objects = com_task_calloc(list->len ? list->len : 1, sizeof(*objects));
	const struct hwp_ident *it;
	HRESULT hr = objects ? S_OK : E_OUTOFMEMORY;
	size_t n = 0;

	*out = NULL;
	vec_for_each (list, it) {
		if (FAILED(hr))
			break;
		hr = hwp_face_get(p, it->kind, &it->id, &IID_IUnknown, (void **)&objects[n]);
		if (SUCCEEDED(hr))
			n++;
	}
	if (SUCCEEDED(hr)) {
		hr = vdc_enum_take(objects, n, out);
		n = 0;
	}
	while (n-- > 0)
		IUnknown_Release(objects[n]);
	com_task_free(objects);
	return hr;
}
