/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hints and types between VDS and the engine. Pure functions.
 *
 * Hints are wishes (hardware.md 12.5): a BOOL counts only when its bit is in the mask, a number
 * only when it is not 0, and what the array does not have is ignored. QueryHints tells what is in
 * force.
 */
#ifndef PROVIDER_HW_HWP_HINTS_H
#define PROVIDER_HW_HWP_HINTS_H

#include "engine/engine.h"

#include <vdshwprv.h>

/* Stripe sizes offered: 4 KiB to 1 MiB. */
#define HWP_STRIPE_MIN 4096u
#define HWP_STRIPE_MAX (1024u * 1024u)
#define HWP_STRIPE_SIZE_FLAGS                                                                      \
	(HWP_STRIPE_MAX * 2 - HWP_STRIPE_MIN) /* bit n stands for 2^n bytes                        \
					       */

/* The hints this array knows. */
#define HWP_HINTS_KNOWN                                                                            \
	(VDS_HINT_FASTCRASHRECOVERYREQUIRED | VDS_HINT_READBACKVERIFYENABLED |                     \
		VDS_HINT_WRITETHROUGHCACHINGENABLED)
#define HWP_HINTS2_KNOWN (HWP_HINTS_KNOWN | VDS_HINT_ALLOCATEHOTSPARE)

struct hwp_wishes {
	bool mostly_reads;
	bool yankable;
	uint32_t chunk;       /* 0 = no wish */
	unsigned max_drives;  /* 0 = no wish */
	int rebuild_priority; /* 0..15, -1 = no wish */
	unsigned policy;      /* ENG_POLICY_… */
	unsigned policy_mask; /* those with a wish */
};

/* NULL hints are no wishes at all. */
void hwp_hints_read(const VDS_HINTS2 *hints, struct hwp_wishes *out);
/* The part that both versions have. */
void hwp_hints_widen(const VDS_HINTS *hints, VDS_HINTS2 *out);
void hwp_hints_narrow(const VDS_HINTS2 *hints, VDS_HINTS *out);
/* What is in force on a LUN. */
void hwp_hints_write(const struct eng_lun_info *lun, VDS_HINTS2 *out);

/* The nearest stripe size offered; 0 stays 0. */
uint32_t hwp_stripe_nearest(uint32_t bytes);

/* In the enumeration and not UNKNOWN. */
bool hwp_type_known(VDS_LUN_TYPE type);
/* DEFAULT, FAULT_TOLERANT, NON_FAULT_TOLERANT. */
bool hwp_type_automagic(VDS_LUN_TYPE type);
/* Usable through CreateLun, not only through CreateLun2. */
bool hwp_type_plain(VDS_LUN_TYPE type);
/* False: the array does not build it. */
bool hwp_type_to_engine(VDS_LUN_TYPE type, enum eng_lun_type *out);
VDS_LUN_TYPE hwp_type_from_engine(enum eng_lun_type type);
VDS_LUN_PLEX_TYPE hwp_plex_type_from_engine(enum eng_lun_type type);
bool hwp_type_redundant(enum eng_lun_type type);
VDS_HEALTH hwp_lun_health(enum eng_lun_health health);
VDS_TRANSITION_STATE hwp_transition(enum eng_transition transition);
VDS_LUN_STATUS hwp_lun_status(const struct eng_lun_info *lun);
ULONG hwp_lun_flags(const struct eng_lun_info *lun);

#endif
