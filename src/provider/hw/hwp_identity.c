/* SPDX-License-Identifier: Apache-2.0 */
/* Identification data of a LUN (SPC-4, sections 6.6 and 7.8). */
#include "provider/hw/hwp_identity.h"

#include "com/com.h"

#include <nettle/sha2.h>
#include <stdio.h>

enum { IDENTIFIERS = 3 };

void hwp_identity_serial(const struct guid *lun, char out[static 33])
{
	for (unsigned i = 0; i < sizeof(lun->b); i++)
		snprintf(out + 2 * i, 3, "%02x", lun->b[i]);
}

void hwp_identity_naa(const struct guid *lun, uint8_t out[static 8])
{
	struct sha256_ctx sha;

	sha256_init(&sha);
	sha256_update(&sha, sizeof(lun->b), lun->b);
	sha256_digest(&sha, 8, out);
	/* 60 bits of the digest behind the four of the format */
	for (unsigned i = 7; i > 0; i--)
		out[i] = (uint8_t)(out[i] >> 4 | out[i - 1] << 4);
	out[0] = (uint8_t)(0x30 | out[0] >> 4);
}

static char *copy_text(const char *text)
{
	size_t size = strlen(text) + 1;
	char *out = com_task_alloc(size);

	if (out)
		memcpy(out, text, size);
	return out;
}

static bool set_identifier(VDS_STORAGE_IDENTIFIER *id, VDS_STORAGE_IDENTIFIER_CODE_SET set,
	VDS_STORAGE_IDENTIFIER_TYPE type, const void *bytes, size_t len)
{
	id->m_rgbIdentifier = com_task_alloc(len);
	if (!id->m_rgbIdentifier)
		return false;
	memcpy(id->m_rgbIdentifier, bytes, len);
	id->m_CodeSet = set;
	id->m_Type = type;
	id->m_cbIdentifier = (ULONG)len;
	return true;
}

static void release(VDS_LUN_INFORMATION *info)
{
	com_task_free(info->m_szVendorId);
	com_task_free(info->m_szProductId);
	com_task_free(info->m_szProductRevision);
	com_task_free(info->m_szSerialNumber);
	for (ULONG i = 0; i < info->m_deviceIdDescriptor.m_cIdentifiers; i++)
		com_task_free(info->m_deviceIdDescriptor.m_rgIdentifiers[i].m_rgbIdentifier);
	com_task_free(info->m_deviceIdDescriptor.m_rgIdentifiers);
	memset(info, 0, sizeof(*info));
}

static bool fill_identifiers(const struct guid *lun, VDS_STORAGE_DEVICE_ID_DESCRIPTOR *d)
{
	uint8_t naa[8];
	char serial[33], vendor[8 + 33], name[24] = "naa."; /* padded to a multiple of 4 */

	d->m_version = 1;
	d->m_rgIdentifiers = com_task_calloc(IDENTIFIERS, sizeof(*d->m_rgIdentifiers));
	if (!d->m_rgIdentifiers)
		return false;
	d->m_cIdentifiers = IDENTIFIERS;
	hwp_identity_serial(lun, serial);
	hwp_identity_naa(lun, naa);
	memcpy(vendor, HWP_VENDOR, 8);
	memcpy(vendor + 8, serial, sizeof(serial));
	for (unsigned i = 0; i < sizeof(naa); i++)
		snprintf(name + 4 + 2 * i, 3, "%02x", naa[i]);
	VDS_STORAGE_IDENTIFIER *id = d->m_rgIdentifiers;
	return set_identifier(&id[0], VDSStorageIdCodeSetBinary, VDSStorageIdTypeFCPHName, naa,
		       sizeof(naa)) &&
	       set_identifier(&id[1], VDSStorageIdCodeSetAscii, VDSStorageIdTypeVendorId, vendor,
		       8 + 32) &&
	       set_identifier(&id[2], VDSStorageIdCodeSetUtf8, VDSStorageIdTypeScsiNameString, name,
		       sizeof(name));
}

bool hwp_identity_fill(const struct guid *lun, const GUID *signature, VDS_LUN_INFORMATION *out)
{
	char serial[33];

	memset(out, 0, sizeof(*out));
	hwp_identity_serial(lun, serial);
	out->m_version = VER_VDS_LUN_INFORMATION;
	out->m_bCommandQueueing = TRUE;
	out->m_BusType = VDSBusTypeRAID;
	out->m_diskSignature = *signature;
	out->m_szVendorId = copy_text(HWP_VENDOR);
	out->m_szProductId = copy_text(HWP_PRODUCT);
	out->m_szProductRevision = copy_text(HWP_REVISION);
	out->m_szSerialNumber = copy_text(serial);
	if (out->m_szVendorId && out->m_szProductId && out->m_szProductRevision &&
		out->m_szSerialNumber && fill_identifiers(lun, &out->m_deviceIdDescriptor))
		return true;
	release(out);
	return false;
}

bool hwp_identity_matches(const struct guid *lun, const VDS_LUN_INFORMATION *info)
{
	const VDS_STORAGE_DEVICE_ID_DESCRIPTOR *d = &info->m_deviceIdDescriptor;
	char serial[33];
	uint8_t naa[8];

	hwp_identity_serial(lun, serial);
	hwp_identity_naa(lun, naa);
	for (ULONG i = 0; d->m_rgIdentifiers && i < d->m_cIdentifiers; i++) {
		const VDS_STORAGE_IDENTIFIER *id = &d->m_rgIdentifiers[i];
		if (!id->m_rgbIdentifier)
			continue;
		if (id->m_Type == VDSStorageIdTypeFCPHName && id->m_cbIdentifier == sizeof(naa) &&
			!memcmp(id->m_rgbIdentifier, naa, sizeof(naa)))
			return true;
		if (id->m_Type == VDSStorageIdTypeVendorId && id->m_cbIdentifier == 40 &&
			!memcmp(id->m_rgbIdentifier, HWP_VENDOR, 8) &&
			!memcmp(id->m_rgbIdentifier + 8, serial, 32))
			return true;
	}
	return info->m_szVendorId && info->m_szProductId && info->m_szSerialNumber &&
	       !strcmp(info->m_szVendorId, HWP_VENDOR) &&
	       !strcmp(info->m_szProductId, HWP_PRODUCT) && !strcmp(info->m_szSerialNumber, serial);
}

GUID hwp_identity_signature(const uint8_t *sector0, const uint8_t *sector1)
{
	GUID out = {0};

	/* GPT: disk GUID at byte 56 of the header, already in the machine's order of a GUID */
	if (!memcmp(sector1, "EFI PART", 8)) {
		memcpy(&out, sector1 + 56, sizeof(out));
		return out;
	}
	/* MBR: signature at byte 440 */
	if (sector0[510] == 0x55 && sector0[511] == 0xaa)
		memcpy(&out, sector0 + 440, 4);
	return out;
}
