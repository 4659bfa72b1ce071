/* SPDX-License-Identifier: Apache-2.0
 *
 * How a live sensor is, at one moment: plain numbers, and the JSON that
 * `vigie-sensor status` asks for (docs/records.md). */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "exporters/spool.h"
#include "schema/counters.h"

enum { STATUS_INTERFACES_MOST = 16, STATUS_WORKERS_MOST = 64, STATUS_DESTINATIONS_MOST = 16 };

enum status_link { STATUS_UP, STATUS_DOWN, STATUS_GONE };

struct status_interface {
	const char *name; /* borrowed */
	enum status_link link;
	uint64_t packets, drops_kernel, drops_interface; /* since the start */
	uint64_t ring_bytes, ring_used;
	bool ring_known; /* `ring_used` is */
};

/* One worker's own, copied; whoever fills this in sees to it that no copy is torn. */
struct status_worker {
	struct counters counters;
	size_t flows; /* open */
	unsigned shed;
};

struct status {
	const char *sensor, *site_revision, *exercise; /* borrowed; the last may be NULL */
	struct usec now, uptime;
	struct status_interface interfaces[STATUS_INTERFACES_MOST];
	struct status_worker workers[STATUS_WORKERS_MOST];
	size_t interface_count, worker_count;
	size_t flows_most; /* of all workers' tables together */
	uint64_t rss, dpi_memory;
	struct spool_lag destinations[STATUS_DESTINATIONS_MOST];
	size_t destination_count;
	uint64_t spool_bytes;
	bool spool;                 /* there is one */
	uint64_t answered, dropped; /* clients of the status socket */
};

/* Adds what the workers counted; of levels the highest is taken. */
void status_sum(const struct status *s, struct counters *out);

/* What went by, second by second, for rates. Zeroed is empty. */
enum { STATUS_SECONDS = 60 };
struct status_rates {
	struct status_sample {
		struct usec at; /* monotonic */
		uint64_t packets, bytes, flows;
	} samples[STATUS_SECONDS + 1]; /* a ring; the newest is `last` */
	size_t count, last;
};

/* To be called once a second with the sums so far. */
void status_rates_note(struct status_rates *r, struct usec now, const struct counters *sums);

/* Per second, over the `seconds` before the newest sample or as many as there were. */
struct status_rate {
	double packets, bits, flows;
};
bool status_rates_over(const struct status_rates *r, unsigned seconds, struct status_rate *out);

/* Appends the document, on one line. */
void status_json(const struct status *s, const struct status_rates *rates, struct buf *out);
