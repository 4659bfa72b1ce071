/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *program_name = "vigie";
static enum log_level most = LOG_INFO;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_limit *holding; /* the limits that hold lines back */

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
	unsigned burst = limit->burst ? limit->burst : 1;

	if (now.v < limit->next.v && limit->passed >= burst) {
		limit->held++;
		return false;
	}
	if (now.v >= limit->next.v) {
		limit->next.v = now.v + limit->interval.v;
		limit->passed = 0;
	}
	limit->passed++;
	*held = limit->held;
	limit->held = 0;
	return true;
}

static void take_out(struct log_limit *limit)
{
	if (limit->behind)
		limit->behind->before = limit->before;
	if (limit->before)
		limit->before->behind = limit->behind;
	else if (holding == limit)
		holding = limit->behind;
	limit->before = limit->behind = NULL;
}

static void keep(struct log_limit *limit, enum log_level level, const char *line)
{
	limit->level = level;
	snprintf(limit->latest, sizeof(limit->latest), "%.255s", line);
	if (limit->held > 1)
		return; /* it is in the list */
	limit->before = NULL;
	limit->behind = holding;
	if (holding)
		holding->before = limit;
	holding = limit;
}

static void say(enum log_level level, const char *line, uint64_t held)
{
	char behind[64] = "";

	if (held)
		snprintf(behind, sizeof(behind), " (%" PRIu64 " more like this were held back)",
			 held);
	print(level, line, behind);
}

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
{
	char line[1024];
	uint64_t held = 0;
	va_list args;

	if (level > most)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	pthread_mutex_lock(&lock);
	bool pass = log_limit_pass(limit, clock_monotonic(), &held);
	if (!pass)
		keep(limit, level, line);
	else if (held)
		take_out(limit);
	pthread_mutex_unlock(&lock);
	if (pass)
		say(level, line, held);
}

/* Prints the latest line that was held back, which begins an interval. */
static void let_go(struct log_limit *limit, struct usec now)
{
	say(limit->level, limit->latest, limit->held - 1);
	limit->held = 0;
	limit->passed = 1;
	limit->next.v = now.v + limit->interval.v;
	take_out(limit);
}

static void let_go_of(struct usec until, struct usec now)
{
	pthread_mutex_lock(&lock);
	for (struct log_limit *l = holding, *next; l; l = next) {
		next = l->behind;
		if (until.v >= l->next.v)
			let_go(l, now);
	}
	pthread_mutex_unlock(&lock);
}

void log_tick(struct usec now)
{
	let_go_of(now, now);
}

void log_limit_finish(struct log_limit *limit)
{
	pthread_mutex_lock(&lock);
	if (limit->held)
		let_go(limit, clock_monotonic());
	pthread_mutex_unlock(&lock);
}

static void tell_all(void)
{
	let_go_of((struct usec){ INT64_MAX }, clock_monotonic());
}

void log_init(const char *program, enum log_level level)
{
	static bool known;

	program_name = program;
	most = level;
	if (!known)
		known = atexit(tell_all) == 0;
}
