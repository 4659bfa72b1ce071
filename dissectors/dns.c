/* SPDX-License-Identifier: Apache-2.0
 *
 * DNS (RFC 1035) over UDP and TCP: who asks whom for what, and which names
 * addresses have. Port 53 is a hint; on any other port a message must be exact
 * to its last byte. mDNS, LLMNR and NetBIOS name service share the format, yet
 * are other protocols: what stands on their ports is left alone. */
#include "dissectors/dissector.h"

#include <stdio.h>

#include "dissectors/dns_message.h"

enum { QUERIES, RESPONSES, NXDOMAIN, ERRORS, BROKEN, ANSWERS, QUERY, QTYPE };

static const struct field fields[] = {
	[QUERIES] = { "dns.queries", FIELD_COUNTER, GRAMMAR_NONE, "messages", "questions asked",
		      PHI_NONE, ABOUT_FLOW },
	[RESPONSES] = { "dns.responses", FIELD_COUNTER, GRAMMAR_NONE, "messages",
			"answers given, good or bad", PHI_NONE, ABOUT_FLOW },
	[NXDOMAIN] = { "dns.nxdomain", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		       "responses that the name does not exist", PHI_NONE, ABOUT_FLOW },
	[ERRORS] = { "dns.errors", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		     "responses with any other error (server failure, refused, ...)", PHI_NONE,
		     ABOUT_FLOW },
	[BROKEN] = { "dns.malformed", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		     "messages that break the format; nothing else is taken from them", PHI_NONE,
		     ABOUT_FLOW },
	[ANSWERS] = { "dns.answers", FIELD_COUNTER, GRAMMAR_NONE, "records",
		      "records in the answer sections", PHI_NONE, ABOUT_FLOW },
	[QUERY] = { "dns.query", FIELD_TEXTS, GRAMMAR_HOSTNAME, "",
		    "names asked for that a server answered without an error", PHI_SITE,
		    ABOUT_FLOW },
	[QTYPE] = { "dns.qtype", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		    "record types asked for, as A, AAAA, PTR or TYPE123", PHI_NONE, ABOUT_FLOW },
	{ 0 },
};

enum {
	PORT = 53,
	MESSAGE_MOST = 4096, /* of a TCP message; what is behind is skipped */
	BROKEN_MOST = 4,     /* in a row, in a TCP stream */
};

enum { OPCODE_QUERY = 0, OPCODE_STATUS = 2, OPCODE_NOTIFY = 4, OPCODE_UPDATE = 5 };
enum { RCODE_OK = 0, RCODE_NXDOMAIN = 3 };

struct dns {
	uint16_t asked[2]; /* id of the last query, by direction */
	bool has_asked[2];
	bool lost[2];   /* TCP: message boundary unknown */
	uint8_t broken; /* messages in a row */
	bool known;     /* one good message was seen */
};

struct message {
	struct cursor whole; /* from the header on; as much as there is */
	struct dns_header header;
	struct dns_question question;
	unsigned answers;
	struct ip_addr addresses[4];
	uint8_t address_count;
};

/* Not all of it: names have much room. */
static void message_init(struct message *m, struct cursor whole)
{
	m->whole = whole;
	m->question.name.length = 0;
	m->question.name.plain = false;
	m->question.type = 0;
	m->question.class = 0;
	m->answers = 0;
	m->address_count = 0;
}

static bool class_is_known(unsigned class)
{
	return (class >= DNS_IN && class <= 4) || class == 254 || class == 255;
}

/* Section 4.1.1, and what can be told from counts: off port 53 (`strict`) only
 * plain queries and their responses count. `length` is what the message is
 * said to have. */
static bool header_is_sane(const struct dns_header *h, size_t length, bool strict)
{
	static const unsigned opcodes = 1U << OPCODE_QUERY | 1U << OPCODE_STATUS |
					1U << OPCODE_NOTIFY | 1U << OPCODE_UPDATE;
	bool response = h->flags & DNS_RESPONSE;
	unsigned questions = h->count[DNS_QUESTION];

	if (!(opcodes >> dns_opcode(h) & 1) || h->flags & DNS_ZERO || questions > 1)
		return false;
	if (!dns_header_fits(h, length))
		return false;
	if (!response && (questions == 0 || dns_rcode(h)))
		return false;
	if (!strict)
		return true;
	if (questions != 1 || dns_opcode(h) != OPCODE_QUERY)
		return false;
	static const unsigned answering =
		DNS_AUTHORITATIVE | DNS_TRUNCATED | DNS_RECURSION_AVAILABLE;
	return response || (h->count[DNS_ANSWER] == 0 && h->count[DNS_AUTHORITY] == 0 &&
			    h->count[DNS_ADDITIONAL] <= 2 && !(h->flags & answering));
}

static enum dns_reading read_question(struct message *m, struct cursor *c, bool strict)
{
	struct dns_question *q = &m->question;
	enum dns_reading r = dns_read_question(m->whole, c, q);

	if (r != DNS_OK)
		return r;
	if (!class_is_known(q->class) || q->type == 0)
		return DNS_BAD;
	if (strict && (!q->name.plain || q->name.length == 0))
		return DNS_BAD;
	return DNS_OK;
}

static enum dns_reading read_record(struct message *m, struct cursor *c, bool answer, bool strict)
{
	struct dns_record record;
	enum dns_reading r = dns_read_unowned(m->whole, c, &record);

	if (r != DNS_OK)
		return r;
	if (strict && record.type != DNS_OPT && !class_is_known(record.class))
		return DNS_BAD;
	m->answers += answer;
	if (dns_opcode(&m->header) != OPCODE_QUERY || record.class != DNS_IN ||
	    (record.type != DNS_A && record.type != DNS_AAAA))
		return DNS_OK;
	size_t length = record.type == DNS_A ? 4 : 16;
	if (cursor_left(&record.data) != length)
		return DNS_BAD;
	if (answer && m->address_count < sizeof(m->addresses) / sizeof(m->addresses[0]))
		m->addresses[m->address_count++] = record.type == DNS_A
							   ? ip_from_v4(record.data.at)
							   : ip_from_v6(record.data.at);
	return DNS_OK;
}

/* Reads a message. DNS_SHORT from the question on leaves what was read before
 * in place; `*records` says whether the question was whole. */
static enum dns_reading read_message(struct message *m, size_t length, bool strict, bool *records)
{
	struct dns_header *h = &m->header;
	struct cursor c = m->whole;
	enum dns_reading r = dns_read_header(&c, h);

	*records = false;
	if (r != DNS_OK)
		return r;
	if (!header_is_sane(h, length, strict))
		return DNS_BAD;
	if (h->count[DNS_QUESTION]) {
		r = read_question(m, &c, strict);
		if (r != DNS_OK)
			return r;
		*records = true;
	}
	unsigned answers = h->count[DNS_ANSWER];
	unsigned all = answers + h->count[DNS_AUTHORITY] + h->count[DNS_ADDITIONAL];
	for (unsigned i = 0; i < all; i++) {
		r = read_record(m, &c, i < answers, strict);
		if (r != DNS_OK)
			return r;
		*records = true;
	}
	/* A header alone is how a server says that it understood nothing. */
	*records |= all == 0 && dns_rcode(h);
	return strict && cursor_left(&c) ? DNS_BAD : DNS_OK;
}

static bool belongs_to_others(uint16_t a, uint16_t b)
{
	static const uint16_t ports[] = { 137, 5353, 5355 };

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (a == ports[i] || b == ports[i])
			return true;
	return false;
}

static enum probe_result dns_probe(struct cursor bytes, enum transport transport,
				   uint16_t source_port, uint16_t dest_port, bool midstream)
{
	bool strict = source_port != PORT && dest_port != PORT;
	bool full = cursor_left(&bytes) >= DISSECT_PROBE_MOST;
	bool tcp = transport == TRANSPORT_TCP;
	bool question;
	size_t length = full || !strict ? UINT16_MAX : cursor_left(&bytes);
	(void)midstream; /* a segment that starts with a message starts with one anywhere */

	if (strict && belongs_to_others(source_port, dest_port))
		return PROBE_NO;
	if (tcp) {
		if (cursor_left(&bytes) < 2)
			return PROBE_MORE;
		length = cursor_be16(&bytes);
		if (length < DNS_HEADER)
			return PROBE_NO;
		if (length <= cursor_left(&bytes))
			bytes = cursor_sub(&bytes, length);
	}
	struct message m;
	message_init(&m, bytes);
	bool cut = cursor_left(&bytes) < length;
	switch (read_message(&m, length, strict, &question)) {
	case DNS_OK:
		return question ? PROBE_YES : PROBE_NO;
	case DNS_BAD:
		return PROBE_NO;
	case DNS_SHORT:
		break;
	}
	if (tcp && !cut)
		return PROBE_NO;
	if (question && (full || !strict))
		return PROBE_YES;
	return tcp && !full ? PROBE_MORE : PROBE_NO;
}

static void record_type(uint16_t type, struct attributes *out)
{
	static const struct {
		uint16_t number;
		const char *name;
	} types[] = {
		{ 1, "A" },      { 2, "NS" },     { 5, "CNAME" },   { 6, "SOA" },
		{ 10, "NULL" },  { 12, "PTR" },   { 13, "HINFO" },  { 15, "MX" },
		{ 16, "TXT" },   { 28, "AAAA" },  { 29, "LOC" },    { 33, "SRV" },
		{ 35, "NAPTR" }, { 39, "DNAME" }, { 43, "DS" },     { 44, "SSHFP" },
		{ 46, "RRSIG" }, { 47, "NSEC" },  { 48, "DNSKEY" }, { 50, "NSEC3" },
		{ 52, "TLSA" },  { 64, "SVCB" },  { 65, "HTTPS" },  { 99, "SPF" },
		{ 249, "TKEY" }, { 251, "IXFR" }, { 252, "AXFR" },  { 255, "ANY" },
		{ 256, "URI" },  { 257, "CAA" },
	};
	char text[16];

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].number == type) {
			attributes_text(out, &fields[QTYPE], types[i].name, strlen(types[i].name));
			return;
		}
	}
	int n = snprintf(text, sizeof(text), "TYPE%u", type); /* RFC 3597 section 5 */
	attributes_text(out, &fields[QTYPE], text, (size_t)n);
}

static void name_addresses(const struct message *m, struct dissect_input *in)
{
	if (!m->question.name.plain || m->question.name.length == 0 ||
	    m->question.name.length >= sizeof(in->names[0].name))
		return;
	for (size_t i = 0; i < m->address_count; i++) {
		if (in->name_count == sizeof(in->names) / sizeof(in->names[0]))
			return;
		struct dissect_name *to = &in->names[in->name_count++];
		to->ip = m->addresses[i];
		memcpy(to->name, m->question.name.text, m->question.name.length);
		to->name[m->question.name.length] = '\0';
	}
}

static void record_response(const struct message *m, struct dissect_input *in,
			    struct attributes *out)
{
	unsigned rcode = dns_rcode(&m->header);

	attributes_add(out, &fields[RESPONSES], 1);
	if (rcode == RCODE_NXDOMAIN)
		attributes_add(out, &fields[NXDOMAIN], 1);
	else if (rcode != RCODE_OK)
		attributes_add(out, &fields[ERRORS], 1);
	if (m->answers)
		attributes_add(out, &fields[ANSWERS], m->answers);
	if (rcode == RCODE_OK)
		name_addresses(m, in);
}

static void record(struct dns *s, const struct message *m, struct dissect_input *in,
		   struct attributes *out)
{
	bool response = m->header.flags & DNS_RESPONSE;
	unsigned other = !in->direction;
	bool paired = response && s->has_asked[other] && s->asked[other] == m->header.id;

	if (response) {
		record_response(m, in, out);
	} else {
		attributes_add(out, &fields[QUERIES], 1);
		s->asked[in->direction] = m->header.id;
		s->has_asked[in->direction] = true;
	}
	if (m->header.count[DNS_QUESTION]) {
		/* What is typed into an address bar is asked of the DNS, whatever it
		 * is: only a name that a server knows is nobody's secret. */
		if (response && dns_rcode(&m->header) == RCODE_OK)
			attributes_text(out, &fields[QUERY], m->question.name.text,
					m->question.name.length);
		if (dns_opcode(&m->header) == OPCODE_QUERY)
			record_type(m->question.type, out);
	}
	in->role = response ? ROLE_SENDER_IS_SERVER : ROLE_SENDER_IS_CLIENT;
	if (paired || in->source_port == PORT || in->dest_port == PORT)
		in->confidence = CONFIDENCE_HIGH;
	else if (!s->known)
		in->confidence = CONFIDENCE_MEDIUM;
	s->known = true;
	s->broken = 0;
}

/* A message of which less is here than there was (`length`) is good as far as
 * it goes, once its question is whole. */
static bool take_message(struct dns *s, struct cursor whole, size_t length,
			 struct dissect_input *in, struct attributes *out)
{
	struct message m;
	bool question;

	message_init(&m, whole);
	enum dns_reading r = read_message(&m, length, false, &question);
	if (r == DNS_BAD || !question)
		return false;
	if (r == DNS_SHORT && cursor_left(&whole) == length)
		return false;
	record(s, &m, in, out);
	return true;
}

static enum dissect_result dissect_udp(struct dns *s, struct dissect_input *in,
				       struct attributes *out)
{
	struct cursor whole = cursor_sub(&in->bytes, cursor_left(&in->bytes));

	if (take_message(s, whole, UINT16_MAX, in, out))
		return DISSECT_MORE;
	if (!s->known)
		return DISSECT_NOT_MINE;
	/* The next datagram stands for itself. */
	attributes_add(out, &fields[BROKEN], 1);
	return DISSECT_MORE;
}

/* Behind a gap: true when the bytes start with a message again. */
static bool found_again(struct dns *s, struct dissect_input *in)
{
	struct cursor start = in->bytes;

	if (cursor_left(&start) > DISSECT_PROBE_MOST)
		start = cursor_sub(&start, DISSECT_PROBE_MOST);
	switch (dns_probe(start, TRANSPORT_TCP, in->source_port, in->dest_port, true)) {
	case PROBE_YES:
		s->lost[in->direction] = false;
		return true;
	case PROBE_NO:
		cursor_skip(&in->bytes, cursor_left(&in->bytes));
		break;
	case PROBE_MORE:
		break;
	}
	return false;
}

/* Section 4.2.2: a length of two bytes stands before each message. */
static enum dissect_result dissect_tcp(struct dns *s, struct dissect_input *in,
				       struct attributes *out)
{
	if (in->gap)
		s->lost[in->direction] = true;
	if (s->lost[in->direction] && !found_again(s, in))
		return DISSECT_MORE;
	while (cursor_left(&in->bytes) && !in->skip) {
		struct cursor ahead = in->bytes;
		size_t length = cursor_be16(&ahead);
		size_t shown = length < MESSAGE_MOST ? length : MESSAGE_MOST;

		if (ahead.failed || cursor_left(&ahead) < shown)
			return DISSECT_MORE;
		struct cursor whole = cursor_sub(&ahead, shown);
		if (length < DNS_HEADER || !take_message(s, whole, length, in, out)) {
			if (!s->known)
				return DISSECT_NOT_MINE;
			attributes_add(out, &fields[BROKEN], 1);
			if (length < DNS_HEADER || ++s->broken == BROKEN_MOST)
				return DISSECT_MALFORMED;
		}
		dissect_pass_over(in, 2 + length);
	}
	return DISSECT_MORE;
}

static enum dissect_result dns_dissect(void *state, struct dissect_input *in,
				       struct attributes *out)
{
	if (in->transport == TRANSPORT_UDP)
		return dissect_udp(state, in, out);
	return dissect_tcp(state, in, out);
}

const struct dissector dissector_dns = {
	.name = "dns",
	.summary = "Domain Name System queries and responses, UDP and TCP, any port",
	.transports = TRANSPORT_TCP | TRANSPORT_UDP,
	.ports = (const uint16_t[]){ PORT, 0 },
	.fields = fields,
	.state_size = sizeof(struct dns),
	.probe = dns_probe,
	.dissect = dns_dissect,
};
