/* SPDX-License-Identifier: Apache-2.0
 *
 * The workers of a live sensor as one: made, started, stopped, given a new site
 * between two packets, and counted. */
#pragma once

#include "sensor/worker.h"

struct crew_options {
	unsigned workers;
	const struct pipeline_options *pipeline; /* of the whole: its sizes are shared out */
	const struct output_options *output;
	struct outlet *outlet;
	const struct shed_options *shed; /* borrowed */
	struct ports *ports;             /* borrowed, for reports */
	/* Borrowed; `workers` handles of each interface, one after the other. */
	struct live *const *inputs;
	size_t interfaces;
};

struct crew;

/* NULL with `why`. */
struct crew *crew_create(const struct crew_options *options, char why[256]);
/* Stopped before. Accepts NULL. */
void crew_destroy(struct crew *c);

/* Starts the threads, with all signals blocked; inside the sandbox. 0 or -errno. */
int crew_start(struct crew *c);
/* Ends the threads, then all flows, and hands the last records to the outlet. */
void crew_stop(struct crew *c);

/* Longer frames of this interface are marked as oversized. */
void crew_expect(struct crew *c, size_t interface, uint32_t longest);

/* Whether each worker has come by since the last call. */
bool crew_is_alive(struct crew *c);
/* Whether the output has failed for good. */
bool crew_has_failed(const struct crew *c);

/* The rest is of use while they run, and after. */
struct counters crew_counters(struct crew *c); /* the sum; up to a second old */
unsigned crew_size(const struct crew *c);
/* Of one worker, up to a second old. */
void crew_view(struct crew *c, unsigned worker, struct worker_view *out);

/* Other settings for all, between two packets: what the kernel has meanwhile waits in
 * its rings. What was borrowed for the ones before may be freed then. 0, or -ENOMEM:
 * the old ones stay. */
int crew_change(struct crew *c, const struct pipeline_settings *to);
