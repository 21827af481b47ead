/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/hw/hwp_hints.h"

#include <string.h>

enum { SEQUENTIAL_STRIPE = 256 * 1024 };

uint32_t hwp_stripe_nearest(uint32_t bytes)
{
	uint32_t size = HWP_STRIPE_MIN;

	if (!bytes)
		return 0;
	/* The next one up is as near when the wish lies at or above the middle between both. */
	while (size < HWP_STRIPE_MAX && (uint64_t)bytes * 2 >= (uint64_t)size * 3)
		size *= 2;
	return size;
}

static void policy(
	struct hwp_wishes *out, const VDS_HINTS2 *h, ULONGLONG bit, BOOL wanted, unsigned flag)
{
	if (!(h->ullHintMask & bit))
		return;
	out->policy_mask |= flag;
	if (wanted)
		out->policy |= flag;
}

void hwp_hints_read(const VDS_HINTS2 *h, struct hwp_wishes *out)
{
	*out = (struct hwp_wishes){.rebuild_priority = -1};
	if (!h)
		return;
	out->mostly_reads = (h->ullHintMask & VDS_HINT_MOSTLYREADS) && h->bMostlyReads;
	out->yankable = (h->ullHintMask & VDS_HINT_ISYANKABLE) && h->bIsYankable;
	if (((h->ullHintMask & VDS_HINT_OPTIMIZEFORSEQUENTIALREADS) &&
		    h->bOptimizeForSequentialReads) ||
		((h->ullHintMask & VDS_HINT_OPTIMIZEFORSEQUENTIALWRITES) &&
			h->bOptimizeForSequentialWrites))
		out->chunk = SEQUENTIAL_STRIPE;
	if (h->ulStripeSize)
		out->chunk = hwp_stripe_nearest(h->ulStripeSize);
	out->max_drives = h->ulMaximumDriveCount;
	if (h->sRebuildPriority > 0)
		out->rebuild_priority = h->sRebuildPriority > 15 ? 15 : h->sRebuildPriority;
	policy(out, h, VDS_HINT_WRITETHROUGHCACHINGENABLED, h->bWriteThroughCachingEnabled,
		ENG_POLICY_WRITE_THROUGH);
	policy(out, h, VDS_HINT_READBACKVERIFYENABLED, h->bReadBackVerifyEnabled,
		ENG_POLICY_READ_BACK);
	policy(out, h, VDS_HINT_ALLOCATEHOTSPARE, h->bAllocateHotSpare, ENG_POLICY_DEDICATED_SPARE);
}

void hwp_hints_widen(const VDS_HINTS *h, VDS_HINTS2 *out)
{
	memset(out, 0, sizeof(*out));
	out->ullHintMask = h->ullHintMask & 0x1ff; /* the bits that VDS_HINTS has a member for */
	out->ullExpectedMaximumSize = h->ullExpectedMaximumSize;
	out->ulOptimalReadSize = h->ulOptimalReadSize;
	out->ulOptimalReadAlignment = h->ulOptimalReadAlignment;
	out->ulOptimalWriteSize = h->ulOptimalWriteSize;
	out->ulOptimalWriteAlignment = h->ulOptimalWriteAlignment;
	out->ulMaximumDriveCount = h->ulMaximumDriveCount;
	out->ulStripeSize = h->ulStripeSize;
	out->bFastCrashRecoveryRequired = h->bFastCrashRecoveryRequired;
	out->bMostlyReads = h->bMostlyReads;
	out->bOptimizeForSequentialReads = h->bOptimizeForSequentialReads;
	out->bOptimizeForSequentialWrites = h->bOptimizeForSequentialWrites;
	out->bRemapEnabled = h->bRemapEnabled;
	out->bReadBackVerifyEnabled = h->bReadBackVerifyEnabled;
	out->bWriteThroughCachingEnabled = h->bWriteThroughCachingEnabled;
	out->bHardwareChecksumEnabled = h->bHardwareChecksumEnabled;
	out->bIsYankable = h->bIsYankable;
	out->sRebuildPriority = h->sRebuildPriority;
}

void hwp_hints_narrow(const VDS_HINTS2 *h, VDS_HINTS *out)
{
	memset(out, 0, sizeof(*out));
	out->ullHintMask = h->ullHintMask & 0x1ff;
	out->ulMaximumDriveCount = h->ulMaximumDriveCount;
	out->ulStripeSize = h->ulStripeSize;
	out->bFastCrashRecoveryRequired = h->bFastCrashRecoveryRequired;
	out->bReadBackVerifyEnabled = h->bReadBackVerifyEnabled;
	out->bWriteThroughCachingEnabled = h->bWriteThroughCachingEnabled;
	out->sRebuildPriority = h->sRebuildPriority;
}

void hwp_hints_write(const struct eng_lun_info *lun, VDS_HINTS2 *out)
{
	memset(out, 0, sizeof(*out));
	out->ullHintMask = HWP_HINTS2_KNOWN;
	out->ulMaximumDriveCount = lun->members;
	out->ulStripeSize = lun->chunk;
	out->bFastCrashRecoveryRequired = hwp_type_redundant(lun->type); /* the region bitmap */
	out->bReadBackVerifyEnabled = (lun->policy & ENG_POLICY_READ_BACK) != 0;
	out->bWriteThroughCachingEnabled = (lun->policy & ENG_POLICY_WRITE_THROUGH) != 0;
	out->bAllocateHotSpare = (lun->policy & ENG_POLICY_DEDICATED_SPARE) != 0;
	out->sRebuildPriority = (SHORT)lun->rebuild_priority;
}

/* ---- types --------------------------------------------------------------------------------- */

bool hwp_type_known(VDS_LUN_TYPE type)
{
	return hwp_type_automagic(type) || (type >= VDS_LT_SIMPLE && type <= VDS_LT_RAID61);
}

bool hwp_type_automagic(VDS_LUN_TYPE type)
{
	return type == VDS_LT_DEFAULT || type == VDS_LT_FAULT_TOLERANT ||
	       type == VDS_LT_NON_FAULT_TOLERANT;
}

bool hwp_type_plain(VDS_LUN_TYPE type)
{
	return hwp_type_automagic(type) || (type >= VDS_LT_SIMPLE && type <= VDS_LT_PARITY);
}

struct type_row {
	enum eng_lun_type engine;
	VDS_LUN_TYPE lun;
	VDS_LUN_PLEX_TYPE plex;
	bool redundant;
};

static const struct type_row types[] = {
	{ENG_LUN_SIMPLE, VDS_LT_SIMPLE, VDS_LPT_SIMPLE, false},
	{ENG_LUN_SPAN, VDS_LT_SPAN, VDS_LPT_SPAN, false},
	{ENG_LUN_STRIPE, VDS_LT_STRIPE, VDS_LPT_STRIPE, false},
	{ENG_LUN_MIRROR, VDS_LT_MIRROR, VDS_LPT_SIMPLE, true}, /* mirroring is between plexes */
	{ENG_LUN_PARITY, VDS_LT_PARITY, VDS_LPT_PARITY, true},
	{ENG_LUN_RAID5, VDS_LT_RAID5, VDS_LPT_RAID5, true},
	{ENG_LUN_RAID6, VDS_LT_RAID6, VDS_LPT_RAID6, true},
	{ENG_LUN_RAID10, VDS_LT_RAID10, VDS_LPT_RAID10, true},
	{ENG_LUN_RAID50, VDS_LT_RAID50, VDS_LPT_RAID50, true},
	{ENG_LUN_RAID60, VDS_LT_RAID60, VDS_LPT_RAID60, true},
};

static const struct type_row *row_of(enum eng_lun_type type)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].engine == type)
			return &types[i];
	return &types[0];
}

bool hwp_type_to_engine(VDS_LUN_TYPE type, enum eng_lun_type *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].lun == type) {
			*out = types[i].engine;
			return true;
		}
	return false;
}

VDS_LUN_TYPE hwp_type_from_engine(enum eng_lun_type type)
{
	return row_of(type)->lun;
}

VDS_LUN_PLEX_TYPE hwp_plex_type_from_engine(enum eng_lun_type type)
{
	return row_of(type)->plex;
}

bool hwp_type_redundant(enum eng_lun_type type)
{
	return row_of(type)->redundant;
}

VDS_HEALTH hwp_lun_health(enum eng_lun_health health)
{
	switch (health) {
	case ENG_LUN_HEALTHY:
		return VDS_H_HEALTHY;
	case ENG_LUN_REBUILDING:
		return VDS_H_REBUILDING;
	case ENG_LUN_FAILING:
		return VDS_H_FAILING;
	case ENG_LUN_FAILING_REDUNDANCY:
		return VDS_H_FAILING_REDUNDANCY;
	case ENG_LUN_FAILED_REDUNDANCY:
		return VDS_H_FAILED_REDUNDANCY;
	case ENG_LUN_FAILED_REDUNDANCY_FAILING:
		return VDS_H_FAILED_REDUNDANCY_FAILING;
	case ENG_LUN_FAILED:
		return VDS_H_FAILED;
	}
	return VDS_H_UNKNOWN;
}

VDS_TRANSITION_STATE hwp_transition(enum eng_transition transition)
{
	switch (transition) {
	case ENG_TRANSITION_STABLE:
		return VDS_TS_STABLE;
	case ENG_TRANSITION_EXTENDING:
		return VDS_TS_EXTENDING;
	case ENG_TRANSITION_SHRINKING:
		return VDS_TS_SHRINKING;
	case ENG_TRANSITION_RECONFIGING:
		return VDS_TS_RECONFIGING;
	case ENG_TRANSITION_RESTRIPING:
		return VDS_TS_RESTRIPING;
	}
	return VDS_TS_UNKNOWN;
}

/* Withdrawn comes before all but FAILED (hardware.md 7.3). */
VDS_LUN_STATUS hwp_lun_status(const struct eng_lun_info *lun)
{
	if (lun->health == ENG_LUN_FAILED)
		return VDS_LS_FAILED;
	return lun->offline ? VDS_LS_OFFLINE : VDS_LS_ONLINE;
}

ULONG hwp_lun_flags(const struct eng_lun_info *lun)
{
	ULONG flags = 0;

	if (lun->policy & ENG_POLICY_READ_BACK)
		flags |= VDS_LF_READ_BACK_VERIFY_ENABLED;
	if (lun->policy & ENG_POLICY_WRITE_THROUGH)
		flags |= VDS_LF_WRITE_THROUGH_CACHING_ENABLED;
	return flags;
}
