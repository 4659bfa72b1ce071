/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a flow's packets were seen, and what else only few flows have. Nearly all are seen
 * at one place, in both directions: that place is in the flow. What was seen at
 * several, came through a tunnel, or lost bytes on the way, has a trail. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/decode.h"

struct flow;

/* One place on the path where the sender's packets were seen. */
struct flow_hop {
	uint32_t vlans; /* outer << 16 | inner; a single tag stands low; 0: none */
	uint8_t ttl;
	bool has_mac;
	uint8_t source_mac[6], dest_mac[6];
};

/* A hop of each side at most: the other side's has the same two neighbours, exchanged. */
struct flow_link {
	uint32_t vlans;
	uint8_t macs[2][6]; /* of the neighbour at each side */
	uint8_t ttl[2];     /* by side of the sender */
	uint8_t sides : 2;  /* by side: there is a hop */
	bool has_mac : 1;
};

enum { FLOW_HOPS = 4, FLOW_HOLES = 2 };

/* A part of a direction's sequence space that was jumped over. */
struct flow_hole {
	uint32_t from, to; /* [from, to); equal: none */
};

struct flow_trail {
	struct flow_trail *next; /* of the free ones */
	uint64_t missed_bytes;
	struct flow_hole holes[2][FLOW_HOLES];
	uint8_t holes_missed[2]; /* bits: those counted in missed_bytes already */
	uint8_t hop_count[2];    /* 0 for both sides: they are in the flow's link */
	uint8_t tunnel_count;
	struct tunnel tunnels[DECODE_TUNNELS]; /* outermost first */
	struct flow_hop hops[2][FLOW_HOPS];    /* by side, the nearest to the sender first */
};

/* As many as there may be flows, so there is always one. Memory is reserved now and
 * touched when used. NULL: none. */
struct flow_trails *flow_trails_create(size_t flows);
void flow_trails_destroy(struct flow_trails *t); /* accepts NULL */

/* The flow's trail, made when it has none. */
struct flow_trail *flow_trail_of(struct flow_trails *t, struct flow *f);
void flow_trail_drop(struct flow_trails *t, struct flow *f);

/* Notes where a packet of this side was seen, unless that is known, or FLOW_HOPS are. */
void flow_add_hop(struct flow_trails *t, struct flow *f, const struct packet *p, unsigned side);
size_t flow_hop_count(const struct flow *f, unsigned side);
/* The `i`th of a side, the nearest to the sender first. */
struct flow_hop flow_hop(const struct flow *f, unsigned side, size_t i);

void flow_set_tunnels(struct flow_trails *t, struct flow *f, const struct packet *p);
size_t flow_tunnel_count(const struct flow *f);
uint64_t flow_missed_bytes(const struct flow *f); /* since the last record */
