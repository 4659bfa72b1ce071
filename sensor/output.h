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
	uint64_t epoch;
};

struct output;

/* NULL with `why`. The options' texts are borrowed for the output's life. */
struct output *output_open(const struct output_options *options, struct counters *counters,
			   char why[256]);

/* Takes one record. A full disk does not stop the meter: what is lost is
 * counted, and output_problem() tells. */
void output_record(struct output *o, const struct record *record);

/* True for a spool: whole batches alone are written, so that the same replay,
 * started again, goes on behind them. */
bool output_resumes(const struct output *o);

/* Sends what is waiting. 0, or -errno of the first thing that went wrong ever. */
int output_flush(struct output *o);
/* 0, or -errno of the first failure: -EPIPE when nobody reads any more. */
int output_problem(const struct output *o);
void output_close(struct output *o); /* does not flush; accepts NULL */
