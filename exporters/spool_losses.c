/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/spool_losses.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "exporters/spool_files.h"

enum { FILE_MOST = 16 << 20, MINUTE = 60 * USEC_PER_SECOND };

static int add(struct spool_losses *l, const struct spool_loss *loss)
{
	if (l->count == l->room) {
		size_t room = l->room ? 2 * l->room : 16;
		struct spool_loss *list = realloc(l->list, room * sizeof(*list));
		if (!list)
			return -ENOMEM;
		l->list = list;
		l->room = room;
	}
	l->list[l->count++] = *loss;
	return 0;
}

int spool_losses_add(struct spool_losses *l, enum stream stream, uint64_t epoch, uint64_t sequence,
		     uint64_t records)
{
	l->stored = false;
	for (size_t i = l->count; i > l->telling; i--) {
		struct spool_loss *loss = &l->list[i - 1];
		if (loss->stream != stream || loss->epoch != epoch)
			continue;
		if (loss->last + 1 != sequence)
			break;
		loss->last = sequence;
		loss->records += records;
		return 0;
	}
	return add(l, &(struct spool_loss){ stream, epoch, sequence, sequence, records });
}

void spool_losses_drop(struct spool_losses *l, size_t n)
{
	l->count -= n;
	memmove(l->list, l->list + n, l->count * sizeof(*l->list));
	l->telling = 0;
	l->stored = false;
}

void spool_losses_finish(struct spool_losses *l)
{
	free(l->list);
	*l = (struct spool_losses){ 0 };
}

int spool_losses_load(const char *dir, struct spool_losses *out)
{
	char path[PATH_MAX];
	struct buf text = { 0 };
	int error = spool_join(path, "%s/losses", dir);

	if (!error)
		error = file_read(path, FILE_MOST, &text);
	char *rest = text.data;
	for (char *line; !error && (line = strsep(&rest, "\n")) && *line;) {
		char word[16];
		struct spool_loss loss;
		if (sscanf(line, "%15s %" SCNx64 " %" SCNu64 " %" SCNu64 " %" SCNu64, word,
			   &loss.epoch, &loss.first, &loss.last, &loss.records) != 5 ||
		    stream_of(word) < 0)
			continue;
		loss.stream = (enum stream)stream_of(word);
		error = add(out, &loss);
	}
	buf_finish(&text);
	out->stored = true;
	return error == -ENOENT ? 0 : error;
}

int spool_losses_store(const char *dir, struct spool_losses *l)
{
	char path[PATH_MAX];
	struct buf text = { 0 };
	int error = spool_join(path, "%s/losses", dir);

	if (error || l->stored)
		return error;
	for (size_t i = 0; i < l->count; i++)
		buf_format(&text, "%s %016" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
			   stream_name(l->list[i].stream), l->list[i].epoch, l->list[i].first,
			   l->list[i].last, l->list[i].records);
	if (text.failed)
		error = -ENOMEM;
	else if (l->count)
		error = file_replace(path, text.data, text.len, 0640);
	else if (unlink(path) && errno != ENOENT)
		error = -errno;
	l->stored = !error;
	buf_finish(&text);
	return error;
}

static int pack_one(const struct spool_loss *loss, struct usec minute, struct wire_shared *shared,
		    struct buf *out)
{
	static const char *const nouns[] = { "epoch", "first", "last", "records" };
	const uint64_t values[] = { loss->epoch, loss->first, loss->last, loss->records };
	char names[4][32];
	struct record_counter counters[4];

	for (size_t i = 0; i < 4; i++) {
		snprintf(names[i], sizeof(names[i]), "lost.%s.%s", stream_name(loss->stream),
			 nouns[i]);
		counters[i] = (struct record_counter){ names[i], values[i] };
	}
	struct record record = {
		.type = RECORD_HEALTH,
		.health = {
			.version = VIGIE_VERSION,
			.minute = minute,
			.counters = counters,
			.counter_count = 4,
		},
	};
	return wire_append_record(out, shared, &record);
}

int spool_losses_pack(const struct spool_losses *l, size_t n, const struct batch_identity *identity,
		      struct buf *out)
{
	struct usec minute = clock_wall();
	struct wire_shared shared = { 0 };
	int error = wire_append_identity(out, identity);

	minute.v -= minute.v % MINUTE;
	for (size_t i = 0; !error && i < n; i++)
		error = pack_one(&l->list[i], minute, &shared, out);
	if (!error)
		error = wire_append_shared(out, &shared);
	wire_shared_finish(&shared);
	return error;
}
