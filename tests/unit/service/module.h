/* SPDX-License-Identifier: Apache-2.0 */
/* The identities of the test provider. Its module is named by its class id. */
#ifndef UNIT_SERVICE_MODULE_H
#define UNIT_SERVICE_MODULE_H

#include <vdsbase.h>

static const GUID MODULE_PROVIDER_ID = {
	0x11112222, 0x3333, 0x4444, {0x55, 0x55, 0x66, 0x66, 0x77, 0x77, 0x88, 0x88}};
static const CLSID MODULE_CLSID = {
	0xaaaabbbb, 0xcccc, 0xdddd, {0xee, 0xee, 0xff, 0xff, 0x00, 0x00, 0x11, 0x11}};
#define MODULE_FILE "aaaabbbb-cccc-dddd-eeee-ffff00001111"

#endif
