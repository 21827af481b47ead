/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing string. Invariant: text is NULL exactly when cap is 0, otherwise it ends with
 * NUL and len < cap. A failed allocation sets failed and later appends do nothing, so a
 * caller checks once, at the end.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf {
	char *text;
	size_t len, cap;
	bool failed;
};

#define STRBUF_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}

void strbuf_add(struct strbuf *s, const char *bytes, size_t len);
void strbuf_puts(struct strbuf *s, const char *text);
void strbuf_printf(struct strbuf *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Gives the text to the caller (free it) and empties the buffer; NULL after a failure. */
char *strbuf_take(struct strbuf *s);
void strbuf_free(struct strbuf *s);

#endif
