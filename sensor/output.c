/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "schema/wire.h"

enum {
	BATCH_RECORDS = 1000,
	BATCH_BYTES = 512 * 1024,
	JSON_BYTES = 256 * 1024, /* written at once */
};

struct batch {
	struct buf bytes;
	struct wire_shared shared;
	uint32_t records;
};

struct output {
	struct output_options options;
	struct outlet *outlet, *own; /* own: NULL where several share one */
	struct counters *counters;
	struct batch batches[STREAM_COUNT]; /* json uses the first only */
	int problem;
	bool abandoned;
};

struct output *output_create(struct outlet *outlet, const struct output_options *options,
			     struct counters *counters)
{
	struct output *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->options = *options;
	o->outlet = outlet;
	o->counters = counters;
	return o;
}

struct output *output_alone(const struct outlet_options *to, const struct output_options *options,
			    struct counters *counters, char why[256])
{
	struct outlet *outlet = outlet_open(to, why);
	struct output *o = outlet ? output_create(outlet, options, counters) : NULL;

	if (o) {
		o->own = outlet;
		o->options.first = true;
		o->options.json = to->json;
	} else if (outlet) {
		snprintf(why, 256, "not enough memory");
		outlet_close(outlet);
	}
	return o;
}

void output_destroy(struct output *o)
{
	if (!o)
		return;
	for (int i = 0; i < STREAM_COUNT; i++) {
		buf_finish(&o->batches[i].bytes);
		wire_shared_finish(&o->batches[i].shared);
	}
	outlet_close(o->own);
	free(o);
}

static void note(struct output *o, int error)
{
	if (error && !o->problem)
		o->problem = error;
}

static void put(struct output *o, enum stream stream)
{
	struct batch *b = &o->batches[stream];

	if (!o->options.json)
		note(o, wire_append_shared(&b->bytes, &b->shared));
	outlet_put(o->outlet, &(struct outlet_batch){
				      .bytes = &b->bytes,
				      .stream = stream,
				      .records = b->records,
				      .site_revision = o->options.site_revision,
				      .exercise = o->options.exercise,
			      });
	note(o, outlet_problem(o->outlet));
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
		put(o, 0);
}

static void take_batch(struct output *o, const struct record *record)
{
	enum stream stream = record_stream(record->type);
	struct batch *b = &o->batches[stream];

	note(o, wire_append_record(&b->bytes, &b->shared, record));
	b->records++;
	if (b->records >= BATCH_RECORDS || b->bytes.len + b->shared.texts.len >= BATCH_BYTES)
		put(o, stream);
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

bool output_is_json(const struct output *o)
{
	return o->options.json;
}

bool output_abandon(struct output *o)
{
	if (o->options.json)
		return false;
	for (int i = 0; i < STREAM_COUNT; i++) {
		buf_clear(&o->batches[i].bytes);
		wire_shared_clear(&o->batches[i].shared);
		o->batches[i].records = 0;
	}
	return o->abandoned = true;
}

void output_set_marks(struct output *o, const char *site_revision, const char *exercise)
{
	o->options.site_revision = site_revision;
	o->options.exercise = exercise;
}

static void take_stats(struct output *o)
{
	struct outlet_stats stats = outlet_stats(o->outlet);

	o->counters->batches = stats.batches;
	o->counters->batches_known = stats.known;
	o->counters->spool_refused = stats.refused;
}

int output_flush(struct output *o)
{
	for (int i = 0; i < STREAM_COUNT; i++)
		if (o->batches[i].records)
			put(o, (enum stream)i);
	outlet_flush(o->outlet);
	if (o->options.first)
		take_stats(o);
	return output_problem(o);
}

int output_problem(const struct output *o)
{
	return o->problem ? o->problem : outlet_problem(o->outlet);
}
