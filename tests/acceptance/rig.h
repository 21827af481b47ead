/* SPDX-License-Identifier: Apache-2.0 */
/* A LUN on drives, with spares beside it: what the rows of Recover and SetStatus start from. */
#ifndef ACCEPTANCE_RIG_H
#define ACCEPTANCE_RIG_H

#include "fixture.h"

enum { RIG_MIB = 32 };

struct rig {
	struct fx *fx;
	IVdsLun *lun;
	VDS_OBJECT_ID lun_id;
	unsigned count, spares;
	IVdsDrive *drives[FX_DRIVES_MAX]; /* those of the LUN, then the spares */
	VDS_OBJECT_ID ids[FX_DRIVES_MAX];
};

/* A LUN of RIG_MIB MiB on `count` drives, and `spares` spares of the same size. Filled with
 * pattern 1. */
struct rig rig_make(void **state, VDS_LUN_TYPE type, unsigned count, unsigned spares);
void rig_drop(struct rig *r);

/* Recover, that must be accepted. */
IVdsAsync *rig_recover(struct rig *r);
VDS_HEALTH rig_health(struct rig *r);
VDS_LUN_STATUS rig_status(struct rig *r);
/* Waits for HEALTHY and compares the data with pattern 1. */
void rig_healthy(struct rig *r);
/* Breaks the n-th drive. */
void rig_fail(struct rig *r, unsigned n);
/* The recovery crawls; and runs at full speed again. */
void rig_slow(struct rig *r);
void rig_fast(struct rig *r);
ULONG rig_flags(struct rig *r, unsigned n);
/* Is the drive among the members of the LUN? */
bool rig_is_member(struct rig *r, unsigned n);

/* Reads and writes with checksums from another thread until stopped; any error fails. */
struct load {
	IVdsxLun *lun;
	ULONGLONG offset, bytes;
	_Atomic int stop;
	unsigned rounds;
	HRESULT hr;
	pthread_t thread;
};
void load_begin(struct load *l, IVdsLun *lun, ULONGLONG offset, ULONGLONG bytes);
void load_end(struct load *l);

#endif
