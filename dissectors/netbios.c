/* SPDX-License-Identifier: Apache-2.0
 *
 * NetBIOS name service and datagram service (RFC 1001, 1002), over UDP on any port: the
 * encoded name is an anchor of its own. A host tells of itself what it is by the sixteenth
 * byte of the names that it has; the first fifteen never leave, and the names of the
 * messenger service, which are users', are not even looked at. */
#include "dissectors/dissector.h"

#include "dissectors/dns_message.h"
#include "dissectors/hostname_class.h"

enum {
	QUERIES,
	RESPONSES,
	REGISTRATIONS,
	STATUS,
	DATAGRAMS,
	BROKEN,
	ROLES,
	ROLE,
	HOSTNAME_CLASS,
};

static const struct field fields[] = {
	[QUERIES] = { "netbios.queries", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		      "questions for a name", PHI_NONE, ABOUT_FLOW },
	[RESPONSES] = { "netbios.responses", FIELD_COUNTER, GRAMMAR_NONE, "messages",
			"answers, good or bad", PHI_NONE, ABOUT_FLOW },
	[REGISTRATIONS] = { "netbios.registrations", FIELD_COUNTER, GRAMMAR_NONE, "messages",
			    "names claimed, renewed or given up", PHI_NONE, ABOUT_FLOW },
	[STATUS] = { "netbios.status_queries", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		     "questions for all the names that a host has", PHI_NONE, ABOUT_FLOW },
	[DATAGRAMS] = { "netbios.datagrams", FIELD_COUNTER, GRAMMAR_NONE, "messages",
			"messages of the datagram service", PHI_NONE, ABOUT_FLOW },
	[BROKEN] = { "netbios.malformed", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		     "messages that break the format", PHI_NONE, ABOUT_FLOW },
	[ROLES] = { "netbios.roles", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		    "what hosts say that they are: workstation, server, domain-controller, "
		    "domain-master-browser, master-browser",
		    PHI_NONE, ABOUT_FLOW },
	[ROLE] = { "netbios.role", FIELD_TEXT, GRAMMAR_TOKEN, "",
		   "one of netbios.roles, of one host", PHI_NONE, ABOUT_FLOW },
	[HOSTNAME_CLASS] = { "netbios.hostname_class", FIELD_TEXT, GRAMMAR_TOKEN, "",
			     "what a host's name looks like: a word of a fixed list", PHI_NONE,
			     ABOUT_FLOW },
	{ 0 },
};

enum { PORT_NAMES = 137, PORT_DATAGRAMS = 138 };
enum { NAME = 15, ENCODED = 32, NAMES_MOST = 40 };
enum { TYPE_NB = 0x20, TYPE_NBSTAT = 0x21 };
enum { OPCODE_QUERY = 0, OPCODE_REGISTRATION = 5, OPCODE_WACK = 7, OPCODE_MULTIHOMED = 15 };
enum { FLAG_GROUP = 0x8000 };

struct netbios {
	bool known;
};

/* Section 4.1: fifteen bytes padded with blanks, and one that says whose name it is. */
struct netbios_name {
	char text[NAME];
	uint8_t length, suffix;
};

/* Each byte as two letters, A to P; then the scope, or nothing. */
static bool decode_name(const struct dns_name *from, struct netbios_name *to)
{
	uint8_t bytes[NAME + 1];

	if (from->length < ENCODED || (from->length > ENCODED && from->text[ENCODED] != '.'))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		unsigned high = from->text[2 * i] - 'A', low = from->text[2 * i + 1] - 'A';
		if (high > 15 || low > 15)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(to->text, bytes, NAME);
	to->suffix = bytes[NAME];
	to->length = NAME;
	while (to->length && to->text[to->length - 1] == ' ')
		to->length--;
	return true;
}

/* NULL: tells nothing of what the host is for. */
static const char *role_of(uint8_t suffix, bool group)
{
	switch (suffix) {
	case 0x00:
		return group ? NULL : "workstation";
	case 0x20:
		return group ? NULL : "server";
	case 0x1b:
		return "domain-master-browser";
	case 0x1c:
		return "domain-controller";
	case 0x1d:
		return "master-browser";
	default:
		return NULL;
	}
}

/* Of the names of which a host is the only owner, two are its own. */
static bool is_host_name(uint8_t suffix, bool group)
{
	return !group && (suffix == 0x00 || suffix == 0x20);
}

static void say(struct dissect_input *in, unsigned field, const struct ip_addr *ip,
		const char *text)
{
	struct dissect_fact *fact =
		dissect_says(in, &fields[field], ip ? FACT_IP : FACT_SENDER, text, strlen(text));

	if (fact && ip)
		fact->ip = *ip;
}

static void describe(struct dissect_input *in, struct attributes *out, const struct ip_addr *ip,
		     const struct netbios_name *name, bool group)
{
	const char *role = role_of(name->suffix, group);
	const char *class =
		is_host_name(name->suffix, group) ? hostname_class(name->text, name->length) : NULL;

	if (role) {
		attributes_text(out, &fields[ROLES], role, strlen(role));
		say(in, ROLE, ip, role);
	}
	if (class) {
		attributes_text(out, &fields[HOSTNAME_CLASS], class, strlen(class));
		say(in, HOSTNAME_CLASS, ip, class);
	}
}

/* --- name service, section 4.2 --- */

struct message {
	struct cursor whole;
	struct dns_header header;
	struct netbios_name name;
	uint16_t type;
	bool has_record;
	struct dns_record record; /* the first one */
};

static bool header_is_sane(const struct dns_header *h, size_t length)
{
	static const unsigned opcodes = 1U << OPCODE_QUERY | 1U << OPCODE_REGISTRATION | 1U << 6 |
					1U << OPCODE_WACK | 1U << 8 | 1U << 9 |
					1U << OPCODE_MULTIHOMED;
	bool response = h->flags & DNS_RESPONSE;
	unsigned records =
		h->count[DNS_ANSWER] + h->count[DNS_AUTHORITY] + h->count[DNS_ADDITIONAL];

	if (!(opcodes >> dns_opcode(h) & 1) || records > 2 || h->count[DNS_AUTHORITY])
		return false;
	if (response ? h->count[DNS_QUESTION] || records == 0
		     : h->count[DNS_QUESTION] != 1 || dns_rcode(h))
		return false;
	return dns_header_fits(h, length);
}

/* Both kinds hold exactly one name that counts: that of the question or of the first
 * record. */
static bool read_message(struct message *m)
{
	struct cursor c = m->whole;
	struct dns_question question;
	const struct dns_name *name = &question.name;

	if (dns_read_header(&c, &m->header) != DNS_OK ||
	    !header_is_sane(&m->header, cursor_left(&m->whole)))
		return false;
	if (m->header.count[DNS_QUESTION]) {
		if (dns_read_question(m->whole, &c, &question) != DNS_OK)
			return false;
		m->type = question.type;
		if (question.class != DNS_IN)
			return false;
	}
	m->has_record = m->header.count[DNS_ANSWER] || m->header.count[DNS_ADDITIONAL];
	if (m->has_record && dns_read_record(m->whole, &c, &m->record) != DNS_OK)
		return false;
	if (!m->header.count[DNS_QUESTION]) {
		name = &m->record.owner;
		m->type = m->record.type;
	}
	/* A negative answer has type NULL, 10. */
	return decode_name(name, &m->name) &&
	       (m->type == TYPE_NB || m->type == TYPE_NBSTAT || m->type == 10);
}

/* Section 4.2.1.3: flags u16, address 4. */
static bool read_owner(struct cursor *c, bool *group, struct ip_addr *ip)
{
	uint16_t flags = cursor_be16(c);
	const uint8_t *v4 = cursor_take(c, 4);

	*group = flags & FLAG_GROUP;
	if (v4)
		*ip = ip_from_v4(v4);
	return v4 != NULL;
}

/* Names, and at the end the MAC address; section 4.2.18. */
static void read_status(struct message *m, struct dissect_input *in, struct attributes *out)
{
	struct cursor c = m->record.data;
	unsigned count = cursor_u8(&c);
	struct netbios_name name = { .length = 0 };

	for (unsigned i = 0; i < count && i < NAMES_MOST; i++) {
		const uint8_t *text = cursor_take(&c, NAME);
		name.suffix = cursor_u8(&c);
		uint16_t flags = cursor_be16(&c);
		if (c.failed)
			return;
		memcpy(name.text, text, NAME);
		name.length = NAME;
		while (name.length && name.text[name.length - 1] == ' ')
			name.length--;
		describe(in, out, NULL, &name, flags & FLAG_GROUP);
	}
}

static void record_response(struct message *m, struct dissect_input *in, struct attributes *out)
{
	bool group;
	struct ip_addr ip;

	attributes_add(out, &fields[RESPONSES], 1);
	in->role = ROLE_SENDER_IS_SERVER;
	if (dns_rcode(&m->header))
		return;
	if (m->type == TYPE_NBSTAT)
		read_status(m, in, out);
	else if (m->type == TYPE_NB && dns_opcode(&m->header) == OPCODE_QUERY)
		while (read_owner(&m->record.data, &group, &ip))
			describe(in, out, &ip, &m->name, group);
}

static void record_message(struct message *m, struct dissect_input *in, struct attributes *out)
{
	bool group;
	struct ip_addr ip;

	if (m->header.flags & DNS_RESPONSE) {
		record_response(m, in, out);
		return;
	}
	in->role = ROLE_SENDER_IS_CLIENT;
	if (dns_opcode(&m->header) == OPCODE_QUERY) {
		attributes_add(out, &fields[m->type == TYPE_NBSTAT ? STATUS : QUERIES], 1);
		return;
	}
	attributes_add(out, &fields[REGISTRATIONS], 1);
	/* 6 is a release: what it was until now. */
	if (m->has_record && read_owner(&m->record.data, &group, &ip))
		describe(in, out, &ip, &m->name, group);
}

/* --- datagram service, section 4.4.1 --- */

struct datagram {
	struct ip_addr source;
	struct netbios_name name;
};

/* kind u8, 0x10 to 0x12 | flags u8 | id u16 | source address 4, port u16 | length u16 |
 * offset u16 | name of the source | name of the destination | data */
static bool read_datagram(struct cursor c, struct datagram *out)
{
	struct dns_name name;
	struct cursor whole = c;
	uint8_t kind = cursor_u8(&c);
	uint8_t flags = cursor_u8(&c);
	cursor_skip(&c, 2);
	const uint8_t *source = cursor_take(&c, 4);
	cursor_skip(&c, 2);
	uint16_t length = cursor_be16(&c);
	cursor_skip(&c, 2);

	if (c.failed || kind < 0x10 || kind > 0x12 || flags & 0xf0 || length > cursor_left(&c))
		return false;
	if (dns_read_name(whole, &c, &name) != DNS_OK || !decode_name(&name, &out->name))
		return false;
	out->source = ip_from_v4(source);
	return true;
}

/* --- both --- */

static enum probe_result netbios_probe(struct cursor bytes, enum transport transport,
				       uint16_t source_port, uint16_t dest_port, bool midstream)
{
	struct message m;
	struct datagram d;
	bool names = source_port != PORT_DATAGRAMS && dest_port != PORT_DATAGRAMS;

	(void)midstream;
	if (transport != TRANSPORT_UDP)
		return PROBE_NO;
	/* The first name stands whole, behind a header of either length. */
	if (cursor_peek(&bytes, DNS_HEADER) != ENCODED && cursor_peek(&bytes, 14) != ENCODED)
		return PROBE_NO;
	m.whole = bytes;
	if (names && read_message(&m))
		return PROBE_YES;
	/* A large datagram is shown in part only. */
	if (cursor_left(&bytes) >= DISSECT_PROBE_MOST)
		return !names && cursor_peek(&bytes, 14) == ENCODED ? PROBE_YES : PROBE_NO;
	return read_datagram(bytes, &d) ? PROBE_YES : PROBE_NO;
}

static enum dissect_result netbios_dissect(void *state, struct dissect_input *in,
					   struct attributes *out)
{
	struct netbios *s = state;
	struct message m = { .whole = in->bytes };
	struct datagram d;

	if (read_message(&m)) {
		record_message(&m, in, out);
	} else if (read_datagram(in->bytes, &d)) {
		attributes_add(out, &fields[DATAGRAMS], 1);
		describe(in, out, &d.source, &d.name, false);
	} else if (!s->known) {
		return DISSECT_NOT_MINE;
	} else {
		attributes_add(out, &fields[BROKEN], 1);
	}
	s->known = true;
	return DISSECT_MORE;
}

const struct dissector dissector_netbios = {
	.name = "netbios",
	.summary = "NetBIOS name and datagram services, UDP, any port",
	.transports = TRANSPORT_UDP,
	.ports = (const uint16_t[]){ PORT_NAMES, PORT_DATAGRAMS, 0 },
	.fields = fields,
	.state_size = sizeof(struct netbios),
	.probe = netbios_probe,
	.dissect = netbios_dissect,
};
