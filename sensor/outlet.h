/* SPDX-License-Identifier: Apache-2.0
 *
 * The one way out for all workers' batches: the spool, or standard output. A
 * replay writes as it goes; a live sensor has a thread for it, so that no disk
 * and no compression ever holds up capture. What waits is bounded: a worker that
 * finds no room waits, its ring fills, and what then gets lost is counted there. */
#pragma once

#include "exporters/spool.h"

struct outlet_options {
	bool json; /* standard output; else the spool */
	struct spool_options spool;
	const char *sensor;
	uint64_t epoch; /* of the replay: the same input has the same */
};

struct outlet;

/* Most memory that batches take while they wait. */
enum { OUTLET_MEMORY_MOST = 64 << 20 };

/* The options' texts are borrowed. NULL with `why`. */
struct outlet *outlet_open(const struct outlet_options *options, char why[256]);
/* Starts the thread; to be called inside the sandbox. 0 or -errno. */
int outlet_start(struct outlet *o);
/* Writes all that waits, ends the thread. Accepts NULL. */
void outlet_close(struct outlet *o);

struct outlet_batch {
	struct buf *bytes; /* taken: an empty one stands there afterwards */
	enum stream stream;
	uint32_t records;
	const char *site_revision, *exercise; /* borrowed until it is written */
};

/* From any thread. What could not be written is counted, and outlet_problem() tells. */
void outlet_put(struct outlet *o, const struct outlet_batch *batch);

/* Brings what was put to the disk: at once, or soon where a thread does it. */
void outlet_flush(struct outlet *o);
/* Waits until all of it is there. */
void outlet_settle(struct outlet *o);

/* 0, or -errno of the first failure: -EPIPE when nobody reads any more. */
int outlet_problem(struct outlet *o);

struct outlet_stats {
	uint64_t batches, known, refused; /* refused: records */
	unsigned fill;                    /* of the room for batches that wait, in percent */
};
struct outlet_stats outlet_stats(struct outlet *o);
