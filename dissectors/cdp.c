/* SPDX-License-Identifier: Apache-2.0
 *
 * Cisco Discovery Protocol, as its format is in Cisco's "Cisco Discovery Protocol Packet
 * Format" and in what lldpd and IOS send: what a device on the wire is. Never told: device
 * id, port, addresses, VTP domain. */
#include "dissectors/dissector.h"

#include "base/line.h"
#include "dissectors/hostname_class.h"
#include "dissectors/product_words.h"

enum { PLATFORM, SOFTWARE, CAPABILITIES, NATIVE_VLAN, HOSTNAME_CLASS };

static const struct field fields[] = {
	[PLATFORM] = { "cdp.platform", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		       "first words of the platform: model of the device", PHI_DEVICE, ABOUT_FLOW },
	[SOFTWARE] = { "cdp.software", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		       "first words of the software version", PHI_DEVICE, ABOUT_FLOW },
	[CAPABILITIES] = { "cdp.capabilities", FIELD_TEXT, GRAMMAR_TOKEN, "",
			   "what the device works as: router, bridge, source-bridge, switch, host, "
			   "igmp, "
			   "repeater, phone, remote, joined by +",
			   PHI_NONE, ABOUT_FLOW },
	[NATIVE_VLAN] = { "cdp.native_vlan", FIELD_TEXT, GRAMMAR_TOKEN, "",
			  "untagged VLAN of the port that speaks", PHI_NONE, ABOUT_FLOW },
	[HOSTNAME_CLASS] = { "cdp.hostname_class", FIELD_TEXT, GRAMMAR_TOKEN, "",
			     "what its device id looks like: a word of a fixed list", PHI_NONE,
			     ABOUT_FLOW },
	{ 0 },
};

enum { LENGTH_MOST = 1500, TLVS_MOST = 64 };

enum {
	TLV_DEVICE_ID = 1,
	TLV_CAPABILITIES = 4,
	TLV_SOFTWARE = 5,
	TLV_PLATFORM = 6,
	TLV_NATIVE_VLAN = 10,
};

/* length u16 | LLC aa aa 03 | SNAP 00 00 0c, 20 00 | version u8, 1 or 2 | life u8 | sum u16 */
static bool read_head(struct cursor *c)
{
	static const uint8_t snap[] = { 0xaa, 0xaa, 0x03, 0x00, 0x00, 0x0c, 0x20, 0x00 };
	uint16_t length = cursor_be16(c);
	const uint8_t *head = cursor_take(c, sizeof(snap));
	uint8_t version = cursor_u8(c);
	cursor_skip(c, 3);

	return !c->failed && length <= LENGTH_MOST && !memcmp(head, snap, sizeof(snap)) &&
	       (version == 1 || version == 2);
}

/* type u16 | length u16 with these four bytes | value */
static bool next_tlv(struct cursor *c, unsigned *type, struct cursor *value)
{
	if (cursor_left(c) == 0)
		return false;
	*type = cursor_be16(c);
	uint16_t length = cursor_be16(c);
	*value = cursor_sub(c, length >= 4 ? length - 4u : SIZE_MAX);
	return !c->failed;
}

static void say(struct dissect_input *in, unsigned field, const void *text, size_t n)
{
	(void)dissect_says(in, &fields[field], FACT_SENDER, text, n);
}

static void say_words(struct dissect_input *in, unsigned field, struct cursor text)
{
	char words[PRODUCT_WORDS_MOST];

	say(in, field, words, product_words(text.at, cursor_left(&text), words));
}

static void say_capabilities(struct dissect_input *in, struct cursor value)
{
	static const char *const words[] = { "router",   "bridge", "source-bridge",
					     "switch",   "host",   "igmp",
					     "repeater", "phone",  "remote" };
	char text[40 + 1];
	struct line l = line_in(text, sizeof(text));
	uint32_t bits = cursor_be32(&value);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!(bits >> i & 1) || (size_t)(l.last - l.at) <= strlen(words[i]))
			continue;
		if (l.at != text)
			line_text(&l, "+");
		line_text(&l, words[i]);
	}
	say(in, CAPABILITIES, text, (size_t)(l.at - text));
}

static void say_vlan(struct dissect_input *in, struct cursor value)
{
	char text[8];
	struct line l = line_in(text, sizeof(text));
	uint16_t vlan = cursor_be16(&value);

	if (vlan)
		line_u64(&l, vlan);
	say(in, NATIVE_VLAN, text, (size_t)(l.at - text));
}

static void say_tlv(struct dissect_input *in, unsigned type, struct cursor value)
{
	const char *class;

	switch (type) {
	case TLV_DEVICE_ID:
		class = hostname_class(value.at, cursor_left(&value));
		if (class)
			say(in, HOSTNAME_CLASS, class, strlen(class));
		break;
	case TLV_CAPABILITIES:
		say_capabilities(in, value);
		break;
	case TLV_SOFTWARE:
		say_words(in, SOFTWARE, value);
		break;
	case TLV_PLATFORM:
		say_words(in, PLATFORM, value);
		break;
	case TLV_NATIVE_VLAN:
		say_vlan(in, value);
		break;
	default:
		break;
	}
}

static enum probe_result cdp_probe(struct cursor bytes, enum transport transport,
				   uint16_t source_port, uint16_t dest_port, bool midstream)
{
	(void)source_port;
	(void)dest_port;
	(void)midstream;
	return transport == TRANSPORT_LINK && read_head(&bytes) ? PROBE_YES : PROBE_NO;
}

static enum dissect_result cdp_dissect(void *state, struct dissect_input *in,
				       struct attributes *out)
{
	struct cursor c = in->bytes, value;
	unsigned type;

	(void)state;
	(void)out;
	if (!read_head(&c))
		return DISSECT_NOT_MINE;
	for (unsigned i = 0; i < TLVS_MOST && next_tlv(&c, &type, &value); i++)
		say_tlv(in, type, value);
	return c.failed ? DISSECT_MALFORMED : DISSECT_DONE;
}

const struct dissector dissector_cdp = {
	.name = "cdp",
	.summary = "Cisco Discovery Protocol: what a device on the wire is",
	.transports = TRANSPORT_LINK,
	.fields = fields,
	/* An IEEE 802.3 length. */
	.first = (const struct byte_range[]){ { 0x00, 0x05 }, BYTE_RANGES_END },
	.probe = cdp_probe,
	.dissect = cdp_dissect,
};
