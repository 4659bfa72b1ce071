/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sensor/decoding.h"

enum { ETHERNET = 1, IPV4 = 0x0800, IPV6 = 0x86dd, TCP = 6, UDP = 17 };

static struct decoding t;

static void begin(void)
{
	decoding_begin(&t);
}

static void end(void)
{
	decoding_end(&t);
}

TestSuite(decode, .init = begin, .fini = end);

/* The usual inside: UDP 1000 to 2000 with "payload", in net 1. */
static void make_udp4(void)
{
	udp_before(&t.made, 1000, 2000);
	ip4_before(&t.made, 1, UDP);
}

static void expect_udp(void)
{
	cr_assert_eq(t.packet.protocol, UDP);
	cr_assert_eq(net_of(&t.packet), 1);
	cr_assert(t.packet.has_ports);
	cr_assert_eq(t.packet.source_port, 1000);
	cr_assert_eq(t.packet.dest_port, 2000);
	cr_assert(text_is(t.packet.payload, "payload"));
	cr_assert_eq(t.packet.payload_bytes, 7);
}

Test(decode, reads_udp_over_ipv4)
{
	char text[IP_TEXT];

	make_udp4();
	eth_before(&t.made, 9, IPV4);
	cr_assert_eq(decode_made(&t, ETHERNET), DECODE_OK);
	expect_udp();
	cr_assert_str_eq(ip_text(&t.packet.source, text), "10.0.1.1");
	cr_assert_str_eq(ip_text(&t.packet.dest, text), "10.0.1.2");
	cr_assert_not(t.packet.v6);
	cr_assert_eq(t.packet.ip_bytes, 20 + 8 + 7);
	cr_assert_eq(t.packet.wire, 14 + 20 + 8 + 7);
	cr_assert_eq(t.packet.ttl, 64);
	cr_assert_eq(t.packet.dscp, 46);
	cr_assert_eq(t.packet.ip_id, 0x1234);
	cr_assert(t.packet.has_mac);
	cr_assert_eq(t.packet.source_mac[5], 1);
	cr_assert_eq(t.packet.dest_mac[4], 9);
	cr_assert_eq(t.packet.time.v, 1000 * USEC_PER_SECOND);
	cr_assert_eq(t.counters.packets, 1);
	cr_assert_eq(t.counters.bytes, 49);
}

Test(decode, reads_tcp_over_ipv6)
{
	tcp_before(&t.made, 40000, 104, 0x18);
	ip6_before(&t.made, 3, TCP);
	eth_before(&t.made, 9, IPV6);
	cr_assert_eq(decode_made(&t, ETHERNET), DECODE_OK);
	cr_assert(t.packet.v6);
	cr_assert_eq(t.packet.ip_bytes, 40 + 20 + 7);
	cr_assert_eq(t.packet.ip_id, 0x12345, "the flow label");
	cr_assert_eq(t.packet.dscp, 46);
	cr_assert_eq(t.packet.tcp_seq, 0x01020304);
	cr_assert_eq(t.packet.tcp_ack, 0x05060708);
	cr_assert_eq(t.packet.tcp_flags, 0x18);
	cr_assert(text_is(t.packet.payload, "payload"));
}

Test(decode, padding_is_not_payload)
{
	uint8_t padding[20] = { 0 };

	made_begin(&t.made, padding, sizeof(padding));
	BEFORE(&t.made, BE16(53), BE16(53), BE16(8 + 2), 0, 0, 'o', 'k');
	BEFORE(&t.made, 0x45, 0, 0, 32, 0, 1, 0, 0, 64, UDP, 0, 0, 10, 0, 1, 1, 10, 0, 1, 2);
	eth_before(&t.made, 1, IPV4);
	cr_assert_eq(decode_made(&t, ETHERNET), DECODE_OK);
	cr_assert_eq(t.packet.ip_bytes, 32, "the IP header says so, and two bytes are no UDP");
	cr_assert(text_is(t.packet.payload, "ok"));
	cr_assert_eq(cursor_left(&t.packet.ip), 32);
}

Test(decode, keeps_vlans_in_order_and_drops_priority_tags)
{
	make_udp4();
	vlan_before(&t.made, 30, IPV4);
	vlan_before(&t.made, 0xe000, 0x8100); /* VLAN 0 */
	vlan_before(&t.made, 0x2014, 0x88a8); /* VLAN 20, with a priority */
	vlan_before(&t.made, 10, 0x9100);
	eth_before(&t.made, 1, 0x9200);
	cr_assert_eq(decode_made(&t, ETHERNET), DECODE_OK);
	expect_udp();
	cr_assert_eq(t.packet.vlan_count, 3);
	cr_assert_eq(t.packet.vlans[0], 10);
	cr_assert_eq(t.packet.vlans[1], 20);
	cr_assert_eq(t.packet.vlans[2], 30);
}

Test(decode, endless_tags_end)
{
	make_udp4();
	for (int i = 0; i < 100; i++)
		vlan_before(&t.made, 5, i ? 0x8100 : IPV4);
	eth_before(&t.made, 1, 0x8100);
	cr_assert_eq(decode_made(&t, ETHERNET), DECODE_BROKEN);
	cr_assert_eq(t.counters.malformed_link, 1);
}

Test(decode, mpls_carries_ip)
{
	make_udp4();
	BEFORE(&t.made, 0, 1, 0, 64, 0, 2, 1, 64);
	eth_before(&t.made, 1, 0x8847);
	cr_assert_eq(decode_made(&t, ETHERNET), DECODE_OK);
	expect_udp();
}

Test(decode, mpls_carries_ethernet_with_a_control_word_or_without)
{
	for (int control = 0; control < 2; control++) {
		made_begin(&t.made, "payload", 7);
		make_udp4();
		vlan_before(&t.made, 77, IPV4);
		eth_before(&t.made, 5, 0x8100);
		if (control)
			BEFORE(&t.made, 0, 0, 0, 9);
		BEFORE(&t.made, 0, 2, 1, 64);
		eth_before(&t.made, 1, 0x8847);
		cr_assert_eq(decode_made(&t, ETHERNET), DECODE_OK);
		expect_udp();
		cr_assert_eq(t.packet.dest_mac[4], 5, "the innermost header's addresses");
		cr_assert_eq(t.packet.vlans[0], 77);
	}
}

Test(decode, pppoe_and_ppp_carry_ip)
{
	make_udp4();
	BEFORE(&t.made, 0x11, 0, 0, 1, BE16(2 + 35), 0x00, 0x21);
	eth_before(&t.made, 1, 0x8864);
	cr_assert_eq(decode_made(&t, ETHERNET), DECODE_OK);
	expect_udp();

	made_begin(&t.made, "payload", 7);
	make_udp4();
	BEFORE(&t.made, 0xff, 0x03, 0x21); /* protocol field compressed */
	cr_assert_eq(decode_made(&t, 9), DECODE_OK);
	expect_udp();

	made_begin(&t.made, "payload", 7);
	make_udp4();
	BEFORE(&t.made, 0x0f, 0x00, 0x08, 0x00);
	cr_assert_eq(decode_made(&t, 104), DECODE_OK);
	expect_udp();
}

Test(decode, snap_carries_ip)
{
	make_udp4();
	BEFORE(&t.made, 0xaa, 0xaa, 0x03, 0, 0, 0, BE16(IPV4));
	eth_before(&t.made, 1, 8 + 35);
	cr_assert_eq(decode_made(&t, ETHERNET), DECODE_OK);
	expect_udp();
}

Test(decode, other_links_carry_ip)
{
	static const struct {
		uint16_t link_type;
		uint8_t n, head[20];
	} links[] = {
		{ 113, 16, { 0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0 } },
		{ 276, 20, { 8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0 } },
		{ 0, 4, { 2, 0, 0, 0 } },
		{ 0, 4, { 0, 0, 0, 2 } },
		{ 108, 4, { 0, 0, 0, 2 } },
		{ 101, 0, { 0 } },
		{ 12, 0, { 0 } },
		{ 228, 0, { 0 } },
		{ 51, 8, { 0x11, 0, 0, 1, 0, 37, 0x00, 0x21 } },
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		made_begin(&t.made, "payload", 7);
		make_udp4();
		before(&t.made, links[i].head, links[i].n);
		cr_assert_eq(decode_made(&t, links[i].link_type), DECODE_OK, "link type %u",
			     links[i].link_type);
		expect_udp();
		cr_assert_not(t.packet.has_mac);
	}
}

Test(decode, counts_what_is_not_ip)
{
	eth_before(&t.made, 1, 0x0806);
	cr_assert_eq(decode_made(&t, ETHERNET), DECODE_NOT_IP);
	cr_assert_eq(t.counters.non_ip, 1);
	cr_assert_eq(decode_made(&t, 105), DECODE_NOT_IP);
	cr_assert_eq(t.counters.unknown_link, 1);
	cr_assert_eq(decode_cut(&t, ETHERNET, 13), DECODE_BROKEN);
	cr_assert_eq(t.counters.malformed_link, 1);
	cr_assert_eq(t.counters.truncated, 1);
}

Test(decode, refuses_headers_that_contradict_themselves)
{
	static const uint8_t bad[][20] = {
		{ 0x55, 0, 0, 20, [9] = UDP }, /* version 5 */
		{ 0x44, 0, 0, 20, [9] = UDP }, /* 16 bytes of header */
		{ 0x46, 0, 0, 20, [9] = UDP }, /* total below the header */
	};

	for (size_t i = 0; i < 3; i++) {
		made_begin(&t.made, bad[i], 20);
		cr_assert_eq(decode_made(&t, 228), DECODE_BROKEN);
		cr_assert_eq(t.counters.malformed_ip, i + 1);
	}
}

Test(decode, skips_ipv4_options)
{
	udp_before(&t.made, 1000, 2000);
	BEFORE(&t.made, 1, 1, 1, 0);
	ip4_before(&t.made, 1, UDP);
	t.made.room[t.made.start] = 0x46;
	cr_assert_eq(decode_made(&t, 101), DECODE_OK);
	expect_udp();
	cr_assert_eq(t.packet.ip_bytes, 24 + 8 + 7);
}

Test(decode, walks_ipv6_extension_headers)
{
	udp_before(&t.made, 1000, 2000);
	BEFORE(&t.made, UDP, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* AH */
	BEFORE(&t.made, 51, 0, 1, 4, 0, 0, 0, 0);                          /* destination */
	BEFORE(&t.made, 60, 0, 0, 0, 0, 0, 0, 9);                          /* atomic fragment */
	BEFORE(&t.made, 44, 0, 0, 0, 0, 0, 0, 0);                          /* routing */
	BEFORE(&t.made, 43, 0, 1, 4, 0, 0, 0, 0);                          /* hop by hop */
	ip6_before(&t.made, 1, 0);
	cr_assert_eq(decode_made(&t, 229), DECODE_OK);
	expect_udp();
	cr_assert_not(t.packet.fragment);
	cr_assert_eq(t.counters.fragments, 0);
}

Test(decode, stops_after_eight_extension_headers)
{
	udp_before(&t.made, 1000, 2000);
	for (int i = 0; i < 9; i++)
		BEFORE(&t.made, i ? 60 : UDP, 0, 1, 4, 0, 0, 0, 0);
	ip6_before(&t.made, 1, 60);
	cr_assert_eq(decode_made(&t, 229), DECODE_OK);
	cr_assert_eq(t.packet.protocol, 60);
	cr_assert_not(t.packet.has_ports);
}

Test(decode, length_zero_means_as_long_as_the_frame)
{
	make_udp4();
	t.made.room[t.made.start + 2] = t.made.room[t.made.start + 3] = 0;
	cr_assert_eq(decode_made(&t, 101), DECODE_OK);
	expect_udp();
	cr_assert_eq(t.packet.ip_bytes, 35);

	made_begin(&t.made, "payload", 7);
	udp_before(&t.made, 1000, 2000);
	ip6_before(&t.made, 1, UDP);
	t.made.room[t.made.start + 4] = t.made.room[t.made.start + 5] = 0;
	cr_assert_eq(decode_cut(&t, 101, made_length(&t.made) - 3), DECODE_OK);
	cr_assert_eq(t.packet.ip_bytes, 55, "by the wire, not by what was captured");
	cr_assert_eq(t.packet.payload_bytes, 7);
	cr_assert(text_is(t.packet.payload, "payl"));
}

Test(decode, believes_the_jumbo_option)
{
	tcp_before(&t.made, 1, 2, 0x10);
	BEFORE(&t.made, TCP, 0, 0xc2, 4, 0, 1, 0x38, 0x80); /* 80,000 */
	ip6_before(&t.made, 1, 0);
	t.made.room[t.made.start + 4] = t.made.room[t.made.start + 5] = 0;
	cr_assert_eq(decode_made(&t, 101), DECODE_OK);
	cr_assert_eq(t.packet.ip_bytes, 80040);
	cr_assert_eq(t.packet.payload_bytes, 80000 - 8 - 20);
	cr_assert(text_is(t.packet.payload, "payload"));
}

Test(decode, a_short_capture_keeps_ports_and_lengths)
{
	tcp_before(&t.made, 1000, 2000, 2);
	ip4_before(&t.made, 1, TCP);
	for (uint32_t n = 24; n < 40; n++) {
		cr_assert_eq(decode_cut(&t, 101, n), DECODE_OK);
		cr_assert(t.packet.truncated);
		cr_assert(t.packet.has_ports);
		cr_assert_eq(t.packet.dest_port, 2000);
		cr_assert_eq(t.packet.tcp_flags, 0, "not captured");
		cr_assert_eq(t.packet.payload_bytes, 7);
		cr_assert_eq(cursor_left(&t.packet.payload), 0);
	}
	cr_assert_eq(decode_cut(&t, 101, 23), DECODE_OK);
	cr_assert_not(t.packet.has_ports);
	cr_assert_eq(t.counters.malformed_transport, 0, "cut by the capture is not wrong");
}

Test(decode, wrong_transport_headers_are_metered)
{
	tcp_before(&t.made, 1000, 2000, 2);
	t.made.room[t.made.start + 12] = 0x40;
	ip4_before(&t.made, 1, TCP);
	cr_assert_eq(decode_made(&t, 101), DECODE_OK);
	cr_assert(t.packet.has_ports);
	cr_assert_eq(t.packet.payload_bytes, 0);
	cr_assert_eq(t.counters.malformed_transport, 1);

	made_begin(&t.made, "\1\2", 2);
	ip4_before(&t.made, 1, UDP);
	cr_assert_eq(decode_made(&t, 101), DECODE_OK);
	cr_assert_not(t.packet.has_ports);
	cr_assert_eq(t.counters.malformed_transport, 2);
}

Test(decode, reads_icmp_and_sctp)
{
	BEFORE(&t.made, 8, 0, 0, 0, 0, 1, 0, 1);
	ip4_before(&t.made, 1, 1);
	cr_assert_eq(decode_made(&t, 101), DECODE_OK);
	cr_assert(t.packet.has_icmp);
	cr_assert_not(t.packet.has_ports);
	cr_assert_eq(t.packet.icmp_type, 8);
	cr_assert(text_is(t.packet.payload, "payload"));

	made_begin(&t.made, "payload", 7);
	BEFORE(&t.made, BE16(1000), BE16(2000), 0, 0, 0, 1, 0, 0, 0, 2);
	ip6_before(&t.made, 1, 132);
	cr_assert_eq(decode_made(&t, 101), DECODE_OK);
	cr_assert_eq(t.packet.dest_port, 2000);
	cr_assert(text_is(t.packet.payload, "payload"));
}

Test(decode, which_link_types_are_known)
{
	cr_assert(decode_knows(1));
	cr_assert(decode_knows(101));
	cr_assert(decode_knows(276));
	cr_assert_not(decode_knows(147));
	cr_assert_not(decode_knows(65535));
}

/* --- what is not IP --- */

enum { ARP = 0x0806, VLAN = 0x8100 };

static void expect_frame(uint8_t host, uint16_t type)
{
	const struct packet *f = decode_frame(t.decoder);

	cr_assert(f);
	cr_assert_eq(f->source_mac[4], host);
	cr_assert_eq(f->dest_mac[5], 2);
	cr_assert_eq(f->time.v, 1000 * USEC_PER_SECOND);
	struct cursor c = f->payload;
	cr_assert_eq(cursor_be16(&c), type);
	cr_assert(text_is(c, "payload"));
}

Test(decode, hands_out_a_frame_that_is_not_ip)
{
	eth_before(&t.made, 9, ARP);
	cr_assert_eq(decode_made(&t, ETHERNET), DECODE_NOT_IP);
	expect_frame(9, ARP);
	cr_assert_eq(t.counters.non_ip, 1);
	decoding_end(&t);
	decoding_begin(&t);
	make_udp4();
	eth_before(&t.made, 9, IPV4);
	cr_assert_eq(decode_made(&t, ETHERNET), DECODE_OK);
	cr_assert_null(decode_frame(t.decoder), "it is of the last frame");
}

Test(decode, hands_out_a_frame_behind_its_tags)
{
	vlan_before(&t.made, 10, ARP);
	vlan_before(&t.made, 300, VLAN);
	eth_before(&t.made, 9, 0x88a8);
	cr_assert_eq(decode_made(&t, ETHERNET), DECODE_NOT_IP);
	expect_frame(9, ARP);
	cr_assert_eq(decode_frame(t.decoder)->vlan_count, 2);
	cr_assert_eq(decode_frame(t.decoder)->vlans[1], 10);
}

Test(decode, hands_out_802_3_without_its_padding)
{
	static const uint8_t padded[] = "payload\0\0\0\0\0";

	made_begin(&t.made, padded, sizeof(padded));
	eth_before(&t.made, 9, 7);
	cr_assert_eq(decode_made(&t, ETHERNET), DECODE_NOT_IP);
	expect_frame(9, 7);
}

Test(decode, hands_out_what_a_mirror_encapsulates)
{
	eth_before(&t.made, 7, ARP);
	BEFORE(&t.made, 0x10, 0x00, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0x64, 0x04, 0x11, 0, 0, 0, 3);
	ip4_before(&t.made, 2, 47);
	eth_before(&t.made, 9, IPV4);
	cr_assert_eq(decode_made(&t, ETHERNET), DECODE_OK, "the packet outside is metered");
	cr_assert_eq(t.packet.tunnel_count, 0);
	cr_assert_eq(t.counters.non_ip, 0);
	expect_frame(7, ARP);
	cr_assert_eq(decode_frame(t.decoder)->tunnels[0].id, 17);
	cr_assert_eq(decode_frame(t.decoder)->vlans[0], 100);
}

Test(decode, hands_out_no_frame_without_addresses_of_its_own)
{
	BEFORE(&t.made, 0x00, 0x00, BE16(ARP)); /* GRE */
	ip4_before(&t.made, 2, 47);
	eth_before(&t.made, 9, IPV4);
	cr_assert_eq(decode_made(&t, ETHERNET), DECODE_OK);
	cr_assert_null(decode_frame(t.decoder));
}

Test(decode, hands_out_what_was_captured_of_a_frame)
{
	eth_before(&t.made, 9, ARP);
	for (uint32_t n = 0; n < made_length(&t.made); n++) {
		enum decode_result result = decode_cut(&t, ETHERNET, n);
		const struct packet *f = decode_frame(t.decoder);
		cr_assert_eq(result, n < 14 ? DECODE_BROKEN : DECODE_NOT_IP);
		cr_assert_eq(f != NULL, n >= 14);
		cr_assert(!f || cursor_left(&f->payload) == n - 12);
	}
}
