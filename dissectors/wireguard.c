/* SPDX-License-Identifier: Apache-2.0
 *
 * WireGuard (the protocol's paper, sections 5.4.2 to 5.4.6) over UDP, any port:
 * handshakes and how much goes through the tunnel. A message is known by its type,
 * three zeros and its size; the answer to a handshake repeats the asker's number. */
#include "dissectors/words.h"

enum { HANDSHAKES, ANSWERS, COOKIES, PACKETS };

static const struct field fields[] = {
	/* clang-format off */
	[HANDSHAKES] = { "wireguard.handshakes", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"handshakes begun", PHI_NONE, ABOUT_FLOW },
	[ANSWERS] = { "wireguard.answers", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"handshakes answered: the tunnel is up", PHI_NONE, ABOUT_FLOW },
	[COOKIES] = { "wireguard.cookies", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"handshakes put off because of load", PHI_NONE, ABOUT_FLOW },
	[PACKETS] = { "wireguard.packets", FIELD_COUNTER, GRAMMAR_NONE, "packets",
		"packets of the tunnel, empty ones too", PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	{ 0 },
};

enum { PORT = 51820 };
enum { INITIATION = 1, RESPONSE, COOKIE, DATA };
enum { INITIATION_SIZE = 148, RESPONSE_SIZE = 92, COOKIE_SIZE = 64, DATA_LEAST = 32 };

struct wireguard {
	bool known, asked;
	uint8_t asker; /* direction */
	uint32_t index;
};

/* The message's type, or 0. */
static uint8_t type_of(struct cursor c)
{
	size_t n = cursor_left(&c);
	uint8_t type = cursor_u8(&c);

	if (cursor_be24(&c) != 0 || c.failed)
		return 0;
	switch (type) {
	case INITIATION:
		return n == INITIATION_SIZE ? type : 0;
	case RESPONSE:
		return n == RESPONSE_SIZE ? type : 0;
	case COOKIE:
		return n == COOKIE_SIZE ? type : 0;
	case DATA:
		return n >= DATA_LEAST && n % 16 == 0 ? type : 0;
	default:
		return 0;
	}
}

/* A tunnel that is up says nothing that proves it; on its own port it is taken for one. */
static enum probe_result wireguard_probe(struct cursor bytes, enum transport transport,
					 uint16_t source_port, uint16_t dest_port, bool midstream)
{
	uint8_t type = type_of(bytes);
	(void)transport, (void)midstream;

	if (type == INITIATION)
		return PROBE_YES;
	if (type && (source_port == PORT || dest_port == PORT))
		return PROBE_YES;
	return PROBE_NO;
}

static void take_initiation(struct wireguard *s, struct cursor c, struct dissect_input *in,
			    struct attributes *out)
{
	cursor_skip(&c, 4);
	s->index = cursor_le32(&c);
	s->asked = true;
	s->asker = in->direction;
	/* Either end may renew the keys later; the first asker is the client. */
	if (!s->known) {
		in->role = ROLE_SENDER_IS_CLIENT;
		in->confidence = CONFIDENCE_MEDIUM;
	}
	attributes_add(out, &fields[HANDSHAKES], 1);
}

static bool take_response(struct wireguard *s, struct cursor c, struct dissect_input *in,
			  struct attributes *out)
{
	cursor_skip(&c, 8);
	bool answers = s->asked && s->asker != in->direction && cursor_le32(&c) == s->index;

	if (answers) {
		in->encrypted = true;
		in->confidence = CONFIDENCE_HIGH;
		attributes_add(out, &fields[ANSWERS], 1);
	}
	return answers;
}

static enum dissect_result wireguard_dissect(void *state, struct dissect_input *in,
					     struct attributes *out)
{
	struct wireguard *s = state;
	uint8_t type = type_of(in->bytes);

	if (!type)
		return s->known ? DISSECT_MORE : DISSECT_NOT_MINE;
	if (!s->known && type != INITIATION)
		in->confidence = CONFIDENCE_LOW;
	if (type == INITIATION)
		take_initiation(s, in->bytes, in, out);
	else if (type == RESPONSE)
		take_response(s, in->bytes, in, out);
	else
		attributes_add(out, &fields[type == DATA ? PACKETS : COOKIES], 1);
	s->known = true;
	return DISSECT_MORE;
}

const struct dissector dissector_wireguard = {
	.name = "wireguard",
	.summary = "WireGuard tunnels: handshakes and packets",
	.transports = TRANSPORT_UDP,
	.ports = (const uint16_t[]){ PORT, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { INITIATION, DATA }, BYTE_RANGES_END },
	.state_size = sizeof(struct wireguard),
	.probe = wireguard_probe,
	.dissect = wireguard_dissect,
};
