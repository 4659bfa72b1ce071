/* SPDX-License-Identifier: Apache-2.0
 *
 * Remote Framebuffer (RFC 6143, versions 3.3, 3.7 and 3.8; security types from IANA's
 * registry) over TCP, any port: versions, the security types offered and chosen, and
 * whether a desktop opens without any password. The desktop's name is not read, nor
 * is anything behind it. */
#include "dissectors/words.h"

enum {
	SERVER_VERSION,
	CLIENT_VERSION,
	OFFERED,
	CHOSEN,
	NONE_OFFERED,
	UNPROTECTED,
	REFUSED,
	FAILURES,
	OPENED,
};

static const struct field fields[] = {
	/* clang-format off */
	[SERVER_VERSION] = { "vnc.server_version", FIELD_TEXT, GRAMMAR_VERSION, "",
		"protocol version that the server announces", PHI_NONE, ABOUT_SERVER },
	[CLIENT_VERSION] = { "vnc.client_version", FIELD_TEXT, GRAMMAR_VERSION, "",
		"protocol version that the client answers", PHI_NONE, ABOUT_CLIENT },
	[OFFERED] = { "vnc.security_offered", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"security types of the server", PHI_NONE, ABOUT_FLOW },
	[CHOSEN] = { "vnc.security", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"security type that the client chose", PHI_NONE, ABOUT_FLOW },
	[NONE_OFFERED] = { "vnc.none_offered", FIELD_FLAG, GRAMMAR_NONE, "",
		"the server can be opened without authentication", PHI_NONE, ABOUT_FLOW },
	[UNPROTECTED] = { "vnc.no_authentication", FIELD_FLAG, GRAMMAR_NONE, "",
		"the client chose to be let in without authentication", PHI_NONE, ABOUT_FLOW },
	[REFUSED] = { "vnc.refused", FIELD_FLAG, GRAMMAR_NONE, "",
		"the server refused before authentication", PHI_NONE, ABOUT_FLOW },
	[FAILURES] = { "vnc.auth_failures", FIELD_COUNTER, GRAMMAR_NONE, "attempts",
		"authentications that failed", PHI_NONE, ABOUT_FLOW },
	[OPENED] = { "vnc.opened", FIELD_FLAG, GRAMMAR_NONE, "",
		"the server let the client in", PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	{ 0 },
};

enum { BANNER = 12, CHALLENGE = 16, TYPES_MOST = 32, PATIENCE = 24 };
enum { TYPE_INVALID, TYPE_NONE, TYPE_VNC, TYPE_RA2 = 5, TYPE_RA2_256 = 129 };

static const struct word types[] = {
	{ 1, "none" },       { 2, "vnc" },       { 5, "ra2" },         { 6, "ra2ne" },
	{ 7, "sspi" },       { 8, "sspine" },    { 13, "ra2-13" },     { 16, "tight" },
	{ 17, "ultra" },     { 18, "tls" },      { 19, "vencrypt" },   { 20, "sasl" },
	{ 21, "md5" },       { 22, "xvp" },      { 30, "apple-dh" },   { 35, "apple-35" },
	{ 113, "mslogon2" }, { 129, "ra2-256" }, { 130, "ra2ne-256" }, { 0, NULL },
};

struct vnc {
	bool greeted[2];
	uint8_t greetings, server; /* direction of the server, once both have greeted */
	unsigned version;          /* of the client: 303, 307, 308 */
	/* What is awaited, one thing at a time. */
	enum {
		AWAIT_BANNERS,
		AWAIT_TYPES,
		AWAIT_CHOICE,
		AWAIT_AUTH,
		AWAIT_RESULT,
		AWAIT_TLS
	} stage;
	uint8_t chosen, waited;
	uint8_t challenge[2]; /* bytes still to be passed over, by direction */
	uint8_t offered_count, offered[TYPES_MOST];
};

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* "RFB 003.008\n" (RFC 6143 section 7.1.1) */
static enum sight sees_banner(const struct cursor *c)
{
	static const char shape[] = "RFB 000.000\n";

	for (size_t i = 0; i < BANNER; i++) {
		int byte = cursor_peek(c, i);
		if (byte < 0)
			return SIGHT_MORE;
		if (shape[i] == '0' ? !is_digit(byte) : byte != shape[i])
			return SIGHT_NO;
	}
	return SIGHT_YES;
}

static enum probe_result vnc_probe(struct cursor bytes, enum transport transport,
				   uint16_t source_port, uint16_t dest_port, bool midstream)
{
	(void)transport, (void)source_port, (void)dest_port, (void)midstream;

	switch (sees_banner(&bytes)) {
	case SIGHT_YES:
		return PROBE_YES;
	case SIGHT_MORE:
		return PROBE_MORE;
	case SIGHT_NO:
		break;
	}
	return PROBE_NO;
}

static unsigned number(const uint8_t digits[3])
{
	return (unsigned)(digits[0] - '0') * 100 + (unsigned)(digits[1] - '0') * 10 +
	       (unsigned)(digits[2] - '0');
}

static enum dissect_result take_banner(struct vnc *s, struct dissect_input *in,
				       struct attributes *out)
{
	char text[16];

	switch (sees_banner(&in->bytes)) {
	case SIGHT_MORE:
		return DISSECT_MORE;
	case SIGHT_NO:
		return s->greetings ? DISSECT_MALFORMED : DISSECT_NOT_MINE;
	case SIGHT_YES:
		break;
	}
	const uint8_t *banner = cursor_take(&in->bytes, BANNER);
	unsigned major = number(banner + 4), minor = number(banner + 8);
	snprintf(text, sizeof(text), "%u.%u", major, minor);
	s->greeted[in->direction] = true;
	bool server = s->greetings++ == 0; /* section 7.1.1: the server speaks first */
	attributes_word(out, &fields[server ? SERVER_VERSION : CLIENT_VERSION], text);
	if (server) {
		s->server = in->direction;
		in->confidence = CONFIDENCE_MEDIUM;
		return DISSECT_MORE;
	}
	in->role = ROLE_SENDER_IS_CLIENT;
	in->confidence = CONFIDENCE_HIGH;
	/* Apple's 3.889 goes on as 3.8, and so do 4 and 5; 3.5 goes on as 3.3. */
	s->version = major > 3 || minor >= 8 ? 308 : minor == 7 ? 307 : 303;
	s->stage = AWAIT_TYPES;
	return DISSECT_MORE;
}

static void say_offer(uint8_t type, struct attributes *out)
{
	attributes_code(out, &fields[OFFERED], types, type, "type");
	if (type == TYPE_NONE)
		attributes_flag(out, &fields[NONE_OFFERED]);
}

static enum dissect_result choose(struct vnc *s, uint8_t type, struct dissect_input *in,
				  struct attributes *out)
{
	s->chosen = type;
	attributes_code(out, &fields[CHOSEN], types, type, "type");
	if (type == TYPE_NONE) {
		attributes_flag(out, &fields[UNPROTECTED]);
		if (s->version < 308) {
			attributes_flag(out, &fields[OPENED]);
			return DISSECT_DONE;
		}
		s->stage = AWAIT_RESULT;
	} else if (type == TYPE_VNC) {
		s->challenge[0] = s->challenge[1] = CHALLENGE;
		s->stage = AWAIT_AUTH;
	} else {
		/* RealVNC's first and fifth exchange RSA keys and encrypt all that follows. */
		in->encrypted = type == TYPE_RA2 || type == TYPE_RA2_256;
		s->stage = AWAIT_TLS;
	}
	return DISSECT_MORE;
}

/* Section 7.1.2: a list; version 3.3: the server says which (u32). None: refused. */
static enum dissect_result take_types(struct vnc *s, struct dissect_input *in,
				      struct attributes *out)
{
	struct cursor c = in->bytes;

	if (s->version == 303) {
		uint32_t type = cursor_be32(&c);
		if (c.failed)
			return DISSECT_MORE;
		in->bytes = c;
		if (type == TYPE_INVALID) {
			attributes_flag(out, &fields[REFUSED]);
			return DISSECT_DONE;
		}
		if (type > 255)
			return DISSECT_MALFORMED;
		say_offer((uint8_t)type, out);
		return choose(s, (uint8_t)type, in, out);
	}
	struct cursor list = cursor_sub(&c, cursor_u8(&c));
	if (list.failed || c.failed)
		return DISSECT_MORE;
	in->bytes = c;
	if (!cursor_left(&list)) {
		attributes_flag(out, &fields[REFUSED]);
		return DISSECT_DONE;
	}
	while (cursor_left(&list)) {
		uint8_t type = cursor_u8(&list);
		say_offer(type, out);
		if (s->offered_count < TYPES_MOST)
			s->offered[s->offered_count++] = type;
	}
	s->stage = AWAIT_CHOICE;
	return DISSECT_MORE;
}

static enum dissect_result take_choice(struct vnc *s, struct dissect_input *in,
				       struct attributes *out)
{
	uint8_t type = cursor_u8(&in->bytes);

	if (s->offered_count < TYPES_MOST && !memchr(s->offered, type, s->offered_count))
		return DISSECT_MALFORMED;
	return choose(s, type, in, out);
}

/* Section 7.2.2: 16 bytes of challenge, 16 of response. */
static enum dissect_result pass_auth(struct vnc *s, struct dissect_input *in)
{
	uint8_t *rest = &s->challenge[in->direction];
	size_t here = cursor_left(&in->bytes) < *rest ? cursor_left(&in->bytes) : *rest;

	cursor_skip(&in->bytes, here);
	*rest = (uint8_t)(*rest - here);
	if (!s->challenge[0] && !s->challenge[1])
		s->stage = AWAIT_RESULT;
	return DISSECT_MORE;
}

/* Section 7.1.3 */
static enum dissect_result take_result(struct dissect_input *in, struct attributes *out)
{
	struct cursor c = in->bytes;
	uint32_t result = cursor_be32(&c);

	if (c.failed)
		return DISSECT_MORE;
	in->bytes = c;
	if (result == 0)
		attributes_flag(out, &fields[OPENED]);
	else if (result <= 2)
		attributes_add(out, &fields[FAILURES], 1);
	else
		return DISSECT_MALFORMED;
	return DISSECT_DONE;
}

/* Types that lead to TLS say a few things of their own before; each comes as a segment. */
static enum dissect_result watch(struct vnc *s, struct dissect_input *in)
{
	if (in->direction == s->server) {
		switch (sees_hello(&in->bytes, 2)) {
		case SIGHT_YES:
			in->encrypted = true;
			return DISSECT_DONE;
		case SIGHT_MORE:
			return DISSECT_MORE;
		case SIGHT_NO:
			break;
		}
	}
	cursor_skip(&in->bytes, cursor_left(&in->bytes));
	return ++s->waited == PATIENCE ? DISSECT_DONE : DISSECT_MORE;
}

static enum dissect_result advance(void *state, struct dissect_input *in, struct attributes *out)
{
	struct vnc *s = state;
	bool server = in->direction == s->server;

	if (!s->greeted[in->direction])
		return take_banner(s, in, out);
	switch (s->stage) {
	case AWAIT_TYPES:
		return server ? take_types(s, in, out) : DISSECT_MORE;
	case AWAIT_CHOICE:
		return server ? DISSECT_MORE : take_choice(s, in, out);
	case AWAIT_AUTH:
		return pass_auth(s, in);
	case AWAIT_RESULT:
		return server ? take_result(in, out) : DISSECT_MORE;
	case AWAIT_TLS:
		return watch(s, in);
	case AWAIT_BANNERS:
		break;
	}
	return DISSECT_MORE;
}

static enum dissect_result vnc_dissect(void *state, struct dissect_input *in,
				       struct attributes *out)
{
	struct vnc *s = state;

	if (in->gap && s->greeted[in->direction])
		return DISSECT_DONE;
	return dissect_messages(s, in, out, false, advance);
}

const struct dissector dissector_vnc = {
	.name = "vnc",
	.summary = "Remote Framebuffer (VNC): versions, security types, authentication",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ 5900, 5901, 5902, 5500, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { 'R', 'R' }, BYTE_RANGES_END },
	.state_size = sizeof(struct vnc),
	.probe = vnc_probe,
	.dissect = vnc_dissect,
};
