/* SPDX-License-Identifier: Apache-2.0 */
#include "vdscom/check.h"

HRESULT vdc_check_ids(const VDS_OBJECT_ID *ids, LONG count)
{
	if (count < 0 || (count && !ids))
		return E_INVALIDARG;
	for (LONG i = 0; i < count; i++) {
		if (com_guid_is_zero(&ids[i]))
			return E_INVALIDARG;
		for (LONG j = 0; j < i; j++)
			if (com_guid_equal(&ids[i], &ids[j]))
				return E_INVALIDARG;
	}
	return S_OK;
}

bool vdc_enum_known(const struct idl_enum *e, ULONG value)
{
	return value && idl_enum_valid(e, value);
}
