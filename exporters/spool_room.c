/* SPDX-License-Identifier: Apache-2.0
 *
 * A full spool: what goes first, and how that is told. */
#include "exporters/spool_writer.h"

#include <errno.h>
#include <unistd.h>

#include "exporters/spool_format.h"

enum { TOLD_AT_ONCE = 1000 };

/* Counts what nobody has acknowledged of a segment as lost. */
static int count_losses(struct spool *s, enum stream stream, uint64_t number)
{
	struct buf bytes = { 0 };
	struct spool_position acknowledged = { 0 };
	struct spool_header h;
	const uint8_t *payload;
	size_t offset;
	int error = spool_segment_load(s->dir, stream, number, &bytes);
	struct spool_walk w = spool_walk_of(bytes.data, bytes.len, stream);

	spool_least_position(s->dir, stream, &acknowledged);
	while (!error && spool_walk_next(&w, &h, &payload, &offset)) {
		if (number < acknowledged.segment ||
		    (number == acknowledged.segment && offset < acknowledged.offset))
			continue;
		s->stats.lost += h.records;
		error = spool_losses_add(&s->losses, stream, h.epoch, h.sequence, h.records);
	}
	buf_finish(&bytes);
	return error;
}

static int throw_away(struct spool *s, enum stream stream, uint64_t number)
{
	char path[PATH_MAX];
	int error = spool_segment_path(s->dir, stream, number, path);

	if (!error)
		error = count_losses(s, stream, number);
	/* The shipper may have been quicker: nothing is lost then. */
	if (error)
		return error == -ENOENT ? 0 : error;
	/* On disk before the deed, so that a crash cannot hide it. On a full disk
	 * the list in memory has to do. */
	spool_losses_store(s->dir, &s->losses);
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

/* Frees something of the least precious stream that may go: 0, -ENOSPC when there
 * is nothing. */
static int free_oldest(struct spool *s, enum stream least)
{
	struct spool_segments list = { 0 };
	int error = -ENOSPC;

	for (int i = STREAM_COUNT - 1; error == -ENOSPC && i >= (int)least; i--) {
		struct spool_stream *st = &s->streams[i];
		int failed = spool_segments_list(s->dir, st->stream, &list);
		if (failed)
			error = failed;
		else if (list.count == 0)
			continue;
		else if (st->fd >= 0 && list.list[0].number == st->number)
			/* Its unused room may be enough. */
			error = spool_close_segment(s, st);
		else
			error = throw_away(s, st->stream, list.list[0].number);
	}
	spool_segments_finish(&list);
	return error;
}

static int measure(const struct spool *s, uint64_t *bytes)
{
	struct spool_segments list = { 0 };
	int error = 0;

	*bytes = 0;
	for (int i = 0; !error && i < STREAM_COUNT; i++) {
		error = spool_segments_list(s->dir, (enum stream)i, &list);
		*bytes += spool_segments_bytes(&list);
	}
	spool_segments_finish(&list);
	return error;
}

int spool_make_room(struct spool *s, enum stream stream, uint64_t need)
{
	for (;;) {
		uint64_t used;
		int error = measure(s, &used);
		if (error || used + need <= s->options.max_bytes)
			return error;
		error = free_oldest(s, stream);
		if (error)
			return error;
	}
}

void spool_tell_losses(struct spool *s)
{
	size_t n = s->losses.count < TOLD_AT_ONCE ? s->losses.count : TOLD_AT_ONCE;
	const struct batch_identity identity = {
		.sensor = s->sensor,
		.stream = STREAM_HEALTH,
		.epoch = s->own_epoch,
		.sequence = s->own_sequence + 1,
		.site_revision = s->revision,
		.exercise = s->exercise,
	};

	if (!n || !*s->sensor || s->failed)
		return;
	buf_clear(&s->report);
	s->losses.telling = n;
	int error = spool_losses_pack(&s->losses, n, &identity, &s->report);
	if (!error)
		error = spool_put(s, &identity, (uint32_t)n, s->report.data, s->report.len);
	s->losses.telling = 0;
	if (error)
		return;
	s->own_sequence++;
	spool_losses_drop(&s->losses, n);
	spool_losses_store(s->dir, &s->losses);
}
