/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums over the flows of one transaction, so that a store updates each row of a
 * rollup once and not once per flow. A flow counts with its first record
 * (interim 0), packets and bytes with every one. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "schema/record.h"

enum rollup_kind {
	ROLLUP_MINUTE, /* exercise, client segment, server segment, verdict */
	ROLLUP_HOUR,   /* exercise, both addresses and segments, app */
};

struct rollup_row {
	int64_t bucket;                 /* start of the minute or hour, microseconds */
	const struct record_flow *flow; /* any of the row's flows, for its key; lent */
	uint64_t hash;
	uint64_t flows, packets, bytes;
	enum severity severity; /* the worst */
	struct usec first, last;
};

struct rollup {
	enum rollup_kind kind;
	struct rollup_row *rows;
	size_t count, room;
	uint32_t *index; /* row + 1; a power of two of places */
	size_t places;
};

/* Starts from a zeroed struct with its kind set. */
int rollup_add(struct rollup *r, const struct record_flow *flow); /* 0 or -ENOMEM */
void rollup_clear(struct rollup *r);
void rollup_finish(struct rollup *r);
