/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/spool_tools.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "exporters/spool.h"
#include "exporters/spool_files.h"
#include "exporters/spool_format.h"

enum { DONE = 0, DAMAGED = 1, NO_SPOOL = 2 };

struct tally {
	const char *dir;
	struct buf *out;
	struct spool_segments segments;
	struct buf bytes, batch;
	uint64_t batches, records, damage;
	bool deep; /* unpack every batch, and tell damage */
};

static bool is_spool(const char *dir, struct buf *out)
{
	char path[PATH_MAX];
	struct stat st;

	for (int i = 0; i < STREAM_COUNT; i++)
		if (!spool_join(path, "%s/%s", dir, stream_name((enum stream)i)) &&
		    !stat(path, &st) && S_ISDIR(st.st_mode))
			return true;
	buf_format(out,
		   "%s: no spool here (a spool has the folders alerts, health and flows); "
		   "give the `dir` of the sensor's configuration\n",
		   dir);
	return false;
}

static void damage(struct tally *t, enum stream stream, uint64_t number, size_t offset,
		   const char *what)
{
	t->damage++;
	if (t->deep)
		buf_format(t->out, "%s/%016" PRIu64 ".seg: at %zu: %s\n", stream_name(stream),
			   number, offset, what);
}

static int count_record(void *context, const struct record *record)
{
	(void)record;
	++*(uint32_t *)context;
	return 0;
}

/* What is wrong with a frame's batch, or NULL. */
static const char *check_batch(struct tally *t, const struct spool_frame *frame)
{
	struct arena arena = { 0 };
	struct batch_identity id;
	const char *why = NULL;
	uint32_t records = 0;

	buf_clear(&t->batch);
	int error = spool_unpack(frame, &t->batch, &why);
	if (!error)
		error = wire_unpack(t->batch.data, t->batch.len, &arena, &id, count_record,
				    &records, &why);
	if (error && !why)
		why = strerror(-error);
	else if (!error && (id.stream != frame->stream || id.epoch != frame->epoch ||
			    id.sequence != frame->sequence || records != frame->records))
		why = "the batch inside is not the one that its frame names";
	arena_finish(&arena);
	return why;
}

static void one_segment(struct tally *t, enum stream stream, uint64_t number, bool newest)
{
	struct spool_header h;
	const uint8_t *payload;
	size_t offset;

	int error = spool_segment_load(t->dir, stream, number, &t->bytes);
	if (error == -ENOENT) /* acknowledged and deleted meanwhile */
		return;
	if (error)
		damage(t, stream, number, 0, strerror(-error));
	struct spool_walk w = spool_walk_of(t->bytes.data, error ? 0 : t->bytes.len, stream);
	for (uint64_t seen = 0; spool_walk_next(&w, &h, &payload, &offset);) {
		if (w.damaged > seen)
			damage(t, stream, number, offset, "bytes before this frame are damaged");
		seen = w.damaged;
		t->batches++;
		t->records += h.records;
		const struct spool_frame frame = {
			stream, h.epoch, h.sequence, h.records, payload, h.length, number, offset,
		};
		const char *why = t->deep ? check_batch(t, &frame) : NULL;
		if (why)
			damage(t, stream, number, offset, why);
	}
	/* The newest may have a frame that is just being written. */
	if (w.torn && !newest)
		damage(t, stream, number, w.offset, "torn: no whole frame follows");
	else if (w.torn && t->deep)
		buf_format(t->out,
			   "%s/%016" PRIu64 ".seg: at %zu: a frame is being written, or was "
			   "torn; the sensor cuts it off when it starts\n",
			   stream_name(stream), number, w.offset);
}

static int one_stream(struct tally *t, enum stream stream)
{
	t->batches = t->records = 0;
	int error = spool_segments_list(t->dir, stream, &t->segments);
	if (error) {
		buf_format(t->out, "%s/%s: cannot be read: %s\n", t->dir, stream_name(stream),
			   strerror(-error));
		return error;
	}
	for (size_t i = 0; i < t->segments.count; i++)
		one_segment(t, stream, t->segments.list[i].number, i + 1 == t->segments.count);
	buf_format(t->out, "%-8s %8zu %14" PRIu64 " %10" PRIu64 " %12" PRIu64 "\n",
		   stream_name(stream), t->segments.count, spool_segments_bytes(&t->segments),
		   t->batches, t->records);
	return 0;
}

static void tally_finish(struct tally *t)
{
	spool_segments_finish(&t->segments);
	buf_finish(&t->bytes);
	buf_finish(&t->batch);
}

static int all_streams(struct tally *t)
{
	int result = DONE;

	if (!is_spool(t->dir, t->out))
		return NO_SPOOL;
	buf_text(t->out, "STREAM   SEGMENTS          BYTES    BATCHES      RECORDS\n");
	for (int i = 0; result == DONE && i < STREAM_COUNT; i++)
		if (one_stream(t, (enum stream)i))
			result = NO_SPOOL;
	return result;
}

/* Batches of a stream that stand behind a destination's position. */
static uint64_t waiting(const char *dir, const char *destination, enum stream stream)
{
	struct spool_position from;
	struct spool_reader *r;
	struct spool_frame frame;
	char why[256];
	uint64_t n = 0;

	int error = spool_load_position(dir, destination, stream, &from);
	if ((error && error != -EBADMSG) || spool_reader_open(dir, stream, from, &r, why))
		return 0;
	while (spool_read(r, &frame) == 1)
		n++;
	spool_reader_close(r);
	return n;
}

static void destinations(const char *dir, struct buf *out)
{
	char path[PATH_MAX];
	DIR *folder = spool_join(path, "%s/acks", dir) ? NULL : opendir(path);
	bool any = false;

	for (struct dirent *e; folder && (e = readdir(folder));) {
		if (!wire_sensor_name_is_valid(e->d_name) || strstr(e->d_name, ".tmp"))
			continue;
		if (!any)
			buf_text(out,
				 "\nDESTINATION            BATCHES LEFT: alerts, health, flows\n");
		any = true;
		buf_format(out, "%-22s", e->d_name);
		for (int i = 0; i < STREAM_COUNT; i++)
			buf_format(out, "%s %" PRIu64, i ? "," : "",
				   waiting(dir, e->d_name, (enum stream)i));
		buf_char(out, '\n');
	}
	if (!any)
		buf_text(out, "\nno destination has acknowledged anything yet\n");
	if (folder)
		closedir(folder);
}

int spool_list(const char *dir, struct buf *out)
{
	struct tally t = { .dir = dir, .out = out };
	int result = all_streams(&t);

	tally_finish(&t);
	if (result == DONE)
		destinations(dir, out);
	return result;
}

int spool_verify(const char *dir, struct buf *out)
{
	struct tally t = { .dir = dir, .out = out, .deep = true };
	int result = all_streams(&t);

	tally_finish(&t);
	if (result != DONE)
		return result;
	if (t.damage)
		buf_format(out, "%" PRIu64 " damaged places\n", t.damage);
	else
		buf_text(out, "no damage\n");
	return t.damage ? DAMAGED : DONE;
}
