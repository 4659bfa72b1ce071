/* SPDX-License-Identifier: Apache-2.0
 *
 * DNS (RFC 1035) over UDP and TCP: who asks whom for what, and which names
 * addresses have. Port 53 is a hint; on any other port a message must be exact
 * to its last byte. mDNS, LLMNR and NetBIOS name service share the format, yet
 * are other protocols: what stands on their ports is left alone. */
#include "dissectors/dissector.h"

#include <stdio.h>

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
	HEADER = 12,
	QUESTION_LEAST = 5, /* root, type, class */
	RECORD_LEAST = 11,  /* root, type, class, ttl, length */
	NAME_MOST = 255,
	HOPS_MOST = 24,      /* compression pointers in one name; a real one has a few */
	MESSAGE_MOST = 4096, /* of a TCP message; what is behind is skipped */
	BROKEN_MOST = 4,     /* in a row, in a TCP stream */
};

enum { SECTION_QUESTION, SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL, SECTIONS };
enum { OPCODE_QUERY = 0, OPCODE_STATUS = 2, OPCODE_NOTIFY = 4, OPCODE_UPDATE = 5 };
enum { CLASS_IN = 1, TYPE_A = 1, TYPE_AAAA = 28, TYPE_OPT = 41 };
enum { RCODE_OK = 0, RCODE_NXDOMAIN = 3 };

enum {
	FLAG_RESPONSE = 0x8000,
	FLAG_AUTHORITATIVE = 0x0400,
	FLAG_TRUNCATED = 0x0200,
	FLAG_RECURSION_AVAILABLE = 0x0080,
	FLAG_ZERO = 0x0040,
};

struct dns {
	uint16_t asked[2]; /* id of the last query, by direction */
	bool has_asked[2];
	bool lost[2];   /* TCP: message boundary unknown */
	uint8_t broken; /* messages in a row */
	bool known;     /* one good message was seen */
};

enum reading { READ_OK, READ_SHORT, READ_BAD };

struct name {
	uint8_t text[NAME_MOST];
	size_t length;
	bool plain; /* letters, digits, '-' and '_' only */
};

struct message {
	struct cursor whole; /* from the header on; as much as there is */
	uint16_t id, flags, count[SECTIONS];
	struct name name;
	uint16_t type, class;
	unsigned answers;
	struct ip_addr addresses[4];
	uint8_t address_count;
};

static unsigned opcode(const struct message *m)
{
	return m->flags >> 11 & 0xf;
}

static bool is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

static bool append_label(struct name *n, const uint8_t *label, size_t length)
{
	if (n->length + length + 1 > sizeof(n->text))
		return false;
	if (n->length)
		n->text[n->length++] = '.';
	for (size_t i = 0; i < length; i++) {
		n->plain &= is_plain(label[i]);
		/* A dot inside a label must not read as two labels. */
		n->text[n->length++] = label[i] == '.' ? 0 : label[i];
	}
	return true;
}

/* Section 4.1.4: labels, then a zero or a pointer to an earlier name. Each
 * pointer must lead behind everything read so far, so no chain comes back. */
static enum reading read_name(const struct message *m, struct cursor *at, struct name *out)
{
	struct cursor c = *at;
	size_t lowest = (size_t)(c.at - m->whole.at);
	unsigned hops = 0;

	out->length = 0;
	out->plain = true;
	for (;;) {
		uint8_t length = cursor_u8(&c);
		if ((length & 0xc0) == 0xc0) {
			size_t target = (size_t)(length & 0x3f) << 8 | cursor_u8(&c);
			if (!hops)
				*at = c;
			if (c.failed)
				return READ_SHORT;
			if (target < HEADER || target >= lowest || ++hops > HOPS_MOST)
				return READ_BAD;
			lowest = target;
			c = m->whole;
			cursor_skip(&c, target);
			continue;
		}
		const uint8_t *label = cursor_take(&c, length);
		if (!hops)
			*at = c;
		if (c.failed)
			return READ_SHORT;
		if (length & 0xc0 || (length && !append_label(out, label, length)))
			return READ_BAD;
		if (!length)
			return READ_OK;
	}
}

static bool class_is_known(unsigned class)
{
	return (class >= CLASS_IN && class <= 4) || class == 254 || class == 255;
}

/* Section 4.1.1, and what can be told from counts: off port 53 (`strict`) only
 * plain queries and their responses count. `length` is what the message is
 * said to have. */
static bool header_is_sane(const struct message *m, size_t length, bool strict)
{
	static const unsigned opcodes = 1U << OPCODE_QUERY | 1U << OPCODE_STATUS |
					1U << OPCODE_NOTIFY | 1U << OPCODE_UPDATE;
	bool response = m->flags & FLAG_RESPONSE;
	unsigned questions = m->count[SECTION_QUESTION];
	size_t records = (size_t)m->count[SECTION_ANSWER] + m->count[SECTION_AUTHORITY] +
			 m->count[SECTION_ADDITIONAL];

	if (!(opcodes >> opcode(m) & 1) || m->flags & FLAG_ZERO || questions > 1)
		return false;
	if (HEADER + questions * QUESTION_LEAST + records * RECORD_LEAST > length)
		return false;
	if (!response && (questions == 0 || m->flags & 0xf))
		return false;
	if (!strict)
		return true;
	if (questions != 1 || opcode(m) != OPCODE_QUERY)
		return false;
	static const unsigned answering =
		FLAG_AUTHORITATIVE | FLAG_TRUNCATED | FLAG_RECURSION_AVAILABLE;
	return response || (m->count[SECTION_ANSWER] == 0 && m->count[SECTION_AUTHORITY] == 0 &&
			    m->count[SECTION_ADDITIONAL] <= 2 && !(m->flags & answering));
}

static enum reading read_question(struct message *m, struct cursor *c, bool strict)
{
	enum reading r = read_name(m, c, &m->name);
	if (r != READ_OK)
		return r;
	m->type = cursor_be16(c);
	m->class = cursor_be16(c);
	if (c->failed)
		return READ_SHORT;
	if (!class_is_known(m->class) || m->type == 0)
		return READ_BAD;
	if (strict && (!m->name.plain || m->name.length == 0))
		return READ_BAD;
	return READ_OK;
}

/* Section 4.1.3: name, type, class, ttl u32, length u16, data. */
static enum reading read_record(struct message *m, struct cursor *c, bool answer, bool strict)
{
	struct name owner;
	enum reading r = read_name(m, c, &owner);
	if (r != READ_OK)
		return r;
	uint16_t type = cursor_be16(c);
	uint16_t class = cursor_be16(c);
	cursor_skip(c, 4);
	struct cursor data = cursor_sub(c, cursor_be16(c));
	if (c->failed)
		return READ_SHORT;
	if (strict && type != TYPE_OPT && !class_is_known(class))
		return READ_BAD;
	m->answers += answer;
	if (opcode(m) != OPCODE_QUERY || class != CLASS_IN || (type != TYPE_A && type != TYPE_AAAA))
		return READ_OK;
	size_t length = type == TYPE_A ? 4 : 16;
	if (cursor_left(&data) != length)
		return READ_BAD;
	if (answer && m->address_count < sizeof(m->addresses) / sizeof(m->addresses[0]))
		m->addresses[m->address_count++] =
			type == TYPE_A ? ip_from_v4(data.at) : ip_from_v6(data.at);
	return READ_OK;
}

/* Reads a message. READ_SHORT from the question on leaves what was read before
 * in place; `*records` says whether the question was whole. */
static enum reading read_message(struct message *m, size_t length, bool strict, bool *records)
{
	struct cursor c = m->whole;

	*records = false;
	m->id = cursor_be16(&c);
	m->flags = cursor_be16(&c);
	for (int i = 0; i < SECTIONS; i++)
		m->count[i] = cursor_be16(&c);
	if (c.failed)
		return READ_SHORT;
	if (!header_is_sane(m, length, strict))
		return READ_BAD;
	if (m->count[SECTION_QUESTION]) {
		enum reading r = read_question(m, &c, strict);
		if (r != READ_OK)
			return r;
		*records = true;
	}
	unsigned answers = m->count[SECTION_ANSWER];
	unsigned all = answers + m->count[SECTION_AUTHORITY] + m->count[SECTION_ADDITIONAL];
	for (unsigned i = 0; i < all; i++) {
		enum reading r = read_record(m, &c, i < answers, strict);
		if (r != READ_OK)
			return r;
		*records = true;
	}
	/* A header alone is how a server says that it understood nothing. */
	*records |= all == 0 && m->flags & 0xf;
	return strict && cursor_left(&c) ? READ_BAD : READ_OK;
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
		if (length < HEADER)
			return PROBE_NO;
		if (length <= cursor_left(&bytes))
			bytes = cursor_sub(&bytes, length);
	}
	struct message m = { .whole = bytes };
	bool cut = cursor_left(&bytes) < length;
	switch (read_message(&m, length, strict, &question)) {
	case READ_OK:
		return question ? PROBE_YES : PROBE_NO;
	case READ_BAD:
		return PROBE_NO;
	case READ_SHORT:
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
	int n;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].number == type) {
			n = snprintf(text, sizeof(text), "%s", types[i].name);
			attributes_text(out, &fields[QTYPE], text, (size_t)n);
			return;
		}
	}
	n = snprintf(text, sizeof(text), "TYPE%u", type); /* RFC 3597 section 5 */
	attributes_text(out, &fields[QTYPE], text, (size_t)n);
}

static void name_addresses(const struct message *m, struct dissect_input *in)
{
	if (!m->name.plain || m->name.length == 0 || m->name.length >= sizeof(in->names[0].name))
		return;
	for (size_t i = 0; i < m->address_count; i++) {
		if (in->name_count == sizeof(in->names) / sizeof(in->names[0]))
			return;
		struct dissect_name *to = &in->names[in->name_count++];
		to->ip = m->addresses[i];
		memcpy(to->name, m->name.text, m->name.length);
		to->name[m->name.length] = '\0';
	}
}

static void record_response(const struct message *m, struct dissect_input *in,
			    struct attributes *out)
{
	unsigned rcode = m->flags & 0xf;

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
	bool response = m->flags & FLAG_RESPONSE;
	unsigned other = !in->direction;
	bool paired = response && s->has_asked[other] && s->asked[other] == m->id;

	if (response) {
		record_response(m, in, out);
	} else {
		attributes_add(out, &fields[QUERIES], 1);
		s->asked[in->direction] = m->id;
		s->has_asked[in->direction] = true;
	}
	if (m->count[SECTION_QUESTION]) {
		/* What is typed into an address bar is asked of the DNS, whatever it
		 * is: only a name that a server knows is nobody's secret. */
		if (response && (m->flags & 0xf) == RCODE_OK)
			attributes_text(out, &fields[QUERY], m->name.text, m->name.length);
		if (opcode(m) == OPCODE_QUERY)
			record_type(m->type, out);
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
	struct message m = { .whole = whole };
	bool question;

	enum reading r = read_message(&m, length, false, &question);
	if (r == READ_BAD || !question)
		return false;
	if (r == READ_SHORT && cursor_left(&whole) == length)
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

/* Takes `n` bytes, of which some may not be here yet. */
static void pass_over(struct dissect_input *in, size_t n)
{
	size_t here = cursor_left(&in->bytes);

	if (here > n)
		here = n;
	cursor_skip(&in->bytes, here);
	in->skip = n - here;
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
		if (length < HEADER || !take_message(s, whole, length, in, out)) {
			if (!s->known)
				return DISSECT_NOT_MINE;
			attributes_add(out, &fields[BROKEN], 1);
			if (length < HEADER || ++s->broken == BROKEN_MOST)
				return DISSECT_MALFORMED;
		}
		pass_over(in, 2 + length);
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
