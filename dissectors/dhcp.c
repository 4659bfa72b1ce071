/* SPDX-License-Identifier: Apache-2.0
 *
 * DHCP for IPv4 (RFC 2131, options: RFC 2132) over UDP, any port: what hosts are, by how
 * they ask, and which MAC address was given which IP address. A broadcast conversation is
 * that of all clients of a link, so what is said of a host goes with the address that the
 * message holds. Host names (options 12 and 81) are told by their class only. */
#include "dissectors/dissector.h"

#include "base/line.h"
#include "dissectors/hostname_class.h"
#include "dissectors/product_words.h"

enum {
	DISCOVERS,
	OFFERS,
	REQUESTS,
	DECLINES,
	ACKS,
	NAKS,
	RELEASES,
	INFORMS,
	BROKEN,
	FINGERPRINT,
	VENDOR_CLASS,
	HOSTNAME_CLASS,
	ARCHITECTURE,
	SIZE_MOST,
	LEASE,
	ROLE,
};

static const struct field fields[] = {
	[DISCOVERS] = { "dhcp.discovers", FIELD_COUNTER, GRAMMAR_NONE, "messages",
			"clients that look for a server", PHI_NONE, ABOUT_FLOW },
	[OFFERS] = { "dhcp.offers", FIELD_COUNTER, GRAMMAR_NONE, "messages", "addresses offered",
		     PHI_NONE, ABOUT_FLOW },
	[REQUESTS] = { "dhcp.requests", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		       "addresses asked for, or to be kept", PHI_NONE, ABOUT_FLOW },
	[DECLINES] = { "dhcp.declines", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		       "addresses that somebody else had already", PHI_NONE, ABOUT_FLOW },
	[ACKS] = { "dhcp.acks", FIELD_COUNTER, GRAMMAR_NONE, "messages", "addresses given",
		   PHI_NONE, ABOUT_FLOW },
	[NAKS] = { "dhcp.naks", FIELD_COUNTER, GRAMMAR_NONE, "messages", "addresses refused",
		   PHI_NONE, ABOUT_FLOW },
	[RELEASES] = { "dhcp.releases", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		       "addresses given back", PHI_NONE, ABOUT_FLOW },
	[INFORMS] = { "dhcp.informs", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		      "settings asked for, without an address", PHI_NONE, ABOUT_FLOW },
	[BROKEN] = { "dhcp.malformed", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		     "messages that break the format", PHI_NONE, ABOUT_FLOW },
	[FINGERPRINT] = { "dhcp.fingerprint", FIELD_TEXT, GRAMMAR_NUMBERS, "",
			  "options asked for, in the client's order (option 55): differs by system",
			  PHI_DEVICE, ABOUT_FLOW },
	[VENDOR_CLASS] = { "dhcp.vendor_class", FIELD_TEXT, GRAMMAR_PRODUCT, "",
			   "first words of the client's vendor class (option 60)", PHI_DEVICE,
			   ABOUT_FLOW },
	[HOSTNAME_CLASS] = { "dhcp.hostname_class", FIELD_TEXT, GRAMMAR_TOKEN, "",
			     "what the client's name looks like: a word of a fixed list", PHI_NONE,
			     ABOUT_FLOW },
	[ARCHITECTURE] = { "dhcp.architecture", FIELD_TEXT, GRAMMAR_TOKEN, "",
			   "machine of a client that boots over the network (option 93): x86-bios, "
			   "x86-uefi, x64-uefi, arm32-uefi, arm64-uefi, other",
			   PHI_NONE, ABOUT_FLOW },
	[SIZE_MOST] = { "dhcp.size_most", FIELD_NUMBER, GRAMMAR_NONE, "bytes",
			"longest message that the client takes (option 57)", PHI_NONE, ABOUT_FLOW },
	[LEASE] = { "dhcp.lease", FIELD_TEXT, GRAMMAR_TOKEN, "",
		    "a server gave this MAC address this IP address: leased, confirmed (an address "
		    "that was not from the server)",
		    PHI_NONE, ABOUT_FLOW },
	[ROLE] = { "dhcp.role", FIELD_TEXT, GRAMMAR_TOKEN, "", "server or relay", PHI_NONE,
		   ABOUT_FLOW },
	{ 0 },
};

enum { PORT_SERVER = 67, PORT_CLIENT = 68, OPTIONS_MOST = 80 };
enum { BOOT_REQUEST = 1, BOOT_REPLY = 2, HARDWARE_ETHERNET = 1 };
enum { COOKIE = 0x63825363, ADDRESSES = 12, MAC = 28, OPTIONS = 240 };

enum option {
	OPTION_PAD = 0,
	OPTION_HOST_NAME = 12,
	OPTION_TYPE = 53,
	OPTION_SERVER = 54,
	OPTION_ASKED = 55,
	OPTION_SIZE_MOST = 57,
	OPTION_VENDOR_CLASS = 60,
	OPTION_FULL_NAME = 81,
	OPTION_ARCHITECTURE = 93,
	OPTION_END = 255,
};

enum type { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM, TYPES };

struct dhcp {
	bool known;
};

struct message {
	uint8_t operation, type;
	bool has_mac;
	const uint8_t *mac;
	const uint8_t *client, *yours, *relay; /* addresses of 4 bytes, or 0.0.0.0 */
	struct cursor options;                 /* behind the cookie */
};

/* Section 2, figure 1: operation u8 | hardware u8 | size u8 | hops u8 | id u32 | seconds
 * u16 | flags u16 | client's, your, server's, relay's address, 4 each | hardware address
 * 16 | server's name 64 | file 128 | cookie u32 | options */
static bool read_fixed(struct cursor c, struct message *m)
{
	m->operation = cursor_u8(&c);
	uint8_t hardware = cursor_u8(&c);
	uint8_t size = cursor_u8(&c);
	cursor_skip(&c, ADDRESSES - 3);
	m->client = cursor_take(&c, 4);
	m->yours = cursor_take(&c, 4);
	cursor_skip(&c, 4);
	m->relay = cursor_take(&c, 4);
	m->mac = cursor_take(&c, 6);
	cursor_skip(&c, OPTIONS - 4 - MAC - 6);
	uint32_t cookie = cursor_be32(&c);
	m->options = c;
	m->has_mac = hardware == HARDWARE_ETHERNET && size == 6;
	return !c.failed && cookie == COOKIE && size <= 16 &&
	       (m->operation == BOOT_REQUEST || m->operation == BOOT_REPLY);
}

/* number u8, 0 and 255 alone | length u8 | value */
static bool next_option(struct cursor *c, unsigned *number, struct cursor *value)
{
	if (cursor_left(c) == 0) /* without an end: it was forgotten */
		return false;
	do {
		*number = cursor_u8(c);
	} while (*number == OPTION_PAD && cursor_left(c));
	if (c->failed || *number == OPTION_END || *number == OPTION_PAD)
		return false;
	*value = cursor_sub(c, cursor_u8(c));
	return !c->failed;
}

static bool is_zero(const uint8_t address[4])
{
	static const uint8_t none[4];

	return !memcmp(address, none, 4);
}

/* Anything but BOOTP without options says what it is. */
static bool read_message(struct cursor bytes, struct message *m)
{
	struct cursor c, value;
	unsigned number;

	*m = (struct message){ 0 };
	if (!read_fixed(bytes, m))
		return false;
	c = m->options;
	for (unsigned i = 0; i < OPTIONS_MOST && next_option(&c, &number, &value); i++)
		if (number == OPTION_TYPE && cursor_left(&value) == 1)
			m->type = cursor_u8(&value);
	return !c.failed && m->type < TYPES;
}

static enum probe_result dhcp_probe(struct cursor bytes, enum transport transport,
				    uint16_t source_port, uint16_t dest_port, bool midstream)
{
	struct message m;

	(void)source_port;
	(void)dest_port;
	(void)midstream;
	return transport == TRANSPORT_UDP && read_fixed(bytes, &m) ? PROBE_YES : PROBE_NO;
}

/* --- what is said of the client --- */

static void say(const struct message *m, struct dissect_input *in, struct attributes *out,
		unsigned field, const void *text, size_t n)
{
	bool address = !is_zero(m->client);
	struct dissect_fact *fact;

	attributes_text(out, &fields[field], text, n);
	if (!m->has_mac)
		return;
	fact = dissect_says(in, &fields[field], address ? FACT_IP_AND_MAC : FACT_MAC, text, n);
	if (!fact)
		return;
	memcpy(fact->mac, m->mac, 6);
	fact->ip = ip_from_v4(m->client);
}

static void say_fingerprint(const struct message *m, struct dissect_input *in,
			    struct attributes *out, struct cursor value)
{
	enum { ROOM = 64, ONE = 4, REST = 2 }; /* "255," and "+" with its comma */
	char text[ROOM + 1];
	struct line l = line_in(text, sizeof(text));

	while (cursor_left(&value)) {
		if (l.at != text)
			line_text(&l, ",");
		if ((size_t)(l.last - l.at) < ONE + REST) {
			line_text(&l, "+");
			break;
		}
		line_u64(&l, cursor_u8(&value));
	}
	say(m, in, out, FINGERPRINT, text, (size_t)(l.at - text));
}

static void say_vendor(const struct message *m, struct dissect_input *in, struct attributes *out,
		       struct cursor value)
{
	char words[PRODUCT_WORDS_MOST];

	say(m, in, out, VENDOR_CLASS, words, product_words(value.at, cursor_left(&value), words));
}

static void say_name(const struct message *m, struct dissect_input *in, struct attributes *out,
		     struct cursor name)
{
	const char *class = hostname_class(name.at, cursor_left(&name));

	if (class)
		say(m, in, out, HOSTNAME_CLASS, class, strlen(class));
}

/* RFC 4702 section 2: flags u8, two codes | name, as labels with their lengths, or text. */
static void say_full_name(const struct message *m, struct dissect_input *in, struct attributes *out,
			  struct cursor value)
{
	enum { FLAG_LABELS = 4 };
	uint8_t flags = cursor_u8(&value);

	cursor_skip(&value, 2);
	say_name(m, in, out, flags & FLAG_LABELS ? cursor_sub(&value, cursor_u8(&value)) : value);
}

/* RFC 4578 section 2.1, and IANA's list. */
static void say_architecture(const struct message *m, struct dissect_input *in,
			     struct attributes *out, struct cursor value)
{
	static const char *const words[] = {
		[0] = "x86-bios", [6] = "x86-uefi",    [7] = "x64-uefi",
		[9] = "x64-uefi", [10] = "arm32-uefi", [11] = "arm64-uefi"
	};
	uint16_t number = cursor_be16(&value);
	const char *word = number < sizeof(words) / sizeof(words[0]) ? words[number] : NULL;

	if (!value.failed)
		say(m, in, out, ARCHITECTURE, word ? word : "other", strlen(word ? word : "other"));
}

static void read_request(const struct message *m, struct dissect_input *in, struct attributes *out)
{
	struct cursor c = m->options, value;
	unsigned number;

	for (unsigned i = 0; i < OPTIONS_MOST && next_option(&c, &number, &value); i++) {
		switch (number) {
		case OPTION_ASKED:
			say_fingerprint(m, in, out, value);
			break;
		case OPTION_VENDOR_CLASS:
			say_vendor(m, in, out, value);
			break;
		case OPTION_HOST_NAME:
			say_name(m, in, out, value);
			break;
		case OPTION_FULL_NAME:
			say_full_name(m, in, out, value);
			break;
		case OPTION_ARCHITECTURE:
			say_architecture(m, in, out, value);
			break;
		case OPTION_SIZE_MOST:
			if (cursor_left(&value) == 2)
				attributes_number(out, &fields[SIZE_MOST], cursor_be16(&value));
			break;
		default:
			break;
		}
	}
}

/* --- and by the server --- */

static void say_role(struct dissect_input *in, const uint8_t address[4], const char *role)
{
	struct dissect_fact *fact = dissect_says(in, &fields[ROLE], FACT_IP, role, strlen(role));

	if (fact)
		fact->ip = ip_from_v4(address);
}

/* An INFORM is answered, too: then the address was the client's own before. */
static void say_lease(const struct message *m, struct dissect_input *in)
{
	bool leased = !is_zero(m->yours);
	const uint8_t *address = leased ? m->yours : m->client;
	const char *word = leased ? "leased" : "confirmed";

	if (!m->has_mac || is_zero(address))
		return;
	struct dissect_fact *fact =
		dissect_says(in, &fields[LEASE], FACT_IP_AND_MAC, word, strlen(word));
	if (!fact)
		return;
	memcpy(fact->mac, m->mac, 6);
	fact->ip = ip_from_v4(address);
}

static void read_reply(const struct message *m, struct dissect_input *in)
{
	struct cursor c = m->options, value;
	unsigned number;

	for (unsigned i = 0; i < OPTIONS_MOST && next_option(&c, &number, &value); i++)
		if (number == OPTION_SERVER && cursor_left(&value) == 4)
			say_role(in, value.at, "server");
	if (m->type == ACK)
		say_lease(m, in);
}

static void record(const struct message *m, struct dissect_input *in, struct attributes *out)
{
	static const unsigned counters[TYPES] = {
		[DISCOVER] = DISCOVERS, [OFFER] = OFFERS,   [REQUEST] = REQUESTS,
		[DECLINE] = DECLINES,   [ACK] = ACKS,       [NAK] = NAKS,
		[RELEASE] = RELEASES,   [INFORM] = INFORMS,
	};
	bool request = m->operation == BOOT_REQUEST;

	in->role = request ? ROLE_SENDER_IS_CLIENT : ROLE_SENDER_IS_SERVER;
	if (m->type) /* else BOOTP, which has no options to look at */
		attributes_add(out, &fields[counters[m->type]], 1);
	if (!is_zero(m->relay))
		say_role(in, m->relay, "relay");
	if (request)
		read_request(m, in, out);
	else
		read_reply(m, in);
}

static enum dissect_result dhcp_dissect(void *state, struct dissect_input *in,
					struct attributes *out)
{
	struct dhcp *s = state;
	struct message m;

	if (read_message(in->bytes, &m)) {
		record(&m, in, out);
	} else if (!s->known && !read_fixed(in->bytes, &m)) {
		return DISSECT_NOT_MINE;
	} else {
		attributes_add(out, &fields[BROKEN], 1);
	}
	s->known = true;
	return DISSECT_MORE;
}

const struct dissector dissector_dhcp = {
	.name = "dhcp",
	.summary = "DHCP for IPv4: what hosts are, and who was given which address; any port",
	.transports = TRANSPORT_UDP,
	.ports = (const uint16_t[]){ PORT_SERVER, PORT_CLIENT, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { BOOT_REQUEST, BOOT_REPLY }, BYTE_RANGES_END },
	.state_size = sizeof(struct dhcp),
	.probe = dhcp_probe,
	.dissect = dhcp_dissect,
};
