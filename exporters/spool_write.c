/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/file.h"
#include "exporters/spool_format.h"
#include "exporters/spool_writer.h"

enum { SEGMENT_LEAST = 4096 };
enum { NUMBER_MOST = INT32_MAX }; /* an acknowledged segment beyond is no position of ours */

static const uint64_t standard_max = UINT64_C(4) << 30, standard_segment = 16 << 20;

static bool is_full(int error)
{
	return error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
}

/* ---- segments ---- */

static int sync_folder(const char *dir, enum stream stream)
{
	char path[PATH_MAX];
	int error = spool_join(path, "%s/%s", dir, stream_name(stream));
	int fd = error ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error ? error : -errno;
	error = fsync(fd) ? -errno : 0;
	close(fd);
	return error;
}

static int preallocate(int fd, uint64_t size)
{
	while (fallocate(fd, 0, 0, (off_t)size)) {
		if (errno == EINTR)
			continue;
		if (errno != EOPNOTSUPP && errno != ENOSYS)
			return -errno;
		return ftruncate(fd, (off_t)size) ? -errno : 0;
	}
	return 0;
}

static int open_segment(struct spool *s, struct spool_stream *st, uint64_t need)
{
	char path[PATH_MAX];
	uint64_t size = need > s->options.segment_bytes ? need : s->options.segment_bytes;
	int error = spool_make_room(s, st->stream, size);

	if (!error)
		error = spool_segment_path(s->dir, st->stream, st->number + 1, path);
	if (error)
		return error;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	error = preallocate(fd, size);
	if (!error)
		error = sync_folder(s->dir, st->stream);
	if (error) {
		close(fd);
		unlink(path);
		return error;
	}
	st->fd = fd;
	st->number++;
	st->offset = 0;
	st->size = size;
	return 0;
}

static int sync_segment(struct spool *s, struct spool_stream *st)
{
	if (st->fd < 0 || !st->dirty)
		return 0;
	/* What fdatasync failed on may be gone although a second call succeeds. */
	if (fdatasync(st->fd))
		return s->failed = -errno;
	st->dirty = false;
	return 0;
}

int spool_close_segment(struct spool *s, struct spool_stream *st)
{
	if (st->fd < 0)
		return 0;
	int error = ftruncate(st->fd, (off_t)st->offset) ? -errno : 0;
	st->size = st->offset;
	/* Synced in any case: `known` must not tell of frames that could be lost. */
	if (!error)
		error = sync_segment(s, st);
	if (!error)
		error = spool_known_merge(&st->filed, &st->current);
	if (error)
		return error;
	st->filed.closed = st->number;
	error = spool_known_store(s->dir, st->stream, &st->filed);
	if (error)
		return error;
	spool_known_clear(&st->current);
	close(st->fd);
	st->fd = -1;
	return 0;
}

/* ---- opening ---- */

/* Learns what a segment that nobody closed holds, and cuts its torn tail off. */
static int recover_segment(struct spool *s, struct spool_stream *st, uint64_t number)
{
	char path[PATH_MAX];
	struct buf bytes = { 0 };
	struct spool_header h;
	const uint8_t *payload;
	size_t offset;
	int error = spool_segment_load(s->dir, st->stream, number, &bytes);
	struct spool_walk w = spool_walk_of(bytes.data, bytes.len, st->stream);

	while (!error && spool_walk_next(&w, &h, &payload, &offset))
		error = spool_known_note(&st->filed, h.epoch, h.sequence);
	s->stats.damaged += w.damaged;
	s->stats.torn += w.torn;
	buf_finish(&bytes);
	if (!error)
		error = spool_segment_path(s->dir, st->stream, number, path);
	if (error)
		return error == -ENOENT ? 0 : error;
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (ftruncate(fd, (off_t)w.offset) || fdatasync(fd))
		error = -errno;
	close(fd);
	return error;
}

static int open_stream(struct spool *s, enum stream stream)
{
	struct spool_stream *st = &s->streams[stream];
	struct spool_segments list = { 0 };
	char path[PATH_MAX];
	int error = spool_join(path, "%s/%s", s->dir, stream_name(stream));

	if (!error)
		error = file_make_dirs(path, 0750);
	if (!error)
		error = spool_known_load(s->dir, stream, &st->filed);
	if (!error)
		error = spool_segments_list(s->dir, stream, &list);
	st->number = st->filed.closed;
	bool found = false;
	for (size_t i = 0; !error && i < list.count; i++) {
		if (list.list[i].number <= st->filed.closed)
			continue;
		found = true;
		st->number = list.list[i].number;
		error = recover_segment(s, st, st->number);
	}
	if (!error && found) {
		st->filed.closed = st->number;
		error = spool_known_store(s->dir, stream, &st->filed);
	}
	spool_segments_finish(&list);
	/* Without `known` and segments, numbers would begin anew below a position, and
	 * what stands there would never be read. */
	uint64_t acknowledged = spool_newest_acknowledged(s->dir, stream);
	if (acknowledged > st->number && acknowledged < NUMBER_MOST)
		st->number = acknowledged;
	return error;
}

static int take_lock(struct spool *s, char why[256])
{
	char path[PATH_MAX];
	int error = spool_join(path, "%s/lock", s->dir);

	if (error)
		return error;
	s->lock = file_lock(path);
	if (s->lock == -EBUSY)
		snprintf(why, 256,
			 "%.150s: another sensor writes to this spool; give each its own folder",
			 s->dir);
	return s->lock < 0 ? s->lock : 0;
}

static int set_options(struct spool *s, const struct spool_options *o, char why[256])
{
	s->options = *o;
	s->options.dir = s->dir;
	if (!s->options.max_bytes)
		s->options.max_bytes = standard_max;
	uint64_t eighth = s->options.max_bytes / 8;
	if (!s->options.segment_bytes)
		s->options.segment_bytes = eighth < standard_segment ? eighth : standard_segment;
	if (s->options.segment_bytes >= SEGMENT_LEAST &&
	    s->options.segment_bytes <= s->options.max_bytes / 4 &&
	    s->options.segment_bytes <= INT32_MAX)
		return spool_join(s->dir, "%s", o->dir);
	snprintf(why, 256,
		 "spool sizes: a segment must have at least %d bytes, at most a quarter "
		 "of the spool's `max`, and less than 2 GiB",
		 SEGMENT_LEAST);
	return -EINVAL;
}

/* Records hold little that repeats: ids and times are as good as random, and texts
 * stand in them once. So only long matches are looked for, in large steps, and what is
 * between them is left as it is: half the work of level 1 (docs/spool.md has figures). */
static ZSTD_CCtx *make_compressor(void)
{
	static const struct {
		ZSTD_cParameter parameter;
		int value;
	} settings[] = {
		{ ZSTD_c_compressionLevel, -1 }, /* negative: literals stay uncompressed */
		{ ZSTD_c_strategy, ZSTD_fast },  { ZSTD_c_hashLog, 14 }, { ZSTD_c_minMatch, 7 },
		{ ZSTD_c_targetLength, 5 }, /* the step, for this strategy */
	};
	ZSTD_CCtx *z = ZSTD_createCCtx();

	for (size_t i = 0; z && i < sizeof(settings) / sizeof(settings[0]); i++)
		if (ZSTD_isError(
			    ZSTD_CCtx_setParameter(z, settings[i].parameter, settings[i].value))) {
			ZSTD_freeCCtx(z);
			z = NULL;
		}
	return z;
}

static int open_all(struct spool *s, const struct spool_options *options, char why[256])
{
	int error = set_options(s, options, why);

	if (!error)
		error = file_make_dirs(s->dir, 0750);
	if (!error)
		error = take_lock(s, why);
	for (int i = 0; !error && i < STREAM_COUNT; i++)
		error = open_stream(s, (enum stream)i);
	if (!error)
		error = spool_losses_load(s->dir, &s->losses);
	if (!error && getrandom(&s->own_epoch, sizeof(s->own_epoch), 0) < 0)
		error = -errno;
	s->zstd = make_compressor();
	return !error && !s->zstd ? -ENOMEM : error;
}

int spool_open(const struct spool_options *options, struct spool **out, char why[256])
{
	struct spool *s = calloc(1, sizeof(*s));

	*out = NULL;
	why[0] = '\0';
	if (!s)
		return -ENOMEM;
	s->lock = -1;
	for (int i = 0; i < STREAM_COUNT; i++) {
		s->streams[i].stream = (enum stream)i;
		s->streams[i].fd = -1;
	}
	int error = open_all(s, options, why);
	if (error) {
		if (!*why)
			snprintf(why, 256,
				 "%.120s: cannot be used as spool: %.40s; name a folder that can "
				 "be made and written",
				 options->dir, strerror(-error));
		spool_close(s);
		return error;
	}
	s->ours = true;
	*out = s;
	return 0;
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	if (s->ours) {
		spool_tell_losses(s);
		spool_losses_store(s->dir, &s->losses);
	}
	for (int i = 0; i < STREAM_COUNT; i++) {
		struct spool_stream *st = &s->streams[i];
		if (s->ours && !s->failed)
			spool_close_segment(s, st);
		if (st->fd >= 0)
			close(st->fd);
		spool_known_finish(&st->filed);
		spool_known_finish(&st->current);
	}
	if (s->lock >= 0)
		close(s->lock);
	spool_losses_finish(&s->losses);
	buf_finish(&s->frame);
	buf_finish(&s->report);
	ZSTD_freeCCtx(s->zstd);
	free(s);
}

/* ---- writing ---- */

static int pack_frame(struct spool *s, const struct batch_identity *id, uint32_t records,
		      const void *batch, size_t n)
{
	size_t bound = ZSTD_compressBound(n);

	buf_clear(&s->frame);
	if (records > UINT16_MAX || n > WIRE_BATCH_MOST)
		return -E2BIG;
	if (!buf_reserve(&s->frame, SPOOL_HEADER + bound))
		return -ENOMEM;
	char *payload = s->frame.data + SPOOL_HEADER;
	size_t length = ZSTD_compress2(s->zstd, payload, bound, batch, n);
	if (ZSTD_isError(length))
		return -ENOMEM;
	const struct spool_header h = {
		.length = (uint32_t)length,
		.stream = id->stream,
		.records = (uint16_t)records,
		.epoch = id->epoch,
		.sequence = id->sequence,
	};
	spool_header_pack(&h, payload, (uint8_t *)s->frame.data);
	s->frame.len = SPOOL_HEADER + length;
	return 0;
}

static int write_at(struct spool_stream *st, const char *bytes, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t more = pwrite(st->fd, bytes + done, n - done, (off_t)(st->offset + done));
		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			return -errno;
		done += (size_t)more;
	}
	return 0;
}

int spool_put(struct spool *s, const struct batch_identity *id, uint32_t records, const void *batch,
	      size_t n)
{
	struct spool_stream *st = &s->streams[id->stream];
	int error = pack_frame(s, id, records, batch, n);

	if (!error && st->fd >= 0 && s->frame.len > st->size - st->offset)
		error = spool_close_segment(s, st);
	if (!error && st->fd < 0)
		error = open_segment(s, st, s->frame.len);
	if (error)
		return error;
	error = write_at(st, s->frame.data, s->frame.len);
	if (error) {
		/* What was written of it must not be found later. */
		if (ftruncate(st->fd, (off_t)st->offset))
			s->failed = -errno;
		st->size = st->offset;
		if (!is_full(error))
			s->failed = error;
		return error;
	}
	st->offset += s->frame.len;
	st->dirty = true;
	s->stats.batches++;
	s->stats.records += records;
	s->stats.bytes += s->frame.len;
	return spool_known_note(&st->current, id->epoch, id->sequence);
}

static void remember_envelope(struct spool *s, const struct batch_identity *id)
{
	snprintf(s->sensor, sizeof(s->sensor), "%s", id->sensor);
	snprintf(s->revision, sizeof(s->revision), "%s",
		 id->site_revision ? id->site_revision : "");
	snprintf(s->exercise, sizeof(s->exercise), "%s", id->exercise ? id->exercise : "");
}

int spool_write(struct spool *s, const struct batch_identity *id, uint32_t records,
		const void *batch, size_t n)
{
	assert((unsigned)id->stream < STREAM_COUNT && id->sequence > 0);
	assert(wire_sensor_name_is_valid(id->sensor));
	const struct spool_stream *st = &s->streams[id->stream];

	remember_envelope(s, id);
	if (spool_known_last(&st->current, id->epoch) >= id->sequence ||
	    spool_known_last(&st->filed, id->epoch) >= id->sequence) {
		s->stats.known++;
		return 0;
	}
	int error = s->failed ? s->failed : s->ended;
	if (!error) {
		spool_tell_losses(s);
		error = spool_put(s, id, records, batch, n);
	}
	if (!error)
		return 0;
	s->stats.refused += records;
	/* A later batch would make a refused one of its epoch pass for known. */
	if (s->options.replay)
		s->ended = error;
	else
		spool_losses_add(&s->losses, id->stream, id->epoch, id->sequence, records);
	return error;
}

int spool_flush(struct spool *s)
{
	int error = s->failed;

	if (!error)
		spool_tell_losses(s);
	for (int i = 0; !error && s->options.sync && i < STREAM_COUNT; i++)
		error = sync_segment(s, &s->streams[i]);
	if (!s->losses.stored)
		spool_losses_store(s->dir, &s->losses);
	return error;
}

struct spool_stats spool_stats(const struct spool *s)
{
	return s->stats;
}
