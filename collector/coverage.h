/* SPDX-License-Identifier: Apache-2.0
 *
 * Minutes of coverage summed up: for each segment of each sensor how it is seen
 * now and since when, how it was at worst, and what was missed. Minutes without
 * any report count as blind: a sensor that is off sees nothing. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

/* From good to bad. X(CONSTANT, "word") */
#define COVER_STATES(X) \
	X(COVER_QUIET, "quiet") \
	X(COVER_SEEN, "seen") \
	X(COVER_PARTIAL, "partial") \
	X(COVER_MIRROR_DEAD, "mirror-dead") \
	X(COVER_BLIND, "blind")

enum cover_state {
#define COVER_ENUM(constant, word) constant,
	COVER_STATES(COVER_ENUM)
#undef COVER_ENUM
		COVER_STATE_COUNT
};

const char *cover_state_name(enum cover_state state);
/* An unknown word, of a newer sensor, counts as partial. */
enum cover_state cover_state_of(const char *word);

struct cover_minute {
	int64_t minute; /* us since 1970 */
	enum cover_state state;
	const char *reasons; /* words, a line each; lent */
	uint64_t packets, bytes, one_sided_flows, missed_bytes, truncated, mirror_copies, oversized,
		frames, drops, clock_jumps, shed_max;
};

struct cover_gap {
	int64_t from, to; /* no report within */
};

struct cover_sensor {
	char *name;
	int64_t last; /* minute of its newest report */
	struct cover_gap *gaps;
	size_t gap_count, gap_room;
};

struct cover_segment {
	const struct cover_sensor *sensor;
	char *name;
	enum cover_state state, worst;
	int64_t since, worst_since, last; /* minutes */
	bool no_report;                   /* that is why it is blind now */
	bool said;                        /* it had packets in some minute */
	char reasons[160];
	uint64_t minutes[COVER_STATE_COUNT], no_report_minutes;
	struct cover_minute sum; /* shed_max: the highest */
};

struct cover {
	struct arena memory;
	struct cover_sensor **sensors;
	struct cover_segment **segments;
	size_t sensor_count, sensor_room, segment_count, segment_room;
};

void cover_finish(struct cover *c);

/* A sensor reported on this minute; in the order of time, for each sensor. All
 * before the first cover_add(). 0 or -ENOMEM. */
int cover_heard(struct cover *c, const char *sensor, int64_t minute);
/* A segment's minute; in the order of time, for each sensor's segment. */
int cover_add(struct cover *c, const char *sensor, const char *segment,
	      const struct cover_minute *minute);

/* Ends the sum at `end` (0: where the reports end): what was not reported for some
 * minutes by then is blind. Segments that one sensor never saw, but another did,
 * are left out; the worst come first. */
void cover_conclude(struct cover *c, int64_t end);

/* Shares of what should have been seen, 0 to 1. */
double cover_lost_share(const struct cover_segment *s);   /* frames */
double cover_missed_share(const struct cover_segment *s); /* bytes behind ACKs */

/* The reasons of its state as a sentence or more; empty when there is none. */
void cover_words(const struct cover_segment *s, struct buf *out);
