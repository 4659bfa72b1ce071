/* SPDX-License-Identifier: Apache-2.0
 *
 * Shedding: which work a sensor that cannot keep up leaves out, and when. Five
 * levels, by the impact tier of a flow, which is that of its more critical end:
 *
 *   level  none, guest, administrative   operational     care-critical   life-critical
 *     0    full                          full            full            full
 *     1    no nDPI                       full            full            full
 *     2    headers only                  full            full            full
 *     3    pair counters                 no nDPI         no nDPI         full
 *     4    pair counters                 pair counters   headers only    full
 *
 * Pure: no clock, no memory of its own. */
#pragma once

#include "base/clock.h"
#include "config/yaml.h"
#include "schema/names.h"

enum {
	SHED_LEVEL_MOST = 4,
	SHED_SUMS = 3 /* all lone flows are summed from here, while the table overflows */
};

/* What is still done for a flow, from all to nothing of its own. */
enum treatment {
	TREAT_FULLY,
	TREAT_WITHOUT_DPI, /* our dissectors, but no nDPI */
	TREAT_HEADERS,     /* counted and followed, payload not looked at */
	TREAT_PAIR,        /* a new flow is counted for its two segments only; one that
			    * is there goes on as TREAT_HEADERS */
};

enum treatment shed_treatment(uint8_t level, enum impact impact);

struct shed_marks {
	uint64_t ring, queue, spool; /* percent full */
	struct usec lag;
};

struct shed_options {
	bool enabled;
	uint64_t least;    /* a level that is never left: for exercises and tests */
	uint64_t urgent;   /* percent of the ring, from which two levels are climbed at once */
	struct usec quiet; /* how long all must be below the low marks to go down by one */
	/* Flows of a single packet that have a record each in a second in which the flow
	 * table overflows, below SHED_SUMS; the others are summed. */
	uint64_t singles;
	struct shed_marks high, low;
};

void shed_options_init(struct shed_options *o); /* the defaults */
/* Reads the section `shed`; mistakes are noted at their places. NULL: absent. */
void shed_options_read(struct shed_options *o, const struct yaml_node *n);

/* How hard it is to keep up, at this moment. */
struct shed_pressure {
	unsigned ring_percent;  /* of the capture ring: blocks that wait for us */
	unsigned queue_percent; /* of the fullest hand-over queue */
	unsigned spool_percent; /* of the room for batches that wait for the disk */
	int64_t lag_us;         /* now, less the stamp of the packet under way */
};

struct shed {
	const struct shed_options *options; /* borrowed */
	uint8_t level;
	bool calm; /* all marks have been low, since: */
	struct usec since;
	struct usec climb; /* no climbing before this */
};

void shed_init(struct shed *s, const struct shed_options *options);

/* Takes the pressure, every few milliseconds while there is traffic, and gives
 * the level from now on. Up one level (or two) each 100 ms at most; down one
 * after each quiet minute. `now` is monotonic. */
uint8_t shed_update(struct shed *s, const struct shed_pressure *p, struct usec now);
