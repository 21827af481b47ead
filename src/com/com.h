/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The object model of COM in plain C, without anything of VDS.
 *
 * A class is a structure whose first member is `struct com_object com`, followed by one member
 * `I…_iface` for each interface, IUnknown first: it is the object's identity. The class writes
 *
 *	struct hwp_drive {
 *		struct com_object com;
 *		IUnknown IUnknown_iface;
 *		IVdsDrive IVdsDrive_iface;
 *		…
 *	};
 *	COM_IDENTITY(hwp_drive)
 *	COM_UNKNOWN(hwp_drive, IVdsDrive)
 *	static HRESULT hwp_drive_GetProperties(IVdsDrive *iface, VDS_DRIVE_PROP *prop) { … }
 *	static const IVdsDriveVtbl hwp_drive_IVdsDrive_vtbl = {
 *		COM_UNKNOWN_METHODS(hwp_drive, IVdsDrive),
 *		.GetProperties = hwp_drive_GetProperties,
 *	};
 *	static const struct com_iface hwp_drive_ifaces[] = {
 *		COM_IFACE(hwp_drive, IUnknown),
 *		COM_IFACE(hwp_drive, IVdsDrive),
 *	};
 *	static const struct com_class hwp_drive_class = {"hwp_drive",
 *		sizeof(struct hwp_drive), COM_IFACES(hwp_drive_ifaces), hwp_drive_destroy};
 *
 * and everything else is done here, once. There is no aggregation, no tear-off, no inheritance.
 */
#ifndef COM_COM_H
#define COM_COM_H

#include "base/cleanup.h"
#include "base/guid.h"
#include "base/list.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <vdsbase.h>

struct com_object;
struct com_registry;

/* ---- classes ------------------------------------------------------------------------------ */

/* One interface of a class: its identity, where in the structure it lies, its functions. */
struct com_iface {
	const IID *iid;
	size_t offset;
	const void *vtbl;
};

/* What an object answers QueryInterface for. Constant; IUnknown must be in it. */
struct com_ifaces {
	const struct com_iface *list;
	size_t count;
};

struct com_class {
	const char *name; /* of the structure, for traces */
	size_t size;      /* of the structure */
	struct com_ifaces ifaces;
	/* Lets go what the object holds; its memory is freed afterwards. Runs without any lock, on
	 * the thread of the last Release; may release other objects, also the registry's owner.
	 * NULL: nothing to let go. */
	void (*destroy)(struct com_object *com);
};

struct com_object {
	const struct com_class *cls;
	const struct com_ifaces *ifaces;
	atomic_uint refs;
	GUID id;                       /* of what the object stands for; constant */
	struct com_registry *registry; /* NULL = none; set once, before the object is shared */
	struct com_object *next;       /* in its bucket of the registry; guarded by its lock */
	/* Bookkeeping of com_dump_live, guarded by the lock of the list of living objects. */
	struct list live;
	const char *file;
	int line;
	struct com_history *history;
};

/* The object behind an interface pointer of the class. */
#define COM_IMPL(class, IFace, iface) container_of(iface, struct class, IFace##_iface)

/* An interface pointer of an object, without a reference. */
#define COM_AS(self, IFace) (&(self)->IFace##_iface)

/*
 * The three methods of IUnknown for one interface of a class, each with its true type: function
 * pointers are never cast between interfaces.
 */
#define COM_UNKNOWN(class, IFace)                                                                  \
	static HRESULT STDMETHODCALLTYPE class##_##IFace##_QueryInterface(                         \
		IFace *iface, REFIID riid, void **out)                                             \
	{                                                                                          \
		return com_query_by(&COM_IMPL(class, IFace, iface)->com, riid, out,                \
			__builtin_return_address(0));                                              \
	}                                                                                          \
	static ULONG STDMETHODCALLTYPE class##_##IFace##_AddRef(IFace *iface)                      \
	{                                                                                          \
		return com_addref_by(                                                              \
			&COM_IMPL(class, IFace, iface)->com, __builtin_return_address(0));         \
	}                                                                                          \
	static ULONG STDMETHODCALLTYPE class##_##IFace##_Release(IFace *iface)                     \
	{                                                                                          \
		return com_release_by(                                                             \
			&COM_IMPL(class, IFace, iface)->com, __builtin_return_address(0));         \
	}

/* The beginning of a function table. */
#define COM_UNKNOWN_METHODS(class, IFace)                                                          \
	.QueryInterface = class##_##IFace##_QueryInterface, .AddRef = class##_##IFace##_AddRef,    \
	.Release = class##_##IFace##_Release

/* Methods and function table of the class's IUnknown. */
#define COM_IDENTITY(class)                                                                        \
	_Static_assert(offsetof(struct class, com) == 0, "com comes first");                       \
	COM_UNKNOWN(class, IUnknown)                                                               \
	static const IUnknownVtbl class##_IUnknown_vtbl = {COM_UNKNOWN_METHODS(class, IUnknown)};

/* A row of the interface table; the function table is called <class>_<IFace>_vtbl. */
#define COM_IFACE(class, IFace)                                                                    \
	{                                                                                          \
		&IID_##IFace, offsetof(struct class, IFace##_iface), &class##_##IFace##_vtbl       \
	}

#define COM_IFACES(array)                                                                          \
	{                                                                                          \
		(array), ARRAY_SIZE(array)                                                         \
	}

/* ---- objects ------------------------------------------------------------------------------ */

/*
 * A new object of the class, zeroed, with one reference (the caller's), its function tables set;
 * NULL when memory is short. id may be NULL (zero). The result is the class's structure.
 * com_object_new_with gives it another table of interfaces than its class's (capabilities are
 * decided at creation, never by the call); tables must be constant.
 */
#define com_object_new(cls, id) com_object_make((cls), NULL, (id), __FILE__, __LINE__)
#define com_object_new_with(cls, ifaces, id)                                                       \
	com_object_make((cls), (ifaces), (id), __FILE__, __LINE__)
void *com_object_make(const struct com_class *cls, const struct com_ifaces *ifaces, const GUID *id,
	const char *file, int line);

/*
 * QueryInterface of every object. E_POINTER without out; else *out is NULL first; S_OK with one
 * more reference in *out, or E_NOINTERFACE. IUnknown is always the same pointer.
 */
HRESULT com_query(struct com_object *com, REFIID riid, void **out);

/* One more reference for somebody who has one; returns the new count (for traces only). */
ULONG com_addref(struct com_object *com);

/* One more reference unless the last is already gone: for holders of weak pointers. */
bool com_addref_unless_zero(struct com_object *com);

/* One reference less; the last one takes the object out of its registry and destroys it. */
ULONG com_release(struct com_object *com);

/* The same with the address that the books of references name (com_track_refs). */
HRESULT com_query_by(struct com_object *com, REFIID riid, void **out, const void *caller);
ULONG com_addref_by(struct com_object *com, const void *caller);
ULONG com_release_by(struct com_object *com, const void *caller);

/* The identity pointer, without a reference. */
IUnknown *com_identity(struct com_object *com);

/* Any interface pointer in C: AddRef and Release that take NULL. */
#define COM_ADDREF(p)                                                                              \
	do {                                                                                       \
		if (p)                                                                             \
			(p)->lpVtbl->AddRef(p);                                                    \
	} while (0)
#define COM_RELEASE(p)                                                                             \
	do {                                                                                       \
		if (p)                                                                             \
			(p)->lpVtbl->Release(p);                                                   \
	} while (0)

/* Takes the reference out of a variable, so that it is given away or released exactly once. */
#define COM_RELEASE_CLEAR(p)                                                                       \
	do {                                                                                       \
		__typeof__(p) com_old_ = (p);                                                      \
		(p) = NULL;                                                                        \
		COM_RELEASE(com_old_);                                                             \
	} while (0)

/* ---- registry: one living object for each id ---------------------------------------------- */

/*
 * A weak map from id to object: it holds no references, so an object goes when its last user
 * lets go, and is made anew when asked for again. The registry must outlive its objects; an object
 * usually holds a reference to whatever owns its registry.
 */
struct com_registry *com_registry_new(void); /* NULL: memory */

void com_registry_free(struct com_registry *registry); /* must be empty; NULL is allowed */

/* The living object of that id with a new reference, or NULL. */
struct com_object *com_registry_find(struct com_registry *registry, const GUID *id);

/*
 * Enters a new object that nobody else has seen, under its id. Returns the object to go on with,
 * with the caller's reference: this one or, when another of that id lives, that one, and the one
 * given is released.
 */
struct com_object *com_registry_add(struct com_registry *registry, struct com_object *com);

/*
 * The living object of that id or, when there is none, what make(ctx, id) returns (a new object,
 * or NULL when memory is short), entered. make runs without a lock; of two that race one result is
 * dropped. *out carries a reference. S_OK or E_OUTOFMEMORY, then *out is NULL.
 */
HRESULT com_registry_get(struct com_registry *registry, const GUID *id,
	struct com_object *(*make)(void *ctx, const GUID *id), void *ctx, struct com_object **out);

/* Living objects in it. */
size_t com_registry_count(struct com_registry *registry);

/* ---- task memory -------------------------------------------------------------------------- */

/*
 * Memory that crosses an interface. It is malloc's, so that CoTaskMemFree of any copy of this
 * library frees it; what matters here is that every allocation passes one point that can be
 * made to fail. All return NULL when memory is short or an injected failure strikes.
 */
void *com_task_alloc(size_t size);                /* size 0 gives one byte */
void *com_task_calloc(size_t count, size_t size); /* zeroed; an overflowing product fails */
void *com_task_realloc(void *p, size_t size);     /* on failure p stays */
void com_task_free(void *p);

/* Task memory copies of strings: UTF-8 to UTF-16, and UTF-16 alike. NULL text gives NULL. */
WCHAR *com_strdup_utf8_to_wide(const char *utf8);
WCHAR *com_strdup_wide(const WCHAR *text);

/* A malloc'd (not task memory) UTF-8 copy; NULL for NULL or when memory is short. */
char *com_utf8_from_wide(const WCHAR *text);

/*
 * Makes the n-th allocation from now (1 = the next) fail, once; 0 disarms. Counts those of this
 * module: task memory and objects, of all threads, in this copy of the library.
 */
void com_alloc_fail_after(unsigned n);

/* True while an injected failure has not struck yet: the walk over n ends when an operation
 * leaves it armed. */
bool com_alloc_fail_armed(void);

/* ---- identities and results --------------------------------------------------------------- */

/* struct guid has the byte order of the text, GUID that of the machine in its first three. */
GUID com_guid_from(const struct guid *g);
struct guid com_guid_to(const GUID *g);

static inline bool com_guid_equal(const GUID *a, const GUID *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static inline bool com_guid_is_zero(const GUID *g)
{
	static const GUID zero;

	return com_guid_equal(g, &zero);
}

/* The HRESULT of an errno (either sign; 0 is S_OK): that of the Windows error that means the same,
 * ERROR_GEN_FAILURE for what has no equal. Codes with a meaning of a layer's own (-ESTALE of the
 * engine) must be translated before. */
HRESULT com_hr_from_errno(int code);

/* The reverse as far as the table goes, negative; 0 for success, -EIO for the rest. */
int com_errno_from_hr(HRESULT hr);

/* ---- traces and books --------------------------------------------------------------------- */

/* One line of the debug log (VDS_LOG=debug) at the entry of a method: the object, its name, and
 * the arguments by format. */
#define COM_TRACE(self, ...)                                                                       \
	do {                                                                                       \
		if (log_enabled(LOG_LEVEL_DEBUG))                                                  \
			com_trace(&(self)->com, __func__, "(" __VA_ARGS__);                        \
	} while (0)
void com_trace(const struct com_object *com, const char *method, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Objects alive in this copy of the library, of one class (by name) or, with NULL, of all. */
unsigned com_live_objects(const char *class_name);

/* Writes one line for each living object to the log (level error), and with them, when
 * references are tracked, who took and gave the last of them. Returns how many live. */
unsigned com_dump_live(void);

/* Records the callers of AddRef and Release of objects made from now on (the last 64 of each).
 * Also switched on by VDS_REFS=1, which dumps what is left at exit as well. */
void com_track_refs(bool on);

/* Keeps the module loaded: IClassFactory::LockServer and the like. */
void com_module_lock(void);
void com_module_unlock(void);
/* No lock and no living object: DllCanUnloadNow may say S_OK. */
bool com_module_idle(void);

#include "base/log.h"

#endif
