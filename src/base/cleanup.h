/* SPDX-License-Identifier: Apache-2.0 */
/* Scope-exit helpers: a variable marked cleanup_free is released when it leaves scope. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_fn(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close_fn(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_unlock_fn(pthread_mutex_t **m)
{
	if (*m)
		pthread_mutex_unlock(*m);
}

#define cleanup_free  __attribute__((cleanup(cleanup_free_fn)))
#define cleanup_close __attribute__((cleanup(cleanup_close_fn)))

/* Holds the mutex until the current scope ends. One per scope. */
#define SCOPED_LOCK(mutex)                                                                         \
	__attribute__((cleanup(cleanup_unlock_fn), unused)) pthread_mutex_t *scoped_lock_ =        \
		(pthread_mutex_lock(mutex), (mutex))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member)                                                            \
	((type *)(void *)((char *)(1 ? (ptr) : &((type *)0)->member) - offsetof(type, member)))

#endif
