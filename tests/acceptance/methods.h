/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every method of the array's documented interfaces, with the codes its page lists, and a way to
 * call it. The list of codes is copied from the specification, not from the implementation:
 * comparing the two is the point.
 */
#ifndef ACCEPTANCE_METHODS_H
#define ACCEPTANCE_METHODS_H

#include "fixture.h"

enum {
	L_INC = 0x001,
	L_CC = 0x002,
	L_OD = 0x004,
	L_SF = 0x008,
	L_AC = 0x010,
	L_NF = 0x020,
	L_NS = 0x040,
	L_INV = 0x080,
	L_NES = 0x100,
	L_NED = 0x200,
	L_PI = 0x400,
	L_FALSE = 0x800,   /* S_FALSE */
	L_TRUNC = 0x1000,  /* VDS_S_NAME_TRUNCATED */
	L_SHRINK = 0x2000, /* VDS_E_INVALID_SHRINK_SIZE */
	L_OUT = 0x10000,   /* has an output: NULL for it is E_INVALIDARG */
	L_COSA = L_CC | L_OD | L_SF | L_AC,
};

enum mode {
	M_GOOD,     /* arguments that the method takes */
	M_NULL_OUT, /* the same, but NULL for every output */
	M_RANDOM,   /* anything, also NULL, by the target's seed */
};

struct target {
	struct fx *fx;
	enum mode mode;
	uint32_t seed;
	unsigned bad_outputs;     /* outputs that a failure left behind */
	IVdsDrive *drive, *other; /* drive: a member of lun; other: free */
	IVdsLun *lun;             /* a mirror */
	IVdsLunPlex *plex;
	VDS_OBJECT_ID drive_id, other_id, lun_id, plex_id;
};

enum object { O_PROVIDER, O_SUB, O_CONTROLLER, O_PORT, O_DRIVE, O_LUN, O_PLEX };

struct method {
	const char *name;
	enum object object;
	unsigned codes;
	HRESULT (*call)(struct target *t);
};

extern const struct method methods[];
extern const unsigned method_count;

/* A mirror on two drives and a free drive. */
void target_make(struct target *t, struct fx *fx);
void target_drop(struct target *t);

/* Is this result one that the method's page, or the standard, allows? */
bool method_allows(const struct method *m, HRESULT hr);

#endif
