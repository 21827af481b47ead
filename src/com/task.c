/* SPDX-License-Identifier: Apache-2.0 */
/* Task memory, strings in it, and the failure that can be ordered for the n-th allocation. */
#include "com/com_internal.h"

#include "base/utf16.h"

#include <stdlib.h>

/* WCHAR arrays are given to functions of uint16_t. */
_Static_assert(sizeof(WCHAR) == sizeof(uint16_t), "WCHAR has 16 bits");

static atomic_uint fail_countdown; /* 0 = not armed */

void com_alloc_fail_after(unsigned n)
{
	atomic_store(&fail_countdown, n);
}

bool com_alloc_fail_armed(void)
{
	return atomic_load(&fail_countdown) != 0;
}

/* Exactly one thread meets the end of the countdown. */
static bool fails_now(void)
{
	unsigned left = atomic_load_explicit(&fail_countdown, memory_order_relaxed);

	while (left)
		if (atomic_compare_exchange_weak(&fail_countdown, &left, left - 1))
			return left == 1;
	return false;
}

void *com_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : calloc(count, size);
}

void *com_task_alloc(size_t size)
{
	return fails_now() ? NULL : malloc(size ? size : 1);
}

void *com_task_calloc(size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		return NULL;
	return com_calloc(1, total ? total : 1);
}

void *com_task_realloc(void *p, size_t size)
{
	return fails_now() ? NULL : realloc(p, size ? size : 1);
}

void com_task_free(void *p)
{
	free(p);
}

WCHAR *com_strdup_utf8_to_wide(const char *utf8)
{
	size_t cap;
	uint16_t *out;

	if (!utf8)
		return NULL;
	cap = utf16_units_for(utf8) + 1;
	out = com_task_calloc(cap, sizeof(*out));
	if (out)
		utf16_from_utf8(utf8, out, cap);
	return (WCHAR *)out;
}

WCHAR *com_strdup_wide(const WCHAR *text)
{
	size_t bytes;
	WCHAR *out;

	if (!text)
		return NULL;
	bytes = (utf16_len((const uint16_t *)text) + 1) * sizeof(*out);
	out = com_task_alloc(bytes);
	if (out)
		memcpy(out, text, bytes);
	return out;
}

char *com_utf8_from_wide(const WCHAR *text)
{
	return text && !fails_now() ? utf16_to_utf8((const uint16_t *)text) : NULL;
}
