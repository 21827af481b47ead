/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of drive ids in arguments. */
#ifndef PROVIDER_HW_HWP_IDS_H
#define PROVIDER_HW_HWP_IDS_H

#include "provider/hw/hwp.h"
#include "vdscom/check.h"

struct hwp_ids {
	struct guid *list; /* malloc'd; NULL for none */
	unsigned count;
};

/* ids is NULL if and only if count is 0; none zero, none twice: else E_INVALIDARG. */
static inline HRESULT hwp_ids_take(const VDS_OBJECT_ID *ids, LONG count, struct hwp_ids *out)
{
	HRESULT hr = vdc_check_ids(ids, count);

	if (FAILED(hr) || !ids != !count)
		return E_INVALIDARG;
	if (!count)
		return S_OK;
	out->list = calloc((size_t)count, sizeof(*out->list));
	if (!out->list)
		return E_OUTOFMEMORY;
	out->count = (unsigned)count;
	for (unsigned i = 0; i < out->count; i++)
		out->list[i] = com_guid_to(&ids[i]);
	return S_OK;
}

static inline void hwp_ids_drop(struct hwp_ids *ids)
{
	free(ids->list);
}

#endif
