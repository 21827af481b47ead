/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notifications from where state changes to everybody who registered (hardware.md 12.8,
 * software.md 1.5).
 *
 * The producer (an array's worker) posts groups: what belongs to one cause. Posting never waits: it
 * appends to the queue of each sink. Every sink has a thread of its own that delivers, in order,
 * up to 100 notifications for each OnNotify; a group of at most 100 is not divided. So a slow or
 * dead sink holds up nobody. A sink whose queue is full loses what is in it and is told
 * VDS_NTT_SERVICE / VDS_NF_SERVICE_OUT_OF_SYNC / VDS_RA_REFRESH instead.
 *
 * No lock is held while a sink is called, so a sink may call anything, also vdc_events_post and
 * vdc_events_unadvise for itself. The array given to OnNotify is task memory that the sink frees.
 */
#ifndef VDSCOM_EVENTS_H
#define VDSCOM_EVENTS_H

#include "com/com.h"

#include <vds.h>

#define VDC_EVENTS_MAX 100 /* notifications in one call */

struct vdc_events;

/* limit: notifications that may wait for one sink, 0 = 10000. NULL when memory is short. */
struct vdc_events *vdc_events_new(size_t limit);

/*
 * Unadvises everybody; what has not been delivered is dropped. Waits for calls in progress, but
 * not longer than two seconds: a sink that hangs is left to itself. NULL is allowed.
 */
void vdc_events_free(struct vdc_events *events);

/* Takes a reference to the sink and gives a cookie, never 0. S_OK, E_INVALIDARG without sink or
 * cookie, E_OUTOFMEMORY. The same sink twice is two registrations. */
HRESULT vdc_events_advise(struct vdc_events *events, IVdsAdviseSink *sink, DWORD *cookie);

/*
 * Ends a registration and releases the sink; what waits for it is dropped. No call of it begins
 * after this returns: one in progress is waited for (two seconds at most), unless it is the one
 * this is called from. S_OK or VDS_E_BAD_COOKIE.
 */
HRESULT vdc_events_unadvise(struct vdc_events *events, DWORD cookie);

/*
 * Queues a group for all registered sinks: departures first, then arrivals, then the rest,
 * otherwise in the order given; an equal notification in the same group is sent once. list is
 * copied. Never waits and never fails: when memory is short the sinks are told that they are out of
 * sync.
 */
void vdc_events_post(struct vdc_events *events, const VDS_NOTIFICATION *list, size_t count);

/* Tells all sinks that they are out of sync (VDS_RA_REFRESH or VDS_RA_RESTART), in order. */
void vdc_events_out_of_sync(struct vdc_events *events, VDS_RECOVER_ACTION action);

/* Waits until everything posted before has been delivered or dropped. Not from within a sink. */
void vdc_events_flush(struct vdc_events *events);

/* A notification about a hardware object: type VDS_NTT_SUB_SYSTEM … VDS_NTT_PORTAL_GROUP, or a pack
 * or disk. */
VDS_NOTIFICATION vdc_notification(VDS_NOTIFICATION_TARGET_TYPE type, ULONG event, const GUID *id);

#endif
