/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/decode_parts.h"

enum { PORTS = 4, TCP_HEADER = 20, UDP_HEADER = 8, SCTP_HEADER = 12, ICMP_HEADER = 8 };

/* A header of which the captured bytes hold a part: its ports, as far as they are there.
 * Wrong only if it did not fit on the wire either. */
static void read_part(struct packet *out, struct span s, uint32_t header, struct counters *counters)
{
	struct cursor c = span_cursor(s);

	out->has_ports = s.captured >= PORTS;
	out->source_port = cursor_be16(&c);
	out->dest_port = cursor_be16(&c);
	if (!out->has_ports)
		out->source_port = 0;
	counters->malformed_transport += span_left(s) < header;
	out->payload_bytes = (uint32_t)span_left(span_skip(s, header));
}

/* All of a header; its length is a constant, so the cursor's checks are made once. */
static inline struct cursor read_ports(struct packet *out, struct span s, uint32_t header)
{
	struct cursor all = span_cursor(s), c = cursor_sub(&all, header);

	out->has_ports = true;
	out->source_port = cursor_be16(&c);
	out->dest_port = cursor_be16(&c);
	return c;
}

static void set_payload(struct packet *out, struct span s)
{
	out->payload = span_cursor(s);
	out->payload_bytes = (uint32_t)span_left(s);
}

/* ports 4 | sequence 4 | acknowledged 4 | header words 4 bits, reserved 4 |
 * flags 1 | window 2 | checksum 2 | urgent 2 | options */
static void tcp(struct packet *out, struct span s, struct counters *counters)
{
	if (s.captured < TCP_HEADER) {
		read_part(out, s, TCP_HEADER, counters);
		return;
	}
	struct cursor c = read_ports(out, s, TCP_HEADER);
	out->tcp_seq = cursor_be32(&c);
	out->tcp_ack = cursor_be32(&c);
	uint32_t header = (cursor_u8(&c) >> 4) * 4u;
	out->tcp_flags = cursor_u8(&c);
	if (header < TCP_HEADER || header > span_left(s))
		counters->malformed_transport++;
	else
		set_payload(out, span_skip(s, header));
}

/* ports 4 | length 2 | checksum 2. Length 0 is that of an offloaded datagram
 * (RFC 2675 section 4); bytes behind a shorter one are padding. */
static void udp(struct packet *out, struct span s, struct counters *counters)
{
	if (s.captured < UDP_HEADER) {
		read_part(out, s, UDP_HEADER, counters);
		return;
	}
	struct cursor c = read_ports(out, s, UDP_HEADER);
	uint32_t length = cursor_be16(&c);
	if (length && length < UDP_HEADER) {
		counters->malformed_transport++;
		return;
	}
	if (length && length < span_left(s))
		s = span_keep(s, length);
	set_payload(out, span_skip(s, UDP_HEADER));
}

/* ports 4 | verification tag 4 | checksum 4 | chunks */
static void sctp(struct packet *out, struct span s, struct counters *counters)
{
	if (s.captured < SCTP_HEADER) {
		read_part(out, s, SCTP_HEADER, counters);
		return;
	}
	read_ports(out, s, SCTP_HEADER);
	set_payload(out, span_skip(s, SCTP_HEADER));
}

/* type 1 | code 1 | checksum 2 | rest 4, by type */
static void icmp(struct packet *out, struct span s, struct counters *counters)
{
	struct cursor c = span_cursor(s);
	uint8_t type = cursor_u8(&c);
	uint8_t code = cursor_u8(&c);

	counters->malformed_transport += span_left(s) < 4;
	if (c.failed)
		return;
	out->icmp_type = type;
	out->icmp_code = code;
	out->has_icmp = true;
	set_payload(out, span_skip(s, ICMP_HEADER));
}

void transport_read(struct packet *out, struct span s, struct counters *counters)
{
	out->transport = span_cursor(s);
	switch (out->protocol) {
	case PROTOCOL_TCP:
		tcp(out, s, counters);
		break;
	case PROTOCOL_UDP:
		udp(out, s, counters);
		break;
	case PROTOCOL_SCTP:
		sctp(out, s, counters);
		break;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		icmp(out, s, counters);
		break;
	default:
		set_payload(out, s);
	}
}
