/* SPDX-License-Identifier: Apache-2.0
 *
 * One line per event on standard error: "program: error: text". Never called
 * per packet (counters are for that), and never given bytes from a packet. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* `program` is kept, not copied. Level: the chattiest that is still printed. When the
 * program exits, what is held back then (see below) is told. */
void log_init(const char *program, enum log_level level);

void log_at(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

/* One kind of line that may come often: of each interval the first lines are
 * printed, and the others held back. The latest of those is printed once the interval
 * is over (log_tick) or the program ends, with how many more there were. One with
 * its interval set is ready for use, from any thread; one that is not static is
 * given back with log_limit_finish(). */
struct log_limit {
	struct usec interval;
	unsigned burst; /* lines that pass in an interval; 0: one */
	/* the log's own: */
	struct usec next; /* monotonic; when the interval is over */
	unsigned passed;
	uint64_t held;
	enum log_level level; /* of the latest line that was held back, and its text */
	char latest[256];
	struct log_limit *before, *behind; /* those that hold something back */
};

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Tells what is held back of limits whose interval is over; to be called now and
 * then, once a second say. */
void log_tick(struct usec now);

/* Tells what is held back; the limit's memory may go afterwards. */
void log_limit_finish(struct log_limit *limit);

/* Whether a line may be printed at `now`, and how many were held back since the
 * last one; else counts this one. Not locked: log_limited() does that. */
bool log_limit_pass(struct log_limit *limit, struct usec now, uint64_t *held);
