/* SPDX-License-Identifier: Apache-2.0
 *
 * The minute's coverage and health records of the whole sensor, put together
 * from what its workers met. */
#pragma once

#include "schema/counters.h"
#include "sensor/ledger.h"
#include "sensor/ports.h"

struct report;

/* NULL: no memory. The site is borrowed. */
struct report *report_create(const struct site *site, unsigned workers);
void report_destroy(struct report *r); /* accepts NULL */

/* The interfaces that all of it comes from live: borrowed; NULL: there are none. */
void report_watch(struct report *r, struct ports *ports);

/* One worker's minute. */
struct report_part {
	unsigned worker;
	int64_t minute;             /* since 1970 */
	struct ledger *ledger;      /* its rows are taken, and begin anew */
	const struct counters *now; /* of the worker */
	struct counters *reported;  /* as of its last part; brought up to now */
	const char *sensor, *exercise;
	record_sink *sink; /* of the worker */
	void *context;
	bool cut; /* the sensor ends, or has new settings, before the minute is over */
};

/* Takes a part, from any worker's thread. With the last worker's part, or the first
 * of a later minute, the records go to that worker's sink. */
void report_add(struct report *r, const struct report_part *part);

/* Sends what has come of a minute that not all have told of. */
void report_flush(struct report *r, const struct report_part *last);

/* Another site, and a ledger of it, from now on; the ledger before takes its place.
 * Nothing may wait then. */
void report_exchange(struct report *r, const struct site *site, struct ledger **ledger);
