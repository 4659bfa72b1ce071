/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

static const char *program_name = "vigie";
static enum log_level most = LOG_INFO;
static pthread_mutex_t limits = PTHREAD_MUTEX_INITIALIZER;

void log_init(const char *program, enum log_level level)
{
	program_name = program;
	most = level;
}

static void print(enum log_level level, const char *line, const char *behind)
{
	static const char *const words[] = { "error: ", "warning: ", "", "debug: " };

	/* One call, so that lines of several threads do not mix. */
	fprintf(stderr, "%s: %s%s%s\n", program_name, words[level], line, behind);
}

void log_at(enum log_level level, const char *format, ...)
{
	char line[1024];
	va_list args;

	if (level > most)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	print(level, line, "");
}

bool log_limit_pass(struct log_limit *limit, struct usec now, uint64_t *held)
{
	if (now.v < limit->next.v) {
		limit->held++;
		return false;
	}
	*held = limit->held;
	limit->held = 0;
	limit->next.v = now.v + limit->interval.v;
	return true;
}

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
{
	char line[1024], behind[64] = "";
	uint64_t held = 0;
	va_list args;

	if (level > most)
		return;
	pthread_mutex_lock(&limits);
	bool pass = log_limit_pass(limit, clock_monotonic(), &held);
	pthread_mutex_unlock(&limits);
	if (!pass)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (held)
		snprintf(behind, sizeof(behind), " (%" PRIu64 " more like this were held back)",
			 held);
	print(level, line, behind);
}
