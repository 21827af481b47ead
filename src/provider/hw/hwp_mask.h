/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unmasking lists (hardware.md 12.6): entries separated by ';'. "*" alone means all hosts, the
 * empty list none. An entry is a world-wide name (16 hexadecimal digits) or an iSCSI initiator
 * name.
 */
#ifndef PROVIDER_HW_HWP_MASK_H
#define PROVIDER_HW_HWP_MASK_H

/*
 * Checks a list and gives it in the form in which it is kept: without doubles and blanks around
 * entries, world-wide names and initiator names in lower case, in the order given. *out is
 * malloc'd. 0; -EINVAL: an entry is bad, or "*" is not alone; -ENOMEM.
 */
int hwp_mask_normalize(const char *list, char **out);

#endif
