/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sensor/decoding.h"

enum { IPV4 = 0x0800, UDP = 17, GRE = 47, RAW = 101, ETHERNET = 1 };

static struct decoding t;

static void begin(void)
{
	decoding_begin(&t);
	udp_before(&t.made, 1000, 2000);
	ip4_before(&t.made, 1, UDP);
}

static void end(void)
{
	decoding_end(&t);
}

TestSuite(tunnels, .init = begin, .fini = end);

/* The inner packet (net 1) was found, in one tunnel that is called `text`. */
static void expect_inside(const char *text)
{
	char name[24];

	cr_assert_eq(net_of(&t.packet), 1, "%s: the outer packet was metered", text);
	cr_assert_eq(t.packet.tunnel_count, 1);
	cr_assert_str_eq(tunnel_text(&t.packet.tunnels[0], name), text);
	cr_assert_eq(t.packet.dest_port, 2000);
	cr_assert_eq(t.packet.ip_bytes, 35, "the inner bytes");
	cr_assert(text_is(t.packet.payload, "payload"));
	cr_assert_eq(t.counters.malformed_tunnel, 0);
}

/* The outer packet (net 2) was metered as it is. */
static void expect_outside(uint64_t malformed)
{
	cr_assert_eq(net_of(&t.packet), 2);
	cr_assert_eq(t.packet.tunnel_count, 0);
	cr_assert_eq(t.packet.ip_bytes, made_length(&t.made));
	cr_assert_eq(t.counters.malformed_tunnel, malformed);
}

static void through_udp(uint16_t port)
{
	udp_before(&t.made, 50000, port);
	ip4_before(&t.made, 2, UDP);
	cr_assert_eq(decode_made(&t, RAW), DECODE_OK);
}

static void through_gre(void)
{
	ip4_before(&t.made, 2, GRE);
	cr_assert_eq(decode_made(&t, RAW), DECODE_OK);
}

Test(tunnels, gre)
{
	BEFORE(&t.made, 0x00, 0x00, BE16(IPV4));
	through_gre();
	expect_inside("gre");
}

Test(tunnels, gre_with_checksum_key_and_sequence)
{
	BEFORE(&t.made, 0xb0, 0x00, BE16(IPV4), 1, 2, 0, 0, 0, 0, 0, 77, 0, 0, 0, 1);
	through_gre();
	expect_inside("gre:77");
}

Test(tunnels, gre_carries_ethernet)
{
	vlan_before(&t.made, 12, IPV4);
	eth_before(&t.made, 7, 0x8100);
	BEFORE(&t.made, 0x20, 0x00, 0x65, 0x58, 0, 0, 0, 5);
	through_gre();
	expect_inside("gre:5");
	cr_assert_eq(t.packet.vlans[0], 12);
	cr_assert_eq(t.packet.dest_mac[4], 7);
}

Test(tunnels, pptp)
{
	BEFORE(&t.made, 0xff, 0x03, 0x00, 0x21);
	BEFORE(&t.made, 0x30, 0x81, 0x88, 0x0b, BE16(39), BE16(6), 0, 0, 0, 1, 0, 0, 0, 2);
	through_gre();
	expect_inside("gre:6");
}

Test(tunnels, erspan1)
{
	eth_before(&t.made, 7, IPV4);
	BEFORE(&t.made, 0x00, 0x00, 0x88, 0xbe);
	through_gre();
	expect_inside("erspan1");
}

Test(tunnels, erspan2_gives_its_vlan)
{
	eth_before(&t.made, 7, IPV4);
	BEFORE(&t.made, 0x10, 0x00, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0x64, 0x04, 0x11, 0, 0, 0, 3);
	through_gre();
	expect_inside("erspan2:17");
	cr_assert_eq(t.packet.vlan_count, 1);
	cr_assert_eq(t.packet.vlans[0], 100);
}

Test(tunnels, erspan2_gives_way_to_the_frame_s_own_vlan)
{
	vlan_before(&t.made, 12, IPV4);
	eth_before(&t.made, 7, 0x8100);
	BEFORE(&t.made, 0x10, 0x00, 0x88, 0xbe, 0, 0, 0, 1, 0x1f, 0xff, 0x04, 0x11, 0, 0, 0, 3);
	through_gre();
	expect_inside("erspan2:17");
	cr_assert_eq(t.packet.vlan_count, 1);
	cr_assert_eq(t.packet.vlans[0], 12);
}

Test(tunnels, erspan3_with_the_optional_part_and_without)
{
	for (uint8_t optional = 0; optional < 2; optional++) {
		made_begin(&t.made, "payload", 7);
		udp_before(&t.made, 1000, 2000);
		ip4_before(&t.made, 1, UDP);
		eth_before(&t.made, 7, IPV4);
		if (optional)
			BEFORE(&t.made, 0, 0, 0, 0, 0, 0, 0, 0);
		BEFORE(&t.made, 0x10, 0x00, 0x22, 0xeb, 0, 0, 0, 1, /* GRE */
		       0x2f, 0xff, 0x03, 0xff, 1, 2, 3, 4, 0, 0, 0, optional);
		through_gre();
		expect_inside("erspan3:1023");
		cr_assert_eq(t.packet.vlans[0], 4095, "all 12 bits");
	}
}

Test(tunnels, vxlan)
{
	eth_before(&t.made, 7, IPV4);
	BEFORE(&t.made, 0x08, 0, 0, 0, 0x01, 0x00, 0x01, 0);
	through_udp(4789);
	expect_inside("vxlan:65537");
}

Test(tunnels, vxlan_with_arp_is_nobody_s_error)
{
	eth_before(&t.made, 7, 0x0806);
	BEFORE(&t.made, 0x08, 0, 0, 0, 0, 0, 1, 0);
	through_udp(8472);
	expect_outside(0);
	cr_assert_eq(t.packet.dest_port, 8472);
	cr_assert_not(t.packet.has_mac, "nothing of the inside stays");
}

Test(tunnels, vxlan_with_a_broken_packet_is_malformed)
{
	t.made.room[t.made.start] = 0x11;
	eth_before(&t.made, 7, IPV4);
	BEFORE(&t.made, 0x08, 0, 0, 0, 0, 0, 1, 0);
	through_udp(4789);
	expect_outside(1);
}

Test(tunnels, geneve_with_options)
{
	BEFORE(&t.made, 0x02, 0x40, 0x08, 0x00, 0, 0, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8);
	through_udp(6081);
	expect_inside("geneve:9");
}

Test(tunnels, ip_in_ip)
{
	ip4_before(&t.made, 2, 4);
	cr_assert_eq(decode_made(&t, RAW), DECODE_OK);
	expect_inside("ipip");
}

Test(tunnels, ip_in_ip_of_both_versions)
{
	ip6_before(&t.made, 2, 4);
	cr_assert_eq(decode_made(&t, RAW), DECODE_OK);
	expect_inside("ipip");

	made_begin(&t.made, "payload", 7);
	udp_before(&t.made, 1000, 2000);
	ip6_before(&t.made, 1, UDP);
	ip4_before(&t.made, 2, 41);
	cr_assert_eq(decode_made(&t, RAW), DECODE_OK);
	cr_assert(t.packet.v6);
	cr_assert_eq(t.packet.ip_bytes, 55);
	cr_assert_eq(t.packet.tunnels[0].type, TUNNEL_IPIP);
}

Test(tunnels, gtpu)
{
	BEFORE(&t.made, 0x30, 255, BE16(35), 0, 0, 1, 0);
	through_udp(2152);
	expect_inside("gtpu:256");
}

Test(tunnels, gtpu_with_extension_headers)
{
	BEFORE(&t.made, 0x34, 255, BE16(35 + 8), 0, 0, 1, 0, 0, 0, 0, 0x85, 1, 0, 0, 0);
	through_udp(2152);
	expect_inside("gtpu:256");
}

Test(tunnels, gtpu_echo_is_nobody_s_error)
{
	made_begin(&t.made, "", 0);
	BEFORE(&t.made, 0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0);
	through_udp(2152);
	expect_outside(0);
}

Test(tunnels, teredo_with_both_indications)
{
	made_begin(&t.made, "payload", 7);
	udp_before(&t.made, 1000, 2000);
	ip6_before(&t.made, 1, UDP);
	BEFORE(&t.made, 0, 0, 1, 2, 3, 4, 5, 6);
	BEFORE(&t.made, 0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0);
	through_udp(3544);
	cr_assert_eq(net_of(&t.packet), 1);
	cr_assert_eq(t.packet.tunnels[0].type, TUNNEL_TEREDO);
	cr_assert(text_is(t.packet.payload, "payload"));
}

Test(tunnels, teredo_port_alone_is_no_tunnel)
{
	through_udp(3544);
	expect_outside(0);
}

Test(tunnels, nest_four_deep_and_no_deeper)
{
	for (uint8_t net = 2; net <= 5; net++)
		ip4_before(&t.made, net, 4);
	cr_assert_eq(decode_made(&t, RAW), DECODE_OK);
	cr_assert_eq(net_of(&t.packet), 1);
	cr_assert_eq(t.packet.tunnel_count, 4);

	ip4_before(&t.made, 6, 4);
	cr_assert_eq(decode_made(&t, RAW), DECODE_OK);
	cr_assert_eq(net_of(&t.packet), 2);
	cr_assert_eq(t.packet.tunnel_count, 4);
	cr_assert_eq(t.packet.protocol, 4);
	cr_assert_eq(t.counters.malformed_tunnel, 1);
}

Test(tunnels, cut_by_the_capture_is_not_malformed)
{
	eth_before(&t.made, 7, IPV4);
	BEFORE(&t.made, 0x08, 0, 0, 0, 0, 0, 1, 0);
	udp_before(&t.made, 50000, 4789);
	ip4_before(&t.made, 2, UDP);
	for (uint32_t n = 28; n < 70; n++) {
		cr_assert_eq(decode_cut(&t, RAW, n), DECODE_OK);
		cr_assert_eq(net_of(&t.packet), 2, "%u captured", n);
	}
	cr_assert_eq(t.counters.malformed_tunnel, 0);
	cr_assert_eq(decode_cut(&t, RAW, 70), DECODE_OK);
	cr_assert_eq(net_of(&t.packet), 1, "the inner header is there");
	cr_assert_eq(t.packet.ip_bytes, 35);
}

/* Each length, from a block of its own, so that a sanitizer sees one byte too far;
 * what is lent lies within the captured bytes. */
static void every_length(void)
{
	uint32_t all = made_length(&t.made);

	for (uint32_t n = 0; n <= all; n++) {
		uint8_t *exact = malloc(n ? n : 1);
		memcpy(exact, made_bytes(&t.made), n);
		for (int wire = 0; wire < 2; wire++) {
			struct frame frame = { .bytes = exact,
					       .captured = n,
					       .wire = wire ? all : n,
					       .link_type = ETHERNET };
			if (decode(t.decoder, &frame, &t.packet) != DECODE_OK)
				continue;
			cr_assert(t.packet.ip.at >= exact && t.packet.ip.end <= exact + n);
			cr_assert(t.packet.payload.end == NULL ||
				  t.packet.payload.end <= exact + n);
		}
		free(exact);
	}
}

Test(tunnels, every_truncation_of_much_nesting)
{
	eth_before(&t.made, 7, IPV4);
	BEFORE(&t.made, 0x08, 0, 0, 0, 0, 0, 1, 0);
	udp_before(&t.made, 50000, 4789);
	BEFORE(&t.made, UDP, 0, 1, 4, 0, 0, 0, 0);
	ip6_before(&t.made, 2, 60);
	BEFORE(&t.made, 0x34, 255, BE16(made_length(&t.made) + 8), 0, 0, 1, 0, 0, 0, 0, 0x85, 1, 0,
	       0, 0);
	udp_before(&t.made, 2152, 2152);
	ip4_before(&t.made, 3, UDP);
	vlan_before(&t.made, 30, IPV4);
	eth_before(&t.made, 8, 0x8100);
	BEFORE(&t.made, 0x10, 0x00, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0x64, 0, 9, 1, 2, 3, 4, 0, 0, 0,
	       1, 0, 0, 0, 0, 0, 0, 0, 0);
	ip4_before(&t.made, 4, GRE);
	BEFORE(&t.made, 0x11, 0, 0, 1, BE16(2 + made_length(&t.made)), 0x00, 0x21);
	BEFORE(&t.made, 0, 5, BE16(0x8864));
	eth_before(&t.made, 9, 0x8100);
	cr_assert_eq(decode_made(&t, ETHERNET), DECODE_OK);
	cr_assert_eq(net_of(&t.packet), 1);
	cr_assert_eq(t.packet.tunnel_count, 3);
	cr_assert_eq(t.packet.vlans[0], 30);
	every_length();
}
