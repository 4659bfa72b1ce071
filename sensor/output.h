/* SPDX-License-Identifier: Apache-2.0
 *
 * Where records go when they leave the meter: lines of JSON on standard
 * output, or batches in the spool. */
#pragma once

#include "exporters/spool.h"
#include "schema/counters.h"
#include "schema/record.h"

struct output_options {
	bool json; /* else the spool */
	struct spool_options spool;
	const char *sensor, *site_revision, *exercise;
	uint64_t epoch; /* of the replay: the same input has the same */
};

struct output;

/* NULL with `why`. The options' texts are borrowed for the output's life. */
struct output *output_open(const struct output_options *options, struct counters *counters,
			   char why[256]);

/* Takes one record. A full disk does not stop the meter: what is lost is
 * counted, and output_problem() tells. */
void output_record(struct output *o, const struct record *record);

/* Takes nothing more, and forgets what waits, if it goes to the spool: for a replay
 * that ends early. What it would still write has the names of batches that the same
 * replay, started again, fills differently. False, and nothing done, for JSON. */
bool output_abandon(struct output *o);

/* Batches begun from now on carry another revision of the site file, and another
 * exercise or none (NULL); borrowed. To be called when nothing waits. */
void output_set_marks(struct output *o, const char *site_revision, const char *exercise);

/* Sends what is waiting. 0, or -errno of the first thing that went wrong ever. */
int output_flush(struct output *o);
/* 0, or -errno of the first failure: -EPIPE when nobody reads any more. */
int output_problem(const struct output *o);
void output_close(struct output *o); /* does not flush; accepts NULL */
