/* SPDX-License-Identifier: Apache-2.0
 *
 * The flow table: fixed memory, sized at start. An index by hash (flow_index.h)
 * points into one array of flows; a wheel of seconds finds what has
 * fallen silent without touching a flow per packet.
 *
 * What comes out, and in which order, depends on the packets alone: neither
 * the hash's random seed nor the memory layout can be seen from outside. */
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "schema/record.h"
#include "sensor/flow_trail.h"

/* Both ends in canonical order: side 0 has the lower (address, port). */
struct flow_key {
	struct ip_addr ip[2];
	uint16_t port[2]; /* ICMP: type and its counterpart or code */
	uint16_t realm;
	uint8_t protocol;
	uint8_t zero;
};

enum flow_stage {
	FLOW_PROBING,   /* nobody has claimed it yet */
	FLOW_CLAIMED,   /* a dissector reads on */
	FLOW_INSPECTED, /* a claim was withdrawn: only nDPI looks on */
	FLOW_SETTLED,   /* nothing more to find */
};

#define FLOW_NONE UINT32_MAX

/* By heat, a cache line a block: what look-up and eviction ask for, what every packet
 * touches, what opening, closing and TCP's exceptions do, what a record needs. What few
 * flows have is in a trail. "By side" in one byte: bit 0 or 1. */
struct flow {
	alignas(64) struct flow_key key;
	int64_t last;        /* us, clock at the newest packet; time-outs go by it */
	uint32_t packets[2]; /* by side of the sender, since the last record */
	uint32_t interim;
	uint8_t flags[2];           /* union of TCP flags */
	uint8_t closed : 4;         /* 0, or enum end_reason + 1 */
	uint8_t eviction_value : 4; /* higher goes later; see flow_table_add */
	uint8_t sent;               /* by side: has ever sent something */

	int64_t record_start, record_end; /* stamps of the packets not yet in a record */
	uint64_t bytes[2];
	uint32_t next_seq[2]; /* behind the highest sequence number seen */
	uint32_t acked[2];    /* highest acknowledgement sent by this side */
	uint32_t context;     /* dissection slot or FLOW_NONE */
	uint16_t segments[2]; /* numbers of the site's segments, by side */
	uint8_t stage;        /* enum flow_stage */
	uint8_t dissector;
	uint8_t seq_known, ack_known; /* by side */
	uint16_t shown;               /* payload packets looked at by dissectors or nDPI */
	bool midstream : 1;
	bool data : 1;          /* it carried payload, captured or not */
	bool has_holes : 1;     /* its trail has some */
	bool shaking : 1;       /* the SYN-ACK was seen, and not yet what the client made of it */
	bool unread : 1;        /* payload was kept from our dissectors */
	bool named : 1;         /* by nDPI */
	bool dpi_over : 1;      /* nDPI looks at no more of it */
	uint8_t first_side : 1; /* who sent the first packet */

	int64_t since;     /* clock at the first packet not yet in a record */
	int64_t start;     /* us, first packet of the flow */
	uint64_t identity; /* in the order of opening; 0: not in use */
	uint64_t mark;     /* flow_mark() of its first packet */
	const char *app;   /* static; NULL: unknown */
	struct flow_trail *trail;
	uint32_t wheel_next; /* the wheel's chain, or the free list */
	uint32_t wheel_prev; /* a flow, or WHEEL_HEAD | the chain's second */
	uint32_t isn[2];

	uint32_t syn_at, synack_at;      /* low half of the stamp in us */
	uint32_t rtt_client, rtt_server; /* us + 1; 0: not measured */
	uint32_t retransmissions;
	uint32_t copies_mirror, copies_routed;
	int32_t dpi_slot;      /* or -1 */
	struct flow_link link; /* see flow_trail.h */
	uint8_t app_source, app_confidence, alerted_verdict;
	uint8_t orientation; /* enum orientation */
	uint8_t dscp[2];
	uint8_t icmp_type, icmp_code;
	uint8_t shed; /* highest level at which something was left out, since the last record */
	uint8_t client_side : 1;
	bool v6 : 1, syn_seen : 1, synack_seen : 1, syn_twice : 1, encrypted : 1, alerted : 1;
	bool uninspected : 1; /* payload was kept from nDPI */
};

_Static_assert(sizeof(struct flow) == 256, "four cache lines: memory is what a flow costs");

/* One packet, and that was all. */
static inline bool flow_is_lone(const struct flow *f)
{
	return !f->interim && f->packets[0] + f->packets[1] == 1;
}

/* Its first bytes were not seen, or not looked at. */
static inline bool flow_begins_late(const struct flow *f)
{
	enum { TCP = 6 };

	return f->midstream || (f->unread && f->key.protocol == TCP);
}

struct flow_timeouts {
	struct usec tcp_idle, udp_idle, other_idle, closed, handshake, active;
};

struct flow_table;

/* Called with a flow that may soon have to give a record, to ask for the memory that
 * this takes. It changes nothing. */
typedef void flow_near(void *context, const struct flow *flow);

/* Called for each flow that must give a record: at its end, and at the active
 * timeout (END_ACTIVE: the flow goes on). The flow is lent. */
typedef void flow_emit(void *context, struct flow *flow, enum end_reason reason);

/* A full table gives up several flows at a time, unless it is a small one. */
struct flow_table *flow_table_create(size_t flows, const struct flow_timeouts *timeouts,
				     uint64_t seed, flow_emit *emit, void *context);
void flow_table_destroy(struct flow_table *t); /* forgets what is left; accepts NULL */

/* With the context of flow_table_create; without this nobody is called. */
void flow_table_on_near(struct flow_table *t, flow_near *near);

/* Puts a packet's ends in canonical order; returns the sender's side. */
unsigned flow_key_of(const struct packet *p, uint16_t realm, struct flow_key *out);
uint64_t flow_hash(const struct flow_table *t, const struct flow_key *key);

/* What tells a flow from another one that began with the same key at the same time:
 * how its first packet looked, and where it was seen. */
uint64_t flow_mark(const struct packet *p);

struct flow *flow_table_find(struct flow_table *t, const struct flow_key *key, uint64_t hash);

/* For hashes that are known before the flow is looked up: asks for the slot's
 * memory, and, when that has come, for the flow's. They change nothing. */
void flow_table_prefetch_slot(const struct flow_table *t, uint64_t hash);
void flow_table_prefetch(const struct flow_table *t, uint64_t hash);

/* Adds a flow that is not there, zeroed but for its key. When the table is full
 * the least valuable of a sample go first, emitted as evicted: attempts before
 * conversations, and each by `value`, the impact tier (enum impact) of its more
 * critical end; then what has been silent for longest. Never NULL. */
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
/* Something was evicted in the last seconds: more comes than there is room for. */
bool flow_table_overflows(const struct flow_table *t, int64_t now);
struct flow_trails *flow_table_trails(struct flow_table *t);
uint32_t flow_number(const struct flow_table *t, const struct flow *f);
struct flow *flow_at(struct flow_table *t, uint32_t number);
