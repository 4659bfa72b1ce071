/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/decode_parts.h"

enum { PORTS = 4, TCP_HEADER = 20, UDP_HEADER = 8, SCTP_HEADER = 12, ICMP_HEADER = 8 };

static void read_ports(struct packet *out, struct cursor *c)
{
	out->source_port = cursor_be16(c);
	out->dest_port = cursor_be16(c);
	out->has_ports = true;
}

static void set_payload(struct packet *out, const struct span *s)
{
	out->payload = s->in;
	out->payload_bytes = (uint32_t)span_left(s);
}

/* Ports, as far as they are there. False when the header does not fit into the
 * captured bytes; wrong only if it did not on the wire either. */
static bool begin_header(struct packet *out, struct span *s, uint32_t header,
			 struct counters *counters)
{
	if (cursor_left(&s->in) >= header) {
		read_ports(out, &s->in);
		return true;
	}
	counters->malformed_transport += span_left(s) < header;
	if (cursor_left(&s->in) >= PORTS)
		read_ports(out, &s->in);
	span_skip(s, header - (out->has_ports ? PORTS : 0));
	out->payload_bytes = (uint32_t)span_left(s);
	return false;
}

/* ports 4 | sequence 4 | acknowledged 4 | header words 4 bits, reserved 4 |
 * flags 1 | window 2 | checksum 2 | urgent 2 | options */
static void tcp(struct packet *out, struct span s, struct counters *counters)
{
	uint64_t all = span_left(&s);

	if (!begin_header(out, &s, TCP_HEADER, counters))
		return;
	struct cursor h = cursor_sub(&s.in, TCP_HEADER - PORTS);
	out->tcp_seq = cursor_be32(&h);
	out->tcp_ack = cursor_be32(&h);
	uint32_t header = (cursor_u8(&h) >> 4) * 4u;
	out->tcp_flags = cursor_u8(&h);
	if (header < TCP_HEADER || header > all) {
		counters->malformed_transport++;
		return;
	}
	span_skip(&s, header - TCP_HEADER);
	set_payload(out, &s);
}

/* ports 4 | length 2 | checksum 2. Length 0 is that of an offloaded datagram
 * (RFC 2675 section 4); bytes behind a shorter one are padding. */
static void udp(struct packet *out, struct span s, struct counters *counters)
{
	if (!begin_header(out, &s, UDP_HEADER, counters))
		return;
	uint32_t length = cursor_be16(&s.in);
	cursor_skip(&s.in, 2);
	if (length && length < UDP_HEADER) {
		counters->malformed_transport++;
		return;
	}
	if (length && length - UDP_HEADER < span_left(&s))
		span_keep(&s, length - UDP_HEADER);
	set_payload(out, &s);
}

/* ports 4 | verification tag 4 | checksum 4 | chunks */
static void sctp(struct packet *out, struct span s, struct counters *counters)
{
	if (!begin_header(out, &s, SCTP_HEADER, counters))
		return;
	cursor_skip(&s.in, SCTP_HEADER - PORTS);
	set_payload(out, &s);
}

/* type 1 | code 1 | checksum 2 | rest 4, by type */
static void icmp(struct packet *out, struct span s, struct counters *counters)
{
	struct cursor h = s.in;
	uint8_t type = cursor_u8(&h);
	uint8_t code = cursor_u8(&h);

	counters->malformed_transport += span_left(&s) < 4;
	if (h.failed)
		return;
	out->icmp_type = type;
	out->icmp_code = code;
	out->has_icmp = true;
	span_skip(&s, ICMP_HEADER);
	set_payload(out, &s);
}

void transport_read(struct packet *out, const struct span *s, struct counters *counters)
{
	out->transport = s->in;
	switch (out->protocol) {
	case PROTOCOL_TCP:
		tcp(out, *s, counters);
		break;
	case PROTOCOL_UDP:
		udp(out, *s, counters);
		break;
	case PROTOCOL_SCTP:
		sctp(out, *s, counters);
		break;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		icmp(out, *s, counters);
		break;
	default:
		set_payload(out, s);
	}
}
