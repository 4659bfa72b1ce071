/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sensor/decoding.h"

enum { UDP = 17, GRE = 47, RAW = 101, MORE = 0x2000 };

static struct decoding t;
static uint8_t datagram[64]; /* UDP 1000 to 2000, 56 bytes of text */

static void begin(void)
{
	decoding_begin(&t);
	for (size_t i = 0; i < sizeof(datagram); i++)
		datagram[i] = (uint8_t)('A' + i % 26);
	memcpy(datagram, (uint8_t[]){ BE16(1000), BE16(2000), BE16(64), 0, 0 }, 8);
}

static void end(void)
{
	decoding_end(&t);
}

TestSuite(fragments, .init = begin, .fini = end);

/* Decodes the datagram's bytes from..to as one piece. */
static void piece(uint16_t id, uint32_t from, uint32_t to)
{
	made_begin(&t.made, datagram + from, to - from);
	ip4_piece_before(&t.made, 1, UDP, id,
			 (uint16_t)(from / 8 | (to < sizeof(datagram) ? MORE : 0)));
	cr_assert_eq(decode_made(&t, RAW), DECODE_OK);
	cr_assert(t.packet.fragment);
	cr_assert_eq(t.packet.ip_bytes, 20 + to - from);
}

static void expect_ports(void)
{
	cr_assert(t.packet.has_ports);
	cr_assert_not(t.packet.orphan);
	cr_assert_eq(t.packet.source_port, 1000);
	cr_assert_eq(t.packet.dest_port, 2000);
}

static void expect_piece(void)
{
	expect_ports();
	cr_assert_not(t.packet.whole);
	cr_assert_eq(cursor_left(&t.packet.payload), 0, "a piece is no message");
	cr_assert_eq(t.packet.payload_bytes, 0);
}

static void expect_whole(void)
{
	expect_ports();
	cr_assert(t.packet.whole);
	cr_assert_eq(t.packet.payload_bytes, 56);
	cr_assert_eq(cursor_left(&t.packet.payload), 56);
	cr_assert_arr_eq(t.packet.payload.at, datagram + 8, 56);
}

Test(fragments, in_order)
{
	piece(7, 0, 24);
	expect_piece();
	piece(7, 24, 48);
	expect_piece();
	piece(7, 48, 64);
	expect_whole();
	cr_assert_eq(t.counters.fragments, 3);
	cr_assert_eq(t.counters.fragments_reassembled, 1);
	cr_assert_eq(t.counters.fragments_orphan, 0);
}

Test(fragments, out_of_order_are_orphans_until_the_first_comes)
{
	piece(7, 48, 64);
	cr_assert(t.packet.orphan);
	cr_assert_not(t.packet.has_ports);
	cr_assert_eq(t.packet.protocol, UDP);
	piece(7, 0, 24);
	expect_piece();
	piece(7, 24, 48);
	expect_whole();
	cr_assert_eq(t.counters.fragments_orphan, 1);
}

Test(fragments, completed_by_the_first)
{
	piece(7, 24, 64);
	piece(7, 0, 24);
	expect_whole();
}

Test(fragments, datagrams_do_not_mix)
{
	piece(7, 0, 24);
	piece(8, 24, 64);
	cr_assert(t.packet.orphan);
	piece(7, 24, 64);
	expect_whole();
}

Test(fragments, copies_are_no_overlaps)
{
	piece(7, 0, 24);
	piece(7, 0, 24);
	expect_piece();
	piece(7, 24, 64);
	expect_whole();
	piece(7, 24, 64);
	expect_piece();
	piece(7, 0, 24);
	expect_piece();
	cr_assert_eq(t.counters.fragments_overlap, 0);
	cr_assert_eq(t.counters.fragments_reassembled, 1);
}

Test(fragments, overlaps_are_never_believed)
{
	piece(7, 0, 24);
	piece(7, 16, 40);
	expect_piece();
	cr_assert_eq(t.counters.fragments_overlap, 1);
	piece(7, 24, 64);
	expect_piece();
	cr_assert_eq(t.counters.fragments_reassembled, 0);
}

Test(fragments, other_bytes_at_the_same_place_are_an_overlap)
{
	piece(7, 0, 24);
	piece(7, 24, 48);
	datagram[30] ^= 1;
	piece(7, 24, 48);
	cr_assert_eq(t.counters.fragments_overlap, 1);
	piece(7, 48, 64);
	expect_piece();
}

Test(fragments, a_piece_behind_the_end_is_an_overlap)
{
	piece(7, 48, 64);
	made_begin(&t.made, datagram, 16);
	ip4_piece_before(&t.made, 1, UDP, 7, 64 / 8 | MORE);
	cr_assert_eq(decode_made(&t, RAW), DECODE_OK);
	cr_assert_eq(t.counters.fragments_overlap, 1);
}

Test(fragments, an_identification_may_come_again)
{
	for (int i = 0; i < 3; i++) {
		datagram[60] = (uint8_t)i;
		datagram[20] = (uint8_t)i;
		piece(7, 0, 24);
		expect_piece();
		piece(7, 24, 64);
		expect_whole();
	}
	cr_assert_eq(t.counters.fragments_overlap, 0);
}

Test(fragments, old_ones_expire)
{
	piece(7, 0, 24);
	t.seconds += 31;
	piece(7, 24, 64);
	cr_assert(t.packet.orphan);
	cr_assert_eq(t.counters.fragments_expired, 1);
}

Test(fragments, the_budget_holds_and_the_oldest_goes)
{
	for (uint16_t id = 0; id < 20; id++)
		piece(id, 0, 24);
	cr_assert_eq(t.counters.fragments_expired, 4, "16 slots");
	piece(3, 24, 64);
	cr_assert(t.packet.orphan);
	piece(19, 24, 64);
	expect_whole();
}

Test(fragments, cut_by_the_capture_have_ports_and_no_payload)
{
	made_begin(&t.made, datagram, 24);
	ip4_piece_before(&t.made, 1, UDP, 7, MORE);
	cr_assert_eq(decode_cut(&t, RAW, 30), DECODE_OK);
	expect_piece();
	piece(7, 24, 64);
	expect_piece();
}

Test(fragments, impossible_ones_do_no_harm)
{
	made_begin(&t.made, datagram, 64);
	ip4_piece_before(&t.made, 1, UDP, 7, 0x1fff); /* ends behind 64 KiB */
	cr_assert_eq(decode_made(&t, RAW), DECODE_OK);
	made_begin(&t.made, datagram, 13);
	ip4_piece_before(&t.made, 1, UDP, 8, MORE); /* not in units of 8 */
	cr_assert_eq(decode_made(&t, RAW), DECODE_OK);
	expect_piece();
	made_begin(&t.made, datagram, 0);
	ip4_piece_before(&t.made, 1, UDP, 9, MORE);
	cr_assert_eq(decode_made(&t, RAW), DECODE_OK);
	cr_assert_not(t.packet.has_ports);
}

Test(fragments, of_ipv6_take_the_first_one_s_headers)
{
	made_begin(&t.made, datagram, 24);
	BEFORE(&t.made, UDP, 0, 1, 4, 0, 0, 0, 0); /* destination options */
	BEFORE(&t.made, 60, 0, 0, 1, 0, 0, 0, 99); /* fragment header */
	ip6_before(&t.made, 1, 44);
	cr_assert_eq(decode_made(&t, RAW), DECODE_OK);
	expect_piece();
	cr_assert_eq(t.packet.protocol, UDP);

	made_begin(&t.made, datagram + 24, 40);
	BEFORE(&t.made, 60, 0, 0, 32, 0, 0, 0, 99);
	ip6_before(&t.made, 1, 44);
	cr_assert_eq(decode_made(&t, RAW), DECODE_OK);
	cr_assert_eq(t.packet.protocol, UDP);
	expect_whole();
}

Test(fragments, of_a_tunnel_give_the_packet_inside)
{
	uint8_t outer[92];

	made_begin(&t.made, datagram, sizeof(datagram));
	ip4_before(&t.made, 1, UDP);
	BEFORE(&t.made, 0x20, 0x00, 0x08, 0x00, 0, 0, 0, 5);
	cr_assert_eq(made_length(&t.made), sizeof(outer));
	memcpy(outer, made_bytes(&t.made), sizeof(outer));

	made_begin(&t.made, outer + 48, sizeof(outer) - 48);
	ip4_piece_before(&t.made, 2, GRE, 7, 48 / 8);
	cr_assert_eq(decode_made(&t, RAW), DECODE_OK);
	cr_assert(t.packet.orphan);

	made_begin(&t.made, outer, 48);
	ip4_piece_before(&t.made, 2, GRE, 7, MORE);
	cr_assert_eq(decode_made(&t, RAW), DECODE_OK);
	cr_assert_eq(net_of(&t.packet), 1);
	cr_assert_eq(t.packet.tunnels[0].id, 5);
	cr_assert_not(t.packet.fragment, "the inner packet is none");
	cr_assert_eq(cursor_left(&t.packet.payload), 56);
	cr_assert_arr_eq(t.packet.payload.at, datagram + 8, 56);
}
