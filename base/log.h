/* SPDX-License-Identifier: Apache-2.0
 *
 * One line per event on standard error: "program: error: text". Never called
 * per packet (counters are for that), and never given bytes from a packet. */
#pragma once

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* `program` is kept, not copied. Level: the chattiest that is still printed. */
void log_init(const char *program, enum log_level level);

void log_at(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
