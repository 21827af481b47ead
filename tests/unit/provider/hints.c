/* SPDX-License-Identifier: Apache-2.0 */
/* Hints, types and states between VDS and the engine. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "provider/hw/hwp_hints.h"

#include <string.h>

static void stripes(void **state)
{
	(void)state;
	assert_int_equal(hwp_stripe_nearest(0), 0);
	assert_int_equal(hwp_stripe_nearest(1), 4096);
	assert_int_equal(hwp_stripe_nearest(4096), 4096);
	assert_int_equal(hwp_stripe_nearest(5000), 4096);
	assert_int_equal(hwp_stripe_nearest(7000), 8192);
	assert_int_equal(hwp_stripe_nearest(65536), 65536);
	assert_int_equal(hwp_stripe_nearest(100000), 131072);
	assert_int_equal(hwp_stripe_nearest(1 << 20), 1 << 20);
	assert_int_equal(hwp_stripe_nearest(0xffffffff), 1 << 20);
	for (uint32_t size = 4096; size <= 1 << 20; size *= 2)
		assert_true(HWP_STRIPE_SIZE_FLAGS & size);
	assert_false(HWP_STRIPE_SIZE_FLAGS & (2048 | 1 << 21));
}

static void wishes(void **state)
{
	VDS_HINTS2 h = {0};
	struct hwp_wishes w;

	(void)state;
	hwp_hints_read(NULL, &w);
	assert_int_equal(w.rebuild_priority, -1);
	assert_int_equal(w.policy_mask, 0);
	h.bMostlyReads = TRUE; /* not in the mask: no wish */
	h.bWriteThroughCachingEnabled = TRUE;
	h.ulMaximumDriveCount = 5;
	hwp_hints_read(&h, &w);
	assert_false(w.mostly_reads);
	assert_int_equal(w.policy_mask, 0);
	assert_int_equal(w.max_drives, 5);
	h.ullHintMask = VDS_HINT_MOSTLYREADS | VDS_HINT_WRITETHROUGHCACHINGENABLED |
			VDS_HINT_READBACKVERIFYENABLED;
	hwp_hints_read(&h, &w);
	assert_true(w.mostly_reads);
	assert_int_equal(w.policy, ENG_POLICY_WRITE_THROUGH);
	assert_int_equal(w.policy_mask, ENG_POLICY_WRITE_THROUGH | ENG_POLICY_READ_BACK);
	h.ullHintMask = VDS_HINT_OPTIMIZEFORSEQUENTIALWRITES;
	h.bOptimizeForSequentialWrites = TRUE;
	hwp_hints_read(&h, &w);
	assert_int_equal(w.chunk, 256 * 1024);
	h.ulStripeSize = 32768; /* the exact wish ranks above */
	hwp_hints_read(&h, &w);
	assert_int_equal(w.chunk, 32768);
}

static void priorities(void **state)
{
	static const SHORT in[] = {-5, 0, 1, 15, 16, 100};
	static const int out[] = {-1, -1, 1, 15, 15, 15};

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		VDS_HINTS2 h = {.sRebuildPriority = in[i]};
		struct hwp_wishes w;
		hwp_hints_read(&h, &w);
		assert_int_equal(w.rebuild_priority, out[i]);
	}
}

static void what_is_in_force(void **state)
{
	struct eng_lun_info lun = {
		.type = ENG_LUN_RAID5,
		.members = 4,
		.chunk = 65536,
		.rebuild_priority = 3,
		.policy = ENG_POLICY_READ_BACK | ENG_POLICY_DEDICATED_SPARE,
	};
	VDS_HINTS2 h;
	VDS_HINTS narrow;
	struct hwp_wishes w;

	(void)state;
	hwp_hints_write(&lun, &h);
	assert_int_equal(h.ulStripeSize, 65536);
	assert_int_equal(h.sRebuildPriority, 3);
	assert_true(
		h.bReadBackVerifyEnabled && h.bAllocateHotSpare && !h.bWriteThroughCachingEnabled);
	assert_int_equal(h.ullHintMask, HWP_HINTS2_KNOWN);
	/* applying what was queried changes nothing */
	hwp_hints_read(&h, &w);
	assert_int_equal((lun.policy & ~w.policy_mask) | w.policy, lun.policy);
	assert_int_equal(w.rebuild_priority, 3);
	hwp_hints_narrow(&h, &narrow);
	assert_int_equal(narrow.ullHintMask, HWP_HINTS_KNOWN);
	hwp_hints_widen(&narrow, &h);
	assert_true(h.bReadBackVerifyEnabled);
	assert_int_equal(h.ulMaximumDriveCount, 4);
}

static void types(void **state)
{
	enum eng_lun_type engine;
	unsigned built = 0;

	(void)state;
	assert_false(hwp_type_known(VDS_LT_UNKNOWN));
	assert_false(hwp_type_known((VDS_LUN_TYPE)4));
	assert_false(hwp_type_known((VDS_LUN_TYPE)31));
	for (int type = VDS_LT_SIMPLE; type <= VDS_LT_RAID61; type++) {
		assert_true(hwp_type_known((VDS_LUN_TYPE)type));
		if (!hwp_type_to_engine((VDS_LUN_TYPE)type, &engine))
			continue;
		built++;
		assert_int_equal(hwp_type_from_engine(engine), type);
	}
	assert_int_equal(built, 10);
	assert_true(hwp_type_plain(VDS_LT_PARITY) && !hwp_type_plain(VDS_LT_RAID5));
	assert_true(hwp_type_automagic(VDS_LT_DEFAULT) && !hwp_type_automagic(VDS_LT_SIMPLE));
	assert_int_equal(hwp_plex_type_from_engine(ENG_LUN_MIRROR), VDS_LPT_SIMPLE);
	assert_int_equal(hwp_plex_type_from_engine(ENG_LUN_RAID10), VDS_LPT_RAID10);
	assert_false(hwp_type_redundant(ENG_LUN_STRIPE));
	assert_true(hwp_type_redundant(ENG_LUN_RAID60));
}

/* FAILED comes before withdrawn, withdrawn before all others. */
static void lun_states(void **state)
{
	struct eng_lun_info lun = {.health = ENG_LUN_HEALTHY};

	(void)state;
	assert_int_equal(hwp_lun_status(&lun), VDS_LS_ONLINE);
	lun.health = ENG_LUN_FAILED_REDUNDANCY;
	assert_int_equal(hwp_lun_status(&lun), VDS_LS_ONLINE);
	lun.offline = true;
	assert_int_equal(hwp_lun_status(&lun), VDS_LS_OFFLINE);
	lun.health = ENG_LUN_FAILED;
	assert_int_equal(hwp_lun_status(&lun), VDS_LS_FAILED);
	assert_int_equal(hwp_lun_health(ENG_LUN_FAILED), VDS_H_FAILED);
	lun.policy = ENG_POLICY_READ_BACK | ENG_POLICY_WRITE_THROUGH;
	assert_int_equal(hwp_lun_flags(&lun),
		VDS_LF_READ_BACK_VERIFY_ENABLED | VDS_LF_WRITE_THROUGH_CACHING_ENABLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stripes),
		cmocka_unit_test(wishes),
		cmocka_unit_test(priorities),
		cmocka_unit_test(what_is_in_force),
		cmocka_unit_test(types),
		cmocka_unit_test(lun_states),
	};

	return cmocka_run_group_tests_name("hwp_hints", tests, NULL, NULL);
}
