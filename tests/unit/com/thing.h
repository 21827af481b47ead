/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An object with two interfaces for the tests of com: a light that blinks (IVdsMaintenance) and,
 * as optional capability, IVdsServiceInitialization, whose Initialize only counts.
 */
#ifndef TESTS_COM_THING_H
#define TESTS_COM_THING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "com/com.h"

#include <vds.h>
#include <vdshwprv.h>

struct thing {
	struct com_object com;
	IUnknown IUnknown_iface;
	IVdsMaintenance IVdsMaintenance_iface;
	IVdsServiceInitialization IVdsServiceInitialization_iface;
	atomic_int blinking, initialised;
};

static atomic_int thing_destroyed;

COM_IDENTITY(thing)
COM_UNKNOWN(thing, IVdsMaintenance)
COM_UNKNOWN(thing, IVdsServiceInitialization)

static HRESULT thing_StartMaintenance(IVdsMaintenance *iface, VDS_MAINTENANCE_OPERATION op)
{
	struct thing *self = COM_IMPL(thing, IVdsMaintenance, iface);

	COM_TRACE(self, "op %d", (int)op);
	atomic_fetch_add(&self->blinking, 1);
	return S_OK;
}

static HRESULT thing_StopMaintenance(IVdsMaintenance *iface, VDS_MAINTENANCE_OPERATION op)
{
	struct thing *self = COM_IMPL(thing, IVdsMaintenance, iface);

	COM_TRACE(self, "op %d", (int)op);
	atomic_fetch_sub(&self->blinking, 1);
	return S_OK;
}

static HRESULT thing_PulseMaintenance(
	IVdsMaintenance *iface, VDS_MAINTENANCE_OPERATION op, ULONG count)
{
	(void)iface, (void)op, (void)count;
	return E_NOTIMPL;
}

static HRESULT thing_Initialize(IVdsServiceInitialization *iface, LPWSTR machine)
{
	struct thing *self = COM_IMPL(thing, IVdsServiceInitialization, iface);

	(void)machine;
	COM_TRACE(self);
	atomic_fetch_add(&self->initialised, 1);
	return S_OK;
}

static const IVdsMaintenanceVtbl thing_IVdsMaintenance_vtbl = {
	COM_UNKNOWN_METHODS(thing, IVdsMaintenance),
	.StartMaintenance = thing_StartMaintenance,
	.StopMaintenance = thing_StopMaintenance,
	.PulseMaintenance = thing_PulseMaintenance,
};

static const IVdsServiceInitializationVtbl thing_IVdsServiceInitialization_vtbl = {
	COM_UNKNOWN_METHODS(thing, IVdsServiceInitialization),
	.Initialize = thing_Initialize,
};

static void thing_destroy(struct com_object *com)
{
	assert_int_equal(atomic_load(&com->refs), 0);
	atomic_fetch_add(&thing_destroyed, 1);
}

static const struct com_iface thing_list[] = {
	COM_IFACE(thing, IUnknown),
	COM_IFACE(thing, IVdsMaintenance),
	COM_IFACE(thing, IVdsServiceInitialization),
};

/* Without the optional one. */
static const struct com_ifaces thing_plain = {thing_list, 2};

static const struct com_class thing_class = {
	"thing", sizeof(struct thing), COM_IFACES(thing_list), thing_destroy};

/* Something always uses all of it. */
static inline struct thing *thing_new(const GUID *id, bool plain)
{
	return plain ? com_object_new_with(&thing_class, &thing_plain, id)
		     : com_object_new(&thing_class, id);
}

/* Every test begins and ends without a living object and without an armed failure. */
static inline int thing_setup(void **state)
{
	(void)state;
	atomic_store(&thing_destroyed, 0);
	return com_live_objects(NULL) ? -1 : 0;
}

static inline int thing_teardown(void **state)
{
	(void)state;
	if (com_alloc_fail_armed())
		return -1;
	return com_dump_live() ? -1 : 0;
}

#define THING_TEST(name) cmocka_unit_test_setup_teardown(name, thing_setup, thing_teardown)

#endif
