/* SPDX-License-Identifier: Apache-2.0
 *
 * ARP (RFC 826) for IPv4 on Ethernet: who says to have which address. Of use only as
 * facts about hosts; who asks for whom is not told. */
#include "dissectors/dissector.h"

enum { BINDING };

static const struct field fields[] = {
	[BINDING] = { "arp.binding", FIELD_TEXT, GRAMMAR_TOKEN, "",
		      "how an IPv4 address was claimed: asked (the sender's, in a question), "
		      "answered, announced (gratuitous), relayed (for another MAC address)",
		      PHI_NONE, ABOUT_FLOW },
	{ 0 },
};

enum { TYPE_ARP = 0x0806, HARDWARE_ETHERNET = 1, PROTOCOL_IPV4 = 0x0800 };
enum { REQUEST = 1, REPLY = 2 };

struct arp {
	uint16_t operation;
	const uint8_t *sender_mac, *sender_ip, *target_ip;
};

/* type u16 | hardware u16 | protocol u16 | sizes u8 u8 | operation u16 |
 * sender's MAC 6, IP 4 | target's MAC 6, IP 4 */
static bool read_arp(struct cursor *c, struct arp *out)
{
	uint16_t type = cursor_be16(c);
	uint16_t hardware = cursor_be16(c);
	uint16_t protocol = cursor_be16(c);
	uint16_t sizes = cursor_be16(c);
	out->operation = cursor_be16(c);
	out->sender_mac = cursor_take(c, 6);
	out->sender_ip = cursor_take(c, 4);
	cursor_skip(c, 6);
	out->target_ip = cursor_take(c, 4);
	return !c->failed && type == TYPE_ARP && hardware == HARDWARE_ETHERNET &&
	       protocol == PROTOCOL_IPV4 && sizes == 0x0604 &&
	       (out->operation == REQUEST || out->operation == REPLY);
}

static enum probe_result arp_probe(struct cursor bytes, enum transport transport,
				   uint16_t source_port, uint16_t dest_port, bool midstream)
{
	struct arp a;

	(void)source_port;
	(void)dest_port;
	(void)midstream;
	return transport == TRANSPORT_LINK && read_arp(&bytes, &a) ? PROBE_YES : PROBE_NO;
}

static enum dissect_result arp_dissect(void *state, struct dissect_input *in,
				       struct attributes *out)
{
	static const uint8_t none[4];
	struct arp a;

	(void)state;
	(void)out;
	if (!read_arp(&in->bytes, &a))
		return DISSECT_NOT_MINE;
	/* RFC 5227 section 2.1.1: who asks whether an address is free has none yet. */
	if (!memcmp(a.sender_ip, none, 4))
		return DISSECT_DONE;
	const char *word = a.operation == REQUEST ? "asked" : "answered";
	if (memcmp(a.sender_mac, in->source_mac, 6) != 0)
		word = "relayed";
	else if (!memcmp(a.sender_ip, a.target_ip, 4))
		word = "announced";
	struct dissect_fact *fact =
		dissect_says(in, &fields[BINDING], FACT_IP_AND_MAC, word, strlen(word));
	if (fact) {
		fact->ip = ip_from_v4(a.sender_ip);
		memcpy(fact->mac, a.sender_mac, 6);
	}
	return DISSECT_DONE;
}

const struct dissector dissector_arp = {
	.name = "arp",
	.summary = "ARP: which MAC address has which IPv4 address",
	.transports = TRANSPORT_LINK,
	.fields = fields,
	.first = (const struct byte_range[]){ { 0x08, 0x08 }, BYTE_RANGES_END },
	.probe = arp_probe,
	.dissect = arp_dissect,
};
