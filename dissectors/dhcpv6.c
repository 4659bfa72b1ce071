/* SPDX-License-Identifier: Apache-2.0
 *
 * DHCP for IPv6 (RFC 8415) over UDP: what hosts are, by how they ask, and which addresses
 * were given. On other ports than 546 and 547 a message must be exact to its last byte and
 * hold an identifier (DUID). Names are told by their class only, identifiers by their kind;
 * the MAC address in one need not be of this interface, and is not told either. */
#include "dissectors/dissector.h"

#include "base/line.h"
#include "dissectors/hostname_class.h"
#include "dissectors/product_words.h"

enum {
	SOLICITS,
	ADVERTISES,
	REQUESTS,
	REPLIES,
	INFORMS,
	RELAYED,
	OTHERS,
	BROKEN,
	DUID,
	ENTERPRISE,
	VENDOR_CLASS,
	FINGERPRINT,
	HOSTNAME_CLASS,
	LEASE,
	ROLE,
};

static const struct field fields[] = {
	[SOLICITS] = { "dhcpv6.solicits", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		       "clients that look for a server", PHI_NONE, ABOUT_FLOW },
	[ADVERTISES] = { "dhcpv6.advertises", FIELD_COUNTER, GRAMMAR_NONE, "messages",
			 "servers that offer themselves", PHI_NONE, ABOUT_FLOW },
	[REQUESTS] = { "dhcpv6.requests", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		       "addresses asked for, or to be kept (request, confirm, renew, rebind)",
		       PHI_NONE, ABOUT_FLOW },
	[REPLIES] = { "dhcpv6.replies", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		      "answers of servers", PHI_NONE, ABOUT_FLOW },
	[INFORMS] = { "dhcpv6.informs", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		      "settings asked for, without an address", PHI_NONE, ABOUT_FLOW },
	[RELAYED] = { "dhcpv6.relayed", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		      "messages passed on by a relay; not looked into", PHI_NONE, ABOUT_FLOW },
	[OTHERS] = { "dhcpv6.others", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		     "addresses given back or refused, and calls to ask again", PHI_NONE,
		     ABOUT_FLOW },
	[BROKEN] = { "dhcpv6.malformed", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		     "messages that break the format", PHI_NONE, ABOUT_FLOW },
	[DUID] = { "dhcpv6.duid", FIELD_TEXT, GRAMMAR_TOKEN, "",
		   "kind of the client's identifier: mac-and-time, enterprise, mac, uuid, other",
		   PHI_NONE, ABOUT_FLOW },
	[ENTERPRISE] = { "dhcpv6.enterprise", FIELD_TEXT, GRAMMAR_UID, "",
			 "enterprise number of the client's vendor class: its maker", PHI_DEVICE,
			 ABOUT_FLOW },
	[VENDOR_CLASS] = { "dhcpv6.vendor_class", FIELD_TEXT, GRAMMAR_PRODUCT, "",
			   "first words of the client's vendor class (option 16)", PHI_DEVICE,
			   ABOUT_FLOW },
	[FINGERPRINT] = { "dhcpv6.fingerprint", FIELD_TEXT, GRAMMAR_NUMBERS, "",
			  "options asked for, in the client's order (option 6): differs by system",
			  PHI_DEVICE, ABOUT_FLOW },
	[HOSTNAME_CLASS] = { "dhcpv6.hostname_class", FIELD_TEXT, GRAMMAR_TOKEN, "",
			     "what the client's name looks like: a word of a fixed list", PHI_NONE,
			     ABOUT_FLOW },
	[LEASE] = { "dhcpv6.lease", FIELD_TEXT, GRAMMAR_TOKEN, "",
		    "a server gave somebody this address: leased", PHI_NONE, ABOUT_FLOW },
	[ROLE] = { "dhcpv6.role", FIELD_TEXT, GRAMMAR_TOKEN, "", "server or relay", PHI_NONE,
		   ABOUT_FLOW },
	{ 0 },
};

enum { PORT_CLIENT = 546, PORT_SERVER = 547, OPTIONS_MOST = 64 };

enum type {
	SOLICIT = 1,
	ADVERTISE,
	REQUEST,
	CONFIRM,
	RENEW,
	REBIND,
	REPLY,
	RELEASE,
	DECLINE,
	RECONFIGURE,
	INFORM,
	RELAY_FORWARD,
	RELAY_REPLY,
};

enum option {
	OPTION_CLIENT = 1,
	OPTION_SERVER = 2,
	OPTION_LEASES = 3, /* IA_NA */
	OPTION_ADDRESS = 5,
	OPTION_ASKED = 6,
	OPTION_VENDOR_CLASS = 16,
	OPTION_FULL_NAME = 39, /* RFC 4704 */
};

struct dhcpv6 {
	bool known;
};

struct message {
	uint8_t type;
	bool identified; /* one that says whose it is */
	struct cursor options;
};

/* type u8 | transaction 3 | options; relays: type u8 | hops u8 | link 16 | peer 16 |
 * options; an option: number u16 | length u16 | value */
static bool next_option(struct cursor *c, unsigned *number, struct cursor *value)
{
	if (cursor_left(c) == 0)
		return false;
	*number = cursor_be16(c);
	*value = cursor_sub(c, cursor_be16(c));
	return !c->failed;
}

static bool is_relayed(const struct message *m)
{
	return m->type == RELAY_FORWARD || m->type == RELAY_REPLY;
}

static bool read_message(struct cursor c, struct message *m)
{
	struct cursor value;
	unsigned number;

	*m = (struct message){ .type = cursor_u8(&c) };
	if (m->type < SOLICIT || m->type > RELAY_REPLY)
		return false;
	cursor_skip(&c, is_relayed(m) ? 33 : 3);
	m->options = c;
	unsigned left = OPTIONS_MOST;
	while (left-- && next_option(&c, &number, &value))
		if ((number == OPTION_CLIENT || number == OPTION_SERVER) &&
		    cursor_left(&value) > 2 && cursor_left(&value) <= 130)
			m->identified = true;
	return !c.failed && cursor_left(&c) == 0;
}

static enum probe_result dhcpv6_probe(struct cursor bytes, enum transport transport,
				      uint16_t source_port, uint16_t dest_port, bool midstream)
{
	struct message m;
	bool hinted = source_port == PORT_CLIENT || source_port == PORT_SERVER ||
		      dest_port == PORT_CLIENT || dest_port == PORT_SERVER;

	(void)midstream;
	if (transport != TRANSPORT_UDP || !read_message(bytes, &m))
		return PROBE_NO;
	return hinted || m.identified ? PROBE_YES : PROBE_NO;
}

static void say(struct dissect_input *in, struct attributes *out, unsigned field, const void *text,
		size_t n)
{
	attributes_text(out, &fields[field], text, n);
	(void)dissect_says(in, &fields[field], FACT_SENDER, text, n);
}

/* Section 11: kind u16, then what it is made of. */
static void say_duid(struct dissect_input *in, struct attributes *out, struct cursor duid)
{
	static const char *const words[] = { "other", "mac-and-time", "enterprise", "mac", "uuid" };
	uint16_t kind = cursor_be16(&duid);
	const char *word = words[kind < sizeof(words) / sizeof(words[0]) ? kind : 0];

	if (!duid.failed)
		say(in, out, DUID, word, strlen(word));
}

/* Section 21.16: enterprise u32, then texts with their lengths u16. */
static void say_vendor(struct dissect_input *in, struct attributes *out, struct cursor value)
{
	char text[16], words[PRODUCT_WORDS_MOST];
	struct line l = line_in(text, sizeof(text));
	uint32_t enterprise = cursor_be32(&value);
	struct cursor class = cursor_sub(&value, cursor_be16(&value));

	if (class.failed)
		return;
	line_u64(&l, enterprise);
	say(in, out, ENTERPRISE, text, (size_t)(l.at - text));
	say(in, out, VENDOR_CLASS, words, product_words(class.at, cursor_left(&class), words));
}

static void say_fingerprint(struct dissect_input *in, struct attributes *out, struct cursor value)
{
	enum { ROOM = 64, ONE = 6, REST = 2 }; /* "65535," and "+" with its comma */
	char text[ROOM + 1];
	struct line l = line_in(text, sizeof(text));

	while (cursor_left(&value) >= 2) {
		if (l.at != text)
			line_text(&l, ",");
		if ((size_t)(l.last - l.at) < ONE + REST) {
			line_text(&l, "+");
			break;
		}
		line_u64(&l, cursor_be16(&value));
	}
	say(in, out, FINGERPRINT, text, (size_t)(l.at - text));
}

/* RFC 4704 section 4: flags u8 | name as labels with their lengths. */
static void say_name(struct dissect_input *in, struct attributes *out, struct cursor value)
{
	cursor_skip(&value, 1);
	struct cursor label = cursor_sub(&value, cursor_u8(&value));
	const char *class = hostname_class(label.at, cursor_left(&label));

	if (class)
		say(in, out, HOSTNAME_CLASS, class, strlen(class));
}

static void read_request(const struct message *m, struct dissect_input *in, struct attributes *out)
{
	struct cursor c = m->options, value;
	unsigned number;

	for (unsigned i = 0; i < OPTIONS_MOST && next_option(&c, &number, &value); i++) {
		switch (number) {
		case OPTION_CLIENT:
			say_duid(in, out, value);
			break;
		case OPTION_VENDOR_CLASS:
			say_vendor(in, out, value);
			break;
		case OPTION_ASKED:
			say_fingerprint(in, out, value);
			break;
		case OPTION_FULL_NAME:
			say_name(in, out, value);
			break;
		default:
			break;
		}
	}
}

/* Section 21.4, 21.6: id u32, two times u32, options; among them, address 16, two times
 * u32, options. */
static void say_leases(struct dissect_input *in, struct cursor leases)
{
	struct cursor value;
	unsigned number;

	cursor_skip(&leases, 12);
	for (unsigned i = 0; i < OPTIONS_MOST && next_option(&leases, &number, &value); i++) {
		const uint8_t *address = cursor_take(&value, 16);
		if (number != OPTION_ADDRESS || !address)
			continue;
		struct dissect_fact *fact =
			dissect_says(in, &fields[LEASE], FACT_IP, "leased", strlen("leased"));
		if (fact)
			fact->ip = ip_from_v6(address);
	}
}

static void read_reply(const struct message *m, struct dissect_input *in)
{
	struct cursor c = m->options, value;
	unsigned number;

	(void)dissect_says(in, &fields[ROLE], FACT_SENDER, "server", strlen("server"));
	for (unsigned i = 0; i < OPTIONS_MOST && next_option(&c, &number, &value); i++)
		if (m->type == REPLY && number == OPTION_LEASES)
			say_leases(in, value);
}

static void record_relayed(const struct message *m, struct dissect_input *in,
			   struct attributes *out)
{
	bool forward = m->type == RELAY_FORWARD;

	attributes_add(out, &fields[RELAYED], 1);
	(void)dissect_says(in, &fields[ROLE], forward ? FACT_SENDER : FACT_RECEIVER, "relay",
			   strlen("relay"));
	in->role = forward ? ROLE_SENDER_IS_CLIENT : ROLE_SENDER_IS_SERVER;
}

static void record(const struct message *m, struct dissect_input *in, struct attributes *out)
{
	static const unsigned counters[] = {
		[SOLICIT] = SOLICITS,   [ADVERTISE] = ADVERTISES, [REQUEST] = REQUESTS,
		[CONFIRM] = REQUESTS,   [RENEW] = REQUESTS,       [REBIND] = REQUESTS,
		[REPLY] = REPLIES,      [RELEASE] = OTHERS,       [DECLINE] = OTHERS,
		[RECONFIGURE] = OTHERS, [INFORM] = INFORMS,
	};
	bool from_server = m->type == ADVERTISE || m->type == REPLY || m->type == RECONFIGURE;

	if (is_relayed(m)) {
		record_relayed(m, in, out);
		return;
	}
	attributes_add(out, &fields[counters[m->type]], 1);
	in->role = from_server ? ROLE_SENDER_IS_SERVER : ROLE_SENDER_IS_CLIENT;
	if (from_server)
		read_reply(m, in);
	else
		read_request(m, in, out);
}

static enum dissect_result dhcpv6_dissect(void *state, struct dissect_input *in,
					  struct attributes *out)
{
	struct dhcpv6 *s = state;
	struct message m;

	if (read_message(in->bytes, &m)) {
		record(&m, in, out);
		s->known = true;
		return DISSECT_MORE;
	}
	if (!s->known)
		return DISSECT_NOT_MINE;
	attributes_add(out, &fields[BROKEN], 1);
	return DISSECT_MORE;
}

const struct dissector dissector_dhcpv6 = {
	.name = "dhcpv6",
	.summary = "DHCP for IPv6: what hosts are, and which addresses were given; any port",
	.transports = TRANSPORT_UDP,
	.ports = (const uint16_t[]){ PORT_CLIENT, PORT_SERVER, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { SOLICIT, RELAY_REPLY }, BYTE_RANGES_END },
	.state_size = sizeof(struct dhcpv6),
	.probe = dhcpv6_probe,
	.dissect = dhcpv6_dissect,
};
