/* SPDX-License-Identifier: Apache-2.0 */
/* The table of hwp_method.h as an array. */
#include "provider/hw/hwp_method.h"

#include <assert.h>

const struct hwp_method_info *hwp_method_info(enum hwp_method method)
{
	static const struct hwp_method_info table[HWP_METHOD_COUNT] = {
#define HWP_METHOD_ROW(id, text, its_mode, its_codes)                                              \
	[HWP_M_##id] = {.name = (text), .mode = (its_mode), .codes = (its_codes)},
		HWP_METHODS(HWP_METHOD_ROW)
#undef HWP_METHOD_ROW
	};

	assert((unsigned)method < HWP_METHOD_COUNT);
	return &table[method];
}
