/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS (RFC 8446, RFC 5246) over TCP: what both sides say in the clear before
 * they encrypt. Reads the two hellos, HelloRetryRequest and alerts.
 *
 * What counts as proof of encryption: a ServerHello with a cipher that
 * encrypts; or, when the server's side is not seen or was lost, a ClientHello and
 * then the client's change of cipher or application data (medium confidence). A ClientHello alone
 * gives the name `tls` with medium confidence and proves nothing: the server may refuse. Not
 * claimed: SSL 2.0 hellos, and streams whose start was not seen. */
#include "dissectors/dissector.h"

#include <stdio.h>

enum {
	SNI,
	ALPN,
	ALPN_CHOSEN,
	VERSION,
	VERSION_MAX,
	CIPHER,
	RESUMED,
	ECH,
	ALERT,
};

static const struct field fields[] = {
	[SNI] = { "tls.sni", FIELD_TEXT, GRAMMAR_HOSTNAME, "",
		  "server name that the client asks for", PHI_SITE, ABOUT_FLOW },
	[ALPN] = { "tls.alpn", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		   "application protocols that the client offers", PHI_NONE, ABOUT_FLOW },
	[ALPN_CHOSEN] = { "tls.alpn_chosen", FIELD_TEXT, GRAMMAR_TOKEN, "",
			  "application protocol that the server chose (not visible from TLS 1.3 "
			  "on)",
			  PHI_NONE, ABOUT_FLOW },
	[VERSION] = { "tls.version", FIELD_TEXT, GRAMMAR_TOKEN, "",
		      "version agreed on, as 1.3; ssl3.0 for SSL 3.0", PHI_NONE, ABOUT_FLOW },
	[VERSION_MAX] = { "tls.client_version_max", FIELD_TEXT, GRAMMAR_TOKEN, "",
			  "highest version that the client offers", PHI_NONE, ABOUT_FLOW },
	[CIPHER] = { "tls.cipher", FIELD_TEXT, GRAMMAR_TOKEN, "",
		     "cipher suite agreed on, by its IANA number, as 0x1301", PHI_NONE,
		     ABOUT_FLOW },
	[RESUMED] = { "tls.resumed", FIELD_FLAG, GRAMMAR_NONE, "", "an earlier session went on",
		      PHI_NONE, ABOUT_FLOW },
	[ECH] = { "tls.ech", FIELD_FLAG, GRAMMAR_NONE, "",
		  "the client offers an encrypted hello, or pretends to: then the true name is "
		  "hidden",
		  PHI_NONE, ABOUT_FLOW },
	[ALERT] = { "tls.alert", FIELD_TEXT, GRAMMAR_TOKEN, "",
		    "alert in the clear, as handshake_failure", PHI_NONE, ABOUT_FLOW },
	{ 0 },
};

enum {
	RECORD_CHANGE_CIPHER = 20,
	RECORD_ALERT = 21,
	RECORD_HANDSHAKE = 22,
	RECORD_DATA = 23,
	RECORD_HEARTBEAT = 24,
	RECORD_HEADER = 5,
	RECORD_MOST = (1 << 14) + 2048, /* RFC 5246 section 6.2.3 */
};

enum {
	HANDSHAKE_HEADER = 4,
	CLIENT_HELLO = 1,
	SERVER_HELLO = 2,
	CLIENT_HELLO_LEAST = 41, /* one cipher, one compression, no extensions */
	SERVER_HELLO_LEAST = 38,
	HELLO_MOST = 12288, /* leaves room for record headers in DISSECT_BUFFER */
	PATIENCE = 32,      /* records of one side to wait through for the other side's hello */
};

enum {
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_ALPN = 16,
	EXTENSION_PRE_SHARED_KEY = 41,
	EXTENSION_SUPPORTED_VERSIONS = 43,
	EXTENSION_ECH = 0xfe0d,
	EXTENSION_ESNI = 0xffce,
};

struct tls {
	bool client_seen, server_seen; /* their hellos */
	bool greeted[2];               /* the hello of this direction was read */
	bool over[2];                  /* nothing more is wanted from this direction */
	bool spoke[2];
	uint8_t waited; /* records passed over since one hello, for the other */
	uint8_t session_length;
	uint8_t session[32]; /* that the client would like to resume */
};

enum reading { READ_OK, READ_SHORT, READ_BAD };

struct hello {
	uint16_t version; /* agreed on, or the highest offered */
	uint16_t cipher;
	struct cursor session, name, protocols;
	bool ech, pre_shared, retry;
};

/* RFC 8701: values that mean nothing, to keep others honest. */
static bool is_grease(unsigned v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

/* Drafts of 1.3 (0x7fNN) stand between 1.2 and 1.3; what is no version (RFC 8701's
 * GREASE) comes last. */
static unsigned rank(unsigned version)
{
	if (version >> 8 == 0x7f)
		return 0x0303U << 8 | (version & 0xff);
	return version >> 8 == 3 ? version << 8 : 0;
}

/* RFC 6066 section 3. */
static void read_server_name(struct cursor c, struct hello *h)
{
	struct cursor list = cursor_sub(&c, cursor_be16(&c));

	while (cursor_left(&list)) {
		uint8_t type = cursor_u8(&list);
		struct cursor name = cursor_sub(&list, cursor_be16(&list));
		if (type == 0 && !name.failed && !cursor_left(&h->name))
			h->name = name;
	}
}

static void read_versions(struct cursor c, bool client, struct hello *h)
{
	struct cursor list = client ? cursor_sub(&c, cursor_u8(&c)) : c;

	while (cursor_left(&list) >= 2) {
		uint16_t version = cursor_be16(&list);
		if (!client || rank(version) > rank(h->version))
			h->version = version;
	}
}

static void read_extension(unsigned type, struct cursor c, bool client, struct hello *h)
{
	switch (type) {
	case EXTENSION_SERVER_NAME:
		if (client)
			read_server_name(c, h);
		break;
	case EXTENSION_ALPN: /* RFC 7301: a list on both sides */
		h->protocols = cursor_sub(&c, cursor_be16(&c));
		break;
	case EXTENSION_SUPPORTED_VERSIONS:
		read_versions(c, client, h);
		break;
	case EXTENSION_PRE_SHARED_KEY:
		h->pre_shared = true;
		break;
	case EXTENSION_ECH:
	case EXTENSION_ESNI:
		h->ech = true;
		break;
	default:
		break;
	}
}

/* RFC 8446 section 4.1.3: a ServerHello with this random asks for another try. */
static bool is_retry(const uint8_t random[32])
{
	static const uint8_t retry[32] = {
		0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
		0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
		0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
	};
	return memcmp(random, retry, sizeof(retry)) == 0;
}

/* RFC 8446 sections 4.1.2 and 4.1.3: version u16, random[32], session id u8+,
 * then the client's ciphers u16+ and compressions u8+, or the server's one of
 * each; extensions u16+ may be missing before TLS 1.2. */
static bool read_hello(struct cursor c, bool client, struct hello *h)
{
	*h = (struct hello){ .version = cursor_be16(&c) };
	const uint8_t *random = cursor_take(&c, 32);
	h->session = cursor_sub(&c, cursor_u8(&c));
	if (client) {
		struct cursor ciphers = cursor_sub(&c, cursor_be16(&c));
		struct cursor compressions = cursor_sub(&c, cursor_u8(&c));
		if (cursor_left(&ciphers) < 2 || cursor_left(&ciphers) % 2 ||
		    !cursor_left(&compressions))
			return false;
	} else {
		h->cipher = cursor_be16(&c);
		cursor_skip(&c, 1);
	}
	if (c.failed || h->version >> 8 != 3 || cursor_left(&h->session) > 32)
		return false;
	h->retry = !client && is_retry(random);
	if (!cursor_left(&c))
		return true;
	struct cursor extensions = cursor_sub(&c, cursor_be16(&c));
	while (cursor_left(&extensions)) {
		uint16_t type = cursor_be16(&extensions);
		struct cursor data = cursor_sub(&extensions, cursor_be16(&extensions));
		if (!data.failed)
			read_extension(type, data, client, h);
	}
	return !c.failed && !extensions.failed && !cursor_left(&c);
}

static void record_version(struct attributes *out, const struct field *f, unsigned version)
{
	char text[16];
	int n;

	if (version == 0x0300)
		n = snprintf(text, sizeof(text), "ssl3.0");
	else if (version > 0x0300 && version <= 0x0304)
		n = snprintf(text, sizeof(text), "1.%u", (version & 0xff) - 1);
	else if (version >> 8 == 0x7f)
		n = snprintf(text, sizeof(text), "1.3-draft%u", version & 0xff);
	else
		n = snprintf(text, sizeof(text), "0x%04x", version);
	attributes_text(out, f, text, (size_t)n);
}

static void record_protocols(struct attributes *out, const struct field *f, struct cursor list)
{
	while (cursor_left(&list)) {
		struct cursor name = cursor_sub(&list, cursor_u8(&list));
		bool grease = cursor_left(&name) == 2 && is_grease(name.at[0] << 8 | name.at[1]);
		if (!name.failed && !grease)
			attributes_text(out, f, name.at, cursor_left(&name));
	}
}

static void record_client(struct tls *s, const struct hello *h, struct dissect_input *in,
			  struct attributes *out)
{
	size_t n = cursor_left(&h->name);

	if (n > 1 && h->name.at[n - 1] == '.')
		n--;
	attributes_text(out, &fields[SNI], h->name.at, n);
	record_protocols(out, &fields[ALPN], h->protocols);
	record_version(out, &fields[VERSION_MAX], h->version);
	if (h->ech)
		attributes_flag(out, &fields[ECH]);
	s->session_length = (uint8_t)cursor_left(&h->session);
	if (s->session_length)
		memcpy(s->session, h->session.at, s->session_length);
	s->client_seen = true;
	in->role = ROLE_SENDER_IS_CLIENT;
	if (!s->server_seen)
		in->confidence = CONFIDENCE_MEDIUM;
}

/* Suites that authenticate and leave the content readable: IANA's *_WITH_NULL_*
 * and the integrity-only ones of RFC 9150. Health care uses them for node
 * authentication, so they are met. */
static bool cipher_encrypts(unsigned cipher)
{
	static const uint16_t clear[] = {
		0x0000, 0x0001, 0x0002, 0x002c, 0x002d, 0x002e, 0x003b, 0x00b0,
		0x00b1, 0x00b4, 0x00b5, 0x00b8, 0x00b9, 0xc001, 0xc006, 0xc00b,
		0xc010, 0xc015, 0xc039, 0xc03a, 0xc03b, 0xc0b4, 0xc0b5,
	};
	for (size_t i = 0; i < sizeof(clear) / sizeof(clear[0]); i++)
		if (clear[i] == cipher)
			return false;
	return true;
}

/* Before 1.3 a server that echoes the client's session id takes it up again;
 * from 1.3 on the echo means nothing and a chosen key tells. */
static bool is_resumed(const struct tls *s, const struct hello *h)
{
	if (rank(h->version) > rank(0x0303))
		return h->pre_shared;
	return s->session_length && cursor_left(&h->session) == s->session_length &&
	       memcmp(h->session.at, s->session, s->session_length) == 0;
}

static void record_server(struct tls *s, const struct hello *h, struct dissect_input *in,
			  struct attributes *out)
{
	char cipher[8];

	in->role = ROLE_SENDER_IS_SERVER;
	in->confidence = CONFIDENCE_HIGH;
	if (h->retry)
		return;
	int n = snprintf(cipher, sizeof(cipher), "0x%04x", (unsigned)h->cipher);
	attributes_text(out, &fields[CIPHER], cipher, (size_t)n);
	record_version(out, &fields[VERSION], h->version);
	record_protocols(out, &fields[ALPN_CHOSEN], h->protocols);
	if (is_resumed(s, h))
		attributes_flag(out, &fields[RESUMED]);
	in->encrypted = cipher_encrypts(h->cipher);
	s->server_seen = true;
}

/* RFC 8446 section 6 and its predecessors. */
static void record_alert(unsigned description, struct attributes *out)
{
	static const char *const names[] = {
		[0] = "close_notify",
		[10] = "unexpected_message",
		[20] = "bad_record_mac",
		[22] = "record_overflow",
		[40] = "handshake_failure",
		[41] = "no_certificate",
		[42] = "bad_certificate",
		[43] = "unsupported_certificate",
		[44] = "certificate_revoked",
		[45] = "certificate_expired",
		[46] = "certificate_unknown",
		[47] = "illegal_parameter",
		[48] = "unknown_ca",
		[49] = "access_denied",
		[50] = "decode_error",
		[51] = "decrypt_error",
		[70] = "protocol_version",
		[71] = "insufficient_security",
		[80] = "internal_error",
		[86] = "inappropriate_fallback",
		[90] = "user_canceled",
		[100] = "no_renegotiation",
		[109] = "missing_extension",
		[110] = "unsupported_extension",
		[112] = "unrecognized_name",
		[113] = "bad_certificate_status_response",
		[115] = "unknown_psk_identity",
		[116] = "certificate_required",
		[120] = "no_application_protocol",
	};
	char text[16];

	if (description < sizeof(names) / sizeof(names[0]) && names[description]) {
		attributes_text(out, &fields[ALERT], names[description],
				strlen(names[description]));
		return;
	}
	int n = snprintf(text, sizeof(text), "alert%u", description);
	attributes_text(out, &fields[ALERT], text, (size_t)n);
}

struct record {
	uint8_t type;
	uint16_t length;
};

/* type u8, version u16, length u16 */
static enum reading read_record(struct cursor *c, struct record *r)
{
	r->type = cursor_u8(c);
	uint8_t major = cursor_u8(c);
	uint8_t minor = cursor_u8(c);
	r->length = cursor_be16(c);
	if (c->failed)
		return READ_SHORT;
	if (r->type < RECORD_CHANGE_CIPHER || r->type > RECORD_HEARTBEAT || major != 3 ||
	    minor > 4 || r->length > RECORD_MOST)
		return READ_BAD;
	if (r->length == 0 && r->type != RECORD_DATA)
		return READ_BAD;
	return READ_OK;
}

/* Joins the first `most` bytes of the handshake records at the front of `c`.
 * `*last` says how much of the last record stands behind what was joined. */
static enum reading join(struct cursor *c, uint8_t *to, size_t most, size_t *n, size_t *last)
{
	*last = 0;
	for (*n = 0; *n < most;) {
		struct record r;
		enum reading got = read_record(c, &r);
		if (got != READ_OK)
			return got;
		if (r.type != RECORD_HANDSHAKE)
			return READ_BAD;
		size_t want = most - *n;
		size_t take = r.length < want ? r.length : want;
		size_t here = cursor_left(c) < take ? cursor_left(c) : take;
		const uint8_t *bytes = cursor_take(c, here);
		if (here)
			memcpy(to + *n, bytes, here);
		*n += here;
		*last = r.length - here;
		if (here < take)
			return READ_SHORT;
	}
	return READ_OK;
}

/* Does a handshake that starts so (type, length u24, version u16) open a
 * connection? As far as there are bytes. */
static bool starts_hello(const uint8_t *p, size_t n)
{
	struct cursor c = cursor_of(p, n);
	uint8_t type = cursor_u8(&c);
	size_t least = type == CLIENT_HELLO ? CLIENT_HELLO_LEAST : SERVER_HELLO_LEAST;

	if (n >= 1 && type != CLIENT_HELLO && type != SERVER_HELLO)
		return false;
	uint32_t length = cursor_be24(&c);
	if (!c.failed && (length < least || length > HELLO_MOST))
		return false;
	uint8_t major = cursor_u8(&c);
	if (!c.failed && major != 3)
		return false;
	uint8_t minor = cursor_u8(&c);
	return c.failed || minor <= 4;
}

static enum probe_result tls_probe(struct cursor bytes, enum transport transport,
				   uint16_t source_port, uint16_t dest_port, bool midstream)
{
	uint8_t head[HANDSHAKE_HEADER + 2];
	size_t n, last;
	(void)transport, (void)source_port, (void)dest_port;
	(void)midstream; /* only a hello at the front is a claim, wherever it stands */

	int type = cursor_peek(&bytes, 0), major = cursor_peek(&bytes, 1);
	if ((type >= 0 && type != RECORD_HANDSHAKE) || (major >= 0 && major != 3))
		return PROBE_NO;
	bool full = cursor_left(&bytes) >= DISSECT_PROBE_MOST;
	enum reading r = join(&bytes, head, sizeof(head), &n, &last);
	if (r == READ_BAD || !starts_hello(head, n))
		return PROBE_NO;
	if (r == READ_OK)
		return PROBE_YES;
	return full ? PROBE_NO : PROBE_MORE;
}

/* Takes `n` bytes, of which some may not be here yet. */
static void pass_over(struct dissect_input *in, size_t n)
{
	size_t here = cursor_left(&in->bytes);

	if (here > n)
		here = n;
	cursor_skip(&in->bytes, here);
	in->skip = n - here;
}

static enum dissect_result broken(const struct tls *s)
{
	return s->client_seen || s->server_seen ? DISSECT_MALFORMED : DISSECT_NOT_MINE;
}

static enum dissect_result take_handshake(struct tls *s, struct dissect_input *in,
					  struct attributes *out)
{
	uint8_t joined[HELLO_MOST + HANDSHAKE_HEADER];
	struct cursor c = in->bytes;
	struct hello hello;
	size_t n, last;

	enum reading r = join(&c, joined, HANDSHAKE_HEADER, &n, &last);
	if (r == READ_BAD || !starts_hello(joined, n))
		return broken(s);
	if (r == READ_SHORT)
		return DISSECT_MORE;
	struct cursor header = cursor_of(joined, HANDSHAKE_HEADER);
	bool client = cursor_u8(&header) == CLIENT_HELLO;
	size_t length = cursor_be24(&header);

	c = in->bytes;
	r = join(&c, joined, HANDSHAKE_HEADER + length, &n, &last);
	if (r == READ_SHORT)
		return DISSECT_MORE;
	if (r == READ_BAD ||
	    !read_hello(cursor_of(joined + HANDSHAKE_HEADER, length), client, &hello))
		return broken(s);
	if (client)
		record_client(s, &hello, in, out);
	else
		record_server(s, &hello, in, out);
	s->greeted[in->direction] = !hello.retry;
	pass_over(in, (size_t)(c.at - in->bytes.at) + last);
	return DISSECT_MORE;
}

static enum dissect_result take_alert(struct tls *s, struct record r, struct cursor body,
				      struct dissect_input *in, struct attributes *out)
{
	if (r.length != 2) { /* encrypted: the hellos went unseen */
		s->over[in->direction] = true;
		return DISSECT_MORE;
	}
	uint8_t level = cursor_u8(&body);
	uint8_t description = cursor_u8(&body);
	if (body.failed)
		return DISSECT_MORE;
	if (level != 1 && level != 2)
		return broken(s);
	record_alert(description, out);
	pass_over(in, RECORD_HEADER + r.length);
	return level == 2 ? DISSECT_DONE : DISSECT_MORE;
}

/* A record that holds nothing for us, or nothing any more. */
static enum dissect_result take_other(struct tls *s, struct record r, struct dissect_input *in)
{
	bool secret = r.type == RECORD_CHANGE_CIPHER || r.type == RECORD_DATA;

	if (!s->client_seen && !s->server_seen)
		return DISSECT_NOT_MINE;
	unsigned other = !in->direction;
	if (secret && !s->server_seen && (!s->spoke[other] || s->over[other])) {
		in->encrypted = true;
		in->confidence = CONFIDENCE_MEDIUM;
	}
	pass_over(in, RECORD_HEADER + (size_t)r.length);
	if (secret && s->server_seen)
		return DISSECT_DONE;
	return ++s->waited == PATIENCE ? DISSECT_DONE : DISSECT_MORE;
}

static enum dissect_result take_record(struct tls *s, struct dissect_input *in,
				       struct attributes *out)
{
	struct cursor c = in->bytes;
	struct record r;

	switch (read_record(&c, &r)) {
	case READ_SHORT:
		return DISSECT_MORE;
	case READ_BAD:
		return s->server_seen ? DISSECT_DONE : broken(s);
	case READ_OK:
		break;
	}
	if (r.type == RECORD_HANDSHAKE && !s->greeted[in->direction])
		return take_handshake(s, in, out);
	if (r.type == RECORD_ALERT && (s->client_seen || s->server_seen))
		return take_alert(s, r, c, in, out);
	return take_other(s, r, in);
}

static bool is_finished(const struct tls *s)
{
	return (s->client_seen && s->server_seen) || (s->over[0] && s->over[1]);
}

static enum dissect_result tls_dissect(void *state, struct dissect_input *in,
				       struct attributes *out)
{
	struct tls *s = state;
	bool *over = &s->over[in->direction];

	s->spoke[in->direction] |= cursor_left(&in->bytes) > 0;
	*over |= in->gap; /* a lost record boundary is not found again */
	while (!*over && cursor_left(&in->bytes) && !in->skip) {
		size_t before = cursor_left(&in->bytes);
		enum dissect_result r = take_record(s, in, out);
		if (r != DISSECT_MORE)
			return r;
		if (is_finished(s))
			break;
		if (cursor_left(&in->bytes) == before && !*over)
			return DISSECT_MORE;
	}
	if (*over)
		cursor_skip(&in->bytes, cursor_left(&in->bytes));
	return is_finished(s) ? DISSECT_DONE : DISSECT_MORE;
}

const struct dissector dissector_tls = {
	.name = "tls",
	.summary = "Transport Layer Security handshakes over TCP, any port",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ 443, 8443, 2762, 636, 853, 993, 995, 465, 6514, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { 22, 22 }, BYTE_RANGES_END },
	.state_size = sizeof(struct tls),
	.probe = tls_probe,
	.dissect = tls_dissect,
};
