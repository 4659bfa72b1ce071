/* SPDX-License-Identifier: Apache-2.0
 *
 * QUIC versions 1 (RFC 9000, 9001) and 2 (RFC 9369), and late drafts. The client's
 * Initial packets are opened with the keys that everybody can derive, for the
 * ClientHello in them; what the server says is counted as said, not read. A packet that
 * opens is proof of QUIC and of encryption, which QUIC is never without. Header alone:
 * medium confidence.
 *
 * A ClientHello of today fills two datagrams, in pieces in any order; they are put
 * together in the room that the core lends. Google's own QUIC (Q043 and the like) is
 * not read. */
#include "dissectors/quic_packet.h"
#include "dissectors/tls_hello.h"

enum {
	VERSION,
	SNI,
	ALPN,
	ECH,
	JA3,
	JA4,
	DNS_OVER,
	RETRY,
	NEGOTIATION,
	EARLY_DATA,
};

/* clang-format off */
static const struct field fields[] = {
	[VERSION] = { "quic.version", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"versions spoken, as 1, 2, draft-29; another one when the ends changed over",
		PHI_NONE, ABOUT_FLOW },
	[SNI] = { "quic.sni", FIELD_TEXT, GRAMMAR_HOSTNAME, "",
		"server name that the client asks for", PHI_SITE, ABOUT_FLOW },
	[ALPN] = { "quic.alpn", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"application protocols that the client offers, by a list of known ones; else other",
		PHI_NONE, ABOUT_FLOW },
	[ECH] = { "quic.ech", FIELD_FLAG, GRAMMAR_NONE, "",
		"the client offers an encrypted hello, or pretends to: then the true name is hidden",
		PHI_NONE, ABOUT_FLOW },
	[JA3] = { "quic.ja3", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"JA3 fingerprint of the client's hello", PHI_DEVICE, ABOUT_CLIENT },
	[JA4] = { "quic.ja4", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"JA4 fingerprint of the client's hello", PHI_DEVICE, ABOUT_CLIENT },
	[DNS_OVER] = { "quic.dns_over", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"quic: DNS over QUIC, by port 853 or ALPN; https: the name of a public resolver",
		PHI_NONE, ABOUT_FLOW },
	[RETRY] = { "quic.retry", FIELD_FLAG, GRAMMAR_NONE, "",
		"the server made the client prove its address first", PHI_NONE, ABOUT_FLOW },
	[NEGOTIATION] = { "quic.version_negotiation", FIELD_FLAG, GRAMMAR_NONE, "",
		"the server does not speak the client's version", PHI_NONE, ABOUT_FLOW },
	[EARLY_DATA] = { "quic.early_data", FIELD_FLAG, GRAMMAR_NONE, "",
		"the client sent data before the handshake (0-RTT): an earlier session goes on",
		PHI_NONE, ABOUT_FLOW },
	{ 0 },
};
/* clang-format on */

enum {
	LONG_HEADER = 0x80,
	PATIENCE = 24,    /* datagrams to wait through */
	PACKETS_MOST = 6, /* in one datagram */
	RANGES_MOST = 32,
	CLIENT_LEAST = 1200, /* bytes of a datagram with a client's Initial, section 14.1 */
	STREAM_MOST = TLS_HELLO_MOST + TLS_HANDSHAKE_HEADER,
};

enum { FRAME_PADDING = 0, FRAME_PING = 1, FRAME_ACK = 2, FRAME_ACK_ECN = 3, FRAME_CRYPTO = 6 };

_Static_assert((int)STREAM_MOST <= (int)DISSECT_BUFFER, "a ClientHello has room");

struct range {
	uint16_t from, to;
};

struct quic {
	struct quic_keys keys; /* the client's */
	bool keyed;
	/* Derived last, of this version and id: the same are tried again for what comes again. */
	struct quic_keys own;
	uint32_t own_version; /* 0: none */
	uint8_t own_id_bytes, own_id[QUIC_ID_MOST];
	uint8_t client; /* direction, when keyed */
	bool hello_over, server_seen;
	uint8_t datagrams;
	uint8_t range_count;
	struct range ranges[RANGES_MOST]; /* of the hello that are here, ascending, apart */
};

static enum probe_result quic_probe(struct cursor bytes, enum transport transport,
				    uint16_t source_port, uint16_t dest_port, bool midstream)
{
	bool cut = cursor_left(&bytes) >= DISSECT_PROBE_MOST;
	struct quic_packet p;
	(void)transport, (void)source_port, (void)dest_port, (void)midstream;

	if (!quic_read_packet(&bytes, cut, &p))
		return PROBE_NO;
	if (p.kind == QUIC_GREASED) /* only a client would, and only in a large datagram */
		return cut && cursor_left(&p.destination_id) >= 8 ? PROBE_YES : PROBE_NO;
	return PROBE_YES;
}

/* ---- The ClientHello's pieces ---- */

static bool add_range(struct quic *s, uint16_t from, uint16_t to)
{
	size_t at = 0, end;

	while (at < s->range_count && s->ranges[at].to < from)
		at++;
	for (end = at; end < s->range_count && s->ranges[end].from <= to; end++) {
		from = s->ranges[end].from < from ? s->ranges[end].from : from;
		to = s->ranges[end].to > to ? s->ranges[end].to : to;
	}
	if (end == at && s->range_count == RANGES_MOST)
		return false;
	memmove(&s->ranges[at + 1], &s->ranges[end], (s->range_count - end) * sizeof(s->ranges[0]));
	s->ranges[at] = (struct range){ from, to };
	s->range_count = (uint8_t)(s->range_count + 1 - (end - at));
	return true;
}

/* How much of the hello is here without a hole. */
static size_t in_row(const struct quic *s)
{
	return s->range_count && s->ranges[0].from == 0 ? s->ranges[0].to : 0;
}

static bool take_crypto(struct quic *s, struct cursor *c, uint8_t *room)
{
	uint64_t offset = quic_varint(c);
	uint64_t length = quic_varint(c);

	if (offset > STREAM_MOST || length > STREAM_MOST - offset)
		return false;
	const uint8_t *bytes = cursor_take(c, (size_t)length);
	if (!bytes)
		return false;
	memcpy(room + offset, bytes, (size_t)length);
	return add_range(s, (uint16_t)offset, (uint16_t)(offset + length));
}

static void skip_ack(struct cursor *c, bool ecn)
{
	(void)quic_varint(c); /* largest */
	(void)quic_varint(c); /* delay */
	uint64_t ranges = quic_varint(c);
	(void)quic_varint(c);
	for (; ranges && cursor_left(c); ranges--) {
		(void)quic_varint(c);
		(void)quic_varint(c);
	}
	for (int i = 0; ecn && i < 3; i++)
		(void)quic_varint(c);
}

static void skip_padding(struct cursor *c)
{
	size_t n = 0;

	while (cursor_peek(c, n) == FRAME_PADDING)
		n++;
	cursor_skip(c, n);
}

/* RFC 9000 section 12.4: what else may stand in an Initial closes the connection. */
static void take_frames(struct quic *s, struct cursor c, uint8_t *room)
{
	while (cursor_left(&c)) {
		uint8_t type = cursor_u8(&c);
		if (type == FRAME_PADDING) /* comes by the hundred */
			skip_padding(&c);
		if (type == FRAME_PADDING || type == FRAME_PING)
			continue;
		if (type == FRAME_ACK || type == FRAME_ACK_ECN)
			skip_ack(&c, type == FRAME_ACK_ECN);
		else if (type != FRAME_CRYPTO || !take_crypto(s, &c, room))
			return;
	}
}

static void take_hello(struct quic *s, struct dissect_input *in, struct attributes *out)
{
	static const struct tls_client_fields client_fields = {
		.sni = &fields[SNI],
		.alpn = &fields[ALPN],
		.ech = &fields[ECH],
		.ja3 = &fields[JA3],
		.ja4 = &fields[JA4],
		.dns_over = &fields[DNS_OVER],
	};
	struct cursor c = cursor_of(in->room, in_row(s));
	struct tls_hello hello;

	uint8_t type = cursor_u8(&c);
	uint32_t length = cursor_be24(&c);
	if (c.failed)
		return;
	if (type != TLS_CLIENT_HELLO || length > TLS_HELLO_MOST) {
		s->hello_over = true;
		return;
	}
	if (cursor_left(&c) < length)
		return;
	s->hello_over = true;
	if (tls_read_hello(cursor_sub(&c, length), true, &hello))
		tls_record_client(&hello, 'q', in->dest_port, &client_fields, out);
}

/* ---- Packets ---- */

static void record_version(const struct quic_packet *p, struct attributes *out)
{
	attributes_text(out, &fields[VERSION], p->version->word, strlen(p->version->word));
}

/* The keys that the packet itself gives; true when these were derived before. */
static bool find_own(struct quic *s, const struct quic_packet *p)
{
	size_t n = cursor_left(&p->destination_id);

	if (s->own_version == p->version->number && s->own_id_bytes == n &&
	    (n == 0 || memcmp(s->own_id, p->destination_id.at, n) == 0))
		return true;
	quic_client_keys(p->version, p->destination_id, &s->own);
	s->own_version = p->version->number;
	s->own_id_bytes = (uint8_t)n;
	if (n)
		memcpy(s->own_id, p->destination_id.at, n);
	return false;
}

/* With the keys that opened the last one; else with this packet's own, which a Retry or
 * another version gave. */
static struct cursor open_packet(struct quic *s, const struct quic_packet *p,
				 const struct dissect_input *in, uint8_t *plain)
{
	if (s->keyed) {
		struct cursor frames = quic_open(&s->keys, p, plain);
		if (!frames.failed)
			return frames;
	}
	if (find_own(s, p) && s->keyed && !memcmp(&s->keys, &s->own, sizeof(s->keys)))
		return (struct cursor){ .failed = true }; /* they were just tried */
	struct cursor frames = quic_open(&s->own, p, plain);
	if (frames.failed)
		return frames;
	s->keys = s->own;
	s->keyed = true;
	s->client = in->direction;
	return frames;
}

static void take_initial(struct quic *s, const struct quic_packet *p, struct dissect_input *in,
			 struct attributes *out)
{
	uint8_t plain[QUIC_PACKET_MOST];

	if (s->keyed && in->direction != s->client) {
		s->server_seen = true;
		record_version(p, out);
		return;
	}
	if (s->hello_over)
		return;
	struct cursor frames = open_packet(s, p, in, plain);
	if (frames.failed)
		return;
	in->role = ROLE_SENDER_IS_CLIENT;
	in->confidence = CONFIDENCE_HIGH;
	in->encrypted = true;
	record_version(p, out);
	take_frames(s, frames, in->room);
	take_hello(s, in, out);
}

/* The client begins again, with other keys and the same hello. */
static void start_over(struct quic *s)
{
	s->keyed = false;
	s->range_count = 0;
}

static void take_packet(struct quic *s, const struct quic_packet *p, struct dissect_input *in,
			struct attributes *out)
{
	bool server = s->keyed && in->direction != s->client;

	switch (p->kind) {
	case QUIC_INITIAL:
		take_initial(s, p, in, out);
		break;
	case QUIC_HANDSHAKE:
		s->server_seen |= server;
		break;
	case QUIC_EARLY:
		if (!server)
			attributes_flag(out, &fields[EARLY_DATA]);
		break;
	case QUIC_RETRY:
		attributes_flag(out, &fields[RETRY]);
		in->role = ROLE_SENDER_IS_SERVER;
		start_over(s);
		break;
	case QUIC_NEGOTIATION:
		attributes_flag(out, &fields[NEGOTIATION]);
		in->role = ROLE_SENDER_IS_SERVER;
		start_over(s);
		break;
	case QUIC_GREASED:
		in->role = ROLE_SENDER_IS_CLIENT;
		break;
	}
}

static enum dissect_result quic_dissect(void *state, struct dissect_input *in,
					struct attributes *out)
{
	struct quic *s = state;
	struct quic_packet p;
	bool first = s->datagrams++ == 0;

	if (first)
		in->confidence = CONFIDENCE_MEDIUM;
	if (s->range_count && in->held < s->ranges[s->range_count - 1].to)
		s->range_count = 0; /* there was no room to keep it */
	if (!(cursor_peek(&in->bytes, 0) & LONG_HEADER) && s->hello_over)
		return DISSECT_DONE; /* both have the keys */
	for (int i = 0; i < PACKETS_MOST && cursor_peek(&in->bytes, 0) >= LONG_HEADER; i++) {
		if (!quic_read_packet(&in->bytes, false, &p))
			break;
		take_packet(s, &p, in, out);
	}
	cursor_skip(&in->bytes, cursor_left(&in->bytes));
	if ((s->hello_over && s->server_seen) || s->datagrams == PATIENCE)
		return DISSECT_DONE;
	if (s->range_count && !s->hello_over)
		in->hold = s->ranges[s->range_count - 1].to;
	return DISSECT_MORE;
}

const struct dissector dissector_quic = {
	.name = "quic",
	.summary = "QUIC connections over UDP, any port: versions 1, 2 and drafts from 23 on",
	.transports = TRANSPORT_UDP,
	.ports = (const uint16_t[]){ 443, 853, 8443, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { 0xc0, 0xff }, BYTE_RANGES_END },
	.state_size = sizeof(struct quic),
	.probe = quic_probe,
	.dissect = quic_dissect,
};
