/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"

enum { RESERVE = 1 << 20 };

/* Takes room for the lines to come while there is some, so that questions can be
 * asked for a good while after the store has filled the disk. */
static void reserve(int fd)
{
	struct stat st;

	if (!fstat(fd, &st) && st.st_blocks * 512 < st.st_size + RESERVE / 2)
		(void)!fallocate(fd, FALLOC_FL_KEEP_SIZE, st.st_size, RESERVE);
}

int audit_open(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return -errno;
	reserve(fd);
	return fd;
}

static void describe(struct buf *out, const struct request *q, const struct reply *r)
{
	struct json j = { .out = out };
	char now[CLOCK_TEXT];

	json_open(&j, NULL, '{');
	json_text(&j, "time", clock_text(clock_wall(), now));
	json_text(&j, "who", q->caller->name);
	json_text(&j, "from", q->peer);
	json_text(&j, "method", q->method);
	json_text(&j, "path", q->path);
	if (q->param_count) {
		json_open(&j, "parameters", '{');
		for (size_t i = 0; i < q->param_count; i++)
			json_text(&j, q->params[i].name, q->params[i].value);
		json_close(&j, '}');
	}
	if (q->length)
		json_text_n(&j, "body", q->body, q->length);
	json_u64(&j, "status", r->status);
	json_close(&j, '}');
	buf_char(out, '\n');
}

int audit_note(int fd, const struct request *q, const struct reply *r)
{
	struct buf line = { 0 };
	int error = -ENOMEM;

	describe(&line, q, r);
	/* One call, so that lines of several threads do not mix. */
	if (!line.failed) {
		ssize_t n = write(fd, line.data, line.len);
		error = n < 0 ? -errno : (size_t)n < line.len ? -ENOSPC : 0;
		reserve(fd);
	}
	buf_finish(&line);
	return error;
}
