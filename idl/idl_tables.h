/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface definitions as data, for code that treats all interfaces, enums or result codes
 * alike: tracing, parameter checks, marshalling, text and JSON output. The tables are generated
 * from idl/ and constant; every function here may be called from any thread at any time.
 *
 * A single table is also a symbol: idl_enum_VDS_HEALTH, idl_struct_VDS_LUN_PROP,
 * idl_iface_IVdsLun (idl_decls.h, included below).
 */
#ifndef IDL_TABLES_H
#define IDL_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "vdsbase.h"

/* Enums */

struct idl_enum_member {
	const char *symbol; /* "VDS_H_FAILED_REDUNDANCY" */
	const char *word;   /* "failed_redundancy": without the enum's prefix, in lower case */
	ULONG value;
	bool bound;      /* names the end of a range (VDS_PT_MAX): never a legal value */
	const char *doc; /* or NULL */
};

struct idl_enum {
	const char *name;
	bool flags;   /* members are bits; values are any combination */
	ULONG bits;   /* of flags: all that have a name */
	bool v1_enum; /* 32 bits on the wire instead of 16 */
	const struct idl_enum_member *members;
	size_t count;
};

/* Result codes, notification events and identities */

struct idl_error {
	const char *symbol;
	HRESULT value;
	const char *meaning;
};

struct idl_const {
	const char *symbol;
	ULONG value;
};

struct idl_guid {
	const char *symbol; /* "IID_IVdsLun", "PARTITION_BASIC_DATA_GUID", "CLSID_VdsLoader" */
	const GUID *value;
	const char *doc; /* or NULL */
};

/* Types of members and parameters */

enum idl_kind {
	IDL_KIND_VOID,
	IDL_KIND_INT,
	IDL_KIND_BOOL, /* BOOL or BOOLEAN: see size */
	IDL_KIND_HRESULT,
	IDL_KIND_WCHAR,
	IDL_KIND_GUID,
	IDL_KIND_ENUM,
	IDL_KIND_STRING,  /* NUL-terminated, of WCHAR; pointers does not count its own pointer */
	IDL_KIND_CSTRING, /* the same of char */
	IDL_KIND_STRUCT,
	IDL_KIND_INTERFACE, /* the pointer to it counts */
};

struct idl_struct;
struct idl_interface;

struct idl_type {
	const char *name; /* as written: "VDS_LUN_TYPE", "LPWSTR" */
	enum idl_kind kind;
	uint8_t size;                       /* of one, in bytes; 0 for structures and void */
	bool is_signed;                     /* of IDL_KIND_INT */
	uint8_t pointers;                   /* levels of indirection around it, typedefs included */
	const struct idl_enum *enumeration; /* of IDL_KIND_ENUM */
	const struct idl_struct *structure; /* of IDL_KIND_STRUCT */
	const struct idl_interface *iface;  /* of IDL_KIND_INTERFACE */
};

/*
 * A structure as a flat list of leaves: nested unions and structures that have no type of their
 * own are dissolved. A leaf of a union exists only when the discriminant has one of its cases.
 */
struct idl_field {
	const char *name; /* dotted below a nested structure: "cp.volumeId" */
	struct idl_type type;
	uint16_t offset;
	uint16_t bound; /* elements of an array member, or 0 */
	int8_t count;   /* of a pointer with size_is: index of the leaf that counts its elements, or
			   -1 */
	int8_t selector; /* index of the leaf that is the discriminant, or -1 */
	uint8_t cases_count;
	const LONG *cases;
	const char *doc; /* or NULL */
};

struct idl_struct {
	const char *name;
	uint16_t size;
	uint16_t align;
	const struct idl_field *fields;
	size_t count;
};

/* Interfaces */

enum {
	IDL_IN = 0x1,
	IDL_OUT = 0x2,
};

struct idl_param {
	const char *name;
	struct idl_type type;
	uint8_t dir;   /* IDL_IN, IDL_OUT or both */
	bool required; /* a pointer that must not be NULL (a reference, in IDL's words); when count
			  is the index of an [in] parameter and that is 0, NULL does no harm */
	bool is_const;
	int8_t count;        /* index of the parameter that counts the elements, or -1 */
	uint8_t count_level; /* which star it sizes: 1 = *p is an array, 2 = **p is one */
	int8_t length;       /* index of the parameter that says how many are filled, or -1 */
	int8_t iid;          /* index of the parameter that names the interface of void **, or -1 */
};

struct idl_method {
	const char *name;
	const char *returns; /* "HRESULT", of IUnknown also "ULONG" */
	uint8_t slot;        /* in the function table; IUnknown has 0 to 2 */
	uint8_t count;
	const struct idl_param *params;
	const char *doc; /* or NULL */
};

struct idl_interface {
	const char *name;
	const IID *iid;
	const struct idl_interface *base; /* NULL for IUnknown */
	bool local;                       /* never remote */
	uint8_t slots;                    /* of the whole function table */
	uint8_t own;                      /* methods of its own: the last slots */
	const struct idl_method *methods; /* its own only */
	const char *doc;                  /* what it is for, one sentence, or NULL */
};

/* The tables themselves, in the order of the IDL files, and their lengths. */
extern const struct idl_enum *const idl_enums[];
extern const size_t idl_enums_count;
extern const struct idl_struct *const idl_structs[];
extern const size_t idl_structs_count;
extern const struct idl_interface *const idl_interfaces[];
extern const size_t idl_interfaces_count;
extern const struct idl_error idl_errors[];
extern const size_t idl_errors_count;
extern const struct idl_const idl_notifications[]; /* VDS_NF_... */
extern const size_t idl_notifications_count;
extern const struct idl_guid idl_guids[];
extern const size_t idl_guids_count;

#include "idl_decls.h"

/* All of these return NULL for what they do not know. */
const struct idl_enum *idl_enum_find(const char *name);
const struct idl_struct *idl_struct_find(const char *name);
const struct idl_interface *idl_interface_find(const char *name);
const struct idl_interface *idl_interface_by_iid(const IID *iid);
const struct idl_error *idl_error_find(const char *symbol);
const struct idl_error *idl_error_by_value(HRESULT hr);

/* "VDS_NF_DRIVE_ARRIVE" for 105. */
const char *idl_notification_symbol(ULONG event);

/* "PARTITION_BASIC_DATA_GUID", or NULL. */
const char *idl_guid_symbol(const GUID *guid);

/* The method in a slot of the function table, inherited ones included; NULL beyond the end. */
const struct idl_method *idl_method_at(const struct idl_interface *iface, unsigned slot);

/* The member with exactly this value; of several (VDSBusTypeMax equals VDSBusTypeVirtual) the
 * first that is not a bound. NULL if there is none but a bound, or none at all. */
const struct idl_enum_member *idl_enum_member(const struct idl_enum *e, ULONG value);

/* The member named by its symbol or, in any case, its word; NULL if there is none. */
const struct idl_enum_member *idl_enum_named(const struct idl_enum *e, const char *text);

/* Whether value is legal: a member that is not a bound or, of flags, only bits with names. */
bool idl_enum_valid(const struct idl_enum *e, ULONG value);

/* Its word, or NULL. For flags use idl_flags_next. */
const char *idl_enum_word(const struct idl_enum *e, ULONG value);

/*
 * Walks the flags set in *bits: returns the next named flag and takes its bits out of *bits; NULL
 * when no named one is left, and *bits then holds what has no name.
 */
const struct idl_enum_member *idl_flags_next(const struct idl_enum *e, ULONG *bits);

/* "VDS_E_NOT_SUPPORTED (0x80042400): object or provider does not implement the request", cut to
 * cap bytes with the NUL; a code without a name as "0x80070057". Returns buf. */
const char *idl_error_format(HRESULT hr, char *buf, size_t cap);

#endif
