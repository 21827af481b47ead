/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IVdsAsync: one class for all long operations (hardware.md 12.1).
 *
 * An operation is made running, reports progress, and is finished exactly once; after that
 * nothing about it changes. The object is shared by client and operation: each holds references,
 * so a client that lets go cancels nothing, and an operation that ends leaves its result to
 * whoever still asks.
 *
 * Who runs the operation calls vdc_async_progress and vdc_async_finish, from any thread, and must
 * finish it in the order: apply the effect, send notifications, vdc_async_finish.
 */
#ifndef VDSCOM_ASYNC_H
#define VDSCOM_ASYNC_H

#include "com/com.h"

#include <vds.h>
#include <vdsx.h>

struct vdc_async;

/* What an operation adds. All are called without a lock, on the thread of the client. */
struct vdc_async_ops {
	/*
	 * Asks the operation to stop; must not wait for its end. S_OK: asked; it will soon be
	 * finished, with VDS_E_OPERATION_CANCELED if the request came in time.
	 * VDS_E_CANCEL_TOO_LATE: it can no longer stop. May itself call vdc_async_finish. Called at
	 * most once with success. NULL: the operation can never be cancelled.
	 */
	HRESULT (*cancel)(void *ctx);
	/* Fills IVdsxJob's structure, zeroed before. NULL: the object does not offer IVdsxJob. */
	HRESULT (*properties)(void *ctx, VDSX_JOB_PROP *prop);
	/* The object is gone: ctx is not used any more. May be NULL. */
	void (*release)(void *ctx);
};

/*
 * A running operation of the type, with one reference: the caller's. ops (constant) may be NULL.
 * S_OK or E_OUTOFMEMORY; then ctx is still the caller's and ops->release is not called.
 */
HRESULT vdc_async_new(VDS_ASYNC_OUTPUT_TYPE type, const struct vdc_async_ops *ops, void *ctx,
	struct vdc_async **out);

/*
 * One that has ended already, for work that took no time: every asynchronous method returns an
 * object. output as for vdc_async_finish.
 */
HRESULT vdc_async_new_finished(
	VDS_ASYNC_OUTPUT_TYPE type, HRESULT hr, const VDS_ASYNC_OUTPUT *output, IVdsAsync **out);

struct vdc_async *vdc_async_ref(struct vdc_async *async);
void vdc_async_unref(struct vdc_async *async); /* NULL is allowed */

/* The interface to hand out: with a new reference, and without one. */
IVdsAsync *vdc_async_get(struct vdc_async *async);
IVdsAsync *vdc_async_iface(struct vdc_async *async);

/* Percent done, 0 to 99. Lower values than before, and all after the end, are ignored. */
void vdc_async_progress(struct vdc_async *async, ULONG percent);

/*
 * Ends the operation: keeps result and output, then wakes everybody who waits. output is used on
 * success only and may be NULL; its type need not be set, and a pointer in it is given a new
 * reference by this call (the caller keeps its own). Percent becomes 100 on success and 0 for
 * VDS_E_OPERATION_CANCELED. Only the first call counts.
 */
void vdc_async_finish(struct vdc_async *async, HRESULT hr, const VDS_ASYNC_OUTPUT *output);

/* The result: VDS_E_OPERATION_PENDING while it runs. */
HRESULT vdc_async_result(struct vdc_async *async);

#endif
