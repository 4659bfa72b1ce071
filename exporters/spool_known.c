/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/spool_files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { FILE_MOST = 2 << 20 };

static struct spool_epoch *find(const struct spool_known *known, uint64_t epoch)
{
	for (size_t i = known->count; i > 0; i--)
		if (known->list[i - 1].epoch == epoch)
			return &known->list[i - 1];
	return NULL;
}

static int grow(struct spool_known *known)
{
	size_t room = known->room ? 2 * known->room : 16;
	struct spool_epoch *list = realloc(known->list, room * sizeof(*list));

	if (!list)
		return -ENOMEM;
	known->list = list;
	known->room = room;
	return 0;
}

static void drop(struct spool_known *known, struct spool_epoch *e)
{
	size_t behind = (size_t)(known->list + known->count - (e + 1));
	memmove(e, e + 1, behind * sizeof(*e));
	known->count--;
}

int spool_known_note(struct spool_known *known, uint64_t epoch, uint64_t sequence)
{
	struct spool_epoch *e = find(known, epoch);

	if (e && e->sequence > sequence)
		sequence = e->sequence;
	if (e)
		drop(known, e);
	else if (known->count == SPOOL_EPOCHS_MOST)
		drop(known, known->list);
	if (known->count == known->room && grow(known))
		return -ENOMEM;
	known->list[known->count++] = (struct spool_epoch){ epoch, sequence };
	return 0;
}

int spool_known_merge(struct spool_known *known, const struct spool_known *other)
{
	int error = 0;

	for (size_t i = 0; !error && i < other->count; i++)
		error = spool_known_note(known, other->list[i].epoch, other->list[i].sequence);
	return error;
}

uint64_t spool_known_last(const struct spool_known *known, uint64_t epoch)
{
	const struct spool_epoch *e = find(known, epoch);
	return e ? e->sequence : 0;
}

void spool_known_clear(struct spool_known *known)
{
	known->count = 0;
}

void spool_known_finish(struct spool_known *known)
{
	free(known->list);
	*known = (struct spool_known){ 0 };
}

static int read_lines(struct spool_known *known, char *text)
{
	for (char *line; (line = strsep(&text, "\n")) && *line;) {
		uint64_t epoch, sequence;
		if (sscanf(line, "closed %" SCNu64, &known->closed) == 1)
			continue;
		if (sscanf(line, "%" SCNx64 " %" SCNu64, &epoch, &sequence) != 2)
			return -EBADMSG;
		int error = spool_known_note(known, epoch, sequence);
		if (error)
			return error;
	}
	return 0;
}

int spool_known_load(const char *dir, enum stream stream, struct spool_known *out)
{
	char path[PATH_MAX];
	struct buf text = { 0 };
	int error = spool_join(path, "%s/%s/known", dir, stream_name(stream));

	if (!error)
		error = file_read(path, FILE_MOST, &text);
	if (!error)
		error = spool_text_open(&text) ? read_lines(out, text.data) : -EBADMSG;
	buf_finish(&text);
	/* Damaged is as good as absent: the segments tell, as far as they are there. */
	if (error == -EBADMSG || error == -ENOENT || error == -EFBIG) {
		spool_known_clear(out);
		out->closed = 0;
		error = 0;
	}
	return error;
}

int spool_known_store(const char *dir, enum stream stream, const struct spool_known *known)
{
	char path[PATH_MAX];
	struct buf text = { 0 };
	int error = spool_join(path, "%s/%s/known", dir, stream_name(stream));

	if (error)
		return error;
	buf_format(&text, "closed %" PRIu64 "\n", known->closed);
	for (size_t i = 0; i < known->count; i++)
		buf_format(&text, "%016" PRIx64 " %" PRIu64 "\n", known->list[i].epoch,
			   known->list[i].sequence);
	spool_text_seal(&text);
	error = text.failed ? -ENOMEM : file_replace(path, text.data, text.len, 0640);
	buf_finish(&text);
	return error;
}
