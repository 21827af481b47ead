/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics for people who operate the service. A decision is logged once, where it is
 * taken; errors that travel to a caller are not logged as well.
 *
 * VDS_LOG=error|warning|info|debug sets the level of a process (default: warning).
 * Thread-safe.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Receives whole lines without the newline. The default sink writes to stderr. */
typedef void log_sink_fn(enum log_level level, const char *line, void *ctx);

void log_set_level(enum log_level level);
void log_set_sink(log_sink_fn *sink, void *ctx);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
	do {                                                                                       \
		if (log_enabled(LOG_LEVEL_DEBUG))                                                  \
			log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);                                   \
	} while (0)

#endif
