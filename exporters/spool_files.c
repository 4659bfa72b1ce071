/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/spool_files.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "exporters/spool_format.h"

enum { NUMBER_DIGITS = 16, SEGMENT_MOST = INT32_MAX };

int spool_join(char out[PATH_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = vsnprintf(out, PATH_MAX, format, args);
	va_end(args);
	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int spool_segment_path(const char *dir, enum stream stream, uint64_t number, char out[PATH_MAX])
{
	return spool_join(out, "%s/%s/%016" PRIu64 ".seg", dir, stream_name(stream), number);
}

/* The number in "0000000000000001.seg"; 0 for any other name. */
static uint64_t number_of(const char *name)
{
	if (strspn(name, "0123456789") != NUMBER_DIGITS || strcmp(name + NUMBER_DIGITS, ".seg"))
		return 0;
	return strtoull(name, NULL, 10);
}

static int add_segment(struct spool_segments *s, uint64_t number, uint64_t bytes)
{
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		struct spool_segment *list = realloc(s->list, room * sizeof(*list));
		if (!list)
			return -ENOMEM;
		s->list = list;
		s->room = room;
	}
	s->list[s->count++] = (struct spool_segment){ number, bytes };
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct spool_segment *x = a, *y = b;
	return x->number < y->number ? -1 : x->number > y->number;
}

int spool_segments_list(const char *dir, enum stream stream, struct spool_segments *out)
{
	char path[PATH_MAX];
	int error = spool_join(path, "%s/%s", dir, stream_name(stream));

	out->count = 0;
	if (error)
		return error;
	DIR *folder = opendir(path);
	if (!folder)
		return errno == ENOENT ? 0 : -errno;
	for (struct dirent *e; !error && (e = readdir(folder));) {
		struct stat st;
		uint64_t number = number_of(e->d_name);
		if (number && !fstatat(dirfd(folder), e->d_name, &st, 0))
			error = add_segment(out, number, (uint64_t)st.st_size);
	}
	closedir(folder);
	if (out->count)
		qsort(out->list, out->count, sizeof(*out->list), by_number);
	return error;
}

void spool_segments_finish(struct spool_segments *s)
{
	free(s->list);
	*s = (struct spool_segments){ 0 };
}

uint64_t spool_segments_bytes(const struct spool_segments *s)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < s->count; i++)
		bytes += s->list[i].bytes;
	return bytes;
}

int spool_segment_load(const char *dir, enum stream stream, uint64_t number, struct buf *out)
{
	char path[PATH_MAX];
	int error = spool_segment_path(dir, stream, number, path);

	buf_clear(out);
	return error ? error : file_read(path, SEGMENT_MOST, out);
}

static int position_path(const char *dir, const char *destination, char out[PATH_MAX])
{
	/* The same grammar as a sensor's name: it becomes a file name. */
	if (!wire_sensor_name_is_valid(destination))
		return -EINVAL;
	return spool_join(out, "%s/acks/%s", dir, destination);
}

enum { SEAL = 13 }; /* "crc 01234567\n" */

void spool_text_seal(struct buf *text)
{
	uint32_t crc = text->failed ? 0 : crc32c(0, text->data, text->len);
	buf_format(text, "crc %08" PRIx32 "\n", crc);
}

bool spool_text_open(struct buf *text)
{
	uint32_t crc;

	if (text->len <= SEAL || sscanf(text->data + text->len - SEAL, "crc %8" SCNx32, &crc) != 1)
		return false;
	text->len -= SEAL;
	if (crc32c(0, text->data, text->len) != crc)
		return false;
	text->data[text->len] = '\0';
	return true;
}

static int load_positions(const char *path, struct spool_position out[STREAM_COUNT])
{
	struct buf text = { 0 };
	int error = file_read(path, 4096, &text);

	memset(out, 0, STREAM_COUNT * sizeof(*out));
	if (error == -EFBIG || (!error && !spool_text_open(&text)))
		error = -EBADMSG;
	char *rest = text.data;
	for (char *line; !error && (line = strsep(&rest, "\n")) && *line;) {
		char word[16];
		struct spool_position p;
		if (sscanf(line, "%15s %" SCNu64 " %" SCNu64, word, &p.segment, &p.offset) == 3 &&
		    stream_of(word) >= 0)
			out[stream_of(word)] = p;
	}
	buf_finish(&text);
	return error == -ENOENT ? 0 : error;
}

int spool_load_position(const char *dir, const char *destination, enum stream stream,
			struct spool_position *out)
{
	char path[PATH_MAX];
	struct spool_position all[STREAM_COUNT];
	int error = position_path(dir, destination, path);

	if (!error)
		error = load_positions(path, all);
	*out = error ? (struct spool_position){ 0 } : all[stream];
	return error;
}

int spool_store_position(const char *dir, const char *destination, enum stream stream,
			 struct spool_position position)
{
	char path[PATH_MAX], folder[PATH_MAX];
	struct spool_position all[STREAM_COUNT];
	struct buf text = { 0 };

	int error = position_path(dir, destination, path);
	if (!error)
		error = spool_join(folder, "%s/acks", dir);
	if (!error)
		error = file_make_dirs(folder, 0750);
	if (!error)
		error = load_positions(path, all);
	if (error && error != -EBADMSG)
		return error;
	all[stream] = position;
	for (int i = 0; i < STREAM_COUNT; i++)
		buf_format(&text, "%s %" PRIu64 " %" PRIu64 "\n", stream_name((enum stream)i),
			   all[i].segment, all[i].offset);
	spool_text_seal(&text);
	error = text.failed ? -ENOMEM : file_replace(path, text.data, text.len, 0640);
	buf_finish(&text);
	return error;
}

static bool is_before(struct spool_position a, struct spool_position b)
{
	return a.segment != b.segment ? a.segment < b.segment : a.offset < b.offset;
}

/* Least and greatest position of all destinations; false when there is none. A
 * damaged one is at the beginning. */
static bool position_range(const char *dir, enum stream stream, struct spool_position *least,
			   struct spool_position *greatest)
{
	char path[PATH_MAX];
	bool any = false;
	DIR *folder = spool_join(path, "%s/acks", dir) ? NULL : opendir(path);

	for (struct dirent *e; folder && (e = readdir(folder));) {
		struct spool_position p;
		if (strstr(e->d_name, ".tmp"))
			continue;
		int error = spool_load_position(dir, e->d_name, stream, &p);
		if (error && error != -EBADMSG)
			continue;
		if (!any || is_before(p, *least))
			*least = p;
		if (!any || is_before(*greatest, p))
			*greatest = p;
		any = true;
	}
	if (folder)
		closedir(folder);
	return any;
}

bool spool_least_position(const char *dir, enum stream stream, struct spool_position *out)
{
	struct spool_position greatest;
	return position_range(dir, stream, out, &greatest);
}

uint64_t spool_newest_acknowledged(const char *dir, enum stream stream)
{
	struct spool_position least, greatest;
	return position_range(dir, stream, &least, &greatest) ? greatest.segment : 0;
}
