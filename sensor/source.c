/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* One read() of this size stays within a core's second-level cache. */
enum { CHUNK = 256 * 1024, BUFFER = CHUNK + SOURCE_MOST, PACKED = 64 * 1024 };

struct source_input {
	int fd;
	bool gzip, ended;
	bool inside; /* gzip: within a member, so the end of input is premature */
	uint64_t read_bytes, size;
	const char *problem;
	z_stream z;
	uint8_t packed[PACKED];
	uint8_t buffer[BUFFER];
};

static ssize_t read_some(struct source *s, void *to, size_t n)
{
	struct source_input *in = s->input;
	ssize_t got;

	do
		got = read(in->fd, to, n);
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		s->error = -errno;
		in->problem = strerror(errno);
	} else {
		in->read_bytes += (uint64_t)got;
	}
	return got;
}

static bool refill_packed(struct source *s)
{
	struct source_input *in = s->input;
	ssize_t got = read_some(s, in->packed, sizeof(in->packed));

	if (got <= 0) {
		if (got == 0 && in->inside) {
			s->error = -EIO;
			in->problem = "the gzip data ends early";
		}
		return false;
	}
	in->z.next_in = in->packed;
	in->z.avail_in = (uInt)got;
	return true;
}

static size_t damaged(struct source *s)
{
	s->error = -EIO;
	s->input->problem = "the gzip data is damaged";
	return 0;
}

/* A file may hold several gzip members one behind the other; what follows the
 * last and is no member is padding. */
static size_t gunzip_some(struct source *s, uint8_t *to, size_t n)
{
	struct source_input *in = s->input;

	in->z.next_out = to;
	in->z.avail_out = (uInt)n;
	while (in->z.avail_out == n) {
		if (in->z.avail_in == 0 && !refill_packed(s))
			return 0;
		if (!in->inside) {
			if (in->z.next_in[0] != 0x1f || inflateReset(&in->z) != Z_OK)
				return 0;
			in->inside = true;
		}
		int rc = inflate(&in->z, Z_NO_FLUSH);
		if (rc == Z_STREAM_END)
			in->inside = false;
		else if (rc != Z_OK && rc != Z_BUF_ERROR)
			return damaged(s);
	}
	return n - in->z.avail_out;
}

static size_t get_some(struct source *s, uint8_t *to, size_t n)
{
	if (s->input->gzip)
		return gunzip_some(s, to, n);
	ssize_t got = read_some(s, to, n);
	return got > 0 ? (size_t)got : 0;
}

bool source_fill(struct source *s, size_t n)
{
	struct source_input *in = s->input;
	size_t left = cursor_left(&s->ahead);

	if (n > SOURCE_MOST || in->ended)
		return false;
	if (s->before_reuse)
		s->before_reuse(s->context);
	if (left)
		memmove(in->buffer, s->ahead.at, left);
	while (left < n) {
		size_t got = get_some(s, in->buffer + left, CHUNK);
		if (got == 0) {
			in->ended = true;
			break;
		}
		left += got;
		s->filled += got;
	}
	s->ahead = cursor_of(in->buffer, left);
	return left >= n;
}

bool source_skip(struct source *s, uint64_t n)
{
	while (n > cursor_left(&s->ahead)) {
		n -= cursor_left(&s->ahead);
		cursor_skip(&s->ahead, cursor_left(&s->ahead));
		if (!source_fill(s, 1))
			return false;
	}
	cursor_skip(&s->ahead, n);
	return true;
}

/* The first bytes say whether it is gzip: then they are what there is to inflate. */
static int recognise(struct source *s)
{
	struct source_input *in = s->input;
	size_t have = 0;

	while (have < 2) {
		ssize_t got = read_some(s, in->packed + have, sizeof(in->packed) - have);
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	if (s->error)
		return s->error;
	if (have >= 2 && in->packed[0] == 0x1f && in->packed[1] == 0x8b) {
		if (inflateInit2(&in->z, 15 + 16) != Z_OK)
			return -ENOMEM;
		in->gzip = in->inside = true;
		in->z.next_in = in->packed;
		in->z.avail_in = (uInt)have;
		have = 0;
	}
	memcpy(in->buffer, in->packed, have);
	s->filled = have;
	s->ahead = cursor_of(in->buffer, have);
	return 0;
}

static int open_file(struct source_input *in, const char *path)
{
	struct stat st;

	in->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0 || fstat(in->fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISREG(st.st_mode))
		in->size = (uint64_t)st.st_size;
	return 0;
}

int source_open(struct source *s, const char *path, char why[SOURCE_WHY])
{
	*s = (struct source){ .input = malloc(sizeof(*s->input)) };
	int rc = -ENOMEM;

	if (!s->input)
		goto out;
	/* Not the buffers: zeroing them would touch half a megabyte. */
	memset(s->input, 0, offsetof(struct source_input, packed));
	rc = open_file(s->input, path);
	if (rc == 0)
		rc = recognise(s);
out:
	if (rc < 0) {
		snprintf(why, SOURCE_WHY, "%s", strerror(-rc));
		source_close(s);
	}
	return rc;
}

void source_close(struct source *s)
{
	if (!s->input)
		return;
	if (s->input->gzip)
		inflateEnd(&s->input->z);
	if (s->input->fd >= 0)
		close(s->input->fd);
	free(s->input);
	*s = (struct source){ 0 };
}

const char *source_problem(const struct source *s)
{
	return s->input->problem;
}

void source_progress(const struct source *s, uint64_t *done, uint64_t *all)
{
	*done = s->input->read_bytes;
	*all = s->input->size;
}

bool source_is_gzip(const struct source *s)
{
	return s->input->gzip;
}
