/* SPDX-License-Identifier: Apache-2.0
 *
 * Where records go when they leave the meter: lines of JSON, or batches, on
 * their way to the outlet. Each worker has one of its own. */
#pragma once

#include "schema/counters.h"
#include "schema/record.h"
#include "sensor/outlet.h"

struct output_options {
	const char *site_revision, *exercise; /* borrowed */
	bool json;                            /* as the outlet's */
	bool first; /* of several: its counters get the outlet's figures */
};

struct output;

/* The outlet is borrowed; NULL: no memory. */
struct output *output_create(struct outlet *outlet, const struct output_options *options,
			     struct counters *counters);
/* With an outlet of its own, for one pipeline alone. NULL with `why`. */
struct output *output_alone(const struct outlet_options *to, const struct output_options *options,
			    struct counters *counters, char why[256]);
void output_destroy(struct output *o); /* does not flush; accepts NULL */

/* Takes one record. A full disk does not stop the meter: what is lost is
 * counted, and output_problem() tells. */
void output_record(struct output *o, const struct record *record);

/* Records become lines of JSON, not batches. */
bool output_is_json(const struct output *o);

/* Takes nothing more, and forgets what waits, if it goes to the spool: for a replay
 * that ends early. What it would still write has the names of batches that the same
 * replay, started again, fills differently. False, and nothing done, for JSON. */
bool output_abandon(struct output *o);

/* Batches begun from now on carry another revision of the site file, and another
 * exercise or none (NULL); borrowed. To be called when nothing waits, here or in the
 * outlet. */
void output_set_marks(struct output *o, const char *site_revision, const char *exercise);

/* Hands what is waiting to the outlet, and that to the disk (outlet_flush). 0, or
 * -errno of the first thing that went wrong ever. */
int output_flush(struct output *o);
/* 0, or -errno of the first failure: -EPIPE when nobody reads any more. */
int output_problem(const struct output *o);
