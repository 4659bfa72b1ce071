/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/decode_parts.h"

enum { V4_HEADER = 20, V6_HEADER = 40, EXTENSIONS_MOST = 8 };

/* Of one IP fragment, where it is one. */
struct piece {
	bool there;
	bool more;
	uint32_t offset, id;
};

/* What an outer header may have left behind. */
static void begin(struct packet *out)
{
	out->fragment = out->whole = out->orphan = false;
	out->piece = 0;
	out->has_ports = out->has_icmp = false;
	out->source_port = out->dest_port = 0;
	out->icmp_type = out->icmp_code = 0;
	out->tcp_flags = 0;
	out->tcp_seq = out->tcp_ack = 0;
	out->payload_bytes = 0;
	out->transport = out->payload = cursor_of(NULL, 0);
}

/* next header 1 | reserved 1 | offset 13 bits, 2 unused, more 1 | id 4. A piece
 * that is all of its datagram is none (RFC 6946). */
static bool fragment_header(struct packet *out, struct span *s, struct piece *piece)
{
	struct cursor c = span_cursor(*s);
	uint8_t next = cursor_u8(&c);
	cursor_skip(&c, 1);
	uint16_t offset = cursor_be16(&c);
	uint32_t id = cursor_be32(&c);

	if (c.failed)
		return false;
	*s = span_behind(*s, &c);
	out->protocol = next;
	if (offset & 0xfff9)
		*piece = (struct piece){ true, offset & 1, offset & 0xfff8u, id };
	return true;
}

/* next header 1 | length 1, in units of 8 bytes beyond the first, AH: of 4 beyond
 * the second | ... */
static bool extension_header(struct packet *out, struct span *s)
{
	struct cursor c = span_cursor(*s);
	int next = cursor_peek(&c, 0);
	int length = cursor_peek(&c, 1);

	if (next < 0 || length < 0)
		return false;
	uint32_t bytes = out->protocol == PROTOCOL_AH ? ((uint32_t)length + 2) * 4
						      : ((uint32_t)length + 1) * 8;
	if (bytes > s->captured)
		return false;
	*s = span_skip(*s, bytes);
	out->protocol = (uint8_t)next;
	return true;
}

static bool is_extension(const struct packet *out)
{
	if (out->protocol == PROTOCOL_AH)
		return true;
	return out->v6 &&
	       (out->protocol == PROTOCOL_HOP_BY_HOP || out->protocol == PROTOCOL_ROUTING ||
		out->protocol == PROTOCOL_DEST_OPTIONS || out->protocol == PROTOCOL_FRAGMENT);
}

/* Stops at the upper-layer header, behind a fragment header, or at a header that
 * cannot be read or is one too many: then out->protocol names that one. */
static void extensions(struct packet *out, struct span *s, struct piece *piece)
{
	for (int n = 0; n < EXTENSIONS_MOST && !piece->there && is_extension(out); n++)
		if (out->protocol == PROTOCOL_FRAGMENT ? !fragment_header(out, s, piece)
						       : !extension_header(out, s))
			return;
}

/* The transport header of a first piece, or of a whole datagram. Pieces within
 * pieces are not followed. */
static bool read_upper(struct walk *w, struct span *s)
{
	struct piece nested = { 0 };

	extensions(w->out, s, &nested);
	if (nested.there || is_extension(w->out))
		return false;
	transport_read(w->out, *s, w->decoder->counters);
	return true;
}

static struct fragment_key key_of(const struct packet *out, uint32_t id)
{
	/* All bytes count, padding included. */
	struct fragment_key key;

	memset(&key, 0, sizeof(key));
	key.source = out->source;
	key.dest = out->dest;
	key.id = id;
	key.v6 = out->v6;
	key.protocol = out->v6 ? 0 : out->protocol;
	if (out->tunnel_count) {
		const struct tunnel *t = &out->tunnels[out->tunnel_count - 1];
		key.tunnel = (uint8_t)(t->type + 1);
		key.tunnel_id = t->id;
	}
	return key;
}

static void take_facts(struct packet *out, const struct fragment_facts *facts)
{
	out->protocol = facts->protocol;
	out->has_ports = facts->has_ports;
	out->source_port = facts->source_port;
	out->dest_port = facts->dest_port;
	out->has_icmp = facts->has_icmp;
	out->icmp_type = facts->icmp_type;
	out->icmp_code = facts->icmp_code;
}

static struct fragment_facts facts_of(const struct packet *out)
{
	return (struct fragment_facts){
		.known = true,
		.protocol = out->protocol,
		.has_ports = out->has_ports,
		.has_icmp = out->has_icmp,
		.source_port = out->source_port,
		.dest_port = out->dest_port,
		.icmp_type = out->icmp_type,
		.icmp_code = out->icmp_code,
	};
}

/* A piece is booked on its datagram's ports; payload is only ever that of a whole
 * datagram, so that nobody takes a piece for a message. */
static void collect(struct walk *w, struct span s, const struct piece *piece)
{
	struct packet *out = w->out;
	struct fragment_key key = key_of(out, piece->id);
	struct fragment_facts first = { 0 };
	uint8_t protocol = out->protocol;

	out->fragment = true;
	out->piece = (uint64_t)piece->id << 32 | 1u << 31 | piece->offset;
	w->decoder->counters->fragments++;
	if (piece->offset == 0) {
		struct span head = s;
		read_upper(w, &head);
		out->payload = cursor_of(NULL, 0);
		out->payload_bytes = 0;
		first = facts_of(out);
	}
	struct fragment fragment = {
		.offset = piece->offset,
		.more = piece->more,
		.cut = s.missing > 0,
		.protocol = protocol,
		.bytes = span_cursor(s),
	};
	struct fragment_state state =
		fragments_add(w->decoder->fragments, &key, out->time, &fragment, &first);
	if (piece->offset && state.facts.known) {
		take_facts(out, &state.facts);
	} else if (piece->offset) {
		out->orphan = true;
		w->decoder->counters->fragments_orphan++;
	}
	if (!state.complete)
		return;
	out->whole = true;
	out->protocol = state.protocol;
	struct span all = { state.whole.at, (uint32_t)cursor_left(&state.whole), 0 };
	if (read_upper(w, &all) && tunnel_likely(out))
		tunnel_unwrap(w, all);
}

static void upper(struct walk *w, struct span s)
{
	struct packet *out = w->out;
	struct piece piece = { 0 };

	if (out->v6 || out->protocol == PROTOCOL_AH)
		extensions(out, &s, &piece);
	if (piece.there) {
		collect(w, s, &piece);
		return;
	}
	transport_read(out, s, w->decoder->counters);
	if (tunnel_likely(out))
		tunnel_unwrap(w, s);
}

/* version 4 bits, header words 4 | service 1 | total 2 | id 2 | flags 3 bits,
 * offset 13 | ttl 1 | protocol 1 | checksum 2 | source 4 | dest 4 | options */
enum step ip_v4(struct walk *w, struct span s)
{
	struct packet *out = w->out;
	struct cursor c = span_cursor(s);
	const uint8_t *header = cursor_take(&c, V4_HEADER);

	if (!header)
		return STEP_BAD_IP;
	struct cursor h = cursor_of(header, V4_HEADER);
	uint8_t version_words = cursor_u8(&h);
	uint8_t service = cursor_u8(&h);
	uint32_t total = cursor_be16(&h);
	uint16_t id = cursor_be16(&h);
	uint16_t fragment = cursor_be16(&h);
	uint8_t ttl = cursor_u8(&h);
	uint8_t protocol = cursor_u8(&h);
	cursor_skip(&h, 2);
	uint32_t words = version_words & 15;
	if (total == 0)
		total = (uint32_t)span_left(s);
	if (version_words >> 4 != 4 || words < 5 || total < words * 4)
		return STEP_BAD_IP;
	s = span_keep(s, total);

	begin(out);
	out->v6 = false;
	out->source = ip_from_v4(cursor_take(&h, 4));
	out->dest = ip_from_v4(cursor_take(&h, 4));
	out->protocol = protocol;
	out->ttl = ttl;
	out->dscp = service >> 2;
	out->ip_id = id;
	out->ip_bytes = total;
	out->ip = span_cursor(s);
	s = span_skip(s, words * 4);
	if (fragment & 0x3fff) {
		struct piece piece = { true, fragment & 0x2000, (fragment & 0x1fffu) * 8, id };
		collect(w, s, &piece);
	} else {
		upper(w, s);
	}
	return STEP_IP;
}

/* The jumbo payload option (RFC 2675), at the start of hop-by-hop options; 0 when
 * there is none. */
static uint32_t jumbo_length(struct cursor c)
{
	cursor_skip(&c, 2);
	uint8_t type = cursor_u8(&c);
	uint8_t length = cursor_u8(&c);
	uint32_t bytes = cursor_be32(&c);

	return !c.failed && type == 0xc2 && length == 4 ? bytes : 0;
}

/* Payload length 0: a jumbogram, or a frame of an offloading card; but a packet
 * that says that nothing follows is empty, whatever pads its frame. */
static uint64_t v6_length(struct span behind, uint8_t next)
{
	uint32_t jumbo = next == PROTOCOL_HOP_BY_HOP ? jumbo_length(span_cursor(behind)) : 0;

	if (jumbo > UINT16_MAX)
		return jumbo;
	return next == PROTOCOL_NONE ? 0 : span_left(behind);
}

/* version 4 bits, class 8, flow label 20 | payload length 2 | next header 1 |
 * hop limit 1 | source 16 | dest 16 */
enum step ip_v6(struct walk *w, struct span s)
{
	struct packet *out = w->out;
	struct cursor c = span_cursor(s);
	const uint8_t *header = cursor_take(&c, V6_HEADER);

	if (!header)
		return STEP_BAD_IP;
	struct cursor h = cursor_of(header, V6_HEADER);
	uint32_t version_class_label = cursor_be32(&h);
	uint64_t length = cursor_be16(&h);
	uint8_t next = cursor_u8(&h);
	uint8_t hops = cursor_u8(&h);
	if (version_class_label >> 28 != 6)
		return STEP_BAD_IP;
	if (length == 0)
		length = v6_length(span_behind(s, &c), next);
	if (length > UINT32_MAX - V6_HEADER)
		return STEP_BAD_IP;
	s = span_keep(s, (uint32_t)length + V6_HEADER);

	begin(out);
	out->v6 = true;
	out->source = ip_from_v6(cursor_take(&h, 16));
	out->dest = ip_from_v6(cursor_take(&h, 16));
	out->protocol = next;
	out->ttl = hops;
	out->dscp = version_class_label >> 22 & 0x3f;
	out->ip_id = version_class_label & 0xfffff;
	out->ip_bytes = (uint32_t)length + V6_HEADER;
	out->ip = span_cursor(s);
	upper(w, span_skip(s, V6_HEADER));
	return STEP_IP;
}

enum step ip_any(struct walk *w, struct span s)
{
	struct cursor c = span_cursor(s);
	int first = cursor_peek(&c, 0);

	if (first < 0)
		return STEP_BAD_IP;
	if (first >> 4 == 4)
		return ip_v4(w, s);
	if (first >> 4 == 6)
		return ip_v6(w, s);
	return STEP_NOT_IP;
}
