/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "exporters/spool_files.h"
#include "exporters/spool_format.h"

enum { STEPS_MOST = 16384 }; /* frames passed over in one call */

/* A segment that is still written is preallocated: where its frames end is found by
 * going from one to the next, and remembered. */
struct newest {
	uint64_t number, end;
};

struct spool_gauge {
	char dir[PATH_MAX];
	struct newest newest[STREAM_COUNT];
	struct spool_segments segments[STREAM_COUNT];
};

struct spool_gauge *spool_gauge_create(const char *dir)
{
	struct spool_gauge *g = calloc(1, sizeof(*g));

	if (g && spool_join(g->dir, "%s", dir)) {
		free(g);
		return NULL;
	}
	return g;
}

void spool_gauge_destroy(struct spool_gauge *g)
{
	if (!g)
		return;
	for (int i = 0; i < STREAM_COUNT; i++)
		spool_segments_finish(&g->segments[i]);
	free(g);
}

static void go_on(int fd, enum stream stream, struct newest *n)
{
	uint8_t header[SPOOL_HEADER];

	for (int i = 0; i < STEPS_MOST; i++) {
		if (pread(fd, header, sizeof(header), (off_t)n->end) != sizeof(header))
			return;
		size_t size = spool_frame_size(cursor_of(header, sizeof(header)), stream);
		if (!size)
			return;
		n->end += size;
	}
}

/* Sets the newest segment's bytes to where its frames end. */
static void measure_newest(struct spool_gauge *g, enum stream stream)
{
	struct spool_segments *list = &g->segments[stream];
	struct newest *n = &g->newest[stream];
	char path[PATH_MAX];

	if (!list->count)
		return;
	struct spool_segment *last = &list->list[list->count - 1];
	if (n->number != last->number)
		*n = (struct newest){ last->number, 0 };
	int fd = spool_segment_path(g->dir, stream, n->number, path)
			 ? -1
			 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	go_on(fd, stream, n);
	close(fd);
	if (n->end < last->bytes)
		last->bytes = n->end;
}

/* How long ago a segment was last written to. */
static uint64_t age(const struct spool_gauge *g, enum stream stream, uint64_t number)
{
	char path[PATH_MAX];
	struct stat st;

	if (spool_segment_path(g->dir, stream, number, path) || stat(path, &st))
		return 0;
	int64_t then = (int64_t)st.st_mtim.tv_sec, now = clock_wall().v / USEC_PER_SECOND;
	return now > then ? (uint64_t)(now - then) : 0;
}

static uint64_t left_of(const struct spool_segment *s, struct spool_position p)
{
	if (s->number != p.segment)
		return s->number < p.segment ? 0 : s->bytes;
	return p.offset < s->bytes ? s->bytes - p.offset : 0;
}

static void measure_lag(struct spool_gauge *g, struct spool_lag *out)
{
	out->known = true;
	for (int i = 0; i < STREAM_COUNT; i++) {
		const struct spool_segments *list = &g->segments[i];
		struct spool_position p;
		int error = spool_load_position(g->dir, out->destination, (enum stream)i, &p);
		out->known &= !error || error == -EBADMSG;
		for (size_t k = 0; k < list->count; k++) {
			uint64_t left = left_of(&list->list[k], p);
			uint64_t seconds = left && k + 1 < list->count
						   ? age(g, (enum stream)i, list->list[k].number)
						   : 0;
			out->bytes += left;
			if (seconds > out->seconds)
				out->seconds = seconds;
		}
	}
}

static int by_name(const void *a, const void *b)
{
	const struct spool_lag *x = a, *y = b;
	return strcmp(x->destination, y->destination);
}

static size_t find_destinations(const struct spool_gauge *g, struct spool_lag *out, size_t most)
{
	char path[PATH_MAX];
	DIR *folder = spool_join(path, "%s/acks", g->dir) ? NULL : opendir(path);
	size_t n = 0;

	for (struct dirent *e; folder && n < most && (e = readdir(folder));) {
		if (!wire_sensor_name_is_valid(e->d_name) || strstr(e->d_name, ".tmp"))
			continue;
		out[n] = (struct spool_lag){ .known = false };
		snprintf(out[n++].destination, sizeof(out->destination), "%.63s", e->d_name);
	}
	if (folder)
		closedir(folder);
	qsort(out, n, sizeof(*out), by_name);
	return n;
}

size_t spool_gauge_read(struct spool_gauge *g, struct spool_lag *out, size_t most, uint64_t *bytes)
{
	size_t n = find_destinations(g, out, most);

	*bytes = 0;
	for (int i = 0; i < STREAM_COUNT; i++) {
		if (spool_segments_list(g->dir, (enum stream)i, &g->segments[i]))
			g->segments[i].count = 0;
		measure_newest(g, (enum stream)i);
		*bytes += spool_segments_bytes(&g->segments[i]);
	}
	for (size_t i = 0; i < n; i++)
		measure_lag(g, &out[i]);
	return n;
}
