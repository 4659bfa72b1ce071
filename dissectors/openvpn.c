/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenVPN (its protocol documentation, and the openvpn-wire-protocol draft) over UDP
 * and TCP, any port: resets that open a session, how control packets are protected,
 * how much goes through the tunnel. The session numbers of both ends must fit. */
#include "dissectors/words.h"

enum { SESSIONS, ANSWERS, CONTROL, DATA, WRAPPING };

static const struct field fields[] = {
	/* clang-format off */
	[SESSIONS] = { "openvpn.sessions", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"resets by the client: sessions asked for, repetitions too", PHI_NONE, ABOUT_FLOW },
	[ANSWERS] = { "openvpn.answers", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"resets by the server: sessions begun", PHI_NONE, ABOUT_FLOW },
	[CONTROL] = { "openvpn.control_packets", FIELD_COUNTER, GRAMMAR_NONE, "packets",
		"packets of the control channel", PHI_NONE, ABOUT_FLOW },
	[DATA] = { "openvpn.data_packets", FIELD_COUNTER, GRAMMAR_NONE, "packets",
		"packets of the tunnel", PHI_NONE, ABOUT_FLOW },
	[WRAPPING] = { "openvpn.control_protection", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"none, tls-auth, tls-crypt, tls-crypt-v2", PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	{ 0 },
};

enum {
	PORT = 1194,
	OP_CONTROL = 4,
	OP_ACK = 5,
	OP_DATA_1 = 6,
	OP_CLIENT_2 = 7,
	OP_SERVER_2 = 8,
	OP_DATA_2 = 9,
	OP_CLIENT_3 = 10,
	OP_CLIENT_WKC = 11,
	PLAIN = 14,   /* opcode, session[8], no acknowledgements, packet u32 */
	REPLAY = 8,   /* packet id u32, time u32 */
	CRYPTED = 54, /* opcode, session[8], replay, digest[32], 5 encrypted bytes */
	WRAPPED_MOST = 1200,
	PACKET_MOST = 20000,
	HEAD = 120, /* of a packet that is read */
};

struct openvpn {
	uint8_t session[8]; /* of the client */
	uint8_t wrapping;
	bool asked, answered;
	uint8_t client;
	bool lost[2];
};

enum wrapping { WRAPPING_BAD, WRAPPING_NONE, WRAPPING_AUTH, WRAPPING_CRYPT, WRAPPING_CRYPT_2 };

static const char *const wrapping_words[] = { "", "none", "tls-auth", "tls-crypt", "tls-crypt-v2" };

/* A replay number is the first one (with marks in its high bytes where keys are tied to
 * the server's answer), its time one of 2001 to 2106. */
static bool is_first_replay(struct cursor c)
{
	uint32_t packet = cursor_be32(&c), time = cursor_be32(&c);
	bool marked = packet >> 24 == 0x0f || packet >> 24 == 0x0a;

	return !c.failed && (packet == 1 || (marked && (packet & 0xffff) == 1)) &&
	       time > 0x3b9aca00;
}

static bool ends_in_zeros(struct cursor c, size_t n)
{
	size_t left = cursor_left(&c);

	if (left < n)
		return false;
	cursor_skip(&c, left - n);
	while (cursor_left(&c))
		if (cursor_u8(&c))
			return false;
	return true;
}

/* A client's reset of key 0. The digest of tls-auth is that of --auth: 16 to 64 bytes,
 * in front of the replay number; nothing is acknowledged and the packet is number 0. */
static enum wrapping read_reset(struct cursor c, size_t size)
{
	uint8_t opcode = cursor_u8(&c);
	uint64_t session = cursor_be64(&c);
	struct cursor rest = c;

	if (c.failed || !session)
		return WRAPPING_BAD;
	if (opcode == OP_CLIENT_3 << 3)
		return size > CRYPTED && size <= WRAPPED_MOST && is_first_replay(rest)
			       ? WRAPPING_CRYPT_2
			       : WRAPPING_BAD;
	if (opcode != OP_CLIENT_2 << 3)
		return WRAPPING_BAD;
	if (size == PLAIN)
		return ends_in_zeros(rest, 5) ? WRAPPING_NONE : WRAPPING_BAD;
	if (size == CRYPTED && is_first_replay(rest))
		return WRAPPING_CRYPT;
	static const uint8_t digests[] = { 16, 20, 28, 32, 48, 64 };
	for (size_t i = 0; i < sizeof(digests); i++) {
		if (size != (size_t)PLAIN + REPLAY + digests[i])
			continue;
		cursor_skip(&rest, digests[i]);
		return is_first_replay(rest) && ends_in_zeros(rest, 5) ? WRAPPING_AUTH
								       : WRAPPING_BAD;
	}
	return WRAPPING_BAD;
}

static enum probe_result openvpn_probe(struct cursor bytes, enum transport transport,
				       uint16_t source_port, uint16_t dest_port, bool midstream)
{
	size_t size = cursor_left(&bytes);
	(void)source_port, (void)dest_port, (void)midstream;

	if (transport == TRANSPORT_TCP) {
		uint16_t length = cursor_be16(&bytes);
		int opcode = cursor_peek(&bytes, 0);
		if (bytes.failed)
			return PROBE_MORE;
		if (length < PLAIN || length > WRAPPED_MOST ||
		    (opcode >= 0 && opcode != OP_CLIENT_2 << 3 && opcode != OP_CLIENT_3 << 3))
			return PROBE_NO;
		size_t need = length < HEAD ? length : HEAD;
		if (cursor_left(&bytes) < need)
			return PROBE_MORE;
		if (length < HEAD)
			bytes = cursor_sub(&bytes, length);
		size = length;
	}
	return read_reset(bytes, size) ? PROBE_YES : PROBE_NO;
}

static bool take_ask(struct openvpn *s, struct cursor packet, size_t size, struct dissect_input *in,
		     struct attributes *out)
{
	enum wrapping wrapping = read_reset(packet, size);

	if (wrapping == WRAPPING_BAD)
		return false;
	if (!s->asked) {
		in->role = ROLE_SENDER_IS_CLIENT;
		in->confidence = CONFIDENCE_MEDIUM;
		s->client = in->direction;
	}
	s->asked = true;
	s->wrapping = (uint8_t)wrapping;
	cursor_skip(&packet, 1);
	memcpy(s->session, cursor_take(&packet, sizeof(s->session)), sizeof(s->session));
	attributes_add(out, &fields[SESSIONS], 1);
	attributes_word(out, &fields[WRAPPING], wrapping_words[wrapping]);
	return true;
}

/* The server's reset: unless encrypted it acknowledges packet 0 of the client's session. */
static void take_answer(struct openvpn *s, struct cursor packet, struct dissect_input *in,
			struct attributes *out)
{
	bool readable = s->wrapping == WRAPPING_NONE || s->wrapping == WRAPPING_AUTH;

	if (!s->asked || in->direction == s->client)
		return;
	if (readable && cursor_find(&packet, s->session, sizeof(s->session)) < 0)
		return;
	s->answered = true;
	in->confidence = CONFIDENCE_HIGH;
	attributes_add(out, &fields[ANSWERS], 1);
}

/* False: no packet of OpenVPN. */
static bool take_packet(struct openvpn *s, struct cursor packet, size_t size,
			struct dissect_input *in, struct attributes *out)
{
	int first = cursor_peek(&packet, 0);

	switch (first >> 3) {
	case OP_CLIENT_2:
	case OP_CLIENT_3:
		return take_ask(s, packet, size, in, out) || s->asked;
	case OP_SERVER_2:
		take_answer(s, packet, in, out);
		return true;
	case OP_DATA_1:
	case OP_DATA_2:
		/* There is data once both ends have agreed on keys. */
		in->encrypted = s->answered;
		attributes_add(out, &fields[DATA], 1);
		return true;
	case OP_CONTROL:
	case OP_ACK:
	case OP_CLIENT_WKC:
	case 3: /* soft reset: new keys */
		attributes_add(out, &fields[CONTROL], 1);
		return true;
	default:
		return false;
	}
}

static enum dissect_result broken(const struct openvpn *s)
{
	return s->answered ? DISSECT_MALFORMED : DISSECT_NOT_MINE;
}

/* Over TCP a length u16 is in front of each packet. */
static enum dissect_result take_framed(void *state, struct dissect_input *in,
				       struct attributes *out)
{
	struct openvpn *s = state;
	struct cursor c = in->bytes;
	size_t length = cursor_be16(&c);

	if (c.failed)
		return DISSECT_MORE;
	if (length == 0 || length > PACKET_MOST)
		return broken(s);
	size_t want = length < HEAD ? length : HEAD;
	if (cursor_left(&c) < want)
		return DISSECT_MORE;
	struct cursor packet = c;
	packet = cursor_sub(&packet, want);
	if (!take_packet(s, packet, length, in, out))
		return broken(s);
	in->bytes = c;
	dissect_pass_over(in, length);
	return DISSECT_MORE;
}

static enum dissect_result openvpn_dissect(void *state, struct dissect_input *in,
					   struct attributes *out)
{
	struct openvpn *s = state;
	bool *lost = &s->lost[in->direction];

	if (in->transport == TRANSPORT_UDP) {
		if (take_packet(s, in->bytes, cursor_left(&in->bytes), in, out))
			return DISSECT_MORE;
		return s->answered ? DISSECT_MORE : DISSECT_NOT_MINE;
	}
	*lost |= in->gap && s->asked;
	return dissect_messages(s, in, out, *lost, take_framed);
}

const struct dissector dissector_openvpn = {
	.name = "openvpn",
	.summary = "OpenVPN tunnels over UDP and TCP: sessions and packets",
	.transports = TRANSPORT_TCP | TRANSPORT_UDP,
	.ports = (const uint16_t[]){ PORT, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { 0, 4 },
					      { OP_CLIENT_2 << 3, OP_CLIENT_2 << 3 },
					      { OP_CLIENT_3 << 3, OP_CLIENT_3 << 3 },
					      BYTE_RANGES_END },
	.state_size = sizeof(struct openvpn),
	.probe = openvpn_probe,
	.dissect = openvpn_dissect,
};
