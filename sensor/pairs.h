/* SPDX-License-Identifier: Apache-2.0
 *
 * Pair counters: what is left of flows that an overloaded sensor does not meter.
 * Packets and bytes are summed by client's segment, server's segment and
 * protocol, without addresses, and come out as a flow record each. Fixed memory;
 * pairs that find no room are summed without their segments. */
#pragma once

#include "sensor/dedup.h"
#include "sensor/flow_record.h"

struct pairs;

/* Counts in `counters` what it takes: packets.shed, shed.flows, shed.pairs-full.
 * NULL: no memory. */
struct pairs *pairs_create(struct counters *counters);
void pairs_destroy(struct pairs *p); /* accepts NULL */

/* A packet without a flow; `segments` by side, `side` the sender's. A copy is noted
 * and not counted. */
void pairs_add_packet(struct pairs *p, const struct packet *packet, unsigned side,
		      const uint16_t segments[2], enum dedup_answer answer, uint8_t level);

/* A flow that is given up without a record of its own. */
void pairs_add_flow(struct pairs *p, struct flow *f, uint8_t level);

/* A record for each, in the order in which they began; then there are none. */
void pairs_flush(struct pairs *p, const struct record_setting *setting, record_sink *sink,
		 void *context);
