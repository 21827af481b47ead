/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed growing arrays. VEC(struct foo, foo_vec) defines struct foo_vec {items, len, cap}
 * with foo_vec_push (0 or -ENOMEM), foo_vec_remove (keeps order) and foo_vec_free.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define VEC(type, name)                                                                            \
	struct name {                                                                              \
		type *items;                                                                       \
		size_t len, cap;                                                                   \
	};                                                                                         \
	__attribute__((unused)) static inline int name##_push(struct name *v, type item)           \
	{                                                                                          \
		if (v->len == v->cap) {                                                            \
			size_t cap = v->cap ? v->cap * 2 : 8;                                      \
			type *items = realloc(v->items, cap * sizeof(type));                       \
			if (!items)                                                                \
				return -ENOMEM;                                                    \
			v->items = items;                                                          \
			v->cap = cap;                                                              \
		}                                                                                  \
		v->items[v->len++] = item;                                                         \
		return 0;                                                                          \
	}                                                                                          \
	__attribute__((unused)) static inline void name##_remove(struct name *v, size_t i)         \
	{                                                                                          \
		v->len--;                                                                          \
		memmove(v->items + i, v->items + i + 1, (v->len - i) * sizeof(type));              \
	}                                                                                          \
	__attribute__((unused)) static inline void name##_free(struct name *v)                     \
	{                                                                                          \
		free(v->items);                                                                    \
		memset(v, 0, sizeof(*v));                                                          \
	}

#define vec_for_each(v, it)                                                                        \
	for (size_t it##_i = 0; it##_i < (v)->len && ((it) = &(v)->items[it##_i], 1); it##_i++)

#endif
