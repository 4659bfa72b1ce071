/* SPDX-License-Identifier: Apache-2.0
 *
 * The flow table: fixed memory, sized at start. An index of (hash, number)
 * pairs points into one array of flows; a wheel of seconds finds what has
 * fallen silent without touching a flow per packet.
 *
 * What comes out, and in which order, depends on the packets alone: neither
 * the hash's random seed nor the memory layout can be seen from outside. */
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "schema/record.h"
#include "sensor/decode.h"

/* Both ends in canonical order: side 0 has the lower (address, port). */
struct flow_key {
	struct ip_addr ip[2];
	uint16_t port[2]; /* ICMP: type and its counterpart or code */
	uint16_t realm;
	uint8_t protocol;
	uint8_t zero;
};

/* One place on the path where the sender's packets were seen. */
struct flow_hop {
	uint32_t vlans; /* outer << 16 | inner; a single tag stands low; 0: none */
	uint8_t ttl;
	bool has_mac;
	uint8_t source_mac[6], dest_mac[6];
};

enum { FLOW_HOPS = 4, FLOW_HOLES = 2 };

/* A part of a direction's sequence space that was jumped over. */
struct flow_hole {
	uint32_t from, to; /* [from, to); equal: none */
};

enum flow_stage {
	FLOW_PROBING,   /* nobody has claimed it yet */
	FLOW_CLAIMED,   /* a dissector reads on */
	FLOW_INSPECTED, /* a claim was withdrawn: only nDPI looks on */
	FLOW_SETTLED,   /* nothing more to find */
};

#define FLOW_NONE UINT32_MAX

/* By heat, a cache line a block: what every packet touches, what TCP's do, what
 * a record needs. */
struct flow {
	alignas(64) struct flow_key key;
	int64_t last;                     /* us, clock at the newest packet; time-outs go by it */
	int64_t record_start, record_end; /* stamps of the packets not yet in a record */

	uint64_t bytes[2]; /* by side of the sender, since the last record */
	uint32_t packets[2];
	uint32_t next_seq[2]; /* behind the highest sequence number seen */
	uint32_t acked[2];    /* highest acknowledgement sent by this side */
	uint32_t context;     /* dissection slot or FLOW_NONE */
	uint16_t segments[2]; /* numbers of the site's segments, by side */
	uint8_t flags[2];     /* union of TCP flags */
	uint8_t stage;        /* enum flow_stage */
	uint8_t closed;       /* 0, or enum end_reason + 1 */
	uint8_t hop_count[2];
	bool seq_known[2], ack_known[2], dscp_known[2];
	bool midstream;
	bool data;               /* it carried payload, captured or not */
	uint8_t holes_missed[2]; /* bits: those counted in missed_bytes already */

	int64_t since; /* clock at the first packet not yet in a record */
	int64_t syn_at, synack_at;
	struct flow_hole holes[2][FLOW_HOLES];
	uint32_t isn[2];
	uint32_t retransmissions;
	uint32_t rtt_client; /* us + 1; 0: not measured */

	uint32_t wheel_next; /* the wheel's chain, or the free list */
	uint32_t wheel_prev; /* a flow, or WHEEL_HEAD | the chain's second */
	int64_t start;       /* us, first packet of the flow */
	uint64_t identity;   /* makes its id, with the key */
	uint64_t missed_bytes;
	const char *app; /* static; NULL: unknown */
	uint8_t app_source, app_confidence, dissector, alerted_verdict;
	uint8_t orientation; /* enum orientation */
	uint8_t dscp[2];
	uint8_t tunnel_count;
	int32_t dpi_slot;    /* or -1 */
	uint32_t rtt_server; /* as rtt_client */
	uint32_t interim;
	uint32_t shown; /* payload packets looked at by dissectors or nDPI */
	uint32_t copies_mirror, copies_routed;
	uint8_t first_side; /* who sent the first packet */
	uint8_t client_side;
	uint8_t icmp_type, icmp_code;
	uint8_t eviction_value; /* higher goes later; see flow_table_add */
	bool v6, syn_twice, encrypted, alerted;
	struct tunnel tunnels[DECODE_TUNNELS];
	struct flow_hop hops[2][FLOW_HOPS];
};

struct flow_timeouts {
	struct usec tcp_idle, udp_idle, other_idle, closed, handshake, active;
};

struct flow_table;

/* Called for each flow that must give a record: at its end, and at the active
 * timeout (END_ACTIVE: the flow goes on). The flow is lent. */
typedef void flow_emit(void *context, struct flow *flow, enum end_reason reason);

struct flow_table *flow_table_create(size_t flows, const struct flow_timeouts *timeouts,
				     uint64_t seed, flow_emit *emit, void *context);
void flow_table_destroy(struct flow_table *t); /* forgets what is left; accepts NULL */

/* Puts a packet's ends in canonical order; returns the sender's side. */
unsigned flow_key_of(const struct packet *p, uint16_t realm, struct flow_key *out);
uint64_t flow_hash(const struct flow_table *t, const struct flow_key *key);

struct flow *flow_table_find(struct flow_table *t, const struct flow_key *key, uint64_t hash);

/* For hashes that are known before the flow is looked up: asks for the slot's
 * memory, and, when that has come, for the flow's. They change nothing. */
void flow_table_prefetch_slot(const struct flow_table *t, uint64_t hash);
void flow_table_prefetch(const struct flow_table *t, uint64_t hash);

/* Adds a flow that is not there, zeroed but for its key. When the table is full
 * the least valuable of a sample goes first, emitted as evicted. `value`: the
 * impact tier of its segments; flows of one packet, and silent ones, go before
 * others of their tier. Never NULL. */
struct flow *flow_table_add(struct flow_table *t, const struct flow_key *key, uint64_t hash,
			    uint8_t value, int64_t now);

/* Emits what has expired at `now` (packet time, us). Cheap when nothing has. */
void flow_table_expire(struct flow_table *t, int64_t now);

/* Other time-outs, for open flows too. */
void flow_table_set_timeouts(struct flow_table *t, const struct flow_timeouts *timeouts);

/* Emits what has come since each flow's last record (END_ACTIVE), as of `now`. */
void flow_table_interim(struct flow_table *t, int64_t now);

/* To be called when `closed` was set: looks at the flow sooner. */
void flow_table_closed(struct flow_table *t, struct flow *f);

/* Ends one flow now: emitted and removed. */
void flow_table_end(struct flow_table *t, struct flow *f, enum end_reason reason);

/* Ends all flows, in the order in which they began. */
void flow_table_flush(struct flow_table *t, enum end_reason reason);

/* Calls `visit` for every flow. */
void flow_table_each(struct flow_table *t, void (*visit)(void *context, struct flow *f),
		     void *context);

size_t flow_table_count(const struct flow_table *t);
uint64_t flow_table_evictions(const struct flow_table *t);
uint32_t flow_number(const struct flow_table *t, const struct flow *f);
struct flow *flow_at(struct flow_table *t, uint32_t number);
