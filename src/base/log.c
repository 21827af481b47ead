/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static pthread_mutex_t sink_lock = PTHREAD_MUTEX_INITIALIZER;
static log_sink_fn *sink_fn; /* guarded by sink_lock; NULL = stderr */
static void *sink_ctx;
static atomic_int current_level = -1; /* -1: not yet read from the environment */

static int level_from_environment(void)
{
	const char *name = getenv("VDS_LOG");

	for (int i = 0; name && i <= LOG_LEVEL_DEBUG; i++)
		if (!strcmp(name, level_names[i]))
			return i;
	return LOG_LEVEL_WARNING;
}

bool log_enabled(enum log_level level)
{
	int now = atomic_load_explicit(&current_level, memory_order_relaxed);

	if (now < 0) {
		now = level_from_environment();
		atomic_store_explicit(&current_level, now, memory_order_relaxed);
	}
	return (int)level <= now;
}

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&current_level, (int)level, memory_order_relaxed);
}

void log_set_sink(log_sink_fn *sink, void *ctx)
{
	pthread_mutex_lock(&sink_lock);
	sink_fn = sink;
	sink_ctx = ctx;
	pthread_mutex_unlock(&sink_lock);
}

void log_write(enum log_level level, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&sink_lock);
	if (sink_fn)
		sink_fn(level, line, sink_ctx);
	else
		fprintf(stderr, "vds: %s: %s\n", level_names[level], line);
	pthread_mutex_unlock(&sink_lock);
}
