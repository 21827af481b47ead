/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the service offers its built-in providers beyond the documented callback.
 *
 * IVdsProviderPrivate::OnLoad hands every provider the service as an IUnknown. The documented
 * use is to ask it for IVdsAdviseSink. A provider that keeps its facts in the service's store asks
 * for IVdspHost as well: in this process only, never remoted, and not offered to applications
 * (the callback object is not the service object). Providers without a store never ask.
 *
 * Lifetime: the provider keeps one reference to the callback from OnLoad to OnUnload. Every object
 * it hands to clients holds the service alive with HoldService / ReleaseService, so that a store
 * stays open as long as any of its objects is in use.
 */
#ifndef PROVIDER_HOST_H
#define PROVIDER_HOST_H

#include <unknwn.h>
#include <vds.h>

struct sto;
struct prv_worker;

typedef struct IVdspHost IVdspHost;

typedef struct IVdspHostVtbl {
	HRESULT(STDMETHODCALLTYPE *QueryInterface)(IVdspHost *This, REFIID riid, void **ppvObject);
	ULONG(STDMETHODCALLTYPE *AddRef)(IVdspHost *This);
	ULONG(STDMETHODCALLTYPE *Release)(IVdspHost *This);
	/* The open store; valid until OnUnload returns. */
	struct sto *(STDMETHODCALLTYPE *GetStore)(IVdspHost *This);
	/* The worker of the store (provider/base/prv_worker.h); valid as long. */
	struct prv_worker *(STDMETHODCALLTYPE *GetWorker)(IVdspHost *This);
	/* VDSX_OPEN_… with which it was opened. */
	ULONG(STDMETHODCALLTYPE *GetOpenFlags)(IVdspHost *This);
	/* The sentence that goes with the failure this thread is about to return; "" forgets. */
	void(STDMETHODCALLTYPE *SetErrorText)(IVdspHost *This, const char *text);
	/* One hold on the service object. FALSE: it is already going away. */
	BOOL(STDMETHODCALLTYPE *HoldService)(IVdspHost *This);
	/* The last one may end the service, and with it call OnUnload: never from a thread that
	 * OnUnload waits for. */
	void(STDMETHODCALLTYPE *ReleaseService)(IVdspHost *This);
} IVdspHostVtbl;

struct IVdspHost {
	const IVdspHostVtbl *lpVtbl;
};

extern const IID IID_IVdspHost;

#endif
