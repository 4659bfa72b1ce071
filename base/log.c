/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static const char *program_name = "vigie";
static enum log_level most = LOG_INFO;

void log_init(const char *program, enum log_level level)
{
	program_name = program;
	most = level;
}

void log_at(enum log_level level, const char *format, ...)
{
	static const char *const words[] = { "error: ", "warning: ", "", "debug: " };
	char line[1024];
	va_list args;

	if (level > most)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* One call, so that lines of several threads do not mix. */
	fprintf(stderr, "%s: %s%s\n", program_name, words[level], line);
}
