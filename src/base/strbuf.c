/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct strbuf *s, size_t more)
{
	size_t cap = s->cap ? s->cap : 64;
	char *text;

	if (s->failed)
		return false;
	if (s->cap && s->cap - s->len > more)
		return true;
	while (cap - s->len <= more)
		cap *= 2;
	text = realloc(s->text, cap);
	if (!text) {
		s->failed = true;
		return false;
	}
	s->text = text;
	s->cap = cap;
	return true;
}

void strbuf_add(struct strbuf *s, const char *bytes, size_t len)
{
	if (!reserve(s, len))
		return;
	memcpy(s->text + s->len, bytes, len);
	s->len += len;
	s->text[s->len] = '\0';
}

void strbuf_puts(struct strbuf *s, const char *text)
{
	strbuf_add(s, text, strlen(text));
}

void strbuf_printf(struct strbuf *s, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		s->failed = true;
		return;
	}
	if (!reserve(s, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(s->text + s->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	s->len += (size_t)n;
}

char *strbuf_take(struct strbuf *s)
{
	char *text = NULL;

	if (!s->failed)
		text = s->text ? s->text : strdup("");
	else
		free(s->text);
	memset(s, 0, sizeof(*s));
	return text;
}

void strbuf_free(struct strbuf *s)
{
	free(s->text);
	memset(s, 0, sizeof(*s));
}
