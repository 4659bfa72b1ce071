/* SPDX-License-Identifier: Apache-2.0
 *
 * The coverage ledger: how well each segment was seen, minute by minute, so
 * that silence never looks like health. */
#pragma once

#include "schema/record.h"
#include "site/site.h"

enum coverage_state {
	COVERAGE_SEEN,        /* packets, and nothing speaks against them */
	COVERAGE_PARTIAL,     /* some of it was missed */
	COVERAGE_BLIND,       /* most of it was missed */
	COVERAGE_MIRROR_DEAD, /* no frame at all, where there had been some */
	COVERAGE_QUIET,       /* the mirror lives, the segment said nothing */
};

/* Why; in records as words, the worst first. Those from COVERAGE_OVERSIZED on
 * leave the state as it is.
 * X(CONSTANT, "word") */
#define COVERAGE_REASONS(X) \
	X(COVERAGE_NO_FRAMES, "no-frames")           /* of the whole sensor */ \
	X(COVERAGE_INTERFACE_DEAD, "interface-dead") /* one that had shown the segment */ \
	X(COVERAGE_DROPS, "drops") \
	X(COVERAGE_MISSED_BYTES, "missed-bytes") \
	X(COVERAGE_ONE_SIDED, "one-sided") \
	X(COVERAGE_TRUNCATED, "truncated") \
	X(COVERAGE_SHED, "shed") \
	X(COVERAGE_OVERSIZED, "oversized")   /* lengths are right, packets are more */ \
	X(COVERAGE_CLOCK, "clock")           /* was set within the minute */ \
	X(COVERAGE_NEVER_SEEN, "never-seen") /* since the sensor started */ \
	X(COVERAGE_STARTED, "started")       /* the sensor, within the minute */

enum coverage_reason {
#define COVERAGE_ENUM(constant, word) constant,
	COVERAGE_REASONS(COVERAGE_ENUM)
#undef COVERAGE_ENUM
		COVERAGE_REASON_COUNT
};

/* What a minute showed of one segment. */
struct coverage {
	uint64_t packets, bytes, flows, one_sided_flows, missed_bytes, truncated, mirror_copies,
		routed_copies, oversized;
	uint8_t shed_max;    /* highest level at which something of it was left out */
	uint32_t interfaces; /* that showed it in any minute, a bit by frame.interface */
	bool known;          /* it has been seen in some minute before, or in this one */
	uint8_t told;        /* minutes to go before one-sidedness is said again */
};

struct ledger;

/* A row per segment of the site. NULL: no memory. */
struct ledger *ledger_create(const struct site *site);
void ledger_destroy(struct ledger *l); /* accepts NULL */

/* The row of a segment in the minute under way; never NULL. */
struct coverage *ledger_of(struct ledger *l, const struct segment *segment);
struct coverage *ledger_at(struct ledger *l, uint16_t index); /* of the segment */

/* Adds all rows to those of another ledger of the same site, and begins anew. */
void ledger_move(struct ledger *to, struct ledger *from);

/* Takes over what was known of the segments that both sites have, by their names:
 * what was seen before another site file was read is no news. */
void ledger_inherit(struct ledger *to, const struct ledger *from);

/* What the whole sensor lost or stumbled over in this minute. */
struct ledger_minute {
	struct usec minute;
	uint64_t frames, drops, clock_jumps;
	uint32_t dead; /* interfaces that show nothing any more, a bit by frame.interface */
	bool live;     /* a mirror is watched: clinical segments have a row from the start */
	bool first;    /* the sensor started within it, so it is no whole minute */
	bool cut;      /* it ended before its time: without a frame it proves nothing */
};

struct coverage_judgement {
	enum coverage_state state;
	uint32_t reasons; /* a bit by enum coverage_reason */
};

/* What follows from a row: pure, for tests. */
struct coverage_judgement coverage_judge(const struct coverage *c, const struct ledger_minute *m,
					 bool frames_before);
const char *coverage_state_name(enum coverage_state state);
const char *coverage_reason_name(enum coverage_reason reason);

/* Ends the minute: a record for each segment that was ever seen, when live also
 * for each clinical one that the site declares; then zeros. None of a minute that was cut
 * before there was a frame, where there had been some. */
void ledger_close(struct ledger *l, const struct ledger_minute *minute, const char *sensor,
		  const char *exercise, record_sink *sink, void *context);
