/* SPDX-License-Identifier: Apache-2.0
 *
 * From a frame to the facts that the meter needs: unwraps link layers and
 * tunnels, reads IP and transport headers, as far as the captured bytes go. */
#pragma once

#include "base/clock.h"
#include "base/cursor.h"
#include "base/ip.h"
#include "schema/counters.h"

/* One frame as captured. Bytes are borrowed from the reader until it is asked
 * for the next frame. */
struct frame {
	const uint8_t *bytes;
	uint32_t captured; /* bytes there are */
	uint32_t wire;     /* bytes there were; never less than captured */
	struct usec time;
	uint16_t link_type; /* LINKTYPE_ value of the capture's interface */
	uint16_t interface; /* number within the input */
	bool oversized;     /* longer than the interface's MTU allows */
};

enum { DECODE_VLANS = 4, DECODE_TUNNELS = 4 };

enum tunnel_type {
	TUNNEL_GRE,
	TUNNEL_ERSPAN1,
	TUNNEL_ERSPAN2,
	TUNNEL_ERSPAN3,
	TUNNEL_VXLAN,
	TUNNEL_GENEVE,
	TUNNEL_IPIP,
	TUNNEL_GTPU,
	TUNNEL_TEREDO,
};

struct tunnel {
	enum tunnel_type type;
	uint32_t id; /* GRE key, PPTP call, ERSPAN session, VNI, TEID; 0: there is none */
};

struct packet {
	struct usec time;
	uint32_t wire;     /* length of the frame */
	bool truncated;    /* captured < wire */
	bool oversized;    /* as of the frame */
	uint8_t interface; /* as of the frame, below 32 */
	bool has_mac;      /* of the innermost Ethernet header that was seen */
	uint8_t source_mac[6], dest_mac[6];
	uint16_t vlans[DECODE_VLANS]; /* outermost first, of the innermost Ethernet header that
				       * had any; priority tags (VLAN 0) are none */
	uint8_t vlan_count;
	struct tunnel tunnels[DECODE_TUNNELS]; /* outermost first */
	uint8_t tunnel_count;

	/* Innermost IP header */
	struct ip_addr source, dest;
	bool v6;
	uint8_t protocol; /* behind IPv6 extension headers */
	uint8_t ttl, dscp;
	uint32_t ip_id;    /* IPv4 identification or, IPv6, the flow label */
	uint32_t ip_bytes; /* IPv4 total length; IPv6: 40 + payload length; 0 on the wire
			    * (offloaded frames): bytes from the IP header on */
	struct cursor ip;  /* captured bytes from the innermost IP header to its end */

	/* Fragments: `fragment` for any piece. A first piece, and a later one whose
	 * first was seen, have their ports; `whole` is set on the piece that completes
	 * a datagram: then `transport` and `payload` are the reassembled ones. All other
	 * pieces have no payload; a first one has its TCP flags and numbers. The pieces
	 * of a tunnel's datagram are the outer packets, but for the one that completes
	 * it: that one gives the packet inside, which is itself no fragment. */
	bool fragment, whole;
	bool orphan;    /* later piece whose first was never seen: no ports */
	uint64_t piece; /* identification and place of a piece; 0: no fragment */

	/* Transport: TCP, UDP, SCTP have ports, ICMP type and code. */
	bool has_ports;
	uint16_t source_port, dest_port;
	uint8_t icmp_type, icmp_code;
	bool has_icmp;
	uint8_t tcp_flags;
	uint32_t tcp_seq, tcp_ack;
	struct cursor transport; /* captured bytes from the transport header on */
	struct cursor payload;   /* captured bytes behind the transport header, no padding */
	uint32_t payload_bytes;  /* as the headers say; more than captured when truncated */
};

enum decode_result {
	DECODE_OK,     /* meter it */
	DECODE_NOT_IP, /* counted, nothing to meter */
	DECODE_BROKEN, /* counted by reason, nothing to meter */
};

struct decoder; /* holds the fragments under way, within a fixed budget */

/* `fragment_slots` datagrams under way at most (64 KiB each is reserved lazily
 * from one block made here); NULL when memory is short. */
struct decoder *decoder_create(size_t fragment_slots, struct counters *counters);
void decoder_destroy(struct decoder *d);

/* Decodes one frame. `out` borrows from the frame, and from the decoder for
 * reassembled payload, both until the next call; it is only all filled with
 * DECODE_OK. Counts packets, bytes, truncated, oversized, non_ip*, malformed_*, unknown_link
 * and fragments*; `metered` is the meter's. A tunnel whose inside is not IP, or
 * wrong, is the outer packet. */
enum decode_result decode(struct decoder *d, const struct frame *frame, struct packet *out);

/* What the last decode() found that is not IP: the frame itself, or what a tunnel or a
 * mirror's encapsulation holds (the packet is then the outer one). Only `time`, the MAC
 * addresses, `vlans`, `tunnels` and `interface` are filled in, and `payload`: from the
 * EtherType or the length of IEEE 802.3 on, tags gone, without padding where a length
 * says so. Borrows from the frame as that packet does. NULL: all was IP, broken, or no
 * Ethernet. */
const struct packet *decode_frame(const struct decoder *d);

/* False for a link type of which every frame is counted as unknown. */
bool decode_knows(uint16_t link_type);

/* "erspan2:17", "vxlan:100", "ipip"; out has room for 24 bytes. */
char *tunnel_text(const struct tunnel *t, char out[24]);
