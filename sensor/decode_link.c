/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/decode_parts.h"

/* LINKTYPE_ values, tcpdump.org/linktypes.html; two numbers differ between
 * systems where old captures have the system's own. */
enum link_type {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_PPP = 9,
	LINK_RAW_BSD = 12,
	LINK_RAW_OPENBSD = 14,
	LINK_PPP_HDLC = 50,
	LINK_PPPOE = 51,
	LINK_RAW = 101,
	LINK_CISCO_HDLC = 104,
	LINK_LOOP = 108,
	LINK_COOKED = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_COOKED2 = 276,
};

enum {
	TYPE_LENGTH_MOST = 1500, /* up to here an 802.3 length, not a type */
	TYPE_VLAN = 0x8100,
	TYPE_QINQ = 0x88a8,
	TYPE_QINQ_OLD = 0x9100,
	TYPE_QINQ_OLD2 = 0x9200,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_MULTICAST = 0x8848,
	TYPE_PPPOE_SESSION = 0x8864,
	TYPE_VN_TAG = 0x8926,
	TYPE_E_TAG = 0x893f,
	TYPE_HSR = 0x892f,
	TYPE_CISCO_METADATA = 0x8909,
};

enum {
	PPP_IPV4 = 0x0021,
	PPP_IPV6 = 0x0057,
	PPP_MPLS = 0x0281,
	PPP_MPLS_MULTICAST = 0x0283,
};

/* dsap 1 | ssap 1 | control 1 | where SNAP: organisation 3 | type 2 */
static enum step llc(struct walk *w, struct span s)
{
	struct cursor c = span_cursor(s);
	uint8_t dsap = cursor_u8(&c);
	uint8_t ssap = cursor_u8(&c);
	uint8_t control = cursor_u8(&c);

	if (control != 3 || dsap != ssap)
		return STEP_NOT_IP;
	if (dsap == 0x06)
		return ip_v4(w, span_behind(s, &c));
	if (dsap != 0xaa)
		return STEP_NOT_IP;
	uint32_t organisation = cursor_be24(&c);
	uint16_t type = cursor_be16(&c);
	if (c.failed || (organisation != 0 && organisation != 0x0000f8) || type <= TYPE_LENGTH_MOST)
		return STEP_NOT_IP;
	return link_ethertype(w, type, span_behind(s, &c));
}

/* tag 4: priority 3 bits, drop 1, VLAN 12 | type 2. The first tag of a header
 * replaces what an outer Ethernet header had; VLAN 0 only carries a priority. */
static void note_vlan(struct packet *out, uint16_t tci, bool *first)
{
	uint16_t vlan = tci & 0x0fff;

	if (vlan == 0)
		return;
	if (*first)
		out->vlan_count = 0;
	*first = false;
	if (out->vlan_count < DECODE_VLANS)
		out->vlans[out->vlan_count++] = vlan;
}

/* version 4 bits, type 4 bits: 0x11 | code 1: 0 for data | session 2 | length 2 */
static enum step pppoe(struct walk *w, struct span s)
{
	struct cursor c = span_cursor(s);
	uint8_t version_type = cursor_u8(&c);
	uint8_t code = cursor_u8(&c);
	cursor_skip(&c, 2);
	uint16_t length = cursor_be16(&c);

	if (c.failed || version_type != 0x11)
		return STEP_BAD_LINK;
	if (code != 0)
		return STEP_NOT_IP;
	s = span_behind(s, &c);
	return link_ppp(w, length < span_left(s) ? span_keep(s, length) : s);
}

/* Labels of 4 bytes, the last has the bottom bit. Nothing says what follows: IP
 * by its version; else a pseudowire's Ethernet, with a control word (RFC 4448
 * section 4.6: it starts with two zero bytes) or without. */
static enum step mpls(struct walk *w, struct span s)
{
	struct cursor c = span_cursor(s);
	uint32_t label;

	do {
		if (!walk_deeper(w))
			return STEP_BAD_LINK;
		label = cursor_be32(&c);
		if (c.failed)
			return STEP_BAD_LINK;
	} while (!(label & 0x100));

	s = span_behind(s, &c);
	bool control = cursor_peek(&c, 0) == 0 && cursor_peek(&c, 1) == 0;
	enum step step = ip_any(w, s);
	if (step == STEP_IP || !s.captured || !walk_deeper(w))
		return step;
	struct packet *out = w->out;
	uint8_t vlan_count = out->vlan_count;
	if (control) {
		if (link_ethernet(w, span_skip(s, 4)) == STEP_IP)
			return STEP_IP;
		out->vlan_count = vlan_count;
	}
	return link_ethernet(w, s) == STEP_IP ? STEP_IP : step;
}

/* Tags between the MAC addresses and the type: their bytes before the next type. */
static unsigned tag_bytes(uint16_t type)
{
	switch (type) {
	case TYPE_VN_TAG:
	case TYPE_HSR:
		return 4;
	case TYPE_E_TAG:
	case TYPE_CISCO_METADATA:
		return 6;
	default:
		return 0;
	}
}

static bool is_vlan(uint16_t type)
{
	return type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD ||
	       type == TYPE_QINQ_OLD2;
}

static enum step other_ethertype(struct walk *w, uint16_t type, struct span s)
{
	switch (type) {
	case ETHERTYPE_TEB:
		return link_ethernet(w, s);
	case TYPE_MPLS:
	case TYPE_MPLS_MULTICAST:
		return mpls(w, s);
	case TYPE_PPPOE_SESSION:
		return pppoe(w, s);
	default:
		break;
	}
	if (type > TYPE_LENGTH_MOST)
		return STEP_NOT_IP;
	return llc(w, type < span_left(s) ? span_keep(s, type) : s);
}

/* The innermost one is noted first, and stays. `s` is behind the type. */
static enum step not_ip(struct walk *w, uint16_t type, struct span s)
{
	struct decoder *d = w->decoder;

	if (!w->ethernet || d->has_frame)
		return STEP_NOT_IP;
	if (type <= TYPE_LENGTH_MOST && type < s.captured)
		s.captured = type;
	d->has_frame = true;
	d->frame = *w->out;
	d->frame.has_ports = false;
	d->frame.source_port = d->frame.dest_port = 0;
	d->frame.payload = cursor_of(s.at - 2, s.captured + 2);
	return STEP_NOT_IP;
}

enum step link_ethertype(struct walk *w, uint16_t type, struct span s)
{
	struct cursor c = span_cursor(s);
	bool first_tag = true;

	for (;;) {
		if (type == ETHERTYPE_IPV4)
			return ip_v4(w, span_behind(s, &c));
		if (type == ETHERTYPE_IPV6)
			return ip_v6(w, span_behind(s, &c));
		if (!walk_deeper(w))
			return STEP_BAD_LINK;
		unsigned skip = tag_bytes(type);
		if (is_vlan(type))
			note_vlan(w->out, cursor_be16(&c), &first_tag);
		else if (skip)
			cursor_skip(&c, skip);
		else
			break;
		type = cursor_be16(&c);
		if (c.failed)
			return STEP_BAD_LINK;
	}
	s = span_behind(s, &c);
	enum step step = other_ethertype(w, type, s);
	return step == STEP_NOT_IP ? not_ip(w, type, s) : step;
}

enum step link_ethernet(struct walk *w, struct span s)
{
	struct cursor c = span_cursor(s);
	const uint8_t *macs = cursor_take(&c, 12);
	uint16_t type = cursor_be16(&c);

	if (c.failed)
		return STEP_BAD_LINK;
	w->out->has_mac = true;
	memcpy(w->out->dest_mac, macs, 6);
	memcpy(w->out->source_mac, macs + 6, 6);
	w->ethernet = true;
	return link_ethertype(w, type, span_behind(s, &c));
}

/* Address and control (ff 03) may be left out, and a protocol below 256 may have
 * one byte (RFC 1661 section 6.5, 6.6): it is odd, as each last byte is. */
enum step link_ppp(struct walk *w, struct span s)
{
	struct cursor c = span_cursor(s);

	if (!walk_deeper(w))
		return STEP_BAD_LINK;
	if (cursor_peek(&c, 0) == 0xff && cursor_peek(&c, 1) == 0x03)
		cursor_skip(&c, 2);
	uint16_t protocol = cursor_u8(&c);
	if (!(protocol & 1))
		protocol = (uint16_t)(protocol << 8 | cursor_u8(&c));
	if (c.failed)
		return STEP_BAD_LINK;
	s = span_behind(s, &c);
	switch (protocol) {
	case PPP_IPV4:
		return ip_v4(w, s);
	case PPP_IPV6:
		return ip_v6(w, s);
	case PPP_MPLS:
	case PPP_MPLS_MULTICAST:
		return mpls(w, s);
	default:
		return STEP_NOT_IP;
	}
}

/* Cisco HDLC: address 1: 0f or 8f | control 1 | type 2 */
static enum step cisco_hdlc(struct walk *w, struct span s)
{
	struct cursor c = span_cursor(s);
	cursor_skip(&c, 2);
	uint16_t type = cursor_be16(&c);

	if (c.failed)
		return STEP_BAD_LINK;
	return type > TYPE_LENGTH_MOST ? link_ethertype(w, type, span_behind(s, &c)) : STEP_NOT_IP;
}

/* An address family, in the order of the machine that captured. IPv6 has a
 * number of its own in each system. */
static enum step loopback(struct walk *w, struct span s)
{
	struct cursor c = span_cursor(s), little = c;
	uint32_t family = cursor_be32(&c);

	if (c.failed)
		return STEP_BAD_LINK;
	if (family > 0xffff)
		family = cursor_le32(&little);
	s = span_behind(s, &c);
	switch (family) {
	case 2:
		return ip_v4(w, s);
	case 10:
	case 24:
	case 28:
	case 30:
		return ip_v6(w, s);
	default:
		return STEP_NOT_IP;
	}
}

static enum step cooked_protocol(struct walk *w, uint16_t protocol, struct span s,
				 const struct cursor *c)
{
	if (c->failed)
		return STEP_BAD_LINK;
	s = span_behind(s, c);
	if (protocol == 4) /* 802.2 without a length */
		return llc(w, s);
	return protocol > TYPE_LENGTH_MOST ? link_ethertype(w, protocol, s) : STEP_NOT_IP;
}

/* packet type 2 | ARPHRD 2 | address length 2 | address 8 | protocol 2 */
static enum step cooked(struct walk *w, struct span s)
{
	struct cursor c = span_cursor(s);
	cursor_skip(&c, 14);
	uint16_t protocol = cursor_be16(&c);

	return cooked_protocol(w, protocol, s, &c);
}

/* protocol 2 | reserved 2 | interface 4 | ARPHRD 2 | type 1 | length 1 | address 8 */
static enum step cooked2(struct walk *w, struct span s)
{
	struct cursor c = span_cursor(s);
	uint16_t protocol = cursor_be16(&c);
	cursor_skip(&c, 18);

	return cooked_protocol(w, protocol, s, &c);
}

/* Serial lines: PPP, unless the first byte says Cisco HDLC. */
static enum step serial(struct walk *w, struct span s)
{
	struct cursor c = span_cursor(s);
	int address = cursor_peek(&c, 0);

	return address == 0x0f || address == 0x8f ? cisco_hdlc(w, s) : link_ppp(w, s);
}

enum step link_frame(struct walk *w, uint16_t link_type, struct span s)
{
	switch (link_type) {
	case LINK_ETHERNET:
		return link_ethernet(w, s);
	case LINK_NULL:
	case LINK_LOOP:
		return loopback(w, s);
	case LINK_RAW:
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
		return ip_any(w, s);
	case LINK_IPV4:
		return ip_v4(w, s);
	case LINK_IPV6:
		return ip_v6(w, s);
	case LINK_COOKED:
		return cooked(w, s);
	case LINK_COOKED2:
		return cooked2(w, s);
	case LINK_PPP:
	case LINK_PPP_HDLC:
		return serial(w, s);
	case LINK_CISCO_HDLC:
		return cisco_hdlc(w, s);
	case LINK_PPPOE:
		return pppoe(w, s);
	default:
		return STEP_UNKNOWN_LINK;
	}
}
