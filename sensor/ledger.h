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

/* What a minute showed of one segment. */
struct coverage {
	uint64_t packets, bytes, flows, one_sided_flows, missed_bytes, truncated, mirror_copies,
		routed_copies;
	uint8_t shed_max; /* highest level at which something of it was left out */
	bool known;       /* it has been seen in some minute before */
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

/* What the whole sensor lost or stumbled over in this minute. */
struct ledger_minute {
	struct usec minute;
	uint64_t frames, drops, clock_jumps;
};

/* The state that follows from a row: pure, for tests. */
enum coverage_state coverage_judge(const struct coverage *c, const struct ledger_minute *m,
				   bool frames_before);
const char *coverage_state_name(enum coverage_state state);

/* Ends the minute: a record for each segment that was ever seen, then zeros. */
void ledger_close(struct ledger *l, const struct ledger_minute *minute, const char *sensor,
		  const char *exercise, record_sink *sink, void *context);
