/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Error reports below the COM layer.
 *
 * A function that can fail returns 0 or a negative errno. When it also takes a
 * struct err *, it writes one complete sentence there ("Drive /a/b holds no DDF anchor."),
 * at the place where the cause is known; callers that add context wrap it with
 * err_wrap. A NULL struct err * is always allowed: then only the code travels.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

struct err {
	int code;        /* negative errno of the first err_set, 0 = no error reported */
	char text[400];  /* what happened, one sentence */
	char cause[300]; /* why, the sentence of the layer below; may be empty */
};

/* Fills *e (if not NULL) with the sentence and returns code, which must be negative. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set, and keeps what *e said before as its cause. */
int err_wrap(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Forgets any report. */
void err_clear(struct err *e);

/* The text of a (negative or positive) errno in words, never NULL; thread-safe. */
const char *err_name(int code);

#endif
