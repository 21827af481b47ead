/* SPDX-License-Identifier: Apache-2.0 */
/* Parsers of option values and selectors; see value.h. */
#include "cli/value.h"

#include <ctype.h>
#include <string.h>

static const struct unit {
	const char *name;
	unsigned shift;
} units[] = {{"B", 0}, {"KB", 10}, {"MB", 20}, {"GB", 30}, {"TB", 40}, {"PB", 50}, {"KiB", 10},
	{"MiB", 20}, {"GiB", 30}, {"TiB", 40}, {"PiB", 50}};

static int bad_size(const char *text, struct cli_diag *d)
{
	if (text[0] == '-')
		return cli_diag_set(d, CLI_SYNTAX, "a size cannot be negative", NULL,
			"\"%s\" is no size", text);
	return cli_diag_set(d, CLI_SYNTAX,
		"a size is a number with B, KB, MB, GB, TB or PB right behind it",
		"for example 128MB or 1.5GB", "\"%s\" is no size", text);
}

static int too_large(const char *text, struct cli_diag *d)
{
	return cli_diag_set(d, CLI_SYNTAX, "it does not fit into 64 bits", NULL,
		"the size \"%s\" is too large", text);
}

/* The digits after the point, as a fraction of scale, rounded up. */
static uint64_t fraction_bytes(const char *digits, size_t len, uint64_t scale)
{
	unsigned __int128 rest = 0, base = 1;
	bool more = false;

	for (size_t i = 0; i < len; i++) {
		if (base > (unsigned __int128)1 << 60) {
			more = more || digits[i] != '0';
			continue;
		}
		rest = rest * 10 + (unsigned)(digits[i] - '0');
		base *= 10;
	}
	rest *= scale;
	return (uint64_t)(rest / base) + (rest % base || more);
}

int cli_parse_size(const char *text, uint64_t bare, uint64_t *bytes, struct cli_diag *d)
{
	const char *p = text, *fraction;
	unsigned __int128 whole = 0;
	uint64_t scale = bare;
	size_t digits;

	for (; isdigit((unsigned char)*p); p++) {
		whole = whole * 10 + (unsigned)(*p - '0');
		if (whole > UINT64_MAX)
			return too_large(text, d);
	}
	if (p == text)
		return bad_size(text, d);
	fraction = p;
	if (*p == '.') {
		fraction = ++p;
		while (isdigit((unsigned char)*p))
			p++;
		if (p == fraction)
			return bad_size(text, d);
	}
	digits = (size_t)(p - fraction);
	if (*p) {
		size_t i = 0;

		while (i < sizeof(units) / sizeof(units[0]) && strcasecmp(p, units[i].name))
			i++;
		if (i == sizeof(units) / sizeof(units[0]))
			return bad_size(text, d);
		scale = (uint64_t)1 << units[i].shift;
	}
	whole = whole * scale + fraction_bytes(fraction, digits, scale);
	if (whole > UINT64_MAX)
		return too_large(text, d);
	*bytes = (uint64_t)whole;
	return CLI_OK;
}

int cli_parse_number(const char *text, uint64_t max, uint64_t *n, struct cli_diag *d)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *p = hex ? text + 2 : text;
	unsigned __int128 v = 0;

	for (; hex ? isxdigit((unsigned char)*p) : isdigit((unsigned char)*p); p++) {
		unsigned digit = isdigit((unsigned char)*p)
					 ? (unsigned)(*p - '0')
					 : (unsigned)(tolower((unsigned char)*p) - 'a' + 10);

		v = v * (hex ? 16 : 10) + digit;
		if (v > UINT64_MAX)
			break;
	}
	if (v > max)
		return cli_diag_set(d, CLI_SYNTAX, NULL, NULL,
			"the number \"%s\" is larger than %llu", text, (unsigned long long)max);
	if (*p || p == (hex ? text + 2 : text))
		return cli_diag_set(
			d, CLI_SYNTAX, NULL, "for example 10", "\"%s\" is no number", text);
	*n = (uint64_t)v;
	return CLI_OK;
}

int cli_parse_bool(const char *text, bool *value, struct cli_diag *d)
{
	static const char *const yes[] = {"on", "true", "yes", "1"},
				 *no[] = {"off", "false", "no", "0"};

	for (size_t i = 0; i < 4; i++) {
		if (!strcasecmp(text, yes[i]) || !strcasecmp(text, no[i])) {
			*value = !strcasecmp(text, yes[i]);
			return CLI_OK;
		}
	}
	return cli_diag_set(d, CLI_SYNTAX, NULL, "say on or off (or true or false)",
		"\"%s\" is neither on nor off", text);
}

/* Digits at *p up to max; false when there are none or the number is larger. */
static bool read_uint(const char **p, uint64_t max, uint64_t *n)
{
	const char *start = *p;

	*n = 0;
	for (; isdigit((unsigned char)**p); (*p)++) {
		*n = *n * 10 + (unsigned)(**p - '0');
		if (*n > max)
			return false;
	}
	return *p != start;
}

int cli_parse_slot(const char *text, int *bus, int *slot, struct cli_diag *d)
{
	const char *p = text;
	uint64_t b, s;

	if (!read_uint(&p, INT16_MAX, &b) || *p++ != '.' || !read_uint(&p, INT16_MAX, &s) || *p)
		return cli_diag_set(d, CLI_SYNTAX, "a slot is a bus and a place on it",
			"for example 0.3", "\"%s\" is no slot", text);
	*bus = (int)b;
	*slot = (int)s;
	return CLI_OK;
}

int cli_parse_drives(const char *text, uint32_t *count, uint64_t *bytes, struct cli_diag *d)
{
	const char *p = text;
	uint64_t n;

	if (!read_uint(&p, UINT32_MAX, &n) || (*p != 'x' && *p != 'X'))
		return cli_diag_set(d, CLI_SYNTAX, "drives= takes how many, x and how large",
			"for example drives=6x96MB",
			"\"%s\" does not say how many drives of what size", text);
	if (n < 1 || n > 1023)
		return cli_diag_set(d, CLI_SYNTAX, "a subsystem holds 1 to 1023 drives", NULL,
			"%llu is no possible number of drives", (unsigned long long)n);
	*count = (uint32_t)n;
	if (cli_parse_size(p + 1, 1 << 20, bytes, d))
		return d->status;
	if (!*bytes)
		return cli_diag_set(d, CLI_SYNTAX, NULL, "for example drives=6x96MB",
			"a drive of no size is no drive");
	return CLI_OK;
}

static const struct tag {
	const char *name;
	enum cli_sel_tag tag;
} tags[] = {{"name:", CLI_TAG_NAME}, {"serial:", CLI_TAG_SERIAL}, {"path:", CLI_TAG_PATH},
	{"iqn:", CLI_TAG_IQN}, {"wwn:", CLI_TAG_WWN}};

static const struct tag *find_tag(const char *text)
{
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (!strncasecmp(text, tags[i].name, strlen(tags[i].name)))
			return &tags[i];
	return NULL;
}

bool cli_is_selector(const char *text)
{
	struct guid id;

	if (find_tag(text) || !strncasecmp(text, "slot:", 5) || guid_parse(text, &id))
		return true;
	if (text[0] == '{')
		return true; /* meant as one; the parser says what is wrong with it */
	if (!isdigit((unsigned char)text[0]))
		return false;
	return !text[strspn(text, "0123456789-,")];
}

static int bad_selector(const char *text, struct cli_diag *d)
{
	return cli_diag_set(d, CLI_SYNTAX,
		"an object is named by number, range, {id}, name:, slot:, serial: or path:",
		"for example 3, 1-3, slot:0.3 or name:backup", "\"%s\" names no object", text);
}

static int parse_range(const char *text, struct cli_sel *sel, struct cli_diag *d)
{
	const char *p = text;
	uint64_t first, last;

	if (!read_uint(&p, UINT32_MAX, &first))
		return bad_selector(text, d);
	last = first;
	if (*p == '-') {
		p++;
		if (!read_uint(&p, UINT32_MAX, &last))
			return bad_selector(text, d);
	}
	if (*p)
		return bad_selector(text, d);
	if (last < first)
		return cli_diag_set(d, CLI_SYNTAX, "it ends before it begins", NULL,
			"the range \"%s\" is empty", text);
	if (last - first >= CLI_LIST_MAX)
		return cli_diag_set(d, CLI_SYNTAX, NULL, NULL,
			"the range \"%s\" names more than %d objects", text, CLI_LIST_MAX);
	sel->kind = CLI_SEL_NUMBER;
	sel->first = (uint32_t)first;
	sel->last = (uint32_t)last;
	return CLI_OK;
}

static int parse_selector(char *text, struct cli_sel *sel, struct cli_diag *d)
{
	const struct tag *tag = find_tag(text);

	memset(sel, 0, sizeof(*sel));
	if (tag) {
		const char *rest = text + strlen(tag->name);

		if (!*rest)
			return bad_selector(text, d);
		sel->kind = CLI_SEL_TEXT;
		sel->tag = tag->tag;
		sel->text = strdup(rest);
		return sel->text ? CLI_OK : cli_diag_memory(d);
	}
	if (!strncasecmp(text, "slot:", 5)) {
		sel->kind = CLI_SEL_SLOT;
		return cli_parse_slot(text + 5, &sel->bus, &sel->slot, d);
	}
	if (guid_parse(text, &sel->id)) {
		sel->kind = CLI_SEL_GUID;
		return CLI_OK;
	}
	return parse_range(text, sel, d);
}

int cli_parse_selectors(const char *text, struct cli_sels *out, struct cli_diag *d)
{
	char *copy = strdup(text), *p = copy;
	int status = copy ? CLI_OK : cli_diag_memory(d);

	while (!status) {
		struct cli_sel sel;
		char *comma = find_tag(p) ? NULL : strchr(p, ',');

		if (comma)
			*comma = 0;
		if (!*p)
			status = cli_diag_set(d, CLI_SYNTAX, "an entry is empty",
				"for example 0,1,4-6", "\"%s\" is no list", text);
		else if (out->len >= CLI_LIST_MAX)
			status = cli_diag_set(d, CLI_SYNTAX, NULL, NULL,
				"the list names more than %d objects", CLI_LIST_MAX);
		else
			status = parse_selector(p, &sel, d);
		if (!status && cli_sels_push(out, sel)) {
			free(sel.text);
			status = cli_diag_memory(d);
		}
		if (!comma)
			break;
		p = comma + 1;
	}
	free(copy);
	return status;
}

void cli_sels_release(struct cli_sels *sels)
{
	struct cli_sel *s;

	vec_for_each (sels, s)
		free(s->text);
	cli_sels_free(sels);
}

unsigned cli_distance(const char *a, const char *b)
{
	enum { MAX = 32 };
	unsigned t[MAX + 1][MAX + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > MAX || m > MAX)
		return 99;
	for (size_t i = 0; i <= n; i++) {
		for (size_t k = 0; k <= m; k++) {
			unsigned best, same;

			if (!i || !k) {
				t[i][k] = (unsigned)(i + k);
				continue;
			}
			same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[k - 1]);
			best = t[i - 1][k - 1] + !same;
			if (t[i - 1][k] + 1 < best)
				best = t[i - 1][k] + 1;
			if (t[i][k - 1] + 1 < best)
				best = t[i][k - 1] + 1;
			if (i > 1 && k > 1 &&
				tolower((unsigned char)a[i - 1]) ==
					tolower((unsigned char)b[k - 2]) &&
				tolower((unsigned char)a[i - 2]) ==
					tolower((unsigned char)b[k - 1]) &&
				t[i - 2][k - 2] + 1 < best)
				best = t[i - 2][k - 2] + 1;
			t[i][k] = best;
		}
	}
	return t[n][m];
}
