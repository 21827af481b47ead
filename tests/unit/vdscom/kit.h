/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of vdscom share: a plain object to stand for a LUN, and clean ends. */
#ifndef TESTS_VDSCOM_KIT_H
#define TESTS_VDSCOM_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "com/com.h"

#include <vds.h>

struct plain {
	struct com_object com;
	IUnknown IUnknown_iface;
};

COM_IDENTITY(plain)

static const struct com_iface plain_list[] = {COM_IFACE(plain, IUnknown)};
static const struct com_class plain_class = {
	"plain", sizeof(struct plain), COM_IFACES(plain_list), NULL};

static inline IUnknown *plain_new(void)
{
	struct plain *p = com_object_new(&plain_class, NULL);

	assert_non_null(p);
	return &p->IUnknown_iface;
}

static inline unsigned plain_refs(IUnknown *unk)
{
	return atomic_load(&COM_IMPL(plain, IUnknown, unk)->com.refs);
}

static inline int kit_setup(void **state)
{
	(void)state;
	return com_live_objects(NULL) ? -1 : 0;
}

static inline int kit_teardown(void **state)
{
	(void)state;
	if (com_alloc_fail_armed())
		return -1;
	return com_dump_live() ? -1 : 0;
}

#define KIT_TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

#endif
