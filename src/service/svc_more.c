/* SPDX-License-Identifier: Apache-2.0 */
/* The service object's other interfaces (software.md 5.2). */
#include "service/svc.h"

#include "vdscom/check.h"
#include "vdscom/enum.h"

#include <stdio.h>

COM_UNKNOWN(svc_service, IVdsServiceInitialization)
COM_UNKNOWN(svc_service, IVdsServiceUninstallDisk)
COM_UNKNOWN(svc_service, IVdsServiceHba)
COM_UNKNOWN(svc_service, IVdsServiceIscsi)
COM_UNKNOWN(svc_service, IVdsServiceSAN)
COM_UNKNOWN(svc_service, IVdsServiceSw)
COM_UNKNOWN(svc_service, IVdsxService)

/* ---- IVdsServiceInitialization ------------------------------------------------------------- */

static HRESULT STDMETHODCALLTYPE svc_service_Initialize(
	IVdsServiceInitialization *iface, LPWSTR machine)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsServiceInitialization, iface);

	COM_TRACE(self);
	(void)machine; /* the service is where it is */
	return svc_start(self);
}

const IVdsServiceInitializationVtbl svc_service_IVdsServiceInitialization_vtbl = {
	COM_UNKNOWN_METHODS(svc_service, IVdsServiceInitialization),
	.Initialize = svc_service_Initialize,
};

/* ---- IVdsServiceUninstallDisk -------------------------------------------------------------- */

static HRESULT STDMETHODCALLTYPE svc_service_GetDiskIdFromLunInfo(
	IVdsServiceUninstallDisk *iface, VDS_LUN_INFORMATION *info, VDS_OBJECT_ID *disk)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsServiceUninstallDisk, iface);

	COM_TRACE(self);
	VDC_OUT(disk);
	VDC_REQUIRE(info);
	HRESULT hr = svc_enter(self);
	if (FAILED(hr))
		return hr;
	svc_leave(self);
	return VDS_E_OBJECT_NOT_FOUND; /* this host has no disks yet */
}

static HRESULT STDMETHODCALLTYPE svc_service_UninstallDisks(IVdsServiceUninstallDisk *iface,
	VDS_OBJECT_ID *ids, ULONG count, BOOLEAN force, BOOLEAN *reboot, HRESULT *results)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsServiceUninstallDisk, iface);

	COM_TRACE(self, "%u disks, force %d", count, force);
	if (reboot)
		*reboot = FALSE;
	if (results)
		memset(results, 0, count * sizeof(*results));
	VDC_REQUIRE(ids && count && reboot && results);
	HRESULT hr = svc_enter(self);
	if (FAILED(hr))
		return hr;
	for (ULONG i = 0; i < count; i++)
		results[i] = VDS_E_OBJECT_NOT_FOUND;
	svc_leave(self);
	return S_FALSE;
}

const IVdsServiceUninstallDiskVtbl svc_service_IVdsServiceUninstallDisk_vtbl = {
	COM_UNKNOWN_METHODS(svc_service, IVdsServiceUninstallDisk),
	.GetDiskIdFromLunInfo = svc_service_GetDiskIdFromLunInfo,
	.UninstallDisks = svc_service_UninstallDisks,
};

/* ---- IVdsServiceHba ------------------------------------------------------------------------ */

static HRESULT empty_list(struct svc_service *self, IEnumVdsObject **out)
{
	VDC_OUT(out);
	HRESULT hr = svc_enter(self);
	if (FAILED(hr))
		return hr;
	hr = vdc_enum_new(NULL, 0, out);
	svc_leave(self);
	return hr;
}

static HRESULT STDMETHODCALLTYPE svc_service_QueryHbaPorts(
	IVdsServiceHba *iface, IEnumVdsObject **out)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsServiceHba, iface);

	COM_TRACE(self);
	return empty_list(self, out);
}

const IVdsServiceHbaVtbl svc_service_IVdsServiceHba_vtbl = {
	COM_UNKNOWN_METHODS(svc_service, IVdsServiceHba),
	.QueryHbaPorts = svc_service_QueryHbaPorts,
};

/* ---- IVdsServiceIscsi ---------------------------------------------------------------------- */

/* The name under which this host is let in: made from the identity of the store. */
static HRESULT STDMETHODCALLTYPE svc_service_GetInitiatorName(IVdsServiceIscsi *iface, LPWSTR *name)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsServiceIscsi, iface);
	char id[GUID_TEXT_SIZE], text[80];

	COM_TRACE(self);
	VDC_OUT(name);
	HRESULT hr = svc_enter(self);
	if (FAILED(hr))
		return hr;
	struct guid store = sto_id(self->sto);
	svc_leave(self);
	guid_format(&store, id);
	snprintf(text, sizeof(text), "iqn.2024-01.local.vds:%.36s", id + 1);
	*name = com_strdup_utf8_to_wide(text);
	return *name ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE svc_service_QueryInitiatorAdapters(
	IVdsServiceIscsi *iface, IEnumVdsObject **out)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsServiceIscsi, iface);

	COM_TRACE(self);
	return empty_list(self, out);
}

static HRESULT STDMETHODCALLTYPE svc_service_SetIpsecGroupPresharedKey(
	IVdsServiceIscsi *iface, VDS_ISCSI_IPSEC_KEY *key)
{
	(void)iface;
	(void)key;
	return VDS_E_NOT_SUPPORTED; /* withdrawn */
}

static HRESULT STDMETHODCALLTYPE svc_service_SetAllIpsecTunnelAddresses(
	IVdsServiceIscsi *iface, VDS_IPADDRESS *tunnel, VDS_IPADDRESS *destination)
{
	(void)iface;
	(void)tunnel;
	(void)destination;
	return VDS_E_NOT_SUPPORTED; /* withdrawn */
}

static HRESULT STDMETHODCALLTYPE svc_service_SetAllIpsecSecurity(
	IVdsServiceIscsi *iface, VDS_OBJECT_ID portal, ULONGLONG flags, VDS_ISCSI_IPSEC_KEY *key)
{
	(void)iface;
	(void)portal;
	(void)flags;
	(void)key;
	return VDS_E_NOT_SUPPORTED; /* withdrawn */
}

static HRESULT STDMETHODCALLTYPE svc_service_SetInitiatorSharedSecret(
	IVdsServiceIscsi *iface, VDS_ISCSI_SHARED_SECRET *secret, VDS_OBJECT_ID target)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsServiceIscsi, iface);

	COM_TRACE(self);
	VDC_REQUIRE(secret && secret->pSharedSecret && com_guid_is_zero(&target));
	if (secret->ulSharedSecretSize < 12 || secret->ulSharedSecretSize > 16)
		return VDS_E_ISCSI_CHAP_SECRET;
	HRESULT hr = svc_enter(self);
	if (FAILED(hr))
		return hr;
	svc_leave(self);
	return VDS_E_NOT_SUPPORTED; /* no initiator on this host */
}

static HRESULT STDMETHODCALLTYPE svc_service_RememberTargetSharedSecret(
	IVdsServiceIscsi *iface, VDS_OBJECT_ID target, VDS_ISCSI_SHARED_SECRET *secret)
{
	(void)iface;
	(void)target;
	(void)secret;
	return VDS_E_NOT_SUPPORTED; /* no initiator on this host */
}

const IVdsServiceIscsiVtbl svc_service_IVdsServiceIscsi_vtbl = {
	COM_UNKNOWN_METHODS(svc_service, IVdsServiceIscsi),
	.GetInitiatorName = svc_service_GetInitiatorName,
	.QueryInitiatorAdapters = svc_service_QueryInitiatorAdapters,
	.SetIpsecGroupPresharedKey = svc_service_SetIpsecGroupPresharedKey,
	.SetAllIpsecTunnelAddresses = svc_service_SetAllIpsecTunnelAddresses,
	.SetAllIpsecSecurity = svc_service_SetAllIpsecSecurity,
	.SetInitiatorSharedSecret = svc_service_SetInitiatorSharedSecret,
	.RememberTargetSharedSecret = svc_service_RememberTargetSharedSecret,
};

/* ---- IVdsServiceSAN ------------------------------------------------------------------------ */

#define SAN_KEY "svc.san_policy"

static HRESULT STDMETHODCALLTYPE svc_service_GetSANPolicy(
	IVdsServiceSAN *iface, VDS_SAN_POLICY *policy)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsServiceSAN, iface);
	uint64_t value = VDS_SP_OFFLINE_SHARED;

	COM_TRACE(self);
	VDC_OUT(policy);
	HRESULT hr = svc_enter(self);
	if (FAILED(hr))
		return hr;
	struct guid id = sto_id(self->sto);
	int rc = sto_attr_get_u64(self->sto, &id, SAN_KEY, &value, NULL);
	svc_leave(self);
	if (rc && rc != -ENOENT)
		return VDS_E_GET_SAN_POLICY;
	*policy = (VDS_SAN_POLICY)value;
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE svc_service_SetSANPolicy(
	IVdsServiceSAN *iface, VDS_SAN_POLICY policy)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsServiceSAN, iface);

	COM_TRACE(self, "%d", policy);
	VDC_REQUIRE(
		vdc_enum_known(&idl_enum_VDS_SAN_POLICY, (ULONG)policy) && policy != VDS_SP_MAX);
	HRESULT hr = svc_enter(self);
	if (FAILED(hr))
		return hr;
	struct guid id = sto_id(self->sto);
	int rc = sto_attr_set_u64(self->sto, &id, SAN_KEY, (uint64_t)policy, NULL);
	svc_leave(self);
	return rc ? VDS_E_SET_SAN_POLICY : S_OK;
}

const IVdsServiceSANVtbl svc_service_IVdsServiceSAN_vtbl = {
	COM_UNKNOWN_METHODS(svc_service, IVdsServiceSAN),
	.GetSANPolicy = svc_service_GetSANPolicy,
	.SetSANPolicy = svc_service_SetSANPolicy,
};

/* ---- IVdsServiceSw ------------------------------------------------------------------------- */

static HRESULT STDMETHODCALLTYPE svc_service_GetDiskObject(
	IVdsServiceSw *iface, LPCWSTR device, IUnknown **out)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsServiceSw, iface);

	COM_TRACE(self);
	VDC_OUT(out);
	VDC_REQUIRE(device && device[0]);
	HRESULT hr = svc_enter(self);
	if (FAILED(hr))
		return hr;
	svc_leave(self);
	return VDS_E_OBJECT_NOT_FOUND; /* this host has no disks yet */
}

const IVdsServiceSwVtbl svc_service_IVdsServiceSw_vtbl = {
	COM_UNKNOWN_METHODS(svc_service, IVdsServiceSw),
	.GetDiskObject = svc_service_GetDiskObject,
};

/* ---- IVdsxService -------------------------------------------------------------------------- */

static HRESULT STDMETHODCALLTYPE svc_service_Close(IVdsxService *iface)
{
	struct svc_service *self = COM_IMPL(svc_service, IVdsxService, iface);

	COM_TRACE(self);
	svc_set_error("");
	svc_close(self);
	return S_OK;
}

const IVdsxServiceVtbl svc_service_IVdsxService_vtbl = {
	COM_UNKNOWN_METHODS(svc_service, IVdsxService),
	.Close = svc_service_Close,
};
