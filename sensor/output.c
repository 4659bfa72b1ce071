/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "schema/wire.h"

enum {
	BATCH_RECORDS = 1000,
	BATCH_BYTES = 512 * 1024,
	JSON_BYTES = 256 * 1024, /* written at once */
};

struct batch {
	struct buf bytes;
	uint32_t records;
	uint64_t sequence; /* of the last one written */
};

struct output {
	struct output_options options;
	struct counters *counters;
	struct spool *spool;
	struct batch batches[STREAM_COUNT]; /* json uses the first only */
	int problem;
	bool abandoned;
};

struct output *output_open(const struct output_options *options, struct counters *counters,
			   char why[256])
{
	struct output *o = calloc(1, sizeof(*o));

	if (!o) {
		snprintf(why, 256, "not enough memory");
		return NULL;
	}
	o->options = *options;
	o->counters = counters;
	if (!options->json && spool_open(&options->spool, &o->spool, why)) {
		output_close(o);
		return NULL;
	}
	return o;
}

void output_close(struct output *o)
{
	if (!o)
		return;
	for (int i = 0; i < STREAM_COUNT; i++)
		buf_finish(&o->batches[i].bytes);
	spool_close(o->spool);
	free(o);
}

static void note(struct output *o, int error)
{
	if (error && !o->problem)
		o->problem = error;
}

static void write_json(struct output *o)
{
	struct buf *b = &o->batches[0].bytes;

	if (!o->problem && b->len)
		note(o, file_write_all(STDOUT_FILENO, b->data, b->len));
	if (o->problem)
		o->counters->spool_refused += o->batches[0].records;
	o->batches[0].records = 0;
	buf_clear(b);
}

static void write_batch(struct output *o, enum stream stream)
{
	struct batch *b = &o->batches[stream];
	struct batch_identity identity = {
		.sensor = o->options.sensor,
		.stream = stream,
		.epoch = o->options.epoch,
		.sequence = ++b->sequence,
		.site_revision = o->options.site_revision,
		.exercise = o->options.exercise,
	};

	int error = wire_append_identity(&b->bytes, &identity);
	if (!error)
		error = spool_write(o->spool, &identity, b->records, b->bytes.data, b->bytes.len);
	if (error)
		o->counters->spool_refused += b->records;
	note(o, error);
	buf_clear(&b->bytes);
	b->records = 0;
}

static void take_json(struct output *o, const struct record *record)
{
	struct batch *b = &o->batches[0];

	record_json(record, &b->bytes);
	buf_char(&b->bytes, '\n');
	b->records++;
	if (b->bytes.failed)
		note(o, -ENOMEM);
	if (b->bytes.len >= JSON_BYTES)
		write_json(o);
}

static void take_batch(struct output *o, const struct record *record)
{
	enum stream stream = record_stream(record->type);
	struct batch *b = &o->batches[stream];

	note(o, wire_append_record(&b->bytes, record));
	b->records++;
	if (b->records >= BATCH_RECORDS || b->bytes.len >= BATCH_BYTES)
		write_batch(o, stream);
}

void output_record(struct output *o, const struct record *record)
{
	if (o->abandoned)
		return;
	o->counters->records++;
	if (o->options.json)
		take_json(o, record);
	else
		take_batch(o, record);
}

bool output_abandon(struct output *o)
{
	if (o->options.json)
		return false;
	for (int i = 0; i < STREAM_COUNT; i++) {
		buf_clear(&o->batches[i].bytes);
		o->batches[i].records = 0;
	}
	return o->abandoned = true;
}

void output_set_marks(struct output *o, const char *site_revision, const char *exercise)
{
	o->options.site_revision = site_revision;
	o->options.exercise = exercise;
}

int output_flush(struct output *o)
{
	if (o->options.json) {
		write_json(o);
		return o->problem;
	}
	for (int i = 0; i < STREAM_COUNT; i++)
		if (o->batches[i].records)
			write_batch(o, (enum stream)i);
	note(o, spool_flush(o->spool));
	struct spool_stats stats = spool_stats(o->spool);
	o->counters->batches = stats.batches;
	o->counters->batches_known = stats.known;
	return o->problem;
}

int output_problem(const struct output *o)
{
	return o->problem;
}
