/* SPDX-License-Identifier: Apache-2.0
 *
 * One line per event on standard error: "program: error: text". Never called
 * per packet (counters are for that), and never given bytes from a packet. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* `program` is kept, not copied. Level: the chattiest that is still printed. */
void log_init(const char *program, enum log_level level);

void log_at(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

/* One kind of line that may come often: one per interval is printed, and the
 * next one says how many were held back. A static one with its interval set is
 * ready for use, from any thread. */
struct log_limit {
	struct usec interval;
	struct usec next; /* monotonic; before this, lines are held back */
	uint64_t held;
};

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Whether a line may be printed at `now`, and how many were held back since the
 * last one; else counts this one. Not locked: log_limited() does that. */
bool log_limit_pass(struct log_limit *limit, struct usec now, uint64_t *held);
