/* SPDX-License-Identifier: Apache-2.0 */
/* Controller and port: one each for a subsystem, states that the store remembers. */
#ifndef PROVIDER_HW_HWP_CONTROLLER_H
#define PROVIDER_HW_HWP_CONTROLLER_H

#include "provider/hw/hwp.h"

/* [worker, task] Keeps in the store that the administrator wants the object offline, or not. */
HRESULT hwp_wish_keep(struct hwp_call *call, const struct guid *id, bool offline);

/* [worker, task] Takes the controller of call->array offline (after a flush) or online, and tells.
 */
HRESULT hwp_controller_set_offline(struct hwp_call *call, bool offline);

/* Strings and states of the port of a subsystem. */
HRESULT hwp_port_props(struct prv_face *face, enum hwp_method method, VDS_PORT_PROP *out);

/* [worker] Pushes all LUNs of call->array to the hwp_idents in call->args. */
HRESULT hwp_luns_body(struct hwp_call *call);

/* Associations of a LUN, kept under these keys: 1 = not active. */
#define HWP_KEY_CONTROLLER_OFF "hw.controller_off"
#define HWP_KEY_PORT_OFF       "hw.port_off"
/* Whether the LUN is served by the one controller or port. (any thread but the worker) */
bool hwp_is_active(struct hwp *p, const struct guid *lun, const char *key);
/* QueryAssociatedLuns of either. */
HRESULT hwp_query_associated(
	struct prv_face *face, enum hwp_method method, const char *key, IEnumVdsObject **out);

#endif
