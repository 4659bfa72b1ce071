/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells a packet that the mirror shows again from one that was sent again.
 *
 * On a mirror of routed traffic a packet is seen once before and once behind
 * the router: same addresses, identification, transport header and payload;
 * lower TTL, other MACs, perhaps another VLAN. A mirror port that copies both
 * directions of both ends shows even identical frames. Each is one packet.
 *
 * Every packet has a signature that routing leaves alone, and a hop: what
 * routing changes. Packets of one signature within the window are counted per
 * hop; the true number is that of the hop that showed most. So a packet that is
 * really sent twice is seen twice at each hop, and counts twice. At one and the
 * same hop, an identical IPv4 identification within milliseconds makes a copy.
 * Without one, nearness in time does, where doubling is known: on a feed, or
 * between two neighbours, of which the mirror shows frames twice; and for what
 * nobody sends twice so soon, TCP SYN and ICMPv6. */
#pragma once

#include "sensor/decode.h"

struct dedup;

enum dedup_answer {
	DEDUP_NEW,    /* count it */
	DEDUP_MIRROR, /* the mirror showed it already at this hop */
	DEDUP_ROUTED, /* seen before at another hop */
};

/* `entries` is rounded up to a power of two (32 bytes each). NULL: no memory. */
struct dedup *dedup_create(size_t entries, uint64_t seed);
void dedup_destroy(struct dedup *d); /* accepts NULL */

/* Forgets every packet: the input starts anew. */
void dedup_reset(struct dedup *d);

/* What routing leaves alone; `flow_hash` and `side` stand for the addresses and
 * the direction. Never 0. */
uint64_t dedup_signature(const struct packet *p, uint64_t flow_hash, unsigned side);
/* Asks for the memory that dedup_see() will look at, when that is known early. */
void dedup_prefetch(const struct dedup *d, uint64_t signature);

enum dedup_answer dedup_see(struct dedup *d, const struct packet *p, uint64_t signature);
