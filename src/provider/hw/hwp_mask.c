/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/hw/hwp_mask.h"

#include "base/strbuf.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ISCSI_NAME_BYTES = 223 }; /* RFC 7143, section 4.2.7.1 */

static bool all_hex(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isxdigit((unsigned char)s[i]))
			return false;
	return true;
}

/* iqn.yyyy-mm.reversed.domain[:anything] */
static bool is_iqn(const char *s, size_t len)
{
	static const char form[] = "iqn.dddd-dd.";

	if (len < sizeof(form) - 1 + 1)
		return false;
	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)s[i]) : s[i] != form[i])
			return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c <= ' ' || c == 0x7f || c == '*')
			return false;
	}
	return true;
}

static bool is_entry(const char *s, size_t len)
{
	if (!len || len > ISCSI_NAME_BYTES)
		return false;
	if (len == 16 && all_hex(s, len))
		return true;
	if (len == 20 && !strncmp(s, "eui.", 4))
		return all_hex(s + 4, 16);
	if ((len == 20 || len == 36) && !strncmp(s, "naa.", 4))
		return all_hex(s + 4, len - 4);
	return is_iqn(s, len);
}

static bool has_entry(const struct strbuf *list, const char *s, size_t len)
{
	for (const char *p = list->text; p && *p;) {
		size_t n = strcspn(p, ";");
		if (n == len && !strncmp(p, s, n))
			return true;
		p += n + (p[n] == ';');
	}
	return false;
}

static int add_entry(struct strbuf *out, const char *s, size_t len)
{
	char entry[ISCSI_NAME_BYTES + 1];

	while (len && isspace((unsigned char)*s))
		s++, len--;
	while (len && isspace((unsigned char)s[len - 1]))
		len--;
	if (len > ISCSI_NAME_BYTES)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		entry[i] = (char)tolower((unsigned char)s[i]);
	if (!is_entry(entry, len))
		return -EINVAL;
	if (has_entry(out, entry, len))
		return 0;
	if (out->len)
		strbuf_puts(out, ";");
	strbuf_add(out, entry, len);
	return 0;
}

int hwp_mask_normalize(const char *list, char **out)
{
	struct strbuf sb = STRBUF_INIT;
	size_t blank = strspn(list, " \t\r\n");

	*out = NULL;
	if (!list[blank] ||
		(list[blank] == '*' && !list[blank + 1 + strspn(list + blank + 1, " \t\r\n")])) {
		*out = strdup(list[blank] ? "*" : "");
		return *out ? 0 : -ENOMEM;
	}
	for (const char *p = list;;) {
		size_t n = strcspn(p, ";");
		int rc = add_entry(&sb, p, n);
		if (rc) {
			strbuf_free(&sb);
			return rc;
		}
		if (!p[n])
			break;
		p += n + 1;
	}
	*out = strbuf_take(&sb);
	return *out ? 0 : -ENOMEM;
}
