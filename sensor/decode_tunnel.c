/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/decode_parts.h"

enum {
	PORT_VXLAN = 4789,
	PORT_VXLAN_LINUX = 8472, /* what Linux took before the number was given */
	PORT_GENEVE = 6081,
	PORT_GTPU = 2152,
	PORT_TEREDO = 3544,
};

enum { GRE_ERSPAN12 = 0x88be, GRE_ERSPAN3 = 0x22eb };

/* What a tunnel's header says about what follows it. */
struct inner {
	struct tunnel tunnel;
	enum { HOLDS_IP, HOLDS_ETHERNET, HOLDS_TYPE, HOLDS_PPP } holds;
	uint16_t type;    /* HOLDS_TYPE */
	uint16_t vlan;    /* of the mirrored frame, as ERSPAN's header has it */
	struct cursor in; /* at first the tunnel's header, then what it holds */
	uint32_t missing; /* as of a span */
};

/* WRONG: this is the tunnel, and its header is broken. */
enum header { OPENED, NOT_A_TUNNEL, WRONG };

static struct span rest_of(const struct inner *in)
{
	return (struct span){ in->in.at, (uint32_t)cursor_left(&in->in), in->missing };
}

/* A length in the header, which can only take bytes away. */
static void keep(struct inner *in, uint32_t length)
{
	struct span s = rest_of(in);

	if (length >= span_left(s))
		return;
	s = span_keep(s, length);
	in->in.end = s.at + s.captured;
	in->missing = s.missing;
}

static enum header unless_failed(const struct inner *in)
{
	return in->in.failed ? WRONG : OPENED;
}

/* version 4 bits, VLAN 12 | class 3, encapsulation 2, cut 1, session 10 |
 * reserved 12, port index 20 (draft-foschiano-erspan section 4.2) */
static enum header erspan2(struct inner *in)
{
	uint16_t version_vlan = cursor_be16(&in->in);
	uint16_t session = cursor_be16(&in->in);
	cursor_skip(&in->in, 4);

	if (version_vlan >> 12 != 1)
		return WRONG;
	in->tunnel = (struct tunnel){ TUNNEL_ERSPAN2, session & 0x3ff };
	in->vlan = version_vlan & 0xfff;
	in->holds = HOLDS_ETHERNET;
	return unless_failed(in);
}

/* version 4 bits, VLAN 12 | class 3, bad 2, cut 1, session 10 | time 4 | group 2 |
 * frame check 1 bit, frame type 5, hardware 6, direction 1, granularity 2,
 * optional part 1 (section 4.3) */
static enum header erspan3(struct inner *in)
{
	enum { FRAME_ETHERNET = 0, FRAME_IP = 2 };
	uint16_t version_vlan = cursor_be16(&in->in);
	uint16_t session = cursor_be16(&in->in);
	cursor_skip(&in->in, 6);
	uint16_t flags = cursor_be16(&in->in);
	if (flags & 1)
		cursor_skip(&in->in, 8);

	uint16_t frame = flags >> 10 & 0x1f;
	if (version_vlan >> 12 != 2)
		return WRONG;
	if (frame != FRAME_ETHERNET && frame != FRAME_IP)
		return NOT_A_TUNNEL;
	in->tunnel = (struct tunnel){ TUNNEL_ERSPAN3, session & 0x3ff };
	in->vlan = version_vlan & 0xfff;
	in->holds = frame == FRAME_IP ? HOLDS_IP : HOLDS_ETHERNET;
	return unless_failed(in);
}

/* PPTP's GRE (RFC 2637): flags 2 | type 2 | payload length 2 | call 2 |
 * where flagged: sequence 4 | acknowledged 4 */
static enum header gre1(struct inner *in, uint16_t flags, uint16_t type)
{
	uint16_t length = cursor_be16(&in->in);
	uint16_t call = cursor_be16(&in->in);

	if (type != ETHERTYPE_PPP)
		return WRONG;
	if (!(flags & 0x1000)) /* no sequence number: only acknowledges */
		return in->in.failed ? WRONG : NOT_A_TUNNEL;
	cursor_skip(&in->in, flags & 0x0080 ? 8 : 4);
	keep(in, length);
	in->tunnel = (struct tunnel){ TUNNEL_GRE, call };
	in->holds = HOLDS_PPP;
	return unless_failed(in);
}

/* RFC 2784, 2890: flags 2 | type 2 | where flagged: checksum 2, reserved 2 |
 * key 4 | sequence 4 */
static enum header gre(struct inner *in)
{
	uint16_t flags = cursor_be16(&in->in);
	uint16_t type = cursor_be16(&in->in);
	bool sequenced = flags & 0x1000;

	if ((flags & 7) == 1)
		return gre1(in, flags, type);
	if (flags & 7)
		return WRONG;
	if (flags & 0x4000) /* source routes, gone with RFC 2784 */
		return NOT_A_TUNNEL;
	if (flags & 0x8000)
		cursor_skip(&in->in, 4);
	uint32_t key = flags & 0x2000 ? cursor_be32(&in->in) : 0;
	if (sequenced)
		cursor_skip(&in->in, 4);
	if (in->in.failed)
		return WRONG;
	if (type == GRE_ERSPAN3)
		return erspan3(in);
	if (type == GRE_ERSPAN12 && sequenced)
		return erspan2(in);
	in->tunnel = (struct tunnel){ TUNNEL_GRE, key };
	in->holds = HOLDS_TYPE;
	in->type = type;
	if (type == GRE_ERSPAN12) { /* type I has no header of its own */
		in->tunnel = (struct tunnel){ TUNNEL_ERSPAN1, 0 };
		in->holds = HOLDS_ETHERNET;
	}
	return OPENED;
}

/* RFC 7348: flags 1 | reserved 3 | network 3 | reserved 1 */
static enum header vxlan(struct inner *in)
{
	uint8_t flags = cursor_u8(&in->in);
	cursor_skip(&in->in, 3);
	uint32_t network = cursor_be24(&in->in);
	cursor_skip(&in->in, 1);

	if (in->in.failed || !(flags & 0x08))
		return NOT_A_TUNNEL;
	in->tunnel = (struct tunnel){ TUNNEL_VXLAN, network };
	in->holds = HOLDS_ETHERNET;
	return OPENED;
}

/* RFC 8926: version 2 bits, options 6, in words | control 1 bit, ... 7 | type 2 |
 * network 3 | reserved 1 | options */
static enum header geneve(struct inner *in)
{
	uint8_t version_options = cursor_u8(&in->in);
	uint8_t flags = cursor_u8(&in->in);
	uint16_t type = cursor_be16(&in->in);
	uint32_t network = cursor_be24(&in->in);
	cursor_skip(&in->in, 1);

	if (in->in.failed || version_options >> 6 != 0 || flags & 0x80)
		return NOT_A_TUNNEL;
	cursor_skip(&in->in, (version_options & 0x3fu) * 4);
	in->tunnel = (struct tunnel){ TUNNEL_GENEVE, network };
	in->holds = HOLDS_TYPE;
	in->type = type;
	return unless_failed(in);
}

/* 3GPP TS 29.281 section 5: version 3 bits, GTP 1, reserved 1, flags 3 | message 1 |
 * length 2 | tunnel 4 | where any flag: sequence 2, number 1, next extension 1;
 * an extension: length 1, in words | ... | next extension 1 */
static enum header gtpu(struct inner *in)
{
	enum { GTP_VERSION1 = 0x30, GTP_USER_DATA = 255 };
	uint8_t flags = cursor_u8(&in->in);
	uint8_t message = cursor_u8(&in->in);
	uint16_t length = cursor_be16(&in->in);
	uint32_t id = cursor_be32(&in->in);

	if (in->in.failed || (flags & 0xf0) != GTP_VERSION1 || message != GTP_USER_DATA)
		return NOT_A_TUNNEL;
	keep(in, length);
	uint8_t next = 0;
	if (flags & 7) {
		cursor_skip(&in->in, 3);
		next = cursor_u8(&in->in);
	}
	while (flags & 4 && next && !in->in.failed) {
		uint8_t words = cursor_u8(&in->in);
		if (words == 0)
			return WRONG;
		cursor_skip(&in->in, words * 4u - 2);
		next = cursor_u8(&in->in);
	}
	in->tunnel = (struct tunnel){ TUNNEL_GTPU, id };
	in->holds = HOLDS_IP;
	return unless_failed(in);
}

/* RFC 4380 section 5.1.1: maybe authentication, maybe origin, then IPv6 that fills
 * the datagram. The port alone says little: any client may have it by chance. */
static enum header teredo(struct inner *in)
{
	struct cursor *c = &in->in;

	if (cursor_peek(c, 0) == 0 && cursor_peek(c, 1) == 1) {
		cursor_skip(c, 2);
		unsigned client = cursor_u8(c), value = cursor_u8(c);
		cursor_skip(c, client + value + 9);
	}
	if (cursor_peek(c, 0) == 0 && cursor_peek(c, 1) == 0)
		cursor_skip(c, 8);
	struct cursor header = *c;
	uint8_t version = cursor_u8(&header) >> 4;
	cursor_skip(&header, 3);
	uint16_t length = cursor_be16(&header);
	if (header.failed || version != 6 || length + 40u > span_left(rest_of(in)))
		return NOT_A_TUNNEL;
	in->tunnel = (struct tunnel){ TUNNEL_TEREDO, 0 };
	in->holds = HOLDS_IP;
	return OPENED;
}

/* VXLAN and GENEVE choose their source port freely, and so may hit a number; what
 * goes back to it has a server's port as its source. */
static enum header open_udp(const struct packet *out, struct inner *in)
{
	switch (out->dest_port) {
	case PORT_VXLAN:
	case PORT_VXLAN_LINUX:
		return vxlan(in);
	case PORT_GENEVE:
		return geneve(in);
	case PORT_GTPU:
		return gtpu(in);
	default:
		break;
	}
	return out->dest_port == PORT_TEREDO || out->source_port == PORT_TEREDO ? teredo(in)
										: NOT_A_TUNNEL;
}

static enum header open_tunnel(const struct packet *out, struct span s, struct inner *in)
{
	*in = (struct inner){ .in = span_cursor(s), .missing = s.missing };
	switch (out->protocol) {
	case PROTOCOL_UDP:
		in->in = out->payload;
		in->missing = out->payload_bytes - (uint32_t)cursor_left(&out->payload);
		return open_udp(out, in);
	case PROTOCOL_GRE:
		return gre(in);
	case PROTOCOL_IPV4:
	case PROTOCOL_IPV6:
		in->tunnel = (struct tunnel){ TUNNEL_IPIP, 0 };
		in->holds = HOLDS_IP;
		return OPENED;
	default:
		return NOT_A_TUNNEL;
	}
}

static enum step enter(struct walk *w, const struct inner *in)
{
	struct packet *out = w->out;
	struct span s = rest_of(in);

	if (out->tunnel_count == DECODE_TUNNELS || !walk_deeper(w))
		return STEP_BAD_LINK;
	out->tunnels[out->tunnel_count++] = in->tunnel;
	if (in->vlan) {
		out->vlans[0] = in->vlan;
		out->vlan_count = 1;
	}
	w->ethernet = false;
	switch (in->holds) {
	case HOLDS_ETHERNET:
		return link_ethernet(w, s);
	case HOLDS_TYPE:
		return link_ethertype(w, in->type, s);
	case HOLDS_PPP:
		return link_ppp(w, s);
	case HOLDS_IP:
		break;
	}
	return ip_any(w, s);
}

static bool udp_may_be_tunnel(const struct packet *p)
{
	switch (p->dest_port) {
	case PORT_VXLAN:
	case PORT_VXLAN_LINUX:
	case PORT_GENEVE:
	case PORT_GTPU:
	case PORT_TEREDO:
		return true;
	default:
		return p->source_port == PORT_TEREDO;
	}
}

void tunnel_unwrap(struct walk *w, struct span s)
{
	struct packet *out = w->out;
	struct inner in;

	if (out->protocol == PROTOCOL_UDP && !udp_may_be_tunnel(out))
		return;
	enum header header = open_tunnel(out, s, &in);
	if (header == NOT_A_TUNNEL)
		return;
	enum step step = STEP_BAD_LINK;
	if (header == OPENED) {
		struct packet outer = *out;
		step = enter(w, &in);
		if (step == STEP_IP)
			return;
		*out = outer;
	}
	/* What was only not captured is not wrong. */
	if ((step == STEP_BAD_LINK || step == STEP_BAD_IP) && in.missing == 0)
		w->decoder->counters->malformed_tunnel++;
}
