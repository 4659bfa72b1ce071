/* SPDX-License-Identifier: Apache-2.0
 *
 * LLDP (IEEE 802.1AB) with the inventory of LLDP-MED (ANSI/TIA-1057): what a device on
 * the wire says that it is. A device is known by its chassis, as long as that is a MAC or
 * an IP address. Never told: system name, port and its description, asset id, location. */
#include "dissectors/dissector.h"

#include "base/line.h"
#include "dissectors/hostname_class.h"
#include "dissectors/product_words.h"

enum {
	MANUFACTURER,
	MODEL,
	FIRMWARE,
	SOFTWARE,
	HARDWARE,
	SERIAL,
	SYSTEM,
	CAPABILITIES,
	PORT_VLAN,
	HOSTNAME_CLASS,
	CHASSIS,
};

static const struct field fields[] = {
	[MANUFACTURER] = { "lldp.manufacturer", FIELD_TEXT, GRAMMAR_PRODUCT, "",
			   "manufacturer, of the LLDP-MED inventory", PHI_DEVICE, ABOUT_FLOW },
	[MODEL] = { "lldp.model", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		    "model, of the LLDP-MED inventory", PHI_DEVICE, ABOUT_FLOW },
	[FIRMWARE] = { "lldp.firmware", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		       "firmware revision, of the LLDP-MED inventory", PHI_DEVICE, ABOUT_FLOW },
	[SOFTWARE] = { "lldp.software", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		       "software revision, of the LLDP-MED inventory", PHI_DEVICE, ABOUT_FLOW },
	[HARDWARE] = { "lldp.hardware", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		       "hardware revision, of the LLDP-MED inventory", PHI_DEVICE, ABOUT_FLOW },
	[SERIAL] = { "lldp.serial", FIELD_TEXT, GRAMMAR_TOKEN, "",
		     "serial number of the device, of the LLDP-MED inventory", PHI_DEVICE,
		     ABOUT_FLOW },
	[SYSTEM] = { "lldp.system", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		     "first words of the system description: product and version", PHI_DEVICE,
		     ABOUT_FLOW },
	[CAPABILITIES] = { "lldp.capabilities", FIELD_TEXT, GRAMMAR_TOKEN, "",
			   "what the device works as: station, bridge, router, wlan-ap, telephone, "
			   "docsis, repeater, other, joined by +",
			   PHI_NONE, ABOUT_FLOW },
	[PORT_VLAN] = { "lldp.port_vlan", FIELD_TEXT, GRAMMAR_TOKEN, "",
			"untagged VLAN of the port that speaks", PHI_NONE, ABOUT_FLOW },
	[HOSTNAME_CLASS] = { "lldp.hostname_class", FIELD_TEXT, GRAMMAR_TOKEN, "",
			     "what its system name looks like: a word of a fixed list", PHI_NONE,
			     ABOUT_FLOW },
	[CHASSIS] = { "lldp.chassis", FIELD_TEXT, GRAMMAR_TOKEN, "",
		      "by what the chassis is named: component, alias, port, mac, address, "
		      "interface, local",
		      PHI_NONE, ABOUT_FLOW },
	{ 0 },
};

enum { TYPE_LLDP = 0x88cc, TLVS_MOST = 64 };

enum {
	TLV_END = 0,
	TLV_CHASSIS = 1,
	TLV_PORT = 2,
	TLV_LIFE = 3,
	TLV_SYSTEM_NAME = 5,
	TLV_SYSTEM = 6,
	TLV_CAPABILITIES = 7,
	TLV_ORGANISATION = 127,
};

enum { CHASSIS_MAC = 4, CHASSIS_ADDRESS = 5, ADDRESS_IPV4 = 1, ADDRESS_IPV6 = 2 };

/* organisation << 8 | subtype */
enum {
	DOT1_PORT_VLAN = 0x0080c201,
	MED_HARDWARE = 0x0012bb05,
	MED_FIRMWARE = 0x0012bb06,
	MED_SOFTWARE = 0x0012bb07,
	MED_SERIAL = 0x0012bb08,
	MED_MANUFACTURER = 0x0012bb09,
	MED_MODEL = 0x0012bb0a,
};

/* What all facts are about. */
struct subject {
	enum fact_subject kind;
	struct ip_addr ip;
	const uint8_t *mac;
};

static void say(struct dissect_input *in, const struct subject *who, unsigned field,
		const void *text, size_t n)
{
	struct dissect_fact *fact = dissect_says(in, &fields[field], who->kind, text, n);

	if (!fact)
		return;
	if (who->kind == FACT_IP)
		fact->ip = who->ip;
	else if (who->kind == FACT_MAC)
		memcpy(fact->mac, who->mac, 6);
}

static void say_words(struct dissect_input *in, const struct subject *who, unsigned field,
		      struct cursor text)
{
	char words[PRODUCT_WORDS_MOST];

	say(in, who, field, words, product_words(text.at, cursor_left(&text), words));
}

static void say_class(struct dissect_input *in, const struct subject *who, struct cursor name)
{
	const char *class = hostname_class(name.at, cursor_left(&name));

	if (class)
		say(in, who, HOSTNAME_CLASS, class, strlen(class));
}

/* type 7 bits, length 9 bits */
static bool next_tlv(struct cursor *c, unsigned *type, struct cursor *value)
{
	uint16_t head = cursor_be16(c);

	*type = head >> 9;
	*value = cursor_sub(c, head & 0x1ff);
	return !c->failed && *type != TLV_END;
}

/* Section 8.5.2: subtype u8, then an id that is local to it. */
static void read_chassis(struct cursor id, struct subject *who, unsigned *subtype)
{
	*subtype = cursor_u8(&id);
	if (*subtype == CHASSIS_MAC && cursor_left(&id) == 6) {
		who->kind = FACT_MAC;
		who->mac = cursor_take(&id, 6);
	} else if (*subtype == CHASSIS_ADDRESS) {
		uint8_t family = cursor_u8(&id);
		size_t n = cursor_left(&id);
		if ((family == ADDRESS_IPV4 && n == 4) || (family == ADDRESS_IPV6 && n == 16)) {
			who->kind = FACT_IP;
			who->ip = n == 4 ? ip_from_v4(id.at) : ip_from_v6(id.at);
		}
	}
}

static void say_chassis(struct dissect_input *in, const struct subject *who, unsigned subtype)
{
	static const char *const words[] = { "",    "component", "alias",     "port",
					     "mac", "address",   "interface", "local" };

	if (subtype < sizeof(words) / sizeof(words[0]))
		say(in, who, CHASSIS, words[subtype], strlen(words[subtype]));
}

/* Section 8.5.8: what it could be u16, what it is u16. */
static void say_capabilities(struct dissect_input *in, const struct subject *who,
			     struct cursor value)
{
	static const char *const words[] = { "other",  "repeater",  "bridge", "wlan-ap",
					     "router", "telephone", "docsis", "station" };
	char text[40 + 1];
	struct line l = line_in(text, sizeof(text));

	cursor_skip(&value, 2);
	uint16_t enabled = cursor_be16(&value);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!(enabled >> i & 1) || (size_t)(l.last - l.at) <= strlen(words[i]))
			continue;
		if (l.at != text)
			line_text(&l, "+");
		line_text(&l, words[i]);
	}
	say(in, who, CAPABILITIES, text, (size_t)(l.at - text));
}

static void say_vlan(struct dissect_input *in, const struct subject *who, struct cursor value)
{
	char text[8];
	struct line l = line_in(text, sizeof(text));
	uint16_t vlan = cursor_be16(&value);

	if (vlan)
		line_u64(&l, vlan);
	say(in, who, PORT_VLAN, text, (size_t)(l.at - text));
}

/* TIA-1057 section 10.2.6: texts that may be padded. */
static void say_inventory(struct dissect_input *in, const struct subject *who, unsigned field,
			  struct cursor value)
{
	size_t n = cursor_left(&value);

	while (n && (value.at[n - 1] == ' ' || value.at[n - 1] == 0))
		n--;
	say(in, who, field, value.at, n);
}

static void say_organisation(struct dissect_input *in, const struct subject *who,
			     struct cursor value)
{
	switch (cursor_be32(&value)) {
	case DOT1_PORT_VLAN:
		say_vlan(in, who, value);
		break;
	case MED_HARDWARE:
		say_inventory(in, who, HARDWARE, value);
		break;
	case MED_FIRMWARE:
		say_inventory(in, who, FIRMWARE, value);
		break;
	case MED_SOFTWARE:
		say_inventory(in, who, SOFTWARE, value);
		break;
	case MED_SERIAL:
		say_inventory(in, who, SERIAL, value);
		break;
	case MED_MANUFACTURER:
		say_inventory(in, who, MANUFACTURER, value);
		break;
	case MED_MODEL:
		say_inventory(in, who, MODEL, value);
		break;
	default:
		break;
	}
}

static void say_tlv(struct dissect_input *in, const struct subject *who, unsigned type,
		    struct cursor value)
{
	switch (type) {
	case TLV_SYSTEM:
		say_words(in, who, SYSTEM, value);
		break;
	case TLV_SYSTEM_NAME:
		say_class(in, who, value);
		break;
	case TLV_CAPABILITIES:
		say_capabilities(in, who, value);
		break;
	case TLV_ORGANISATION:
		say_organisation(in, who, value);
		break;
	default:
		break;
	}
}

/* Chassis, port and life come first, in that order (section 8.3); nothing is believed of
 * what does not begin so. */
static bool read_beginning(struct cursor *c, struct cursor *chassis)
{
	struct cursor value;
	unsigned type;

	if (cursor_be16(c) != TYPE_LLDP || !next_tlv(c, &type, chassis) || type != TLV_CHASSIS ||
	    cursor_left(chassis) < 2)
		return false;
	if (!next_tlv(c, &type, &value) || type != TLV_PORT || cursor_left(&value) < 2)
		return false;
	return next_tlv(c, &type, &value) && type == TLV_LIFE && cursor_left(&value) >= 2;
}

static enum probe_result lldp_probe(struct cursor bytes, enum transport transport,
				    uint16_t source_port, uint16_t dest_port, bool midstream)
{
	struct cursor chassis;

	(void)source_port;
	(void)dest_port;
	(void)midstream;
	return transport == TRANSPORT_LINK && read_beginning(&bytes, &chassis) ? PROBE_YES
									       : PROBE_NO;
}

static enum dissect_result lldp_dissect(void *state, struct dissect_input *in,
					struct attributes *out)
{
	struct subject who = { .kind = FACT_SENDER };
	struct cursor c = in->bytes, value;
	unsigned type, chassis;

	(void)state;
	(void)out;
	if (!read_beginning(&c, &value))
		return DISSECT_NOT_MINE;
	read_chassis(value, &who, &chassis);
	for (unsigned i = 0; i < TLVS_MOST && next_tlv(&c, &type, &value); i++)
		say_tlv(in, &who, type, value);
	say_chassis(in, &who, chassis); /* last: there is room for so many facts only */
	return c.failed ? DISSECT_MALFORMED : DISSECT_DONE;
}

const struct dissector dissector_lldp = {
	.name = "lldp",
	.summary = "LLDP and LLDP-MED: what a device on the wire is",
	.transports = TRANSPORT_LINK,
	.fields = fields,
	.first = (const struct byte_range[]){ { 0x88, 0x88 }, BYTE_RANGES_END },
	.probe = lldp_probe,
	.dissect = lldp_dissect,
};
