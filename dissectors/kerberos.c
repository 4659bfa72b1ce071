/* SPDX-License-Identifier: Apache-2.0
 *
 * Kerberos 5 (RFC 4120; numbers of encryption types from IANA's registry) over UDP and
 * TCP, any port: kinds of messages, errors and encryption types. Realms, principals
 * and host addresses are passed over unread. */
#include "dissectors/der.h"
#include "dissectors/words.h"

enum {
	AS_REQUESTS,
	AS_REPLIES,
	TGS_REQUESTS,
	TGS_REPLIES,
	OTHERS,
	ERRORS,
	ERROR,
	PREAUTH_FAILED,
	UNKNOWN_CLIENT,
	NO_PREAUTH,
	OFFERED,
	TICKET,
	WEAK,
	BROKEN,
};

static const struct field fields[] = {
	/* clang-format off */
	[AS_REQUESTS] = { "kerberos.as_requests", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"requests to be authenticated", PHI_NONE, ABOUT_FLOW },
	[AS_REPLIES] = { "kerberos.as_replies", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"clients authenticated", PHI_NONE, ABOUT_FLOW },
	[TGS_REQUESTS] = { "kerberos.tgs_requests", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"requests for a ticket to a service", PHI_NONE, ABOUT_FLOW },
	[TGS_REPLIES] = { "kerberos.tgs_replies", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"tickets to services given", PHI_NONE, ABOUT_FLOW },
	[OTHERS] = { "kerberos.other_messages", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"messages of other kinds (AP, SAFE, PRIV, CRED)", PHI_NONE, ABOUT_FLOW },
	[ERRORS] = { "kerberos.errors", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"errors answered, of any kind", PHI_NONE, ABOUT_FLOW },
	[ERROR] = { "kerberos.error", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"kinds of errors, as preauth-required (which is usual) or error99", PHI_NONE, ABOUT_FLOW },
	[PREAUTH_FAILED] = { "kerberos.preauth_failed", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"errors that the password was wrong", PHI_NONE, ABOUT_FLOW },
	[UNKNOWN_CLIENT] = { "kerberos.unknown_client", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"errors that nobody has the name asked for", PHI_NONE, ABOUT_FLOW },
	[NO_PREAUTH] = { "kerberos.no_preauth", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"clients authenticated without a proof, so that their password can be guessed at home",
		PHI_NONE, ABOUT_FLOW },
	[OFFERED] = { "kerberos.etype_offered", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"encryption types in requests", PHI_NONE, ABOUT_FLOW },
	[TICKET] = { "kerberos.ticket_etype", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"encryption types of tickets in replies", PHI_NONE, ABOUT_FLOW },
	[WEAK] = { "kerberos.weak_ticket", FIELD_FLAG, GRAMMAR_NONE, "",
		"a ticket was given that is encrypted with DES or RC4", PHI_NONE, ABOUT_FLOW },
	[BROKEN] = { "kerberos.malformed", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"messages that break the format", PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	{ 0 },
};

enum {
	MESSAGE_MOST = 0x40000, /* a ticket with many groups has some 64 KB */
	LOOK_MOST = 12000,      /* of a TCP message that is read; the rest is passed over */
	HEAD_LEAST = 22,        /* length, tag, length, SEQUENCE, length, pvno, type: at most */
	ETYPES_MOST = 16,
	VERSION = 5,
};

enum {
	AS_REQ = 10,
	AS_REP = 11,
	TGS_REQ = 12,
	TGS_REP = 13,
	AP_REQ = 14,
	AP_REP = 15,
	SAFE = 20,
	PRIV = 21,
	CRED = 22,
	ERROR_MESSAGE = 30,
};

/* As few words as a set of texts holds; all others, Microsoft's negative ones too, are
 * left out. */
static const struct word etypes[] = {
	{ 1, "des" },
	{ 2, "des" },
	{ 3, "des" },
	{ 16, "des3-sha1" },
	{ 17, "aes128-sha1" },
	{ 18, "aes256-sha1" },
	{ 19, "aes128-sha256" },
	{ 20, "aes256-sha384" },
	{ 23, "rc4-hmac" },
	{ 24, "rc4-hmac" },
	{ 25, "camellia" },
	{ 26, "camellia" },
	{ 0, NULL },
};

static const struct word errors[] = {
	{ 3, "bad-version" },
	{ 6, "client-unknown" },
	{ 7, "server-unknown" },
	{ 9, "null-key" },
	{ 12, "policy" },
	{ 13, "bad-option" },
	{ 14, "etype-not-supported" },
	{ 16, "padata-type-not-supported" },
	{ 18, "client-revoked" },
	{ 23, "key-expired" },
	{ 24, "preauth-failed" },
	{ 25, "preauth-required" },
	{ 29, "service-unavailable" },
	{ 31, "integrity-failed" },
	{ 32, "ticket-expired" },
	{ 34, "repeat" },
	{ 37, "clock-skew" },
	{ 41, "modified" },
	{ 52, "too-big-for-udp" },
	{ 60, "generic" },
	{ 68, "wrong-realm" },
	{ 0, NULL },
};

struct kerberos {
	bool lost[2];
	bool unproved; /* the last AS-REQ came without pre-authentication */
	bool known;
};

enum reading { READ_OK, READ_SHORT, READ_BAD };

struct message {
	uint8_t type;
	struct cursor rest; /* of the SEQUENCE, behind pvno and msg-type */
	bool whole;
};

static bool is_type(unsigned type)
{
	return (type >= AS_REQ && type <= AP_REP) || (type >= SAFE && type <= CRED) ||
	       type == ERROR_MESSAGE;
}

static bool field_integer(struct cursor *c, unsigned number, int64_t *v)
{
	struct cursor value = der_take(c, (uint8_t)(DER_CONTEXT + number));
	struct cursor integer = der_take(&value, DER_INTEGER);

	return !c->failed && !value.failed && der_integer(integer, v);
}

/* RFC 4120 section 5: [APPLICATION n] SEQUENCE { pvno, msg-type, ...}; the two are [1]
 * and [2] in requests to the KDC, [0] and [1] in all else. `size`: of the whole, when
 * the bytes may end before. */
static enum reading read_message(struct cursor c, size_t size, struct message *m)
{
	size_t had = cursor_left(&c), here = had < size ? had : size;
	uint8_t tag, inner;
	uint32_t length, inside;
	int64_t version, type;

	int first = cursor_peek(&c, 0);
	if (first >= 0 && !is_type((unsigned)first - DER_APPLICATION))
		return READ_BAD;
	c = cursor_sub(&c, here);
	if (!der_header(&c, &tag, &length))
		return had < HEAD_LEAST && had < size ? READ_SHORT : READ_BAD;
	if (length + (here - cursor_left(&c)) != size)
		return READ_BAD;
	if (!der_header(&c, &inner, &inside))
		return had < HEAD_LEAST && had < size ? READ_SHORT : READ_BAD;
	if (inner != DER_SEQUENCE || inside + (here - cursor_left(&c)) != size)
		return READ_BAD;
	m->type = tag - DER_APPLICATION;
	unsigned base = m->type == AS_REQ || m->type == TGS_REQ;
	if (!field_integer(&c, base, &version) || !field_integer(&c, base + 1, &type))
		return had < HEAD_LEAST && had < size ? READ_SHORT : READ_BAD;
	if (version != VERSION || type != m->type)
		return READ_BAD;
	m->rest = c;
	m->whole = here == size;
	return READ_OK;
}

/* Section 7.2.2: over TCP a length u32 is in front. */
static enum reading read_size(struct cursor *c, size_t *size)
{
	*size = cursor_be32(c);
	if (c->failed)
		return READ_SHORT;
	return *size >= 10 && *size <= MESSAGE_MOST ? READ_OK : READ_BAD;
}

static enum probe_result kerberos_probe(struct cursor bytes, enum transport transport,
					uint16_t source_port, uint16_t dest_port, bool midstream)
{
	size_t size = cursor_left(&bytes);
	struct message m;
	(void)source_port, (void)dest_port, (void)midstream;

	if (transport == TRANSPORT_TCP) {
		int high = cursor_peek(&bytes, 0), second = cursor_peek(&bytes, 1);
		if (high > 0 || second > MESSAGE_MOST >> 16)
			return PROBE_NO;
		enum reading got = read_size(&bytes, &size);
		if (got != READ_OK)
			return got == READ_SHORT ? PROBE_MORE : PROBE_NO;
	} else if (size >= DISSECT_PROBE_MOST) {
		/* More may stand behind: the tag's own length must do. */
		struct cursor c = bytes;
		uint8_t tag;
		uint32_t length;
		if (!der_header(&c, &tag, &length) || length > UINT16_MAX)
			return PROBE_NO;
		size = length + (size_t)(c.at - bytes.at);
	}
	switch (read_message(bytes, size, &m)) {
	case READ_OK:
		return PROBE_YES;
	case READ_SHORT:
		return transport == TRANSPORT_TCP ? PROBE_MORE : PROBE_NO;
	case READ_BAD:
		break;
	}
	return PROBE_NO;
}

/* The field of a SEQUENCE with this number, or an empty cursor. */
static struct cursor find_field(struct cursor c, unsigned number)
{
	struct der e;

	while (der_next(&c, &e))
		if (e.tag == DER_CONTEXT + number)
			return e.value;
	return (struct cursor){ 0 };
}

static void say_etype(struct attributes *out, const struct field *f, int64_t etype)
{
	const char *word = word_of(etypes, (uint32_t)etype);

	if (word)
		attributes_word(out, f, word);
}

/* KDC-REQ: padata [3], req-body [4] with etype [8] */
static void read_request(struct kerberos *s, const struct message *m, struct attributes *out)
{
	struct cursor body = find_field(m->rest, 4);
	struct cursor list = find_field(der_take(&body, DER_SEQUENCE), 8);
	int64_t etype;

	list = der_take(&list, DER_SEQUENCE);
	for (int i = 0; i < ETYPES_MOST && der_at(&list, DER_INTEGER); i++)
		if (der_integer(der_take(&list, DER_INTEGER), &etype) && etype > 0 && etype < 256)
			say_etype(out, &fields[OFFERED], etype);
	if (m->type != AS_REQ)
		return;
	/* PA-ENC-TIMESTAMP 2, PA-PK-AS-REQ 16, PA-FX-FAST 136: a proof, maybe hidden */
	struct cursor padata = find_field(m->rest, 3);
	struct cursor entries = der_take(&padata, DER_SEQUENCE);
	s->unproved = true;
	struct der entry;
	while (der_next(&entries, &entry)) {
		int64_t type;
		if (field_integer(&entry.value, 1, &type) &&
		    (type == 2 || type == 16 || type == 136 || type == 138))
			s->unproved = false;
	}
}

/* KDC-REP: ticket [5], [APPLICATION 1] SEQUENCE with enc-part [3]: SEQUENCE, etype [0] */
static void read_reply(struct kerberos *s, const struct message *m, struct attributes *out)
{
	struct cursor ticket = find_field(m->rest, 5);
	struct cursor wrapped = der_take(&ticket, DER_APPLICATION + 1);
	struct cursor part = find_field(der_take(&wrapped, DER_SEQUENCE), 3);
	struct cursor encrypted = der_take(&part, DER_SEQUENCE);
	int64_t etype;

	if (m->type == AS_REP && s->unproved)
		attributes_add(out, &fields[NO_PREAUTH], 1);
	s->unproved = false;
	if (!field_integer(&encrypted, 0, &etype) || etype <= 0 || etype > 255)
		return;
	say_etype(out, &fields[TICKET], etype);
	if (etype <= 3 || etype == 23 || etype == 24)
		attributes_flag(out, &fields[WEAK]);
}

/* KRB-ERROR: error-code [6] */
static void read_error(struct kerberos *s, const struct message *m, struct attributes *out)
{
	struct cursor value = find_field(m->rest, 6);
	int64_t code;

	s->unproved = false;
	if (!der_integer(der_take(&value, DER_INTEGER), &code) || code < 0 || code > 1000)
		return;
	attributes_code(out, &fields[ERROR], errors, (uint32_t)code, "error");
	if (code == 24)
		attributes_add(out, &fields[PREAUTH_FAILED], 1);
	if (code == 6)
		attributes_add(out, &fields[UNKNOWN_CLIENT], 1);
}

static void record(struct kerberos *s, const struct message *m, struct dissect_input *in,
		   struct attributes *out)
{
	static const struct word counters[] = {
		{ AS_REQ, "" }, { AS_REP, "" }, { TGS_REQ, "" }, { TGS_REP, "" }, { 0, NULL },
	};
	bool request = m->type == AS_REQ || m->type == TGS_REQ || m->type == AP_REQ;

	s->known = true;
	in->confidence = CONFIDENCE_HIGH;
	if (m->type <= AP_REP)
		in->role = request ? ROLE_SENDER_IS_CLIENT : ROLE_SENDER_IS_SERVER;
	if (m->type == ERROR_MESSAGE) {
		in->role = ROLE_SENDER_IS_SERVER;
		attributes_add(out, &fields[ERRORS], 1);
		read_error(s, m, out);
	} else if (!word_of(counters, m->type)) {
		attributes_add(out, &fields[OTHERS], 1);
	} else {
		attributes_add(out, &fields[AS_REQUESTS + m->type - AS_REQ], 1);
		if (request)
			read_request(s, m, out);
		else
			read_reply(s, m, out);
	}
}

static enum dissect_result broken(const struct kerberos *s, struct attributes *out)
{
	if (!s->known)
		return DISSECT_NOT_MINE;
	attributes_add(out, &fields[BROKEN], 1);
	return DISSECT_MALFORMED;
}

static enum dissect_result take_datagram(struct kerberos *s, struct dissect_input *in,
					 struct attributes *out)
{
	struct message m;

	if (read_message(in->bytes, cursor_left(&in->bytes), &m) == READ_OK)
		record(s, &m, in, out);
	else if (!s->known)
		return DISSECT_NOT_MINE;
	else
		attributes_add(out, &fields[BROKEN], 1);
	return DISSECT_MORE;
}

static enum dissect_result take_stream(void *state, struct dissect_input *in,
				       struct attributes *out)
{
	struct kerberos *s = state;
	struct cursor c = in->bytes;
	struct message m;
	size_t size;

	enum reading got = read_size(&c, &size);
	if (got != READ_OK)
		return got == READ_SHORT ? DISSECT_MORE : broken(s, out);
	size_t want = size < LOOK_MOST ? size : LOOK_MOST;
	if (cursor_left(&c) < want) {
		got = read_message(c, size, &m);
		return got == READ_BAD ? broken(s, out) : DISSECT_MORE;
	}
	if (read_message(c, size, &m) != READ_OK)
		return broken(s, out);
	record(s, &m, in, out);
	in->bytes = c;
	dissect_pass_over(in, size);
	return DISSECT_MORE;
}

static enum dissect_result kerberos_dissect(void *state, struct dissect_input *in,
					    struct attributes *out)
{
	struct kerberos *s = state;
	bool *lost = &s->lost[in->direction];

	if (in->transport == TRANSPORT_UDP)
		return take_datagram(s, in, out);
	*lost |= in->gap && s->known;
	return dissect_messages(s, in, out, *lost, take_stream);
}

const struct dissector dissector_kerberos = {
	.name = "kerberos",
	.summary = "Kerberos 5: authentications, tickets, errors, encryption types",
	.transports = TRANSPORT_TCP | TRANSPORT_UDP,
	.ports = (const uint16_t[]){ 88, 750, 0 },
	.fields = fields,
	.first =
		(const struct byte_range[]){
			{ 0, 0 },
			{ DER_APPLICATION + AS_REQ, DER_APPLICATION + AP_REP },
			{ DER_APPLICATION + SAFE, DER_APPLICATION + CRED },
			{ DER_APPLICATION + ERROR_MESSAGE, DER_APPLICATION + ERROR_MESSAGE },
			BYTE_RANGES_END },
	.state_size = sizeof(struct kerberos),
	.probe = kerberos_probe,
	.dissect = kerberos_dissect,
};
