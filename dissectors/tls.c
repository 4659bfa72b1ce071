/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS (RFC 8446, RFC 5246) over TCP: what both sides say in the clear before
 * they encrypt. Reads the two hellos, HelloRetryRequest and alerts; before TLS 1.3 also
 * the server's certificate, and whether the client is asked for one and shows one.
 *
 * What counts as proof of encryption: a ServerHello with a cipher that
 * encrypts; or, when the server's side is not seen or was lost, a ClientHello and
 * then the client's change of cipher or application data (medium confidence). A ClientHello alone
 * gives the name `tls` with medium confidence and proves nothing: the server may refuse. Not
 * claimed: SSL 2.0 hellos, and streams whose start was not seen.
 *
 * Whether an encrypted hello (ECH) is real cannot be told from outside: clients without
 * one send random bytes of the same shape (GREASE), which is the point of it. */
#include "dissectors/tls_internal.h"

#include <stdio.h>

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
	HANDSHAKE_CERTIFICATE = 11,
	HANDSHAKE_CERTIFICATE_REQUEST = 13,
	HANDSHAKE_SERVER_DONE = 14,
	CERTIFICATE_HEADERS = 6, /* u24 of the list, u24 of its first */
	MESSAGE_MOST = 1 << 18,  /* chains of certificates have been seen of 100 KB */
	PATIENCE = 32,           /* records and messages passed over for what is still to come */
};

struct tls_side {
	bool greeted; /* its hello was read */
	bool server;
	bool over; /* nothing more is wanted from it */
	bool spoke;
	bool lost;     /* where its records begin is not known */
	uint16_t left; /* bytes not yet taken of the handshake record under way */
	uint32_t pass; /* handshake bytes to go by before the next message */
};

struct tls {
	struct tls_side sides[2];
	bool client_seen, server_seen; /* their hellos */
	bool open;                     /* what follows the hellos can be read: before 1.3 */
	bool server_done;              /* the server has said all that is in the clear */
	uint8_t waited;
	uint8_t session_length;
	uint8_t session[32]; /* that the client would like to resume */
};

enum reading { READ_OK, READ_SHORT, READ_BAD };

/* Handshake bytes, and the records around them. */
struct flight {
	struct cursor c;
	uint16_t left; /* of the record under way */
};

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

/* Copies the next `most` handshake bytes, stepping over record headers. */
static enum reading join(struct flight *f, uint8_t *to, size_t most, size_t *n)
{
	for (*n = 0; *n < most;) {
		struct record r;
		enum reading got = f->left ? READ_OK : read_record(&f->c, &r);
		if (got != READ_OK)
			return got;
		if (!f->left) {
			if (r.type != RECORD_HANDSHAKE)
				return READ_BAD;
			f->left = r.length;
		}
		size_t want = most - *n < f->left ? most - *n : f->left;
		size_t here = cursor_left(&f->c) < want ? cursor_left(&f->c) : want;
		const uint8_t *bytes = cursor_take(&f->c, here);
		if (here)
			memcpy(to + *n, bytes, here);
		*n += here;
		f->left = (uint16_t)(f->left - here);
		if (here < want)
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
	bool client = type == TLS_CLIENT_HELLO;
	size_t least = client ? TLS_CLIENT_HELLO_LEAST : TLS_SERVER_HELLO_LEAST;

	if (n >= 1 && !client && type != TLS_SERVER_HELLO)
		return false;
	uint32_t length = cursor_be24(&c);
	if (!c.failed && (length < least || length > TLS_HELLO_MOST))
		return false;
	uint8_t major = cursor_u8(&c);
	bool draft = !client && major == 0x7f; /* of 1.3, until draft 21 */
	if (!c.failed && major != 3 && !draft)
		return false;
	uint8_t minor = cursor_u8(&c);
	return c.failed || draft || minor <= 4;
}

/* Does a hello stand at the front, as far as there are bytes? */
static enum reading find_hello(struct cursor bytes)
{
	uint8_t head[TLS_HANDSHAKE_HEADER + 2];
	size_t n;

	int type = cursor_peek(&bytes, 0), major = cursor_peek(&bytes, 1);
	if ((type >= 0 && type != RECORD_HANDSHAKE) || (major >= 0 && major != 3))
		return READ_BAD;
	enum reading r = join(&(struct flight){ .c = bytes }, head, sizeof(head), &n);
	return starts_hello(head, n) ? r : READ_BAD;
}

static enum probe_result tls_probe(struct cursor bytes, enum transport transport,
				   uint16_t source_port, uint16_t dest_port, bool midstream)
{
	(void)transport, (void)source_port, (void)dest_port;
	(void)midstream; /* only a hello at the front is a claim, wherever it stands */

	switch (find_hello(bytes)) {
	case READ_OK:
		return PROBE_YES;
	case READ_SHORT:
		return cursor_left(&bytes) >= DISSECT_PROBE_MOST ? PROBE_NO : PROBE_MORE;
	case READ_BAD:
		break;
	}
	return PROBE_NO;
}

static void take_client_hello(struct tls *s, const struct tls_hello *h, struct dissect_input *in,
			      struct attributes *out)
{
	static const struct tls_client_fields client_fields = {
		.sni = &tls_fields[TLS_SNI],
		.alpn = &tls_fields[TLS_ALPN],
		.version_max = &tls_fields[TLS_VERSION_MAX],
		.ech = &tls_fields[TLS_ECH],
		.ja3 = &tls_fields[TLS_JA3],
		.ja4 = &tls_fields[TLS_JA4],
		.dns_over = &tls_fields[TLS_DNS_OVER],
	};

	tls_record_client(h, 't', in->dest_port, &client_fields, out);
	s->session_length = (uint8_t)cursor_left(&h->session);
	if (s->session_length)
		memcpy(s->session, h->session.at, s->session_length);
	s->client_seen = true;
	in->role = ROLE_SENDER_IS_CLIENT;
	if (!s->server_seen)
		in->confidence = CONFIDENCE_MEDIUM;
}

/* Before 1.3 a server that echoes the client's session id takes it up again;
 * from 1.3 on the echo means nothing and a chosen key tells. */
static bool is_resumed(const struct tls *s, const struct tls_hello *h)
{
	if (tls_is_13(h->version))
		return h->pre_shared;
	return s->session_length && cursor_left(&h->session) == s->session_length &&
	       memcmp(h->session.at, s->session, s->session_length) == 0;
}

static void take_server_hello(struct tls *s, const struct tls_hello *h, struct dissect_input *in,
			      struct attributes *out)
{
	char text[JA3_TEXT];

	in->role = ROLE_SENDER_IS_SERVER;
	in->confidence = CONFIDENCE_HIGH;
	if (h->retry)
		return;
	int n = snprintf(text, sizeof(text), "0x%04x", (unsigned)h->cipher);
	attributes_text(out, &tls_fields[TLS_CIPHER], text, (size_t)n);
	tls_record_version(out, &tls_fields[TLS_VERSION], h->version);
	tls_record_protocols(out, &tls_fields[TLS_ALPN_CHOSEN], h->protocols);
	tls_ja3s(h, text);
	attributes_text(out, &tls_fields[TLS_JA3S], text, strlen(text));
	bool resumed = is_resumed(s, h);
	if (resumed)
		attributes_flag(out, &tls_fields[TLS_RESUMED]);
	in->encrypted = tls_cipher_encrypts(h->cipher);
	s->open = !resumed && !tls_is_13(h->version);
	s->server_seen = s->sides[in->direction].server = true;
}

static enum dissect_result broken(const struct tls *s)
{
	return s->client_seen || s->server_seen ? DISSECT_MALFORMED : DISSECT_NOT_MINE;
}

/* Behind the hellos what is no handshake is the secret part, begun unannounced. */
static enum dissect_result unreadable(const struct tls *s)
{
	return s->client_seen && s->server_seen ? DISSECT_DONE : broken(s);
}

struct message {
	uint8_t type;
	uint32_t length;
	uint8_t body[TLS_HELLO_MOST]; /* of which so much as was wanted */
	size_t wanted;
};

/* How much of its body a message is read for; of certificates only the first. */
static enum reading look_ahead(const struct tls *s, const struct tls_side *side, struct flight f,
			       struct message *m)
{
	bool hello = m->type == TLS_CLIENT_HELLO || m->type == TLS_SERVER_HELLO;
	bool certificate = m->type == HANDSHAKE_CERTIFICATE && s->open && side->server;
	size_t n;

	m->wanted = hello && !side->greeted ? m->length : 0;
	if (!certificate || m->length < CERTIFICATE_HEADERS)
		return READ_OK;
	enum reading r = join(&f, m->body, CERTIFICATE_HEADERS, &n);
	if (r != READ_OK)
		return r;
	m->wanted = CERTIFICATE_HEADERS + ((size_t)m->body[3] << 16 | m->body[4] << 8 | m->body[5]);
	if (m->wanted > m->length)
		return READ_BAD;
	if (m->wanted > sizeof(m->body))
		m->wanted = sizeof(m->body);
	return READ_OK;
}

/* The next message, its header and as much of it as is wanted. */
static enum reading read_message(const struct tls *s, const struct tls_side *side, struct flight *f,
				 struct message *m)
{
	uint8_t head[TLS_HANDSHAKE_HEADER + 2];
	size_t n;
	struct flight ahead = *f;
	enum reading r = join(&ahead, head, sizeof(head), &n);

	if (!side->greeted && (r == READ_BAD || !starts_hello(head, n)))
		return READ_BAD;
	r = join(f, head, TLS_HANDSHAKE_HEADER, &n);
	if (r != READ_OK)
		return r;
	struct cursor header = cursor_of(head, TLS_HANDSHAKE_HEADER);
	m->type = cursor_u8(&header);
	m->length = cursor_be24(&header);
	if (m->length > MESSAGE_MOST)
		return READ_BAD;
	r = look_ahead(s, side, *f, m);
	return r == READ_OK ? join(f, m->body, m->wanted, &n) : r;
}

static enum dissect_result take_hello(struct tls *s, const struct message *m,
				      struct dissect_input *in, struct attributes *out)
{
	bool client = m->type == TLS_CLIENT_HELLO;
	struct tls_hello hello;

	if (!tls_read_hello(cursor_of(m->body, m->length), client, &hello))
		return broken(s);
	if (client)
		take_client_hello(s, &hello, in, out);
	else
		take_server_hello(s, &hello, in, out);
	s->sides[in->direction].greeted = !hello.retry;
	return DISSECT_MORE;
}

/* A client without one shows an empty list. */
static void take_certificate(const struct tls_side *side, const struct message *m,
			     struct dissect_input *in, struct attributes *out)
{
	struct cursor c = cursor_of(m->body, m->wanted);

	if (!side->server && m->length > CERTIFICATE_HEADERS)
		attributes_flag(out, &tls_fields[TLS_CLIENT_CERTIFICATE]);
	cursor_skip(&c, CERTIFICATE_HEADERS);
	if (side->server && cursor_left(&c))
		tls_record_certificate(c, in->time, out);
}

static enum dissect_result take_message(struct tls *s, const struct message *m,
					struct dissect_input *in, struct attributes *out)
{
	const struct tls_side *side = &s->sides[in->direction];

	if (!side->greeted)
		return take_hello(s, m, in, out);
	switch (s->open ? m->type : 0) {
	case HANDSHAKE_CERTIFICATE:
		take_certificate(side, m, in, out);
		break;
	case HANDSHAKE_CERTIFICATE_REQUEST:
		attributes_flag(out, &tls_fields[TLS_CLIENT_CERTIFICATE_ASKED]);
		break;
	case HANDSHAKE_SERVER_DONE:
		s->server_done = true;
		break;
	default:
		break;
	}
	return ++s->waited == PATIENCE ? DISSECT_DONE : DISSECT_MORE;
}

static enum dissect_result take_handshake(struct tls *s, struct dissect_input *in,
					  struct attributes *out)
{
	struct tls_side *side = &s->sides[in->direction];
	struct flight f = { .c = in->bytes, .left = side->left };
	struct message m;

	switch (read_message(s, side, &f, &m)) {
	case READ_SHORT:
		return DISSECT_MORE;
	case READ_BAD:
		return side->greeted ? unreadable(s) : broken(s);
	case READ_OK:
		break;
	}
	side->left = f.left;
	side->pass = m.length - (uint32_t)m.wanted;
	dissect_pass_over(in, (size_t)(f.c.at - in->bytes.at));
	return take_message(s, &m, in, out);
}

/* The rest of a message that nobody wants, as far as its record goes. */
static void pass_handshake(struct tls_side *side, struct dissect_input *in)
{
	uint32_t n = side->pass < side->left ? side->pass : side->left;

	dissect_pass_over(in, n);
	side->left = (uint16_t)(side->left - n);
	side->pass -= n;
}

static enum dissect_result take_alert(struct tls *s, struct record r, struct cursor body,
				      struct dissect_input *in, struct attributes *out)
{
	if (r.length != 2) { /* encrypted: the hellos went unseen */
		s->sides[in->direction].over = true;
		return DISSECT_MORE;
	}
	uint8_t level = cursor_u8(&body);
	uint8_t description = cursor_u8(&body);
	if (body.failed)
		return DISSECT_MORE;
	if (level != 1 && level != 2)
		return broken(s);
	tls_record_alert(description, out);
	dissect_pass_over(in, RECORD_HEADER + r.length);
	return level == 2 ? DISSECT_DONE : DISSECT_MORE;
}

/* A record that nobody can read. A server that goes there without having ended its part
 * in the clear takes up an earlier session (RFC 5246 section 7.3, RFC 5077). */
static enum dissect_result take_secret(struct tls *s, struct record r, struct dissect_input *in,
				       struct attributes *out)
{
	struct tls_side *side = &s->sides[in->direction];
	const struct tls_side *other = &s->sides[!in->direction];

	if (s->server_seen && side->server) {
		if (s->open && !s->server_done && r.type == RECORD_CHANGE_CIPHER)
			attributes_flag(out, &tls_fields[TLS_RESUMED]);
		return DISSECT_DONE;
	}
	if (s->server_seen) {
		side->over = true;
	} else if (!other->spoke || other->over) {
		in->encrypted = true;
		in->confidence = CONFIDENCE_MEDIUM;
	}
	return DISSECT_MORE;
}

/* A record that holds nothing for us, or nothing any more. */
static enum dissect_result take_other(struct tls *s, struct record r, struct dissect_input *in,
				      struct attributes *out)
{
	bool secret = r.type == RECORD_CHANGE_CIPHER || r.type == RECORD_DATA;

	if (!s->client_seen && !s->server_seen)
		return DISSECT_NOT_MINE;
	dissect_pass_over(in, RECORD_HEADER + (size_t)r.length);
	if (secret && take_secret(s, r, in, out) == DISSECT_DONE)
		return DISSECT_DONE;
	return ++s->waited == PATIENCE ? DISSECT_DONE : DISSECT_MORE;
}

static enum dissect_result take_record(struct tls *s, struct dissect_input *in,
				       struct attributes *out)
{
	struct tls_side *side = &s->sides[in->direction];
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
	if (side->pass && r.type != RECORD_HANDSHAKE)
		return unreadable(s);
	if (side->pass) { /* the rest of a message, in its next record */
		cursor_skip(&in->bytes, RECORD_HEADER);
		side->left = r.length;
		return DISSECT_MORE;
	}
	if (r.type == RECORD_HANDSHAKE)
		return take_handshake(s, in, out);
	if (r.type == RECORD_ALERT && (s->client_seen || s->server_seen))
		return take_alert(s, r, c, in, out);
	return take_other(s, r, in, out);
}

static enum dissect_result take(struct tls *s, struct dissect_input *in, struct attributes *out)
{
	struct tls_side *side = &s->sides[in->direction];

	if (!side->left)
		return take_record(s, in, out);
	if (!side->pass)
		return take_handshake(s, in, out);
	pass_handshake(side, in);
	return DISSECT_MORE;
}

/* Before 1.3 the client's last words in the clear are waited for: it may refuse the
 * certificate. */
static bool is_finished(const struct tls *s)
{
	const struct tls_side *a = &s->sides[0], *b = &s->sides[1];

	if (a->over && b->over)
		return true;
	if (!s->client_seen || !s->server_seen)
		return false;
	return !s->open || (s->server_done && (a->over || b->over));
}

/* Bytes were lost, or the start was. A record boundary is found again only where a hello
 * stands. */
static void resume(struct tls_side *side, const struct dissect_input *in)
{
	enum reading r = side->greeted ? READ_BAD : find_hello(in->bytes);

	side->left = 0;
	side->pass = 0;
	side->lost = r == READ_SHORT;
	side->over |= r == READ_BAD;
}

static enum dissect_result tls_dissect(void *state, struct dissect_input *in,
				       struct attributes *out)
{
	struct tls *s = state;
	struct tls_side *side = &s->sides[in->direction];

	side->spoke |= cursor_left(&in->bytes) > 0;
	if (side->lost || in->gap)
		resume(side, in);
	while (!side->over && !side->lost && cursor_left(&in->bytes) && !in->skip) {
		size_t before = cursor_left(&in->bytes);
		enum dissect_result r = take(s, in, out);
		if (r != DISSECT_MORE)
			return r;
		if (is_finished(s))
			break;
		if (cursor_left(&in->bytes) == before && !side->over)
			return DISSECT_MORE;
	}
	if (side->over)
		cursor_skip(&in->bytes, cursor_left(&in->bytes));
	return is_finished(s) ? DISSECT_DONE : DISSECT_MORE;
}

const struct dissector dissector_tls = {
	.name = "tls",
	.summary = "Transport Layer Security handshakes over TCP, any port",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ 443, 8443, 2762, 636, 853, 993, 995, 465, 6514, 0 },
	.fields = tls_fields,
	.first = (const struct byte_range[]){ { 22, 22 }, BYTE_RANGES_END },
	.state_size = sizeof(struct tls),
	.probe = tls_probe,
	.dissect = tls_dissect,
};
