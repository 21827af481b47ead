/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the VDS headers need of the platform they were made for, and no more: types of fixed
 * width, GUIDs, result codes, strings of 16-bit characters, and the few COM functions that an
 * application calls. LONG and everything named after it has 32 bits, also where the compiler's
 * long has 64.
 *
 * WCHAR is wchar_t where that has 16 bits (-fshort-wchar) and char16_t elsewhere; write literals
 * as VDS_TEXT("...") and both work. All functions may be called from any thread.
 */
#ifndef VDS_VDSBASE_H
#define VDS_VDSBASE_H

#include <stddef.h>
#include <string.h>
#ifndef __cplusplus
#include <uchar.h>
#endif

#ifdef __cplusplus
#define EXTERN_C extern "C"
#else
#define EXTERN_C extern
#endif

#define VDS_API           EXTERN_C __attribute__((visibility("default")))
#define STDMETHODCALLTYPE /* the platform's C calling convention */
#define WINAPI
#define STDAPICALLTYPE
#define STDAPI                   EXTERN_C HRESULT STDAPICALLTYPE
#define STDAPI_(type)            EXTERN_C type STDAPICALLTYPE
#define STDMETHODIMP             HRESULT STDMETHODCALLTYPE
#define STDMETHODIMP_(type)      type STDMETHODCALLTYPE
#define STDMETHOD(method)        virtual HRESULT STDMETHODCALLTYPE method
#define STDMETHOD_(type, method) virtual type STDMETHODCALLTYPE method
#define PURE                     = 0

/* Numbers */

typedef void VOID;
typedef void *PVOID, *LPVOID;
typedef const void *LPCVOID;
typedef char CHAR;
typedef char *LPSTR, *PSTR;
typedef const char *LPCSTR, *PCSTR;
typedef unsigned char BYTE, UCHAR, BOOLEAN;
typedef BYTE *PBYTE, *LPBYTE;
typedef BOOLEAN *PBOOLEAN;
typedef short SHORT;
typedef unsigned short USHORT, WORD;
typedef int INT, BOOL, LONG;
typedef unsigned int UINT, ULONG, DWORD;
typedef LONG *PLONG, *LPLONG;
typedef ULONG *PULONG;
typedef DWORD *PDWORD, *LPDWORD;
typedef BOOL *PBOOL, *LPBOOL;
typedef long long LONGLONG, LONG64, INT64;
typedef unsigned long long ULONGLONG, DWORD64, ULONG64, UINT64;
typedef ULONGLONG *PULONGLONG;
typedef size_t SIZE_T;
typedef void *HANDLE;
typedef HANDLE HINSTANCE, HMODULE;

#ifndef FALSE
#define FALSE 0
#endif
#ifndef TRUE
#define TRUE 1
#endif

/* 100-nanosecond steps since 1601-01-01 UTC. */
typedef struct _FILETIME {
	DWORD dwLowDateTime;
	DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;

/* Strings */

#if __SIZEOF_WCHAR_T__ == 2
typedef wchar_t WCHAR;
#define VDS_TEXT_(s) L##s
#else
typedef char16_t WCHAR;
#define VDS_TEXT_(s) u##s
#endif
#define VDS_TEXT(s) VDS_TEXT_(s)
#define OLESTR(s)   VDS_TEXT(s)

typedef WCHAR OLECHAR;
typedef WCHAR *LPWSTR, *PWSTR, *LPOLESTR, *PWCHAR;
typedef const WCHAR *LPCWSTR, *PCWSTR, *LPCOLESTR;

/* Identities */

#ifndef GUID_DEFINED
#define GUID_DEFINED
typedef struct _GUID {
	DWORD Data1;
	WORD Data2;
	WORD Data3;
	BYTE Data4[8];
} GUID;
#endif

typedef GUID IID, CLSID;
typedef GUID *LPGUID;
typedef IID *LPIID;
typedef CLSID *LPCLSID;

#ifdef __cplusplus
typedef const GUID &REFGUID;
typedef const IID &REFIID;
typedef const CLSID &REFCLSID;

inline bool IsEqualGUID(REFGUID a, REFGUID b)
{
	return !memcmp(&a, &b, sizeof(GUID));
}

inline bool operator==(REFGUID a, REFGUID b)
{
	return IsEqualGUID(a, b);
}

inline bool operator!=(REFGUID a, REFGUID b)
{
	return !IsEqualGUID(a, b);
}
#else
typedef const GUID *REFGUID;
typedef const IID *REFIID;
typedef const CLSID *REFCLSID;

static inline BOOL IsEqualGUID(REFGUID a, REFGUID b)
{
	return !memcmp(a, b, sizeof(GUID));
}
#endif
#define IsEqualIID(a, b)   IsEqualGUID(a, b)
#define IsEqualCLSID(a, b) IsEqualGUID(a, b)

/* The form of a GUID of your own: declares it, or with INITGUID defined before, defines it. */
#ifdef INITGUID
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)                               \
	EXTERN_C const GUID name;                                                                  \
	const GUID name = {l, w1, w2, {b1, b2, b3, b4, b5, b6, b7, b8}}
#else
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) EXTERN_C const GUID name
#endif

/* An identity whose value the library holds; the value stands in the header for the reader. */
#define VDS_EXTERN_GUID(name, ...) VDS_API const GUID name

/* In C++, vds_iid_of<IVdsDrive>() is IID_IVdsDrive: for wrappers that derive it from the type. */
#ifdef __cplusplus
template <typename T> inline REFIID vds_iid_of();
#define VDS_IID_OF(iface)                                                                          \
	template <> inline REFIID vds_iid_of<iface>()                                              \
	{                                                                                          \
		return IID_##iface;                                                                \
	}
#endif

/* Results */

typedef LONG HRESULT;
typedef LONG SCODE;

#define _HRESULT_TYPEDEF_(value) ((HRESULT)(value))
#define SUCCEEDED(hr)            (((HRESULT)(hr)) >= 0)
#define FAILED(hr)               (((HRESULT)(hr)) < 0)
#define IS_ERROR(status)         (((ULONG)(status)) >> 31 == 1u)
#define HRESULT_CODE(hr)         ((hr)&0xffff)
#define HRESULT_FACILITY(hr)     (((hr) >> 16) & 0x1fff)
#define HRESULT_SEVERITY(hr)     (((hr) >> 31) & 1)
#define MAKE_HRESULT(sev, fac, code)                                                               \
	((HRESULT)(((ULONG)(sev) << 31) | ((ULONG)(fac) << 16) | (ULONG)(code)))

#define SEVERITY_SUCCESS  0
#define SEVERITY_ERROR    1
#define FACILITY_NULL     0
#define FACILITY_RPC      1
#define FACILITY_DISPATCH 2
#define FACILITY_STORAGE  3
#define FACILITY_ITF      4
#define FACILITY_WIN32    7
#define FACILITY_WINDOWS  8

/* A system error number as HRESULT; 0 and what already is an HRESULT stay as they are. */
static inline HRESULT HRESULT_FROM_WIN32(ULONG error)
{
	if ((HRESULT)error <= 0)
		return (HRESULT)error;
	return (HRESULT)((error & 0xffffu) | (FACILITY_WIN32 << 16) | 0x80000000u);
}

/* The component model's functions, as far as clients and providers of VDS call them */

typedef struct IUnknown IUnknown;
typedef IUnknown *LPUNKNOWN;

#define CLSCTX_INPROC_SERVER  0x1u
#define CLSCTX_INPROC_HANDLER 0x2u
#define CLSCTX_LOCAL_SERVER   0x4u
#define CLSCTX_REMOTE_SERVER  0x10u
#define CLSCTX_SERVER         (CLSCTX_INPROC_SERVER | CLSCTX_LOCAL_SERVER | CLSCTX_REMOTE_SERVER)
#define CLSCTX_ALL            (CLSCTX_SERVER | CLSCTX_INPROC_HANDLER)

typedef enum tagCOINIT {
	COINIT_MULTITHREADED = 0x0,
	COINIT_APARTMENTTHREADED = 0x2,
	COINIT_DISABLE_OLE1DDE = 0x4,
	COINIT_SPEED_OVER_MEMORY = 0x8
} COINIT;

/* Memory that crosses an interface is allocated and freed with these. Free takes NULL. */
VDS_API LPVOID CoTaskMemAlloc(SIZE_T cb);
VDS_API LPVOID CoTaskMemRealloc(LPVOID pv, SIZE_T cb);
VDS_API void CoTaskMemFree(LPVOID pv);

/* Pairs of these enclose the use of the library in a thread. Objects of this library have no
 * apartments: both modes act as COINIT_MULTITHREADED. */
VDS_API HRESULT CoInitialize(LPVOID pvReserved);
VDS_API HRESULT CoInitializeEx(LPVOID pvReserved, DWORD dwCoInit);
VDS_API void CoUninitialize(void);

/* Makes an object; the classes applications make are CLSID_VdsLoader and CLSID_VdsService. */
VDS_API HRESULT CoCreateInstance(
	REFCLSID rclsid, IUnknown *pUnkOuter, DWORD dwClsContext, REFIID riid, LPVOID *ppv);

/* Text with braces to identity and back. StringFromGUID2 returns the characters written with the
 * NUL (39), or 0 when cchMax is too small. StringFromCLSID's text is the caller's to free. */
VDS_API HRESULT CLSIDFromString(LPCOLESTR lpsz, CLSID *pclsid);
VDS_API HRESULT IIDFromString(LPCOLESTR lpsz, IID *piid);
VDS_API INT StringFromGUID2(REFGUID rguid, LPOLESTR lpsz, INT cchMax);
VDS_API HRESULT StringFromCLSID(REFCLSID rclsid, LPOLESTR *lplpsz);
VDS_API HRESULT CoCreateGuid(GUID *pguid);

/* What a provider module exports: the factory of its classes, and whether it may be unloaded. */
VDS_API HRESULT DllGetClassObject(REFCLSID rclsid, REFIID riid, LPVOID *ppv);
VDS_API HRESULT DllCanUnloadNow(void);

#include "vdserr.h"
#include "unknwn.h"

#endif /* VDS_VDSBASE_H */
