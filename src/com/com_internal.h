/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of com/ only. */
#ifndef COM_COM_INTERNAL_H
#define COM_COM_INTERNAL_H

#include "com/com.h"

/* books.c */
void com_books_add(struct com_object *com);
void com_books_remove(struct com_object *com);
void com_books_ref(struct com_object *com, int step, const void *caller);

/* registry.c: the last reference is gone; out of the map, unless another took its place. */
void com_registry_remove(struct com_object *com);

/* task.c: as calloc, and may be made to fail. */
void *com_calloc(size_t count, size_t size);

#endif
