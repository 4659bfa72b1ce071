/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sensor/metering.h"

static struct metering m;

static struct talk talk(uint16_t client_port, uint16_t server_port)
{
	return (struct talk){ .m = &m,
			      .hosts = { 9, 2 },
			      .ports = { client_port, server_port },
			      .next = { 1000, 5000 } };
}

static void begin(void)
{
	metering_begin(&m);
}

static void end(void)
{
	metering_end(&m);
}

TestSuite(pipeline, .init = begin, .fini = end);

Test(pipeline, a_connection_from_hand_to_hand)
{
	struct talk t = talk(40000, 4711);

	greet(&t);
	say(&t, 0, TCP_ACK | TCP_PSH, "hello", 5);
	say(&t, 1, TCP_ACK, NULL, 0);
	part(&t);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 1);
	json_t *f = flow(&m, 0);
	cr_assert_str_eq(text(f, "client/ip"), "10.0.0.9");
	cr_assert_eq(number(f, "client/port"), 40000);
	cr_assert_str_eq(text(f, "orientation"), "handshake");
	cr_assert_str_eq(text(f, "end_reason"), "fin");
	cr_assert_eq(number(f, "packets/to_server"), 5);
	cr_assert_eq(number(f, "packets/to_client"), 3);
	cr_assert_eq(number(f, "bytes/to_server"), 5 * 40 + 5);
	cr_assert_eq(number(f, "tcp/rtt_server_us"), 1000);
	cr_assert_eq(number(f, "tcp/rtt_client_us"), 1000);
	cr_assert_eq(number(f, "tcp/retransmissions"), 0);
	cr_assert_eq(number(f, "tcp/missed_bytes"), 0);
	cr_assert_not(json_is_true(at(f, "tcp/midstream")));
}

Test(pipeline, version_6_alike)
{
	struct talk t = talk(40000, 4711);

	t.v6 = true;
	greet(&t);
	part(&t);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 1);
	cr_assert_str_eq(text(flow(&m, 0), "client/ip"), "2001:db8::9");
	cr_assert_eq(number(flow(&m, 0), "bytes/to_server"), 4 * 60);
}

Test(pipeline, ends_by_the_syn_ack_alone)
{
	struct talk t = talk(40000, 40001);

	say(&t, 1, TCP_SYN | TCP_ACK, NULL, 0);
	metering_flush(&m);
	cr_assert_str_eq(text(flow(&m, 0), "client/ip"), "10.0.0.9");
	cr_assert_str_eq(text(flow(&m, 0), "orientation"), "handshake");
}

Test(pipeline, ends_by_port_and_by_who_came_first)
{
	shoot(&m,
	      (struct shot){ .from = 2, .to = 9, .protocol = 17, .source = 161, .dest = 50000 });
	shoot(&m,
	      (struct shot){ .from = 9, .to = 2, .protocol = 17, .source = 50001, .dest = 50002 });
	metering_flush(&m);
	cr_assert_str_eq(text(flow(&m, 0), "orientation"), "port");
	cr_assert_eq(number(flow(&m, 0), "server/port"), 161);
	cr_assert_str_eq(text(flow(&m, 1), "orientation"), "first-packet");
	cr_assert_eq(number(flow(&m, 1), "client/port"), 50001);
}

static void ping(uint8_t from, uint8_t to, uint8_t type, uint8_t protocol, int64_t time)
{
	shoot(&m, (struct shot){ .at = time,
				 .from = from,
				 .to = to,
				 .protocol = protocol,
				 .v6 = protocol == 58,
				 .icmp_type = type });
}

Test(pipeline, echo_and_its_answer_are_one_flow)
{
	ping(9, 2, 8, 1, 0);
	ping(2, 9, 0, 1, 1000);
	ping(2, 9, 129, 58, 2000); /* the answer first */
	ping(9, 2, 128, 58, 3000);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 2);
	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(number(flow(&m, i), "packets/to_server"), 1);
		cr_assert_eq(number(flow(&m, i), "packets/to_client"), 1);
	}
	cr_assert_str_eq(text(flow(&m, 0), "client/ip"), "10.0.0.9");
	cr_assert_str_eq(text(flow(&m, 1), "client/ip"), "2001:db8::9");
	cr_assert_eq(number(flow(&m, 0), "icmp/type"), 8);
}

Test(pipeline, interim_records_add_up)
{
	struct talk t = talk(40000, 4711);

	greet(&t);
	for (int i = 0; i < 1000; i++) {
		t.at = (i + 1) * SECOND;
		say(&t, 0, TCP_ACK | TCP_PSH, "0123456789", 10);
	}
	part(&t);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 4);
	cr_assert_eq(sum(&m, "packets/to_server"), 2 + 1000 + 2);
	cr_assert_eq(sum(&m, "packets/to_client"), 2);
	cr_assert_eq(sum(&m, "bytes/to_server"), 1004 * 40 + 10000);
	for (size_t i = 0; i < 4; i++) {
		cr_assert_eq(number(flow(&m, i), "interim"), (json_int_t)i);
		cr_assert_str_eq(text(flow(&m, i), "id"), text(flow(&m, 0), "id"));
		cr_assert_str_eq(text(flow(&m, i), "end_reason"), i < 3 ? "active" : "fin");
		cr_assert_lt(strcmp(text(flow(&m, i), "start"), text(flow(&m, i), "end")), 0);
	}
	cr_assert_eq(m.counters.records_interim, 3);
}

Test(pipeline, ports_used_again_are_another_flow)
{
	struct talk t = talk(40000, 4711);

	greet(&t);
	part(&t);
	t.next[0] += 100000;
	t.next[1] += 100000;
	greet(&t);
	part(&t);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 2);
	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(number(flow(&m, i), "packets/to_server"), 4);
		cr_assert_eq(number(flow(&m, i), "tcp/missed_bytes"), 0);
	}
	cr_assert_str_neq(text(flow(&m, 0), "id"), text(flow(&m, 1), "id"));
}

Test(pipeline, a_full_table_emits_what_it_gives_up)
{
	metering_end(&m);
	metering_prepare(&m);
	m.options.flows = 64;
	metering_open(&m);
	for (uint16_t i = 0; i < 400; i++)
		shoot(&m, (struct shot){ .at = i,
					 .from = 9,
					 .to = 2,
					 .protocol = 17,
					 .id = (uint16_t)(i + 1),
					 .source = (uint16_t)(20000 + i / 2),
					 .dest = 4711 });
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 200);
	cr_assert_eq(sum(&m, "packets/to_server"), 400);
	cr_assert_eq(m.counters.flows_evicted, 136);
	cr_assert_str_eq(text(flow(&m, 0), "end_reason"), "evicted");
}

Test(pipeline, realms_keep_equal_addresses_apart)
{
	metering_end(&m);
	metering_prepare(&m);
	m.realms.names[m.realms.count] = "tenant";
	m.realms.of_vlan[20] = (uint8_t)m.realms.count++;
	metering_open(&m);
	for (uint16_t vlan = 10; vlan <= 30; vlan += 10)
		shoot(&m, (struct shot){ .at = vlan,
					 .from = 9,
					 .to = 2,
					 .protocol = 17,
					 .id = 7,
					 .source = 50000,
					 .dest = 161,
					 .vlan = vlan });
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 2);
	cr_assert_str_eq(text(flow(&m, 0), "realm"), "default");
	cr_assert_eq(number(flow(&m, 0), "copies/routed"), 1); /* VLAN 30 showed it again */
	cr_assert_str_eq(text(flow(&m, 1), "realm"), "tenant");
	cr_assert_eq(number(flow(&m, 1), "copies/routed"), 0);
}

/* A datagram of zeros in pieces of one size and identification. */
static void shoot_pieces(int64_t time, uint16_t id, unsigned count, uint8_t ttl)
{
	static const uint8_t zeros[512];
	uint8_t first[512] = { 0xc3, 0x50, 0, 161, 0, 0 };

	put16(first + 4, (uint16_t)(count * 512));
	for (unsigned i = 0; i < count; i++)
		shoot(&m, (struct shot){
				  .at = time + i,
				  .from = 9,
				  .to = 2,
				  .protocol = 17,
				  .id = id,
				  .ttl = ttl,
				  .bytes = i ? zeros : first,
				  .n = 512,
				  .fragment = (uint16_t)(i * 64 | (i + 1 < count ? 0x2000 : 0)) });
}

Test(pipeline, each_piece_of_a_datagram_is_a_packet)
{
	shoot_pieces(0, 77, 6, 64);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 1);
	cr_assert_eq(number(flow(&m, 0), "packets/to_server"), 6);
	cr_assert_eq(number(flow(&m, 0), "bytes/to_server"), 6 * 532);
	cr_assert_eq(number(flow(&m, 0), "server/port"), 161);
	cr_assert_eq(m.counters.copies_mirror, 0);
}

Test(pipeline, pieces_seen_again_behind_a_router_are_copies)
{
	shoot_pieces(0, 77, 6, 64);
	shoot_pieces(10, 77, 6, 63);
	metering_flush(&m);
	cr_assert_eq(number(flow(&m, 0), "packets/to_server"), 6);
	cr_assert_eq(number(flow(&m, 0), "copies/routed"), 6);
}

/* Cut behind the ports: there are no numbers to go by. */
Test(pipeline, a_header_cut_short_has_no_numbers)
{
	struct talk t = talk(40000, 4711);

	for (int i = 0; i < 20; i++) {
		struct shot s = talk_shot(&t, i % 2, TCP_ACK, "0123456789", 10);
		s.captured = i < 2 ? 0 : 14 + 20 + 8;
		shoot(&m, s);
	}
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 1);
	cr_assert_eq(sum(&m, "packets/to_server") + sum(&m, "packets/to_client"), 20);
	cr_assert_eq(number(flow(&m, 0), "tcp/retransmissions"), 0);
	cr_assert_eq(number(flow(&m, 0), "tcp/missed_bytes"), 0);
}

/* Each segment in two pieces: what they carry was seen. */
Test(pipeline, a_segment_in_pieces_is_no_gap)
{
	struct talk t = talk(40000, 4711);
	uint8_t segment[20 + 100] = { 0 };

	greet(&t);
	for (int i = 0; i < 3; i++) {
		struct shot s = talk_shot(&t, 0, TCP_ACK | TCP_PSH, NULL, 100);
		put_transport(segment, &s, 6);
		s.protocol = 6;
		s.bytes = segment;
		s.n = 64;
		s.fragment = 0x2000;
		shoot(&m, s);
		s.bytes = segment + 64;
		s.n = 56;
		s.fragment = 8;
		shoot(&m, s);
		say(&t, 1, TCP_ACK, NULL, 0);
	}
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 1);
	cr_assert_eq(number(flow(&m, 0), "packets/to_server"), 2 + 6);
	cr_assert_eq(number(flow(&m, 0), "tcp/missed_bytes"), 0);
	cr_assert_eq(number(flow(&m, 0), "tcp/retransmissions"), 0);
}

static void tick(int64_t time, uint16_t port)
{
	shoot(&m, (struct shot){ .at = time,
				 .from = 9,
				 .to = 2,
				 .protocol = 17,
				 .id = (uint16_t)(time / SECOND),
				 .source = port,
				 .dest = 161 });
}

Test(pipeline, one_stray_stamp_ends_nothing)
{
	tick(0, 50000);
	tick(1 * SECOND, 50000);
	tick(400000000 * SECOND, 50001); /* years ahead */
	tick(-400000000 * SECOND, 50000);
	for (int i = 2; i < 50; i++)
		tick(i * SECOND, 50000);
	metering_read(&m);
	cr_assert_eq(count_of(&m, "flow"), 0, "nothing ended");
	cr_assert_eq(m.counters.clock_jump, 1);
	cr_assert_eq(m.counters.clock_back, 1);
	tick(100 * SECOND, 50000);
	tick(120 * SECOND, 50000);
	metering_read(&m);
	cr_assert_eq(count_of(&m, "flow"), 1, "the stray one falls silent like others");
	metering_flush(&m);
	cr_assert_eq(sum(&m, "packets/to_server"), 50 + 2 + 2);
}

Test(pipeline, a_clock_set_back_does_not_split_flows)
{
	for (int i = 0; i < 10; i++)
		tick(i * SECOND, 50000);
	for (int i = 0; i < 40; i++)
		tick((i - 3600) * SECOND, 50000 + 1);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 2);
	cr_assert_eq(m.counters.clock_back, 40);
}

static void begin_live(void)
{
	metering_end(&m);
	m = (struct metering){ 0 };
	metering_prepare(&m);
	m.options.live = true;
	metering_open(&m);
}

Test(pipeline, a_live_clock_that_was_set_back_an_hour_begins_anew)
{
	begin_live();
	for (int i = 0; i < 10; i++)
		tick(i * SECOND, 50000);
	for (int i = 0; i < 100; i++)
		tick((i - 3600) * SECOND, 50001);
	metering_read(&m);
	cr_assert_eq(count_of(&m, "flow"), 2, "what was open has ended, once");
	cr_assert_eq(m.counters.clock_jump, 1);
	metering_flush(&m);
	cr_assert_eq(sum(&m, "packets/to_server"), 110, "and nothing is lost");
	cr_assert_eq(m.counters.flows, m.counters.flows_closed);
}

Test(pipeline, a_live_clock_that_was_set_forward_a_day_goes_on)
{
	begin_live();
	for (int i = 0; i < 10; i++)
		tick(i * SECOND, 50000);
	for (int i = 0; i < 10; i++)
		tick((i + 86400) * SECOND, 50001);
	metering_read(&m);
	cr_assert_eq(count_of(&m, "flow"), 1, "what was open fell silent");
	cr_assert_eq(m.counters.clock_jump, 1);
	metering_flush(&m);
	cr_assert_eq(sum(&m, "packets/to_server"), 20);
}

Test(pipeline, the_clock_follows_a_real_gap)
{
	tick(0, 50000);
	tick(7200 * SECOND, 50001);
	tick(7201 * SECOND, 50001);
	metering_read(&m);
	cr_assert_eq(count_of(&m, "flow"), 1);
	cr_assert_str_eq(text(flow(&m, 0), "end_reason"), "idle");
	metering_flush(&m);
}

enum { ASSOCIATION = 99 };

/* A-ASSOCIATE-RQ (DICOM PS3.8 9.3.2), of which so many bytes are sent at first. */
static void start_association(struct talk *t, size_t n)
{
	static const uint8_t head[] = { 1, 0, 0, 0, 0, 93, 0, 1, 0, 0 };
	static const char context[] = "\x10\0\0\x15"
				      "1.2.840.10008.3.1.1.1";
	uint8_t rq[ASSOCIATION] = { 0 };

	memcpy(rq, head, sizeof(head));
	memset(rq + 10, ' ', 32);
	memcpy(rq + 10, "PACS", 4);
	memcpy(rq + 26, "CT1", 3);
	memcpy(rq + 74, context, sizeof(context) - 1);
	greet(t);
	say(t, 0, TCP_ACK, rq, n);
}

Test(pipeline, slots_that_run_out_are_counted)
{
	metering_end(&m);
	metering_prepare(&m);
	m.options.dissection.contexts = 2;
	metering_open(&m);
	for (uint16_t i = 0; i < 10; i++) {
		struct talk t = talk((uint16_t)(40000 + i), 104);
		start_association(&t, i % 2 ? ASSOCIATION : 4);
	}
	metering_flush(&m);
	cr_assert_eq(m.counters.contexts_refused, 8);
	cr_assert_eq(count_of(&m, "flow"), 10);
}

Test(pipeline, a_gap_counts_once)
{
	struct talk t = talk(40000, 104);

	start_association(&t, ASSOCIATION);
	t.next[0] += 50;
	say(&t, 1, TCP_ACK, NULL, 0);
	say(&t, 0, TCP_ACK, "0123456789", 10);
	metering_flush(&m);
	cr_assert_str_eq(text(flow(&m, 0), "app"), "dicom");
	cr_assert_eq(number(flow(&m, 0), "tcp/missed_bytes"), 50);
	cr_assert_eq(m.counters.stream_gaps, 1);
}
