/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the decoder share; of no interest outside decode*.c. */
#pragma once

#include "sensor/decode.h"
#include "sensor/fragments.h"

/* The rest of a frame, a packet or a datagram: bytes that were captured, and how
 * many more there were on the wire behind them. */
struct span {
	const uint8_t *at;
	uint32_t captured;
	uint32_t missing;
}; /* fits two registers, and so is passed by value: through memory it cost a third */

/* How far a part came. All but STEP_IP leave `out` half-filled. */
enum step {
	STEP_IP,
	STEP_NOT_IP,
	STEP_UNKNOWN_LINK,
	STEP_BAD_LINK,
	STEP_BAD_IP,
};

struct decoder {
	struct counters *counters;
	struct fragments *fragments;
	bool has_frame; /* decode_frame() of the frame under way */
	struct packet frame;
};

/* One frame on its way inwards. */
struct walk {
	struct decoder *decoder;
	struct packet *out;
	unsigned layers; /* below IP, so far; hostile frames nest them without end */
	bool ethernet;   /* the type under way stands behind MAC addresses */
};

enum { LAYERS_MOST = 24 };

enum protocol {
	PROTOCOL_HOP_BY_HOP = 0,
	PROTOCOL_ICMP = 1,
	PROTOCOL_IPV4 = 4,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_IPV6 = 41,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_GRE = 47,
	PROTOCOL_AH = 51,
	PROTOCOL_ICMPV6 = 58,
	PROTOCOL_NONE = 59,
	PROTOCOL_DEST_OPTIONS = 60,
	PROTOCOL_SCTP = 132,
};

enum ethertype {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_TEB = 0x6558, /* a whole Ethernet frame follows */
	ETHERTYPE_PPP = 0x880b,
	ETHERTYPE_IPV6 = 0x86dd,
};

static inline uint64_t span_left(struct span s)
{
	return (uint64_t)s.captured + s.missing;
}

/* The captured bytes, to be read. */
static inline struct cursor span_cursor(struct span s)
{
	return cursor_of(s.at, s.captured);
}

/* What a cursor over the span has left of it. */
static inline struct span span_behind(struct span s, const struct cursor *c)
{
	return (struct span){ c->at, (uint32_t)cursor_left(c), s.missing };
}

static inline struct span span_skip(struct span s, uint32_t n)
{
	if (n <= s.captured)
		return (struct span){ s.at + n, s.captured - n, s.missing };
	uint32_t beyond = n - s.captured;
	return (struct span){ s.at + s.captured, 0, beyond < s.missing ? s.missing - beyond : 0 };
}

/* Ends the span n bytes from here; n may lie, and be more than the wire had. */
static inline struct span span_keep(struct span s, uint32_t n)
{
	if (n <= s.captured)
		return (struct span){ s.at, n, 0 };
	return (struct span){ s.at, s.captured, n - s.captured };
}

static inline bool walk_deeper(struct walk *w)
{
	return ++w->layers <= LAYERS_MOST;
}

/* decode_link.c */
enum step link_frame(struct walk *w, uint16_t link_type, struct span s);
enum step link_ethernet(struct walk *w, struct span s);
enum step link_ethertype(struct walk *w, uint16_t type, struct span s);
enum step link_ppp(struct walk *w, struct span s);

/* decode_ip.c: these end in STEP_IP or STEP_BAD_IP, ip_any() also in STEP_NOT_IP. */
enum step ip_v4(struct walk *w, struct span s);
enum step ip_v6(struct walk *w, struct span s);
enum step ip_any(struct walk *w, struct span s); /* by the version it says */

/* decode_transport.c: from out->protocol and the bytes behind the IP headers. */
void transport_read(struct packet *out, struct span s, struct counters *counters);

/* decode_tunnel.c: goes on with what is inside, if this is a tunnel and what is
 * inside is IP; else leaves `out` as it is. `s` is at the transport header. */
void tunnel_unwrap(struct walk *w, struct span s);

/* False at once for almost all packets. */
static inline bool tunnel_likely(const struct packet *p)
{
	return p->protocol == PROTOCOL_UDP || p->protocol == PROTOCOL_GRE ||
	       p->protocol == PROTOCOL_IPV4 || p->protocol == PROTOCOL_IPV6;
}
