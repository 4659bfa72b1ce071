/* SPDX-License-Identifier: Apache-2.0
 *
 * Records as NDJSON, into a file or to standard output.
 *
 * A file gets each batch exactly once, also over kill -9: FILE.position holds the
 * file's length and the newest batch of each stream and epoch at the last report
 * of delivery. What stands behind that length when the file is opened was never
 * reported, comes again, and is cut off. Standard output has no such memory: there
 * a batch may come twice after a crash of the shipper. */
#include "exporters/exporter.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "schema/wire.h"

enum { TICKETS = 64, MARKS = 256, PENDING_MOST = 4 << 20, POSITION_MOST = 65536 };

/* The newest batch of one stream and epoch that the file holds. */
struct mark {
	enum stream stream;
	uint64_t epoch, sequence;
};

/* A batch that was taken, and is to be reported. */
struct outcome {
	uint64_t ticket;
	struct mark mark;
	const char *refused; /* why, or NULL */
};

struct ndjson {
	const char *path;
	bool sync;
	int fd;
	bool opened, is_file;
	uint64_t length; /* of the file, up to what is reported */
	struct buf pending, batch;
	struct arena arena;
	struct outcome outcomes[TICKETS];
	size_t outcome_count;
	struct mark marks[MARKS]; /* the one changed last stands last */
	size_t mark_count;
};

static struct mark *find_mark(struct ndjson *n, enum stream stream, uint64_t epoch)
{
	for (size_t i = n->mark_count; i > 0; i--)
		if (n->marks[i - 1].stream == stream && n->marks[i - 1].epoch == epoch)
			return &n->marks[i - 1];
	return NULL;
}

static void set_mark(struct ndjson *n, const struct mark *newest)
{
	struct mark *m = find_mark(n, newest->stream, newest->epoch);

	if (m && m->sequence > newest->sequence)
		return;
	if (!m && n->mark_count == MARKS)
		m = n->marks;
	if (m) {
		size_t behind = (size_t)(n->marks + n->mark_count - (m + 1));
		memmove(m, m + 1, behind * sizeof(*m));
		n->mark_count--;
	}
	n->marks[n->mark_count++] = *newest;
}

static void position_path(const struct ndjson *n, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s.position", n->path);
}

/* -ENOENT when there is none: nothing was ever written to this file. */
static int load_position(struct ndjson *n)
{
	char path[PATH_MAX];
	struct buf text = { 0 };

	position_path(n, path);
	int error = file_read(path, POSITION_MOST, &text);
	char *rest = error ? NULL : text.data;
	for (char *line; (line = strsep(&rest, "\n")) && *line;) {
		char word[16];
		struct mark m;
		if (sscanf(line, "length %" SCNu64, &n->length) == 1 ||
		    sscanf(line, "%15s %" SCNx64 " %" SCNu64, word, &m.epoch, &m.sequence) != 3 ||
		    stream_of(word) < 0)
			continue;
		m.stream = (enum stream)stream_of(word);
		set_mark(n, &m);
	}
	buf_finish(&text);
	return error;
}

static int store_position(struct ndjson *n)
{
	char path[PATH_MAX];
	struct buf text = { 0 };

	position_path(n, path);
	buf_format(&text, "length %" PRIu64 "\n", n->length);
	for (size_t i = 0; i < n->mark_count; i++)
		buf_format(&text, "%s %016" PRIx64 " %" PRIu64 "\n",
			   stream_name(n->marks[i].stream), n->marks[i].epoch,
			   n->marks[i].sequence);
	int error = text.failed ? -ENOMEM : file_replace(path, text.data, text.len, 0640);
	buf_finish(&text);
	return error;
}

static void configure(void *state, const struct yaml_node *destination, const char *sensor)
{
	struct ndjson *n = state;

	(void)sensor;
	n->fd = -1;
	n->sync = true;
	yaml_read_text(destination, "path", &n->path);
	yaml_read_bool(destination, "fsync", &n->sync);
	if (n->path && (!*n->path || strlen(n->path) > PATH_MAX - 32))
		yaml_problem(yaml_get(destination, "path"),
			     "is no path; a file's name, or \"-\" for standard output, would be "
			     "right");
}

static void reach(const void *state, struct sandbox *sandbox)
{
	const struct ndjson *n = state;

	if (strcmp(n->path, "-") != 0)
		sandbox_allow(sandbox, SANDBOX_WRITE_BESIDE, n->path);
}

static int open_file(struct ndjson *n)
{
	char path[PATH_MAX];
	struct stat st;

	n->fd = open(n->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	if (n->fd < 0 || fstat(n->fd, &st))
		return -errno;
	n->is_file = S_ISREG(st.st_mode);
	if (!n->is_file)
		return 0;
	uint64_t size = (uint64_t)st.st_size;
	/* A new file is to hold everything that comes, whatever an old one held. */
	position_path(n, path);
	if (size == 0 && unlink(path) && errno != ENOENT)
		return -errno;
	int error = load_position(n);
	if (error && error != -ENOENT)
		return error;
	/* Whoever shortened the file meant it. */
	if (error || n->length > size)
		n->length = size;
	if (ftruncate(n->fd, (off_t)n->length) || lseek(n->fd, (off_t)n->length, SEEK_SET) < 0)
		return -errno;
	/* From now on, what stands behind this length is known to be unreported. */
	return store_position(n);
}

static int open_output(void *state, char why[256])
{
	struct ndjson *n = state;
	int error = 0;

	if (!strcmp(n->path, "-"))
		n->fd = STDOUT_FILENO;
	else
		error = open_file(n);
	if (error)
		snprintf(why, 256,
			 "%.120s: cannot be written: %s; the shipper's user needs write "
			 "access to it and its folder",
			 n->path, strerror(-error));
	return error;
}

static int append_json(void *context, const struct record *record)
{
	struct buf *out = context;

	record_json(record, out);
	buf_char(out, '\n');
	return out->failed ? -ENOMEM : 0;
}

/* Unpacks a batch into lines behind those pending: NULL, or why it is refused. */
static const char *append_batch(struct ndjson *n, const struct spool_frame *frame)
{
	struct batch_identity identity;
	const char *why = NULL;
	size_t before = n->pending.len;

	buf_clear(&n->batch);
	arena_reset(&n->arena);
	int error = spool_unpack(frame, &n->batch, &why);
	if (!error)
		error = wire_unpack(n->batch.data, n->batch.len, &n->arena, &identity, append_json,
				    &n->pending, &why);
	if (!error)
		return NULL;
	n->pending.len = before;
	return why ? why : strerror(-error);
}

static int submit(void *state, uint64_t ticket, const struct spool_frame *frame)
{
	struct ndjson *n = state;

	if (n->outcome_count == TICKETS || n->pending.len > PENDING_MOST)
		return -EAGAIN;
	struct outcome o = { ticket, { frame->stream, frame->epoch, frame->sequence }, NULL };
	const struct mark *m = n->is_file ? find_mark(n, frame->stream, frame->epoch) : NULL;
	if (!m || frame->sequence > m->sequence)
		o.refused = append_batch(n, frame);
	n->outcomes[n->outcome_count++] = o;
	return 0;
}

/* Writes what is pending, and makes the position tell of it. */
static int commit(struct ndjson *n)
{
	struct mark saved[MARKS];
	size_t saved_count = n->mark_count;
	uint64_t length = n->length;

	if (n->pending.len == 0)
		return 0;
	int error = file_write_all(n->fd, n->pending.data, n->pending.len);
	if (!n->is_file)
		return error;
	if (!error && n->sync && fdatasync(n->fd))
		error = -errno;
	memcpy(saved, n->marks, sizeof(saved));
	for (size_t i = 0; i < n->outcome_count; i++)
		if (!n->outcomes[i].refused)
			set_mark(n, &n->outcomes[i].mark);
	n->length += n->pending.len;
	if (!error)
		error = store_position(n);
	if (!error)
		return 0;
	/* All of it comes again. */
	memcpy(n->marks, saved, sizeof(saved));
	n->mark_count = saved_count;
	n->length = length;
	if (ftruncate(n->fd, (off_t)length) || lseek(n->fd, (off_t)length, SEEK_SET) < 0)
		return -EIO;
	return error;
}

static int poll_output(void *state, struct usec wait, delivery_done *done, void *context)
{
	struct ndjson *n = state;
	char reason[256];

	if (n->outcome_count == 0) {
		usleep((useconds_t)wait.v);
		return 0;
	}
	int error = commit(n);
	buf_clear(&n->pending);
	if (error == -EPIPE || error == -EIO)
		return error;
	if (error)
		snprintf(reason, sizeof(reason), "%.120s: cannot be written: %s", n->path,
			 strerror(-error));
	size_t count = n->outcome_count;
	n->outcome_count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct outcome *o = &n->outcomes[i];
		struct delivery_report report = { .ticket = o->ticket };
		report.outcome = error ? DELAYED : o->refused ? REFUSED : DELIVERED;
		report.reason = error ? reason : o->refused;
		if (error)
			report.retry_after.v = USEC_PER_SECOND;
		done(context, &report);
	}
	return 0;
}

static void close_output(void *state)
{
	struct ndjson *n = state;

	if (n->fd > STDERR_FILENO)
		close(n->fd);
	buf_finish(&n->pending);
	buf_finish(&n->batch);
	arena_finish(&n->arena);
}

static const struct exporter_option options[] = {
	{ "path", "path", NULL, "file that lines are appended to; - is standard output" },
	{ "fsync", "flag", "true", "lines are on the disk before they count as delivered" },
	{ NULL },
};

const struct exporter exporter_ndjson = {
	.name = "ndjson",
	.summary = "records as JSON, one a line, into a file or to standard output",
	.options = options,
	.state_size = sizeof(struct ndjson),
	.configure = configure,
	.reach = reach,
	.open = open_output,
	.submit = submit,
	.poll = poll_output,
	.close = close_output,
};
