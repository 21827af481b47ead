/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the acceptance tests stand on: a store in a folder of its own, opened through libvds like
 * any client does, with one subsystem that allows faults, and a sink that records notifications.
 *
 * Everything goes through public interfaces. Waiting is always for a condition, with a deadline.
 */
#ifndef ACCEPTANCE_FIXTURE_H
#define ACCEPTANCE_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
/* cmocka wants those first */
#include <cmocka.h>

#include <pthread.h>
#include <stdbool.h>
#include <vds.h>
#include <vdserr.h>
#include <vdshwprv.h>
#include <vdsx.h>

#define MIB (1024ull * 1024ull)

enum { FX_DRIVES_MAX = 16, FX_NOTES_MAX = 4096 };

struct fx_sink; /* an IVdsAdviseSink */

struct fx {
	char dir[200];
	IVdsService *service;
	IVdsProvider *provider;
	IVdsHwProvider *hw;
	IVdsxHwProvider *xhw;
	IVdsxFault *fault;
	IVdsSubSystem *sub;
	IVdsxSubSystem *xsub;
	IVdsController *controller;
	IVdsControllerPort *port;
	IVdsSubSystemNaming *marker; /* another subsystem, to make a notification with */
	VDS_OBJECT_ID provider_id, sub_id, controller_id, port_id;
	struct fx_sink *sink;
	DWORD cookie;
	unsigned marks;
};

/* ---- store ---- */

/* A new store with an empty subsystem; pulse interval 20 ms, no automatic recovery, no spare delay.
 */
struct fx *fx_new(void);
void fx_free(struct fx *fx); /* closes, removes the folder */
/* Lets everything go and closes the service; the folder stays. */
void fx_close(struct fx *fx);
/* Opens it again; the subsystem's pointers are new. */
void fx_open(struct fx *fx, ULONG flags);
void fx_reopen(struct fx *fx);

/* cmocka set-up and tear-down: *state is a struct fx. */
int fx_setup(void **state);
int fx_teardown(void **state);

/* ---- objects ---- */

IVdsDrive *fx_add_drive(struct fx *fx, ULONGLONG bytes);
/* count drives of mib MiB each. */
void fx_add_drives(struct fx *fx, IVdsDrive **out, unsigned count, unsigned mib);
/* Drives given: one member each. none: the array picks. Through CreateLun2, waits, checks. */
IVdsLun *fx_add_lun(
	struct fx *fx, VDS_LUN_TYPE type, ULONGLONG bytes, IVdsDrive **drives, unsigned count);
VDS_OBJECT_ID fx_drive_id(IVdsDrive *drive);
VDS_OBJECT_ID fx_lun_id(IVdsLun *lun);
VDS_DRIVE_PROP fx_drive_prop(IVdsDrive *drive); /* strings freed: don't use them */
VDS_LUN_PROP fx_lun_prop(IVdsLun *lun);
VDS_SUB_SYSTEM_PROP fx_sub_prop(IVdsSubSystem *sub);
IVdsDrive *fx_drive_by_id(struct fx *fx, VDS_OBJECT_ID id);
IVdsLun *fx_lun_by_id(struct fx *fx, VDS_OBJECT_ID id);
IVdsMaintenance *fx_maint(void *object); /* of any interface pointer; fails without */
/* The path of the drive's file; out of at least 1024 bytes. */
void fx_drive_path(IVdsDrive *drive, char *out, size_t size);

/* ---- data ---- */

/* Bytes that depend on seed and offset. */
void fx_pattern(void *buf, size_t size, unsigned seed, ULONGLONG offset);
void fx_fill(IVdsLun *lun, ULONGLONG offset, ULONGLONG bytes, unsigned seed);
void fx_verify(IVdsLun *lun, ULONGLONG offset, ULONGLONG bytes, unsigned seed);
/* The bytes of a member as its medium holds them; malloc'd. */
BYTE *fx_member_bytes(struct fx *fx, IVdsLun *lun, ULONG slot, size_t *size);

/* ---- faults ---- */

HRESULT fx_try_inject(
	struct fx *fx, VDSX_FAULT_KIND kind, VDS_OBJECT_ID id, ULONGLONG offset, ULONGLONG size);
void fx_inject(
	struct fx *fx, VDSX_FAULT_KIND kind, VDS_OBJECT_ID id, ULONGLONG offset, ULONGLONG size);
void fx_clear(struct fx *fx, VDSX_FAULT_KIND kind, VDS_OBJECT_ID id);
void fx_set(struct fx *fx, VDSX_SETTING setting, ULONGLONG value);
void fx_corrupt(struct fx *fx);
void fx_cure(struct fx *fx);
void fx_hold(struct fx *fx, const WCHAR *point);
void fx_resume(struct fx *fx, const WCHAR *point);
void fx_wait_held(struct fx *fx, const WCHAR *point);

/* ---- a call on another thread ---- */

struct fx_thread {
	pthread_t thread;
	HRESULT (*fn)(void *arg);
	void *arg;
	HRESULT hr;
};
void fx_spawn(struct fx_thread *t, HRESULT (*fn)(void *arg), void *arg);
HRESULT fx_join(struct fx_thread *t);

/* ---- waiting ---- */

uint64_t fx_now_ms(void);
void fx_pause(void); /* a moment, between two looks at a condition */
#define FX_UNTIL_MS(condition, ms)                                                                 \
	do {                                                                                       \
		uint64_t fx_end_ = fx_now_ms() + (ms);                                             \
		while (!(condition)) {                                                             \
			if (fx_now_ms() > fx_end_)                                                 \
				fail_msg("not in time: %s", #condition);                           \
			fx_pause();                                                                \
		}                                                                                  \
	} while (0)
#define FX_UNTIL(condition) FX_UNTIL_MS(condition, 20000)

/* Waits for the operation; its result. The object is released. Type checked unless 0. */
HRESULT fx_wait(IVdsAsync *async, VDS_ASYNC_OUTPUT_TYPE type);

/* ---- maintenance ---- */

VDSX_MAINTENANCE_STATE fx_maint_state(void *object, VDS_MAINTENANCE_OPERATION op);
VDSX_MAINTENANCE_MODE fx_maint_mode(void *object, VDS_MAINTENANCE_OPERATION op);
/* Completed pulses of op in the log since a moment. */
unsigned fx_pulses(void *object, VDS_MAINTENANCE_OPERATION op, ULONGLONG since);
ULONGLONG fx_wall_ms(void);

/* ---- notifications ---- */

struct fx_note {
	unsigned group; /* number of the OnNotify call */
	VDS_NOTIFICATION n;
};
/* Forgets what came; waits first until everything caused so far has come. */
void fx_notes_reset(struct fx *fx);
/* Waits until everything caused so far has come; returns how many there are. */
unsigned fx_notes(struct fx *fx, const struct fx_note **list);
/* How many of event about id (zero id: any) have come so far. */
unsigned fx_count_notes(struct fx *fx, ULONG event, VDS_OBJECT_ID id);
/* The group of the first such, -1: none. */
int fx_note_group(struct fx *fx, ULONG event, VDS_OBJECT_ID id);
ULONG fx_note_event(const VDS_NOTIFICATION *n);
VDS_OBJECT_ID fx_note_id(const VDS_NOTIFICATION *n);

/* ---- "nothing changed" ---- */

/* All property structures, members and maintenance states as text; malloc'd. */
char *fx_snapshot(struct fx *fx);
/* Compares with an earlier one, which is freed, and checks that no notification came since
 * fx_notes_reset. */
void fx_unchanged(struct fx *fx, char *before);

/* ---- codes ---- */

#define assert_hr(expression, expected)                                                            \
	do {                                                                                       \
		HRESULT hr_ = (expression);                                                        \
		HRESULT want_ = (expected);                                                        \
		if (hr_ != want_)                                                                  \
			fail_msg("%s gives %#x, not %#x", #expression, (unsigned)hr_,              \
				(unsigned)want_);                                                  \
	} while (0)
#define assert_ok(expression) assert_hr(expression, S_OK)

static inline bool fx_same(VDS_OBJECT_ID a, VDS_OBJECT_ID b)
{
	return IsEqualGUID(&a, &b);
}

/* A row of the acceptance table: its number, and what it says. */
#define ROW(number, text, fn)                                                                      \
	{                                                                                          \
		.name = #number " " text, .test_func = (fn), .setup_func = fx_setup,               \
		.teardown_func = fx_teardown, .initial_state = NULL                                \
	}

#endif
