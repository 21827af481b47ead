/* SPDX-License-Identifier: Apache-2.0 */
/* Notifications out of the provider, and what the store has to know of them. */
#ifndef PROVIDER_HW_HWP_EVENT_H
#define PROVIDER_HW_HWP_EVENT_H

#include "provider/hw/hwp.h"

/* The queue to the service's sink. -ENOMEM. */
int hwp_events_start(struct hwp *p, IVdsAdviseSink *sink, struct err *err);
/* Delivers what waits, then lets the sink go. */
void hwp_events_stop(struct hwp *p);

/* [worker, task] After an array was opened: numbers for its objects, its drives' bays. */
void hwp_events_settle(struct hwp_array *a);

#endif
