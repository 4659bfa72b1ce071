/* SPDX-License-Identifier: Apache-2.0
 *
 * Events: what the attributes of a flow's record say that somebody should look
 * at, beyond its verdict (docs/events.md). They are judged when a record is
 * made. What is new is told from what was seen before, which is kept in a table
 * of fixed size.
 *
 * Several threads may share one. */
#pragma once

#include "schema/counters.h"
#include "schema/record.h"
#include "site/site.h"

struct events;

/* `memory`: names, addresses and pairs to remember; 32 bytes each. NULL: no memory. */
struct events *events_create(size_t memory);
void events_destroy(struct events *e); /* accepts NULL */

struct event {
	const char *kind;      /* static */
	const char *technique; /* ATT&CK technique id, or NULL; static */
	enum severity severity;
	const char *reason; /* one plain sentence, lent until the call returns */
	bool of_segments;   /* about the two segments, not about these two ends */
};

/* Tells `raise` of each event in a record. Counts events and events_forgotten. */
void events_judge(struct events *e, const struct site *site, const struct record_flow *flow,
		  struct counters *counters,
		  void (*raise)(void *context, const struct event *event), void *context);

/* All kinds there are, for lists and documents: 0 .. events_kind_count() - 1. */
size_t events_kind_count(void);
const char *events_kind_name(size_t i);
const char *events_kind_meaning(size_t i);
