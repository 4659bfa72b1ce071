/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "exporters/spool_files.h"
#include "exporters/spool_format.h"

enum { READ_AHEAD = 256 * 1024, QUIET_SECONDS = 2 };

struct spool_reader {
	char dir[PATH_MAX];
	enum stream stream;
	int fd; /* of segment `number`; -1: it has yet to be opened */
	uint64_t number, offset;
	struct buf window; /* bytes of the segment from window_at on */
	uint64_t window_at;
	struct timespec searched; /* the segment's mtime when a search found nothing */
	bool hurry;
	struct spool_stats stats;
};

/* A spool whose stream was deleted by hand begins anew with low numbers. */
static int start_over_if_gone(struct spool_reader *r)
{
	struct spool_segments list = { 0 };
	int error = spool_segments_list(r->dir, r->stream, &list);

	if (!error && list.count && list.list[list.count - 1].number < r->number)
		r->number = r->offset = 0;
	spool_segments_finish(&list);
	return error;
}

int spool_reader_open(const char *dir, enum stream stream, struct spool_position from,
		      struct spool_reader **out, char why[256])
{
	struct spool_reader *r = calloc(1, sizeof(*r));
	struct stat st;

	*out = NULL;
	why[0] = '\0';
	if (!r)
		return -ENOMEM;
	r->stream = stream;
	r->fd = -1;
	r->number = from.segment;
	r->offset = from.offset;
	int error = spool_join(r->dir, "%s", dir);
	if (!error && stat(dir, &st))
		error = -errno;
	if (!error)
		error = start_over_if_gone(r);
	if (error) {
		snprintf(why, 256, "%.150s: cannot read the spool: %s", dir, strerror(-error));
		spool_reader_close(r);
		return error;
	}
	*out = r;
	return 0;
}

void spool_reader_close(struct spool_reader *r)
{
	if (!r)
		return;
	if (r->fd >= 0)
		close(r->fd);
	buf_finish(&r->window);
	free(r);
}

static void forget_window(struct spool_reader *r)
{
	buf_clear(&r->window);
	r->window_at = r->offset;
}

/* Reads on until the window holds n bytes from r->offset on, or the segment ends. */
static int fill(struct spool_reader *r, size_t n)
{
	if (r->offset < r->window_at || r->offset > r->window_at + r->window.len)
		forget_window(r);
	size_t behind = (size_t)(r->offset - r->window_at);
	if (behind && r->window.len - behind < n) {
		memmove(r->window.data, r->window.data + behind, r->window.len - behind);
		r->window.len -= behind;
		r->window_at = r->offset;
		behind = 0;
	}
	while (r->window.len - behind < n) {
		size_t missing = n - (r->window.len - behind);
		size_t want = missing > READ_AHEAD ? missing : READ_AHEAD;
		if (!buf_reserve(&r->window, want))
			return -ENOMEM;
		ssize_t got = pread(r->fd, r->window.data + r->window.len, want,
				    (off_t)(r->window_at + r->window.len));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		r->window.len += (size_t)got;
	}
	return 0;
}

static struct cursor window_cursor(const struct spool_reader *r)
{
	size_t behind = (size_t)(r->offset - r->window_at);
	return cursor_of(r->window.data + behind, r->window.len - behind);
}

/* 1 with the frame at r->offset, 0 when no whole frame stands there. */
static int take_frame(struct spool_reader *r, struct spool_frame *out)
{
	struct spool_header h;
	const uint8_t *payload;

	int error = fill(r, SPOOL_HEADER);
	size_t size = error ? 0 : spool_frame_size(window_cursor(r), r->stream);
	if (size)
		error = fill(r, size);
	if (error || !size)
		return error;
	struct cursor c = window_cursor(r);
	if (!spool_frame_take(&c, r->stream, &h, &payload))
		return 0;
	*out = (struct spool_frame){
		.stream = r->stream,
		.epoch = h.epoch,
		.sequence = h.sequence,
		.records = h.records,
		.payload = payload,
		.length = h.length,
		.segment = r->number,
		.offset = r->offset,
	};
	r->offset += size;
	return 1;
}

/* Opens the segment of the position or, when it is gone, the next that is there:
 * 1, or 0 when there is none yet. */
static int open_next(struct spool_reader *r)
{
	struct spool_segments list = { 0 };
	char path[PATH_MAX];
	size_t i = 0;
	int error = spool_segments_list(r->dir, r->stream, &list);

	while (!error && i < list.count && list.list[i].number < r->number)
		i++;
	if (error || i == list.count) {
		spool_segments_finish(&list);
		return error;
	}
	if (list.list[i].number != r->number)
		r->offset = 0;
	r->number = list.list[i].number;
	spool_segments_finish(&list);
	error = spool_segment_path(r->dir, r->stream, r->number, path);
	if (error)
		return error;
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0) /* deleted just now: the next call finds another */
		return errno == ENOENT ? 0 : -errno;
	forget_window(r);
	return 1;
}

static int newer_exists(const struct spool_reader *r)
{
	struct spool_segments list = { 0 };
	int result = spool_segments_list(r->dir, r->stream, &list);

	if (!result)
		result = list.count && list.list[list.count - 1].number > r->number;
	spool_segments_finish(&list);
	return result;
}

/* In the segment that is being written, zeroes mean that no more has come. Only
 * when it has been left alone for a while is it searched for frames behind a
 * hole, once. */
static bool is_time_to_search(struct spool_reader *r)
{
	struct stat st;
	struct timespec now;

	if (fstat(r->fd, &st) || clock_gettime(CLOCK_REALTIME, &now))
		return false;
	bool quiet = r->hurry || now.tv_sec - st.st_mtim.tv_sec > QUIET_SECONDS;
	bool done = st.st_mtim.tv_sec == r->searched.tv_sec &&
		    st.st_mtim.tv_nsec == r->searched.tv_nsec;
	if (quiet)
		r->searched = st.st_mtim;
	return quiet && !done;
}

/* Moves to the next whole frame behind a damaged place: 1, or 0 with `torn` set
 * when something else than zeroes is left. */
static int search_on(struct spool_reader *r, bool *torn)
{
	struct spool_header h;
	const uint8_t *payload;
	size_t at;
	struct stat st;

	if (fstat(r->fd, &st))
		return -errno;
	forget_window(r);
	if ((uint64_t)st.st_size <= r->offset)
		return 0;
	int error = fill(r, (size_t)((uint64_t)st.st_size - r->offset));
	if (error)
		return error;
	struct cursor c = window_cursor(r);
	struct spool_walk w = spool_walk_of(c.at, cursor_left(&c), r->stream);
	bool found = spool_walk_next(&w, &h, &payload, &at);
	*torn = w.torn;
	r->stats.damaged += found && at > 0;
	if (found)
		r->offset += at;
	return found;
}

static int leave_segment(struct spool_reader *r, bool torn)
{
	r->stats.torn += torn;
	close(r->fd);
	r->fd = -1;
	r->number++;
	r->offset = 0;
	r->searched = (struct timespec){ 0 };
	return 0;
}

/* No whole frame is here: 1 when reading can go on, 0 when it must wait. */
static int get_past(struct spool_reader *r, struct spool_frame *out)
{
	bool torn = false;

	/* In this order: the writer ends a segment before it makes a newer one, so
	 * what is not here after that never will be. */
	int newer = newer_exists(r);
	if (newer < 0)
		return newer;
	forget_window(r);
	int result = take_frame(r, out);
	if (result)
		return result;
	if (!newer && !is_time_to_search(r))
		return 0;
	result = search_on(r, &torn);
	if (result < 0)
		return result;
	if (result == 0 && !newer)
		return 0;
	if (result == 0)
		leave_segment(r, torn);
	out->payload = NULL;
	return 1;
}

int spool_read(struct spool_reader *r, struct spool_frame *out)
{
	for (;;) {
		int result = r->fd < 0 ? open_next(r) : 1;
		if (result == 1)
			result = take_frame(r, out);
		else
			return result;
		if (result)
			return result;
		result = get_past(r, out);
		if (result <= 0 || out->payload)
			return result;
	}
}

void spool_reader_hurry(struct spool_reader *r)
{
	r->hurry = true;
}

struct spool_position spool_reader_position(const struct spool_reader *r)
{
	return (struct spool_position){ r->number, r->offset };
}

struct spool_stats spool_reader_stats(const struct spool_reader *r)
{
	return r->stats;
}

int spool_unpack(const struct spool_frame *frame, struct buf *out, const char **why)
{
	unsigned long long size = ZSTD_getFrameContentSize(frame->payload, frame->length);

	*why = NULL;
	if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
		*why = "payload is not a zstd frame that tells its size";
	else if (size > WIRE_BATCH_MOST)
		*why = "payload unpacks to more than 8 MiB";
	if (*why)
		return -EBADMSG;
	if (!buf_reserve(out, (size_t)size))
		return -ENOMEM;
	size_t n =
		ZSTD_decompress(out->data + out->len, (size_t)size, frame->payload, frame->length);
	if (ZSTD_isError(n) || n != size) {
		*why = "payload's zstd frame is damaged";
		return -EBADMSG;
	}
	out->len += n;
	out->data[out->len] = '\0';
	return 0;
}

int spool_trim(const char *dir, enum stream stream, struct spool_position position)
{
	struct spool_segments list = { 0 };
	char path[PATH_MAX];
	int error = spool_segments_list(dir, stream, &list);

	for (size_t i = 0; !error && i < list.count; i++) {
		if (list.list[i].number >= position.segment)
			break;
		error = spool_segment_path(dir, stream, list.list[i].number, path);
		if (!error && unlink(path) && errno != ENOENT)
			error = -errno;
	}
	spool_segments_finish(&list);
	return error;
}
